"""gate.aws: errors in words with the cure, clients made once, and none that can hang."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    ReadTimeoutError,
    SSLError,
)
from gate import VERSION, aws, tasks
from gate.verdict import ProbeError

from tests.unit.gate.codedeploy_server import CodeDeploy, Reply, refused, throttled
from tests.unit.gate.conftest import Clock

URL = "https://ecs.eu-west-1.amazonaws.com/"
STOPPED = Reply({"task": {"taskArn": "t"}})


def client_error(code: str, status: int = 400, message: str = "because") -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Operation")


@pytest.mark.parametrize(
    ("problem", "service", "operation", "kind", "message"),
    [
        (client_error("AccessDeniedException"), "ecs", "describe_services", aws.AwsDenied,
         "ecs:DescribeServices was denied: allow it in this hook's role (AccessDeniedException: because)"),
        (client_error("AccessDenied", 403), "elbv2", "describe_rules", aws.AwsDenied,
         "elasticloadbalancing:DescribeRules was denied: allow it in this hook's role (AccessDenied: because)"),
        (client_error("UnauthorizedOperation", 403), "ec2", "describe_subnets", aws.AwsDenied,
         "ec2:DescribeSubnets was denied: allow it in this hook's role (UnauthorizedOperation: because)"),
        (client_error("403", 403, "Forbidden"), "s3", "get_object", aws.AwsDenied,
         "s3:GetObject was denied: allow it in this hook's role (403: Forbidden)"),
        (client_error("UnrecognizedClientException"), "ecs", "run_task", aws.AwsDenied,
         "ecs:RunTask was refused: UnrecognizedClientException: check the function's role"),
        (client_error("InvalidClientTokenId", 403), "iam", "get_role", aws.AwsDenied,
         "iam:GetRole was refused: InvalidClientTokenId: check the function's role"),
        (client_error("ThrottlingException"), "codedeploy", "get_deployment", aws.AwsThrottled,
         "codedeploy:GetDeployment failed on every attempt (ThrottlingException: because)"),
        (client_error("RequestLimitExceeded", 503), "ec2", "describe_subnets", aws.AwsThrottled,
         "ec2:DescribeSubnets failed on every attempt (RequestLimitExceeded: because)"),
        (client_error("", 500), "logs", "get_log_events", aws.AwsThrottled,
         "logs:GetLogEvents failed on every attempt (500: because)"),
        (client_error("ClusterNotFoundException"), "ecs", "run_task", aws.AwsCallFailed,
         "ecs:RunTask failed: ClusterNotFoundException: because"),
        (NoCredentialsError(), "ecs", "run_task", aws.AwsCallFailed,
         "ecs:RunTask could not be called: Unable to locate credentials"),
        (NoRegionError(), "ecs", "run_task", aws.AwsCallFailed,
         "ecs:RunTask could not be called: You must specify a region."),
        (ParamValidationError(report="Missing required parameter"), "ecs", "run_task", aws.AwsCallFailed,
         "ecs:RunTask failed: ParamValidationError: Parameter validation failed:\nMissing required parameter"),
        (KeyError("x"), "ecs", "run_task", aws.AwsCallFailed, "ecs:RunTask failed: KeyError: 'x'"),
    ],
)  # fmt: skip
def test_each_error_names_the_action_and_what_to_do(
    problem: Exception, service: str, operation: str, kind: type[aws.AwsCallFailed], message: str
) -> None:
    found = aws.explain(problem, service, operation)
    assert type(found) is kind
    assert str(found) == message
    assert (found.service, found.operation) == (service, operation)
    assert found.retryable == (kind is aws.AwsThrottled)


@pytest.mark.parametrize(
    "problem",
    [
        EndpointConnectionError(endpoint_url=URL),
        ConnectTimeoutError(endpoint_url=URL),
        ReadTimeoutError(endpoint_url=URL),
        SSLError(endpoint_url=URL, error=OSError("handshake")),
    ],
    ids=lambda problem: type(problem).__name__,
)
@pytest.mark.parametrize(
    ("service", "name", "endpoint"),
    [
        ("codedeploy", "CodeDeploy", "codedeploy"),
        ("elbv2", "Elastic Load Balancing", "elasticloadbalancing"),
        ("cloudwatch", "CloudWatch", "monitoring"),
        ("ecr", "ECR", "ecr.api"),
        ("logs", "CloudWatch Logs", "logs"),
        ("s3", "S3", "s3"),
        ("sqs", "SQS", "sqs"),
    ],
)
def test_an_unreachable_service_is_named_with_the_way_out_of_a_vpc(
    problem: BotoCoreError, service: str, name: str, endpoint: str
) -> None:
    found = aws.explain(problem, service, "describe_things")
    assert isinstance(found, aws.AwsUnreachable)
    assert found.retryable
    text = str(found)
    assert text.startswith(f"{name} could not be reached for ")
    assert "NAT gateway" in text
    assert f"VPC endpoint com.amazonaws.<region>.{endpoint}," in text
    assert "security groups" in text


def test_an_explained_problem_stays_as_it_is() -> None:
    known = ProbeError("known")
    assert aws.explain(known, "ecs", "run_task") is known


def test_a_call_raises_it_with_its_cause(codedeploy: CodeDeploy) -> None:
    codedeploy.replies["StopTask"] = [refused("ClusterNotFoundException", "no such cluster")]
    with pytest.raises(aws.AwsCallFailed, match="ecs:StopTask failed: ClusterNotFoundException: no such") as caught:
        aws.call("ecs", "stop_task", task="t")
    assert caught.value.code == "ClusterNotFoundException"
    assert isinstance(caught.value.__cause__, ClientError)


def test_pages_are_followed_to_the_end(codedeploy: CodeDeploy) -> None:
    codedeploy.replies["ListTasks"] = [Reply({"taskArns": ["a", "b"], "nextToken": "2"}), Reply({"taskArns": ["c"]})]
    assert list(aws.pages("ecs", "list_tasks", "taskArns", cluster="main")) == ["a", "b", "c"]
    assert [parameters.get("nextToken") for _, parameters in codedeploy.calls] == [None, "2"]


def test_a_page_that_fails_is_explained(codedeploy: CodeDeploy) -> None:
    codedeploy.replies["ListTasks"] = [Reply({"taskArns": ["a"], "nextToken": "2"}), refused("AccessDeniedException")]
    with pytest.raises(aws.AwsDenied, match="ecs:ListTasks was denied"):
        list(aws.pages("ecs", "list_tasks", "taskArns"))


@pytest.mark.usefixtures("clock")
def test_throttling_is_tried_three_times(codedeploy: CodeDeploy) -> None:
    codedeploy.replies["StopTask"] = [throttled(), throttled(), STOPPED]
    aws.call("ecs", "stop_task", task="t")
    assert len(codedeploy.calls) == aws.ATTEMPTS == 3
    codedeploy.replies["StopTask"] = [throttled()]
    with pytest.raises(aws.AwsThrottled):
        aws.call("ecs", "stop_task", task="t")
    assert len(codedeploy.calls) == 6


# Time-outs


def test_no_client_can_hang() -> None:
    """The worst call, three attempts of 8 seconds and their pauses, ends well within the function's time."""
    config = aws.client("ecs").meta.config
    assert (config.connect_timeout, config.read_timeout) == (3.0, 5.0)
    assert config.retries["total_max_attempts"] == 3
    assert config.retries["mode"] == "standard"
    config = aws.client("codedeploy", attempts=1).meta.config
    assert (config.connect_timeout, config.read_timeout, config.retries["total_max_attempts"]) == (3.0, 5.0, 1)


