"""The Lambda Runtime API for one invocation: what a function's process asks for its event, and answers to."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PREFIX = "/2018-06-01/runtime/"


@dataclass(frozen=True)
class Invocation:
    """One event for one function."""

    request_id: str
    function_arn: str
    payload: bytes
    deadline_ms: int


@dataclass(frozen=True)
class Outcome:
    """How a function answered."""

    payload: bytes
    error: bool


class RuntimeApi:
    """A Runtime API on loopback that hands out one event.

    The second request for an event is never answered: a function waits there, as on Lambda, until it is frozen.
    """

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._handed_out = False
        self._answered = threading.Event()
        self._closed = threading.Event()
        self._outcome: Outcome | None = None
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self) -> str:
        """What AWS_LAMBDA_RUNTIME_API says: host and port."""
        return f"127.0.0.1:{self._server.server_port}"

    def wait(self, timeout: float) -> Outcome | None:
        """Wait for the function's answer; None if it gives none in `timeout` seconds."""
        self._answered.wait(timeout)
        return self._outcome

    def close(self) -> None:
        """End the server; a function that waits for a further event is let go."""
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()

    def next_event(self) -> Invocation | None:
        """Hand out the event, once; then block until `close`."""
        if self._handed_out:
            self._closed.wait()
            return None
        self._handed_out = True
        return self._invocation

    def answer(self, payload: bytes, error: bool) -> None:
        """Take the function's answer, the first one."""
        if self._outcome is None:
            self._outcome = Outcome(payload, error)
        self._answered.set()


class Events(RuntimeApi):
    """A Runtime API that hands out one event after the other to one process, as Lambda does to a warm one.

    The `deadline_ms` of its invocations are counted from the moment at which each is taken.
    """

    def __init__(self) -> None:
        super().__init__(Invocation("", "", b"", 0))
        self._waiting: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self.outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self.taken_at = 0.0  # on the monotonic clock; 0: not yet

    def hand_out(self, invocation: Invocation) -> None:
        """Put an event where the process will find it."""
        self._waiting.put(invocation)

    def next_event(self) -> Invocation | None:
        """Block until there is one; its time begins when it is taken: that a process starts is not its time."""
        invocation = self._waiting.get()
        self.taken_at = time.monotonic()
        if invocation is not None:
            invocation = replace(invocation, deadline_ms=int(time.time() * 1000) + invocation.deadline_ms)
        return invocation

    def answer(self, payload: bytes, error: bool) -> None:
        """Take the process's answer."""
        self.outcomes.put(Outcome(payload, error))

    def close(self) -> None:
        """End the server, and let go of a process that waits."""
        self._waiting.put(None)
        super().close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    api: RuntimeApi

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a connection that broke: a function's process is ended while it waits for its next event."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        """Answer `invocation/next`."""
        invocation = self.server.api.next_event()
        if invocation is None:
            self.close_connection = True
            return
        # The last four are optional on Lambda, but awslambdaric's native client crashes without them.
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
            "Content-Type": "application/json",
            "Lambda-Runtime-Trace-Id": "",
            "Lambda-Runtime-Client-Context": "",
            "Lambda-Runtime-Cognito-Identity": "",
        }
        self._reply(200, headers, invocation.payload)

    def do_POST(self) -> None:
        """Take `invocation/<id>/response`, `invocation/<id>/error` or `init/error`."""
        body = self._body()
        self._reply(202, {"Content-Type": "application/json"}, b'{"status":"OK"}')
        self.server.api.answer(body, error=self.path.endswith("/error"))

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (http.server's name)
        """Write no access log."""
