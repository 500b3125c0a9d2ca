"""Alembic's entry point: connects to the database that the environment names."""  # noqa: INP001  (loaded by path)

from __future__ import annotations

import time
from logging.config import fileConfig

from alembic import context
from orders.models import Base
from orders.settings import read_settings
from sqlalchemy import create_engine, text
from sqlalchemy.sql.schema import SchemaItem

settings = read_settings()
fileConfig(str(context.config.config_file_name), disable_existing_loggers=False)


def is_wanted(
    _item: SchemaItem, _name: str | None, _kind: str, reflected: bool, counterpart: SchemaItem | None
) -> bool:
    """Leave out what only the database has: what a migration adds, the models know one release later."""
    return counterpart is not None or not reflected


upgrades = context.config.cmd_opts is not None and context.config.cmd_opts.cmd[0].__name__ == "upgrade"
with create_engine(settings.database_url, connect_args={"timeout": 30}).connect() as connection:
    if upgrades:
        connection.execute(text("create table if not exists migration_runs (version text not null)"))
        connection.execute(text("insert into migration_runs values (:version)"), {"version": settings.version})
        connection.commit()
    context.configure(
        connection=connection, target_metadata=Base.metadata, render_as_batch=True, include_object=is_wanted
    )
    with context.begin_transaction():
        context.run_migrations()
if upgrades and settings.migration_seconds:
    print(f"the backfill begins: {settings.migration_seconds:g} s", flush=True)
    time.sleep(settings.migration_seconds)
