"""ECS: services, their task sets, and the scheduler that keeps them at their counts.

At each look a service is brought up to date: tasks that stopped are replaced (a crash loop goes on), running ones are
registered in their task set's target group, surplus ones are stopped. As recorded on AWS:

- a service created for CODE_DEPLOY has a first task set, PRIMARY, without externalId; later ones carry the deployment's
  id and are started by CODE_DEPLOY;
- a deleted task set stays listed as DRAINING with scale 0 for a while;
- `stabilityStatus` is STEADY_STATE only when running equals the computed desired count, none is pending, and every load
  balancer and container health check passes.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any, cast

from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.ecs.exceptions import (
    ClusterNotFoundException,
    ECSException,
    InvalidParameterException,
    ServiceNotFoundException,
)
from moto.ecs.models import Cluster, EC2ContainerServiceBackend, ecs_backends
from moto.elbv2.models import FakeTargetGroup, elbv2_backends
from moto.moto_api._internal import mock_random

from rehearsal.aws.ecs_native import STRATEGIES, ServiceDeployment, ServiceRevision
from rehearsal.aws.ecs_sets import StandInService, StandInTaskSet
from rehearsal.aws.ecs_tasks import LOCK, StandInTask, TaskBackend
from rehearsal.aws.graft import graft
from rehearsal.aws.world import LaunchError, PlacementFailure

DRAINING_FOR = timedelta(seconds=60)
"""How long a deleted task set stays listed after its tasks have stopped."""

REPLACE_UNHEALTHY_AFTER = timedelta(seconds=60)
"""How long a task's target is unhealthy before the scheduler replaces the task, beyond the service's grace period.

