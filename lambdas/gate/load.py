"""A load of so many requests a second, whether or not answers come, and what came of it.

On the standard library alone: `requests` computes for half a millisecond at each request.
"""

from __future__ import annotations

import math
import select
import socket
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.client import HTTPException, IncompleteRead
from typing import Any, Callable, NamedTuple, Optional
from urllib.parse import urlsplit

from gate.options import MOST_CONNECTIONS, Load, normalised, status_range
from gate.statistics import Statistics, judge_statistics
from gate.verdict import Finding, failed, passed
from gate.waiting import Deadline
from gate.wire import CLOSED, Reader, Response, connect, seconds_left

LATE = 0.1  # seconds after it was due, in which a request is still sent
RECENT = 100  # answers; when half of them are errors, the service is failing
IDLE = 4.0  # seconds a connection may be unused: servers close theirs after 5 (uvicorn, Node.js) or more
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
    verify_tls: bool = False,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> LoadResult:
    """Send the load in an open loop: request number n is due n / rate seconds after the start, come what may.

    `concurrency` threads, each with one kept connection, take the numbers in turn, wait until theirs is due, and send.
    Latency counts from the moment a request was due, so that a stall cannot hide those that had to wait for a
    connection (coordinated omission). One that would be more than 0.1 s late is not sent, so that no burst follows a
    stall; what it waited until a connection was free counts as a latency (HdrHistogram corrects alike). There are
    never more than rate x (warm_up + duration) answers; only what a kept connection lost before any byte of one is
    sent again, once, as browsers do.

    An error is no answer within `timeout` (connecting and the body included) or a status not among `load.status`; it
    has no latency. Redirects are not followed. It ends early when half of the last 100 answers, the warm-up's too, are
    errors, and at the deadline, where what is under way is not waited for. TLS is not verified unless `verify_tls`: a
    load balancer's own name is in no certificate. `clock` and `sleep` are in seconds.
    """
    return _Run(load, deadline, _target(load, base_url, verify_tls), clock=clock, sleep=sleep).result()


class _Target(NamedTuple):
    """Where the requests go, and the bytes of each."""

    address: tuple[str, int]
    request: bytes
    tls: Optional[ssl.SSLContext]
    server_name: str


