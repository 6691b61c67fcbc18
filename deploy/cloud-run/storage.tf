# Where the policy comes from, which the job can read and not change, and where reports go.

resource "google_secret_manager_secret" "policy" {
  project   = var.project
  secret_id = "diga-verify-policy"

  replication {
    user_managed {
      replicas {
        location = local.region
      }
    }
  }
}

resource "google_secret_manager_secret_version" "policy" {
  secret      = google_secret_manager_secret.policy.id
  secret_data = file(var.policy)
}

resource "google_secret_manager_secret_iam_member" "policy" {
  project   = var.project
  secret_id = google_secret_manager_secret.policy.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = module.account.member
}

resource "google_storage_bucket" "reports" {
  project                     = var.project
  name                        = "${var.project}-diga-verify-reports"
  location                    = local.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true # each run replaces report.json; what it replaced stays
  }
  soft_delete_policy {
    retention_duration_seconds = 90 * 24 * 3600 # what the job's own account deletes can be had back
  }
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = var.keep_reports_days
    }
  }
}

resource "google_storage_bucket_iam_member" "reports" {
  bucket = google_storage_bucket.reports.name
  role   = "roles/storage.objectUser"
  member = module.account.member
}
