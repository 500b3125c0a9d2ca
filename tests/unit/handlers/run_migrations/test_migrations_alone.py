"""One migration of a service at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import run_migrations as hook

from rehearsal.aws.world import Exit
from rehearsal.testing.stage import ACCOUNT, CLUSTER, Call, Judge, Stage, refuse
from tests.unit.handlers.run_migrations.helpers import (
    ALL,
    EVENT,
    FOREVER,
    MIGRATE,
    Death,
    commands,
    deliver,
    dies_at,
    hides,
    one_off,
    other_migration,
)


@pytest.mark.smoke
def test_it_waits_for_the_migration_of_another_deployment(stage: Stage, judge: Judge) -> None:
    stage.world.exits[("other",)] = Exit(0, lasts=60)
    event = stage.at(EVENT)
    other_migration(stage)
    judgement = judge(hook, event, command=MIGRATE)
    assert judgement.succeeded
    assert judgement.check("alone") == ("passed", "no migration of another deployment is running")
    assert stage.clock.now >= 60
    assert commands(stage) == [("other",), MIGRATE]


def test_it_fails_for_the_migration_of_another_deployment_if_asked_to(stage: Stage, judge: Judge) -> None:
    stage.world.exits[("other",)] = Exit(0, lasts=60)
    event = stage.at(EVENT)
    arn = other_migration(stage)
    judgement = judge(hook, event, **ALL, concurrent="fail")
    assert judgement.message == (
        f"a migration of another deployment is still running: task {arn.rpartition('/')[2]} of deployment d-OTHER0000: "
        "wait for its end, or stop it"
    )
    assert commands(stage) == [("other",)]
    assert stage.clock.now == 0


def test_one_that_was_told_to_stop_still_runs(stage: Stage, judge: Judge) -> None:
    """ECS lists it among those to stop, and gives its containers their time."""
    stage.world.exits[("other",)] = Exit(0, lasts=FOREVER, deaf_for=40)
    event = stage.at(EVENT)
    stage.ecs.stop_task(cluster=CLUSTER, task=other_migration(stage))
    assert judge(hook, event, command=MIGRATE).succeeded
    assert stage.clock.now >= 40


def test_the_wait_ends_with_the_time(stage: Stage, judge: Judge) -> None:
    stage.world.exits[("other",)] = Exit(0, lasts=FOREVER)
    event = stage.at(EVENT)
    other_migration(stage)
    judgement = judge(hook, event, **ALL, interval=60)
    assert "of deployment d-OTHER0000: wait for its end, or stop it (still so after 645 s)" in judgement.message
    assert commands(stage) == [("other",)]
    assert stage.world.stopped == [], "it is not ours to stop"


@pytest.mark.parametrize(
    "changes",
    [
        {"group": "family:shop"},
        {"group": "run_migrations:billing"},
        {"group": "run_migrations:shop", "startedBy": ""},
    ],
    ids=["a task by hand", "another service of this family", "ours"],
)
def test_what_is_no_migration_of_another_deployment(stage: Stage, judge: Judge, changes: dict[str, Any]) -> None:
    """Nor are the service's own tasks, of which there are always some."""
    stage.world.exits[("other",)] = Exit(0, lasts=FOREVER)
    event = stage.at(EVENT)
    other_migration(stage, **{**changes, "startedBy": changes.get("startedBy", "d-OTHER0000") or event["DeploymentId"]})
    assert judge(hook, event, command=MIGRATE, concurrent="fail").succeeded


def test_a_redelivery_does_not_wait_for_who_came_after_its_migration(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own task may be running: to turn away from it would leave it alone."""
    event = stage.at(EVENT)
    stage.around = dies_at(stage, "ecs:RunTask", after=True)
    with pytest.raises(Death):
        deliver(monkeypatch, event, command=MIGRATE, concurrent="fail")
    stage.around = None
    stage.world.exits[("other",)] = Exit(0, lasts=FOREVER)
    other_migration(stage)
    judgement = deliver(monkeypatch, event, command=MIGRATE, concurrent="fail")
    assert judgement.succeeded
    assert judgement.check("alone")[1] == "this deployment's migration has begun already: it was alone then"


@pytest.mark.parametrize("concurrent", ["wait", "fail"])
def test_who_is_named_and_not_shown_may_be_a_migration(stage: Stage, judge: Judge, concurrent: str) -> None:
    """A task that ECS lists and does not describe is not one that has ended."""
    stage.world.exits[("other",)] = Exit(0, lasts=FOREVER)
    event = stage.at(EVENT)
    arn = other_migration(stage)
    stage.around = hides(arn)
    judgement = judge(hook, event, command=MIGRATE, concurrent=concurrent)
    assert judgement.check("alone")[0] == "error"
    assert judgement.message.startswith(
        f"ecs:DescribeTasks does not show 1 of the tasks that ecs:ListTasks names: {arn.rpartition('/')[2]}"
    )
    assert commands(stage) == [("other",)]


@pytest.mark.parametrize("concurrent", ["wait", "fail"])
def test_a_task_forgotten_between_two_calls_is_in_nobodys_way(stage: Stage, judge: Judge, concurrent: str) -> None:
    event = stage.at(EVENT)
    gone = f"arn:aws:ecs:{stage.region}:{ACCOUNT}:task/{CLUSTER}/0123456789abcdef0123456789abcdef"
    lists = iter([[gone]])

    def around(call: Call, answer: Callable[[], Any]) -> Any:
        if call.name == "ecs:ListTasks":
            return {"taskArns": next(lists, []), **answer()}
        return answer()

    stage.around = around
    assert judge(hook, event, command=MIGRATE, concurrent=concurrent).succeeded
    assert commands(stage) == [MIGRATE]


def test_tasks_that_may_not_be_listed(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["ecs:ListTasks"] = refuse("AccessDeniedException")
    judgement = judge(hook, event, command=MIGRATE)
    assert judgement.message.startswith("ecs:ListTasks was denied: allow it in this hook's role")
    assert one_off(stage) == []


def test_nobody_need_be_alone_who_says_so(stage: Stage, judge: Judge) -> None:
    stage.world.exits[("other",)] = Exit(0, lasts=FOREVER)
    event = stage.at(EVENT)
    other_migration(stage)
    assert judge(hook, event, command=MIGRATE, checks={"alone": "skip"}).succeeded
