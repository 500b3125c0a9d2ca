"""ECS tasks: RunTask and DescribeTasks as AWS answers them, where moto does otherwise."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.core.utils import utcnow

from rehearsal.aws import ecs_tasks, world
from rehearsal.aws.stack import IMAGE, Stack
from rehearsal.aws.world import Exit, PlacementFailure, ScriptedWorld

UPGRADE = ("alembic", "upgrade", "head")
LOGGED = {
    "logConfiguration": {
        "logDriver": "awslogs",
        "options": {"awslogs-group": "/ecs/orders", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "app"},
    }
}


def run(stack: Stack, definition: str | None = None, **settings: Any) -> dict[str, Any]:
    override = {"containerOverrides": [{"name": "app", "command": list(UPGRADE)}]}
    given = {
        "cluster": stack.cluster,
        "taskDefinition": definition or stack.task_definition,
        "launchType": "FARGATE",
        "networkConfiguration": stack.network,
        "overrides": override,
    }
    answer: dict[str, Any] = stack.client("ecs").run_task(**{**given, **settings})
    return answer


def look(stack: Stack, arn: str) -> dict[str, Any]:
    answer = stack.client("ecs").describe_tasks(cluster=stack.cluster, tasks=[arn])
    found: dict[str, Any] = answer["tasks"][0]
    return found


def finished(stack: Stack, arn: str) -> dict[str, Any]:
    for _ in range(20):
        task = look(stack, arn)
        if task["lastStatus"] == "STOPPED":
            return task
    raise AssertionError(f"the task does not stop: {task}")


# Traps: exit codes, containers, stop codes.


@pytest.mark.parametrize("code", [0, 1, 255])
def test_the_exit_code_is_that_of_the_command(stack: Stack, scripted: ScriptedWorld, code: int) -> None:
    """moto's is always 0, without a stop code."""
    scripted.exits[UPGRADE] = Exit(code)
    arn = run(stack)["tasks"][0]["taskArn"]
    running = look(stack, arn)
    assert (running["lastStatus"], running["desiredStatus"]) == ("RUNNING", "RUNNING")
    assert "exitCode" not in running["containers"][0]
    assert "stopCode" not in running
    task = finished(stack, arn)
    assert task["containers"][0]["exitCode"] == code
    assert task["stopCode"] == "EssentialContainerExited"
    assert task["desiredStatus"] == "STOPPED"
    assert task["createdAt"] <= task["startedAt"] <= task["stoppedAt"]


def test_looking_does_not_move_a_task(stack: Stack, scripted: ScriptedWorld) -> None:
    """moto moves a task along its states each time someone looks."""
    scripted.exits[UPGRADE] = Exit(0, runs_for=10)
    arn = run(stack)["tasks"][0]["taskArn"]
    assert {look(stack, arn)["lastStatus"] for _ in range(10)} == {"RUNNING"}


def test_every_container_is_shown(stack: Stack, scripted: ScriptedWorld) -> None:
    """moto shows the first only; sidecars appear in containers[] too, with exit codes of their own."""
    definition = stack.register_containers(
        [
            {"name": "agent", "image": "agent:1", "essential": False},
            {"name": "app", "image": IMAGE, "essential": True, "portMappings": [{"containerPort": 8000}]},
        ]
    )
    scripted.exits[UPGRADE] = Exit(1)
    scripted.container_exits["agent"] = Exit(137)
    task = finished(stack, run(stack, definition)["tasks"][0]["taskArn"])
    assert {c["name"]: c["exitCode"] for c in task["containers"]} == {"agent": 137, "app": 1}


def test_a_container_that_never_started_has_no_exit_code(stack: Stack, scripted: ScriptedWorld) -> None:
    """AWS: stopCode TaskFailedToStart, and `exitCode` is absent."""
    reason = "CannotPullContainerError: pull image manifest has been retried 1 time(s): not found"
    scripted.unstartable[IMAGE] = reason
    task = finished(stack, run(stack)["tasks"][0]["taskArn"])
    assert (task["stopCode"], task["stoppedReason"]) == ("TaskFailedToStart", reason)
    assert "startedAt" not in task
    (container,) = task["containers"]
    assert container["reason"] == reason
    assert "exitCode" not in container


def digests(stack: Stack, definition: str, count: int = 1) -> list[str]:
    tasks = [look(stack, run(stack, definition)["tasks"][0]["taskArn"]) for _ in range(count)]
    return [task["containers"][0]["imageDigest"] for task in tasks]


