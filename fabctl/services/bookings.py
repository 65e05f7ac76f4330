"""Reservations: making, cancelling, looking, proposing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model import booking as rules
from fabctl.model.booking import BookingFacts, BookingRules, Slot
from fabctl.model.people import Role
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.texts import text
from fabctl.services import lookups
from fabctl.services.audit import audit
from fabctl.services.certifications import standing_at
from fabctl.store.ids import new_id
from fabctl.store.tables import Claim, Reservation

__all__ = [
    "RefusedError",
    "ReservationView",
    "Slot",
    "book",
    "cancel",
    "coming_for_person",
    "current",
    "for_resource",
    "get_reservation",
    "proposals",
    "write",
]


@dataclass(frozen=True, slots=True)
class ReservationView:
    """A reservation as the rest of the program sees it. ``person_id`` is not for public screens."""

    id: str
    resource_id: str
    person_id: str
    start: datetime
    end: datetime
    created_at: datetime
    cancelled_at: datetime | None = None


def book(
    session: Session,
    clock: Clock,
    zone: ZoneInfo,  # noqa: ARG001  # opening hours will ask for it
    *,
    person_id: str,
    resource_id: str,
    start: datetime,
    end: datetime,
    by: str,
) -> ReservationView:
    """Reserve a resource for a person.

    :param start: aware; a moment ago (≤ 60 s) counts as now.
    :param by: who asks: the person, or somebody of the staff.
    :raises RefusedError: every reason against it; nothing was changed.
    :raises UnknownIdError: no such person or machine.
    """
    resource = lookups.resource(session, resource_id, lock=True)
    account = lookups.own_account(session, lookups.person(session, person_id).id)
    wanted = Slot(start, end)
    facts = BookingFacts(
        now=clock.now(),
        wanted=wanted,
        taken=_live_slots(session, resource_id, wanted.start),
        certification=standing_at(session, person_id, resource_id, max(start, end)),
        account_suspended=account.suspended_at is not None,
        out_of_order=resource.out_of_order_at is not None,
    )
    refusals = _may_act_for(session, person_id, by) + rules.refusals(facts)
    if refusals:
        raise RefusedError(refusals)
    return write(session, clock, wanted, resource_id, person_id=person_id, by=by)


def write(
    session: Session, clock: Clock, slot: Slot, resource_id: str, *, person_id: str, by: str
) -> ReservationView:
    """Put a reservation on record without asking the rules: for :func:`book`, and for seeding.

    :raises RefusedError: overlap; the database itself refuses that.
    """
    claim = Claim(
        id=new_id(),
        resource_id=resource_id,
        kind="reservation",
        start_at=slot.start,
        end_at=slot.end,
    )
    session.add(claim)
    session.flush()
    row = Reservation(
        id=new_id(),
        claim_id=claim.id,
        person_id=person_id,
        account_id=lookups.own_account(session, person_id).id,
        made_by=by,
        created_at=clock.now(),
    )
    session.add(row)
    session.flush()
    details = {
        "resource": resource_id,
        "start": slot.start.isoformat(),
        "end": slot.end.isoformat(),
    }
    audit(session, clock, by, "reservation.made", f"reservation:{row.id}", details)
    return _view(row, claim)


def cancel(session: Session, clock: Clock, *, reservation_id: str, by: str) -> ReservationView:
    """Cancel a reservation; one that runs is cut short now, and the rest is free at once.

    :raises RefusedError: not-yours, already-over, already-cancelled.
    :raises UnknownIdError: no such reservation.
    """
    row = lookups.reservation(session, reservation_id)
    claim = session.get_one(Claim, row.claim_id)
    now = clock.now()
    refusals = _may_act_for(session, row.person_id, by)
    if row.cancelled_at is not None:
        refusals.append(_ALREADY_CANCELLED)
    elif claim.end_at <= now:
        refusals.append(_ALREADY_OVER)
    if refusals:
        raise RefusedError(refusals)
    row.cancelled_at, row.cancelled_by = now, by
    if claim.start_at < now:
        claim.end_at = now
    else:
        claim.released_at = now
    audit(session, clock, by, "reservation.cancelled", f"reservation:{row.id}")
    session.flush()
    return get_reservation(session, row.id)


_NOT_YOURS = Refusal(
    "not-yours",
    text("Only the person concerned and the staff may do this."),
    text("Ask the staff."),
)
_ALREADY_OVER = Refusal(
    "already-over",
    text("This reservation is over."),
    text("Nothing needs to be done."),
)
_ALREADY_CANCELLED = Refusal(
    "already-cancelled",
    text("This reservation is cancelled already."),
    text("Nothing needs to be done."),
)


def _may_act_for(session: Session, person_id: str, by: str) -> list[Refusal]:
    if by == person_id or Role(lookups.person(session, by).role).acts_for_others:
        return []
    return [_NOT_YOURS]


def get_reservation(session: Session, reservation_id: str) -> ReservationView:
    """Return one reservation.

    :raises UnknownIdError: there is none.
    """
    row = lookups.reservation(session, reservation_id)
    return _view(row, session.get_one(Claim, row.claim_id))


def coming_for_person(session: Session, clock: Clock, *, person_id: str) -> list[ReservationView]:
    """Return a person's reservations that are not over, the soonest first."""
    query = (
        select(Reservation, Claim)
        .join(Claim, Claim.id == Reservation.claim_id)
        .where(
            Reservation.person_id == person_id,
            Reservation.cancelled_at.is_(None),
            Claim.end_at > clock.now(),
        )
        .order_by(Claim.start_at)
    )
    return [_view(row, claim) for row, claim in session.execute(query)]


