variable "app_name" {
  description = "Application name"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]*$", var.app_name))
    error_message = "app_name is \"${var.app_name}\"; it becomes part of function and role names: use letters, digits, hyphens and underscores, beginning with a letter or digit."
  }

  validation {
    # The longest of the five names ends in "-validate-before-install".
    condition     = length("${var.function_name_prefix}${var.app_name}-${var.environment}-validate-before-install") <= 64
    error_message = "The name \"${var.function_name_prefix}${var.app_name}-${var.environment}-validate-before-install\" has ${length("${var.function_name_prefix}${var.app_name}-${var.environment}-validate-before-install")} characters, Lambda and IAM allow 64. Shorten app_name (\"${var.app_name}\"), environment (\"${var.environment}\") or function_name_prefix (\"${var.function_name_prefix}\")."
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

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240 && floor(var.memory_size) == var.memory_size
    error_message = "memory_size is ${var.memory_size}; Lambda allows whole numbers from 128 to 10240 (MB)."
  }
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
  type = object({
    subnet_ids         = set(string)
    security_group_ids = set(string)
  })
  default = null

  validation {
    condition = (
      var.vpc_config == null ? true : length(var.vpc_config.subnet_ids) > 0 &&
      length(var.vpc_config.security_group_ids) > 0
    )
    error_message = "vpc_config has ${try(length(var.vpc_config.subnet_ids), 0)} subnet_ids and ${try(length(var.vpc_config.security_group_ids), 0)} security_group_ids; give at least one of each, or null for functions outside a VPC."
  }

  validation {
    condition = var.vpc_config == null ? true : alltrue([
      for id in var.vpc_config.subnet_ids : can(regex("^subnet-[0-9a-z]+$", id))
    ])
    error_message = "vpc_config.subnet_ids has ${join(", ", [
      for id in try(var.vpc_config.subnet_ids, []) : jsonencode(id)
      if !can(regex("^subnet-[0-9a-z]+$", id))
    ])}; expected ids such as \"subnet-0123456789abcdef0\"."
  }

  validation {
    condition = var.vpc_config == null ? true : alltrue([
      for id in var.vpc_config.security_group_ids : can(regex("^sg-[0-9a-z]+$", id))
    ])
    error_message = "vpc_config.security_group_ids has ${join(", ", [
      for id in try(var.vpc_config.security_group_ids, []) : jsonencode(id)
      if !can(regex("^sg-[0-9a-z]+$", id))
    ])}; expected ids such as \"sg-0123456789abcdef0\"."
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

variable "environment_variables" {
  description = "Further environment variables by hook, for custom handlers: `{ run_migrations = { TENANT = \"acme\" } }`"
  type        = map(map(string))
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([for hook in keys(var.environment_variables) : contains(local._lifecycle_order, hook)])
    error_message = "environment_variables has the key ${join(", ", [
      for hook in keys(var.environment_variables) : "\"${hook}\"" if !contains(local._lifecycle_order, hook)
    ])}; the keys are ${join(", ", local._lifecycle_order)}: environment_variables = { run_migrations = { TENANT = \"acme\" } }."
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
  description = "Further policy documents (JSON) by hook, for custom handlers: `{ run_migrations = data.aws_iam_policy_document.tenants.json }`"
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([for hook in keys(var.policy_documents) : contains(local._lifecycle_order, hook)])
    error_message = "policy_documents has the key ${join(", ", [
      for hook in keys(var.policy_documents) : "\"${hook}\"" if !contains(local._lifecycle_order, hook)
    ])}; the keys are ${join(", ", local._lifecycle_order)}: policy_documents = { run_migrations = data.aws_iam_policy_document.tenants.json }."
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
  description = "Further Lambda layers (version ARNs) by hook, for the libraries of custom handlers; at most four each"
  type        = map(list(string))
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([for hook in keys(var.layers) : contains(local._lifecycle_order, hook)])
    error_message = "layers has the key ${join(", ", [
      for hook in keys(var.layers) : "\"${hook}\"" if !contains(local._lifecycle_order, hook)
    ])}; the keys are ${join(", ", local._lifecycle_order)}: layers = { run_migrations = [aws_lambda_layer_version.drivers.arn] }."
  }

  validation {
    condition = alltrue([for hook, arns in var.layers : try(length(arns), 0) <= 4])
    error_message = "layers of ${join(", ", [
      for hook, arns in var.layers : "${hook} (${try(length(arns), 0)})"
      if try(length(arns), 0) > 4
    ])} are too many: Lambda allows five, one is the module's own."
  }

  validation {
    condition     = alltrue(flatten([for hook, arns in var.layers : [for arn in coalesce(arns, [null]) : can(regex(local._patterns.layer, arn))]]))
    error_message = "layers has ${join(", ", flatten([for hook, arns in var.layers : [for arn in coalesce(arns, [null]) : jsonencode(arn) if !can(regex(local._patterns.layer, arn))]]))}; expected the ARN of a layer's version, such as \"arn:aws:lambda:eu-west-1:111122223333:layer:drivers:3\"."
  }
}

variable "validate_before_install" {
  description = <<-EOT
    Options of the BeforeInstall hook.
    - `checks`: severity by [check](#checks-of-validate_before_install): `"fail"`, `"warn"` (report, but pass) or `"skip"`
  EOT
  type = object({
    checks = optional(map(string), {})
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([for severity in values(var.validate_before_install.checks) : contains(["fail", "warn", "skip"], coalesce(severity, "null"))])
    error_message = "validate_before_install.checks has ${join(", ", [
      for name, severity in var.validate_before_install.checks : "${name} = ${jsonencode(severity)}"
      if !contains(["fail", "warn", "skip"], coalesce(severity, "null"))
    ])}; a check's severity is \"fail\", \"warn\" or \"skip\"."
  }
}

variable "validate_deployment" {
  description = <<-EOT
    Options of the AfterInstall hook.
    - `checks`: severity by [check](#checks-of-validate_deployment): `"fail"` (default), `"warn"` (report, but pass) or `"skip"`
    - `expected_count`: number of tasks that must run at least; null (default): the task set's own desired count
    - `interval`: seconds between two looks; null (default): 1 to 3, so that there are at most 90 AWS calls a minute
    - `consecutive_successes`: good looks in a row that are needed (default 3)
  EOT
  type = object({
    checks                = optional(map(string), {})
    expected_count        = optional(number)
    interval              = optional(number)
    consecutive_successes = optional(number, 3)
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([for severity in values(var.validate_deployment.checks) : contains(["fail", "warn", "skip"], coalesce(severity, "null"))])
    error_message = "validate_deployment.checks has ${join(", ", [
      for name, severity in var.validate_deployment.checks : "${name} = ${jsonencode(severity)}"
      if !contains(["fail", "warn", "skip"], coalesce(severity, "null"))
    ])}; a check's severity is \"fail\", \"warn\" or \"skip\"."
  }

  validation {
    condition = (
      var.validate_deployment.expected_count == null ? true : var.validate_deployment.expected_count >= 1 &&
      floor(var.validate_deployment.expected_count) == var.validate_deployment.expected_count
    )
    error_message = "validate_deployment.expected_count is ${coalesce(var.validate_deployment.expected_count, 0)}; expected a whole number of tasks, 1 or more, or null for the task set's own count."
  }

  validation {
    condition = (
      var.validate_deployment.interval == null ? true : var.validate_deployment.interval > 0 && var.validate_deployment.interval <= 60
    )
    error_message = "validate_deployment.interval is ${coalesce(var.validate_deployment.interval, 0)}; expected seconds above 0, up to 60, or null for 1 to 3."
  }

  validation {
    condition = (
      var.validate_deployment.consecutive_successes >= 1 && var.validate_deployment.consecutive_successes <= 100 &&
      floor(var.validate_deployment.consecutive_successes) == var.validate_deployment.consecutive_successes
    )
    error_message = "validate_deployment.consecutive_successes is ${var.validate_deployment.consecutive_successes}; expected a whole number from 1 to 100."
  }
}

