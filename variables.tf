variable "app_name" {
  description = "Application name"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]*$", var.app_name))
    error_message = "app_name is \"${var.app_name}\"; it becomes part of function and role names: use letters, digits, hyphens and underscores, beginning with a letter or digit."
  }
}

variable "environment" {
  description = "Deployment environment"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]*$", var.environment))
    error_message = "environment is \"${var.environment}\"; it becomes part of function and role names: use letters, digits, hyphens and underscores, beginning with a letter or digit."
  }
}

variable "aws_region" {
  description = "AWS region"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2,}(-[a-z]+)+-[0-9]+$", var.aws_region))
    error_message = "aws_region is \"${var.aws_region}\"; expected a region's code such as \"eu-west-1\" (not an availability zone, not a name such as \"Ireland\")."
  }
}

variable "ecs_cluster_name" {
  description = "ECS cluster name"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,255}$", var.ecs_cluster_name))
    error_message = "ecs_cluster_name is \"${var.ecs_cluster_name}\"; expected the cluster's name (up to 255 letters, digits, hyphens and underscores), not its ARN: of \"arn:…:cluster/main\" that is \"main\"."
  }
}

variable "ecs_service_name" {
  description = "ECS service name"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,255}$", var.ecs_service_name))
    error_message = "ecs_service_name is \"${var.ecs_service_name}\"; expected the service's name (up to 255 letters, digits, hyphens and underscores), not its ARN: of \"arn:…:service/main/web\" that is \"web\"."
  }
}

variable "log_retention" {
  description = "CloudWatch log retention in days"
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition = contains([
      0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
    ], var.log_retention)
    error_message = "log_retention is ${var.log_retention}; CloudWatch Logs knows only 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 and 3653 days, and 0 for ever."
  }
}

variable "tags" {
  description = "Resource tags"
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([
      for key in keys(var.tags) : length(key) >= 1 && length(key) <= 128 && !startswith(lower(key), "aws:")
    ])
    error_message = "tags has the key ${join(", ", [
      for key in keys(var.tags) : jsonencode(key)
      if length(key) < 1 || length(key) > 128 || startswith(lower(key), "aws:")
    ])}; a key has 1 to 128 characters and does not begin with \"aws:\"."
  }
}

variable "runtime" {
  description = "Lambda runtime of the functions: python3.9 to python3.13. AWS no longer supports python3.9 and python3.10 and refuses new functions on them after some months."
  type        = string
  default     = "python3.13"
  nullable    = false

  validation {
    condition     = contains(["python3.9", "python3.10", "python3.11", "python3.12", "python3.13"], var.runtime)
    error_message = "runtime is \"${var.runtime}\"; the handlers run on python3.9, python3.10, python3.11, python3.12 and python3.13."
  }
}

variable "architecture" {
  description = "Instruction set of the functions: x86_64 or arm64. The packages are pure Python and run on both."
  type        = string
  default     = "x86_64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture is \"${var.architecture}\"; Lambda knows \"arm64\" and \"x86_64\"."
  }
}

variable "memory_size" {
  description = "Memory of each function in MB, 128 to 10240. The share of a CPU grows with it: below 256 even the start takes seconds."
  type        = number
  default     = 512
  nullable    = false
}

variable "timeout" {
  description = "Time-out of each function in seconds, 60 to 900. The last 30 seconds are kept for the report to CodeDeploy."
  type        = number
  default     = 900
  nullable    = false

  validation {
    condition     = var.timeout >= 60 && var.timeout <= 900 && floor(var.timeout) == var.timeout
    error_message = "timeout is ${var.timeout}; expected whole seconds from 60 (30 of them are kept for the report) to 900, the most Lambda allows."
  }
}

variable "function_name_prefix" {
  description = "First part of the names of functions and roles. AWSCodeDeployRoleForECSLimited may only invoke functions named `CodeDeployHook_*`: with another prefix the CodeDeploy role needs `invoke_policy_json` or AWSCodeDeployRoleForECS."
  type        = string
  default     = "CodeDeployHook_"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]*$", var.function_name_prefix))
    error_message = "function_name_prefix is \"${var.function_name_prefix}\"; use letters, digits, hyphens and underscores, or \"\" for none."
  }
}

