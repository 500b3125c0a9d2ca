"""What the program in the place of an application has to answer, by the options of a stack's own hooks.

A team's checks expect what its application says. Of that application nothing is known but those checks: so the answers
are made of them. What cannot be made of them (a regular expression, a JMESPath function) is noted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_STEP = re.compile(r'\.?(?:"((?:[^"\\]|\\.)*)"|([A-Za-z_]\w*)|\[(\d+)\])')
_SAVED = "1"
"""The value of what a flow saves."""
_OF_GREEN = ("image_tag", "revision")


def answers(settings: Mapping[str, Mapping[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the program's rules, and notes on what could not be made. `settings`: the options of each hook."""
    rules: dict[tuple[str, str], dict[str, Any]] = {}
    notes: list[str] = []
    for hook in ("validate_test_traffic", "validate_production"):
        for where, request in _requests(settings.get(hook) or {}):
            rule, problems = _rule(request)
            notes += [f"{hook}.{where}: {problem}" for problem in problems]
            key = (rule["method"], rule["path"])
            known = rules.get(key)
            rules[key] = _both(known, rule) if known else rule
    return [{**rule, "body": _body(rule)} for rule in rules.values()], notes


def _requests(settings: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, check in (settings.get("http_checks") or {}).items():
        yield f"http_checks.{name}", check
    for name, flow in (settings.get("flows") or {}).items():
        for number, step in enumerate(flow.get("steps") or []):
            yield f"flows.{name}.steps[{number}]", step
    if settings.get("load"):
        yield "load", settings["load"]


def _rule(request: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    notes: list[str] = []
    path = re.sub(r"https?://[^/]+", "", str(request.get("url") or "")) or str(request.get("path") or "/")
    parts = re.split(r"\{[a-z][a-z0-9_]*\}", path)
    rule: dict[str, Any] = {
        "method": str(request.get("method") or "GET"),
        "path": r"[^/?]+".join(map(re.escape, parts)),
        "status": _status(request.get("status") or ["200"]),
        "headers": {},
        "json": None,
        "text": str(request.get("body_contains") or ""),
    }
    if request.get("body_matches"):
        literal = re.sub(r"\\(.)", r"\1", str(request["body_matches"]))
        rule["text"] = f"{rule['text']} {literal}".strip()
        if not re.search(str(request["body_matches"]), literal):
            notes.append("no answer could be made that body_matches: use RUN")
    for name, wanted in (request.get("response_headers") or {}).items():
        if wanted.get("absent"):
            continue
        value = wanted.get("equals") or wanted.get("matches") or "rehearsal"
        rule["headers"][name] = value
        if wanted.get("matches") and not re.search(wanted["matches"], value):
            notes.append(f"no {name} could be made that matches: use RUN")
    wants = [(expression, dict(wanted)) for expression, wanted in (request.get("jmespath") or {}).items()]
    for source in (request.get("save") or {}).values():
        if source.startswith("header:"):
            rule["headers"].setdefault(source.partition(":")[2], _SAVED)
        else:
            wants.append((source, {"saved": True}))
    for expression, wanted in sorted(wants, key=lambda pair: len(pair[0])):
        steps = _steps(expression)
        if steps is None:
            notes.append(f"no answer could be made for the expression {expression}: use RUN")
        else:
            rule["json"] = _put(rule["json"], steps, _value(wanted, steps, rule["json"]))
    return rule, notes


def _both(known: dict[str, Any], rule: dict[str, Any]) -> dict[str, Any]:
    """One answer for two requests that are alike."""
    texts = [text for text in dict.fromkeys((known["text"], rule["text"])) if text]
    merged = known["json"] if rule["json"] is None else rule["json"]
    if isinstance(known["json"], dict) and isinstance(rule["json"], dict):
        merged = {**known["json"], **rule["json"]}
    status = rule["status"] if rule["json"] is not None else known["status"]
    return {
        **known,
        "status": status,
        "headers": {**known["headers"], **rule["headers"]},
        "json": merged,
        "text": " ".join(texts),
    }


def _body(rule: Mapping[str, Any]) -> str:
    if rule["json"] is None and rule["text"]:
        return str(rule["text"])
    content = {"status": "ok", "version": "{image_tag}"} if rule["json"] is None else rule["json"]
    if rule["text"] and isinstance(content, dict):
        content = {**content, "text": rule["text"]}
    return json.dumps(content)


def _status(wanted: list[str]) -> int:
    first = str(wanted[0])
    return int(first[0]) * 100 if first.endswith("xx") else int(first.partition("-")[0])


def _steps(expression: str) -> list[str | int] | None:
    """The keys and numbers of a plain path; None for any other expression."""
    if expression == "@":
        return []
    steps: list[str | int] = []
    at = 0
    while at < len(expression):
        match = _STEP.match(expression, at)
        if match is None or (at and match[0][0] not in '."['):
            return None
        steps.append(int(match[3]) if match[3] else match[1] if match[1] is not None else match[2])
        at = match.end()
    return steps


def _value(wanted: Mapping[str, Any], steps: list[str | int], there: Any) -> Any:
    if wanted.get("saved"):
        return _get(there, steps) if _get(there, steps) is not None else _SAVED
    text = wanted.get("equals") if wanted.get("equals") is not None else (wanted.get("one_of") or [None])[0]
    if text is not None:
        filled = re.sub(r"\{([a-z][a-z0-9_]*)\}", lambda m: m[0] if m[1] in _OF_GREEN else _SAVED, str(text))
        try:
            return json.loads(filled)
        except ValueError:
            return filled
    if wanted.get("exists") is False:
        return None
    if wanted.get("length") is not None:
        return [{} for _ in range(int(wanted["length"]))]
    for bound in ("at_least", "at_most"):
        if wanted.get(bound) is not None:
            return wanted[bound]
    return "rehearsal"


def _get(there: Any, steps: list[str | int]) -> Any:
    for step in steps:
        try:
            there = there[step]
        except (KeyError, IndexError, TypeError):
            return None
    return there


def _put(there: Any, steps: list[str | int], value: Any) -> Any:
    """Return what is there with a value at a path; what is between is made."""
    if not steps:
        return value
    first, rest = steps[0], steps[1:]
    if isinstance(first, int):
        found = list(there) if isinstance(there, list) else []
        found += [{} for _ in range(first + 1 - len(found))]
        found[first] = _put(found[first], rest, value)
        return found
    entries = dict(there) if isinstance(there, dict) else {}
    entries[first] = _put(entries.get(first), rest, value)
    return entries
