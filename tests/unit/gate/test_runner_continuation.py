"""gate.runner: what needs more time than one invocation has continues in a fresh one, which makes its checks again."""

from __future__ import annotations

import json
import logging
import math
import threading
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, Mock

import pytest
from gate.options import HookOptions
from gate.runner import Gate, Handler
from gate.verdict import Finding, Severity, failed
from gate.waiting import OutOfTime

from tests.unit.gate.codedeploy_server import (
    EVENT,
    INVOKE,
    REPORT,
    ROLLBACK,
    CodeDeploy,
    Reply,
    deployment,
    refused,
)
from tests.unit.gate.conftest import Clock
from tests.unit.gate.sample_hooks import (
    FUNCTION,
    HOOK,
    TAKEN,
    LongHook,
    PatientOptions,
    Sample,
    WordlessError,
    context_of,
    good,
    handler_of,
    hook_of,
    lambda_context,
    outcomes,
    raising,
)

CONTINUATION: dict[str, Any] = {
    "began": 1000.0, "number": 1, "state": {}, "orphan_note": "", "request_id": "request-0"
}  # fmt: skip


def continuing(state: Mapping[Any, Any] | None = None) -> Handler:
    """A hook whose only check continues later, at once."""
    return handler_of(lambda gate: gate.check("long", lambda: gate.continue_later(state or {})), PatientOptions)


def test_what_does_not_fit_is_continued_and_not_reported(
    codedeploy: CodeDeploy, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="gate")
    answer = LongHook(clock, 1000, good("first")).handler(EVENT, lambda_context())
    assert codedeploy.reports == []
    assert codedeploy.invoked == [(FUNCTION, "Event")]
    assert codedeploy.continued == [{**EVENT, "Continuation": {**CONTINUATION, "state": {"began": 1000.0}}}]
    message = "continued by request request-3: 1 of 4, long goes on"
    assert (answer["status"], answer["message"]) == ("CONTINUED", message)
    assert outcomes(answer) == {"deployment": "passed", "first": "passed"}
    assert json.loads(json.dumps(answer)) == answer
    record = next(record for record in caplog.records if record.getMessage() == message)
    fields = vars(record)
    assert (record.levelname, fields["status"], fields["check"]) == ("INFO", "CONTINUED", "long")
    assert (fields["hook"], fields["deployment_id"]) == (HOOK, "d-ABCDEF123")
    assert clock.now == 1000 + 870 - 20, "time is kept for starting the next invocation"


def test_the_next_invocation_makes_all_checks_again_and_reports_once(codedeploy: CodeDeploy, clock: Clock) -> None:
    hook = LongHook(clock, 1000, good("first"))
    first, last = hook.play(codedeploy)
    assert (first["status"], codedeploy.statuses) == ("CONTINUED", ["Succeeded"])
    assert hook.probed == ["first", "long", "first", "long", "after"]
    assert [check["name"] for check in last["checks"]] == ["deployment", "first", "long", "after"]
    assert last["message"] == "3 checks passed"
    assert last["checks"][-2]["detail"] == "it has lasted 1000 s"
    found = [(gate.continuation.number, gate.continuations_left, dict(gate.continuation.state)) for gate in hook.gates]
    assert found == [(0, 4, {}), (1, 3, {"began": 1000.0})]
    assert [gate.continuation.began for gate in hook.gates] == [1000, 1000]
    assert [gate.elapsed_in_all() for gate in hook.gates] == [1000, 1000], "both on the clock as it is now"


def test_what_has_become_bad_meanwhile_is_found(codedeploy: CodeDeploy, clock: Clock) -> None:
    turning = Sample("turning", lambda: failed("it broke") if codedeploy.continued else good().probe())
    last = LongHook(clock, 1000, turning).play(codedeploy)[-1]
    assert (last["message"], codedeploy.statuses) == ("it broke", ["Failed"])


