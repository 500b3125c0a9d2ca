"""An HTTP front before the stand-in that knows each request's operation and number, and spoils answers as told.

It stands where AWS's endpoints do. What it answers in the place of AWS is in the service's own protocol (JSON, query,
EC2's, REST), as botocore's model says. A call is counted once, however often the SDK sends it again.
"""

from __future__ import annotations

import functools
import json
import re
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

import botocore.session
from botocore.model import OperationModel, ServiceModel
from botocore.parsers import create_parser
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.datastructures import MultiDict
from werkzeug.test import Client

from rehearsal.aws.iam_requests import Call
from tests.policies import ACCOUNT

SAID = "said by the test"
SLOW = 0.7  # seconds that a slow answer takes longer
DRIP = 0.3  # seconds between the bytes of one that never ends

# Where the name in a request's signature is not the name of boto3's client, or of IAM's prefix.
_SIGNED_AS = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch"}
_PREFIXES = {"elbv2": "elasticloadbalancing"}
_ACTIONS = {"lambda:Invoke": "lambda:InvokeFunction"}

ELSEWHERE = ("refused", "no such name", "TLS")
"""Faults of the network, which are real ones: site/sitecustomize.py sends the request where the front tells it to."""

REPORT = "codedeploy:PutLifecycleEventHookExecutionStatus"
EVENT = "events:PutEvents"

_ABSENT = re.compile(r"NotFound|DoesNotExist|NoSuch")
# ECS says so of a task definition; EC2 models no errors.
_SAYS_ABSENT = {"ecs:DescribeTaskDefinition": "ClientException", "ec2:DescribeSubnets": "InvalidSubnetID.NotFound"}
_DENIED = {"query": "AccessDenied", "ec2": "UnauthorizedOperation", "rest-xml": "AccessDenied"}
_THROTTLED = {"query": "Throttling", "ec2": "RequestLimitExceeded", "rest-xml": "SlowDown"}

Path = tuple[str, ...]


@dataclass(frozen=True)
class Fault:
    """What is wrong with an answer.

    `path`: the member that is left out (`member`), or has another value (`value`). `address`: where the request ends up
    instead (ELSEWHERE).
    """

    kind: str
    path: Path = ()
    address: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {'.'.join(self.path)}".strip()


@dataclass(frozen=True)
class Plan:
    """Which answers are spoilt: those to the calls of one operation with these numbers (1 is the first).

    `seconds`: for how long, from the first of them on, whenever the machine gets to it. `attempts`: at how many of the
    requests that the SDK sends of each call, from the first on.
    """

    operation: str
    fault: Fault
    numbers: range
    seconds: float = float("inf")
    attempts: float = float("inf")


@dataclass
class Answer:
    """What the stand-in answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass
class Seen:
    """A request that arrived: which operation's manieth call it was part of, and whether its answer was spoilt."""

    operation: str
    number: int
    spoilt: bool
    at: float = field(default_factory=time.monotonic)


@dataclass
class Known:
    """An operation's service and name, and each member and each outer list that any of its answers had."""

    service: str
    name: str
    members: dict[Path, None] = field(default_factory=dict)
    lists: dict[str, None] = field(default_factory=dict)

    def take(self, content: Any) -> None:
        """Take in one more answer."""
        self.members.update(dict.fromkeys(paths_of(content)))
        self.lists.update(dict.fromkeys(key for key, value in content.items() if isinstance(value, list)))


@functools.cache
def model_of(service: str) -> ServiceModel:
    """botocore's model of a service."""
    return botocore.session.get_session().get_service_model(service)


@functools.cache
def action_of(service: str, operation: str) -> str:
    """An operation as IAM spells it."""
    name = f"{_PREFIXES.get(service, service)}:{operation}"
    return _ACTIONS.get(name, name)


@functools.cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], str]]:
    """The REST routes of a service: method, path, operation; the longest path first."""
    found = []
    for name in model_of(service).operation_names:
        http = model_of(service).operation_model(name).http
        path = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(str(http["requestUri"]).partition("?")[0]))
        path = re.sub(r"\[\^/\]\+\)$", ".+)", path)
        found.append((str(http["method"]), re.compile(path), name))
    return sorted(found, key=lambda route: -len(route[1].pattern))


