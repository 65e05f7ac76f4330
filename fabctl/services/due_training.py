"""What the clock asks of training and workshops. The steward calls it; also after a day away.

Each due thing is done once: a key in ``due_work`` keeps it from being done twice, and what it
changes is written in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.certification import Change
from fabctl.model.training import WARNING, warning_due
from fabctl.services.audit import audit
from fabctl.services.certifications import end_of, last_use
from fabctl.services.due_work import TOLD_FOR, Due, note_once
from fabctl.services.waiting_places import Offer, lapse, promote_all
from fabctl.store.tables import Certification
from fabctl.store.tables_training import CertificationGrant
from fabctl.store.tables_workshops import Enrolment, EnrolmentNeeds, WorkshopSession


@dataclass(frozen=True, slots=True)
class Done:
    """One due thing that was done now."""

    what: Due
    subject: str
    """``noun:id``."""
    due_at: datetime
    person_id: str | None = None
    """Whom to tell."""


@dataclass(frozen=True, slots=True)
class _Grant:
    """A grant that counts, and when it ends."""

    id: int
    person_id: str
    resource_id: str
    ends_at: datetime


def do_due_training(session: Session, clock: Clock) -> list[Done]:
    """Do everything that is due, each thing once; return what was done now."""
    return [
        *_expiries(session, clock),
        *_offers(Due.OFFER_LAPSED, lapse(session, clock)),
        *_offers(Due.PLACE_OFFERED, promote_all(session, clock)),
        *_needs(session, clock),
    ]


def _offers(what: Due, offers: Sequence[Offer]) -> list[Done]:
    return [
        Done(what, f"enrolment:{one.enrolment_id}", one.accept_by, one.person_id) for one in offers
    ]


# -- certifications ---------------------------------------------------------------------------


def _expiries(session: Session, clock: Clock) -> list[Done]:
    """Warn 30 days before a certification ends, and note that it has ended.

    One that ended while the steward was away, unwarned, is noted as ended only.
    """
    now, found = clock.now(), []
    for grant in _ending(session, now):
        warn = warning_due(grant.ends_at, now)
        what = Due.EXPIRY_WARNED if warn else Due.EXPIRED
        due_at = grant.ends_at - WARNING if warn else grant.ends_at
        done = Done(what, f"certification:{grant.id}", due_at, grant.person_id)
        if note_once(session, clock, what, done.subject, due_at, grant.person_id):
            details = {"resource": grant.resource_id, "ends_at": grant.ends_at.isoformat()}
            subject = f"person:{grant.person_id}"
            audit(session, clock, None, f"certification.{what.value}", subject, details)
            found.append(done)
    return found


def _ending(session: Session, now: datetime) -> Iterator[_Grant]:
    """Yield the grants that end within 30 days, or ended in the last 60; suspended ones not."""
    for row, unused in _grants_that_count(session):
        used = last_use(session, row.person_id, row.resource_id) if unused else None
        ends_at = end_of(row.at, row.expires_at, unused, used)
        if ends_at is not None and ends_at - WARNING <= now <= ends_at + TOLD_FOR:
            yield _Grant(row.id, row.person_id, row.resource_id, ends_at)


def _grants_that_count(session: Session) -> Sequence[tuple[Certification, int | None]]:
    """Return each person's last grant on each machine that may end, unless it is suspended."""
    pair = (Certification.person_id, Certification.resource_id)
    last = select(func.max(Certification.id)).group_by(*pair)
    granted = last.where(Certification.change == Change.GRANTED.value)
    suspended = (
        select(*pair)
        .where(Certification.id.in_(last), Certification.change == Change.SUSPENDED.value)
        .subquery()
    )
    query = (
        select(Certification, CertificationGrant.unused_months)
        .outerjoin(CertificationGrant, CertificationGrant.certification_id == Certification.id)
        .outerjoin(
            suspended,
            (suspended.c.person_id == Certification.person_id)
            & (suspended.c.resource_id == Certification.resource_id),
        )
        .where(
            Certification.id.in_(granted),
            suspended.c.person_id.is_(None),
            Certification.expires_at.is_not(None) | CertificationGrant.unused_months.is_not(None),
        )
        .order_by(Certification.id)
    )
    return [(row, unused) for row, unused in session.execute(query)]


# -- needs ------------------------------------------------------------------------------------


def _needs(session: Session, clock: Clock) -> list[Done]:
    """Delete the needs of every session that is over, and of every place that was given back."""
    query = (
        select(WorkshopSession.id, WorkshopSession.end_at, EnrolmentNeeds.enrolment_id)
        .join(Enrolment, Enrolment.session_id == WorkshopSession.id)
        .join(EnrolmentNeeds, EnrolmentNeeds.enrolment_id == Enrolment.id)
        .where((WorkshopSession.end_at <= clock.now()) | Enrolment.ended_at.is_not(None))
    )
    over: dict[tuple[str, datetime], list[str]] = {}
    for session_id, end_at, enrolment_id in session.execute(query):
        over.setdefault((session_id, end_at), []).append(enrolment_id)
    found = []
    for (session_id, end_at), enrolments in sorted(over.items()):
        session.execute(delete(EnrolmentNeeds).where(EnrolmentNeeds.enrolment_id.in_(enrolments)))
        subject = f"session:{session_id}"
        audit(session, clock, None, "needs.deleted", subject, {"count": len(enrolments)})
        found.append(Done(Due.NEEDS_DELETED, subject, end_at))
    session.flush()
    return found
