"""Sends HTTP requests: the only place where `requests` is used."""

from __future__ import annotations

import functools
import json
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Mapping
from http.cookiejar import Cookie, DefaultCookiePolicy
from typing import Any, Callable, Optional
from urllib.parse import parse_qsl, unquote, urlsplit

from gate import aws
from gate.http_checks import EXCERPT, Answer
from gate.options import HttpRequest
from gate.verdict import TELLING, CannotLook

SHORTEST_SECRET = 4  # characters; what is shorter would black out half of a message
DAY = 86_400.0  # seconds


class Sender:
    """Sends requests to one base URL; one connection pool a thread, as `requests` wants it.

    `base_url` ends at the port, as in `http://name:8080`. `host` and `headers` are those of requests that have none of
    their own. Each request comes as a new visitor, unless `keeps_cookies`.
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
        import urllib3

        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # verify_tls = false is a choice
        self._requests = requests
        self._broke_off = (OSError, urllib3.exceptions.HTTPError)
        self._base_url = base_url
        self._host = host
        self._headers = headers or {}
        self._clock = clock
        self.secrets: dict[str, str] = {}
        self.sent: list[tuple[float, int]] = []  # to the base URL: when, in epoch seconds, and the status or 0
        self._local: Any = {} if keeps_cookies else threading.local()
        self._keeps_cookies = keeps_cookies

    @property
    def name(self) -> str:
        """The host's name in the base URL."""
        return urlsplit(self._base_url).hostname or ""

    def visitor(self) -> Sender:
        """A sender to the same place that keeps cookies, as a browser does: of one thread, for one flow."""
        visitor = type(self)(self._base_url, self._host, self._headers, keeps_cookies=True, clock=self._clock)
        visitor.secrets = self.secrets
        visitor.sent = self.sent
        return visitor

    @property
    def uses_tls(self) -> bool:
        """Whether the base URL is HTTPS."""
        return self._base_url.startswith("https:")

    def read_secrets(self, check: HttpRequest) -> None:
        """Read the values of the check's secret headers, once. Raises CannotLook where one cannot be read.

        What else looks like a secret, in its address and its headers, is to be hidden as well.
        """
        for reference in check.secret_headers.values():
            if reference not in self.secrets:
                self.secrets[reference] = read_secret(reference)
        url = check.url or f"{self._base_url.rstrip('/')}/{check.path.lstrip('/')}"
        named = [*parse_qsl(urlsplit(url).query), *self._headers.items(), *check.headers.items()]
        told = [value for name, value in named if TELLING.search(name)]
        name, _, password = urlsplit(url).netloc.rpartition("@")[0].partition(":")
        if password:  # `requests` sends both as a header
            told += [password, unquote(password), f"Basic {b64encode(unquote(f'{name}:{password}').encode()).decode()}"]
        self.secrets.update({f"as given: {value}": value for value in told})

    def hide(self, text: str, *more: str) -> str:
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
        """Send the request once. Never raises for what the network does: that is the answer's `problem`."""
        at = time.time()
        answer = self._send(check)
        if not check.url:
            self.sent.append((at, answer.status))
        return answer

    def _send(self, check: HttpRequest) -> Answer:
        started = self._clock()

        def spent() -> float:
            return (self._clock() - started) * 1000

        url = check.url or f"{self._base_url.rstrip('/')}/{check.path.lstrip('/')}"
        try:
            with self._session(check).request(
                check.method,
                url,
                headers=self._headers_of(check),
                data=check.content,
                timeout=check.timeout,
                allow_redirects=check.follow_redirects,
                verify=check.verify_tls,
                stream=True,
            ) as response:
                certificate_days = None if check.certificate_days is None else _certificate_days(response)
                body, cut_off = self._read(response, check.max_body, started + check.timeout)
                return Answer(
                    spent(),
                    response.status_code,
                    dict(response.headers),
                    body,
                    cut_off=cut_off,
                    certificate_days=certificate_days,
                )
        except self._requests.exceptions.Timeout:
            return Answer(spent(), problem=f"no answer within {check.timeout:g} s")
        except self._requests.exceptions.SSLError as problem:
            cure = "" if self._host_of(check) else "; set `host` to a name in the certificate"
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
            words = f"no answer within {check.timeout:g} s" if late else f"the answer broke off ({_innermost(problem)})"
            return Answer(spent(), problem=words)

    def _host_of(self, check: HttpRequest) -> Optional[str]:
        return check.host or (None if check.url else self._host)

    def _headers_of(self, check: HttpRequest) -> dict[str, str]:
        own = {} if check.url else self._headers  # what the hook sends to its listener is nobody else's
        headers = {"User-Agent": "codedeploy-hooks", **own, **check.headers}
        if check.json is not None and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = "application/json"
        headers.update({name: self.secrets[reference] for name, reference in check.secret_headers.items()})
        host = self._host_of(check)
        return {**headers, "Host": host} if host else headers

    def _session(self, check: HttpRequest) -> Any:
        kept = self._local if self._keeps_cookies else self._local.__dict__
        sessions = kept.setdefault("sessions", {})
        host = self._host_of(check) if (check.url or self._base_url).startswith("https:") else None
        if host not in sessions:
            session = self._requests.Session()
            if self._keeps_cookies:  # for all names that this visitor goes to
                session.cookies = kept.setdefault("cookies", session.cookies)
                session.cookies.set_policy(_AlsoByHttp())
            else:  # a sticky cookie would lead all requests to one target
                session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            session.mount("https://", self._adapter(host))
            sessions[host] = session
        return sessions[host]

    def _adapter(self, host: Optional[str]) -> Any:
        """TLS with the certificate's own name, which is rarely the load balancer's; certificates are kept."""
        name = host.partition(":")[0] if host else None
        names = {"server_hostname": name, "assert_hostname": name} if name else {}

        class NamedAdapter(self._requests.adapters.HTTPAdapter):  # type: ignore[misc, name-defined]
            def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
                super().init_poolmanager(*arguments, **names, **options)
                self.poolmanager.pool_classes_by_scheme = {
                    **self.poolmanager.pool_classes_by_scheme,
                    "https": _pool_that_keeps_certificates(),
                }

        return NamedAdapter()

    def _read(self, response: Any, most: int, until: float) -> tuple[str, bool]:
        """The body, and whether it was longer. The time-out of `requests` is for each byte, this one for all."""
        chunks, size = [], 0
        while size <= most:
            chunk = response.raw.read1(65536, decode_content=True)
            if not chunk:
                break
            chunks.append(chunk)
            size += len(chunk)
            if self._clock() > until:
                raise self._requests.exceptions.ReadTimeout
        content = b"".join(chunks)[:most]
        # Without a charset `requests` assumes ISO-8859-1 for text, which nobody sends.
        declared = "charset" in response.headers.get("Content-Type", "").lower()
        try:
            return content.decode(response.encoding if declared else "utf-8", "replace"), size > most
        except LookupError:  # a charset that Python does not know
            return content.decode("utf-8", "replace"), size > most


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
    service, region = parts[2], parts[3]
    value = _parameter(arn, region) if service == "ssm" else _secret(":".join(parts[:7]), region)
    if service != "ssm" and value is not None and len(parts) > 7:
        value = _entry(value, parts[7])
    if not isinstance(value, str) or not value:
        raise CannotLook(f"{arn} has no text for a header: give it a value, or name the key of its JSON (…:<key>)")
    return f"{scheme} {value}" if scheme else value


