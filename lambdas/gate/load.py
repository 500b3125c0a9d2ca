"""A load of so many requests a second, whether or not answers come, and what came of it."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, replace
from typing import Callable, Optional

from gate.options.requests import MOST_CONNECTIONS, Load, normalised, status_range
from gate.statistics import Statistics, judge_statistics
from gate.verdict import Finding, failed, passed
from gate.waiting import Deadline
from gate.wire import CHUNK, FAILURES, Connection, headers_as_sent, in_words, target_of

LATE = 0.1  # seconds after it was due, in which a request is still sent
RECENT = 100  # answers; when half of them are errors, the service is failing
MAX_BODY = 1_000_000  # bytes of an answer that are read


@dataclass(frozen=True)
class LoadResult:
    """What came of a load, without its warm-up.

    `rate`: answers a second, of whatever status. `sent`: requests sent, answered or not. `late`: requests not sent
    because all connections were busy; what they waited is among the latencies. `busy_ms`: how long a request kept its
    connection, on average. `aborted`: why it ended early, or empty.
    """

    statistics: Statistics
    rate: float
    sent: int
    late: int
    busy_ms: float
    aborted: str = ""


def send_load(
    load: Load,
    base_url: str,
    deadline: Deadline,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> LoadResult:
    """Send the load in an open loop: request number n is due n / rate seconds after the start, come what may.

    `concurrency` threads, each with one kept connection, take the numbers in turn, wait until theirs is due, and send.
    Latency counts from the moment a request was due, so that a stall cannot hide those that had to wait for a
    connection (coordinated omission). One that would be more than 0.1 s late is not sent, so that no burst follows a
    stall; what it waited until a connection was free counts as a latency (HdrHistogram corrects alike).

    An error is no answer within `timeout` (connecting and the body included) or a status not among `load.status`; it
    has no latency. Redirects are not followed. It ends early when half of the last 100 answers, the warm-up's too, are
    errors, and at the deadline, where what is under way is not waited for. TLS is not verified: a load balancer's own
    name is in no certificate. `clock` and `sleep` are in seconds.
    """
    run = _Run(load, base_url, deadline, clock, sleep)
    workers = range(min(load.concurrency, run.total))
    threads = [threading.Thread(target=run.work, name="load", daemon=True) for _ in workers]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive() and not (deadline.remaining() <= 0 and run.is_over()):
                thread.join(LATE)
    finally:  # whatever is raised in this thread, the others end
        run.over.set()
    return run.result()


class _Run:
    """One load on its way, and the counts that its threads share."""

    def __init__(
        self, load: Load, base_url: str, deadline: Deadline, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self.load, self.deadline, self.clock, self.sleep = load, deadline, clock, sleep
        self.url = normalised(f"{base_url.rstrip('/')}/{load.path.lstrip('/')}")
        self.target, self.headers = target_of(self.url), dict(headers_as_sent(load.headers, load.host))
        self.accepted = {code for expression in load.status for code in status_range(expression)}
        self.warm_up = load.requests(load.warm_up)
        self.total = self.warm_up + load.requests(load.duration)
        self.numbers = iter(range(self.total))  # `next` needs no lock
        self.lock, self.over = threading.Lock(), threading.Event()
        self.latencies: Counter[float] = Counter()  # in ms to 0.01, of good answers and of what was too late
        self.reasons: Counter[str] = Counter()
        self.recent: deque[bool] = deque(maxlen=RECENT)  # whether each was an error
        self.sent = self.late = 0
        self.busy = 0.0  # seconds of all requests
        self.aborted = ""
        self.started = clock()

    def work(self) -> None:
        """Send one request after the other over one connection."""
        connection = Connection(self.url, self.load.host, None, self.clock)
        for number in self.numbers:
            due = self.started + number / self.load.rate
            while not self.is_over() and (left := due - self.clock()) > 0:
                self.sleep(min(left, LATE))
            if self.over.is_set():
                break
            began, reason = self.clock(), None
            if began - due <= LATE:
                reason = self.ask(connection, began + self.load.timeout)
            self.note(number, due, began, reason)
        connection.close()

    def ask(self, connection: Connection, until: float) -> str:
        """Send one request and read its answer; empty, or why that is an error."""
        try:
            answer, left = connection.ask("GET", self.target, self.headers, None, until), MAX_BODY
            while left > 0 and (chunk := answer.read(min(left, CHUNK))):
                left -= len(chunk)
        except FAILURES as problem:
            return in_words(problem, self.load.timeout, "host and headers")
        return "" if answer.status in self.accepted else f"status {answer.status}"

    def note(self, number: int, due: float, began: float, reason: Optional[str]) -> None:
        """Count a request that was due and begun then; `reason`: why it failed, empty if it did not, None if too late.

        Ends the load when the service is plainly failing.
        """
        ended = began if reason is None else self.clock()
        with self.lock:
            if reason is not None:
                self.recent.append(bool(reason))
            if number >= self.warm_up:
                self.sent += reason is not None
                self.late += reason is None
                self.busy += ended - began
                if reason:
                    self.reasons[reason] += 1
                else:
                    self.latencies[round((ended - due) * 1000, 2)] += 1
            errors = sum(self.recent) if reason else 0
        if errors * 2 >= RECENT and len(self.recent) == RECENT:
            self.abort(f"{errors} of the last {RECENT} answers were errors, such as {reason}")

    def is_over(self) -> bool:
        if not self.over.is_set() and self.deadline.remaining() <= 0:
            self.abort(f"the time was over after {self.clock() - self.started:.0f} s")
        return self.over.is_set()

    def abort(self, why: str) -> None:
        self.aborted = self.aborted or why  # the first reason stays
        self.over.set()

    def result(self) -> LoadResult:
        with self.lock:  # at the deadline some may still be counting
            latencies = [latency for latency, count in sorted(self.latencies.items()) for _ in range(count)]
            statistics = Statistics(len(latencies) + sum(self.reasons.values()), dict(self.reasons), latencies)
            # The time in which all that is counted was due; what ended early had less.
            due = min((self.clock() - self.started) * self.load.rate, self.total) - self.warm_up
            answered = len(latencies) - self.late
            answered += sum(times for reason, times in self.reasons.items() if reason.startswith("status "))
            rate = answered * self.load.rate / max(statistics.count, due, 1)
            busy_ms = self.busy * 1000 / max(self.sent, 1)
            return LoadResult(statistics, rate, self.sent, self.late, busy_ms, self.aborted)


def judge_load(load: Load, result: LoadResult) -> list[Finding]:
    """The figures against their thresholds; the rate achieved, 90 % of what was asked; and whether it ended early."""
    findings = judge_statistics("load", "load", result.statistics, load)
    asked = f"{result.rate:.4g} answers a second of {load.rate:g} asked"
    rate = passed(asked, "load:rate")
    if result.rate < 0.9 * load.rate:
        rate = failed(f"load: {asked}, at least 90 % expected: {_cure(load, result)}", "load:rate")
    figures = {"requests_per_second": round(result.rate, 3), "busy_ms": round(result.busy_ms, 2)}
    findings.append(replace(rate, values={**figures, "sent": result.sent, "late": result.late}))
    if result.aborted:
        findings.append(failed(f"load: it ended early: {result.aborted}", "load:aborted"))
    return findings


def _cure(load: Load, result: LoadResult) -> str:
    """Why the rate was not achieved. By Little's law, rate x time is how many connections are busy at once."""
    if not result.statistics.count:
        few = f"no request comes of {load.rate:g} a second for {load.duration:g} s: raise rate or duration"
        return "nothing was answered" if load.requests(load.duration) else few
    if not result.late:
        return f"{result.statistics.errors} of {result.sent} sent failed"
    needed = math.ceil(load.rate * result.busy_ms / 1000)
    found = f"a request takes {result.busy_ms:.4g} ms on average, so the rate needs {needed} connection(s) at once"
    if needed <= load.concurrency:
        return (
            f"{found}, of {load.concurrency}, yet {result.late} requests were late: the service stalled for moments, "
            "or this function computes too slowly (raise memory_size)"
        )
    if needed > MOST_CONNECTIONS:
        return f"{found}, and concurrency can be {MOST_CONNECTIONS}: the service did not keep up, or lower the rate"
    return f"{found}: the service did not keep up, or raise concurrency from {load.concurrency} to {needed} or more"
