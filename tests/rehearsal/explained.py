"""Deployments whose hooks write into their logs what the module's functions write there, and what is told of them."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import botocore.client
import pytest
from botocore.exceptions import ClientError

from rehearsal.aws.logs import append
from rehearsal.functions import Attempt
from rehearsal.lifecycle import Player, Timeline
from rehearsal.testing.stage import HANDLERS, HOOK_EVENTS
from tests.rehearsal import test_native_player, test_player
from tools import explain

Parameters = Mapping[str, Any]

STEM = "CodeDeployHook_orders-live-"
NAMES = {event: hook.replace("_", "-") for event, hook in HANDLERS.items()}
"""By lifecycle event: the function of the module, without what its name begins with."""


def arn_of(event: str) -> str:
    """Return the ARN of an event's function."""
    return f"arn:aws:lambda:eu-west-1:123456789012:function:{STEM}{NAMES[event]}"


def check(
    name: str, outcome: str = "passed", detail: str = "as it should be", severity: str = "fail"
) -> dict[str, Any]:
    """Return what a function logs of a check."""
    return {
        "message": f"{name}: {detail}",
        "check": name,
        "outcome": outcome,
        "detail": detail,
        "severity": severity,
        "duration_ms": 3,
    }


def verdict(status: str, message: str) -> dict[str, Any]:
    """Return what a function logs as its verdict."""
    return {"message": f"{status}: {message}", "status": status, "duration_ms": 5}


