"""The promise of gate.hook: whatever happens, one report, Failed unless all was looked at, with a reason."""

from __future__ import annotations

import json
import logging
import math
import signal
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, Mock

import pytest
from gate import aws
from gate.deployment import Deployment
from gate.hook import Handler, ReportFailed, lifecycle_hook, read_event
from gate.options import HookOptions, option
from gate.verdict import CannotLook, Check, Finding, Named, Severity, could_not_look, failed, passed, skipped
from gate.waiting import Deadline, Journey, OutOfTime, ToBeContinued

from tests.unit.gate.codedeploy_server import (
    EVENT,
    INVOKE,
    REPORT,
    CodeDeploy,
    Reply,
    deployment,
    group,
    refused,
    throttled,
)
from tests.unit.gate.conftest import Clock


def names_of(*checks: Check) -> list[Named]:
    """The names of these checks, and of all that they may find."""
    return [Named(check.name.partition(":")[0], "It is as it should be.", parts=("{what}",)) for check in checks]


def hook_of(*checks: Check) -> Handler:
    """A handler that yields these checks."""

    @lifecycle_hook("AfterInstall", HookOptions, names_of(*checks))
    def handler(_deployment: Deployment, _settings: HookOptions, _deadline: Deadline) -> Iterator[Check]:
        yield from checks

    return handler


def good(name: str = "good") -> Check:
    return Check(name, lambda: passed(f"{name} is as it should be"))


def raising(problem: BaseException, name: str = "bad") -> Check:
    def look() -> Finding:
        raise problem

    return Check(name, look)


def outcomes(answer: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["outcome"] for check in answer["checks"]}


# One report, and what it says


def test_all_checks_passed_is_the_only_way_to_succeeded(codedeploy: CodeDeploy) -> None:
    answer = hook_of(good(), good("better"))(EVENT, None)
    assert codedeploy.reports == [
        {"deploymentId": "d-ABCDEF123", "lifecycleEventHookExecutionId": "execution-1", "status": "Succeeded"}
    ]
    assert (answer["status"], answer["message"]) == ("SUCCEEDED", "2 checks passed")


def test_the_answer_is_the_contracts(codedeploy: CodeDeploy) -> None:
    answer = hook_of(good(), Check("bad", lambda: failed("bad is 3, expected 2", count=3)))(EVENT)
    assert set(answer) == {"status", "message", "hook", "deployment_id", "checks", "duration_ms"}
    assert (answer["status"], answer["message"]) == ("FAILED", "bad is 3, expected 2")
    assert (answer["hook"], answer["deployment_id"]) == ("test_gate_hook", "d-ABCDEF123")
    assert [check["name"] for check in answer["checks"]] == ["deployment", "good", "bad"]
    bad = {key: value for key, value in answer["checks"][-1].items() if key != "duration_ms"}
    assert bad == {"name": "bad", "outcome": "failed", "severity": "fail", "detail": "bad is 3, expected 2", "count": 3}
    assert json.loads(json.dumps(answer)) == answer
    assert codedeploy.statuses == ["Failed"]


