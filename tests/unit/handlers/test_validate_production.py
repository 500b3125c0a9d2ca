"""AfterAllowTraffic: green serves production, through a bake window, and what cannot get better is not waited for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import gate.http_checks
import pytest
import validate_production as hook

from rehearsal.aws.world import TargetState
from tests.unit.handlers.stage import Clock, Judge, Stage
from tests.unit.handlers.web import Request, Response, Site

EVENT = "AfterAllowTraffic"
AT_ONCE: dict[str, Any] = {"initial_delay": 0, "duration": 0, "samples": 0}
ONE_MINUTE: dict[str, Any] = {"initial_delay": 0, "duration": 60, "interval": 10, "samples": 0}
ONE_ATTEMPT: dict[str, Any] = {"attempts": 1}

Now = Callable[[], datetime]

pytestmark = pytest.mark.usefixtures("site", "now")


@pytest.fixture
def traffic(stage: Stage, now: Now) -> Callable[..., None]:
    """Publish what the load balancer counted on a target group, so many seconds from now."""

    def publish(
        group: str = "",
        *,
        requests: int = 200,
        errors: int = 0,
        seconds: tuple[float, ...] = (0.02,),
        unhealthy: int | None = None,
        at: float = 0,
    ) -> None:
        group = group or stage.green_group
        dimensions = [
            {"Name": "LoadBalancer", "Value": stage.load_balancer.partition(":loadbalancer/")[2]},
            {"Name": "TargetGroup", "Value": group.rpartition(":")[2]},
        ]
        values: list[tuple[str, float]] = [("TargetResponseTime", value) for value in seconds if requests]
        values += [("RequestCount", requests)] if requests else []
        values += [("HTTPCode_Target_5XX_Count", errors)] if errors else []  # AWS publishes neither at 0
        values += [] if unhealthy is None else [("UnHealthyHostCount", unhealthy)]
        moment = now() + timedelta(seconds=at)
        data = [
            {"MetricName": name, "Dimensions": dimensions, "Timestamp": moment, "Value": value}
            for name, value in values
        ]
        stage.cloudwatch.put_metric_data(Namespace="AWS/ApplicationELB", MetricData=data)

    return publish


Traffic = Callable[..., None]


def test_a_healthy_green_passes_after_the_bake_window(stage: Stage, judge: Judge, site: Site, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(requests=500, errors=2, seconds=(0.02, 0.03), unhealthy=0)
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert stage.clock.now == 60 + 300
    assert judgement.check("time") == ("passed", "360 s of settling, baking and load fit the 870 s left")
    assert judgement.check("production_listener") == (
        "passed",
        "production leads to green (shop-blue 0, shop-green 100), 2 of 2 target(s) healthy",
    )
    assert judgement.check("http:health") == ("passed", "GET /health: 200 in 0 ms")
    assert judgement.check("error_rate:health") == ("passed", "0 of 100 requests failed (0.00%)")
    assert judgement.check("alarms:shop-5xx") == ("passed", "alarm shop-5xx is OK")
    assert judgement.check("error_rate") == ("passed", "2 of 500 requests to green answered 5xx (0.40%) in 360 s")
    assert judgement.check("latency_p99") == ("passed", "green's p99 is 30 ms in its worst minute")
    assert judgement.check("unhealthy_hosts") == (
        "passed",
        "at most 0 green target(s) unhealthy at once since the shift",
    )
    assert judgement.check("against_blue") == (
        "skipped",
        "shop-blue has no figures before the shift to compare with",
    )
    assert {request.host for request in site.requests} == {stage.dns_name}  # port 80
    assert len(site.requests) == 1 + 100
    assert len(stage.called("cloudwatch:DescribeAlarms")) == 21  # every 15 s, and at the end


def test_it_only_reads(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic()
    judge(hook, event, **AT_ONCE)
    assert {call.name for call in stage.calls} - {"cloudwatch:PutMetricData"} == {
        "codedeploy:GetDeployment",
        "codedeploy:GetDeploymentGroup",
        "codedeploy:PutLifecycleEventHookExecutionStatus",
        "ecs:DescribeServices",
        "elbv2:DescribeTargetGroups",
        "elbv2:DescribeListeners",
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
    assert judgement.message.startswith("no green target is healthy: green target 10.0.")
    assert ":8000 is unhealthy (Target.Timeout: Request timed out)" in judgement.message
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


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"initial_delay": 100, "duration": 800}, "initial_delay and duration come to 900 s"),
        (
            {"initial_delay": 60, "duration": 600, "load": {"rate": 1, "duration": 300}},
            "initial_delay, duration and load come to 960 s",
        ),
    ],
)
def test_a_window_that_does_not_fit_is_refused_at_once(
    stage: Stage, judge: Judge, site: Site, settings: dict[str, Any], words: str
) -> None:
    judgement = judge(hook, stage.at(EVENT), **settings)
    assert not judgement.succeeded
    assert judgement.message == f"{words}, the function has 870 s left: shorten them or raise timeout"
    assert stage.clock.now == 0
    assert site.requests == []


def test_a_window_is_never_cut_short(stage: Stage, judge: Judge, site: Site) -> None:
    """The checks before it took so long that it no longer fits."""

    def slow(_request: Request) -> Response:
        stage.clock.sleep(50)
        return Response()

    site.answer = slow
    checks = {"front": {"timeout": 60}}
    judgement = judge(hook, stage.at(EVENT), initial_delay=0, duration=840, samples=0, http_checks=checks)
    assert not judgement.succeeded
    assert judgement.message == (
        "initial_delay and duration come to 840 s, the function has 820 s left: shorten them or raise timeout"
    )
    assert not stage.called("cloudwatch:DescribeAlarms")


# Alarms.


def test_an_alarm_that_fires_ends_it_at_once(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.clock.after(95, lambda: stage.set_alarm("shop-5xx", "ALARM", "Threshold crossed: 12 errors"))
    judgement = judge(hook, event, samples=0)
    assert not judgement.succeeded
    assert judgement.message == "alarm shop-5xx is ALARM, expected not ALARM (Threshold crossed: 12 errors)"
    assert stage.clock.now == 105


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


def test_an_error_rate_above_its_threshold_ends_it_at_once(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(requests=200, errors=5)
    judgement = judge(hook, event, **ONE_MINUTE)
    assert not judgement.succeeded
    assert judgement.message == ("5 of 200 requests to green answered 5xx (2.50%) in 0 s, at most 1.00% allowed")
    assert stage.clock.now == 0


def test_an_error_rate_of_few_requests_may_still_come_right(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(requests=10, errors=1)
    stage.clock.after(30, lambda: traffic(requests=300))
    judgement = judge(hook, event, **ONE_MINUTE)
    assert judgement.succeeded
    assert judgement.check("error_rate") == ("passed", "1 of 310 requests to green answered 5xx (0.32%) in 60 s")


def test_an_error_rate_of_few_requests_counts_at_the_end(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(requests=10, errors=1)
    judgement = judge(hook, event, **ONE_MINUTE)
    assert not judgement.succeeded
    assert judgement.message.startswith("1 of 10 requests to green answered 5xx (10.00%) in 60 s")
    assert judge(hook, event_again(stage), **AT_ONCE, thresholds={"error_rate": 0.1}).succeeded


def event_again(stage: Stage) -> dict[str, str]:
    """The same moment of another deployment."""
    stage.deployment.set_status("Stopped")
    return stage.at(EVENT)


def test_latency_percentiles(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(seconds=tuple(number / 100 for number in range(1, 101)))  # 10 ms … 1 s
    judgement = judge(hook, event, **AT_ONCE, thresholds={"p95_ms": 950, "p99_ms": 980})
    assert judgement.check("latency_p95") == ("passed", "green's p95 is 950 ms in its worst minute")
    assert judgement.message == "green's p99 is 990 ms in its worst minute, at most 980 ms allowed"


def test_production_is_too_slow_by_default(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    stage.clock.after(100, lambda: traffic(seconds=(0.02, 0.7)))
    judgement = judge(hook, event, samples=0)
    assert judgement.message == "green's p99 is 700 ms in its worst minute, at most 500 ms allowed"
    assert stage.clock.now == 105


def test_requests_without_a_latency_are_not_passed(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(seconds=())
    judgement = judge(hook, event, **AT_ONCE)
    assert judgement.message == "the load balancer has requests but no p99 of TargetResponseTime"
    assert judgement.check("latency_p99")[0] == "error"


@pytest.mark.parametrize("requests", [200, 0])
def test_unhealthy_hosts_count_with_and_without_traffic(
    stage: Stage, judge: Judge, traffic: Traffic, requests: int
) -> None:
    event = stage.at(EVENT)
    traffic(requests=requests, unhealthy=1)
    judgement = judge(hook, event, **ONE_MINUTE)
    assert not judgement.succeeded
    assert judgement.message == "at most 1 green target(s) unhealthy at once since the shift, 0 allowed"
    assert stage.clock.now == 0
    assert judge(hook, event_again(stage), **AT_ONCE, thresholds={"unhealthy_hosts": 1}).succeeded


def test_no_traffic_passes_and_is_said(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT), **ONE_MINUTE)
    assert judgement.succeeded
    assert judgement.check("traffic") == (
        "skipped",
        "the load balancer counted no request to shop-green in 60 s, or has not published it yet",
    )


def test_no_traffic_fails_if_it_is_to(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    judgement = judge(hook, stage.at(EVENT), **AT_ONCE, no_data="fail")
    assert not judgement.succeeded
    assert judgement.message.startswith("the load balancer counted no request to shop-green in 0 s")
    event = event_again(stage)
    traffic()
    assert judge(hook, event, **AT_ONCE, no_data="fail").succeeded


def test_the_figures_of_blue_are_not_greens(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(stage.blue_group, errors=200, seconds=(9,))
    assert judge(hook, event, **AT_ONCE, no_data="pass").succeeded


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
    judgement = judge(hook, event, **AT_ONCE)
    assert judgement.succeeded is good
    detail = (
        f"green's p95 is {green * 1000:.0f} ms, blue's was {blue * 1000:.0f} ms before the shift "
        f"({(green / blue - 1) * 100:+.0f} %)"
    )
    assert judgement.check("against_blue") == (
        ("passed", detail) if good else ("failed", f"{detail}, at most 50 % worse allowed")
    )


def test_how_much_worse_than_blue_may_be_set(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(stage.blue_group, seconds=(0.1,), at=-30)
    traffic(seconds=(0.2,))
    assert judge(hook, event, **AT_ONCE, thresholds={"max_worse_percent": 100}).succeeded
    assert not judge(hook, event_again(stage), **AT_ONCE, thresholds={"max_worse_percent": 99}).succeeded


@pytest.mark.parametrize("word", ["InternalError", "PartialData"])
def test_an_incomplete_answer_is_asked_for_again_and_never_taken(stage: Stage, judge: Judge, word: str) -> None:
    event = stage.at(EVENT)
    incomplete = {"MetricDataResults": [{"Id": f"q{at}", "StatusCode": word, "Values": []} for at in range(5)]}
    stage.instead["cloudwatch:GetMetricData"] = lambda _: incomplete
    judgement = judge(hook, event, **ONE_MINUTE)
    assert not judgement.succeeded
    assert judgement.check("bake")[0] == "error"
    assert judgement.message.startswith(f"CloudWatch's answer is not complete for requests ({word}), errors ({word})")
    assert stage.clock.now == 30  # four looks in a row
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


# Metrics of the user's own.


def put(stage: Stage, now: Now, *values: float, name: str = "Orders") -> None:
    """Publish values of a metric of the shop's, a minute apart."""
    for at, value in enumerate(values):
        moment = now() + timedelta(minutes=at)
        datum = {"MetricName": name, "Timestamp": moment, "Value": value}
        stage.cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum])


