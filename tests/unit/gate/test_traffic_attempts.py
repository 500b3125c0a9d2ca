"""A check is tried until it is decided: how often, when, and side by side with others."""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from gate.attempts import AT_ONCE, Attempts, send_side_by_side
from gate.http_checks import Answer
from gate.http_sender import Sender
from gate.options.requests import HttpCheck
from gate.verdict import Outcome
from gate.waiting import Deadline, OutOfTime
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.gate.conftest import Clock
from tests.unit.gate.traffic_of_green import (
    answers,
    hang,
    interrupted,
    judged,
    no_threads_left,
    outcomes,
    paths,
    run,
    traffic,
    tried,
)
from tests.unit.gate.web_server import Request, WebServer

SECRET = "correct-horse-battery"


# Attempts


def test_a_check_passes_with_status_and_time(web: WebServer) -> None:
    finding = tried(web, HttpCheck(path=f"/health?token={SECRET}"))
    assert finding.outcome is Outcome.PASSED
    assert finding.detail.startswith("GET /health: 200 in ")
    assert finding.values["attempts"] == 1
    assert set(finding.values) == {"attempts", "milliseconds"}
    assert SECRET not in repr(finding)


def test_a_check_is_tried_again_until_it_passes(web: WebServer) -> None:
    web.routes["/"] = answers(500, 503, 200)
    finding = tried(web, HttpCheck(attempts=5))
    assert (finding.outcome, finding.values["attempts"]) == (Outcome.PASSED, 3)
    assert len(web.requests) == 3


