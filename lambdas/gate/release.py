"""What a deployment brings: its task definition, where its tasks will run, and what they need to start.

Whether what it names exists is for the checks to find out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Callable, Optional

from gate import aws
from gate.deployment import Deployment
from gate.ecs import Service
from gate.plan import Plan
from gate.verdict import ProbeError

# Without the kinds of an index ECR would answer with the manifest of one platform.
MANIFESTS = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
]

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"  # of a repository's path
_REFERENCE = re.compile(
    r"(?:(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?/)?"
    rf"{_PART}(?:/{_PART})*(?::\w[\w.-]{{0,127}})?(?:@[A-Za-z][A-Za-z0-9+._-]*:[0-9a-fA-F]{{32,}})?",
    re.ASCII,
)
_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.[a-z0-9.]+/"  # each partition has its domain
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
# What the grammar takes and no registry has: ECR's host without a repository, or without an account's twelve digits.
_ECR_HOST = r"[^/]+\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?"
_NONE_OF_ECR = re.compile(rf"{_ECR_HOST}(?::[^/]+)?|(?!\d{{12}}\.){_ECR_HOST}/.+")
_TRUE = ("1", "t", "T", "TRUE", "true", "True")  # as the log driver reads it (strconv.ParseBool of Go)


def is_arn(reference: str) -> bool:
    """Whether a reference is an ARN, not a name."""
    return reference.startswith("arn:")


def parse_arn(arn: str) -> tuple[str, str, str]:
    """An ARN's region, account and resource, each empty where it has none."""
    parts = [*arn.split(":", 5)[3:], "", "", ""]
    return parts[0], parts[1], parts[2]


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
        place = found.groupdict() if found else {}
        return cls(
            uri=uri,
            account=place.get("account") or "",
            region=place.get("region") or "",
            repository=place.get("repository") or "",
            tag=tag or ("" if digest else "latest"),
            digest=digest,
        )

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


