"""Every option of every hook, once: its type, default, bounds, form and one line that says what it is.

`make options` writes from here what Terraform reads (`modules/options/`) and `docs/options.md`; `settings.py` reads a
function's settings by it. So an option is one line here, and its use. `problems` holds the rules across options, which
no plan knows: the function judges them when it starts, and the preflight before anything is made. Nothing here reads a
clock, a network or an environment.
"""

from __future__ import annotations

import dataclasses
import json as json_format
import math
import re
from dataclasses import dataclass
from functools import partial
from typing import Any, Optional
from urllib.parse import quote, urlsplit

from gate.waiting import TimeBudget

SEVERITIES = ("fail", "warn", "skip")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OF_GREEN = ("image_tag", "revision")  # what `{…}` in an expectation may stand for, besides what a flow saves
AFTER_A_COMMAND = 60.0  # seconds of a migration's time for stopping its task and for the report
LONGEST = 3300  # seconds of a hook in all: CodeDeploy gives it one hour
TIMEOUT = "timeout (at most 900)"  # the module's; the limit is Lambda's
MOST_CONNECTIONS = 256  # of a load
OTHER_CHECKS = 120.0  # seconds that a production hook's other checks may take beside its window
BEFORE_A_LOAD = 30.0  # seconds that they may take before a load, which is not interrupted
ERROR_RATE = 0.01  # the highest share of errors of samples and of a load, by default
KEPT = 0.4  # of the time, what each of these takes at most: a short one has room for what it is for, too

