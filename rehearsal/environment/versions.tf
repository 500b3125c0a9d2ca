terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.76"
    }
  }
}

# Credentials, region and endpoints come from the environment: nothing here knows where AWS is.
provider "aws" {
  default_tags {
    tags = local.tags
  }
}
