"""A migration that is longer than one invocation continues in a fresh one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import run_migrations as hook

from rehearsal.aws.world import Exit
from rehearsal.testing.stage import Call, Judge, Relay, Stage, refuse
from tests.unit.handlers.run_migrations.helpers import (
    ALL,
    BACK,
    CURRENT,
    DATA,
    EVENT,
    FOREVER,
    MIGRATE,
    PRESET,
    SCHEMA,
    SLOW,
    SPOT,
    WHERE,
    Death,
    commands,
    dies_at,
    no_room_for,
    one_off,
    other_migration,
    statuses,
)


def continued(times: int, last: str) -> list[str]:
    return ["CONTINUED"] * times + [last]


@pytest.mark.smoke
def test_a_migration_longer_than_its_invocation_continues_in_the_next(stage: Stage, relay: Relay) -> None:
    stage.world.exits[MIGRATE] = Exit(0, lasts=600)
    judgements = relay.play(stage.at(EVENT))
    assert statuses(judgements) == continued(2, "SUCCEEDED")
    assert commands(stage) == [MIGRATE, SCHEMA, DATA]
    assert judgements[0].message.startswith("continued by request ")
    assert judgements[0].message.endswith(": 1 of 4, migrate goes on")
    assert judgements[-1].message == "4 checks passed"
    assert list(judgements[-1].outcomes()) == ["deployment", "alone", "migrate", "verify_schema", "verify_data"]
    assert 600 <= stage.clock.now < 650


def test_what_is_invoked_by_an_alias_continues_by_it(stage: Stage, relay: Relay) -> None:
    """Its role has to allow that, which the end of the run judges."""
    relay.function = f"{relay.function}:live"
    invoked = stage.queue_invocations()
    stage.world.exits[MIGRATE] = Exit(0, lasts=400)
    assert relay.deliver(stage.at(EVENT))["status"] == "CONTINUED"
    assert invoked == [relay.function]


def test_the_way_back_is_found_again(stage: Stage, relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps(PRESET))
    stage.world.exits[WHERE] = Exit(0, lines=CURRENT)
    stage.world.exits[SCHEMA] = Exit(1, lasts=400)
    judgements = relay.play(stage.at(EVENT))
    assert statuses(judgements) == continued(1, "FAILED")
    assert relay.handed_over[0]["Continuation"]["state"] == {"resume_at": "verify_schema"}
    assert commands(stage) == [WHERE, MIGRATE, SCHEMA, ("alembic", "downgrade", "1975ea83b712")]
    assert judgements[-1].message.endswith("; rolled back with alembic downgrade 1975ea83b712")


def test_the_timeout_counts_over_invocations(stage: Stage, relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps({**SLOW, "timeout": 400}))
    stage.world.exits[MIGRATE] = Exit(0, lasts=FOREVER)
    judgements = relay.play(stage.at(EVENT))
    assert statuses(judgements) == continued(1, "FAILED")
    assert commands(stage) == [MIGRATE, BACK]
    ((_, reason),) = stage.world.stopped
    assert reason.startswith(f"run_migrations of deployment {stage.deployment.deployment_id}: task ")
    assert 400 <= stage.clock.now < 430


def test_the_timeout_counts_over_deliveries(stage: Stage, relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function died, and Lambda came back after a while: the migration has been running all the time."""
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps({**SLOW, "timeout": 200}))
    stage.world.exits[MIGRATE] = Exit(0, lasts=FOREVER)
    event = stage.at(EVENT)
    stage.around = dies_at(stage, "ecs:RunTask", after=True)
    with pytest.raises(Death):
        relay.deliver(event)
    stage.around = None
    stage.clock.sleep(150)
    assert not relay.deliver(event).succeeded
    assert 200 <= stage.clock.now < 230


def test_each_command_has_the_timeout(stage: Stage, relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps({**SLOW, "timeout": 250}))
    for command_ in (MIGRATE, SCHEMA, DATA):
        stage.world.exits[command_] = Exit(0, lasts=240)
    assert statuses(relay.play(stage.at(EVENT))) == continued(2, "SUCCEEDED")


def test_room_to_stop_and_to_roll_back_is_kept_in_the_last_invocation(stage: Stage, relay: Relay) -> None:
    """Five times 270 s, less 20 s to start each of the other four; 225 s of them to stop and to roll back."""
    stage.world.exits[MIGRATE] = Exit(0, lasts=FOREVER)
    stage.world.exits[BACK] = Exit(0, lasts=120)
    judgements = relay.play(stage.at(EVENT))
    assert statuses(judgements) == continued(4, "FAILED")
    assert commands(stage) == [MIGRATE, BACK]
    assert len(stage.world.stopped) == 1
    assert judgements[-1].check("rollback") == ("passed", "rolled back with alembic downgrade -1")
    assert "; it was stopped; " in judgements[-1].message
    assert judgements[-1].message.endswith("; rolled back with alembic downgrade -1")
    assert stage.clock.now < 5 * 300


