# A Cloud Run job that verifies a project, and the schedule that starts it; both in Frankfurt. See docs/schedule.md.

locals {
  region   = "europe-west3"
  deadline = 180 # seconds; the job's own limit leaves time to start and to write
}

module "account" {
  source           = "../terraform"
  project          = var.project
  verified_project = var.verified_project
  roles            = var.roles
}

resource "google_cloud_run_v2_job" "diga_verify" {
  project             = var.project
  name                = "diga-verify"
  location            = local.region
  deletion_protection = true

  template {
    task_count  = 1
    parallelism = 1

    template {
      service_account = module.account.email
      timeout         = "${local.deadline + 120}s"
      max_retries     = 0 # a violation is a result, and no reason to try again

      containers {
        image = var.image
        args = [
          "verify",
          "--policy=/etc/diga-verify/regions.toml",
          "--deadline=${local.deadline}",
          "--output=/var/lib/diga-verify/report.json",
          "--no-progress",
          "--color=never",
          "--",
          var.environment,
          var.verified_project,
        ]

        env {
          name  = "DIGA_VERIFY_NO_TRIAL" # what asks a stand-in or looks at a part fails, whatever args say
          value = "true"
        }
        dynamic "env" {
          for_each = var.push_gateway == null ? [] : [var.push_gateway]
          content {
            name  = "DIGA_VERIFY_PUSH_GATEWAY"
            value = env.value
          }
        }
        resources {
          limits = { cpu = "1", memory = "1Gi" }
        }
        volume_mounts {
          name       = "policy"
          mount_path = "/etc/diga-verify"
        }
        volume_mounts {
          name       = "reports"
          mount_path = "/var/lib/diga-verify"
        }
      }

      volumes {
        name = "policy"
        secret {
          secret = google_secret_manager_secret.policy.secret_id
          items {
            path    = "regions.toml"
            version = google_secret_manager_secret_version.policy.version # this one, whatever is added later
          }
        }
      }
      volumes {
        name = "reports"
        gcs {
          bucket        = google_storage_bucket.reports.name
          mount_options = ["uid=65532", "gid=65532"] # the image's user
        }
      }
    }
  }

  depends_on = [google_secret_manager_secret_iam_member.policy, google_storage_bucket_iam_member.reports]
}
