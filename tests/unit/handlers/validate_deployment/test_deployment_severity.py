"""AfterInstall: what the user softens or leaves out, and what may not be looked at."""

from __future__ import annotations

from typing import Any

import pytest
import validate_deployment as hook

from rehearsal.aws.world import TargetState
from rehearsal.testing.stage import Judge, Stage, refuse
from tests.unit.handlers.validate_deployment.helpers import EVENT, changed_tasks, exited, stopped_tasks

UNHEALTHY = TargetState("unhealthy", "Target.Timeout")


@pytest.mark.smoke
@pytest.mark.parametrize("severity", ["warn", "skip"])
def test_what_may_not_stop_it_is_not_waited_for(stage: Stage, judge: Judge, severity: str) -> None:
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = UNHEALTHY
    judgement = judge(hook, event, checks={"green_targets": severity, "steady": "skip"})
    assert judgement.succeeded
    assert stage.clock.now < 10
    assert judgement.check("steady") == ("skipped", "left out by the option `checks`")
    assert judgement.check("green_targets")[0] == {"warn": "failed", "skip": "skipped"}[severity]
    assert (" 1 warned: green target " in judgement.message) is (severity == "warn")
    assert bool(stage.called("elbv2:DescribeTargetHealth")) is (severity == "warn")


def test_a_crash_loop_that_is_only_a_warning_ends_nothing(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stopped_tasks(stage, exited(1), exited(1))
    stage.world.pending.add(stage.image("2"))
    stage.clock.after(20, stage.world.pending.clear)
    judgement = judge(hook, event, checks={"crash_loop": "warn"})
    assert judgement.succeeded
    assert stage.clock.now > 20
    assert " 1 warned: 2 green task(s) stopped, " in judgement.message


def test_what_is_not_essential_may_end_badly(stage: Stage, judge: Judge) -> None:
    """The task bears it, by the user's own word: it is said, and not waited for."""
    stage.green_definition = stage.register(({"name": "side", "image": "side:1", "essential": False},))
    event = stage.at(EVENT)

    def end_side(task: dict[str, Any]) -> None:
        for container in task["containers"]:
            container.update({"lastStatus": "STOPPED", "exitCode": 1} if container["name"] == "side" else {})

    changed_tasks(stage, end_side)
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert " 1 warned: green: container side of task " in judgement.message
    assert " is STOPPED, exit 1: it is not essential, so the tasks run on" in judgement.message
    assert stage.clock.now < 10


def test_a_green_that_is_to_run_nothing_may_only_warn(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.ecs.update_service(cluster="main", service="shop", desiredCount=0)
    judgement = judge(hook, event, checks={"task_count": "warn"})
    assert judgement.succeeded
    assert " is to run 0 tasks (scale 100 %): nothing to look at" in judgement.message
    assert stage.clock.now < 10


@pytest.mark.parametrize("name", ["target", "validate_deployment"])
def test_a_name_that_no_check_has_is_said_and_leaves_out_nothing(stage: Stage, judge: Judge, name: str) -> None:
    event = stage.at(EVENT)
    judgement = judge(hook, event, checks={name: "skip"})
    assert judgement.succeeded
    said = f"the option checks names {name}, which this hook does not have; it has green, "
    assert judgement.check("checks")[1].startswith(said)
    assert judgement.check("green_targets")[0] == "passed"


def test_leaving_out_the_wait_for_green_leaves_out_nothing_else(stage: Stage, judge: Judge) -> None:
    event = stage.at("BeforeInstall")
    judgement = judge(hook, event, checks={"green": "skip"})
    assert not judgement.succeeded
    assert judgement.check("steady")[0] == "error"


# What may not be looked at, or not just now


def test_what_may_not_be_looked_at_hides_nothing_else(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["elbv2:DescribeTargetHealth"] = refuse("AccessDenied", status=403)
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert judgement.check("green_targets")[0] == "error"
    assert judgement.message.startswith("elasticloadbalancing:DescribeTargetHealth was denied: allow it in this hook's")
    assert judgement.check("tasks_running")[0] == "passed"
    assert stage.clock.now == 0  # no later look would come out better


def test_what_may_not_be_looked_at_and_may_not_stop_it(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["elbv2:DescribeTargetHealth"] = refuse("AccessDenied", status=403)
    judgement = judge(hook, event, checks={"green_targets": "warn"})
    assert judgement.succeeded
    assert "1 warned: elasticloadbalancing:DescribeTargetHealth was denied" in judgement.message


@pytest.mark.parametrize("severity", ["warn", "skip"])
@pytest.mark.parametrize("operation", ["ecs:DescribeServices", "ecs:ListTasks"])
def test_what_no_check_could_look_at_is_no_pass(stage: Stage, judge: Judge, operation: str, severity: str) -> None:
    event = stage.at(EVENT)
    stage.instead[operation] = refuse("AccessDeniedException")
    judgement = judge(hook, event, checks={"green": severity})
    assert not judgement.succeeded
    assert judgement.check("green_targets")[0] == "error"
    assert stage.clock.now == 0


@pytest.mark.parametrize("operation", ["ecs:DescribeServices", "elbv2:DescribeTargetHealth"])
def test_a_minute_of_throttling_is_borne(stage: Stage, judge: Judge, operation: str) -> None:
    event = stage.at(EVENT)
    stage.instead[operation] = refuse("ThrottlingException", "Rate exceeded")
    stage.clock.after(50, stage.instead.clear)
    assert judge(hook, event).succeeded


def test_an_error_of_ecs_that_passes_is_borne(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["ecs:ListTasks"] = refuse("ServerException", "try again", 500)
    stage.clock.after(3, stage.instead.clear)
    assert judge(hook, event).succeeded


def test_more_than_a_minute_of_throttling_is_not(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["elbv2:DescribeTargetHealth"] = refuse("ThrottlingException", "Rate exceeded")
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert 60 < stage.clock.now < 70
    assert judgement.check("green_targets")[0] == "error"
    assert judgement.check("tasks_running")[0] == "passed"
