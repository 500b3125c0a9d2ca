"""Alembic's entry point: connects to the database that the environment names."""  # noqa: INP001  (loaded by path)

from __future__ import annotations

from logging.config import fileConfig

from alembic import context
from orders.models import Base
from orders.settings import read_settings
from sqlalchemy import create_engine

fileConfig(str(context.config.config_file_name), disable_existing_loggers=False)

with create_engine(read_settings().database_url, connect_args={"timeout": 30}).connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
