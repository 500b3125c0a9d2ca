"""The tables of checks in README.md say what the code does and what the policies allow.

What a check asks of AWS is found by running it alone, everything else left out, where it passes and where it does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import validate_before_install
import validate_deployment
import yaml
from gate.verdict import Check, checks_of

from rehearsal.aws.world import TargetState
from tests.module.test_permissions import NOT_CALLED, granted_actions
from tests.unit.handlers import test_before_install_every_check as before_install
from tests.unit.handlers.stage import Judge, Stage
from tests.unit.handlers.test_validate_before_install import s3_revision

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HOOKS = {"validate_before_install": validate_before_install, "validate_deployment": validate_deployment}
REASONS = re.search(r"<!-- reasons -->\n(.*?)<!-- /reasons -->", README, re.DOTALL)

# What every hook asks before its checks, and after them; what most checks of the first one need, and what a look at
# green begins with: the README says so once.
BASE = {
    "codedeploy:GetDeployment",
    "codedeploy:GetDeploymentGroup",
    "codedeploy:PutLifecycleEventHookExecutionStatus",
}
MOST = {
    "codedeploy:GetApplicationRevision",
    "ecs:DescribeServices",
    "ecs:DescribeTaskDefinition",
    "elasticloadbalancing:DescribeTargetGroups",
}
LOOK = {"ecs:DescribeServices", "ecs:ListTasks", "ecs:DescribeTasks"}
ALWAYS = {"validate_before_install": BASE | MOST, "validate_deployment": BASE | LOOK}


def declared(hook: str) -> list[Check]:
    """A hook's checks, in the order of the handler."""
    nobody: Any = None
    if hook == "validate_deployment":
        return checks_of(validate_deployment.Green(nobody, nobody, nobody))
    return before_install.declared()


def rows(hook: str) -> list[list[str]]:
    """The rows of a hook's table in README.md."""
    found = re.search(rf"<!-- checks of {hook} -->\n(.*?)<!-- /checks of {hook} -->", README, re.DOTALL)
    assert found, f"README.md has no table between the markers of {hook}"
    lines = [line for line in found[1].splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


EVERY = [(hook, check) for hook in HOOKS for check in declared(hook)]
every_check = pytest.mark.parametrize(("hook", "check"), EVERY, ids=lambda value: getattr(value, "name", value))


@pytest.mark.parametrize("hook", HOOKS)
def test_the_table_has_every_check_in_order_with_its_severity_and_meaning(hook: str) -> None:
    assert [row[:3] for row in rows(hook)] == [
        [f"`{check.name}`", str(check.look.__doc__).strip(), check.severity.value] for check in declared(hook)
    ]


def crashing(stage: Stage) -> None:
    """Green's containers exit, having written why."""
    stage.world.crashing[stage.image("2")] = 1
    stage.world.crash_lines[stage.image("2")] = ("no database",)


def unhealthy(stage: Stage) -> None:
    """Green's targets are unhealthy."""
    stage.world.target_health["shop-green"] = TargetState("unhealthy", "Target.Timeout")


def in_s3(stage: Stage) -> dict[str, str]:
    """A deployment whose AppSpec is in S3."""
    return stage.at("BeforeInstall", s3_revision(stage, yaml.safe_dump(stage.appspec())))


def after_install(change: Callable[[Stage], object]) -> Callable[[Stage], dict[str, str]]:
    """A deployment at AfterInstall, and something wrong with green."""

    def event(stage: Stage) -> dict[str, str]:
        change(stage)
        return stage.at("AfterInstall")

    return event


def situations(hook: str, check: Check) -> Sequence[Callable[[Stage], Mapping[str, str]]]:
    """Situations in which a check asks for all that it may ask for."""
    if hook == "validate_deployment":
        return [lambda stage: stage.at("AfterInstall"), after_install(unhealthy), after_install(crashing)]
    broken, _ = before_install.BREAKS[check.name]
    return [lambda stage: stage.at("BeforeInstall"), in_s3 if check.name == "appspec" else broken]


@every_check
def test_the_table_names_what_a_check_needs_and_the_policy_allows_it(
    stage: Stage, judge: Judge, hook: str, check: Check
) -> None:
    stage.create_hooks()
    called: set[str] = set()
    others = {other.name: "skip" for other in declared(hook) if other.name != check.name}
    for make in situations(hook, check):
        event = make(stage)
        stage.calls.clear()
        judge(HOOKS[hook], event, checks=others, **({"interval": 60} if hook == "validate_deployment" else {}))
        called |= {call.name.replace("elbv2:", "elasticloadbalancing:") for call in stage.calls}
        stage.deployment.set_status("Stopped")
        if hook == "validate_deployment":
            stage.ecs.delete_task_set(cluster="main", service="shop", taskSet=stage.green_set, force=True)
    needed = sorted(called - ALWAYS[hook])
    row = next(row for row in rows(hook) if row[0] == f"`{check.name}`")
    assert row[3] == (", ".join(f"`{action}`" for action in needed) or "-")
    assert set(needed) <= granted_actions(hook)


@pytest.mark.parametrize("hook", HOOKS)
def test_the_policy_allows_nothing_that_the_table_does_not_name(hook: str) -> None:
    named = {action for row in rows(hook) for action in re.findall(r"`([\w-]+:\w+)`", row[3])}
    assert granted_actions(hook) - NOT_CALLED == named | ALWAYS[hook]


@pytest.mark.parametrize("hook", HOOKS)
def test_a_plan_knows_the_names_of_the_checks(hook: str) -> None:
    """A plan warns of a name in `checks` that it does not know."""
    text = (ROOT / "main.tf").read_text(encoding="utf-8")
    listed = re.search(rf"^    {hook} = \[\n(.*?)\n    \]", text, re.MULTILINE | re.DOTALL)
    assert listed
    assert re.findall(r'"(\w+)"', listed[1]) == [check.name for check in declared(hook)]


def test_every_reason_for_failed_deployments_has_a_check() -> None:
    """Each row names checks that exist."""
    assert REASONS
    lines = REASONS[1].splitlines()[2:]
    assert [line.split("|")[1].strip() for line in lines] == [
        "The replacement task set is not healthy within 60 minutes: a typing mistake in an image",
        "The same: a mistake in the task definition",
        "The same: no room for the tasks",
        '"Primary taskset target group must be behind listener"',
        '"Only ALB supports gradual traffic routing"',
        "Auto Scaling acts during the deployment",
        "The service role may not invoke a hook's function",
        'A function may not report: "timed out while waiting for a status callback"',
        "A hook failed",
        "An alarm that fires already stops the deployment",
        "The deployment succeeded and the application is down: green fails the load balancer's health checks",
    ]
    for line in lines:
        checks = re.findall(r"`(validate_\w+)`: ((?:`[\w:]+`(?:, )?)+)", line)
        assert checks, line
        for hook, names in checks:
            for name in re.findall(r"`([\w:]+)`", names):
                if hook in HOOKS:
                    assert name in [check.name for check in declared(hook)], line
                else:
                    both = (ROOT / "lambdas" / f"{hook}.py", ROOT / "lambdas" / "gate" / "traffic.py")
                    source = "".join(path.read_text(encoding="utf-8") for path in both)
                    assert f'Check("{name}"' in source or f'Check(f"{name}:' in source, line
