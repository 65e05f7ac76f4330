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

    @property
    def trains(self) -> bool:
        """Whether they may certify others on the machine."""
        return self.standing is Standing.VALID and self.level is Level.TRAINER


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
    found = held(session, [person_id], [resource_id], at).get((person_id, resource_id))
    return found.standing if found else Standing.NONE


def of_person(session: Session, clock: Clock, *, person_id: str) -> list[CertificationView]:
    """Return a person's certifications, one for each machine with a history."""
    found = held(session, [person_id], None, clock.now())
    return [found[key] for key in sorted(found)]


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
    found = held(session, person_ids, [resource_id], at)
    return {person_id: view for (person_id, _), view in found.items()}


def held(
    session: Session,
    person_ids: Iterable[str],
    resource_ids: Iterable[str] | None,
    at: datetime,
) -> dict[tuple[str, str], CertificationView]:
    """Return what people's histories amount to at a moment, by person and machine, in two queries.

    :param resource_ids: None: every machine.
    """
    found = _histories(
        session, set(person_ids), None if resource_ids is None else set(resource_ids)
    )
    return {(who, where): _view(where, history, at) for (who, where), history in found.items()}


def _histories(
    session: Session, people: set[str], machines: set[str] | None
) -> dict[tuple[str, str], list[CertificationChange]]:
    """Return the histories, oldest first; a grant's end already counts months without use."""
    query = (
        select(Certification, CertificationGrant.unused_months)
        .outerjoin(CertificationGrant, CertificationGrant.certification_id == Certification.id)
        .where(Certification.person_id.in_(people))
        .order_by(Certification.id)
    )
    if machines is not None:
        query = query.where(Certification.resource_id.in_(machines))
    rows = session.execute(query).all()
    asked = {(row.person_id, row.resource_id) for row, unused in rows if unused is not None}
    used = _last_uses(session, asked)
    found: dict[tuple[str, str], list[CertificationChange]] = {}
    for row, unused in rows:
        key = row.person_id, row.resource_id
        level = Level(row.level) if row.level else None
        end = end_of(row.at, row.expires_at, unused, used.get(key))
        found.setdefault(key, []).append(
            CertificationChange(Change(row.change), row.at, level, end)
        )
    return found


def end_of(
    granted_at: datetime, fixed: datetime | None, unused: int | None, used: datetime | None
) -> datetime | None:
    """Return the last moment of a grant: its own end, or that of so many months without use."""
    return earliest(fixed, None if unused is None else idle_end(granted_at, used, unused))


def _last_uses(session: Session, asked: set[tuple[str, str]]) -> dict[tuple[str, str], datetime]:
    """Return when each of these people used each of these machines last: the end of the use, or
    its begin while it is open.
    """
    if not asked:
        return {}
    ended = func.max(func.coalesce(Use.closed_at, Use.opened_at))
    query = (
        select(Use.person_id, Use.resource_id, ended)
        .where(
            Use.person_id.in_({who for who, _ in asked}),
            Use.resource_id.in_({where for _, where in asked}),
        )
        .group_by(Use.person_id, Use.resource_id)
    )
    return {(who, where): at for who, where, at in session.execute(query)}


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
