"""BeforeInstall: a blue that serves nobody is let through, loudly and at once: this deployment may be the mending."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import validate_before_install as hook

from rehearsal.aws.world import TargetState
from tests.unit.handlers.stage import CLUSTER, SERVICE, Judge, Stage, refuse

EVENT = "BeforeInstall"
BLUE = ("blue_targets", "running_count", "service_steady")


def ill(stage: Stage) -> None:
    """All of blue's targets are unhealthy."""
    stage.world.target_health["shop-blue"] = TargetState("unhealthy", "Target.Timeout", "Request timed out")


def one_ill(stage: Stage) -> str:
    """One of blue's two targets is unhealthy; its address."""
    address = stage.world.started[0].private_ip
    stage.world.target_health[address] = TargetState("unhealthy", "Target.Timeout")
    return f"{address}:8000"


def never_ran(stage: Stage) -> None:
    """The placeholder of a first release: its image is nowhere, so no task of it has come to run."""
    stage.world.pending.add(stage.image("1"))


def crashing(stage: Stage) -> None:
    """Blue ends again and again: between two tries none of its tasks runs, and none is a target."""
    answer = stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
    for task_set in answer["services"][0]["taskSets"]:
        task_set.update(runningCount=0, pendingCount=0, stabilityStatus="STABILIZING")
    stage.instead["ecs:DescribeServices"] = lambda _: answer
    stage.instead["elbv2:DescribeTargetHealth"] = lambda _: {"TargetHealthDescriptions": []}


@pytest.mark.parametrize("broken", [ill, never_ran, crashing])
def test_it_is_let_through_at_once(stage: Stage, judge: Judge, broken: Callable[[Stage], None]) -> None:
    event = stage.at(EVENT)
    broken(stage)
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert stage.clock.now == 0
    assert "warned: BLUE SERVES NOBODY: no target of shop-blue is healthy (" in judgement.message
    assert "let through to mend it, and a rollback would go back to this" in judgement.message
    bad = {each["name"]: each["severity"] for each in judgement["checks"] if each["outcome"] == "failed"}
    assert set(bad.values()) == {"warn"}
    assert {"blue_targets", "service_steady"} <= set(bad) <= set(BLUE)


def test_tasks_that_run_and_no_target_do_not_fit_together(stage: Stage, judge: Judge) -> None:
    """An answer that names no target says nothing of blue, of which ECS says that it runs."""
    event = stage.at(EVENT)
    stage.instead["elbv2:DescribeTargetHealth"] = lambda _: {"TargetHealthDescriptions": []}
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert judgement.check("blue_targets")[0] == "error"
    assert "names no target of shop-blue, and ECS 2 running task(s) of blue" in judgement.message
    assert "[warn blue_targets, running_count, service_steady]" in judgement.message


