"""Courses and workshops, with what the database itself keeps: places, one enrolment each."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

from fabctl.store.types import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.String(12)
MARK = sa.String(64)
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables, their indexes and their triggers."""
    _courses()
    _quizzes()
    _progress()
    _presence()
    _workshops()
    _sessions()
    _enrolments()
    _participants()
    _attendance()
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


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def _one(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=True, sqlite_where=where, postgresql_where=where)


def _courses() -> None:
    op.create_table(
        "course",
        _id(),
        _text("level"),
        _number("pass_mark"),
        _flag("first_job"),
        _number("expiry_months", null=True),
        sa.Column("expiry_on", sa.Date),
        _number("unused_months", null=True),
        _moment("created_at"),
        _moment("retired_at", null=True),
        _key("course"),
        _check("course", "pass_mark", "pass_mark BETWEEN 0 AND 100"),
        _check("course", "expiry_months", "expiry_months IS NULL OR expiry_months > 0"),
        _check("course", "unused_months", "unused_months IS NULL OR unused_months > 0"),
    )
    op.create_table(
        "course_wording",
        _id("course_id"),
        _text("language"),
        _text("title"),
        _text("description"),
        _key("course_wording", "course_id", "language"),
        _foreign("course_wording", "course_id", "course"),
    )
    for table in ("course_resource", "course_prerequisite"):
        op.create_table(
            table,
            _id("course_id"),
            _text("resource_id"),
            _key(table, "course_id", "resource_id"),
            _foreign(table, "course_id", "course"),
            _foreign(table, "resource_id", "resource"),
        )


def _quizzes() -> None:
    op.create_table(
        "quiz_question",
        _id(),
        _id("course_id"),
        _number("position"),
        _moment("retired_at", null=True),
        _key("quiz_question"),
        _foreign("quiz_question", "course_id", "course"),
    )
    _index("quiz_question", "course_id")
    op.create_table(
        "quiz_answer",
        _id(),
        _id("question_id"),
        _number("position"),
        _flag("is_right"),
        _key("quiz_answer"),
        _foreign("quiz_answer", "question_id", "quiz_question"),
    )
    _index("quiz_answer", "question_id")
    for table, column, of in (
        ("quiz_question_wording", "question_id", "quiz_question"),
        ("quiz_answer_wording", "answer_id", "quiz_answer"),
    ):
        op.create_table(
            table,
            _id(column),
            _text("language"),
            _text("wording"),
            _key(table, column, "language"),
            _foreign(table, column, of),
        )


def _progress() -> None:
    op.create_table(
        "quiz_attempt",
        sa.Column("id", ROW_NUMBER, nullable=False),
        _id("course_id"),
        _id("person_id"),
        _text("language"),
        _moment("at"),
        _number("right_count"),
        _number("asked"),
        _flag("passed"),
        _key("quiz_attempt"),
        _foreign("quiz_attempt", "course_id", "course"),
        _foreign("quiz_attempt", "person_id", "person"),
    )
    _index("quiz_attempt", "course_id", "person_id")
    op.create_table(
        "course_check",
        sa.Column("id", ROW_NUMBER, nullable=False),
        _id("course_id"),
        _id("person_id"),
        _text("step"),
        _flag("passed"),
        _moment("at"),
        _id("by"),
        _key("course_check"),
        _foreign("course_check", "course_id", "course"),
        _foreign("course_check", "person_id", "person"),
        _foreign("course_check", "by", "person"),
    )
    _index("course_check", "course_id", "person_id")
    op.create_table(
        "certification_grant",
        sa.Column("certification_id", ROW_NUMBER, nullable=False, autoincrement=False),
        _id("course_id", null=True),
        _number("unused_months", null=True),
        _key("certification_grant", "certification_id"),
        _foreign("certification_grant", "certification_id", "certification"),
        _foreign("certification_grant", "course_id", "course"),
    )
    _index("certification_grant", "course_id")


def _presence() -> None:
    op.create_table(
        "lab_presence",
        _id(),
        _id("person_id"),
        _moment("came_at"),
        _moment("left_at", null=True),
        _key("lab_presence"),
        _foreign("lab_presence", "person_id", "person"),
    )
    _index("lab_presence", "person_id", "came_at")
    _one("lab_presence_one_open", "lab_presence", ["person_id"], "left_at IS NULL")
    op.create_table(
        "due_work",
        sa.Column("id", ROW_NUMBER, nullable=False),
        _text("kind"),
        _text("subject"),
        _moment("due_at"),
        _moment("done_at"),
        _id("person_id", null=True),
        _key("due_work"),
        _foreign("due_work", "person_id", "person"),
        sa.UniqueConstraint("kind", "subject", "due_at", name="uq_due_work_kind_subject_due_at"),
    )
    _index("due_work", "person_id")