variable "vpc_config" {
  description = <<-EOT
    Subnets and security groups for functions that work inside a VPC (an internal load balancer, say). Such a
    function needs a NAT gateway or interface endpoints for codedeploy, ecs, elasticloadbalancing, monitoring, logs, … .
    - `subnet_ids`: private subnets of the VPC
    - `security_group_ids`: security groups that may reach the load balancer's listeners and port 443
  EOT
  type        = any
  default     = null

  validation {
    condition     = length(setsubtract(try(keys(var.vpc_config), []), ["security_group_ids", "subnet_ids"])) == 0
    error_message = "vpc_config has ${join(", ", setsubtract(try(keys(var.vpc_config), []), ["security_group_ids", "subnet_ids"]))}, which is no option; there are subnet_ids and security_group_ids."
  }

  validation {
    condition = var.vpc_config == null ? true : try(alltrue([
      for prefix, ids in { subnet = var.vpc_config.subnet_ids, sg = var.vpc_config.security_group_ids } :
      length(ids) > 0 && !can(keys(ids)) && alltrue([for id in ids : can(regex("^${prefix}-[0-9a-z]+$", id))])
    ]), false)
    error_message = "vpc_config is ${jsonencode(var.vpc_config)}; expected { subnet_ids, security_group_ids } with ids such as \"subnet-0123456789abcdef0\" and \"sg-0123456789abcdef0\", at least one of each, or null for functions outside a VPC."
  }
}

variable "kms_key_arn" {
  description = "ARN of a KMS key for the functions' environments and log groups. Its key policy must allow the CloudWatch Logs service of the region. Null: keys owned by AWS."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn is \"${coalesce(var.kms_key_arn, "null")}\"; expected a key's ARN such as \"arn:aws:kms:eu-west-1:111122223333:key/1234abcd-…\" (not an alias and not a bare id)."
  }
}

variable "permissions_boundary" {
  description = "ARN of the policy that bounds the functions' roles. Null: none."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null ? true : can(regex("^arn:[a-z-]+:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary))
    error_message = "permissions_boundary is \"${coalesce(var.permissions_boundary, "null")}\"; expected a policy's ARN such as \"arn:aws:iam::111122223333:policy/boundary\"."
  }
}

variable "role_path" {
  description = "IAM path of the functions' roles"
  type        = string
  default     = "/"
  nullable    = false

  validation {
    condition     = can(regex("^/([!-~]{1,510}/)?$", var.role_path))
    error_message = "role_path is \"${var.role_path}\"; expected \"/\" or a path that begins and ends with a slash, such as \"/deployment/\"."
  }
}

variable "codedeploy_application_name" {
  description = "Name of the CodeDeploy application. Not needed to work: narrows the functions' policies to it. Null: any application of the account and region."
  type        = string
  default     = null

  validation {
    condition     = var.codedeploy_application_name == null ? true : can(regex("^[A-Za-z0-9._+=,@-]{1,100}$", var.codedeploy_application_name))
    error_message = "codedeploy_application_name is \"${coalesce(var.codedeploy_application_name, "null")}\"; expected the application's name (up to 100 letters, digits and . _ + = , @ -), not its ARN."
  }
}

variable "codedeploy_deployment_group_name" {
  description = "Name of the CodeDeploy deployment group. Not needed to work: narrows the functions' policies to it. Null: any group of the application."
  type        = string
  default     = null

  validation {
    condition     = var.codedeploy_deployment_group_name == null ? true : can(regex("^[A-Za-z0-9._+=,@-]{1,100}$", var.codedeploy_deployment_group_name))
    error_message = "codedeploy_deployment_group_name is \"${coalesce(var.codedeploy_deployment_group_name, "null")}\"; expected the deployment group's name (up to 100 letters, digits and . _ + = , @ -), not its ARN."
  }
}

variable "task_definition_family" {
  description = "Family of the service's task definition. Not needed to work: narrows the functions' policies to it, and to the roles and log groups of its newest revision, which is read at plan (`ecs:DescribeTaskDefinition`); apply again before a deployment with others. Where the same stack makes it: `basename(aws_ecs_task_definition.<name>.arn_without_revision)`. Null: any of the account."
  type        = string
  default     = null

  validation {
    condition     = var.task_definition_family == null ? true : can(regex("^[A-Za-z0-9_-]{1,255}$", var.task_definition_family))
    error_message = "task_definition_family is \"${coalesce(var.task_definition_family, "null")}\"; expected the family's name (up to 255 letters, digits, hyphens and underscores), without revision and not its ARN: of \"arn:…:task-definition/web:7\" that is \"web\"."
  }
}

variable "appspec_without" {
  description = "Hooks to leave out of the output `appspec_hooks`, such as `[\"validate_test_traffic\"]` for a deployment group without a test listener. The functions and their ARNs stay."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.appspec_without, local._lifecycle_order)) == 0
    error_message = "appspec_without has ${join(", ", setsubtract(var.appspec_without, local._lifecycle_order))}; the hooks are ${join(", ", local._lifecycle_order)}."
  }
}

