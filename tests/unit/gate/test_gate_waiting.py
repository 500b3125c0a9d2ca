"""gate.waiting: deadlines and poll, on a clock that nobody waits for."""

from __future__ import annotations

import itertools
import re
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from gate.aws import AwsThrottled
from gate.verdict import CannotLook, Finding, Outcome, attempt, could_not_look, failed, passed, skipped
from gate.waiting import (
    MAX_HOPS,
    Deadline,
    Journey,
    OutOfTime,
    Pace,
    TimeBudget,
    interrupt,
    patiently,
    poll,
    reserve,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.gate.conftest import Clock

Step = Finding | Exception


def deadline(seconds: float, clock: Clock) -> Deadline:
    return Deadline(seconds, clock.monotonic, clock.sleep)


class Looks:
    """A look that answers with these steps, the last one for ever; each takes `cost` seconds."""

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


def test_poll_ends_at_the_first_good_look(clock: Clock) -> None:
    look = Looks(failed("no"), failed("no"), passed("yes"), clock=clock)
    assert poll(look, deadline(100, clock), 5) == [passed("yes")]
    assert look.at == [0, 5, 10]


def test_a_skipped_finding_is_good(clock: Clock) -> None:
    assert poll(Looks(skipped("none"), clock=clock), deadline(100, clock), 5) == [skipped("none")]


def test_a_moments_luck_is_not_taken_for_a_state(clock: Clock) -> None:
    look = Looks(passed("1"), passed("2"), failed("no"), passed("a"), passed("b"), passed("c"), clock=clock)
    assert poll(look, deadline(100, clock), 1, consecutive_successes=3) == [passed("c")]
    assert len(look.at) == 6


def test_a_certain_finding_ends_the_wait(clock: Clock) -> None:
    finding = failed("crash loop", certain=True)
    assert poll(Looks(failed("no"), finding, clock=clock), deadline(100, clock), 5) == [finding]
    assert clock.sleeps == [5]


def test_the_last_findings_say_how_long_was_waited(clock: Clock) -> None:
    def look() -> list[Finding]:
        return [failed("1 of 2 running", "count", running=1), passed("healthy", "health"), could_not_look("odd", "x")]

    count, health, odd = poll(look, deadline(11, clock), 5)
    assert count == Finding(Outcome.FAILED, "1 of 2 running (still so after 11 s)", "count", values={"running": 1})
    assert health == passed("healthy", "health")
    assert odd == could_not_look("odd (still so after 11 s)", "x")


def test_good_but_not_for_long_enough_is_no_pass(clock: Clock) -> None:
    look = Looks(failed("no"), passed("up"), clock=clock)
    (finding,) = poll(look, deadline(10, clock), 4, consecutive_successes=3)
    assert finding == could_not_look("up, but seen only 2 time(s) in a row after 10 s, 3 wanted")


def test_a_few_passing_errors_are_borne(clock: Clock) -> None:
    look = Looks(*[throttled()] * 4, passed("yes"), clock=clock)
    assert poll(look, deadline(100, clock), 1) == [passed("yes")]


def test_a_fifth_in_a_row_is_not(clock: Clock) -> None:
    look = Looks(*[throttled()] * 4, failed("no"), throttled(), clock=clock)
    (finding,) = poll(look, deadline(100, clock), 1)
    assert finding.outcome is Outcome.ERROR
    assert finding.detail == "ecs:DescribeServices failed on every attempt"
    assert len(look.at) == 4 + 1 + 5


def test_an_error_that_will_not_pass_ends_the_wait(clock: Clock) -> None:
    look = Looks(CannotLook("denied"), clock=clock)
    assert poll(look, deadline(100, clock), 1) == [could_not_look("denied")]
    assert (len(look.at), clock.sleeps) == (1, [])


def test_an_error_breaks_a_row_of_successes(clock: Clock) -> None:
    look = Looks(passed("1"), throttled(), passed("2"), passed("3"), clock=clock)
    assert poll(look, deadline(100, clock), 1, consecutive_successes=2) == [passed("3")]


def test_what_is_no_cannot_look_is_not_borne(clock: Clock) -> None:
    with pytest.raises(KeyError):
        poll(Looks(KeyError("x"), clock=clock), deadline(100, clock), 1)


def test_without_any_time_there_is_still_one_look(clock: Clock) -> None:
    assert poll(Looks(passed("yes"), clock=clock), deadline(0, clock), 1) == [passed("yes")]
    (finding,) = poll(Looks(failed("no"), clock=clock), deadline(0, clock), 1)
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
def test_poll_overruns_by_no_more_than_a_look_and_passes_only_what_was_good_for_long_enough(
    words: list[str], seconds: float, interval: float, cost: float, wanted: int
) -> None:
    clock = Clock()
    look = Looks(*(MAKE[word]() for word in words), clock=clock, cost=cost)
    findings = poll(look, deadline(seconds, clock), interval, consecutive_successes=wanted)
    assert clock.now - 1000 <= seconds + cost + 1e-6
    taken = [words[min(at, len(words) - 1)] for at in range(len(look.at))]
    good = all(finding.good for finding in findings)
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
def test_a_hook_has_the_time_of_all_its_invocations_but_for_reports_and_hand_overs(
    timeout: float, max_duration: float, here: float, in_all: float
) -> None:
    assert TimeBudget.of(timeout, max_duration) == TimeBudget(here, in_all)
    assert TimeBudget.of(timeout) == TimeBudget(here, here)


@given(
    timeout=st.integers(60, 900),
    max_duration=st.sampled_from([0.0, 60.0, 600.0, 3300.0]),
    hop=st.integers(0, MAX_HOPS),
    began=st.floats(1.7e9, 1.9e9),
    late=st.integers(0, 900).map(lambda milliseconds: milliseconds / 1000),
)
def test_a_hook_finds_the_time_that_was_foreseen_for_it(
    timeout: int, max_duration: float, hop: int, began: float, late: float
) -> None:
    """In each of its invocations, though they are told what is left a moment after it began to count."""
    seconds = timeout - late - reserve(timeout - late)
    journey = Journey(began, seconds=seconds)
    if max_duration:
        journey = Journey(began, hop, MAX_HOPS - hop, seconds, until=began + max_duration)
    assert journey.budget == TimeBudget.of(timeout, max_duration)


def test_who_calls_a_hook_by_hand_has_one_invocation() -> None:
    assert Journey(1000.0, seconds=870, until=4000.0).budget == TimeBudget(870, 870)
    assert Journey(1000.0, seconds=870, until=1060.0).budget == TimeBudget(870, 60)


def test_what_is_not_waited_for(clock: Clock) -> None:
    """A finding that may only warn neither holds up nor ends the wait."""
    look = Looks(failed("a crash", "warned", certain=True), clock=clock)
    found = poll(look, deadline(60, clock), 1, keeps_waiting=lambda finding: finding.name != "warned")
    assert [finding.detail for finding in found] == ["a crash"]
    assert look.at == [0]


def test_a_throttled_look_is_taken_again_a_few_times(clock: Clock) -> None:
    look = Looks(throttled(), throttled(), passed("yes"), clock=clock)
    assert patiently(look, deadline(100, clock)) == [passed("yes")]
    assert look.at == [0, 5, 10]


@pytest.mark.parametrize(
    ("step", "outcome", "at"),
    [
        (throttled(), Outcome.ERROR, [0, 5, 10]),
        (CannotLook("no permission"), Outcome.ERROR, [0]),
        (failed("wrong"), Outcome.FAILED, [0]),
        (attempt("one", Looks(throttled(), clock=Clock())), Outcome.ERROR, [0, 5, 10]),
    ],
    ids=["throttled", "denied", "wrong", "one of several is throttled"],
)
def test_what_is_taken_again_and_what_not(clock: Clock, step: Step, outcome: Outcome, at: list[float]) -> None:
    look = Looks(step, clock=clock)
    (finding,) = patiently(look, deadline(100, clock))
    assert finding.outcome is outcome
    assert look.at == at


def test_a_throttled_look_is_not_taken_again_in_the_second_half_of_the_time(clock: Clock) -> None:
    until = deadline(100, clock)
    clock.now += 51
    look = Looks(throttled(), clock=clock)
    assert patiently(look, until)[0].outcome is Outcome.ERROR
    assert look.at == [51]


def paced(calls: list[int], took: float = 0.0) -> list[float]:
    """The times at which looks begin that make so many calls each, the last number for ever; 300 s of them."""
    now, made, at = 0.0, 0, []
    pace = Pace(lambda: made, lambda: now)
    while now < 300:
        at.append(now)
        made += calls[min(len(at) - 1, len(calls) - 1)]
        now += took
        now += pace()
    return at


def a_minute(calls: list[int], at: list[float]) -> int:
    """The most calls in any 60 s."""
    numbers = [calls[min(number, len(calls) - 1)] for number in range(len(at))]
    return max(sum(n for n, t in zip(numbers, at, strict=True) if start <= t < start + 60) for start in at)


@pytest.mark.parametrize("calls", [[1], [3], [4], [6, 3], [5, 4, 3, 3], [5], [8], [12]])
@pytest.mark.parametrize("took", [0.0, 0.4, 2.5])
def test_the_pace_keeps_to_the_budget(calls: list[int], took: float) -> None:
    """90 calls a minute, whatever a look takes."""
    assert a_minute(calls, paced(calls, took)) <= 90


@pytest.mark.parametrize("calls", [[1], [3], [4], [6, 3], [5, 4, 3, 3]])
def test_the_pace_is_from_one_to_three_seconds(calls: list[int]) -> None:
    at = paced(calls)
    pauses = [later - earlier for earlier, later in itertools.pairwise(at)]
    assert min(pauses) >= 1
    assert max(pauses) <= 3


def test_no_look_makes_the_hook_sleep_through_its_time() -> None:
    """However many calls one took."""
    made = 0
    pace = Pace(lambda: made, lambda: 0.0)
    pace()
    made = 500
    assert 60 <= pace() <= 100


# interrupt


class Inner(Exception):  # noqa: N818 - it is what happened
    """What the inner alarm says."""


def work_for_ever() -> None:
    """Python code without end; 60 s at most, should nobody interrupt it."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        pass
    raise AssertionError("nobody interrupted it")


def nested_work(inner: float) -> None:
    with interrupt(inner, Inner):
        work_for_ever()


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


def test_after_the_inner_alarm_the_outer_one_goes_on_ticking(alarm: Callable[[], tuple[Any, float]]) -> None:
    with interrupt(60, OutOfTime):
        handler = alarm()[0]
        with pytest.raises(Inner):
            nested_work(0.02)
        assert alarm()[0] is handler
        assert 30 < alarm()[1] < 59.99


def test_the_outer_alarm_rings_in_its_time_however_often_the_inner_one_rang(
    alarm: Callable[[], tuple[Any, float]],
) -> None:
    rang: list[float] = []

    def work() -> None:
        for _ in range(1000):
            try:
                nested_work(0.01)
            except Inner:
                rang.append(time.monotonic())

    began = time.monotonic()
    with pytest.raises(OutOfTime), interrupt(0.2, OutOfTime):
        work()
    assert time.monotonic() - began < 30
    assert 1 <= len(rang) <= 20  # each after 0.01 s at the earliest
    assert alarm() == (signal.SIG_DFL, 0)


def test_an_inner_alarm_that_would_ring_later_does_not_come_before_the_outer_one(
    alarm: Callable[[], tuple[Any, float]],
) -> None:
    """Whoever ended what took its own time too long would go on as if that were so."""
    with pytest.raises(OutOfTime), interrupt(0.02, OutOfTime):
        nested_work(50)
    assert alarm() == (signal.SIG_DFL, 0)


def test_an_alarm_at_the_last_moment_leaves_the_outer_one_ticking(
    monkeypatch: pytest.MonkeyPatch, alarm: Callable[[], tuple[Any, float]]
) -> None:
    """It rings when the work is done, and before it is put off."""
    done: list[bool] = []

    def rings_first(which: int, seconds: float) -> tuple[float, float]:
        if done:
            done.clear()
            signal.raise_signal(signal.SIGALRM)
        return signal.setitimer(which, seconds)

    with interrupt(60, OutOfTime):
        handler = alarm()[0]
        with monkeypatch.context() as patched:
            patched.setattr("gate.waiting.signal", _signal_with(setitimer=rings_first))
            with pytest.raises(Inner), interrupt(30, Inner):
                done.append(True)
        assert alarm()[0] is handler
        assert 30 < alarm()[1] <= 60


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


def test_where_a_look_takes_much_more_than_the_budget_the_budget_counts() -> None:
    """Nine calls are within it every 7.2 seconds; of seven the rest above three seconds is made up for later."""
    made, now = [0], [0.0]
    pace = Pace(lambda: made[0], lambda: now[0])

    def pause_after(calls: int) -> float:
        made[0] += calls
        pause = pace()
        now[0] += pause
        return pause

    assert pause_after(9) == 3.0, "of the first look nobody knows what those to come will take"
    assert pause_after(9) == pytest.approx(9 * 60 / 75)
    assert pause_after(7) == 3.0
    assert pause_after(0) == pytest.approx(7 * 60 / 77 - 3)


def test_after_a_look_that_took_long_there_is_still_a_pause() -> None:
    now = [0.0]
    pace = Pace(lambda: 0, lambda: now[0])
    now[0] = 10.0
    assert pace() == 0.25
