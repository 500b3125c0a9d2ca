"""One-off tasks: what ECS is told."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from gate import tasks

from tests.unit.gate.codedeploy_server import CodeDeploy, Reply


def test_a_reason_is_as_long_as_ecs_takes_it(codedeploy: CodeDeploy) -> None:
    """255 characters, by the API reference of StopTask; a longer one would be refused, and the task would run on."""
    codedeploy.replies["StopTask"] = [Reply({"task": {"taskArn": "t"}})]
    tasks.stop("main", "t", "x" * 300)
    assert codedeploy.calls == [("StopTask", {"cluster": "main", "task": "t", "reason": "x" * 255})]


@pytest.mark.parametrize(
    ("containers", "name"),
    [
        ([("proxy", 0, ""), ("app", 1, "")], "app"),
        ([("proxy", 143, ""), ("app", 3, "")], "app"),
        ([("proxy", 137, ""), ("app", 3, "")], "app"),
        ([("proxy", 1, ""), ("app", None, "CannotPullContainerError")], "app"),
        ([("proxy", None, ""), ("app", 0, "")], "app"),
        ([("proxy", 143, ""), ("app", 0, "")], "app"),
        ([("proxy", 137, ""), ("app", 143, "")], "proxy"),
        ([("proxy", None, ""), ("app", None, "")], None),
    ],
    ids=str,
)
def test_which_container_is_blamed(containers: list[tuple[str, int | None, str]], name: str | None) -> None:
    """One with a reason, else with a code of its own making; those of SIGTERM and SIGKILL may be the task's end."""
    answers = [
        {"name": name, **({} if code is None else {"exitCode": code}), "reason": why} for name, code, why in containers
    ]
    blamed = tasks.Task({"taskArn": "t", "containers": answers}).blamed()
    assert (blamed.name if blamed else None) == name


def test_the_age_of_a_task() -> None:
    """A host's clock may be ahead; ECS may not say."""
    now = datetime.now(timezone.utc)
    assert tasks.Task({"taskArn": "t"}).age == 0
    assert tasks.Task({"taskArn": "t", "createdAt": now + timedelta(seconds=60)}).age == 0
    assert tasks.Task({"taskArn": "t", "createdAt": now - timedelta(seconds=60)}).age >= 60
