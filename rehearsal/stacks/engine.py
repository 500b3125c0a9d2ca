"""Applies a stack of somebody else to the stand-in, and finds in it what is deployed and by whom."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.aws import world
from rehearsal.aws.referred import Referred
from rehearsal.aws.world import TaskSpec
from rehearsal.stacks.copying import FOUND, Copy
from rehearsal.stacks.left_out import GATING, NOT_THERE, LeftOut
from rehearsal.stacks.reading import Source, StackError, read
from rehearsal.stacks.services import Service, prepare_services
from rehearsal.stage import Place, aws_environment, client, copy_module
from rehearsal.terraform import Problem, Progress, Terraform, TerraformFailed
from tools.terraform import terraform_environment

ROUNDS = 8
"""How often it is tried anew without what was refused."""

_DOMAIN = re.compile(
    r"\"((?:\*\.)?(?:[a-z0-9-]+\.)+(?:com|net|org|io|dev|app|cloud|co|eu|de|uk|internal|example|test))\.?\""
)
_PORT_LOOKED_UP = re.compile(r"^\s*port\s*=\s*(\d+)", re.MULTILINE)
NOBODY = "http://127.0.0.1:9"
"""The proxy of whoever would call another address than loopback: the port on which nobody listens."""

VARIABLES_CURE = "VARS=file names a file of values (*.tfvars) for the variables that have no default"


@dataclass(frozen=True)
class Applied:
    """A stack as it was applied."""

    services: tuple[Service, ...]
    tasks: tuple[TaskSpec, ...]
    """What runs in it, not started yet."""
    resources: int
    seconds: float
    left_out: tuple[LeftOut, ...]
    referred: tuple[str, ...]
    """What the stack refers to, and somebody else makes: put there as ordinary as can be."""
    notes: tuple[str, ...]


class StackStage(Place):
    """Where deployments of a stack are played.

    Args:
        root: the folder of the root module.
        variables: a file of values, or None.
        progress: told, in a line, what goes on.
    """

    def __init__(self, root: Path, variables: Path | None, progress: Progress) -> None:
        super().__init__(progress)
        if variables is not None and not variables.is_file():
            raise StackError(f"VARS is {variables}, which is no file")
        self.root, self._variables = root, variables

    def apply(self) -> Applied:
        """Apply a copy of the stack; raises StackError with what is wrong, and the cure."""
        began = time.monotonic()
        source = read(self.root)
        copy = Copy(source, self.folder / "stack", copy_module(self.folder / "module"), dict(NOT_THERE))
        world.use(self._world)
        endpoint = self._stand_in.serve(threaded=False)
        try:
            with Referred(*_looked_up(source)) as referred:
                terraform = self._applied(copy, endpoint)
                found = terraform.outputs()[FOUND]
                services = prepare_services(
                    lambda service, region: client(service, endpoint, region),
                    list(_hooks(found)),
                    list(_natives(found)),
                )
        except TerraformFailed as error:
            raise StackError(str(error)) from error
        finally:
            self._stand_in.stop()
        return Applied(
            tuple(services),
            tuple(self._world.specs.values()),
            terraform.resources,
            time.monotonic() - began,
            tuple(copy.left_out),
            tuple(referred.notes),
            tuple(copy.notes),
        )

    def _applied(self, copy: Copy, endpoint: str) -> Terraform:
        """Apply, and again without what was refused, until all that is left is there."""
        copy.write()
        Terraform(copy.root, _open_environment(), self._progress).init()
        further = [f"-var-file={self._variables.resolve()}"] if self._variables else []
        terraform = Terraform(copy.root, self._sealed_environment(endpoint), self._progress, further)
        for _ in range(ROUNDS):
            problems = terraform.apply()
            if not problems:
                return terraform
            refused = {problem.type: problem for problem in problems if _may_be_left_out(problem)}
            fatal = [problem for problem in problems if not _may_be_left_out(problem)]
            if not refused or set(refused) <= copy.reasons.keys():
                raise StackError(_told(fatal or problems))
            for kind, problem in refused.items():
                copy.reasons[kind] = f"the stand-in refuses it ({_short(problem.said)})"
                self._progress(f"without {kind}: {_short(problem.said)}")
            copy.write()
            terraform.forget(list(refused))
        raise StackError(_told(problems))

    def _sealed_environment(self, endpoint: str) -> dict[str, str]:
        """An environment from which no other AWS, no credentials and no address but loopback can be found."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        nothing = home / "nothing"
        nothing.touch()
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NOBODY)
        files = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), str(nothing))
        return kept | proxies | files | terraform_environment() | aws_environment(endpoint) | {"HOME": str(home)}


def _open_environment() -> dict[str, str]:
    """The environment of `terraform init`, which may have to fetch the provider: the user's, without AWS."""
    taken = ("AWS_", "TF_VAR_", "TF_LOG", "TF_CLI_ARGS", "TF_DATA_DIR", "TF_WORKSPACE", "GOOGLE_", "ARM_", "VAULT_")
    return {k: v for k, v in os.environ.items() if not k.startswith(taken)} | terraform_environment()


def _may_be_left_out(problem: Problem) -> bool:
    kind = problem.type
    return bool(kind) and kind not in GATING and "aws_iam" not in kind


def _told(problems: list[Problem]) -> str:
    lines = list(dict.fromkeys(map(str, problems)))
    if any("No value for required variable" in line for line in lines):
        lines.append(VARIABLES_CURE)
    return "the stack cannot be applied:\n" + "\n".join(f"  {line}" for line in lines)


def _short(said: str) -> str:
    line = " ".join(said.split())
    inner = re.search(r"(?:api error )?(\w+: the stand-in .*|api error .*)$", line)
    return (inner[1] if inner else line)[:160]


def _looked_up(source: Source) -> tuple[list[str], list[int], set[str]]:
    """The names and ports that stand in the stack's files, for what is looked up by them, and the types of it."""
    texts = [text for folder in source.folders.values() for text in folder.texts.values()]
    texts += [path.read_text(encoding="utf-8") for path in source.root.glob("*.tfvars")]
    domains = [match[1] for text in texts for match in _DOMAIN.finditer(text) if "amazonaws" not in match[1]]
    ports = [80, 443]
    for folder in source.folders.values():
        for name, block in folder.blocks("data"):
            if block.labels[0] in ("aws_lb_listener", "aws_alb_listener"):
                found = _PORT_LOOKED_UP.search(folder.texts[name], block.start, block.end)
                ports += [int(found[1])] if found else []
    types = {block.labels[0] for folder in source.folders.values() for _, block in folder.blocks("data")}
    return list(dict.fromkeys(domains)), list(dict.fromkeys(ports)), types


def _hooks(found: Any) -> Iterator[Mapping[str, Any]]:
    """Every call of this repository's module: its outputs."""
    if isinstance(found, dict):
        if "appspec_hooks" in found and "function_names" in found:
            yield found
            return
        found = list(found.values())
    if isinstance(found, list):
        for each in found:
            yield from _hooks(each)


def _natives(found: Any) -> Iterator[Mapping[str, Any]]:
    """Every service whose settings need a newer provider: those settings."""
    for each in found.get("services") or []:
        yield each
    for instances in found.get("inside") or []:
        for each in instances:
            yield from _natives(each)
