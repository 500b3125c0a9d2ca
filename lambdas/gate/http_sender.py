"""Sends HTTP requests: `requests` prepares them and keeps cookies, gate.wire carries them."""

from __future__ import annotations

import json
import os
import ssl
import time
from base64 import b64encode
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import Cookie, DefaultCookiePolicy
from types import SimpleNamespace
from typing import Any, Callable, Optional
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from gate import aws
from gate.http_checks import EXCERPT, LOGIN, NETWORK, REDIRECTS, Answer
from gate.options.requests import HttpRequest, normalised, shown_address
from gate.redact import SENSITIVE_NAME
from gate.verdict import ProbeError
from gate.wire import FAILURES, Connection, headers_as_sent, in_words, target_of

SHORTEST_SECRET = 4  # characters; what is shorter would black out half of a message
MOST_REDIRECTS = 10  # that are followed


@dataclass
class _Call:
    """One call of `send`, with all its redirects.

    `began`: on the sender's clock; `until`: when all of the answer has to be there. `connected`: whether somebody
    listened. `status`: of the last answer, 0 where there was none.
    """

    began: float
    until: float
    connected: bool = False
    status: int = 0


class _LedAway(Exception):
    """A redirect that is not followed, and why."""


class Sender:
    """Sends requests to one base URL, from any number of threads.

    `base_url` ends at the port, as in `http://name:8080`. `host` and `headers` are those of requests that have none of
    their own. Each request comes as a new session, unless `keeps_cookies`. `sent`: of each request to the base URL, its
    sessions' too, the time when it was sent (as of `time.time`) and the status (0: no answer).
    """

    def __init__(
        self,
        base_url: str,
        host: Optional[str] = None,
        headers: Optional[Mapping[str, str]] = None,
        *,
        keeps_cookies: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        import requests  # from the layer: it must fail inside the guard, where it is reported

        self._requests = requests
        self._session = requests.Session()
        self._session.cookies.set_policy(_AlsoByHttp())
        self._base_url = normalised(base_url)
        self._host = host
        self._headers = headers or {}
        self._keeps_cookies = keeps_cookies
        self._clock = clock
        self._idle: dict[tuple[Any, ...], deque[Connection]] = defaultdict(deque)
        self.secrets: dict[str, str] = {}
        self.sent: list[tuple[float, int]] = []

    @property
    def name(self) -> str:
        """The host's name in the base URL."""
        return urlsplit(self._base_url).hostname or ""

    def session(self) -> Sender:
        """A sender to the same place that keeps cookies, as a browser does: for one flow."""
        session = type(self)(self._base_url, self._host, self._headers, keeps_cookies=True, clock=self._clock)
        session.secrets, session.sent = self.secrets, self.sent
        return session

    def read_secrets(self, check: HttpRequest) -> None:
        """Read the values of the check's secret headers, once. Raises ProbeError where one cannot be read.

        What else looks like a secret, in its address and its headers, is to be hidden as well.
        """
        for reference in check.secret_headers.values():
            if reference not in self.secrets:
                self.secrets[reference] = read_secret(reference)
        url = self._url_of(check)
        named = [*parse_qsl(urlsplit(url).query), *self._headers.items(), *check.headers.items()]
        told = [value for name, value in named if SENSITIVE_NAME.search(name)]
        name, _, password = urlsplit(url).netloc.rpartition("@")[0].partition(":")
        if password:  # `requests` sends both as a header
            told += [password, unquote(password), f"Basic {b64encode(unquote(f'{name}:{password}').encode()).decode()}"]
        self.secrets.update({f"as given: {value}": value for value in told})

    def redact(self, text: str, *more: str) -> str:
        """The text without the secrets that were read, and without `more`: an answer may hold what it was sent."""
        plain = {value.rpartition(" ")[2] for value in self.secrets.values()} | {*self.secrets.values(), *more}
        # As JSON writes it, and as an excerpt does.
        hidden = plain | {json.dumps(value)[1:-1] for value in plain} | {" ".join(value.split()) for value in plain}
        for value in sorted(hidden, key=len, reverse=True):
            if len(value) >= SHORTEST_SECRET:
                text = text.replace(value, "***")
            for length in range(min(len(value) - 1, EXCERPT), SHORTEST_SECRET - 1, -1):  # an excerpt may cut it off
                text = text.replace(f"{value[:length]}…", "***…")
        return text

    def send(self, check: HttpRequest) -> Answer:
        """Send the request once, and go where it is led if it says so. Its time-out is for all of it.

        Never raises for what the network does: that is the answer's `problem`.
        """
        began = self._clock()
        call = _Call(began, began + check.timeout)
        try:
            headers = self._headers_of(check)
            request = self._requests.Request(check.method, self._url_of(check), headers, data=check.content)
            for _ in range(MOST_REDIRECTS + 1):
                answer = self._exchange(check, request, call)
                if not (check.follow_redirects and self._is_led(check, request, answer)):
                    return answer
        except _LedAway as problem:
            return Answer(self._spent(call), call.status, problem=str(problem))
        except FAILURES as problem:
            words = in_words(problem, check.timeout, "url, method and headers")
            unreached = isinstance(problem, OSError) and not isinstance(problem, ValueError) and not call.connected
            if unreached and not check.url:
                words += f": {NETWORK}"
            if isinstance(problem, ssl.SSLError) and not self._host_of(check):
                words += "; set `host` to a name in the certificate"
            return Answer(self._spent(call), problem=words, unreached=unreached)
        return Answer(self._spent(call), call.status, problem=f"more redirects than {MOST_REDIRECTS}")

    def _spent(self, call: _Call) -> float:
        return (self._clock() - call.began) * 1000

    def _exchange(self, check: HttpRequest, request: Any, call: _Call) -> Answer:
        prepared: Any = self._session.prepare_request(request)
        idle, connection = self._connection(check, prepared.url)
        call.connected, call.status, sent_at = False, 0, time.time()
        try:
            # As it was declared: `requests` would write its percent-encoding anew.
            read = connection.ask(request.method, target_of(request.url), prepared.headers, prepared.body, call.until)
            call.status = read.status
            body, cut_off = read.text(check.max_body)
        finally:
            call.connected = connection.connected
            if call.connected and not check.url:
                self.sent.append((sent_at, call.status))
        call.began += connection.lost
        spent = self._spent(call)
        idle.append(connection)
        if self._keeps_cookies:
            keep: Any = self._requests.cookies.extract_cookies_to_jar
            keep(self._session.cookies, prepared, SimpleNamespace(_original_response=read))
        values = {name: tuple(map(_text, read.headers.get_all(name, []))) for name in read.headers}
        name = "" if check.url or "Host" in request.headers else urlsplit(request.url).hostname or ""
        return Answer(spent, read.status, values, body, cut_off=cut_off, asked_as=name)

    def _connection(self, check: HttpRequest, url: str) -> tuple[deque[Connection], Connection]:
        """A connection for the request, and where to put it afterwards."""
        named = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
        bundle = named or self._requests.utils.DEFAULT_CA_BUNDLE_PATH
        authorities, host = bundle if check.verify_tls else None, self._host_of(check)
        scheme, address = urlsplit(url)[:2]
        idle = self._idle[scheme, address, host, authorities]
        try:
            return idle, idle.pop()
        except IndexError:
            return idle, Connection(url, host, authorities, self._clock)

    def _is_led(self, check: HttpRequest, request: Any, answer: Answer) -> bool:
        """Whether a redirect leads on, on the side under test: there the request goes next. Raises _LedAway.

        By the name that was asked for it would lead to production: so the address stays, whatever scheme and port a
        Location has. A `url` without `host` asks somebody else on purpose, and may be led anywhere.
        """
        location = answer.header("location")
        if answer.status not in REDIRECTS or not location:
            return False
        said = f"[REDIRECT] ({answer.status} to {shown_address(location)})"
        before, headers = (request.method, request.url), request.headers
        here, host = urlsplit(request.url), headers.get("Host", b"").decode()
        try:
            there = urlsplit(urljoin(request.url, location))
            port = there.port
        except ValueError:
            raise _LedAway(f"{said} leads nowhere: its Location is no URL") from None
        by_http = there.scheme in ("http", "https")
        at_home = by_http and there.hostname in (here.hostname, urlsplit(f"//{host}").hostname or here.hostname)
        anywhere = by_http and bool(check.url) and not self._host_of(check)
        if not at_home and not anywhere:
            if check.accepts(answer.status):
                return False
            cure = "" if host else ", or set host to it if it is this service's name"
            if LOGIN.search(location):
                cure = "; a login stands in front of it: ask a path without one"
            raise _LedAway(
                f"{said} leads away from what is tested: expect the status, or ask that address by url{cure}"
            )
        same_origin = (there.scheme, there.hostname, port) == (here.scheme, here.hostname, here.port)
        if not anywhere or same_origin:
            there = there._replace(scheme=here.scheme, netloc=here.netloc)
        else:  # nobody else's
            headers.pop("Authorization", None)
            headers.pop("Cookie", None)
        post_no_more = answer.status in (301, 302) and request.method == "POST"
        if post_no_more or (answer.status == 303 and request.method != "HEAD"):
            headers.pop("Content-Type", None)
            request.method, request.data = "GET", None
        request.url = normalised(there.geturl())
        remembers = self._keeps_cookies and answer.header("set-cookie")
        if (request.method, request.url) == before and not remembers:
            insists = urlsplit(location).scheme.lower() == "https" and here.scheme == "http"
            cure = "give the listener HTTPS, or expect the status without follow_redirects"
            why = f"the application insists on HTTPS and was asked by HTTP: {cure}" if insists else "it has no end"
            raise _LedAway(f"{said} comes back to the same URL: {why}")
        return True

    def _url_of(self, check: HttpRequest) -> str:
        return normalised(check.url or f"{self._base_url.rstrip('/')}/{check.path.lstrip('/')}")

    def _host_of(self, check: HttpRequest) -> Optional[str]:
        return check.host or (None if check.url else self._host)

    def _headers_of(self, check: HttpRequest) -> Any:
        own = {} if check.url else self._headers  # what the hook sends to its listener is nobody else's
        secret = {name: self.secrets[reference] for name, reference in check.secret_headers.items()}
        headers = headers_as_sent({**own, **check.headers, **secret}, self._host_of(check))
        if check.json is not None:
            headers.setdefault("Content-Type", b"application/json")
        return headers


class _AlsoByHttp(DefaultCookiePolicy):
    """A test listener may speak HTTP where production speaks HTTPS: Secure cookies are kept for it all the same."""

    def set_ok(self, cookie: Cookie, request: Any) -> bool:
        cookie.secure = False  # `requests` sends cookies by a policy of its own, which looks at this
        return super().set_ok(cookie, request)


def read_secret(reference: str) -> str:
    """The header's value behind `arn:…` or `Bearer arn:…`: of Secrets Manager, or of a parameter of Systems Manager.

    A secret's ARN may end in `:<key>`, as in ECS: then the secret is JSON, and the value is that key's.
    """
    scheme, _, arn = reference.rpartition(" ")
    parts = arn.split(":")
    value: Any = None
    try:
        if parts[2] == "ssm":
            answer = aws.call("ssm", "get_parameter", region=parts[3], Name=arn, WithDecryption=True)
            value = (answer.get("Parameter") or {}).get("Value")
        else:
            secret = ":".join(parts[:7])
            value = aws.call("secretsmanager", "get_secret_value", region=parts[3], SecretId=secret).get("SecretString")
    except aws.AwsCallFailed as problem:
        if problem.code in ("ParameterNotFound", "ResourceNotFoundException"):  # AWS does not say which
            raise ProbeError(f"{arn} does not exist: make it, or fix secret_headers ({problem})") from problem
        raise
    if parts[2] != "ssm" and len(parts) > 7:
        try:
            value = json.loads(value or "")[parts[7]]
        except (ValueError, LookupError, TypeError):
            value = None
    if not isinstance(value, str) or not value:
        raise ProbeError(f"{arn} has no text for a header: give it a value, or name the key of its JSON (…:<key>)")
    return f"{scheme} {value}" if scheme else value


def _text(value: str) -> str:
    """A header's value without the blanks around it; `http.client` reads as ISO-8859-1 what is mostly UTF-8."""
    try:
        return value.strip(" \t").encode("latin-1").decode()
    except ValueError:
        return value.strip(" \t")
