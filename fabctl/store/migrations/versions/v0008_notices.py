"""Notices say more (of whom, of which session, why, once), and mail carries them."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

from fabctl.store.types import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.String(12)


def upgrade() -> None:
    """Let a notice say more, and put mail beside it."""
    _notices()
    _mail()


def _id(name: str = "id", *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, ID, nullable=null)


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=null)


def _moment(name: str, *, null: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, UtcDateTime(), nullable=null)


def _foreign(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}")


def _notices() -> None:
    with op.batch_alter_table("notice") as batch:
        for column in (_id("about_id", null=True), _id("session_id", null=True)):
            batch.add_column(column)
        for column in (_text("words", null=True), _text("once", null=True)):
            batch.add_column(column)
        batch.create_foreign_key("fk_notice_about_id", "person", ["about_id"], ["id"])
        batch.create_foreign_key("fk_notice_session_id", "workshop_session", ["session_id"], ["id"])
        batch.create_unique_constraint("uq_notice_once", ["once"])
    op.execute(
        "UPDATE notice SET resource_id = (SELECT resource_id FROM certification"
        " WHERE 'certification:' || certification.id = notice.subject)"
        " WHERE subject LIKE 'certification:%'"
    )
    op.execute(
        "UPDATE notice SET session_id = (SELECT session_id FROM enrolment"
        " WHERE 'enrolment:' || enrolment.id = notice.subject)"
        " WHERE subject LIKE 'enrolment:%'"
    )
    op.create_index("ix_notice_person_id_at", "notice", ["person_id", "at"])
    op.create_index("ix_notice_at", "notice", ["at"])
    op.create_index("ix_notice_about_id", "notice", ["about_id"])


def _mail() -> None:
    op.create_table(
        "mail_address",
        _id("person_id"),
        _text("address", null=True),
        sa.Column("wanted", sa.Boolean, nullable=False),
        _moment("changed_at"),
        sa.PrimaryKeyConstraint("person_id", name="pk_mail_address"),
        _foreign("mail_address", "person_id", "person"),
    )
    op.create_table(
        "mail",
        _id(),
        _id("notice_id"),
        _moment("queued_at"),
        _moment("next_at"),
        sa.Column("tries", sa.Integer, nullable=False),
        _moment("ended_at", null=True),
        _text("outcome", null=True),
        _text("trouble", null=True),
        sa.PrimaryKeyConstraint("id", name="pk_mail"),
        _foreign("mail", "notice_id", "notice"),
        sa.UniqueConstraint("notice_id", name="uq_mail_notice_id"),
        sa.CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name=op.f("ck_mail_ended")),
    )
    op.create_index("ix_mail_outcome_next_at", "mail", ["outcome", "next_at"])
