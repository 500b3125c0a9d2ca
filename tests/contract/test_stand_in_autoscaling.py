"""Application Auto Scaling: what is suspended of a service's scaling."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.aws.stack import Stack

TARGET = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/shop/orders",
    "ScalableDimension": "ecs:service:DesiredCount",
}
NOTHING = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}


def register(stack: Stack, **settings: Any) -> None:
    stack.client("application-autoscaling").register_scalable_target(**{**TARGET, **settings})


def described(stack: Stack, resource: str = TARGET["ResourceId"]) -> list[dict[str, Any]]:
    answer = stack.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="ecs", ResourceIds=[resource], ScalableDimension="ecs:service:DesiredCount"
    )
    found: list[dict[str, Any]] = answer["ScalableTargets"]
    return found


def test_nothing_is_suspended_unless_said(stack: Stack) -> None:
    """moto leaves SuspendedState out; on AWS each of its values is false until it is set."""
    register(stack, MinCapacity=1, MaxCapacity=4)
    (target,) = described(stack)
    assert target["SuspendedState"] == NOTHING
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 4)
    assert target["RoleARN"].endswith("/AWSServiceRoleForApplicationAutoScaling_ECSService")


def test_a_target_has_tags(stack: Stack) -> None:
    """Terraform asks for them at each plan; moto knows no such operation."""
    register(stack, MinCapacity=1, MaxCapacity=4, Tags={"team": "shop"})
    client, arn = stack.client("application-autoscaling"), described(stack)[0]["ScalableTargetARN"]
    client.tag_resource(ResourceARN=arn, Tags={"cost": "1"})
    client.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"cost": "1"}


@pytest.mark.parametrize("key", list(NOTHING))
def test_what_is_not_given_stays(stack: Stack, key: str) -> None:
    """API reference, RegisterScalableTarget: an update changes what it names; moto forgets the rest."""
    register(stack, MinCapacity=1, MaxCapacity=4, SuspendedState={key: True})
    assert described(stack)[0]["SuspendedState"] == {**NOTHING, key: True}
    register(stack, SuspendedState={"ScheduledScalingSuspended": True})
    assert described(stack)[0]["SuspendedState"] == {**NOTHING, key: True, "ScheduledScalingSuspended": True}
    register(stack, MaxCapacity=5, SuspendedState={key: False})
    (target,) = described(stack)
    assert target["SuspendedState"][key] is False
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 5)


def test_a_service_that_is_not_scaled_has_no_target(stack: Stack) -> None:
    """Not an error."""
    assert described(stack) == []
    register(stack, MinCapacity=1, MaxCapacity=4)
    assert described(stack, "service/shop/other") == []


def test_a_wrong_dimension_is_refused(stack: Stack, refused: Any) -> None:
    client = stack.client("application-autoscaling")
    code, _ = refused(
        client.describe_scalable_targets, ServiceNamespace="ecs", ScalableDimension="ecs:service:RunningCount"
    )
    assert code == "ValidationException"
