"""Declared HTTP checks: what is asked, what the answer has to be, and where it is not.

Pure but for the time that a regular expression may take. The words are those of the field: status classes as in
Prometheus' blackbox exporter, `[STATUS] (500) expected 200` as in gatus, JMESPath as in `aws --query`.
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

from gate.options import (
    PLACEHOLDER,
    Comparison,
    HttpRequest,
    Step,
    shown_address,
)
from gate.verdict import TELLING, masked
from gate.waiting import interrupt

EXCERPT = 120  # characters of a body shown in a message
MASKED = 4096  # characters of it in which secrets are looked for: more than an excerpt and what it may cut through
REGEX_TIME = 1.0  # seconds that a regular expression may take; a good one takes milliseconds

_PLACEHOLDER = re.compile(rf"\{{({PLACEHOLDER})\}}")


def deviations(comparison: Comparison, found: Any) -> list[str]:
    """What a value should have been; empty if it is. Null and absent are one, as they are to JMESPath."""
    wrong = []
    if comparison.exists is not None and comparison.exists != (found is not None):
        wrong.append("a value" if comparison.exists else "none")
    if comparison.equals is not None and not _same(found, comparison.equals):
        wrong.append(comparison.equals)
    if comparison.one_of is not None and not any(_same(found, text) for text in comparison.one_of):
        wrong.append(f"one of {', '.join(comparison.one_of)}")
    number = found if isinstance(found, (int, float)) and not isinstance(found, bool) else None
    if comparison.at_least is not None and (number is None or not number >= comparison.at_least):  # NaN is neither
        wrong.append(f"at least {comparison.at_least:.15g}")
    if comparison.at_most is not None and (number is None or not number <= comparison.at_most):
        wrong.append(f"at most {comparison.at_most:.15g}")
    if comparison.length is not None:
        length = len(found) if isinstance(found, (str, list, dict)) else None
        if length != comparison.length:
            wrong.append(f"length {comparison.length}{'' if length is None else f', not {length}'}")
    return wrong


def _same(found: Any, text: str) -> bool:
    if isinstance(found, str) or found is None:
        return text == ("null" if found is None else found)
    try:
        return _alike(found, json_format.loads(text))
    except (ValueError, RecursionError):
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
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    problem: str = ""
    cut_off: bool = False  # the body was larger than `max_body`
    excerpt: bool = True  # whether a message may quote its body
    certificate_days: Optional[float] = None  # how much longer the server's certificate is valid

    def header(self, name: str) -> Optional[str]:
        """A header's value, whatever case its name is written in; None if there is none."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), None)

    @property
    def document(self) -> Any:
        """The body as JSON. Raises ValueError or RecursionError where it is none."""
        return json_format.loads(self.body)

    @property
    def is_json(self) -> bool:
        """Whether the body is JSON."""
        try:
            self.document  # noqa: B018  # it is read for its error
        except (ValueError, RecursionError):
            return False
        return True


def saved(step: Step, answer: Answer) -> dict[str, Optional[str]]:
    """What the answer holds for later steps; None where it does not."""
    found: dict[str, Optional[str]] = {}
    for name, source in step.save.items():
        if source.startswith("header:"):
            found[name] = answer.header(source[len("header:") :])
        else:
            found[name] = None
            if answer.is_json and not answer.cut_off:
                with suppress(NotEvaluated):
                    value = search(source, answer.document)
                    found[name] = None if value is None else _as_text(value)
    return found


class NotEvaluated(Exception):  # noqa: N818  # it is what happened, and reads as such
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


def shortcomings(check: HttpRequest, answer: Answer) -> list[str]:
    """Where the answer is not as expected, each as `[WHAT] (found) expected`; empty if it is as expected.

    To be called in the main thread: only there a regular expression that runs away can be interrupted.
    """
    if answer.problem:
        return [answer.problem]
    found = head_shortcomings(check, answer)
    if check.max_latency_ms is not None and answer.latency_ms > check.max_latency_ms:
        found.append(f"[LATENCY] ({answer.latency_ms:.0f} ms) expected at most {check.max_latency_ms:g} ms")
    if check.certificate_days is not None:
        days = answer.certificate_days
        if days is None:
            found.append("[CERTIFICATE] (none: the answer did not come by TLS) expected one")
        elif days < check.certificate_days:
            found.append(f"[CERTIFICATE] ({days:.0f} days left) expected at least {check.certificate_days:g}")
    found += _body_shortcomings(check, answer)
    if found and answer.body and answer.excerpt:
        found.append(f"body: {excerpt(answer.body)}")
    return found


