"""One account per e-mail address: fails, since two customers share one."""  # noqa: INP001  (loaded by path)

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the unique index; raises IntegrityError as long as an address occurs twice."""
    op.create_index("one_account_per_email", "customers", ["email"], unique=True)


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("one_account_per_email", "customers")
