"""Declared HTTP checks: what is asked, what the answer has to be, and where it is not.

Pure. The words are those of the field: status classes as in Prometheus' blackbox exporter, `[STATUS] (500) expected
200` as in gatus, JMESPath as in `aws --query`.
"""

from __future__ import annotations

import functools
import json as json_format
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Optional, TypeVar
from urllib.parse import quote

from gate.options.requests import PLACEHOLDER, Assertion, HttpRequest, Step, shown_address
from gate.redact import SENSITIVE_NAME, redact

EXCERPT = 120  # characters of a body shown in a message
MASKED = 4096  # characters of it in which secrets are looked for: more than an excerpt and what it may cut through
REDIRECTS = (301, 302, 303, 307, 308)
NOT_JSON = (ValueError, RecursionError)  # what reading JSON raises
NETWORK = "look at the load balancer's scheme and security groups, and at the module's vpc_config"

LOGIN = re.compile(r"authori[sz]e|login|oauth2|signin", re.IGNORECASE)
_PLACEHOLDER = re.compile(rf"\{{({PLACEHOLDER})\}}")


def mismatches_of_value(expected: Assertion, found: Any) -> list[str]:
    """What a value should have been; empty if it is. Null and absent are one, as they are to JMESPath."""
    wrong = []
    if expected.exists is not None and expected.exists != (found is not None):
        wrong.append("a value" if expected.exists else "none")
    if expected.equals is not None and not _same(found, expected.equals):
        wrong.append(expected.equals)
    if expected.one_of is not None and not any(_same(found, text) for text in expected.one_of):
        wrong.append(f"one of {', '.join(expected.one_of)}")
    number = found if isinstance(found, (int, float)) and not isinstance(found, bool) else float("nan")
    if expected.at_least is not None and not number >= expected.at_least:  # NaN is neither
        wrong.append(f"at least {expected.at_least:.15g}")
    if expected.at_most is not None and not number <= expected.at_most:
        wrong.append(f"at most {expected.at_most:.15g}")
    length = len(found) if isinstance(found, (str, list, dict)) else None
    if expected.length is not None and length != expected.length:
        wrong.append(f"length {expected.length}{'' if length is None else f', not {length}'}")
    return wrong


def _same(found: Any, text: str) -> bool:
    if isinstance(found, str) or found is None:
        return text == ("null" if found is None else found)
    try:
        return _alike(found, json_format.loads(text))
    except NOT_JSON:
        return False


def _alike(found: Any, expected: Any) -> bool:
    """Whether two values of JSON are the same; `true` is not 1, which to Python it is."""
    if isinstance(found, bool) or isinstance(expected, bool):
        return found is expected
    if isinstance(found, dict) and isinstance(expected, dict):
        return found.keys() == expected.keys() and all(_alike(found[key], expected[key]) for key in found)
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(map(_alike, found, expected))
    return bool(found == expected)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json_format.dumps(value, ensure_ascii=False)


@dataclass(frozen=True)
class Answer:
    """What came back; `problem` says why nothing did (time-out, connection refused, TLS)."""

    latency_ms: float
    status: int = 0
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # a header's values, as they came
    body: str = ""
    problem: str = ""
    unreached: bool = False  # there was not even a connection
    cut_off: bool = False  # the body was larger than `max_body`
    asked_as: str = ""  # the name in the hook's own address, where no other was set as Host

    def values(self, name: str) -> tuple[str, ...]:
        """A header's values, whatever case its name is written in; none where there is none."""
        return next((values for key, values in self.headers.items() if key.lower() == name.lower()), ())

    def header(self, name: str) -> Optional[str]:
        """A header's value, several as one; None if there is none."""
        return ", ".join(self.values(name)) if self.values(name) else None

    @property
    def document(self) -> Any:
        """The body as JSON, without a byte order mark. Raises NOT_JSON."""
        return json_format.loads(self.body.removeprefix("\ufeff"))


def saved(step: Step, answer: Answer) -> dict[str, Optional[str]]:
    """What the answer holds for later steps; None where it does not."""
    found = dict.fromkeys(step.save)
    for name, source in step.save.items():
        if source.startswith("header:"):
            found[name] = answer.header(source[len("header:") :])
        elif not answer.cut_off:
            with suppress(*NOT_JSON, NotEvaluated):
                value = search(source, answer.document)
                found[name] = None if value is None else _as_text(value)
    return found


class NotEvaluated(Exception):
    """An expression has no value in this document, not even null, and why."""


def search(expression: str, document: Any) -> Any:
    """The value of a JMESPath expression; None where there is none. Raises NotEvaluated."""
    import jmespath  # type: ignore[import-untyped]  # comes with boto3; imported inside the guard, as boto3 is

    try:
        return jmespath.search(expression, document)
    except (ValueError, TypeError, ArithmeticError, RecursionError) as problem:
        # A function applied to a value of another type, such as length(null), is a JMESPathError, and that a
        # ValueError; the others are what Python says to `"a" > 1`, ceil(1e999) and the like. Their own words may
        # quote the document, and a secret in it.
        given = getattr(problem, "actual_type", None)
        function = f": {getattr(problem, 'function_name', '?')}() was given {given}" if given else ""
        raise NotEvaluated(f"could not be evaluated{function}") from None


def mismatches(check: HttpRequest, answer: Answer, *, quotes_body: bool = True) -> list[str]:
    """Where the answer is not as expected, each as `[WHAT] (found) expected`; empty if it is as expected.

    To be called in the main thread: only there the invocation's alarm interrupts a regular expression that runs away.
    """
    if answer.problem:
        return [answer.problem]
    found = _head_mismatches(check, answer)
    if check.max_latency_ms is not None and answer.latency_ms > check.max_latency_ms:
        found.append(f"[LATENCY] ({answer.latency_ms:.0f} ms) expected at most {check.max_latency_ms:g} ms")
    found += _body_mismatches(check, answer)
    if found and answer.body and quotes_body:
        found.append(f"body: {excerpt(answer.body)}")
    return found


