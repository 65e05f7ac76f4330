"""What a booking page offers: the next slots, those around a moment, those to wait for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fabctl.model.booking_facts import ClaimKind
from fabctl.model.booking_hours import local_day
from fabctl.model.booking_slots import Slot, next_on_grid, room
from fabctl.services import availability, bookings, policies
from fabctl.services.people import PersonView
from fabctl_web.lab import Lab

PROPOSED = 4
STARTS = 6
"""How many starts are offered within a free stretch."""
STEP = timedelta(minutes=30)
QUARTER = timedelta(minutes=15)
SHORT = timedelta(hours=1)
"""Of a free stretch below this all that is left is offered."""
WAIT_AHEAD = timedelta(days=3)
WAITS = 4


@dataclass(frozen=True)
class Around:
    """What there is at a moment that somebody looked at."""

    stretch: Slot | None
    """The free time that it lies in; None: it is taken or closed."""
    starts: Sequence[Slot]
    """Slots of the wished length within it."""
    wanted: Slot
    """The slot that begins at the moment."""
    taken: bool
    """Whether somebody has booked a part of that."""


def next_slots(lab: Lab, resource_id: str, minutes: int) -> list[Slot]:
    """Return the next slots of this length, or of the nearest that can be booked."""
    with lab.db.reading() as db:
        return bookings.proposals(
            db,
            lab.clock,
            lab.config.time_zone,
            resource_id,
            minutes=minutes,
            count=PROPOSED,
            fit=True,
        )


def around(lab: Lab, resource_id: str, moment: datetime, minutes: int) -> Around:
    """Return what is free at a moment of a day, and until when."""
    zone, length = lab.config.time_zone, timedelta(minutes=minutes)
    day = local_day(moment, zone)
    window = Slot(day.start, day.end + length)
    with lab.db.reading() as db:
        found = availability.availability(db, zone, window, [resource_id])[0]
    wanted = Slot(moment, moment + length)
    taken = any(
        one.kind in {ClaimKind.RESERVATION, ClaimKind.OFFER} and one.slot.overlaps(wanted)
        for one in found.taken
    )
    for stretch in found.free:
        if stretch.start <= moment < stretch.end and not found.out_of_order:
            begin = max(moment, lab.clock.now())
            starts = list(_starts(lab, Slot(begin, stretch.end), length))
            return Around(Slot(begin, min(stretch.end, day.end)), starts[:STARTS], wanted, taken)
    return Around(None, [], wanted, taken)


def lengths_at(
    lab: Lab, resource_id: str, moment: datetime | None, usual: Sequence[int]
) -> tuple[list[int], int | None]:
    """Return the lengths to offer at a moment, and which of them takes all of a short stretch.

    :param usual: what is offered everywhere, minutes.
    :return: minutes in order; None: no moment, or there is room for an hour.
    """
    if moment is None:
        return list(usual), None
    zone = lab.config.time_zone
    with lab.db.reading() as db:
        found = availability.availability(db, zone, local_day(moment, zone), [resource_id])[0]
        rules = policies.rules_of_resource(db, resource_id)
    at = max(moment, lab.clock.now())
    stretch = next((one for one in found.free if one.start <= at < one.end), None)
    if stretch is None:
        return list(usual), None
    left = room(Slot(at, stretch.end), max(rules.step, QUARTER), rules.shortest, zone)
    if left is None or left.length >= SHORT:
        return list(usual), None
    whole = left.length // timedelta(minutes=1)
    return sorted({*usual, whole}), whole


def _starts(lab: Lab, stretch: Slot, length: timedelta) -> Iterator[Slot]:
    start = next_on_grid(stretch.start, QUARTER, lab.config.time_zone)
    while start + length <= stretch.end:
        yield Slot(start, start + length)
        start = next_on_grid(start + QUARTER, STEP, lab.config.time_zone)


def to_wait_for(lab: Lab, resource_id: str, person: PersonView) -> list[Slot]:
    """Return the next slots that somebody else has: one of them may be given back."""
    now = lab.clock.now()
    with lab.db.reading() as db:
        found = bookings.for_resource(db, resource_id=resource_id, start=now, end=now + WAIT_AHEAD)
    coming = [
        Slot(one.start, one.end) for one in found if one.start > now and one.person_id != person.id
    ]
    return coming[:WAITS]