def test_the_time_for_the_rollback_is_in_the_invocations_to_come(stage: Stage, relay: Relay) -> None:
    """As long as others may follow, none of this one's time is kept for it."""
    stage.world.exits[MIGRATE] = Exit(0, lasts=FOREVER)
    first = relay.deliver(stage.at(EVENT))
    assert first["status"] == "CONTINUED"
    assert stage.clock.now == 250
    assert stage.world.stopped == []


@pytest.mark.parametrize("seconds", [300, 900, 780])
def test_max_duration_is_the_end_of_it(
    stage: Stage, relay: Relay, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """Whatever the function's own time is, stopping and rolling back included."""
    relay.seconds = seconds
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps({**SLOW, "max_duration": 1000}))
    stage.world.exits[MIGRATE] = Exit(0, lasts=FOREVER)
    stage.world.exits[BACK] = Exit(0, lasts=100)
    judgements = relay.play(stage.at(EVENT))
    assert judgements[-1].check("rollback")[0] == "passed"
    assert commands(stage) == [MIGRATE, BACK]
    assert 850 < stage.clock.now <= 1000


def test_a_failure_in_the_fourth_invocation_is_rolled_back(stage: Stage, relay: Relay) -> None:
    stage.world.exits[MIGRATE] = Exit(1, lasts=800)
    judgements = relay.play(stage.at(EVENT))
    assert statuses(judgements) == continued(3, "FAILED")
    assert commands(stage) == [MIGRATE, BACK]
    assert judgements[-1].message.startswith("migrate (alembic upgrade head): exit 1 (")
    assert judgements[-1].message.endswith("; rolled back with alembic downgrade -1")


def test_a_verification_that_fails_invocations_after_the_migration(stage: Stage, relay: Relay) -> None:
    stage.world.exits[MIGRATE] = Exit(0, lasts=200)
    stage.world.exits[SCHEMA] = Exit(0, lasts=200)
    stage.world.exits[DATA] = Exit(1, lasts=400)
    judgements = relay.play(stage.at(EVENT))
    assert statuses(judgements) == continued(3, "FAILED")
    assert commands(stage) == [MIGRATE, SCHEMA, DATA, BACK]


def test_a_migration_that_never_started_is_not_rolled_back_in_a_later_invocation(stage: Stage, relay: Relay) -> None:
    stage.world.exits[MIGRATE] = Exit(None, reason="CannotPullContainerError: timeout", lasts=400)
    judgements = relay.play(stage.at(EVENT))
    assert statuses(judgements) == continued(1, "FAILED")
    assert commands(stage) == [MIGRATE]


def test_a_rollback_longer_than_an_invocation(stage: Stage, relay: Relay) -> None:
    stage.world.exits[MIGRATE] = Exit(1)
    stage.world.exits[BACK] = Exit(0, lasts=600)
    judgements = relay.play(stage.at(EVENT))
    assert statuses(judgements) == continued(2, "FAILED")
    assert judgements[0].message.endswith(": 1 of 4, rollback goes on")
    assert commands(stage) == [MIGRATE, BACK]
    assert judgements[-1].check("migrate")[0] == "failed"
    assert judgements[-1].check("rollback") == ("passed", "rolled back with alembic downgrade -1")
    assert judgements[-1].message.endswith("; rolled back with alembic downgrade -1")


