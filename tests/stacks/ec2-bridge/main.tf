# Seen in stacks from before Fargate: instances of an Auto Scaling group with the ECS-optimised image of a public parameter,
# bridge mode with dynamic ports, targets of type instance. The service has no network configuration of its own.

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
}

variable "region" {
  type    = string
  default = "eu-west-2"
}

variable "instance_type" {
  type    = string
  default = "t3.large"
}

locals {
  name = "crm"
}

module "lambda" {
  source = "../../.."

  app_name         = "crm"
  environment      = "live"
  aws_region       = var.region
  ecs_cluster_name = local.name
  ecs_service_name = "crm-web"
  log_retention    = 365

  run_migrations = {
    command          = ["php", "artisan", "migrate", "--force"]
    rollback_command = ["php", "artisan", "migrate:rollback", "--force"]
    container        = "php"
    timeout          = 900
  }

  # Nights and days are too different for it.
  validate_production = {
    checks = { against_blue = "warn" }
  }
}

output "appspec_hooks" {
  value = module.lambda.appspec_hooks
}
