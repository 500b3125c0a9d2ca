"""What comes out of a stack's rehearsal: in the terminal, as JSON, and as a page."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from rehearsal.html_report import STYLE
from rehearsal.stacks.cases import CASES, FAILURES, HEALTHY
from rehearsal.stacks.services import Service
from tools.explain import bold, paint

NAMES = {"codedeploy": "CodeDeploy", "ecs": "ECS"}
NOTHING = "nothing"


@dataclass
class ServiceReport:
    """What came out of one service: `cases` as saved by `play.Played`, by name."""

    service: Service
    cases: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def passes(self) -> bool:
        """Whether a healthy release is let through, and every call of the hooks was allowed."""
        healthy = self.cases.get(HEALTHY.name)
        return bool(healthy) and healthy is not None and healthy["stopped_by"] == NOTHING and not self.denied

    @property
    def denied(self) -> list[str]:
        """What was asked for by hooks and deployers, and is not allowed."""
        healthy = self.cases.get(HEALTHY.name) or {}
        asked = [f"{c['hook']}: {c['action']} on {c['resource']}" for c in healthy.get("calls", []) if c.get("denied")]
        roles = [str(_judged(each)) for each in healthy.get("service_roles", []) if not each["allowed"]]
        return list(dict.fromkeys([*asked, *roles]))

    def wrong(self) -> Iterator[str]:
        """What is wrong with the stack, each with its cure: the words of the checks that failed."""
        healthy = self.cases.get(HEALTHY.name)
        if healthy is None:
            yield from self.service.notes or ["its deployment could not be played: see above"]
            return
        for event in healthy["events"]:
            for check in (event["hook"] or {}).get("checks", []):
                if check["outcome"] in ("failed", "error") and check.get("severity") != "warn":
                    yield f"{check['name']}: {check['detail']}"
        yield from self.denied
        if healthy["stopped_by"] == "platform":
            yield f"{healthy['stopped_at']}: {': '.join(healthy['error'] or [])}"

    def warned(self) -> Iterator[str]:
        """What the hooks warned of in the healthy deployment."""
        for event in (self.cases.get(HEALTHY.name) or {"events": []})["events"]:
            for check in (event["hook"] or {}).get("checks", []):
                if check["outcome"] in ("failed", "error") and check.get("severity") == "warn":
                    yield f"{check['name']}: {check['detail']}"

    def table(self) -> list[tuple[str, str, str]]:
        """Each failure that was played, who stops it, and what it says."""
        rows = []
        for case in FAILURES:
            played = self.cases.get(case.name)
            if played:
                rows.append((case.title, str(played["stopped_by"]), _why(case.name, played, self.service)))
        return rows

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "service": self.service.name,
            "cluster": self.service.outputs["cluster_name"],
            "platform": self.service.platform,
            "outcome": "passes" if self.passes else "stopped",
            "wrong": list(self.wrong()),
            "warned": list(self.warned()),
            "notes": list(self.service.notes),
            "scenarios": {name: case["stopped_by"] for name, case in self.cases.items() if name != HEALTHY.name},
            "cases": self.cases,
        }


@dataclass
class StackReport:
    """What came out of a stack."""

    root: str
    resources: int
    seconds: float
    left_out: Sequence[str]
    types_left_out: Sequence[str]
    referred: Sequence[str]
    notes: Sequence[str]
    services: list[ServiceReport]

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "root": self.root,
            "resources": self.resources,
            "seconds": self.seconds,
            "left_out": list(self.left_out),
            "types_left_out": list(self.types_left_out),
            "referred": list(self.referred),
            "notes": list(self.notes),
            "services": [service.as_dict() for service in self.services],
        }


def verdict(report: ServiceReport) -> list[str]:
    """The first lines: whether this stack passes, what is wrong with it, and the cure."""
    name, healthy = report.service.name, report.cases.get(HEALTHY.name)
    if report.passes:
        lines = [f"{paint('✓')} {bold(name)}: a healthy release passes all hooks ({NAMES[report.service.platform]})"]
        return lines + _paragraphs(report.warned(), "⚠")
    where = f" at {healthy['stopped_at']}" if healthy and healthy.get("stopped_at") else ""
    who = healthy["stopped_by"] if healthy else ""
    by = f" by {who}{where}" if who not in ("", NOTHING) else ""
    lines = [f"{paint('✗')} {bold(name)}: a healthy release is stopped{by}. What is wrong, and the cure:"]
    if not by:
        lines = [f"{paint('✗')} {bold(name)}: something is wrong:"]
    return lines + _paragraphs(dict.fromkeys(report.wrong()), "✗")


def _paragraphs(said: Any, mark: str) -> list[str]:
    width = min(shutil.get_terminal_size((120, 24)).columns, 120)
    return [
        textwrap.fill(each, width, initial_indent=f"    {paint(mark)} ", subsequent_indent="      ") for each in said
    ]


def render(report: StackReport) -> str:
    """Return the whole report as text."""
    first = [line for service in report.services for line in verdict(service)]
    return "\n".join(["", *first, rest(report)])


def rest(report: StackReport) -> str:
    """Return what comes after the first lines."""
    lines: list[str] = []
    for service in report.services:
        lines += ["", *_rest(service)]
    if report.left_out or report.referred or report.notes:
        lines += ["", bold("Of the stack")]
        lines += _paragraphs(report.left_out, "○")
        if report.referred:
            lines += _paragraphs([f"made by somebody else, and put there: {'; '.join(report.referred)}"], "·")
        lines += _paragraphs(dict.fromkeys(report.notes), "·")
    return "\n".join(lines)


def _rest(report: ServiceReport) -> Iterator[str]:
    yield bold(f"{report.service.name}: which hook stops what, with these options")
    rows = report.table()
    if not rows:
        yield "    not played" + ("" if report.passes else ": no release gets that far")
    for title, who, why in rows:
        said = bold("NOTHING") if who == NOTHING else who
        short = textwrap.shorten(why, 90, placeholder=" …")
        yield f"  {paint('✗' if who == NOTHING else '✓')} {title:<40} {said:<24} {short}".rstrip()
    calls = (report.cases.get(HEALTHY.name) or {}).get("calls", [])
    roles = (report.cases.get(HEALTHY.name) or {}).get("service_roles", [])
    if calls or roles:
        denied = len(report.denied)
        yield (
            f"  permissions: {len(calls)} that the hooks asked for and {len(roles)} of the roles that deploy, "
            f"{f'{denied} NOT allowed' if denied else 'all allowed'} (each is in the report)"
        )
    yield from _paragraphs(report.service.notes, "·")


def _why(name: str, played: Mapping[str, Any], service: Service) -> str:
    if played["stopped_by"] == NOTHING:
        why = _UNSEEN.get(name)
        return why(service) if why else ""
    return str(played["why"])


_UNSEEN: Mapping[str, Callable[[Service], str]] = {
    "failing-migration": lambda service: (
        "run_migrations has no command: nothing was migrated"
        if not (service.settings.get("run_migrations") or {}).get("command")
        and not (service.settings.get("run_migrations") or {}).get("preset")
        else ""
    ),
    "alarm": lambda service: (
        f"nobody looks at {service.alarm}: alarm_configuration, or validate_production.alarms"
        if service.alarm
        else "the stack has no alarm on a metric"
    ),
    "slow": lambda _service: "no limit of latencies: thresholds = { p95_ms = … }",
    "wrong-version": lambda _service: (
        'no check looks at the version: jmespath = { version = { equals = "{image_tag}" } }'
    ),
}


def _judged(each: Mapping[str, Any]) -> str:
    limited = "its permissions boundary does not allow" if each["by_boundary"] else "the role may not"
    return f"{each['role']}: {limited} {each['action']} on {each['resource']}"


def page(report: StackReport) -> str:
    """Return the report as a page; the pages of the deployments lie beside it."""
    body = "".join(_section(service) for service in report.services)
    beside = [*report.left_out, *(f"made by somebody else, and put there: {each}" for each in report.referred)]
    beside += list(dict.fromkeys(report.notes))
    rest = "".join(f"<li>{escape(each)}</li>" for each in beside)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(report.root)} · stack rehearsal</title>
<style>
{STYLE.read_text(encoding="utf-8")}</style></head>
<body><main><header><p class="over">Rehearsal of a stack</p><h1>{escape(report.root)}</h1>
<p class="story">{report.resources} resources, {report.seconds:.0f} s in all</p></header>
{body}
<section><h2>Of the stack</h2><ul>{rest or "<li>nothing was left out</li>"}</ul></section>
</main></body></html>
"""


