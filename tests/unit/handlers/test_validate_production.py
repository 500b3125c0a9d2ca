"""AfterAllowTraffic: green serves production, through a bake window, and what cannot get better is not waited for."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
import validate_production as hook
from gate.load import send_load

from rehearsal.aws.world import TargetState
from tests.unit.handlers.stage import CLUSTER, SERVICE, Call, Clock, Judge, Judgement, Stage, refuse
from tests.unit.handlers.web import Request, Response, Site

EVENT = "AfterAllowTraffic"
SAMPLING = 0.2 * (2 * 10 + 20 - 1)  # seconds of the samples of one check, two targets' warm-up included
AT_ONCE: dict[str, Any] = {"initial_delay": 0, "duration": 0, "samples": 0, "metrics_delay": 0}
ONE_MINUTE: dict[str, Any] = {**AT_ONCE, "duration": 60, "interval": 10}
WITHOUT_BLUE = "; blue's share before the shift was 0, without a request"
ONE_ATTEMPT: dict[str, Any] = {"attempts": 1}

Now = Callable[[], datetime]


def about(seconds: float) -> Any:
    """Seconds of the test's clock, where a look at the clock itself takes a millisecond."""
    return pytest.approx(seconds, abs=0.5)


pytestmark = pytest.mark.usefixtures("site", "now", "counted")


Traffic = Callable[..., None]


