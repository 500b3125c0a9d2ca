"""Lambda's side of the world: runs a function's package as Lambda does, in AWS's runtime interface client.

The package is fetched from the stand-in (zip, layers, handler, environment), laid out as /var/task and /opt would be,
and run by `python -m awslambdaric` in an environment that has what AWS's image has. Every invocation is a cold start.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tempfile
import threading
import time
import uuid
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from rehearsal.aws.awslambda import FunctionPackage, code_of
from rehearsal.containers import LogSink
from rehearsal.processes import Process, plain_environment
from rehearsal.runtime_api import Invocation, Outcome, RuntimeApi

SITE = Path(__file__).with_name("runtime") / "site"


def resolver(names: Path) -> dict[str, str]:
    """Return the variables by which Python resolves what is in the file `names`, as inside the VPC."""
    return {"PYTHONPATH": str(SITE), "REHEARSAL_NAMES": str(names)}


RETRY_DELAYS = (1.0, 2.0)
"""Seconds before the second and the third try of a failed asynchronous invocation (60 and 120 on Lambda)."""


@dataclass
class Attempt:
    """One run of a function."""

    function_name: str
    payload: bytes
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: float = field(default_factory=time.time)
    seconds: float = 0.0
    result: bytes | None = None
    """What the function returned, JSON; None if it raised, died or timed out."""
    error: str | None = None
    """What Lambda says of a run that failed."""
    log: list[str] = field(default_factory=list)


class Functions:
    """Lambda.

    Args:
        folder: where packages are unpacked; several processes may share it.
        python: the interpreter that plays the runtime.
        names: file of the load balancer's names, for the functions' resolver.
        aws: environment variables by which a function reaches AWS.
        log: takes what the functions write.
    """

    def __init__(self, folder: Path, python: Path, names: Path, aws: Mapping[str, str], log: LogSink) -> None:
        self._folder = folder
        self._python = python
        self._names = names
        self._aws = dict(aws)
        self._log = log
        self._lock = threading.Lock()
        self._running: set[Process] = set()
        self._events: list[threading.Thread] = []
        self.attempts: list[Attempt] = []
        """Every run, in the order in which they started."""

    def invoke(
        self, function_arn: str, payload: bytes, invocation_type: str, request_id: str
    ) -> tuple[int, bytes, str | None]:
        """Do what Invoke does: at once with RequestResponse, in the background, with two retries, with Event."""
        if invocation_type == "DryRun":
            return 204, b"", None
        if invocation_type == "Event":
            thread = threading.Thread(target=self._with_retries, args=(function_arn, payload, request_id), daemon=True)
            self._events.append(thread)
            thread.start()
            return 202, b"", None
        attempt = self._run(function_arn, payload, request_id)
        if attempt.error is None:
            return 200, attempt.result or b"null", None
        return 200, attempt.result or json.dumps({"errorMessage": attempt.error}).encode(), "Unhandled"

    def wait(self) -> None:
        """Wait until no event is being worked on: retries, and what functions have invoked, included."""
        for thread in self._events:  # grows meanwhile
            thread.join()

    def end(self) -> None:
        """End every function that runs."""
        for process in list(self._running):
            process.end()

    def _with_retries(self, function_arn: str, payload: bytes, request_id: str) -> None:
        # The id is the same at every try, as on Lambda.
        for delay in (0.0, *RETRY_DELAYS):
            time.sleep(delay)
            if self._run(function_arn, payload, request_id).error is None:
                return

    def _run(self, function_arn: str, payload: bytes, request_id: str) -> Attempt:
        package = code_of(function_arn)
        attempt, as_json = Attempt(package.function_name, payload, request_id), package.log_format == "JSON"
        self.attempts.append(attempt)
        task, opt = self._unpack(package)
        began = time.monotonic()
        deadline_ms = int((time.time() + package.timeout) * 1000)
        api = RuntimeApi(Invocation(attempt.request_id, function_arn, payload, deadline_ms))
        stream = datetime.now(timezone.utc).strftime("%Y/%m/%d/[$LATEST]") + uuid.uuid4().hex

        def written(line: str) -> None:
            attempt.log.append(line)
            self._log(function_arn, package.log_group, stream, [line])

        process = Process(
            [str(self._python), "-m", "awslambdaric", package.handler],
            folder=task,
            environment=self._environment(package, task, opt, api, stream),
            on_line=written,
        )
        self._running.add(process)
        try:
            outcome = _await(api, process, package.timeout)
        finally:
            process.end()
            process.wait(5)
            self._running.discard(process)
            api.close()
        attempt.seconds = time.monotonic() - began
        if outcome is not None and not outcome.error:
            attempt.result = outcome.payload
        elif outcome is not None:
            attempt.error = _error_text(outcome.payload)
        elif attempt.seconds >= package.timeout:
            attempt.error = f"{attempt.request_id} Task timed out after {package.timeout:.2f} seconds"
        else:
            attempt.error = f"RequestId: {attempt.request_id} Error: Runtime exited without providing a reason"
        if attempt.error and outcome is None:
            timed_out = attempt.seconds >= package.timeout
            written(_report_of(attempt, "timeout" if timed_out else "error") if as_json else attempt.error)
        return attempt

    def _unpack(self, package: FunctionPackage) -> tuple[Path, Path]:
        with self._lock:
            task = _unzipped([package.zip_bytes], self._folder / "task")
            return task, _unzipped(package.layer_zips, self._folder / "opt")

    def _environment(
        self, package: FunctionPackage, task: Path, opt: Path, api: RuntimeApi, stream: str
    ) -> dict[str, str]:
        path = [str(SITE), str(task), str(opt / "python")]
        lambda_sets = {
            # Its own, as on Lambda: by it the stand-in knows whose call it is.
            "AWS_ACCESS_KEY_ID": package.function_name,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{package.runtime}",
            "AWS_LAMBDA_FUNCTION_NAME": package.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(package.memory_size),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": package.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "AWS_LAMBDA_LOG_FORMAT": package.log_format,
            "AWS_LAMBDA_LOG_LEVEL": package.log_level or "INFO",
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "LAMBDA_TASK_ROOT": str(task),
            "LAMBDA_RUNTIME_DIR": str(SITE),
            "_HANDLER": package.handler,
            "TZ": ":UTC",
            "PYTHONPATH": ":".join(path),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "",  # unlike on Lambda: what one run has compiled the next need not
            "REHEARSAL_NAMES": str(self._names),
        }
        return plain_environment() | self._aws | dict(package.environment) | lambda_sets


def _await(api: RuntimeApi, process: Process, timeout: float) -> Outcome | None:
    """Wait for the answer, the process's end, or the function's time-out, whichever comes first."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        outcome = api.wait(0.05)
        if outcome is not None:
            return outcome
        if process.exit_code() is not None:
            return api.wait(0.2)
    return None


def _report_of(attempt: Attempt, status: str) -> str:
    """Return Lambda's own line on an invocation, as it is in a log of format JSON (user guide, Telemetry API)."""
    metrics = {"durationMs": round(attempt.seconds * 1000, 3)}
    record = {"requestId": attempt.request_id, "metrics": metrics, "status": status}
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    return json.dumps({"time": now.replace("+00:00", "Z"), "type": "platform.report", "record": record})


def _unzipped(archives: Sequence[bytes], folder: Path) -> Path:
    """Unpack archives over each other into a folder named by their content; return it."""
    key = hashlib.sha256(b"".join(hashlib.sha256(archive).digest() for archive in archives)).hexdigest()[:16]
    target = folder / key
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=folder))
        for archive in archives:
            with zipfile.ZipFile(io.BytesIO(archive)) as packed:
                packed.extractall(unfinished)
        try:
            unfinished.rename(target)
        except OSError:  # another process was quicker
            shutil.rmtree(unfinished)
    return target


def _error_text(payload: bytes) -> str:
    try:
        error = json.loads(payload)
        return f"{error['errorType']}: {error['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return payload.decode(errors="replace")
