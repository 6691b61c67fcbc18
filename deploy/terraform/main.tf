# The account that diga-verify runs as, and all that it may do in the project that it verifies. See docs/schedule.md.

locals {
  roles = { for name in var.roles : name => yamldecode(file("${path.module}/roles/${name}.yaml")) }
}

resource "google_service_account" "diga_verify" {
  project      = var.project
  account_id   = "diga-verify"
  display_name = "diga-verify"
  description  = "Verifies where the data of ${var.verified_project} lies. It has no keys, and needs none."
}

resource "google_project_iam_custom_role" "diga_verify" {
  for_each    = local.roles
  project     = var.verified_project
  role_id     = "digaVerify${title(each.key)}"
  title       = each.value.title
  description = each.value.description
  stage       = each.value.stage
  permissions = each.value.includedPermissions
}

# Without a condition: one that hides a resource from the account makes its lists shorter than the truth.
resource "google_project_iam_member" "diga_verify" {
  for_each = google_project_iam_custom_role.diga_verify
  project  = var.verified_project
  role     = each.value.name
  member   = google_service_account.diga_verify.member
}

# The Kubernetes service account of deploy/kubernetes may act as the account; it is the only one that may.
resource "google_service_account_iam_member" "kubernetes" {
  count              = var.cluster_project == null ? 0 : 1
  service_account_id = google_service_account.diga_verify.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${var.cluster_project}.svc.id.goog[diga-verify/diga-verify]"
}
