"""docs/custom-hooks.md and docs/testing.md as their readers use them: each block is what a test here runs."""

from __future__ import annotations

import functools
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rehearsal.own import own_checks
from rehearsal.testing import Deployment
from tests.module.pages import PAGES, blocks
from tools import package

pytestmark = pytest.mark.skipif(
    bool(own_checks("validate_production")), reason="about the shipped validate_production: this clone has changed it"
)

ROOT = package.ROOT
CUSTOM, TESTING = PAGES["docs/custom-hooks.md"], PAGES["docs/testing.md"]
EMPTY = ("AWS_", "PYTEST_", "PYTHON")  # of the environment of whoever runs this


def changed(text: str, diff: str) -> str:
    """A text with a diff applied, each part of which is found once."""
    for hunk in diff.split("@@\n")[1:]:
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] or "\n" for line in lines if line[0] != "+")
        after = "".join(line[1:] or "\n" for line in lines if line[0] != "-")
        assert text.count(before) == 1, f"expected once, found {text.count(before)} times:\n{before}"
        text = text.replace(before, after)
    return text


def one_check_more(lambdas: Path) -> None:
    """As the section has it."""
    handler = lambdas / "validate_production.py"
    handler.write_text(changed(handler.read_text(encoding="utf-8"), blocks("diff", CUSTOM)[0]), "utf-8")


def a_handler_of_ones_own(lambdas: Path) -> None:
    """As the section has it."""
    (lambdas / "validate_production.py").write_text(blocks("python", CUSTOM)[0], encoding="utf-8")


@functools.cache
def wheels() -> list[Path]:
    """The layer's wheels."""
    return package.fetch_wheels(ROOT / "lambdas" / "requirements.txt", ROOT / ".build" / "wheels")


@pytest.fixture(params=[one_check_more, a_handler_of_ones_own])
def custom_handler(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A changed validate_production, packaged as the page says, taken from its zip."""
    project = tmp_path / "project"
    shutil.copytree(ROOT / "lambdas", project / "lambdas", ignore=shutil.ignore_patterns("__pycache__"))
    request.param(project / "lambdas")
    (project / ".build" / "wheels").mkdir(parents=True)
    for wheel in wheels():
        shutil.copy(wheel, project / ".build" / "wheels")
    package.build(project, project / "dist")
    task = tmp_path / "task"
    zipfile.ZipFile(project / "dist" / "validate_production.zip").extractall(task)
    spec = importlib.util.spec_from_file_location("validate_production", task / "validate_production.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "validate_production", module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("orders", [100, 101])
def test_the_custom_handler_works(
    orders: int, custom_handler: ModuleType, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changed, packaged, tested with moto, as the pages say."""
    assert [named.name for named in custom_handler.handler.names if named.own] == ["queue"]
    pages: dict[str, Any] = {}
    exec(blocks("python", TESTING)[2], pages)  # noqa: S102 - the page's own test
    pages["test_the_queue_is_worked_off"](deployment, monkeypatch, orders)


def test_an_option_of_ones_own_is_one_line() -> None:
    """The line fits where the page puts it, and is an option then."""
    path = ROOT / "lambdas" / "gate" / "options" / "production.py"
    text = changed(path.read_text(encoding="utf-8"), blocks("diff", CUSTOM)[1])
    module = ModuleType("custom_options")
    sys.modules[module.__name__] = module  # where dataclasses look for the types
    try:
        exec(compile(text, str(path), "exec"), vars(module))  # noqa: S102 - the page's own line
    finally:
        del sys.modules[module.__name__]
    assert vars(module)["ValidateProduction"]().max_waiting_orders == 100


def in_a_shell(folder: Path, commands: str) -> str:
    """Run commands of the page in a user's folder, `python` and `pip` being those that run this; what they say."""
    programs = folder / ".bin"
    programs.mkdir(exist_ok=True)
    for name, arguments in (("python", []), ("pip", ["-m", "pip"])):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, *arguments])} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(EMPTY)}
    environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
    ran = subprocess.run(
        ["sh", "-c", commands], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def with_clone(folder: Path, path: Path) -> None:
    """Put what stands for the clone where the page has it."""
    (folder / "modules").mkdir()
    (folder / "modules" / "lambda").symlink_to(path)


def users_pytest(folder: Path, path: Path) -> str:
    """Run the page's pytest in a user's folder, with this alone on its path beside what is installed; what it says."""
    with_clone(folder, path)
    (ini,) = blocks("ini", TESTING)
    (folder / "pytest.ini").write_text(ini, encoding="utf-8")
    return in_a_shell(folder, blocks("sh", TESTING)[1])


def test_what_the_page_installs_can_be_installed(tmp_path: Path) -> None:
    """All of it is here already, in the versions that are asked for."""
    with_clone(tmp_path, ROOT)
    command = blocks("sh", TESTING)[0]
    told = in_a_shell(tmp_path, command.replace("pip install ", "pip install --dry-run --no-index "))
    assert "Requirement already satisfied: moto" in told
    assert "Would install" not in told


def test_the_complete_test_runs_in_an_empty_folder(tmp_path: Path) -> None:
    """The three files as they stand on the page, the clone being this one."""
    line, test, *_ = blocks("python", TESTING)
    assert len(test.splitlines()) < 20
    (tmp_path / "conftest.py").write_text(line, encoding="utf-8")
    (tmp_path / "test_hooks.py").write_text(test, encoding="utf-8")
    assert f"{test.count('def test_')} passed" in users_pytest(tmp_path, ROOT)


def test_one_check_is_tested_with_moto_alone(tmp_path: Path) -> None:
    """The check of the page, in `lambdas/` that are a user's: no fixture, no conftest of ours."""
    lambdas = tmp_path / "lambdas"
    shutil.copytree(ROOT / "lambdas", lambdas, ignore=shutil.ignore_patterns("__pycache__"))
    a_handler_of_ones_own(lambdas)
    folder = tmp_path / "stack"
    folder.mkdir()
    (folder / "test_hooks.py").write_text(blocks("python", TESTING)[-1], encoding="utf-8")
    assert "1 passed" in users_pytest(folder, lambdas)
