"""Every scenario ends as it should; all of them are played on one applied environment."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import Any

import pytest

from rehearsal.aws.codedeploy import EVENTS, HOOK_EVENTS
from rehearsal.scenarios import SCENARIOS, find
from tests.rehearsal.rehearsal_runs import Run

NAMES = [scenario.name for scenario in SCENARIOS]
STOPPED = [scenario.name for scenario in SCENARIOS if scenario.expected.status != "Succeeded"]


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that these have started."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = [tuple(map(int, line.split())) for line in listed.splitlines()]
    found, young = [], [pid]
    while young:
        young = [child for child, parent in parents if parent in young]
        found += young
    return found


def alive(pids: list[int]) -> list[str]:
    """Return the command lines of those processes that still run; a zombie does not."""
    listed = subprocess.run(["ps", "-eo", "pid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    return [" ".join(row) for row in rows if int(row[0]) in pids and not row[1].startswith("Z")]


def ended_of_themselves(pids: list[int]) -> list[str]:
    """Wait until the processes are gone; return those that are not after a generous while."""
    deadline = time.monotonic() + 30
    while (left := alive(pids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def test_a_killed_rehearsal_leaves_no_process(rehearsal: Run, beside: Run, doomed: Run) -> None:
    """SIGKILL while its containers and a function run: every process it started ends by itself."""
    # The fixtures start all three at once: the others go on beside this one.
    assert rehearsal.process.poll() is None
    assert beside.process.poll() is None
    doomed.wait_for("tasks run")
    # The process that plays, and blue's and green's two containers, each with its leash: the last may be starting.
    deadline = time.monotonic() + 30
    while len(started := descendants(doomed.process.pid)) < 9 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(started) >= 9, f"expected containers and their leashes, found {alive(started)}"
    os.kill(doomed.process.pid, signal.SIGKILL)
    assert ended_of_themselves(started) == []


def test_two_rehearsals_side_by_side(beside: Run) -> None:
    """A second one, started while the first runs, ends as it should too."""
    assert beside.wait() == 0, beside.output
    assert beside.record("missing-task-definition")["as_expected"]


@pytest.mark.parametrize("scenario", NAMES)
def test_scenario(rehearsal: Run, scenario: str) -> None:
    """The deployment ends where, how and for the reason that the scenario says."""
    rehearsal.wait()
    record = rehearsal.record(scenario)
    missed = [e for e in record["expectations"] if not e["met"]]
    assert not missed, rehearsal.output
    assert record["as_expected"]


@pytest.mark.parametrize("scenario", STOPPED)
def test_traffic_is_back_on_blue(rehearsal: Run, scenario: str) -> None:
    """After a stop, production answers from the release that served before, and no hook ran any more."""
    rehearsal.wait()
    record = rehearsal.record(scenario)
    assert record["serving"] == ["1.0.0"]
    at = EVENTS.index(record["stopped_at"])
    assert [event["status"] for event in record["events"][at + 1 :]] == ["Skipped"] * (len(EVENTS) - at - 1)
    assert all(event["hook"] is None for event in record["events"][at + 1 :])
    # A rollback deployment only where something had been changed.
    assert bool(record["rollback_id"]) == (record["stopped_at"] != "BeforeInstall")


@pytest.mark.parametrize("scenario", NAMES)
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


@pytest.mark.parametrize("scenario", NAMES)
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
