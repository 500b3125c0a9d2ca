"""AfterInstall: green's tasks that stop, or never start. Which of them count, test_deployment_checks.py proves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import validate_deployment as hook

from rehearsal.aws.world import TargetState
from rehearsal.testing.stage import CLUSTER, SERVICE, Judge, Stage, refuse
from tests.unit.handlers.validate_deployment.helpers import EVENT, exited, stopped_tasks


@pytest.mark.smoke
def test_a_crash_loop_ends_it_at_once(stage: Stage, judge: Judge) -> None:
    """With all there is to say: codes, reasons and what the container that died wrote last, without its passwords."""
    stage.world.crashing[stage.image("2")] = 3
    stage.world.crash_lines[stage.image("2")] = ("starting", "cannot connect to postgres://app:hunter2@db/shop")
    judgement = judge(hook, stage.at(EVENT))
    assert not judgement.succeeded
    outcome, detail = judgement.check("crash_loop")
    assert outcome == "failed"
    assert detail.endswith(
        "like this: EssentialContainerExited; Essential container in task exited; container app: exit 3; "
        "last log lines: starting | cannot connect to postgres://app:***@db/shop"
    )
    assert detail.startswith("green tasks keep stopping: ")
    assert judgement.message.startswith(detail)
    assert "hunter2" not in str(judgement)
    assert stage.clock.now <= 3


def test_of_a_crash_the_last_ten_lines_are_quoted(stage: Stage, judge: Judge) -> None:
    stage.world.crashing[stage.image("2")] = 3
    lines = tuple(f"line {number}" for number in range(1, 13))
    stage.world.crash_lines[stage.image("2")] = lines
    detail = judge(hook, stage.at(EVENT)).check("crash_loop")[1]
    assert detail.endswith(f"last log lines: {' | '.join(lines[2:])}")


def test_of_a_crashs_long_lines_the_last_thousand_letters_are_quoted(stage: Stage, judge: Judge) -> None:
    stage.world.crashing[stage.image("2")] = 3
    stage.world.crash_lines[stage.image("2")] = ("a" * 1500 + "b" * 1000,)
    detail = judge(hook, stage.at(EVENT)).check("crash_loop")[1]
    assert detail.endswith(f"last log lines: …{'b' * 1000}")


def test_a_crash_loop_is_seen_while_ecs_waits_with_the_next_try(stage: Stage, judge: Judge) -> None:
    """Then no task runs, and none is pending."""
    stage.world.crashing[stage.image("2")] = 1
    event = stage.at(EVENT)
    for _ in range(3):
        stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
    found = stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
    for task_set in found["services"][0]["taskSets"]:
        if task_set.get("externalId") == event["DeploymentId"]:
            task_set |= {"runningCount": 0, "pendingCount": 0}
    stage.instead["ecs:DescribeServices"] = lambda _: found
    judgement = judge(hook, event)
    assert judgement.check("crash_loop")[0] == "failed"
    assert "green tasks keep stopping" in judgement.message


def test_the_log_of_a_crash_may_not_be_readable(stage: Stage, judge: Judge) -> None:
    stage.world.crashing[stage.image("2")] = 3
    event = stage.at(EVENT)
    stage.instead["logs:GetLogEvents"] = refuse("AccessDeniedException")
    judgement = judge(hook, event)
    assert "container app: exit 3; its log: logs:GetLogEvents was denied: allow it in this hook's" in judgement.message


def test_a_log_that_cannot_be_found_hides_no_crash_loop(stage: Stage, judge: Judge) -> None:
    stage.world.crashing[stage.image("2")] = 3
    event = stage.at(EVENT)
    stage.instead["ecs:DescribeTaskDefinition"] = refuse("ThrottlingException", "Rate exceeded")
    judgement = judge(hook, event)
    assert judgement.message.startswith("green tasks keep stopping: ")
    assert "exit 3; its log: ecs:DescribeTaskDefinition failed on every attempt" in judgement.message


def test_a_crash_that_wrote_nothing(stage: Stage, judge: Judge) -> None:
    stage.world.crashing[stage.image("2")] = 3
    judgement = judge(hook, stage.at(EVENT))
    assert "container app: exit 3; its log: it is empty (still so after 5 s)" in judgement.message
    assert stage.clock.now < 10


def test_a_slow_crash_loop_is_one(stage: Stage, judge: Judge) -> None:
    stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=1)
    stage.world.crashing[stage.image("2")] = 1
    event = stage.at(EVENT)
    stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
    stage.world.crashing.clear()
    stage.clock.after(40, lambda: stage.world.crashing.update({stage.image("2"): 1}))
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert judgement.message.startswith("green tasks keep stopping: ")
    assert stage.clock.now < 50


# A crash that has passed


def test_crashes_at_the_start_that_have_passed(stage: Stage, judge: Judge) -> None:
    """A dependency was not up yet: two of one cause, but now all run, and none has stopped for a minute."""
    event = stage.at(EVENT)
    stopped_tasks(stage, exited(1), exited(1))
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert 60 <= stage.clock.now < 70
    outcome, detail = judgement.check("crash_loop")
    assert outcome == "passed"
    assert detail.startswith("2 green task(s) stopped, such as 0000")
    asked = [arn for parameters in stage.called("ecs:DescribeTasks") for arn in parameters["tasks"]]
    assert len([arn for arn in asked if "/0000" in arn]) == 2, "one that has stopped is described once"


def test_one_task_that_stopped_is_forgiven_after_a_quiet_minute(stage: Stage, judge: Judge) -> None:
    stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=1)
    stage.world.crashing[stage.image("2")] = 1
    event = stage.at(EVENT)
    stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])  # one crashes; what replaces it runs
    stage.world.crashing.clear()
    judgement = judge(hook, event)
    assert judgement.succeeded
    outcome, detail = judgement.check("crash_loop")
    assert outcome == "passed"
    assert "container app: exit 1; " in detail
    assert detail.endswith("; none since for 60 s")
    assert 60 <= stage.clock.now <= 70


def test_the_quiet_minute_begins_with_the_last_crash(stage: Stage, judge: Judge) -> None:
    stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=1)
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = TargetState("unhealthy", "Target.Timeout")

    def crash() -> None:
        stage.world.crashing[stage.image("2")] = 1
        stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])  # one crashes; what replaces it runs
        stage.world.crashing.clear()

    stage.clock.after(40, crash)
    stage.clock.after(50, stage.world.target_health.clear)
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert judgement.check("crash_loop")[1].endswith("; none since for 60 s")
    assert stage.clock.now >= 100


def test_a_task_that_is_still_stopping_is_described_until_it_has_stopped(stage: Stage, judge: Judge) -> None:
    """At first ECS says why, but not how its containers ended."""
    event = stage.at(EVENT)
    stopped_tasks(stage, exited(7))
    describe = stage.instead["ecs:DescribeTasks"]

    def still_stopping(parameters: Mapping[str, Any]) -> Any:
        found = describe(parameters)
        for task in found["tasks"]:
            if task["lastStatus"] == "STOPPED":
                task.update(lastStatus="DEPROVISIONING", containers=[])
        return found

    stage.instead["ecs:DescribeTasks"] = still_stopping
    stage.clock.after(10, lambda: stage.instead.update({"ecs:DescribeTasks": describe}))
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert "container app: exit 7" in judgement.check("crash_loop")[1]
    assert 60 <= stage.clock.now < 70


# Tasks that cannot be started


def test_a_task_that_cannot_start_is_enough_to_be_certain(stage: Stage, judge: Judge) -> None:
    stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=1)
    reason = "CannotPullContainerError: The task can't pull the image: access denied"
    stage.world.unstartable[stage.image("2")] = reason
    event = stage.at(EVENT)

    def only_the_first_stopped(parameters: Mapping[str, Any]) -> Any:
        found = stage.ecs.list_tasks(**parameters)["taskArns"]
        return {"taskArns": found[:1] if parameters["desiredStatus"] == "STOPPED" else found}

    stage.instead["ecs:ListTasks"] = only_the_first_stopped
    judgement = judge(hook, event)
    assert not judgement.succeeded
    said = f"green tasks cannot be started: TaskFailedToStart; {reason}; container app: never started"
    assert judgement.check("task_start") == ("failed", said)
    assert judgement.message.startswith(said)
    assert stage.clock.now == 0


def test_what_keeps_tasks_from_starting_stands_in_the_service_events(stage: Stage, judge: Judge) -> None:
    """There is not even a task that stopped."""
    message = "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/shop-task'"
    stage.world.launch_errors[stage.image("2")] = message
    judgement = judge(hook, stage.at(EVENT))
    assert not judgement.succeeded
    assert judgement.message.startswith("green tasks cannot be started: (service shop, taskSet ecs-svc/")
    assert message in judgement.message
    assert stage.clock.now == 0


def test_on_a_way_back_old_events_are_old(stage: Stage, judge: Judge) -> None:
    stage.at("AfterInstall")
    event = stage.rollback_at(EVENT)
    answer = stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
    blue = next(each for each in answer["services"][0]["taskSets"] if each["status"] == "PRIMARY")
    said = (
        f"(service shop, taskSet {blue['id']}) failed to launch a task with (error ECS was unable to assume the role)."
    )
    answer["services"][0]["events"].insert(0, {"id": "x", "message": said})
    blue.update(runningCount=1, pendingCount=1)
    stage.instead["ecs:DescribeServices"] = lambda _: answer
    stage.clock.after(10, stage.instead.clear)
    assert judge(hook, event).succeeded
