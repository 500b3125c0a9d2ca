"""What was expected is compared with what came, and both reports show it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from rehearsal import html_report, terminal
from rehearsal.aws.codedeploy import EVENTS
from rehearsal.customers import Visit
from rehearsal.functions import Attempt
from rehearsal.lifecycle import EventRecord, HookRun, Timeline
from rehearsal.play import Database, check, found_by
from rehearsal.record import Expectation, Record, check_of_line, hop_of_line, hops_of, verdicts_of
from rehearsal.scenarios import Expected, Scenario
from tools.explain import STOPPED, SUCCEEDED, WIDTH, Step, Told, outcome_of

VISIT = Visit(at=0.0, version="1.1.0", status=200, seconds=0.1)


def found(name: str, outcome: str, detail: str = "as it is", severity: str = "fail") -> dict[str, Any]:
    """Return a check as a hook returns it."""
    return {"name": name, "outcome": outcome, "severity": severity, "detail": detail, "duration_ms": 3}


def played(event: str, *checks: dict[str, Any]) -> Timeline:
    """Return a deployment that succeeded, with a hook's checks at one event."""
    timeline = Timeline("d-ABCDEFGHI", [EventRecord(name, "Succeeded", 1.0, 2.0) for name in EVENTS], "Succeeded")
    record = next(each for each in timeline.events if each.name == event)
    result = {"status": "SUCCEEDED", "message": "well", "checks": list(checks)}
    run = Attempt("hook", b"{}", result=json.dumps(result).encode())
    record.hook = HookRun("hook", "Succeeded", result, [run], accepted_reports=1)
    return timeline


def scenario(**checks: dict[str, str]) -> Scenario:
    """Return a scenario that expects checks to come out in some way."""
    expected = Expected("Succeeded", serving="1.1.0", revision="0003", error=None, checks=checks)
    return Scenario("tried", "Tried", "Something is tried.", expected)


