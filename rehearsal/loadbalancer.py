"""The load balancer: a reverse proxy on loopback that obeys the listeners the stand-in holds.

Each listener has a port of its own here, whatever port it has on AWS; `ports` says which. Weights are read at each
request, so a shift takes effect at once. Health checks follow each target group's settings, on a quicker clock.
"""

from __future__ import annotations

import http.client
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from moto.elbv2.models import FakeListener, FakeTargetGroup, elbv2_backends

from rehearsal.aws.elbv2 import used_target_groups, weights_of
from rehearsal.aws.world import TargetState

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
    """None: the load balancer answered by itself."""
    status: int
    seconds: float
    """From the request until the target's answer was complete."""
    at: float
    load_balancer_arn: str


class LoadBalancer:
    """All listeners of one account and region.

    Args:
        account_id, region: whose load balancers.
        resolve: finds a target's process.
        observe: told of every request.
    """

    def __init__(self, account_id: str, region: str, resolve: Resolve, observe: Callable[[Exchange], None]) -> None:
        self._backend = elbv2_backends[account_id][region]
        self.resolve = resolve
        self.observe = observe
        self._health = HealthChecks(self._registered, self._in_use, resolve)
        self._servers: list[ThreadingHTTPServer] = []
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

    def __call__(self, method: str, path: str, headers: dict[str, str], body: bytes) -> _Answer:
        began = time.monotonic()
        group = self._pick_group()
        answer, by_target = self._answer(group, method, path, headers, body)
        self._owner.observe(
            Exchange(
                listener_port=int(self._listener.port),
                target_group_arn=group if by_target else None,
                status=answer.status,
                seconds=time.monotonic() - began,
                at=time.time(),
                load_balancer_arn=self._balancer_arn,
            )
        )
        return answer

    def _pick_group(self) -> str | None:
        weights = {arn: weight for arn, weight in weights_of(self._listener).items() if weight > 0}
        return random.choices(list(weights), list(weights.values()))[0] if weights else None  # noqa: S311  (no secret)

    def _answer(
        self, group: str | None, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[_Answer, bool]:
        targets = self._owner.targets(group) if group else []
        if not targets:
            return _Answer(503, "503 Service Temporarily Unavailable"), False
        self._turn += 1
        address = self._owner.resolve(*targets[self._turn % len(targets)])
        if address is None:
            return _Answer(502, "502 Bad Gateway"), False
        connection = http.client.HTTPConnection(*address, timeout=FORWARD_TIMEOUT)
        try:
            connection.request(method, path, body or None, headers | {"Connection": "close"})
            response = connection.getresponse()
            received = [(k, v) for k, v in response.getheaders() if k.lower() not in _HOP_BY_HOP]
            return _Answer(response.status, response.read(), received, response.reason), True
        except TimeoutError:
            return _Answer(504, "504 Gateway Time-out"), False
        except (OSError, http.client.HTTPException):
            return _Answer(502, "502 Bad Gateway"), False
        finally:
            connection.close()


class _Answer:
    def __init__(
        self, status: int, body: str | bytes, headers: list[tuple[str, str]] | None = None, reason: str = ""
    ) -> None:
        self.status = status
        self.body = body if isinstance(body, bytes) else f"<html><h1>{body}</h1></html>".encode()
        self.headers = headers if headers is not None else [("Server", "awselb/2.0"), ("Content-Type", "text/html")]
        self.reason = reason or http.client.responses.get(status, "")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    forward: _Forward

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a connection that broke: the client went away."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together
    timeout = 30
    server: _Server

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP}
        headers["X-Forwarded-For"] = self.client_address[0]
        answer = self.server.forward(self.command, self.path, headers, body)
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
        failure = self._failure(self._resolve(address, port), group)
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
        try:
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
