"""gate.http_checks: what each expectation says of a real answer, and the parts it is made of."""

from __future__ import annotations

import itertools
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest
from gate import http_checks
from gate.http_checks import (
    EXCERPT,
    Answer,
    NotEvaluated,
    deviations,
    excerpt,
    fill,
    saved,
    search,
    shortcomings,
)
from gate.http_sender import Sender
from gate.options import METHODS, Comparison, Flow, HeaderComparison, HttpCheck, Step, jmespath_problem
from gate.waiting import OutOfTime, interrupt
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.gate.web_server import WebServer

SECRET = "correct-horse-battery"


def wrong(web: WebServer, check: HttpCheck) -> list[str]:
    """Send once and compare."""
    return shortcomings(check, Sender(web.url).send(check))


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


DOCUMENT = {
    "status": "ok", "checks": {"database": "up", "queue": None}, "version": 3, "ready": True,
    "items": [{"id": 7, "tags": ["a"]}], "größe": "ä", "build-id": "b7", "ratio": 0.5, "empty": [], "zero": 0,
}  # fmt: skip
PAGE = json.dumps(DOCUMENT)


@pytest.mark.parametrize(
    ("expectation", "finding"),
    [
        ({"body_contains": '"status": "ok"'}, None),
        ({"body_contains": "error"}, "[BODY] does not contain 'error'"),
        ({"body_matches": r'"version": \d'}, None),
        ({"body_matches": r"version: \d\d"}, r"[BODY] does not match 'version: \\d\\d'"),
        ({"fail_if_body_matches": "(?i)exception"}, None),
        ({"fail_if_body_matches": "(?i)STATUS"}, "[BODY] matches '(?i)STATUS', which it must not"),
        ({"response_headers": {"x-version": HeaderComparison(equals="3")}}, None),
        ({"response_headers": {"X-VERSION": HeaderComparison(equals="4")}}, "[HEADER X-VERSION] (3) expected 4"),
        ({"response_headers": {"X-Other": HeaderComparison(equals="4")}}, "[HEADER X-Other] (absent) expected 4"),
        ({"max_latency_ms": 60_000.0}, None),
    ],
)
def test_each_expectation_holds_or_says_what_was_found(
    web: WebServer, expectation: dict[str, Any], finding: str | None
) -> None:
    web.routes["/"] = lambda request: request.answer(200, PAGE, {"X-Version": "3"})
    found = wrong(web, HttpCheck(**expectation))
    assert found == ([finding, f"body: {' '.join(PAGE.split())[:119]}…"] if finding else [])


def test_all_that_is_wrong_is_said_at_once() -> None:
    check = HttpCheck(
        body_contains="yes",
        response_headers={"X-A": HeaderComparison(equals="1")},
        jmespath={"a": Comparison(equals="1")},
        max_latency_ms=1,
    )
    assert shortcomings(check, Answer(2.0, 500, {}, '{"a": 2}')) == [
        "[STATUS] (500) expected 200-299",
        "[HEADER X-A] (absent) expected 1",
        "[LATENCY] (2 ms) expected at most 1 ms",
        "[BODY] does not contain 'yes'",
        "[JSON a] (2) expected 1",
        'body: {"a": 2}',
    ]


def test_where_no_answer_came_nothing_else_is_said() -> None:
    check = HttpCheck(body_contains="yes", certificate_days=1)
    assert shortcomings(check, Answer(2.0, problem="connection refused")) == ["connection refused"]


def test_of_a_location_nothing_is_shown_that_may_hold_a_token() -> None:
    answer = Answer(2.0, 302, {"Location": ("https://shop/in#access_token=TOK",)})
    (found,) = shortcomings(HttpCheck(), answer)
    assert found.startswith("[STATUS] (302, Location https://shop/in) expected 200-299")
    assert "TOK" not in found


def test_a_slow_answer_is_found_with_its_time() -> None:
    check = HttpCheck(max_latency_ms=100)
    assert shortcomings(check, Answer(100.0, 200)) == []
    assert shortcomings(check, Answer(250.4, 200)) == ["[LATENCY] (250 ms) expected at most 100 ms"]


# Values in JSON