def _target(load: Load, base_url: str, verify_tls: bool) -> _Target:
    url = urlsplit(base_url)
    name, usual_port = url.hostname or "", 443 if url.scheme == "https" else 80
    port = url.port or usual_port
    tls = ssl.create_default_context() if url.scheme == "https" else None
    if tls and not verify_tls:
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    shown = f"[{name}]" if ":" in name else name
    # A listener's rules compare Host as it stands: without the usual port, as browsers send it.
    host = load.host or (shown if port == usual_port else f"{shown}:{port}")
    headers = {"Host": host, "User-Agent": "codedeploy-hooks", "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
    own = {header.lower() for header in load.headers} - ({"host"} if load.host else set())
    headers = {header: value for header, value in headers.items() if header.lower() not in own}
    headers.update({header: value for header, value in load.headers.items() if header.lower() in own})
    lines = "".join(f"{header}: {value}\r\n" for header, value in headers.items())
    path = normalised(f"{url.path.rstrip('/')}/{load.path.lstrip('/')}")
    request = f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()
    return _Target((name, port), request, tls, load.host.partition(":")[0] if load.host else name)


class _Run:
    """One load on its way. The threads share everything here; appending and `next` need no lock."""

    def __init__(
        self,
        load: Load,
        deadline: Deadline,
        target: _Target,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self.load, self.deadline, self.target, self.clock, self.sleep = load, deadline, target, clock, sleep
        self.warm = load.requests(load.warm_up)
        self.total = self.warm + load.requests(load.duration)
        self.accepted = {code for expression in load.status for code in status_range(expression)}
        self.numbers, self.answered = iter(range(self.total)), iter(range(self.total))
        self.latencies: list[float] = []  # of good answers, in ms
        self.waited: list[float] = []  # by what was too late, in ms
        self.busy: list[float] = []  # how long each request kept its connection, in ms
        self.reasons: Counter[str] = Counter()
        self.same: dict[float, float] = {}
        self.recent = [False] * RECENT
        self.aborted = ""
        self.lock, self.over = threading.Lock(), threading.Event()
        self.started = clock()

    def result(self) -> LoadResult:
        """Send everything; add up what came of it."""
        workers = range(min(self.load.concurrency, self.total))
        threads = [threading.Thread(target=self.work, name="load", daemon=True) for _ in workers]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive() and (self.deadline.remaining() > 0 or not self.out_of_time()):
                    thread.join(LATE)
        finally:  # whatever is raised in this thread, the others end
            self.over.set()
        with self.lock:  # at the deadline some may still be counting
            reasons, late, latencies = dict(self.reasons), len(self.waited), [*self.waited, *self.latencies]
        latencies.sort()
        count = len(latencies) + sum(reasons.values())
        statuses = sum(times for reason, times in reasons.items() if reason.startswith("status "))
        # The time in which all that is counted was due; what ended early had less.
        rate, elapsed = self.load.rate, self.clock() - self.started
        seconds = max(count, min(elapsed * rate, self.total) - self.warm, 1) / rate
        return LoadResult(
            Statistics(count, reasons, latencies),
            (len(latencies) - late + statuses) / seconds,
            len(self.busy),
            late,
            sum(self.busy) / max(len(self.busy), 1),
            self.aborted,
        )

    def work(self) -> None:
        """Send one request after the other over one connection."""
        connection = _Connection(self)
        try:
            for number in self.numbers:
                due = self.started + number / self.load.rate
                while not self.out_of_time() and (left := due - self.clock()) > 0:
                    self.sleep(min(left, LATE))
                if self.over.is_set():
                    return
                began, counts = self.clock(), number >= self.warm
                if began - due <= LATE:
                    reason = connection.ask(began + self.load.timeout)
                    self.note(reason, due, began, counts)
                elif counts:
                    self.waited.append(self.milliseconds(began - due))
        finally:
            connection.close()

    def note(self, reason: str, due: float, began: float, counts: bool) -> None:
        """Note what came of a request; end the load when the service is plainly failing."""
        ended, place = self.clock(), next(self.answered)
        self.recent[place % RECENT] = bool(reason)
        if counts:
            self.busy.append(self.milliseconds(ended - began))
        if not reason:
            if counts:
                self.latencies.append(self.milliseconds(ended - due))
            return
        if counts:
            with self.lock:
                self.reasons[reason] += 1
        errors = sum(self.recent)
        if place >= RECENT - 1 and errors * 2 >= RECENT:
            self.abort(f"{errors} of the last {RECENT} answers were errors, such as {reason}")

    def milliseconds(self, seconds: float) -> float:
        """To 0.01 ms, and equal ones as one object: millions of them fit into a function's memory."""
        rounded = round(seconds * 1000, 2)
        return self.same.setdefault(rounded, rounded)

    def out_of_time(self) -> bool:
        """Whether it is over, for this or another reason."""
        if not self.over.is_set() and self.deadline.remaining() <= 0:
            self.abort(f"the time was over after {self.clock() - self.started:.0f} s")
        return self.over.is_set()

    def abort(self, why: str) -> None:
        """End it; the first reason stays."""
        self.aborted = self.aborted or why
        self.over.set()


class _Connection:
    """A connection that is kept for the next request, and made anew when the server has closed it."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._socket: Optional[socket.socket] = None
        self._readable = select.poll()
        self._used_at = 0.0
        self._began = False  # whether a byte of the last answer has come

    def ask(self, until: float) -> str:
        """Send the request and read the answer; empty, or why that is an error."""
        timeout = self._run.load.timeout
        try:
            # What can be read before anything was asked is the server's goodbye.
            if self._socket and (until - timeout - self._used_at > IDLE or self._readable.poll(0)):
                self.close()
            kept = self._socket is not None
            try:
                status, keeps = self._exchange(until)
            except CLOSED:
                if not kept or self._began:
                    raise
                self.close()  # the server had closed it meanwhile, which it may: as curl and browsers do, once more
                status, keeps = self._exchange(until)
            if not keeps:
                self.close()
            self._used_at = self._run.clock()
            return "" if status in self._run.accepted else f"status {status}"
        except (OSError, HTTPException, ValueError) as problem:  # ValueError: of a name that DNS cannot have
            self.close()
            return _in_words(problem, timeout)

    def _exchange(self, until: float) -> tuple[int, bool]:
        """Send the request and read the answer: its status, and whether the connection can be kept."""
        self._began = False
        connected = self._socket or self._connect(until)
        connected.settimeout(seconds_left(until, self._run.clock))
        connected.sendall(self._run.target.request)
        return self._answer(connected, until)

    def _connect(self, until: float) -> socket.socket:
        target = self._run.target
        connected = self._socket = connect(*target.address, until, self._run.clock)
        if target.tls:
            connected = self._socket = target.tls.wrap_socket(connected, server_hostname=target.server_name)
        self._readable = select.poll()
        self._readable.register(connected, select.POLLIN)
        return connected

    def _answer(self, connected: socket.socket, until: float) -> tuple[int, bool]:
        reader = Reader(connected, until, self._run.clock)
        answer = Response(reader, method="GET")  # type: ignore[arg-type]
        try:
            answer.begin()
        finally:
            self._began = reader.began
        left = MAX_BODY
        while left > 0 and (chunk := answer.read(min(left, 65536))):
            left -= len(chunk)
        if left > 0 and answer.length:
            raise IncompleteRead(b"", answer.length)
        return answer.status, answer.isclosed() and not answer.will_close

    def close(self) -> None:
        """Close it; the next request makes another."""
        if self._socket:
            self._socket.close()
            self._socket = None


def _in_words(problem: Exception, timeout: float) -> str:
    kind = type(problem).__name__
    if isinstance(problem, (socket.timeout, TimeoutError)):
        return f"no answer within {timeout:g} s"
    if isinstance(problem, HTTPException) and not isinstance(problem, OSError):
        return f"the answer broke off ({kind})"  # its text may be the answer's
    if not isinstance(problem, OSError):  # its text may be the request's
        return f"the request could not be sent ({kind}): check its host"
    word = "no answer"
    if isinstance(problem, ssl.SSLError):
        word = "TLS failed"
    elif isinstance(problem, ConnectionRefusedError):
        word = "connection refused"
    elif isinstance(problem, socket.gaierror):
        word = "the name could not be resolved"
    return f"{word} ({kind}: {problem})"[:200]


def judge_load(load: Load, result: LoadResult) -> list[Finding]:
    """The figures against their thresholds; the rate achieved, 90 % of what was asked; and whether it ended early."""
    findings = judge_statistics("load", "load", result.statistics, load)
    asked = f"{result.rate:.4g} answers a second of {load.rate:g} asked"
    values: dict[str, Any] = {
        "requests_per_second": round(result.rate, 3), "sent": result.sent, "late": result.late,
        "busy_ms": round(result.busy_ms, 2),
    }  # fmt: skip
    if result.rate < 0.9 * load.rate:
        findings.append(failed(f"load: {asked}, at least 90 % expected: {_cure(load, result)}", "load:rate", **values))
    else:
        findings.append(passed(asked, "load:rate", **values))
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
