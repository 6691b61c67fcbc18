variable "project" {
  description = "Id of the project in which the account is made. Best not the one that it verifies."
  type        = string
}

variable "verified_project" {
  description = "Id of the project whose data is verified."
  type        = string
}

variable "roles" {
  description = "Which of roles/*.yaml the account gets; without gate nothing can be verified."
  type        = set(string)
  default     = ["gate", "witness"]

  validation {
    condition     = contains(var.roles, "gate") && length(setsubtract(var.roles, ["gate", "witness", "deep", "restore"])) == 0
    error_message = "Roles are gate, which is needed, witness, deep and restore."
  }
}

variable "cluster_project" {
  description = "Id of the project of the GKE cluster that runs deploy/kubernetes; null if none does."
  type        = string
  default     = null
}
