"""The report in the terminal: progress while it runs, and the timeline at the end."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import threading
import time
from typing import Any

from rehearsal.lifecycle import EventRecord
from rehearsal.record import (
    Record,
    check_of_line,
    checks_of,
    hop_of_line,
    hops_of,
    message_of,
    outcome_of,
    shortened,
)
from rehearsal.scenarios import HOOKS, NAMES

MARKS = {
    "passed": "✓", "failed": "✗", "error": "!", "warned": "⚠", "skipped": "○",
    "Succeeded": "✓", "Failed": "✗", "Skipped": "○",
}  # fmt: skip
HOP = "↪"
"""Before what tells that a hook goes on in a fresh invocation."""
_COLOURS = {"✓": "32", "✗": "31", "!": "31", "⚠": "33", "○": "2", "↩": "33"}
WIDTH = 112
"""Columns of the timeline."""
_WIPE = "\r\033[K"
DETAIL_WIDTH = 400
"""Characters of a check's detail that are shown; the HTML report has all of it."""


def coloured() -> bool:
    """Say whether standard output takes colours (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def paint(mark: str, text: str | None = None) -> str:
    """Return a mark, or a text in the mark's colour."""
    shown = mark if text is None else text
    return f"\033[{_COLOURS[mark]}m{shown}\033[0m" if coloured() and mark in _COLOURS else shown


def bold(text: str) -> str:
    """Return a text in bold, where the terminal can."""
    return f"\033[1m{text}\033[0m" if coloured() else text


class Console:
    """Watches one scenario, for a person: a line for each event, and what the checks find.

    A check that passes is shown for a moment only, where the terminal can; the HTML report has them all.

    Args:
        prefix: of each line, where several scenarios are played side by side.
        logs: show every line that functions and containers write.
    """

    def __init__(self, prefix: str = "", *, logs: bool = False) -> None:
        self._prefix = prefix
        self._logs = logs
        self._live = sys.stdout.isatty() and not prefix and not logs
        self._notes = 0
        self._lock = threading.Lock()

    def say(self, line: str) -> None:
        """Print a line, its leading mark in colour."""
        bare = line.lstrip()
        if bare[:1] in _COLOURS:
            line = line[: len(line) - len(bare)] + paint(bare[0]) + bare[1:]
        with self._lock:
            print(f"{_WIPE if self._live else ''}{self._prefix}{line}", flush=True)

    def event(self, record: EventRecord) -> None:
        """Print an event's beginning, its notes as they come, and its end."""
        if record.seconds is None and not record.notes:
            self._notes = 0
            self._glance(f"… {record.name}")
        for note in record.notes[self._notes :]:
            self.say(f"      {note}")
        self._notes = len(record.notes)
        if record.seconds is not None:
            message = message_of(record)
            found = f"  {shortened(message, DETAIL_WIDTH)}" if message else ""
            self.say(f"  {MARKS.get(record.status, '?')} {record.name:<29}{record.seconds:5.1f} s{found}")

    def wrote(self, group: str, stream: str, line: str) -> None:
        """Print what a check found, as its function logs it."""
        if self._logs:
            self.say(f"      {group} {stream.rsplit('/', 1)[-1][:8]}  {line}")
            return
        of_function = group.startswith("/aws/lambda/")
        check = check_of_line(line) if of_function else None
        hop = hop_of_line(line) if of_function else None
        if hop is not None:
            self.say(f"      {HOP} {hop}")
        if check is not None:
            outcome = outcome_of(check)
            found = f"{MARKS.get(outcome, '?')} {check['check']}: {check['detail']}"
            if outcome in ("failed", "error", "warned"):
                self.say(f"      {shortened(found, DETAIL_WIDTH)}")
            else:
                self._glance(f"    {found}")

    def _glance(self, text: str) -> None:
        """Show a text until the next line comes."""
        if self._live:
            width = shutil.get_terminal_size().columns - 4
            with self._lock:
                print(f"{_WIPE}  {text[:width]}", end="", flush=True)


