"""What people are told about their reservations, on their own page; nothing here needs mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.booking_slots import Slot
from fabctl.model.texts import Text, text
from fabctl.store.ids import new_id
from fabctl.store.tables_booking import BookingNotice

NO_SHOW = "no-show"
OFFERED = "offered"
OFFER_LAPSED = "offer-lapsed"
FREED_BEFORE = "freed-before"
CANCELLED_BY_STAFF = "cancelled-by-staff"

SAYS = {
    NO_SHOW: text("You did not check in, so your slot was given back."),
    OFFERED: text("A slot that you wait for is free: take it soon."),
    OFFER_LAPSED: text("The slot that was kept for you went to somebody else."),
    FREED_BEFORE: text("The machine is free earlier than your reservation begins."),
    CANCELLED_BY_STAFF: text("The staff cancelled your reservation."),
}


@dataclass(frozen=True, slots=True)
class NoticeView:
    """One thing a person is told."""

    id: str
    code: str
    message: Text
    resource_id: str
    slot: Slot
    at: datetime
    read_at: datetime | None


def tell(
    session: Session, clock: Clock, person_id: str, code: str, resource_id: str, slot: Slot
) -> None:
    """Tell a person something about a slot."""
    session.add(
        BookingNotice(
            id=new_id(),
            person_id=person_id,
            code=code,
            resource_id=resource_id,
            start_at=slot.start,
            end_at=slot.end,
            at=clock.now(),
        )
    )
    session.flush()


def of_person(session: Session, *, person_id: str, limit: int = 50) -> list[NoticeView]:
    """Return what a person was told, the newest first."""
    query = select(BookingNotice).where(BookingNotice.person_id == person_id)
    query = query.order_by(BookingNotice.at.desc(), BookingNotice.id).limit(limit)
    return [
        NoticeView(
            row.id,
            row.code,
            SAYS[row.code],
            row.resource_id,
            Slot(row.start_at, row.end_at),
            row.at,
            row.read_at,
        )
        for row in session.scalars(query)
    ]


def mark_read(session: Session, clock: Clock, *, person_id: str) -> None:
    """Note that a person has seen all they were told."""
    query = select(BookingNotice).where(
        BookingNotice.person_id == person_id, BookingNotice.read_at.is_(None)
    )
    for row in session.scalars(query):
        row.read_at = clock.now()
    session.flush()
