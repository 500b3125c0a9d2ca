"""docs/smoke-tests.md as its readers use it: its HCL can be planned, its variables are those that a task is told."""

from __future__ import annotations

import json
import re
from pathlib import Path

from gate.options.one_off import TOLD

from tests.module.conftest import ROOT, Terraform, copy_module
from tests.module.pages import PAGES, blocks
from tests.module.test_usage import AROUND_USAGE, ECS

PAGE = PAGES["docs/smoke-tests.md"]


def test_the_hcl_can_be_planned_though_the_task_definition_is_yet_to_be_made(
    terraform: Terraform, tmp_path: Path
) -> None:
    """What a hook with such a test may do is known when it is applied; the other one's at once."""
    (block,) = blocks("hcl", PAGE)
    folder = tmp_path / "stack"
    folder.mkdir()
    (folder / "page.tf").write_text(block, encoding="utf-8")
    (folder / "around.tf").write_text(AROUND_USAGE, encoding="utf-8")
    copy_module(tmp_path / "modules" / "lambda")
    (tmp_path / "modules" / "ecs").mkdir()
    (tmp_path / "modules" / "ecs" / "outputs.tf").write_text(ECS, encoding="utf-8")
    terraform.init(folder)
    changes = {change["address"]: change["change"] for change in terraform.planned(folder)["resource_changes"]}
    policy = 'module.lambda.aws_iam_role_policy.hook["validate_{}"]'
    assert changes[policy.format("production")]["after_unknown"]["policy"] is True
    sids = [each["Sid"] for each in json.loads(changes[policy.format("test_traffic")]["after"]["policy"])["Statement"]]
    assert {"RunTasks", "TagTasks", "ReadTasks", "StopTasks", "PassTaskRoles", "ReadTaskLogs"} <= set(sids)


def test_it_has_each_variable() -> None:
    """In a table, by the names that the hook gives them."""
    source = (ROOT / "lambdas" / "gate" / "smoke_test.py").read_text(encoding="utf-8")
    told = re.findall(r'^            "([A-Z_]+)": ', source, re.MULTILINE)
    assert told
    assert re.findall(rf"^\| `{TOLD}(\w+)` \|", PAGE, re.MULTILINE) == told
