"""BeforeInstall: the service as it is. A blue that serves nobody is let through, loudly: this may be the fix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import validate_before_install as hook

from rehearsal.aws.world import TargetState
from rehearsal.testing.stage import CLUSTER, SERVICE, Judge, Stage, refuse
from tests.unit.handlers.validate_before_install.breaks import unhealthy_blue
from tests.unit.handlers.validate_before_install.helpers import (
    EVENT,
    Event,
    State,
    after,
    answered,
    assert_state,
    before,
    deployed,
    service_shown,
)

BLUE = ("blue_targets", "running_count", "service_steady")


def watching(stage: Stage, monkeypatch: pytest.MonkeyPatch, cluster: str = CLUSTER, service: str = SERVICE) -> Event:
    """Let the deployment group and the hook both watch another service."""
    stage.update_group(ecsServices=[{"clusterName": cluster, "serviceName": service}])
    monkeypatch.setenv("ECS_CLUSTER", cluster)
    monkeypatch.setenv("ECS_SERVICE", service)
    return stage.at(EVENT)


def draining(stage: Stage) -> None:
    """The set of the deployment before is on its way out."""
    old = stage.create_task_set("d-OTHER1234")
    stage.ecs.delete_task_set(cluster=CLUSTER, service=SERVICE, taskSet=old, force=True)
    listed = stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"][0]["taskSets"]
    assert [task_set["status"] for task_set in listed] == ["PRIMARY", "DRAINING"]


def counted_with_a_draining_set(stage: Stage) -> None:
    """Soon after a deployment the old set's tasks still run, and the service counts them."""
    service_shown(stage)["services"][0].update(runningCount=4, pendingCount=0)


def its_own_set(stage: Stage) -> Event:
    """ECS shows green already."""
    event = stage.at(EVENT)
    stage.create_task_set(event["DeploymentId"])
    return event


def without(member: str) -> Callable[[Stage, Any], Any]:
    """DescribeServices' answer without one member of its task sets."""

    def answer(stage: Stage, parameters: Any) -> Any:
        found = stage.ecs.describe_services(**parameters)
        for task_set in found["services"][0]["taskSets"]:
            del task_set[member]
        return found

    return answer


