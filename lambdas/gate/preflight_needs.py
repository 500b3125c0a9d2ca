"""What a deployment's tasks need to start: does it exist? Of secrets only that; their values are never read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Optional

from gate import aws
from gate.names import check
from gate.release import Image, Release, is_arn, parse_arn, providers
from gate.verdict import Finding, ProbeError, attempt, failed, finding_of, passed, skipped

# Without the kinds of an index ECR would answer with the manifest of one platform.
MANIFESTS = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
]
Containers = Sequence[Mapping[str, Any]]
_TRUE = ("1", "t", "T", "TRUE", "true", "True")  # as the log driver reads it (strconv.ParseBool of Go)


class NeedsChecks:
    """What the task definition names beside its roles."""

    def __init__(self, release: Release) -> None:
        self.release = release

    @property
    def _images(self) -> list[Image]:
        return [Image.of(uri) for uri in dict.fromkeys(each["image"] for each in self.release.containers)]

    @check(calls=["ecr:BatchGetImage", "ecr:DescribePullThroughCacheRules"], parts=["{image}"])
    def images(self) -> Iterator[Finding]:
        """The containers' images are in the account's ECR; images kept elsewhere are named and skipped."""
        for image in self._images:
            yield attempt(f"images:{image.label}", partial(self._image, image))

    def _image(self, image: Image) -> Finding:
        if not image.is_reference:
            arn = ", which is an ARN: ECR's address of it is <account>.dkr.ecr.<region>.amazonaws.com/<repository>"
            said = f"image {image.uri} is no reference to an image{arn if is_arn(image.uri) else ''}"
            return failed(f"{said}: it can never be pulled, fix the task definition")
        if not image.repository:
            return skipped(f"image {image.uri} is not in ECR: not looked at")
        if image.account != self.release.arn.account:
            return skipped(f"image {image.uri} is in account {image.account}'s ECR: not looked at")
        if self._stored(image) is not None:
            return passed(f"image {image.uri} is in ECR")
        missing = f"image {image.uri} is not in ECR of {image.region}: push it, or fix the task definition"
        try:
            upstream = _pulled_through(image)
        except ProbeError as problem:  # a side question: the answer stays
            return failed(f"{missing} (whether ECR would fetch it from elsewhere is not known: {problem})")
        if upstream:
            return skipped(f"image {image.uri} comes from {upstream} at its first pull: not looked at")
        return failed(missing)

    def _stored(self, image: Image) -> Mapping[str, Any] | None:
        """The image as ECR has it (BatchGetImage), None if it or its repository is not there."""
        return self.release.deployment.memoize(f"image {image.uri}", partial(_read_image, image))

    @check(calls=["ecr:BatchGetImage"])
    def cpu_architecture(self) -> Finding:
        """Images for several platforms have one for the task's CPU architecture."""
        wanted = (self.release.definition.get("runtimePlatform") or {}).get("cpuArchitecture")
        if not wanted:
            placement = self.release.placement
            runs_on = providers(placement) or [str(placement.get("launchType"))]
            if not all(each.startswith("FARGATE") for each in runs_on):
                return skipped("no CPU architecture is stated: the instances decide")
            wanted = "X86_64"
        name = {"X86_64": "amd64", "ARM64": "arm64"}.get(wanted, wanted)
        looked_at = 0
        for image in self._images:
            is_own = image.account == self.release.arn.account
            built_for = _architectures(self._stored(image)) if is_own else set()
            looked_at += bool(built_for)
            if built_for and name not in built_for:
                return failed(
                    f"image {image.uri} is built for {', '.join(sorted(built_for))}, the task runs on {wanted}: build "
                    f"it for {name} too, or change runtimePlatform"
                )
        if not looked_at:  # the manifest of one platform does not say which
            return skipped(f"CPU architecture {wanted}: no image in ECR says for which it is built")
        return passed(f"{looked_at} image(s) are built for {wanted}")

    def _unfit(self, reference: str, kind: str, form: str, name: str) -> Optional[Finding]:
        """What is said of a reference that is not to be looked up; `form`: its ARN's, as people write it."""
        if not name:
            return failed(f"{reference} is no ARN of a {kind}, expected arn:…:{form}: fix the task definition")
        if self.release.is_foreign(reference):
            return skipped(f"{kind} {reference} is of another account: not looked at")
        return None

    @check(calls=["secretsmanager:DescribeSecret"], parts=["{secret}"])
    def secrets(self) -> Iterator[Finding]:
        """The secrets that containers reference exist, have a value, and are not being deleted."""
        secrets = secrets_of(self.release.containers)
        if not secrets:
            yield skipped("the containers reference no secret")
        for reference, versions in secrets.items():
            name = _name_in(reference, "secret:")
            yield attempt(f"secrets:{name or reference}", partial(self._secret, reference, name, versions))

    def _secret(self, reference: str, name: str, versions: set[tuple[str, str]]) -> Finding:
        unfit = self._unfit(reference, "secret", "secret:<name>", name)
        if unfit:
            return unfit
        region = parse_arn(reference).region or None
        try:
            found = aws.call("secretsmanager", "describe_secret", region=region, SecretId=reference)
        except aws.AwsCallFailed as problem:
            if problem.code == "ResourceNotFoundException":
                return failed(f"secret {reference} does not exist: create it, or fix the task definition")
            raise
        if not found.get("ARN"):
            raise ProbeError(f"Secrets Manager answered nothing of secret {reference}")
        if found.get("DeletedDate"):
            return failed(f"secret {reference} is scheduled for deletion: restore it")
        stages: Mapping[str, list[str]] = found.get("VersionIdsToStages") or {}
        for stage, version in sorted(versions):
            if stage and not any(stage in names for id_, names in stages.items() if version in ("", id_)):
                which = f"{f' {version}' if version else ''} of stage {stage}"
                return failed(f"secret {reference} has no version{which}: store a value, or fix the task definition")
            if not stage and version not in stages:  # one that no stage names any more may be there still
                return skipped(f"version {version} of secret {reference} has no stage: whether it is there is not told")
        return passed(f"secret {name} exists")

    @check(calls=["ssm:DescribeParameters"], parts=["{parameter}"])
    def parameters(self) -> Iterator[Finding]:
        """The parameters that containers reference exist."""
        by_region: dict[str, dict[str, list[str]]] = {}  # region → reference → the names that it may mean
        references = parameters_of(self.release.containers)
        if not references:
            yield skipped("the containers reference no parameter")
        for reference in references:
            name = _name_in(reference, "parameter/")
            unfit = self._unfit(reference, "parameter", "parameter/<name>", name)
            if not unfit and name.lstrip("/").startswith("aws/"):
                unfit = skipped(f"parameter {reference} is AWS's own, which it lists nowhere: not looked at")
            if unfit:
                yield replace(unfit, name=f"parameters:{reference}")
            else:
                by_region.setdefault(parse_arn(reference).region, {})[reference] = _spellings(reference, name)
        for region, spelled in by_region.items():
            yield from _of_region(region or None, spelled)

    @check(calls=["logs:DescribeLogGroups"], parts=["{log_group}"])
    def log_groups(self) -> Iterator[Finding]:
        """The log groups of awslogs exist, or are made when the container starts."""
        groups = log_groups_of(self.release.containers)
        if not groups:
            yield skipped("no container logs to CloudWatch Logs (awslogs)")
        for (name, region), is_made in groups.items():
            yield attempt(f"log_groups:{name}", partial(self._log_group, name, region, is_made=is_made))

    def _log_group(self, name: str, region: Optional[str], *, is_made: bool) -> Finding:
        answer = aws.call("logs", "describe_log_groups", region=region, logGroupNamePrefix=name)
        if any(entry.get("logGroupName") == name for entry in answer.get("logGroups") or []):
            return passed(f"log group {name} exists")
        if is_made:  # AWS's managed policy for execution roles does not allow it
            said = f"log group {name} is made when the container starts (awslogs-create-group)"
            return skipped(f"{said}, if its role may do so (logs:CreateLogGroup): not looked at")
        where = f" in {region} (awslogs-region)" if region not in (None, self.release.arn.region) else ""
        return failed(f"log group {name} does not exist{where}: the container would not start; create it")


