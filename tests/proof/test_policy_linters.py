"""parliament finds nothing in the rendered policies and checkov nothing in the module: or the reason stands here.

Checkov's exceptions stand in the .tf files, at the resource that each is about.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from tests.policies import HOOKS, ROOT, Policies, render, with_everything

TOOLS = ROOT / ".build" / "prove" / "bin"
ARN_AS_STRING = "Type mismatch: StringEquals requires a value of type String but given Arn"
# What parliament finds and is right as it is: the finding and what it is about, with the reason.
ACCEPTED = {
    ("RESOURCE_STAR", "ec2:CreateNetworkInterface"): "Lambda asks for it on everything, as AWS's own policy gives it",
    ("RESOURCE_STAR", "ec2:DeleteNetworkInterface"): "as above: AWSLambdaVPCAccessExecutionRole",
    ("RESOURCE_STAR", "ec2:AssignPrivateIpAddresses"): "as above",
    ("RESOURCE_STAR", "ec2:UnassignPrivateIpAddresses"): "as above",
    ("RESOURCE_STAR", "ecs:ListTasks"): "its only resource is a container instance, which no task on Fargate has; the "
    "condition narrows it to the cluster",
    ("RESOURCE_STAR", "cloudwatch:DescribeAlarms"): "composite alarms come to a permission on everything only",
    ("RESOURCE_MISMATCH", "logs:DescribeLogGroups"): "parliament's copy of the reference is older than the action's "
    "resource, log-group*",
    ("MISMATCHED_TYPE_BUT_USABLE", ARN_AS_STRING): "without wildcards the same comparison as ArnEquals (iam.tf)",
}


def tool(name: str) -> str:
    """Return a program of the environment; fails with the cure."""
    path = TOOLS / name
    assert path.exists(), f"{path} is missing: python tools/environments.py prove tests/proof/requirements.txt"
    return str(path)


@pytest.fixture(scope="module")
def policies() -> Policies:
    """The policies with every option."""
    return render({"everything": with_everything([])})["everything"]


def findings(statements: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Return what parliament says of a policy: the issue and what it is about."""
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore"}  # of a package that parliament still uses
    command = [tool("parliament"), "--json"]
    run = subprocess.run(command, input=document, env=quiet, capture_output=True, text=True, check=False)
    assert run.stderr == ""
    found = set()
    for finding in map(json.loads, run.stdout.splitlines()):
        details = finding["detail"] if isinstance(finding["detail"], list) else [finding["detail"]]
        for detail in details or [finding["title"]]:
            found.add((finding["issue"], detail["action"] if isinstance(detail, dict) else str(detail)))
    return found


def test_parliament_finds_nothing_that_is_not_accepted(policies: Policies) -> None:
    """Nor is anything accepted that it does not find."""
    found = {hook: findings(policies[hook]) for hook in HOOKS}
    assert {hook: each - set(ACCEPTED) for hook, each in found.items()} == {hook: set() for hook in HOOKS}
    assert set(ACCEPTED) == set().union(*found.values())


def test_parliament_would_find_something() -> None:
    """It does look: an action that does not exist, and a bucket where an object belongs."""
    wrong = [{"Sid": "A", "Effect": "Allow", "Action": "ecs:RunTasks", "Resource": "*"}]
    wrong += [{"Sid": "B", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket"}]
    assert findings(wrong[:1]) == {("UNKNOWN_ACTION", "Unknown action ecs:RunTasks")}
    assert findings(wrong[1:]) == {("RESOURCE_MISMATCH", "s3:GetObject")}


def test_checkov_finds_nothing() -> None:
    """Each check that is skipped says why."""
    sources = [path.name for path in sorted(ROOT.glob("*.tf"))]
    run = subprocess.run(
        [tool("checkov"), "--file", *sources, "--framework", "terraform", "--skip-download", "--output", "json"],
        cwd=ROOT,
        env={**os.environ, "BC_SKIP_MAPPING": "TRUE"},
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(run.stdout)
    results = report["results"]
    failed = [f"{check['check_id']} {check['resource']}: {check['check_name']}" for check in results["failed_checks"]]
    assert failed == []
    assert results["parsing_errors"] == []
    assert report["summary"]["passed"] > 30
    assert run.returncode == 0
    skipped = {check["check_id"]: check["check_result"]["suppress_comment"] for check in results["skipped_checks"]}
    assert sorted(skipped) == ["CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_272", "CKV_AWS_338", "CKV_AWS_50"]
    assert all(len(reason) > 20 for reason in skipped.values())
