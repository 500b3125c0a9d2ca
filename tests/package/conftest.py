"""A small project to package, and the wheels of the real one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import package

HANDLER = '''"""A handler."""

from gate.hook import lifecycle_hook

handler = lifecycle_hook("AfterInstall")
'''
HOOK = '''"""What the handlers share."""


def lifecycle_hook(event):
    """Return a handler."""
    return lambda payload, context: event
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two handlers, their shared code and the pinned libraries; the wheels come from the real project's cache."""
    root = tmp_path / "project"
    (root / "lambdas" / "gate").mkdir(parents=True)
    for name in ("validate_deployment", "run_migrations"):
        (root / "lambdas" / f"{name}.py").write_text(HANDLER, encoding="utf-8")
    (root / "lambdas" / "gate" / "__init__.py").write_text('"""Shared."""\n', encoding="utf-8")
    (root / "lambdas" / "gate" / "hook.py").write_text(HOOK, encoding="utf-8")
    shutil.copy(package.ROOT / "lambdas" / "requirements.txt", root / "lambdas")

    wheels = root / ".build" / "wheels"
    wheels.mkdir(parents=True)
    for wheel in package.fetch_wheels(root / "lambdas" / "requirements.txt", package.ROOT / ".build" / "wheels"):
        shutil.copy(wheel, wheels)
    package.build(root, root / "dist")
    return root


def find_python(version: str) -> str | None:
    """Return an interpreter of this version (`3.9`): from the PATH, or from pyenv's folder of versions."""
    on_path = shutil.which(f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    # pyenv puts a script of the same name on the PATH, which fails unless that version is chosen.
    is_shim = bool(on_path) and Path(str(on_path)).parent.name == "shims"
    folders = [pyenv, Path(str(on_path)).parent.parent / "versions"] if is_shim else [pyenv]
    candidates = [str(path) for folder in folders for path in sorted(folder.glob(f"{version}.*/bin/python{version}"))]
    if on_path and not is_shim:
        candidates.insert(0, on_path)
    return candidates[0] if candidates else None


@pytest.fixture
def python() -> Callable[[str], str]:
    """Return a function that finds an interpreter by version, or skips the test and says which one is missing."""

    def find(version: str) -> str:
        found = find_python(version)
        if found is None:
            pytest.skip(f"no python{version} on the PATH or in pyenv's versions")
        return found

    return find
