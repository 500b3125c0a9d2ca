"""Time: how much is left, and waiting until something is so, certain or too late."""

from __future__ import annotations

import time
from typing import Callable

from gate.verdict import CannotLook, Finding, Look, could_not_look, take


class OutOfTime(BaseException):
    """The time for looking is over. Not an `Exception`, so that no check can swallow it."""


class Deadline:
    """A moment on a clock, in seconds. `clock` and `sleep` are injected so that no test waits."""

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self.started_at = clock()
        self._ends_at = self.started_at + seconds
        self._called_off = False

    def remaining(self) -> float:
        """Seconds left; never below 0."""
        return 0.0 if self._called_off else max(0.0, self._ends_at - self._clock())

    def elapsed(self) -> float:
        """Seconds since this deadline was set."""
        return self._clock() - self.started_at

    def within(self, seconds: float) -> Deadline:
        """A nearer deadline for a part of the work; never later than this one."""
        return Deadline(min(seconds, self.remaining()), self._clock, self._sleep)

    def call_off(self) -> None:
        """Nothing may go on waiting on this deadline: somebody else has answered."""
        self._called_off = True

    def sleep(self, seconds: float) -> bool:
        """Sleep for `seconds`, or what is left; False when the time is over afterwards."""
        if self._called_off:
            raise OutOfTime
        self._sleep(max(0.0, min(seconds, self.remaining())))
        return self.remaining() > 0


class _Looks:
    """Takes looks, and bears some that could not be taken.

    Up to `limit` - 1 in a row for a passing reason are borne (Argo Rollouts' `consecutive_error_limit`, whose
    default of 4 is used); one that will not pass by itself is not.
    """

    def __init__(self, look: Look, limit: int) -> None:
        self._look = look
        self._limit = limit
        self._in_a_row = 0

    def take(self) -> tuple[list[Finding], bool]:
        """The findings, and whether nothing can be gained by looking again."""
        try:
            findings = take(self._look)
        except CannotLook as cause:
            self._in_a_row += 1
            hopeless = self._in_a_row >= self._limit or not getattr(cause, "transient", False)
            return [could_not_look(str(cause))], hopeless
        self._in_a_row = 0
        return findings, any(finding.certain for finding in findings)


def poll(
    look: Look,
    deadline: Deadline,
    interval: float,
    consecutive_successes: int = 1,
    consecutive_error_limit: int = 4,
) -> list[Finding]:
    """Look every `interval` seconds until the findings are good, certain, or the time is over.

    Good: no bad finding in `consecutive_successes` looks in a row, so that a moment's luck is not taken for a
    state. Returns the last look's findings; bad ones say how long they were waited for.
    """
    looks = _Looks(look, consecutive_error_limit)
    good_in_a_row = 0
    while True:
        findings, final = looks.take()
        if final:
            return findings
        good_in_a_row = good_in_a_row + 1 if all(finding.good for finding in findings) else 0
        if good_in_a_row >= consecutive_successes:
            return findings
        if not deadline.sleep(interval):
            return [_too_late(finding, deadline, good_in_a_row, consecutive_successes) for finding in findings]


def watch(
    look: Look, deadline: Deadline, interval: float, duration: float, consecutive_error_limit: int = 4
) -> list[Finding]:
    """Look every `interval` seconds for `duration` seconds; the opposite of `poll`: it has to stay good.

    Ends at the first look with a `certain` finding; else the last look's findings decide.
    """
    looks = _Looks(look, consecutive_error_limit)
    bake = deadline.within(duration)
    while True:
        last = bake.remaining() <= 0
        findings, final = looks.take()
        if last or final:
            return findings
        bake.sleep(interval)


def _too_late(finding: Finding, deadline: Deadline, good_in_a_row: int, wanted: int) -> Finding:
    waited = f"after {deadline.elapsed():.0f} s"
    if not finding.good:
        return Finding(finding.outcome, f"{finding.detail} (still so {waited})", finding.name, values=finding.values)
    if good_in_a_row:
        return could_not_look(
            f"{finding.detail}, but seen only {good_in_a_row} time(s) in a row {waited}, {wanted} wanted", finding.name
        )
    return finding
