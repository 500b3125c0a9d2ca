"""AfterInstall: green runs as it should, over several looks, and blue is none of this hook's business."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import validate_deployment as hook

from rehearsal.aws.world import PlacementFailure, TargetState
from tests.unit.handlers.stage import CLUSTER, SERVICE, Judge, Stage, refuse

EVENT = "AfterInstall"
HEALTH_CHECK = {"command": ["CMD-SHELL", "curl -f http://localhost:8000/health"]}


def looks(stage: Stage) -> int:
    """How often green was looked at."""
    return len(stage.called("ecs:DescribeServices"))


def test_a_healthy_green_passes_after_three_looks(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    assert judgement.message == "5 checks passed, 1 skipped"
    green = stage.green_set.split("/shop/")[1]
    assert [judgement.check(name) for name in list(judgement.outcomes())[1:]] == [
        ("passed", "no green task has stopped by itself"),
        ("passed", "2 of 2 green tasks running, 0 pending"),
        ("passed", "2 green tasks and their containers are RUNNING"),
        ("skipped", "the task definition has no container health check"),
        ("passed", "2 green target(s) of shop-green healthy"),
        ("passed", f"green task set {green} is in STEADY_STATE"),
    ]
    assert looks(stage) == 3
    assert stage.clock.now == 4


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
    stage.clock.after(3, lambda: stage.create_task_set(event["DeploymentId"]))
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert stage.clock.now == 8  # looks at 0 and 2 in vain, at 4, 6 and 8 with success


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
    assert looks(stage) == 4


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
    assert judgement.message.startswith("0 of 2 green tasks running, 2 pending (still so after 870 s) (and ")


def test_a_task_that_cannot_be_placed(stage: Stage, judge: Judge) -> None:
    stage.world.placement_failures = [PlacementFailure("RESOURCE:ENI") for _ in range(1000)]
    judgement = judge(hook, stage.at(EVENT), interval=60)
    assert judgement.check("task_count") == ("failed", "0 of 2 green tasks running, 0 pending (still so after 870 s)")
    assert judgement.check("tasks_running") == ("failed", "0 green tasks found, 2 desired (still so after 870 s)")
    assert judgement.check("green_targets") == (
        "failed",
        "0 green target(s) registered in shop-green, 2 desired (still so after 870 s)",
    )


def test_a_crash_loop_ends_it_at_once(stage: Stage, judge: Judge) -> None:
    stage.world.crashing[stage.image("2")] = 3
    judgement = judge(hook, stage.at(EVENT))
    assert not judgement.succeeded
    outcome, detail = judgement.check("crash_loop")
    assert outcome == "failed"
    assert "like this: EssentialContainerExited; Essential container in task exited; container app: exit 3" in detail
    assert detail.startswith("green tasks keep stopping: ")
    assert judgement.message.startswith(detail)
    assert stage.clock.now <= 4


def test_an_image_that_cannot_be_pulled(stage: Stage, judge: Judge) -> None:
    reason = "CannotPullContainerError: pull image manifest has been retried 1 time(s): shop:2: not found"
    stage.world.unstartable[stage.image("2")] = reason
    judgement = judge(hook, stage.at(EVENT))
    assert f"TaskFailedToStart; {reason}; container app: never started ({reason})" in judgement.message
    assert stage.clock.now <= 4


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
    assert "container app: exit 1; none since for 60 s" in detail
    assert 60 <= stage.clock.now <= 66


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
        "(Target.ResponseCodeMismatch: Health checks failed with these codes: [503]) (still so after 870 s)"
    )
    assert judgement.check("green_targets") == ("failed", detail)
    assert not judgement.succeeded


def test_a_target_that_is_initial_is_waited_for(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = TargetState("initial", "Elb.RegistrationInProgress")
    stage.clock.after(9, stage.world.target_health.clear)
    assert judge(hook, event).succeeded
    assert stage.clock.now == 14


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
        "2 of 2 green tasks running, 0 pending, expected_count is 3 (still so after 870 s)",
    )


def test_a_green_that_is_to_run_nothing(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.ecs.update_task_set(
        cluster=CLUSTER, service=SERVICE, taskSet=stage.green_set, scale={"value": 0, "unit": "PERCENT"}
    )
    judgement = judge(hook, event, interval=60)
    assert not judgement.succeeded
    assert " is to run 0 tasks (scale 0 %): nothing to look at" in judgement.check("task_count")[1]


def with_container(stage: Stage, **fields: Any) -> Callable[[Mapping[str, Any]], Any]:
    """DescribeTasks' answer, these fields set in each task's container `side`."""

    def answer(parameters: Mapping[str, Any]) -> Any:
        describe = stage.instead.pop("ecs:DescribeTasks")
        found = stage.ecs.describe_tasks(**parameters)
        stage.instead["ecs:DescribeTasks"] = describe
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
        (False, {"lastStatus": "STOPPED", "exitCode": 1}, False),
        (False, {"lastStatus": "PENDING"}, False),
        (True, {"lastStatus": "STOPPED", "exitCode": 0}, False),
    ],
    ids=["runs", "has done its work", "has failed", "has not started", "an essential one has ended"],
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
