"""The program in the place of an application answers what the options of a stack's hooks expect of it."""

from __future__ import annotations

import json
import re
from typing import Any

import jmespath  # type: ignore[import-untyped]
import pytest

from rehearsal.stacks.answers import answers


def made(**settings: Any) -> tuple[dict[str, dict[str, Any]], list[str]]:
    rules, notes = answers({"validate_test_traffic": settings})
    return {f"{rule['method']} {rule['path']}": rule for rule in rules}, notes


@pytest.mark.parametrize(
    ("expression", "wanted", "found"),
    [
        ("status", {"equals": "ok"}, "ok"),
        ("version", {"equals": "{image_tag}"}, "{image_tag}"),
        ("count", {"equals": "5"}, 5),
        ("checks.database", {"one_of": ["up", "ok"]}, "up"),
        ('"a-b"[1].c', {"at_least": 3}, 3),
        ("items", {"length": 2}, [{}, {}]),
        ("there", {"exists": True}, "rehearsal"),
    ],
)
def test_values_stand_where_expressions_look(expression: str, wanted: dict[str, Any], found: Any) -> None:
    rules, notes = made(http_checks={"a": {"path": "/x", "jmespath": {expression: wanted}}})
    assert jmespath.search(expression, json.loads(rules["GET /x"]["body"])) == found
    assert not notes


def test_what_a_flow_saves_and_reads_back() -> None:
    steps = [
        {"method": "POST", "path": "/orders", "status": ["201"], "save": {"order": "id"}},
        {"path": "/orders/{order}", "jmespath": {"id": {"equals": "{order}"}, "item": {"equals": "book"}}},
        {"method": "DELETE", "path": "/orders/{order}", "status": ["2xx"]},
    ]
    rules, _ = made(flows={"order": {"steps": steps}})
    placed, read, deleted = rules.values()
    assert placed["status"] == 201
    assert json.loads(placed["body"]) == {"id": "1"} or json.loads(placed["body"]) == {"id": 1}
    assert re.fullmatch(read["path"], "/orders/1")
    assert json.loads(read["body"])["item"] == "book"
    assert deleted["status"] == 200


def test_texts_and_headers() -> None:
    headers = {"x-a": {"equals": "{image_tag}"}, "x-b": {"absent": True}}
    rules, _ = made(http_checks={"a": {"path": "/", "body_contains": "Welcome", "response_headers": headers}})
    assert rules["GET /"]["body"] == "Welcome"
    assert rules["GET /"]["headers"] == {"x-a": "{image_tag}"}


def test_what_cannot_be_made_is_said() -> None:
    _, notes = made(http_checks={"a": {"jmespath": {"length(items)": {"equals": "2"}}, "body_matches": "^[0-9]{3}$"}})
    assert [note.partition(":")[0] for note in notes] == ["validate_test_traffic.http_checks.a"] * 2