def head_shortcomings(check: HttpRequest, answer: Answer) -> list[str]:
    """Where status and headers are not as expected: what is judged of each sample too."""
    found = []
    if not check.accepts(answer.status):
        location = shown_address(answer.header("location") or "")
        where = f", Location {location}" if location else ""
        found.append(f"[STATUS] ({answer.status}{where}) expected {', '.join(check.status)}")
    for name, expected in check.response_headers.items():
        value = answer.header(name)
        if value != expected:
            shown = ("***", "another value") if value and TELLING.search(name) else (value or "absent", expected)
            found.append(f"[HEADER {name}] ({shown[0]}) expected {shown[1]}")
    return found


def _body_shortcomings(check: HttpRequest, answer: Answer) -> list[str]:
    found = []
    if check.body_contains is not None and check.body_contains not in answer.body:
        found.append(f"[BODY] does not contain {check.body_contains!r}")
    try:
        if check.body_matches is not None and not _matches(check.body_matches, answer.body):
            found.append(f"[BODY] does not match {check.body_matches!r}")
        if check.fail_if_body_matches is not None:
            if _matches(check.fail_if_body_matches, answer.body):
                found.append(f"[BODY] matches {check.fail_if_body_matches!r}, which it must not")
            elif answer.cut_off:  # the rest was not looked at
                found.append(f"[BODY] has more than {check.max_body} bytes: raise max_body")
    except _TooLong as problem:
        found.append(f"[BODY] {problem.args[0]!r} took more than {REGEX_TIME:g} s: simplify the expression")
    if check.jmespath:
        found += json_shortcomings(check, answer)
    return found


class _TooLong(Exception):  # noqa: N818  # it is what happened, and reads as such
    """A regular expression ran away."""


def _matches(expression: str, text: str) -> bool:
    try:
        with interrupt(REGEX_TIME, _TooLong):
            return re.search(expression, text) is not None
    except _TooLong:
        raise _TooLong(expression) from None


def json_shortcomings(check: HttpRequest, answer: Answer) -> list[str]:
    """Where values of the JSON are not as expected."""
    if answer.cut_off:
        return [f"[JSON] the body has more than {check.max_body} bytes: raise max_body"]
    try:
        document = answer.document
    except (ValueError, RecursionError) as problem:
        return [f"[JSON] the body is not JSON ({problem})"]
    found = []
    for expression, comparison in check.jmespath.items():
        try:
            value = search(expression, document)
        except NotEvaluated as problem:
            found.append(f"[JSON {expression}] {problem}")
            continue
        wrong = deviations(comparison, value)
        if wrong:
            shown = "absent" if value is None else "a value" if comparison.exists is False else excerpt(_as_text(value))
            shown = "***" if value is not None and TELLING.search(expression) else shown
            found.append(f"[JSON {expression}] ({shown}) expected {' and '.join(wrong)}")
    return found


def excerpt(text: str) -> str:
    """The beginning of a body, on one line, without what looks like a secret."""
    line = masked(" ".join(text[:MASKED].split()))
    return line if len(line) <= EXCERPT else line[: EXCERPT - 1] + "…"


R = TypeVar("R", bound=HttpRequest)


def fill(check: R, value_of: Callable[[str], Optional[str]]) -> R:
    """The check with each `{name}` replaced by its value; a name without one (None) stays as it is written."""

    def fill_in(text: str, form: Callable[[str], str] = str) -> str:
        def value(match: re.Match[str]) -> str:
            found = value_of(match[1])
            return match[0] if found is None else form(found)

        return _PLACEHOLDER.sub(value, text)

    def all_of(texts: Mapping[str, str]) -> dict[str, str]:
        return {name: fill_in(text) for name, text in texts.items()}

    in_address = functools.partial(quote, safe="", errors="replace")
    comparisons = {
        expression: replace(
            comparison,
            equals=None if comparison.equals is None else fill_in(comparison.equals),
            one_of=None if comparison.one_of is None else tuple(map(fill_in, comparison.one_of)),
        )
        for expression, comparison in check.jmespath.items()
    }
    return replace(
        check,
        path=fill_in(check.path, in_address),
        url=None if check.url is None else fill_in(check.url, in_address),
        headers=all_of(check.headers),
        body=None if check.body is None else fill_in(check.body),
        json=None if check.json is None else fill_in(check.json, lambda text: json_format.dumps(text)[1:-1]),
        response_headers=all_of(check.response_headers),
        jmespath=comparisons,
    )