def for_resource(
    session: Session, *, resource_id: str, start: datetime, end: datetime
) -> list[ReservationView]:
    """Return the live reservations that share a moment with the stretch, the soonest first."""
    query = (
        select(Reservation, Claim)
        .join(Claim, Claim.id == Reservation.claim_id)
        .where(
            Claim.resource_id == resource_id,
            Claim.released_at.is_(None),
            Claim.start_at < end,
            Claim.end_at > start,
        )
        .order_by(Claim.start_at)
    )
    return [_view(row, claim) for row, claim in session.execute(query)]


def current(session: Session, clock: Clock, *, resource_id: str) -> ReservationView | None:
    """Return the reservation that holds a resource at this moment."""
    now = clock.now()
    found = for_resource(
        session, resource_id=resource_id, start=now, end=now + timedelta(microseconds=1)
    )
    return found[0] if found else None


def proposals(
    session: Session, clock: Clock, resource_id: str, minutes: int = 60, count: int = 4
) -> list[Slot]:
    """Return the next free slots of a length, the soonest first; the first may start now.

    :param minutes: 5 to 480.
    :raises InputError: no such length can be booked.
    """
    rule = BookingRules()
    length = timedelta(minutes=minutes)
    if not rule.shortest <= length <= rule.longest:
        raise rules.LengthError(rule)
    now = clock.now()
    taken = _live_slots(session, resource_id, now)
    return list(islice(rules.free_slots(now, taken, length, rules=rule), count))


def _live_slots(session: Session, resource_id: str, after: datetime) -> list[Slot]:
    query = select(Claim.start_at, Claim.end_at).where(
        Claim.resource_id == resource_id, Claim.released_at.is_(None), Claim.end_at > after
    )
    return [Slot(start, end) for start, end in session.execute(query)]


def _view(row: Reservation, claim: Claim) -> ReservationView:
    return ReservationView(
        id=row.id,
        resource_id=claim.resource_id,
        person_id=row.person_id,
        start=claim.start_at,
        end=claim.end_at,
        created_at=row.created_at,
        cancelled_at=row.cancelled_at,
    )
