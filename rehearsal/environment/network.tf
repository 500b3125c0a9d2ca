locals {
  name = "${var.app_name}-${var.environment}"
  tags = { Application = var.app_name, Environment = var.environment }
}

resource "aws_vpc" "this" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "this" {
  for_each = { a = "10.0.1.0/24", b = "10.0.2.0/24" }

  vpc_id            = aws_vpc.this.id
  availability_zone = "${var.aws_region}${each.key}"
  cidr_block        = each.value
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_route" "internet" {
  route_table_id         = aws_vpc.this.main_route_table_id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_security_group" "load_balancer" {
  name        = "${local.name}-load-balancer"
  description = "Production and test traffic"
  vpc_id      = aws_vpc.this.id

  # From anywhere: the functions are outside the VPC, and their addresses can be any.
  dynamic "ingress" {
    for_each = { production = 80, test = 8080 }

    content {
      description = "Listener: ${ingress.key}"
      protocol    = "tcp"
      from_port   = ingress.value
      to_port     = ingress.value
      cidr_blocks = ["0.0.0.0/0"]
    }
  }

  egress {
    description = "Tasks"
    protocol    = "tcp"
    from_port   = 8000
    to_port     = 8000
    cidr_blocks = [aws_vpc.this.cidr_block]
  }
}

resource "aws_security_group" "task" {
  name        = "${local.name}-task"
  description = "Traffic from the load balancer"
  vpc_id      = aws_vpc.this.id

  ingress {
    description     = "Load balancer"
    protocol        = "tcp"
    from_port       = 8000
    to_port         = 8000
    security_groups = [aws_security_group.load_balancer.id]
  }

  egress {
    description = "Images, secrets, logs"
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_lb" "this" {
  name               = local.name
  internal           = false
  load_balancer_type = "application"
  subnets            = [for subnet in aws_subnet.this : subnet.id]
  security_groups    = [aws_security_group.load_balancer.id]
}

# The traffic is moved between these two; which of them is blue alternates.
resource "aws_lb_target_group" "this" {
  for_each = toset(["one", "two"])

  name                 = "${local.name}-${each.key}"
  vpc_id               = aws_vpc.this.id
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = 8000
  deregistration_delay = 5

  health_check {
    path              = "/health"
    matcher           = "200"
    interval          = 5
    timeout           = 2
    healthy_threshold = 2

    # A release may take 15 seconds to start before its targets count as unhealthy.
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "production" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  # ECS moves a rule (ecs.tf), CodeDeploy the default action.
  default_action {
    type             = var.platform == "ecs" ? "fixed-response" : "forward"
    target_group_arn = var.platform == "ecs" ? null : aws_lb_target_group.this["one"].arn

    dynamic "fixed_response" {
      for_each = var.platform == "ecs" ? [404] : []

      content {
        content_type = "text/plain"
        status_code  = fixed_response.value
      }
    }
  }

  lifecycle {
    # CodeDeploy owns it from the first deployment on.
    ignore_changes = [default_action]
  }
}

resource "aws_lb_listener" "test" {
  load_balancer_arn = aws_lb.this.arn
  port              = 8080
  protocol          = "HTTP"

  # ECS moves a rule (ecs.tf), CodeDeploy the default action.
  default_action {
    type             = var.platform == "ecs" ? "fixed-response" : "forward"
    target_group_arn = var.platform == "ecs" ? null : aws_lb_target_group.this["one"].arn

    dynamic "fixed_response" {
      for_each = var.platform == "ecs" ? [404] : []

      content {
        content_type = "text/plain"
        status_code  = fixed_response.value
      }
    }
  }

  lifecycle {
    ignore_changes = [default_action]
  }
}
