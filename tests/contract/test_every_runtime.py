"""lambdas/ runs on each Python that the module accepts as a runtime, 3.9 first of all.

Each interpreter that this machine has imports every module, reads every hook's options (annotations are evaluated
at run time, which is where old versions differ), tells their schemas as the module does, and lets every handler answer
an event that is none.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from gate.options.hooks import HOOKS
from gate.settings import schema_of

from tools.environments import find_python

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = ["3.9", "3.10", "3.11", "3.12", "3.13"]

PROGRAM = """
import dataclasses, importlib, json, pathlib, sys, warnings
warnings.simplefilter("error")
sys.dont_write_bytecode = True
root = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(root))
names = [".".join(path.relative_to(root).with_suffix("").parts) for path in sorted(root.rglob("*.py"))]
modules = {name: importlib.import_module(name) for name in names}

from gate.options.hooks import HOOKS
from gate.options.requests import HttpCheck
from gate.settings import BadSettings, read_settings, schema_of

answers, schemas = {}, {}
for name, kind in HOOKS.items():
    defaults = json.dumps({**dataclasses.asdict(kind()), "checks": {"a": "warn"}, "schema": schema_of(kind)})
    assert read_settings(kind, {"HOOK_SETTINGS": defaults}) == kind(checks={"a": "warn"})
    schemas[name] = schema_of(kind)
    answers[name] = modules[name].handler({"unknown": 1}, None)["status"]
check = {"http_checks": {"a": {"status": ["2xx"], "timeout": 1, "max_latency_ms": 5, "json": "[1]"}}}
read = read_settings(HOOKS["validate_test_traffic"], {"HOOK_SETTINGS": json.dumps(check)})
assert read.http_checks["a"] == HttpCheck(status=("2xx",), timeout=1.0, max_latency_ms=5.0, json="[1]")
metric = {"namespace": "n", "metric_name": "m", "max_worse_percent": 1, "period": "x"}
try:
    read_settings(HOOKS["validate_production"], {"HOOK_SETTINGS": json.dumps({"metrics": {"a": metric}})}, "hook")
except BadSettings as problem:
    assert str(problem) == 'hook.metrics.a.period is "x"; expected a whole number of seconds from 1 to 86400.', problem
else:
    raise AssertionError
print(json.dumps({"version": sys.version_info[:2], "modules": names, "answers": answers, "schemas": schemas}))
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_everything_is_imported_read_and_answered(version: str) -> None:
    python = find_python(version)
    if python is None:
        pytest.skip(f"no python{version} on the PATH or in pyenv's versions")
    result = subprocess.run(
        [python, "-I", "-c", PROGRAM, str(ROOT / "lambdas")],
        text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert ".".join(map(str, found["version"])) == version
    assert len(found["modules"]) == len(list((ROOT / "lambdas").rglob("*.py")))
    assert found["answers"] == dict.fromkeys(HOOKS, "FAILED")
    assert found["schemas"] == {hook: schema_of(kind) for hook, kind in HOOKS.items()}
