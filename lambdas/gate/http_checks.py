"""Declared HTTP checks: send, compare with what is expected, and the statistics of many answers.

Answers are judged in the calling thread: Python's regular expressions hold the interpreter while they run, and
only the main thread can be interrupted there.
"""

from __future__ import annotations

import itertools
import json
import math
import re
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Callable, Optional
from urllib.parse import urlsplit

from gate.deployment import Listener, LoadBalancer, TargetGroup
from gate.settings import limits
from gate.verdict import CannotLook, Finding, failed, passed, skipped
from gate.waiting import Deadline, poll

MAX_BODY = 1_000_000  # bytes of an answer that are read; a health endpoint that sends more is not judged by the rest
EXCERPT = 120  # characters of a body shown in a message


@dataclass(frozen=True)
class HttpCheck:
    """One request and what its answer has to be. Times in seconds, `max_latency_ms` in milliseconds.

    `status` takes codes ("200"), ranges ("200-399") and classes ("2xx"). `json` maps a path such as
    `checks.database` or `items[0].id` to the text its value must have.
    """

    path: str = "/"
    url: Optional[str] = None
    method: str = "GET"
    host: Optional[str] = None
    headers: dict[str, str] = field(default_factory=dict)
    body: Optional[str] = None
    timeout: float = limits(5.0, least=0.001, most=60)
    follow_redirects: bool = False
    verify_tls: bool = True
    status: tuple[str, ...] = ("200-299",)
    body_contains: Optional[str] = None
    body_matches: Optional[str] = None
    fail_if_body_matches: Optional[str] = None
    response_headers: dict[str, str] = field(default_factory=dict)
    json: dict[str, str] = field(default_factory=dict)
    max_latency_ms: Optional[float] = limits(None, least=0)
    attempts: int = limits(3, least=1, most=100)
    interval: float = limits(1.0, least=0, most=60)

    def __post_init__(self) -> None:
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
        if problems:
            raise ValueError("; ".join(problems))

    def accepts(self, status: int) -> bool:
        """Whether `status` is one of the expected codes."""
        return any(status in status_range(expression) for expression in self.status)


@dataclass(frozen=True)
class Thresholds:
    """What the statistics of many answers may be: `error_rate` 0 to 1, latencies in milliseconds.

    Defaults: at most 1 % errors (Flagger's success rate of 99 %) and P99 500 ms (Flagger).
    """

    error_rate: float = limits(0.01, least=0, most=1)
    p50_ms: Optional[float] = limits(None, least=0)
    p95_ms: Optional[float] = limits(None, least=0)
    p99_ms: Optional[float] = limits(500.0, least=0)


@dataclass(frozen=True)
class Answer:
    """What came back; `problem` says why nothing did (time-out, connection refused, TLS)."""

    latency_ms: float
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    problem: str = ""


def status_range(expression: str) -> range:
    """The codes of "200", "200-399" or "2xx". Raises ValueError naming the expression."""
    match = re.fullmatch(r"([1-5])xx|([1-5]\d\d)(?:-([1-5]\d\d))?", expression.strip())
    if match and match[1]:
        return range(int(match[1]) * 100, int(match[1]) * 100 + 100)
    if not match or int(match[2]) > int(match[3] or match[2]):
        raise ValueError(f"status {expression!r} is no code (200), range (200-399) or class (2xx)")
    return range(int(match[2]), int(match[3] or match[2]) + 1)


