"""AfterAllowTraffic: the load balancer's figures, and how long they are waited for.

What they mean, tests/unit/gate/test_figures_*.py prove.
"""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import validate_production as hook

from rehearsal.testing.stage import CLUSTER, SERVICE, Judge, Stage, refuse
from rehearsal.testing.web import Response, Site
from tests.unit.handlers.validate_production.helpers import (
    AT_ONCE,
    BAKE,
    ELSEWHERE,
    EVENT,
    FIVE_MINUTES,
    MAINTENANCE,
    ONE_MINUTE,
    ONE_PERCENT,
    ORDERS,
    Now,
    Traffic,
    about,
    at_most,
    event_again,
    minutes,
    put,
)

pytestmark = pytest.mark.usefixtures("site", "now", "counted")


@pytest.mark.smoke
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


def test_targets_that_cannot_be_reached_are_errors_and_told_apart(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(requests=200, errors=2, unreachable=3)
    judgement = judge(hook, event, **AT_ONCE, thresholds=ONE_PERCENT)
    assert judgement.message == (
        "5 of 200 requests to green failed (2.50%) in 0 s, 3 of them because no target could be reached, "
        "at most 1.00% allowed"
    )


def test_too_many_rejected_connections_end_it_at_once(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(rejected=3)
    assert not judge(hook, event, **ONE_MINUTE, thresholds={"rejected_connections": 2}).succeeded
    assert stage.clock.now == 0


@pytest.mark.parametrize(("word", "metric"), [("cpu", "CPUUtilization"), ("memory", "MemoryUtilization")])
def test_utilisation_is_said_and_limited_if_it_is_to_be(
    stage: Stage, judge: Judge, now: Now, word: str, metric: str
) -> None:
    event = stage.at(EVENT)
    dimensions = [{"Name": "ClusterName", "Value": CLUSTER}, {"Name": "ServiceName", "Value": SERVICE}]
    for minute, value in enumerate((60, 80)):
        datum = {"MetricName": metric, "Timestamp": now() + timedelta(minutes=minute), "Value": value}
        stage.cloudwatch.put_metric_data(Namespace="AWS/ECS", MetricData=[{**datum, "Dimensions": dimensions}])
    window = {**AT_ONCE, "duration": 120, "interval": 60}
    judgement = judge(hook, event, **window, thresholds={f"{word}_percent": 69.9})
    said = f"the service's {word} utilisation (blue and green together) is 70 % on average, at most 69.9 % allowed"
    assert judgement.message == said
    assert stage.clock.now == about(120)  # an average may still come down


def test_each_latency_is_judged_if_it_is_limited(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(seconds=tuple(number / 100 for number in range(1, 101)))  # 10 ms … 1 s
    limits = {"p50": 500, "p90": 900, "p95": 950, "p99": 990, "max": 1000}
    judgement = judge(hook, event, **AT_ONCE, thresholds={f"{word}_ms": limit for word, limit in limits.items()})
    assert judgement.succeeded
    for word, milliseconds in limits.items():
        said = f"green's {word} is {milliseconds} ms in its worst minute"
        assert judgement.check(f"latency:{word}") == ("passed", said)


def test_production_that_is_slower_than_is_allowed_ends_it_at_once(
    stage: Stage, judge: Judge, traffic: Traffic
) -> None:
    event = stage.at(EVENT)
    stage.clock.after(100, lambda: traffic(seconds=(0.02, 0.7)))
    judgement = judge(hook, event, samples=0, thresholds={"p99_ms": 500})
    assert judgement.message == "green's p99 is 700 ms in its worst minute, at most 500 ms allowed"
    assert stage.clock.now == about(105)


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


def test_the_minute_of_the_shift_holds_test_traffic_and_does_not_count(
    stage: Stage, judge: Judge, traffic: Traffic, now: Now
) -> None:
    """Nor do those of the settle time."""
    stage.clock.now = 30
    event = stage.at(EVENT)
    for minute in range(2):
        traffic(errors=200, unhealthy=1, seconds=(9,), at=60 * minute)
    traffic(requests=300, at=120)
    put(stage, now, 99, 99, 7)  # the first in the minute of the shift
    settings = AT_ONCE | {"initial_delay": 60, "duration": 90, "metrics": {"orders": ORDERS | at_most(10)}}
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


def test_the_figures_of_blue_are_not_greens(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(stage.blue_group, errors=200, seconds=(9,))
    traffic()
    assert judge(hook, event, **AT_ONCE).succeeded


def test_a_network_load_balancer_has_no_figures_and_that_is_said(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.change_load_balancer(Type="network")
    judgement = judge(hook, event, **AT_ONCE)
    assert judgement.succeeded
    said = "a Network Load Balancer publishes no requests, errors and latencies: declare metrics"
    assert judgement.check("traffic") == ("skipped", said)
    assert judgement.check("against_blue") == ("skipped", "a Network Load Balancer has no figures to compare")


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


# Figures that come late, or never


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


def test_that_customers_are_gone_is_said_loudly(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    """Blue had some each minute, who may have been tests."""
    event = stage.at(EVENT)
    minutes(traffic, stage.blue_group, -60, 60, requests=10)
    judgement = judge(hook, event, **FIVE_MINUTES, **ELSEWHERE, checks={"http": "skip"})
    assert judgement.succeeded, judgement.message
    assert "1 warned: the load balancer counted no request to shop-green" in judgement.message
    assert "and blue had 600 in the time before the shift" in judgement.message


def test_figures_that_come_late_are_waited_for_and_may_be_bad_ones(
    stage: Stage, judge: Judge, traffic: Traffic
) -> None:
    event = stage.at(EVENT)
    stage.clock.after(100, lambda: traffic(requests=300, errors=30, at=-90))
    judgement = judge(hook, event, **{**AT_ONCE, "metrics_delay": 180})
    assert judgement.message.startswith("30 of 300 requests to green failed (10.00%)")
    assert stage.clock.now == about(105)  # at the next look


@pytest.mark.parametrize("late", [60, 170])
def test_a_minute_is_published_so_much_after_it_is_over(
    stage: Stage, judge: Judge, traffic: Traffic, late: float
) -> None:
    event = stage.at(EVENT)
    for minute in range(10):
        arrives = 60 * (minute + 1) + late

        def publish(minute: int = minute, arrives: float = arrives) -> None:
            traffic(requests=4, unhealthy=0, at=60 * minute - arrives)

        stage.clock.after(arrives, publish)
    judgement = judge(hook, event, **AT_ONCE | {"duration": 120, "metrics_delay": 180})
    assert judgement.succeeded, judgement.message
    assert judgement.check("error_rate")[0] == "passed"


def test_the_absence_of_figures_counts_after_the_delay_and_no_later(stage: Stage, judge: Judge) -> None:
    settings = {**AT_ONCE, **ELSEWHERE, "metrics_delay": 180, "no_data": "fail"}
    judgement = judge(hook, stage.at(EVENT), **settings)
    assert not judgement.succeeded
    assert judgement.message.startswith("the load balancer counted no request to shop-green in ")
    assert stage.clock.now == about(180)


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


# The hook's own requests


def test_own_requests_that_cloudwatch_has_not_seen_after_its_delay_are_an_error(
    stage: Stage, judge: Judge, traffic: Traffic
) -> None:
    del traffic  # nothing is published
    judgement = judge(hook, stage.at(EVENT), samples=0)
    assert not judgement.succeeded
    outcome, detail = judgement.check("traffic")
    assert outcome == "error"
    assert re.fullmatch(
        "the load balancer counted no request to shop-green in 300 s, or has not published it yet, though 2[01] of the "
        "hook's own were answered: check who answers, or metrics_delay",
        detail,
    )
    assert stage.clock.now == about(360)


def test_own_requests_are_waited_for_as_long_as_cloudwatch_may_be_late_and_no_longer(
    stage: Stage, judge: Judge, traffic: Traffic
) -> None:
    """The first minute has to be over, then to be published."""
    del traffic
    assert not judge(hook, stage.at(EVENT), **{**BAKE, "duration": 60, "metrics_delay": 180}).succeeded
    assert stage.clock.now == about(60 + 180)


def test_what_the_load_balancer_may_have_answered_itself_need_not_be_seen(
    stage: Stage, judge: Judge, site: Site, traffic: Traffic
) -> None:
    """It logs in or redirects without a target."""
    del traffic
    site.answer = lambda _: Response(302, headers={"Location": "/login"})
    judgement = judge(hook, stage.at(EVENT), **ONE_MINUTE, http_checks={"front": {"status": ["200-399"]}})
    assert judgement.succeeded
    assert judgement.check("traffic")[0] == "skipped"


def test_an_error_that_a_check_expects_is_not_blamed_on_green(
    stage: Stage, judge: Judge, site: Site, traffic: Traffic
) -> None:
    """The hook asks for /admin four times in the first minute, and three times in the second."""
    site.answer = lambda request: Response(503 if request.path == "/admin" else 200)
    event = stage.at(EVENT)
    for minute, own in ((0, 4), (1, 3)):
        traffic(requests=200 + own, errors=own, at=60 * minute)
    judgement = judge(hook, event, **{**AT_ONCE, "duration": 110, "interval": 25}, **MAINTENANCE)
    assert judgement.check("error_rate")[1].startswith("0 of 400 requests to green failed (0.00%) in 110 s")
