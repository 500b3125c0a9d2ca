"""AfterAllowTraffic: production traffic goes to green, or nothing is sent there."""

from __future__ import annotations

from typing import Any

import pytest
import validate_production as hook

from rehearsal.aws.world import TargetState
from rehearsal.testing.stage import Judge, Stage
from rehearsal.testing.web import Site
from tests.unit.handlers.validate_production.helpers import AT_ONCE, BAKE, EVENT

LOAD = {"rate": 5, "duration": 1, "concurrency": 1}

pytestmark = pytest.mark.usefixtures("site", "now", "counted")


@pytest.mark.smoke
@pytest.mark.parametrize("severity", ["fail", "warn"])
def test_the_last_step_of_the_shift_is_waited_for(stage: Stage, judge: Judge, severity: str) -> None:
    event = stage.at(EVENT)
    stage.lead(stage.production_listener, {stage.blue_group: 10, stage.green_group: 90})
    stage.clock.after(15, lambda: stage.lead(stage.production_listener, {stage.blue_group: 0, stage.green_group: 100}))
    judgement = judge(hook, event, **AT_ONCE, checks={"green_serves_production": severity})
    assert judgement.succeeded
    assert judgement.check("http:health")[0] == "passed"
    assert stage.clock.now == 16


@pytest.mark.parametrize(("blue", "green"), [(100, 0), (1, 99)])
def test_production_that_does_not_lead_to_green(stage: Stage, judge: Judge, site: Site, blue: int, green: int) -> None:
    event = stage.at(EVENT)
    stage.lead(stage.production_listener, {stage.blue_group: blue, stage.green_group: green})
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert judgement.message == (
        "the production listener does not forward to green (shop-green) alone but to "
        f"shop-blue {blue}, shop-green {green} (still so after 60 s)"
    )
    assert site.requests == []


