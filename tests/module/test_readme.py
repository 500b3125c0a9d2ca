"""README.md and docs/ as their readers use them: commands exist, HCL can be planned, links lead somewhere.

The custom handler is tried in tests/unit/handlers, what is quoted of the hooks in test_troubleshooting.py.
"""

from __future__ import annotations

import ast
import itertools
import re
import shlex
from pathlib import Path

import pytest
import yaml

from rehearsal import native_scenarios, scenarios
from tests.module import aws_cli
from tests.module.conftest import ROOT, Terraform, copy_module
from tests.module.pages import PAGES, anchors, blocks, links
from tests.module.test_ci_page import VARIABLES
from tests.module.test_usage import AROUND_USAGE, ECS, USAGE

README = PAGES["README.md"]
MOST_LINES = 250
# Pages whose commands have tests of their own: test_ci_page.py and tests/rehearsal/test_ci_commands.py,
# tests/unit/handlers/test_custom_hooks.py.
COMMANDS_OF_THEIR_OWN = {"docs/ci.md", "docs/testing.md"}

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


def test_the_readme_is_short() -> None:
    """It fits the patience of somebody who reads it for the first time."""
    assert len(README.splitlines()) <= MOST_LINES


def test_every_page_is_found_from_the_readme() -> None:
    """Each page of docs/ has a link in the README's table of pages, and each section one in its contents."""
    contents = README.partition("\n## All pages\n")[2]
    pages = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    assert pages <= set(links(contents))
    sections = re.findall(r"^## (.+)$", README, re.MULTILINE)
    assert re.findall(r"\[([^]]+)\]\(#", README.partition("**Contents.**")[2].partition("\n\n")[0]) == sections


@pytest.mark.parametrize("path", PAGES)
def test_every_link_leads_somewhere(path: str) -> None:
    """To a file or a folder that is there, and to a heading that it has."""
    for link in links(PAGES[path]):
        if link.startswith("https://"):
            continue
        place, _, anchor = link.partition("#")
        target = ((ROOT / path).parent / place).resolve() if place else ROOT / path
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


def test_every_hcl_block_can_be_planned(terraform: Terraform, tmp_path: Path) -> None:
    """Those of all pages in one stack, each under a name of its own, around them what their words refer to."""
    assert blocks("hcl", README)[0] == USAGE
    written = [block for text in PAGES.values() for block in blocks("hcl", text)]
    assert len(written) >= 12
    folder = tmp_path / "stack"
    folder.mkdir()
    for number, block in enumerate(written):
        called = number if 'module "lambda" {' in block else 0  # the README's usage
        named = block.replace('"lambda" {', f'"lambda_{number}" {{').replace("  # …\n", LEFT_OUT)
        named = named.replace("module.lambda.", f"module.lambda_{called}.")
        (folder / f"block_{number}.tf").write_text(named, encoding="utf-8")
    custom = (ROOT / "examples" / "custom-hook" / "main.tf").read_text(encoding="utf-8")
    queue = re.findall(r"^(?:resource|data) .*?^}$", custom, re.MULTILINE | re.DOTALL)
    assert len(queue) == 2
    variables = [f'variable "{name}" {{\n  default = "arn:aws:iam::111122223333:role/x"\n}}' for name in VARIABLES]
    around = [AROUND_USAGE, AROUND_LISTENER, *variables, *queue]
    (folder / "around.tf").write_text("\n".join(around), encoding="utf-8")
    copy_module(tmp_path / "modules" / "lambda")
    (tmp_path / "modules" / "ecs").mkdir()
    (tmp_path / "modules" / "ecs" / "outputs.tf").write_text(ECS, encoding="utf-8")
    terraform.init(folder)
    plan = terraform.planned(folder)
    functions = [change for change in plan["resource_changes"] if change["type"] == "aws_lambda_function"]
    assert len(functions) == 5 * sum(block.count('module "lambda" {') for block in written) >= 50


