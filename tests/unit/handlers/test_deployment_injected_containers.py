"""AfterInstall: what runtime monitoring adds to a task is never blamed for its end, and hides nobody who is."""

from __future__ import annotations

from typing import Any

import validate_deployment as hook

from tests.unit.handlers.stage import Judge, Stage
from tests.unit.handlers.test_validate_deployment import exited, stopped_tasks

EVENT = "AfterInstall"
FORBIDDEN = (
    "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
    "593207742271.dkr.ecr.eu-west-1.amazonaws.com/aws-guardduty-agent-fargate: 403 Forbidden"
)


def with_agent(task: dict[str, Any], suffix: str) -> dict[str, Any]:
    """The task with an agent that its execution role may not pull: undeclared, stopped, without an exit code."""
    agent = {"name": f"aws-guardduty-agent-{suffix}", "lastStatus": "STOPPED", "reason": FORBIDDEN}
    return {**task, "containers": [agent, *task["containers"]]}


def test_a_crash_loop_is_the_applications_and_seen_in_seconds(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stopped_tasks(stage, with_agent(exited(1), "k3x9ab"), with_agent(exited(1), "q7w2zt"))
    stage.world.pending.add(stage.image("2"))
    judgement = judge(hook, event, interval=1)
    assert judgement.message.startswith("green tasks keep stopping: ")
    assert "container app: exit 1" in judgement.message
    assert "guardduty" not in judgement.message
    assert stage.clock.now < 10


def test_one_early_end_beside_an_agent_is_forgiven(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stopped_tasks(stage, with_agent(exited(1), "k3x9ab"))
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert "container app: exit 1" in judgement.check("crash_loop")[1]


def test_a_sidecar_that_is_not_essential_is_not_blamed(stage: Stage, judge: Judge) -> None:
    stage.green_definition = stage.register(({"name": "side", "image": "side:1", "essential": False},))
    event = stage.at(EVENT)
    ends = [exited(1, sidecar=code) for code in (3, 4)]
    for end in ends:
        end["containers"][0]["reason"] = "OutOfMemoryError: container killed"
    stopped_tasks(stage, *ends)
    stage.world.pending.add(stage.image("2"))
    judgement = judge(hook, event, interval=1)
    assert judgement.message.startswith("green tasks keep stopping: 2 of task set ")
    assert "container side" not in judgement.check("crash_loop")[1]


def test_a_declared_image_that_cannot_be_pulled_is_still_said(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    reason = "CannotPullContainerError: manifest for shop:404 not found"
    start = {
        "stopCode": "TaskFailedToStart",
        "stoppedReason": reason,
        "containers": [{"name": "app", "reason": reason}],
    }
    stopped_tasks(stage, with_agent(start, "k3x9ab"))
    stage.world.pending.add(stage.image("2"))
    judgement = judge(hook, event, interval=1)
    assert judgement.message.startswith("green tasks cannot be started: TaskFailedToStart; CannotPullContainerError")
    assert "guardduty" not in judgement.message
