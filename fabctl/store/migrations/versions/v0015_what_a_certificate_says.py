"""A certificate keeps the title under which it was handed out."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Write each certificate's title down: that of its workshop, which may change from now on."""
    title: sa.Column[str] = sa.Column("title", sa.String, nullable=False, server_default="")
    op.add_column("certificate", title)
    op.execute(
        "UPDATE certificate SET title = (SELECT workshop.title FROM enrolment"
        " JOIN workshop_session ON workshop_session.id = enrolment.session_id"
        " JOIN workshop ON workshop.id = workshop_session.workshop_id"
        " WHERE enrolment.id = certificate.enrolment_id)"
    )
