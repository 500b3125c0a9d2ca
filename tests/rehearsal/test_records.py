"""What was expected is compared with what came, and both reports show it."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal import html_report, terminal
from rehearsal.aws.codedeploy import EVENTS
from rehearsal.customers import Visit
from rehearsal.lifecycle import EventRecord, HookRun, Timeline
from rehearsal.play import check, found_by
from rehearsal.record import Record, check_of_line, outcome_of
from rehearsal.scenarios import Expected, Scenario

VISIT = Visit(at=0.0, version="1.1.0", status=200, seconds=0.1)


def found(name: str, outcome: str, detail: str = "as it is", severity: str = "fail") -> dict[str, Any]:
    """Return a check as a hook returns it."""
    return {"name": name, "outcome": outcome, "severity": severity, "detail": detail, "duration_ms": 3}


def played(event: str, *checks: dict[str, Any]) -> Timeline:
    """Return a deployment that succeeded, with a hook's checks at one event."""
    timeline = Timeline("d-ABCDEFGHI", [EventRecord(name, "Succeeded", 1.0, 2.0) for name in EVENTS], "Succeeded")
    record = next(each for each in timeline.events if each.name == event)
    record.hook = HookRun("hook", "Succeeded", {"status": "SUCCEEDED", "message": "well", "checks": list(checks)})
    return timeline


def scenario(**checks: dict[str, str]) -> Scenario:
    """Return a scenario that expects checks to come out in some way."""
    expected = Expected("Succeeded", serving="1.1.0", revision="0003", error=None, checks=checks)
    return Scenario("tried", "Tried", "Something is tried.", expected)


@pytest.mark.parametrize(
    ("wanted", "met"),
    [
        ("skipped", True),
        ("skipped: no listener leads to", True),
        ("skipped: every listener", False),
        ("passed", False),
    ],
)
def test_expected_checks(wanted: str, met: bool) -> None:
    """An outcome, or the beginning of outcome and detail."""
    timeline = played("AfterInstall", found("green_targets", "skipped", "no listener leads to two yet"))
    met_ones = {
        e.what: e.met
        for e in check(scenario(validate_deployment={"green_targets": wanted}), timeline, [VISIT], VISIT, "0003")
    }
    assert met_ones.pop("validate_deployment's check green_targets is") is met
    assert all(met_ones.values())


def test_what_a_hook_found() -> None:
    """Of a check taken twice the last; of one that is not there, that; and only by the function that was asked."""
    timeline = played("AfterInstall", found("steady", "failed"), found("steady", "passed"))
    assert found_by(timeline, "validate_deployment", "steady") == "passed: as it is"
    assert found_by(timeline, "validate_deployment", "images") == "not there"
    assert found_by(timeline, "validate_production", "steady") == "not there"


def test_without_a_test_listener() -> None:
    """Nothing is expected of it."""
    asked = [e.what for e in check(scenario(), played("AfterInstall"), [VISIT], VISIT, "0003")]
    not_asked = [e.what for e in check(scenario(), played("AfterInstall"), [VISIT], None, "0003")]
    assert set(asked) - set(not_asked) == {"the test listener answers from"}


def test_outcomes() -> None:
    """A failure that may only warn is a warning; a log line of a check tells as much."""
    assert outcome_of(found("a", "failed")) == "failed"
    assert outcome_of(found("a", "error", severity="warn")) == "warned"
    assert outcome_of(found("a", "skipped", severity="warn")) == "skipped"
    line = check_of_line('{"check": "a", "outcome": "failed", "severity": "warn", "detail": "b", "hook": "c"}')
    assert line is not None
    assert outcome_of(line) == "warned"


def test_reports_of_many_checks() -> None:
    """The terminal sums up what passed and tells the rest one by one; the HTML report lists all."""
    checks = [found(f"check_{number}", "passed", f"detail {number}") for number in range(45)]
    checks[20:20] = [
        found("odd", "skipped", "nothing to see"),
        found("worse", "error", "could not look", "warn"),
        found("worst", "failed", "it is wrong"),
    ]
    record = Record(
        scenario=scenario(),
        timeline=played("BeforeInstall", *checks),
        prepared=["the lights are out"],
        expectations=[],
        visits=[],
        serving=["1.1.0"],
        revision="0003",
        began=0.0,
        seconds=1.0,
    )
    text = terminal.render(record)
    assert "45 checks passed: check_0, check_1," in text
    for line in ("○ odd: nothing to see", "⚠ worse: could not look", "✗ worst: it is wrong", "the lights are out"):
        assert line in text
    assert "check_44" not in text
    assert max(len(line) for line in text.splitlines()) <= terminal.WIDTH
    page = html_report.page(record)
    assert "48 checks: 45 passed, 1 skipped, 1 warned, 1 failed" in page
    assert all(f"detail {number}<" in page for number in range(45))
    assert "the lights are out" in page
    # What is wrong comes first.
    assert page.index("it is wrong") < page.index("detail 0<")
