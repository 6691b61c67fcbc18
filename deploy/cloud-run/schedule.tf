# Who starts the job: an account that may do nothing else. run.jobs.run takes no other arguments than the job's own:
# those would need run.jobs.runWithOverrides.

resource "google_service_account" "scheduler" {
  project      = var.project
  account_id   = "diga-verify-scheduler"
  display_name = "diga-verify scheduler"
  description  = "Starts the job diga-verify."
}

resource "google_cloud_run_v2_job_iam_member" "scheduler" {
  project  = var.project
  location = local.region
  name     = google_cloud_run_v2_job.diga_verify.name
  role     = "roles/run.invoker"
  member   = google_service_account.scheduler.member
}

resource "google_cloud_scheduler_job" "diga_verify" {
  project          = var.project
  name             = "diga-verify"
  region           = local.region
  schedule         = var.schedule
  time_zone        = "Europe/Berlin"
  attempt_deadline = "60s"

  retry_config {
    retry_count = 0 # the next hour tries again
  }

  http_target {
    http_method = "POST"
    uri = join("/", [
      "https://${local.region}-run.googleapis.com/apis/run.googleapis.com/v1/namespaces",
      var.project, "jobs", "${google_cloud_run_v2_job.diga_verify.name}:run",
    ])
    oauth_token {
      service_account_email = google_service_account.scheduler.email
    }
  }
}
