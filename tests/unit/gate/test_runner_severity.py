"""gate.runner: the severities that the user sets, and names that the hook does not have."""

from __future__ import annotations

import json
from typing import Any

import pytest
from gate.names import Named
from gate.runner import Gate
from gate.verdict import Severity, failed, passed, skipped
from gate.waiting import OutOfTime

from tests.unit.gate.codedeploy_server import EVENT, ROLLBACK, CodeDeploy, group
from tests.unit.gate.sample_hooks import HOOK, Sample, good, handler_of, hook_of, outcomes, raising


@pytest.mark.parametrize(
    ("option", "status", "outcome", "severity"),
    [
        ({}, "FAILED", "failed", "fail"),
        ({"latency": "warn"}, "SUCCEEDED", "failed", "warn"),
        ({"latency:health": "skip"}, "SUCCEEDED", "skipped", "skip"),
    ],
)
@pytest.mark.parametrize("named_by", ["check", "finding"])
def test_the_option_checks_sets_severities(  # noqa: PLR0917 - one row of the table each
    codedeploy: CodeDeploy,
    monkeypatch: pytest.MonkeyPatch,
    option: dict[str, str],
    status: str,
    outcome: str,
    severity: str,
    named_by: str,
) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps({"checks": option}))
    name = "latency:health"

    def body(gate: Gate[Any]) -> None:
        gate.check("good", good().probe)
        if named_by == "check":
            gate.check(name, lambda: failed("it is slow"))
        else:
            gate.check("several", lambda: [failed("it is slow", name)])

    answer = handler_of(body, names=[Named("latency", "", parts=("{http_checks}",))])(EVENT)
    found = answer["checks"][-1]
    assert (answer["status"], found["name"], found["outcome"], found["severity"]) == (status, name, outcome, severity)
    assert codedeploy.statuses == [status.capitalize()]


