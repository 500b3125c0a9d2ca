"""What servers may do on the wire: close kept connections, send interim answers, many headers, and be slow."""

from __future__ import annotations

import gzip
import socket
import struct
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from gate.http_sender import Sender
from gate.load import send_load
from gate.options.requests import HttpCheck, Load, normalised
from gate.waiting import Deadline
from gate.wire import FAILURES, Connection, Socket

from tests.unit.gate.conftest import NAME
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


def reset(connected: socket.socket) -> None:
    """Let the connection end by RST, once what was sent has been read."""
    time.sleep(0.05)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("by_reset", [False, True])
def test_what_began_to_be_answered_is_not_sent_again(by_reset: bool) -> None:
    def half(connected: socket.socket, _number: int, here: int) -> bool:
        connected.sendall(OK if here == 1 else b"HTTP/1.1 2")
        if here == 2 and by_reset:
            reset(connected)
        return here == 1

    with serving(half) as server:
        sender = Sender(server.url)
        assert sender.send(HttpCheck()).status == 200
        assert sender.send(HttpCheck()).problem
    assert len(server.heads) == 2


def test_what_comes_without_being_asked_for_ends_a_connection() -> None:
    def chatty(connected: socket.socket, _number: int, _here: int) -> bool:
        connected.sendall(OK)
        time.sleep(0.05)
        connected.sendall(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        return True

    with serving(chatty) as server:
        sender = Sender(server.url)
        assert sender.send(HttpCheck()).status == 200
        time.sleep(0.2)
        assert sender.send(HttpCheck()).status == 200


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
    assert 0 < result.statistics.count == result.sent < len(server.heads)


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


def test_what_comes_after_the_timeout_is_too_late() -> None:
    now = [0.0]

    def late(connected: socket.socket, _number: int, _here: int) -> bool:
        time.sleep(0.05)  # somebody waits for it by now
        now[0] += 10
        connected.sendall(OK)
        return True

    with serving(late) as server:
        answer = Sender(server.url, clock=lambda: now[0]).send(HttpCheck(timeout=5))
    assert (answer.problem, answer.unreached) == ("no answer within 5 s", False)


def test_a_body_whose_connection_is_reset_has_broken_off() -> None:
    def broken(connected: socket.socket, _number: int, _here: int) -> bool:
        connected.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        reset(connected)
        return False

    with serving(broken) as server:
        answer = Sender(server.url).send(HttpCheck())
        loaded = send_load(Load(rate=100, duration=0.01, concurrency=1), server.url, Deadline(60))
    assert answer.problem == "the answer broke off (IncompleteRead)"
    assert loaded.statistics.reasons == {"the answer broke off (IncompleteRead)": 1}


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

    class Silent(Socket):
        def connect(self, _address: object) -> None:
            tried.append(self.gettimeout() or 0)
            time.sleep(self.gettimeout() or 0)
            raise TimeoutError

    four = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.255.255.1", 80))] * 4
    monkeypatch.setattr("gate.wire.socket.getaddrinfo", lambda *_arguments: four)
    monkeypatch.setattr("gate.wire.Socket", Silent)
    answer = Sender("http://green.example.com").send(HttpCheck(timeout=0.1))
    assert answer.problem == (
        "no answer within 0.1 s: look at the load balancer's scheme and security groups, and at the module's vpc_config"
    )
    assert sum(tried) < 0.15


def test_a_silent_address_leaves_time_for_the_next(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(Socket):
        def connect(self, address: Any) -> None:
            if address[0] == "10.255.255.1":
                time.sleep(self.gettimeout() or 0)
                raise TimeoutError
            super().connect(address)

    found = [("10.255.255.1", 80), ("127.0.0.1", urlsplit(web.url).port)]
    two = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in found]
    monkeypatch.setattr("gate.wire.socket.getaddrinfo", lambda *_arguments: two)
    monkeypatch.setattr("gate.wire.Socket", Silent)
    assert Sender("http://green.example.com").send(HttpCheck(path="/health", timeout=1)).status == 200


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


# Names


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://A.example.com:80", "a.example.com"),
        ("http://a.example.com", "a.example.com"),
        ("http://a.example.com:8443", "a.example.com:8443"),
        ("http://[::1]:81", "[::1]:81"),
        ("https://a.example.com:443", "a.example.com"),
        ("https://a.example.com:80", "a.example.com:80"),
    ],
)
def test_the_host_goes_without_the_usual_port(
    web: WebServer, secure: WebServer, monkeypatch: pytest.MonkeyPatch, url: str, host: str
) -> None:
    """A listener's rules compare it as it stands; browsers send it so."""
    server = secure if url.startswith("https") else web
    address = ("127.0.0.1", urlsplit(server.url).port)
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)]
    monkeypatch.setattr("gate.wire.socket.getaddrinfo", lambda *_arguments: found)
    connection = Connection(url, None, None)
    assert connection.ask("GET", "/health", {}, None, time.monotonic() + 60).read(10) == b"ok"
    assert [request.headers["Host"] for request in server.requests] == [host]
    assert secure.server_names == (["a.example.com"] if server is secure else [])


def test_the_server_is_told_which_name_is_meant(secure: WebServer) -> None:
    Connection(secure.url, f"{NAME}:8443", None).ask("GET", "/health", {}, None, time.monotonic() + 60)
    assert secure.server_names == [NAME]


def test_a_connection_that_failed_is_made_anew(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.raw(b"no HTTP\r\n\r\n")
    asked = Connection(web.url, None, None)
    for _ in range(2):
        with pytest.raises(FAILURES):
            asked.ask("GET", "/", {}, None, time.monotonic() + 60)
    for _ in range(2):  # an answer that was not read does not stand before the next
        assert asked.ask("GET", "/health", {}, None, time.monotonic() + 60).status == 200
    assert len({request.handler.client_address for request in web.requests}) == 4


# What was sent


def test_what_was_sent_is_noted_with_its_status(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.http_sender.time.time", lambda: 1234.5)
    web.routes["/broken"] = lambda request: request.raw(b"")
    sender = Sender(web.url)
    sender.send(HttpCheck(path="/health"))
    sender.session().send(HttpCheck(path="/none"))
    sender.send(HttpCheck(path="/broken"))
    sender.send(HttpCheck(url=f"{web.url}/health"))
    assert sender.sent == [(1234.5, 200), (1234.5, 404), (1234.5, 0)]


def test_what_could_not_be_sent_is_not() -> None:
    sender = Sender("http://127.0.0.1:1")
    sender.send(HttpCheck())
    sender.send(HttpCheck(headers={"A": "b\n"}))
    assert sender.sent == []
