"""What a handler declares of its checks is what they do: their names, and the actions of AWS that they call.

What a check asks of AWS is found by running it alone, everything else left out, where it passes and where it does not.
That the role allows no more than is declared is tests/module/test_permissions.py's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType

import pytest
import validate_before_install
import validate_deployment
import yaml
from gate.names import Named
from gate.platforms.codedeploy import OF_ECS

from rehearsal.aws.world import TargetState
from rehearsal.testing.native import Native
from rehearsal.testing.stage import Judge, Stage
from tests.module.test_permissions import OF_EVERY_HOOK, granted_actions
from tests.unit.handlers.test_handlers_stage import HOOKS
from tests.unit.handlers.validate_before_install.breaks import BREAKS
from tests.unit.handlers.validate_before_install.helpers import s3_revision

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
REASONS = re.search(r"<!-- reasons -->\n(.*?)<!-- /reasons -->", PAGE, re.DOTALL)
NAMES: dict[str, tuple[Named, ...]] = {hook.__name__: hook.handler.names for hook in HOOKS.values()}
OF_MOST_CHECKS: dict[str, set[str]] = {hook.__name__: set(hook.handler.calls) for hook in HOOKS.values()}

# The hooks whose checks can be run alone: those of the others follow from each other.
ONE_BY_ONE = {"BeforeInstall": validate_before_install, "AfterInstall": validate_deployment}
EVERY = [(hook, named) for hook in ONE_BY_ONE.values() for named in NAMES[hook.__name__]]
every_check = pytest.mark.parametrize(
    ("hook", "named"), EVERY, ids=[f"{hook.__name__}-{named.name}" for hook, named in EVERY]
)


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


def inside_the_vpc(stage: Stage) -> dict[str, str]:
    """A deployment with functions inside the VPC, and a load balancer with security groups."""
    stage.change_load_balancer(Scheme="internal", SecurityGroups=[stage.security_group])
    for event in ("AfterAllowTestTraffic", "AfterAllowTraffic"):
        place = {"SubnetIds": stage.subnets, "SecurityGroupIds": [stage.security_group]}
        stage.functions.update_function_configuration(FunctionName=stage.hooks[event], VpcConfig=place)
    return stage.at("BeforeInstall")


def with_a_smoke_test(stage: Stage) -> dict[str, str]:
    """A deployment whose hook is to run a test that its role may not run."""
    stage.tell("AfterAllowTestTraffic", {"smoke_test": {"command": ["pytest"]}})
    return stage.at("BeforeInstall")


def after_install(change: Callable[[Stage], object]) -> Callable[[Stage], dict[str, str]]:
    """A deployment at AfterInstall, and something wrong with green."""

    def event(stage: Stage) -> dict[str, str]:
        change(stage)
        return stage.at("AfterInstall")

    return event


def situations(hook: ModuleType, name: str) -> Sequence[Callable[[Stage], Mapping[str, str]]]:
    """Situations in which a check asks for all that it may ask for."""
    if hook is validate_deployment:
        return [lambda stage: stage.at("AfterInstall"), after_install(unhealthy), after_install(crashing)]
    if name in OF_ECS:
        return [lambda stage: Native(stage).at("PRE_SCALE_UP")]
    broken, _ = BREAKS[name]
    others = {"appspec": in_s3, "requests": inside_the_vpc, "hook_settings": with_a_smoke_test}
    other = others.get(name) or broken
    return [lambda stage: stage.at("BeforeInstall"), other]


def actions(stage: Stage) -> set[str]:
    """What the handler has called so far, as IAM names it."""
    return {call.name.replace("elbv2:", "elasticloadbalancing:") for call in stage.calls}


@every_check
def test_a_check_calls_what_it_declares_and_its_role_allows_it(
    stage: Stage, judge: Judge, hook: ModuleType, named: Named
) -> None:
    if named.name not in OF_ECS:
        stage.create_hooks()
    called: set[str] = set()
    checks = {other.name: "skip" for other in NAMES[hook.__name__]} | {named.name: "warn"}  # so that nobody waits
    for make in situations(hook, named.name):
        event = make(stage)
        stage.calls.clear()
        judge(hook, event, checks=checks)
        called |= actions(stage)
        if named.name not in OF_ECS:
            stage.deployment.set_status("Stopped")
        if hook is validate_deployment:
            stage.ecs.delete_task_set(cluster="main", service="shop", taskSet=stage.green_set, force=True)
    assert called - OF_EVERY_HOOK - OF_MOST_CHECKS[hook.__name__] == set(named.calls)
    assert called <= granted_actions(hook.__name__)


@pytest.mark.parametrize(("event", "hook"), ONE_BY_ONE.items(), ids=list(ONE_BY_ONE))
def test_what_most_checks_need_is_called(stage: Stage, judge: Judge, event: str, hook: ModuleType) -> None:
    """And is not declared of a check once more."""
    judge(hook, stage.at(event))
    assert {each for each in OF_EVERY_HOOK if each.startswith("codedeploy:")} | OF_MOST_CHECKS[
        hook.__name__
    ] <= actions(stage)
    assert not OF_MOST_CHECKS[hook.__name__] & {action for named in NAMES[hook.__name__] for action in named.calls}


@pytest.mark.shipped(*NAMES)
def test_every_reason_for_failed_deployments_has_a_check() -> None:
    """Each row names checks that exist, or says why there is none."""
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
        assert bool(checks) is ("| none: " not in line), line
        for hook, names in checks:
            for name in re.findall(r"`([\w:]+)`", names):
                assert name in [named.name for named in NAMES[hook]], line