def test_a_hook_that_has_the_time_does_not_continue(codedeploy: CodeDeploy, clock: Clock) -> None:
    assert [answer["status"] for answer in LongHook(clock, 850).play(codedeploy)] == ["SUCCEEDED"]
    assert (codedeploy.statuses, codedeploy.continued) == (["Succeeded"], [])


@pytest.mark.parametrize(
    ("timeout", "seconds", "invocations"),
    [(900, 2700, 4), (900, 850, 1), (900, 850.1, 2), (60, 100, 5), (20, 30, 4)],
)
def test_it_takes_as_many_invocations_as_it_needs(
    codedeploy: CodeDeploy, clock: Clock, timeout: float, seconds: float, invocations: int
) -> None:
    answers = LongHook(clock, seconds).play(codedeploy, lambda_context(timeout))
    assert (len(answers), answers[-1]["status"]) == (invocations, "SUCCEEDED")
    assert codedeploy.statuses == ["Succeeded"]


@pytest.mark.parametrize(("timeout", "margin"), [(900, 20), (120, 20), (100, 17.5), (60, 7.5), (20, 2.5)])
def test_the_handover_margin_is_twenty_seconds_and_a_quarter_of_shorter_times(
    codedeploy: CodeDeploy, clock: Clock, timeout: float, margin: float
) -> None:
    hook = LongHook(clock, 1000)
    hook.handler(EVENT, lambda_context(timeout))
    assert hook.gates[0].handover_margin == margin
    assert len(codedeploy.continued) == 1