@pytest.mark.parametrize(
    ("expression", "comparison", "finding"),
    [
        # equals
        ("checks.database", {"equals": "up"}, None),
        ("checks.database", {"equals": "down"}, "(up) expected down"),
        ("version", {"equals": "3"}, None),
        ("version", {"equals": "3.0"}, None),
        ("version", {"equals": "4"}, "(3) expected 4"),
        ("version", {"equals": "three"}, "(3) expected three"),
        ("ratio", {"equals": "0.50"}, None),
        ("ready", {"equals": "true"}, None),
        ("ready", {"equals": "True"}, "(true) expected True"),
        ("ready", {"equals": "1"}, "(true) expected 1"),
        ("checks.queue", {"equals": "null"}, None),
        ("checks.cache", {"equals": "up"}, "(absent) expected up"),
        ("items[0].id", {"equals": "7"}, None),
        ("items[0].tags[0]", {"equals": "a"}, None),
        ("items[1].id", {"equals": "7"}, "(absent) expected 7"),
        ("status.code", {"equals": "1"}, "(absent) expected 1"),
        ('"größe"', {"equals": "ä"}, None),
        ("items[0]", {"equals": '{"tags":["a"],"id":7}'}, None),
        ("items[0]", {"equals": '{ "id": 7.0, "tags": ["a"] }'}, None),
        ("items[0]", {"equals": '{"id":true,"tags":["a"]}'}, '({"id": 7, "tags": ["a"]}) expected'),
        ("items[0].tags", {"equals": '["a"]'}, None),
        ("items[0].tags", {"equals": '["b"]'}, '(["a"]) expected ["b"]'),
        ("items[0].tags", {"equals": "a"}, '(["a"]) expected a'),
        ("[ready]", {"equals": "[true]"}, None),
        ("[ready]", {"equals": "[1]"}, "([true]) expected [1]"),
        ("version", {"equals": "[3]"}, "(3) expected [3]"),
        # one_of
        ("status", {"one_of": ("fine", "ok")}, None),
        ("version", {"one_of": ("2", "3")}, None),
        ("status", {"one_of": ("fine", "good")}, "(ok) expected one of fine, good"),
        ("checks.cache", {"one_of": ("a", "b")}, "(absent) expected one of a, b"),
        # at_least, at_most
        ("version", {"at_least": 3}, None),
        ("version", {"at_least": 3.5}, "(3) expected at least 3.5"),
        ("version", {"at_most": 3}, None),
        ("version", {"at_most": 2}, "(3) expected at most 2"),
        ("zero", {"at_least": 0, "at_most": 0}, None),
        ("version", {"at_least": 12345678}, "(3) expected at least 12345678"),
        ("status", {"at_least": 1}, "(ok) expected at least 1"),
        ("status", {"at_most": 1}, "(ok) expected at most 1"),
        ("ready", {"at_least": 0}, "(true) expected at least 0"),
        ("checks.queue", {"at_most": 9}, "(absent) expected at most 9"),
        ("items", {"at_most": 9}, '([{"id": 7, "tags": ["a"]}]) expected at most 9'),
        # exists
        ("checks.database", {"exists": True}, None),
        ("zero", {"exists": True}, None),
        ("empty", {"exists": True}, None),
        ("checks.queue", {"exists": True}, "(absent) expected a value"),
        ("checks.cache", {"exists": False}, None),
        ("checks.queue", {"exists": False}, None),
        ("status", {"exists": False}, "(a value) expected none"),
        # length
        ("status", {"length": 2}, None),
        ("items", {"length": 1}, None),
        ("checks", {"length": 2}, None),
        ("empty", {"length": 0}, None),
        ("status", {"length": 3}, "(ok) expected length 3, not 2"),
        ("items", {"length": 0}, '([{"id": 7, "tags": ["a"]}]) expected length 0, not 1'),
        ("version", {"length": 1}, "(3) expected length 1"),
        ("checks.cache", {"length": 0}, "(absent) expected length 0"),
        # several
        ("version", {"at_least": 2, "at_most": 4, "exists": True, "one_of": ("3", "4")}, None),
        (
            "status",
            {"equals": "up", "one_of": ("a", "b"), "at_least": 1, "exists": False, "length": 9},
            "(a value) expected none and up and one of a, b and at least 1 and length 9, not 2",
        ),
        # JMESPath's own
        ('"build-id"', {"equals": "b7"}, None),
        ("length(items)", {"at_least": 1}, None),
        ("length(checks.cache)", {"at_least": 1}, "could not be evaluated: length() was given null"),
        ("length(version)", {"exists": False}, "could not be evaluated: length() was given number"),
        ("items[?tags] | max_by(@, &tags)", {"exists": False}, "could not be evaluated: max_by() was given array"),
        ("items[?id == `7`] | [0].tags[0]", {"equals": "a"}, None),
        ("items[?id > `6`].id", {"equals": "[7]"}, None),
        ("items[?id == `8`]", {"length": 0}, None),
        ("items[?tags > `6`].id", {"length": 0}, None),
        ("max(items[].id)", {"at_most": 7}, None),
        ("keys(checks)", {"equals": '["database", "queue"]'}, None),
        ("status == 'ok' && ready", {"equals": "true"}, None),
        ("@", {"exists": True}, None),
    ],
    ids=str,
)
def test_each_comparison_holds_or_says_what_was_found(
    web: WebServer, expression: str, comparison: dict[str, Any], finding: str | None
) -> None:
    web.routes["/"] = lambda request: request.answer(200, PAGE)
    found = wrong(web, HttpCheck(jmespath={expression: Comparison(**comparison)}))
    if finding is None:
        assert found == []
    else:
        assert found[0].startswith(f"[JSON {expression}] {finding}")
        assert found[1].startswith("body: ")
        assert len(found) == 2


