# Seen in stacks of small services: a map of services, one for_each over everything, rules by host on shared listeners, and
# one module call each. The services differ in their options.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region = "ap-southeast-2"
}

locals {
  name = "travel"

  services = {
    quotes = {
      port     = 8000
      image    = "ghcr.io/example-travel/quotes:1.4.2"
      priority = 10
      health   = "/health"
    }
    pricing = {
      port     = 8080
      image    = "ghcr.io/example-travel/pricing:2.0.7"
      priority = 20
      health   = "/health"
    }
    bff = {
      port     = 4000
      image    = "ghcr.io/example-travel/bff:61"
      priority = 30
      health   = "/api/health"
    }
  }

  # What a service wants of the hooks.
  hooks = {
    quotes = {
      validate_test_traffic = { http_checks = { health = { path = "/health", host = "quotes.travel.example.com", max_latency_ms = 900 } } }
      run_migrations        = { command = ["alembic", "upgrade", "head"], verify_schema_command = ["alembic", "check"] }
      validate_production   = { duration = 180 }
    }
    pricing = {
      validate_test_traffic = {}
      run_migrations        = { command = ["./manage", "migrate"], timeout = 600 }
      validate_production = {
        http_checks = { health = { path = "/health", host = "pricing.travel.example.com", response_headers = { x-app-version = { equals = "{image_tag}" } } } }
        thresholds  = { p95_ms = 800 }
        alarms      = { travel-pricing-errors = "OK" }
      }
    }
    bff = {
      validate_test_traffic = { samples = 0 }
      run_migrations        = {}
      validate_production   = { samples = 0, checks = { against_blue = "skip" } }
    }
  }
}

module "lambda" {
  source   = "../../.."
  for_each = local.services

  app_name         = each.key
  environment      = "staging"
  aws_region       = "ap-southeast-2"
  ecs_cluster_name = aws_ecs_cluster.travel.name
  ecs_service_name = "${each.key}-staging"

  validate_test_traffic = local.hooks[each.key].validate_test_traffic
  run_migrations        = local.hooks[each.key].run_migrations
  validate_production   = local.hooks[each.key].validate_production
}

output "appspec_hooks" {
  value = { for name, hooks in module.lambda : name => hooks.appspec_hooks }
}