ORDERS = {"namespace": "Shop", "metric_name": "Orders", "statistic": "Sum"}


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
    judgement = judge(hook, event, **AT_ONCE, metrics={"orders": {**ORDERS, **limits}})
    assert judgement.check("metric:orders") == expected
    assert judgement.succeeded is (expected[0] == "passed")


def test_a_metric_outside_its_range_ends_it_at_once(stage: Stage, judge: Judge, now: Now) -> None:
    event = stage.at(EVENT)
    stage.clock.after(25, lambda: put(stage, now, 100))
    judgement = judge(hook, event, **ONE_MINUTE, metrics={"orders": {**ORDERS, "max": 10, "no_data": "pass"}})
    assert judgement.message == "metric orders was 100, expected at most 10"
    assert stage.clock.now == 30


def test_values_that_may_lie_outside(stage: Stage, judge: Judge, now: Now) -> None:
    event = stage.at(EVENT)
    put(stage, now, 100, 5, 100)
    window = {"initial_delay": 0, "duration": 180, "interval": 60, "samples": 0}
    assert judge(hook, event, **window, metrics={"orders": {**ORDERS, "max": 10, "failure_limit": 2}}).succeeded
    event = event_again(stage)
    put(stage, now, 100, 5, 100)
    judgement = judge(hook, event, **window, metrics={"orders": {**ORDERS, "max": 10, "failure_limit": 1}})
    assert judgement.message == "metric orders was 100, 100, expected at most 10"


