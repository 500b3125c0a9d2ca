"""ECS: tasks as the world runs them.

moto starts a task with its first container only, moves it along its states each time someone looks, and always lets
it exit with 0. Here the world says what became of a task, and every container is shown:

- `RunTask` answers `failures[]` when a task cannot be placed, and is idempotent by `clientToken` in a cluster; the same
  token with other parameters is a ConflictException with the ARNs of the tasks that exist;
- a stopped task stays visible for an hour, with `stopCode`, `stoppedReason` and `containers[].exitCode`, absent for
  a container that never started.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from moto.core.utils import utcnow
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.subnets import Subnet
from moto.ecs.exceptions import ClusterNotFoundException, ECSException, InvalidParameterException
from moto.ecs.models import Cluster, EC2ContainerServiceBackend, TaskDefinition
from moto.moto_api._internal import mock_random

from rehearsal.aws import world
from rehearsal.aws.ecs_containers import Reached, RunningContainer, container_specs, free_address, subnet_of
from rehearsal.aws.ecs_secrets import SecretError
from rehearsal.aws.world import ContainerSpec, ContainerState, LaunchError, PlacementFailure, TaskSpec, TaskState

VISIBLE_FOR = timedelta(hours=1)
"""How long a stopped task can be described (ECS developer guide: at least an hour)."""

TOKEN_LIFE = timedelta(hours=24)
"""How long a client token is remembered, unless its tasks have been stopped for an hour."""

LOCK = threading.RLock()
"""Held while tasks and services are brought up to date: the server answers requests in threads."""


class ConflictException(ECSException):
    """A client token was used again with other parameters."""

    code = "ConflictException"

    def __init__(self, message: str, resource_ids: list[str]) -> None:
        super().__init__(message)
        self.resource_ids = resource_ids


def client_exception(message: str) -> ECSException:
    """Return ECS's ClientException."""
    return ECSException("ClientException", message)


