"""What ECS says of a service and of its sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

from gate import aws
from gate.verdict import NotFound, ProbeError


class NotShownYet(ProbeError):
    """Green, or blue, is not there (yet): what ECS shows may lag behind the deployment."""

    retryable = True


@dataclass(frozen=True)
class Side:
    """One side of a deployment, blue or green: the tasks of a task set, or of a service revision."""

    kind: str  # what ECS calls it
    id: str
    external_id: str  # the deployment's id; absent on the set a service was created with
    status: str  # PRIMARY, ACTIVE or DRAINING
    stability: str  # STEADY_STATE or STABILIZING
    scale: float
    desired: int  # what ECS computes from the service's desired count and the scale
    running: int
    pending: Optional[int]  # None: ECS does not say
    task_definition: str
    target_groups: tuple[str, ...]
    container: str  # the load balanced one
    container_port: Optional[int]  # its port, at which ECS registers tasks with addresses of their own
    placement: Mapping[str, Any]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Side:
        """Read one entry of DescribeServices' `taskSets`."""
        return cls(
            kind="task set",
            id=str(answer.get("id", "")),
            external_id=str(answer.get("externalId") or ""),
            status=str(answer.get("status", "")),
            stability=str(answer.get("stabilityStatus", "")),
            scale=float((answer.get("scale") or {}).get("value", 0)),
            desired=int(answer.get("computedDesiredCount", 0)),
            running=int(answer.get("runningCount", 0)),
            pending=answer.get("pendingCount"),
            task_definition=str(answer.get("taskDefinition", "")),
            target_groups=_target_groups(answer),
            container=next((str(entry.get("containerName") or "") for entry in answer.get("loadBalancers") or []), ""),
            container_port=next((entry.get("containerPort") for entry in answer.get("loadBalancers") or []), None),
            placement=placement_of(answer),
        )

    @property
    def name(self) -> str:
        """What people find it by."""
        return f"{self.kind} {self.id}"

    @property
    def complete(self) -> bool:
        """Whether as many tasks run as shall run, and none is to come; raises ProbeError where ECS does not say."""
        if self.pending is None:
            raise ProbeError(f"ECS does not say how many tasks of {self.name} are pending")
        return self.running == self.desired and not self.pending

    @property
    def in_use(self) -> bool:
        """False for a set that is on its way out: draining ones stay listed at scale 0 for a while."""
        return self.status != "DRAINING" and self.scale > 0


@dataclass(frozen=True)
class Service:
    """The ECS service."""

    arn: str
    name: str
    status: str
    controller: str
    desired: int
    running: int
    pending: int
    sides: tuple[Side, ...]
    events: tuple[str, ...]
    placement: Mapping[str, Any]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Service:
        """Read one entry of DescribeServices' `services`."""
        return cls(
            arn=str(answer.get("serviceArn", "")),
            name=str(answer.get("serviceName", "")),
            status=str(answer.get("status", "")),
            controller=str((answer.get("deploymentController") or {}).get("type", "ECS")),
            desired=int(answer.get("desiredCount", 0)),
            running=int(answer.get("runningCount", 0)),
            pending=int(answer.get("pendingCount", 0)),
            sides=tuple(Side.of(each) for each in answer.get("taskSets") or []),
            events=tuple(str(event.get("message", "")) for event in answer.get("events") or []),
            placement=placement_of(answer),
        )

    @property
    def primary(self) -> Side | None:
        """The side that serves production: blue until the traffic has shifted."""
        return next((side for side in self.sides if side.status == "PRIMARY"), None)


def read_service(cluster: str, name: str) -> Service:
    """The service as it is now; raises NotFound if there is none."""
    try:
        answer = aws.call("ecs", "describe_services", cluster=cluster, services=[name])
    except aws.AwsCallFailed as problem:
        if problem.code == "ClusterNotFoundException":
            raise NotFound(f"cluster {cluster} does not exist: check ecs_cluster_name") from problem
        raise
    found = answer.get("services") or []
    if not found:  # a miss is no exception: it comes back in `failures`
        reasons = ", ".join(str(failure.get("reason")) for failure in answer.get("failures") or [])
        raise NotFound(
            f"service {name} is not in cluster {cluster} ({reasons or 'no reason given'}): check ecs_cluster_name and "
            "ecs_service_name"
        )
    return Service.of(found[0])


def read_task_definition(name: str, named_by: str) -> Mapping[str, Any]:
    """DescribeTaskDefinition's answer for an ARN or family:revision; raises NotFound if there is none.

    `named_by`: what names it, for people.
    """
    try:
        answer = aws.call("ecs", "describe_task_definition", taskDefinition=name)
    except aws.AwsCallFailed as problem:
        if problem.code == "ClientException":  # ECS's word for "there is none"
            raise NotFound(f"task definition {name} does not exist: register it, or fix {named_by}") from problem
        raise
    found: Mapping[str, Any] = answer.get("taskDefinition") or {}
    containers = found.get("containerDefinitions") or []
    if not containers or not all(each.get("name") and each.get("image") for each in containers):
        raise ProbeError(f"ECS does not say which containers task definition {name} has, and their images")
    return found


def placement_of(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where tasks run, in the parameters of RunTask. ECS takes a strategy or a launch type, never both."""
    placement: dict[str, Any] = {}
    if answer.get("capacityProviderStrategy"):
        placement["capacityProviderStrategy"] = answer["capacityProviderStrategy"]
    elif answer.get("launchType"):
        placement["launchType"] = answer["launchType"]
    if answer.get("platformVersion"):
        placement["platformVersion"] = answer["platformVersion"]
    if answer.get("networkConfiguration"):
        placement["networkConfiguration"] = answer["networkConfiguration"]
    return placement


def _target_groups(answer: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        str(entry["targetGroupArn"]) for entry in answer.get("loadBalancers") or [] if "targetGroupArn" in entry
    )
