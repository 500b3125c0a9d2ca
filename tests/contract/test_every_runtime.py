"""lambdas/ runs on each Python that the module accepts as a runtime, 3.9 first of all.

Each interpreter that this machine has imports every module, reads every hook's settings (annotations are evaluated
at run time, which is where old versions differ) and lets every handler answer an event that is none.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

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

from gate.http_checks import HttpCheck
from gate.settings import BadSettings, HookSettings, read_settings

answers = {}
for name, module in modules.items():
    if hasattr(module, "handler"):
        kind = getattr(module, "Settings", HookSettings)
        settings = read_settings(kind, {"HOOK_SETTINGS": '{"checks": {"a": "warn"}}'})
        assert settings.checks == {"a": "warn"}
        answers[name] = module.handler({"unknown": 1}, None)["status"]
check = {"http_checks": {"a": {"status": ["2xx"], "timeout": 1, "max_latency_ms": 5, "json": "[1]"}}}
read = read_settings(modules["validate_test_traffic"].Settings, {"HOOK_SETTINGS": json.dumps(check)})
assert read.http_checks["a"] == HttpCheck(status=("2xx",), timeout=1.0, max_latency_ms=5.0, json="[1]")
try:
    read_settings(modules["validate_production"].Settings, {"HOOK_SETTINGS": '{"metrics": {"a": {"period": "x"}}}'})
except BadSettings as problem:
    assert "HOOK_SETTINGS.metrics.a.period is " in str(problem) and "a whole number" in str(problem), problem
print(json.dumps({"version": sys.version_info[:2], "modules": names, "answers": answers}))
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
    assert found["answers"] == dict.fromkeys(
        [
            "run_migrations",
            "validate_before_install",
            "validate_deployment",
            "validate_production",
            "validate_test_traffic",
        ],
        "FAILED",
    )
