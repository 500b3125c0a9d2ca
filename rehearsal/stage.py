"""The stage: one scratch folder, the stand-in, and the environment that Terraform applies to it, once.

Scenarios are then played in forked processes, each with its own copy of the applied state.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from moto.moto_api._internal import mock_random

from rehearsal import images
from rehearsal.aws import world
from rehearsal.aws.server import StandIn
from rehearsal.aws.world import TaskSpec
from rehearsal.machine import StagingWorld
from rehearsal.terraform import Progress, Terraform, TerraformFailed
from tools.terraform import terraform_environment

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build"
RUNS = BUILD / "rehearsal" / "runs"
ACCOUNT_ID = "123456789012"
REGION = "eu-central-1"

OF_THE_MODULE = ("*.tf", "modules/**/*.tf", "dist/*", "lambdas/**/*.py", "lambdas/**/*.json", "lambdas/*.txt")
"""The files of the module, as Terraform reads them."""


class StageError(Exception):
    """The stage could not be set; the message says why and the cure."""


def aws_environment(endpoint: str, region: str = REGION) -> dict[str, str]:
    """Return the environment variables by which any AWS client finds the stand-in at `endpoint`."""
    return {
        "AWS_ACCESS_KEY_ID": "rehearsal",
        "AWS_SECRET_ACCESS_KEY": "rehearsal",
        "AWS_SESSION_TOKEN": "rehearsal",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
    }


def client(service: str, endpoint: str, region: str = REGION) -> Any:
    """Return a boto3 client of the stand-in at `endpoint`, deaf to the caller's own AWS configuration."""
    return _session().client(service, region_name=region, endpoint_url=endpoint, config=Config(proxies={}))


@functools.cache
def _session() -> Any:
    """The session of all clients: it reads botocore's models of a service once, and forked processes inherit them."""
    return boto3.session.Session(
        aws_access_key_id="rehearsal",
        aws_secret_access_key="rehearsal",  # noqa: S106  (the stand-in asks for none)
        region_name=REGION,
    )


def scratch_folder() -> Path:
    """Make this run's scratch folder, and remove those of runs that are over.

    A run holds a lock on its folder for as long as it or one of its processes lives; the system lets go of it
    however the run ends.
    """
    RUNS.mkdir(parents=True, exist_ok=True)
    for left in RUNS.iterdir():
        lock = _try_lock(left)
        if lock is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(lock)
    folder = Path(tempfile.mkdtemp(dir=RUNS))
    (folder / "lock").touch()
    if _try_lock(folder) is None:
        raise StageError(f"{folder} could not be locked; is it on a file system without locks?")
    return folder


