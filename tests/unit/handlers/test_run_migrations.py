"""BeforeAllowTraffic: the migration runs once, its exit code is read, and what failed is undone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import run_migrations as hook
from alembic import command
from alembic.config import Config
from botocore.exceptions import ConnectionClosedError
from run_migrations import STEP

from rehearsal.aws.logs import append
from rehearsal.aws.world import Exit, PlacementFailure, TaskSpec
from tests.unit.handlers.stage import ACCOUNT, CLUSTER, SERVICE, Call, Judge, Judgement, Relay, Stage, refuse

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
FOREVER = 10**9  # looks


def one_off(stage: Stage) -> list[TaskSpec]:
    """The one-off tasks that were started."""
    return [spec for spec in stage.world.started if not (spec.started_by or "").startswith("ecs-svc/")]


def commands(stage: Stage) -> list[tuple[str, ...]]:
    """What they ran, in the application's container."""
    return [next(c.command for c in spec.containers if c.name == "app") for spec in one_off(stage)]


# What runs.


def test_without_a_command_it_says_so_and_passes(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    assert judgement.message == "no command is set for run_migrations: nothing was migrated"
    assert judgement.outcomes() == {"deployment": "passed", "migrate": "skipped"}
    assert one_off(stage) == []


@pytest.mark.parametrize("name", ["verify_schema_command", "verify_data_command", "rollback_command"])
def test_a_command_that_follows_none_is_a_bad_setting(stage: Stage, judge: Judge, name: str) -> None:
    judgement = judge(hook, stage.at(EVENT), **{name: ["x"]})
    assert judgement.outcomes() == {"settings": "failed"}
    assert judgement.message == (
        f"run_migrations.{name} without command and preset: nothing would run. Set command too, or preset"
    )
    assert one_off(stage) == []


def test_the_migration_runs_as_a_task_of_green(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    judgement = judge(hook, event, command=MIGRATE)
    assert judgement.succeeded
    assert judgement.check("migrate") == ("passed", "migrate (alembic upgrade head): exit 0")
    (task,) = one_off(stage)
    assert task.task_definition_arn == stage.green_definition
    assert task.containers[0].command == MIGRATE
    assert task.started_by == event["DeploymentId"]
    (call,) = stage.called("ecs:RunTask")
    assert call["cluster"] == CLUSTER
    assert call["launchType"] == "FARGATE"
    network = call["networkConfiguration"]["awsvpcConfiguration"]
    assert (network["subnets"], network["securityGroups"]) == (stage.subnets, [stage.security_group])
    assert {tag["key"]: tag["value"] for tag in call["tags"]} == {
        "codedeploy-deployment": event["DeploymentId"],
        "codedeploy-hook": "run_migrations",
        "codedeploy-step": "migrate",
    }


def test_what_it_calls(stage: Stage, judge: Judge) -> None:
    stage.world.exits[SCHEMA] = Exit(1)
    judge(hook, stage.at(EVENT), **ALL)
    assert {call.name for call in stage.calls} == {
        "codedeploy:GetDeployment",
        "codedeploy:GetDeploymentGroup",
        "codedeploy:PutLifecycleEventHookExecutionStatus",
        "ecs:DescribeServices",
        "ecs:DescribeTaskDefinition",
        "ecs:ListTasks",
        "ecs:RunTask",
        "ecs:DescribeTasks",
        "logs:GetLogEvents",
    }


def test_the_schema_and_the_data_are_verified_after_it(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT), **ALL)
    assert judgement.succeeded
    assert judgement.message == "4 checks passed"
    assert list(judgement.outcomes()) == ["deployment", "alone", "migrate", "verify_schema", "verify_data"]
    assert commands(stage) == [MIGRATE, SCHEMA, DATA]


def test_a_service_with_capacity_providers(stage: Stage, judge: Judge) -> None:
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]
    stage.create_service_anew(launchType=None, capacityProviderStrategy=strategy)
    event = stage.at("BeforeInstall")
    stage.create_task_set(event["DeploymentId"], capacityProviderStrategy=strategy)
    assert judge(hook, event, command=MIGRATE).succeeded
    (call,) = stage.called("ecs:RunTask")
    assert call["capacityProviderStrategy"] == strategy
    assert "launchType" not in call


def test_before_green_exists_the_appspec_says_what_runs(stage: Stage, judge: Judge) -> None:
    network = {"AwsvpcConfiguration": {"Subnets": stage.subnets[:1], "SecurityGroups": [stage.security_group]}}
    event = stage.at("BeforeInstall", json.dumps(stage.appspec(NetworkConfiguration=network)))
    assert judge(hook, event, command=MIGRATE).succeeded
    (task,) = one_off(stage)
    assert task.task_definition_arn == stage.green_definition
    (call,) = stage.called("ecs:RunTask")
    assert call["networkConfiguration"]["awsvpcConfiguration"]["subnets"] == stage.subnets[:1]


def test_before_green_exists_it_runs_where_blue_does(stage: Stage, judge: Judge) -> None:
    assert judge(hook, stage.at("BeforeInstall"), command=MIGRATE).succeeded
    (call,) = stage.called("ecs:RunTask")
    assert call["networkConfiguration"]["awsvpcConfiguration"]["subnets"] == stage.subnets
    assert call["launchType"] == "FARGATE"


def test_environment_is_added_and_never_shown(stage: Stage, judge: Judge, caplog: pytest.LogCaptureFixture) -> None:
    stage.world.exits[MIGRATE] = Exit(1)
    environment = {"DATABASE_PASSWORD": "hunter2", "MODE": "migrate"}
    judgement = judge(hook, stage.at(EVENT), command=MIGRATE, environment=environment)
    (task,) = one_off(stage)
    assert environment.items() <= task.containers[0].environment.items()
    assert "hunter2" not in str(judgement) + caplog.text


def test_no_secret_is_read(stage: Stage, judge: Judge) -> None:
    judge(hook, stage.at(EVENT), **ALL)
    assert not [call.name for call in stage.calls if call.name.split(":")[0] in ("secretsmanager", "ssm")]


# How it fails.


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

    def without_containers(parameters: Any) -> Any:
        del stage.instead["ecs:DescribeTasks"]
        answer = stage.ecs.describe_tasks(**parameters)
        stage.instead["ecs:DescribeTasks"] = without_containers
        for task in answer["tasks"]:
            task["containers"] = []
        return answer

    stage.instead["ecs:DescribeTasks"] = without_containers
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


