"""Sends HTTP requests: the only place where `requests` is used."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http.cookiejar import Cookie, DefaultCookiePolicy
from typing import Any, Callable, Optional
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from gate import aws
from gate.http_checks import EXCERPT, LOGIN, NETWORK, REDIRECTS, Answer
from gate.options import HttpRequest, normalised, shown_address
from gate.verdict import TELLING, CannotLook
from gate.wire import Reader, Response, connect

SHORTEST_SECRET = 4  # characters; what is shorter would black out half of a message
DAY = 86_400.0  # seconds
MOST_REDIRECTS = 10  # that are followed
IDEMPOTENT = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")  # RFC 9110: sent twice they do what they do once


@dataclass(frozen=True)
class _Request:
    """What is sent next: to where a redirect has led, after one."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: Optional[bytes]

    @property
    def host(self) -> str:
        """The Host header, where one is set."""
        return next((value for name, value in self.headers.items() if name.lower() == "host"), "")


class _Astray(Exception):  # noqa: N818  # it is what happened, and reads as such
    """A redirect that is not followed, and why."""


class Sender:
    """Sends requests to one base URL; one connection pool a thread, as `requests` wants it.

    `base_url` ends at the port, as in `http://name:8080`. `host` and `headers` are those of requests that have none of
    their own. Each request comes as a new visitor, unless `keeps_cookies`. `sent`: of each request to the base URL, its
    visitors' too, the time when it was sent (as of `time.time`) and the status (0: no answer).
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
        self._too_late = (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, socket.timeout)
        self._base_url = normalised(base_url)
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
        visitor.secrets, visitor.sent = self.secrets, self.sent
        return visitor

    def read_secrets(self, check: HttpRequest) -> None:
        """Read the values of the check's secret headers, once. Raises CannotLook where one cannot be read.

        What else looks like a secret, in its address and its headers, is to be hidden as well.
        """
        for reference in check.secret_headers.values():
            if reference not in self.secrets:
                self.secrets[reference] = read_secret(reference)
        url = self._url_of(check)
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
        """Send the request once, and go where it is led if it says so. Its time-out is for all of it.

        Never raises for what the network does: that is the answer's `problem`.
        """
        link = _Link(self._clock, check.timeout)
        try:
            return self._answer(check, link)
        except _Astray as problem:
            return Answer(link.spent(), link.status, problem=str(problem))
        except self._too_late:
            words = f"no answer within {check.timeout:g} s{self._cure(check, link)}"
            return Answer(link.spent(), problem=words, unreached=not link.connected)
        except self._requests.exceptions.SSLError as problem:
            cure = "" if self._host_of(check) else "; set `host` to a name in the certificate"
            return Answer(link.spent(), problem=f"TLS failed ({_innermost(problem)}){cure}")
        except self._requests.exceptions.ConnectionError as problem:
            words = f"{_connection_word(problem)} ({_innermost(problem)}){self._cure(check, link)}"
            return Answer(link.spent(), problem=words, unreached=not link.connected)
        except ValueError as problem:  # its text may hold the header's value or the URL's query: a secret
            kind = type(problem).__name__
            words = f"the request could not be sent ({kind}): check its url, method and headers"
            return Answer(link.spent(), problem=words)
        except self._broke_off as problem:  # urllib3's own, while the body is read
            late = self._clock() > link.until
            words = f"no answer within {check.timeout:g} s" if late else f"the answer broke off ({_innermost(problem)})"
            return Answer(link.spent(), problem=words)

    def _answer(self, check: HttpRequest, link: _Link) -> Answer:
        """The answer, the last one of those that led elsewhere. Raises what `requests` raises, and _Astray."""
        request = _Request(check.method, self._url_of(check), self._headers_of(check), check.content)
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._exchange(check, request, link)
            led = self._led_to(check, request, answer) if check.follow_redirects else None
            if led is None:
                return answer
            request = led
        raise _Astray(f"more redirects than {MOST_REDIRECTS}")

    def _exchange(self, check: HttpRequest, request: _Request, link: _Link) -> Answer:
        """Send one request and read its answer.

        On a kept connection that the server has closed meanwhile, which it may, it is sent once more, as curl and
        browsers do. What may not be sent twice goes over a new one.
        """
        session, links = self._session(check, request.url)
        links[:] = [link]
        if request.method not in IDEMPOTENT:
            session.close()
        link.status, at = 0, time.time()
        try:
            tried_at = self._clock()
            try:
                response = self._ask(session, check, request, link)
            except self._requests.exceptions.ConnectionError:
                if not link.was_closed:
                    raise
                link.began += self._clock() - tried_at
                session.close()
                response = self._ask(session, check, request, link)
            with response:
                link.status = response.status_code
                days = None if check.certificate_days is None else _certificate_days(response)
                body, cut_off = self._read(response, check.max_body, link.until)
        finally:
            if link.connected and not check.url:
                self.sent.append((at, link.status))
        values = {name: tuple(map(_text, response.raw.headers.getlist(name))) for name in response.raw.headers}
        name = "" if check.url or request.host else urlsplit(request.url).hostname or ""
        answer = Answer(link.spent(), link.status, values, body)
        return replace(answer, cut_off=cut_off, certificate_days=days, asked_as=name)

    def _ask(self, session: Any, check: HttpRequest, request: _Request, link: _Link) -> Any:
        link.start(request.url)
        return session.request(
            request.method,
            request.url,
            # `requests` would write ISO-8859-1.
            headers={name: value.encode() for name, value in request.headers.items()},
            data=request.content,
            timeout=max(link.until - self._clock(), 0.001),
            allow_redirects=False,
            verify=check.verify_tls,
            stream=True,
        )

    def _led_to(self, check: HttpRequest, request: _Request, answer: Answer) -> Optional[_Request]:
        """The request that a redirect leads to, on the side under test; None where it is none. Raises _Astray.

        By the name that was asked for it would lead to production: so the address stays, whatever scheme and port a
        Location has. A `url` without `host` asks somebody else on purpose, and may be led anywhere.
        """
        location = answer.header("location")
        if answer.status not in REDIRECTS or not location:
            return None
        said = f"[REDIRECT] ({answer.status} to {shown_address(location)})"
        here = urlsplit(request.url)
        try:
            there = urlsplit(urljoin(request.url, location))
            port = there.port
        except ValueError:
            raise _Astray(f"{said} leads nowhere: its Location is no URL") from None
        names = {here.hostname, urlsplit(f"//{request.host}").hostname or here.hostname}
        at_home = there.hostname in names and there.scheme in ("http", "https")
        anywhere = bool(check.url) and not self._host_of(check) and there.scheme in ("http", "https")
        if not at_home and not anywhere:
            if check.accepts(answer.status):
                return None
            cure = "" if request.host else ", or set host to it if it is this service's name"
            if LOGIN.search(location):
                cure = "; a login stands in front of it: ask a path without one"
            raise _Astray(f"{said} leads away from what is tested: expect the status, or ask that address by url{cure}")
        headers, method, content = dict(request.headers), request.method, request.content
        same_origin = (there.scheme, there.hostname, port) == (here.scheme, here.hostname, here.port)
        if not anywhere or same_origin:
            there = there._replace(scheme=here.scheme, netloc=here.netloc)
        else:  # nobody else's
            headers = {name: headers[name] for name in headers if name.lower() not in ("authorization", "cookie")}
        if (answer.status == 303 and method != "HEAD") or (answer.status in (301, 302) and method == "POST"):
            headers = {name: headers[name] for name in headers if name.lower() != "content-type"}
            method, content = "GET", None
        url = normalised(there.geturl())
        remembers = self._keeps_cookies and answer.header("set-cookie")
        if (method, url) == (request.method, request.url) and not remembers:
            insists = urlsplit(location).scheme.lower() == "https" and here.scheme == "http"
            cure = "give the listener HTTPS, or expect the status without follow_redirects"
            why = f"the application insists on HTTPS and was asked by HTTP: {cure}" if insists else "it has no end"
            raise _Astray(f"{said} comes back to the same URL: {why}")
        return replace(request, method=method, url=url, headers=headers, content=content)

    def _url_of(self, check: HttpRequest) -> str:
        return normalised(check.url or f"{self._base_url.rstrip('/')}/{check.path.lstrip('/')}")

    @staticmethod
    def _cure(check: HttpRequest, link: _Link) -> str:
        """What helps where no connection was made."""
        return "" if link.connected or check.url else f": {NETWORK}"

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

    def _session(self, check: HttpRequest, url: str) -> tuple[Any, list[_Link]]:
        kept = self._local if self._keeps_cookies else self._local.__dict__
        sessions = kept.setdefault("sessions", {})
        host = self._host_of(check) if url.startswith("https:") else None
        if host not in sessions:
            session = self._requests.Session()
            # It would prepare the next request of a redirect that nobody follows: read its body for nothing, and raise
            # for a Location that it does not understand.
            session.get_redirect_target = lambda _: None  # type: ignore[method-assign, assignment]
            if self._keeps_cookies:  # for all names that this visitor goes to
                session.cookies = kept.setdefault("cookies", session.cookies)
                session.cookies.set_policy(_AlsoByHttp())
            else:  # a sticky cookie would lead all requests to one target
                session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            links: list[_Link] = []  # that of the request on its way
            adapter = self._adapter(host, links)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            sessions[host] = session, links
        found: tuple[Any, list[_Link]] = sessions[host]
        return found

    def _adapter(self, host: Optional[str], links: list[_Link]) -> Any:
        """Connections of the gate's own; TLS with the certificate's own name, which is rarely the load balancer's."""
        name = host.partition(":")[0] if host else None
        names = {"server_hostname": name, "assert_hostname": name} if name else {}

        class NamedAdapter(self._requests.adapters.HTTPAdapter):  # type: ignore[misc, name-defined]
            def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
                super().init_poolmanager(*arguments, **names, **options)
                self.poolmanager.pool_classes_by_scheme = _pools(links)

        return NamedAdapter()

    def _read(self, response: Any, most: int, until: float) -> tuple[str, bool]:
        """The body, and whether it was longer."""
        chunks, size = [], 0
        while size <= most:
            chunk = response.raw.read1(65536, decode_content=True)
            if not chunk:
                break
            chunks.append(chunk)
            size += len(chunk)
        if self._clock() > until:
            raise socket.timeout
        content = b"".join(chunks)[:most]
        # Without a charset `requests` assumes ISO-8859-1 for text, which nobody sends.
        declared = "charset" in response.headers.get("Content-Type", "").lower()
        try:
            return content.decode(response.encoding if declared else "utf-8", "replace"), size > most
        except (LookupError, UnicodeError):  # a charset that Python does not know, or that is none of text
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


