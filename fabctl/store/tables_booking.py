"""The tables of booking, beside ``resource``, ``claim`` and ``reservation``.

A ``subject`` is a resource's id, or empty for the whole lab.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from fabctl.store.ids import ID_LENGTH
from fabctl.store.tables import Base
from fabctl.store.types import PlainText

_Id = PlainText(ID_LENGTH)


class Pool(Base):
    """Several resources of which any one will do."""

    __tablename__ = "pool"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class PoolMember(Base):
    """One resource of a pool; the first free one in order is taken."""

    __tablename__ = "pool_member"

    pool_id: Mapped[str] = mapped_column(ForeignKey("pool.id"), primary_key=True)
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"), primary_key=True)
    position: Mapped[int]


class Policy(Base):
    """Numbers of booking's rules for the lab, a category or a resource; old ones in the audit."""

    __tablename__ = "policy"

    reach: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    numbers: Mapped[dict[str, Any]] = mapped_column(JSON)
    version: Mapped[int]
    changed_at: Mapped[datetime]


class OpeningPeriod(Base):
    """From when to when something is open on one day of every week, on the wall clock."""

    __tablename__ = "opening_period"
    __table_args__ = (UniqueConstraint("subject", "weekday", "opens_min"),)

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    subject: Mapped[str]
    weekday: Mapped[int]
    """Monday 0."""
    opens_min: Mapped[int]
    closes_min: Mapped[int]
    """Minutes after midnight; above 1440 on the next day."""


class OpeningException(Base):
    """A day that is not like its weekday."""

    __tablename__ = "opening_exception"

    subject: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    periods: Mapped[list[list[int]]] = mapped_column(JSON)
    """``[[opens_min, closes_min], …]``; empty: closed."""
    reason: Mapped[str | None]


class Waiting(Base):
    """Somebody who waits for a slot on a resource."""

    __tablename__ = "waiting"
    __table_args__ = (
        Index("ix_waiting_resource_id_settled_at", "resource_id", "settled_at"),
        Index("ix_waiting_person_id", "person_id"),
    )

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    number: Mapped[int] = mapped_column(Integer)
    """The order of the list: who came first has the smaller one."""
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    """What would be charged; NULL: the person's own."""
    start_at: Mapped[datetime]
    end_at: Mapped[datetime]
    created_at: Mapped[datetime]
    claim_id: Mapped[str | None] = mapped_column(ForeignKey("claim.id"), unique=True)
    """The claim of kind ``offer`` that keeps the slot until the answer."""
    answer_until: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    """``accepted``, ``declined``, ``lapsed`` (no answer in time) or ``missed`` (never free)."""


class Feed(Base):
    """A calendar that other programs read at a secret address; only its SHA-256 is kept."""

    __tablename__ = "feed"

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    kind: Mapped[str]
    """``person``, ``resource`` or ``workshops``."""
    subject: Mapped[str]
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    """Who made it and may revoke it."""
    token_hash: Mapped[str] = mapped_column(PlainText(64), unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
