"""Who calls the hooks. A platform reads the event, makes the deployment, delivers the verdict, and continues later."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional, Protocol

from gate.deployment import Deployment
from gate.settings import Environment
from gate.verdict import Finding, Verdict

CLOCKS_DIFFER = 60.0  # seconds by which one invocation's clock may be ahead of another's


@dataclass(frozen=True)
class Continuation:
    """What one invocation leaves the next one of the same hook. It holds no verdict.

    `began`: when the first invocation started, in epoch seconds. `number`: how many came before. `state`: the hook's
    own, small and JSON. `orphan_note`: what keeps running, and what to do about it if no invocation can follow; if
    set, the next one sees to it even if the deployment has ended.
    """

    began: float
    number: int = 0
    state: Mapping[str, Any] = field(default_factory=dict)
    orphan_note: str = ""

    @classmethod
    def of(cls, value: Any, most: int) -> Optional[Continuation]:
        """Read what `as_dict` wrote; None for anything else. `most`: how many invocations may follow the first."""
        if not isinstance(value, Mapping):
            return None
        began, number = _number(value.get("began")), _number(value.get("number"))
        state, note = value.get("state"), value.get("orphan_note")
        if began is None or number is None or not isinstance(state, Mapping) or not isinstance(note, str):
            return None
        if number not in range(1, most + 1) or began > time.time() + CLOCKS_DIFFER:
            return None
        return cls(began, int(number), state, note)

    def as_dict(self) -> dict[str, Any]:
        """The continuation as JSON."""
        return {"began": self.began, "number": self.number, "state": self.state, "orphan_note": self.orphan_note}


def _number(value: Any) -> Optional[float]:
    try:
        return float(value) if type(value) in (int, float) and math.isfinite(value) else None
    except OverflowError:  # a whole number may have any length
        return None


class Platform(Protocol):
    """One event of one caller.

    `name`: the caller's. `stage`: at which it calls; empty where it does not say. `deployment_id`: what the event
    names, else empty. `event_error`: why the event cannot be used, else empty. `continuation`: what the invocation
    before left; None for the first one. `most_continuations`: how many invocations may follow the first.
    """

    name: str
    stage: str
    deployment_id: str
    event_error: str
    continuation: Optional[Continuation]
    most_continuations: int

    def deployment(self, environment: Environment) -> Deployment:
        """The deployment that the event is about; nothing is asked of AWS yet."""

    def identify(self, deployment: Deployment, event_name: str) -> list[Finding]:
        """Whether the deployment is under way, and of the service that this function watches.

        `event_name`: the lifecycle event that the hook is meant for. A finding that is good and `terminal` ends the
        hook: there is nothing to judge.
        """

    @property
    def can_continue(self) -> bool:
        """Whether a fresh invocation can be had."""

    def deliver(self, verdict: Verdict, ends_at: float) -> bool:
        """Tell the caller the verdict before `ends_at` on the monotonic clock. May raise, to be invoked again.

        Returns whether this verdict counts: not if the caller had one before, of another invocation.
        """

    def answer(self, status: str) -> dict[str, Any]:
        """What the function's answer has for this caller; `status`: SUCCEEDED, FAILED or CONTINUED."""

    def continue_later(self, continuation: Continuation, seconds: float) -> str:
        """Have a fresh invocation continue, arranged within `seconds`; how, in words. Raises ProbeError."""


def platform_of(event: Any, context: Any) -> Platform:
    """The platform whose event this is."""
    from gate.platforms.codedeploy import CodeDeploy
    from gate.platforms.ecs import Ecs, is_of_ecs

    return Ecs(event, context) if is_of_ecs(event) else CodeDeploy(event, context)
