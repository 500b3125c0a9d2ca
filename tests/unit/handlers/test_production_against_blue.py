"""AfterAllowTraffic: latency and errors against blue's, and the hook's own requests, which are not blamed on green."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import validate_production as hook
from gate.load import send_load

from tests.unit.handlers.stage import Clock, Judge, Stage
from tests.unit.handlers.test_validate_production import Function
from tests.unit.handlers.web import Response, Site

EVENT = "AfterAllowTraffic"
AT_ONCE: dict[str, Any] = {"initial_delay": 0, "duration": 0, "samples": 0, "metrics_delay": 0}
FIVE_MINUTES: dict[str, Any] = {**AT_ONCE, "duration": 300, "interval": 60}

Now = Callable[[], datetime]
Traffic = Callable[..., None]

pytestmark = pytest.mark.usefixtures("site", "now")


def minutes(traffic: Traffic, group: str, first: int, count: int, **figures: Any) -> None:
    """Publish the same figures for so many minutes, from the minute `first` on."""
    for minute in range(first, first + count):
        traffic(group, at=60 * minute, **figures)


# Latency.


@pytest.mark.parametrize("settings", [{}, {"thresholds": {"p99_ms": None}}])
def test_a_service_that_is_slow_and_always_was_passes(
    stage: Stage, judge: Judge, traffic: Traffic, settings: dict[str, Any]
) -> None:
    event = stage.at(EVENT)
    minutes(traffic, stage.blue_group, -60, 60, seconds=(0.9,))
    minutes(traffic, stage.green_group, 0, 5, seconds=(0.9,))
    judgement = judge(hook, event, **FIVE_MINUTES, **settings)
    assert judgement.succeeded
    assert judgement.check("against_blue:p95")[1].startswith(
        "green's p95 is 900 ms, blue's was 900 ms before the shift (+0 %)"
    )
    assert "warned" not in judgement.message


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


@pytest.fixture
def load_time(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A load's seconds are the test's."""
    timed = functools.partial(send_load, clock=clock.time, sleep=clock.sleep)
    monkeypatch.setattr("validate_production.send_load", timed)


@pytest.mark.usefixtures("load_time")
def test_samples_and_load_have_no_limit_of_latency_by_default(
    stage: Stage, judge: Judge, site: Site, traffic: Traffic
) -> None:
    def slow(_request: Any) -> Response:
        stage.clock.sleep(0.9)
        return Response()

    site.answer = slow
    event = stage.at(EVENT)
    traffic()
    load = {"rate": 1, "duration": 3}
    settings = {**AT_ONCE, "samples": 2, "concurrency": 1, "duration": 60}
    judgement = judge(hook, event, **settings, load=load)
    assert judgement.succeeded
    assert [name for name in judgement.outcomes() if name.startswith(("samples:", "load:"))] == [
        "samples:health:error_rate", "load:error_rate", "load:rate",
    ]  # fmt: skip


# What the hook itself sent.


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


