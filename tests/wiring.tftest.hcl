# What is created and how it hangs together, with a provider that only pretends: nothing here is AWS's answer.

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { id = "eu-west-1" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Statement\":[]}" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/mock" }
  }

  mock_resource "aws_lambda_layer_version" {
    defaults = { arn = "arn:aws:lambda:eu-west-1:111122223333:layer:mock:1" }
  }

  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:mock" }
  }
}

variables {
  app_name         = "orders"
  environment      = "staging"
  aws_region       = "eu-west-1"
  ecs_cluster_name = "main"
  ecs_service_name = "web"
}

run "seven_inputs" {
  command = apply

  variables {
    log_retention = 14
    tags          = { Team = "checkout" }
  }

  assert {
    condition = { for hook, function in aws_lambda_function.hook : hook => function.function_name } == {
      validate_before_install = "CodeDeployHook_orders-staging-validate-before-install"
      validate_deployment     = "CodeDeployHook_orders-staging-validate-deployment"
      validate_test_traffic   = "CodeDeployHook_orders-staging-validate-test-traffic"
      run_migrations          = "CodeDeployHook_orders-staging-run-migrations"
      validate_production     = "CodeDeployHook_orders-staging-validate-production"
    }
    error_message = "Function names: ${jsonencode([for function in aws_lambda_function.hook : function.function_name])}"
  }

  assert {
    condition = alltrue([
      for hook, function in aws_lambda_function.hook :
      function.handler == "${hook}.handler" && endswith(function.filename, "dist/${hook}.zip") &&
      function.source_code_hash == filebase64sha256("dist/${hook}.zip")
    ])
    error_message = "A function does not run the package of its own name."
  }

  assert {
    condition = alltrue([
      for function in aws_lambda_function.hook :
      function.timeout == 900 && function.runtime == "python3.13" && function.memory_size == 512 &&
      function.architectures == tolist(["x86_64"]) && function.kms_key_arn == null && length(function.vpc_config) == 0
    ])
    error_message = "A function's defaults are not those of the description."
  }

  assert {
    condition     = alltrue([for function in aws_lambda_function.hook : function.layers == tolist([aws_lambda_layer_version.libraries.arn])])
    error_message = "A function lacks the layer."
  }

  assert {
    condition = alltrue([
      for hook, function in aws_lambda_function.hook :
      function.role == aws_iam_role.hook[hook].arn && aws_iam_role.hook[hook].name == function.function_name &&
      aws_iam_role_policy.hook[hook].role == aws_iam_role.hook[hook].name
    ])
    error_message = "A function, its role and its policy do not belong together."
  }

  assert {
    condition = alltrue([
      for hook, group in aws_cloudwatch_log_group.hook :
      group.name == "/aws/lambda/${aws_lambda_function.hook[hook].function_name}" && group.retention_in_days == 14 &&
      aws_lambda_function.hook[hook].logging_config[0].log_group == group.name &&
      aws_lambda_function.hook[hook].logging_config[0].log_format == "JSON"
    ])
    error_message = "A function does not log as JSON into its own group, kept for log_retention days."
  }

  assert {
    condition = alltrue(concat(
      [for each in aws_lambda_function.hook : each.tags == tomap({ Team = "checkout" })],
      [for each in aws_iam_role.hook : each.tags == tomap({ Team = "checkout" })],
      [for each in aws_cloudwatch_log_group.hook : each.tags == tomap({ Team = "checkout" })],
    ))
    error_message = "A resource lacks the tags."
  }

  assert {
    condition = alltrue([
      for function in aws_lambda_function.hook :
      toset(keys(function.environment[0].variables)) == toset(["APP_NAME", "ENVIRONMENT", "ECS_CLUSTER", "ECS_SERVICE", "HOOK_SETTINGS"]) &&
      function.environment[0].variables.APP_NAME == "orders" && function.environment[0].variables.ENVIRONMENT == "staging" &&
      function.environment[0].variables.ECS_CLUSTER == "main" && function.environment[0].variables.ECS_SERVICE == "web"
    ])
    error_message = "A function's environment is not the five variables of the contract."
  }

  assert {
    condition = alltrue([
      for hook, config in aws_lambda_function_event_invoke_config.hook :
      config.function_name == aws_lambda_function.hook[hook].function_name &&
      config.maximum_event_age_in_seconds == 3600 && config.maximum_retry_attempts == 2
    ])
    error_message = "An event may outlive its deployment's hour."
  }

  assert {
    condition     = strcontains(file("lambdas/gate/__init__.py"), "VERSION = \"${output.module_version}\"")
    error_message = "module_version is ${output.module_version}, not what lambdas/gate/ has."
  }

  assert {
    condition     = length(aws_iam_role_policy.custom) == 0
    error_message = "A custom policy was made of nothing."
  }

  assert {
    condition = [
      output.validate_before_install_arn, output.validate_deployment_arn, output.validate_test_traffic_arn,
      output.run_migrations_arn, output.validate_production_arn,
      ] == [for hook in [
        "validate_before_install", "validate_deployment", "validate_test_traffic", "run_migrations", "validate_production",
    ] : aws_lambda_function.hook[hook].arn]
    error_message = "An ARN output is not that of its function."
  }

  assert {
    condition = yamldecode(output.appspec_hooks) == {
      Hooks = [
        { BeforeInstall = output.validate_before_install_arn },
        { AfterInstall = output.validate_deployment_arn },
        { AfterAllowTestTraffic = output.validate_test_traffic_arn },
        { BeforeAllowTraffic = output.run_migrations_arn },
        { AfterAllowTraffic = output.validate_production_arn },
      ]
    }
    error_message = "appspec_hooks is ${output.appspec_hooks}"
  }

  assert {
    condition = alltrue([
      for hook in keys(aws_lambda_function.hook) :
      output.function_names[hook] == aws_lambda_function.hook[hook].function_name &&
      output.role_names[hook] == aws_iam_role.hook[hook].name && output.role_arns[hook] == aws_iam_role.hook[hook].arn &&
      output.log_group_names[hook] == aws_cloudwatch_log_group.hook[hook].name
    ])
    error_message = "A map of outputs does not name its hook's own resources."
  }

  # The options as they are, defaults and nulls too, and beside them which options the module knows.
  assert {
    condition = alltrue([
      for hook in keys(aws_lambda_function.hook) :
      jsondecode(aws_lambda_function.hook[hook].environment[0].variables.HOOK_SETTINGS) == jsondecode(jsonencode(merge(
        module.options[hook], { schema = module.options.schemas[hook], in_vpc = false, event_bus = "default" },
        hook == "validate_before_install" ? { packages = module.packages.hashes } : {},
      )))
    ])
    error_message = "A function is not told the options of its hook."
  }

  assert {
    condition = (
      jsondecode(aws_lambda_function.hook["validate_production"].environment[0].variables.HOOK_SETTINGS).baseline == { max_worse_percent = 50, tolerance = 0.25, confidence = 0.98, noise_ms = 50 } &&
      jsondecode(aws_lambda_function.hook["validate_production"].environment[0].variables.HOOK_SETTINGS).load == null && jsondecode(aws_lambda_function.hook["validate_before_install"].environment[0].variables.HOOK_SETTINGS).packages.run_migrations == aws_lambda_function.hook["run_migrations"].source_code_hash
    )
    error_message = "HOOK_SETTINGS of validate_production: ${aws_lambda_function.hook["validate_production"].environment[0].variables.HOOK_SETTINGS}"
  }
}

