"""ECS services and task sets: the stand-in against what was recorded on AWS, and against moto's traps."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from rehearsal.aws import ecs_services
from rehearsal.aws.stack import IMAGE, Stack
from rehearsal.aws.world import PlacementFailure, ScriptedWorld, TargetState, log_stream

NEW = IMAGE.replace("1.0.0", "1.1.0")
HEALTH_CHECK = {"command": ["CMD-SHELL", "curl -f http://localhost:8000/health"]}


def service(stack: Stack) -> dict[str, Any]:
    answer = stack.client("ecs").describe_services(cluster=stack.cluster, services=[stack.service])
    found: dict[str, Any] = answer["services"][0]
    return found


def events(stack: Stack) -> list[str]:
    return [event["message"] for event in service(stack)["events"]]


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let the scheduler's clock be `seconds` ahead."""
    now = datetime.now().astimezone().replace(tzinfo=None) + timedelta(days=1, seconds=seconds)
    monkeypatch.setattr(ecs_services, "utcnow", lambda: now)


# Records.


def test_the_first_task_set_has_no_external_id(stack: Stack) -> None:
    """Record: the one a service was created with has no externalId; PRIMARY, at scale 100, steady."""
    (first,) = stack.task_sets()
    assert "externalId" not in first
    assert "startedBy" not in first
    assert first["status"] == "PRIMARY"
    assert first["scale"] == {"value": 100.0, "unit": "PERCENT"}
    assert first["stabilityStatus"] == "STEADY_STATE"


def test_later_task_sets_carry_the_deployment_id(stack: Stack) -> None:
    """Record: the green set's externalId is the deployment id, and startedBy is CODE_DEPLOY."""
    deployment = stack.deploy()
    stack.run_until(deployment, "AfterInstall")
    green = stack.task_sets()[1]
    assert green["externalId"] == deployment.deployment_id
    assert green["startedBy"] == "CODE_DEPLOY"


def test_both_sets_are_steady_while_blue_waits(stack: Stack) -> None:
    """Record: both at scale 100 and STEADY_STATE, PRIMARY and ACTIVE, while blue waits to be terminated."""
    stack.run_until(stack.deploy(), "AfterAllowTraffic")
    assert [(s["status"], s["scale"]["value"], s["stabilityStatus"]) for s in stack.task_sets()] == [
        ("ACTIVE", 100.0, "STEADY_STATE"),
        ("PRIMARY", 100.0, "STEADY_STATE"),
    ]


