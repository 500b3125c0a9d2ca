"""gate.verdict: what findings add up to. Never a pass for nothing, never a pass over something that is wrong."""

from __future__ import annotations

import pytest
from gate.verdict import (
    Finding,
    NotFound,
    Outcome,
    ProbeError,
    Result,
    Severity,
    Verdict,
    attempt,
    decide,
    error,
    failed,
    passed,
    run_probe,
    severity_for,
)
from hypothesis import example, given
from hypothesis import strategies as st

FAIL, WARN, SKIP = Severity.FAIL, Severity.WARN, Severity.SKIP


def result(  # noqa: PLR0917 - a row of the tables below
    name: str,
    outcome: str,
    detail: str = "",
    severity: Severity = FAIL,
    opted_out: bool = False,
    remediation: bool = False,
) -> Result:
    finding = Finding(Outcome(outcome), detail or f"{name} {outcome}", opted_out=opted_out, remediation=remediation)
    return Result(name, severity, finding)


@pytest.mark.parametrize(
    ("results", "succeeded", "message"),
    [
        ([], False, "nothing could be confirmed: there was no check"),
        ([result("a", "passed")], True, "1 check passed"),
        ([result("a", "passed"), result("b", "passed")], True, "2 checks passed"),
        ([result("a", "passed"), result("b", "failed")], False, "b failed"),
        ([result("a", "passed"), result("b", "error")], False, "b error"),
        ([result("b", "error"), result("a", "failed")], False, "a failed; b error"),
        ([result("a", "failed"), result("b", "failed"), result("c", "error")], False, "a failed; b failed; c error"),
        ([result("a", "error", "denied"), result("b", "error", "denied")], False, "denied"),
        ([result("a", "skipped", "no listener")], False, "nothing could be confirmed: no listener"),
        ([result("a", "skipped", "no command", opted_out=True)], True, "no command"),
        (
            [result("a", "skipped", "no command", opted_out=True), result("b", "skipped", "no log")],
            False,
            "nothing could be confirmed: no command; no log",
        ),
        ([result("a", "passed"), result("b", "skipped")], True, "1 check passed, 1 skipped"),
        (
            [result("a", "passed"), result("b", "failed", severity=WARN)],
            True,
            "1 check passed, 1 warned: b failed",
        ),
        ([result("b", "failed", severity=WARN)], True, "0 checks passed, 1 warned: b failed"),
        (
            [result("a", "skipped", "no listener"), result("b", "error", "denied", severity=WARN)],
            False,
            "nothing could be confirmed: denied; no listener",
        ),
        (
            [result("a", "failed", "exit 1"), result("b", "passed", "rolled back", remediation=True)],
            False,
            "exit 1; rolled back",
        ),
        (
            [result("a", "failed", "exit 1"), result("b", "failed", "THE ROLLBACK FAILED TOO", remediation=True)],
            False,
            "THE ROLLBACK FAILED TOO; before that: exit 1",
        ),
        (
            [
                result("a", "failed", "exit 1"),
                result("b", "error", "denied"),
                result("c", "failed", "THE ROLLBACK FAILED TOO", remediation=True),
            ],
            False,
            "THE ROLLBACK FAILED TOO; before that: exit 1; denied",
        ),
        ([result("a", "failed", "two\n  lines\tof it")], False, "two lines of it"),
    ],
)
def test_the_table(results: list[Result], succeeded: bool, message: str) -> None:
    assert decide(results) == Verdict(succeeded, message)


outcomes = st.builds(
    result,
    name=st.text(max_size=20),
    outcome=st.sampled_from([outcome.value for outcome in Outcome]),
    detail=st.text(max_size=60) | st.just("x" * 3000),
    severity=st.sampled_from([FAIL, WARN]),
    opted_out=st.booleans(),
    remediation=st.booleans(),
)


@given(st.lists(outcomes, max_size=8))
@example([])
def test_never_succeeded_over_a_failing_result_or_over_nothing(results: list[Result]) -> None:
    verdict = decide(results)
    good = [one for one in results if one.finding.outcome is Outcome.PASSED]
    if verdict.succeeded:
        assert not any(
            one.finding.outcome in (Outcome.FAILED, Outcome.ERROR) and one.severity is FAIL for one in results
        )
        # Without any pass all that is left is somebody's choice: left out, or only to warn.
        assert results
        assert good or all(
            one.finding.opted_out if one.finding.outcome is Outcome.SKIPPED else one.severity is WARN for one in results
        )
    else:
        assert not good or any(one.stops for one in results)


@given(st.lists(outcomes, max_size=8))
def test_the_message_is_one_line_of_4000_characters_at_most(results: list[Result]) -> None:
    message = decide(results).message
    assert len(message) <= 4000
    assert len(message.splitlines()) <= 1


@given(st.lists(outcomes, max_size=8), outcomes)
def test_nothing_more_can_turn_a_failed_hook_into_a_pass(results: list[Result], more: Result) -> None:
    if any(one.stops for one in results):
        assert not decide([*results, more]).succeeded


@pytest.mark.parametrize(
    ("name", "overrides", "severity"),
    [
        ("images", {}, FAIL),
        ("images", {"images": "warn"}, WARN),
        ("images:app", {"images": "warn"}, WARN),
        ("images:app", {"images:app": "skip", "images": "warn"}, SKIP),
        ("images:app", {"images:ap": "skip", "app": "skip", "images:": "skip", ":app": "skip", "": "skip"}, FAIL),
        ("images:app", {"images:app:1": "skip"}, FAIL),
        ("images:app:1", {"images": "skip"}, SKIP),
        ("images:app:1", {"images:app": "skip"}, SKIP),
        ("images:app:1", {"images:app": "warn", "images": "skip"}, WARN),
        ("images:app:1", {"images:app:1": "fail", "images:app": "warn", "images": "skip"}, FAIL),
        ("images::1", {"images:": "warn"}, WARN),
    ],
)
def test_a_severity_is_found_by_the_full_name_or_by_what_stands_before_a_colon(
    name: str, overrides: dict[str, str], severity: Severity
) -> None:
    assert severity_for(name, FAIL, overrides) is severity


def test_a_declared_severity_holds_without_a_setting() -> None:
    assert severity_for("images", WARN, {"alarms": "skip"}) is WARN
    assert severity_for("images:app", WARN, {}) is WARN


# Findings


def test_a_probe_answers_with_one_finding_or_several() -> None:
    one = Finding(Outcome.PASSED, "fine")
    assert run_probe(lambda: one) == [one]
    assert run_probe(lambda: iter([one, one])) == [one, one]
    assert run_probe(list) == []


@pytest.mark.parametrize(
    ("raised", "finding"),
    [
        (ProbeError("denied"), error("denied", "a")),
        (NotFound("there is none"), failed("there is none", "a")),
        (None, passed("fine", "a")),
    ],
)
def test_an_attempt_bears_the_name_and_the_error_of_its_probe(raised: ProbeError | None, finding: Finding) -> None:
    def probe() -> Finding:
        if raised:
            raise raised
        return passed("fine")

    assert attempt("a", probe) == finding


def test_a_values_key_takes_no_fields_place() -> None:
    finding = Finding(Outcome.FAILED, "wrong", values={"outcome": "passed", "name": "x", "count": 3})
    shown = Result("a", FAIL, finding, 12).as_dict()
    assert shown == {
        "name": "a", "outcome": "failed", "severity": "fail", "detail": "wrong", "duration_ms": 12, "count": 3
    }  # fmt: skip