def _try_lock(folder: Path) -> int | None:
    """Lock a run's folder; return the descriptor that holds the lock, None while somebody else holds it."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        # Between the making of a folder and of its lock: young folders are somebody's.
        if time.time() - folder.stat().st_mtime < 60:
            return None
        return os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


@dataclass(frozen=True)
class Applied:
    """The environment as Terraform applied it."""

    outputs: Mapping[str, Any]
    tasks: tuple[TaskSpec, ...]
    """What runs in it, not started yet."""
    resources: int
    seconds: float


class Place:
    """A scratch folder and a stand-in to which a stack is applied; what is played in it is forked.

    Args:
        progress: told, in a line, what goes on.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.folder = scratch_folder()
        self.functions = self.folder / "functions"
        self.function_python = _function_python()
        self._children: list[Child] = []
        self._stand_in = StandIn()
        self._world = StagingWorld()

    def close(self) -> None:
        """Remove the scratch folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def fork(self, play: Callable[[], int]) -> Child:
        """Run `play` in a forked process with its own copy of the applied state; its result is the exit status.

        The process ends by itself when this one ends, of whatever cause.
        """
        sys.stdout.flush()
        sys.stderr.flush()
        held, hold = os.pipe()
        pid = os.fork()
        if pid:
            os.close(held)
            child = Child(pid, hold)
            self._children.append(child)
            return child
        code = 70
        try:
            # Those of the others too: who keeps one open keeps that other one from ending.
            for descriptor in (hold, *(child.hold for child in self._children if child.hold >= 0)):
                os.close(descriptor)
            os.setsid()  # a Ctrl-C reaches the parent, which lets go
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            _end_with(held)
            # Or every copy would give the same ids to what it creates.
            random.seed()
            mock_random.seed()
            code = play()
        except BaseException:  # noqa: BLE001  (whatever it is: told here, and the process ends)
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


class Stage(Place):
    """Where the rehearsal's own scenarios are played.

    Args:
        progress: told, in a line, what goes on.
        platform: who deploys the service, codedeploy or ecs.
    """

    def __init__(self, progress: Progress, platform: str = "codedeploy") -> None:
        super().__init__(progress)
        self._platform = platform
        self.images = self.folder / "images"

    def apply(self, plan_again: bool = False) -> Applied:
        """Apply the environment; with `plan_again`, prove that a second plan is empty.

        Raises:
            StageError: Terraform failed, or the second plan has changes.
        """
        began = time.monotonic()
        world.use(self._world)
        endpoint = self._stand_in.serve(threaded=False)
        try:
            images.build_all(self.images)
            terraform = Terraform(
                copy_module(self.folder / "module", "rehearsal/environment/*.tf") / "rehearsal" / "environment",
                terraform_variables(endpoint) | {"TF_VAR_platform": self._platform},
                self._progress,
            )
            terraform.init()
            if problems := terraform.apply():
                raise StageError("terraform apply failed:\n" + "\n".join(map(str, problems)))
            outputs = terraform.outputs()
            if plan_again:
                self._progress("planning a second time")
                terraform.require_empty_plan()
                self._progress("the second plan is empty")
            self._push_images(endpoint)
            self._prepare_database()
        except TerraformFailed as error:
            raise StageError(str(error)) from error
        finally:
            self._stand_in.stop()
        return Applied(outputs, tuple(self._world.specs.values()), terraform.resources, time.monotonic() - began)

    def _push_images(self, endpoint: str) -> None:
        ecr = client("ecr", endpoint)
        for tag in images.REVISIONS:
            ecr.put_image(repositoryName=images.REPOSITORY, imageTag=tag, imageManifest=images.manifest(tag))

    def _prepare_database(self) -> None:
        """Make the database as the release that serves before the first deployment left it."""
        root = self.images / "1.0.0"
        (root / "data").mkdir()
        command = [str(Path(sys.executable).with_name("alembic")), "upgrade", "head"]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise StageError(f"the database could not be prepared: {done.stderr}")
        with contextlib.closing(sqlite3.connect(root / "data" / "orders.db")) as connection:
            # So that readers and the one that writes need not wait for each other; the file keeps it.
            connection.execute("pragma journal_mode = wal")
        (root / "data").rename(self.folder / "database")

    def database(self, volume: Path) -> None:
        """Put a copy of the prepared database into a scenario's volume."""
        shutil.copytree(self.folder / "database", volume, dirs_exist_ok=True)


def copy_module(target: Path, *further: str) -> Path:
    """Copy this repository's module, and what `further` patterns name: Terraform writes beside what it reads."""
    for pattern in (*OF_THE_MODULE, *further):
        for path in ROOT.glob(pattern):
            copied = target / path.relative_to(ROOT)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copied)
    return target


def terraform_variables(endpoint: str) -> dict[str, str]:
    """Return the environment of a Terraform that knows no other AWS than the stand-in, and no credentials but its."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_VAR_", "TF_LOG", "TF_CLI_ARGS"))}
    return kept | terraform_environment() | aws_environment(endpoint)


@dataclass
class Child:
    """A forked process."""

    pid: int
    hold: int
    code: int | None = None

    def poll(self) -> int | None:
        """Return the exit status; None while the process runs."""
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._ended(status)
        return self.code

    def end(self) -> None:
        """Let go of the process and wait for its end."""
        if self.code is None:
            os.close(self.hold)
            self.hold = -1
            self._ended(os.waitpid(self.pid, 0)[1])

    def _ended(self, status: int) -> None:
        self.code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
        if self.hold >= 0:
            os.close(self.hold)
            self.hold = -1


def _end_with(held: int) -> None:
    """End this process when the other end of a pipe is closed; its own processes' leashes follow."""

    def wait() -> None:
        os.read(held, 1)
        os._exit(130)

    threading.Thread(target=wait, daemon=True).start()


def _function_python() -> Path:
    python = BUILD / "runtime" / "bin" / "python"
    if not python.exists():
        raise StageError(f"{python} does not exist: run `make setup`, which makes the environment of the functions")
    return python
