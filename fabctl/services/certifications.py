"""Certifications: granting, suspending, and what a history amounts to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model import certification as rules
from fabctl.model.certification import CertificationChange, Change, Level, Standing
from fabctl.services import lookups
from fabctl.services.audit import audit, person_in
from fabctl.store.tables import Certification


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


def certify(
    session: Session,
    clock: Clock,
    *,
    person_id: str,
    resource_id: str,
    level: Level = Level.AUTONOMOUS,
    expires_at: datetime | None = None,
    by: str | None = None,
) -> None:
    """Grant a certification; it replaces an earlier one and ends a suspension."""
    grant = CertificationChange(Change.GRANTED, clock.now(), level, expires_at)
    _add(session, clock, person_id, resource_id, grant, by=by, reason=None)


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


def _history(session: Session, person_id: str, resource_id: str) -> list[CertificationChange]:
    query = (
        select(Certification)
        .where(Certification.person_id == person_id, Certification.resource_id == resource_id)
        .order_by(Certification.id)
    )
    return [
        CertificationChange(
            Change(row.change), row.at, Level(row.level) if row.level else None, row.expires_at
        )
        for row in session.scalars(query)
    ]


def _add(
    session: Session,
    clock: Clock,
    person_id: str,
    resource_id: str,
    change: CertificationChange,
    *,
    by: str | None,
    reason: str | None,
) -> None:
    lookups.person(session, person_id)
    lookups.resource(session, resource_id)
    session.add(
        Certification(
            person_id=person_id,
            resource_id=resource_id,
            change=change.change.value,
            level=change.level.value if change.level else None,
            at=change.at,
            expires_at=change.expires_at,
            by=person_in(by),
            reason=reason,
        )
    )
    session.flush()
    details = {"resource": resource_id, "level": change.level, "reason": reason}
    audit(session, clock, by, f"certification.{change.change}", f"person:{person_id}", details)
