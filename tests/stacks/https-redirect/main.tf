# Seen in most public stacks that serve a domain: a certificate validated by DNS, port 80 that redirects to 443, and a test
# listener that serves HTTPS, too. The database is migrated by Alembic, and every answer says its release.

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
  region = var.region

  default_tags {
    tags = {
      Project   = "storefront"
      ManagedBy = "terraform"
    }
  }
}

variable "region" {
  type    = string
  default = "eu-central-1"
}

variable "domain" {
  type    = string
  default = "shop.example.com"
}

variable "image_tag" {
  type    = string
  default = "2024.11.3"
}

locals {
  name = "storefront-prod"
  port = 8080
}

module "lambda" {
  source = "../../.."

  app_name         = "storefront"
  environment      = "prod"
  aws_region       = var.region
  ecs_cluster_name = aws_ecs_cluster.main.name
  ecs_service_name = "storefront-api"
  log_retention    = 90

  validate_test_traffic = {
    host = var.domain
    http_checks = {
      health = {
        path             = "/healthz"
        response_headers = { x-app-version = { equals = "{image_tag}" } }
      }
    }
    thresholds = { p95_ms = 800 }
  }

  run_migrations = {
    preset       = "alembic"
    lock_timeout = 10
  }

  validate_production = {
    host     = var.domain
    duration = 600
  }
}

output "appspec_hooks" {
  value = module.lambda.appspec_hooks
}
