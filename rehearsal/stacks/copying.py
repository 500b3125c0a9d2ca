"""Makes a copy of a stack in which nothing leads outside: the folder in which Terraform works.

The folders keep their places to each other. Changed in the copy are only: where a module's source is this repository's
module or comes from a registry, the settings of providers, the backend, what runs programs (`provisioner`), and what is
left out. Blocks of a service that ECS itself deploys, which need a newer provider than there may be, become an output.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from rehearsal.stacks import hcl
from rehearsal.stacks.hcl import Attribute, Block
from rehearsal.stacks.left_out import LeftOut, Substitute, why_left_out
from rehearsal.stacks.reading import Call, Folder, Source

Edit = tuple[int, int, str]

KEPT_OF_PROVIDER = ("alias", "region")
_NOT_COPIED = {"node_modules", "venv", "__pycache__"}
_LARGEST = 50_000_000
"""Bytes of a file that is copied."""
_ELSEWHERE = ("backend", "cloud")

SETTINGS = """\
  access_key                  = "rehearsal"
  secret_key                  = "rehearsal"
  token                       = "rehearsal"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true
  max_retries                 = 2
"""
FOUND = "rehearsal_found"
"""The output of each module of the copy: the hooks, the services and what is inside."""


class Copy:
    """A copy of a stack.

    Args:
        source: the stack.
        folder: where the copy is made; nothing is written elsewhere.
        ours: where this repository's module is.
        reasons: types that are left out, and why; may grow before the next `write`.
    """

    def __init__(self, source: Source, folder: Path, ours: Path, reasons: dict[str, str]) -> None:
        self._source, self._folder, self._ours = source, folder, ours
        self.reasons = reasons
        self.left_out: list[LeftOut] = []
        self.notes: list[str] = list(source.notes)
        kept = [*source.folders, *(path if path.is_dir() else path.parent for path in source.beside)]
        self._ancestor = Path(os.path.commonpath(kept))
        for path in (*source.folders, *source.beside):
            self._copy_files(path)

    @property
    def root(self) -> Path:
        """The copy's root module."""
        return self._place(self._source.root)

    def write(self) -> None:
        """Write the files of HCL, with what is left out now."""
        self.left_out, self.notes = [], list(self._source.notes)
        for folder in self._source.folders.values():
            for name, text in _Changed(self, folder).texts().items():
                (self._place(folder.path) / name).write_text(text, encoding="utf-8")

    def source_of(self, folder: Folder, call: Call) -> str:
        """What a module's source is in the copy."""
        target = self._ours if call.target is None else self._place(call.target)
        return f'"./{os.path.relpath(target, self._place(folder.path))}"'.replace('"./..', '"..')

    def is_root(self, folder: Folder) -> bool:
        """Whether it is the root module."""
        return folder.path == self._source.root

    def _place(self, path: Path) -> Path:
        # What Terraform has put into .terraform would be its own there, and gone after `init`.
        parts = ["terraform_" if part == ".terraform" else part for part in path.relative_to(self._ancestor).parts]
        return self._folder.joinpath(*parts)

    def _copy_files(self, path: Path) -> None:
        for file in [path] if path.is_file() else _files(path):
            target = self._place(file)
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
        self._place(path).parent.mkdir(parents=True, exist_ok=True)


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _NOT_COPIED]
        for name in names:
            file = Path(place) / name
            state = ".tfstate" in name or name.endswith((".tfplan", ".lock.hcl"))
            if not state and file.is_file() and file.stat().st_size <= _LARGEST:
                yield file


