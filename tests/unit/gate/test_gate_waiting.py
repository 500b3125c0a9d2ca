"""gate.waiting: deadlines and poll, on a clock that nobody waits for."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from gate.aws import AwsThrottled
from gate.verdict import Finding, Outcome, ProbeError, Severity, attempt, error, failed, passed, skipped
from gate.waiting import Deadline, OutOfTime, Poll, TimeBudget, interrupt, poll, retry_throttled
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.gate.conftest import Clock

Step = Finding | Exception


def deadline(seconds: float, clock: Clock) -> Deadline:
    return Deadline(seconds, clock.monotonic, clock.sleep)


class Probing:
    """A probe that answers with these steps, the last one for ever; each takes `cost` seconds."""

    def __init__(self, *steps: Step, clock: Clock, cost: float = 0) -> None:
        self.steps = list(steps)
        self.clock = clock
        self.cost = cost
        self.at: list[float] = []

    def __call__(self) -> Finding:
        """Take the next step."""
        self.at.append(self.clock.now - 1000)
        self.clock.now += self.cost
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        return step


def throttled() -> AwsThrottled:
    return AwsThrottled("ecs:DescribeServices failed on every attempt", "ecs", "describe_services")


@pytest.fixture
def clock() -> Clock:
    """A clock of this test's own; nothing of the gate is replaced."""
    return Clock()


# Deadline


def test_a_deadline_runs_down_to_zero_and_no_further(clock: Clock) -> None:
    end = deadline(10, clock)
    assert (end.remaining(), end.elapsed()) == (10, 0)
    assert end.sleep(4)
    assert (end.remaining(), end.elapsed()) == (6, 4)
    assert not end.sleep(100)
    assert (end.remaining(), clock.sleeps) == (0, [4, 6])


def test_a_part_never_ends_after_the_whole(clock: Clock) -> None:
    end = deadline(10, clock)
    assert end.within(60).remaining() == 10
    assert end.within(3).remaining() == 3
    clock.now += 9
    assert end.within(3).remaining() == 1


def test_nobody_sleeps_on_a_deadline_that_was_called_off(clock: Clock) -> None:
    end = deadline(10, clock)
    end.call_off()
    assert end.remaining() == 0
    with pytest.raises(OutOfTime):
        end.sleep(1)
    assert end.within(5).remaining() == 0


def test_out_of_time_is_no_exception_that_a_check_may_swallow() -> None:
    assert not issubclass(OutOfTime, Exception)


# poll


def test_poll_ends_at_the_first_good_probe(clock: Clock) -> None:
    probe = Probing(failed("no"), failed("no"), passed("yes"), clock=clock)
    assert poll(probe, deadline(100, clock), 5) == [passed("yes")]
    assert probe.at == [0, 5, 10]


def test_a_skipped_finding_is_good(clock: Clock) -> None:
    assert poll(Probing(skipped("none"), clock=clock), deadline(100, clock), 5) == [skipped("none")]


def test_a_moments_luck_is_not_taken_for_a_state(clock: Clock) -> None:
    probe = Probing(passed("1"), passed("2"), failed("no"), passed("a"), passed("b"), passed("c"), clock=clock)
    assert Poll(probe, 1).run(deadline(100, clock), 3) == [passed("c")]
    assert len(probe.at) == 6


def test_a_terminal_finding_ends_the_wait(clock: Clock) -> None:
    finding = failed("crash loop", terminal=True)
    assert poll(Probing(failed("no"), finding, clock=clock), deadline(100, clock), 5) == [finding]
    assert clock.sleeps == [5]


def test_the_last_findings_say_how_long_was_waited(clock: Clock) -> None:
    def probe() -> list[Finding]:
        return [failed("1 of 2 running", "count", running=1), passed("healthy", "health"), error("odd", "x")]

    count, health, odd = poll(probe, deadline(11, clock), 5)
    assert count == Finding(Outcome.FAILED, "1 of 2 running (still so after 11 s)", "count", values={"running": 1})
    assert health == passed("healthy", "health")
    assert odd == error("odd (still so after 11 s)", "x")


def test_good_but_not_for_long_enough_is_no_pass(clock: Clock) -> None:
    probe = Probing(failed("no"), passed("up"), clock=clock)
    (finding,) = Poll(probe, 4).run(deadline(10, clock), 3)
    assert finding == error("up, but seen only 2 time(s) in a row after 10 s, 3 wanted")


