"""The module as its users write it: planned offline by the real provider."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from gate.options.production import ValidateProduction
from gate.settings import read_settings

from tests.module.conftest import ROOT, Terraform, copy_module, plain, write_stack

HOOKS = [
    "validate_before_install",
    "validate_deployment",
    "validate_test_traffic",
    "run_migrations",
    "validate_production",
]

# The usage of the module, word for word, and around it what the words refer to.
USAGE = """\
module "lambda" {
  source = "../modules/lambda"

  app_name         = var.app_name
  environment      = var.environment
  aws_region       = var.aws_region
  ecs_cluster_name = module.ecs.cluster_name
  ecs_service_name = module.ecs.service_name
  log_retention    = var.log_retention_days
  tags             = local.tags
}
"""
AROUND_USAGE = """\
variable "app_name" {
  type    = string
  default = "fastapi"
}
variable "environment" {
  type    = string
  default = "production"
}
variable "aws_region" {
  type    = string
  default = "eu-west-1"
}
variable "log_retention_days" {
  type    = number
  default = 90
}
locals {
  tags = { Application = var.app_name }
}
module "ecs" {
  source = "../modules/ecs"
}
"""
ECS = """\
output "cluster_name" {
  value = "main"
}
output "service_name" {
  value = "web"
}
"""


def _resources(plan: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Return what a plan makes of one kind of resource, by its key in for_each."""
    return {
        change["index"]: change["change"]["after"]
        for change in plan["resource_changes"]
        if change["type"] == kind and change["change"]["actions"] == ["create"]
    }


def test_the_usage_block_works_as_it_stands(terraform: Terraform, tmp_path: Path) -> None:
    """Seven inputs, a local source: five functions with their roles and log groups."""
    folder = tmp_path / "stack"
    folder.mkdir()
    (folder / "usage.tf").write_text(USAGE, encoding="utf-8")
    (folder / "around.tf").write_text(AROUND_USAGE, encoding="utf-8")
    copy_module(tmp_path / "modules" / "lambda")
    (tmp_path / "modules" / "ecs").mkdir()
    (tmp_path / "modules" / "ecs" / "outputs.tf").write_text(ECS, encoding="utf-8")
    terraform.init(folder)
    plan = terraform.planned(folder)

    functions = _resources(plan, "aws_lambda_function")
    assert sorted(functions) == sorted(HOOKS)
    assert {function["timeout"] for function in functions.values()} == {900}
    assert functions["validate_production"]["function_name"] == "CodeDeployHook_fastapi-production-validate-production"
    assert functions["run_migrations"]["environment"][0]["variables"]["ECS_CLUSTER"] == "main"
    assert all(function["tags"] == {"Application": "fastapi"} for function in functions.values())
    groups = _resources(plan, "aws_cloudwatch_log_group")
    assert {group["retention_in_days"] for group in groups.values()} == {90}
    assert sorted(_resources(plan, "aws_iam_role")) == sorted(HOOKS)


def test_inputs_may_be_unknown_until_apply(terraform: Terraform, stack: Path) -> None:
    """Names from resources that are still to be created do not stop the plan."""
    later = "${terraform_data.later.output}"
    names = ("app_name", "environment", "ecs_cluster_name", "ecs_service_name", "kms_key_arn", "permissions_boundary")
    inputs = dict.fromkeys(names, later)
    request = {
        "host": later,
        "headers": {"X-Run": later},
        "secret_headers": {"X-Key": later},
        "jmespath": {"a": {"equals": later}},
    }
    options = {
        "validate_test_traffic": {"http_checks": {"health": request}, "host": later},
        "run_migrations": {
            "command": ["migrate", later],
            "environment": {"TENANT": later},
            "subnets": [later],
            "security_groups": '${split(",", terraform_data.later.output)}',
            "launch": later,
            "pass_role_arns": [later],
        },
        "validate_production": {"flows": {"order": {"steps": [request]}}, "alarms": {"errors": "OK"}},
    }
    more = {"tags": {"Name": later}, "policy_documents": {"run_migrations": later}}
    write_stack(stack, ROOT, {**inputs, **more, **options})
    extra = {"resource": {"terraform_data": {"later": {"input": "${timestamp()}"}}}}
    (stack / "later.tf.json").write_text(json.dumps(extra), encoding="utf-8")
    result = terraform.plan(stack)
    (stack / "later.tf.json").unlink()
    assert result.returncode == 0, result.stdout
    assert 'module.lambda.aws_lambda_function.hook["run_migrations"] will be created' in result.stdout


