terraform {
  # 1.9: a variable's validation may read other variables (the 64 characters of a function's name).
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # 5.76: the first that knows the runtime python3.13.
      version = ">= 5.76"
    }
  }
}
