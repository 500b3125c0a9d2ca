"""AfterInstall: what runs beside the application is judged as ECS judges it, and blamed for what it can have done."""

from __future__ import annotations

from typing import Any

import pytest
import validate_deployment as hook

from rehearsal.aws.world import TargetState
from tests.unit.handlers.stage import CLUSTER, SERVICE, Judge, Stage
from tests.unit.handlers.test_validate_deployment import HEALTH_CHECK, stopped_tasks, with_container

EVENT = "AfterInstall"
SIDE = {"name": "side", "image": "side:1"}
ENDED = "Essential container in task exited"


def beside(stage: Stage, **side: Any) -> dict[str, str]:
    """A deployment of the application with a sidecar, at AfterInstall."""
    stage.green_definition = stage.register(({**SIDE, **side},))
    return stage.at(EVENT)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"lastStatus": "STOPPED", "exitCode": 1}, "is STOPPED, exit 1"),
        ({"lastStatus": "STOPPED", "reason": "CannotPullContainerError"}, "is STOPPED (CannotPullContainerError)"),
    ],
    ids=["it ended", "it never ran"],
)
def test_what_is_not_essential_may_end_badly(stage: Stage, judge: Judge, fields: dict[str, Any], said: str) -> None:
    """The task bears it, by the user's own word: it is said, and not waited for."""
    event = beside(stage, essential=False)
    stage.instead["ecs:DescribeTasks"] = with_container(stage, **fields)
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert " 1 warned: green: container side of task " in judgement.message
    assert said in judgement.message
    assert stage.clock.now < 10


def test_a_container_that_prepares_the_task_and_has_done_so(stage: Stage, judge: Judge) -> None:
    event = beside(stage, essential=False)
    stage.instead["ecs:DescribeTasks"] = with_container(stage, lastStatus="STOPPED", exitCode=0)
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert "warned" not in judgement.message


def test_the_health_of_what_is_not_essential_is_not_the_tasks(stage: Stage, judge: Judge) -> None:
    event = beside(stage, essential=False)
    definition = stage.ecs.describe_task_definition(taskDefinition=stage.green_definition)
    definition["taskDefinition"]["containerDefinitions"][1]["healthCheck"] = HEALTH_CHECK
    stage.instead["ecs:DescribeTaskDefinition"] = lambda _: definition
    stage.instead["ecs:DescribeTasks"] = with_container(stage, healthStatus="UNHEALTHY")
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert "warned" not in judgement.message
    assert judgement.check("container_health")[0] == "skipped"


def test_the_health_of_an_essential_sidecar_is(stage: Stage, judge: Judge) -> None:
    event = beside(stage, essential=True, healthCheck=HEALTH_CHECK)
    stage.instead["ecs:DescribeTasks"] = with_container(stage, healthStatus="UNHEALTHY")
    judgement = judge(hook, event, interval=60)
    assert not judgement.succeeded
    assert "side of task " in judgement.check("container_health")[1]


def test_agents_of_two_versions_are_no_two_releases(stage: Stage, judge: Judge) -> None:
    """The tag of an agent's image moves when its makers like."""
    stage.world.image_digests["side:1"] = [f"sha256:{digit * 64}" for digit in "12"]
    judgement = judge(hook, beside(stage))
    assert judgement.succeeded
    assert judgement.check("image_digest")[0] == "passed"


def ended(code: str, *containers: dict[str, Any]) -> dict[str, Any]:
    """A task that ended, with these containers."""
    return {"stopCode": code, "stoppedReason": ENDED, "containers": list(containers)}


@pytest.mark.parametrize(
    ("side", "app", "blamed"),
    [
        ({"exitCode": 1}, {"exitCode": 143}, "side"),
        ({"exitCode": 1}, {"exitCode": 0}, "side"),
        ({"exitCode": 0}, {"exitCode": 143}, "side"),
        ({"exitCode": 143}, {"exitCode": 0}, "app"),
        ({"exitCode": 0}, {"exitCode": 3}, "app"),
        ({"exitCode": 137, "reason": "OutOfMemoryError: killed"}, {"exitCode": 1}, "side"),
    ],
)
def test_of_essential_containers_the_first_to_die_is_blamed(
    stage: Stage, judge: Judge, side: dict[str, Any], app: dict[str, Any], blamed: str
) -> None:
    """A log router, a proxy: the application is told to end with it, and whose log is quoted says who died."""
    event = beside(stage, logConfiguration=stage.container()["logConfiguration"])
    for order in (1, -1):
        containers = [{"name": "app", **app}, {"name": "side", **side}][::order]
        stopped_tasks(stage, *[ended("EssentialContainerExited", *containers)] * 2)
    stage.world.pending.add(stage.image("2"))
    judgement = judge(hook, event, interval=1)
    assert judgement.message.startswith("green tasks keep stopping: 2 of task set ")
    (stream,) = {call["logStreamName"].split("/")[1] for call in stage.called("logs:GetLogEvents")}
    assert stream == blamed


@pytest.mark.parametrize("code", ["EssentialContainerExited", "TaskFailedToStart"])
def test_a_container_without_which_the_application_does_not_start_is_blamed(
    stage: Stage, judge: Judge, code: str
) -> None:
    """It is not essential, but the application waits for its success."""
    logs = stage.container()["logConfiguration"]
    init = {**SIDE, "essential": False, "logConfiguration": logs}
    waits = [{"containerName": "side", "condition": "SUCCESS"}]
    stage.green_definition = stage.register((init,), dependsOn=waits)
    event = stage.at(EVENT)
    stopped_tasks(stage, *[ended(code, {"name": "app"}, {"name": "side", "exitCode": 9})] * 2)
    stage.world.pending.add(stage.image("2"))
    judgement = judge(hook, event, interval=1)
    assert judgement.message.startswith("green tasks keep stopping: 2 of task set ")
    assert "container side: exit 9" in judgement.message
    assert {call["logStreamName"].split("/")[1] for call in stage.called("logs:GetLogEvents")} == {"side"}


def test_a_strategy_that_green_did_not_get_is_said(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    answer = stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]
    answer["services"][0]["capacityProviderStrategy"] = strategy
    stage.instead["ecs:DescribeServices"] = lambda _: answer
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert (
        "warned: green runs on FARGATE, the service on capacity providers FARGATE_SPOT, a strategy that CodeDeploy "
        "does not take over: name it in the AppSpec (CapacityProviderStrategy)" in judgement.message
    )


def test_a_group_that_no_rule_leads_to_is_not_checked_and_no_warning(stage: Stage, judge: Judge) -> None:
    """Its targets are `unused` until test traffic is allowed."""
    event = stage.at(EVENT)
    found = stage.elbv2.describe_target_groups(Names=["shop-blue", "shop-green"])["TargetGroups"]
    idle = [{**each, "LoadBalancerArns": []} for each in found]
    stage.instead["elbv2:DescribeTargetGroups"] = lambda _: {"TargetGroups": idle}
    stage.world.target_health["shop-green"] = TargetState("unused", "Target.NotInUse")
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert "warned" not in judgement.message
    assert judgement.check("green_targets")[0] == "skipped"
