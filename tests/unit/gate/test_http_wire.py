"""What servers may do on the wire: close kept connections, send interim answers, many headers, and be slow."""

from __future__ import annotations

import gzip
import socket
import time

import pytest
from gate.http_checks import Answer, shortcomings
from gate.http_sender import Sender
from gate.load import send_load
from gate.options import HeaderComparison, HttpCheck, Load, normalised
from gate.waiting import Deadline

from tests.unit.gate.raw_server import OK, serving
from tests.unit.gate.web_server import WebServer


def closes_every_second(connected: socket.socket, _number: int, here: int) -> bool:
    """Answers the first request of each connection, and goes away at the second."""
    if here == 1:
        connected.sendall(OK)
    return here == 1


# Kept connections


def test_a_request_lost_with_a_kept_connection_is_sent_once_more() -> None:
    with serving(closes_every_second) as server:
        sender = Sender(server.url)
        answers = [sender.send(HttpCheck()) for _ in range(5)]
    assert [answer.status for answer in answers] == [200] * 5
    assert [status for _, status in sender.sent] == [200] * 5, "each is counted once"
    assert len(server.heads) == 5 + 4


def test_a_new_connection_that_ends_without_an_answer_is_an_error() -> None:
    with serving(lambda _connected, _number, _here: False) as server:
        answer = Sender(server.url).send(HttpCheck())
    assert answer.problem.startswith("no answer (")
    assert len(server.heads) == 1


def test_what_began_to_be_answered_is_not_sent_again() -> None:
    def half(connected: socket.socket, _number: int, here: int) -> bool:
        connected.sendall(OK if here == 1 else b"HTTP/1.1 2")
        return here == 1

    with serving(half) as server:
        sender = Sender(server.url)
        assert sender.send(HttpCheck()).status == 200
        assert sender.send(HttpCheck()).problem
    assert len(server.heads) == 2


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_what_may_not_be_sent_twice_goes_over_a_new_connection(method: str) -> None:
    with serving(closes_every_second) as server:
        sender = Sender(server.url)
        answers = [sender.send(HttpCheck(method=method, body="x")) for _ in range(3)]
    assert [answer.status for answer in answers] == [200] * 3
    assert len(server.heads) == 3


def test_the_latency_is_that_of_the_second() -> None:
    now = [0.0]

    def slow_goodbye(connected: socket.socket, number: int, here: int) -> bool:
        now[0] += 1 if here == 2 else 0.125
        return closes_every_second(connected, number, here)

    with serving(slow_goodbye) as server:
        sender = Sender(server.url, clock=lambda: now[0])
        assert sender.send(HttpCheck()).latency_ms == 125
        assert sender.send(HttpCheck()).latency_ms == 125


def test_a_load_sends_once_more_too() -> None:
    with serving(closes_every_second) as server:
        result = send_load(Load(rate=100, duration=0.1, concurrency=1), server.url, Deadline(60))
    assert result.statistics.reasons == {}
    assert (result.statistics.count, result.sent) == (10, 10)
    assert len(server.heads) > 10


# Heads


@pytest.mark.parametrize("status", [b"100 Continue", b"102 Processing", b"103 Early Hints"])
def test_interim_answers_are_skipped(status: bytes) -> None:
    interim = b"HTTP/1.1 %b\r\nLink: </a.css>; rel=preload\r\n\r\n" % status
    with serving(interim * 2 + OK) as server:
        answer = Sender(server.url).send(HttpCheck())
        loaded = send_load(Load(rate=100, duration=0.05, concurrency=1), server.url, Deadline(60))
    assert (answer.status, answer.body) == (200, "ok")
    assert answer.header("link") is None
    assert loaded.statistics.reasons == {}