def test_each_call_says_which_version_of_the_module_makes_it() -> None:
    agent = str(aws.client("ecs").meta.config.user_agent_extra)
    assert agent == f"codedeploy-hooks/{VERSION}"
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)


def test_the_environment_cannot_stretch_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "50")
    monkeypatch.setenv("AWS_RETRY_MODE", "legacy")
    config = aws.client("ecs").meta.config
    assert (config.retries["mode"], config.retries["total_max_attempts"]) == ("standard", 3)


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """An endpoint that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{listening.getsockname()[1]}")
        yield listening


@pytest.mark.usefixtures("silent")
def test_a_silent_endpoint_ends_at_the_read_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "READ_TIMEOUT", 0.1)
    quick = aws.client("ecs", attempts=1)
    with monkeypatch.context() as patch:
        patch.setattr(aws, "client", lambda *_arguments: quick)
        with pytest.raises(
            aws.AwsUnreachable, match=r"ECS could not be reached .*ReadTimeoutError.*com.amazonaws.<region>.ecs"
        ):
            aws.call("ecs", "describe_clusters")


def test_what_the_system_says_of_a_connection_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's own words are the same for a closed port and for a name that nobody knows."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and does not listen
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(aws.AwsUnreachable, match=r'endpoint URL: "http://127[^"]*"; Connection refused\): check'):
            aws.call("ecs", "describe_clusters")


# Kept between calls


def test_a_client_is_made_once(codedeploy: CodeDeploy) -> None:
    codedeploy.replies["ListTasks"] = [Reply({"taskArns": []})]
    aws.call("ecs", "list_tasks")
    list(aws.pages("ecs", "list_tasks", "taskArns"))
    aws.call("ecs", "list_tasks")
    assert aws.client.cache_info().currsize == 1
    aws.call("ecs", "list_tasks", region="us-east-1")
    assert aws.client.cache_info().currsize == 2


def test_an_endpoint_found_dead_is_not_tried_again_for_a_while(codedeploy: CodeDeploy, clock: Clock) -> None:
    codedeploy.replies |= {"StopTask": [Reply(drop=True)], "DescribeLogGroups": [Reply({"logGroups": []})]}
    for _ in range(10):
        with pytest.raises(aws.AwsUnreachable, match="ECS could not be reached"):
            aws.call("ecs", "stop_task", task="t")
    assert len(codedeploy.calls) == aws.ATTEMPTS
    with pytest.raises(aws.AwsUnreachable):
        list(aws.pages("ecs", "list_tasks", "taskArns"))
    assert len(codedeploy.calls) == aws.ATTEMPTS

    aws.call("logs", "describe_log_groups")
    assert len(codedeploy.calls) == aws.ATTEMPTS + 1, "another service is not affected"
    with pytest.raises(aws.AwsUnreachable):
        aws.call("ecs", "stop_task", region="us-east-1", task="t")
    assert len(codedeploy.calls) == 2 * aws.ATTEMPTS + 1, "nor is another region"

    codedeploy.replies["StopTask"] = [STOPPED]
    clock.now += aws.UNREACHABLE_FOR
    aws.call("ecs", "stop_task", task="t")
    assert len(codedeploy.calls) == 2 * aws.ATTEMPTS + 2


def test_an_answer_that_refuses_is_no_dead_endpoint(codedeploy: CodeDeploy) -> None:
    codedeploy.replies["StopTask"] = [refused("AccessDeniedException"), STOPPED]
    with pytest.raises(aws.AwsDenied):
        aws.call("ecs", "stop_task", task="t")
    assert "ResponseMetadata" in aws.call("ecs", "stop_task", task="t")


def test_a_boto3_that_does_not_know_the_client_token_starts_nothing(codedeploy: CodeDeploy) -> None:
    """Such as that of AWS's runtimes until November 2023, to which a function may be pinned."""
    members = aws.client("ecs").meta.service_model.operation_model("RunTask").input_shape.members
    kept = members.pop("clientToken")
    try:
        with pytest.raises(ProbeError, match="does not know RunTask's clientToken"):
            tasks.start({"cluster": "main", "taskDefinition": "shop:2", "clientToken": "token-1"})
    finally:
        members["clientToken"] = kept
    assert codedeploy.calls == []


