"""ECS: the containers of a task, and the ports and addresses at which they are reached.

With the network mode `awsvpc` a task has an interface of its own, on which a container's port is itself. In the modes
`bridge` and `host` it has the address of its EC2 instance; in `bridge` a port leads to it that the task definition or
ECS has chosen (developer guide, task networking).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from moto.ec2.exceptions import InvalidSubnetIdError
from moto.ec2.models import EC2Backend
from moto.ec2.models.subnets import Subnet
from moto.ecs.exceptions import InvalidParameterException
from moto.ecs.models import TaskDefinition

from rehearsal.aws.ecs_secrets import resolve
from rehearsal.aws.world import ContainerSpec, ContainerState, PlacementFailure

if TYPE_CHECKING:
    from rehearsal.aws.ecs_tasks import StandInTask, TaskBackend


@dataclass
class RunningContainer:
    """A container of a task, as described."""

    spec: ContainerSpec
    arn: str
    cpu: str
    memory: str | None
    runtime_id: str
    state: ContainerState = field(default_factory=ContainerState)

    def describe(self, task: StandInTask) -> dict[str, Any]:
        """Return the shape Container."""
        started = self.state.status != "PENDING" and not (self.state.status == "STOPPED" and self._never_started())
        return {
            "containerArn": self.arn,
            "taskArn": task.task_arn,
            "name": self.spec.name,
            "image": self.spec.image,
            "imageDigest": self.state.image_digest if started else None,
            "runtimeId": self.runtime_id if started else None,
            "lastStatus": self.state.status,
            "exitCode": self.state.exit_code,
            "reason": self.state.reason,
            "networkBindings": task.bindings(self.spec),
            "networkInterfaces": task.interfaces(),
            "healthStatus": self.state.health if self.spec.health_check else "UNKNOWN",
            "cpu": self.cpu,
            "memory": self.memory,
        }

    def _never_started(self) -> bool:
        return self.state.exit_code is None and not self.state.lost


class Reached:
    """Where a task's containers are reached."""

    private_ip: str
    instance_id: str
    attachment_id: str
    ports: dict[int, int]
    _interface: Any

    def ports_of(self, definition: TaskDefinition, free_port: Callable[[], int]) -> dict[int, int]:
        """With a network of its own, or the host's, the container's port; else one of the host's."""
        mappings = [
            mapping
            for container in cast("list[dict[str, Any]]", definition.container_definitions)
            for mapping in container.get("portMappings") or []
        ]
        own = definition.network_mode in ("awsvpc", "host")
        return {
            int(m["containerPort"]): int(m["containerPort"] if own else m.get("hostPort") or free_port())
            for m in mappings
        }

    def reached(self, spec: ContainerSpec) -> ContainerSpec:
        """A container's spec with the ports that lead to it."""
        if spec.port is None:
            return spec
        reached = {self.ports[port] for port in (spec.port, *spec.leading_to) if port in self.ports}
        # Behind a host's port the container's own leads nowhere.
        return replace(spec, port=self.ports.get(spec.port, spec.port), leading_to=tuple(reached))

    def target_of(self, group_type: str, container_port: int) -> dict[str, Any]:
        """The target that a target group of this type registers for a container's port."""
        address = self.instance_id if group_type == "instance" else self.private_ip
        return {"Id": address, "Port": self.ports.get(container_port, container_port)}

    def interfaces(self) -> list[dict[str, str]]:
        """As a container is described: one, if the task has an interface of its own."""
        return [{"attachmentId": self.attachment_id, "privateIpv4Address": self.private_ip}] if self._interface else []

    def bindings(self, spec: ContainerSpec) -> list[dict[str, Any]]:
        """As a container is described: its ports on the instance, in the modes bridge and host."""
        if not self.instance_id:
            return []
        return [
            {"bindIP": "0.0.0.0", "containerPort": inner, "hostPort": outer, "protocol": "tcp"}  # noqa: S104
            for inner, outer in self.ports.items()
            if outer in (spec.port, *spec.leading_to)
        ]


def container_specs(
    definition: TaskDefinition, overrides: dict[str, Any], place: tuple[str, str] | None
) -> list[ContainerSpec]:
    """Return what a task definition's containers run, with RunTask's overrides applied.

    An entry point, which cannot be overridden, comes before the command. Secrets are read in the account and region of
    `place`, if it is given.

    Raises:
        SecretError: a secret cannot be read.
    """
    by_name = {override["name"]: override for override in overrides.get("containerOverrides") or []}
    specs = []
    for container in cast("list[dict[str, Any]]", definition.container_definitions):
        override = by_name.get(container["name"], {})
        environment = {pair["name"]: pair["value"] for pair in container.get("environment") or []}
        if place is not None:
            environment.update(resolve(*place, container))
        environment.update({pair["name"]: pair["value"] for pair in override.get("environment") or []})
        command = override.get("command") or container.get("command") or []
        ports = [mapping["containerPort"] for mapping in container.get("portMappings") or []]
        health = (container.get("healthCheck") or {}).get("command")
        logging = container.get("logConfiguration") or {}
        options = logging.get("options") or {}
        awslogs = logging.get("logDriver") == "awslogs"
        specs.append(
            ContainerSpec(
                name=container["name"],
                image=container["image"],
                command=(*(container.get("entryPoint") or []), *command),
                environment=environment,
                port=int(ports[0]) if ports else None,
                leading_to=tuple(int(port) for port in ports[1:]),
                health_check=tuple(health) if health else None,
                essential=container.get("essential", True),
                log_group=options.get("awslogs-group") if awslogs else None,
                log_stream_prefix=options.get("awslogs-stream-prefix") if awslogs else None,
            )
        )
    return specs


def subnet_of(ec2: EC2Backend, subnet_id: str) -> Subnet:
    """Return a subnet; raises ECS's error for one that is not there."""
    try:
        return ec2.get_subnet(subnet_id)
    except InvalidSubnetIdError as error:
        raise InvalidParameterException(
            f"Error retrieving subnet information for [{subnet_id}]: {error.message} (ErrorCode: {error.code})"
        ) from error


def free_address(backend: TaskBackend, ec2: EC2Backend, subnet: Subnet) -> str:
    """Return an address of a subnet that no interface has, other than those handed out last.

    Raises:
        PlacementFailure: the subnet has none left.
    """
    taken = {eni.private_ip_address for eni in ec2.enis.values() if eni.subnet.id == subnet.id}
    network = ipaddress.ip_network(subnet.cidr_block)
    # AWS keeps the first four addresses and the last.
    count = network.num_addresses - 5
    last = backend.last_offsets.get(subnet.id, 3)
    for step in range(1, count + 1):
        offset = 4 + (last - 4 + step) % count
        address = str(network[offset])
        if address not in taken:
            backend.last_offsets[subnet.id] = offset
            return address
    raise PlacementFailure("RESOURCE:ENI", f"The subnet {subnet.id} has no free addresses.")