def test_a_healthy_green_passes_after_the_bake_window(stage: Stage, judge: Judge, site: Site, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(requests=500, errors=2, seconds=(0.02, 0.03), at=120)
    for minute in range(6):
        traffic(requests=0, unhealthy=0, at=60 * minute)
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert stage.clock.now == about(SAMPLING + 60 + 300)
    assert judgement.check("time") == ("passed", "360 s of settling, baking and load fit the 870 s left")
    assert judgement.check("green_serves_production") == (
        "passed",
        "production traffic leads to green (shop-blue 0, shop-green 100), 2 of 2 target(s) healthy",
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


@pytest.mark.parametrize(("no_data", "outcome"), [("pass", "skipped"), ("fail", "failed")])
def test_minutes_that_never_come_are_named(  # noqa: PLR0917 - one row of the table each
    stage: Stage, judge: Judge, traffic: Traffic, now: Now, no_data: str, outcome: str
) -> None:
    event = stage.at(EVENT)
    traffic(requests=100, unhealthy=0, at=60)
    reach = (now() + timedelta(seconds=120)).strftime("%H:%M")
    ends = (now() + timedelta(seconds=360)).strftime("%H:%M:%S")
    judgement = judge(hook, event, no_data=no_data, samples=0)
    assert stage.clock.now == about(360 + 180)
    assert judgement.succeeded is (no_data == "pass")
    found, detail = judgement.check("traffic")
    assert found == outcome
    assert detail.startswith(f"the load balancer's figures reach to {reach}, the window to {ends}: the rest is not jud")


@pytest.mark.parametrize("severity", ["warn", "skip"])
@pytest.mark.parametrize("name", ["alarms:shop-5xx", "alarms"])
def test_what_may_only_warn_does_not_end_the_window(stage: Stage, judge: Judge, name: str, severity: str) -> None:
    stage.create_alarm("mine")
    event = stage.at(EVENT)
    stage.set_alarm("shop-5xx", "ALARM")
    assert judge(hook, event, **ONE_MINUTE, checks={name: severity}).succeeded
    assert stage.clock.now == about(60)
    event = event_again(stage)
    late = {**dict.fromkeys(["alarms:shop-5xx"], severity)}
    stage.clock.after(30, lambda: stage.set_alarm("mine", "ALARM"))
    judgement = judge(hook, event, **ONE_MINUTE, alarms={"mine": "OK"}, checks=late)
    assert not judgement.succeeded
    assert "alarm mine is ALARM" in judgement.message


def test_data_is_waited_for_beside_what_may_only_warn(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    stage.set_alarm("shop-5xx", "ALARM")
    stage.clock.after(100, lambda: traffic(requests=200, errors=100))
    settings = {**AT_ONCE, "metrics_delay": 180}
    judgement = judge(hook, event, **settings, checks={"alarms": "warn"}, no_data="fail")
    assert "100 of 200 requests to green failed" in judgement.message


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


# The listener.


@pytest.mark.parametrize(("blue", "green"), [(100, 0), (50, 50), (1, 99)])
def test_production_that_does_not_lead_to_green(stage: Stage, judge: Judge, site: Site, blue: int, green: int) -> None:
    event = stage.at(EVENT)
    stage.lead(stage.production_listener, {stage.blue_group: blue, stage.green_group: green})
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert judgement.message == (
        "the production listener does not lead to green (shop-green) alone but to "
        f"shop-blue {blue}, shop-green {green} (still so after 60 s)"
    )
    assert site.requests == []


def test_the_last_step_of_the_shift_is_waited_for(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.lead(stage.production_listener, {stage.blue_group: 10, stage.green_group: 90})
    stage.clock.after(15, lambda: stage.lead(stage.production_listener, {stage.blue_group: 0, stage.green_group: 100}))
    assert judge(hook, event, **AT_ONCE).succeeded
    assert stage.clock.now == 16


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


def test_production_that_leaves_green_during_the_bake(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.clock.after(30, lambda: stage.lead(stage.production_listener, {stage.blue_group: 100, stage.green_group: 0}))
    judgement = judge(hook, event, **ONE_MINUTE)
    assert not judgement.succeeded
    assert judgement.message.startswith("the production listener does not lead to green (shop-green) alone but to")


# Time.


def too_long(window: int, left: int, others: int = 120) -> str:
    """What the check `time` says of a window that does not fit."""
    return (
        f"initial_delay, duration and load take {window} s, and {left} s are left for them beside {others} s for the "
        "other checks: shorten them, or raise max_duration (at most 3300) or timeout (at most 900)"
    )


@pytest.mark.parametrize(
    ("settings", "window"),
    [
        ({"initial_delay": 100, "duration": 651}, 751),
        (
            {
                "initial_delay": 60,
                "duration": 60,
                "metrics_delay": 600,
                "load": {"rate": 1, "duration": 91},
                "metrics": {"orders": {"namespace": "Shop", "metric_name": "Orders", "threshold_range": {"min": 1}}},
            },
            751,
        ),
        ({"initial_delay": 60, "duration": 600, "load": {"rate": 1, "duration": 300}}, 960),
    ],
)
def test_a_window_that_does_not_fit_is_refused_at_once(
    stage: Stage, judge: Judge, site: Site, settings: dict[str, Any], window: int
) -> None:
    judgement = judge(hook, stage.at(EVENT), **settings)
    assert judgement.outcomes() == {"deployment": "passed", "time": "failed"}
    assert judgement.message == too_long(window, 750)
    assert stage.clock.now == 0
    assert site.requests == []


def test_a_window_is_never_cut_short(stage: Stage, judge: Judge, site: Site) -> None:
    """The checks before it took so long that it no longer fits."""

    def slow(_request: Request) -> Response:
        stage.clock.sleep(50)
        return Response()

    site.answer = slow
    checks = {"front": {"timeout": 60, "interval": 0, "consecutive_successes": 3}}
    judgement = judge(hook, stage.at(EVENT), **{**AT_ONCE, "duration": 750}, http_checks=checks)
    assert not judgement.succeeded
    assert judgement.check("time") == ("passed", "750 s of settling, baking and load fit the 870 s left")
    assert judgement.message == (
        "the bake takes 750 s, and only 720 s are left: shorten initial_delay or duration, or raise timeout and "
        "max_duration"
    )
    assert not stage.called("cloudwatch:DescribeAlarms")


# Alarms.


def test_an_alarm_that_fires_ends_it_at_once(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.clock.after(95, lambda: stage.set_alarm("shop-5xx", "ALARM", "Threshold crossed: 12 errors"))
    judgement = judge(hook, event, samples=0)
    assert not judgement.succeeded
    assert judgement.message == "alarm shop-5xx is ALARM, expected not ALARM (Threshold crossed: 12 errors)"
    assert stage.clock.now == about(105)


def test_an_alarm_of_the_users(stage: Stage, judge: Judge) -> None:
    stage.create_alarm("orders-per-minute")
    event = stage.at(EVENT)
    alarms = {"orders-per-minute": "OK"}
    judgement = judge(hook, event, **AT_ONCE, alarms=alarms)
    assert judgement.check("alarms:orders-per-minute") == ("passed", "alarm orders-per-minute is OK")
    assert judgement.check("alarms:shop-5xx") == ("passed", "alarm shop-5xx is OK")


@pytest.mark.parametrize(
    ("state", "expected", "good"),
    [
        ("OK", "OK", True),
        ("INSUFFICIENT_DATA", "OK", False),
        ("ALARM", "OK", False),
        ("ALARM", "ALARM", True),
        ("OK", "ALARM", False),
        ("INSUFFICIENT_DATA", "INSUFFICIENT_DATA", True),
    ],
)
def test_the_expected_state(stage: Stage, judge: Judge, state: str, expected: str, good: bool) -> None:
    stage.create_alarm("mine", state)
    judgement = judge(hook, stage.at(EVENT), **AT_ONCE, alarms={"mine": expected})
    assert judgement.succeeded is good
    if not good:
        assert judgement.message == f"alarm mine is {state}, expected {expected} (set by the test)"


@pytest.mark.parametrize(
    ("setting", "expected", "good"),
    [
        (None, "OK", False),
        (None, "ALARM", False),
        (None, "INSUFFICIENT_DATA", True),
        (None, "of the deployment group", True),
        ("pass", "OK", True),
        ("pass", "ALARM", False),
        ("pass", "INSUFFICIENT_DATA", True),
        ("pass", "of the deployment group", True),
        ("fail", "OK", False),
        ("fail", "ALARM", False),
        ("fail", "INSUFFICIENT_DATA", True),
        ("fail", "of the deployment group", False),
    ],
)
def test_what_an_alarm_without_data_means(
    stage: Stage, judge: Judge, setting: str | None, expected: str, good: bool
) -> None:
    stage.create_alarm("mine", "INSUFFICIENT_DATA")
    alarms = {"mine": expected}
    if expected == "of the deployment group":
        stage.update_group(alarmConfiguration={"enabled": True, "alarms": [{"name": "mine"}]})
        alarms, expected = {}, "not ALARM"
    judgement = judge(hook, stage.at(EVENT), **AT_ONCE, alarms=alarms, insufficient_data=setting)
    assert judgement.succeeded is good
    assert judgement.check("alarms:mine") == (
        ("passed", "alarm mine is INSUFFICIENT_DATA")
        if good
        else ("failed", f"alarm mine is INSUFFICIENT_DATA, expected {expected} (set by the test)")
    )


@pytest.mark.parametrize("setting", [None, "pass", "fail"])
@pytest.mark.parametrize("state", ["OK", "ALARM"])
def test_what_no_data_mean_says_nothing_about_alarms_that_have_some(
    stage: Stage, judge: Judge, state: str, setting: str | None
) -> None:
    stage.create_alarm("mine", state)
    judgement = judge(hook, stage.at(EVENT), **AT_ONCE, alarms={"mine": "OK"}, insufficient_data=setting)
    assert judgement.succeeded is (state == "OK")


def test_alarms_that_do_not_exist_pass_if_they_are_to(stage: Stage, judge: Judge) -> None:
    stage.cloudwatch.delete_alarms(AlarmNames=["shop-5xx"])
    stage.create_alarm("mine")
    event = stage.at(EVENT)
    alarms = {"mine": "OK", "another": "ALARM"}
    judgement = judge(hook, event, **AT_ONCE, alarms=alarms, missing_alarms="pass")
    assert judgement.succeeded
    for name in ("shop-5xx", "another"):
        assert judgement.check(f"alarms:{name}") == (
            "skipped",
            f"alarm {name} does not exist, which missing_alarms lets pass",
        )
    assert judgement.check("alarms:mine")[0] == "passed"
    judgement = judge(hook, event_again(stage), **AT_ONCE, alarms=alarms)
    assert [judgement.check(f"alarms:{name}")[0] for name in ("shop-5xx", "another")] == ["error", "error"]
    assert not judgement.succeeded


def test_an_alarm_of_a_further_page_is_there(stage: Stage, judge: Judge) -> None:
    stage.create_alarm("mine", "ALARM")
    event = stage.at(EVENT)

    def around(call: Call, answer: Callable[[], Any]) -> Any:
        """Answer alarm by alarm."""
        if call.name != "cloudwatch:DescribeAlarms":
            return answer()
        stage.around = None
        found = stage.cloudwatch.describe_alarms(**{**call.parameters, "MaxRecords": 1})
        stage.around = around
        return found

    stage.around = around
    judgement = judge(hook, event, **AT_ONCE, alarms={"mine": "OK", "shop-5xx": "OK"}, missing_alarms="pass")
    assert {name: judgement.check(f"alarms:{name}")[0] for name in ("mine", "shop-5xx")} == {
        "mine": "failed",
        "shop-5xx": "passed",
    }


def test_an_alarm_may_come_to_its_state_until_the_end(stage: Stage, judge: Judge) -> None:
    stage.create_alarm("mine", "INSUFFICIENT_DATA")
    event = stage.at(EVENT)
    stage.clock.after(50, lambda: stage.set_alarm("mine", "OK"))
    assert judge(hook, event, **ONE_MINUTE, alarms={"mine": "OK"}).succeeded


def test_no_data_is_no_alarm_for_those_of_the_deployment_group(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.set_alarm("shop-5xx", "INSUFFICIENT_DATA")
    assert judge(hook, event, **AT_ONCE).succeeded


def test_a_name_that_does_not_exist_is_an_error_at_once(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT), **ONE_MINUTE, alarms={"shop-5x": "OK"})
    assert not judgement.succeeded
    assert judgement.check("alarms:shop-5x") == ("error", "alarm shop-5x does not exist: check its name and region")
    assert stage.clock.now == 0


def test_a_composite_alarm(stage: Stage, judge: Judge) -> None:
    stage.cloudwatch.put_composite_alarm(AlarmName="any", AlarmRule='ALARM("shop-5xx")')
    stage.update_group(alarmConfiguration={"enabled": False})
    event = stage.at(EVENT)
    stage.clock.after(25, lambda: stage.set_alarm("shop-5xx", "ALARM"))
    judgement = judge(hook, event, **ONE_MINUTE, alarms={"any": "OK"})
    assert judgement.message.startswith("alarm any is ALARM, expected OK (")
    assert stage.clock.now == 30


def test_no_alarm_is_named(stage: Stage, judge: Judge) -> None:
    stage.update_group(alarmConfiguration={"enabled": False})
    judgement = judge(hook, stage.at(EVENT), **AT_ONCE)
    assert judgement.check("alarms") == ("skipped", "no alarm is named, here or in the deployment group")


# The load balancer's figures.

ONE_PERCENT = {"error_rate": 0.01}


def test_an_error_rate_above_its_threshold_ends_it_at_once(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(requests=100, errors=5)
    judgement = judge(hook, event, **ONE_MINUTE, thresholds=ONE_PERCENT)
    assert not judgement.succeeded
    assert judgement.message == ("5 of 100 requests to green failed (5.00%) in 0 s, at most 1.00% allowed")
    assert stage.clock.now == 0


def test_an_error_rate_of_few_requests_may_still_come_right(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(requests=99, errors=2)
    stage.clock.after(30, lambda: traffic(requests=301))
    judgement = judge(hook, event, **ONE_MINUTE, thresholds=ONE_PERCENT)
    assert judgement.succeeded
    assert judgement.check("error_rate") == ("passed", "2 of 400 requests to green failed (0.50%) in 60 s")


def test_an_error_rate_of_few_requests_counts_at_the_end(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(requests=10, errors=1)
    judgement = judge(hook, event, **ONE_MINUTE, thresholds=ONE_PERCENT)
    assert not judgement.succeeded
    assert judgement.message.startswith("1 of 10 requests to green failed (10.00%) in 60 s")
    assert judge(hook, event_again(stage), **AT_ONCE, thresholds={"error_rate": 0.1}).succeeded


def event_again(stage: Stage) -> dict[str, str]:
    """The same moment of another deployment."""
    stage.deployment.set_status("Stopped")
    return stage.at(EVENT)


def test_targets_that_cannot_be_reached_are_errors_and_told_apart(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(requests=200, errors=2, unreachable=3)
    judgement = judge(hook, event, **AT_ONCE, thresholds=ONE_PERCENT)
    assert judgement.message == (
        "5 of 200 requests to green failed (2.50%) in 0 s, 3 of them because no target could be reached, "
        "at most 1.00% allowed"
    )
    judgement = judge(hook, event_again(stage), **AT_ONCE, thresholds={"error_rate": 0.03})
    assert judgement.check("error_rate")[0] == "passed"
    assert "3 of them because no target could be reached" in judgement.check("error_rate")[1]


def test_where_no_target_could_be_reached_at_all_there_is_traffic(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(requests=0, unreachable=150)
    judgement = judge(hook, event, **AT_ONCE)
    assert judgement.message.startswith("150 of 150 requests to green failed (100.00%) in 0 s, 150 of them because")


def test_traffic_without_errors_has_an_error_rate(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    """CloudWatch has no value for errors either way: of requests it has."""
    event = stage.at(EVENT)
    traffic(requests=1, errors=0)
    judgement = judge(hook, event, **AT_ONCE, no_data="fail")
    assert judgement.check("error_rate") == (
        "passed",
        f"0 of 1 requests to green failed (0.00%) in 0 s{WITHOUT_BLUE}",
    )


@pytest.mark.parametrize(
    ("rejected", "limit", "expected"),
    [
        (0, None, None),
        (3, None, None),
        (0, 0, ("passed", "0 connections that the load balancer rejected since the shift")),
        (3, 0, ("failed", "3 connections that the load balancer rejected since the shift, 0 allowed")),
        (3, 2, ("failed", "3 connections that the load balancer rejected since the shift, 2 allowed")),
        (3, 3, ("passed", "3 connections that the load balancer rejected since the shift")),
    ],
)
def test_rejected_connections_are_counted_if_they_are_limited(  # noqa: PLR0917 - one row of the table each
    stage: Stage, judge: Judge, traffic: Traffic, rejected: int, limit: int | None, expected: tuple[str, str] | None
) -> None:
    event = stage.at(EVENT)
    traffic(rejected=rejected)
    judgement = judge(hook, event, **AT_ONCE, thresholds={"rejected_connections": limit})
    if expected is None:
        assert "rejected_connections" not in judgement.outcomes()
    else:
        assert judgement.check("rejected_connections") == expected
    assert judgement.succeeded is (expected is None or expected[0] == "passed")


def test_too_many_rejected_connections_end_it_at_once(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(rejected=3)
    assert not judge(hook, event, **ONE_MINUTE, thresholds={"rejected_connections": 2}).succeeded
    assert stage.clock.now == 0


def use(stage: Stage, now: Now, word: str, *percents: float) -> None:
    """Publish what ECS measured of the whole service, a minute apart."""
    dimensions = [{"Name": "ClusterName", "Value": CLUSTER}, {"Name": "ServiceName", "Value": SERVICE}]
    name = {"cpu": "CPUUtilization", "memory": "MemoryUtilization"}[word]
    data = [
        {"MetricName": name, "Dimensions": dimensions, "Timestamp": now() + timedelta(minutes=at), "Value": value}
        for at, value in enumerate(percents)
    ]
    stage.cloudwatch.put_metric_data(Namespace="AWS/ECS", MetricData=data)


@pytest.mark.parametrize("word", ["cpu", "memory"])
@pytest.mark.parametrize(("limit", "good"), [(None, True), (70, True), (69.9, False)])
def test_utilisation_is_said_and_limited_if_it_is_to_be(  # noqa: PLR0917 - one row of the table each
    stage: Stage, judge: Judge, now: Now, word: str, limit: float | None, good: bool
) -> None:
    event = stage.at(EVENT)
    use(stage, now, word, 60, 80)
    window = {**AT_ONCE, "duration": 120, "interval": 60}
    judgement = judge(hook, event, **window, thresholds={f"{word}_percent": limit})
    said = f"the service's {word} utilisation (blue and green together) is 70 % on average"
    assert judgement.check(word) == (("passed", said) if good else ("failed", f"{said}, at most {limit:g} % allowed"))
    assert judgement.succeeded is good
    assert stage.clock.now == about(120)  # an average may still come down
    other = {"cpu": "memory", "memory": "cpu"}[word]
    assert other not in judgement.outcomes()


@pytest.mark.parametrize("word", ["cpu", "memory"])
def test_utilisation_that_is_limited_and_unknown_is_no_pass(stage: Stage, judge: Judge, word: str) -> None:
    judgement = judge(hook, stage.at(EVENT), **AT_ONCE, thresholds={f"{word}_percent": 80})
    assert not judgement.succeeded
    assert judgement.check(word) == ("error", f"ECS has no {word} utilisation of the service since the shift")


@pytest.mark.parametrize(
    ("word", "milliseconds"), [("p50", 500), ("p90", 900), ("p95", 950), ("p99", 990), ("max", 1000)]
)
def test_each_latency_is_judged_if_it_is_limited(
    stage: Stage, judge: Judge, traffic: Traffic, word: str, milliseconds: int
) -> None:
    event = stage.at(EVENT)
    traffic(seconds=tuple(number / 100 for number in range(1, 101)))  # 10 ms … 1 s
    said = f"green's {word} is {milliseconds} ms in its worst minute"
    good = judge(hook, event, **AT_ONCE, thresholds={"p99_ms": 2000, f"{word}_ms": milliseconds})
    assert good.check(f"latency:{word}") == ("passed", said)
    bad = judge(hook, event_again(stage), **AT_ONCE, thresholds={"p99_ms": 2000, f"{word}_ms": milliseconds - 1})
    assert bad.check(f"latency:{word}") == ("failed", f"{said}, at most {milliseconds - 1} ms allowed")


def test_latency_percentiles(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(seconds=tuple(number / 100 for number in range(1, 101)))  # 10 ms … 1 s
    judgement = judge(hook, event, **AT_ONCE, thresholds={"p95_ms": 950, "p99_ms": 980})
    assert judgement.check("latency:p95") == ("passed", "green's p95 is 950 ms in its worst minute")
    assert judgement.message == "green's p99 is 990 ms in its worst minute, at most 980 ms allowed"


def test_production_that_is_slower_than_is_allowed_ends_it_at_once(
    stage: Stage, judge: Judge, traffic: Traffic
) -> None:
    event = stage.at(EVENT)
    stage.clock.after(100, lambda: traffic(seconds=(0.02, 0.7)))
    judgement = judge(hook, event, samples=0, thresholds={"p99_ms": 500})
    assert judgement.message == "green's p99 is 700 ms in its worst minute, at most 500 ms allowed"
    assert stage.clock.now == about(105)


def test_requests_without_a_latency_are_not_passed(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(seconds=())
    judgement = judge(hook, event, **AT_ONCE, thresholds={"p99_ms": 500})
    assert judgement.message == "the load balancer has requests but no p99 of TargetResponseTime"
    assert judgement.check("latency:p99")[0] == "error"


@pytest.mark.parametrize("requests", [200, 0])
def test_unhealthy_hosts_count_with_and_without_traffic(
    stage: Stage, judge: Judge, traffic: Traffic, requests: int
) -> None:
    event = stage.at(EVENT)
    traffic(requests=requests, unhealthy=1)
    judgement = judge(hook, event, **ONE_MINUTE, checks={"traffic": "warn"})
    assert not judgement.succeeded
    assert judgement.message == "1 unhealthy green targets since the shift, 0 allowed"
    assert stage.clock.now == about(60)  # a new task's first checks may still come out well
    event = event_again(stage)
    traffic(requests=requests, unhealthy=1)
    checks = {"traffic": "warn"}
    assert judge(hook, event, **AT_ONCE, thresholds={"unhealthy_hosts": 1}, checks=checks).succeeded


def test_a_minute_with_an_unhealthy_target_may_be_a_new_tasks_first(
    stage: Stage, judge: Judge, traffic: Traffic
) -> None:
    event = stage.at(EVENT)
    traffic(unhealthy=1)
    traffic(unhealthy=0, at=60)
    judgement = judge(hook, event, **AT_ONCE | {"duration": 119})
    assert judgement.check("unhealthy_hosts") == (
        "passed",
        "1 unhealthy green targets since the shift, in one minute",
    )


def test_two_minutes_with_an_unhealthy_target_end_it_at_once(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    for at in (0, 60, 120):
        traffic(unhealthy=int(at < 120), at=at)
    judgement = judge(hook, event, **AT_ONCE | {"duration": 600, "interval": 10})
    assert judgement.message == "1 unhealthy green targets since the shift, 0 allowed"
    assert stage.clock.now == about(60)


def test_two_minutes_with_an_unhealthy_target_are_too_many_though_all_are_well_again(
    stage: Stage, judge: Judge, traffic: Traffic
) -> None:
    event = stage.at(EVENT)
    for at in (0, 60, 120):
        traffic(unhealthy=int(at < 120), at=at)
    judgement = judge(hook, event, **AT_ONCE | {"duration": 179, "interval": 300})
    assert judgement.message == "1 unhealthy green targets since the shift, 0 allowed"


def test_a_bake_takes_no_negative_time(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT), **AT_ONCE | {"duration": -0.5})
    assert judgement.message == "validate_production.duration is -0.5; expected seconds from 0 to 3300."


def test_metrics_are_asked_for_by_minutes(stage: Stage, judge: Judge, now: Now) -> None:
    event = stage.at(EVENT)
    put(stage, now, 5, 7)
    judge(hook, event, **AT_ONCE, metrics={"orders": {**ORDERS, "threshold_range": {"min": 1}}})
    queries = [each for call in stage.called("cloudwatch:GetMetricData") for each in call["MetricDataQueries"]]
    asked = {(each["MetricStat"]["Metric"]["Namespace"], each["MetricStat"]["Period"]) for each in queries}
    assert asked == {("Shop", 60), ("AWS/ApplicationELB", 60), ("AWS/ECS", 60)}  # others are not to be had of AWS's own


@pytest.mark.parametrize(("initial_delay", "duration", "first"), [(60, 90, 2), (30, 90, 1), (0, 120, 1)])
def test_the_minute_of_the_shift_holds_test_traffic_and_does_not_count(  # noqa: PLR0917 - one row of the table each
    stage: Stage, judge: Judge, traffic: Traffic, now: Now, initial_delay: int, duration: int, first: int
) -> None:
    """Nor do those of the settle time."""
    stage.clock.now = 30
    event = stage.at(EVENT)
    for minute in range(first):
        traffic(errors=200, unhealthy=1, seconds=(9,), at=60 * minute)
    traffic(requests=300, at=60 * first)
    put(stage, now, *[99] * first, 7)  # the first in the minute of the shift
    settings = AT_ONCE | {
        "initial_delay": initial_delay,
        "duration": duration,
        "metrics": {"orders": ORDERS | at_most(10)},
    }
    judgement = judge(hook, event, **settings)
    assert judgement.succeeded
    assert judgement.check("error_rate")[1].startswith("0 of 300 requests to green failed")
    assert judgement.check("metric:orders") == ("passed", "metric orders: 7 (at most 10)")


def test_a_shorter_window_counts_from_the_shift_itself(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    """There might be no whole minute in it."""
    stage.clock.now = 30
    event = stage.at(EVENT)
    traffic(requests=300, errors=200)
    judgement = judge(hook, event, **AT_ONCE | {"initial_delay": 29, "duration": 90})
    assert judgement.message.startswith("200 of 300 requests to green failed")


def test_a_minute_of_few_requests_has_no_percentile(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(requests=99, seconds=(0.02,) * 98 + (9,))
    judgement = judge(hook, event, **AT_ONCE, thresholds={"p99_ms": 500})
    assert judgement.succeeded
    assert judgement.check("latency:p99") == (
        "skipped",
        "p99 needs 100 requests in a minute, and no minute had so many",
    )


def test_a_network_load_balancer_has_no_figures_and_that_is_said(stage: Stage, judge: Judge) -> None:
    kind = {"LoadBalancers": [{**stage.elbv2.describe_load_balancers()["LoadBalancers"][0], "Type": "network"}]}
    event = stage.at(EVENT)
    stage.instead["elbv2:DescribeLoadBalancers"] = lambda _: kind
    said = "a Network Load Balancer publishes no requests, errors and latencies"
    judgement = judge(hook, event, **AT_ONCE)
    assert judgement.succeeded
    assert judgement.check("traffic") == ("skipped", f"{said}: declare metrics")
    assert judgement.check("against_blue")[0] == "skipped"


def test_behind_a_network_load_balancer_unhealthy_targets_are_counted(stage: Stage, judge: Judge, now: Now) -> None:
    balancer = stage.elbv2.describe_load_balancers()["LoadBalancers"][0]
    arn = balancer["LoadBalancerArn"].replace("/app/", "/net/")
    kind = {"LoadBalancers": [{**balancer, "LoadBalancerArn": arn, "Type": "network"}]}
    event = stage.at(EVENT)
    stage.instead["elbv2:DescribeLoadBalancers"] = lambda _: kind
    dimensions = [
        {"Name": "LoadBalancer", "Value": arn.partition(":loadbalancer/")[2]},
        {"Name": "TargetGroup", "Value": stage.green_group.rpartition(":")[2]},
    ]
    for minute in (0, 1):
        at = now() + timedelta(minutes=minute)
        data = {"MetricName": "UnHealthyHostCount", "Dimensions": dimensions, "Timestamp": at, "Value": 1}
        stage.cloudwatch.put_metric_data(Namespace="AWS/NetworkELB", MetricData=[data])
    judgement = judge(hook, event, **AT_ONCE)
    assert not judgement.succeeded
    assert judgement.message == "1 unhealthy green targets since the shift, 0 allowed"
    judgement = judge(hook, event_again(stage), samples=0, thresholds={"unhealthy_hosts": 1})
    assert judgement.succeeded
    assert any("figures reach to" in c["detail"] for c in judgement["checks"] if c["name"] == "traffic")


@pytest.mark.parametrize(
    ("settings", "check", "outcome"),
    [
        ({"no_data": "fail"}, "traffic", "failed"),
        ({"thresholds": {"rejected_connections": 0}}, "rejected_connections", "error"),
        ({"thresholds": {"cpu_percent": 80}}, "cpu", "error"),
    ],
)
def test_what_is_asked_of_a_network_load_balancer_and_cannot_be_seen_is_no_pass(
    stage: Stage, judge: Judge, settings: dict[str, Any], check: str, outcome: str
) -> None:
    kind = {"LoadBalancers": [{**stage.elbv2.describe_load_balancers()["LoadBalancers"][0], "Type": "network"}]}
    event = stage.at(EVENT)
    stage.instead["elbv2:DescribeLoadBalancers"] = lambda _: kind
    judgement = judge(hook, event, **AT_ONCE, **settings)
    assert not judgement.succeeded
    assert judgement.check(check)[0] == outcome


def test_a_count_of_unhealthy_targets_that_is_not_there_is_said(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic()
    judgement = judge(hook, event, **AT_ONCE)
    assert judgement.check("unhealthy_hosts") == (
        "skipped",
        "the load balancer has published no count of unhealthy green targets",
    )


def test_on_a_rollback_deployment_no_load_is_sent_and_that_is_said(stage: Stage, judge: Judge, site: Site) -> None:
    stage.at("AfterInstall")
    settings = {**AT_ONCE, "load": {"rate": 10, "duration": 1, "path": "/load"}}
    judgement = judge(hook, stage.rollback_at(EVENT), **settings)
    assert judgement.succeeded
    assert judgement.check("load") == ("skipped", "no load is sent on a rollback deployment")
    assert "/load" not in [request.path for request in site.requests]


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
        ({"path-pattern": ["/health"]}, {"load": {"rate": 5, "duration": 1}}, False),
        ({"path-pattern": ["/health"]}, {"load": {"rate": 5, "duration": 1, "path": "/health"}}, True),
    ],
    ids=str,
)
def test_what_no_rule_takes_is_not_sent(  # noqa: PLR0917 - one row of the table each
    stage: Stage,
    judge: Judge,
    site: Site,
    conditions: dict[str, list[str]],
    settings: dict[str, Any],
    goes: bool,
) -> None:
    """Whoever the default action leads to would answer it, and well."""
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
    """The default action leads to green, a rule's customers may still be on blue."""
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
        f"of the production listener, rule 7 (host-header orders.example.com) leads to {where}: not to green "
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


ELSEWHERE = {"http_checks": {"front": {"url": "http://127.0.0.1:1/", "severity": "warn", "attempts": 1}}}
"""Nothing of the hook's own goes to green: what the load balancer counts is customers' alone."""


def test_no_traffic_passes_and_is_said(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT), **ONE_MINUTE, **ELSEWHERE)
    assert judgement.succeeded
    assert judgement.check("traffic") == (
        "skipped",
        (
            "the load balancer counted no request to shop-green in 60 s, or has not published it yet: "
            "without any there is no error rate"
        ),
    )


def test_no_traffic_fails_if_it_is_to(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    judgement = judge(hook, stage.at(EVENT), **AT_ONCE, **ELSEWHERE, no_data="fail")
    assert not judgement.succeeded
    assert judgement.message.startswith("the load balancer counted no request to shop-green in 0 s")
    event = event_again(stage)
    traffic()
    assert judge(hook, event, **AT_ONCE, no_data="fail").succeeded


def test_figures_that_come_late_are_waited_for(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    stage.clock.after(100, lambda: traffic(requests=300, at=-90))
    judgement = judge(hook, event, **{**AT_ONCE, "metrics_delay": 180}, no_data="fail")
    assert judgement.succeeded
    assert judgement.check("error_rate")[1].startswith("0 of 300 requests to green failed")
    assert stage.clock.now == about(105)  # at the next look


@pytest.mark.parametrize("delay", [180, 60])
def test_the_absence_of_figures_counts_after_the_delay_and_no_later(stage: Stage, judge: Judge, delay: int) -> None:
    judgement = judge(hook, stage.at(EVENT), **{**AT_ONCE, **ELSEWHERE, "metrics_delay": delay}, no_data="fail")
    assert not judgement.succeeded
    assert judgement.message.startswith("the load balancer counted no request to shop-green in ")
    assert stage.clock.now == about(delay)


def test_the_delay_is_counted_from_the_shift(stage: Stage, judge: Judge) -> None:
    assert not judge(
        hook, stage.at(EVENT), **{**ONE_MINUTE, **ELSEWHERE, "metrics_delay": 50}, no_data="fail"
    ).succeeded
    assert stage.clock.now == about(60)
    assert not judge(
        hook, event_again(stage), **{**ONE_MINUTE, **ELSEWHERE, "metrics_delay": 70}, no_data="fail"
    ).succeeded
    assert stage.clock.now == about(60 + 70)


def test_late_figures_may_be_bad_ones(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    stage.clock.after(100, lambda: traffic(requests=300, errors=30, at=-90))
    judgement = judge(hook, event, **{**AT_ONCE, "metrics_delay": 180})
    assert judgement.message.startswith("30 of 300 requests to green failed (10.00%)")
    assert stage.clock.now == about(105)


def test_what_is_wrong_anyhow_does_not_wait_for_late_figures(stage: Stage, judge: Judge) -> None:
    stage.create_alarm("mine", "INSUFFICIENT_DATA")
    judgement = judge(hook, stage.at(EVENT), **{**AT_ONCE, "metrics_delay": 180}, alarms={"mine": "OK"})
    assert judgement.message == "alarm mine is INSUFFICIENT_DATA, expected OK (set by the test)"
    assert stage.clock.now == 0


def test_an_alarm_that_fires_ends_the_wait_for_late_figures(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.clock.after(40, lambda: stage.set_alarm("shop-5xx", "ALARM"))
    stage.clock.after(50, lambda: stage.set_alarm("shop-5xx", "OK"))
    assert not judge(hook, event, **{**AT_ONCE, **ELSEWHERE, "metrics_delay": 180}).succeeded
    assert stage.clock.now == 45


def test_a_moments_trouble_is_borne_while_late_figures_are_waited_for(
    stage: Stage, judge: Judge, traffic: Traffic
) -> None:
    event = stage.at(EVENT)
    trouble = refuse("Throttling", "Rate exceeded")
    stage.clock.after(20, lambda: stage.instead.update({"cloudwatch:GetMetricData": trouble}))
    stage.clock.after(50, stage.instead.clear)
    stage.clock.after(70, traffic)
    assert judge(hook, event, **{**AT_ONCE, "metrics_delay": 180}, no_data="fail").succeeded
    assert stage.clock.now == about(75)


def test_the_figures_of_blue_are_not_greens(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(stage.blue_group, errors=200, seconds=(9,))
    traffic()
    assert judge(hook, event, **AT_ONCE).succeeded


@pytest.mark.parametrize(
    ("seconds", "good"),
    [
        ((0.100, 0.140), True),
        ((0.100, 0.160), False),
        ((0.010, 0.040), True),  # four times as slow, but 30 ms are noise
        ((0.400, 0.100), True),
    ],
)
def test_green_against_blue_before_the_shift(
    stage: Stage, judge: Judge, traffic: Traffic, seconds: tuple[float, float], good: bool
) -> None:
    blue, green = seconds
    event = stage.at(EVENT)
    traffic(stage.blue_group, seconds=(blue,), at=-30)
    traffic(seconds=(green,))
    judgement = judge(hook, event, **AT_ONCE, thresholds={"p99_ms": 500})
    assert judgement.succeeded is good
    for word in ("p95", "p99"):
        detail = (
            f"green's {word} is {green * 1000:.0f} ms, blue's was {blue * 1000:.0f} ms before the shift "
            f"({(green / blue - 1) * 100:+.0f} %)"
        )
        few = "; too few points (1 and 1, 8 needed) for a Mann-Whitney judgement"
        noise = ", up to 50 ms is no finding" if green == 0.040 else ""
        assert judgement.check(f"against_blue:{word}") == (
            ("passed", f"{detail}{noise}{few}") if good else ("failed", f"{detail}, at most 50 % worse allowed")
        )


def test_how_much_worse_than_blue_may_be_set(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(stage.blue_group, seconds=(0.1,), at=-30)
    traffic(seconds=(0.2,))
    assert judge(hook, event, **AT_ONCE, baseline={"max_worse_percent": 100}).succeeded
    assert not judge(hook, event_again(stage), **AT_ONCE, baseline={"max_worse_percent": 99}).succeeded


def minutes(traffic: Traffic, group: str, first: int, *seconds: float, **counts: int) -> None:
    """Publish latencies of one minute each, from the minute `first` on."""
    for at, value in enumerate(seconds):
        traffic(group, seconds=(value,), at=60 * (first + at), **counts)


BLUE = (0.2, 0.201, 0.199, 0.202, 0.198, 0.2, 0.203, 0.197, 0.2, 0.201)
TEN_MINUTES: dict[str, Any] = {**AT_ONCE, "duration": 600, "interval": 300}


def test_a_shift_to_the_worse_below_every_threshold_is_seen_over_ten_minutes(
    stage: Stage, judge: Judge, traffic: Traffic
) -> None:
    event = stage.at(EVENT)
    minutes(traffic, stage.blue_group, -10, *BLUE)
    minutes(traffic, stage.green_group, 0, *(1.4 * value for value in BLUE))
    judgement = judge(hook, event, **TEN_MINUTES, thresholds={"p99_ms": 500})
    assert not judgement.succeeded
    detail = (
        "is 280 ms, blue's was 200 ms before the shift (+40 %): a Mann-Whitney U test holds that for no chance "
        "(98 % confident, tolerance 0.25)"
    )
    for word in ("p95", "p99"):
        assert judgement.check(f"against_blue:{word}") == ("failed", f"green's {word} {detail}")
    assert judgement.check("latency:p99")[0] == "passed"


@pytest.mark.parametrize(
    ("baseline", "note"),
    [
        ({"noise_ms": 100}, "(+40 %), up to 100 ms is no finding; a Mann-Whitney U test sees a shift to the worse"),
        ({"tolerance": 1}, "(+40 %); a Mann-Whitney U test sees no shift to the worse (98 % confident, tolerance 1)"),
    ],
)
def test_what_is_borne_of_a_shift_may_be_set(
    stage: Stage, judge: Judge, traffic: Traffic, baseline: dict[str, float], note: str
) -> None:
    event = stage.at(EVENT)
    minutes(traffic, stage.blue_group, -10, *BLUE)
    minutes(traffic, stage.green_group, 0, *(1.4 * value for value in BLUE))
    judgement = judge(hook, event, **TEN_MINUTES, baseline=baseline)
    assert judgement.succeeded
    assert note in judgement.check("against_blue:p95")[1]


def test_the_same_shift_over_four_minutes_is_too_little_to_judge_and_said(
    stage: Stage, judge: Judge, traffic: Traffic
) -> None:
    event = stage.at(EVENT)
    minutes(traffic, stage.blue_group, -4, *BLUE[:4])
    minutes(traffic, stage.green_group, 0, *(1.4 * value for value in BLUE[:4]))
    judgement = judge(hook, event, **{**TEN_MINUTES, "duration": 240})
    assert judgement.succeeded
    assert judgement.check("against_blue:p95") == (
        "passed",
        (
            "green's p95 is 281 ms, blue's was 200 ms before the shift (+40 %); too few points (4 and 4, 8 needed) "
            "for a Mann-Whitney judgement"
        ),
    )


@pytest.mark.parametrize("slower", [1.0, 0.5])
def test_minutes_alike_or_better_pass(stage: Stage, judge: Judge, traffic: Traffic, slower: float) -> None:
    event = stage.at(EVENT)
    minutes(traffic, stage.blue_group, -10, *BLUE)
    minutes(traffic, stage.green_group, 0, *(slower * value for value in BLUE))
    assert judge(hook, event, **TEN_MINUTES).succeeded


def test_what_blue_did_while_the_traffic_shifted_does_not_count(
    stage: Stage, judge: Judge, now: Now, traffic: Traffic
) -> None:
    """A linear shift of ten minutes: less and less of it went to blue, which is no measure of anything."""
    event = stage.at(EVENT)
    stage.deployment.event("AllowTraffic").start_time = (now() - timedelta(minutes=10)).replace(tzinfo=None)
    minutes(traffic, stage.blue_group, -14, *(0.1,) * 4)
    minutes(traffic, stage.blue_group, -10, *(0.3,) * 10)
    minutes(traffic, stage.green_group, 0, *(0.3,) * 4)
    judgement = judge(hook, event, **{**TEN_MINUTES, "duration": 240})
    assert judgement.check("against_blue:p95") == (
        "failed",
        "green's p95 is 300 ms, blue's was 100 ms before the shift (+200 %), at most 50 % worse allowed",
    )


def test_blue_is_measured_over_an_hour(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    minutes(traffic, stage.blue_group, -130, *(0.3,) * 70)  # before that time
    minutes(traffic, stage.blue_group, -60, *(0.1,) * 60)
    minutes(traffic, stage.green_group, 0, *(0.3,) * 4)
    judgement = judge(hook, event, **{**TEN_MINUTES, "duration": 240})
    assert "blue's was 100 ms" in judgement.message
    assert "blue's share before the shift was 0.00% (0 of 12000)" in judgement.check("error_rate")[1]


def test_where_codedeploy_does_not_say_when_the_shift_began_it_ended_when_the_hook_was_called(
    stage: Stage, judge: Judge, traffic: Traffic
) -> None:
    event = stage.at(EVENT)
    stage.deployment.event("AllowTraffic").start_time = None
    traffic(stage.blue_group, seconds=(0.1,), at=-30)
    traffic(seconds=(0.3,))
    assert "blue's was 100 ms" in judge(hook, event, **AT_ONCE).message


@pytest.mark.parametrize(
    ("direction", "worst", "good", "words"),
    [
        ("decrease", 30, False, "at most 30 % worse allowed"),
        ("decrease", 40, True, "too few points"),
        ("increase", 30, True, "too few points"),
        ("either", 30, False, "at most 30 % apart allowed"),
    ],
)
def test_a_metric_of_the_users_against_blue(  # noqa: PLR0917 - one row of the table each
    stage: Stage, judge: Judge, now: Now, direction: str, worst: float, good: bool, words: str
) -> None:
    event = stage.at(EVENT)
    common = {"LoadBalancer": stage.balancer_dimension, "Stage": "live"}
    publish(stage, now, -30, 100, TargetGroup=stage.blue_group.rpartition(":")[2], **common)
    publish(stage, now, -30, 1000, TargetGroup=stage.green_group.rpartition(":")[2], **common)
    publish(stage, now, 0, 60, TargetGroup=stage.green_group.rpartition(":")[2], **common)
    metrics = {"orders": {**BY_GROUP, "max_worse_percent": worst, "direction": direction}}
    judgement = judge(hook, event, **AT_ONCE, metrics=metrics)
    assert judgement.check("metric:orders") == ("passed", "metric orders: 60 (any value)")
    outcome, detail = judgement.check("against_blue:metric:orders")
    assert (outcome, judgement.succeeded) == ("passed" if good else "failed", good)
    assert detail.startswith("green's orders is 60, blue's was 100 before the shift (-40 %)")
    assert words in detail


@pytest.mark.parametrize(
    ("settings", "outcome"), [({}, "error"), ({"no_data": "pass"}, "skipped"), ({"min_datapoints": 2}, "error")]
)
def test_a_metric_that_blue_did_not_have(
    stage: Stage, judge: Judge, now: Now, settings: dict[str, Any], outcome: str
) -> None:
    event = stage.at(EVENT)
    common = {"LoadBalancer": stage.balancer_dimension, "Stage": "live"}
    for at in (0, 60):
        publish(stage, now, at, 60, TargetGroup=stage.green_group.rpartition(":")[2], **common)
    if "min_datapoints" in settings:
        publish(stage, now, -30, 60, TargetGroup=stage.blue_group.rpartition(":")[2], **common)
    window = {**AT_ONCE, "duration": 120}
    judgement = judge(hook, event, **window, metrics={"orders": {**BY_GROUP, "max_worse_percent": 10, **settings}})
    assert judgement.check("metric:orders")[0] == "passed"
    assert judgement.check("against_blue:metric:orders")[0] == outcome
    assert judgement.succeeded is (outcome == "skipped")
    if outcome == "error":
        blue, needed = (1, 2) if settings else (0, 1)
        assert judgement.message == (
            f"metric orders has 2 datapoint(s) of green and {blue} of blue before the shift, {needed} needed of each: "
            "or set no_data"
        )


def test_an_expression_against_blue(stage: Stage, judge: Judge, now: Now) -> None:
    event = stage.at(EVENT)
    for at, failures in ((-30, 1), (0, 4)):
        publish(stage, now, at, 50)
        publish(stage, now, at, failures, "Failures")
    judgement = judge(hook, event, **AT_ONCE, metrics={"share": {**SHARE, "max_worse_percent": 100}})
    assert (
        judgement.message == "green's share is 8, blue's was 2 before the shift (+300 %), at most 100 % worse allowed"
    )


def test_the_comparison_with_blue_may_be_left_out(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(stage.blue_group, seconds=(0.1,), at=-30)
    traffic(seconds=(0.3,))
    judgement = judge(hook, event, **AT_ONCE, checks={"against_blue": "skip"}, thresholds=ONE_PERCENT)
    assert judgement.succeeded
    assert not stage.called("codedeploy:GetDeploymentTarget")


@pytest.mark.parametrize("word", ["InternalError", "PartialData"])
def test_an_incomplete_answer_is_asked_for_again_and_never_taken(stage: Stage, judge: Judge, word: str) -> None:
    event = stage.at(EVENT)
    incomplete = {"MetricDataResults": [{"Id": f"q{at}", "StatusCode": word, "Values": []} for at in range(5)]}
    stage.instead["cloudwatch:GetMetricData"] = lambda _: incomplete
    judgement = judge(hook, event, **ONE_MINUTE)
    assert not judgement.succeeded
    assert judgement.check("bake")[0] == "error"
    assert judgement.message.startswith(f"CloudWatch's answer is not complete for requests ({word}), errors ({word})")
    assert stage.clock.now == 40  # five looks in a row
    event = event_again(stage)
    stage.clock.after(15, stage.instead.clear)
    assert judge(hook, event, **ONE_MINUTE).succeeded


def test_a_metric_that_may_not_be_read(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    forbidden = {"MetricDataResults": [{"Id": "q0", "StatusCode": "Forbidden", "Values": []}]}
    stage.instead["cloudwatch:GetMetricData"] = lambda _: forbidden
    judgement = judge(hook, event, **ONE_MINUTE)
    assert judgement.message == "CloudWatch may not give the values of requests (Forbidden)"
    assert stage.clock.now == 0


def test_an_answer_without_a_metric_is_not_taken_for_no_data(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["cloudwatch:GetMetricData"] = lambda _: {"MetricDataResults": []}
    judgement = judge(hook, event, **ONE_MINUTE)
    assert not judgement.succeeded
    assert "requests (no answer)" in judgement.message


@pytest.mark.parametrize("call", ["DescribeAlarms", "GetMetricData"])
@pytest.mark.parametrize(
    ("code", "status", "words", "at"),
    [
        ("AccessDenied", 403, "cloudwatch:{} was denied: allow it in this hook's role (AccessDenied: ", 0),
        ("Throttling", 400, "cloudwatch:{} failed on every attempt (Throttling: ", 40),
        ("InternalFailure", 500, "cloudwatch:{} failed on every attempt (InternalFailure: ", 40),
        ("InvalidParameterValue", 400, "cloudwatch:{} failed: InvalidParameterValue: ", 0),
    ],
)
def test_a_cloudwatch_that_does_not_answer_is_no_pass(  # noqa: PLR0917 - one row of the table each
    stage: Stage, judge: Judge, call: str, code: str, status: int, words: str, at: float
) -> None:
    event = stage.at(EVENT)
    stage.instead[f"cloudwatch:{call}"] = refuse(code, status=status)
    judgement = judge(hook, event, **ONE_MINUTE)
    assert not judgement.succeeded
    assert judgement.check("bake")[0] == "error"
    assert judgement.message.startswith(words.format(call))
    assert stage.clock.now == at  # what passes by itself is looked at five times


@pytest.mark.parametrize("call", ["codedeploy:GetDeploymentTarget", "cloudwatch:GetMetricData"])
def test_a_comparison_that_could_not_be_made_is_no_pass(stage: Stage, judge: Judge, call: str) -> None:
    event, looks = stage.at(EVENT), []

    def denied_after_the_bake(parameters: Any) -> Any:
        looks.append(call)
        if call.startswith("cloudwatch") and len(looks) == 1:
            return stage.cloudwatch.get_metric_data(**parameters)
        return refuse("AccessDeniedException", status=403)(parameters)

    stage.instead[call] = denied_after_the_bake
    judgement = judge(hook, event, **AT_ONCE, thresholds=ONE_PERCENT)
    assert not judgement.succeeded
    assert judgement.check("against_blue")[0] == "error"
    assert judgement.message.startswith(f"{call} was denied: allow it in this hook's role")


# Metrics of the user's own.


def put(stage: Stage, now: Now, *values: float, name: str = "Orders") -> None:
    """Publish values of a metric of the shop's, a minute apart."""
    for at, value in enumerate(values):
        moment = now() + timedelta(minutes=at)
        datum = {"MetricName": name, "Timestamp": moment, "Value": value}
        stage.cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum])


ORDERS = {"namespace": "Shop", "metric_name": "Orders", "statistic": "Sum"}


def at_least(value: float) -> dict[str, Any]:
    """A metric's range without an upper end."""
    return {"threshold_range": {"min": value}}


def at_most(value: float) -> dict[str, Any]:
    """A metric's range without a lower end."""
    return {"threshold_range": {"max": value}}


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"min": 5}, ("passed", "metric orders: 7 (at least 5)")),
        ({"min": 8}, ("failed", "metric orders was 7, expected at least 8")),
        ({"max": 7}, ("passed", "metric orders: 7 (at most 7)")),
        ({"max": 6.5}, ("failed", "metric orders was 7, expected at most 6.5")),
        ({"min": 1, "max": 9}, ("passed", "metric orders: 7 (at least 1 and at most 9)")),
        ({"min": 8, "max": 9}, ("failed", "metric orders was 7, expected at least 8 and at most 9")),
    ],
)
def test_a_metric_in_its_range(
    stage: Stage, judge: Judge, now: Now, limits: dict[str, float], expected: tuple[str, str]
) -> None:
    event = stage.at(EVENT)
    put(stage, now, 7)
    judgement = judge(hook, event, **AT_ONCE, metrics={"orders": {**ORDERS, "threshold_range": limits}})
    assert judgement.check("metric:orders") == expected
    assert judgement.succeeded is (expected[0] == "passed")


def test_a_metric_outside_its_range_ends_it_at_once(stage: Stage, judge: Judge, now: Now) -> None:
    event = stage.at(EVENT)
    stage.clock.after(25, lambda: put(stage, now, 100))
    judgement = judge(hook, event, **ONE_MINUTE, metrics={"orders": {**ORDERS, **at_most(10), "no_data": "pass"}})
    assert judgement.message == "metric orders was 100, expected at most 10"
    assert stage.clock.now == 30


@pytest.mark.parametrize("limit", [2, 1])
def test_values_that_may_lie_outside(stage: Stage, judge: Judge, now: Now, limit: int) -> None:
    event = stage.at(EVENT)
    put(stage, now, 100, 5, 100)
    window = {**AT_ONCE, "duration": 180, "interval": 60}
    judgement = judge(hook, event, **window, metrics={"orders": {**ORDERS, **at_most(10), "failure_limit": limit}})
    assert judgement.succeeded is (limit == 2)
    if limit == 1:
        assert judgement.message == "metric orders was 100, 100, expected at most 10"


def test_the_minute_that_is_not_over_may_still_rise_to_the_minimum(stage: Stage, judge: Judge, now: Now) -> None:
    event = stage.at(EVENT)
    put(stage, now, 120, 118, 1)
    window = {**AT_ONCE, "duration": 130, "interval": 130}
    metrics = {"orders": {**ORDERS, **at_least(10)}}
    judgement = judge(hook, event, **window, metrics=metrics)
    assert judgement.check("metric:orders") == ("passed", "metric orders: 120, 118 (at least 10)")


def test_a_minute_that_is_over_and_below_the_minimum(stage: Stage, judge: Judge, now: Now) -> None:
    event = stage.at(EVENT)
    put(stage, now, 1, 120, 118)
    judgement = judge(hook, event, **AT_ONCE | {"duration": 119}, metrics={"orders": {**ORDERS, **at_least(10)}})
    assert judgement.check("metric:orders") == ("failed", "metric orders was 1, expected at least 10")


def test_metric_maths_of_several_series_is_not_guessed_at(stage: Stage, judge: Judge, now: Now) -> None:
    event = stage.at(EVENT)
    moment = now()

    def both(parameters: Mapping[str, Any]) -> dict[str, Any]:
        ids = [query["Id"] for query in parameters["MetricDataQueries"] if query.get("ReturnData", True)]
        one = {"StatusCode": "Complete", "Timestamps": [moment], "Values": [1.0]}
        return {"MetricDataResults": [{**one, "Id": key, "Label": label} for key in ids for label in ("a", "b")[:2]]}

    stage.instead["cloudwatch:GetMetricData"] = both
    judgement = judge(hook, event, **AT_ONCE)
    assert not judgement.succeeded
    assert "is several series (a, b, …): add them up (SUM, MAX)" in judgement.message


def test_a_metric_without_data_is_an_error_with_its_cure(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT), **ONE_MINUTE, metrics={"orders": {**ORDERS, **at_least(1)}})
    assert not judgement.succeeded
    assert judgement.check("metric:orders") == (
        "error",
        "metric orders (Shop Orders) has no data since the shift: check its name and dimensions, or set no_data",
    )
    assert stage.clock.now == about(60)  # it may still come


def test_a_metric_without_data_passes_if_it_is_to(stage: Stage, judge: Judge) -> None:
    metrics = {"orders": {**ORDERS, **at_least(1), "no_data": "pass"}}
    judgement = judge(hook, stage.at(EVENT), **AT_ONCE, metrics=metrics)
    assert judgement.succeeded
    assert judgement.check("metric:orders")[0] == "skipped"


def test_data_from_before_the_shift_do_not_count(stage: Stage, judge: Judge, now: Now) -> None:
    stage.clock.now = -120
    put(stage, now, 7)
    stage.clock.now = 0
    judgement = judge(hook, stage.at(EVENT), **AT_ONCE, metrics={"orders": {**ORDERS, **at_least(1)}})
    assert judgement.check("metric:orders")[0] == "error"


def test_a_metric_with_dimensions(stage: Stage, judge: Judge, now: Now) -> None:
    event = stage.at(EVENT)
    dimensions = [{"Name": "Service", "Value": "shop"}]
    datum = {"MetricName": "Queue", "Timestamp": now(), "Value": 3, "Dimensions": dimensions}
    stage.cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum])
    queue: dict[str, Any] = {"namespace": "Shop", "metric_name": "Queue", **at_most(5)}
    good = judge(hook, event, **AT_ONCE, metrics={"queue": {**queue, "dimensions": {"Service": "shop"}}})
    assert good.check("metric:queue") == ("passed", "metric queue: 3 (at most 5)")
    assert not judge(hook, event_again(stage), **AT_ONCE, metrics={"queue": queue}).succeeded


def test_a_metric_that_comes_late_is_waited_for(stage: Stage, judge: Judge, now: Now) -> None:
    event = stage.at(EVENT)
    stage.clock.after(100, lambda: put(stage, now, 7))
    judgement = judge(
        hook, event, **{**ONE_MINUTE, "metrics_delay": 180}, metrics={"orders": {**ORDERS, **at_least(1)}}
    )
    assert judgement.check("metric:orders") == ("passed", "metric orders: 7 (at least 1)")
    assert stage.clock.now == about(100)


def test_a_metric_that_does_not_come_counts_after_the_delay(stage: Stage, judge: Judge) -> None:
    metrics = {"orders": {**ORDERS, **at_least(1)}}
    judgement = judge(hook, stage.at(EVENT), **{**ONE_MINUTE, "metrics_delay": 180}, metrics=metrics)
    assert judgement.check("metric:orders") == (
        "error",
        "metric orders (Shop Orders) has no data since the shift: check its name and dimensions, or set no_data",
    )
    assert stage.clock.now == about(180)


@pytest.mark.parametrize(("values", "outcome"), [((), "error"), ((7, 7), "error"), ((7, 7, 7), "passed")])
def test_a_metric_needs_as_many_datapoints_as_are_wanted(
    stage: Stage, judge: Judge, now: Now, values: tuple[float, ...], outcome: str
) -> None:
    event = stage.at(EVENT)
    put(stage, now, *values)
    metrics = {"orders": {**ORDERS, **at_least(1), "min_datapoints": 3}}
    judgement = judge(hook, event, **{**AT_ONCE, "duration": 180, "interval": 60}, metrics=metrics)
    assert judgement.check("metric:orders")[0] == outcome
    if values and outcome == "error":
        found = "metric orders (Shop Orders) has 2 datapoint(s), 3 needed since the shift"
        assert judgement.message == f"{found}: check its name and dimensions, or set no_data"
    assert stage.clock.now == about(180)


def test_too_few_datapoints_pass_if_no_data_do(stage: Stage, judge: Judge, now: Now) -> None:
    event = stage.at(EVENT)
    put(stage, now, 0)
    metrics = {"orders": {**ORDERS, **at_least(1), "min_datapoints": 2, "no_data": "pass"}}
    judgement = judge(hook, event, **AT_ONCE, metrics=metrics)
    assert judgement.succeeded
    assert judgement.check("metric:orders") == (
        "skipped",
        "metric orders (Shop Orders) has 1 datapoint(s), 2 needed since the shift",
    )


# Metric maths.


FAILURES = {"namespace": "Shop", "metric_name": "Failures", "statistic": "Sum"}
SHARE: dict[str, Any] = {"expression": "100 * failures / orders", "queries": {"failures": FAILURES, "orders": ORDERS}}


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        (1, ("passed", "metric share: 2 (at most 5)")),
        (4, ("failed", "metric share was 8, expected at most 5")),
    ],
)
def test_an_expression_over_several_metrics(
    stage: Stage, judge: Judge, now: Now, failures: float, expected: tuple[str, str]
) -> None:
    event = stage.at(EVENT)
    put(stage, now, 50)
    put(stage, now, failures, name="Failures")
    put(stage, now, 50, name="Plain")
    plain = {**ORDERS, "metric_name": "Plain", **at_least(50)}
    judgement = judge(hook, event, **AT_ONCE, metrics={"share": {**SHARE, **at_most(5)}, "plain": plain})
    assert judgement.check("metric:share") == expected
    assert judgement.check("metric:plain") == ("passed", "metric plain: 50 (at least 50)")


def test_an_expression_that_comes_to_nothing_has_no_data(stage: Stage, judge: Judge, now: Now) -> None:
    event = stage.at(EVENT)
    put(stage, now, 1, name="Failures")  # by no orders nothing can be divided
    judgement = judge(hook, event, **AT_ONCE, metrics={"share": {**SHARE, **at_most(5)}})
    assert judgement.message == (
        "metric share (100 * failures / orders) has no data since the shift: check its name and dimensions, or set "
        "no_data"
    )
    settings = {"share": {**SHARE, **at_most(5), "no_data": "pass"}}
    assert judge(hook, event_again(stage), **AT_ONCE, metrics=settings).check("metric:share")[0] == "skipped"


@pytest.mark.parametrize("expression", ["failures +", "failures / customers", "MEDIAN(failures)"])
def test_an_expression_that_cannot_be_read_is_an_error_at_once(stage: Stage, judge: Judge, expression: str) -> None:
    metrics = {"share": {**SHARE, **at_most(5), "expression": expression}}
    judgement = judge(hook, stage.at(EVENT), **ONE_MINUTE, metrics=metrics)
    assert not judgement.succeeded
    assert judgement.check("bake")[0] == "error"
    assert "cloudwatch:GetMetricData failed: ValidationError: Error in expression" in judgement.message
    assert expression in judgement.message
    assert stage.clock.now == 0


ONE_OF_THEM = "metric_name or expression is needed, and only one of them"
TOGETHER = "go together: set what is missing, leave out what is left over"


@pytest.mark.parametrize(
    ("metric", "problems"),
    [
        ({"expression": "a", **at_most(1)}, [f".expression and queries {TOGETHER}"]),
        (
            {**SHARE, "metric_name": "Orders", **at_most(1)},
            [f".{ONE_OF_THEM}", f".namespace and metric_name {TOGETHER}"],
        ),
        ({"namespace": "Shop", **at_most(1)}, [f".{ONE_OF_THEM}", f".namespace and metric_name {TOGETHER}"]),
        ({"metric_name": "Orders", **at_most(1)}, [f".namespace and metric_name {TOGETHER}"]),
        (
            {"expression": "a", "queries": {"a": {"namespace": "Shop"}}, **at_most(1)},
            [".queries.a.metric_name is missing; expected a metric's name."],
        ),
        (
            {**ORDERS, "threshold_range": {"min": 2, "max": 1}},
            [".threshold_range.min is 2, above max 1: no value can lie between them"],
        ),
        (
            {**ORDERS, **at_most(1), "min_datapoints": 0},
            [".min_datapoints is 0; expected a whole number from 1 to 10000."],
        ),
        (
            {**ORDERS, **at_most(1), "direction": "up"},
            ['.direction is "up"; expected "increase", "decrease" or "either".'],
        ),
        (
            ORDERS,
            [".threshold_range.min, threshold_range.max or max_worse_percent is needed: else nothing is compared"],
        ),
    ],
)
def test_metrics_that_cannot_be_meant_are_bad_settings(
    stage: Stage, judge: Judge, site: Site, metric: dict[str, Any], problems: list[str]
) -> None:
    judgement = judge(hook, stage.at(EVENT), metrics={"orders": metric})
    assert judgement.outcomes() == {"settings": "failed"}
    assert judgement.message == "; ".join(f"validate_production.metrics.orders{problem}" for problem in problems)
    assert site.requests == []


def publish(stage: Stage, now: Now, at: float, value: float, name: str = "Orders", **dimensions: str) -> None:
    """Publish a value of a metric of the shop's, so many seconds from now."""
    named = [{"Name": key, "Value": dimension} for key, dimension in dimensions.items()]
    datum = {"MetricName": name, "Timestamp": now() + timedelta(seconds=at), "Value": value, "Dimensions": named}
    stage.cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum])


BY_GROUP: dict[str, Any] = {
    **ORDERS,
    "dimensions": {"TargetGroup": "{target_group}", "LoadBalancer": "{load_balancer}", "Stage": "live"},
}


@pytest.mark.parametrize("way", ["plain", "expression"])
def test_dimensions_may_name_greens_target_group_and_the_load_balancer(
    stage: Stage, judge: Judge, now: Now, way: str
) -> None:
    event = stage.at(EVENT)
    for group, value in ((stage.green_group, 3), (stage.blue_group, 90)):
        common = {"LoadBalancer": stage.balancer_dimension, "Stage": "live"}
        publish(stage, now, 0, value, TargetGroup=group.rpartition(":")[2], **common)
    metric = BY_GROUP if way == "plain" else {"expression": "orders * 1", "queries": {"orders": BY_GROUP}}
    judgement = judge(hook, event, **AT_ONCE, metrics={"orders": {**metric, **at_most(5)}})
    assert judgement.check("metric:orders") == ("passed", "metric orders: 3 (at most 5)")


# Requests and load.


def test_a_business_check_that_fails_ends_it_before_the_bake(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: Response(500 if request.path == "/orders" else 200, "no stock")
    checks = {"orders": {"path": "/orders", **ONE_ATTEMPT}, "front": {"path": "/"}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, samples=0, load={"rate": 10, "duration": 10})
    assert not judgement.succeeded
    assert judgement.message == "GET /orders: [STATUS] (500) expected 200-299; body: no stock"
    assert judgement.check("http:front")[0] == "passed"  # the others are asked all the same
    assert len(site.requests) == 2
    assert stage.clock.now == 0
    assert not stage.called("cloudwatch:DescribeAlarms")


def test_samples_that_fail_end_it_before_the_bake(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(200 if len(site.requests) == 1 else 503)
    judgement = judge(hook, stage.at(EVENT), samples=10)
    assert judgement.message == (
        "health: 10 of 10 requests failed (100.00%), at most 1.00% allowed: 10 times [STATUS] (503) expected 200-299"
    )
    assert stage.clock.now == about(0.2 * (2 * 10 + 10 - 1))


@pytest.fixture
def load_time(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A load's seconds are the test's."""
    timed = functools.partial(send_load, clock=clock.time, sleep=clock.sleep)
    monkeypatch.setattr("validate_production.send_load", timed)


def load_of(**changes: Any) -> dict[str, Any]:
    """Settings for twenty requests, ten a second, one at a time."""
    return {**AT_ONCE, "load": {"rate": 10, "duration": 2, "concurrency": 1, "path": "/load", **changes}}


@pytest.mark.usefixtures("load_time")
def test_the_load_that_was_asked_for(stage: Stage, judge: Judge, site: Site) -> None:
    judgement = judge(hook, stage.at(EVENT), **load_of(p99_ms=500))
    assert judgement.succeeded
    assert [request.path for request in site.requests] == ["/health"] + ["/load"] * 20 + ["/health"]
    assert judgement.check("load:error_rate") == ("passed", "0 of 20 requests failed (0.00%)")
    assert judgement.check("load:p99")[0] == "skipped"
    outcome, detail = judgement.check("load:rate")
    assert outcome == "passed"
    assert detail == "10 answers a second of 10 asked"


@pytest.mark.usefixtures("load_time")
def test_a_service_that_answers_the_load_with_errors(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(503 if len(site.requests) % 5 == 0 else 200)
    judgement = judge(hook, stage.at(EVENT), **load_of())
    assert judgement.message == "load: 4 of 20 requests failed (20.00%), at most 1.00% allowed: 4 times status 503"
    assert not stage.called("cloudwatch:DescribeAlarms")  # no bake after that


@pytest.mark.usefixtures("load_time")
def test_a_service_that_does_not_keep_up(stage: Stage, judge: Judge, site: Site) -> None:
    def slow(request: Request) -> Response:
        if request.path == "/load":
            stage.clock.sleep(0.23)
        return Response()

    site.answer = slow
    judgement = judge(hook, stage.at(EVENT), **load_of(p95_ms=300))
    outcome, detail = judgement.check("load:rate")
    assert outcome == "failed"
    assert detail.startswith("load: 4.5 answers a second of 10 asked, at least 90 % expected: ")
    assert detail.endswith("the service did not keep up, or raise concurrency from 1 to 3 or more")
    # What had to wait counts from the moment it was due: number 6 was due at 0.6 s, and answered at 0.92 s. What could
    # not be sent in time counts as well, though not as an answer.
    assert judgement.check("load:p95") == (
        "failed",
        "load: p95 310 ms of 20 answers (slowest 320 ms), at most 300 ms allowed",
    )
    assert len(site.requests) == 1 + 9


# Going back, and names.


def test_on_a_rollback_deployment_what_stays_is_judged(stage: Stage, judge: Judge) -> None:
    stage.at("AfterInstall")
    stage.world.target_health["shop-green"] = TargetState("unhealthy", "Target.Timeout")
    judgement = judge(hook, stage.rollback_at(EVENT), **AT_ONCE)
    assert judgement.succeeded
    assert judgement.check("green_serves_production")[1].startswith(
        "production traffic leads to green (shop-blue 100, shop-green 0)"
    )


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


# More than one invocation.


class Function:
    """The hook as Lambda runs it: each invocation has its time, and what it hands over to itself is kept."""

    def __init__(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        stage.create_hooks()
        self.stage = stage
        self.monkeypatch = monkeypatch
        self.arn = stage.hooks[EVENT]
        self.timeout = 900.0

    @property
    def handed(self) -> list[dict[str, Any]]:
        """The events that it invoked itself with."""
        mine = [payload for arn, payload, kind in self.stage.world.invocations if (arn, kind) == (self.arn, "Event")]
        assert len(mine) == len(self.stage.world.invocations)
        return [json.loads(payload) for payload in mine]

    def __call__(self, event: Mapping[str, Any], **settings: Any) -> Judgement:
        """Invoke it once."""
        self.monkeypatch.setenv("HOOK_SETTINGS", json.dumps(settings))
        context = SimpleNamespace(
            get_remaining_time_in_millis=lambda: int(self.timeout * 1000),
            invoked_function_arn=self.arn,
            aws_request_id=f"request-{len(self.handed)}",
        )
        return Judgement(hook.handler(event, context))

    def play(self, event: Mapping[str, Any], **settings: Any) -> list[Judgement]:
        """Invoke it, and again with each event that it hands over; the last one alone reports."""
        judgements = [self(event, **settings)]
        while judgements[-1]["status"] == "CONTINUED":
            assert self.stage.deployment.reports == []
            assert len(self.handed) == len(judgements)
            judgements.append(self(self.handed[-1], **settings))
        assert self.stage.report() == ("Succeeded" if judgements[-1].succeeded else "Failed")
        return judgements


@pytest.fixture
def function(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Function:
    """The hook's own function."""
    return Function(stage, monkeypatch)


SLOWLY: dict[str, Any] = {**AT_ONCE, "interval": 300}


def test_a_bake_that_does_not_fit_one_invocation_goes_on_in_the_next(
    stage: Stage, function: Function, site: Site, traffic: Traffic, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="gate")
    stage.create_alarm("mine")
    event = stage.at(EVENT)
    traffic(requests=500, errors=1)
    shifted_at = stage.deployment.event(EVENT).start_time
    assert shifted_at is not None
    stage.clock.after(900, lambda: traffic(requests=500))
    first, last = function.play(event, **{**SLOWLY, "duration": 1000}, alarms={"mine": "OK"})

    assert first.message == f"continued by request {stage.world.request_ids[0]}: hop 1 of 4, bake goes on"
    assert first.message in [record.getMessage() for record in caplog.records]
    looked = ["deployment", "time", "green_serves_production", "other_listeners", "http:health"]
    assert list(first.outcomes()) == looked
    assert first.check("time") == ("passed", "1000 s of settling, baking and load fit the 3000 s left")
    handed = function.handed[0]
    assert {key: value for key, value in handed.items() if key != "Continuation"} == event
    carried = handed["Continuation"]
    assert (carried["hop"], carried["request_id"], carried["check"]) == (1, "request-0", "bake")
    assert list(carried["done"]) == looked
    began = shifted_at.replace(tzinfo=timezone.utc).timestamp()
    assert carried["started_at"] == about(began)
    minutes_of = {str(int((began + second) // 60)): 1 for second in (0, 300, 600)}
    sent = {**minutes_of, str(int(began // 60)): 2}  # the check before the bake, too
    assert carried["state"] == {
        "shifted_at": about(began),
        "bake_began": about(began),
        "own": {"sent": sent, "answered": sent, "asked_for": {}},
        "asks": True,
        "failing": [],
    }

    assert last.succeeded
    assert stage.clock.now == about(1000)
    assert len(site.requests) == 1 + 5, "earlier checks are not made again, but at each look"
    assert [check["name"] for check in last["checks"] if not check["name"].startswith("against_blue")] == [
        "deployment", "time", "green_serves_production", "other_listeners", "http:health",
        "green_serves_production", "http:health",
        "unhealthy_hosts", "error_rate", "alarms:shop-5xx", "alarms:mine",
    ]  # fmt: skip
    assert last.check("error_rate") == (
        "passed",
        f"1 of 1000 requests to green failed (0.10%) in 1000 s{WITHOUT_BLUE}",
    )
    at = [call.at for call in stage.calls if call.name == "cloudwatch:DescribeAlarms"]
    assert at == [about(second) for second in (0, 300, 600, 850, 1000)], "no gap is longer than the interval"


def test_an_alarm_that_fires_in_a_later_invocation_ends_it(stage: Stage, function: Function) -> None:
    event = stage.at(EVENT)
    stage.clock.after(1000, lambda: stage.set_alarm("shop-5xx", "ALARM"))
    judgements = function.play(event, **{**SLOWLY, "duration": 2000})
    assert judgements[-1].message == "alarm shop-5xx is ALARM, expected not ALARM (set by the test)"
    assert (len(judgements), stage.clock.now) == (2, about(1150))


def test_forty_five_minutes_take_four_invocations(stage: Stage, function: Function, site: Site) -> None:
    judgements = function.play(stage.at(EVENT), **{**SLOWLY, "initial_delay": 60, "duration": 2700})
    assert [judgement["status"] for judgement in judgements] == ["CONTINUED"] * 3 + ["SUCCEEDED"]
    assert stage.clock.now == about(2760)
    assert len(site.requests) == 1 + 11  # every 300 s, and where an invocation begins or ends


def test_a_settle_time_that_is_longer_than_an_invocation(stage: Stage, function: Function) -> None:
    judgements = function.play(stage.at(EVENT), **{**SLOWLY, "initial_delay": 1800, "duration": 60})
    assert [judgement["status"] for judgement in judgements] == ["CONTINUED"] * 2 + ["SUCCEEDED"]
    assert [call.at for call in stage.calls if call.name == "cloudwatch:DescribeAlarms"] == [
        about(second) for second in (0, 850, 1700, 1800, 1860)
    ]  # those of the settle time are for what fires, or does not exist, already


@pytest.mark.parametrize(
    ("timeout", "invocations"),
    [(60, 3), (40, 4), (35, 5)],  # a half for looking, of which a quarter is kept for handing over
)
def test_small_time_outs(stage: Stage, function: Function, timeout: float, invocations: int) -> None:
    """Below the least that the module takes they leave too little for other checks: who wants to is only warned."""
    function.timeout = timeout
    judgements = function.play(stage.at(EVENT), **{**SLOWLY, "duration": 60}, checks={"time": "warn"})
    assert judgements[-1].succeeded
    assert judgements[-1].check("time")[0] == ("passed" if timeout == 60 else "failed")
    assert len(judgements) == invocations
    assert stage.clock.now == about(60)


def test_an_interval_longer_than_an_invocation_uses_each_of_them_up(stage: Stage, function: Function) -> None:
    function.timeout = 120
    judgements = function.play(stage.at(EVENT), **{**SLOWLY, "duration": 300}, checks={"time": "warn"})
    assert (len(judgements), judgements[-1].succeeded) == (5, True)
    assert judgements[-1].check("time") == ("failed", too_long(300, 250))
    assert stage.clock.now == about(300)


@pytest.mark.usefixtures("load_time")
def test_a_load_is_sent_once(stage: Stage, function: Function, site: Site) -> None:
    first, last = function.play(stage.at(EVENT), **{**load_of(), **SLOWLY, "duration": 1000})
    paths = [request.path for request in site.requests]
    assert paths == ["/health"] + ["/load"] * 20 + ["/health"] * 5
    assert last.check("load:rate") == first.check("load:rate") == ("passed", "10 answers a second of 10 asked")
    assert last.succeeded


def test_what_was_found_out_before_and_may_warn_is_kept(stage: Stage, function: Function, site: Site) -> None:
    site.answer = lambda _: Response(503, "busy")
    settings = {**SLOWLY, "duration": 1000, "http_checks": {"front": ONE_ATTEMPT}, "checks": {"http": "warn"}}
    _, last = function.play(stage.at(EVENT), **settings)
    assert last.succeeded
    assert last.message.endswith("2 warned: GET /: [STATUS] (503) expected 200-299; body: busy")


def test_what_was_not_as_expected_is_not_measured_in_a_later_invocation(
    stage: Stage, function: Function, site: Site
) -> None:
    """After a check that failed there are no samples, in whatever invocation."""
    site.answer = lambda _: Response(503)
    settings = {**SLOWLY, "duration": 1000, "http_checks": {"front": ONE_ATTEMPT}, "checks": {"http": "warn"}}
    _, last = function.play(stage.at(EVENT), **{**settings, "samples": 100})
    assert len(site.requests) == 1 + 5
    assert "samples:front:error_rate" not in last.outcomes()
    assert last.succeeded


def test_after_four_hops_a_bake_that_is_not_over_fails(stage: Stage, function: Function, now: Now) -> None:
    event = stage.at(EVENT)
    state = {"shifted_at": now().timestamp(), "bake_began": now().timestamp()}
    done = {"time": [{"name": "time", "outcome": "passed", "severity": "fail", "detail": "fits"}]}
    carried = {"started_at": now().timestamp(), "hop": 4, "check": "bake", "state": state, "done": done}
    judgement = function({**event, "Continuation": carried}, **{**SLOWLY, "duration": 871})
    assert (judgement.succeeded, function.handed, stage.report()) == (False, [], "Failed")
    assert judgement.message.startswith("the bake takes 871 s, and only 870 s are left")


def test_a_bake_window_that_was_cut_short_is_no_pass(
    stage: Stage, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("validate_production.Production._stay", lambda *_: False)
    judgement = judge(hook, stage.at(EVENT), **ONE_MINUTE)
    assert judgement.message == "the bake window was cut short: 60 s of it were left"
    assert judgement.check("bake")[0] == "error"
    assert stage.clock.now == 0, "there is nothing to wait for"


LOAD_TOO_LONG = (
    "load has warm_up 241 and duration 600; a load is not interrupted, and an invocation has 840 s for it: "
    "shorten load or raise timeout"
)


@pytest.mark.usefixtures("load_time")
@pytest.mark.parametrize(
    ("timeout", "settings", "words"),
    [
        (900, {"duration": 900, "max_duration": 880}, too_long(900, 760)),
        (900, {"duration": 2881}, too_long(2881, 2880)),
        (100, {"duration": 169}, too_long(169, 168, 112)),
        (
            900,
            {"duration": 60, "load": {"rate": 1, "duration": 600, "warm_up": 241}},
            LOAD_TOO_LONG,
        ),
    ],
)
def test_a_window_that_does_not_fit_all_invocations_is_refused_at_once(  # noqa: PLR0917 - one row of the table each
    stage: Stage, function: Function, site: Site, timeout: float, settings: dict[str, Any], words: str
) -> None:
    function.timeout = timeout
    [judgement] = function.play(stage.at(EVENT), **{**AT_ONCE, **settings})
    assert judgement.message == words
    assert (site.requests, function.handed, stage.clock.now) == ([], [], 0)


def test_late_figures_are_waited_for_in_the_next_invocation(stage: Stage, function: Function, traffic: Traffic) -> None:
    function.timeout = 130
    event = stage.at(EVENT)
    stage.clock.after(250, traffic)
    judgements = function.play(event, **{**AT_ONCE, "metrics_delay": 400, "interval": 20}, no_data="fail")
    assert [judgement["status"] for judgement in judgements] == ["CONTINUED"] * 3 + ["SUCCEEDED"]
    assert stage.clock.now == about(260)


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        ("AccessDeniedException", 403, "lambda:InvokeFunction was denied: allow it in this hook's role"),
        ("TooManyRequestsException", 429, "lambda:InvokeFunction failed on every attempt (TooManyRequestsException"),
    ],
)
def test_a_hand_over_that_is_refused_is_reported_failed_at_once(
    stage: Stage, function: Function, code: str, status: int, words: str
) -> None:
    event = stage.at(EVENT)
    stage.instead["lambda:Invoke"] = refuse(code, status=status)
    [judgement] = function.play(event, **{**SLOWLY, "duration": 1000})
    assert judgement.message.startswith(f"the hook could not be handed over: {words}")
    assert judgement.check("bake")[0] == "error"
    assert judgement.check("http:health")[0] == "passed"
    assert stage.clock.now == about(850)


def test_a_function_that_was_deleted_meanwhile_is_reported(stage: Stage, function: Function) -> None:
    event = stage.at(EVENT)
    stage.functions.delete_function(FunctionName=function.arn)
    [judgement] = function.play(event, **{**SLOWLY, "duration": 1000})
    assert "lambda:InvokeFunction failed: ResourceNotFoundException" in judgement.message


def test_of_two_deliveries_of_a_hop_one_report_is_accepted(stage: Stage, function: Function) -> None:
    settings = {**SLOWLY, "duration": 1000}
    function(stage.at(EVENT), **settings)
    twice = [function(function.handed[0], **settings) for _ in range(2)]
    assert [judgement.succeeded for judgement in twice] == [True, True]
    reports = stage.deployment.reports
    assert [(report.status, report.error) for report in reports] == [
        ("Succeeded", None),
        ("Succeeded", "LifecycleEventAlreadyCompletedException"),
    ]


def test_a_deployment_that_was_stopped_meanwhile_is_not_baked_any_more(stage: Stage, function: Function) -> None:
    settings = {**SLOWLY, "duration": 1000}
    function(stage.at(EVENT), **settings)
    stage.deployment.set_status("Stopped")
    stage.calls.clear()
    judgement = function(function.handed[0], **settings)
    assert judgement.message.endswith("is already Stopped: there is nothing left to judge")
    assert not stage.called("cloudwatch:DescribeAlarms")


def test_a_continuation_that_the_hook_did_not_write_is_reported(stage: Stage, function: Function, site: Site) -> None:
    event = stage.at(EVENT)
    [judgement] = function.play({**event, "Continuation": {"hop": 1, "done": {"bake": []}}}, **AT_ONCE)
    assert judgement.outcomes() == {"event": "failed"}
    assert judgement.message.endswith("its Continuation is not one that this hook wrote")
    assert site.requests == []


def test_values_of_which_cloudwatch_does_not_say_the_metric(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    answer = {"MetricDataResults": [{"Label": "x", "Values": [1.0], "StatusCode": "Complete"}]}
    stage.instead["cloudwatch:GetMetricData"] = lambda _: answer
    judgement = judge(hook, event, **AT_ONCE)
    assert not judgement.succeeded
    assert judgement.check("bake") == ("error", "cloudwatch:GetMetricData answered values, and not of which metric")
