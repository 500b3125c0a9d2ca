# A check of your own: lambdas/validate_production.py has been changed to look at a queue, as docs/custom-hooks.md
# has it, and the function is given what the new code needs: a variable and a permission.

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
  region = "eu-west-1"
}

resource "aws_sqs_queue" "orders" {
  name = "orders-staging"
}

data "aws_iam_policy_document" "read_queue" {
  statement {
    sid       = "ReadQueue"
    actions   = ["sqs:GetQueueAttributes"]
    resources = [aws_sqs_queue.orders.arn]
  }
}

module "lambda" {
  source = "../.."

  app_name         = "orders"
  environment      = "staging"
  aws_region       = "eu-west-1"
  ecs_cluster_name = "main"
  ecs_service_name = "orders"

  environment_variables = {
    validate_production = { QUEUE_URL = aws_sqs_queue.orders.url }
  }

  policy_documents = {
    validate_production = data.aws_iam_policy_document.read_queue.json
  }
}
