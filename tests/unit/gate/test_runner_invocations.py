"""gate.runner and gate.runtime: the time of an invocation, and one invocation after another."""

from __future__ import annotations

import signal
from typing import Any
from unittest.mock import MagicMock, Mock

import pytest

from tests.unit.gate.codedeploy_server import EVENT, CodeDeploy, Reply, deployment
from tests.unit.gate.conftest import Clock
from tests.unit.gate.sample_hooks import context_of, good, handler_of, hook_of


def test_a_warm_function_starts_each_invocation_afresh(codedeploy: CodeDeploy, clock: Clock) -> None:
    handler = hook_of(good())
    codedeploy.replies["GetDeployment"] = [Reply(drop=True)]
    assert "could not be reached" in handler(EVENT)["message"]
    codedeploy.replies["GetDeployment"] = [deployment()]
    before = clock.now
    assert handler({**EVENT, "DeploymentId": "d-NEXT"})["checks"][0]["detail"].startswith("deployment d-NEXT of shop/")
    assert clock.now == before, "what the first could not reach does not make the second wait"
    assert codedeploy.statuses == ["Failed", "Succeeded"]


@pytest.mark.parametrize("context", [None, object(), Mock(), MagicMock()], ids=["none", "object", "mock", "magic mock"])
def test_a_handler_called_by_hand_has_the_whole_time(codedeploy: CodeDeploy, context: Any) -> None:
    left: list[float] = []
    handler_of(lambda gate: left.append(gate.deadline.remaining()))(EVENT, context)
    assert 800 < left[0] <= 870
    assert codedeploy.statuses == ["Failed"]


@pytest.mark.parametrize(("seconds", "usable"), [(900, 870), (120, 90), (60, 30), (20, 10)])
@pytest.mark.usefixtures("clock")
def test_thirty_seconds_are_kept_for_the_report_and_half_of_shorter_times(
    codedeploy: CodeDeploy, seconds: float, usable: float
) -> None:
    left: list[float] = []
    handler_of(lambda gate: left.append(gate.deadline.remaining()))(EVENT, context_of(seconds))
    assert left == [pytest.approx(usable)]
    assert codedeploy.statuses == ["Failed"]


def test_the_alarm_clock_is_put_back_as_it_was(codedeploy: CodeDeploy) -> None:
    def mine(_signal: int, _frame: Any) -> None:
        """Somebody else's alarm."""

    before = signal.signal(signal.SIGALRM, mine)
    try:
        hook_of(good())(EVENT)
        assert signal.getsignal(signal.SIGALRM) is mine
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert codedeploy.statuses == ["Succeeded"]
