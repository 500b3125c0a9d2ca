"""`[warn …]` and `[skip …]` in the description of a deployment: read by every hook, loud, and never misunderstood."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime
from types import ModuleType
from typing import Any

import pytest
import run_migrations
import validate_before_install
import validate_deployment
import validate_production
import validate_test_traffic
from gate.options import HookOptions
from gate.runner import Gate
from gate.runner import hook as make_hook
from gate.verdict import passed

from rehearsal.aws.world import Exit, TargetState
from rehearsal.testing.stage import HOOK_EVENTS, Judge, Judgement, Relay, Stage
from rehearsal.testing.web import Response, Site

MIGRATE = ("alembic", "upgrade", "head")
HANDLERS = dict(
    zip(
        HOOK_EVENTS,
        (validate_before_install, validate_deployment, validate_test_traffic, run_migrations, validate_production),
        strict=True,
    )
)
EACH = pytest.mark.parametrize(("event", "hook"), HANDLERS.items(), ids=list(HANDLERS))
# Of each hook something that fails by one of its names, and the options with which it does.
AT_ONCE: dict[str, Any] = {"initial_delay": 0, "duration": 0, "samples": 0, "metrics_delay": 0}
BROKEN: dict[str, tuple[str, str, dict[str, Any]]] = {
    "BeforeInstall": ("alarms", "alarms:shop-5xx", {}),
    "AfterInstall": ("green_targets", "green_targets", {"interval": 60}),
    "AfterAllowTestTraffic": ("http", "http:front", {"http_checks": {"front": {"path": "/x", "attempts": 1}}}),
    "BeforeAllowTraffic": ("migrate", "migrate", {"command": MIGRATE}),
    "AfterAllowTraffic": ("alarms", "alarms:shop-5xx", AT_ONCE),
}

pytestmark = pytest.mark.usefixtures("now")


def at(stage: Stage, event: str, description: str) -> dict[str, str]:
    """A deployment with a description, at an event."""
    delivered = stage.at(event)
    stage.deployment.description = description
    return delivered


def at_broken(stage: Stage, site: Site, event: str, description: str) -> dict[str, str]:
    """The same, where something is wrong for the hook of that event."""
    delivered = at(stage, event, description)
    stage.set_alarm("shop-5xx", "ALARM")
    site.answer = lambda request: Response(404 if request.path == "/x" else 200)
    stage.world.exits[MIGRATE] = Exit(1)
    if event == "AfterInstall":
        stage.world.target_health["shop-green"] = TargetState("unhealthy", "Target.Timeout")
    return delivered


def result(judgement: Judgement, name: str) -> dict[str, Any]:
    """The one result of that name."""
    (found,) = [check for check in judgement["checks"] if check["name"] == name]
    return dict(found)


@EACH
def test_a_failure_is_a_warning_where_the_description_says_so(
    stage: Stage, judge: Judge, site: Site, event: str, hook: ModuleType
) -> None:
    name, found, options = BROKEN[event]
    delivered = at_broken(stage, site, event, f"Release 2.0 [JIRA-123] [Warn {name}]")
    judgement = judge(hook, delivered, **options, checks={found: "fail"})
    said = f"OVERRIDDEN by the description of deployment {delivered['DeploymentId']}: {name} (warn)"
    assert (result(judgement, found)["outcome"], result(judgement, found)["severity"]) == ("failed", "warn")
    assert judgement.message.endswith(f"; {said}")
    assert judgement.check("overrides") == ("passed", said)


def test_it_stands_in_the_log(stage: Stage, judge: Judge, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="gate")
    judgement = judge(validate_before_install, at(stage, "BeforeInstall", "[warn alarms]"))
    said = judgement.check("overrides")[1]
    assert said.startswith("OVERRIDDEN by ")
    assert f"overrides: {said}" in [record.getMessage() for record in caplog.records]


@EACH
def test_without_it_it_is_a_failure(stage: Stage, judge: Judge, site: Site, event: str, hook: ModuleType) -> None:
    _, found, options = BROKEN[event]
    judgement = judge(hook, at_broken(stage, site, event, "Release 2.0 [skip ci] [JIRA-123]"), **options)
    assert not judgement.succeeded
    assert result(judgement, found)["severity"] == "fail"
    assert "overrides" not in judgement.outcomes()
    assert "OVERRIDDEN" not in judgement.message


@EACH
def test_what_is_skipped_is_not_looked_at(stage: Stage, judge: Judge, site: Site, event: str, hook: ModuleType) -> None:
    name, found, options = BROKEN[event]
    delivered = at_broken(stage, site, event, f"[skip {name}]")
    judgement = judge(hook, delivered, **options)
    by = f"left out by the description of deployment {delivered['DeploymentId']}"
    details = [check["detail"] for check in judgement["checks"] if check["name"] in (name, found)]
    assert [detail.partition(" (found: ")[0] for detail in details] == [by]
    assert judgement.message.endswith(f"{name} (skip)")


@EACH
def test_a_name_that_no_hook_has_is_an_error_before_anything_is_done(
    stage: Stage, judge: Judge, site: Site, event: str, hook: ModuleType
) -> None:
    name, _, options = BROKEN[event]
    delivered = at_broken(stage, site, event, f"[warn {name}, blue_target, deployment]")
    judgement = judge(hook, delivered, **options)
    has = ", ".join(named.name for named in hook.handler.names)
    said = (
        f"the description of deployment {delivered['DeploymentId']} names blue_target, deployment, which no hook has: "
        f"nothing was overridden, or looked at; fix it, and deploy again (this hook has {has})"
    )
    assert judgement.message == said
    assert judgement.outcomes() == {"deployment": "passed", "overrides": "error"}
    assert not judgement.succeeded
    assert site.requests == []
    assert stage.called("ecs:RunTask") == []


@EACH
def test_names_of_other_hooks_are_left_alone(
    stage: Stage, judge: Judge, site: Site, event: str, hook: ModuleType
) -> None:
    _, found, options = BROKEN[event]
    own = [named.name for named in hook.handler.names]
    of_all = {named.name for handler in HANDLERS.values() for named in handler.handler.names}
    others = sorted(of_all - set(own))
    judgement = judge(hook, at_broken(stage, site, event, f"[skip {' '.join(others)}]"), **options)
    assert result(judgement, found)["severity"] == "fail"
    assert "OVERRIDDEN" not in judgement.message
    outcome, detail = judgement.check("overrides")
    assert outcome == "passed"
    assert detail.endswith(f"overrides {', '.join(others)}, of other hooks")


@EACH
def test_the_module_can_forbid_it(stage: Stage, judge: Judge, site: Site, event: str, hook: ModuleType) -> None:
    name, _, options = BROKEN[event]
    delivered = at_broken(stage, site, event, f"[warn {name}]")
    judgement = judge(hook, delivered, **options, overrides="forbid")
    assert judgement.outcomes() == {"deployment": "passed", "overrides": "failed"}
    assert judgement.message == (
        f"the description of deployment {delivered['DeploymentId']} overrides checks, which the module's input "
        "allow_overrides (false) forbids: nothing was overridden, or looked at; take it out, or allow it"
    )


def test_a_description_without_overrides_is_allowed_where_they_are_forbidden(stage: Stage, judge: Judge) -> None:
    event = at(stage, "BeforeInstall", "Release 2.0 [skip ci]")
    judgement = judge(validate_before_install, event, overrides="forbid", in_vpc=True)
    assert judgement.succeeded
    assert "overrides" not in judgement.outcomes()


@pytest.mark.parametrize("description", ["[warn no_such_name]", "[warn alarms]"])
def test_nothing_is_read_of_the_description_of_a_rollback(stage: Stage, judge: Judge, description: str) -> None:
    stage.at("BeforeAllowTraffic")
    event = stage.rollback_at("BeforeInstall")
    stage.deployment.description = description
    judgement = judge(validate_before_install, event)
    assert judgement.succeeded
    assert "overrides" not in judgement.outcomes()


def test_a_broken_blue_can_be_fixed_and_is_not_waited_for(stage: Stage, judge: Judge) -> None:
    """No need to apply anything: the deployment that fixes it says so."""
    event = at(stage, "BeforeInstall", "Fix the crash [warn running_count, service_steady, blue_targets]")
    answer = stage.ecs.describe_services(cluster="main", services=["shop"])
    (blue,) = answer["services"][0]["taskSets"]
    blue.update(runningCount=1, pendingCount=1, stabilityStatus="STABILIZING")
    stage.instead["ecs:DescribeServices"] = lambda _: answer
    stage.world.target_health["shop-blue"] = TargetState("unhealthy", "Target.Timeout")
    judgement = judge(validate_before_install, event)
    assert judgement.succeeded
    assert judgement.outcomes()["service_steady"] == "failed"
    assert "STABILIZING" in judgement.message
    assert judgement.message.endswith("running_count (warn), service_steady (warn), blue_targets (warn)")
    assert stage.clock.now == 0


def test_all_left_out_confirms_nothing_and_says_so(stage: Stage, judge: Judge) -> None:
    """The overrides themselves are no look: only the user's choice is left."""
    judgement = judge(run_migrations, at(stage, "BeforeAllowTraffic", "[skip alone, migrate]"), command=MIGRATE)
    assert judgement.succeeded
    assert "passed" not in judgement.message
    assert judgement.message.endswith("alone (skip), migrate (skip)")
    assert stage.called("ecs:RunTask") == []


