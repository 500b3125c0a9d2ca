"""Where a clone has checks of its own: what its tests make of them (tests/shipped.py)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest
import validate_production
from gate import aws
from gate.names import Named
from gate.options import HookOptions
from gate.options.hooks import HOOKS
from gate.runner import Gate, hook
from gate.verdict import Finding, failed, passed

from rehearsal import own
from rehearsal.aws.iam_requests import Asked
from rehearsal.testing import Deployment
from tests import policies, recording, shipped

OWN = Named("queue", "It is short.", calls=("sqs:GetQueueAttributes",), own=True)
SHIPPED = Named("alarms", "They are OK.")
Declared = dict[str, tuple[Named, ...]]


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Declared]:
    """What the handlers declare: each one check that is shipped, until the test says otherwise."""
    names: Declared = {}
    monkeypatch.setattr(own, "names_of", lambda hook: names.get(hook, (SHIPPED,)))
    shipped.own_handlers.cache_clear()
    monkeypatch.setattr(shipped, "left_out", shipped.left_out.copy())
    yield names
    shipped.own_handlers.cache_clear()


@pytest.fixture
def mine() -> ModuleType:
    """A handler with a check that is shipped, and one of the user's own, which fails."""

    @hook("AfterAllowTraffic", HookOptions, (SHIPPED, OWN))
    def handler(gate: Gate[HookOptions]) -> None:
        gate.check("alarms", lambda: passed("they are OK"))
        if gate.check("queue", long):
            gate.check("alarms", lambda: passed("they still are"))

    def long() -> Finding:
        return failed("it is long")

    module = ModuleType(__name__.rpartition(".")[2])
    vars(module)["handler"] = handler
    return module


@pytest.mark.parametrize("is_declared", [True, False])
def test_an_own_check_is_not_made(
    deployment: Deployment, mine: ModuleType, declared: Declared, monkeypatch: pytest.MonkeyPatch, is_declared: bool
) -> None:
    """The handler goes on as if it were not there; where nothing is declared as own, everything is made."""
    declared["validate_production"] = (SHIPPED, OWN) if is_declared else (SHIPPED,)
    shipped.without_own_checks(monkeypatch)
    judgement = deployment.run(mine, "AfterAllowTraffic")
    assert judgement.succeeded is is_declared
    assert [check["name"] for check in judgement["checks"] if check["name"] != "deployment"] == (
        ["alarms", "alarms"] if is_declared else ["alarms", "queue"]
    )


UNIT = Path(__file__).parent


def _test(path: Path = UNIT / "test_any.py", *marks: Any, function: Any = None, **parameters: Any) -> Any:
    """A test as pytest has collected it."""
    return SimpleNamespace(
        path=path,
        iter_markers=lambda name: [mark.mark for mark in marks if mark.name == name],
        callspec=SimpleNamespace(params=parameters),
        function=function,
    )


@pytest.mark.parametrize(
    ("test", "hooks"),
    [
        (_test(shipped.OWN_TESTS / "test_queue.py", hook="run_migrations"), []),
        (_test(UNIT / "test_any.py", pytest.mark.shipped("run_migrations", "validate_production")),
            ["run_migrations", "validate_production"]),
        (_test(UNIT / "validate_deployment" / "test_any.py"), ["validate_deployment"]),
        (_test(hook=validate_production), ["validate_production"]),
        (_test(name="run_migrations"), ["run_migrations"]),
        (_test(event="BeforeInstall"), ["validate_before_install"]),
        (_test(stage="POST_SCALE_UP"), ["validate_deployment"]),
        (_test(broken=SimpleNamespace(event="AfterAllowTestTraffic")), ["validate_test_traffic"]),
        (_test(scenario="crash-loop"), ["validate_deployment"]),
        (_test(stopped="crash-loop"), ["validate_deployment"]),
        (_test(played="crash-loop@python3.9-newest"), ["validate_deployment"]),
        (_test(native_scenario="crash-loop"), []),  # none of ECS's own is called so
        (_test(native_scenario="broken-creation"), ["validate_deployment"]),
        (_test(native_scenario="healthy"), ["run_migrations"]),  # which expects something of its checks
        (_test(native_scenario="alarm"), []),  # of ECS itself, while it bakes
        (_test(title="crash-loop"), []),  # no name of a scenario
        (_test(function=lambda: validate_production.handler), ["validate_production"]),
        (_test(function=lambda: aws.client), []),
    ],
)  # fmt: skip
def test_the_handlers_that_a_test_is_about(declared: Declared, test: Any, hooks: list[str]) -> None:
    """It is left out where one of them is the user's own, and counted with each."""
    declared.update(dict.fromkeys(HOOKS, (OWN,)))
    shipped.left_out.clear()
    items = [test]
    shipped.leave_out(SimpleNamespace(hook=SimpleNamespace(pytest_deselected=lambda items: items)), items)
    assert items == ([] if hooks else [test])
    assert sorted(shipped.left_out.elements()) == hooks