def _read_image(image: Image) -> Mapping[str, Any] | None:
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


def _architectures(stored: Mapping[str, Any] | None) -> set[str]:
    """The architectures of an image index; empty for a manifest of one platform, which names none."""
    try:
        manifests = json.loads((stored or {}).get("imageManifest") or "{}").get("manifests") or []
        found = {str((entry.get("platform") or {}).get("architecture") or "unknown") for entry in manifests}
    except (ValueError, AttributeError):
        return set()
    return found - {"unknown"}  # attestations are listed beside the images


def _pulled_through(image: Image) -> str:
    """The registry from which ECR fetches images of this repository's prefix when they are asked for; or empty."""
    rules = aws.pages("ecr", "describe_pull_through_cache_rules", "pullThroughCacheRules", region=image.region)
    for rule in rules:
        prefix = rule.get("ecrRepositoryPrefix")
        if prefix == "ROOT" or image.repository.startswith(f"{prefix}/"):
            return str(rule.get("upstreamRegistryUrl"))
    return ""


def secrets_of(containers: Containers) -> dict[str, set[tuple[str, str]]]:
    """References to Secrets Manager: secrets of containers and log drivers, and registry credentials.

    ARNs, or names, and of each the stages and versions that are asked for; AWSCURRENT is the stage by default.
    """
    credentials = [(each.get("repositoryCredentials") or {}).get("credentialsParameter") for each in containers]
    secrets = [reference for reference in _references(containers) if ":secretsmanager:" in reference]
    found: dict[str, set[tuple[str, str]]] = {}
    for each in [*secrets, *(str(each) for each in credentials if each)]:
        # arn:aws:secretsmanager:<region>:<account>:secret:<name>:<JSON key>:<stage>:<version>
        parts = each.split(":") if is_arn(each) else [each]
        secret, stage, version = ":".join(parts[:7]), "".join(parts[8:9]), "".join(parts[9:10])
        found.setdefault(secret, set()).add((stage or ("" if version else "AWSCURRENT"), version))
    return found