def test_another_protocol_is_an_answer() -> None:
    with serving(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n") as server:
        assert Sender(server.url).send(HttpCheck()).status == 101


def test_more_than_a_hundred_headers_are_read() -> None:
    many = b"".join(b"X-Header-%d: %d\r\n" % (number, number) for number in range(300))
    with serving(OK.replace(b"\r\n\r\n", b"\r\n%b\r\n" % many)) as server:
        answer = Sender(server.url).send(HttpCheck())
        loaded = send_load(Load(rate=100, duration=0.05, concurrency=1), server.url, Deadline(60))
    assert answer.header("x-header-299") == "299"
    assert loaded.statistics.reasons == {}


def test_values_of_one_header_are_kept_apart_and_read_as_utf_8() -> None:
    head = "Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=Größe …\r\nX-Blank: b7 \t\r\nX-Latin: gr\xf6\xdfe\r\n"
    written = "".join(head).replace("X-Latin: gr\xf6\xdfe", "X-Latin: {}").encode().replace(b"{}", b"gr\xf6\xdfe")
    with serving(OK.replace(b"\r\n\r\n", b"\r\n%b\r\n" % written)) as server:
        answer = Sender(server.url).send(HttpCheck())
    assert answer.values("set-cookie") == ("a=1; Path=/", "b=Größe …")
    assert answer.header("set-cookie") == "a=1; Path=/, b=Größe …"
    assert answer.header("x-blank") == "b7"
    assert answer.header("x-latin") == "größe"


def test_values_are_sent_in_utf_8_with_the_blanks_they_end_in() -> None:
    with serving(OK) as server:
        Sender(server.url, headers={"X-Hook": "größe "}).send(HttpCheck(headers={"X-Own": "日本 …"}))
        send_load(Load(rate=100, duration=0.01, headers={"X-Load": "größe"}), server.url, Deadline(60))
    sent = b"\r\n".join(server.heads).decode().split("\r\n")
    assert {"X-Hook: größe ", "X-Own: 日本 …", "X-Load: größe"} <= set(sent)


# What is expected of headers


VARY = {"Vary": ("Origin", "Accept"), "X-Version": ("v42",), "X-Empty": ("",), "Set-Cookie": ("id=7",)}


@pytest.mark.parametrize(
    ("name", "expected", "finding"),
    [
        ("vary", {"equals": "Origin"}, ""),
        ("vary", {"equals": "Accept"}, ""),
        ("vary", {"equals": "Origin, Accept"}, ""),
        ("vary", {"equals": "Cookie"}, "(Origin, Accept) expected Cookie"),
        ("vary", {"matches": "^Acc"}, ""),
        ("vary", {"matches": "n, A"}, ""),
        ("vary", {"matches": "^Cook"}, "(Origin, Accept) expected to match '^Cook'"),
        ("x-version", {"equals": "v42 "}, ""),
        ("x-version", {"equals": "v4"}, "(v42) expected v4"),
        ("x-version", {"matches": "4"}, ""),
        ("x-version", {"absent": True}, "(v42) expected none"),
        ("x-version", {"absent": False}, ""),
        ("x-empty", {"absent": False}, ""),
        ("x-empty", {"absent": True}, "(empty) expected none"),
        ("x-empty", {"equals": ""}, ""),
        ("x-other", {"absent": True}, ""),
        ("x-other", {"absent": False}, "(absent) expected a value"),
        ("x-other", {"equals": ""}, "(absent) expected "),
        ("x-other", {"matches": ".*"}, "(absent) expected to match '.*'"),
        ("x-version", {"equals": "v4", "matches": "x"}, "(v42) expected v4 and to match 'x'"),
        ("set-cookie", {"equals": "id=8"}, "(***) expected another value"),
        ("set-cookie", {"absent": True}, "(***) expected none"),
    ],
)
def test_each_expectation_of_a_header(name: str, expected: dict[str, object], finding: str) -> None:
    comparison = HeaderComparison(**expected)  # type: ignore[arg-type]
    check = HttpCheck(response_headers={name: comparison})
    found = shortcomings(check, Answer(1.0, 200, VARY))
    assert found == ([f"[HEADER {name}] {finding}"] if finding else [])


# Time


GZIPPED = gzip.compress(b"x" * 100_000)


@pytest.mark.parametrize(
    ("at_once", "then"),
    [
        (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Filler: " + b"x" * 2000),
        (b"HTTP/1.1 200 OK\r\n", b"X-Filler: x\r\n" * 200),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", b"x" * 2000),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 500),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5000\r\n\r\n", GZIPPED + b"\0" * 2000),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100),
    ],
    ids=["status line", "headers", "body", "chunks", "compressed", "interim"],
)
def test_the_timeout_is_for_the_whole_answer(at_once: bytes, then: bytes) -> None:
    """Each byte alone is in time."""

    def drip(connected: socket.socket, _number: int, _here: int) -> bool:
        connected.sendall(at_once)
        for position in range(len(then)):
            connected.sendall(then[position : position + 1])
            time.sleep(0.01)
        return False

    with serving(drip) as server:
        began = time.monotonic()
        answer = Sender(server.url).send(HttpCheck(timeout=0.2))
        took = time.monotonic() - began
    assert answer.problem == "no answer within 0.2 s"
    assert took < 1


