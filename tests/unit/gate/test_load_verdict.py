"""The verdict on a load: its figures, its rate, and why that was not achieved."""

from __future__ import annotations

import pytest
from gate.load import LoadResult, judge_load
from gate.options.requests import Load
from gate.statistics import Statistics


def judged(wanted: Load, result: LoadResult) -> dict[str, tuple[str, str]]:
    return {str(finding.name): (finding.outcome.value, finding.detail) for finding in judge_load(wanted, result)}


def came(rate: float, late: int = 0, busy_ms: float = 10.0, errors: int = 0) -> LoadResult:
    latencies = [10.0] * (1000 - errors)
    return LoadResult(Statistics(1000, {"status 503": errors}, latencies), rate, 1000 - late, late, busy_ms)


def test_a_load_that_is_borne_passes_with_its_figures() -> None:
    found = judge_load(Load(rate=100, duration=10, concurrency=4), came(99.5))
    assert {finding.name: finding.outcome.value for finding in found} == {
        "load:error_rate": "passed", "load:rate": "passed",
    }  # fmt: skip
    assert found[-1].detail == "99.5 answers a second of 100 asked"
    assert found[-1].values == {"requests_per_second": 99.5, "sent": 1000, "late": 0, "busy_ms": 10.0}


def test_thresholds_are_the_loads_own() -> None:
    found = judged(Load(rate=100, duration=10, concurrency=4, p50_ms=9.0, error_rate=0.001), came(100, errors=2))
    assert found["load:p50"] == (
        "failed", "load: p50 10 ms of 998 answers (slowest 10 ms), at most 9 ms allowed",
    )  # fmt: skip
    assert found["load:error_rate"][0] == "failed"


TAKES = "a request takes %d ms on average, so the rate needs %d connection(s) at once"
SLOW = "the service did not keep up, or"
STALLED = "the service stalled for moments"
COMPUTES = "this function computes too slowly (raise memory_size)"


@pytest.mark.parametrize(
    ("result", "cure"),
    [
        (came(80, late=200, busy_ms=250.0), f"{TAKES % (250, 25)}: {SLOW} raise concurrency from 4 to 25 or more"),
        (
            came(80, late=200, busy_ms=5000.0),
            f"{TAKES % (5000, 500)}, and concurrency can be 256: {SLOW} lower the rate",
        ),
        (
            came(80, late=200, busy_ms=10.0),
            f"{TAKES % (10, 1)}, of 4, yet 200 requests were late: the service stalled for moments, or {COMPUTES}",
        ),
        (
            came(80, late=200, busy_ms=20.01),  # a little more than two can do
            f"{TAKES.replace('%d', '%s') % (20.01, 3)}, of 4, yet 200 requests were late: {STALLED}, or {COMPUTES}",
        ),
        (came(80, errors=200), "200 of 1000 sent failed"),
    ],
)
def test_a_rate_that_was_not_achieved_fails_with_its_cure(result: LoadResult, cure: str) -> None:
    found = judged(Load(rate=100, duration=10, concurrency=4), result)["load:rate"]
    assert found == ("failed", f"load: 80 answers a second of 100 asked, at least 90 % expected: {cure}")


@pytest.mark.parametrize(("rate", "outcome"), [(89.9, "failed"), (90.0, "passed")])
def test_nine_tenths_of_the_rate_are_enough(rate: float, outcome: str) -> None:
    assert judged(Load(rate=100, duration=10, concurrency=4), came(rate))["load:rate"][0] == outcome
