"""Environments that are sound but for one thing, and what the hook says of them.

A `State` is one row of a chapter's table: what is arranged, which check tells of it, and in which words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
import validate_before_install as hook
from gate import deployment
from gate.aws import AwsDenied

from rehearsal.testing.stage import ACCOUNT, CLUSTER, PORT, SERVICE, Judge, Judgement, Stage

EVENT = "BeforeInstall"
TEST, PRODUCTION = "AfterAllowTestTraffic", "AfterAllowTraffic"
ECR = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"

Event = dict[str, str]
Deploy = Callable[[Stage], Event]


@dataclass(frozen=True)
class State:
    """An environment, and what is said of it.

    `says`: the detail of the check, `{stage.…}` standing for what the stage has; only its beginning if it ends with
    `…`. `alone`: nothing else is wrong, so that it is the whole message.
    """

    make: Deploy
    check: str
    outcome: str
    says: str
    alone: bool = True


def assert_state(stage: Stage, judge: Judge, state: State) -> Judgement:
    """The hook says what the row has; returns what it said in all."""
    judgement = judge(hook, state.make(stage))
    outcome, detail = judgement.check(state.check)
    says = state.says.format(stage=stage)
    assert outcome == state.outcome
    assert detail.startswith(says[:-1]) if says.endswith("…") else detail == says
    if state.alone:
        fails = outcome in ("failed", "error")
        assert judgement.succeeded is not fails
        assert judgement.message == detail or not fails
    return judgement


def deployed(stage: Stage) -> Event:
    """An ordinary deployment."""
    return stage.at(EVENT)


def before(change: Callable[[Stage], object]) -> Deploy:
    """Change something, then deploy."""

    def event(stage: Stage) -> Event:
        change(stage)
        return stage.at(EVENT)

    return event


def after(change: Callable[[Stage], object]) -> Deploy:
    """Deploy, then change something before the hook looks."""

    def event(stage: Stage) -> Event:
        found = stage.at(EVENT)
        change(stage)
        return found

    return event


def of(*sidecars: Mapping[str, Any], definition: Mapping[str, Any] | None = None, **container: Any) -> Deploy:
    """Deploy a task definition with sidecars, and with changes to itself and to the application's container."""

    def event(stage: Stage) -> Event:
        stage.green_definition = stage.register(sidecars, definition, **container)
        return stage.at(EVENT)

    return event


def shown(**changes: Any) -> Deploy:
    """Deploy a task definition of which ECS says what the stand-in does not take; None: nothing."""

    def event(stage: Stage) -> Event:
        return describe_definition(stage, stage.at(EVENT), **changes)

    return event


def describe_definition(stage: Stage, event: Event, **changes: Any) -> Event:
    """Let ECS describe the deployment's task definition otherwise."""
    found = stage.ecs.describe_task_definition(taskDefinition=stage.green_definition)["taskDefinition"]
    told = {name: value for name, value in {**found, **changes}.items() if value is not None}
    stage.instead["ecs:DescribeTaskDefinition"] = lambda _: {"taskDefinition": told}
    return event


def container_shown(**changes: Any) -> Deploy:
    """The same, of the application's container."""

    def event(stage: Stage) -> Event:
        found = stage.at(EVENT)
        definition = stage.ecs.describe_task_definition(taskDefinition=stage.green_definition)["taskDefinition"]
        containers = definition["containerDefinitions"]
        containers[0] = {name: value for name, value in {**containers[0], **changes}.items() if value is not None}
        return describe_definition(stage, found, containerDefinitions=containers)

    return event


def appspec(**properties: Any) -> Deploy:
    """Deploy with other properties in the AppSpec."""
    return lambda stage: stage.at(EVENT, json.dumps(stage.appspec(**properties)))


def written(text: str) -> Deploy:
    """Deploy with this AppSpec."""
    return lambda stage: stage.at(EVENT, text)


def group(**changes: Any) -> Deploy:
    """Deploy by a deployment group with these changes."""
    return before(lambda stage: stage.update_group(**changes))


def pair(*names: str) -> Deploy:
    """Deploy by a deployment group with these target groups."""
    return before(lambda stage: stage.update_group(loadBalancerInfo=stage.pair(stage.test_listener, names)))


