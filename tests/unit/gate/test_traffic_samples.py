"""Samples: how many, how fast, judged like their check; they harm nobody."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from gate.attempts import PAUSE, send_samples
from gate.elb import Target
from gate.http_sender import Sender
from gate.options.requests import HeaderAssertion, HttpCheck
from gate.traffic import MOST_WARM_UP, WARM_UP
from gate.verdict import Outcome
from gate.waiting import Deadline, OutOfTime

from tests.unit.gate.conftest import Clock, soon
from tests.unit.gate.traffic_of_green import (
    Green,
    hang,
    interrupted,
    judged,
    no_threads_left,
    outcomes,
    paths,
    run,
    traffic,
)
from tests.unit.gate.web_server import Request, Route, WebServer


@pytest.fixture
def clock() -> Clock:
    """A clock of this test's own; nothing of the gate is replaced."""
    return Clock()


def test_samples_are_sent_as_many_as_asked_and_no_more_at_once(web: WebServer) -> None:
    lock, busy, most = threading.Lock(), 0, 0
    together = threading.Barrier(3)

    def count(request: Request) -> None:
        nonlocal busy, most
        with lock:
            busy, most = busy + 1, max(most, busy + 1)
        together.wait(30)
        with lock:
            busy -= 1
        request.answer()

    web.routes["/"] = count
    found = send_samples(HttpCheck(timeout=60), Sender(web.url), 24, 3, soon()).outcomes
    assert [reason for _latency, reason in found] == [""] * 24
    assert all(latency > 0 for latency, _reason in found)
    assert len(web.requests) == 24
    assert most == 3


def test_samples_are_told_apart_by_what_went_wrong(web: WebServer) -> None:
    ways: Iterator[Route] = iter(
        [
            lambda request: request.answer(200, headers={"X-Version": "v42"}),
            lambda request: request.answer(200, headers={"X-Version": "v41"}),
            lambda request: request.answer(503),
            hang,
            lambda request: request.raw(b"H"),
        ]
    )
    web.routes["/"] = lambda request: next(ways)(request)  # noqa: PLW0108 - another at each request
    version = {"X-Version": HeaderAssertion(equals="v42")}
    check = HttpCheck(response_headers=version, status=("200",), timeout=0.3)
    reasons = [reason for _latency, reason in send_samples(check, Sender(web.url), 5, 1, soon()).outcomes]
    assert reasons[:4] == [
        "",
        "[HEADER X-Version] (v41) expected v42",
        "[STATUS] (503) expected 200; [HEADER X-Version] (absent) expected v42",
        "no answer within 0.3 s",
    ]
    assert reasons[4] == "the answer broke off (BadStatusLine)"
    web.close()
    refused = send_samples(check, Sender(web.url), 1, 1, soon()).outcomes
    assert refused[0][1].startswith("connection refused (")


def test_samples_are_judged_by_their_thresholds(web: WebServer) -> None:
    statuses = itertools.chain([200] * 11, itertools.cycle([200] * 9 + [503]))
    web.routes["/"] = lambda request: request.answer(next(statuses))
    options: dict[str, Any] = {"http_checks": {"a": {"attempts": 1}}, "samples": 20}
    found = judged(web, **options, thresholds={"p50_ms": 60_000, "max_ms": 60_000})
    assert outcomes(found) == {
        "http:a": "passed", "samples:a:error_rate": "failed", "samples:a:p50": "passed",
        "samples:a:max": "passed",
    }  # fmt: skip
    assert found["samples:a:error_rate"].detail == (
        "a: 2 of 20 requests failed (10.00%), at most 1.00% allowed: 2 times [STATUS] (503) expected 200-299"
    )
    assert found["samples:a:error_rate"].values["reasons"] == {"[STATUS] (503) expected 200-299": 2}
    assert outcomes(judged(web, **options, thresholds={"error_rate": 0.2}))["samples:a:error_rate"] == "passed"


