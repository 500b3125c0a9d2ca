"""The report as one HTML file, without anything from elsewhere: to be read by a colleague who was not there."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from html import escape
from pathlib import Path
from typing import Any

from rehearsal.lifecycle import EventRecord
from rehearsal.record import Record, checks_of, hops_of, message_of
from rehearsal.scenarios import HOOKS, NAMES
from rehearsal.terminal import headline
from tools.explain import HOP, outcome_of, shortened

STYLE = Path(__file__).with_name("report.css")

PURPOSE = {
    "BeforeInstall": "before anything is created",
    "Install": "CodeDeploy creates the green task set",
    "AfterInstall": "green runs, nobody uses it",
    "AllowTestTraffic": "the test listener moves to green",
    "AfterAllowTestTraffic": "green answers on the test listener",
    "BeforeAllowTraffic": "before customers reach green",
    "AllowTraffic": "the production listener moves to green",
    "AfterAllowTraffic": "green serves the customers",
    "PRE_SCALE_UP": "before anything is created",
    "SCALE_UP": "ECS starts green's tasks",
    "POST_SCALE_UP": "green runs, nobody uses it",
    "TEST_TRAFFIC_SHIFT": "the test rule moves to green",
    "POST_TEST_TRAFFIC_SHIFT": "green answers testers",
    "PRE_PRODUCTION_TRAFFIC_SHIFT": "before customers reach green, or more of them",
    "PRODUCTION_TRAFFIC_SHIFT": "the production rule moves to green",
    "POST_PRODUCTION_TRAFFIC_SHIFT": "green serves the customers",
    "BAKE_TIME": "blue is kept",
    "CLEAN_UP": "blue ends",
}
_MARKS = {
    "passed": ("✓", "good"), "failed": ("✗", "bad"), "error": ("!", "bad"), "warned": ("⚠", "warn"),
    "skipped": ("○", "dim"),
    "Succeeded": ("✓", "good"), "Failed": ("✗", "bad"), "Skipped": ("○", "dim"),
}  # fmt: skip


def write(record: Record, path: Path) -> None:
    """Write the report of a record; whoever reads the file meanwhile sees the old one or the new one."""
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    unfinished.write_text(page(record), encoding="utf-8")
    unfinished.replace(path)


def page(record: Record) -> str:
    """Return the report of a record."""
    scenario, timeline = record.scenario, record.timeline
    good = timeline.status == "Succeeded"
    command = record.command or f"make rehearse SCENARIO={scenario.name}"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(scenario.title)} · deployment rehearsal</title>
<style>
{STYLE.read_text(encoding="utf-8")}</style>
</head>
<body>
<main>
<header>
<p class="over">Blue/green deployment rehearsal · {time.strftime("%Y-%m-%d %H:%M", time.localtime(record.began))}</p>
<h1>{escape(scenario.title)}</h1>
<p class="story">{escape(scenario.story)}</p>{_prepared(record)}
<div class="banner {"good" if good else "bad"}" role="status">
<strong>{escape(headline(record))}</strong>
{_reason(record)}
</div>
{_facts(record)}
</header>
<section aria-labelledby="traffic"><h2 id="traffic">What customers saw</h2>{_traffic(record)}</section>
<section aria-labelledby="events"><h2 id="events">The eight lifecycle events</h2>
<ol class="events">{"".join(_event(event, record) for event in timeline.events)}</ol>{_rollback(record)}</section>
<section aria-labelledby="expected"><h2 id="expected">Expected and found</h2>{_expectations(record)}</section>
<footer>Played by <code>{escape(command)}</code> on one machine: real packages in AWS's
runtime interface client, real processes behind a real proxy, a stand-in for AWS's control plane.</footer>
</main>
</body>
</html>
"""


def _prepared(record: Record) -> str:
    """Return what was changed before the deployment; nothing in most scenarios."""
    return "".join(f'<p class="story">Before it: {escape(prepared)}.</p>' for prepared in record.prepared)


def _reason(record: Record) -> str:
    stopped = next((e for e in record.timeline.events if e.name == record.timeline.stopped_at), None)
    if stopped is None:
        return ""
    reason = message_of(stopped) if stopped.status == "Failed" else ""
    return f"<p>{escape(shortened(reason or (record.timeline.error or ('', ''))[1], 700))}</p>"