def answered(operation: str, answer: Any) -> Deploy:
    """Deploy, and let AWS answer this; or what a function of the stage and the parameters makes of it."""

    def event(stage: Stage) -> Event:
        found = stage.at(EVENT)
        stage.instead[operation] = lambda parameters: answer(stage, parameters) if callable(answer) else answer
        return found

    return event


def service_shown(stage: Stage, **of_task_sets: Any) -> dict[str, Any]:
    """DescribeServices' answer, with changes to each task set."""
    answer: dict[str, Any] = stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
    for task_set in answer["services"][0]["taskSets"]:
        task_set.update(of_task_sets)
    stage.instead["ecs:DescribeServices"] = lambda _: answer
    return answer


def not_open(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the hook's role not look at a function; not in earnest, or it would be found too narrow for the test."""
    read = deployment._read_function

    def read_or_be_denied(asked: str, words: deployment.Words) -> Mapping[str, Any]:
        if asked == name:
            raise AwsDenied("denied", "lambda", "get_function_configuration")
        return read(asked, words)

    monkeypatch.setattr(deployment, "_read_function", read_or_be_denied)


def without_a_test_listener(stage: Stage) -> None:
    """There is none, neither in the deployment group nor on the load balancer."""
    stage.update_group(loadBalancerInfo=stage.pair(None))
    stage.elbv2.delete_listener(ListenerArn=stage.test_listener)


def host_rule(stage: Stage, listener: str, weights: Mapping[str, int], priority: int = 1) -> None:
    """Add a rule that leads one host's requests to target groups."""
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    stage.elbv2.create_rule(
        ListenerArn=listener,
        Priority=priority,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": [f"shop-{priority}.example.com"]}}],
        Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}],
    )


def s3_revision(stage: Stage, body: str | bytes | None, *, versioned: bool = False) -> Mapping[str, Any]:
    """A revision kept in S3, in an object with the tag by which CodeDeploy's own policies let it be read."""
    s3: Any = boto3.client("s3")
    s3.create_bucket(Bucket="appspecs", CreateBucketConfiguration={"LocationConstraint": stage.region})
    if versioned:
        s3.put_bucket_versioning(Bucket="appspecs", VersioningConfiguration={"Status": "Enabled"})
    location = {"bucket": "appspecs", "key": "shop.yaml", "bundleType": "YAML"}
    if body is not None:
        content = body if isinstance(body, bytes) else body.encode()
        put = s3.put_object(Bucket="appspecs", Key="shop.yaml", Body=content, Tagging="UseWithCodeDeploy=true")
        location |= {"version": put["VersionId"]} if versioned else {}
    return {"revisionType": "S3", "s3Location": location}


def on_spot(stage: Stage) -> Event:
    """A strategy of FARGATE_SPOT, in the service and in the AppSpec."""
    stage.ecs.put_cluster_capacity_providers(
        cluster=CLUSTER, capacityProviders=["FARGATE", "FARGATE_SPOT"], defaultCapacityProviderStrategy=[]
    )
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    stage.create_service_anew(launchType=None, capacityProviderStrategy=strategy)
    told = [{"CapacityProvider": "FARGATE_SPOT", "Base": 0, "Weight": 1}]
    return appspec(CapacityProviderStrategy=told)(stage)


def ports(first: int = PORT, last: int = PORT, **source: Any) -> dict[str, Any]:
    """A rule of a security group, by TCP."""
    return {"IpProtocol": "tcp", "FromPort": first, "ToPort": last, **source}


def security_group(stage: Stage, name: str, *rules: dict[str, Any]) -> str:
    """A security group with these ingress rules; its id."""
    made = stage.ec2.create_security_group(GroupName=name, Description=name, VpcId=stage.vpc)["GroupId"]
    for rule in rules:
        stage.ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=[rule])
    return str(made)


def inside(stage: Stage, *groups: str) -> None:
    """Put the functions of the hooks into the VPC."""
    for function in list(stage.hooks.values())[1:]:
        stage.functions.update_function_configuration(
            FunctionName=function, VpcConfig={"SubnetIds": stage.subnets, "SecurityGroupIds": list(groups)}
        )
