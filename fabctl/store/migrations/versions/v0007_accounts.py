"""Groups' accounts and their members, rights of single persons, one table of notices."""

import sqlalchemy as sa
from alembic import op

from fabctl.store.ids import new_id
from fabctl.store.types import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.String(12)
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables; carry over partners' members and what people were told."""
    op.add_column("account", sa.Column("group_kind", sa.String))
    op.execute("UPDATE account SET group_kind = 'partner' WHERE person_id IS NULL")
    _members()
    _rights()
    _reservations()
    _notices()
    _due_work()


def _foreign(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}")


def _members() -> None:
    op.create_table(
        "account_member",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("may_act", sa.Boolean, nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "person_id", name="pk_account_member"),
        _foreign("account_member", "account_id", "account"),
        _foreign("account_member", "person_id", "person"),
    )
    op.create_index("ix_account_member_person_id", "account_member", ["person_id"])
    op.execute(
        "INSERT INTO account_member (account_id, person_id, may_act, since)"
        " SELECT account_id, partner_member.person_id, TRUE, account.created_at"
        " FROM partner_member JOIN account ON account.id = partner_member.account_id"
    )
    op.drop_table("partner_member")


def _rights() -> None:
    op.create_table(
        "given_right",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("reach", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("given_at", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime()),
        sa.PrimaryKeyConstraint("person_id", "name", "reach", "subject", name="pk_given_right"),
        _foreign("given_right", "person_id", "person"),
    )


def _reservations() -> None:
    outside = sa.Column("outside_hours", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("reservation", outside)
    # a reference to account.id that SQLite cannot add to a table as a constraint of its own
    with op.batch_alter_table("waiting") as batch:
        batch.add_column(sa.Column("account_id", ID))
        batch.create_foreign_key("fk_waiting_account_id", "account", ["account_id"], ["id"])


def _notices() -> None:
    op.create_table(
        "notice",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("code", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("resource_id", sa.String),
        sa.Column("start_at", UtcDateTime()),
        sa.Column("end_at", UtcDateTime()),
        sa.Column("due_at", UtcDateTime()),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("read_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
        _foreign("notice", "person_id", "person"),
        _foreign("notice", "resource_id", "resource"),
    )
    op.create_index("ix_notice_person_id_read_at", "notice", ["person_id", "read_at"])
    op.execute(
        "INSERT INTO notice (id, person_id, code, subject, resource_id, start_at, end_at, at,"
        " read_at) SELECT id, person_id, code, 'resource:' || resource_id, resource_id, start_at,"
        " end_at, at, read_at FROM booking_notice"
    )
    op.drop_table("booking_notice")


TOLD = (
    "expiry-warned",
    "expired",
    "place-offered",
    "place-lapsed",
    "maintenance-due",
    "task-given",
)


def _due_work() -> None:
    """Let ``due_work`` be the memory of what was done, and ``notice`` what people are told."""
    op.execute("UPDATE due_work SET kind = 'place-lapsed' WHERE kind = 'offer-lapsed'")
    work = sa.table(
        "due_work",
        *(sa.column(name, sa.String) for name in ("kind", "subject", "person_id")),
        *(sa.column(name, UtcDateTime()) for name in ("due_at", "done_at")),
    )
    notice = sa.table(
        "notice",
        *(sa.column(name, sa.String) for name in ("id", "person_id", "code", "subject")),
        *(sa.column(name, UtcDateTime()) for name in ("due_at", "at", "read_at")),
    )
    told = sa.select(work).where(work.c.kind.in_(TOLD), work.c.person_id.is_not(None))
    rows = [
        {
            "id": new_id(),
            "person_id": row.person_id,
            "code": row.kind,
            "subject": row.subject,
            "due_at": row.due_at,
            "at": row.done_at,
        }
        for row in op.get_bind().execute(told)
    ]
    if rows:
        op.get_bind().execute(sa.insert(notice), rows)
    op.drop_index("ix_due_work_person_id", "due_work")
    with op.batch_alter_table("due_work") as batch:
        batch.drop_constraint("fk_due_work_person_id", type_="foreignkey")
        batch.drop_column("person_id")
