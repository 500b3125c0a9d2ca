locals {
  by_codedeploy = var.platform == "codedeploy" ? 1 : 0
}

data "aws_iam_policy_document" "codedeploy" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["codedeploy.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "codedeploy" {
  count = local.by_codedeploy

  name               = "${local.name}-codedeploy"
  assume_role_policy = data.aws_iam_policy_document.codedeploy.json
}

resource "aws_iam_role_policy_attachment" "codedeploy" {
  count = local.by_codedeploy

  role       = aws_iam_role.codedeploy[0].name
  policy_arn = "arn:aws:iam::aws:policy/AWSCodeDeployRoleForECSLimited"
}

# The managed policy invokes functions named CodeDeployHook_*; this one the five, whatever their names.
resource "aws_iam_role_policy" "invoke_hooks" {
  count = local.by_codedeploy

  name   = "invoke-hooks"
  role   = aws_iam_role.codedeploy[0].name
  policy = module.lambda.invoke_policy_json
}

# The managed policy passes roles named ecsTaskExecutionRole and ECSTaskExecution* only.
data "aws_iam_policy_document" "pass_task_roles" {
  statement {
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.execution.arn]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "pass_task_roles" {
  count = local.by_codedeploy

  name   = "pass-task-roles"
  role   = aws_iam_role.codedeploy[0].name
  policy = data.aws_iam_policy_document.pass_task_roles.json
}

resource "aws_codedeploy_app" "this" {
  count = local.by_codedeploy

  name             = local.name
  compute_platform = "ECS"
}

resource "aws_codedeploy_deployment_group" "this" {
  count = local.by_codedeploy

  app_name               = aws_codedeploy_app.this[0].name
  deployment_group_name  = local.name
  service_role_arn       = aws_iam_role.codedeploy[0].arn
  deployment_config_name = "CodeDeployDefault.ECSCanary10Percent5Minutes"

  deployment_style {
    deployment_option = "WITH_TRAFFIC_CONTROL"
    deployment_type   = "BLUE_GREEN"
  }

  blue_green_deployment_config {
    deployment_ready_option {
      action_on_timeout = "CONTINUE_DEPLOYMENT"
    }

    terminate_blue_instances_on_deployment_success {
      action                           = "TERMINATE"
      termination_wait_time_in_minutes = 5
    }
  }

  auto_rollback_configuration {
    enabled = true
    events  = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]
  }

  alarm_configuration {
    enabled = true
    alarms  = [aws_cloudwatch_metric_alarm.errors.alarm_name]
  }

  ecs_service {
    cluster_name = aws_ecs_cluster.this.name
    service_name = aws_ecs_service.app[0].name
  }

  load_balancer_info {
    target_group_pair_info {
      prod_traffic_route {
        listener_arns = [aws_lb_listener.production.arn]
      }

      test_traffic_route {
        listener_arns = [aws_lb_listener.test.arn]
      }

      target_group {
        name = aws_lb_target_group.this["one"].name
      }

      target_group {
        name = aws_lb_target_group.this["two"].name
      }
    }
  }
}
