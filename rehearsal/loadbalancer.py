"""The load balancer: a reverse proxy on loopback that obeys the listeners the stand-in holds.

Each listener has a port of its own here, whatever port it has on AWS; `ports` says which. Its protocol and certificate
are read at each connection, rules and weights at each request, so a change takes effect at once. Health checks follow
each target group's settings, on a quicker clock.
"""

from __future__ import annotations

import http.client
import random
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from moto.acm.models import acm_backends
from moto.elbv2.models import FakeAction, FakeListener, FakeTargetGroup, elbv2_backends

from rehearsal.aws.elbv2 import forward_weights, used_target_groups
from rehearsal.aws.world import TargetState
from rehearsal.certificates import authority, server_context
from rehearsal.listener_rules import Request, actions_for

CLOCK = 10.0
"""How much quicker health checks follow each other than on AWS; their time-outs are as declared."""

FORWARD_TIMEOUT = 10.0
"""Seconds after which a target that does not answer is given up with 504 (60 on AWS)."""

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length"})

Resolve = Callable[[str, int], "tuple[str, int] | None"]
"""Says where on loopback the address and port of a target are served; None: nowhere."""


@dataclass(frozen=True)
class Exchange:
    """One request as the load balancer saw it."""

    listener_port: int
    target_group_arn: str | None
    """That of the chosen target; None: there was none to choose."""
    status: int
    seconds: float
    """From the request until the target's answer was complete."""
    at: float
    load_balancer_arn: str
    answered: bool
    """Whether the target answered; else the load balancer did."""
    connected: bool = True
    """Whether the target took the connection."""


class LoadBalancer:
    """All listeners of one account and region.

    Args:
        account_id, region: whose load balancers.
        resolve: finds a target's process.
        observe: told of every request.
    """

    def __init__(self, account_id: str, region: str, resolve: Resolve, observe: Callable[[Exchange], None]) -> None:
        self._backend = elbv2_backends[account_id][region]
        self._certificates = acm_backends[account_id][region]
        self._contexts: dict[bytes, ssl.SSLContext] = {}
        self.resolve = resolve
        self.observe = observe
        self._health = HealthChecks(self._registered, self._in_use, resolve)
        self._servers: list[_Server] = []
        self.ports: dict[str, int] = {}
        """Port on loopback by `<DNS name>:<listener's port>`."""

    def start(self) -> None:
        """Open a port for each listener."""
        for balancer in self._backend.load_balancers.values():
            for listener in balancer.listeners.values():
                server = _Server(("127.0.0.1", 0), _Handler)
                server.forward = _Forward(self, listener, balancer.arn)
                self._servers.append(server)
                self.ports[f"{balancer.dns_name}:{listener.port}"] = server.server_port
                threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()

    def context(self, listener: FakeListener) -> ssl.SSLContext | None:
        """Return by what a listener serves HTTPS, its first certificate; None: it serves HTTP."""
        if listener.protocol not in ("HTTPS", "TLS"):
            return None
        bundle = self._certificates.get_certificate(str(listener.certificate))
        if bundle.cert not in self._contexts:
            certificate, key = bundle.cert, bundle.key
            if bundle.type == "AMAZON_ISSUED":  # Amazon's authorities are trusted by everybody, this one here
                signed = authority().sign(bundle.common_name, timedelta(hours=1), *bundle.sans)
                certificate, key = signed.certificate.encode(), signed.private_key.encode()
            self._contexts[bundle.cert] = server_context(certificate, key)
        return self._contexts[bundle.cert]

    def serves_https(self, port: int) -> bool:
        """Say whether the listener with this port on loopback serves HTTPS now."""
        return any(server.server_port == port and server.forward.context() is not None for server in self._servers)

    def close(self) -> None:
        """Close the ports."""
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def watch(self, stop: threading.Event) -> None:
        """Check targets' health until `stop` is set."""
        self._health.watch(stop)

    def check_once(self, target_group_arn: str, address: str, port: int) -> None:
        """Check one target's health now."""
        self._health.check(self._backend.target_groups[target_group_arn], address, port)

    def target_state(self, target_group_arn: str, address: str, port: int) -> TargetState:
        """Say what the health checks say of a target."""
        return self._health.state(target_group_arn, address, port)

    def host_counts(self) -> Iterator[tuple[str, str, int, int]]:
        """Iterate over the target groups in use: ARNs of load balancer and group, healthy and unhealthy targets."""
        for group in self._in_use():
            states = [self._health.state(group.arn, *target).state for target in self._registered(group)]
            for balancer_arn in group.load_balancer_arns[:1]:
                yield balancer_arn, group.arn, states.count("healthy"), states.count("unhealthy")

    def targets(self, target_group_arn: str) -> list[tuple[str, int]]:
        """Return the targets that a group sends to: the healthy ones, or all if none is."""
        registered = self._registered(self._backend.target_groups[target_group_arn])
        healthy = [t for t in registered if self._health.state(target_group_arn, *t).state == "healthy"]
        return healthy or registered

    def _registered(self, group: FakeTargetGroup) -> list[tuple[str, int]]:
        return [(target["Id"], int(target["Port"])) for target in list(group.targets.values())]

    def _in_use(self) -> list[FakeTargetGroup]:
        arns = used_target_groups(self._backend)
        return [group for arn, group in list(self._backend.target_groups.items()) if arn in arns]


