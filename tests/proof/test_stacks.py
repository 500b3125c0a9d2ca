"""Every stack below tests/stacks/, and the examples: each is rehearsed as expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rehearsal.stack_runs import ROOT, STACKS, differences, expected_of, names, rehearse

EXAMPLES = sorted(path.parent.name for path in (ROOT / "examples").glob("*/main.tf"))
NOT_SHIPPED = {"custom-hook": "its function expects a handler of one's own"}


@pytest.mark.parametrize("name", names())
def test_a_stack_is_rehearsed_as_expected(name: str, tmp_path: Path) -> None:
    status, output, found = rehearse(STACKS / name, tmp_path)
    assert differences(expected_of(name), output, found) == [], output
    assert (status == 0) == all(service["outcome"] == "passes" for service in found["services"])


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in NOT_SHIPPED])
def test_an_example_passes(name: str, tmp_path: Path) -> None:
    status, output, found = rehearse(ROOT / "examples" / name, tmp_path)
    assert status == 0, output
    assert [service["outcome"] for service in found["services"]] == ["passes"]
    assert found["services"][0]["scenarios"]["unhealthy"] != "nothing"
