"""What the module refuses at plan: each validation of variables.tf, and options by their bounds, forms and names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.module.conftest import ROOT, Terraform, plain, write_stack
from tests.module.options_stack import merged
from tests.module.refused_inputs import INNER_INPUTS, MODULE_INPUTS, Case

METRIC: dict[str, Any] = {"namespace": "Shop", "metric_name": "Orders"}
ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop-AbCdEf"
# One of each form; tests/module/test_options_agree.py tries every rule of every option.
OPTIONS = [
    Case(
        {"validate_deployment": {"expected_count": 0}},
        "validate_deployment.expected_count is 0; expected a whole number from 1 to 100000, or null.",
    ),
    Case(
        {"validate_deployment": {"interval": 0}},
        "validate_deployment.interval is 0; expected seconds from 0.001 to 60.",
    ),
    Case(
        {"validate_deployment": {"consecutive_successes": 1.5}},
        "validate_deployment.consecutive_successes is 1.5; expected a whole number from 1 to 100.",
    ),
    Case(
        {"validate_test_traffic": {"base_url": "test.example.com"}},
        'validate_test_traffic.base_url is "test.example.com"; expected an address such as "https://test.example.com:',
    ),
    Case(
        {"validate_test_traffic": {"thresholds": {"error_rate": 2, "p99_ms": 0}}},
        "validate_test_traffic.thresholds.error_rate is 2; expected a share from 0 to 1. 0.01 is one in a hundred.",
    ),
    Case(
        {"validate_test_traffic": {"thresholds": {"error_rate": 2, "p99_ms": 0}}},
        "validate_test_traffic.thresholds.p99_ms is 0; expected milliseconds from 0.001 to 3600000",
    ),
    Case(
        {"validate_test_traffic": {"http_checks": {"a b": {}}}},
        'validate_test_traffic.http_checks has the key "a b"; expected a name of up to 64 printable characters, witho',
    ),
    Case(
        {"validate_test_traffic": {"http_checks": {"c": {"status": []}, "d": {"status": ["200", "20x"]}}}},
        "validate_test_traffic.http_checks.c.status has 0 entries; expected 1 to 100.",
    ),
    Case(
        {"validate_test_traffic": {"http_checks": {"c": {"status": []}, "d": {"status": ["200", "20x"]}}}},
        'http_checks.d.status[1] is "20x"; expected codes ("200"), ranges ("200-399") or classes ("2xx").',
    ),
    Case(
        {"validate_test_traffic": {"http_checks": {"m": {"method": "get", "path": "health", "host": "http://a"}}}},
        'http_checks.m.method is "get"; expected "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" or "OPTIONS".',
    ),
    Case(
        {"validate_test_traffic": {"http_checks": {"m": {"method": "get", "path": "health", "host": "http://a"}}}},
        'http_checks.m.path is "health"; expected a path and query that begin with "/", printable and without spaces.',
    ),
    Case(
        {"validate_test_traffic": {"http_checks": {"m": {"method": "get", "path": "health", "host": "http://a"}}}},
        'http_checks.m.host is "http://a"; expected a host name such as "www.example.com", or null.',
    ),
    Case(
        {"validate_test_traffic": {"http_checks": {"u": {"url": "example.com"}, "v": {"url": "ftp://me:hunter2@a"}}}},
        'validate_test_traffic.http_checks.u.url is "example.com"; expected an address such as',
    ),
    Case(
        {"validate_test_traffic": {"http_checks": {"u": {"url": "example.com"}, "v": {"url": "ftp://me:hunter2@a"}}}},
        "validate_test_traffic.http_checks.v.url is an address of 18 characters; expected an address such as",
    ),
    Case(
        {"validate_test_traffic": {"http_checks": {"s": {"severity": "skip"}}}},
        'http_checks.s.severity is "skip"; expected "fail" or "warn". "skip" goes into the hook\'s checks.',
    ),
    Case(
        {"validate_test_traffic": {"http_checks": {"h": {"headers": {"Accept:": "a", "X-Note": "a\n"}}}}},
        'http_checks.h.headers has a key of 7 characters that begins with "Accept"; expected a header\'s name',
    ),
    Case(
        {"validate_test_traffic": {"http_checks": {"h": {"headers": {"Accept:": "a", "X-Note": "a\n"}}}}},
        "http_checks.h.headers.X-Note is a text of 2 characters; expected a header's value: text without line breaks",
    ),
    Case(
        {"validate_test_traffic": {"http_checks": {"k": {"secret_headers": {"X-Key": "Bearer hunter2"}}}}},
        "k.secret_headers.X-Key is a text of 14 characters; expected the ARN of a Secrets Manager secret or "
        'SSM parameter, alone or after one word ("Bearer arn:…"). The value itself belongs there, not here.',
    ),
    Case(
        {
            "validate_production": {
                "flows": {"f": {"steps": [{"secret_headers": {"X": "hunter2"}}], "severity": "skip"}}
            }
        },
        "validate_production.flows.f.steps[0].secret_headers.X is a text of 7 characters; expected the ARN of a Secre",
    ),
    Case(
        {"validate_production": {"flows": {"g": {"steps": [{"save": {"Id": "id"}}]}}}},
        'validate_production.flows.g.steps[0].save has the key "Id"; expected a name to use as {name}: a small letter,',
    ),
    Case(
        {"run_migrations": {"command": [], "verify_data_command": ["check", ""]}},
        "run_migrations.command has 0 entries; expected 1 to 1000, or null.",
    ),
    Case(
        {"run_migrations": {"command": [], "verify_data_command": ["check", ""]}},
        'run_migrations.verify_data_command[1] is ""; expected words, none of them empty, such as ["alembic", "upgrad',
    ),
    Case(
        {"run_migrations": {"preset": "flyway"}},
        'run_migrations.preset is "flyway"; expected "alembic" or "django", or null. For another tool set command',
    ),
    Case(
        {"run_migrations": {"container": "app:1"}},
        'run_migrations.container is "app:1"; expected a container\'s name in the task definition (up to 255 letters,',
    ),
    Case(
        {"run_migrations": {"cpu": 256.5, "memory": 122881}},
        "run_migrations.cpu is 256.5; expected a whole number of CPU units from 128 to 16384, or null.",
    ),
    Case(
        {"run_migrations": {"cpu": 256.5, "memory": 122881}},
        "run_migrations.memory is 122881; expected a whole number of MiB from 128 to 122880, or null.",
    ),
    Case(
        {"run_migrations": {"subnets": ["subnet-0a", "10.0.0.0/24"], "security_groups": []}},
        'run_migrations.subnets[1] is "10.0.0.0/24"; expected ids such as "subnet-0123456789abcdef0".',
    ),
    Case(
        {"run_migrations": {"subnets": ["subnet-0a", "10.0.0.0/24"], "security_groups": []}},
        "run_migrations.security_groups has 0 entries; expected 1 to 5, or null.",
    ),
    Case(
        {"run_migrations": {"launch": "spot capacity"}},
        'run_migrations.launch is "spot capacity"; expected "FARGATE", "EC2", "EXTERNAL" or a capacity provider\'s na',
    ),
    Case(
        {"run_migrations": {"max_duration": 3301}},
        "run_migrations.max_duration is 3301; expected seconds from 60 to 3300. CodeDeploy gives a hook one hour.",
    ),
    Case({"run_migrations": {"concurrent": "join"}}, 'run_migrations.concurrent is "join"; expected "wait" or "fail".'),
    Case(
        {"run_migrations": {"pass_role_arns": ["task"]}},
        'run_migrations.pass_role_arns[0] is "task"; expected roles\' ARNs such as "arn:aws:iam::111122223333:role/we',
    ),
    Case(
        {"validate_production": {"load": {"rate": 0, "duration": 601, "concurrency": 257}}},
        "validate_production.load.rate is 0; expected requests a second from 0.001 to 10000.",
    ),
    Case(
        {"validate_production": {"load": {"rate": 0, "duration": 601, "concurrency": 257}}},
        "validate_production.load.duration is 601; expected seconds from 0.001 to 600.",
    ),
    Case(
        {"validate_production": {"load": {"rate": 0, "duration": 601, "concurrency": 257}}},
        "validate_production.load.concurrency is 257; expected a whole number from 1 to 256.",
    ),
    Case(
        {"validate_production": {"baseline": {"confidence": 1}}},
        "validate_production.baseline.confidence is 1; expected a confidence from 0.5 to 0.9999.",
    ),
    Case(
        {"validate_production": {"alarms": {"errors": "FINE"}}},
        'validate_production.alarms.errors is "FINE"; expected "OK", "ALARM" or "INSUFFICIENT_DATA".',
    ),
    Case(
        {"validate_production": {"metrics": {"m": {**METRIC, "statistic": "p101", "direction": "up"}}}},
        'validate_production.metrics.m.statistic is "p101"; expected "Average", "Sum", "Minimum", "Maximum", "SampleC',
    ),
    Case(
        {"validate_production": {"metrics": {"m": {**METRIC, "statistic": "p101", "direction": "up"}}}},
        'validate_production.metrics.m.direction is "up"; expected "increase", "decrease" or "either".',
    ),
    Case(
        {"validate_production": {"metrics": {"n": {**METRIC, "dimensions": {f"D{n}": "v" for n in range(31)}}}}},
        "validate_production.metrics.n.dimensions has 31 entries; expected 0 to 30.",
    ),
    Case(
        {"validate_before_install": {"checks": {"images": "off"}}},
        'validate_before_install.checks.images is "off"; expected "fail", "warn" or "skip".',
    ),
]
# Names in `checks`, of every hook.
NAMES = [
    Case(
        {"validate_before_install": {"checks": {"imags": "warn", "images:shop:2": "warn"}}},
        "validate_before_install.checks has imags, which is the name of no check; there are service, blue_targets,",
    ),
    Case(
        {"validate_deployment": {"checks": {"steady:now": "warn"}}}, "validate_deployment.checks has steady:now, which"
    ),
    Case(
        {
            "validate_test_traffic": {
                "http_checks": {"orders": {}, "load": {}, "cost$usd": {}},
                "checks": {
                    "http:cost$usd": "warn",
                    "http:orders": "warn",
                    "samples:orders:p99": "warn",
                    "samples:load": "skip",
                    "http:order": "warn",
                    "samples:orders:p98": "warn",
                    "error_rate": "warn",
                },
            }
        },
        "validate_test_traffic.checks has error_rate, http:order, samples:orders:p98, which is the name of no check; "
        "there are test_listener, green_serves_tests, http, samples, flow, smoke_test, and those that docs/checks.md "
        "has below th",
    ),
    Case(
        {"run_migrations": {"checks": {"rollbck": "warn", "alone": "warn"}}}, "run_migrations.checks has rollbck, which"
    ),
    Case(
        {
            "validate_production": {
                "metrics": {"p95": {**METRIC, "max_worse_percent": 5}},
                "checks": {
                    "alarms:shop:5xx": "warn",
                    "metric:p95": "warn",
                    "against_blue:p95": "warn",
                    "against_blue:metric:p95": "warn",
                    "load:p99": "warn",
                    "latency": "warn",
                    "http:health": "warn",
                    "latency_p99": "warn",
                    "metric:p99": "warn",
                },
            }
        },
        "validate_production.checks has latency_p99, metric:p99, which is the name of no check; there are time, green_",
    ),
]
CASES = [*MODULE_INPUTS, *INNER_INPUTS, *OPTIONS, *NAMES]


def _share_plans(cases: list[Case]) -> list[tuple[dict[str, Any], list[Case]]]:
    """Put cases that do not touch each other into one plan: Terraform names all refusals at once."""
    plans: list[tuple[dict[str, Any], list[Case]]] = []
    for case in cases:
        for number, (inputs, sharing) in enumerate(plans):
            both = merged(inputs, case.inputs)
            if both is not None and case.apart == sharing[0].apart:
                plans[number] = (both, [*sharing, case])
                break
        else:
            plans.append((dict(case.inputs), [case]))
    return plans


@pytest.fixture(scope="module")
def refusals(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What Terraform says to each case, by the case's message."""
    folder = tmp_path_factory.mktemp("refusals")
    write_stack(folder, ROOT, {})
    terraform.init(folder)
    said = {}
    # Options are judged before what their function is told, so names in `checks` have plans of their own.
    for inputs, cases in [
        each for kind in (MODULE_INPUTS, INNER_INPUTS, OPTIONS, NAMES) for each in _share_plans(kind)
    ]:
        write_stack(folder, ROOT, inputs)
        result = terraform.plan(folder)
        assert result.returncode == 1, f"not refused: {inputs}"
        said.update({case.message: result.stdout for case in cases})
    return said


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.message[:60])
def test_a_wrong_input_is_refused_by_its_value_and_with_the_cure(case: Case, refusals: dict[str, str]) -> None:
    """The message of the validation, with the value given, is in what Terraform says."""
    assert case.message in plain(refusals[case.message])


