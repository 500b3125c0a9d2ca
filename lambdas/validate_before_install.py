"""BeforeInstall: whatever would make this deployment fail later, found before anything is made.

Green does not exist yet. Each method marked `@check` is a check of that name; all of them run, so that one run names
all problems. On a rollback deployment they only warn: nothing here may stand in the way of going back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from gate import aws, metrics, permissions
from gate.default_request import NO_TEST_LISTENER, CannotAsk, health_request, none_and_no_addresses, request_through
from gate.deployment import Astray, Deployment, Listener, Rule, Service, Target, TargetGroup, TaskSet
from gate.hook import lifecycle_hook
from gate.network import Caller, shut_out_of, shut_out_of_tasks
from gate.options import HOOKS, ValidateBeforeInstall, key_of, normalised, placeholders, shown_address
from gate.release import FARGATE_SIZES, LOST, Image, LogGroup, Release, is_arn, place_of
from gate.settings import BadSettings, in_words, judge_settings, read_environment, read_packages, schema_of
from gate.verdict import (
    Absent,
    CannotLook,
    Check,
    Finding,
    Outcome,
    Severity,
    attempt,
    check,
    checks_of,
    failed,
    finding_of,
    names_of,
    noted,
    passed,
    severity_for,
    skipped,
)
from gate.waiting import Deadline, TimeBudget, patiently, poll

SETTLE = 60.0  # seconds a service may take to be steady: a task replaced this very moment is no reason to refuse
STARTING = 240.0  # the same while some of its targets are `initial`: five checks 30 s apart are AWS's default
OUR_EVENT = "BeforeInstall"
ALL_THE_SAME = (
    "put [warn blue_targets, running_count, service_steady] into the description of the CodeDeploy deployment, to "
    "deploy all the same"
)
WHY = re.compile(r"unable|unhealthy|fail|reason|error|insufficient", re.IGNORECASE)  # in an event of a service


class NotShown(CannotLook):
    """Two services of AWS say what does not fit together: one of them may lag behind."""

    transient = True


class Checks:
    """Checks of one concern, and what they share."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self.deployment = release.deployment

    @property
    def further_hooks(self) -> dict[str, str]:
        """The AppSpec's hooks but for this one, which runs: event → function."""
        return {event: name for event, name in self.release.appspec.hooks.items() if event != OUR_EVENT}

    def _of_function(self, label: str, name: str, look: Callable[[], Finding]) -> Finding:
        """A look at a hook's function; one that this hook's role is not made to read is another's, and only named."""
        try:
            return replace(look(), name=label)
        except aws.AwsDenied as problem:
            if problem.operation != "get_function_configuration" or _is_named_as_ours(name):
                return finding_of(problem, label)
            return skipped(f"function {name} is none of this module's, and not open to this hook: not looked at", label)
        except CannotLook as problem:
            return finding_of(problem, label)


def _is_named_as_ours(function: str) -> bool:
    """By the name that CodeDeploy's narrower managed role asks for, and that the module gives by default."""
    return function.rpartition("function:")[2].startswith("CodeDeployHook_")


class ServiceChecks(Checks):
    """The service as it is: does it run as it should, so that there is something to go on from, and back to?"""

    def __init__(self, release: Release, deadline: Deadline, overrides: Mapping[str, str]) -> None:
        super().__init__(release)
        self.deadline = deadline
        self.overrides = overrides

    @check(calls=["ecs:DescribeClusters"])
    def cluster(self) -> Finding:
        """The cluster exists and is ACTIVE."""
        status = self.deployment.cluster_info.get("status")
        if status != "ACTIVE":
            return failed(f"cluster {self.deployment.cluster} is {status}, expected ACTIVE: create it again")
        return passed(f"cluster {self.deployment.cluster} is ACTIVE")

    @check()
    def service(self) -> Finding:
        """The service exists and is ACTIVE."""
        service = self.release.service
        if service.status != "ACTIVE":
            return failed(f"service {service.name} is {service.status}, expected ACTIVE: create it again")
        return passed(f"service {service.name} is ACTIVE")

    @check()
    def deployment_controller(self) -> Finding:
        """The service is controlled by CODE_DEPLOY."""
        service = self.release.service
        if service.controller != "CODE_DEPLOY":
            return failed(
                f"service {service.name} has deployment controller {service.controller}, expected CODE_DEPLOY (set "
                "when a service is created)"
            )
        return passed(f"service {service.name} is controlled by CODE_DEPLOY")

    @check()
    def desired_count(self) -> Finding:
        """The service is asked to run at least one task."""
        service = self.release.service
        if service.desired < 1:
            return failed(
                f"service {service.name} has a desired count of 0: no green task could be looked at; raise it first"
            )
        return passed(f"service {service.name} is to run {service.desired} task(s)")

    @check(calls=["elasticloadbalancing:DescribeTargetHealth"])
    def blue_targets(self) -> Finding:
        """Blue's targets are healthy; where none is, blue serves nobody, and this deployment only warns of it."""
        return self._settled("blue_targets")

    @check(calls=["elasticloadbalancing:DescribeTargetHealth"])
    def running_count(self) -> Finding:
        """The primary task set runs as many tasks as desired, none pending; a minute to settle, four to scale out."""
        return self._settled("running_count")

    @check(calls=["elasticloadbalancing:DescribeTargetHealth"])
    def service_steady(self) -> Finding:
        """The primary task set is in STEADY_STATE; a minute to settle, four while it scales out."""
        return self._settled("service_steady")

    def _settled(self, name: str) -> Finding:
        return next((finding for finding in self._settling if finding.name == name), self._settling[0])

    @cached_property
    def _settling(self) -> list[Finding]:
        """The findings of these three checks, waited for as long as blue serves, or is about to."""
        first = [self.release.service]  # has just been read

        def look() -> list[Finding]:
            # What is looked at afterwards shall be what was waited for.
            self.release.waited_for = service = first.pop() if first else self.deployment.service()
            found = [_running_count(service), _steady(service)]
            try:
                targets = self._targets_of_blue(service)
            except CannotLook as problem:  # what ECS says stays
                unseen = replace(finding_of(problem, "blue_targets"), certain=not problem.transient)
                return [unseen, *found]
            if not any(target.state == "healthy" for target in targets):
                return [_serves_nobody(serving_group(self.release), targets), *map(_advise, found)]
            is_settled = all(finding.good for finding in found)
            return _say_how_to_go_on([_targets_healthy(serving_group(self.release), targets, is_settled), *found])

        def keeps_waiting(finding: Finding) -> bool:
            severity = severity_for(finding.name or "", Severity.FAIL, self.overrides)
            about_to_serve = bool(finding.values.get("starting"))
            return not finding.good and severity is Severity.FAIL and (about_to_serve or not finding.advisory)

        # A way back cannot wait, and while one is under way the service has two task sets and does not settle.
        is_rollback = self.deployment.is_rollback
        starting = self.deadline.within(min(STARTING, self.deadline.remaining() / 2))
        settle = self.deadline.within(0 if is_rollback else SETTLE)
        findings = poll(look, settle, interval=3, keeps_waiting=keeps_waiting)
        scales_out = any(finding.values.get("starting") and not finding.advisory for finding in findings)
        if is_rollback or not scales_out or not any(map(keeps_waiting, findings)):
            return findings
        return poll(look, starting, interval=3, keeps_waiting=keeps_waiting)

    def _targets_of_blue(self, service: Service) -> list[Target]:
        group = serving_group(self.release)
        targets, running = self.deployment.targets(group), _primary(service).running
        if running and not targets:  # each task that runs is registered, or is about to be
            raise NotShown(
                f"elasticloadbalancing:DescribeTargetHealth names no target of {group.name}, and ECS {running} running "
                f"task(s) of blue: register them, or {ALL_THE_SAME}"
            )
        return [target for target in targets if "draining" not in target.state]

    @check()
    def left_over_task_sets(self) -> Finding:
        """No task set of another deployment is still in use; one that drains, or is at scale 0, is not."""
        others = [
            task_set
            for task_set in self.release.service.task_sets
            if task_set.in_use and task_set.status != "PRIMARY" and task_set.external_id != self.deployment.id
        ]
        if others:
            named = ", ".join(
                f"{t.id} of deployment {t.external_id or 'unknown'} (scale {t.scale:g} %)" for t in others
            )
            return failed(
                f"a task set of another deployment is left over: {named}; stop that deployment or delete the task set"
            )
        return passed("no task set of another deployment is in use")


