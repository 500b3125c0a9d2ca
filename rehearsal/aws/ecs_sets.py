"""ECS: services and their task sets, as they are described."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.core.utils import utcnow
from moto.ecs.models import Service
from moto.moto_api._internal import mock_random

from rehearsal.aws.ecs_native import ServiceDeployment, ServiceRevision
from rehearsal.aws.ecs_tasks import StandInTask

if TYPE_CHECKING:
    from rehearsal.aws.ecs_services import EcsBackend


class StandInTaskSet:
    """A task set with tasks of its own. moto's class has no counts, and is always steady."""

    def __init__(
        self, backend: EcsBackend, service: StandInService, definition_arn: str, params: dict[str, Any]
    ) -> None:
        # An id is `ecs-svc/` and 19 digits.
        self.id = f"ecs-svc/{mock_random.randint(10**18, 9 * 10**18)}"
        place = f"{backend.region_name}:{backend.account_id}"
        self.task_set_arn = (
            f"arn:{backend.partition}:ecs:{place}:task-set/{service.cluster_name}/{service.name}/{self.id}"
        )
        self.service_arn = service.arn
        self.cluster_arn = service.cluster_arn
        self.external_id: str | None = params.get("externalId") or None
        self.started_by: str | None = None
        self.status = "ACTIVE"
        self.task_definition = definition_arn
        self.launch_type: str = params.get("launchType") or "EC2"
        self.capacity_provider_strategy: list[dict[str, Any]] = params.get("capacityProviderStrategy") or []
        fargate = self.launch_type == "FARGATE"
        self.platform_version: str | None = params.get("platformVersion") or ("LATEST" if fargate else None)
        self.platform_family = "Linux" if fargate else None
        self.network_configuration: dict[str, Any] | None = params.get("networkConfiguration")
        self.load_balancers: list[dict[str, Any]] = params.get("loadBalancers") or []
        self.service_registries: list[dict[str, Any]] = params.get("serviceRegistries") or []
        self.scale: dict[str, Any] = params.get("scale") or {"value": 100.0, "unit": "PERCENT"}
        self.tags: list[dict[str, str]] = params.get("tags") or []
        self.created_at = self.updated_at = self.stability_status_at = utcnow()
        self.stability_status = "STABILIZING"
        self.computed_desired_count = 0
        self.pending_count = 0
        self.running_count = 0
        self.own_tasks: list[StandInTask] = []
        self.failed_starts = 0
        self.drained_since: datetime | None = None

    def set_scale(self, value: float) -> None:
        """Scale the set to a percentage of the service's desired count."""
        self.scale = {"value": float(value), "unit": "PERCENT"}
        self.updated_at = utcnow()

    def drain(self) -> None:
        """Mark the set as deleted: it stays listed while its tasks end."""
        self.set_scale(0)
        self.status = "DRAINING"


class StandInService(Service):
    """A service that is scheduled, with what moto forgets of it."""

    task_sets: list[StandInTaskSet]  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Absent where none was given; an empty one lets Terraform's provider fail.
        self.network_configuration = self.network_configuration or None  # type: ignore[assignment]
        self.created_at = utcnow()
        self.deployment_configuration: dict[str, Any] = {"maximumPercent": 200, "minimumHealthyPercent": 100}
        self.enable_ecs_managed_tags = False
        self.enable_execute_command = False
        self.health_check_grace_period_seconds: int | None = 0 if self.load_balancers else None
        self.availability_zone_rebalancing = "DISABLED"
        self.capacity_provider_strategy: list[dict[str, Any]] | None = None
        self.revisions: list[ServiceRevision] = []
        """Of a service that ECS itself deploys blue/green."""
        self.service_deployments: list[ServiceDeployment] = []
        self.inner_set: StandInTaskSet | None = None
        """What a rolling service (controller ECS) has in the place of task sets."""
        self.was_steady = False
        self.troubles: dict[str, tuple[str, datetime]] = {}
        """By task set id: the event that tells why none of its tasks starts, and when it was told."""
