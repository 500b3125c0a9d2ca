"""The tables of README.md are those of variables.tf and outputs.tf."""

from __future__ import annotations

import re

import pytest

from tests.module.conftest import ROOT
from tools import docs


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_readme_is_up_to_date() -> None:
    """`make docs` would change nothing."""
    assert docs.render(_read("README.md"), _read("variables.tf"), _read("outputs.tf")) == _read("README.md")


def test_no_variable_and_no_output_is_left_out() -> None:
    """The reader of the files finds every block that Terraform finds."""
    inputs, outputs = docs.read_inputs(_read("variables.tf")), docs.read_outputs(_read("outputs.tf"))
    assert [each.name for each in inputs] == re.findall(r'^variable "(\w+)"', _read("variables.tf"), re.MULTILINE)
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


def test_every_attribute_of_an_option_object_is_described() -> None:
    """Each name in an object's type is in its variable's description, and no other name begins a line there."""
    for name, block in re.findall(r'^variable "(\w+)" \{\n(.*?)^\}$', _read("variables.tf"), re.MULTILINE | re.DOTALL):
        kind = re.search(r"^  type = object\(\{\n(.*?)^  \}\)", block, re.MULTILINE | re.DOTALL)
        if kind is None:
            continue
        attributes = re.findall(r"^ +(\w+) += ", kind[1], re.MULTILINE)
        described = next(each.description for each in docs.read_inputs(_read("variables.tf")) if each.name == name)
        assert attributes
        assert [attribute for attribute in attributes if f"`{attribute}`" not in described] == [], name
        listed = re.findall(r"^ *- ((?:`\w+`(?:, )?)+)", described, re.MULTILINE)
        assert [each for line in listed for each in re.findall(r"`(\w+)`", line) if each not in attributes] == [], name


def test_a_table_is_written_between_its_markers_only() -> None:
    """Text around the markers stays; markers that are missing are an error."""
    readme = "a\n<!-- inputs -->\nold\n<!-- /inputs -->\nb\n<!-- outputs -->\n<!-- /outputs -->\nc\n"
    variables = 'variable "x" {\n  description = "An \\"x\\" | y"\n  type        = string\n  default     = "|"\n}\n'
    written = docs.render(readme, variables, 'output "y" {\n  description = "Y"\n  value       = 1\n}\n')
    assert written.startswith("a\n<!-- inputs -->\n| Name |")
    assert '| x | An "x" \\| y | string | `"|"` | no |\n<!-- /inputs -->\nb\n' in written
    assert "| y | Y |\n<!-- /outputs -->\nc\n" in written
    with pytest.raises(docs.DocsError, match="<!-- inputs -->"):
        docs.render("", variables, "")
