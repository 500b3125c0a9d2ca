"""Keep the tables of inputs and outputs in README.md and docs/ as the module's files say, and two pages as lambdas/ do.

    python tools/docs.py write     rewrite the tables between their markers, docs/options.md and docs/checks.md
    python tools/docs.py check     fail if they differ

A table stands between `<!-- name -->` and `<!-- /name -->`, on one page: `usual-inputs` (the first seven), `inputs`
(all of them) or `outputs`.

variables.tf, variables_hooks.tf and outputs.tf are read as `terraform fmt` leaves them: a block begins with
`variable "name" {` in the first column and ends with `}` there; its arguments are indented by two spaces.
"""

from __future__ import annotations

import importlib
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_origin

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "lambdas")]

from gate.options import HookOptions, one_off, production, requests  # noqa: E402  # no package of this interpreter's
from gate.options.hooks import HOOKS  # noqa: E402
from gate.settings import Entry, entries, number  # noqa: E402

from tools.options import default_of, inner_of, is_object, is_required, literal, sentences  # noqa: E402

TITLES = {
    HookOptions: "Every hook",
    requests.TrafficOptions: "Both hooks that send requests",
    requests.HttpRequest: "HTTP requests",
    requests.HttpCheck: "HTTP checks",
    requests.Assertion: "Comparisons",
    requests.HeaderAssertion: "Header comparisons",
    requests.Flow: "Flows",
    requests.Step: "Steps",
    requests.Thresholds: "Limits",
    production.TrafficThresholds: "Limits of validate_production",
    production.Baseline: "Baseline",
    production.Metric: "Metrics",
    production.Range: "Bounds",
    requests.Load: "Load",
    one_off.SmokeTest: "Smoke tests",
    one_off.OneOffTask: "One-off tasks",
    **{kind: hook for hook, kind in HOOKS.items()},
}

USUAL = 7
"""The first inputs of variables.tf are those that a stack usually gives."""


class DocsError(Exception):
    """The tables cannot be written; the message says why and the cure."""


@dataclass(frozen=True)
class Input:
    """One variable of the module."""

    name: str
    description: str
    type: str
    default: str | None


@dataclass(frozen=True)
class Output:
    """One output of the module."""

    name: str
    description: str


def _blocks(text: str, kind: str) -> dict[str, str]:
    found = re.findall(rf'^{kind} "(\w+)" \{{\n(.*?)^\}}$', text, re.MULTILINE | re.DOTALL)
    return dict(found)


def _argument(block: str, name: str) -> str | None:
    """Return the first line of an argument's expression as written."""
    match = re.search(rf"^  {name} *= (.*)$", block, re.MULTILINE)
    return match[1].strip() if match else None


def _description(name: str, block: str) -> str:
    if heredoc := re.search(r"^  description = <<-EOT\n(.*?)^  EOT$", block, re.MULTILINE | re.DOTALL):
        return textwrap.dedent(heredoc[1]).rstrip()
    expression = _argument(block, "description")
    if expression is None:
        raise DocsError(f"{name} has no description")
    return re.sub(r"\\(.)", r"\1", expression.strip('"'))


def read_inputs(text: str) -> list[Input]:
    """Return the variables declared in the text of variables.tf, in its order."""
    inputs = []
    for name, block in _blocks(text, "variable").items():
        kind = _argument(block, "type")
        if kind is None:
            raise DocsError(f"variable {name} has no type")
        inputs.append(Input(name, _description(name, block), kind, _argument(block, "default")))
    return inputs


def read_outputs(text: str) -> list[Output]:
    """Return the outputs declared in the text of outputs.tf, in its order."""
    return [Output(name, _description(name, block)) for name, block in _blocks(text, "output").items()]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _split(description: str) -> tuple[str, str]:
    """Split a description at its first list: the prose goes into the table, the list below it."""
    lines = description.splitlines()
    first = next((number for number, line in enumerate(lines) if line.startswith("- ")), len(lines))
    return " ".join(lines[:first]), "\n".join(lines[first:])


