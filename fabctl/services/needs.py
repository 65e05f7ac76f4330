"""What participants need (allergies and the like), in their words; deleted after the session."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import InputError, UnknownIdError
from fabctl.model.refusal import RefusedError
from fabctl.model.workshops import not_yours
from fabctl.services.audit import audit
from fabctl.services.participants import may_act_for
from fabctl.services.rights import require_lead
from fabctl.services.workshops import session_row
from fabctl.store.tables_workshops import Enrolment, EnrolmentNeeds, WorkshopSession

LONGEST_NEEDS = 1000
"""Characters."""


@dataclass(frozen=True, slots=True)
class NeedsView:
    """What a participant needs; for the staff of the session only."""

    enrolment_id: str
    person_id: str | None
    needs: str


def write_needs(session: Session, clock: Clock, *, enrolment_id: str, needs: str, by: str) -> None:
    """Note allergies or needs for one session; an empty text takes them back.

    :raises RefusedError: not-yours.
    :raises InputError: longer than 1000 characters, or the session is over.
    """
    row, meeting = _enrolment(session, enrolment_id)
    if row.person_id is None or not may_act_for(session, clock, row.person_id, by):
        raise RefusedError([not_yours()])
    if len(needs) > LONGEST_NEEDS:
        raise InputError("this text is too long", limit=f"{LONGEST_NEEDS} characters")
    if meeting.end_at <= clock.now():
        raise InputError("the session is over: its needs are deleted")
    old = session.get(EnrolmentNeeds, enrolment_id)
    if old is not None:
        session.delete(old)
        session.flush()
    if needs.strip():
        session.add(
            EnrolmentNeeds(enrolment_id=enrolment_id, needs=needs.strip(), written_at=clock.now())
        )
    session.flush()


def read_needs(session: Session, clock: Clock, *, session_id: str, by: str) -> list[NeedsView]:
    """Return the needs of a session's participants, and put on record who looked.

    From the end of the session on there are none, also before they are deleted.

    :raises RefusedError: session-staff-only.
    :raises UnknownIdError: no such session.
    """
    meeting = session_row(session, session_id)
    require_lead(session, session_id, by)
    if meeting.end_at <= clock.now():
        return []
    query = (
        select(EnrolmentNeeds, Enrolment)
        .join(Enrolment, Enrolment.id == EnrolmentNeeds.enrolment_id)
        .where(Enrolment.session_id == session_id, Enrolment.ended_at.is_(None))
        .order_by(Enrolment.rank, Enrolment.id)
    )
    found = [
        NeedsView(row.enrolment_id, one.person_id, row.needs) for row, one in session.execute(query)
    ]
    audit(session, clock, by, "needs.read", f"session:{session_id}", {"count": len(found)})
    return found


def _enrolment(session: Session, enrolment_id: str) -> tuple[Enrolment, WorkshopSession]:
    row = session.get(Enrolment, enrolment_id)
    if row is None:
        raise UnknownIdError(f"there is no enrolment {enrolment_id!r}")
    return row, session.get_one(WorkshopSession, row.session_id)
