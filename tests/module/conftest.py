"""Terraform for the module's tests: the real provider, offline, in a folder of its own for each stack."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.offline import ACCOUNT, INPUTS, ROOT, TASK_DEFINITIONS, Terraform, offline, write_stack

__all__ = ["ACCOUNT", "INPUTS", "ROOT", "TASK_DEFINITIONS", "Terraform", "offline", "write_stack"]


def copy_module(folder: Path) -> Path:
    """Copy what a module's user gets into a folder; return the folder."""
    folder.mkdir(parents=True)
    for path in ROOT.glob("*.tf"):
        shutil.copy(path, folder)
    for name in ("lambdas", "dist", "modules"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def plain(text: str) -> str:
    """Return what Terraform says without its frames and line breaks: messages are wrapped to a terminal's width."""
    return re.sub(r"[\s│╷╵]+", " ", text)


@pytest.fixture(scope="session")
def terraform() -> Iterator[Terraform]:
    """Terraform, offline."""
    with offline() as terraform:
        yield terraform


@pytest.fixture(scope="module")
def stack(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stack with the module, initialised; a test writes its own inputs into it."""
    folder = tmp_path_factory.mktemp("stack")
    write_stack(folder, ROOT, {})
    terraform.init(folder)
    return folder
