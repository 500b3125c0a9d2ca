"""What is expected of values in JSON, by comparisons and by JMESPath."""

from __future__ import annotations

import itertools
import json
import re
from contextlib import suppress
from typing import Any

import pytest
from gate.http_checks import Answer, NotEvaluated, mismatches, mismatches_of_value, saved, search
from gate.http_sender import Sender
from gate.options.requests import Assertion, HttpCheck, Step, jmespath_problem
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.gate.web_server import WebServer


def wrong(web: WebServer, check: HttpCheck) -> list[str]:
    """Send once and compare."""
    return mismatches(check, Sender(web.url).send(check))


DOCUMENT = {
    "status": "ok", "checks": {"database": "up", "queue": None}, "version": 3, "ready": True,
    "items": [{"id": 7, "tags": ["a"]}], "größe": "ä", "build-id": "b7", "ratio": 0.5, "empty": [], "zero": 0,
}  # fmt: skip
PAGE = json.dumps(DOCUMENT)


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
    found = wrong(web, HttpCheck(jmespath={expression: Assertion(**comparison)}))
    if finding is None:
        assert found == []
    else:
        assert found[0].startswith(f"[JSON {expression}] {finding}")
        assert found[1].startswith("body: ")
        assert len(found) == 2


def test_a_number_too_long_for_a_float_is_compared_digit_by_digit() -> None:
    """As the ids are that grow with time."""
    assert mismatches_of_value(Assertion(equals="9007199254740993"), 9007199254740993) == []
    assert mismatches_of_value(Assertion(equals="9007199254740993"), 9007199254740992) == ["9007199254740993"]


@pytest.mark.parametrize("comparison", [{"at_least": 1.0}, {"at_most": 1.0}, {"equals": "NaN"}])
def test_nan_is_as_much_as_nothing(comparison: dict[str, Any]) -> None:
    """Python reads and writes it in JSON."""
    check = HttpCheck(jmespath={"load": Assertion(**comparison)})
    assert mismatches(check, Answer(1.0, 200, body='{"load": NaN}')) != []


def test_a_long_value_is_shown_in_short() -> None:
    check = HttpCheck(jmespath={"a": Assertion(equals="b")})
    found, _body = mismatches(check, Answer(1.0, 200, body=json.dumps({"a": "x\n" * 500})))
    assert len(found) < 200
    assert "x x x" in found
    assert "…) expected b" in found


@pytest.mark.parametrize("body", ["", "<html>", "[" * 100_000], ids=["empty", "html", "nested"])
def test_a_body_that_is_no_json_is_said_to_be_none(web: WebServer, body: str) -> None:
    web.routes["/"] = lambda request: request.answer(200, body)
    found = wrong(web, HttpCheck(jmespath={"status": Assertion(equals="ok")}))
    assert found[0].startswith("[JSON] the body is not JSON (")


@pytest.mark.parametrize("body", ['{"a": "0123456789"}', "12345678901234567890"], ids=["object", "number"])
def test_json_that_was_cut_off_is_not_judged_but_said_to_be_cut_off(web: WebServer, body: str) -> None:
    web.routes["/"] = lambda request: request.answer(200, body)
    found = wrong(web, HttpCheck(max_body=10, jmespath={"@": Assertion(exists=True)}))
    assert found == [
        "[JSON] the body has more than 10 bytes: raise max_body",
        f"body: {body[:10]}",
    ]
    assert wrong(web, HttpCheck(max_body=20, jmespath={"@": Assertion(exists=True)})) == []


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
        assert mismatches_of_value(Assertion(equals=written), value) == []
        assert mismatches_of_value(Assertion(one_of=("other", written)), value) == []


@given(numbers, numbers)
def test_numbers_are_equal_as_numbers_are(found: float, expected: float) -> None:
    assert (mismatches_of_value(Assertion(equals=repr(expected)), found) == []) == (found == expected)


@given(st.text(max_size=3), st.text(max_size=3))
def test_texts_are_equal_letter_by_letter(found: str, expected: str) -> None:
    assert (mismatches_of_value(Assertion(equals=expected), found) == []) == (found == expected)


@given(values | numbers, st.none() | st.floats(-5, 5), st.none() | st.floats(-5, 5))
def test_limits_hold_for_numbers_alone(found: Any, least: float | None, most: float | None) -> None:
    if least is None and most is None:
        return
    is_number = type(found) in (int, float)
    holds = is_number and (least is None or found >= least) and (most is None or found <= most)
    assert (mismatches_of_value(Assertion(at_least=least, at_most=most), found) == []) == holds


@given(values, st.booleans(), st.integers(0, 4))
def test_exists_and_length_are_what_they_say(found: Any, exists: bool, length: int) -> None:
    assert (mismatches_of_value(Assertion(exists=exists), found) == []) == ((found is not None) == exists)
    countable = type(found) in (str, list, dict)
    assert (mismatches_of_value(Assertion(length=length), found) == []) == (countable and len(found) == length)


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
    each = [mismatches_of_value(Assertion(**{name: value}), found) for name, value in comparison.items()]
    assert sorted(mismatches_of_value(Assertion(**comparison), found)) == sorted(itertools.chain.from_iterable(each))


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
    found = wrong(web, HttpCheck(jmespath={expression: Assertion(exists=exists)}))
    assert found[0] == f"[JSON {expression}] could not be evaluated{given}"


def test_a_comparison_that_does_not_fit_the_value_is_null(web: WebServer) -> None:
    """As JMESPath says."""
    web.routes["/"] = lambda request: request.answer(200, '{"n": [0]}')
    found = wrong(web, HttpCheck(jmespath={"n < `1`": Assertion(exists=True)}))
    assert found[0] == "[JSON n < `1`] (absent) expected a value"


def test_what_could_not_be_evaluated_is_not_quoted(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(200, '{"token": "s3cr3t"}')
    check = HttpCheck(jmespath={"abs(token)": Assertion(exists=False)})
    assert wrong(web, check)[0] == "[JSON abs(token)] could not be evaluated: abs() was given string"


def test_what_could_not_be_evaluated_is_not_saved() -> None:
    step = Step(save={"count": "length(n)", "n": "n"})
    assert saved(step, Answer(1.0, 200, body='{"n": 3}')) == {"count": None, "n": "3"}
