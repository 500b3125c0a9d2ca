"""Connections and answers on a socket, as a whole bounded in time: what requests and loads share.

`http.client` reads, but for what it does not bear and servers may send: interim answers, and more than 100 headers.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
from typing import Any, Callable

vars(http.client)["_MAXHEADERS"] = 1000  # a connection has no number of its own before Python 3.15

# What a kept connection ends with that the server closed: before a byte of an answer, the request may go out again.
CLOSED = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


def seconds_left(until: float, clock: Callable[[], float]) -> float:
    """The seconds left, as a socket's time-out, to which 0 would mean something else."""
    left = until - clock()
    if left <= 0:
        raise socket.timeout("timed out")
    return left


def connect(name: str, port: int, until: float, clock: Callable[[], float]) -> socket.socket:
    """Connect to the first of the name's addresses that answers. Raises OSError; looking up the name is not bounded.

    As with curl each but the last one has half of the time left: an address that is silent, or of a kind that the
    function does not have (IPv6 of a dual-stack name), does not keep the others from being tried.
    """
    problem = OSError("the name has no address")
    found = socket.getaddrinfo(name, port, 0, socket.SOCK_STREAM)
    for number, (family, kind, protocol, _, address) in enumerate(found, 1):
        left = seconds_left(until, clock) / (1 if number == len(found) else 2)
        try:
            connected = socket.socket(family, kind, protocol)
        except OSError as no_such_kind:
            problem = no_such_kind
            continue
        try:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected.settimeout(left)
            connected.connect(address)
            connected.settimeout(seconds_left(until, clock))  # of a TLS handshake, which follows
            return connected
        except OSError as no_connection:
            problem = no_connection
            connected.close()
    raise problem


class Reader(io.RawIOBase):
    """A socket as `http.client` reads it, up to a moment: a socket's own time-out is for each byte anew."""

    def __init__(self, connected: socket.socket, until: float, clock: Callable[[], float]) -> None:
        self._socket, self._until, self._clock = connected, until, clock
        # Closing a connection leaves its socket open as long as somebody reads from it.
        self._raw = connected.makefile("rb", buffering=0)
        self.began = False  # whether a byte has come

    def makefile(self, _mode: str) -> io.BufferedReader:
        """All that `http.client` asks of a socket."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with what there is."""
        self._socket.settimeout(seconds_left(self._until, self._clock))
        count = self._raw.readinto(buffer) or 0
        self.began = self.began or count > 0
        return count

    def close(self) -> None:
        """Let the socket go."""
        self._raw.close()
        super().close()


class Response(http.client.HTTPResponse):
    """An answer, the final one: interim ones (102, 103 and the like) are skipped as a 100 is."""

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        interim = 100 <= status < 200 and status != http.client.SWITCHING_PROTOCOLS
        return version, (http.client.CONTINUE if interim else status), reason
