"""A small project to package, and the wheels of the real one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import package
from tools.environments import find_python

HANDLER = '''"""A handler."""

from gate.runner import hook

handler = hook("AfterInstall")
'''
RUNNER = '''"""What the handlers share."""


def hook(event):
    """Return a handler."""
    return lambda payload, context: event
'''
SHARED = '''"""Shared."""

VERSION = "2.3.4"
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two handlers, their shared code and the pinned libraries; the wheels come from the real project's cache."""
    root = tmp_path / "project"
    (root / "lambdas" / "gate").mkdir(parents=True)
    for name in ("validate_deployment", "run_migrations"):
        (root / "lambdas" / f"{name}.py").write_text(HANDLER, encoding="utf-8")
    (root / "lambdas" / "gate" / "__init__.py").write_text(SHARED, encoding="utf-8")
    (root / "lambdas" / "gate" / "runner.py").write_text(RUNNER, encoding="utf-8")
    shutil.copy(package.ROOT / "lambdas" / "requirements.txt", root / "lambdas")

    wheels = root / ".build" / "wheels"
    wheels.mkdir(parents=True)
    for wheel in package.fetch_wheels(root / "lambdas" / "requirements.txt", package.ROOT / ".build" / "wheels"):
        shutil.copy(wheel, wheels)
    package.build(root, root / "dist")
    return root


@pytest.fixture
def python() -> Callable[[str], str]:
    """Return a function that finds an interpreter by version, or skips the test and says which one is missing."""

    def find(version: str) -> str:
        found = find_python(version)
        if found is None:
            pytest.skip(f"no python{version} on the PATH or in pyenv's versions")
        return found

    return find
