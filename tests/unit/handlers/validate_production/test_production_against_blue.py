"""AfterAllowTraffic: green against blue before the shift. What is worse, test_figures_against_blue.py proves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import validate_production as hook

from rehearsal.testing.stage import Judge, Stage, refuse
from tests.unit.handlers.validate_production.helpers import (
    AT_ONCE,
    BY_GROUP,
    EVENT,
    FIVE_MINUTES,
    ONE_PERCENT,
    SLOWLY,
    Now,
    Traffic,
    minutes,
    publish,
)

pytestmark = pytest.mark.usefixtures("site", "now", "counted")


@pytest.mark.smoke
def test_a_service_that_has_become_slow_fails(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    minutes(traffic, stage.blue_group, -60, 60, seconds=(0.2,))
    minutes(traffic, stage.green_group, 0, 5, seconds=(0.4,))
    judgement = judge(hook, event, **FIVE_MINUTES)
    assert judgement.message == (
        "green's p95 is 400 ms, blue's was 200 ms before the shift (+100 %), at most 50 % worse allowed"
    )


def test_a_first_deployment_of_a_slow_service_passes_and_says_that_nothing_was_compared(
    stage: Stage, judge: Judge, traffic: Traffic
) -> None:
    event = stage.at(EVENT)
    minutes(traffic, stage.green_group, 0, 5, seconds=(0.9,))
    judgement = judge(hook, event, **FIVE_MINUTES)
    assert judgement.succeeded
    assert judgement.check("against_blue:p95") == (
        "skipped",
        "no datapoints of p95 for blue before the shift: nothing to compare",
    )
    assert "warned" not in judgement.message


def test_a_shift_to_the_worse_below_every_threshold_is_seen_over_ten_minutes(
    stage: Stage, judge: Judge, traffic: Traffic
) -> None:
    event = stage.at(EVENT)
    before = (0.2, 0.201, 0.199, 0.202, 0.198, 0.2, 0.203, 0.197, 0.2, 0.201)
    for minute, value in enumerate(before):
        traffic(stage.blue_group, seconds=(value,), at=60 * (minute - 10))
        traffic(seconds=(1.4 * value,), at=60 * minute)
    judgement = judge(hook, event, **SLOWLY | {"duration": 600}, thresholds={"p99_ms": 500})
    assert not judgement.succeeded
    detail = (
        "is 280 ms, blue's was 200 ms before the shift (+40 %): a Mann-Whitney U test holds that for no chance "
        "(98 % confident, tolerance 0.25)"
    )
    for word in ("p95", "p99"):
        assert judgement.check(f"against_blue:{word}") == ("failed", f"green's {word} {detail}")
    assert judgement.check("latency:p99")[0] == "passed"


def test_what_blue_did_while_the_traffic_shifted_does_not_count(
    stage: Stage, judge: Judge, now: Now, traffic: Traffic
) -> None:
    """A linear shift of ten minutes: less and less of it went to blue, which is no measure of anything."""
    event = stage.at(EVENT)
    stage.deployment.event("AllowTraffic").start_time = (now() - timedelta(minutes=10)).replace(tzinfo=None)
    minutes(traffic, stage.blue_group, -14, 4, seconds=(0.1,))
    minutes(traffic, stage.blue_group, -10, 10, seconds=(0.3,), errors=200)
    minutes(traffic, stage.green_group, 0, 5, seconds=(0.3,))
    judgement = judge(hook, event, **FIVE_MINUTES)
    assert judgement.check("against_blue:p95") == (
        "failed",
        "green's p95 is 300 ms, blue's was 100 ms before the shift (+200 %), at most 50 % worse allowed",
    )
    assert judgement.check("error_rate")[1].endswith("blue's share before the shift was 0.00% (0 of 800)")


def test_blue_is_measured_over_an_hour(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    minutes(traffic, stage.blue_group, -130, 70, seconds=(0.3,), errors=200)  # before that time
    minutes(traffic, stage.blue_group, -60, 60, seconds=(0.1,))
    minutes(traffic, stage.green_group, 0, 5, seconds=(0.3,))
    judgement = judge(hook, event, **FIVE_MINUTES)
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


def test_a_metric_of_the_users_against_blue(stage: Stage, judge: Judge, now: Now) -> None:
    event = stage.at(EVENT)
    common = {"LoadBalancer": stage.balancer_dimension, "Stage": "live"}
    publish(stage, now, -30, 100, TargetGroup=stage.blue_group.rpartition(":")[2], **common)
    publish(stage, now, -30, 1000, TargetGroup=stage.green_group.rpartition(":")[2], **common)
    publish(stage, now, 0, 60, TargetGroup=stage.green_group.rpartition(":")[2], **common)
    metrics = {"orders": {**BY_GROUP, "max_worse_percent": 30, "direction": "decrease"}}
    judgement = judge(hook, event, **AT_ONCE, metrics=metrics)
    assert judgement.check("metric:orders") == ("passed", "metric orders: 60 (any value)")
    assert judgement.message == (
        "green's orders is 60, blue's was 100 before the shift (-40 %), at most 30 % worse allowed"
    )


def test_the_comparison_with_blue_may_be_left_out(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic(stage.blue_group, seconds=(0.1,), at=-30)
    traffic(seconds=(0.3,))
    judgement = judge(hook, event, **AT_ONCE, checks={"against_blue": "skip"}, thresholds=ONE_PERCENT)
    assert judgement.succeeded
    assert not stage.called("codedeploy:GetDeploymentTarget")


def test_without_a_bake_nothing_is_compared(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    minutes(traffic, stage.blue_group, -60, 60, seconds=(0.1,))
    judgement = judge(hook, event, samples=0, checks={"bake": "skip"})
    assert judgement.succeeded
    assert judgement.check("against_blue") == ("skipped", "there was no bake, so there are no figures of green")


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


def test_blues_figures_that_cannot_be_read_are_no_pass(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    traffic()
    answers = [None, None]

    def once(parameters: Any) -> Any:
        if not answers:
            return {"MetricDataResults": [{"Id": "q0", "StatusCode": "Forbidden", "Values": []}]}
        answers.pop()
        return stage.cloudwatch.get_metric_data(**parameters)

    stage.instead["cloudwatch:GetMetricData"] = once
    answers.pop()
    judgement = judge(hook, event, **AT_ONCE)
    assert judgement.check("bake") == ("error", "CloudWatch may not give the values of requests (Forbidden)")


# What the hook itself sent


def test_minutes_in_which_the_hooks_own_requests_are_many_are_not_compared(
    stage: Stage, judge: Judge, traffic: Traffic
) -> None:
    """Its own checks may be slower than customers' requests are: four a minute, of which customers have 30."""
    event = stage.at(EVENT)
    minutes(traffic, stage.blue_group, -60, 60, seconds=(0.1,))
    minutes(traffic, stage.green_group, 0, 5, seconds=(2.0,), requests=34)
    judgement = judge(hook, event, **{**FIVE_MINUTES, "interval": 15})
    assert judgement.succeeded
    assert judgement.check("against_blue:p95") == (
        "skipped",
        "the hook's own requests are more than a tenth of green's in each minute: its p95 is not compared",
    )


