"""AfterInstall: green runs as it should, over several looks, and blue is none of this hook's business."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import validate_deployment as hook
from gate.waiting import OutOfTime

from rehearsal.aws.world import PlacementFailure, TargetState
from tests.unit.handlers.stage import CLUSTER, SERVICE, Clock, Judge, Stage, refuse

EVENT = "AfterInstall"
HEALTH_CHECK = {"command": ["CMD-SHELL", "curl -f http://localhost:8000/health"]}


def looks(stage: Stage) -> int:
    """How often green was looked at."""
    return len(stage.called("ecs:DescribeServices"))


def described(stage: Stage) -> list[dict[str, Any]]:
    """Green's tasks, as ECS describes them; not counted among the hook's calls."""
    arns = stage.ecs.list_tasks(cluster=CLUSTER, startedBy=stage.green_set.split("/shop/")[1])["taskArns"]
    found: list[dict[str, Any]] = stage.ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"]
    return found


def test_a_healthy_green_passes_after_three_looks(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    assert judgement.message == "9 checks passed, 1 skipped"
    green = stage.green_set.split("/shop/")[1]
    digest = described(stage)[0]["containers"][0]["imageDigest"]
    assert [judgement.check(name) for name in list(judgement.outcomes())[1:]] == [
        ("passed", f"task set {green} is ACTIVE at scale 100 %"),
        ("passed", "green runs on FARGATE"),
        ("passed", "nothing keeps green tasks from starting"),
        ("passed", "no green task has stopped by itself"),
        ("passed", "2 of 2 green tasks running, 0 pending"),
        ("passed", "2 green tasks and their containers are RUNNING"),
        ("skipped", "the task definition has no health check of an essential container"),
        ("passed", f"green tasks run app {digest}"),
        ("passed", "2 green target(s) of shop-green healthy"),
        ("passed", f"green task set {green} is in STEADY_STATE"),
    ]
    assert looks(stage) == 3


def test_as_many_looks_as_the_user_wants(stage: Stage, judge: Judge) -> None:
    assert judge(hook, stage.at(EVENT), consecutive_successes=5, interval=10).succeeded
    assert looks(stage) == 5
    assert stage.clock.now == 40


def test_it_only_reads(stage: Stage, judge: Judge) -> None:
    judge(hook, stage.at(EVENT))
    assert {call.name for call in stage.calls} == {
        "codedeploy:GetDeployment",
        "codedeploy:GetDeploymentGroup",
        "codedeploy:PutLifecycleEventHookExecutionStatus",
        "ecs:DescribeServices",
        "ecs:DescribeTaskDefinition",
        "ecs:DescribeTasks",
        "ecs:ListTasks",
        "elbv2:DescribeTargetGroups",
        "elbv2:DescribeTargetHealth",
    }


def test_blue_is_never_judged(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.world.crashing[stage.image("1")] = 1
    stage.world.target_health["shop-blue"] = TargetState("unhealthy", "Target.Timeout")
    assert judge(hook, event).succeeded


def test_green_is_judged_although_blue_is_well(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = TargetState("unhealthy", "Target.Timeout")
    assert not judge(hook, event, interval=60).succeeded


def test_green_may_show_a_little_later(stage: Stage, judge: Judge) -> None:
    event = stage.at("BeforeInstall")
    stage.clock.after(30, lambda: stage.create_task_set(event["DeploymentId"]))
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert 30 < stage.clock.now < 40


def test_green_does_not_exist(stage: Stage, judge: Judge) -> None:
    event = stage.at("BeforeInstall")
    stage.create_task_set("d-OTHER1234")
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert judgement.check("green")[0] == "error"
    assert judgement.message.startswith(
        f"service shop has no task set of deployment {event['DeploymentId']} (it has: ecs-svc/"
    )
    assert " PRIMARY of the service, ecs-svc/" in judgement.message
    assert judgement.message.endswith(" ACTIVE of d-OTHER1234)")
    assert 60 < stage.clock.now < 70


def test_pending_tasks_are_waited_for(stage: Stage, judge: Judge) -> None:
    stage.world.pending.add(stage.image("2"))
    event = stage.at(EVENT)
    stage.clock.after(100, stage.world.pending.clear)
    assert judge(hook, event, interval=10).succeeded
    assert stage.clock.now == 120


def test_tasks_that_stay_pending(stage: Stage, judge: Judge) -> None:
    stage.world.pending.add(stage.image("2"))
    judgement = judge(hook, stage.at(EVENT), interval=60)
    assert not judgement.succeeded
    assert judgement.check("task_count") == (
        "failed",
        "0 of 2 green tasks running, 2 pending (still so after 870 s)",
    )
    assert judgement.message.startswith("0 of 2 green tasks running, 2 pending (still so after 870 s); green: task ")


def test_a_task_that_cannot_be_placed(stage: Stage, judge: Judge) -> None:
    stage.world.placement_failures = [PlacementFailure("RESOURCE:ENI") for _ in range(1000)]
    judgement = judge(hook, stage.at(EVENT), interval=60)
    assert judgement.check("task_count") == (
        "failed",
        (
            "0 of 2 green tasks running, 0 pending; latest event: (service shop, taskSet "
            f"{stage.green_set.split('/shop/')[1]}) was unable to place a task. Reason: RESOURCE:ENI. "
            "(still so after 870 s)"
        ),
    )
    assert judgement.check("tasks_running") == ("failed", "0 green tasks found, 2 desired (still so after 870 s)")
    assert judgement.check("green_targets") == (
        "failed",
        "0 of 2 green tasks run, so not all can be healthy targets (still so after 870 s)",
    )
    assert not stage.called("elbv2:DescribeTargetHealth")


def test_a_crash_loop_ends_it_at_once(stage: Stage, judge: Judge) -> None:
    """With all there is to say: codes, reasons and what the container that died wrote last."""
    stage.world.crashing[stage.image("2")] = 3
    stage.world.crash_lines[stage.image("2")] = ("starting", "PAYMENT_URL is not set")
    judgement = judge(hook, stage.at(EVENT))
    assert not judgement.succeeded
    outcome, detail = judgement.check("crash_loop")
    assert outcome == "failed"
    assert detail.endswith(
        "like this: EssentialContainerExited; Essential container in task exited; container app: exit 3; "
        "last log lines: starting | PAYMENT_URL is not set"
    )
    assert detail.startswith("green tasks keep stopping: ")
    assert judgement.message.startswith(detail)
    assert stage.clock.now <= 4


def test_of_a_crash_the_last_ten_lines_are_quoted(stage: Stage, judge: Judge) -> None:
    stage.world.crashing[stage.image("2")] = 3
    lines = tuple(f"line {number}" for number in range(1, 13))
    stage.world.crash_lines[stage.image("2")] = lines
    detail = judge(hook, stage.at(EVENT)).check("crash_loop")[1]
    assert detail.endswith(f"last log lines: {' | '.join(lines[2:])}")


def test_of_a_crashs_long_lines_the_last_thousand_letters_are_quoted(stage: Stage, judge: Judge) -> None:
    stage.world.crashing[stage.image("2")] = 3
    stage.world.crash_lines[stage.image("2")] = ("a" * 1500 + "b" * 1000,)
    detail = judge(hook, stage.at(EVENT)).check("crash_loop")[1]
    assert detail.endswith(f"last log lines: …{'b' * 1000}")


def test_a_crash_loop_is_seen_while_ecs_waits_with_the_next_try(stage: Stage, judge: Judge) -> None:
    """Then no task runs, and none is pending."""
    stage.world.crashing[stage.image("2")] = 1
    event = stage.at(EVENT)
    for _ in range(3):
        stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
    found = stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
    for task_set in found["services"][0]["taskSets"]:
        if task_set.get("externalId") == event["DeploymentId"]:
            task_set |= {"runningCount": 0, "pendingCount": 0}
    stage.instead["ecs:DescribeServices"] = lambda _: found
    judgement = judge(hook, event)
    assert judgement.check("crash_loop")[0] == "failed"
    assert "green tasks keep stopping" in judgement.message


def test_a_health_check_of_which_nothing_is_said_is_one(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    found = stage.ecs.describe_task_definition(taskDefinition=stage.green_definition)
    found["taskDefinition"]["containerDefinitions"][0]["healthCheck"] = {}
    stage.instead["ecs:DescribeTaskDefinition"] = lambda _: found
    assert judge(hook, event).check("container_health")[0] == "failed"


def test_the_log_of_a_crash_may_not_be_readable(stage: Stage, judge: Judge) -> None:
    stage.world.crashing[stage.image("2")] = 3
    event = stage.at(EVENT)
    stage.instead["logs:GetLogEvents"] = refuse("AccessDeniedException")
    judgement = judge(hook, event)
    assert "container app: exit 3; its log: logs:GetLogEvents was denied: allow it in this hook's" in judgement.message


def test_a_crash_that_wrote_nothing(stage: Stage, judge: Judge) -> None:
    stage.world.crashing[stage.image("2")] = 3
    judgement = judge(hook, stage.at(EVENT))
    assert "container app: exit 3; its log: it is empty (still so after 5 s)" in judgement.message
    assert stage.clock.now < 10


@pytest.mark.parametrize(
    "reason",
    [
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): shop:2: not found",
        "CannotPullContainerError: The task can't pull the image: access denied",
        "CannotPullContainerError: no match for platform in manifest: not found",
        (
            "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment disabled in "
            "subnet 'subnet-1': InsufficientFreeAddressesInSubnet"
        ),
    ],
)
def test_a_task_that_cannot_start_is_enough_to_be_certain(stage: Stage, judge: Judge, reason: str) -> None:
    stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=1)
    stage.world.unstartable[stage.image("2")] = reason
    event = stage.at(EVENT)
    stage.instead["ecs:ListTasks"] = only_the_first_stopped(stage)
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert judgement.check("task_start") == (
        "failed",
        f"green tasks cannot be started: TaskFailedToStart; {reason}; container app: never started",
    )
    assert judgement.message.startswith("green tasks cannot be started: ")
    assert stage.clock.now == 0


def only_the_first_stopped(stage: Stage) -> Callable[[Mapping[str, Any]], Any]:
    """ListTasks' answer with the first stopped task alone: the scheduler has just begun."""

    def answer(parameters: Mapping[str, Any]) -> Any:
        found = stage.ecs.list_tasks(**parameters)
        return {"taskArns": found["taskArns"][:1] if parameters["desiredStatus"] == "STOPPED" else found["taskArns"]}

    return answer


