"""Commands that take too long, and calls that ECS does not answer."""

from __future__ import annotations

from typing import Any

import pytest
import run_migrations as hook

from rehearsal.aws.world import Exit, PlacementFailure
from rehearsal.testing.stage import Judge, Stage, refuse
from tests.unit.handlers.run_migrations.helpers import (
    ALL,
    BACK,
    DATA,
    EVENT,
    FOREVER,
    MIGRATE,
    SCHEMA,
    after_the_first_start,
    commands,
    one_off,
)


@pytest.mark.smoke
def test_a_command_that_takes_too_long_is_stopped(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(0, runs_for=FOREVER)
    event = stage.at(EVENT)
    judgement = judge(hook, event, command=MIGRATE, timeout=120, interval=30)
    assert not judgement.succeeded
    (task,) = one_off(stage)
    task_id = task.task_arn.rpartition("/")[2]
    assert judgement.message.startswith(
        f"migrate (alembic upgrade head): task {task_id} is RUNNING (still so after 120 s); it was stopped; its log: "
    )
    assert stage.world.stopped == [
        (
            task.task_arn,
            f"run_migrations of deployment {event['DeploymentId']}: task {task_id} is RUNNING (still so after 120 s)",
        )
    ]


def test_by_default_a_command_has_the_time_of_the_invocation(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(0, runs_for=13)  # looks, a minute apart
    assert judge(hook, stage.at(EVENT), command=MIGRATE, interval=60).succeeded
    assert stage.clock.now == 780


def test_room_is_kept_to_stop_and_to_roll_back(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(0, runs_for=FOREVER)
    stage.world.exits[BACK] = Exit(0, runs_for=3)
    judgement = judge(hook, stage.at(EVENT), **ALL, interval=30)
    assert not judgement.succeeded
    assert commands(stage) == [MIGRATE, BACK]
    assert judgement.check("rollback") == ("passed", "rolled back with alembic downgrade -1")
    assert "(still so after 645 s)" in judgement.message
    assert stage.clock.now < 870


def test_a_task_that_cannot_be_stopped(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(0, runs_for=FOREVER)
    event = stage.at(EVENT)
    stage.instead["ecs:StopTask"] = refuse("AccessDeniedException", "not allowed")
    judgement = judge(hook, event, command=MIGRATE, timeout=10)
    assert "; it could not be stopped: ecs:StopTask was denied: allow it in this hook's role" in judgement.message


def test_nothing_is_rolled_back_under_a_migration_that_may_still_run(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(0, runs_for=FOREVER)
    event = stage.at(EVENT)
    stage.instead["ecs:StopTask"] = refuse("AccessDeniedException", "not allowed")
    judgement = judge(hook, event, **ALL, timeout=10)
    assert commands(stage) == [MIGRATE]
    assert judgement.check("rollback")[0] == "failed"
    assert judgement.message.startswith("NOT ROLLED BACK: task ")
    assert " may still run; see to its end, then run alembic downgrade -1" in judgement.message


def test_ecs_may_be_silent_for_a_while(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["ecs:DescribeTasks"] = refuse("ServerException", "try again", 500)
    stage.clock.after(300, stage.instead.clear)
    assert judge(hook, event, command=MIGRATE).succeeded
    assert stage.world.stopped == []


def test_a_task_that_is_not_visible_yet(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    missing = {"tasks": [], "failures": [{"arn": "…", "reason": "MISSING"}]}
    stage.instead["ecs:DescribeTasks"] = lambda _: missing
    stage.clock.after(5, stage.instead.clear)
    assert judge(hook, event, command=MIGRATE).succeeded


def test_a_start_that_ecs_does_not_answer_is_asked_for_again(stage: Stage, judge: Judge) -> None:
    """It has started all the same: the token finds it."""
    event = stage.at(EVENT)

    def lost(parameters: Any) -> Any:
        del stage.instead["ecs:RunTask"]
        stage.ecs.run_task(**parameters)
        return refuse("ServerException", "Service Unavailable", 503)(parameters)

    stage.instead["ecs:RunTask"] = lost
    assert judge(hook, event, command=MIGRATE).succeeded
    assert commands(stage) == [MIGRATE]


def test_a_start_that_ecs_never_answers_may_have_happened(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["ecs:RunTask"] = refuse("ServerException", "Service Unavailable", 503)
    judgement = judge(hook, event, **ALL)
    assert judgement.message.startswith(
        "NOT ROLLED BACK: the task of migrate, of which ECS did not answer whether it started, may still run; see to "
        "its end, then run alembic downgrade -1; before that: ecs:RunTask failed on every attempt ("
    )
    assert judgement.check("migrate")[0] == "error"
    assert 60 <= stage.clock.now < 70


def test_a_rollback_without_room_is_tried_again(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(1)
    event = stage.at(EVENT)
    no_room = {"tasks": [], "failures": [{"reason": "Capacity is unavailable at this time."}]}

    def fill() -> None:
        stage.instead["ecs:RunTask"] = lambda _: no_room
        stage.clock.after(30, stage.instead.clear)

    after_the_first_start(stage, fill)
    judgement = judge(hook, event, **ALL)
    assert judgement.check("rollback") == ("passed", "rolled back with alembic downgrade -1")
    assert stage.clock.now >= 30


def test_a_rollback_that_never_finds_room(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(1)
    event = stage.at(EVENT)
    no_room = [PlacementFailure("Capacity is unavailable at this time.")] * 100
    after_the_first_start(stage, lambda: stage.world.placement_failures.extend(no_room))
    judgement = judge(hook, event, **ALL)
    assert judgement.message.startswith(
        "THE ROLLBACK FAILED TOO, the database is in an unknown state and needs a person: "
        "ECS did not start the task (Capacity is unavailable at this time.)"
    )
    assert commands(stage) == [MIGRATE]


def test_a_task_that_ends_by_itself_as_it_is_stopped(stage: Stage, judge: Judge) -> None:
    """Every later delivery sees that it ended well: this one has to see the same."""
    stage.world.exits[MIGRATE] = Exit(0, lasts=80)
    event = stage.at(EVENT)
    stage.instead["ecs:StopTask"] = lambda _: {"task": {}}  # AWS stops no task that is ending
    judgement = judge(hook, event, **ALL, timeout=60, interval=30)
    assert judgement.succeeded
    assert commands(stage) == [MIGRATE, SCHEMA, DATA]


def test_a_task_that_takes_its_time_to_stop(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(0, lasts=FOREVER, deaf_for=30)
    judgement = judge(hook, stage.at(EVENT), **ALL, timeout=60, interval=10)
    assert "(still so after 60 s); it was stopped; " in judgement.message
    assert commands(stage) == [MIGRATE, BACK]
    assert stage.clock.now >= 90


@pytest.mark.parametrize(("stop_timeout", "rolled_back"), [(None, False), (120, True)])
def test_a_container_with_a_long_stop_timeout_is_waited_for(
    stage: Stage, judge: Judge, stop_timeout: int | None, rolled_back: bool
) -> None:
    if stop_timeout:
        stage.green_definition = stage.register(stopTimeout=stop_timeout)
    stage.world.exits[MIGRATE] = Exit(0, lasts=FOREVER, deaf_for=115)
    judgement = judge(hook, stage.at(EVENT), **ALL, timeout=60, interval=10)
    assert commands(stage) == ([MIGRATE, BACK] if rolled_back else [MIGRATE])
    assert ("NOT ROLLED BACK" in judgement.message) is not rolled_back


def test_a_conflict_of_which_ecs_names_no_task_is_an_error(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["ecs:RunTask"] = refuse("ConflictException", "the token is taken")
    judgement = judge(hook, event, **ALL)
    assert "ecs:RunTask failed: ConflictException: the token is taken" in judgement.message


def test_a_task_that_is_stopped_before_it_has_started(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(None, lasts=FOREVER)
    judgement = judge(hook, stage.at(EVENT), **ALL, timeout=60, interval=10)
    assert "is PENDING (still so after 60 s); it was stopped" in judgement.message
    assert commands(stage) == [MIGRATE]


def test_ecs_may_be_silent_while_a_task_is_stopped(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(0, lasts=FOREVER, deaf_for=1)
    event = stage.at(EVENT)

    def silent() -> None:
        stage.instead["ecs:DescribeTasks"] = refuse("ServerException", "try again", 500)

    stage.clock.after(59, silent)
    stage.clock.after(80, stage.instead.clear)
    judge(hook, event, **ALL, timeout=60, interval=2)
    assert commands(stage) == [MIGRATE, BACK]
