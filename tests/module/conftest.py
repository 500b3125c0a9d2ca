"""Terraform for the module's tests: the real provider, offline, in a folder of its own for each stack."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from moto.moto_api._internal.models import moto_api_backend
from moto.server import ThreadedMotoServer

from tools.offline import ACCOUNT, INPUTS, ROOT, TASK_DEFINITIONS, Terraform, offline, write_stack

__all__ = ["ACCOUNT", "INPUTS", "ROOT", "TASK_DEFINITIONS", "Terraform", "offline", "write_stack"]


def copy_module(folder: Path) -> Path:
    """Copy what a module's user gets into a folder; return the folder."""
    folder.mkdir(parents=True)
    for path in ROOT.glob("*.tf"):
        shutil.copy(path, folder)
    for name in ("lambdas", "dist", "modules"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def plain(text: str) -> str:
    """Return what Terraform says without its frames and line breaks: messages are wrapped to a terminal's width."""
    return re.sub(r"[\s│╷╵]+", " ", text)


@contextmanager
def lasting_provider(terraform: Terraform, folder: Path) -> Iterator[Mapping[str, str]]:
    """Start the provider once for many commands of Terraform; yield the variable that has them use it.

    It is the provider's own way for debuggers: each command would start it anew, which costs half of a plan. What the
    provider takes from its environment is that of its start.
    """
    write_stack(folder, ROOT, {})
    terraform.init(folder)
    (program,) = folder.glob(".terraform/providers/*/*/aws/*/*/terraform-provider-aws*")
    command = [str(program), "-debug"]
    environment = {**terraform.environment, "TF_LOG": "OFF"}
    with subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as provider:
        try:
            assert provider.stdout
            said = (line.strip() for line in provider.stdout)
            variable = next(line for line in said if line.startswith("TF_REATTACH_PROVIDERS="))
            name, _, value = variable.partition("=")
            yield {name: value.strip("'")}
        finally:
            provider.kill()


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terraform]:
    """Terraform, offline, with one process of the provider for all commands, which `environment` names."""
    with offline() as terraform, lasting_provider(terraform, tmp_path_factory.mktemp("provider")) as variable:
        yield Terraform({**terraform.environment, **variable})


@pytest.fixture
def terraform_on_moto(terraform: Terraform) -> Iterator[Terraform]:
    """Terraform on an empty moto, where it can apply, with a provider of its own."""
    server = ThreadedMotoServer("127.0.0.1", 0)
    moto_api_backend.reset()  # it is this process's, whose other tests may have left something
    server.start()
    try:
        endpoint = "http://{}:{}".format(*server.get_host_and_port())
        theirs = dict.fromkeys(("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_ECS"), endpoint)
        with_own_provider = {"TF_REATTACH_PROVIDERS": "", "AWS_MAX_ATTEMPTS": "2"}
        yield Terraform({**terraform.environment, **theirs, **with_own_provider})
    finally:
        server.stop()
        moto_api_backend.reset()


@pytest.fixture(scope="module")
def stack(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stack with the module, initialised; a test writes its own inputs into it."""
    folder = tmp_path_factory.mktemp("stack")
    write_stack(folder, ROOT, {})
    terraform.init(folder)
    return folder
