"""AfterAllowTestTraffic takes answers as servers give them: redirects with a body, odd Locations, charsets."""

from __future__ import annotations

from typing import Any

import pytest
import validate_test_traffic as hook

from tests.unit.gate.raw_server import serving
from tests.unit.handlers.stage import Judge, Stage
from tests.unit.handlers.web import Response, Site

EVENT = "AfterAllowTestTraffic"
ONCE: dict[str, Any] = {"attempts": 1, "samples": 0}


@pytest.mark.parametrize("location", ["/new", "/\xf6", "http://[bad/", "http://shop.example.com:99999/"])
def test_a_redirect_that_is_expected_is_judged_by_its_body_wherever_it_leads(
    stage: Stage, judge: Judge, site: Site, location: str
) -> None:
    """The ö is sent as ISO-8859-1."""
    site.answer = lambda _: Response(302, "Moved", {"Location": location})
    check = {"status": ["302"], "body_contains": "Moved", **ONCE}
    judgement = judge(hook, stage.at(EVENT), http_checks={"a": check})
    assert judgement.succeeded, judgement.message


@pytest.mark.parametrize("location", ["http://[bad/", "http://shop.example.com:99999/"])
def test_a_redirect_that_leads_nowhere_is_named(stage: Stage, judge: Judge, site: Site, location: str) -> None:
    site.answer = lambda _: Response(302, "", {"Location": location})
    judgement = judge(hook, stage.at(EVENT), http_checks={"a": {"follow_redirects": True, **ONCE}})
    assert not judgement.succeeded
    assert judgement.message.startswith("GET /: [REDIRECT] (302 to ")
    assert judgement.message.endswith("leads nowhere: its Location is no URL")


def test_a_login_that_a_redirect_leads_to_is_named(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(302, "", {"Location": "https://login.example.com/authorize?state=s3cret"})
    judgement = judge(hook, stage.at(EVENT), http_checks={"a": {"follow_redirects": True, **ONCE}})
    assert not judgement.succeeded
    assert "a login stands in front of it" in judgement.message
    assert "set host" not in judgement.message
    assert "s3cret" not in judgement.message


def test_json_after_a_byte_order_mark_is_json(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(200, '\ufeff{"status": "ok"}')
    judgement = judge(hook, stage.at(EVENT), http_checks={"a": {"jmespath": {"status": {"equals": "ok"}}, **ONCE}})
    assert judgement.succeeded, judgement.message


@pytest.mark.parametrize("charset", ["undefined", "idna"])
def test_a_charset_that_is_none_of_text_is_read_as_utf_8(stage: Stage, judge: Judge, charset: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset={charset}\r\nContent-Length: 3\r\n\r\n"
    with serving(head.encode() + b"ok\xff") as server:
        judgement = judge(hook, stage.at(EVENT), base_url=server.url, http_checks={"a": ONCE})
    assert judgement.succeeded, judgement.message


def test_a_connection_that_ends_without_an_answer_is_told_in_few_words(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: None
    judgement = judge(hook, stage.at(EVENT), http_checks={"a": ONCE})
    assert judgement.message == ("GET /: no answer (RemoteDisconnected: Remote end closed connection without response)")
