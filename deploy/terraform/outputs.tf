output "email" {
  description = "The account's e-mail address: for deploy/kubernetes, and what reports name as the principal."
  value       = google_service_account.diga_verify.email
}

output "member" {
  description = "The account as bindings name it."
  value       = google_service_account.diga_verify.member
}
