"""Every validation of variables.tf refuses what it should, with a message that names the value and the cure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.module.conftest import ROOT, Terraform, plain, write_stack


@dataclass(frozen=True)
class Case:
    """Inputs that must be refused, and what the refusal must say."""

    inputs: Mapping[str, Any]
    message: str
    # Terraform evaluates a validation that reads other variables only once those are right (so they are wrong in
    # plans apart, "read"), and compares them only once each is right by itself ("compares").
    apart: str = ""


# Options of one load, one metric and one HTTP request that must be refused, and what the refusal says of them.
LOADS: list[tuple[dict[str, Any], str]] = [
    ({"rate": 0}, " has rate 0, duration 1 and warm_up 0; expected a rate from 0.001 to 10000 requests a second"),
    ({"duration": 601}, " has rate 1, duration 601 and warm_up 0; expected a rate from 0.001 to 10000"),
    ({"warm_up": -1}, " has rate 1, duration 1 and warm_up -1; expected a rate from 0.001 to 10000"),
    ({"rate": 0.5}, " has rate 0.5 and duration 1: less than one request. Raise one of them."),
    ({"concurrency": 257}, ".concurrency is 257; expected a whole number from 1 to 256."),
    ({"error_rate": 1.5}, ".error_rate is 1.5; expected a share from 0 to 1"),
    ({"p90_ms": 0, "max_ms": -1}, " has p90_ms = 0, max_ms = -1; expected milliseconds above 0."),
]
METRIC: dict[str, Any] = {"namespace": "Shop", "metric_name": "Orders"}
QUERY: dict[str, Any] = {"namespace": "Shop", "metric_name": "Carts"}
METRICS: list[tuple[dict[str, Any], str]] = [
    (
        {"expression": "o", "queries": {"o": QUERY}},
        'metric_name "Orders" and expression "o"; expected one of them: metric_name with namespace, or',
    ),
    (
        {"namespace": None, "metric_name": None},
        "metric_name null and expression null; expected one of them: metric_name with namespace, or",
    ),
    ({"namespace": None}, "namespace null and 0 queries; namespace goes with metric_name, queries go with expression"),
    ({"queries": {"o": QUERY}}, 'namespace "Shop" and 1 queries; namespace goes with metric_name, queries go with'),
    ({"statistic": "p101"}, 'statistic ["p101"]; expected "Average", "Sum", "Minimum", "Maximum", "SampleCount" or'),
    ({"period": 90}, "period [90]; CloudWatch knows 1, 5, 10, 20, 30 and multiples of 60 seconds up to a day."),
    (
        {"namespace": None, "metric_name": None, "expression": "o", "queries": {"o": {**QUERY, "period": 7}}},
        "period [60,7]; CloudWatch knows 1, 5, 10, 20, 30 and multiples of 60 seconds up to a day.",
    ),
    (
        {"namespace": None, "metric_name": None, "expression": "O", "queries": {"O": QUERY}},
        "the queries O; a query's name begins with a small letter, letters, digits and underscores follow.",
    ),
    (
        {"threshold_range": {}},
        "no threshold_range.min, no threshold_range.max and no max_worse_percent; nothing would be",
    ),
    ({"threshold_range": {"min": 2, "max": 1}}, "threshold_range.min 2 and max 1; no value can lie between them."),
    ({"max_worse_percent": -1}, "max_worse_percent -1; expected percent, 0 or more, or null."),
    ({"direction": "up"}, 'direction "up"; expected "increase", "decrease" or "either".'),
    ({"no_data": "skip"}, 'no_data "skip"; expected "pass" or "fail".'),
    ({"failure_limit": -1}, "failure_limit -1; expected a whole number of datapoints, 0 or more."),
    ({"min_datapoints": 0}, "min_datapoints 0; expected a whole number of datapoints, 1 or more."),
    ({"namespace": ""}, 'namespace "", metric_name "Orders", 0 dimensions; a metric has a namespace, a name'),
]
# Of any request: a check of http_checks and a step of a flow. `.…` is the attribute that the sentence names.
REQUESTS: list[tuple[dict[str, Any], str]] = [
    (
        {"status": ["20x"]},
        '.status is ["20x"]; expected codes ("200"), ranges ("200-399") or classes ("2xx"), at least',
    ),
    ({"status": []}, '.status is []; expected codes ("200"), ranges ("200-399") or classes ("2xx"), at least one.'),
    ({"status": [None]}, '.status is [null]; expected codes ("200"), ranges ("200-399") or classes ("2xx"), at least'),
    ({"status": ["299-200"]}, '.status is ["299-200"]; a range goes from the lower to the higher code ("200-299").'),
    ({"method": "get"}, '.method is "get"; expected GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.'),
    ({"path": "health"}, '.path is "health"; a path begins with "/" and has no spaces; a whole address goes into url.'),
    ({"path": "/é"}, '.path is "/é"; a path begins with "/" and has no spaces; a whole address goes into url.'),
    ({"url": "example.com"}, '.url is "example.com" with path "/"; expected "http://…" or "https://…"'),
    (
        {"url": "http://a", "path": "/b"},
        '.url is "http://a" with path "/b"; expected "http://…" or "https://…", and the',
    ),
    ({"host": "http://a"}, '.host is "http://a"; expected a host name such as "www.example.com".'),
    (
        {"headers": {"Accept:": "a"}},
        '.headers["Accept:"] is no header; a header\'s name has letters, digits and hyphens',
    ),
    (
        {"headers": {"Accept": None}},
        '.headers["Accept"] is no header\'s value; it is a text without line breaks and control',
    ),
    (
        {"headers": {"X-Note": "a\n"}},
        '.headers["X-Note"] is no header\'s value; it is a text without line breaks and control characters',
    ),
    ({"response_headers": {"A B": "a"}}, '.response_headers["A B"] is no header; a header\'s name has letters, digits'),
    (
        {"secret_headers": {"X Key": "Bearer arn:aws:ssm:eu-west-1:111122223333:parameter/shop/key"}},
        '.secret_headers["X Key"] is no header; a header\'s name has letters, digits and hyphens and no colon.',
    ),
    (
        {"secret_headers": {"X-Key": "Bearer hunter2"}},
        '.secret_headers["X-Key"] is a text of 14 characters that is no such ARN; expected the ARN of a Secrets',
    ),
    (
        {"secret_headers": {"X-Key": "arn:aws:s3:eu-west-1:111122223333:secret:shop"}},
        '.secret_headers["X-Key"] is a text of 45 characters that is no such ARN; expected the ARN of a Secrets',
    ),
    (
        {
            "secret_headers": {"X-Key": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop-AbCdEf"},
            "follow_redirects": True,
        },
        ".follow_redirects is true beside secret_headers; a redirect could lead the secret elsewhere: leave it out",
    ),
    ({"json": "{id: 1}"}, ".json is a text of 7 characters that is no JSON; expected JSON text, such as jsonencode("),
    ({"json": "{}", "body": "{}"}, ".json is set beside body; a request has one body: leave one of them out."),
    ({"timeout": 0}, ".timeout is 0; expected seconds above 0, up to 60."),
    ({"interval": 61}, ".interval is 61; expected 0 to 60 seconds."),
    ({"attempts": 1.5}, ".attempts is 1.5; expected a whole number of attempts from 1 to 100."),
    ({"consecutive_successes": 0}, ".consecutive_successes is 0; expected a whole number of answers from 1 to 100."),
    (
        {"consecutive_error_limit": 101},
        ".consecutive_error_limit is 101; expected a whole number of requests from 1 to",
    ),
    (
        {"attempts": 2, "consecutive_successes": 4},
        ".consecutive_successes is 4 with attempts 2; so many good answers need as many attempts: raise attempts.",
    ),
    ({"max_body": 10000001}, ".max_body is 10000001; expected a whole number of bytes from 1 to 10000000."),
    ({"max_latency_ms": 0}, ".max_latency_ms is 0; expected milliseconds above 0, or null."),
    ({"certificate_days": 0}, ".certificate_days is 0; expected days above 0, or null."),
    (
        {"certificate_days": 30, "verify_tls": False},
        ".certificate_days is 30 with verify_tls false; only of a certificate that is verified the end is known",
    ),
    ({"jmespath": {"id": {}}}, '.jmespath["id"] is without a comparison; expected equals, one_of, at_least, at_most'),
    ({"jmespath": {"id": None}}, '.jmespath["id"] is without a comparison; expected equals, one_of, at_least, at_most'),
    ({"jmespath": {"id": {"one_of": []}}}, '.jmespath["id"].one_of is empty; no value could be one of none'),
    (
        {"jmespath": {"id": {"at_least": 2, "at_most": 1}}},
        '.jmespath["id"].at_least is 2 with at_most 1; no value can lie between them.',
    ),
    ({"jmespath": {"id": {"length": 0.5}}}, '.jmespath["id"].length is 0.5; expected a whole number, 0 or more.'),
]
# Of a check alone, and of a step alone.
HTTP_CHECKS: list[tuple[dict[str, Any], str]] = [
    ({"severity": "skip"}, '.severity is "skip"; expected "fail" or "warn"; "skip" goes into the hook\'s checks.'),
    ({"initial_delay": 601}, ".initial_delay is 601; expected 0 to 600 seconds."),
    ({"samples": 0.5}, ".samples is 0.5; expected a whole number from 0 to 10000, or null for the hook's samples."),
]
STEPS: list[tuple[dict[str, Any], str]] = [
    ({"save": {"Id": "id"}}, '.save["Id"] is no name to use as {name}; it begins with a small letter; small letters'),
    ({"save": {"id": ""}}, '.save["id"] is ""; expected a JMESPath expression of the answer, or "header:<name>".'),
    ({"save": {"id": "header:a b"}}, '.save["id"] is "header:a b"; expected a JMESPath expression of the answer, or'),
    ({"path": "/{image_tag}/{id}"}, ".path is a text with {id}; no step before it saves that. Save it (save = {"),
    ({"url": "https://{revision}.{domain}/"}, ".url is a text with {domain}; no step before it saves that. Save it"),
    (
        {"headers": {"Cookie": "{token}={id}{token}"}},
        '.headers["Cookie"] is a text with {token}, {id}; no step before it saves that. Save it (save = { <name>',
    ),
]
HOOKS = [
    "validate_before_install",
    "validate_deployment",
    "validate_test_traffic",
    "run_migrations",
    "validate_production",
]


def _cases() -> list[Case]:
    cases = [
        Case({"app_name": "café"}, 'app_name is "café"; it becomes part of function and role names: use letters'),
        Case(
            {"app_name": "an-application-of-35-characters-long"},
            'has 83 characters, Lambda and IAM allow 64. Shorten app_name ("an-application-of-35-characters-long"), '
            'environment ("staging") or function_name_prefix ("CodeDeployHook_").',
            apart="compares",
        ),
        Case(
            {"environment": "pre prod"},
            'environment is "pre prod"; it becomes part of function and role names',
            apart="read",
        ),
        Case({"aws_region": "eu-west-1a"}, 'aws_region is "eu-west-1a"; expected a region\'s code such as "eu-west-1"'),
        Case(
            {"ecs_cluster_name": "a:cluster/main"}, 'ecs_cluster_name is "a:cluster/main"; expected the cluster\'s name'
        ),
        Case({"ecs_service_name": "main/web"}, 'ecs_service_name is "main/web"; expected the service\'s name'),
        Case({"log_retention": 31}, "log_retention is 31; CloudWatch Logs knows only 1, 3, 5, 7, 14, 30,"),
        Case(
            {"tags": {"AWS:team": "a"}}, 'tags has the key "AWS:team"; a key has 1 to 128 characters and does not begin'
        ),
        Case({"runtime": "python3.8"}, 'runtime is "python3.8"; the handlers run on python3.9, python3.10, python3.11'),
        Case({"architecture": "amd64"}, 'architecture is "amd64"; Lambda knows "arm64" and "x86_64".'),
        Case({"memory_size": 127}, "memory_size is 127; Lambda allows whole numbers from 128 to 10240 (MB)."),
        Case(
            {"timeout": 901},
            "timeout is 901; expected whole seconds from 60 (30 of them are kept for the report) to 900",
            apart="read",
        ),
        Case(
            {"function_name_prefix": "Hook:"},
            'function_name_prefix is "Hook:"; use letters, digits, hyphens',
            apart="read",
        ),
        Case(
            {"vpc_config": {"subnet_ids": ["subnet-0a"], "security_group_ids": []}},
            "vpc_config has 1 subnet_ids and 0 security_group_ids; give at least one of each, or null",
        ),
        Case(
            {"vpc_config": {"subnet_ids": ["10.0.0.0/24"], "security_group_ids": ["sg-0a"]}},
            'vpc_config.subnet_ids has "10.0.0.0/24"; expected ids such as "subnet-0123456789abcdef0".',
        ),
        Case(
            {"vpc_config": {"subnet_ids": ["subnet-0a"], "security_group_ids": ["default"]}},
            'vpc_config.security_group_ids has "default"; expected ids such as "sg-0123456789abcdef0".',
        ),
        Case(
            {"vpc_config": {"subnet_ids": [None], "security_group_ids": ["sg-0a"]}},
            "vpc_config.subnet_ids has null; expected ids such as",
        ),
        Case(
            {"vpc_config": {"subnet_ids": ["subnet-0a"], "security_group_ids": ["sg-0a", None]}},
            "vpc_config.security_group_ids has null; expected ids such as",
        ),
        Case({"kms_key_arn": "alias/hooks"}, 'kms_key_arn is "alias/hooks"; expected a key\'s ARN such as'),
        Case(
            {"permissions_boundary": "boundary"}, 'permissions_boundary is "boundary"; expected a policy\'s ARN such as'
        ),
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
            {"environment_variables": {"migrations": {}}},
            'environment_variables has the key "migrations"; the keys are validate',
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
            'policy_documents has the key "migrations"; the keys are',
        ),
        Case(
            {"policy_documents": {"run_migrations": "{}"}},
            "policy_documents of run_migrations is not a policy document",
        ),
        Case({"layers": {"migrations": []}}, 'layers has the key "migrations"; the keys are validate_before_install'),
        Case(
            {"layers": {"run_migrations": ["drivers"]}}, 'layers has "drivers"; expected the ARN of a layer\'s version'
        ),
        Case({"layers": {"run_migrations": [None]}}, "layers has null; expected the ARN of a layer's", apart="null"),
        Case({"layers": {"run_migrations": None}}, "layers has null; expected the ARN of a layer", apart="null"),
        Case(
            {"layers": {"validate_production": ["arn:aws:lambda:eu-west-1:111122223333:layer:a:1"] * 5}},
            "layers of validate_production (5) are too many: Lambda allows five, one is the module's own.",
        ),
        Case(
            {"validate_deployment": {"expected_count": 0}},
            "validate_deployment.expected_count is 0; expected a whole number of",
        ),
        Case(
            {"validate_deployment": {"interval": 0}},
            "validate_deployment.interval is 0; expected seconds above 0, up to 60, or null for 1 to 3.",
        ),
        Case(
            {"validate_deployment": {"consecutive_successes": 1.5}},
            "validate_deployment.consecutive_successes is 1.5; expected a whole number from 1 to 100.",
        ),
        Case(
            {"validate_test_traffic": {"base_url": "test.example.com"}},
            'validate_test_traffic.base_url is "test.example.com"; expected an address such as',
        ),
        Case(
            {"validate_test_traffic": {"interval": 61}},
            "validate_test_traffic.interval is 61; expected seconds above 0, up to 60.",
        ),
        Case({"run_migrations": {"command": []}}, "run_migrations has command = []; expected words, such as"),
        Case(
            {"run_migrations": {"verify_data_command": ["check"]}},
            "run_migrations has verify_data_command without command and preset: nothing would run. Set command too, or",
            apart="no command",
        ),
        Case(
            {"run_migrations": {"preset": "flyway"}},
            'run_migrations.preset is "flyway"; expected "alembic" or "django", or null. For another tool set command',
        ),
        Case(
            {"run_migrations": {"container": "app:1"}},
            'run_migrations.container is "app:1"; expected a container\'s name',
        ),
        Case(
            {"run_migrations": {"cpu": 0.5}},
            "run_migrations.cpu is 0.5; expected a whole number of CPU units (1024 are one vCPU) from 128 to 16384, or",
        ),
        Case(
            {"run_migrations": {"cpu": 256.5}},
            "run_migrations.cpu is 256.5; expected a whole number of CPU units",
            apart="parts",
        ),
        Case(
            {"run_migrations": {"memory": 122881}},
            "run_migrations.memory is 122881; expected a whole number of MiB from 128 to 122880, or null for what the",
        ),
        Case(
            {"run_migrations": {"memory": 512.5}},
            "run_migrations.memory is 512.5; expected a whole number of MiB",
            apart="parts",
        ),
        Case(
            {"run_migrations": {"subnets": ["subnet-0a", "10.0.0.0/24"]}},
            'run_migrations.subnets is ["subnet-0a","10.0.0.0/24"]; expected 1 to 16 ids such as "subnet-0123456789',
        ),
        Case(
            {"run_migrations": {"subnets": []}},
            "run_migrations.subnets is []; expected 1 to 16 ids such as",
            apart="none",
        ),
        Case(
            {"run_migrations": {"security_groups": ["default"]}},
            'run_migrations.security_groups is ["default"]; expected 1 to 5 ids such as "sg-0123456789abcdef0", or',
        ),
        Case(
            {"run_migrations": {"security_groups": []}},
            "run_migrations.security_groups is []; expected 1 to 5 ids such as",
            apart="none",
        ),
        Case(
            {"run_migrations": {"security_groups": [f"sg-{number}" for number in range(6)]}},
            '"sg-5"]; expected 1 to 5 ids such as',
            apart="many",
        ),
        Case(
            {"run_migrations": {"subnets": [f"subnet-{number}" for number in range(17)]}},
            '"subnet-16"]; expected 1 to 16 ids such as',
            apart="many",
        ),
        Case(
            {"run_migrations": {"launch": "spot capacity"}},
            'run_migrations.launch is "spot capacity"; expected "FARGATE", "EC2" or "EXTERNAL", or a capacity provider',
        ),
        Case(
            {"run_migrations": {"launch": "Fargate"}},
            'run_migrations.launch is "Fargate"; expected "FARGATE", "EC2" or "EXTERNAL", or a capacity provider',
            apart="none",
        ),
        Case(
            {"run_migrations": {"lock_timeout": 0, "statement_timeout": 3001}},
            "run_migrations has lock_timeout = 0, statement_timeout = 3001; expected seconds from 0.001 to 3000, or",
        ),
        Case(
            {"run_migrations": {"timeout": 2941}},
            "run_migrations.timeout is 2941; expected seconds above 0, up to 2940 (max_duration less 60 for stopping",
            apart="none",
        ),
        Case(
            {"run_migrations": {"timeout": 0}},
            "run_migrations.timeout is 0; expected seconds above 0, up to 2940",
            apart="parts",
        ),
        Case(
            {"run_migrations": {"max_duration": 3301}},
            "run_migrations.max_duration is 3301; expected 60 to 3300 seconds: CodeDeploy gives a hook one hour.",
        ),
        Case(
            {"run_migrations": {"concurrent": "join"}},
            'run_migrations.concurrent is "join"; expected "wait" or "fail".',
        ),
        Case(
            {"run_migrations": {"log_lines": -1}},
            "run_migrations.log_lines is -1; expected a whole number from 0 to 1000.",
        ),
        Case({"run_migrations": {"interval": 0}}, "run_migrations.interval is 0; expected seconds above 0, up to 60."),
        Case(
            {"run_migrations": {"on_rollback_deployment": "no"}},
            'run_migrations.on_rollback_deployment is "no"; expected "skip"',
        ),
        Case(
            {"run_migrations": {"pass_role_arns": ["task"]}},
            'run_migrations.pass_role_arns is ["task"]; expected roles\' ARNs',
        ),
        Case(
            {"validate_production": {"duration": 2700, "load": {"rate": 1, "duration": 120, "warm_up": 1}}},
            "validate_production takes initial_delay 60 + duration 2700 (with metrics metrics_delay 180 at least) + "
            "load.duration 120 + load.warm_up 1 seconds, and 120 for the other checks and the report; max_duration "
            "allows 3000, five invocations with timeout 900, less 30 each for a report, 4350. Shorten them to 2880",
            apart="window",
        ),
        Case(
            {"validate_production": {"duration": 571}, "timeout": 180},
            "max_duration allows 3000, five invocations with timeout 180, less 30 each for a report, 750. Shorten them "
            "to 630 together, or raise max_duration (at most 3300) or timeout (at most 900).",
            apart="invocations",
        ),
        Case(
            {
                "validate_production": {
                    "initial_delay": 0,
                    "duration": 1,
                    "metrics_delay": 600,
                    "metrics": {"m": {**METRIC, "max_worse_percent": 1}},
                },
                "timeout": 173,
            },
            "validate_production takes initial_delay 0 + duration 1 (with metrics metrics_delay 600 at least) + load",
            apart="metrics",
        ),
        Case(
            {"validate_production": {"load": {"rate": 1, "duration": 119, "warm_up": 2}}, "timeout": 180},
            "validate_production.load has warm_up 2 and duration 119; a load is not interrupted, so both fit one "
            "invocation: 120 seconds with timeout 180. Shorten them, or raise timeout (at most 900).",
            apart="load",
        ),
        Case(
            {"validate_production": {"max_duration": 3301}},
            "validate_production.max_duration is 3301; expected 60 to 3300 seconds: CodeDeploy gives a hook one hour.",
        ),
        Case(
            {"validate_production": {"metrics_delay": 601}},
            "validate_production.metrics_delay is 601; expected 0 to 600 seconds.",
        ),
        Case(
            {"validate_production": {"insufficient_data": "warn"}},
            'validate_production.insufficient_data is "warn"; expected "pass" or "fail", or null.',
        ),
        Case(
            {"validate_production": {"missing_alarms": "warn"}},
            'validate_production.missing_alarms is "warn"; expected "pass" or "fail".',
        ),
        Case(
            {"validate_production": {"thresholds": {"cpu_percent": 0}}},
            "validate_production.thresholds has cpu_percent = 0; expected percent above 0, or null.",
        ),
        Case(
            {"validate_production": {"baseline": {"noise_ms": -1}}},
            "validate_production.baseline has noise_ms = -1; expected 0 or more.",
        ),
        Case(
            {"validate_production": {"baseline": {"confidence": 1}}},
            "validate_production.baseline has tolerance 0.25 and confidence 1; expected a tolerance from 0 to 1 and a "
            "confidence from 0.5 to 0.9999.",
        ),
        Case(
            {"validate_production": {"metrics": {"a b": {**METRIC, "max_worse_percent": 0}}}},
            'validate_production.metrics has the name "a b"; a name has up to 64 printable characters, no spaces',
        ),
        Case(
            {"validate_production": {"initial_delay": -1}},
            "validate_production.initial_delay is -1 and duration is 300; expected",
        ),
        Case(
            {"validate_production": {"interval": 301}},
            "validate_production.interval is 301; expected seconds above 0, up to 300.",
        ),
        Case(
            {"validate_production": {"alarms": {"errors": "FINE"}}},
            'validate_production.alarms has errors = "FINE"; an alarm\'s',
        ),
        Case({"validate_production": {"alarms": {"errors": None}}}, "validate_production.alarms has errors = null; an"),
        Case(
            {"validate_production": {"no_data": "warn"}},
            'validate_production.no_data is "warn"; expected "pass" or "fail".',
        ),
        Case(
            {"validate_production": {"thresholds": {"unhealthy_hosts": -1}}},
            "validate_production.thresholds has unhealthy_hosts = -1; expected 0 or more.",
        ),
    ]
    cases += [
        Case(
            {"validate_production": {"load": {"rate": 1, "duration": 1, **wrong}}}, f"validate_production.load{message}"
        )
        for wrong, message in LOADS
    ]
    rules = [message.split("; ")[1][:10] for _, message in METRICS]
    cases += [
        Case(
            {"validate_production": {"metrics": {f"m{number}": {**METRIC, "threshold_range": {"min": 1}, **wrong}}}},
            f"validate_production.metrics: m{number} has {message}",
            # A refusal names all metrics that break its rule.
            apart="again" if rules[number] in rules[:number] else "",
        )
        for number, (wrong, message) in enumerate(METRICS)
    ]
    for hook in HOOKS:
        cases.append(
            Case({hook: {"checks": {"x": "off"}}}, f'{hook}.checks has x = "off"; a check\'s severity is "fail"')
        )
        cases.append(Case({hook: {"checks": {"x": None}}}, f"{hook}.checks has x = null; a check's severity is"))
    for hook in ("validate_test_traffic", "validate_production"):
        cases += [
            Case({hook: {"samples": -1}}, f"{hook}.samples is -1; expected a whole number from 0 to 10000."),
            Case({hook: {"concurrency": 65}}, f"{hook}.concurrency is 65; expected a whole number from 1 to 64."),
            Case(
                {hook: {"thresholds": {"error_rate": 2}}},
                f"{hook}.thresholds.error_rate is 2; expected a share from 0 to 1",
            ),
            Case(
                {hook: {"thresholds": {"p99_ms": 0}}},
                f"{hook}.thresholds has p99_ms = 0; expected milliseconds above 0.",
            ),
        ]
        cases += _cases_of_requests(hook)
    return cases


def _cases_of_requests(hook: str) -> list[Case]:
    """What the function's precondition refuses: all of it in one plan, since validations come first."""
    found: list[tuple[dict[str, Any], str]] = [
        ({"http_checks": {f"h{number}": wrong}}, f".http_checks.h{number}{message}")
        for number, (wrong, message) in enumerate(REQUESTS + HTTP_CHECKS)
    ]
    found += [
        (
            {"flows": {f"f{number}": {"steps": [{"save": {"saved": "id"}}, wrong]}}},
            f".flows.f{number}.steps[1]{message}",
        )
        for number, (wrong, message) in enumerate(REQUESTS + STEPS)
    ]
    found += [
        ({"host": "http://a"}, '.host is "http://a"; expected a host name such as "www.example.com".'),
        ({"headers": {"Accept:": "a"}}, '.headers["Accept:"] is no header; a header\'s name has letters, digits'),
        ({"http_checks": {"a b": {}}}, '.http_checks["a b"] is no name; a name has up to 64 printable characters'),
        ({"http_checks": {"": {}}}, '.http_checks[""] is no name; a name has up to 64 printable characters'),
        ({"flows": {"a:b": {"steps": [{}]}}}, '.flows["a:b"] is no name; a name has up to 64 printable characters'),
        ({"flows": {"é" * 65: {"steps": [{}]}}}, f'.flows["{"é" * 65}"] is no name; a name has up to 64 printable'),
        ({"http_checks": {"none": None}}, '.http_checks.none is null; expected an object ({} is a GET of "/")'),
        ({"flows": {"none": None}}, ".flows.none.steps is null; expected a list of requests, one at least."),
        ({"flows": {"empty": {"steps": []}}}, ".flows.empty.steps is []; expected a list of requests, one at least."),
        (
            {"flows": {"gap": {"steps": [None]}}},
            ".flows.gap.steps is [null]; expected a list of requests, one at least.",
        ),
        (
            {"flows": {"grave": {"severity": "skip", "steps": [{}]}}},
            '.flows.grave.severity is "skip"; expected "fail" or "warn"; "skip" goes into the hook\'s checks.',
        ),
        (
            {"flows": {"late": {"steps": [{"path": "/{id}", "save": {"id": "id"}}]}}},
            ".flows.late.steps[0].path is a text with {id}; no step before it saves that.",
        ),
    ]
    if hook == "validate_production":
        load: dict[str, Any] = {"rate": 1, "duration": 1, "path": "orders", "timeout": 61, "status": ["6xx"]}
        found += [
            ({"load": load}, '.load.path is "orders"; a path begins with "/" and has no spaces'),
            ({"load": load}, ".load.timeout is 61; expected seconds above 0, up to 60."),
            ({"load": load}, '.load.status is ["6xx"]; expected codes ("200"), ranges ("200-399") or classes ("2xx")'),
        ]
    return [Case({hook: wrong}, f"{hook}{message}", apart="requests") for wrong, message in found]