class WordlessError(Exception):
    """An exception that cannot even be put in words."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (ValueError("odd"), "ValueError: odd"),
        (CannotLook("the listener is gone"), "the listener is gone"),
        (SystemExit(0), "SystemExit: 0"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (StopIteration(), "StopIteration"),
        (MemoryError(), "MemoryError"),
        (RecursionError("too deep"), "RecursionError: too deep"),
        (ModuleNotFoundError("No module named 'yaml'", name="yaml"), "library yaml is missing: attach the layer"),
        (WordlessError(), "WordlessError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
@pytest.mark.parametrize("where", ["check", "body", "before the first check"])
def test_whatever_is_raised_is_reported_failed_with_its_words(
    codedeploy: CodeDeploy, problem: BaseException, reason: str, where: str
) -> None:
    @lifecycle_hook("AfterInstall", HookOptions)
    def handler(_deployment: Deployment, _settings: HookOptions, _deadline: Deadline) -> Iterator[Check]:
        if where == "before the first check":
            raise problem
        yield good()
        if where == "body":
            raise problem
        yield raising(problem)

    if isinstance(problem, StopIteration) and where != "check":
        reason = "generator raised StopIteration"
    answer = handler(EVENT)
    assert reason in answer["message"]
    assert answer["status"] == "FAILED"
    assert codedeploy.statuses == ["Failed"]


def test_a_check_that_raises_does_not_keep_the_next_from_being_run(codedeploy: CodeDeploy) -> None:
    answer = hook_of(raising(ValueError("odd")), good())(EVENT)
    assert outcomes(answer) == {"deployment": "passed", "bad": "error", "good": "passed"}
    assert codedeploy.statuses == ["Failed"]


def test_an_import_that_fails_in_a_check_names_the_library(codedeploy: CodeDeploy) -> None:
    def look() -> Finding:
        import library_of_a_layer_that_is_not_attached  # type: ignore[import-not-found]  # noqa: F401

        return passed("never")

    answer = hook_of(Check("smoke", look))(EVENT)
    assert "library library_of_a_layer_that_is_not_attached is missing: attach the layer" in answer["message"]
    assert codedeploy.statuses == ["Failed"]


@pytest.mark.parametrize("answered", [None, True, "fine", 3, ["fine"], [passed("a"), "b"], Finding], ids=repr)
def test_a_look_that_answers_with_something_else_is_no_pass(codedeploy: CodeDeploy, answered: Any) -> None:
    answer = hook_of(good(), Check("odd", lambda: answered))(EVENT)
    assert (answer["status"], outcomes(answer)["odd"]) == ("FAILED", "error")
    assert codedeploy.statuses == ["Failed"]


def test_a_finding_whose_detail_is_no_text_is_no_pass(codedeploy: CodeDeploy) -> None:
    answer = hook_of(Check("odd", lambda: failed(ValueError("x"))))(EVENT)  # type: ignore[arg-type]  # the point
    assert "expected findings with text" in answer["message"]
    assert codedeploy.statuses == ["Failed"]


def test_a_look_without_findings_is_no_pass(codedeploy: CodeDeploy) -> None:
    answer = hook_of(good(), Check("silent", list))(EVENT)
    assert answer["message"] == "check silent found nothing to say"
    assert codedeploy.statuses == ["Failed"]


@pytest.mark.parametrize("answered", [None, 3, [None], ["good"]], ids=repr)
def test_a_handler_that_yields_no_checks_is_no_pass(codedeploy: CodeDeploy, answered: Any) -> None:
    handler = lifecycle_hook("AfterInstall", HookOptions)(lambda _deployment, _settings, _deadline: answered)
    assert handler(EVENT)["status"] == "FAILED"
    assert codedeploy.statuses == ["Failed"]


def test_a_yield_of_nothing_does_not_end_the_checks(codedeploy: CodeDeploy) -> None:
    @lifecycle_hook("AfterInstall", HookOptions)
    def handler(_deployment: Deployment, _settings: HookOptions, _deadline: Deadline) -> Iterator[Any]:
        yield good()
        yield None
        yield Check("bad", lambda: failed("bad"))

    assert handler(EVENT)["status"] == "FAILED"
    assert codedeploy.statuses == ["Failed"]


def test_no_check_at_all_is_no_pass(codedeploy: CodeDeploy) -> None:
    assert hook_of()(EVENT)["message"] == "nothing could be confirmed: there was no check"
    assert codedeploy.statuses == ["Failed"]


def test_all_skipped_for_want_of_anything_to_look_at_is_no_pass(codedeploy: CodeDeploy) -> None:
    answer = hook_of(Check("targets", lambda: skipped("no listener leads to green")))(EVENT)
    assert answer["message"] == "nothing could be confirmed: no listener leads to green"
    assert codedeploy.statuses == ["Failed"]


def test_all_skipped_by_choice_passes_and_says_so(codedeploy: CodeDeploy) -> None:
    answer = hook_of(Check("migrate", lambda: skipped("no command is set", by_choice=True)))(EVENT)
    assert (answer["status"], answer["message"]) == ("SUCCEEDED", "no command is set")
    assert codedeploy.statuses == ["Succeeded"]


def test_the_generator_learns_whether_to_go_on(codedeploy: CodeDeploy) -> None:
    learned: list[bool] = []

    @lifecycle_hook("AfterInstall", HookOptions)
    def handler(_deployment: Deployment, _settings: HookOptions, _deadline: Deadline) -> Generator[Check, bool, None]:
        learned.append((yield good()))
        learned.append((yield Check("bad", lambda: failed("bad"))))
        learned.append((yield Check("odd", lambda: failed("odd"), Severity.WARN)))

    handler(EVENT)
    assert learned == [True, False, True]
    assert codedeploy.statuses == ["Failed"]


def test_a_plain_list_of_checks_will_do(codedeploy: CodeDeploy) -> None:
    handler = lifecycle_hook("AfterInstall", HookOptions)(lambda _deployment, _settings, _deadline: [good()])
    assert handler(EVENT)["status"] == "SUCCEEDED"
    assert codedeploy.statuses == ["Succeeded"]


def test_checks_that_a_handler_yields_from_a_list_will_do(codedeploy: CodeDeploy) -> None:
    learned: list[bool] = []

    @lifecycle_hook("AfterInstall", HookOptions)
    def handler(_deployment: Deployment, _settings: HookOptions, _deadline: Deadline) -> Generator[Check, bool, None]:
        def inner() -> Generator[Check, bool, None]:
            yield from [good("a"), good("b")]
            learned.append((yield good("c")))

        yield from inner()

    assert outcomes(handler(EVENT)) == {"deployment": "passed", "a": "passed", "b": "passed", "c": "passed"}
    assert (learned, codedeploy.statuses) == ([True], ["Succeeded"])


# Severities


@pytest.mark.parametrize(
    ("setting", "status", "outcome", "severity"),
    [
        ({}, "FAILED", "failed", "fail"),
        ({"latency:health": "warn"}, "SUCCEEDED", "failed", "warn"),
        ({"latency": "warn"}, "SUCCEEDED", "failed", "warn"),
        ({"latency": "skip"}, "SUCCEEDED", "skipped", "skip"),
        ({"latency:health": "skip"}, "SUCCEEDED", "skipped", "skip"),
        ({"latency": "skip", "latency:health": "fail"}, "FAILED", "failed", "fail"),
        ({"health": "skip", "laten": "skip", "latency:": "skip"}, "FAILED", "failed", "fail"),
    ],
)
@pytest.mark.parametrize("named_by", ["check", "finding"])
def test_the_setting_checks_sets_severities(  # noqa: PLR0917 - one row of the table each
    codedeploy: CodeDeploy,
    monkeypatch: pytest.MonkeyPatch,
    setting: dict[str, str],
    status: str,
    outcome: str,
    severity: str,
    named_by: str,
) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps({"checks": setting}))
    name = "latency:health"
    check = (
        Check(name, lambda: failed("it is slow"))
        if named_by == "check"
        else Check("several", lambda: [failed("it is slow", name)])
    )
    known = Named("latency", "", parts=("{http_checks}",))
    handler = lifecycle_hook("AfterInstall", HookOptions, [known])(lambda *_: [good(), check])
    answer = handler(EVENT)
    found = answer["checks"][-1]
    assert (answer["status"], found["name"], found["outcome"], found["severity"]) == (status, name, outcome, severity)
    assert codedeploy.statuses == [status.capitalize()]


def test_a_skipped_check_is_not_even_run(codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", '{"checks": {"bad": "skip"}}')
    answer = hook_of(good(), raising(SystemExit(1)))(EVENT)
    assert answer["message"] == "1 check passed, 1 skipped"
    assert codedeploy.statuses == ["Succeeded"]


def test_a_warning_is_in_the_message(codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", '{"checks": {"bad": "warn"}}')
    answer = hook_of(good(), Check("bad", lambda: failed("3 alarms fire")))(EVENT)
    assert answer["message"] == "1 check passed, 1 warned: 3 alarms fire"
    assert codedeploy.statuses == ["Succeeded"]


@pytest.mark.parametrize("name", ["deployment", "settings", "event", "test_gate_hook"])
def test_what_the_gate_itself_checks_cannot_be_switched_off(
    codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps({"checks": {name: "skip"}}))
    codedeploy.replies["GetDeploymentGroup"] = [group("main", "other")]

    @lifecycle_hook("AfterInstall", HookOptions)
    def handler(_deployment: Deployment, _settings: HookOptions, _deadline: Deadline) -> Iterator[Check]:
        raise ValueError("odd")
        yield good()

    assert handler(EVENT)["status"] == "FAILED"
    codedeploy.replies["GetDeploymentGroup"] = [group("main", "web")]
    assert handler(EVENT)["status"] == "FAILED"
    assert codedeploy.statuses == ["Failed", "Failed"]


# Names in the setting `checks`


def test_a_name_that_no_check_has_is_warned_of(codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", '{"checks": {"goods": "skip", "bad": "warn", "bade:a": "fail"}}')
    answer = hook_of(good(), Check("bad", lambda: passed("not so bad")))(EVENT)
    said = "the setting checks names bade:a, goods, which this hook does not have; it has good, bad"
    assert answer["message"] == f"2 checks passed, 1 warned: {said}"
    assert [(check["name"], check["outcome"], check["severity"]) for check in answer["checks"]] == [
        ("deployment", "passed", "fail"), ("checks", "failed", "warn"), ("good", "passed", "fail"),
        ("bad", "passed", "warn"),
    ]  # fmt: skip
    assert codedeploy.statuses == ["Succeeded"]


def test_nothing_is_said_of_names_that_there_are(codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", '{"checks": {"good": "warn", "good:any:part": "skip"}}')
    assert hook_of(good())(EVENT)["message"] == "1 check passed"
    assert codedeploy.statuses == ["Succeeded"]


def test_the_warning_cannot_be_left_out(codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", '{"checks": {"checks": "skip"}}')
    handler = lifecycle_hook("AfterInstall", HookOptions)(lambda _deployment, _settings, _deadline: [good()])
    said = "the setting checks names checks, which this hook does not have; it has none"
    assert handler(EVENT)["message"] == f"1 check passed, 1 warned: {said}"
    assert codedeploy.statuses == ["Succeeded"]


def test_the_warning_alone_confirms_nothing(codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", '{"checks": {"x": "skip"}}')
    silent = Check("silent", lambda: skipped("there is no listener"))
    assert hook_of()(EVENT)["message"] == "nothing could be confirmed: there was no check"
    assert hook_of(silent)(EVENT)["message"].startswith("nothing could be confirmed: the setting checks names x, ")
    assert codedeploy.statuses == ["Failed", "Failed"]


def test_a_handler_tells_its_names_and_calls() -> None:
    names = [Named("a", "It is so."), Named("b", "It is not.")]
    handler: Any = lifecycle_hook("AfterInstall", HookOptions, names, ["ecs:ListTasks"])(lambda *_: [])
    assert (handler.names, handler.calls) == (tuple(names), ("ecs:ListTasks",))


# Settings and environment


@dataclass(frozen=True)
class CountOptions(HookOptions):
    """Two numbers."""

    least: int = option("the least", 1, least=1, most=100)
    most: float = option("the most", 2.0, unit="seconds", least=0, most=10)


def test_all_problems_of_settings_and_environment_are_named_at_once(
    codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ECS_SERVICE")
    monkeypatch.setenv("APP_NAME", " ")
    monkeypatch.setenv("HOOK_SETTINGS", '{"least": 0, "most": "many", "checks": {"a": "ignore"}}')
    handler = lifecycle_hook("AfterInstall", CountOptions)(lambda _deployment, _settings, _deadline: [good()])
    message = handler(EVENT)["message"]
    assert "APP_NAME, ECS_SERVICE is not set" in message
    assert "test_gate_hook.least is 0; expected a whole number from 1 to 100." in message
    assert 'test_gate_hook.most is "many"; expected seconds from 0 to 10.' in message
    assert 'test_gate_hook.checks.a is "ignore"; expected "fail", "warn" or "skip".' in message
    assert codedeploy.statuses == ["Failed"]
    assert [operation for operation, _ in codedeploy.calls] == [REPORT], "nothing else is asked of AWS"


# Whose deployment it is


def test_a_deployment_of_another_service_is_reported_failed_at_once(codedeploy: CodeDeploy, clock: Clock) -> None:
    codedeploy.replies["GetDeploymentGroup"] = [group("main", "billing")]
    answer = hook_of(good("never"))(EVENT)
    assert "deploys main/billing, but this hook watches main/web" in answer["message"]
    assert outcomes(answer) == {"deployment": "failed"}, "nothing else is looked at"
    assert (codedeploy.statuses, clock.sleeps) == (["Failed"], [])


@pytest.mark.parametrize("status", ["Succeeded", "Failed", "Stopped"])
def test_a_deployment_that_is_over_is_reported_failed_at_once(
    codedeploy: CodeDeploy, clock: Clock, status: str
) -> None:
    codedeploy.replies["GetDeployment"] = [deployment(status)]
    answer = hook_of(good())(EVENT)
    assert answer["message"] == f"deployment d-ABCDEF123 is already {status}: there is nothing left to judge"
    assert (codedeploy.statuses, clock.sleeps) == (["Failed"], [])


@pytest.mark.parametrize("status", ["Created", "Queued", "InProgress", "Ready", "Baking"])
def test_a_deployment_under_way_is_judged(codedeploy: CodeDeploy, status: str) -> None:
    codedeploy.replies["GetDeployment"] = [deployment(status)]
    assert hook_of(good())(EVENT)["status"] == "SUCCEEDED"


def test_arns_in_the_environment_are_read_as_names(codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECS_CLUSTER", "arn:aws:ecs:eu-west-1:111122223333:cluster/main")
    monkeypatch.setenv("ECS_SERVICE", "arn:aws:ecs:eu-west-1:111122223333:service/main/web")
    assert hook_of(good())(EVENT)["status"] == "SUCCEEDED"
    assert codedeploy.statuses == ["Succeeded"]


# AWS that does not answer as it should


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (refused("AccessDeniedException", "not authorized"), ["codedeploy:GetDeployment was denied", "role"]),
        (refused("DeploymentDoesNotExistException"), ["codedeploy:GetDeployment failed", "DeploymentDoesNotExist"]),
        (throttled(), ["codedeploy:GetDeployment failed on every attempt", "ThrottlingException: Rate exceeded"]),
        (Reply({}, 503), ["codedeploy:GetDeployment failed on every attempt", "503"]),
        (refused("ExpiredTokenException"), ["codedeploy:GetDeployment was refused", "check the function's role"]),
        (Reply(drop=True), ["CodeDeploy could not be reached for codedeploy:GetDeployment", "NAT gateway",
                            "com.amazonaws.<region>.codedeploy", "security groups"]),
        (Reply({}), ["codedeploy:GetDeployment got an answer that cannot be read"]),
        (Reply({"deploymentInfo": {}}), ["names no application"]),
    ],
    ids=["denied", "no such deployment", "throttled", "5xx", "expired", "connection lost", "empty", "says nothing"],
)  # fmt: skip
def test_a_call_that_fails_is_reported_with_action_and_cure(
    codedeploy: CodeDeploy, clock: Clock, reply: Reply, words: list[str]
) -> None:
    codedeploy.replies["GetDeployment"] = [reply]
    answer = hook_of(good())(EVENT)
    for word in words:
        assert word in answer["message"]
    assert codedeploy.statuses == ["Failed"]
    assert clock.now < 1000 + 60


def test_a_passing_throttle_is_borne(codedeploy: CodeDeploy, clock: Clock) -> None:
    codedeploy.replies["GetDeployment"] = [throttled()] * 7 + [deployment()]
    assert hook_of(good())(EVENT)["status"] == "SUCCEEDED"
    assert clock.sleeps, "between two looks it waits"
    assert codedeploy.statuses == ["Succeeded"]


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (("AWS_REGION", "AWS_DEFAULT_REGION"), "You must specify a region"),
        (("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "Unable to locate credentials"),
    ],
)
@pytest.mark.usefixtures("clock")
def test_without_region_or_credentials_no_report_can_be_made_and_it_says_why(
    codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...], words: str
) -> None:
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)  # it keeps the credentials of other tests
    for name in missing:
        monkeypatch.delenv(name)
    with pytest.raises(ReportFailed, match=words):
        hook_of(good())(EVENT, context_of(60))
    assert codedeploy.calls == []


# Events that are none


@pytest.mark.parametrize(
    "event",
    [
        None, [], "d-ABCDEF123", 3, {}, {"DeploymentId": "d-ABCDEF123"},
        {"LifecycleEventHookExecutionId": "execution-1"},
        {**EVENT, "DeploymentId": ""}, {**EVENT, "LifecycleEventHookExecutionId": None},
        {**EVENT, "DeploymentId": 3}, {**EVENT, "LifecycleEventHookExecutionId": ["execution-1"]},
    ],
    ids=repr,
)  # fmt: skip
def test_an_event_without_ids_fails_and_calls_nobody(codedeploy: CodeDeploy, event: Any) -> None:
    answer = hook_of(good())(event)
    assert answer["status"] == "FAILED"
    assert "CodeDeploy's" in answer["message"]
    assert codedeploy.calls == []


@pytest.mark.parametrize(
    "event",
    [
        {**EVENT, "Combined": "x"},
        {"deploymentId": "d-ABCDEF123", "lifecycleEventHookExecutionId": "execution-1"},
        dict([(3, "x"), *EVENT.items()]),
    ],
    ids=repr,
)
def test_an_event_of_another_kind_that_names_both_ids_is_reported_failed(codedeploy: CodeDeploy, event: Any) -> None:
    answer = hook_of(good())(event)
    assert "the event is not CodeDeploy's (expected just DeploymentId" in answer["message"]
    assert codedeploy.reports == [
        {"deploymentId": "d-ABCDEF123", "lifecycleEventHookExecutionId": "execution-1", "status": "Failed"}
    ]
    assert len(codedeploy.calls) == 1


def test_codedeploys_own_spelling_says_which_deployment_it_is(codedeploy: CodeDeploy) -> None:
    event = {**EVENT, "deploymentid": "d-OTHER", "LIFECYCLEEVENTHOOKEXECUTIONID": "execution-2"}
    assert "unknown fields: LIFECYCLEEVENTHOOKEXECUTIONID, deploymentid" in hook_of(good())(event)["message"]
    assert [report["deploymentId"] for report in codedeploy.reports] == ["d-ABCDEF123"]


def test_what_utf_8_cannot_write_is_replaced(codedeploy: CodeDeploy, caplog: pytest.LogCaptureFixture) -> None:
    """JSON may hold half of a character; awslambdaric's log and answer raise for it."""
    answer = hook_of(Check("half\ud83d", lambda: failed("the answer is \ud83d")))({**EVENT, "\udcff": 1})
    again = hook_of(Check("half\ud83d", lambda: failed("the answer is \ud83d")))(EVENT)
    json.dumps([answer, again], ensure_ascii=False).encode()
    [str(value).encode() for record in caplog.records for value in vars(record).values()]
    assert again["message"] == "the answer is ?"
    assert codedeploy.statuses == ["Failed", "Failed"]


