"""Stretches of time: whether they touch, cover, or leave something free."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FAR = datetime(9000, 1, 1, tzinfo=UTC)
"""Nobody books this late; adding to a moment before it never overflows."""


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """A stretch of time: ``start`` belongs to it, ``end`` does not. Both aware."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it lasts; negative where the end comes before the start."""
        return self.end - self.start

    def overlaps(self, other: Slot) -> bool:
        """Say whether the two share a moment; touching ends do not."""
        return self.start < other.end and other.start < self.end

    def covers(self, other: Slot) -> bool:
        """Say whether every moment of the other is in this one."""
        return self.start <= other.start and other.end <= self.end

    def shared_with(self, other: Slot) -> timedelta:
        """Return how long both last together, 0 where they do not meet."""
        return max(min(self.end, other.end) - max(self.start, other.start), timedelta())

    def with_after(self, extra: timedelta) -> Slot:
        """Return the slot with some time after it (cleaning up)."""
        return Slot(self.start, self.end if self.end > FAR else self.end + extra)


def merged(slots: Iterable[Slot]) -> list[Slot]:
    """Return the same time as few slots as possible, in order; touching ones become one."""
    found: list[Slot] = []
    for slot in sorted(slots):
        if found and slot.start <= found[-1].end:
            found[-1] = Slot(found[-1].start, max(found[-1].end, slot.end))
        else:
            found.append(slot)
    return found


def without(spans: Iterable[Slot], taken: Iterable[Slot]) -> list[Slot]:
    """Return what is left of the spans when the taken slots are cut out, in order."""
    left = merged(spans)
    for away in merged(taken):
        left = [piece for span in left for piece in _cut(span, away)]
    return left


def _cut(span: Slot, away: Slot) -> Iterator[Slot]:
    if not span.overlaps(away):
        yield span
        return
    if span.start < away.start:
        yield Slot(span.start, away.start)
    if away.end < span.end:
        yield Slot(away.end, span.end)


def chain_end(now: datetime, taken: Sequence[Slot]) -> datetime | None:
    """Return until when the resource is claimed without a gap, from ``now`` on; None if free."""
    until = None
    for slot in sorted(taken):
        if slot.start <= (until or now) < slot.end:
            until = slot.end
    return until


def is_on_grid(moment: datetime, step: timedelta, zone: ZoneInfo) -> bool:
    """Say whether the clock on the wall shows a multiple of ``step`` (> 0) after midnight."""
    return not _past_grid(moment, step, zone)


def next_on_grid(moment: datetime, step: timedelta, zone: ZoneInfo) -> datetime:
    """Return the first moment from ``moment`` on at which the wall clock shows a multiple."""
    while past := _past_grid(moment, step, zone):
        moment += step - past
    return moment


def room(free: Slot, step: timedelta, shortest: timedelta, zone: ZoneInfo) -> Slot | None:
    """Return what of a free stretch a reservation can hold; None: too little is left.

    :param step: starts lie on multiples of it on the wall clock, lengths are multiples of it.
    :param shortest: how long a reservation lasts at least.
    """
    start = next_on_grid(free.start, step, zone)
    length = (free.end - start) // step * step
    return Slot(start, start + length) if length >= max(shortest, step) else None


def _past_grid(moment: datetime, step: timedelta, zone: ZoneInfo) -> timedelta:
    wall = moment.astimezone(zone).replace(tzinfo=None)
    return (wall - wall.replace(hour=0, minute=0, second=0, microsecond=0)) % step
