"""What people are told on their own page, whatever it is about."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from fabctl.store.ids import ID_LENGTH
from fabctl.store.tables import Base
from fabctl.store.types import PlainText


class Notice(Base):
    """One thing that a person is told."""

    __tablename__ = "notice"
    __table_args__ = (Index("ix_notice_person_id_read_at", "person_id", "read_at"),)

    id: Mapped[str] = mapped_column(PlainText(ID_LENGTH), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    code: Mapped[str]
    """One of :data:`fabctl.services.notices.SAYS`."""
    subject: Mapped[str]
    """``noun:id``: what it is about."""
    resource_id: Mapped[str | None] = mapped_column(ForeignKey("resource.id"))
    start_at: Mapped[datetime | None]
    end_at: Mapped[datetime | None]
    """The slot, where it is about one."""
    due_at: Mapped[datetime | None]
    """Until when something is to be done, or when something ends."""
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
