"""Scenarios end as they should, all on one applied environment: one for each hook; all of them are in tests/proof."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.aws.codedeploy import EVENTS, HOOK_EVENTS
from rehearsal.scenarios import find
from tests.rehearsal.rehearsal_runs import Run

NAMES = ["healthy", "missing-task-definition", "crash-loop", "now-and-then", "broken-migration", "alarm"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Play what the module names (`NAMES`); `stopped` are those of them that do not succeed."""
    names = metafunc.module.NAMES
    if "scenario" in metafunc.fixturenames:
        metafunc.parametrize("scenario", names)
    if "stopped" in metafunc.fixturenames:
        metafunc.parametrize("stopped", [name for name in names if find(name).expected.status != "Succeeded"])


def test_each_hook_stops_one_of_them() -> None:
    assert {find(name).expected.stopped_at for name in NAMES} >= set(HOOK_EVENTS)


def test_scenario(rehearsal: Run, scenario: str) -> None:
    """The deployment ends where, how and for the reason that the scenario says."""
    rehearsal.wait()
    record = rehearsal.record(scenario)
    missed = [e for e in record["expectations"] if not e["met"]]
    assert not missed, rehearsal.output
    assert record["as_expected"]


def test_traffic_is_back_on_blue(rehearsal: Run, stopped: str) -> None:
    """After a stop, production answers from the release that served before, and no hook ran any more."""
    rehearsal.wait()
    record = rehearsal.record(stopped)
    assert record["serving"] == ["1.0.0"]
    at = EVENTS.index(record["stopped_at"])
    assert [event["status"] for event in record["events"][at + 1 :]] == ["Skipped"] * (len(EVENTS) - at - 1)
    assert all(event["hook"] is None for event in record["events"][at + 1 :])
    # A rollback deployment only where something had been changed.
    assert bool(record["rollback_id"]) == (record["stopped_at"] != "BeforeInstall")


def test_each_hook_looked_and_reported(rehearsal: Run, scenario: str) -> None:
    """Every hook that ran reported once, returned its checks, and did not die on the way."""
    rehearsal.wait()
    record = rehearsal.record(scenario)
    ran: list[dict[str, Any]] = [e for e in record["events"] if e["name"] in HOOK_EVENTS and e["seconds"] is not None]
    assert ran
    for event in ran:
        assert event["hook"] is not None, f"{event['name']}: {event['errors']}"
        assert not event["errors"]
        assert event["hook"]["checks"]
        assert event["accepted_reports"] == 1
        assert event["hook"]["status"] == ("SUCCEEDED" if event["status"] == "Succeeded" else "FAILED")


def test_report(rehearsal: Run, scenario: str) -> None:
    """The HTML report stands alone, and says how it ended, why and where the traffic is."""
    rehearsal.wait()
    record = rehearsal.record(scenario)
    page = (rehearsal.report / f"{scenario}.html").read_text(encoding="utf-8")
    for outside in ("src=", "href=", "@import", "url("):
        assert outside not in page
    assert find(scenario).title.replace("'", "&#x27;") in page
    assert f"production answers from {', '.join(record['serving'])}" in page
    for event in EVENTS:
        assert event in page
    if record["rollback_id"]:
        assert record["rollback_id"] in page


def test_no_customer_went_without_an_answer(rehearsal: Run) -> None:
    """A healthy release costs no customer a request."""
    rehearsal.wait()
    visits = rehearsal.record("healthy")["visits"]
    assert visits["requests"] > 100
    assert visits["failed"] == 0


def test_a_second_plan_is_empty(rehearsal: Run) -> None:
    """Terraform finds nothing to change in what it has just applied."""
    rehearsal.wait()
    assert "resources applied in" in rehearsal.output
    assert "and a second plan is empty" in rehearsal.output
