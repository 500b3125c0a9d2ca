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

  assert {
    condition     = jsondecode(aws_lambda_function.hook["validate_before_install"].environment[0].variables.HOOK_SETTINGS) == { checks = {} }
    error_message = "HOOK_SETTINGS of validate_before_install: ${aws_lambda_function.hook["validate_before_install"].environment[0].variables.HOOK_SETTINGS}"
  }

  assert {
    condition = jsondecode(aws_lambda_function.hook["validate_production"].environment[0].variables.HOOK_SETTINGS) == {
      checks     = {}, initial_delay = 60, duration = 300, interval = 15, max_duration = 3000, alarms = {}
      no_data    = "pass", missing_alarms = "fail", metrics = {}, metrics_delay = 180
      headers    = {}, samples = 100, concurrency = 4
      thresholds = { error_rate = 0.01, p99_ms = 500, unhealthy_hosts = 0 }
      baseline   = { max_worse_percent = 50, tolerance = 0.25, confidence = 0.98, noise_ms = 50 }
    }
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
    condition = jsondecode(aws_lambda_function.hook["validate_test_traffic"].environment[0].variables.HOOK_SETTINGS) == {
      checks      = { test_listener = "warn" }, headers = {}, samples = 100, concurrency = 4, interval = 2
      thresholds  = { error_rate = 0, p95_ms = 200, p99_ms = 800 }
      http_checks = { health = { path = "/health", jmespath = { "checks.database" = { equals = "ok" } } } }
    }
    error_message = "HOOK_SETTINGS of validate_test_traffic: ${aws_lambda_function.hook["validate_test_traffic"].environment[0].variables.HOOK_SETTINGS}"
  }

  assert {
    condition = jsondecode(aws_lambda_function.hook["validate_before_install"].environment[0].variables.HOOK_SETTINGS) == {
      checks = { test_listener = "warn" }
    }
    error_message = "HOOK_SETTINGS of validate_before_install: ${aws_lambda_function.hook["validate_before_install"].environment[0].variables.HOOK_SETTINGS}"
  }

  assert {
    condition = jsondecode(aws_lambda_function.hook["run_migrations"].environment[0].variables.HOOK_SETTINGS) == jsondecode(jsonencode({
      for key, value in var.run_migrations : key => value if !contains(["checks", "pass_role_arns"], key)
    }))
    error_message = "HOOK_SETTINGS of run_migrations: ${aws_lambda_function.hook["run_migrations"].environment[0].variables.HOOK_SETTINGS}"
  }

  assert {
    condition = [
      for key in ["metrics", "load"] :
      jsondecode(aws_lambda_function.hook["validate_production"].environment[0].variables.HOOK_SETTINGS)[key]
      ] == [
      { queue = {
        namespace = "AWS/SQS", metric_name = "ApproximateNumberOfMessagesVisible", dimensions = {}, statistic = "Average"
        period    = 60, queries = {}, threshold_range = { max = 10 }, min_datapoints = 1, failure_limit = 0
        no_data   = "fail", direction = "increase"
      } },
      {
        rate   = 10, duration = 30, path = "/", headers = {}, warm_up = 0, concurrency = 16, timeout = 5
        status = ["200-399"], error_rate = 0.01, p99_ms = 500
      },
    ]
    error_message = "HOOK_SETTINGS of validate_production: ${aws_lambda_function.hook["validate_production"].environment[0].variables.HOOK_SETTINGS}"
  }
}

# What equals its default, or is null, is not handed over. False is no default where null is.
run "migrations_without_their_defaults" {
  command = plan

  variables {
    run_migrations = {
      command                = ["migrate"], preset = null, assign_public_ip = false, environment = {}, checks = {}
      max_duration           = 3000, concurrent = "wait", retry_interrupted = false, log_lines = 20, interval = 2
      on_rollback_deployment = "skip"
    }
  }

  assert {
    condition = jsondecode(aws_lambda_function.hook["run_migrations"].environment[0].variables.HOOK_SETTINGS) == {
      command = ["migrate"], assign_public_ip = false
    }
    error_message = "HOOK_SETTINGS of run_migrations: ${aws_lambda_function.hook["run_migrations"].environment[0].variables.HOOK_SETTINGS}"
  }
}

