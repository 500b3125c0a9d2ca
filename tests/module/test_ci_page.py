"""docs/ci.md: its AppSpec is rendered and read, its HCL planned, its workflow and commands held against what they call.

Its commands are run in tests/rehearsal/test_ci_commands.py.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from gate.appspec import parse_appspec
from gate.verdict import ProbeError

from tests.module.conftest import INPUTS, ROOT, Terraform, copy_module
from tests.module.pages import PAGES, blocks
from tools.explain import hooks_of

PAGE = PAGES["docs/ci.md"]

# Inputs and outputs as each action's action.yml declares them; actions/checkout is given none.
ACTIONS = {
    "actions/checkout": ({""}, {"ref", "commit"}),
    "aws-actions/configure-aws-credentials": (
        {
            "audience",
            "aws-access-key-id",
            "aws-secret-access-key",
            "aws-session-token",
            "aws-region",
            "mask-aws-account-id",
            "role-to-assume",
            "web-identity-token-file",
            "role-duration-seconds",
            "role-session-name",
            "role-external-id",
            "role-skip-session-tagging",
            "http-proxy",
        },
        {"aws-account-id"},
    ),
    "aws-actions/amazon-ecs-render-task-definition": (
        {
            "task-definition",
            "task-definition-arn",
            "task-definition-family",
            "task-definition-revision",
            "container-name",
            "image",
            "environment-variables",
            "log-configuration-log-driver",
            "log-configuration-options",
            "docker-labels",
            "command",
            "task-role-arn",
            "execution-role-arn",
            "env-files",
            "secrets",
        },
        {"task-definition"},
    ),
    "aws-actions/amazon-ecs-deploy-task-definition": (
        {
            "task-definition",
            "desired-count",
            "service",
            "cluster",
            "wait-for-service-stability",
            "wait-for-minutes",
            "codedeploy-appspec",
            "codedeploy-application",
            "codedeploy-deployment-group",
            "codedeploy-deployment-description",
            "force-new-deployment",
        },
        {"task-definition-arn", "codedeploy-deployment-id"},
    ),
}
REQUIRED = {"task-definition", "container-name", "image"}
# Of AWS's reference of the action CodeDeployToECS; images are numbered from 1 to 4.
PIPELINE_KEYS = {
    "ApplicationName",
    "DeploymentGroupName",
    "AppSpecTemplateArtifact",
    "AppSpecTemplatePath",
    "TaskDefinitionTemplateArtifact",
    "TaskDefinitionTemplatePath",
    "Image1ArtifactName",
    "Image1ContainerName",
}
VARIABLES = ("pipeline_role_arn", "artifact_bucket", "connection_arn", "build_project_name")


def write(folder: Path, *texts: str) -> None:
    """Write a stack: blocks of the page, the module and the variables that they name."""
    folder.mkdir(parents=True)
    inputs = "\n".join(f'  {name} = "{value}"' for name, value in INPUTS.items())
    module = f'module "lambda" {{\n  source = "../modules/lambda"\n{inputs}\n}}\n'
    variables = [f'variable "{name}" {{\n  default = "{INPUTS[name]}"\n}}' for name in ("app_name", "environment")]
    variables += [f'variable "{name}" {{\n  default = "arn:aws:iam::111122223333:role/x"\n}}' for name in VARIABLES]
    (folder / "main.tf").write_text("\n".join([module, *variables, *texts]), encoding="utf-8")
    copy_module(folder.parent / "modules" / "lambda")


def test_every_hcl_block_can_be_planned(terraform: Terraform, tmp_path: Path) -> None:
    """With the configuration that CodePipeline's action has."""
    write(tmp_path / "stack", *blocks("hcl", PAGE))
    terraform.init(tmp_path / "stack")
    plan = terraform.planned(tmp_path / "stack")
    made: dict[str, Any] = {each["type"]: each["change"]["after"] for each in plan["resource_changes"]}
    assert made["aws_ssm_parameter"]["name"] == f"/{INPUTS['app_name']}/{INPUTS['environment']}/appspec"
    stages = made["aws_codepipeline"]["stage"]
    given = [action for stage in stages for action in stage["action"] if action["provider"] == "CodeDeployToECS"]
    assert set(given[0]["configuration"]) == PIPELINE_KEYS
    outputs = {
        artifact for stage in stages for action in stage["action"] for artifact in action["output_artifacts"] or []
    }
    assert set(given[0]["input_artifacts"]) <= outputs
    build = yaml.safe_load(blocks("yaml", PAGE)[1])
    assert build["artifacts"]["files"] == [
        given[0]["configuration"]["AppSpecTemplatePath"],
        "taskdef.json",
        "imageDetail.json",
    ]


def test_the_appspec_is_one(terraform: Terraform, tmp_path: Path) -> None:
    """Rendered by Terraform from the module's output; read as the first hook reads it, and as `explain` does."""
    folder = tmp_path / "stack"
    write(folder, blocks("hcl", PAGE)[0])
    mocks, _, _ = (ROOT / "tests" / "wiring.tftest.hcl").read_text(encoding="utf-8").partition("\nvariables {")
    (folder / "render.tftest.hcl").write_text(f'{mocks}\nrun "render" {{\n  command = apply\n}}\n', encoding="utf-8")
    terraform.init(folder)
    told = terraform.run(folder, "test", "-json", "-verbose")
    lines = [json.loads(line) for line in told.stdout.splitlines() if line.startswith("{")]
    states = [line["test_state"] for line in lines if line.get("type") == "test_state"]
    assert states, told.stdout
    (parameter,) = (each for each in states[0]["root_module"]["resources"] if each["type"] == "aws_ssm_parameter")
    appspec = parameter["values"]["value"]
    definition = "arn:aws:ecs:eu-west-1:111122223333:task-definition/orders:7"
    with pytest.raises(ProbeError, match="nobody filled the placeholder in"):
        parse_appspec(appspec)
    plan = parse_appspec(appspec.replace("<TASK_DEFINITION>", definition))
    assert not plan.unknown
    assert (plan.task_definition, plan.container_name, plan.container_port) == (definition, "app", 8000)
    assert list(plan.hooks) == [
        "BeforeInstall",
        "AfterInstall",
        "AfterAllowTestTraffic",
        "BeforeAllowTraffic",
        "AfterAllowTraffic",
    ]
    assert set(plan.hooks.values()) == {"arn:aws:lambda:eu-west-1:111122223333:function:mock"}
    assert hooks_of(appspec) == plan.hooks
    # As the ECS deploy action sends it on.
    assert hooks_of(json.dumps(yaml.safe_load(appspec))) == plan.hooks


def test_the_workflow_gives_its_actions_what_they_take() -> None:
    workflow = yaml.safe_load(blocks("yaml", PAGE)[0])
    (job,) = workflow["jobs"].values()
    made: dict[str, set[str]] = {}
    for step in job["steps"]:
        if "uses" in step:
            name, _, version = step["uses"].partition("@")
            inputs, outputs = ACTIONS[name]
            given = set(step.get("with", {}))
            assert given <= inputs
            assert REQUIRED & inputs <= given
            assert re.fullmatch(r"v\d+", version)
            made[step.get("id", "")] = outputs
        else:
            assert step["run"]
        for step_id, output in re.findall(r"steps\.([\w-]+)\.outputs\.([\w-]+)", json.dumps(step)):
            assert output in made[step_id]
    # An expression in a script would be run as one.
    assert not [step for step in job["steps"] if "${{" in step.get("run", "")]
    assert workflow["permissions"]["id-token"] == "write"
