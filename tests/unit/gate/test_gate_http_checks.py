"""gate.http_checks against a real server: what each expectation says, what time-outs and TLS do, and the statistics."""

from __future__ import annotations

import gzip
import itertools
import json
import math
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from gate.deployment import Listener, LoadBalancer, TargetGroup
from gate.http_checks import (
    MAX_BODY,
    Answer,
    HttpCheck,
    Sender,
    Statistics,
    Thresholds,
    base_url_problem,
    default_check,
    json_value,
    judge_statistics,
    listener_url,
    run_check,
    send_load,
    send_samples,
    shortcomings,
    status_range,
)
from gate.verdict import CannotLook, Outcome
from gate.waiting import Deadline, OutOfTime
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.gate.conftest import Clock
from tests.unit.gate.web_server import Certificates, Request, WebServer, make_certificates

SECRET = "correct-horse-battery"
NAME = "shop.example.com"


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A server that answers /health with 200."""
    server = WebServer(routes={"/health": lambda request: request.answer()})
    yield server
    server.close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority nobody knows, and its certificate for one name."""
    return make_certificates(tmp_path_factory.mktemp("certificates"), NAME)


@pytest.fixture
def secure(certificates: Certificates) -> Iterator[WebServer]:
    """The same with that certificate."""
    server = WebServer(certificates, routes={"/health": lambda request: request.answer()})
    yield server
    server.close()


def soon() -> Deadline:
    """A deadline on a clock on which nobody waits."""
    clock = Clock()
    return Deadline(600, clock.monotonic, clock.sleep)


def wrong(web: WebServer, check: HttpCheck) -> list[str]:
    """Send once and compare."""
    return shortcomings(check, Sender(web.url).send(check))


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