Read at each look: a test may set it.
"""

REPEAT_EVENT_AFTER = timedelta(hours=6)
"""When an event is told again though its cause has stayed the same (developer guide, service event messages)."""


# The scheduler.


class SchedulerBackend(TaskBackend):
    """The service scheduler."""

    services: dict[str, StandInService]  # type: ignore[assignment]

    def reconcile_cluster(self, cluster: Cluster) -> None:
        """Bring all services of a cluster up to date."""
        for service in list(self.services.values()):
            if service.cluster_name == cluster.name:
                self.reconcile(service)

    def reconcile(self, service: StandInService) -> None:
        """Bring one service up to date."""
        with LOCK:
            sets = scheduled_sets(service)
            for task_set in sets:
                self._reconcile_set(service, task_set)
            service.task_sets = [s for s in service.task_sets if not _is_gone(s)]
            service.running_count = sum(s.running_count for s in sets)
            service.pending_count = sum(s.pending_count for s in sets)
            steady = bool(sets) and all(s.stability_status == "STEADY_STATE" for s in sets)
            if steady and not service.was_steady:
                add_event(service, f"(service {service.name}) has reached a steady state.")
            service.was_steady = steady
            for deployment in [] if service.revisions else service.deployments:
                deployment.update(_rollout(service, deployment, sets[0]) if sets else {})

    def _reconcile_set(self, service: StandInService, task_set: StandInTaskSet) -> None:
        for task in task_set.own_tasks:
            self._look(service, task_set, task)
        task_set.own_tasks = [task for task in task_set.own_tasks if not task.is_over]
        wanted = 0
        if service.status == "ACTIVE" and task_set.status != "DRAINING":
            # The computed desired count is rounded up (API reference, TaskSet).
            wanted = math.ceil(service.desired_count * float(task_set.scale.get("value", 100.0)) / 100)
        task_set.computed_desired_count = wanted
        alive = [task for task in task_set.own_tasks if task.desired_status == "RUNNING"]
        self._start_missing(service, task_set, wanted - len(alive))
        # The youngest go first.
        for task in list(reversed(alive))[: max(0, len(alive) - wanted)]:
            self._stop(service, task_set, task, f"Scaling activity initiated by (deployment {task_set.id})")
        task_set.running_count = sum(task.last_status in ("RUNNING", "STOPPING") for task in task_set.own_tasks)
        task_set.pending_count = sum(task.waits_to_run for task in task_set.own_tasks)
        status = "STEADY_STATE" if self._is_steady(task_set) else "STABILIZING"
        if status != task_set.stability_status:
            task_set.stability_status, task_set.stability_status_at = status, utcnow()

    def _look(self, service: StandInService, task_set: StandInTaskSet, task: StandInTask) -> None:
        task.refresh()
        if task.is_over:
            self._deregister(service, task_set, task)
            if task.stop_code not in ("ServiceSchedulerInitiated", "UserInitiated"):
                task_set.failed_starts += 1
                if task_set.failed_starts % 10 == 3:
                    add_event(
                        service,
                        f"{_said_by(service, task_set)} is unable to consistently start tasks successfully.",
                    )
        elif task.last_status == "RUNNING":
            if not task.registered:
                self._register(service, task_set, task)
            self._replace_unhealthy(service, task_set, task)

    def _start_missing(self, service: StandInService, task_set: StandInTaskSet, count: int) -> None:
        for _ in range(count):
            cluster = self._get_cluster(service.cluster_name)
            definition = self.describe_task_definition(task_set.task_definition)
            strategy = task_set.capacity_provider_strategy
            instance = None if task_set.launch_type == "FARGATE" else self.next_instance(cluster)
            try:
                task = StandInTask(
                    self,
                    cluster,
                    definition,
                    group=f"service:{service.name}",
                    launch_type=task_set.launch_type,
                    network=task_set.network_configuration if definition.network_mode == "awsvpc" else None,
                    started_by=task_set.id,
                    tags=_task_tags(service, definition, task_set),
                    platform_version="1.4.0" if task_set.platform_version == "LATEST" else task_set.platform_version,
                    capacity_provider=strategy[0]["capacityProvider"] if strategy else None,
                    container_instance_arn=instance,
                )
                self.start(task)
            except PlacementFailure as failure:
                why = " ".join(part for part in (failure.reason, failure.detail) if part)
                _tell_once(service, task_set, f"was unable to place a task. Reason: {why}.")
                return
            except LaunchError as error:
                _tell_once(service, task_set, f"failed to launch a task with (error {error}).")
                return
            service.troubles.pop(task_set.id, None)
            task_set.own_tasks.append(task)
            add_event(service, f"{_said_by(service, task_set)} has started 1 tasks: (task {task.id}).")

    def _stop(self, service: StandInService, task_set: StandInTaskSet, task: StandInTask, reason: str) -> None:
        self._deregister(service, task_set, task)
        task.stop("ServiceSchedulerInitiated", reason)
        add_event(service, f"{_said_by(service, task_set)} has stopped 1 running tasks: (task {task.id}).")

    def _replace_unhealthy(self, service: StandInService, task_set: StandInTaskSet, task: StandInTask) -> None:
        """Stop a task that fails its health checks for long; the next look starts another."""
        unhealthy = [target[0] for target in task.registered if self._target_state(*target) == "unhealthy"]
        if not unhealthy and task.health_status != "UNHEALTHY":
            task.unhealthy_since = None
            return
        now = utcnow()
        task.unhealthy_since = task.unhealthy_since or now
        grace = timedelta(seconds=service.health_check_grace_period_seconds or 0)
        started = task.started_at or now
        if now < max(task.unhealthy_since + REPLACE_UNHEALTHY_AFTER, started + grace):
            return
        if unhealthy:
            reason = f"Task failed ELB health checks in (target-group {unhealthy[0]})"
        else:
            reason = "Task failed container health checks"
        add_event(service, f"{_said_by(service, task_set)} (task {task.id}): {reason}.")
        self._stop(service, task_set, task, reason)

    # Targets.

    def _target_group(self, arn: str) -> FakeTargetGroup | None:
        group: FakeTargetGroup | None = elbv2_backends[self.account_id][self.region_name].target_groups.get(arn)
        return group

    def _register(self, service: StandInService, task_set: StandInTaskSet, task: StandInTask) -> None:
        for balancer in task_set.load_balancers:
            group = self._target_group(balancer.get("targetGroupArn") or "")
            if group is None:
                continue
            target = task.target_of(group.target_type, int(balancer["containerPort"]))
            group.register([target])
            task.registered.append((group.arn, target["Id"], target["Port"]))
            add_event(service, f"{_said_by(service, task_set)} registered 1 targets in (target-group {group.arn})")

    def _deregister(self, service: StandInService, task_set: StandInTaskSet, task: StandInTask) -> None:
        for arn, address, _ in task.registered:
            group = self._target_group(arn)
            if group is not None and address in group.targets:
                group.deregister([{"Id": address}])
                add_event(service, f"{_said_by(service, task_set)} deregistered 1 targets in (target-group {arn})")
        task.registered = []

    def _target_state(self, arn: str, address: str, port: int) -> str | None:
        group = self._target_group(arn)
        if group is None:
            return None
        ec2 = ec2_backends[self.account_id][self.region_name]
        return str(group.health_for({"Id": address, "Port": port}, ec2).status)

    def _is_steady(self, task_set: StandInTaskSet) -> bool:
        running = [task for task in task_set.own_tasks if task.last_status == "RUNNING"]
        if len(running) != task_set.computed_desired_count or len(running) != len(task_set.own_tasks):
            return False
        for task in running:
            if any(c.spec.health_check for c in task.containers) and task.health_status != "HEALTHY":
                return False
            # A target group that no listener uses has no health checks to pass.
            if any(self._target_state(*target) not in ("healthy", "unused") for target in task.registered):
                return False
        return True


def scheduled_sets(service: StandInService) -> list[StandInTaskSet]:
    """Return what the scheduler looks after: task sets, those of revisions, or the one a rolling service has inside."""
    if service.revisions:
        return [revision.task_set for revision in service.revisions]
    return [service.inner_set] if service.inner_set is not None else list(service.task_sets)


def _is_gone(task_set: StandInTaskSet) -> bool:
    """Say whether a draining task set is no longer listed."""
    if task_set.status != "DRAINING" or task_set.own_tasks:
        return False
    now = utcnow()
    task_set.drained_since = task_set.drained_since or now
    return now >= task_set.drained_since + DRAINING_FOR


def _said_by(service: StandInService, task_set: StandInTaskSet) -> str:
    if service.inner_set is task_set:
        return f"(service {service.name})"
    return f"(service {service.name}, taskSet {task_set.id})"


def _task_tags(service: StandInService, definition: Any, task_set: StandInTaskSet) -> list[dict[str, str]]:
    source = {"SERVICE": service.tags, "TASK_DEFINITION": definition.tags}.get(service.propagate_tags) or []
    merged = {tag["key"]: tag.get("value", "") for tag in [*source, *task_set.tags]}
    return [{"key": key, "value": value} for key, value in merged.items()]


def _rollout(service: StandInService, deployment: dict[str, Any], task_set: StandInTaskSet) -> dict[str, Any]:
    """Return the counts of a rolling service's deployment."""
    done = task_set.stability_status == "STEADY_STATE"
    return {
        "taskDefinition": service.task_definition,
        "desiredCount": task_set.computed_desired_count,
        "pendingCount": task_set.pending_count,
        "runningCount": task_set.running_count,
        "failedTasks": task_set.failed_starts,
        "rolloutState": "COMPLETED" if done else "IN_PROGRESS",
        "rolloutStateReason": f"ECS deployment {deployment['id']} {'completed' if done else 'in progress'}.",
    }


