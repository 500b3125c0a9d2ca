"""Orders by customer, found quickly."""  # noqa: INP001  (loaded by path)

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the index."""
    op.create_index("orders_by_customer", "orders", ["customer_id"])


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("orders_by_customer", "orders")
