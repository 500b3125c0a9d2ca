"""Reads a root module and all that its `module` blocks reach on this disk."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.stacks import hcl
from rehearsal.stacks.hcl import Block

OUR_INPUTS = {"app_name", "environment", "aws_region", "ecs_cluster_name", "ecs_service_name"}
"""By these a call is known whose source is not on disk."""

_BESIDE = re.compile(r"\$\{path\.(?:module|root)\}/((?:\.\./)+[^\"$]*)")
_BY_FUNCTION = re.compile(r"\b(?:file\w*|templatefile)\(\s*\"((?:\.\./)+[^\"$]*)\"")


class StackError(Exception):
    """The stack cannot be rehearsed; the message says why and the cure."""


@dataclass(frozen=True)
class Call:
    """A `module` block."""

    name: str
    block: Block
    file: str
    target: Path | None
    """The folder that it reaches; None: this repository's module."""

    @property
    def each(self) -> str:
        """What stands for all of its instances in an expression: a list."""
        if "for_each" in self.block.attributes:
            return f"values(module.{self.name})"
        return f"module.{self.name}[*]" if "count" in self.block.attributes else f"[module.{self.name}]"


@dataclass
class Folder:
    """One module: its files of HCL, by name, each with its blocks."""

    path: Path
    texts: dict[str, str] = field(default_factory=dict)
    files: dict[str, Block] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def blocks(self, *types: str) -> Iterator[tuple[str, Block]]:
        """Iterate over its blocks of these types, each with the file's name."""
        return ((name, block) for name, file in self.files.items() for block in file.of_type(*types))


@dataclass
class Source:
    """A stack as it lies on disk."""

    root: Path
    folders: dict[Path, Folder]
    beside: list[Path]
    """Files and folders elsewhere that it reads."""
    notes: list[str] = field(default_factory=list)


def read(root: Path) -> Source:
    """Read a root module; raises StackError."""
    root = root.resolve()
    if not root.is_dir() or not any(root.glob("*.tf")):
        raise StackError(f"{root} has no *.tf: STACK is the folder of a Terraform root module")
    source = Source(root, {}, [])
    _Reader(source).walk(root, ())
    return source


class _Reader:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._installed = _installed(source.root)

    def walk(self, path: Path, key: tuple[str, ...]) -> None:
        if path in self._source.folders:
            return
        folder = self._source.folders[path] = Folder(path)
        for file in sorted(path.glob("*.tf")):
            text = file.read_text(encoding="utf-8").replace("\r\n", "\n")
            try:
                folder.files[file.name] = hcl.parse(text)
            except hcl.HclError as error:
                raise StackError(f"{file}: {error}") from error
            folder.texts[file.name] = text
            found = [match[1] for match in (*_BESIDE.finditer(text), *_BY_FUNCTION.finditer(text))]
            self._source.beside += [each for each in ((path / name).resolve() for name in found) if each.exists()]
        self._source.notes += [f"{file} is taken as it is: it is JSON" for file in path.glob("*.tf.json")]
        for name, block in list(folder.blocks("module")):
            called = (*key, block.labels[0])
            target = self._target(path, block, called)
            folder.calls.append(Call(block.labels[0], block, name, target))
            if target is not None:
                self.walk(target, called)

    def _target(self, path: Path, block: Block, key: tuple[str, ...]) -> Path | None:
        named = f"module {'.'.join(key)}"
        source = block.attributes["source"].literal if "source" in block.attributes else None
        if source is None:
            raise StackError(f"{named} in {path} has no source that is a plain text")
        if source.startswith(("./", "../", "/")):
            target = (path / source).resolve()
            if not target.is_dir():
                raise StackError(f"{named}: {source} leads to {target}, where nothing is")
            return None if is_ours(target) else target
        installed = self._installed.get(".".join(key))
        if installed is not None and installed.is_dir():
            return None if is_ours(installed) else installed
        if block.attributes.keys() >= OUR_INPUTS:
            return None
        raise StackError(
            f"{named} comes from {source}, which is not on this disk: run `terraform get` in {self._source.root} "
            "first, it puts modules into .terraform/modules"
        )


def is_ours(folder: Path) -> bool:
    """Whether a folder holds this repository's module, of whatever version."""
    return (folder / "modules" / "options").is_dir() and (folder / "dist" / "validate_before_install.zip").is_file()


def _installed(root: Path) -> dict[str, Path]:
    """The modules that `terraform get` has put into the root's own folder, by key."""
    manifest = root / ".terraform" / "modules" / "modules.json"
    if not manifest.is_file():
        return {}
    entries = json.loads(manifest.read_text(encoding="utf-8")).get("Modules") or []
    return {entry["Key"]: (root / entry["Dir"]).resolve() for entry in entries if entry.get("Key")}
