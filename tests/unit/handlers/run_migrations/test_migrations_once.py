"""Each command runs once, however often the event comes and wherever the function dies."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import run_migrations as hook
from botocore.exceptions import ConnectionClosedError
from gate.task_runs import STEP_TAG

from rehearsal.aws.world import Exit
from rehearsal.testing.stage import CLUSTER, SERVICE, Call, Judge, Judgement, Stage, refuse
from tests.unit.handlers.run_migrations.helpers import (
    ALL,
    BACK,
    CURRENT,
    DATA,
    EVENT,
    MIGRATE,
    SCHEMA,
    WHERE,
    Death,
    commands,
    deliver,
    dies_at,
    hides,
    no_room_for,
    other_migration,
)


@pytest.mark.smoke
def test_the_same_event_twice_runs_each_step_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    event = stage.at(EVENT)
    first = deliver(monkeypatch, event, **ALL)
    second = deliver(monkeypatch, event, **ALL)
    assert first.succeeded
    assert second.succeeded
    assert commands(stage) == [MIGRATE, SCHEMA, DATA]
    tokens = [call["clientToken"] for call in stage.called("ecs:RunTask")]
    assert len(set(tokens)) == 3, "the second delivery joins their tasks"
    assert all(len(token) <= 64 for token in tokens)
    assert [report.error for report in stage.deployment.reports] == [None, "LifecycleEventAlreadyCompletedException"]


def test_the_same_event_twice_at_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second delivery comes while the first one waits: it waits for the same task."""
    event = stage.at(EVENT)
    stage.world.exits[MIGRATE] = Exit(1, runs_for=5)
    seen: list[Judgement] = []
    stage.clock.after(3, lambda: seen.append(deliver(monkeypatch, event, command=MIGRATE, rollback_command=BACK)))
    seen.append(deliver(monkeypatch, event, command=MIGRATE, rollback_command=BACK))
    assert [judgement.succeeded for judgement in seen] == [False, False]
    assert commands(stage) == [MIGRATE, BACK]


def test_another_event_of_another_deployment_runs_it_again(stage: Stage, judge: Judge) -> None:
    judge(hook, stage.at(EVENT), command=MIGRATE)
    stage.deployment.set_status("Stopped")
    judge(hook, stage.at(EVENT), command=MIGRATE)
    assert commands(stage) == [MIGRATE, MIGRATE]


@pytest.mark.parametrize(
    ("failing", "after"),
    [(DATA, False), (DATA, True), (MIGRATE, True), (None, True)],
    ids=["data before", "data after", "migrate", "none"],
)
def test_a_crash_at_any_call(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, failing: tuple[str, ...] | None, after: bool
) -> None:
    """Lambda delivers the event again: each step runs once, and CodeDeploy takes one report."""
    stage.world.exits[WHERE] = Exit(0, lines=CURRENT)
    expected: list[tuple[str, ...]] = [WHERE, MIGRATE, SCHEMA, DATA]
    if failing:
        stage.world.exits[failing] = Exit(1, lines=("wrong",))
        expected = [*expected[: expected.index(failing) + 1], ("alembic", "downgrade", "1975ea83b712")]
    settings = {"preset": "alembic", "verify_data_command": DATA}
    place, crashed = 0, True
    while crashed:
        place += 1
        event = stage.at(EVENT)
        stage.world.started.clear()
        stage.around = dies_at(stage, place, after=after)
        crashed = False
        try:
            deliver(monkeypatch, event, **settings)
        except Death:
            crashed = True
        stage.around = None
        judgement = deliver(monkeypatch, event, **settings)
        assert judgement.succeeded is (failing is None), f"after call {place}: {judgement.message}"
        assert commands(stage) == expected, f"after call {place}"
        taken = [report.status for report in stage.deployment.reports if report.accepted]
        assert taken == ["Failed" if failing else "Succeeded"], f"after call {place}"
        stage.deployment.set_status("Stopped")
        stage.ecs.delete_task_set(cluster=CLUSTER, service=SERVICE, taskSet=stage.green_set, force=True)
        stage.forget_tasks()
    assert place > 15