@pytest.mark.parametrize(
    "message",
    [
        (
            "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/shop-task' that was provided for this "
            "task. Please verify that the role being passed has the proper trust relationship and permissions and that "
            "your IAM user has permissions to pass this role."
        ),
        "The subnet subnet-1 has no free addresses.",
    ],
)
def test_what_keeps_tasks_from_starting_stands_in_the_service_events(stage: Stage, judge: Judge, message: str) -> None:
    """There is not even a task that stopped."""
    stage.world.launch_errors[stage.image("2")] = message
    judgement = judge(hook, stage.at(EVENT))
    assert not judgement.succeeded
    assert judgement.message.startswith("green tasks cannot be started: (service shop, taskSet ecs-svc/")
    assert message.partition("'")[0] in judgement.message
    assert stage.clock.now == 0


def test_an_address_shortage(stage: Stage, judge: Judge) -> None:
    stage.world.placement_failures = [
        PlacementFailure("RESOURCE:ENI", "The subnet subnet-1 has no free addresses.") for _ in range(1000)
    ]
    judgement = judge(hook, stage.at(EVENT))
    assert "was unable to place a task. Reason: RESOURCE:ENI The subnet subnet-1 has no free" in judgement.message
    assert stage.clock.now == 0


def test_what_kept_tasks_from_starting_and_is_mended(stage: Stage, judge: Judge) -> None:
    """The event stays listed for a while; green runs all the same."""
    stage.world.launch_errors[stage.image("2")] = "ECS was unable to assume the role 'x'"
    event = stage.at(EVENT)
    stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
    stage.world.launch_errors.clear()
    for _ in range(3):
        stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
    assert judge(hook, event).succeeded


