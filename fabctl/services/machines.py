"""Machines as resources: kept in step with lab.toml, and what their screens may show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import InputError
from fabctl.model.booking import ResourceKind, Slot, chain_end
from fabctl.ports import MachineProfile
from fabctl.services import lookups
from fabctl.services.audit import audit
from fabctl.services.places import give_place, live_claim, overlap
from fabctl.services.stops import begin_stop, end_stops
from fabctl.store.tables import Claim, Resource


@dataclass(frozen=True, slots=True)
class ResourceView:
    """A machine as the record knows it."""

    id: str
    name: str
    kind: str
    """As lab.toml says it: ``printer``, ``laser``."""
    out_of_order_at: datetime | None
    out_of_order_reason: str | None


def sync_resources(session: Session, clock: Clock, machines: Iterable[MachineProfile]) -> None:
    """Make the resources those of lab.toml, in its order; the others are retired, not deleted."""
    wanted = {machine.id: (position, machine) for position, machine in enumerate(machines)}
    rows = {row.id: row for row in session.scalars(select(Resource))}
    for row in (row for row in rows.values() if row.kind == ResourceKind.MACHINE):
        if row.id not in wanted and row.retired_at is None:
            row.retired_at = clock.now()
            audit(session, clock, None, "resource.retired", f"resource:{row.id}")
    for machine_id, (position, machine) in wanted.items():
        if machine_id not in rows:
            _add(session, clock, position, machine)
            continue
        row = rows[machine_id]
        row.name, row.category = machine.name, machine.kind.value
        row.kind, row.position, row.retired_at = ResourceKind.MACHINE.value, position, None
    session.flush()


def _add(session: Session, clock: Clock, position: int, machine: MachineProfile) -> None:
    row = Resource(
        id=machine.id,
        name=machine.name,
        kind=ResourceKind.MACHINE.value,
        category=machine.kind.value,
        position=position,
    )
    session.add(row)
    give_place(session, row)
    audit(session, clock, None, "resource.added", f"resource:{machine.id}")


def list_resources(session: Session) -> list[ResourceView]:
    """Return the lab's machines, in lab.toml's order."""
    query = select(Resource).where(
        Resource.retired_at.is_(None), Resource.kind == ResourceKind.MACHINE
    )
    return [
        ResourceView(row.id, row.name, row.category, row.out_of_order_at, row.out_of_order_reason)
        for row in session.scalars(query.order_by(Resource.position))
    ]


def set_out_of_order(
    session: Session,
    clock: Clock,
    *,
    resource_id: str,
    reason: str | None,
    by: str | None,
    next_step: str | None = None,
) -> None:
    """Put a machine out of order with a reason; None puts it in order again.

    The problem reports that put it out of order stay open: they tell what somebody saw.

    :param next_step: what happens next, for whoever wants to use it.
    :raises InputError: a reason without a word.
    """
    if reason is not None and not reason.strip():
        raise InputError("a machine is put out of order with a reason")
    lookups.resource(session, resource_id)
    if reason is None:
        end_stops(session, clock, resource_id=resource_id)
    else:
        begin_stop(
            session, clock, resource_id=resource_id, reason=reason, next_step=next_step or None
        )
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
    rows = {row.id: row for row in session.scalars(select(Resource))}
    slots: dict[str, list[Slot]] = {row.id: [] for row in list_resources(session)}
    query = select(Claim).where(live_claim(), or_(Claim.end_at > now, Claim.free_at > now))
    for claim in session.scalars(query):
        slot = Slot(claim.start_at, claim.free_at or claim.end_at)
        for machine, taken in slots.items():
            if overlap(rows[machine], rows[claim.resource_id]):
                taken.append(slot)
    return {machine: _busy_and_next(now, taken) for machine, taken in slots.items()}


def _busy_and_next(
    now: datetime, taken: list[Slot]
) -> tuple[datetime | None, datetime | None]:  # fmt: skip
    busy_until = chain_end(now, taken)
    later = (slot.start for slot in taken if slot.start >= (busy_until or now))
    return busy_until, min(later, default=None)
