"""BeforeAllowTraffic: the migration runs once, its exit code is read, and what failed is undone."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import run_migrations as hook

from rehearsal.aws.world import Exit, PlacementFailure, TaskSpec
from tests.unit.handlers.stage import CLUSTER, Judge, Judgement, Stage, refuse

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
    assert not judgement.succeeded
    assert "command is not set, but a command that follows it is: set command" in judgement.message
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
        "ecs:RunTask",
        "ecs:DescribeTasks",
        "logs:GetLogEvents",
    }


def test_the_schema_and_the_data_are_verified_after_it(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT), **ALL)
    assert judgement.succeeded
    assert judgement.message == "3 checks passed"
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
    assert len(judgement["checks"][1]["log"]) == 20


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
    stage.green_definition = stage.register(({"name": "admin", "image": "admin:1", "essential": False},))
    event = stage.at(EVENT)
    judge(hook, event, command=MIGRATE)
    stage.deployment.set_status("Stopped")
    first = stage.called("ecs:RunTask")
    assert [override["name"] for call in first for override in call["overrides"]["containerOverrides"]] == ["app"]
    judge(hook, stage.at(EVENT), command=MIGRATE, container="admin")
    second = stage.called("ecs:RunTask")
    assert [override["name"] for call in second for override in call["overrides"]["containerOverrides"]] == ["admin"]


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
        f"TaskFailedToStart; {reason}; container app: never started ({reason})"
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
    event = stage.at(EVENT)

    def interrupted(parameters: Any) -> Any:
        del stage.instead["ecs:DescribeTasks"]
        answer = stage.ecs.describe_tasks(**parameters)
        stage.instead["ecs:DescribeTasks"] = interrupted
        for task in answer["tasks"]:
            if task["lastStatus"] == "STOPPED":
                task |= {"stopCode": "SpotInterruption", "stoppedReason": "Your Spot Task was interrupted."}
        return answer

    stage.instead["ecs:DescribeTasks"] = interrupted
    judgement = judge(hook, event, command=MIGRATE)
    assert not judgement.succeeded
    assert judgement.message.startswith(
        "migrate (alembic upgrade head): exit 0, but it was stopped before its end (SpotInterruption; Your Spot Task"
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
    assert "cannot drop it" in judgement.message
    assert judgement.message.endswith("(and 1 more: migrate)")


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
