"""TLS of requests: whose name the certificate has to be for, and who has to have signed it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gate.http_checks import mismatches
from gate.http_sender import Sender
from gate.options.requests import HttpCheck

from tests.unit.gate.conftest import NAME
from tests.unit.gate.web_server import Certificates, WebServer, make_certificates

SECRET = "correct-horse-battery"


def wrong(web: WebServer, check: HttpCheck) -> list[str]:
    """Send once and compare."""
    return mismatches(check, Sender(web.url).send(check))


@pytest.fixture
def trusted(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    """The same certificates, whose authority is known."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority))
    return certificates


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
    assert sender.session().send(HttpCheck(path="/health")).status == 200
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
