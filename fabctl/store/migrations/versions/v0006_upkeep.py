"""After use: answers, problem reports, stops, tasks, planned maintenance."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

from fabctl.store.ids import new_id
from fabctl.store.types import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.String(12)


def upgrade() -> None:
    """Create the tables and what guards them; carry over what is out of order now."""
    _uses()
    _problems()
    _stops()
    _plans()
    _tasks()
    _done()
    _carry_over()
    for table, name in (("use", "opened_at"), ("use", "closed_at")):
        _index(table, "resource_id", name)
    if op.get_bind().dialect.name == "sqlite":
        _guarantees_in_sqlite()
    else:
        _guarantees_in_postgresql()


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=null)


def _number(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=null)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _id(name: str = "id", *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, ID, nullable=null)


def _moment(name: str, *, null: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, UtcDateTime(), nullable=null)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*(columns or ("id",)), name=f"pk_{table}")


def _foreign(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}")


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=f"uq_{table}_{'_'.join(columns)}")


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def _uses() -> None:
    op.create_table(
        "use_answer",
        _id("use_id"),
        _flag("clean"),
        _flag("sound"),
        _id("person_id"),
        _moment("at"),
        _key("use_answer", "use_id"),
        _foreign("use_answer", "use_id", "use"),
        _foreign("use_answer", "person_id", "person"),
    )
    op.create_table(
        "use_material",
        _id("use_id"),
        _text("material"),
        _key("use_material", "use_id"),
        _foreign("use_material", "use_id", "use"),
    )


def _problems() -> None:
    table = "problem_report"
    op.create_table(
        table,
        _id(),
        _text("resource_id"),
        _id("use_id", null=True),
        _id("person_id", null=True),
        _text("kind"),
        _flag("by_answer"),
        _text("summary"),
        _text("details"),
        _moment("at"),
        _moment("settled_at", null=True),
        _id("settled_by", null=True),
        _text("outcome", null=True),
        _key(table),
        _foreign(table, "resource_id", "resource"),
        _foreign(table, "use_id", "use"),
        _foreign(table, "person_id", "person"),
        _foreign(table, "settled_by", "person"),
        _check(table, "by_answer", "NOT by_answer OR use_id IS NOT NULL"),
    )
    _index(table, "resource_id", "at")
    _index(table, "person_id")
    _index(table, "settled_at")
    answers = sa.text("by_answer")
    op.create_index(
        "problem_report_one_answer",
        table,
        ["use_id", "kind"],
        unique=True,
        sqlite_where=answers,
        postgresql_where=answers,
    )


def _stops() -> None:
    table = "machine_stop"
    op.create_table(
        table,
        _id(),
        _text("resource_id"),
        _id("report_id", null=True),
        _text("reason"),
        _text("next_step", null=True),
        _moment("began_at"),
        _moment("ended_at", null=True),
        _key(table),
        _unique(table, "report_id"),
        _foreign(table, "resource_id", "resource"),
        _foreign(table, "report_id", "problem_report"),
    )
    _index(table, "resource_id", "ended_at")


def _plans() -> None:
    table = "maintenance_plan"
    op.create_table(
        table,
        _id(),
        _text("resource_id"),
        _text("title"),
        _text("instructions"),
        sa.Column("every_hours", sa.Float, nullable=False),
        _id("owner_id"),
        _moment("counted_from"),
        _number("cycle"),
        _moment("created_at"),
        _moment("ended_at", null=True),
        _key(table),
        _foreign(table, "resource_id", "resource"),
        _foreign(table, "owner_id", "person"),
        _check(table, "every_hours", "every_hours > 0"),
    )
    _index(table, "resource_id")


def _tasks() -> None:
    table = "upkeep_task"
    op.create_table(
        table,
        _id(),
        _text("resource_id", null=True),
        _id("report_id", null=True),
        _id("plan_id", null=True),
        _number("cycle", null=True),
        _text("title"),
        _text("details"),
        _id("owner_id"),
        _moment("due_at", null=True),
        _moment("created_at"),
        _moment("ended_at", null=True),
        _id("ended_by", null=True),
        _text("outcome", null=True),
        _text("note", null=True),
        _key(table),
        _unique(table, "plan_id", "cycle"),
        _foreign(table, "resource_id", "resource"),
        _foreign(table, "report_id", "problem_report"),
        _foreign(table, "plan_id", "maintenance_plan"),
        _foreign(table, "owner_id", "person"),
        _foreign(table, "ended_by", "person"),
        _check(table, "cycle", "(plan_id IS NULL) = (cycle IS NULL)"),
        _check(table, "outcome", "(ended_at IS NULL) = (outcome IS NULL)"),
    )
    _index(table, "owner_id", "ended_at")


def _done() -> None:
    table = "maintenance_done"
    op.create_table(
        table,
        _id("plan_id"),
        _number("cycle"),
        _moment("done_at"),
        _moment("noted_at"),
        _id("person_id", null=True),
        sa.Column("hours", sa.Float, nullable=False),
        _text("note"),
        _key(table, "plan_id", "cycle"),
        _foreign(table, "plan_id", "maintenance_plan"),
        _foreign(table, "person_id", "person"),
    )


def _carry_over() -> None:
    """Give what is out of order now a stop of its own."""
    bind = op.get_bind()
    found = bind.execute(
        sa.text(
            "SELECT id, out_of_order_reason, out_of_order_at FROM resource"
            " WHERE out_of_order_at IS NOT NULL"
        )
    ).all()
    for resource, reason, since in found:
        bind.execute(
            sa.text(
                "INSERT INTO machine_stop (id, resource_id, reason, began_at)"
                " VALUES (:id, :resource, :reason, :since)"
            ),
            {"id": new_id(), "resource": resource, "reason": reason or "", "since": since},
        )


SAYS = "id, resource_id, use_id, kind, by_answer, summary, details, at"
GUARDED = (
    ("problem_report", f"UPDATE OF {SAYS}"),
    ("maintenance_done", "UPDATE"),
)


def _guarantees_in_sqlite() -> None:
    for table, change in GUARDED:
        for verb, event in (("update", change), ("delete", "DELETE")):
            op.execute(
                f"CREATE TRIGGER {table}_append_only_{verb} BEFORE {event} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table}_append_only'); END"
            )


def _guarantees_in_postgresql() -> None:
    for table, change in GUARDED:
        op.execute(
            f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS $$"
            f" BEGIN RAISE EXCEPTION '{table}_append_only'"
            f" USING ERRCODE = 'restrict_violation', CONSTRAINT = '{table}_append_only'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE DELETE OR {change}"
            f" ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
        )
