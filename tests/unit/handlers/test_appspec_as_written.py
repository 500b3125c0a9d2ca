"""AppSpecs as people, pipelines and templates write them: what CodeDeploy takes is taken, what it refuses is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import run_migrations
import validate_before_install as hook
import yaml
from gate import aws
from gate.appspec import AppSpec, parse_appspec
from gate.verdict import CannotLook

from tests.unit.handlers.stage import Judge, Stage

EVENT = "BeforeInstall"
ARN = "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop:3"
BALANCER: dict[str, Any] = {"ContainerName": "app", "ContainerPort": 8000}


def document(resource: dict[str, Any] | None = None, hooks: Any = None, **properties: Any) -> dict[str, Any]:
    """An AppSpec with these properties; `resource` stands beside them."""
    wanted = {"TaskDefinition": ARN, "LoadBalancerInfo": BALANCER, **properties}
    given = {name: value for name, value in wanted.items() if value is not ...}
    target = {"Type": "AWS::ECS::Service", "Properties": given, **(resource or {})}
    return {"version": 0.0, "Resources": [{"TargetService": target}], **({} if hooks is None else {"Hooks": hooks})}


def parsed(**changes: Any) -> AppSpec:
    """The same in JSON and in YAML, read."""
    made = document(**changes)
    found = parse_appspec(json.dumps(made))
    assert parse_appspec(yaml.safe_dump(made)) == found
    return found


def refusal(text: str) -> str:
    with pytest.raises(CannotLook) as problem:
        parse_appspec(text)
    return str(problem.value)


def refused(**changes: Any) -> str:
    return refusal(json.dumps(document(**changes)))


# What is taken


@pytest.mark.parametrize("version", ["0.0", "0", "1", "'0.0'", "'1.0'", "1.0", ""])
def test_versions_as_they_are_found(version: str) -> None:
    """The guide has 0.0; ECS's console writes 1."""
    text = yaml.safe_dump(document()).replace("version: 0.0", f"version: {version}" if version else "")
    assert parse_appspec(text).task_definition == ARN


@pytest.mark.parametrize("port", [8000, "8000", " 8000 ", 8000.0, "8000.0"])
def test_ports(port: Any) -> None:
    assert parsed(LoadBalancerInfo={**BALANCER, "ContainerPort": port}).container_port == 8000


@pytest.mark.parametrize(
    ("strategy", "taken"),
    [
        (
            [{"CapacityProvider": "FARGATE_SPOT", "Base": "1", "Weight": "2"}],
            [{"capacityProvider": "FARGATE_SPOT", "base": 1, "weight": 2}],
        ),
        (
            [{"capacityProvider": "A", "weight": 1}, {"capacityprovider": "B", "base": 0}],
            [{"capacityProvider": "A", "weight": 1}, {"capacityProvider": "B", "base": 0}],
        ),
        ({"CapacityProvider": "A", "Base": "", "Weight": None}, [{"capacityProvider": "A"}]),
        ([], None),
        (None, None),
    ],
)
def test_strategies(strategy: Any, taken: Any) -> None:
    assert parsed(CapacityProviderStrategy=strategy).placement.get("capacityProviderStrategy") == taken


@pytest.mark.parametrize(
    ("version", "taken"),
    [("1.4.0", "1.4.0"), ("LATEST", "LATEST"), ("latest", "LATEST"), (1.4, "1.4"), ("", None), (None, None)],
)
def test_platform_versions(version: Any, taken: str | None) -> None:
    assert parsed(PlatformVersion=version).placement.get("platformVersion") == taken


