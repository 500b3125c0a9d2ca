"""The migration's command reaches the program as it is written, whatever entry point ECS adds it to."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import run_migrations as hook
from gate.options import RunMigrations
from gate.settings import entries
from gate.tasks import command_after
from gate.verdict import CannotLook

from rehearsal.aws.world import Exit
from tests.unit.handlers.stage import CLUSTER, SERVICE, Judge, Stage

SAYS = "import json, sys; print(json.dumps(sys.argv[1:]))"
WORDS = ["migrate", "--noinput", "two words", "it's", "$HOME", "*", ""]
ENTRY_POINTS = [
    [],
    ["sh", "-c"],
    ["/bin/sh", "-c"],
    ["bash", "-euo", "pipefail", "-c"],
    ["bash", "-ec"],
    ["env", "sh", "-c"],
    ["sh", "-c", 'exec "$@"', "--"],
    ["sh", "-c", 'exec "$@"'],
    ["sh", "-ec", 'true && "$@"'],
    ["env"],
    ["env", "A=b"],
    ["env", "A=b", "sh", "-c"],
    ["bash", "-lc"],
    ["bash", "--norc", "-c"],
    ["bash", "-ceuo", "pipefail"],
    ["sh", "-c", "--"],
    ["sh", "-c", "-e"],
    ["sh"],
    ["bash", "--norc"],
    ["sh", "-c", 'exec "$0" "$@"'],
    ["sh", "-c", 'exec "${@}"', "--"],
    ["sh", "-c", 'echo "runs $*" >&2; exec "$@"', "--"],
    ["sh", "-c", 'A=b exec "$@" 2>&1', "--"],
    ["sh", "-c", 'if [ $# -gt 0 ]; then exec "$@"; fi; exec false', "--"],
    ["sh", "-c", 'if [ $# -gt 0 ]; then "$@"; fi', "--"],
    ["sh", "-c", '"$@" || exit 3', "--"],
    ["sh", "-c", '"$@"; exit $?', "--"],
    ["sh", "-ec", '"$@"; true', "--"],
    ["bash", "-o", "pipefail", "-c", '"$@" 2>&1 | cat', "--"],
]


@pytest.mark.parametrize("entry_point", ENTRY_POINTS, ids=" ".join)
def test_a_real_process_gets_the_words_as_they_are_written(entry_point: Sequence[str]) -> None:
    """ECS appends the command to the entry point: so does this."""
    command = [sys.executable, "-c", SAYS, *WORDS]
    run = subprocess.run(
        [*entry_point, *command_after(entry_point, command)], capture_output=True, text=True, check=True
    )
    assert json.loads(run.stdout) == WORDS


@pytest.mark.parametrize(
    ("entry_point", "command", "told"),
    [
        (["python", "manage.py"], ["python", "manage.py", "migrate", "--check"], ["migrate", "--check"]),
        (["alembic"], ["alembic", "upgrade", "head"], ["upgrade", "head"]),
        (["alembic"], ["alembic"], ["alembic"]),
        (["sh", "-c"], ["sh", "-c", "alembic upgrade head && true"], ["alembic upgrade head && true"]),
        (["docker-entrypoint.sh"], ["alembic", "upgrade", "head"], ["alembic", "upgrade", "head"]),
        (["tini", "--", "sh", "-c"], ["alembic", "upgrade", "head"], ["alembic upgrade head"]),
        (["sh", "wrapper.sh"], ["alembic", "upgrade", "head"], ["alembic", "upgrade", "head"]),
        (["sh", "wrapper.sh", "-x"], ["alembic", "upgrade", "head"], ["alembic", "upgrade", "head"]),
        (["dumb-init", "--"], ["alembic", "upgrade", "head"], ["alembic", "upgrade", "head"]),
        (["dumb-init", "--", "/bin/bash", "-c"], ["alembic", "upgrade", "head"], ["alembic upgrade head"]),
        (["su", "-s", "/bin/sh", "app", "-c"], ["alembic", "upgrade", "head"], ["alembic upgrade head"]),
        (["sh", "-c"], ["alembic upgrade head && true"], ["alembic upgrade head && true"]),
        (["sh"], ["-c", "alembic upgrade head"], ["-c", "alembic upgrade head"]),
        (["sh"], ["migrate.sh", "head"], ["migrate.sh", "head"]),
        (["powershell", "-Command"], ["python", "manage.py", "it's"], ["& 'python' 'manage.py' 'it''s'"]),
        (["C:\\Windows\\pwsh.exe", "-NoLogo", "-c"], ["python", "a b"], ["& 'python' 'a b'"]),
        (["cmd", "/S", "/C"], ["python", "manage.py", "migrate"], ["python", "manage.py", "migrate"]),
    ],
)
def test_what_ecs_is_told(entry_point: list[str], command: list[str], told: list[str]) -> None:
    assert command_after(entry_point, command) == told


@pytest.mark.parametrize(
    "script",
    [
        "exec gunicorn shop:app",
        "python manage.py migrate",
        "exec $0",
        "echo $@; exec gunicorn shop:app",
        "echo $*",
        'ARGUMENTS="$*"; true',
        'export ARGUMENTS="$*" && true',
        'for each in "$@"; do echo $each; done',
        '[ -n "$*" ] && true',
        "# runs $@\ntrue",
    ],
)
def test_a_script_that_does_not_run_the_command_is_refused(script: str) -> None:
    with pytest.raises(CannotLook, match=r'has a script of its own.*let the script end with exec "\$@"'):
        command_after(["sh", "-c", script], ["alembic", "upgrade", "head"])


@pytest.mark.parametrize(
    "script",
    ['"$@" || true', '"$@"; exit 0', '"$@"\necho done', '"$@" 2>&1 | tee /tmp/log', 'exec "$@" | cat', '"$@" &'],
)
def test_a_script_that_hides_how_the_command_ended_is_refused(script: str) -> None:
    """It would end with 0 though the migration had failed."""
    with pytest.raises(CannotLook, match="or hides how it ended"):
        command_after(["sh", "-c", script, "--"], ["alembic", "upgrade", "head"])


@pytest.mark.parametrize(
    ("entry_point", "refused"),
    [
        (["python", "-c", "import shop"], True),
        (["/usr/local/bin/python3.12", "-u", "-c", "import shop"], True),
        (["tini", "--", "node", "-e", "require('./shop')"], True),
        (["python", "-c", "import os, sys; os.execvp(sys.argv[1], sys.argv[1:])"], False),
        (["python", "-m", "shop.run"], False),
        (["node", "run.js", "-e", "x"], False),
        (["node"], False),
    ],
)
def test_a_script_for_another_interpreter(entry_point: list[str], refused: bool) -> None:
    """It ends as it likes, with the command among its arguments."""
    command = ["alembic", "upgrade", "head"]
    if refused:
        with pytest.raises(CannotLook, match="has a script of its own, which does not run the command"):
            command_after(entry_point, command)
    else:
        assert command_after(entry_point, command) == command


def test_behind_a_shell_the_migration_is_one_word(stage: Stage, judge: Judge) -> None:
    """Of four words the shell would run the first alone, which exits 0: nothing would be migrated."""
    stage.green_definition = stage.register(entryPoint=["sh", "-c"])
    verify = ["python", "manage.py", "migrate", "--check"]
    judgement = judge(
        hook,
        stage.at("BeforeAllowTraffic"),
        command=["python", "manage.py", "migrate", "--noinput"],
        verify_schema_command=verify,
    )
    assert judgement.succeeded
    told = [call["overrides"]["containerOverrides"][0]["command"] for call in stage.called("ecs:RunTask")]
    assert told == [["python manage.py migrate --noinput"], ["python manage.py migrate --check"]]
    assert judgement.check("migrate") == ("passed", "migrate (python manage.py migrate --noinput): exit 0")


def test_a_command_that_would_not_run_is_an_error_and_starts_nothing(stage: Stage, judge: Judge) -> None:
    stage.green_definition = stage.register(entryPoint=["sh", "-c", "exec gunicorn shop:app"])
    judgement = judge(hook, stage.at("BeforeAllowTraffic"), command=["alembic", "upgrade", "head"])
    assert not judgement.succeeded
    assert "entryPoint sh -c 'exec gunicorn shop:app' has a script of its own" in judgement.message
    assert stage.called("ecs:RunTask") == []


def test_an_agent_that_nobody_declared_is_not_blamed(stage: Stage, judge: Judge) -> None:
    """Its image may not be pulled: the migration's own end is what counts."""
    event = stage.at("BeforeAllowTraffic")
    stage.world.exits["alembic", "upgrade", "head"] = Exit(
        0, stop_code="ServiceSchedulerInitiated", stopped_reason="Scaling activity"
    )

    def described(parameters: Mapping[str, Any]) -> Any:
        found = stage.ecs.describe_tasks(**parameters)
        agent = {"name": "aws-guardduty-agent-k3x9ab", "lastStatus": "STOPPED", "reason": "CannotPullContainerError"}
        for task in found["tasks"]:
            task["containers"].insert(0, agent)
        return found

    stage.instead["ecs:DescribeTasks"] = described
    judgement = judge(hook, event, command=["alembic", "upgrade", "head"])
    said = "migrate (alembic upgrade head): exit 0, but it was stopped before its end (ServiceSchedulerInitiated; "
    assert judgement.message.startswith(f"{said}Scaling activity; container app: exit 0)")
    assert "guardduty" not in judgement.message
    stage.world.exits.clear()
    stage.deployment.set_status("Stopped")
    stage.ecs.delete_task_set(cluster=CLUSTER, service=SERVICE, taskSet=stage.green_set, force=True)
    assert judge(hook, stage.at("BeforeAllowTraffic"), command=["alembic", "upgrade", "head"]).succeeded