def _kept(request: pytest.FixtureRequest) -> bool:
    items = [request.node]
    shipped.leave_out(SimpleNamespace(hook=SimpleNamespace(pytest_deselected=lambda items: items)), items)
    return bool(items)


@pytest.mark.parametrize("event", ["AfterAllowTraffic", "POST_PRODUCTION_TRAFFIC_SHIFT", "validate_production"])
@pytest.mark.parametrize("names", [(OWN,), (OWN, SHIPPED)], ids=["own", "changed"])
def test_tests_with_the_event_of_an_own_handler_are_left_out(
    request: pytest.FixtureRequest, declared: Declared, names: tuple[Named, ...], event: str
) -> None:
    """And counted; but not where one check of the handler is still the shipped one."""
    assert shipped.HOOK_OF[event] == "validate_production"
    declared["validate_production"] = names
    assert _kept(request) is (SHIPPED in names)
    assert shipped.left_out["validate_production"] == (SHIPPED not in names)


def test_tests_that_name_an_own_handler_are_left_out(request: pytest.FixtureRequest, declared: Declared) -> None:
    assert callable(validate_production.handler)
    declared["validate_production"] = (OWN,)
    assert not _kept(request)


@pytest.mark.shipped("run_migrations")
def test_tests_that_say_so_are_left_out(request: pytest.FixtureRequest, declared: Declared) -> None:
    declared["run_migrations"] = (OWN,)
    assert not _kept(request)


@pytest.mark.parametrize("name", ["run_migrations"])
def test_other_tests_are_kept(request: pytest.FixtureRequest, declared: Declared, name: str) -> None:
    assert name != "validate_deployment"
    declared["validate_deployment"] = (OWN,)
    assert _kept(request)


@pytest.mark.parametrize("is_declared", [True, False])
def test_what_an_own_check_declares_its_user_allows(declared: Declared, is_declared: bool) -> None:
    """What nobody declares is denied; and what the shipped handler alone needed is no fault of an own one."""
    declared["validate_production"] = (OWN,) if is_declared else (SHIPPED,)
    statement = {"Sid": "A", "Effect": "Allow", "Action": "ecs:DescribeServices", "Resource": "*"}
    asked = {("validate_production", Asked("sqs:GetQueueAttributes", "*")): "a test"}
    judged = policies.judge_asked({"validate_production": [statement]}, asked, whole=True, exceptions={})
    assert bool(judged.denied) is not is_declared
    assert bool(judged.unneeded) is not is_declared


@pytest.mark.parametrize("is_declared", [True, False])
def test_the_calls_of_an_own_check_are_its_users_to_allow(
    deployment: Deployment,
    declared: Declared,
    pytestconfig: pytest.Config,
    monkeypatch: pytest.MonkeyPatch,
    is_declared: bool,
) -> None:
    """Where the check declares them: then the run says so at its end. Else it fails, and says what to do."""
    noted = policies.Noted()
    monkeypatch.setattr(pytestconfig.pluginmanager.get_plugin(recording.NAME), "noted", noted)
    named = Named("queue", "It is short.", calls=OWN.calls if is_declared else (), own=True)
    declared["validate_production"] = (named,)

    def check(gate: Gate[HookOptions]) -> None:
        gate.check("queue", looked_at)

    def looked_at() -> Finding:
        return passed(str(sorted(aws.client("sqs").get_queue_attributes(QueueUrl=url))))

    # As if it stood among the handlers: the calls of others are not noted.
    check.__code__ = check.__code__.replace(co_filename=str(recording.LAMBDAS / "validate_production.py"))
    check.__module__ = "validate_production"
    module = ModuleType("validate_production")
    vars(module)["handler"] = hook("AfterAllowTraffic", HookOptions, [named])(check)
    url = boto3.client("sqs").create_queue(QueueName="orders")["QueueUrl"]
    assert deployment.run(module).succeeded
    told = noted.remarks if is_declared else noted.problems
    assert (len(noted.remarks), len(noted.problems)) == (int(is_declared), int(not is_declared))
    assert ("which policy_documents have to allow" if is_declared else "Named(…, calls=…, own=True)") in told.pop()