def test_of_names_that_no_check_has_each_invocation_warns_once(
    codedeploy: CodeDeploy, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", '{"checks": {"x": "skip"}}')
    answers = LongHook(clock, 1000).play(codedeploy)
    assert [[check["name"] for check in answer["checks"]] for answer in answers] == [
        ["deployment", "checks"],
        ["deployment", "checks", "long", "after"],
    ]
    assert codedeploy.statuses == ["Succeeded"]


def test_of_two_deliveries_of_a_continuation_both_go_on_and_one_reports(codedeploy: CodeDeploy, clock: Clock) -> None:
    hook = LongHook(clock, 1000)
    hook.handler(EVENT, lambda_context())
    codedeploy.replies[REPORT] = [TAKEN, refused("LifecycleEventAlreadyCompletedException")]
    answers = [hook.handler(codedeploy.continued[0], lambda_context()) for _ in range(2)]
    assert [answer["status"] for answer in answers] == ["SUCCEEDED", "SUCCEEDED"]
    assert codedeploy.statuses == ["Succeeded", "Succeeded"]
    assert len(codedeploy.continued) == 1


# Where nothing may follow


def test_after_four_continuations_nothing_follows_and_the_hook_fails(
    codedeploy: CodeDeploy, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", '{"max_duration": 100000}')
    answers = LongHook(clock, 10_000).play(codedeploy)
    assert [answer["status"] for answer in answers] == ["CONTINUED"] * 4 + ["FAILED"]
    assert [event["Continuation"]["number"] for event in codedeploy.continued] == [1, 2, 3, 4]
    assert {event["Continuation"]["began"] for event in codedeploy.continued} == {1000.0}
    assert answers[-1]["message"] == "check long needs more time, and no further invocation may follow"
    assert codedeploy.statuses == ["Failed"]


def test_when_max_duration_is_over_nothing_follows_any_more(
    codedeploy: CodeDeploy, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", '{"max_duration": 1000}')
    hook = LongHook(clock, 10_000)
    answers = hook.play(codedeploy)
    assert [gate.continuations_left for gate in hook.gates] == [4, 3, 0]
    assert [gate.ends_at for gate in hook.gates] == [2000] * 3
    assert (answers[-1]["status"], codedeploy.statuses) == ("FAILED", ["Failed"])


@pytest.mark.parametrize(
    ("max_duration", "context", "in_all", "remaining"),
    [
        (3000, lambda_context(300), 270 + 4 * 250, 270 + 4 * 250),
        (600, lambda_context(300), 270 + 4 * 250, 600),
        (3000, context_of(300), 270, 270),
        (60, context_of(300), 270, 60),
    ],
    ids=["all invocations", "max_duration", "called by hand", "called by hand, max_duration"],
)
def test_the_time_left_is_that_of_all_invocations_but_not_beyond_max_duration(  # noqa: PLR0917 - one row each
    codedeploy: CodeDeploy,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    max_duration: int,
    context: Any,
    in_all: float,
    remaining: float,
) -> None:
    found: list[float] = []

    def body(gate: Gate[Any]) -> None:
        found.extend([gate.remaining_in_all(), gate.total_remaining(), gate.ends_at - clock.now])
        found.extend([gate.budget.here, gate.budget.in_all])

    monkeypatch.setenv("HOOK_SETTINGS", json.dumps({"max_duration": max_duration}))
    handler_of(body, PatientOptions)(EVENT, context)
    assert found == [in_all, remaining, max_duration, 270, remaining]
    assert codedeploy.statuses == ["Failed"]


@pytest.mark.parametrize(
    "carried", [{**CONTINUATION, "number": number} for number in (1, 4)], ids=lambda carried: carried["number"]
)
@pytest.mark.parametrize("late", [0.0, 0.9])
def test_each_invocation_finds_the_time_that_was_foreseen_for_the_hook(
    codedeploy: CodeDeploy, clock: Clock, carried: dict[str, Any], late: float
) -> None:
    """Though it is told what is left of its time-out a moment after it began to count."""
    found: list[Any] = []
    handler = handler_of(lambda gate: found.append(gate.budget), PatientOptions)
    clock.now += 500
    handler(EVENT, lambda_context(300))
    handler({**EVENT, "Continuation": carried}, lambda_context(300 - late))
    assert found[1] == found[0]
    assert codedeploy.statuses == ["Failed", "Failed"]


@pytest.mark.parametrize(
    "context", [object(), Mock(), MagicMock(), context_of(900)], ids=["object", "mock", "magic mock", "context"]
)
def test_who_calls_by_hand_gets_one_invocation(codedeploy: CodeDeploy, clock: Clock, context: Any) -> None:
    hook = LongHook(clock, 1000)
    answers = hook.play(codedeploy, context)
    assert (len(answers), hook.gates[0].continuations_left) == (1, 0)
    assert (codedeploy.statuses, codedeploy.continued) == (["Failed"], [])


def test_a_hook_without_max_duration_never_continues(codedeploy: CodeDeploy, clock: Clock) -> None:
    hook = LongHook(clock, 1000, options=HookOptions)
    answers = hook.play(codedeploy)
    gate = hook.gates[0]
    assert (gate.continuations_left, gate.handover_margin, gate.ends_at) == (0, 0, 0)
    assert answers[0]["message"] == "check long needs more time, and no further invocation may follow"
    assert (codedeploy.statuses, codedeploy.continued) == (["Failed"], [])


def test_a_hook_without_max_duration_refuses_a_continuation(codedeploy: CodeDeploy) -> None:
    event = {**EVENT, "Continuation": {**CONTINUATION, "orphan_note": "task 1 keeps running"}}
    answer = hook_of(raising(AssertionError("made")))(event, lambda_context())
    assert answer["message"] == "the event has a Continuation, and this hook never continues"
    assert outcomes(answer) == {"event": "failed"}
    assert [operation for operation, _ in codedeploy.calls] == [REPORT]
    assert codedeploy.statuses == ["Failed"]


def test_without_a_next_invocation_it_says_what_keeps_running(codedeploy: CodeDeploy, clock: Clock) -> None:
    hook = LongHook(clock, 1000)
    hook.orphan_note = "task 1 keeps running: see to its end"
    (answer,) = hook.play(codedeploy, context_of(900))
    assert answer["message"].endswith("no further invocation may follow; task 1 keeps running: see to its end")
    assert codedeploy.statuses == ["Failed"]


# What was forged, or has changed meanwhile


def test_a_forged_continuation_can_pass_nothing(codedeploy: CodeDeploy) -> None:
    """Whatever it says of results: they are not read."""
    result = {"name": "bad", "outcome": "passed", "severity": "fail", "detail": "fine", "duration_ms": 1}
    forged = {
        **CONTINUATION, "done": {"bad": [result]}, "checks": [result], "results": [result],
        "state": {"done": {"bad": [result]}, "status": "SUCCEEDED"},
    }  # fmt: skip
    probed: list[str] = []

    def probe() -> Finding:
        probed.append("bad")
        return failed("bad is 3")

    answer = hook_of(Sample("bad", probe), options=PatientOptions)({**EVENT, "Continuation": forged}, lambda_context())
    assert (answer["message"], probed, codedeploy.statuses) == ("bad is 3", ["bad"], ["Failed"])


@pytest.mark.parametrize(
    "forged",
    [{"number": 4}, {"began": -1e9}, {"began": 0.0, "number": 4, "orphan_note": "x", "state": {"a": 1}}],
    ids=["number", "long ago", "all"],
)
def test_a_forged_continuation_of_a_hook_that_checks_nothing_passes_nothing(
    codedeploy: CodeDeploy, forged: dict[str, Any]
) -> None:
    event = {**EVENT, "Continuation": {**CONTINUATION, **forged}}
    answer = hook_of(options=PatientOptions)(event, lambda_context())
    assert answer["message"] == "nothing could be confirmed: there was no check"
    assert codedeploy.statuses == ["Failed"]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    "carried",
    [
        None, 3, "x", [], {}, {"number": 1},
        {**CONTINUATION, "began": "yesterday"}, {**CONTINUATION, "began": None}, {**CONTINUATION, "began": True},
        {**CONTINUATION, "began": math.nan}, {**CONTINUATION, "began": math.inf},
        {**CONTINUATION, "began": 1000.0 + 61},
        {**CONTINUATION, "number": 0}, {**CONTINUATION, "number": 5}, {**CONTINUATION, "number": -1},
        {**CONTINUATION, "number": 1.5}, {**CONTINUATION, "number": "1"},
        {**CONTINUATION, "number": True}, {**CONTINUATION, "number": math.nan},
        {**CONTINUATION, "number": 10**400}, {**CONTINUATION, "began": -(10**400)},
        {**CONTINUATION, "state": None}, {**CONTINUATION, "state": []},
        {**CONTINUATION, "orphan_note": None}, {**CONTINUATION, "orphan_note": 3},
    ],
    ids=repr,
)  # fmt: skip
def test_a_continuation_that_no_hook_wrote_is_reported_failed(codedeploy: CodeDeploy, carried: Any) -> None:
    handler = hook_of(raising(AssertionError("made")), options=PatientOptions)
    answer = handler({**EVENT, "Continuation": carried}, lambda_context())
    assert "its Continuation is not one that this hook wrote" in answer["message"]
    assert (outcomes(answer), codedeploy.statuses) == ({"event": "failed"}, ["Failed"])


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("more", [{}, {"began": 1060.0}, {"number": 1.0}, {"number": 4}], ids=repr)
def test_the_continuation_of_these_tests_is_one(codedeploy: CodeDeploy, more: dict[str, Any]) -> None:
    event = {**EVENT, "Continuation": {**CONTINUATION, **more}}
    assert hook_of(good(), options=PatientOptions)(event, lambda_context())["status"] == "SUCCEEDED"
    assert codedeploy.statuses == ["Succeeded"]


@pytest.mark.parametrize("missing", ["DeploymentId", "LifecycleEventHookExecutionId"])
def test_a_continuation_without_ids_calls_nobody(codedeploy: CodeDeploy, missing: str) -> None:
    event = {key: value for key, value in EVENT.items() if key != missing}
    handler = hook_of(good(), options=PatientOptions)
    assert handler({**event, "Continuation": CONTINUATION}, lambda_context())["status"] == "FAILED"
    assert codedeploy.calls == []


def test_whose_deployment_it_is_is_looked_at_again(codedeploy: CodeDeploy, clock: Clock) -> None:
    hook = LongHook(clock, 1000)
    hook.handler(EVENT, lambda_context())
    codedeploy.replies["GetDeployment"] = [deployment("Stopped")]
    answer = hook.handler(codedeploy.continued[0], lambda_context())
    assert answer["message"] == "deployment d-ABCDEF123 is already Stopped: there is nothing left to judge"
    assert (codedeploy.statuses, len(hook.gates)) == (["Failed"], 1)


@pytest.mark.parametrize(
    ("reply", "name"),
    [
        (deployment("Stopped"), "deployment"),
        (refused("AccessDeniedException", status=403), "deployment"),
        (deployment(description="[warn long, no_such_name]"), "overrides"),
    ],
    ids=["stopped", "denied", "overrides"],
)
def test_what_keeps_running_is_seen_to_its_end_when_the_deployment_cannot_be_judged_any_more(
    codedeploy: CodeDeploy, clock: Clock, reply: Reply, name: str
) -> None:
    hook = LongHook(clock, 1000)
    hook.orphan_note = "task 1 keeps running"
    hook.handler(EVENT, lambda_context())
    codedeploy.replies["GetDeployment"] = [reply]
    answer = hook.handler(codedeploy.continued[0], lambda_context())
    assert outcomes(answer)["long"] == "passed"
    assert [gate.orphaned for gate in hook.gates] == [False, True]
    assert outcomes(answer)[name] in ("failed", "error")
    assert codedeploy.statuses == ["Failed"]


def test_options_that_were_broken_meanwhile_are_reported(
    codedeploy: CodeDeploy, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = LongHook(clock, 1000)
    hook.handler(EVENT, lambda_context())
    monkeypatch.setenv("HOOK_SETTINGS", '{"max_duration": "long"}')
    answer = hook.handler(codedeploy.continued[0], lambda_context())
    assert answer["message"] == f'{HOOK}.max_duration is "long"; expected seconds from 1 to 100000.'
    assert codedeploy.statuses == ["Failed"]


def test_on_a_rollback_not_even_the_time_stops_an_advisory_hook(codedeploy: CodeDeploy) -> None:
    codedeploy.replies["GetDeployment"] = [ROLLBACK]
    handler = hook_of(good(), raising(OutOfTime(), "long"), options=PatientOptions, advisory_on_rollback=True)
    answer = handler({**EVENT, "Continuation": CONTINUATION}, lambda_context())
    assert answer["message"].startswith("1 check passed, 1 warned: check long had not ended after ")
    assert codedeploy.statuses == ["Succeeded"]


# The next invocation cannot be started


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (refused("AccessDeniedException", "no identity-based policy", 403),
         ["lambda:InvokeFunction was denied: allow it in this hook's role"]),
        (refused("ExpiredTokenException", status=403),
         ["lambda:InvokeFunction was refused", "check the function's role"]),
        (refused("TooManyRequestsException", "Rate Exceeded.", 429),
         ["lambda:InvokeFunction failed on every attempt (TooManyRequestsException"]),
        (refused("ServiceException", status=500), ["lambda:InvokeFunction failed on every attempt"]),
        (Reply(drop=True), ["Lambda could not be reached for lambda:InvokeFunction", "NAT gateway",
                            "com.amazonaws.<region>.lambda", "security groups"]),
        (refused("ResourceNotFoundException", "Function not found", 404),
         ["lambda:InvokeFunction failed: ResourceNotFoundException"]),
        (refused("RequestTooLargeException", status=413),
         ["lambda:InvokeFunction failed: RequestTooLargeException"]),
        (Reply({}, 200), ["lambda:InvokeFunction answered 200, expected 202"]),
    ],
    ids=["denied", "expired", "throttled", "5xx", "connection lost", "no such function", "too large", "not queued"],
)  # fmt: skip
def test_a_continuation_that_cannot_be_sent_is_reported_failed_at_once(
    codedeploy: CodeDeploy, clock: Clock, reply: Reply, words: list[str]
) -> None:
    codedeploy.replies[INVOKE] = [reply]
    warned = Sample("odd", lambda: failed("odd"), Severity.WARN)
    answer = LongHook(clock, 1000, warned).handler(EVENT, lambda_context())
    assert answer["message"].startswith("the hook could not be continued in a fresh invocation: ")
    for word in words:
        assert word in answer["message"]
    assert outcomes(answer) == {"deployment": "passed", "odd": "failed", "long": "error"}
    assert codedeploy.statuses == ["Failed"]
    assert clock.now == 1850


def test_a_continuation_that_cannot_be_sent_says_what_keeps_running(codedeploy: CodeDeploy, clock: Clock) -> None:
    codedeploy.replies[INVOKE] = [refused("AccessDeniedException", "no identity-based policy", 403)]
    hook = LongHook(clock, 1000)
    hook.orphan_note = "task 1 keeps running: see to its end"
    answer = hook.handler(EVENT, lambda_context())
    assert answer["message"].endswith("; task 1 keeps running: see to its end")


def test_a_continuation_that_gets_through_in_the_end_is_one(codedeploy: CodeDeploy) -> None:
    codedeploy.replies[INVOKE] = [refused("TooManyRequestsException", status=429), Reply({}, 202)]
    assert continuing()(EVENT, lambda_context())["status"] == "CONTINUED"
    assert codedeploy.reports == []


@pytest.mark.parametrize("state", [{("a", "b"): 1}, {"a": WordlessError()}], ids=["key", "value"])
def test_a_state_that_is_no_json_is_reported_failed(codedeploy: CodeDeploy, state: dict[Any, Any]) -> None:
    answer = continuing(state)(EVENT, lambda_context())
    assert answer["message"].startswith("the hook could not be continued in a fresh invocation: ")
    assert (codedeploy.statuses, codedeploy.continued) == (["Failed"], [])


# The watchdog


@pytest.fixture
def watchdogs(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """What the watchdogs do, which they do when a test says."""
    started: list[Callable[[], None]] = []

    def timer(_seconds: float, on_stuck: Callable[[], None]) -> Any:
        started.append(on_stuck)
        return Mock()

    monkeypatch.setattr("gate.runtime.threading", SimpleNamespace(Timer=timer, Lock=threading.Lock))
    return started


def test_when_the_watchdog_has_reported_nothing_is_continued(
    codedeploy: CodeDeploy, watchdogs: list[Callable[[], None]]
) -> None:
    def body(gate: Gate[Any]) -> None:
        def probe() -> Finding:
            watchdogs[0]()
            gate.continue_later({})

        gate.check("long", probe)

    answer = handler_of(body, PatientOptions)(EVENT, lambda_context())
    assert answer["status"] == "FAILED"
    assert answer["message"].startswith("check long had not ended after")
    assert (codedeploy.statuses, codedeploy.continued) == (["Failed"], [])


def test_the_watchdog_does_not_report_what_was_continued(
    codedeploy: CodeDeploy, watchdogs: list[Callable[[], None]]
) -> None:
    """It may have started just before it was called off."""
    assert continuing()(EVENT, lambda_context())["status"] == "CONTINUED"
    watchdogs[0]()
    assert (codedeploy.reports, len(codedeploy.continued)) == ([], 1)
