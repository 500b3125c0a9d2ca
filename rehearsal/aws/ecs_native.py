"""ECS's own blue/green: service revisions, service deployments, and the rules that ECS moves.

moto has neither: CreateService drops `deploymentConfiguration.strategy`, and the Describe operations do not exist. As
recorded on AWS (developer guide; botocore's model):

- a revision's tasks are started by `ecs-svc/<n>`, the last part of the revision's ARN;
- `loadBalancers` names both target groups in the same order, whichever serves; `resolvedConfiguration` says which one a
  revision uses, and exists for an active one only;
- green's tasks are registered in the group that the production rule does not lead to when the deployment begins; those
  of the first deployment too;
- after a shift a rule has a weighted forward of two entries.

Who invokes the hooks, and when a stage ends, is for the caller of `ServiceDeployment` to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.core.utils import utcnow
from moto.elbv2.models import FakeAction, elbv2_backends
from moto.moto_api._internal import mock_random

if TYPE_CHECKING:
    from rehearsal.aws.ecs_services import EcsBackend
    from rehearsal.aws.ecs_sets import StandInService, StandInTaskSet

STRATEGIES = ("BLUE_GREEN", "LINEAR", "CANARY")
STAGES = (
    "PRE_SCALE_UP",
    "SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
    "BAKE_TIME",
    "CLEAN_UP",
)
NOT_DESCRIBED = "PRE_PRODUCTION_TRAFFIC_SHIFT"  # the model of DescribeServiceDeployments has no such stage
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class ServiceRevision:
    """What a service was told to be, at one moment."""

    def __init__(self, backend: EcsBackend, service: StandInService, task_set: StandInTaskSet) -> None:
        place = f"arn:{backend.partition}:ecs:{backend.region_name}:{backend.account_id}"
        self.task_set = task_set
        self.arn = f"{place}:service-revision/{service.cluster_name}/{service.name}/{task_set.id.rpartition('/')[2]}"
        self.service = service
        self.load_balancers = [dict(each) for each in service.load_balancers]
        self.created_at = utcnow()
        self.is_active = False

    def describe(self) -> dict[str, Any]:
        """As DescribeServiceRevisions has it."""
        found: dict[str, Any] = {
            "serviceRevisionArn": self.arn,
            "serviceArn": self.service.arn,
            "clusterArn": self.service.cluster_arn,
            "taskDefinition": self.task_set.task_definition,
            "launchType": self.task_set.launch_type,
            "platformVersion": self.task_set.platform_version,
            "networkConfiguration": self.task_set.network_configuration,
            "loadBalancers": self.load_balancers,
            "createdAt": self.created_at,
        }
        if self.task_set.capacity_provider_strategy:
            found["capacityProviderStrategy"] = self.task_set.capacity_provider_strategy
            del found["launchType"]
        if self.is_active:
            found["resolvedConfiguration"] = {
                "loadBalancers": [
                    {
                        "targetGroupArn": each["targetGroupArn"],
                        "productionListenerRule": own["advancedConfiguration"]["productionListenerRule"],
                    }
                    for each, own in zip(self.task_set.load_balancers, self.load_balancers, strict=True)
                    if "advancedConfiguration" in own
                ]
            }
        return {name: value for name, value in found.items() if value is not None}

    def counts(self) -> dict[str, Any]:
        """As DescribeServiceDeployments has it."""
        return {
            "arn": self.arn,
            "requestedTaskCount": self.task_set.computed_desired_count,
            "runningTaskCount": self.task_set.running_count,
            "pendingTaskCount": self.task_set.pending_count,
        }


class ServiceDeployment:
    """One deployment of a service by ECS itself. `source`: the revision that served before; None for the first."""

    def __init__(
        self, backend: EcsBackend, service: StandInService, target: ServiceRevision, source: ServiceRevision | None
    ) -> None:
        self.backend, self.service, self.target, self.source = backend, service, target, source
        # Recorded ones have 21 letters and digits.
        self.id = "".join(mock_random.choices(_LETTERS, k=21))
        place = f"arn:{backend.partition}:ecs:{backend.region_name}:{backend.account_id}"
        self.arn = f"{place}:service-deployment/{service.cluster_name}/{service.name}/{self.id}"
        self.created_at = self.updated_at = utcnow()
        self.finished_at: datetime | None = None
        self.status, self.status_reason = "PENDING", ""
        self.stage = ""
        self.hooks: list[dict[str, Any]] = []
        self.rollback: dict[str, Any] | None = None
        self._place()

    def _place(self) -> None:
        """Choose for each pair the target group that the production rule does not lead to."""
        for own, used in zip(self.target.load_balancers, self.target.task_set.load_balancers, strict=True):
            advanced = own.get("advancedConfiguration") or {}
            if advanced.get("alternateTargetGroupArn"):
                pair = [own["targetGroupArn"], advanced["alternateTargetGroupArn"]]
                weights = self._weights(advanced["productionListenerRule"])
                used["targetGroupArn"] = next((arn for arn in pair if not weights.get(arn)), pair[0])

    # What it does, step by step.

    def enter(self, stage: str) -> None:
        """Come to a stage."""
        self.status, self.stage, self.updated_at = "IN_PROGRESS", stage, utcnow()

    def scale_up(self) -> None:
        """Start green's tasks."""
        self.target.task_set.set_scale(100)
        self.target.is_active = True
        self.backend.reconcile(self.service)

    def shift(self, route: str, percent: float = 100) -> None:
        """Move the `test` or `production` rule: so much of its traffic goes to green."""
        for own, used in zip(self.target.load_balancers, self.target.task_set.load_balancers, strict=True):
            advanced = own.get("advancedConfiguration") or {}
            rule = advanced.get(f"{route}ListenerRule")
            if rule:
                pair = [own["targetGroupArn"], advanced["alternateTargetGroupArn"]]
                green = used["targetGroupArn"]
                self._lead(rule, {arn: percent if arn == green else 100 - percent for arn in pair})

    def succeed(self) -> None:
        """End well: blue's tasks go."""
        if self.source:
            self.source.task_set.set_scale(0)
            self.source.is_active = False
        self._end("SUCCESSFUL")

    def begin_rollback(self, reason: str) -> None:
        """Begin to go back."""
        self.status, self.status_reason = "ROLLBACK_IN_PROGRESS", reason
        self.rollback = {"reason": reason, "startedAt": utcnow()}
        if self.source:
            self.rollback["serviceRevisionArn"] = self.source.arn

    def end_rollback(self) -> None:
        """Be back: all rules lead to the source, green's tasks go. Without one there is nothing to go back to."""
        if self.source is None:
            self.status_reason = f"{self.status_reason} No rollback candidate was found to run the rollback."
            self._end("ROLLBACK_FAILED")
            return
        for route in ("test", "production"):
            self.shift(route, 0)
        self.target.task_set.set_scale(0)
        self.target.is_active = False
        self._end("ROLLBACK_SUCCESSFUL")

    def _end(self, status: str) -> None:
        self.status, self.finished_at = status, utcnow()
        self.backend.reconcile(self.service)

    # The load balancer.

    @property
    def _elbv2(self) -> Any:
        return elbv2_backends[self.backend.account_id][self.backend.region_name]

    def _rule(self, arn: str) -> tuple[Any, Any]:
        """A rule, and its listener; of a listener's ARN the default rule."""
        for balancer in self._elbv2.load_balancers.values():
            for listener in balancer.listeners.values():
                for rule in listener.rules.values():
                    if arn in (rule.arn, listener.arn if rule.is_default else None):
                        return rule, listener
        raise LookupError(arn)

    def _weights(self, rule: str) -> Mapping[str, float]:
        weights: dict[str, float] = {}
        for action in self._rule(rule)[0].actions:
            groups = (action.data.get("ForwardConfig") or {}).get("TargetGroups") or []
            for group in groups:
                weights[group["TargetGroupArn"]] = float(group.get("Weight", 1))
            if action.data.get("TargetGroupArn") and not groups:
                weights[action.data["TargetGroupArn"]] = 1.0
        return weights

    def _lead(self, rule: str, weights: Mapping[str, float]) -> None:
        groups = [{"TargetGroupArn": arn, "Weight": int(weight)} for arn, weight in weights.items()]
        found, listener = self._rule(rule)
        found.actions = [FakeAction({"Type": "forward", "ForwardConfig": {"TargetGroups": groups}})]
        if found.is_default:
            listener.default_actions = found.actions

    # What is said of it.

    def event(self, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What a hook is sent at this stage. `details`: the hook's `hookDetails`, absent where none are configured."""
        green, blue = self.target.arn, self.source.arn if self.source else None
        test: dict[str, int] = {}
        production: dict[str, int] = {}
        forward = 0 if self.status.startswith("ROLLBACK") else 100
        if self.stage == "TEST_TRAFFIC_SHIFT":
            test = {green: forward, **({blue: 100 - forward} if blue else {})}
        if self.stage == "PRE_PRODUCTION_TRAFFIC_SHIFT":
            production = self._on_production()
        if self.stage == "PRODUCTION_TRAFFIC_SHIFT":
            production = {green: forward, **({blue: 100 - forward} if blue else {})}
        found: dict[str, Any] = {
            "executionId": str(mock_random.uuid4()),
            "lifecycleStage": self.stage,
            "resourceArn": self.arn,
            "executionDetails": {
                "serviceArn": self.service.arn,
                "targetServiceRevisionArn": green,
                "testTrafficWeights": test,
                "productionTrafficWeights": production,
            },
        }
        return {**found, "hookDetails": dict(details)} if details is not None else found

    def _on_production(self) -> dict[str, int]:
        own, used = self.target.load_balancers[0], self.target.task_set.load_balancers[0]
        weights = self._weights(own["advancedConfiguration"]["productionListenerRule"])
        total = sum(weights.values()) or 1
        share = int(100 * weights.get(used["targetGroupArn"], 0) / total)
        return {self.target.arn: share, **({self.source.arn: 100 - share} if self.source else {})}

    def brief(self) -> dict[str, Any]:
        """As ListServiceDeployments has it."""
        names = ("serviceDeploymentArn", "serviceArn", "clusterArn", "createdAt", "startedAt", "finishedAt")
        found = {name: value for name, value in self.describe().items() if name in (*names, "status", "statusReason")}
        return {**found, "targetServiceRevisionArn": self.target.arn}

    def describe(self) -> dict[str, Any]:
        """As DescribeServiceDeployments has it."""
        found: dict[str, Any] = {
            "serviceDeploymentArn": self.arn,
            "serviceArn": self.service.arn,
            "clusterArn": self.service.cluster_arn,
            "createdAt": self.created_at,
            "startedAt": self.created_at,
            "updatedAt": self.updated_at,
            "finishedAt": self.finished_at,
            "sourceServiceRevisions": [self.source.counts()] if self.source else [],
            "targetServiceRevision": self.target.counts(),
            "status": self.status,
            "statusReason": self.status_reason or None,
            "lifecycleStage": self.stage if self.stage and self.stage != NOT_DESCRIBED else None,
            "lifecycleHookDetails": self.hooks or None,
            "deploymentConfiguration": self.service.deployment_configuration,
            "rollback": self.rollback,
        }
        return {name: value for name, value in found.items() if value is not None}