def _serves_nobody(group: TargetGroup, targets: Sequence[Target]) -> Finding:
    """No harm can come to customers whom nobody serves: what may mend it is let through, loudly."""
    why = ", ".join(map(str, targets)) or "none is registered"
    starting = {"starting": True} if targets and all(target.state == "initial" for target in targets) else {}
    said = (
        f"BLUE SERVES NOBODY: no target of {group.name} is healthy ({why}); this deployment is let through to mend it, "
        "and a rollback would go back to this"
    )
    return replace(failed(said, "blue_targets", **starting), advisory=True)


def _targets_healthy(group: TargetGroup, targets: Sequence[Target], is_settled: bool) -> Finding:
    """What some of the targets being healthy comes to; ECS may be content before the load balancer is."""
    others = ", ".join(str(target) for target in targets if target.state != "healthy")
    healthy = sum(target.state == "healthy" for target in targets)
    if others and not is_settled:
        said = f"{healthy} of {len(targets)} targets of {group.name}, which serves now, are healthy: {others}"
        starting = {"starting": True} if all(target.state in ("healthy", "initial") for target in targets) else {}
        return failed(f"{said}; mend it first", "blue_targets", **starting)
    return passed(f"{healthy} healthy target(s) behind {group.name}{'; ' if others else ''}{others}", "blue_targets")


def _advise(finding: Finding) -> Finding:
    """The finding, which stops nothing if it is bad."""
    return finding if finding.good else replace(finding, advisory=True)


def _say_how_to_go_on(findings: Sequence[Finding]) -> list[Finding]:
    """The findings, the first bad one with the words that let this one deployment through all the same."""
    bad = next((finding for finding in findings if not finding.good), None)
    said = f"{bad.detail}; or {ALL_THE_SAME}" if bad else ""
    return [replace(finding, detail=said) if finding is bad else finding for finding in findings]


def _running_count(service: Service) -> Finding:
    # The primary's own: a set that drains after the last deployment still has tasks, which the service counts.
    blue = _primary(service)
    counts = f"{blue.running} of {blue.desired} tasks running, {blue.pending} pending"
    if not blue.complete:
        said = f"service {service.name} is not at its desired count: {counts}; mend it first{_latest(service)}"
        return failed(said, "running_count")
    return passed(counts, "running_count")


def _steady(service: Service) -> Finding:
    blue = _primary(service)
    if blue.stability != "STEADY_STATE":
        said = f"primary task set {blue.id} is {blue.stability}, expected STEADY_STATE; mend it first{_latest(service)}"
        return failed(said, "service_steady")
    return passed(f"primary task set {blue.id} is in STEADY_STATE", "service_steady")


def _latest(service: Service) -> str:
    """The latest events that say why: most only tell what ECS does (registers targets, starts tasks)."""
    telling = [event for event in service.events if WHY.search(event)][:3]
    return f"; latest events: {' | '.join(telling)}" if telling else ""


def _primary(service: Service) -> TaskSet:
    """The task set that serves now."""
    if service.primary is None:
        raise Absent(f"service {service.name} has no primary task set: deploy it once without this hook")
    return service.primary


def serving_group(release: Release) -> TargetGroup:
    """The target group that serves now: the primary task set's."""
    return release.deployment.target_group_of(_primary(release.service))


