"""Application Auto Scaling: what is suspended of a scalable target, and by whom it is scaled.

moto shows `SuspendedState` as it was given, or not at all. On AWS it is always there, each of its three values false
until it is set, and a value that is not given stays as it was (API reference, RegisterScalableTarget). Without a role
a target has the service-linked one (user guide, service-linked roles). Of a
target's tags, of which Terraform asks, moto knows nothing.
"""

# An operation is documented in AWS's API reference under its own name.
# ruff: noqa: D102

from __future__ import annotations

from typing import Any

from moto.applicationautoscaling.models import (
    ApplicationAutoscalingBackend,
    FakeScalableTarget,
)
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.responses import ActionResult

from rehearsal.aws.graft import graft

_NOTHING_SUSPENDED = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}
_LINKED_ROLES = {"ecs": "ECSService"}
"""By namespace: the end of the service-linked role's name; of the others moto's answer has no role."""

_original_init = FakeScalableTarget.__init__
_original_update = FakeScalableTarget.update
_original_register = ApplicationAutoScalingResponse.register_scalable_target


class ScalableTarget(FakeScalableTarget):
    """moto's scalable target, with what AWS adds to what was given."""

    suspended_state: dict[str, bool]  # type: ignore[assignment]

    def __init__(self, backend: ApplicationAutoscalingBackend, service_namespace: str, *args: Any) -> None:
        _original_init(self, backend, service_namespace, *args)
        self.suspended_state = {**_NOTHING_SUSPENDED, **(self.suspended_state or {})}
        if not self.role_arn and service_namespace in _LINKED_ROLES:
            place = f"{service_namespace}.application-autoscaling.amazonaws.com"
            name = f"AWSServiceRoleForApplicationAutoScaling_{_LINKED_ROLES[service_namespace]}"
            self.role_arn = f"arn:{backend.partition}:iam::{backend.account_id}:role/aws-service-role/{place}/{name}"

    # moto takes the state for a string.
    def update(self, min_capacity: int | None, max_capacity: int | None, suspended_state: Any) -> None:
        """Change what is given."""
        merged: Any = {**self.suspended_state, **(suspended_state or {})}
        _original_update(self, min_capacity, max_capacity, merged)


class Answers(ApplicationAutoScalingResponse):
    """Operations that moto lacks, or answers without tags."""

    def register_scalable_target(self) -> Any:
        answer = _original_register(self)
        targets = self.applicationautoscaling_backend.describe_scalable_targets(
            namespace=self._get_param("ServiceNamespace"),
            r_ids=[self._get_param("ResourceId")],
            dimension=self._get_param("ScalableDimension"),
        )
        if tags := self._get_param("Tags"):
            _tags.setdefault(targets[0].arn, {}).update(tags)
        return answer

    def list_tags_for_resource(self) -> ActionResult:
        return ActionResult({"Tags": _tags.get(self._get_param("ResourceARN"), {})})

    def tag_resource(self) -> ActionResult:
        _tags.setdefault(self._get_param("ResourceARN"), {}).update(self._get_param("Tags") or {})
        return ActionResult({})

    def untag_resource(self) -> ActionResult:
        for key in self._get_param("TagKeys") or []:
            _tags.get(self._get_param("ResourceARN"), {}).pop(key, None)
        return ActionResult({})


_tags: dict[str, dict[str, str]] = {}
"""By ARN of a scalable target."""


def install() -> None:
    """Put the additions into moto."""
    graft(ScalableTarget)
    graft(Answers)
