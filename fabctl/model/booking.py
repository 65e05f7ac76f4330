"""Reservations: the rules of booking, and the slots that fit. Facts in, every refusal out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from fabctl.errors import InputError
from fabctl.model.certification import Standing, refusal_for
from fabctl.model.refusal import Refusal
from fabctl.model.texts import text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """A stretch of time: ``start`` belongs to it, ``end`` does not. Both aware."""

    start: datetime
    end: datetime

    def overlaps(self, other: Slot) -> bool:
        """Say whether the two share a moment; touching ends do not."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class BookingRules:
    """The numbers of the rules, the same for every machine at first."""

    shortest: timedelta = timedelta(minutes=5)
    longest: timedelta = timedelta(hours=8)
    horizon: timedelta = timedelta(days=60)
    """How far ahead a reservation may start."""
    grace: timedelta = timedelta(seconds=60)
    """How old a start may be: "now" was chosen a moment before it arrives here."""


@dataclass(frozen=True, slots=True)
class BookingFacts:
    """All that the rules look at."""

    now: datetime
    wanted: Slot
    taken: Sequence[Slot] = ()
    """Live claims of any kind on the resource; those elsewhere in time may be among them."""
    certification: Standing = Standing.VALID
    """At the end of the wanted slot, not at booking time."""
    account_suspended: bool = False
    out_of_order: bool = False
    rules: BookingRules = field(default_factory=BookingRules)


def _account(facts: BookingFacts) -> Refusal | None:
    return account_refusal() if facts.account_suspended else None


def _certification(facts: BookingFacts) -> Refusal | None:
    return refusal_for(facts.certification)


def _order(facts: BookingFacts) -> Refusal | None:
    return out_of_order_refusal() if facts.out_of_order else None


def _past(facts: BookingFacts) -> Refusal | None:
    if facts.wanted.start >= facts.now - facts.rules.grace:
        return None
    return Refusal(
        "in-the-past",
        text("This slot has already begun."),
        text("Choose a slot that starts now or later."),
    )


def _horizon(facts: BookingFacts) -> Refusal | None:
    if facts.wanted.start <= facts.now + facts.rules.horizon:
        return None
    return Refusal(
        "beyond-horizon",
        text("Slots can be booked up to {days} days ahead.", days=facts.rules.horizon.days),
        text("Choose an earlier day."),
    )


def _short(facts: BookingFacts) -> Refusal | None:
    if facts.wanted.end - facts.wanted.start >= facts.rules.shortest:
        return None
    least = int(facts.rules.shortest.total_seconds() // 60)
    return Refusal(
        "too-short",
        text("A reservation lasts at least {minutes} minutes.", minutes=least),
        text("Choose a later end."),
    )


def _long(facts: BookingFacts) -> Refusal | None:
    if facts.wanted.end - facts.wanted.start <= facts.rules.longest:
        return None
    most = int(facts.rules.longest.total_seconds() // 3600)
    return Refusal(
        "too-long",
        text("A reservation lasts at most {hours} hours.", hours=most),
        text("Choose an earlier end, or book several times."),
    )


def _overlap(facts: BookingFacts) -> Refusal | None:
    return overlap_refusal() if any(facts.wanted.overlaps(slot) for slot in facts.taken) else None


RULES: tuple[Callable[[BookingFacts], Refusal | None], ...] = (
    _account,
    _certification,
    _order,
    _past,
    _horizon,
    _short,
    _long,
    _overlap,
)


def refusals(facts: BookingFacts) -> list[Refusal]:
    """Return every reason against the wanted slot; an empty list is the only permission."""
    return [refusal for rule in RULES if (refusal := rule(facts)) is not None]


def overlap_refusal() -> Refusal:
    """Return the refusal for a slot that somebody else has; the database says it this way too."""
    return Refusal(
        "overlap",
        text("Somebody has already booked this time, or a part of it."),
        text("Choose another slot."),
    )


def account_refusal() -> Refusal:
    """Return the refusal for an account that staff has suspended."""
    return Refusal(
        "account-suspended",
        text("Your account is suspended."),
        text("Talk to the staff of the lab."),
    )


def out_of_order_refusal() -> Refusal:
    """Return the refusal for a machine that staff has put out of order."""
    return Refusal(
        "out-of-order",
        text("This machine is out of order."),
        text("Choose another machine, or ask the staff when it will be back."),
    )


def free_slots(
    now: datetime,
    taken: Sequence[Slot],
    length: timedelta,
    *,
    rules: BookingRules | None = None,
) -> Iterator[Slot]:
    """Yield free slots of ``length``, the soonest first, none overlapping another.

    The first starts in the running minute if it fits there; the others start at a quarter
    of an hour, within the horizon.
    """
    last_start = now + (rules or BookingRules()).horizon
    start = now.replace(second=0, microsecond=0)
    claims = sorted(slot for slot in taken if slot.end > now)
    while start <= last_start:
        slot = Slot(start, start + length)
        in_the_way = next((claim for claim in claims if slot.overlaps(claim)), None)
        if in_the_way is None:
            yield slot
        start = _quarter_hour_from(in_the_way.end if in_the_way else slot.end)


def _quarter_hour_from(moment: datetime) -> datetime:
    step = timedelta(minutes=15)
    return moment + (EPOCH - moment) % step


def chain_end(now: datetime, taken: Sequence[Slot]) -> datetime | None:
    """Return until when the resource is claimed without a gap, from ``now`` on; None if free."""
    until = None
    for slot in sorted(taken):
        if slot.start <= (until or now) < slot.end:
            until = slot.end
    return until


class LengthError(InputError):
    """A length that no reservation can have was asked for."""

    def __init__(self, rules: BookingRules) -> None:
        super().__init__(
            "no reservation has this length", limit=f"{rules.shortest} to {rules.longest}"
        )