def test_redirects_are_within_the_timeout() -> None:
    def led_on(connected: socket.socket, number: int, _here: int) -> bool:
        time.sleep(0.15)
        connected.sendall(b"HTTP/1.1 302 Found\r\nLocation: /%d\r\nContent-Length: 0\r\n\r\n" % number)
        return True

    with serving(led_on) as server:
        answer = Sender(server.url).send(HttpCheck(timeout=0.4, follow_redirects=True))
    assert answer.problem == "no answer within 0.4 s"
    assert len(server.heads) <= 3


def test_all_addresses_of_a_name_are_within_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name may have many, and none of them may answer."""
    tried: list[float] = []

    class Silent(socket.socket):
        def connect(self, _address: object) -> None:
            tried.append(self.gettimeout() or 0)
            time.sleep(self.gettimeout() or 0)
            raise TimeoutError

    four = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.255.255.1", 80))] * 4
    monkeypatch.setattr("gate.wire.socket.getaddrinfo", lambda *_arguments: four)
    monkeypatch.setattr("gate.wire.socket.socket", Silent)
    answer = Sender("http://green.example.com").send(HttpCheck(timeout=0.1))
    assert answer.problem == (
        "no answer within 0.1 s: look at the load balancer's scheme and security groups, and at the module's vpc_config"
    )
    assert sum(tried) < 0.15


# URLs


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("/", "/"),
        ("/a/../b", "/b"),
        ("/../../a", "/a"),
        ("/a/./b/.", "/a/b/"),
        ("/a/b/..", "/a/"),
        ("/a//b", "/a//b"),
        ("/a?b=/../c", "/a?b=/../c"),
        ("/a?", "/a?"),
        ("/a#b?c", "/a"),
        ("/a?b#c", "/a?b"),
        ("/%7Euser/%2f/%2e%2e", "/%7Euser/%2f/%2e%2e"),
        ('/a?q={"b":[1|2]}', "/a?q=%7B%22b%22:%5B1%7C2%5D%7D"),
        ("HTTPS://shop.example.com", "https://shop.example.com/"),
        ("http://u:p@shop.example.com:8080?a=1", "http://u:p@shop.example.com:8080/?a=1"),
        ("http://[::1]:80/a/../b#c", "http://[::1]:80/b"),
        ("https://a.example.com/x/../../y", "https://a.example.com/y"),
    ],
)
def test_a_url_is_sent_as_curl_sends_it(address: str, sent: str) -> None:
    assert normalised(address) == sent
    assert normalised(sent) == sent


@pytest.mark.parametrize("path", ["/a/../b?c=%2f#d", "/%7e/x|y", "/./b", "/c/.."])
def test_a_check_and_a_load_send_the_same(web: WebServer, path: str) -> None:
    Sender(web.url).send(HttpCheck(path=path))
    send_load(Load(rate=100, duration=0.01, path=path), web.url, Deadline(60))
    assert [request.path for request in web.requests] == [normalised(path)] * 2


def test_a_scheme_in_capitals_is_one(web: WebServer) -> None:
    capitals = web.url.replace("http", "HTTP")
    assert Sender(capitals).send(HttpCheck(path="/health")).status == 200
    assert Sender("http://127.0.0.1:1").send(HttpCheck(url=f"{capitals}/health")).status == 200


# What was sent


def test_what_was_sent_is_noted_with_its_status(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.http_sender.time.time", lambda: 1234.5)
    web.routes["/broken"] = lambda request: request.raw(b"")
    sender = Sender(web.url)
    sender.send(HttpCheck(path="/health"))
    sender.visitor().send(HttpCheck(path="/none"))
    sender.send(HttpCheck(path="/broken"))
    sender.send(HttpCheck(url=f"{web.url}/health"))
    assert sender.sent == [(1234.5, 200), (1234.5, 404), (1234.5, 0)]


def test_what_could_not_be_sent_is_not() -> None:
    sender = Sender("http://127.0.0.1:1")
    sender.send(HttpCheck())
    sender.send(HttpCheck(headers={"A": "b\n"}))
    assert sender.sent == []