def _workshops() -> None:
    op.create_table(
        "workshop",
        _id(),
        _text("title"),
        _text("description"),
        _text("bring"),
        _number("places"),
        _number("price_cents"),
        _number("age_least", null=True),
        _number("age_most", null=True),
        _number("accept_hours"),
        _flag("consent_needed"),
        _id("course_id", null=True),
        _moment("created_at"),
        _moment("retired_at", null=True),
        _key("workshop"),
        _foreign("workshop", "course_id", "course"),
        _check("workshop", "places", "places > 0"),
    )
    _index("workshop", "course_id")


def _sessions() -> None:
    op.create_table(
        "workshop_session",
        _id(),
        _id("workshop_id"),
        _id("series_id", null=True),
        _moment("start_at"),
        _moment("end_at"),
        _number("places"),
        _moment("cancelled_at", null=True),
        _text("cancelled_reason", null=True),
        _key("workshop_session"),
        _foreign("workshop_session", "workshop_id", "workshop"),
        _check("workshop_session", "ends_after_start", "end_at > start_at"),
        _check("workshop_session", "places", "places > 0"),
    )
    for column in ("workshop_id", "series_id", "start_at"):
        _index("workshop_session", column)
    op.create_table(
        "session_claim",
        _id("claim_id"),
        _id("session_id"),
        _key("session_claim", "claim_id"),
        _foreign("session_claim", "claim_id", "claim"),
        _foreign("session_claim", "session_id", "workshop_session"),
    )
    _index("session_claim", "session_id")
    op.create_table(
        "session_animator",
        _id("session_id"),
        _id("person_id"),
        _key("session_animator", "session_id", "person_id"),
        _foreign("session_animator", "session_id", "workshop_session"),
        _foreign("session_animator", "person_id", "person"),
    )
    op.create_table(
        "session_opening",
        _id(),
        _id("session_id"),
        _text("resource_id"),
        _moment("opened_at"),
        _id("opened_by"),
        _moment("closed_at", null=True),
        _id("closed_by", null=True),
        _key("session_opening"),
        _foreign("session_opening", "session_id", "workshop_session"),
        _foreign("session_opening", "resource_id", "resource"),
        _foreign("session_opening", "opened_by", "person"),
        _foreign("session_opening", "closed_by", "person"),
    )
    columns = ["session_id", "resource_id"]
    _one("session_opening_one_open", "session_opening", columns, "closed_at IS NULL")


def _enrolments() -> None:
    op.create_table(
        "enrolment",
        _id(),
        _id("session_id"),
        _id("person_id", null=True),
        _id("partner_id", null=True),
        _id("party_id"),
        _text("via"),
        _text("state"),
        _number("rank"),
        _moment("accept_by", null=True),
        _moment("made_at"),
        _id("made_by"),
        _moment("ended_at", null=True),
        _id("ended_by", null=True),
        _moment("passed_at", null=True),
        _id("passed_by", null=True),
        _key("enrolment"),
        _foreign("enrolment", "session_id", "workshop_session"),
        _foreign("enrolment", "person_id", "person"),
        _foreign("enrolment", "partner_id", "account"),
        _foreign("enrolment", "made_by", "person"),
        _foreign("enrolment", "ended_by", "person"),
        _foreign("enrolment", "passed_by", "person"),
        _check("enrolment", "ended", "(state IN ('cancelled', 'lapsed')) = (ended_at IS NOT NULL)"),
        _check("enrolment", "offered", "(state = 'offered') = (accept_by IS NOT NULL)"),
    )
    _index("enrolment", "session_id", "state")
    _index("enrolment", "person_id")
    _index("enrolment", "partner_id")
    _one("enrolment_one_live", "enrolment", ["session_id", "person_id"], "ended_at IS NULL")
    op.create_table(
        "enrolment_needs",
        _id("enrolment_id"),
        _text("needs"),
        _moment("written_at"),
        _key("enrolment_needs", "enrolment_id"),
        _foreign("enrolment_needs", "enrolment_id", "enrolment"),
    )


def _participants() -> None:
    op.create_table(
        "consent_form",
        sa.Column("id", ROW_NUMBER, nullable=False),
        _id("person_id"),
        _text("signed_by"),
        _flag("takes_part"),
        _flag("image_rights"),
        _text("guardian_name"),
        _text("guardian_phone"),
        _moment("given_at"),
        _id("recorded_by"),
        _key("consent_form"),
        _foreign("consent_form", "person_id", "person"),
        _foreign("consent_form", "recorded_by", "person"),
    )
    _index("consent_form", "person_id")
    op.create_table(
        "guardianship",
        _id("guardian_id"),
        _id("child_id"),
        _moment("since"),
        _key("guardianship", "guardian_id", "child_id"),
        _foreign("guardianship", "guardian_id", "person"),
        _foreign("guardianship", "child_id", "person"),
    )
    _index("guardianship", "child_id")
    op.create_table(
        "birth_date",
        _id("person_id"),
        sa.Column("born_on", sa.Date, nullable=False),
        _key("birth_date", "person_id"),
        _foreign("birth_date", "person_id", "person"),
    )
    op.create_table(
        "partner_member",
        _id("account_id"),
        _id("person_id"),
        _key("partner_member", "account_id", "person_id"),
        _foreign("partner_member", "account_id", "account"),
        _foreign("partner_member", "person_id", "person"),
    )


