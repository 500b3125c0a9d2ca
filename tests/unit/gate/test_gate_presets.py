"""The presets' commands, and the ways back that are read from what their tools print."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from gate.options.migrations import RunMigrations
from gate.presets import PRESETS, Preset, alembic_way_back, django_way_back, steps_of, where_it_is
from gate.settings import entries
from gate.verdict import Outcome

ENVIRONMENT = """
from alembic import context
from sqlalchemy import create_engine, pool

with create_engine(context.config.get_main_option("url"), poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


def test_alembic_prints_what_is_read(tmp_path: Path) -> None:
    """The library itself, at each revision; a docstring may say anything."""
    (tmp_path / "versions").mkdir()
    (tmp_path / "env.py").write_text(ENVIRONMENT)
    down: str | None = None
    for revision in ("1.0", "1.1"):
        text = f'"""Rev: none\n\nRev: none\n"""\nrevision, down_revision = {revision!r}, {down!r}\n'
        (tmp_path / "versions" / f"{revision}.py").write_text(text + "def upgrade(): pass\n")
        down = revision
    found = []
    for _ in range(3):
        out = StringIO()
        config = Config(stdout=out)
        config.set_main_option("script_location", str(tmp_path))
        config.set_main_option("path_separator", "os")
        config.set_main_option("url", f"sqlite:///{tmp_path / 'shop.db'}")
        command.current(config, verbose=True)
        found.append(alembic_way_back(out.getvalue().splitlines()))
        if len(found) < 3:
            command.upgrade(config, "+1")
    assert found == [
        (None, "the database has no revision yet"),
        (("alembic", "downgrade", "1.0"), "the database is at revision 1.0"),
        (("alembic", "downgrade", "1.1"), "the database is at revision 1.1"),
    ]


@pytest.mark.parametrize(
    ("lines", "target"),
    [
        (("shop", " [X] 0001_initial", " [-] 0002_squashed_0004 (3 squashed migrations) Run 'manage.py migrate' to …",
          " [ ] 0005_x"), "0002_squashed_0004"),
        (("shop", " [X] 0001_it's", " [ ] 0002_x"), """'0001_it'"'"'s'"""),
        (("shop", " [X] 0001-initial", " [ ] 0002_x"), "0001-initial"),
        (("shop", " [X] initial", " [ ] more"), "initial"),
        (("Loading .env", "shop", " [X] 0001_a", " [ ] 0002_b"), "0001_a"),
    ],
)  # fmt: skip
def test_what_django_lists(lines: tuple[str, ...], target: str) -> None:
    way_back, _ = django_way_back(lines)
    assert way_back == ("sh", "-c", f"python manage.py migrate shop {target} --noinput")


HEADING = "Current revision(s) for postgresql://shop:***@db/shop:"


@pytest.mark.parametrize(
    ("lines", "way_back", "said"),
    [
        ((HEADING, "Rev: 19ea (head)", "Parent: <base>", "    Rev: text"), "19ea", "the database is at revision 19ea"),
        # Alembic takes a part of a name for the whole: `1` may be another revision than `1.10`.
        ((HEADING, "Rev: 1.10 (head)"), "1.10", "the database is at revision 1.10"),
        ((HEADING, "Rev: aaa (head)", "Parent: 1", "Rev: bbb (head)"), None,
         "the database is at several revisions (aaa, bbb), to which no one command leads back"),
        ((HEADING,), None, "the database has no revision yet"),
    ],
)  # fmt: skip
def test_what_alembic_prints(lines: tuple[str, ...], way_back: str | None, said: str) -> None:
    assert alembic_way_back(lines) == (way_back and ("alembic", "downgrade", way_back), said)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("orders", " [ ] 0001_initial", "stock", " [X] 0001_initial", " [ ] 0002_x"),
         "app orders has no migration yet, so no command leads back"),
        (("orders", " [X] 0001_initial"), "all migrations are applied already, so no command leads back"),
        (("shop", " [X] 0001_initial", " [ ] 0002_b", " [X] 0002_a", " [ ] 0003_merge"),
         "the migrations of app shop branch, so no one command leads back"),
        (("shop", " [X] 0001_initial", " [X] 0002_a", " [ ] 0002_b", " [ ] 0003_merge"),
         "the migrations of app shop branch, so no one command leads back"),
    ],
    ids=["new app", "none to come", "an applied one after", "two of one number"],
)  # fmt: skip
def test_django_without_a_way_back(lines: tuple[str, ...], said: str) -> None:
    """`migrate shop 0001_initial` would undo 0002_a too, which was there before; `migrate shop 0002_a` leave 0002_b."""
    assert django_way_back(lines) == (None, said)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
@pytest.mark.parametrize("lines", [(), ("Traceback (most recent call last):",)])
def test_a_log_that_does_not_say_where_the_database_is(preset: Preset, lines: tuple[str, ...]) -> None:
    found = where_it_is(preset, lines)
    assert (found.outcome, found.terminal, found.value) == (Outcome.ERROR, False, None)
    assert found.detail.endswith(f"({len(lines)} log lines)")


def test_several_lines_in_one_event_are_read_as_lines() -> None:
    """A log driver with awslogs-multiline-pattern or awslogs-datetime-format sends them so."""
    found = where_it_is(PRESETS["alembic"], [f"{HEADING}\nRev: 19ea (head)\nParent: <base>"])
    assert (found.ok, found.value) == (True, ("alembic", "downgrade", "19ea"))


def test_a_log_longer_than_one_answer_is_not_guessed_at() -> None:
    found = where_it_is(PRESETS["alembic"], [HEADING, "Rev: 19ea (head)", *[""] * 9_998])
    assert (found.ok, found.terminal, found.detail) == (False, True, "the log has more than 10000 lines")


def test_every_preset_that_can_be_chosen_has_a_migration() -> None:
    """One without would say Succeeded, and nothing would be migrated."""
    (choices,) = (entry.about.choices for entry in entries(RunMigrations) if entry.name == "preset")
    assert [name for name in choices if "migrate" in steps_of(RunMigrations(preset=name))] == list(choices)
    with pytest.raises(KeyError):
        steps_of(RunMigrations(preset="flyway"))
