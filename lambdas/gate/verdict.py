"""Findings, and the verdict they add up to. Pure: no clock, no network, no environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Callable, Optional, Union

LIMIT = 4000  # characters of a message
IN_FULL = 3  # reasons that a message tells in full


class Outcome(str, Enum):
    """What came of a check."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"  # it could not look
    SKIPPED = "skipped"


class Severity(str, Enum):
    """What `failed` and `error` do: `fail` the hook, or only `warn`; `skip` leaves the check out."""

    FAIL = "fail"
    WARN = "warn"
    SKIP = "skip"


class ProbeError(Exception):
    """A probe could not look. The message says what was missing and what to do about it."""

    retryable = False  # the same probe may succeed later
    throttled = False  # and a few seconds are enough, so that even a single probe is repeated


class NotFound(ProbeError):
    """What was to be looked at does not exist: `failed`, where any other ProbeError is `error`."""


@dataclass(frozen=True)
class Finding:
    """What a probe found.

    `detail`: for a failure the value found, what was expected and the cure. `name`: the finding's own name, where it is
    not its check's (`<check>:<what>`). `severity`: its own, where it is not its check's. `terminal`: no later probe can
    be better, so polling stops. `opted_out`: skipped because the user asked for nothing. `throttled`: AWS throttled it.
    `remediation`: what was done about a failure; it is told in the message even if it went well. `note`: nothing is
    wrong, but it is told in the message of a success. `advisory`: never worse than a warning. `value`: what was found,
    for the checks that follow. `values`: further fields of the log line and of the result.
    """

    outcome: Outcome
    detail: str
    name: Optional[str] = None
    severity: Optional[Severity] = None
    terminal: bool = False
    opted_out: bool = False
    throttled: bool = False
    remediation: bool = False
    note: bool = False
    advisory: bool = False
    value: Any = None
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether it passed, or there was nothing to look at."""
        return self.outcome in (Outcome.PASSED, Outcome.SKIPPED)


def passed(detail: str, name: str | None = None, **values: object) -> Finding:
    """It is as it should be."""
    return Finding(Outcome.PASSED, detail, name, values=values)


def failed(detail: str, name: str | None = None, terminal: bool = False, **values: object) -> Finding:
    """It is wrong."""
    return Finding(Outcome.FAILED, detail, name, terminal=terminal, values=values)


def error(detail: str, name: str | None = None, **values: object) -> Finding:
    """It could not be looked at: never a pass."""
    return Finding(Outcome.ERROR, detail, name, values=values)


def skipped(detail: str, name: str | None = None, opted_out: bool = False, **values: object) -> Finding:
    """There was nothing to look at; `detail` says why."""
    return Finding(Outcome.SKIPPED, detail, name, opted_out=opted_out, values=values)


def noted(detail: str, name: str | None = None) -> Finding:
    """There was nothing to look at, and a person should know why."""
    return Finding(Outcome.SKIPPED, detail, name, note=True)


def finding_of(problem: ProbeError, name: str | None = None) -> Finding:
    """The finding that a ProbeError stands for."""
    if isinstance(problem, NotFound):
        return failed(str(problem), name)
    return replace(error(str(problem), name), throttled=problem.throttled)


Probe = Callable[[], Union[Finding, Iterable[Finding]]]


def run_probe(probe: Probe) -> list[Finding]:
    """The probe's findings, one or several. Raises TypeError for anything else."""
    answer = probe()
    findings: list[Any] = list(answer) if isinstance(answer, Iterable) else [answer]
    for finding in findings:
        if not isinstance(finding, Finding) or not isinstance(finding.detail, str):
            raise TypeError(f"a check answered {finding!r}, expected findings with text (passed, failed, skipped, …)")
    return findings


def attempt(name: str, probe: Callable[[], Finding]) -> Finding:
    """One of several findings of a check: its ProbeError does not keep the others from being made."""
    try:
        return replace(probe(), name=name)
    except ProbeError as problem:
        return finding_of(problem, name)


def severity_for(name: str, declared: Severity, overrides: Mapping[str, str]) -> Severity:
    """The user's severity for the name, or for what stands before one of its colons; else the declared one.

    For `samples:orders:p99` the user may name `samples:orders:p99`, `samples:orders` or `samples`, in this order.
    """
    while name not in overrides and ":" in name:
        name = name.rpartition(":")[0]
    return Severity(overrides[name]) if overrides.get(name) else declared