def _section(report: ServiceReport) -> str:
    name = escape(report.service.name)
    good = report.passes
    wrong = "".join(
        f"<li>{escape(each)}</li>" for each in dict.fromkeys(report.wrong() if not good else report.warned())
    )
    said = "a healthy release passes all hooks" if good else "something is wrong"
    rows = "".join(
        f'<tr><td class="{"bad" if who == NOTHING else "good"}">{escape(who)}</td>'
        f'<th scope="row"><a href="{name}-{case}.html">{escape(title)}</a></th><td>{escape(why)}</td></tr>'
        for (title, who, why), case in zip(
            report.table(), [case.name for case in FAILURES if case.name in report.cases], strict=True
        )
    )
    healthy = report.cases.get(HEALTHY.name) or {}
    asked = [(c["hook"], c["action"], c["resource"], not c.get("denied")) for c in healthy.get("calls", [])]
    asked += [(r["role"], r["action"], r["resource"], r["allowed"]) for r in healthy.get("service_roles", [])]
    permissions = "".join(
        f'<tr><td class="{"good" if had else "bad"}">{"had" if had else "not allowed"}</td>'
        f'<th scope="row">{escape(who)}</th><td>{escape(action)}</td><td>{escape(resource)}</td></tr>'
        for who, action, resource, had in asked
    )
    link = f'<p><a href="{name}-{HEALTHY.name}.html">{escape(CASES[HEALTHY.name].title)}</a></p>' if healthy else ""
    return f"""<section><h2>{name}</h2>
<div class="banner {"good" if good else "bad"}" role="status"><strong>{escape(said)}</strong>
<ul>{wrong}</ul></div>{link}
<h3>Which hook stops what, with these options</h3>
<div class="scroll"><table><thead><tr><th>Stopped by</th><th>What goes wrong</th><th>Why</th></tr></thead>
<tbody>{rows}</tbody></table></div>
<details><summary>{len(asked)} permissions: needed, and had</summary><div class="scroll"><table><tbody>{permissions}
</tbody></table></div></details></section>"""
