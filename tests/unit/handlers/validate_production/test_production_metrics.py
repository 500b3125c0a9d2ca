"""AfterAllowTraffic: metrics of the user's own. What their values mean, test_figures_of_metrics.py proves."""

from __future__ import annotations

from typing import Any

import pytest
import validate_production as hook

from rehearsal.testing.stage import Judge, Stage, refuse
from tests.unit.handlers.validate_production.helpers import (
    AT_ONCE,
    BY_GROUP,
    EVENT,
    ONE_MINUTE,
    ORDERS,
    Now,
    about,
    at_least,
    at_most,
    event_again,
    publish,
    put,
)

pytestmark = pytest.mark.usefixtures("site", "now", "counted")


@pytest.mark.smoke
def test_a_metric_outside_its_range_ends_it_at_once(stage: Stage, judge: Judge, now: Now) -> None:
    event = stage.at(EVENT)
    stage.clock.after(25, lambda: put(stage, now, 100))
    judgement = judge(hook, event, **ONE_MINUTE, metrics={"orders": {**ORDERS, **at_most(10), "no_data": "pass"}})
    assert judgement.message == "metric orders was 100, expected at most 10"
    assert stage.clock.now == 30


def test_a_metric_without_data_is_an_error_with_its_cure(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT), **ONE_MINUTE, metrics={"orders": {**ORDERS, **at_least(1)}})
    assert not judgement.succeeded
    assert judgement.check("metric:orders") == (
        "error",
        "metric orders (Shop Orders) has no data since the shift: check its name and dimensions, or set no_data",
    )
    assert stage.clock.now == about(60)  # it may still come


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


def test_dimensions_may_name_greens_target_group_and_the_load_balancer(stage: Stage, judge: Judge, now: Now) -> None:
    event = stage.at(EVENT)
    for group, value in ((stage.green_group, 3), (stage.blue_group, 90)):
        common = {"LoadBalancer": stage.balancer_dimension, "Stage": "live"}
        publish(stage, now, 0, value, TargetGroup=group.rpartition(":")[2], **common)
    judgement = judge(hook, event, **AT_ONCE, metrics={"orders": {**BY_GROUP, **at_most(5)}})
    assert judgement.check("metric:orders") == ("passed", "metric orders: 3 (at most 5)")


def test_metrics_are_asked_for_by_minutes(stage: Stage, judge: Judge, now: Now) -> None:
    event = stage.at(EVENT)
    put(stage, now, 5, 7)
    judge(hook, event, **AT_ONCE, metrics={"orders": {**ORDERS, "threshold_range": {"min": 1}}})
    queries = [each for call in stage.called("cloudwatch:GetMetricData") for each in call["MetricDataQueries"]]
    asked = {(each["MetricStat"]["Metric"]["Namespace"], each["MetricStat"]["Period"]) for each in queries}
    assert asked == {("Shop", 60), ("AWS/ApplicationELB", 60), ("AWS/ECS", 60)}  # others are not to be had of AWS's own


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


# CloudWatch's answers


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


def test_values_of_which_cloudwatch_does_not_say_the_metric(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    answer = {"MetricDataResults": [{"Label": "x", "Values": [1.0], "StatusCode": "Complete"}]}
    stage.instead["cloudwatch:GetMetricData"] = lambda _: answer
    judgement = judge(hook, event, **AT_ONCE)
    assert not judgement.succeeded
    assert judgement.check("bake") == ("error", "cloudwatch:GetMetricData answered values, and not of which metric")


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