variable "validate_test_traffic" {
  description = <<-EOT
    Options of the AfterAllowTestTraffic hook.
    - `checks`: severity by check: `"fail"` (default), `"warn"` (report, but pass) or `"skip"`
    - `base_url`: where the test listener is reached; null (default): the load balancer's DNS name and the test listener's port
    - `host`: Host header and TLS server name of all requests (default: the name in the address), `headers`: headers of
      all requests (default none); a request's own `host` and `headers` come first
    - `http_checks`: HTTP checks by name; none (default): a GET of the target group's own health check path. Each:
      - `path`: path and query (default `"/"`), or `url`: a whole URL elsewhere (default none)
      - `method`: `"GET"` (default), `"HEAD"`, `"POST"`, `"PUT"`, `"PATCH"`, `"DELETE"` or `"OPTIONS"`
      - `host`: value of the Host header and TLS server name (default: the hook's); `headers`: further headers (default none)
      - `secret_headers`: header → ARN of the Secrets Manager secret or SSM parameter that holds its value (default none). A
        word may stand before it (`"Bearer arn:…"`); `":<json-key>"` after a secret's ARN takes one value of its JSON. Only
        the function reads it; a KMS key of your own needs `policy_documents` too. Not together with `follow_redirects`
      - `body`: request body, or `json`: request body as JSON text, sent as application/json (`jsonencode(…)`; default neither)
      - `timeout`: seconds for one request (default 5); `follow_redirects` (default false); `verify_tls` (default true)
      - `max_body`: bytes of the answer that are read (default 1000000)
      - `status`: accepted statuses: codes `"200"`, ranges `"200-399"`, classes `"2xx"` (default `["200-299"]`)
      - `body_contains`, `body_matches`, `fail_if_body_matches`: text, and regular expressions of Python (default none)
      - `response_headers`: header → expected value (default none)
      - `jmespath`: JMESPath expression, as in `aws --query` → what its value is compared with (default none), one at least of
        `equals`, `one_of` (a list of texts), `at_least`, `at_most`, `exists` (true or false) and `length`
      - `certificate_days`: the certificate is valid for at least so many days longer (default null: not looked at)
      - `max_latency_ms`: slowest answer that passes (default null: not looked at)
      - `initial_delay`: seconds before the first attempt (default 0), `interval`: between attempts (default 1)
      - `attempts`: tries before the check fails (default 3), `consecutive_successes`: good answers in a row that are needed
        (default 1), `consecutive_error_limit`: requests in a row without any answer after which it is given up (default 4)
      - `severity`: `"fail"` (default) or `"warn"`; the hook's `checks` comes first
      - `samples`: how often it is sent to be measured; null (default): the hook's `samples` for GET, HEAD and OPTIONS, not
        at all for other methods
    - `flows`: by name, requests one after the other; cookies are kept between them (default none). Each:
      - `severity`: `"fail"` (default) or `"warn"`; the hook's `checks` comes first
      - `steps`: one at least, each with the attributes of an HTTP check but `severity`, `samples` and `initial_delay`, with
        `attempts` 1 by default, and with:
        - `name`: what messages call it; null (default): `step 1`, …
        - `save`: name → JMESPath expression of the answer, or `"header:<name>"` (default none). Later steps use it as
          `{name}` in `path`, `url`, `headers`, `body`, `json`, `response_headers` and values of `jmespath`
        - `always`: true: sent even if an earlier step failed, for cleaning up (default false)
    - In values of `response_headers`, `equals` and `one_of`, `{image_tag}` stands for the tag of the new task definition's
      image and `{revision}` for its revision: proof that green answered, not blue
    - `samples`: requests of each HTTP check that error rate and latencies are computed from (default 100; 0: none),
      `concurrency`: at a time (default 4)
    - `thresholds`: highest `error_rate` of the samples (share from 0 to 1, default 0.01) and, in milliseconds, `p50_ms`,
      `p90_ms`, `p95_ms`, `max_ms` (default null: not looked at) and `p99_ms` (default 500)
    - `interval`: seconds between two looks while waiting for the test listener (default 2)
  EOT
  type = object({
    checks   = optional(map(string), {})
    base_url = optional(string)
    host     = optional(string)
    headers  = optional(map(string), {})
    http_checks = optional(map(object({
      path                 = optional(string, "/")
      url                  = optional(string)
      method               = optional(string, "GET")
      host                 = optional(string)
      headers              = optional(map(string), {})
      secret_headers       = optional(map(string), {})
      body                 = optional(string)
      json                 = optional(string)
      timeout              = optional(number, 5)
      follow_redirects     = optional(bool, false)
      verify_tls           = optional(bool, true)
      max_body             = optional(number, 1000000)
      status               = optional(list(string), ["200-299"])
      body_contains        = optional(string)
      body_matches         = optional(string)
      fail_if_body_matches = optional(string)
      response_headers     = optional(map(string), {})
      jmespath = optional(map(object({
        equals   = optional(string)
        one_of   = optional(list(string))
        at_least = optional(number)
        at_most  = optional(number)
        exists   = optional(bool)
        length   = optional(number)
      })), {})
      certificate_days        = optional(number)
      max_latency_ms          = optional(number)
      initial_delay           = optional(number, 0)
      interval                = optional(number, 1)
      attempts                = optional(number, 3)
      consecutive_successes   = optional(number, 1)
      consecutive_error_limit = optional(number, 4)
      severity                = optional(string, "fail")
      samples                 = optional(number)
    })), {})
    flows = optional(map(object({
      severity = optional(string, "fail")
      steps = list(object({
        path                 = optional(string, "/")
        url                  = optional(string)
        method               = optional(string, "GET")
        host                 = optional(string)
        headers              = optional(map(string), {})
        secret_headers       = optional(map(string), {})
        body                 = optional(string)
        json                 = optional(string)
        timeout              = optional(number, 5)
        follow_redirects     = optional(bool, false)
        verify_tls           = optional(bool, true)
        max_body             = optional(number, 1000000)
        status               = optional(list(string), ["200-299"])
        body_contains        = optional(string)
        body_matches         = optional(string)
        fail_if_body_matches = optional(string)
        response_headers     = optional(map(string), {})
        jmespath = optional(map(object({
          equals   = optional(string)
          one_of   = optional(list(string))
          at_least = optional(number)
          at_most  = optional(number)
          exists   = optional(bool)
          length   = optional(number)
        })), {})
        certificate_days        = optional(number)
        max_latency_ms          = optional(number)
        interval                = optional(number, 1)
        attempts                = optional(number, 1)
        consecutive_successes   = optional(number, 1)
        consecutive_error_limit = optional(number, 4)
        name                    = optional(string)
        save                    = optional(map(string), {})
        always                  = optional(bool, false)
      }))
    })), {})
    samples     = optional(number, 100)
    concurrency = optional(number, 4)
    thresholds = optional(object({
      error_rate = optional(number, 0.01)
      p50_ms     = optional(number)
      p90_ms     = optional(number)
      p95_ms     = optional(number)
      p99_ms     = optional(number, 500)
      max_ms     = optional(number)
    }), {})
    interval = optional(number, 2)
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([for severity in values(var.validate_test_traffic.checks) : contains(["fail", "warn", "skip"], coalesce(severity, "null"))])
    error_message = "validate_test_traffic.checks has ${join(", ", [
      for name, severity in var.validate_test_traffic.checks : "${name} = ${jsonencode(severity)}"
      if !contains(["fail", "warn", "skip"], coalesce(severity, "null"))
    ])}; a check's severity is \"fail\", \"warn\" or \"skip\"."
  }

  validation {
    condition     = var.validate_test_traffic.base_url == null ? true : can(regex("^https?://[^/?# ]+(/[^?# ]*)?$", var.validate_test_traffic.base_url))
    error_message = "validate_test_traffic.base_url is \"${coalesce(var.validate_test_traffic.base_url, "null")}\"; expected an address such as \"https://test.example.com:8443\", or null for the load balancer's own."
  }

  validation {
    condition = (
      var.validate_test_traffic.samples >= 0 && var.validate_test_traffic.samples <= 10000 &&
      floor(var.validate_test_traffic.samples) == var.validate_test_traffic.samples
    )
    error_message = "validate_test_traffic.samples is ${var.validate_test_traffic.samples}; expected a whole number from 0 to 10000."
  }

  validation {
    condition = (
      var.validate_test_traffic.concurrency >= 1 && var.validate_test_traffic.concurrency <= 64 &&
      floor(var.validate_test_traffic.concurrency) == var.validate_test_traffic.concurrency
    )
    error_message = "validate_test_traffic.concurrency is ${var.validate_test_traffic.concurrency}; expected a whole number from 1 to 64."
  }

  validation {
    condition     = var.validate_test_traffic.thresholds.error_rate >= 0 && var.validate_test_traffic.thresholds.error_rate <= 1
    error_message = "validate_test_traffic.thresholds.error_rate is ${var.validate_test_traffic.thresholds.error_rate}; expected a share from 0 to 1 (0.01 is one in a hundred)."
  }

  validation {
    condition = alltrue([
      for name in local._latencies : var.validate_test_traffic.thresholds[name] == null ? true : var.validate_test_traffic.thresholds[name] > 0
    ])
    error_message = "validate_test_traffic.thresholds has ${join(", ", [
      for name in local._latencies : "${name} = ${var.validate_test_traffic.thresholds[name]}"
      if var.validate_test_traffic.thresholds[name] == null ? false : var.validate_test_traffic.thresholds[name] <= 0
    ])}; expected milliseconds above 0."
  }

  validation {
    condition     = var.validate_test_traffic.interval > 0 && var.validate_test_traffic.interval <= 60
    error_message = "validate_test_traffic.interval is ${var.validate_test_traffic.interval}; expected seconds above 0, up to 60."
  }
}

