"""Quotas: how much an account may book, and how a person's own reservations lie together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from fabctl.model.booking_facts import BookingFacts, Held, ResourceKind
from fabctl.model.booking_hours import local_day, local_week
from fabctl.model.booking_slots import FAR, Slot
from fabctl.model.refusal import Refusal
from fabctl.model.texts import text

Stretch = Callable[[BookingFacts, datetime], Slot]


def quota_day(facts: BookingFacts) -> Refusal | None:
    """Refuse more than the policy's minutes on one day of the wall clock."""
    limit = facts.rules.per_day
    if limit is None or not _too_much(facts, "per_day", limit, _day):
        return None
    return Refusal(
        "quota-day",
        text("You can book up to {minutes} minutes a day.", minutes=minutes(limit)),
        text("Choose another day, or a shorter time."),
    )


def quota_week(facts: BookingFacts) -> Refusal | None:
    """Refuse more than the policy's minutes from Monday to Sunday."""
    limit = facts.rules.per_week
    if limit is None or not _too_much(facts, "per_week", limit, _week):
        return None
    return Refusal(
        "quota-week",
        text("You can book up to {minutes} minutes a week.", minutes=minutes(limit)),
        text("Choose another week, or a shorter time."),
    )


def too_many_ahead(facts: BookingFacts) -> Refusal | None:
    """Refuse more coming reservations than the policy allows; one that began does not count."""
    limit = facts.rules.coming_most
    if limit is None or len(_coming(facts, "coming_most")) + _adds_one(facts) <= limit:
        return None
    return Refusal(
        "too-many-ahead",
        text("You can have up to {count} reservations ahead.", count=limit),
        text("Wait until one has begun, or cancel one."),
    )


def too_much_ahead(facts: BookingFacts) -> Refusal | None:
    """Refuse more minutes of coming reservations than the policy allows."""
    limit = facts.rules.coming_time
    if limit is None:
        return None
    ahead = [held.slot.length for held in _coming(facts, "coming_time")]
    if sum([*ahead, facts.wanted.length * _adds_one(facts)], timedelta()) <= limit:
        return None
    return Refusal(
        "too-much-ahead",
        text("You can have up to {minutes} minutes booked ahead.", minutes=minutes(limit)),
        text("Wait until a reservation has begun, or cancel one."),
    )


def gap_too_small(facts: BookingFacts) -> Refusal | None:
    """Refuse a slot too close to another one of the same person on the same resource."""
    gap = facts.rules.gap
    if not gap or facts.wanted.end > FAR:
        return None
    around = Slot(facts.wanted.start - gap, facts.wanted.end + gap)
    same = [held for held in facts.of_person if held.resource_id == facts.what.resource_id]
    if not any(around.overlaps(held.slot) for held in same if not held.no_show):
        return None
    return Refusal(
        "gap-too-small",
        text("Leave {minutes} minutes between two of your reservations.", minutes=minutes(gap)),
        text("Choose a slot farther from your other one."),
    )


def own_overlap(facts: BookingFacts) -> Refusal | None:
    """Refuse a second machine at the same time, unless the policy allows it."""
    if facts.rules.several_at_once or facts.what.kind is not ResourceKind.MACHINE:
        return None
    others = (
        held
        for held in facts.of_person
        if held.kind is ResourceKind.MACHINE and held.resource_id != facts.what.resource_id
    )
    if not any(facts.wanted.overlaps(held.slot) for held in others if not held.no_show):
        return None
    return Refusal(
        "own-overlap",
        text("You have another machine at that time."),
        text("Choose another slot, or cancel the other one."),
    )


def minutes(length: timedelta) -> int:
    """Return a length in whole minutes."""
    return int(length.total_seconds() // 60)


def _too_much(facts: BookingFacts, number: str, limit: timedelta, stretch: Stretch) -> bool:
    """Say whether in any day or week that the wanted slot touches there would be too much."""
    held = _in_scope(facts, number)
    for window in _windows(facts, stretch):
        used = sum((one.slot.shared_with(window) for one in held), timedelta())
        if used + facts.wanted.shared_with(window) > limit:
            return True
    return False


def _windows(facts: BookingFacts, stretch: Stretch) -> Iterator[Slot]:
    """Yield the days or weeks that the wanted slot touches: more than the longest need not be."""
    moment = facts.wanted.start
    end = min(facts.wanted.end, facts.wanted.start + timedelta(days=62)) if moment < FAR else moment
    while moment < end:
        window = stretch(facts, moment)
        yield window
        moment = window.end


def _day(facts: BookingFacts, moment: datetime) -> Slot:
    return local_day(moment, facts.zone)


def _week(facts: BookingFacts, moment: datetime) -> Slot:
    return local_week(moment, facts.zone)


def _in_scope(facts: BookingFacts, number: str) -> list[Held]:
    scope = facts.rules.scope_of(number)
    return [held for held in facts.of_account if scope.covers(held.resource_id, held.category)]


def _coming(facts: BookingFacts, number: str) -> list[Held]:
    in_scope = _in_scope(facts, number)
    return [held for held in in_scope if held.slot.start > facts.now and not held.no_show]


def _adds_one(facts: BookingFacts) -> bool:
    return facts.wanted.start > facts.now
