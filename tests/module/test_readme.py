"""The README as its readers use it, and two pages: their commands exist, their HCL can be planned.

What they say of handlers of one's own is tried in tests/unit/handlers/test_custom_hooks.py.
"""

from __future__ import annotations

import re
import shlex
import textwrap
from pathlib import Path

from botocore.session import get_session

from rehearsal.scenarios import find
from tests.module.conftest import ROOT, Terraform, copy_module
from tests.module.test_usage import AROUND_USAGE, ECS, USAGE

# Of the deployment group that shows its two listeners, and around these.
LEFT_OUT = """\
  app_name              = "app"
  deployment_group_name = "app"
  service_role_arn      = "arn:aws:iam::111122223333:role/codedeploy"
"""
AROUND_LISTENER = """\
resource "aws_lb" "this" {
  subnets = ["subnet-0a", "subnet-0b"]
}
resource "aws_lb_target_group" "blue" {
  vpc_id   = "vpc-0a"
  protocol = "HTTP"
  port     = 8000
}
resource "aws_lb_target_group" "green" {
  vpc_id   = "vpc-0a"
  protocol = "HTTP"
  port     = 8000
}
resource "aws_lb_listener" "production" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.blue.arn
  }
}
"""

PAGES = ("README.md", "docs/custom-hooks.md", "docs/testing.md")
README = "\n".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)


def _blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language, also those inside of lists."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", README, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(text) for _, text in found]


def test_every_hcl_block_can_be_planned(terraform: Terraform, tmp_path: Path) -> None:
    """All blocks in one stack, each under a name of its own, around them what their words refer to."""
    blocks = _blocks("hcl")
    assert blocks[0] == USAGE
    assert len(blocks) >= 5
    folder = tmp_path / "stack"
    folder.mkdir()
    for number, block in enumerate(blocks):
        named = block.replace('"lambda" {', f'"lambda_{number}" {{').replace("  # …\n", LEFT_OUT)
        (folder / f"block_{number}.tf").write_text(named, encoding="utf-8")
    custom = (ROOT / "examples" / "custom-hook" / "main.tf").read_text(encoding="utf-8")
    queue = re.findall(r"^(?:resource|data) .*?^}$", custom, re.MULTILINE | re.DOTALL)
    assert len(queue) == 2
    (folder / "around.tf").write_text("\n".join([AROUND_USAGE, AROUND_LISTENER, *queue]), encoding="utf-8")
    copy_module(tmp_path / "modules" / "lambda")
    (tmp_path / "modules" / "ecs").mkdir()
    (tmp_path / "modules" / "ecs" / "outputs.tf").write_text(ECS, encoding="utf-8")
    terraform.init(folder)
    plan = terraform.planned(folder)
    functions = [change for change in plan["resource_changes"] if change["type"] == "aws_lambda_function"]
    assert len(functions) == 5 * sum(block.count('module "lambda" {') for block in blocks) >= 25


def test_every_command_exists() -> None:
    """Each `make` target, each scenario, and the AWS command by its service, operation and options."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*?##", makefile, re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE))
    assert {"rehearse", "test", "check", "package", "scenarios", "help"} <= named <= targets
    scenarios = re.findall(r"SCENARIO=([a-z0-9-]+)", README)
    assert scenarios
    assert all(find(scenario) for scenario in scenarios)

    commands = [block for block in _blocks("sh") if block.startswith("aws ")]
    assert len(commands) == 2
    for command in commands:
        _, service, operation, *options = shlex.split(command.replace("\\\n", " "))
        model = get_session().get_service_model({"deploy": "codedeploy"}.get(service, service))
        shape = model.operation_model("".join(map(str.capitalize, operation.split("-")))).input_shape
        assert shape is not None
        words = {name.lower() for name in shape.members}
        given = {option[2:].replace("-", "") for option in options if option.startswith("--")}
        assert given - words <= {"query", "output"}  # the command line's own
