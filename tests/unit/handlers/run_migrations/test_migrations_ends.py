"""How a task ends: capacity that is taken away, out of memory, stopped, never started."""

from __future__ import annotations

from typing import Any

import pytest
import run_migrations as hook

from rehearsal.aws.world import Exit
from rehearsal.testing.stage import Judge, Stage
from tests.unit.handlers.run_migrations.helpers import (
    ALL,
    BACK,
    CURRENT,
    DATA,
    EVENT,
    GONE,
    MIGRATE,
    SCHEMA,
    SPOT,
    WHERE,
    commands,
    deliver,
)


@pytest.mark.smoke
@pytest.mark.parametrize("why", [SPOT, GONE], ids=["spot", "termination"])
def test_an_interruption_before_the_start_is_retried_once(stage: Stage, judge: Judge, why: dict[str, Any]) -> None:
    stage.world.next_exits[MIGRATE] = [Exit(None, **why)]
    event = stage.at(EVENT)
    judgement = judge(hook, event, **ALL)
    assert judgement.succeeded
    expected = "migrate (alembic upgrade head), attempt 2 after an interruption: exit 0"
    assert judgement.check("migrate") == ("passed", expected)
    assert commands(stage) == [MIGRATE, MIGRATE, SCHEMA, DATA]
    steps = [
        tag["value"] for call in stage.called("ecs:RunTask") for tag in call["tags"] if tag["key"].endswith("step")
    ]
    assert steps[:2] == ["migrate", "migrate-2"]


