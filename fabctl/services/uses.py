"""The record of who had which machine, from when to when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.store.tables import Use


@dataclass(frozen=True, slots=True)
class UseView:
    """One use of a machine. ``person_id`` is not for public screens."""

    id: str
    resource_id: str
    person_id: str
    reservation_id: str | None
    job_id: str | None
    """None: the person said that they use the machine; jobs may run within it."""
    opened_at: datetime
    closed_at: datetime | None
    outcome: str | None
    """None while open; else finished, stopped, failed, interrupted, refused, unanswered,
    released, permission-ended.
    """
    ran_s: float | None = None
    """Seconds that the interlock counted as work; None: it never said any."""


def uses_of_person(session: Session, *, person_id: str, limit: int = 20) -> list[UseView]:
    """Return a person's uses, newest first."""
    query = select(Use).where(Use.person_id == person_id).order_by(Use.opened_at.desc(), Use.id)
    return [_view(row) for row in session.scalars(query.limit(limit))]


def uses_of_resource(session: Session, *, resource_id: str, limit: int = 20) -> list[UseView]:
    """Return a machine's uses, newest first."""
    query = select(Use).where(Use.resource_id == resource_id)
    query = query.order_by(Use.opened_at.desc(), Use.id).limit(limit)
    return [_view(row) for row in session.scalars(query)]


def uses_of_job(session: Session, *, job_id: str) -> list[UseView]:
    """Return a job's uses, oldest first: more than one where a start was refused before."""
    query = select(Use).where(Use.job_id == job_id).order_by(Use.opened_at, Use.id)
    return [_view(row) for row in session.scalars(query)]


def open_use_of(session: Session, job_id: str) -> Use | None:
    """Return the row of a job's open use. For services only."""
    return session.scalars(select(Use).where(Use.job_id == job_id, Use.closed_at.is_(None))).first()


def open_use_on(session: Session, *, resource_id: str) -> UseView | None:
    """Return a machine's open use; None while nobody has it."""
    query = select(Use).where(Use.resource_id == resource_id, Use.closed_at.is_(None))
    row = session.scalars(query).first()
    return _view(row) if row else None


def open_uses(session: Session) -> list[UseView]:
    """Return every open use of the lab, at most one per machine."""
    query = select(Use).where(Use.closed_at.is_(None)).order_by(Use.opened_at, Use.id)
    return [_view(row) for row in session.scalars(query)]


def add_ran(session: Session, use_id: str, resource_id: str, seconds: float) -> bool:
    """Add to a use's working time; False: this machine has no such use. For services only."""
    use = session.get(Use, use_id, with_for_update=True, populate_existing=True)
    if use is None or use.resource_id != resource_id:
        return False
    use.ran_s = (use.ran_s or 0.0) + seconds
    session.flush()
    return True


def close_use(session: Session, use: Use | None, *, at: datetime, outcome: str) -> None:
    """End an open use (never before it began). For services only."""
    if use is not None:
        use.closed_at, use.outcome = max(at, use.opened_at), outcome
        session.flush()


def _view(row: Use) -> UseView:
    return UseView(
        id=row.id,
        resource_id=row.resource_id,
        person_id=row.person_id,
        reservation_id=row.reservation_id,
        job_id=row.job_id,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        outcome=row.outcome,
        ran_s=row.ran_s,
    )
