"""BeforeInstall: smoke tests that could not run, or that their hooks may not run, are found before anything is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import validate_before_install as hook

from rehearsal.testing.native import Native
from rehearsal.testing.stage import ACCOUNT, CLUSTER, HANDLERS, Judge, Judgement, Stage
from tests.unit.handlers.smoke import register

EVENT = "BeforeInstall"
TEST, PRODUCTION = "AfterAllowTestTraffic", "AfterAllowTraffic"
RUNS = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition/shop*:*"
PATHS = {event: f"{HANDLERS[event]}.smoke_test" for event in (TEST, PRODUCTION)}


@pytest.fixture(autouse=True)
def hooks(stage: Stage) -> None:
    """The functions of all hooks, whose role may run and pass what there is."""
    stage.create_hooks()
    cluster = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/{CLUSTER}"
    stage.allow("shop-hooks", "ecs:RunTask", RUNS, ecs_cluster=cluster)
    roles = [stage.execution_role, stage.task_role]
    stage.allow("shop-hooks", "iam:PassRole", roles, iam_PassedToService="ecs-tasks.amazonaws.com")


def judged(stage: Stage, judge: Judge, event: str, test: Mapping[str, Any], **configuration: Any) -> Judgement:
    """What BeforeInstall says of a smoke test of a hook."""
    stage.tell(event, {"smoke_test": test}, **configuration)
    return judge(hook, stage.at(EVENT))


@pytest.mark.smoke
@pytest.mark.parametrize("event", [TEST, PRODUCTION])
def test_one_that_can_run_is_no_warning(stage: Stage, judge: Judge, event: str) -> None:
    register(stage)
    judgement = judged(stage, judge, event, {"command": ["pytest"]})
    assert judgement.succeeded, judgement.message
    assert " warned" not in judgement.message
    stage.deployment.set_status("Stopped")
    assert judged(stage, judge, event, {"task_definition": "shop-smoke"}).succeeded


@pytest.mark.parametrize("event", [TEST, PRODUCTION])
@pytest.mark.parametrize(
    ("test", "said"),
    [
        ({}, "command or task_definition is needed: the application itself would run, until it is stopped"),
        (
            {"command": ["pytest"], "environment": {"SMOKE_TEST_HOST": "a"}},
            "environment has SMOKE_TEST_HOST, and names that begin with SMOKE_TEST_ are told by the hook: rename them",
        ),
        (
            {"command": ["pytest"], "launch": "FARGATE_SPOTS"},
            'launch is "FARGATE_SPOTS", which ECS keeps for itself: "FARGATE", "FARGATE_SPOT", or your own',
        ),
    ],
)
def test_options_that_do_not_go_together(
    stage: Stage, judge: Judge, event: str, test: Mapping[str, Any], said: str
) -> None:
    judgement = judged(stage, judge, event, test)
    assert not judgement.succeeded
    assert f"{PATHS[event]}.{said}" in judgement.message


def test_a_container_that_is_not_there(stage: Stage, judge: Judge) -> None:
    judgement = judged(stage, judge, TEST, {"command": ["pytest"], "container": "nope"})
    definition = stage.green_definition
    said = f"container nope is not in task definition {definition} (it has app): set container"
    assert judgement.message.startswith(f"{PATHS[TEST]}: {said} (function ")


def test_a_container_that_would_not_run_the_command(stage: Stage, judge: Judge) -> None:
    stage.green_definition = stage.register(entryPoint=["sh", "-c", "exec gunicorn shop"])
    judgement = judged(stage, judge, TEST, {"command": ["pytest", "tests"]})
    assert "has a script of its own, which does not run the command" in judgement.message


@pytest.mark.parametrize("named", ["nobody", "shop-smoke:1"])
def test_a_task_definition_that_is_gone(stage: Stage, judge: Judge, named: str) -> None:
    stage.ecs.deregister_task_definition(taskDefinition=register(stage))
    judgement = judged(stage, judge, TEST, {"task_definition": named})
    why = "does not exist: register it, or fix task_definition"
    if named != "nobody":
        why = "is INACTIVE, expected ACTIVE: register it anew"
    assert judgement.message.startswith(f"{PATHS[TEST]}: task definition {named} {why} (function ")


def test_a_time_that_one_invocation_does_not_have(stage: Stage, judge: Judge) -> None:
    judgement = judged(stage, judge, TEST, {"command": ["pytest"], "timeout": 811})
    said = "smoke_test.timeout is 811, and an invocation has 810 s for it: shorten it, or raise the module's timeout"
    assert judgement.message.startswith(f"validate_test_traffic.{said} (at most 900)")
    stage.deployment.set_status("Stopped")
    assert judged(stage, judge, TEST, {"command": ["pytest"], "timeout": 810}).succeeded


def test_a_role_that_may_not_run_it(stage: Stage, judge: Judge) -> None:
    stage.forbid("shop-hooks", "ecs:RunTask")
    judgement = judged(stage, judge, TEST, {"command": ["pytest"]})
    role = f"arn:aws:iam::{ACCOUNT}:role/shop-hooks"
    said = f"the function's role {role} may not ecs:RunTask on {stage.green_definition}: allow it with policy_documents"
    assert judgement.message.startswith(f"{PATHS[TEST]}: {said} (function ")


def test_a_role_that_may_not_pass_its_roles(stage: Stage, judge: Judge) -> None:
    other = stage.create_role("smoke-task")
    register(stage, taskRoleArn=other)
    judgement = judged(stage, judge, TEST, {"task_definition": "shop-smoke"})
    assert f"may not iam:PassRole on {other}: name it in pass_role_arns" in judgement.message


def test_where_ecs_deploys_by_itself(stage: Stage, judge: Judge) -> None:
    native = Native(stage)
    stage.tell(TEST, {"smoke_test": {"command": ["pytest"], "container": "nope"}})
    judgement = judge(hook, native.at("PRE_SCALE_UP"))
    assert f"{PATHS[TEST]}: container nope is not in task definition" in judgement.message
