"""AfterAllowTestTraffic asks as curl does, and green alone: redirects, kept connections, headers, hints, samples."""

from __future__ import annotations

import itertools
import re
import time
from typing import Any

import pytest
import validate_production
import validate_test_traffic as hook

from tests.unit.gate.raw_server import OK, serving
from tests.unit.handlers.stage import Judge, Stage
from tests.unit.handlers.web import Request, Response, Site

EVENT = "AfterAllowTestTraffic"
NAME = "shop.example.com"
ONCE: dict[str, Any] = {"attempts": 1, "samples": 0}
WARM_UP = 2 * 10


# Redirects


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_redirect_by_name_does_not_lead_to_production(
    stage: Stage, judge: Judge, site: Site, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """By DNS the name leads to blue, which answers well."""
    blue = Site()
    production = blue.resolve(NAME)
    green = site.resolve(stage.dns_name)
    monkeypatch.setattr(
        "socket.getaddrinfo", lambda host, *more, **o: (production if host == NAME else green)(host, *more, **o)
    )
    site.answer = lambda request: (
        Response(500) if request.path == "/orders/" else Response(307, "", {"Location": f"{scheme}://{NAME}/orders/"})
    )
    checks = {"orders": {"path": "/orders", "host": NAME, "follow_redirects": True, **ONCE}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks)
    blue.stop()
    assert not judgement.succeeded
    assert judgement.message.startswith("GET /orders: [STATUS] (500) expected 200-299")
    assert blue.requests == []
    assert {request.host for request in site.requests} == {NAME}


def test_a_redirect_to_another_name_fails_and_says_where_it_leads(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(307, "", {"Location": "https://other.example.com/orders/?token=s3cret"})
    checks = {"orders": {"path": "/orders", "host": NAME, "follow_redirects": True, **ONCE}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks)
    assert not judgement.succeeded
    assert judgement.message == (
        "GET /orders: [REDIRECT] (307 to https://other.example.com/orders/) leads away from what is tested: expect the "
        "status, or ask that address by url"
    )


def test_an_application_that_insists_on_https(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: Response(301, "", {"Location": f"https://{request.host}{request.path}"})
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": {"host": NAME, "follow_redirects": True, **ONCE}})
    assert not judgement.succeeded
    assert "comes back to the same URL: the application insists on HTTPS" in judgement.message


# The wire


def test_a_kept_connection_that_the_server_closes_is_no_error(stage: Stage, judge: Judge) -> None:
    """It may, and clients send once more."""

    def closes(connected: Any, _number: int, here: int) -> bool:
        if here == 1:
            connected.sendall(OK)
        return here == 1

    with serving(closes) as server:
        judgement = judge(hook, stage.at(EVENT), base_url=server.url, samples=20)
    assert judgement.succeeded
    assert judgement.check("samples:health:error_rate") == ("passed", "0 of 20 requests failed (0.00%)")


def test_what_curl_reads_is_read(stage: Stage, judge: Judge) -> None:
    head = "".join(f"X-Header-{number}: {number}\r\n" for number in range(150))
    head += "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nVary: Origin\r\nVary: Accept\r\nX-Name: Größe \r\n"
    answer = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK.replace(b"\r\n\r\n", f"\r\n{head}\r\n".encode())
    wanted = {
        "x-header-149": {"equals": "149"}, "vary": {"equals": "Accept"}, "set-cookie": {"matches": "^b="},
        "x-name": {"equals": "Größe "}, "link": {"absent": True},
    }  # fmt: skip
    check = {"path": "/a/../b#top", "headers": {"X-Sent": "日本 "}, "response_headers": wanted, **ONCE}
    with serving(answer) as server:
        judgement = judge(hook, stage.at(EVENT), base_url=server.url.replace("http", "HTTP"), http_checks={"a": check})
    assert judgement.succeeded, judgement.message
    (head_sent,) = server.heads
    assert head_sent.startswith(b"GET /b HTTP/1.1\r\n")
    assert "\r\nX-Sent: 日本 \r\n".encode() in head_sent + b"\r\n"


def test_an_answer_that_drips_ends_at_its_timeout(stage: Stage, judge: Judge) -> None:
    def drip(connected: Any, _number: int, _here: int) -> bool:
        connected.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(400):
            connected.sendall(b"X: y\r\n")
            time.sleep(0.01)
        return False

    with serving(drip) as server:
        began = time.monotonic()
        check = {"timeout": 0.2, **ONCE}
        judgement = judge(hook, stage.at(EVENT), base_url=server.url, http_checks={"a": check})
        took = time.monotonic() - began
    assert not judgement.succeeded
    assert judgement.message == "GET /: no answer within 0.2 s"
    assert took < 3


# Expectations of headers


@pytest.mark.parametrize(
    ("expected", "problem"),
    [
        ({}, ".x-version: equals, matches or absent is needed"),
        ({"matches": "("}, ".x-version: matches is '(', which is no regular expression"),
        ({"absent": True, "equals": "a"}, ".x-version: absent is true beside equals or matches"),
    ],
)
def test_an_expectation_that_is_none_is_a_problem(
    stage: Stage, judge: Judge, site: Site, expected: dict[str, Any], problem: str
) -> None:
    judgement = judge(hook, stage.at(EVENT), http_checks={"a": {"response_headers": {"x-version": expected}}})
    assert not judgement.succeeded
    assert problem.partition(": ")[2] in judgement.message
    assert site.requests == []


def test_the_new_images_tag_may_stand_in_what_a_header_equals(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(200, "", {"X-Version": "1"})
    check = {"response_headers": {"x-version": {"equals": "{image_tag}"}}, **ONCE}
    judgement = judge(hook, stage.at(EVENT), http_checks={"a": check})
    assert judgement.message == "GET /: [HEADER x-version] (1) expected 2"


# Hints


@pytest.mark.parametrize(
    ("response", "hint"),
    [
        (Response(400, ""), r": many applications answer so to a Host that they do not know \([\w.-]+\); set host"),
        (Response(464, ""), ": the target group speaks HTTP/2 or gRPC alone, which these requests do not"),
        (
            Response(302, "", {"Location": "https://id.example.com/oauth2/authorize?state=s3cret"}),
            ": a login stands in front of it; ask a path without one, or expect the status",
        ),
        (Response(302, "", {"Location": "/new"}), ": set follow_redirects, or ask the address that it leads to"),
    ],
)
def test_a_status_that_speaks_is_explained(
    stage: Stage, judge: Judge, site: Site, response: Response, hint: str
) -> None:
    site.answer = lambda _: response
    judgement = judge(hook, stage.at(EVENT), http_checks={"a": ONCE})
    assert not judgement.succeeded
    assert re.search(f"expected 200-299{hint}$", judgement.message)
    assert "s3cret" not in str(judgement.message)


def test_with_a_host_of_its_own_a_400_is_just_one(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(400, "")
    judgement = judge(hook, stage.at(EVENT), host=NAME, http_checks={"a": ONCE})
    assert judgement.message == "GET /: [STATUS] (400) expected 200-299"


# Samples


def test_the_first_slow_answers_of_a_cold_start_are_not_judged(stage: Stage, judge: Judge, site: Site) -> None:
    def answer(request: Request) -> Response:
        if request.number <= 8:
            stage.clock.sleep(1.5)
        return Response()

    site.answer = answer
    judgement = judge(hook, stage.at(EVENT), samples=100, thresholds={"p99_ms": 500, "max_ms": 500})
    assert judgement.succeeded
    assert len(site.requests) == 1 + WARM_UP + 100


def test_by_default_samples_are_few_and_never_two_at_once(stage: Stage, judge: Judge, site: Site) -> None:
    at: list[float] = []

    def answer(_request: Request) -> Response:
        at.append(stage.clock.now)
        return Response()

    site.answer = answer
    assert judge(hook, stage.at(EVENT)).succeeded
    assert len(at) == 1 + WARM_UP + 20
    assert {round(after - before, 3) for before, after in itertools.pairwise(at[1:])} == {0.2}


@pytest.mark.parametrize("where", ["test", "production"])
def test_a_text_that_half_of_the_answers_lack(stage: Stage, judge: Judge, site: Site, where: str) -> None:
    site.answer = lambda request: Response(200, "fine" if request.number % 2 else "ill")
    check = {"body_contains": "fine", "attempts": 1, "samples": 40}
    tested = where == "test"
    module: Any = hook if tested else validate_production
    settings = {} if tested else {"initial_delay": 0, "duration": 0, "metrics_delay": 0}
    event = stage.at(EVENT if tested else "AfterAllowTraffic")
    judgement = judge(module, event, http_checks={"front": check}, **settings)
    assert not judgement.succeeded
    assert judgement.check("samples:front:error_rate") == (
        "failed",
        "front: 20 of 40 requests failed (50.00%), at most 1.00% allowed: 20 times [BODY] does not contain 'fine'",
    )


def test_a_service_that_asks_for_fewer_requests_is_not_blamed(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: Response(200 if request.number <= 1 + WARM_UP + 6 else 429)
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    said = "health: 6 of 20 samples were judged, then the service asked for fewer requests (status 429)"
    assert judgement.check("samples:health") == ("passed", said)


# Regular expressions


def test_a_slow_expression_is_in_no_others_latency(
    stage: Stage, judge: Judge, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the real clock."""
    from gate.http_sender import Sender

    monkeypatch.setattr("validate_test_traffic.Sender", Sender)
    monkeypatch.setattr("gate.http_checks.REGEX_TIME", 0.5)

    def answer(request: Request) -> Response:
        if request.path == "/runaway":
            return Response(200, "a" * 60 + "!")
        time.sleep(0.055)
        return Response()

    site.answer = answer
    checks = {"slow": {"path": "/runaway", "body_matches": "(a+)+$", **ONCE}}
    checks |= {f"c{number}": {"max_latency_ms": 400, **ONCE} for number in range(5)}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks)
    bad = [name for name, outcome in judgement.outcomes().items() if outcome != "passed"]
    assert bad == ["http:slow"]