class StandInTask(Reached):
    """A task that the world runs. moto's own class moves a task along its states each time someone looks."""

    def __init__(
        self,
        backend: TaskBackend,
        cluster: Cluster,
        definition: TaskDefinition,
        *,
        group: str,
        launch_type: str,
        network: dict[str, Any] | None,
        overrides: dict[str, Any] | None = None,
        started_by: str | None = None,
        tags: list[dict[str, str]] | None = None,
        platform_version: str | None = None,
        capacity_provider: str | None = None,
        container_instance_arn: str | None = None,
        enable_execute_command: bool = False,
    ) -> None:
        self._backend = backend
        self._ec2: EC2Backend = ec2_backends[backend.account_id][backend.region_name]
        self.id = mock_random.uuid4().hex
        place = f"{backend.region_name}:{backend.account_id}"
        self.task_arn = f"arn:{backend.partition}:ecs:{place}:task/{cluster.name}/{self.id}"
        self.last_status = "PROVISIONING"
        self.cluster_name = cluster.name
        self.cluster_arn = cluster.arn
        self.task_definition_arn = definition.arn
        self.container_instance_arn = container_instance_arn
        self.group = group
        self.launch_type = launch_type
        self.overrides = overrides or {}
        self.started_by = started_by
        self.tags = tags or []
        self.platform_version = platform_version
        self.capacity_provider_name = capacity_provider
        self.enable_execute_command = enable_execute_command
        self.desired_status = "RUNNING"
        self.stop_code: str | None = None
        self.stopped_reason: str | None = None
        self.created_at = utcnow()
        self.started_at: datetime | None = None
        self.stopping_at: datetime | None = None
        self.stopped_at: datetime | None = None
        self.unhealthy_since: datetime | None = None
        self.registered: list[tuple[str, str, int]] = []
        """Target group ARN, address or instance, and port of each target registered for this task."""
        self.version = 1
        self.cpu = (overrides or {}).get("cpu") or definition.cpu
        self.memory = (overrides or {}).get("memory") or definition.memory
        self.attachment_id = str(mock_random.uuid4())
        self.private_ip = ""
        self._interface: NetworkInterface | None = None
        self.subnet: Subnet | None = None
        self.instance_id = ""
        """The EC2 instance that the task runs on, if there is one."""
        if network is not None:
            self._attach(network["awsvpcConfiguration"])
        elif container_instance_arn:
            self.instance_id = backend.ec2_instance_of(cluster, container_instance_arn)
            self.private_ip = str(self._ec2.get_instance(self.instance_id).private_ip)
        self.ports = self.ports_of(definition, backend.free_port)
        """By container port: the port at which it is reached."""
        self.unreadable: str | None = None
        """Why a secret could not be read, and the task does not start."""
        self.containers = [
            RunningContainer(
                spec,
                f"arn:{backend.partition}:ecs:{place}:container/{cluster.name}/{self.id}/{mock_random.uuid4()}",
                str(container.get("cpu", 0)),
                str(container["memory"]) if container.get("memory") else None,
                f"{self.id}-{mock_random.get_random_hex(10)}",
            )
            for spec, container in zip(
                map(self.reached, self._specs(definition)),
                cast("list[dict[str, Any]]", definition.container_definitions),
                strict=True,
            )
        ]

    def _specs(self, definition: TaskDefinition) -> list[ContainerSpec]:
        try:
            return container_specs(definition, self.overrides, (self._backend.account_id, self._backend.region_name))
        except SecretError as error:
            self.unreadable = str(error)
            return container_specs(definition, self.overrides, None)

    def spec(self) -> TaskSpec:
        """Return what the world needs to know to run the task."""
        return TaskSpec(
            task_arn=self.task_arn,
            cluster=self.cluster_name,
            task_definition_arn=self.task_definition_arn,
            containers=tuple(container.spec for container in self.containers),
            private_ip=self.private_ip,
            started_by=self.started_by,
            group=self.group,
            cpu=float(self.cpu) if self.cpu else None,
            memory=float(self.memory) if self.memory else None,
            instance_id=self.instance_id,
            tags={tag["key"]: tag.get("value", "") for tag in self.tags},
        )

    def refresh(self) -> None:
        """Ask the world what has become of the task; a stopped task is not asked about again."""
        if self.last_status == "STOPPED":
            return
        if self.unreadable is not None:
            stopped = {container.spec.name: ContainerState("STOPPED") for container in self.containers}
            self._apply(TaskState("STOPPED", stopped, "TaskFailedToStart", self.unreadable))
        else:
            self._apply(world.current().task_state(self.task_arn))

    def stop(self, stop_code: str, reason: str) -> None:
        """Ask the world to stop the task."""
        if self.desired_status == "STOPPED":
            return
        self.desired_status, self.stop_code, self.stopped_reason = "STOPPED", stop_code, reason
        self.stopping_at = utcnow()
        if self.last_status != "STOPPED" and self.unreadable is None:
            world.current().stop_task(self.task_arn, reason)

    @property
    def health_status(self) -> str:
        """HEALTHY or UNHEALTHY by the essential containers that have a health check; UNKNOWN without any."""
        checked = [c.state.health for c in self.containers if c.spec.health_check and c.spec.essential]
        if "UNHEALTHY" in checked:
            return "UNHEALTHY"
        return "HEALTHY" if checked and all(health == "HEALTHY" for health in checked) else "UNKNOWN"

    @property
    def is_over(self) -> bool:
        """Say whether the task has stopped."""
        return self.last_status == "STOPPED"

    @property
    def waits_to_run(self) -> bool:
        """Say whether the task has not run yet."""
        return self.last_status in ("PROVISIONING", "PENDING", "ACTIVATING")

    def _apply(self, state: TaskState) -> None:
        before = (self.last_status, [(c.state.status, c.state.health) for c in self.containers])
        status = state.last_status
        if self.desired_status == "STOPPED" and status != "STOPPED":
            status = "STOPPING"
        for container in self.containers:
            container.state = state.containers.get(container.spec.name, container.state)
        ran = any(c.state.exit_code is not None or c.state.lost for c in self.containers)
        if (status == "RUNNING" or ran) and self.started_at is None:
            self.started_at = utcnow()
        if status == "STOPPED":
            self.stop_code = self.stop_code or state.stop_code
            self.stopped_reason = self.stopped_reason or state.stopped_reason
            self.desired_status = "STOPPED"
            self.stopped_at = utcnow()
            self.stopping_at = self.stopping_at or self.stopped_at
            self.detach()
        self.last_status = status
        if before != (self.last_status, [(c.state.status, c.state.health) for c in self.containers]):
            self.version += 1

    def _attach(self, vpc: dict[str, Any]) -> None:
        """Give the task a network interface with a free address of one of its subnets."""
        subnets = [subnet_of(self._ec2, subnet_id) for subnet_id in vpc["subnets"]]
        # Tasks are spread over the subnets.
        subnet = subnets[len(self._backend.tasks.get(self.cluster_name, {})) % len(subnets)]
        address = free_address(self._backend, self._ec2, subnet)
        self._interface = self._ec2.create_network_interface(
            subnet,
            address,
            group_ids=vpc.get("securityGroups") or [],
            description=f"arn:aws:ecs attachment/{self.id}",
        )
        self._interface.status = "in-use"
        self.subnet, self.private_ip = subnet, address

    def detach(self) -> None:
        """Give the task's network interface back."""
        if self._interface is not None:
            self._ec2.enis.pop(self._interface.id, None)

    def describe(self, *, tags: bool = False) -> dict[str, Any]:
        """Return the shape Task."""
        attachment: list[dict[str, Any]] = []
        if self._interface is not None and self.subnet is not None:
            host = self.private_ip.replace(".", "-")
            details = {
                "subnetId": self.subnet.id,
                "networkInterfaceId": self._interface.id,
                "macAddress": self._interface.mac_address,
                "privateDnsName": f"ip-{host}.{self._backend.region_name}.compute.internal",
                "privateIPv4Address": self.private_ip,
            }
            attachment.append(
                {
                    "id": self.attachment_id,
                    "type": "ElasticNetworkInterface",
                    "status": "DELETED" if self.is_over else "ATTACHED",
                    "details": [{"name": name, "value": value} for name, value in details.items()],
                }
            )
        return {
            "attachments": attachment,
            "availabilityZone": self.subnet.availability_zone if self.subnet else None,
            "capacityProviderName": self.capacity_provider_name,
            "clusterArn": self.cluster_arn,
            "connectivity": "CONNECTED" if self.started_at else None,
            "connectivityAt": self.started_at,
            "containerInstanceArn": self.container_instance_arn,
            "containers": [container.describe(self) for container in self.containers],
            "cpu": self.cpu,
            "memory": self.memory,
            "createdAt": self.created_at,
            "desiredStatus": self.desired_status,
            "enableExecuteCommand": self.enable_execute_command,
            "executionStoppedAt": self.stopped_at,
            "group": self.group,
            "healthStatus": self.health_status,
            "lastStatus": self.last_status,
            "launchType": self.launch_type,
            "overrides": {"containerOverrides": [], "inferenceAcceleratorOverrides": [], **self.overrides},
            "platformVersion": self.platform_version,
            "platformFamily": "Linux" if self.launch_type == "FARGATE" else None,
            "pullStartedAt": self.created_at if self.started_at else None,
            "pullStoppedAt": self.started_at,
            "startedAt": self.started_at,
            "startedBy": self.started_by,
            "stopCode": self.stop_code if self.stopping_at else None,
            "stoppedAt": self.stopped_at,
            "stoppedReason": self.stopped_reason if self.stopping_at else None,
            "stoppingAt": self.stopping_at,
            "tags": self.tags if tags else None,
            "taskArn": self.task_arn,
            "taskDefinitionArn": self.task_definition_arn,
            "version": self.version,
        }