class _Forward:
    """What a listener does with a request."""

    def __init__(self, owner: LoadBalancer, listener: FakeListener, balancer_arn: str) -> None:
        self._owner = owner
        self._listener = listener
        self._balancer_arn = balancer_arn
        self._turn = 0

    def context(self) -> ssl.SSLContext | None:
        """Return by what the listener serves HTTPS; None: it serves HTTP."""
        return self._owner.context(self._listener)

    def __call__(self, request: Request) -> _Answer:
        began = time.monotonic()
        answer = self._answer(request)
        self._owner.observe(
            Exchange(
                listener_port=int(self._listener.port),
                target_group_arn=answer.target_group_arn,
                status=answer.status,
                seconds=time.monotonic() - began,
                at=time.time(),
                load_balancer_arn=self._balancer_arn,
                answered=answer.by_target,
                connected=answer.connected,
            )
        )
        return answer

    def _answer(self, request: Request) -> _Answer:
        try:
            actions = actions_for(self._listener, request)
        except NotImplementedError as error:
            return _Answer(501, f"501 {error}")
        for action in actions:
            weights = {arn: weight for arn, weight in forward_weights(action).items() if weight > 0}
            if weights:
                group = random.choices(list(weights), list(weights.values()))[0]  # noqa: S311  (no secret)
                return self._forward(group, request)
            if action.data.get("Type") == "fixed-response":
                return _fixed_response(action)
            if action.data.get("Type") == "redirect":
                return _redirect(action, request, int(self._listener.port), self._listener.protocol)
            if str(action.data.get("Type")).startswith("authenticate-"):
                return _Answer(302, "", [("Server", "awselb/2.0"), ("Location", "https://login.example.com/authorize")])
        kinds = [str(action.data.get("Type")) for action in actions if not forward_weights(action)]
        if kinds:
            return _Answer(501, f"501 {', '.join(kinds)} is not played here")
        return _Answer(503, "503 Service Temporarily Unavailable")

    def _forward(self, group: str, request: Request) -> _Answer:
        targets = self._owner.targets(group)
        if not targets:
            return _Answer(503, "503 Service Temporarily Unavailable")
        self._turn += 1
        answer = self._ask(self._owner.resolve(*targets[self._turn % len(targets)]), request)
        answer.target_group_arn = group
        return answer

    def _ask(self, address: tuple[str, int] | None, request: Request) -> _Answer:
        """Send a request to a target."""
        if address is None:
            return _Answer(502, "502 Bad Gateway", connected=False)
        connection = http.client.HTTPConnection(*address, timeout=FORWARD_TIMEOUT)
        try:
            connection.connect()
        except OSError:
            return _Answer(502, "502 Bad Gateway", connected=False)
        try:
            headers = {**request.headers, "X-Forwarded-For": request.client, "Connection": "close"}
            connection.request(request.method, request.target, request.body or None, headers)
            response = connection.getresponse()
            received = [(k, v) for k, v in response.getheaders() if k.lower() not in _HOP_BY_HOP]
            return _Answer(response.status, response.read(), received, response.reason, by_target=True)
        except TimeoutError:
            return _Answer(504, "504 Gateway Time-out")
        except (OSError, http.client.HTTPException):
            return _Answer(502, "502 Bad Gateway")
        finally:
            connection.close()


