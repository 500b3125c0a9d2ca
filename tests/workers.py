"""How pytest-xdist's workers share the tests (`pytest -n auto`)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

# Tests that share what is costly to make stay in one worker: all with the rehearsals; by file, those with a folder that
# holds Terraform's provider, and those that wait for the same processes.
TOGETHER = re.compile(r"(tests/rehearsal)/|(tests/module/\w+\.py)|(tests/unit/gate/test_gate_watchdog\.py)")
# The fixtures of tests/rehearsal that start a rehearsal.
REHEARSALS = {"rehearsal", "beside", "doomed"}
# In a test's name, where a parameter's repr has one.
ADDRESS = re.compile(r"\b0x[0-9a-f]{8,}|(?<=\bid=')[0-9]{8,}")


class Schedule(LoadScopeScheduling):  # type: ignore[misc]
    """Gives the workers the tests one by one, and those that belong together at once.

    The mark `xdist_group` would say the same, but pytest-xdist 3.8 writes it into an attribute that pytest 9.2 no
    longer has, so nothing would be together.
    """

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        """Take the names of a worker's tests, which must be the same in all workers.

        An address is not: a running number stands for it.
        """
        numbers: dict[str, str] = {}

        def numbered(found: re.Match[str]) -> str:
            return numbers.setdefault(found[0], str(len(numbers)))

        super().add_node_collection(node, [ADDRESS.sub(numbered, name) for name in collection])

    def _split_scope(self, nodeid: str) -> str:
        group = TOGETHER.match(nodeid)
        return group[0] if group else nodeid


def begin_with_the_longest(items: list[pytest.Item]) -> None:
    """Put the rehearsals first: they play in processes of their own, and while a worker waits the others go on."""

    def place(item: pytest.Item) -> tuple[bool, bool]:
        plays = not REHEARSALS.isdisjoint(getattr(item, "fixturenames", ()))
        return not plays, not TOGETHER.match(item.nodeid)

    items.sort(key=place)
