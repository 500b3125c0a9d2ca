data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {
  lifecycle {
    # ARNs and policies are written for aws_region, resources are created in the provider's region.
    postcondition {
      condition     = self.id == var.aws_region
      error_message = "aws_region is \"${var.aws_region}\", but the aws provider given to this module works in \"${self.id}\". Set aws_region to the provider's region, or pass the provider of that region with `providers = { aws = aws.<alias> }`."
    }
  }
}

locals {
  _name_prefix = "${var.function_name_prefix}${var.app_name}-${var.environment}-"

  # The five hooks: a row for each, in the order of the deployment. The keys are the names of the
  # handlers in lambdas/ and of the packages in dist/. `settings` reaches the handler as HOOK_SETTINGS.
  _hooks = {
    validate_before_install = {
      event       = "BeforeInstall"
      description = "Validates what a deployment needs before its task set is created."
      settings    = local._validate_before_install
    }
    validate_deployment = {
      event       = "AfterInstall"
      description = "Validates the tasks of the new task set."
      settings    = local._validate_deployment
    }
    validate_test_traffic = {
      event       = "AfterAllowTestTraffic"
      description = "Validates the new task set through the test listener."
      settings    = local._validate_test_traffic
    }
    run_migrations = {
      event       = "BeforeAllowTraffic"
      description = "Runs database migrations before production traffic is routed."
      settings    = local._run_migrations
    }
    validate_production = {
      event       = "AfterAllowTraffic"
      description = "Validates the new task set under production traffic."
      settings    = local._validate_production
    }
  }

  # A map has no order: this is the order in which CodeDeploy calls the hooks.
  _lifecycle_order = [
    "validate_before_install", "validate_deployment", "validate_test_traffic", "run_migrations", "validate_production",
  ]

  # Environment variables that are not the user's: this module's own five, and those that Lambda refuses at apply.
  _reserved_names = [
    "APP_NAME", "ENVIRONMENT", "ECS_CLUSTER", "ECS_SERVICE", "HOOK_SETTINGS", "_HANDLER", "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
  ]

  # For the validations in variables.tf.
  _commands = ["command", "verify_schema_command", "verify_data_command", "rollback_command"]
  _patterns = {
    header    = "^[A-Za-z0-9!#$%&'*+.^_|~-]+$"
    layer     = "^arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+$"
    statistic = "^(Average|Sum|Minimum|Maximum|SampleCount|p([0-9]{1,2}(\\.[0-9]+)?|100))$"
    status    = "^([1-5][0-9][0-9]|[1-5]xx|[1-5][0-9][0-9]-[1-5][0-9][0-9])$"
  }

  _function_names  = { for hook in local._lifecycle_order : hook => "${local._name_prefix}${replace(hook, "_", "-")}" }
  _log_group_names = { for hook, name in local._function_names : hook => "/aws/lambda/${name}" }

  _environments = {
    for hook, row in local._hooks : hook => merge(lookup(var.environment_variables, hook, {}), {
      APP_NAME      = var.app_name
      ENVIRONMENT   = var.environment
      ECS_CLUSTER   = var.ecs_cluster_name
      ECS_SERVICE   = var.ecs_service_name
      HOOK_SETTINGS = jsonencode(row.settings)
    })
  }

  # Lambda measures the environment as JSON, in bytes ("String measured: {…}" in its refusal).
  # Terraform counts characters, so the bytes are counted in base64: three in four characters.
  _environment_sizes = {
    for hook, variables in { for hook, variables in local._environments : hook => base64encode(jsonencode(variables)) } :
    hook => nonsensitive(length(variables) / 4 * 3 - length(regexall("=", variables)))
  }
}

# Null means "the handler's default" and is left out of HOOK_SETTINGS, which has 4 KB to fit in.
locals {
  _validate_before_install = {
    # A test listener that no test goes through may be missing: then the preflight only says so.
    checks = merge(
      var.validate_test_traffic.base_url != null || lookup(var.validate_test_traffic.checks, "test_listener", "fail") != "fail"
      ? { test_listener = "warn" } : {},
      var.validate_before_install.checks,
    )
  }
  _validate_deployment = { for key, value in var.validate_deployment : key => value if value != null }
  _run_migrations = {
    for key, value in var.run_migrations : key => value if value != null && key != "pass_role_arns"
  }

  _validate_test_traffic = {
    for key, value in merge(var.validate_test_traffic, {
      thresholds  = { for k, v in var.validate_test_traffic.thresholds : k => v if v != null }
      http_checks = local._http_checks.validate_test_traffic
    }) : key => value if value != null
  }

  _validate_production = {
    for key, value in merge(var.validate_production, {
      thresholds  = { for k, v in var.validate_production.thresholds : k => v if v != null }
      http_checks = local._http_checks.validate_production
      metrics = {
        for name, metric in var.validate_production.metrics : name => { for k, v in metric : k => v if v != null }
      }
      load = var.validate_production.load == null ? null : {
        for k, v in var.validate_production.load : k => v if v != null
      }
    }) : key => value if value != null
  }

  _http_checks = {
    for hook, checks in {
      validate_test_traffic = var.validate_test_traffic.http_checks
      validate_production   = var.validate_production.http_checks
    } : hook => length(checks) == 0 ? null : { for name, check in checks : name => { for k, v in check : k => v if v != null } }
  }
}