def _fixed_response(action: FakeAction) -> _Answer:
    configured = action.data["FixedResponseConfig"]
    headers = [("Server", "awselb/2.0"), ("Content-Type", configured.get("ContentType") or "text/plain")]
    return _Answer(int(configured["StatusCode"]), (configured.get("MessageBody") or "").encode(), headers)


def _redirect(action: FakeAction, request: Request, port: int, protocol: str) -> _Answer:
    """What `#{…}` stands for is the request's own (user guide, redirect actions)."""
    given = {"Protocol": "#{protocol}", "Host": "#{host}", "Port": "#{port}", "Path": "/#{path}", "Query": "#{query}"}
    given |= {key: value for key, value in action.data["RedirectConfig"].items() if value}
    path, _, query = request.target.partition("?")
    own = {"protocol": protocol, "host": (request.header("Host") or "").partition(":")[0], "port": str(port)}
    own |= {"path": path.lstrip("/"), "query": query}
    filled = {key: re.sub(r"#\{(\w+)\}", lambda match: own.get(match[1], ""), given[key]) for key in given}
    address = f"{filled['Protocol'].lower()}://{filled['Host']}:{filled['Port']}{filled['Path']}"
    status = 301 if action.data["RedirectConfig"].get("StatusCode") == "HTTP_301" else 302
    location = f"{address}?{filled['Query']}" if filled["Query"] else address
    return _Answer(
        status, f"{status} {http.client.responses[status]}", [("Server", "awselb/2.0"), ("Location", location)]
    )


class _Answer:
    def __init__(
        self,
        status: int,
        body: str | bytes,
        headers: list[tuple[str, str]] | None = None,
        reason: str = "",
        *,
        by_target: bool = False,
        connected: bool = True,
    ) -> None:
        self.status = status
        self.body = body if isinstance(body, bytes) else f"<html><h1>{body}</h1></html>".encode()
        self.headers = headers if headers is not None else [("Server", "awselb/2.0"), ("Content-Type", "text/html")]
        self.reason = reason or http.client.responses.get(status, "")
        self.by_target = by_target
        self.connected = connected
        self.target_group_arn: str | None = None


CONNECTION_TIMEOUT = 30.0
"""Seconds that a client may say nothing (60 on AWS)."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    forward: _Forward

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection, in a thread of its own; over TLS if the listener says so now."""
        context = self.forward.context()
        if context is None:
            super().finish_request(request, client_address)
            return
        connection: socket.socket = request
        connection.settimeout(CONNECTION_TIMEOUT)
        with context.wrap_socket(connection, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a connection that broke: the client went away, or refused the certificate."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together
    timeout = CONNECTION_TIMEOUT
    server: _Server

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP}
        answer = self.server.forward(Request(self.command, self.path, headers, body, self.client_address[0]))
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    # http.server's names.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (http.server's name)
        """Write no access log: the exchanges are counted instead."""


@dataclass
class _Checked:
    state: TargetState
    successes: int = 0
    failures: int = 0
    since: float = field(default_factory=time.monotonic)
    due: float = field(default_factory=time.monotonic)
    busy: bool = False