# 4 KB are few: of a request only what differs from the defaults is handed over, a step's defaults being its own.
run "requests_without_their_defaults" {
  command = plan

  variables {
    validate_production = {
      host = "www.example.com"

      http_checks = {
        plain = {}
        same = {
          path = "/", method = "GET", headers = {}, status = ["200-299"], attempts = 3, interval = 1, severity = "fail"
          url  = null, jmespath = {}, samples = null
        }
        other = {
          path     = "/a", status = ["200-299", "404"], attempts = 1, verify_tls = false, samples = 0, severity = "warn"
          jmespath = { id = { exists = true, one_of = ["{image_tag}"] } }
        }
      }

      flows = {
        order = {
          steps = [
            { attempts = 1, method = "POST", json = "{}", save = { id = "id" }, always = false, name = null },
            { attempts = 3, path = "/{id}", always = true, save = {} },
          ]
        }
      }
    }
  }

  assert {
    condition = [
      for key in ["host", "http_checks", "flows"] :
      jsondecode(aws_lambda_function.hook["validate_production"].environment[0].variables.HOOK_SETTINGS)[key]
      ] == [
      "www.example.com",
      {
        plain = {}
        same  = {}
        other = {
          path     = "/a", status = ["200-299", "404"], attempts = 1, verify_tls = false, samples = 0, severity = "warn"
          jmespath = { id = { exists = true, one_of = ["{image_tag}"] } }
        }
      },
      {
        order = {
          severity = "fail"
          steps = [
            { method = "POST", json = "{}", save = { id = "id" } },
            { attempts = 3, path = "/{id}", always = true },
          ]
        }
      },
    ]
    error_message = "HOOK_SETTINGS of validate_production: ${aws_lambda_function.hook["validate_production"].environment[0].variables.HOOK_SETTINGS}"
  }
}

# What is longer than 1500 bytes is packed: a handler tells the two by the first character.
run "settings_of_1500_bytes" {
  command = plan

  variables {
    validate_before_install = { checks = { "images:é${substr(join("", [for _ in range(200) : "xxxxxxxxxx"]), 0, 1469)}" = "skip" } }
  }

  assert {
    condition     = aws_lambda_function.hook["validate_before_install"].environment[0].variables.HOOK_SETTINGS == jsonencode(local._validate_before_install)
    error_message = "Settings of 1500 bytes are packed."
  }

  assert {
    condition     = length(base64encode(jsonencode(local._validate_before_install))) == 2000
    error_message = "These are not the longest settings that stay as they are: ${length(base64encode(jsonencode(local._validate_before_install)))}"
  }
}

run "settings_of_1501_bytes" {
  command = plan

  variables {
    validate_before_install = { checks = { "images:é${substr(join("", [for _ in range(200) : "xxxxxxxxxx"]), 0, 1470)}" = "skip" } }
  }

  assert {
    condition = (
      aws_lambda_function.hook["validate_before_install"].environment[0].variables.HOOK_SETTINGS == base64gzip(jsonencode(local._validate_before_install))
      && length(aws_lambda_function.hook["validate_before_install"].environment[0].variables.HOOK_SETTINGS) < 200
    )
    error_message = "HOOK_SETTINGS of validate_before_install: ${aws_lambda_function.hook["validate_before_install"].environment[0].variables.HOOK_SETTINGS}"
  }
}

# A test listener that nothing tests through may be missing, unless the user says otherwise.
run "tests_elsewhere" {
  command = plan

  variables {
    validate_test_traffic   = { base_url = "https://green.example.com" }
    validate_before_install = { checks = { images = "skip" } }
  }

  assert {
    condition = jsondecode(aws_lambda_function.hook["validate_before_install"].environment[0].variables.HOOK_SETTINGS) == {
      checks = { images = "skip", test_listener = "warn" }
    }
    error_message = "HOOK_SETTINGS of validate_before_install: ${aws_lambda_function.hook["validate_before_install"].environment[0].variables.HOOK_SETTINGS}"
  }
}

run "names_of_checks" {
  command = plan

  variables {
    validate_before_install = { checks = { imags = "skip", "images:shop:2" = "warn" } }
    validate_deployment     = { checks = { green_targets = "warn" } }
  }

  expect_failures = [check.names_of_checks]
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
