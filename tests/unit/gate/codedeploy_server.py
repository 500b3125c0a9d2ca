"""An HTTP server that plays the part of CodeDeploy which the gate talks to, and remembers the reports.

Real sockets, so that boto3 itself, its retries and its time-outs are part of what is tested. Usable in the test's
own process and, by `AWS_ENDPOINT_URL`, from another one.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

EVENT = {"DeploymentId": "d-ABCDEF123", "LifecycleEventHookExecutionId": "execution-1"}
REPORT = "PutLifecycleEventHookExecutionStatus"
INVOKE = "Invoke"


@dataclass(frozen=True)
class Reply:
    """What the server answers: an HTTP status and a JSON body.

    `hang` never answers, `drop` closes the connection, `drip` sends a letter now and then, and never comes to an end.
    """

    body: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    hang: bool = False
    drop: bool = False
    drip: bool = False


def refused(code: str, message: str = "no", status: int = 400) -> Reply:
    """An error of AWS's JSON protocol."""
    return Reply({"__type": code, "message": message}, status)


def throttled() -> Reply:
    """AWS asks to come back later."""
    return refused("ThrottlingException", "Rate exceeded")


class CodeDeploy:
    """The server. `replies[operation]` is a list answered in turn, its last entry for ever."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.invoked: list[tuple[str, str]] = []  # function and invocation type of each Invoke
        self.replies: dict[str, list[Reply]] = {}
        self.on_call: Callable[[str], None] = lambda _operation: None
        self.on_body: Callable[[str, bytes], None] = lambda _operation, _body: None
        self.reset()
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

            def do_POST(self) -> None:
                """Answer one call of AWS's JSON protocol, or Lambda's Invoke."""
                function = re.fullmatch(r"/2015-03-31/functions/([^/]+)/invocations", self.path)
                operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
                if function:
                    operation = INVOKE
                    double.invoked.append((unquote(function[1]), self.headers.get("X-Amz-Invocation-Type", "")))
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                double.on_body(operation, body)
                reply = double.answer(operation, json.loads(body or b"{}"))
                if reply.hang:
                    double.closing.wait(60)
                if reply.hang or reply.drop:
                    self.close_connection = True
                    return
                if reply.drip:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Request: ")
                    while not double.closing.wait(0.2):
                        self.wfile.write(b"x")
                    return
                content = json.dumps(reply.body).encode()
                self.send_response(reply.status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("x-amzn-RequestId", f"request-{len(double.calls)}")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Stay quiet."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that is killed in the middle is part of the tests."""

        self.closing = threading.Event()
        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def reset(self) -> None:
        """Forget the calls, and be a CodeDeploy that has the test's deployment in progress."""
        self.calls.clear()
        self.invoked.clear()
        self.on_call = lambda _operation: None
        self.on_body = lambda _operation, _body: None
        self.replies = {
            "GetDeployment": [deployment()],
            "GetDeploymentGroup": [group("main", "web")],
            REPORT: [Reply({"lifecycleEventHookExecutionId": "execution-1"})],
            INVOKE: [Reply({}, 202)],  # what is invoked later has no answer
        }

    def answer(self, operation: str, parameters: dict[str, Any]) -> Reply:
        """The reply to one call, which is remembered."""
        self.calls.append((operation, parameters))
        self.on_call(operation)
        replies = self.replies.get(operation) or [refused("UnknownOperationException", f"no {operation} here")]
        return replies.pop(0) if len(replies) > 1 else replies[0]

    @property
    def url(self) -> str:
        """The value of AWS_ENDPOINT_URL."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def reports(self) -> list[dict[str, Any]]:
        """The parameters of each report that was sent, refused ones included."""
        return [parameters for operation, parameters in self.calls if operation == REPORT]

    @property
    def continued(self) -> list[dict[str, Any]]:
        """The payload of each Invoke that was sent, refused ones included."""
        return [parameters for operation, parameters in self.calls if operation == INVOKE]

    @property
    def statuses(self) -> list[str]:
        """The status of each report that was sent."""
        return [str(report["status"]) for report in self.reports]

    def close(self) -> None:
        """Stop the server and let go whoever hangs on it."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def deployment(status: str = "InProgress", **more: Any) -> Reply:
    """GetDeployment's answer."""
    names = {"applicationName": "shop", "deploymentGroupName": "shop-group", "deploymentId": EVENT["DeploymentId"]}
    return Reply({"deploymentInfo": {**names, "status": status, "creator": "user", **more}})


def group(cluster: str, service: str) -> Reply:
    """GetDeploymentGroup's answer: a group that deploys one service."""
    return Reply({"deploymentGroupInfo": {"ecsServices": [{"clusterName": cluster, "serviceName": service}]}})


ROLLBACK = deployment(creator="codeDeployRollback", rollbackInfo={"rollbackTriggeringDeploymentId": "d-BAD"})
