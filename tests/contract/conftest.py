"""Every answer that a contract test gets from the stand-in is held against botocore's models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from rehearsal.aws import stack as stacks
from rehearsal.aws import world
from rehearsal.aws.install import install
from tests.contract.conformity import Conformity


@pytest.fixture
def scripted() -> world.ScriptedWorld:
    """The world behind the stand-in."""
    return world.ScriptedWorld()


@pytest.fixture(scope="session")
def listener() -> Conformity:
    """What listens to all answers."""
    return Conformity()


@pytest.fixture(scope="session")
def clients(listener: Conformity) -> dict[str, Any]:
    """All tests share their clients: making one takes longer than a test."""
    install()
    session = boto3.Session("testing", "testing", region_name=stacks.REGION)
    listener.listen(session.events)
    services = ["ec2", "elbv2", "ecs", "codedeploy", "cloudwatch", "lambda", "logs", "iam", "secretsmanager", "ssm"]
    services += ["ecr", "application-autoscaling"]
    return {service: session.client(service) for service in services}  # type: ignore[call-overload]


@pytest.fixture
def clients_of_test(
    clients: dict[str, Any], listener: Conformity, scripted: world.ScriptedWorld
) -> Iterator[dict[str, Any]]:
    """Clients on an empty stand-in in this process; the test fails if an answer departs from botocore's models."""
    world.use(scripted)
    listener.faults.clear()
    with mock_aws():
        yield clients
    assert listener.faults == []


@pytest.fixture
def stack(clients_of_test: dict[str, Any]) -> stacks.Stack:
    """A service behind a load balancer, with its deployment group."""
    return stacks.build(clients=clients_of_test)


@pytest.fixture
def refused() -> Any:
    """Return the error code and message with which a call is refused."""

    def call(operation: Any, **parameters: Any) -> tuple[str, str]:
        with pytest.raises(ClientError) as caught:
            operation(**parameters)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]

    return call
