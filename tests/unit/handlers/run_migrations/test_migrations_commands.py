"""Which commands run, as which tasks, and where."""

from __future__ import annotations

import json

import pytest
import run_migrations as hook

from rehearsal.aws.world import Exit
from rehearsal.testing.stage import CLUSTER, Judge, Stage
from tests.unit.handlers.run_migrations.helpers import (
    ALL,
    CURRENT,
    DATA,
    EVENT,
    MIGRATE,
    SCHEMA,
    WHERE,
    commands,
    one_off,
)


@pytest.mark.smoke
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


def test_the_size_of_the_task(stage: Stage, judge: Judge) -> None:
    judge(hook, stage.at(EVENT), command=MIGRATE, cpu=1024, memory=4096)
    (call,) = stage.called("ecs:RunTask")
    assert (call["overrides"]["cpu"], call["overrides"]["memory"]) == ("1024", "4096")
    (task,) = one_off(stage)
    assert (task.cpu, task.memory) == (1024, 4096)


def test_a_network_of_its_own(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    other = stage.ec2.create_security_group(GroupName="db", Description="db", VpcId=stage.vpc)["GroupId"]
    judge(hook, event, command=MIGRATE, subnets=stage.subnets[1:], security_groups=[other], assign_public_ip=True)
    (call,) = stage.called("ecs:RunTask")
    assert call["networkConfiguration"]["awsvpcConfiguration"] == {
        "subnets": stage.subnets[1:], "securityGroups": [other], "assignPublicIp": "ENABLED"
    }  # fmt: skip


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


def test_behind_a_shell_the_migration_is_one_word(stage: Stage, judge: Judge) -> None:
    """Of four words the shell would run the first alone, which exits 0: nothing would be migrated."""
    stage.green_definition = stage.register(entryPoint=["sh", "-c"])
    verify = ["python", "manage.py", "migrate", "--check"]
    judgement = judge(
        hook,
        stage.at(EVENT),
        command=["python", "manage.py", "migrate", "--noinput"],
        verify_schema_command=verify,
    )
    assert judgement.succeeded
    told = [call["overrides"]["containerOverrides"][0]["command"] for call in stage.called("ecs:RunTask")]
    assert told == [["python manage.py migrate --noinput"], ["python manage.py migrate --check"]]
    assert judgement.check("migrate") == ("passed", "migrate (python manage.py migrate --noinput): exit 0")


def test_a_command_that_would_not_run_is_an_error_and_starts_nothing(stage: Stage, judge: Judge) -> None:
    stage.green_definition = stage.register(entryPoint=["sh", "-c", "exec gunicorn shop:app"])
    judgement = judge(hook, stage.at(EVENT), command=["alembic", "upgrade", "head"])
    assert not judgement.succeeded
    assert "entryPoint sh -c 'exec gunicorn shop:app' has a script of its own" in judgement.message
    assert stage.called("ecs:RunTask") == []
