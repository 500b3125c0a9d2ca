"""AppSpecs as people, pipelines and templates write them: what CodeDeploy takes is taken, what it refuses is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from gate.appspec import parse_appspec
from gate.plan import Plan
from gate.verdict import ProbeError

ARN = "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop:3"
BALANCER: dict[str, Any] = {"ContainerName": "app", "ContainerPort": 8000}


def document(resource: dict[str, Any] | None = None, hooks: Any = None, **properties: Any) -> dict[str, Any]:
    """An AppSpec with these properties; `resource` stands beside them."""
    wanted = {"TaskDefinition": ARN, "LoadBalancerInfo": BALANCER, **properties}
    given = {name: value for name, value in wanted.items() if value is not ...}
    target = {"Type": "AWS::ECS::Service", "Properties": given, **(resource or {})}
    return {"version": 0.0, "Resources": [{"TargetService": target}], **({} if hooks is None else {"Hooks": hooks})}


def lowered(value: Any) -> Any:
    """A document with every key in lower case."""
    if isinstance(value, dict):
        return {key.lower(): lowered(entry) for key, entry in value.items()}
    return [lowered(entry) for entry in value] if isinstance(value, list) else value


def parsed(**changes: Any) -> Plan:
    """The same in JSON, in YAML and with keys in lower case, read."""
    made = document(**changes)
    found = parse_appspec(json.dumps(made))
    assert parse_appspec(yaml.safe_dump(made)) == found
    if not found.unknown:
        assert parse_appspec(json.dumps(lowered(made))) == found
    return found


def refusal(text: str) -> str:
    with pytest.raises(ProbeError) as problem:
        parse_appspec(text)
    return str(problem.value)


def refused(**changes: Any) -> str:
    return refusal(json.dumps(document(**changes)))


def balancer(**changes: Any) -> dict[str, Any]:
    return {"LoadBalancerInfo": {**BALANCER, **changes}}


def network(value: Any) -> dict[str, Any]:
    return {"NetworkConfiguration": {"AwsvpcConfiguration": value}}


def strategy(*entries: Any) -> dict[str, Any]:
    return {"CapacityProviderStrategy": list(entries)}


# What is taken


def test_an_appspec() -> None:
    assert parsed(hooks=[{"AfterInstall": "a"}]) == Plan(
        task_definition=ARN, container_name="app", container_port=8000, placement={}, hooks={"AfterInstall": "a"}
    )


@pytest.mark.parametrize("version", ["0.0", "0", "1", "'0.0'", "'1.0'", "1.0", ""])
def test_versions_as_they_are_found(version: str) -> None:
    """The guide has 0.0; ECS's console writes 1."""
    text = yaml.safe_dump(document()).replace("version: 0.0", f"version: {version}" if version else "")
    assert parse_appspec(text).task_definition == ARN


@pytest.mark.parametrize("indent", [None, 2, "\t"], ids=repr)
@pytest.mark.parametrize("before", ["", "\ufeff", "\ufeff\r\n"], ids=repr)
def test_json_with_a_byte_order_mark_and_tabs_is_read(before: str, indent: int | str | None) -> None:
    assert parse_appspec(before + json.dumps(document(), indent=indent)).task_definition == ARN


@pytest.mark.parametrize("port", [8000, "8000", " 8000 ", 8000.0, "8000.0"])
def test_ports(port: Any) -> None:
    assert parsed(**balancer(ContainerPort=port)).container_port == 8000


@pytest.mark.parametrize("arn", [ARN, ARN.rpartition(":")[0], ARN.replace("aws:", "aws-us-gov:", 1), f" {ARN}\n"])
def test_arns(arn: str) -> None:
    assert parsed(TaskDefinition=arn).task_definition == arn.strip()