@pytest.mark.parametrize(
    ("network", "taken"),
    [
        (
            {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroups": ["sg-1"], "AssignPublicIp": "ENABLED"},
            {"subnets": ["subnet-1", "subnet-2"], "securityGroups": ["sg-1"], "assignPublicIp": "ENABLED"},
        ),
        (
            {"subnets": "subnet-1, subnet-2", "securitygroups": "sg-1", "assignPublicIP": "disabled"},
            {"subnets": ["subnet-1", "subnet-2"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"},
        ),
        ({"Subnets": ["subnet-1", "", None]}, {"subnets": ["subnet-1"]}),
        ({"Subnets": [""], "SecurityGroups": [], "AssignPublicIp": ""}, None),
        ({}, None),
        (None, None),
    ],
)
def test_networks(network: Any, taken: Any) -> None:
    placement = parsed(NetworkConfiguration={"AwsvpcConfiguration": network}).placement
    assert placement.get("networkConfiguration") == (taken and {"awsvpcConfiguration": taken})
    assert "networkConfiguration" not in parsed(NetworkConfiguration=None).placement


@pytest.mark.parametrize(
    ("hooks", "taken"),
    [
        ([], {}), ({}, {}), ("", {}), ([None, {}], {}), ([{"AfterInstall": ""}], {}),
        ([{"AfterAllowTraffic": "b"}, {"AfterInstall": "a"}], {"AfterInstall": "a", "AfterAllowTraffic": "b"}),
        ({"afterInstall": ["a"], "BeforeInstall": "b"}, {"BeforeInstall": "b", "AfterInstall": "a"}),
    ],
)  # fmt: skip
def test_hooks(hooks: Any, taken: dict[str, str]) -> None:
    assert parsed(hooks=hooks).hooks == taken
    lower = {("hooks" if key == "Hooks" else key): value for key, value in document(hooks=hooks).items()}
    assert parse_appspec(json.dumps(lower)).hooks == taken


@pytest.mark.parametrize("arn", [ARN, ARN.rpartition(":")[0], ARN.replace("aws:", "aws-us-gov:", 1), f" {ARN}\n"])
def test_arns(arn: str) -> None:
    assert parsed(TaskDefinition=arn).task_definition == arn.strip()


def test_what_is_passed_on_is_as_ecs_takes_it(stage: Stage, judge: Judge) -> None:
    """By botocore's model of RunTask, whose types and values are no text where a number belongs."""
    network = {"subnets": ",".join(stage.subnets), "SecurityGroups": stage.security_group, "AssignPublicIp": "enabled"}
    strategy = [{"CapacityProvider": "FARGATE", "Base": "0", "Weight": "1"}]
    appspec = stage.appspec(
        CapacityProviderStrategy=strategy,
        PlatformVersion="1.4.0",
        NetworkConfiguration={"awsVpcConfiguration": network},
    )
    event = stage.at(EVENT, yaml.safe_dump(appspec))
    assert judge(run_migrations, event, command=["migrate"]).succeeded
    (call,) = stage.called("ecs:RunTask")
    assert call["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE", "base": 0, "weight": 1}]
    assert "launchType" not in call
    taken = call["networkConfiguration"]["awsvpcConfiguration"]
    assert (taken["subnets"], taken["securityGroups"]) == (stage.subnets, [stage.security_group])
    model = aws.client("ecs").meta.service_model.operation_model("RunTask").input_shape
    vpc = model.members["networkConfiguration"].members["awsvpcConfiguration"]
    assert taken["assignPublicIp"] in vpc.members["assignPublicIp"].enum


def test_an_empty_network_is_the_services_own(stage: Stage, judge: Judge) -> None:
    network = {"AwsvpcConfiguration": {"Subnets": [], "SecurityGroups": [], "AssignPublicIp": ""}}
    judgement = judge(hook, stage.at(EVENT, json.dumps(stage.appspec(NetworkConfiguration=network))))
    assert judgement.succeeded
    assert stage.called("ec2:DescribeSubnets") == [{"Filters": [{"Name": "subnet-id", "Values": stage.subnets}]}]


# What is refused, and where it stands


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"LoadBalancerInfo": {"ContainerName": "app", "ContainerPort": 0}},
            "LoadBalancerInfo.ContainerPort is 0, exp",
        ),
        (
            {"LoadBalancerInfo": {**BALANCER, "ContainerPort": 70000}},
            "LoadBalancerInfo.ContainerPort is 70000, expected",
        ),
        (
            {"LoadBalancerInfo": {**BALANCER, "ContainerPort": 80.5}},
            "LoadBalancerInfo.ContainerPort is 80.5, expected a",
        ),
        ({"LoadBalancerInfo": {**BALANCER, "ContainerPort": True}}, "LoadBalancerInfo.ContainerPort is True, expected"),
        (
            {"LoadBalancerInfo": {**BALANCER, "ContainerName": True}},
            "LoadBalancerInfo.ContainerName is True, expected te",
        ),
        (
            {"CapacityProviderStrategy": [{"CapacityProvider": "A"}, {"CapacityProvider": "B", "Weight": "much"}]},
            "CapacityProviderStrategy[1].Weight is 'much', expected a number from 0 to 1000",
        ),
        (
            {"CapacityProviderStrategy": [{"Base": 1}]},
            "CapacityProviderStrategy[0].CapacityProvider is None, expected a name",
        ),
        (
            {"NetworkConfiguration": {"AwsvpcConfiguration": {"AssignPublicIp": True}}},
            "NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp is True, expected ENABLED or DISABLED",
        ),
        ({"NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": [7]}}}, "Subnets have 7, expected ids"),
        ({"NetworkConfiguration": "default"}, "NetworkConfiguration is 'default', expected a mapping"),
        (
            {"NetworkConfiguration": {"AwsvpcConfiguration": [{"Subnets": ["subnet-1"]}]}},
            "NetworkConfiguration.AwsvpcConfiguration is [{'Subnets': ['subnet-1']}], expected a mapping",
        ),
        ({"CapacityProviderStrategy": "FARGATE_SPOT"}, "CapacityProviderStrategy has 'FARGATE_SPOT', expected a list"),
        ({"CapacityProviderStrategy": ["A", {"CapacityProvider": "B"}]}, "CapacityProviderStrategy has 'A', expected"),
    ],
)
def test_a_wrong_value_is_told_by_its_path(changes: dict[str, Any], words: str) -> None:
    assert refused(**changes).startswith(f"the AppSpec's {words}")


