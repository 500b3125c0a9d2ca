"""gate.http_sender against real servers: what is sent, and what is read."""

from __future__ import annotations

import gzip
import itertools
import json
import sys
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from gate.http_checks import Answer, mismatches
from gate.http_sender import Sender
from gate.options.requests import Assertion, HttpCheck, HttpRequest

from tests.unit.gate.conftest import NAME
from tests.unit.gate.web_server import WebServer

SECRET = "correct-horse-battery"


def wrong(web: WebServer, check: HttpCheck) -> list[str]:
    """Send once and compare."""
    return mismatches(check, Sender(web.url).send(check))


def test_the_request_is_sent_as_declared(web: WebServer) -> None:
    web.routes["/orders"] = lambda request: request.answer(201, "made")
    check = HttpCheck(
        path="/orders?dry=1", method="POST", headers={"X-Token": "t", "Content-Type": "application/json"},
        host=NAME, body='{"größe": 1}',
    )  # fmt: skip
    assert wrong(web, check) == []
    (request,) = web.requests
    assert (request.method, request.path, request.body.decode()) == ("POST", "/orders?dry=1", '{"größe": 1}')
    assert (request.headers["Host"], request.headers["X-Token"]) == (NAME, "t")
    assert request.headers["User-Agent"] == "codedeploy-hooks"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_each_method_is_sent(web: WebServer, method: str) -> None:
    assert wrong(web, HttpCheck(path="/health", method=method)) == []
    assert [request.method for request in web.requests] == [method]


@pytest.mark.parametrize(
    ("base", "path", "asked"),
    [
        ("", "/", "/"),
        ("", "/health", "/health"),
        ("/", "/health", "/health"),
        ("/api", "/health", "/api/health"),
        ("/api/", "/health", "/api/health"),
        ("", "/orders:batch", "/orders:batch"),
        ("", "/?full=1", "/?full=1"),
        ("", "//health", "/health"),
    ],
)
def test_the_path_follows_the_base_url(web: WebServer, base: str, path: str, asked: str) -> None:
    Sender(web.url + base).send(HttpCheck(path=path))
    assert [request.path for request in web.requests] == [asked]


def test_a_whole_url_goes_elsewhere(web: WebServer) -> None:
    assert Sender("http://127.0.0.1:1").send(HttpCheck(url=f"{web.url}/health")).status == 200


def test_each_request_comes_as_a_new_visitor(web: WebServer) -> None:
    """A sticky cookie, followed, would lead all requests to one target."""
    web.routes["/health"] = lambda request: request.answer(headers={"Set-Cookie": "AWSALB=target-1; Path=/"})
    sender = Sender(web.url)
    for _ in range(3):
        sender.send(HttpCheck(path="/health"))
    assert len(web.requests) == 3
    assert not any("Cookie" in request.headers for request in web.requests)


def cookies(web: WebServer) -> list[str | None]:
    return [request.headers.get("Cookie") for request in web.requests]


@pytest.mark.parametrize("host", [None, NAME])
def test_a_visitor_keeps_cookies_whatever_thread_sends(web: WebServer, host: str | None) -> None:
    web.routes["/health"] = lambda request: request.answer(headers={"Set-Cookie": "session=s1; Path=/; HttpOnly"})
    sender = Sender(web.url, host)
    visitor, other = sender.session(), sender.session()
    for sends in (visitor, visitor, other, sender):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(sends.send, HttpCheck(path="/health")).result()
    assert cookies(web) == [None, "session=s1", None, None]


def test_a_visitor_keeps_cookies_apart_by_name(web: WebServer) -> None:
    web.routes["/health"] = lambda request: request.answer(headers={"Set-Cookie": "session=s1; Path=/"})
    visitor = Sender(web.url).session()
    for host in ("a.example.com", "b.example.com", "a.example.com"):
        visitor.send(HttpCheck(path="/health", host=host))
    assert cookies(web) == [None, None, "session=s1"]


def test_a_visitor_comes_with_the_hooks_host_and_headers(web: WebServer) -> None:
    Sender(web.url, NAME, {"X-Hook": "1"}).session().send(HttpCheck(path="/health"))
    assert (web.requests[0].headers["Host"], web.requests[0].headers["X-Hook"]) == (NAME, "1")


def test_the_hooks_host_and_headers_are_those_of_requests_without_their_own(web: WebServer) -> None:
    sender = Sender(web.url, NAME, {"X-A": "hook", "X-B": "hook", "User-Agent": "hook"})
    sender.send(HttpCheck(path="/health"))
    sender.send(HttpCheck(path="/health", host="other.example.com", headers={"X-A": "own", "x-b": "own"}))
    first, second = (request.headers for request in web.requests)
    assert (first["Host"], first["X-A"], first["X-B"], first["User-Agent"]) == (NAME, "hook", "hook", "hook")
    assert (second["Host"], second["X-A"]) == ("other.example.com", "own")
    assert [value for name, value in second.items() if name.lower() == "x-b"] == ["own"]


def test_what_the_hook_sends_to_its_listener_goes_nowhere_else(web: WebServer) -> None:
    sender = Sender("http://127.0.0.1:1", NAME, {"X-Hook": SECRET})
    assert sender.send(HttpCheck(url=f"{web.url}/health")).status == 200
    assert sender.send(HttpCheck(url=f"{web.url}/health", host="own.example.com", headers={"X-Own": "1"})).status == 200
    first, second = (request.headers for request in web.requests)
    assert first["Host"] == web.url.removeprefix("http://")
    assert (second["Host"], second["X-Own"]) == ("own.example.com", "1")
    assert SECRET not in repr([first, second])


