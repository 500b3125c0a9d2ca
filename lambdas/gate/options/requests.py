"""Options of requests: HTTP checks, flows, limits, a load, and what both traffic hooks take."""

from __future__ import annotations

import json as json_format
import math
import re
from dataclasses import dataclass
from functools import partial
from typing import Any, Optional
from urllib.parse import quote, urlsplit

from gate.options import NOT_EMPTY, TIMEOUT, HookOptions, by_name, key_of, milliseconds, option, seconds, share, whole
from gate.options.one_off import SmokeTest
from gate.waiting import TimeBudget

MOST_CONNECTIONS = 256  # of a load
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OF_GREEN = ("image_tag", "revision")  # what `{…}` in an expectation may stand for, besides what a flow saves
ERROR_RATE = 0.01  # the highest share of errors of samples and of a load, by default
LATENCIES = ("p50", "p90", "p95", "p99", "max")  # those that Thresholds limit, each by its `…_ms`

HEADER = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
HEADER_NAME = "a header's name: letters, digits and hyphens, no colon"
HOST = r"[A-Za-z0-9.:_-]+"
PATH = r"/[!-~]*"
PLACEHOLDER = r"[a-z][a-z0-9_]*"
REFERENCE = (  # of a secret
    r"([!-~]+ )?arn:[a-z-]+:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+(:[^:]+)?"
    r"|ssm:[a-z0-9-]+:[0-9]{12}:parameter/[A-Za-z0-9_./-]+)"
)
STATUS = r"[1-5]xx|[1-5][0-9][0-9](-[1-5][0-9][0-9])?"
_PARTS = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*:)(//[^/?#]*))?([^?#]*)(\?[^#]*)?(?:#.*)?", re.DOTALL)
_IN_URLS = "%/?:@!$&'()*+,;="  # besides letters, digits and -._~ (RFC 3986)

header_value = partial(
    option,
    pattern=r"([^\x00-\x20\x7f-\x9f][^\x00-\x08\x0a-\x1f\x7f-\x9f]*)?",  # UTF-8, too
    means="a header's value: text without line breaks and control characters that begins with no space",
    secret=True,
)
header_map = partial(header_value, keys=HEADER, keys_mean=HEADER_NAME)
by_header = partial(option, keys=HEADER, keys_mean=HEADER_NAME, secret=True)
host_name = partial(option, pattern=HOST, means='a host name such as "www.example.com"')
url_path = partial(
    option,
    pattern=PATH,
    means='a path and query that begin with "/", printable and without spaces',
    address=True,
    cure="A whole address goes into url.",
)
statuses = partial(
    option, pattern=STATUS, means='codes ("200"), ranges ("200-399") or classes ("2xx")', entries=(1, 100)
)
own_severity = partial(
    option,
    "what a failure does; the hook's `checks` comes first",
    "fail",
    choices=("fail", "warn"),
    cure='"skip" goes into the hook\'s checks.',
)


@dataclass(frozen=True)
class Assertion:
    """What a value in the answer's JSON has to be, one attribute at least."""

    equals: Optional[str] = option(
        "text that it equals; a number, true, false or an object as JSON text. `{image_tag}` stands for the tag of the "
        "new task definition's image, `{revision}` for its revision: proof that green answered, not blue",
        None,
    )
    one_of: Optional[tuple[str, ...]] = option("texts of which it equals one", None, entries=(1, 1000))
    at_least: Optional[float] = option("least number", None, unit="a number", least=-1e15, most=1e15)
    at_most: Optional[float] = option("greatest number", None, unit="a number", least=-1e15, most=1e15)
    exists: Optional[bool] = option("whether there is a value; null is none", None)
    length: Optional[int] = whole(
        "entries of a list, keys of an object or characters of a text", None, least=0, most=10**9
    )

    def problems(self) -> list[str]:
        """What is wrong across attributes."""
        if self == Assertion():
            return ["equals, one_of, at_least, at_most, exists or length is needed: else nothing is compared"]
        return order_problems("at_least", self.at_least, "at_most", self.at_most)


@dataclass(frozen=True)
class HeaderAssertion:
    """What a header of the answer has to be, one attribute at least. Of several values one has to be so."""

    equals: Optional[str] = header_value(
        "value that it has, in which `{image_tag}`, `{revision}` and what a flow saved may stand", None
    )
    matches: Optional[str] = option("regular expression (Python's) that it matches somewhere", None)
    absent: Optional[bool] = option("whether there has to be none; false: there has to be one, whatever it is", None)

    def problems(self) -> list[str]:
        """What is wrong across attributes, or within one where no pattern tells it."""
        if self == HeaderAssertion():
            return ["equals, matches or absent is needed: else nothing is compared"]
        found = regex_problems("matches", self.matches)
        if self.absent and (self.equals is not None or self.matches is not None):
            found.append("absent is true beside equals or matches: what is not there has no value")
        return found


@dataclass(frozen=True)
class HttpRequest:
    """One request and what its answer has to be.

    Tried every `interval` until `consecutive_successes` answers in a row are as expected, `attempts` times at most.
    """

    path: str = url_path("path and query", "/")
    url: Optional[str] = option(
        "whole address, elsewhere than the hook's listener; the path is part of it",
        None,
        pattern=r"[Hh][Tt][Tt][Pp][Ss]?://[!$-.0->@-~][!-~]*",
        means='an address such as "https://www.example.com/health"',
        address=True,
    )
    method: str = option("method of the request", "GET", choices=METHODS)
    host: Optional[str] = host_name("Host header and TLS server name; null: the hook's `host`", None)
    headers: dict[str, str] = header_map("further headers of the request; no place for secrets", {})
    secret_headers: dict[str, str] = by_header(
        "header → ARN of the Secrets Manager secret or SSM parameter that holds its value. A word may stand before it "
        '(`"Bearer arn:…"`); `:<json-key>` after a secret\'s ARN takes one value of its JSON. Only the function reads '
        "it; a KMS key of your own needs `policy_documents` too. Not together with `follow_redirects`",
        {},
        pattern=REFERENCE,
        means='the ARN of a Secrets Manager secret or SSM parameter, alone or after one word ("Bearer arn:…")',
        cure="The value itself belongs there, not here.",
    )
    body: Optional[str] = option("body of the request; no place for secrets", None, secret=True)
    json: Optional[str] = option("body as JSON text (`jsonencode(…)`), sent as application/json", None, secret=True)
    timeout: float = seconds("seconds for one request", 5.0, least=0.001, most=60)
    follow_redirects: bool = option("whether redirects are followed", False)
    verify_tls: bool = option("whether the certificate has to be valid for the host", True)
    max_body: int = whole("bytes of the answer that are read", 1_000_000, unit="bytes", most=10_000_000)
    status: tuple[str, ...] = statuses(
        'accepted statuses: codes `"200"`, ranges `"200-399"`, classes `"2xx"`', ("200-299",)
    )
    body_contains: Optional[str] = option("text that the body contains", None)
    body_matches: Optional[str] = option("regular expression (Python's) that the body matches somewhere", None)
    fail_if_body_matches: Optional[str] = option("regular expression that the body must match nowhere", None)
    response_headers: dict[str, HeaderAssertion] = by_header("header of the answer → what it has to be", {})
    jmespath: dict[str, Assertion] = option(
        "JMESPath expression, as in `aws --query` → what its value in the answer's JSON has to be", {}
    )
    max_latency_ms: Optional[float] = milliseconds(
        "slowest answer that passes, in milliseconds; null: not looked at", None
    )
    interval: float = seconds("seconds between two attempts", 1.0, least=0, most=60)
    attempts: int = whole("tries before the request fails", 3)
    consecutive_successes: int = whole("good answers in a row that are needed", 1)
    consecutive_error_limit: int = whole(
        "requests in a row without any answer that are borne (Argo Rollouts' word and number)", 4, least=0
    )

    def problems(self) -> list[str]:
        """What is wrong across attributes, or within one where no pattern tells it."""
        found = [*status_problems(self.status), *address_problems("url", self.url)]
        if self.url is not None and self.path != "/":
            found.append("url and path are both set: the path is part of the url")
        if self.body is not None and self.json is not None:
            found.append("body and json are both set: a request has one body")
        if self.json is not None:
            try:
                json_format.loads(self.json)
            except (ValueError, RecursionError) as problem:
                found.append(f"json is no JSON ({problem}): what the answer's JSON has to be goes into jmespath")
        if self.secret_headers and self.follow_redirects:
            found.append("secret_headers and follow_redirects are both set: a redirect could lead a secret elsewhere")
        if self.consecutive_successes > self.attempts:
            more = f"consecutive_successes is {self.consecutive_successes}, attempts only {self.attempts}"
            found.append(f"{more}: raise attempts")
        found += regex_problems("body_matches", self.body_matches)
        found += regex_problems("fail_if_body_matches", self.fail_if_body_matches)
        found += [f"jmespath has {problem}" for problem in map(jmespath_problem, self.jmespath) if problem]
        return found

    @property
    def request(self) -> str:
        """Method and path, as messages have it: a query may hold a secret, and so may what stands before an @."""
        return f"{self.method} {shown_address(self.url or self.path)}"

    @property
    def has_expressions(self) -> bool:
        """Whether judging its answer may take long, and nobody may be measured meanwhile."""
        headers = any(header.matches is not None for header in self.response_headers.values())
        return headers or self.body_matches is not None or self.fail_if_body_matches is not None

    @property
    def content(self) -> Optional[bytes]:
        """The request's body."""
        text = self.body if self.json is None else self.json
        return None if text is None else text.encode()

    @property
    def needs(self) -> set[str]:
        """The names that this request's address and headers use."""
        return placeholders(self.path, self.url or "", *self.headers.values())

    def accepts(self, status: int) -> bool:
        """Whether `status` is one of the expected codes."""
        return any(status in status_range(expression) for expression in self.status)


@dataclass(frozen=True)
class HttpCheck(HttpRequest):
    """A request of its own; `{}` is a GET of "/"."""

    initial_delay: float = seconds("seconds before the first attempt", 0.0, least=0, most=600)
    severity: str = own_severity()
    samples: Optional[int] = whole(
        "how often it is sent to be measured; null: as the hook's `samples` for GET, HEAD and OPTIONS, else not at all",
        None,
        least=0,
        most=10_000,
    )

    @property
    def only_reads(self) -> bool:
        """Whether sending it again does no harm (RFC 9110's safe methods)."""
        return self.method in ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Step(HttpRequest):
    """A request of a flow."""

    attempts: int = whole("tries before the request fails", 1)
    name: Optional[str] = option("what messages call it; null: `step 1`, …", None)
    save: dict[str, str] = option(
        "name → JMESPath expression of the answer, or `header:<name>`. Later steps use it as `{name}` in `path`, "
        "`url`, `headers`, `body`, `json`, `response_headers` and values of `jmespath`",
        {},
        keys=PLACEHOLDER,
        keys_mean="a name to use as {name}: a small letter, then small letters, digits and underscores",
        pattern=NOT_EMPTY,
        means='a JMESPath expression of the answer, or "header:<name>"',
    )
    always: bool = option(
        "whether it is sent even if an earlier step failed, as long as what it needs was saved: for cleaning up", False
    )

    def problems(self) -> list[str]:
        """What is wrong across attributes, or within one where no pattern tells it."""
        found = super().problems()
        for name, source in self.save.items():
            if name in OF_GREEN:
                found.append(f"save.{name} would hide green's own {{{name}}}: call it something else")
            if source.startswith("header:"):
                problem = "" if re.fullmatch(f"header:{HEADER}", source) else f"{source!r}, which names no header"
            else:
                problem = jmespath_problem(source)
            found += [f"save.{name} is {problem}"] if problem else []
        return found


@dataclass(frozen=True)
class Flow:
    """Requests one after the other, in which a later one may use what an earlier answer held; cookies are kept."""

    steps: tuple[Step, ...] = option("the requests, one at least", entries=(1, 100))
    severity: str = own_severity()
    repeat: bool = option("whether the bake after the shift repeats it at each `interval`", False)

    def problems(self) -> list[str]:
        """Steps that use what no step before them saves."""
        found = []
        known = set(OF_GREEN)
        for number, step in enumerate(self.steps):
            unknown = ", ".join(sorted(f"{{{name}}}" for name in step.needs - known))
            if unknown:
                found.append(f"steps[{number}] uses {unknown}, which no step before it saves: save = {{ <name> = … }}")
            known |= set(step.save)
        return found

    def title(self, number: int) -> str:
        """What the step of this number, counted from 0, is called."""
        return self.steps[number].name or f"step {number + 1}"

    @property
    def secrets(self) -> set[str]:
        """The saved names whose values must not be shown: in a header or a body they are sessions, tokens, whatever."""
        texts = [t for step in self.steps for t in (*step.headers.values(), step.body or "", step.json or "")]
        return placeholders(*texts) - set(OF_GREEN)


@dataclass(frozen=True)
class Thresholds:
    """Limits of many answers' figures: of errors one in a hundred (Flagger's), of latencies only what you set."""

    error_rate: Optional[float] = share(
        "highest share of errors, 0 to 1; null means the default", ERROR_RATE, cure="0.01 is one in a hundred."
    )
    p50_ms: Optional[float] = milliseconds("highest median latency in milliseconds; null: not looked at", None)
    p90_ms: Optional[float] = milliseconds("highest P90 in milliseconds; null: not looked at", None)
    p95_ms: Optional[float] = milliseconds("highest P95 in milliseconds; null: not looked at", None)
    p99_ms: Optional[float] = milliseconds("highest P99 in milliseconds; null: not looked at", None)
    max_ms: Optional[float] = milliseconds("slowest answer in milliseconds; null: not looked at", None)

    @property
    def most_errors(self) -> float:
        """The highest share of errors of samples, or of a load."""
        return ERROR_RATE if self.error_rate is None else self.error_rate

    def latencies(self) -> dict[str, float]:
        """The latencies that are limited: p50, p90, p95, p99 or max → milliseconds."""
        asked = {word: getattr(self, f"{word}_ms") for word in LATENCIES}
        return {word: most for word, most in asked.items() if most is not None}


@dataclass(frozen=True)
class _Volume:
    """The required options of a load: a dataclass has the fields of its last base first."""

    rate: float = option("requests a second", unit="requests a second", least=0.001, most=10_000)
    duration: float = seconds("seconds of the load", least=0.001, most=600)


@dataclass(frozen=True)
class Load(Thresholds, _Volume):
    """A bounded load on the production listener, sent whether or not answers come."""

    path: str = url_path("path and query", "/", cure="")
    host: Optional[str] = host_name("Host header and TLS server name; null: the hook's `host`", None)
    headers: dict[str, str] = header_map("further headers; no place for secrets", {})
    warm_up: float = seconds("seconds before, of the same load, that do not count", 0.0, least=0, most=300)
    concurrency: int = whole("connections at most", 16, most=MOST_CONNECTIONS)
    timeout: float = seconds("seconds for one request", 5.0, least=0.001, most=60)
    status: tuple[str, ...] = statuses("statuses that are no error", ("200-399",))

    def problems(self) -> list[str]:
        """What is wrong across attributes."""
        found = status_problems(self.status)
        if not self.requests(self.duration):
            found.append(
                f"rate is {self.rate:g} and duration {self.duration:g}: less than one request. Raise one of them"
            )
        return found

    def requests(self, seconds: float) -> int:
        """How many requests are due within so many seconds: never more than rate x seconds."""
        return math.floor(self.rate * seconds + 1e-6)  # 0.29 x 100 is a little less than 29 in binary


@dataclass(frozen=True)
class TrafficOptions(HookOptions):
    """What both hooks take that send requests."""

    host: Optional[str] = host_name(
        "Host header and TLS server name of all requests; null: the name in the address", None
    )
    headers: dict[str, str] = header_map("headers of all requests; a request's own come first", {})
    http_checks: dict[str, HttpCheck] = by_name(
        "[HTTP checks](#http-checks) by name; none: a GET of the target group's own health check path", {}
    )
    flows: dict[str, Flow] = by_name("[flows](#flows) by name: requests one after the other", {})
    samples: int = whole(
        "requests of each HTTP check that error rate and latencies are computed from, after some that warm green up "
        "and are not judged; 0: none",
        20,
        least=0,
        most=10_000,
    )
    concurrency: int = whole(
        "samples under way at a time; each of these hands sends one in 0.2 seconds at most", 1, most=64
    )
    thresholds: Thresholds = option("[limits](#limits) of the samples", Thresholds)
    smoke_test: Optional[SmokeTest] = option(
        "a [test of your own](#smoke-tests) as a one-off ECS task, after the requests; null: none", None
    )

    def problems_of_time(self, budget: TimeBudget) -> list[str]:
        """HTTP checks that begin when an invocation's time is over, and a smoke test that it has no time for."""
        return [
            f"http_checks{key_of(name)}.initial_delay is {check.initial_delay:g}, and an invocation has "
            f"{budget.here:g} s: shorten it, or raise {TIMEOUT}"
            for name, check in self.http_checks.items()
            if check.initial_delay >= budget.here
        ] + (self.smoke_test.problems_of_time(budget) if self.smoke_test else [])


@dataclass(frozen=True)
class ValidateTestTraffic(TrafficOptions):
    """Options of the AfterAllowTestTraffic hook."""

    base_url: Optional[str] = option(
        "where green answers; null: the load balancer's DNS name and the test listener's port",
        None,
        pattern=r"[Hh][Tt][Tt][Pp][Ss]?://[^/?# \x00-\x1f\x7f]+(/[^?# \x00-\x1f\x7f]*)?",
        means='an address such as "https://test.example.com:8443", without a query',
        address=True,
    )
    interval: float = seconds(
        "seconds between two looks while waiting for the test listener", 2.0, least=0.001, most=60
    )

    def problems(self) -> list[str]:
        """An address that no pattern tells from a good one."""
        return address_problems("base_url", self.base_url)


def placeholders(*texts: str) -> set[str]:
    """The names that stand in texts as `{name}`."""
    return {name for text in texts for name in re.findall(rf"\{{({PLACEHOLDER})\}}", text)}


def status_range(expression: str) -> range:
    """The codes of "200", "200-399" or "2xx"; none where a range goes the wrong way."""
    if expression.endswith("xx"):
        return range(int(expression[0]) * 100, int(expression[0]) * 100 + 100)
    low, _, high = expression.partition("-")
    return range(int(low), int(high or low) + 1)


def status_problems(expressions: tuple[str, ...]) -> list[str]:
    """Ranges of statuses that go the wrong way."""
    wrong = [each for each in expressions if not status_range(each)]
    return [f'status is "{each}"; a range goes from the lower to the higher code ("200-299")' for each in wrong]


def order_problems(low: str, least: Optional[float], high: str, most: Optional[float]) -> list[str]:
    """That two ends, `low` and `high` by name, stand the wrong way round."""
    if least is None or most is None or least <= most:
        return []
    return [f"{low} is {least:.15g}, above {high} {most:.15g}: no value can lie between them"]


def regex_problems(name: str, expression: Optional[str]) -> list[str]:
    """Why the option of this name is no regular expression, if it is none."""
    try:
        re.compile(expression or "")
    except (re.error, RecursionError, OverflowError) as problem:
        return [f"{name} is {expression!r}, which is no regular expression: {problem}"]
    return []


def jmespath_problem(expression: str) -> str:
    """Why this is no JMESPath expression; empty if it is one."""
    import jmespath  # type: ignore[import-untyped]  # comes with boto3; imported inside the guard, as boto3 is

    try:
        wrong = sorted(_wrong_calls(jmespath.compile(expression).parsed))
    except (ValueError, RecursionError) as problem:
        said = str(problem).partition("\n")[0]  # a drawing of where it is follows
        return f"{expression!r}, which is no JMESPath expression (a key with a hyphen needs quotes): {said}"
    return f"{expression!r}: JMESPath has {', '.join(wrong)}" if wrong else ""


def _wrong_calls(node: Any) -> set[str]:
    """What is wrong with functions' names and arguments: JMESPath finds it out with an answer at hand, too late."""
    from jmespath.functions import Functions  # type: ignore[import-untyped]

    found = {wrong for child in node["children"] if isinstance(child, dict) for wrong in _wrong_calls(child)}
    if node["type"] != "function_expression":
        return found
    name, count = node["value"], len(node["children"])
    if name not in Functions.FUNCTION_TABLE:
        return {f"no function {name}", *found}
    takes = Functions.FUNCTION_TABLE[name]["signature"]
    more = bool(takes) and takes[-1].get("variadic", False)
    if count < len(takes) or (count > len(takes) and not more):
        found.add(f"{name} with {len(takes)}{' or more' if more else ''} argument(s), not {count}")
    return found


def address_problems(name: str, url: Optional[str]) -> list[str]:
    """What is wrong with the address of the option of this name where its pattern does not tell. It is not shown."""
    try:
        parts = urlsplit(url or "")
        if url is None or (parts.hostname and parts.port != 0):
            return []
    except ValueError:  # brackets that do not close, a port that is none
        pass
    return [f"{name} is no address such as https://test.example.com:8443"]


def shown_address(url: str) -> str:
    """An address as messages have it: without name and password, query and fragment."""
    return re.sub(r"//[^/@]*@", "//", re.split(r"[?#]", url)[0])


def normalised(address: str) -> str:
    """A path with its query, or a whole URL, as it is sent: the same for checks, rules and loads.

    Without a fragment and dot segments (RFC 3986, 5.2.4), the scheme in small letters; percent-encoding stays as it is,
    and what no URL may hold is encoded.
    """
    scheme, origin, path, query = _PARTS.fullmatch(address).groups("")  # type: ignore[union-attr]  # it takes all
    segments: list[str] = []
    for segment in path.split("/")[1:]:
        if segment == "..":
            del segments[-1:]
        elif segment != ".":
            segments.append(segment)
    if path.endswith(("/.", "/..")):
        segments.append("")
    return f"{scheme.lower()}{origin}{quote('/' + '/'.join(segments) + query, safe=_IN_URLS)}"
