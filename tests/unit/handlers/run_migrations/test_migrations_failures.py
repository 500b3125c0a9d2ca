"""How a command fails, what the message says of it, and what the severities of checks change."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import run_migrations as hook

from rehearsal.aws.world import Exit, PlacementFailure
from rehearsal.testing.stage import Call, Judge, Stage, refuse
from tests.unit.handlers.run_migrations.helpers import (
    ALL,
    BACK,
    DATA,
    EVENT,
    MIGRATE,
    SCHEMA,
    commands,
    one_off,
)


@pytest.mark.smoke
def test_an_exit_code_other_than_0_with_the_last_log_lines(stage: Stage, judge: Judge) -> None:
    lines = (*(f"line {number}" for number in range(30)), "relation orders exists already")
    stage.world.exits[MIGRATE] = Exit(1, lines=lines)
    judgement = judge(hook, stage.at(EVENT), command=MIGRATE, verify_schema_command=SCHEMA, log_lines=3)
    assert not judgement.succeeded
    assert judgement.check("migrate")[0] == "failed"
    assert judgement.message == (
        "migrate (alembic upgrade head): exit 1 (EssentialContainerExited; Essential container in task exited); "
        "last log lines: line 28 | line 29 | relation orders exists already; "
        "no rollback_command is set: the database is as the failed step left it"
    )
    assert commands(stage) == [MIGRATE]  # nothing is verified of what failed


def test_of_long_log_lines_the_end_is_shown(stage: Stage, judge: Judge) -> None:
    trace = tuple(f'  File "app/{number}.py", line 1, {"x" * 200}' for number in range(19))
    stage.world.exits[MIGRATE] = Exit(1, lines=(*trace, "UNIQUE constraint failed: orders.email"))
    judgement = judge(hook, stage.at(EVENT), command=MIGRATE)
    assert "| UNIQUE constraint failed: orders.email; no rollback_command is set" in judgement.message
    (migrate,) = [check for check in judgement["checks"] if check["name"] == "migrate"]
    assert len(migrate["log"]) == 20


@pytest.mark.parametrize(
    ("text", "count", "kept"),
    [
        ("x", 20, 20),
        ("x" * 200_000, 20, 20),
        ("é" * 100_000, 20, 5),
        ("\U0001f600" * 60_000, 20, 2),
        ("x" * 60, 1000, 963),
    ],
    ids=["short", "long", "escaped", "escaped twice", "many"],
)
def test_log_lines_are_quoted_within_bounds(stage: Stage, judge: Judge, text: str, count: int, kept: int) -> None:
    """CloudWatch Logs takes a line of 256 KB, and has to take the hook's own with them."""
    stage.world.exits[MIGRATE] = Exit(1, lines=(*(f"{number:04}{text}" for number in range(count - 1)), f"{text} last"))
    judgement = judge(hook, stage.at(EVENT), command=MIGRATE, log_lines=count)
    (migrate,) = [check for check in judgement["checks"] if check["name"] == "migrate"]
    assert len(migrate["log"]) == kept
    assert migrate["log"][-1].endswith(f"{text[:100]} last")
    assert max(map(len, migrate["log"])) <= 2001
    assert len(json.dumps(migrate)) < 128 * 1024
    assert f"{text[:100]} last; no rollback_command is set" in judgement.message


