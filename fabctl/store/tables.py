"""The tables. Their guarantees (triggers, exclusion constraints) stand in the migrations.

Ids are text: 12 random characters, except a resource's, which is the machine's in lab.toml.
Every instant is UTC. Rows of history (certification, audit, machine_event,
interlock_event) are only ever added.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, validates

from fabctl.model.people import search_name
from fabctl.store.ids import ID_LENGTH
from fabctl.store.types import OrderedText, PlainText, UtcDateTime

_Id = PlainText(ID_LENGTH)
_Sha256 = PlainText(64)
_Count = BigInteger().with_variant(Integer, "sqlite")
"""A row number; SQLite counts only a column of the type INTEGER up by itself."""


class Base(DeclarativeBase):
    """The root of all tables; names of constraints are fixed, errors are told apart by them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime(),
        str: PlainText(),
    }


class Person(Base):
    """Somebody who acts."""

    __tablename__ = "person"
    __table_args__ = (Index(None, "search_name", "id"),)

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    display_name: Mapped[str]
    search_name: Mapped[str] = mapped_column(
        OrderedText(),
        default=lambda row: search_name(row.get_current_parameters()["display_name"]),
        server_default="",
    )
    """The name as it is searched and ordered; it follows the name by itself."""
    role: Mapped[str]
    language: Mapped[str | None]
    birth_year: Mapped[int | None]
    created_at: Mapped[datetime]

    @validates("display_name")
    def _renamed(self, _field: str, name: str) -> str:
        self.search_name = search_name(name)
        return name


class Account(Base):
    """What is charged and counted: a person's own, or a group's."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    person_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"), unique=True)
    """The owner of a person's own account; NULL for a group's."""
    group_kind: Mapped[str | None]
    """``collective``, ``partner`` or ``association``; NULL for a person's own."""
    name: Mapped[str]
    created_at: Mapped[datetime]
    suspended_at: Mapped[datetime | None]
    suspended_reason: Mapped[str | None]


class Credential(Base):
    """A way to sign in: a password (argon2id) with its login, or a PIN (keyed hash)."""

    __tablename__ = "credential"
    __table_args__ = (
        UniqueConstraint("person_id", "kind"),
        UniqueConstraint("login"),
        UniqueConstraint("pin_hash"),
        CheckConstraint(
            "(kind = 'password' AND login IS NOT NULL AND password_hash IS NOT NULL"
            " AND pin_hash IS NULL) OR"
            " (kind = 'pin' AND pin_hash IS NOT NULL AND password_hash IS NULL AND login IS NULL)",
            name="kind",
        ),
    )

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str]
    login: Mapped[str | None]
    password_hash: Mapped[str | None]
    pin_hash: Mapped[str | None]
    changed_at: Mapped[datetime]


class WrongTry(Base):
    """Wrong PINs of one device, wrong passwords of one login."""

    __tablename__ = "wrong_try"

    kind: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    in_a_row: Mapped[int]
    in_window: Mapped[int]
    window_began: Mapped[datetime | None]
    last_wrong: Mapped[datetime | None]
    locks: Mapped[int]
    locked_until: Mapped[datetime | None]


class Resource(Base):
    """What can be claimed: every machine of lab.toml, spaces and seats.

    Resources nest. Each has a range of whole numbers (``place_from`` ≤ n < ``place_to``) that lies
    within its parent's and apart from its siblings', so that two resources are in each other's way
    exactly when their ranges overlap. :mod:`fabctl.services.resources` gives them out.
    """

    __tablename__ = "resource"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    """``machine``, ``space`` or ``seat``."""
    category: Mapped[str] = mapped_column(default="")
    """What policies go by; a machine's is its kind in lab.toml (``printer``, ``laser``)."""
    position: Mapped[int]
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("resource.id"))
    place_from: Mapped[int] = mapped_column(BigInteger, default=0)
    place_to: Mapped[int] = mapped_column(BigInteger, default=0)
    out_of_order_at: Mapped[datetime | None]
    out_of_order_reason: Mapped[str | None]
    retired_at: Mapped[datetime | None]
    """Since when lab.toml does not name it any more; its history stays."""


class Claim(Base):
    """A stretch of time on a resource, of whatever kind. Live ones never overlap."""

    __tablename__ = "claim"
    __table_args__ = (
        CheckConstraint("end_at > start_at", name="ends_after_start"),
        Index("ix_claim_end_at", "end_at"),
        Index("ix_claim_free_at", "free_at"),
        Index("ix_claim_resource_id_end_at", "resource_id", "end_at"),
        Index("ix_claim_resource_id_free_at", "resource_id", "free_at"),
        CheckConstraint("free_at >= end_at", name="free_after_end"),
    )

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"))
    kind: Mapped[str]
    """``reservation``, ``workshop``, ``maintenance``, ``closure`` or ``offer``."""
    start_at: Mapped[datetime]
    end_at: Mapped[datetime]
    free_at: Mapped[datetime | None]
    """Until when cleaning up keeps the resource; NULL: nothing after ``end_at``."""
    note: Mapped[str | None]
    """What a closure or maintenance is for; the staff's words."""
    released_at: Mapped[datetime | None]
    """When it stopped being live; NULL while it is."""
    place_from: Mapped[int] = mapped_column(BigInteger, default=0)
    place_to: Mapped[int] = mapped_column(BigInteger, default=0)
    """A copy of the resource's that PostgreSQL's trigger writes, whatever was asked: an exclusion
    constraint sees one row. SQLite's triggers look at the resource, and leave these alone."""


