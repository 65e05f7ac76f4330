"""What the staff say of a resource: out of order and why, or in order again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.out_of_order import Stop
from fabctl.services import lookups, machines
from fabctl.services.resources import PlaceView, view
from fabctl.services.rights import require_staff
from fabctl.services.stops import stop_of, stops_of
from fabctl.store.tables import Resource


@dataclass(frozen=True, slots=True)
class ResourceOrder:
    """A resource, and whether it (or what it is within) is out of order."""

    place: PlaceView
    out_of_order_at: datetime | None
    reason: str | None
    next_step: str | None


def order_of(session: Session, *, resource_id: str) -> ResourceOrder:
    """Return a resource. :raises UnknownIdError: there is none, or it is retired."""
    row = lookups.resource(session, resource_id)
    return _order(row, stop_of(session, row))


def orders(session: Session) -> list[ResourceOrder]:
    """Return every resource that is not retired, in their order, in two queries."""
    query = select(Resource).where(Resource.retired_at.is_(None)).order_by(Resource.position)
    rows = session.scalars(query).all()
    found = stops_of(session, rows)
    return [_order(row, found.get(row.id)) for row in rows]


def _order(row: Resource, stop: Stop | None) -> ResourceOrder:
    if stop is None:
        return ResourceOrder(view(row), None, None, None)
    return ResourceOrder(view(row), stop.since, stop.reason, stop.next_step)


def put_out_of_order(
    session: Session,
    clock: Clock,
    *,
    resource_id: str,
    reason: str,
    next_step: str | None = None,
    by: str,
) -> ResourceOrder:
    """Let nobody start or book a resource.

    :raises RefusedError: staff-only.
    :raises InputError: no reason was given.
    :raises UnknownIdError: no such resource.
    """
    require_staff(session, by)
    machines.set_out_of_order(
        session, clock, resource_id=resource_id, reason=reason, next_step=next_step, by=by
    )
    return order_of(session, resource_id=resource_id)


def put_in_order(session: Session, clock: Clock, *, resource_id: str, by: str) -> ResourceOrder:
    """Let a resource be used again.

    :raises RefusedError: staff-only.
    :raises UnknownIdError: no such resource.
    """
    require_staff(session, by)
    machines.set_out_of_order(session, clock, resource_id=resource_id, reason=None, by=by)
    return order_of(session, resource_id=resource_id)