def test_a_metric_without_data_is_an_error_with_its_cure(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT), **ONE_MINUTE, metrics={"orders": {**ORDERS, "min": 1}})
    assert not judgement.succeeded
    assert judgement.check("metric:orders") == (
        "error",
        "metric orders (Shop Orders) has no data since the shift: check its name and dimensions, or set no_data",
    )
    assert stage.clock.now == 60  # it may still come


def test_a_metric_without_data_passes_if_it_is_to(stage: Stage, judge: Judge) -> None:
    metrics = {"orders": {**ORDERS, "min": 1, "no_data": "pass"}}
    judgement = judge(hook, stage.at(EVENT), **AT_ONCE, metrics=metrics)
    assert judgement.succeeded
    assert judgement.check("metric:orders")[0] == "skipped"


def test_data_from_before_the_shift_do_not_count(stage: Stage, judge: Judge, now: Now) -> None:
    stage.clock.now = -120
    put(stage, now, 7)
    stage.clock.now = 0
    judgement = judge(hook, stage.at(EVENT), **AT_ONCE, metrics={"orders": {**ORDERS, "min": 1}})
    assert judgement.check("metric:orders")[0] == "error"


def test_a_metric_with_dimensions(stage: Stage, judge: Judge, now: Now) -> None:
    event = stage.at(EVENT)
    dimensions = [{"Name": "Service", "Value": "shop"}]
    datum = {"MetricName": "Queue", "Timestamp": now(), "Value": 3, "Dimensions": dimensions}
    stage.cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum])
    queue: dict[str, Any] = {"namespace": "Shop", "metric_name": "Queue", "max": 5}
    good = judge(hook, event, **AT_ONCE, metrics={"queue": {**queue, "dimensions": {"Service": "shop"}}})
    assert good.check("metric:queue") == ("passed", "metric queue: 3 (at most 5)")
    assert not judge(hook, event_again(stage), **AT_ONCE, metrics={"queue": queue}).succeeded


