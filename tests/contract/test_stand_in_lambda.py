"""Lambda: functions keep what they are given, and are invoked in the world."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from typing import Any

import pytest

from rehearsal.aws import awslambda
from rehearsal.aws.world import ScriptedWorld


def package(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "def handler(event, context): return event\n")
    return buffer.getvalue()


@pytest.fixture
def role(clients_of_test: dict[str, Any]) -> str:
    document = {"Version": "2012-10-17", "Statement": []}
    answer = clients_of_test["iam"].create_role(RoleName="hook", AssumeRolePolicyDocument=json.dumps(document))
    return str(answer["Role"]["Arn"])


@pytest.fixture
def client(clients_of_test: dict[str, Any]) -> Any:
    return clients_of_test["lambda"]


def create(client: Any, role: str, **settings: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.create_function(
        FunctionName="CodeDeployHook_orders",
        Role=role,
        Runtime="python3.13",
        Handler="validate_deployment.handler",
        Code={"ZipFile": package("validate_deployment.py")},
        **settings,
    )
    return answer


LOGGING = {
    "LogFormat": "JSON",
    "ApplicationLogLevel": "DEBUG",
    "SystemLogLevel": "WARN",
    "LogGroup": "/aws/lambda/of-its-own",
}


def test_the_logging_configuration_is_kept(client: Any, role: str) -> None:
    """moto drops it, so that a second plan shows it again."""
    create(client, role, LoggingConfig=LOGGING)
    given = {"FunctionName": "CodeDeployHook_orders"}
    assert client.get_function_configuration(**given)["LoggingConfig"] == LOGGING
    assert client.get_function(**given)["Configuration"]["LoggingConfig"] == LOGGING
    changed = {**LOGGING, "ApplicationLogLevel": "INFO"}
    client.update_function_configuration(**given, LoggingConfig=changed)
    assert client.get_function_configuration(**given)["LoggingConfig"] == changed
    client.update_function_configuration(**given, Timeout=60)
    assert client.get_function_configuration(**given)["LoggingConfig"] == changed


def test_the_defaults_of_logging(client: Any, role: str) -> None:
    """API reference, LoggingConfig: Text, and the function's own group."""
    create(client, role)
    found = client.get_function_configuration(FunctionName="CodeDeployHook_orders")["LoggingConfig"]
    assert found == {"LogFormat": "Text", "LogGroup": "/aws/lambda/CodeDeployHook_orders"}


def test_a_function_is_invoked_in_the_world(client: Any, role: str, scripted: ScriptedWorld) -> None:
    """moto runs nothing without Docker."""
    arn = create(client, role)["FunctionArn"]
    scripted.responses["CodeDeployHook_orders"] = (200, b'{"status": "SUCCEEDED"}', None)
    answer = client.invoke(FunctionName="CodeDeployHook_orders", Payload=b'{"DeploymentId": "d-1"}')
    assert answer["StatusCode"] == 200
    assert answer["Payload"].read() == b'{"status": "SUCCEEDED"}'
    assert "FunctionError" not in answer
    assert scripted.invocations == [(arn, b'{"DeploymentId": "d-1"}', "RequestResponse")]


def test_an_asynchronous_invocation_is_accepted(client: Any, role: str, scripted: ScriptedWorld) -> None:
    arn = create(client, role)["FunctionArn"]
    answer = client.invoke(FunctionName=arn, InvocationType="Event", Payload=b"{}")
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
    assert scripted.invocations == [(arn, b"{}", "Event")]


@pytest.mark.parametrize("kind", ["Event", "RequestResponse"])
def test_the_caller_learns_the_request_id(client: Any, role: str, scripted: ScriptedWorld, kind: Any) -> None:
    """It is the one that the function finds in its context; another for each invocation."""
    create(client, role)
    asked = [client.invoke(FunctionName="CodeDeployHook_orders", InvocationType=kind) for _ in range(2)]
    ids = [answer["ResponseMetadata"]["RequestId"] for answer in asked]
    assert ids == scripted.request_ids
    assert len({str(uuid.UUID(each)) for each in ids}) == 2


def test_a_function_error_is_shown(client: Any, role: str, scripted: ScriptedWorld) -> None:
    create(client, role)
    scripted.responses["CodeDeployHook_orders"] = (200, b'{"errorType": "KeyError"}', "Unhandled")
    answer = client.invoke(FunctionName="CodeDeployHook_orders")
    assert (answer["FunctionError"], json.loads(answer["Payload"].read())) == ("Unhandled", {"errorType": "KeyError"})


