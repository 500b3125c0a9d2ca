"""Samples harm nobody and are judged like their check; regular expressions take nobody else's time."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest
from gate.deployment import Target
from gate.http_sender import Sender
from gate.options import HttpCheck
from gate.traffic import MOST_WARM_UP, PAUSE, WARM_UP, Trial, send_samples, send_side_by_side
from gate.verdict import Outcome
from gate.waiting import Deadline

from tests.unit.gate.conftest import Clock, soon
from tests.unit.gate.test_gate_traffic import Green, judged, run, traffic
from tests.unit.gate.web_server import Request, WebServer


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


def test_latency_and_certificate_are_not_counted_by_sample(web: WebServer) -> None:
    check = HttpCheck(path="/health", max_latency_ms=0.001, certificate_days=9)
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
    assert found["samples:a"].good
    assert ("samples:a:error_rate" in found) == bool(judged_samples)
    assert len(web.requests) == good + 1


def test_a_429_that_is_expected_is_an_answer(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(429)
    found = judged(web, http_checks={"a": {"status": ["429"]}}, samples=5)
    assert found["samples:a:error_rate"].detail == "0 of 5 requests failed (0.00%)"


def test_a_429_to_the_check_itself_is_no_good_answer(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(429)
    assert not judged(web, http_checks={"a": {"attempts": 1}})["http:a"].good


# Regular expressions


@pytest.mark.parametrize("expectation", [{"body_matches": "ok"}, {"response_headers": {"Server": {"matches": "."}}}])
def test_while_an_expression_is_judged_nothing_is_on_its_way(
    web: WebServer, monkeypatch: pytest.MonkeyPatch, expectation: dict[str, Any]
) -> None:
    from gate import http_checks

    flying: list[int] = []
    at_judgement: list[int] = []
    known, send = http_checks._matches, Sender.send

    def counted(sender: Sender, check: Any) -> Any:
        flying.append(1)
        try:
            time.sleep(0.02)
            return send(sender, check)
        finally:
            flying.pop()

    def judge(expression: str, text: str) -> bool:
        at_judgement.append(len(flying))
        time.sleep(0.05)
        return known(expression, text)

    monkeypatch.setattr(Sender, "send", counted)
    monkeypatch.setattr(http_checks, "_matches", judge)
    slow = {"path": "/health", **expectation}
    checks = {"slow": slow, **{f"c{number}": {"path": "/health"} for number in range(20)}, "last": slow}
    found = judged(web, http_checks=checks)
    assert all(finding.good for finding in found.values())
    assert at_judgement
    assert set(at_judgement) == {0}
    assert len(found) == 22


def test_the_latencies_of_others_stay_theirs(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.http_checks.REGEX_TIME", 0.4)
    web.routes["/runaway"] = lambda request: request.answer(200, "a" * 60 + "!")

    def soon_after(request: Request) -> None:
        time.sleep(0.05)
        request.answer()

    web.routes["/"] = soon_after
    checks = {"slow": {"path": "/runaway", "body_matches": "(a+)+$", "attempts": 1}}
    checks |= {f"c{number}": {"max_latency_ms": 300, "attempts": 1} for number in range(5)}
    found = judged(web, http_checks=checks)
    assert [name for name, finding in found.items() if not finding.good] == ["http:slow"]


def test_what_came_before_time_was_over_is_judged(web: WebServer) -> None:
    """Though something else was on its way till then."""
    web.routes["/"] = lambda request: request.closing.wait(30)  # type: ignore[assignment]
    answered = Trial(HttpCheck(path="/health", body_matches="ok"), 0)
    hangs = Trial(HttpCheck(timeout=60), 0)
    send_side_by_side([answered, hangs], Sender(web.url), Deadline(0.3))
    assert answered.finding.good
    assert hangs.finding.detail == "GET /: time was over before it was answered"