@pytest.mark.usefixtures("load_time")
def test_a_load_is_the_hooks_own(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    minutes(traffic, stage.blue_group, -60, 60, seconds=(0.1,))
    minutes(traffic, stage.green_group, 0, 1, seconds=(2.0,), requests=300)
    minutes(traffic, stage.green_group, 1, 5, seconds=(0.1,), requests=300)
    load = {"rate": 2, "duration": 20, "warm_up": 10, "concurrency": 1}
    judgement = judge(hook, event, **FIVE_MINUTES, load=load)
    assert judgement.succeeded
    assert judgement.check("against_blue:p95")[1].startswith("green's p95 is 100 ms, blue's was 100 ms")


# Errors


@pytest.mark.parametrize(("errors", "ok"), [(50, True), (90, False)])
def test_greens_share_of_errors_is_held_against_blues(
    stage: Stage, judge: Judge, traffic: Traffic, errors: int, ok: bool
) -> None:
    event = stage.at(EVENT)
    traffic(stage.blue_group, requests=10_000, errors=500, at=-1800)
    traffic(requests=1000, errors=errors)
    judgement = judge(hook, event, **AT_ONCE)
    assert judgement.succeeded is ok
    assert judgement.check("error_rate")[1].endswith("blue's share before the shift was 5.00% (500 of 10000)")
