"""`lock_timeout` and `statement_timeout` in PostgreSQL itself: they end what waits, and the message says so.

Needs the server of Debian's package postgresql, or another one that /usr/lib/postgresql/*/bin or PATH has.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import run_migrations as hook
from gate.one_off import variables_of
from gate.options.migrations import RunMigrations

from rehearsal.aws.world import Exit
from rehearsal.testing.stage import Judge, Stage

MIGRATE = ("alembic", "upgrade", "head")
ALTER = "ALTER TABLE orders ADD COLUMN note text"
USER = "postgres"  # a server does not run as root


def _programs() -> Path | None:
    """The folder of the newest server's programs."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    on_path = shutil.which("initdb")
    newest = sorted(found, key=lambda path: float(path.parent.name))
    return newest[-1] if newest else Path(on_path).parent if on_path else None


def _why_not() -> str:
    if _programs() is None:
        return "PostgreSQL's server is not installed: apt-get install postgresql"
    if shutil.which("psql") is None:
        return "psql is not installed: apt-get install postgresql-client"
    if os.geteuid() == 0 and (USER not in {user.pw_name for user in pwd.getpwall()} or not shutil.which("runuser")):
        return f"PostgreSQL does not run as root, and there is no user {USER}, or no runuser"
    return ""


WHY_NOT = _why_not()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)


class Server:
    """A server of its own, reached through a socket in its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self) -> None:
        """Create a database with one table, and serve it."""
        self._as_user("initdb", "-D", "data", "-U", USER, "-A", "trust", "--locale=C", "-E", "UTF8", "--no-sync")
        options = f"-k {self.folder} -c listen_addresses= -c fsync=off -c max_connections=10 -c shared_buffers=1MB"
        self._as_user("pg_ctl", "-D", "data", "-l", "log", "-o", options, "-w", "-t", "30", "start")
        self.psql("CREATE TABLE orders (id int)").check_returncode()

    def stop(self) -> None:
        """End it at once."""
        self._as_user("pg_ctl", "-D", "data", "-m", "immediate", "stop")

    def _as_user(self, program: str, *arguments: str) -> None:
        path = str(_programs() or "")
        command = [f"{path}/{program}", *arguments]
        if os.geteuid() == 0:
            shutil.chown(self.folder, USER)
            command = ["runuser", "-u", USER, "--", *command]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()

    @property
    def environment(self) -> dict[str, str]:
        """What a client of libpq needs to find it; nothing of the person's own."""
        own = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
        return {**own, "LC_ALL": "C", "PGHOST": str(self.folder), "PGUSER": USER, "PGDATABASE": "postgres"}

    def psql(self, statement: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a statement as a client does that reads `environment`."""
        return subprocess.run(
            ["psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-c", statement],
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold the lock that a long query on the table has."""
        client = subprocess.Popen(
            ["psql", "-X", "-q"], env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with client:
            assert client.stdin is not None
            assert client.stdout is not None
            client.stdin.write("BEGIN;\nLOCK TABLE orders IN ACCESS SHARE MODE;\n\\echo locked\n")
            client.stdin.flush()
            assert client.stdout.readline() == "locked\n"
            yield
            client.stdin.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One server for these tests."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # the path of a socket may have 107 characters
    server = Server(folder)
    try:
        server.start()
        yield server
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            server.stop()
        shutil.rmtree(folder)


def options(**settings: float) -> str:
    """What these settings of run_migrations tell libpq."""
    return variables_of(RunMigrations(**settings))["PGOPTIONS"]  # type: ignore[arg-type]  # numbers all


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.001, "1ms"), (0.25, "250ms"), (5, "5s"), (90.5, "90500ms"), (3000, "50min")]
)
def test_the_server_takes_what_it_is_told(server: Server, seconds: float, shown: str) -> None:
    told = options(lock_timeout=seconds, statement_timeout=3000)
    assert server.psql("SHOW lock_timeout", PGOPTIONS=told).stdout == f"{shown}\n"
    assert server.psql("SHOW statement_timeout", PGOPTIONS=told).stdout == "50min\n"


def test_without_it_nothing_is_limited(server: Server) -> None:
    assert server.psql("SHOW lock_timeout").stdout == "0\n"


def test_options_of_ones_own_stay(server: Server) -> None:
    own = {"PGOPTIONS": "-c search_path=shop"}
    told = variables_of(RunMigrations(environment=own, lock_timeout=5))["PGOPTIONS"]
    assert server.psql("SHOW search_path", PGOPTIONS=told).stdout == "shop\n"
    of_container = variables_of(RunMigrations(lock_timeout=5), "-c search_path=shop")["PGOPTIONS"]
    assert server.psql("SHOW search_path", PGOPTIONS=of_container).stdout == "shop\n"
    assert server.psql("SHOW lock_timeout", PGOPTIONS=of_container).stdout == "5s\n"


def test_a_blocked_alter_table_ends_and_the_message_says_so(server: Server, stage: Stage, judge: Judge) -> None:
    """Behind a waiting ALTER TABLE, every other query waits too: that is what takes a shop down."""
    with server.reading():
        began = time.monotonic()
        blocked = server.psql(ALTER, PGOPTIONS=options(lock_timeout=0.2))
        took = time.monotonic() - began
    assert 0.2 <= took < 3
    assert blocked.returncode == 1
    said = blocked.stderr.strip()
    assert said == "ERROR:  canceling statement due to lock timeout"
    stage.world.exits[MIGRATE] = Exit(blocked.returncode, lines=tuple(said.splitlines()))
    judgement = judge(hook, stage.at("BeforeAllowTraffic"), command=MIGRATE, lock_timeout=0.2)
    assert judgement.message.startswith("migrate (alembic upgrade head): exit 1 (")
    assert "; last log lines: ERROR: canceling statement due to lock timeout; " in judgement.message
    assert server.psql(ALTER, PGOPTIONS=options(lock_timeout=0.2)).returncode == 0, "nobody reads any more"


def test_a_statement_without_an_end_ends(server: Server) -> None:
    ended = server.psql("SELECT pg_sleep(30)", PGOPTIONS=options(statement_timeout=0.2))
    assert ended.stderr.strip() == "ERROR:  canceling statement due to statement timeout"
