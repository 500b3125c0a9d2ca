"""gate.figures: green's latencies and metrics against blue's, by the options of the hook."""

from __future__ import annotations

from typing import Any

import pytest
from gate.figures import OwnRequests, TrafficFigures, compare_latencies, compare_metric
from gate.verdict import Finding

from tests.unit.gate.measured import START, figures, options, series

FEW = "; too few points (1 and 1, 8 needed) for a Mann-Whitney judgement"
BLUE = (0.2, 0.201, 0.199, 0.202, 0.198, 0.2, 0.203, 0.197, 0.2, 0.201)


def minutes(*seconds: float, requests: float = 200) -> TrafficFigures:
    """The same latency at each rank, minute by minute."""
    return figures(*({"requests": requests, **dict.fromkeys(("p50", "p95", "p99", "max"), value)} for value in seconds))


def compared(
    green: TrafficFigures, blue: TrafficFigures, own: OwnRequests | None = None, **document: Any
) -> dict[str, Finding]:
    """The findings by name."""
    found = compare_latencies(green, blue, own or OwnRequests(), options(**document))
    return {str(finding.name): finding for finding in found}


@pytest.mark.parametrize(
    ("blue", "green", "outcome", "words"),
    [
        (0.100, 0.140, "passed", FEW),
        (0.100, 0.160, "failed", ", at most 50 % worse allowed"),
        (0.010, 0.040, "passed", f", up to 50 ms is no finding{FEW}"),  # four times as slow, but 30 ms are noise
        (0.400, 0.100, "passed", FEW),
        (0.900, 0.900, "passed", FEW),  # slow, and always was
    ],
)
def test_green_against_blue(blue: float, green: float, outcome: str, words: str) -> None:
    found = compared(minutes(green), minutes(blue), thresholds={"p50_ms": 500, "p99_ms": 500, "max_ms": 500})
    assert list(found) == ["against_blue:p50", "against_blue:p95", "against_blue:p99"], "the slowest one is chance"
    change = (green / blue - 1) * 100
    for word in ("p50", "p95", "p99"):
        said = f"green's {word} is {green * 1000:.0f} ms, blue's was {blue * 1000:.0f} ms before the shift"
        finding = found[f"against_blue:{word}"]
        assert (finding.outcome, finding.detail) == (outcome, f"{said} ({change:+.0f} %){words}")


def test_p95_alone_is_compared_by_default() -> None:
    assert list(compared(minutes(0.1), minutes(0.1))) == ["against_blue:p95"]


@pytest.mark.parametrize(
    ("baseline", "outcome", "words"),
    [
        ({}, "failed", ": a Mann-Whitney U test holds that for no chance (98 % confident, tolerance 0.25)"),
        ({"max_worse_percent": 39}, "failed", ", at most 39 % worse allowed"),
        ({"max_worse_percent": 100}, "passed", ", up to half of 100 % is no finding; a Mann-Whitney U test sees a"),
        ({"noise_ms": 100}, "passed", ", up to 100 ms is no finding; a Mann-Whitney U test sees a shift to the worse"),
        ({"tolerance": 1}, "passed", "; a Mann-Whitney U test sees no shift to the worse (98 % confident, tolerance 1"),
        (
            {"confidence": 0.9999},
            "passed",
            "; a Mann-Whitney U test sees no shift to the worse (99.99 % confident, tol",
        ),
    ],
)
def test_what_is_borne_of_a_shift_may_be_set(baseline: dict[str, float], outcome: str, words: str) -> None:
    """40 % more over ten minutes: below every threshold, and no chance."""
    found = compared(minutes(*(1.4 * value for value in BLUE)), minutes(*BLUE), baseline=baseline)["against_blue:p95"]
    assert found.outcome == outcome
    assert found.detail.startswith(f"green's p95 is 280 ms, blue's was 200 ms before the shift (+40 %){words}")


def test_a_first_deployment_has_nothing_to_be_compared_with() -> None:
    found = compared(minutes(0.9), minutes())["against_blue:p95"]
    assert (found.outcome, found.detail) == (
        "skipped",
        "no datapoints of p95 for blue before the shift: nothing to compare",
    )


def own_requests(count: int, minute: int = 0) -> OwnRequests:
    own = OwnRequests()
    own.take([(START.timestamp() + 60 * minute, 200)] * count)
    return own


def test_minutes_in_which_the_hooks_own_requests_are_many_are_not_compared() -> None:
    """Its own checks may be slower than customers' requests are."""
    found = compared(minutes(2.0, requests=39), minutes(0.1), own_requests(4))["against_blue:p95"]
    said = "the hook's own requests are more than a tenth of green's in each minute: its p95 is not compared"
    assert (found.outcome, found.detail) == ("skipped", said)


def test_minutes_in_which_customers_are_many_are_compared() -> None:
    found = compared(minutes(0.1, 2.0, requests=39), minutes(0.1), own_requests(4))["against_blue:p95"]
    assert found.detail.startswith("green's p95 is 2000 ms, blue's was 100 ms before the shift")


def of_metric(green: tuple[float, ...], blue: tuple[float, ...], **document: Any) -> Finding:
    """The finding about a metric of the user's."""
    orders = {"namespace": "Shop", "metric_name": "Orders", "max_worse_percent": 30, **document}
    looked = options(metrics={"orders": orders})
    return compare_metric("orders", looked.metrics["orders"], series(*green), series(*blue, first=-60), looked)


@pytest.mark.parametrize(
    ("direction", "worst", "outcome", "words"),
    [
        ("decrease", 30, "failed", ", at most 30 % worse allowed"),
        ("decrease", 40, "passed", FEW),
        ("increase", 30, "passed", FEW),
        ("either", 30, "failed", ", at most 30 % apart allowed"),
        ("decrease", 0, "failed", ", at most 0 % worse allowed"),
    ],
)
def test_which_way_a_metric_is_worse(direction: str, worst: float, outcome: str, words: str) -> None:
    found = of_metric((60,), (100,), direction=direction, max_worse_percent=worst)
    said = f"green's orders is 60, blue's was 100 before the shift (-40 %){words}"
    assert (found.outcome, found.detail, found.name) == (outcome, said, "against_blue:metric:orders")


@pytest.mark.parametrize(
    ("blue", "document", "outcome"),
    [((), {}, "error"), ((), {"no_data": "pass"}, "skipped"), ((60,), {"min_datapoints": 2}, "error")],
)
def test_a_metric_that_blue_did_not_have(blue: tuple[float, ...], document: dict[str, Any], outcome: str) -> None:
    found = of_metric((60, 60), blue, **document)
    assert found.outcome == outcome
    if outcome == "error":
        needed = document.get("min_datapoints", 1)
        assert found.detail == (
            f"metric orders has 2 datapoint(s) of green and {len(blue)} of blue before the shift, {needed} needed of "
            "each: or set no_data"
        )


def test_a_metric_that_was_mostly_zero_is_worse_where_more_minutes_are_not() -> None:
    """Its median is 0 before and after."""
    blue, green = (tuple(value * (minute % every == 0) for minute in range(60)) for value, every in ((1, 12), (4, 3)))
    found = of_metric(green, blue, max_worse_percent=0)
    assert (found.outcome, found.detail) == (
        "failed",
        (
            "green's orders is 1.33 on average, blue's was 0.0833 before the shift (+1500 %): a Mann-Whitney U test "
            "holds that for no chance (98 % confident)"
        ),
    )