@dataclass(frozen=True)
class Result:
    """A finding with the name and severity it counts with, and its check's duration in milliseconds."""

    name: str
    severity: Severity
    finding: Finding
    duration_ms: int = 0

    @property
    def stops(self) -> bool:
        """Whether this result alone fails the hook."""
        return not self.finding.ok and self.severity is Severity.FAIL

    def as_dict(self) -> dict[str, object]:
        """The result as the hook returns and logs it."""
        fields: dict[str, object] = {
            "name": self.name,
            "outcome": self.finding.outcome.value,
            "severity": self.severity.value,
            "detail": self.finding.detail,
            "duration_ms": self.duration_ms,
        }
        return {**fields, **self.finding.values, **fields}  # the contract's fields win over a value of the same name


@dataclass(frozen=True)
class Verdict:
    """Whether the deployment may go on, and the one line that says why."""

    succeeded: bool
    message: str


def decide(results: Sequence[Result], *, advisory: bool = False, ending: str = "") -> Verdict:
    """The verdict on a hook's results. `ending` ends the message, whatever the verdict.

    A `failed` or `error` result of severity `fail` fails the hook. No passed check also fails it, unless the user
    skipped or downgraded all of them, or the hook is `advisory` (a rollback).
    """
    succeeded, message = _decided(results, advisory)
    end = _one_line(f"; {ending}", LIMIT // 2) if ending else ""
    return Verdict(succeeded, _one_line(message, LIMIT - len(end)) + end)


def _decided(results: Sequence[Result], advisory: bool) -> tuple[bool, str]:
    stopping = [result for result in results if result.stops]
    if stopping:
        done = [result.finding.detail for result in results if result.finding.remediation and result.finding.ok]
        return False, "; ".join([_reasons(stopping), *done])
    looked = [result for result in results if result.finding.outcome is not Outcome.SKIPPED]
    warned = [result for result in looked if not result.finding.ok]
    left_out = [result for result in results if result.finding.outcome is Outcome.SKIPPED]
    if not advisory and len(warned) == len(looked) and not all(result.finding.opted_out for result in left_out):
        return False, f"nothing could be confirmed: {_joined([*warned, *left_out])}"
    if not results:
        return False, "nothing could be confirmed: there was no check"
    if not looked:
        return True, _joined(left_out)
    passes, notes = len(looked) - len(warned), [result for result in results if result.finding.note]
    silent = len([result for result in left_out if not result.finding.note])
    message = f"{passes} check{'' if passes == 1 else 's'} passed"
    message += f", {silent} skipped" if silent else ""
    message += f", {len(warned)} warned: {_reasons(warned)}" if warned else ""
    message += f"; note: {_joined(notes)}" if notes else ""
    return True, message


def _joined(results: Iterable[Result]) -> str:
    return "; ".join(dict.fromkeys(result.finding.detail for result in results))


def _reasons(results: Sequence[Result]) -> str:
    """The first reasons in full, the others by name.

    Checks run causes before consequences, so the first failure is the likeliest root cause. Before all others comes a
    remediation that failed; after them an error that one check alone has. A text that several checks share is told
    once.
    """
    of: dict[str, list[Result]] = {}  # text → the results that have it
    for result in results:
        of.setdefault(result.finding.detail or result.name, []).append(result)

    def is_lone_error(text: str) -> bool:
        return len(of[text]) == 1 and of[text][0].finding.outcome is not Outcome.FAILED

    afterwards = [text for text in of if any(result.finding.remediation for result in of[text])]
    reasons = sorted((text for text in of if text not in afterwards), key=is_lone_error)
    told, others = reasons[:IN_FULL], dict.fromkeys(of[text][0].name for text in reasons[IN_FULL:])
    parts = [_in_full(afterwards), _in_full(told)]
    more = f" (and {len(others)} more: {', '.join(others)})" if others else ""
    return "; before that: ".join(part for part in parts if part) + more


def _in_full(texts: Sequence[str]) -> str:
    """The texts, each cut to its share of the message if they are too long together."""
    share = LIMIT // (IN_FULL + 1)
    too_long = sum(map(len, texts)) > share * IN_FULL
    return "; ".join(_one_line(text, share) if too_long and len(texts) > 1 else text for text in texts)


def _one_line(text: str, limit: int = LIMIT) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
