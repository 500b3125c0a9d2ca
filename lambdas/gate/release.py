"""What a deployment brings: do its plan and its task definition fit each other and the service?

Whether what they name exists is for the checks of other rooms to find out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Callable, NamedTuple

from gate.deployment import Deployment
from gate.ecs import Service
from gate.names import check
from gate.plan import Plan
from gate.verdict import Finding, ProbeError, Severity, failed, passed

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"  # of a repository's path
_REFERENCE = re.compile(
    r"(?:(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?/)?"
    rf"{_PART}(?:/{_PART})*(?::\w[\w.-]{{0,127}})?(?:@[A-Za-z][A-Za-z0-9+._-]*:[0-9a-fA-F]{{32,}})?",
    re.ASCII,
)
_ECR = re.compile(  # account, region and repository; each partition has its domain
    r"(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.[a-z0-9.]+/([^:@]+)(?::[^@]+)?(?:@sha256:[0-9a-f]{64})?"
)
# What the grammar takes and no registry has: ECR's host without a repository, or without an account's twelve digits.
_ECR_HOST = r"[^/]+\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?"
_NONE_OF_ECR = re.compile(rf"{_ECR_HOST}(?::[^/]+)?|(?!\d{{12}}\.){_ECR_HOST}/.+")


class Arn(NamedTuple):
    """The parts of an ARN, each empty where it has none."""

    partition: str
    region: str
    account: str
    resource: str


def is_arn(reference: str) -> bool:
    """Whether a reference is an ARN, not a name."""
    return reference.startswith("arn:")


def parse_arn(reference: str) -> Arn:
    """Read an ARN; a name has none of its parts."""
    parts = [*(reference.split(":", 5) if is_arn(reference) else ()), *[""] * 6]
    return Arn(parts[1], *parts[3:6])


@dataclass(frozen=True)
class Image:
    """A container's image. `account`, `region` and `repository` are empty where it is not in ECR."""

    uri: str
    account: str
    region: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def of(cls, uri: str) -> Image:
        """Read an image as a task definition names it; without a tag and a digest it is `latest`."""
        found = _ECR.fullmatch(uri)
        name, _, digest = uri.partition("@")
        tag = name.rpartition(":")[2] if ":" in name.rpartition("/")[2] else ""
        account, region, repository = found.groups() if found else ("", "", "")
        return cls(uri, account, region, repository, tag or ("" if digest else "latest"), digest)

    @property
    def is_reference(self) -> bool:
        """Whether it has the form of what can be pulled (the grammar of github.com/distribution/reference)."""
        return bool(_REFERENCE.fullmatch(self.uri)) and not _NONE_OF_ECR.fullmatch(self.uri)

    @property
    def id(self) -> dict[str, str]:
        """The image as ECR asks for it: ECS pulls by the digest where there is one."""
        return {"imageDigest": self.digest} if self.digest else {"imageTag": self.tag}

    @property
    def label(self) -> str:
        """The image without ECR's registry; of another registry, all of it."""
        return self.uri.partition("/")[2] if self.repository else self.uri


class Release:
    """What this deployment brings. Properties raise ProbeError where the documents cannot be had.

    `service`: the service that it goes to, as it was last seen.
    """

    def __init__(self, deployment: Deployment, service: Callable[[], Service]) -> None:
        self.deployment = deployment
        self._service = service

    @property
    def plan(self) -> Plan:
        """What the deployment says."""
        return self.deployment.plan

    @property
    def definition(self) -> Mapping[str, Any]:
        """The task definition that the plan names."""
        return self.deployment.task_definition(self.plan.task_definition)

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        """The task definition's containers; each has a name and an image."""
        return list(self.definition["containerDefinitions"])

    @property
    def container(self) -> Mapping[str, Any]:
        """The container that the plan names; empty where the task definition has none of that name."""
        return next((each for each in self.containers if each["name"] == self.plan.container_name), {})

    @property
    def arn(self) -> Arn:
        """The task definition's ARN, as ECS says it: of the account and the region in which its tasks will run."""
        arn = str(self.definition.get("taskDefinitionArn"))
        if not is_arn(arn):
            raise ProbeError(f"ECS does not say the ARN of task definition {self.plan.task_definition}")
        return parse_arn(arn)

    def is_foreign(self, reference: str) -> bool:
        """Whether an ARN is of another account; a name is of this one."""
        account = parse_arn(reference).account
        return bool(account) and account != self.arn.account

    @property
    def placement(self) -> Mapping[str, Any]:
        """Where its tasks will run, as RunTask takes it."""
        return self.deployment.placement_to_come(self._service())

    @property
    def network(self) -> Mapping[str, Any]:
        """Subnets and security groups of its tasks; empty where they have none of their own."""
        return (self.placement.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}

    @check(calls=["s3:GetObject"])
    def appspec(self) -> Finding:
        """The AppSpec can be read (JSON or YAML, from CodeDeploy or S3) and describes one ECS service."""
        hooks = ", ".join(self.plan.hooks) or "no hook"
        if self.plan.unknown:
            said = f"the AppSpec's {', '.join(self.plan.unknown)} is no property that CodeDeploy reads"
            return replace(failed(f"{said}: fix its name or its place, or take it out"), advisory=True)
        return passed(f"the AppSpec deploys {self.plan.task_definition} with {hooks}")

    @check()
    def task_definition(self) -> Finding:
        """The AppSpec's task definition exists and is ACTIVE."""
        name, status = self.plan.task_definition, self.definition.get("status")
        if status != "ACTIVE":
            return failed(f"task definition {name} is {status}, expected ACTIVE: register it anew")
        return passed(f"task definition {name} is ACTIVE")

    @check()
    def container_port(self) -> Finding:
        """The AppSpec's container is in the task definition and maps the AppSpec's port."""
        name, port, plan = self.plan.container_name, self.plan.container_port, self.deployment.words.source
        if not self.container:
            known = ", ".join(each["name"] for each in self.containers)
            return failed(f"{plan} names container {name}, which is not in the task definition (it has {known})")
        mappings = self.container.get("portMappings") or []
        ports = [str(each.get("containerPortRange") or each.get("containerPort")) for each in mappings]
        if not any(_includes(each, port) for each in ports):
            mapped = ", ".join(ports) or "(none)"
            return failed(f"container {name} maps port {mapped}, {plan} says {port}: make them one")
        return passed(f"container {name} maps port {port}")

    @check(Severity.WARN)
    def launch_type(self) -> Finding:
        """The AppSpec names the capacity provider strategy, if the service runs by one: CodeDeploy takes none over."""
        is_told = "capacityProviderStrategy" in self.plan.placement
        lost = [] if is_told else providers(self._service().placement)
        if lost:
            return failed(
                f"service {self.deployment.service_name} runs on capacity providers {', '.join(lost)}, a strategy that "
                "CodeDeploy does not take over: green starts on the launch type; name the strategy in the AppSpec "
                "(CapacityProviderStrategy)"
            )
        return passed("green is launched as blue was, or as the AppSpec says")


def _includes(ports: str, port: int) -> bool:
    """Whether a mapping's ports (`8000` or `8000-8010`) have this one."""
    first, _, last = ports.partition("-")
    return first.isdigit() and int(first) <= port <= int(last if last.isdigit() else first)


def providers(placement: Mapping[str, Any]) -> list[str]:
    """The names of the capacity providers, if a strategy decides."""
    return [str(entry.get("capacityProvider")) for entry in placement.get("capacityProviderStrategy") or []]
