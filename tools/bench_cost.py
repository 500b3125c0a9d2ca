"""Measure what the hooks cost, beside a bare hook that only imports boto3 and reports.

    python tools/bench_cost.py [pairs]

The packaged functions run in awslambdaric. What AWS answers on a healthy deployment is recorded once from the stand-in
and then answered at once by a server in this process, so that the hooks' own work is measured and nobody else's. Cold
starts are taken in pairs, a bare one and then a hook's; the medians count. What a user chooses (pauses, the length
of a bake, how many samples are sent) is set to next to nothing. Then a state that becomes true while
validate_deployment waits for it: how long until it is seen? Missed goals are said and are no failure: tests judge.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
from moto import mock_aws

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "lambdas")]

from rehearsal.aws.install import install  # noqa: E402
from rehearsal.aws.server import StandIn  # noqa: E402
from rehearsal.aws.world import Exit  # noqa: E402
from rehearsal.functions import SITE  # noqa: E402
from rehearsal.processes import plain_environment  # noqa: E402
from rehearsal.runtime_api import Events, Invocation  # noqa: E402
from rehearsal.testing.stage import CLUSTER, SERVICE, Clock, Stage  # noqa: E402
from rehearsal.testing.web import Site  # noqa: E402

PYTHON = ROOT / ".build" / "runtime" / "bin" / "python"
REGION = "eu-west-1"
TIMEOUT = 60.0
SIGHTS = 12  # moments at which a state becomes true
WARM = 20  # warm invocations whose CPU time is averaged: the kernel counts it in small steps
REPORT = "CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus"
GB_SECOND = 0.0000166667  # US dollars, x86 in us-east-1
GOAL_RATIO, GOAL_WARM_MS, GOAL_MEMORY_MB = 1.5, 40.0, 128.0
GOAL_SEEN, GOAL_SEEN_LATEST = 2.0, 3.5  # seconds at the median and at worst: it looks every 3 s

BARE = """
import boto3
def handler(event, context):
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status="Succeeded",
    )