def test_an_exit_with_0_because_it_was_told_to_end(stage: Stage, judge: Judge) -> None:
    """Some programs end with 0 on SIGTERM: a spot interruption half-way is no migration."""
    stage.world.exits[MIGRATE] = Exit(0, stop_code="SpotInterruption", stopped_reason="Your Spot Task was interrupted.")
    judgement = judge(hook, stage.at(EVENT), command=MIGRATE)
    assert not judgement.succeeded
    assert judgement.message.startswith(
        "migrate (alembic upgrade head): exit 0, its instance was taken away in the middle "
        "(SpotInterruption; Your Spot Task was interrupted.): retry_interrupted starts it again; its log: "
    )
    assert commands(stage) == [MIGRATE]


def test_an_exit_with_0_of_a_task_that_ecs_stopped(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(0, stop_code="ServiceSchedulerInitiated", stopped_reason="Scaling activity")
    judgement = judge(hook, stage.at(EVENT), command=MIGRATE)
    assert judgement.message.startswith(
        "migrate (alembic upgrade head): exit 0, but it was stopped before its end (ServiceSchedulerInitiated; Scaling "
    )


def test_an_exit_with_0_of_a_task_of_which_ecs_does_not_say_why_it_stopped(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)

    def around(call: Call, answer: Callable[[], Any]) -> Any:
        found = answer()
        for task in found["tasks"] if call.name == "ecs:DescribeTasks" else ():
            task.pop("stopCode", None)
        return found

    stage.around = around
    judgement = judge(hook, event, command=MIGRATE)
    assert judgement.message.startswith(
        "migrate (alembic upgrade head): exit 0, but ECS does not say why the task stopped ("
    )


# Time.


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


# Once, whatever is retried.


def deliver(monkeypatch: pytest.MonkeyPatch, event: Any, **settings: Any) -> Judgement:
    """Deliver an event that CodeDeploy may already have a report of."""
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps(settings))
    return Judgement(hook.handler(event, None))


def test_the_same_event_twice_runs_each_step_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    event = stage.at(EVENT)
    first = deliver(monkeypatch, event, **ALL)
    second = deliver(monkeypatch, event, **ALL)
    assert first.succeeded
    assert second.succeeded
    assert commands(stage) == [MIGRATE, SCHEMA, DATA]
    tokens = [call["clientToken"] for call in stage.called("ecs:RunTask")]
    assert tokens[:3] == tokens[3:]
    assert len(set(tokens)) == 3
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