class ReleaseChecks(Checks):
    """The AppSpec, its hooks and its task definition: do they fit each other and the service?"""

    @check(calls=["s3:GetObject"])
    def appspec(self) -> Finding:
        """The AppSpec can be read (JSON or YAML, from CodeDeploy or S3) and describes one ECS service."""
        found = self.release.appspec
        hooks = ", ".join(found.hooks) or "no hook"
        if found.unknown:
            said = f"the AppSpec's {', '.join(found.unknown)} is no property that CodeDeploy reads"
            return replace(failed(f"{said}: mend its name or its place, or take it out"), advisory=True)
        return passed(f"the AppSpec deploys {found.task_definition} with {hooks}")

    @check()
    def task_definition(self) -> Finding:
        """The AppSpec's task definition exists and is ACTIVE."""
        name, status = self.release.appspec.task_definition, self.release.definition.get("status")
        if status != "ACTIVE":
            return failed(f"task definition {name} is {status}, expected ACTIVE: register it anew")
        return passed(f"task definition {name} is ACTIVE")

    @check()
    def container_port(self) -> Finding:
        """The AppSpec's container is in the task definition and maps the AppSpec's port."""
        name, port = self.release.appspec.container_name, self.release.appspec.container_port
        container = next((c for c in self.release.containers if c.get("name") == name), None)
        if container is None:
            known = ", ".join(str(c.get("name")) for c in self.release.containers)
            return failed(f"the AppSpec's container {name} is not in the task definition (it has {known})")
        mappings = container.get("portMappings") or []
        if not any(_maps(mapping, port) for mapping in mappings):
            ports = [str(each.get("containerPortRange") or each.get("containerPort")) for each in mappings]
            mapped = ", ".join(ports) or "(none)"
            return failed(f"container {name} maps port {mapped}, the AppSpec says {port}: make them one")
        return passed(f"container {name} maps port {port}")

    @check()
    def network_mode(self) -> Finding:
        """The network mode fits the target groups' target type and the launch type."""
        mode = self.release.network_mode
        wrong = []
        for group in self.deployment.target_groups:
            if group.target_type == "ip" and mode != "awsvpc":
                wrong.append(
                    f"target group {group.name} takes addresses (ip), network mode {mode} gives none: use awsvpc"
                )
            if group.target_type == "instance" and mode == "awsvpc":
                wrong.append(
                    f"target group {group.name} takes instances, network mode awsvpc gives addresses: use type ip"
                )
        if self.release.launch_type == "FARGATE" and mode != "awsvpc":
            wrong.append(f"FARGATE runs tasks of network mode awsvpc only, the task definition has {mode}")
        if mode == "awsvpc" and not self.release.network.get("subnets"):
            wrong.append("network mode awsvpc needs subnets: neither the service nor the AppSpec names any")
        return failed("; ".join(wrong)) if wrong else passed(f"network mode {mode} fits the target groups")

    @check()
    def launch_type(self) -> Finding:
        """The task definition is made for the launch type or capacity providers, which the cluster has."""
        launch, providers, made_for = self.release.launch_type, self.release.capacity_providers, self.release.compatible
        fits = {launch, "MANAGED_INSTANCES"} if providers and launch == "EC2" else {launch}
        wrong = []
        if made_for and not fits & set(made_for):
            wrong.append(
                f"green runs on {self.release.launch_in_words}, the task definition is made for "
                f"{', '.join(dict.fromkeys(made_for))}: add {launch} to requiresCompatibilities"
            )
        if len({provider.startswith("FARGATE") for provider in providers}) > 1:
            wrong.append(f"capacity providers {', '.join(providers)}: a strategy has Fargate's or others, never both")
        known = self.deployment.cluster_info.get("capacityProviders") or [] if providers else []
        strange = [provider for provider in providers if provider not in known]
        if strange:
            wrong.append(f"capacity provider {', '.join(strange)} is not one of cluster {self.deployment.cluster}")
        if wrong:
            return failed("; ".join(wrong))
        lost = self.release.strategy_lost
        if lost:
            said = f"service {self.release.service.name} runs on capacity providers {', '.join(lost)}"
            cure = "name the strategy in the AppSpec (CapacityProviderStrategy)"
            return replace(failed(f"{said}, {LOST}: green starts on the launch type; {cure}"), advisory=True)
        return passed(f"launch type {self.release.launch_in_words} fits")

    @check()
    def cpu_memory(self) -> Finding:
        """CPU and memory of the task are a pair that Fargate has."""
        if self.release.launch_type != "FARGATE":
            return skipped(f"launch type {self.release.launch_in_words}: the instances' room is not looked at")
        cpu, memory = (str(self.release.definition.get(name) or "") for name in ("cpu", "memory"))
        if not (cpu.isdigit() and memory.isdigit()):
            found = f"cpu {cpu or '(none)'} and memory {memory or '(none)'}"
            return failed(f"the task definition has {found}, FARGATE needs both: state them")
        sizes = FARGATE_SIZES.get(int(cpu))
        if sizes is None:
            return skipped(f"cpu {cpu} is no size of FARGATE that is known here: ECS judges it when it is registered")
        if int(memory) not in sizes:
            known = (
                ", ".join(map(str, sizes)) if len(sizes) < 4 else f"{sizes[0]} to {sizes[-1]} by {sizes[1] - sizes[0]}"
            )
            return failed(f"cpu {cpu} takes memory {known} MiB, the task has {memory}")
        if self.release.is_windows and int(cpu) < 1024:
            return failed(f"Windows on FARGATE takes cpu 1024 at least, the task has {cpu}")
        return passed(f"cpu {cpu} with memory {memory} is a size that FARGATE has")

    @check()
    def platform_version(self) -> Finding:
        """The platform version is one that Fargate takes and has what the task definition needs."""
        version = str(self.release.placement.get("platformVersion") or "")
        if self.release.launch_type != "FARGATE":
            if version:
                launch = self.release.launch_in_words
                return failed(f"platform version is {version}, {launch} takes none: take it out of the AppSpec")
            return skipped(f"launch type {self.release.launch_in_words} has no platform version")
        if not re.fullmatch(r"(LATEST|\d+\.\d+\.\d+)?", version):
            return failed(f"platform version is {version}, expected LATEST or one such as 1.4.0")
        numbers = [int(part) for part in version.split(".")] if version[:1].isdigit() else []
        needs = self.release.needs_platform_1_4
        if numbers and numbers < [1, 4, 0] and needs and not self.release.is_windows:
            return failed(f"platform version {version} is older than 1.4.0, which is needed for {', '.join(needs)}")
        return passed(f"platform version {version or 'LATEST'} has what the task definition needs")

    @check(calls=["ecr:BatchGetImage"])
    def cpu_architecture(self) -> Finding:
        """Images for several platforms have one for the task's CPU architecture."""
        wanted = self.release.cpu_architecture
        if not wanted:
            return skipped("no CPU architecture is stated: the instances decide")
        if wanted == "ARM64" and self.release.is_windows:
            return failed("CPU architecture ARM64 is not to be had for Windows: state X86_64")
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


def _maps(mapping: Mapping[str, Any], port: int) -> bool:
    """Whether a container's port mapping has a port: as `containerPort`, or in `containerPortRange` ("8000-8010")."""
    first, _, last = str(mapping.get("containerPortRange") or mapping.get("containerPort")).partition("-")
    return first.isdigit() and int(first) <= port <= int(last if last.isdigit() else first)


def _architectures(stored: Mapping[str, Any] | None) -> set[str]:
    """The architectures of an image index; empty for a manifest of one platform, which names none."""
    try:
        manifests = json.loads((stored or {}).get("imageManifest") or "{}").get("manifests") or []
        found = {str((entry.get("platform") or {}).get("architecture") or "unknown") for entry in manifests}
    except (ValueError, AttributeError):
        return set()
    return found - {"unknown"}  # attestations are listed beside the images