def _parameter(arn: str, region: str) -> Any:
    try:
        answer = aws.call("ssm", "get_parameter", region=region, Name=arn, WithDecryption=True)
    except aws.AwsCallFailed as problem:
        if problem.code == "ParameterNotFound":  # AWS does not say which
            raise CannotLook(f"{arn} does not exist: make it, or mend secret_headers ({problem})") from problem
        raise
    return (answer.get("Parameter") or {}).get("Value")


def _secret(arn: str, region: str) -> Any:
    try:
        answer = aws.call("secretsmanager", "get_secret_value", region=region, SecretId=arn)
    except aws.AwsCallFailed as problem:
        if problem.code == "ResourceNotFoundException":
            raise CannotLook(f"{arn} does not exist: make it, or mend secret_headers ({problem})") from problem
        raise
    return answer.get("SecretString")


def _entry(text: str, key: str) -> Any:
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document.get(key) if isinstance(document, dict) else None


@functools.cache
def _pool_that_keeps_certificates() -> Any:
    """After an answer with `Connection: close`, or without a body, the socket cannot be asked for it any more."""
    import urllib3

    class Connection(urllib3.connection.HTTPSConnection):
        certificate: Any = None

        def connect(self) -> None:
            super().connect()
            self.certificate = getattr(self.sock, "getpeercert", dict)()

    class Pool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Connection

    return Pool


def _certificate_days(response: Any) -> Optional[float]:
    """How many days the server's certificate is still valid; None without TLS."""
    connection = getattr(response.raw, "connection", None) or getattr(response.raw, "_connection", None)
    certificate: Any = getattr(connection, "certificate", None)
    if not certificate:
        return None
    return (ssl.cert_time_to_seconds(certificate["notAfter"]) - time.time()) / DAY


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