def copied(example: str, tmp_path: Path) -> Path:
    """A copy of an example beside a copy of the module, for whatever provider is there."""
    module = copy_module(tmp_path / "module")
    folder = module / "examples" / example
    folder.mkdir(parents=True)
    for path in (ROOT / "examples" / example).glob("*.tf"):
        text = path.read_text(encoding="utf-8").replace('version = ">= 6.14"', 'version = ">= 5.76"')
        (folder / path.name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("example", sorted(path.parent.name for path in ROOT.glob("examples/*/main.tf")))
def test_an_example_can_be_planned(example: str, terraform: Terraform, tmp_path: Path) -> None:
    """Each example plans; of the one for a newer provider everything but the service."""
    folder = copied(example, tmp_path)
    (folder / "service.tf").unlink(missing_ok=True)
    terraform.init(folder)
    result = terraform.plan(folder)
    assert result.returncode == 0, result.stdout
    for hook in HOOKS:
        assert f'.aws_lambda_function.hook["{hook}"] will be created' in result.stdout


def test_the_service_that_ecs_deploys_has_two_blocks_that_an_older_provider_lacks(
    terraform: Terraform, tmp_path: Path
) -> None:
    """Nothing else of it is refused, and what they are filled with exists."""
    folder = copied("ecs-native", tmp_path)
    terraform.init(folder)
    result = json.loads(terraform.run(folder, "validate", "-json").stdout)
    problems = [(each["summary"], each["detail"]) for each in result["diagnostics"]]
    assert problems == [
        ("Unsupported block type", f'Blocks of type "{block}" are not expected here.')
        for block in ("deployment_configuration", "advanced_configuration")
    ]


def test_a_plan_with_changed_sources_says_what_to_run(terraform: Terraform, tmp_path: Path) -> None:
    """A handler changed, added or removed, another library or another package: named, with the cure."""
    module = copy_module(tmp_path / "module")
    with (module / "lambdas" / "run_migrations.py").open("a", encoding="utf-8") as handler:
        handler.write("# changed\n")
    (module / "lambdas" / "gate" / "extra.py").write_text("", encoding="utf-8")
    (module / "lambdas" / "gate" / "__init__.py").unlink()
    (module / "lambdas" / "requirements.txt").write_text("", encoding="utf-8")
    with (module / "dist" / "validate_production.zip").open("ab") as package:
        package.write(b"\0")
    write_stack(tmp_path / "stack", module, {})
    terraform.init(tmp_path / "stack")
    result = terraform.plan(tmp_path / "stack")
    assert result.returncode == 1
    assert (
        "dist/ is not what the sources build: dist/validate_production.zip, lambdas/gate/__init__.py, "
        "lambdas/gate/extra.py, lambdas/requirements.txt, lambdas/run_migrations.py. "
        'Run "make package" and commit dist/.'
    ) in plain(result.stdout)


def test_the_size_of_an_environment_is_exact(terraform: Terraform, stack: Path) -> None:
    """As JSON and in bytes, as Lambda measures it: 4,096 pass and 4,097 do not, counted here by Python."""
    write_stack(stack, ROOT, {"environment_variables": {"run_migrations": {"NOTE": "é"}}})
    functions = _resources(terraform.planned(stack), "aws_lambda_function")
    environment = functions["run_migrations"]["environment"][0]["variables"]
    used = len(json.dumps(environment, ensure_ascii=False, separators=(",", ":")).encode())

    write_stack(stack, ROOT, {"environment_variables": {"run_migrations": {"NOTE": "é" + "x" * (4096 - used)}}})
    assert terraform.plan(stack).returncode == 0

    write_stack(stack, ROOT, {"environment_variables": {"run_migrations": {"NOTE": "é" + "x" * (4097 - used)}}})
    result = terraform.plan(stack)
    assert result.returncode == 1
    assert (
        "The environment of run_migrations takes 4097 bytes, Lambda allows 4096. Shorten the options of run_migrations "
        "(fewer or smaller http_checks, flows, metrics or commands) or its environment_variables."
    ) in plain(result.stdout)


def test_long_options_are_packed(terraform: Terraform, stack: Path) -> None:
    """From 1,501 bytes on; the handlers tell the two apart by the first character, and read the same."""

    def told(length: int) -> str:
        write_stack(stack, ROOT, {"validate_production": {"alarms": {"é" + "x" * length: "OK"}}})
        functions = _resources(terraform.planned(stack), "aws_lambda_function")
        return str(functions["validate_production"]["environment"][0]["variables"]["HOOK_SETTINGS"])

    least = len(told(0).encode())
    plain_text, packed = told(1500 - least), told(1501 - least)
    assert (plain_text[0], len(plain_text.encode())) == ("{", 1500)
    assert packed[0] != "{"
    assert len(packed) < 1500
    options = read_settings(ValidateProduction, {"HOOK_SETTINGS": packed})
    assert options.alarms == {"é" + "x" * (1501 - least): "OK"}


def test_forty_http_checks_fit(terraform: Terraform, stack: Path) -> None:
    """With forty metrics beside them, in Lambda's 4 KB."""
    check = {"status": ["200"], "max_latency_ms": 300, "jmespath": {"state": {"equals": "open"}}}
    checks = {f"check_{n}": {**check, "path": f"/orders/{n}"} for n in range(40)}
    metrics = {
        f"metric_{n}": {"namespace": "Shop", "metric_name": f"Orders{n}", "max_worse_percent": 10} for n in range(40)
    }
    write_stack(stack, ROOT, {"validate_production": {"http_checks": checks, "metrics": metrics}})
    functions = _resources(terraform.planned(stack), "aws_lambda_function")
    variables = functions["validate_production"]["environment"][0]["variables"]
    options = read_settings(ValidateProduction, variables)
    assert (len(options.http_checks), len(options.metrics)) == (40, 40)
    assert options.http_checks["check_39"].path == "/orders/39"


def test_a_provider_of_another_region_is_refused(terraform: Terraform, stack: Path) -> None:
    """ARNs and policies would name a region in which nothing is."""
    write_stack(stack, ROOT, {"aws_region": "eu-central-1"})
    result = terraform.plan(stack)
    assert result.returncode == 1
    assert (
        'aws_region is "eu-central-1", but the aws provider given to this module works in "eu-west-1". '
        "Set aws_region to the provider's region, or pass the provider of that region"
    ) in plain(result.stdout)
