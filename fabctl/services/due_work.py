"""Due things that were done, each once; whom they concern is told of them once, too."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.services import notices
from fabctl.store.tables_training import DueWork
from fabctl.store.upsert import insert_unless_there

TOLD_FOR = timedelta(days=60)
"""Whoever's certification ended longer ago is not told of it any more."""


class Due(StrEnum):
    """What was done. What :data:`fabctl.services.notices.SAYS` has words for is told, too."""

    EXPIRY_WARNED = notices.EXPIRY_WARNED
    EXPIRED = notices.EXPIRED
    PLACE_OFFERED = notices.PLACE_OFFERED
    PLACE_LAPSED = notices.PLACE_LAPSED
    NEEDS_DELETED = "needs-deleted"
    MAINTENANCE_DUE = notices.MAINTENANCE_DUE
    TASK_GIVEN = notices.TASK_GIVEN


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
    values = {
        "kind": what.value,
        "subject": subject,
        "due_at": due_at,
        "done_at": clock.now(),
    }
    if not insert_unless_there(session, DueWork, values):
        return False
    if person_id is not None and what.value in notices.SAYS:
        notices.tell_of(session, clock, person_id, what.value, subject, due_at)
    return True