def _merge(into: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return both, merged, or None where they give one input two values."""
    merged = dict(into)
    for key, value in more.items():
        if key not in merged or merged[key] == value:
            merged[key] = value
        elif isinstance(value, dict) and isinstance(merged[key], dict):
            deeper = _merge(merged[key], value)
            if deeper is None:
                return None
            merged[key] = deeper
        else:
            return None
    return merged


def _share_plans(cases: list[Case]) -> list[tuple[dict[str, Any], list[Case]]]:
    """Put cases that do not touch each other into one plan: Terraform names all refusals at once."""
    plans: list[tuple[dict[str, Any], list[Case]]] = []
    for case in cases:
        for number, (inputs, sharing) in enumerate(plans):
            merged = _merge(inputs, case.inputs)
            if merged is not None and case.apart == sharing[0].apart:
                plans[number] = (merged, [*sharing, case])
                break
        else:
            plans.append((dict(case.inputs), [case]))
    return plans


CASES = _cases()


@pytest.fixture(scope="module")
def refusals(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What Terraform says to each case, by the case's message."""
    folder = tmp_path_factory.mktemp("refusals")
    write_stack(folder, ROOT, {})
    terraform.init(folder)
    said = {}
    for inputs, cases in _share_plans(CASES):
        write_stack(folder, ROOT, inputs)
        result = terraform.plan(folder)
        assert result.returncode == 1, f"not refused: {inputs}"
        said.update({case.message: result.stdout for case in cases})
    return said


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.message[:60])
def test_a_wrong_input_is_refused_by_its_value_and_with_the_cure(case: Case, refusals: dict[str, str]) -> None:
    """The message of the validation, with the value given, is in what Terraform says."""
    assert case.message in plain(refusals[case.message])


