variable "project" {
  description = "Id of the project in which the job runs. Best not the one that it verifies."
  type        = string
}

variable "verified_project" {
  description = "Id of the project whose data is verified."
  type        = string
}

variable "image" {
  description = "The image by its digest: europe-west3-docker.pkg.dev/PROJECT/tools/diga-verify@sha256:..."
  type        = string

  validation {
    condition     = can(regex("^europe-west3-docker\\.pkg\\.dev/[^@]+@sha256:[0-9a-f]{64}$", var.image))
    error_message = "The image comes from europe-west3-docker.pkg.dev and is named by its digest; a tag can be moved."
  }
}

variable "policy" {
  description = "The policy's file on this machine."
  type        = string
}

variable "environment" {
  description = "An environment that the policy defines."
  type        = string
  default     = "production"
}

variable "roles" {
  description = "Which roles of deploy/terraform the account gets."
  type        = set(string)
  default     = ["gate", "witness"]
}

variable "schedule" {
  description = "When to run, in Berlin's time. If that is less often than hourly, raise the limit in alerts.tf."
  type        = string
  default     = "17 * * * *"
}

variable "push_gateway" {
  description = "https URL of a Prometheus Pushgateway for the metrics; null if there is none."
  type        = string
  default     = null
}

variable "notification_channels" {
  description = "Full names of the Cloud Monitoring channels that are told."
  type        = list(string)
  default     = []
}

variable "keep_reports_days" {
  description = "How long a report is kept after the next one; take what your rules of retention ask for."
  type        = number
  default     = 1095
}