def test_out_of_memory_by_the_tasks_reason_alone_is_no_success_whatever_the_exit_code(
    stage: Stage, judge: Judge
) -> None:
    """A wrapper ends with 0, and ECS says it of the task, not of the container: it can have been no other."""
    stage.world.exits["alembic", "upgrade", "head"] = Exit(0, stopped_reason="OutOfMemoryError: container killed")
    judgement = judge(hook, stage.at("BeforeAllowTraffic"), command=["alembic", "upgrade", "head"])
    assert judgement.message.startswith("migrate (alembic upgrade head): exit 0, out of memory (Essential")


def test_a_command_that_the_container_does_not_have_is_told_with_the_cure(stage: Stage, judge: Judge) -> None:
    """The AppSpec's container may be a proxy in front of the application."""
    said = 'CannotStartContainerError: exec: "alembic": executable file not found in $PATH'
    stage.world.exits["alembic", "upgrade", "head"] = Exit(None, reason=said)
    judgement = judge(hook, stage.at("BeforeAllowTraffic"), command=["alembic", "upgrade", "head"])
    assert judgement.message.startswith("migrate (alembic upgrade head): container app never started: ")
    assert ": set container to one that has the command, or mend the command" in judgement.message


def test_every_preset_that_can_be_chosen_has_a_migration() -> None:
    """One without would say Succeeded, and nothing would be migrated."""
    (choices,) = (entry.about.choices for entry in entries(RunMigrations) if entry.name == "preset")
    assert [name for name in choices if "migrate" in hook.steps_of(RunMigrations(preset=name))] == list(choices)
    with pytest.raises(KeyError):
        hook.steps_of(RunMigrations(preset="flyway"))
