"""AfterInstall looks several times: what it looks at, how often, and for how long it waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import validate_deployment as hook
from gate.waiting import OutOfTime

from rehearsal.aws.world import TargetState
from rehearsal.testing.stage import CLUSTER, SERVICE, Judge, Stage
from tests.unit.handlers.validate_deployment.helpers import EVENT, described, set_id

UNHEALTHY = TargetState("unhealthy", "Target.Timeout")


def look_times(stage: Stage) -> list[float]:
    """When green was looked at, in seconds."""
    return [call.at for call in stage.calls if call.name == "ecs:DescribeServices"]


@pytest.mark.smoke
def test_a_healthy_green_passes_after_three_looks(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    assert judgement.message == "9 checks passed, 1 skipped"
    digest = described(stage)[0]["containers"][0]["imageDigest"]
    assert [judgement.check(name) for name in list(judgement.outcomes())[1:]] == [
        ("passed", f"task set {set_id(stage)} is ACTIVE at scale 100 %"),
        ("passed", "green runs on FARGATE"),
        ("passed", "nothing keeps green tasks from starting"),
        ("passed", "no green task has stopped by itself"),
        ("passed", "2 of 2 green tasks running, 0 pending"),
        ("passed", "2 green tasks and their containers are RUNNING"),
        ("skipped", "the task definition has no health check of an essential container"),
        ("passed", f"green tasks run app {digest}"),
        ("passed", "2 green target(s) of shop-green healthy"),
        ("passed", f"green task set {set_id(stage)} is in STEADY_STATE"),
    ]
    assert look_times(stage) == [0, 3, 6]


def test_as_many_looks_as_the_user_wants(stage: Stage, judge: Judge) -> None:
    assert judge(hook, stage.at(EVENT), consecutive_successes=5, interval=10).succeeded
    assert look_times(stage) == [0, 10, 20, 30, 40]


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


@pytest.mark.smoke
def test_blue_is_never_judged(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.world.crashing[stage.image("1")] = 1
    stage.world.target_health["shop-blue"] = UNHEALTHY
    assert judge(hook, event).succeeded


def test_on_a_rollback_deployment_what_stays_is_judged(stage: Stage, judge: Judge) -> None:
    stage.at("AfterAllowTestTraffic")
    stage.world.target_health["shop-green"] = UNHEALTHY
    judgement = judge(hook, stage.rollback_at(EVENT))
    assert judgement.succeeded
    assert judgement.check("green_targets") == ("passed", "2 green target(s) of shop-blue healthy")


# Waiting


def test_green_may_show_a_little_later(stage: Stage, judge: Judge) -> None:
    event = stage.at("BeforeInstall")
    stage.clock.after(30, lambda: stage.create_task_set(event["DeploymentId"]))
    assert judge(hook, event).succeeded
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
    said = "0 of 2 green tasks running, 2 pending (still so after 870 s)"
    assert judgement.check("task_count") == ("failed", said)
    assert judgement.message.startswith(f"{said}; green: task ")


def test_a_target_that_is_initial_is_waited_for(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = TargetState("initial", "Elb.RegistrationInProgress")
    stage.clock.after(10, stage.world.target_health.clear)
    assert judge(hook, event).succeeded
    assert stage.clock.now == 12 + 2 * 3


def test_a_moments_luck_is_not_taken_for_a_state(stage: Stage, judge: Judge) -> None:
    """Two good looks, and a bad one, again and again."""
    event = stage.at(EVENT)
    for at in range(5, 40, 9):
        stage.clock.after(at, lambda: stage.world.target_health.update({"shop-green": UNHEALTHY}))
        stage.clock.after(at + 2, stage.world.target_health.clear)
    assert judge(hook, event).succeeded
    assert stage.clock.now > 40


def test_seen_well_too_late(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = UNHEALTHY
    stage.clock.after(830, stage.world.target_health.clear)
    judgement = judge(hook, event, interval=60, checks={"launch_type": "skip"})
    assert not judgement.succeeded
    outcome, detail = judgement.check("green_targets")
    assert outcome == "error"
    assert detail.endswith("but seen only 1 time(s) in a row after 870 s, 3 wanted")
    assert judgement.check("launch_type") == ("skipped", "left out by the option `checks`")


def test_without_time_for_a_second_look_it_is_no_pass(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)

    def slowly(parameters: Mapping[str, Any]) -> Any:
        stage.clock.sleep(1000)
        return stage.codedeploy.get_deployment_group(**parameters)

    stage.instead["codedeploy:GetDeploymentGroup"] = slowly
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert "but seen only 1 time(s) in a row after 0 s, 3 wanted" in judgement.message
    assert len(look_times(stage)) == 1


def test_a_look_in_the_middle_of_which_time_is_over(stage: Stage, judge: Judge) -> None:
    """What the look before has found is said."""
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = UNHEALTHY

    def never(_parameters: Mapping[str, Any]) -> Any:
        raise OutOfTime

    stage.clock.after(30, lambda: stage.instead.update({"ecs:DescribeServices": never}))
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert "is unhealthy (Target.Timeout)" in judgement.message
    assert "had not ended after" in judgement["checks"][-1]["detail"]


# What ECS lists and describes from look to look


def test_tasks_of_other_sets_are_described_once(stage: Stage, judge: Judge) -> None:
    judge(hook, stage.at(EVENT))
    first, *later = stage.called("ecs:DescribeTasks")
    green = {task["taskArn"] for task in described(stage)}
    assert set(first["tasks"]) > green
    assert [set(parameters["tasks"]) for parameters in later] == [green, green]


def test_hundreds_of_tasks_are_described_a_hundred_at_a_time(stage: Stage, judge: Judge) -> None:
    stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=120)
    judgement = judge(hook, stage.at(EVENT), consecutive_successes=2)
    assert judgement.succeeded
    assert judgement.check("green_targets") == ("passed", "120 green target(s) of shop-green healthy")
    sizes = [len(parameters["tasks"]) for parameters in stage.called("ecs:DescribeTasks")]
    assert sizes == [100, 100, 40, 100, 20]  # blue's and green's at first, then green's


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
    assert stage.clock.now == 9


def test_tasks_that_ecs_lists_late_are_waited_for(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["ecs:ListTasks"] = lambda _: {"taskArns": []}
    stage.clock.after(20, stage.instead.clear)
    assert judge(hook, event).succeeded
    assert stage.clock.now == 21 + 2 * 3


def test_a_list_that_lacks_what_it_named_before_makes_no_task_vanish(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.clock.after(1, lambda: stage.instead.update({"ecs:ListTasks": lambda _: {"taskArns": []}}))
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert judgement.check("tasks_running") == ("passed", "2 green tasks and their containers are RUNNING")
    assert stage.clock.now == 6


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
    assert len(look_times(stage)) == 5


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


def test_a_green_that_ecs_will_not_run_any_more_is_decided_at_once(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=0)
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert " is to run 0 tasks (scale 100 %): nothing to look at" in judgement.message
    assert stage.clock.now == 0


def test_a_target_group_that_no_listener_uses_yet(stage: Stage, judge: Judge) -> None:
    """Its targets are `unused` until test traffic is allowed: no failure, and no warning."""
    event = stage.at(EVENT)
    stage.lead(stage.production_listener, {stage.blue_group: 1})
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert "warned" not in judgement.message
    said = "no listener forwards to shop-green yet: the load balancer does not check its targets"
    assert judgement.check("green_targets") == ("skipped", said)
