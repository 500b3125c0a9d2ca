"""Answers as servers give them: redirects with a body, odd Locations, charsets that are none, byte order marks."""

from __future__ import annotations

from typing import Any

import pytest
from gate.http_checks import mismatches
from gate.http_sender import Sender
from gate.options.requests import Assertion, HttpCheck

from tests.unit.gate.raw_server import serving

NOWHERE = ["http://[bad/", "http://shop.example.com:99999/"]


def problem(body: bytes = b"", *head: str, answers: str = "200 OK", **check: Any) -> str:
    """What is wrong with an answer; empty if nothing is."""
    lines = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {answers}", *head, f"Content-Length: {len(body)}", ""))
    with serving(lines.encode("latin-1") + body) as server:  # as HTTP has it; UTF-8 for those that say so
        return "; ".join(mismatches(HttpCheck(**check), Sender(server.url).send(HttpCheck(**check))))


@pytest.mark.parametrize("location", ["/new", "/\xf6", *NOWHERE])
def test_a_redirect_that_is_expected_is_judged_by_its_body_wherever_it_leads(location: str) -> None:
    check: dict[str, Any] = {"status": ("302",), "body_contains": "Moved"}
    assert problem(b"Moved", f"Location: {location}", answers="302 Found", **check) == ""
    assert "[BODY] does not contain" in problem(b"Gone", f"Location: {location}", answers="302 Found", **check)


@pytest.mark.parametrize("location", NOWHERE)
def test_a_redirect_that_leads_nowhere_is_named(location: str) -> None:
    found = problem(b"", f"Location: {location}", answers="302 Found", follow_redirects=True)
    assert found.startswith("[REDIRECT] (302 to ")
    assert found.endswith("leads nowhere: its Location is no URL")


def test_a_login_that_a_redirect_leads_to_is_named() -> None:
    """Its state is a secret."""
    login = "Location: https://login.example.com/authorize?state=s3cret"
    found = problem(b"", login, answers="302 Found", follow_redirects=True)
    assert "a login stands in front of it" in found
    assert "set host" not in found
    assert "s3cret" not in found


def test_json_after_a_byte_order_mark_is_json() -> None:
    expected = {"status": Assertion(equals="ok")}
    assert problem('\ufeff{"status": "ok"}'.encode(), jmespath=expected) == ""


@pytest.mark.parametrize("charset", ["undefined", "idna"])
def test_a_charset_that_is_none_of_text_is_read_as_utf_8(charset: str) -> None:
    text = f"Content-Type: text/plain; charset={charset}"
    assert problem("größe".encode() + b"\xff", text, body_contains="größe") == ""