_REGISTERING = TargetState("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
_CHECKING = TargetState("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")


class HealthChecks:
    """The health checks of all target groups in use."""

    def __init__(
        self,
        registered: Callable[[FakeTargetGroup], list[tuple[str, int]]],
        in_use: Callable[[], list[FakeTargetGroup]],
        resolve: Resolve,
    ) -> None:
        self._registered = registered
        self._in_use = in_use
        self._resolve = resolve
        self._checked: dict[tuple[str, str, int], _Checked] = {}

    def state(self, target_group_arn: str, address: str, port: int) -> TargetState:
        """Say how a target is; one not looked at yet is `initial`."""
        checked = self._checked.get((target_group_arn, address, port))
        return checked.state if checked else _REGISTERING

    def watch(self, stop: threading.Event) -> None:
        """Start the checks that are due, until `stop` is set."""
        while not stop.wait(0.05):
            wanted = {(group.arn, *target): group for group in self._in_use() for target in self._registered(group)}
            for gone in set(self._checked) - wanted.keys():
                self._checked.pop(gone, None)
            now = time.monotonic()
            for key, group in wanted.items():
                checked = self._checked.setdefault(key, _Checked(_CHECKING))
                if now >= checked.due and not checked.busy:
                    checked.busy = True
                    checked.due = now + float(group.health_check_interval_seconds) / CLOCK
                    threading.Thread(target=self.check, args=(group, *key[1:]), daemon=True).start()

    def check(self, group: FakeTargetGroup, address: str, port: int) -> None:
        """Check one target once, and take the consequences."""
        checked = self._checked.setdefault((group.arn, address, port), _Checked(_CHECKING))
        own = str(group.health_check_port or "")
        asked = self._resolve(address, int(own)) if own.isdigit() else None
        failure = self._failure(asked or self._resolve(address, port), group)
        if failure is None:
            checked.successes, checked.failures = checked.successes + 1, 0
            # A newly registered target needs one success, one that was unhealthy needs the threshold.
            needed = 1 if checked.state.state == "initial" else int(group.healthy_threshold_count)
            if checked.state.state != "healthy" and checked.successes >= needed:
                checked.state = TargetState("healthy")
        else:
            checked.successes, checked.failures = 0, checked.failures + 1
            # A start takes its time on any clock: a new target that does not listen yet has as long as on AWS.
            patience = float(group.health_check_interval_seconds) * int(group.unhealthy_threshold_count)
            starts = checked.state.state == "initial" and failure.reason == "Target.FailedHealthChecks"
            if starts and time.monotonic() < checked.since + patience:
                checked.failures = 0
            elif checked.failures >= int(group.unhealthy_threshold_count):
                checked.state = failure
        checked.busy = False

    def _failure(self, address: tuple[str, int] | None, group: FakeTargetGroup) -> TargetState | None:
        """Check once; return what an unhealthy target is called, None if the check passed."""
        if address is None:
            return TargetState("unhealthy", "Target.FailedHealthChecks", "Health checks failed")
        connection = http.client.HTTPConnection(*address, timeout=float(group.health_check_timeout_seconds))
        by_status = group.health_check_protocol in ("HTTP", "HTTPS") and group.protocol_version != "GRPC"
        try:
            if not by_status:
                connection.connect()
                return None
            connection.request("GET", group.health_check_path or "/", headers={"User-Agent": "ELB-HealthChecker/2.0"})
            status = connection.getresponse().status
        except TimeoutError:
            return TargetState("unhealthy", "Target.Timeout", "Request timed out")
        except (OSError, http.client.HTTPException):
            return TargetState("unhealthy", "Target.FailedHealthChecks", "Health checks failed")
        finally:
            connection.close()
        if matches(status, str(group.matcher.get("HttpCode") or "200")):
            return None
        reason = f"Health checks failed with these codes: [{status}]"
        return TargetState("unhealthy", "Target.ResponseCodeMismatch", reason)


def matches(status: int, matcher: str) -> bool:
    """Say whether a status is among a matcher's: `200`, `200,204` or `200-399`."""
    for part in re.split(r"\s*,\s*", matcher):
        low, _, high = part.partition("-")
        if int(low) <= status <= int(high or low):
            return True
    return False
