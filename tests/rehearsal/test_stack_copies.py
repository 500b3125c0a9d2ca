"""A copy of a stack leads nowhere outside: its own files stay as they are."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from rehearsal.stacks import hcl
from rehearsal.stacks.copying import FOUND, Copy
from rehearsal.stacks.left_out import placeholder
from rehearsal.stacks.reading import StackError, read

OURS = """\
module "hooks" {
  source           = "git::https://example.com/hooks.git?ref=v1"
  app_name         = "a"
  environment      = "b"
  aws_region       = "eu-west-1"
  ecs_cluster_name = "c"
  ecs_service_name = "d"
}
"""


class Stack:
    """A stack in a folder, and its copy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "user" / "live"

    def write(self, **files: str) -> Stack:
        """Write files of the root, by name without ending."""
        for name, text in files.items():
            path = self.root / f"{name.replace('__', '/')}.tf"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return self

    def copy(self, **reasons: str) -> Copy:
        """Copy it, without these types."""
        copy = Copy(read(self.root), self.folder / "copy", self.folder / "module", dict(reasons))
        copy.write()
        return copy

    def text(self, name: str = "main", **reasons: str) -> str:
        """A file of the copy."""
        return (self.copy(**reasons).root / f"{name}.tf").read_text()


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path)


def contents(folder: Path) -> dict[str, str]:
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}


def test_nothing_outside_the_copy_is_written(stack: Stack) -> None:
    stack.write(main=OURS, more='resource "null_resource" "x" {}')
    before = contents(stack.folder / "user")
    stack.copy()
    assert contents(stack.folder / "user") == before


def test_settings_of_the_provider_lead_to_the_stand_in(stack: Stack) -> None:
    """Of every alias region and tags stay; profile, role, files, accounts and endpoints go."""
    text = stack.write(
        main="""
provider "aws" {
  region              = var.region
  profile             = "production"
  allowed_account_ids = ["111122223333"]
  shared_credentials_files = ["/home/me/.aws/credentials"]
  assume_role { role_arn = "arn:aws:iam::111122223333:role/deploy" }
  default_tags { tags = { A = "1" } }
  endpoints { ecs = "https://example.com" }
}
provider "aws" {
  alias   = "us"
  region  = "us-east-1"
  profile = "other"
}
provider "cloudflare" { api_token = var.token }
"""
    ).text()
    for gone in ("profile", "assume_role", "endpoints", "allowed_account_ids", "shared_", "cloudflare", "var.token"):
        assert gone not in text
    first, second = hcl.parse(text).blocks
    assert first.attributes["region"].value == "var.region"
    assert second.attributes["alias"].literal == "us"
    for block in (first, second):
        assert block.attributes["access_key"].literal == "rehearsal"
    assert [block.type for block in first.blocks] == ["default_tags"]


def test_without_a_provider_block_there_is_one(stack: Stack) -> None:
    assert 'provider "aws" {' in stack.write(main=OURS).text("rehearsal_found")


def test_the_backend_and_other_providers_go(stack: Stack) -> None:
    text = stack.write(
        main="""
terraform {
  required_version = ">= 1.5"
  backend "s3" { bucket = "states" }
  cloud { organization = "x" }
  required_providers {
    aws    = { source = "hashicorp/aws", version = ">= 6.14", configuration_aliases = [aws.us] }
    random = { source = "hashicorp/random" }
  }
}
"""
    ).text()
    for gone in ("backend", "cloud", "random", "6.14"):
        assert gone not in text
    assert 'source = "hashicorp/aws"' in text
    assert "configuration_aliases = [aws.us]" in text
    hcl.parse(text)


def test_our_module_is_this_repositorys(stack: Stack) -> None:
    assert 'source = "../module"' in stack.write(main=OURS).text()


def test_modules_keep_their_places(stack: Stack) -> None:
    """Also those that `terraform get` has put into .terraform, which stay out of Terraform's way."""
    local = 'module "local" {\n  source = "../shared"\n}\n'
    stack.write(main=OURS + local + 'module "vpc" {\n  source = "acme/vpc/aws"\n  version = "~> 5"\n}\n')
    place = stack.root / ".terraform" / "modules"
    (place / "vpc").mkdir(parents=True)
    (place / "vpc" / "main.tf").write_text('resource "aws_vpc" "this" {}\n')
    (place / "modules.json").write_text(json.dumps({"Modules": [{"Key": "vpc", "Dir": ".terraform/modules/vpc"}]}))
    (stack.root.parent / "shared").mkdir()
    (stack.root.parent / "shared" / "main.tf").write_text('data "aws_region" "this" {}\n')
    copy = stack.copy()
    text = (copy.root / "main.tf").read_text()
    assert 'source = "../shared"' in text
    assert 'source = "./terraform_/modules/vpc"' in text
    assert "version" not in text
    assert (copy.root / "terraform_" / "modules" / "vpc" / "main.tf").is_file()
    assert (copy.root.parent / "shared" / "main.tf").is_file()


def test_a_module_that_is_not_there_is_said_with_the_cure(stack: Stack) -> None:
    stack.write(main='module "vpc" {\n  source = "acme/vpc/aws"\n}\n')
    with pytest.raises(StackError, match=r"acme/vpc/aws, which is not on this disk: run `terraform get`"):
        read(stack.root)


