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
from dataclasses import dataclass, field, fields, replace
from typing import Any, Callable, Optional, TypeVar
from urllib.parse import quote, urlsplit

from gate.deployment import TargetGroup
from gate.settings import limits
from gate.verdict import TELLING, CannotLook, masked
from gate.waiting import interrupt

EXCERPT = 120  # characters of a body shown in a message
REGEX_TIME = 1.0  # seconds that a regular expression may take; a good one takes milliseconds
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OF_GREEN = ("image_tag", "revision")  # what `{…}` in an expectation may stand for, besides what a flow saves

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_SECRET = re.compile(
    r"([!-~]+ )?arn:[a-z-]+:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^:\s]+(:[^:]+)?"
    r"|ssm:[a-z0-9-]+:[0-9]{12}:parameter/\S+)"
)


@dataclass(frozen=True)
class Comparison:
    """What a value in the answer's JSON has to be. Text is compared with text, a number as a number."""

    equals: Optional[str] = None
    one_of: Optional[tuple[str, ...]] = None
    at_least: Optional[float] = None
    at_most: Optional[float] = None
    exists: Optional[bool] = None
    length: Optional[int] = limits(None, least=0)

    def __post_init__(self) -> None:
        if all(getattr(self, entry.name) is None for entry in fields(self)):
            raise ValueError("nothing is compared: set equals, one_of, at_least, at_most, exists or length")
        if self.one_of is not None and not self.one_of:
            raise ValueError("one_of is empty, so no value could be one of it")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least:.15g} is above at_most {self.at_most:.15g}")

    def shortcomings(self, found: Any) -> list[str]:
        """What the value should have been; empty if it is. Null and absent are one, as they are to JMESPath."""
        wrong = []
        if self.exists is not None and self.exists != (found is not None):
            wrong.append("a value" if self.exists else "none")
        if self.equals is not None and not _same(found, self.equals):
            wrong.append(self.equals)
        if self.one_of is not None and not any(_same(found, text) for text in self.one_of):
            wrong.append(f"one of {', '.join(self.one_of)}")
        number = found if isinstance(found, (int, float)) and not isinstance(found, bool) else None
        if self.at_least is not None and (number is None or not number >= self.at_least):  # NaN is neither
            wrong.append(f"at least {self.at_least:.15g}")
        if self.at_most is not None and (number is None or not number <= self.at_most):
            wrong.append(f"at most {self.at_most:.15g}")
        if self.length is not None:
            length = len(found) if isinstance(found, (str, list, dict)) else None
            if length != self.length:
                wrong.append(f"length {self.length}{'' if length is None else f', not {length}'}")
        return wrong