def test_events_of_blue_are_blues(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.world.launch_errors[stage.image("1")] = "ECS was unable to assume the role 'x'"
    blue = stage.ecs.list_tasks(cluster=CLUSTER, serviceName=SERVICE)["taskArns"]
    for arn in set(blue) - {task["taskArn"] for task in described(stage)}:
        stage.ecs.stop_task(cluster=CLUSTER, task=arn, reason="to see what happens")
    assert judge(hook, event).succeeded


def test_a_pull_that_timed_out_may_go_well_the_next_time(stage: Stage, judge: Judge) -> None:
    stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=1)
    stage.world.unstartable[stage.image("2")] = "CannotPullContainerError: request canceled: i/o timeout"
    event = stage.at(EVENT)
    stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
    stage.world.unstartable.clear()
    assert judge(hook, event).succeeded


def stopped_tasks(stage: Stage, *changes: Mapping[str, Any]) -> None:
    """Let DescribeTasks show tasks of green that have stopped, beside those that run."""
    arns = [f"arn:aws:ecs:{stage.region}:123456789012:task/main/{number:032x}" for number in range(len(changes))]
    set_id = stage.green_set.split("/shop/")[1]

    def list_tasks(parameters: Mapping[str, Any]) -> Any:
        found = stage.ecs.list_tasks(**parameters)
        return {"taskArns": found["taskArns"] + (arns if parameters["desiredStatus"] == "STOPPED" else [])}

    def describe(parameters: Mapping[str, Any]) -> Any:
        running = [arn for arn in parameters["tasks"] if arn not in arns]
        found = stage.ecs.describe_tasks(cluster=CLUSTER, tasks=running) if running else {"tasks": []}
        for arn, change in zip(arns, changes, strict=True):
            if arn in parameters["tasks"]:
                found["tasks"].append(
                    {"taskArn": arn, "lastStatus": "STOPPED", "startedBy": set_id, "containers": [], **change}
                )
        return found

    stage.instead.update({"ecs:ListTasks": list_tasks, "ecs:DescribeTasks": describe})


def exited(code: int, *, after: str = "", sidecar: int = 143) -> dict[str, Any]:
    """A task whose container exited, its sidecar stopped with it."""
    containers = [{"name": "side", "exitCode": sidecar}, {"name": "app", "exitCode": code, "reason": after}]
    reason = "Essential container in task exited"
    return {"stopCode": "EssentialContainerExited", "stoppedReason": reason, "containers": containers}


def unhealthy(text: str) -> dict[str, Any]:
    """A task that the scheduler ended."""
    return {"stopCode": "ServiceSchedulerInitiated", "stoppedReason": text}


GROUP = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop-green/73e2d6bc24d8a067"


@pytest.mark.parametrize(
    ("tasks", "loop"),
    [
        ([exited(1), exited(1)], True),
        ([exited(1), exited(1, sidecar=137)], True),
        ([exited(137, after="OutOfMemoryError: container killed"), exited(137, after="OutOfMemoryError: x")], False),
        ([exited(1), exited(2)], False),
        ([exited(1), exited(2), exited(1)], True),
        ([unhealthy(f"Task failed ELB health checks in (target-group {GROUP})")] * 2, True),
        ([unhealthy("Task failed container health checks")] * 2, True),
        ([unhealthy("Scaling activity initiated by (deployment ecs-svc/1)")] * 2, False),
        ([{"stopCode": "UserInitiated", "stoppedReason": "by hand"}] * 2, False),
        ([{"stopCode": "SpotInterruption", "stoppedReason": "Your Spot Task was interrupted."}] * 2, False),
    ],
    ids=[
        "alike",
        "sidecars differ",
        "two reasons",
        "two codes",
        "two of three",
        "target",
        "health",
        "scale-in",
        "person",
        "spot",
    ],
)
def test_two_stopped_tasks_of_one_cause_are_a_loop(
    stage: Stage, judge: Judge, tasks: list[dict[str, Any]], loop: bool
) -> None:
    event = stage.at(EVENT)
    stopped_tasks(stage, *tasks)
    stage.world.pending.add(stage.image("2"))  # others are still to take their places
    judgement = judge(hook, event, interval=60)
    assert not judgement.succeeded
    assert judgement.message.startswith("green tasks keep stopping: ") is loop
    assert (stage.clock.now < 10) is loop