# A typing mistake in `checks` would pass unnoticed: nothing would be left out, or made to fail. It is a warning and no
# refusal, since a handler of one's own may have other checks.
locals {
  _checks = {
    validate_before_install = [
      "cluster", "service", "deployment_controller", "desired_count", "running_count", "service_steady",
      "left_over_task_sets", "blue_targets", "appspec", "task_definition", "container_port", "network_mode",
      "launch_type", "cpu_memory", "platform_version", "cpu_architecture", "images", "image_tag_mutable",
      "execution_role", "task_role", "secrets", "parameters", "log_groups", "volumes", "target_groups",
      "target_groups_alike", "target_group_vpc", "target_group_port", "health_check", "health_check_matcher",
      "production_listener", "test_listener", "load_balancer", "availability_zones", "production_weights",
      "test_weights", "listener_rules", "traffic_routing", "free_addresses", "security_groups", "auto_scaling",
      "alarms", "auto_rollback", "hook_functions", "hook_roles", "service_role",
    ]
    validate_deployment = [
      "green", "task_start", "crash_loop", "task_count", "tasks_running", "container_health", "image_digest",
      "green_targets", "steady",
    ]
  }
  _unknown_checks = flatten([
    for hook, checks in {
      validate_before_install = var.validate_before_install.checks
      validate_deployment     = var.validate_deployment.checks
    } : [for name in keys(checks) : "${hook}.checks.${name}" if !contains(local._checks[hook], split(":", name)[0])]
  ])
}

check "names_of_checks" {
  assert {
    condition     = length(local._unknown_checks) == 0
    error_message = "No check of the module has this name: ${join(", ", local._unknown_checks)}. The names are in README.md; if it is not a check of your own handler, mend the name."
  }
}

# The packages are committed, so that a plan needs neither Python nor a network. A handler changed
# without its package would be deployed in its old state, silently: compared here, refused below.
locals {
  _manifest = jsondecode(file("${path.module}/dist/manifest.json"))

  # Written by "make package": the SHA-256 of each source and of each package built from them.
  _packaged = merge(local._manifest.sources, local._manifest.packages)
  _found = {
    for name in setunion(
      fileset(path.module, "lambdas/**/*.py"), fileset(path.module, "lambdas/requirements.txt"), fileset(path.module, "dist/*.zip"),
    ) : name => filesha256("${path.module}/${name}")
  }
  _unpackaged = sort([
    for name in setunion(keys(local._packaged), keys(local._found)) : name
    if lookup(local._packaged, name, "missing") != lookup(local._found, name, "missing")
  ])
}

resource "aws_cloudwatch_log_group" "hook" {
  for_each = local._function_names

  name              = local._log_group_names[each.key]
  retention_in_days = var.log_retention
  kms_key_id        = var.kms_key_arn

  tags = var.tags
}

resource "aws_lambda_layer_version" "libraries" {
  layer_name          = "${local._name_prefix}libraries"
  description         = "requests and PyYAML, pure Python, as pinned in lambdas/requirements.txt."
  filename            = "${path.module}/dist/layer.zip"
  source_code_hash    = filebase64sha256("${path.module}/dist/layer.zip")
  compatible_runtimes = ["python3.9", "python3.10", "python3.11", "python3.12", "python3.13"]

  lifecycle {
    # The functions move to the new version before the old one goes.
    create_before_destroy = true
  }
}

resource "aws_lambda_function" "hook" {
  for_each = local._hooks

  function_name = local._function_names[each.key]
  description   = "${each.value.event}: ${each.value.description}"
  role          = aws_iam_role.hook[each.key].arn

  filename         = "${path.module}/dist/${each.key}.zip"
  source_code_hash = filebase64sha256("${path.module}/dist/${each.key}.zip")
  handler          = "${each.key}.handler"
  runtime          = var.runtime
  architectures    = [var.architecture]
  layers           = concat([aws_lambda_layer_version.libraries.arn], lookup(var.layers, each.key, []))
  memory_size      = var.memory_size
  timeout          = var.timeout
  kms_key_arn      = var.kms_key_arn

  environment {
    variables = local._environments[each.key]
  }

  logging_config {
    log_format            = "JSON"
    application_log_level = "INFO"
    system_log_level      = "INFO"
    log_group             = aws_cloudwatch_log_group.hook[each.key].name
  }

  dynamic "vpc_config" {
    for_each = var.vpc_config[*]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  tags = var.tags

  # Lambda refuses a function in a VPC whose role may not create its network interfaces.
  depends_on = [aws_iam_role_policy.hook, aws_iam_role_policy.custom]

  lifecycle {
    precondition {
      condition     = length(local._unpackaged) == 0
      error_message = "dist/ is not what the sources build: ${join(", ", local._unpackaged)}. Run \"make package\" and commit dist/."
    }

    precondition {
      condition     = local._environment_sizes[each.key] <= 4096
      error_message = "The environment of ${each.key} takes ${local._environment_sizes[each.key]} bytes, Lambda allows 4096. Shorten the options of ${each.key} (fewer or smaller http_checks, metrics or commands) or its environment_variables."
    }
  }
}

resource "aws_lambda_function_event_invoke_config" "hook" {
  for_each = aws_lambda_function.hook

  function_name = each.value.function_name
  # CodeDeploy gives a hook one hour. An event held back longer (no concurrency left, say) belongs to a
  # deployment that has ended: without this limit Lambda would still run its migrations, up to six hours on.
  maximum_event_age_in_seconds = 3600
  maximum_retry_attempts       = 2
}