@pytest.mark.parametrize(
    ("check", "samples", "sent"),
    [
        ({}, 5, 16),
        ({}, 0, 1),
        ({"samples": 2}, 5, 13),
        ({"samples": 0}, 5, 1),
        ({"method": "HEAD"}, 5, 16),
        ({"method": "OPTIONS"}, 5, 16),
        ({"method": "POST"}, 5, 1),
        ({"method": "PUT"}, 5, 1),
        ({"method": "PATCH"}, 5, 1),
        ({"method": "DELETE"}, 5, 1),
        ({"method": "POST", "samples": 2}, 5, 3),
    ],
)
def test_only_requests_that_read_are_sent_again_to_be_measured(
    web: WebServer, check: dict[str, Any], samples: int, sent: int
) -> None:
    found = judged(web, http_checks={"a": {"path": "/health", **check}}, samples=samples)
    assert len(web.requests) == sent
    assert ("samples:a:error_rate" in found) == (sent > 1)


def test_a_check_whose_finding_is_bad_is_not_measured(web: WebServer) -> None:
    checks = {"a": {"attempts": 2}, "b": {"path": "/health", "samples": 3}, "c": {"severity": "warn", "attempts": 1}}
    _, severities, _ = run(traffic(web, http_checks=checks, samples=5))
    assert list(severities) == ["http:a", "http:b", "http:c", "samples:b:error_rate"]
    assert paths(web).count("/") == 3
    assert paths(web).count("/health") == 1 + 10 + 3


def test_the_samples_of_a_check_that_was_left_out_are_measured_all_the_same(web: WebServer) -> None:
    checks = {"a": {"path": "/health?{revision}"}}
    found = judged(web, checks={"http:a": "skip"}, http_checks=checks, samples=3)
    assert outcomes(found) == {"http:a": "skipped", "samples:a:error_rate": "passed"}
    assert paths(web) == ["/health?7"] * 13


def test_samples_end_with_the_time_and_it_is_said_how_many_there_were(web: WebServer, clock: Clock) -> None:
    def slowly(request: Request) -> None:
        clock.now += 10
        request.answer()

    web.routes["/"] = slowly
    deadline = Deadline(160, clock.monotonic, clock.sleep)
    options: dict[str, Any] = {"http_checks": {"a": {}}, "samples": 20, "concurrency": 1}
    found, _, sound = run(traffic(web, deadline=deadline, **options))
    assert found["samples:a"].outcome is Outcome.FAILED
    assert found["samples:a"].detail == "a: only 5 of 20 samples were sent before time was over: ask for fewer"
    assert found["samples:a:error_rate"].detail == "0 of 5 requests failed (0.00%)"
    assert not sound
    assert len(web.requests) == 1 + 10 + 5


def test_no_samples_are_sent_when_the_time_is_over(web: WebServer) -> None:
    deadline = Deadline(600)
    deadline.call_off()
    assert send_samples(HttpCheck(path="/health"), Sender(web.url), 10, 2, deadline).outcomes == []
    assert web.requests == []


