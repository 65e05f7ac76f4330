"""The first tables, with the guarantees that the database itself keeps."""

import sqlalchemy as sa
from alembic import op

from fabctl.store.types import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.String(12)
SHA256 = sa.String(64)
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create everything."""
    _people()
    _claims()
    _jobs()
    _records()
    if op.get_bind().dialect.name == "sqlite":
        _keep_apart_in_sqlite()
        _append_only_in_sqlite()
    else:
        _keep_apart_in_postgresql()
        _append_only_in_postgresql()


def _people() -> None:
    op.create_table(
        "person",
        sa.Column("id", ID, nullable=False),
        sa.Column("display_name", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("language", sa.String),
        sa.Column("birth_year", sa.Integer),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
    )
    op.create_table(
        "account",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("suspended_at", UtcDateTime),
        sa.Column("suspended_reason", sa.String),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        _foreign("account", "person_id", "person"),
        sa.UniqueConstraint("person_id", name="uq_account_person_id"),
    )
    _credentials()
    op.create_table(
        "sign_in",
        sa.Column("token_hash", SHA256, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("opened_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sign_in"),
        _foreign("sign_in", "person_id", "person"),
    )
    op.create_index("ix_sign_in_person_id", "sign_in", ["person_id"])
    op.create_table(
        "api_token",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("token_hash", SHA256, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("revoked_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_api_token"),
        _foreign("api_token", "person_id", "person"),
        sa.UniqueConstraint("token_hash", name="uq_api_token_token_hash"),
    )
    op.create_index("ix_api_token_person_id", "api_token", ["person_id"])


def _credentials() -> None:
    op.create_table(
        "credential",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("login", sa.String),
        sa.Column("password_hash", sa.String),
        sa.Column("pin_hash", sa.String),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_credential"),
        _foreign("credential", "person_id", "person"),
        sa.UniqueConstraint("person_id", "kind", name="uq_credential_person_id_kind"),
        sa.UniqueConstraint("login", name="uq_credential_login"),
        sa.UniqueConstraint("pin_hash", name="uq_credential_pin_hash"),
        sa.CheckConstraint(
            "(kind = 'password' AND login IS NOT NULL AND password_hash IS NOT NULL"
            " AND pin_hash IS NULL) OR"
            " (kind = 'pin' AND pin_hash IS NOT NULL AND password_hash IS NULL AND login IS NULL)",
            name=op.f("ck_credential_kind"),
        ),
    )
    op.create_table(
        "wrong_try",
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("in_a_row", sa.Integer, nullable=False),
        sa.Column("in_window", sa.Integer, nullable=False),
        sa.Column("window_began", UtcDateTime),
        sa.Column("last_wrong", UtcDateTime),
        sa.Column("locks", sa.Integer, nullable=False),
        sa.Column("locked_until", UtcDateTime),
        sa.PrimaryKeyConstraint("kind", "subject", name="pk_wrong_try"),
    )


def _claims() -> None:
    op.create_table(
        "resource",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("out_of_order_at", UtcDateTime),
        sa.Column("out_of_order_reason", sa.String),
        sa.Column("retired_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_resource"),
    )
    op.create_table(
        "claim",
        sa.Column("id", ID, nullable=False),
        sa.Column("resource_id", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("start_at", UtcDateTime, nullable=False),
        sa.Column("end_at", UtcDateTime, nullable=False),
        sa.Column("released_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_claim"),
        _foreign("claim", "resource_id", "resource"),
        sa.CheckConstraint("end_at > start_at", name=op.f("ck_claim_ends_after_start")),
    )
    op.create_index("ix_claim_resource_id_start_at", "claim", ["resource_id", "start_at"])
    _reservations()
    op.create_table(
        "certification",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("resource_id", sa.String, nullable=False),
        sa.Column("change", sa.String, nullable=False),
        sa.Column("level", sa.String),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime),
        sa.Column("by", ID),
        sa.Column("reason", sa.String),
        sa.PrimaryKeyConstraint("id", name="pk_certification"),
        _foreign("certification", "person_id", "person"),
        _foreign("certification", "resource_id", "resource"),
        _foreign("certification", "by", "person"),
    )
    op.create_index(
        "ix_certification_person_id_resource_id", "certification", ["person_id", "resource_id"]
    )


def _reservations() -> None:
    op.create_table(
        "reservation",
        sa.Column("id", ID, nullable=False),
        sa.Column("claim_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("made_by", ID, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("cancelled_at", UtcDateTime),
        sa.Column("cancelled_by", ID),
        sa.PrimaryKeyConstraint("id", name="pk_reservation"),
        _foreign("reservation", "claim_id", "claim"),
        _foreign("reservation", "person_id", "person"),
        _foreign("reservation", "account_id", "account"),
        _foreign("reservation", "made_by", "person"),
        _foreign("reservation", "cancelled_by", "person"),
        sa.UniqueConstraint("claim_id", name="uq_reservation_claim_id"),
    )
    op.create_index("ix_reservation_person_id", "reservation", ["person_id"])
    op.create_index("ix_reservation_account_id", "reservation", ["account_id"])


def _jobs() -> None:
    op.create_table(
        "job_file",
        sa.Column("sha256", SHA256, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("lines", sa.Integer, nullable=False),
        sa.Column("commands", sa.Integer, nullable=False),
        sa.Column("stored_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_job_file"),
    )
    op.create_table(
        "job",
        sa.Column("id", ID, nullable=False),
        sa.Column("resource_id", sa.String, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("sha256", SHA256, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("lines", sa.Integer, nullable=False),
        sa.Column("commands", sa.Integer, nullable=False),
        sa.Column("estimate_s", sa.Double),
        sa.Column("report", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("line", sa.Integer),
        sa.Column("trouble", sa.String),
        sa.Column("reason", sa.String),
        sa.Column("boot", sa.String),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("asked_at", UtcDateTime),
        sa.Column("started_at", UtcDateTime),
        sa.Column("ended_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
        _foreign("job", "resource_id", "resource"),
        _foreign("job", "person_id", "person"),
    )
    op.create_index("ix_job_sha256", "job", ["sha256"])
    op.create_index("ix_job_resource_id_state", "job", ["resource_id", "state"])
    op.create_index("ix_job_person_id_created_at", "job", ["person_id", "created_at"])
    _uses()


def _uses() -> None:
    op.create_table(
        "use",
        sa.Column("id", ID, nullable=False),
        sa.Column("resource_id", sa.String, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("reservation_id", ID),
        sa.Column("job_id", ID, nullable=False),
        sa.Column("opened_at", UtcDateTime, nullable=False),
        sa.Column("closed_at", UtcDateTime),
        sa.Column("outcome", sa.String),
        sa.PrimaryKeyConstraint("id", name="pk_use"),
        _foreign("use", "resource_id", "resource"),
        _foreign("use", "person_id", "person"),
        _foreign("use", "account_id", "account"),
        _foreign("use", "reservation_id", "reservation"),
        _foreign("use", "job_id", "job"),
    )
    op.create_index("ix_use_job_id", "use", ["job_id"])
    op.create_index("ix_use_person_id_opened_at", "use", ["person_id", "opened_at"])
    op.create_index(
        "use_one_open",
        "use",
        ["resource_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def _records() -> None:
    op.create_table(
        "machine_event",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("machine", sa.String, nullable=False),
        sa.Column("boot", sa.String, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("at", UtcDateTime),
        sa.Column("synced", sa.Boolean, nullable=False),
        sa.Column("recorded_at", UtcDateTime, nullable=False),
        sa.Column("job_id", sa.String),
        sa.Column("body", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_machine_event"),
        sa.UniqueConstraint("machine", "boot", "seq", name="uq_machine_event_machine_boot_seq"),
    )
    op.create_index("ix_machine_event_job_id", "machine_event", ["job_id"])
    op.create_table(
        "audit",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("who", sa.String),
        sa.Column("what", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_subject", "audit", ["subject"])


def _foreign(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}")


_SQLITE_APART = """
CREATE TRIGGER claim_no_overlap_{verb} BEFORE {event} ON claim
WHEN NEW.released_at IS NULL AND EXISTS (
    SELECT 1 FROM claim AS other
    WHERE other.resource_id = NEW.resource_id AND other.id <> NEW.id
      AND other.released_at IS NULL
      AND other.start_at < NEW.end_at AND NEW.start_at < other.end_at
)
BEGIN
    SELECT RAISE(ABORT, 'claim_no_overlap');
END
"""


def _keep_apart_in_sqlite() -> None:
    for verb, event in (
        ("insert", "INSERT"),
        ("update", "UPDATE OF resource_id, start_at, end_at, released_at"),
    ):
        op.execute(_SQLITE_APART.format(verb=verb, event=event))


def _keep_apart_in_postgresql() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.execute(
        "ALTER TABLE claim ADD CONSTRAINT claim_no_overlap EXCLUDE USING gist"
        " (resource_id WITH =, tstzrange(start_at, end_at) WITH &&) WHERE (released_at IS NULL)"
    )


def _append_only_in_sqlite() -> None:
    for verb in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER audit_append_only_{verb} BEFORE {verb.upper()} ON audit"
            " BEGIN SELECT RAISE(ABORT, 'audit_append_only'); END"
        )


def _append_only_in_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION 'audit_append_only'"
        " USING ERRCODE = 'restrict_violation', CONSTRAINT = 'audit_append_only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
    )
