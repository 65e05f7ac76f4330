"""Machines as resources: kept in step with lab.toml, and what their screens may show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import InputError
from fabctl.model.booking import Slot, chain_end
from fabctl.ports import MachineProfile
from fabctl.services import lookups
from fabctl.services.audit import audit
from fabctl.store.tables import Claim, Resource


@dataclass(frozen=True, slots=True)
class ResourceView:
    """A machine as the record knows it."""

    id: str
    name: str
    kind: str
    out_of_order_at: datetime | None
    out_of_order_reason: str | None


def sync_resources(session: Session, clock: Clock, machines: Iterable[MachineProfile]) -> None:
    """Make the resources those of lab.toml, in its order; the others are retired, not deleted."""
    wanted = {machine.id: (position, machine) for position, machine in enumerate(machines)}
    rows = {row.id: row for row in session.scalars(select(Resource))}
    for row in rows.values():
        if row.id not in wanted and row.retired_at is None:
            row.retired_at = clock.now()
            audit(session, clock, None, "resource.retired", f"resource:{row.id}")
    for machine_id, (position, machine) in wanted.items():
        row = rows.get(machine_id) or _added(session, clock, machine_id)
        row.name, row.kind = machine.name, machine.kind.value
        row.position, row.retired_at = position, None
    session.flush()


def _added(session: Session, clock: Clock, resource_id: str) -> Resource:
    row = Resource(id=resource_id)
    session.add(row)
    audit(session, clock, None, "resource.added", f"resource:{resource_id}")
    return row


def list_resources(session: Session) -> list[ResourceView]:
    """Return the lab's machines, in lab.toml's order."""
    query = select(Resource).where(Resource.retired_at.is_(None)).order_by(Resource.position)
    return [
        ResourceView(row.id, row.name, row.kind, row.out_of_order_at, row.out_of_order_reason)
        for row in session.scalars(query)
    ]


def set_out_of_order(
    session: Session, clock: Clock, *, resource_id: str, reason: str | None, by: str | None
) -> None:
    """Put a machine out of order with a reason; None puts it in order again.

    :raises InputError: a reason without a word.
    """
    if reason is not None and not reason.strip():
        raise InputError("a machine is put out of order with a reason")
    row = lookups.resource(session, resource_id)
    row.out_of_order_at = clock.now() if reason else None
    row.out_of_order_reason = reason
    what = "resource.out-of-order" if reason else "resource.in-order"
    audit(session, clock, by, what, f"resource:{resource_id}", {"reason": reason})
    session.flush()


def bookings_projection(
    session: Session, clock: Clock
) -> dict[str, tuple[datetime | None, datetime | None]]:
    """Return for each machine until when it is claimed without a gap, and when the next claim
    after that (or after now) starts. No names: this goes to MQTT and to public screens.
    """
    now = clock.now()
    slots: dict[str, list[Slot]] = {row.id: [] for row in list_resources(session)}
    query = select(Claim).where(Claim.released_at.is_(None), Claim.end_at > now)
    for claim in session.scalars(query):
        if claim.resource_id in slots:
            slots[claim.resource_id].append(Slot(claim.start_at, claim.end_at))
    return {machine: _busy_and_next(now, taken) for machine, taken in slots.items()}


def _busy_and_next(
    now: datetime, taken: list[Slot]
) -> tuple[datetime | None, datetime | None]:  # fmt: skip
    busy_until = chain_end(now, taken)
    later = (slot.start for slot in taken if slot.start >= (busy_until or now))
    return busy_until, min(later, default=None)
