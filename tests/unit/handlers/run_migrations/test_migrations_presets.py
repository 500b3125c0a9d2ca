"""The presets: their commands, and the way back that they find."""

from __future__ import annotations

import pytest
import run_migrations as hook

from rehearsal.aws.logs import append
from rehearsal.aws.world import Exit
from rehearsal.testing.stage import Judge, Stage, refuse
from tests.unit.handlers.run_migrations.helpers import (
    CURRENT,
    DATA,
    EVENT,
    HEADING,
    MIGRATE,
    SCHEMA,
    WHERE,
    commands,
    one_off,
)

DJANGO = ("python", "manage.py", "migrate", "--noinput")
LISTED = ("python", "manage.py", "showmigrations", "--list")
SHOWN = (
    *("admin", " [X] 0001_initial"),
    *("orders", " [X] 0001_initial", " [X] 0002_note", " [ ] 0003_email", " [ ] 0004_x"),
    *("sessions", " (no migrations)"),
    *("stock", " [X] 0001_squashed_0003 (3 squashed migrations)", " [ ] 0004_place"),
)


def test_of_a_revisions_log_all_lines_are_read_that_cloudwatch_gives_at_once(stage: Stage, judge: Judge) -> None:
    stage.world.exits[WHERE] = Exit(0, lines=CURRENT)
    assert judge(hook, stage.at(EVENT), preset="alembic").succeeded
    assert {parameters["limit"] for parameters in stage.called("logs:GetLogEvents")} == {10_000}


def test_an_alembic_that_does_not_know_the_verification(stage: Stage, judge: Judge) -> None:
    stage.world.exits[WHERE] = Exit(0, lines=CURRENT)
    stage.world.exits[SCHEMA] = Exit(2, lines=("alembic: error: unrecognized arguments: --check-heads",))
    judgement = judge(hook, stage.at(EVENT), preset="alembic")
    cure = "; --check-heads came with Alembic 1.17.1: update it, or set verify_schema_command; rolled back with "
    assert cure in judgement.message


def test_a_program_as_a_command_is_named_by_its_beginning(stage: Stage, judge: Judge) -> None:
    program = ("python", "-c", "import shop\n" + "shop.migrate()\n" * 50)
    stage.world.exits[program] = Exit(1)
    judgement = judge(hook, stage.at(EVENT), command=program)
    label = judgement.message.partition("): exit 1")[0]
    assert label.startswith("migrate (python -c 'import shop shop.migrate() ")
    assert (label[-1], len(label)) == ("…", len("migrate (") + 80)


@pytest.mark.smoke
def test_alembic_runs_its_commands_and_finds_the_revision_first(stage: Stage, judge: Judge) -> None:
    stage.world.exits[WHERE] = Exit(0, lines=CURRENT)
    judgement = judge(hook, stage.at(EVENT), preset="alembic")
    assert judgement.succeeded
    assert commands(stage) == [WHERE, MIGRATE, SCHEMA]
    expected = "the database is at revision 1975ea83b712; rollback: alembic downgrade 1975ea83b712"
    assert judgement.check("revision") == ("passed", expected)


@pytest.mark.parametrize("failing", [MIGRATE, SCHEMA])
def test_alembic_goes_back_to_the_revision_found(stage: Stage, judge: Judge, failing: tuple[str, ...]) -> None:
    stage.world.exits[WHERE] = Exit(0, lines=CURRENT)
    stage.world.exits[failing] = Exit(1)
    judgement = judge(hook, stage.at(EVENT), preset="alembic")
    assert commands(stage)[-2:] == [failing, ("alembic", "downgrade", "1975ea83b712")]
    assert judgement.message.endswith("; rolled back with alembic downgrade 1975ea83b712")


def test_without_a_way_back_nothing_is_undone(stage: Stage, judge: Judge) -> None:
    stage.world.exits[WHERE] = Exit(0, lines=(HEADING,))
    stage.world.exits[MIGRATE] = Exit(1)
    judgement = judge(hook, stage.at(EVENT), preset="alembic")
    assert judgement.check("revision") == ("passed", "the database has no revision yet; rollback: none")
    assert commands(stage) == [WHERE, MIGRATE]
    assert judgement.message.endswith(
        "; no rollback_command is set, and preset alembic found no way back: the database is as the failed step left it"
    )


