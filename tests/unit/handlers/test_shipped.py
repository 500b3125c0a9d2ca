"""Where a clone has checks of its own: what its tests make of them (tests/shipped.py)."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType, SimpleNamespace

import pytest
import validate_production
from gate.names import Named
from gate.options import HookOptions
from gate.runner import Gate, hook
from gate.verdict import Finding, failed, passed

from rehearsal import own
from rehearsal.aws.iam_requests import Asked
from rehearsal.testing import Deployment
from tests import policies, shipped

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