variable "run_migrations" {
  description = <<-EOT
    Options of the BeforeAllowTraffic hook: one-off ECS tasks from the new task definition. Without `command` and `preset` the hook passes and says so.
    - `checks`: severity by check: `"fail"` (default), `"warn"` (report, but pass) or `"skip"`
    - `preset`: `"alembic"` or `"django"`: sets `command`, `verify_schema_command` and `rollback_command` where they are
      null; it looks first at which revision the database is, to go back there. Null (default): none
    - `command`: the migration, as words: `["alembic", "upgrade", "head"]`; null (default): that of `preset`, or no migrations
    - `verify_schema_command`, `verify_data_command`: commands that must exit 0 afterwards
    - `rollback_command`: command for a failure after a change, run with the new image
    - `container`: container to run them in; null (default): the only one of the task definition, or else the AppSpec's
    - `environment`: further environment variables of the container. They are no place for secrets: those come from the task
      definition
    - `cpu` (units, 1024 are one vCPU) and `memory` (MiB) of the tasks; null (default): as the task definition says
    - `subnets`, `security_groups`, `assign_public_ip` (true or false): the tasks' network; null (default): the service's
    - `launch`: launch type (`"FARGATE"`, `"EC2"` or `"EXTERNAL"`) or a capacity provider's name (such as `"FARGATE_SPOT"`);
      null (default): as the service's tasks
    - `lock_timeout`, `statement_timeout`: seconds after which PostgreSQL gives up waiting for a lock, or a statement; they
      reach libpq (psycopg, not asyncpg) through `PGOPTIONS`. Null (default): not set
    - `timeout`: seconds that one command may take; null (default): what `max_duration` leaves
    - `max_duration`: seconds for all of it, 60 to 3300 (default 3000; CodeDeploy gives a hook one hour). What does not fit
      one invocation of the function is handed over to a fresh one, up to four times
    - `concurrent`: what a migration of another deployment that still runs means: `"wait"` for its end (default) or `"fail"`
    - `retry_interrupted`: start a command once more that a spot interruption ended in the middle (default false). One that
      had not started is always started again
    - `log_lines`: last lines of the container's log in the message (default 20)
    - `interval`: seconds between two looks at the task (default 2)
    - `on_rollback_deployment`: what to do when the deployment is itself a rollback: `"skip"` (default) or `"run"`
    - `pass_role_arns`: roles of the task definition (task role, execution role) that the function may pass; null (default): any of the account
  EOT
  type = object({
    checks                 = optional(map(string), {})
    preset                 = optional(string)
    command                = optional(list(string))
    verify_schema_command  = optional(list(string))
    verify_data_command    = optional(list(string))
    rollback_command       = optional(list(string))
    container              = optional(string)
    environment            = optional(map(string), {})
    cpu                    = optional(number)
    memory                 = optional(number)
    subnets                = optional(list(string))
    security_groups        = optional(list(string))
    assign_public_ip       = optional(bool)
    launch                 = optional(string)
    lock_timeout           = optional(number)
    statement_timeout      = optional(number)
    timeout                = optional(number)
    max_duration           = optional(number, 3000)
    concurrent             = optional(string, "wait")
    retry_interrupted      = optional(bool, false)
    log_lines              = optional(number, 20)
    interval               = optional(number, 2)
    on_rollback_deployment = optional(string, "skip")
    pass_role_arns         = optional(list(string))
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([for severity in values(var.run_migrations.checks) : contains(["fail", "warn", "skip"], coalesce(severity, "null"))])
    error_message = "run_migrations.checks has ${join(", ", [
      for name, severity in var.run_migrations.checks : "${name} = ${jsonencode(severity)}"
      if !contains(["fail", "warn", "skip"], coalesce(severity, "null"))
    ])}; a check's severity is \"fail\", \"warn\" or \"skip\"."
  }

  validation {
    condition     = var.run_migrations.preset == null ? true : contains(["alembic", "django"], var.run_migrations.preset)
    error_message = "run_migrations.preset is ${jsonencode(var.run_migrations.preset)}; expected \"alembic\" or \"django\", or null. For another tool set command and those that follow it."
  }

  validation {
    condition = alltrue([
      for option in local._commands : var.run_migrations[option] == null ? true : (
        length(var.run_migrations[option]) > 0 && !contains(var.run_migrations[option], "")
      )
    ])
    error_message = "run_migrations has ${join(", ", [
      for option in local._commands : "${option} = ${jsonencode(var.run_migrations[option])}"
      if var.run_migrations[option] == null ? false : length(var.run_migrations[option]) == 0 || contains(var.run_migrations[option], "")
    ])}; expected words, such as [\"alembic\", \"upgrade\", \"head\"], or null for none."
  }

  validation {
    condition = (
      var.run_migrations.command != null || var.run_migrations.preset != null ||
      alltrue([for option in local._commands : var.run_migrations[option] == null])
    )
    error_message = "run_migrations has ${join(", ", [
      for option in local._commands : option
      if var.run_migrations[option] != null
    ])} without command and preset: nothing would run. Set command too, or preset."
  }

  validation {
    condition     = var.run_migrations.container == null ? true : can(regex("^[A-Za-z0-9_-]{1,255}$", var.run_migrations.container))
    error_message = "run_migrations.container is \"${coalesce(var.run_migrations.container, "null")}\"; expected a container's name in the task definition (up to 255 letters, digits, hyphens and underscores)."
  }

  validation {
    condition = (
      var.run_migrations.cpu == null ? true : var.run_migrations.cpu >= 128 && var.run_migrations.cpu <= 16384 &&
      floor(var.run_migrations.cpu) == var.run_migrations.cpu
    )
    error_message = "run_migrations.cpu is ${coalesce(var.run_migrations.cpu, 0)}; expected a whole number of CPU units (1024 are one vCPU) from 128 to 16384, or null for what the task definition says."
  }

  validation {
    condition = (
      var.run_migrations.memory == null ? true : var.run_migrations.memory >= 128 && var.run_migrations.memory <= 122880 &&
      floor(var.run_migrations.memory) == var.run_migrations.memory
    )
    error_message = "run_migrations.memory is ${coalesce(var.run_migrations.memory, 0)}; expected a whole number of MiB from 128 to 122880, or null for what the task definition says."
  }

  validation {
    condition = (
      var.run_migrations.subnets == null ? true : length(var.run_migrations.subnets) > 0 && length(var.run_migrations.subnets) <= 16 &&
      alltrue([for id in var.run_migrations.subnets : can(regex("^subnet-[0-9a-z]+$", id))])
    )
    error_message = "run_migrations.subnets is ${jsonencode(var.run_migrations.subnets)}; expected 1 to 16 ids such as \"subnet-0123456789abcdef0\", or null for the service's own."
  }

  validation {
    condition = (
      var.run_migrations.security_groups == null ? true : length(var.run_migrations.security_groups) > 0 && length(var.run_migrations.security_groups) <= 5 &&
      alltrue([for id in var.run_migrations.security_groups : can(regex("^sg-[0-9a-z]+$", id))])
    )
    error_message = "run_migrations.security_groups is ${jsonencode(var.run_migrations.security_groups)}; expected 1 to 5 ids such as \"sg-0123456789abcdef0\", or null for the service's own."
  }

  validation {
    # ECS keeps names that begin with aws, ecs or fargate for itself: another one is a typing mistake.
    condition = var.run_migrations.launch == null ? true : (
      can(regex("^FARGATE(_SPOT)?$", var.run_migrations.launch)) ||
      can(regex("^[A-Za-z0-9_-]{1,255}$", var.run_migrations.launch)) && !can(regex("(?i)^(aws|ecs|fargate)", var.run_migrations.launch))
    )
    error_message = "run_migrations.launch is ${jsonencode(var.run_migrations.launch)}; expected \"FARGATE\", \"EC2\" or \"EXTERNAL\", or a capacity provider: \"FARGATE_SPOT\", or the name of one of your own (up to 255 letters, digits, hyphens and underscores), or null for the service's."
  }

  validation {
    condition = alltrue([
      for name in ["lock_timeout", "statement_timeout"] : var.run_migrations[name] == null ? true : (
        var.run_migrations[name] >= 0.001 && var.run_migrations[name] <= 3000
      )
    ])
    error_message = "run_migrations has ${join(", ", [
      for name in ["lock_timeout", "statement_timeout"] : "${name} = ${var.run_migrations[name]}"
      if var.run_migrations[name] == null ? false : var.run_migrations[name] < 0.001 || var.run_migrations[name] > 3000
    ])}; expected seconds from 0.001 to 3000, or null for no such limit."
  }

  validation {
    condition = (
      var.run_migrations.timeout == null ? true : var.run_migrations.timeout > 0 &&
      var.run_migrations.timeout <= var.run_migrations.max_duration - 60
    )
    error_message = "run_migrations.timeout is ${coalesce(var.run_migrations.timeout, 0)}; expected seconds above 0, up to ${var.run_migrations.max_duration - 60} (max_duration less 60 for stopping the task and the report), or null. Shorten it, or raise max_duration (at most 3300)."
  }

  validation {
    condition     = var.run_migrations.max_duration >= 60 && var.run_migrations.max_duration <= 3300
    error_message = "run_migrations.max_duration is ${var.run_migrations.max_duration}; expected 60 to 3300 seconds: CodeDeploy gives a hook one hour."
  }

  validation {
    condition     = contains(["wait", "fail"], var.run_migrations.concurrent)
    error_message = "run_migrations.concurrent is \"${var.run_migrations.concurrent}\"; expected \"wait\" or \"fail\"."
  }

  validation {
    condition = (
      var.run_migrations.log_lines >= 0 && var.run_migrations.log_lines <= 1000 &&
      floor(var.run_migrations.log_lines) == var.run_migrations.log_lines
    )
    error_message = "run_migrations.log_lines is ${var.run_migrations.log_lines}; expected a whole number from 0 to 1000."
  }

  validation {
    condition     = var.run_migrations.interval > 0 && var.run_migrations.interval <= 60
    error_message = "run_migrations.interval is ${var.run_migrations.interval}; expected seconds above 0, up to 60."
  }

  validation {
    condition     = contains(["skip", "run"], var.run_migrations.on_rollback_deployment)
    error_message = "run_migrations.on_rollback_deployment is \"${var.run_migrations.on_rollback_deployment}\"; expected \"skip\" or \"run\"."
  }

  validation {
    condition = (
      var.run_migrations.pass_role_arns == null ? true : length(var.run_migrations.pass_role_arns) > 0 &&
      alltrue([for arn in var.run_migrations.pass_role_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/.+$", arn))])
    )
    error_message = "run_migrations.pass_role_arns is ${jsonencode(var.run_migrations.pass_role_arns)}; expected roles' ARNs such as \"arn:aws:iam::111122223333:role/web-task\", at least one, or null for any role of the account."
  }
}

variable "validate_production" {
  description = <<-EOT
    Options of the AfterAllowTraffic hook. The alarms of the deployment group are always expected not to be in ALARM.
    - `checks`: severity by check: `"fail"` (default), `"warn"` (report, but pass) or `"skip"`
    - `initial_delay`: seconds to settle before the first look (default 60)
    - `duration`: seconds of the bake (default 300), `interval`: seconds between two looks (default 15)
    - `max_duration`: seconds for all of it, 60 to 3300 (default 3000; CodeDeploy gives a hook one hour): `initial_delay`,
      `duration`, the load's `duration` and `warm_up`, and 120 more. What does not fit one invocation of the function is
      handed over to a fresh one, up to four times
    - `alarms`: further CloudWatch alarms by name → expected state `"OK"`, `"ALARM"` or `"INSUFFICIENT_DATA"` (default none)
    - `insufficient_data`: what an alarm without enough data means: `"pass"` or `"fail"`; null (default): an alarm named in
      `alarms` has its state, one of the deployment group is just not in ALARM
    - `missing_alarms`: verdict on an alarm that does not exist: `"fail"` (default) or `"pass"`
    - `thresholds`: for the load balancer's metrics and the samples: highest `error_rate` (share from 0 to 1, default 0.01)
      and, in milliseconds, `p50_ms`, `p90_ms`, `p95_ms`, `max_ms` (default null: not looked at), `p99_ms` (default 500);
      `unhealthy_hosts` (default 0), `rejected_connections` (default null); the service's `cpu_percent`, `memory_percent`
      (default null)
    - `baseline`: how much worse than blue before the shift green may be: `max_worse_percent` (default 50), `tolerance`: share
      of a difference that counts as none (0 to 1, default 0.25), `confidence` of the test that tells a difference from
      chance (0.5 to 0.9999, default 0.98), `noise_ms`: milliseconds that no latency's difference is taken for (default 50)
    - `no_data`: verdict when the load balancer has no metrics, for want of traffic: `"pass"` (default, said so) or `"fail"`
    - `metrics_delay`: seconds that CloudWatch may be late (default 180); only after it an absence of data counts, and so long
      after the window its last minutes are waited for
    - `metrics`: further CloudWatch metrics by name. Each:
      - `namespace`, `metric_name`: of the metric; `dimensions`: its dimensions (default none); `{target_group}` and
        `{load_balancer}` in them stand for green's
      - `statistic`: `"Average"` (default), `"Sum"`, `"Minimum"`, `"Maximum"`, `"SampleCount"` or a percentile such as `"p99"`
      - `period`: seconds of one datapoint (default 60)
      - `expression`: CloudWatch metric math, in place of `metric_name`, over `queries`: metrics by name, each with
        `namespace`, `metric_name`, `dimensions`, `statistic` and `period` as above
      - `threshold_range`: bounds `min` and `max` (default null) of each datapoint
      - `max_worse_percent`: how much worse than before the shift (default null: not compared), `direction`: which way is
        worse: `"increase"` (default), `"decrease"` or `"either"`. One of `min`, `max` and `max_worse_percent` is needed
      - `min_datapoints`: fewer count as no data (default 1); `no_data`: `"fail"` (default) or `"pass"`
      - `failure_limit`: datapoints out of bounds that are tolerated (default 0)
    - `host`: Host header and TLS server name of all requests (default: the name in the address), `headers`: headers of
      all requests (default none); a request's own `host` and `headers` come first
    - `http_checks`: HTTP checks by name; none (default): a GET of the target group's own health check path. Each:
      - `path`: path and query (default `"/"`), or `url`: a whole URL elsewhere (default none)
      - `method`: `"GET"` (default), `"HEAD"`, `"POST"`, `"PUT"`, `"PATCH"`, `"DELETE"` or `"OPTIONS"`
      - `host`: value of the Host header and TLS server name (default: the hook's); `headers`: further headers (default none)
      - `secret_headers`: header → ARN of the Secrets Manager secret or SSM parameter that holds its value (default none). A
        word may stand before it (`"Bearer arn:…"`); `":<json-key>"` after a secret's ARN takes one value of its JSON. Only
        the function reads it; a KMS key of your own needs `policy_documents` too. Not together with `follow_redirects`
      - `body`: request body, or `json`: request body as JSON text, sent as application/json (`jsonencode(…)`; default neither)
      - `timeout`: seconds for one request (default 5); `follow_redirects` (default false); `verify_tls` (default true)
      - `max_body`: bytes of the answer that are read (default 1000000)
      - `status`: accepted statuses: codes `"200"`, ranges `"200-399"`, classes `"2xx"` (default `["200-299"]`)
      - `body_contains`, `body_matches`, `fail_if_body_matches`: text, and regular expressions of Python (default none)
      - `response_headers`: header → expected value (default none)
      - `jmespath`: JMESPath expression, as in `aws --query` → what its value is compared with (default none), one at least of
        `equals`, `one_of` (a list of texts), `at_least`, `at_most`, `exists` (true or false) and `length`
      - `certificate_days`: the certificate is valid for at least so many days longer (default null: not looked at)
      - `max_latency_ms`: slowest answer that passes (default null: not looked at)
      - `initial_delay`: seconds before the first attempt (default 0), `interval`: between attempts (default 1)
      - `attempts`: tries before the check fails (default 3), `consecutive_successes`: good answers in a row that are needed
        (default 1), `consecutive_error_limit`: requests in a row without any answer after which it is given up (default 4)
      - `severity`: `"fail"` (default) or `"warn"`; the hook's `checks` comes first
      - `samples`: how often it is sent to be measured; null (default): the hook's `samples` for GET, HEAD and OPTIONS, not
        at all for other methods
    - `flows`: by name, requests one after the other; cookies are kept between them (default none). Each:
      - `severity`: `"fail"` (default) or `"warn"`; the hook's `checks` comes first
      - `steps`: one at least, each with the attributes of an HTTP check but `severity`, `samples` and `initial_delay`, with
        `attempts` 1 by default, and with:
        - `name`: what messages call it; null (default): `step 1`, …
        - `save`: name → JMESPath expression of the answer, or `"header:<name>"` (default none). Later steps use it as
          `{name}` in `path`, `url`, `headers`, `body`, `json`, `response_headers` and values of `jmespath`
        - `always`: true: sent even if an earlier step failed, for cleaning up (default false)
    - In values of `response_headers`, `equals` and `one_of`, `{image_tag}` stands for the tag of the new task definition's
      image and `{revision}` for its revision: proof that green answered, not blue
    - `samples`: requests of each HTTP check that error rate and latencies are computed from (default 100; 0: none),
      `concurrency`: at a time (default 4)
    - `load`: a bounded load on the production listener; null (default): none. `rate` (requests a second), `duration`
      (seconds, up to 600), `path` (default `"/"`), `host` (default: the hook's), `headers` (default none), `warm_up`: seconds
      before that do not count (default 0), `concurrency` (default 16), `timeout` of one request (default 5), `status` (default
      `["200-399"]`), highest `error_rate` (default 0.01), `p50_ms`, `p90_ms`, `p95_ms`, `max_ms` (default null), `p99_ms`
      (default 500)
  EOT
  type = object({
    checks            = optional(map(string), {})
    initial_delay     = optional(number, 60)
    duration          = optional(number, 300)
    interval          = optional(number, 15)
    max_duration      = optional(number, 3000)
    alarms            = optional(map(string), {})
    insufficient_data = optional(string)
    missing_alarms    = optional(string, "fail")
    thresholds = optional(object({
      error_rate           = optional(number, 0.01)
      p50_ms               = optional(number)
      p90_ms               = optional(number)
      p95_ms               = optional(number)
      p99_ms               = optional(number, 500)
      max_ms               = optional(number)
      unhealthy_hosts      = optional(number, 0)
      rejected_connections = optional(number)
      cpu_percent          = optional(number)
      memory_percent       = optional(number)
    }), {})
    baseline = optional(object({
      max_worse_percent = optional(number, 50)
      tolerance         = optional(number, 0.25)
      confidence        = optional(number, 0.98)
      noise_ms          = optional(number, 50)
    }), {})
    no_data       = optional(string, "pass")
    metrics_delay = optional(number, 180)
    metrics = optional(map(object({
      namespace   = optional(string)
      metric_name = optional(string)
      dimensions  = optional(map(string), {})
      statistic   = optional(string, "Average")
      period      = optional(number, 60)
      expression  = optional(string)
      queries = optional(map(object({
        namespace   = string
        metric_name = string
        dimensions  = optional(map(string), {})
        statistic   = optional(string, "Average")
        period      = optional(number, 60)
      })), {})
      threshold_range = optional(object({
        min = optional(number)
        max = optional(number)
      }), {})
      min_datapoints    = optional(number, 1)
      failure_limit     = optional(number, 0)
      no_data           = optional(string, "fail")
      max_worse_percent = optional(number)
      direction         = optional(string, "increase")
    })), {})
    host    = optional(string)
    headers = optional(map(string), {})
    http_checks = optional(map(object({
      path                 = optional(string, "/")
      url                  = optional(string)
      method               = optional(string, "GET")
      host                 = optional(string)
      headers              = optional(map(string), {})
      secret_headers       = optional(map(string), {})
      body                 = optional(string)
      json                 = optional(string)
      timeout              = optional(number, 5)
      follow_redirects     = optional(bool, false)
      verify_tls           = optional(bool, true)
      max_body             = optional(number, 1000000)
      status               = optional(list(string), ["200-299"])
      body_contains        = optional(string)
      body_matches         = optional(string)
      fail_if_body_matches = optional(string)
      response_headers     = optional(map(string), {})
      jmespath = optional(map(object({
        equals   = optional(string)
        one_of   = optional(list(string))
        at_least = optional(number)
        at_most  = optional(number)
        exists   = optional(bool)
        length   = optional(number)
      })), {})
      certificate_days        = optional(number)
      max_latency_ms          = optional(number)
      initial_delay           = optional(number, 0)
      interval                = optional(number, 1)
      attempts                = optional(number, 3)
      consecutive_successes   = optional(number, 1)
      consecutive_error_limit = optional(number, 4)
      severity                = optional(string, "fail")
      samples                 = optional(number)
    })), {})
    flows = optional(map(object({
      severity = optional(string, "fail")
      steps = list(object({
        path                 = optional(string, "/")
        url                  = optional(string)
        method               = optional(string, "GET")
        host                 = optional(string)
        headers              = optional(map(string), {})
        secret_headers       = optional(map(string), {})
        body                 = optional(string)
        json                 = optional(string)
        timeout              = optional(number, 5)
        follow_redirects     = optional(bool, false)
        verify_tls           = optional(bool, true)
        max_body             = optional(number, 1000000)
        status               = optional(list(string), ["200-299"])
        body_contains        = optional(string)
        body_matches         = optional(string)
        fail_if_body_matches = optional(string)
        response_headers     = optional(map(string), {})
        jmespath = optional(map(object({
          equals   = optional(string)
          one_of   = optional(list(string))
          at_least = optional(number)
          at_most  = optional(number)
          exists   = optional(bool)
          length   = optional(number)
        })), {})
        certificate_days        = optional(number)
        max_latency_ms          = optional(number)
        interval                = optional(number, 1)
        attempts                = optional(number, 1)
        consecutive_successes   = optional(number, 1)
        consecutive_error_limit = optional(number, 4)
        name                    = optional(string)
        save                    = optional(map(string), {})
        always                  = optional(bool, false)
      }))
    })), {})
    samples     = optional(number, 100)
    concurrency = optional(number, 4)
    load = optional(object({
      rate        = number
      duration    = number
      path        = optional(string, "/")
      host        = optional(string)
      headers     = optional(map(string), {})
      warm_up     = optional(number, 0)
      concurrency = optional(number, 16)
      timeout     = optional(number, 5)
      status      = optional(list(string), ["200-399"])
      error_rate  = optional(number, 0.01)
      p50_ms      = optional(number)
      p90_ms      = optional(number)
      p95_ms      = optional(number)
      p99_ms      = optional(number, 500)
      max_ms      = optional(number)
    }))
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([for severity in values(var.validate_production.checks) : contains(["fail", "warn", "skip"], coalesce(severity, "null"))])
    error_message = "validate_production.checks has ${join(", ", [
      for name, severity in var.validate_production.checks : "${name} = ${jsonencode(severity)}"
      if !contains(["fail", "warn", "skip"], coalesce(severity, "null"))
    ])}; a check's severity is \"fail\", \"warn\" or \"skip\"."
  }

  validation {
    condition     = var.validate_production.initial_delay >= 0 && var.validate_production.duration >= 0
    error_message = "validate_production.initial_delay is ${var.validate_production.initial_delay} and duration is ${var.validate_production.duration}; expected seconds, 0 or more."
  }

  validation {
    condition     = var.validate_production.interval > 0 && var.validate_production.interval <= 300
    error_message = "validate_production.interval is ${var.validate_production.interval}; expected seconds above 0, up to 300."
  }

  validation {
    condition     = var.validate_production.max_duration >= 60 && var.validate_production.max_duration <= 3300
    error_message = "validate_production.max_duration is ${var.validate_production.max_duration}; expected 60 to 3300 seconds: CodeDeploy gives a hook one hour."
  }

  validation {
    condition = (
      sum(concat(
        [max(var.validate_production.initial_delay + var.validate_production.duration, length(var.validate_production.metrics) == 0 ? 0 : var.validate_production.metrics_delay)],
        try([var.validate_production.load.duration, var.validate_production.load.warm_up], []),
      )) + 120
      <= min(var.validate_production.max_duration, (var.timeout - 30) * 5)
    )
    error_message = "validate_production takes initial_delay ${var.validate_production.initial_delay} + duration ${var.validate_production.duration} (with metrics metrics_delay ${var.validate_production.metrics_delay} at least) + load.duration ${try(var.validate_production.load.duration, 0)} + load.warm_up ${try(var.validate_production.load.warm_up, 0)} seconds, and 120 for the other checks and the report; max_duration allows ${var.validate_production.max_duration}, five invocations with timeout ${var.timeout}, less 30 each for a report, ${(var.timeout - 30) * 5}. Shorten them to ${max(0, min(var.validate_production.max_duration, (var.timeout - 30) * 5) - 120)} together, or raise max_duration (at most 3300) or timeout (at most 900)."
  }

  validation {
    condition = alltrue([
      for state in values(var.validate_production.alarms) : contains(["OK", "ALARM", "INSUFFICIENT_DATA"], coalesce(state, "null"))
    ])
    error_message = "validate_production.alarms has ${join(", ", [
      for name, state in var.validate_production.alarms : "${name} = ${jsonencode(state)}"
      if !contains(["OK", "ALARM", "INSUFFICIENT_DATA"], coalesce(state, "null"))
    ])}; an alarm's state is \"OK\", \"ALARM\" or \"INSUFFICIENT_DATA\"."
  }

  validation {
    condition     = var.validate_production.insufficient_data == null ? true : contains(["pass", "fail"], var.validate_production.insufficient_data)
    error_message = "validate_production.insufficient_data is ${jsonencode(var.validate_production.insufficient_data)}; expected \"pass\" or \"fail\", or null."
  }

  validation {
    condition     = contains(["pass", "fail"], var.validate_production.missing_alarms)
    error_message = "validate_production.missing_alarms is \"${var.validate_production.missing_alarms}\"; expected \"pass\" or \"fail\"."
  }

  validation {
    condition     = contains(["pass", "fail"], var.validate_production.no_data)
    error_message = "validate_production.no_data is \"${var.validate_production.no_data}\"; expected \"pass\" or \"fail\"."
  }

  validation {
    condition     = var.validate_production.metrics_delay >= 0 && var.validate_production.metrics_delay <= 600
    error_message = "validate_production.metrics_delay is ${var.validate_production.metrics_delay}; expected 0 to 600 seconds."
  }

  validation {
    condition = alltrue([for name in keys(var.validate_production.metrics) : can(regex(local._patterns.name, name))])
    error_message = "validate_production.metrics has the name ${join(", ", [
      for name in keys(var.validate_production.metrics) : jsonencode(name) if !can(regex(local._patterns.name, name))
    ])}; a name has up to 64 printable characters, no spaces and no colons."
  }

  validation {
    condition = alltrue([for name, metric in var.validate_production.metrics : (metric.metric_name == null) != (metric.expression == null)])
    error_message = "validate_production.metrics: ${join(", ", [
      for name, metric in var.validate_production.metrics : "${name} has metric_name ${jsonencode(metric.metric_name)} and expression ${jsonencode(metric.expression)}"
      if !((metric.metric_name == null) != (metric.expression == null))
    ])}; expected one of them: metric_name with namespace, or expression with queries."
  }

  validation {
    condition = alltrue([for name, metric in var.validate_production.metrics : (metric.metric_name == null) == (metric.namespace == null) && (metric.expression == null) == (length(metric.queries) == 0)])
    error_message = "validate_production.metrics: ${join(", ", [
      for name, metric in var.validate_production.metrics : "${name} has namespace ${jsonencode(metric.namespace)} and ${length(metric.queries)} queries"
      if !((metric.metric_name == null) == (metric.namespace == null) && (metric.expression == null) == (length(metric.queries) == 0))
    ])}; namespace goes with metric_name, queries go with expression: set what is missing, leave out what is left over."
  }

  validation {
    condition = alltrue([for name, metric in var.validate_production.metrics : alltrue([for each in concat([metric], values(metric.queries)) : each.namespace != "" && each.metric_name != "" && length(each.dimensions) <= 30])])
    error_message = "validate_production.metrics: ${join(", ", [
      for name, metric in var.validate_production.metrics : "${name} has ${join(", ", [for each in concat([metric], values(metric.queries)) : "namespace ${jsonencode(each.namespace)}, metric_name ${jsonencode(each.metric_name)}, ${length(each.dimensions)} dimensions"])}"
      if !(alltrue([for each in concat([metric], values(metric.queries)) : each.namespace != "" && each.metric_name != "" && length(each.dimensions) <= 30]))
    ])}; a metric has a namespace, a name and at most 30 dimensions."
  }

  validation {
    condition = alltrue([for name, metric in var.validate_production.metrics : alltrue([for each in concat([metric], values(metric.queries)) : can(regex(local._patterns.statistic, each.statistic))])])
    error_message = "validate_production.metrics: ${join(", ", [
      for name, metric in var.validate_production.metrics : "${name} has statistic ${jsonencode([for each in concat([metric], values(metric.queries)) : each.statistic])}"
      if !(alltrue([for each in concat([metric], values(metric.queries)) : can(regex(local._patterns.statistic, each.statistic))]))
    ])}; expected \"Average\", \"Sum\", \"Minimum\", \"Maximum\", \"SampleCount\" or a percentile such as \"p99\" or \"p99.9\"."
  }

  validation {
    condition = alltrue([for name, metric in var.validate_production.metrics : alltrue([
      for each in concat([metric], values(metric.queries)) : contains([1, 5, 10, 20, 30], each.period) || (each.period >= 60 && each.period <= 86400 && each.period % 60 == 0)
    ])])
    error_message = "validate_production.metrics: ${join(", ", [
      for name, metric in var.validate_production.metrics : "${name} has period ${jsonencode([for each in concat([metric], values(metric.queries)) : each.period])}"
      if !(alltrue([
        for each in concat([metric], values(metric.queries)) : contains([1, 5, 10, 20, 30], each.period) || (each.period >= 60 && each.period <= 86400 && each.period % 60 == 0)
      ]))
    ])}; CloudWatch knows 1, 5, 10, 20, 30 and multiples of 60 seconds up to a day."
  }

  validation {
    condition = alltrue([for name, metric in var.validate_production.metrics : alltrue([for id in keys(metric.queries) : can(regex("^[a-z][A-Za-z0-9_]*$", id))])])
    error_message = "validate_production.metrics: ${join(", ", [
      for name, metric in var.validate_production.metrics : "${name} has the queries ${join(", ", keys(metric.queries))}"
      if !(alltrue([for id in keys(metric.queries) : can(regex("^[a-z][A-Za-z0-9_]*$", id))]))
    ])}; a query's name begins with a small letter, letters, digits and underscores follow."
  }

  validation {
    condition = alltrue([for name, metric in var.validate_production.metrics : metric.threshold_range.min != null || metric.threshold_range.max != null || metric.max_worse_percent != null])
    error_message = "validate_production.metrics: ${join(", ", [
      for name, metric in var.validate_production.metrics : "${name} has no threshold_range.min, no threshold_range.max and no max_worse_percent"
      if !(metric.threshold_range.min != null || metric.threshold_range.max != null || metric.max_worse_percent != null)
    ])}; nothing would be compared: set one of them."
  }

  validation {
    condition = alltrue([for name, metric in var.validate_production.metrics : metric.threshold_range.min == null || metric.threshold_range.max == null ? true : metric.threshold_range.min <= metric.threshold_range.max])
    error_message = "validate_production.metrics: ${join(", ", [
      for name, metric in var.validate_production.metrics : "${name} has threshold_range.min ${jsonencode(metric.threshold_range.min)} and max ${jsonencode(metric.threshold_range.max)}"
      if !(metric.threshold_range.min == null || metric.threshold_range.max == null ? true : metric.threshold_range.min <= metric.threshold_range.max)
    ])}; no value can lie between them."
  }

  validation {
    condition = alltrue([for name, metric in var.validate_production.metrics : metric.max_worse_percent == null ? true : metric.max_worse_percent >= 0])
    error_message = "validate_production.metrics: ${join(", ", [
      for name, metric in var.validate_production.metrics : "${name} has max_worse_percent ${jsonencode(metric.max_worse_percent)}"
      if !(metric.max_worse_percent == null ? true : metric.max_worse_percent >= 0)
    ])}; expected percent, 0 or more, or null."
  }

  validation {
    condition = alltrue([for name, metric in var.validate_production.metrics : contains(["increase", "decrease", "either"], metric.direction)])
    error_message = "validate_production.metrics: ${join(", ", [
      for name, metric in var.validate_production.metrics : "${name} has direction \"${metric.direction}\""
      if !(contains(["increase", "decrease", "either"], metric.direction))
    ])}; expected \"increase\", \"decrease\" or \"either\"."
  }

  validation {
    condition = alltrue([for name, metric in var.validate_production.metrics : contains(["pass", "fail"], metric.no_data)])
    error_message = "validate_production.metrics: ${join(", ", [
      for name, metric in var.validate_production.metrics : "${name} has no_data \"${metric.no_data}\""
      if !(contains(["pass", "fail"], metric.no_data))
    ])}; expected \"pass\" or \"fail\"."
  }

  validation {
    condition = alltrue([for name, metric in var.validate_production.metrics : metric.failure_limit >= 0 && floor(metric.failure_limit) == metric.failure_limit])
    error_message = "validate_production.metrics: ${join(", ", [
      for name, metric in var.validate_production.metrics : "${name} has failure_limit ${metric.failure_limit}"
      if !(metric.failure_limit >= 0 && floor(metric.failure_limit) == metric.failure_limit)
    ])}; expected a whole number of datapoints, 0 or more."
  }

  validation {
    condition = alltrue([for name, metric in var.validate_production.metrics : metric.min_datapoints >= 1 && floor(metric.min_datapoints) == metric.min_datapoints])
    error_message = "validate_production.metrics: ${join(", ", [
      for name, metric in var.validate_production.metrics : "${name} has min_datapoints ${metric.min_datapoints}"
      if !(metric.min_datapoints >= 1 && floor(metric.min_datapoints) == metric.min_datapoints)
    ])}; expected a whole number of datapoints, 1 or more."
  }

  validation {
    condition = (
      var.validate_production.samples >= 0 && var.validate_production.samples <= 10000 &&
      floor(var.validate_production.samples) == var.validate_production.samples
    )
    error_message = "validate_production.samples is ${var.validate_production.samples}; expected a whole number from 0 to 10000."
  }

  validation {
    condition = (
      var.validate_production.concurrency >= 1 && var.validate_production.concurrency <= 64 &&
      floor(var.validate_production.concurrency) == var.validate_production.concurrency
    )
    error_message = "validate_production.concurrency is ${var.validate_production.concurrency}; expected a whole number from 1 to 64."
  }

  validation {
    condition     = var.validate_production.thresholds.error_rate >= 0 && var.validate_production.thresholds.error_rate <= 1
    error_message = "validate_production.thresholds.error_rate is ${var.validate_production.thresholds.error_rate}; expected a share from 0 to 1 (0.01 is one in a hundred)."
  }

  validation {
    condition = alltrue([
      for name in local._latencies : var.validate_production.thresholds[name] == null ? true : var.validate_production.thresholds[name] > 0
    ])
    error_message = "validate_production.thresholds has ${join(", ", [
      for name in local._latencies : "${name} = ${var.validate_production.thresholds[name]}"
      if var.validate_production.thresholds[name] == null ? false : var.validate_production.thresholds[name] <= 0
    ])}; expected milliseconds above 0."
  }

  validation {
    condition = alltrue([
      for name in ["unhealthy_hosts", "rejected_connections"] :
      var.validate_production.thresholds[name] == null ? true : var.validate_production.thresholds[name] >= 0
    ])
    error_message = "validate_production.thresholds has ${join(", ", [
      for name in ["unhealthy_hosts", "rejected_connections"] : "${name} = ${var.validate_production.thresholds[name]}"
      if var.validate_production.thresholds[name] == null ? false : var.validate_production.thresholds[name] < 0
    ])}; expected 0 or more."
  }

  validation {
    condition = alltrue([
      for name in ["cpu_percent", "memory_percent"] :
      var.validate_production.thresholds[name] == null ? true : var.validate_production.thresholds[name] > 0
    ])
    error_message = "validate_production.thresholds has ${join(", ", [
      for name in ["cpu_percent", "memory_percent"] : "${name} = ${var.validate_production.thresholds[name]}"
      if var.validate_production.thresholds[name] == null ? false : var.validate_production.thresholds[name] <= 0
    ])}; expected percent above 0, or null."
  }

  validation {
    condition = alltrue([
      for name in ["max_worse_percent", "noise_ms"] : var.validate_production.baseline[name] >= 0
    ])
    error_message = "validate_production.baseline has ${join(", ", [
      for name in ["max_worse_percent", "noise_ms"] : "${name} = ${var.validate_production.baseline[name]}"
      if var.validate_production.baseline[name] < 0
    ])}; expected 0 or more."
  }

  validation {
    condition = (
      var.validate_production.baseline.tolerance >= 0 && var.validate_production.baseline.tolerance <= 1 &&
      var.validate_production.baseline.confidence >= 0.5 && var.validate_production.baseline.confidence <= 0.9999
    )
    error_message = "validate_production.baseline has tolerance ${var.validate_production.baseline.tolerance} and confidence ${var.validate_production.baseline.confidence}; expected a tolerance from 0 to 1 and a confidence from 0.5 to 0.9999."
  }

  validation {
    condition = (
      var.validate_production.load == null ? true : var.validate_production.load.rate >= 0.001 && var.validate_production.load.rate <= 10000 &&
      var.validate_production.load.duration > 0 && var.validate_production.load.duration <= 600 &&
      var.validate_production.load.warm_up >= 0 && var.validate_production.load.warm_up <= 300
    )
    error_message = "validate_production.load has rate ${try(var.validate_production.load.rate, 0)}, duration ${try(var.validate_production.load.duration, 0)} and warm_up ${try(var.validate_production.load.warm_up, 0)}; expected a rate from 0.001 to 10000 requests a second, a duration above 0, up to 600 seconds, and a warm_up of 0 to 300 seconds."
  }

  validation {
    condition     = var.validate_production.load == null ? true : var.validate_production.load.warm_up + var.validate_production.load.duration <= var.timeout - 60
    error_message = "validate_production.load has warm_up ${try(var.validate_production.load.warm_up, 0)} and duration ${try(var.validate_production.load.duration, 0)}; a load is not interrupted, so both fit one invocation: ${var.timeout - 60} seconds with timeout ${var.timeout}. Shorten them, or raise timeout (at most 900)."
  }

  validation {
    condition     = var.validate_production.load == null ? true : floor(var.validate_production.load.rate * var.validate_production.load.duration) >= 1
    error_message = "validate_production.load has rate ${try(var.validate_production.load.rate, 0)} and duration ${try(var.validate_production.load.duration, 0)}: less than one request. Raise one of them."
  }

  validation {
    condition = (
      var.validate_production.load == null ? true : var.validate_production.load.concurrency >= 1 &&
      var.validate_production.load.concurrency <= 256 &&
      floor(var.validate_production.load.concurrency) == var.validate_production.load.concurrency
    )
    error_message = "validate_production.load.concurrency is ${try(var.validate_production.load.concurrency, 0)}; expected a whole number from 1 to 256."
  }

  validation {
    condition = (
      var.validate_production.load == null ? true : var.validate_production.load.error_rate >= 0 &&
      var.validate_production.load.error_rate <= 1
    )
    error_message = "validate_production.load.error_rate is ${try(var.validate_production.load.error_rate, 0)}; expected a share from 0 to 1 (0.01 is one in a hundred)."
  }

  validation {
    condition = alltrue([for name in local._latencies : try(var.validate_production.load[name] > 0, true)])
    error_message = "validate_production.load has ${join(", ", [
      for name in local._latencies : "${name} = ${try(var.validate_production.load[name], 0)}" if !try(var.validate_production.load[name] > 0, true)
    ])}; expected milliseconds above 0."
  }
}