variable "callers" {
  description = "Who calls the functions: \"codedeploy\", \"ecs\" (ECS's own blue/green), or both while a service moves. Each role has just what its callers need"
  type        = list(string)
  default     = ["codedeploy"]
  nullable    = false

  validation {
    condition     = length(var.callers) > 0 && length(setsubtract(var.callers, ["codedeploy", "ecs"])) == 0
    error_message = "callers is ${jsonencode(var.callers)}; expected [\"codedeploy\"], [\"ecs\"] or both."
  }
}

variable "lifecycle_hooks" {
  description = "What is otherwise in the output `lifecycle_hooks`, by hook: `stages` of ECS's own blue/green, none to leave the hook out; `hook_details`, texts that ECS hands to the hook, such as a `description` with overrides: `{ run_migrations = { stages = [\"PRE_SCALE_UP\"] } }`. Only with `ecs` among the `callers`"
  type        = any
  default     = {}
  nullable    = false
}

variable "allow_overrides" {
  description = "Whether the description of one CodeDeploy deployment may soften checks of the hooks: `[warn images]`, `[skip http:orders, alarms]`. What it softened is said in every report."
  type        = bool
  default     = true
  nullable    = false
}

variable "send_events" {
  description = "Whether each verdict is sent to EventBridge: [docs/events.md](docs/events.md). Null: yes, but no in a VPC, which needs a way there (a NAT gateway, or the interface endpoint `events`)"
  type        = bool
  default     = null
}

variable "event_bus" {
  description = "Event bus that the verdicts are sent to: its name or ARN"
  type        = string
  default     = "default"
  nullable    = false
}

variable "notifications" {
  description = "SNS topics that get verdicts, by a name of yours: `{ team = { topic_arn = aws_sns_topic.team.arn, statuses = [\"FAILED\"], format = \"text\" } }`. [docs/events.md](docs/events.md#notifications)"
  type        = any
  default     = {}
  nullable    = false
}

variable "create_dashboard" {
  description = "Whether to create a CloudWatch dashboard (verdicts, durations, the last failures with their reasons, the functions' errors), and saved queries of Logs Insights: why did this deployment stop, what was skipped or softened lately"
  type        = bool
  default     = false
  nullable    = false
}

variable "alarm_actions" {
  description = "ARNs (of an SNS topic, say) for alarms on the functions: an invocation that could not report, throttles, near the time-out. Empty: no alarms"
  type        = list(string)
  default     = []
  nullable    = false
}

variable "environment_variables" {
  description = "Further environment variables by hook, for custom handlers: `{ run_migrations = { TENANT = \"acme\" } }`"
  type        = map(map(string))
  default     = {}
  nullable    = false
}

variable "policy_documents" {
  description = "Further policy documents (JSON) by hook, for custom handlers: `{ run_migrations = data.aws_iam_policy_document.tenants.json }`"
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "layers" {
  description = "Further Lambda layers (version ARNs) by hook, for the libraries of custom handlers; at most four each"
  type        = map(list(string))
  default     = {}
  nullable    = false
}
