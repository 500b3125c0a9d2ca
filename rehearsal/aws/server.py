"""The stand-in as an HTTP endpoint on loopback.

moto's state belongs to the process. To play many scenarios on one applied environment, serve with one thread while
Terraform applies, stop, and fork for each scenario: every child has a copy of the state and serves it on a port of its
own. No thread may be alive at the fork, which is why `stop` waits for the one that serves.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from rehearsal.aws.install import install
from rehearsal.aws.unknown import create_app

logger = logging.getLogger("rehearsal.aws")

HOST = "127.0.0.1"

KEPT_ANSWERS = 64
"""How many answers are kept for requests that are sent again."""


class _Handler(MotoRequestHandler):
    """Logs to this package's logger, and nothing for a request that went well."""

    # A client that never ends its request must not hold the only thread for ever.
    timeout = 30

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  (werkzeug's name)
        level = logging.ERROR if type == "error" else logging.DEBUG
        logger.log(level, message.rstrip(), *args)


class StandIn:
    """AWS on loopback: `url = StandIn().serve()`, then `AWS_ENDPOINT_URL=url`.

    Args:
        on_request: called after each request with method, path, action, status and seconds, to show progress.
    """

    def __init__(self, on_request: Callable[[str, str, str, int, float], None] | None = None) -> None:
        install()
        self._application = DomainDispatcherApplication(create_app)
        self._on_request = on_request
        self._answers: dict[str, tuple[str, list[tuple[str, str]], bytes]] = {}
        self._lock = threading.Lock()
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The endpoint; raises RuntimeError while nothing is served."""
        if self._server is None:
            raise RuntimeError("the stand-in is not served: call serve() first")
        return f"http://{HOST}:{self._server.server_port}"

    def serve(self, *, threaded: bool = True) -> str:
        """Serve on a free port in the background, one request at a time or each in a thread; return the URL."""
        if self._server is not None:
            raise RuntimeError(f"the stand-in is served already, at {self.url}")
        self._server = make_server(HOST, 0, self._observed, threaded=threaded, request_handler=_Handler)
        # A request may be waiting for a process of the world; the end of a rehearsal does not wait for it.
        if threaded:
            self._server.daemon_threads = True  # type: ignore[attr-defined]
            self._server.block_on_close = False  # type: ignore[attr-defined]
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="stand-in", daemon=True
        )
        self._thread.start()
        return self.url

    def stop(self) -> None:
        """Stop serving, and wait for the thread that served; the state stays. Stopping twice does no harm."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server = self._thread = None

    def __enter__(self) -> StandIn:  # noqa: PYI034  (Self is in typing from 3.11 on)
        self.serve()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def forked(self) -> None:
        """Forget, in a child process, the server of the parent, if it served at the fork."""
        if self._server is not None:
            self._server.socket.close()
        self._server = self._thread = None

    def _answered(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer a request; one that an SDK sends again, as it was answered before.

        AWS's SDKs give all attempts of one call the same `amz-sdk-invocation-id`. They send it again when a connection
        breaks before the answer is read. On loopback that is no fault worth rehearsing, but a Create that was done
        would be refused as existing already. Errors of the server (5xx) are not kept: those attempts are to be made.
        """
        call = str(environ.get("HTTP_AMZ_SDK_INVOCATION_ID") or "")
        if not call:
            return self._application(environ, start_response)
        with self._lock:
            known = self._answers.get(call)
        if known is not None:
            logger.warning("%s is sent again (%s)", environ.get("PATH_INFO"), environ.get("HTTP_AMZ_SDK_REQUEST"))
            status, headers, body = known
            start_response(status, headers)
            return [body]
        started: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            started[:] = [status, headers]

        chunks = self._application(environ, start)
        try:
            body = b"".join(chunks)
        finally:
            getattr(chunks, "close", lambda: None)()
        status, headers = started
        if not status.startswith("5"):
            with self._lock:
                self._answers[call] = (status, headers, body)
                while len(self._answers) > KEPT_ANSWERS:
                    self._answers.pop(next(iter(self._answers)))
        start_response(status, headers)
        return [body]

    def _observed(self, environ: dict[str, Any], start_response: Any) -> Any:
        if self._on_request is None:
            return self._answered(environ, start_response)
        began = time.monotonic()
        seen: list[int] = []

        def start(status: str, *args: Any) -> Any:
            seen.append(int(status.split(" ", 1)[0]))
            return start_response(status, *args)

        try:
            return self._answered(environ, start)
        finally:
            method, path = str(environ.get("REQUEST_METHOD")), str(environ.get("PATH_INFO"))
            action = str(environ.get("HTTP_X_AMZ_TARGET") or "").rsplit(".", 1)[-1]
            self._on_request(method, path, action, seen[-1] if seen else 500, time.monotonic() - began)
