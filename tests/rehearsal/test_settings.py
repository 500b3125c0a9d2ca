"""A scenario changes what the hooks are told, and what blue is."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from rehearsal.aws.world import ContainerSpec, TaskSpec
from rehearsal.play import with_environment, with_settings

GIVEN: dict[str, Any] = {"samples": 20, "load": {"rate": 40, "path": "/orders"}, "alarms": {"one": "OK"}}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"samples": 0}, {**GIVEN, "samples": 0}),
        ({"load": {"rate": 100}}, {**GIVEN, "load": {"rate": 100, "path": "/orders"}}),
        ({"load": None}, {"samples": 20, "alarms": {"one": "OK"}}),
        ({"alarms": {"one": None, "two": "OK"}}, {**GIVEN, "alarms": {"two": "OK"}}),
        ({"checks": {"http": "skip"}, "flows": {"order": None}}, {**GIVEN, "checks": {"http": "skip"}, "flows": {}}),
        ({"samples": {"of": 1}}, {**GIVEN, "samples": {"of": 1}}),
    ],
)
def test_settings(packed: bool, changes: dict[str, Any], expected: dict[str, Any]) -> None:
    """Members that are named change, None takes one away, the others stay; whether they were packed or not."""
    text = json.dumps(GIVEN)
    if packed:
        text = base64.b64encode(gzip.compress(text.encode())).decode()
    assert json.loads(with_settings(text, changes)) == expected


def test_environment_of_blue() -> None:
    """Every container gets the variables, besides its own."""
    containers = tuple(
        ContainerSpec(name, "orders:1.0.0", environment={"A": "1", "B": "2"}) for name in ("app", "side")
    )
    task = TaskSpec("task", "shop", "orders:1", containers, "10.0.0.5")
    (changed,) = with_environment([task], {"B": "3", "C": "4"})
    assert [container.environment for container in changed.containers] == [{"A": "1", "B": "3", "C": "4"}] * 2
    assert with_environment([task], {}) == [task]
