"""One-off tasks: what ECS is told."""

from __future__ import annotations

from gate import tasks

from tests.unit.gate.codedeploy_server import CodeDeploy, Reply


def test_a_reason_is_as_long_as_ecs_takes_it(codedeploy: CodeDeploy) -> None:
    """255 characters, by the API reference of StopTask; a longer one would be refused, and the task would run on."""
    codedeploy.replies["StopTask"] = [Reply({"task": {"taskArn": "t"}})]
    tasks.stop("main", "t", "x" * 300)
    assert codedeploy.calls == [("StopTask", {"cluster": "main", "task": "t", "reason": "x" * 255})]