class _Link:
    """What connections have to know of the request that they carry, and what they tell of it.

    `until`: when the answer has to be there, by `clock`; `target`: what is asked for, as it is sent; `status`: of the
    last answer, 0 where there was none.
    """

    def __init__(self, clock: Callable[[], float], timeout: float) -> None:
        self.clock = clock
        self.began = clock()
        self.until = self.began + timeout
        self.status = 0
        self.start("")

    def start(self, url: str) -> None:
        """A request begins."""
        parts = urlsplit(url)
        self.target = f"{parts.path}?{parts.query}" if parts.query or url.endswith("?") else parts.path
        self.connected = self.kept = False
        self.reader: Optional[Reader] = None

    def spent(self) -> float:
        """Milliseconds since it was sent."""
        return (self.clock() - self.began) * 1000

    @property
    def was_closed(self) -> bool:
        """Whether a kept connection ended before a byte of an answer came."""
        return self.kept and not (self.reader and self.reader.began)


def _pools(links: list[_Link]) -> dict[str, Any]:
    """Connections by scheme that are bounded by the link in `links`, and read by `Response`."""
    import urllib3

    class Bound(urllib3.connection.HTTPConnection):
        def _new_conn(self) -> socket.socket:
            link = links[0]
            try:
                made = connect(self.host, self.port, link.until, link.clock)
            except socket.gaierror as problem:
                raise urllib3.exceptions.NameResolutionError(self.host, self, problem) from problem
            except socket.timeout as problem:
                raise urllib3.exceptions.ConnectTimeoutError(self, "Connection timed out") from problem
            except OSError as problem:
                said = f"Failed to establish a new connection: {problem}"
                raise urllib3.exceptions.NewConnectionError(self, said) from problem
            link.connected = True
            return made

        def putrequest(self, method: str, url: str, *arguments: Any, **options: Any) -> None:
            if self.sock is not None and not links[0].connected:
                links[0].kept = links[0].connected = True
            # As it was declared: urllib3 would write its percent-encoding anew.
            super().putrequest(method, url if self.proxy else links[0].target, *arguments, **options)

        def response_class(  # type: ignore[override]  # it makes one, as a class does
            self, connected: socket.socket, _level: int = 0, method: Optional[str] = None
        ) -> Response:
            link = links[0]
            link.reader = Reader(connected, link.until, link.clock)
            return Response(link.reader, method=method)  # type: ignore[arg-type]

    class BoundByTls(Bound, urllib3.connection.HTTPSConnection):
        certificate: Any = None

        def connect(self) -> None:
            super().connect()
            # After an answer with `Connection: close`, or without a body, the socket cannot be asked for it any more.
            self.certificate = getattr(self.sock, "getpeercert", dict)()

    class Pool(urllib3.HTTPConnectionPool):
        ConnectionCls = Bound

    class PoolByTls(urllib3.HTTPSConnectionPool):
        ConnectionCls = BoundByTls

    return {"http": Pool, "https": PoolByTls}


def _text(value: str) -> str:
    """A header's value without the blanks around it; `http.client` reads as ISO-8859-1 what is mostly UTF-8."""
    try:
        return value.strip(" \t").encode("latin-1").decode()
    except ValueError:
        return value.strip(" \t")


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
        inner = next((each for each in seen.args if isinstance(each, BaseException)), None)
        seen = reason if isinstance(reason, BaseException) else inner or seen.__cause__
    return f"{type(last).__name__}: {last}"[:200]


def _connection_word(problem: BaseException) -> str:
    text = _innermost(problem)
    if "refused" in text:
        return "connection refused"
    if "gaierror" in text:
        return "the name could not be resolved"
    return "no answer"
