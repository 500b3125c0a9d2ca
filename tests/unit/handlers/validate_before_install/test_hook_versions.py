"""BeforeInstall: the functions of the later hooks: whose they are, and of which version."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping
from typing import Any

import pytest
import validate_before_install as hook

from rehearsal.testing.stage import ACCOUNT, Judge, Stage, refuse
from tests.unit.handlers.validate_before_install.test_hook_settings import (
    EVENT,
    INSTALLED,
    LATER,
    MIGRATED,
    SHIFTED,
    TESTED,
    judged,
    named,
    told,
)


@pytest.fixture(autouse=True)
def hooks(stage: Stage) -> None:
    """An AppSpec with all five hooks, and their functions as the module makes them."""
    stage.create_hooks()


def answering(stage: Stage, event: str, **changes: Any) -> dict[str, str]:
    """A deployment at BeforeInstall where Lambda says other things of a function, or does not say them (None)."""
    delivered = stage.at(EVENT)

    def answer(parameters: Mapping[str, Any]) -> Any:
        found = stage.functions.get_function_configuration(**parameters)
        if parameters["FunctionName"] == stage.hooks[event]:
            found = {key: value for key, value in {**found, **changes}.items() if value is not None}
        return found

    stage.instead["lambda:GetFunctionConfiguration"] = answer
    return delivered


def code_of(stage: Stage, event: str) -> str:
    """The hash of a function's code."""
    return str(stage.functions.get_function_configuration(FunctionName=stage.hooks[event])["CodeSha256"])


# Of which version.


@pytest.mark.parametrize("same", [True, False])
def test_the_code_is_the_one_that_the_module_gave(stage: Stage, judge: Judge, same: bool) -> None:
    packages = {
        "run_migrations": code_of(stage, MIGRATED) if same else "b3RoZXI=",
        "validate_before_install": "b3RoZXI=",
    }
    judgement = judge(hook, stage.at(EVENT), packages=packages)
    assert judgement.succeeded
    outcome, detail = judgement.check(f"hook_versions:{MIGRATED}")
    said = "is of this version" if same else "runs other code than the module gave it: apply the module once more"
    assert (outcome, detail) == ("passed" if same else "failed", f"{named(MIGRATED)} {said}")
    assert [judgement.check(f"hook_versions:{event}")[0] for event in (INSTALLED, TESTED, SHIFTED)] == ["passed"] * 3


def test_options_and_code_of_another_version_are_said_together(stage: Stage, judge: Judge) -> None:
    stage.tell(INSTALLED, {"schema": "0123456789ab"})
    judgement = judge(hook, stage.at(EVENT), packages={"validate_deployment": "b3RoZXI="})
    assert judgement.check(f"hook_versions:{INSTALLED}")[1] == (
        f"{named(INSTALLED)} is told its options as another version of the module has them and runs other code than "
        "the module gave it: apply the module once more"
    )


# The environment of a function.

WATCHES = "put this service's hooks into the AppSpec, or fix ecs_cluster_name, ecs_service_name"
IS_NOT_SET = "is not set: the Terraform module sets it; a function made by hand needs it too"
VARIABLES: list[tuple[dict[str, str | None], str]] = [
    ({"ECS_SERVICE": "billing"}, f"the function watches main/billing, not main/shop: {WATCHES} ({named(INSTALLED)})"),
    ({"ECS_CLUSTER": "other"}, f"the function watches other/shop, not main/shop: {WATCHES} ({named(INSTALLED)})"),
    ({"ECS_SERVICE": None}, f"environment variable ECS_SERVICE {IS_NOT_SET} ({named(INSTALLED)})"),
    (
        {"APP_NAME": None, "ENVIRONMENT": " "},
        f"environment variable APP_NAME, ENVIRONMENT {IS_NOT_SET} ({named(INSTALLED)})",
    ),
    (
        {"HOOK_SETTINGS": "interval: 5"},
        f"HOOK_SETTINGS is not JSON: Expecting value: line 1 column 1 (char 0) ({named(INSTALLED)})",
    ),
    ({"HOOK_SETTINGS": "[]"}, f"validate_deployment is a list, expected a map of options ({named(INSTALLED)})"),
    (
        {"HOOK_SETTINGS": base64.b64encode(gzip.compress(b"{" + b" " * 200_000, mtime=0)).decode()},
        f"HOOK_SETTINGS has 200000 bytes or more when it is unpacked: shorten it ({named(INSTALLED)})",
    ),
]


@pytest.mark.parametrize(("variables", "message"), VARIABLES, ids=[str(list(row[0].items()))[:60] for row in VARIABLES])
def test_an_environment_that_is_not_this_services_or_not_the_modules(
    stage: Stage, judge: Judge, variables: dict[str, str | None], message: str
) -> None:
    judgement = judged(stage, judge, INSTALLED, {}, **variables)
    assert judgement.message == message
    assert judgement.check(f"hook_settings:{INSTALLED}") == ("failed", message)
    assert judgement.check(f"hook_settings:{TESTED}")[0] == "passed"


