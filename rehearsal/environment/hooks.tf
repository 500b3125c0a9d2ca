locals {
  rejected_orders = "${local.name}-rejected-orders"

  # Of twenty samples; all of this may share two busy cores with other work.
  thresholds = { p95_ms = 1000 }

  # Every answer says which release gave it, so that blue's is not taken for green's.
  of_green = { "x-app-version" = { equals = "{image_tag}" } }
}

# The functions need the names of cluster, service and alarm, not the things themselves: so Terraform makes them while
# it waits for the load balancer.
module "lambda" {
  source = "../.."

  app_name         = var.app_name
  environment      = var.environment
  aws_region       = var.aws_region
  ecs_cluster_name = local.name
  ecs_service_name = local.name
  callers          = [var.platform]
  log_retention    = 7
  tags             = local.tags

  # What takes minutes in earnest takes seconds here, so a hook that hangs may be given up sooner.
  timeout = 120

  validate_deployment = {
    interval              = 0.5
    consecutive_successes = 2
  }

  validate_test_traffic = {
    interval   = 0.5
    thresholds = local.thresholds
    http_checks = {
      health = {
        path             = "/health"
        samples          = 0
        response_headers = local.of_green
        jmespath         = { "status" = { equals = "ok" }, "checks.database" = { equals = "ok" } }
      }
      orders = {
        path             = "/orders?limit=1"
        response_headers = merge(local.of_green, { "content-type" = { equals = "application/json" } })
        jmespath         = { "@" = { length = 1 }, "[0].quantity" = { at_least = 1 } }
      }
    }
  }

  run_migrations = {
    preset   = "alembic"
    interval = 0.5
  }

  validate_production = {
    initial_delay = 2
    duration      = 4
    interval      = 1
    metrics_delay = 2
    thresholds    = local.thresholds
    baseline      = { max_worse_percent = 1000 }
    alarms        = { (local.rejected_orders) = "OK" }
    http_checks   = { orders = { path = "/orders", response_headers = local.of_green } }
    samples       = 5
    load          = { path = "/orders", rate = 10, duration = 3, p99_ms = 3000 }

    # What a customer does, and nothing is left of it.
    flows = {
      order = {
        steps = [
          {
            name   = "place"
            method = "POST"
            path   = "/orders"
            json   = jsonencode({ item = "rehearsal", quantity = 1 })
            status = ["201"]
            save   = { order_id = "id" }
          },
          {
            name     = "read back"
            path     = "/orders/{order_id}"
            jmespath = { "item" = { equals = "rehearsal" } }
          },
          {
            name   = "delete"
            method = "DELETE"
            path   = "/orders/{order_id}"
            status = ["204"]
            always = true
          },
        ]
      }
    }
  }
}
