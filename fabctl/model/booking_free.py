"""The slots that fit: free, open, of a length, the soonest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from fabctl.errors import InputError
from fabctl.model.booking_facts import PARIS
from fabctl.model.booking_policy import BookingRules
from fabctl.model.booking_slots import FAR, Slot, next_on_grid

QUARTER = timedelta(minutes=15)


def free_slots(
    now: datetime,
    taken: Sequence[Slot],
    length: timedelta,
    *,
    rules: BookingRules | None = None,
    spans: Sequence[Slot] | None = None,
    zone: ZoneInfo = PARIS,
) -> Iterator[Slot]:
    """Yield free slots of ``length``, the soonest first, none overlapping another.

    The first starts in the running minute if it fits there (and neither notice nor grid forbid
    it); the others start at a quarter of an hour, or on the grid, within the horizon.

    :param spans: when it is open, merged and in order, up to the horizon; None: always.
    """
    rule = rules or BookingRules()
    last_start = now + rule.horizon
    step = rule.step or QUARTER
    minute = now.replace(second=0, microsecond=0)
    # whoever stopped within this very minute had its first seconds
    start = max([minute, *(slot.end for slot in taken if minute < slot.end <= now)])
    if rule.notice or rule.step:
        start = next_on_grid(now + rule.notice, step, zone)
    claims = sorted(slot for slot in taken if slot.end > now)
    while start <= last_start:
        slot = Slot(start, start + length)
        wait_until = _in_the_way(slot.with_after(rule.clean_up), claims) or _opens(slot, spans)
        if wait_until is None:
            yield slot
            wait_until = slot.with_after(rule.clean_up).end
        start = next_on_grid(wait_until, step, zone)


def _in_the_way(slot: Slot, claims: Sequence[Slot]) -> datetime | None:
    return next((claim.end for claim in claims if slot.overlaps(claim)), None)


def _opens(slot: Slot, spans: Sequence[Slot] | None) -> datetime | None:
    """Return when to look again; None when it is open all the slot long."""
    if spans is None or any(span.covers(slot) for span in spans):
        return None
    later = (span.start for span in spans if span.start > slot.start)
    return min(later, default=FAR)


class LengthError(InputError):
    """A length that no reservation can have was asked for."""

    def __init__(self, rules: BookingRules) -> None:
        super().__init__(
            "no reservation has this length", limit=f"{rules.shortest} to {rules.longest}"
        )
