"""The program in the place of an application: `python -I -S program.py serve|task|idle JSON`. It imports no package.

`serve` answers on the socket that it inherits (UVICORN_FD) what the options of the hooks expect of the application, and
200 to everything else. `task` is a one-off task: it says what its command would, and exits. `idle` does nothing.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

RELEASE = "X-Rehearsal-Release"
CHECKER = "ELB-HealthChecker"

SAID = {
    # What a hook reads in the log of the command that asks where the database is.
    "alembic current": "Current revision(s) for postgresql://rehearsal/db:\nRev: 0001 (head)",
    "showmigrations": "app\n [X] 0001_initial",
}


class Handler(BaseHTTPRequestHandler):
    """Answers by the rules that it was given."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    told: dict[str, Any]

    def answer(self) -> None:
        """Answer any request."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.told.get("fault") or {}
        checker = CHECKER in self.headers.get("User-Agent", "")
        if not checker:
            time.sleep(float(fault.get("delay", 0)))
        path = self.path.partition("?")[0]
        rule = self._rule()
        status, body = int(rule.get("status", 200)), str(rule.get("body", ""))
        if fault.get("health_status") and (checker or path in self.told["health_paths"]):
            status = int(fault["health_status"])
        elif checker:
            status = int(self.told.get("healthy", 200))
        headers = {"Content-Type": "application/json", **(rule.get("headers") or {})}
        content = self._filled(body).encode()
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, self._filled(value))
        self.send_header(RELEASE, self.told["tag"])
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(content)
        self.wfile.flush()

    def _rule(self) -> dict[str, Any]:
        for rule in self.told.get("answers") or []:
            if rule["method"] == self.command and re.fullmatch(rule["path"], self.path):
                return dict(rule)
        return {"body": json.dumps({"status": "ok", "version": "{image_tag}"})}

    def _filled(self, text: str) -> str:
        version = (self.told.get("fault") or {}).get("version") or self.told["tag"]
        return text.replace("{image_tag}", version).replace("{revision}", str(self.told.get("revision", "")))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (http.server's name)
        """Write no access log."""


class Server(ThreadingHTTPServer):
    """Serves on a socket that is there already."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away."""


def serve(told: dict[str, Any]) -> int:
    """Serve until the end."""
    Handler.told = told
    server = Server(("127.0.0.1", 0), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = socket.socket(fileno=int(os.environ["UVICORN_FD"]))
    server.server_activate()
    print(f"release {told['tag']} serves: a stand-in for the application", flush=True)
    server.serve_forever(0.5)
    return 0


def task(told: dict[str, Any]) -> int:
    """Do what a one-off task does: nothing, and say so."""
    command = str(told["command"])
    if told.get("code"):
        print(f"the rehearsal lets `{command}` fail", flush=True)
        return int(told["code"])
    said = next((text for part, text in SAID.items() if part in command), "")
    print(said or f"the rehearsal runs no `{command}`: a stand-in for it ends well", flush=True)
    return 0


def idle() -> int:
    """Do nothing until somebody says that it is over."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        signal.pause()


if __name__ == "__main__":
    given = json.loads(sys.argv[2])
    sys.exit({"serve": lambda: serve(given), "task": lambda: task(given), "idle": idle}[sys.argv[1]]())