@pytest.mark.parametrize(
    ("attributes", "hook", "content_type", "body"),
    [
        ({"json": '{"ä": 1}'}, {}, "application/json", '{"ä": 1}'),
        ({"json": "1", "headers": {"content-type": "text/json"}}, {}, "text/json", "1"),
        ({"json": "1"}, {"Content-type": "application/vnd.api+json"}, "application/vnd.api+json", "1"),
        ({"body": "a=b"}, {}, None, "a=b"),
        ({"body": "a=b", "headers": {"Content-Type": "text/plain"}}, {}, "text/plain", "a=b"),
        ({}, {}, None, ""),
    ],
)  # fmt: skip
def test_a_json_body_says_what_it_is_unless_a_header_does(
    web: WebServer, attributes: dict[str, Any], hook: dict[str, str], content_type: str | None, body: str
) -> None:
    Sender(web.url, headers=hook).send(HttpCheck(path="/health", method="POST", **attributes))
    (request,) = web.requests
    sent = [value for name, value in request.headers.items() if name.lower() == "content-type"]
    assert (sent, request.body.decode()) == ([content_type] if content_type else [], body)


def test_latency_is_measured_on_the_clock_until_the_body_is_read(web: WebServer) -> None:
    ticks = itertools.count(10, 0.25)
    answer = Sender(web.url, clock=lambda: next(ticks)).send(HttpCheck(path="/health"))
    assert answer.status == 200
    assert answer.latency_ms > 0
    assert answer.latency_ms % 250 == 0


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", "größe".encode()),
        ("text/html; charset=ISO-8859-1", "größe".encode("latin-1")),
        ("text/html; charset=utf-8", "größe".encode()),
        ("text/html; charset=klingon", "größe".encode()),
    ],
)
def test_the_body_is_read_in_its_charset(web: WebServer, content_type: str, body: bytes) -> None:
    web.routes["/"] = lambda request: request.answer(200, body, {"Content-Type": content_type})
    assert wrong(web, HttpCheck(body_contains="größe")) == []


def test_bytes_that_are_no_text_are_borne(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(200, b"\xff\xfe ok")
    assert wrong(web, HttpCheck(body_contains="ok")) == []


@pytest.mark.parametrize(
    ("encoding", "compress"), [("gzip", gzip.compress), ("X-GZIP", gzip.compress), ("deflate", zlib.compress)]
)
def test_a_compressed_body_is_read(web: WebServer, encoding: str, compress: Callable[[bytes], bytes]) -> None:
    web.routes["/"] = lambda request: request.answer(200, compress(b"all is well"), {"Content-Encoding": encoding})
    assert wrong(web, HttpCheck(body_contains="all is well")) == []


def test_of_a_large_body_only_the_beginning_is_read(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(200, "x" * 3_000_000)
    answer = Sender(web.url).send(HttpCheck())
    assert (len(answer.body), answer.cut_off) == (1_000_000, True)


@pytest.mark.parametrize(("size", "cut_off"), [(0, False), (99, False), (100, False), (101, True), (200_000, True)])
@pytest.mark.parametrize("encoding", ["plain", "chunked", "gzip"])
def test_max_body_is_what_is_read_at_most(web: WebServer, size: int, encoding: str, cut_off: bool) -> None:
    content = b"x" * size
    chunks = f"{size:x}\r\n".encode() + content + b"\r\n0\r\n\r\n" if size else b"0\r\n\r\n"
    web.routes["/plain"] = lambda request: request.answer(200, content)
    web.routes["/gzip"] = lambda request: request.answer(200, gzip.compress(content), {"Content-Encoding": "gzip"})
    web.routes["/chunked"] = lambda request: request.raw(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    )
    answer = Sender(web.url).send(HttpCheck(path=f"/{encoding}", max_body=100))
    assert (answer.problem, len(answer.body), answer.cut_off) == ("", min(size, 100), cut_off)


def test_json_that_is_cut_off_says_what_to_raise(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(200, json.dumps({"items": ["x" * 100], "status": "ok"}))
    check = HttpCheck(max_body=50, jmespath={"status": Assertion(equals="ok")})
    assert wrong(web, check)[0] == "[JSON] the body has more than 50 bytes: raise max_body"


def test_a_redirect_is_not_followed_and_its_query_not_shown(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(302, "", {"location": f"{web.url}/health?token={SECRET}"})
    cure = "set follow_redirects, or ask the address that it leads to"
    assert wrong(web, HttpCheck()) == [f"[STATUS] (302, Location {web.url}/health) expected 200-299: {cure}"]
    assert len(web.requests) == 1


def test_the_answer_of_a_request_is_complete(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(418, "short and stout", {"X-Pot": "tea"})
    answer = Sender(web.url).send(HttpRequest())
    assert (answer.status, answer.body, answer.header("x-pot")) == (418, "short and stout", "tea")
    assert answer == Answer(answer.latency_ms, 418, answer.headers, "short and stout", asked_as="127.0.0.1")


def test_a_missing_library_is_found_where_it_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(ImportError) as caught:
        Sender("http://127.0.0.1")
    assert caught.value.name == "requests"
