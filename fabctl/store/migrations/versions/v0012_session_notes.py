"""Those who lead a session write down how it went."""

import sqlalchemy as sa
from alembic import op

from fabctl.store.types import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ID = sa.String(12)


def upgrade() -> None:
    """Add the notes of sessions."""
    op.create_table(
        "session_note",
        sa.Column("id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("words", sa.String, nullable=False),
        sa.Column("written_at", UtcDateTime(), nullable=False),
        sa.Column("written_by", ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_session_note"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["workshop_session.id"], name="fk_session_note_session_id"
        ),
        sa.ForeignKeyConstraint(["written_by"], ["person.id"], name="fk_session_note_written_by"),
    )
    for column in ("session_id", "written_at"):
        op.create_index(f"ix_session_note_{column}", "session_note", [column])
