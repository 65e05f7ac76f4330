"""Uses of interlocked machines: without a job, with the time they worked; permits' serials."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.String(12)


def upgrade() -> None:
    """Let a use be without a job, count its working time, and keep how far serials were given."""
    # alembic copies SQLite's table; an index with a condition is made anew, and is surely whole
    op.drop_index("use_one_open", "use")
    with op.batch_alter_table("use") as table:
        table.alter_column("job_id", existing_type=ID, nullable=True)
        table.add_column(sa.Column("ran_s", sa.Double))
    _one_open()
    op.create_table(
        "permit_serial",
        sa.Column("machine", sa.String, nullable=False),
        sa.Column("given_to", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("machine", name="pk_permit_serial"),
    )


def _one_open() -> None:
    op.create_index(
        "use_one_open",
        "use",
        ["resource_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
