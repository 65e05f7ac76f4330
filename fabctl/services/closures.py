"""Closures and planned maintenance: claims of the staff, kept apart from all others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import InputError, UnknownIdError
from fabctl.model.booking_facts import ClaimKind
from fabctl.model.booking_refusals import impossible
from fabctl.model.booking_slots import Slot
from fabctl.model.notice import Code
from fabctl.model.refusal import RefusedError
from fabctl.services import bookings, lookups, notices, waiting
from fabctl.services.audit import audit
from fabctl.services.closure_outlook import waits_within
from fabctl.services.notices import About
from fabctl.services.places import in_the_way, live_claim, lock_tree
from fabctl.services.rights import require_staff
from fabctl.store.ids import new_id
from fabctl.store.tables import Claim, Reservation, Resource
from fabctl.store.tables_booking import Waiting

_KINDS = frozenset({ClaimKind.CLOSURE, ClaimKind.MAINTENANCE})


@dataclass(frozen=True, slots=True)
class ClosureView:
    """A resource that the staff keep closed for a while."""

    id: str
    resource_id: str
    kind: ClaimKind
    slot: Slot
    note: str
    cancelled: tuple[str, ...] = ()
    """The reservations that went for it; only :func:`close` says them."""


def close(  # noqa: PLR0913  # what, when, why, and what becomes of those who booked
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    resource_id: str,
    kind: ClaimKind,
    slot: Slot,
    note: str,
    by: str,
    cancel_reservations: bool = False,
) -> ClosureView:
    """Close a resource, with all in it, for some time.

    :param cancel_reservations: cancel what is booked then, end the waiting for it, and tell those
        people why; else it refuses.
    :raises RefusedError: overlap: somebody has booked, or a workshop or a closure is there.
    :raises InputError: no reason, or not a kind of the staff.
    :raises UnknownIdError: no such resource.
    """
    require_staff(session, by)
    if kind not in _KINDS or not note.strip():
        raise InputError("a closure is a closure or maintenance, and has a reason")
    if (never := impossible(slot)) is not None:
        raise RefusedError([never])
    lock_tree(session, resource_id)
    resource = lookups.resource(session, resource_id)
    cancelled: tuple[str, ...] = ()
    if cancel_reservations:
        cancelled = _make_room(session, clock, zone, resource, slot, by=by, reason=note)
    row = Claim(id=new_id(), resource_id=resource_id, kind=kind.value, note=note)
    row.start_at, row.end_at = slot.start, slot.end
    session.add(row)
    session.flush()
    details = {"resource": resource_id, "kind": kind.value}
    audit(session, clock, by, "closure.made", f"claim:{row.id}", details)
    return replace(_view(row), cancelled=cancelled)


def _make_room(  # whose slots go, and why
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    resource: Resource,
    slot: Slot,
    *,
    by: str,
    reason: str,
) -> tuple[str, ...]:
    """Cancel what is in the way and has not ended; return the reservations' ids.

    Waiting ends, too. Offers go first: they would follow at once.
    """
    overlapping = (
        in_the_way(resource), live_claim(), Claim.start_at < slot.end, Claim.end_at > slot.start
    )  # fmt: skip
    on_resource = Resource.id == Claim.resource_id
    for entry in session.scalars(waits_within(resource, slot)).all():
        _end_wait(session, clock, entry, by=by, reason=reason)
    query = (
        select(Reservation.id)
        .join(Claim, Claim.id == Reservation.claim_id)
        .join(Resource, on_resource)
        .where(*overlapping, Claim.end_at > clock.now())
    )
    found = tuple(session.scalars(query))
    for one in found:
        bookings.cancel(session, clock, zone, reservation_id=one, by=by, reason=reason)
    return found


def _end_wait(session: Session, clock: Clock, row: Waiting, *, by: str, reason: str) -> None:
    """End somebody's waiting for what is closed, and tell them why unless its time is over."""
    waiting.settle(session, clock, row, waiting.MISSED)
    audit(session, clock, by, "waiting.missed", f"waiting:{row.id}", {"reason": reason})
    if row.end_at > clock.now():
        about = About(
            resource_id=row.resource_id,
            slot=Slot(row.start_at, row.end_at),
            subject=f"waiting:{row.id}",
            words=reason,
        )
        notices.tell(session, clock, row.person_id, Code.WAIT_ENDED, about)


def reopen(
    session: Session, clock: Clock, zone: ZoneInfo, *, closure_id: str, by: str
) -> ClosureView:
    """End a closure now, or before it begins; those who wait get their offers.

    :raises UnknownIdError: there is no such closure (any more).
    """
    require_staff(session, by)
    row = session.get(Claim, closure_id, with_for_update=True)
    if row is None or row.released_at is not None or row.kind not in _KINDS:
        raise UnknownIdError(f"there is no closure {closure_id!r}")
    lock_tree(session, row.resource_id)
    if row.start_at < clock.now() < row.end_at:
        row.end_at = clock.now()
    else:
        row.released_at = clock.now()
    session.flush()
    audit(session, clock, by, "closure.ended", f"claim:{row.id}")
    waiting.promote(session, clock, zone, row.resource_id)
    return _view(row)


def coming(session: Session, *, since: datetime) -> list[ClosureView]:
    """Return the closures that end after a moment, the soonest first."""
    query = select(Claim).where(live_claim(), Claim.kind.in_(_KINDS), Claim.end_at > since)
    return [_view(row) for row in session.scalars(query.order_by(Claim.start_at, Claim.id))]


def _view(row: Claim) -> ClosureView:
    slot = Slot(row.start_at, row.end_at)
    return ClosureView(row.id, row.resource_id, ClaimKind(row.kind), slot, row.note or "")
