"""Badges sign people in; shared screens are paired by a code."""

import sqlalchemy as sa
from alembic import op

from fabctl.store.types import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ID = sa.String(12)
SHA256 = sa.String(64)


def upgrade() -> None:
    """Create the two tables."""
    op.create_table(
        "badge",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("badge_hash", SHA256, nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_badge"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_badge_person_id"),
        sa.UniqueConstraint("badge_hash", name="uq_badge_badge_hash"),
    )
    op.create_index("ix_badge_person_id", "badge", ["person_id"])
    op.create_table(
        "shared_screen",
        sa.Column("id", sa.String(30), nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("idle_s", sa.Integer, nullable=False),
        sa.Column("brightness", sa.Integer, nullable=False),
        sa.Column("night_from", sa.Integer),
        sa.Column("night_until", sa.Integer),
        sa.Column("home", sa.String, nullable=False),
        sa.Column("code_hash", SHA256),
        sa.Column("code_until", UtcDateTime()),
        sa.Column("token_hash", SHA256),
        sa.Column("paired_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_shared_screen"),
        sa.UniqueConstraint("token_hash", name="uq_shared_screen_token_hash"),
        _together("code", "code_hash", "code_until"),
        _together("paired", "token_hash", "paired_at"),
        _together("night", "night_from", "night_until"),
    )


def _together(name: str, one: str, other: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(
        f"({one} IS NULL) = ({other} IS NULL)", name=f"ck_shared_screen_{name}"
    )
