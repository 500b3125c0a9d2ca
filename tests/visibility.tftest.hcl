# What is told where people look: the policies and documents as the real provider renders them, offline.

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

run "events_of_another_bus" {
  command = plan

  variables {
    event_bus = "arn:aws:events:eu-west-1:444455556666:event-bus/deployments"
  }

  assert {
    condition = alltrue([
      for document in data.aws_iam_policy_document.hook : [
        for statement in jsondecode(document.json).Statement : statement.Resource if statement.Sid == "SendEvents"
      ] == ["arn:aws:events:eu-west-1:444455556666:event-bus/deployments"]
    ])
    error_message = "A role may not send to the bus, or to another one."
  }
}

run "events_off" {
  command = plan

  variables {
    send_events = false
  }

  assert {
    condition = alltrue([
      for hook, document in data.aws_iam_policy_document.hook :
      !strcontains(document.json, "events:") && jsondecode(aws_lambda_function.hook[hook].environment[0].variables.HOOK_SETTINGS).event_bus == null
    ])
    error_message = "Events are off, and a function may send them or is told to."
  }
}

run "events_in_a_vpc_that_has_a_way" {
  command = plan

  variables {
    send_events = true
    vpc_config  = { subnet_ids = ["subnet-0a"], security_group_ids = ["sg-0a"] }
  }

  assert {
    condition = alltrue([
      for hook, document in data.aws_iam_policy_document.hook :
      strcontains(document.json, "events:PutEvents") && jsondecode(aws_lambda_function.hook[hook].environment[0].variables.HOOK_SETTINGS).event_bus == "default"
    ])
    error_message = "Events are on, and a function may not send them or is not told to."
  }
}

run "topic_policies" {
  command = plan

  variables {
    notifications = {
      team = { topic_arn = "arn:aws:sns:eu-west-1:111122223333:team" }
      chat = { topic_arn = "arn:aws:sns:eu-west-1:111122223333:chat", statuses = ["SUCCEEDED", "FAILED"], format = "chat" }
    }
  }

  # Without a condition: EventBridge fills in none.
  assert {
    condition = { for name, document in output.notification_topic_policies : name => jsondecode(document) } == {
      for name in ["chat", "team"] : name => {
        Version = "2012-10-17"
        Statement = [{
          Effect    = "Allow"
          Action    = "sns:Publish"
          Resource  = "arn:aws:sns:eu-west-1:111122223333:${name}"
          Principal = { Service = "events.amazonaws.com" }
        }]
      }
    }
    error_message = jsonencode(output.notification_topic_policies)
  }
}
