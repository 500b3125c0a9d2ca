"""A lane: one environment on the stand-in behind a front of its own, and one warm process of a hook's function.

Lambda reuses its processes, and so does a lane: `awslambdaric` is started once and fed one event after the other. Only
where a process has died, or has outlived its time, the next event gets a new one.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import queue
import re
import signal
import struct
import subprocess
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from moto import mock_aws
from moto.ecs.models import ecs_backends

from rehearsal.aws.awslambda import FunctionPackage
from rehearsal.aws.ecs_native import ServiceDeployment
from rehearsal.aws.ecs_sets import StandInService
from rehearsal.aws.iam_requests import Asked, Call, asked_by
from rehearsal.aws.install import install
from rehearsal.aws.server import StandIn
from rehearsal.functions import Functions
from rehearsal.processes import Process
from rehearsal.runtime_api import Events, Invocation
from rehearsal.stage import BUILD, REGION, aws_environment
from rehearsal.testing.stage import ACCOUNT, CLUSTER, SERVICE, Clock, Stage
from rehearsal.testing.web import Response, Site
from tests.policies import REGION as JUDGED_REGION
from tests.policies import Noted, function_names, plain_secret, secret_headers
from tests.proof.fault_front import Front, Plan, Seen
from tests.proof.fault_profiles import MIGRATE, SMOKE_TEST, Profile

SCALE = 75.0
"""One second of the proof stands for so many: a function of 12 seconds is one of 900."""
PAUSES = (60 / SCALE, 120 / SCALE)
"""Seconds until Lambda delivers an event again that failed once, and twice (its documentation: 1 and 2 minutes)."""
STOPPED = 10  # tasks that stopped before an event and are still listed
OUR_SITE = Path(__file__).with_name("site")
PYTHON = BUILD / "runtime" / "bin" / "python"


class RealClock(Clock):
    """The machine's own time."""

    def time(self) -> float:
        """Seconds on the monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)


@dataclass
class Delivery:
    """What came of one event: what the function returned, or the error it raised, or neither if it was ended."""

    seconds: float
    result: dict[str, Any] | None = None
    error: str = ""


@dataclass
class Story:
    """What came of one case."""

    deliveries: list[Delivery]
    reports: list[tuple[str | None, str | None]]
    """Each report that arrived at CodeDeploy: its status, and the error with which it was refused."""
    seen: list[Seen]
    migrations: int = 0
    """One-off tasks that ran the migration."""
    smoke_tests: int = 0
    """One-off tasks that ran the smoke test."""
    left: list[str] = field(default_factory=list)
    """Those of them that nobody has seen end, and nobody has told to: their ids."""
    errors: list[str] = field(default_factory=list)
    """What went wrong in the front itself."""

    @property
    def accepted(self) -> list[str | None]:
        """The reports that CodeDeploy accepted."""
        return [status for status, error in self.reports if error is None]

    @property
    def last(self) -> dict[str, Any]:
        """What the function returned last."""
        return self.deliveries[-1].result or {}


class Function:
    """One hook's packaged function in AWS's runtime client."""

    def __init__(self, package: FunctionPackage, folder: Path, environment: Mapping[str, str]) -> None:
        self._package = package
        self._folder = folder
        self._extra = dict(environment)
        self._functions = Functions(folder / "code", PYTHON, folder / "names.json", {}, lambda *_: None)
        self.lines: list[str] = []
        self._process: Process | None = None
        self._api: Events | None = None

    def start(self) -> None:
        """Start the process; it waits for an event."""
        self.end()
        task, opt = self._functions._unpack(self._package)
        self._api = Events()
        environment = self._functions._environment(self._package, task, opt, self._api, "stream") | self._extra
        environment["PYTHONPATH"] = f"{OUR_SITE}:{environment['PYTHONPATH']}"
        self._process = Process(
            [str(PYTHON), "-m", "awslambdaric", self._package.handler],
            folder=task,
            environment=environment,
            on_line=self.lines.append,
        )

    def end(self) -> None:
        """End the process."""
        if self._process is not None and self._api is not None:
            self._process.end()
            self._api.close()
            self._process.wait(5)
        self._process = self._api = None

    def kill(self) -> None:
        """Kill the process as Lambda does: without a word to it."""
        if self._process is not None:
            listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
            for line in listed.splitlines():
                pid, parent = map(int, line.split())
                if parent == self._process._process.pid:
                    os.kill(pid, signal.SIGKILL)

    def deliver(self, event: Mapping[str, Any], seconds: float) -> Delivery:
        """Deliver one event; one that does not answer in its time is ended, as by Lambda."""
        if self._process is None or self._api is None or self._process.exit_code() is not None:
            self.start()
        process, api = self._process, self._api
        if process is None or api is None:
            raise RuntimeError("the function did not start")
        api.taken_at = 0.0
        arn, payload = self._package.function_arn, json.dumps(event).encode()
        api.hand_out(Invocation(str(uuid.uuid4()), arn, payload, int(seconds * 1000)))
        while True:
            with contextlib.suppress(queue.Empty):
                outcome = api.outcomes.get(timeout=0.05)
                spent = time.monotonic() - api.taken_at
                if outcome.error:
                    return Delivery(spent, error=outcome.payload.decode(errors="replace"))
                return Delivery(spent, json.loads(outcome.payload))
            spent = time.monotonic() - api.taken_at if api.taken_at else 0.0
            dead = process.exit_code() is not None
            if dead or spent > seconds:
                self.kill()
                self.end()
                return Delivery(spent, error="the process died" if dead else f"timed out after {seconds:g} s")


class Lane:
    """The environment of one profile, and the function that is tried in it."""

    def __init__(self, profile: Profile, dist: Path, folder: Path) -> None:
        self.profile = profile
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        os.environ.update(aws_environment("") | {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false"})
        os.environ.pop("AWS_ENDPOINT_URL")
        self._aws = mock_aws()
        self._aws.start()
        install()
        self.stage = Stage(RealClock())
        self.site = Site()
        self.site.answer = lambda _request: Response(headers={"X-Version": "2"})
        settings = profile.arrange(self.stage)
        names = {f"{self.stage.dns_name.lower()}:{port}": self.site.port for port in (80, 8080)}
        (folder / "names.json").write_text(json.dumps(names))
        clock = folder / "clock"
        clock.write_bytes(struct.pack("d", 0.0))
        with clock.open("r+b") as file:
            self._offset = mmap.mmap(file.fileno(), 8)
        headers = secret_headers(json.loads(json.dumps(settings)))
        self.secrets = {(profile.hook, _as_judged(header)) for header in headers}
        self.case = "in its first run"
        self.noted = Noted(secrets=self.secrets)
        self.front = Front(StandIn()._observed, self._jump, self._note)
        self.function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:CodeDeployHook_shop-{profile.hook}"
        package = FunctionPackage(
            function_name=f"CodeDeployHook_shop-{profile.hook}",
            function_arn=self.function_arn,
            zip_bytes=(dist / f"{profile.hook}.zip").read_bytes(),
            layer_zips=((dist / "layer.zip").read_bytes(),),
            handler=f"{profile.hook}.handler",
            runtime="python3.11",
            environment={
                "APP_NAME": "shop",
                "ENVIRONMENT": "test",
                "ECS_CLUSTER": CLUSTER,
                "ECS_SERVICE": SERVICE,
                "HOOK_SETTINGS": json.dumps(settings),
            },
            timeout=int(profile.seconds),
            memory_size=256,
            log_format="JSON",
            log_level="INFO",
            log_group="/aws/lambda/hook",
            role="",
        )
        self.function = Function(package, folder, aws_environment(self.front.url) | {"PROOF_CLOCK": str(clock)})
        self.front.kill = self._kill

    def _note(self, call: Call) -> None:
        """Note what a call of the function asks of IAM."""
        self.noted.calls += 1
        if call.parameters.get("FunctionName") == self.function_arn:  # itself, whatever it is called here
            call = replace(call, parameters={**call.parameters, "FunctionName": function_names()[self.profile.hook]})
        try:
            for asked in asked_by(call):
                context = tuple((key, _as_judged(value)) for key, value in asked.context)
                question = Asked(asked.action, _as_judged(asked.resource), context)
                self.noted.asked.setdefault((self.profile.hook, question), f"{self.profile.name}, {self.case}")
        except LookupError as problem:
            self.noted.problems.add(str(problem))

    def hand_in(self) -> Any:
        """What was noted since the last time."""
        noted, self.noted = self.noted, Noted(secrets=self.secrets)
        return noted.plain()

    def _kill(self) -> None:
        self.function.kill()

    def _jump(self, seconds: float) -> None:
        self._offset[:8] = struct.pack("d", seconds)

    def close(self) -> None:
        """End everything that runs."""
        self.function.end()
        self.front.close()
        self.site.stop()
        self._aws.stop()

    @property
    def service_deployment(self) -> ServiceDeployment:
        """What ECS itself deploys."""
        service = ecs_backends[ACCOUNT][REGION].services[f"{CLUSTER}:{SERVICE}"]
        return cast(StandInService, service).service_deployments[-1]

    def event(self) -> dict[str, Any]:
        """The event as the platform would send it anew: another execution, of which no task has run yet."""
        backend = ecs_backends[ACCOUNT][REGION]
        for arn, task in list(backend.tasks[CLUSTER].items()):
            if not str(task.started_by or "").startswith("ecs-svc/"):
                del backend.tasks[CLUSTER][arn]
        stopped = [arn for arn, task in backend.tasks[CLUSTER].items() if task.last_status == "STOPPED"]
        for arn in stopped[:-STOPPED]:  # a crash loop goes on as long as its lane, and ECS lists those of an hour
            del backend.tasks[CLUSTER][arn]
        backend.client_tokens.clear()  # type: ignore[attr-defined]  # the stand-in's
        self.stage.world.started.clear()
        self.stage.world.invocations.clear()
        self.function.lines.clear()
        self.profile.before_each(self.stage)
        if self.profile.by_ecs:
            return self.service_deployment.event()
        deployment = self.stage.deployment
        deployment.reports.clear()
        name = next(event.name for event in deployment.events if event.execution_id == self.stage._execution_id)
        execution_id = self.stage._execution_id = deployment.begin(name)
        return {"DeploymentId": deployment.deployment_id, "LifecycleEventHookExecutionId": execution_id}

    def play(
        self, plan: Plan | None, tries: int = 1, kill: tuple[int, str] | None = None, again: bool = False
    ) -> Story:
        """Deliver one event and its continuations; up to `tries` times if it fails, as Lambda does.

        `kill` the process at the manieth request, `before` or `after` it is answered. `again`: deliver the event once
        more when all is over.
        """
        event = self.event()
        deliveries: list[Delivery] = []
        self.front.begin(plan)
        self.front.killing = kill
        continued = 0
        seconds = self.profile.seconds * (3 if kill else 1)  # a death costs a cold start, and is not about time
        payload: Mapping[str, Any] = event
        left = tries
        while left:
            self._jump(0.0)  # a function's clock is right when its time begins
            delivery = self.function.deliver(payload, seconds)
            deliveries.append(delivery)
            left -= 1
            sent = self.stage.world.invocations[continued:]
            if delivery.result and delivery.result.get("hookStatus") == "IN_PROGRESS":
                # ECS merges it over what is configured, and here nothing is.
                payload, left = {**payload, "hookDetails": delivery.result["hookDetails"]}, tries
            elif delivery.result and delivery.result["status"] == "CONTINUED" and sent:
                continued += len(sent)
                payload, left = json.loads(sent[-1][1]), tries
            elif delivery.result:
                break
            elif left:
                time.sleep(PAUSES[tries - 1 - left])
        if again:
            deliveries.append(self.function.deliver(event, self.profile.seconds))
        seen = list(self.front.seen)
        self.front.begin(None)
        return self._story(deliveries, seen)

    def _story(self, deliveries: list[Delivery], seen: list[Seen]) -> Story:
        if self.profile.by_ecs:
            answers = [str((each.result or {}).get("hookStatus")) for each in deliveries]
            told = {"SUCCEEDED": "Succeeded", "FAILED": "Failed"}
            reports: list[tuple[str | None, str | None]] = [(told[each], None) for each in answers if each in told]
        else:
            reports = [(report.status, report.error) for report in self.stage.deployment.reports]
        tests, known = self._tasks_of(SMOKE_TEST), ecs_backends[ACCOUNT][REGION].tasks[CLUSTER]
        over = {arn for arn, task in known.items() if task.last_status == "STOPPED"}
        over.update(arn for arn, _ in self.stage.world.stopped)
        left = [arn.rpartition("/")[2] for arn in tests if arn not in over]
        errors, self.front.errors = self.front.errors, []
        return Story(deliveries, reports, seen, len(self._tasks_of(MIGRATE)), len(tests), left, errors)

    def _tasks_of(self, command: tuple[str, ...]) -> list[str]:
        """The tasks that were started with a command."""
        started = self.stage.world.started
        return [spec.task_arn for spec in started if any(c.command == command for c in spec.containers)]


def _as_judged(name: str) -> str:
    """Call a resource as where the policies are judged: in their region, and every task by one and the same number."""
    return re.sub(r"\b[0-9a-f]{32}\b", "0" * 32, plain_secret(name).replace(f":{REGION}:", f":{JUDGED_REGION}:"))
