"""The commands of a migration tool, and the way back from a migration. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Callable, Optional

from gate.options.migrations import RunMigrations
from gate.verdict import Finding, ProbeError, error, failed, passed

Command = Optional[tuple[str, ...]]

MOST_LINES = 10_000  # log lines that CloudWatch Logs gives at once


@dataclass(frozen=True)
class Preset:
    """The commands of a migration tool.

    `where`: prints where the database is. `way_back`: from the lines that it printed, the command that leads back there
    (None if there is none), and where that is, in words; raises ProbeError for lines that do not say it. `too_old`:
    what a version of the tool says that does not know the verification; `cure`: what helps.
    """

    command: tuple[str, ...]
    verify_schema_command: tuple[str, ...]
    where: tuple[str, ...]
    way_back: Callable[[Sequence[str]], tuple[Command, str]]
    too_old: str
    cure: str


def preset_of(options: RunMigrations) -> Preset | None:
    """The option's preset. Raises KeyError for an unknown one: that must not count as none."""
    return PRESETS[options.preset] if options.preset else None


def steps_of(options: RunMigrations) -> dict[str, tuple[str, ...]]:
    """The commands by their step, in order; the user's own, else the preset's."""
    preset = preset_of(options)
    steps = {
        "migrate": options.command or (preset and preset.command),
        "verify_schema": options.verify_schema_command or (preset and preset.verify_schema_command),
        "verify_data": options.verify_data_command,
    }
    return {step: command for step, command in steps.items() if command}


def where_it_is(preset: Preset, lines: Sequence[str]) -> Finding:
    """Where the database is, by the log of `where`; `value`: the command that leads back there."""
    if len(lines) >= MOST_LINES:
        return failed(f"the log has more than {MOST_LINES} lines", terminal=True)
    try:
        # awslogs-multiline-pattern makes one event of several lines.
        way_back, said = preset.way_back([line for event in lines for line in event.splitlines()])
    except ProbeError as problem:  # its last lines may come late
        return error(str(problem))
    return replace(passed(said), value=way_back)


def alembic_way_back(lines: Sequence[str]) -> tuple[Command, str]:
    """From `alembic current --verbose`: a heading, then a line `Rev: <revision>` for each head.

    Never back to base, which drops all there is: a log of which a part is missing looks like that of a new database.
    """
    found = [match[1] for match in (re.match(r"Rev: (\S+)", line) for line in lines) if match]
    if len(found) == 1:
        return ("alembic", "downgrade", found[0]), f"the database is at revision {found[0]}"
    if found:
        return None, f"the database is at several revisions ({', '.join(found)}), to which no one command leads back"
    if any(line.startswith("Current revision(s) for") for line in lines):
        return None, "the database has no revision yet"
    raise ProbeError(f"alembic current said no revision ({len(lines)} log lines)")


def django_way_back(lines: Sequence[str]) -> tuple[Command, str]:
    """From `manage.py showmigrations --list`: each app, then its migrations, `[X]` if applied.

    Each app with unapplied migrations goes back to its last applied one. Never to zero, for the reason given above. An
    app whose migrations branch has no way back: one command would undo others too, or leave some.
    """
    apps: dict[str, list[tuple[bool, str]]] = {}  # of each migration: whether it is applied, and its name
    app = ""
    for line in lines:
        match = re.match(r" \[([X -])\] (\S+)|(\w+)$", line.rstrip())
        if match and match[3]:
            app = match[3]
        elif match and app:
            apps.setdefault(app, []).append((match[1] != " ", match[2]))
    if not apps:
        raise ProbeError(f"showmigrations listed no migrations ({len(lines)} log lines)")
    behind = {app: listed for app, listed in apps.items() if not all(applied for applied, _ in listed)}
    new = ", ".join(app for app, listed in behind.items() if not any(applied for applied, _ in listed))
    branched = ", ".join(app for app, listed in behind.items() if _branches(listed))
    if not behind:
        return None, "all migrations are applied already, so no command leads back"
    if new:
        return None, f"app {new} has no migration yet, so no command leads back"
    if branched:
        return None, f"the migrations of app {branched} branch, so no one command leads back"
    last = {app: [name for applied, name in listed if applied][-1] for app, listed in behind.items()}
    words = [f"python manage.py migrate {app} {shlex.quote(name)} --noinput" for app, name in last.items()]
    to_come = [f"{app} {name}" for app, listed in behind.items() for applied, name in listed if not applied]
    return ("sh", "-c", " && ".join(words)), f"migrations are to come ({', '.join(to_come)})"


def _branches(listed: Sequence[tuple[bool, str]]) -> bool:
    """Whether an unapplied migration stands before an applied one, or has the number of one."""
    applied = [each for each, _ in listed]
    numbers: tuple[set[str], set[str]] = (set(), set())
    for each, name in listed:
        numbers[each].add(re.match(r"\d*", name)[0] or name)  # type: ignore[index]  # it always matches
    return applied != sorted(applied, reverse=True) or bool(numbers[0] & numbers[1])


PRESETS = {
    "alembic": Preset(
        command=("alembic", "upgrade", "head"),
        verify_schema_command=("alembic", "current", "--check-heads"),
        where=("alembic", "current", "--verbose"),
        way_back=alembic_way_back,
        too_old="unrecognized arguments: --check-heads",
        cure="--check-heads came with Alembic 1.17.1: update it, or set verify_schema_command",
    ),
    "django": Preset(
        command=("python", "manage.py", "migrate", "--noinput"),
        verify_schema_command=("python", "manage.py", "migrate", "--check"),
        where=("python", "manage.py", "showmigrations", "--list"),
        way_back=django_way_back,
        too_old="unrecognized arguments: --check",
        cure="migrate --check came with Django 3.1: update it, or set verify_schema_command",
    ),
}
