"""What a deployment brings: its task definition, where its tasks will run, and what they need to start.

Whether what it names exists is for the checks to find out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Optional

from gate import aws
from gate.appspec import AppSpec
from gate.deployment import Deployment, Service
from gate.verdict import CannotLook

# Fargate's sizes: CPU units → memory in MiB (ECS developer guide, "Fargate task CPU and memory").
FARGATE_SIZES: dict[int, Sequence[int]] = {
    256: (512, 1024, 2048),
    512: range(1024, 4097, 1024),
    1024: range(2048, 8193, 1024),
    2048: range(4096, 16385, 1024),
    4096: range(8192, 30721, 1024),
    8192: range(16384, 61441, 4096),
    16384: range(32768, 122881, 8192),
}

# Without the kinds of an index ECR would answer with the manifest of one platform.
MANIFESTS = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
]

# Said before green is made and after, where nobody has the strategy in the AppSpec.
LOST = "a strategy that CodeDeploy does not take over"

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


def place_of(arn: str) -> tuple[str, str, str]:
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
    """What this deployment brings. Properties raise CannotLook where the documents cannot be had."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.waited_for: Service | None = None

    @property
    def service(self) -> Service:
        """The service as it was when it was last waited for, else when it was first seen."""
        return self.waited_for or self.deployment.once("service", self.deployment.service)

    @property
    def appspec(self) -> AppSpec:
        """The deployment's AppSpec."""
        return self.deployment.appspec

    @property
    def definition(self) -> Mapping[str, Any]:
        """The task definition that the AppSpec names."""
        return self.deployment.task_definition(self.appspec.task_definition)

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        """The task definition's containers."""
        return list(self.definition.get("containerDefinitions") or [])

    @property
    def account(self) -> str:
        """The account's number, from the task definition's ARN."""
        arn = str(self.definition.get("taskDefinitionArn"))
        if not is_arn(arn):
            raise CannotLook(f"ECS does not say the ARN of task definition {self.appspec.task_definition}")
        return place_of(arn)[1]

    @property
    def network_mode(self) -> str:
        """`awsvpc`, `bridge`, `host` or `none`; `bridge` is the default."""
        return str(self.definition.get("networkMode") or "bridge")

    @property
    def is_windows(self) -> bool:
        """Whether the task definition is for Windows."""
        return str(self._platform.get("operatingSystemFamily") or "").startswith("WINDOWS")

    @property
    def cpu_architecture(self) -> str:
        """X86_64 or ARM64; empty where it is not stated and the instances decide."""
        return str(self._platform.get("cpuArchitecture") or ("X86_64" if self.launch_type == "FARGATE" else ""))

    @property
    def _platform(self) -> Mapping[str, Any]:
        return self.definition.get("runtimePlatform") or {}

    @property
    def placement(self) -> Mapping[str, Any]:
        """Where its tasks will run."""
        return self.deployment.placement_to_come(self.service)

    @property
    def network(self) -> Mapping[str, Any]:
        """Subnets and security groups of its tasks; empty where they have none of their own."""
        return (self.placement.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}

    @property
    def capacity_providers(self) -> list[str]:
        """The names of the capacity providers, if a strategy decides."""
        strategy = self.placement.get("capacityProviderStrategy") or []
        return [str(entry.get("capacityProvider")) for entry in strategy]

    @property
    def strategy_lost(self) -> list[str]:
        """The capacity providers of the service's strategy, where the AppSpec names none for green; else none."""
        if "capacityProviderStrategy" in self.appspec.placement:
            return []
        strategy = self.service.placement.get("capacityProviderStrategy") or []
        return [str(entry.get("capacityProvider")) for entry in strategy]

    @property
    def launch_type(self) -> str:
        """FARGATE, EC2 or EXTERNAL. A capacity provider that is not Fargate's counts as EC2."""
        if self.capacity_providers:
            fargate = all(provider.startswith("FARGATE") for provider in self.capacity_providers)
            return "FARGATE" if fargate else "EC2"
        return str(self.placement.get("launchType") or "EC2")

    @property
    def compatible(self) -> list[str]:
        """The launch types that ECS says the task definition can run on, or was made for."""
        return [
            *(self.definition.get("compatibilities") or []),
            *(self.definition.get("requiresCompatibilities") or []),
        ]

    @property
    def launch_in_words(self) -> str:
        """The launch type, and the capacity providers it follows from."""
        return self.launch_type + (f" ({', '.join(self.capacity_providers)})" if self.capacity_providers else "")

    # What its tasks need

    @property
    def images(self) -> list[Image]:
        """The containers' images, each once."""
        return [Image.of(uri) for uri in dict.fromkeys(str(c.get("image", "")) for c in self.containers)]

    @cached_property
    def _stored(self) -> dict[tuple[str, str], dict[str, Mapping[str, Any]]]:
        return {}

    def stored(self, image: Image) -> Mapping[str, Any] | None:
        """The image as ECR has it (BatchGetImage), None if it or its repository is not there.

        A repository is asked once for all its images.
        """
        key = (image.region, image.repository)
        if key not in self._stored:
            try:
                answer = aws.call(
                    "ecr",
                    "batch_get_image",
                    region=image.region,
                    registryId=image.account,
                    repositoryName=image.repository,
                    imageIds=[each.id for each in self.images if (each.region, each.repository) == key],
                    acceptedMediaTypes=MANIFESTS,
                )
            except aws.AwsCallFailed as problem:
                if problem.code != "RepositoryNotFoundException":
                    raise
                answer = {}
            found: dict[str, Mapping[str, Any]] = {}
            # By tag and by digest; a failure has one of them, and its reason.
            for entry in [*(answer.get("failures") or []), *(answer.get("images") or [])]:
                found.update(dict.fromkeys((entry.get("imageId") or {}).values(), entry))
            self._stored[key] = found
        stored = self._stored[key].get(image.digest or image.tag) or {}
        if stored.get("failureCode", "ImageNotFound") != "ImageNotFound":
            raise CannotLook(f"image {image.uri}: ECR says {stored['failureCode']}: {stored.get('failureReason')}")
        return stored if "imageManifest" in stored else None

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
                raise CannotLook(f"ECS does not say where container {container['name']} logs")
            if driver == "awslogs":
                key = (str(options["awslogs-group"]), options.get("awslogs-region"))
                found[key] = found.get(key, False) or options.get("awslogs-create-group") in _TRUE
        return [LogGroup(name, region, is_made) for (name, region), is_made in found.items()]

    @property
    def needs_execution_role(self) -> list[str]:
        """What an execution role is needed for. On EC2 the instance's role pulls images and writes logs."""
        needs = ["secrets"] if self.secrets or self.parameters else []
        needs += (
            ["environment files"] if any(container.get("environmentFiles") for container in self.containers) else []
        )
        if self.launch_type == "FARGATE":
            needs += ["images in ECR"] if any(image.repository for image in self.images) else []
            needs += ["awslogs"] if self.log_groups else []
        return needs

    @property
    def needs_platform_1_4(self) -> list[str]:
        """What Fargate has from platform version 1.4.0 on (ECS developer guide, "Fargate platform versions")."""
        volumes = self.definition.get("volumes") or []
        parts = [each.count(":") > 6 and ":secretsmanager:" in each for each in self._references()]
        capabilities = [
            ((container.get("linuxParameters") or {}).get("capabilities") or {}).get("add")
            for container in self.containers
        ]
        needs = {
            "EFS volumes": any("efsVolumeConfiguration" in volume for volume in volumes),
            "ephemeralStorage": bool(self.definition.get("ephemeralStorage")),
            "cpuArchitecture ARM64": self.cpu_architecture == "ARM64",
            "a key or version of a secret": any(parts),
            "cpu from 8192 on": str(self.definition.get("cpu")) in ("8192", "16384"),
            "SYS_PTRACE": any("SYS_PTRACE" in (added or []) for added in capabilities),
        }
        return [name for name, needed in needs.items() if needed]