def test_every_validation_has_a_case(refusals: dict[str, str]) -> None:
    """Terraform names the line of the validation that refused: together the cases reach all of them."""
    lines = (ROOT / "variables.tf").read_text(encoding="utf-8").splitlines()
    written = {number for number, line in enumerate(lines, start=1) if line == "  validation {"}
    reached = {int(line) for text in refusals.values() for line in re.findall(r"variables\.tf:(\d+),", plain(text))}
    assert written, "no validation found"
    assert {f"line {number}: {lines[number + 1].strip()}" for number in written - reached} == set()


def test_every_rule_of_a_request_has_a_case() -> None:
    """What each row of main.tf expects is the end of some message."""
    text = (ROOT / "main.tf").read_text(encoding="utf-8")
    rules = re.findall(r'expected += "((?:[^"\\]|\\.)*)"', text)
    expected = {rule.replace('\\"', '"') for rule in rules}
    assert len(expected) >= 30
    said = {case.message.split("; ", 1)[1] for case in CASES if "; " in case.message}
    assert {rule for rule in expected if not any(rule.startswith(words) for words in said)} == set()


def test_what_may_be_a_secret_is_not_shown(refusals: dict[str, str]) -> None:
    """A secret put where its ARN belongs, a body, a header's value: none is in what Terraform says."""
    said = "".join(refusals.values())
    assert "hunter2" not in said
    assert "{id: 1}" not in said