def test_what_was_good_but_not_for_long_enough_keeps_its_own_severity(clock: Clock) -> None:
    own = replace(passed("up", "count", running=2), severity=Severity.WARN, advisory=True)
    (finding,) = Poll(Probing(own, clock=clock), 4).run(deadline(10, clock), 9)
    said = "up, but seen only 3 time(s) in a row after 10 s, 9 wanted"
    assert finding == replace(own, outcome=Outcome.ERROR, detail=said)


def test_a_few_passing_errors_are_borne(clock: Clock) -> None:
    probe = Probing(*[throttled()] * 4, passed("yes"), clock=clock)
    assert poll(probe, deadline(100, clock), 1) == [passed("yes")]


def test_a_fifth_in_a_row_is_not(clock: Clock) -> None:
    probe = Probing(*[throttled()] * 4, failed("no"), throttled(), clock=clock)
    (finding,) = poll(probe, deadline(100, clock), 1)
    assert finding.outcome is Outcome.ERROR
    assert finding.detail == "ecs:DescribeServices failed on every attempt"
    assert len(probe.at) == 4 + 1 + 5


def test_an_error_that_will_not_pass_ends_the_wait(clock: Clock) -> None:
    probe = Probing(ProbeError("denied"), clock=clock)
    assert poll(probe, deadline(100, clock), 1) == [error("denied")]
    assert (len(probe.at), clock.sleeps) == (1, [])


def test_an_error_breaks_a_row_of_successes(clock: Clock) -> None:
    probe = Probing(passed("1"), throttled(), passed("2"), passed("3"), clock=clock)
    assert Poll(probe, 1).run(deadline(100, clock), 2) == [passed("3")]


def test_what_is_no_probe_error_is_not_borne(clock: Clock) -> None:
    with pytest.raises(KeyError):
        poll(Probing(KeyError("x"), clock=clock), deadline(100, clock), 1)


def test_without_any_time_it_is_still_probed_once(clock: Clock) -> None:
    assert poll(Probing(passed("yes"), clock=clock), deadline(0, clock), 1) == [passed("yes")]
    (finding,) = poll(Probing(failed("no"), clock=clock), deadline(0, clock), 1)
    assert finding.detail == "no (still so after 0 s)"


steps = st.lists(st.sampled_from(["passed", "failed", "throttled", "skipped"]), min_size=1, max_size=30)
positive = st.floats(min_value=0.01, max_value=50)
MAKE: dict[str, Callable[[], Step]] = {
    "passed": lambda: passed("yes"),
    "failed": lambda: failed("no"),
    "throttled": throttled,
    "skipped": lambda: skipped("none"),
}


@given(steps, st.floats(min_value=0, max_value=500), positive, st.floats(min_value=0, max_value=40), st.integers(1, 5))
def test_poll_overruns_by_no_more_than_a_probe_and_passes_only_what_was_good_for_long_enough(
    words: list[str], seconds: float, interval: float, cost: float, wanted: int
) -> None:
    clock = Clock()
    probe = Probing(*(MAKE[word]() for word in words), clock=clock, cost=cost)
    findings = Poll(probe, interval).run(deadline(seconds, clock), wanted)
    assert clock.now - 1000 <= seconds + cost + 1e-6
    taken = [words[min(at, len(words) - 1)] for at in range(len(probe.at))]
    good = all(finding.ok for finding in findings)
    assert good == (len(taken) >= wanted and all(word in ("passed", "skipped") for word in taken[-wanted:]))


# The time of a hook


@pytest.mark.parametrize(
    ("timeout", "max_duration", "here", "in_all"),
    [
        (900, 0, 870, 870),
        (900, 3000, 870, 3000),
        (900, 60, 870, 60),
        (300, 3300, 270, 270 + 4 * 250),
        (300, 600, 270, 600),
        (100, 3300, 70, 70 + 4 * 52.5),
        (60, 3300, 30, 30 + 4 * 22.5),
        (60, 0, 30, 30),
        (20, 0, 10, 10),
    ],
)
def test_a_hook_has_the_time_of_all_its_invocations_but_for_reports_and_handovers(
    timeout: float, max_duration: float, here: float, in_all: float
) -> None:
    assert TimeBudget.of(timeout, max_duration) == TimeBudget(here, in_all)
    assert TimeBudget.of(timeout) == TimeBudget(here, here)


def test_what_is_not_worth_waiting_for_neither_holds_up_nor_ends_the_wait(clock: Clock) -> None:
    probe = Probing(failed("a crash", "warned", terminal=True), clock=clock)
    found = Poll(probe, 1, worth_waiting=lambda finding: finding.name != "warned").run(deadline(60, clock))
    assert [finding.detail for finding in found] == ["a crash"]
    assert probe.at == [0]


