output "environment_variables" {
  description = "As given"
  value       = var.environment_variables
}

output "policy_documents" {
  description = "As given"
  value       = var.policy_documents
}

output "layers" {
  description = "As given"
  value       = var.layers
}