def _same(found: Any, text: str) -> bool:
    if isinstance(found, str) or found is None:
        return bool(found == text)
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
class HttpRequest:
    """One request and what its answer has to be. Times in seconds, `max_latency_ms` in milliseconds.

    `secret_headers`: header → ARN of the secret or parameter that holds its value. `json`: a body as JSON text.
    `max_body`: bytes of an answer that are read. `status` takes codes ("200"), ranges ("200-399") and classes ("2xx").
    `jmespath`: expression → what its value has to be. `certificate_days`: how much longer the certificate is valid.
    Tried every `interval` until `consecutive_successes` answers in a row are as expected, `attempts` times at most;
    given up after `consecutive_error_limit` requests in a row without any answer (Argo Rollouts' word and number).
    """

    path: str = "/"
    url: Optional[str] = None
    method: str = limits("GET", choices=METHODS)
    host: Optional[str] = None
    headers: dict[str, str] = field(default_factory=dict)
    secret_headers: dict[str, str] = field(default_factory=dict)
    body: Optional[str] = None
    json: Optional[str] = None
    timeout: float = limits(5.0, least=0.001, most=60)
    follow_redirects: bool = False
    verify_tls: bool = True
    max_body: int = limits(1_000_000, least=1, most=10_000_000)
    status: tuple[str, ...] = ("200-299",)
    body_contains: Optional[str] = None
    body_matches: Optional[str] = None
    fail_if_body_matches: Optional[str] = None
    response_headers: dict[str, str] = field(default_factory=dict)
    jmespath: dict[str, Comparison] = field(default_factory=dict)
    certificate_days: Optional[float] = limits(None, least=0.001)
    max_latency_ms: Optional[float] = limits(None, least=0.001)
    interval: float = limits(1.0, least=0, most=60)
    attempts: int = limits(3, least=1, most=100)
    consecutive_successes: int = limits(1, least=1, most=100)
    consecutive_error_limit: int = limits(4, least=1, most=100)

    def __post_init__(self) -> None:
        problems = [*self._problems_of_address(), *self._problems_of_request(), *self._problems_of_expectations()]
        if problems:
            raise ValueError("; ".join(problems))

    def _problems_of_address(self) -> list[str]:
        problems = []
        if not re.fullmatch(r"/[!-~]*", self.path):
            shown = self.path.partition("?")[0]  # a query may hold a secret
            problems.append(f'path {shown!r} does not begin with "/" or is not printable ASCII without spaces')
        if self.url is not None and base_url_problem(self.url, "url"):
            problems.append(base_url_problem(self.url, "url"))
        if self.url is not None and self.path != "/":
            problems.append("url and path are both set: the path is part of the url")
        return problems

    def _problems_of_request(self) -> list[str]:
        problems = []
        if self.body is not None and self.json is not None:
            problems.append("body and json are both set: set one")
        if self.json is not None:
            try:
                json_format.loads(self.json)
            except (ValueError, RecursionError) as problem:
                problems.append(f"json is not JSON: {problem}")
        for name, reference in self.secret_headers.items():
            if not _SECRET.fullmatch(reference):  # which may be the secret itself: it is not shown
                problems.append(f"secret_headers {name} is no ARN of a secret or parameter, alone or after one word")
        if self.secret_headers and self.follow_redirects:
            problems.append(
                "secret_headers and follow_redirects are both set: a redirect could lead a secret elsewhere"
            )
        if self.consecutive_successes > self.attempts:
            more = f"consecutive_successes is {self.consecutive_successes}, attempts only {self.attempts}"
            problems.append(f"{more}: raise attempts")
        return problems

    def _problems_of_expectations(self) -> list[str]:
        problems = [] if self.status else ["status is empty, so no answer could pass"]
        for expression in self.status:
            try:
                status_range(expression)
            except ValueError as problem:
                problems.append(str(problem))
        for name in ("body_matches", "fail_if_body_matches"):
            try:
                re.compile(getattr(self, name) or "")
            except (re.error, RecursionError, OverflowError) as problem:
                problems.append(f"{name} {getattr(self, name)!r} is not a regular expression: {problem}")
        problems += filter(None, map(jmespath_problem, self.jmespath))
        if self.certificate_days is not None and not self.verify_tls:
            problems.append("certificate_days needs verify_tls")
        return problems

    @property
    def request(self) -> str:
        """Method and path, as messages have it: a query may hold a secret, and so may what stands before an @."""
        address = (self.url or self.path).partition("?")[0]
        return f"{self.method} {re.sub(r'(?<=://)[^/]*@', '', address)}"

    @property
    def content(self) -> Optional[bytes]:
        """The request's body."""
        text = self.body if self.json is None else self.json
        return None if text is None else text.encode()

    def accepts(self, status: int) -> bool:
        """Whether `status` is one of the expected codes."""
        return any(status in status_range(expression) for expression in self.status)


R = TypeVar("R", bound=HttpRequest)


@dataclass(frozen=True)
class HttpCheck(HttpRequest):
    """A request of its own.

    `samples`: how often it is sent to be measured; None: as often as the hook says, if it only reads.
    """

    initial_delay: float = limits(0.0, least=0, most=600)
    severity: str = limits("fail", choices=("fail", "warn"))
    samples: Optional[int] = limits(None, least=0, most=10_000)

    @property
    def only_reads(self) -> bool:
        """Whether sending it again does no harm (RFC 9110's safe methods)."""
        return self.method in ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Step(HttpRequest):
    """A request of a flow.

    `save`: name → JMESPath expression of the answer, or `header:<name>`; later steps use it as `{name}`. `always`: to
    be sent even if an earlier step failed, as long as what it needs was saved: for cleaning up.
    """

    attempts: int = limits(1, least=1, most=100)
    name: Optional[str] = None
    save: dict[str, str] = field(default_factory=dict)
    always: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, source in self.save.items():
            if not _PLACEHOLDER.fullmatch(f"{{{name}}}"):
                raise ValueError(f"save has the name {name!r}: it begins with a small letter, then letters, digits, _")
            if not source.startswith("header:") and jmespath_problem(source):
                raise ValueError(f"save {name}: {jmespath_problem(source)}")

    @property
    def needs(self) -> set[str]:
        """The names that this request's address and headers use."""
        texts = [self.path, self.url or "", *self.headers.values()]
        return {name for text in texts for name in _PLACEHOLDER.findall(text)}

    def saved(self, answer: Answer) -> dict[str, Optional[str]]:
        """What the answer holds for later steps; None where it does not."""
        found: dict[str, Optional[str]] = {}
        for name, source in self.save.items():
            if source.startswith("header:"):
                found[name] = answer.header(source[len("header:") :])
            else:
                found[name] = None
                if answer.is_json and not answer.cut_off:
                    with suppress(NotEvaluated):
                        value = search(source, answer.document)
                        found[name] = None if value is None else _as_text(value)
        return found