def _attendance() -> None:
    op.create_table(
        "attendance_mark",
        sa.Column("id", MARK, nullable=False),
        _id("enrolment_id"),
        _text("presence", null=True),
        sa.Column("undoes", MARK),
        _moment("at"),
        _moment("recorded_at"),
        _id("by"),
        _key("attendance_mark"),
        _foreign("attendance_mark", "enrolment_id", "enrolment"),
        _foreign("attendance_mark", "by", "person"),
    )
    _index("attendance_mark", "enrolment_id")
    op.create_table(
        "certificate",
        _id(),
        _id("enrolment_id"),
        _id("person_id"),
        _moment("issued_at"),
        _id("issued_by"),
        _key("certificate"),
        _foreign("certificate", "enrolment_id", "enrolment"),
        _foreign("certificate", "person_id", "person"),
        _foreign("certificate", "issued_by", "person"),
        sa.UniqueConstraint("enrolment_id", name="uq_certificate_enrolment_id"),
    )
    _index("certificate", "person_id")


HOLDS = "('confirmed', 'offered')"
FACTS = "person_id, resource_id, change, level, at, expires_at"

_SQLITE_ENROLMENT = """
CREATE TRIGGER session_places_{verb} BEFORE {event} ON enrolment
WHEN NEW.state IN {holds} AND (
    SELECT count(*) FROM enrolment AS other
    WHERE other.session_id = NEW.session_id AND other.id <> NEW.id AND other.state IN {holds}
) >= (SELECT places FROM workshop_session WHERE id = NEW.session_id)
BEGIN
    SELECT RAISE(ABORT, 'session_places');
END
"""
_SQLITE_SESSION = """
CREATE TRIGGER session_places_fewer BEFORE UPDATE OF places ON workshop_session
WHEN NEW.places < (
    SELECT count(*) FROM enrolment WHERE session_id = NEW.id AND state IN {holds}
)
BEGIN
    SELECT RAISE(ABORT, 'session_places');
END
"""


def _guarantees_in_sqlite() -> None:
    for verb, event in (("insert", "INSERT"), ("update", "UPDATE OF session_id, state")):
        op.execute(_SQLITE_ENROLMENT.format(verb=verb, event=event, holds=HOLDS))
    op.execute(_SQLITE_SESSION.format(holds=HOLDS))
    for verb, event in (("update", f"UPDATE OF {FACTS}"), ("delete", "DELETE")):
        op.execute(
            f"CREATE TRIGGER certification_append_only_{verb} BEFORE {event} ON certification"
            " BEGIN SELECT RAISE(ABORT, 'certification_append_only'); END"
        )


# The session's row is locked first: two that count at once would both find the last place free.
_POSTGRESQL_PLACES = """
CREATE FUNCTION session_places() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    most integer;
    held integer;
BEGIN
    IF TG_TABLE_NAME = 'workshop_session' THEN
        SELECT count(*) INTO held FROM enrolment
        WHERE session_id = NEW.id AND state IN {holds};
        most := NEW.places;
    ELSE
        IF NEW.state NOT IN {holds} THEN
            RETURN NEW;
        END IF;
        SELECT places INTO most FROM workshop_session WHERE id = NEW.session_id
        FOR NO KEY UPDATE;
        SELECT count(*) + 1 INTO held FROM enrolment
        WHERE session_id = NEW.session_id AND id <> NEW.id AND state IN {holds};
    END IF;
    IF held > most THEN
        RAISE EXCEPTION 'session_places'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'session_places';
    END IF;
    RETURN NEW;
END $$
"""


def _guarantees_in_postgresql() -> None:
    op.execute(_POSTGRESQL_PLACES.format(holds=HOLDS))
    op.execute(
        "CREATE TRIGGER session_places BEFORE INSERT OR UPDATE OF session_id, state ON enrolment"
        " FOR EACH ROW EXECUTE FUNCTION session_places()"
    )
    op.execute(
        "CREATE TRIGGER session_places_fewer BEFORE UPDATE OF places ON workshop_session"
        " FOR EACH ROW EXECUTE FUNCTION session_places()"
    )
    op.execute(
        "CREATE FUNCTION certification_append_only() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION 'certification_append_only'"
        " USING ERRCODE = 'restrict_violation', CONSTRAINT = 'certification_append_only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER certification_append_only BEFORE DELETE OR UPDATE OF {FACTS}"
        " ON certification FOR EACH STATEMENT EXECUTE FUNCTION certification_append_only()"
    )
