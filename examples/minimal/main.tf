# The module with its seven inputs: every hook finds the rest in AWS by itself.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.76"
    }
  }
}

provider "aws" {
  region = var.aws_region
}

variable "app_name" {
  description = "Application name"
  type        = string
  default     = "orders"
}

variable "environment" {
  description = "Deployment environment"
  type        = string
  default     = "staging"
}

variable "aws_region" {
  description = "AWS region"
  type        = string
  default     = "eu-west-1"
}

variable "ecs_cluster_name" {
  description = "Name of the ECS cluster"
  type        = string
  default     = "main"
}

variable "ecs_service_name" {
  description = "Name of the ECS service that CodeDeploy deploys"
  type        = string
  default     = "orders"
}

module "lambda" {
  source = "../.."

  app_name         = var.app_name
  environment      = var.environment
  aws_region       = var.aws_region
  ecs_cluster_name = var.ecs_cluster_name
  ecs_service_name = var.ecs_service_name
  log_retention    = 30

  tags = {
    Application = var.app_name
    Environment = var.environment
  }
}

output "appspec_hooks" {
  description = "The Hooks section to paste into appspec.yaml"
  value       = module.lambda.appspec_hooks
}