STATES = {
    "deleted": State(
        after(lambda stage: stage.ecs.delete_service(cluster=CLUSTER, service=SERVICE, force=True)),
        "service",
        "failed",
        "service shop is INACTIVE, expected ACTIVE: create it again",
        alone=False,
    ),
    "another controller": State(
        before(lambda stage: stage.create_service_anew(deploymentController={"type": "ECS"})),
        "service",
        "failed",
        "service shop has deployment controller ECS, expected CODE_DEPLOY (set when a service is created)",
        alone=False,
    ),
    "as it should be": State(deployed, "service", "passed", "service shop is to run 2 task(s)"),
    "a set that drains is not counted with blue": State(
        after(counted_with_a_draining_set), "running_count", "passed", "2 of 2 tasks running, 0 pending"
    ),
    "tasks that ECS does not count": State(
        answered("ecs:DescribeServices", without("pendingCount")),
        "running_count",
        "error",
        "ECS does not say how many tasks of task set ecs-svc/…",
        alone=False,
    ),
    "a task set of another deployment": State(
        before(lambda stage: stage.create_task_set("d-OTHER1234")),
        "stale_task_sets",
        "failed",
        "a task set of another deployment is left over: ecs-svc/…",
    ),
    "a task set that drains": State(
        before(draining), "stale_task_sets", "passed", "no task set of another deployment is in use"
    ),
    "a task set of this deployment": State(
        its_own_set, "stale_task_sets", "passed", "no task set of another deployment is in use"
    ),
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_states_of_the_service(stage: Stage, judge: Judge, state: State) -> None:
    assert_state(stage, judge, state)


@pytest.mark.smoke
def test_whose_task_set_is_left_over_is_said(stage: Stage, judge: Judge) -> None:
    left_over = stage.create_task_set("d-OTHER1234").split("/shop/")[1]
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.message == (
        f"a task set of another deployment is left over: {left_over} of deployment d-OTHER1234 (scale 100 %); stop "
        "that deployment or delete the task set"
    )


def test_a_missing_cluster(stage: Stage, judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    judgement = judge(hook, watching(stage, monkeypatch, cluster="gone"))
    assert judgement.check("service") == ("failed", "cluster gone does not exist: check ecs_cluster_name")
    assert judgement.message == judgement.check("service")[1]


def test_a_missing_service_is_found_in_the_failures(
    stage: Stage, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    judgement = judge(hook, watching(stage, monkeypatch, service="gone"))
    said = "service gone is not in cluster main (MISSING): check ecs_cluster_name and ecs_service_name"
    assert judgement.check("service") == ("failed", said)
    assert judgement.check("images:shop:2")[0] == "passed"  # what does not depend on the service was looked at


def test_the_events_that_say_why(stage: Stage, judge: Judge) -> None:
    """Of the service's events, newest first, not those that tell what ECS does all day."""
    why = "(service shop) was unable to place a task because no container instance met all of its requirements."
    daily = "(service shop) registered 1 targets in (target-group shop-blue)"

    def service(stage: Stage, parameters: Any) -> Any:
        found = stage.ecs.describe_services(**parameters)
        found["services"][0]["events"] = [{"message": each} for each in (daily, daily, daily, why, daily)]
        return found

    event = answered("ecs:DescribeServices", service)(stage)
    unhealthy_blue(stage)
    assert f"fix it first; latest events: {why} (still" in judge(hook, event).check("service_steady")[1]


def test_a_service_without_a_primary_task_set(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    service_shown(stage)["services"][0]["taskSets"] = []
    judgement = judge(hook, event)
    said = "service shop has no primary task set: deploy it once without this hook"
    for check in (*BLUE, "production_weights", "test_weights"):
        outcome, detail = judgement.check(check)
        assert outcome == "failed"
        assert detail.startswith(said)


# Whom does blue serve?


def ill(stage: Stage) -> None:
    """All of blue's targets are unhealthy."""
    stage.world.target_health["shop-blue"] = TargetState("unhealthy", "Target.Timeout", "Request timed out")


def never_ran(stage: Stage) -> None:
    """The placeholder of a first release: its image is nowhere, so no task of it has come to run."""
    stage.world.pending.add(stage.image("1"))


def crashing(stage: Stage) -> None:
    """Blue ends again and again: between two tries none of its tasks runs, and none is a target."""
    service_shown(stage, runningCount=0, pendingCount=0, stabilityStatus="STABILIZING")
    stage.instead["elbv2:DescribeTargetHealth"] = lambda _: {"TargetHealthDescriptions": []}


@pytest.mark.parametrize("broken", [ill, never_ran, crashing])
def test_it_is_let_through_at_once(stage: Stage, judge: Judge, broken: Callable[[Stage], None]) -> None:
    event = stage.at(EVENT)
    broken(stage)
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert stage.clock.now == 0
    assert "warned: BLUE SERVES NOBODY: no target of shop-blue is healthy (" in judgement.message
    assert "let through to fix it, and a rollback would go back to this" in judgement.message
    bad = {each["name"]: each["severity"] for each in judgement["checks"] if each["outcome"] == "failed"}
    assert set(bad.values()) == {"warn"}
    assert {"blue_targets", "service_steady"} <= set(bad) <= set(BLUE)
    if broken is crashing:
        assert "(none is registered)" in judgement.check("blue_targets")[1]


def test_tasks_that_run_and_no_target_do_not_fit_together(stage: Stage, judge: Judge) -> None:
    """An answer that names no target says nothing of blue, of which ECS says that it runs."""
    judgement = judge(hook, answered("elbv2:DescribeTargetHealth", {"TargetHealthDescriptions": []})(stage))
    assert not judgement.succeeded
    assert judgement.check("blue_targets")[0] == "error"
    assert "names no target of shop-blue, and ECS 2 running task(s) of blue" in judgement.message
    assert "[warn blue_targets, running_count, service_steady]" in judgement.message


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
    unhealthy_blue(stage)
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
    assert "is initial (Elb.InitialHealthChecking); fix it first" in judgement.message
    assert "(still so after 240 s)" in judgement.message
    assert stage.clock.now == pytest.approx(240)


def test_where_some_serve_the_cause_comes_first_with_the_way_out(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    unhealthy_blue(stage)
    address = f"{stage.world.started[0].private_ip}:8000"
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert judgement.message.startswith(
        f"1 of 2 targets of shop-blue, which serves now, are healthy: {address} is unhealthy (Target.Timeout); fix it "
        "first; or put [warn blue_targets, running_count, service_steady] into the description of the CodeDeploy "
        "deployment, to deploy all the same (still so after 60 s)"
    )
    assert stage.clock.now == pytest.approx(60)
    outcome, detail = judgement.check("service_steady")
    assert outcome == "failed"
    assert detail.startswith("serving task set ecs-svc/")
    assert "[warn" not in detail  # once is enough


def test_a_target_that_ecs_is_content_with_is_only_said(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    unhealthy_blue(stage)
    address = f"{stage.world.started[0].private_ip}:8000"
    service_shown(stage, stabilityStatus="STEADY_STATE")
    judgement = judge(hook, event)
    said = f"1 healthy target(s) behind shop-blue; {address} is unhealthy (Target.Timeout)"
    assert judgement.check("blue_targets") == ("passed", said)
    assert stage.clock.now == 0


@pytest.mark.parametrize("softened", [True, False])
def test_what_may_not_stop_it_is_not_waited_for(stage: Stage, judge: Judge, softened: bool) -> None:
    event = stage.at(EVENT)
    unhealthy_blue(stage)
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


def test_what_is_looked_at_afterwards_is_what_was_waited_for(stage: Stage, judge: Judge) -> None:
    """A set of the deployment before that is gone when blue has settled is not left over."""
    stage.create_task_set("d-OTHER1234")
    event = stage.at(EVENT)
    unhealthy_blue(stage)

    def settle() -> None:
        stage.world.target_health.clear()
        draining_set = stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"][0]["taskSets"][1]
        stage.ecs.delete_task_set(cluster=CLUSTER, service=SERVICE, taskSet=draining_set["id"], force=True)

    stage.clock.after(30, settle)
    judgement = judge(hook, event)
    assert judgement.succeeded, judgement.message


def test_on_the_way_back_nothing_is_waited_for(stage: Stage, judge: Judge) -> None:
    stage.at(EVENT)
    event = stage.rollback_at(EVENT)
    unhealthy_blue(stage)
    assert judge(hook, event).succeeded
    assert stage.clock.now == 0
