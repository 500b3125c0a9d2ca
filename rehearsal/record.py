"""What a rehearsal leaves behind: the data that both reports, in the terminal and in HTML, are made of."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from rehearsal.customers import Visit
from rehearsal.lifecycle import EventRecord, Timeline
from rehearsal.scenarios import BLUE, Scenario

CONTINUED = "CONTINUED"
"""The status that a hook returns when a fresh invocation of it goes on."""


@dataclass(frozen=True)
class Expectation:
    """One thing that was expected of the ending."""

    what: str
    expected: str
    found: str

    @property
    def met(self) -> bool:
        """Say whether it came as expected."""
        return self.expected == self.found


@dataclass(frozen=True)
class Record:
    """One scenario as it was played."""

    scenario: Scenario
    timeline: Timeline
    prepared: list[str]
    """What was changed in the environment before the deployment."""
    expectations: list[Expectation]
    visits: list[Visit]
    serving: list[str]
    """Who answered on the production listener in the end."""
    revision: str
    began: float
    """Epoch seconds."""
    seconds: float
    calls: list[dict[str, Any]] = field(default_factory=list)
    """What the functions asked of IAM by their calls: hook, action, resource, and how often."""
    blue: str = BLUE
    """The release that served before."""
    command: str = ""
    """By which it is played again; empty: by the scenario's name."""
    explained: str = ""
    """What `tools/explain.py` says of the deployment."""

    @property
    def as_expected(self) -> bool:
        """Say whether the scenario ended as it should."""
        return all(expectation.met for expectation in self.expectations)

    @property
    def failed_visits(self) -> int:
        """How many of the customers' requests had no answer, or one with 5xx."""
        return sum(1 for visit in self.visits if visit.status == 0 or visit.status >= 500)

    @property
    def why(self) -> str:
        """Say in a line why it ended as it did; of one that did not end as it should, what it lacks."""
        for expectation in self.expectations:
            if not expectation.met:
                return f"{expectation.what}: expected {expectation.expected!r}, found {expectation.found!r}"
        if not self.timeline.error:
            return f"production answers from {', '.join(self.serving)}"
        events = [event for event in self.timeline.events if event.status == "Failed"]
        said = next((message_of(event) for event in events if message_of(event)), self.timeline.error[1])
        return f"{self.timeline.stopped_at}: {said}"

    def as_dict(self) -> dict[str, Any]:
        """Return the record as JSON has it, without the customers' single visits."""
        return {
            "scenario": self.scenario.name,
            "as_expected": self.as_expected,
            "why": self.why,
            "prepared": self.prepared,
            "status": self.timeline.status,
            "deployment_id": self.timeline.deployment_id,
            "stopped_at": self.timeline.stopped_at,
            "error": self.timeline.error,
            "rollback_id": self.timeline.rollback_id,
            "serving": self.serving,
            "revision": self.revision,
            "seconds": self.seconds,
            "visits": {"requests": len(self.visits), "failed": self.failed_visits},
            "calls": self.calls,
            "explained": self.explained,
            "expectations": [asdict(e) | {"met": e.met} for e in self.expectations],
            "events": [
                {
                    "name": event.name,
                    "status": event.status,
                    "seconds": event.seconds,
                    "notes": event.notes,
                    "hook": event.hook.result if event.hook else None,
                    "hops": hops_of(event),
                    "accepted_reports": event.hook.accepted_reports if event.hook else 0,
                    "errors": [a.error for a in event.hook.attempts if a.error] if event.hook else [],
                }
                for event in self.timeline.events
            ],
        }


def message_of(event: EventRecord) -> str:
    """Return what an event's hook said, in a line; empty for an event without one."""
    if event.hook is None:
        return ""
    if event.hook.result:
        return str(event.hook.result.get("message", ""))
    errors = [attempt.error for attempt in event.hook.attempts if attempt.error]
    return errors[-1] if errors else "the function gave no answer"


def hops_of(event: EventRecord) -> list[str]:
    """Return what an event's hook said each time that it handed over to a fresh invocation of itself."""
    return [str(result.get("message", "")) for result in _results_of(event) if result.get("status") == CONTINUED]


def verdicts_of(event: EventRecord) -> set[str]:
    """Return to what an event's hook came, where it did not hand over: one, however often the event was delivered."""
    return {str(result.get("status")) for result in _results_of(event)} - {CONTINUED}


def _results_of(event: EventRecord) -> list[dict[str, Any]]:
    """Return what each run of an event's hook returned."""
    results = [json.loads(a.result) for a in event.hook.attempts if a.result] if event.hook else []
    return [result for result in results if isinstance(result, dict)]


def checks_of(event: EventRecord) -> list[dict[str, Any]]:
    """Return the checks of an event's hook: name, outcome, severity, detail, …"""
    result = event.hook.result if event.hook else None
    return list((result or {}).get("checks") or [])


def check_of_line(line: str) -> dict[str, str] | None:
    """Return the check that a function's log line tells of; None for other lines."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if isinstance(entry, dict) and {"check", "outcome", "detail"} <= entry.keys():
        return {key: str(entry.get(key)) for key in ("check", "outcome", "severity", "detail")}
    return None


def hop_of_line(line: str) -> str | None:
    """Return what a function's log line tells of a hop to a fresh invocation; None for other lines."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    told = isinstance(entry, dict) and entry.get("status") == CONTINUED
    return str(entry.get("message", "")) if told else None