@pytest.mark.parametrize(
    ("wanted", "met"),
    [
        ("skipped", True),
        ("skipped: no listener forwards to", True),
        ("skipped: every listener", False),
        ("passed", False),
    ],
)
def test_expected_checks(wanted: str, met: bool) -> None:
    """An outcome, or the beginning of outcome and detail."""
    timeline = played("AfterInstall", found("green_targets", "skipped", "no listener forwards to two yet"))
    met_ones = {
        e.what: e.met
        for e in check(
            scenario(validate_deployment={"green_targets": wanted}), timeline, [VISIT], VISIT, Database("0003")
        )
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
    asked = [e.what for e in check(scenario(), played("AfterInstall"), [VISIT], VISIT, Database("0003"))]
    not_asked = [e.what for e in check(scenario(), played("AfterInstall"), [VISIT], None, Database("0003"))]
    assert set(asked) - set(not_asked) == {"the test listener answers from"}


def test_outcomes() -> None:
    """A failure that may only warn is a warning; a log line of a check tells as much."""
    assert outcome_of(found("a", "failed")) == "failed"
    assert outcome_of(found("a", "error", severity="warn")) == "warned"
    assert outcome_of(found("a", "skipped", severity="warn")) == "skipped"
    line = check_of_line('{"check": "a", "outcome": "failed", "severity": "warn", "detail": "b", "hook": "c"}')
    assert line is not None
    assert outcome_of(line) == "warned"


def result_of(status: str, message: str) -> bytes:
    """Return what a hook returns, as Lambda has it."""
    return json.dumps({"status": status, "message": message, "checks": [found("bake", "passed")]}).encode()


def test_reports_of_hops() -> None:
    """Both reports tell each time that a hook went on in a fresh invocation, and under which request."""
    timeline = played("AfterAllowTraffic", found("bake", "passed"))
    event = next(each for each in timeline.events if each.hook)
    assert event.hook is not None
    hops = [f"continued by request {name}: bake goes on" for name in ("b-1", "c-2")]
    event.hook.attempts = [
        Attempt("hook", b"{}", "a-0", result=result_of("CONTINUED", hops[0])),
        Attempt("hook", b"{}", "b-1", result=result_of("CONTINUED", hops[1])),
        Attempt("hook", b"{}", "c-2", result=result_of("SUCCEEDED", "well")),
    ]
    assert hops_of(event) == hops
    record = recorded(timeline)
    text, page = terminal.render(record), html_report.page(record)
    for hop in hops:
        assert f"↪ {hop}" in text
        assert f"↪ {hop}" in page
    assert "run 2 of 3, request b-1" in page
    (told,) = [event["hops"] for event in record.as_dict()["events"] if event["hops"]]
    assert told == hops


def test_hops_in_the_log() -> None:
    """A line of the log tells of a hop as it happens."""
    line = '{"message": "continued by request b-1: bake goes on", "status": "CONTINUED", "check": "bake"}'
    assert hop_of_line(line) == "continued by request b-1: bake goes on"
    assert hop_of_line('{"message": "SUCCEEDED: well", "status": "SUCCEEDED"}') is None
    assert hop_of_line("continued") is None


@pytest.mark.parametrize("stopped_at", ["BeforeInstall", "AfterAllowTraffic"])
@pytest.mark.parametrize(
    ("outcome", "reason", "missed"),
    [
        (STOPPED, "2 targets are down", set()),
        (SUCCEEDED, "2 targets are down", {"explain's exit status is", "explain's last line tells the reason"}),
        (STOPPED, "nobody knows", {"explain's last line tells the reason"}),
    ],
)
def test_what_explain_tells(stopped_at: str, outcome: int, reason: str, missed: set[str]) -> None:
    """Of whichever event stopped the deployment: the exit status, and in the last line the hook's own message."""
    timeline = played(stopped_at)
    timeline.status = "Failed"
    (event,) = [each for each in timeline.events if each.hook]
    assert event.hook is not None
    event.hook.report, event.hook.result = "Failed", {"status": "FAILED", "message": "2 targets\nare down"}
    told = Told("Deployment d-ABCDEFGHI", outcome, over=True, status="Failed", error="HOOK_EXECUTION_FAILURE")
    told.steps = [Step(stopped_at, "Failed", function="hook", reason=reason)]
    asked = dataclasses.replace(scenario(), expected=Expected("Failed", stopped_at))
    found = check(asked, timeline, [VISIT], VISIT, Database("0003"), explained=told)
    assert {e.what for e in found if e.what.startswith("explain") and not e.met} == missed


@pytest.mark.parametrize(("wanted", "met"), [(0, True), (1, True), (2, False)])
def test_expected_hops(wanted: int, met: bool) -> None:
    """At least so many."""
    timeline = played("AfterAllowTraffic")
    event = next(each for each in timeline.events if each.hook)
    assert event.hook is not None
    event.hook.attempts = [Attempt("hook", b"{}", result=result_of("CONTINUED", "continued by request b-1"))]
    asked = Scenario("tried", "Tried", "Something is tried.", Expected("Succeeded", error=None, hops=wanted))
    found = check(asked, timeline, [VISIT], VISIT, Database("0002"))
    assert all(e.met for e in found if e.what == "fresh invocations went on") is met


@pytest.mark.parametrize(
    ("database", "what", "came"),
    [
        (Database("0003", left=2), "orders that the hooks have left behind", "2"),
        (Database("0003", runs=2), "the release's migration has run", "2 times"),
        (Database("0002"), "the database is at revision", "0002"),
    ],
)
def test_what_is_in_the_database(database: Database, what: str, came: str) -> None:
    """Whatever a scenario expects, no order of a hook's stays, and no migration runs twice."""
    (wrong,) = [e for e in check(scenario(), played("AfterInstall"), [VISIT], VISIT, database) if not e.met]
    assert (wrong.what, wrong.found) == (what, came)


@pytest.mark.parametrize(("answers", "met"), [({"select 1": "1"}, True), ({"select 1": "2"}, False), ({}, False)])
def test_expected_answers_of_the_database(answers: dict[str, str], met: bool) -> None:
    """As text, query by query."""
    asked = Scenario("tried", "Tried", "Something is tried.", Expected("Succeeded", database={"select 1": "1"}))
    found = check(asked, played("AfterInstall"), [VISIT], VISIT, Database("0002", answers=answers))
    assert [e.met for e in found if "select 1" in e.what] == [met]


@pytest.mark.parametrize(
    ("statuses", "reports", "met"),
    [
        (["SUCCEEDED"], 1, True),
        (["SUCCEEDED", "SUCCEEDED", "SUCCEEDED"], 1, True),
        (["CONTINUED", "SUCCEEDED"], 1, True),
        (["SUCCEEDED", "FAILED"], 1, False),
        (["FAILED"], 1, False),
        (["CONTINUED"], 1, False),
        (["SUCCEEDED"], 0, False),
        (["SUCCEEDED", "SUCCEEDED"], 2, False),
    ],
)
def test_one_verdict_and_one_report(statuses: list[str], reports: int, met: bool) -> None:
    """However often an event is delivered, its hook's runs come to one verdict, and one report is taken."""
    timeline = played("AfterInstall")
    event = next(each for each in timeline.events if each.hook)
    assert event.hook is not None
    event.hook.attempts = [Attempt("hook", b"{}", result=result_of(status, "so it is")) for status in statuses]
    event.hook.accepted_reports = reports
    found = check(scenario(), timeline, [VISIT], VISIT, Database("0003"))
    assert [e.met for e in found if e.what == "at AfterInstall"] == [met]
    assert verdicts_of(event) == set(statuses) - {"CONTINUED"}


def test_a_hook_without_a_report_has_no_verdict() -> None:
    """It was stopped, or hung: the ending says so, and what a run returns later counts for nothing."""
    timeline = played("AfterInstall")
    event = next(each for each in timeline.events if each.hook)
    assert event.hook is not None
    event.hook.report = None
    found = check(scenario(), timeline, [VISIT], VISIT, Database("0003"))
    assert not [e for e in found if e.what == "at AfterInstall"]


def recorded(timeline: Timeline) -> Record:
    """Return the record of a deployment."""
    return Record(
        scenario=scenario(),
        timeline=timeline,
        prepared=["the lights are out"],
        expectations=[],
        visits=[],
        serving=["1.1.0"],
        revision="0003",
        began=0.0,
        seconds=1.0,
    )


def test_reports_of_many_checks() -> None:
    """The terminal sums up what passed and tells the rest one by one; the HTML report lists all."""
    checks = [found(f"check_{number}", "passed", f"detail {number}") for number in range(45)]
    checks[20:20] = [
        found("odd", "skipped", "nothing to see"),
        found("worse", "error", "could not look", "warn"),
        found("worst", "failed", "it is wrong"),
    ]
    record = recorded(played("BeforeInstall", *checks))
    text = terminal.render(record)
    assert "45 checks passed: check_0, check_1," in text
    for line in ("○ odd: nothing to see", "⚠ worse: could not look", "✗ worst: it is wrong", "the lights are out"):
        assert line in text
    assert "check_44" not in text
    assert max(len(line) for line in text.splitlines()) <= WIDTH
    page = html_report.page(record)
    assert "48 checks: 45 passed, 1 skipped, 1 warned, 1 failed" in page
    assert all(f"detail {number}<" in page for number in range(45))
    assert "the lights are out" in page
    # What is wrong comes first.
    assert page.index("it is wrong") < page.index("detail 0<")


def failing() -> Record:
    """Return a deployment that a hook has stopped, and that never came to the rest."""
    timeline = played("AfterInstall", found("green", "passed"), found("targets", "failed", "2 are unhealthy"))
    at = EVENTS.index("AfterInstall")
    timeline.events[at].status, timeline.stopped_at = "Failed", "AfterInstall"
    timeline.status, timeline.error = "Failed", ("HOOK_EXECUTION_FAILURE", "One failed.")
    timeline.rollback_id, timeline.rollback_notes = "d-BACK00000", ["all on blue"]
    hook = timeline.events[at].hook
    assert hook is not None
    assert hook.result is not None
    hook.result["message"] = "2 are unhealthy"
    for event in timeline.events[at + 1 :]:
        event.status, event.seconds = "Skipped", None
    return recorded(timeline)


@pytest.mark.parametrize("prefix", ["", "[tried] "])
def test_an_event_is_told_once(capsys: pytest.CaptureFixture[str], prefix: str) -> None:
    """Of one scenario in full, as it ends; of several in a line, and the end of each is one for the sum."""
    record = failing()
    console = terminal.Console(prefix)
    for event in record.timeline.events[: EVENTS.index("AfterInstall") + 1]:
        console.wrote("/aws/lambda/x", "s", '{"check": "targets", "outcome": "failed", "detail": "2 are unhealthy"}')
        console.event(event)
    console.note("  ↩ rollback d-BACK00000: all on blue")
    if not prefix:
        console.end(record)
    text = capsys.readouterr().out
    assert text.count("rollback d-BACK00000") == 1
    for name in EVENTS if not prefix else EVENTS[:3]:
        assert len([line for line in text.splitlines() if f" {name} " in line]) == 1
    assert ("1 check passed: green" in text) is (not prefix)
    if not prefix:
        assert text.count("2 are unhealthy") == 1


def test_why() -> None:
    """A line for each of several scenarios: the reason; of one that did not end as it should, what it lacks."""
    record = failing()
    assert record.why == "AfterInstall: 2 are unhealthy"
    assert recorded(played("AfterInstall")).why == "production answers from 1.1.0"
    missed = dataclasses.replace(record, expectations=[Expectation("the sky is", "blue", "grey")])
    assert missed.why == "the sky is: expected 'blue', found 'grey'"
    assert missed.as_dict()["why"] == missed.why