class NeedsChecks(Checks):
    """What the tasks need to start: does it exist? Of secrets only that; their values are never read."""

    def _is_foreign(self, reference: str) -> bool:
        return is_arn(reference) and place_of(reference)[1] not in ("", self.release.account)

    @check(calls=["ecr:BatchGetImage", "ecr:DescribePullThroughCacheRules"], parts=["{image}"])
    def images(self) -> Iterator[Finding]:
        """The containers' images are in the account's ECR; images kept elsewhere are named and skipped."""
        for image in self.release.images:
            name = f"images:{image.label}"
            if not image.is_reference:
                arn = ", which is an ARN: ECR's address of it is <account>.dkr.ecr.<region>.amazonaws.com/<repository>"
                said = f"image {image.uri} is no reference to an image{arn if is_arn(image.uri) else ''}"
                yield failed(f"{said}: it can never be pulled, mend the task definition", name)
            elif not image.repository:
                yield skipped(f"image {image.uri} is not in ECR: not looked at", name)
            elif image.account != self.release.account:
                yield skipped(f"image {image.uri} is in account {image.account}'s ECR: not looked at", name)
            else:
                yield attempt(name, partial(self._image, image))

    def _image(self, image: Image) -> Finding:
        if self.release.stored(image) is not None:
            return passed(f"image {image.uri} is in ECR")
        missing = f"image {image.uri} is not in ECR of {image.region}: push it, or mend the task definition"
        try:
            upstream = self._pulled_through(image)
        except CannotLook as problem:  # a side question: the answer stays
            return failed(f"{missing} (whether ECR would fetch it from elsewhere is not known: {problem})")
        if upstream:
            return skipped(f"image {image.uri} comes from {upstream} at its first pull: not looked at")
        return failed(missing)

    def _pulled_through(self, image: Image) -> str:
        """The registry from which ECR fetches images of this repository's prefix when they are asked for."""
        rules = aws.pages("ecr", "describe_pull_through_cache_rules", "pullThroughCacheRules", region=image.region)
        for rule in rules:
            prefix = rule.get("ecrRepositoryPrefix")
            if prefix == "ROOT" or image.repository.startswith(f"{prefix}/"):
                return str(rule.get("upstreamRegistryUrl"))
        return ""

    @check(calls=["iam:GetRole"])
    def execution_role(self) -> Finding:
        """There is an execution role where ECR, awslogs or secrets need one; it exists and trusts ECS tasks."""
        arn, needs = self.release.definition.get("executionRoleArn"), self.release.needs_execution_role
        if arn:
            return self._role("execution role", str(arn))
        if needs:
            return failed(
                f"the task definition names no execution role, which {', '.join(needs)} need: set executionRoleArn"
            )
        return skipped("the task definition names no execution role and needs none")

    @check(calls=["iam:GetRole"])
    def task_role(self) -> Finding:
        """The task role, where there is one, exists and trusts ECS tasks."""
        arn = self.release.definition.get("taskRoleArn")
        return self._role("task role", str(arn)) if arn else skipped("the task definition names no task role")

    def _role(self, word: str, arn: str) -> Finding:
        if self._is_foreign(arn):
            return skipped(f"{word} {arn} is of another account: not looked at")
        role = arn.rpartition("/")[2]  # ECS takes the bare name, too
        try:
            found = aws.call("iam", "get_role", RoleName=role).get("Role") or {}
        except aws.AwsCallFailed as problem:
            if problem.code == "NoSuchEntity":
                return failed(f"{word} {arn} does not exist: create it, or mend the task definition")
            raise
        if is_arn(arn) and not found.get("Arn"):
            raise CannotLook(f"IAM does not say the ARN of role {role}, so whether it is {word} {arn} cannot be told")
        if is_arn(arn) and found["Arn"] != arn:
            return failed(f"{word} {arn} does not exist, only {found['Arn']} does: mend the task definition")
        if not permissions.trusts(found, "ecs-tasks.amazonaws.com"):
            return failed(f"{word} {arn} does not trust ecs-tasks.amazonaws.com: mend its trust policy")
        return passed(f"{word} {role} exists and trusts ECS tasks")

    @check(calls=["secretsmanager:DescribeSecret"], parts=["{secret}"])
    def secrets(self) -> Iterator[Finding]:
        """The secrets that containers reference exist, have a value, and are not being deleted."""
        if not self.release.secrets:
            yield skipped("the containers reference no secret")
        for reference, versions in self.release.secrets.items():
            kind, _, name = place_of(reference)[2].partition(":") if is_arn(reference) else ("secret", "", reference)
            if kind != "secret" or not name:
                said = f"{reference} is no ARN of a secret, expected arn:…:secret:<name>: mend the task definition"
                yield failed(said, f"secrets:{reference}")
            elif self._is_foreign(reference):
                yield skipped(f"secret {reference} is of another account: not looked at", f"secrets:{name}")
            else:
                yield attempt(f"secrets:{name}", partial(_secret, reference, name, versions))

    @check(calls=["ssm:DescribeParameters"], parts=["{parameter}"])
    def parameters(self) -> Iterator[Finding]:
        """The parameters that containers reference exist."""
        names: dict[str, dict[str, list[str]]] = {}  # region → reference → its names
        if not self.release.parameters:
            yield skipped("the containers reference no parameter")
        for reference in self.release.parameters:
            region, _, resource = place_of(reference) if is_arn(reference) else ("", "", f"parameter/{reference}")
            kind, _, path = resource.partition("/")
            if kind != "parameter" or not path:
                said = (
                    f"{reference} is no ARN of a parameter, expected arn:…:parameter/<name>: mend the task definition"
                )
                yield failed(said, f"parameters:{reference}")
            elif self._is_foreign(reference):
                yield skipped(f"parameter {reference} is of another account: not looked at", f"parameters:{reference}")
            elif path.lstrip("/").startswith("aws/"):
                said = f"parameter {reference} is AWS's own, which it lists nowhere: not looked at"
                yield skipped(said, f"parameters:{reference}")
            else:
                names.setdefault(region, {})[reference] = _spellings(reference, path)
        for region, references in names.items():
            try:
                found = _parameter_names(region or None, [name for spelled in references.values() for name in spelled])
            except CannotLook as problem:
                yield finding_of(problem, f"parameters:{', '.join(references)}")
                continue
            for reference, spelled in references.items():
                label = f"parameters:{spelled[0]}"
                if found & set(spelled):
                    yield passed(f"parameter {spelled[0]} exists", label)
                else:
                    yield failed(f"parameter {reference} does not exist: create it, or mend the task definition", label)

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
        if not group.is_made:
            elsewhere = group.region if group.region != place_of(self.release.service.arn)[0] else None
            where = f" in {elsewhere} (awslogs-region)" if elsewhere else ""
            return failed(f"log group {group.name} does not exist{where}: the container would not start; create it")
        made = f"log group {group.name} is made when the container starts (awslogs-create-group)"
        role = str(self.release.definition.get("executionRoleArn") or "")
        if self.release.launch_type != "FARGATE" or not is_arn(role):
            return skipped(f"{made}, by a role that is not known here")
        partition, region = role.split(":")[1], str(group.region or place_of(self.release.service.arn)[0])
        arn = f"arn:{partition}:logs:{region}:{self.release.account}:log-group:{group.name}"
        # AWS's reference names the action's resource in the first form, its refusals in the second.
        forms, context = [arn, f"{arn}:log-stream:"], {"aws:RequestedRegion": region}
        decisions = permissions.simulate(role, "logs:CreateLogGroup", forms, context)
        if decisions.denied == forms:
            return failed(f"{made}, but {role} may not do so: allow logs:CreateLogGroup, or create it")
        if decisions.denied or decisions.undecided:
            return skipped(f"{made}; whether {role} may do so cannot be told")
        return passed(made)


def _secret(reference: str, name: str, versions: set[tuple[str, str]]) -> Finding:
    region = place_of(reference)[0] if is_arn(reference) else None
    try:
        found = aws.call("secretsmanager", "describe_secret", region=region, SecretId=reference)
    except aws.AwsCallFailed as problem:
        if problem.code == "ResourceNotFoundException":
            return failed(f"secret {reference} does not exist: create it, or mend the task definition")
        raise
    if not found.get("ARN"):
        raise CannotLook(f"Secrets Manager answered nothing of secret {reference}")
    if found.get("DeletedDate"):
        return failed(f"secret {reference} is scheduled for deletion: restore it")
    stages: Mapping[str, list[str]] = found.get("VersionIdsToStages") or {}
    for stage, version in sorted(versions):
        if stage and not any(stage in names for id_, names in stages.items() if version in ("", id_)):
            which = f"{f' {version}' if version else ''} of stage {stage}"
            return failed(f"secret {reference} has no version{which}: store a value, or mend the task definition")
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


def _parameter_names(region: str | None, names: list[str]) -> set[str]:
    """Of these names those that Systems Manager has."""
    found: set[str] = set()
    for start in range(0, len(names), 50):  # DescribeParameters takes 50 values
        wanted = {"Key": "Name", "Option": "Equals", "Values": names[start : start + 50]}
        pages = aws.pages("ssm", "describe_parameters", "Parameters", region=region, ParameterFilters=[wanted])
        found |= {str(parameter.get("Name")) for parameter in pages}
    return found


