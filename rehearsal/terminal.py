"""The report in the terminal: progress while it runs, and the timeline at the end."""

from __future__ import annotations

import shutil
import sys
import textwrap
import threading
import time
from collections.abc import Iterable

from rehearsal.lifecycle import EventRecord
from rehearsal.record import Record, check_of_line, checks_of, hop_of_line, hops_of, message_of
from rehearsal.scenarios import HOOKS, NAMES
from tools.explain import COLOURS, DETAIL, HOP, MARKS, WIDTH, Step, bold, outcome_of, paint, shortened

_WIPE = "\r\033[K"


class Console:
    """Watches one scenario, for a person.

    Of one that is played alone each event is told in full when it has ended, and what goes on until then is shown for a
    moment, where the terminal can. Of several an event is told in a line, and what its checks find as they find it;
    what passes, the HTML report has.

    Args:
        prefix: of each line, where several scenarios are played side by side.
        logs: show every line that functions and containers write.
    """

    def __init__(self, prefix: str = "", *, logs: bool = False) -> None:
        self._prefix = prefix
        self._logs = logs
        self._live = sys.stdout.isatty() and not prefix and not logs
        self._notes = 0
        self._told: list[EventRecord] = []
        self._lock = threading.Lock()

    def say(self, line: str) -> None:
        """Print a line, its leading mark in colour."""
        bare = line.lstrip()
        if bare[:1] in COLOURS:
            line = line[: len(line) - len(bare)] + paint(bare[0]) + bare[1:]
        with self._lock:
            print(f"{_WIPE if self._live else ''}{self._prefix}{line}", flush=True)

    def note(self, line: str) -> None:
        """Print a line, but for a moment only where the end tells it again."""
        if self._prefix:
            self.say(line)
        else:
            self._glance(line)

    def event(self, record: EventRecord) -> None:
        """Print an event's beginning, its notes as they come, and its end."""
        if record.seconds is None and not record.notes:
            self._notes = 0
            self._glance(f"… {record.name}")
        if not self._prefix:
            if record.seconds is not None:
                self._told.append(record)
                self.print(step_of(record).lines())
            return
        for note in record.notes[self._notes :]:
            self.say(f"      {note}")
        self._notes = len(record.notes)
        if record.seconds is not None:
            message = message_of(record)
            found = f"  {shortened(message, DETAIL)}" if message else ""
            self.say(f"  {MARKS.get(record.status, '?')} {record.name:<29}{record.seconds:5.1f} s{found}")

    def end(self, record: Record) -> None:
        """Tell how a scenario that was played alone has ended, with the events that it did not come to."""
        for event in record.timeline.events:
            if not any(event is told for told in self._told):
                self.print(step_of(event).lines())
        self.print(_ending_lines(record))

    def print(self, lines: Iterable[str]) -> None:
        """Print lines as they are."""
        with self._lock:
            print(_WIPE * self._live + "\n".join(lines), flush=True)

    def wrote(self, group: str, stream: str, line: str) -> None:
        """Print what a check found, as its function logs it."""
        if self._logs:
            self.say(f"      {group} {stream.rsplit('/', 1)[-1][:8]}  {line}")
            return
        of_function = group.startswith("/aws/lambda/")
        check = check_of_line(line) if of_function else None
        hop = hop_of_line(line) if of_function else None
        if hop is not None and self._prefix:
            self.say(f"      {HOP} {hop}")
        if check is not None:
            outcome = outcome_of(check)
            found = f"{MARKS.get(outcome, '?')} {check['check']}: {check['detail']}"
            if self._prefix and outcome in ("failed", "error", "warned"):
                self.say(f"      {shortened(found, DETAIL)}")
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


def step_of(event: EventRecord) -> Step:
    """Return an event as it is shown."""
    return Step(
        event.name,
        event.status,
        event.seconds,
        event.hook.function_name if event.hook else "",
        notes=event.notes,
        hops=hops_of(event),
        checks=checks_of(event),
        reason=message_of(event),
    )


def render(record: Record) -> str:
    """Return the whole timeline as text."""
    lines = ["", bold(f"{record.scenario.title} ({record.scenario.name})"), ""]
    lines += [f"  before it: {prepared}" for prepared in record.prepared]
    for event in record.timeline.events:
        lines += step_of(event).lines()
    return "\n".join([*lines, *_ending_lines(record)])


def _ending_lines(record: Record) -> list[str]:
    timeline = record.timeline
    lines = [""]
    if timeline.error:
        why = ": ".join(timeline.error)
        said = f"deployment {timeline.deployment_id}: {timeline.status}, {why}"
        lines += textwrap.wrap(said, WIDTH, initial_indent=f"  {paint('✗')} ", subsequent_indent="    ")
    if timeline.rollback_id:
        lines.append(f"  {paint('↩')} rollback {timeline.rollback_id}: {'; '.join(timeline.rollback_notes)}")
    elif timeline.rollback_notes:
        lines.append(f"  {paint('○')} {'; '.join(timeline.rollback_notes)}")
    lines.append(
        f"  customers: {len(record.visits)} requests, {record.failed_visits} without an answer or with 5xx; "
        f"database at revision {record.revision}; {record.seconds:.0f} s in all"
    )
    lines += ["", f"  {bold(headline(record))}"]
    for expectation in record.expectations:
        if not expectation.met:
            found = f"{expectation.what}: expected {expectation.expected!r}, found {expectation.found!r}"
            lines.append(f"  {paint('✗')} {found}")
    return lines
