"""The commands of docs/ci.md, run as they stand there: by a shell, on the stand-in, with deployments played."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from rehearsal.aws import codedeploy
from rehearsal.aws.codedeploy import HOOK_EVENTS
from rehearsal.aws.server import StandIn
from rehearsal.lifecycle import Player
from rehearsal.native import NativePlayer
from rehearsal.testing.native import Native
from rehearsal.testing.stage import SERVICE
from tests.module.pages import PAGES, blocks
from tests.rehearsal.explained import STEM, NativeTown, Town, arn_of, stops
from tools.explain import STOPPED, SUCCEEDED

ROOT = Path(__file__).resolve().parents[2]
PAGE = PAGES["docs/ci.md"]
REASON = "2 targets are unhealthy: Target.Timeout"


def block(language: str, *having: str) -> str:
    """Return the one block of a language that has these words."""
    (text,) = [each for each in blocks(language, PAGE) if all(words in each for words in having)]
    return text


def appspec() -> str:
    """Return the page's AppSpec, with the hooks of the town in the place of the module's output."""
    (heredoc,) = re.findall(r"<<-EOT\n(.*?)^ +EOT$", block("hcl", "aws_ssm_parameter"), re.MULTILINE | re.DOTALL)
    hooks = "\n".join(["Hooks:", *(f'  - {event}: "{arn_of(event)}"' for event in HOOK_EVENTS)])
    return textwrap.dedent(heredoc).replace("${module.lambda.appspec_hooks}", hooks)


class Shell:
    """A job: a folder with what the page says that it has, and a shell whose `aws` is ours.

    `when`: by operation, what happens before the answer to it is sent.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.when: dict[str, Callable[[], object]] = {}
        (folder / "ci").mkdir()
        (folder / "ci" / "explain.py").write_bytes((ROOT / "tools" / "explain.py").read_bytes())
        bin_folder = folder / "bin"
        bin_folder.mkdir()
        for name, arguments in (("aws", [str(ROOT / "tests" / "module" / "aws_cli.py")]), ("python3", [])):
            program = bin_folder / name
            program.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, *arguments])} "$@"\n', encoding="utf-8")
            program.chmod(0o755)
        self._server = StandIn(self._answered)
        self._environment = {
            **os.environ,
            "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
            "AWS_ENDPOINT_URL": self._server.serve(),
        }

    def _answered(self, _method: str, _path: str, action: str, status: int, _seconds: float) -> None:
        if status == 200:
            self.when.get(action, lambda: None)()

    def task_definition(self, ecs: Any, known: str) -> None:
        """Write taskdef.json, like a task definition that there is."""
        found = ecs.describe_task_definition(taskDefinition=known)["taskDefinition"]
        keys = ("family", "networkMode", "requiresCompatibilities", "cpu", "memory", "executionRoleArn")
        kept = {key: found[key] for key in (*keys, "containerDefinitions") if key in found}
        (self.folder / "taskdef.json").write_text(json.dumps(kept), encoding="utf-8")

    def run(self, commands: str) -> subprocess.CompletedProcess[str]:
        """Run commands."""
        return subprocess.run(
            ["sh", "-c", commands], cwd=self.folder, env=self._environment, capture_output=True, text=True, check=False
        )

    def end(self) -> None:
        """Serve no more."""
        self._server.stop()


@pytest.fixture
def shell(stand_in: None, tmp_path: Path) -> Iterator[Shell]:  # noqa: ARG001  (it is there meanwhile)
    """A job on the stand-in."""
    job = Shell(tmp_path)
    yield job
    job.end()


@pytest.fixture
def town(shell: Shell) -> Town:
    """An environment `live` that CodeDeploy deploys to: a deployment is over when it has been created."""
    town = Town()
    town.clients.codedeploy.update_deployment_group(
        applicationName="orders", currentDeploymentGroupName="orders", newDeploymentGroupName="live"
    )
    boto3.client("ssm").put_parameter(Name="/orders/live/appspec", Value=appspec(), Type="String")
    shell.task_definition(town.clients.ecs, town.stack.task_definition)

    def play() -> None:
        (created,) = [each for each in codedeploy.deployments() if each.status == "Created"]
        Player(created, town.clients, town.hooks.attempts, lambda _: None).play()

    shell.when["CreateDeployment"] = play
    return town