def test_a_detail_of_any_length_is_shortened(codedeploy: CodeDeploy) -> None:
    answer = hook_of(Check("long", lambda: failed("x" * 1_000_000)))(EVENT)
    assert len(json.dumps(answer)) < 20_000
    assert codedeploy.statuses == ["Failed"]


def test_a_complaint_about_an_event_shows_its_fields_but_no_values() -> None:
    found, complaint = read_event({"Records": ["confidential"], "DeploymentId": "d-1"})
    assert (found.deployment_id, found.execution_id) == ("d-1", "")
    assert "no LifecycleEventHookExecutionId" in complaint
    assert "unknown fields: Records" in complaint
    assert "confidential" not in complaint


# The report itself


def context_of(seconds: float) -> Any:
    return SimpleNamespace(get_remaining_time_in_millis=lambda: int(seconds * 1000))


def test_a_report_already_made_is_success(codedeploy: CodeDeploy, clock: Clock) -> None:
    codedeploy.replies[REPORT] = [refused("LifecycleEventAlreadyCompletedException")]
    assert hook_of(good())(EVENT)["status"] == "SUCCEEDED"
    assert (len(codedeploy.reports), clock.sleeps) == (1, [])


@pytest.mark.parametrize(
    "trouble", [throttled(), Reply({}, 500), Reply(drop=True), refused("AccessDeniedException"), Reply({})], ids=repr
)
def test_a_report_is_retried_until_it_gets_through(codedeploy: CodeDeploy, clock: Clock, trouble: Reply) -> None:
    codedeploy.replies[REPORT] = [trouble] * 4 + [TAKEN]
    answer = hook_of(good())(EVENT)
    assert answer["status"] == "SUCCEEDED"
    assert codedeploy.statuses == ["Succeeded"] * 5
    assert clock.sleeps == [0.5, 1, 2, 4]