def test_the_token_is_taken_with_other_settings(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings changed between two deliveries of one event: the task that runs is joined."""
    event = stage.at(EVENT)
    assert deliver(monkeypatch, event, command=MIGRATE).succeeded
    assert deliver(monkeypatch, event, command=MIGRATE, environment={"A": "b"}).succeeded
    assert len(one_off(stage)) == 1


# Rolling back.


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
    run_task = stage.ecs.run_task

    def only_the_first(parameters: Any) -> Any:
        del stage.instead["ecs:RunTask"]
        answer = run_task(**parameters)
        stage.instead["ecs:RunTask"] = refuse("ClusterNotFoundException", "Cluster not found.")
        return answer

    stage.instead["ecs:RunTask"] = only_the_first
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


# The presets.

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
DJANGO = ("python", "manage.py", "migrate", "--noinput")
LISTED = ("python", "manage.py", "showmigrations", "--list")
SHOWN = (
    *("admin", " [X] 0001_initial"),
    *("orders", " [X] 0001_initial", " [X] 0002_note", " [ ] 0003_email", " [ ] 0004_x"),
    *("sessions", " (no migrations)"),
    *("stock", " [X] 0001_squashed_0003 (3 squashed migrations)", " [ ] 0004_place"),
)


def test_several_lines_in_one_event_are_read_as_lines(stage: Stage, judge: Judge) -> None:
    """A log driver with awslogs-multiline-pattern or awslogs-datetime-format sends them so."""
    stage.world.exits[WHERE] = Exit(0, lines=("\n".join(CURRENT),))
    judgement = judge(hook, stage.at(EVENT), preset="alembic")
    assert judgement.check("revision")[1].endswith("; rollback: alembic downgrade 1975ea83b712")


def test_of_a_revisions_log_all_lines_are_read_that_cloudwatch_gives_at_once(stage: Stage, judge: Judge) -> None:
    stage.world.exits[WHERE] = Exit(0, lines=CURRENT)
    assert judge(hook, stage.at(EVENT), preset="alembic").succeeded
    assert {parameters["limit"] for parameters in stage.called("logs:GetLogEvents")} == {10_000}


def test_an_alembic_that_does_not_know_the_verification(stage: Stage, judge: Judge) -> None:
    stage.world.exits[WHERE] = Exit(0, lines=CURRENT)
    stage.world.exits[SCHEMA] = Exit(2, lines=("alembic: error: unrecognized arguments: --check-heads",))
    judgement = judge(hook, stage.at(EVENT), preset="alembic")
    cure = "; --check-heads came with Alembic 1.17.1: update it, or set verify_schema_command; rolled back with "
    assert cure in judgement.message


def test_a_program_as_a_command_is_named_by_its_beginning(stage: Stage, judge: Judge) -> None:
    program = ("python", "-c", "import shop\n" + "shop.migrate()\n" * 50)
    stage.world.exits[program] = Exit(1)
    judgement = judge(hook, stage.at(EVENT), command=program)
    label = judgement.message.partition("): exit 1")[0]
    assert label.startswith("migrate (python -c 'import shop shop.migrate() ")
    assert (label[-1], len(label)) == ("…", len("migrate (") + 80)


def test_alembic_runs_its_commands_and_finds_the_revision_first(stage: Stage, judge: Judge) -> None:
    stage.world.exits[WHERE] = Exit(0, lines=CURRENT)
    judgement = judge(hook, stage.at(EVENT), preset="alembic")
    assert judgement.succeeded
    assert commands(stage) == [WHERE, MIGRATE, SCHEMA]
    expected = "the database is at revision 1975ea83b712; rollback: alembic downgrade 1975ea83b712"
    assert judgement.check("revision") == ("passed", expected)


@pytest.mark.parametrize("failing", [MIGRATE, SCHEMA])
def test_alembic_goes_back_to_the_revision_found(stage: Stage, judge: Judge, failing: tuple[str, ...]) -> None:
    stage.world.exits[WHERE] = Exit(0, lines=CURRENT)
    stage.world.exits[failing] = Exit(1)
    judgement = judge(hook, stage.at(EVENT), preset="alembic")
    assert commands(stage)[-2:] == [failing, ("alembic", "downgrade", "1975ea83b712")]
    assert judgement.message.endswith("; rolled back with alembic downgrade 1975ea83b712")


def test_a_revision_may_be_named_with_a_dot(stage: Stage, judge: Judge) -> None:
    """Alembic takes a part of a name for the whole: `1` may be another revision than `1.10`."""
    stage.world.exits[WHERE] = Exit(0, lines=(HEADING, "Rev: 1.10 (head)"))
    stage.world.exits[MIGRATE] = Exit(1)
    judge(hook, stage.at(EVENT), preset="alembic")
    assert commands(stage)[-1] == ("alembic", "downgrade", "1.10")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((HEADING, "Rev: aaa (head)", "Parent: 1", "Rev: bbb (head)"),
         "the database is at several revisions (aaa, bbb), to which no one command leads back; rollback: none"),
        ((HEADING,), "the database has no revision yet; rollback: none"),
    ],
)  # fmt: skip
def test_alembic_without_a_way_back(stage: Stage, judge: Judge, lines: tuple[str, ...], said: str) -> None:
    stage.world.exits[WHERE] = Exit(0, lines=lines)
    stage.world.exits[MIGRATE] = Exit(1)
    judgement = judge(hook, stage.at(EVENT), preset="alembic")
    assert judgement.check("revision") == ("passed", said)
    assert commands(stage) == [WHERE, MIGRATE]
    assert judgement.message.endswith(
        "; no rollback_command is set, and preset alembic found no way back: the database is as the failed step left it"
    )


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), "showmigrations listed no migrations (0 log lines) (still so after 20 s)"),
        (("Traceback (most recent call last):",), "showmigrations listed no migrations (1 log lines)"),
    ],
)
@pytest.mark.parametrize("preset", ["alembic", "django"])
def test_an_unreadable_log_is_never_a_pass(
    stage: Stage, judge: Judge, preset: str, lines: tuple[str, ...], said: str
) -> None:
    """Nothing has run by then, and nothing runs: least of all a downgrade to base."""
    stage.world.exits[WHERE] = stage.world.exits[LISTED] = Exit(0, lines=lines)
    judgement = judge(hook, stage.at(EVENT), preset=preset)
    if preset == "alembic":
        said = said.replace("showmigrations listed no migrations", "alembic current said no revision")
    assert judgement.message.startswith(f"where the database is could not be read: {said}")
    assert ": mend the log, or set rollback_command" in judgement.message
    assert ("repeat it as entryPoint in the task definition" in judgement.message) is (not lines)
    assert judgement.check("revision")[0] == "error"
    assert commands(stage) == [WHERE if preset == "alembic" else LISTED]


def test_another_log_driver_is_said_where_a_revision_is_looked_for(stage: Stage, judge: Judge) -> None:
    stage.green_definition = stage.register(logConfiguration={"logDriver": "awsfirelens"})
    judgement = judge(hook, stage.at(EVENT), preset="alembic")
    assert judgement.message == (
        "where the database is could not be read: its log driver is awsfirelens, only awslogs can be read here: "
        "mend the log, or set rollback_command"
    )
    assert stage.clock.now < 10, "nothing is waited for that will not come"


def test_a_log_that_may_not_be_read_where_a_revision_is_looked_for(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["logs:GetLogEvents"] = refuse("AccessDeniedException")
    judgement = judge(hook, event, preset="django")
    assert "could not be read: logs:GetLogEvents was denied: allow it in this hook's role" in judgement.message
    assert commands(stage) == [LISTED]


def log_of(stage: Stage, *lines: str) -> None:
    """Let lines come into the log of the last task."""
    arn = one_off(stage)[-1].task_arn
    append(arn, "/ecs/shop", f"shop/app/{arn.rpartition('/')[2]}", lines)


def test_a_log_that_comes_in_two_parts_is_read_whole(stage: Stage, judge: Judge) -> None:
    """The first part alone would be a failure, or say that there is no revision yet."""
    stage.world.exits[WHERE] = Exit(0, lines=CURRENT[:2])
    stage.world.exits[MIGRATE] = Exit(1)
    stage.clock.after(5, lambda: log_of(stage, *CURRENT[2:]))
    judge(hook, stage.at(EVENT), preset="alembic")
    assert commands(stage)[-1] == ("alembic", "downgrade", "1975ea83b712")


def test_a_log_longer_than_one_answer_is_not_guessed_at(
    stage: Stage, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook, "ALL_LINES", len(SHOWN))
    stage.world.exits[LISTED] = Exit(0, lines=SHOWN)
    judgement = judge(hook, stage.at(EVENT), preset="django")
    assert judgement.message.startswith("where the database is could not be read: the log has more than 12 lines: ")


def test_what_looks_for_the_revision_fails(stage: Stage, judge: Judge) -> None:
    """A database that the new image does not know, say: nothing was changed."""
    stage.world.exits[WHERE] = Exit(255, lines=("FAILED: Can't locate revision identified by 'abc'",))
    judgement = judge(hook, stage.at(EVENT), preset="alembic")
    assert judgement.message.startswith("revision (alembic current --verbose): exit 255 (")
    assert judgement.message.endswith("last log lines: FAILED: Can't locate revision identified by 'abc'")
    assert commands(stage) == [WHERE]


ENVIRONMENT = """
from alembic import context
from sqlalchemy import create_engine, pool

with create_engine(context.config.get_main_option("url"), poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


def test_alembic_prints_what_is_read(tmp_path: Path) -> None:
    """The library itself, at each revision; a docstring may say anything."""
    (tmp_path / "versions").mkdir()
    (tmp_path / "env.py").write_text(ENVIRONMENT)
    down: str | None = None
    for revision in ("1.0", "1.1"):
        text = f'"""Rev: none\n\nRev: none\n"""\nrevision, down_revision = {revision!r}, {down!r}\n'
        (tmp_path / "versions" / f"{revision}.py").write_text(text + "def upgrade(): pass\n")
        down = revision
    found = []
    for _ in range(3):
        out = StringIO()
        config = Config(stdout=out)
        config.set_main_option("script_location", str(tmp_path))
        config.set_main_option("path_separator", "os")
        config.set_main_option("url", f"sqlite:///{tmp_path / 'shop.db'}")
        command.current(config, verbose=True)
        found.append(hook._alembic_way_back(out.getvalue().splitlines()))
        if len(found) < 3:
            command.upgrade(config, "+1")
    assert found == [
        (None, "the database has no revision yet"),
        (("alembic", "downgrade", "1.0"), "the database is at revision 1.0"),
        (("alembic", "downgrade", "1.1"), "the database is at revision 1.1"),
    ]


def test_django_goes_back_to_each_apps_last_migration(stage: Stage, judge: Judge) -> None:
    stage.world.exits[LISTED] = Exit(0, lines=SHOWN)
    stage.world.exits[DJANGO] = Exit(1)
    judgement = judge(hook, stage.at(EVENT), preset="django")
    script = (
        "python manage.py migrate orders 0002_note --noinput && "
        "python manage.py migrate stock 0001_squashed_0003 --noinput"
    )
    assert judgement.check("revision") == (
        "passed",
        f"migrations are to come (orders 0003_email, orders 0004_x, stock 0004_place); rollback: sh -c '{script}'",
    )
    assert commands(stage) == [LISTED, DJANGO, ("sh", "-c", script)]
    assert judgement.message.endswith(f"; rolled back with sh -c '{script}'")


def test_django_runs_its_commands(stage: Stage, judge: Judge) -> None:
    stage.world.exits[LISTED] = Exit(0, lines=SHOWN)
    assert judge(hook, stage.at(EVENT), preset="django").succeeded
    assert commands(stage) == [LISTED, DJANGO, ("python", "manage.py", "migrate", "--check")]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("orders", " [ ] 0001_initial", "stock", " [X] 0001_initial", " [ ] 0002_x"),
         "app orders has no migration yet, so no command leads back"),
        (("orders", " [X] 0001_initial"), "all migrations are applied already, so no command leads back"),
        (("shop", " [X] 0001_initial", " [ ] 0002_b", " [X] 0002_a", " [ ] 0003_merge"),
         "the migrations of app shop branch, so no one command leads back"),
        (("shop", " [X] 0001_initial", " [X] 0002_a", " [ ] 0002_b", " [ ] 0003_merge"),
         "the migrations of app shop branch, so no one command leads back"),
    ],
    ids=["new app", "none to come", "an applied one after", "two of one number"],
)  # fmt: skip
def test_django_without_a_way_back(stage: Stage, judge: Judge, lines: tuple[str, ...], said: str) -> None:
    """`migrate shop 0001_initial` would undo 0002_a too, which was there before; `migrate shop 0002_a` leave 0002_b."""
    stage.world.exits[LISTED] = Exit(0, lines=lines)
    stage.world.exits[DJANGO] = Exit(1)
    judgement = judge(hook, stage.at(EVENT), preset="django")
    assert judgement.check("revision") == ("passed", f"{said}; rollback: none")
    assert commands(stage) == [LISTED, DJANGO]


