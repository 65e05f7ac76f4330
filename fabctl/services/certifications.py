"""Certifications: granting, suspending, and what a history amounts to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model import certification as rules
from fabctl.model.certification import CertificationChange, Change, Level, Standing
from fabctl.model.notice import Code
from fabctl.model.training import earliest, idle_end
from fabctl.services import lookups, notices
from fabctl.services.audit import audit, person_in
from fabctl.services.notices import About
from fabctl.store.tables import Certification, Use
from fabctl.store.tables_training import CertificationGrant


@dataclass(frozen=True, slots=True)
class CertificationView:
    """What a person's history on one machine amounts to now."""

    resource_id: str
    standing: Standing
    level: Level | None
    """Of the last grant."""
    since: datetime
    """Of the last change."""
    expires_at: datetime | None


def certify(  # noqa: PLR0913  # what a grant may hold
    session: Session,
    clock: Clock,
    *,
    person_id: str,
    resource_id: str,
    level: Level = Level.AUTONOMOUS,
    expires_at: datetime | None = None,
    by: str | None = None,
    course_id: str | None = None,
    unused_months: int | None = None,
) -> None:
    """Grant a certification; it replaces an earlier one and ends a suspension.

    :param course_id: the course that led to it.
    :param unused_months: it also ends after so many months without use of the machine, ≥ 1.
    """
    grant = CertificationChange(Change.GRANTED, clock.now(), level, expires_at)
    row = _add(session, clock, person_id, resource_id, grant, by=by, reason=None)
    if course_id is not None or unused_months is not None:
        session.add(
            CertificationGrant(
                certification_id=row.id, course_id=course_id, unused_months=unused_months
            )
        )
        session.flush()


def suspend(
    session: Session,
    clock: Clock,
    *,
    person_id: str,
    resource_id: str,
    reason: str,
    by: str | None = None,
) -> None:
    """Suspend a certification until it is reinstated or granted anew."""
    change = CertificationChange(Change.SUSPENDED, clock.now())
    _add(session, clock, person_id, resource_id, change, by=by, reason=reason)
    about = About(resource_id=resource_id, words=reason)
    notices.tell(session, clock, person_id, Code.SUSPENDED, about)


def reinstate(
    session: Session, clock: Clock, *, person_id: str, resource_id: str, by: str | None = None
) -> None:
    """End a suspension; the last grant holds again, with the expiry it had."""
    change = CertificationChange(Change.REINSTATED, clock.now())
    _add(session, clock, person_id, resource_id, change, by=by, reason=None)


def standing_at(session: Session, person_id: str, resource_id: str, at: datetime) -> Standing:
    """Return what a person's history on a machine amounts to at a moment."""
    return rules.standing(_history(session, person_id, resource_id), at)


def of_person(session: Session, clock: Clock, *, person_id: str) -> list[CertificationView]:
    """Return a person's certifications, one for each machine with a history."""
    query = select(Certification.resource_id).where(Certification.person_id == person_id).distinct()
    return [
        _view(resource_id, _history(session, person_id, resource_id), clock.now())
        for resource_id in sorted(session.scalars(query))
    ]


def _view(resource_id: str, history: list[CertificationChange], now: datetime) -> CertificationView:
    grant = next((row for row in reversed(history) if row.change is Change.GRANTED), None)
    return CertificationView(
        resource_id=resource_id,
        standing=rules.standing(history, now),
        level=grant.level if grant else None,
        since=history[-1].at,
        expires_at=grant.expires_at if grant else None,
    )


def standings(
    session: Session, resource_id: str, person_ids: Iterable[str], at: datetime
) -> dict[str, CertificationView]:
    """Return what several people's histories on one machine amount to at a moment."""
    found = {}
    for person_id in person_ids:
        history = _history(session, person_id, resource_id)
        if history:
            found[person_id] = _view(resource_id, history, at)
    return found


def _history(session: Session, person_id: str, resource_id: str) -> list[CertificationChange]:
    """Return the history, oldest first; a grant's end already counts months without use."""
    query = (
        select(Certification, CertificationGrant.unused_months)
        .outerjoin(CertificationGrant, CertificationGrant.certification_id == Certification.id)
        .where(Certification.person_id == person_id, Certification.resource_id == resource_id)
        .order_by(Certification.id)
    )
    rows = session.execute(query).all()
    asked = any(unused is not None for _, unused in rows)
    used = last_use(session, person_id, resource_id) if asked else None
    return [
        CertificationChange(
            Change(row.change),
            row.at,
            Level(row.level) if row.level else None,
            end_of(row.at, row.expires_at, unused, used),
        )
        for row, unused in rows
    ]


def end_of(
    granted_at: datetime, fixed: datetime | None, unused: int | None, used: datetime | None
) -> datetime | None:
    """Return the last moment of a grant: its own end, or that of so many months without use."""
    return earliest(fixed, None if unused is None else idle_end(granted_at, used, unused))


def last_use(session: Session, person_id: str, resource_id: str) -> datetime | None:
    """Return when somebody used a machine last: the end of the use, or its begin while open."""
    ended = func.max(func.coalesce(Use.closed_at, Use.opened_at))
    query = select(ended).where(Use.person_id == person_id, Use.resource_id == resource_id)
    return session.scalar(query)


def _add(
    session: Session,
    clock: Clock,
    person_id: str,
    resource_id: str,
    change: CertificationChange,
    *,
    by: str | None,
    reason: str | None,
) -> Certification:
    lookups.person(session, person_id)
    lookups.resource(session, resource_id)
    row = Certification(
        person_id=person_id,
        resource_id=resource_id,
        change=change.change.value,
        level=change.level.value if change.level else None,
        at=change.at,
        expires_at=change.expires_at,
        by=person_in(by),
        reason=reason,
    )
    session.add(row)
    session.flush()
    details = {"resource": resource_id, "level": change.level, "reason": reason}
    audit(session, clock, by, f"certification.{change.change}", f"person:{person_id}", details)
    return row