def test_a_throttled_probe_is_made_again_a_few_times(clock: Clock) -> None:
    probe = Probing(throttled(), throttled(), passed("yes"), clock=clock)
    assert retry_throttled(probe, deadline(100, clock)) == [passed("yes")]
    assert probe.at == [0, 5, 10]


@pytest.mark.parametrize(
    ("step", "outcome", "at"),
    [
        (throttled(), Outcome.ERROR, [0, 5, 10]),
        (ProbeError("no permission"), Outcome.ERROR, [0]),
        (failed("wrong"), Outcome.FAILED, [0]),
        (attempt("one", Probing(throttled(), clock=Clock())), Outcome.ERROR, [0, 5, 10]),
    ],
    ids=["throttled", "denied", "wrong", "one of several is throttled"],
)
def test_what_is_probed_again_and_what_not(clock: Clock, step: Step, outcome: Outcome, at: list[float]) -> None:
    probe = Probing(step, clock=clock)
    (finding,) = retry_throttled(probe, deadline(100, clock))
    assert finding.outcome is outcome
    assert probe.at == at


def test_a_throttled_probe_is_not_made_again_in_the_second_half_of_the_time(clock: Clock) -> None:
    until = deadline(100, clock)
    clock.now += 51
    probe = Probing(throttled(), clock=clock)
    assert retry_throttled(probe, until)[0].outcome is Outcome.ERROR
    assert probe.at == [51]


# interrupt


def work_for_ever() -> None:
    """Python code without end; 60 s at most, should nobody interrupt it."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        pass
    raise AssertionError("nobody interrupted it")


@pytest.fixture
def alarm() -> Callable[[], tuple[Any, float]]:
    """The process's handler of the alarm, and the seconds until it rings; 0: it does not."""
    return lambda: (signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)[0])


def test_what_takes_too_long_is_interrupted(alarm: Callable[[], tuple[Any, float]]) -> None:
    before = alarm()
    with pytest.raises(OutOfTime), interrupt(0.02, OutOfTime):
        work_for_ever()
    assert alarm() == before == (signal.SIG_DFL, 0)


def test_a_regular_expression_is_interrupted() -> None:
    with pytest.raises(OutOfTime), interrupt(0.02, OutOfTime):
        re.search("(a+)+$", "a" * 60 + "!")


def test_what_sleeps_is_interrupted() -> None:
    began = time.monotonic()
    with pytest.raises(OutOfTime), interrupt(0.02, OutOfTime):
        threading.Event().wait(60)
    assert time.monotonic() - began < 30


def test_what_ends_in_time_is_not_interrupted(alarm: Callable[[], tuple[Any, float]]) -> None:
    with interrupt(60, OutOfTime):
        assert 59 < alarm()[1] <= 60
    assert alarm() == (signal.SIG_DFL, 0)


def test_an_error_within_passes_through(alarm: Callable[[], tuple[Any, float]]) -> None:
    with pytest.raises(KeyError), interrupt(60, OutOfTime):
        raise KeyError
    assert alarm() == (signal.SIG_DFL, 0)


def test_an_alarm_at_the_last_moment_is_put_back_all_the_same(
    monkeypatch: pytest.MonkeyPatch, alarm: Callable[[], tuple[Any, float]]
) -> None:
    """It rings when the work is done, and before it is put off."""
    done: list[bool] = []

    def rings_first(which: int, seconds: float) -> tuple[float, float]:
        if done:
            done.clear()
            signal.raise_signal(signal.SIGALRM)
        return signal.setitimer(which, seconds)

    with monkeypatch.context() as patched:
        patched.setattr("gate.waiting.signal", _signal_with(setitimer=rings_first))
        with pytest.raises(OutOfTime), interrupt(30, OutOfTime):
            done.append(True)
    assert alarm()[0] is signal.SIG_DFL


class _signal_with:  # noqa: N801 - it stands for a module
    """The module `signal`, but for these functions."""

    def __init__(self, **instead: Any) -> None:
        self.__dict__.update({**vars(signal), **instead})


def test_in_another_thread_nothing_is_interrupted(alarm: Callable[[], tuple[Any, float]]) -> None:
    def work() -> str:
        with interrupt(0.001, OutOfTime):
            time.sleep(0.02)
        return "done"

    with interrupt(60, OutOfTime), ThreadPoolExecutor(1) as pool:
        handler = alarm()[0]
        assert pool.submit(work).result() == "done"
        assert alarm()[0] is handler


def test_where_there_are_no_signals_nothing_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    instead = _signal_with()
    del instead.__dict__["SIGALRM"]
    monkeypatch.setattr("gate.waiting.signal", instead)
    with interrupt(0.001, OutOfTime):
        time.sleep(0.02)