def test_a_number_too_long_for_a_float_is_compared_digit_by_digit() -> None:
    """As the ids are that grow with time."""
    assert deviations(Comparison(equals="9007199254740993"), 9007199254740993) == []
    assert deviations(Comparison(equals="9007199254740993"), 9007199254740992) == ["9007199254740993"]


@pytest.mark.parametrize("comparison", [{"at_least": 1.0}, {"at_most": 1.0}, {"equals": "NaN"}])
def test_nan_is_as_much_as_nothing(comparison: dict[str, Any]) -> None:
    """Python reads and writes it in JSON."""
    check = HttpCheck(jmespath={"load": Comparison(**comparison)})
    assert shortcomings(check, Answer(1.0, 200, body='{"load": NaN}')) != []


def test_a_long_value_is_shown_in_short() -> None:
    check = HttpCheck(jmespath={"a": Comparison(equals="b")})
    found, _body = shortcomings(check, Answer(1.0, 200, body=json.dumps({"a": "x\n" * 500})))
    assert len(found) < 200
    assert "x x x" in found
    assert "…) expected b" in found


@pytest.mark.parametrize("body", ["", "<html>", "[" * 100_000], ids=["empty", "html", "nested"])
def test_a_body_that_is_no_json_is_said_to_be_none(web: WebServer, body: str) -> None:
    web.routes["/"] = lambda request: request.answer(200, body)
    found = wrong(web, HttpCheck(jmespath={"status": Comparison(equals="ok")}))
    assert found[0].startswith("[JSON] the body is not JSON (")


@pytest.mark.parametrize("body", ['{"a": "0123456789"}', "12345678901234567890"], ids=["object", "number"])
def test_json_that_was_cut_off_is_not_judged_but_said_to_be_cut_off(web: WebServer, body: str) -> None:
    web.routes["/"] = lambda request: request.answer(200, body)
    found = wrong(web, HttpCheck(max_body=10, jmespath={"@": Comparison(exists=True)}))
    assert found == [
        "[JSON] the body has more than 10 bytes: raise max_body",
        f"body: {body[:10]}",
    ]
    assert wrong(web, HttpCheck(max_body=20, jmespath={"@": Comparison(exists=True)})) == []


