"""A note on an order: the expanding half of a change, harmless to the release that does not know it."""  # noqa: INP001  (loaded by path)

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column."""
    op.add_column("orders", sa.Column("note", sa.String(200), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    with op.batch_alter_table("orders", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_column("note")