def inputs_table(inputs: list[Input]) -> str:
    """Return the table of inputs, followed by the attributes of those that are objects."""
    rows = ["| Name | Description | Type | Default | Required |", "|------|-------------|------|---------|----------|"]
    details = []
    for each in inputs:
        prose, attributes = _split(each.description)
        # An object's attributes do not fit into a cell.
        kind = "object" if each.type.startswith("object(") else each.type
        default = "-" if each.default is None else f"`{each.default}`"
        if attributes:
            prose += f" [Attributes](#{each.name})"
            details.append(f"#### {each.name}\n\n{attributes}")
        rows.append(
            f"| {each.name} | {_cell(prose)} | {kind} | {default} | {'yes' if each.default is None else 'no'} |"
        )
    return "\n\n".join(["\n".join(rows), *details])


def outputs_table(outputs: list[Output]) -> str:
    """Return the table of outputs."""
    rows = ["| Name | Description |", "|------|-------------|"]
    return "\n".join(rows + [f"| {each.name} | {_cell(each.description)} |" for each in outputs])


def tables(variables: str, outputs: str) -> dict[str, str]:
    """Return each table by its marker's name, from the texts of the variables' files and of outputs.tf."""
    inputs = read_inputs(variables)
    return {
        "usual-inputs": inputs_table(inputs[:USUAL]),
        "inputs": inputs_table(inputs).replace("](docs/", "]("),
        "outputs": outputs_table(read_outputs(outputs)),
    }


def render(pages: Mapping[str, str], written: Mapping[str, str]) -> dict[str, str]:
    """Return the pages, by path, with each table written anew between its markers, which one page has."""
    rendered = dict(pages)
    for marker, table in written.items():
        begin, end = f"<!-- {marker} -->", f"<!-- /{marker} -->"
        places = [path for path, text in rendered.items() if begin in text or end in text]
        if len(places) != 1 or rendered[places[0]].count(begin) != 1 or rendered[places[0]].count(end) != 1:
            raise DocsError(f"README.md and docs/ need the markers {begin} and {end}, once each, on one page")
        before, rest = rendered[places[0]].split(begin)
        _, after = rest.split(end)
        rendered[places[0]] = f"{before}{begin}\n{table}\n{end}{after}"
    return rendered


def options_page() -> str:
    """The page of all options: each once, in the section of its class."""
    shown: list[Any] = []
    waiting: list[Any] = [HookOptions, *HOOKS.values()]
    while waiting:
        kind = waiting.pop(0)
        if kind in shown:
            continue
        shown.append(kind)
        inner = [inner_of(e.kind) if get_origin(e.kind) else e.kind for e in entries(kind)]
        waiting += [base for base in kind.__mro__ if _is_told(base)]
        waiting += [each for each in inner if is_object(each)]
    order = [kind for kind in TITLES if kind in shown]
    order += [kind for kind in shown if kind not in order]
    order = [kind for kind in order if kind not in HOOKS.values()]
    text = ["# Options", "", '<!-- Written by "make options" from lambdas/gate/options/. Change it there. -->', ""]
    text += textwrap.wrap(
        "Each hook has one variable, named after its function. What is not given, or null, has its default. A plan "
        "refuses names that do not exist, and values out of bounds. What only reading tells (a regular expression, "
        "rules across options, times that the function does not have) the check `hook_settings` refuses at "
        "BeforeInstall, for all hooks. Names and keys are shown in plans and reports: they are no place for secrets.",
        118,
    )
    for kind in [*HOOKS.values(), *order]:
        text += ["", f"## {_title(kind)}", "", *sentences(kind), "", *_table(kind)]
    return "\n".join(text) + "\n"


def _table(kind: Any) -> Iterator[str]:
    bases = [base for base in kind.__mro__[1:] if _is_told(base)]
    direct = [base for base in bases if not any(base in other.__mro__[1:] for other in bases if other is not base)]
    own = [entry for entry in entries(kind) if _is_own(entry, kind, bases)]
    if direct:
        links = " and ".join(f"[{_title(base)}](#{_anchor(_title(base))})" for base in direct)
        yield f"All of {links}{', and:' if own else '.'}"
        yield ""
    if not own:
        return
    yield "| Option | Type | Default | What it is |"
    yield "|---|---|---|---|"
    for entry in own:
        default = "required" if is_required(entry) else f"`{literal(default_of(entry))}`"
        cells = (f"`{entry.name}`", _takes(entry), default, entry.about.doc)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _is_own(entry: Entry, kind: Any, bases: Iterable[Any]) -> bool:
    """Whether a class says something of an option that those above it do not say."""
    above = [each for base in bases for each in entries(base) if each.name == entry.name]
    return not above or (entry.name in vars(kind).get("__annotations__", {}))