def test_a_deleted_set_is_draining_for_a_while(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Record: the old one stays listed as DRAINING with scale 0 for a while."""
    stack.run_until(stack.deploy(), "AfterAllowTraffic")
    blue, green = stack.task_sets()
    stack.client("ecs").delete_task_set(cluster="shop", service="orders", taskSet=blue["taskSetArn"], force=True)
    for _ in range(2):
        draining, serving = stack.task_sets()
        assert (draining["id"], draining["status"], draining["scale"]["value"]) == (blue["id"], "DRAINING", 0.0)
        assert draining["computedDesiredCount"] == 0
        assert (serving["id"], serving["status"]) == (green["id"], "PRIMARY")
    later(monkeypatch, 0)
    assert [each["id"] for each in stack.task_sets()] == [green["id"]]


def test_the_target_groups_alternate(stack: Stack) -> None:
    """After a deployment the service's own load balancers and task definition are those of green."""
    definition = stack.register(NEW)
    stack.run_until(stack.deploy(definition), "AfterAllowTraffic")
    found = service(stack)
    assert found["taskDefinition"] == definition
    assert found["loadBalancers"][0]["targetGroupArn"] == stack.green_group


# Traps: counts and stability.


def test_task_sets_count_their_tasks(stack: Stack, scripted: ScriptedWorld) -> None:
    """moto's task sets have no counts."""
    scripted.pending.add(NEW)
    stack.run_until(stack.deploy(stack.register(NEW)), "AfterInstall")
    blue, green = stack.task_sets()
    counts = ("computedDesiredCount", "runningCount", "pendingCount")
    assert [blue[count] for count in counts] == [2, 2, 0]
    assert [green[count] for count in counts] == [2, 0, 2]
    assert green["stabilityStatus"] == "STABILIZING"
    assert (service(stack)["runningCount"], service(stack)["pendingCount"]) == (2, 2)
    scripted.pending.clear()
    assert [stack.task_sets()[1][count] for count in counts] == [2, 2, 0]
    assert stack.task_sets()[1]["stabilityStatus"] == "STEADY_STATE"


@pytest.mark.parametrize(("percent", "count"), [(0, 0), (50, 1), (60, 2), (100, 2)])
def test_the_desired_count_is_computed_and_rounded_up(stack: Stack, percent: int, count: int) -> None:
    """API reference, TaskSet: the computed desired count is always rounded up."""
    stack.run_until(stack.deploy(), "AfterInstall")
    green = stack.task_sets()[1]["taskSetArn"]
    scale = {"value": percent, "unit": "PERCENT"}
    stack.client("ecs").update_task_set(cluster="shop", service="orders", taskSet=green, scale=scale)
    found = stack.task_sets()[1]
    assert (found["computedDesiredCount"], found["runningCount"]) == (count, count)


def test_a_failing_load_balancer_check_is_not_steady(stack: Stack, scripted: ScriptedWorld) -> None:
    """STEADY_STATE needs every load balancer health check to pass; moto's is constant."""
    scripted.target_health["orders-2"] = TargetState("unhealthy", "Target.ResponseCodeMismatch")
    stack.run_until(stack.deploy(), "AfterInstall")
    assert stack.task_sets()[1]["stabilityStatus"] == "STABILIZING"
    scripted.target_health.clear()
    assert stack.task_sets()[1]["stabilityStatus"] == "STEADY_STATE"


def test_targets_that_nobody_checks_do_not_keep_it_unsteady(stack: Stack, scripted: ScriptedWorld) -> None:
    scripted.target_health["orders-2"] = TargetState("unhealthy", "Target.Timeout")
    stack.forward(stack.production_listener, {stack.blue_group: 1})
    stack.run_until(stack.deploy(), "AfterInstall")
    assert stack.task_sets()[1]["stabilityStatus"] == "STEADY_STATE"


@pytest.mark.parametrize("health", ["UNHEALTHY", "UNKNOWN"])
def test_a_failing_container_check_is_not_steady(stack: Stack, scripted: ScriptedWorld, health: str) -> None:
    """STEADY_STATE needs every container health check to pass."""
    scripted.container_health[NEW] = health
    stack.run_until(stack.deploy(stack.register(NEW, healthCheck=HEALTH_CHECK)), "AfterInstall")
    assert stack.task_sets()[1]["stabilityStatus"] == "STABILIZING"
    scripted.container_health[NEW] = "HEALTHY"
    assert stack.task_sets()[1]["stabilityStatus"] == "STEADY_STATE"


# The scheduler.


def test_a_crash_loop_goes_on(stack: Stack, scripted: ScriptedWorld) -> None:
    """Stopped tasks are replaced at each look, and stay visible with exit codes and reasons."""
    scripted.crashing[NEW] = 3
    stack.run_until(stack.deploy(stack.register(NEW)), "AfterInstall")
    for _ in range(3):
        green = stack.task_sets()[1]
        assert (green["runningCount"], green["pendingCount"]) == (0, 2)
        assert green["stabilityStatus"] == "STABILIZING"
    ecs = stack.client("ecs")
    stopped = ecs.list_tasks(cluster="shop", startedBy=green["id"], desiredStatus="STOPPED")["taskArns"]
    assert len(stopped) >= 6
    task = ecs.describe_tasks(cluster="shop", tasks=stopped[:1])["tasks"][0]
    assert (task["stopCode"], task["stoppedReason"]) == (
        "EssentialContainerExited",
        "Essential container in task exited",
    )
    assert task["containers"][0]["exitCode"] == 3
    assert any("unable to consistently start tasks successfully" in message for message in events(stack))


def test_a_task_that_cannot_be_placed_is_said_in_an_event(stack: Stack, scripted: ScriptedWorld) -> None:
    scripted.placement_failures.append(PlacementFailure("RESOURCE:MEMORY", "not enough memory"))
    stack.run_until(stack.deploy(), "AfterInstall")
    assert any("was unable to place a task. Reason: RESOURCE:MEMORY" in message for message in events(stack))


ROLE_ERROR = (
    "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/orders-task' that was provided for this task. "
    "Please verify that the role being passed has the proper trust relationship and permissions and that your IAM user "
    "has permissions to pass this role."
)


def test_a_task_that_cannot_be_launched_is_said_in_an_event(stack: Stack, scripted: ScriptedWorld) -> None:
    """Once: none is started, and equal messages are omitted while the cause stays (service event messages)."""
    scripted.launch_errors[NEW] = ROLE_ERROR
    stack.run_until(stack.deploy(stack.register(NEW)), "AfterInstall")
    green = stack.task_sets()[1]
    assert (green["computedDesiredCount"], green["runningCount"], green["pendingCount"]) == (2, 0, 0)
    assert green["stabilityStatus"] == "STABILIZING"
    expected = f"(service orders, taskSet {green['id']}) failed to launch a task with (error {ROLE_ERROR})."
    assert [message for message in events(stack) if "launch" in message] == [expected]
    scripted.launch_errors.clear()
    assert stack.task_sets()[1]["pendingCount"] == 2
    assert stack.task_sets()[1]["runningCount"] == 2


def test_an_event_is_not_repeated_while_its_cause_stays(
    stack: Stack, scripted: ScriptedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Developer guide: duplicate messages are omitted until the cause is resolved or six hours have passed."""

    def told() -> list[str]:
        return [message.split("Reason: ")[1] for message in events(stack) if "unable to place" in message]

    no_room = [PlacementFailure("RESOURCE:MEMORY") for _ in range(100)]
    scripted.placement_failures.extend(no_room)
    stack.run_until(stack.deploy(), "AfterInstall")
    assert told() == told() == ["RESOURCE:MEMORY."]
    scripted.placement_failures.insert(0, PlacementFailure("RESOURCE:CPU"))
    assert told() == ["RESOURCE:CPU.", "RESOURCE:MEMORY."]
    assert told() == told() == ["RESOURCE:MEMORY.", "RESOURCE:CPU.", "RESOURCE:MEMORY."]
    later(monkeypatch, 0)
    assert len(told()) == len(told()) == 4
    scripted.placement_failures.clear()
    assert len(told()) == 4
    scripted.placement_failures.extend(no_room)
    stack.client("ecs").update_service(cluster="shop", service="orders", desiredCount=3)
    # Both task sets want another task now.
    assert len(told()) == 6


def test_the_newest_event_comes_first(stack: Stack) -> None:
    stack.run_until(stack.deploy(), "AfterInstall")
    green = stack.task_sets()[1]["id"]
    found = service(stack)["events"]
    times = [event["createdAt"] for event in found]
    assert times == sorted(times, reverse=True)
    started = [event["message"] for event in found if "has started" in event["message"]]
    assert len(started) == 4
    assert started[0].startswith(f"(service orders, taskSet {green}) has started 1 tasks: (task ")


def test_a_crashing_container_writes_to_its_log(stack: Stack, scripted: ScriptedWorld) -> None:
    stack.client("logs").create_log_group(logGroupName="/ecs/orders")
    options = {"awslogs-group": "/ecs/orders", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "app"}
    scripted.crashing[NEW] = 1
    scripted.crash_lines[NEW] = ("Traceback (most recent call last):", "KeyError: 'DATABASE_URL'")
    definition = stack.register(NEW, logConfiguration={"logDriver": "awslogs", "options": options})
    stack.run_until(stack.deploy(definition), "AfterInstall")
    assert stack.task_sets()[1]["runningCount"] == 0
    spec = next(spec for spec in scripted.started if spec.containers[0].image == NEW)
    stream = log_stream(spec, spec.containers[0])
    log = stack.client("logs").get_log_events(logGroupName="/ecs/orders", logStreamName=stream, startFromHead=True)
    assert tuple(event["message"] for event in log["events"]) == scripted.crash_lines[NEW]


def test_only_what_crashes_writes(stack: Stack, scripted: ScriptedWorld) -> None:
    stack.client("logs").create_log_group(logGroupName="/ecs/orders")
    scripted.crash_lines[NEW] = ("never written",)
    options = {"awslogs-group": "/ecs/orders", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "app"}
    definition = stack.register(NEW, logConfiguration={"logDriver": "awslogs", "options": options})
    stack.run_until(stack.deploy(definition), "AfterInstall")
    assert stack.task_sets()[1]["runningCount"] == 2
    assert stack.client("logs").describe_log_streams(logGroupName="/ecs/orders")["logStreams"] == []


def test_a_task_with_failing_targets_is_replaced(
    stack: Stack, scripted: ScriptedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while, which a test may set: stopCode ServiceSchedulerInitiated, and the target group in the reason."""
    scripted.target_health["orders-2"] = TargetState("unhealthy", "Target.ResponseCodeMismatch", "502")
    stack.run_until(stack.deploy(), "AfterInstall")
    ecs, green = stack.client("ecs"), stack.task_sets()[1]["id"]
    find = {"cluster": "shop", "startedBy": green, "desiredStatus": "STOPPED"}
    assert ecs.list_tasks(**find)["taskArns"] == []
    monkeypatch.setattr(ecs_services, "REPLACE_UNHEALTHY_AFTER", timedelta(0))
    stopped = ecs.list_tasks(**find)["taskArns"]
    assert len(stopped) == 2
    for task in ecs.describe_tasks(cluster="shop", tasks=stopped)["tasks"]:
        assert task["stopCode"] == "ServiceSchedulerInitiated"
        assert task["stoppedReason"] == f"Task failed ELB health checks in (target-group {stack.green_group})"
    scripted.target_health.clear()
    stack.task_sets()
    assert stack.task_sets()[1]["stabilityStatus"] == "STEADY_STATE"


def test_tasks_of_a_set_are_registered_and_deregistered(stack: Stack) -> None:
    stack.run_until(stack.deploy(), "AfterInstall")
    ecs = stack.client("ecs")
    green = stack.task_sets()[1]
    arns = ecs.list_tasks(cluster="shop", startedBy=green["id"])["taskArns"]
    tasks = ecs.describe_tasks(cluster="shop", tasks=arns)["tasks"]
    addresses = {task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] for task in tasks}
    assert {address for address, _, _ in stack.health(stack.green_group)} == addresses
    assert {task["group"] for task in tasks} == {"service:orders"}
    ecs.delete_task_set(cluster="shop", service="orders", taskSet=green["id"], force=True)
    stack.task_sets()
    assert {state for _, state, _ in stack.health(stack.green_group)} == {"draining"}


def test_a_task_that_stays_unhealthy_is_replaced(
    stack: Stack, scripted: ScriptedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ECS stops a task that fails its load balancer's health checks, and says so."""
    stack.run_until(stack.deploy(), "AfterInstall")
    before = {address for address, _, _ in stack.health(stack.green_group)}
    for address in before:
        scripted.target_health[address] = TargetState("unhealthy", "Target.Timeout", "Request timed out")
    stack.task_sets()
    later(monkeypatch, 120)
    stack.task_sets()
    stack.task_sets()
    healthy = {address for address, state, _ in stack.health(stack.green_group) if state == "healthy"}
    assert healthy
    assert not healthy & before
    assert any("Task failed ELB health checks in (target-group" in reason for _, reason in scripted.stopped)


def test_a_steady_service_says_so(stack: Stack) -> None:
    assert events(stack)[0] == "(service orders) has reached a steady state."
    assert any("registered 1 targets in (target-group" in message for message in events(stack))
    assert any("has started 1 tasks: (task " in message for message in events(stack))


# What is refused or missing.


def test_a_missing_service_or_task_set_is_a_failure(stack: Stack) -> None:
    """AWS: in failures[], reason MISSING, not an exception."""
    ecs = stack.client("ecs")
    answer = ecs.describe_services(cluster="shop", services=["orders", "nothing"])
    assert [each["serviceName"] for each in answer["services"]] == ["orders"]
    assert [each["reason"] for each in answer["failures"]] == ["MISSING"]
    answer = ecs.describe_task_sets(cluster="shop", service="orders", taskSets=["ecs-svc/1"])
    assert (answer["taskSets"], answer["failures"]) == ([], [{"arn": "ecs-svc/1", "reason": "MISSING"}])
    answer = ecs.describe_clusters(clusters=["shop", "nothing"])
    assert [each["reason"] for each in answer["failures"]] == ["MISSING"]


def test_what_only_codedeploy_may_change(stack: Stack, refused: Any) -> None:
    update = stack.client("ecs").update_service
    code, message = refused(update, cluster="shop", service="orders", taskDefinition=stack.register(NEW))
    assert code == "InvalidParameterException"
    assert "Use AWS CodeDeploy to trigger a new deployment" in message
    found = update(cluster="shop", service="orders", desiredCount=3, healthCheckGracePeriodSeconds=45)["service"]
    assert (found["desiredCount"], found["healthCheckGracePeriodSeconds"]) == (3, 45)


def test_what_is_refused(stack: Stack, refused: Any) -> None:
    ecs = stack.client("ecs")
    given = {"cluster": "shop", "service": "orders"}
    assert refused(ecs.update_task_set, **given, taskSet="ecs-svc/1", scale={"value": 1, "unit": "PERCENT"})[0] == (
        "TaskSetNotFoundException"
    )
    blue = stack.task_sets()[0]["id"]
    assert refused(ecs.delete_task_set, **given, taskSet=blue)[0] == "InvalidParameterException"
    missing = {"cluster": "shop", "service": "nothing"}
    assert refused(ecs.describe_task_sets, **missing)[0] == "ServiceNotFoundException"
    assert refused(ecs.describe_services, cluster="nothing", services=["orders"])[0] == "ClusterNotFoundException"
    inactive = stack.register(NEW)
    ecs.deregister_task_definition(taskDefinition=inactive)
    code, message = refused(ecs.create_task_set, **given, taskDefinition=inactive)
    assert (code, message) == ("ClientException", "TaskDefinition is inactive")
    code, _ = refused(ecs.create_service, cluster="shop", serviceName="orders", taskDefinition="orders", desiredCount=1)
    assert code == "InvalidParameterException"


def test_a_service_is_deleted(stack: Stack, scripted: ScriptedWorld, refused: Any) -> None:
    ecs = stack.client("ecs")
    assert refused(ecs.delete_service, cluster="shop", service="orders")[0] == "InvalidParameterException"
    ecs.update_service(cluster="shop", service="orders", desiredCount=0)
    ecs.delete_service(cluster="shop", service="orders")
    assert service(stack)["status"] == "INACTIVE"
    assert len(scripted.stopped) == 2


def test_a_rolling_service_has_deployments_in_the_place_of_task_sets(stack: Stack) -> None:
    """A service that CodeDeploy does not control: what the first hook must tell apart."""
    ecs = stack.client("ecs")
    ecs.create_service(
        cluster="shop",
        serviceName="rolling",
        taskDefinition=stack.task_definition,
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration=stack.network,
    )
    (found,) = ecs.describe_services(cluster="shop", services=["rolling"])["services"]
    assert found["deploymentController"] == {"type": "ECS"}
    assert found.get("taskSets", []) == []
    (deployment,) = found["deployments"]
    assert (deployment["status"], deployment["rolloutState"], deployment["runningCount"]) == ("PRIMARY", "COMPLETED", 1)
    definition = stack.register(NEW)
    ecs.update_service(cluster="shop", service="rolling", taskDefinition=definition)
    ecs.describe_services(cluster="shop", services=["rolling"])
    (found,) = ecs.describe_services(cluster="shop", services=["rolling"])["services"]
    arns = ecs.list_tasks(cluster="shop", serviceName="rolling")["taskArns"]
    assert {t["taskDefinitionArn"] for t in ecs.describe_tasks(cluster="shop", tasks=arns)["tasks"]} == {definition}


def test_tags_are_shown_when_asked_for(stack: Stack) -> None:
    ecs = stack.client("ecs")
    ecs.tag_resource(resourceArn=service(stack)["serviceArn"], tags=[{"key": "team", "value": "shop"}])
    assert not service(stack).get("tags")
    answer = ecs.describe_services(cluster="shop", services=["orders"], include=["TAGS"])
    assert answer["services"][0]["tags"] == [{"key": "team", "value": "shop"}]


def test_clusters_count_what_runs(stack: Stack) -> None:
    (cluster,) = stack.client("ecs").describe_clusters(clusters=["shop"])["clusters"]
    assert (cluster["runningTasksCount"], cluster["pendingTasksCount"], cluster["activeServicesCount"]) == (2, 0, 1)