def test_a_running_container_shows_what_it_runs(stack: Stack, scripted: ScriptedWorld) -> None:
    """API reference, Container: the digest of the image; by a tag that moved, another one in the next task."""
    (digest,) = set(digests(stack, stack.task_definition, 2))
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", digest)
    assert digests(stack, stack.register("orders:2")) != [digest]
    pinned = f"sha256:{'7' * 64}"
    assert digests(stack, stack.register(f"orders@{pinned}")) == [pinned]
    first, second = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
    scripted.image_digests[IMAGE] = [first, second]
    assert digests(stack, stack.task_definition, 3) == [first, second, second]


def test_a_stopped_container_shows_what_it_ran(stack: Stack, scripted: ScriptedWorld) -> None:
    arn = run(stack)["tasks"][0]["taskArn"]
    running = look(stack, arn)["containers"][0]["imageDigest"]
    assert finished(stack, arn)["containers"][0]["imageDigest"] == running
    scripted.unstartable[IMAGE] = "CannotPullContainerError: not found"
    never = finished(stack, run(stack)["tasks"][0]["taskArn"])
    assert "imageDigest" not in never["containers"][0]


def test_health_is_unknown_without_a_check(stack: Stack, scripted: ScriptedWorld) -> None:
    """moto says HEALTHY of every container."""
    arn = run(stack)["tasks"][0]["taskArn"]
    assert look(stack, arn)["containers"][0]["healthStatus"] == look(stack, arn)["healthStatus"] == "UNKNOWN"
    checked = stack.register(IMAGE, healthCheck={"command": ["CMD", "true"]})
    scripted.exits[UPGRADE] = Exit(0, runs_for=5)
    arn = run(stack, checked)["tasks"][0]["taskArn"]
    assert look(stack, arn)["containers"][0]["healthStatus"] == "HEALTHY"
    scripted.container_health["app"] = "UNHEALTHY"
    assert look(stack, arn)["healthStatus"] == "UNHEALTHY"


# Traps: failures and client tokens.


def test_failures_can_be_in_an_answer_of_200(stack: Stack, scripted: ScriptedWorld) -> None:
    """moto's failures[] is always empty."""
    scripted.placement_failures.append(PlacementFailure("Capacity is unavailable at this time."))
    answer = run(stack)
    assert answer["tasks"] == []
    assert [failure["reason"] for failure in answer["failures"]] == ["Capacity is unavailable at this time."]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_client_token_is_idempotent(stack: Stack, scripted: ScriptedWorld) -> None:
    """moto ignores clientToken."""
    before = len(scripted.started)
    first, second = (run(stack, clientToken="d-123456789-upgrade") for _ in range(2))
    assert first["tasks"][0]["taskArn"] == second["tasks"][0]["taskArn"]
    assert len(scripted.started) == before + 1
    finished(stack, first["tasks"][0]["taskArn"])
    third = run(stack, clientToken="d-123456789-upgrade")
    assert third["tasks"][0]["taskArn"] == first["tasks"][0]["taskArn"]
    assert third["tasks"][0]["lastStatus"] == "STOPPED"
    assert run(stack)["tasks"][0]["taskArn"] != first["tasks"][0]["taskArn"]


def test_a_client_token_with_other_parameters_is_a_conflict(stack: Stack) -> None:
    """AWS: ConflictException, with the ARNs of the tasks that exist."""
    arn = run(stack, clientToken="once")["tasks"][0]["taskArn"]
    with pytest.raises(ClientError) as caught:
        run(stack, clientToken="once", startedBy="other")
    assert caught.value.response["Error"]["Code"] == "ConflictException"
    assert caught.value.response["resourceIds"] == [arn]  # type: ignore[typeddict-item]


@pytest.mark.parametrize(("hours", "same"), [(0.9, True), (1.1, False), (25, False)])
def test_a_client_token_is_forgotten(stack: Stack, monkeypatch: pytest.MonkeyPatch, hours: float, same: bool) -> None:
    """AWS: after the lesser of 24 hours and the task's life and an hour."""
    arn = run(stack, clientToken="once")["tasks"][0]["taskArn"]
    finished(stack, arn)
    now = utcnow() + timedelta(hours=hours)
    monkeypatch.setattr(ecs_tasks, "utcnow", lambda: now)
    assert (run(stack, clientToken="once")["tasks"][0]["taskArn"] == arn) is same