def test_minutes_in_which_customers_are_many_are_compared(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    minutes(traffic, stage.blue_group, -60, 60, seconds=(0.1,))
    minutes(traffic, stage.green_group, 0, 4, seconds=(0.1,), requests=30)
    minutes(traffic, stage.green_group, 4, 1, seconds=(2.0,), requests=50)
    judgement = judge(hook, event, **{**FIVE_MINUTES, "interval": 15})
    assert judgement.message.startswith("green's p95 is 2000 ms, blue's was 100 ms before the shift")


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


MAINTENANCE: dict[str, Any] = {"http_checks": {"off": {"path": "/admin", "status": ["503"]}, "front": {}}}


@pytest.mark.parametrize("others", [0, 90])
def test_an_error_that_a_check_expects_is_not_blamed_on_green(
    stage: Stage, judge: Judge, site: Site, traffic: Traffic, others: int
) -> None:
    """The hook asks for /admin four times in the first minute, and three times in the second."""
    site.answer = lambda request: Response(503 if request.path == "/admin" else 200)
    event = stage.at(EVENT)
    for minute, own in ((0, 4), (1, 3)):
        traffic(requests=200 + own, errors=own + others, at=60 * minute)
    judgement = judge(hook, event, **{**AT_ONCE, "duration": 110, "interval": 25}, **MAINTENANCE)
    assert judgement.succeeded is (not others)
    if not others:
        assert judgement.check("error_rate")[1].startswith("0 of 400 requests to green failed (0.00%) in 110 s")


def test_an_error_that_no_check_expects_is_greens(stage: Stage, judge: Judge, site: Site, traffic: Traffic) -> None:
    site.answer = lambda _: Response(503)
    event = stage.at(EVENT)
    traffic(requests=20, errors=10)
    judgement = judge(hook, event, **AT_ONCE, http_checks={"front": {"severity": "warn", "attempts": 1}})
    assert judgement.message.startswith("10 of 20 requests to green failed (50.00%)")


def test_what_was_sent_is_known_in_a_fresh_invocation(
    stage: Stage, site: Site, traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = Function(stage, monkeypatch)
    site.answer = lambda request: Response(503 if request.path == "/admin" else 200)
    event = stage.at(EVENT)
    minutes(traffic, stage.green_group, 0, 17, requests=200, errors=1)
    settings = {**AT_ONCE, "duration": 1000, "interval": 50}
    judgements = function.play(event, **settings, **MAINTENANCE)
    assert len(judgements) == 2
    assert len(str(function.handed[0]["Continuation"]["state"])) < 2000
    assert judgements[-1].check("error_rate")[1].startswith("0 of 337")  # 3400 less its own


# Errors.


@pytest.mark.parametrize(
    ("blue", "green", "good"),
    [
        ((10_000, 0), (1000, 0), True),
        ((10_000, 500), (1000, 50), True),  # 5 % as before
        ((10_000, 500), (1000, 60), True),  # a little more
        ((10_000, 500), (1000, 90), False),
        ((10_000, 10), (1000, 15), True),
        ((10_000, 10), (1000, 30), False),
        ((10_000, 0), (30, 1), True),  # by chance
        ((10_000, 0), (30, 3), False),
        ((0, 0), (1000, 12), True),  # a first deployment
        ((0, 0), (1000, 30), False),
        ((1000, 1000), (1000, 1000), True),  # this deployment may be the mending, or not: no worse than blue
    ],
)
def test_greens_share_of_errors_is_held_against_blues(  # noqa: PLR0917 - one row of the table each
    stage: Stage, judge: Judge, traffic: Traffic, blue: tuple[int, int], green: tuple[int, int], good: bool
) -> None:
    event = stage.at(EVENT)
    if blue[0]:
        traffic(stage.blue_group, requests=blue[0], errors=blue[1], at=-1800)
    traffic(requests=green[0], errors=green[1])
    judgement = judge(hook, event, **AT_ONCE)
    assert judgement.succeeded is good
    detail = judgement.check("error_rate")[1]
    assert detail.startswith(f"{green[1]} of {green[0]} requests to green failed ({green[1] / green[0]:.2%}) in 0 s")
    share = f"{blue[1] / blue[0]:.2%} ({blue[1]} of {blue[0]})" if blue[0] else "0, without a request"
    assert detail.endswith(f"blue's share before the shift was {share}")
    if not good:
        allowed = (blue[1] / blue[0] if blue[0] else 0) + 0.01
        assert f", more than chance explains where {allowed:.2%} are allowed: " in detail
    assert "against_blue:error_rate" not in judgement.outcomes()


@pytest.mark.parametrize(("requests", "at"), [(100, 0), (60, 60)])
def test_too_many_errors_of_enough_requests_end_it_at_once(
    stage: Stage, judge: Judge, traffic: Traffic, requests: int, at: float
) -> None:
    """Of a few the share may still come right."""
    event = stage.at(EVENT)
    traffic(requests=requests, errors=10)
    assert not judge(hook, event, **{**AT_ONCE, "duration": 60, "interval": 10}).succeeded
    assert stage.clock.now == pytest.approx(at, abs=0.5)


@pytest.mark.parametrize(("limit", "good"), [(0.2, True), (0.05, False)])
def test_a_limit_of_the_users_comes_first(
    stage: Stage, judge: Judge, traffic: Traffic, limit: float, good: bool
) -> None:
    event = stage.at(EVENT)
    traffic(stage.blue_group, requests=1000, errors=300 if not good else 0, at=-1800)
    traffic(requests=1000, errors=100)
    judgement = judge(hook, event, **AT_ONCE, thresholds={"error_rate": limit})
    assert judgement.succeeded is good
    assert "blue" not in judgement.check("error_rate")[1]


def test_what_blue_did_while_the_traffic_shifted_or_long_before_does_not_count(
    stage: Stage, judge: Judge, traffic: Traffic
) -> None:
    event = stage.at(EVENT)
    for seconds in (-3700, 30):
        traffic(stage.blue_group, requests=1000, errors=1000, at=seconds)
    traffic(requests=1000, errors=100)
    judgement = judge(hook, event, **AT_ONCE)
    assert not judgement.succeeded
    assert judgement.check("error_rate")[1].endswith("blue's share before the shift was 0, without a request")


def test_samples_keep_their_limit_of_errors(stage: Stage, judge: Judge, site: Site, traffic: Traffic) -> None:
    site.answer = lambda request: Response(500 if request.number % 10 == 0 else 200)
    event = stage.at(EVENT)
    traffic()
    judgement = judge(hook, event, **{**AT_ONCE, "samples": 20})
    assert judgement.check("samples:health:error_rate")[0] == "failed"
    assert "at most 1.00% allowed" in judgement.message


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


def test_a_metric_that_was_mostly_zero_is_worse_where_more_minutes_are_not(
    stage: Stage, judge: Judge, traffic: Traffic, now: Now
) -> None:
    """Its median is 0 before and after."""
    event = stage.at(EVENT)
    traffic()
    answers = {
        stage.blue_group.rpartition(":")[2]: [1.0 if at % 12 == 0 else 0.0 for at in range(60)],
        stage.green_group.rpartition(":")[2]: [4.0 if at % 3 == 0 else 0.0 for at in range(60)],
    }
    real = stage.cloudwatch.get_metric_data

    def answer(parameters: Any) -> Any:
        metric = parameters["MetricDataQueries"][0]["MetricStat"]["Metric"]
        if metric["Namespace"] != "Shop":
            return real(**parameters)
        values = answers[metric["Dimensions"][0]["Value"]]
        stamps = [now() + timedelta(minutes=at - 60) for at in range(60)]
        result = {"Id": "q0", "Label": "x", "StatusCode": "Complete", "Timestamps": stamps, "Values": values}
        return {"MetricDataResults": [result]}

    stage.instead["cloudwatch:GetMetricData"] = answer
    failures = {
        "namespace": "Shop", "metric_name": "Failures", "dimensions": {"TargetGroup": "{target_group}"},
        "max_worse_percent": 0,
    }  # fmt: skip
    judgement = judge(hook, event, **AT_ONCE, metrics={"failures": failures})
    assert judgement.message == (
        "green's failures is 1.33 on average, blue's was 0.0833 before the shift (+1500 %): a Mann-Whitney U test "
        "holds that for no chance (98 % confident)"
    )