def test_what_must_not_be_in_a_body_cannot_be_missed_behind_its_end(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(200, "fine, fine, Traceback")
    check = HttpCheck(max_body=10, fail_if_body_matches="Traceback")
    assert wrong(web, check) == ["[BODY] has more than 10 bytes: raise max_body", "body: fine, fine"]
    assert wrong(web, replace(check, max_body=21))[0] == "[BODY] matches 'Traceback', which it must not"
    assert wrong(web, replace(check, max_body=21, fail_if_body_matches="Error")) == []


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
numbers = st.integers(-5, 5) | st.floats(-5, 5)


@given(values)
def test_every_value_equals_itself_as_text(value: Any) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    compact = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    for written in (text, compact):
        assert deviations(Comparison(equals=written), value) == []
        assert deviations(Comparison(one_of=("other", written)), value) == []


@given(numbers, numbers)
def test_numbers_are_equal_as_numbers_are(found: float, expected: float) -> None:
    assert (deviations(Comparison(equals=repr(expected)), found) == []) == (found == expected)


@given(st.text(max_size=3), st.text(max_size=3))
def test_texts_are_equal_letter_by_letter(found: str, expected: str) -> None:
    assert (deviations(Comparison(equals=expected), found) == []) == (found == expected)


@given(values | numbers, st.none() | st.floats(-5, 5), st.none() | st.floats(-5, 5))
def test_limits_hold_for_numbers_alone(found: Any, least: float | None, most: float | None) -> None:
    if least is None and most is None:
        return
    is_number = type(found) in (int, float)
    holds = is_number and (least is None or found >= least) and (most is None or found <= most)
    assert (deviations(Comparison(at_least=least, at_most=most), found) == []) == holds


@given(values, st.booleans(), st.integers(0, 4))
def test_exists_and_length_are_what_they_say(found: Any, exists: bool, length: int) -> None:
    assert (deviations(Comparison(exists=exists), found) == []) == ((found is not None) == exists)
    countable = type(found) in (str, list, dict)
    assert (deviations(Comparison(length=length), found) == []) == (countable and len(found) == length)


comparisons = st.fixed_dictionaries(
    {},
    optional={
        "equals": st.text(max_size=2),
        "one_of": st.lists(st.text(max_size=2), min_size=1, max_size=2).map(tuple),
        "at_least": st.just(-1.0),
        "at_most": st.just(1.0),
        "exists": st.booleans(),
        "length": st.integers(0, 2),
    },
).filter(bool)


@given(values, comparisons)
def test_several_comparisons_hold_if_each_holds(found: Any, comparison: dict[str, Any]) -> None:
    each = [deviations(Comparison(**{name: value}), found) for name, value in comparison.items()]
    assert sorted(deviations(Comparison(**comparison), found)) == sorted(itertools.chain.from_iterable(each))


# JMESPath


@pytest.mark.parametrize(
    "expression", ["build-id", "", "a.", "items[", "length(", "a b", "`1", "[?a", "checks.data-base", "größe"]
)
def test_what_is_no_jmespath_expression_is_said_to_be_none_with_its_cure(expression: str) -> None:
    said = jmespath_problem(expression)
    assert said.startswith(f"{expression!r}, which is no JMESPath expression (a key with a hyphen needs quotes): ")
    assert "\n" not in said


@pytest.mark.parametrize(
    "expression", ["lenght(items)", "a[?contain(b, 'x')]", "not_null(a, nope(b))", "sort_by(a, &nope(b))"]
)
def test_a_function_that_jmespath_does_not_have_is_named(expression: str) -> None:
    """At run time it would be an absent value for ever, and pass where none is expected."""
    name = re.findall(r"lenght|contain|nope", expression)[0]
    assert jmespath_problem(expression) == f"{expression!r}: JMESPath has no function {name}"


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # jmespath's of a literal without quotes
@given(st.text(max_size=20) | st.text("ab[]{}()|&?*@.,:`'\"\\-!=<>0$ \n", max_size=12))
def test_any_text_is_a_jmespath_expression_or_is_said_to_be_none(expression: str) -> None:
    problem = jmespath_problem(expression)
    assert not problem or problem.startswith(repr(expression))
    assert "\n" not in problem


EXPRESSIONS = (
    "[::0]", "length()", "ceil(@)", "floor(@)", "abs(@)", "sum(@)", "avg(@)", "sort(@)", "max(@)", "sort_by(@, &a)",
    "max_by(@, &a)", "min_by(@, &a)", "join(',', @)", "map(&a, @)", "@ < `1`", "[?a > `0`]", "[?@ > `0`]", "length(@)",
    "keys(@)", "reverse(@)", "contains(@, 'a')", "starts_with(@, 'a')", "to_number(@)", "merge(@, @)", "[?a][::0]",
)  # fmt: skip


@given(values | st.lists(st.dictionaries(st.just("a"), values)))
def test_no_answer_makes_an_expression_raise(document: Any) -> None:
    for expression in EXPRESSIONS:
        with suppress(NotEvaluated):
            search(expression, document)


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize(
    ("expression", "body", "given"),
    [
        ("length(n)", '{"n": 3}', ": length() was given number"),
        ("length(n)", '{"n": null}', ": length() was given null"),
        ("ceil(n)", '{"n": 1e999}', ""),
        ("ceil(n)", '{"n": NaN}', ""),
        ("n < `1`", '{"n": "x"}', ""),
        ("[?n > `1`]", '[{"n": 2}, {"n": "x"}]', ""),
        ("max_by(@, &n)", '[{"n": 2}, {"n": "x"}]', ""),
        ("n[::0]", '{"n": [1]}', ""),
        ("length()", "[]", ""),
    ],
)
def test_what_does_not_fit_the_value_is_neither_there_nor_absent(
    web: WebServer, expression: str, body: str, given: str, exists: bool
) -> None:
    web.routes["/"] = lambda request: request.answer(200, body)
    found = wrong(web, HttpCheck(jmespath={expression: Comparison(exists=exists)}))
    assert found[0] == f"[JSON {expression}] could not be evaluated{given}"


def test_a_comparison_that_does_not_fit_the_value_is_null(web: WebServer) -> None:
    """As JMESPath says."""
    web.routes["/"] = lambda request: request.answer(200, '{"n": [0]}')
    found = wrong(web, HttpCheck(jmespath={"n < `1`": Comparison(exists=True)}))
    assert found[0] == "[JSON n < `1`] (absent) expected a value"


def test_what_could_not_be_evaluated_is_not_quoted(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(200, '{"token": "s3cr3t"}')
    check = HttpCheck(jmespath={"abs(token)": Comparison(exists=False)})
    assert wrong(web, check)[0] == "[JSON abs(token)] could not be evaluated: abs() was given string"


def test_what_could_not_be_evaluated_is_not_saved() -> None:
    step = Step(save={"count": "length(n)", "n": "n"})
    assert saved(step, Answer(1.0, 200, body='{"n": 3}')) == {"count": None, "n": "3"}


# Regular expressions that run away


RUNAWAY = "(a+)+$"
BODY = "a" * 60 + "!"


@pytest.mark.parametrize("attribute", ["body_matches", "fail_if_body_matches"])
def test_a_regular_expression_that_runs_away_is_ended_and_said_so(
    web: WebServer, monkeypatch: pytest.MonkeyPatch, attribute: str
) -> None:
    monkeypatch.setattr(http_checks, "REGEX_TIME", 0.05)
    web.routes["/"] = lambda request: request.answer(200, BODY)
    check: Any = {attribute: RUNAWAY}
    assert wrong(web, HttpCheck(**check)) == [
        "[BODY] '(a+)+$' took more than 0.05 s: simplify the expression",
        f"body: {BODY}",
    ]


def test_after_one_that_ran_away_the_others_are_matched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_checks, "REGEX_TIME", 0.05)
    answer = Answer(1.0, 200, body=BODY)
    for _ in range(2):
        assert "took more than" in shortcomings(HttpCheck(body_matches=RUNAWAY), answer)[0]
        assert shortcomings(HttpCheck(body_matches="a!"), answer) == []


def judge_for_ever() -> list[list[str]]:
    return [shortcomings(HttpCheck(body_matches=RUNAWAY), Answer(1.0, 200, body=BODY)) for _ in range(1000)]


def test_a_hook_whose_time_is_over_ends_while_an_expression_runs_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_checks, "REGEX_TIME", 60.0)
    with pytest.raises(OutOfTime), interrupt(0.05, OutOfTime):
        judge_for_ever()  # the inner alarm may come first, at the same moment