run "every_input" {
  command = apply

  variables {
    runtime              = "python3.9"
    architecture         = "arm64"
    memory_size          = 1024
    timeout              = 600
    log_retention        = 0
    function_name_prefix = "hooks_"
    kms_key_arn          = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    permissions_boundary = "arn:aws:iam::111122223333:policy/boundary"
    role_path            = "/deployment/hooks/"

    vpc_config = {
      subnet_ids         = ["subnet-0a", "subnet-0b"]
      security_group_ids = ["sg-0a"]
    }

    environment_variables = { run_migrations = { TENANT = "acme" } }
    policy_documents      = { run_migrations = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
    layers                = { run_migrations = ["arn:aws:lambda:eu-west-1:111122223333:layer:drivers:3"] }

    validate_test_traffic = {
      checks      = { test_listener = "warn" }
      http_checks = { health = { path = "/health", jmespath = { "checks.database" = { equals = "ok" } } } }
      thresholds  = { error_rate = 0, p95_ms = 200, p99_ms = 800 }
    }

    run_migrations = {
      preset                 = "alembic"
      command                = ["alembic", "upgrade", "head"]
      verify_schema_command  = ["alembic", "current", "--check-heads"]
      verify_data_command    = ["check"]
      rollback_command       = ["alembic", "downgrade", "-1"]
      container              = "app"
      environment            = { TENANT = "acme" }
      cpu                    = 512
      memory                 = 1024
      subnets                = ["subnet-0a", "subnet-0b"]
      security_groups        = ["sg-0a"]
      assign_public_ip       = false
      launch                 = "FARGATE_SPOT"
      lock_timeout           = 2.5
      statement_timeout      = 60
      timeout                = 1200
      max_duration           = 3300
      concurrent             = "fail"
      retry_interrupted      = true
      log_lines              = 0
      interval               = 0.5
      on_rollback_deployment = "run"
      pass_role_arns         = ["arn:aws:iam::111122223333:role/task"]
    }

    validate_production = {
      metrics = {
        queue = { namespace = "AWS/SQS", metric_name = "ApproximateNumberOfMessagesVisible", threshold_range = { max = 10 } }
      }
      load = { rate = 10, duration = 30 }
    }
  }

  assert {
    condition = alltrue([
      for function in aws_lambda_function.hook :
      function.runtime == "python3.9" && function.architectures == tolist(["arm64"]) && function.memory_size == 1024 &&
      function.timeout == 600 && startswith(function.function_name, "hooks_orders-staging-") &&
      function.kms_key_arn == var.kms_key_arn && function.vpc_config[0].subnet_ids == toset(["subnet-0a", "subnet-0b"]) &&
      function.vpc_config[0].security_group_ids == toset(["sg-0a"])
    ])
    error_message = "An input did not reach its function."
  }

  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.hook : group.kms_key_id == var.kms_key_arn && group.retention_in_days == 0])
    error_message = "An input did not reach its log group."
  }

  assert {
    condition = alltrue([
      for role in aws_iam_role.hook :
      role.path == "/deployment/hooks/" && role.permissions_boundary == "arn:aws:iam::111122223333:policy/boundary"
    ])
    error_message = "An input did not reach its role."
  }

  assert {
    condition = (
      aws_lambda_function.hook["run_migrations"].environment[0].variables.TENANT == "acme" &&
      !contains(keys(aws_lambda_function.hook["validate_production"].environment[0].variables), "TENANT") &&
      length(aws_lambda_function.hook["run_migrations"].layers) == 2 &&
      length(aws_lambda_function.hook["validate_production"].layers) == 1 &&
      keys(aws_iam_role_policy.custom) == ["run_migrations"] &&
      aws_iam_role_policy.custom["run_migrations"].role == aws_iam_role.hook["run_migrations"].name
    )
    error_message = "What one hook was given reached another, or not that hook."
  }

  assert {
    condition = (
      jsondecode(aws_lambda_function.hook["validate_test_traffic"].environment[0].variables.HOOK_SETTINGS).checks == { test_listener = "warn" } &&
      jsondecode(aws_lambda_function.hook["validate_test_traffic"].environment[0].variables.HOOK_SETTINGS).http_checks.health.jmespath["checks.database"].equals == "ok" &&
      jsondecode(aws_lambda_function.hook["validate_test_traffic"].environment[0].variables.HOOK_SETTINGS).http_checks.health.attempts == 3 && jsondecode(aws_lambda_function.hook["validate_test_traffic"].environment[0].variables.HOOK_SETTINGS).thresholds.p99_ms == 800
    )
    error_message = "HOOK_SETTINGS of validate_test_traffic: ${aws_lambda_function.hook["validate_test_traffic"].environment[0].variables.HOOK_SETTINGS}"
  }

  assert {
    condition = alltrue([
      for name, value in var.run_migrations : jsonencode(jsondecode(aws_lambda_function.hook["run_migrations"].environment[0].variables.HOOK_SETTINGS)[name]) == jsonencode(value)
    ])
    error_message = "HOOK_SETTINGS of run_migrations: ${aws_lambda_function.hook["run_migrations"].environment[0].variables.HOOK_SETTINGS}"
  }

  assert {
    condition = (
      jsondecode(aws_lambda_function.hook["validate_production"].environment[0].variables.HOOK_SETTINGS).metrics.queue.threshold_range == { max = 10, min = null } && jsondecode(aws_lambda_function.hook["validate_production"].environment[0].variables.HOOK_SETTINGS).metrics.queue.period == 60 &&
      jsondecode(aws_lambda_function.hook["validate_production"].environment[0].variables.HOOK_SETTINGS).load.rate == 10 && jsondecode(aws_lambda_function.hook["validate_production"].environment[0].variables.HOOK_SETTINGS).load.status == ["200-399"]
    )
    error_message = "HOOK_SETTINGS of validate_production: ${aws_lambda_function.hook["validate_production"].environment[0].variables.HOOK_SETTINGS}"
  }
}

