"""docs/explain.md says of `tools/explain.py` what is so: the permissions it needs, its exit statuses, its options."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from typing import Any

from botocore.session import get_session
from gate.appspec import HOOK_EVENTS

from tests.module.conftest import ROOT
from tests.module.pages import PAGES, blocks
from tools import explain

PAGE = PAGES["docs/explain.md"]
SOURCE = (ROOT / "tools" / "explain.py").read_text(encoding="utf-8")
OF_A_VERSION = "s3:GetObjectVersion"
"""What S3 asks for in the place of s3:GetObject, where the call names a version (IAM's reference of its actions)."""
MODULES = {"boto3", "botocore"}


def called() -> set[str]:
    """Return the actions of all calls that the file makes."""
    calls = re.findall(r"""aws\.(?:call|pages)\(\s*(?:#[^\n]*\n\s*)?"(\w+)",\s*"(\w+)\"""", SOURCE)
    assert len(calls) == SOURCE.count("aws.call(") + SOURCE.count("aws.pages(")
    return {f"{service}:{''.join(part.capitalize() for part in operation.split('_'))}" for service, operation in calls}


def test_the_policy_allows_what_is_called() -> None:
    """All calls but those that the text beside it names."""
    (policy,) = blocks("json", PAGE)
    actions: set[str] = set()
    for statement in json.loads(policy)["Statement"]:
        named = statement["Action"]
        actions.update([named] if isinstance(named, str) else named)
    beside = {"s3:GetObject", "lambda:GetFunctionConfiguration"}
    assert called() == actions | beside
    assert all(f"`{action}`" in PAGE for action in beside | {OF_A_VERSION})


def test_what_is_printed_where_a_permission_is_missing() -> None:
    printed = set(re.findall(r"\b[a-z0-9]+:[A-Z]\w+", " ".join(explain.NEEDS.values())))
    assert printed | {"lambda:GetFunctionConfiguration"} == called() | {OF_A_VERSION}


def test_every_call_is_one_of_aws() -> None:
    session = get_session()
    for action in called():
        service, operation = action.split(":")
        assert operation in session.get_service_model(service).operation_names


def test_events_and_stages() -> None:
    """The events are those that the hooks know, the stages those of hooks and of service deployments in ECS's model."""
    ecs: Any = get_session().get_service_model("ecs")
    shapes = ("DeploymentLifecycleHookStage", "ServiceDeploymentLifecycleStage")
    assert explain.EVENTS == HOOK_EVENTS
    assert sorted(explain.STAGES) == sorted({stage for shape in shapes for stage in ecs.shape_for(shape).enum})


def test_it_stands_alone() -> None:
    """The standard library and boto3, on Python 3.9 too, wherever the file lies."""
    tree = ast.parse(SOURCE, feature_version=(3, 9))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= MODULES | sys.stdlib_module_names


def test_a_copy_runs(tmp_path: object) -> None:
    copy = f"{tmp_path}/explain.py"
    with open(copy, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(SOURCE)
    shown = subprocess.run([sys.executable, "-I", copy, "--help"], capture_output=True, text=True, check=True).stdout
    for option in set(re.findall(r"--[a-z]+", PAGE)):
        assert option in shown


def test_exit_statuses() -> None:
    """As the page, the file's own words and the code have them."""
    rows = re.findall(r"^\| (\d) \| (.*?) \|$", PAGE, re.MULTILINE)
    statuses = (explain.SUCCEEDED, explain.STOPPED, explain.UNKNOWN, explain.IN_PROGRESS)
    assert [int(number) for number, _ in rows] == list(statuses)
    assert re.findall(r"\b(\d) (it succeeded|it failed|nobody|it is in)", " ".join(str(explain.__doc__).split())) == [
        ("0", "it succeeded"),
        ("1", "it failed"),
        ("2", "nobody"),
        ("3", "it is in"),
    ]
