"""Time: how much is left, and waiting until something is so, certain or too late."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Callable

from gate.verdict import CannotLook, Finding, Look, could_not_look, finding_of, take

RESERVE = 30.0  # seconds kept for the report; half of time-outs below a minute
HAND_OVER = 20.0  # seconds that handing over to a fresh invocation may take; of short time-outs a quarter
MAX_HOPS = 4  # hand-overs to a fresh invocation: five of 15 minutes fill the hour, and Lambda stops a chain of 16


class OutOfTime(BaseException):
    """The time for looking is over. Not an `Exception`, so that no check can swallow it."""


class ToBeContinued(BaseException):
    """A look goes well and needs more time than this invocation has: a fresh one shall go on, with this `state`.

    To be raised by a look while `Journey.hops_left`; `state` is JSON, small, and comes back as `Journey.state`.
    `unwatched` says what would go on by itself, and what to do about it, if none could follow; where it says something,
    the fresh one sees to it even if the deployment has ended meanwhile.
    """

    def __init__(self, state: Mapping[str, Any], unwatched: str = "") -> None:
        super().__init__("to be continued")
        self.state = state
        self.unwatched = unwatched


@dataclass(frozen=True)
class Journey:
    """A hook's work over several invocations of its function.

    `began`: when the first one started, in epoch seconds. `hop`: how many came before this one. `hops_left`: how many
    may follow. `seconds`: what a fresh one has for looking. `until`: when the hook has to be done, in epoch seconds; 0:
    when this invocation ends. `state`: what the one before this one left.
    """

    began: float = field(default_factory=time.time)
    hop: int = 0
    hops_left: int = 0
    seconds: float = 0.0
    until: float = 0.0
    state: Mapping[str, Any] = field(default_factory=dict)

    @property
    def room(self) -> float:
        """Seconds of this invocation that are kept for handing over; 0 where nothing may follow."""
        return min(HAND_OVER, self.seconds / 4) if self.hops_left else 0.0

    def in_all(self, remaining: float) -> float:
        """Seconds for looking, those of the invocations to come included, where this one has `remaining` left."""
        return remaining + self.hops_left * (self.seconds - self.room)

    def reach(self, remaining: float) -> float:
        """Of these seconds, those until the hook has to be done."""
        in_all = self.in_all(remaining)
        return min(in_all, max(0.0, self.until - time.time())) if self.until else in_all

    @property
    def budget(self) -> TimeBudget:
        """The time of all of the hook's invocations; whole seconds, as a function's time-out is set."""
        # What was added to a moment and is taken from it again has lost its last digits.
        most = round(self.until - self.began, 6) if self.until else 0.0
        return TimeBudget.spread(math.ceil(round(self.seconds, 6)), self.hop + self.hops_left, most)


@dataclass(frozen=True)
class TimeBudget:
    """The seconds that a hook has for looking: `here` in one invocation, `in_all` in those that may follow it too."""

    here: float
    in_all: float

    @classmethod
    def of(cls, timeout: float, max_duration: float = 0.0) -> TimeBudget:
        """Of a function with this time-out; a hook without `max_duration` has one invocation."""
        return cls.spread(timeout - reserve(timeout), MAX_HOPS if max_duration else 0, max_duration)

    @classmethod
    def spread(cls, here: float, hops: int, most: float) -> TimeBudget:
        """Over an invocation and so many more; `most` in all, where it is not 0."""
        in_all = Journey(hops_left=hops, seconds=here).in_all(here)
        return cls(here, min(in_all, most) if most else in_all)


def reserve(timeout: float) -> float:
    """Seconds of an invocation that are kept for the report."""
    return min(RESERVE, timeout / 2)


@contextmanager
def interrupt(seconds: float, problem: type[BaseException]) -> Iterator[None]:
    """Raise `problem` in the main thread after `seconds`; elsewhere, or without signals, nothing is interrupted.

    SIGALRM reaches Python code and a regular expression that runs away. May be nested: the outer one goes on ticking.
    """
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(_signal: int, _frame: Any) -> None:
        raise problem

    began = time.monotonic()
    outer = signal.setitimer(signal.ITIMER_REAL, 0)[0]  # stopped while the handlers change; 0: there is none
    if 0 < outer <= seconds:  # the outer one comes first, and is to say so itself
        signal.setitimer(signal.ITIMER_REAL, outer)
        yield
        return
    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
        yield
    finally:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)  # it may ring just here: the outer one goes on all the same
        finally:
            signal.signal(signal.SIGALRM, before or signal.SIG_DFL)  # None: it was not set from Python
            if outer:
                signal.setitimer(signal.ITIMER_REAL, max(outer - (time.monotonic() - began), 0.001))


class Deadline:
    """A moment on a clock, in seconds. `clock` and `sleep` are injected so that no test waits."""

    journey = Journey()  # how far this invocation's hook has come; the gate says more

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


class Pace:
    """How long to pause after a look, so that AWS calls stay within a budget: 1 to 3 seconds from look to look.

    What a look takes above the budget is made up for by later ones; where that never comes, the budget counts for more
    than the 3 seconds. `requests` counts all AWS calls so far, `elapsed` is a clock in seconds.
    """

    LEAST, MOST = 1.0, 3.0
    CALLS_PER_MINUTE = 84  # of the 90 a hook may make: the first look also reads what is read once

    def __init__(self, requests: Callable[[], int], elapsed: Callable[[], float]) -> None:
        self._requests = requests
        self._elapsed = elapsed
        self._began = elapsed()
        self._made: int | None = None
        self._owed = 0.0

    def __call__(self) -> float:
        """Seconds to pause now that a look has been taken."""
        made, now = self._requests(), self._elapsed()
        wanted = self.MOST
        if self._made is not None:
            calls = made - self._made  # a minute may begin with one look and end with another: one less fits in between
            wanted = self._owed + min(calls * 60 / max(self.CALLS_PER_MINUTE - calls, 1), 90.0)
        period = wanted if wanted > 2 * self.MOST else min(max(wanted, self.LEAST), self.MOST)
        self._owed = max(0.0, wanted - period)
        pause = max(self.LEAST / 4, period - (now - self._began))
        self._made, self._began = made, now + pause
        return pause


def _keeps_waiting(finding: Finding) -> bool:
    return not finding.good


class Looks:
    """Takes looks, and bears some that could not be taken.

    Up to `limit` in a row for a passing reason are borne, as Argo Rollouts' `consecutiveErrorLimit` has it, and by
    default its 4; one that will not pass by itself is not.
    """

    def __init__(self, look: Look, limit: int = 4) -> None:
        self._look = look
        self._limit = limit
        self._in_a_row = 0

    def take(self) -> tuple[list[Finding], bool]:
        """The findings, and whether looking is hopeless."""
        try:
            findings = take(self._look)
        except CannotLook as cause:
            self._in_a_row += 1
            hopeless = self._in_a_row > self._limit or not cause.transient
            return [finding_of(cause)], hopeless
        self._in_a_row = 0
        return findings, False


def patiently(look: Look, deadline: Deadline, attempts: int = 3, pause: float = 5.0) -> list[Finding]:
    """Take one look, again after `pause` seconds while AWS throttles, in the first half of the time there is."""
    for left in range(attempts - 1, -1, -1):
        try:
            findings = take(look)
        except CannotLook as problem:
            findings = [finding_of(problem)]
        if not left or not any(finding.again for finding in findings) or deadline.elapsed() > deadline.remaining():
            break
        deadline.sleep(pause)
    return findings


def poll(
    look: Look,
    deadline: Deadline,
    interval: float | Callable[[], float],
    consecutive_successes: int = 1,
    consecutive_error_limit: int = 4,
    *,
    keeps_waiting: Callable[[Finding], bool] = _keeps_waiting,
) -> list[Finding]:
    """Look every `interval` seconds until the findings are good, certain, or the time is over.

    Good: no finding that `keeps_waiting` (by default, none that is bad) in `consecutive_successes` looks in a row, so
    that a moment's luck is not taken for a state. Returns the last look's findings; bad ones say how long they were
    waited for.
    """
    looks = Looks(look, consecutive_error_limit)
    good_in_a_row = 0
    while True:
        findings, hopeless = looks.take()
        bad = [finding for finding in findings if keeps_waiting(finding)]
        if hopeless or any(finding.certain for finding in bad):
            return findings
        good_in_a_row = 0 if bad else good_in_a_row + 1
        if good_in_a_row >= consecutive_successes:
            return findings
        if not deadline.sleep(interval() if callable(interval) else interval):
            return [_too_late(finding, deadline, good_in_a_row, consecutive_successes) for finding in findings]


def _too_late(finding: Finding, deadline: Deadline, good_in_a_row: int, wanted: int) -> Finding:
    waited = f"after {deadline.elapsed():.0f} s"
    if not finding.good:
        return replace(finding, detail=f"{finding.detail} (still so {waited})")
    if good_in_a_row:
        return could_not_look(
            f"{finding.detail}, but seen only {good_in_a_row} time(s) in a row {waited}, {wanted} wanted", finding.name
        )
    return finding
