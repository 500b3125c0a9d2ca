"""Customers and their orders."""  # noqa: INP001  (loaded by path)

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables and the first customers."""
    customers = op.create_table(
        "customers",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("email", sa.String(120), nullable=False),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("customer_id", sa.Integer, sa.ForeignKey("customers.id"), nullable=False),
        sa.Column("item", sa.String(80), nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        # Or SQLite would give the number of a deleted order to the next one.
        sqlite_autoincrement=True,
    )
    # Two customers share an address: data as it grows in the field, on which a migration can stumble.
    op.bulk_insert(
        customers,
        [
            {"id": 1, "name": "Ada", "email": "ada@example.com"},
            {"id": 2, "name": "Grace", "email": "grace@example.com"},
            {"id": 3, "name": "Grace H.", "email": "grace@example.com"},
        ],
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("orders")
    op.drop_table("customers")
