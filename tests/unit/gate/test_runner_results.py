"""gate.runner: whatever happens there is one report, Failed unless all was looked at, with a reason."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from gate import aws
from gate.names import Named
from gate.runner import Gate
from gate.verdict import Finding, ProbeError, Severity, error, failed, passed, skipped
from gate.waiting import Deadline

from tests.unit.gate.codedeploy_server import EVENT, CodeDeploy
from tests.unit.gate.sample_hooks import (
    HOOK,
    Sample,
    WordlessError,
    checked,
    good,
    handler_of,
    hook_of,
    outcomes,
    raising,
)


def test_all_checks_passed_is_the_only_way_to_succeeded(codedeploy: CodeDeploy) -> None:
    answer = hook_of(good(), good("better"))(EVENT, None)
    assert codedeploy.reports == [
        {"deploymentId": "d-ABCDEF123", "lifecycleEventHookExecutionId": "execution-1", "status": "Succeeded"}
    ]
    assert (answer["status"], answer["message"]) == ("SUCCEEDED", "2 checks passed")


def test_the_answer_is_the_contracts(codedeploy: CodeDeploy) -> None:
    answer = hook_of(good(), Sample("bad", lambda: failed("bad is 3, expected 2", count=3)))(EVENT)
    assert set(answer) == {"status", "message", "hook", "deployment_id", "checks", "duration_ms"}
    assert (answer["status"], answer["message"]) == ("FAILED", "bad is 3, expected 2")
    assert (answer["hook"], answer["deployment_id"]) == (HOOK, "d-ABCDEF123")
    assert [check["name"] for check in answer["checks"]] == ["deployment", "good", "bad"]
    bad = {key: value for key, value in answer["checks"][-1].items() if key != "duration_ms"}
    assert bad == {"name": "bad", "outcome": "failed", "severity": "fail", "detail": "bad is 3, expected 2", "count": 3}
    assert json.loads(json.dumps(answer)) == answer
    assert codedeploy.statuses == ["Failed"]


def test_a_handler_tells_its_names_and_calls() -> None:
    names = [Named("a", "It is so."), Named("b", "It is not.")]
    handler: Any = handler_of(lambda _gate: None, names=names, calls=["ecs:ListTasks"])
    assert (handler.names, handler.calls) == (tuple(names), ("ecs:ListTasks",))


# What is raised


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (ValueError("odd"), "ValueError: odd"),
        (ProbeError("the listener is gone"), "the listener is gone"),
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
    def body(gate: Gate[Any]) -> None:
        if where == "before the first check":
            raise problem
        gate.check("good", good().probe)
        if where == "body":
            raise problem
        gate.check("bad", raising(problem).probe)

    answer = handler_of(body)(EVENT)
    assert reason in answer["message"]
    assert answer["status"] == "FAILED"
    assert answer["checks"][-1]["name"] == ("bad" if where == "check" else HOOK)
    assert codedeploy.statuses == ["Failed"]


def test_a_check_that_raises_does_not_keep_the_next_from_being_made(codedeploy: CodeDeploy) -> None:
    answer = hook_of(raising(ValueError("odd")), good())(EVENT)
    assert outcomes(answer) == {"deployment": "passed", "bad": "error", "good": "passed"}
    assert codedeploy.statuses == ["Failed"]


def test_an_import_that_fails_in_a_check_names_the_library(codedeploy: CodeDeploy) -> None:
    def probe() -> Finding:
        import library_of_a_layer_that_is_not_attached  # type: ignore[import-not-found]  # noqa: F401

        return passed("never")

    answer = hook_of(Sample("smoke", probe))(EVENT)
    assert "library library_of_a_layer_that_is_not_attached is missing: attach the layer" in answer["message"]
    assert codedeploy.statuses == ["Failed"]


# What is no pass


@pytest.mark.parametrize("answered", [None, True, "fine", 3, ["fine"], [passed("a"), "b"], Finding], ids=repr)
def test_a_probe_that_answers_with_something_else_is_no_pass(codedeploy: CodeDeploy, answered: Any) -> None:
    answer = hook_of(good(), Sample("odd", lambda: answered))(EVENT)
    assert (answer["status"], outcomes(answer)["odd"]) == ("FAILED", "error")
    assert codedeploy.statuses == ["Failed"]


def test_a_finding_whose_detail_is_no_text_is_no_pass(codedeploy: CodeDeploy) -> None:
    answer = hook_of(Sample("odd", lambda: failed(ValueError("x"))))(EVENT)  # type: ignore[arg-type]  # the point
    assert "expected findings with text" in answer["message"]
    assert codedeploy.statuses == ["Failed"]


def test_a_probe_without_findings_is_no_pass(codedeploy: CodeDeploy) -> None:
    answer = hook_of(good(), Sample("silent", list))(EVENT)
    assert answer["message"] == "check silent found nothing to say"
    assert codedeploy.statuses == ["Failed"]


def test_no_check_at_all_is_no_pass(codedeploy: CodeDeploy) -> None:
    assert hook_of()(EVENT)["message"] == "nothing could be confirmed: there was no check"
    assert codedeploy.statuses == ["Failed"]


def test_all_skipped_for_want_of_anything_to_look_at_is_no_pass(codedeploy: CodeDeploy) -> None:
    answer = hook_of(Sample("targets", lambda: skipped("no listener forwards to green")))(EVENT)
    assert answer["message"] == "nothing could be confirmed: no listener forwards to green"
    assert codedeploy.statuses == ["Failed"]


def test_all_skipped_by_choice_passes_and_says_so(codedeploy: CodeDeploy) -> None:
    answer = hook_of(Sample("migrate", lambda: skipped("no command is set", opted_out=True)))(EVENT)
    assert (answer["status"], answer["message"]) == ("SUCCEEDED", "no command is set")
    assert codedeploy.statuses == ["Succeeded"]


def test_what_could_not_be_looked_at_is_no_pass(codedeploy: CodeDeploy) -> None:
    silent = Sample("alarms", lambda: error("CloudWatch is silent"))
    assert hook_of(good(), silent)(EVENT)["message"] == "CloudWatch is silent"
    assert codedeploy.statuses == ["Failed"]


# What a handler learns of a check


@pytest.mark.parametrize(
    ("answered", "severity", "goes_on", "ok"),
    [
        (passed("fine"), Severity.FAIL, True, True),
        (skipped("nothing to see"), Severity.FAIL, True, True),
        (failed("bad"), Severity.FAIL, False, False),
        (error("denied"), Severity.FAIL, False, False),
        (failed("odd"), Severity.WARN, True, False),
        ([passed("fine"), failed("bad")], Severity.FAIL, False, False),
        ([passed("fine"), replace(failed("odd"), advisory=True)], Severity.FAIL, True, False),
        (None, Severity.FAIL, False, False),
        ([], Severity.WARN, True, False),
        (failed("left out"), Severity.SKIP, True, True),
    ],
)
def test_a_check_is_falsy_if_it_fails_the_hook_and_ok_if_nothing_is_wrong(
    codedeploy: CodeDeploy, answered: Any, severity: Severity, goes_on: bool, ok: bool
) -> None:
    found = checked(codedeploy, lambda: answered, severity)
    assert (bool(found), found.ok) == (goes_on, ok)


@pytest.mark.parametrize(
    ("answered", "value"),
    [
        (passed("fine"), None),
        (replace(passed("fine"), value={"url": "http://green"}), {"url": "http://green"}),
        (replace(failed("bad"), value=3), 3),
        ([passed("fine"), replace(passed("fine"), value=0), replace(passed("fine"), value=1)], 0),
        (None, None),
    ],
)
def test_the_value_of_a_check_is_the_first_that_was_found(codedeploy: CodeDeploy, answered: Any, value: Any) -> None:
    assert checked(codedeploy, lambda: answered).value == value


def test_a_value_is_neither_logged_nor_answered(codedeploy: CodeDeploy, caplog: pytest.LogCaptureFixture) -> None:
    answer = hook_of(Sample("good", lambda: replace(passed("fine"), value="for the next check")))(EVENT)
    assert "for the next check" not in json.dumps(answer) + str([vars(record) for record in caplog.records])
    assert codedeploy.statuses == ["Succeeded"]


# Order of things


def test_the_checks_are_called_off_once_somebody_has_answered(codedeploy: CodeDeploy) -> None:
    kept: list[Deadline] = []
    handler_of(lambda gate: kept.append(gate.deadline))(EVENT)
    assert kept[0].remaining() == 0
    assert codedeploy.statuses == ["Failed"]


def test_the_clients_are_made_once_for_all_invocations(codedeploy: CodeDeploy) -> None:
    handler = hook_of(good())
    handler(EVENT)
    made = aws.client.cache_info().misses
    handler(EVENT)
    assert aws.client.cache_info().misses == made
    assert codedeploy.statuses == ["Succeeded", "Succeeded"]
