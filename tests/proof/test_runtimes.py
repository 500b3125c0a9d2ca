"""The five packaged functions in each of AWS's runtimes with the newest boto3, and with old ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from rehearsal.stage import BUILD
from tests.proof.figures import FIGURES
from tests.proof.runs import Plays
from tools.environments import find_python

RUNTIMES = sorted(path.stem for path in (Path(__file__).parent / "runtimes").glob("*.txt"))
"""Environments below .build, such as python3.9-newest."""
VERSIONS = ["3.9", "3.10", "3.11", "3.12", "3.13"]
SCENARIOS = ["healthy", "broken-migration"]
REFUSED = "python3.9-refused"
"""A runtime whose boto3 is too old for migrations."""


def _parameters() -> list[object]:
    """Each scenario in each runtime; where this machine has no such Python, with the reason for leaving it out."""
    found: list[object] = []
    for runtime in [each for each in RUNTIMES if each != REFUSED]:
        version = runtime.removeprefix("python").partition("-")[0]
        marks = [] if find_python(version) else [pytest.mark.skip(reason=f"no python{version} on this machine")]
        names = [f"{scenario}@{runtime}" for scenario in SCENARIOS]
        found += [pytest.param(name, marks=marks, id=name) for name in names]
    return found


def test_each_version_has_its_newest_boto3_and_two_have_an_old_one() -> None:
    assert {f"python{version}-newest" for version in VERSIONS} | {"python3.13-oldest", REFUSED} == set(RUNTIMES)


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


@pytest.mark.skipif(find_python("3.9") is None, reason="no python3.9 on this machine")
@pytest.mark.parametrize("played", [f"healthy@{REFUSED}"])
def test_a_boto3_that_is_too_old_for_migrations_is_refused_by_a_report(plays: Plays, played: str) -> None:
    """The deployment gets its report, with the cure; the hooks before it are none the worse."""
    record = plays.record(played)
    reported = {event["hook"]["hook"]: event for event in record["events"] if event["hook"]}
    assert "does not know RunTask's clientToken" in str(reported["run_migrations"])
