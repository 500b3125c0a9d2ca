"""Roles as narrow as the family of the service's task definition allows: its newest revision is read at plan."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.module.conftest import ACCOUNT, ROOT, TASK_DEFINITIONS, Terraform, plain, write_stack

ROLE = f"arn:aws:iam::{ACCOUNT}:role"
TASKS = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition"
MIGRATES: Mapping[str, Any] = {"run_migrations": {"command": ["alembic", "upgrade", "head"]}}
NARROWED = ("PassTaskRoles", "ReadTaskLogs", "ReadTaskRoles", "RunTasks")


def _awslogs(group: str, region: str) -> dict[str, Any]:
    options = {"awslogs-group": group, "awslogs-region": region, "awslogs-stream-prefix": "app"}
    return {"logConfiguration": {"logDriver": "awslogs", "options": options}}


@pytest.fixture(autouse=True)
def family() -> Iterator[None]:
    """What AWS knows of the family shop: two roles, one by its bare name, and three logs, of which awslogs has two."""
    TASK_DEFINITIONS["shop"] = {
        "executionRoleArn": f"{ROLE}/ecs/shop-execution",
        "taskRoleArn": "shop-task",
        "containerDefinitions": [
            {"name": "app", "image": "shop:1", **_awslogs("/ecs/shop", "eu-west-1")},
            {"name": "worker", "image": "shop:1", **_awslogs("/ecs/shop", "eu-west-1")},
            {"name": "agent", "image": "agent:1", **_awslogs("agents", "eu-central-1")},
            {"name": "proxy", "image": "proxy:1", "logConfiguration": {"logDriver": "splunk", "options": {}}},
            {"name": "silent", "image": "silent:1"},
        ],
    }
    TASK_DEFINITIONS["bare"] = {"containerDefinitions": [{"name": "app", "image": "shop:1"}]}
    yield
    TASK_DEFINITIONS.clear()


def _allowed(terraform: Terraform, stack: Path, inputs: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """The resources of the permissions that a family narrows, by permission and hook."""
    write_stack(stack, ROOT, inputs)
    found: dict[str, dict[str, list[str]]] = {sid: {} for sid in NARROWED}
    for change in terraform.planned(stack)["resource_changes"]:
        if change["type"] == "aws_iam_role_policy":
            for statement in json.loads(change["change"]["after"]["policy"])["Statement"]:
                resources = statement["Resource"]
                if statement["Sid"] in found:
                    listed = sorted(resources) if isinstance(resources, list) else [resources]
                    found[statement["Sid"]][change["index"]] = listed
    return found


def test_a_family_narrows_what_its_tasks_are_run_with(terraform: Terraform, stack: Path) -> None:
    """Its revisions, the newest one's two roles, and the streams of containers in its log groups."""
    roles = [f"{ROLE}/ecs/shop-execution", f"{ROLE}/shop-task"]
    logs = [
        f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:agents:log-stream:*/*/*",
        f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/ecs/shop:log-stream:*/*/*",
    ]
    assert _allowed(terraform, stack, {"task_definition_family": "shop", **MIGRATES}) == {
        "RunTasks": {"run_migrations": [f"{TASKS}/shop:*"]},
        "PassTaskRoles": {"run_migrations": roles},
        "ReadTaskRoles": {"validate_before_install": roles},
        "ReadTaskLogs": {"run_migrations": logs, "validate_deployment": logs},
    }


@pytest.mark.parametrize("named", ["smoke", "smoke:7", f"{TASKS}/smoke:7"])
def test_a_smoke_test_has_what_its_own_task_definition_needs(terraform: Terraform, stack: Path, named: str) -> None:
    """Of green's definition the family's; of another one nobody knows at plan which roles and logs it names."""
    roles = [f"{ROLE}/ecs/shop-execution", f"{ROLE}/shop-task"]
    tests = {
        "validate_test_traffic": {"smoke_test": {"command": ["pytest"]}},
        "validate_production": {"smoke_test": {"task_definition": named}},
    }
    allowed = _allowed(terraform, stack, {"task_definition_family": "shop", **tests})
    assert allowed["RunTasks"] == {
        "validate_test_traffic": [f"{TASKS}/shop:*"],
        "validate_production": [f"{TASKS}/smoke:*"],
    }
    assert allowed["PassTaskRoles"] == {"validate_test_traffic": roles, "validate_production": [f"{ROLE}/*"]}
    anywhere = f"arn:aws:logs:*:{ACCOUNT}:log-group:*:log-stream:*/*/*"
    assert allowed["ReadTaskLogs"]["validate_production"] == [anywhere]
    assert anywhere not in allowed["ReadTaskLogs"]["validate_test_traffic"]


def test_what_a_smoke_test_is_passed_can_be_named(terraform: Terraform, stack: Path) -> None:
    test = {"task_definition": "smoke", "pass_role_arns": [f"{ROLE}/smoke"]}
    allowed = _allowed(terraform, stack, {"validate_production": {"smoke_test": test}})
    assert allowed["PassTaskRoles"] == {"validate_production": [f"{ROLE}/smoke"]}


def test_without_a_family_nothing_is_read_and_any_will_do(terraform: Terraform, stack: Path) -> None:
    """Whoever applies needs no ecs:DescribeTaskDefinition."""
    TASK_DEFINITIONS.clear()
    logs = [f"arn:aws:logs:*:{ACCOUNT}:log-group:*:log-stream:*/*/*"]
    assert _allowed(terraform, stack, MIGRATES) == {
        "RunTasks": {"run_migrations": [f"{TASKS}/*:*"]},
        "PassTaskRoles": {"run_migrations": [f"{ROLE}/*"]},
        "ReadTaskRoles": {"validate_before_install": [f"{ROLE}/*"]},
        "ReadTaskLogs": {"run_migrations": logs, "validate_deployment": logs},
    }


def test_roles_that_are_named_come_first(terraform: Terraform, stack: Path) -> None:
    """`pass_role_arns` is the user's own word."""
    own = {"run_migrations": {**MIGRATES["run_migrations"], "pass_role_arns": [f"{ROLE}/other"]}}
    found = _allowed(terraform, stack, {"task_definition_family": "shop", **own})
    assert found["PassTaskRoles"] == {"run_migrations": [f"{ROLE}/other"]}


def test_a_revision_without_roles_and_logs_allows_none(terraform: Terraform, stack: Path) -> None:
    """A statement on nothing is left out: IAM would refuse the policy."""
    assert _allowed(terraform, stack, {"task_definition_family": "bare", **MIGRATES}) == {
        "RunTasks": {"run_migrations": [f"{TASKS}/bare:*"]},
        "PassTaskRoles": {},
        "ReadTaskRoles": {},
        "ReadTaskLogs": {},
    }


def test_a_family_that_does_not_exist_is_refused(terraform: Terraform, stack: Path) -> None:
    """At plan, by its name."""
    write_stack(stack, ROOT, {"task_definition_family": "shpo"})
    result = terraform.plan(stack)
    assert result.returncode == 1
    assert "reading ECS Task Definition (shpo)" in plain(result.stdout)


def test_a_family_of_the_same_stack_is_waited_for(terraform_on_moto: Terraform, tmp_path: Path) -> None:
    """As the input's description says it: not there at the first plan, read once it is; and a second plan is empty."""
    family = "basename(aws_ecs_task_definition.{}.arn_without_revision)"
    assert family.format("<name>") in (ROOT / "variables.tf").read_text(encoding="utf-8")
    container = {"name": "app", "image": "shop:1", "memory": 256, **_awslogs("/ecs/new", "eu-west-1")}
    definition = {
        "family": "new",
        "task_role_arn": f"{ROLE}/new",
        "container_definitions": json.dumps([container]),
    }
    write_stack(tmp_path, ROOT, {"task_definition_family": f"${{{family.format('app')}}}", **MIGRATES})
    resource = {"resource": {"aws_ecs_task_definition": {"app": definition}}}
    (tmp_path / "definition.tf.json").write_text(json.dumps(resource), encoding="utf-8")
    policies = "-target=module.lambda.aws_iam_role_policy.hook"
    terraform_on_moto.init(tmp_path)
    applied = terraform_on_moto.run(tmp_path, "apply", "-no-color", "-auto-approve", policies)
    assert applied.returncode == 0, applied.stdout
    assert (
        "module.lambda.module.tasks.data.aws_ecs_task_definition.newest[0] will be read during apply" in applied.stdout
    )
    again = terraform_on_moto.plan(tmp_path, "-detailed-exitcode", policies)
    assert again.returncode == 0, again.stdout
    state = terraform_on_moto.run(tmp_path, "show", "-no-color").stdout
    assert "task-definition/new:*" in state
    assert "log-group:/ecs/new:log-stream:*/*/*" in state
