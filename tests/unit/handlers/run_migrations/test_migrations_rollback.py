"""What failed after a change is undone, and the message says how that went."""

from __future__ import annotations

import pytest
import run_migrations as hook

from rehearsal.aws.world import Exit
from rehearsal.testing.stage import Judge, Stage, refuse
from tests.unit.handlers.run_migrations.helpers import (
    ALL,
    BACK,
    CURRENT,
    DATA,
    EVENT,
    HEADING,
    MIGRATE,
    SCHEMA,
    WHERE,
    after_the_first_start,
    commands,
    one_off,
)


@pytest.mark.smoke
@pytest.mark.parametrize("failing", [MIGRATE, SCHEMA, DATA])
def test_what_failed_after_a_change_is_rolled_back(stage: Stage, judge: Judge, failing: tuple[str, ...]) -> None:
    stage.world.exits[failing] = Exit(1)
    judgement = judge(hook, stage.at(EVENT), **ALL)
    assert not judgement.succeeded
    before: list[tuple[str, ...]] = [MIGRATE, SCHEMA, DATA]
    assert commands(stage) == [*before[: before.index(failing) + 1], BACK]
    assert {spec.task_definition_arn for spec in one_off(stage)} == {stage.green_definition}  # the new image, too
    assert judgement.check("rollback") == ("passed", "rolled back with alembic downgrade -1")
    assert f"({' '.join(failing)}): exit 1" in judgement.message
    assert judgement.message.endswith("; rolled back with alembic downgrade -1")


def test_a_rollback_that_fails_is_the_loudest(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(1)
    stage.world.exits[BACK] = Exit(2, lines=("cannot drop it",))
    judgement = judge(hook, stage.at(EVENT), **ALL)
    assert judgement.message.startswith(
        "THE ROLLBACK FAILED TOO, the database is in an unknown state and needs a person: "
        "rollback (alembic downgrade -1): exit 2 ("
    )
    assert "cannot drop it; before that: migrate (alembic upgrade head): exit 1 (" in judgement.message


def test_a_rollback_that_fails_says_where_the_database_is_now(stage: Stage, judge: Judge) -> None:
    half_way = (HEADING, "Rev: 2b5c", "Parent: 1975ea83b712")
    stage.world.next_exits[WHERE] = [Exit(0, lines=CURRENT), Exit(0, lines=half_way)]
    stage.world.exits[MIGRATE] = Exit(1)
    stage.world.exits[("alembic", "downgrade", "1975ea83b712")] = Exit(2, lines=("cannot drop it",))
    judgement = judge(hook, stage.at(EVENT), preset="alembic")
    assert judgement.message.startswith(
        "THE ROLLBACK FAILED TOO, the database is at revision 2b5c now and needs a person: "
        "rollback (alembic downgrade 1975ea83b712): exit 2 ("
    )
    assert commands(stage) == [WHERE, MIGRATE, ("alembic", "downgrade", "1975ea83b712"), WHERE]


@pytest.mark.parametrize("gone", [Exit(1), Exit(0, lines=("no word of it",))])
def test_a_rollback_that_fails_where_nobody_can_tell_where_the_database_is(
    stage: Stage, judge: Judge, gone: Exit
) -> None:
    stage.world.next_exits[WHERE] = [Exit(0, lines=CURRENT), gone]
    stage.world.exits[MIGRATE] = Exit(1)
    stage.world.exits[("alembic", "downgrade", "1975ea83b712")] = Exit(2)
    judgement = judge(hook, stage.at(EVENT), preset="alembic")
    assert judgement.message.startswith("THE ROLLBACK FAILED TOO, the database is in an unknown state and needs a ")
    assert commands(stage)[-1] == WHERE


def test_a_rollback_that_does_not_start_is_as_loud(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(1)
    event = stage.at(EVENT)
    refusal = refuse("ClusterNotFoundException", "Cluster not found.")
    after_the_first_start(stage, lambda: stage.instead.update({"ecs:RunTask": refusal}))
    judgement = judge(hook, event, **ALL)
    assert judgement.check("rollback")[0] == "error"
    assert judgement.message.startswith("THE ROLLBACK FAILED TOO, ")


def test_no_rollback_when_all_went_well(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT), **ALL)
    assert BACK not in commands(stage)
    assert "rollback" not in judgement.outcomes()


def test_on_a_rollback_deployment_nothing_runs(stage: Stage, judge: Judge) -> None:
    stage.at(EVENT)
    judgement = judge(hook, stage.rollback_at(EVENT), **ALL)
    assert judgement.succeeded
    assert judgement.message == ("this is a rollback deployment: nothing was migrated (on_rollback_deployment is skip)")
    assert one_off(stage) == []


def test_on_a_rollback_deployment_it_runs_if_asked_to(stage: Stage, judge: Judge) -> None:
    stage.at(EVENT)
    judgement = judge(hook, stage.rollback_at(EVENT), command=MIGRATE, on_rollback_deployment="run")
    assert judgement.succeeded
    (task,) = one_off(stage)
    assert task.task_definition_arn == stage.blue_definition


def test_the_names_of_checks_can_be_set(stage: Stage, judge: Judge) -> None:
    stage.world.exits[DATA] = Exit(1)
    judgement = judge(hook, stage.at(EVENT), **ALL, checks={"verify_schema": "skip", "verify_data": "warn"})
    assert judgement.succeeded
    assert commands(stage) == [MIGRATE, DATA]
    assert "1 warned: verify_data (python -m shop.verify): exit 1" in judgement.message