def test_no_healthy_green_target(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = TargetState("unhealthy", "Target.Timeout", "Request timed out")
    judgement = judge(hook, event)
    assert judgement.message.startswith("no green target is healthy, so nothing is sent: green target 10.0.")
    assert ":8000 is unhealthy (Target.Timeout: Request timed out)" in judgement.message
    assert site.requests == []


def test_production_on_blue_that_only_warns_gets_no_request(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    stage.lead(stage.production_listener, {stage.blue_group: 100, stage.green_group: 0})
    judgement = judge(hook, event, **AT_ONCE, checks={"green_serves_production": "warn"})
    assert "http:health" not in judgement.outcomes()
    assert site.requests == []


def test_the_check_of_the_listener_may_be_skipped(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT), **AT_ONCE, checks={"green_serves_production": "skip"})
    assert judgement.succeeded
    assert judgement.check("http:health")[0] == "passed"


def test_nothing_is_sent_while_green_has_no_healthy_target(stage: Stage, judge: Judge, site: Site) -> None:
    """The load balancer would count a 503, and set off an alarm."""
    event = stage.at(EVENT)
    groups = {stage.blue_group: 100, stage.green_group: 0}
    stage.clock.after(100, lambda: stage.lead(stage.production_listener, groups))
    judgement = judge(hook, event, **BAKE)
    assert judgement.message.startswith("the production listener does not forward to green")
    assert len(site.requests) == 1 + 7


@pytest.mark.parametrize(
    ("conditions", "settings", "goes"),
    [
        ({"host-header": ["*.example.com"]}, {"host": "Shop.example.com"}, True),
        ({"host-header": ["*.example.com"]}, {"headers": {"Host": "shop.example.com:80"}}, True),
        ({"host-header": ["*.example.com"]}, {"host": "shop.example.org"}, False),
        ({"host-header": ["*.example.com"]}, {"headers": {"X-Shop": "1"}}, False),
        ({"path-pattern": ["/h?al*"]}, {}, True),
        ({"path-pattern": ["/shop/*"]}, {}, False),
        ({"path-pattern": ["/Health"]}, {}, False),
        ({"path-pattern": ["/shop/*"]}, {"http_checks": {"a": {"path": "/shop/a?b=1"}}}, True),
        ({"path-pattern": ["/shop"]}, {"flows": {"a": {"steps": [{"path": "/shop"}, {"path": "/other"}]}}}, False),
        ({"query-string": ["a"]}, {}, False),
        ({"query-string": ["a"]}, {"http_checks": {"a": {"path": "/?a"}}}, True),
        ({"path-pattern": ["/health"], "host-header": ["a"]}, {}, False),
        ({"path-pattern": ["/health"]}, {"load": LOAD}, False),
        (
            {"path-pattern": ["/health"]},
            {"load": {**LOAD, "path": "/health"}},
            True,
        ),
    ],
    ids=str,
)
@pytest.mark.usefixtures("load_time")
def test_what_no_rule_takes_is_not_sent(  # noqa: PLR0917 - one row of the table each
    stage: Stage,
    judge: Judge,
    site: Site,
    conditions: dict[str, list[str]],
    settings: dict[str, Any],
    goes: bool,
) -> None:
    """Whoever the default action forwards to would answer it, and well."""
    event = stage.at(EVENT)
    stage.elbv2.modify_listener(
        ListenerArn=stage.production_listener,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": stage.create_target_group("another")}],
    )
    stage.elbv2.create_rule(
        ListenerArn=stage.production_listener,
        Priority=1,
        Conditions=[
            {"Field": field, "QueryStringConfig": {"Values": [{"Value": value} for value in values]}}
            if field == "query-string"
            else {"Field": field, "Values": values}
            for field, values in conditions.items()
        ],
        Actions=[{"Type": "forward", "TargetGroupArn": stage.green_group}],
    )
    del site
    declared = {} if {"http_checks", "flows"} & settings.keys() else {"http_checks": {"a": {"path": "/health"}}}
    judgement = judge(hook, event, **AT_ONCE, **declared, **settings)
    assert judgement.succeeded is goes
    assert ("and none takes /" in judgement.message) is not goes


@pytest.mark.parametrize("leads_to", ["blue", "blue and green", "green and another", "green", "another"])
def test_a_rule_that_the_shift_has_left_behind(stage: Stage, judge: Judge, site: Site, leads_to: str) -> None:
    """The default action forwards to green, a rule's customers may still be on blue."""
    another = stage.create_target_group("another")
    groups = {"blue": stage.blue_group, "green": stage.green_group, "another": another}
    event = stage.at(EVENT)
    weighted = [{"TargetGroupArn": groups[name], "Weight": 50} for name in leads_to.split(" and ")]
    stage.elbv2.create_rule(
        ListenerArn=stage.production_listener,
        Priority=7,
        Conditions=[{"Field": "host-header", "Values": ["orders.example.com"]}],
        Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": weighted}}],
    )
    judgement = judge(hook, event, **AT_ONCE)
    if leads_to in ("green", "another"):  # a rule for another service is none of this deployment's
        assert judgement.check("green_serves_production")[0] == "passed"
        return
    where = ", ".join(f"{name if name == 'another' else f'shop-{name}'} 50" for name in leads_to.split(" and "))
    assert not judgement.succeeded
    assert judgement.message.startswith(
        f"of the production listener, rule 7 (host-header orders.example.com) forwards to {where}: not to green "
        "(shop-green) alone (still so after 60 s)"
    )
    assert site.requests == []


def test_a_network_load_balancers_listener_has_no_rules_to_be_asked_for(stage: Stage, judge: Judge) -> None:
    listeners = stage.elbv2.describe_listeners(ListenerArns=[stage.production_listener])
    event = stage.at(EVENT)
    listeners["Listeners"][0] |= {
        "Protocol": "TCP", "DefaultActions": [{"Type": "forward", "TargetGroupArn": stage.green_group}]
    }  # fmt: skip
    stage.instead["elbv2:DescribeListeners"] = lambda _: listeners
    judgement = judge(hook, event, **AT_ONCE)
    assert judgement.check("green_serves_production")[0] == "passed"
    assert not stage.called("elbv2:DescribeRules")