class RouteChecks(Checks):
    """Target groups, listeners, room and alarms: can the traffic be moved, and back?"""

    @property
    def _production(self) -> Listener:
        return self.deployment.once("production listener", self.deployment.production_listener)

    @property
    def _test(self) -> Listener | None:
        return self.deployment.once("test listener", self.deployment.test_listener)

    def _rules(self, listener: Listener) -> Sequence[Rule]:
        return self.deployment.once(f"rules {listener.arn}", lambda: listener.rules)

    @check()
    def target_groups(self) -> Finding:
        """The deployment group has two target groups, and both exist."""
        names = [group.name for group in self.deployment.target_groups]
        if len(names) != 2:
            found = ", ".join(names) or "none"
            return failed(f"expected 2 target groups in the deployment group's pair, found {found}: name both")
        return passed(f"target groups {' and '.join(names)} exist")

    @check()
    def target_groups_alike(self) -> Finding:
        """The two target groups have the same VPC, target type, protocol and protocol version."""
        groups = self.deployment.target_groups
        words = {"vpc_id": "VPC", "target_type": "target type", "protocol": "protocol"}
        words["protocol_version"] = "protocol version"
        different = [
            f"{word} {' and '.join(repr(getattr(group, field)) for group in groups)}"
            for field, word in words.items()
            if len({getattr(group, field) for group in groups}) > 1
        ]
        names = " and ".join(group.name for group in groups)
        if different:
            return failed(f"target groups {names} differ in {', '.join(different)}: make them alike")
        return passed(f"target groups {names} are alike ({groups[0].protocol}, {groups[0].target_type})")

    @check(calls=["ec2:DescribeSubnets"])
    def target_group_vpc(self) -> Finding:
        """The tasks' subnets are in the target groups' VPC."""
        if not self._subnets:
            return skipped("the tasks have no subnets of their own (not awsvpc)")
        subnets = {str(subnet.get("VpcId")) for subnet in self._subnets}
        strange = [f"{g.name} is in {g.vpc_id}" for g in self.deployment.target_groups if {g.vpc_id} != subnets]
        if strange:
            vpcs = ", ".join(sorted(subnets))
            return failed(f"the tasks' subnets are in {vpcs}, target group {'; '.join(strange)}: use ones of one VPC")
        return passed(f"subnets and target groups are in {', '.join(subnets)}")

    @check(calls=["elasticloadbalancing:DescribeListeners"])
    def production_listener(self) -> Finding:
        """The production listener exists."""
        return passed(f"production listener on port {self._production.port} ({self._production.protocol}) exists")

    @check(calls=["elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeLoadBalancers"])
    def load_balancer(self) -> Finding:
        """The load balancer is active, and both listeners are on it."""
        found = self.deployment.load_balancer(self._production)
        if found.state not in ("active", "active_impaired"):
            return failed(f"load balancer {found.dns_name} is {found.state}, expected active: see its state's reason")
        if self._test is not None and self._test.load_balancer_arn != found.arn:
            return failed(
                f"the test listener is on {self._test.load_balancer_arn}, the production listener on {found.arn}: both "
                "must be on one load balancer"
            )
        return passed(f"{found.kind} load balancer {found.dns_name} is {found.state}")

    @check(
        calls=[
            "ec2:DescribeSubnets",
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeLoadBalancers",
        ]
    )
    def availability_zones(self) -> Finding:
        """The load balancer serves the zones of the tasks' subnets: targets in others get no traffic and no checks."""
        if not self._subnets:
            return skipped("the tasks have no subnets of their own (not awsvpc)")
        balancer = self.deployment.load_balancer(self._production)
        zones = {str(subnet.get("AvailabilityZone")) for subnet in self._subnets}
        strange = ", ".join(sorted(zones - set(balancer.zones)))
        if strange:
            served = ", ".join(balancer.zones)
            return failed(
                f"tasks may run in {strange}, the load balancer serves {served}: add a subnet of that zone to it"
            )
        return passed(f"the load balancer serves {', '.join(sorted(zones))}")

    @check(calls=["elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules"])
    def production_weights(self) -> Finding:
        """All production traffic, by default action and rules, goes to the target group that serves now."""
        early = self._early()
        if early:
            said = f"{'; '.join(early)}: its customers would meet green before any hook has"
            return failed(f"{said}; put it back on {serving_group(self.release).name}")
        return self._leads_to_blue("production", self._production)

    @check(calls=["elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules"])
    def test_weights(self) -> Finding:
        """The test listener leads to the target group that serves now, as CodeDeploy expects at the start."""
        if self._test is None:
            return skipped("the deployment group has no test listener")
        found = self._leads_to_blue("test", self._test)
        pair = {group.arn for group in self.deployment.target_groups}
        led_to = {arn for arn, weight in self._test.weights.items() if weight}
        if not found.good and led_to and led_to <= pair:
            # AWS's guide wants blue there; stacks whose test listener leads to the idle group at first are deployed.
            return replace(found, advisory=True)
        return found

    def _leads_to_blue(self, word: str, listener: Listener) -> Finding:
        blue = serving_group(self.release)
        if listener.serves_only(blue.arn):
            return passed(f"{word} listener on port {listener.port} leads to {blue.name}, which serves now")
        leads = self.deployment.weights_in_words(listener)
        return failed(
            f"{word} listener on port {listener.port} leads to {leads}, not just to {blue.name}, the primary task "
            "set's target group: put its default action back on that one"
        )

    def _early(self) -> list[str]:
        """The production listener's rules that lead to the idle target group, in words."""
        blue, pair = serving_group(self.release).arn, {group.arn for group in self.deployment.target_groups}
        return [
            self._in_words(rule, "production")
            for rule in self._rules(self._production)
            if any(weight and arn in pair - {blue} for arn, weight in rule.weights.items())
        ]

    def _in_words(self, rule: Rule, word: str) -> str:
        leads = self.deployment.weights_in_words(rule)
        return f"rule {rule.priority} ({rule.where}) of the {word} listener leads to {leads}"

    @check(Severity.WARN, calls=["elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules"])
    def listener_rules(self) -> Finding:
        """No rule mixes the pair with target groups outside it; rules that lead outside are named."""
        pair = {group.arn for group in self.deployment.target_groups}
        mixed: list[str] = []
        outside: list[str] = []
        for word, listener in {"production": self._production, "test": self._test}.items():
            for rule in self._rules(listener) if listener else []:
                led_to = {arn for arn, weight in rule.weights.items() if weight}
                if led_to - pair:
                    found = mixed if led_to & pair else outside
                    found.append(self._in_words(rule, word))
        if mixed:
            return failed(f"{'; '.join(mixed)}: only part of its traffic would shift; let it lead to the pair alone")
        return passed(f"not this deployment's: {'; '.join(outside)}" if outside else "no rule leads elsewhere")

    @check(calls=["elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules"])
    def other_listeners(self) -> Finding:
        """No other listener of the load balancer leads to the pair: CodeDeploy moves the production listener alone."""
        doors = self.deployment.other_doors()
        if doors:
            named = "; ".join(door.words for door in doors)
            return failed(f"{named}: {self.deployment.why_no_other_doors(doors)}")
        return passed("no listener beside those of the deployment group leads to its target groups")

    @check(
        calls=[
            "codedeploy:GetDeploymentConfig",
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeLoadBalancers",
        ]
    )
    def traffic_routing(self) -> Finding:
        """A Network Load Balancer is deployed to all at once: only an Application Load Balancer has weights."""
        kind = self.deployment.load_balancer(self._production).kind
        name = str(
            self.deployment.info.get("deploymentConfigName") or self.deployment.group.get("deploymentConfigName")
        )
        if kind == "application":
            return passed(f"deployment configuration {name} on an application load balancer")
        answer = aws.call("codedeploy", "get_deployment_config", deploymentConfigName=name)
        routing = (answer.get("deploymentConfigInfo") or {}).get("trafficRoutingConfig") or {}
        if not routing.get("type"):
            raise CannotLook(f"CodeDeploy does not say how deployment configuration {name} routes traffic")
        if routing["type"] != "AllAtOnce":
            return failed(
                f"deployment configuration {name} is {routing['type']}, which a {kind} load balancer cannot do: use "
                "CodeDeployDefault.ECSAllAtOnce"
            )
        return passed(f"deployment configuration {name} is all at once, as a {kind} load balancer needs")

    # Room

    @property
    def _subnets(self) -> list[Mapping[str, Any]]:
        """The tasks' subnets; raises Absent naming those that do not exist."""
        return self.deployment.once("subnets", self._read_subnets)

    def _read_subnets(self) -> list[Mapping[str, Any]]:
        wanted = list(self.release.network.get("subnets") or [])
        if not wanted:
            return []
        # By filter: asked for by id, EC2 would name only the first that is missing.
        filters = [{"Name": "subnet-id", "Values": wanted}]
        found = aws.call("ec2", "describe_subnets", Filters=filters).get("Subnets") or []
        missing = sorted(set(wanted) - {str(subnet.get("SubnetId")) for subnet in found})
        if missing:
            raise Absent(f"subnet {', '.join(missing)} does not exist: mend the network configuration")
        return list(found)

    @check(calls=["ec2:DescribeSubnets"])
    def free_addresses(self) -> Finding:
        """The tasks' subnets have an address for each task to come."""
        if not self._subnets:
            return skipped("the tasks have no subnets of their own (not awsvpc)")
        if any(subnet.get("Ipv6Native") for subnet in self._subnets):  # AWS counts the free IPv4 addresses only
            return skipped("a subnet of the tasks has IPv6 addresses only, enough for all")
        free = sum(int(subnet.get("AvailableIpAddressCount", 0)) for subnet in self._subnets)
        needed, names = self.release.service.desired, ", ".join(str(subnet.get("SubnetId")) for subnet in self._subnets)
        if free < needed:
            return failed(f"{free} free address(es) in {names}, green needs {needed}: add a subnet")
        return passed(f"{free} free addresses in {len(self._subnets)} subnet(s), green needs {needed}")

    @check(calls=["ec2:DescribeSecurityGroups"])
    def security_groups(self) -> Finding:
        """The tasks' security groups exist."""
        wanted = list(self.release.network.get("securityGroups") or [])
        if not wanted:
            return skipped("the tasks have no security groups of their own: the VPC's default one holds")
        filters = [{"Name": "group-id", "Values": wanted}]
        found = aws.call("ec2", "describe_security_groups", Filters=filters).get("SecurityGroups") or []
        missing = sorted(set(wanted) - {str(group.get("GroupId")) for group in found})
        if missing:
            return failed(f"security group {', '.join(missing)} does not exist: mend the network configuration")
        return passed(f"security group(s) {', '.join(wanted)} exist")

    # Alarms

    @check(calls=["cloudwatch:DescribeAlarms"], parts=["{alarm}"])
    def alarms(self) -> list[Finding]:
        """The deployment group's alarms exist and none fires: one that does stops the deployment during Install."""
        names = self.deployment.alarm_names
        if not names:
            return [skipped("the deployment group watches no alarm")]
        return metrics.judge_alarms(dict.fromkeys(names, metrics.NOT_IN_ALARM))

    @check()
    def auto_rollback(self) -> Finding:
        """Says so where a deployment that fails, or that an alarm stops, is not rolled back by itself."""
        source = self.deployment.info.get("autoRollbackConfiguration") or self.deployment.group.get(
            "autoRollbackConfiguration"
        )
        events = (source or {}).get("events") or [] if (source or {}).get("enabled") else []
        wanted = ["DEPLOYMENT_FAILURE", *(["DEPLOYMENT_STOP_ON_ALARM"] if self.deployment.alarm_names else [])]
        missing = [event for event in wanted if event not in events]
        if missing:
            return noted(
                f"automatic rollback is off for {', '.join(missing)}: after a failed hook green would keep its "
                "traffic; switch it on in the deployment group"
            )
        return passed(f"automatic rollback is on for {', '.join(wanted)}")


