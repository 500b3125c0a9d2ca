"""The connections that checks and loads share: `http.client`, with each answer bounded in time as a whole.

`http.client` bounds each read alone, takes 100 headers at most, and of interim answers skips 100 alone.
"""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import time
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Callable, Optional, Union, cast
from urllib.parse import urlsplit

vars(http.client)["_MAXHEADERS"] = 1000  # a connection has no number of its own before Python 3.15

IDEMPOTENT = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")  # RFC 9110: sent twice they do what they do once
# What a kept connection ends with when the server has closed it: before a byte of an answer, it may be sent again.
CLOSED = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
FAILURES = (OSError, http.client.HTTPException, ValueError, zlib.error)  # what sending and reading raise
Headers = Mapping[str, Union[str, bytes]]
CHUNK = 65536  # bytes that are read at a time


class Socket(socket.socket):
    """A socket that is read up to a moment: its own time-out is for each byte anew."""

    def limit(self, until: float, clock: Callable[[], float]) -> None:
        """An exchange begins: by `until` all has to be there."""
        self._until, self._clock = until, clock
        self.began = False  # whether a byte has come
        self.settimeout(seconds_left(until, clock))

    def recv_into(self, *arguments: Any) -> int:
        """Read what there is: how all of `http.client` reads."""
        self.settimeout(seconds_left(self._until, self._clock))
        count = super().recv_into(*arguments)
        seconds_left(self._until, self._clock)
        self.began = self.began or count > 0
        return count


class TlsSocket(Socket, ssl.SSLSocket):
    """The same over TLS."""


class Response(http.client.HTTPResponse):
    """The final answer: interim ones (102, 103 and the like) are skipped as a 100 is."""

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        interim = 100 <= status < 200 and status != http.client.SWITCHING_PROTOCOLS
        return version, (http.client.CONTINUE if interim else status), reason

    def read(self, amount: Optional[int] = None) -> bytes:
        """So many bytes of the body, fewer at its end. Raises IncompleteRead where that comes too early."""
        try:
            found = super().read(amount)
        except CLOSED as problem:
            raise http.client.IncompleteRead(b"", self.length) from problem
        if not found and amount and self.length:
            raise http.client.IncompleteRead(b"", self.length)
        return found

    def text(self, most: int) -> tuple[str, bool]:
        """So many bytes of the body at most, decompressed and decoded; and whether there are more."""
        compressed = (self.getheader("Content-Encoding") or "").strip().lower() in ("gzip", "x-gzip", "deflate")
        inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)  # either format, as its first bytes say
        body = bytearray()
        while len(body) <= most and (chunk := self.read(min(CHUNK, most + 1 - len(body)))):
            body += inflate.decompress(chunk, most + 1 - len(body)) if compressed else chunk
        content, cut_off = bytes(body[:most]), len(body) > most
        try:
            return content.decode(self.headers.get_content_charset() or "utf-8", "replace"), cut_off
        except (LookupError, UnicodeError):  # a charset that Python does not know, or that is none of text
            return content.decode("utf-8", "replace"), cut_off


