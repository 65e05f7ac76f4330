"""One day of all resources, in quarters of an hour on the wall clock. It names nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from fabctl.model.booking_facts import ClaimKind
from fabctl.model.booking_hours import day_slot, instant, local_day
from fabctl.model.booking_policy import BookingRules
from fabctl.model.booking_slots import Slot, merged, next_on_grid, room, without
from fabctl.services import availability, policies, reservation_lists
from fabctl.services.availability import Availability
from fabctl.services.people import PersonView
from fabctl_web.bookings.places import Place, all_places
from fabctl_web.lab import Lab


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


QUARTER_MIN = 15
HOUR = 4
"""Quarters."""
ALWAYS_OPEN = (8, 20)
"""Which hours to show of what never closes; what is booked outside them is shown too."""
NARROW = timedelta(hours=1)
"""A free stretch below this is too narrow to touch where hours lie side by side: its button lies
below the line there."""
FREE, YOURS, TAKEN, CLOSED = "free", "yours", "taken", "closed"
WORDS = {
    FREE: _("Free"),
    YOURS: _("Yours"),
    TAKEN: _("Taken"),
    CLOSED: _("Closed"),
    "maintenance": _("Maintenance"),
    "workshop": _("Workshop"),
}
_KINDS = {
    ClaimKind.RESERVATION: TAKEN,
    ClaimKind.OFFER: TAKEN,
    ClaimKind.CLOSURE: CLOSED,
    ClaimKind.MAINTENANCE: "maintenance",
    ClaimKind.WORKSHOP: "workshop",
}


@dataclass(frozen=True)
class Block:
    """A stretch of one resource's day. ``first`` and ``last``: quarters after the first hour."""

    kind: str
    slot: Slot
    first: int
    last: int
    room: Slot | None = None
    """What of a free stretch can be booked; None: nothing."""

    @property
    def narrow(self) -> bool:
        """Whether it can be booked, but is too narrow for a button in its place."""
        return self.room is not None and self.room.length < NARROW

    @property
    def word(self) -> str:
        """What it is called."""
        return WORDS[self.kind]


@dataclass(frozen=True)
class Line:
    """One resource's day."""

    place: Place
    out_of_order: bool
    blocks: Sequence[Block]

    @property
    def narrow(self) -> list[Block]:
        """Return what can be booked, but is too narrow for a button in its place."""
        return [one for one in self.blocks if one.narrow]


@dataclass(frozen=True)
class Hours:
    """The hours that are shown, ``first`` ≤ 23 to ``last`` ≤ 24."""

    first: int
    last: int

    @property
    def count(self) -> int:
        """How many."""
        return self.last - self.first


@dataclass(frozen=True)
class Day:
    """A day of the lab."""

    date: date
    hours: Hours
    lines: Sequence[Line]


def read_day(lab: Lab, day: date, person: PersonView | None) -> Day:
    """Read the timeline of a day; ``person``: whose own reservations are marked."""
    zone, now = lab.config.time_zone, lab.clock.now()
    window = day_slot(day, zone)
    with lab.db.reading() as db:
        found = {one.resource_id: one for one in availability.availability(db, zone, window)}
        rules = policies.rules_of_all(db)
        mine = (
            []
            if person is None
            else reservation_lists.of_person(
                db, person_id=person.id, by=person.id, since=window.start, limit=200
            )
        )
    own: dict[str, list[Slot]] = {}
    for one in mine:
        if one.start < window.end and one.cancelled_at is None and one.no_show_at is None:
            own.setdefault(one.resource_id, []).append(Slot(one.start, one.end))
    hours = shown_hours(found.values(), window, zone, now)
    seen = Slot(
        instant(day, hours.first * 60, zone, second=False),
        instant(day, hours.last * 60, zone, second=True),
    )
    lines = [
        Line(
            place,
            found[place.id].out_of_order,
            list(
                blocks(
                    found[place.id], own.get(place.id, []), seen, hours, now, zone, rules[place.id]
                )
            ),
        )
        for place in all_places(lab)
        if place.id in found
    ]
    return Day(day, hours, lines)


def shown_hours(
    found: Iterable[Availability], window: Slot, zone: ZoneInfo, now: datetime
) -> Hours:
    """Return the hours from the first opening to the last closing, and whatever is booked;
    of today those that are not over.
    """
    spans: list[Slot] = []
    always = False
    for one in found:
        always = always or list(one.open) == [window]
        spans += [span for span in one.open if span != window]
        spans += [taken.slot for taken in one.taken if taken.kind is not ClaimKind.CLOSURE]
    firsts = [_quarter(span.start, window, zone) // HOUR for span in spans]
    lasts = [-(-_quarter(span.end, window, zone, up=True) // HOUR) for span in spans]
    if always or not spans:
        firsts, lasts = [*firsts, ALWAYS_OPEN[0]], [*lasts, ALWAYS_OPEN[1]]
    first, last = min(firsts), max(lasts)
    if window.start <= now < window.end:
        hour = now.astimezone(zone).hour
        first, last = max(first, hour), max(last, hour + 1)
    return Hours(first, last)


def blocks(  # of what, whose, what of the day is seen
    found: Availability,
    own: Sequence[Slot],
    seen: Slot,
    hours: Hours,
    now: datetime,
    zone: ZoneInfo,
    rules: BookingRules,
) -> Iterator[Block]:
    """Yield what a resource's day is made of, in order, none over another.

    Of free time only what is to come is shown, and what of it can be booked.
    """
    step = max(rules.step, timedelta(minutes=QUARTER_MIN))
    at, day = 0, local_day(seen.start, zone)
    for slot, kind in sorted(_stretches(found, own, seen, now, zone)):
        inward = kind == FREE
        first = _quarter(slot.start, day, zone, up=inward) - hours.first * HOUR
        last = _quarter(slot.end, day, zone, up=not inward) - hours.first * HOUR
        first, last = max(first, at), min(last, hours.count * HOUR)
        if first < last:
            at = last
            left = room(slot, step, rules.shortest, zone) if inward else None
            yield Block(kind, slot, first, last, left)


def _stretches(
    found: Availability, own: Sequence[Slot], seen: Slot, now: datetime, zone: ZoneInfo
) -> Iterator[tuple[Slot, str]]:
    """Yield what lies within the hours that are seen, each with its kind."""
    closed = without([seen], merged([*found.open, *(one.slot for one in found.taken)]))
    every = [
        *((slot, YOURS) for slot in own),
        *((left, _KINDS[one.kind]) for one in found.taken for left in without([one.slot], own)),
        *((slot, CLOSED) for slot in closed),
    ]
    if not found.out_of_order:
        soon = next_on_grid(now, timedelta(minutes=QUARTER_MIN), zone)
        every += [(Slot(max(slot.start, soon), slot.end), FREE) for slot in found.free]
    for slot, kind in every:
        cut = Slot(max(slot.start, seen.start), min(slot.end, seen.end))
        if cut.start < cut.end:
            yield cut, kind


def _quarter(moment: datetime, window: Slot, zone: ZoneInfo, *, up: bool = False) -> int:
    """Return the quarter of the day that a moment is in, 0 to 96; ``up``: the next full one."""
    if moment <= window.start:
        return 0
    if moment >= window.end:
        return 24 * HOUR
    wall = moment.astimezone(zone)
    seconds = wall.hour * 3600 + wall.minute * 60 + wall.second
    return -(-seconds // (QUARTER_MIN * 60)) if up else seconds // (QUARTER_MIN * 60)