class PermissionChecks(Checks):
    """The hooks' functions and the roles of those who take part: foreseen by IAM's simulator, not tried."""

    @check(calls=["lambda:GetFunctionConfiguration"], parts=["{event}"])
    def hook_functions(self) -> Iterator[Finding]:
        """The functions of the AppSpec's hooks exist and can be invoked."""
        for event, name in self.further_hooks.items():
            found = self._of_function(f"hook_functions:{event}", name, partial(self._function_is_there, event, name))
            yield replace(found, note=found.outcome is Outcome.SKIPPED)
        if not self.further_hooks:
            yield skipped("the AppSpec names no further hook: nothing looks at green")

    def _function_is_there(self, event: str, name: str) -> Finding:
        found = self.deployment.function(name)
        state = found.get("State")
        if state is None:
            raise CannotLook(f"Lambda does not say in which state function {name} is")
        if state not in ("Active", "Inactive", "Pending"):  # Inactive: Lambda wakes it when it is invoked
            return failed(f"function {name} of the hook {event} is {state} ({found.get('StateReason')}): mend it first")
        return passed(f"function {name} of the hook {event} is {state}")

    @check(calls=["iam:SimulatePrincipalPolicy", "lambda:GetFunctionConfiguration"], parts=["{event}"])
    def hook_roles(self) -> Iterator[Finding]:
        """The roles of the hooks' functions may report to CodeDeploy."""
        for event, name in self.further_hooks.items():
            yield self._of_function(f"hook_roles:{event}", name, partial(self._may_report, event, name))
        if not self.further_hooks:
            yield skipped("the AppSpec names no further hook")

    def _may_report(self, event: str, name: str) -> Finding:
        configuration = self.deployment.function(name)
        role = configuration.get("Role")
        if not role:
            raise CannotLook(f"Lambda names no role of function {name}")
        action = "codedeploy:PutLifecycleEventHookExecutionStatus"
        found = _judged(
            f"role {role} of the hook {event}",
            f"may not report ({action}) on",
            self._reporting(role, action),
            "the deployment would wait an hour for it; allow it in that role",
        )
        environment = configuration.get("Environment") or {}  # of ours, always something
        if not found.good and "Error" not in environment and "HOOK_SETTINGS" not in environment.get("Variables", {}):
            return noted(f"{found.detail}, unless function {name}, which is none of this module's, lets another report")
        return found

    def _simulate(self, role: str, action: str, resources: list[str], **context: str) -> permissions.Decisions:
        region = place_of(self.release.service.arn)[0]  # what many policies ask for
        return permissions.simulate(role, action, resources, {"aws:RequestedRegion": region, **context})

    def _reporting(self, role: str, action: str) -> permissions.Decisions:
        """Either form of the permission will do: AWS's documents disagree whether the action has a resource."""
        on_group = self._simulate(role, action, [self._group_arn])
        return self._simulate(role, action, ["*"]) if on_group.denied and not on_group.explicit else on_group

    @property
    def _group_arn(self) -> str:
        names = f"{self.deployment.info['applicationName']}/{self.deployment.info['deploymentGroupName']}"
        return f"{self._arn_for('codedeploy')}:deploymentgroup:{names}"

    def _arn_for(self, service: str) -> str:
        """The first part of the ARNs of an AWS service's resources where the ECS service is."""
        if not is_arn(self.release.service.arn):
            raise CannotLook(f"ECS does not say the ARN of service {self.release.service.name}")
        place = self.release.service.arn.split(":")  # arn:<partition>:ecs:<region>:<account>:service/…
        return f"arn:{place[1]}:{service}:{place[3]}:{place[4]}"

    @check(calls=["iam:SimulatePrincipalPolicy"], parts=["{action}"])
    def service_role(self) -> list[Finding]:
        """CodeDeploy's service role may invoke the hooks' functions and pass the tasks' roles to ECS."""
        role = str(self.deployment.group.get("serviceRoleArn") or "")
        return [
            attempt("service_role:lambda:InvokeFunction", partial(self._may_invoke, role)),
            attempt("service_role:iam:PassRole", partial(self._may_pass, role)),
        ]

    def _may_invoke(self, role: str) -> Finding:
        arns = [self._arn_of_function(name) for name in self.further_hooks.values()]
        if not arns:
            return skipped("the AppSpec names no further hook")
        return _judged(
            f"CodeDeploy's service role {role}",
            "may not invoke",
            self._simulate(role, "lambda:InvokeFunction", arns),
            "attach the module's output invoke_policy_json or the managed policy AWSCodeDeployRoleForECS",
        )

    def _arn_of_function(self, name: str) -> str:
        return name if is_arn(name) else f"{self._arn_for('lambda')}:function:{name.rpartition('function:')[2]}"

    def _may_pass(self, role: str) -> Finding:
        named = [self.release.definition.get(name) for name in ("executionRoleArn", "taskRoleArn")]
        arns = [arn for arn in dict.fromkeys(map(str, named)) if arn.startswith("arn:")]
        if not arns:
            return skipped("the task definition names no role by its ARN")
        return _judged(
            f"CodeDeploy's service role {role}",
            "may not pass to ECS",
            self._simulate(role, "iam:PassRole", arns, **{"iam:PassedToService": "ecs-tasks.amazonaws.com"}),
            "no green task could be started; allow iam:PassRole on it",
        )


