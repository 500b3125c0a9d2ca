"""Stacks that are played in every run of the tests (those with a file `quick`), and what is said of any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.stack_runs import STACKS, differences, expected_of, names, rehearse


@pytest.mark.parametrize("name", names(quick=True))
def test_a_stack_is_rehearsed_as_expected(name: str, tmp_path: Path) -> None:
    status, output, found = rehearse(STACKS / name, tmp_path)
    assert differences(expected_of(name), output, found) == [], output
    assert (status == 0) == all(service["outcome"] == "passes" for service in found["services"])


EXPECTED: dict[str, Any] = {
    "platform": "codedeploy",
    "left_out": ["aws_x"],
    "services": {"shop": {"outcome": "passes", "says": ["all hooks"], "scenarios": {"slow": "nothing"}}},
}
FOUND: dict[str, Any] = {
    "types_left_out": ["aws_x"],
    "services": [
        {
            "service": "shop",
            "platform": "codedeploy",
            "outcome": "passes",
            "wrong": [],
            "scenarios": {"slow": "nothing"},
            "cases": {},
        }
    ],
}


def test_nothing_differs() -> None:
    assert differences(EXPECTED, "passes all\n      hooks", FOUND) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"platform": "ecs"}, "shop: platform: expected codedeploy, found ecs"),
        ({"outcome": "stopped"}, "shop: outcome: expected passes, found stopped"),
        ({"scenarios": {"slow": "platform"}}, "shop: slow: expected nothing, found platform"),
        ({"service": "other"}, "services: expected ['shop'], found ['other']"),
    ],
)
def test_what_differs_is_said(change: dict[str, Any], said: str) -> None:
    found = {**FOUND, "services": [{**FOUND["services"][0], **change}]}
    assert differences(EXPECTED, "all hooks", found)[0].startswith(said)
    assert differences(EXPECTED, "nothing", FOUND)[0].startswith("shop: says: expected 'all hooks'")
    assert differences(EXPECTED, "all hooks", {**FOUND, "types_left_out": []})[0].startswith("left out: expected")