class Sender:
    """Sends checks to one base URL; one connection pool a thread, as `requests` wants it.

    `base_url` ends at the port, as in `http://name:8080`.
    """

    def __init__(self, base_url: str, clock: Callable[[], float] = time.monotonic) -> None:
        import requests  # from the layer: it must fail inside the guard, where it is reported
        import urllib3

        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # verify_tls = false is a choice
        self._requests = requests
        self._broke_off = (OSError, urllib3.exceptions.HTTPError)
        self._base_url = base_url
        self._local = threading.local()
        self._clock = clock

    def send(self, check: HttpCheck) -> Answer:
        """Send the request once. Never raises for what the network does: that is the answer's `problem`."""
        started = self._clock()

        def spent() -> float:
            return (self._clock() - started) * 1000

        url = check.url or f"{self._base_url.rstrip('/')}/{check.path.lstrip('/')}"
        headers = {"User-Agent": "codedeploy-hooks", **check.headers, **({"Host": check.host} if check.host else {})}
        try:
            with self._session(check).request(
                check.method,
                url,
                headers=headers,
                data=None if check.body is None else check.body.encode(),
                timeout=check.timeout,
                allow_redirects=check.follow_redirects,
                verify=check.verify_tls,
                stream=True,
            ) as response:
                body = self._read(response, started + check.timeout)
                return Answer(spent(), response.status_code, dict(response.headers), body)
        except self._requests.exceptions.Timeout:
            return Answer(spent(), problem=f"no answer within {check.timeout:g} s")
        except self._requests.exceptions.SSLError as problem:
            cure = "" if check.host else "; set the check's `host` to a name in the certificate"
            return Answer(spent(), problem=f"TLS failed ({_innermost(problem)}){cure}")
        except self._requests.exceptions.ConnectionError as problem:
            return Answer(spent(), problem=f"{_connection_word(problem)} ({_innermost(problem)})")
        except self._requests.exceptions.TooManyRedirects:
            return Answer(spent(), problem="more redirects than 30")
        except ValueError as problem:  # its text may hold the header's value or the URL's query: a secret
            kind = type(problem).__name__
            return Answer(spent(), problem=f"the request could not be sent ({kind}): check its url, method and headers")
        except self._broke_off as problem:  # urllib3's own, while the body is read
            late = self._clock() > started + check.timeout
            return Answer(
                spent(),
                problem=f"no answer within {check.timeout:g} s"
                if late
                else f"the answer broke off ({_innermost(problem)})",
            )

    def _session(self, check: HttpCheck) -> Any:
        sessions = self._local.__dict__.setdefault("sessions", {})
        server_name = check.host if (check.url or self._base_url).startswith("https:") else None
        if server_name not in sessions:
            session = self._requests.Session()
            # Each request comes as a new visitor: a sticky cookie would lead all of them to one target.
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            if server_name:
                session.mount("https://", self._adapter(server_name))
            sessions[server_name] = session
        return sessions[server_name]

    def _adapter(self, server_name: str) -> Any:
        """TLS with the certificate's own name, which is rarely the load balancer's."""
        name = server_name.partition(":")[0]

        class NamedAdapter(self._requests.adapters.HTTPAdapter):  # type: ignore[misc, name-defined]
            def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
                super().init_poolmanager(*arguments, server_hostname=name, assert_hostname=name, **options)

        return NamedAdapter()

    def _read(self, response: Any, until: float) -> str:
        """The body, as far as it is read. The time-out of `requests` is for each byte, this one for all."""
        chunks, size = [], 0
        while size < MAX_BODY:
            chunk = response.raw.read1(65536, decode_content=True)
            if not chunk:
                break
            chunks.append(chunk)
            size += len(chunk)
            if self._clock() > until:
                raise self._requests.exceptions.ReadTimeout
        content = b"".join(chunks)[:MAX_BODY]
        # Without a charset `requests` assumes ISO-8859-1 for text, which nobody sends.
        declared = "charset" in response.headers.get("Content-Type", "").lower()
        try:
            return content.decode(response.encoding if declared else "utf-8", "replace")
        except LookupError:  # a charset that Python does not know
            return content.decode("utf-8", "replace")


def shortcomings(check: HttpCheck, answer: Answer) -> list[str]:
    """Where the answer is not as expected, each as `[WHAT] (found) expected`; empty if it is as expected."""
    if answer.problem:
        return [answer.problem]
    found = []
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if not check.accepts(answer.status):
        location = headers.get("location", "").partition("?")[0]  # a query may hold a secret
        where = f", Location {location}" if location else ""
        found.append(f"[STATUS] ({answer.status}{where}) expected {', '.join(check.status)}")
    if check.max_latency_ms is not None and answer.latency_ms > check.max_latency_ms:
        found.append(f"[LATENCY] ({answer.latency_ms:.0f} ms) expected at most {check.max_latency_ms:g} ms")
    found += _body_shortcomings(check, answer.body)
    for name, expected in check.response_headers.items():
        if headers.get(name.lower()) != expected:
            found.append(f"[HEADER {name}] ({headers.get(name.lower(), 'absent')}) expected {expected}")
    if found and answer.body:
        found.append(f"body: {excerpt(answer.body)}")
    return found


def _body_shortcomings(check: HttpCheck, body: str) -> list[str]:
    found = []
    if check.body_contains is not None and check.body_contains not in body:
        found.append(f"[BODY] does not contain {check.body_contains!r}")
    if check.body_matches is not None and not re.search(check.body_matches, body):
        found.append(f"[BODY] does not match {check.body_matches!r}")
    if check.fail_if_body_matches is not None and re.search(check.fail_if_body_matches, body):
        found.append(f"[BODY] matches {check.fail_if_body_matches!r}, which it must not")
    return found + (_json_shortcomings(check.json, body) if check.json else [])