def test_what_was_rolled_back_is_not_a_success_of_the_next_delivery(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There was no room for the verification, and the report was lost: now there is room."""
    event = stage.at(EVENT)
    no_room_for(stage, DATA)
    stage.around = dies_at(stage, "codedeploy:PutLifecycleEventHookExecutionStatus", after=False)
    with pytest.raises(Death):
        deliver(monkeypatch, event, **ALL)
    assert commands(stage) == [MIGRATE, SCHEMA, BACK]
    stage.around = None
    stage.instead.clear()
    judgement = deliver(monkeypatch, event, **ALL)
    assert not judgement.succeeded
    assert commands(stage) == [MIGRATE, SCHEMA, BACK]
    assert judgement.message == (
        "another invocation of this hook gave up the migration: rolled back with alembic downgrade -1"
    )
    assert judgement.check("verify_data")[0] == "skipped"


def test_the_settings_change_between_two_deliveries(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step's token is taken: the tasks that exist are joined, and their exit codes count."""
    stage.world.exits[MIGRATE] = Exit(1)
    event = stage.at(EVENT)
    stage.around = dies_at(stage, "logs:GetLogEvents", after=False)
    with pytest.raises(Death):
        deliver(monkeypatch, event, **ALL)
    stage.around = None
    changed = {**ALL, "command": ["another", "command"], "memory": 2048, "launch": "FARGATE_SPOT"}
    judgement = deliver(monkeypatch, event, **changed)
    assert judgement.check("migrate")[1].startswith("migrate (another command): exit 1")
    assert commands(stage) == [MIGRATE, BACK]


@pytest.mark.parametrize("changed", [{}, {"cpu": 512}], ids=["same options", "other options"])
@pytest.mark.parametrize("described", [True, False])
def test_the_token_finds_a_task_that_ecs_does_not_list_yet(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], described: bool
) -> None:
    """With other options ECS refuses the token, and names the task."""
    event = stage.at(EVENT)
    deliver(monkeypatch, event, command=MIGRATE)
    stage.instead["ecs:ListTasks"] = lambda _: {"taskArns": []}
    if not described:
        stage.instead["ecs:DescribeTasks"] = lambda _: {"tasks": [], "failures": [{"arn": "…", "reason": "MISSING"}]}
        stage.clock.after(5, stage.instead.clear)
    assert deliver(monkeypatch, event, command=MIGRATE, **changed).succeeded
    assert commands(stage) == [MIGRATE]
    first, second = (call["clientToken"] for call in stage.called("ecs:RunTask"))
    assert first == second


def test_a_rollback_that_nobody_could_see_is_no_success(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    refused: list[Call] = []

    def around(call: Call, answer: Callable[[], Any]) -> Any:
        if call.name == "ecs:ListTasks" and stage.called("ecs:RunTask"):
            refused.append(call)
            return refuse("AccessDeniedException")({})
        return answer()

    stage.around = around
    judgement = judge(hook, event, command=MIGRATE)
    assert not judgement.succeeded
    assert judgement.check("migrate")[0] == "passed"
    assert judgement.check("rollback")[0] == "error"
    assert "whether another invocation of this hook has begun to roll back was not seen: ecs:ListTasks" in (
        judgement.message
    )
    assert len(refused) == 1, "what is denied now will be denied a second later"


def test_a_rollback_that_is_named_and_not_shown_is_no_success(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    arn = other_migration(stage, startedBy=event["DeploymentId"], tags=[{"key": STEP_TAG, "value": "rollback"}])
    stage.around = hides(arn)
    judgement = judge(hook, event, command=MIGRATE, checks={"alone": "skip"})
    assert not judgement.succeeded
    assert judgement.check("rollback")[0] == "error"
    assert "begun to roll back was not seen: ecs:DescribeTasks does not show 1 of the tasks" in judgement.message


def test_a_moment_of_throttling_at_the_end_is_borne(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    refused: list[Call] = []

    def around(call: Call, answer: Callable[[], Any]) -> Any:
        if call.name == "ecs:ListTasks" and stage.called("ecs:RunTask") and len(refused) < 3:
            refused.append(call)
            return refuse("ThrottlingException")({})
        return answer()

    stage.around = around
    judgement = judge(hook, event, command=MIGRATE)
    assert judgement.succeeded
    assert len(refused) == 3
    apart = [later.at - call.at for call, later in pairwise(refused)]
    assert min(apart) >= 0.9, "it is asked again after a while"


def test_a_start_whose_answer_is_lost_is_told_as_what_it_is(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)

    def lost(_parameters: Any) -> Any:
        raise ConnectionClosedError(endpoint_url="https://ecs")

    stage.instead["ecs:RunTask"] = lost
    judgement = judge(hook, event, command=MIGRATE, rollback_command=BACK)
    assert judgement.check("migrate")[1].startswith("ECS could not be reached for ecs:RunTask (ConnectionClosedError")
    assert "NOT ROLLED BACK: the task of migrate, of which ECS did not answer whether it started" in judgement.message


def test_tasks_that_ecs_never_lists_cost_two_minutes_at_most(stage: Stage, judge: Judge) -> None:
    """One for the first step, one at the end; the token does without."""
    event = stage.at(EVENT)
    stage.instead["ecs:ListTasks"] = refuse("ServerException", "try again", 500)
    judgement = judge(hook, event, **ALL, checks={"alone": "skip"})
    assert not judgement.succeeded
    assert commands(stage) == [MIGRATE, SCHEMA, DATA]
    assert "begun to roll back was not seen: ecs:ListTasks failed on every attempt" in judgement.message
    assert stage.clock.now < 130
