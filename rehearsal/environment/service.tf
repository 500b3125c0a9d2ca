resource "aws_ecr_repository" "this" {
  name = var.app_name
}

resource "aws_cloudwatch_log_group" "app" {
  name              = "/ecs/${local.name}"
  retention_in_days = 7
}

data "aws_iam_policy_document" "ecs_tasks" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "execution" {
  name               = "${local.name}-execution"
  assume_role_policy = data.aws_iam_policy_document.ecs_tasks.json
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

data "aws_caller_identity" "this" {}

# The application's secrets by their name's beginning: a release may bring a new one.
data "aws_iam_policy_document" "read_secrets" {
  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = ["arn:aws:secretsmanager:${var.aws_region}:${data.aws_caller_identity.this.account_id}:secret:${local.name}-*"]
  }
}

resource "aws_iam_role_policy" "read_secrets" {
  name   = "read-secrets"
  role   = aws_iam_role.execution.name
  policy = data.aws_iam_policy_document.read_secrets.json
}

resource "aws_secretsmanager_secret" "session_key" {
  name        = "${local.name}-session-key"
  description = "Signs the sessions of customers"
}

resource "aws_secretsmanager_secret_version" "session_key" {
  secret_id     = aws_secretsmanager_secret.session_key.id
  secret_string = var.session_key
}

resource "aws_ecs_cluster" "this" {
  name = local.name
}

resource "aws_ecs_task_definition" "app" {
  family                   = local.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution.arn

  container_definitions = jsonencode([{
    name         = "app"
    image        = "${aws_ecr_repository.this.repository_url}:${var.image_tag}"
    essential    = true
    command      = ["uvicorn", "orders.main:app", "--no-access-log"]
    portMappings = [{ containerPort = 8000, protocol = "tcp" }]
    environment = [
      { name = "DATABASE_URL", value = "sqlite:///data/orders.db" },
      { name = "UVICORN_HOST", value = "0.0.0.0" },
      { name = "UVICORN_PORT", value = "8000" },
    ]
    secrets = [{ name = "SESSION_KEY", valueFrom = aws_secretsmanager_secret.session_key.arn }]
    healthCheck = {
      command = ["CMD", "python", "-S", "-c", join("\n", [
        "import http.client, os",
        "connection = http.client.HTTPConnection('127.0.0.1', os.environ['UVICORN_PORT'], timeout=2)",
        "connection.request('GET', '/version')",
        "raise SystemExit(connection.getresponse().status != 200)",
      ])]
      interval    = 30
      timeout     = 5
      retries     = 3
      startPeriod = 30
    }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.app.name
        awslogs-region        = var.aws_region
        awslogs-stream-prefix = "app"
      }
    }
  }])
}

resource "aws_ecs_service" "app" {
  count = local.by_codedeploy

  name            = local.name
  cluster         = aws_ecs_cluster.this.id
  task_definition = aws_ecs_task_definition.app.arn
  desired_count   = 2
  launch_type     = "FARGATE"

  deployment_controller {
    type = "CODE_DEPLOY"
  }

  network_configuration {
    subnets         = [for subnet in aws_subnet.this : subnet.id]
    security_groups = [aws_security_group.task.id]
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this["one"].arn
    container_name   = "app"
    container_port   = 8000
  }

  lifecycle {
    # The releases' own, from the first deployment on.
    ignore_changes = [task_definition, load_balancer, desired_count]
  }

  depends_on = [
    aws_lb_listener.production,
    aws_iam_role_policy.read_secrets,
    aws_iam_role_policy_attachment.execution,
    aws_secretsmanager_secret_version.session_key,
  ]
}
