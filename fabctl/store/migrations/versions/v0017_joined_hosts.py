"""Computers join the lab with a code, and can be put out again."""

import sqlalchemy as sa
from alembic import op

from fabctl.store.types import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

SHA256 = sa.String(64)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "joined_host",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("code_hash", SHA256, nullable=True),
        sa.Column("code_until", UtcDateTime(), nullable=True),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("token_hash", SHA256, nullable=True),
        sa.Column("joined_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("heard_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_joined_host"),
        sa.UniqueConstraint("code_hash", name="uq_joined_host_code_hash"),
        sa.UniqueConstraint("token_hash", name="uq_joined_host_token_hash"),
        sa.CheckConstraint(
            "(code_hash IS NULL) = (code_until IS NULL)", name="ck_joined_host_code"
        ),
    )
