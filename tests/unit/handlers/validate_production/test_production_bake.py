"""AfterAllowTraffic: the bake from its begin to its end, and what ends it early."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import validate_production as hook

from rehearsal.aws.world import TargetState
from rehearsal.testing.stage import Judge, Stage, refuse
from rehearsal.testing.web import Request, Response, Site
from tests.unit.handlers.validate_production.helpers import (
    ASKS_ORDERS,
    AT_ONCE,
    BAKE,
    EVENT,
    INTERVAL,
    ONE_MINUTE,
    SAMPLING,
    WITHOUT_BLUE,
    Now,
    Traffic,
    about,
    broken,
    event_again,
    too_long,
)

pytestmark = pytest.mark.usefixtures("site", "now", "counted")


@pytest.mark.smoke
def test_a_healthy_green_passes_after_the_bake_window(stage: Stage, judge: Judge, site: Site, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(requests=500, errors=2, seconds=(0.02, 0.03), at=120)
    for minute in range(6):
        traffic(requests=0, unhealthy=0, at=60 * minute)
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert stage.clock.now == about(SAMPLING + 60 + 300)
    assert judgement.check("time") == ("passed", "360 s of settling, baking and load fit the 870 s there are")
    assert judgement.check("green_serves_production") == (
        "passed",
        "production traffic goes to green (shop-blue 0, shop-green 100), 2 of 2 target(s) healthy",
    )
    assert judgement.check("http:health") == ("passed", "GET /health: 200 in 0 ms")
    assert judgement.check("samples:health:error_rate") == ("passed", "0 of 20 requests failed (0.00%)")
    assert judgement.check("alarms:shop-5xx") == ("passed", "alarm shop-5xx is OK")
    assert judgement.check("error_rate") == (
        "passed",
        f"2 of 500 requests to green failed (0.40%) in 248 s{WITHOUT_BLUE}",
    )
    assert not [name for name in judgement.outcomes() if name.startswith("latency")], "none is limited"
    assert judgement.check("unhealthy_hosts") == ("passed", "0 unhealthy green targets since the shift")
    assert judgement.check("against_blue:p95") == (
        "skipped",
        "no datapoints of p95 for blue before the shift: nothing to compare",
    )
    assert {request.host for request in site.requests} == {stage.dns_name}  # port 80
    assert len(site.requests) == 1 + 2 * 10 + 20 + 21  # once more at each look
    assert len(stage.called("cloudwatch:DescribeAlarms")) == 1 + 21  # at once, then every 15 s, and at the end


@pytest.mark.smoke
def test_it_only_reads(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic()
    judge(hook, event, **AT_ONCE)
    assert {call.name for call in stage.calls} - {"cloudwatch:PutMetricData"} == {
        "codedeploy:GetDeployment",
        "codedeploy:GetDeploymentGroup",
        "codedeploy:GetDeploymentTarget",
        "codedeploy:PutLifecycleEventHookExecutionStatus",
        "ecs:DescribeServices",
        "elbv2:DescribeTargetGroups",
        "elbv2:DescribeListeners",
        "elbv2:DescribeRules",
        "elbv2:DescribeTargetHealth",
        "elbv2:DescribeLoadBalancers",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:GetMetricData",
    }


def test_a_quiet_service_passes_on_the_hooks_own_requests_alone(stage: Stage, judge: Judge) -> None:
    """A first deployment, all defaults, nobody there: no warning, and nothing skipped but the comparison."""
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    assert "warned" not in judgement.message
    assert judgement.check("error_rate")[1].startswith("0 of 17 requests to green failed (0.00%) in 248 s")


@pytest.mark.parametrize("sick", [0, 1])
def test_the_last_minutes_of_the_window_are_waited_for(stage: Stage, judge: Judge, traffic: Traffic, sick: int) -> None:
    """CloudWatch is late: at the end of the window it knows its first minutes only."""
    event = stage.at(EVENT)
    for minute in range(3):  # the first of them is the settle time
        traffic(requests=100, unhealthy=0, at=60 * minute)

    def publish() -> None:
        """What was late."""
        for ago in (180, 120, 60):
            traffic(requests=100, unhealthy=sick, at=360 - stage.clock.now - ago)

    stage.clock.after(430, publish)
    judgement = judge(hook, event, samples=0)
    assert 430 <= stage.clock.now < 450
    assert judgement.succeeded is not bool(sick)
    assert "of 500 requests" in judgement.check("error_rate")[1]


def test_minutes_that_never_come_are_named(stage: Stage, judge: Judge, traffic: Traffic, now: Now) -> None:
    event = stage.at(EVENT)
    traffic(requests=100, unhealthy=0, at=60)
    reach = (now() + timedelta(seconds=120)).strftime("%H:%M")
    ends = (now() + timedelta(seconds=360)).strftime("%H:%M:%S")
    judgement = judge(hook, event, samples=0)
    assert stage.clock.now == about(360 + 180)
    said = f"the load balancer's figures reach to {reach}, the window to {ends}: the rest is not judged"
    assert judgement.check("traffic") == ("skipped", said)


@pytest.mark.parametrize(("name", "severity"), [("alarms:shop-5xx", "warn"), ("alarms", "skip")])
def test_what_may_only_warn_does_not_end_the_window(stage: Stage, judge: Judge, name: str, severity: str) -> None:
    event = stage.at(EVENT)
    stage.set_alarm("shop-5xx", "ALARM")
    assert judge(hook, event, **ONE_MINUTE, checks={name: severity}).succeeded
    assert stage.clock.now == about(60)


def test_what_may_only_warn_does_not_hide_what_comes_later(stage: Stage, judge: Judge) -> None:
    stage.create_alarm("mine")
    event = stage.at(EVENT)
    stage.set_alarm("shop-5xx", "ALARM")
    stage.clock.after(30, lambda: stage.set_alarm("mine", "ALARM"))
    judgement = judge(hook, event, **ONE_MINUTE, alarms={"mine": "OK"}, checks={"alarms:shop-5xx": "warn"})
    assert not judgement.succeeded
    assert "alarm mine is ALARM" in judgement.message


def test_data_is_waited_for_beside_what_may_only_warn(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    stage.set_alarm("shop-5xx", "ALARM")
    stage.clock.after(100, lambda: traffic(requests=200, errors=100))
    settings = {**AT_ONCE, "metrics_delay": 180}
    judgement = judge(hook, event, **settings, checks={"alarms": "warn"}, no_data="fail")
    assert "100 of 200 requests to green failed" in judgement.message


def test_production_that_leaves_green_during_the_bake(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.clock.after(30, lambda: stage.lead(stage.production_listener, {stage.blue_group: 100, stage.green_group: 0}))
    judgement = judge(hook, event, **ONE_MINUTE)
    assert not judgement.succeeded
    assert judgement.message.startswith("the production listener does not forward to green (shop-green) alone but to")


def test_a_window_is_never_cut_short(stage: Stage, judge: Judge, site: Site) -> None:
    """The checks before it took so long that it no longer fits."""

    def slow(_request: Request) -> Response:
        stage.clock.sleep(50)
        return Response()

    site.answer = slow
    checks = {"front": {"timeout": 60, "interval": 0, "consecutive_successes": 3}}
    judgement = judge(hook, stage.at(EVENT), **{**AT_ONCE, "duration": 750}, http_checks=checks)
    assert not judgement.succeeded
    assert judgement.check("time") == ("passed", "750 s of settling, baking and load fit the 870 s there are")
    assert judgement.message == (
        "the bake takes 750 s, and only 720 s are left: shorten initial_delay or duration, or raise timeout and "
        "max_duration"
    )
    assert not stage.called("cloudwatch:DescribeAlarms")


def test_a_bake_window_that_was_cut_short_is_no_pass(
    stage: Stage, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("validate_production.Production._stay", lambda *_: False)
    judgement = judge(hook, stage.at(EVENT), **ONE_MINUTE)
    assert judgement.message == "the bake window was cut short: 60 s of it were left"
    assert judgement.check("bake")[0] == "error"
    assert stage.clock.now == 0, "there is nothing to wait for"


def test_the_names_of_checks_can_be_set(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    stage.set_alarm("shop-5xx", "ALARM")
    stage.create_alarm("mine", "ALARM")
    event = stage.at(EVENT)
    traffic(errors=100, seconds=(2,))
    settings = {**AT_ONCE, "alarms": {"mine": "OK"}, "thresholds": {"p99_ms": 500}}
    bad = {"alarms:shop-5xx": "warn", "alarms:mine": "warn", "error_rate": "warn", "latency:p99": "warn"}
    assert judge(hook, event, **settings, checks=bad).succeeded
    for name in bad:
        others = {key: value for key, value in bad.items() if key != name}
        judgement = judge(hook, event_again(stage), **settings, checks=others)
        assert not judgement.succeeded
        assert judgement.check(name)[0] == "failed"
    assert judge(hook, event_again(stage), **settings, checks={"bake": "warn"}).succeeded


def test_on_a_rollback_deployment_what_stays_is_judged(stage: Stage, judge: Judge) -> None:
    stage.at("AfterInstall")
    stage.world.target_health["shop-green"] = TargetState("unhealthy", "Target.Timeout")
    stage.set_alarm("shop-5xx", "ALARM")
    judgement = judge(hook, stage.rollback_at(EVENT), **ONE_MINUTE)
    assert judgement.succeeded
    assert judgement.check("green_serves_production")[1].startswith(
        "production traffic goes to green (shop-blue 100, shop-green 0)"
    )
    assert "warned: alarm shop-5xx is ALARM" in judgement.message
    assert stage.clock.now == about(60), "what only warns does not end the window"


# Causes first


def test_causes_come_before_their_consequences(stage: Stage, judge: Judge, site: Site, traffic: Traffic) -> None:
    """An endpoint breaks: its errors are counted, and set off the alarm."""
    event = stage.at(EVENT)
    site.answer = broken(stage, since=29)
    stage.clock.after(29, lambda: traffic(requests=200, errors=100))
    stage.clock.after(29, lambda: stage.set_alarm("shop-5xx", "ALARM"))
    judgement = judge(hook, event, **BAKE, **ASKS_ORDERS)
    assert judgement.message.startswith("GET /orders: [STATUS] (500)")
    found = [check["name"] for check in judgement["checks"] if check["outcome"] in ("failed", "error")]
    assert found == ["http:orders", "error_rate", "alarms:shop-5xx"]


def test_figures_that_cannot_be_read_do_not_hide_what_is_terminal(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    site.answer = broken(stage, since=29)
    stage.clock.after(29, lambda: stage.instead.update({"cloudwatch:GetMetricData": refuse("Throttling")}))
    judgement = judge(hook, event, **BAKE, **ASKS_ORDERS)
    assert judgement.message.startswith("GET /orders: [STATUS] (500)")
    assert stage.clock.now < 60


def test_trouble_of_a_moment_at_the_end_of_the_window_is_borne(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.clock.after(599, lambda: stage.instead.update({"cloudwatch:GetMetricData": refuse("Throttling")}))
    stage.clock.after(610, stage.instead.clear)
    assert judge(hook, event, **BAKE).succeeded
    assert stage.clock.now == about(600 + INTERVAL)


# The settle time


def test_the_settle_time_is_in_no_figure(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    for minute in range(8):
        cold = minute < 3
        traffic(requests=100, errors=50 * cold, unhealthy=int(cold), seconds=(9 if cold else 0.1,) * 3, at=60 * minute)
    judgement = judge(hook, event, initial_delay=180, samples=0, metrics_delay=0, thresholds={"p99_ms": 500})
    assert judgement.succeeded
    assert judgement.check("error_rate")[1].startswith("0 of 500 requests to green failed (0.00%) in 300 s")
    assert judgement.check("latency:p99") == ("passed", "green's p99 is 100 ms in its worst minute")
    assert judgement.check("unhealthy_hosts")[1] == "0 unhealthy green targets since the shift"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "alarm shop-5xx is ALARM, expected not ALARM"),
        ({"alarms": {"shop-5x": "OK"}, "checks": {"alarms:shop-5xx": "warn"}}, "alarm shop-5x does not exist"),
    ],
)
def test_an_alarm_that_fires_already_or_does_not_exist_is_found_before_the_settle_time(
    stage: Stage, judge: Judge, settings: dict[str, Any], words: str
) -> None:
    event = stage.at(EVENT)
    stage.set_alarm("shop-5xx", "ALARM")
    judgement = judge(hook, event, samples=0, **settings)
    assert judgement.message.startswith(words)
    assert stage.clock.now == 0


def test_an_alarm_that_may_only_warn_does_not_end_the_settle_time(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.set_alarm("shop-5xx", "ALARM")
    assert judge(hook, event, samples=0, checks={"alarms": "warn"}).succeeded
    assert stage.clock.now == about(360)


# The time there is


def test_a_window_that_does_not_fit_is_refused_at_once(stage: Stage, judge: Judge, site: Site) -> None:
    judgement = judge(hook, stage.at(EVENT), initial_delay=100, duration=651)
    assert judgement.outcomes() == {"deployment": "passed", "time": "failed"}
    assert judgement.message == too_long(751, 750)
    assert stage.clock.now == 0
    assert site.requests == []