def test_a_task_that_cannot_be_launched_is_refused(stack: Stack, scripted: ScriptedWorld, refused: Any) -> None:
    """AWS: ClientException with the message that a service tells in an event."""
    scripted.launch_errors[IMAGE] = "ECS was unable to assume the role 'arn:…' that was provided for this task."
    before = len(scripted.started)
    given = {"cluster": "shop", "taskDefinition": stack.task_definition, "networkConfiguration": stack.network}
    found = refused(stack.client("ecs").run_task, launchType="FARGATE", **given)
    assert found == ("ClientException", scripted.launch_errors[IMAGE])
    assert len(scripted.started) == before


def test_a_failed_placement_does_not_use_up_the_token(stack: Stack, scripted: ScriptedWorld) -> None:
    scripted.placement_failures.append(PlacementFailure("RESOURCE:MEMORY"))
    assert run(stack, clientToken="once")["failures"]
    assert run(stack, clientToken="once")["tasks"]


# What a task is and how it is found.


def test_a_task_is_found_by_who_started_it(stack: Stack) -> None:
    arn = run(stack, startedBy="d-123456789", tags=[{"key": "hook", "value": "migrations"}])["tasks"][0]["taskArn"]
    ecs = stack.client("ecs")
    assert ecs.list_tasks(cluster="shop", startedBy="d-123456789")["taskArns"] == [arn]
    task = ecs.describe_tasks(cluster="shop", tasks=[arn], include=["TAGS"])["tasks"][0]
    assert task["tags"] == [{"key": "hook", "value": "migrations"}]
    assert "tags" not in look(stack, arn)
    assert task["group"] == "family:orders"
    assert task["overrides"]["containerOverrides"] == [{"name": "app", "command": list(UPGRADE)}]
    finished(stack, arn)
    assert ecs.list_tasks(cluster="shop", startedBy="d-123456789")["taskArns"] == []
    assert ecs.list_tasks(cluster="shop", startedBy="d-123456789", desiredStatus="STOPPED")["taskArns"] == [arn]


def test_tasks_of_a_service_carry_its_task_set(stack: Stack) -> None:
    """AWS: tasks of a task set carry its id as startedBy; moto ignores serviceName."""
    (blue,) = stack.task_sets()
    run(stack)
    ecs = stack.client("ecs")
    by_service = ecs.list_tasks(cluster="shop", serviceName="orders")["taskArns"]
    assert sorted(by_service) == sorted(ecs.list_tasks(cluster="shop", startedBy=blue["id"])["taskArns"])
    assert len(by_service) == 2


def test_missing_tasks_are_failures(stack: Stack) -> None:
    """AWS: in failures[], reason MISSING."""
    answer = stack.client("ecs").describe_tasks(cluster="shop", tasks=["nothing"])
    assert answer["tasks"] == []
    assert [each["reason"] for each in answer["failures"]] == ["MISSING"]
    assert answer["failures"][0]["arn"].endswith(":task/shop/nothing")


