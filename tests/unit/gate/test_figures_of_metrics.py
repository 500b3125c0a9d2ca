"""gate.figures: the user's own metrics against their range, and what a metric has to be."""

from __future__ import annotations

import json
from typing import Any

import pytest
from gate.figures import Missing, judge_metric
from gate.options.production import Metric, ValidateProduction
from gate.settings import BadSettings, read_settings
from gate.verdict import Finding

from tests.unit.gate.measured import at, options, series

ORDERS: dict[str, Any] = {"namespace": "Shop", "metric_name": "Orders", "statistic": "Sum"}


def metric(**document: Any) -> Metric:
    """The metric `orders`, as the options have it."""
    return options(metrics={"orders": {**ORDERS, **document}}).metrics["orders"]


def judged(*values: float, now: float = 600, **document: Any) -> Finding:
    """The finding about one value a minute."""
    return judge_metric("orders", metric(**document), series(*values), at(now))


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"min": 5}, ("passed", "metric orders: 7 (at least 5)")),
        ({"min": 7}, ("passed", "metric orders: 7 (at least 7)")),
        ({"min": 8}, ("failed", "metric orders was 7, expected at least 8")),
        ({"max": 7}, ("passed", "metric orders: 7 (at most 7)")),
        ({"max": 6.5}, ("failed", "metric orders was 7, expected at most 6.5")),
        ({"min": 1, "max": 9}, ("passed", "metric orders: 7 (at least 1 and at most 9)")),
        ({"min": 8, "max": 9}, ("failed", "metric orders was 7, expected at least 8 and at most 9")),
    ],
)
def test_a_metric_in_its_range(limits: dict[str, float], expected: tuple[str, str]) -> None:
    found = judged(7, threshold_range=limits)
    assert (found.outcome, found.detail) == expected
    assert found.terminal is not found.ok


@pytest.mark.parametrize(("limit", "ok"), [(2, True), (1, False)])
def test_values_that_may_lie_outside(limit: int, ok: bool) -> None:
    found = judged(100, 5, 100, threshold_range={"max": 10}, failure_limit=limit)
    assert found.ok is ok
    if not ok:
        assert found.detail == "metric orders was 100, 100, expected at most 10"


@pytest.mark.parametrize(
    ("values", "now", "expected"),
    [
        # The minute that is not over may still rise to the minimum …
        ((120, 118, 1), 130, ("passed", "metric orders: 120, 118 (at least 10)")),
        ((120, 118, 11), 130, ("passed", "metric orders: 120, 118, 11 (at least 10)")),
        ((1, 120), 119, ("failed", "metric orders was 1, expected at least 10")),
        # … but where it is the only one it is all there is.
        ((1,), 30, ("failed", "metric orders was 1, expected at least 10")),
    ],
)
def test_a_period_that_is_not_over(values: tuple[float, ...], now: float, expected: tuple[str, str]) -> None:
    found = judged(*values, now=now, threshold_range={"min": 10})
    assert (found.outcome, found.detail) == expected


def test_a_period_that_is_not_over_may_exceed_a_maximum_already() -> None:
    assert judged(5, 100, now=90, threshold_range={"max": 10}).outcome == "failed"


def test_a_period_of_five_minutes_is_over_after_five() -> None:
    declared = metric(period=300, threshold_range={"min": 10})
    assert judge_metric("orders", declared, series(120, 1), at(310)).ok, "the second began at 1 min, and ends at 6 min"
    assert not judge_metric("orders", declared, series(120, 1), at(360)).ok


@pytest.mark.parametrize(
    ("values", "needed", "found"),
    [((), 1, "no data"), ((), 3, "no data"), ((7, 7), 3, "2 datapoint(s), 3 needed")],
)
def test_a_metric_needs_as_many_datapoints_as_are_wanted(values: tuple[float, ...], needed: int, found: str) -> None:
    limits: dict[str, Any] = {"threshold_range": {"min": 1}, "min_datapoints": needed}
    said = f"metric orders (Shop Orders) has {found} since the shift"
    missing = judged(*values, **limits)
    assert (missing.outcome, missing.value) == ("error", Missing.DATA)
    assert missing.detail == f"{said}: check its name and dimensions, or set no_data"
    passes = judged(*values, **limits, no_data="pass")
    assert (passes.outcome, passes.detail, passes.value) == ("skipped", said, Missing.DATA)


def test_as_many_datapoints_as_are_wanted_are_enough() -> None:
    assert judged(7, 7, 7, threshold_range={"min": 1}, min_datapoints=3).outcome == "passed"


LIMITED: dict[str, Any] = {"threshold_range": {"max": 1}}


@pytest.mark.parametrize(
    ("document", "problems"),
    [
        ({"namespace": "Shop", **LIMITED}, [".metric_name is missing; expected a metric's name."]),
        ({"metric_name": "Orders", **LIMITED}, [".namespace is missing; expected a namespace."]),
        (
            {**ORDERS, "threshold_range": {"min": 2, "max": 1}},
            [".threshold_range.min is 2, above max 1: no value can lie between them"],
        ),
        (
            {**ORDERS, **LIMITED, "min_datapoints": 0},
            [".min_datapoints is 0; expected a whole number from 1 to 10000."],
        ),
        (
            {**ORDERS, **LIMITED, "direction": "up"},
            ['.direction is "up"; expected "increase", "decrease" or "either".'],
        ),
        (
            ORDERS,
            [".threshold_range.min, threshold_range.max or max_worse_percent is needed: else nothing is compared"],
        ),
    ],
)
def test_metrics_that_cannot_be_meant_are_bad_settings(document: dict[str, Any], problems: list[str]) -> None:
    with pytest.raises(BadSettings) as refused:
        read_settings(ValidateProduction, {"HOOK_SETTINGS": json.dumps({"metrics": {"orders": document}})}, "x")
    assert str(refused.value) == "; ".join(f"x.metrics.orders{problem}" for problem in problems)
