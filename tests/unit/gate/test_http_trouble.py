"""What the network does to a request is its answer's problem, in words and without its secrets."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from gate.http_sender import Sender
from gate.options.requests import HttpCheck

from tests.unit.gate.web_server import Request, Route, WebServer

SECRET = "correct-horse-battery"


def test_a_refused_connection_is_said_in_words() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        problem = Sender(f"http://127.0.0.1:{free.getsockname()[1]}").send(HttpCheck(path=f"/?token={SECRET}")).problem
    assert problem.startswith("connection refused (")
    assert SECRET not in problem


def test_a_name_that_does_not_resolve_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("gate.wire.socket.getaddrinfo", unknown)
    assert "the name could not be resolved" in Sender("http://green.example.com").send(HttpCheck()).problem


def silence(request: Request) -> None:
    request.closing.wait(30)


def stall(request: Request) -> None:
    """Headers and half a body, then nothing."""
    request.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    request.closing.wait(30)


@pytest.mark.parametrize("route", [silence, stall])
def test_what_does_not_come_ends_at_the_timeout(web: WebServer, route: Route) -> None:
    web.routes["/"] = route
    answer = Sender(web.url).send(HttpCheck(timeout=0.15))
    assert answer.problem == "no answer within 0.15 s"
    assert answer.status == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone",
        b"not HTTP at all\r\n\r\n",
    ],
    ids=["nothing", "half", "bad chunk", "no gzip", "no HTTP"],
)
def test_an_answer_that_breaks_off_is_a_problem_and_no_exception(web: WebServer, content: bytes) -> None:
    web.routes["/"] = lambda request: request.raw(content)
    answer = Sender(web.url).send(HttpCheck())
    assert answer.problem.startswith(("no answer (", "the answer broke off ("))


@pytest.mark.parametrize(
    ("check", "headers"),
    [
        (HttpCheck(headers={"Authorization": f"{SECRET}\n"}), {}),
        (HttpCheck(headers={"Authorization": f" {SECRET}"}), {}),
        (HttpCheck(), {"Authorization": f"{SECRET}\n"}),
        (HttpCheck(url=f"http://host:port/?token={SECRET}"), {}),
        (HttpCheck(url=f"http://.host/?token={SECRET}"), {}),
        (HttpCheck(method="POST", body="half of a letter: \ud800"), {}),
    ],
    ids=[
        "line end in a header", "a blank before a header's value", "line end in the hook's header", "port", "no host",
        "no UTF-8",
    ],
)  # fmt: skip
def test_a_request_that_cannot_be_sent_says_so_without_its_secrets(
    web: WebServer, check: HttpCheck, headers: dict[str, str]
) -> None:
    problem = Sender(web.url, headers=headers).send(check).problem
    assert "the request could not be sent (" in problem
    assert "check its url, method and headers" in problem
    assert SECRET not in problem
    assert web.requests == []


def test_one_sender_serves_many_threads(web: WebServer) -> None:
    sender = Sender(web.url)
    together = threading.Barrier(8)

    def meet(request: Request) -> None:
        together.wait(30)
        request.answer()

    web.routes["/"] = meet
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(sender.send, [HttpCheck(timeout=30)] * 16))
    assert [answer.status for answer in answers] == [200] * 16
