"""The report in the terminal: progress while it runs, and the timeline at the end."""

from __future__ import annotations

import os
import sys
import textwrap
import time

from rehearsal.record import Record, checks_of, message_of
from rehearsal.scenarios import HOOKS

MARKS = {"passed": "✓", "failed": "✗", "error": "!", "skipped": "–", "Succeeded": "✓", "Failed": "✗", "Skipped": "–"}
_COLOURS = {"✓": "32", "✗": "31", "!": "31", "–": "2", "↩": "33"}
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


def say(line: str) -> None:
    """Print a line at once, its leading mark in colour."""
    bare = line.lstrip()
    if bare[:1] in _COLOURS:
        line = line[: len(line) - len(bare)] + paint(bare[0]) + bare[1:]
    print(line, flush=True)


class ApplyProgress:
    """Shows how far Terraform is: one line that changes, or a line every few seconds where that is no terminal."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._shown = 0.0
        self._live = sys.stdout.isatty()

    def __call__(self, line: str) -> None:
        seconds = time.monotonic() - self._began
        if self._live:
            print(f"\r\033[K  {seconds:4.0f} s  {line[:100]}", end="", flush=True)
        elif seconds - self._shown >= 5:
            self._shown = seconds
            print(f"  {seconds:4.0f} s  {line}", flush=True)

    def done(self, line: str) -> None:
        """Show the last line."""
        print(f"{chr(13) + chr(27) + '[K' if self._live else ''}  {line}", flush=True)


def headline(record: Record) -> str:
    """Say in a line how a scenario ended."""
    serving = ", ".join(record.serving)
    timeline = record.timeline
    if timeline.status == "Succeeded":
        return f"Release {record.scenario.release.tag} was let through; production answers from {serving}."
    by = HOOKS.get(timeline.stopped_at or "")
    who = f"{by} at {timeline.stopped_at}" if by and (timeline.error or ("",))[0].startswith("HOOK") else "CodeDeploy"
    where = "" if by else f" at {timeline.stopped_at}"
    return f"Release {record.scenario.release.tag} was stopped by {who}{where}; production answers from {serving}."


def render(record: Record) -> str:
    """Return the timeline as text."""
    timeline = record.timeline
    lines = ["", bold(f"{record.scenario.title} ({record.scenario.name})"), ""]
    for event in timeline.events:
        mark = MARKS.get(event.status, "?")
        seconds = f"{event.seconds:6.1f} s" if event.seconds is not None else "        "
        function = event.hook.function_name if event.hook else ""
        lines.append(f"  {paint(mark)} {event.name:<22} {event.status:<10} {seconds}  {function}".rstrip())
        lines += [f"      {note}" for note in event.notes]
        for check in checks_of(event):
            detail = str(check.get("detail", ""))
            if len(detail) > DETAIL_WIDTH:
                detail = detail[:DETAIL_WIDTH] + " …"
            head = f"      {paint(MARKS.get(str(check.get('outcome')), '?'))} "
            body = f"{check.get('name')}: {detail}"
            lines += textwrap.wrap(body, 112, initial_indent=head, subsequent_indent="          ")
        if event.status == "Failed":
            body = f"reason: {message_of(event) or (timeline.error or ('', ''))[1]}"
            lines += [
                paint("✗", part)
                for part in textwrap.wrap(body[:1200], 112, initial_indent="      ", subsequent_indent="          ")
            ]
    if timeline.error:
        lines += ["", f"  {paint('✗')} deployment {timeline.deployment_id}: {timeline.status}, {timeline.error[0]}"]
    if timeline.rollback_id:
        lines.append(f"  {paint('↩')} rollback {timeline.rollback_id}: {'; '.join(timeline.rollback_notes)}")
    elif timeline.status != "Succeeded":
        lines += [f"  {paint('–')} {note}" for note in timeline.rollback_notes]
    failures = sum(1 for visit in record.visits if visit.status == 0 or visit.status >= 500)
    lines.append(
        f"  customers: {len(record.visits)} requests, {failures} failed; "
        f"database at revision {record.revision}; {record.seconds:.0f} s in all"
    )
    lines += ["", f"  {bold(headline(record))}"]
    if record.as_expected:
        lines.append(f"  {paint('✓')} ended as expected")
    for expectation in record.expectations:
        if not expectation.met:
            lines.append(
                f"  {paint('✗')} {expectation.what}: expected {expectation.expected!r}, found {expectation.found!r}"
            )
    return "\n".join(lines)