@pytest.mark.parametrize("seconds", [20, 60, 900])
def test_a_report_that_never_gets_through_is_raised_before_the_functions_time_is_over(
    codedeploy: CodeDeploy, clock: Clock, seconds: float
) -> None:
    codedeploy.replies[REPORT] = [throttled()]
    with pytest.raises(ReportFailed, match=r"Succeeded could not be reported after \d+ attempt.*ThrottlingException"):
        hook_of(good())(EVENT, context_of(seconds))
    assert 1000 + seconds - 10 < clock.now < 1000 + seconds


def test_attempts_that_take_long_end_in_time_too(codedeploy: CodeDeploy, clock: Clock) -> None:
    codedeploy.replies[REPORT] = [Reply({}, 500)]

    def slow(operation: str) -> None:
        clock.now += 8 if operation == REPORT else 0

    codedeploy.on_call = slow
    with pytest.raises(ReportFailed, match="after 2 attempt"):
        hook_of(good())(EVENT, context_of(20))
    assert clock.now < 1000 + 20


@pytest.mark.parametrize(
    "code",
    ["DeploymentDoesNotExistException", "InvalidLifecycleEventHookExecutionIdException",
     "InvalidDeploymentIdException", "UnsupportedActionForDeploymentTypeException"],
)  # fmt: skip
def test_a_report_that_no_retry_mends_is_raised_at_once(codedeploy: CodeDeploy, clock: Clock, code: str) -> None:
    codedeploy.replies[REPORT] = [refused(code)]
    with pytest.raises(ReportFailed, match=code):
        hook_of(good())(EVENT)
    assert (len(codedeploy.reports), clock.sleeps) == (1, [])


def test_the_next_delivery_reports_after_one_that_could_not(codedeploy: CodeDeploy, clock: Clock) -> None:
    codedeploy.replies[REPORT] = [Reply(drop=True)]
    handler = hook_of(good())
    with pytest.raises(ReportFailed, match="CodeDeploy could not be reached"):
        handler(EVENT, context_of(60))
    codedeploy.replies[REPORT] = [TAKEN]
    clock.now += 60
    assert handler(EVENT, context_of(60))["status"] == "SUCCEEDED"


# One invocation after another


def test_a_warm_function_starts_each_invocation_afresh(codedeploy: CodeDeploy, clock: Clock) -> None:
    handler = hook_of(good())
    codedeploy.replies["GetDeployment"] = [Reply(drop=True)]
    assert "could not be reached" in handler(EVENT)["message"]
    codedeploy.replies["GetDeployment"] = [deployment()]
    before = clock.now
    assert handler({**EVENT, "DeploymentId": "d-NEXT"})["checks"][0]["detail"].startswith("deployment d-NEXT of shop/")
    assert clock.now == before, "what the first could not reach does not make the second wait"
    assert codedeploy.statuses == ["Failed", "Succeeded"]


@pytest.mark.parametrize("context", [None, object(), Mock(), MagicMock()], ids=["none", "object", "mock", "magic mock"])
def test_a_handler_called_by_hand_has_the_whole_time(codedeploy: CodeDeploy, context: Any) -> None:
    left = []

    def checks(_deployment: Deployment, _settings: HookOptions, deadline: Deadline) -> list[Check]:
        left.append(deadline.remaining())
        return [good()]

    assert lifecycle_hook("AfterInstall", HookOptions)(checks)(EVENT, context)["status"] == "SUCCEEDED"
    assert 800 < left[0] <= 870
    assert codedeploy.statuses == ["Succeeded"]


@pytest.mark.parametrize(("seconds", "usable"), [(900, 870), (120, 90), (60, 30), (20, 10)])
@pytest.mark.usefixtures("clock")
def test_thirty_seconds_are_kept_for_the_report_and_half_of_shorter_times(
    codedeploy: CodeDeploy, seconds: float, usable: float
) -> None:
    left = []

    def checks(_deployment: Deployment, _settings: HookOptions, deadline: Deadline) -> list[Check]:
        left.append(deadline.remaining())
        return [good()]

    lifecycle_hook("AfterInstall", HookOptions)(checks)(EVENT, context_of(seconds))
    assert left == [pytest.approx(usable)]
    assert codedeploy.statuses == ["Succeeded"]


def test_the_alarm_clock_is_put_back_as_it_was(codedeploy: CodeDeploy) -> None:
    def mine(_signal: int, _frame: Any) -> None:
        """Somebody else's alarm."""

    before = signal.signal(signal.SIGALRM, mine)
    try:
        hook_of(good())(EVENT)
        assert signal.getsignal(signal.SIGALRM) is mine
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert codedeploy.statuses == ["Succeeded"]


# Going on in a fresh invocation


TAKEN = Reply({"lifecycleEventHookExecutionId": "execution-1"})
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:CodeDeployHook_shop-test"


@dataclass(frozen=True)
class PatientOptions(HookOptions):
    """What lets a hook go on in another invocation."""

    max_duration: float = option("seconds in all", 3000.0, unit="seconds", least=1, most=3000)


def lambda_context(seconds: float = 900) -> Any:
    """What Lambda tells a function about itself."""
    name = {"invoked_function_arn": FUNCTION, "aws_request_id": "request-0"}
    return SimpleNamespace(get_remaining_time_in_millis=lambda: int(seconds * 1000), **name)