@pytest.mark.parametrize(
    ("lines", "target"),
    [
        (("shop", " [X] 0001_initial", " [-] 0002_squashed_0004 (3 squashed migrations) Run 'manage.py migrate' to …",
          " [ ] 0005_x"), "0002_squashed_0004"),
        (("shop", " [X] 0001_it's", " [ ] 0002_x"), """'0001_it'"'"'s'"""),
        (("shop", " [X] 0001-initial", " [ ] 0002_x"), "0001-initial"),
        (("shop", " [X] initial", " [ ] more"), "initial"),
        (("Loading .env", "shop", " [X] 0001_a", " [ ] 0002_b"), "0001_a"),
    ],
)  # fmt: skip
def test_what_django_lists(lines: tuple[str, ...], target: str) -> None:
    way_back, _ = hook._django_way_back(lines)
    assert way_back == ("sh", "-c", f"python manage.py migrate shop {target} --noinput")


def test_own_commands_come_before_the_presets(stage: Stage, judge: Judge) -> None:
    stage.world.exits[DATA] = Exit(1)
    own = {"command": ["migrate"], "verify_schema_command": ["look"], "rollback_command": ["back"]}
    judgement = judge(hook, stage.at(EVENT), preset="alembic", verify_data_command=DATA, **own)
    assert commands(stage) == [("migrate",), ("look",), DATA, ("back",)]
    assert "revision" not in judgement.outcomes(), "nothing asks for it"


def test_a_preset_with_one_command_of_its_own(stage: Stage, judge: Judge) -> None:
    stage.world.exits[WHERE] = Exit(0, lines=CURRENT)
    judge(hook, stage.at(EVENT), preset="alembic", verify_schema_command=["look"])
    assert commands(stage) == [WHERE, MIGRATE, ("look",)]


def test_an_unknown_preset_is_a_bad_setting(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT), preset="flyway")
    assert judgement.message == (
        'run_migrations.preset is "flyway"; expected "alembic" or "django", or null. For another tool set command and '
        "those that follow it."
    )


# Where it runs.


def test_the_size_of_the_task(stage: Stage, judge: Judge) -> None:
    judge(hook, stage.at(EVENT), command=MIGRATE, cpu=1024, memory=4096)
    (call,) = stage.called("ecs:RunTask")
    assert (call["overrides"]["cpu"], call["overrides"]["memory"]) == ("1024", "4096")
    (task,) = one_off(stage)
    assert (task.cpu, task.memory) == (1024, 4096)


def test_by_default_nothing_is_overridden_but_the_command(stage: Stage, judge: Judge) -> None:
    judge(hook, stage.at(EVENT), command=MIGRATE)
    (call,) = stage.called("ecs:RunTask")
    assert call["overrides"] == {"containerOverrides": [{"name": "app", "command": list(MIGRATE)}]}


def test_a_network_of_its_own(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    other = stage.ec2.create_security_group(GroupName="db", Description="db", VpcId=stage.vpc)["GroupId"]
    judge(hook, event, command=MIGRATE, subnets=stage.subnets[1:], security_groups=[other], assign_public_ip=True)
    (call,) = stage.called("ecs:RunTask")
    assert call["networkConfiguration"]["awsvpcConfiguration"] == {
        "subnets": stage.subnets[1:], "securityGroups": [other], "assignPublicIp": "ENABLED"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "changed"),
    [
        ({"assign_public_ip": False}, {"assignPublicIp": "DISABLED"}),
        ({"subnets": ["subnet-1"]}, {"subnets": ["subnet-1"]}),
        ({"security_groups": ["sg-1", "sg-2"]}, {"securityGroups": ["sg-1", "sg-2"]}),
    ],
)
def test_one_part_of_the_network(stage: Stage, judge: Judge, settings: dict[str, Any], changed: dict[str, Any]) -> None:
    event = stage.at(EVENT)
    stage.instead["ecs:RunTask"] = refuse("ClientException")
    judge(hook, event, command=MIGRATE, **settings)
    services = {"subnets": stage.subnets, "securityGroups": [stage.security_group]}
    (call,) = stage.called("ecs:RunTask")
    vpc = call["networkConfiguration"]["awsvpcConfiguration"]
    assert vpc == {**{key: vpc[key] for key in vpc}, **services, **changed}


