"""Booking: resources that nest, clean-up, check-in, pools, policies, hours, waiting, feeds."""

import sqlalchemy as sa
from alembic import op

from fabctl.store.types import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.String(12)


def upgrade() -> None:
    """Add everything; what is there becomes machines without parents."""
    _columns()
    _tables()
    _waiting()
    _about_people()
    if op.get_bind().dialect.name == "sqlite":
        _keep_apart_in_sqlite()
    else:
        _keep_apart_in_postgresql()


_PARENT = "CONSTRAINT fk_resource_parent_id REFERENCES resource (id)"


def _columns() -> None:
    # ALTER TABLE in words: alembic would copy SQLite's tables, and lose their triggers
    for statement in (
        "ALTER TABLE resource ADD COLUMN category VARCHAR NOT NULL DEFAULT ''",
        f"ALTER TABLE resource ADD COLUMN parent_id VARCHAR {_PARENT}",
        "ALTER TABLE resource ADD COLUMN place_from BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE resource ADD COLUMN place_to BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE claim ADD COLUMN note VARCHAR",
        "ALTER TABLE claim ADD COLUMN place_from BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE claim ADD COLUMN place_to BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE reservation ADD COLUMN series_id VARCHAR(12)",
        "UPDATE resource SET category = kind, kind = 'machine'",
    ):
        op.execute(statement)
    for column in ("checked_in_at", "no_show_at", "stopped_at"):
        op.add_column("reservation", sa.Column(column, UtcDateTime))
    # nobody could check in before now: what has begun is no no-show
    op.execute(
        "UPDATE reservation SET checked_in_at = created_at WHERE claim_id IN"
        " (SELECT id FROM claim WHERE start_at <= CURRENT_TIMESTAMP)"
    )
    instant = "DATETIME" if op.get_bind().dialect.name == "sqlite" else "TIMESTAMP WITH TIME ZONE"
    op.execute(
        f"ALTER TABLE claim ADD COLUMN free_at {instant}"
        " CONSTRAINT ck_claim_free_after_end CHECK (free_at >= end_at)"
    )
    op.create_index("ix_reservation_series_id", "reservation", ["series_id"])
    op.create_index("ix_claim_resource_id_end_at", "claim", ["resource_id", "end_at"])
    op.create_index("ix_claim_resource_id_free_at", "claim", ["resource_id", "free_at"])
    # 2^40 whole numbers for each, as fabctl.services.resources gives to what has no parent
    op.execute(
        "UPDATE resource SET place_from = 1099511627776"
        " * (SELECT COUNT(*) FROM resource AS other WHERE other.id < resource.id)"
    )
    op.execute("UPDATE resource SET place_to = place_from + 1099511627776")


