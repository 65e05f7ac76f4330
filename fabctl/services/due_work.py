"""Due things that were done, each once; those that concern a person stand on their page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.texts import Text, text
from fabctl.store.tables_training import DueWork
from fabctl.store.upsert import insert_unless_there

TOLD_FOR = timedelta(days=60)
"""So long a notice stays on a person's page."""


class Due(StrEnum):
    """What was done."""

    EXPIRY_WARNED = "expiry-warned"
    EXPIRED = "expired"
    PLACE_OFFERED = "place-offered"
    OFFER_LAPSED = "offer-lapsed"
    NEEDS_DELETED = "needs-deleted"
    MAINTENANCE_DUE = "maintenance-due"
    TASK_GIVEN = "task-given"


SAYS: dict[Due, Text] = {
    Due.EXPIRY_WARNED: text("One of your certifications ends soon: have it renewed."),
    Due.EXPIRED: text("One of your certifications has ended: have it renewed."),
    Due.PLACE_OFFERED: text("A place in a workshop is free for you: accept it in time."),
    Due.OFFER_LAPSED: text("Your wait for a place in a workshop has ended."),
    Due.MAINTENANCE_DUE: text("A machine that you look after is due for maintenance."),
    Due.TASK_GIVEN: text("You have a new task."),
}


def note_once(
    session: Session,
    clock: Clock,
    what: Due,
    subject: str,
    due_at: datetime,
    person_id: str | None,
) -> bool:
    """Note that a due thing is done; False: it was done before, and nothing is changed.

    :param subject: ``noun:id``; with ``what`` and ``due_at`` it names the thing for ever.
    :param person_id: whom to tell.
    """
    return insert_unless_there(
        session,
        DueWork,
        {
            "kind": what.value,
            "subject": subject,
            "due_at": due_at,
            "done_at": clock.now(),
            "person_id": person_id,
        },
    )


@dataclass(frozen=True, slots=True)
class Told:
    """One thing a person is told on their page."""

    what: Due
    subject: str
    message: Text
    due_at: datetime
    at: datetime


def told_to(session: Session, clock: Clock, *, person_id: str) -> list[Told]:
    """Return what a person was told in the last 60 days, the newest first."""
    query = select(DueWork).where(
        DueWork.person_id == person_id,
        DueWork.done_at > clock.now() - TOLD_FOR,
        DueWork.kind.in_([what.value for what in SAYS]),
    )
    return [
        Told(Due(row.kind), row.subject, SAYS[Due(row.kind)], row.due_at, row.done_at)
        for row in session.scalars(query.order_by(DueWork.done_at.desc(), DueWork.id.desc()))
    ]
