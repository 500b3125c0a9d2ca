"""ECS's own blue/green: rules and listeners that ordinary services have, and those by which blue would answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import run_migrations
import validate_before_install
import validate_production
import validate_test_traffic

from rehearsal.testing.native import Native
from rehearsal.testing.stage import Judge, Stage
from rehearsal.testing.web import Site

pytestmark = pytest.mark.usefixtures("counted")
BEFORE, TESTED = "PRE_SCALE_UP", "POST_TEST_TRAFFIC_SHIFT"
STEP, DONE = "PRE_PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"
BAKE: dict[str, Any] = {"initial_delay": 0, "duration": 60, "interval": 10, "metrics_delay": 0}
ORDERS: dict[str, Any] = {"http_checks": {"orders": {"path": "/orders?limit=1", "headers": {"X-Any": "1"}}}}


def header(name: str, *values: str) -> dict[str, Any]:
    """A condition on a header."""
    return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": [*values]}}


def rule(stage: Stage, conditions: Sequence[Mapping[str, Any]], group: str, priority: int = 5) -> str:
    """Make a rule of the production listener; its ARN."""
    made = stage.elbv2.create_rule(
        ListenerArn=stage.production_listener,
        Priority=priority,
        Conditions=[*conditions],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return str(made["Rules"][0]["RuleArn"])


@pytest.mark.parametrize(
    "conditions",
    [
        [{"Field": "source-ip", "SourceIpConfig": {"Values": ["203.0.113.0/24"]}}],
        [header("X-Env", "*")],
        [header("X-Env", "test-?")],
        [{"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "side", "Value": "green"}]}}],
        [header("X-Env", "test"), header("X-Run", "*")],
    ],
    ids=["where from", "any value", "a pattern", "a query", "one header of two"],
)
def test_what_a_test_rule_on_the_production_listener_does_not_take_goes_to_blue(
    stage: Stage, judge: Judge, site: Site, conditions: list[dict[str, Any]]
) -> None:
    """It would answer well, in green's name: nothing is sent, and the first hook has said so."""
    native = Native(stage, test_rule=rule(stage, conditions, stage.green_group))
    stage.tell("AfterAllowTestTraffic", ORDERS)
    judgement = judge(validate_before_install, native.at(BEFORE))
    assert not judgement.succeeded
    assert "cannot be told, and what it does not take may go to blue" in judgement.message
    judgement = judge(validate_test_traffic, native.at(TESTED), **ORDERS)
    assert not judgement.succeeded
    assert site.requests == []


def test_a_request_that_meets_the_pattern_of_a_header_is_sent(stage: Stage, judge: Judge, site: Site) -> None:
    native = Native(stage, test_rule=rule(stage, [header("X-Env", "test-?")], stage.green_group))
    checks = {"orders": {"path": "/orders", "headers": {"x-env": "test-1"}}}
    assert judge(validate_test_traffic, native.at(TESTED), http_checks=checks).succeeded
    assert site.requests


def test_a_test_rule_may_lead_to_the_idle_group_at_first(stage: Stage, judge: Judge) -> None:
    """As AWS's own page has it: no customer has the header."""
    made = rule(stage, [header("X-Env", "test")], stage.green_group)
    event = Native(stage, test_rule=made).at(BEFORE)
    stage.elbv2.delete_listener(ListenerArn=stage.test_listener)  # the stage's own, which is not the service's here
    forward = {"Type": "forward", "TargetGroupArn": stage.green_group}
    stage.elbv2.modify_rule(RuleArn=made, Actions=[forward])
    judgement = judge(validate_before_install, event)
    assert judgement.succeeded, judgement.message
    assert judgement.check("production_weights")[0] == "passed", judgement.message
    assert "warned" not in judgement.message


def test_a_default_action_that_no_request_comes_to_is_no_other_listener(stage: Stage, judge: Judge) -> None:
    """What CodeDeploy moved stays behind the rule that ECS moves, which takes everything."""
    everything = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}]
    rule(stage, everything, stage.blue_group, 100)
    judgement = judge(validate_before_install, Native(stage).at(BEFORE))
    assert judgement.check("other_listeners")[0] == "passed", judgement.message


# Steps, whatever the event says of them.


@pytest.mark.parametrize("says", [None, {}, 10], ids=["nothing", "an empty map", "what is to come"])
def test_a_migration_runs_before_the_first_step_whatever_is_said_of_it(stage: Stage, judge: Judge, says: Any) -> None:
    native = Native(stage, strategy="CANARY")
    event = native.at(STEP)
    green = event["executionDetails"]["targetServiceRevisionArn"]
    event["executionDetails"]["productionTrafficWeights"] = {green: says} if says == 10 else says
    judgement = judge(run_migrations, event, command=["migrate"])
    assert judgement.succeeded, judgement.message
    assert stage.called("ecs:RunTask")


@pytest.mark.parametrize("says", [{}, None], ids=["an empty map", "nothing"])
def test_where_all_traffic_shifts_at_once_there_is_no_later_step(stage: Stage, judge: Judge, says: Any) -> None:
    """Whatever a rule says that somebody else has moved."""
    native = Native(stage)
    event = native.at(STEP)
    native.deployment.shift("production", 100)
    event["executionDetails"]["productionTrafficWeights"] = says
    judgement = judge(run_migrations, event, command=["migrate"])
    assert "a later step" not in judgement.message
    assert stage.called("ecs:RunTask")


def test_a_migration_runs_before_a_service_is_there(stage: Stage, judge: Judge) -> None:
    """Its rule may forward to its first group from the beginning: a step with green at 0 is the first one."""
    native = Native(stage, first=True, strategy="CANARY")
    event = native.at(STEP)
    native.deployment.shift("production", 100)
    event["executionDetails"]["productionTrafficWeights"] = {event["executionDetails"]["targetServiceRevisionArn"]: 0}
    judgement = judge(run_migrations, event, command=["migrate"])
    assert "a later step" not in judgement.message
    assert stage.called("ecs:RunTask")


@pytest.mark.parametrize("says", [{}, None, 0], ids=["an empty map", "nothing", "as before the first"])
def test_a_later_step_is_told_by_the_rule(stage: Stage, judge: Judge, says: Any) -> None:
    native = Native(stage, strategy="CANARY")
    native.at(STEP)
    native.deployment.shift("production", 10)
    event = native.deployment.event()
    green = event["executionDetails"]["targetServiceRevisionArn"]
    event["executionDetails"]["productionTrafficWeights"] = {green: 0, "blue": 100} if says == 0 else says
    stage.calls.clear()
    judgement = judge(run_migrations, event, command=["migrate"])
    assert judgement.message.startswith("a later step of the shift (10 % of production is on green)")
    assert not stage.called("ecs:RunTask")
    judgement = judge(validate_production, event, **BAKE)
    assert "no production traffic is on green" not in judgement.message
    assert judgement.check("alarms:shop-5xx")[0] == "passed"