@pytest.mark.parametrize(
    ("launch", "expected"),
    [
        ("FARGATE", {"launchType": "FARGATE", "platformVersion": "1.4.0"}),
        ("EC2", {"launchType": "EC2"}),
        ("EXTERNAL", {"launchType": "EXTERNAL"}),
        ("FARGATE_SPOT", {"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
                          "platformVersion": "1.4.0"}),
        ("my-instances", {"capacityProviderStrategy": [{"capacityProvider": "my-instances", "weight": 1}]}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("by_provider", [True, False])
def test_what_launches_it(stage: Stage, judge: Judge, launch: str, expected: dict[str, Any], by_provider: bool) -> None:
    """Only Fargate has platform versions: with any other, ECS refuses one."""
    of_service = (
        {"capacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 3}]}
        if by_provider
        else {"launchType": "FARGATE"}
    )
    event = stage.at("BeforeInstall")
    stage.create_task_set(event["DeploymentId"], platformVersion="1.4.0", **of_service)
    stage.calls.clear()
    stage.instead["ecs:RunTask"] = refuse("ClientException")
    judge(hook, event, command=MIGRATE, launch=launch)
    (call,) = stage.called("ecs:RunTask")
    placed = ("launchType", "capacityProviderStrategy", "platformVersion")
    assert {key: call[key] for key in placed if key in call} == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"lock_timeout": 5}, "-c lock_timeout=5000"),
        ({"statement_timeout": 0.25}, "-c statement_timeout=250"),
        ({"lock_timeout": 5, "statement_timeout": 600}, "-c lock_timeout=5000 -c statement_timeout=600000"),
        ({"lock_timeout": 5, "environment": {"PGOPTIONS": "-c search_path=shop"}},
         "-c search_path=shop -c lock_timeout=5000"),
        ({"environment": {"PGOPTIONS": "-c search_path=shop"}}, "-c search_path=shop"),
    ],
)  # fmt: skip
def test_what_postgresql_is_told(stage: Stage, judge: Judge, settings: dict[str, Any], expected: str) -> None:
    judge(hook, stage.at(EVENT), **ALL, **settings)
    for task in one_off(stage):
        assert task.containers[0].environment["PGOPTIONS"] == expected


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "-c search_path=shop -c lock_timeout=5000"),
        ({"PGOPTIONS": "-c jit=off"}, "-c jit=off -c lock_timeout=5000"),
    ],
)
def test_the_containers_own_options_are_kept(
    stage: Stage, judge: Judge, environment: dict[str, str], expected: str
) -> None:
    """RunTask would replace them: a migration without its search_path runs in another schema."""
    stage.green_definition = stage.register(environment=[{"name": "PGOPTIONS", "value": "-c search_path=shop"}])
    judge(hook, stage.at(EVENT), command=MIGRATE, lock_timeout=5, environment=environment)
    (task,) = one_off(stage)
    assert task.containers[0].environment["PGOPTIONS"] == expected


def test_without_the_settings_postgresql_is_told_nothing(stage: Stage, judge: Judge) -> None:
    stage.green_definition = stage.register(environment=[{"name": "PGOPTIONS", "value": "-c search_path=shop"}])
    judge(hook, stage.at(EVENT), command=MIGRATE)
    (call,) = stage.called("ecs:RunTask")
    assert "environment" not in call["overrides"]["containerOverrides"][0]


def test_a_person_finds_each_task(stage: Stage, judge: Judge) -> None:
    stage.world.exits[WHERE] = Exit(0, lines=CURRENT)
    stage.world.exits[SCHEMA] = Exit(1)
    event = stage.at(EVENT)
    judge(hook, event, preset="alembic")
    steps = []
    for call in stage.called("ecs:RunTask"):
        tags = {tag["key"]: tag["value"] for tag in call["tags"]}
        steps.append(tags.pop("codedeploy-step"))
        assert tags == {"codedeploy-deployment": event["DeploymentId"], "codedeploy-hook": "run_migrations"}
        assert (call["startedBy"], call["group"]) == (event["DeploymentId"], "run_migrations:shop")
    assert steps == ["revision", "migrate", "verify_schema", "rollback"]
    assert len({call["clientToken"] for call in stage.called("ecs:RunTask")}) == 4


# One at a time.


def other_migration(stage: Stage, **changes: Any) -> str:
    """Start a task as another deployment's migration does; return its ARN."""
    task = {
        "cluster": CLUSTER, "taskDefinition": stage.blue_definition, "launchType": "FARGATE",
        "networkConfiguration": stage.network(), "group": "run_migrations:shop", "startedBy": "d-OTHER0000",
        "overrides": {"containerOverrides": [{"name": "app", "command": ["other"]}]}, **changes,
    }  # fmt: skip
    return str(stage.ecs.run_task(**task)["tasks"][0]["taskArn"])


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


# Capacity that is taken away, and other ends.

SPOT: dict[str, Any] = {"stop_code": "SpotInterruption", "stopped_reason": "Your Spot Task was interrupted."}
GONE: dict[str, Any] = {"stop_code": "TerminationNotice", "stopped_reason": "Host EC2 (instance i-1) terminated."}


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
    tokens = [call["clientToken"] for call in stage.called("ecs:RunTask")]
    assert tokens[:2] == tokens[2:]
    assert len(set(tokens)) == 2


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


