"""What the stand-in does not have is refused at once: a client would try a failing server again and again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.models import botocore_stubber

from rehearsal.aws.server import StandIn
from rehearsal.aws.unknown import CODE


@pytest.fixture
def url() -> Iterator[str]:
    """A server on an empty state."""
    with mock_aws():
        botocore_stubber.enabled = False
        with StandIn() as server:
            yield server.url


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("rum", "list_app_monitors", {}),
        ("ecs", "submit_attachment_state_changes", {"attachments": []}),
        ("globalaccelerator", "list_accelerators", {}),
        ("elbv2", "describe_trust_stores", {}),
    ],
)
def test_it_is_refused_in_the_services_own_form(
    url: str, service: str, operation: str, parameters: dict[str, Any]
) -> None:
    """JSON, query or REST: each client reads the code, and does not try again."""
    session = boto3.Session("testing", "testing", region_name="eu-west-1")
    client: Any = session.client(service, endpoint_url=url, config=Config(retries={"total_max_attempts": 1}))  # type: ignore[call-overload]
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**parameters)
    assert caught.value.response["Error"]["Code"] == CODE
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "the stand-in" in caught.value.response["Error"]["Message"]
