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
  # The five hooks: a row for each. The keys are the names of the handlers in lambdas/ and of the packages in dist/.
  _hooks = {
    validate_before_install = {
      event       = "BeforeInstall"
      description = "Validates what a deployment needs before its task set is created."
    }
    validate_deployment = {
      event       = "AfterInstall"
      description = "Validates the tasks of the new task set."
    }
    validate_test_traffic = {
      event       = "AfterAllowTestTraffic"
      description = "Validates the new task set through the test listener."
    }
    run_migrations = {
      event       = "BeforeAllowTraffic"
      description = "Runs database migrations before production traffic is routed."
    }
    validate_production = {
      event       = "AfterAllowTraffic"
      description = "Validates the new task set under production traffic."
    }
  }

  # A map has no order: this is the order in which CodeDeploy calls the hooks.
  _lifecycle_order = [
    "validate_before_install", "validate_deployment", "validate_test_traffic", "run_migrations", "validate_production",
  ]
}

# Names. Lambda and IAM allow 64 characters, and the longest of the five ends in "-validate-before-install": what comes
# before it is shortened in the middle where it has more than 40, the same way each time.
locals {
  _whole_stem = "${var.function_name_prefix}${var.app_name}-${var.environment}"
  _stem = length(local._whole_stem) <= 40 ? local._whole_stem : join("-", [
    trimsuffix(substr(local._whole_stem, 0, 22), "-"),
    substr(sha256(local._whole_stem), 0, 6),
    trimprefix(substr(local._whole_stem, -10, -1), "-"),
  ])
  _function_names  = { for hook in local._lifecycle_order : hook => "${local._stem}-${replace(hook, "_", "-")}" }
  _log_group_names = { for hook, name in local._function_names : hook => "/aws/lambda/${name}" }
}

# Where ECS invokes the hooks, refused where it cannot work.
module "lifecycle_hooks" {
  source = "./modules/lifecycle_hooks"

  hooks           = local._lifecycle_order
  callers         = var.callers
  lifecycle_hooks = var.lifecycle_hooks
}

# What custom handlers bring, refused where it cannot work.
module "custom" {
  source = "./modules/custom"

  hooks                 = local._lifecycle_order
  region                = var.aws_region
  environment_variables = var.environment_variables
  policy_documents      = var.policy_documents
  layers                = var.layers
}

# The verdicts where people look.
module "visibility" {
  source = "./modules/visibility"

  name             = local._stem
  functions        = [for hook in local._lifecycle_order : { hook = hook, name = local._function_names[hook], arn = local._own_functions[hook], log_group = local._log_group_names[hook] }]
  in_vpc           = var.vpc_config != null
  timeout          = var.timeout
  tags             = var.tags
  send_events      = var.send_events
  event_bus        = var.event_bus
  notifications    = var.notifications
  create_dashboard = var.create_dashboard
  alarm_actions    = var.alarm_actions
}

resource "aws_cloudwatch_log_group" "hook" {
  #checkov:skip=CKV_AWS_338:How long logs are kept is the user's choice (log_retention); a year is no more than a default.
  for_each = local._function_names

  name              = local._log_group_names[each.key]
  retention_in_days = var.log_retention
  kms_key_id        = var.kms_key_arn

  tags = var.tags
}

resource "aws_lambda_layer_version" "libraries" {
  layer_name          = "${local._stem}-libraries"
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
  #checkov:skip=CKV_AWS_50:The functions bring no X-Ray SDK; each line of the JSON log has the deployment's and the request's id.
  #checkov:skip=CKV_AWS_115:A limit per function takes from the account's pool, and one that is exhausted would hold a deployment up.
  #checkov:skip=CKV_AWS_116:What a hook could not do it reports to CodeDeploy; an event kept for later belongs to a deployment that has ended.
  #checkov:skip=CKV_AWS_272:The packages are in this repository and Terraform compares their hashes at each plan; a signing profile is the user's.
  for_each = local._function_names

  function_name = each.value
  description   = "${local._hooks[each.key].event}: ${local._hooks[each.key].description}"
  role          = aws_iam_role.hook[each.key].arn

  filename         = "${path.module}/dist/${each.key}.zip"
  source_code_hash = module.packages.hashes[each.key]
  handler          = "${each.key}.handler"
  runtime          = var.runtime
  architectures    = [var.architecture]
  layers           = concat([aws_lambda_layer_version.libraries.arn], lookup(module.custom.layers, each.key, []))
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
      condition     = length(module.packages.unpackaged) == 0
      error_message = "dist/ is not what the sources build: ${join(", ", module.packages.unpackaged)}. Run \"make package\" and commit dist/."
    }

    precondition {
      condition     = length(local._unknown_names[each.key]) == 0
      error_message = "${each.key}.checks has ${join(", ", local._unknown_names[each.key])}, which is the name of no check; there are ${join(", ", [for name in module.packages.checks[each.key] : name if !strcontains(name, ":")])}, and those that docs/checks.md has below them. A handler of your own declares its names; \"make package\" writes them down."
    }

    precondition {
      condition     = !contains(var.callers, "codedeploy") || nonsensitive(try(module.options[each.key].max_duration, 0) <= 3300)
      error_message = "${each.key}.max_duration is above 3300, and CodeDeploy, which is one of the callers, gives a hook one hour: shorten it, or let ECS alone call the functions."
    }

    precondition {
      condition     = local._environment_sizes[each.key] <= 4096
      error_message = "The environment of ${each.key} takes ${local._environment_sizes[each.key]} bytes, Lambda allows 4096. Shorten the options of ${each.key} (fewer or smaller http_checks, flows, metrics or commands) or its environment_variables."
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
