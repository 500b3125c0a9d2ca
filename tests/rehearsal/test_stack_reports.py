"""What is said of a stack: first what is wrong and the cure, then which hook stops what, and what nothing stops."""

from __future__ import annotations

import re
from typing import Any

from rehearsal.stacks.cases import CASES, quicker
from rehearsal.stacks.report import ServiceReport, StackReport, page, render
from rehearsal.stacks.services import Service, native_service, tag_of, with_tag


def service(**settings: Any) -> Service:
    outputs = {"service_name": "shop", "cluster_name": "main", "function_names": {}, "image": "shop:1"}
    return Service("codedeploy", "eu-west-1", outputs, settings, "app", 80, {"/": 200}, alarm="errors")


def played(stopped_by: str = "nothing", **more: Any) -> dict[str, Any]:
    return {
        "stopped_by": stopped_by,
        "why": "because",
        "events": [],
        "calls": [],
        "service_roles": [],
        "stopped_at": None,
        "error": None,
        **more,
    }


def report(**cases: dict[str, Any]) -> StackReport:
    found = ServiceReport(service(), {name.replace("_", "-"): case for name, case in cases.items()})
    return StackReport("stack", 60, 100.0, ["aws_x.y is left out: why"], ["aws_x"], ["VPC vpc-1"], [], [found])


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_what_nothing_stops_is_loud() -> None:
    text = plain(render(report(healthy=played(), unhealthy=played("validate_deployment"), alarm=played())))
    lines = text.strip().splitlines()
    assert lines[0] == "✓ shop: a healthy release passes all hooks (CodeDeploy)"
    assert re.search(r"✓ Green answers 500 on its health path +validate_deployment +because", text)
    assert re.search(r"✗ An alarm goes off after the shift +NOTHING +nobody looks at errors", text)
    assert "aws_x.y is left out: why" in text
    assert "put there: VPC vpc-1" in text


def test_what_is_wrong_comes_first_with_the_cure() -> None:
    check = {"name": "test_listener", "outcome": "failed", "severity": "fail", "detail": "no test listener: add one"}
    events = [{"name": "BeforeInstall", "hook": {"checks": [check]}}]
    stopped = played("validate_before_install", stopped_at="BeforeInstall", events=events)
    lines = plain(render(report(healthy=stopped))).strip().splitlines()
    assert "stopped by validate_before_install at BeforeInstall" in lines[0]
    assert "test_listener: no test listener: add one" in lines[1]
    assert any("not played: no release gets that far" in line for line in lines)


def test_what_is_not_allowed_is_wrong() -> None:
    calls = [{"hook": "run_migrations", "action": "ecs:RunTask", "resource": "x", "denied": True}]
    role = {"role": "deployer", "action": "iam:PassRole", "resource": "y", "allowed": False, "by_boundary": True}
    found = report(healthy=played(calls=calls, service_roles=[role]))
    assert not found.services[0].passes
    said = plain(render(found))
    assert "run_migrations: ecs:RunTask on x" in said
    assert "deployer: its permissions boundary does not allow iam:PassRole on y" in said


def test_the_page_has_the_table_and_the_permissions() -> None:
    calls = [{"hook": "run_migrations", "action": "ecs:RunTask", "resource": "x"}]
    text = page(report(healthy=played(calls=calls), slow=played()))
    assert "ecs:RunTask" in text
    assert '<td class="bad">nothing</td><th scope="row"><a href="shop-slow.html">' in text


def test_what_takes_minutes_takes_seconds() -> None:
    """Nothing becomes longer, and what is not there is not added."""
    settings = {"duration": 240, "samples": 3, "interval": 15, "load": {"duration": 60, "rate": 5}}
    assert quicker("validate_production", settings) == {"duration": 8, "interval": 1, "load": {"duration": 3}}
    assert quicker("validate_before_install", {"checks": {}}) == {}
    assert quicker("validate_test_traffic", {"http_checks": {"a": {"samples": 40}}}) == {
        "http_checks": {"a": {"samples": 20}}
    }


def test_a_busy_machine_is_not_taken_for_a_slow_release() -> None:
    """And whoever allows more himself keeps it."""
    assert quicker("validate_production", {"baseline": {"noise_ms": 50}}) == {"baseline": {"noise_ms": 400}}
    assert quicker("validate_production", {"baseline": {"noise_ms": 900}}) == {}


def test_samples_stay_as_many_as_a_percentile_needs() -> None:
    """A hook skips a percentile of too few requests: what a stack limits would not be looked at."""
    assert quicker("validate_production", {"samples": 300}) == {"samples": 20}
    assert quicker("validate_production", {"samples": 300, "thresholds": {"p99_ms": 900}}) == {"samples": 100}


def test_the_cases_are_those_that_a_table_is_asked_for() -> None:
    assert list(CASES) == ["healthy", "unhealthy", "failing-migration", "alarm", "slow", "wrong-version"]


def test_images_get_another_tag() -> None:
    assert with_tag("registry:5000/a/b:1@sha256:0", "2") == "registry:5000/a/b:2"
    assert with_tag("nginx", "2") == "nginx:2"
    assert (tag_of("registry:5000/a/b"), tag_of("a:1")) == ("latest", "1")


def test_a_service_by_ecs_is_told_as_ecs_takes_it() -> None:
    described = {"clusterArn": "arn:x:cluster/main", "serviceName": "shop", "desiredCount": 2, "taskDefinition": "t"}
    advanced = {
        "alternate_target_group_arn": "b",
        "production_listener_rule": "r",
        "role_arn": "x",
        "test_listener_rule": None,
    }
    hook = {"hook_target_arn": "f", "role_arn": "r", "lifecycle_stages": ["PRE_SCALE_UP"], "hook_details": '{"a": 1}'}
    declared = {
        "deployment_configuration": [
            {
                "strategy": "CANARY",
                "bake_time_in_minutes": "5",
                "lifecycle_hook": [hook],
                "canary_configuration": [{"canary_percent": "10", "canary_bake_time_in_minutes": "1"}],
            }
        ],
        "load_balancer": [
            {
                "target_group_arn": "a",
                "container_name": "app",
                "container_port": "80",
                "advanced_configuration": [advanced],
            }
        ],
        "alarms": [{"alarm_names": ["errors"], "enable": True, "rollback": True}],
    }
    made = native_service(described, declared)
    configuration = made["deploymentConfiguration"]
    assert configuration["canaryConfiguration"] == {"canaryPercent": 10, "canaryBakeTimeInMinutes": 1}
    assert configuration["lifecycleHooks"][0]["hookDetails"] == {"a": 1}
    assert made["loadBalancers"][0]["containerPort"] == 80
    assert "testListenerRule" not in made["loadBalancers"][0]["advancedConfiguration"]