@pytest.mark.parametrize("version", [2, "0.1", "latest"])
def test_another_version(version: Any) -> None:
    assert (
        refusal(json.dumps({**document(), "version": version})) == f"the AppSpec's version is {version!r}, expected 0.0"
    )


@pytest.mark.parametrize("written", ["<TASK_DEFINITION>", "TASK_DEFN_ARN", "${task_definition}", "{{ARN}}", "[arn]"])
def test_a_placeholder_that_nobody_filled_in(stage: Stage, judge: Judge, written: str) -> None:
    judgement = judge(hook, stage.at(EVENT, json.dumps(stage.appspec(TaskDefinition=written))))
    assert judgement.message == (
        f"the AppSpec's TaskDefinition is {written}, expected the ARN of a task definition: nobody filled the "
        "placeholder in; a pipeline or the script that deploys has to"
    )


@pytest.mark.parametrize("written", ["shop:3", "shop", "arn:aws:ecs:::task-definition/shop:3", "arn:aws:s3:::shop"])
def test_a_task_definition_without_its_arn(written: str) -> None:
    assert refused(TaskDefinition=written) == (
        f"the AppSpec's TaskDefinition is {written}, expected the ARN of a task definition "
        "(arn:aws:ecs:<region>:<account>:task-definition/<family>:<revision>)"
    )


def test_what_is_misspelt_is_named_where_something_is_missing() -> None:
    assert refused(LoadBalancerInfo=..., LoadBalancersInfo=BALANCER) == (
        "the AppSpec's TargetService has no LoadBalancerInfo.ContainerName, LoadBalancerInfo.ContainerPort, but "
        "Properties.LoadBalancersInfo, which CodeDeploy does not know"
    )
    misspelt = refused(LoadBalancerInfo={"ContainerName": "app", "ContinerPort": 80})
    assert "no LoadBalancerInfo.ContainerPort, but Properties.LoadBalancerInfo.ContinerPort, which" in misspelt


