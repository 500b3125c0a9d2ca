variable "arn" {
  description = "What each ARN begins with: `arn:` and the partition"
  type        = string
  nullable    = false
}

variable "region" {
  description = "AWS region"
  type        = string
  nullable    = false
}

variable "account" {
  description = "The account's number"
  type        = string
  nullable    = false
}

variable "family" {
  description = "Family of the service's task definition; null: any of the account"
  type        = string
}

variable "smoke_tests" {
  description = "The option `smoke_test` of each hook that has it; null where none is set"
  type        = any
  nullable    = false
}
