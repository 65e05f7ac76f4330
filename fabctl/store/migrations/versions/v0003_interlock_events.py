"""The record of interlocks: trips, faults, refused permits. A line is never changed or deleted."""

import sqlalchemy as sa
from alembic import op

from fabctl.store.types import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the table, its indexes and its triggers."""
    op.create_table(
        "interlock_event",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("machine", sa.String, nullable=False),
        sa.Column("boot", sa.String, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("happened_at", UtcDateTime, nullable=False),
        sa.Column("synced", sa.Boolean, nullable=False),
        sa.Column("recorded_at", UtcDateTime, nullable=False),
        sa.Column("code", sa.String),
        sa.Column("count", sa.Integer),
        sa.Column("reason", sa.String),
        sa.Column("seconds", sa.Double),
        sa.Column("job_id", sa.String),
        sa.Column("use_id", sa.String),
        sa.Column("person_id", sa.String),
        sa.PrimaryKeyConstraint("id", name="pk_interlock_event"),
        sa.UniqueConstraint("machine", "boot", "seq", name="uq_interlock_event_machine_boot_seq"),
    )
    op.create_index(
        "ix_interlock_event_machine_happened_at", "interlock_event", ["machine", "happened_at"]
    )
    op.create_index("ix_interlock_event_happened_at", "interlock_event", ["happened_at"])
    if op.get_bind().dialect.name == "sqlite":
        _append_only_in_sqlite()
    else:
        _append_only_in_postgresql()


def _append_only_in_sqlite() -> None:
    for verb in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER interlock_append_only_{verb} BEFORE {verb.upper()} ON interlock_event"
            " BEGIN SELECT RAISE(ABORT, 'interlock_append_only'); END"
        )


def _append_only_in_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION interlock_append_only() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION 'interlock_append_only'"
        " USING ERRCODE = 'restrict_violation', CONSTRAINT = 'interlock_append_only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER interlock_append_only BEFORE UPDATE OR DELETE OR TRUNCATE"
        " ON interlock_event FOR EACH STATEMENT EXECUTE FUNCTION interlock_append_only()"
    )