def test_crashes_at_the_start_that_have_passed(stage: Stage, judge: Judge) -> None:
    """A dependency was not up yet: two of one cause, but now all run, and none has stopped for a minute."""
    event = stage.at(EVENT)
    stopped_tasks(stage, exited(1), exited(1))
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert 60 <= stage.clock.now < 70
    outcome, detail = judgement.check("crash_loop")
    assert outcome == "passed"
    assert detail.startswith("2 green task(s) stopped, such as 0000")


def test_one_task_that_stopped_is_forgiven_after_a_quiet_minute(stage: Stage, judge: Judge) -> None:
    stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=1)
    stage.world.crashing[stage.image("2")] = 1
    event = stage.at(EVENT)
    stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])  # one crashes; what replaces it runs
    stage.world.crashing.clear()
    judgement = judge(hook, event)
    assert judgement.succeeded
    outcome, detail = judgement.check("crash_loop")
    assert outcome == "passed"
    assert "container app: exit 1; " in detail
    assert detail.endswith("; none since for 60 s")
    assert 60 <= stage.clock.now <= 70


def test_the_quiet_minute_begins_with_the_last_crash(stage: Stage, judge: Judge) -> None:
    stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=1)
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = TargetState("unhealthy", "Target.Timeout")

    def crash() -> None:
        stage.world.crashing[stage.image("2")] = 1
        stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])  # one crashes; what replaces it runs
        stage.world.crashing.clear()

    stage.clock.after(40, crash)
    stage.clock.after(50, stage.world.target_health.clear)
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert judgement.check("crash_loop")[1].endswith("; none since for 60 s")
    assert stage.clock.now >= 100


def test_a_slow_crash_loop_is_one(stage: Stage, judge: Judge) -> None:
    stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=1)
    stage.world.crashing[stage.image("2")] = 1
    event = stage.at(EVENT)
    stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
    stage.world.crashing.clear()
    stage.clock.after(40, lambda: stage.world.crashing.update({stage.image("2"): 1}))
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert judgement.message.startswith("green tasks keep stopping: ")
    assert stage.clock.now < 50