def test_a_metric_without_a_range_is_a_bad_setting(stage: Stage, judge: Judge, site: Site) -> None:
    judgement = judge(hook, stage.at(EVENT), metrics={"orders": ORDERS})
    assert judgement.outcomes() == {"settings": "failed"}
    assert "metric Shop/Orders has neither min nor max" in judgement.message
    assert site.requests == []


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
        "health: 10 of 10 requests failed (100.00%), at most 1.00% allowed: 10 times status 503"
    )
    assert stage.clock.now == 0


@pytest.fixture
def load_time(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A load's seconds are the test's."""

    class Timed:
        monotonic = staticmethod(clock.time)

    class Event:
        def __init__(self) -> None:
            self._set = False

        def wait(self, seconds: float) -> bool:
            clock.sleep(seconds)
            return self._set

        def is_set(self) -> bool:
            return self._set

        def set(self) -> None:
            self._set = True

    monkeypatch.setattr(gate.http_checks, "time", Timed)
    monkeypatch.setattr(gate.http_checks, "threading", SimpleNamespace(Event=Event, local=threading.local))


def load_of(**changes: Any) -> dict[str, Any]:
    """Settings for twenty requests, ten a second, one at a time."""
    return {**AT_ONCE, "load": {"rate": 10, "duration": 2, "concurrency": 1, "path": "/load", **changes}}


@pytest.mark.usefixtures("load_time")
def test_the_load_that_was_asked_for(stage: Stage, judge: Judge, site: Site) -> None:
    judgement = judge(hook, stage.at(EVENT), **load_of())
    assert judgement.succeeded
    assert [request.path for request in site.requests] == ["/health"] + ["/load"] * 20
    assert judgement.check("error_rate:load") == ("passed", "0 of 20 requests failed (0.00%)")
    assert judgement.check("latency_p99:load")[0] == "skipped"
    outcome, detail = judgement.check("rate:load")
    assert outcome == "passed"
    assert detail.endswith(" requests a second reached of 10 asked")


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
            stage.clock.sleep(0.2)
        return Response()

    site.answer = slow
    judgement = judge(hook, stage.at(EVENT), **load_of(p95_ms=500))
    assert judgement.check("rate:load") == (
        "failed",
        "load: 5 requests a second reached of 10 asked: the service did not keep up, or concurrency is too low",
    )
    # What had to wait counts from the moment it was due: the 19th of 20 was due at 1.8 s, and answered at 3.8 s.
    assert judgement.check("latency_p95:load") == (
        "failed",
        "load: p95 2000 ms of 20 answers (slowest 2100 ms), at most 500 ms allowed",
    )


# Going back, and names.


def test_on_a_rollback_deployment_what_stays_is_judged(stage: Stage, judge: Judge) -> None:
    stage.at("AfterInstall")
    stage.world.target_health["shop-green"] = TargetState("unhealthy", "Target.Timeout")
    judgement = judge(hook, stage.rollback_at(EVENT), **AT_ONCE)
    assert judgement.succeeded
    assert judgement.check("production_listener")[1].startswith(
        "production leads to green (shop-blue 100, shop-green 0)"
    )


def test_the_names_of_checks_can_be_set(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    stage.set_alarm("shop-5xx", "ALARM")
    stage.create_alarm("mine", "ALARM")
    event = stage.at(EVENT)
    traffic(errors=100, seconds=(2,))
    settings = {**AT_ONCE, "alarms": {"mine": "OK"}}
    bad = {"alarms:shop-5xx": "warn", "alarms:mine": "warn", "error_rate": "warn", "latency_p99": "warn"}
    assert judge(hook, event, **settings, checks=bad).succeeded
    for name in bad:
        others = {key: value for key, value in bad.items() if key != name}
        judgement = judge(hook, event_again(stage), **settings, checks=others)
        assert not judgement.succeeded
        assert judgement.check(name)[0] == "failed"
    assert judge(hook, event_again(stage), **settings, checks={"bake": "warn"}).succeeded
