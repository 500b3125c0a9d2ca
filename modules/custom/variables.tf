# What custom handlers bring by hook: refused here, at plan, where it cannot work. Outputs are the inputs.

variable "hooks" {
  description = "The names of the hooks, which are the keys of the others"
  type        = list(string)
}

variable "region" {
  description = "The functions' region"
  type        = string
}

variable "environment_variables" {
  description = "As the root's"
  type        = map(map(string))
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.environment_variables), var.hooks)) == 0
    error_message = "environment_variables has the key ${join(", ", setsubtract(keys(var.environment_variables), var.hooks))}; the keys are ${join(", ", var.hooks)}."
  }

  validation {
    condition = alltrue(flatten([
      for variables in values(var.environment_variables) : [for value in try(values(variables), [null]) : value != null]
    ]))
    error_message = "environment_variables of ${join(", ", [
      for hook, variables in var.environment_variables : hook
      if anytrue([for value in try(values(variables), [null]) : value == null])
    ])} is null, or has a value that is: give it a map of texts, such as { TENANT = \"acme\" }."
  }

  validation {
    condition = alltrue(flatten([
      for hook, variables in var.environment_variables : [for name in try(keys(variables), []) : can(regex("^[A-Za-z][A-Za-z0-9_]+$", name))]
    ]))
    error_message = "environment_variables has the name ${join(", ", flatten([
      for hook, variables in var.environment_variables : [
        for name in try(keys(variables), []) : "${jsonencode(name)} (${hook})" if !can(regex("^[A-Za-z][A-Za-z0-9_]+$", name))
      ]
    ]))}; Lambda allows letters, digits and underscores, beginning with a letter, two or more."
  }

  validation {
    condition = alltrue(flatten([
      for hook, variables in var.environment_variables : [for name in try(keys(variables), []) : !contains(local._reserved_names, name)]
    ]))
    error_message = "environment_variables sets ${join(", ", flatten([
      for hook, variables in var.environment_variables : [
        for name in try(keys(variables), []) : "${name} (${hook})" if contains(local._reserved_names, name)
      ]
    ]))}: this module (APP_NAME, ENVIRONMENT, ECS_CLUSTER, ECS_SERVICE, HOOK_SETTINGS) or Lambda sets it. Choose another name."
  }
}

variable "policy_documents" {
  description = "As the root's"
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.policy_documents), var.hooks)) == 0
    error_message = "policy_documents has the key ${join(", ", setsubtract(keys(var.policy_documents), var.hooks))}; the keys are ${join(", ", var.hooks)}."
  }

  validation {
    condition = alltrue([for hook, document in var.policy_documents : can(jsondecode(document).Statement)])
    error_message = "policy_documents of ${join(", ", [
      for hook, document in var.policy_documents : hook
      if !can(jsondecode(document).Statement)
    ])} is not a policy document: expected JSON with a Statement, as data.aws_iam_policy_document.<name>.json gives."
  }
}

variable "layers" {
  description = "As the root's"
  type        = map(list(string))
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.layers), var.hooks)) == 0
    error_message = "layers has the key ${join(", ", setsubtract(keys(var.layers), var.hooks))}; the keys are ${join(", ", var.hooks)}."
  }

  validation {
    condition = alltrue(flatten([for hook, arns in var.layers : [for arn in coalesce(arns, [null]) : can(regex(local._layer, arn))]]))
    error_message = "layers has ${join(", ", flatten([
      for hook, arns in var.layers : [for arn in coalesce(arns, [null]) : jsonencode(arn) if !can(regex(local._layer, arn))]
    ]))}; expected the ARN of a layer's version in ${var.region}, where the functions are, such as \"arn:aws:lambda:${var.region}:111122223333:layer:drivers:3\"."
  }
}

locals {
  _layer = "^arn:[a-z-]+:lambda:${var.region}:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+$"

  # Environment variables that are not the user's: this module's own five, and those that Lambda refuses at apply.
  _reserved_names = [
    "APP_NAME", "ENVIRONMENT", "ECS_CLUSTER", "ECS_SERVICE", "HOOK_SETTINGS", "_HANDLER", "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
  ]
}
