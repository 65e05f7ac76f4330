"""Planned maintenance by hours of use and by date: when it is due, and when it was done."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from fabctl.model.refusal import Refusal
from fabctl.model.texts import text

MOST_HOURS = 100_000
HAIR_S = 1e-6
"""What adding up may lose, s: ten times six minutes is an hour."""


@dataclass(frozen=True, slots=True)
class Work:
    """One use of a machine, as its hours count.

    ``seconds`` is how long it worked in it; spread evenly over the use where a part is asked for.
    """

    begin: datetime
    end: datetime
    """Now, while it is open."""
    seconds: float


def seconds_after(work: Work, since: datetime) -> float:
    """Return the seconds of one use that lie after a moment."""
    if work.end <= since:
        return 0.0
    whole = (work.end - work.begin).total_seconds()
    if work.begin >= since or whole <= 0:
        return work.seconds
    return work.seconds * (work.end - since).total_seconds() / whole


def seconds_worked(works: Iterable[Work], since: datetime) -> float:
    """Return how long a machine worked since a moment, s."""
    return sum(seconds_after(work, since) for work in works)


def runs_over_at(works: Sequence[Work], since: datetime, limit: timedelta) -> datetime | None:
    """Return when a machine had worked for ``limit`` since a moment; None: it has not yet.

    It is the same moment whenever somebody asks, also after a day without the steward.

    :param works: oldest first.
    """
    left = limit.total_seconds()
    for work in works:
        here = seconds_after(work, since)
        if here > 0 and here + HAIR_S >= left:
            begin = min(max(work.begin, since), work.end)
            return begin + (work.end - begin) * (min(1.0, left / here))
        left -= here
    return None


@dataclass(frozen=True, slots=True)
class DoneFacts:
    """Somebody says that a planned maintenance was done."""

    now: datetime
    done_at: datetime
    counted_from: datetime
    """When it was done last, or planned."""
    ended: bool
    """The plan."""
    expected: int | None
    """Which time they speak of, as they saw it; None: whichever comes."""
    cycle: int
    """Which time is next: 0 the first."""


def done_refusals(facts: DoneFacts) -> list[Refusal]:
    """Say everything against it. A second tap speaks of a time that is over."""
    found = []
    if facts.ended:
        found.append(
            Refusal(
                "plan-ended",
                text("This maintenance is not planned any more."),
                text("Make a new plan if it is needed again."),
            )
        )
    if facts.expected is not None and facts.expected != facts.cycle:
        found.append(
            Refusal(
                "already-done",
                text("This maintenance was noted as done already."),
                text("Look at its history."),
            )
        )
    if facts.done_at > facts.now:
        found.append(
            Refusal(
                "done-in-the-future",
                text("This time has not come yet."),
                text("Say when it was done."),
            )
        )
    if facts.done_at < facts.counted_from:
        found.append(
            Refusal(
                "done-before-the-last",
                text("It was done or planned after that time."),
                text("Give a later time."),
            )
        )
    return found


class Unit(StrEnum):
    """What a plan by date counts."""

    WEEK = "week"
    MONTH = "month"


MOST_OF = {Unit.WEEK: 520, Unit.MONTH: 120}
"""Ten years."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Every so many weeks or months."""

    count: int
    unit: Unit


def comes_back_at(since: datetime, rhythm: Rhythm, zone: ZoneInfo) -> datetime:
    """Return when a plan by date is due, UTC: at the same time of day by the lab's clocks.

    A month without the day ends it: a month after 31 January is its 28th or 29th of February.
    """
    local = since.astimezone(zone)
    wall = datetime.combine(_later(local.date(), rhythm), local.time(), zone)
    return wall.astimezone(UTC)


def _later(day: date, rhythm: Rhythm) -> date:
    if rhythm.unit is Unit.WEEK:
        return day + timedelta(weeks=rhythm.count)
    years, month = divmod(day.month - 1 + rhythm.count, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def part_over(since: datetime, now: datetime, until: datetime | None) -> float:
    """Return which part of a time is over, from 0 on; 0 where it has no end."""
    return 0.0 if until is None else max(0.0, (now - since) / (until - since))


def rhythm_refusals(hours: float | None, rhythm: Rhythm | None) -> list[Refusal]:
    """Say what is wrong with how often a plan comes back: by hours, by date, or whichever first."""
    found = hours_refusals(hours) if hours is not None or rhythm is None else []
    if rhythm is not None and not 1 <= rhythm.count <= MOST_OF[rhythm.unit]:
        found.append(
            Refusal(
                "date-not-possible",
                text("Maintenance comes back within ten years."),
                text("Give the weeks or months between two times."),
            )
        )
    return found


def hours_refusals(hours: float | None) -> list[Refusal]:
    """Say what is wrong with the hours of a plan: above 0, at most 100,000 (11 years)."""
    if hours is not None and 0 < hours <= MOST_HOURS:
        return []
    return [
        Refusal(
            "hours-not-possible",
            text("Maintenance is planned by hours of use, {most} at most.", most=MOST_HOURS),
            text("Give the hours between two times."),
        )
    ]