@pytest.mark.parametrize(
    ("preset", "lines", "said"),
    [
        ("alembic", ("Traceback:",), "alembic current said no revision (1 log lines) (still so after 20 s)"),
        ("django", (), "showmigrations listed no migrations (0 log lines) (still so after 20 s)"),
    ],
)
def test_an_unreadable_log_is_never_a_pass(
    stage: Stage, judge: Judge, preset: str, lines: tuple[str, ...], said: str
) -> None:
    """Nothing has run by then, and nothing runs: least of all a downgrade to base."""
    stage.world.exits[WHERE] = stage.world.exits[LISTED] = Exit(0, lines=lines)
    judgement = judge(hook, stage.at(EVENT), preset=preset)
    expected = f"where the database is could not be read: {said}: fix the log, or set rollback_command"
    assert judgement.message.startswith(expected)
    assert ("repeat it as entryPoint in the task definition" in judgement.message) is (not lines)
    assert judgement.check("revision")[0] == "error"
    assert commands(stage) == [WHERE if preset == "alembic" else LISTED]


def test_another_log_driver_is_said_where_a_revision_is_looked_for(stage: Stage, judge: Judge) -> None:
    stage.green_definition = stage.register(logConfiguration={"logDriver": "awsfirelens"})
    judgement = judge(hook, stage.at(EVENT), preset="alembic")
    assert judgement.message == (
        "where the database is could not be read: its log driver is awsfirelens, only awslogs can be read here: "
        "fix the log, or set rollback_command"
    )
    assert stage.clock.now < 10, "nothing is waited for that will not come"


def test_a_log_that_may_not_be_read_where_a_revision_is_looked_for(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["logs:GetLogEvents"] = refuse("AccessDeniedException")
    judgement = judge(hook, event, preset="django")
    assert "could not be read: logs:GetLogEvents was denied: allow it in this hook's role" in judgement.message
    assert commands(stage) == [LISTED]


def log_of(stage: Stage, *lines: str) -> None:
    """Let lines come into the log of the last task."""
    arn = one_off(stage)[-1].task_arn
    append(arn, "/ecs/shop", f"shop/app/{arn.rpartition('/')[2]}", lines)


def test_a_log_that_comes_in_two_parts_is_read_whole(stage: Stage, judge: Judge) -> None:
    """The first part alone would be a failure, or say that there is no revision yet."""
    stage.world.exits[WHERE] = Exit(0, lines=CURRENT[:2])
    stage.world.exits[MIGRATE] = Exit(1)
    stage.clock.after(5, lambda: log_of(stage, *CURRENT[2:]))
    judge(hook, stage.at(EVENT), preset="alembic")
    assert commands(stage)[-1] == ("alembic", "downgrade", "1975ea83b712")


def test_what_looks_for_the_revision_fails(stage: Stage, judge: Judge) -> None:
    """A database that the new image does not know, say: nothing was changed."""
    stage.world.exits[WHERE] = Exit(255, lines=("FAILED: Can't locate revision identified by 'abc'",))
    judgement = judge(hook, stage.at(EVENT), preset="alembic")
    assert judgement.message.startswith("revision (alembic current --verbose): exit 255 (")
    assert judgement.message.endswith("last log lines: FAILED: Can't locate revision identified by 'abc'")
    assert commands(stage) == [WHERE]


def test_django_goes_back_to_each_apps_last_migration(stage: Stage, judge: Judge) -> None:
    stage.world.exits[LISTED] = Exit(0, lines=SHOWN)
    stage.world.exits[DJANGO] = Exit(1)
    judgement = judge(hook, stage.at(EVENT), preset="django")
    script = (
        "python manage.py migrate orders 0002_note --noinput && "
        "python manage.py migrate stock 0001_squashed_0003 --noinput"
    )
    assert judgement.check("revision") == (
        "passed",
        f"migrations are to come (orders 0003_email, orders 0004_x, stock 0004_place); rollback: sh -c '{script}'",
    )
    assert commands(stage) == [LISTED, DJANGO, ("sh", "-c", script)]
    assert judgement.message.endswith(f"; rolled back with sh -c '{script}'")


def test_own_commands_come_before_the_presets(stage: Stage, judge: Judge) -> None:
    stage.world.exits[DATA] = Exit(1)
    own = {"command": ["migrate"], "verify_schema_command": ["look"], "rollback_command": ["back"]}
    judgement = judge(hook, stage.at(EVENT), preset="alembic", verify_data_command=DATA, **own)
    assert commands(stage) == [("migrate",), ("look",), DATA, ("back",)]
    assert "revision" not in judgement.outcomes(), "nothing asks for it"


def test_a_preset_with_one_command_of_its_own(stage: Stage, judge: Judge) -> None:
    stage.world.exits[WHERE] = Exit(0, lines=CURRENT)
    judge(hook, stage.at(EVENT), preset="alembic", verify_schema_command=["look"])
    assert commands(stage) == [WHERE, MIGRATE, ("look",)]
