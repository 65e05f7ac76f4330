"""Workshop sessions: when they are, how long, how many places; also every week.

Facts in, every refusal out. Who gets a place is in :mod:`fabctl.model.workshops`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fabctl.model.booking import Slot
from fabctl.model.refusal import Refusal
from fabctl.model.texts import text

LONGEST = timedelta(hours=24)
"""A session is one meeting; a camp of a week is a session each day."""

MOST_IN_SERIES = 60
MOST_PLACES = 500


def session_slot(day: date, starts: time, ends: time, zone: ZoneInfo) -> Slot:
    """Return a session's stretch of time from what its poster says, in UTC.

    An end that is not after the start is on the next day. When the clocks change meanwhile, the
    poster stays true and the length changes. A time that the clocks skip is an hour later by
    them; one that they show twice is the first. Should no time be left so, the length stays.
    """
    ends_on = day if ends > starts else day + timedelta(days=1)
    start = datetime.combine(day, starts, zone).astimezone(UTC)
    end = datetime.combine(ends_on, ends, zone).astimezone(UTC)
    if end <= start:
        end = start + (datetime.combine(ends_on, ends) - datetime.combine(day, starts))
    return Slot(start, end)


def weekly(first: date, until: date) -> list[date]:
    """Return the same weekday of every week, from ``first`` to ``until`` (both may be in it)."""
    return [first + timedelta(weeks=week) for week in range(((until - first).days // 7) + 1)]


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """A session that staff want to put on."""

    now: datetime
    wanted: Slot
    places: int
    taken: Sequence[Slot] = ()
    """Live claims on the machines and spaces that it uses."""
    busy: Sequence[str] = ()
    """The names of those that are claimed, where they are known."""
    out_of_order: bool = False


def _ended(facts: SessionFacts) -> Refusal | None:
    return None if facts.wanted.end > facts.now else session_over()


def _length(facts: SessionFacts) -> Refusal | None:
    if timedelta() < facts.wanted.end - facts.wanted.start <= LONGEST:
        return None
    most = int(LONGEST.total_seconds() // 3600)
    return Refusal(
        "session-length",
        text("A session ends after it begins, and lasts at most {hours} hours.", hours=most),
        text("Choose another end, or make a session for each day."),
    )


def _places(facts: SessionFacts) -> Refusal | None:
    if 1 <= facts.places <= MOST_PLACES:
        return None
    return Refusal(
        "places-impossible",
        text("A session has 1 to {most} places.", most=MOST_PLACES),
        text("Choose another number of places."),
    )


def _claims(facts: SessionFacts) -> Refusal | None:
    if not any(facts.wanted.overlaps(slot) for slot in facts.taken):
        return None
    which = text("Already booked then: {names}.", names=", ".join(facts.busy))
    return Refusal(
        "overlap",
        which if facts.busy else text("A machine or space of this session is already booked then."),
        text("Choose another time, or move what is booked."),
    )


SESSION_RULES: tuple[Callable[[SessionFacts], Refusal | None], ...] = (
    _ended,
    _length,
    _places,
    _claims,
)


def session_refusals(facts: SessionFacts) -> list[Refusal]:
    """Return every reason against a session; an empty list is the only permission."""
    return [refusal for rule in SESSION_RULES if (refusal := rule(facts)) is not None]


def series_refusals(dates: int) -> list[Refusal]:
    """Say whether a series has too many dates, or none."""
    if 1 <= dates <= MOST_IN_SERIES:
        return []
    return [
        Refusal(
            "series-length",
            text("A series has 1 to {most} dates.", most=MOST_IN_SERIES),
            text("Choose another last day."),
        )
    ]


def session_over() -> Refusal:
    """Return the refusal for a session that has ended."""
    return Refusal(
        "session-over",
        text("This session is over."),
        text("Choose another session."),
    )
