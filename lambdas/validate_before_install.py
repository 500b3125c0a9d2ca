"""BeforeInstall: whatever would make this deployment fail later, found before anything is made.

Green does not exist yet. All checks run, so that one run names all problems. On a rollback deployment the
findings are reported as warnings: nothing here may stand in the way of going back.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from functools import cached_property
from typing import Any

from gate import aws, metrics
from gate.deployment import AppSpec, Deployment, Listener, Service, TargetGroup
from gate.hook import lifecycle_hook
from gate.settings import HookSettings
from gate.verdict import CannotLook, Check, Finding, Look, Severity, could_not_look, failed, passed, skipped
from gate.waiting import Deadline, poll

SETTLE = 60.0  # seconds a service may take to be steady: a task replaced this very moment is no reason to refuse


@lifecycle_hook("BeforeInstall", HookSettings)
def handler(deployment: Deployment, _settings: HookSettings, deadline: Deadline) -> Generator[Check, bool, None]:
    """Decide whether the service, the task definition and the infrastructure are fit for this deployment."""
    severity = Severity.WARN if deployment.is_rollback else Severity.FAIL
    preflight = Preflight(deployment, deadline)
    looks: dict[str, Look] = {
        "cluster": preflight.cluster,
        "service": preflight.service_is_deployable,
        "service_steady": preflight.service_is_steady,
        "left_over_task_sets": preflight.left_over_task_sets,
        "task_definition": preflight.task_definition_is_active,
        "container_port": preflight.container_port,
        "service_fit": preflight.task_definition_fits,
        "images": preflight.images,
        "roles": preflight.roles,
        "secrets": preflight.secrets,
        "log_groups": preflight.log_groups,
        "target_groups": preflight.target_group_pair,
        "production_listener": preflight.production_listener,
        "test_listener": preflight.test_listener,
        "load_balancer": preflight.load_balancer,
        "blue_targets": preflight.blue_targets,
        "free_addresses": preflight.free_addresses,
        "alarms": preflight.alarms,
    }
    for name, look in looks.items():
        yield Check(name, look, severity)


class Preflight:
    """The looks of this hook, and what they share: each thing is read once, by the look that needs it first."""

    def __init__(self, deployment: Deployment, deadline: Deadline) -> None:
        self.deployment = deployment
        self.deadline = deadline

    @cached_property
    def service(self) -> Service:
        """The service, as it was when it was last waited for."""
        return self.deployment.service()

    @cached_property
    def appspec(self) -> AppSpec:
        """The deployment's AppSpec."""
        return self.deployment.appspec

    @cached_property
    def definition(self) -> Mapping[str, Any]:
        """The task definition that the AppSpec names."""
        return self.deployment.task_definition(self.appspec.task_definition)

    @cached_property
    def blue(self) -> TargetGroup:
        """The target group that serves now: the primary task set's."""
        primary = self.service.primary
        if primary is None:
            raise CannotLook(f"service {self.service.name} has no primary task set")
        return self.deployment.target_group_of(primary)

    @cached_property
    def production(self) -> Listener:
        """The production listener."""
        return self.deployment.production_listener()

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        """The task definition's containers."""
        return list(self.definition.get("containerDefinitions") or [])

    @property
    def account(self) -> str:
        """The account's number, from the task definition's ARN."""
        return str(self.definition.get("taskDefinitionArn", "::::")).split(":")[4]

    # The service

    def cluster(self) -> Finding:
        """The cluster exists and is ACTIVE."""
        name = self.deployment.cluster
        found = aws.call("ecs", "describe_clusters", clusters=[name]).get("clusters") or []
        if not found:
            return failed(f"cluster {name} does not exist: check ecs_cluster_name")
        status = found[0].get("status")
        return (
            passed(f"cluster {name} is ACTIVE")
            if status == "ACTIVE"
            else failed(f"cluster {name} is {status}, expected ACTIVE")
        )

    def service_is_deployable(self) -> Finding:
        """The service is ACTIVE, controlled by CODE_DEPLOY and asked to run tasks."""
        service = self.service
        wrong = []
        if service.status != "ACTIVE":
            wrong.append(f"is {service.status}, expected ACTIVE")
        if service.controller != "CODE_DEPLOY":
            wrong.append(
                f"has deployment controller {service.controller}, expected CODE_DEPLOY (set when a service is created)"
            )
        if service.desired < 1:
            wrong.append("has a desired count of 0: no green task would ever be looked at; raise it first")
        if wrong:
            return failed(f"service {service.name} {'; it '.join(wrong)}")
        return passed(f"service {service.name} is ACTIVE, controlled by CODE_DEPLOY, {service.desired} task(s) desired")

    def service_is_steady(self) -> list[Finding]:
        """The service runs what it should, and its primary task set is in STEADY_STATE; given a minute to settle."""

        def look() -> Finding:
            self.__dict__["service"] = service = self.deployment.service()
            primary = service.primary
            counts = f"{service.running} of {service.desired} tasks running, {service.pending} pending"
            if service.running != service.desired or service.pending:
                latest = f"; latest event: {service.events[0]}" if service.events else ""
                return failed(f"service {service.name} is not at its desired count: {counts}{latest}")
            if primary is None:
                return failed(f"service {service.name} has no primary task set")
            if primary.stability != "STEADY_STATE":
                latest = f"; latest event: {service.events[0]}" if service.events else ""
                return failed(f"primary task set {primary.id} is {primary.stability}, expected STEADY_STATE{latest}")
            return passed(f"{counts}, primary task set {primary.id} in STEADY_STATE")

        return poll(look, self.deadline.within(SETTLE), interval=3)

    def left_over_task_sets(self) -> Finding:
        """No task set of another deployment is still in use beside the primary one."""
        others = [
            task_set
            for task_set in self.service.task_sets
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

    # The task definition

    def task_definition_is_active(self) -> Finding:
        """The AppSpec's task definition exists and is ACTIVE."""
        name = self.appspec.task_definition
        status = self.definition.get("status")
        if status != "ACTIVE":
            return failed(f"task definition {name} is {status}, expected ACTIVE: register it anew")
        return passed(f"task definition {name} is ACTIVE")

    def container_port(self) -> Finding:
        """The AppSpec's container is in the task definition and maps the AppSpec's port."""
        name, port = self.appspec.container_name, self.appspec.container_port
        container = next((c for c in self.containers if c.get("name") == name), None)
        if container is None:
            known = ", ".join(str(c.get("name")) for c in self.containers)
            return failed(f"the AppSpec's container {name} is not in the task definition (it has {known})")
        ports = [mapping.get("containerPort") for mapping in container.get("portMappings") or []]
        if port not in ports:
            return failed(
                f"container {name} maps port {', '.join(map(str, ports)) or '(none)'}, the AppSpec says {port}"
            )
        return passed(f"container {name} maps port {port}")

    def task_definition_fits(self) -> Finding:
        """Network mode, target type, launch type and compatibilities go together."""
        mode = self.definition.get("networkMode") or "bridge"
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
        launch = self._launch_type()
        compatible = self.definition.get("requiresCompatibilities") or self.definition.get("compatibilities") or []
        if launch and compatible and launch not in compatible:
            wrong.append(f"the service runs on {launch}, the task definition is made for {', '.join(compatible)}")
        if launch == "FARGATE" and not (self.definition.get("cpu") and self.definition.get("memory")):
            wrong.append("FARGATE needs cpu and memory on the task definition")
        if wrong:
            return failed("; ".join(wrong))
        return passed(f"network mode {mode}, launch type {launch or 'not stated'} fit the service")

    def _launch_type(self) -> str:
        placement = self.service.primary.placement if self.service.primary else self.service.placement
        providers = [str(entry.get("capacityProvider")) for entry in placement.get("capacityProviderStrategy") or []]
        if providers:
            return "FARGATE" if all(provider.startswith("FARGATE") for provider in providers) else ""
        return str(placement.get("launchType") or "")

    def images(self) -> Iterator[Finding]:
        """The containers' images are in the account's ECR; images kept elsewhere are named and skipped."""
        for image in dict.fromkeys(str(container.get("image", "")) for container in self.containers):
            yield self._image(image)

    def _image(self, image: str) -> Finding:
        name = f"images:{image.rpartition('/')[2]}"
        match = re.fullmatch(
            r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)/"
            r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
            image,
        )
        if not match:
            return skipped(f"image {image} is not in ECR: not looked at", name)
        if match["account"] != self.account:
            return skipped(f"image {image} is in account {match['account']}'s ECR: not looked at", name)
        wanted = {"imageDigest": match["digest"]} if match["digest"] else {"imageTag": match["tag"] or "latest"}
        try:
            aws.call(
                "ecr", "describe_images", region=match["region"], repositoryName=match["repository"], imageIds=[wanted]
            )
        except aws.AwsCallFailed as problem:
            if problem.code == "ImageNotFoundException":
                return failed(f"image {image} is not in ECR: push it, or mend the task definition", name)
            if problem.code == "RepositoryNotFoundException":
                return failed(f"image {image}: ECR has no repository {match['repository']} in {match['region']}", name)
            return could_not_look(str(problem), name)
        return passed(f"image {image} is in ECR", name)

    def roles(self) -> Iterator[Finding]:
        """The task's roles exist and may be assumed by ECS tasks."""
        roles = {
            "execution role": self.definition.get("executionRoleArn"),
            "task role": self.definition.get("taskRoleArn"),
        }
        if not any(roles.values()):
            yield skipped("the task definition names no role")
        for word, arn in roles.items():
            if arn:
                yield self._role(word, str(arn))

    def _role(self, word: str, arn: str) -> Finding:
        role, name = arn.rpartition("/")[2], f"roles:{word.replace(' ', '_')}"  # ECS takes the bare name, too
        if arn.startswith("arn:") and arn.split(":")[4] != self.account:
            return skipped(f"{word} {arn} is of another account: not looked at", name)
        try:
            found = aws.call("iam", "get_role", RoleName=role).get("Role") or {}
        except aws.AwsCallFailed as problem:
            if problem.code == "NoSuchEntity":
                return failed(f"{word} {arn} does not exist: create it, or mend the task definition", name)
            return could_not_look(str(problem), name)
        if not _trusts_ecs_tasks(found.get("AssumeRolePolicyDocument") or {}):
            return failed(f"{word} {arn} does not trust ecs-tasks.amazonaws.com: mend its trust policy", name)
        return passed(f"{word} {role} exists and trusts ECS tasks", name)

    def secrets(self) -> Iterator[Finding]:
        """The secrets and parameters that containers reference exist. Their values are never read."""
        references: dict[str, bool] = {}  # whether it is a secret's
        for container in self.containers:
            logging_options = (container.get("logConfiguration") or {}).get("secretOptions") or []
            for entry in [*(container.get("secrets") or []), *logging_options]:
                references[str(entry["valueFrom"])] = ":secretsmanager:" in str(entry["valueFrom"])
            credentials = (container.get("repositoryCredentials") or {}).get("credentialsParameter")
            if credentials:
                references[str(credentials)] = True  # a secret's, by its ARN or its name
        if not references:
            yield skipped("the containers reference no secret and no parameter")
        for reference, is_secret in references.items():
            if reference.startswith("arn:") and reference.split(":")[4] != self.account:
                yield skipped(f"{reference} is of another account: not looked at", f"secrets:{reference}")
            else:
                yield self._secret(reference) if is_secret else self._parameter(reference)

    def _secret(self, reference: str) -> Finding:
        parts = reference.split(":")  # an ARN, perhaps with a JSON key, a stage and a version behind it, or a name
        arn, label = ":".join(parts[:7]), parts[6] if len(parts) > 6 else reference
        region, name = parts[3] if len(parts) > 6 else None, f"secrets:{label}"
        try:
            found = aws.call("secretsmanager", "describe_secret", region=region, SecretId=arn)
        except aws.AwsCallFailed as problem:
            if problem.code == "ResourceNotFoundException":
                return failed(f"secret {arn} does not exist: create it, or mend the task definition", name)
            return could_not_look(str(problem), name)
        if found.get("DeletedDate"):
            return failed(f"secret {arn} is scheduled for deletion: restore it", name)
        return passed(f"secret {label} exists", name)

    def _parameter(self, reference: str) -> Finding:
        is_arn = reference.startswith("arn:")
        path = reference.partition(":parameter/")[2] if is_arn else reference
        # The ARN of /a and of a is the same one, so both spellings are asked for.
        names = sorted({path, f"/{path}"}) if is_arn else [path]
        region = reference.split(":")[3] if is_arn else None
        question: dict[str, Any] = {"ParameterFilters": [{"Key": "Name", "Option": "Equals", "Values": names}]}
        name = f"secrets:{path}"
        while True:
            answer = aws.call("ssm", "describe_parameters", region=region, **question)
            if answer.get("Parameters"):
                return passed(f"parameter {path} exists", name)
            if not answer.get("NextToken"):  # an empty page may have another one behind it
                return failed(f"parameter {reference} does not exist: create it, or mend the task definition", name)
            question["NextToken"] = answer["NextToken"]

    def log_groups(self) -> Iterator[Finding]:
        """The log groups of awslogs exist, or are made when the container starts."""
        wanted: dict[tuple[str, str | None], bool] = {}
        for container in self.containers:
            configuration = container.get("logConfiguration") or {}
            options = configuration.get("options") or {}
            if configuration.get("logDriver") == "awslogs" and options.get("awslogs-group"):
                key = (str(options["awslogs-group"]), options.get("awslogs-region"))
                wanted[key] = wanted.get(key, False) or options.get("awslogs-create-group") == "true"
        if not wanted:
            yield skipped("no container logs to CloudWatch Logs (awslogs)")
        for (group, region), created in wanted.items():
            name = f"log_groups:{group}"
            if created:
                yield passed(f"log group {group} is made when the container starts (awslogs-create-group)", name)
                continue
            answer = aws.call("logs", "describe_log_groups", region=region, logGroupNamePrefix=group)
            if any(entry.get("logGroupName") == group for entry in answer.get("logGroups") or []):
                yield passed(f"log group {group} exists", name)
            else:
                yield failed(f"log group {group} does not exist: the container would not start; create it", name)

    # The infrastructure

    def target_group_pair(self) -> Finding:
        """The two target groups exist and are alike."""
        groups = self.deployment.target_groups
        if len(groups) != 2:
            return failed(
                f"expected 2 target groups in the deployment group, found {', '.join(g.name for g in groups) or 'none'}"
            )
        first, second = groups
        different = [
            f"{word} {one!r} and {other!r}"
            for word, one, other in (
                ("VPC", first.vpc_id, second.vpc_id),
                ("target type", first.target_type, second.target_type),
                ("protocol", first.protocol, second.protocol),
            )
            if one != other
        ]
        if different:
            return failed(
                f"target groups {first.name} and {second.name} differ in {', '.join(different)}: make them alike"
            )
        return passed(f"target groups {first.name} and {second.name} are alike ({first.protocol}, {first.target_type})")

    def production_listener(self) -> Finding:
        """All production traffic goes to the target group that serves now."""
        return self._leads_to_blue("production", self.production)

    def test_listener(self) -> Finding:
        """The test listener, where there is one, is another one and leads to the target group that serves now."""
        listener = self.deployment.test_listener()
        if listener is None:
            return skipped("the deployment group has no test listener: no test traffic will be validated")
        if listener.arn == self.production.arn:
            return failed("the test listener is the production listener: give the deployment group one of its own")
        return self._leads_to_blue("test", listener)

    def _leads_to_blue(self, word: str, listener: Listener) -> Finding:
        if listener.serves_only(self.blue.arn):
            return passed(f"{word} listener on port {listener.port} leads to {self.blue.name}, which serves now")
        return failed(
            f"{word} listener on port {listener.port} leads to {self.deployment.weights_in_words(listener)}, not just "
            f"to {self.blue.name}, the primary task set's target group: put its default action back on that one"
        )

    def load_balancer(self) -> Finding:
        """The load balancer is active."""
        found = self.deployment.load_balancer(self.production)
        if found.state not in ("active", "active_impaired"):
            return failed(f"load balancer {found.dns_name} is {found.state}, expected active")
        return passed(f"{found.kind} load balancer {found.dns_name} is {found.state}")

    def blue_targets(self) -> Finding:
        """At least one target of the serving group is healthy: there is something to go back to."""
        targets = self.deployment.targets(self.blue)
        healthy = [target for target in targets if target.state == "healthy"]
        others = ", ".join(str(target) for target in targets if target.state not in ("healthy", "draining"))
        if not healthy:
            return failed(
                f"no target of {self.blue.name} is healthy, so blue does not serve: {others or 'none is registered'}"
            )
        return passed(f"{len(healthy)} healthy target(s) behind {self.blue.name}{'; ' if others else ''}{others}")

    def free_addresses(self) -> Finding:
        """The subnets have an address for each task to come."""
        placement = self.service.primary.placement if self.service.primary else self.service.placement
        network = self.appspec.network or (placement.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
        subnets = list(network.get("subnets") or [])
        if not subnets:
            return skipped("the service's tasks have no subnets of their own (not awsvpc)")
        answer = aws.call("ec2", "describe_subnets", SubnetIds=subnets)
        free = sum(int(subnet.get("AvailableIpAddressCount", 0)) for subnet in answer.get("Subnets") or [])
        if free < self.service.desired:
            return failed(
                f"{free} free address(es) in {', '.join(subnets)}, green needs {self.service.desired}: add a subnet"
            )
        return passed(f"{free} free addresses in {len(subnets)} subnet(s), green needs {self.service.desired}")

    def alarms(self) -> list[Finding]:
        """The deployment group's alarms exist and none fires: one that does stops the deployment during Install."""
        names = self.deployment.alarm_names
        if not names:
            return [skipped("the deployment group watches no alarm")]
        return metrics.judge_alarms(dict.fromkeys(names, metrics.NOT_IN_ALARM))


def _trusts_ecs_tasks(document: Mapping[str, Any]) -> bool:
    statements = document.get("Statement") or []
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal") or {}
        services = principal.get("Service") if isinstance(principal, Mapping) else principal
        if statement.get("Effect") == "Allow" and "ecs-tasks.amazonaws.com" in (
            services if isinstance(services, list) else [services]
        ):
            return True
    return False