def test_a_stopped_task_is_visible_for_an_hour(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = run(stack)["tasks"][0]["taskArn"]
    finished(stack, arn)
    now = utcnow()
    monkeypatch.setattr(ecs_tasks, "utcnow", lambda: now + timedelta(minutes=59))
    assert look(stack, arn)["lastStatus"] == "STOPPED"
    monkeypatch.setattr(ecs_tasks, "utcnow", lambda: now + timedelta(minutes=61))
    answer = stack.client("ecs").describe_tasks(cluster="shop", tasks=[arn])
    assert answer["failures"][0]["reason"] == "MISSING"


def test_a_task_that_a_user_stops(stack: Stack, scripted: ScriptedWorld) -> None:
    scripted.exits[UPGRADE] = Exit(0, runs_for=100)
    arn = run(stack)["tasks"][0]["taskArn"]
    assert look(stack, arn)["lastStatus"] == "RUNNING"
    stack.client("ecs").stop_task(cluster="shop", task=arn, reason="the hook's time is over")
    task = look(stack, arn)
    assert (task["lastStatus"], task["stopCode"]) == ("STOPPED", "UserInitiated")
    assert task["stoppedReason"] == "the hook's time is over"
    assert scripted.stopped == [(arn, "the hook's time is over")]


def test_the_world_is_told_what_to_run(stack: Stack, scripted: ScriptedWorld) -> None:
    """Overrides of command and environment are applied; the log's place is known."""
    stack.client("logs").create_log_group(logGroupName="/ecs/orders")
    environment = [{"name": "STAGE", "value": "test"}, {"name": "LEVEL", "value": "info"}]
    definition = stack.register(IMAGE, environment=environment, command=["serve"], **LOGGED)
    override = {"name": "app", "command": list(UPGRADE), "environment": [{"name": "LEVEL", "value": "debug"}]}
    scripted.exits[UPGRADE] = Exit(1, ("Running upgrade", "sqlalchemy.exc.OperationalError"))
    arn = run(stack, definition, overrides={"containerOverrides": [override]})["tasks"][0]["taskArn"]
    spec = scripted.started[-1]
    (container,) = spec.containers
    assert (container.command, container.port) == (UPGRADE, 8000)
    assert container.environment == {"STAGE": "test", "LEVEL": "debug"}
    finished(stack, arn)
    stream = world.log_stream(spec, container)
    assert stream == f"app/app/{arn.rsplit('/', 1)[-1]}"
    log = stack.client("logs").get_log_events(logGroupName="/ecs/orders", logStreamName=stream, startFromHead=True)
    assert [event["message"] for event in log["events"]] == ["Running upgrade", "sqlalchemy.exc.OperationalError"]


def test_each_task_has_an_address_of_its_subnets(stack: Stack) -> None:
    """Addresses come from the subnets and are given back: free addresses can be counted."""

    def free() -> int:
        subnets = stack.client("ec2").describe_subnets(SubnetIds=stack.subnets)["Subnets"]
        return sum(subnet["AvailableIpAddressCount"] for subnet in subnets)

    before = free()
    tasks = run(stack, count=3)["tasks"]
    addresses = [task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] for task in tasks]
    assert len(set(addresses)) == 3
    assert all(address.startswith(("10.0.0.", "10.0.1.")) for address in addresses)
    assert free() == before - 3
    for task in tasks:
        finished(stack, task["taskArn"])
    assert free() == before


def test_a_full_subnet_is_a_failure(stack: Stack) -> None:
    ec2 = stack.client("ec2")
    small = ec2.create_subnet(VpcId=stack.vpc_id, CidrBlock="10.0.200.0/28")["Subnet"]["SubnetId"]
    network = {"awsvpcConfiguration": {"subnets": [small]}}
    answers = [run(stack, networkConfiguration=network, count=10) for _ in range(2)]
    assert sum(len(answer["tasks"]) for answer in answers) == 11
    assert {failure["reason"] for answer in answers for failure in answer["failures"]} == {"RESOURCE:ENI"}


