"""What is out of order, why, since when, and what happens next.

Several reasons may hold a resource at once: two reports, or a report and the staff's own word. It
is in order again when none does. ``resource.out_of_order_*`` repeats the newest of them, for
screens that look at every resource at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.model.out_of_order import Stop
from fabctl.model.refusal import RefusedError
from fabctl.model.upkeep import SHORT, words_refusals
from fabctl.services import lookups
from fabctl.services.audit import audit
from fabctl.services.places import around, encloses
from fabctl.services.rights import require_staff
from fabctl.store.ids import new_id
from fabctl.store.tables import Resource
from fabctl.store.tables_upkeep import MachineStop


def stop_of(session: Session, resource: Resource) -> Stop | None:
    """Return why a resource, or what it is within, is out of order; None: it is in order."""
    query = (
        select(MachineStop)
        .join(Resource, Resource.id == MachineStop.resource_id)
        .where(around(resource), MachineStop.ended_at.is_(None))
        .order_by(MachineStop.began_at.desc(), MachineStop.id)
    )
    row = session.scalars(query).first()
    return Stop(row.reason, row.began_at, row.next_step) if row else None


def stops_of(session: Session, resources: Iterable[Resource]) -> dict[str, Stop]:
    """Return the same for many resources, by their ids, in one query; what is in order is not
    there.
    """
    query = (
        select(MachineStop, Resource)
        .join(Resource, Resource.id == MachineStop.resource_id)
        .where(MachineStop.ended_at.is_(None))
        .order_by(MachineStop.began_at.desc(), MachineStop.id)
    )
    live = [(row, where) for row, where in session.execute(query)]
    found = {
        one.id: next((row for row, where in live if encloses(where, one)), None)
        for one in resources
    }
    return {one: Stop(row.reason, row.began_at, row.next_step) for one, row in found.items() if row}


def begin_stop(
    session: Session,
    clock: Clock,
    *,
    resource_id: str,
    reason: str,
    next_step: str | None = None,
    report_id: str | None = None,
) -> None:
    """Put a resource out of order. For services only.

    The staff's own word replaces what they said before; a report's stands beside it.
    """
    resource = lookups.resource(session, resource_id, lock=True)
    if report_id is None:
        _end(session, clock, resource_id, [None])
    session.add(
        MachineStop(
            id=new_id(),
            resource_id=resource_id,
            report_id=report_id,
            reason=reason,
            next_step=next_step,
            began_at=clock.now(),
        )
    )
    session.flush()
    _repeat(session, resource)


def end_stops(
    session: Session, clock: Clock, *, resource_id: str, report_id: str | None = None
) -> Stop | None:
    """End a report's stop, or without one every stop; return what still holds the resource.

    For services only.
    """
    resource = session.get(Resource, resource_id, with_for_update=True, populate_existing=True)
    _end(session, clock, resource_id, [report_id] if report_id else None)
    return _repeat(session, resource) if resource else None


def say_next_step(
    session: Session, clock: Clock, *, resource_id: str, next_step: str, by: str | None
) -> None:
    """Say what happens next with a resource that is out of order: the newest stop's next step.

    :raises RefusedError: the caller is not of the staff, or the words are too long.
    :raises UnknownIdError: no such resource, or it is in order.
    """
    require_staff(session, by)
    next_step = next_step.strip()
    if refusals := words_refusals(next_step, SHORT):
        raise RefusedError(refusals)
    lookups.resource(session, resource_id, lock=True)
    row = next(iter(_live(session, resource_id)), None)
    if row is None:
        raise UnknownIdError(f"{resource_id!r} is in order")
    row.next_step = next_step
    audit(session, clock, by, "resource.next-step", f"resource:{resource_id}")
    session.flush()


def _live(session: Session, resource_id: str) -> list[MachineStop]:
    """Return what holds a resource, the newest first."""
    query = select(MachineStop).where(
        MachineStop.resource_id == resource_id, MachineStop.ended_at.is_(None)
    )
    return list(session.scalars(query.order_by(MachineStop.began_at.desc(), MachineStop.id)))


def _end(
    session: Session, clock: Clock, resource_id: str, reports: list[str | None] | None
) -> None:
    now: datetime = clock.now()
    for row in _live(session, resource_id):
        if reports is None or row.report_id in reports:
            row.ended_at = now
    session.flush()


def _repeat(session: Session, resource: Resource) -> Stop | None:
    row = next(iter(_live(session, resource.id)), None)
    resource.out_of_order_at = row.began_at if row else None
    resource.out_of_order_reason = row.reason if row else None
    session.flush()
    return Stop(row.reason, row.began_at, row.next_step) if row else None