def test_the_appspec_names_the_functions_as_the_module_does() -> None:
    """Each event of CodeDeploy with the function that it is for, in the order of the deployment."""
    (text,) = blocks("yaml", README)
    named = [pair for entry in yaml.safe_load(text)["Hooks"] for pair in entry.items()]
    by_codedeploy = [(event, hook) for event, hook in scenarios.HOOKS.items() if not event.isupper()]
    assert named == [
        (event, f"arn:aws:lambda:region:account:function:CodeDeployHook_app-environment-{hook.replace('_', '-')}")
        for event, hook in by_codedeploy
    ]


def test_every_python_block_can_be_read() -> None:
    """By Python itself; the custom handler is run too, elsewhere."""
    written = [block for text in PAGES.values() for block in blocks("python", text)]
    assert len(written) >= 2
    for block in written:
        ast.parse(block)


def test_every_make_target_and_scenario_exists() -> None:
    """On all pages; the README has those that a newcomer needs."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*?##", makefile, re.MULTILINE))
    named = {path: set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)) for path, text in PAGES.items()}
    assert {"rehearse", "scenarios", "help"} <= named["README.md"]
    assert {"test", "check", "package"} <= set().union(*named.values()) <= targets
    known = {each.name for each in (*scenarios.SCENARIOS, *native_scenarios.SCENARIOS)}
    assert {name for text in PAGES.values() for name in re.findall(r"SCENARIO=([a-z0-9-]+)", text)} <= known


def test_the_proof_counts_the_scenarios() -> None:
    """As many as there are to play, by CodeDeploy and by ECS."""
    by_codedeploy, by_ecs = len(scenarios.SCENARIOS), len(native_scenarios.SCENARIOS)
    said = f"{by_codedeploy + by_ecs} ({by_codedeploy} deployed by CodeDeploy, {by_ecs} by ECS)"
    assert f"| scenarios of the rehearsal | {said} |" in PAGES["docs/proof.md"]


def test_the_pinned_version_is_the_newest() -> None:
    """That of the CHANGELOG's first section with a number, by its tag."""
    newest = re.search(r"^## \[(\d+\.\d+\.\d+)\]", PAGES["CHANGELOG.md"], re.MULTILINE)
    assert newest
    assert {ref for text in PAGES.values() for ref in re.findall(r"\?ref=v([\w.]+)", text)} == {newest[1]}


def test_no_other_command_is_shown() -> None:
    """Those of `sh` blocks are make's and AWS's, tried below, and git's; two pages have tests of their own."""
    assert set(PAGES) > COMMANDS_OF_THEIR_OWN
    for path in PAGES.keys() - COMMANDS_OF_THEIR_OWN:
        for block in blocks("sh", PAGES[path]):
            for line in block.replace("\\\n", " ").splitlines():
                assert line.split()[0] in ("make", "aws", "git"), line


def aws_commands(text: str) -> list[str]:
    """Return the calls of `aws` that stand anywhere on a page: in blocks of a shell, and in those of workflows."""
    lines = (line.partition("run: ")[2] or line.partition("- ")[2] for line in text.splitlines())
    shown = [block.replace("\\\n", " ") for block in (*blocks("sh", text), *lines)]
    return [
        command for block in shown for command in re.findall(r"(?:^|\$\()(aws .*?)(?: > \S+)?\)?$", block, re.MULTILINE)
    ]


def test_every_aws_command_is_one() -> None:
    """By its service, operation and options; an ellipsis stands for further ones."""
    commands = {path: aws_commands(text) for path, text in PAGES.items()}
    assert len(commands["docs/ci.md"]) >= 9
    assert sum(map(len, commands.values())) >= len(commands["docs/ci.md"]) + 2
    for command in itertools.chain(*commands.values()):
        aws_cli.read([word for word in shlex.split(command)[1:] if word != "…"])


@pytest.mark.parametrize(
    "command", ["aws ecs deploy-all", "aws ecs update-service --task x", "aws ecs update-service --cluster"]
)
def test_what_is_no_aws_command(command: str) -> None:
    with pytest.raises(ValueError, match=r"no operation|no option|without a value"):
        aws_cli.read(shlex.split(command)[1:])