@dataclass(frozen=True)
class Flow:
    """Requests one after the other, in which a later one may use what an earlier answer held; cookies are kept."""

    steps: tuple[Step, ...] = ()
    severity: str = limits("fail", choices=("fail", "warn"))

    def __post_init__(self) -> None:
        if not self.steps:
            raise ValueError("steps is empty, so nothing would be checked")
        known = set(OF_GREEN)
        for number, step in enumerate(self.steps, 1):
            unknown = ", ".join(sorted(f"{{{name}}}" for name in step.needs - known))
            if unknown:
                raise ValueError(f"step {number} uses {unknown}, which no step before it saves")
            known |= set(step.save)

    def title(self, number: int) -> str:
        """What the step of this number, counted from 0, is called."""
        return self.steps[number].name or f"step {number + 1}"

    @property
    def secrets(self) -> set[str]:
        """The saved names whose values must not be shown: in a header or a body they are sessions, tokens, whatever."""
        texts = [t for step in self.steps for t in (*step.headers.values(), step.body or "", step.json or "")]
        return {name for text in texts for name in _PLACEHOLDER.findall(text)} - set(OF_GREEN)


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


def status_range(expression: str) -> range:
    """The codes of "200", "200-399" or "2xx". Raises ValueError naming the expression."""
    match = re.fullmatch(r"([1-5])xx|([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?", expression.strip())
    if match and match[1]:
        return range(int(match[1]) * 100, int(match[1]) * 100 + 100)
    if not match or int(match[2]) > int(match[3] or match[2]):
        raise ValueError(f"status {expression!r} is no code (200), range (200-399) or class (2xx)")
    return range(int(match[2]), int(match[3] or match[2]) + 1)


def jmespath_problem(expression: str) -> str:
    """Why this is no JMESPath expression; empty if it is one."""
    import jmespath  # type: ignore[import-untyped]  # comes with boto3; imported inside the guard, as boto3 is

    try:
        unknown = _unknown_functions(jmespath.compile(expression).parsed)
    except (ValueError, RecursionError) as problem:
        said = str(problem).replace("\n", " ")
        return f"{expression!r} is not a JMESPath expression (a key with a hyphen needs quotes): {said}"
    return f"{expression!r}: JMESPath has no function {', '.join(sorted(unknown))}" if unknown else ""


def _unknown_functions(node: Any) -> set[str]:
    """Names of functions that JMESPath does not have: it would find out with an answer at hand, where no one sees."""
    from jmespath.functions import Functions  # type: ignore[import-untyped]

    name = {node["value"]} if node["type"] == "function_expression" else set()
    below = [_unknown_functions(child) for child in node["children"] if isinstance(child, dict)]
    return name.difference(Functions.FUNCTION_TABLE).union(*below)


class NotEvaluated(Exception):  # noqa: N818  # it is what happened, and reads as such
    """An expression has no value in this document, not even null, and why."""


def search(expression: str, document: Any) -> Any:
    """The value of a JMESPath expression; None where there is none. Raises NotEvaluated."""
    import jmespath

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
        wrong = comparison.shortcomings(value)
        if wrong:
            shown = "absent" if value is None else "a value" if comparison.exists is False else excerpt(_as_text(value))
            shown = "***" if value is not None and TELLING.search(expression) else shown
            found.append(f"[JSON {expression}] ({shown}) expected {' and '.join(wrong)}")
    return found


def excerpt(text: str) -> str:
    """The beginning of a body, on one line, without what looks like a secret."""
    line = masked(" ".join(text.split()))
    return line if len(line) <= EXCERPT else line[: EXCERPT - 1] + "…"


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


def default_check(group: TargetGroup) -> HttpCheck:
    """The target group's own health check as a request. The load balancer does not verify certificates either."""
    if group.health_protocol not in ("HTTP", "HTTPS"):
        raise CannotLook(
            f"the health check of target group {group.name} is {group.health_protocol}, not HTTP: declare http_checks"
        )
    if group.health_port not in ("traffic-port", str(group.port)):
        said = f"the health check of target group {group.name} is on port {group.health_port}, where no listener leads"
        raise CannotLook(f"{said}: declare http_checks")
    try:
        return HttpCheck(path=group.health_path, status=tuple(group.matcher.split(",")), verify_tls=False)
    except ValueError as problem:  # gRPC's codes
        raise CannotLook(f"the health check of target group {group.name}: {problem}; declare http_checks") from None


def shown_address(url: str) -> str:
    """An address as messages have it: without name and password, query and fragment."""
    return re.sub(r"//[^/@]*@", "//", re.split(r"[?#]", url)[0])


def base_url_problem(url: str, option: str = "base_url") -> str:
    """What is wrong with an address; empty if nothing is."""
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname:
            return ""
    except ValueError:  # brackets that do not close
        pass
    # Where it does not end is where it is wrong: a password with a "?" or a "/" in it.
    return (
        f"{option} {shown_address(re.sub(r'//.*@', '//', url))!r} is no address such as https://test.example.com:8443"
    )
