"""The stage itself, and what holds for all five hooks."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import run_migrations
import validate_before_install
import validate_deployment
import validate_production
import validate_test_traffic
from gate.names import Named
from gate.options import HookOptions
from gate.runner import Gate
from gate.runner import hook as make_hook
from gate.verdict import passed

from rehearsal.testing.stage import Clock, Judge, Stage, refuse
from rehearsal.testing.web import Site

HOOKS = {
    "BeforeInstall": validate_before_install,
    "AfterInstall": validate_deployment,
    "AfterAllowTestTraffic": validate_test_traffic,
    "BeforeAllowTraffic": run_migrations,
    "AfterAllowTraffic": validate_production,
}
every_hook = pytest.mark.parametrize(("event", "hook"), HOOKS.items(), ids=list(HOOKS))
IDENTITY = ["codedeploy:GetDeployment", "codedeploy:GetDeploymentGroup"]
REPORT = "codedeploy:PutLifecycleEventHookExecutionStatus"


@every_hook
@pytest.mark.usefixtures("site", "now", "counted")
def test_a_healthy_deployment_passes(stage: Stage, judge: Judge, event: str, hook: ModuleType) -> None:
    judgement = judge(hook, stage.at(event))
    assert judgement.succeeded
    assert "passed" in judgement.outcomes().values()


@every_hook
def test_a_deployment_of_another_service_is_refused_and_nothing_else_looked_at(
    stage: Stage, judge: Judge, site: Site, event: str, hook: ModuleType
) -> None:
    delivered = stage.at(event)
    stage.update_group(ecsServices=[{"clusterName": "main", "serviceName": "billing"}])
    stage.calls.clear()
    judgement = judge(hook, delivered)
    assert not judgement.succeeded
    assert judgement.message == (
        f"deployment {delivered['DeploymentId']} of shop/shop deploys main/billing, but this hook watches main/shop: "
        "put that service's hooks into the AppSpec, or fix ecs_cluster_name, ecs_service_name"
    )
    assert judgement.outcomes() == {"deployment": "failed"}
    assert [call.name for call in stage.calls] == [*IDENTITY, REPORT]
    assert site.requests == []


@every_hook
def test_the_check_of_the_deployment_cannot_be_switched_off(
    stage: Stage, judge: Judge, event: str, hook: ModuleType
) -> None:
    delivered = stage.at(event)
    stage.update_group(ecsServices=[{"clusterName": "main", "serviceName": "billing"}])
    assert not judge(hook, delivered, checks={"deployment": "skip"}).succeeded


@every_hook
def test_without_a_permission_nothing_is_passed(stage: Stage, judge: Judge, event: str, hook: ModuleType) -> None:
    delivered = stage.at(event)
    stage.instead["codedeploy:GetDeploymentGroup"] = refuse("AccessDeniedException", "not allowed")
    judgement = judge(hook, delivered)
    assert judgement.outcomes() == {"deployment": "error"}
    assert judgement.message == (
        "codedeploy:GetDeploymentGroup was denied: allow it in this hook's role (AccessDeniedException: not allowed)"
    )


NEEDED = {
    "ecs:DescribeServices": list(HOOKS),
    "elbv2:DescribeTargetGroups": [event for event in HOOKS if event != "BeforeAllowTraffic"],
    "elbv2:DescribeTargetHealth": [event for event in HOOKS if event != "BeforeAllowTraffic"],
    "elbv2:DescribeListeners": ["BeforeInstall", "AfterAllowTestTraffic", "AfterAllowTraffic"],
    "ecs:DescribeTaskDefinition": ["BeforeInstall", "AfterInstall", "BeforeAllowTraffic"],
    "ecs:ListTasks": ["AfterInstall"],
    "ecs:DescribeTasks": ["AfterInstall", "BeforeAllowTraffic"],
    "ecs:RunTask": ["BeforeAllowTraffic"],
    "elbv2:DescribeLoadBalancers": ["BeforeInstall", "AfterAllowTestTraffic", "AfterAllowTraffic"],
    "cloudwatch:DescribeAlarms": ["BeforeInstall", "AfterAllowTraffic"],
    "cloudwatch:GetMetricData": ["AfterAllowTraffic"],
}


@pytest.mark.parametrize(("refused", "event"), [(name, event) for name, events in NEEDED.items() for event in events])
@pytest.mark.usefixtures("site", "now")
def test_a_hook_that_cannot_look_does_not_succeed(stage: Stage, judge: Judge, refused: str, event: str) -> None:
    hook = HOOKS[event]
    settings: dict[str, Any] = {"command": ["migrate"]} if hook is run_migrations else {}
    delivered = stage.at(event)
    stage.instead[refused] = refuse("AccessDenied", "not allowed", 403)
    judgement = judge(hook, delivered, **settings)
    assert stage.called(refused)
    assert not judgement.succeeded
    action = refused.replace("elbv2", "elasticloadbalancing")
    assert f"{action} was denied: allow it in this hook's role" in judgement.message


@every_hook
@pytest.mark.usefixtures("site", "now", "counted")
def test_what_is_throttled_for_a_moment_is_looked_at_again(
    stage: Stage, judge: Judge, event: str, hook: ModuleType
) -> None:
    delivered = stage.at(event)
    stage.instead["codedeploy:GetDeploymentGroup"] = refuse("ThrottlingException", "Rate exceeded")
    stage.clock.after(1, stage.instead.clear)
    assert judge(hook, delivered).succeeded
    assert len(stage.called("codedeploy:GetDeploymentGroup")) == 2


@pytest.mark.parametrize(
    ("name", "declared"), [("a", True), ("b:any thing", True), ("b:", False), ("a:b", False), ("other", False)]
)
def test_no_result_of_a_hook_has_a_name_that_the_hook_does_not_declare(
    stage: Stage, judge: Judge, name: str, declared: bool
) -> None:
    """The guard of all tests here: it is in the stage."""

    @make_hook("AfterInstall", HookOptions, (Named("a", "It is."), Named("b", "It is.", parts=("{what}",))))
    def handler(gate: Gate[HookOptions]) -> None:
        gate.check(name, lambda: passed("it is"))

    hook = ModuleType(__name__.rpartition(".")[2])
    vars(hook)["handler"] = handler
    event = stage.at("AfterInstall")
    if declared:
        assert judge(hook, event).succeeded
    else:
        with pytest.raises(AssertionError, match=rf"^test_handlers_stage declares no {name}\n"):
            judge(hook, event)


def test_the_clock_lets_things_happen_on_the_way() -> None:
    clock = Clock()
    seen: list[float] = []
    clock.after(3, lambda: seen.append(clock.now))
    clock.after(1, lambda: seen.append(clock.now))
    clock.sleep(2)
    assert seen == [1]
    clock.sleep(2)
    assert seen == [1, 3]
    assert clock.now == 4
