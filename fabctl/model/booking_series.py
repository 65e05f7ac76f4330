"""A weekly series: the same time on the wall clock, week after week."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

from fabctl.model.booking_hours import exists
from fabctl.model.booking_slots import Slot
from fabctl.model.refusal import Refusal
from fabctl.model.texts import text

FEWEST, MOST = 2, 60
"""Weeks of one series."""


def weekly(first: Slot, weeks: int, zone: ZoneInfo) -> Iterator[tuple[date, Slot | None]]:
    """Yield each date with its slot; None where the clocks skip its start or its end that day.

    A time that the clocks show twice means the first of the two.
    """
    begins = first.start.astimezone(zone).replace(tzinfo=None, fold=0)
    ends = first.end.astimezone(zone).replace(tzinfo=None, fold=0)
    for week in range(weeks):
        start, end = begins + timedelta(weeks=week), ends + timedelta(weeks=week)
        if week == 0:
            yield start.date(), first
        elif exists(start, zone) and exists(end, zone):
            slot = Slot(
                start.replace(tzinfo=zone).astimezone(UTC), end.replace(tzinfo=zone).astimezone(UTC)
            )
            yield start.date(), slot
        else:
            yield start.date(), None


def skipped_refusal() -> Refusal:
    """Return the refusal for a time that the clocks skip."""
    return Refusal(
        "clocks-change",
        text("The clocks go forward that night: this time does not exist."),
        text("Book that date on its own, at another time."),
    )


def weeks_refusal() -> Refusal:
    """Return the refusal for a series of too few or too many weeks."""
    return Refusal(
        "series-length",
        text("A series has {least} to {most} weeks.", least=FEWEST, most=MOST),
        text("Choose another number of weeks."),
    )


def not_allowed_refusal() -> Refusal:
    """Return the refusal for somebody who may not book a series."""
    return Refusal(
        "series-not-allowed",
        text("Only the staff book a weekly series of this."),
        text("Book the dates one by one, or ask the staff."),
    )