def _judged(who: str, may_not: str, decisions: permissions.Decisions, cure: str) -> Finding:
    if decisions.denied:
        return failed(f"{who} {may_not} {', '.join(decisions.denied)}: {cure}")
    if decisions.undecided:
        keys = ", ".join(dict.fromkeys(key for keys in decisions.undecided.values() for key in keys))
        return skipped(f"{who}: it hangs on {keys}, which is not known here, whether it {may_not} something")
    return passed(f"{who} may do what it has to")


class SettingsChecks(Checks):
    """What the functions of the later hooks are told: judged now, by the code that will read it."""

    @check(calls=["lambda:GetFunctionConfiguration"], parts=["{event}"])
    def hook_settings(self) -> Iterator[Finding]:
        """The options of all hooks can be used: expressions, rules across options, windows that fit the time."""
        yield from self._of_each("hook_settings", self._can_be_used)

    @check(Severity.WARN, calls=["lambda:GetFunctionConfiguration"], parts=["{event}"])
    def hook_versions(self) -> Iterator[Finding]:
        """The functions of the hooks run the module's code, told in the options of its version."""
        yield from self._of_each("hook_versions", partial(self._is_of_this_version, read_packages()))

    def _of_each(self, word: str, judge: Callable[[_Function], Finding]) -> Iterator[Finding]:
        """What comes of each further hook's function; that of somebody else is skipped, and said."""
        for event, name in self.further_hooks.items():
            yield self._of_function(f"{word}:{event}", name, partial(self._of_module, event, name, judge))
        if not self.further_hooks:
            yield skipped("the AppSpec names no further hook")

    def _of_module(self, event: str, name: str, judge: Callable[[_Function], Finding]) -> Finding:
        configuration = self.deployment.function(name)
        hook, called = _handler_of(name, configuration), f"function {name} of the hook {event}"
        if hook not in HOOKS:
            return skipped(f"{called} runs {hook}, which is no handler of this module's")
        variables = _variables_of(name, configuration)
        if not {"HOOK_SETTINGS", "ECS_SERVICE"} & variables.keys():  # others call their files so, too
            return skipped(f"{called} is told no HOOK_SETTINGS, so it is none of this module's")
        return judge(_Function(called, hook, variables, configuration))

    def _can_be_used(self, function: _Function) -> Finding:
        timeout = function.configuration.get("Timeout")
        if not isinstance(timeout, (int, float)):
            raise CannotLook(f"Lambda does not say the time-out of {function.called}")
        problems = []
        try:
            watched = read_environment(function.variables)
            ours = f"{self.deployment.cluster}/{self.deployment.service_name}"
            if f"{watched.cluster}/{watched.service}" != ours:
                problems.append(
                    f"the function watches {watched.cluster}/{watched.service}, not {ours}: put this service's hooks "
                    "into the AppSpec, or mend ecs_cluster_name, ecs_service_name"
                )
        except BadSettings as problem:
            problems.append(str(problem))
        options, reading = judge_settings(HOOKS[function.hook], function.variables, function.hook)
        problems += reading.problems
        if options:
            budget = TimeBudget.of(timeout, getattr(options, "max_duration", 0.0))
            problems += [f"{function.hook}.{problem}" for problem in options.problems_of_time(budget)]
        if problems:
            return failed(f"{in_words(problems)} ({function.called})")
        return passed(f"the options of {function.hook} can be used")

    def _is_of_this_version(self, packages: Mapping[str, str], function: _Function) -> Finding:
        reading = judge_settings(HOOKS[function.hook], function.variables, function.hook)[1]
        given, runs = packages.get(function.hook), function.configuration.get("CodeSha256")
        wrong = []
        if reading.schema not in ("", schema_of(HOOKS[function.hook])):
            wrong.append("is told its options as another version of the module has them")
        if given and not runs:
            raise CannotLook(f"Lambda does not say which code {function.called} runs")
        if given and given != runs:
            wrong.append("runs other code than the module gave it")
        if wrong:
            return failed(f"{function.called} {' and '.join(wrong)}: apply the module once more")
        return passed(f"{function.called} is of this version")


