"""The modules of the options alone, many times in one plan: they need no provider, so a plan takes a second."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.module.conftest import ROOT, Terraform, plain


def plan_options(terraform: Terraform, folder: Path, inputs: Sequence[Mapping[str, Any]]) -> tuple[int, str]:
    """Plan `modules/options` for each of the inputs (hook → options), as the module does.

    Returns Terraform's exit status and what it said.
    """
    folder.mkdir(parents=True, exist_ok=True)
    options = Path(os.path.relpath(ROOT / "modules" / "options", folder)).as_posix()
    modules: dict[str, Any] = {}
    for number, given in enumerate(inputs):
        modules[f"given_{number}"] = {"source": f"{options}/given", **literally(given)}
        modules[f"options_{number}"] = {
            "source": options,
            **{hook: f"${{module.given_{number}.{hook}}}" for hook in given},
        }
    outputs = {
        f"options_{number}": {"value": {hook: f"${{module.options_{number}.{hook}}}" for hook in given}}
        for number, given in enumerate(inputs)
    }
    stack = {"module": modules, "output": outputs}
    (folder / "main.tf.json").write_text(json.dumps(stack, indent=1), encoding="utf-8")
    terraform.init(folder)
    result = terraform.plan(folder)
    return result.returncode, result.stdout


def refused_values(text: str, count: int) -> list[str]:
    """What Terraform said to the values of each of so many inputs; of names and kinds it does not say whose."""
    refused = [""] * count
    for block in re.split(r"^Error: ", text, flags=re.MULTILINE)[1:]:
        found = re.search(r"options_(\d+)", block)
        assert found, block
        refused[int(found[1])] += plain(block)
    return refused


def literally(value: Any) -> Any:
    """A value of JSON that Terraform reads as it is: no template in its texts."""
    if isinstance(value, str):
        return value.replace("${", "$${").replace("%{", "%%{")
    if isinstance(value, Mapping):
        return {literally(key): literally(each) for key, each in value.items()}
    return [literally(each) for each in value] if isinstance(value, (list, tuple)) else value


def merged(into: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any] | None:
    """Both documents in one, or None where they give one option two values."""
    found = dict(into)
    for key, value in more.items():
        if key not in found or found[key] == value:
            found[key] = value
        elif isinstance(value, dict) and isinstance(found[key], dict):
            deeper = merged(found[key], value)
            if deeper is None:
                return None
            found[key] = deeper
        else:
            return None
    return found


def in_few(documents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The documents in as few as hold them all: Terraform names all refusals of a plan at once."""
    found: list[dict[str, Any]] = []
    for document in documents:
        for number, each in enumerate(found):
            both = merged(each, document)
            if both is not None:
                found[number] = both
                break
        else:
            found.append(dict(document))
    return found


def planned_options(terraform: Terraform, folder: Path, count: int) -> list[dict[str, Any]]:
    """What the options came to in the plan that was made last."""
    shown = terraform.run(folder, "show", "-json", "test.tfplan")
    assert shown.returncode == 0, shown.stdout
    outputs = json.loads(shown.stdout)["planned_values"]["outputs"]
    return [outputs[f"options_{number}"]["value"] for number in range(count)]
