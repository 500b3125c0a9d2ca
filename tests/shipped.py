"""Tests of the shipped handlers, told apart from those that hold for any, where a clone has checks of its own.

A check of one's own (`Named(…, own=True)`) is made in tests below tests/own/ only. All other tests are about what is
shipped, and know nothing of the queue, say, that it looks at: they go through the handler as if it had no such check.

Where all checks of a handler are the user's own, the tests of the shipped one are left out, and the run says so. These
are the tests in its folder, those with it, its event or its stage as a parameter, those of a rehearsal's scenario that
it stops or that expects something of its checks, those that name it themselves, and those that say so by
`@pytest.mark.shipped("validate_production")`.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from gate import runner
from gate.names import Named
from gate.options.hooks import HOOKS

from rehearsal import native_scenarios, own, scenarios
from rehearsal.testing.native import STAGE_OF
from rehearsal.testing.stage import HANDLERS

OWN_TESTS = Path(__file__).resolve().parent / "own"
HOOK_OF = {**{hook: hook for hook in HOOKS}, **HANDLERS, **{stage: hook for hook, stage in STAGE_OF.items()}}
SCENARIOS = {
    **dict.fromkeys(("scenario", "stopped", "played"), scenarios.SCENARIOS),
    "native_scenario": native_scenarios.SCENARIOS,
}
"""By the name of a test's parameter: the scenarios of which it names one, `<scenario>@<environment>` for some."""
left_out: Counter[str] = Counter()
"""By hook: how many tests of the shipped handler this run left out."""


@functools.cache
def own_handlers() -> list[str]:
    """The handlers that are the user's own."""
    return [hook for hook in HOOKS if own.is_own(hook)]


def without_own_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let handlers go through their own checks as if these were not there."""
    if not any(own.own_checks(hook) for hook in HOOKS):
        return
    check = runner.Gate.check

    def shipped(gate: Any, name: str, *arguments: Any, **options: Any) -> runner.Checked:
        mine = [named.name for named in gate.names if named.own]
        return runner.Checked([]) if name in mine else check(gate, name, *arguments, **options)

    monkeypatch.setattr(runner.Gate, "check", shipped)


def leave_out(config: Any, items: list[pytest.Item]) -> None:
    """Leave out the tests of shipped handlers that this clone has handlers of its own for."""
    if not any(own.own_checks(hook) for hook in HOOKS):
        return
    kept: list[pytest.Item] = []
    out: list[pytest.Item] = []
    for item in items:
        concerned = set(_hooks_of(item)).intersection(own_handlers())
        left_out.update(concerned)
        (out if concerned or _is_of_own_check(item) else kept).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=out)


def _hooks_of(item: pytest.Item) -> Iterator[str]:
    """The handlers that a test is about."""
    if OWN_TESTS in item.path.parents:
        return
    for mark in item.iter_markers("shipped"):
        yield from mark.args
    yield from set(HOOKS).intersection(item.path.parts)
    for name, value in _parameters(item).items():
        yield from _hooks_of_a_scenario(name, value)
        if isinstance(value, ModuleType):
            yield value.__name__
        elif isinstance(value, str) and value in HOOK_OF:
            yield HOOK_OF[value]
        elif getattr(value, "event", None) in HANDLERS:
            yield HANDLERS[value.event]
    function: Any = getattr(item, "function", None)
    for name in function.__code__.co_names if function else ():
        found = function.__globals__.get(name)
        if isinstance(found, ModuleType) and found.__name__ in HOOKS:
            yield found.__name__


def _hooks_of_a_scenario(parameter: str, value: Any) -> Iterator[str]:
    """The handlers whose verdict a scenario of the rehearsal is about, if this parameter names one."""
    for scenario in SCENARIOS.get(parameter, ()):
        if scenario.name == str(value).partition("@")[0]:
            yield from scenario.expected.checks
            if scenario.expected.stopped_at in HOOK_OF:
                yield HOOK_OF[scenario.expected.stopped_at]


def _is_of_own_check(item: pytest.Item) -> bool:
    return any(isinstance(value, Named) and value.own for value in _parameters(item).values())


def _parameters(item: pytest.Item) -> dict[str, Any]:
    found: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    return found


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what was left out, and what is left out of each test."""
    mine = {hook: own.own_checks(hook) for hook in HOOKS}
    if any(mine.values()):
        terminalreporter.section("handlers of your own")
    for hook, checks in mine.items():
        if hook in own_handlers():
            terminalreporter.write_line(f"{hook} is your own: {left_out[hook]} tests of the shipped one are left out")
        elif checks:
            terminalreporter.write_line(f"{hook} has checks of your own ({', '.join(checks)}): made in tests/own/ only")
