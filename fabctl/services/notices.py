"""What people are told, on their own page; nothing here needs mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.booking_slots import Slot
from fabctl.model.texts import Text, text
from fabctl.store.ids import new_id
from fabctl.store.tables_notices import Notice

NO_SHOW = "no-show"
OFFERED = "offered"
OFFER_LAPSED = "offer-lapsed"
FREED_BEFORE = "freed-before"
CANCELLED_BY_STAFF = "cancelled-by-staff"
EXPIRY_WARNED = "expiry-warned"
EXPIRED = "expired"
PLACE_OFFERED = "place-offered"
PLACE_LAPSED = "place-lapsed"
MAINTENANCE_DUE = "maintenance-due"
TASK_GIVEN = "task-given"

SAYS = {
    NO_SHOW: text("You did not check in, so your slot was given back."),
    OFFERED: text("A slot that you wait for is free: take it soon."),
    OFFER_LAPSED: text("The slot that was kept for you went to somebody else."),
    FREED_BEFORE: text("The machine is free earlier than your reservation begins."),
    CANCELLED_BY_STAFF: text("The staff cancelled your reservation."),
    EXPIRY_WARNED: text("One of your certifications ends soon: have it renewed."),
    EXPIRED: text("One of your certifications has ended: have it renewed."),
    PLACE_OFFERED: text("A place in a workshop is free for you: accept it in time."),
    PLACE_LAPSED: text("Your wait for a place in a workshop has ended."),
    MAINTENANCE_DUE: text("A machine that you look after is due for maintenance."),
    TASK_GIVEN: text("You have a new task."),
}


@dataclass(frozen=True, slots=True)
class NoticeView:
    """One thing a person is told."""

    id: str
    code: str
    message: Text
    subject: str
    """``noun:id``: what it is about."""
    resource_id: str | None
    slot: Slot | None
    """The slot, where it is about one."""
    due_at: datetime | None
    """Until when something is to be done, or when something ends."""
    at: datetime
    read_at: datetime | None


def tell(
    session: Session, clock: Clock, person_id: str, code: str, resource_id: str, slot: Slot
) -> None:
    """Tell a person something about a slot."""
    session.add(
        Notice(
            id=new_id(),
            person_id=person_id,
            code=code,
            subject=f"resource:{resource_id}",
            resource_id=resource_id,
            start_at=slot.start,
            end_at=slot.end,
            at=clock.now(),
        )
    )
    session.flush()


def tell_of(  # whom, what, about what, until when
    session: Session,
    clock: Clock,
    person_id: str,
    code: str,
    subject: str,
    due_at: datetime | None = None,
) -> None:
    """Tell a person something about anything else; ``subject`` is ``noun:id``."""
    row = Notice(id=new_id(), person_id=person_id, code=code, subject=subject, due_at=due_at)
    row.at = clock.now()
    session.add(row)
    session.flush()


def of_person(session: Session, *, person_id: str, limit: int = 50) -> list[NoticeView]:
    """Return what a person was told, the newest first."""
    query = select(Notice).where(Notice.person_id == person_id)
    query = query.order_by(Notice.at.desc(), Notice.id).limit(limit)
    return [_view(row) for row in session.scalars(query)]


def _view(row: Notice) -> NoticeView:
    return NoticeView(
        id=row.id,
        code=row.code,
        message=SAYS[row.code],
        subject=row.subject,
        resource_id=row.resource_id,
        slot=_slot(row),
        due_at=row.due_at,
        at=row.at,
        read_at=row.read_at,
    )


def _slot(row: Notice) -> Slot | None:
    return Slot(row.start_at, row.end_at) if row.start_at and row.end_at else None


def mark_read(session: Session, clock: Clock, *, person_id: str) -> None:
    """Note that a person has seen all they were told."""
    query = select(Notice).where(Notice.person_id == person_id, Notice.read_at.is_(None))
    for row in session.scalars(query):
        row.read_at = clock.now()
    session.flush()