def test_a_secret_in_a_long_log_line_is_masked_before_it_is_cut(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(1, lines=(f'password="{"hunter2 " * 10_000}" refused',))
    judgement = judge(hook, stage.at(EVENT), command=MIGRATE)
    assert "hunter2" not in json.dumps(judgement)
    assert 'password="***" refused' in judgement.message


def test_log_lines_that_come_late(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(1)

    def write() -> None:
        stream = f"shop/app/{one_off(stage)[0].task_arn.rpartition('/')[2]}"
        stage.logs.create_log_stream(logGroupName="/ecs/shop", logStreamName=stream)
        event = {"timestamp": int(time.time() * 1000), "message": "out of shared memory"}
        stage.logs.put_log_events(logGroupName="/ecs/shop", logStreamName=stream, logEvents=[event])

    stage.clock.after(6, write)
    judgement = judge(hook, stage.at(EVENT), command=MIGRATE)
    assert "; last log lines: out of shared memory" in judgement.message


def test_a_log_that_stays_empty(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(1)
    judgement = judge(hook, stage.at(EVENT), command=MIGRATE)
    assert "; its log: it is empty (still so after 10 s)" in judgement.message


def test_another_log_driver(stage: Stage, judge: Judge) -> None:
    stage.green_definition = stage.register(logConfiguration={"logDriver": "awsfirelens"})
    stage.world.exits[MIGRATE] = Exit(1)
    judgement = judge(hook, stage.at(EVENT), command=MIGRATE)
    assert "; its log: its log driver is awsfirelens, only awslogs can be read here" in judgement.message


def test_a_log_that_may_not_be_read_does_not_hide_the_failure(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(1)
    stage.instead["logs:GetLogEvents"] = refuse("AccessDeniedException")
    judgement = judge(hook, stage.at(EVENT), command=MIGRATE)
    assert judgement.message.startswith("migrate (alembic upgrade head): exit 1 (")
    assert "; its log: logs:GetLogEvents was denied: allow it in this hook's role" in judgement.message


def test_no_log_lines_if_none_are_wanted(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(1, lines=("a name and an address",))
    judgement = judge(hook, stage.at(EVENT), command=MIGRATE, log_lines=0)
    assert "a name" not in str(judgement)
    assert not stage.called("logs:GetLogEvents")


@pytest.mark.parametrize("code", [0, 1])
def test_the_exit_code_of_a_sidecar_is_not_read(stage: Stage, judge: Judge, code: int) -> None:
    """A GuardDuty agent, say, that ends otherwise than the migration."""
    sidecar = {"name": "agent", "image": "agent:1", "essential": False}
    stage.green_definition = stage.register((sidecar,))
    stage.world.container_exits["agent"] = Exit(1 - code)
    stage.world.exits[MIGRATE] = Exit(code)
    judgement = judge(hook, stage.at(EVENT), command=MIGRATE)
    assert judgement.succeeded is (code == 0)
    assert f"exit {code}" in judgement.check("migrate")[1]


def test_the_container_is_the_appspecs_or_the_users(stage: Stage, judge: Judge) -> None:
    stage.green_definition = stage.register(({"name": "admin", "image": "admin:1"},))
    event = stage.at(EVENT)
    judge(hook, event, command=MIGRATE)
    stage.deployment.set_status("Stopped")
    first = stage.called("ecs:RunTask")
    assert [override["name"] for call in first for override in call["overrides"]["containerOverrides"]] == ["app"]
    judge(hook, stage.at(EVENT), command=MIGRATE, container="admin")
    second = stage.called("ecs:RunTask")
    assert [override["name"] for call in second for override in call["overrides"]["containerOverrides"]] == ["admin"]


def test_a_container_whose_end_does_not_end_the_task(stage: Stage, judge: Judge) -> None:
    stage.green_definition = stage.register(({"name": "admin", "image": "admin:1", "essential": False},))
    judgement = judge(hook, stage.at(EVENT), command=MIGRATE, container="admin", rollback_command=BACK)
    assert judgement.message == (
        f"container admin of task definition {stage.green_definition} is not essential, so the task would run on after "
        "its command has ended: make it essential, or set container to one that is"
    )
    assert one_off(stage) == []


@pytest.mark.parametrize("enabled", [True, False])
def test_a_container_that_ecs_would_start_again(stage: Stage, judge: Judge, enabled: bool) -> None:
    """Its command would run twice, and the exit code would be the second run's."""
    event = stage.at(EVENT)
    found = stage.ecs.describe_task_definition(taskDefinition=stage.green_definition)
    found["taskDefinition"]["containerDefinitions"][0]["restartPolicy"] = {"enabled": enabled}
    stage.instead["ecs:DescribeTaskDefinition"] = lambda _: found
    judgement = judge(hook, event, command=MIGRATE)
    assert judgement.succeeded is not enabled
    if enabled:
        assert judgement.message == (
            f"container app of task definition {stage.green_definition} has a restartPolicy, by which ECS runs a "
            "command again that has ended: set container to one without"
        )
        assert one_off(stage) == []


def test_a_container_that_is_not_there(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT), command=MIGRATE, container="web", rollback_command=BACK)
    assert judgement.message == (
        f"container web is not in task definition {stage.green_definition} (it has app): set container"
    )
    assert one_off(stage) == []


def test_a_container_that_never_started(stage: Stage, judge: Judge) -> None:
    reason = "CannotPullContainerError: not found"
    stage.world.exits[MIGRATE] = Exit(None, reason=reason)
    judgement = judge(hook, stage.at(EVENT), **ALL)
    assert judgement.message == (
        "migrate (alembic upgrade head): container app never started: "
        f"TaskFailedToStart; {reason}; container app: never started"
    )
    assert commands(stage) == [MIGRATE]  # there is nothing to roll back


def test_a_task_that_does_not_show_the_container(stage: Stage, judge: Judge) -> None:
    """What became of it is not known, which counts as a change."""
    event = stage.at(EVENT)

    def without_containers(call: Call, answer: Callable[[], Any]) -> Any:
        found = answer()
        for task in found["tasks"] if call.name == "ecs:DescribeTasks" else ():
            task["containers"] = []
        return found

    stage.around = without_containers
    judgement = judge(hook, event, command=MIGRATE, rollback_command=BACK)
    outcome, detail = judgement.check("migrate")
    assert outcome == "error"
    assert detail.startswith("migrate (alembic upgrade head): container app is not in task arn:aws:ecs:")
    assert commands(stage) == [MIGRATE, BACK]


def test_a_task_that_ecs_does_not_start(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.world.placement_failures = [PlacementFailure("RESOURCE:ENI", "no address is free")]
    judgement = judge(hook, event, **ALL)
    assert judgement.check("migrate")[0] == "error"
    assert judgement.message == "ECS did not start the task (RESOURCE:ENI no address is free)"
    assert one_off(stage) == []


def test_a_migration_left_out_is_not_rolled_back(stage: Stage, judge: Judge) -> None:
    """`alembic downgrade -1` would undo the one before."""
    stage.world.exits[SCHEMA] = Exit(1)
    judgement = judge(hook, stage.at(EVENT), **ALL, checks={"migrate": "skip"})
    assert not judgement.succeeded
    assert commands(stage) == [SCHEMA]


def test_a_migration_that_may_only_warn(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(1)
    judgement = judge(hook, stage.at(EVENT), **ALL, checks={"migrate": "warn"})
    assert judgement.succeeded
    assert commands(stage) == [MIGRATE, SCHEMA, DATA]
    assert "1 warned: migrate (alembic upgrade head): exit 1" in judgement.message


def test_a_migration_that_may_only_warn_and_never_started(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(None, reason="CannotPullContainerError: not found")
    stage.world.exits[SCHEMA] = Exit(1)
    assert not judge(hook, stage.at(EVENT), **ALL, checks={"migrate": "warn"}).succeeded
    assert commands(stage) == [MIGRATE, SCHEMA]


def test_a_rollback_left_out(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(1)
    judgement = judge(hook, stage.at(EVENT), **ALL, checks={"rollback": "skip"})
    assert (judgement.succeeded, judgement.check("rollback")[0]) == (False, "skipped")
    assert commands(stage) == [MIGRATE]


def test_a_revision_left_out(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(1)
    judge(hook, stage.at(EVENT), preset="alembic", checks={"revision": "skip"})
    assert commands(stage) == [MIGRATE]
