"""The promise of gate.hook: whatever happens, one report, Failed unless all was looked at, with a reason."""

from __future__ import annotations

import json
import logging
import signal
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, Mock

import pytest
from gate import aws
from gate.deployment import Deployment
from gate.hook import Handler, ReportFailed, lifecycle_hook, read_event
from gate.settings import HookSettings, limits
from gate.verdict import CannotLook, Check, Finding, Severity, could_not_look, failed, passed, skipped
from gate.waiting import Deadline

from tests.unit.gate.codedeploy_server import EVENT, REPORT, CodeDeploy, Reply, deployment, group, refused, throttled
from tests.unit.gate.conftest import Clock


def hook_of(*checks: Check) -> Handler:
    """A handler that yields these checks."""

    @lifecycle_hook("AfterInstall", HookSettings)
    def handler(_deployment: Deployment, _settings: HookSettings, _deadline: Deadline) -> Iterator[Check]:
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
    @lifecycle_hook("AfterInstall", HookSettings)
    def handler(_deployment: Deployment, _settings: HookSettings, _deadline: Deadline) -> Iterator[Check]:
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
    handler = lifecycle_hook("AfterInstall", HookSettings)(lambda _deployment, _settings, _deadline: answered)
    assert handler(EVENT)["status"] == "FAILED"
    assert codedeploy.statuses == ["Failed"]


def test_a_yield_of_nothing_does_not_end_the_checks(codedeploy: CodeDeploy) -> None:
    @lifecycle_hook("AfterInstall", HookSettings)
    def handler(_deployment: Deployment, _settings: HookSettings, _deadline: Deadline) -> Iterator[Any]:
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

    @lifecycle_hook("AfterInstall", HookSettings)
    def handler(_deployment: Deployment, _settings: HookSettings, _deadline: Deadline) -> Generator[Check, bool, None]:
        learned.append((yield good()))
        learned.append((yield Check("bad", lambda: failed("bad"))))
        learned.append((yield Check("odd", lambda: failed("odd"), Severity.WARN)))

    handler(EVENT)
    assert learned == [True, False, True]
    assert codedeploy.statuses == ["Failed"]


def test_a_plain_list_of_checks_will_do(codedeploy: CodeDeploy) -> None:
    handler = lifecycle_hook("AfterInstall", HookSettings)(lambda _deployment, _settings, _deadline: [good()])
    assert handler(EVENT)["status"] == "SUCCEEDED"
    assert codedeploy.statuses == ["Succeeded"]


def test_checks_that_a_handler_yields_from_a_list_will_do(codedeploy: CodeDeploy) -> None:
    learned: list[bool] = []

    @lifecycle_hook("AfterInstall", HookSettings)
    def handler(_deployment: Deployment, _settings: HookSettings, _deadline: Deadline) -> Generator[Check, bool, None]:
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
    answer = hook_of(good(), check)(EVENT)
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

    @lifecycle_hook("AfterInstall", HookSettings)
    def handler(_deployment: Deployment, _settings: HookSettings, _deadline: Deadline) -> Iterator[Check]:
        raise ValueError("odd")
        yield good()

    assert handler(EVENT)["status"] == "FAILED"
    codedeploy.replies["GetDeploymentGroup"] = [group("main", "web")]
    assert handler(EVENT)["status"] == "FAILED"
    assert codedeploy.statuses == ["Failed", "Failed"]


# Settings and environment


@dataclass(frozen=True)
class CountSettings(HookSettings):
    """Two numbers."""

    least: int = limits(1, least=1)
    most: float = limits(2.0, most=10)