def test_a_task_stopped_by_a_person_is_no_crash(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    green = stage.ecs.list_tasks(cluster=CLUSTER, startedBy=stage.green_set.split("/shop/")[1])["taskArns"]
    stage.ecs.stop_task(cluster=CLUSTER, task=green[0], reason="a look at what happens")
    assert judge(hook, event).check("crash_loop") == ("passed", "no green task has stopped by itself")


def test_an_unhealthy_target_is_named_with_the_load_balancers_reason(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    address = stage.world.started[-1].private_ip
    stage.world.target_health[address] = TargetState(
        "unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]"
    )
    judgement = judge(hook, event, interval=60)
    detail = (
        f"green target {address}:8000 is unhealthy "
        "(Target.ResponseCodeMismatch: Health checks failed with these codes: [503]); 1 of 2 healthy in shop-green "
        "(still so after 870 s)"
    )
    assert judgement.check("green_targets") == ("failed", detail)
    assert not judgement.succeeded


def test_a_target_that_is_initial_is_waited_for(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = TargetState("initial", "Elb.RegistrationInProgress")
    stage.clock.after(9, stage.world.target_health.clear)
    assert judge(hook, event).succeeded
    assert 9 < stage.clock.now < 16


def test_a_moments_luck_is_not_taken_for_a_state(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    unhealthy = {"shop-green": TargetState("unhealthy", "Target.Timeout")}
    for at in range(3, 30, 6):
        stage.clock.after(at, lambda: stage.world.target_health.update(unhealthy))
        stage.clock.after(at + 2, stage.world.target_health.clear)
    assert judge(hook, event).succeeded
    assert stage.clock.now > 29


def test_seen_well_too_late(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = TargetState("unhealthy", "Target.Timeout")
    stage.clock.after(830, stage.world.target_health.clear)
    judgement = judge(hook, event, interval=60)
    assert not judgement.succeeded
    outcome, detail = judgement.check("green_targets")
    assert outcome == "error"
    assert detail.endswith("but seen only 1 time(s) in a row after 870 s, 3 wanted")


def test_a_target_group_that_no_listener_uses_yet(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.lead(stage.production_listener, {stage.blue_group: 1})
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert judgement.check("green_targets") == (
        "skipped",
        "no listener leads to shop-green yet: the load balancer does not check its targets",
    )


def test_a_target_that_is_not_registered_is_not_unused(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = TargetState("unused", "Target.NotRegistered")
    judgement = judge(hook, event, interval=60)
    assert not judgement.succeeded
    assert "is unused (Target.NotRegistered)" in judgement.check("green_targets")[1]


def test_targets_that_drain_do_not_count(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    gone = stage.world.started[-1].private_ip
    stage.world.target_health[gone] = TargetState("draining", "Target.DeregistrationInProgress")
    judgement = judge(hook, event, interval=60)
    assert judgement.check("green_targets")[1].startswith("1 green target(s) registered in shop-green, 2 desired")


def test_container_health(stage: Stage, judge: Judge) -> None:
    stage.green_definition = stage.register(healthCheck=HEALTH_CHECK)
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    assert judgement.check("container_health") == ("passed", "2 green container(s) HEALTHY")


@pytest.mark.parametrize("health", ["UNHEALTHY", "UNKNOWN"])
def test_a_container_that_is_not_healthy(stage: Stage, judge: Judge, health: str) -> None:
    """UNKNOWN, where a health check is defined, means that it has not answered."""
    stage.green_definition = stage.register(healthCheck=HEALTH_CHECK)
    stage.world.container_health["app"] = health
    judgement = judge(hook, stage.at(EVENT), interval=60)
    outcome, detail = judgement.check("container_health")
    assert outcome == "failed"
    assert detail.startswith("green container app of task ")
    assert f" is {health}" in detail
    assert judgement.check("steady")[0] == "failed"


def test_the_expected_count(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    assert judge(hook, event, expected_count=2).succeeded
    stage.deployment.set_status("Stopped")
    judgement = judge(hook, stage.at(EVENT), expected_count=3, interval=60)
    assert not judgement.succeeded
    assert judgement.check("task_count") == (
        "failed",
        (
            "2 of 2 green tasks running, 0 pending, expected_count is 3: raise the desired count, or lower "
            "expected_count "
            "(still so after 870 s)"
        ),
    )


def test_a_green_that_is_to_run_nothing(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.ecs.update_task_set(
        cluster=CLUSTER, service=SERVICE, taskSet=stage.green_set, scale={"value": 0, "unit": "PERCENT"}
    )
    judgement = judge(hook, event, interval=60)
    assert not judgement.succeeded
    assert " is to run 0 tasks (scale 0 %): nothing to look at" in judgement.check("task_count")[1]


@pytest.mark.parametrize(("severity", "good"), [("fail", False), ("warn", True)])
def test_a_service_that_is_to_run_nothing_is_decided_at_once(
    stage: Stage, judge: Judge, severity: str, good: bool
) -> None:
    event = stage.at(EVENT)
    stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=0)
    judgement = judge(hook, event, checks={"task_count": severity})
    assert judgement.succeeded is good
    assert " is to run 0 tasks (scale 100 %): nothing to look at" in judgement.check("task_count")[1]
    assert stage.clock.now < 60


def with_container(stage: Stage, **fields: Any) -> Callable[[Mapping[str, Any]], Any]:
    """DescribeTasks' answer, these fields set in each task's container `side`."""

    def answer(parameters: Mapping[str, Any]) -> Any:
        found = stage.ecs.describe_tasks(**parameters)
        for task in found["tasks"]:
            for container in task["containers"]:
                if container["name"] == "side":
                    container.update(fields)
        return found

    return answer


@pytest.mark.parametrize(
    ("essential", "fields", "good"),
    [
        (False, {}, True),
        (False, {"lastStatus": "STOPPED", "exitCode": 0}, True),
        (False, {"lastStatus": "PENDING"}, False),
        (True, {"lastStatus": "STOPPED", "exitCode": 0}, False),
    ],
    ids=["runs", "has done its work", "has not started", "an essential one has ended"],
)
def test_a_second_container(stage: Stage, judge: Judge, essential: bool, fields: dict[str, Any], good: bool) -> None:
    stage.green_definition = stage.register(({"name": "side", "image": "side:1", "essential": essential},))
    event = stage.at(EVENT)
    stage.instead["ecs:DescribeTasks"] = with_container(stage, **fields)
    judgement = judge(hook, event, interval=60)
    outcome, detail = judgement.check("tasks_running")
    assert (outcome == "passed") is good
    assert judgement.succeeded is good
    if not good:
        assert f" is {fields['lastStatus']}" in detail
        assert detail.startswith("green: container side of task ")


def test_on_a_rollback_deployment_what_stays_is_judged(stage: Stage, judge: Judge) -> None:
    stage.at("AfterAllowTestTraffic")
    stage.world.target_health["shop-green"] = TargetState("unhealthy", "Target.Timeout")
    event = stage.rollback_at(EVENT)
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert judgement.check("green_targets") == ("passed", "2 green target(s) of shop-blue healthy")


def test_an_error_that_passes_is_borne(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["ecs:ListTasks"] = refuse("ServerException", "try again", 500)
    stage.clock.after(3, stage.instead.clear)
    assert judge(hook, event).succeeded


def test_the_names_of_checks_can_be_set(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = TargetState("unhealthy", "Target.Timeout")
    judgement = judge(hook, event, interval=60, checks={"green_targets": "warn", "steady": "skip"})
    assert judgement.succeeded
    assert " 1 warned: green target " in judgement.message


@pytest.mark.parametrize("severity", ["warn", "skip"])
def test_what_may_not_stop_it_is_not_waited_for(stage: Stage, judge: Judge, severity: str) -> None:
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = TargetState("unhealthy", "Target.Timeout")
    judgement = judge(hook, event, checks={"green_targets": severity, "steady": "skip"})
    assert judgement.succeeded
    assert stage.clock.now < 10
    assert judgement.check("steady") == ("skipped", "left out by the setting `checks`")
    assert judgement.check("green_targets")[0] == {"warn": "failed", "skip": "skipped"}[severity]
    assert bool(stage.called("elbv2:DescribeTargetHealth")) is (severity == "warn")


def test_a_crash_loop_that_is_only_a_warning_ends_nothing(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stopped_tasks(stage, exited(1), exited(1))
    stage.world.pending.add(stage.image("2"))
    stage.clock.after(20, stage.world.pending.clear)
    judgement = judge(hook, event, checks={"crash_loop": "warn"})
    assert judgement.succeeded
    assert stage.clock.now > 20
    assert " 1 warned: 2 green task(s) stopped, " in judgement.message


def test_a_name_that_no_check_has_is_said(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT), checks={"target": "warn"})
    assert judgement.succeeded
    assert judgement.check("checks")[1].startswith("the setting checks names target, which this hook does not have; it")


def test_tasks_that_run_different_images(stage: Stage, judge: Judge) -> None:
    """The tag moved between the start of one task and of the next."""
    one, two = (f"sha256:{digit * 64}" for digit in "12")
    stage.world.image_digests[stage.image("2")] = [one, two]
    judgement = judge(hook, stage.at(EVENT), interval=60)
    assert not judgement.succeeded
    outcome, detail = judgement.check("image_digest")
    assert outcome == "failed"
    assert detail.startswith(f"green tasks run different images: container app is {one} in task ")
    assert f" and {two} in task " in detail
    assert "name the image by its digest" in detail


def test_a_target_that_is_no_green_tasks(stage: Stage, judge: Judge) -> None:
    """It would get a share of the customers' requests."""
    event = stage.at(EVENT)
    stage.elbv2.register_targets(TargetGroupArn=stage.green_group, Targets=[{"Id": "10.0.1.250", "Port": 8000}])
    judgement = judge(hook, event, interval=60)
    assert not judgement.succeeded
    assert judgement.check("green_targets")[1].startswith(
        "target 10.0.1.250:8000 of shop-green is no green task's: deregister it"
    )


def test_auto_scaling_out_does_not_fool_it(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.clock.after(1, lambda: stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=4))
    judgement = judge(hook, event, expected_count=2)
    assert judgement.succeeded
    assert judgement.check("task_count") == ("passed", "4 of 4 green tasks running, 0 pending")
    assert judgement.check("green_targets") == ("passed", "4 green target(s) of shop-green healthy")


def test_auto_scaling_in_does_not_fool_it(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.clock.after(1, lambda: stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=1))
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert judgement.check("crash_loop") == ("passed", "no green task has stopped by itself")
    assert judgement.check("task_count") == ("passed", "1 of 1 green tasks running, 0 pending")


def test_a_task_that_vanishes_between_two_calls(stage: Stage, judge: Judge) -> None:
    """What ListTasks names, DescribeTasks may not know (yet): it comes back in `failures`."""
    event = stage.at(EVENT)

    def describe(parameters: Mapping[str, Any]) -> Any:
        del stage.instead["ecs:DescribeTasks"]
        found = stage.ecs.describe_tasks(**parameters)
        gone = found["tasks"].pop()
        return {**found, "failures": [{"arn": gone["taskArn"], "reason": "MISSING"}]}

    stage.instead["ecs:DescribeTasks"] = describe
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert judgement.check("tasks_running") == ("passed", "2 green tasks and their containers are RUNNING")


def test_a_count_that_wobbles_once(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)

    def wobble(parameters: Mapping[str, Any]) -> Any:
        del stage.instead["ecs:DescribeServices"]
        found = stage.ecs.describe_services(**parameters)
        for task_set in found["services"][0]["taskSets"]:
            task_set.update(runningCount=1, pendingCount=1)
        return found

    stage.clock.after(1, lambda: stage.instead.update({"ecs:DescribeServices": wobble}))
    assert judge(hook, event).succeeded
    assert looks(stage) == 5


def budget(stage: Stage) -> tuple[int, list[float]]:
    """The most AWS calls in any 60 seconds, and the pauses between looks in seconds."""
    times = [call.at for call in stage.calls]
    busiest = max(sum(start <= at < start + 60 for at in times) for start in times)
    seen = [call.at for call in stage.calls if call.name == "ecs:DescribeServices"]
    return busiest, [later - earlier for earlier, later in zip(seen, seen[1:])]  # noqa: B905, RUF007  # 3.9 has neither


@pytest.mark.parametrize("state", ["pending", "unhealthy", "crashing one by one", "many tasks"])
def test_it_polls_politely(stage: Stage, judge: Judge, state: str) -> None:
    """At most 90 calls a minute, from one to three seconds between looks, whatever is waited for."""
    if state == "many tasks":
        stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=40)
    if state == "pending":
        stage.world.pending.add(stage.image("2"))
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = TargetState("initial", "Elb.InitialHealthChecking")
    if state == "crashing one by one":
        stopped_tasks(stage, exited(1), exited(2), exited(3))
    stage.clock.after(130, stage.world.target_health.clear)
    stage.clock.after(130, stage.world.pending.clear)
    assert judge(hook, event).succeeded
    busiest, pauses = budget(stage)
    assert busiest <= 90
    assert len(pauses) > 40
    assert min(pauses) >= 1
    assert max(pauses) <= 3


def test_a_state_that_has_become_true_is_soon_seen(stage: Stage, judge: Judge, clock: Clock) -> None:
    """Within 1.5 s at the median and 3 s at worst, over many moments at which it may come true."""
    delays = []
    for number in range(30):
        event = stage.at(EVENT)
        stage.world.target_health["shop-green"] = TargetState("unhealthy", "Target.Timeout")
        true_at = clock.now + 8 + number / 7
        clock.after(8 + number / 7, stage.world.target_health.clear)
        assert judge(hook, event, consecutive_successes=1).succeeded
        delays.append(clock.now - true_at)
        stage.deployment.set_status("Stopped")
        stage.ecs.delete_task_set(cluster=CLUSTER, service=SERVICE, taskSet=stage.green_set, force=True)
    assert statistics.median(delays) <= 1.5
    assert max(delays) <= 3


def test_blue_tasks_are_not_asked_about_again(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = TargetState("initial", "Elb.InitialHealthChecking")
    stage.clock.after(60, stage.world.target_health.clear)
    assert judge(hook, event).succeeded
    assert len(stage.called("ecs:ListTasks")) == 2  # once, running and stopped ones
    asked = [arn for parameters in stage.called("ecs:DescribeTasks")[1:] for arn in parameters["tasks"]]
    assert set(asked) == {task["taskArn"] for task in described(stage)}


def test_a_target_in_a_zone_that_the_load_balancer_does_not_serve(stage: Stage, judge: Judge) -> None:
    """It is unused too, but a listener leads to its group: it would never get a request."""
    event = stage.at(EVENT)
    why = "Target is in an Availability Zone that is not enabled for the load balancer"
    stage.world.target_health["shop-green"] = TargetState("unused", "Target.NotInUse", why)
    judgement = judge(hook, event, interval=60)
    assert not judgement.succeeded
    assert f"is unused (Target.NotInUse: {why}); 0 of 2 healthy" in judgement.check("green_targets")[1]


def changed_tasks(stage: Stage, change: Callable[[dict[str, Any], int], None]) -> None:
    """Let DescribeTasks show green's tasks otherwise."""

    def describe(parameters: Mapping[str, Any]) -> Any:
        found = stage.ecs.describe_tasks(**parameters)
        for number, task in enumerate(found["tasks"]):
            change(task, number)
        return found

    stage.instead["ecs:DescribeTasks"] = describe


def test_a_container_that_nobody_declared_is_not_judged(stage: Stage, judge: Judge) -> None:
    """A GuardDuty agent that could not start is no reason to refuse a release."""
    event = stage.at(EVENT)
    agent = {"name": "aws-guardduty-agent-x", "lastStatus": "STOPPED", "exitCode": 1, "reason": "CannotPull"}
    changed_tasks(stage, lambda task, at: task["containers"].append({**agent, "imageDigest": f"sha256:{at}"}))
    judgement = judge(hook, event)
    assert judgement.succeeded


def test_a_declared_container_that_is_not_in_a_task(stage: Stage, judge: Judge) -> None:
    side = {"name": "side", "image": "side:1", "essential": False, "healthCheck": HEALTH_CHECK}
    stage.green_definition = stage.register((side,))
    event = stage.at(EVENT)

    def without(task: dict[str, Any], at: int) -> None:
        task["containers"] = [each for each in task["containers"] if at or each["name"] != "side"]

    changed_tasks(stage, without)
    judgement = judge(hook, event, interval=60)
    assert not judgement.succeeded
    assert " is not there" in judgement.check("tasks_running")[1]


@pytest.mark.parametrize("of_version_6", [True, False])
def test_the_addresses_of_targets(stage: Stage, judge: Judge, of_version_6: bool) -> None:
    """Of version 6 where the target group is; none of its own where a task shares its instance's."""
    event = stage.at(EVENT)
    found = stage.elbv2.describe_target_health(TargetGroupArn=stage.green_group)
    for at, each in enumerate(found["TargetHealthDescriptions"]):
        each["Target"]["Id"] = f"2001:db8::{at}" if of_version_6 else f"i-{at}"
    stage.instead["elbv2:DescribeTargetHealth"] = lambda _: found
    addresses = iter([f"2001:db8::{at}" for at in range(2)] * 10)

    def change(task: dict[str, Any], _at: int) -> None:
        for container in task["containers"]:
            container["networkInterfaces"] = [{"ipv6Address": next(addresses)}] if of_version_6 else []

    changed_tasks(stage, change)
    assert judge(hook, event).succeeded


def test_what_may_not_be_looked_at_hides_nothing_else(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["elbv2:DescribeTargetHealth"] = refuse("AccessDenied", status=403)
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert judgement.check("green_targets")[0] == "error"
    assert judgement.message.startswith("elasticloadbalancing:DescribeTargetHealth was denied: allow it in this hook's")
    assert judgement.check("tasks_running")[0] == "passed"
    assert stage.clock.now == 0  # no later look would come out better


def test_what_may_not_be_looked_at_and_may_not_stop_it(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["elbv2:DescribeTargetHealth"] = refuse("AccessDenied", status=403)
    judgement = judge(hook, event, checks={"green_targets": "warn"})
    assert judgement.succeeded
    assert "1 warned: elasticloadbalancing:DescribeTargetHealth was denied" in judgement.message


@pytest.mark.parametrize("severity", ["warn", "skip"])
@pytest.mark.parametrize("operation", ["ecs:DescribeServices", "ecs:ListTasks"])
def test_what_no_check_could_look_at_is_no_pass(stage: Stage, judge: Judge, operation: str, severity: str) -> None:
    event = stage.at(EVENT)
    stage.instead[operation] = refuse("AccessDeniedException")
    judgement = judge(hook, event, checks={"green": severity})
    assert not judgement.succeeded
    assert judgement.check("green_targets")[0] == "error"
    assert stage.clock.now == 0


@pytest.mark.parametrize("operation", ["ecs:DescribeServices", "elbv2:DescribeTargetHealth"])
def test_a_minute_of_throttling_is_borne(stage: Stage, judge: Judge, operation: str) -> None:
    event = stage.at(EVENT)
    stage.instead[operation] = refuse("ThrottlingException", "Rate exceeded")
    stage.clock.after(50, stage.instead.clear)
    assert judge(hook, event).succeeded


def test_more_than_a_minute_of_throttling_is_not(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["elbv2:DescribeTargetHealth"] = refuse("ThrottlingException", "Rate exceeded")
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert 60 < stage.clock.now < 70
    assert judgement.check("green_targets")[0] == "error"
    assert judgement.check("tasks_running")[0] == "passed"


def test_a_log_that_cannot_be_found_hides_no_crash_loop(stage: Stage, judge: Judge) -> None:
    stage.world.crashing[stage.image("2")] = 3
    event = stage.at(EVENT)
    stage.instead["ecs:DescribeTaskDefinition"] = refuse("ThrottlingException", "Rate exceeded")
    judgement = judge(hook, event)
    assert judgement.message.startswith("green tasks keep stopping: ")
    assert "exit 3; its log: ecs:DescribeTaskDefinition failed on every attempt" in judgement.message


def test_a_look_in_the_middle_of_which_time_is_over(stage: Stage, judge: Judge) -> None:
    """What the look before has found is said."""
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = TargetState("unhealthy", "Target.Timeout")

    def never(_parameters: Mapping[str, Any]) -> Any:
        raise OutOfTime

    stage.clock.after(30, lambda: stage.instead.update({"ecs:DescribeServices": never}))
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert "is unhealthy (Target.Timeout)" in judgement.message
    assert "had not ended after" in judgement["checks"][-1]["detail"]


def test_two_of_many_tasks_are_a_loop_too(stage: Stage, judge: Judge) -> None:
    """CodeDeploy has seen green steady before: two that stop alike now, and a place left empty, are no bad luck."""
    stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=50)
    stage.world.pending.add(stage.image("2"))
    event = stage.at(EVENT)
    stopped_tasks(stage, exited(1), exited(1))
    judgement = judge(hook, event)
    assert judgement.message.startswith("green tasks keep stopping: 2 of task set ")
    assert stage.clock.now < 10


def test_a_list_of_many_pages_is_not_asked_for_at_each_look(stage: Stage, judge: Judge) -> None:
    """Counts that do not agree for long would cost the whole budget on lists."""
    event = stage.at(EVENT)
    stage.world.pending.add(stage.image("2"))

    def pages(parameters: Mapping[str, Any]) -> Any:
        token = int(parameters.get("nextToken", 0))
        return {"taskArns": [], **({"nextToken": str(token + 1)} if token < 3 else {})}

    stage.instead["ecs:ListTasks"] = pages  # none is ever known, so that the counts never agree
    stage.clock.after(120, stage.instead.clear)
    stage.clock.after(120, stage.world.pending.clear)
    assert judge(hook, event).succeeded
    lists = [call.at for call in stage.calls if call.name == "ecs:ListTasks" and "nextToken" not in call.parameters]
    starts = sorted(set(lists))
    assert min(later - earlier for earlier, later in itertools.pairwise(starts[:8])) >= 12  # 8 pages at 1.5 s each
    busiest, _ = budget(stage)
    assert busiest <= 90


def test_a_target_that_drains_because_it_is_unhealthy_is_on_its_way(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    found = stage.elbv2.describe_target_health(TargetGroupArn=stage.green_group)
    gone = {"Target": {"Id": "10.0.1.250", "Port": 8000}, "TargetHealth": {"State": "unhealthy.draining"}}
    found["TargetHealthDescriptions"].append(gone)
    stage.instead["elbv2:DescribeTargetHealth"] = lambda _: found
    assert judge(hook, event).succeeded


def test_on_a_way_back_old_events_are_old(stage: Stage, judge: Judge) -> None:
    stage.at("AfterInstall")
    event = stage.rollback_at(EVENT)
    answer = stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
    blue = next(each for each in answer["services"][0]["taskSets"] if each["status"] == "PRIMARY")
    said = (
        f"(service shop, taskSet {blue['id']}) failed to launch a task with (error ECS was unable to assume the role)."
    )
    answer["services"][0]["events"].insert(0, {"id": "x", "message": said})
    blue.update(runningCount=1, pendingCount=1)
    stage.instead["ecs:DescribeServices"] = lambda _: answer
    stage.clock.after(10, stage.instead.clear)
    assert judge(hook, event).succeeded


def test_leaving_out_the_wait_for_green_leaves_out_nothing_else(stage: Stage, judge: Judge) -> None:
    event = stage.at("BeforeInstall")
    judgement = judge(hook, event, checks={"green": "skip"})
    assert not judgement.succeeded
    assert judgement.check("steady")[0] == "error"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("cannot connect to postgres://app:hunter2@db/shop", "cannot connect to postgres://app:***@db/shop"),
        ("DB_PASSWORD=hunter2, giving up", "DB_PASSWORD=***, giving up"),
        ('{"api_key": "hunter2", "port": 1}', '{"api_key": "***", "port": 1}'),
        ("the token ring is down", "the token ring is down"),
    ],
)
def test_what_looks_like_a_password_is_masked(stage: Stage, judge: Judge, line: str, shown: str) -> None:
    stage.world.crashing[stage.image("2")] = 3
    stage.world.crash_lines[stage.image("2")] = (line,)
    judgement = judge(hook, stage.at(EVENT))
    assert f"last log lines: {shown}" in judgement.message
    assert "hunter2" not in str(judgement)


def test_many_tasks_are_described_in_turn(stage: Stage, judge: Judge) -> None:
    stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=120)
    event = stage.at(EVENT)
    judgement = judge(hook, event, consecutive_successes=4)
    assert judgement.succeeded
    assert judgement.check("green_targets") == ("passed", "120 green target(s) of shop-green healthy")
    sizes = [len(parameters["tasks"]) for parameters in stage.called("ecs:DescribeTasks")]
    assert sizes == [100, 100, 40, 100, 20, 100]  # blue's and green's at first, then green's a hundred a look
