"""gate.runner: settings and environment can be read, and the deployment is the one to judge."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from gate.options import HookOptions, option

from tests.unit.gate.codedeploy_server import EVENT, REPORT, CodeDeploy, deployment, group
from tests.unit.gate.conftest import Clock
from tests.unit.gate.sample_hooks import good, hook_of, outcomes

# Settings and environment


@dataclass(frozen=True)
class CountOptions(HookOptions):
    """Two numbers."""

    least: int = option("the least", 1, least=1, most=100)
    most: float = option("the most", 2.0, unit="seconds", least=0, most=10)


def test_all_problems_of_settings_and_environment_are_named_at_once(
    codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ECS_SERVICE")
    monkeypatch.setenv("APP_NAME", " ")
    monkeypatch.setenv("HOOK_SETTINGS", '{"least": 0, "most": "many", "checks": {"a": "ignore"}}')
    message = hook_of(good(), options=CountOptions)(EVENT)["message"]
    assert "APP_NAME, ECS_SERVICE is not set" in message
    assert "sample_hooks.least is 0; expected a whole number from 1 to 100." in message
    assert 'sample_hooks.most is "many"; expected seconds from 0 to 10.' in message
    assert 'sample_hooks.checks.a is "ignore"; expected "fail", "warn" or "skip".' in message
    assert codedeploy.statuses == ["Failed"]
    assert [operation for operation, _ in codedeploy.calls] == [REPORT], "nothing else is asked of AWS"


# Whose deployment it is


def test_a_deployment_of_another_service_is_reported_failed_at_once(codedeploy: CodeDeploy, clock: Clock) -> None:
    codedeploy.replies["GetDeploymentGroup"] = [group("main", "billing")]
    answer = hook_of(good("never"))(EVENT)
    assert "deploys main/billing, but this hook watches main/web" in answer["message"]
    assert outcomes(answer) == {"deployment": "failed"}, "nothing else is looked at"
    assert (codedeploy.statuses, clock.sleeps) == (["Failed"], [])


@pytest.mark.parametrize("status", ["Succeeded", "Failed", "Stopped"])
def test_a_deployment_that_is_over_is_reported_failed_at_once(
    codedeploy: CodeDeploy, clock: Clock, status: str
) -> None:
    codedeploy.replies["GetDeployment"] = [deployment(status)]
    answer = hook_of(good())(EVENT)
    assert answer["message"] == f"deployment d-ABCDEF123 is already {status}: there is nothing left to judge"
    assert (codedeploy.statuses, clock.sleeps) == (["Failed"], [])


@pytest.mark.parametrize("status", ["Created", "Queued", "InProgress", "Ready", "Baking"])
def test_a_deployment_under_way_is_judged(codedeploy: CodeDeploy, status: str) -> None:
    codedeploy.replies["GetDeployment"] = [deployment(status)]
    assert hook_of(good())(EVENT)["status"] == "SUCCEEDED"


def test_arns_in_the_environment_are_read_as_names(codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECS_CLUSTER", "arn:aws:ecs:eu-west-1:111122223333:cluster/main")
    monkeypatch.setenv("ECS_SERVICE", "arn:aws:ecs:eu-west-1:111122223333:service/main/web")
    assert hook_of(good())(EVENT)["status"] == "SUCCEEDED"
    assert codedeploy.statuses == ["Succeeded"]
