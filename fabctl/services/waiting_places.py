"""Waiting lists of sessions: who is offered a place that became free, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.booking import Slot
from fabctl.model.notice import Code
from fabctl.model.workshops import EnrolmentState, Waiting, accept_by, promoted
from fabctl.services.audit import audit
from fabctl.services.due_work import Due, note_once
from fabctl.services.session_notices import tell_enrolled
from fabctl.services.workshops import HELD, counted, session_row, workshop_row
from fabctl.store.tables_workshops import Enrolment, WorkshopSession


@dataclass(frozen=True, slots=True)
class Offer:
    """A place that is held for somebody until they answer."""

    enrolment_id: str
    session_id: str
    person_id: str | None
    partner_id: str | None
    accept_by: datetime


def promote(session: Session, clock: Clock, *, session_id: str) -> list[Offer]:
    """Offer a session's free places to those who wait, the first first; return the offers.

    Nothing is offered once the session has begun. Doing it again changes nothing.
    """
    row = session_row(session, session_id, lock=True)
    now = clock.now()
    if row.cancelled_at is not None or row.start_at <= now:
        return []
    free = row.places - counted(session, session_id, HELD)
    parties = waiting_parties(session, session_id)
    queue = [Waiting(party, len(rows)) for party, rows in parties.items()]
    hours = workshop_row(session, row.workshop_id).accept_hours
    deadline = accept_by(now, Slot(row.start_at, row.end_at), hours)
    offers = []
    for chosen in promoted(queue, free):
        for one in parties[chosen.id]:
            one.state, one.accept_by = EnrolmentState.OFFERED.value, deadline
            offers.append(Offer(one.id, session_id, one.person_id, one.partner_id, deadline))
            details = {"session": session_id, "accept_by": deadline.isoformat()}
            audit(session, clock, None, "enrolment.offered", f"enrolment:{one.id}", details)
            _tell(session, clock, Due.PLACE_OFFERED, offers[-1])
    session.flush()
    return offers


def waiting_parties(session: Session, session_id: str) -> dict[str, list[Enrolment]]:
    """Return who waits, by party, the first first. For services only."""
    query = (
        select(Enrolment)
        .where(
            Enrolment.session_id == session_id,
            Enrolment.state == EnrolmentState.WAITING.value,
        )
        .order_by(Enrolment.rank, Enrolment.id)
    )
    parties: dict[str, list[Enrolment]] = {}
    for row in session.scalars(query):
        parties.setdefault(row.party_id, []).append(row)
    return parties


def lapse(session: Session, clock: Clock) -> list[Offer]:
    """End every offer that was not accepted in time, and promote the next; return who lost one.

    Also those who still wait when the session begins. For the steward; each is ended once.
    """
    now = clock.now()
    lapsed: list[Offer] = []
    found = _over(now).with_only_columns(Enrolment.session_id).distinct()
    for session_id in sorted(session.scalars(found)):
        session_row(session, session_id, lock=True)
        here = _over(now).where(Enrolment.session_id == session_id).order_by(Enrolment.id)
        rows = session.scalars(here.execution_options(populate_existing=True)).all()
        lapsed += [_lapsed(session, clock, row) for row in rows]
    return lapsed


def _over(now: datetime) -> Select[Enrolment]:
    """Return the query for whoever did not answer in time, or waited until it began."""
    unanswered = (Enrolment.state == EnrolmentState.OFFERED.value) & (Enrolment.accept_by < now)
    waited = (Enrolment.state == EnrolmentState.WAITING.value) & (WorkshopSession.start_at <= now)
    meeting = WorkshopSession.id == Enrolment.session_id
    return select(Enrolment).join(WorkshopSession, meeting).where(unanswered | waited)


def _lapsed(session: Session, clock: Clock, row: Enrolment) -> Offer:
    offer = Offer(
        row.id, row.session_id, row.person_id, row.partner_id, row.accept_by or clock.now()
    )
    row.state, row.accept_by = EnrolmentState.LAPSED.value, None
    row.ended_at = clock.now()
    details = {"session": row.session_id}
    audit(session, clock, None, "enrolment.lapsed", f"enrolment:{row.id}", details)
    session.flush()
    _tell(session, clock, Due.PLACE_LAPSED, offer)
    return offer


def _tell(session: Session, clock: Clock, what: Due, offer: Offer) -> None:
    subject = f"enrolment:{offer.enrolment_id}"
    if note_once(session, clock, what, subject, offer.accept_by, None):
        one = session.get_one(Enrolment, offer.enrolment_id)
        tell_enrolled(session, clock, Code(what.value), [one], until=offer.accept_by)


def promote_all(session: Session, clock: Clock) -> list[Offer]:
    """Offer every free place of the coming sessions in which somebody waits. For the steward."""
    query = (
        select(Enrolment.session_id)
        .join(WorkshopSession, WorkshopSession.id == Enrolment.session_id)
        .where(
            Enrolment.state == EnrolmentState.WAITING.value,
            WorkshopSession.start_at > clock.now(),
            WorkshopSession.cancelled_at.is_(None),
        )
        .distinct()
    )
    found = sorted(session.scalars(query))
    return [offer for one in found for offer in promote(session, clock, session_id=one)]