def _takes(entry: Entry) -> str:
    kind, about = entry.kind, entry.about
    inner = inner_of(kind) if get_origin(kind) else kind
    if is_object(inner):
        words = f"[{_title(inner)}](#{_anchor(_title(inner))})"
    elif about.choices:
        words = ", ".join(f'`"{choice}"`' for choice in about.choices)
    elif about.least is not None and about.most is not None:
        words = f"{'whole number' if inner is int else 'number'}, {number(about.least)} to {number(about.most)}"
    else:
        words = {str: "text", bool: "true or false", int: "whole number", float: "number"}[inner]
    return {dict: f"map: {words}", tuple: f"list: {words}"}.get(get_origin(kind), words)


def _title(kind: Any) -> str:
    """A class's heading: that of TITLES, or its own name in words."""
    return TITLES.get(kind) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.__name__).capitalize()


def _is_told(base: Any) -> bool:
    """Whether a class above another has a section of its own: one with an underscore has none."""
    return is_object(base) and not base.__name__.startswith("_")


def _anchor(title: str) -> str:
    return re.sub(r"[^\w-]", "", title.lower().replace(" ", "-"))


def checks_page() -> str:
    """The page of all names that `checks` takes, hook by hook, from the handlers' own words."""
    text = [
        "# Checks",
        "",
        '<!-- Written by "make docs" from the handlers in lambdas/. Change it there. -->',
        "",
        *textwrap.wrap(
            '`checks` of each hook sets the severity of what it finds by these names: `checks = { images = "warn" }`. '
            "`fail` stops the deployment, `warn` is only said, `skip` leaves it out. A name softens what stands below "
            "it: `samples` all samples, `samples:orders` those of one HTTP check, `samples:orders:p99` one figure of "
            "them. A plan refuses names that no check has. A check that lacks a permission is an error that names the "
            "action.",
            118,
        ),
        "",
        *textwrap.wrap(
            "Beside these, each hook reports `event`, `settings`, `deployment` and, where there are any, `overrides`: "
            "whether CodeDeploy's event, the function's options and the deployment are its own, and what the "
            "deployment's description overrides (`[warn blue_targets]`). No setting changes them. For them every role "
            "may `codedeploy:GetDeployment`, `codedeploy:GetDeploymentGroup`, and report by "
            "`codedeploy:PutLifecycleEventHookExecutionStatus`.",
            118,
        ),
    ]
    for hook in HOOKS:
        handler: Any = importlib.import_module(hook).handler
        text += ["", f"## {hook}", ""]
        if handler.calls:
            text += [*textwrap.wrap(f"Most of them need {_actions(set(handler.calls))}.", 118), ""]
        text += ["| Name | Below it | What is expected | Severity | Permissions |", "|---|---|---|---|---|"]
        for named in handler.names:
            below = ", ".join(f"`:{part.replace('{', '<').replace('}', '>')}`" for part in named.parts) or "-"
            permissions = _actions(set(named.calls)) or "-"
            cells = (f"`{named.name}`", below, named.expects, named.severity.value, permissions)
            text.append(f"| {' | '.join(map(_cell, cells))} |")
    return "\n".join(text) + "\n"


def _actions(actions: set[str]) -> str:
    return ", ".join(f"`{action}`" for action in sorted(actions))


def pages() -> dict[str, str]:
    """README.md and the pages of docs/ as they are now, by path."""
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit status."""
    if arguments not in (["write"], ["check"]):
        print(f"usage: python {Path(__file__).name} write|check", file=sys.stderr)
        return 2
    files = ("variables.tf", "variables_hooks.tf", "outputs.tf")
    variables, of_hooks, outputs = ((ROOT / name).read_text(encoding="utf-8") for name in files)
    try:
        wanted = render(pages(), tables(variables + of_hooks, outputs))
        wanted.update({"docs/checks.md": checks_page(), "docs/options.md": options_page()})
    except DocsError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    for path, text in wanted.items():
        place = ROOT / path
        if arguments == ["write"]:
            place.write_text(text, encoding="utf-8")
        elif not place.is_file() or place.read_text(encoding="utf-8") != text:
            print(f'error: {path} differs from what it is written from. Run "make docs".', file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