def _head_mismatches(check: HttpRequest, answer: Answer) -> list[str]:
    found = []
    if not check.accepts(answer.status):
        location = shown_address(answer.header("location") or "")
        where = f", Location {location}" if location else ""
        hint = _hint(check, answer, location)
        because = f": {hint}" if hint else ""
        found.append(f"[STATUS] ({answer.status}{where}) expected {', '.join(check.status)}{because}")
    for name, expected in check.response_headers.items():
        values, secret = answer.values(name), bool(SENSITIVE_NAME.search(name))
        every = dict.fromkeys([*values, ", ".join(values)]) if values else {}  # one of them, or all joined, is enough
        wrong = []
        if expected.absent is not None and expected.absent == bool(values):
            wrong.append("none" if expected.absent else "a value")
        if expected.equals is not None and expected.equals.strip(" \t") not in every:  # blanks around it are no part
            wrong.append("another value" if secret and values else expected.equals)
        if expected.matches is not None and not any(re.search(expected.matches, value) for value in every):
            wrong.append(f"to match {expected.matches!r}")
        if wrong:
            shown = "***" if secret and values else answer.header(name) or ("empty" if values else "absent")
            found.append(f"[HEADER {name}] ({shown}) expected {' and '.join(wrong)}")
    return found


def _hint(check: HttpRequest, answer: Answer, location: str) -> str:
    """What a status that was not expected speaks of, in one clause; mostly nothing."""
    if answer.status in (400, 421) and answer.asked_as:
        return f"many applications answer so to a Host that they do not know ({answer.asked_as}); set host"
    if answer.status in REDIRECTS and location:
        if LOGIN.search(location):
            return "a login stands in front of it; ask a path without one, or expect the status"
        return "" if check.follow_redirects else "set follow_redirects, or ask the address that it leads to"
    server = answer.header("server")
    if answer.status == 403 and (server or "").startswith("awselb"):
        waf = "the load balancer itself answers so, mostly by AWS WAF"
        return f"{waf}; let requests of User-Agent codedeploy-hooks pass"
    if answer.status == 464:
        return "the target group speaks HTTP/2 or gRPC alone, which these requests do not"
    if answer.status == 503 and (server or "awselb").startswith("awselb"):
        return "a load balancer answers so while no healthy target is behind it"
    return ""


def _body_mismatches(check: HttpRequest, answer: Answer) -> list[str]:
    found = []
    if check.body_contains is not None and check.body_contains not in answer.body:
        found.append(f"[BODY] does not contain {check.body_contains!r}")
    if check.body_matches is not None and not re.search(check.body_matches, answer.body):
        found.append(f"[BODY] does not match {check.body_matches!r}")
    if check.fail_if_body_matches is not None:
        if re.search(check.fail_if_body_matches, answer.body):
            found.append(f"[BODY] matches {check.fail_if_body_matches!r}, which it must not")
        elif answer.cut_off:  # the rest was not looked at
            found.append(f"[BODY] has more than {check.max_body} bytes: raise max_body")
    if check.jmespath:
        found += _json_mismatches(check, answer)
    return found


def _json_mismatches(check: HttpRequest, answer: Answer) -> list[str]:
    if answer.cut_off:
        return [f"[JSON] the body has more than {check.max_body} bytes: raise max_body"]
    try:
        document = answer.document
    except NOT_JSON as problem:
        return [f"[JSON] the body is not JSON ({problem})"]
    found = []
    for expression, comparison in check.jmespath.items():
        try:
            value = search(expression, document)
        except NotEvaluated as problem:
            found.append(f"[JSON {expression}] {problem}")
            continue
        wrong = mismatches_of_value(comparison, value)
        if wrong:
            shown = "absent" if value is None else "a value" if comparison.exists is False else excerpt(_as_text(value))
            shown = "***" if value is not None and SENSITIVE_NAME.search(expression) else shown
            found.append(f"[JSON {expression}] ({shown}) expected {' and '.join(wrong)}")
    return found


def excerpt(text: str) -> str:
    """The beginning of a body, on one line, without what looks like a secret."""
    line = " ".join(redact(text[:MASKED]).split())
    return line if len(line) <= EXCERPT else line[: EXCERPT - 1] + "…"


R = TypeVar("R", bound=HttpRequest)


def fill(check: R, value_of: Callable[[str], Optional[str]]) -> R:
    """The check with each `{name}` replaced by its value; a name without one (None) stays as it is written."""

    def put(text: Any, form: Callable[[str], str] = str) -> Any:
        def value(match: re.Match[str]) -> str:
            found = value_of(match[1])
            return match[0] if found is None else form(found)

        return None if text is None else _PLACEHOLDER.sub(value, text)

    in_address = functools.partial(quote, safe="", errors="replace")
    return replace(
        check,
        path=put(check.path, in_address),
        url=put(check.url, in_address),
        headers={name: put(text) for name, text in check.headers.items()},
        body=put(check.body),
        json=put(check.json, lambda text: json_format.dumps(text)[1:-1]),
        response_headers={
            name: replace(each, equals=put(each.equals)) for name, each in check.response_headers.items()
        },
        jmespath={
            expression: replace(each, equals=put(each.equals), one_of=each.one_of and tuple(map(put, each.one_of)))
            for expression, each in check.jmespath.items()
        },
    )