# The backend.

_original_init = EC2ContainerServiceBackend.__init__
_original_validate = EC2ContainerServiceBackend._validate_container_defs  # noqa: SLF001  (it has no public name)
_original_describe_task_definition = EC2ContainerServiceBackend.describe_task_definition
_original_describe_clusters = EC2ContainerServiceBackend.describe_clusters
_STARTED_BY = re.compile(r"[A-Za-z0-9_/-]{1,128}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,64}")


@dataclass
class _Token:
    """What RunTask was called with under a client token, and what came of it."""

    parameters: str
    tasks: list[StandInTask]
    used_at: datetime = field(default_factory=utcnow)

    @property
    def is_remembered(self) -> bool:
        now = utcnow()
        if now > self.used_at + TOKEN_LIFE:
            return False
        ends = [task.stopped_at for task in self.tasks]
        return not (ends and all(end is not None and now > end + VISIBLE_FOR for end in ends))


class TaskBackend(EC2ContainerServiceBackend):
    """moto's backend, with tasks that the world runs in the place of moto's."""

    tasks: dict[str, dict[str, StandInTask]]  # type: ignore[assignment]

    def __init__(self, region_name: str, account_id: str) -> None:
        _original_init(self, region_name, account_id)
        self.client_tokens: dict[tuple[str, str], _Token] = {}
        self.last_offsets: dict[str, int] = {}
        """By subnet id: which address was handed out last, so that the next task gets another."""

    @staticmethod
    def _validate_container_defs(
        memory: str | None, container_definitions: list[dict[str, Any]], requires_compatibilities: list[str] | None
    ) -> None:
        """Let memoryReservation do on EC2 too (API reference, ContainerDefinition); moto wants memory there."""
        others = [each for each in requires_compatibilities or [] if each != "EC2"]
        _original_validate(memory, container_definitions, others)

    def reconcile_cluster(self, cluster: Cluster) -> None:
        """Bring the services of a cluster up to date: the scheduler's part."""
        raise NotImplementedError

    def start_tasks(self, params: dict[str, Any]) -> tuple[list[StandInTask], list[dict[str, Any]]]:
        """Do what RunTask does with its parameters; return the tasks and the failures."""
        with LOCK:
            cluster = self._active_cluster(params.get("cluster"))
            started_by = params.get("startedBy")
            if started_by and not _STARTED_BY.fullmatch(started_by):
                raise InvalidParameterException(
                    "startedBy must be 1 to 128 letters, digits, hyphens, forward slashes and underscores."
                )
            token = params.get("clientToken")
            if token and not _TOKEN.fullmatch(token):
                raise InvalidParameterException("clientToken must be 1 to 64 printable ASCII characters.")
            given = {key: value for key, value in params.items() if key != "clientToken"}
            fingerprint = json.dumps(given, sort_keys=True, default=str)
            known = self.client_tokens.get((cluster.name, token)) if token else None
            if known is not None and known.is_remembered:
                if known.parameters != fingerprint:
                    raise ConflictException(
                        "The client token was used before with other parameters.",
                        [task.task_arn for task in known.tasks],
                    )
                for task in known.tasks:
                    task.refresh()
                return known.tasks, []
            tasks, failures = self._place(cluster, params)
            if token and tasks:
                self.client_tokens[cluster.name, token] = _Token(fingerprint, tasks)
            return tasks, failures

    def _place(self, cluster: Cluster, params: dict[str, Any]) -> tuple[list[StandInTask], list[dict[str, Any]]]:
        definition = self.active_task_definition(params.get("taskDefinition"))
        overrides = params.get("overrides") or {}
        names = {container["name"] for container in definition.container_definitions}
        for override in overrides.get("containerOverrides") or []:
            if override.get("name") not in names:
                raise InvalidParameterException(
                    f"Override for container named {override.get('name')} is not a container in the TaskDefinition."
                )
        strategy = params.get("capacityProviderStrategy")
        launch_type = params.get("launchType")
        if launch_type and strategy:
            raise InvalidParameterException("Specify either launchType or capacityProviderStrategy, but not both.")
        strategy = strategy or (None if launch_type else cluster.default_capacity_provider_strategy)
        provider = strategy[0]["capacityProvider"] if strategy else None
        launch_type = launch_type or ("FARGATE" if provider in ("FARGATE", "FARGATE_SPOT") else "EC2")
        network = params.get("networkConfiguration")
        self.check_placement(definition, launch_type, network)
        instance = None
        if launch_type != "FARGATE":
            instances = list(self.container_instances.get(cluster.name, {}).values())
            if not instances:
                raise InvalidParameterException("No Container Instances were found in your cluster.")
            instance = self.next_instance(cluster)
        tasks: list[StandInTask] = []
        failures: list[dict[str, Any]] = []
        for _ in range(int(params.get("count") or 1)):
            try:
                task = StandInTask(
                    self,
                    cluster,
                    definition,
                    group=params.get("group") or f"family:{definition.family}",
                    launch_type=launch_type,
                    network=network if definition.network_mode == "awsvpc" else None,
                    overrides=overrides,
                    started_by=params.get("startedBy"),
                    tags=params.get("tags"),
                    platform_version=_platform_version(launch_type, params.get("platformVersion")),
                    capacity_provider=provider,
                    container_instance_arn=instance,
                    enable_execute_command=bool(params.get("enableExecuteCommand")),
                )
                self.start(task)
                tasks.append(task)
            except PlacementFailure as failure:
                failures.append({"arn": instance, "reason": failure.reason, "detail": failure.detail})
            except LaunchError as error:
                raise client_exception(str(error)) from error
        return tasks, failures

    def start(self, task: StandInTask) -> None:
        """Let the world start a task; raises PlacementFailure or LaunchError."""
        try:
            if task.unreadable is None:
                world.current().start_task(task.spec())
        except (PlacementFailure, LaunchError):
            task.detach()
            raise
        self.tasks.setdefault(task.cluster_name, {})[task.task_arn] = task

    def next_instance(self, cluster: Cluster) -> str | None:
        """Return the ARN of the container instance on which the next task is placed; None if the cluster has none."""
        instances = list(self.container_instances.get(cluster.name, {}).values())
        if not instances:
            return None
        busy = [task.container_instance_arn for task in self.tasks.get(cluster.name, {}).values() if not task.is_over]
        return str(min(instances, key=lambda each: busy.count(each.container_instance_arn)).container_instance_arn)

    def ec2_instance_of(self, cluster: Cluster, arn: str) -> str:
        """Return the id of the EC2 instance that a container instance is."""
        found = self.container_instances[cluster.name][arn.rpartition("/")[2]]
        return str(found.ec2_instance_id)

    def free_port(self) -> int:
        """Return a port of an instance that no other task has (user guide: 32768 to 65535)."""
        self.last_port = 32768 + (getattr(self, "last_port", 32767) - 32767) % 28000
        return self.last_port

    def check_placement(self, definition: TaskDefinition, launch_type: str, network: dict[str, Any] | None) -> None:
        """Refuse what a launch type cannot run; raises the errors of RunTask, CreateService and CreateTaskSet."""
        if definition.network_mode == "awsvpc" and not network:
            raise InvalidParameterException(
                "Network Configuration must be provided when networkMode 'awsvpc' is specified."
            )
        wanted = definition.requires_compatibilities or []
        if launch_type == "FARGATE" and "FARGATE" not in wanted:
            raise InvalidParameterException("Task definition does not support launch_type FARGATE.")

    def describe_task_definition(self, task_definition_str: str) -> TaskDefinition:
        """Find a task definition; a family alone is its latest ACTIVE revision, where moto takes the latest of all."""
        family, colon, revision = task_definition_str.rsplit("/", 1)[-1].partition(":")
        if colon and not revision.isdigit():
            # moto fails here with an error of its own.
            raise InvalidParameterException(f"Invalid revision number. Number: {revision}")
        if not colon:
            active = [n for n, found in self.task_definitions.get(family, {}).items() if found.status == "ACTIVE"]
            task_definition_str = f"{family}:{max(active, default=0)}"
        return _original_describe_task_definition(self, task_definition_str)

    def active_task_definition(self, name: str | None) -> TaskDefinition:
        """Find a task definition that tasks can be started from; raises ClientException."""
        if not name:
            raise client_exception("TaskDefinition can not be blank.")
        try:
            definition = self.describe_task_definition(name)
        except ECSException as error:
            raise client_exception("TaskDefinition not found.") from error
        if definition.status != "ACTIVE":
            raise client_exception("TaskDefinition is inactive")
        return definition

    def _active_cluster(self, name: str | None) -> Cluster:
        cluster = self._get_cluster(name or "default")
        if cluster.status != "ACTIVE":
            raise ClusterNotFoundException
        return cluster

    def tasks_of(self, cluster: Cluster) -> list[StandInTask]:
        """Return a cluster's tasks, without those that stopped more than an hour ago."""
        tasks = self.tasks.setdefault(cluster.name, {})
        limit = utcnow() - VISIBLE_FOR
        for arn, task in list(tasks.items()):
            if task.stopped_at is not None and task.stopped_at < limit:
                del tasks[arn]
        return list(tasks.values())

    def look_at_tasks(
        self, cluster_name: str | None, wanted: Iterable[str]
    ) -> tuple[list[StandInTask], list[dict[str, Any]]]:
        """Do what DescribeTasks does: return the tasks found, and failures (MISSING) for the others."""
        with LOCK:
            cluster = self._active_cluster(cluster_name)
            self.reconcile_cluster(cluster)
            by_id = {task.id: task for task in self.tasks_of(cluster)}
            found, failures = [], []
            for name in wanted:
                task = by_id.get(name.rsplit("/", 1)[-1])
                if task is None:
                    arn = f"arn:{self.partition}:ecs:{self.region_name}:{self.account_id}:task/{cluster.name}/{name}"
                    failures.append({"arn": name if name.startswith("arn:") else arn, "reason": "MISSING"})
                    continue
                if not is_of_service(task):
                    task.refresh()
                found.append(task)
            return found, failures

    def find_tasks(
        self,
        cluster_name: str,
        *,
        container_instance: str | None = None,
        family: str | None = None,
        started_by: str | None = None,
        service_name: str | None = None,
        desired_status: str = "RUNNING",
        launch_type: str | None = None,
    ) -> list[StandInTask]:
        """Return a cluster's tasks by the filters of ListTasks; moto ignores serviceName."""
        with LOCK:
            cluster = self._get_cluster(cluster_name)
            self.reconcile_cluster(cluster)
            service = service_name.rsplit("/", 1)[-1] if service_name else None
            return [
                task
                for task in self.tasks_of(cluster)
                if (not family or f"task-definition/{family}:" in task.task_definition_arn)
                and (not started_by or task.started_by == started_by)
                and (not service or task.group == f"service:{service}")
                and task.desired_status == desired_status
                and (not launch_type or task.launch_type == launch_type)
                and (not container_instance or container_instance in (task.container_instance_arn or ""))
            ]

    def halt_task(self, cluster_name: str, task_name: str, reason: str | None) -> StandInTask:
        """Stop a task for a user."""
        with LOCK:
            found, _ = self.look_at_tasks(cluster_name, [task_name])
            if not found:
                raise InvalidParameterException("The referenced task was not found.")
            found[0].stop("UserInitiated", reason or "Task stopped by user")
            found[0].refresh()
            return found[0]

    def describe_clusters(self, cluster_names: list[str]) -> tuple[list[Cluster], list[Any]]:
        """Return clusters with what runs in them now."""
        clusters, failures = _original_describe_clusters(self, cluster_names)
        with LOCK:
            for cluster in clusters:
                self.reconcile_cluster(cluster)
                tasks = self.tasks_of(cluster)
                cluster.running_tasks_count = sum(task.last_status == "RUNNING" for task in tasks)
                cluster.pending_tasks_count = sum(task.waits_to_run for task in tasks)
                cluster.active_services_count = sum(
                    service.cluster_name == cluster.name and service.status == "ACTIVE"
                    for service in self.services.values()
                )
        return clusters, failures


def is_of_service(task: StandInTask) -> bool:
    """Say whether a service's scheduler looks after a task."""
    return (task.started_by or "").startswith("ecs-svc/")


def _platform_version(launch_type: str, wanted: str | None) -> str | None:
    """Return the platform version of a task: LATEST is 1.4.0."""
    if launch_type != "FARGATE":
        return None
    return "1.4.0" if wanted in (None, "LATEST") else wanted