SUBNETS = ["subnet-1", "subnet-2"]
PLACEMENTS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"PlatformVersion": "1.4.0"}, {"platformVersion": "1.4.0"}),
    ({"PlatformVersion": "latest"}, {"platformVersion": "LATEST"}),
    ({"PlatformVersion": 1.4}, {"platformVersion": "1.4"}),
    ({"PlatformVersion": ""}, {}),
    ({"PlatformVersion": None}, {}),
    (
        strategy({"CapacityProvider": "FARGATE_SPOT", "Base": "1", "Weight": "2"}),
        {"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "base": 1, "weight": 2}]},
    ),
    (
        strategy({"capacityProvider": "A", "weight": 1}, {"capacityprovider": "B", "base": 0}),
        {"capacityProviderStrategy": [{"capacityProvider": "A", "weight": 1}, {"capacityProvider": "B", "base": 0}]},
    ),
    (
        {"CapacityProviderStrategy": {"CapacityProvider": "A", "Base": "", "Weight": None}},
        {"capacityProviderStrategy": [{"capacityProvider": "A"}]},
    ),
    ({"CapacityProviderStrategy": []}, {}),
    ({"CapacityProviderStrategy": None}, {}),
    (
        network({"Subnets": SUBNETS, "SecurityGroups": ["sg-1"], "AssignPublicIp": "ENABLED"}),
        {"subnets": SUBNETS, "securityGroups": ["sg-1"], "assignPublicIp": "ENABLED"},
    ),
    (
        network({"subnets": "subnet-1, subnet-2", "securitygroups": "sg-1", "assignPublicIP": "disabled"}),
        {"subnets": SUBNETS, "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"},
    ),
    (network({"Subnets": ["subnet-1", "", None]}), {"subnets": ["subnet-1"]}),
    (network({"Subnets": [""], "SecurityGroups": [], "AssignPublicIp": ""}), {}),
    (network({}), {}),
    (network(None), {}),
    ({"NetworkConfiguration": None}, {}),
]


@pytest.mark.parametrize(("properties", "taken"), PLACEMENTS)
def test_where_tasks_will_run_is_read_as_run_task_takes_it(properties: dict[str, Any], taken: dict[str, Any]) -> None:
    placement = parsed(**properties).placement
    of_network = "NetworkConfiguration" in properties and taken
    assert placement == ({"networkConfiguration": {"awsvpcConfiguration": taken}} if of_network else taken)


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


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"PlatfromVersion": "1.4.0"}, "Properties.PlatfromVersion"),
        ({"resource": {"PlatformVersion": "1.4.0"}}, "PlatformVersion"),
        (
            network({"SubnetIds": ["subnet-1"]}),
            "Properties.NetworkConfiguration.AwsvpcConfiguration.SubnetIds",
        ),
        (
            strategy({"CapacityProvider": "FARGATE", "Wieght": 1}),
            "Properties.CapacityProviderStrategy[0].Wieght",
        ),
    ],
)
def test_what_codedeploy_does_not_read_is_noted_by_its_path(changes: dict[str, Any], path: str) -> None:
    assert parsed(**changes).unknown == (path,)


# What is refused, and where it stands


def bombs() -> str:
    """Ten lines that stand for a thousand million values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    return "\n".join([*lines, "bomb: &bomb [*a8, *a8]"])


def in_yaml(task_definition: str = ARN, port: str = "8000", before: str = "") -> str:
    """An AppSpec whose values are written as YAML."""
    return f"""{before}
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: {task_definition}
        LoadBalancerInfo:
          ContainerName: app
          ContainerPort: {port}
