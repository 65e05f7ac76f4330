"""Due things that were done, each once; whom they concern is told of them once, too."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.notice import Code
from fabctl.services import notices
from fabctl.services.notices import About
from fabctl.store.tables_training import DueWork
from fabctl.store.upsert import insert_unless_there

TOLD_FOR = timedelta(days=60)
"""Whoever's certification ended longer ago is not told of it any more."""
_NOTHING = About()


class Due(StrEnum):
    """What was done. What is a notice's :class:`Code` as well is told, too."""

    EXPIRY_WARNED = Code.EXPIRY_WARNED
    EXPIRED = Code.EXPIRED
    PLACE_OFFERED = Code.PLACE_OFFERED
    PLACE_LAPSED = Code.PLACE_LAPSED
    NEEDS_DELETED = "needs-deleted"
    MAINTENANCE_DUE = Code.MAINTENANCE_DUE
    TASK_GIVEN = Code.TASK_GIVEN


def note_once(  # what, of what, when, whom to tell, and with which facts
    session: Session,
    clock: Clock,
    what: Due,
    subject: str,
    due_at: datetime,
    person_id: str | None,
    about: About = _NOTHING,
) -> bool:
    """Note that a due thing is done; False: it was done before, and nothing is changed.

    :param subject: ``noun:id``; with ``what`` and ``due_at`` it names the thing for ever.
    :param person_id: whom to tell; None: nobody, or whoever calls does it.
    :param about: the facts of what they are told.
    """
    values = {
        "kind": what.value,
        "subject": subject,
        "due_at": due_at,
        "done_at": clock.now(),
    }
    if not insert_unless_there(session, DueWork, values):
        return False
    if person_id is not None:
        facts = replace(about, subject=subject, until=about.until or due_at)
        notices.tell(session, clock, person_id, Code(what.value), facts)
    return True