# Patterns, each of a whole value. Terraform's regular expressions are RE2's: so nothing that Python reads otherwise, as
# it does \d, \s and \w.
CONTAINER = r"[A-Za-z0-9_-]{1,255}"
HEADER = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
HEADER_VALUE = r"([^\x00-\x20\x7f-\x9f][^\x00-\x08\x0a-\x1f\x7f-\x9f]*)?"  # UTF-8, too
HOST = r"[A-Za-z0-9.:_-]+"
KEY = r"[^:\x00-\x20\x7f-\xa0]{1,64}"
NOT_EMPTY = r"(?s:.+)"
PATH = r"/[!-~]*"
PLACEHOLDER = r"[a-z][a-z0-9_]*"
QUERY_ID = r"[a-z][A-Za-z0-9_]*"
ROLE = r"arn:[a-z-]+:iam::[0-9]{12}:role/.+"
REFERENCE = (  # of a secret
    r"([!-~]+ )?arn:[a-z-]+:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+(:[^:]+)?"
    r"|ssm:[a-z0-9-]+:[0-9]{12}:parameter/[A-Za-z0-9_./-]+)"
)
SECURITY_GROUP = r"sg-[0-9a-z]+"
STATISTIC = r"Average|Sum|Minimum|Maximum|SampleCount|p([0-9]{1,2}(\.[0-9]+)?|100)"
STATUS = r"[1-5]xx|[1-5][0-9][0-9](-[1-5][0-9][0-9])?"
SUBNET = r"subnet-[0-9a-z]+"
URL = r"[Hh][Tt][Tt][Pp][Ss]?://[!$-.0->@-~][!-~]*"
_PARTS = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*:)(//[^/?#]*))?([^?#]*)(\?[^#]*)?(?:#.*)?", re.DOTALL)
_IN_URLS = "%/?:@!$&'()*+,;="  # besides letters, digits and -._~ (RFC 3986)


@dataclass(frozen=True)
class About:
    """What an option takes, besides its type. Bounds are inclusive; of a map or a list they hold for each value.

    `doc`: what it is, with its unit. `unit`: of a number, as it stands in `expected … from … to …`. `means`: what a
    value of `pattern` is, in words. `keys`, `keys_mean`: the same for the keys of a map. `entries`: how many a map or
    a list has at least and at most. `secret`: a value may be one and is never shown; `address`: it may hold one, in its
    query or before its host. `cure`: what helps, where `expected …` does not say it.
    """

    doc: str
    least: Optional[float] = None
    most: Optional[float] = None
    unit: str = ""
    choices: tuple[str, ...] = ()
    pattern: str = ""
    means: str = ""
    keys: str = ""
    keys_mean: str = ""
    entries: Optional[tuple[int, int]] = None
    secret: bool = False
    address: bool = False
    cure: str = ""


def option(doc: str, default: Any = dataclasses.MISSING, **about: Any) -> Any:
    """A field of an options class: what it is, its default (none: it is required) and what else `About` has."""
    metadata = {"about": About(doc, **about)}
    if isinstance(default, (dict, type)):
        return dataclasses.field(default_factory=default if isinstance(default, type) else dict, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


seconds = partial(option, unit="seconds")
milliseconds = partial(option, unit="milliseconds", least=0.001, most=3_600_000)
percent = partial(option, unit="percent", most=1_000_000)
whole = partial(option, least=1, most=100)  # of type int: a whole number
share = partial(option, unit="a share", least=0, most=1)
header_map = partial(
    option,
    keys=HEADER,
    keys_mean="a header's name: letters, digits and hyphens, no colon",
    pattern=HEADER_VALUE,
    means="a header's value: text without line breaks and control characters that begins with no space",
    secret=True,
)
by_name = partial(option, keys=KEY, keys_mean="a name of up to 64 printable characters, without spaces and colons")
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
words = partial(
    option,
    pattern=NOT_EMPTY,
    means='words, none of them empty, such as ["alembic", "upgrade", "head"]',
    entries=(1, 1000),
)


@dataclass(frozen=True)
class HookOptions:
    """What every hook takes."""

    checks: dict[str, str] = option(
        'severity by the name of a [check](checks.md): `"fail"`, `"warn"` (report, but pass) or `"skip"`',
        {},
        choices=SEVERITIES,
    )

    def problems_of_time(self, budget: TimeBudget) -> list[str]:
        """What does not fit the time that the hook has; each begins with an option's name."""
        del budget
        return []


@dataclass(frozen=True)
class ValidateBeforeInstall(HookOptions):
    """Options of the BeforeInstall hook."""


@dataclass(frozen=True)
class ValidateDeployment(HookOptions):
    """Options of the AfterInstall hook."""

    expected_count: Optional[int] = whole(
        "tasks that must run at least; null: the task set's own desired count", None, most=100_000
    )
    interval: float = seconds("seconds between two looks", 3.0, least=0.001, most=60)
    consecutive_successes: int = whole("good looks in a row that are needed", 3)

    def problems_of_time(self, budget: TimeBudget) -> list[str]:
        """More looks than an invocation has time for."""
        least = (self.consecutive_successes - 1) * self.interval
        if least < budget.here:
            return []
        there = f"an invocation has {budget.here:g} s: lower one, or raise {TIMEOUT}"
        return [f"consecutive_successes and interval take {least:g} s at least, and {there}"]


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
        if all(getattr(self, entry.name) is None for entry in dataclasses.fields(self)):
            return ["equals, one_of, at_least, at_most, exists or length is needed: else nothing is compared"]
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            return [
                f"at_least is {self.at_least:.15g}, above at_most {self.at_most:.15g}: no value can lie between them"
            ]
        return []


@dataclass(frozen=True)
class HeaderAssertion:
    """What a header of the answer has to be, one attribute at least. Of several values one has to be so."""

    equals: Optional[str] = option(
        "value that it has, in which `{image_tag}`, `{revision}` and what a flow saved may stand",
        None,
        pattern=HEADER_VALUE,
        means="a header's value: text without line breaks and control characters that begins with no space",
        secret=True,
    )
    matches: Optional[str] = option("regular expression (Python's) that it matches somewhere", None)
    absent: Optional[bool] = option("whether there has to be none; false: there has to be one, whatever it is", None)

    def problems(self) -> list[str]:
        """What is wrong across attributes, or within one where no pattern tells it."""
        if self.equals is None and self.matches is None and self.absent is None:
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
        pattern=URL,
        means='an address such as "https://www.example.com/health"',
        address=True,
    )
    method: str = option("method of the request", "GET", choices=METHODS)
    host: Optional[str] = host_name("Host header and TLS server name; null: the hook's `host`", None)
    headers: dict[str, str] = header_map("further headers of the request; no place for secrets", {})
    secret_headers: dict[str, str] = option(
        "header → ARN of the Secrets Manager secret or SSM parameter that holds its value. A word may stand before it "
        '(`"Bearer arn:…"`); `:<json-key>` after a secret\'s ARN takes one value of its JSON. Only the function reads '
        "it; a KMS key of your own needs `policy_documents` too. Not together with `follow_redirects`",
        {},
        keys=HEADER,
        keys_mean="a header's name: letters, digits and hyphens, no colon",
        pattern=REFERENCE,
        means='the ARN of a Secrets Manager secret or SSM parameter, alone or after one word ("Bearer arn:…")',
        secret=True,
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
    response_headers: dict[str, HeaderAssertion] = option(
        "header of the answer → what it has to be",
        {},
        keys=HEADER,
        keys_mean="a header's name: letters, digits and hyphens, no colon",
        secret=True,
    )
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
        found = [*status_problems(self.status), *self._problems_of_request()]
        for name in ("body_matches", "fail_if_body_matches"):
            found += regex_problems(name, getattr(self, name))
        found += [f"jmespath has {problem}" for problem in map(jmespath_problem, self.jmespath) if problem]
        return found

    def _problems_of_request(self) -> list[str]:
        found = []
        if self.url is not None and address_problem(self.url, "url"):
            found.append(address_problem(self.url, "url"))
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
    severity: str = option(
        "what a failure does; the hook's `checks` comes first",
        "fail",
        choices=("fail", "warn"),
        cure='"skip" goes into the hook\'s checks.',
    )
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
        hidden = sorted(set(self.save).intersection(OF_GREEN))
        found += [f"save.{name} would hide green's own {{{name}}}: call it something else" for name in hidden]
        for name, source in self.save.items():
            header = source[len("header:") :] if source.startswith("header:") else None
            if header is not None and not re.fullmatch(HEADER, header):
                found.append(f"save.{name} is {source!r}, which names no header")
            if header is None and jmespath_problem(source):
                found.append(f"save.{name} is {jmespath_problem(source)}")
        return found


@dataclass(frozen=True)
class Flow:
    """Requests one after the other, in which a later one may use what an earlier answer held; cookies are kept."""

    steps: tuple[Step, ...] = option("the requests, one at least", entries=(1, 100))
    severity: str = option(
        "what a failure does; the hook's `checks` comes first",
        "fail",
        choices=("fail", "warn"),
        cure='"skip" goes into the hook\'s checks.',
    )
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


LATENCIES = tuple(
    each.name[: -len("_ms")] for each in dataclasses.fields(Thresholds) if each.name.endswith("_ms")
)  # p50 to max


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

    def problems_of_time(self, budget: TimeBudget) -> list[str]:
        """HTTP checks that begin when an invocation's time is over."""
        return [
            f"http_checks{key_of(name)}.initial_delay is {check.initial_delay:g}, and an invocation has "
            f"{budget.here:g} s: shorten it, or raise {TIMEOUT}"
            for name, check in self.http_checks.items()
            if check.initial_delay >= budget.here
        ]


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
        problem = "" if self.base_url is None else address_problem(self.base_url, "base_url")
        return [problem] if problem else []


@dataclass(frozen=True)
class RunMigrations(HookOptions):
    """Options of the BeforeAllowTraffic hook: one-off ECS tasks of the new task definition.

    Without `command` and `preset` nothing runs, and the hook says so.
    """

    preset: Optional[str] = option(
        "sets `command`, `verify_schema_command` and `rollback_command` where they are null; it looks first at which "
        "revision the database is, to go back there",
        None,
        choices=("alembic", "django"),
        cure="For another tool set command and those that follow it.",
    )
    command: Optional[tuple[str, ...]] = words(
        'the migration, as words: `["alembic", "upgrade", "head"]`; null: that of `preset`, or no migrations', None
    )
    verify_schema_command: Optional[tuple[str, ...]] = words("command that must exit 0 after the migration", None)
    verify_data_command: Optional[tuple[str, ...]] = words("command that must exit 0 after that", None)
    rollback_command: Optional[tuple[str, ...]] = words(
        "command for a failure after a change, run with the new image; null: that of `preset`, or none", None
    )
    container: Optional[str] = option(
        "container to run them in; null: the only one of the task definition, or else the AppSpec's",
        None,
        pattern=CONTAINER,
        means="a container's name in the task definition (up to 255 letters, digits, hyphens and underscores)",
    )
    environment: dict[str, str] = option(
        "further environment variables of the container; no place for secrets: those come from the task definition",
        {},
        keys=NOT_EMPTY,
        keys_mean="a variable's name",
        secret=True,
    )
    cpu: Optional[int] = whole(
        "CPU units of the tasks (1024 are one vCPU); null: as the task definition says",
        None,
        unit="CPU units",
        least=128,
        most=16_384,
    )
    memory: Optional[int] = whole(
        "MiB of the tasks; null: as the task definition says", None, unit="MiB", least=128, most=122_880
    )
    subnets: Optional[tuple[str, ...]] = option(
        "the tasks' subnets; null: the service's",
        None,
        pattern=SUBNET,
        means='ids such as "subnet-0123456789abcdef0"',
        entries=(1, 16),
    )
    security_groups: Optional[tuple[str, ...]] = option(
        "the tasks' security groups; null: the service's",
        None,
        pattern=SECURITY_GROUP,
        means='ids such as "sg-0123456789abcdef0"',
        entries=(1, 5),
    )
    assign_public_ip: Optional[bool] = option("whether the tasks get public addresses; null: as the service's", None)
    launch: Optional[str] = option(
        'launch type (`"FARGATE"`, `"EC2"` or `"EXTERNAL"`) or a capacity provider\'s name, such as `"FARGATE_SPOT"`; '
        "null: as the service's tasks",
        None,
        pattern=CONTAINER,
        means='"FARGATE", "EC2", "EXTERNAL" or a capacity provider\'s name',
    )
    lock_timeout: Optional[float] = seconds(
        "seconds after which PostgreSQL gives up waiting for a lock, told to libpq (psycopg, not asyncpg) by "
        "`PGOPTIONS`; null: not set",
        None,
        least=0.001,
        most=3000,
    )
    statement_timeout: Optional[float] = seconds(
        "seconds after which PostgreSQL gives up a statement, told in the same way; null: not set",
        None,
        least=0.001,
        most=3000,
    )
    timeout: Optional[float] = seconds(
        "seconds that one command may take; null: what `max_duration` leaves", None, least=0.001, most=LONGEST
    )
    max_duration: float = seconds(
        "seconds for all of it (CodeDeploy gives a hook one hour); what does not fit one invocation of the function is "
        "continued in a fresh one, up to four times",
        3000.0,
        least=60,
        most=LONGEST,
        cure="CodeDeploy gives a hook one hour.",
    )
    concurrent: str = option(
        "what a migration of another deployment that still runs means: wait for its end, or fail",
        "wait",
        choices=("wait", "fail"),
    )
    retry_interrupted: bool = option(
        "whether a command that a spot interruption ended in the middle is started once more; one that had not started "
        "always is",
        False,
    )
    log_lines: int = whole("last lines of the container's log in the message", 20, least=0, most=1000)
    interval: float = seconds("seconds between two looks at the task", 2.0, least=0.001, most=60)
    on_rollback_deployment: str = option(
        "what to do when the deployment is itself a rollback", "skip", choices=("skip", "run")
    )
    pass_role_arns: Optional[tuple[str, ...]] = option(
        "roles of the task definition (task role, execution role) that the function's own role may pass; null: any of "
        "the account",
        None,
        pattern=ROLE,
        means='roles\' ARNs such as "arn:aws:iam::111122223333:role/web-task"',
        entries=(1, 100),
    )

    def problems(self) -> list[str]:
        """Commands that nothing comes before, times that do not fit, names that ECS keeps for itself."""
        found = []
        follows = ("verify_schema_command", "verify_data_command", "rollback_command")
        alone = ", ".join(name for name in follows if getattr(self, name))
        if self.command is None and self.preset is None and alone:
            found.append(f"{alone} without command and preset: nothing would run. Set command too, or preset")
        # ECS keeps names that begin with aws, ecs or fargate for itself: another one is a typing mistake.
        if re.match(r"(?i)aws|ecs|fargate", self.launch or "") and self.launch not in ("FARGATE", "FARGATE_SPOT"):
            found.append(
                f'launch is "{self.launch}", which ECS keeps for itself: "FARGATE", "FARGATE_SPOT", or your own'
            )
        room = self.max_duration - AFTER_A_COMMAND
        if self.timeout is not None and self.timeout > room:
            found.append(
                f"timeout is {self.timeout:g}, above {room:g} (max_duration less {AFTER_A_COMMAND:g} for stopping the "
                "task and the report): shorten it, or raise max_duration"
            )
        return found

    def problems_of_time(self, budget: TimeBudget) -> list[str]:
        """A command that may take longer than all invocations together."""
        room = budget.in_all - min(AFTER_A_COMMAND, KEPT * budget.in_all)
        if self.timeout is None or self.timeout <= room or budget.in_all == self.max_duration:
            return []
        there = f"the function's invocations have {room:g} s for a command"
        return [f"timeout is {self.timeout:g}, and {there}: shorten it, or raise the module's {TIMEOUT}"]


@dataclass(frozen=True)
class TrafficThresholds(Thresholds):
    """Limits of the load balancer's figures of green and, but for the last four, of the samples.

    Latencies are the worst minute's.
    """

    error_rate: Optional[float] = share(
        "highest share of errors, 0 to 1; null: 0.01 of the samples, and of the load balancer's figures no more than "
        "blue's",
        None,
        cure="0.01 is one in a hundred.",
    )
    unhealthy_hosts: float = option("highest count of unhealthy targets", 0.0, unit="targets", least=0, most=10_000)
    rejected_connections: Optional[float] = option(
        "connections that the load balancer may reject; null: not looked at",
        None,
        unit="connections",
        least=0,
        most=1e9,
    )
    cpu_percent: Optional[float] = percent("highest average CPU use of the service; null: only said", None, least=0.001)
    memory_percent: Optional[float] = percent("the same of its memory; null: only said", None, least=0.001)


@dataclass(frozen=True)
class Baseline:
    """How much worse than blue in the hour before the shift green may be (longer where the bake takes longer)."""

    max_worse_percent: float = percent("by how much the typical minute may be worse", 50.0, least=0)
    tolerance: float = share("share of a difference that counts as none (Kayenta's)", 0.25)
    confidence: float = option(
        "confidence of the test that tells a difference from chance (Kayenta's)",
        0.98,
        unit="a confidence",
        least=0.5,
        most=0.9999,
    )
    noise_ms: float = milliseconds("milliseconds that no latency's difference is taken for", 50.0, least=0)


@dataclass(frozen=True)
class Range:
    """Where a value has to lie, both ends included."""

    min: Optional[float] = option("least value", None, unit="a number", least=-1e15, most=1e15)
    max: Optional[float] = option("greatest value", None, unit="a number", least=-1e15, most=1e15)

    def problems(self) -> list[str]:
        """Ends the wrong way round."""
        if self.min is not None and self.max is not None and self.min > self.max:
            return [f"min is {self.min:g}, above max {self.max:g}: no value can lie between them"]
        return []

    def holds(self, value: float) -> bool:
        """Whether a value lies in it."""
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)

    def __str__(self) -> str:
        ends = (("at least", self.min), ("at most", self.max))
        return " and ".join(f"{word} {end:g}" for word, end in ends if end is not None) or "any value"


@dataclass(frozen=True)
class _Sampling:
    """How CloudWatch makes datapoints of a metric."""

    dimensions: dict[str, str] = option(
        "dimensions of the metric; `{target_group}` and `{load_balancer}` as values stand for green's",
        {},
        entries=(0, 30),
    )
    statistic: str = option(
        "statistic of a datapoint, or a percentile such as `p99`",
        "Average",
        pattern=STATISTIC,
        means='"Average", "Sum", "Minimum", "Maximum", "SampleCount" or a percentile such as "p99" or "p99.9"',
    )
    period: int = whole(
        "seconds of one datapoint: 1, 5, 10, 20, 30 or a multiple of 60", 60, unit="seconds", most=86_400
    )

    def problems(self) -> list[str]:
        """A period that CloudWatch does not know, a placeholder that stands for nothing."""
        found = []
        if self.period not in (1, 5, 10, 20, 30) and self.period % 60:
            known = "1, 5, 10, 20, 30 and multiples of 60 seconds up to a day"
            found.append(f"period is {self.period}; CloudWatch knows {known}")
        for name, value in self.dimensions.items():
            # A whole one: API Gateway has resources such as /orders/{id}.
            if re.fullmatch(r"\{[a-z_]*\}", value) and value not in ("{target_group}", "{load_balancer}"):
                stand = "{target_group} and {load_balancer} stand for green's"
                found.append(f"dimensions{key_of(name)} is {value}, which stands for nothing: {stand}")
        return found


@dataclass(frozen=True)
class _Name:
    """What names a metric: a dataclass has the fields of its last base first, and these are required."""

    namespace: str = option("namespace of the metric", pattern=NOT_EMPTY, means="a namespace")
    metric_name: str = option("name of the metric", pattern=NOT_EMPTY, means="a metric's name")


@dataclass(frozen=True)
class Source(_Sampling, _Name):
    """A CloudWatch metric that an expression uses."""


@dataclass(frozen=True)
class Metric(_Sampling):
    """A CloudWatch metric of your own, or metric maths over several."""

    namespace: Optional[str] = option("namespace of the metric", None, pattern=NOT_EMPTY, means="a namespace")
    metric_name: Optional[str] = option("name of the metric", None, pattern=NOT_EMPTY, means="a metric's name")
    expression: Optional[str] = option("CloudWatch metric math over `queries`, in place of `metric_name`", None)
    queries: dict[str, Source] = option(
        "metrics of the expression by name",
        {},
        keys=QUERY_ID,
        keys_mean="a query's name: a small letter, then letters, digits and underscores",
    )
    threshold_range: Range = option("[bounds](#bounds) of each datapoint since the shift", Range)
    min_datapoints: int = whole("fewer datapoints count as no data", 1, most=10_000)
    failure_limit: int = whole("datapoints out of bounds that are tolerated", 0, least=0, most=10_000)
    no_data: str = option("what it means", "fail", choices=("fail", "pass"))
    max_worse_percent: Optional[float] = percent(
        "how much worse than before the shift it may be; null: not compared", None, least=0
    )
    direction: str = option("which way is worse", "increase", choices=("increase", "decrease", "either"))

    def problems(self) -> list[str]:
        """A metric that is none, or two, or is compared with nothing."""
        found = super().problems()
        if (self.metric_name is None) == (self.expression is None):
            found.append("metric_name or expression is needed, and only one of them")
        if (self.metric_name is None) != (self.namespace is None):
            found.append("namespace and metric_name go together: set what is missing, leave out what is left over")
        if (self.expression is None) != (not self.queries):
            found.append("expression and queries go together: set what is missing, leave out what is left over")
        if self.threshold_range == Range() and self.max_worse_percent is None:
            found.append(
                "threshold_range.min, threshold_range.max or max_worse_percent is needed: else nothing is compared"
            )
        return found

    def __str__(self) -> str:
        return self.expression or f"{self.namespace} {self.metric_name}"


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
class ValidateProduction(TrafficOptions):
    """Options of the AfterAllowTraffic hook. The deployment group's alarms are always expected not to be in ALARM."""

    initial_delay: float = seconds(
        "seconds to settle, or to warm up, before the bake: no figure counts what was before",
        60.0,
        least=0,
        most=LONGEST,
    )
    duration: float = seconds("seconds of the bake", 300.0, least=0, most=LONGEST)
    interval: float = seconds(
        "seconds between two looks during the bake, at each of which the HTTP checks that only read are asked again",
        15.0,
        least=0.001,
        most=300,
    )
    max_duration: float = seconds(
        "seconds for all of it (CodeDeploy gives a hook one hour); what does not fit one invocation of the function is "
        "continued in a fresh one, up to four times",
        3000.0,
        least=60,
        most=LONGEST,
        cure="CodeDeploy gives a hook one hour.",
    )
    alarms: dict[str, str] = option(
        "further CloudWatch alarms by name → expected state", {}, choices=("OK", "ALARM", "INSUFFICIENT_DATA")
    )
    insufficient_data: Optional[str] = option(
        "what an alarm without enough data means; null: an alarm named in `alarms` has its state, one of the "
        "deployment group is just not in ALARM",
        None,
        choices=("pass", "fail"),
    )
    missing_alarms: str = option("what an alarm that does not exist means", "fail", choices=("fail", "pass"))
    thresholds: TrafficThresholds = option(
        "[limits](#limits) of the load balancer's figures and of the samples", TrafficThresholds
    )
    baseline: Baseline = option("[how much worse than blue](#baseline) green may be", Baseline)
    no_data: str = option(
        "what it means that the load balancer has no figures of green, where the hook has sent nothing itself: what "
        "it has sent must be among them",
        "pass",
        choices=("fail", "pass"),
    )
    metrics_delay: float = seconds(
        "seconds that CloudWatch may be late: only after it an absence of data counts, and so long after the bake its "
        "last minutes are waited for",
        180.0,
        least=0,
        most=600,
    )
    metrics: dict[str, Metric] = by_name("further CloudWatch [metrics](#metrics) by name", {})
    load: Optional[Load] = option("a bounded [load](#load) on the production listener; null: none", None)

    @property
    def window(self) -> float:
        """Seconds that the hook waits and looks by its options alone: settling, bake and load."""
        load = self.load.duration + self.load.warm_up if self.load else 0
        return self.initial_delay + max(self.duration, self.metrics_delay if self.metrics else 0) + load

    def problems_of_time(self, budget: TimeBudget) -> list[str]:
        """A window or a load that does not fit the time there is, beside the other checks."""
        found = super().problems_of_time(budget)
        here = budget.here - min(BEFORE_A_LOAD, KEPT * budget.here)
        if self.load and self.load.duration + self.load.warm_up > here:
            room = f"a load is not interrupted, and an invocation has {here:g} s for it"
            found.append(
                f"load has warm_up {self.load.warm_up:g} and duration {self.load.duration:g}; {room}: shorten load or "
                "raise timeout"
            )
        others = min(OTHER_CHECKS, KEPT * budget.in_all)
        left = budget.in_all - others
        if self.window > left:
            found.append(
                f"initial_delay, duration and load take {self.window:g} s, and {left:g} s are left for them beside "
                f"{others:g} s for the other checks: shorten them, or raise max_duration (at most {LONGEST}) or "
                f"{TIMEOUT}"
            )
        return found


HOOKS: dict[str, type[HookOptions]] = {
    "validate_before_install": ValidateBeforeInstall,
    "validate_deployment": ValidateDeployment,
    "validate_test_traffic": ValidateTestTraffic,
    "run_migrations": RunMigrations,
    "validate_production": ValidateProduction,
}


def key_of(key: str) -> str:
    """A key as the part of a path that leads to its value: `.orders`, or `["a b"]` where it is no plain name."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", key)
    return f".{key}" if plain else f"[{json_format.dumps(key, ensure_ascii=False)}]"


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

    below = [_wrong_calls(child) for child in node["children"] if isinstance(child, dict)]
    found: set[str] = set().union(*below)
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


def address_problem(url: str, option: str) -> str:
    """What is wrong with an address where its pattern does not tell; empty if nothing is. It is not shown."""
    try:
        parts = urlsplit(url)
        if parts.hostname and (parts.port is None or parts.port):
            return ""
    except ValueError:  # brackets that do not close, a port that is none
        pass
    return f"{option} is no address such as https://test.example.com:8443"


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
