"""The stand-in as an endpoint: over HTTP, and copied by forking."""

from __future__ import annotations

import json
import os
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core.models import botocore_stubber

from rehearsal.aws import codedeploy, stack, world
from rehearsal.aws.server import StandIn


@pytest.fixture
def stand_in(scripted: world.ScriptedWorld) -> Iterator[StandIn]:
    """A server on an empty state."""
    world.use(scripted)
    with mock_aws():  # empties moto's state, before and after
        botocore_stubber.enabled = False  # requests go over HTTP
        server = StandIn()
        yield server
        server.stop()


def session_on(monkeypatch: pytest.MonkeyPatch, url: str) -> boto3.Session:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    return boto3.Session("testing", "testing", region_name=stack.REGION)


def call(url: str, service: str, target: str, body: dict[str, Any], **headers: str) -> Any:
    """Call an operation of a JSON service as any SDK does; return the answer unparsed by botocore."""
    request = urllib.request.Request(  # noqa: S310  (loopback)
        url,
        json.dumps(body).encode(),
        {
            "X-Amz-Target": target,
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": f"AWS4-HMAC-SHA256 Credential=testing/20260101/eu-west-1/{service}/aws4_request",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.loads(answer.read())


@pytest.mark.parametrize("threaded", [True, False])
def test_it_answers_over_http(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, threaded: bool) -> None:
    url = stand_in.serve(threaded=threaded)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
    made = stack.build(session_on(monkeypatch, url), desired_count=1)
    assert [each["stabilityStatus"] for each in made.task_sets()] == ["STEADY_STATE"]
    deployment = made.deploy()
    execution_id = made.run_until(deployment, "BeforeInstall")
    made.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=deployment.deployment_id, lifecycleEventHookExecutionId=execution_id, status="Succeeded"
    )
    assert deployment.reported(execution_id) == "Succeeded"


def test_timestamps_are_numbers(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Terraform's provider refuses others: `expected Timestamp to be a JSON Number`."""
    url = stand_in.serve()
    deployment = stack.build(session_on(monkeypatch, url)).deploy()
    target = "CodeDeploy_20141006."
    answer = call(url, "codedeploy", f"{target}GetApplication", {"applicationName": "orders"})
    assert isinstance(answer["application"]["createTime"], (int, float))
    answer = call(url, "codedeploy", f"{target}GetDeployment", {"deploymentId": deployment.deployment_id})
    assert isinstance(answer["deploymentInfo"]["createTime"], (int, float))


def test_a_waiting_hook_sees_the_report_of_another_thread(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """A player waits while the function reports over HTTP."""
    made = stack.build(session_on(monkeypatch, stand_in.serve()))
    client = made.client("codedeploy")
    deployment = made.deploy()
    execution_id = made.run_until(deployment, "BeforeInstall")
    given = {"deploymentId": deployment.deployment_id, "lifecycleEventHookExecutionId": execution_id}
    reporter = threading.Thread(
        target=client.put_lifecycle_event_hook_execution_status, kwargs={**given, "status": "Failed"}
    )
    reporter.start()
    assert deployment.wait_for_report(execution_id, timeout=60) == "Failed"
    reporter.join()


def test_several_serve_side_by_side(stand_in: StandIn) -> None:
    with StandIn() as other:
        assert stand_in.serve() != other.url


def test_stopping_leaves_no_thread(stand_in: StandIn) -> None:
    before = threading.active_count()
    stand_in.serve(threaded=False)
    stand_in.stop()
    stand_in.stop()
    assert threading.active_count() == before
    with pytest.raises(RuntimeError, match="not served"):
        _ = stand_in.url


def test_requests_can_be_watched(scripted: world.ScriptedWorld) -> None:
    world.use(scripted)
    seen: list[tuple[str, str, str, int]] = []
    server = StandIn(lambda method, path, action, status, _: seen.append((method, path, action, status)))
    with server:
        call(server.url, "ecs", "AmazonEC2ContainerServiceV20141113.ListClusters", {})
    assert seen == [("POST", "/", "ListClusters", 200)]


def test_a_fork_has_a_state_of_its_own(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenarios share one applied environment: each is played in a copy of its state."""
    url = stand_in.serve(threaded=False)
    made = stack.build(session_on(monkeypatch, url))
    stand_in.stop()
    reports: list[dict[str, Any]] = []
    for image in ("orders:1.1.0", "orders:1.2.0"):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(reader)
                os.write(writer, json.dumps(_in_a_child(monkeypatch, image)).encode())
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            reports.append(json.loads(pipe.read()))
        os.waitpid(child, 0)
    for report in reports:
        assert report["deployments"] == 1
        assert [each["status"] for each in report["sets"]] == ["PRIMARY", "ACTIVE"]
        assert report["url"] != url
    assert reports[0]["sets"][0]["id"] == reports[1]["sets"][0]["id"]
    assert list(codedeploy.deployments()) == []
    made = stack.Stack(session_on(monkeypatch, stand_in.serve()))
    assert len(made.task_sets()) == 1


def _in_a_child(monkeypatch: pytest.MonkeyPatch, image: str) -> dict[str, Any]:
    """Serve the copied state in threads, and play a deployment on it."""
    with StandIn() as server:
        made = stack.Stack(session_on(monkeypatch, server.url))
        balancers = made.client("elbv2").describe_target_groups()["TargetGroups"]
        made.blue_group, made.green_group = sorted(group["TargetGroupArn"] for group in balancers)
        subnets = made.client("ec2").describe_subnets(Filters=[{"Name": "cidr-block", "Values": ["10.0.0.0/24"]}])
        made.subnets = [subnets["Subnets"][0]["SubnetId"]]
        groups = made.client("ec2").describe_security_groups(Filters=[{"Name": "group-name", "Values": ["orders"]}])
        made.security_group = groups["SecurityGroups"][0]["GroupId"]
        made.run_until(made.deploy(made.register(image)), "AfterInstall")
        sets = [{"id": each["id"], "status": each["status"]} for each in made.task_sets()]
        return {"deployments": len(list(codedeploy.deployments())), "sets": sets, "url": server.url}


def test_a_call_whose_answer_was_lost_is_made_once(stand_in: StandIn) -> None:
    """An SDK sends it again under the same id: it is answered as before, and nothing is created twice."""
    url = stand_in.serve(threaded=False)
    create = ("codedeploy", "CodeDeploy_20141006.CreateApplication", {"applicationName": "a", "computePlatform": "ECS"})
    first = call(url, *create, amz_sdk_invocation_id="one", amz_sdk_request="attempt=1; max=3")
    again = call(url, *create, amz_sdk_invocation_id="one", amz_sdk_request="attempt=2; max=3")
    assert again == first
    with pytest.raises(urllib.error.HTTPError) as refused:
        call(url, *create, amz_sdk_invocation_id="two", amz_sdk_request="attempt=1; max=3")
    refused.value.close()
    assert refused.value.code == 400


def test_an_error_of_the_server_is_not_kept(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next attempt is made in earnest."""
    url = stand_in.serve(threaded=False)
    listed: tuple[str, str, dict[str, Any]] = ("codedeploy", "CodeDeploy_20141006.ListApplications", {})
    served = stand_in._application

    def broken(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
        return [b"not now"]

    monkeypatch.setattr(stand_in, "_application", broken)
    with pytest.raises(urllib.error.HTTPError) as refused:
        call(url, *listed, amz_sdk_invocation_id="one")
    refused.value.close()
    monkeypatch.setattr(stand_in, "_application", served)
    assert call(url, *listed, amz_sdk_invocation_id="one") == {"applications": []}
