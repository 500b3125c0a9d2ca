"""BeforeInstall: the AppSpec, wherever it is kept, and the task definition that it names.

How AppSpecs are read is tests/unit/gate/test_gate_appspec.py's.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import validate_before_install as hook
import yaml

from rehearsal.testing.stage import CONTAINER, PORT, Judge, Stage, refuse
from tests.unit.handlers.validate_before_install.breaks import on_the_services_strategy
from tests.unit.handlers.validate_before_install.helpers import (
    EVENT,
    Deploy,
    Event,
    State,
    after,
    answered,
    appspec,
    assert_state,
    container_shown,
    of,
    on_spot,
    s3_revision,
    shown,
    written,
)


def another_port(name: str, port: int) -> Deploy:
    """The AppSpec names this container and port."""
    return appspec(LoadBalancerInfo={"ContainerName": name, "ContainerPort": port})


def in_s3(body: bytes | None) -> Deploy:
    """The AppSpec is in S3; None: it is not."""
    return lambda stage: stage.at(EVENT, s3_revision(stage, body))


def denied_in_s3(stage: Stage) -> Event:
    """The AppSpec is in S3, where the hook may not read it."""
    stage.instead["s3:GetObject"] = refuse("AccessDenied", "Access Denied", 403)
    return in_s3(json.dumps(stage.appspec()).encode())(stage)


def of_a_missing_revision(stage: Stage) -> Event:
    """The AppSpec names a revision of the task definition that nobody registered."""
    return appspec(TaskDefinition=stage.green_definition.rpartition(":")[0] + ":99")(stage)


PULLED_BY_NAME: dict[str, Any] = {"repository": "shop/shop", "commitId": "1"}
GITHUB = {"revisionType": "GitHub", "gitHubLocation": PULLED_BY_NAME}
MAPS = f"container {CONTAINER} maps port"
STATES = {
    "no document": State(written("just words"), "appspec", "error", "the AppSpec is a str, expected a mapping"),
    "a placeholder": State(
        appspec(TaskDefinition="<TASK_DEFINITION>"),
        "appspec",
        "error",
        "the AppSpec's TaskDefinition is <TASK_DEFINITION>, expected the ARN of a task definition: nobody filled the …",
    ),
    "a revision without content": State(
        answered("codedeploy:GetApplicationRevision", {"revision": {"revisionType": "AppSpecContent"}}),
        "appspec",
        "error",
        "CodeDeploy returned no content for the AppSpec of {stage.deployment.deployment_id}",
    ),
    "in S3, and not open to the hook": State(
        denied_in_s3,
        "appspec",
        "error",
        "s3:GetObject was denied: allow it in this hook's role (AccessDenied: Access Denied)",
    ),
    "in S3, and not there": State(in_s3(None), "appspec", "error", "s3:GetObject failed: NoSuchKey…"),
    "in S3, and no text": State(
        in_s3(bytes([0xFF, 0xFE, 0x00])), "appspec", "error", "the AppSpec is neither JSON nor YAML: …"
    ),
    "of another kind": State(
        lambda stage: stage.at(EVENT, GITHUB),
        "appspec",
        "error",
        "the revision of {stage.deployment.deployment_id} is of type GitHub, which no ECS deployment uses",
    ),
    "a task definition that nobody registered": State(
        of_a_missing_revision,
        "task_definition",
        "failed",
        "task definition arn:aws:ecs:eu-west-1:123456789012:task-definition/shop:99 does not exist: register it, or "
        "fix the AppSpec",
    ),
    "a task definition that was deregistered": State(
        after(lambda stage: stage.ecs.deregister_task_definition(taskDefinition=stage.green_definition)),
        "task_definition",
        "failed",
        "task definition {stage.green_definition} is INACTIVE, expected ACTIVE: register it anew",
    ),
    "a task definition without a container": State(
        shown(containerDefinitions=[]),
        "task_definition",
        "error",
        "ECS does not say which containers task definition …",
    ),
    "containers without their names": State(
        container_shown(name=None), "task_definition", "error", "ECS does not say which containers task definition …"
    ),
    "containers without their images": State(
        container_shown(image=None), "task_definition", "error", "ECS does not say which containers task definition …"
    ),
    "another container": State(
        another_port("web", PORT),
        "container_port",
        "failed",
        "the AppSpec names container web, which is not in the task definition (it has app)",
    ),
    "another port": State(
        another_port(CONTAINER, 80), "container_port", "failed", f"{MAPS} 8000, the AppSpec says 80: make them one"
    ),
    "no port": State(
        of(portMappings=[]), "container_port", "failed", f"{MAPS} (none), the AppSpec says 8000: make them one"
    ),
    "ports below it": State(
        container_shown(portMappings=[{"containerPortRange": "7000-7999"}]),
        "container_port",
        "failed",
        f"{MAPS} 7000-7999, the AppSpec says 8000: make them one",
    ),
    "ports above it": State(
        container_shown(portMappings=[{"containerPortRange": "8001-8100"}]),
        "container_port",
        "failed",
        f"{MAPS} 8001-8100, the AppSpec says 8000: make them one",
    ),
    "ports around it": State(
        container_shown(portMappings=[{"containerPortRange": "7990-8010"}]),
        "container_port",
        "passed",
        f"{MAPS} 8000",
    ),
    "the service's strategy": State(
        on_spot, "launch_type", "passed", "green is launched as blue was, or as the AppSpec says"
    ),
    "not the service's strategy": State(
        on_the_services_strategy,
        "launch_type",
        "failed",
        "service shop runs on capacity providers FARGATE_SPOT, a strategy that CodeDeploy does not take over: green "
        "starts on the launch type; name the strategy in the AppSpec (CapacityProviderStrategy)",
        alone=False,
    ),
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_states_of_the_appspec(stage: Stage, judge: Judge, state: State) -> None:
    """What cannot be read is each check's that needs it, and told once."""
    assert_state(stage, judge, state)


