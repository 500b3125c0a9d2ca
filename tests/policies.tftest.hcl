# The policies as the real provider renders them, offline: it asks AWS nothing but the three answers below.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "111122223333" }
}

variables {
  app_name         = "orders"
  environment      = "staging"
  aws_region       = "eu-west-1"
  ecs_cluster_name = "main"
  ecs_service_name = "web"
}

run "seven_inputs" {
  command = plan

  assert {
    condition = { for hook, document in data.aws_iam_policy_document.hook : hook => jsondecode(document.json).Statement[*].Sid } == {
      validate_before_install = [
        "WriteLogs", "ReadDeployment", "ReportStatus", "ReadService", "SendEvents", "ReadRevision", "ReadRevisionObject",
        "ReadTaskDefinitions", "ReadTargets", "ReadListeners", "ReadLoadBalancers", "ReadAlarms", "ReadImages",
        "ReadTaskRoles", "SimulateRoles", "ReadSecretNames", "ReadParameterNames", "ReadLogGroups", "ReadNetwork",
        "ReadFunctions", "ReadPullThroughCache",
      ]
      validate_deployment = [
        "WriteLogs", "ReadDeployment", "ReportStatus", "ReadService", "SendEvents", "ReadTaskDefinitions", "ListTasks", "ReadTasks",
        "ReadTaskLogs", "ReadTargets",
      ]
      validate_test_traffic = [
        "WriteLogs", "ReadDeployment", "ReportStatus", "ReadService", "SendEvents", "ReadTargets", "ReadListeners", "ReadLoadBalancers",
        "ReadSecurityGroups",
      ]
      run_migrations = ["WriteLogs", "ReadDeployment", "ReportStatus", "ReadService", "SendEvents", "InvokeItself"]
      validate_production = [
        "WriteLogs", "ReadDeployment", "ReportStatus", "ReadService", "SendEvents", "ReadTargets", "ReadListeners", "ReadLoadBalancers",
        "ReadAlarms", "ReadMetrics", "ReadDeploymentTarget", "ReadSecurityGroups", "InvokeItself",
      ]
    }
    error_message = "Grants: ${jsonencode({ for hook, document in data.aws_iam_policy_document.hook : hook => jsondecode(document.json).Statement[*].Sid })}"
  }

  # All of one policy, word for word: the one that reports, with names that the module does not know yet.
  assert {
    condition = jsondecode(data.aws_iam_policy_document.hook["run_migrations"].json) == {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "WriteLogs"
          Effect   = "Allow"
          Action   = ["logs:PutLogEvents", "logs:CreateLogStream"]
          Resource = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/CodeDeployHook_orders-staging-run-migrations:*"
        },
        {
          Sid      = "ReadDeployment"
          Effect   = "Allow"
          Action   = ["codedeploy:GetDeploymentGroup", "codedeploy:GetDeployment"]
          Resource = "arn:aws:codedeploy:eu-west-1:111122223333:deploymentgroup:*/*"
        },
        { Sid = "ReportStatus", Effect = "Allow", Action = "codedeploy:PutLifecycleEventHookExecutionStatus", Resource = "*" },
        {
          Sid      = "ReadService"
          Effect   = "Allow"
          Action   = "ecs:DescribeServices"
          Resource = "arn:aws:ecs:eu-west-1:111122223333:service/main/web"
        },
        {
          Sid      = "SendEvents"
          Effect   = "Allow"
          Action   = "events:PutEvents"
          Resource = "arn:aws:events:eu-west-1:111122223333:event-bus/default"
        },
        {
          Sid      = "InvokeItself"
          Effect   = "Allow"
          Action   = "lambda:InvokeFunction"
          Resource = ["arn:aws:lambda:eu-west-1:111122223333:function:CodeDeployHook_orders-staging-run-migrations:*", "arn:aws:lambda:eu-west-1:111122223333:function:CodeDeployHook_orders-staging-run-migrations"]
        },
      ]
    }
    error_message = data.aws_iam_policy_document.hook["run_migrations"].json
  }

  # What changes nothing may be read of everything; whatever else is named.
  assert {
    condition = alltrue(flatten([
      for document in data.aws_iam_policy_document.hook : [
        for statement in jsondecode(document.json).Statement : [
          for action in flatten([statement.Action]) :
          can(regex(":(Describe|Get|List)", action)) || action == "codedeploy:PutLifecycleEventHookExecutionStatus"
        ] if statement.Resource == "*"
      ]
    ]))
    error_message = "A function may change anything, anywhere."
  }

  assert {
    condition     = !anytrue([for document in data.aws_iam_policy_document.hook : strcontains(document.json, "GetSecretValue") || can(regex("\"[a-z0-9]+:\\*\"", document.json)) || strcontains(document.json, "CreateLogGroup")])
    error_message = "A function may read secrets, use a whole service or make log groups."
  }

  assert {
    condition = jsondecode(data.aws_iam_policy_document.assume_role["lambda"].json) == {
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { Service = "lambda.amazonaws.com" }
      }]
    }
    error_message = data.aws_iam_policy_document.assume_role["lambda"].json
  }
}