def add_event(service: StandInService, message: str) -> None:
    """Add a service event; the newest comes first, and a hundred are kept (API reference, Service)."""
    event = {"id": str(mock_random.uuid4()), "createdAt": utcnow(), "message": message}
    service.events = [event, *service.events[:99]]


def _tell_once(service: StandInService, task_set: StandInTaskSet, what: str) -> None:
    """Add the event that a task cannot be started; the same is omitted until its cause has gone, or for six hours."""
    now, message = utcnow(), f"{_said_by(service, task_set)} {what}"
    told, at = service.troubles.get(task_set.id, ("", now))
    if message != told or now >= at + REPEAT_EVENT_AFTER:
        service.troubles[task_set.id] = (message, now)
        add_event(service, message)


def reconcile_all() -> None:
    """Bring all services of all accounts and regions in use up to date."""
    for account in list(ecs_backends.values()):
        for backend in cast("list[EcsBackend]", list(account.values())):
            for service in list(backend.services.values()):
                backend.reconcile(service)


# Services and task sets.

_original_describe_services = EC2ContainerServiceBackend.describe_services

_KEPT = {
    "healthCheckGracePeriodSeconds": "health_check_grace_period_seconds",
    "deploymentConfiguration": "deployment_configuration",
    "enableECSManagedTags": "enable_ecs_managed_tags",
    "enableExecuteCommand": "enable_execute_command",
    "capacityProviderStrategy": "capacity_provider_strategy",
    "availabilityZoneRebalancing": "availability_zone_rebalancing",
    "placementConstraints": "placement_constraints",
    "placementStrategy": "placement_strategy",
    "propagateTags": "propagate_tags",
    "serviceRegistries": "service_registries",
}
"""What CreateService and UpdateService are given and moto forgets, and under what name it is kept."""