class Connection(http.client.HTTPConnection):
    """A connection that is kept for the next request, and made anew where it cannot be used again.

    It connects to the scheme, name and port of `url`. A certificate has to name `host`, else the URL's own name,
    and to be of the `authorities` (see `tls_context`). `clock` is in seconds. `connected`: whether the last request
    found somebody listening. `lost`: the seconds that it spent on a kept connection which the server had closed.
    """

    response_class = Response

    def __init__(
        self, url: str, host: Optional[str], authorities: Optional[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        parts = urlsplit(url)
        self._tls = tls_context(authorities) if parts.scheme == "https" else None
        self.default_port = 443 if self._tls else 80  # the Host header goes without it
        super().__init__(parts.hostname or "", parts.port or self.default_port)
        self._server_name = host.partition(":")[0] if host else self.host
        self._clock, self._until = clock, 0.0
        self._answer: Optional[Response] = None  # the last one, if its head could be read
        self.connected, self.lost = False, 0.0

    def ask(self, method: str, target: str, headers: Headers, content: Optional[bytes], until: float) -> Response:
        """Send a request and read the head of its answer; all of the answer has to be there at `until`, by the clock.

        If a kept connection ends before a byte of an answer comes, the request is sent once more, as curl and browsers
        do. What may not be sent twice goes over a new connection. Raises FAILURES.
        """
        if method not in IDEMPOTENT or not self._is_free():
            self.close()
        self._until, self.lost, began = until, 0.0, self._clock()
        kept = self.connected = self.sock is not None
        while True:
            self._answer = None
            if self.sock is not None:
                self._socket.limit(until, self._clock)
            try:
                self.request(method, target, content, headers)
                self._answer = answer = cast(Response, self.getresponse())
                return answer
            except CLOSED:
                if not kept or self._socket.began:
                    raise
            self.close()
            kept, self.lost = False, self._clock() - began

    def _is_free(self) -> bool:
        """Whether the last answer was read, and nothing has come since: that would be the server's goodbye."""
        if self.sock is None or self._answer is None or not self._answer.isclosed():
            return False
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return not poll.poll(0)

    def connect(self) -> None:
        """Connect, and agree on TLS: what `request` asks for where there is no connection."""
        self._socket = connect(self.host, self.port, self._until, self._clock)
        self.connected = True
        if self._tls:
            self._socket = cast(Socket, self._tls.wrap_socket(self._socket, server_hostname=self._server_name))
        self._socket.limit(self._until, self._clock)
        self.sock = self._socket

    def __del__(self) -> None:
        if getattr(self, "sock", None):  # none where it could not even be made
            self.close()


def seconds_left(until: float, clock: Callable[[], float]) -> float:
    """The seconds left, as a socket's time-out, to which 0 would mean something else. Raises socket.timeout."""
    left = until - clock()
    if left <= 0:
        raise socket.timeout("timed out")
    return left


def connect(name: str, port: int, until: float, clock: Callable[[], float]) -> Socket:
    """Connect to the first of the name's addresses that answers. Raises OSError; looking up the name is not bounded.

    As with curl each but the last one has half of the time left: an address that is silent, or of a kind that the
    function does not have (IPv6 of a dual-stack name), does not keep the others from being tried.
    """
    problem = OSError("the name has no address")
    found = socket.getaddrinfo(name, port, 0, socket.SOCK_STREAM)
    for number, (family, kind, protocol, _, address) in enumerate(found, 1):
        left, connected = seconds_left(until, clock) / (1 if number == len(found) else 2), None
        try:
            connected = Socket(family, kind, protocol)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected.settimeout(left)
            connected.connect(address)
            connected.settimeout(seconds_left(until, clock))  # of a TLS handshake, which follows
            return connected
        except OSError as no_connection:
            problem = no_connection
            if connected:
                connected.close()
    raise problem


@lru_cache(maxsize=8)  # reading the authorities takes 20 ms
def tls_context(authorities: Optional[str]) -> ssl.SSLContext:
    """TLS for clients that trust the authorities of this PEM file; None: whose certificates are not verified."""
    context = ssl.create_default_context(cafile=authorities)
    context.sslsocket_class = TlsSocket
    context.set_alpn_protocols(["http/1.1"])
    if authorities is None:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def target_of(url: str) -> str:
    """What a request asks for: the path and query of a normalised URL, as they are written there."""
    return f"/{url.split('/', 3)[3]}"


def headers_as_sent(given: Mapping[str, str], host: Optional[str]) -> Any:
    """The headers of a request, whatever case a name is written in; a `host` comes before a Host among them."""
    from requests.structures import CaseInsensitiveDict  # from the layer: it must fail inside the guard

    usual = {"User-Agent": "codedeploy-hooks", "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
    headers = {**usual, **given, **({"Host": host} if host else {})}
    return CaseInsensitiveDict({name: value.encode() for name, value in headers.items()})  # else it is ISO-8859-1


def in_words(problem: Exception, timeout: float, declared: str) -> str:
    """Why there is no answer. What may quote the request or the answer is told by its kind alone.

    `declared` names what is to be checked where a request cannot be sent.
    """
    kind = type(problem).__name__
    quoted = f"({f'{kind}: {problem}'[:200]})"
    if isinstance(problem, (socket.timeout, TimeoutError)):
        return f"no answer within {timeout:g} s"
    if isinstance(problem, ssl.SSLError):  # some of these are ValueErrors
        return f"TLS failed {quoted}"
    if isinstance(problem, ValueError):
        return f"the request could not be sent ({kind}): check its {declared}"
    if not isinstance(problem, OSError):
        return f"the answer broke off ({kind})"
    if isinstance(problem, ConnectionRefusedError):
        return f"connection refused {quoted}"
    if isinstance(problem, socket.gaierror):
        return f"the name could not be resolved {quoted}"
    return f"no answer {quoted}"
