"""What the tests of this hook change: the tasks that ECS describes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.testing.stage import CLUSTER, Stage

EVENT = "AfterInstall"
HEALTH_CHECK = {"command": ["CMD-SHELL", "curl -f http://localhost:8000/health"]}


def set_id(stage: Stage) -> str:
    """The id of green's task set, by which its tasks are started."""
    return stage.green_set.split("/shop/")[1]


def described(stage: Stage) -> list[dict[str, Any]]:
    """Green's tasks, as ECS describes them; not counted among the hook's calls."""
    arns = stage.ecs.list_tasks(cluster=CLUSTER, startedBy=set_id(stage))["taskArns"]
    found: list[dict[str, Any]] = stage.ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"]
    return found


def stopped_tasks(stage: Stage, *changes: Mapping[str, Any]) -> None:
    """Let ECS show tasks of green that have stopped, beside those that run."""
    arns = [f"arn:aws:ecs:{stage.region}:123456789012:task/main/{number:032x}" for number in range(len(changes))]

    def list_tasks(parameters: Mapping[str, Any]) -> Any:
        found = stage.ecs.list_tasks(**parameters)
        return {"taskArns": found["taskArns"] + (arns if parameters["desiredStatus"] == "STOPPED" else [])}

    def describe(parameters: Mapping[str, Any]) -> Any:
        running = [arn for arn in parameters["tasks"] if arn not in arns]
        found = stage.ecs.describe_tasks(cluster=CLUSTER, tasks=running) if running else {"tasks": []}
        for arn, change in zip(arns, changes, strict=True):
            if arn in parameters["tasks"]:
                task = {"taskArn": arn, "lastStatus": "STOPPED", "startedBy": set_id(stage), "containers": []}
                found["tasks"].append({**task, **change})
        return found

    stage.instead.update({"ecs:ListTasks": list_tasks, "ecs:DescribeTasks": describe})


def exited(code: int, *, reason: str = "", sidecar: int = 143) -> dict[str, Any]:
    """A task whose application exited, its sidecar stopped with it."""
    return {
        "stopCode": "EssentialContainerExited",
        "stoppedReason": "Essential container in task exited",
        "containers": [{"name": "side", "exitCode": sidecar}, {"name": "app", "exitCode": code, "reason": reason}],
    }


def changed_tasks(stage: Stage, change: Callable[[dict[str, Any]], None]) -> None:
    """Let DescribeTasks show tasks otherwise."""

    def describe(parameters: Mapping[str, Any]) -> Any:
        found = stage.ecs.describe_tasks(**parameters)
        for task in found["tasks"]:
            change(task)
        return found

    stage.instead["ecs:DescribeTasks"] = describe
