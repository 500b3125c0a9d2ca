"""Keep the tables of inputs and outputs in README.md as variables.tf and outputs.tf say.

    python tools/docs.py write     rewrite the tables between their markers
    python tools/docs.py check     fail if they differ

The two files are read as `terraform fmt` leaves them: a block begins with `variable "name" {` in the first column and
ends with `}` there; its arguments are indented by two spaces.
"""

from __future__ import annotations

import re
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


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


def render(readme: str, variables: str, outputs: str) -> str:
    """Return the text of README.md with both tables written anew between their markers."""
    tables = {"inputs": inputs_table(read_inputs(variables)), "outputs": outputs_table(read_outputs(outputs))}
    for marker, table in tables.items():
        begin, end = f"<!-- {marker} -->", f"<!-- /{marker} -->"
        if readme.count(begin) != 1 or readme.count(end) != 1:
            raise DocsError(f"README.md needs the markers {begin} and {end}, once each")
        before, rest = readme.split(begin)
        _, after = rest.split(end)
        readme = f"{before}{begin}\n{table}\n{end}{after}"
    return readme


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit status."""
    if arguments not in (["write"], ["check"]):
        print(f"usage: python {Path(__file__).name} write|check", file=sys.stderr)
        return 2
    readme = ROOT / "README.md"
    found = readme.read_text(encoding="utf-8")
    try:
        wanted = render(found, *((ROOT / name).read_text(encoding="utf-8") for name in ("variables.tf", "outputs.tf")))
    except DocsError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    if arguments == ["write"]:
        readme.write_text(wanted, encoding="utf-8")
    elif wanted != found:
        print(
            'error: the tables of README.md differ from variables.tf and outputs.tf. Run "make docs".', file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