def test_a_dry_run_invokes_nothing(client: Any, role: str, scripted: ScriptedWorld) -> None:
    create(client, role)
    assert client.invoke(FunctionName="CodeDeployHook_orders", InvocationType="DryRun")["StatusCode"] == 204
    assert scripted.invocations == []


def test_a_missing_function_is_refused(client: Any, refused: Any) -> None:
    assert refused(client.invoke, FunctionName="nothing")[0] == "ResourceNotFoundException"


def test_the_configuration_says_how_a_function_is(client: Any, role: str) -> None:
    """By name, by ARN, and by ARN and qualifier."""
    arn = create(client, role)["FunctionArn"]
    for name in ("CodeDeployHook_orders", arn, f"{arn}:$LATEST"):
        found = client.get_function_configuration(FunctionName=name)
        assert (found["State"], found["LastUpdateStatus"], found["Role"]) == ("Active", "Successful", role)
        assert found["FunctionArn"].startswith(arn)
        assert found["FunctionName"] == "CodeDeployHook_orders"


def test_the_configuration_of_a_missing_function(client: Any, role: str, refused: Any) -> None:
    arn = create(client, role)["FunctionArn"]
    elsewhere = arn.replace("eu-west-1", "eu-west-2")
    for name in ("nothing", arn[:-1], f"{arn}:7", elsewhere):
        assert refused(client.get_function_configuration, FunctionName=name)[0] == "ResourceNotFoundException"


def test_what_lambda_would_load(client: Any, role: str) -> None:
    """The package as a rehearsal fetches it: zip, layers in order, handler, environment."""
    layers = [
        client.publish_layer_version(LayerName=name, Content={"ZipFile": package(f"python/{name}.py")})
        for name in ("first", "second")
    ]
    create(
        client,
        role,
        Layers=[layer["LayerVersionArn"] for layer in layers],
        Environment={"Variables": {"APP_NAME": "orders"}},
        Timeout=900,
        MemorySize=256,
        LoggingConfig=LOGGING,
    )
    found = awslambda.code_of("CodeDeployHook_orders")
    assert found == awslambda.code_of(found.function_arn) == awslambda.code_of(f"{found.function_arn}:$LATEST")
    assert zipfile.ZipFile(io.BytesIO(found.zip_bytes)).namelist() == ["validate_deployment.py"]
    names = [zipfile.ZipFile(io.BytesIO(layer)).namelist() for layer in found.layer_zips]
    assert names == [["python/first.py"], ["python/second.py"]]
    assert (found.handler, found.runtime) == ("validate_deployment.handler", "python3.13")
    assert (found.environment, found.timeout, found.memory_size) == ({"APP_NAME": "orders"}, 900, 256)
    assert (found.log_format, found.log_level, found.log_group) == ("JSON", "DEBUG", "/aws/lambda/of-its-own")
    new = package("other.py")
    client.update_function_code(FunctionName="CodeDeployHook_orders", ZipFile=new)
    assert awslambda.code_of("CodeDeployHook_orders").zip_bytes == new


def test_there_is_no_code_of_a_missing_function(client: Any) -> None:
    assert client.list_functions()["Functions"] == []
    with pytest.raises(KeyError, match="there is no function nothing"):
        awslambda.code_of("nothing")


def test_policies_of_aws_can_be_attached(clients_of_test: dict[str, Any], role: str, refused: Any) -> None:
    """moto has AWS's own policies in store and does not find them."""
    iam = clients_of_test["iam"]
    arn = "arn:aws:iam::aws:policy/AWSCodeDeployRoleForECS"
    iam.attach_role_policy(RoleName="hook", PolicyArn=arn)
    assert [p["PolicyArn"] for p in iam.list_attached_role_policies(RoleName="hook")["AttachedPolicies"]] == [arn]
    execution = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    assert iam.get_policy(PolicyArn=execution)["Policy"]["Arn"] == execution
    wrong = "arn:aws:iam::aws:policy/AmazonECSTaskExecutionRolePolicy"
    assert refused(iam.get_policy, PolicyArn=wrong)[0] == "NoSuchEntity"
    assert role.endswith(":role/hook")