run "every_input" {
  command = plan

  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-us-gov" }
  }

  variables {
    codedeploy_application_name      = "shop"
    codedeploy_deployment_group_name = "shop-staging"
    kms_key_arn                      = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    vpc_config                       = { subnet_ids = ["subnet-0a"], security_group_ids = ["sg-0a"] }
    run_migrations                   = { command = ["alembic", "upgrade", "head"] }
  }

  assert {
    condition = [
      for statement in jsondecode(data.aws_iam_policy_document.hook["run_migrations"].json).Statement :
      statement if !contains(["WriteLogs", "ReadService", "ReadTaskDefinitions"], statement.Sid)
      ] == [
      {
        Sid      = "ReadDeployment"
        Effect   = "Allow"
        Action   = ["codedeploy:GetDeploymentGroup", "codedeploy:GetDeployment"]
        Resource = "arn:aws-us-gov:codedeploy:eu-west-1:111122223333:deploymentgroup:shop/shop-staging"
      },
      {
        Sid      = "ReportStatus"
        Effect   = "Allow"
        Action   = "codedeploy:PutLifecycleEventHookExecutionStatus"
        Resource = "*"
      },
      {
        Sid    = "UseNetwork"
        Effect = "Allow"
        Action = [
          "ec2:UnassignPrivateIpAddresses", "ec2:DescribeSubnets", "ec2:DescribeNetworkInterfaces",
          "ec2:DeleteNetworkInterface", "ec2:CreateNetworkInterface", "ec2:AssignPrivateIpAddresses",
        ]
        Resource = "*"
      },
      {
        Sid      = "DecryptEnvironment"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
      },
      {
        Sid      = "InvokeItself"
        Effect   = "Allow"
        Action   = "lambda:InvokeFunction"
        Resource = ["arn:aws-us-gov:lambda:eu-west-1:111122223333:function:CodeDeployHook_orders-staging-run-migrations:*", "arn:aws-us-gov:lambda:eu-west-1:111122223333:function:CodeDeployHook_orders-staging-run-migrations"]
      },
      {
        Sid      = "ReadRevision"
        Effect   = "Allow"
        Action   = "codedeploy:GetApplicationRevision"
        Resource = "arn:aws-us-gov:codedeploy:eu-west-1:111122223333:application:shop"
      },
      {
        Sid       = "ReadRevisionObject"
        Effect    = "Allow"
        Action    = ["s3:GetObjectVersion", "s3:GetObject"]
        Resource  = "arn:aws-us-gov:s3:::*/*"
        Condition = { StringEquals = { "s3:ExistingObjectTag/UseWithCodeDeploy" = "true" } }
      },
      {
        Sid       = "RunTasks"
        Effect    = "Allow"
        Action    = "ecs:RunTask"
        Resource  = "arn:aws-us-gov:ecs:eu-west-1:111122223333:task-definition/*:*"
        Condition = { StringEquals = { "ecs:cluster" = "arn:aws-us-gov:ecs:eu-west-1:111122223333:cluster/main" } }
      },
      {
        Sid       = "TagTasks"
        Effect    = "Allow"
        Action    = "ecs:TagResource"
        Resource  = "arn:aws-us-gov:ecs:eu-west-1:111122223333:task/main/*"
        Condition = { StringEquals = { "ecs:CreateAction" = "RunTask" } }
      },
      {
        Sid       = "ListTasks"
        Effect    = "Allow"
        Action    = "ecs:ListTasks"
        Resource  = "*"
        Condition = { StringEquals = { "ecs:cluster" = "arn:aws-us-gov:ecs:eu-west-1:111122223333:cluster/main" } }
      },
      {
        Sid      = "ReadTasks"
        Effect   = "Allow"
        Action   = "ecs:DescribeTasks"
        Resource = "arn:aws-us-gov:ecs:eu-west-1:111122223333:task/main/*"
      },
      {
        Sid      = "StopTasks"
        Effect   = "Allow"
        Action   = "ecs:StopTask"
        Resource = "arn:aws-us-gov:ecs:eu-west-1:111122223333:task/main/*"
      },
      {
        Sid       = "PassTaskRoles"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = "arn:aws-us-gov:iam::111122223333:role/*"
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
      {
        Sid      = "ReadTaskLogs"
        Effect   = "Allow"
        Action   = "logs:GetLogEvents"
        Resource = "arn:aws-us-gov:logs:*:111122223333:log-group:*:log-stream:*/*/*"
      },
    ]
    error_message = data.aws_iam_policy_document.hook["run_migrations"].json
  }

  assert {
    condition = alltrue([
      for document in data.aws_iam_policy_document.hook :
      contains(jsondecode(document.json).Statement[*].Sid, "UseNetwork") && contains(jsondecode(document.json).Statement[*].Sid, "DecryptEnvironment")
    ])
    error_message = "A function in a VPC, or with a key, lacks what it needs to start."
  }
}

