"""What is left out of a copy: resources and data sources that the stand-in does not know, by type.

Where others refer to what was left out, a local value of the same attributes stands in its place.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rehearsal.stacks.hcl import Block
from rehearsal.stacks.reading import Folder

NOT_THERE: Mapping[str, str] = {
    "data.terraform_remote_state": "the state of another stack is not read",
    "data.aws_ip_ranges": "it is asked of the internet",
}
"""What is left out of every stack, by type, and why."""

UNKNOWN = "the stand-in does not know it"
ANOTHER_PROVIDER = "it is of another provider than aws, and nobody but the stand-in is called"

GATING = (
    *("aws_ecs_service", "aws_ecs_cluster", "aws_ecs_task_definition"),
    *("aws_lb", "aws_lb_listener", "aws_lb_listener_rule", "aws_lb_target_group"),
    *("aws_alb", "aws_alb_listener", "aws_alb_listener_rule", "aws_alb_target_group"),
    *("aws_codedeploy_app", "aws_codedeploy_deployment_group", "aws_codedeploy_deployment_config"),
    *("aws_lambda_function", "aws_lambda_layer_version", "aws_iam_role", "aws_iam_role_policy"),
    *("aws_iam_role_policy_attachment", "aws_cloudwatch_metric_alarm", "aws_security_group", "aws_subnet", "aws_vpc"),
)
"""What a deployment is made of: without it there is nothing to rehearse, so a refusal of it is an error."""

_LISTS = re.compile(r"(_ids|_arns|_names|subnets|security_groups|zones|cidr_blocks|addresses)$")
_KINDS = (("vpc", "vpc"), ("subnet", "subnet"), ("security_group", "sg"))


@dataclass(frozen=True)
class LeftOut:
    """One block that was left out."""

    address: str
    """`type.name`, of a data source `data.type.name`."""
    why: str
    used_by: tuple[str, ...]
    """What in the same module refers to it."""

    @property
    def type(self) -> str:
        """As reasons are kept by it: `aws_x`, `data.aws_x`."""
        return self.address.rpartition(".")[0]

    @property
    def matters(self) -> tuple[str, ...]:
        """Those of them that the deployment is made of."""
        gating = (*GATING, "module")
        return tuple(each for each in self.used_by if each.removeprefix("data.").partition(".")[0] in gating)

    def __str__(self) -> str:
        said = f"{self.address} is left out: {self.why}"
        if self.matters:
            return f"{said}; {', '.join(self.matters)} depends on it: what comes of that is not rehearsed"
        return f"{said}; {', '.join(self.used_by)} refers to it" if self.used_by else said


def type_of(block: Block) -> str:
    """The type as reasons are kept by it."""
    return f"data.{block.labels[0]}" if block.type == "data" else block.labels[0]


def why_left_out(block: Block, reasons: Mapping[str, str], providers: Iterable[str]) -> str | None:
    """Why a resource or data source is left out; None if it is not. `providers`: the names under which aws is known."""
    kind = type_of(block)
    if kind in reasons:
        return reasons[kind]
    named = block.attributes["provider"].value.partition(".")[0] if "provider" in block.attributes else ""
    if (named or block.labels[0].partition("_")[0]) in (*providers, "terraform"):
        return None
    return ANOTHER_PROVIDER


class Substitute:
    """The local value in the place of a block, and whatever refers to the block."""

    def __init__(self, folder: Folder, file: str, block: Block, why: str) -> None:
        self.file, self.block = file, block
        self.address = f"{type_of(block)}.{block.labels[1]}"
        self.local = re.sub(r"\W", "_", f"left_out_{self.address}")
        self.pattern = re.compile(rf"(?<![\w.-]){re.escape(self.address)}(?![\w-])")
        self.left_out = LeftOut(self.address, why, tuple(dict.fromkeys(self._users(folder))))
        self._attributes = self._used(folder)

    def _users(self, folder: Folder) -> Iterable[str]:
        for name, file in folder.files.items():
            for block in file.blocks:
                if block is not self.block and self.pattern.search(folder.texts[name], block.start, block.end):
                    kind = {"resource": "", "data": "data."}.get(block.type, f"{block.type}.")
                    yield f"{kind}{'.'.join(block.labels)}".rstrip(".")

    def _used(self, folder: Folder) -> dict[str, str]:
        """The attributes that are referred to, each with what follows it."""
        index = r"(?:\[[^\]]*\]|\.\*)?"
        outputs = r"\.outputs" if self.block.labels[0] == "terraform_remote_state" else ""
        chain = re.compile(self.pattern.pattern + rf"{index}{outputs}\.([A-Za-z_][\w-]*)(\[|\.[A-Za-z_][\w-]*)?")
        return {match[1]: match[2] or "" for text in folder.texts.values() for match in chain.finditer(text)}

    def refers(self, text: str) -> bool:
        """Whether a text refers to the block."""
        return self.pattern.search(text) is not None

    def replace(self, text: str) -> str:
        """Return a text that refers to the local value instead."""
        return self.pattern.sub(f"local.{self.local}", text)

    @property
    def hcl(self) -> str:
        """The local value."""
        parts = []
        for name, rest in self._attributes.items():
            value = placeholder(self.address, name)
            if rest == "[" and not value.startswith("["):
                value = f"[{value}]"
            elif rest.startswith("."):
                value = f"{{ {rest[1:]} = {placeholder(self.address, rest[1:])} }}"
            parts.append(f"{name} = {value}")
        one = "{ " + ", ".join(parts) + " }"
        if self.block.labels[0] == "terraform_remote_state":
            one = f"{{ outputs = {one} }}"
        repeated = self.block.attributes
        if "count" in repeated:
            one = f"[for index in range({repeated['count'].value}) : {one}]"
        elif "for_each" in repeated:
            one = f"{{ for key, value in {repeated['for_each'].value} : key => {one} }}"
        return f"{self.local} = {one}"


def placeholder(address: str, attribute: str) -> str:
    """An expression for an attribute of what is not there: of the form that its name lets expect."""
    digits = hashlib.sha256(f"{address}.{attribute}".encode()).hexdigest()[:8]
    if attribute == "arn" or attribute.endswith("_arn"):
        return f'"arn:aws:rehearsal:eu-west-1:123456789012:left-out/{digits}"'
    if _LISTS.search(attribute):
        one = re.sub(r"s$", "", attribute)
        return f"[{placeholder(address, one)}, {placeholder(address + '+', one)}]"
    for part, prefix in _KINDS:
        if part in attribute and not attribute.endswith(("name", "cidr_block")):
            return f'"{prefix}-{digits}"'
    if attribute.endswith("port"):
        return "5432"
    if "cidr" in attribute:
        return '"10.0.0.0/16"'
    if address.partition(".")[0] == "random_integer":
        return str(int(digits, 16) % 10000)
    return '"{}"' if attribute.endswith(("json", "secret_string")) else f'"{digits}"'
