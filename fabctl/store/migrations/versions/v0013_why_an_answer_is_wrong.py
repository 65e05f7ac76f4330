"""A question of a quiz says why an answer is wrong."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let each wording of a question explain the right answers; nothing: it does not."""
    why: sa.Column[str] = sa.Column("explanation", sa.String, nullable=False, server_default="")
    op.add_column("quiz_question_wording", why)
