"""The Terraform files: formatted, valid, and tested by `terraform test` without a run left out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session
from gate.platforms import ecs

from rehearsal.testing.stage import HANDLERS
from tests.module.conftest import ROOT, Terraform


@pytest.fixture(scope="module")
def initialised(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """Terraform with the module initialised where it is, its data in a folder of the tests."""
    data: Mapping[str, str] = {"TF_DATA_DIR": str(tmp_path_factory.mktemp("terraform"))}
    here = Terraform({**terraform.environment, **data})
    here.init(ROOT)
    return here


def test_every_file_is_formatted(terraform: Terraform) -> None:
    """`make fmt` would change nothing."""
    for folder in (ROOT, ROOT / "modules", ROOT / "tests", ROOT / "examples", ROOT / "rehearsal"):
        recursive = [] if folder == ROOT else ["-recursive"]  # The root holds .build/ too.
        result = terraform.run(folder, "fmt", "-check", "-diff", *recursive)
        assert result.returncode == 0, result.stdout


def test_the_module_is_valid(initialised: Terraform) -> None:
    """`terraform validate` finds nothing, no warning either."""
    result = initialised.run(ROOT, "validate", "-json")
    assert json.loads(result.stdout) | {"format_version": ""} == {
        "format_version": "", "valid": True, "error_count": 0, "warning_count": 0, "diagnostics": [],
    }  # fmt: skip


def test_terraform_test_passes_every_run(initialised: Terraform) -> None:
    """Terraform reads tests/ flat and exits 0 where it finds nothing: so the runs are counted."""
    files = sorted((ROOT / "tests").rglob("*.tftest.hcl"))
    assert [path for path in files if path.parent != ROOT / "tests"] == []
    written = sum(len(re.findall(r'^run "', path.read_text(encoding="utf-8"), re.MULTILINE)) for path in files)
    assert written > 0

    result = initialised.run(ROOT, "test", "-json")
    lines = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    summaries = [line["test_summary"] for line in lines if line["type"] == "test_summary"]
    problems = [line["diagnostic"] for line in lines if line["type"] == "diagnostic"]
    assert summaries == [{"status": "pass", "passed": written, "failed": 0, "errored": 0, "skipped": 0}], problems


def test_each_output_waits_for_the_policies() -> None:
    """A function's ARN is of no use to CodeDeploy before its role may report."""
    text = (ROOT / "outputs.tf").read_text(encoding="utf-8")
    blocks = re.findall(r'^output "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL)
    assert blocks
    waits = re.compile(r"^  depends_on += \[aws_iam_role_policy\.hook, aws_iam_role_policy\.custom\]$", re.MULTILINE)
    assert [name for name, block in blocks if not waits.search(block)] == []


def test_the_examples_need_the_versions_that_the_module_needs() -> None:
    """One floor for Terraform and one for the provider, everywhere but where a service is ECS's own to deploy."""
    floors = {}
    for path in [ROOT / "versions.tf", *ROOT.glob("examples/*/*.tf"), *ROOT.glob("rehearsal/environment/*.tf")]:
        text = path.read_text(encoding="utf-8")
        if "required_version" in text:
            floors[path.relative_to(ROOT).as_posix()] = tuple(re.findall(r'version\s*=\s*"(>= [0-9.]+)"', text))
    assert floors.pop("examples/ecs-native/main.tf") == (floors["versions.tf"][0], ">= 6.14")  # as it says
    assert len(floors) > 1
    assert set(floors.values()) == {floors["versions.tf"]}


def test_the_limit_of_names_is_computed_for_the_longest() -> None:
    """What stands before a hook's own part of a name is shortened where the longest of the five would not fit."""
    handlers = [path.stem for path in Path(ROOT / "lambdas").glob("*.py")]
    room = 64 - len(f"-{max(handlers, key=len)}")
    text = (ROOT / "main.tf").read_text(encoding="utf-8")
    assert f"length(local._whole_stem) <= {room} ?" in text
    first, digits, last = map(
        int, re.findall(r"(?:0, |-)(\d+)", text.split("_stem = length", 1)[1].split("])", 1)[0])[:3]
    )
    assert first + 1 + digits + 1 + last == room


def test_the_module_is_small() -> None:
    """Of the root's files those that are written by hand: somebody reads them from top to bottom."""
    by_hand = [path for path in ROOT.glob("*.tf") if not path.read_text(encoding="utf-8").startswith("# Written by")]
    assert len(by_hand) == 7
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in by_hand) < 1000


def test_the_stages_are_those_of_the_hooks_and_of_ecs() -> None:
    """What modules/lifecycle_hooks lets pass, refuses and takes by itself stands in the functions' code too."""
    source = (ROOT / "modules" / "lifecycle_hooks" / "outputs.tf").read_text(encoding="utf-8")

    def written(name: str, end: str) -> str:
        return source.partition(f"  {name} ")[2].partition(end)[0]

    ecs_model: Any = get_session().get_service_model("ecs")
    known = re.findall(r'"(\w+)"', written("_known", "]"))
    assert sorted(known) == sorted(ecs_model.shape_for("DeploymentLifecycleHookStage").enum)
    assert tuple(re.findall(r'"(\w+)"', written("_twice", "]"))) == ecs.RECURRING
    of_hooks = {HANDLERS[event]: stages for event, stages in ecs.STAGES.items()}
    own = re.findall(r'"(\w+)"', written("_own_stages", "])"))
    assert own == [of_hooks[hook][0] for hook in HANDLERS.values()]
    elsewhere = dict(re.findall(r'(\w+) += "([\w ]+)"', written("_elsewhere", "}")))
    assert elsewhere == {hook: " or ".join(of_hooks[hook]) for hook in ("run_migrations", "validate_production")}
