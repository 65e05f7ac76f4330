"""Tables of workshops: sessions, enrolments, consents, attendance, certificates.

A session's claims on machines and spaces are rows of ``claim`` like everybody's.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from fabctl.store.ids import ID_LENGTH
from fabctl.store.tables import Base
from fabctl.store.types import PlainText

_Id = PlainText(ID_LENGTH)
_Mark = PlainText(64)
_Count = BigInteger().with_variant(Integer, "sqlite")


class Workshop(Base):
    """What is offered, again and again; a course's training is one too."""

    __tablename__ = "workshop"
    __table_args__ = (CheckConstraint("places > 0", name="places"),)

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    title: Mapped[str]
    description: Mapped[str]
    bring: Mapped[str]
    places: Mapped[int]
    """Of a session, where it does not say otherwise."""
    price_cents: Mapped[int]
    """0: free."""
    age_least: Mapped[int | None]
    age_most: Mapped[int | None]
    accept_hours: Mapped[int]
    """So long somebody has to accept a place that became free."""
    consent_needed: Mapped[bool]
    course_id: Mapped[str | None] = mapped_column(ForeignKey("course.id"), index=True)
    """Whoever passes is certified by this course."""
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class WorkshopSession(Base):
    """One meeting. Those who hold a place are never more than its places (a trigger)."""

    __tablename__ = "workshop_session"
    __table_args__ = (
        CheckConstraint("end_at > start_at", name="ends_after_start"),
        CheckConstraint("places > 0", name="places"),
        Index("ix_workshop_session_start_at", "start_at"),
    )

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    workshop_id: Mapped[str] = mapped_column(ForeignKey("workshop.id"), index=True)
    series_id: Mapped[str | None] = mapped_column(_Id, index=True)
    """The same for all that were made as one series."""
    start_at: Mapped[datetime]
    end_at: Mapped[datetime]
    places: Mapped[int]
    cancelled_at: Mapped[datetime | None]
    cancelled_reason: Mapped[str | None]


class SessionClaim(Base):
    """A claim that a session holds."""

    __tablename__ = "session_claim"

    claim_id: Mapped[str] = mapped_column(ForeignKey("claim.id"), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("workshop_session.id"), index=True)


class SessionAnimator(Base):
    """Somebody who leads a session."""

    __tablename__ = "session_animator"

    session_id: Mapped[str] = mapped_column(ForeignKey("workshop_session.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)


class SessionOpening(Base):
    """A machine that was opened for a session's group."""

    __tablename__ = "session_opening"
    __table_args__ = (
        Index(
            "session_opening_one_open",
            "session_id",
            "resource_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("workshop_session.id"))
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"))
    opened_at: Mapped[datetime]
    opened_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))


class SessionNote(Base):
    """What somebody who led a session wrote down. Deleted after a year."""

    __tablename__ = "session_note"

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("workshop_session.id"), index=True)
    words: Mapped[str]
    written_at: Mapped[datetime] = mapped_column(index=True)
    written_by: Mapped[str] = mapped_column(ForeignKey("person.id"))


class Enrolment(Base):
    """One place in a session, held or waited for. One live row per person and session."""

    __tablename__ = "enrolment"
    __table_args__ = (
        Index(
            "enrolment_one_live",
            "session_id",
            "person_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_enrolment_session_id_state", "session_id", "state"),
        Index("ix_enrolment_person_id", "person_id"),
        CheckConstraint(
            "(state IN ('cancelled', 'lapsed')) = (ended_at IS NOT NULL)", name="ended"
        ),
        CheckConstraint("(state = 'offered') = (accept_by IS NOT NULL)", name="offered"),
    )

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("workshop_session.id"))
    person_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    """NULL: a partner holds the place and gives the name later."""
    partner_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"), index=True)
    party_id: Mapped[str] = mapped_column(_Id)
    """The same for all who are placed together or not at all."""
    via: Mapped[str]
    state: Mapped[str]
    rank: Mapped[int]
    """Who came first to this session; a party has one."""
    accept_by: Mapped[datetime | None]
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    passed_at: Mapped[datetime | None]
    passed_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))


class EnrolmentNeeds(Base):
    """Allergies or needs, in the person's words. Deleted after the session."""

    __tablename__ = "enrolment_needs"

    enrolment_id: Mapped[str] = mapped_column(ForeignKey("enrolment.id"), primary_key=True)
    needs: Mapped[str]
    written_at: Mapped[datetime]


class ConsentForm(Base):
    """A signed consent; the last one of a person counts."""

    __tablename__ = "consent_form"

    id: Mapped[int] = mapped_column(_Count, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    signed_by: Mapped[str]
    takes_part: Mapped[bool]
    image_rights: Mapped[bool]
    guardian_name: Mapped[str]
    guardian_phone: Mapped[str]
    given_at: Mapped[datetime]
    recorded_by: Mapped[str] = mapped_column(ForeignKey("person.id"))


class Guardianship(Base):
    """A person who enrols and signs for a child."""

    __tablename__ = "guardianship"

    guardian_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    child_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    since: Mapped[datetime]


class BirthDate(Base):
    """A day of birth, only where the year does not do."""

    __tablename__ = "birth_date"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    born_on: Mapped[date] = mapped_column(Date)


class AttendanceMark(Base):
    """One tap on a sheet, under the id that the console made. Only ever added."""

    __tablename__ = "attendance_mark"

    id: Mapped[str] = mapped_column(_Mark, primary_key=True)
    enrolment_id: Mapped[str] = mapped_column(ForeignKey("enrolment.id"), index=True)
    presence: Mapped[str | None]
    undoes: Mapped[str | None] = mapped_column(_Mark)
    """Not a foreign key: what is taken back may arrive later."""
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    by: Mapped[str] = mapped_column(ForeignKey("person.id"))


class Certificate(Base):
    """A certificate that was handed out; its id is printed on it."""

    __tablename__ = "certificate"

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    enrolment_id: Mapped[str] = mapped_column(ForeignKey("enrolment.id"), unique=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    title: Mapped[str] = mapped_column(server_default="")
    """Of the workshop, as it was then."""
    issued_at: Mapped[datetime]
    issued_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
