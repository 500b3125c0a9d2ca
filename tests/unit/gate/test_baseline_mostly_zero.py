"""gate.baseline: metrics that are mostly zero are compared by their means, and errors by what chance explains."""

from __future__ import annotations

import random
import time

import pytest
import scipy.stats  # type: ignore[import-untyped]
from gate.baseline import ENOUGH, by_chance, compare
from gate.verdict import Finding, Outcome
from hypothesis import given
from hypothesis import strategies as st


def sparse(above_zero: int, total: float, of: int = 210) -> list[float]:
    """So many minutes of `of` above zero, with this total; the others are zero."""
    minutes = [0.0] * of
    for at in range(above_zero):
        minutes[at] = total / above_zero
    return minutes


def judged(green: list[float], blue: list[float], *, worst: float = 50, direction: str = "increase") -> Finding:
    return compare("failures", "against_blue:metric:failures", green, blue, worst=worst, direction=direction)


@pytest.mark.parametrize("worst", [0, 50])
def test_more_minutes_above_zero_than_before_are_worse(worst: float) -> None:
    found = judged(sparse(62, 1.08 * 210), sparse(17, 0.17 * 210), worst=worst)
    assert found.outcome is Outcome.FAILED
    assert found.detail == (
        "green's failures is 1.08 on average, blue's was 0.17 before the shift (+535.3 %): a Mann-Whitney U test holds "
        "that for no chance (98 % confident)"
    )


@pytest.mark.parametrize("worst", [0, 50])
@pytest.mark.parametrize(
    ("green", "blue"),
    [
        ([0.0] * 209 + [500.0], [0.0] * 210),  # one spike
        ([0.0] * 209 + [500.0], sparse(17, 0.17 * 210)),
        (sparse(19, 0.19 * 210), sparse(17, 0.17 * 210)),
        (sparse(17, 0.17 * 210), sparse(62, 1.08 * 210)),  # better
        ([0.0] * 210, [0.0] * 210),
        ([0.0, 0.0, 0.0, 500.0], [0.0] * 210),  # a spike among a few points
    ],
)
def test_a_spike_or_as_many_minutes_as_before_are_not(green: list[float], blue: list[float], worst: float) -> None:
    assert judged(green, blue, worst=worst).outcome is Outcome.PASSED


@pytest.mark.parametrize("points", [3, ENOUGH, 30])
def test_a_metric_that_was_zero_and_no_longer_is(points: int) -> None:
    assert judged([5.0] * points, [0.0] * points).outcome is Outcome.FAILED
    assert judged([0.0] * points, [5.0] * points).outcome is Outcome.PASSED


@pytest.mark.parametrize("points", [3, ENOUGH, 30])
@pytest.mark.parametrize(
    ("direction", "outcome"), [("decrease", "failed"), ("either", "failed"), ("increase", "passed")]
)
def test_a_metric_that_has_become_zero(points: int, direction: str, outcome: str) -> None:
    assert judged([0.0] * points, [5.0] * points, direction=direction).outcome == outcome


def test_of_orders_that_are_rare_none_at_all_is_less() -> None:
    assert judged([0.0] * 210, sparse(62, 62), direction="decrease").outcome is Outcome.FAILED


def test_what_is_certain_and_too_little_to_matter_passes() -> None:
    found = judged(sparse(100, 100), sparse(68, 68), worst=100)
    assert found.outcome is Outcome.PASSED
    assert found.detail.startswith(
        "green's failures is 0.476 on average, blue's was 0.324 before the shift (+47.1 %), up to half of 100 % is no "
        "finding; a Mann-Whitney U test sees a shift to the worse"
    )


# How likely so many errors are.


@given(requests=st.integers(1, 5000), errors=st.integers(0, 5000), share=st.floats(0.01, 0.99))
def test_the_chance_of_errors_is_the_binomial_tail_of_scipy(requests: int, errors: int, share: float) -> None:
    errors = min(errors, requests)
    expected = float(scipy.stats.binom.sf(errors - 1, requests, share))
    if errors <= requests * share:
        assert by_chance(errors, requests, share) == 1.0
    else:
        assert by_chance(errors, requests, share) == pytest.approx(expected, rel=1e-6, abs=1e-280)


def test_the_chance_of_errors_among_millions_is_as_exact_and_quick() -> None:
    draw = random.Random(1)  # noqa: S311  # samples, no secrets
    began = time.process_time()
    for _ in range(50):
        requests, share = draw.randint(10**6, 10**7), draw.uniform(0.01, 0.5)
        sigmas = draw.uniform(0.1, 6)
        errors = round(requests * share + sigmas * (requests * share * (1 - share)) ** 0.5)
        expected = float(scipy.stats.binom.sf(errors - 1, requests, share))
        assert by_chance(errors, requests, share) == pytest.approx(expected, rel=1e-4)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("errors", "requests", "share", "likely"),
    [
        (0, 0, 0.01, True),
        (0, 10, 0.01, True),
        (1, 20, 0.01, True),
        (2, 20, 0.01, False),
        (5, 200, 0.01, True),
        (6, 200, 0.01, False),
        (20, 20, 0.01, False),
        (20, 20, 1.01, True),  # blue answered nothing but errors
        (10**7, 10**7, 0.5, False),
    ],
)
def test_what_chance_explains(errors: int, requests: int, share: float, likely: bool) -> None:
    assert (by_chance(errors, requests, share) >= 0.02) is likely


@pytest.mark.parametrize(
    ("green", "blue", "good"),
    [
        (sparse(2, 10, of=5), [0.0] * 60, False),
        (sparse(1, 5, of=5), [0.0] * 600, True),  # one spike
        (sparse(2, 10, of=5), sparse(20, 20, of=60), True),
        (sparse(2, 10, of=5), [0.0] * 5, True),  # nobody knows how rare it is
    ],
)
def test_of_few_points_more_above_zero_than_chance_explains_are_worse(
    green: list[float], blue: list[float], good: bool
) -> None:
    """A bake of five minutes has five."""
    assert judged(green, blue).ok is good
    assert judged(green, blue, direction="decrease").ok
