"""What people are told, and the mail that carries it to those who want that."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from fabctl.store.ids import ID_LENGTH
from fabctl.store.tables import Base
from fabctl.store.types import PlainText

_Id = PlainText(ID_LENGTH)


class Notice(Base):
    """One thing that one person is told, as facts: it is put in words when it is read."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_person_id_read_at", "person_id", "read_at"),
        Index("ix_notice_person_id_at", "person_id", "at"),
        Index("ix_notice_at", "at"),
    )

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    code: Mapped[str]
    """One of :class:`fabctl.model.notice.Code`."""
    subject: Mapped[str]
    """``noun:id``: what it is about."""
    about_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"), index=True)
    """Whom it is about, where that is somebody else: a guardian reads of a child."""
    resource_id: Mapped[str | None] = mapped_column(ForeignKey("resource.id"))
    session_id: Mapped[str | None] = mapped_column(ForeignKey("workshop_session.id"))
    start_at: Mapped[datetime | None]
    end_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    """Until when something is to be done, or when something ends."""
    words: Mapped[str | None]
    """What the staff wrote: a reason, an answer."""
    once: Mapped[str | None] = mapped_column(unique=True)
    """A name of a due thing that is told once, for ever; NULL: it is told as often as it is."""
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class MailAddress(Base):
    """Where somebody gets mail, and whether they want any."""

    __tablename__ = "mail_address"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    address: Mapped[str | None]
    wanted: Mapped[bool]
    changed_at: Mapped[datetime]
    """What was told before is not sent."""
    signs_in: Mapped[str | None] = mapped_column(index=True, unique=True)
    """The same address in small letters, once the staff have confirmed that it is theirs."""


class Mail(Base):
    """A notice on its way by mail; the row stays as the record that it was sent, or why not."""

    __tablename__ = "mail"
    __table_args__ = (
        CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name="ended"),
        Index("ix_mail_outcome_next_at", "outcome", "next_at"),
    )

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    notice_id: Mapped[str] = mapped_column(ForeignKey("notice.id"), unique=True)
    queued_at: Mapped[datetime]
    next_at: Mapped[datetime]
    """When it is tried next."""
    tries: Mapped[int]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    """``sent``, ``refused``, ``given-up``, ``overtaken`` or ``unwanted``; NULL: under way."""
    trouble: Mapped[str | None]
    """What the last try ended with, in a code that names nobody: ``450``, ``timeout``."""