class _Changed:
    """The files of one folder as the copy has them."""

    def __init__(self, copy: Copy, folder: Folder) -> None:
        self._copy, self._folder = copy, folder
        self._providers = set(_names_of_aws(folder))
        self._substitutes = list(self._left_out())
        self._services: list[str] = []
        copy.left_out += [each.left_out for each in self._substitutes]

    def texts(self) -> dict[str, str]:
        """The files by name, with one more that has what the rehearsal wants to know."""
        changed = {}
        for name, text in self._folder.texts.items():
            edits = [edit for block in self._folder.files[name].blocks for edit in self._edits(text, block)]
            changed[name] = self._redirected(hcl.edited(text, edits))
        further = [self._found()]
        if self._substitutes:
            locals_ = "\n".join(f"  {self._redirected(each.hcl)}" for each in self._substitutes)
            further.append(f"locals {{\n{locals_}\n}}\n")
        if self._copy.is_root(self._folder) and not any(
            block.labels == ("aws",) and "alias" not in block.attributes for _, block in self._folder.blocks("provider")
        ):
            further.append(f'provider "aws" {{\n{SETTINGS}}}\n')
        return {**changed, "rehearsal_found.tf": "\n".join(further)}

    def _left_out(self) -> Iterator[Substitute]:
        for name, block in self._folder.blocks("resource", "data"):
            why = why_left_out(block, self._copy.reasons, self._providers)
            if why is not None:
                yield Substitute(self._folder, name, block, why)

    def _redirected(self, text: str) -> str:
        for each in self._substitutes:
            text = each.replace(text)
        return text

    def _edits(self, text: str, block: Block) -> Iterator[Edit]:
        if any(each.block is block for each in self._substitutes) or block.type in ("import", "check", "ephemeral"):
            yield block.start, block.end, ""
            return
        yield from self._without_order(block)
        if block.type == "terraform":
            yield from self._of_terraform(block)
        elif block.type == "provider":
            known = block.labels[0] in self._providers
            yield block.start, block.end, _provider(text, block) if known else ""
        elif block.type == "module":
            yield from self._of_call(next(call for call in self._folder.calls if call.block is block))
        elif block.type == "resource":
            for each in block.of_type("provisioner", "connection"):
                self._copy.notes.append(f"{'.'.join(block.labels)}: its {each.type} is left out, no program is run")
                yield each.start, each.end, ""
            if block.labels[0] == "aws_ecs_service":
                yield from self._of_service(text, block)

    def _without_order(self, block: Block) -> Iterator[Edit]:
        """Take what is left out of `depends_on` and the like."""
        lists = [block.attributes.get("depends_on")]
        lists += [each.attributes.get("replace_triggered_by") for each in block.of_type("lifecycle")]
        for attribute in filter(None, lists):
            entries = [entry.strip() for entry in re.split(r"[,\n]", attribute.value.strip("[] \n"))]
            kept = [e for e in entries if e and not any(each.refers(e) for each in self._substitutes)]
            if len(kept) != len([e for e in entries if e]):
                yield attribute.start, attribute.end, f"{attribute.name} = [{', '.join(kept)}]"

    def _of_terraform(self, block: Block) -> Iterator[Edit]:
        for each in block.of_type(*_ELSEWHERE):
            yield each.start, each.end, ""
        for each in block.of_type("required_providers"):
            for attribute in each.attributes.values():
                if attribute.name not in self._providers:
                    yield attribute.start, attribute.end, ""
                elif wanted := re.search(r"version\s*=\s*\"([^\"]*)\",?", attribute.value):
                    at = attribute.value_start
                    yield at + wanted.start(), at + wanted.end(), ""

    def _of_call(self, call: Call) -> Iterator[Edit]:
        attributes = call.block.attributes
        source = attributes["source"]
        yield source.start, source.end, f"source = {self._copy.source_of(self._folder, call)}"
        if "version" in attributes:
            yield attributes["version"].start, attributes["version"].end, ""
        if "providers" in attributes:
            given = attributes["providers"]
            pairs = re.findall(r"([\w.-]+)\s*=\s*([\w.-]+)", given.value)
            kept = [f"{name} = {value}" for name, value in pairs if value.partition(".")[0] in self._providers]
            yield given.start, given.end, "providers = {\n" + "\n".join(kept) + "\n}"

    def _of_service(self, text: str, block: Block) -> Iterator[Edit]:
        """Move what needs a newer provider into the output."""
        cut = [each for each in block.blocks if _is(each, "deployment_configuration") and _needs_newer(each)]
        cut += [
            inner
            for each in _all_blocks(block)
            if _is(each, "load_balancer")
            for inner in _all_blocks(each)
            if _is(inner, "advanced_configuration")
        ]
        if not cut:
            return
        self._copy.notes.append(
            f"{'.'.join(block.labels)}: {', '.join(dict.fromkeys(map(_kind, cut)))} is given to ECS by the "
            "rehearsal itself, so that any version of the provider will do"
        )
        for each in cut:
            yield each.start, each.end, ""
        kept = Block(block.type, block.labels, block.start)
        names = ("name", "cluster")
        kept.attributes = {name: block.attributes[name] for name in names if name in block.attributes}
        kept.blocks = [
            each for each in block.blocks if _kind(each) in ("deployment_configuration", "load_balancer", "alarms")
        ]
        self._services.append(_of_all_instances(block, hcl.as_expression(text, kept)))

    def _found(self) -> str:
        hooks = [call.each for call in self._folder.calls if call.target is None]
        inside = [f"[for each in {call.each} : each.{FOUND}]" for call in self._folder.calls if call.target is not None]
        return (
            f'output "{FOUND}" {{\n  sensitive = true\n  value = {{\n'
            f"    hooks = concat({', '.join(hooks) or '[]'})\n"
            f"    services = concat({', '.join(self._redirected(each) for each in self._services) or '[]'})\n"
            f"    inside = [{', '.join(inside)}]\n  }}\n}}\n"
        )


def _kind(block: Block) -> str:
    return block.labels[0] if block.type == "dynamic" else block.type


def _is(block: Block, kind: str) -> bool:
    return _kind(block) == kind


def _needs_newer(block: Block) -> bool:
    return "strategy" in block.attributes or any("strategy" in each.attributes for each in block.of_type("content"))


def _all_blocks(block: Block) -> Iterator[Block]:
    for each in block.blocks:
        yield each
        if each.type == "content":
            yield from each.blocks
        if each.type == "dynamic":
            yield from (inner for content in each.of_type("content") for inner in content.blocks)


def _of_all_instances(block: Block, one: str) -> str:
    """An expression of a list: one entry for each instance of a resource."""
    if "count" in block.attributes:
        renamed = re.sub(r"\bcount\.index\b", "rehearsal_index", one)
        return f"[for rehearsal_index in range({block.attributes['count'].value}) : {renamed}]"
    if "for_each" in block.attributes:
        renamed = re.sub(r"\beach\.(key|value)\b", r"rehearsal_\1", one)
        return f"[for rehearsal_key, rehearsal_value in {block.attributes['for_each'].value} : {renamed}]"
    return f"[{one}]"


def _names_of_aws(folder: Folder) -> Iterable[str]:
    """The local names of the provider: `aws`, and others whose source it is."""
    yield "aws"
    for _, block in folder.blocks("terraform"):
        for each in block.of_type("required_providers"):
            for attribute in each.attributes.values():
                if "hashicorp/aws" in attribute.value:
                    yield attribute.name


def _provider(text: str, block: Block) -> str:
    kept: Mapping[str, Attribute] = {n: a for n, a in block.attributes.items() if n in KEPT_OF_PROVIDER}
    lines = [f"  {name} = {attribute.value}\n" for name, attribute in kept.items()]
    blocks = [f"  {text[each.start : each.end]}\n" for each in block.of_type("default_tags", "ignore_tags")]
    return f'provider "{block.labels[0]}" {{\n{"".join(lines)}{SETTINGS}{"".join(blocks)}}}'
