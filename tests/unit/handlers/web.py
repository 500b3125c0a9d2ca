"""A real web server on loopback, which stands behind the load balancer's listeners."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Request:
    """A request that arrived. `host` is its Host header, which tells by which listener it came."""

    method: str
    path: str
    host: str
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Response:
    """What is answered."""

    status: int = 200
    body: str = '{"status": "ok"}'
    headers: Mapping[str, str] = field(default_factory=dict)


class Site:
    """Answers by `answer` and keeps every request."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answer: Callable[[Request], Response] = lambda _request: Response()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # connections are kept
            disable_nagle_algorithm = True

            def _any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode()
                request = Request(
                    self.command, self.path, self.headers.get("Host", ""), dict(self.headers.items()), body
                )
                site.requests.append(request)
                response = site.answer(request)
                content = response.body.encode()
                self.send_response(response.status)
                for name, value in response.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = _any  # noqa: N815  # the base class's names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def resolve(self, name: str) -> Callable[..., Any]:
        """A `socket.getaddrinfo` by which `name`, at whatever port, is this site."""
        known = socket.getaddrinfo

        def getaddrinfo(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
            if host == name:
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", self.port))]
            return known(host, port, *arguments, **options)

        return getaddrinfo