run "narrowed_roles" {
  command = plan

  variables {
    run_migrations = {
      command        = ["alembic", "upgrade", "head"]
      pass_role_arns = ["arn:aws:iam::111122223333:role/task"]
    }
  }

  assert {
    condition = [
      for statement in jsondecode(data.aws_iam_policy_document.hook["run_migrations"].json).Statement :
      statement.Resource if statement.Sid == "PassTaskRoles"
    ] == ["arn:aws:iam::111122223333:role/task"]
    error_message = data.aws_iam_policy_document.hook["run_migrations"].json
  }
}

# A preset migrates as a command does.
run "preset" {
  command = plan

  variables {
    run_migrations = { preset = "alembic" }
  }

  assert {
    condition = jsondecode(data.aws_iam_policy_document.hook["run_migrations"].json).Statement[*].Sid == [
      "WriteLogs", "ReadDeployment", "ReportStatus", "ReadService", "SendEvents", "InvokeItself", "ReadRevision", "ReadRevisionObject",
      "ReadTaskDefinitions", "RunTasks", "TagTasks", "ListTasks", "ReadTasks", "StopTasks", "PassTaskRoles",
      "ReadTaskLogs",
    ]
    error_message = data.aws_iam_policy_document.hook["run_migrations"].json
  }
}

# Where nothing is migrated, nothing more is allowed but to go on, whatever else is set.
run "no_migrations" {
  command = plan

  variables {
    run_migrations = {
      subnets = ["subnet-0a"], launch = "FARGATE_SPOT", max_duration = 3300, pass_role_arns = ["arn:aws:iam::111122223333:role/task"]
    }
  }

  assert {
    condition = jsondecode(data.aws_iam_policy_document.hook["run_migrations"].json).Statement[*].Sid == [
      "WriteLogs", "ReadDeployment", "ReportStatus", "ReadService", "SendEvents", "InvokeItself",
    ]
    error_message = data.aws_iam_policy_document.hook["run_migrations"].json
  }
}

