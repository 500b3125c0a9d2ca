"""What a hook has found so far: in its results, in its log, in its answer. Each result is one JSON line of the log."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

from gate.redact import utf8_safe
from gate.verdict import Finding, ProbeError, Result, Severity, error, finding_of

logger = logging.getLogger("gate")
logger.setLevel(logging.INFO)

MOST_DETAIL = 10_000  # characters of a detail: CloudWatch Logs takes lines of 256 KB
# The keys that `logging` keeps for itself: it raises for an extra field of such a name.
_KEPT = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}


class Record:
    """The results so far. `fields`: in every log line and in the answer. `current`: the check that is being made."""

    def __init__(self, hook_name: str, deployment_id: str) -> None:
        self.hook_name = hook_name
        self.fields = {"hook": hook_name, "deployment_id": deployment_id}
        self.results: list[Result] = []
        self.current = "start"

    def add(self, name: str, finding: Finding, severity: Severity = Severity.FAIL, duration_ms: int = 0) -> Result:
        """Note a finding as a result, and log it."""
        result = self.add_silently(name, finding, severity, duration_ms)
        self.log(result)
        return result

    def add_silently(self, name: str, finding: Finding, severity: Severity, duration_ms: int = 0) -> Result:
        """Note a finding as a result."""
        finding = replace(finding, detail=utf8_safe(finding.detail[:MOST_DETAIL]))
        result = Result(utf8_safe(name), severity, finding, duration_ms)
        self.results.append(result)
        return result

    def log(self, result: Result) -> None:
        """Write one line."""
        fields = {key: value for key, value in result.as_dict().items() if key not in _KEPT}
        level = logging.INFO if result.finding.ok else logging.WARNING
        extra = {**fields, **self.fields, "check": result.name}
        logger.log(level, "%s: %s", result.name, result.finding.detail, extra=extra)

    def finding_of(self, problem: BaseException) -> Finding:
        """Whatever was raised, as a finding. What is no ProbeError is logged with its trace."""
        if isinstance(problem, ProbeError):
            return finding_of(problem)
        extra = {**self.fields, "check": self.current}
        logger.error("%s failed", self.current, exc_info=problem, extra=extra)
        if isinstance(problem, ImportError):
            return error(f"library {problem.name or problem} is missing: attach the layer that has it ({problem})")
        try:
            return error(f"{type(problem).__name__}: {problem}")
        except Exception:  # noqa: BLE001  # even an exception that cannot be put in words has to be reported
            return error(type(problem).__name__)

    def as_json(self) -> list[dict[str, Any]]:
        """The results for the answer, all of it JSON.

        Lambda delivers the event again if it cannot write the answer.
        """
        return [_as_json(result) for result in self.results]


def _as_json(result: Result) -> dict[str, Any]:
    try:
        fields: dict[str, Any] = json.loads(json.dumps(result.as_dict(), default=str))
    except Exception:  # noqa: BLE001  # a value of a check: with keys that are no text, or that holds itself
        return replace(result, finding=replace(result.finding, values={})).as_dict()
    return fields
