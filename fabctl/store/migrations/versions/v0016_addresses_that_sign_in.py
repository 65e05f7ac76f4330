"""An address signs somebody in elsewhere only once the staff have confirmed whose it is."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the confirmed address, one person's only. None is confirmed yet: anybody typed them."""
    signs_in: sa.Column[str] = sa.Column("signs_in", sa.String, nullable=True)
    op.add_column("mail_address", signs_in)
    op.create_index("ix_mail_address_signs_in", "mail_address", ["signs_in"], unique=True)
