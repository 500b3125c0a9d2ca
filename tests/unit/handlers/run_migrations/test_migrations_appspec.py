"""BeforeAllowTraffic: the task is placed as the AppSpec says, in ECS's own words whatever its writer's spelling."""

from __future__ import annotations

import pytest
import run_migrations as hook
import yaml
from gate import aws

from rehearsal.testing.stage import Judge, Stage


@pytest.mark.smoke
def test_what_is_passed_on_is_as_ecs_takes_it(stage: Stage, judge: Judge) -> None:
    """By botocore's model of RunTask, whose types and values are no text where a number belongs."""
    network = {"subnets": ",".join(stage.subnets), "SecurityGroups": stage.security_group, "AssignPublicIp": "enabled"}
    appspec = stage.appspec(
        CapacityProviderStrategy=[{"CapacityProvider": "FARGATE", "Base": "0", "Weight": "1"}],
        PlatformVersion="1.4.0",
        NetworkConfiguration={"awsVpcConfiguration": network},
    )
    event = stage.at("BeforeInstall", yaml.safe_dump(appspec))
    assert judge(hook, event, command=["migrate"]).succeeded
    (call,) = stage.called("ecs:RunTask")
    assert call["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE", "base": 0, "weight": 1}]
    assert "launchType" not in call
    taken = call["networkConfiguration"]["awsvpcConfiguration"]
    assert (taken["subnets"], taken["securityGroups"]) == (stage.subnets, [stage.security_group])
    model = aws.client("ecs").meta.service_model.operation_model("RunTask").input_shape
    vpc = model.members["networkConfiguration"].members["awsvpcConfiguration"]
    assert taken["assignPublicIp"] in vpc.members["assignPublicIp"].enum