def test_files_beside_the_root_come_with_it_and_states_do_not(stack: Stack) -> None:
    stack.write(main='locals {\n  a = file("${path.module}/../files/policy.json")\n}\n')
    (stack.root.parent / "files").mkdir()
    (stack.root.parent / "files" / "policy.json").write_text("{}")
    (stack.root / "terraform.tfstate").write_text("{}")
    (stack.root / "values.auto.tfvars").write_text("")
    root = stack.copy().root
    assert (root.parent / "files" / "policy.json").is_file()
    assert (root / "values.auto.tfvars").is_file()
    assert not (root / "terraform.tfstate").exists()


def test_no_program_is_run(stack: Stack) -> None:
    copy = stack.write(
        main='resource "aws_vpc" "this" {\n  provisioner "local-exec" { command = "curl example.com" }\n}\n'
    ).copy()
    assert "curl" not in (copy.root / "main.tf").read_text()
    assert copy.notes == ["aws_vpc.this: its provisioner is left out, no program is run"]


# What is left out.

BESIDE = """
resource "aws_wafv2_web_acl" "this" {
  count = 2
  name  = "x"
}
resource "random_id" "suffix" { byte_length = 4 }
data "terraform_remote_state" "net" { backend = "s3" }
resource "aws_lb" "this" {
  name       = "a-${random_id.suffix.hex}"
  subnets    = data.terraform_remote_state.net.outputs.subnet_ids
  web        = aws_wafv2_web_acl.this[0].arn
  depends_on = [aws_wafv2_web_acl.this, aws_vpc.this]
}
resource "aws_vpc" "this" {}
"""


def test_what_is_left_out_has_a_value_in_its_place(stack: Stack) -> None:
    """Named by its type, with the attributes that are asked of it, as often as it was declared."""
    copy = stack.write(main=BESIDE).copy(
        aws_wafv2_web_acl="why", **{"data.terraform_remote_state": "the state of another stack is not read"}
    )
    text, found = ((copy.root / f"{name}.tf").read_text() for name in ("main", "rehearsal_found"))
    assert [block.labels[0] for block in hcl.parse(text).of_type("resource", "data")] == ["aws_lb", "aws_vpc"]
    assert "a-${local.left_out_random_id_suffix.hex}" in text
    assert "web        = local.left_out_aws_wafv2_web_acl_this[0].arn" in text
    assert "depends_on = [aws_vpc.this]" in text
    values = next(hcl.parse(found).of_type("locals")).attributes
    assert values["left_out_aws_wafv2_web_acl_this"].value.startswith('[for index in range(2) : { arn = "arn:aws:')
    assert values["left_out_data_terraform_remote_state_net"].value.count("subnet-") == 2
    said = [str(each) for each in copy.left_out]
    assert "aws_wafv2_web_acl.this is left out: why; aws_lb.this depends on it" in said[0]
    assert "random_id.suffix is left out: it is of another provider than aws" in said[1]


def test_what_an_apply_refused_is_left_out_the_next_time(stack: Stack) -> None:
    copy = stack.write(main=BESIDE).copy(**{"data.terraform_remote_state": "x"})
    assert "aws_wafv2_web_acl" in (copy.root / "main.tf").read_text()
    copy.reasons["aws_wafv2_web_acl"] = "refused"
    copy.write()
    assert 'resource "aws_wafv2_web_acl"' not in (copy.root / "main.tf").read_text()


@pytest.mark.parametrize(
    ("attribute", "begins"),
    [
        ("arn", '"arn:aws:'),
        ("role_arn", '"arn:aws:'),
        ("vpc_id", '"vpc-'),
        ("private_subnets", '["subnet-'),
        ("security_group_id", '"sg-'),
        ("port", "5432"),
        ("secret_string", '"{}"'),
    ],
)
def test_placeholders_have_the_form_that_their_names_let_expect(attribute: str, begins: str) -> None:
    assert placeholder("x.y", attribute).startswith(begins)


# A service that ECS itself deploys.

NATIVE = """
resource "aws_ecs_service" "app" {
  for_each = var.services
  name     = each.key
  cluster  = "main"
  deployment_configuration {
    strategy = "BLUE_GREEN"
    dynamic "lifecycle_hook" {
      for_each = module.hooks.lifecycle_hooks
      content { hook_target_arn = lifecycle_hook.value.hook_target_arn }
    }
  }
  load_balancer {
    container_name = "app"
    advanced_configuration { role_arn = "x" }
  }
}
"""


def test_what_needs_a_newer_provider_becomes_an_output(stack: Stack) -> None:
    copy = stack.write(main=OURS + NATIVE).copy()
    text, found = ((copy.root / f"{name}.tf").read_text() for name in ("main", "rehearsal_found"))
    service = next(b for b in hcl.parse(text).blocks if b.labels[0] == "aws_ecs_service")
    assert [block.type for block in service.blocks] == ["load_balancer"]
    assert "advanced_configuration" not in text
    said = hcl.parse(found).blocks[0].attributes["value"].value
    assert hcl.parse(found).blocks[0].labels == (FOUND,)
    assert "[for rehearsal_key, rehearsal_value in var.services : {" in said
    assert "name = rehearsal_key" in said
    assert "advanced_configuration = concat([{" in said
    assert "deployment_configuration, advanced_configuration is given to ECS by the rehearsal itself" in copy.notes[0]


def test_the_hooks_are_an_output_of_each_module(stack: Stack) -> None:
    stack.write(main='module "app" {\n  source = "./app"\n  for_each = var.apps\n}\n', app__main=OURS)
    copy = stack.copy()
    assert "hooks = concat([module.hooks])" in (copy.root / "app" / "rehearsal_found.tf").read_text()
    inside = f"inside = [[for each in values(module.app) : each.{FOUND}]]"
    assert inside in (copy.root / "rehearsal_found.tf").read_text()