def test_all_problems_of_settings_and_environment_are_named_at_once(
    codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ECS_SERVICE")
    monkeypatch.setenv("APP_NAME", " ")
    monkeypatch.setenv("HOOK_SETTINGS", '{"least": 0, "most": "many", "checks": {"a": "ignore"}}')
    handler = lifecycle_hook("AfterInstall", CountSettings)(lambda _deployment, _settings, _deadline: [good()])
    message = handler(EVENT)["message"]
    assert "APP_NAME, ECS_SERVICE is not set" in message
    assert "HOOK_SETTINGS.least is 0, expected at least 1" in message
    assert 'HOOK_SETTINGS.most is "many", expected a number' in message
    assert 'HOOK_SETTINGS.checks.a is "ignore", expected one of fail, warn, skip' in message
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
        (Reply({}), ["names no application"]),
    ],
    ids=["denied", "no such deployment", "throttled", "5xx", "expired", "connection lost", "empty"],
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
    "trouble", [throttled(), Reply({}, 500), Reply(drop=True), refused("AccessDeniedException")], ids=repr
)
def test_a_report_is_retried_until_it_gets_through(codedeploy: CodeDeploy, clock: Clock, trouble: Reply) -> None:
    codedeploy.replies[REPORT] = [trouble] * 4 + [Reply({})]
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
    codedeploy.replies[REPORT] = [Reply({})]
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


@pytest.mark.parametrize("context", [None, object(), Mock(), MagicMock()], ids=repr)
def test_a_handler_called_by_hand_has_the_whole_time(codedeploy: CodeDeploy, context: Any) -> None:
    left = []

    def checks(_deployment: Deployment, _settings: HookSettings, deadline: Deadline) -> list[Check]:
        left.append(deadline.remaining())
        return [good()]

    assert lifecycle_hook("AfterInstall", HookSettings)(checks)(EVENT, context)["status"] == "SUCCEEDED"
    assert 800 < left[0] <= 870
    assert codedeploy.statuses == ["Succeeded"]


@pytest.mark.parametrize(("seconds", "usable"), [(900, 870), (120, 90), (60, 30), (20, 10)])
@pytest.mark.usefixtures("clock")
def test_thirty_seconds_are_kept_for_the_report_and_half_of_shorter_times(
    codedeploy: CodeDeploy, seconds: float, usable: float
) -> None:
    left = []

    def checks(_deployment: Deployment, _settings: HookSettings, deadline: Deadline) -> list[Check]:
        left.append(deadline.remaining())
        return [good()]

    lifecycle_hook("AfterInstall", HookSettings)(checks)(EVENT, context_of(seconds))
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
    class Secretive(HookSettings):
        headers: dict[str, int] = field(default_factory=dict)
        environment: dict[str, int] = field(default_factory=dict)

    caplog.set_level(logging.DEBUG, logger="gate")
    monkeypatch.setenv("DATABASE_URL", SECRET)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    document = json.dumps({"headers": {"Authorization": SECRET}, "environment": {"TOKEN": SECRET}, "unknown": SECRET})
    monkeypatch.setenv("HOOK_SETTINGS", document)
    handler = lifecycle_hook("AfterInstall", Secretive)(lambda _deployment, _settings, _deadline: [good()])
    bad = handler(EVENT)
    assert "HOOK_SETTINGS.headers.Authorization is a str (not shown)" in bad["message"]
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

    def checks(_deployment: Deployment, _settings: HookSettings, deadline: Deadline) -> list[Check]:
        kept.append(deadline)
        return [good()]

    lifecycle_hook("AfterInstall", HookSettings)(checks)(EVENT)
    assert kept[0].remaining() == 0
    assert codedeploy.statuses == ["Succeeded"]


def test_findings_of_a_poll_survive_the_deadline(codedeploy: CodeDeploy, clock: Clock) -> None:
    from gate.waiting import poll

    def checks(_deployment: Deployment, _settings: HookSettings, deadline: Deadline) -> list[Check]:
        return [Check("green", lambda: poll(lambda: failed("green target is unhealthy (503)"), deadline, 2))]

    answer = lifecycle_hook("AfterInstall", HookSettings)(checks)(EVENT, context_of(900))
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