"""


WRITTEN_OUT = "the AppSpec's aliases, written out, come to more than 1000000 characters"
NEITHER = "the AppSpec is neither JSON nor YAML: "
UNREADABLE: list[tuple[str, str]] = [
    ("{ Resources: [", NEITHER),
    ("Resources: 2020-13-45", f"{NEITHER}month must be"),
    (in_yaml("!!python/object/apply:os.getcwd []"), f"{NEITHER}could not"),
    ("just words", "the AppSpec is a str, expected a mapping"),
    ("[]", "the AppSpec is a list, expected a mapping"),
    ("version: 0.0", "the AppSpec names 0 resources of type AWS::ECS::Service, expected one (its types: none)"),
    ('{"Resources": []}', "the AppSpec names 0 resources of type AWS::ECS::Service, expected one (its types: none)"),
    ('{"Resources": [{"F": {"Type": "AWS::Lambda::Function"}}]}', "the AppSpec names 0 resources"),
    (
        '{"Resources": [{"A": {"Type": "AWS::ECS::Service"}}, {"B": {"Type": "AWS::ECS::Service"}}]}',
        "the AppSpec names 2 resources of type AWS::ECS::Service, expected one",
    ),
    ("[" * 5000, "the AppSpec is nested too deeply to be read"),
    ("a: " + "{a: " * 3000, "the AppSpec is nested too deeply to be read"),
    ("#" * 100_001, "the AppSpec has 100001 characters or more, expected at most 100000"),
    (in_yaml(before=bombs()), WRITTEN_OUT),
    (in_yaml("*bomb", before=bombs()), WRITTEN_OUT),
    (in_yaml("&itself [*itself]"), WRITTEN_OUT),
    (in_yaml("x\n        taskdefinition: y"), "the AppSpec has the key taskdefinition twice in one mapping"),
    ('{"Resources": [], "Resources": []}', "the AppSpec has the key Resources twice in one mapping: leave one"),
    (in_yaml(port="1" + ":59" * 3000), "the AppSpec's LoadBalancerInfo.ContainerPort is a"),
    ('{"version": 0.0,\n  "Resources": [}', f"{NEITHER}Expecting value: line 2 column 17"),
]


@pytest.mark.parametrize(("text", "words"), UNREADABLE, ids=[text[:30] for text, _ in UNREADABLE])
def test_what_cannot_be_read(text: str, words: str) -> None:
    assert refusal(text).startswith(words)


PORT, PLACE = "LoadBalancerInfo.ContainerPort", "NetworkConfiguration.AwsvpcConfiguration"
WRONG: list[tuple[dict[str, Any], str]] = [
    (balancer(ContainerPort="http"), f"{PORT} is 'http', expected a number from 1 to 65535"),
    (balancer(ContainerPort=[80]), f"{PORT} is [80], expected a number from 1 to 65535"),
    (balancer(ContainerPort=0), f"{PORT} is 0, expected a number"),
    (balancer(ContainerPort=70000), f"{PORT} is 70000, expected a number"),
    (balancer(ContainerPort=80.5), f"{PORT} is 80.5, expected a number"),
    (balancer(ContainerPort=True), f"{PORT} is True, expected a number"),
    (balancer(ContainerName=True), "LoadBalancerInfo.ContainerName is True, expected text: put it into quotes"),
    ({"TaskDefinition": {"a": "b"}}, "TaskDefinition is {'a': 'b'}, expected text"),
    (
        strategy({"CapacityProvider": "A"}, {"CapacityProvider": "B", "Weight": "much"}),
        "CapacityProviderStrategy[1].Weight is 'much', expected a number from 0 to 1000",
    ),
    (strategy({"Base": 1}), "CapacityProviderStrategy[0].CapacityProvider is None, expected a name"),
    (
        {"CapacityProviderStrategy": "FARGATE_SPOT"},
        "CapacityProviderStrategy[0] is 'FARGATE_SPOT', expected a mapping of CapacityProvider, Base, Weight",
    ),
    (strategy({"CapacityProvider": "B"}, "A"), "CapacityProviderStrategy[1] is 'A', expected a mapping of Capacity"),
    (network({"AssignPublicIp": True}), f"{PLACE}.AssignPublicIp is True, expected ENABLED or DISABLED"),
    (network({"Subnets": [7]}), f"{PLACE}.Subnets is 7, expected ids"),
    (network([{"Subnets": ["subnet-1"]}]), f"{PLACE} is [{{'Subnets': ['subnet-1']}}], expected a mapping"),
    ({"NetworkConfiguration": "default"}, "NetworkConfiguration is 'default', expected a mapping"),
]


@pytest.mark.parametrize(("changes", "words"), WRONG)
def test_a_wrong_value_is_told_by_its_path(changes: dict[str, Any], words: str) -> None:
    assert refused(**changes).startswith(f"the AppSpec's {words}")


@pytest.mark.parametrize("version", [2, "0.1", "latest"])
def test_another_version(version: Any) -> None:
    said = f"the AppSpec's version is {version!r}, expected 0.0"
    assert refusal(json.dumps({**document(), "version": version})) == said


@pytest.mark.parametrize("written", ["shop:3", "shop", "arn:aws:ecs:::task-definition/shop:3", "arn:aws:s3:::shop"])
def test_a_task_definition_without_its_arn(written: str) -> None:
    assert refused(TaskDefinition=written) == (
        f"the AppSpec's TaskDefinition is {written}, expected the ARN of a task definition "
        "(arn:aws:ecs:<region>:<account>:task-definition/<family>:<revision>)"
    )


@pytest.mark.parametrize("written", ["<TASK_DEFINITION>", "TASK_DEFN_ARN", "${task_definition}", "{{ARN}}", "[arn]"])
def test_a_placeholder_that_nobody_filled_in(written: str) -> None:
    assert refused(TaskDefinition=written) == (
        f"the AppSpec's TaskDefinition is {written}, expected the ARN of a task definition: nobody filled the "
        "placeholder in; a pipeline or the script that deploys has to"
    )


def test_what_is_misspelt_is_named_where_something_is_missing() -> None:
    assert refused(LoadBalancerInfo=..., LoadBalancersInfo=BALANCER) == (
        "the AppSpec's TargetService has no LoadBalancerInfo.ContainerName, LoadBalancerInfo.ContainerPort, but "
        "Properties.LoadBalancersInfo, which CodeDeploy does not know"
    )
    misspelt = refused(LoadBalancerInfo={"ContainerName": "app", "ContinerPort": 80})
    assert "no LoadBalancerInfo.ContainerPort, but Properties.LoadBalancerInfo.ContinerPort, which" in misspelt
    missing = '{"Resources": [{"A": {"Type": "AWS::ECS::Service", "Properties": {"TaskDefinition": "x"}}}]}'
    assert refusal(missing) == misspelt.partition(" LoadBalancerInfo")[0] + (
        " LoadBalancerInfo.ContainerName, LoadBalancerInfo.ContainerPort"
    )


def test_a_resource_of_another_type() -> None:
    assert refused(resource={"Type": "AWS::ECS::service"}).endswith("expected one (its types: AWS::ECS::service)")


@pytest.mark.parametrize(
    ("hooks", "words"),
    [
        (["AfterInstall"], "entry 1 of the AppSpec's Hooks is 'AfterInstall', expected an event: function"),
        ([{"AfterInstall": "a"}, 7], "entry 2 of the AppSpec's Hooks is 7, expected an event: function"),
        ("AfterInstall", "entry 1 of the AppSpec's Hooks is 'AfterInstall', expected an event: function"),
        ([{"AfterTestTraffic": "x"}], "the AppSpec's Hooks name the event AfterTestTraffic, expected one of Before"),
        ([{"AfterInstall": {"location": "x"}}], "the AppSpec's hook AfterInstall is {'location': 'x'}, expected a"),
        ([{"AfterInstall": None}], "the AppSpec's hook AfterInstall is None, expected a function's name or ARN"),
        (
            [{"AfterInstall": "a"}, {"AfterAllowTraffic": "b"}, {"afterinstall": "c"}],
            "the AppSpec's Hooks name afterinstall twice, in its entries 1 and 3: leave one of them out",
        ),
        ([{"E" * 300: "a"}], f"the AppSpec's Hooks name the event {'E' * 119}…, expected one of"),
    ],
)
def test_hooks_that_would_not_run(hooks: Any, words: str) -> None:
    assert refused(hooks=hooks).startswith(words)


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
    assert said.startswith(NEITHER)
    assert place in said


def test_what_begins_like_json_is_judged_as_json() -> None:
    """With the place where it is wrong, not where YAML stumbles over its tabs."""
    text = json.dumps(document(), indent="\t")
    text = text[: text.rindex("}")] + ",\n}"
    said = refusal(text)
    assert said.startswith(NEITHER)
    assert f"line {text[: text.rindex('}')].count(chr(10)) + 1} column 1" in said


def test_a_key_twice_is_told_with_its_places() -> None:
    lines = yaml.safe_dump(document()).splitlines()
    at = next(number for number, line in enumerate(lines, 1) if "ContainerName" in line)
    text = "\n".join([*lines[:at], lines[at - 1].replace("ContainerName", "containerName"), *lines[at:]])
    said = "the AppSpec has the key containerName twice in one mapping: leave one of them out"
    assert refusal(text) == f"{said} (lines {at} and {at + 1})"
    assert refusal('{"Resources": [{"a": 1, "Type": 2, "type": 3}]}').endswith("out (beside a)")
