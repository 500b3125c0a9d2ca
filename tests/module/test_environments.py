"""The virtual environments below .build/: filled once, and again when their requirements change."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools import environments


@pytest.fixture
def installs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A project with requirement files, where venv and pip only say what they were asked."""
    monkeypatch.setattr(environments, "ROOT", tmp_path)
    monkeypatch.setattr(environments, "BUILD", tmp_path / ".build")
    (tmp_path / "rehearsal").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "rehearsal" / "requirements.txt").write_text("moto==1\n", encoding="utf-8")
    (tmp_path / "tests" / "requirements.txt").write_text(
        "-r ../rehearsal/requirements.txt\npytest==1\n", encoding="utf-8"
    )
    asked: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        if "venv" in command:
            environments.python_of(Path(command[-1])).parent.mkdir(parents=True)
            environments.python_of(Path(command[-1])).touch()
        if "install" in command:
            asked.append([Path(word).parent.name for word in command if word.endswith("requirements.txt")])
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    return asked


def test_requirements_are_installed_once(installs: list[list[str]]) -> None:
    """The second call finds them installed."""
    environments.ensure("venv", ["rehearsal/requirements.txt"])
    environments.ensure("venv", ["rehearsal/requirements.txt"])
    assert installs == [["rehearsal"]]


def test_included_requirements_count_as_installed(installs: list[list[str]]) -> None:
    """The tests' requirements include the rehearsal's: `make rehearse` after `make test` installs nothing."""
    environments.ensure("venv", ["tests/requirements.txt"])
    environments.ensure("venv", ["rehearsal/requirements.txt"])
    assert installs == [["tests"]]


def test_changed_requirements_are_installed_again(installs: list[list[str]], tmp_path: Path) -> None:
    """By content: a new date alone changes nothing, an included file counts."""
    environments.ensure("venv", ["tests/requirements.txt"])
    (tmp_path / "rehearsal" / "requirements.txt").touch()
    environments.ensure("venv", ["tests/requirements.txt"])
    assert installs == [["tests"]]
    (tmp_path / "rehearsal" / "requirements.txt").write_text("moto==2\n", encoding="utf-8")
    environments.ensure("venv", ["tests/requirements.txt"])
    assert installs == [["tests"], ["tests"]]


def test_another_python_makes_its_own_environment(
    installs: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`--python 3.9` finds that interpreter and makes the environment with it."""
    made: list[list[str]] = []
    run = subprocess.run

    def watched(command: list[str], **options: Any) -> Any:
        made.append(command)
        return run(command, **options)

    monkeypatch.setattr(subprocess, "run", watched)
    monkeypatch.setattr(environments, "find_python", lambda version: f"/opt/python{version}")
    assert environments.main(["--python", "3.9", "old", "rehearsal/requirements.txt"]) == 0
    assert made[0] == ["/opt/python3.9", "-m", "venv", str(tmp_path / ".build" / "old")]
    assert installs == [["rehearsal"]]


def test_a_python_that_is_not_here_is_left_out(
    installs: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a word, and without a failure: not every machine has every version."""
    monkeypatch.setattr(environments, "find_python", lambda _version: None)
    assert environments.main(["--python", "3.9", "old", "rehearsal/requirements.txt"]) == 0
    assert "old is left out: no python3.9 on the PATH or in pyenv's versions" in capsys.readouterr().err
    assert installs == []


def test_a_broken_stamp_counts_for_nothing(installs: list[list[str]], tmp_path: Path) -> None:
    """A file cut off in writing means: install again."""
    environments.ensure("venv", ["rehearsal/requirements.txt"])
    (tmp_path / ".build" / "venv" / "installed.json").write_text(json.dumps({})[:1], encoding="utf-8")
    environments.ensure("venv", ["rehearsal/requirements.txt"])
    assert installs == [["rehearsal"], ["rehearsal"]]


def test_a_python_without_ensurepip_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian's python3 has no ensurepip until a package is installed: its name is in the message."""
    monkeypatch.setattr(environments, "BUILD", tmp_path / ".build")
    said = "The virtual environment was not created successfully because ensurepip is not available."
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, said, ""))
    with pytest.raises(environments.SetupError) as problem:
        environments.ensure("venv", ["rehearsal/requirements.txt"])
    assert f"apt install python3.{sys.version_info.minor}-venv" in str(problem.value)


def test_an_old_python_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is created."""
    monkeypatch.setattr(sys, "version_info", (3, 9, 18, "final", 0))
    assert environments.main(["venv", "rehearsal/requirements.txt"]) == 1
    assert "is Python 3.9.18, 3.10 or newer is needed: make PYTHON=python3.12" in capsys.readouterr().err
