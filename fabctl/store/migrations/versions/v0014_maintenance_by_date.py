"""Maintenance is planned by date, too: every so many weeks or months."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let a plan come back by date; those there are have hours of use only."""
    op.add_column("maintenance_plan", sa.Column("every_count", sa.Integer))
    op.add_column("maintenance_plan", sa.Column("every_unit", sa.String))