class Front:
    """The front. `plan` is what it spoils; `seen` what arrived since `begin`."""

    def __init__(
        self,
        application: Any,
        jump: Callable[[float], None] = lambda _seconds: None,
        note: Callable[[Call], None] = lambda _call: None,
    ) -> None:
        self._client = Client(application)
        self._jump = jump
        self._note = note
        self._lock = threading.Lock()
        self._numbers: dict[tuple[str, str], int] = {}
        self._counts: dict[str, int] = {}
        self._attempts: Counter[tuple[str, str]] = Counter()
        self._struck_at = float("inf")
        self.plan: Plan | None = None
        self.seen: list[Seen] = []
        self.answers: dict[str, Known] = {}
        """By operation: what its sound answers have in them, as boto3 would return them, where nothing is spoilt."""
        self.bare: set[str] = set()
        """The operations whose answers have no body."""
        self.kill: Callable[[], None] = lambda: None
        self.killing: tuple[int, str] | None = None
        """At which request, by its place from 1 on, and whether before or after it is done, the function is killed."""
        self.errors: list[str] = []
        """What went wrong in the front itself."""
        self.over = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.front = self
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def begin(self, plan: Plan | None) -> None:
        """Start to count anew; what hung before is let go."""
        self.over.set()
        with self._lock:
            self.over = threading.Event()
            self.plan = plan
            self._numbers, self._counts, self.seen = {}, {}, []
            self._attempts.clear()
            self._struck_at = float("inf")
        self._jump(0.0)

    def close(self) -> None:
        """End the server."""
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

    def arrived(self, operation: str, invocation: str, call: Callable[[], Call]) -> tuple[int, Fault | None]:
        """Count a request and note its call, if it is the first of it.

        Returns:
            Its place, and what is to be wrong with its answer.
        """
        with self._lock:
            if not self._attempts[operation, invocation]:
                self._note(call())
            number = self._numbers.get((operation, invocation))
            if number is None:
                number = self._counts[operation] = self._counts.get(operation, 0) + 1
                self._numbers[operation, invocation] = number
            plan = self.plan
            self._attempts[operation, invocation] += 1
            spoilt = plan is not None and operation == plan.operation and number in plan.numbers
            spoilt = spoilt and plan is not None and self._attempts[operation, invocation] <= plan.attempts
            if spoilt:
                self._struck_at = min(self._struck_at, time.monotonic())
            spoilt = spoilt and plan is not None and time.monotonic() - self._struck_at < plan.seconds
            self.seen.append(Seen(operation, number, spoilt))
            place = len(self.seen)
        return place, plan.fault if plan is not None and spoilt else None

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Let the stand-in answer."""
        passed_on = {key: value for key, value in headers.items() if key.lower() != "content-length"}
        answer = self._client.open(
            path, method=method, headers=passed_on, data=body, base_url=f"http://{headers['Host']}"
        )
        return Answer(answer.status_code, list(answer.headers.items()), answer.get_data())

    def answered(self, known: Known, action: str, operation: OperationModel, answer: Answer) -> None:
        """Take in what a sound answer has in it."""
        content = parsed(operation, answer)
        with self._lock:
            self.answers.setdefault(action, known).take(content)
            if not answer.body:
                self.bare.add(action)

    def jump(self, seconds: float) -> None:
        """Let the function's wall clock jump."""
        self._jump(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    front: Front

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  (its name)
        """Keep what went wrong here; connections that break are what this front is for."""
        problem = sys.exc_info()[1]
        if not isinstance(problem, OSError):
            self.front.errors.append(repr(problem))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def _any(self) -> None:
        front, over = self.server.front, self.server.front.over
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # whoever sent it has ended in the middle
            self.close_connection = True
            return
        service, name = self._operation(body)
        action = action_of(service, name)
        invocation = self.headers.get("amz-sdk-invocation-id", "")
        asked = functools.partial(self._call, service, name, body)
        place, fault = front.arrived(action, invocation, asked)
        if front.killing == (place, "before"):
            front.kill()
        call = functools.partial(front.ask, self.command, self.path, dict(self.headers.items()), body)
        operation = model_of(service).operation_model(name)
        if fault is None:
            answer = call() if front.killing != (place, "before") else Answer(200, [], b"")
            if front.killing == (place, "after"):
                front.kill()
            if answer.status < 300 and front.plan is None and front.killing is None:
                front.answered(Known(service, name), action, operation, answer)
            self._send(answer)
        else:
            self._spoil(fault, action, operation, call, over)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _any  # noqa: N815  # http.server's names

    def _operation(self, body: bytes) -> tuple[str, str]:
        signed = re.search(r"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/", self.headers.get("Authorization", ""))
        name = signed[1] if signed else "unsigned"
        service = _SIGNED_AS.get(name, name)
        target = self.headers.get("X-Amz-Target", "")
        if target:
            return service, target.rpartition(".")[2]
        path = urlsplit(self.path).path
        if model_of(service).resolved_protocol in ("query", "ec2"):
            return service, parse_qs(body.decode())["Action"][0]
        if service == "s3":  # by its name: the path is only a bucket's and a key's
            return service, {"GET": "GetObject"}[self.command]
        return service, next(
            op for method, route, op in _routes(service) if method == self.command and route.fullmatch(path)
        )

    def _call(self, service: str, name: str, body: bytes) -> Call:
        """Read a request as botocore's model of its operation has it."""
        url = urlsplit(self.path)
        protocol = str(model_of(service).resolved_protocol)
        request = {
            "method": self.command,
            "values": MultiDict(parse_qsl(body.decode() if protocol in ("query", "ec2") else url.query)),
            "headers": self.headers,
            "body": body,
            "url_path": url.path,
            "url_params": self._in_path(service, unquote(url.path)) if protocol.startswith("rest") else {},
        }
        parser: Any = PROTOCOL_PARSERS[protocol](get_service_model(service).operation_model(name))
        scope = self.headers["Authorization"].partition("Credential=")[2].split("/")
        return Call(service, name, parser.parse(request), region=scope[2], account=ACCOUNT)

    def _in_path(self, service: str, path: str) -> dict[str, str]:
        """What a request of a REST service names in its path."""
        if service == "s3":
            bucket, _, key = path[1:].partition("/")
            return {"Bucket": bucket, "Key": key}
        found = (route.fullmatch(path) for method, route, _ in _routes(service) if method == self.command)
        return next(match.groupdict() for match in found if match)

    def _send(self, answer: Answer, upto: int | None = None) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[:upto])
        self.wfile.flush()

    def _break(self) -> None:
        """Close the connection by a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _spoil(
        self, fault: Fault, action: str, operation: OperationModel, call: Callable[[], Answer], over: threading.Event
    ) -> None:
        """Answer as the fault has it."""
        if fault.kind in ("throttled", "5xx", "denied", "absent", "completed"):
            self._send(refusal(fault.kind, action, operation))
        elif fault.kind in ELSEWHERE:
            self._send(Answer(200, [("X-Proof-Elsewhere", fault.address)], b""))
        elif fault.kind in _INSTEAD:
            self._send(_INSTEAD[fault.kind])
        elif fault.kind in ("broken", "empty", "member", "members", "value"):
            self._send(falsified(fault, operation, call()))
        elif fault.kind.startswith("clock"):
            self.server.front.jump(3600.0 if "+" in fault.kind else -3600.0)
            self._send(call())
        else:
            self._disturb(fault.kind, call, over)

    def _disturb(self, kind: str, call: Callable[[], Answer], over: threading.Event) -> None:
        """Answer late, in part or not at all."""
        if kind == "hangs":
            over.wait(60)
        elif kind == "slow":
            over.wait(SLOW)
            return self._send(call())
        elif kind == "drips":
            self._drip(call(), over)
        elif kind == "cut off":
            answer = call()
            self._send(answer, len(answer.body) // 2)
        elif kind == "lost":
            call()
        elif kind != "reset":
            raise AssertionError(f"no such fault: {kind}")
        return self._break()

    def _drip(self, answer: Answer, over: threading.Event) -> None:
        self.send_response_only(answer.status)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        for byte in answer.body[:-1]:
            if over.wait(DRIP):
                break
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
        over.wait(60)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (http.server's name)
        """Write no access log."""


# Answers.

_INSTEAD = {
    "page": Answer(200, [("Content-Type", "text/html")], b"<html><body>Please log in.</body></html>"),  # a proxy's
    "list": Answer(200, [("Content-Type", "application/x-amz-json-1.1")], b"[]"),
}


def falsified(fault: Fault, operation: OperationModel, answer: Answer) -> Answer:
    """A sound answer with something wrong in it."""
    if fault.kind == "broken":  # half a document, of the length that is announced
        return replace(answer, body=answer.body[: len(answer.body) // 2])
    content = parsed(operation, answer)
    if fault.kind == "empty":
        content = emptied(content)
    elif fault.kind == "value":
        content = with_another(content, fault.path)
    for path in _left_out(fault):
        content = without(content, path)
    return serialized(operation, content, answer)


def _left_out(fault: Fault) -> list[Path]:
    if fault.kind == "members":
        return [tuple(dotted.split(".")) for dotted in fault.path]
    return [fault.path] if fault.kind == "member" else []


def refusal(kind: str, action: str, operation: OperationModel) -> Answer:
    """An error in the service's own protocol."""
    protocol = str(operation.service_model.resolved_protocol)
    status = {"5xx": 500, "denied": 400 if protocol == "json" else 403, "absent": 400}.get(kind, 400)
    if kind == "throttled":
        status = {"rest-json": 429, "rest-xml": 503, "ec2": 503}.get(protocol, 400)
    if kind == "absent" and protocol.startswith("rest"):
        status = 404
    code = {
        "throttled": _THROTTLED.get(protocol, "ThrottlingException"),
        "5xx": "InternalFailure",
        "denied": _DENIED.get(protocol, "AccessDeniedException"),
        "absent": _code_for_absent(action, operation),
        "completed": "LifecycleEventAlreadyCompletedException",
    }[kind]
    if protocol in ("json", "rest-json"):
        text = json.dumps({"__type": code, "message": SAID})
        return Answer(
            status, [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", code)], text.encode()
        )
    error = f"<Code>{escape(code)}</Code><Message>{SAID}</Message>"
    documents = {
        "ec2": f"<Response><Errors><Error>{error}</Error></Errors><RequestID>1</RequestID></Response>",
        "rest-xml": f"<Error>{error}</Error>",
        "query": f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>1</RequestId></ErrorResponse>",
    }
    return Answer(status, [("Content-Type", "text/xml")], documents[protocol].encode())


def _code_for_absent(action: str, operation: OperationModel) -> str:
    """The error by which the operation says that there is no such thing, by its model."""
    if action in _SAYS_ABSENT:
        return _SAYS_ABSENT[action]
    for shape in operation.error_shapes:
        if _ABSENT.search(shape.name):
            return str((shape.metadata.get("error") or {}).get("code") or shape.name)
    return "ResourceNotFoundException"


def parsed(operation: OperationModel, answer: Answer) -> Any:
    """An answer's body as boto3 returns it."""
    response = {"body": answer.body, "headers": dict(answer.headers), "status_code": answer.status}
    shape = operation.output_shape
    if operation.has_streaming_output or shape is None:
        return {}
    found = create_parser(operation.service_model.resolved_protocol).parse(response, shape)
    return {key: value for key, value in found.items() if key != "ResponseMetadata"}


def serialized(operation: OperationModel, content: Any, like: Answer) -> Answer:
    """What boto3 would read as this content."""
    if operation.has_streaming_output:
        return Answer(like.status, like.headers, b"")
    model = operation.service_model
    serializer: Any = get_serializer_class(str(model.service_name), str(model.resolved_protocol))
    made = serializer(get_service_model(str(model.service_name)).operation_model(operation.name)).serialize(content)
    body = made["body"]
    return Answer(made["status_code"], list(made["headers"].items()), body.encode() if isinstance(body, str) else body)


def emptied(content: Any) -> Any:
    """The same with each of its lists empty, and no further page: what has no list is as it was."""
    return {key: [] if isinstance(value, list) else value for key, value in content.items() if "oken" not in key}


def paths_of(content: Any) -> Iterator[Path]:
    """Each member of an answer, once for all entries of a list."""
    found: dict[Path, None] = {}

    def walk(value: Any, path: Path) -> None:
        if isinstance(value, list):
            for entry in value:
                walk(entry, path)
        elif isinstance(value, dict):
            for key, entry in value.items():
                member = (*path, key)
                found[member] = None
                walk(entry, member)

    walk(content, ())
    yield from found


def without(content: Any, path: Path) -> Any:
    """The same without a member, in all entries of the lists on the way to it."""
    return _changed(content, path, lambda _value: _GONE)


def with_another(content: Any, path: Path) -> Any:
    """The same with another value in a member's place."""
    return _changed(content, path, _another)


_GONE = object()


def _another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return 0 if value else 1
    if isinstance(value, str):
        return "other"
    if isinstance(value, datetime):
        return datetime(2001, 1, 1, tzinfo=timezone.utc)
    return type(value)() if isinstance(value, (list, dict)) else "other"


def _changed(content: Any, path: Path, change: Callable[[Any], Any]) -> Any:
    if isinstance(content, list):
        return [_changed(entry, path, change) for entry in content]
    if not isinstance(content, dict):
        return content
    made = {}
    for key, value in content.items():
        changed = value
        if key == path[0]:
            changed = change(value) if len(path) == 1 else _changed(value, path[1:], change)
        if changed is not _GONE:
            made[key] = changed
    return made