def test_a_skipped_check_is_not_even_made(codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", '{"checks": {"bad": "skip"}}')
    answer = hook_of(good(), raising(SystemExit(1)))(EVENT)
    assert answer["message"] == "1 check passed, 1 skipped"
    assert answer["checks"][-1]["detail"] == "left out by the option `checks`"
    assert codedeploy.statuses == ["Succeeded"]


def test_a_warning_is_in_the_message(codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", '{"checks": {"bad": "warn"}}')
    answer = hook_of(good(), Sample("bad", lambda: failed("3 alarms fire")))(EVENT)
    assert answer["message"] == "1 check passed, 1 warned: 3 alarms fire"
    assert codedeploy.statuses == ["Succeeded"]


def test_a_handler_can_ask_what_counts(codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", '{"checks": {"http:slow": "warn", "http:old": "skip"}}')
    asked: list[Any] = []

    def body(gate: Gate[Any]) -> None:
        asked.append([gate.severity(f"http:{part}") for part in ("new", "slow", "old")])
        asked.append([gate.fails(failed("no", f"http:{part}"), "http") for part in ("new", "slow", "old")])
        asked.append([bool(gate.left_out(f"http:{part}")) for part in ("new", "slow", "old")])

    handler_of(body, names=[Named("http", "", parts=("{http_checks}",))])(EVENT)
    assert asked == [
        [Severity.FAIL, Severity.WARN, Severity.SKIP],
        [True, False, False],
        [False, False, True],
    ]
    assert codedeploy.statuses == ["Failed"]


@pytest.mark.parametrize("name", ["deployment", "settings", "event", HOOK])
def test_what_the_runner_itself_checks_cannot_be_switched_off(
    codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps({"checks": {name: "skip"}}))
    codedeploy.replies["GetDeploymentGroup"] = [group("main", "other")]

    def body(_gate: Gate[Any]) -> None:
        raise ValueError("odd")

    handler = handler_of(body)
    assert handler(EVENT)["status"] == "FAILED"
    codedeploy.replies["GetDeploymentGroup"] = [group("main", "web")]
    assert handler(EVENT)["status"] == "FAILED"
    assert codedeploy.statuses == ["Failed", "Failed"]


# Rollbacks


@pytest.mark.parametrize("is_rollback", [True, False])
@pytest.mark.parametrize("advisory", [True, False])
@pytest.mark.parametrize("what", ["failed", "raised", "out of time"])
def test_on_a_rollback_an_advisory_hook_only_warns_whatever_happens(
    codedeploy: CodeDeploy, is_rollback: bool, advisory: bool, what: str
) -> None:
    seen: list[bool] = []
    if is_rollback:
        codedeploy.replies["GetDeployment"] = [ROLLBACK]

    def body(gate: Gate[Any]) -> None:
        seen.append(gate.advisory)
        if what == "raised":
            raise ValueError("odd")
        gate.check("bad", (lambda: failed("bad is 3")) if what == "failed" else raising(OutOfTime()).probe)

    answer = handler_of(body, advisory_on_rollback=advisory)(EVENT)
    warns = is_rollback and advisory
    assert seen == [warns]
    assert answer["status"] == ("SUCCEEDED" if warns else "FAILED")
    if warns:
        assert answer["message"].startswith("0 checks passed, 1 warned: ")
    assert codedeploy.statuses == [answer["status"].capitalize()]


def test_on_a_rollback_what_the_user_fails_only_warns_and_what_is_left_out_stays_so(
    codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    codedeploy.replies["GetDeployment"] = [ROLLBACK]
    monkeypatch.setenv("HOOK_SETTINGS", '{"checks": {"bad": "fail", "worse": "skip"}}')
    bad, worse = Sample("bad", lambda: failed("bad is 3")), raising(AssertionError("looked at"), "worse")
    answer = hook_of(good(), bad, worse, advisory_on_rollback=True)(EVENT)
    assert answer["message"] == "1 check passed, 1 skipped, 1 warned: bad is 3"
    assert codedeploy.statuses == ["Succeeded"]


# Names in the option `checks`


def test_a_name_that_no_check_has_is_warned_of(codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", '{"checks": {"goods": "skip", "bad": "warn", "bade:a": "fail"}}')
    answer = hook_of(good(), Sample("bad", lambda: passed("not so bad")))(EVENT)
    said = "the option checks names bade:a, goods, which this hook does not have; it has good, bad"
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


def test_a_name_that_no_check_has_changes_nothing(codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps({"checks": {"b": "skip", HOOK: "warn"}}))
    undeclared = Sample("b:part", lambda: failed("b is 3"))

    def body(gate: Gate[Any]) -> None:
        gate.check(undeclared.name, undeclared.probe)

    answer = handler_of(body, names=[Named("b:part", "It is so.")])(EVENT)
    assert (answer["message"], answer["checks"][-1]["severity"]) == ("b is 3", "fail")
    assert codedeploy.statuses == ["Failed"]


def test_the_warning_cannot_be_left_out(codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", '{"checks": {"checks": "skip"}}')
    handler = handler_of(lambda gate: gate.check("good", good().probe))
    said = "the option checks names checks, which this hook does not have; it has none"
    assert handler(EVENT)["message"] == f"1 check passed, 1 warned: {said}"
    assert codedeploy.statuses == ["Succeeded"]


def test_the_warning_alone_confirms_nothing(codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", '{"checks": {"x": "skip"}}')
    silent = Sample("silent", lambda: skipped("there is no listener"))
    assert hook_of()(EVENT)["message"] == "nothing could be confirmed: there was no check"
    answer = hook_of(silent)(EVENT)
    assert answer["message"].startswith("nothing could be confirmed: the option checks names x, ")
    assert outcomes(answer) == {"deployment": "passed", "checks": "failed", "silent": "skipped"}
    assert codedeploy.statuses == ["Failed", "Failed"]