def test_a_check_is_tried_no_more_than_its_attempts(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(500, "out of\n memory")
    finding = tried(web, HttpCheck(attempts=3))
    assert finding.outcome is Outcome.FAILED
    assert finding.detail == "GET /: [STATUS] (500) expected 200-299; body: out of memory (attempt 3 of 3)"
    assert len(web.requests) == 3


def test_header_values_are_in_no_finding(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(403, "")
    check = HttpCheck(headers={"Authorization": f"Bearer {SECRET}"}, body=SECRET, method="POST", attempts=1)
    finding = tried(web, check)
    assert finding.detail == "POST /: [STATUS] (403) expected 200-299"
    assert SECRET not in repr(finding)
    assert web.requests[0].headers["Authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize(
    ("statuses", "attempts", "wanted", "sent", "detail"),
    [
        ([200, 200], 2, 2, 2, None),
        ([200, 500, 200, 200], 5, 2, 4, None),
        ([500, 200, 200, 200], 4, 3, 4, None),
        ([200, 500], 3, 3, 2, "[STATUS] (500) expected 200-299; body: ok (attempt 2 of 3)"),
        ([500], 3, 3, 1, "[STATUS] (500) expected 200-299; body: ok (attempt 1 of 3)"),
        ([200, 500, 200, 500], 5, 3, 4, "[STATUS] (500) expected 200-299; body: ok (attempt 4 of 5)"),
        ([500, 500, 200], 4, 2, 4, None),
        ([500, 500, 500], 4, 2, 3, "[STATUS] (500) expected 200-299; body: ok (attempt 3 of 4)"),
    ],
)
def test_so_many_good_answers_in_a_row_are_wanted_and_nothing_is_sent_once_they_cannot_be_had(  # noqa: PLR0917
    web: WebServer, statuses: list[int], attempts: int, wanted: int, sent: int, detail: str | None
) -> None:
    web.routes["/"] = answers(*statuses)
    finding = tried(web, HttpCheck(attempts=attempts, consecutive_successes=wanted))
    assert finding.ok == (detail is None)
    assert len(web.requests) == finding.values["attempts"] == sent
    if detail:
        assert finding.detail == f"GET /: {detail}"


def test_requests_in_a_row_without_any_answer_are_given_up(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.raw(b"")
    finding = tried(web, HttpCheck(attempts=100, consecutive_error_limit=2))
    assert finding.detail.startswith("GET /: no answer (")
    assert finding.detail.endswith("(attempt 3 of 100)")
    assert len(web.requests) == 3


def test_a_wrong_answer_is_an_answer(web: WebServer) -> None:
    sends: Iterator[Callable[[Request], None]] = itertools.cycle(
        [lambda request: request.raw(b""), lambda request: request.answer(500)]
    )
    web.routes["/"] = lambda request: next(sends)(request)  # noqa: PLW0108 - another at each request
    finding = tried(web, HttpCheck(attempts=7, consecutive_error_limit=1))
    assert finding.values["attempts"] == 7


words = st.lists(st.sampled_from(["good", "bad", "silent"]), min_size=30, max_size=30)


@given(words, st.integers(1, 12), st.integers(1, 4), st.integers(0, 5))
def test_a_check_is_decided_at_the_first_moment_at_which_it_can_be(
    come: list[str], most: int, wanted: int, silent: int
) -> None:
    wanted = min(wanted, most)
    check = HttpCheck(attempts=most, consecutive_successes=wanted, consecutive_error_limit=silent)
    make = {"good": Answer(1.0, 200), "bad": Answer(1.0, 500), "silent": Answer(1.0, problem="refused")}
    attempts = Attempts(check, 0)
    taken: list[str] = []
    while not attempts.decided:
        taken.append(come[len(taken)])
        attempts.judge(make[taken[-1]], 10.0)

    def in_a_row(word: str, until: int) -> int:
        return len(list(itertools.takewhile(lambda each: each == word, reversed(taken[:until]))))

    def decided(until: int) -> bool:
        row = in_a_row("good", until)
        reachable = row + (most - until) >= wanted
        return row >= wanted or not reachable or in_a_row("silent", until) > silent

    assert [decided(until) for until in range(1, len(taken) + 1)] == [False] * (len(taken) - 1) + [True]
    assert attempts.finding.ok == (in_a_row("good", len(taken)) >= wanted)
    assert attempts.finding.values["attempts"] == len(taken) <= most
    assert attempts.due == 10.0 + check.interval


def test_a_row_that_is_not_long_enough_yet_is_no_pass() -> None:
    attempts = Attempts(HttpCheck(attempts=5, consecutive_successes=3), 0)
    attempts.judge(Answer(1.0, 200), 0)
    assert not attempts.decided
    assert attempts.finding.outcome is Outcome.FAILED
    assert attempts.finding.detail == "GET /: as expected 1 time(s) in a row, 3 wanted (attempt 1 of 5)"


# When


def asked_at(web: WebServer, clock: Clock, check: HttpCheck) -> list[float]:
    """The times of a failing check's requests, on a clock on which nobody waits."""
    at: list[float] = []

    def note(request: Request) -> None:
        at.append(clock.now - 1000)
        request.answer(500)

    web.routes["/"] = note
    tried(web, check, Deadline(600, clock.monotonic, clock.sleep))
    return at


@pytest.fixture
def clock() -> Clock:
    """A clock of this test's own; nothing of the gate is replaced."""
    return Clock()


@pytest.mark.parametrize(("interval", "at"), [(0, [0, 0, 0]), (5, [0, 5, 10]), (0.5, [0, 0.5, 1])])
def test_the_interval_lies_between_two_attempts(web: WebServer, clock: Clock, interval: float, at: list[float]) -> None:
    assert asked_at(web, clock, HttpCheck(interval=interval)) == at


def test_the_first_attempt_comes_after_its_delay(web: WebServer, clock: Clock) -> None:
    at: dict[str, list[float]] = {"/": [], "/health": []}

    def note(request: Request) -> None:
        at[request.path].append(clock.now - 1000)
        request.answer(500)

    web.routes.update({"/": note, "/health": note})
    deadline = Deadline(600, clock.monotonic, clock.sleep)
    checks = {"a": {"initial_delay": 30, "attempts": 2}, "b": {"path": "/health", "interval": 20}}
    run(traffic(web, deadline=deadline, http_checks=checks))
    assert at == {"/": [30, 31], "/health": [0, 20, 40]}


def test_the_interval_begins_with_the_answer(web: WebServer, clock: Clock) -> None:
    at: list[float] = []

    def slowly(request: Request) -> None:
        at.append(clock.now - 1000)
        clock.now += 7
        request.answer(500)

    web.routes["/"] = slowly
    tried(web, HttpCheck(interval=5), Deadline(600, clock.monotonic, clock.sleep))
    assert at == [0, 12, 24]


def test_when_time_is_over_what_was_found_last_stands(web: WebServer, clock: Clock) -> None:
    web.routes["/"] = answers(503)
    finding = tried(web, HttpCheck(attempts=100, interval=5), Deadline(12, clock.monotonic, clock.sleep))
    assert len(web.requests) == 3
    assert finding.detail == "GET /: [STATUS] (503) expected 200-299; body: ok (attempt 3 of 100)"
    assert clock.now == 1012


def test_what_was_good_but_not_often_enough_when_time_is_over_is_no_pass(web: WebServer, clock: Clock) -> None:
    check = HttpCheck(path="/health", attempts=3, consecutive_successes=3, interval=10)
    finding = tried(web, check, Deadline(15, clock.monotonic, clock.sleep))
    assert finding.detail == "GET /health: as expected 2 time(s) in a row, 3 wanted (attempt 2 of 3)"
    assert finding.outcome is Outcome.FAILED


def test_what_could_not_be_sent_in_time_is_no_pass(web: WebServer, clock: Clock) -> None:
    deadline = Deadline(20, clock.monotonic, clock.sleep)
    found = run(traffic(web, deadline=deadline, http_checks={"a": {"initial_delay": 30}, "b": {"path": "/health"}}))[0]
    assert found["http:a"].outcome is Outcome.FAILED
    assert found["http:a"].detail == "GET /: time was over before it could be sent"
    assert found["http:b"].ok
    assert paths(web) == ["/health"]


def test_when_time_is_over_nobody_waits_for_what_is_on_its_way(web: WebServer) -> None:
    web.routes["/"] = hang
    began = time.monotonic()
    finding = tried(web, HttpCheck(timeout=60), Deadline(0.2))
    assert time.monotonic() - began < 20
    assert finding.detail == "GET /: time was over before it was answered"


def test_when_the_hooks_time_is_over_all_threads_end_by_themselves(
    web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the alarm clock does it: an exception in the thread that waits."""
    monkeypatch.setattr("gate.attempts.wait", interrupted(web, 1))
    with pytest.raises(OutOfTime):
        send_side_by_side([Attempts(HttpCheck(path="/health"), 0) for _ in range(20)], Sender(web.url), Deadline(600))
    no_threads_left()
    assert len(web.requests) <= AT_ONCE


# Side by side


def test_checks_are_on_their_way_at_the_same_time_but_not_too_many(web: WebServer) -> None:
    together = threading.Barrier(AT_ONCE)
    lock, busy, most = threading.Lock(), 0, 0

    def meet(request: Request) -> None:
        nonlocal busy, most
        with lock:
            busy, most = busy + 1, max(most, busy + 1)
        together.wait(30)  # until as many are here
        with lock:
            busy -= 1
        request.answer()

    web.routes["/"] = meet
    found = judged(web, http_checks={f"c{number}": {"timeout": 60} for number in range(3 * AT_ONCE)})
    assert set(outcomes(found).values()) == {"passed"}
    assert len(web.requests) == 3 * AT_ONCE
    assert most == AT_ONCE


def test_a_slow_check_does_not_hold_up_the_others(web: WebServer) -> None:
    ended = threading.Event()
    numbers = itertools.count(1)

    def often(request: Request) -> None:
        if next(numbers) == 5:
            ended.set()
        request.answer(500)

    def slow(request: Request) -> None:
        request.answer(200 if ended.wait(30) else 504)

    web.routes.update({"/often": often, "/slow": slow})
    checks = {"slow": {"path": "/slow", "timeout": 60}, "often": {"path": "/often", "attempts": 5, "interval": 0}}
    found = judged(web, deployment=None, http_checks=checks)
    assert found["http:slow"].detail.startswith("GET /slow: 200 in ")
    assert found["http:often"].values["attempts"] == 5


def test_each_check_is_sent_once_and_keeps_its_own_finding(web: WebServer) -> None:
    web.routes.update({f"/{number}": answers(210 + number) for number in range(20)})
    checks = {f"c{number}": {"path": f"/{number}", "status": [str(210 + number)]} for number in range(20)}
    found = judged(web, http_checks=checks)
    assert sorted(paths(web)) == sorted(f"/{number}" for number in range(20))
    assert all(found[f"http:c{number}"].detail.startswith(f"GET /{number}: {210 + number} in") for number in range(20))


# Regular expressions


@pytest.mark.parametrize("expectation", [{"body_matches": "ok"}, {"response_headers": {"Server": {"matches": "."}}}])
def test_while_an_expression_is_judged_nothing_is_on_its_way(
    web: WebServer, monkeypatch: pytest.MonkeyPatch, expectation: dict[str, Any]
) -> None:
    flying: list[int] = []
    at_judgement: list[int] = []
    send = Sender.send

    def counted(sender: Sender, check: Any) -> Any:
        flying.append(1)
        try:
            time.sleep(0.02)
            return send(sender, check)
        finally:
            flying.pop()

    def search(expression: str, text: str) -> Any:
        at_judgement.append(len(flying))
        time.sleep(0.05)
        return re.search(expression, text)

    monkeypatch.setattr(Sender, "send", counted)
    monkeypatch.setattr("gate.http_checks.re", SimpleNamespace(search=search))
    slow = {"path": "/health", **expectation}
    checks = {"slow": slow, **{f"c{number}": {"path": "/health"} for number in range(20)}, "last": slow}
    found = judged(web, http_checks=checks)
    assert all(finding.ok for finding in found.values())
    assert at_judgement
    assert set(at_judgement) == {0}
    assert len(found) == 22


def test_what_came_before_time_was_over_is_judged(web: WebServer) -> None:
    """Though something else was on its way till then."""
    web.routes["/"] = hang
    answered = Attempts(HttpCheck(path="/health", body_matches="ok"), 0)
    hangs = Attempts(HttpCheck(timeout=60), 0)
    send_side_by_side([answered, hangs], Sender(web.url), Deadline(0.3))
    assert answered.finding.ok
    assert hangs.finding.detail == "GET /: time was over before it was answered"
