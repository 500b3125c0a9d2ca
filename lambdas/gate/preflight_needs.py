"""What a deployment's tasks need to start: does it exist? Of secrets only that; their values are never read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from gate import aws
from gate.names import check
from gate.release import Image, LogGroup, Release, is_arn, parse_arn
from gate.verdict import Finding, ProbeError, attempt, failed, finding_of, passed, skipped


class NeedsChecks:
    """What the task definition names beside its roles."""

    def __init__(self, release: Release) -> None:
        self.release = release

    @check(calls=["ecr:BatchGetImage", "ecr:DescribePullThroughCacheRules"], parts=["{image}"])
    def images(self) -> Iterator[Finding]:
        """The containers' images are in the account's ECR; images kept elsewhere are named and skipped."""
        for image in self.release.images:
            name = f"images:{image.label}"
            if not image.is_reference:
                arn = ", which is an ARN: ECR's address of it is <account>.dkr.ecr.<region>.amazonaws.com/<repository>"
                said = f"image {image.uri} is no reference to an image{arn if is_arn(image.uri) else ''}"
                yield failed(f"{said}: it can never be pulled, fix the task definition", name)
            elif not image.repository:
                yield skipped(f"image {image.uri} is not in ECR: not looked at", name)
            elif image.account != self.release.account:
                yield skipped(f"image {image.uri} is in account {image.account}'s ECR: not looked at", name)
            else:
                yield attempt(name, partial(self._image, image))

    def _image(self, image: Image) -> Finding:
        if self.release.stored(image) is not None:
            return passed(f"image {image.uri} is in ECR")
        missing = f"image {image.uri} is not in ECR of {image.region}: push it, or fix the task definition"
        try:
            upstream = _pulled_through(image)
        except ProbeError as problem:  # a side question: the answer stays
            return failed(f"{missing} (whether ECR would fetch it from elsewhere is not known: {problem})")
        if upstream:
            return skipped(f"image {image.uri} comes from {upstream} at its first pull: not looked at")
        return failed(missing)

    @check(calls=["ecr:BatchGetImage"])
    def cpu_architecture(self) -> Finding:
        """Images for several platforms have one for the task's CPU architecture."""
        wanted = self.release.cpu_architecture
        if not wanted:
            return skipped("no CPU architecture is stated: the instances decide")
        name = {"X86_64": "amd64", "ARM64": "arm64"}.get(wanted, wanted)
        looked_at = 0
        for image in self.release.images:
            built_for = _architectures(self.release.stored(image)) if image.account == self.release.account else set()
            looked_at += bool(built_for)
            if built_for and name not in built_for:
                return failed(
                    f"image {image.uri} is built for {', '.join(sorted(built_for))}, the task runs on {wanted}: build "
                    f"it for {name} too, or change runtimePlatform"
                )
        if not looked_at:  # the manifest of one platform does not say which
            return skipped(f"CPU architecture {wanted}: no image in ECR says for which it is built")
        return passed(f"{looked_at} image(s) are built for {wanted}")

    @check(calls=["secretsmanager:DescribeSecret"], parts=["{secret}"])
    def secrets(self) -> Iterator[Finding]:
        """The secrets that containers reference exist, have a value, and are not being deleted."""
        if not self.release.secrets:
            yield skipped("the containers reference no secret")
        for reference, versions in self.release.secrets.items():
            kind, _, name = parse_arn(reference)[2].partition(":") if is_arn(reference) else ("secret", "", reference)
            if kind != "secret" or not name:
                said = f"{reference} is no ARN of a secret, expected arn:…:secret:<name>: fix the task definition"
                yield failed(said, f"secrets:{reference}")
            elif self.release.is_foreign(reference):
                yield skipped(f"secret {reference} is of another account: not looked at", f"secrets:{name}")
            else:
                yield attempt(f"secrets:{name}", partial(_secret, reference, name, versions))

    @check(calls=["ssm:DescribeParameters"], parts=["{parameter}"])
    def parameters(self) -> Iterator[Finding]:
        """The parameters that containers reference exist."""
        names: dict[str, dict[str, list[str]]] = {}  # region → reference → the names that it may mean
        if not self.release.parameters:
            yield skipped("the containers reference no parameter")
        for reference in self.release.parameters:
            region, _, resource = parse_arn(reference) if is_arn(reference) else ("", "", f"parameter/{reference}")
            kind, _, path = resource.partition("/")
            label = f"parameters:{reference}"
            if kind != "parameter" or not path:
                said = f"{reference} is no ARN of a parameter, expected arn:…:parameter/<name>: fix the task definition"
                yield failed(said, label)
            elif self.release.is_foreign(reference):
                yield skipped(f"parameter {reference} is of another account: not looked at", label)
            elif path.lstrip("/").startswith("aws/"):
                yield skipped(f"parameter {reference} is AWS's own, which it lists nowhere: not looked at", label)
            else:
                names.setdefault(region, {})[reference] = _spellings(reference, path)
        for region, references in names.items():
            yield from _of_region(region, references)

    @check(calls=["logs:DescribeLogGroups"], parts=["{log_group}"])
    def log_groups(self) -> Iterator[Finding]:
        """The log groups of awslogs exist, or are made when the container starts."""
        if not self.release.log_groups:
            yield skipped("no container logs to CloudWatch Logs (awslogs)")
        for group in self.release.log_groups:
            yield attempt(f"log_groups:{group.name}", partial(self._log_group, group))

    def _log_group(self, group: LogGroup) -> Finding:
        answer = aws.call("logs", "describe_log_groups", region=group.region, logGroupNamePrefix=group.name)
        if any(entry.get("logGroupName") == group.name for entry in answer.get("logGroups") or []):
            return passed(f"log group {group.name} exists")
        if group.is_made:  # AWS's managed policy for execution roles does not allow it
            said = f"log group {group.name} is made when the container starts (awslogs-create-group)"
            return skipped(f"{said}, if its role may do so (logs:CreateLogGroup): not looked at")
        where = f" in {group.region} (awslogs-region)" if group.region not in (None, self.release.region) else ""
        return failed(f"log group {group.name} does not exist{where}: the container would not start; create it")


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


def _secret(reference: str, name: str, versions: set[tuple[str, str]]) -> Finding:
    region = parse_arn(reference)[0] if is_arn(reference) else None
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


def _spellings(reference: str, path: str) -> list[str]:
    """The names that a reference to a parameter may mean; a version or a label may follow them."""
    name = path.partition(":")[0]
    if not is_arn(reference):
        return [name]
    # The ARN of /a and of a is the same one; a name with a further slash begins with one.
    return [f"/{name}"] if "/" in name else [f"/{name}", name]


def _of_region(region: str, references: Mapping[str, list[str]]) -> Iterator[Finding]:
    """Look for the parameters of one region (empty: the function's own); each reference with its spellings."""
    wanted, found = [name for spelled in references.values() for name in spelled], set()
    try:
        for start in range(0, len(wanted), 50):  # DescribeParameters takes 50 values
            filters = [{"Key": "Name", "Option": "Equals", "Values": wanted[start : start + 50]}]
            pages = aws.pages(
                "ssm", "describe_parameters", "Parameters", region=region or None, ParameterFilters=filters
            )
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