# Each function is told where it works, and whether one deployment may soften its checks.
run "told_beside_the_options" {
  command = plan

  variables {
    allow_overrides = false
    vpc_config      = { subnet_ids = ["subnet-0a"], security_group_ids = ["sg-0a"] }
  }

  assert {
    condition = alltrue([
      for function in aws_lambda_function.hook :
      jsondecode(function.environment[0].variables.HOOK_SETTINGS).overrides == "forbid" &&
      jsondecode(function.environment[0].variables.HOOK_SETTINGS).in_vpc &&
      jsondecode(function.environment[0].variables.HOOK_SETTINGS).event_bus == null
    ])
    error_message = jsonencode([for function in aws_lambda_function.hook : function.environment[0].variables.HOOK_SETTINGS])
  }
}

# A hook that is left out of the AppSpec keeps its function and its output.
run "without_a_test_listener" {
  command = apply

  variables {
    appspec_without = ["validate_test_traffic", "run_migrations"]
  }

  assert {
    condition = yamldecode(output.appspec_hooks) == {
      Hooks = [
        { BeforeInstall = output.validate_before_install_arn },
        { AfterInstall = output.validate_deployment_arn },
        { AfterAllowTraffic = output.validate_production_arn },
      ]
    }
    error_message = "appspec_hooks is ${output.appspec_hooks}"
  }

  assert {
    condition = (
      length(aws_lambda_function.hook) == 5 && output.run_migrations_arn == aws_lambda_function.hook["run_migrations"].arn &&
      output.validate_test_traffic_arn == aws_lambda_function.hook["validate_test_traffic"].arn
    )
    error_message = "A function went with its line in the AppSpec."
  }
}