def test_an_exit_code_that_is_missing(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(None, lost=True)
    judgement = judge(hook, stage.at(EVENT), **ALL)
    assert judgement.message.startswith(
        "migrate (alembic upgrade head): no exit code (EssentialContainerExited; Essential container in task exited)"
    )
    assert commands(stage) == [MIGRATE, BACK]


@pytest.mark.parametrize("code", [143, 0, None])
def test_a_task_that_a_person_stops(stage: Stage, judge: Judge, code: int | None) -> None:
    why: dict[str, Any] = {"stop_code": "UserInitiated", "stopped_reason": "Task stopped by user"}
    stage.world.exits[MIGRATE] = Exit(code, lost=code is None, **why)
    judgement = judge(hook, stage.at(EVENT), **ALL)
    assert judgement.message.startswith(
        f"migrate (alembic upgrade head): {'no exit code' if code is None else f'exit {code}'}, it was stopped before "
        "its end (UserInitiated; Task stopped by user); "
    )
    assert commands(stage) == [MIGRATE, BACK]


def test_a_task_that_a_person_stops_before_its_start(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(None, stop_code="UserInitiated", stopped_reason="Task stopped by user")
    judgement = judge(hook, stage.at(EVENT), **ALL)
    assert "container app never started: UserInitiated; Task stopped by user" in judgement.message
    assert commands(stage) == [MIGRATE]


OOM = "OutOfMemoryError: Container killed due to memory usage"


@pytest.mark.parametrize(
    "end", [{"reason": OOM}, {"stopped_reason": OOM}], ids=["the container's reason", "the task's reason"]
)
def test_out_of_memory(stage: Stage, judge: Judge, end: dict[str, Any]) -> None:
    stage.world.exits[MIGRATE] = Exit(137, **end)
    judgement = judge(hook, stage.at(EVENT), **ALL)
    assert judgement.message.startswith("migrate (alembic upgrade head): exit 137, out of memory (Essential")
    assert f"{OOM}): set memory of run_migrations, or give the task more" in judgement.message
    assert commands(stage) == [MIGRATE, BACK]


def test_out_of_memory_is_no_success_whatever_the_exit_code(stage: Stage, judge: Judge) -> None:
    """A wrapper ends with 0 though the kernel has killed its child."""
    stage.world.exits[MIGRATE] = Exit(0, reason=OOM)
    judgement = judge(hook, stage.at(EVENT), **ALL)
    assert judgement.message.startswith("migrate (alembic upgrade head): exit 0, out of memory (Essential")
    assert commands(stage) == [MIGRATE, BACK]


@pytest.mark.parametrize(
    ("how", "succeeds"),
    [
        (Exit(137, reason=OOM), False),
        (Exit(128, reason="CannotStartContainerError: no such file"), False),
        (Exit(137, reason="DockerTimeoutError: Could not transition to stopped; timed out"), True),
        (Exit(2), True),
    ],
    ids=["out of memory", "never started", "slow to end", "what Go's programs say to SIGTERM"],
)
def test_an_exit_with_0_because_a_sidecar_had_ended(stage: Stage, judge: Judge, how: Exit, succeeds: bool) -> None:
    """Its end ends the task, and some programs end with 0 when they are told to. Its exit code alone says nothing."""
    stage.green_definition = stage.register(({"name": "agent", "image": "agent:1", "essential": True},))
    stage.world.container_exits["agent"] = how
    stage.world.exits[MIGRATE] = Exit(0)
    judgement = judge(hook, stage.at(EVENT), command=MIGRATE)
    assert judgement.succeeded is succeeds
    if not succeeds:
        said = "migrate (alembic upgrade head): exit 0, but it was stopped before its end (EssentialContainerExited; "
        assert judgement.message.startswith(said)
        assert f"container agent: exit {how.code} ({how.reason})" in judgement.message or how.code == 128


def test_a_sidecar_without_memory_is_not_the_migration(stage: Stage, judge: Judge) -> None:
    stage.green_definition = stage.register(({"name": "agent", "image": "agent:1", "essential": False},))
    stage.world.container_exits["agent"] = Exit(137, reason=OOM)
    stage.world.exits[MIGRATE] = Exit(0, stopped_reason=OOM)
    assert judge(hook, stage.at(EVENT), **ALL).succeeded


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (None, "CannotPullContainerError: pull image manifest has been retried 1 time(s): not found"),
        (None, "ResourceInitializationError: unable to pull secrets or registry auth"),
        (None, "CannotCreateContainerError: no space left on device"),
        (128, "CannotStartContainerError: OCI runtime create failed: exec: alembic: executable file not found"),
    ],
)
def test_nothing_is_rolled_back_for_a_failure_to_start(
    stage: Stage, judge: Judge, code: int | None, reason: str
) -> None:
    """Docker gives a container that it could not start a code of its own."""
    stage.world.exits[MIGRATE] = Exit(code, reason=reason, stop_code="TaskFailedToStart", stopped_reason=reason)
    judgement = judge(hook, stage.at(EVENT), **ALL)
    assert judgement.message.startswith("migrate (alembic upgrade head): container app never started: TaskFailedTo")
    assert reason in judgement.message
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


# Severities.


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


# What ECS does not answer.


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

    def first(parameters: Any) -> Any:
        del stage.instead["ecs:RunTask"]
        answer = stage.ecs.run_task(**parameters)
        stage.instead["ecs:RunTask"] = lambda _: no_room
        stage.clock.after(30, stage.instead.clear)
        return answer

    stage.instead["ecs:RunTask"] = first
    judgement = judge(hook, event, **ALL)
    assert judgement.check("rollback") == ("passed", "rolled back with alembic downgrade -1")
    assert stage.clock.now >= 30


def test_a_rollback_that_never_finds_room(stage: Stage, judge: Judge) -> None:
    stage.world.exits[MIGRATE] = Exit(1)
    event = stage.at(EVENT)

    def first(parameters: Any) -> Any:
        del stage.instead["ecs:RunTask"]
        answer = stage.ecs.run_task(**parameters)
        stage.world.placement_failures = [PlacementFailure("Capacity is unavailable at this time.")] * 100
        return answer

    stage.instead["ecs:RunTask"] = first
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


# Crashes of the function.


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
    run_task = stage.ecs.run_task

    def no_room(parameters: Any) -> Any:
        if parameters["overrides"]["containerOverrides"][0]["command"] == list(DATA):
            return {"tasks": [], "failures": [{"reason": "RESOURCE:MEMORY"}]}
        return run_task(**parameters)

    stage.instead["ecs:RunTask"] = within(stage, "ecs:RunTask", no_room)
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
        "another delivery of this event gave up the migration: rolled back with alembic downgrade -1"
    )
    assert judgement.check("verify_data")[0] == "skipped"


def within(stage: Stage, name: str, answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """An answer that may itself ask AWS."""

    def instead(parameters: Any) -> Any:
        del stage.instead[name]
        try:
            return answer(parameters)
        finally:
            stage.instead[name] = instead

    return instead


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


@pytest.mark.parametrize("tasks_gone", [False, True])
def test_a_token_that_is_taken_and_a_task_not_visible_yet(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tasks_gone: bool
) -> None:
    event = stage.at(EVENT)
    deliver(monkeypatch, event, command=MIGRATE)
    missing = {"tasks": [], "failures": [{"arn": "…", "reason": "MISSING"}]}
    if tasks_gone:
        stage.instead["ecs:DescribeTasks"] = lambda _: missing
        stage.clock.after(5, stage.instead.clear)
    assert deliver(monkeypatch, event, command=MIGRATE, cpu=512).succeeded
    assert len(one_off(stage)) == 1


# More than one invocation.


SLOW = {**ALL, "interval": 10}
PRESET = {"preset": "alembic", "interval": 10}


@pytest.fixture
def relay(stage: Stage, wall: Callable[[], datetime], monkeypatch: pytest.MonkeyPatch) -> Relay:
    """The hook as Lambda invokes it, with 300 seconds each time: 270 of them for looking."""
    del wall
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps(SLOW))
    return Relay(stage, hook, 300)


def statuses(judgements: list[Judgement]) -> list[str]:
    return [judgement["status"] for judgement in judgements]


