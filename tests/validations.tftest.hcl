# What cannot work is refused at plan time. One run for each variable of the module: tests/module/ holds every single rule
# against its message, those too that stand in modules/, where no run may expect a failure (the options, what custom handlers bring).

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { id = "eu-west-1" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Statement\":[]}" }
  }
}

variables {
  app_name         = "orders"
  environment      = "staging"
  aws_region       = "eu-west-1"
  ecs_cluster_name = "main"
  ecs_service_name = "web"
}

run "names" {
  command = plan

  variables {
    environment      = ""
    ecs_cluster_name = "arn:aws:ecs:eu-west-1:111122223333:cluster/main"
    ecs_service_name = "main/web"
    role_path        = "deployment"
  }

  expect_failures = [var.environment, var.ecs_cluster_name, var.ecs_service_name, var.role_path]
}

run "app_name" {
  command = plan

  variables {
    app_name = "orders!"
  }

  expect_failures = [var.app_name]
}

run "names_of_checks" {
  command = plan

  variables {
    validate_before_install = { checks = { imags = "skip", "images:shop:2" = "warn" } }
    validate_deployment     = { checks = { green_targets = "warn" } }
    validate_production     = { checks = { "latency_p99" = "warn" } }
  }

  expect_failures = [aws_lambda_function.hook["validate_before_install"], aws_lambda_function.hook["validate_production"]]
}

run "functions" {
  command = plan

  variables {
    runtime              = "python3.14"
    architecture         = "amd64"
    timeout              = 901
    function_name_prefix = "Hook:"
    log_retention        = 31
    tags                 = { "aws:team" = "checkout" }
  }

  expect_failures = [
    var.runtime, var.architecture, var.timeout, var.function_name_prefix, var.log_retention, var.tags,
  ]
}

run "arns" {
  command = plan

  variables {
    kms_key_arn                      = "alias/hooks"
    permissions_boundary             = "boundary"
    codedeploy_application_name      = "arn:aws:codedeploy:eu-west-1:111122223333:application:shop"
    codedeploy_deployment_group_name = "shop/staging"
    task_definition_family           = "arn:aws:ecs:eu-west-1:111122223333:task-definition/shop:7"
    vpc_config                       = { subnet_ids = ["10.0.0.0/24"], security_group_ids = ["default"] }
  }

  expect_failures = [
    var.kms_key_arn, var.permissions_boundary, var.codedeploy_application_name, var.codedeploy_deployment_group_name,
    var.task_definition_family, var.vpc_config,
  ]
}

run "custom" {
  command = plan

  variables {
    appspec_without = ["test_traffic"]
  }

  expect_failures = [var.appspec_without]
}

run "environment_over_4_kb" {
  command = plan

  variables {
    environment_variables = { run_migrations = { NOTE = join("", [for _ in range(400) : "0123456789"]) } }
  }

  expect_failures = [aws_lambda_function.hook["run_migrations"]]
}

run "longer_than_codedeploy_waits" {
  command = plan

  variables {
    validate_production = { max_duration = 3301 }
  }

  expect_failures = [aws_lambda_function.hook["validate_production"]]
}

run "another_region" {
  command = plan

  variables {
    aws_region = "us-east-1"
  }

  expect_failures = [data.aws_region.current]
}