run "names_too_long" {
  command = plan

  variables {
    app_name    = "fastapi-bootstrap"
    environment = "production"
  }

  assert {
    condition = output.function_names == {
      validate_before_install = "CodeDeployHook_fastapi-839110-production-validate-before-install"
      validate_deployment     = "CodeDeployHook_fastapi-839110-production-validate-deployment"
      validate_test_traffic   = "CodeDeployHook_fastapi-839110-production-validate-test-traffic"
      run_migrations          = "CodeDeployHook_fastapi-839110-production-run-migrations"
      validate_production     = "CodeDeployHook_fastapi-839110-production-validate-production"
    }
    error_message = "The names are ${jsonencode(output.function_names)}"
  }

  assert {
    condition = alltrue([
      for hook, name in output.function_names :
      output.role_names[hook] == name && output.log_group_names[hook] == "/aws/lambda/${name}"
    ])
    error_message = "A role or a log group has another name than its function."
  }

  assert {
    condition     = aws_lambda_layer_version.libraries.layer_name == "CodeDeployHook_fastapi-839110-production-libraries"
    error_message = "The layer's name is ${aws_lambda_layer_version.libraries.layer_name}"
  }
}

# The longest that stays as it is: an existing set-up keeps its names.
run "names_of_64_characters" {
  command = plan

  variables {
    app_name    = "fastapi-bootst"
    environment = "production"
  }

  assert {
    condition     = output.function_names.validate_before_install == "CodeDeployHook_fastapi-bootst-production-validate-before-install"
    error_message = "The name is ${output.function_names.validate_before_install}"
  }
}

run "secret_options_stay_secret" {
  command = plan

  variables {
    validate_test_traffic = { http_checks = { orders = { headers = { Authorization = sensitive("Bearer s3cret") } } } }
  }

  assert {
    condition     = issensitive(aws_lambda_function.hook["validate_test_traffic"].environment[0].variables.HOOK_SETTINGS)
    error_message = "A header given as sensitive is shown in plans."
  }
}

run "secret_variables_of_migrations_stay_secret" {
  command = plan

  variables {
    run_migrations = { command = ["migrate"], environment = { LICENCE = sensitive("s3cret") } }
  }

  assert {
    condition     = issensitive(aws_lambda_function.hook["run_migrations"].environment[0].variables.HOOK_SETTINGS)
    error_message = "An environment variable given as sensitive is shown in plans."
  }
}

run "long_secret_options_stay_secret" {
  command = plan

  variables {
    validate_test_traffic = { headers = { Authorization = sensitive(join("", [for _ in range(200) : "s3cret-s3cret"])) } }
  }

  assert {
    condition     = issensitive(aws_lambda_function.hook["validate_test_traffic"].environment[0].variables.HOOK_SETTINGS)
    error_message = "A header given as sensitive is shown in plans once it is packed."
  }
}