_FIXED_BY_CODE_DEPLOY = ("taskDefinition", "loadBalancers", "networkConfiguration", "platformVersion")


class EcsBackend(SchedulerBackend):
    """Services and task sets."""

    def create(self, params: dict[str, Any]) -> StandInService:
        """Do what CreateService does with its parameters."""
        with LOCK:
            cluster = self._active_cluster(params.get("cluster"))
            name = params["serviceName"]
            existing = self.services.get(f"{cluster.name}:{name}")
            if existing is not None and existing.status == "ACTIVE":
                raise InvalidParameterException("Creation of service was not idempotent.")
            strategy = params.get("capacityProviderStrategy") or []
            fargate = any(item["capacityProvider"].startswith("FARGATE") for item in strategy)
            launch_type = params.get("launchType") or ("FARGATE" if fargate else "EC2")
            definition = None
            if params.get("taskDefinition"):
                definition = self.active_task_definition(params["taskDefinition"])
                self.check_placement(definition, launch_type, params.get("networkConfiguration"))
            service = StandInService(  # type: ignore[abstract]
                cluster,
                name,
                int(params.get("desiredCount") or 0),
                self,
                task_definition=definition,
                load_balancers=params.get("loadBalancers"),
                scheduling_strategy=params.get("schedulingStrategy"),
                tags=params.get("tags"),
                deployment_controller=params.get("deploymentController"),
                launch_type=launch_type,
                network_configuration=_with_groups(params.get("networkConfiguration")),
                service_registries=params.get("serviceRegistries"),
                platform_version=params.get("platformVersion") or ("LATEST" if launch_type == "FARGATE" else None),
                propagate_tags=params.get("propagateTags") or "NONE",
                role_arn=params.get("role"),
            )
            _keep(service, params)
            self.services[f"{cluster.name}:{name}"] = service
            self._first_set(service)
            self.reconcile(service)
            return service

    def _first_set(self, service: StandInService) -> None:
        """Give a service the task set that it is created with."""
        kind = service.deployment_controller["type"]
        if kind == "EXTERNAL":
            return
        if _is_native(service):
            self.begin_deployment(service)
            return
        task_set = self._task_set(service)
        task_set.status = "PRIMARY"
        if kind == "CODE_DEPLOY":
            service.task_sets.append(task_set)
        else:
            task_set.id = str(service.deployments[0]["id"])
            service.inner_set = task_set

    def _task_set(self, service: StandInService) -> StandInTaskSet:
        settings = {
            "networkConfiguration": service.network_configuration or None,
            "loadBalancers": service.load_balancers,
            "serviceRegistries": service.service_registries,
            "launchType": service.launch_type,
            "capacityProviderStrategy": service.capacity_provider_strategy,
            "platformVersion": service.platform_version,
        }
        return StandInTaskSet(self, service, str(service.task_definition), settings)

    def begin_deployment(self, service: StandInService) -> ServiceDeployment:
        """Make the next revision of a service that ECS deploys blue/green, and the deployment of it."""
        source = next((each for each in service.revisions if each.is_active), None)
        task_set = self._task_set(service)
        task_set.load_balancers = [dict(each) for each in service.load_balancers]
        task_set.set_scale(0)
        revision = ServiceRevision(self, service, task_set)
        service.revisions.append(revision)
        deployment = ServiceDeployment(self, service, revision, source)
        service.service_deployments.append(deployment)
        return deployment

    def find_deployments(self, arns: list[str]) -> tuple[list[ServiceDeployment], list[dict[str, str]]]:
        """Do what DescribeServiceDeployments does."""
        with LOCK:
            for service in list(self.services.values()):
                if any(each.arn in arns for each in service.service_deployments):
                    self.reconcile(service)
            known = {each.arn: each for service in self.services.values() for each in service.service_deployments}
            failures = [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in known]
            return [known[arn] for arn in arns if arn in known], failures

    def list_deployments(self, params: dict[str, Any]) -> list[ServiceDeployment]:
        """Do what ListServiceDeployments does: the newest first."""
        with LOCK:
            name = str(params["service"]).rpartition("/")[2]
            cluster = str(params.get("cluster") or "default").rpartition("/")[2]
            if cluster not in self.clusters:
                raise ClusterNotFoundException
            service = self.services.get(f"{cluster}:{name}")
            if service is None:
                raise ServiceNotFoundException
            wanted = params.get("status")
            return [each for each in reversed(service.service_deployments) if not wanted or each.status in wanted]

    def find_revisions(self, arns: list[str]) -> tuple[list[ServiceRevision], list[dict[str, str]]]:
        """Do what DescribeServiceRevisions does."""
        with LOCK:
            known = {each.arn: each for service in self.services.values() for each in service.revisions}
            failures = [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in known]
            return [known[arn] for arn in arns if arn in known], failures

    def update(self, params: dict[str, Any]) -> StandInService:
        """Do what UpdateService does with its parameters."""
        with LOCK:
            service = self._service(params.get("cluster"), params["service"])
            kind = service.deployment_controller["type"]
            if kind != "ECS":
                for name in _FIXED_BY_CODE_DEPLOY:
                    if params.get(name):
                        raise InvalidParameterException(
                            f"Unable to update {name} on services with a {kind} deployment controller."
                            + (" Use AWS CodeDeploy to trigger a new deployment." if kind == "CODE_DEPLOY" else "")
                        )
            if params.get("desiredCount") is not None:
                service.desired_count = int(params["desiredCount"])
            _keep(service, params)
            if kind == "ECS":
                self._roll(service, params)
            self.reconcile(service)
            return service

    def _roll(self, service: StandInService, params: dict[str, Any]) -> None:
        """Replace a rolling service's tasks if what they run has changed."""
        definition = params.get("taskDefinition")
        if definition:
            service.task_definition = self.active_task_definition(definition).arn
        if params.get("networkConfiguration"):
            service.network_configuration = params["networkConfiguration"]
        if params.get("loadBalancers") is not None:
            service.load_balancers = params["loadBalancers"]
        if _is_native(service):
            if definition or params.get("forceNewDeployment"):
                self.begin_deployment(service)
            return
        if definition or params.get("networkConfiguration") or params.get("forceNewDeployment"):
            inner = scheduled_sets(service)[0]
            inner.task_definition = str(service.task_definition)
            inner.network_configuration = service.network_configuration
            inner.load_balancers = service.load_balancers
            for task in inner.own_tasks:
                self._stop(service, inner, task, f"Scaling activity initiated by (deployment {inner.id})")

    def delete_service(self, cluster_name: str, service_name: str, force: bool) -> StandInService:
        """Delete a service: its tasks are stopped, and it is INACTIVE."""
        with LOCK:
            service = self._service(cluster_name, service_name)
            active_sets = [s for s in service.task_sets if float(s.scale["value"]) > 0]
            if not force and service.desired_count > 0 and (active_sets or service.inner_set):
                raise InvalidParameterException("The service cannot be stopped while it is scaled above 0.")
            service.status = "INACTIVE"
            self.reconcile(service)
            return service

    def find_services(self, cluster_name: str, names: list[str]) -> tuple[list[StandInService], list[dict[str, str]]]:
        """Return services, brought up to date."""
        found, failures = _original_describe_services(self, cluster_name, names)
        services = cast("list[StandInService]", found)
        for service in services:
            self.reconcile(service)
        return services, failures

    def _service(self, cluster_name: str | None, name: str) -> StandInService:
        cluster = self._get_cluster(cluster_name or "default")
        service: StandInService | None = self.services.get(f"{cluster.name}:{name.rsplit('/', 1)[-1]}")
        if service is None or service.status == "INACTIVE":
            raise ServiceNotFoundException
        return service

    # Task sets.

    def create_set(self, params: dict[str, Any]) -> StandInTaskSet:
        """Do what CreateTaskSet does with its parameters."""
        with LOCK:
            service = self._service(params.get("cluster"), params["service"])
            kind = service.deployment_controller["type"]
            if kind == "ECS":
                raise InvalidParameterException(
                    "Amazon ECS can only manage task sets on services with the EXTERNAL or CODE_DEPLOY "
                    "deployment controller."
                )
            definition = self.active_task_definition(params.get("taskDefinition"))
            launch_type = params.get("launchType") or (kind == "CODE_DEPLOY" and service.launch_type) or "EC2"
            network = params.get("networkConfiguration")
            if network is None and kind == "CODE_DEPLOY":
                # An AppSpec without network configuration keeps the service's (user guide, AppSpec for ECS).
                network = service.network_configuration or None
            self.check_placement(definition, launch_type, network)
            settings = {**params, "launchType": launch_type, "networkConfiguration": network}
            if kind == "EXTERNAL" and not params.get("scale"):
                settings["scale"] = {"value": 0.0, "unit": "PERCENT"}
            task_set = StandInTaskSet(self, service, definition.arn, settings)
            task_set.started_by = "CODE_DEPLOY" if kind == "CODE_DEPLOY" else None
            service.task_sets.append(task_set)
            self.reconcile(service)
            return task_set

    def describe_sets(self, params: dict[str, Any]) -> tuple[list[StandInTaskSet], list[dict[str, str]]]:
        """Do what DescribeTaskSets does: return the sets found, and failures (MISSING) for the others."""
        with LOCK:
            service = self._service(params.get("cluster"), params["service"])
            self.reconcile(service)
            wanted = params.get("taskSets")
            if not wanted:
                return list(service.task_sets), []
            found = [s for s in service.task_sets if s.task_set_arn in wanted or s.id in wanted]
            named = {name for s in found for name in (s.task_set_arn, s.id)}
            return found, [{"arn": name, "reason": "MISSING"} for name in wanted if name not in named]

    def _set(self, service: StandInService, name: str) -> StandInTaskSet:
        for task_set in service.task_sets:
            if name in (task_set.task_set_arn, task_set.id):
                return task_set
        raise ECSException("TaskSetNotFoundException", "The specified task set was not found.")

    def update_set(self, params: dict[str, Any]) -> StandInTaskSet:
        """Do what UpdateTaskSet does: scale a set."""
        with LOCK:
            service = self._service(params.get("cluster"), params["service"])
            task_set = self._set(service, params["taskSet"])
            task_set.set_scale(float(params["scale"]["value"]))
            self.reconcile(service)
            return task_set

    def make_primary(self, params: dict[str, Any]) -> StandInTaskSet:
        """Do what UpdateServicePrimaryTaskSet does: the service takes what the set has."""
        with LOCK:
            service = self._service(params.get("cluster"), params["service"])
            primary = self._set(service, params["primaryTaskSet"])
            if primary.status == "DRAINING":
                raise InvalidParameterException("A task set that is draining cannot be the primary one.")
            for task_set in service.task_sets:
                if task_set.status != "DRAINING":
                    task_set.status = "PRIMARY" if task_set is primary else "ACTIVE"
            service.task_definition = primary.task_definition
            service.load_balancers = primary.load_balancers
            primary.updated_at = utcnow()
            return primary

    def delete_set(self, params: dict[str, Any]) -> StandInTaskSet:
        """Do what DeleteTaskSet does: the set drains, and is listed for a while."""
        with LOCK:
            service = self._service(params.get("cluster"), params["service"])
            task_set = self._set(service, params["taskSet"])
            if not params.get("force") and float(task_set.scale["value"]) > 0:
                raise InvalidParameterException(
                    "The task set cannot be deleted while it is scaled above 0: scale it to 0 or use force."
                )
            task_set.drain()
            self.reconcile(service)
            return task_set


def _is_native(service: StandInService) -> bool:
    """Whether ECS itself deploys the service blue/green."""
    return service.deployment_configuration.get("strategy") in STRATEGIES


def _keep(service: StandInService, params: dict[str, Any]) -> None:
    for parameter, attribute in _KEPT.items():
        if params.get(parameter) is not None:
            setattr(service, attribute, params[parameter])


def _with_groups(network: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a network configuration that moto can check: it fails where no security group is given."""
    if network is None:
        return None
    vpc = dict(network["awsvpcConfiguration"])
    vpc.setdefault("securityGroups", [])
    return {**network, "awsvpcConfiguration": vpc}


def install() -> None:
    """Put the additions into moto."""
    graft(EcsBackend)