class RequestChecks(RouteChecks, SettingsChecks):
    """What the two traffic hooks will ask: is there a way, and do their requests come through?"""

    HOOKS = ("AfterAllowTestTraffic", "AfterAllowTraffic")

    @check(calls=["elasticloadbalancing:DescribeListeners", "lambda:GetFunctionConfiguration"])
    def test_listener(self) -> Finding:
        """A hook that tests before production has a way to green: a test listener of its own, or another."""
        event = self.HOOKS[0]
        hook = self.release.appspec.hooks.get(event)
        if self._test is not None:
            if self._test.arn == self._production.arn:
                return failed("the test listener is the production listener: give the deployment group one of its own")
            return passed(f"test listener on port {self._test.port} ({self._test.protocol}) exists")
        if not hook:
            return skipped("the deployment group has no test listener: no test traffic will be validated")
        return self._of_function("test_listener", hook, partial(self._of_module, event, hook, self._tests_without))

    def _tests_without(self, function: _Function) -> Finding:
        """Whether the function has another way to green than a test listener."""
        options, green = function.options, self._green
        if function.hook != "validate_test_traffic":
            return skipped(f"{function.called} runs {function.hook}, which sends nothing through a test listener")
        if options is None:
            return skipped(f"the options of {function.hook} cannot be used: see hook_settings")
        if options.base_url:
            return passed(f"no test listener; {function.hook} asks {shown_address(options.base_url)} (base_url)")
        if severity_for("test_listener", Severity.FAIL, options.checks) is not Severity.FAIL:
            return skipped(f"no test listener, which {function.hook} is told not to need", by_choice=True)
        if green.target_type != "ip":
            return failed(none_and_no_addresses(green))
        if not function.caller().in_vpc:
            return failed(NO_TEST_LISTENER)
        return passed(f"no test listener; {function.hook} is inside the VPC and asks green's targets directly")

    @check(
        calls=[
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeRules",
            "lambda:GetFunctionConfiguration",
        ],
        parts=["{event}"],
    )
    def requests(self) -> Iterator[Finding]:
        """What the traffic hooks ask reaches green; where nothing can be asked by default it is said, with the cure."""
        hooks = {event: name for event, name in self.further_hooks.items() if event in self.HOOKS}
        for event, name in hooks.items():
            yield self._of_function(
                f"requests:{event}", name, partial(self._of_module, event, name, self._comes_through)
            )
        if not hooks:
            yield skipped("the AppSpec names no hook that sends requests")

    def _comes_through(self, function: _Function) -> Finding:
        options = function.options
        if function.hook not in ("validate_test_traffic", "validate_production"):
            return skipped(f"{function.called} runs {function.hook}, which sends no request")
        if options is None:
            return skipped(f"the options of {function.hook} cannot be used: see hook_settings")
        listener = self._production if function.hook == "validate_production" else self._test
        if listener is None:
            return self._comes_to_targets(function)
        if getattr(options, "base_url", None):
            return passed(f"{function.hook} will ask {shown_address(options.base_url)} (base_url)")
        balancer = self.deployment.load_balancer(listener)
        shut_out = shut_out_of(balancer, listener.port, function.caller(self._ranges_of(function)))
        declared = dict(_declared(options))
        if declared and shut_out:
            return failed(f"{function.hook} is to ask {next(iter(declared))}, and {shut_out}")
        wrong = [
            f"{function.hook}.{place}: {problem}"
            for place, request in declared.items()
            if not placeholders(request.path)
            for problem in _astray(listener, options, request, balancer.dns_name)
        ]
        if wrong:
            return failed("; ".join(wrong))
        if options.http_checks or options.flows:
            return passed(f"the requests of {function.hook} are led to green")
        if shut_out:
            return noted(f"{function.hook} will send no request: {shut_out}")
        return self._by_default(function.hook, options.host, listener, balancer.dns_name)

    def _by_default(self, hook: str, host: str | None, listener: Listener, name: str) -> Finding:
        """What the hook asks where nothing is declared, or why it asks nothing; `name`: the load balancer's."""
        try:
            health = health_request(self._green, self._ports)
            request = request_through(listener, health, name, host)
        except CannotAsk as problem:
            rules = listener.to_the_pair() if listener.by_rules else []
            if host and rules and not any(rule.takes_host(host.partition(":")[0]) for rule in rules):
                return failed(f"{hook}.host: {problem}")
            return noted(f"{hook} will send no request: {problem}")
        of_host = f" of {request.host}" if request.host else ""
        return passed(f"{hook} will ask {request.path}{of_host} on port {listener.port}")

    def _comes_to_targets(self, function: _Function) -> Finding:
        caller = function.caller(self._ranges_of(function))
        if function.options.base_url or not caller.in_vpc or self._green.target_type != "ip":
            return skipped("no test listener: see test_listener")
        if not (function.options.http_checks or function.options.flows):
            try:
                health_request(self._green, self._ports)
            except CannotAsk as problem:
                return noted(f"{function.hook} will send no request: {problem}")
        groups = list(self.release.network.get("securityGroups") or [])
        shut_out = shut_out_of_tasks(groups, self.release.appspec.container_port, caller)
        if shut_out:
            return failed(f"{function.hook} is to ask green's targets directly, and {shut_out}")
        return passed(f"{function.hook} will ask each of green's targets directly")

    @property
    def _green(self) -> TargetGroup:
        """The idle target group, which green will be registered in."""
        return self.deployment.other_target_group(serving_group(self.release))

    @property
    def _ports(self) -> list[int]:
        """The ports at which green's targets will take traffic, where they are known before."""
        mapped = [
            int(mapping["hostPort"])
            for container in self.release.containers
            if container.get("name") == self.release.appspec.container_name
            for mapping in container.get("portMappings") or []
            if mapping.get("hostPort")
        ]
        return [self.release.appspec.container_port, *mapped]

    def _ranges_of(self, function: _Function) -> list[str]:
        """The addresses of a function's subnets, in CIDR notation; none outside a VPC."""
        subnets = list((function.configuration.get("VpcConfig") or {}).get("SubnetIds") or [])
        if not subnets:
            return []
        filters = [{"Name": "subnet-id", "Values": subnets}]
        found = self.deployment.once(f"subnets {subnets}", lambda: aws.call("ec2", "describe_subnets", Filters=filters))
        return [str(subnet.get("CidrBlock")) for subnet in found.get("Subnets") or []]


def _declared(options: Any) -> Iterator[tuple[str, Any]]:
    """The declared requests that go to the hook's listener, by their place in the options."""
    for name, request in options.http_checks.items():
        if not request.url:
            yield f"http_checks{key_of(name)}", request
    for name, flow in options.flows.items():
        for number, step in enumerate(flow.steps):
            if not step.url:
                yield f"flows{key_of(name)}.steps[{number}]", step
    if getattr(options, "load", None):
        yield "load", options.load


def _astray(listener: Listener, options: Any, request: Any, name: str) -> Iterator[str]:
    """Why a declared request does not come to green."""
    headers = {**options.headers, **request.headers, **getattr(request, "secret_headers", {})}
    try:
        listener.refuse_astray(request.host or options.host or name, normalised(request.path), headers)
    except Astray as problem:
        yield str(problem)


@dataclass(frozen=True)
class _Function:
    """A function of this module: what messages call it, whose hook it is, its environment, and what Lambda says."""

    called: str
    hook: str
    variables: Mapping[str, str]
    configuration: Mapping[str, Any]

    @property
    def options(self) -> Any:
        """The options that it is told; None where they cannot be used, of which `hook_settings` says why."""
        return judge_settings(HOOKS[self.hook], self.variables, self.hook)[0]

    def caller(self, ranges: Sequence[str] = ()) -> Caller:
        """Where its requests come from."""
        return Caller.of(self.configuration, ranges)


def _handler_of(name: str, configuration: Mapping[str, Any]) -> str:
    """The handler's file, by which a function is known: its name is the user's."""
    if configuration.get("PackageType") == "Image":
        return "a container image"
    handler = configuration.get("Handler")
    if not handler:
        raise CannotLook(f"Lambda does not say the handler of function {name}")
    return str(handler).rpartition(".")[0]


def _variables_of(name: str, configuration: Mapping[str, Any]) -> Mapping[str, str]:
    """A function's environment; raises CannotLook where Lambda could not decrypt it."""
    environment = configuration.get("Environment") or {}
    problem = environment.get("Error")
    if problem:
        said = f"{problem.get('ErrorCode')}: {problem.get('Message')}"
        raise CannotLook(f"the environment of function {name} cannot be read ({said}): allow kms:Decrypt on its key")
    return environment.get("Variables") or {}


CALLS = (
    "codedeploy:GetApplicationRevision",
    "ecs:DescribeServices",
    "ecs:DescribeTaskDefinition",
    "elasticloadbalancing:DescribeTargetGroups",
)
CHECKS = (ServiceChecks, ReleaseChecks, NeedsChecks, RouteChecks, RequestChecks, PermissionChecks, SettingsChecks)


@lifecycle_hook(OUR_EVENT, ValidateBeforeInstall, names_of(*CHECKS), CALLS)
def handler(
    deployment: Deployment, settings: ValidateBeforeInstall, deadline: Deadline
) -> Generator[Check, bool, None]:
    """Decide whether the service, the task definition and the infrastructure are fit for this deployment."""
    for each in all_checks(Release(deployment), deadline, settings.checks):
        look = partial(patiently, each.look, deadline)
        yield Check(each.name, look, each.severity, may_stop=not deployment.is_rollback)


def all_checks(release: Release, deadline: Deadline, overrides: Mapping[str, str]) -> list[Check]:
    """The checks of this hook in their order: causes before what follows from them."""
    service = ServiceChecks(release, deadline, overrides)
    return checks_of(service, *(kind(release) for kind in CHECKS[1:]))
