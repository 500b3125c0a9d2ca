"""Sends requests side by side, each until it is decided: a check's attempts, or its samples."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Optional

from gate.http_checks import Answer, mismatches
from gate.http_sender import Sender
from gate.options.requests import HttpRequest
from gate.verdict import failed, passed
from gate.waiting import Deadline

AT_ONCE = 8  # checks on their way at the same time: enough to be quick, too few to be a load
PAUSE = 0.2  # seconds at least from one sample's start to the next one's: a person clicks as fast
SOON = 0.001  # seconds; a sum of floats may come short of what it should be


class Attempts:
    """The attempts of one check, until it is decided.

    `due`: when to send next, in the deadline's seconds. `request`: what messages call it. `quotes_body`: not of an
    answer that holds a session or a token.
    """

    def __init__(self, check: HttpRequest, due: float, request: str = "", *, quotes_body: bool = True) -> None:
        self.check, self.due, self.quotes_body = check, due, quotes_body
        self.request = request or check.request
        self.answered: Optional[tuple[Answer, float]] = None  # what came and when, until it is judged
        self.answer = Answer(0.0)
        self.decided = False
        self.finding = failed(f"{self.request}: time was over before it could be sent")
        self._attempts = self._good_in_a_row = self._silent_in_a_row = 0

    def begin(self, now: float) -> None:
        """It is sent now."""
        self.due = now + PAUSE  # of a sample; an attempt's pause begins when it is judged
        if not self._attempts:
            self.finding = failed(f"{self.request}: time was over before it was answered")

    def judge(self, answer: Answer, now: float) -> None:
        """Judge an answer (in the main thread), and decide whether there is another attempt."""
        check = self.check
        self.answer = answer
        self._attempts += 1
        self._silent_in_a_row = self._silent_in_a_row + 1 if answer.problem else 0
        wrong = mismatches(check, answer, quotes_body=self.quotes_body)
        self._good_in_a_row = 0 if wrong else self._good_in_a_row + 1
        missing = check.consecutive_successes - self._good_in_a_row
        silent = self._silent_in_a_row > check.consecutive_error_limit
        self.decided = missing <= 0 or check.attempts - self._attempts < missing or silent
        self.due = now + check.interval
        if missing <= 0:
            said = f"{self.request}: {answer.status} in {answer.latency_ms:.0f} ms"
            self.finding = passed(said, attempts=self._attempts, milliseconds=round(answer.latency_ms, 1))
            return
        tries = f" (attempt {self._attempts} of {check.attempts})" if check.attempts > 1 else ""
        row = f"as expected {self._good_in_a_row} time(s) in a row, {check.consecutive_successes} wanted"
        self.finding = failed(f"{self.request}: {'; '.join(wrong) or row}{tries}", attempts=self._attempts)


@dataclass
class Samples:
    """What came of samples: each judged one as (latency in ms, why it failed or empty)."""

    outcomes: list[tuple[float, str]] = field(default_factory=list)
    asked_for_fewer: bool = False  # by a status 429, which ended them
    workers: list[Attempts] = field(default_factory=list)


class Sampling(Attempts):
    """Samples of one check, one after the other: `warm_up` that do not count, then `count` that do.

    Each is judged as the check is, but for its latency, of which there are percentiles.
    """

    def __init__(self, check: HttpRequest, due: float, warm_up: int, count: int, samples: Samples) -> None:
        super().__init__(replace(check, max_latency_ms=None), due)
        self._warm_up, self._left, self._samples = warm_up, warm_up + count, samples

    def judge(self, answer: Answer, now: float) -> None:  # noqa: ARG002
        """Judge an answer (in the main thread)."""
        self._left -= 1
        self.decided = self._left <= 0
        if answer.status == 429 and not self.check.accepts(429):
            self._samples.asked_for_fewer = True
            for worker in self._samples.workers:
                worker.decided = True
        elif self._warm_up:
            self._warm_up -= 1
        else:
            wrong = mismatches(self.check, answer, quotes_body=False)
            self._samples.outcomes.append((answer.latency_ms, "; ".join(wrong)))


def send_side_by_side(
    all_attempts: Iterable[Attempts], sender: Sender, deadline: Deadline, at_once: int = AT_ONCE
) -> None:
    """Send until each is decided or the time is over, at most `at_once` requests at a time.

    An answer that is judged by regular expressions waits until nothing is on its way: in this function's time they
    would add to the latencies of others.
    """
    left = list(all_attempts)
    sent: dict[Future[Answer], Attempts] = {}

    def judge() -> None:
        for each in left:
            if each.answered and not (sent and each.check.has_expressions):
                each.judge(*each.answered)
                each.answered = None

    pool = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="http")
    try:
        while left and deadline.remaining() > 0:
            now = deadline.elapsed()
            resting = [each for each in left if each not in sent.values() and not each.answered]
            resting.sort(key=lambda each: each.due)
            some_wait = any(each.answered for each in left)
            for each in resting[: 0 if some_wait else at_once - len(sent)]:
                if each.due - now < SOON:
                    each.begin(now)
                    sent[pool.submit(sender.send, each.check)] = each
            soonest = min((each.due - now for each in resting if each.due - now >= SOON), default=deadline.remaining())
            if not sent:
                deadline.sleep(soonest)
                continue
            for future in wait(sent, min(soonest, deadline.remaining()), FIRST_COMPLETED).done:
                sent.pop(future).answered = future.result(), deadline.elapsed()
            judge()
            left = [each for each in left if not each.decided]
        sent.clear()
        judge()  # what came before time was over
    finally:  # when time is over nobody waits for what is still on its way
        pool.shutdown(wait=False, cancel_futures=True)


def send_samples(
    check: HttpRequest, sender: Sender, count: int, concurrency: int, deadline: Deadline, *, warm_up: int = 0
) -> Samples:
    """Send the check `count` times after `warm_up` times that do not count, `concurrency` at a time."""
    samples, workers, now = Samples(), min(count, concurrency), deadline.elapsed()
    samples.workers += [
        Sampling(check, now, (warm_up + number) // workers, (count + number) // workers, samples)
        for number in range(workers)
    ]
    send_side_by_side(samples.workers, sender, deadline, concurrency)
    return samples
