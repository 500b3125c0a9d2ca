"""The five packaged functions in each of AWS's runtimes, with the oldest boto3 that it may hold and with the newest."""

from __future__ import annotations

from pathlib import Path

import pytest

from rehearsal.stage import BUILD
from tests.proof.figures import FIGURES
from tests.proof.runs import Plays
from tools.environments import find_python

RUNTIMES = sorted(path.stem for path in (Path(__file__).parent / "runtimes").glob("*.txt"))
"""Environments below .build, such as python3.9-oldest."""
VERSIONS = ["3.9", "3.10", "3.11", "3.12", "3.13"]
SCENARIOS = ["healthy", "broken-migration"]


def _parameters() -> list[object]:
    """Each scenario in each runtime; where this machine has no such Python, with the reason for leaving it out."""
    found: list[object] = []
    for runtime in RUNTIMES:
        version = runtime.removeprefix("python").partition("-")[0]
        marks = [] if find_python(version) else [pytest.mark.skip(reason=f"no python{version} on this machine")]
        names = [f"{scenario}@{runtime}" for scenario in SCENARIOS]
        found += [pytest.param(name, marks=marks, id=name) for name in names]
    return found


def test_each_version_has_its_oldest_and_its_newest_boto3() -> None:
    assert {f"python{version}-{age}" for version in VERSIONS for age in ("oldest", "newest")} == set(RUNTIMES)


@pytest.mark.parametrize("played", _parameters())
def test_rehearsal(plays: Plays, played: str) -> None:
    """It ends as it should, and every hook that ran reported once."""
    runtime = played.partition("@")[2]
    assert (BUILD / runtime / "installed.json").exists(), f".build/{runtime} is not made: run `make prove`"
    record = plays.record(played)
    assert [each for each in record["expectations"] if not each["met"]] == [], plays.output
    ran = [event["hook"] for event in record["events"] if event["hook"]]
    assert len(ran) == (5 if played.startswith("healthy") else 4)
    FIGURES["rehearsals in runtimes of AWS passed (by version, boto3 and scenario)"] += 1
