"""What racers do about slots; :mod:`tests.servers.store.racers` runs it.

In every round everybody wants the half hour from nine on; each round is a week after the one
before, so nobody's reservations pile up in what the rules look at.
"""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from fabctl.clock import ManualClock
from fabctl.model.booking_facts import ClaimKind
from fabctl.model.booking_slots import Slot
from fabctl.services import bookings, closures
from fabctl.services.places import in_the_way
from fabctl.store.engine import Database
from fabctl.store.ids import new_id
from fabctl.store.tables import Claim, Reservation, Resource
from tests.servers.store.racing import Action, Racer, Wait

PARIS = ZoneInfo("Europe/Paris")
HALF_HOUR = timedelta(minutes=30)
WEEK = timedelta(weeks=1)


def clock_of(number: int) -> ManualClock:
    """Return the time of a round: 9:00 on a Monday, as in the tests that set the scene."""
    clock = ManualClock()
    clock.wall += number * WEEK
    return clock


def wanted(racer: Racer, number: int) -> Slot:
    """Return the half hour that somebody wants in a round."""
    start = clock_of(number).now() + timedelta(minutes=racer.get("late_min", 0))
    return Slot(start, start + HALF_HOUR)


def book(database: Database, wait: Wait, racer: Racer, number: int) -> None:
    """Book as the web does."""
    slot = wanted(racer, number)
    wait()
    with database.transaction() as session:
        bookings.book(
            session,
            clock_of(number),
            PARIS,
            person_id=racer["person"],
            resource_id=racer["resource"],
            start=slot.start,
            end=slot.end,
            by=racer["person"],
        )


def move(database: Database, wait: Wait, racer: Racer, number: int) -> None:
    """Have the half hour after the wanted one, and move it there as the web does."""
    slot = wanted(racer, number)
    reservation = _half_an_hour_later(database, racer, slot).id
    wait()
    with database.transaction() as session:
        bookings.move(
            session,
            clock_of(number),
            PARIS,
            reservation_id=reservation,
            start=slot.start,
            end=slot.end,
            by=racer["person"],
        )


def book_and_cancel(database: Database, wait: Wait, racer: Racer, number: int) -> None:
    """Have the wanted half hour, and cancel it as the web does."""
    slot = wanted(racer, number)
    slot = Slot(slot.start + WEEK, slot.end + WEEK)  # not begun: nobody misses it
    with database.transaction() as session:
        row = _reserve(session, racer, slot)
    wait()
    with database.transaction() as session:
        bookings.cancel(session, clock_of(number), PARIS, reservation_id=row.id, by=racer["person"])


def close(database: Database, wait: Wait, racer: Racer, number: int) -> None:
    """Close the resource over the wanted half hour, for maintenance, whoever has it."""
    slot = wanted(racer, number)
    wait()
    with database.transaction() as session:
        closures.close(
            session,
            clock_of(number),
            PARIS,
            resource_id=racer["resource"],
            kind=ClaimKind.MAINTENANCE,
            slot=Slot(slot.start + WEEK, slot.end + WEEK),
            note="a race",
            by=racer["person"],
            cancel_reservations=True,
        )


def claim_after_looking(database: Database, wait: Wait, racer: Racer, number: int) -> None:
    """Look whether the slot is free; when everybody has looked, write a claim."""
    slot = wanted(racer, number)
    _look(database, racer, slot)
    wait()
    with database.transaction() as session:
        session.add(_claim(racer, slot))


def move_after_looking(database: Database, wait: Wait, racer: Racer, number: int) -> None:
    """Look whether the slot is free; when everybody has looked, move a claim there."""
    slot = wanted(racer, number)
    claim = _half_an_hour_later(database, racer, slot).claim_id
    _look(database, racer, slot)
    wait()
    with database.transaction() as session:
        there = {"start_at": slot.start, "end_at": slot.end}
        session.execute(update(Claim).where(Claim.id == claim).values(there))


def _half_an_hour_later(database: Database, racer: Racer, slot: Slot) -> Reservation:
    with database.transaction() as session:
        return _reserve(session, racer, Slot(slot.start + HALF_HOUR, slot.end + HALF_HOUR))


def _reserve(session: Session, racer: Racer, slot: Slot) -> Reservation:
    claim = _claim(racer, slot)
    session.add(claim)
    session.flush()
    row = Reservation(id=new_id(), claim_id=claim.id, person_id=racer["person"])
    row.account_id, row.made_by = racer["account"], racer["person"]
    row.created_at = slot.start - HALF_HOUR
    session.add(row)
    return row


def _claim(racer: Racer, slot: Slot) -> Claim:
    row = Claim(id=new_id(), resource_id=racer["resource"], kind="reservation")
    row.start_at, row.end_at = slot.start, slot.end
    return row


def _look(database: Database, racer: Racer, slot: Slot) -> None:
    with database.reading() as session:
        assert not _taken(session, session.get_one(Resource, racer["resource"]), slot)


def _taken(session: Session, resource: Resource, slot: Slot) -> bool:
    query = (
        select(Claim.id)
        .join(Resource, Resource.id == Claim.resource_id)
        .where(
            in_the_way(resource),
            Claim.released_at.is_(None),
            Claim.start_at < slot.end,
            or_(Claim.end_at > slot.start, Claim.free_at > slot.start),
        )
    )
    return session.scalars(query).first() is not None


ACTIONS: tuple[Action, ...] = (
    book, move, book_and_cancel, close, claim_after_looking, move_after_looking,
)  # fmt: skip