@pytest.mark.parametrize(
    "variables",
    [
        {"ECS_CLUSTER": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/main"},
        {"ECS_SERVICE": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:service/main/shop"},
        {"HOOK_SETTINGS": ""},
        {"TENANT": "acme"},
    ],
    ids=str,
)
def test_an_environment_made_by_hand_may_do(stage: Stage, judge: Judge, variables: dict[str, str | None]) -> None:
    assert judged(stage, judge, INSTALLED, {}, **variables).succeeded


@pytest.mark.parametrize(("interval", "succeeds"), [(5, True), (61, False)])
def test_long_options_come_packed(stage: Stage, judge: Judge, interval: int, succeeds: bool) -> None:
    stage.tell(INSTALLED, {"interval": interval})
    packed = base64.b64encode(gzip.compress(told(stage, INSTALLED)["HOOK_SETTINGS"].encode())).decode()
    judgement = judged(stage, judge, INSTALLED, HOOK_SETTINGS=packed)
    assert judgement.succeeded is succeeds
    outcome, detail = judgement.check(f"hook_settings:{INSTALLED}")
    assert (outcome == "passed") is succeeds
    assert succeeds or detail.startswith("validate_deployment.interval is 61; expected seconds")


@pytest.mark.parametrize(
    ("changes", "runs"),
    [
        ({"Handler": "own.handler"}, "own"),
        ({"Handler": "source/run_migrations.handler"}, "source/run_migrations"),
        ({"PackageType": "Image", "Handler": None, "Environment": None}, "a container image"),
    ],
    ids=["own", "folder", "image"],
)
def test_a_function_that_is_none_of_the_modules_is_left_alone_and_said(
    stage: Stage, judge: Judge, changes: dict[str, Any], runs: str
) -> None:
    judgement = judge(hook, answering(stage, MIGRATED, **changes), packages={"run_migrations": "b3RoZXI="})
    assert judgement.succeeded
    said = f"{named(MIGRATED)} runs {runs}, which is no handler of this module's"
    for check in ("hook_settings", "hook_versions"):
        assert judgement.check(f"{check}:{MIGRATED}") == ("skipped", said)
        assert judgement.check(f"{check}:{SHIFTED}")[0] == "passed"


def test_a_function_of_somebody_elses_with_a_file_of_the_same_name_is_skipped(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, answering(stage, SHIFTED, Environment=None))
    assert judgement.succeeded
    said = f"{named(SHIFTED)} is told no HOOK_SETTINGS, so it is none of this module's"
    for check in ("hook_settings", "hook_versions"):
        assert judgement.check(f"{check}:{SHIFTED}") == ("skipped", said)


OF_SHIFTED = f"function arn:aws:lambda:eu-west-1:{ACCOUNT}:function:CodeDeployHook_shop-{SHIFTED}"
NO_KEY = "AccessDeniedException: Lambda was unable to decrypt the environment variables"
NOT_SAID: list[tuple[dict[str, Any], str, tuple[str, str]]] = [
    (
        {"Environment": {"Error": dict(zip(("ErrorCode", "Message"), NO_KEY.split(": "), strict=True))}},
        f"the environment of {OF_SHIFTED} cannot be read ({NO_KEY}): allow kms:Decrypt on its key",
        ("error", "error"),
    ),
    ({"Handler": None}, f"Lambda does not say the handler of {OF_SHIFTED}", ("error", "error")),
    ({"Timeout": None}, f"Lambda does not say the time-out of {named(SHIFTED)}", ("error", "passed")),
    ({"CodeSha256": None}, f"Lambda does not say which code {named(SHIFTED)} runs", ("passed", "error")),
]


@pytest.mark.parametrize(("changes", "said", "outcomes"), NOT_SAID, ids=[next(iter(row[0])) for row in NOT_SAID])
def test_what_lambda_does_not_say_is_no_pass(
    stage: Stage, judge: Judge, changes: dict[str, Any], said: str, outcomes: tuple[str, str]
) -> None:
    packages = {"validate_production": code_of(stage, SHIFTED)}
    judgement = judge(hook, answering(stage, SHIFTED, **changes), packages=packages)
    found = [judgement.check(f"{check}:{SHIFTED}") for check in ("hook_settings", "hook_versions")]
    assert tuple(outcome for outcome, _ in found) == outcomes
    assert {detail for outcome, detail in found if outcome == "error"} == {said}
    assert judgement.succeeded is (outcomes[0] == "passed")
    assert said in judgement.message


def test_without_the_permission_nothing_is_known_of_the_options(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["lambda:GetFunctionConfiguration"] = refuse("AccessDeniedException", "not allowed", 403)
    judgement = judge(hook, event)
    for name in LATER:
        for check in ("hook_settings", "hook_versions"):
            outcome, detail = judgement.check(f"{check}:{name}")
            assert outcome == "error"
            assert detail.startswith("lambda:GetFunctionConfiguration was denied: allow it in this hook's role")


# What the user says of it, and where there is nothing to say.

TOO_LONG = {"duration": 3000}


def test_it_may_be_left_out_of_one_function(stage: Stage, judge: Judge) -> None:
    stage.tell(SHIFTED, TOO_LONG)
    judgement = judge(hook, stage.at(EVENT), checks={f"hook_settings:{SHIFTED}": "skip"})
    assert judgement.succeeded
    outcome, detail = judgement.check(f"hook_settings:{SHIFTED}")
    assert outcome == "skipped"
    assert detail.startswith("left out by the option `checks` (found: validate_production.initial_delay, duration and")
    assert judgement.check(f"hook_settings:{MIGRATED}")[0] == "passed"


def test_a_version_may_stop_a_deployment_too(stage: Stage, judge: Judge) -> None:
    stage.tell(SHIFTED, {"schema": "0123456789ab"})
    assert not judge(hook, stage.at(EVENT), checks={"hook_versions": "fail"}).succeeded


def test_without_further_hooks_there_is_nothing_to_look_at(stage: Stage, judge: Judge) -> None:
    for event in LATER:
        del stage.hooks[event]
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    for check in ("hook_settings", "hook_versions"):
        assert judgement.check(check) == ("skipped", "the AppSpec names no further hook")


def test_only_the_functions_that_the_appspec_names_are_looked_at(stage: Stage, judge: Judge) -> None:
    stage.tell(SHIFTED, TOO_LONG)
    del stage.hooks[SHIFTED]
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    assert f"hook_settings:{SHIFTED}" not in judgement.outcomes()
