"""The AppSpec as hooks use it: from S3, in the object as it is or in one version of it, and as ECS takes it."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import boto3
import pytest
import run_migrations
import validate_before_install
import yaml
from gate import aws

from rehearsal.testing.stage import Judge, Stage
from tests.unit.handlers.validate_before_install.helpers import s3_revision


@pytest.mark.parametrize("versioned", [False, True], ids=["object", "version"])
@pytest.mark.parametrize(
    ("hook", "event", "settings"),
    [
        (validate_before_install, "BeforeInstall", {}),
        (run_migrations, "BeforeAllowTraffic", {"command": ["alembic", "upgrade", "head"]}),
    ],
    ids=["validate_before_install", "run_migrations"],
)
def test_an_appspec_in_s3_is_read(
    *, stage: Stage, judge: Judge, hook: ModuleType, event: str, settings: dict[str, Any], versioned: bool
) -> None:
    # Which of two containers is the application's, the AppSpec says.
    stage.green_definition = stage.register(sidecars=({"name": "proxy", "image": stage.image("2")},))
    delivered = stage.at(event, s3_revision(stage, json.dumps(stage.appspec()), versioned=versioned))
    if versioned:  # what is there by now is another one's
        boto3.client("s3").put_object(Bucket="appspecs", Key="shop.yaml", Body=b"{}")
    stage.calls.clear()
    assert judge(hook, delivered, **settings).succeeded
    (read,) = stage.called("s3:GetObject")
    assert ("VersionId" in read) is versioned


def test_what_is_passed_on_is_as_ecs_takes_it(stage: Stage, judge: Judge) -> None:
    """By botocore's model of RunTask, whose types and values are no text where a number belongs."""
    network = {"subnets": ",".join(stage.subnets), "SecurityGroups": stage.security_group, "AssignPublicIp": "enabled"}
    strategy = [{"CapacityProvider": "FARGATE", "Base": "0", "Weight": "1"}]
    appspec = stage.appspec(
        CapacityProviderStrategy=strategy,
        PlatformVersion="1.4.0",
        NetworkConfiguration={"awsVpcConfiguration": network},
    )
    event = stage.at("BeforeInstall", yaml.safe_dump(appspec))
    assert judge(run_migrations, event, command=["migrate"]).succeeded
    (call,) = stage.called("ecs:RunTask")
    assert call["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE", "base": 0, "weight": 1}]
    assert "launchType" not in call
    taken = call["networkConfiguration"]["awsvpcConfiguration"]
    assert (taken["subnets"], taken["securityGroups"]) == (stage.subnets, [stage.security_group])
    model = aws.client("ecs").meta.service_model.operation_model("RunTask").input_shape
    vpc = model.members["networkConfiguration"].members["awsvpcConfiguration"]
    assert taken["assignPublicIp"] in vpc.members["assignPublicIp"].enum
