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

# What is typed is seen whole here (the variables are `any`), and refused where it is no option; then it gets its types,
# defaults and bounds. Both modules are written by "make options" from lambdas/gate/options.py.
module "given" {
  source = "./modules/options/given"

  validate_before_install = var.validate_before_install
  validate_deployment     = var.validate_deployment
  validate_test_traffic   = var.validate_test_traffic
  run_migrations          = var.run_migrations
  validate_production     = var.validate_production
}

module "options" {
  source = "./modules/options"

  validate_before_install = module.given.validate_before_install
  validate_deployment     = module.given.validate_deployment
  validate_test_traffic   = module.given.validate_test_traffic
  run_migrations          = module.given.run_migrations
  validate_production     = module.given.validate_production
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
  _package_hashes = { for hook in local._lifecycle_order : hook => filebase64sha256("${path.module}/dist/${hook}.zip") }
}

# Names in `checks`. The packages' manifest has those that a handler declares, one's own too: `http:{http_checks}` stands
# for one of each key of that option, `alarms:{alarm}`, which is none, for whatever begins like it ("alarms:*").
locals {
  _names = {
    for hook in local._lifecycle_order : hook => flatten([
      for name in local._manifest.checks[hook] : [
        for key in try(local._keys[hook][regex("{([^}]+)}", name)[0]], ["*"]) : replace(name, "/{[^}]+}/", replace(key, "$", "$$"))
      ]
    ])
  }
  _keys = {
    for hook in local._lifecycle_order : hook => {
      for option in nonsensitive(keys(module.options[hook])) : option =>
      concat(option == "http_checks" ? ["health"] : [], try(nonsensitive(keys(module.options[hook][option])), ["*"]))
    }
  }
  _unknown_names = {
    for hook in local._lifecycle_order : hook => [
      for name in nonsensitive(keys(module.options[hook].checks)) : name if !contains(local._names[hook], name) && !anytrue([
        for known in local._names[hook] : endswith(known, "*") && startswith(name, trimsuffix(known, "*"))
      ])
    ]
  }
}

# What a function is told. Short settings stay readable in the console; long ones are packed, since 4 KB have to hold the
# whole environment: 1500 bytes are 2000 characters of base64. Unpacked JSON begins with "{", which base64 never does.
locals {
  _settings = {
    for hook, text in {
      for hook in local._lifecycle_order : hook => jsonencode(merge(
        module.options[hook],
        { schema = module.options.schemas[hook], in_vpc = var.vpc_config != null },
        var.allow_overrides ? {} : { overrides = "forbid" },
        # Held against what runs.
        hook == "validate_before_install" ? { packages = local._package_hashes } : {},
      ))
    } : hook => length(base64encode(text)) > 2000 ? base64gzip(text) : text
  }

  _environments = {
    for hook in local._lifecycle_order : hook => merge(lookup(var.environment_variables, hook, {}), {
      APP_NAME      = var.app_name
      ENVIRONMENT   = var.environment
      ECS_CLUSTER   = var.ecs_cluster_name
      ECS_SERVICE   = var.ecs_service_name
      HOOK_SETTINGS = local._settings[hook]
    })
  }

  # Environment variables that are not the user's: this module's own five, and those that Lambda refuses at apply.
  _reserved_names = [
    "APP_NAME", "ENVIRONMENT", "ECS_CLUSTER", "ECS_SERVICE", "HOOK_SETTINGS", "_HANDLER", "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
  ]

  # Lambda measures the environment as JSON, in bytes ("String measured: {…}" in its refusal).
  # Terraform counts characters, so the bytes are counted in base64: three in four characters.
  _environment_sizes = {
    for hook, variables in { for hook, variables in local._environments : hook => base64encode(jsonencode(variables)) } :
    hook => nonsensitive(length(variables) / 4 * 3 - length(regexall("=", variables)))
  }
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
  source_code_hash = local._package_hashes[each.key]
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
      condition     = length(local._unknown_names[each.key]) == 0
      error_message = "${each.key}.checks has ${join(", ", local._unknown_names[each.key])}, which is the name of no check; there are ${join(", ", [for name in local._manifest.checks[each.key] : name if !strcontains(name, ":")])}, and those that docs/checks.md has below them. A handler of your own declares its names; \"make package\" writes them down."
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
