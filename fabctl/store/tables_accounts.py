"""Tables of accounts and rights: who acts for a group, who may do more than the policies allow."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from fabctl.store.tables import Base


class AccountMember(Base):
    """A person who belongs to a group's account."""

    __tablename__ = "account_member"
    __table_args__ = (Index("ix_account_member_person_id", "person_id"),)

    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    may_act: Mapped[bool]
    """Whether they act for it: reservations they make may be charged to it."""
    since: Mapped[datetime]


class GivenRight(Base):
    """A right that the staff gave to a person, where it counts and until when."""

    __tablename__ = "given_right"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    """``after-hours`` or ``walk-up``."""
    reach: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    """As of a policy: where it counts."""
    given_at: Mapped[datetime]
    until: Mapped[datetime | None]
    """The first moment at which it does not count any more; NULL: no end."""