def _json_shortcomings(expected: Mapping[str, str], body: str) -> list[str]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as problem:
        return [f"[JSON] the body is not JSON ({problem})"]
    found = []
    for path, wanted in expected.items():
        try:
            value = json_value(document, path)
        except LookupError as problem:
            found.append(f"[JSON {path}] {problem}")
            continue
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if text != wanted:
            found.append(f"[JSON {path}] ({text[:EXCERPT]}) expected {wanted}")
    return found


def json_value(document: Any, path: str) -> Any:
    """The value at a path such as `items[0].name`. Raises LookupError saying where the path ends."""
    value = document
    for part in re.findall(r"[^.\[\]]+|\[\d+\]", path):
        try:
            value = value[int(part[1:-1])] if part.startswith("[") else value[part]
        except (KeyError, IndexError, TypeError):
            raise LookupError(f"there is no {part} in it") from None
    return value


def excerpt(text: str) -> str:
    """The beginning of a body, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= EXCERPT else line[: EXCERPT - 1] + "…"


def run_check(check: HttpCheck, sender: Sender, deadline: Deadline) -> Finding:
    """Send the check until it passes, at most `attempts` times."""
    attempts = itertools.count(1)

    def look() -> Finding:
        number = next(attempts)
        answer = sender.send(check)
        wrong = shortcomings(check, answer)
        request = f"{check.method} {(check.url or check.path).partition('?')[0]}"  # a query may hold a secret
        if not wrong:
            return passed(f"{request}: {answer.status} in {answer.latency_ms:.0f} ms", attempts=number)
        tries = f" (attempt {number} of {check.attempts})" if check.attempts > 1 else ""
        return failed(f"{request}: {'; '.join(wrong)}{tries}", certain=number >= check.attempts, attempts=number)

    return poll(look, deadline, check.interval)[0]


@dataclass(frozen=True)
class Statistics:
    """The figures of many answers; latencies in milliseconds, sorted."""

    count: int
    errors: int
    reasons: Mapping[str, int]
    latencies: Sequence[float]

    @classmethod
    def of(cls, check: HttpCheck, answers: Iterable[Answer]) -> Statistics:
        """An error is an answer that did not come or has a status nobody expects; it has no latency."""
        reasons: dict[str, int] = {}
        latencies = []
        for answer in answers:
            if answer.problem:
                reasons[answer.problem] = reasons.get(answer.problem, 0) + 1
            elif not check.accepts(answer.status):
                word = f"status {answer.status}"
                reasons[word] = reasons.get(word, 0) + 1
            else:
                latencies.append(answer.latency_ms)
        errors = sum(reasons.values())
        return cls(errors + len(latencies), errors, reasons, sorted(latencies))

    @property
    def error_rate(self) -> float:
        """Errors per request, 0 to 1."""
        return self.errors / self.count if self.count else 0.0

    def percentile(self, rank: float) -> float:
        """The latency that `rank` percent of the good answers did not exceed (nearest rank)."""
        return self.latencies[max(0, math.ceil(rank * len(self.latencies) / 100) - 1)]


def judge_statistics(name: str, statistics: Statistics, thresholds: Thresholds) -> list[Finding]:
    """Error rate and percentiles against their thresholds.

    A percentile needs as many requests as leave at least one beyond it (100 for P99); with fewer it is skipped
    and said so.
    """
    reasons = ", ".join(f"{count} times {reason}" for reason, count in sorted(statistics.reasons.items()))
    text = f"{statistics.errors} of {statistics.count} requests failed ({statistics.error_rate:.2%})"
    if statistics.error_rate > thresholds.error_rate or not statistics.count:
        rate = failed(
            f"{name}: {text}, at most {thresholds.error_rate:.2%} allowed: {reasons or 'nothing was sent'}",
            f"error_rate:{name}",
        )
    else:
        rate = passed(
            f"{text}{': ' if reasons else ''}{reasons}", f"error_rate:{name}", error_rate=statistics.error_rate
        )
    findings = [rate]
    asked = {"p50": thresholds.p50_ms, "p95": thresholds.p95_ms, "p99": thresholds.p99_ms}
    for word, most in asked.items():
        if most is None:
            continue
        rank, label = float(word[1:]), f"latency_{word}:{name}"
        needed = math.ceil(100 / (100 - rank))
        # Counted in requests: one error among the samples must not spare all others the threshold.
        if statistics.count < needed or not statistics.latencies:
            good = f"{len(statistics.latencies)} good answers to {statistics.count}"
            findings.append(skipped(f"{word} needs {needed} requests, there were {good}", label))
            continue
        value = statistics.percentile(rank)
        found = (
            f"{word} {value:.0f} ms of {len(statistics.latencies)} answers (slowest {statistics.latencies[-1]:.0f} ms)"
        )
        if value > most:
            findings.append(
                failed(f"{name}: {found}, at most {most:g} ms allowed", label, milliseconds=round(value, 1))
            )
        else:
            findings.append(passed(found, label, milliseconds=round(value, 1)))
    return findings


def default_check(group: TargetGroup) -> HttpCheck:
    """The target group's own health check as a request. The load balancer does not verify certificates either."""
    if group.health_protocol not in ("HTTP", "HTTPS"):
        raise CannotLook(
            f"the health check of target group {group.name} is {group.health_protocol}, not HTTP: declare http_checks"
        )
    try:
        return HttpCheck(path=group.health_path, status=tuple(group.matcher.split(",")), verify_tls=False)
    except ValueError as problem:  # gRPC's codes
        raise CannotLook(f"the health check of target group {group.name}: {problem}; declare http_checks") from None


