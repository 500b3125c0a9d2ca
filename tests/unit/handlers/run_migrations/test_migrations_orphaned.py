"""What a continuation may do: see to what has begun, and nothing that its own deployment has not asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from rehearsal.aws.world import Exit
from rehearsal.testing.stage import CLUSTER, Judgement, Relay, Stage, refuse
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
    SPOT,
    WHERE,
    commands,
    other_migration,
)


def stopped_after(stage: Stage, relay: Relay, migration: Exit) -> dict[str, Any]:
    """Let the migration begin, then stop the deployment; what the next invocation gets."""
    stage.world.next_exits[MIGRATE] = [migration]
    assert relay.deliver(stage.at(EVENT))["status"] == "CONTINUED"
    stage.deployment.set_status("Stopped")
    return relay.handed_over[-1]


# The deployment is stopped between two invocations.


@pytest.mark.smoke
def test_half_a_migration_is_taken_back_all_the_same(stage: Stage, relay: Relay) -> None:
    judgement = relay.deliver(stopped_after(stage, relay, Exit(1, lasts=400)))
    assert judgement.check("deployment")[0] == "failed"
    assert judgement.check("rollback") == ("passed", "rolled back with alembic downgrade -1")
    assert commands(stage) == [MIGRATE, BACK]
    assert not judgement.succeeded


def test_nothing_new_is_started(stage: Stage, relay: Relay) -> None:
    judgement = relay.deliver(stopped_after(stage, relay, Exit(0, lasts=400)))
    assert judgement.check("migrate")[0] == "passed"
    skipped = ("skipped", "verify_schema is not started: the deployment is not known to go on")
    assert judgement.check("verify_schema") == skipped
    assert commands(stage) == [MIGRATE]
    assert not judgement.succeeded


def test_an_interrupted_command_is_not_started_again(stage: Stage, relay: Relay) -> None:
    judgement = relay.deliver(stopped_after(stage, relay, Exit(None, lasts=400, **SPOT)))
    assert "container app never started: SpotInterruption" in judgement.message
    assert commands(stage) == [MIGRATE]


@pytest.mark.parametrize("is_over", [True, False])
def test_what_another_deployment_has_migrated_since_is_not_undone(stage: Stage, relay: Relay, is_over: bool) -> None:
    event = stopped_after(stage, relay, Exit(1, lasts=400))
    stage.world.exits[("other",)] = Exit(0, lasts=10 if is_over else FOREVER)
    other_migration(stage)
    judgement = relay.deliver(event)
    assert judgement.message.startswith(
        "NOT ROLLED BACK: deployment d-OTHER0000 has migrated since; see whether that may be undone, then run alembic "
        "downgrade -1"
    )
    assert commands(stage) == [MIGRATE, ("other",)]


def test_an_earlier_migration_of_another_deployment_is_in_no_rollbacks_way(stage: Stage, relay: Relay) -> None:
    event = stage.at(EVENT)
    other_migration(stage)
    stage.clock.sleep(60)
    stage.world.exits[MIGRATE] = Exit(1, lasts=400)
    assert relay.deliver(event)["status"] == "CONTINUED"
    stage.deployment.set_status("Stopped")
    assert relay.deliver(relay.handed_over[-1]).check("rollback")[0] == "passed"
    assert commands(stage) == [("other",), MIGRATE, BACK]


def test_a_rollback_is_waited_for(stage: Stage, relay: Relay) -> None:
    stage.world.exits[BACK] = Exit(0, lasts=600)
    stage.world.exits[MIGRATE] = Exit(1)
    assert relay.deliver(stage.at(EVENT)).message.endswith(", rollback goes on")
    stage.deployment.set_status("Stopped")
    for status in ("CONTINUED", "FAILED"):
        judgement = relay.deliver(relay.handed_over[-1])
        assert judgement["status"] == status
    assert judgement.check("rollback") == ("passed", "rolled back with alembic downgrade -1")
    assert commands(stage) == [MIGRATE, BACK]


def test_after_the_revision_no_migration_begins(stage: Stage, relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps(PRESET))
    stage.world.exits[WHERE] = Exit(0, lasts=400, lines=CURRENT)
    assert relay.deliver(stage.at(EVENT))["status"] == "CONTINUED"
    stage.deployment.set_status("Stopped")
    assert not relay.deliver(relay.handed_over[-1]).succeeded
    assert commands(stage) == [WHERE]


# AWS does not answer.


def test_a_codedeploy_that_does_not_answer_is_no_reason_to_leave_half_a_migration(stage: Stage, relay: Relay) -> None:
    stage.world.exits[MIGRATE] = Exit(1, lasts=400)
    assert relay.deliver(stage.at(EVENT))["status"] == "CONTINUED"
    stage.instead["codedeploy:GetDeployment"] = refuse("ServerException", "try again", 500)
    judgement = relay.deliver(relay.handed_over[-1])
    assert judgement.check("deployment")[0] == "error"
    assert judgement.check("rollback") == ("passed", "rolled back with alembic downgrade -1")
    assert (commands(stage), stage.report()) == ([MIGRATE, BACK], "Failed")


def test_a_task_that_cannot_be_found_again_is_not_taken_for_none(stage: Stage, relay: Relay) -> None:
    stage.world.exits[MIGRATE] = Exit(0, lasts=FOREVER)
    assert relay.deliver(stage.at(EVENT))["status"] == "CONTINUED"
    stage.instead["ecs:DescribeServices"] = refuse("AccessDeniedException", "not any more")
    judgement = relay.deliver(relay.handed_over[-1])
    assert (judgement.succeeded, stage.report()) == (False, "Failed")
    assert judgement.message.startswith(
        "NOT ROLLED BACK: the task of migrate, left running before, may still run; see to its end, then run alembic "
        "downgrade -1; before that: ecs:DescribeServices was denied"
    )
    assert commands(stage) == [MIGRATE]


def test_a_silence_of_ecs_for_a_whole_invocation_forgets_no_task(stage: Stage, relay: Relay) -> None:
    stage.world.exits[MIGRATE] = Exit(1, lasts=700)
    assert relay.deliver(stage.at(EVENT))["status"] == "CONTINUED"
    stage.instead["ecs:ListTasks"] = refuse("ServerException", "try again", 500)
    assert relay.deliver(relay.handed_over[-1]).message.endswith(": 2 of 4, alone goes on")
    first, second = (event["Continuation"] for event in relay.handed_over)
    assert second["state"] == {"resume_at": "migrate"}
    assert second["orphan_note"] == first["orphan_note"] != ""
    stage.instead.clear()
    judgements = relay.play(relay.handed_over[-1])
    assert judgements[-1].check("rollback")[0] == "passed"
    assert commands(stage) == [MIGRATE, BACK]


@pytest.mark.parametrize("code", [0, 1])
def test_a_way_back_that_cannot_be_found_again_leaves_no_task_alone(
    stage: Stage, relay: Relay, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """The hook fails, but first the migration is seen to its end; nothing follows it."""
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps(PRESET))
    stage.world.exits[WHERE] = Exit(0, lines=CURRENT)
    stage.world.exits[MIGRATE] = Exit(code, lasts=400)
    assert relay.deliver(stage.at(EVENT))["status"] == "CONTINUED"
    stage.instead["logs:GetLogEvents"] = refuse("AccessDeniedException")
    judgement = relay.deliver(relay.handed_over[-1])
    assert (judgement.succeeded, stage.report()) == (False, "Failed")
    assert judgement.check("revision")[0] == "error"
    assert judgement.check("migrate")[0] == ("failed" if code else "passed")
    assert stage.clock.now >= 400
    assert commands(stage) == [WHERE, MIGRATE]
    if code:
        assert "preset alembic found no way back: the database is as the failed step left it" in judgement.message


# Somebody writes a continuation of his own.


def forged(wall: Callable[[], datetime], resume_at: str, orphan_note: str = "see to it", **more: Any) -> dict[str, Any]:
    """A continuation that no invocation has left."""
    state = {"resume_at": resume_at, "may_have_changed": True, "rollback_command": ["drop", "it"]}
    began = wall().timestamp() - 61
    return {"began": began, "number": 1, "state": state, "orphan_note": orphan_note, **more}


STARTS = ("ecs:RunTask", "ecs:StopTask")


@pytest.mark.parametrize("options", [ALL, PRESET], ids=["commands", "preset"])
@pytest.mark.parametrize("checks", [{}, {"alone": "skip", "revision": "skip"}, {"alone": "warn", "revision": "warn"}])
@pytest.mark.parametrize("status", ["InProgress", "Succeeded"])
def test_it_starts_nothing_for_a_deployment_that_is_not_to_be_judged(
    stage: Stage,
    relay: Relay,
    wall: Callable[[], datetime],
    monkeypatch: pytest.MonkeyPatch,
    *,
    options: dict[str, Any],
    checks: dict[str, str],
    status: str,
) -> None:
    """Of another service, or over."""
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps({**options, "checks": checks}))
    event = stage.at(EVENT)
    if status == "InProgress":
        stage.update_group(ecsServices=[{"clusterName": CLUSTER, "serviceName": "billing"}])
    stage.deployment.set_status(status)
    for resume_at in ("migrate", "verify_schema", "rollback", "revision", ""):
        judgement = relay.deliver({**event, "Continuation": forged(wall, resume_at)})
        assert not judgement.succeeded
    assert not [call.name for call in stage.calls if call.name in STARTS]


def test_it_starts_nothing_where_the_description_cannot_be_followed(
    stage: Stage, relay: Relay, wall: Callable[[], datetime]
) -> None:
    """Without the continuation the hook would have ended at that."""
    event = stage.at(EVENT)
    stage.deployment.description = "[skip migrat]"
    judgement = relay.deliver({**event, "Continuation": forged(wall, "migrate")})
    assert judgement.check("overrides")[0] == "error"
    assert not [call.name for call in stage.calls if call.name in STARTS]


@pytest.mark.parametrize("resume_at", ["migrate", "verify_schema", "rollback"])
def test_it_passes_no_check(
    stage: Stage, relay: Relay, wall: Callable[[], datetime], monkeypatch: pytest.MonkeyPatch, resume_at: str
) -> None:
    """Every step is made as if the event had come alone, and what it says of results is not read."""
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps({**ALL, "concurrent": "fail"}))
    stage.world.exits[("other",)] = Exit(0, lasts=60)
    event = stage.at(EVENT)
    other_migration(stage)
    done = {name: [{"name": name, "outcome": "passed"}] for name in ("alone", "migrate", "verify_schema")}
    event["Continuation"] = forged(wall, resume_at, done=done)  # type: ignore[assignment]
    judgement: Judgement = relay.deliver(event)
    assert judgement.message.startswith("a migration of another deployment is still running: ")
    assert list(judgement.outcomes()) == ["deployment", "alone"]
    assert commands(stage) == [("other",)]


def test_it_runs_no_command_but_the_options(stage: Stage, relay: Relay, wall: Callable[[], datetime]) -> None:
    stage.world.exits[DATA] = Exit(1)
    judgement = relay.deliver({**stage.at(EVENT), "Continuation": forged(wall, "verify_data")})
    assert (judgement.succeeded, stage.report()) == (False, "Failed")
    assert commands(stage) == [MIGRATE, SCHEMA, DATA, BACK]