@pytest.mark.parametrize(
    "file",
    [
        "variables.tf",
        "modules/custom/variables.tf",
        "modules/lifecycle_hooks/outputs.tf",
        "modules/visibility/variables.tf",
    ],
)
def test_every_validation_has_a_case(refusals: dict[str, str], file: str) -> None:
    """Terraform names the line of the rule that refused, or of its condition: together the cases reach all of them."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    written = {number for number, line in enumerate(lines, 1) if line in ("  validation {", "  precondition {")}
    said = "".join(plain(text) for text in refusals.values())
    found = re.findall(r"((?:modules/\w+/)?\w+\.tf)(?::(\d+),| line (\d+),)", said)
    reached = {int(rule or int(condition) - 1) for where, rule, condition in found if where == file}
    assert written, "no validation found"
    assert {f"line {number}: {lines[number].strip()}" for number in written - reached} == set()


def test_what_may_be_a_secret_is_not_shown(refusals: dict[str, str]) -> None:
    """A secret put where its ARN belongs, a body, a header's value: none is in what Terraform says."""
    said = "".join(refusals.values())
    assert "hunter2" not in said


def test_a_sensitive_value_is_named_and_not_shown(terraform: Terraform, tmp_path: Path) -> None:
    """Nor does it hide what is wrong elsewhere, as Terraform would by itself; alone, in a map, and as a whole."""
    secret = '${sensitive("s3cret")}'
    http_checks = {
        "health": {"path": secret, "status": ["ok"], "secret_headers": {"X-Key": secret}},
        "orders": {"response_headers": '${sensitive({ "X Other" = { equals = "s3cret" } })}'},
    }
    inputs = {
        "validate_test_traffic": {"http_checks": http_checks},
        "validate_production": {"alarms": '${sensitive({ errors = "s3cret" })}'},
        "run_migrations": '${sensitive({ command = ["a"], launch = "s3cret s3cret" })}',
    }
    write_stack(tmp_path / "stack", ROOT, inputs)
    terraform.init(tmp_path / "stack")
    result = terraform.plan(tmp_path / "stack")
    assert result.returncode == 1
    said, hook = plain(result.stdout), "validate_test_traffic.http_checks"
    assert f'{hook}.health.status[0] is "ok"; expected codes' in said
    assert f"{hook}.health.path is a sensitive value; expected a path and query" in said
    assert f"{hook}.health.secret_headers.X-Key is a sensitive value; expected the ARN of" in said
    assert f'{hook}.orders.response_headers has a key of 7 characters that begins with "X"; expected a header' in said
    assert "validate_production.alarms.errors is a sensitive value; expected" in said
    assert "run_migrations.launch is a sensitive value; expected" in said
    assert "s3cret" not in said
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
                "c": {**METRIC, "max_worse_percent": 0},
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
