"""gate.traffic against real servers: attempts, side by side, flows, samples, and what of it is never shown."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import boto3
import pytest
from gate.deployment import Deployment, Listener, LoadBalancer, Rule, Service, Target, TargetGroup, TaskSet
from gate.http_checks import Answer
from gate.http_sender import Sender
from gate.options import HeaderComparison, HttpCheck, TrafficOptions
from gate.settings import read_settings
from gate.statistics import FIGURES
from gate.traffic import (
    AT_ONCE,
    NAMES,
    Traffic,
    Trial,
    Way,
    green_serves,
    listener_url,
    send_samples,
    send_side_by_side,
)
from gate.verdict import CannotLook, Finding, Outcome, Severity, finding_of, severity_for, take, unknown_names
from gate.waiting import Deadline, OutOfTime
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from tests.conftest import REGION
from tests.unit.gate.conftest import NAME, Clock, soon
from tests.unit.gate.web_server import Request, Route, WebServer

SECRET = "correct-horse-battery"
TOKEN = "tok-0123456789"

GROUP = TargetGroup(
    arn="arn:green", name="green", protocol="HTTP", protocol_version="HTTP1", port=80, target_type="ip", vpc_id="vpc-1",
    health_protocol="HTTP", health_port="traffic-port", health_path="/health",
    matcher="200", load_balancers=(),
)  # fmt: skip
GREEN = TaskSet.of(
    {
        "id": "ecs-svc/1",
        "taskDefinition": "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7",
        "loadBalancers": [{"containerName": "app", "targetGroupArn": "arn:green"}],
    }
)


class Green(Deployment):
    """A deployment whose green is known without asking AWS."""

    def __init__(self, image: str = "shop/app:v42", group: TargetGroup = GROUP) -> None:
        super().__init__("d-1", "main", "web")
        self.image = image
        self.group_of_green = group
        self.seen: list[Target] = []

    def green(self, service: Service | None = None) -> TaskSet:  # noqa: ARG002
        """The task set."""
        return GREEN

    def task_definition(self, name: str) -> Mapping[str, Any]:
        """Its task definition: the load balanced container is not the first."""
        assert name == GREEN.task_definition
        return {
            "containerDefinitions": [{"name": "proxy", "image": "proxy:v1"}, {"name": "app", "image": self.image}],
        }

    def target_group_of(self, task_set: TaskSet) -> TargetGroup:  # noqa: ARG002
        """Its target group."""
        return self.group_of_green

    def targets(self, target_group: TargetGroup) -> list[Target]:  # noqa: ARG002
        """Its targets."""
        return self.seen

    def weights_in_words(self, source: Listener | Rule) -> str:
        """Where a listener leads."""
        return ", ".join(f"{arn.removeprefix('arn:')} {weight}" for arn, weight in source.weights.items())


Findings = dict[str, Finding]


def run(traffic: Traffic) -> tuple[Findings, dict[str, Severity], bool]:
    """Take all looks as a hook does: findings by name, severities by name, and whether all were good."""
    found: Findings = {}
    severities: dict[str, Severity] = {}
    steps = traffic.checks()
    goes_on = True
    try:
        check = next(steps)
        while True:
            severity = severity_for(check.name, check.severity, traffic.settings.checks)
            severities[check.name] = severity
            goes_on = True
            if severity is not Severity.SKIP:
                try:
                    findings = take(check.look)
                except CannotLook as problem:
                    findings = [finding_of(problem)]
                found.update({finding.name or check.name: finding for finding in findings})
                goes_on = severity is Severity.WARN or all(finding.good for finding in findings)
            check = steps.send(goes_on)
    except StopIteration as end:
        return found, severities, end.value


def traffic(
    web: WebServer, deployment: Deployment | None = None, deadline: Deadline | None = None, **settings: Any
) -> Traffic:
    """The declared requests of a hook; no samples unless asked for."""
    document = json.dumps({"samples": 0, **settings})
    read = read_settings(TrafficOptions, {"HOOK_SETTINGS": document})
    sender = Sender(web.url, read.host, read.headers)
    return Traffic(deployment or Green(), read, deadline or soon(), sender, Way())


def judged(web: WebServer, deployment: Deployment | None = None, **settings: Any) -> Findings:
    """The findings of declared requests."""
    return run(traffic(web, deployment, **settings))[0]


def outcomes(findings: Findings) -> dict[str, str]:
    return {name: finding.outcome.value for name, finding in findings.items()}


def paths(web: WebServer) -> list[str]:
    return [request.path for request in web.requests]


def answers(*statuses: int) -> Route:
    """A route that answers with these, the last one for ever."""
    left = list(statuses)
    return lambda request: request.answer(left.pop(0) if len(left) > 1 else left[0])


def tried(web: WebServer, check: HttpCheck, deadline: Deadline | None = None) -> Finding:
    """One check, until it is decided."""
    trial = Trial(check, 0)
    send_side_by_side([trial], Sender(web.url), deadline or soon())
    return trial.finding


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
    ("check", "headers"),
    [
        (HttpCheck(headers={"Authorization": f"{SECRET}\n"}), {}),
        (HttpCheck(headers={"Authorization": f" {SECRET}"}), {}),
        (HttpCheck(url=f"http://host:port/?token={SECRET}"), {}),
        (HttpCheck(), {"Authorization": f"{SECRET}\n"}),
    ],
    ids=["line end in a header", "a blank before a header's value", "port", "line end in the hook's header"],
)
def test_a_request_that_cannot_be_sent_says_so_without_its_secrets(
    web: WebServer, check: HttpCheck, headers: dict[str, str]
) -> None:
    trial = Trial(check, 0)
    send_side_by_side([trial], Sender(web.url, headers=headers), soon())
    assert "the request could not be sent (" in trial.finding.detail
    assert "check its url, method and headers" in trial.finding.detail
    assert SECRET not in repr(trial.finding)


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
    assert finding.good == (detail is None)
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
    come: list[str], attempts: int, wanted: int, silent: int
) -> None:
    wanted = min(wanted, attempts)
    check = HttpCheck(attempts=attempts, consecutive_successes=wanted, consecutive_error_limit=silent)
    make = {"good": Answer(1.0, 200), "bad": Answer(1.0, 500), "silent": Answer(1.0, problem="refused")}
    trial = Trial(check, 0)
    taken: list[str] = []
    while not trial.over:
        taken.append(come[len(taken)])
        trial.take(make[taken[-1]], 10.0)

    def in_a_row(word: str, until: int) -> int:
        return len(list(itertools.takewhile(lambda each: each == word, reversed(taken[:until]))))

    def decided(until: int) -> bool:
        row = in_a_row("good", until)
        reachable = row + (attempts - until) >= wanted
        return row >= wanted or not reachable or in_a_row("silent", until) > silent

    assert [decided(until) for until in range(1, len(taken) + 1)] == [False] * (len(taken) - 1) + [True]
    assert trial.finding.good == (in_a_row("good", len(taken)) >= wanted)
    assert trial.finding.values["attempts"] == len(taken) <= attempts
    assert trial.due == 10.0 + check.interval


def test_a_row_that_is_not_long_enough_yet_is_no_pass() -> None:
    trial = Trial(HttpCheck(attempts=5, consecutive_successes=3), 0)
    trial.take(Answer(1.0, 200), 0)
    assert not trial.over
    assert trial.finding.outcome is Outcome.FAILED
    assert trial.finding.detail == "GET /: as expected 1 time(s) in a row, 3 wanted (attempt 1 of 5)"


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
    assert found["http:b"].good
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
    monkeypatch.setattr("gate.traffic.wait", interrupted(web, 1))
    with pytest.raises(OutOfTime):
        send_side_by_side([Trial(HttpCheck(path="/health"), 0) for _ in range(20)], Sender(web.url), Deadline(600))
    no_threads_left()
    assert len(web.requests) <= AT_ONCE


def hang(request: Request) -> None:
    """No answer until the test ends."""
    request.closing.wait(30)
    request.raw(b"")


def interrupted(web: WebServer, after: int) -> Callable[..., None]:
    """In place of waiting: the time is over once so many requests have come."""

    def interrupt(*_arguments: object) -> None:
        while len(web.requests) < after:
            time.sleep(0.001)
        raise OutOfTime

    return interrupt


def no_threads_left() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("http"):
            thread.join(30)
            assert not thread.is_alive()


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


def test_a_runaway_expression_of_one_check_does_not_spoil_the_others(
    web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gate.http_checks.REGEX_TIME", 0.05)
    web.routes["/"] = lambda request: request.answer(200, "a" * 60 + "!")
    found = judged(web, http_checks={"a": {"body_matches": "(a+)+$", "attempts": 1}, "b": {"path": "/health"}})
    assert outcomes(found) == {"http:a": "failed", "http:b": "passed"}
    assert "took more than 0.05 s: simplify the expression" in found["http:a"].detail


# What is declared


def test_without_declared_requests_the_target_groups_own_health_check_is_sent(web: WebServer) -> None:
    found, severities, sound = run(traffic(web))
    assert found["http:health"].detail.startswith("GET /health: 200 in ")
    assert (severities, sound) == ({"http:health": Severity.FAIL}, True)


def test_without_a_health_check_over_http_requests_have_to_be_declared(web: WebServer) -> None:
    found = judged(web, Green(group=replace(GROUP, health_protocol="TCP")))
    assert list(found) == ["http:health"]
    assert found["http:health"].outcome is Outcome.SKIPPED
    assert found["http:health"].note
    assert "declare what to ask: http_checks = " in found["http:health"].detail
    assert paths(web) == []


def test_a_health_check_on_another_port_is_not_asked_of_the_listener(web: WebServer) -> None:
    found = judged(web, Green(group=replace(GROUP, health_port="9000")))
    assert found["http:health"].outcome is Outcome.SKIPPED
    assert "is on port 9000, where no listener leads: declare what to ask" in found["http:health"].detail
    assert paths(web) == []


def test_with_flows_alone_no_health_check_is_sent(web: WebServer) -> None:
    found = judged(web, flows={"f": {"steps": [{"path": "/health"}]}})
    assert list(found) == ["flow:f"]
    assert paths(web) == ["/health"]


def test_the_hooks_host_and_headers_go_with_each_request(web: WebServer) -> None:
    hook: dict[str, Any] = {"host": NAME, "headers": {"X-A": "1"}}
    judged(
        web, **hook, http_checks={"a": {"path": "/health"}}, flows={"f": {"steps": [{"path": "/health"}]}}, samples=1
    )
    assert [(request.headers["Host"], request.headers["X-A"]) for request in web.requests] == [(NAME, "1")] * 13


def test_a_check_may_only_warn(web: WebServer) -> None:
    checks = {"a": {"severity": "warn", "attempts": 1}, "b": {"path": "/health"}}
    found, severities, sound = run(traffic(web, http_checks=checks, samples=2))
    assert outcomes(found)["http:a"] == "failed"
    assert severities == {"http:a": Severity.WARN, "http:b": Severity.FAIL, "samples:b": Severity.FAIL}
    assert sound
    _, severities, sound = run(traffic(web, http_checks=checks, checks={"http:a": "fail", "http:b": "warn"}))
    assert severities == {"http:a": Severity.FAIL, "http:b": Severity.WARN}
    assert not sound


def test_samples_of_a_check_that_may_only_warn_only_warn_too(web: WebServer) -> None:
    checks = {"a": {"path": "/health", "severity": "warn", "samples": 1}}
    assert run(traffic(web, http_checks=checks))[1] == {"http:a": Severity.WARN, "samples:a": Severity.WARN}


@pytest.mark.parametrize(
    "checks",
    [{"http:a": "skip", "samples:a": "skip", "flow:f": "skip"}, {"http": "skip", "samples": "skip", "flow": "skip"}],
)
def test_what_is_left_out_by_the_setting_checks_is_not_sent(web: WebServer, checks: dict[str, str]) -> None:
    settings: dict[str, Any] = {"http_checks": {"a": {"path": "/a"}}, "flows": {"f": {"steps": [{"path": "/f"}]}}}
    found, severities, sound = run(traffic(web, checks=checks, samples=5, **settings))
    assert (found, paths(web), sound) == ({}, [], True)
    assert set(severities.values()) == {Severity.SKIP}


def test_one_check_may_be_left_out_and_the_others_are_sent(web: WebServer) -> None:
    checks = {"a": {"path": "/a"}, "b": {"path": "/health"}}
    found = judged(web, checks={"http:a": "skip"}, http_checks=checks)
    assert outcomes(found) == {"http:b": "passed"}
    assert paths(web) == ["/health"]


def test_all_is_sound_only_if_each_check_sample_and_flow_is(web: WebServer) -> None:
    good: dict[str, Any] = {"http_checks": {"a": {"path": "/health"}}, "flows": {"f": {"steps": [{"path": "/health"}]}}}
    assert run(traffic(web, **good, samples=1))[2]
    bad = {"path": "/none", "attempts": 1}
    assert not run(traffic(web, http_checks={"b": bad, "a": {"path": "/health"}}))[2]
    assert not run(traffic(web, http_checks={"a": {"path": "/health"}}, flows={"f": {"steps": [bad]}}))[2]
    assert not run(traffic(web, **good, samples=1, thresholds={"max_ms": 0.001}))[2]


# What green is called


def test_an_answer_proves_that_it_is_greens(web: WebServer) -> None:
    page = json.dumps({"version": "v42", "revision": 7})
    web.routes["/"] = lambda request: request.answer(200, page, {"X-Version": "v42"})
    expected = {
        "response_headers": {"X-Version": {"equals": "{image_tag}"}},
        "jmespath": {"version": {"equals": "{image_tag}"}, "revision": {"one_of": ["{revision}", "x{revision}"]}},
    }
    settings: dict[str, Any] = {"http_checks": {"a": expected}, "flows": {"f": {"steps": [expected]}}}
    assert set(outcomes(judged(web, **settings, samples=2)).values()) == {"passed"}
    found = judged(web, Green("shop/app:v43"), **settings)
    assert "[HEADER X-Version] (v42) expected v43; [JSON version] (v42) expected v43" in found["http:a"].detail
    assert "[JSON version] (v42) expected v43" in found["flow:f"].detail


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("shop/app:v42", "v42"),
        ("shop/app", "latest"),
        ("registry.example.com:5000/shop/app", "latest"),
        (f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1@sha256:{'0' * 64}", "v1"),
    ],
)
def test_image_tag_is_the_tag_of_the_load_balanced_container(web: WebServer, image: str, tag: str) -> None:
    judged(web, Green(image), http_checks={"a": {"path": "/health?{image_tag}={revision}"}})
    assert paths(web) == [f"/health?{tag}=7"]


def test_an_image_without_a_tag_is_said_to_have_none(web: WebServer) -> None:
    image = f"shop/app@sha256:{'0' * 64}"
    flow = {"steps": [{"path": "/health"}, {"path": "/{image_tag}"}]}
    checks = {
        "a": {"response_headers": {"X": {"equals": "{image_tag}"}}},
        "b": {"path": "/health"},
        "c": {"path": "/health?{revision}"},
    }
    found = judged(web, Green(image), http_checks=checks, flows={"f": flow})
    assert outcomes(found) == {"http:a": "error", "http:b": "passed", "http:c": "passed", "flow:f": "error"}
    for name in ("http:a", "flow:f"):
        assert f"{{image_tag}}: the image of container app is {image}, which has no tag" in found[name].detail
        assert "expect {revision} instead" in found[name].detail
    assert sorted(paths(web)) == ["/health", "/health?7"]  # nothing of the flow


def test_a_name_that_nobody_knows_is_sent_as_it_is_written(web: WebServer) -> None:
    web.routes["/graphql"] = lambda request: request.answer()
    judged(web, http_checks={"a": {"path": "/graphql", "method": "POST", "body": "query {me} {image_tag}"}})
    assert web.requests[0].body == b"query {me} v42"


# Flows


@pytest.fixture
def shop(web: WebServer) -> WebServer:
    """A shop: log in, order, look at the order, cancel it. Everything but the login wants its token."""

    def may(request: Request) -> bool:
        if request.headers.get("Authorization") == f"Bearer {TOKEN}":
            return True
        request.answer(401, f"who are you, {request.headers.get('Authorization')}?")
        return False

    def order(request: Request) -> None:
        if may(request):
            content = json.dumps({"id": 7, "items": json.loads(request.body)})
            request.answer(201, content, {"Location": "/orders/a b/7", "X-Trace": "trace 1"})

    def look(request: Request) -> None:
        if may(request):
            request.answer(
                204 if request.method == "DELETE" else 200, "" if request.method == "DELETE" else '{"id": 7}'
            )

    web.routes.update(
        {
            "/login": lambda request: request.answer(200, json.dumps({"token": TOKEN, "user": {"id": 3}})),
            "/orders": order,
            "/orders/7": look,
        }
    )
    return web


BEARER = {"Authorization": "Bearer {token}"}
LOGIN = {
    "name": "log in",
    "path": "/login",
    "method": "POST",
    "json": "{}",
    "save": {"token": "token", "user": "user.id"},
}
ORDER = {
    "path": "/orders", "method": "POST", "headers": BEARER, "json": '{"user": "{user}"}', "save": {"order": "id"},
}  # fmt: skip
LOOK = {"path": "/orders/{order}", "headers": BEARER, "jmespath": {"id": {"equals": "{order}"}}}
CANCEL = {"name": "cancel", "path": "/orders/{order}", "method": "DELETE", "headers": BEARER, "always": True}


def flow(web: WebServer, *steps: Mapping[str, Any], **settings: Any) -> Finding:
    """What came of one flow."""
    return judged(web, flows={"f": {"steps": list(steps)}}, **settings)["flow:f"]


def test_later_steps_use_what_earlier_ones_saved(shop: WebServer) -> None:
    finding = flow(shop, LOGIN, ORDER, LOOK, CANCEL)
    assert finding.outcome is Outcome.PASSED
    assert finding.detail == "4 steps: log in 200, step 2 201, step 3 200, cancel 204"
    assert [(request.method, request.path) for request in shop.requests] == [
        ("POST", "/login"), ("POST", "/orders"), ("GET", "/orders/7"), ("DELETE", "/orders/7"),
    ]  # fmt: skip
    assert json.loads(shop.requests[1].body) == {"user": "3"}


def test_what_was_saved_may_stand_anywhere(web: WebServer) -> None:
    value = 'a/b "c" \\ ?'
    first = {"path": "/first", "save": {"text": "text", "number": "number", "header": "header:x-trace"}}
    document = {"text": value, "number": 1.5}
    web.routes["/first"] = lambda request: request.answer(200, json.dumps(document), {"X-Trace": "t 1"})
    web.routes["/a/a%2Fb%20%22c%22%20%5C%20%3F"] = lambda request: request.answer(
        200, json.dumps({"same": value, "half": 1.5}), {"X-Same": "t 1"}
    )
    second = {
        "path": "/a/{text}?n={number}", "method": "POST", "headers": {"X-Text": "{text}"},
        "json": '{"a": "{text}", "b": ["{header}"]}', "response_headers": {"X-Same": {"equals": "{header}"}},
        "jmespath": {"same": {"equals": "{text}"}, "half": {"one_of": ["1", "{number}"]}},
    }  # fmt: skip
    third = {"url": f"{web.url}/health?{{number}}", "method": "POST", "body": "{text}|{header}|{other}"}
    assert flow(web, first, second, third).detail == "3 steps: step 1 200, step 2 200, step 3 200"
    _, asked, last = web.requests
    assert (asked.path, asked.headers["X-Text"]) == ("/a/a%2Fb%20%22c%22%20%5C%20%3F?n=1.5", value)
    assert json.loads(asked.body) == {"a": value, "b": ["t 1"]}
    assert (last.path, last.body.decode()) == ("/health?1.5", f"{value}|t 1|{{other}}")


def test_cookies_are_kept_within_a_flow_and_nowhere_else(web: WebServer) -> None:
    numbers = itertools.count(1)
    web.routes["/login"] = lambda request: request.answer(headers={"Set-Cookie": f"session=s{next(numbers)}; Path=/"})
    steps = [{"path": "/login"}, {"path": "/health"}]
    judged(web, http_checks={"a": {"path": "/login"}}, flows={"f": {"steps": steps}, "g": {"steps": steps}}, samples=1)
    assert [(request.path, request.headers.get("Cookie")) for request in web.requests] == [
        *[("/login", None)] * 12,
        ("/login", None), ("/health", "session=s13"), ("/login", None), ("/health", "session=s14"),
    ]  # fmt: skip


def test_a_failed_step_ends_the_flow_and_what_passed_is_told(shop: WebServer) -> None:
    finding = flow(shop, LOGIN, {**ORDER, "status": ["200"], "attempts": 2}, LOOK)
    assert finding.outcome is Outcome.FAILED
    assert finding.detail.startswith(
        'step 2: POST /orders: [STATUS] (201, Location /orders/a b/7) expected 200; body: {"id": 7, '
    )
    assert finding.detail.endswith("(attempt 2 of 2) (passed: log in 200)")
    assert paths(shop) == ["/login", "/orders", "/orders"]


def test_a_step_is_sent_once_unless_it_says_otherwise(web: WebServer) -> None:
    web.routes["/"] = answers(500, 500, 200)
    assert not flow(web, {}).good
    assert len(web.requests) == 1
    assert flow(web, {"attempts": 2, "interval": 0}).good
    assert len(web.requests) == 3


def test_after_a_failed_step_those_that_clean_up_are_sent_if_what_they_need_was_saved(shop: WebServer) -> None:
    finding = flow(shop, LOGIN, ORDER, {**LOOK, "status": ["404"]}, {"path": "/never"}, CANCEL)
    assert finding.detail.startswith("step 3: GET /orders/{order}: [STATUS] (200) expected 404")
    assert finding.detail.endswith("(passed: log in 200, step 2 201, cancel 204)")
    assert [request.method for request in shop.requests] == ["POST", "POST", "GET", "DELETE"]


def test_after_a_failed_step_those_that_clean_up_are_not_sent_if_what_they_need_was_not_saved(shop: WebServer) -> None:
    needs_nothing = {"name": "tidy", "path": "/health", "headers": {"X-Tag": "{image_tag}"}, "always": True}
    finding = flow(shop, LOGIN, {**ORDER, "path": "/none"}, CANCEL, needs_nothing)
    assert finding.detail.endswith("(passed: log in 200, tidy 200)")
    assert paths(shop) == ["/login", "/none", "/health"]


@pytest.mark.parametrize("attribute", ["json", "body"])
def test_a_body_needs_what_it_holds_too(shop: WebServer, attribute: str) -> None:
    clean = {"path": "/orders/7", "method": "POST", attribute: '{"id": "{order}", "x": "{other}"}', "always": True}
    flow(shop, {**LOGIN, "save": {"token": "token"}}, {**ORDER, "path": "/none"}, clean)
    assert paths(shop) == ["/login", "/none"]
    flow(shop, LOGIN, ORDER, {"path": "/none"}, clean)
    assert json.loads(shop.requests[-1].body) == {"id": "7", "x": "{other}"}


def test_a_step_that_cleans_up_and_fails_is_told_too(shop: WebServer) -> None:
    finding = flow(shop, LOGIN, {"path": "/none"}, {**CANCEL, "path": "/orders/none"})
    first, second = finding.detail.split("; cancel: ")
    assert first.startswith("step 2: GET /none: [STATUS] (404) expected 200-299")
    assert second.startswith("DELETE /orders/none: [STATUS] (404)")


def test_what_an_answer_does_not_hold_is_named_and_ends_the_flow(shop: WebServer) -> None:
    login = {**LOGIN, "save": {"token": "access_token", "user": "user.id", "session": "header:X-Session"}}
    finding = flow(shop, login, ORDER)
    assert finding.detail == (
        "log in: POST /login: the answer does not hold token (access_token), session (header:X-Session) (passed: none)"
    )
    assert paths(shop) == ["/login"]


def test_an_empty_value_is_none(web: WebServer) -> None:
    """DELETE /orders/{id} would be another request."""
    web.routes["/a"] = lambda request: request.answer(200, '{"id": ""}', {"X-Id": ""})
    finding = flow(
        web, {"path": "/a", "save": {"id": "id", "header": "header:X-Id"}}, {"path": "/b/{id}", "always": True}
    )
    assert finding.detail == "step 1: GET /a: the answer does not hold id (id), header (header:X-Id) (passed: none)"
    assert paths(web) == ["/a"]


def test_what_a_bad_answer_holds_is_there_for_cleaning_up(shop: WebServer) -> None:
    finding = flow(shop, LOGIN, {**ORDER, "status": ["200"]}, LOOK, CANCEL)
    assert finding.detail.endswith("(passed: log in 200, cancel 204)")
    assert [request.method for request in shop.requests] == ["POST", "POST", "DELETE"]


def test_what_was_saved_before_is_there_for_cleaning_up_though_something_else_is_missing(shop: WebServer) -> None:
    finding = flow(shop, LOGIN, {**ORDER, "save": {"order": "id", "number": "number"}}, CANCEL)
    assert finding.detail == (
        "step 2: POST /orders: the answer does not hold number (number) (passed: log in 200, cancel 204)"
    )


def test_what_may_lie_behind_max_body_says_so(shop: WebServer) -> None:
    finding = flow(shop, {**LOGIN, "max_body": 10})
    assert "the answer does not hold token (token), user (user.id)" in finding.detail
    assert "the body has more than 10 bytes: raise max_body" in finding.detail


def test_a_flow_has_a_severity_of_its_own(web: WebServer) -> None:
    flows = {"f": {"severity": "warn", "steps": [{}]}, "g": {"steps": [{"path": "/health"}]}}
    found, severities, sound = run(traffic(web, flows=flows))
    assert outcomes(found) == {"flow:f": "failed", "flow:g": "passed"}
    assert severities == {"flow:f": Severity.WARN, "flow:g": Severity.FAIL}
    assert sound


def test_a_flow_whose_time_is_over_does_not_pass(web: WebServer, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = Trial.take

    def slowly(trial: Trial, answer: Answer, now: float) -> None:
        judge(trial, answer, now)
        clock.now += 100

    monkeypatch.setattr(Trial, "take", slowly)
    web.routes["/first"] = lambda request: request.answer(200, json.dumps({"link": TOKEN}))
    steps = [{"path": "/first", "save": {"link": "link"}}, {"path": "/reset/{link}"}]
    deadline = Deadline(60, clock.monotonic, clock.sleep)
    finding = run(traffic(web, deadline=deadline, flows={"f": {"steps": steps}}))[0]["flow:f"]
    assert finding.detail == ("step 2: GET /reset/{link}: time was over before it could be sent (passed: step 1 200)")
    assert paths(web) == ["/first"]


# What is never shown


def test_a_saved_token_that_goes_into_a_header_is_never_shown(shop: WebServer) -> None:
    shop.routes["/echo"] = lambda request: request.answer(
        500, f"you sent {request.headers['Authorization']}", {"Location": f"/login/{TOKEN}", "X-Echo": TOKEN}
    )
    echo = {"path": "/echo", "headers": BEARER, "response_headers": {"X-Echo": {"equals": "x"}}}
    finding = flow(shop, LOGIN, echo)
    assert "[STATUS] (500, Location /login/***)" in finding.detail
    assert "[HEADER X-Echo] (***) expected x" in finding.detail
    assert "body: you sent Bearer ***" in finding.detail
    assert TOKEN not in repr(finding)


@pytest.mark.parametrize("token", [TOKEN, "t" + "0123456789" * 30], ids=["short", "cut off"])
def test_nor_is_it_where_the_step_that_saves_it_fails(web: WebServer, token: str) -> None:
    web.routes["/login"] = lambda request: request.answer(500, json.dumps({"token": token}), {"X-Session": token})
    login = {**LOGIN, "save": {"token": "token", "session": "header:X-Session"}, "jmespath": {"token": {"equals": "x"}}}
    use = {"headers": {**BEARER, "Cookie": "{session}"}}
    finding = flow(web, {**login, "response_headers": {"X-Session": {"equals": "x"}}}, use)
    assert finding.detail.startswith("log in: POST /login: [STATUS] (500) expected 200-299")
    assert token[:8] not in finding.detail
    assert "[JSON token] (***" in finding.detail


def test_nor_where_a_later_step_saves_another(web: WebServer) -> None:
    tokens = iter([TOKEN, "another-token"])
    web.routes["/login"] = lambda request: request.answer(200, json.dumps({"token": next(tokens)}))
    web.routes["/echo"] = lambda request: request.answer(500, request.headers["Authorization"])
    login = {**LOGIN, "save": {"token": "token"}, "always": True}
    finding = flow(web, login, {"path": "/echo", "headers": BEARER}, login)
    assert finding.detail == (
        "step 2: GET /echo: [STATUS] (500) expected 200-299; body: Bearer *** (passed: log in 200, log in 200)"
    )


def test_nor_in_a_path(web: WebServer) -> None:
    web.routes["/login"] = lambda request: request.answer(200, json.dumps({"token": TOKEN}))
    finding = flow(web, {**LOGIN, "save": {"token": "token"}}, {"path": "/{token}"})
    assert "step 2: GET /{token}: [STATUS] (404)" in finding.detail
    assert TOKEN not in finding.detail


@pytest.fixture
def stored() -> Iterator[str]:
    """The ARN of a secret that holds SECRET."""
    with mock_aws():
        client = boto3.client("secretsmanager", region_name=REGION)
        yield str(client.create_secret(Name="shop/token", SecretString=SECRET)["ARN"])


def echo_secret(request: Request) -> None:
    """An answer that holds the header it was sent, in its body and its headers."""
    sent = request.headers["Authorization"]
    request.answer(500, f"bad credentials: {sent}", {"X-Echo": sent, "Location": f"/login/{sent}"})


def test_a_secret_header_is_sent_and_never_shown(web: WebServer, stored: str) -> None:
    web.routes["/"] = echo_secret
    check = {
        "secret_headers": {"Authorization": f"Bearer {stored}"},
        "response_headers": {"X-Echo": {"equals": "x"}},
        "attempts": 1,
    }
    found = judged(web, http_checks={"a": check}, flows={"f": {"steps": [check]}})
    assert [request.headers["Authorization"] for request in web.requests] == [f"Bearer {SECRET}"] * 2
    assert found["http:a"].detail == (
        "GET /: [STATUS] (500, Location /login/***) expected 200-299; [HEADER X-Echo] (***) expected x; "
        "body: bad credentials: ***"
    )
    assert SECRET not in repr(found)


def test_nor_is_it_in_the_figures_of_samples(web: WebServer, stored: str) -> None:
    web.routes["/"] = echo_secret
    check = {"secret_headers": {"Authorization": f"Bearer {stored}"}, "status": ["500"], "samples": 3}
    found = judged(web, http_checks={"a": check})
    assert found["samples:a:error_rate"].good
    statuses = iter([500] * 11 + [503] * 3)

    def sometimes(request: Request) -> None:
        request.answer(next(statuses), "", {"Location": f"/login/{request.headers['Authorization']}"})

    web.routes["/"] = sometimes
    found = judged(web, http_checks={"a": check})
    assert found["samples:a:error_rate"].values["reasons"] == {"[STATUS] (503, Location /login/***) expected 500": 3}
    assert SECRET not in repr(found)


def test_nor_where_the_excerpt_of_a_body_ends_within_it(web: WebServer, stored: str) -> None:
    check = {"secret_headers": {"Authorization": stored}, "attempts": 1}
    for length in range(90, 120):
        before = "x" * length
        web.routes["/"] = lambda request, before=before: request.answer(  # type: ignore[misc]
            500, before + request.headers["Authorization"]
        )
        assert SECRET[:4] not in judged(web, http_checks={"a": check})["http:a"].detail


def test_a_secret_that_cannot_be_read_spares_the_other_checks(web: WebServer, stored: str) -> None:
    missing = stored.replace("shop/token", "none")
    flows = {"f": {"steps": [{"path": "/health"}, {"secret_headers": {"A": missing}}]}}
    found = judged(web, http_checks={"a": {"secret_headers": {"A": missing}}, "b": {"path": "/health"}}, flows=flows)
    assert outcomes(found) == {"http:a": "error", "http:b": "passed", "flow:f": "error"}
    assert "secretsmanager:GetSecretValue" in found["http:a"].detail
    assert missing in found["flow:f"].detail
    assert paths(web) == ["/health"]  # nothing of the flow


# Samples


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
    version = {"X-Version": HeaderComparison(equals="v42")}
    check = HttpCheck(response_headers=version, status=("200",), timeout=0.3)
    reasons = [reason for _latency, reason in send_samples(check, Sender(web.url), 5, 1, soon()).outcomes]
    assert reasons[:4] == [
        "",
        "[HEADER X-Version] (v41) expected v42",
        "[STATUS] (503) expected 200; [HEADER X-Version] (absent) expected v42",
        "no answer within 0.3 s",
    ]
    assert reasons[4].startswith("no answer (")
    web.close()
    refused = send_samples(check, Sender(web.url), 1, 1, soon()).outcomes
    assert refused[0][1].startswith("connection refused (")


def test_samples_are_judged_by_their_thresholds(web: WebServer) -> None:
    statuses = itertools.chain([200] * 11, itertools.cycle([200] * 9 + [503]))
    web.routes["/"] = lambda request: request.answer(next(statuses))
    settings: dict[str, Any] = {"http_checks": {"a": {"attempts": 1}}, "samples": 20}
    found = judged(web, **settings, thresholds={"p50_ms": 60_000, "max_ms": 60_000})
    assert outcomes(found) == {
        "http:a": "passed", "samples:a:error_rate": "failed", "samples:a:p50": "passed",
        "samples:a:max": "passed",
    }  # fmt: skip
    assert found["samples:a:error_rate"].detail == (
        "a: 2 of 20 requests failed (10.00%), at most 1.00% allowed: 2 times [STATUS] (503) expected 200-299"
    )
    assert found["samples:a:error_rate"].values["reasons"] == {"[STATUS] (503) expected 200-299": 2}
    assert outcomes(judged(web, **settings, thresholds={"error_rate": 0.2}))["samples:a:error_rate"] == "passed"


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
    found, severities, _ = run(traffic(web, http_checks=checks, samples=5))
    assert list(severities) == ["http:a", "http:b", "samples:b", "http:c"]
    assert "samples:a:error_rate" not in found
    assert paths(web).count("/") == 3
    assert paths(web).count("/health") == 1 + 10 + 3


def test_the_samples_of_a_check_that_was_left_out_are_measured_all_the_same(web: WebServer) -> None:
    checks = {"a": {"path": "/health?{revision}"}}
    found = judged(web, checks={"http:a": "skip"}, http_checks=checks, samples=3)
    assert outcomes(found) == {"samples:a:error_rate": "passed"}
    assert paths(web) == ["/health?7"] * 13


def test_samples_end_with_the_time_and_it_is_said_how_many_there_were(web: WebServer, clock: Clock) -> None:
    def slowly(request: Request) -> None:
        clock.now += 10
        request.answer()

    web.routes["/"] = slowly
    deadline = Deadline(160, clock.monotonic, clock.sleep)
    settings: dict[str, Any] = {"http_checks": {"a": {}}, "samples": 20, "concurrency": 1}
    found, _, sound = run(traffic(web, deadline=deadline, **settings))
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
    monkeypatch.setattr("gate.traffic.wait", interrupted(web, 2))
    with pytest.raises(OutOfTime):
        send_samples(HttpCheck(path="/health"), Sender(web.url), 1_000_000, 2, Deadline(600))
    no_threads_left()


def test_of_samples_no_bodies_are_kept(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(500, "x" * 100_000)
    found = send_samples(HttpCheck(), Sender(web.url), 5, 2, soon()).outcomes
    assert [reason for _latency, reason in found] == ["[STATUS] (500) expected 200-299"] * 5


# Listeners


def listener(**weights: int) -> Listener:
    return Listener(
        arn="l", load_balancer_arn="b", protocol="HTTPS", port=8443,
        default={f"arn:{name}": weight for name, weight in weights.items()},
        pair=frozenset({"arn:blue", "arn:green"}), read_rules=list,
    )  # fmt: skip


def test_a_listeners_url_has_its_scheme_name_and_port() -> None:
    balancer = LoadBalancer(arn="b", dns_name="lb.example.com", kind="application", state="active", zones=())
    assert listener_url(listener(), balancer, GROUP) == "https://lb.example.com:8443"
    assert listener_url(replace(listener(), protocol="TLS"), balancer, GROUP) == "https://lb.example.com:8443"
    assert listener_url(replace(listener(), protocol="HTTP", port=80), balancer, GROUP) == "http://lb.example.com:80"


def test_names_of_checks_are_those_of_the_settings(web: WebServer) -> None:
    every = dict.fromkeys(("p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms"), 60_000)
    checks = {"a": {"path": "/health"}}
    found, severities, _ = run(
        traffic(web, http_checks=checks, flows={"f": {"steps": [{}]}}, samples=1, thresholds=every)
    )
    assert list(severities) == ["http:a", "samples:a", "flow:f"]
    assert list(found) == ["http:a", *(f"samples:a:{figure}" for figure in FIGURES), "flow:f"]
    assert unknown_names([*severities, *found, "http", "samples", "flow"], NAMES) == []
    assert unknown_names(["https:a", "samples:", "flows"], NAMES) == ["flows", "https:a", "samples:"]


def target(address: str, state: str) -> Target:
    return Target(address, 80, state, "", "")


def test_nothing_is_sent_before_the_listener_leads_to_green_alone() -> None:
    finding = green_serves(Green(), GROUP, listener(green=50, blue=50), "test")
    assert (finding.outcome, finding.name) == (Outcome.FAILED, None), "it has the name of its check"
    assert finding.detail == "the test listener does not lead to green (green) alone but to green 50, blue 50"


def test_nor_before_green_has_a_healthy_target() -> None:
    deployment = Green()
    finding = green_serves(deployment, GROUP, listener(green=1), "production")
    assert finding.detail == "no green target is healthy, so nothing is sent: green target none is registered"
    deployment.seen = [target("10.0.0.1", "initial"), target("10.0.0.2", "unhealthy")]
    finding = green_serves(deployment, GROUP, None, "production")
    assert finding.outcome is Outcome.FAILED
    assert finding.detail == (
        "no green target is healthy, so nothing is sent: green target 10.0.0.1:80 is initial; 10.0.0.2:80 is unhealthy"
    )


def test_for_tests_all_targets_have_to_be_healthy() -> None:
    deployment = Green()
    deployment.seen = [target("10.0.0.1", "initial"), target("10.0.0.2", "healthy"), target("10.0.0.3", "draining")]
    finding = green_serves(deployment, GROUP, listener(green=1), "test")
    assert (finding.outcome, finding.detail) == (
        Outcome.FAILED,
        "1 of 2 green targets are healthy, so nothing is sent: green target 10.0.0.1:80 is initial",
    )


@pytest.mark.parametrize("listens", [True, False])
def test_for_customers_one_healthy_target_is_enough(listens: bool) -> None:
    """How many of them are not is judged by the load balancer's own figures."""
    deployment = Green()
    deployment.seen = [target("10.0.0.1", "initial"), target("10.0.0.2", "healthy")]
    finding = green_serves(deployment, GROUP, listener(green=1) if listens else None, "production")
    assert finding.good
    leads = "production traffic leads to green (green 1)" if listens else "green is green"
    assert finding.detail == f"{leads}, 1 of 2 target(s) healthy"
