"""gate.http_checks: what each expectation says of a real answer, and the parts it is made of."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest
from gate.http_checks import EXCERPT, Answer, excerpt, fill, mismatches, saved
from gate.http_sender import Sender
from gate.options.requests import METHODS, Assertion, Flow, HeaderAssertion, HttpCheck, Step
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.gate.web_server import WebServer

SECRET = "correct-horse-battery"


def wrong(web: WebServer, check: HttpCheck) -> list[str]:
    """Send once and compare."""
    return mismatches(check, Sender(web.url).send(check))


# What is expected of status, headers and body


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
    {"status": "ok", "checks": {"database": "up", "queue": None}, "version": 3, "ready": True, "items": [*range(9)]}
)


@pytest.mark.parametrize(
    ("expectation", "finding"),
    [
        ({"body_contains": '"status": "ok"'}, None),
        ({"body_contains": "error"}, "[BODY] does not contain 'error'"),
        ({"body_matches": r'"version": \d'}, None),
        ({"body_matches": r"version: \d\d"}, r"[BODY] does not match 'version: \\d\\d'"),
        ({"fail_if_body_matches": "(?i)exception"}, None),
        ({"fail_if_body_matches": "(?i)STATUS"}, "[BODY] matches '(?i)STATUS', which it must not"),
        ({"response_headers": {"x-version": HeaderAssertion(equals="3")}}, None),
        ({"response_headers": {"X-VERSION": HeaderAssertion(equals="4")}}, "[HEADER X-VERSION] (3) expected 4"),
        ({"response_headers": {"X-Other": HeaderAssertion(equals="4")}}, "[HEADER X-Other] (absent) expected 4"),
        ({"max_latency_ms": 60_000.0}, None),
    ],
)
def test_each_expectation_holds_or_says_what_was_found(
    web: WebServer, expectation: dict[str, Any], finding: str | None
) -> None:
    web.routes["/"] = lambda request: request.answer(200, PAGE, {"X-Version": "3"})
    found = wrong(web, HttpCheck(**expectation))
    assert found == ([finding, f"body: {' '.join(PAGE.split())[:119]}…"] if finding else [])


def test_what_must_not_be_in_a_body_cannot_be_missed_behind_its_end(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(200, "fine, fine, Traceback")
    check = HttpCheck(max_body=10, fail_if_body_matches="Traceback")
    assert wrong(web, check) == ["[BODY] has more than 10 bytes: raise max_body", "body: fine, fine"]
    assert wrong(web, replace(check, max_body=21))[0] == "[BODY] matches 'Traceback', which it must not"
    assert wrong(web, replace(check, max_body=21, fail_if_body_matches="Error")) == []


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
    comparison = HeaderAssertion(**expected)  # type: ignore[arg-type]
    check = HttpCheck(response_headers={name: comparison})
    found = mismatches(check, Answer(1.0, 200, VARY))
    assert found == ([f"[HEADER {name}] {finding}"] if finding else [])


def test_all_that_is_wrong_is_said_at_once() -> None:
    check = HttpCheck(
        body_contains="yes",
        response_headers={"X-A": HeaderAssertion(equals="1")},
        jmespath={"a": Assertion(equals="1")},
        max_latency_ms=1,
    )
    assert mismatches(check, Answer(2.0, 500, {}, '{"a": 2}')) == [
        "[STATUS] (500) expected 200-299",
        "[HEADER X-A] (absent) expected 1",
        "[LATENCY] (2 ms) expected at most 1 ms",
        "[BODY] does not contain 'yes'",
        "[JSON a] (2) expected 1",
        'body: {"a": 2}',
    ]


def test_where_no_answer_came_nothing_else_is_said() -> None:
    check = HttpCheck(body_contains="yes")
    assert mismatches(check, Answer(2.0, problem="connection refused")) == ["connection refused"]


def test_of_a_location_nothing_is_shown_that_may_hold_a_token() -> None:
    answer = Answer(2.0, 302, {"Location": ("https://shop/in#access_token=TOK",)})
    (found,) = mismatches(HttpCheck(), answer)
    assert found.startswith("[STATUS] (302, Location https://shop/in) expected 200-299")
    assert "TOK" not in found


def test_a_slow_answer_is_found_with_its_time() -> None:
    check = HttpCheck(max_latency_ms=100)
    assert mismatches(check, Answer(100.0, 200)) == []
    assert mismatches(check, Answer(250.4, 200)) == ["[LATENCY] (250 ms) expected at most 100 ms"]


# What a check says of itself


@pytest.mark.parametrize(
    ("attributes", "request_"),
    [
        ({}, "GET /"),
        ({"path": f"/a?token={SECRET}", "method": "POST"}, "POST /a"),
        ({"url": f"https://a.example.com/b?token={SECRET}"}, "GET https://a.example.com/b"),
        ({"url": f"https://user:{SECRET}@a.example.com/b@c"}, "GET https://a.example.com/b@c"),
    ],
)
def test_a_request_is_called_by_method_and_path_without_its_secrets(attributes: dict[str, Any], request_: str) -> None:
    assert HttpCheck(**attributes).request == request_


def test_a_request_has_no_body_unless_declared() -> None:
    assert HttpCheck().content is None
    assert HttpCheck(body="").content == b""
    assert HttpCheck(body="größe").content == "größe".encode()
    assert HttpCheck(json='{"a": "ä"}').content == '{"a": "ä"}'.encode()


@pytest.mark.parametrize("method", METHODS)
def test_only_reading_methods_may_be_repeated(method: str) -> None:
    assert HttpCheck(method=method).only_reads == (method in ("GET", "HEAD", "OPTIONS"))


# Flows


def test_a_flow_is_declared_in_steps() -> None:
    flow = Flow((Step(name="log in"), Step()))
    assert [flow.title(number) for number in range(2)] == ["log in", "step 2"]
    assert flow.steps[0].attempts == 1


def test_what_a_step_saves() -> None:
    step = Step(
        save={
            "text": "a", "number": "b", "flag": "c", "object": "d", "none": "e", "missing": "f",
            "header": "header:location", "absent": "header:X-Other", "empty": "g",
        }
    )  # fmt: skip
    answer = Answer(
        1.0, 201, {"Location": ("/orders/7",)}, '{"a": "ä", "b": 7, "c": true, "d": {"x": 1}, "e": null, "g": ""}'
    )
    assert saved(step, answer) == {
        "text": "ä", "number": "7", "flag": "true", "object": '{"x": 1}', "none": None, "missing": None,
        "header": "/orders/7", "absent": None, "empty": "",
    }  # fmt: skip
    assert saved(step, replace(answer, body="<html>"))["header"] == "/orders/7"
    assert saved(step, replace(answer, body="<html>"))["text"] is None
    assert saved(step, replace(answer, body="12", cut_off=True))["text"] is None
    assert saved(Step(save={"all": "@"}), Answer(1.0, 200, body="12", cut_off=True)) == {"all": None}


def test_what_goes_into_a_header_is_a_secret() -> None:
    first = Step(save={"token": "t", "id": "i"})
    second = Step(path="/{id}", headers={"Authorization": "Bearer {token}", "X-Tag": "{image_tag}"})
    assert Flow((first, second)).secrets == {"token"}


# Placeholders


def test_each_placeholder_is_filled_in_its_own_form() -> None:
    step = Step(
        path="/orders/{id}?q={id}", method="POST", headers={"X-Id": "{id}", "{id}": "a"}, json='{"id": "{id}"}',
        response_headers={"X-Id": HeaderAssertion(equals="{id}")}, status=("200",),
        jmespath={"a": Assertion(equals="{id}", at_least=1), "b": Assertion(one_of=("{id}", "x"))},
    )  # fmt: skip
    value = 'a/b "ä"?&#\\'
    found = fill(step, {"id": value}.get)
    assert found.path == "/orders/a%2Fb%20%22%C3%A4%22%3F%26%23%5C?q=a%2Fb%20%22%C3%A4%22%3F%26%23%5C"
    assert found.headers == {"X-Id": value, "{id}": "a"}
    assert found.json is not None
    assert json.loads(found.json) == {"id": value}
    assert found.response_headers == {"X-Id": HeaderAssertion(equals=value)}
    assert found.jmespath == {"a": Assertion(equals=value, at_least=1), "b": Assertion(one_of=(value, "x"))}
    assert (found.method, found.status, found.attempts) == ("POST", ("200",), 1)


def test_a_body_and_an_address_elsewhere_are_filled_too() -> None:
    step = Step(url="https://a.example.com/{id}", method="POST", body="id={id}")
    assert fill(step, {"id": "a/b"}.get) == replace(step, url="https://a.example.com/a%2Fb", body="id=a/b")


def test_a_name_without_a_value_stays_as_it_is_written() -> None:
    check = HttpCheck(path="/{a}/{b}", method="POST", body="query {me} {a}", headers={"X": "{A} {a-b} {{a}} {}"})
    found = fill(check, {"a": "1"}.get)
    assert (found.path, found.body, found.headers) == ("/1/{b}", "query {me} 1", {"X": "{A} {a-b} {1} {}"})
    assert fill(check, lambda _name: None) == check


def test_an_empty_value_is_one() -> None:
    assert fill(HttpCheck(path="/a{x}b"), {"x": ""}.get).path == "/ab"


def test_a_value_is_not_filled_again() -> None:
    assert fill(HttpCheck(body="{a}"), {"a": "{b}", "b": "c"}.get).body == "{b}"


@given(st.text(max_size=20))
def test_any_value_is_one_part_of_a_path_and_one_text_of_json(value: str) -> None:
    check = HttpCheck(path="/{x}", json='{"a": "{x}"}')
    text = value.encode(errors="replace").decode()  # JSON may hold half of a letter, which no address can
    found = fill(check, {"x": value}.get)
    assert found.path.count("/") == 1
    assert not set(found.path) & set("?#& ")
    assert unquote(found.path) == f"/{text}"
    assert found.json is not None
    assert json.loads(found.json) == {"a": value}


# Small parts


codes = st.integers(100, 599)


@given(st.lists(codes.map(str) | st.tuples(codes, codes).map(lambda pair: f"{min(pair)}-{max(pair)}")
                | st.integers(1, 5).map(lambda digit: f"{digit}xx"), min_size=1, max_size=4))  # fmt: skip
def test_a_check_accepts_the_statuses_that_its_expressions_name(expressions: list[str]) -> None:
    def named(expression: str, status: int) -> bool:
        if expression.endswith("xx"):
            return str(status)[0] == expression[0]
        first, _, last = expression.partition("-")
        return first <= str(status) <= (last or first)  # of three digits each

    check = HttpCheck(status=tuple(expressions))
    assert [status for status in range(600) if check.accepts(status)] == [
        status for status in range(100, 600) if any(named(expression, status) for expression in expressions)
    ]


@given(st.text(max_size=400))
def test_an_excerpt_is_one_line_of_bounded_length(text: str) -> None:
    found = excerpt(text)
    assert len(found) <= EXCERPT
    assert len(found.splitlines()) <= 1
    line = " ".join(text.split())
    assert found == line or (found.endswith("…") and line.startswith(found[:-1]))


def test_an_answers_header_is_found_in_any_case() -> None:
    answer = Answer(1.0, 200, {"X-Version": ("3",)})
    assert (answer.header("x-version"), answer.header("X-VERSION"), answer.header("X")) == ("3", "3", None)


def test_an_expression_without_a_value_hides_no_other() -> None:
    check = HttpCheck(jmespath={"length(a)": Assertion(at_least=1), "b": Assertion(equals="2")})
    assert mismatches(check, Answer(1.0, 200, body='{"b": 1}'))[:2] == [
        "[JSON length(a)] could not be evaluated: length() was given null",
        "[JSON b] (1) expected 2",
    ]
