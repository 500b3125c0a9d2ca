"""What only ECS's own blue/green has: hooks that belong to the service, each at stages of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from gate.deployment import Deployment
from gate.names import check
from gate.preflight_hooks import LOOK_UP, HookFunction, NotOurs, is_closed_to_us
from gate.verdict import Finding, ProbeError, failed, finding_of, passed

TWICE = ("TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT")  # asked at again when a deployment is rolled back
ELSEWHERE = {"run_migrations": "PRE_PRODUCTION_TRAFFIC_SHIFT", "validate_production": "POST_PRODUCTION_TRAFFIC_SHIFT"}
TOGETHER = ("run_migrations", "validate_test_traffic")  # the hooks of a stage run side by side


class NativeChecks:
    """The lifecycle hooks of the service, as ECS has them."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment

    @check(calls=[LOOK_UP], parts=["{stage}"])
    def lifecycle_hooks(self) -> Iterator[Finding]:
        """Our hooks are at stages where they can judge, no migration beside test traffic; none lets pass unjudged."""
        for stage, hooks in self.deployment.hooks_by_stage.items():
            label = f"lifecycle_hooks:{stage}"
            try:
                yield self._at(stage, hooks, label)
            except ProbeError as problem:
                yield finding_of(problem, label)

    def _at(self, stage: str, hooks: list[Mapping[str, Any]], label: str) -> Finding:
        ours = {name: hook for hook in hooks if (name := self._of_ours(hook))}
        wrong = []
        for hook, place in ELSEWHERE.items():
            if stage in TWICE and hook in ours:
                wrong.append(f"{hook} is invoked at {stage}, which comes again on the way back: move it to {place}")
        if set(TOGETHER) <= set(ours):
            wrong.append(f"{' and '.join(TOGETHER)} run side by side at {stage}: give each a stage of its own")
        if wrong:
            return failed("; ".join(wrong), label)
        actions = {name: (hook.get("timeoutConfiguration") or {}).get("action") for name, hook in ours.items()}
        lax = ", ".join(name for name, action in actions.items() if action == "CONTINUE")
        if lax:  # what the user has chosen, and it lets pass what nobody has judged
            said = f"{lax} at {stage} lets the deployment go on when ECS ends it (action CONTINUE)"
            return replace(failed(f"{said}: set ROLLBACK", label), advisory=True)
        return passed(f"{', '.join(ours) or 'no hook of this module'} at {stage}", label)

    def _of_ours(self, hook: Mapping[str, Any]) -> str:
        """Which of our hooks it is; empty if it is none, or pauses."""
        name = str(hook.get("hookTargetArn") or "")
        try:
            return HookFunction("", name, self.deployment.function(name)).hook if name else ""
        except NotOurs:
            return ""
        except ProbeError as problem:
            if is_closed_to_us(problem, name):
                return ""
            raise
