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


# Options of one load, one metric and one HTTP check that must be refused, and what the refusal says of them.
LOADS: list[tuple[dict[str, Any], str]] = [
    ({"path": "orders"}, '.path is "orders"; a path begins with "/" and has no spaces.'),
    ({"rate": 0}, " has rate 0 and duration 1; expected a rate above 0, up to 1000 requests a second"),
    ({"concurrency": 257}, ".concurrency is 257; expected a whole number from 1 to 256."),
    ({"error_rate": 1.5}, ".error_rate is 1.5; expected a share from 0 to 1"),
    ({"p95_ms": 0}, " has p95_ms 0 and p99_ms 500; expected milliseconds above 0."),
]
METRIC: dict[str, Any] = {"namespace": "Shop", "metric_name": "Orders"}
METRICS: list[tuple[dict[str, Any], str]] = [
    ({"statistic": "p101"}, 'statistic "p101"; expected "Average", "Sum", "Minimum", "Maximum", "SampleCount" or'),
    ({"period": 90}, "period 90; CloudWatch knows 1, 5, 10, 20, 30 and multiples of 60 seconds."),
    ({"min": None}, "neither min nor max; nothing would be compared: set one of them."),
    ({"min": 2, "max": 1}, "min 2 and max 1; no value can lie between them."),
    ({"no_data": "skip"}, 'no_data "skip"; expected "pass" or "fail".'),
    ({"failure_limit": -1}, "failure_limit -1; expected a whole number of datapoints, 0 or more."),
    ({"namespace": ""}, 'namespace "", metric_name "Orders" and 0 dimensions; a metric has a namespace, a name'),
]
HTTP_CHECKS: list[tuple[dict[str, Any], str]] = [
    ({"status": ["20x"]}, 'status ["20x"]; expected codes ("200"), ranges ("200-399") or classes ("2xx"), at least'),
    ({"status": ["299-200"]}, 'status ["299-200"]; a range goes from the lower to the higher code ("200-299").'),
    ({"method": "get"}, 'method "get"; expected GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.'),
    ({"path": "health"}, 'path "health"; a path begins with "/" and has no spaces; a whole address goes into url.'),
    ({"url": "example.com"}, 'url "example.com" and path "/"; expected "http://…" or "https://…"'),
    ({"timeout": 0}, "timeout 0 and interval 1; expected a timeout above 0 and up to 60 seconds"),
    ({"attempts": 1.5}, "attempts 1.5; expected a whole number from 1 to 100."),
    ({"max_latency_ms": 0}, "max_latency_ms 0; expected milliseconds above 0."),
    ({"headers": {"Accept:": "a"}}, "headers Accept:; a header's name has letters, digits and hyphens and no colon."),
    ({"host": "http://a"}, 'host "http://a"; expected a host name such as "www.example.com".'),
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
            "run_migrations has verify_data_command without command: nothing would run. Set command too.",
            apart="no command",
        ),
        Case(
            {"run_migrations": {"container": "app:1"}},
            'run_migrations.container is "app:1"; expected a container\'s name',
        ),
        Case(
            {"run_migrations": {"timeout": 871}},
            "run_migrations.timeout is 871; expected seconds above 0, up to 870 (timeout less the 30 seconds kept",
            apart="compares",
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
            {"validate_production": {"initial_delay": 100, "duration": 700, "load": {"rate": 1, "duration": 41}}},
            "takes initial_delay 100 + duration 700 + load.duration 41 seconds; the function has 900 (timeout), 60 of "
            "them for the other checks and the report. Shorten them to 840 together.",
            apart="compares",
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
    cases += [
        Case(
            {"validate_production": {"metrics": {f"m{number}": {**METRIC, "min": 1, **wrong}}}},
            f"validate_production.metrics: m{number} has {message}",
        )
        for number, (wrong, message) in enumerate(METRICS)
    ]
    for hook in HOOKS:
        cases.append(
            Case({hook: {"checks": {"x": "off"}}}, f'{hook}.checks has x = "off"; a check\'s severity is "fail"')
        )
    for hook in ("validate_test_traffic", "validate_production"):
        cases += [
            Case({hook: {"samples": 0}}, f"{hook}.samples is 0; expected a whole number from 1 to 10000."),
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
        cases += [
            Case({hook: {"http_checks": {f"h{number}": wrong}}}, f"{hook}.http_checks: h{number} has {message}")
            for number, (wrong, message) in enumerate(HTTP_CHECKS)
        ]
    return cases


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


def test_values_on_the_edge_are_accepted(terraform: Terraform, tmp_path: Path) -> None:
    """What the messages call right is right."""
    http_checks = {
        "codes": {
            "status": ["200", "301-302", "4xx"],
            "method": "POST",
            "path": "/a?b=c",
            "timeout": 60,
            "attempts": 100,
        },
        "elsewhere": {"url": "https://example.com:8443/x?y", "host": "www.example.com:8443", "headers": {"X-A": "b"}},
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
            "http_checks": http_checks,
            "samples": 1,
            "concurrency": 64,
            "thresholds": {"error_rate": 1},
        },
        "run_migrations": {"command": ["true"], "timeout": 870, "log_lines": 0, "on_rollback_deployment": "run"},
        "validate_production": {
            "http_checks": http_checks,
            "initial_delay": 0,
            "duration": 839,
            "load": {"rate": 1000, "duration": 1},
            "metrics": {
                "a": {**METRIC, "max": 0, "statistic": "p99.9", "period": 300},
                "b": {**METRIC, "min": 0, "statistic": "p0", "period": 10},
            },
            "alarms": {"a": "OK", "b": "ALARM", "c": "INSUFFICIENT_DATA"},
        },
    }
    write_stack(tmp_path / "stack", ROOT, inputs)
    terraform.init(tmp_path / "stack")
    result = terraform.plan(tmp_path / "stack")
    assert result.returncode == 0, result.stdout
