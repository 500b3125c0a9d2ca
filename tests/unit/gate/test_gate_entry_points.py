"""A command reaches the program as it is written, whatever entry point ECS adds it to."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

import pytest
from gate.entry_points import command_after
from gate.verdict import ProbeError

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
    ["env", "-S", "sh -c"],
    ["/usr/bin/env", "-Ssh -c"],
    ["env", "--split-string=bash -euc"],
    ["env", "-S", "A=b sh -c", 'exec "$@"', "--"],
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
    with pytest.raises(ProbeError, match=r'has a script of its own.*let the script end with exec "\$@"'):
        command_after(["sh", "-c", script], ["alembic", "upgrade", "head"])


@pytest.mark.parametrize(
    "script",
    ['"$@" || true', '"$@"; exit 0', '"$@"\necho done', '"$@" 2>&1 | tee /tmp/log', 'exec "$@" | cat', '"$@" &'],
)
def test_a_script_that_hides_how_the_command_ended_is_refused(script: str) -> None:
    """It would end with 0 though the migration had failed."""
    with pytest.raises(ProbeError, match="or hides how it ended"):
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
        with pytest.raises(ProbeError, match="has a script of its own, which does not run the command"):
            command_after(entry_point, command)
    else:
        assert command_after(entry_point, command) == command