def hops(count_: int, last: str) -> list[str]:
    return ["CONTINUED"] * count_ + [last]


def test_a_migration_longer_than_its_invocation_goes_on_in_the_next(stage: Stage, relay: Relay) -> None:
    stage.world.exits[MIGRATE] = Exit(0, lasts=600)
    judgements = relay.play(stage.at(EVENT))
    assert statuses(judgements) == hops(2, "SUCCEEDED")
    assert commands(stage) == [MIGRATE, SCHEMA, DATA]
    assert judgements[0].message.startswith("continued by request ")
    assert judgements[0].message.endswith(": hop 1 of 4, migrate goes on")
    assert judgements[-1].message == "4 checks passed"
    assert list(judgements[-1].outcomes()) == ["deployment", "alone", "migrate", "verify_schema", "verify_data"]
    tokens = [call["clientToken"] for call in stage.called("ecs:RunTask")]
    assert tokens[0] == tokens[1] == tokens[2]
    assert 600 <= stage.clock.now < 650


def test_the_way_back_comes_along(stage: Stage, relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps(PRESET))
    stage.world.exits[WHERE] = Exit(0, lines=CURRENT)
    stage.world.exits[SCHEMA] = Exit(1, lasts=400)
    judgements = relay.play(stage.at(EVENT))
    assert statuses(judgements) == hops(1, "FAILED")
    assert relay.handed_over[0]["Continuation"]["state"] == {
        "may_have_changed": True,
        "rollback_command": ["alembic", "downgrade", "1975ea83b712"],
        "awaited": "verify_schema",
    }
    assert commands(stage) == [WHERE, MIGRATE, SCHEMA, ("alembic", "downgrade", "1975ea83b712")]
    assert judgements[-1].message.endswith("; rolled back with alembic downgrade 1975ea83b712")


def test_the_timeout_counts_over_invocations(stage: Stage, relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps({**SLOW, "timeout": 400}))
    stage.world.exits[MIGRATE] = Exit(0, lasts=FOREVER)
    judgements = relay.play(stage.at(EVENT))
    assert statuses(judgements) == hops(1, "FAILED")
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
    assert statuses(relay.play(stage.at(EVENT))) == hops(2, "SUCCEEDED")


def test_room_to_stop_and_to_roll_back_is_kept_in_the_last_invocation(stage: Stage, relay: Relay) -> None:
    """Four hops: five times 270 s, less 20 s for each hand-over; 225 s of them to stop and to roll back."""
    stage.world.exits[MIGRATE] = Exit(0, lasts=FOREVER)
    stage.world.exits[BACK] = Exit(0, lasts=120)
    judgements = relay.play(stage.at(EVENT))
    assert statuses(judgements) == hops(4, "FAILED")
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


def test_a_failure_in_the_third_hop_is_rolled_back(stage: Stage, relay: Relay) -> None:
    stage.world.exits[MIGRATE] = Exit(1, lasts=800)
    judgements = relay.play(stage.at(EVENT))
    assert statuses(judgements) == hops(3, "FAILED")
    assert commands(stage) == [MIGRATE, BACK]
    assert judgements[-1].message.startswith("migrate (alembic upgrade head): exit 1 (")
    assert judgements[-1].message.endswith("; rolled back with alembic downgrade -1")


def test_a_verification_that_fails_hops_after_the_migration(stage: Stage, relay: Relay) -> None:
    stage.world.exits[MIGRATE] = Exit(0, lasts=200)
    stage.world.exits[SCHEMA] = Exit(0, lasts=200)
    stage.world.exits[DATA] = Exit(1, lasts=400)
    judgements = relay.play(stage.at(EVENT))
    assert statuses(judgements) == hops(3, "FAILED")
    assert commands(stage) == [MIGRATE, SCHEMA, DATA, BACK]


def test_a_migration_that_never_started_is_not_rolled_back_in_a_later_hop(stage: Stage, relay: Relay) -> None:
    stage.world.exits[MIGRATE] = Exit(None, reason="CannotPullContainerError: timeout", lasts=400)
    judgements = relay.play(stage.at(EVENT))
    assert statuses(judgements) == hops(1, "FAILED")
    assert commands(stage) == [MIGRATE]


def test_a_rollback_longer_than_an_invocation(stage: Stage, relay: Relay) -> None:
    stage.world.exits[MIGRATE] = Exit(1)
    stage.world.exits[BACK] = Exit(0, lasts=600)
    judgements = relay.play(stage.at(EVENT))
    assert statuses(judgements) == hops(2, "FAILED")
    assert judgements[0].message.endswith(": hop 1 of 4, rollback goes on")
    assert commands(stage) == [MIGRATE, BACK]
    assert judgements[-1].check("migrate")[0] == "failed"
    assert judgements[-1].check("rollback") == ("passed", "rolled back with alembic downgrade -1")
    assert judgements[-1].message.endswith("; rolled back with alembic downgrade -1")


def test_a_migration_of_a_deployment_that_was_stopped_is_seen_to_its_end(stage: Stage, relay: Relay) -> None:
    """Somebody stops the deployment between two invocations: half a migration is taken back all the same."""
    stage.world.exits[MIGRATE] = Exit(1, lasts=400)
    event = stage.at(EVENT)
    assert relay.deliver(event)["status"] == "CONTINUED"
    stage.deployment.set_status("Stopped")
    judgement = relay.deliver(relay.handed_over[-1])
    assert judgement.check("deployment")[0] == "failed"
    assert judgement.check("rollback") == ("passed", "rolled back with alembic downgrade -1")
    assert commands(stage) == [MIGRATE, BACK]
    assert not judgement.succeeded


def test_a_hand_over_that_is_refused_names_the_task_that_runs_on(stage: Stage, relay: Relay) -> None:
    stage.world.exits[MIGRATE] = Exit(0, lasts=400)
    event = stage.at(EVENT)
    stage.instead["lambda:Invoke"] = refuse("AccessDeniedException", "no identity-based policy", 403)
    judgement = relay.deliver(event)
    (task,) = one_off(stage)
    assert (judgement.succeeded, stage.report()) == (False, "Failed")
    assert judgement.message.endswith(
        f"; task {task.task_arn.rpartition('/')[2]} of migrate runs on unwatched: see to its end; to undo it then, run "
        "alembic downgrade -1"
    )


