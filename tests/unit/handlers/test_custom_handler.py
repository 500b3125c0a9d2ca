"""A handler of one's own, as the README has it: changed, packaged, tested on the stage."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
import textwrap
import zipfile
from pathlib import Path
from types import ModuleType

import boto3
import pytest

from rehearsal.testing.stage import Judge, Stage
from tools import package


@pytest.fixture
def custom_handler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The README's handler in place of validate_production's, packaged as the README says, taken from its zip."""
    readme = (package.ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"^ *```python\n(.*?)^ *```$", readme, re.MULTILINE | re.DOTALL)
    assert block is not None
    project = tmp_path / "project"
    shutil.copytree(package.ROOT / "lambdas", project / "lambdas", ignore=shutil.ignore_patterns("__pycache__"))
    (project / "lambdas" / "validate_production.py").write_text(textwrap.dedent(block[1]), encoding="utf-8")
    (project / ".build" / "wheels").mkdir(parents=True)
    for wheel in package.fetch_wheels(project / "lambdas" / "requirements.txt", package.ROOT / ".build" / "wheels"):
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
    orders: int, custom_handler: ModuleType, stage: Stage, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Modified, packaged, tested with moto, as the section on custom hooks says."""
    sqs = boto3.client("sqs", region_name="eu-west-1")
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    for _ in range(orders):
        sqs.send_message(QueueUrl=url, MessageBody="order")
    monkeypatch.setenv("QUEUE_URL", url)
    judgement = judge(custom_handler, stage.at("AfterAllowTraffic"))
    assert judgement.succeeded is (orders <= 100)
    assert f"{orders} orders wait in the queue" in judgement["checks"][1]["detail"]