@pytest.mark.parametrize(
    ("settings", "code", "part"),
    [
        ({"taskDefinition": "nothing"}, "ClientException", "TaskDefinition not found"),
        ({"cluster": "nothing"}, "ClusterNotFoundException", "Cluster not found"),
        ({"networkConfiguration": None}, "InvalidParameterException", "Network Configuration must be provided"),
        ({"startedBy": "a b"}, "InvalidParameterException", "startedBy"),
        ({"clientToken": "x" * 65}, "InvalidParameterException", "clientToken"),
        (
            {"overrides": {"containerOverrides": [{"name": "nobody", "command": ["x"]}]}},
            "InvalidParameterException",
            "Override for container named nobody is not a container in the TaskDefinition.",
        ),
        (
            {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-00000000"]}}},
            "InvalidParameterException",
            "InvalidSubnetID.NotFound",
        ),
        ({"launchType": "EC2"}, "InvalidParameterException", "No Container Instances were found"),
    ],
)
def test_what_run_task_refuses(stack: Stack, refused: Any, settings: dict[str, Any], code: str, part: str) -> None:
    given = {
        "cluster": stack.cluster,
        "taskDefinition": stack.task_definition,
        "launchType": "FARGATE",
        "networkConfiguration": stack.network,
        **settings,
    }
    found = refused(stack.client("ecs").run_task, **{key: value for key, value in given.items() if value is not None})
    assert found[0] == code
    assert part in found[1]


def test_times_are_real(stack: Stack) -> None:
    task = run(stack)["tasks"][0]
    assert abs(task["createdAt"] - datetime.now().astimezone()) < timedelta(minutes=5)


# What a migration's task is asked for, and how it may end.


def test_a_group_of_ones_own(stack: Stack) -> None:
    """API reference, RunTask: `group` is kept, and found in DescribeTasks only: ListTasks has no such filter."""
    arn = run(stack, group="run_migrations:orders", startedBy="d-123456789")["tasks"][0]["taskArn"]
    task = look(stack, arn)
    assert (task["group"], task["startedBy"]) == ("run_migrations:orders", "d-123456789")


def test_the_size_of_a_task_can_be_overridden(stack: Stack, scripted: ScriptedWorld) -> None:
    override = {"containerOverrides": [{"name": "app", "command": list(UPGRADE)}], "cpu": "1024", "memory": "2048"}
    arn = run(stack, overrides=override)["tasks"][0]["taskArn"]
    task = look(stack, arn)
    assert (task["cpu"], task["memory"]) == ("1024", "2048")
    assert (task["overrides"]["cpu"], task["overrides"]["memory"]) == ("1024", "2048")
    assert (scripted.started[-1].cpu, scripted.started[-1].memory) == (1024, 2048)


def test_tasks_are_listed_by_family(stack: Stack, scripted: ScriptedWorld) -> None:
    """Of all revisions, of the service and by hand; those told to stop are listed as STOPPED while they still run."""
    ecs = stack.client("ecs")
    scripted.exits[UPGRADE] = Exit(0, lasts=1e9, deaf_for=1e9)
    arn = run(stack, stack.register("orders:2"))["tasks"][0]["taskArn"]
    listed = ecs.list_tasks(cluster="shop", family="orders")["taskArns"]
    assert arn in listed
    assert len(listed) == 3
    assert ecs.list_tasks(cluster="shop", family="order")["taskArns"] == []
    ecs.stop_task(cluster="shop", task=arn)
    assert arn not in ecs.list_tasks(cluster="shop", family="orders")["taskArns"]
    assert ecs.list_tasks(cluster="shop", family="orders", desiredStatus="STOPPED")["taskArns"] == [arn]
    task = look(stack, arn)
    assert (task["lastStatus"], task["containers"][0]["lastStatus"]) == ("STOPPING", "RUNNING")


@pytest.mark.parametrize("code", ["SpotInterruption", "TerminationNotice", "UserInitiated"])
@pytest.mark.parametrize("ran", [True, False])
def test_a_task_that_is_ended_from_outside(stack: Stack, scripted: ScriptedWorld, code: str, ran: bool) -> None:
    scripted.exits[UPGRADE] = Exit(143 if ran else None, stop_code=code, stopped_reason="taken away")
    arn = run(stack)["tasks"][0]["taskArn"]
    assert look(stack, arn)["lastStatus"] == ("RUNNING" if ran else "PENDING")
    task = finished(stack, arn)
    assert (task["stopCode"], task["stoppedReason"]) == (code, "taken away")
    assert ("startedAt" in task, "runtimeId" in task["containers"][0]) == (ran, ran)
    assert task["containers"][0].get("exitCode") == (143 if ran else None)


@pytest.mark.parametrize("looks", [0, 1])
def test_an_exit_code_that_nobody_tells(stack: Stack, scripted: ScriptedWorld, looks: int) -> None:
    """AWS: a host that goes away takes it along; that the container ran is seen by `startedAt` and `runtimeId`."""
    scripted.exits[UPGRADE] = Exit(None, lost=True, runs_for=looks, stop_code="TerminationNotice")
    task = finished(stack, run(stack)["tasks"][0]["taskArn"])
    assert "exitCode" not in task["containers"][0]
    assert "runtimeId" in task["containers"][0]
    assert "startedAt" in task


def test_a_container_without_memory(stack: Stack, scripted: ScriptedWorld) -> None:
    reason = "OutOfMemoryError: Container killed due to memory usage"
    scripted.exits[UPGRADE] = Exit(137, reason=reason, stopped_reason=reason)
    task = finished(stack, run(stack)["tasks"][0]["taskArn"])
    assert (task["stopCode"], task["stoppedReason"]) == ("EssentialContainerExited", reason)
    assert (task["containers"][0]["exitCode"], task["containers"][0]["reason"]) == (137, reason)


def test_one_task_may_end_otherwise_than_the_next(stack: Stack, scripted: ScriptedWorld) -> None:
    scripted.next_exits[UPGRADE] = [Exit(1), Exit(2)]
    arns = [run(stack)["tasks"][0]["taskArn"] for _ in range(3)]
    assert [finished(stack, arn)["containers"][0]["exitCode"] for arn in arns] == [1, 2, 0]


def test_a_task_may_last_by_the_clock(stack: Stack, scripted: ScriptedWorld) -> None:
    now = [0.0]
    scripted.clock = lambda: now[0]
    scripted.exits[UPGRADE] = Exit(0, lasts=60)
    arn = run(stack)["tasks"][0]["taskArn"]
    assert {look(stack, arn)["lastStatus"] for _ in range(5)} == {"RUNNING"}
    now[0] = 60.0
    assert look(stack, arn)["lastStatus"] == "STOPPED"


def test_a_task_that_does_not_listen(stack: Stack, scripted: ScriptedWorld) -> None:
    """ECS gives its containers their stopTimeout; the stop code is there at once."""
    now = [0.0]
    scripted.clock = lambda: now[0]
    scripted.exits[UPGRADE] = Exit(0, lasts=1e9, deaf_for=30)
    arn = run(stack)["tasks"][0]["taskArn"]
    stack.client("ecs").stop_task(cluster="shop", task=arn, reason="too long")
    task = look(stack, arn)
    assert (task["lastStatus"], task["stopCode"], task["stoppedReason"]) == ("STOPPING", "UserInitiated", "too long")
    now[0] = 30.0
    assert look(stack, arn)["containers"][0]["exitCode"] == 143


def test_a_task_that_is_stopped_before_it_started(stack: Stack, scripted: ScriptedWorld) -> None:
    scripted.exits[UPGRADE] = Exit(None, runs_for=100)
    arn = run(stack)["tasks"][0]["taskArn"]
    assert look(stack, arn)["lastStatus"] == "PENDING"
    stack.client("ecs").stop_task(cluster="shop", task=arn)
    task = look(stack, arn)
    assert (task["lastStatus"], task["stopCode"]) == ("STOPPED", "UserInitiated")
    assert "exitCode" not in task["containers"][0]
    assert "startedAt" not in task


# Secrets.


def test_secrets_come_into_the_environment(stack: Stack, scripted: ScriptedWorld) -> None:
    secrets, parameters = stack.client("secretsmanager"), stack.client("ssm")
    arn = secrets.create_secret(Name="orders/db", SecretString='{"password": "from-json"}')["ARN"]
    plain = secrets.create_secret(Name="orders/key", SecretString="from-text")["ARN"]
    parameters.put_parameter(Name="/orders/level", Value="from-parameter", Type="SecureString")
    given = {"PASSWORD": f"{arn}:password::", "KEY": plain, "LEVEL": "/orders/level"}
    definition = stack.register(secrets=[{"name": name, "valueFrom": source} for name, source in given.items()])
    run(stack, definition)
    assert scripted.started[-1].containers[0].environment == {
        "PASSWORD": "from-json",
        "KEY": "from-text",
        "LEVEL": "from-parameter",
    }


@pytest.mark.parametrize("source", ["arn:aws:secretsmanager:eu-west-1:123456789012:secret:gone-AbCdEf", "/gone"])
def test_a_missing_secret_keeps_a_task_from_starting(stack: Stack, scripted: ScriptedWorld, source: str) -> None:
    before = len(scripted.started)
    definition = stack.register(secrets=[{"name": "PASSWORD", "valueFrom": source}])
    task = finished(stack, run(stack, definition)["tasks"][0]["taskArn"])
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("ResourceInitializationError: unable to pull secrets")
    assert source in task["stoppedReason"]
    assert "exitCode" not in task["containers"][0]
    assert len(scripted.started) == before


# Task definitions.


def test_a_family_alone_is_its_latest_active_revision(stack: Stack, refused: Any) -> None:
    """moto takes the latest revision of all, and fails at one that is no number."""
    ecs = stack.client("ecs")
    ecs.deregister_task_definition(taskDefinition=stack.register())
    found = ecs.describe_task_definition(taskDefinition="orders")["taskDefinition"]
    assert found["taskDefinitionArn"] == stack.task_definition
    for missing in ("orders:99", "nothing"):
        assert refused(ecs.describe_task_definition, taskDefinition=missing)[0] == "ClientException"
    assert refused(ecs.describe_task_definition, taskDefinition="orders:latest")[0] == "InvalidParameterException"
