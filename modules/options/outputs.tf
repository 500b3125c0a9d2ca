# Written by "make options" from lambdas/gate/options/. Change it there.

output "validate_before_install" {
  description = "Options of validate_before_install, its defaults too"
  value       = var.validate_before_install
}

output "validate_deployment" {
  description = "Options of validate_deployment, its defaults too"
  value       = var.validate_deployment
}

output "validate_test_traffic" {
  description = "Options of validate_test_traffic, its defaults too"
  value       = var.validate_test_traffic
}

output "run_migrations" {
  description = "Options of run_migrations, its defaults too"
  value       = var.run_migrations
}

output "validate_production" {
  description = "Options of validate_production, its defaults too"
  value       = var.validate_production
}

output "schemas" {
  description = "A fingerprint of the options that each hook takes"
  value = {
    validate_before_install = "4f0c68ee3236"
    validate_deployment     = "b372bbd199bd"
    validate_test_traffic   = "cc35e9e9ec38"
    run_migrations          = "e2aefff2d3dc"
    validate_production     = "15e035270d6b"
  }
}
