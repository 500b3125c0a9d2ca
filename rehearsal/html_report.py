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
from rehearsal.record import Record, checks_of, message_of
from rehearsal.scenarios import BLUE, HOOKS
from rehearsal.terminal import headline

PURPOSE = {
    "BeforeInstall": "before anything is created",
    "Install": "CodeDeploy creates the green task set",
    "AfterInstall": "green runs, nobody uses it",
    "AllowTestTraffic": "the test listener moves to green",
    "AfterAllowTestTraffic": "green answers on the test listener",
    "BeforeAllowTraffic": "before customers reach green",
    "AllowTraffic": "the production listener moves to green",
    "AfterAllowTraffic": "green serves the customers",
}
_MARKS = {
    "passed": ("✓", "good"), "failed": ("✗", "bad"), "error": ("!", "bad"), "skipped": ("–", "dim"),
    "Succeeded": ("✓", "good"), "Failed": ("✗", "bad"), "Skipped": ("–", "dim"),
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
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(scenario.title)} – deployment rehearsal</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<header>
<p class="over">Blue/green deployment rehearsal · {time.strftime("%Y-%m-%d %H:%M", time.localtime(record.began))}</p>
<h1>{escape(scenario.title)}</h1>
<p class="story">{escape(scenario.story)}</p>
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
<footer>Played by <code>make rehearse SCENARIO={escape(scenario.name)}</code> on one machine: real packages in AWS's
runtime interface client, real processes behind a real proxy, a stand-in for AWS's control plane.</footer>
</main>
</body>
</html>
"""


def _reason(record: Record) -> str:
    stopped = next((e for e in record.timeline.events if e.name == record.timeline.stopped_at), None)
    if stopped is None:
        return ""
    reason = message_of(stopped) if stopped.status == "Failed" else ""
    return f"<p>{escape(_short(reason or (record.timeline.error or ('', ''))[1], 700))}</p>"


def _facts(record: Record) -> str:
    timeline = record.timeline
    errors = sum(1 for visit in record.visits if visit.status == 0 or visit.status >= 500)
    facts = {
        "Deployment": f"{timeline.deployment_id}, {timeline.status}",
        "Release": f"{BLUE} → {record.scenario.release.tag}",
        "Production now": ", ".join(record.serving),
        "Database revision": record.revision,
        "Customers' requests": f"{len(record.visits)}, {errors} without an answer or with 5xx",
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
        body += f'<p class="message">{escape(_short(message_of(event), 1500))}</p>'
        body += _checks(event) + _log(event)
    label = f'<span class="tag">{hook}</span>' if hook else '<span class="tag plain">CodeDeploy</span>'
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
    rows = "".join(_check(check) for check in checks)
    counts = Counter(str(check.get("outcome")) for check in checks)
    summary = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
    opened = " open" if event.status == "Failed" else ""
    return (
        f"<details{opened}><summary>{len(checks)} checks: {escape(summary)}</summary>"
        f'<div class="scroll"><table><thead><tr><th scope="col">Outcome</th><th scope="col">Check</th>'
        f'<th scope="col">What was found</th><th scope="col">Time</th></tr></thead><tbody>{rows}</tbody></table></div></details>'
    )


def _check(check: dict[str, Any]) -> str:
    outcome = str(check.get("outcome"))
    mark, kind = _MARKS.get(outcome, ("?", "dim"))
    severity = str(check.get("severity", "fail"))
    if outcome in ("failed", "error") and severity == "warn":
        outcome, kind = f"{outcome} (warn)", "warn"
    taken = check.get("duration_ms")
    return (
        f'<tr><td class="{kind}"><span aria-hidden="true">{mark}</span> {escape(outcome)}</td>'
        f"<th scope=\"row\">{escape(str(check.get('name')))}</th><td>{escape(_short(str(check.get('detail', '')), 2500))}</td>"
        f"<td class=\"time\">{f'{int(taken)} ms' if isinstance(taken, (int, float)) else ''}</td></tr>"
    )


def _log(event: EventRecord) -> str:
    if event.hook is None or not event.hook.attempts:
        return ""
    parts = []
    for number, attempt in enumerate(event.hook.attempts, 1):
        head = f"# {attempt.function_name}, run {number} of {len(event.hook.attempts)}, {attempt.seconds:.1f} s"
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
    rows = ""
    for expectation in record.expectations:
        mark, kind = ("✓", "good") if expectation.met else ("✗", "bad")
        rows += (
            f'<tr><td class="{kind}"><span aria-hidden="true">{mark}</span> {"met" if expectation.met else "missed"}</td>'
            f'<th scope="row">{escape(expectation.what)}</th><td>{escape(expectation.expected)}</td>'
            f"<td>{escape(_short(expectation.found, 400))}</td></tr>"
        )
    return (
        '<div class="scroll"><table><thead><tr><th scope="col">Result</th><th scope="col">What</th><th scope="col">Expected</th>'
        f'<th scope="col">Found</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + " …"


# The chart of the traffic: requests by release, a bar for each slice of time.

WIDTH, HEIGHT, BARS = 960.0, 150.0, 96


def _traffic(record: Record) -> str:
    visits = sorted(record.visits, key=lambda v: v.at)
    if not visits:
        return "<p>No requests.</p>"
    first, last = visits[0].at, max(visits[-1].at, visits[0].at + 1)
    width = (last - first) / BARS
    slices: list[Counter[str]] = [Counter() for _ in range(BARS)]
    for visit in visits:
        kind = "refused" if visit.status >= 400 or visit.status == 0 else ("blue" if visit.version == BLUE else "green")
        slices[min(int((visit.at - first) / width), BARS - 1)][kind] += 1
    tallest = max(sum(s.values()) for s in slices) or 1
    bars = []
    for number, counts in enumerate(slices):
        y = HEIGHT
        for kind in ("blue", "green", "refused"):
            if counts[kind]:
                height = HEIGHT * counts[kind] / tallest
                y -= height
                x = number * WIDTH / BARS
                bars.append(f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{WIDTH / BARS - 1:.1f}" height="{height:.1f}"/>')
    marks = []
    for event in record.timeline.events:
        if event.began is not None:
            x = max(WIDTH * (event.began - first) / (last - first), 0)
            marks.append(
                f'<g class="event"><line x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{HEIGHT + 6:.0f}"/>'
                f'<text transform="translate({x + 3:.1f} {HEIGHT + 12:.0f}) rotate(32)">{escape(event.name)}</text></g>'
            )
    total = Counter(kind for counts in slices for kind in counts.elements())
    label = f"{total['blue']} answers from {BLUE}, {total['green']} from {record.scenario.release.tag}, {total['refused']} refused"
    return f"""<figure><div class="scroll"><svg viewBox="0 -4 {WIDTH:.0f} {HEIGHT + 96:.0f}" role="img" aria-label="{escape(label)}">
{"".join(bars)}{"".join(marks)}</svg></div>
<figcaption><span class="key blue"></span>{total["blue"]} answers from {BLUE}
<span class="key green"></span>{total["green"]} from {escape(record.scenario.release.tag)}
<span class="key refused"></span>{total["refused"]} refused (4xx, 5xx or none) ·
{len(visits)} requests in {last - first:.0f} s</figcaption></figure>"""


STYLE = """
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1b2430;--dim:#5b6776;--line:#dde2e9;--good:#14733b;
--good-bg:#e5f5eb;--bad:#b3261e;--bad-bg:#fdeceb;--warn:#8a5a00;--blue:#3b6fd4;--green:#2a9d5f;--refused:#d64545}
@media (prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1a2029;--ink:#e6eaf0;--dim:#9aa6b5;--line:#2c3542;
--good:#6bd49a;--good-bg:#15301f;--bad:#ff8f87;--bad-bg:#3a1a18;--warn:#f0b95a;--blue:#6d9bf5;--green:#48c283;--refused:#ff7b72}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1040px;margin:0 auto;padding:2.5rem 1.25rem 4rem}
h1{font-size:1.9rem;line-height:1.2;margin:.1rem 0 .4rem}h2{font-size:1.2rem;margin:2.6rem 0 .8rem}
h3{font-size:1rem;margin:0}h3 small{font-weight:400;color:var(--dim);margin-left:.35rem}
.over,.story,footer{color:var(--dim)}.over{margin:0;font-size:.85rem}.story{margin:0 0 1.2rem;max-width:48rem}
.banner{border-radius:10px;padding:1rem 1.2rem;border-left:6px solid}.banner p{margin:.4rem 0 0;overflow-wrap:anywhere}
.banner.good{background:var(--good-bg);border-color:var(--good)}.banner.bad{background:var(--bad-bg);border-color:var(--bad)}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(210px,1fr));gap:.8rem 1.2rem;margin:1.3rem 0 0}
.facts dt{font-size:.78rem;color:var(--dim)}.facts dd{margin:0;font-weight:600;overflow-wrap:anywhere}
.events{list-style:none;margin:0;padding:0;display:grid;gap:.6rem}
.events>li,.rollback,figure{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:.8rem 1rem;margin:0}
.events>li.bad{border-color:var(--bad)}.events>li.dim{opacity:.75}
.head{display:flex;flex-wrap:wrap;align-items:baseline;gap:.3rem .7rem}.head h3{flex:1 1 18rem}
.mark{font-weight:700;width:1.1rem;text-align:center}.good>.head .mark,td.good{color:var(--good)}
.bad>.head .mark,.bad>.head .status,td.bad{color:var(--bad)}td.warn{color:var(--warn)}td.dim{color:var(--dim)}
.tag{font:.8rem ui-monospace,Menlo,Consolas,monospace;border:1px solid var(--line);border-radius:99px;padding:.05rem .6rem}
.tag.plain{color:var(--dim);border-style:dashed}.status{font-size:.85rem;min-width:5.2rem}
.time{font-variant-numeric:tabular-nums;white-space:nowrap;text-align:right;min-width:3.6rem;font-size:.85rem;color:var(--dim)}
.bar{height:4px;background:var(--line);border-radius:2px;margin:.55rem 0 .2rem;overflow:hidden}
.bar i{display:block;height:100%;background:var(--dim);border-radius:2px}.good>.bar i{background:var(--good)}.bad>.bar i{background:var(--bad)}
.note,.message{margin:.35rem 0 0;overflow-wrap:anywhere;font-size:.93rem}.note{color:var(--dim)}
details{margin-top:.5rem;font-size:.9rem}summary{cursor:pointer;color:var(--dim)}summary:focus-visible{outline:2px solid var(--blue)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;margin:.4rem 0;font-size:.88rem;background:var(--card)}
th,td{text-align:left;vertical-align:top;padding:.38rem .6rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
thead th{color:var(--dim);font-weight:600;font-size:.78rem}tbody th{font-weight:600;min-width:9rem}td:first-child{white-space:nowrap}
pre{overflow:auto;max-height:24rem;background:var(--bg);border:1px solid var(--line);border-radius:8px;padding:.7rem;font-size:.78rem;
white-space:pre-wrap;overflow-wrap:anywhere}
.rollback{margin-top:.6rem;border-left:6px solid var(--blue)}.rollback ul{margin:.3rem 0 0;padding-left:1.2rem;color:var(--dim)}
svg{width:100%;min-width:640px;height:auto;display:block}.blue{fill:var(--blue);background:var(--blue)}
.green{fill:var(--green);background:var(--green)}.refused{fill:var(--refused);background:var(--refused)}
.event line{stroke:var(--dim);stroke-width:1;stroke-dasharray:3 3}.event text{fill:var(--dim);font-size:11px}
figcaption{font-size:.85rem;color:var(--dim)}.key{display:inline-block;width:.8rem;height:.8rem;border-radius:3px;margin:0 .35rem 0 .9rem;vertical-align:-1px}
.key:first-child{margin-left:0}footer{margin-top:3rem;font-size:.85rem;border-top:1px solid var(--line);padding-top:1rem}
@media print{details:not([open])>*{display:block}body{background:#fff}}
"""
