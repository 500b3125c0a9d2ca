"""gate.figures: since when green's figures count, until when they may come, and what the hook sent itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from gate.figures import Missing, OwnRequests
from gate.verdict import Finding, error, passed, skipped

from tests.unit.gate.measured import EPOCH_MINUTE, START, at, figures, window


@pytest.mark.parametrize(
    ("initial_delay", "duration", "began", "counted_from"),
    [
        (60, 300, 30, 120),  # the first whole minute after the settle time
        (60, 300, 0, 60),
        (0, 120, 0.999, 0),  # one that begins in its first second is as good as whole
        (0, 120, 1.5, 60),
        (30, 90, 30, 60),
        (180, 30, 30, 210),  # no whole minute: that in which the bake begins
        (180, 30, 0, 180),
        (0, 119, 30, 5),  # less than two minutes in all: since the shift
        (29, 90, 30, 5),
        (0, 0, 30, 5),
    ],
)
def test_figures_count_from(initial_delay: float, duration: float, began: float, counted_from: float) -> None:
    looked = window(5, began, initial_delay=initial_delay, duration=duration)
    assert looked.counted_from == at(counted_from)
    assert looked.settled == at(began + initial_delay)
    assert looked.ends == at(began + initial_delay + duration)


@pytest.mark.parametrize(
    ("missing", "due"), [(Missing.DATA, 60 + 180), (Missing.OWN, 120 + 180), (Missing.END, 360 + 180)]
)
def test_what_is_missing_is_due(missing: Missing, due: float) -> None:
    assert window(initial_delay=60, metrics_delay=180).due(missing) == at(due)


@pytest.mark.parametrize(("initial_delay", "seconds"), [(0, 3600), (300, 3600), (900, 4200)])
def test_blue_is_looked_at_for_an_hour_or_as_long_as_green(initial_delay: float, seconds: float) -> None:
    assert window(initial_delay=initial_delay, duration=3300).blues_seconds == seconds


def bad(name: str | None, missing: Missing | None = None) -> Finding:
    """Something that is wrong, and may be late."""
    return replace(error("…", name), value=missing)


LATE = bad("traffic", Missing.DATA)
LATE_END = replace(skipped("…", "traffic"), value=Missing.END)
NOT_TAKEN = bad(None)


@pytest.mark.parametrize(
    ("deciding", "failing", "due"),
    [
        ([passed("…")], [], 300),
        ([LATE], [], 300),  # what was missing is due at 180 s: the bake's own end is later
        ([LATE_END], [], 300 + 180),
        ([passed("…"), LATE_END], [], 300 + 180),
        ([LATE_END, bad("error_rate")], [], 300),  # what is wrong anyhow does not wait for late figures
        ([bad("http:front")], ["http:front"], 310 + 15),  # for the first time, in this look
        ([bad("http:front")], [], 300),
        ([bad("http:front"), bad("error_rate")], ["http:front"], 300),
        ([NOT_TAKEN], [], 310 + 15),
        ([NOT_TAKEN, LATE_END], [], 300 + 180),
    ],
)
def test_the_last_look_is_due(deciding: list[Finding], failing: list[str], due: float) -> None:
    looked = window(metrics_delay=180, interval=15)
    assert looked.last_look(deciding, failing, at(310)) == at(due)


# The hook's own requests

NOW = START.timestamp()


def sent(*statuses: int, minute: int = 0) -> list[tuple[float, int]]:
    return [(NOW + 60 * minute, status) for status in statuses]


def test_own_requests_are_counted_once_and_by_minute() -> None:
    own = OwnRequests(expected={503})
    log = [*sent(200, 302, 0, 503, 500), *sent(200, 503, 503, minute=1)]
    own.take(log)
    assert log == []
    assert own.by_minute() == {EPOCH_MINUTE: 5, EPOCH_MINUTE + 1: 3}
    assert own.asked_for() == {EPOCH_MINUTE: 1, EPOCH_MINUTE + 1: 2}
    assert own.answered_since(at(59)) == 3 + 3  # neither the redirect nor what was not answered
    assert own.answered_since(at(60)) == 3


def test_a_load_is_spread_over_its_minutes() -> None:
    own = OwnRequests()
    own.spread(120, at(30), at(150))
    assert own.by_minute() == {EPOCH_MINUTE: 30, EPOCH_MINUTE + 1: 60, EPOCH_MINUTE + 2: 30}
    assert own.answered_since(START) == 0


def test_what_was_sent_goes_on_in_another_invocation() -> None:
    own = OwnRequests(expected={503})
    own.take([*sent(200, 302, 503), *sent(200, minute=1)])
    again = OwnRequests({503}, own.as_state(), most=10)
    assert (again.by_minute(), again.asked_for()) == (own.by_minute(), own.asked_for())
    assert again.answered_since(START) == own.answered_since(START) == 3
    assert again.as_state() == own.as_state()


@pytest.mark.parametrize(
    ("expected", "state", "sent_by_minute", "asked_for"),
    [
        ({503}, [[7, 503, 1000]], {7: 12}, {7: 12}),
        ({503, 504}, [[7, 503, 1000], [7, 504, 1000], [8, 503, 5]], {7: 12, 8: 5}, {7: 12, 8: 5}),
        (set(), [[7, 503, 1000]], {7: 12}, {7: 0}),  # no check expects an error
        ({503}, [[7, 503, -5]], {7: 0}, {7: 0}),
    ],
)
def test_another_invocation_may_not_claim_more_than_the_bake_can_send(
    expected: set[int], state: Any, sent_by_minute: dict[int, int], asked_for: dict[int, int]
) -> None:
    own = OwnRequests(expected, state, most=12)
    assert (own.by_minute(), own.asked_for()) == (sent_by_minute, asked_for)


def test_expected_errors_are_taken_off_minute_by_minute() -> None:
    green = figures({"requests": 100, "errors": 5}, {"requests": 100, "errors": 1}, {"requests": 10})
    less = green.without_errors({EPOCH_MINUTE: 2, EPOCH_MINUTE + 1: 3})
    assert (less.requests, less.errors) == (98 + 97 + 10, 3)
    assert (green.requests, green.errors) == (210, 6)


def test_minutes_with_many_own_requests_have_no_latency_of_customers() -> None:
    green = figures(*({"requests": 100, "p95": 0.1 * number} for number in (1, 2, 3)))
    own = {EPOCH_MINUTE: 10, EPOCH_MINUTE + 1: 11}
    assert green.latencies("p95", own) == pytest.approx([100, 300])
    assert green.latencies("p95") == pytest.approx([100, 200, 300])


@pytest.mark.parametrize(("word", "needed"), [("p50", 2), ("p90", 10), ("p95", 20), ("p99", 100), ("max", 1)])
def test_a_percentile_needs_requests_beyond_it(word: str, needed: int) -> None:
    green = figures({"requests": needed - 1, word: 9.0}, {"requests": needed, word: 0.5})
    assert green.latencies(word) == [500]