class LongHook:
    """A hook whose check `long` takes so many seconds, in as many invocations as that needs; `before` come first."""

    def __init__(
        self, clock: Clock, seconds: float, *before: Check, settings: type[HookOptions] = PatientOptions
    ) -> None:
        self.clock = clock
        self.seconds = seconds
        self.looked: list[str] = []
        self.journeys: list[Journey] = []
        self.last_words: Finding | None = None
        self.unwatched = ""

        @lifecycle_hook("AfterAllowTraffic", settings, names_of(*before, good("long"), good("after")))
        def handler(_deployment: Deployment, _settings: HookOptions, deadline: Deadline) -> Iterator[Check]:
            for check in before:
                yield replace(check, look=self.noted(check))
            yield Check("long", lambda: self.long(deadline))
            yield replace(good("after"), look=self.noted(good("after")))

        self.handler = handler

    def noted(self, check: Check) -> Callable[[], Any]:
        """The check's look, which tells that it was taken."""

        def look() -> Any:
            self.looked.append(check.name)
            return check.look()

        return look

    def long(self, deadline: Deadline) -> Finding:
        """Last as long as is wanted, from the first invocation on."""
        journey = deadline.journey
        self.journeys.append(journey)
        began = journey.state.get("began", self.clock.now)
        left, here = began + self.seconds - self.clock.now, deadline.remaining() - journey.room
        deadline.sleep(min(left, here))
        if left > here:
            raise ToBeContinued({"began": began}, self.unwatched)
        return passed(f"it has lasted {self.clock.now - began:.0f} s")

    def play(self, codedeploy: CodeDeploy, context: Any = None) -> list[dict[str, Any]]:
        """Invoke it, and again with each event that it hands over."""
        answers = [self.handler(EVENT, context or lambda_context())]
        while answers[-1]["status"] == "CONTINUED":
            assert codedeploy.reports == [], "who hands over does not report"
            assert len(codedeploy.handed_over) == len(answers)
            answers.append(self.handler(codedeploy.handed_over[-1], context or lambda_context()))
        return answers


def test_what_does_not_fit_is_handed_over_and_not_reported(
    codedeploy: CodeDeploy, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="gate")
    answer = LongHook(clock, 1000, good("first")).handler(EVENT, lambda_context())
    assert codedeploy.reports == []
    assert codedeploy.invoked == [(FUNCTION, "Event")]
    first = {"name": "first", "outcome": "passed", "severity": "fail", "detail": "first is as it should be"}
    ours = {"name": "deployment", "outcome": "passed", "severity": "fail"}
    ours["detail"] = "deployment d-ABCDEF123 of shop/shop-group deploys main/web"
    flags = {"by_choice": False, "note": False}
    handed = codedeploy.handed_over[0]
    for results in handed["Continuation"]["done"].values():
        assert [type(result.pop("duration_ms")) for result in results] == [int]
    assert handed == {
        **EVENT,
        "Continuation": {
            "started_at": 1000.0,
            "hop": 1,
            "request_id": "request-0",
            "check": "long",
            "state": {"began": 1000.0},
            "unwatched": "",
            "done": {"deployment": [{**ours, **flags}], "first": [{**first, **flags}]},
        },
    }
    message = "continued by request request-3: hop 1 of 4, long goes on"
    assert (answer["status"], answer["message"]) == ("CONTINUED", message)
    assert outcomes(answer) == {"deployment": "passed", "first": "passed"}
    assert json.loads(json.dumps(answer)) == answer
    record = next(record for record in caplog.records if record.getMessage() == message)
    fields = vars(record)
    assert (record.levelname, fields["status"], fields["check"]) == ("INFO", "CONTINUED", "long")
    assert (fields["hook"], fields["deployment_id"]) == ("test_gate_hook", "d-ABCDEF123")
    assert clock.now == 1000 + 870 - 20, "time is kept for handing over"


def test_the_next_invocation_goes_on_where_the_first_left_off_and_reports_once(
    codedeploy: CodeDeploy, clock: Clock
) -> None:
    hook = LongHook(clock, 1000, good("first"), Check("two", lambda: [passed("one", "two:a"), passed("two", "two:b")]))
    _, last = hook.play(codedeploy)
    assert codedeploy.statuses == ["Succeeded"]
    assert hook.looked == ["first", "two", "after"], "nothing is looked at twice"
    names = ["deployment", "first", "two:a", "two:b", "long", "after"]
    assert [check["name"] for check in last["checks"]] == names
    assert last["message"] == "5 checks passed"
    assert last["checks"][-2]["detail"] == "it has lasted 1000 s"
    assert [(journey.hop, journey.hops_left, dict(journey.state)) for journey in hook.journeys] == [
        (0, 4, {}),
        (1, 3, {"began": 1000.0}),
    ]
    assert [journey.began for journey in hook.journeys] == [1000, 1000]


def test_a_hook_that_has_the_time_does_not_hand_over(codedeploy: CodeDeploy, clock: Clock) -> None:
    assert [answer["status"] for answer in LongHook(clock, 850).play(codedeploy)] == ["SUCCEEDED"]
    assert (codedeploy.statuses, codedeploy.handed_over) == (["Succeeded"], [])


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


@pytest.mark.parametrize(("timeout", "room"), [(900, 20), (120, 20), (100, 17.5), (60, 7.5), (20, 2.5)])
def test_the_room_for_handing_over_is_twenty_seconds_and_a_quarter_of_shorter_times(
    codedeploy: CodeDeploy, clock: Clock, timeout: float, room: float
) -> None:
    hook = LongHook(clock, 1000)
    hook.handler(EVENT, lambda_context(timeout))
    assert hook.journeys[0].room == room
    assert len(codedeploy.handed_over) == 1


@dataclass(frozen=True)
class LongerOptions(HookOptions):
    """More than a hook is ever given."""

    max_duration: float = option("seconds in all", 100_000.0, unit="seconds", least=1, most=100_000)


def test_after_four_hops_nothing_is_handed_over_and_the_hook_fails(codedeploy: CodeDeploy, clock: Clock) -> None:
    hook = LongHook(clock, 10_000, good("first"), settings=LongerOptions)
    answers = hook.play(codedeploy)
    assert [answer["status"] for answer in answers] == ["CONTINUED"] * 4 + ["FAILED"]
    assert [event["Continuation"]["hop"] for event in codedeploy.handed_over] == [1, 2, 3, 4]
    assert {event["Continuation"]["started_at"] for event in codedeploy.handed_over} == {1000.0}
    assert answers[-1]["message"] == "check long needs more time, and no further invocation may follow"
    assert codedeploy.statuses == ["Failed"]