def _facts(record: Record) -> str:
    timeline = record.timeline
    facts = {
        "Deployment": f"{timeline.deployment_id}, {timeline.status}",
        "Release": f"{record.blue} → {record.scenario.release.tag}",
        "Production now": ", ".join(record.serving),
        "Database revision": record.revision,
        "Customers' requests": f"{len(record.visits)}, {record.failed_visits} without an answer or with 5xx",
    }
    if timeline.error:
        facts["Error code"] = timeline.error[0]
    if timeline.rollback_id:
        facts["Rolled back by"] = timeline.rollback_id
    facts["Duration"] = f"{record.seconds:.0f} s"
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts.items())
    return f'<dl class="facts">{items}</dl>'


def _event(event: EventRecord, record: Record) -> str:
    mark, kind = _MARKS.get(event.status, ("?", "dim"))
    seconds = f"{event.seconds:.1f} s" if event.seconds is not None else ""
    hook = HOOKS.get(event.name)
    title = f"{escape(event.name)} <small>{escape(PURPOSE[event.name])}</small>"
    body = "".join(f'<p class="note">{escape(note)}</p>' for note in event.notes)
    if event.hook is not None:
        body += f'<p class="message">{escape(shortened(message_of(event), 1500))}</p>'
        body += "".join(f'<p class="note">{HOP} {escape(hop)}</p>' for hop in hops_of(event))
        body += _checks(event) + _log(event)
    platform = NAMES[record.scenario.platform]
    label = f'<span class="tag">{hook}</span>' if hook else f'<span class="tag plain">{platform}</span>'
    return f"""<li class="{kind}"><div class="head"><span class="mark" aria-hidden="true">{mark}</span>
<h3>{title}</h3>{label}<span class="status">{escape(event.status)}</span><span class="time">{seconds}</span></div>
{_bar(event, record)}{body}</li>"""


def _bar(event: EventRecord, record: Record) -> str:
    begun = [e for e in record.timeline.events if e.began is not None]
    if event.began is None or event.seconds is None or not begun:
        return ""
    first = begun[0].began or 0.0
    total = max((e.began or 0.0) + (e.seconds or 0.0) for e in begun) - first or 1.0
    left, width = 100 * (event.began - first) / total, max(100 * event.seconds / total, 0.4)
    return f'<div class="bar" aria-hidden="true"><i style="margin-left:{left:.2f}%;width:{width:.2f}%"></i></div>'


def _checks(event: EventRecord) -> str:
    checks = checks_of(event)
    if not checks:
        return ""
    counts = Counter(outcome_of(check) for check in checks)
    summary = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
    # What is wrong comes first: a hook may have dozens of checks.
    ordered = sorted(checks, key=lambda check: outcome_of(check) not in ("failed", "error", "warned"))
    table = _table(("Outcome", "Check", "What was found", "Time"), [_check(check) for check in ordered])
    opened = " open" if event.status == "Failed" else ""
    return f"<details{opened}><summary>{len(checks)} checks: {escape(summary)}</summary>{table}</details>"


def _check(check: dict[str, Any]) -> str:
    outcome = outcome_of(check)
    mark, kind = _MARKS.get(outcome, ("?", "dim"))
    detail = shortened(str(check.get("detail", "")), 2500)
    taken = check.get("duration_ms")
    time_taken = f"{taken:.0f} ms" if isinstance(taken, (int, float)) else ""
    return _row(mark, kind, outcome, str(check.get("name")), detail, time_taken)


def _row(mark: str, kind: str, outcome: str, name: str, *cells: str) -> str:
    first = f'<td class="{kind}"><span aria-hidden="true">{mark}</span> {escape(outcome)}</td>'
    rest = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr>{first}<th scope="row">{escape(name)}</th>{rest}</tr>'


