"""When a lab is open: a week, exceptions and public holidays on the wall clock, as instants.

A day's periods are minutes after its midnight, on the wall clock; one that ends after 24:00
(1440) goes on into the next day. Where the clocks go forward, a time that no clock shows means
the moment of the change. Where they go back, a time that clocks show twice opens the first time
and closes the second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fabctl.model.booking_slots import FAR, Slot, merged

DAY_MIN = 24 * 60
LATEST_MIN = 2 * DAY_MIN
"""A period ends at the end of the next day at the latest."""

Periods = tuple[tuple[int, int], ...]
"""From and to, in minutes after midnight."""

ALL_DAY: Periods = ((0, DAY_MIN),)
LONGEST_LOOK = timedelta(days=400)
"""How far ahead of a window's start it is worked out; beyond it nothing is open."""


@dataclass(frozen=True)
class Hours:
    """When something is open. An exception goes before a holiday, a holiday before the week."""

    week: Mapping[int, Periods] | None = None
    """By weekday, Monday 0; a missing day is closed. None: no week was ever set, always open."""
    exceptions: Mapping[date, Periods] = field(default_factory=dict)
    """No period: closed on that day."""
    holidays: frozenset[date] = frozenset()

    def on(self, day: date) -> Periods:
        """Return a day's periods."""
        if day in self.exceptions:
            return self.exceptions[day]
        if self.week is None:
            return ALL_DAY
        return () if day in self.holidays else self.week.get(day.weekday(), ())


def sound_periods(periods: Periods) -> bool:
    """Say whether the periods are in order, apart, and within their day and the next."""
    edges = [edge for period in periods for edge in period]
    if any(begins >= ends for begins, ends in periods) or edges != sorted(edges):
        return False
    return all(0 <= begins < DAY_MIN and ends <= LATEST_MIN for begins, ends in periods)


def open_spans(hours: Hours, window: Slot, zone: ZoneInfo) -> list[Slot]:
    """Return when it is open, as instants, in order and merged: all that touches the window."""
    if window.start > FAR:
        return []
    last = min(window.end, window.start + LONGEST_LOOK)
    look = Slot(window.start, max(last, window.start))
    spans = merged(_spans(hours, look, zone))
    return [span for span in spans if span.start <= look.end and look.start <= span.end]


def _spans(hours: Hours, window: Slot, zone: ZoneInfo) -> Iterator[Slot]:
    # a day before may reach into the window, and a day after is needed to see where it goes on
    day = window.start.astimezone(zone).date() - timedelta(days=2)
    last = window.end.astimezone(zone).date() + timedelta(days=1)
    while day <= last:
        for begins, ends in hours.on(day):
            span = Slot(
                instant(day, begins, zone, second=False), instant(day, ends, zone, second=True)
            )
            if span.start < span.end:
                yield span
        day += timedelta(days=1)


def instant(day: date, minutes: int, zone: ZoneInfo, *, second: bool) -> datetime:
    """Return when the wall clock shows ``minutes`` after a day's midnight.

    :param second: of two such moments the second one.
    """
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    found = wall.replace(tzinfo=zone, fold=int(second)).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wall:
        return found
    return _change_around(wall, zone)


def exists(wall: datetime, zone: ZoneInfo) -> bool:
    """Say whether the wall clock (naive) ever shows this time."""
    return wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall


def _change_around(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment of the change that skips a wall clock time, to the second."""
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def local_day(moment: datetime, zone: ZoneInfo) -> Slot:
    """Return the day, midnight to midnight on the wall clock, that a moment belongs to."""
    return day_slot(moment.astimezone(zone).date(), zone)


def day_slot(day: date, zone: ZoneInfo, days: int = 1) -> Slot:
    """Return a day (or several) as instants: 23, 24 or 25 hours each."""
    after = day + timedelta(days=days)
    return Slot(instant(day, 0, zone, second=False), instant(after, 0, zone, second=False))


def local_week(moment: datetime, zone: ZoneInfo) -> Slot:
    """Return the week, Monday to Sunday on the wall clock, that a moment belongs to."""
    day = moment.astimezone(zone).date()
    return day_slot(day - timedelta(days=day.weekday()), zone, days=7)