def test_nothing_registered_is_said(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    crashing(stage)
    assert "(none is registered)" in judge(hook, event).check("blue_targets")[1]


def test_what_else_is_wrong_still_stops_it(stage: Stage, judge: Judge) -> None:
    """And is what the message is about."""
    stage.green_definition = stage.register(image=stage.image("404"))
    event = stage.at(EVENT)
    ill(stage)
    judgement = judge(hook, event)
    assert judgement.message.startswith(f"image {stage.image('404')} is not in ECR")


def test_targets_that_start_are_waited_for(stage: Stage, judge: Judge) -> None:
    """A service that was made a moment ago is no broken one."""
    event = stage.at(EVENT)
    stage.world.target_health["shop-blue"] = TargetState("initial", "Elb.InitialHealthChecking")
    stage.clock.after(30, stage.world.target_health.clear)
    judgement = judge(hook, event)
    assert "warned" not in judgement.message
    assert {judgement.check(name)[0] for name in BLUE} == {"passed"}
    assert 30 <= stage.clock.now < 40


def test_targets_that_start_for_long_stop_nothing(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.world.target_health["shop-blue"] = TargetState("initial", "Elb.InitialHealthChecking")
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert "BLUE SERVES NOBODY" in judgement.message
    assert stage.clock.now == pytest.approx(60)


def test_where_some_serve_it_has_a_minute_to_settle(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    one_ill(stage)
    stage.clock.after(30, stage.world.target_health.clear)
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert "warned" not in judgement.message
    assert 30 <= stage.clock.now < 40


def one_starts(stage: Stage) -> None:
    """One of blue's targets is new: Auto Scaling asked for it."""
    stage.world.target_health[stage.world.started[0].private_ip] = TargetState("initial", "Elb.InitialHealthChecking")


def test_a_service_that_scales_out_is_waited_for_while_its_new_targets_start(stage: Stage, judge: Judge) -> None:
    """With AWS's own health check, of five times 30 s, a new target takes two and a half minutes."""
    event = stage.at(EVENT)
    one_starts(stage)
    stage.clock.after(160, stage.world.target_health.clear)
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert "warned" not in judgement.message
    assert 160 <= stage.clock.now < 170


def test_targets_that_start_for_ever_are_not_waited_for_so_long(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    one_starts(stage)
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert "is initial (Elb.InitialHealthChecking); mend it first" in judgement.message
    assert "(still so after 240 s)" in judgement.message
    assert stage.clock.now == pytest.approx(240)


def test_where_some_serve_the_cause_comes_first_with_the_way_out(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    address = one_ill(stage)
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert judgement.message.startswith(
        f"1 of 2 targets of shop-blue, which serves now, are healthy: {address} is unhealthy (Target.Timeout); mend it "
        "first; or put [warn blue_targets, running_count, service_steady] into the description of the CodeDeploy "
        "deployment, to deploy all the same (still so after 60 s)"
    )
    assert stage.clock.now == pytest.approx(60)
    outcome, detail = judgement.check("service_steady")
    assert outcome == "failed"
    assert detail.startswith("primary task set ecs-svc/")
    assert "[warn" not in detail  # once is enough


def test_a_target_that_ecs_is_content_with_is_only_said(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    address = one_ill(stage)
    answer = stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
    for task_set in answer["services"][0]["taskSets"]:
        task_set["stabilityStatus"] = "STEADY_STATE"
    stage.instead["ecs:DescribeServices"] = lambda _: answer
    judgement = judge(hook, event)
    said = f"1 healthy target(s) behind shop-blue; {address} is unhealthy (Target.Timeout)"
    assert judgement.check("blue_targets") == ("passed", said)
    assert stage.clock.now == 0


@pytest.mark.parametrize("softened", [True, False])
def test_what_may_not_stop_it_is_not_waited_for(stage: Stage, judge: Judge, softened: bool) -> None:
    event = stage.at(EVENT)
    one_ill(stage)
    judgement = judge(hook, event, checks=dict.fromkeys(BLUE, "warn") if softened else {})
    assert judgement.succeeded is softened
    assert stage.clock.now == (0 if softened else pytest.approx(60))


def test_targets_that_cannot_be_looked_at_are_no_broken_blue(stage: Stage, judge: Judge) -> None:
    """What ECS says stays, and nobody waits for a permission."""
    event = stage.at(EVENT)
    ill(stage)
    stage.instead["elbv2:DescribeTargetHealth"] = refuse("AccessDenied", "not allowed", 403)
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert judgement.check("blue_targets")[0] == "error"
    assert judgement.check("running_count")[0] == "passed"
    assert judgement.check("service_steady")[0] == "failed"
    assert stage.clock.now == 0


def test_a_draining_target_serves_nobody(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.world.target_health["shop-blue"] = TargetState("draining", "Target.DeregistrationInProgress")
    judgement = judge(hook, event)
    assert "BLUE SERVES NOBODY" in judgement.message
    assert stage.clock.now == 0


def test_on_the_way_back_nothing_is_waited_for(stage: Stage, judge: Judge) -> None:
    stage.at(EVENT, json.dumps(stage.appspec()))
    event = stage.rollback_at(EVENT)
    one_ill(stage)
    assert judge(hook, event).succeeded
    assert stage.clock.now == 0