class Reservation(Base):
    """A claim that a person holds."""

    __tablename__ = "reservation"

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    claim_id: Mapped[str] = mapped_column(ForeignKey("claim.id"), unique=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    made_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    cancelled_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    checked_in_at: Mapped[datetime | None]
    no_show_at: Mapped[datetime | None]
    """When the slot was released because nobody came."""
    stopped_at: Mapped[datetime | None]
    """When its person said that they are done, before the end."""
    series_id: Mapped[str | None] = mapped_column(_Id, index=True)
    """The same for all dates of a weekly series."""
    outside_hours: Mapped[bool] = mapped_column(default=False)
    """Whether the staff let somebody book while the lab is closed: it is open for them then."""


class Certification(Base):
    """One row of the history of a person's certification on a machine."""

    __tablename__ = "certification"
    __table_args__ = (Index("ix_certification_person_id_resource_id", "person_id", "resource_id"),)

    id: Mapped[int] = mapped_column(_Count, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"))
    change: Mapped[str]
    level: Mapped[str | None]
    at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    """NULL: the command line or the demo's seed."""
    reason: Mapped[str | None]


class JobFile(Base):
    """A G-code file on disk, named by its SHA-256; gone from disk means gone from here."""

    __tablename__ = "job_file"

    sha256: Mapped[str] = mapped_column(_Sha256, primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    lines: Mapped[int]
    commands: Mapped[int]
    stored_at: Mapped[datetime]


class Job(Base):
    """One file for one machine, from its upload to its end."""

    __tablename__ = "job"
    __table_args__ = (
        Index("ix_job_resource_id_state", "resource_id", "state"),
        Index("ix_job_person_id_created_at", "person_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(_Sha256, index=True)
    """Kept after the file itself is forgotten, so no foreign key."""
    size: Mapped[int] = mapped_column(BigInteger)
    lines: Mapped[int]
    commands: Mapped[int]
    estimate_s: Mapped[float | None]
    report: Mapped[str]
    state: Mapped[str]
    line: Mapped[int | None]
    trouble: Mapped[str | None]
    reason: Mapped[str | None]
    boot: Mapped[str | None]
    seq: Mapped[int]
    created_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Use(Base):
    """Who had a machine, from when to when. One open use (closed_at NULL) per machine."""

    __tablename__ = "use"
    __table_args__ = (
        Index(
            "use_one_open",
            "resource_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_use_person_id_opened_at", "person_id", "opened_at"),
        Index("ix_use_resource_id_opened_at", "resource_id", "opened_at"),
        Index("ix_use_resource_id_closed_at", "resource_id", "closed_at"),
    )

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    reservation_id: Mapped[str | None] = mapped_column(ForeignKey("reservation.id"))
    job_id: Mapped[str | None] = mapped_column(ForeignKey("job.id"), index=True)
    """NULL: a person said that they use the machine; jobs may run within it."""
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    """How it ended: ``finished``, ``stopped``, ``failed``, ``interrupted`` in the machine's words;
    else ``refused``, ``unanswered``, ``released``, and ``permission-ended`` without a job.
    """
    ran_s: Mapped[float | None]
    """Seconds that the interlock counted as work (running, draining); NULL: it never said any."""


class PermitSerial(Base):
    """How far the serials of a machine's permits were given out, so that none is used twice."""

    __tablename__ = "permit_serial"

    machine: Mapped[str] = mapped_column(primary_key=True)
    given_to: Mapped[int] = mapped_column(BigInteger)


class MachineEventRow(Base):
    """One event as a machine reported it."""

    __tablename__ = "machine_event"
    __table_args__ = (UniqueConstraint("machine", "boot", "seq"),)

    id: Mapped[int] = mapped_column(_Count, primary_key=True)
    machine: Mapped[str]
    boot: Mapped[str]
    seq: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    at: Mapped[datetime | None]
    synced: Mapped[bool]
    recorded_at: Mapped[datetime]
    job_id: Mapped[str | None] = mapped_column(index=True)
    """Not a foreign key: a machine may speak of a job that a restored backup does not know."""
    body: Mapped[dict[str, Any]] = mapped_column(JSON)


class InterlockEventRow(Base):
    """One line of an interlock's history. The database refuses to change or delete it."""

    __tablename__ = "interlock_event"
    __table_args__ = (
        UniqueConstraint("machine", "boot", "seq"),
        Index("ix_interlock_event_machine_happened_at", "machine", "happened_at"),
        Index("ix_interlock_event_happened_at", "happened_at"),
    )

    id: Mapped[int] = mapped_column(_Count, primary_key=True)
    machine: Mapped[str]
    boot: Mapped[str]
    seq: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    happened_at: Mapped[datetime]
    """By the machine's clock where that was right, else when it was recorded."""
    synced: Mapped[bool]
    recorded_at: Mapped[datetime]
    code: Mapped[str | None]
    """What tripped, the fault, or why a permit was refused."""
    count: Mapped[int | None]
    reason: Mapped[str | None]
    seconds: Mapped[float | None]
    job_id: Mapped[str | None]
    use_id: Mapped[str | None]
    person_id: Mapped[str | None]
    """Not foreign keys: a machine may speak of what a restored backup does not know."""


class SignIn(Base):
    """A browser in which somebody is signed in; only the token's SHA-256 is kept."""

    __tablename__ = "sign_in"

    token_hash: Mapped[str] = mapped_column(_Sha256, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[str]
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class ApiToken(Base):
    """A personal token for the API; only its SHA-256 is kept."""

    __tablename__ = "api_token"

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    name: Mapped[str]
    token_hash: Mapped[str] = mapped_column(_Sha256, unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Audit(Base):
    """Who did what to what. The database refuses to change or delete a line."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(_Count, primary_key=True)
    at: Mapped[datetime]
    who: Mapped[str | None]
    """A person's id; NULL: nobody signed in, the steward, or a machine's own report."""
    what: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