@pytest.mark.parametrize(
    ("base", "path", "asked"),
    [
        ("", "/", "/"),
        ("", "/health", "/health"),
        ("/", "/health", "/health"),
        ("/api", "/health", "/api/health"),
        ("/api/", "health", "/api/health"),
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


# What is expected


@pytest.mark.parametrize(
    ("status", "expected", "finding"),
    [
        (200, ("200-299",), None),
        (299, ("200-299",), None),
        (204, ("2xx",), None),
        (404, ("200", "404"), None),
        (500, ("200-299",), "[STATUS] (500) expected 200-299"),
        (300, ("200-299", "404"), "[STATUS] (300) expected 200-299, 404"),
        (201, ("200",), "[STATUS] (201) expected 200"),
    ],
)
def test_the_status(web: WebServer, status: int, expected: tuple[str, ...], finding: str | None) -> None:
    web.routes["/"] = lambda request: request.answer(status, "")
    assert wrong(web, HttpCheck(status=expected)) == ([finding] if finding else [])


PAGE = json.dumps(
    {
        "status": "ok", "checks": {"database": "up", "queue": None}, "version": 3, "ready": True,
        "items": [{"id": 7, "tags": ["a"]}], "größe": "ä",
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("expectation", "finding"),
    [
        ({"body_contains": '"status": "ok"'}, None),
        ({"body_contains": "error"}, "[BODY] does not contain 'error'"),
        ({"body_matches": r'"version": \d'}, None),
        ({"body_matches": r"version: \d\d"}, r"[BODY] does not match 'version: \\d\\d'"),
        ({"fail_if_body_matches": "(?i)exception"}, None),
        ({"fail_if_body_matches": "(?i)STATUS"}, "[BODY] matches '(?i)STATUS', which it must not"),
        ({"response_headers": {"x-version": "3"}}, None),
        ({"response_headers": {"X-VERSION": "4"}}, "[HEADER X-VERSION] (3) expected 4"),
        ({"response_headers": {"X-Other": "4"}}, "[HEADER X-Other] (absent) expected 4"),
        ({"json": {"checks.database": "up", "version": "3", "ready": "true", "checks.queue": "null"}}, None),
        ({"json": {"items[0].id": "7", "items[0].tags[0]": "a", "größe": "ä"}}, None),
        ({"json": {"checks.database": "down"}}, "[JSON checks.database] (up) expected down"),
        ({"json": {"checks.cache": "up"}}, "[JSON checks.cache] there is no cache in it"),
        ({"json": {"items[1].id": "7"}}, "[JSON items[1].id] there is no [1] in it"),
        ({"json": {"status.code": "1"}}, "[JSON status.code] there is no code in it"),
        ({"json": {"ready": "True"}}, "[JSON ready] (true) expected True"),
        ({"max_latency_ms": 60_000.0}, None),
    ],
)
def test_each_expectation_holds_or_says_what_was_found(
    web: WebServer, expectation: dict[str, Any], finding: str | None
) -> None:
    web.routes["/"] = lambda request: request.answer(200, PAGE, {"X-Version": "3"})
    found = wrong(web, HttpCheck(**expectation))
    assert found == ([finding, f"body: {' '.join(PAGE.split())[:119]}…"] if finding else [])


def test_a_slow_answer_is_found_with_its_time() -> None:
    check = HttpCheck(max_latency_ms=100)
    assert shortcomings(check, Answer(100.0, 200)) == []
    assert shortcomings(check, Answer(250.4, 200)) == ["[LATENCY] (250 ms) expected at most 100 ms"]


def test_latency_is_measured_on_the_clock_until_the_body_is_read(web: WebServer) -> None:
    ticks = itertools.count(10, 0.25)
    answer = Sender(web.url, clock=lambda: next(ticks)).send(HttpCheck(path="/health"))
    assert answer.status == 200
    assert answer.latency_ms > 0
    assert answer.latency_ms % 250 == 0


@pytest.mark.parametrize("body", ["", "<html>", "[" * 100_000], ids=["empty", "html", "nested"])
def test_a_body_that_is_no_json_is_said_to_be_none(web: WebServer, body: str) -> None:
    web.routes["/"] = lambda request: request.answer(200, body)
    found = wrong(web, HttpCheck(json={"status": "ok"}))
    assert found[0].startswith("[JSON] the body is not JSON (")


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
    web.routes["/"] = lambda request: request.answer(200, "x" * (3 * MAX_BODY))
    assert len(Sender(web.url).send(HttpCheck()).body) == MAX_BODY


def test_a_redirect_is_not_followed_and_its_query_not_shown(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(302, "", {"location": f"{web.url}/health?token={SECRET}"})
    assert wrong(web, HttpCheck()) == [f"[STATUS] (302, Location {web.url}/health) expected 200-299"]
    assert len(web.requests) == 1


def test_a_redirect_is_followed_if_asked_for(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(302, "", {"Location": "/health"})
    assert wrong(web, HttpCheck(follow_redirects=True)) == []
    web.routes["/"] = lambda request: request.answer(302, "", {"Location": f"/?token={SECRET}"})
    assert wrong(web, HttpCheck(follow_redirects=True)) == ["more redirects than 30"]


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


@pytest.mark.parametrize("route", [silence, drip, stall])
def test_whatever_comes_too_slowly_ends_at_the_timeout(web: WebServer, route: Any) -> None:
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
        HttpCheck(headers={"Authorization": f" {SECRET}€"}),
        HttpCheck(url=f"ftp://host/?token={SECRET}"),
        HttpCheck(url=f"http://host:port/?token={SECRET}"),
        HttpCheck(url=f"http://?token={SECRET}"),
    ],
    ids=["line end in a header", "no latin-1", "scheme", "port", "no host"],
)
def test_a_request_that_cannot_be_sent_says_so_without_its_secrets(web: WebServer, check: HttpCheck) -> None:
    finding = run_check(check, Sender(web.url), soon())
    assert "the request could not be sent (" in finding.detail
    assert "check its url, method and headers" in finding.detail
    assert SECRET not in repr(finding)


# TLS


def test_a_certificate_nobody_knows_is_an_error_with_the_cure(secure: WebServer) -> None:
    problem = Sender(secure.url).send(HttpCheck(path="/health")).problem
    assert problem.startswith("TLS failed (")
    assert "CERTIFICATE_VERIFY_FAILED" in problem
    assert problem.endswith("set the check's `host` to a name in the certificate")
    assert secure.requests == []


def test_without_verification_any_certificate_will_do(secure: WebServer) -> None:
    assert wrong(secure, HttpCheck(path="/health", verify_tls=False)) == []
    assert wrong(secure, HttpCheck(path="/health", verify_tls=False, host="other.example.com")) == []


def test_the_host_is_the_name_that_tls_asks_for_and_verifies(
    secure: WebServer, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority))
    assert wrong(secure, HttpCheck(path="/health", host=NAME)) == []
    assert secure.server_names == [NAME]
    assert secure.requests[0].headers["Host"] == NAME


@pytest.mark.parametrize("host", [None, "other.example.com"])
def test_a_certificate_for_another_name_is_refused(
    secure: WebServer, certificates: Certificates, monkeypatch: pytest.MonkeyPatch, host: str | None
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority))
    (problem,) = wrong(secure, HttpCheck(path="/health", host=host))
    assert problem.startswith("TLS failed (")
    assert ("set the check's `host`" in problem) == (host is None)
    assert secure.requests == []


# One check, tried some times


def test_a_check_passes_with_status_and_time(web: WebServer) -> None:
    finding = run_check(HttpCheck(path=f"/health?token={SECRET}"), Sender(web.url), soon())
    assert finding.outcome is Outcome.PASSED
    assert finding.detail.startswith("GET /health: 200 in ")
    assert finding.values == {"attempts": 1}
    assert SECRET not in repr(finding)


def test_a_check_is_tried_again_until_it_passes(web: WebServer) -> None:
    answers = iter([500, 503, 200])
    web.routes["/"] = lambda request: request.answer(next(answers))
    finding = run_check(HttpCheck(attempts=5), Sender(web.url), soon())
    assert (finding.outcome, finding.values["attempts"]) == (Outcome.PASSED, 3)
    assert len(web.requests) == 3


def test_a_check_is_tried_no_more_than_its_attempts(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(500, "out of\n memory")
    finding = run_check(HttpCheck(attempts=3), Sender(web.url), soon())
    assert finding.outcome is Outcome.FAILED
    assert finding.detail == "GET /: [STATUS] (500) expected 200-299; body: out of memory (attempt 3 of 3)"
    assert len(web.requests) == 3


def test_header_values_are_in_no_finding(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(403, "")
    check = HttpCheck(headers={"Authorization": f"Bearer {SECRET}"}, body=SECRET, method="POST", attempts=1)
    finding = run_check(check, Sender(web.url), soon())
    assert finding.detail == "POST /: [STATUS] (403) expected 200-299"
    assert SECRET not in repr(finding)
    assert web.requests[0].headers["Authorization"] == f"Bearer {SECRET}"


# Small parts


@pytest.mark.parametrize(
    ("expression", "first", "last"),
    [("200", 200, 200), ("200-399", 200, 399), ("2xx", 200, 299), (" 5xx ", 500, 599), ("100-599", 100, 599)],
)
def test_status_expressions(expression: str, first: int, last: int) -> None:
    assert (min(status_range(expression)), max(status_range(expression))) == (first, last)


@pytest.mark.parametrize(
    "expression", ["", "2x", "6xx", "20", "2000", "200-", "-200", "299-200", "200,201", "ok", "2XX"]
)
def test_other_status_expressions_are_refused_by_name(expression: str) -> None:
    with pytest.raises(ValueError, match="is no code") as caught:
        status_range(expression)
    assert repr(expression) in str(caught.value)


def test_a_json_path_that_leads_nowhere_says_where_it_ends() -> None:
    with pytest.raises(LookupError, match="there is no b in it"):
        json_value({"a": {}}, "a.b.c")
    with pytest.raises(LookupError, match=r"there is no \[3\] in it"):
        json_value([1, 2], "[3]")
    assert json_value([{"a": 1}], "[0].a") == 1


@pytest.mark.parametrize("url", ["http://a", "https://a.example.com:8443", "http://10.0.0.1:80/api"])
def test_a_base_url_is_an_address(url: str) -> None:
    assert base_url_problem(url) == ""


@pytest.mark.parametrize("url", ["a.example.com", "ftp://a", "http://", "//a"])
def test_what_is_no_base_url_is_said_to_be_none(url: str) -> None:
    assert repr(url) in base_url_problem(url)


GROUP = TargetGroup(
    arn="arn", name="blue", protocol="HTTP", protocol_version="HTTP1", port=80, target_type="ip", vpc_id="vpc-1",
    health_enabled=True, health_protocol="HTTP", health_port="traffic-port", health_path="/health?deep=1",
    health_interval=30, health_timeout=5, healthy_threshold=5, unhealthy_threshold=2,
    matcher="200,204,300-302", load_balancers=(),
)  # fmt: skip


def test_the_default_check_is_the_target_groups_own() -> None:
    check = default_check(GROUP)
    assert (check.path, check.method, check.verify_tls) == ("/health?deep=1", "GET", False)
    assert [status for status in range(100, 600) if check.accepts(status)] == [200, 204, 300, 301, 302]


@pytest.mark.parametrize(("protocol", "matcher"), [("TCP", "200"), ("HTTP", "0-99"), ("HTTP", "12")])
def test_a_target_group_without_http_health_check_asks_for_declared_checks(protocol: str, matcher: str) -> None:
    with pytest.raises(CannotLook, match="declare http_checks"):
        default_check(replace(GROUP, health_protocol=protocol, matcher=matcher))


def test_a_listeners_url_has_its_scheme_name_and_port() -> None:
    listener = Listener(arn="l", load_balancer_arn="b", protocol="HTTPS", port=8443, weights={})
    balancer = LoadBalancer(arn="b", dns_name="lb.example.com", kind="application", state="active", zones=())
    assert listener_url(listener, balancer) == "https://lb.example.com:8443"
    assert listener_url(replace(listener, protocol="HTTP", port=80), balancer) == "http://lb.example.com:80"


# Statistics


def good(*latencies: float) -> list[Answer]:
    return [Answer(latency, 200) for latency in latencies]


def test_an_error_is_no_answer_or_a_status_nobody_expects() -> None:
    answers = [*good(30, 10, 20), Answer(5, 503), Answer(5, 503), Answer(9, problem="connection refused")]
    found = Statistics.of(HttpCheck(), answers)
    assert (found.count, found.errors, found.error_rate, found.latencies) == (6, 3, 0.5, [10, 20, 30])
    assert found.reasons == {"status 503": 2, "connection refused": 1}


def nearest_rank(rank: int, values: list[float]) -> float:
    """The textbook's definition, in whole numbers: the smallest value that `rank` percent do not exceed."""
    ordered = sorted(values)
    return next(value for at, value in enumerate(ordered, 1) if at * 100 >= rank * len(ordered))


@given(st.lists(st.floats(min_value=0, max_value=10_000), min_size=1, max_size=400), st.sampled_from([50, 95, 99]))
def test_percentiles_are_the_nearest_rank(latencies: list[float], rank: int) -> None:
    assert Statistics.of(HttpCheck(), good(*latencies)).percentile(rank) == nearest_rank(rank, latencies)


@pytest.mark.parametrize("count", [100, 300, 700, 1000, 5800, 10_000])
def test_the_rank_is_exact_for_round_counts(count: int) -> None:
    statistics = Statistics.of(HttpCheck(), good(*range(1, count + 1)))
    assert statistics.percentile(99) == count * 99 // 100


def judged(answers: list[Answer], **thresholds: Any) -> dict[str, tuple[str, str]]:
    findings = judge_statistics("health", Statistics.of(HttpCheck(), answers), Thresholds(**thresholds))
    return {str(finding.name): (finding.outcome.value, finding.detail) for finding in findings}


def test_figures_within_their_thresholds_pass_with_their_values() -> None:
    found = judged(good(*range(1, 101)), p50_ms=50.0, p95_ms=95.0, p99_ms=99.0)
    assert found == {
        "error_rate:health": ("passed", "0 of 100 requests failed (0.00%)"),
        "latency_p50:health": ("passed", "p50 50 ms of 100 answers (slowest 100 ms)"),
        "latency_p95:health": ("passed", "p95 95 ms of 100 answers (slowest 100 ms)"),
        "latency_p99:health": ("passed", "p99 99 ms of 100 answers (slowest 100 ms)"),
    }


def test_figures_beyond_their_thresholds_fail_with_value_and_limit() -> None:
    answers = [*good(*range(1, 99)), Answer(1, 500), Answer(1, problem="no answer within 5 s")]
    found = judged(answers, p50_ms=48.0, p95_ms=1000.0)
    assert found["error_rate:health"] == (
        "failed",
        (
            "health: 2 of 100 requests failed (2.00%), at most 1.00% allowed: "
            "1 times no answer within 5 s, 1 times status 500"
        ),
    )
    assert found["latency_p50:health"] == (
        "failed",
        "health: p50 49 ms of 98 answers (slowest 98 ms), at most 48 ms allowed",
    )
    assert found["latency_p95:health"][0] == "passed"


def test_tolerated_errors_are_still_told() -> None:
    found = judged([*good(*range(99)), Answer(1, 500)], error_rate=0.01, p99_ms=None)
    assert found == {"error_rate:health": ("passed", "1 of 100 requests failed (1.00%): 1 times status 500")}


@pytest.mark.parametrize(("word", "needed"), [("p50", 2), ("p95", 20), ("p99", 100)])
def test_too_few_answers_for_a_percentile_are_said_to_be_too_few(word: str, needed: int) -> None:
    limits = {"p50_ms": None, "p95_ms": None, "p99_ms": None, f"{word}_ms": 1e9}
    found = judged(good(*range(needed - 1)), **limits)[f"latency_{word}:health"]
    few = f"{word} needs {needed} requests, there were {needed - 1} good answers to {needed - 1}"
    assert found == ("skipped", few)
    assert judged(good(*range(needed)), **limits)[f"latency_{word}:health"][0] == "passed"


def test_errors_do_not_spare_the_good_answers_their_percentile() -> None:
    answers = [*good(*[900.0] * 99), Answer(1, 500)]
    assert judged(answers, error_rate=0.5)["latency_p99:health"][0] == "failed"
    only_errors = judged([Answer(1, 500)] * 100, error_rate=1.0)
    assert only_errors["latency_p99:health"] == ("skipped", "p99 needs 100 requests, there were 0 good answers to 100")


def test_no_answers_at_all_are_no_pass() -> None:
    assert judged([])["error_rate:health"][0] == "failed"
    assert "nothing was sent" in judged([])["error_rate:health"][1]


# Many requests


def test_samples_are_sent_as_many_as_asked_and_no_more_at_once(web: WebServer) -> None:
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
    answers = send_samples(HttpCheck(), Sender(web.url), count=25, concurrency=3)
    assert [answer.status for answer in answers] == [200] * 25
    assert len(web.requests) == 25
    assert most <= 3


@pytest.mark.parametrize(("rate", "duration", "total"), [(200, 0.1, 20), (100, 0.055, 5), (10, 0.01, 1)])
def test_a_load_is_what_was_asked_for_and_never_more(web: WebServer, rate: float, duration: float, total: int) -> None:
    deadline = Deadline(600)
    answers, achieved = send_load(
        HttpCheck(path="/health"), Sender(web.url), deadline, rate=rate, duration=duration, concurrency=4
    )
    assert len(answers) == len(web.requests) == total
    assert [answer.status for answer in answers] == [200] * total
    assert achieved > 0
    assert math.isfinite(achieved)


def test_a_load_that_meets_only_errors_ends_early(web: WebServer) -> None:
    web.routes["/health"] = lambda request: request.answer(503)
    answers, _ = send_load(
        HttpCheck(path="/health"), Sender(web.url), Deadline(600), rate=1000, duration=600, concurrency=8
    )
    assert 100 <= len(answers) <= 100 + 8
    assert len(web.requests) == len(answers)


def test_a_load_with_some_errors_goes_on(web: WebServer) -> None:
    numbers = itertools.count()
    web.routes["/health"] = lambda request: request.answer(503 if next(numbers) % 3 == 0 else 200)
    answers, _ = send_load(
        HttpCheck(path="/health"), Sender(web.url), Deadline(600), rate=2000, duration=0.1, concurrency=4
    )
    assert len(answers) == 200


def test_waiting_for_a_stalled_server_counts_as_latency(web: WebServer) -> None:
    def slowly(request: Request) -> None:
        time.sleep(0.02)
        request.answer()

    web.routes["/health"] = slowly
    answers, _ = send_load(
        HttpCheck(path="/health"), Sender(web.url), Deadline(600), rate=1000, duration=0.01, concurrency=1
    )
    # The tenth was due after 9 ms and came after ten answers of 20 ms each.
    assert len(answers) == 10
    assert max(answer.latency_ms for answer in answers) >= 10 * 20 - 9


def test_nothing_is_sent_when_the_time_is_over(web: WebServer) -> None:
    deadline = Deadline(600)
    deadline.call_off()
    answers, _ = send_load(HttpCheck(path="/health"), Sender(web.url), deadline, rate=10, duration=3600, concurrency=2)
    assert (answers, web.requests) == ([], [])


def test_a_load_is_given_up_when_the_time_is_over(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the alarm clock does it: an exception in the thread that waits; the workers end by themselves."""
    deadline = Deadline(600)

    def interrupt(_futures: object) -> None:
        while len(web.requests) < 3:
            time.sleep(0.001)
        raise OutOfTime

    monkeypatch.setattr("gate.http_checks.wait", interrupt)
    with pytest.raises(OutOfTime):
        send_load(HttpCheck(path="/health"), Sender(web.url), deadline, rate=500, duration=600, concurrency=2)
    for thread in threading.enumerate():
        if thread.name.startswith("http"):
            thread.join(30)
            assert not thread.is_alive()


def test_answers_of_samples_keep_no_bodies(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(200, "x" * 100_000)
    answers = send_samples(HttpCheck(), Sender(web.url), count=5, concurrency=2)
    assert [(answer.status, answer.body, answer.headers) for answer in answers] == [(200, "", {})] * 5


def test_a_missing_library_is_found_where_it_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(ImportError) as caught:
        Sender("http://127.0.0.1")
    assert caught.value.name == "requests"
