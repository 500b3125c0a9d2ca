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
    HeaderComparison,
    HttpRequest,
    Step,
    shown_address,
)
from gate.verdict import TELLING, masked
from gate.waiting import interrupt

EXCERPT = 120  # characters of a body shown in a message
MASKED = 4096  # characters of it in which secrets are looked for: more than an excerpt and what it may cut through
REGEX_TIME = 1.0  # seconds that a regular expression may take; a good one takes milliseconds
REDIRECTS = (301, 302, 303, 307, 308)
NETWORK = "look at the load balancer's scheme and security groups, and at the module's vpc_config"

LOGIN = re.compile(r"authori[sz]e|login|oauth2|signin", re.IGNORECASE)
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
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # a header's values, as they came
    body: str = ""
    problem: str = ""
    unreached: bool = False  # there was not even a connection
    cut_off: bool = False  # the body was larger than `max_body`
    excerpt: bool = True  # whether a message may quote its body
    certificate_days: Optional[float] = None  # how much longer the server's certificate is valid
    asked_as: str = ""  # the name in the hook's own address, where no other was set as Host

    @property
    def kept_out(self) -> bool:
        """Whether the load balancer itself refused the request, as AWS WAF tells it to."""
        return self.status == 403 and (self.header("server") or "").startswith("awselb")

    def values(self, name: str) -> tuple[str, ...]:
        """A header's values, whatever case its name is written in; none where there is none."""
        return next((values for key, values in self.headers.items() if key.lower() == name.lower()), ())

    def header(self, name: str) -> Optional[str]:
        """A header's value, several as one; None if there is none."""
        return ", ".join(self.values(name)) if self.values(name) else None

    @property
    def document(self) -> Any:
        """The body as JSON, without a byte order mark. Raises ValueError or RecursionError where it is none."""
        return json_format.loads(self.body.removeprefix("\ufeff"))

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
    found = _head_shortcomings(check, answer)
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


def _head_shortcomings(check: HttpRequest, answer: Answer) -> list[str]:
    """Where status and headers are not as expected."""
    found = []
    if not check.accepts(answer.status):
        location = shown_address(answer.header("location") or "")
        where = f", Location {location}" if location else ""
        hint = _hint(check, answer, location)
        because = f": {hint}" if hint else ""
        found.append(f"[STATUS] ({answer.status}{where}) expected {', '.join(check.status)}{because}")
    for name, expected in check.response_headers.items():
        values = answer.values(name)
        secret = bool(values and TELLING.search(name))
        try:
            wrong = _header_deviations(expected, values, secret)
        except _TooLong as problem:
            found.append(f"[HEADER {name}] {problem}")
            continue
        if wrong:
            shown = "***" if secret else (answer.header(name) or ("empty" if values else "absent"))
            found.append(f"[HEADER {name}] ({shown}) expected {' and '.join(wrong)}")
    return found


def _header_deviations(expected: HeaderComparison, values: tuple[str, ...], secret: bool) -> list[str]:
    """What a header should have been; empty if one of its values, or all joined, is. Blanks around it are no part."""
    wrong = []
    if expected.absent is not None and expected.absent == bool(values):
        wrong.append("none" if expected.absent else "a value")
    every = dict.fromkeys([*values, ", ".join(values)]) if values else {}
    if expected.equals is not None and expected.equals.strip(" \t") not in every:
        wrong.append("another value" if secret else expected.equals)
    if expected.matches is not None and not any(_matches(expected.matches, value) for value in every):
        wrong.append(f"to match {expected.matches!r}")
    return wrong


def _hint(check: HttpRequest, answer: Answer, location: str) -> str:
    """What a status that was not expected speaks of, in one clause; mostly nothing."""
    if answer.status in (400, 421) and answer.asked_as:
        return f"many applications answer so to a Host that they do not know ({answer.asked_as}); set host"
    if answer.status in REDIRECTS and location:
        if LOGIN.search(location):
            return "a login stands in front of it; ask a path without one, or expect the status"
        return "" if check.follow_redirects else "set follow_redirects, or ask the address that it leads to"
    if answer.kept_out:
        return (
            "the load balancer itself answers so, mostly by AWS WAF; let requests of User-Agent codedeploy-hooks pass"
        )
    if answer.status == 464:
        return "the target group speaks HTTP/2 or gRPC alone, which these requests do not"
    if answer.status == 503 and (answer.header("server") or "awselb").startswith("awselb"):
        return "a load balancer answers so while no healthy target is behind it"
    return ""


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
        found.append(f"[BODY] {problem}")
    if check.jmespath:
        found += _json_shortcomings(check, answer)
    return found


class _TooLong(Exception):  # noqa: N818  # it is what happened, and reads as such
    """A regular expression ran away."""

    def __str__(self) -> str:
        return f"{self.args[0]!r} took more than {REGEX_TIME:g} s: simplify the expression"


def _matches(expression: str, text: str) -> bool:
    try:
        with interrupt(REGEX_TIME, _TooLong):
            return re.search(expression, text) is not None
    except _TooLong:
        raise _TooLong(expression) from None


def _json_shortcomings(check: HttpRequest, answer: Answer) -> list[str]:
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
    headers = {
        name: replace(header, equals=None if header.equals is None else fill_in(header.equals))
        for name, header in check.response_headers.items()
    }
    return replace(
        check,
        path=fill_in(check.path, in_address),
        url=None if check.url is None else fill_in(check.url, in_address),
        headers=all_of(check.headers),
        body=None if check.body is None else fill_in(check.body),
        json=None if check.json is None else fill_in(check.json, lambda text: json_format.dumps(text)[1:-1]),
        response_headers=headers,
        jmespath=comparisons,
    )