@dataclass(frozen=True)
class LogGroup:
    """Where a container's awslogs driver writes; `is_made` if the container makes the group when it starts."""

    name: str
    region: Optional[str]
    is_made: bool


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
        """The task definition that the AppSpec names."""
        return self.deployment.task_definition(self.plan.task_definition)

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        """The task definition's containers."""
        return list(self.definition.get("containerDefinitions") or [])

    @property
    def container(self) -> Mapping[str, Any]:
        """The container that the AppSpec names; empty where the task definition has none of that name."""
        return next((each for each in self.containers if each["name"] == self.plan.container_name), {})

    @property
    def arn(self) -> str:
        """The task definition's ARN, as ECS says it."""
        arn = str(self.definition.get("taskDefinitionArn"))
        if not is_arn(arn):
            raise ProbeError(f"ECS does not say the ARN of task definition {self.plan.task_definition}")
        return arn

    @property
    def region(self) -> str:
        """The region in which its tasks will run."""
        return parse_arn(self.arn)[0]

    @property
    def account(self) -> str:
        """The account's number."""
        return parse_arn(self.arn)[1]

    def is_foreign(self, reference: str) -> bool:
        """Whether an ARN is of another account; a name is of this one."""
        return is_arn(reference) and parse_arn(reference)[1] not in ("", self.account)

    # Where its tasks will run

    @property
    def _placement(self) -> Mapping[str, Any]:
        return self.deployment.placement_to_come(self._service())

    @property
    def network(self) -> Mapping[str, Any]:
        """Subnets and security groups of its tasks; empty where they have none of their own."""
        return (self._placement.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}

    @property
    def strategy_lost(self) -> list[str]:
        """The capacity providers of the service's strategy, where the AppSpec names none for green; else none."""
        if "capacityProviderStrategy" in self.plan.placement:
            return []
        return _providers(self._service().placement)

    @property
    def cpu_architecture(self) -> str:
        """X86_64 or ARM64; empty where it is not stated and the instances decide."""
        stated = (self.definition.get("runtimePlatform") or {}).get("cpuArchitecture")
        if stated:
            return str(stated)
        runs_on = _providers(self._placement) or [str(self._placement.get("launchType"))]
        return "X86_64" if all(each.startswith("FARGATE") for each in runs_on) else ""

    # What its tasks need

    @property
    def images(self) -> list[Image]:
        """The containers' images, each once."""
        return [Image.of(uri) for uri in dict.fromkeys(str(c.get("image", "")) for c in self.containers)]

    def stored(self, image: Image) -> Mapping[str, Any] | None:
        """The image as ECR has it (BatchGetImage), None if it or its repository is not there."""
        return self.deployment.memoize(f"image {image.uri}", partial(_stored, image))

    @property
    def secrets(self) -> dict[str, set[tuple[str, str]]]:
        """References to Secrets Manager: secrets of containers and log drivers, and registry credentials.

        ARNs, or names, and of each the stages and versions that are asked for; AWSCURRENT is the stage by default.
        """
        credentials = [(c.get("repositoryCredentials") or {}).get("credentialsParameter") for c in self.containers]
        secrets = [reference for reference in self._references() if ":secretsmanager:" in reference]
        found: dict[str, set[tuple[str, str]]] = {}
        for each in [*secrets, *(str(each) for each in credentials if each)]:
            # arn:aws:secretsmanager:<region>:<account>:secret:<name>:<JSON key>:<stage>:<version>
            parts = each.split(":") if is_arn(each) else [each]
            secret, stage, version = ":".join(parts[:7]), "".join(parts[8:9]), "".join(parts[9:10])
            found.setdefault(secret, set()).add((stage or ("" if version else "AWSCURRENT"), version))
        return found

    @property
    def parameters(self) -> list[str]:
        """References to Systems Manager's parameters, by name or ARN."""
        return list(dict.fromkeys(each for each in self._references() if ":secretsmanager:" not in each))

    def _references(self) -> Iterator[str]:
        for container in self.containers:
            logging = (container.get("logConfiguration") or {}).get("secretOptions") or []
            for entry in [*(container.get("secrets") or []), *logging]:
                yield str(entry.get("valueFrom", ""))

    @property
    def log_groups(self) -> list[LogGroup]:
        """The log groups of awslogs, each once."""
        found: dict[tuple[str, str | None], bool] = {}
        for container in self.containers:
            configuration = container.get("logConfiguration") or {}
            options = configuration.get("options") or {}
            driver = configuration.get("logDriver")
            if configuration and (not driver or (driver == "awslogs" and not options.get("awslogs-group"))):
                raise ProbeError(f"ECS does not say where container {container['name']} logs")
            if driver == "awslogs":
                key = (str(options["awslogs-group"]), options.get("awslogs-region"))
                found[key] = found.get(key, False) or options.get("awslogs-create-group") in _TRUE
        return [LogGroup(name, region, is_made) for (name, region), is_made in found.items()]


def _providers(placement: Mapping[str, Any]) -> list[str]:
    """The names of the capacity providers, if a strategy decides."""
    return [str(entry.get("capacityProvider")) for entry in placement.get("capacityProviderStrategy") or []]


def _stored(image: Image) -> Mapping[str, Any] | None:
    try:
        answer = aws.call(
            "ecr",
            "batch_get_image",
            region=image.region,
            registryId=image.account,
            repositoryName=image.repository,
            imageIds=[image.id],
            acceptedMediaTypes=MANIFESTS,
        )
    except aws.AwsCallFailed as problem:
        if problem.code == "RepositoryNotFoundException":
            return None
        raise
    for failure in answer.get("failures") or []:
        if failure.get("failureCode") != "ImageNotFound":
            said = f"ECR says {failure.get('failureCode')}: {failure.get('failureReason')}"
            raise ProbeError(f"image {image.uri}: {said}")
    return next((found for found in answer.get("images") or [] if "imageManifest" in found), None)