def test_when_max_duration_is_over_nothing_is_handed_over_any_more(
    codedeploy: CodeDeploy, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", '{"max_duration": 1000}')
    hook = LongHook(clock, 10_000)
    answers = hook.play(codedeploy)
    assert [journey.hops_left for journey in hook.journeys] == [4, 3, 0]
    assert [journey.until for journey in hook.journeys] == [2000] * 3
    assert (answers[-1]["status"], codedeploy.statuses) == ("FAILED", ["Failed"])


@pytest.mark.usefixtures("codedeploy")
def test_the_reach_is_that_of_all_invocations_but_not_beyond_max_duration(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = LongHook(clock, 1)
    hook.handler(EVENT, lambda_context(300))
    assert hook.journeys[0].reach(270) == 270 + 4 * 250
    monkeypatch.setenv("HOOK_SETTINGS", '{"max_duration": 600}')
    hook.handler(EVENT, lambda_context(300))
    assert hook.journeys[1].until - clock.now == 599
    assert hook.journeys[1].reach(270) == 599
    hook.handler(EVENT, None)
    assert hook.journeys[2].reach(270) == 270


def test_a_hook_without_max_duration_never_hands_over(codedeploy: CodeDeploy, clock: Clock) -> None:
    hook = LongHook(clock, 1000, settings=HookOptions)
    answers = hook.play(codedeploy)
    assert (hook.journeys[0].hops_left, hook.journeys[0].room) == (0, 0)
    assert answers[0]["message"] == "check long needs more time, and no further invocation may follow"
    assert (codedeploy.statuses, codedeploy.handed_over) == (["Failed"], [])


@pytest.mark.parametrize(
    "context", [object(), Mock(), MagicMock(), context_of(900)], ids=["object", "mock", "magic mock", "context"]
)
def test_who_calls_by_hand_gets_one_invocation(codedeploy: CodeDeploy, clock: Clock, context: Any) -> None:
    hook = LongHook(clock, 1000)
    answers = hook.play(codedeploy, context)
    assert (len(answers), hook.journeys[0].hops_left) == (1, 0)
    assert (codedeploy.statuses, codedeploy.handed_over) == (["Failed"], [])


def test_warnings_of_earlier_invocations_are_kept(codedeploy: CodeDeploy, clock: Clock) -> None:
    slow = Check("slow", lambda: failed("p99 is 700 ms", "slow:p99"), Severity.WARN)
    _, _, last = LongHook(clock, 2000, slow).play(codedeploy)
    assert last["message"] == "2 checks passed, 1 warned: p99 is 700 ms"
    warned = {"name": "slow:p99", "outcome": "failed", "severity": "warn", "detail": "p99 is 700 ms"}
    assert warned.items() <= last["checks"][1].items()
    assert codedeploy.statuses == ["Succeeded"]


def test_of_names_that_no_check_has_each_invocation_warns_once(
    codedeploy: CodeDeploy, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", '{"checks": {"x": "skip"}}')
    answers = LongHook(clock, 1000).play(codedeploy)
    assert [list(outcomes(answer)) for answer in answers] == [
        ["deployment", "checks"],
        ["deployment", "checks", "long", "after"],
    ]
    assert [len(answer["checks"]) for answer in answers] == [2, 4]
    assert codedeploy.statuses == ["Succeeded"]


def test_a_failure_of_an_earlier_invocation_fails_the_last(codedeploy: CodeDeploy, clock: Clock) -> None:
    hook = LongHook(clock, 1000, Check("bad", lambda: failed("bad is 3, expected 2")))
    assert hook.play(codedeploy)[-1]["message"] == "bad is 3, expected 2"
    assert (hook.looked, codedeploy.statuses) == (["bad", "after"], ["Failed"])


def test_what_was_left_out_by_choice_is_left_out_again(
    codedeploy: CodeDeploy, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", '{"checks": {"first": "skip"}}')
    unset = Check("unset", lambda: skipped("nothing is set", by_choice=True))
    hook = LongHook(clock, 1000, good("first"), unset)
    _, last = hook.play(codedeploy)
    assert outcomes(last) == {
        "deployment": "passed", "first": "skipped", "unset": "skipped", "long": "passed", "after": "passed"
    }  # fmt: skip
    assert (hook.looked, last["message"]) == (["unset", "after"], "2 checks passed, 2 skipped")
    assert codedeploy.statuses == ["Succeeded"]


def test_what_may_not_stop_the_deployment_may_not_in_the_next_invocation(codedeploy: CodeDeploy, clock: Clock) -> None:
    bad = Check("bad", lambda: failed("bad is 3"), may_stop=False)
    _, last = LongHook(clock, 1000, bad).play(codedeploy)
    assert last["message"] == "2 checks passed, 1 warned: bad is 3"
    hook = LongHook(clock, 10_000, bad, settings=LongerOptions)
    codedeploy.calls.clear()
    assert hook.play(codedeploy)[-1]["status"] == "SUCCEEDED", "not even by the time"


def test_a_check_for_which_there_was_no_reason_is_not_made_in_the_next_invocation(
    codedeploy: CodeDeploy, clock: Clock
) -> None:
    """Whether there is one may have been known to the first invocation alone."""
    taken: list[str] = []
    long = LongHook(clock, 1000)

    @lifecycle_hook("AfterAllowTraffic", PatientOptions)
    def handler(_deployment: Deployment, _settings: PatientOptions, deadline: Deadline) -> Iterator[Check]:
        found: list[str] = []

        def look() -> Finding:
            found.append("failed")
            return failed("down", "first")

        def more() -> Finding:
            taken.append("more")
            return failed("more requests")

        yield Check("first", look, Severity.WARN)
        if not found:
            yield Check("more", more)
        yield Check("long", lambda: long.long(deadline))

    handler(EVENT, lambda_context())
    answer = handler(codedeploy.handed_over[0], lambda_context())
    assert taken == []
    assert answer["message"] == "1 check passed, 1 warned: down"
    assert codedeploy.statuses == ["Succeeded"]


def test_a_check_that_was_to_go_on_and_is_not_made_any_more_is_no_pass(codedeploy: CodeDeploy, clock: Clock) -> None:
    LongHook(clock, 1000, good("first")).handler(EVENT, lambda_context())
    answer = hook_of(good("first"), good("other"))(codedeploy.handed_over[0], lambda_context())
    assert answer["message"] == "check long, which was to go on in this invocation, is not made any more"
    assert codedeploy.statuses == ["Failed"]


def test_whose_deployment_it_is_is_looked_at_anew(codedeploy: CodeDeploy, clock: Clock) -> None:
    hook = LongHook(clock, 1000)
    hook.handler(EVENT, lambda_context())
    codedeploy.replies["GetDeployment"] = [deployment("Stopped")]
    answer = hook.handler(codedeploy.handed_over[0], lambda_context())
    assert answer["message"] == "deployment d-ABCDEF123 is already Stopped: there is nothing left to judge"
    assert (codedeploy.statuses, len(hook.journeys)) == (["Failed"], 1)


@pytest.mark.parametrize("reply", [deployment("Stopped"), refused("AccessDeniedException", status=403)])
def test_what_runs_is_seen_to_its_end_when_the_deployment_was_stopped(
    codedeploy: CodeDeploy, clock: Clock, reply: Reply
) -> None:
    hook = LongHook(clock, 1000)
    hook.unwatched = "task 1 runs on unwatched"
    hook.handler(EVENT, lambda_context())
    codedeploy.replies["GetDeployment"] = [reply]
    answer = hook.handler(codedeploy.handed_over[0], lambda_context())
    assert outcomes(answer)["long"] == "passed"
    assert hook.looked == ["after"]
    assert outcomes(answer)["deployment"] in ("failed", "error")
    assert codedeploy.statuses == ["Failed"]


def test_settings_that_were_broken_meanwhile_are_reported(
    codedeploy: CodeDeploy, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = LongHook(clock, 1000)
    hook.handler(EVENT, lambda_context())
    monkeypatch.setenv("HOOK_SETTINGS", '{"max_duration": "long"}')
    answer = hook.handler(codedeploy.handed_over[0], lambda_context())
    assert answer["message"] == 'test_gate_hook.max_duration is "long"; expected seconds from 1 to 3000.'
    assert codedeploy.statuses == ["Failed"]


def test_out_of_time_in_a_later_invocation_says_what_earlier_ones_found(codedeploy: CodeDeploy, clock: Clock) -> None:
    hook = LongHook(clock, 1000, Check("odd", lambda: failed("odd"), Severity.WARN))
    hook.handler(EVENT, lambda_context())
    hook.long = lambda _deadline: raising(OutOfTime()).look()  # type: ignore[assignment,method-assign,return-value]
    answer = hook.handler(codedeploy.handed_over[0], lambda_context())
    assert answer["message"].startswith("check long had not ended after")
    assert outcomes(answer) == {"deployment": "passed", "odd": "failed", "long": "error"}
    assert codedeploy.statuses == ["Failed"]


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
    ],
    ids=["denied", "expired", "throttled", "5xx", "connection lost", "no such function", "too large"],
)  # fmt: skip
def test_a_hand_over_that_cannot_be_sent_is_reported_failed_at_once(
    codedeploy: CodeDeploy, clock: Clock, reply: Reply, words: list[str]
) -> None:
    codedeploy.replies[INVOKE] = [reply]
    warned = Check("odd", lambda: failed("odd"), Severity.WARN)
    answer = LongHook(clock, 1000, warned).handler(EVENT, lambda_context())
    assert answer["message"].startswith("the hook could not be handed over: ")
    for word in words:
        assert word in answer["message"]
    assert outcomes(answer) == {"deployment": "passed", "odd": "failed", "long": "error"}
    assert codedeploy.statuses == ["Failed"]
    assert clock.now == 1850


def test_a_hand_over_that_cannot_be_sent_says_what_nobody_watches(codedeploy: CodeDeploy, clock: Clock) -> None:
    codedeploy.replies[INVOKE] = [refused("AccessDeniedException", "no identity-based policy", 403)]
    hook = LongHook(clock, 1000)
    hook.unwatched = "task 1 runs on unwatched: see to its end"
    answer = hook.handler(EVENT, lambda_context())
    assert answer["message"].endswith("; task 1 runs on unwatched: see to its end")


def test_a_hand_over_is_sent_when_lambda_says_that_it_is_queued(codedeploy: CodeDeploy, clock: Clock) -> None:
    codedeploy.replies[INVOKE] = [Reply({}, 200)]
    answer = LongHook(clock, 1000).handler(EVENT, lambda_context())
    assert answer["message"] == "the hook could not be handed over: lambda:InvokeFunction answered 200, expected 202"
    assert codedeploy.statuses == ["Failed"]


def test_a_hand_over_that_gets_through_in_the_end_is_one(codedeploy: CodeDeploy, clock: Clock) -> None:
    codedeploy.replies[INVOKE] = [refused("TooManyRequestsException", status=429), Reply({}, 202)]
    assert LongHook(clock, 1000).handler(EVENT, lambda_context())["status"] == "CONTINUED"
    assert codedeploy.reports == []


@pytest.mark.parametrize("state", [{("a", "b"): 1}, {"a": WordlessError()}], ids=["key", "value"])
def test_a_state_that_is_no_json_is_reported_failed(codedeploy: CodeDeploy, state: dict[Any, Any]) -> None:
    answer = lifecycle_hook("AfterInstall", PatientOptions)(
        lambda _deployment, _settings, _deadline: [raising(ToBeContinued(state), "long")]
    )(EVENT, lambda_context())
    assert answer["message"].startswith("the hook could not be handed over: ")
    assert (codedeploy.statuses, codedeploy.handed_over) == (["Failed"], [])


@pytest.fixture
def watchdogs(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """The watchdogs' barks, which come when a test says."""
    barks: list[Callable[[], None]] = []

    def timer(_seconds: float, bark: Callable[[], None]) -> Any:
        barks.append(bark)
        return Mock()

    monkeypatch.setattr("gate.hook.threading", SimpleNamespace(Timer=timer, Lock=threading.Lock))
    return barks


def test_when_the_watchdog_has_reported_nothing_is_handed_over(
    codedeploy: CodeDeploy, watchdogs: list[Callable[[], None]]
) -> None:
    def look() -> Finding:
        watchdogs[0]()
        raise ToBeContinued({})

    answer = lifecycle_hook("AfterInstall", PatientOptions)(
        lambda _deployment, _settings, _deadline: [Check("long", look)]
    )(EVENT, lambda_context())
    assert answer["status"] == "FAILED"
    assert answer["message"].startswith("check long had not ended after")
    assert (codedeploy.statuses, codedeploy.handed_over) == (["Failed"], [])


def test_the_watchdog_does_not_report_what_was_handed_over(
    codedeploy: CodeDeploy, watchdogs: list[Callable[[], None]]
) -> None:
    """It may have begun to bark just before it was called off."""
    handler = lifecycle_hook("AfterInstall", PatientOptions)(
        lambda _deployment, _settings, _deadline: [raising(ToBeContinued({}), "long")]
    )
    assert handler(EVENT, lambda_context())["status"] == "CONTINUED"
    watchdogs[0]()
    assert (codedeploy.reports, len(codedeploy.handed_over)) == ([], 1)


CARRIED: dict[str, Any] = {
    "started_at": 1000.0, "hop": 1, "request_id": "request-0", "check": "long", "state": {},
    "done": {"first": [{"name": "first", "outcome": "passed", "severity": "fail", "detail": "fine"}]},
}  # fmt: skip


@pytest.mark.parametrize(
    "carried",
    [
        None, 3, "x", [], {"hop": 1},
        {**CARRIED, "started_at": "yesterday"}, {**CARRIED, "started_at": None}, {**CARRIED, "started_at": True},
        {**CARRIED, "started_at": math.nan}, {**CARRIED, "started_at": math.inf},
        {**CARRIED, "hop": 0}, {**CARRIED, "hop": 5}, {**CARRIED, "hop": -1}, {**CARRIED, "hop": "1"},
        {**CARRIED, "hop": True}, {**CARRIED, "hop": math.nan},
        {**CARRIED, "hop": 10**400}, {**CARRIED, "started_at": -(10**400)},
        {**CARRIED, "state": None}, {**CARRIED, "state": []}, {**CARRIED, "check": None},
        {**CARRIED, "unwatched": None},
        {**CARRIED, "done": None}, {**CARRIED, "done": []}, {**CARRIED, "done": {"first": 3}},
        {**CARRIED, "done": {"first": None}}, {**CARRIED, "done": {"first": []}}, {**CARRIED, "done": {"first": "x"}},
        {**CARRIED, "done": {"first": {"name": "first"}}}, {**CARRIED, "done": {"first": [3]}},
        {**CARRIED, "done": {"first": [{**CARRIED["done"]["first"][0], "outcome": "fine"}]}},
        {**CARRIED, "done": {"first": [{**CARRIED["done"]["first"][0], "severity": None}]}},
        {**CARRIED, "done": {"first": [{**CARRIED["done"]["first"][0], "duration_ms": "x"}]}},
        {**CARRIED, "done": {"first": [{**CARRIED["done"]["first"][0], "duration_ms": math.inf}]}},
        {**CARRIED, "done": {"first": [{**CARRIED["done"]["first"][0], "detail": [[]]}]}},
        {**CARRIED, "done": {"first": [{"name": "first", "outcome": "passed"}]}},
    ],
    ids=repr,
)  # fmt: skip
def test_a_continuation_that_no_hook_wrote_is_reported_failed(
    codedeploy: CodeDeploy, clock: Clock, carried: Any
) -> None:
    hook = LongHook(clock, 1)
    answer = hook.handler({**EVENT, "Continuation": carried}, lambda_context())
    assert "its Continuation is not one that this hook wrote" in answer["message"]
    assert (codedeploy.statuses, hook.journeys) == (["Failed"], [])


def test_the_continuation_of_these_tests_is_one(codedeploy: CodeDeploy, clock: Clock) -> None:
    hook = LongHook(clock, 1, good("first"))
    assert hook.handler({**EVENT, "Continuation": CARRIED}, lambda_context())["status"] == "SUCCEEDED"
    assert (hook.looked, codedeploy.statuses) == (["after"], ["Succeeded"])


@pytest.mark.parametrize("missing", ["DeploymentId", "LifecycleEventHookExecutionId"])
def test_a_continuation_without_ids_calls_nobody(codedeploy: CodeDeploy, clock: Clock, missing: str) -> None:
    event = {key: value for key, value in EVENT.items() if key != missing}
    assert LongHook(clock, 1).handler({**event, "Continuation": CARRIED}, lambda_context())["status"] == "FAILED"
    assert codedeploy.calls == []


def test_of_two_deliveries_of_a_hop_both_go_on_and_one_reports(codedeploy: CodeDeploy, clock: Clock) -> None:
    hook = LongHook(clock, 1000)
    hook.handler(EVENT, lambda_context())
    codedeploy.replies[REPORT] = [TAKEN, refused("LifecycleEventAlreadyCompletedException")]
    answers = [hook.handler(codedeploy.handed_over[0], lambda_context()) for _ in range(2)]
    assert [answer["status"] for answer in answers] == ["SUCCEEDED", "SUCCEEDED"]
    assert codedeploy.statuses == ["Succeeded", "Succeeded"]
    assert len(codedeploy.handed_over) == 1


@pytest.mark.parametrize("letter", ["x", "\N{MOUSE FACE}", "\ud800", '"'], ids=["ascii", "emoji", "surrogate", "quote"])
def test_a_hundred_checks_with_long_details_fit_into_a_payload(
    codedeploy: CodeDeploy, clock: Clock, caplog: pytest.LogCaptureFixture, letter: str
) -> None:
    """Lambda takes 256 KB of an asynchronous invocation."""
    caplog.set_level(logging.CRITICAL, logger="gate")  # a report on a test cannot hold a surrogate
    long = {f"reason {number}": letter * 500 for number in range(100)}

    def warning(name: str) -> Check:
        return Check(name, lambda: failed(letter * 5000, reasons=long), Severity.WARN)

    hook = LongHook(clock, 1000, *[warning(f"http:check-{number}") for number in range(100)])
    sizes: list[int] = []
    codedeploy.on_body = lambda operation, body: sizes.append(len(body)) if operation == INVOKE else None
    answers = hook.play(codedeploy)
    assert answers[-1]["status"] == "SUCCEEDED"
    assert len(answers[-1]["checks"]) == 103
    assert sizes[0] < 200_000
    assert codedeploy.statuses == ["Succeeded"]


# What is logged


SECRET = "correct-horse-battery"


def test_each_check_and_the_verdict_is_one_log_record_with_fields(
    codedeploy: CodeDeploy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="gate")
    hook_of(good(), Check("bad", lambda: failed("bad is 3", count=3)))(EVENT)
    records = [record for record in caplog.records if record.name == "gate"]
    keys = ("levelname", "check", "outcome", "detail", "status", "count", "hook", "deployment_id")
    found = [tuple(vars(record).get(key) for key in keys) for record in records]
    rest = ("test_gate_hook", "d-ABCDEF123")
    ours = "deployment d-ABCDEF123 of shop/shop-group deploys main/web"
    assert found == [
        ("INFO", "deployment", "passed", ours, None, None, *rest),
        ("INFO", "good", "passed", "good is as it should be", None, None, *rest),
        ("WARNING", "bad", "failed", "bad is 3", None, 3, *rest),
        ("ERROR", None, None, None, "FAILED", None, *rest),
    ]
    assert records[-1].getMessage() == "FAILED: bad is 3"
    assert codedeploy.statuses == ["Failed"]


def test_any_value_of_a_finding_can_be_logged_and_returned(
    codedeploy: CodeDeploy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="gate")
    values: dict[str, Any] = dict.fromkeys(
        ["args", "created", "exc_info", "message", "module", "msg", "process", "taskName", "thread", "asctime"], "x"
    )
    values |= {"hook": "x", "deployment_id": "x", "check": "x", "outcome": "failed", "severity": "x", "object": object}
    finding = Finding(passed("fine").outcome, "fine", values=values)
    answer = hook_of(Check("rich", lambda: finding))(EVENT)
    assert answer["status"] == "SUCCEEDED"
    assert json.loads(json.dumps(answer)) == answer
    record = next(record for record in caplog.records if vars(record).get("check") == "rich")
    fields = vars(record)
    assert (fields["hook"], fields["deployment_id"], fields["outcome"]) == ("test_gate_hook", "d-ABCDEF123", "passed")
    assert codedeploy.statuses == ["Succeeded"]


def test_neither_log_nor_answer_holds_secrets_or_the_environment(
    codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    @dataclass(frozen=True)
    class Secretive(HookOptions):
        headers: dict[str, int] = option("headers", {}, secret=True)  # noqa: RUF009 - dataclasses.field()
        password: str | None = option("a password", None, pattern="[a-z]+", means="small letters", secret=True)

    caplog.set_level(logging.DEBUG, logger="gate")
    monkeypatch.setenv("DATABASE_URL", SECRET)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    document = json.dumps({"headers": {"Authorization": SECRET}, "password": SECRET, "unknown": SECRET})
    monkeypatch.setenv("HOOK_SETTINGS", document)
    handler = lifecycle_hook("AfterInstall", Secretive)(lambda _deployment, _settings, _deadline: [good()])
    bad = handler(EVENT)
    assert bad["message"].split("; ")[::2] == [
        "test_gate_hook.headers.Authorization is a text of 21 characters",
        "test_gate_hook.password is a text of 21 characters",
        "test_gate_hook has no option unknown",
    ]
    monkeypatch.setenv("HOOK_SETTINGS", SECRET)
    unreadable = handler(EVENT)
    assert "HOOK_SETTINGS is not JSON" in unreadable["message"]
    monkeypatch.setenv("HOOK_SETTINGS", "{}")
    fine = handler(EVENT)
    broken = hook_of(raising(ValueError("odd")))(EVENT)
    logged = json.dumps([{key: str(value) for key, value in vars(record).items()} for record in caplog.records])
    assert SECRET not in logged + json.dumps([bad, unreadable, fine, broken])
    assert codedeploy.statuses == ["Failed", "Failed", "Succeeded", "Failed"]


# Order of things


def test_the_checks_are_called_off_once_somebody_has_answered(codedeploy: CodeDeploy) -> None:
    kept: list[Deadline] = []

    def checks(_deployment: Deployment, _settings: HookOptions, deadline: Deadline) -> list[Check]:
        kept.append(deadline)
        return [good()]

    lifecycle_hook("AfterInstall", HookOptions)(checks)(EVENT)
    assert kept[0].remaining() == 0
    assert codedeploy.statuses == ["Succeeded"]


def test_findings_of_a_poll_survive_the_deadline(codedeploy: CodeDeploy, clock: Clock) -> None:
    from gate.waiting import poll

    def checks(_deployment: Deployment, _settings: HookOptions, deadline: Deadline) -> list[Check]:
        return [Check("green", lambda: poll(lambda: failed("green target is unhealthy (503)"), deadline, 2))]

    answer = lifecycle_hook("AfterInstall", HookOptions)(checks)(EVENT, context_of(900))
    assert answer["message"] == "green target is unhealthy (503) (still so after 870 s)"
    assert clock.now == pytest.approx(1870)
    assert codedeploy.statuses == ["Failed"]


def test_could_not_look_is_never_a_pass(codedeploy: CodeDeploy) -> None:
    look: Callable[[], Finding] = lambda: could_not_look("CloudWatch is silent")  # noqa: E731 - a look
    assert hook_of(good(), Check("alarms", look))(EVENT)["message"] == "CloudWatch is silent"
    assert codedeploy.statuses == ["Failed"]


def test_the_modules_clients_are_made_once_for_all_invocations(codedeploy: CodeDeploy) -> None:
    handler = hook_of(good())
    handler(EVENT)
    made = aws.client.cache_info().misses
    handler(EVENT)
    assert aws.client.cache_info().misses == made
    assert codedeploy.statuses == ["Succeeded", "Succeeded"]