def test_a_step_without_any_time_is_not_started(
    stage: Stage, relay: Relay, wall: Callable[[], datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps({**ALL, "max_duration": 60}))
    event = stage.at(EVENT)
    stage.around = dies_at(stage, "ecs:RunTask", after=True)
    with pytest.raises(Death):
        relay.deliver(event)
    stage.around = None
    late = {"began": wall().timestamp() - 61, "number": 1, "state": {"resume_at": "verify_schema"}, "orphan_note": ""}
    judgement = relay.deliver({**event, "Continuation": late})
    assert judgement.check("migrate")[0] == "passed"
    assert judgement.check("verify_schema")[1] == ("verify_schema: no time was left to run it: raise max_duration")
    assert commands(stage) == [MIGRATE, BACK]


def test_a_rollback_that_fails_invocations_later(stage: Stage, relay: Relay) -> None:
    stage.world.exits[MIGRATE] = Exit(1)
    stage.world.exits[BACK] = Exit(2, lasts=600)
    judgements = relay.play(stage.at(EVENT))
    assert statuses(judgements) == continued(2, "FAILED")
    assert judgements[-1].message.startswith("THE ROLLBACK FAILED TOO, the database is in an unknown state")


def test_a_rollback_without_an_end_is_stopped(stage: Stage, relay: Relay) -> None:
    stage.world.exits[MIGRATE] = Exit(1)
    stage.world.exits[BACK] = Exit(0, lasts=FOREVER)
    judgements = relay.play(stage.at(EVENT))
    assert statuses(judgements) == continued(4, "FAILED")
    assert judgements[-1].message.startswith("THE ROLLBACK FAILED TOO, the database is in an unknown state")
    assert len(stage.world.stopped) == 1


def test_the_wait_for_another_deployment_continues_in_the_next_invocation(stage: Stage, relay: Relay) -> None:
    stage.world.exits[("other",)] = Exit(0, lasts=600)
    event = stage.at(EVENT)
    other_migration(stage)
    judgements = relay.play(event)
    assert statuses(judgements) == continued(2, "SUCCEEDED")
    assert all(judgement.message.endswith(", alone goes on") for judgement in judgements[:2])
    assert commands(stage) == [("other",), MIGRATE, SCHEMA, DATA]


def test_a_wait_whose_last_look_had_no_answer_continues_too(stage: Stage, relay: Relay) -> None:
    """ECS had shown before that there is something to wait for."""
    stage.world.exits[("other",)] = Exit(0, lasts=600)
    event = stage.at(EVENT)
    other_migration(stage)
    refused, until = refuse("ServerException", status=500), stage.clock.now + 300
    unanswered: list[float] = []

    def around(call: Call, answer: Callable[[], Any]) -> Any:
        if call.name != "ecs:ListTasks" or not until - 200 < stage.clock.now < until:
            return answer()
        unanswered.append(stage.clock.now)
        return refused({})

    stage.around = around
    assert statuses(relay.play(event)) == continued(2, "SUCCEEDED")
    assert until - 200 < min(unanswered) < max(unanswered) < until


def test_where_ecs_does_not_answer_and_nothing_has_begun_nothing_is_continued(stage: Stage, relay: Relay) -> None:
    event = stage.at(EVENT)
    stage.instead["ecs:ListTasks"] = refuse("ServerException", status=500)
    (judgement,) = relay.play(event)
    assert judgement.check("alone")[0] == "error"
    assert "ServerException" in judgement.message
    assert not relay.handed_over
    assert commands(stage) == []


def test_the_revision_may_take_more_than_one_invocation(
    stage: Stage, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps(PRESET))
    stage.world.exits[WHERE] = Exit(0, lasts=400, lines=CURRENT)
    stage.world.exits[MIGRATE] = Exit(1)
    assert statuses(relay.play(stage.at(EVENT))) == continued(1, "FAILED")
    assert commands(stage) == [WHERE, MIGRATE, ("alembic", "downgrade", "1975ea83b712")]


def test_an_interruption_invocations_later_is_retried(stage: Stage, relay: Relay) -> None:
    stage.world.next_exits[MIGRATE] = [Exit(None, lasts=400, **SPOT), Exit(0, lasts=400)]
    judgements = relay.play(stage.at(EVENT))
    assert statuses(judgements) == continued(3, "SUCCEEDED")
    assert commands(stage) == [MIGRATE, MIGRATE, SCHEMA, DATA]


def test_a_invocation_that_is_delivered_twice(stage: Stage, relay: Relay) -> None:
    stage.world.exits[MIGRATE] = Exit(1, lasts=400)
    relay.deliver(stage.at(EVENT))
    (continued_event,) = relay.handed_over
    judgements = [relay.deliver(continued_event) for _ in range(2)]
    assert statuses(judgements) == ["FAILED", "FAILED"]
    assert commands(stage) == [MIGRATE, BACK]
    assert [report.accepted for report in stage.deployment.reports] == [True, False]


def test_a_invocation_that_crashed_after_it_gave_up_is_not_a_success(stage: Stage, relay: Relay) -> None:
    """Only AWS can tell the second delivery of a continuation that the first one rolled back."""
    stage.world.exits[MIGRATE] = Exit(0, lasts=400)
    relay.deliver(stage.at(EVENT))
    (continued_event,) = relay.handed_over
    no_room_for(stage, SCHEMA)
    stage.around = dies_at(stage, "codedeploy:PutLifecycleEventHookExecutionStatus", after=False)
    with pytest.raises(Death):
        relay.deliver(continued_event)
    stage.around = None
    stage.instead.clear()
    assert not relay.deliver(continued_event).succeeded
    assert commands(stage) == [MIGRATE, BACK]


def test_by_hand_nothing_is_continued(stage: Stage, judge: Judge) -> None:
    """Without a context there is nobody to invoke."""
    stage.world.exits[MIGRATE] = Exit(0, lasts=FOREVER)
    judgement = judge(hook, stage.at(EVENT), **ALL)
    assert commands(stage) == [MIGRATE, BACK]
    assert not stage.called("lambda:Invoke")
    assert "(still so after 645 s)" in judgement.message


def test_a_continuation_that_is_refused_names_the_task_that_runs_on(stage: Stage, relay: Relay) -> None:
    stage.world.exits[MIGRATE] = Exit(0, lasts=400)
    event = stage.at(EVENT)
    stage.instead["lambda:Invoke"] = refuse("AccessDeniedException", "no identity-based policy", 403)
    judgement = relay.deliver(event)
    (task,) = one_off(stage)
    assert (judgement.succeeded, stage.report()) == (False, "Failed")
    assert judgement.message.startswith(
        "the hook could not be continued in a fresh invocation: lambda:InvokeFunction was denied"
    )
    assert judgement.message.endswith(
        f"; task {task.task_arn.rpartition('/')[2]} of migrate runs on unwatched: see to its end; to undo it then, run "
        "alembic downgrade -1"
    )
