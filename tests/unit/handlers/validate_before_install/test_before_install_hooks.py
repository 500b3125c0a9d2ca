"""BeforeInstall: the functions of the AppSpec's hooks: they are there, and can be invoked."""

from __future__ import annotations

import pytest
import validate_before_install as hook
import yaml

from rehearsal.testing.stage import ACCOUNT, HOOK_EVENTS, Judge, Stage
from tests.unit.handlers.validate_before_install.helpers import (
    EVENT,
    PRODUCTION,
    TEST,
    Deploy,
    Event,
    State,
    answered,
    assert_state,
    deployed,
    not_open,
    without_a_test_listener,
)

FIRST = "hook_functions:AfterInstall"
CALLED = (
    f"function arn:aws:lambda:eu-west-1:{ACCOUNT}:function:CodeDeployHook_shop-AfterInstall of the hook AfterInstall"
)


def in_state(state: str | None, reason: str | None = None) -> Deploy:
    """Deploy with functions in this state."""

    def event(stage: Stage) -> Event:
        stage.create_hooks()
        found = stage.functions.get_function_configuration(FunctionName=stage.hooks["AfterInstall"])
        changed = {**found, "State": state, "StateReason": reason}
        told = {name: value for name, value in changed.items() if value is not None}
        return answered("lambda:GetFunctionConfiguration", told)(stage)

    return event


STATES = {
    "none": State(deployed, "hook_functions", "skipped", "the AppSpec names no further hook: nothing looks at green"),
    "ready": State(in_state("Active"), FIRST, "passed", f"{CALLED} is Active", alone=False),
    "asleep": State(in_state("Inactive"), FIRST, "passed", f"{CALLED} is Inactive", alone=False),
    "on its way": State(in_state("Pending"), FIRST, "passed", f"{CALLED} is Pending", alone=False),
    "broken": State(
        in_state("Failed", "no role"), FIRST, "failed", f"{CALLED} is Failed (no role): fix it first", alone=False
    ),
    "not to be invoked": State(
        in_state("ActiveNonInvocable"), FIRST, "failed", f"{CALLED} is ActiveNonInvocable (None): …", alone=False
    ),
    "on its way out": State(
        in_state("Deleting"), FIRST, "failed", f"{CALLED} is Deleting (None): fix it first", alone=False
    ),
    "not said": State(
        in_state(None), FIRST, "error", "Lambda does not say in which state function arn:aws:lambda:…", alone=False
    ),
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_states_of_functions(stage: Stage, judge: Judge, state: State) -> None:
    assert_state(stage, judge, state)


@pytest.mark.smoke
@pytest.mark.parametrize("named", ["by arn", "by name"])
def test_functions_are_found_by_arn_and_by_name(stage: Stage, judge: Judge, named: str) -> None:
    stage.create_hooks()
    names = {event: arn if named == "by arn" else arn.rpartition(":")[2] for event, arn in stage.hooks.items()}
    judgement = judge(hook, stage.at(EVENT, yaml.safe_dump({**stage.appspec(), "Hooks": [names]})))
    assert judgement.succeeded
    assert [name for name in judgement.outcomes() if name.startswith("hook_functions")] == [
        f"hook_functions:{event}" for event in HOOK_EVENTS[1:]
    ]


@pytest.mark.parametrize("event", HOOK_EVENTS[1:])
@pytest.mark.parametrize("name", [f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:smoke-test", "smoke-test"])
def test_a_hook_of_ones_own_that_may_not_be_looked_at_is_a_note(
    stage: Stage, judge: Judge, monkeypatch: pytest.MonkeyPatch, name: str, event: str
) -> None:
    """This hook's role reads functions named as the module's; whether another exists CodeDeploy will see."""
    stage.create_hooks()
    stage.hooks[event] = name
    without_a_test_listener(stage)
    if event != TEST:
        stage.tell(TEST, {"checks": {"test_listener": "skip"}})
    stage.allow("shop-codedeploy", "lambda:InvokeFunction", "*")
    not_open(monkeypatch, name)
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    assert "warned" not in judgement.message
    said = f"function {name} is none of this module's, and not open to this hook: not looked at"
    assert judgement.message.endswith(f"; note: {said}")
    for check in ("hook_functions", "hook_settings", "hook_versions"):
        assert judgement.check(f"{check}:{event}") == ("skipped", said)
    sends = {TEST: ["test_listener", f"requests:{TEST}"], PRODUCTION: [f"requests:{PRODUCTION}"]}
    for check in sends.get(event, []):
        assert judgement.check(check) == ("skipped", said)
    assert judgement.check("service_role:lambda:InvokeFunction")[0] == "passed"