@pytest.mark.smoke
@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump], ids=["json", "yaml"])
def test_an_appspec_is_read(stage: Stage, judge: Judge, write: Any) -> None:
    judgement = judge(hook, stage.at(EVENT, write(stage.appspec())))
    assert judgement.succeeded
    said = f"the AppSpec deploys {stage.green_definition} with no hook"
    assert judgement.check("appspec") == ("passed", said)
    assert judgement.check("task_definition") == ("passed", f"task definition {stage.green_definition} is ACTIVE")


@pytest.mark.smoke
def test_a_strategy_that_codedeploy_does_not_take_over_is_no_reason_to_refuse(stage: Stage, judge: Judge) -> None:
    """Green would run on demand, and cost more."""
    judgement = judge(hook, on_the_services_strategy(stage))
    assert judgement.succeeded
    assert "1 warned: service shop runs on capacity providers FARGATE_SPOT, a strategy" in judgement.message


def test_what_ten_checks_need_is_asked_for_once(stage: Stage, judge: Judge) -> None:
    assert judge(hook, denied_in_s3(stage)).message.count("s3:GetObject") == 1
    assert len(stage.called("s3:GetObject")) == 1


@pytest.mark.parametrize(
    ("properties", "path"),
    [
        ({"PlatfromVersion": "1.4.0"}, "Properties.PlatfromVersion"),
        (
            {"NetworkConfiguration": {"AwsvpcConfiguration": {"SubnetIds": ["subnet-1"]}}},
            "Properties.NetworkConfiguration.AwsvpcConfiguration.SubnetIds",
        ),
    ],
)
def test_a_property_that_has_no_effect_is_a_warning(
    stage: Stage, judge: Judge, properties: dict[str, Any], path: str
) -> None:
    """CodeDeploy has taken the AppSpec, so it does no harm; and not what its writer meant."""
    judgement = judge(hook, appspec(**properties)(stage))
    assert judgement.succeeded
    said = f"the AppSpec's {path} is no property that CodeDeploy reads: fix its name or its place, or take it out"
    assert judgement.check("appspec") == ("failed", said)
    assert f"1 warned: {said}" in judgement.message


@pytest.mark.parametrize(
    ("network", "own"),
    [
        ({"Subnets": [], "SecurityGroups": [], "AssignPublicIp": ""}, 2),
        ({"Subnets": "{0}", "SecurityGroups": "{group}"}, 1),
    ],
    ids=["empty: the service's own", "as text"],
)
def test_the_subnets_of_the_appspec_count(stage: Stage, judge: Judge, network: dict[str, Any], own: int) -> None:
    said = json.loads(json.dumps(network).replace("{0}", stage.subnets[0]).replace("{group}", stage.security_group))
    judgement = judge(hook, appspec(NetworkConfiguration={"AwsvpcConfiguration": said})(stage))
    assert judgement.succeeded
    asked = [{"Filters": [{"Name": "subnet-id", "Values": stage.subnets[:own]}]}]
    assert stage.called("ec2:DescribeSubnets") == asked