class ApplyProgress:
    """Shows how far Terraform is: one line that changes, or a line every few seconds where that is no terminal."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._shown = 0.0
        self._live = sys.stdout.isatty()

    def __call__(self, line: str) -> None:
        """Take a line of progress."""
        seconds = time.monotonic() - self._began
        if self._live:
            print(f"{_WIPE}  {seconds:4.0f} s  {line[:100]}", end="", flush=True)
        elif seconds - self._shown >= 5:
            self._shown = seconds
            print(f"  {seconds:4.0f} s  {line}", flush=True)

    def done(self, line: str) -> None:
        """Show the last line."""
        print(f"{_WIPE if self._live else ''}  {line}", flush=True)


def headline(record: Record) -> str:
    """Say in a line how a scenario ended."""
    serving = ", ".join(record.serving)
    timeline = record.timeline
    if timeline.status in ("Succeeded", "SUCCESSFUL"):
        return f"Release {record.scenario.release.tag} was let through; production answers from {serving}."
    by = HOOKS.get(timeline.stopped_at or "")
    stopped_by_hook = by and (timeline.error or ("",))[0].startswith("HOOK")
    who = f"{by} at {timeline.stopped_at}" if stopped_by_hook else NAMES[record.scenario.platform]
    where = "" if by else f" at {timeline.stopped_at}"
    return f"Release {record.scenario.release.tag} was stopped by {who}{where}; production answers from {serving}."


def render(record: Record) -> str:
    """Return the timeline as text."""
    lines = ["", bold(f"{record.scenario.title} ({record.scenario.name})"), ""]
    lines += [f"  before it: {prepared}" for prepared in record.prepared]
    for event in record.timeline.events:
        lines += _event_lines(event, record)
    return "\n".join([*lines, *_ending_lines(record)])


def _event_lines(event: EventRecord, record: Record) -> list[str]:
    seconds = f"{event.seconds:6.1f} s" if event.seconds is not None else ""
    function = event.hook.function_name if event.hook else ""
    mark = paint(MARKS.get(event.status, "?"))
    lines = [f"  {mark} {event.name:<29} {event.status:<10} {seconds:>8}  {function}".rstrip()]
    lines += [f"      {note}" for note in event.notes]
    lines += [line for hop in hops_of(event) for line in _wrapped(hop, HOP)]
    lines += _check_lines(checks_of(event))
    if event.status == "Failed":
        reason = message_of(event) or (record.timeline.error or ("", ""))[1]
        lines += [paint("✗", line) for line in _wrapped(f"reason: {reason}", "→")]
    return lines


def _check_lines(checks: list[dict[str, Any]]) -> list[str]:
    """Return a line of those checks that passed, and one for each of the others; the HTML report has them all."""
    names = [str(check.get("name")) for check in checks if outcome_of(check) == "passed"]
    lines = []
    if names:
        count = f"{len(names)} check{'' if len(names) == 1 else 's'} passed"
        named = textwrap.shorten(", ".join(dict.fromkeys(names)), WIDTH - len(count) - 10, placeholder=" …")
        lines.append(f"      {paint('✓')} {count}: {named}")
    for check in checks:
        outcome = outcome_of(check)
        if outcome != "passed":
            lines += _wrapped(f"{check.get('name')}: {check.get('detail', '')}", paint(MARKS.get(outcome, "?")))
    return lines


def _wrapped(text: str, mark: str) -> list[str]:
    return textwrap.wrap(
        shortened(text, DETAIL_WIDTH), WIDTH, initial_indent=f"      {mark} ", subsequent_indent=" " * 10
    )


def _ending_lines(record: Record) -> list[str]:
    timeline = record.timeline
    lines = [""]
    if timeline.error:
        lines.append(f"  {paint('✗')} deployment {timeline.deployment_id}: {timeline.status}, {timeline.error[0]}")
    if timeline.rollback_id:
        lines.append(f"  {paint('↩')} rollback {timeline.rollback_id}: {'; '.join(timeline.rollback_notes)}")
    elif timeline.rollback_notes:
        lines.append(f"  {paint('○')} {'; '.join(timeline.rollback_notes)}")
    lines.append(
        f"  customers: {len(record.visits)} requests, {record.failed_visits} without an answer or with 5xx; "
        f"database at revision {record.revision}; {record.seconds:.0f} s in all"
    )
    lines += ["", f"  {bold(headline(record))}"]
    if record.as_expected:
        lines.append(f"  {paint('✓')} ended as expected")
    for expectation in record.expectations:
        if not expectation.met:
            found = f"{expectation.what}: expected {expectation.expected!r}, found {expectation.found!r}"
            lines.append(f"  {paint('✗')} {found}")
    return lines
