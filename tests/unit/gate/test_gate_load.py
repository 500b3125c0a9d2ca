"""gate.load against a real server: what is sent and when, what counts as latency and as error, and what ends it."""

from __future__ import annotations

import itertools
import math
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from gate.load import LATE, LoadResult, judge_load, send_load
from gate.options.requests import Load
from gate.verdict import Outcome
from gate.waiting import Deadline, OutOfTime
from gate.wire import Connection, headers_as_sent
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.gate.conftest import NAME, Clock
from tests.unit.gate.web_server import Certificates, Request, WebServer

SECRET = "correct-horse-battery"


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A server that answers / with 200."""
    server = WebServer(routes={"/": lambda request: request.answer()})
    yield server
    server.close()


@pytest.fixture
def secure(certificates: Certificates) -> Iterator[WebServer]:
    """The same with that certificate."""
    server = WebServer(certificates, routes={"/": lambda request: request.answer()})
    yield server
    server.close()


def load(rate: float = 500.0, duration: float = 0.1, concurrency: int = 4, **more: Any) -> Load:
    """A load of 50 requests."""
    return Load(rate=rate, duration=duration, concurrency=concurrency, **more)


def send(web: WebServer | str, wanted: Load, **options: Any) -> LoadResult:
    """Send it, with more time than any test takes."""
    return send_load(wanted, web if isinstance(web, str) else web.url, Deadline(600), **options)


def send_on(clock: Clock, url: str, wanted: Load) -> LoadResult:
    """Send it on a clock that moves only when the loader sleeps and when a route of the server says so."""
    return send_load(
        replace(wanted, concurrency=1), url, Deadline(1e6, clock.monotonic, clock.sleep),
        clock=clock.monotonic, sleep=clock.sleep,
    )  # fmt: skip


def send_to_closing(clock: Clock, web: WebServer, wanted: Load) -> LoadResult:
    """The same to a server that closes each connection after its answer: only then the clock moves on."""

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        while any(request.handler.connection.fileno() != -1 for request in web.requests):
            time.sleep(0.001)

    return send(web, replace(wanted, concurrency=1), clock=clock.monotonic, sleep=sleep)


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "load"]


@pytest.fixture
def clock() -> Clock:
    """A clock of this test's own; the gate's is left alone."""
    return Clock()


# How much, and when

decimals = st.integers(1, 10_000_000).map(lambda thousandths: thousandths / 1000)


@given(rate=decimals, seconds=st.integers(0, 600_000).map(lambda thousandths: thousandths / 1000))
def test_as_many_as_are_asked_for_and_never_more(rate: float, seconds: float) -> None:
    asked = Fraction(str(rate)) * Fraction(str(seconds))
    assert load(rate).requests(seconds) == math.floor(asked)


@given(rate=st.floats(0.001, 10_000), seconds=st.floats(0, 600))
def test_every_request_is_due_within_the_time(rate: float, seconds: float) -> None:
    count = load(rate).requests(seconds)
    assert count <= Fraction(rate) * Fraction(seconds) + Fraction(1, 10**6)
    assert count > Fraction(rate) * Fraction(seconds) - 1
    assert count == 0 or (count - 1) / rate < seconds


@given(
    rate=st.integers(1, 100_000).map(lambda hundredths: hundredths / 100),
    duration=st.integers(1, 2000).map(lambda hundredths: hundredths / 100),
    warm_up=st.integers(0, 2000).map(lambda hundredths: hundredths / 100),
)
def test_all_that_is_planned_is_sent_once_and_in_time(
    monkeypatch: pytest.MonkeyPatch, rate: float, duration: float, warm_up: float
) -> None:
    """Without a server: a connection that answers at once, on a clock that is exact."""
    clock, asked = Clock(), []

    class Answering(Connection):
        def ask(self, *_request: object) -> Any:
            asked.append(clock.now - 1000)
            return SimpleNamespace(status=200, read=lambda _amount: b"")

    wanted = load(min(rate, 300 / (duration + warm_up)), duration, warm_up=warm_up)
    with monkeypatch.context() as patch:
        patch.setattr("gate.load.Connection", Answering)
        result = send_on(clock, "http://127.0.0.1", wanted)
    warm, counted = wanted.requests(warm_up), wanted.requests(duration)
    assert len(asked) == warm + counted
    assert (result.sent, result.late, result.statistics.count) == (counted, 0, counted)
    assert result.rate == pytest.approx(wanted.rate if counted else 0)
    assert asked == pytest.approx([number / wanted.rate for number in range(warm + counted)], abs=1e-6)


def test_requests_are_sent_when_they_are_due_whatever_the_answers_take(web: WebServer, clock: Clock) -> None:
    times = []

    def route(request: Request) -> None:
        times.append(clock.now - 1000)
        clock.now += 0.004
        request.answer()

    web.routes["/"] = route
    result = send_on(clock, web.url, load(rate=100, duration=0.3))
    assert times == pytest.approx([number / 100 for number in range(30)])
    assert (result.sent, result.late, result.aborted) == (30, 0, "")
    assert result.rate == pytest.approx(100)
    assert set(result.statistics.latencies) == {4.0}
    assert result.busy_ms == pytest.approx(4)
    assert len({request.handler.client_address for request in web.requests}) == 1


def test_never_more_than_asked_and_never_more_at_once(web: WebServer) -> None:
    lock, busy, most = threading.Lock(), 0, 0

    def count(request: Request) -> None:
        nonlocal busy, most
        with lock:
            busy, most = busy + 1, max(most, busy + 1)
        time.sleep(0.01)  # long enough for more to be under way, if more were
        with lock:
            busy -= 1
        request.answer()

    web.routes["/"] = count
    result = send(web, load(rate=2000, duration=0.2, concurrency=5, warm_up=0.05))
    assert 1 < most <= 5
    assert result.sent + result.late == result.statistics.count == 400
    assert len(web.requests) <= 500
    assert len({request.handler.client_address for request in web.requests}) <= 5


def test_less_than_one_request_is_none_and_said_to_be(web: WebServer) -> None:
    wanted = load(rate=0.5, duration=1)
    result = send(web, wanted)
    assert (result.sent, web.requests) == (0, [])
    findings = {finding.name: finding for finding in judge_load(wanted, result)}
    assert findings["load:error_rate"].outcome is Outcome.FAILED
    assert findings["load:rate"].detail.endswith("no request comes of 0.5 a second for 1 s: raise rate or duration")


# Latency


def stalling(clock: Clock, at: int, seconds: float) -> Callable[[Request], None]:
    """A route that takes 1 ms, but for one request."""
    numbers = itertools.count()

    def route(request: Request) -> None:
        clock.now += seconds if next(numbers) == at else 0.001
        request.answer()

    return route


def test_a_stall_is_seen_by_all_that_had_to_wait_for_it(web: WebServer, clock: Clock) -> None:
    """300 ms at 100 a second: 30 of 200 had to wait, although one request alone was under way."""
    web.routes["/"] = stalling(clock, 50, 0.305)
    result = send_on(clock, web.url, load(rate=100, duration=2))
    assert result.statistics.latency("max") == pytest.approx(305)
    assert result.statistics.latency("p99") == pytest.approx(285)
    assert result.statistics.latency("p50") == pytest.approx(1)
    assert sum(latency > 100 for latency in result.statistics.latencies) == 21


def test_what_is_late_is_not_sent_but_counted_with_what_it_waited(web: WebServer, clock: Clock) -> None:
    web.routes["/"] = stalling(clock, 50, 0.305)
    result = send_on(clock, web.url, load(rate=100, duration=2))
    # The connection was free at 805 ms: those due at 510, 520, … 700 ms were more than 100 ms late.
    assert (result.late, result.sent, len(web.requests), result.statistics.count) == (20, 180, 180, 200)
    waited = [latency for latency in result.statistics.latencies if 104 < latency < 296]
    assert waited == pytest.approx([105 + 10 * number for number in range(20)])
    assert result.rate == pytest.approx(90)


def test_no_burst_follows_a_stall(web: WebServer, clock: Clock) -> None:
    times = []
    stall = stalling(clock, 50, 1.0)

    def route(request: Request) -> None:
        times.append(clock.now)
        stall(request)

    web.routes["/"] = route
    send_on(clock, web.url, load(rate=100, duration=3))
    for at in times:
        assert sum(at <= other < at + 0.1 for other in times) <= 10 + LATE * 100


def test_the_warm_up_is_sent_but_not_counted(web: WebServer, clock: Clock) -> None:
    numbers = itertools.count()

    def route(request: Request) -> None:
        number = next(numbers)
        clock.now += 0.05 if number < 5 else 0.001
        request.answer(500 if number == 7 else 200)

    web.routes["/"] = route
    result = send_on(clock, web.url, load(rate=10, duration=2, warm_up=1))
    assert len(web.requests) == 30
    assert (result.sent, result.statistics.count, result.statistics.errors) == (20, 20, 0)
    assert result.statistics.latency("max") == pytest.approx(1)
    assert result.rate == pytest.approx(10)


def test_latencies_on_a_real_clock_hold_the_stall_too(web: WebServer) -> None:
    numbers = itertools.count()

    def route(request: Request) -> None:
        if next(numbers) == 20:
            time.sleep(0.3)
        request.answer()

    web.routes["/"] = route
    result = send(web, load(rate=200, duration=0.5, concurrency=1))
    assert result.statistics.latency("p99") > 200
    assert result.late > 0


# What is sent


def test_the_request_is_as_declared(web: WebServer) -> None:
    web.routes["/api/orders"] = lambda request: request.answer()
    wanted = load(duration=0.01, path="/orders?dry=1", host=NAME, headers={"X-Token": SECRET, "user-agent": "browser"})
    assert send(f"{web.url}/api", wanted).statistics.errors == 0
    request = web.requests[0]
    assert (request.method, request.path, request.body) == ("GET", "/api/orders?dry=1", b"")
    assert {**request.headers, "Accept-Encoding": ""} == {
        "Host": NAME, "Accept": "*/*", "Accept-Encoding": "", "X-Token": SECRET, "user-agent": "browser",
    }  # fmt: skip


def test_the_request_says_who_asks(web: WebServer) -> None:
    send(web, load(duration=0.01))
    headers = web.requests[0].headers
    assert (headers["User-Agent"], headers["Host"]) == ("codedeploy-hooks", web.url.removeprefix("http://"))


@pytest.mark.parametrize(
    ("more", "host"),
    [
        ({"headers": {"host": NAME}}, NAME),
        ({"headers": {"host": "b"}, "host": NAME}, NAME),
        ({"host": f"{NAME}:8443"}, f"{NAME}:8443"),
    ],
)
def test_the_host_is_sent_once(web: WebServer, more: dict[str, Any], host: str) -> None:
    wanted = load(duration=0.01, **more)
    sent = headers_as_sent(wanted.headers, wanted.host)
    assert [value for name, value in sent.items() if name.lower() == "host"] == [host.encode()]
    send(web, wanted)
    assert web.requests[0].headers.get("Host", web.requests[0].headers.get("host")) == host


# Answers


def answers(web: WebServer, content: bytes) -> LoadResult:
    web.routes["/"] = lambda request: request.raw(content)
    return send_to_closing(Clock(), web, load(rate=100, duration=0.03))


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length:2 \r\nConnection: close\r\n\r\nok",
        b"HTTP/1.1 200\r\nX: y\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3;a=b\r\nabc\r\n0\r\nTrailer: x\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 1500000\r\n\r\n" + b"x" * 1_500_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more than was said",
    ],
    ids=[
        "length", "close", "empty", "204", "304", "chunked", "HTTP/1.0", "to the end", "100", "long", "too long",
        "surplus",
    ],
)  # fmt: skip
def test_answers_of_every_kind_are_read(web: WebServer, content: bytes) -> None:
    result = answers(web, content)
    assert (result.statistics.reasons, len(result.statistics.latencies), len(web.requests)) == ({}, 3, 3)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no answer (RemoteDisconnected: Remote end closed connection without response)"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "the answer broke off (BadStatusLine)"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "the answer broke off (IncompleteRead)"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nshort", "the answer broke off (IncompleteRead)"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "status 503"),
        (b"HTTP/1.1 404 Not Found\r\n\r\nnothing", "status 404"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "status 404"),
    ],
)
def test_what_is_no_good_answer_is_told_apart(web: WebServer, content: bytes, reason: str) -> None:
    result = answers(web, content)
    assert (result.statistics.reasons, result.statistics.latencies, result.sent) == ({reason: 3}, [], 3)


def test_accepted_statuses_are_no_errors(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(404)
    accepted, refused = (
        send_on(Clock(), web.url, load(duration=0.01, status=("2xx", code))).statistics for code in ("404", "403")
    )
    assert (accepted.reasons, refused.reasons) == ({}, {"status 404": 5})


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_what_never_ends_is_a_time_out(web: WebServer, beginning: bytes) -> None:
    def trickle(request: Request) -> None:
        request.raw(beginning)
        while beginning and not request.closing.wait(0.02):
            request.raw(b"x: y\r\n")
        request.closing.wait(30)

    web.routes["/"] = trickle
    result = send(web, load(rate=10, duration=0.5, concurrency=5, timeout=0.3))
    assert set(result.statistics.reasons) == {"no answer within 0.3 s"}
    assert result.busy_ms > 290


def test_nobody_listening_is_a_refusal() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    result = send_on(Clock(), f"http://127.0.0.1:{port}", load(duration=0.01))
    (reason,) = result.statistics.reasons
    assert reason.startswith("connection refused (ConnectionRefusedError: ")
    assert result.rate == 0


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("name.invalid", "the name could not be resolved (gaierror: "),
        ("a..b", "the request could not be sent (UnicodeError): check its host and headers"),
    ],
)
def test_a_name_that_leads_nowhere(name: str, reason: str) -> None:
    result = send_on(Clock(), f"http://{name}", load(duration=0.01))
    assert [each[: len(reason)] for each in result.statistics.reasons] == [reason]


# Connections


def test_a_connection_is_made_again_when_the_server_has_closed_it(web: WebServer, clock: Clock) -> None:
    """Whether it says so or not."""
    numbers = itertools.count()

    def route(request: Request) -> None:
        headers = {"Connection": "close"} if next(numbers) % 2 else {}
        request.answer(headers=headers)
        request.handler.close_connection = True

    web.routes["/"] = route
    result = send_to_closing(clock, web, load(rate=50, duration=0.4))
    assert (result.statistics.reasons, result.sent) == ({}, 20)
    assert len({request.handler.client_address for request in web.requests}) == 20


def test_over_tls_as_the_declared_host_and_unverified(secure: WebServer) -> None:
    result = send_on(Clock(), secure.url, load(duration=0.02, host=f"{NAME}:443"))
    assert (result.statistics.reasons, len(secure.requests)) == ({}, 10)
    assert secure.server_names == [NAME]
    assert secure.requests[0].headers["Host"] == f"{NAME}:443"


def test_plain_text_where_tls_is_expected(web: WebServer) -> None:
    result = send_on(Clock(), web.url.replace("http:", "https:"), load(duration=0.01))
    assert result.statistics.errors == 5
    # What the server says to bytes that are no request may come before or after it has hung up.
    assert {reason.partition(" (")[0] for reason in result.statistics.reasons} <= {"TLS failed", "no answer"}


# What ends it


def test_a_load_that_meets_only_errors_ends_early(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(503)
    wanted = load(rate=1000, duration=600, concurrency=8)
    result = send(web, wanted)
    assert 100 <= len(web.requests) == result.sent <= 100 + 8
    assert re.fullmatch(r"\d+ of the last 100 answers were errors, such as status 503", result.aborted)
    findings = {finding.name: finding for finding in judge_load(wanted, result)}
    assert findings["load:aborted"].outcome is Outcome.FAILED
    assert findings["load:aborted"].detail == f"load: it ended early: {result.aborted}"


def test_half_of_them_are_enough_to_end_it(web: WebServer, clock: Clock) -> None:
    numbers = itertools.count()
    web.routes["/"] = lambda request: request.answer(503 if next(numbers) >= 100 else 200)
    result = send_on(clock, web.url, load(rate=1000, duration=600))
    assert (result.aborted.partition(",")[0], len(web.requests)) == ("50 of the last 100 answers were errors", 150)


def test_a_load_with_some_errors_goes_on(web: WebServer) -> None:
    numbers = itertools.count()
    web.routes["/"] = lambda request: request.answer(503 if next(numbers) % 3 == 0 else 200)
    result = send(web, load(rate=1000, duration=0.3, concurrency=1))
    assert result.aborted == ""
    assert result.sent + result.late == 300
    assert result.statistics.errors == math.ceil(result.sent / 3)


def test_the_warm_up_can_end_it_too(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(503)
    result = send(web, load(rate=1000, duration=1, warm_up=300))
    assert (result.sent, result.statistics.count) == (0, 0)
    assert "status 503" in result.aborted


def test_the_deadline_ends_it(web: WebServer) -> None:
    deadline = Deadline(600)

    def route(request: Request) -> None:
        if len(web.requests) >= 3:
            deadline.call_off()
        request.answer()

    web.routes["/"] = route
    result = send_load(load(rate=100, duration=600), web.url, deadline)
    assert result.aborted.startswith("the time was over after ")
    assert 3 <= len(web.requests) <= 3 + 4
    assert result.sent <= len(web.requests)


def test_the_deadline_does_not_wait_for_what_is_under_way(web: WebServer) -> None:
    deadline = Deadline(600)

    def hang(request: Request) -> None:
        deadline.call_off()
        request.closing.wait(30)
        request.raw(b"")

    web.routes["/"] = hang
    result = send_load(load(timeout=30.0), web.url, deadline)
    assert workers()  # they still wait
    assert (result.sent, result.statistics.count) == (0, 0)
    assert result.aborted


def test_nothing_is_sent_when_the_time_is_over_before(web: WebServer) -> None:
    deadline = Deadline(600)
    deadline.call_off()
    result = send_load(load(rate=10, duration=600), web.url, deadline)
    assert (result.sent, web.requests) == (0, [])
    assert result.aborted == "the time was over after 0 s"


def test_the_threads_end_when_this_one_is_interrupted(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the alarm clock does it: an exception in the thread that waits."""

    def interrupt(_thread: threading.Thread, timeout: float | None = None) -> NoReturn:
        assert timeout is not None
        while len(web.requests) < 3:
            time.sleep(0.001)
        raise OutOfTime

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "join", interrupt)
        with pytest.raises(OutOfTime):
            send(web, load(rate=100, duration=600))
    for thread in workers():  # gone or going, without anybody's doing
        assert thread.daemon
        thread.join(30)
        assert not thread.is_alive()
    assert len(web.requests) < 100


def test_no_value_of_a_header_is_in_a_finding(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.raw(f"HTTP/1.1 {request.headers['X-Token']}\r\n\r\n".encode())
    wanted = load(headers={"X-Token": SECRET})
    result = send_on(Clock(), web.url, wanted)
    assert result.statistics.errors
    assert SECRET not in repr(judge_load(wanted, result))