@pytest.mark.parametrize("stopped", [False, True])
def test_the_aws_cli(shell: Shell, town: Town, stopped: bool) -> None:
    """The deployment is of the task definition just registered, and the job ends as it does."""
    if stopped:
        town.written.lines["AfterInstall"] = stops(REASON)
    done = shell.run(block("sh", "create-deployment"))
    first, *_ = codedeploy.deployments()
    newest = town.clients.ecs.list_task_definitions(familyPrefix="orders")["taskDefinitionArns"][-1]
    assert newest in str(first.app_spec())
    assert first.description == "build by hand"
    assert done.returncode == (STOPPED if stopped else SUCCEEDED), done.stderr
    ending = (
        f"was stopped by {STEM}validate-deployment at AfterInstall: {REASON}" if stopped else "orders/live succeeded."
    )
    assert done.stdout.rstrip().endswith(ending)


def test_a_job_ends_where_a_command_fails(shell: Shell, town: Town) -> None:
    """Nothing is deployed without its AppSpec."""
    boto3.client("ssm").delete_parameter(Name="/orders/live/appspec")
    assert shell.run(block("sh", "create-deployment")).returncode
    assert not list(codedeploy.deployments())
    assert not town.hooks.ran


def test_the_scripts_of_the_workflow(shell: Shell, town: Town) -> None:
    """Those between the actions; what these hand over is put in their place."""
    town.written.lines["AfterInstall"] = stops(REASON)
    workflow = block("yaml", "amazon-ecs-deploy-task-definition")
    (fetch,) = re.findall(r"run: (aws .*)", workflow)
    assert shell.run(fetch).returncode == 0
    # As the action sends it: JSON, with the task definition in its place.
    content = town.stack.app_spec(town.stack.register(), **{event: arn_of(event) for event in HOOK_EVENTS})
    assert (shell.folder / "appspec.yaml").read_text(encoding="utf-8").rstrip() == appspec().rstrip()
    created = town.clients.codedeploy.create_deployment(
        applicationName="orders",
        deploymentGroupName="live",
        revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": content}},
    )["deploymentId"]
    shell.when["CreateDeployment"]()
    explain = textwrap.dedent(workflow.rpartition("run: |\n")[2]).replace("pip install --quiet boto3\n", "")
    done = shell.run(f"set -e; DEPLOYMENT={created}; {explain}")
    assert done.returncode == STOPPED
    assert done.stdout.rstrip().endswith(REASON)


@pytest.mark.parametrize("stopped", [False, True])
def test_ecs_itself(shell: Shell, monkeypatch: pytest.MonkeyPatch, stopped: bool) -> None:
    """The deployment before, which succeeded, is not taken for this one."""
    town = NativeTown()
    town.service = Native(town.stage)
    before = town.service.deployment
    monkeypatch.setattr(before, "created_at", before.created_at.replace(year=2020))
    shell.task_definition(town.stage.ecs, town.stage.green_definition)
    if stopped:
        town.written.lines["POST_SCALE_UP"] = stops(REASON)

    def play() -> None:
        deployment = town.service.service.service_deployments[-1]
        NativePlayer(deployment, town.clients, town.hooks.attempts, lambda _: None).play()

    shell.when["UpdateService"] = play
    commands = block("sh", "update-service").replace("orders", SERVICE)
    done = shell.run(commands)
    assert done.returncode == (STOPPED if stopped else SUCCEEDED), done.stderr
    last = done.stdout.rstrip().splitlines()[-1]
    assert town.service.service.service_deployments[-1].id in last
    assert last.endswith(f"at POST_SCALE_UP: {REASON}" if stopped else "succeeded.")
