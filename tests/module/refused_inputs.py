"""Inputs of the module itself that must be refused at plan, and what the refusal must say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Case:
    """Inputs that must be refused, and what the refusal must say."""

    inputs: Mapping[str, Any]
    message: str
    apart: str = ""  # a plan of its own


TOPIC = "arn:aws:sns:eu-west-1:111122223333:team"
MODULE_INPUTS = [
    Case({"app_name": "café"}, 'app_name is "café"; it becomes part of function and role names: use letters'),
    Case(
        {"environment": "pre prod"},
        'environment is "pre prod"; it becomes part of function and role names',
    ),
    Case({"aws_region": "eu-west-1a"}, 'aws_region is "eu-west-1a"; expected a region\'s code such as "eu-west-1"'),
    Case({"ecs_cluster_name": "a:cluster/main"}, 'ecs_cluster_name is "a:cluster/main"; expected the cluster\'s name'),
    Case({"ecs_service_name": "main/web"}, 'ecs_service_name is "main/web"; expected the service\'s name'),
    Case({"log_retention": 31}, "log_retention is 31; CloudWatch Logs knows only 1, 3, 5, 7, 14, 30,"),
    Case({"callers": ["jenkins"]}, 'callers is ["jenkins"]; expected ["codedeploy"], ["ecs"] or both.'),
    Case({"tags": {"AWS:team": "a"}}, 'tags has the key "AWS:team"; a key has 1 to 128 characters and does not begin'),
    Case({"runtime": "python3.8"}, 'runtime is "python3.8"; the handlers run on python3.9, python3.10, python3.11'),
    Case({"architecture": "amd64"}, 'architecture is "amd64"; Lambda knows "arm64" and "x86_64".'),
    Case(
        {"timeout": 901},
        "timeout is 901; expected whole seconds from 60 (30 of them are kept for the report) to 900",
    ),
    Case(
        {"function_name_prefix": "Hook:"},
        'function_name_prefix is "Hook:"; use letters, digits, hyphens',
    ),
    Case(
        {"vpc_config": {"subnet_ids": ["subnet-0a"], "security_group_ids": []}},
        'vpc_config is {"security_group_ids":[],"subnet_ids":["subnet-0a"]}; expected { subnet_',
    ),
    Case(
        {"vpc_config": {"subnet_ids": ["10.0.0.0/24"], "security_group_ids": ["sg-0a"]}},
        'vpc_config is {"security_group_ids":["sg-0a"],"subnet_ids":["10.0.0.0/24"]}; expected { subnet_',
    ),
    Case(
        {"vpc_config": {"subnet_ids": ["subnet-0a"], "security_group_ids": ["default"]}},
        'vpc_config is {"security_group_ids":["default"],"subnet_ids":["subnet-0a"]}; expected { subnet_',
    ),
    Case(
        {"vpc_config": {"subnet_ids": [None], "security_group_ids": ["sg-0a"]}},
        'vpc_config is {"security_group_ids":["sg-0a"],"subnet_ids":[null]}; expected { subnet_',
    ),
    Case(
        {"vpc_config": {"subnet_ids": ["subnet-0a"], "security_group_ids": ["sg-0a", None]}},
        'vpc_config is {"security_group_ids":["sg-0a",null],"subnet_ids":["subnet-0a"]}; expected { subnet_',
    ),
    Case(
        {
            "vpc_config": {
                "subnet_ids": ["subnet-0a"],
                "security_group_ids": ["sg-0a"],
                "ipv6_allowed_for_dual_stack": True,
            }
        },
        "vpc_config has ipv6_allowed_for_dual_stack, which is no option; there are subnet_ids and security_group_ids.",
    ),
    Case(
        {"vpc_config": {"subnet_ids": ["subnet-0a"]}},
        'vpc_config is {"subnet_ids":["subnet-0a"]}; expected { subnet_',
        apart="one",
    ),
    Case({"vpc_config": "subnet-0a"}, 'vpc_config is "subnet-0a"; expected { subnet_'),
    Case({"kms_key_arn": "alias/hooks"}, 'kms_key_arn is "alias/hooks"; expected a key\'s ARN such as'),
    Case({"permissions_boundary": "boundary"}, 'permissions_boundary is "boundary"; expected a policy\'s ARN such as'),
    Case(
        {"role_path": "deployment"},
        'role_path is "deployment"; expected "/" or a path that begins and ends with a slash',
    ),
    Case(
        {"codedeploy_application_name": "a/b"},
        'codedeploy_application_name is "a/b"; expected the application\'s name',
    ),
    Case(
        {"codedeploy_deployment_group_name": "a b"},
        'codedeploy_deployment_group_name is "a b"; expected the deployment',
    ),
    Case(
        {"task_definition_family": "web:7"},
        'task_definition_family is "web:7"; expected the family\'s name (up to 255 letters, digits, hyphens and under',
    ),
    Case(
        {"appspec_without": ["test_traffic", "run_migrations"]},
        "appspec_without has test_traffic; the hooks are validate_before_install, validate_deployment, validate_test_",
    ),
]
# Judged in modules of their own, where a plan comes only once the root's inputs are right.
INNER_INPUTS = [
    Case(
        {"environment_variables": {"migrations": {}}},
        "environment_variables has the key migrations; the keys are validate_before_install, validate_deployment",
    ),
    Case(
        {"environment_variables": {"run_migrations": None}},
        "environment_variables of run_migrations is null, or has a value that is: give it a map of texts",
    ),
    Case(
        {"environment_variables": {"run_migrations": {"MY-TENANT": "a"}}},
        'environment_variables has the name "MY-TENANT" (run_migrations); Lambda allows letters',
    ),
    Case(
        {"environment_variables": {"validate_production": {"ECS_CLUSTER": "a", "AWS_REGION": "b", "TENANT": "c"}}},
        "environment_variables sets AWS_REGION (validate_production), ECS_CLUSTER (validate_production): this",
    ),
    Case(
        {"policy_documents": {"migrations": '{"Statement":[]}'}},
        "policy_documents has the key migrations; the keys are",
    ),
    Case(
        {"policy_documents": {"run_migrations": "{}"}},
        "policy_documents of run_migrations is not a policy document",
    ),
    Case(
        {"event_bus": "bus!"}, 'event_bus is "bus!"; expected a bus\'s name such as "default", or its ARN in eu-west-1'
    ),
    Case(
        {"event_bus": "arn:aws:events:us-east-1:111122223333:event-bus/default"},
        'event_bus is "arn:aws:events:us-east-1:111122223333:event-bus/default"; expected a bus\'s name',
    ),
    Case({"notifications": ["team"]}, 'notifications is ["team"]; expected a map such as { team', apart="map"),
    Case(
        {"notifications": {"the team": {"topic_arn": TOPIC}}}, 'notifications has the name "the team"; a rule is named'
    ),
    Case(
        {"notifications": {"typo": {"topic_arn": TOPIC, "status": ["FAILED"]}}},
        "notifications has typo.status, which is no option; there are topic_arn, statuses and format",
    ),
    Case(
        {
            "notifications": {
                "abroad": {"topic_arn": TOPIC.replace("eu-west-1", "us-east-1")},
                "nowhere": {"topic_arn": "team"},
                "without": {},
            }
        },
        'notifications has abroad.topic_arn, which is "arn:aws:sns:us-east-1:111122223333:team", nowhere.topic_arn, '
        'which is "team", without.topic_arn, which is null; expected the ARN of a topic in eu-west-1, where the '
        'functions are, such as "arn:aws:sns:eu-west-1:111122223333:deployments".',
    ),
    Case(
        {"notifications": {"stopped": {"topic_arn": TOPIC, "statuses": ["STOPPED"]}}},
        'notifications.<name>.statuses is a list of "FAILED" and "SUCCEEDED"',
    ),
    Case(
        {"notifications": {"mail": {"topic_arn": TOPIC, "format": "mail"}}},
        'notifications.<name>.format is "text"',
    ),
    Case(
        {"notifications": {"team": {"topic_arn": TOPIC}}, "send_events": False},
        "notifications are made of events, and none are sent: send_events is false",
    ),
    Case(
        {
            "notifications": {"team": {"topic_arn": TOPIC}},
            "vpc_config": {"subnet_ids": ["subnet-0a"], "security_group_ids": ["sg-0a"]},
        },
        "notifications are made of events, and none are sent: inside a VPC they are off by default; set send_events",
        apart="vpc",
    ),
    Case(
        {"alarm_actions": ["team", TOPIC.replace("eu-west-1", "us-east-1")]},
        'alarm_actions has "team", "arn:aws:sns:us-east-1:111122223333:team"; expected ARNs in eu-west-1, where the ',
    ),
    Case({"lifecycle_hooks": "PRE_SCALE_UP"}, 'lifecycle_hooks is "PRE_SCALE_UP"; expected a map such as { run_migr'),
    Case(
        {"callers": ["ecs"], "lifecycle_hooks": {"run_migrations": ["PRE_SCALE_UP"]}},
        'lifecycle_hooks is {"run_migrations":["PRE_SCALE_UP"]}; expected a map such as { run_migrations = { stages',
    ),
    Case(
        {"callers": ["ecs"], "lifecycle_hooks": {"validate_all": {}}},
        "lifecycle_hooks has validate_all, which is no hook; there are validate_before_install, validate_deployment,",
        apart="stages",
    ),
    Case(
        {
            "lifecycle_hooks": {
                "run_migrations": {"stage": ["PRE_SCALE_UP"]},
                "validate_deployment": {"hook_detail": {"description": "[warn images]"}},
            }
        },
        "lifecycle_hooks has run_migrations.stage, validate_deployment.hook_detail, which is no option; there are ",
        apart="stages",
    ),
    Case(
        {"lifecycle_hooks": {"validate_before_install": {"stages": ["PRESCALE_UP"]}}},
        'lifecycle_hooks.validate_before_install.stages is ["PRESCALE_UP"]; expected a list of stages, which are '
        "RECONCILE_SERVICE, PRE_SCALE_UP, POST_SCALE_UP, TEST_TRAFFIC_SHIFT, POST_TEST_TRAFFIC_SHIFT, "
        "PRE_PRODUCTION_TRAFFIC_SHIFT, PRODUCTION_TRAFFIC_SHIFT, POST_PRODUCTION_TRAFFIC_SHIFT.",
        apart="stages",
    ),
    Case(
        {"lifecycle_hooks": {"validate_test_traffic": {"stages": "PRE_SCALE_UP"}}},
        'lifecycle_hooks.validate_test_traffic.stages is "PRE_SCALE_UP"; expected a list of stages, which are',
        apart="stages",
    ),
    Case(
        {"lifecycle_hooks": {"run_migrations": {"stages": ["PRODUCTION_TRAFFIC_SHIFT", "PRE_SCALE_UP"]}}},
        "lifecycle_hooks.run_migrations.stages has PRODUCTION_TRAFFIC_SHIFT, which comes again when a deployment is "
        "rolled back, so the hook refuses it; expected PRE_PRODUCTION_TRAFFIC_SHIFT or PRE_SCALE_UP.",
        apart="stages",
    ),
    Case(
        {"lifecycle_hooks": {"validate_production": {"stages": ["TEST_TRAFFIC_SHIFT"]}}},
        "lifecycle_hooks.validate_production.stages has TEST_TRAFFIC_SHIFT, which comes again when a deployment is "
        "rolled back, so the hook refuses it; expected POST_PRODUCTION_TRAFFIC_SHIFT or PRE_PRODUCTION_TRAFFIC_SHIFT.",
        apart="stages",
    ),
    Case(
        {"lifecycle_hooks": {"validate_deployment": {"hook_details": {"description": ["warn"]}}}},
        'lifecycle_hooks.validate_deployment.hook_details is {"description":["warn"]}; expected a map of texts',
        apart="stages",
    ),
    Case(
        {"callers": ["codedeploy"], "lifecycle_hooks": {"run_migrations": {"stages": ["PRE_SCALE_UP"]}}},
        'lifecycle_hooks has run_migrations, which says what ECS is told, and callers is ["codedeploy"]; expected '
        '"ecs" among the callers: add it, or take lifecycle_hooks out.',
    ),
    Case({"layers": {"migrations": []}}, "layers has the key migrations; the keys are validate_before_install"),
    Case({"layers": {"run_migrations": ["drivers"]}}, 'layers has "drivers"; expected the ARN of a layer\'s version'),
    Case(
        {"layers": {"validate_deployment": ["arn:aws:lambda:us-east-1:111122223333:layer:drivers:3"]}},
        'layers has "arn:aws:lambda:us-east-1:111122223333:layer:drivers:3"; expected the ARN of a layer\'s version in '
        'eu-west-1, where the functions are, such as "arn:aws:lambda:eu-west-1:111122223333:layer:drivers:3".',
        apart="abroad",
    ),
    Case({"layers": {"run_migrations": [None]}}, "layers has null; expected the ARN of a layer's", apart="null"),
    Case({"layers": {"run_migrations": None}}, "layers has null; expected the ARN of a layer", apart="null"),
]
