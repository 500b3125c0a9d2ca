"""gate.statistics: counts, percentiles by nearest rank, and their judgement in words."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from gate.options.production import TrafficThresholds
from gate.options.requests import Thresholds
from gate.statistics import FIGURES, Statistics, judge_statistics, requests_needed
from gate.verdict import Finding, Outcome
from hypothesis import given
from hypothesis import strategies as st

Answer = tuple[float, str]

WORDS = ("p50", "p90", "p95", "p99", "max")
LATENCIES = st.one_of(st.integers(0, 9).map(float), st.floats(0, 60_000))
ANSWERS = st.lists(st.tuples(LATENCIES, st.sampled_from(["", "", "", "status 500", "timed out"])), max_size=250)
GOOD = st.lists(LATENCIES, min_size=1, max_size=250)
RANKS = st.one_of(st.integers(0, 100), st.sampled_from([0.1, 33.3, 99.9, 99.99]))


def good(latencies: Sequence[float]) -> Statistics:
    return Statistics.of([(each, "") for each in latencies])


def judged(statistics: Statistics, **thresholds: Any) -> dict[str, Finding]:
    """The findings by name; of the thresholds only those asked for."""
    asked = Thresholds(**{"p99_ms": None, **thresholds})
    return {str(finding.name): finding for finding in judge_statistics("samples:a", "test", statistics, asked)}


# --- figures ---


@given(answers=ANSWERS)
def test_counts_add_up(answers: list[Answer]) -> None:
    found = Statistics.of(iter(answers))
    assert found.count == len(answers) == found.errors + len(found.latencies)
    assert found.errors == sum(1 for _, reason in answers if reason) == sum(found.reasons.values())
    assert found.reasons.keys() == {reason for _, reason in answers if reason}
    assert list(found.latencies) == sorted(latency for latency, reason in answers if not reason)


@given(answers=ANSWERS)
def test_error_rate_is_errors_per_request(answers: list[Answer]) -> None:
    found = Statistics.of(answers)
    assert 0 <= found.error_rate <= 1
    assert found.error_rate == (found.errors / len(answers) if answers else 0)


@given(latencies=GOOD, rank=RANKS)
def test_percentile_is_the_smallest_value_that_so_many_percent_do_not_exceed(
    latencies: list[float], rank: float
) -> None:
    """Nearest rank, by brute force and in exact arithmetic."""
    share = Fraction(str(rank)) / 100
    enough = [x for x in latencies if Fraction(sum(each <= x for each in latencies), len(latencies)) >= share]
    assert good(latencies).percentile(rank) == min(enough)


@given(latencies=GOOD, ranks=st.tuples(RANKS, RANKS))
def test_percentiles_rise_with_their_rank(latencies: list[float], ranks: tuple[float, float]) -> None:
    found = good(latencies)
    assert found.percentile(min(ranks)) <= found.percentile(max(ranks))


@given(latencies=GOOD)
def test_named_latencies(latencies: list[float]) -> None:
    found = good(latencies)
    assert found.latency("max") == found.percentile(100) == max(latencies)
    assert found.percentile(0) == min(latencies)
    assert found.latency("p50") == sorted(latencies)[math.ceil(len(latencies) / 2) - 1]
    named = [found.latency(word) for word in WORDS]
    assert named == sorted(named)


@given(latencies=GOOD, rank=RANKS)
def test_what_failed_has_no_latency(latencies: list[float], rank: float) -> None:
    answers = [*((each, "") for each in latencies), (1e9, "timed out"), (0.0, "refused")]
    assert Statistics.of(answers).percentile(rank) == good(latencies).percentile(rank)


@pytest.mark.parametrize(("word", "needed"), [("p50", 2), ("p90", 10), ("p95", 20), ("p99", 100), ("max", 1)])
def test_requests_needed(word: str, needed: int) -> None:
    """With so many, one lies beyond the percentile; with one less, the percentile is the slowest."""
    assert requests_needed(word) == needed
    if word != "max":
        assert good([float(at) for at in range(needed)]).latency(word) == needed - 2
        assert good([float(at) for at in range(needed - 1)]).latency(word) == needed - 2


# --- judgement ---


@given(answers=ANSWERS, most=st.floats(0.001, 60_000), word=st.sampled_from(WORDS))
def test_a_latency_is_judged_by_its_percentile_or_not_at_all(answers: list[Answer], most: float, word: str) -> None:
    found = Statistics.of(answers)
    outcome = judged(found, **{f"{word}_ms": most})[f"samples:a:{word}"].outcome
    if found.count < requests_needed(word) or not found.latencies:
        assert outcome is Outcome.SKIPPED
    else:
        assert outcome is (Outcome.PASSED if found.latency(word) <= most else Outcome.FAILED)


@given(answers=ANSWERS, most=st.floats(0, 1))
def test_errors_are_judged_by_their_rate_and_nothing_sent_fails(answers: list[Answer], most: float) -> None:
    found = Statistics.of(answers)
    outcome = judged(found, error_rate=most)["samples:a:error_rate"].outcome
    assert outcome is (Outcome.PASSED if answers and found.error_rate <= most else Outcome.FAILED)


@given(draw=st.integers(0, 10**6).map(Random), count=st.integers(100, 250), digits=st.sampled_from([0, 6]))
def test_a_latency_at_its_threshold_passes_and_just_above_fails(draw: Random, count: int, digits: int) -> None:
    found = good([round(draw.uniform(1, 60), digits) for _ in range(count)])
    for word in WORDS:
        most = found.latency(word)
        assert judged(found, **{f"{word}_ms": most})[f"samples:a:{word}"].outcome is Outcome.PASSED
        below = math.nextafter(most, 0)
        assert judged(found, **{f"{word}_ms": below})[f"samples:a:{word}"].outcome is Outcome.FAILED


@given(errors=st.integers(0, 100), others=st.integers(0, 400))
def test_an_error_rate_at_its_threshold_passes_and_just_above_fails(errors: int, others: int) -> None:
    found = Statistics.of([*[(1.0, "status 500")] * errors, *[(1.0, "")] * others])
    outcome = judged(found, error_rate=found.error_rate)["samples:a:error_rate"].outcome
    assert outcome is (Outcome.PASSED if errors + others else Outcome.FAILED)
    if errors:
        below = math.nextafter(found.error_rate, 0)
        assert judged(found, error_rate=below)["samples:a:error_rate"].outcome is Outcome.FAILED


@given(answers=ANSWERS, asked=st.sets(st.sampled_from(WORDS)))
def test_one_finding_for_the_errors_and_one_for_each_limited_latency(answers: list[Answer], asked: set[str]) -> None:
    limits: dict[str, Any] = {"p99_ms": None, **{f"{word}_ms": 100.0 for word in asked}}
    found = judge_statistics("load", "home", Statistics.of(answers), Thresholds(**limits))
    assert [finding.name for finding in found] == [
        "load:error_rate",
        *(f"load:{word}" for word in WORDS if word in asked),
    ]
    json.dumps([dict(finding.values) for finding in found], allow_nan=False)


# --- texts ---


def test_texts_of_what_passes() -> None:
    found = judged(good([float(each) for each in range(1, 101)]), p50_ms=50, p99_ms=500, max_ms=100)
    assert {name: finding.detail for name, finding in found.items()} == {
        "samples:a:error_rate": "0 of 100 requests failed (0.00%)",
        "samples:a:p50": "p50 50 ms of 100 answers (slowest 100 ms)",
        "samples:a:p99": "p99 99 ms of 100 answers (slowest 100 ms)",
        "samples:a:max": "max 100 ms of 100 answers",
    }
    assert all(finding.outcome is Outcome.PASSED for finding in found.values())
    assert found["samples:a:p99"].values == {"milliseconds": 99}
    assert found["samples:a:error_rate"].values == {"error_rate": 0, "reasons": {}}


def test_texts_of_what_fails() -> None:
    answers = [*[(200.0, "")] * 97, (900.04, ""), (1.0, "timed out"), (1.0, "status 503")]
    found = judged(Statistics.of(answers), error_rate=0.01, p95_ms=150.5, p99_ms=500, max_ms=800)
    assert {name: finding.detail for name, finding in found.items()} == {
        "samples:a:error_rate": (
            "test: 2 of 100 requests failed (2.00%), at most 1.00% allowed: 1 times status 503, 1 times timed out"
        ),
        "samples:a:p95": "test: p95 200 ms of 98 answers (slowest 900 ms), at most 150.5 ms allowed",
        "samples:a:p99": "test: p99 900 ms of 98 answers (slowest 900 ms), at most 500 ms allowed",
        "samples:a:max": "test: max 900 ms of 98 answers, at most 800 ms allowed",
    }
    assert all(finding.outcome is Outcome.FAILED for finding in found.values())
    assert found["samples:a:p99"].values == {"milliseconds": 900}
    assert found["samples:a:error_rate"].values == {"error_rate": 0.02, "reasons": {"timed out": 1, "status 503": 1}}


def test_errors_that_are_allowed_are_named() -> None:
    found = judged(Statistics.of([*[(1.0, "")] * 99, (1.0, "timed out")]))["samples:a:error_rate"]
    assert (found.outcome, found.detail) == (Outcome.PASSED, "1 of 100 requests failed (1.00%): 1 times timed out")


def test_one_error_spares_the_others_no_threshold() -> None:
    """Counted in requests: 99 good answers of 100 requests have a P99."""
    found = judged(Statistics.of([*[(900.0, "")] * 99, (1.0, "timed out")]), p99_ms=500)["samples:a:p99"]
    assert found.outcome is Outcome.FAILED


def test_too_few_requests_are_said() -> None:
    found = judged(Statistics.of([*[(900.0, "")] * 98, (1.0, "timed out")]), p99_ms=500, p50_ms=1000)
    assert found["samples:a:p50"].outcome is Outcome.PASSED
    skipped = found["samples:a:p99"]
    assert (skipped.outcome, skipped.detail) == (
        Outcome.SKIPPED,
        "p99 needs 100 requests, there were 98 good answers to 99",
    )


def test_nothing_but_errors_has_no_latencies() -> None:
    found = judged(Statistics.of([(1.0, "refused")] * 3), p50_ms=1, max_ms=1)
    assert found["samples:a:error_rate"].detail == (
        "test: 3 of 3 requests failed (100.00%), at most 1.00% allowed: 3 times refused"
    )
    assert found["samples:a:p50"].outcome is found["samples:a:max"].outcome is Outcome.SKIPPED


def test_nothing_sent_fails() -> None:
    found = judged(Statistics.of([]), error_rate=1, max_ms=1)
    assert found["samples:a:error_rate"].outcome is Outcome.FAILED
    assert found["samples:a:error_rate"].detail == (
        "test: 0 of 0 requests failed (0.00%), at most 100.00% allowed: nothing was sent"
    )
    assert found["samples:a:max"].outcome is Outcome.SKIPPED


# --- thresholds ---


def test_the_figures_are_those_that_findings_are_named_after() -> None:
    every: dict[str, Any] = {f"{word}_ms": 1.0 for word in WORDS}
    found = judge_statistics("load", "load", good([1.0]), Thresholds(**every))
    assert [finding.name for finding in found] == [f"load:{figure}" for figure in FIGURES]


def test_defaults_limit_the_errors_and_no_latency() -> None:
    assert Thresholds().most_errors == TrafficThresholds().most_errors == 0.01
    assert TrafficThresholds().error_rate is None, "of the load balancer's figures blue's share is the measure"
    assert Thresholds().latencies() == TrafficThresholds().latencies() == {}


def test_latencies_are_those_that_are_limited_in_order() -> None:
    asked = {f"{word}_ms": float(at) for at, word in enumerate(WORDS, start=1)}
    assert list(Thresholds(**asked).latencies().items()) == [(word, at) for at, word in enumerate(WORDS, start=1)]
    assert {entry.name for entry in dataclasses.fields(Thresholds)} == {"error_rate", *asked}