def parameters_of(containers: Containers) -> list[str]:
    """References to Systems Manager's parameters, by name or ARN."""
    return list(dict.fromkeys(each for each in _references(containers) if ":secretsmanager:" not in each))


def _references(containers: Containers) -> Iterator[str]:
    for container in containers:
        logging = (container.get("logConfiguration") or {}).get("secretOptions") or []
        for entry in [*(container.get("secrets") or []), *logging]:
            yield str(entry.get("valueFrom", ""))


def _name_in(reference: str, beginning: str) -> str:
    """The name in a reference; empty where that is an ARN of something else than what begins like this."""
    if not is_arn(reference):
        return reference
    resource = parse_arn(reference).resource
    return resource.removeprefix(beginning) if resource.startswith(beginning) else ""


def _spellings(reference: str, path: str) -> list[str]:
    """The names that a reference to a parameter may mean; a version or a label may follow them."""
    name = path.partition(":")[0]
    if not is_arn(reference):
        return [name]
    # The ARN of /a and of a is the same one; a name with a further slash begins with one.
    return [f"/{name}"] if "/" in name else [f"/{name}", name]


def _of_region(region: Optional[str], references: Mapping[str, list[str]]) -> Iterator[Finding]:
    """Look for the parameters of one region (None: the function's own); each reference with its spellings."""
    wanted, found = [name for spelled in references.values() for name in spelled], set()
    try:
        for start in range(0, len(wanted), 50):  # DescribeParameters takes 50 values
            filters = [{"Key": "Name", "Option": "Equals", "Values": wanted[start : start + 50]}]
            pages = aws.pages("ssm", "describe_parameters", "Parameters", region=region, ParameterFilters=filters)
            found |= {str(parameter.get("Name")) for parameter in pages}
    except ProbeError as problem:
        yield finding_of(problem, f"parameters:{', '.join(references)}")
        return
    for reference, spelled in references.items():
        label = f"parameters:{spelled[0]}"
        if found & set(spelled):
            yield passed(f"parameter {spelled[0]} exists", label)
        else:
            yield failed(f"parameter {reference} does not exist: create it, or fix the task definition", label)


def log_groups_of(containers: Containers) -> dict[tuple[str, Optional[str]], bool]:
    """The log groups of awslogs, by name and region, and whether a container makes them when it starts."""
    found: dict[tuple[str, Optional[str]], bool] = {}
    for container in containers:
        configuration = container.get("logConfiguration") or {}
        options = configuration.get("options") or {}
        driver = configuration.get("logDriver")
        if configuration and (not driver or (driver == "awslogs" and not options.get("awslogs-group"))):
            raise ProbeError(f"ECS does not say where container {container['name']} logs")
        if driver == "awslogs":
            key = (str(options["awslogs-group"]), options.get("awslogs-region"))
            found[key] = found.get(key, False) or options.get("awslogs-create-group") in _TRUE
    return found