def test_a_sensitive_value_is_named_and_not_shown(terraform: Terraform, tmp_path: Path) -> None:
    """Nor does it hide what is wrong elsewhere, as Terraform would by itself."""
    secret = '${sensitive("s3cret")}'
    http_checks = {
        "health": {"path": secret, "status": ["ok"]},
        "orders": {"secret_headers": {"X-Key": secret}, "headers": {"X-Other": secret}, "json": secret},
    }
    write_stack(tmp_path / "stack", ROOT, {"validate_test_traffic": {"http_checks": http_checks}})
    terraform.init(tmp_path / "stack")
    result = terraform.plan(tmp_path / "stack")
    assert result.returncode == 1
    said, hook = plain(result.stdout), "validate_test_traffic.http_checks"
    assert f'{hook}.health.status is ["ok"]; expected codes' in said
    assert f"{hook}.health.path is a sensitive value; a path begins with" in said
    assert f'{hook}.orders.secret_headers["X-Key"] is a sensitive value; expected the ARN of' in said
    assert f"{hook}.orders.json is a sensitive value; expected JSON text" in said
    assert "sensitive values" not in said


def test_values_on_the_edge_are_accepted(terraform: Terraform, tmp_path: Path) -> None:
    """What the messages call right is right."""
    arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/key-AbCdEf"
    request: dict[str, Any] = {
        "status": ["200", "301-302", "4xx"],
        "method": "POST",
        "path": "/a?b=c",
        "timeout": 60,
        "interval": 0,
        "attempts": 100,
        "consecutive_successes": 100,
        "consecutive_error_limit": 100,
        "max_body": 10000000,
        "json": '{"a": "{image_tag}"}',
        "secret_headers": {
            "A": arn,
            "B": f"Bearer {arn}:token",
            "C": "arn:aws-cn:ssm:cn-north-1:111122223333:parameter/a/b.c",
        },
        "jmespath": {
            "a": {"equals": "{image_tag}", "one_of": ["x"], "exists": False, "length": 0},
            "b": {"at_least": 1, "at_most": 1},
        },
        "certificate_days": 0.5,
    }
    http_checks = {
        "codes": {**request, "initial_delay": 600, "samples": 0, "severity": "warn"},
        "elsewhere": {
            "url": "https://example.com:8443/x?y",
            "host": "www.example.com:8443",
            "headers": {"X-A": "{b}\té", "X-B": ""},
        },
        "é" * 64: {"path": "/{not_a_step}", "follow_redirects": True, "body": "{}"},
    }
    flows = {
        "order": {
            "severity": "warn",
            "steps": [
                {**request, "name": "place it", "save": {"id": "id", "where_1": "header:Location"}},
                {"path": "/{id}/{revision}", "headers": {"X": "{where_1}{image_tag}"}, "save": {"other": '"a-b"'}},
                {"url": "https://{other}/{id}?{NotAName}", "always": True},
            ],
        }
    }
    inputs: dict[str, object] = {
        "log_retention": 0,
        "runtime": "python3.9",
        "architecture": "arm64",
        "memory_size": 10240,
        "timeout": 900,
        "function_name_prefix": "",
        "role_path": "/a/b/",
        "codedeploy_application_name": "shop.v2+eu=1,@a",
        "permissions_boundary": "arn:aws:iam::aws:policy/PowerUserAccess",
        "kms_key_arn": "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-1234abcd",
        "environment_variables": {"run_migrations": {"AWS_ENDPOINT_URL_ECS": "https://vpce.example.com", "T1": ""}},
        "validate_deployment": {"expected_count": 1, "interval": 0.1, "consecutive_successes": 1},
        "validate_test_traffic": {
            "host": "www.example.com",
            "headers": {"X-Test": "1"},
            "http_checks": http_checks,
            "flows": flows,
            "samples": 0,
            "concurrency": 64,
            "thresholds": {"error_rate": 1, "max_ms": 0.5},
        },
        "run_migrations": {
            "preset": "django",
            "verify_data_command": ["true"],
            "cpu": 128,
            "memory": 122880,
            "subnets": [f"subnet-{number}" for number in range(16)],
            "security_groups": [f"sg-{number}" for number in range(5)],
            "assign_public_ip": False,
            "launch": "my_Spot-1",
            "lock_timeout": 0.001,
            "statement_timeout": 3000,
            "timeout": 3240,
            "max_duration": 3300,
            "concurrent": "fail",
            "retry_interrupted": True,
            "log_lines": 0,
            "on_rollback_deployment": "run",
        },
        "validate_production": {
            "http_checks": http_checks,
            "flows": flows,
            "initial_delay": 0,
            "duration": 2579,
            "max_duration": 3300,
            "load": {"rate": 10000, "duration": 301, "warm_up": 300, "status": ["2xx"]},
            "metrics": {
                "a": {**METRIC, "threshold_range": {"max": 0}, "statistic": "p99.9", "period": 300},
                "b": {**METRIC, "threshold_range": {"min": 0}, "statistic": "p0", "period": 10, "min_datapoints": 1},
                "c": {"expression": "a/bC_1", "queries": {"a": QUERY, "bC_1": QUERY}, "max_worse_percent": 0},
            },
            "alarms": {"a": "OK", "b": "ALARM", "c": "INSUFFICIENT_DATA"},
            "insufficient_data": "pass",
            "baseline": {"tolerance": 1, "confidence": 0.9999, "noise_ms": 0, "max_worse_percent": 0},
            "metrics_delay": 600,
        },
    }
    write_stack(tmp_path / "stack", ROOT, inputs)
    terraform.init(tmp_path / "stack")
    result = terraform.plan(tmp_path / "stack")
    assert result.returncode == 0, result.stdout
