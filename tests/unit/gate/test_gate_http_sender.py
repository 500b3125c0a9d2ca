"""gate.http_sender against real servers: what is sent, what is read, what the network and TLS do, and secrets."""

from __future__ import annotations

import gzip
import itertools
import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from gate import aws
from gate.aws import AwsDenied
from gate.http_checks import Answer, shortcomings
from gate.http_sender import Sender, read_secret
from gate.options import Comparison, HttpCheck, HttpRequest
from gate.verdict import CannotLook
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from tests.conftest import REGION
from tests.unit.gate.conftest import NAME
from tests.unit.gate.web_server import Certificates, Request, Route, WebServer, make_certificates

SECRET = "correct-horse-battery"


def wrong(web: WebServer, check: HttpCheck) -> list[str]:
    """Send once and compare."""
    return shortcomings(check, Sender(web.url).send(check))


@pytest.fixture
def trusted(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    """The same certificates, whose authority is known."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority))
    return certificates


# What is sent


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
    visitor, other = sender.visitor(), sender.visitor()
    for sends in (visitor, visitor, other, sender):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(sends.send, HttpCheck(path="/health")).result()
    assert cookies(web) == [None, "session=s1", None, None]


def test_a_visitor_keeps_cookies_apart_by_name(web: WebServer) -> None:
    web.routes["/health"] = lambda request: request.answer(headers={"Set-Cookie": "session=s1; Path=/"})
    visitor = Sender(web.url).visitor()
    for host in ("a.example.com", "b.example.com", "a.example.com"):
        visitor.send(HttpCheck(path="/health", host=host))
    assert cookies(web) == [None, None, "session=s1"]


def test_a_visitor_comes_with_the_hooks_host_and_headers(web: WebServer) -> None:
    Sender(web.url, NAME, {"X-Hook": "1"}).visitor().send(HttpCheck(path="/health"))
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


# What is read


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


def test_a_compressed_body_is_read(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(200, gzip.compress(b"all is well"), {"Content-Encoding": "gzip"})
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
    check = HttpCheck(max_body=50, jmespath={"status": Comparison(equals="ok")})
    assert wrong(web, check)[0] == "[JSON] the body has more than 50 bytes: raise max_body"


def test_a_redirect_is_not_followed_and_its_query_not_shown(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(302, "", {"location": f"{web.url}/health?token={SECRET}"})
    cure = "set follow_redirects, or ask the address that it leads to"
    assert wrong(web, HttpCheck()) == [f"[STATUS] (302, Location {web.url}/health) expected 200-299: {cure}"]
    assert len(web.requests) == 1


# What the network does


def test_a_refused_connection_is_said_in_words() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        problem = Sender(f"http://127.0.0.1:{free.getsockname()[1]}").send(HttpCheck(path=f"/?token={SECRET}")).problem
    assert problem.startswith("connection refused (")
    assert SECRET not in problem


def test_a_name_that_does_not_resolve_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("urllib3.util.connection.socket.getaddrinfo", unknown)
    assert "the name could not be resolved" in Sender("http://green.example.com").send(HttpCheck()).problem


def silence(request: Request) -> None:
    request.closing.wait(30)


def drip(request: Request) -> None:
    """Headers at once, then a byte now and then for ever: each byte alone is in time."""
    request.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not request.closing.wait(0.02):
        request.raw(b"x")


def stall(request: Request) -> None:
    """Headers and half a body, then nothing."""
    request.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    request.closing.wait(30)


def drip_chunks(request: Request) -> None:
    """The same in chunks, as a stream of events comes."""
    request.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not request.closing.wait(0.02):
        request.raw(b"1\r\nx\r\n")


@pytest.mark.parametrize("route", [silence, drip, stall, drip_chunks])
def test_whatever_comes_too_slowly_ends_at_the_timeout(web: WebServer, route: Route) -> None:
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
    "check",
    [
        HttpCheck(headers={"Authorization": f"{SECRET}\n"}),
        HttpCheck(headers={"Authorization": f" {SECRET}"}),
        HttpCheck(url=f"http://host:port/?token={SECRET}"),
        HttpCheck(url=f"http://.host/?token={SECRET}"),
        HttpCheck(method="POST", body="half of a letter: \ud800"),
    ],
    ids=["line end in a header", "a blank before a header's value", "port", "no host", "no UTF-8"],
)
def test_a_request_that_cannot_be_sent_says_so_without_its_secrets(web: WebServer, check: HttpCheck) -> None:
    problem = Sender(web.url).send(check).problem
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


# TLS


def test_a_certificate_nobody_knows_is_an_error_with_the_cure(secure: WebServer) -> None:
    problem = Sender(secure.url).send(HttpCheck(path="/health")).problem
    assert problem.startswith("TLS failed (")
    assert "CERTIFICATE_VERIFY_FAILED" in problem
    assert problem.endswith("set `host` to a name in the certificate")
    assert secure.requests == []


def test_without_verification_any_certificate_will_do(secure: WebServer) -> None:
    assert wrong(secure, HttpCheck(path="/health", verify_tls=False)) == []
    assert wrong(secure, HttpCheck(path="/health", verify_tls=False, host="other.example.com")) == []


@pytest.mark.usefixtures("trusted")
def test_the_host_is_the_name_that_tls_asks_for_and_verifies(secure: WebServer) -> None:
    assert wrong(secure, HttpCheck(path="/health", host=NAME)) == []
    assert secure.server_names == [NAME]
    assert secure.requests[0].headers["Host"] == NAME


@pytest.mark.usefixtures("trusted")
def test_so_is_the_hooks_host(secure: WebServer) -> None:
    sender = Sender(secure.url, NAME)
    assert sender.send(HttpCheck(path="/health")).status == 200
    assert sender.visitor().send(HttpCheck(path="/health")).status == 200
    assert secure.server_names == [NAME, NAME]
    assert [request.headers["Host"] for request in secure.requests] == [NAME, NAME]
    other = sender.send(HttpCheck(path="/health", host="other.example.com")).problem
    assert other.startswith("TLS failed (")
    assert secure.server_names[2] == "other.example.com"


@pytest.mark.usefixtures("trusted")
def test_a_port_in_the_host_is_not_part_of_the_name(secure: WebServer) -> None:
    assert wrong(secure, HttpCheck(path="/health", host=f"{NAME}:8443")) == []
    assert secure.server_names == [NAME]
    assert secure.requests[0].headers["Host"] == f"{NAME}:8443"


@pytest.mark.usefixtures("trusted")
def test_an_address_elsewhere_is_not_asked_for_the_hooks_host(secure: WebServer) -> None:
    sender = Sender("https://127.0.0.1:1", NAME)
    problem = sender.send(HttpCheck(url=f"{secure.url}/health")).problem
    assert problem.startswith("TLS failed (")
    assert problem.endswith("set `host` to a name in the certificate")
    assert sender.send(HttpCheck(url=f"{secure.url}/health", host=NAME)).status == 200


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("host", [None, "other.example.com"])
def test_a_certificate_for_another_name_is_refused(secure: WebServer, host: str | None) -> None:
    (problem,) = wrong(secure, HttpCheck(path="/health", host=host))
    assert problem.startswith("TLS failed (")
    assert ("set `host` to a name in the certificate" in problem) == (host is None)
    assert secure.requests == []


Valid = Callable[[float], WebServer]


@pytest.fixture
def valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Valid]:
    """Start a server whose certificate, of a known authority, is valid for so many days; /health answers 200."""
    servers: list[WebServer] = []

    def start(days: float) -> WebServer:
        folder = tmp_path / str(len(servers))
        folder.mkdir()
        certificates = make_certificates(folder, NAME, days)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority))
        server = WebServer(certificates, {"/health": lambda request: request.answer()})
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.close()


def test_a_certificate_that_has_expired_is_refused(valid: Valid) -> None:
    web = valid(-0.5)
    (problem,) = wrong(web, HttpCheck(path="/health", host=NAME))
    assert problem.startswith("TLS failed (")
    assert "certificate has expired" in problem
    assert web.requests == []
    (problem,) = wrong(web, HttpCheck(path="/health"))
    assert problem.endswith("set `host` to a name in the certificate")


@pytest.mark.parametrize(
    ("asked", "finding"),
    [(29.0, None), (30.5, "[CERTIFICATE] (30 days left) expected at least 30.5"), (0.001, None)],
)
def test_how_much_longer_the_certificate_is_valid(valid: Valid, asked: float, finding: str | None) -> None:
    check = HttpCheck(path="/health", host=NAME, certificate_days=asked)
    assert wrong(valid(30), check) == ([finding, "body: ok"] if finding else [])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "headers", [{}, {"Connection": "close"}, {"Content-Length": "0"}, {"Connection": "close", "Content-Length": "0"}]
)
def test_the_certificate_is_looked_at_whatever_comes_by_it(valid: Valid, headers: dict[str, str], method: str) -> None:
    web = valid(30)
    web.routes["/health"] = lambda request: request.answer(200, "" if "Content-Length" in headers else "ok", headers)
    check = HttpCheck(path="/health", host=NAME, method=method, certificate_days=1)
    sender = Sender(web.url)
    for _ in range(2):  # on a new connection, and on one that was kept
        days = sender.send(check).certificate_days
        assert days is not None
        assert 29.9 < days <= 30


def test_after_a_redirect_it_is_the_last_servers_certificate(valid: Valid) -> None:
    web = valid(30)
    web.routes["/"] = lambda request: request.answer(302, "", {"Location": "/health"})
    check = HttpCheck(host=NAME, follow_redirects=True, certificate_days=31)
    assert wrong(web, check)[0] == "[CERTIFICATE] (30 days left) expected at least 31"


def test_only_a_certificate_that_was_asked_for_is_looked_at(valid: Valid) -> None:
    assert Sender(valid(30).url).send(HttpCheck(path="/health", host=NAME)).certificate_days is None


def test_without_tls_there_is_no_certificate(web: WebServer) -> None:
    assert wrong(web, HttpCheck(path="/health", certificate_days=1)) == [
        "[CERTIFICATE] (none: the answer did not come by TLS) expected one",
        "body: ok",
    ]


# Secrets


ACCOUNT = "123456789012"


@pytest.fixture
def cloud() -> Iterator[None]:
    """Secrets Manager and Systems Manager, with nothing in them."""
    with mock_aws():
        yield


def secret(value: str | bytes) -> str:
    """Make a secret; its ARN."""
    content: Any = {"SecretString": value} if isinstance(value, str) else {"SecretBinary": value}
    answer = boto3.client("secretsmanager", region_name=REGION).create_secret(Name="shop/token", **content)
    return str(answer["ARN"])


def parameter(value: str) -> str:
    """Make a SecureString; its ARN."""
    client = boto3.client("ssm", region_name=REGION)
    client.put_parameter(Name="/shop/token", Value=value, Type="SecureString")
    return str(client.get_parameter(Name="/shop/token")["Parameter"]["ARN"])


@pytest.mark.usefixtures("cloud")
def test_a_secret_is_read_by_its_arn() -> None:
    arn = secret(SECRET)
    assert read_secret(arn) == SECRET
    assert read_secret(f"Bearer {arn}") == f"Bearer {SECRET}"


@pytest.mark.usefixtures("cloud")
def test_one_value_of_a_secrets_json_is_read_by_its_key() -> None:
    arn = secret(json.dumps({"token": SECRET, "other": "x", "number": 3, "empty": ""}))
    assert read_secret(f"{arn}:token") == SECRET
    assert read_secret(f"Token {arn}:token") == f"Token {SECRET}"
    assert json.loads(read_secret(arn))["token"] == SECRET
    for key in ("missing", "number", "empty"):
        with pytest.raises(CannotLook) as caught:
            read_secret(f"{arn}:{key}")
        assert f"{arn}:{key} has no text for a header" in str(caught.value)
        assert SECRET not in str(caught.value)


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize("value", [SECRET, "[1]", b"bytes"])
def test_a_secret_without_that_key_or_without_text_says_what_to_do(value: str | bytes) -> None:
    arn = secret(value)
    with pytest.raises(CannotLook, match="give it a value, or name the key of its JSON") as caught:
        read_secret(f"{arn}:token")
    assert SECRET not in str(caught.value)
    if isinstance(value, bytes):
        with pytest.raises(CannotLook, match="has no text for a header"):
            read_secret(arn)


@pytest.mark.usefixtures("cloud")
def test_a_parameter_is_read_by_its_arn_and_decrypted() -> None:
    arn = parameter(SECRET)
    assert read_secret(arn) == SECRET
    assert read_secret(f"Bearer {arn}") == f"Bearer {SECRET}"


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize(
    ("arn", "action"),
    [
        (f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:none-AbCdEf", "secretsmanager:GetSecretValue"),
        (f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/none", "ssm:GetParameter"),
    ],
)
def test_a_secret_that_does_not_exist_is_named_with_the_action(arn: str, action: str) -> None:
    with pytest.raises(CannotLook) as caught:
        read_secret(f"Bearer {arn}")
    assert action in str(caught.value)
    assert arn in str(caught.value)


@pytest.mark.parametrize(
    ("arn", "action"),
    [
        (f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:shop-AbCdEf:key", "secretsmanager:GetSecretValue"),
        (f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/shop", "ssm:GetParameter"),
    ],
)
def test_a_secret_that_the_role_may_not_read_is_named_with_the_action(
    web: WebServer, monkeypatch: pytest.MonkeyPatch, arn: str, action: str
) -> None:
    said = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/hook is not authorized to perform: {action} on resource: {arn}"
    denied = json.dumps({"__type": "AccessDeniedException", "message": said, "Message": said})
    web.routes["/"] = lambda request: request.answer(400, denied, {"Content-Type": "application/x-amz-json-1.1"})
    monkeypatch.setenv("AWS_ENDPOINT_URL", web.url)
    with pytest.raises(AwsDenied) as caught:
        read_secret(arn)
    assert f"{action} was denied: allow it in this hook's role" in str(caught.value)
    asked = json.loads(web.requests[0].body)
    assert (asked.get("SecretId"), asked.get("Name")) in [(arn.removesuffix(":key"), None), (None, arn)]
    assert asked.get("WithDecryption", True) is True


@pytest.mark.usefixtures("cloud")
def test_a_secret_of_another_region_is_read_there() -> None:
    client = boto3.client("secretsmanager", region_name="us-east-2")
    arn = client.create_secret(Name="shop/token", SecretString=SECRET)["ARN"]
    assert read_secret(arn) == SECRET


@pytest.mark.usefixtures("cloud")
def test_a_secret_is_sent_in_its_header_and_read_once(web: WebServer) -> None:
    arn = secret(SECRET)
    sender = Sender(web.url, headers={"Authorization": "hook"})
    check = HttpCheck(path="/health", secret_headers={"Authorization": f"Bearer {arn}", "X-Key": arn})
    made = aws.requests_made()
    for sends in (sender, sender, sender.visitor()):
        sends.read_secrets(check)
        assert sends.send(check).status == 200
    assert aws.requests_made() - made == 2
    assert {request.headers["Authorization"] for request in web.requests} == {f"Bearer {SECRET}"}
    assert {request.headers["X-Key"] for request in web.requests} == {SECRET}


@pytest.mark.usefixtures("cloud")
def test_a_secret_header_comes_before_a_plain_one(web: WebServer) -> None:
    sender = Sender(web.url, headers={"X-Key": "hook"})
    check = HttpCheck(path="/health", headers={"x-key": "own"}, secret_headers={"X-KEY": secret(SECRET)})
    sender.read_secrets(check)
    sender.send(check)
    assert [value for name, value in web.requests[0].headers.items() if name.lower() == "x-key"] == [SECRET]


@pytest.mark.usefixtures("cloud")
def test_a_secret_with_a_line_end_is_not_sent_and_not_shown(web: WebServer) -> None:
    sender = Sender(web.url)
    check = HttpCheck(path="/health", secret_headers={"Authorization": secret(f"{SECRET}\r\nX-Other: 1")})
    sender.read_secrets(check)
    answer = sender.send(check)
    assert answer.problem.startswith("the request could not be sent (")
    assert SECRET not in answer.problem
    assert web.requests == []


def hiding(*values: str) -> Sender:
    """A sender that has read these."""
    sender = Sender("http://127.0.0.1:1")
    sender.secrets.update({f"arn:{number}": value for number, value in enumerate(values)})
    return sender


def test_what_was_read_is_hidden_with_and_without_its_word() -> None:
    sender = hiding(f"Bearer {SECRET}")
    assert sender.hide(f"echo: Bearer {SECRET}, {SECRET}!") == "echo: ***, ***!"
    assert sender.hide(f"a token {SECRET[:-1]}") == f"a token {SECRET[:-1]}"
    assert sender.hide("more", "more") == "***"


def test_a_secret_is_hidden_as_json_and_an_excerpt_write_it() -> None:
    sender = hiding('pass"word  two')
    assert sender.hide('{"a": "pass\\"word  two"}') == '{"a": "***"}'
    assert sender.hide('pass"word two') == "***"


def test_of_two_secrets_the_longer_is_hidden_first() -> None:
    assert hiding("horse", SECRET).hide(f"{SECRET} and horse") == "*** and ***"


def test_what_is_too_short_to_be_a_secret_is_not_hidden() -> None:
    assert hiding("abc", "").hide("abc abcd", "") == "abc abcd"


def test_the_beginning_of_a_secret_is_hidden_where_the_text_was_cut_off() -> None:
    """A body is shown in short: that may end within a secret."""
    sender = hiding(f"Bearer {SECRET}")
    for length in range(4, len(SECRET)):
        assert sender.hide(f"body: Bearer {SECRET[:length]}…") == "body: ***…"
        assert sender.hide(f"({SECRET[:length]}…) and more") == "(***…) and more"
    assert sender.hide("body: Be…") == "body: Be…"
    assert sender.hide("a correct answer, c…") == "a correct answer, c…"


@given(
    st.lists(st.text(min_size=4, max_size=8), min_size=1, max_size=3),
    st.lists(st.integers(0, 2), max_size=4),
    st.text(max_size=9),
)
def test_no_secret_is_left(values: list[str], order: list[int], between: str) -> None:
    sender = hiding(*values)
    text = between.join(values[number % len(values)] for number in order)
    hidden = sender.hide(text)
    assert not any(value in hidden for value in values if "*" not in value)


@pytest.mark.usefixtures("cloud")
def test_an_answer_that_holds_the_secret_it_was_sent_is_judged_as_it_came(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(200, request.headers["X-Key"])
    sender = Sender(web.url)
    check = HttpCheck(secret_headers={"X-Key": secret(SECRET)}, body_contains=SECRET)
    sender.read_secrets(check)
    assert shortcomings(check, sender.send(check)) == []


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
