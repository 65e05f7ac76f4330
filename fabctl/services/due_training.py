"""What the clock asks of training and workshops. The steward calls it; also after a day away.

Each due thing is done once: a key in ``due_work`` keeps it from being done twice, and what it
changes is written in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.certification import Change
from fabctl.model.training import WARNING, warning_due
from fabctl.services.audit import audit
from fabctl.services.certifications import end_of
from fabctl.services.due_work import TOLD_FOR, Due, note_once
from fabctl.services.notices import About
from fabctl.services.waiting_places import Offer, lapse, promote_all
from fabctl.store.tables import Certification, Use
from fabctl.store.tables_training import CertificationGrant, DueWork
from fabctl.store.tables_workshops import Enrolment, EnrolmentNeeds, WorkshopSession

Pair = tuple[str, str]
"""A person's id and a machine's."""


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
    return [*do_due_certifications(session, clock), *do_due_workshops(session, clock)]


def do_due_workshops(session: Session, clock: Clock) -> list[Done]:
    """End and make offers, delete needs: what may be due in any minute."""
    return [
        *_offers(Due.PLACE_LAPSED, lapse(session, clock)),
        *_offers(Due.PLACE_OFFERED, promote_all(session, clock)),
        *_needs(session, clock),
    ]


def _offers(what: Due, offers: Sequence[Offer]) -> list[Done]:
    return [
        Done(what, f"enrolment:{one.enrolment_id}", one.accept_by, one.person_id) for one in offers
    ]


# -- certifications ---------------------------------------------------------------------------


def do_due_certifications(session: Session, clock: Clock) -> list[Done]:
    """Warn 30 days before a certification ends, and note that it has ended; once an hour will do.

    One that ended while the steward was away, unwarned, is noted as ended only. It reads the
    whole history of certifications, and writes what is new.
    """
    now, found = clock.now(), []
    known = _noted(session, now)
    for grant in _ending(session, now):
        warn = warning_due(grant.ends_at, now)
        what = Due.EXPIRY_WARNED if warn else Due.EXPIRED
        due_at = grant.ends_at - WARNING if warn else grant.ends_at
        done = Done(what, f"certification:{grant.id}", due_at, grant.person_id)
        if (what.value, done.subject, due_at) in known:
            continue
        about = About(resource_id=grant.resource_id, until=grant.ends_at)
        if note_once(session, clock, what, done.subject, due_at, grant.person_id, about):
            details = {"resource": grant.resource_id, "ends_at": grant.ends_at.isoformat()}
            subject = f"person:{grant.person_id}"
            audit(session, clock, None, f"certification.{what.value}", subject, details)
            found.append(done)
    return found


def _noted(session: Session, now: datetime) -> set[tuple[str, str, datetime]]:
    """Return what was noted of the certifications that :func:`_ending` may find."""
    query = select(DueWork.kind, DueWork.subject, DueWork.due_at).where(
        DueWork.kind.in_([Due.EXPIRY_WARNED.value, Due.EXPIRED.value]),
        DueWork.due_at >= now - TOLD_FOR - WARNING,
    )
    return {(kind, subject, due_at) for kind, subject, due_at in session.execute(query)}


def _ending(session: Session, now: datetime) -> Iterator[_Grant]:
    """Yield the grants that end within 30 days, or ended in the last 60; suspended ones not."""
    for grant in _grants_that_count(session, _last_uses(session)):
        if grant.ends_at - WARNING <= now <= grant.ends_at + TOLD_FOR:
            yield grant


def _grants_that_count(session: Session, used: Mapping[Pair, datetime]) -> Iterator[_Grant]:
    """Yield each person's last grant on each machine, unless it is suspended or never ends."""
    query = select(
        Certification.id,
        Certification.person_id,
        Certification.resource_id,
        Certification.change,
        Certification.at,
        Certification.expires_at,
        CertificationGrant.unused_months,
    ).outerjoin(CertificationGrant, CertificationGrant.certification_id == Certification.id)
    last: dict[Pair, tuple[int, datetime | None]] = {}
    suspended: dict[Pair, bool] = {}
    for number, person, resource, change, at, fixed, unused in session.execute(
        query.order_by(Certification.id)
    ):
        pair = (person, resource)
        suspended[pair] = change == Change.SUSPENDED.value
        if change == Change.GRANTED.value:
            last[pair] = (number, end_of(at, fixed, unused, used.get(pair)))
    for pair, (number, ends_at) in last.items():
        if ends_at is not None and not suspended[pair]:
            yield _Grant(number, *pair, ends_at)


def _last_uses(session: Session) -> dict[Pair, datetime]:
    """Return who used which machine last when, where a certification asks for it."""
    asked = (
        select(Certification.resource_id)
        .join(CertificationGrant, CertificationGrant.certification_id == Certification.id)
        .where(CertificationGrant.unused_months.is_not(None))
    )
    query = (
        select(
            Use.person_id, Use.resource_id, func.max(func.coalesce(Use.closed_at, Use.opened_at))
        )
        .where(Use.resource_id.in_(asked))
        .group_by(Use.person_id, Use.resource_id)
    )
    return {(person, resource): at for person, resource, at in session.execute(query)}


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