def test_an_old_botocore_finds_what_urllib3_2_has_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without that name botocore up to 1.29.90 cannot be imported, and no hook would report anything."""
    monkeypatch.delattr("urllib3.util.ssl_.DEFAULT_CIPHERS", raising=False)
    aws.client("sts")
    from urllib3.util import ssl_

    assert vars(ssl_)["DEFAULT_CIPHERS"] == "DEFAULT"


# Answers that are none


@pytest.mark.parametrize(
    "error", [AttributeError("'list' object has no attribute 'get'"), ValueError("x"), KeyError("x")]
)
def test_what_python_says_of_an_answer_is_not_told(error: Exception) -> None:
    with pytest.raises(aws.AwsUnreadable) as raised, aws.answering("ecs", "describe_tasks"):
        raise error
    assert str(raised.value) == "ecs:DescribeTasks got an answer that cannot be read: check for a proxy on the way"
    assert raised.value.retryable
    assert aws.unanswered() == ""


def test_a_page_without_its_list_is_no_empty_list(codedeploy: CodeDeploy) -> None:
    codedeploy.replies["ListTasks"] = [Reply({"nextToken": "more"})]
    with pytest.raises(aws.AwsUnreadable, match="ecs:ListTasks answered without taskArns"):
        list(aws.pages("ecs", "list_tasks", "taskArns"))


def test_an_answer_with_nothing_in_it_is_none(codedeploy: CodeDeploy) -> None:
    codedeploy.replies["StopTask"] = [Reply({}), STOPPED]
    with pytest.raises(aws.AwsUnreadable, match="ecs:StopTask got an answer that cannot be read"):
        aws.call("ecs", "stop_task", task="t")
    assert aws.call("ecs", "stop_task", task="t")["task"]


def test_a_document_that_breaks_off() -> None:
    class Body:
        def read(self, _most: int) -> bytes:
            raise ReadTimeoutError(endpoint_url=URL)

    with pytest.raises(aws.AwsUnreachable, match="S3 could not be reached for s3:GetObject"):
        aws.read(Body(), "s3", "get_object", 10)


def test_what_an_interruption_ended_is_named_until_the_next_invocation() -> None:
    with pytest.raises(KeyboardInterrupt), aws.answering("ecs", "run_task"):
        raise KeyboardInterrupt
    assert aws.unanswered() == "ecs:RunTask had not answered for 0 s"
    aws.try_again()
    assert aws.unanswered() == ""