def test_samples_are_given_up_when_the_hooks_time_is_over(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.attempts.wait", interrupted(web, 2))
    with pytest.raises(OutOfTime):
        send_samples(HttpCheck(path="/health"), Sender(web.url), 1_000_000, 2, Deadline(600))
    no_threads_left()


def test_of_samples_no_bodies_are_kept(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(500, "x" * 100_000)
    found = send_samples(HttpCheck(), Sender(web.url), 5, 2, soon()).outcomes
    assert [reason for _latency, reason in found] == ["[STATUS] (500) expected 200-299"] * 5


def starts(web: WebServer, check: HttpCheck, concurrency: int, slow: float = 0) -> list[float]:
    """When each of eight samples arrived."""
    clock, at = Clock(), []

    def note(request: Request) -> None:
        at.append(round(clock.now - 1000, 3))
        clock.now += slow
        request.answer()

    web.routes["/"] = note
    send_samples(check, Sender(web.url), 8, concurrency, Deadline(600, clock.monotonic, clock.sleep))
    return at


def test_samples_are_paced_from_start_to_start(web: WebServer) -> None:
    assert starts(web, HttpCheck(), 1) == pytest.approx([PAUSE * number for number in range(8)])
    assert starts(web, HttpCheck(), 1, slow=0.5) == pytest.approx([0.5 * number for number in range(8)])


def test_each_hand_pauses_for_itself(web: WebServer) -> None:
    assert starts(web, HttpCheck(), 2) == pytest.approx([PAUSE * (number // 2) for number in range(8)])


@pytest.mark.parametrize(
    ("states", "warm_up"),
    [([], 1), (["healthy"], 1), (["healthy"] * 3, 3), (["healthy", "draining"], 1), (["healthy"] * 9, 5)],
)
def test_the_first_answers_of_each_target_are_in_no_figure(web: WebServer, states: list[str], warm_up: int) -> None:
    deployment, numbers = Green(), itertools.count()
    deployment.seen = [Target(f"10.0.0.{number}", 80, state, "", "") for number, state in enumerate(states)]
    cold = min(warm_up * WARM_UP, MOST_WARM_UP)
    # The check itself comes first.
    web.routes["/"] = lambda request: request.answer(500 if 0 < next(numbers) <= cold else 200)
    found = judged(web, deployment, http_checks={"a": {}}, samples=5)
    assert found["samples:a:error_rate"].detail == "0 of 5 requests failed (0.00%)"
    assert len(web.requests) == 1 + cold + 5


def test_what_changes_something_is_not_sent_to_warm_up(web: WebServer) -> None:
    judged(web, http_checks={"a": {"path": "/health", "method": "POST", "samples": 2}})
    assert len(web.requests) == 1 + 2


@pytest.mark.parametrize(
    ("expectation", "reason"),
    [
        ({"body_contains": "fine"}, "[BODY] does not contain 'fine'"),
        ({"body_matches": "^fine"}, "[BODY] does not match '^fine'"),
        ({"fail_if_body_matches": "ill"}, "[BODY] matches 'ill', which it must not"),
        ({"response_headers": {"X-State": {"matches": "^f"}}}, "[HEADER X-State] (ill) expected to match '^f'"),
        ({"jmespath": {"state": {"equals": "fine"}}}, "[JSON] the body is not JSON"),
    ],
)
def test_each_sample_is_judged_like_the_check(web: WebServer, expectation: dict[str, Any], reason: str) -> None:
    numbers = itertools.count()

    def every_other(request: Request) -> None:
        good = next(numbers) % 2 == 0
        body = '{"state": "fine"}' if "jmespath" in expectation else "fine"
        request.answer(200, body if good else "ill", {"X-State": "fine" if good else "ill"})

    web.routes["/"] = every_other
    found = judged(web, http_checks={"a": {**expectation, "attempts": 1}}, samples=40)
    rate = found["samples:a:error_rate"]
    assert rate.outcome is Outcome.FAILED
    assert rate.values["error_rate"] == 0.5
    reasons: Any = rate.values["reasons"]
    (only,) = reasons
    assert only.startswith(reason)
    assert "body:" not in only


def test_latency_is_not_counted_by_sample(web: WebServer) -> None:
    check = HttpCheck(path="/health", max_latency_ms=0.001)
    assert [why for _, why in send_samples(check, Sender(web.url), 3, 1, soon()).outcomes] == [""] * 3


@pytest.mark.parametrize(("good", "judged_samples"), [(1 + 10 + 7, 7), (1 + 4, 0)])
def test_a_service_that_asks_for_fewer_gets_no_more(web: WebServer, good: int, judged_samples: int) -> None:
    numbers = itertools.count()
    web.routes["/"] = lambda request: request.answer(200 if next(numbers) < good else 429)
    found, _, sound = run(traffic(web, http_checks={"a": {}}, samples=20))
    assert sound
    assert found["samples:a"].detail == (
        f"a: {judged_samples} of 20 samples were judged, then the service asked for fewer requests (status 429)"
    )
    assert found["samples:a"].ok
    assert ("samples:a:error_rate" in found) == bool(judged_samples)
    assert len(web.requests) == good + 1


def test_a_429_that_is_expected_is_an_answer(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(429)
    found = judged(web, http_checks={"a": {"status": ["429"]}}, samples=5)
    assert found["samples:a:error_rate"].detail == "0 of 5 requests failed (0.00%)"


def test_a_429_to_the_check_itself_is_no_good_answer(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(429)
    assert not judged(web, http_checks={"a": {"attempts": 1}})["http:a"].ok