def test_a_second_delivery_finds_the_second_attempt(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.world.next_exits[MIGRATE] = [Exit(None, **SPOT)]
    event = stage.at(EVENT)
    judgements = [deliver(monkeypatch, event, command=MIGRATE) for _ in range(2)]
    assert [judgement.succeeded for judgement in judgements] == [True, True]
    assert commands(stage) == [MIGRATE, MIGRATE]


def test_two_interruptions_before_the_start(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(None, **SPOT)
    judgement = judge(hook, stage.at(EVENT), **ALL)
    assert judgement.message == (
        "migrate (alembic upgrade head), attempt 2 after an interruption: container app never started: "
        "SpotInterruption; Your Spot Task was interrupted.; container app: never started"
    )
    assert commands(stage) == [MIGRATE, MIGRATE], "and nothing is rolled back, for nothing ran"


def test_an_interruption_in_the_middle_is_rolled_back(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(143, **SPOT)
    judgement = judge(hook, stage.at(EVENT), **ALL)
    assert commands(stage) == [MIGRATE, BACK]
    assert judgement.message.startswith(
        "migrate (alembic upgrade head): exit 143, its instance was taken away in the middle "
        "(SpotInterruption; Your Spot Task was interrupted.): retry_interrupted starts it again; "
    )


def test_an_interruption_in_the_middle_is_retried_if_asked_to(stage: Stage, judge: Judge) -> None:
    stage.world.next_exits[MIGRATE] = [Exit(143, **SPOT)]
    assert judge(hook, stage.at(EVENT), **ALL, retry_interrupted=True).succeeded
    assert commands(stage) == [MIGRATE, MIGRATE, SCHEMA, DATA]


def test_two_interruptions_in_the_middle(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(143, **SPOT)
    judgement = judge(hook, stage.at(EVENT), **ALL, retry_interrupted=True)
    assert commands(stage) == [MIGRATE, MIGRATE, BACK]
    assert judgement.message.startswith(
        "migrate (alembic upgrade head), attempt 2 after an interruption: exit 143, its instance was taken away in the "
        "middle (SpotInterruption; Your Spot Task was interrupted.); its log: "
    )


def test_a_second_attempt_that_never_starts_follows_a_first_that_ran(stage: Stage, judge: Judge) -> None:
    """What the first one did is still to be undone."""
    stage.world.next_exits[MIGRATE] = [Exit(143, **SPOT), Exit(None, reason="CannotPullContainerError: 429")]
    judge(hook, stage.at(EVENT), **ALL, retry_interrupted=True)
    assert commands(stage) == [MIGRATE, MIGRATE, BACK]


def test_a_host_that_goes_away_takes_the_exit_code_along(stage: Stage, judge: Judge) -> None:
    """No exit code, and yet it ran: it is neither started again nor left as it is."""
    stage.world.exits[MIGRATE] = Exit(None, lost=True, **GONE)
    judgement = judge(hook, stage.at(EVENT), **ALL)
    assert commands(stage) == [MIGRATE, BACK]
    assert judgement.message.startswith(
        "migrate (alembic upgrade head): no exit code, its instance was taken away in the middle "
        "(TerminationNotice; Host EC2 (instance i-1) terminated.): retry_interrupted starts it again; "
    )


def test_a_host_that_goes_away_at_once(stage: Stage, judge: Judge) -> None:
    """Before anybody has seen the task run."""
    stage.world.exits[MIGRATE] = Exit(None, lost=True, runs_for=0, **GONE)
    judge(hook, stage.at(EVENT), **ALL)
    assert commands(stage) == [MIGRATE, BACK]


def test_a_task_that_a_person_stops_before_its_start(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(None, stop_code="UserInitiated", stopped_reason="Task stopped by user")
    judgement = judge(hook, stage.at(EVENT), **ALL)
    assert "container app never started: UserInitiated; Task stopped by user" in judgement.message
    assert commands(stage) == [MIGRATE]


OOM = "OutOfMemoryError: Container killed due to memory usage"


def test_out_of_memory(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(137, reason=OOM)
    judgement = judge(hook, stage.at(EVENT), **ALL)
    assert judgement.message.startswith("migrate (alembic upgrade head): exit 137, out of memory (Essential")
    assert f"{OOM}): set memory of run_migrations, or give the task more" in judgement.message
    assert commands(stage) == [MIGRATE, BACK]


def test_nothing_is_rolled_back_for_a_failure_to_start(stage: Stage, judge: Judge) -> None:
    """Docker gives a container that it could not start a code of its own."""
    reason = "CannotStartContainerError: OCI runtime create failed: exec: alembic: executable file not found"
    stage.world.exits[MIGRATE] = Exit(128, reason=reason, stop_code="TaskFailedToStart", stopped_reason=reason)
    judgement = judge(hook, stage.at(EVENT), **ALL)
    assert judgement.message.startswith("migrate (alembic upgrade head): container app never started: TaskFailedTo")
    assert f"{reason}; container app: never started: set container to one that has the command" in judgement.message
    assert commands(stage) == [MIGRATE]
    assert not stage.called("logs:GetLogEvents"), "there is no log of what never ran"


def test_a_verification_that_does_not_start_is_rolled_back(stage: Stage, judge: Judge) -> None:
    """The migration changed something, and nothing says that it is right."""
    stage.world.exits[SCHEMA] = Exit(None, reason="CannotPullContainerError: not found")
    judgement = judge(hook, stage.at(EVENT), **ALL)
    assert commands(stage) == [MIGRATE, SCHEMA, BACK]
    assert "verify_schema (alembic current --check-heads): container app never started" in judgement.message
    assert judgement.message.endswith("; rolled back with alembic downgrade -1")


def test_the_message_of_a_failure_and_its_rollback(stage: Stage, judge: Judge) -> None:
    stage.world.exits[WHERE] = Exit(0, lines=CURRENT)
    stage.world.exits[MIGRATE] = Exit(1, lines=("relation orders exists already",))
    assert judge(hook, stage.at(EVENT), preset="alembic").message == (
        "migrate (alembic upgrade head): exit 1 (EssentialContainerExited; Essential container in task exited); "
        "last log lines: relation orders exists already; rolled back with alembic downgrade 1975ea83b712"
    )


def test_a_password_in_the_log_is_masked(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(1, lines=("could not connect to postgresql://shop:hunter2@db/shop",))
    judgement = judge(hook, stage.at(EVENT), command=MIGRATE)
    assert "postgresql://shop:***@db/shop" in judgement.message
    assert "hunter2" not in str(judgement)