def _table(heads: tuple[str, ...], rows: list[str]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _log(event: EventRecord) -> str:
    if event.hook is None or not event.hook.attempts:
        return ""
    parts = []
    for number, attempt in enumerate(event.hook.attempts, 1):
        run = f"run {number} of {len(event.hook.attempts)}, request {attempt.request_id}"
        head = f"# {attempt.function_name}, {run}, {attempt.seconds:.1f} s"
        parts.append("\n".join([head, *(_pretty(line) for line in attempt.log)]))
    return f"<details><summary>Log of the function</summary><pre>{escape(chr(10).join(parts))}</pre></details>"


def _pretty(line: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    if not isinstance(entry, dict):
        return line
    return f"{entry.get('timestamp', '')} {entry.get('level', '')} {entry.get('message', line)}"


def _rollback(record: Record) -> str:
    timeline = record.timeline
    if timeline.status == "Succeeded":
        return ""
    notes = "".join(f"<li>{escape(note)}</li>" for note in timeline.rollback_notes)
    title = f"Rollback {timeline.rollback_id}" if timeline.rollback_id else "No rollback deployment"
    return f'<div class="rollback"><h3>↩ {escape(title)}</h3><ul>{notes}</ul></div>'


def _expectations(record: Record) -> str:
    rows = []
    for expectation in record.expectations:
        mark, kind, result = ("✓", "good", "met") if expectation.met else ("✗", "bad", "missed")
        found = shortened(expectation.found, 400)
        rows.append(_row(mark, kind, result, expectation.what, expectation.expected, found))
    return _table(("Result", "What", "Expected", "Found"), rows)


# The chart of the traffic: requests by release, a bar for each slice of time.

WIDTH, HEIGHT, BARS = 960.0, 150.0, 96
LABEL_ROOM = 22.0
"""How far apart two events are for both to be labelled."""


def _traffic(record: Record) -> str:
    visits = sorted(record.visits, key=lambda v: v.at)
    if not visits:
        return "<p>No requests.</p>"
    first, last = visits[0].at, max(visits[-1].at, visits[0].at + 1)
    width = (last - first) / BARS
    slices: list[Counter[str]] = [Counter() for _ in range(BARS)]
    for visit in visits:
        served_by = "blue" if visit.version == record.blue else "green"
        kind = "refused" if visit.status >= 400 or visit.status == 0 else served_by
        slices[min(int((visit.at - first) / width), BARS - 1)][kind] += 1
    tallest = max(sum(s.values()) for s in slices) or 1
    bars = []
    for number, counts in enumerate(slices):
        x, y = number * WIDTH / BARS, HEIGHT
        for kind in ("blue", "green", "refused"):
            if counts[kind]:
                height = HEIGHT * counts[kind] / tallest
                y -= height
                place = f'x="{x:.1f}" y="{y:.1f}" width="{WIDTH / BARS - 1:.1f}" height="{height:.1f}"'
                bars.append(f'<rect class="{kind}" {place}/>')
    marks = []
    labelled = -LABEL_ROOM
    for event in record.timeline.events:
        if event.began is not None:
            x = max(WIDTH * (event.began - first) / (last - first), 0)
            label = ""
            if x >= labelled + LABEL_ROOM:
                place = f"translate({x + 3:.1f} {HEIGHT + 12:.0f}) rotate(32)"
                label, labelled = f'<text transform="{place}">{escape(event.name)}</text>', x
            line = f'<line x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{HEIGHT + 6:.0f}"/>'
            marks.append(f'<g class="event">{line}{label}</g>')
    total = Counter(kind for counts in slices for kind in counts.elements())
    tag = record.scenario.release.tag
    label = f"{total['blue']} answers from {record.blue}, {total['green']} from {tag}, {total['refused']} refused"
    return f"""<figure><div class="scroll">
<svg viewBox="0 -4 {WIDTH:.0f} {HEIGHT + 96:.0f}" role="img" aria-label="{escape(label)}">
{"".join(bars)}{"".join(marks)}</svg></div>
<figcaption><span class="key blue"></span>{total["blue"]} answers from {record.blue}
<span class="key green"></span>{total["green"]} from {escape(tag)}
<span class="key refused"></span>{total["refused"]} refused (4xx, 5xx or none) ·
{len(visits)} requests in {last - first:.0f} s</figcaption></figure>"""
