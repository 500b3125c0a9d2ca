"""The stand-in finds log lines by the patterns for JSON that CloudWatch Logs documents."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.aws.logs import append
from rehearsal.aws.stack import Stack

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:f"
NOW = int(time.time())
LINES = [
    json.dumps({"user": {"id": 1, "name": "Jane Doe"}, "type": "a", "who": "x-1"}),
    json.dumps({"user": {"id": 2}, "type": "b"}),
    json.dumps(["type", "a"]),
    "type = a",
]


@pytest.fixture
def logs(stack: Stack) -> Any:
    """A client, and a log group with the lines."""
    client = stack.client("logs")
    client.create_log_group(logGroupName="/x")
    append(ARN, "/x", "s", LINES, now=NOW)
    return client


def found(logs: Any, pattern: str, **bounds: int) -> list[int]:
    """Return which of the lines a pattern finds."""
    events = logs.filter_log_events(logGroupName="/x", filterPattern=pattern, **bounds)["events"]
    return [LINES.index(event["message"]) for event in events]


@pytest.mark.parametrize(
    ("pattern", "lines"),
    [
        ('{ $.type = "a" }', [0]),
        ("{$.type=a}", [0]),
        ('{ $.type != "a" }', [1]),
        ('{ $.user.name = "Jane*" }', [0]),
        ('{ $.user.name = "Jane" }', []),
        ("{ $.user.id = 2 }", [1]),
        ('{ ($.user.id = 2) && ($.type = "a") }', []),
        ('{ ($.user.id = 2) || ($.who = "x-1") }', [0, 1]),
        ('{ $.type = "*" }', [0, 1]),
        ('{ $.nobody = "*" }', []),
        ('{ $.nobody != "a" }', []),
        ("type", [0, 1, 2, 3]),
    ],
)
def test_patterns(logs: Any, pattern: str, lines: list[int]) -> None:
    assert found(logs, pattern) == lines


@pytest.mark.parametrize(
    "pattern", ["{ $.type = }", "{ type = a }", '{ $.type = "a"', "{ ($.type = a }", "{ $.a = 1 ; }"]
)
def test_what_is_no_pattern(logs: Any, pattern: str) -> None:
    with pytest.raises(ClientError, match="InvalidParameterException"):
        found(logs, pattern)


def test_bounds(logs: Any) -> None:
    """In milliseconds."""
    at = NOW * 1000
    assert found(logs, '{ $.type = "a" }', startTime=at, endTime=at + 1) == [0]
    assert found(logs, '{ $.type = "a" }', startTime=at + 1) == []
    assert found(logs, '{ $.type = "a" }', endTime=at - 1) == []
