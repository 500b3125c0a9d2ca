"""The tables of the pages are those of the module's files, and the generated pages what their sources write."""

from __future__ import annotations

import importlib
import re

import pytest
from gate.options.hooks import HOOKS
from gate.settings import entries

from tests.module.conftest import ROOT
from tools import docs, options


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_tables_are_up_to_date() -> None:
    """`make docs` would change nothing on any page."""
    tables = docs.tables(_read("variables.tf") + _read("variables_hooks.tf"), _read("outputs.tf"))
    assert docs.render(docs.pages(), tables) == docs.pages()
    text = "\n".join(docs.pages().values())
    begun, ended = (re.findall(rf"^<!-- {end}([\w-]+) -->$", text, re.MULTILINE) for end in ("", "/"))
    assert begun == ended
    assert len(begun) == len(set(begun))
    assert set(tables) < set(begun)


def test_the_page_of_checks_is_up_to_date() -> None:
    """`make docs` would change nothing; and it names every check of every hook."""
    page = _read("docs/checks.md")
    assert docs.checks_page() == page
    for hook in HOOKS:
        section = page.split(f"## {hook}\n")[1].split("\n## ")[0]
        names = importlib.import_module(hook).handler.names
        assert re.findall(r"^\| `(\w+)` ", section, re.MULTILINE) == [named.name for named in names]


def test_what_is_written_from_the_options_is_up_to_date() -> None:
    """`make options` would change nothing, and each line says where it comes from."""
    assert docs.options_page() == _read("docs/options.md")
    for path, text in options.formatted(options.files()).items():
        assert _read(path) == text, path
        assert 'Written by "make options" from lambdas/gate/options/' in text


def test_the_page_of_options_has_each_option_once() -> None:
    """Of each class its own options, in its own section; what it shares with others stands there."""
    page = _read("docs/options.md")
    for kind, title in docs.TITLES.items():
        section = page.split(f"\n## {title}\n")[1].split("\n## ")[0]
        rows = re.findall(r"^\| `(\w+)` ", section, re.MULTILINE)
        bases = [base for base in kind.__mro__[1:] if base in docs.TITLES]
        inherited = {entry.name for base in bases for entry in entries(base)}
        own = [entry.name for entry in entries(kind) if entry.name not in inherited]
        assert [name for name in rows if name not in inherited] == own, title
        assert len(rows) == len(set(rows)), title
        for anchor in re.findall(r"\]\(#([\w-]+)\)", section):
            assert anchor in {docs._anchor(each) for each in docs.TITLES.values()}, anchor


def test_no_variable_and_no_output_is_left_out() -> None:
    """The reader of the files finds every block that Terraform finds."""
    inputs, outputs = (
        docs.read_inputs(_read("variables.tf") + _read("variables_hooks.tf")),
        docs.read_outputs(_read("outputs.tf")),
    )
    assert [each.name for each in inputs] == re.findall(
        r'^variable "(\w+)"', _read("variables.tf") + _read("variables_hooks.tf"), re.MULTILINE
    )
    assert [each.name for each in outputs] == re.findall(r'^output "(\w+)"', _read("outputs.tf"), re.MULTILINE)
    assert all([each.description for each in inputs] + [each.description for each in outputs])


def test_the_seven_inputs_and_five_outputs_are_those_promised() -> None:
    """Names, types and defaults that users of the module rely on; nothing else is required."""
    inputs = docs.read_inputs(_read("variables.tf"))
    assert [(each.name, each.description, each.type, each.default) for each in inputs[:7]] == [
        ("app_name", "Application name", "string", None),
        ("environment", "Deployment environment", "string", None),
        ("aws_region", "AWS region", "string", None),
        ("ecs_cluster_name", "ECS cluster name", "string", None),
        ("ecs_service_name", "ECS service name", "string", None),
        ("log_retention", "CloudWatch log retention in days", "number", "30"),
        ("tags", "Resource tags", "map(string)", "{}"),
    ]
    assert all(each.default is not None for each in inputs[7:])
    assert [(each.name, each.description) for each in docs.read_outputs(_read("outputs.tf"))[:5]] == [
        ("validate_before_install_arn", "ARN of the BeforeInstall Lambda function"),
        ("validate_deployment_arn", "ARN of the AfterInstall Lambda function"),
        ("validate_test_traffic_arn", "ARN of the AfterAllowTestTraffic Lambda function"),
        ("run_migrations_arn", "ARN of the BeforeAllowTraffic Lambda function"),
        ("validate_production_arn", "ARN of the AfterAllowTraffic Lambda function"),
    ]


def test_every_option_is_described_where_its_type_stands() -> None:
    """Each name in an object's type is in its variable's description, as often as it is in the type."""
    text = _read("modules/options/variables.tf")
    for name, block in re.findall(r'^variable "(\w+)" \{\n(.*?)^\}$', text, re.MULTILINE | re.DOTALL):
        kind = re.search(r"^  type = object\(\{\n(.*?)^  \}\)", block, re.MULTILINE | re.DOTALL)
        assert kind, name
        attributes = re.findall(r"^ +(\w+) += ", kind[1], re.MULTILINE)
        described = re.findall(r"^ *- `(\w+)`: ", block, re.MULTILINE)
        assert sorted(attributes) == sorted(described), name


def test_a_table_is_written_between_its_markers_only() -> None:
    """Text around the markers stays; markers that are missing, or on two pages, are an error."""
    pages = {
        "README.md": "a\n<!-- usual-inputs -->\nold\n<!-- /usual-inputs -->\n"
        "b\n<!-- outputs -->\n<!-- /outputs -->\nc\n",
        "docs/inputs.md": "d\n<!-- inputs -->\n<!-- /inputs -->\n",
    }
    variables = "".join(
        f'variable "x{number}" {{\n  description = "An \\"x\\" | y: [p](docs/p.md)"\n  type        = string\n'
        f'  default     = "|"\n}}\n'
        for number in range(8)
    )
    tables = docs.tables(variables, 'output "y" {\n  description = "Y"\n  value       = 1\n}\n')
    written = docs.render(pages, tables)
    assert written["README.md"].startswith("a\n<!-- usual-inputs -->\n| Name |")
    assert (
        '| x6 | An "x" \\| y: [p](docs/p.md) | string | `"|"` | no |\n<!-- /usual-inputs -->\nb\n'
        in written["README.md"]
    )
    assert "| y | Y |\n<!-- /outputs -->\nc\n" in written["README.md"]
    assert '| x7 | An "x" \\| y: [p](p.md) | string | `"|"` | no |\n<!-- /inputs -->\n' in written["docs/inputs.md"]
    with pytest.raises(docs.DocsError, match="<!-- inputs -->"):
        docs.render({"README.md": pages["README.md"]}, tables)
    with pytest.raises(docs.DocsError, match="<!-- outputs -->"):
        docs.render({**pages, "docs/more.md": pages["README.md"].split("b\n")[1]}, tables)
