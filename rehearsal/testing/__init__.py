"""A pytest plugin with one fixture, `deployment`: a healthy deployment for a test of a handler. See docs/testing.md.

pytest_plugins = ["rehearsal.testing"]  # in the conftest.py of your own tests

def test_a_healthy_deployment_passes(deployment):
    assert deployment.run("validate_production").report == "Succeeded"
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import ExitStack
from types import ModuleType
from typing import Any

import pytest

import rehearsal.own  # noqa: F401 - first: it makes `gate` known
from rehearsal.testing import harness
from rehearsal.testing.native import Native
from rehearsal.testing.stage import HANDLERS, Judgement

__all__ = ["Deployment", "deployment"]


class Deployment:
    """One deployment of a small service, healthy until the test changes it.

    `stage` has the service and what is around it, by boto3 clients and names (`rehearsal.testing.stage.Stage`).
    `clock.now` is the time in seconds; `clock.after(seconds, do)` lets something happen later. `site.answer` is what
    the application answers. Nobody waits: time passes while a handler sleeps, and only then.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stack: ExitStack) -> None:
        self._monkeypatch = monkeypatch
        stack.enter_context(harness.clean_environment(monkeypatch))
        self.clock = harness.waitless(monkeypatch)
        self.stage = stack.enter_context(harness.staged(monkeypatch, self.clock))
        self.site = stack.enter_context(harness.served(monkeypatch, self.stage, self.clock))
        self.now = harness.wall_clock(monkeypatch, self.clock)
        harness.count_requests(self.stage, self.site, self.now)

    def at(self, event: str) -> dict[str, Any]:
        """Begin a deployment, and bring it to a lifecycle event of CodeDeploy or to a stage of ECS (`POST_SCALE_UP`).

        Return what the hook is called with. What the test changes before is there when the deployment begins, what it
        changes afterwards when the hook is called. A deployment by ECS is one of the same service, made anew.
        """
        return Native(self.stage).at(event) if event.isupper() else dict(self.stage.at(event))

    def run(self, hook: str | ModuleType, at: str | dict[str, Any] = "", /, **options: Any) -> Judgement:
        """Call a handler with these options; return what it answered (`rehearsal.testing.stage.Judgement`).

        `hook` is a function's name, or the module of a handler. `at` is a lifecycle event, a stage, or what the method
        `at` returned; by default the event that the hook is meant for. Where answer and report do not agree the test
        fails.
        """
        module = importlib.import_module(hook) if isinstance(hook, str) else hook
        event_of = {name: event for event, name in HANDLERS.items()}
        event = at or event_of[module.__name__]
        called_with = self.at(event) if isinstance(event, str) else event
        return harness.judge(self.stage, self._monkeypatch, module, called_with, **options)


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """Yield a healthy deployment on moto, at whatever event the test chooses."""
    with ExitStack() as stack:
        yield Deployment(monkeypatch, stack)