def add(**properties: Any) -> Callable[[dict[str, Any]], None]:
    """Put something into the properties."""
    return lambda resource: resource["Properties"].update(properties)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (add(PlatfromVersion="1.4.0"), "Properties.PlatfromVersion"),
        (lambda resource: resource.update(PlatformVersion="1.4.0"), "PlatformVersion"),
        (
            add(NetworkConfiguration={"AwsvpcConfiguration": {"SubnetIds": ["subnet-1"]}}),
            "Properties.NetworkConfiguration.AwsvpcConfiguration.SubnetIds",
        ),
        (
            add(CapacityProviderStrategy=[{"CapacityProvider": "FARGATE", "Wieght": 1}]),
            "Properties.CapacityProviderStrategy.Wieght",
        ),
    ],
)
def test_a_property_that_has_no_effect_is_a_warning(
    stage: Stage, judge: Judge, change: Callable[[dict[str, Any]], None], path: str
) -> None:
    """CodeDeploy has taken the AppSpec, so it does no harm; and not what its writer meant."""
    appspec = stage.appspec()
    change(appspec["Resources"][0]["TargetService"])
    cluster = {"clusterName": "main", "status": "ACTIVE", "capacityProviders": ["FARGATE"]}
    stage.instead["ecs:DescribeClusters"] = lambda _: {"clusters": [cluster]}
    judgement = judge(hook, stage.at(EVENT, json.dumps(appspec)))
    assert judgement.succeeded
    said = f"the AppSpec's {path} is no property that CodeDeploy reads: mend its name or its place, or take it out"
    assert judgement.check("appspec") == ("failed", said)
    assert f"1 warned: {said}" in judgement.message


def test_a_resource_of_another_type() -> None:
    assert refused(resource={"Type": "AWS::ECS::service"}).endswith("expected one (its types: AWS::ECS::service)")
    assert refusal('{"Resources": []}').endswith("expected one (its types: none)")


@pytest.mark.parametrize(
    ("hooks", "words"),
    [
        (["AfterInstall"], "entry 1 of the AppSpec's Hooks is 'AfterInstall', expected an event: function"),
        ([{"AfterInstall": "a"}, 7], "entry 2 of the AppSpec's Hooks is 7, expected an event: function"),
        ("AfterInstall", "entry 1 of the AppSpec's Hooks is 'AfterInstall', expected an event: function"),
    ],
)
def test_hooks_that_would_not_run(hooks: Any, words: str) -> None:
    assert refused(hooks=hooks) == words


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"version": 0.0,\n  "Resources": [}', "line 2 column 17"),
        ("version: 0.0\nResources:\n  - TargetService: x\n   Type: y\n", "line 4 column 4"),
        ("version: 0.0\nResources: {a: [1, 2}\n", "line 2 column 21"),
        ("version: 0.0\nResources: *nobody\n", "line 2 column 12"),
        ("version: 0.0\n\tResources: 1\n", "line 2 column 1"),
    ],
)
def test_what_cannot_be_parsed_is_told_with_its_place(text: str, place: str) -> None:
    said = refusal(text)
    assert said.startswith("the AppSpec is neither JSON nor YAML: ")
    assert place in said


def test_a_key_twice_is_told_with_its_places(stage: Stage, judge: Judge) -> None:
    lines = yaml.safe_dump(stage.appspec()).splitlines()
    at = next(number for number, line in enumerate(lines, 1) if "ContainerName" in line)
    text = "\n".join([*lines[:at], lines[at - 1].replace("ContainerName", "containerName"), *lines[at:]])
    said = "the AppSpec has the key containerName twice in one mapping: leave one of them out"
    judgement = judge(hook, stage.at(EVENT, text))
    assert judgement.message == f"{said} (lines {at} and {at + 1})"
    assert refusal('{"Resources": [{"a": 1, "Type": 2, "type": 3}]}').endswith("out (beside a)")
