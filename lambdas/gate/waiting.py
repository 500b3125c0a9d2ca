"""Time: deadlines, the time budget of a hook, and polling."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Callable

from gate.verdict import Finding, Outcome, Probe, ProbeError, finding_of, run_probe

RESERVE = 30.0  # seconds of an invocation that are kept for the report; half of time-outs below a minute
HANDOVER_MARGIN = 20.0  # seconds for starting the next invocation; a quarter of a short invocation
MAX_CONTINUATIONS = 4  # five invocations of 15 minutes fill CodeDeploy's hour; Lambda itself stops a chain of 16


class OutOfTime(BaseException):
    """The time for checks is over. Not an `Exception`, so that no check can swallow it."""


@dataclass(frozen=True)
class TimeBudget:
    """The seconds a hook has for its checks: `here` in one invocation, `in_all` with those that may follow it."""

    here: float
    in_all: float

    @classmethod
    def of(cls, timeout: float, max_duration: float = 0.0, continuations: int = MAX_CONTINUATIONS) -> TimeBudget:
        """The budget of a function with this time-out. A hook without `max_duration` has one invocation."""
        return cls.over(timeout - reserve(timeout), continuations if max_duration else 0, max_duration)

    @classmethod
    def over(cls, here: float, continuations: int, max_duration: float) -> TimeBudget:
        """The budget of an invocation that so many more may follow; 0: no `max_duration`."""
        in_all = here + continuations * (here - handover_margin(here))
        return cls(here, min(in_all, max_duration) if max_duration else in_all)


def reserve(timeout: float) -> float:
    """Seconds of an invocation that are kept for the report."""
    return min(RESERVE, timeout / 2)


def handover_margin(here: float) -> float:
    """Seconds of an invocation's checks that are kept for starting the next one."""
    return min(HANDOVER_MARGIN, here / 4)


@contextmanager
def interrupt(seconds: float, problem: type[BaseException]) -> Iterator[None]:
    """Raise `problem` in the main thread after `seconds`. In another thread, or without SIGALRM, do nothing.

    SIGALRM interrupts Python code and a runaway regular expression. It does not nest.
    """
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(_signal: int, _frame: Any) -> None:
        raise problem

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
        yield
    finally:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)  # it may ring just here
        finally:
            signal.signal(signal.SIGALRM, before or signal.SIG_DFL)  # None: it was not set from Python


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
        """Nothing may wait on this deadline any more: the watchdog has answered."""
        self._called_off = True

    def sleep(self, seconds: float) -> bool:
        """Sleep for `seconds`, or what is left; False when the time is over afterwards."""
        if self._called_off:
            raise OutOfTime
        self._sleep(max(0.0, min(seconds, self.remaining())))
        return self.remaining() > 0


class Poll:
    """Runs a probe every `interval` seconds. `last`: the findings of its last run, also if it was interrupted.

    Tolerates `error_limit` retryable ProbeErrors in a row (4 is Argo's `consecutiveErrorLimit`).
    """

    def __init__(
        self,
        probe: Probe,
        interval: float,
        *,
        worth_waiting: Callable[[Finding], bool] = lambda finding: not finding.ok,
        error_limit: int = 4,
    ) -> None:
        self._probe, self.interval = probe, interval
        self._worth_waiting = worth_waiting
        self._error_limit, self._errors_in_a_row = error_limit, 0
        self.last: list[Finding] = []

    def once(self) -> bool:
        """Run the probe; whether to give up."""
        try:
            self.last = run_probe(self._probe)
        except ProbeError as problem:
            self.last = [finding_of(problem)]
            self._errors_in_a_row += 1
            return self._errors_in_a_row > self._error_limit or not problem.retryable
        self._errors_in_a_row = 0
        return False

    def run(self, deadline: Deadline, consecutive_successes: int = 1) -> list[Finding]:
        """Poll until all is well, nothing can get better, or the time is over; the last run's findings.

        All is well after `consecutive_successes` runs in a row without a finding `worth_waiting` for. Bad findings say
        how long they were waited for.
        """
        self._errors_in_a_row = successes = 0
        while True:
            give_up = self.once()
            bad = [finding for finding in self.last if self._worth_waiting(finding)]
            if give_up or any(finding.terminal for finding in bad):
                return self.last
            successes = 0 if bad else successes + 1
            if successes >= consecutive_successes:
                return self.last
            if not deadline.sleep(self.interval):
                return [_timed_out(finding, deadline, successes, consecutive_successes) for finding in self.last]


def poll(probe: Probe, deadline: Deadline, interval: float, error_limit: int = 4) -> list[Finding]:
    """Poll until all findings are good. See `Poll.run`."""
    return Poll(probe, interval, error_limit=error_limit).run(deadline)


def retry_throttled(probe: Probe, deadline: Deadline) -> list[Finding]:
    """Run a probe once, and up to twice again while AWS throttles it, in the first half of the time."""
    polling = Poll(probe, interval=5.0)
    for left in (2, 1, 0):
        polling.once()
        throttled = any(finding.throttled for finding in polling.last)
        if not left or not throttled or deadline.elapsed() > deadline.remaining():
            break
        deadline.sleep(polling.interval)
    return polling.last


def _timed_out(finding: Finding, deadline: Deadline, successes: int, wanted: int) -> Finding:
    waited = f"after {deadline.elapsed():.0f} s"
    if not finding.ok:
        return replace(finding, detail=f"{finding.detail} (still so {waited})")
    if successes and not finding.opted_out:
        said = f"{finding.detail}, but seen only {successes} time(s) in a row {waited}, {wanted} wanted"
        return replace(finding, outcome=Outcome.ERROR, detail=said)
    return finding
