"""AfterAllowTestTraffic: nothing is sent before the test listener forwards to green, and green can answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import validate_test_traffic as hook

from rehearsal.aws.world import TargetState
from rehearsal.testing.stage import Judge, Stage, refuse
from rehearsal.testing.web import Request, Response, Site
from tests.unit.handlers.validate_test_traffic.helpers import (
    EVENT,
    EVERYTHING,
    NAME,
    NO_SAMPLES,
    ONE_ATTEMPT,
    REVISION,
    VERSION,
    WARM_UP,
    answered_by,
)

INITIAL = TargetState("initial", "Elb.InitialHealthChecking")


@pytest.mark.smoke
def test_nothing_is_sent_while_the_listener_leads_to_blue(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    stage.lead(stage.test_listener, {stage.blue_group: 1})
    judgement = judge(hook, event, interval=60, **EVERYTHING)
    assert not judgement.succeeded
    assert judgement.message == "the test listener does not forward to green (shop-green) alone but to shop-blue 1"
    assert judgement.check("green_serves_tests") == ("failed", judgement.message)
    assert site.requests == []
    assert stage.clock.now == 60, "CodeDeploy has shifted test traffic before it called the hook"


def test_nothing_is_sent_while_the_listener_leads_to_both(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    stage.lead(stage.test_listener, {stage.blue_group: 1, stage.green_group: 99})
    judgement = judge(hook, event, interval=60, **EVERYTHING)
    assert not judgement.succeeded
    assert "alone but to shop-blue 1, shop-green 99" in judgement.message
    assert site.requests == []


def test_the_listener_is_waited_for(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    stage.lead(stage.test_listener, {stage.blue_group: 1})
    arrived_before: list[int] = []

    def shift() -> None:
        arrived_before.append(len(site.requests))
        stage.lead(stage.test_listener, {stage.blue_group: 0, stage.green_group: 100})

    stage.clock.after(7, shift)
    assert judge(hook, event, **NO_SAMPLES).succeeded
    assert arrived_before == [0]
    assert len(site.requests) == 1
    assert stage.clock.now == 8


@pytest.mark.smoke
@pytest.mark.parametrize("severity", ["fail", "warn"])
def test_healthy_targets_are_waited_for_whatever_the_severity(
    stage: Stage, judge: Judge, site: Site, severity: str
) -> None:
    """A target group is new to its listener: the load balancer has only begun to check it."""
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = INITIAL
    arrived_before: list[int] = []
    stage.clock.after(20, lambda: arrived_before.append(len(site.requests)))
    stage.clock.after(20, stage.world.target_health.clear)
    judgement = judge(hook, event, checks={"green_serves_tests": severity}, **NO_SAMPLES)
    assert judgement.message == "3 checks passed"
    assert arrived_before == [0]
    assert stage.clock.now == 20
    assert len(site.requests) == 1


def test_nothing_is_sent_while_no_green_target_is_healthy(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = TargetState("unhealthy", "Some.Reason", "in words")
    judgement = judge(hook, event, interval=60, **EVERYTHING)
    assert not judgement.succeeded
    assert judgement.message.startswith("no green target is healthy, so nothing is sent: green target 10.0.")
    assert ":8000 is unhealthy (Some.Reason: in words)" in judgement.message
    assert site.requests == []


@pytest.mark.parametrize(("state", "recovers"), [("unhealthy", False), ("initial", True)])
def test_each_of_greens_targets_has_to_be_healthy(
    stage: Stage, judge: Judge, site: Site, state: str, recovers: bool
) -> None:
    """One of two is waited for; where it does not come, it is named with its reason."""
    event = stage.at(EVENT)
    found: Any = stage.elbv2.describe_target_health(TargetGroupArn=stage.green_group)
    second = found["TargetHealthDescriptions"][1]
    second["TargetHealth"] = {"State": state, "Reason": "Target.Timeout", "Description": "Request timed out"}

    def answer(parameters: Mapping[str, Any]) -> Any:
        late = recovers and stage.clock.now >= 120
        return stage.elbv2.describe_target_health(**parameters) if late else found

    stage.instead["elbv2:DescribeTargetHealth"] = answer
    judgement = judge(hook, event, interval=60, **NO_SAMPLES)
    assert judgement.succeeded is recovers
    if recovers:
        assert stage.clock.now == 120
    else:
        assert judgement.message.startswith(
            f"1 of 2 green targets are healthy, so nothing is sent: green target {second['Target']['Id']}:8000 is "
            "unhealthy (Target.Timeout: Request timed out) (still so after "
        )
        assert site.requests == []


@pytest.mark.parametrize("call", ["elbv2:DescribeListeners", "elbv2:DescribeTargetHealth", "ecs:DescribeServices"])
def test_nothing_is_sent_where_it_cannot_be_seen_where_green_is(
    stage: Stage, judge: Judge, site: Site, call: str
) -> None:
    event = stage.at(EVENT)
    stage.instead[call] = refuse("AccessDenied")
    judgement = judge(hook, event, **EVERYTHING)
    assert not judgement.succeeded
    assert call.partition(":")[2] in judgement.message
    assert site.requests == []


# Severities, and rollbacks


def test_a_listener_on_blue_that_only_warns_gets_no_request(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    stage.lead(stage.test_listener, {stage.blue_group: 1})
    judgement = judge(hook, event, interval=60, checks={"green_serves_tests": "warn"}, **EVERYTHING)
    assert judgement.check("green_serves_tests")[0] == "failed"
    assert "http:front" not in judgement.outcomes()
    assert site.requests == []


def test_who_leaves_the_check_out_sends_at_once(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = INITIAL
    judgement = judge(hook, event, checks={"green_serves_tests": "skip"}, **NO_SAMPLES)
    assert judgement.succeeded
    assert judgement.check("green_serves_tests") == ("skipped", "left out by the option `checks`")
    assert [request.host for request in site.requests] == [f"{stage.dns_name}:8080"]
    assert stage.clock.now == 0


def test_going_without_a_test_listener_is_no_leave_to_send_to_one_that_is_not_on_green(
    stage: Stage, judge: Judge, site: Site
) -> None:
    event = stage.at(EVENT)
    stage.lead(stage.test_listener, {stage.blue_group: 1})
    judgement = judge(hook, event, interval=60, checks={"test_listener": "skip"}, **EVERYTHING)
    assert not judgement.succeeded
    assert judgement.message.startswith("the test listener does not forward to green (shop-green) alone")
    assert site.requests == []


def test_on_a_rollback_deployment_what_stays_is_judged(stage: Stage, judge: Judge, site: Site) -> None:
    """The test listener is back on what stays, and that answers as itself."""
    stage.at("AfterInstall")
    event = stage.rollback_at(EVENT)
    stage.clock.after(20, lambda: stage.lead(stage.test_listener, {stage.blue_group: 100, stage.green_group: 0}))
    stage.lead(stage.test_listener, {stage.blue_group: 0, stage.green_group: 100})
    site.answer = lambda _: answered_by("1")
    judgement = judge(hook, event, http_checks={"front": VERSION, "revision": REVISION}, samples=3)
    assert judgement.succeeded
    assert judgement.check("deployment")[1].startswith("rollback deployment ")
    assert judgement.check("green_serves_tests") == (
        "passed",
        "test traffic goes to green (shop-blue 100, shop-green 0), 2 of 2 target(s) healthy",
    )
    assert len(site.requests) == 2 * (1 + WARM_UP + 3)


def test_on_a_rollback_deployment_the_undone_one_gets_no_request(stage: Stage, judge: Judge, site: Site) -> None:
    stage.at(EVENT)
    judgement = judge(hook, stage.rollback_at(EVENT), interval=60, **EVERYTHING)
    assert judgement.succeeded  # nothing stands in the way of going back
    assert "the test listener does not forward to green (shop-blue) alone but to shop-green 100" in judgement.message
    assert judgement.check("green_serves_tests")[0] == "failed"
    assert site.requests == []
    assert stage.clock.now == 60  # nor holds it up


def test_a_rollback_does_not_wait_for_targets_for_long(stage: Stage, judge: Judge, site: Site) -> None:
    stage.at("AfterInstall")
    event = stage.rollback_at(EVENT)
    stage.world.target_health["shop-blue"] = INITIAL
    assert judge(hook, event, interval=20, **EVERYTHING).succeeded
    assert site.requests == []
    assert stage.clock.now == 60


# Rules of the listener. Which of them takes a request, tests/unit/gate/test_route_to_green.py proves.


def rule_to(stage: Stage, group: str, condition: dict[str, Any]) -> str:
    """A rule of the test listener; its ARN."""
    made = stage.elbv2.create_rule(
        ListenerArn=stage.test_listener,
        Priority=7,
        Conditions=[condition],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return str(made["Rules"][0]["RuleArn"])


def host(name: str) -> dict[str, Any]:
    """The condition of a rule for one host."""
    return {"Field": "host-header", "HostHeaderConfig": {"Values": [name]}}


def path(pattern: str) -> dict[str, Any]:
    """The condition of a rule for paths."""
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": [pattern]}}


def test_a_rule_that_leads_to_blue(stage: Stage, judge: Judge, site: Site) -> None:
    """With its host set, all requests would be answered by blue."""
    event = stage.at(EVENT)
    rule_to(stage, stage.blue_group, host("orders.example.com"))
    judgement = judge(hook, event, host="orders.example.com")
    assert not judgement.succeeded
    assert judgement.message.startswith(
        "of the test listener, rule 7 (host-header orders.example.com) forwards to shop-blue 1: not to green"
    )
    assert site.requests == []


def test_rules_that_elb_does_not_describe_in_full(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    stage.instead["elbv2:DescribeRules"] = lambda _: {"Rules": [{"IsDefault": False, "Priority": "5"}]}
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert "does not say which requests rule 5 takes" in judgement.message
    assert site.requests == []


def test_a_request_that_a_rule_leads_past_green_is_not_sent(stage: Stage, judge: Judge, site: Site) -> None:
    """By what is declared, and by what green is called."""
    event = stage.at(EVENT)
    revision = stage.green_definition.rpartition(":")[2]
    rule_to(stage, stage.create_target_group("another"), path(f"/{revision}"))
    flows = {"see": {"steps": [{"path": "/{revision}"}]}}
    checks = {"of": {**ONE_ATTEMPT, "path": "/{revision}"}}
    judgement = judge(hook, event, host=NAME, http_checks=checks, flows=flows)
    assert judgement.check("http:of")[0] == judgement.check("flow:see")[0] == "error"
    assert judgement.message == (
        f"rule 7 (path-pattern /{revision}) of the listener takes /{revision} of {NAME}, and does not forward to "
        "green: set host or path to what green answers, or url to ask somebody else"
    )
    assert site.requests == []


def test_nor_is_one_by_what_a_flow_has_saved(stage: Stage, judge: Judge, site: Site) -> None:
    """What was made before is cleaned up."""
    event = stage.at(EVENT)
    rule_to(stage, stage.create_target_group("another"), path("/orders/5"))
    site.answer = lambda _: Response(200, '{"id": "5"}')
    steps: list[dict[str, Any]] = [
        {"path": "/orders", "method": "POST", "save": {"id": "id"}},
        {"path": "/orders/{id}"},
        {"path": "/clean/{id}", "method": "DELETE", "always": True},
    ]
    judgement = judge(hook, event, flows={"buy": {"steps": steps}})
    assert "GET /orders/{id}: with what was saved, no rule of the listener forwards it to green" in judgement.message
    assert [request.path for request in site.requests] == ["/orders", "/clean/5"]


def lead_by_rule(stage: Stage, group: str) -> str:
    """Make the test listener answer 404 by itself, but for one host name, forwarded to a group; return the rule."""
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    stage.elbv2.modify_listener(ListenerArn=stage.test_listener, DefaultActions=[fixed])
    return rule_to(stage, group, host(NAME))


def only_for(name: str) -> Callable[[Request], Response]:
    """What such a listener answers."""
    return lambda request: answered_by("2") if request.host == name else Response(404, "nobody here")


@pytest.mark.parametrize("place", ["of the check", "of the hook"])
def test_behind_a_rule_for_a_host_that_host_is_asked(stage: Stage, judge: Judge, site: Site, place: str) -> None:
    event = stage.at(EVENT)
    lead_by_rule(stage, stage.green_group)
    site.answer = only_for(NAME)
    named = {"host": NAME}
    of_check, of_hook = (named, {}) if place == "of the check" else ({}, named)
    checks, flows = {"front": {"path": "/", **of_check}}, {"buy": {"steps": [{"path": "/b", **of_check}]}}
    judgement = judge(hook, event, samples=5, http_checks=checks, flows=flows, **of_hook)
    assert judgement.succeeded
    assert judgement.check("green_serves_tests")[1].startswith("test traffic goes to green (shop-green ")
    assert Counter(request.host for request in site.requests) == {NAME: 1 + WARM_UP + 5 + 1}


def test_behind_a_rule_for_a_host_nothing_is_sent_without_it(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    lead_by_rule(stage, stage.green_group)
    judgement = judge(hook, event, http_checks={"front": ONE_ATTEMPT})
    assert not judgement.succeeded
    assert judgement.message.startswith(
        f"only rules of the listener forward to green (host-header {NAME}), and none tak"
    )
    assert site.requests == []


def test_nothing_is_sent_while_the_rule_leads_to_blue(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    rule = lead_by_rule(stage, stage.blue_group)
    arrived_before: list[int] = []

    def shift() -> None:
        arrived_before.append(len(site.requests))
        stage.elbv2.modify_rule(RuleArn=rule, Actions=[{"Type": "forward", "TargetGroupArn": stage.green_group}])

    stage.clock.after(30, shift)
    assert judge(hook, event, host=NAME, **NO_SAMPLES, **EVERYTHING).succeeded
    assert arrived_before == [0]
    assert stage.clock.now == 30
