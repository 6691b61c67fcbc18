# For those who have no Prometheus: Cloud Monitoring tells when a run fails, and when there are none any more.

resource "google_monitoring_alert_policy" "failed" {
  project               = var.project
  display_name          = "diga-verify: ${var.verified_project} is not verified, or not compliant"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = var.notification_channels

  conditions {
    display_name = "A run ended with another exit code than 0"
    condition_threshold {
      filter = join(" AND ", [
        "resource.type = \"cloud_run_job\"",
        "resource.labels.job_name = \"${google_cloud_run_v2_job.diga_verify.name}\"",
        "metric.type = \"run.googleapis.com/job/completed_execution_count\"",
        "metric.labels.result = \"failed\"",
      ])
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_SUM"
      }
    }
  }

  alert_strategy {
    auto_close = "7200s" # two runs without a failure end it, so that the next failure is told anew
  }
}

resource "google_monitoring_alert_policy" "stopped" {
  project               = var.project
  display_name          = "diga-verify: ${var.verified_project} is verified no more"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = var.notification_channels

  conditions {
    display_name = "No run ended for three hours"
    # condition_absent would be silent about a job that never ran: it waits for the first run.
    condition_prometheus_query_language {
      query                     = <<-END
        absent_over_time(run_googleapis_com:job_completed_execution_count{
          monitored_resource="cloud_run_job",
          project_id="${var.project}",
          location="${local.region}",
          job_name="${google_cloud_run_v2_job.diga_verify.name}"
        }[3h])
      END
      evaluation_interval       = "300s"
      disable_metric_validation = true # nobody knows the metric before the first run
    }
  }
}
