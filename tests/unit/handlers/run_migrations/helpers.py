"""What the tests of run_migrations share: commands, their tasks, and AWS that fails in some way."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import run_migrations as hook

from rehearsal.aws.world import TaskSpec
from rehearsal.testing.stage import CLUSTER, Call, Judgement, Stage

EVENT = "BeforeAllowTraffic"
MIGRATE = ("alembic", "upgrade", "head")
SCHEMA = ("alembic", "current", "--check-heads")
DATA = ("python", "-m", "shop.verify")
BACK = ("alembic", "downgrade", "-1")
ALL: dict[str, Any] = {
    "command": MIGRATE,
    "verify_schema_command": SCHEMA,
    "verify_data_command": DATA,
    "rollback_command": BACK,
}
SLOW = {**ALL, "interval": 10}
PRESET = {"preset": "alembic", "interval": 10}
FOREVER = 10**9  # looks
WHERE = ("alembic", "current", "--verbose")
HEADING = "Current revision(s) for postgresql://shop:***@db/shop:"
CURRENT = (
    "INFO  [alembic.runtime.migration] Context impl PostgresqlImpl.",
    HEADING,
    "Rev: 1975ea83b712 (head)",
    "Parent: <base>",
    "Path: /app/migrations/1975ea83b712_orders.py",
    "",
    "    Rev: is what this migration's own text begins with",
)
SPOT: dict[str, Any] = {"stop_code": "SpotInterruption", "stopped_reason": "Your Spot Task was interrupted."}
GONE: dict[str, Any] = {"stop_code": "TerminationNotice", "stopped_reason": "Host EC2 (instance i-1) terminated."}


def one_off(stage: Stage) -> list[TaskSpec]:
    """The one-off tasks that were started."""
    return [spec for spec in stage.world.started if not (spec.started_by or "").startswith("ecs-svc/")]


def commands(stage: Stage) -> list[tuple[str, ...]]:
    """What they ran, in the application's container."""
    return [next(c.command for c in spec.containers if c.name == "app") for spec in one_off(stage)]


def deliver(monkeypatch: pytest.MonkeyPatch, event: Any, **settings: Any) -> Judgement:
    """Deliver an event that CodeDeploy may already have a report of."""
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps(settings))
    return Judgement(hook.handler(event, None))


def statuses(judgements: list[Judgement]) -> list[str]:
    return [judgement["status"] for judgement in judgements]


def other_migration(stage: Stage, **changes: Any) -> str:
    """Start a task as another deployment's migration does; return its ARN."""
    task = {
        "cluster": CLUSTER, "taskDefinition": stage.blue_definition, "launchType": "FARGATE",
        "networkConfiguration": stage.network(), "group": "run_migrations:shop", "startedBy": "d-OTHER0000",
        "overrides": {"containerOverrides": [{"name": "app", "command": ["other"]}]}, **changes,
    }  # fmt: skip
    return str(stage.ecs.run_task(**task)["tasks"][0]["taskArn"])


def hides(*arns: str) -> Callable[[Call, Callable[[], Any]], Any]:
    """Make DescribeTasks say MISSING of these tasks."""

    def around(call: Call, answer: Callable[[], Any]) -> Any:
        if call.name != "ecs:DescribeTasks":
            return answer()
        found = answer()
        shown = [task for task in found["tasks"] if task["taskArn"] not in arns]
        missing = [{"arn": arn, "reason": "MISSING"} for arn in call.parameters["tasks"] if arn in arns]
        return {**found, "tasks": shown, "failures": [*found["failures"], *missing]}

    return around


class Death(BaseException):
    """The process is gone: nothing catches that."""


def dies_at(stage: Stage, place: int | str, *, after: bool) -> Callable[[Call, Callable[[], Any]], Any]:
    """Let the function die at its call of this number, or of this name, before AWS acts or `after` it has."""
    dead: list[bool] = []

    def around(call: Call, answer: Callable[[], Any]) -> Any:
        if dead:
            raise Death
        if place in (len(stage.calls), call.name):
            dead.append(True)
            if after:
                answer()
            raise Death
        return answer()

    return around


def after_the_first_start(stage: Stage, change: Callable[[], object]) -> None:
    """Let something change once ECS has started a task."""

    def first(parameters: Any) -> Any:
        del stage.instead["ecs:RunTask"]
        answer = stage.ecs.run_task(**parameters)
        change()
        return answer

    stage.instead["ecs:RunTask"] = first


def no_room_for(stage: Stage, command: tuple[str, ...]) -> None:
    """Let ECS start no task of this command."""

    def run_task(parameters: Any) -> Any:
        if parameters["overrides"]["containerOverrides"][0]["command"] == list(command):
            return {"tasks": [], "failures": [{"reason": "RESOURCE:MEMORY"}]}
        del stage.instead["ecs:RunTask"]
        try:
            return stage.ecs.run_task(**parameters)
        finally:
            stage.instead["ecs:RunTask"] = run_task

    stage.instead["ecs:RunTask"] = run_task