def test_it_holds_in_the_invocation_that_goes_on(
    stage: Stage, wall: Callable[[], datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    del wall
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps({"command": MIGRATE, "max_duration": 3000, "timeout": 2000}))
    relay = Relay(stage, run_migrations, 300)
    stage.world.exits[MIGRATE] = Exit(1, lasts=400)
    judgements = relay.play(at(stage, "BeforeAllowTraffic", "[warn migrate]"))
    assert [judgement["status"] for judgement in judgements] == ["CONTINUED", "SUCCEEDED"]
    assert judgements[-1].message.endswith("migrate (warn)")
    assert all(judgement.check("overrides")[0] == "passed" for judgement in judgements)


@pytest.mark.parametrize("in_vpc", [True, False, None])
def test_a_handler_knows_whether_it_runs_in_a_vpc(stage: Stage, judge: Judge, in_vpc: bool | None) -> None:
    seen: list[bool | None] = []

    @make_hook("AfterInstall", HookOptions)
    def handler(gate: Gate[HookOptions]) -> None:
        seen.append(gate.deployment.in_vpc)
        gate.check("test_overrides_of_a_deployment", lambda: passed("fine"))

    hook = ModuleType(__name__.rpartition(".")[2])
    hook.handler = handler  # type: ignore[attr-defined]
    judge(hook, stage.at("AfterInstall"), **({} if in_vpc is None else {"in_vpc": in_vpc}))
    assert seen == [in_vpc]