def _tables() -> None:
    op.create_table(
        "pool",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pool"),
    )
    op.create_table(
        "pool_member",
        sa.Column("pool_id", sa.String, nullable=False),
        sa.Column("resource_id", sa.String, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("pool_id", "resource_id", name="pk_pool_member"),
        _foreign("pool_member", "pool_id", "pool"),
        _foreign("pool_member", "resource_id", "resource"),
    )
    op.create_table(
        "policy",
        sa.Column("reach", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("numbers", sa.JSON, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("reach", "subject", name="pk_policy"),
    )
    op.create_table(
        "opening_period",
        sa.Column("id", ID, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("weekday", sa.Integer, nullable=False),
        sa.Column("opens_min", sa.Integer, nullable=False),
        sa.Column("closes_min", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_opening_period"),
        sa.UniqueConstraint(
            "subject", "weekday", "opens_min", name="uq_opening_period_subject_weekday_opens_min"
        ),
    )
    op.create_table(
        "opening_exception",
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("periods", sa.JSON, nullable=False),
        sa.Column("reason", sa.String),
        sa.PrimaryKeyConstraint("subject", "day", name="pk_opening_exception"),
    )


def _waiting() -> None:
    op.create_table(
        "waiting",
        sa.Column("id", ID, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("resource_id", sa.String, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("start_at", UtcDateTime, nullable=False),
        sa.Column("end_at", UtcDateTime, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("claim_id", ID),
        sa.Column("answer_until", UtcDateTime),
        sa.Column("settled_at", UtcDateTime),
        sa.Column("outcome", sa.String),
        sa.PrimaryKeyConstraint("id", name="pk_waiting"),
        _foreign("waiting", "resource_id", "resource"),
        _foreign("waiting", "person_id", "person"),
        _foreign("waiting", "claim_id", "claim"),
        sa.UniqueConstraint("claim_id", name="uq_waiting_claim_id"),
    )
    op.create_index("ix_waiting_resource_id_settled_at", "waiting", ["resource_id", "settled_at"])
    op.create_index("ix_waiting_person_id", "waiting", ["person_id"])


def _about_people() -> None:
    op.create_table(
        "feed",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("revoked_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_feed"),
        _foreign("feed", "person_id", "person"),
        sa.UniqueConstraint("token_hash", name="uq_feed_token_hash"),
    )
    op.create_index("ix_feed_person_id", "feed", ["person_id"])
    op.create_table(
        "booking_notice",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("code", sa.String, nullable=False),
        sa.Column("resource_id", sa.String, nullable=False),
        sa.Column("start_at", UtcDateTime, nullable=False),
        sa.Column("end_at", UtcDateTime, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("read_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_booking_notice"),
        _foreign("booking_notice", "person_id", "person"),
        _foreign("booking_notice", "resource_id", "resource"),
    )
    op.create_index(
        "ix_booking_notice_person_id_read_at", "booking_notice", ["person_id", "read_at"]
    )


def _foreign(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}")


_SQLITE_APART = """
CREATE TRIGGER claim_no_overlap_{verb} BEFORE {event} ON claim
WHEN NEW.released_at IS NULL AND EXISTS (
    SELECT 1 FROM resource AS mine
    JOIN resource AS theirs ON theirs.id = mine.id
      OR (theirs.place_from < mine.place_to AND mine.place_from < theirs.place_to)
    JOIN claim AS other ON other.resource_id = theirs.id
    WHERE mine.id = NEW.resource_id AND other.id <> NEW.id AND other.released_at IS NULL
      AND other.start_at < COALESCE(NEW.free_at, NEW.end_at)
      AND (other.end_at > NEW.start_at OR other.free_at > NEW.start_at)
)
BEGIN
    SELECT RAISE(ABORT, 'claim_no_overlap');
END
"""
_SQLITE_MOVED = """
CREATE TRIGGER claim_no_overlap_nested AFTER UPDATE OF place_from, place_to ON resource
WHEN EXISTS (
    SELECT 1 FROM claim AS one JOIN claim AS other ON other.id <> one.id
    JOIN resource AS theirs ON theirs.id = other.resource_id
    WHERE one.resource_id = NEW.id AND one.released_at IS NULL AND other.released_at IS NULL
      AND theirs.place_from < NEW.place_to AND NEW.place_from < theirs.place_to
      AND other.start_at < COALESCE(one.free_at, one.end_at)
      AND one.start_at < COALESCE(other.free_at, other.end_at)
)
BEGIN
    SELECT RAISE(ABORT, 'claim_no_overlap');
END
"""


def _keep_apart_in_sqlite() -> None:
    for verb, event in (
        ("insert", "INSERT"),
        ("update", "UPDATE OF resource_id, start_at, end_at, free_at, released_at"),
    ):
        op.execute(f"DROP TRIGGER claim_no_overlap_{verb}")
        op.execute(_SQLITE_APART.format(verb=verb, event=event))
    op.execute(_SQLITE_MOVED)


def _keep_apart_in_postgresql() -> None:
    op.execute(
        "UPDATE claim SET place_from = resource.place_from, place_to = resource.place_to"
        " FROM resource WHERE resource.id = claim.resource_id"
    )
    op.execute("ALTER TABLE claim DROP CONSTRAINT claim_no_overlap")
    span = "tstzrange(start_at, COALESCE(free_at, end_at))"
    for name, same in (
        ("claim_no_overlap", "resource_id WITH ="),
        ("claim_no_overlap_nested", "int8range(place_from, place_to) WITH &&"),
    ):
        op.execute(
            f"ALTER TABLE claim ADD CONSTRAINT {name} EXCLUDE USING gist"
            f" ({same}, {span} WITH &&) WHERE (released_at IS NULL)"
        )
    op.execute(
        "CREATE FUNCTION claim_place() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        # the lock lets no resource change its place before this claim is kept
        " SELECT place_from, place_to INTO NEW.place_from, NEW.place_to"
        " FROM resource WHERE id = NEW.resource_id FOR SHARE; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER claim_place BEFORE INSERT OR UPDATE ON claim"
        " FOR EACH ROW EXECUTE FUNCTION claim_place()"
    )
    op.execute(
        "CREATE FUNCTION resource_moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " UPDATE claim SET place_from = NEW.place_from WHERE resource_id = NEW.id;"
        " RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER resource_moved AFTER UPDATE OF place_from, place_to ON resource"
        " FOR EACH ROW EXECUTE FUNCTION resource_moved()"
    )