def passes(*checks: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a hook logs that lets pass."""
    return [*(checks or [check("green"), check("targets")]), verdict("SUCCEEDED", "2 checks passed")]


def stops(reason: str) -> list[dict[str, Any]]:
    """Return what a hook logs that stops a deployment."""
    return [check("green"), check("targets", "failed", reason), verdict("FAILED", reason)]


@dataclass
class Written:
    """What the functions log, by event or stage; what is not named logs that it lets pass."""

    lines: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    logs: Any = None
    requests: int = 0
    now: float = 0.0
    """When the last invocation was: no two are in the same millisecond, which is as fine as a log's times are."""

    def write(self, where: str, function: str, deployment_id: str) -> str:
        """Write the lines of one invocation; return the last verdict that these tell."""
        self.requests += 1
        self.now = max(time.time(), self.now + 0.002)
        group = f"/aws/lambda/{function.rsplit(':', 1)[-1]}"
        lines = self.lines.get(where, passes())
        status = "SUCCEEDED"
        for line in lines:
            own = {"requestId": f"request-{self.requests}", "deployment_id": deployment_id, "hook": "any"}
            whole = {"timestamp": "2026-01-01T00:00:00Z", "level": "INFO", **own, **line}
            plain = {key: value for key, value in whole.items() if value is not None}
            append(arn_of("AfterInstall"), group, "stream", [json.dumps(plain)], self.now)
            status = str(line.get("status") or status)
        return status


class Hooks(test_player.Hooks):
    """Lambda, with five functions: each logs what it is told to, and reports its verdict."""

    def __init__(self, stack: Any, written: Written) -> None:
        super().__init__(stack)
        self.written = written
        self.silent: set[str] = set()
        """The events at which nothing is logged."""

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803  (boto3's names)
        """Run a hook."""
        event = next(event for event in HOOK_EVENTS if arn_of(event) == FunctionName)
        payload = json.loads(Payload)
        status = "SUCCEEDED"
        if event not in self.silent:
            status = self.written.write(event, FunctionName, payload["DeploymentId"])
        self.reports.setdefault(event, "Failed" if status == "FAILED" else "Succeeded")
        super().invoke(FunctionName=f"x:{event}", InvocationType=InvocationType, Payload=Payload)


class Town(test_player.Town):
    """An environment that CodeDeploy deploys to, and the functions' log groups."""

    def __init__(self) -> None:
        super().__init__()
        self.written = Written()
        self.hooks: Hooks = Hooks(self.stack, self.written)
        self.clients = self.clients.__class__(**{**vars(self.clients), "functions": self.hooks})
        for event in HOOK_EVENTS:
            self.clients.logs.create_log_group(logGroupName=f"/aws/lambda/{STEM}{NAMES[event]}")
        self.app_spec = self.stack.app_spec(self.stack.register(), **{event: arn_of(event) for event in HOOK_EVENTS})

    def run(self, progress: Callable[[Any], None] = lambda _: None) -> Timeline:
        """Play a deployment to its end."""
        deployment = self.stack.deploy(app_spec=self.app_spec)
        return Player(deployment, self.clients, self.hooks.attempts, progress).play()


class NativeHooks(test_native_player.Hooks):
    """Lambda: each function logs what it is told to at a stage, and returns its verdict."""

    def __init__(self, written: Written) -> None:
        super().__init__()
        self.written = written
        self.silent: set[str] = set()

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        """Run a hook."""
        assert InvocationType == "RequestResponse"
        event = json.loads(Payload)
        stage, deployment = event["lifecycleStage"], event["resourceArn"].rpartition("/")[2]
        status = "SUCCEEDED"
        if stage not in self.silent:
            lines = self.written.lines.get(stage, passes())
            here = check("deployment", detail=f"service deployment {deployment} deploys main/shop, now at {stage}")
            self.written.lines["now"] = [here, *lines]
            status = self.written.write("now", FunctionName, deployment)
        self.events.append(event)
        self.meanwhile(event)
        self.attempts.append(Attempt(FunctionName, Payload, result=b"{}"))
        return {"Payload": io.BytesIO(json.dumps({"hookStatus": status}).encode())}


class NativeTown(test_native_player.Town):
    """A service that ECS deploys, and the functions' log groups."""

    def __init__(self) -> None:
        super().__init__()
        self.written = Written()
        self.hooks: NativeHooks = NativeHooks(self.written)
        self.clients = self.clients.__class__(**{**vars(self.clients), "functions": self.hooks})
        self.stage.create_hooks(all_of_them=True)
        for arn in self.stage.hooks.values():
            self.stage.logs.create_log_group(logGroupName=f"/aws/lambda/{arn.rsplit(':', 1)[-1]}")


@dataclass(frozen=True)
class Said:
    """What the command printed, and its exit status."""

    code: int
    out: str
    err: str

    @property
    def flat(self) -> str:
        """What was printed, without the breaks of lines."""
        return " ".join(self.out.split())


class Teller:
    """Runs the command. `slept`: how often it waited; `meanwhile`: what happens while it does."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.slept: list[float] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def __call__(self, *arguments: str) -> Said:
        """Return what the command says."""
        self._capsys.readouterr()
        code = explain.main(arguments, self._sleep)
        printed = self._capsys.readouterr()
        return Said(code, printed.out, printed.err)

    def does(self, steps: Iterator[Callable[[], object]]) -> None:
        """Let one thing after another happen, each time that the command waits."""

        def one() -> None:
            next(steps, lambda: None)()

        self.meanwhile = one

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.meanwhile()


def deny(monkeypatch: pytest.MonkeyPatch, *operations: str, code: str = "AccessDeniedException") -> None:
    """Let AWS refuse operations from now on, in its own words."""

    def refuse(service: str, operation: str, parameters: Parameters) -> Parameters:
        if operation in operations:
            said = (
                f"User: arn:aws:sts::123456789012:assumed-role/ci is not authorized to perform: {service}:{operation}"
            )
            raise ClientError({"Error": {"Code": code, "Message": said}}, operation)
        return parameters

    before_calls(monkeypatch, refuse)


def before_calls(monkeypatch: pytest.MonkeyPatch, do: Callable[[str, str, Parameters], Parameters]) -> None:
    """Have something done before each call, with service, operation and parameters; it returns what is then sent."""
    call = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]

    def answer(client: Any, operation: str, parameters: Parameters) -> Any:
        return call(client, operation, do(client.meta.service_model.signing_name, operation, parameters))

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", answer)