def test_a_migration_that_runs_on_and_cannot_be_found_again_is_not_taken_for_one_that_never_began(
    stage: Stage, relay: Relay
) -> None:
    """The next invocation is refused what it needs to join the task: nobody may take the task for none."""
    stage.world.exits[MIGRATE] = Exit(0, lasts=FOREVER)
    assert relay.deliver(stage.at(EVENT))["status"] == "CONTINUED"
    stage.instead["ecs:DescribeServices"] = refuse("AccessDeniedException", "not any more")
    judgement = relay.deliver(relay.handed_over[-1])
    assert (judgement.succeeded, stage.report()) == (False, "Failed")
    assert judgement.check("rollback")[0] != "passed"
    assert "NOT ROLLED BACK: the task of migrate, left running before, may still run" in judgement.message
    assert "ecs:DescribeServices was denied" in judgement.message
    assert commands(stage) == [MIGRATE]


def test_a_step_without_any_time_is_not_started(
    stage: Stage, relay: Relay, wall: Callable[[], datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps({**ALL, "max_duration": 60}))
    event = stage.at(EVENT)
    done = {"name": "migrate", "outcome": "passed", "severity": "fail", "detail": "exit 0"}
    carried = {
        "started_at": wall().timestamp() - 61, "hop": 1, "check": "verify_schema",
        "state": {"may_have_changed": True}, "done": {"alone": [done], "migrate": [done]},
    }  # fmt: skip
    judgement = relay.deliver({**event, "Continuation": carried})
    assert judgement.check("verify_schema")[1] == (
        "verify_schema: no time was left to run it: raise max_duration (it is at most 3300 s)"
    )
    assert commands(stage) == [BACK]


def test_a_rollback_that_fails_hops_later(stage: Stage, relay: Relay) -> None:
    stage.world.exits[MIGRATE] = Exit(1)
    stage.world.exits[BACK] = Exit(2, lasts=600)
    judgements = relay.play(stage.at(EVENT))
    assert statuses(judgements) == hops(2, "FAILED")
    assert judgements[-1].message.startswith("THE ROLLBACK FAILED TOO, the database is in an unknown state")


def test_a_rollback_without_an_end_is_stopped(stage: Stage, relay: Relay) -> None:
    stage.world.exits[MIGRATE] = Exit(1)
    stage.world.exits[BACK] = Exit(0, lasts=FOREVER)
    judgements = relay.play(stage.at(EVENT))
    assert statuses(judgements) == hops(4, "FAILED")
    assert judgements[-1].message.startswith("THE ROLLBACK FAILED TOO, the database is in an unknown state")
    assert len(stage.world.stopped) == 1


def test_the_wait_for_another_deployment_goes_on_in_the_next_invocation(stage: Stage, relay: Relay) -> None:
    stage.world.exits[("other",)] = Exit(0, lasts=600)
    event = stage.at(EVENT)
    other_migration(stage)
    judgements = relay.play(event)
    assert statuses(judgements) == hops(2, "SUCCEEDED")
    assert all(judgement.message.endswith(", alone goes on") for judgement in judgements[:2])
    assert commands(stage) == [("other",), MIGRATE, SCHEMA, DATA]


def test_the_revision_may_take_more_than_one_invocation(
    stage: Stage, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps(PRESET))
    stage.world.exits[WHERE] = Exit(0, lasts=400, lines=CURRENT)
    stage.world.exits[MIGRATE] = Exit(1)
    assert statuses(relay.play(stage.at(EVENT))) == hops(1, "FAILED")
    assert commands(stage) == [WHERE, MIGRATE, ("alembic", "downgrade", "1975ea83b712")]


def test_an_interruption_hops_later_is_retried(stage: Stage, relay: Relay) -> None:
    stage.world.next_exits[MIGRATE] = [Exit(None, lasts=400, **SPOT), Exit(0, lasts=400)]
    judgements = relay.play(stage.at(EVENT))
    assert statuses(judgements) == hops(3, "SUCCEEDED")
    assert commands(stage) == [MIGRATE, MIGRATE, SCHEMA, DATA]


def test_a_hop_that_is_delivered_twice(stage: Stage, relay: Relay) -> None:
    stage.world.exits[MIGRATE] = Exit(1, lasts=400)
    relay.deliver(stage.at(EVENT))
    (hop,) = relay.handed_over
    judgements = [relay.deliver(hop) for _ in range(2)]
    assert statuses(judgements) == ["FAILED", "FAILED"]
    assert commands(stage) == [MIGRATE, BACK]
    assert [report.accepted for report in stage.deployment.reports] == [True, False]


def test_a_hop_that_crashed_after_it_gave_up_is_not_a_success(stage: Stage, relay: Relay) -> None:
    """Only AWS can tell the second delivery of a hop that the first one rolled back."""
    stage.world.exits[MIGRATE] = Exit(0, lasts=400)
    relay.deliver(stage.at(EVENT))
    (hop,) = relay.handed_over
    run_task = stage.ecs.run_task

    def no_room(parameters: Any) -> Any:
        if parameters["overrides"]["containerOverrides"][0]["command"] == list(SCHEMA):
            return {"tasks": [], "failures": [{"reason": "RESOURCE:MEMORY"}]}
        return run_task(**parameters)

    stage.instead["ecs:RunTask"] = within(stage, "ecs:RunTask", no_room)
    stage.around = dies_at(stage, "codedeploy:PutLifecycleEventHookExecutionStatus", after=False)
    with pytest.raises(Death):
        relay.deliver(hop)
    stage.around = None
    stage.instead.clear()
    assert not relay.deliver(hop).succeeded
    assert commands(stage) == [MIGRATE, BACK]


def test_by_hand_nothing_is_handed_over(stage: Stage, judge: Judge) -> None:
    """Without a context there is nobody to invoke."""
    stage.world.exits[MIGRATE] = Exit(0, lasts=FOREVER)
    judgement = judge(hook, stage.at(EVENT), **ALL)
    assert commands(stage) == [MIGRATE, BACK]
    assert not stage.called("lambda:Invoke")
    assert "(still so after 645 s)" in judgement.message


def test_a_hand_over_that_is_refused(stage: Stage, relay: Relay) -> None:
    """The migration runs on, and the message says which check was left."""
    stage.world.exits[MIGRATE] = Exit(0, lasts=600)
    event = stage.at(EVENT)
    stage.instead["lambda:Invoke"] = refuse("AccessDeniedException", "no", 403)
    judgement = relay.deliver(event)
    assert judgement.message.startswith("the hook could not be handed over: lambda:InvokeFunction was denied")
    assert stage.report() == "Failed"


# Whether another delivery has given up.


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
    assert "whether another delivery of this event has begun to roll back was not seen: ecs:ListTasks" in (
        judgement.message
    )
    assert len(refused) == 1, "what is denied now will be denied a second later"


def test_a_rollback_that_is_named_and_not_shown_is_no_success(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    arn = other_migration(stage, startedBy=event["DeploymentId"], tags=[{"key": STEP, "value": "rollback"}])
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