"""


@dataclass(frozen=True)
class Hook:
    """A hook, the event it is for, and settings without waits. `goal`: AWS calls to a first look.

    `typical`: seconds that it takes with the module's defaults, most of them waiting, for the figure of cost.
    """

    name: str
    event: str
    goal: int
    typical: float
    settings: Mapping[str, Any] = field(default_factory=dict)


NO_SAMPLES = {"samples": 0}  # they are paced, and come after a warm-up
NOBODY = {"checks": {"traffic": "skip"}}  # the stand-in counts no requests
HOOKS = (
    Hook("validate_before_install", "BeforeInstall", 15, 3),
    Hook("validate_deployment", "AfterInstall", 8, 6, {"interval": 0.001, "consecutive_successes": 1}),
    Hook("validate_test_traffic", "AfterAllowTestTraffic", 8, 2, NO_SAMPLES),
    Hook("run_migrations", "BeforeAllowTraffic", 8, 60, {"command": ["alembic", "upgrade", "head"], "interval": 0.001}),
    Hook(
        "validate_production",
        "AfterAllowTraffic",
        8,
        370,
        {"initial_delay": 0, "duration": 0.001, "interval": 0.001, "metrics_delay": 0, **NOBODY, **NO_SAMPLES},
    ),
)


class Aws(ThreadingHTTPServer):
    """Answers of the stand-in: recorded while `source` is set, given again in the same order afterwards."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _AwsHandler)
        self.source = ""
        self.answers: dict[str, list[tuple[int, list[tuple[str, str]], bytes]]] = {}
        self.taken: dict[str, int] = {}
        self.calls: list[tuple[str, bytes]] = []
        self.reported = 0.0
        self.healthy_from = 0.0
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self.server_port}"

    def begin(self, source: str = "") -> None:
        """Begin an invocation: to be recorded from `source`, else answered from the record."""
        self.source, self.calls, self.taken, self.reported = source, [], {}, 0.0
        if source:
            self.answers = {}

    def answer(
        self, key: str, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Answer one request."""
        self.calls.append((key, body))
        if key == REPORT:
            self.reported = time.monotonic()
        if self.source:
            found = _forward(self.source + path, method, headers, body)
            self.answers.setdefault(key, []).append(found)
            return found
        known = self.answers[key]
        number = self.taken[key] = self.taken.get(key, -1) + 1
        status, fields, content = known[min(number, len(known) - 1)]
        if key == "DescribeTargetHealth" and time.monotonic() < self.healthy_from:
            content = content.replace(b"<State>healthy<", b"<State>unhealthy<")
        return status, fields, content


class _AwsHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Aws

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        action = re.search(rb"(?:^|&)Action=(\w+)", body)
        key = self.headers.get("X-Amz-Target") or (action[1].decode() if action else f"{self.command} {self.path}")
        status, headers, content = self.server.answer(key, self.command, self.path, dict(self.headers.items()), body)
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    do_GET = do_POST = _any  # noqa: N815  (http.server's names)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (http.server's name)
        """Write no access log."""


def _forward(
    url: str, method: str, headers: Mapping[str, str], body: bytes
) -> tuple[int, list[tuple[str, str]], bytes]:
    kept = {name: value for name, value in headers.items() if name.lower() not in ("host", "content-length")}
    request = urllib.request.Request(url, data=body or None, headers=kept, method=method)  # noqa: S310  (loopback)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request) as answer:
            status, found, content = answer.status, answer.headers.items(), answer.read()
    except urllib.error.HTTPError as problem:
        status, found, content = problem.code, problem.headers.items(), problem.read()
    dropped = ("content-length", "transfer-encoding", "connection", "server", "date")
    return status, [(name, value) for name, value in found if name.lower() not in dropped], content


def invoke(api: Events, event: Mapping[str, str]) -> dict[str, Any]:
    """Hand out an event and wait for what the function returns."""
    payload = json.dumps(event).encode()
    api.hand_out(Invocation(str(uuid.uuid4()), "arn:bench", payload, deadline_ms=int(TIMEOUT * 1000)))
    outcome = api.outcomes.get(timeout=TIMEOUT)
    if outcome.error:
        raise RuntimeError(outcome.payload.decode())
    return json.loads(outcome.payload) or {}


@dataclass
class Run:
    """One process of a function: seconds from its start to the report, and what it used then."""

    seconds: float
    memory_mb: float
    result: dict[str, Any]
    warm_ms: float = 0.0


class Bench:
    """The functions, unpacked; what they ask, and who answers."""

    def __init__(self, folder: Path, aws: Aws) -> None:
        self.folder, self.aws, self.names = folder, aws, folder / "names.json"
        self._unpack("layer", folder / "opt")
        (folder / "bare").mkdir()
        (folder / "bare" / "bare.py").write_text(BARE)
        for hook in HOOKS:
            self._unpack(hook.name, folder / hook.name)

    def _unpack(self, package: str, target: Path) -> None:
        with zipfile.ZipFile(ROOT / "dist" / f"{package}.zip") as archive:
            archive.extractall(target)

    def run(self, name: str, event: Mapping[str, str], settings: Mapping[str, Any], *, warm: int = 0) -> Run:
        """Start a function's process and let it handle an event, and then `warm` further times."""
        api, task = Events(), self.folder / name
        environment = plain_environment(
            PYTHONPATH=f"{SITE}:{task}:{self.folder / 'opt' / 'python'}",
            AWS_LAMBDA_RUNTIME_API=api.address,
            AWS_LAMBDA_FUNCTION_NAME=name,
            AWS_LAMBDA_FUNCTION_VERSION="$LATEST",
            AWS_LAMBDA_FUNCTION_MEMORY_SIZE="512",
            AWS_LAMBDA_LOG_FORMAT="JSON",
            LAMBDA_TASK_ROOT=str(task),
            AWS_EXECUTION_ENV="AWS_Lambda_python",
            AWS_ACCESS_KEY_ID="bench",
            AWS_SECRET_ACCESS_KEY="bench",  # noqa: S106  (nobody asks for it)
            AWS_REGION=REGION,
            AWS_DEFAULT_REGION=REGION,
            AWS_ENDPOINT_URL=self.aws.url,
            NO_PROXY="127.0.0.1",
            REHEARSAL_NAMES=str(self.names),
            APP_NAME="shop",
            ENVIRONMENT="bench",
            ECS_CLUSTER=CLUSTER,
            ECS_SERVICE=SERVICE,
            HOOK_SETTINGS=json.dumps(settings),
        )
        began = time.monotonic()
        process = subprocess.Popen(
            [str(PYTHON), "-m", "awslambdaric", f"{name}.handler"],
            cwd=task,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            result = invoke(api, event)
            found = Run(self.aws.reported - began, _peak_mb(process.pid), result)
            if warm:
                before = _cpu_ms(process.pid)
                for _ in range(warm):
                    self.aws.begin()
                    invoke(api, event)
                found.warm_ms = (_cpu_ms(process.pid) - before) / warm
            return found
        finally:
            process.kill()
            process.wait()
            api.close()


def _peak_mb(pid: int) -> float:
    """The most memory that a process has held at once."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def _cpu_ms(pid: int) -> float:
    """CPU time of a process so far, of its threads that have ended too."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def healthy() -> Iterator[Stage]:
    """A healthy environment on moto, in this process."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_DEFAULT_REGION": REGION}
    install()
    with mock_aws():
        stage = Stage(Clock())
        stage.create_hooks()
        stage.world.exits[("alembic", "upgrade", "head")] = Exit(0)
        yield stage


@dataclass(frozen=True)
class Row:
    """The figures of one hook. `first`: its different AWS calls; `calls`: those that it makes again too."""

    hook: Hook
    cold: float
    ratio: float
    warm_ms: float
    first: int
    calls: int
    memory_mb: float
    package_kb: float

    def line(self) -> str:
        """The figures, in the columns of the table."""
        name, milliseconds = self.hook.name, self.cold * 1000
        return (
            f"{name:<24}{milliseconds:>8.0f}{self.ratio:>8.2f}{self.warm_ms:>9.0f}{self.first:>13}{self.calls:>8}"
            f"{self.memory_mb:>10.0f}{self.package_kb:>9.0f}"
        )


def measure(bench: Bench, hook: Hook, site: Site, pairs: int) -> tuple[Row, list[float], list[float]]:
    """Record a hook's calls on a healthy deployment, then measure it beside the bare one.

    Returns its figures, the seconds of the bare one's starts, and those of what it waited for until it saw it.
    """
    aws = bench.aws
    with healthy() as stage, StandIn() as stand_in:
        bench.names.write_text(json.dumps({f"{stage.dns_name}:{port}": site.port for port in (80, 8080)}))
        event = stage.at(hook.event)
        aws.begin(stand_in.url)
        first = bench.run(hook.name, event, hook.settings).result
    if first.get("status") != "SUCCEEDED":
        raise RuntimeError(f"{hook.name} is not healthy: {first.get('message')}")
    calls = [call for call in aws.calls if call[0] != REPORT]
    cold, ratios, bare, memory = [], [], [], 0.0
    for _ in range(pairs):
        aws.begin()
        bare.append(bench.run("bare", event, {}).seconds)
        aws.begin()
        run = bench.run(hook.name, event, hook.settings)
        if run.result.get("status") != "SUCCEEDED":
            raise RuntimeError(f"{hook.name} did not succeed: {run.result.get('message')}")
        cold.append(run.seconds)
        ratios.append(run.seconds / bare[-1])
        memory = max(memory, run.memory_mb)
    aws.begin()
    warm = bench.run(hook.name, event, hook.settings, warm=WARM)
    row = Row(
        hook,
        statistics.median(cold),
        statistics.median(ratios),
        warm.warm_ms,
        len(set(calls)),
        len(calls),
        max(memory, warm.memory_mb),
        (ROOT / "dist" / f"{hook.name}.zip").stat().st_size / 1024,
    )
    return row, bare, sights(bench, event) if hook.name == "validate_deployment" else []


def sights(bench: Bench, stage_event: Mapping[str, str]) -> list[float]:
    """Seconds from the moment at which green becomes healthy to validate_deployment's report of it."""
    found = []
    for number in range(SIGHTS):
        bench.aws.begin()
        bench.aws.healthy_from = time.monotonic() + 4 + number / SIGHTS
        run = bench.run("validate_deployment", stage_event, {"consecutive_successes": 1})
        if run.result.get("status") != "SUCCEEDED":
            raise RuntimeError(f"validate_deployment did not see it: {run.result.get('message')}")
        found.append(bench.aws.reported - bench.aws.healthy_from)
    bench.aws.healthy_from = 0.0
    return found


def main() -> None:
    """Measure and print."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    site = Site()
    with tempfile.TemporaryDirectory() as scratch:
        aws = Aws()
        bench = Bench(Path(scratch), aws)
        rows, bare, seen = [], [], []
        for hook in HOOKS:
            row, starts, delays = measure(bench, hook, site, pairs)
            rows.append(row)
            bare += starts
            seen += delays
        aws.shutdown()
    site.stop()
    report(rows, statistics.median(bare), seen)


def report(rows: list[Row], bare: float, seen: list[float]) -> None:
    """Print the table and what is missed."""
    print(f"bare hook: {bare * 1000:.0f} ms from the start of its process to its report (median)\n")
    print(f"{'':<24}{'cold ms':>8}{'/ bare':>8}{'warm ms':>9}{'first calls':>13}{'in all':>8}{'peak MB':>10}{'KB':>9}")
    missed = []
    for row in rows:
        print(row.line())
        for word, found, goal in (
            ("times the bare cold start", row.ratio, GOAL_RATIO),
            ("ms of CPU warm", row.warm_ms, GOAL_WARM_MS),
            ("AWS calls at the first look", row.first, row.hook.goal),
            ("MB", row.memory_mb, GOAL_MEMORY_MB),
        ):
            if found > goal:
                missed.append(f"{row.hook.name}: {found:.4g} {word}, goal {goal:g}")
    waiter = boto3.client("ecs", region_name=REGION).get_waiter("services_stable").config.delay
    print(f"\nvalidate_deployment sees what has become true after {statistics.median(seen):.1f} s (median), ", end="")
    print(f"{max(seen):.1f} s (worst of {len(seen)}); `aws ecs wait services-stable` looks every {waiter} s")
    if statistics.median(seen) > GOAL_SEEN or max(seen) > GOAL_SEEN_LATEST:
        missed.append(
            f"validate_deployment: seen late, goal {GOAL_SEEN} s at the median, {GOAL_SEEN_LATEST} s at worst"
        )
    seconds = sum(row.hook.typical + row.cold for row in rows)
    for size in (256, 512):
        print(
            f"\nA deployment of {seconds:.0f} s of hooks at {size} MB: {seconds * size / 1024:.0f} GB-seconds, ", end=""
        )
        print(f"${seconds * size / 1024 * GB_SECOND:.4f}", end="")
    print("\n\n" + ("Missed:\n  " + "\n  ".join(missed) if missed else "Every goal is met."))


if __name__ == "__main__":
    main()