# What a hook needs for some of its options only, for just what these name, and just that hook.
run "traffic_options" {
  command = plan

  variables {
    validate_test_traffic = {
      http_checks = {
        health = {
          response_headers = { X-Version = { equals = "{image_tag}" } }
          secret_headers = {
            Authorization = "Bearer arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/token-AbCdEf:key"
            X-Key         = "arn:aws:ssm:eu-west-1:111122223333:parameter/shop/key"
          }
        }
        again = { secret_headers = { X-Token = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/token-AbCdEf" } }
      }
    }

    validate_production = {
      duration = 331
      flows = {
        order = {
          steps = [{
            response_headers = { X-Revision = { equals = "{revision}" } }
            secret_headers   = { X-Key = sensitive("Key arn:aws:ssm:eu-west-1:111122223333:parameter/shop/other") }
          }]
        }
      }
      load = { rate = 1, duration = 50, warm_up = 10 }
    }
  }

  assert {
    condition = [
      for statement in jsondecode(data.aws_iam_policy_document.hook["validate_test_traffic"].json).Statement :
      [statement.Sid, statement.Action, statement.Resource]
      if !contains(["WriteLogs", "ReadDeployment", "ReportStatus", "ReadService", "SendEvents", "ReadTargets", "ReadListeners", "ReadLoadBalancers", "ReadSecurityGroups"], statement.Sid)
      ] == [
      ["ReadTaskDefinitions", "ecs:DescribeTaskDefinition", "*"],
      ["ReadSecretValues", "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/token-AbCdEf"],
      ["ReadParameterValues", "ssm:GetParameter", "arn:aws:ssm:eu-west-1:111122223333:parameter/shop/key"],
    ]
    error_message = data.aws_iam_policy_document.hook["validate_test_traffic"].json
  }

  assert {
    condition = [
      for statement in jsondecode(data.aws_iam_policy_document.hook["validate_production"].json).Statement :
      [statement.Sid, statement.Action, statement.Resource]
      if contains(["ReadDeploymentTarget", "ReadTaskDefinitions", "ReadSecretValues", "ReadParameterValues", "InvokeItself"], statement.Sid)
      ] == [
      ["ReadDeploymentTarget", "codedeploy:GetDeploymentTarget", "*"],
      ["ReadParameterValues", "ssm:GetParameter", "arn:aws:ssm:eu-west-1:111122223333:parameter/shop/other"],
      ["InvokeItself", "lambda:InvokeFunction", [
        "arn:aws:lambda:eu-west-1:111122223333:function:CodeDeployHook_orders-staging-validate-production:*",
        "arn:aws:lambda:eu-west-1:111122223333:function:CodeDeployHook_orders-staging-validate-production",
      ]],
    ]
    error_message = data.aws_iam_policy_document.hook["validate_production"].json
  }
}

# Targets are read of "*", whether or not CodeDeploy's names are known; and whatever the window, only itself is invoked.
run "narrowed" {
  command = plan

  variables {
    codedeploy_application_name      = "shop"
    codedeploy_deployment_group_name = "shop-staging"
    validate_production              = { initial_delay = 0, duration = 1, metrics_delay = 0 }
  }

  assert {
    condition = [
      for statement in jsondecode(data.aws_iam_policy_document.hook["validate_production"].json).Statement :
      statement.Resource if contains(["ReadDeploymentTarget", "InvokeItself"], statement.Sid)
      ] == ["*", [
        "arn:aws:lambda:eu-west-1:111122223333:function:CodeDeployHook_orders-staging-validate-production:*",
        "arn:aws:lambda:eu-west-1:111122223333:function:CodeDeployHook_orders-staging-validate-production",
    ]]
    error_message = data.aws_iam_policy_document.hook["validate_production"].json
  }
}

# Of functions, whose environment the answer holds: hooks by AWS's convention, and by name the module's own where another
# prefix, a long one or none, is theirs.
run "convention" {
  command = plan

  assert {
    condition = [
      for statement in jsondecode(data.aws_iam_policy_document.hook["validate_before_install"].json).Statement :
      statement.Resource if statement.Sid == "ReadFunctions"
    ] == ["arn:aws:lambda:eu-west-1:111122223333:function:CodeDeployHook_*"]
    error_message = data.aws_iam_policy_document.hook["validate_before_install"].json
  }
}

run "no_prefix" {
  command = plan

  variables {
    function_name_prefix = ""
  }

  assert {
    condition = toset([
      for statement in jsondecode(data.aws_iam_policy_document.hook["validate_before_install"].json).Statement :
      statement.Resource if statement.Sid == "ReadFunctions"
      ][0]) == toset(flatten(["arn:aws:lambda:eu-west-1:111122223333:function:CodeDeployHook_*", [
        for name in ["validate-before-install", "validate-deployment", "validate-test-traffic", "run-migrations", "validate-production"] :
        [for version in ["", ":*"] : "arn:aws:lambda:eu-west-1:111122223333:function:orders-staging-${name}${version}"]
    ]]))
    error_message = data.aws_iam_policy_document.hook["validate_before_install"].json
  }
}

run "long_prefix" {
  command = plan

  variables {
    function_name_prefix = "deployments-of-the-checkout-team-"
  }

  assert {
    condition = alltrue([
      for name in values(output.function_names) : length(name) <= 64 && contains([
        for statement in jsondecode(data.aws_iam_policy_document.hook["validate_before_install"].json).Statement :
        statement.Resource if statement.Sid == "ReadFunctions"
      ][0], "arn:aws:lambda:eu-west-1:111122223333:function:${name}")
    ])
    error_message = "${jsonencode(output.function_names)} ${data.aws_iam_policy_document.hook["validate_before_install"].json}"
  }
}

run "called_by_ecs" {
  command = plan

  variables {
    callers             = ["ecs"]
    validate_production = { max_duration = 86400 }
  }

  assert {
    condition = alltrue([
      for hook, document in data.aws_iam_policy_document.hook : alltrue([
        for statement in jsondecode(document.json).Statement :
        !anytrue([for action in flatten([statement.Action]) : startswith(action, "codedeploy:") || action == "lambda:InvokeFunction"])
      ])
    ])
    error_message = "A hook that only ECS calls has permissions for CodeDeploy, or to invoke itself."
  }

  assert {
    condition = jsonencode({
      for statement in jsondecode(data.aws_iam_policy_document.hook["validate_deployment"].json).Statement :
      statement.Sid => sort(flatten([statement.Resource])) if startswith(statement.Sid, "ReadService")
      }) == jsonencode({
      ReadServiceDeployments = [
        "arn:aws:ecs:eu-west-1:111122223333:service-deployment/main/web/*",
        "arn:aws:ecs:eu-west-1:111122223333:service/main/web",
      ]
      ReadServiceRevisions = [
        "arn:aws:ecs:eu-west-1:111122223333:service-revision/main/web/*",
        "arn:aws:ecs:eu-west-1:111122223333:service/main/web",
      ]
      ReadService = ["arn:aws:ecs:eu-west-1:111122223333:service/main/web"]
    })
    error_message = "What a hook may read of the service is not narrowed to it."
  }

  assert {
    condition     = jsondecode(aws_iam_role.hook["ecs"].assume_role_policy).Statement[0].Principal.Service == "ecs.amazonaws.com"
    error_message = "ECS may not assume the role that invokes the hooks."
  }

  assert {
    condition = jsonencode(output.lifecycle_hooks[*].lifecycle_stages) == jsonencode([
      ["PRE_SCALE_UP"], ["POST_SCALE_UP"], ["POST_TEST_TRAFFIC_SHIFT"],
      ["PRE_PRODUCTION_TRAFFIC_SHIFT"], ["POST_PRODUCTION_TRAFFIC_SHIFT"],
    ])
    error_message = "Stages: ${jsonencode(output.lifecycle_hooks[*].lifecycle_stages)}"
  }
}

run "stages_of_ones_own" {
  command = plan

  variables {
    callers = ["ecs", "codedeploy"]
    lifecycle_hooks = {
      run_migrations          = { stages = ["PRE_SCALE_UP"] }
      validate_test_traffic   = { stages = [] }
      validate_before_install = { hook_details = { description = "[warn images]" } }
    }
  }

  assert {
    condition     = length(output.lifecycle_hooks) == 4 && output.lifecycle_hooks[2].lifecycle_stages == tolist(["PRE_SCALE_UP"])
    error_message = "Stages: ${jsonencode(output.lifecycle_hooks[*].lifecycle_stages)}"
  }

  assert {
    condition     = jsonencode(output.lifecycle_hooks[*].hook_details) == jsonencode([jsonencode({ description = "[warn images]" }), null, null, null])
    error_message = "Details: ${jsonencode(output.lifecycle_hooks[*].hook_details)}"
  }
}