def listener_url(listener: Listener, load_balancer: LoadBalancer) -> str:
    """Where a listener answers: its protocol and port, the load balancer's name."""
    scheme = "https" if listener.protocol in ("HTTPS", "TLS") else "http"
    return f"{scheme}://{load_balancer.dns_name}:{listener.port}"


def send_samples(check: HttpCheck, sender: Sender, count: int, concurrency: int) -> list[Answer]:
    """Send the check `count` times, `concurrency` at a time, each after the answer to the one before."""
    return _in_threads(lambda _number: _figures(sender.send(check)), count, concurrency)


def send_load(
    check: HttpCheck, sender: Sender, deadline: Deadline, *, rate: float, duration: float, concurrency: int
) -> tuple[list[Answer], float]:
    """Send `rate` requests a second for `duration` seconds, whether or not answers come (an open loop).

    Latency counts from the moment a request was due, so that a stalled server cannot hide the requests that had
    to wait (coordinated omission). Never more than was asked; ends early when half of the last 100 answers and
    more are errors. Returns the answers and the rate achieved, in requests a second.
    """
    clock = time.monotonic
    total = max(1, int(rate * duration))
    started = clock()
    failing = threading.Event()
    recent: list[bool] = []

    def one(number: int) -> Answer | None:
        due = started + number / rate
        failing.wait(max(0.0, min(due - clock(), deadline.remaining())))
        if failing.is_set() or deadline.remaining() <= 0:
            return None
        answer = sender.send(check)
        late = max(0.0, (clock() - due) * 1000)
        recent.append(bool(answer.problem) or answer.status >= 500)
        if len(recent) >= 100 and sum(recent[-100:]) > 50:
            failing.set()
        return replace(_figures(answer), latency_ms=max(late, answer.latency_ms))

    answers = [answer for answer in _in_threads(one, total, concurrency) if answer is not None]
    return answers, len(answers) / max(clock() - started, 1e-9)


def _figures(answer: Answer) -> Answer:
    """What statistics need: the bodies of ten thousand answers would not fit into a function's memory."""
    return Answer(answer.latency_ms, answer.status, problem=answer.problem)


def _in_threads(work: Callable[[int], Any], count: int, concurrency: int) -> list[Any]:
    numbers, over = iter(range(count)), threading.Event()

    def worker() -> list[Any]:
        return [work(number) for number in numbers if not over.is_set()]  # they share the numbers

    pool = ThreadPoolExecutor(max_workers=concurrency, thread_name_prefix="http")
    try:
        futures = [pool.submit(worker) for _ in range(min(count, concurrency))]
        wait(futures)
        return [answer for future in futures for answer in future.result()]
    finally:  # when time is over nobody waits for what is still on its way
        over.set()
        pool.shutdown(wait=False, cancel_futures=True)


def base_url_problem(url: str) -> str:
    """What is wrong with a base URL; empty if nothing is."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return f"base_url {url!r} is no address such as https://test.example.com:8443"
    return ""


def _innermost(problem: BaseException) -> str:
    """The cause in few words: `requests` wraps urllib3, which wraps the socket's error."""
    seen: Optional[BaseException] = problem
    last = problem
    while seen is not None:
        last = seen
        reason = getattr(seen, "reason", None)
        inner = seen.args[0] if seen.args and isinstance(seen.args[0], BaseException) else None
        seen = reason if isinstance(reason, BaseException) else inner or seen.__cause__
    return f"{type(last).__name__}: {last}"[:200]


def _connection_word(problem: BaseException) -> str:
    text = _innermost(problem)
    if "refused" in text:
        return "connection refused"
    if "gaierror" in text:
        return "the name could not be resolved"
    return "no answer"