def test_a_hooks_time_goes_on_while_an_expression_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_checks, "REGEX_TIME", 0.01)
    with pytest.raises(OutOfTime), interrupt(0.1, OutOfTime):
        judge_for_ever()  # 10 s


def test_outside_the_main_thread_expressions_are_matched_as_ever() -> None:
    with ThreadPoolExecutor(1) as pool:
        check = HttpCheck(body_matches="a!", fail_if_body_matches="b")
        assert pool.submit(shortcomings, check, Answer(1.0, 200, body=BODY)).result() == []
        assert pool.submit(threading.current_thread).result() is not threading.main_thread()


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
        response_headers={"X-Id": HeaderComparison(equals="{id}")}, status=("200",),
        jmespath={"a": Comparison(equals="{id}", at_least=1), "b": Comparison(one_of=("{id}", "x"))},
    )  # fmt: skip
    value = 'a/b "ä"?&#\\'
    found = fill(step, {"id": value}.get)
    assert found.path == "/orders/a%2Fb%20%22%C3%A4%22%3F%26%23%5C?q=a%2Fb%20%22%C3%A4%22%3F%26%23%5C"
    assert found.headers == {"X-Id": value, "{id}": "a"}
    assert found.json is not None
    assert json.loads(found.json) == {"id": value}
    assert found.response_headers == {"X-Id": HeaderComparison(equals=value)}
    assert found.jmespath == {"a": Comparison(equals=value, at_least=1), "b": Comparison(one_of=(value, "x"))}
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
    check = HttpCheck(jmespath={"length(a)": Comparison(at_least=1), "b": Comparison(equals="2")})
    assert shortcomings(check, Answer(1.0, 200, body='{"b": 1}'))[:2] == [
        "[JSON length(a)] could not be evaluated: length() was given null",
        "[JSON b] (1) expected 2",
    ]
