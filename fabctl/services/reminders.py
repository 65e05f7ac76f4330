"""The day before: reservations and sessions that begin soon. The steward calls it.

Each is told once, however often this is asked and however long the steward was away: the notice
itself carries the name of the due thing, and the database keeps that name unique. What began in
the meantime is reminded of no more.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.booking_slots import Slot
from fabctl.model.notice import Code
from fabctl.model.workshops import EnrolmentState
from fabctl.services import notices
from fabctl.services.notices import About
from fabctl.services.places import live_claim
from fabctl.store.tables import Claim, Reservation
from fabctl.store.tables_notices import Notice
from fabctl.store.tables_workshops import Enrolment, WorkshopSession

BEFORE = timedelta(hours=24)
"""How long before its start; who books later than that is not reminded."""


def do_due_reminders(session: Session, clock: Clock) -> int:
    """Remind of what begins within 24 h; return how many notices were written now."""
    known = _reminded(session, clock.now())
    return _of_reservations(session, clock, known) + _of_sessions(session, clock, known)


def _reminded(session: Session, now: datetime) -> set[str]:
    """Return the names of the reminders there are of what has not begun."""
    query = select(Notice.once).where(
        Notice.at > now - 2 * BEFORE,
        Notice.start_at > now,
        Notice.code.in_([Code.REMINDER.value, Code.SESSION_REMINDER.value]),
    )
    return {once for once in session.scalars(query) if once is not None}


def _of_reservations(session: Session, clock: Clock, known: set[str]) -> int:
    now = clock.now()
    query = (
        select(Reservation, Claim)
        .join(Claim, Claim.id == Reservation.claim_id)
        .where(
            Claim.start_at > now,
            Claim.start_at <= now + BEFORE,
            live_claim(),
            Reservation.cancelled_at.is_(None),
        )
        .order_by(Claim.start_at, Reservation.id)
    )
    told = 0
    for row, claim in session.execute(query):
        if row.created_at > claim.start_at - BEFORE:
            continue
        subject, slot = f"reservation:{row.id}", Slot(claim.start_at, claim.end_at)
        about = About(resource_id=claim.resource_id, slot=slot, subject=subject)
        told += _remind(session, clock, known, Code.REMINDER, row.person_id, about)
    return told


def _of_sessions(session: Session, clock: Clock, known: set[str]) -> int:
    now = clock.now()
    query = (
        select(Enrolment.person_id, Enrolment.made_at, WorkshopSession)
        .join(WorkshopSession, WorkshopSession.id == Enrolment.session_id)
        .where(
            WorkshopSession.start_at > now,
            WorkshopSession.start_at <= now + BEFORE,
            WorkshopSession.cancelled_at.is_(None),
            Enrolment.state == EnrolmentState.CONFIRMED.value,
        )
        .order_by(WorkshopSession.start_at, Enrolment.id)
    )
    told = 0
    for person_id, made_at, meeting in session.execute(query):
        if person_id is None or made_at > meeting.start_at - BEFORE:
            continue
        slot = Slot(meeting.start_at, meeting.end_at)
        about = About(session_id=meeting.id, slot=slot, subject=f"session:{meeting.id}")
        for whom, what in notices.readers(session, clock, person_id, about):
            told += _remind(session, clock, known, Code.SESSION_REMINDER, whom, what)
    return told


def _remind(
    session: Session, clock: Clock, known: set[str], code: Code, person_id: str, about: About
) -> bool:
    start = about.slot.start.isoformat() if about.slot else ""
    once = f"{code.value}:{about.subject}:{about.person_id or ''}:{start}"
    if f"{once}:{person_id}" in known:
        return False
    return notices.tell_once(session, clock, person_id, code, about, once=once)
