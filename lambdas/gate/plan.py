"""What a deployment says: of the AppSpec, or of the service's next revision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Plan:
    """What a deployment says. ECS takes only the ARN of a task definition; a hook's function is a name or an ARN.

    `placement`: capacity providers, platform version and network, as RunTask takes them; what is not in it is the
    service's own. `hooks`: lifecycle event, or a stage that is no hook's of ours, → function. `unknown`: properties
    that nobody reads, by their paths.
    """

    task_definition: str
    container_name: str
    container_port: int
    placement: Mapping[str, Any]
    hooks: Mapping[str, str]
    unknown: tuple[str, ...] = ()
