"""A real web server on loopback, which stands behind the load balancer's listeners."""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Request:
    """A request that arrived. `host` is its Host header, which tells by which listener it came.

    `number` counts them from 1, in the order in which they arrived.
    """

    method: str
    path: str
    host: str
    headers: Mapping[str, str]
    body: str
    number: int = 0


@dataclass(frozen=True)
class Response:
    """What is answered."""

    status: int = 200
    body: str = '{"status": "ok"}'
    headers: Mapping[str, str] = field(default_factory=dict)


class Site:
    """Answers by `answer` and keeps every request; where there is no answer (None), the connection is closed.

    With a `certificate` (a PEM file with its key) it speaks TLS, and keeps the names asked for in `server_names`.
    """

    def __init__(self, certificate: Path | None = None) -> None:
        self.requests: list[Request] = []
        self.server_names: list[str | None] = []
        self.answer: Callable[[Request], Response | None] = lambda _request: Response()
        self._refusing: socket.socket | None = None
        self._arriving = threading.Lock()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # connections are kept
            disable_nagle_algorithm = True

            def _any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode()
                host, headers = self.headers.get("Host", ""), dict(self.headers.items())
                with site._arriving:
                    number = len(site.requests) + 1
                    request = Request(self.command, self.path, host, headers, body, number)
                    site.requests.append(request)
                response = site.answer(request)
                if response is None:
                    self.close_connection = True
                    return
                content = response.body.encode()
                self.send_response(response.status)
                for name, value in response.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _any  # noqa: N815  # its names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Clients that go away, or refuse the certificate, are part of the tests; the tests' own errors not."""
                if not isinstance(sys.exc_info()[1], OSError):
                    super().handle_error(request, client_address)

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            context.sni_callback = lambda _socket, name, _context: self.server_names.append(name)
            # The handshake belongs into the connection's own thread: an unfinished one must not stop the others.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def refuse(self) -> None:
        """Refuse connections from now on; the port stays taken, or another process's site might get it."""
        self.stop()
        self._refusing = socket.socket()
        self._refusing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._refusing.bind(("127.0.0.1", self.port))

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        if self._refusing:
            self._refusing.close()

    def resolve(self, name: str) -> Callable[..., Any]:
        """A `socket.getaddrinfo` by which `name`, at whatever port, is this site."""
        known = socket.getaddrinfo

        def getaddrinfo(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
            if host == name:
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", self.port))]
            return known(host, port, *arguments, **options)

        return getaddrinfo
