"""Reservations: the rules of booking. Facts in, every refusal out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fabctl.model.booking_facts import (
    Booked,
    BookingFacts,
    ClaimKind,
    Held,
    ResourceKind,
    Taken,
)
from fabctl.model.booking_policy import BookingRules
from fabctl.model.booking_quotas import (
    gap_too_small,
    minutes,
    own_overlap,
    quota_day,
    quota_week,
    too_many_ahead,
    too_much_ahead,
)
from fabctl.model.booking_refusals import (
    account_refusal,
    age_refusal,
    minors_consent_refusal,
    overlap_refusal,
)
from fabctl.model.booking_slots import Slot, chain_end, is_on_grid
from fabctl.model.certification import Standing, refusal_for
from fabctl.model.consent import local_day
from fabctl.model.out_of_order import out_of_order_refusal
from fabctl.model.refusal import Refusal
from fabctl.model.texts import text

__all__ = [
    "OVERRIDABLE",
    "Booked",
    "BookingFacts",
    "BookingRules",
    "ClaimKind",
    "Held",
    "ResourceKind",
    "Slot",
    "Taken",
    "chain_end",
    "refusals",
    "still_refused",
]


def _account(facts: BookingFacts) -> Refusal | None:
    if facts.account_suspended or facts.group_suspended:
        return account_refusal(group=not facts.account_suspended)
    return None


def _certification(facts: BookingFacts) -> Refusal | None:
    needed = facts.rules.certification
    if needed is None:
        needed = facts.what.kind is ResourceKind.MACHINE
    needed = needed or facts.certification is Standing.SUSPENDED
    return refusal_for(facts.certification) if needed else None


def _age(facts: BookingFacts) -> Refusal | None:
    day = local_day(facts.wanted.start, facts.zone)
    return age_refusal(facts.birth, day, facts.rules.minimum_age)


def _consent(facts: BookingFacts) -> Refusal | None:
    if not facts.rules.minors_consent:
        return None
    day = local_day(facts.wanted.start, facts.zone)
    return minors_consent_refusal(facts.birth, day, facts.consents)


def _order(facts: BookingFacts) -> Refusal | None:
    if facts.out_of_order:
        return out_of_order_refusal(facts.stop)
    if _meets(facts, ClaimKind.MAINTENANCE):
        return Refusal(
            "out-of-order",
            text("Maintenance is planned at that time."),
            text("Choose another slot."),
        )
    return None


def _past(facts: BookingFacts) -> Refusal | None:
    still = facts.was is not None and facts.was.start == facts.wanted.start
    # "Now" is the minute that runs: who asks at its end may be answered in the next one.
    if facts.wanted.start >= facts.now.replace(second=0, microsecond=0) - facts.rules.grace:
        return None
    if still and facts.wanted.end > facts.now:
        return None  # it has begun, and only its end moves
    return Refusal(
        "in-the-past",
        text("This slot has already begun."),
        text("Choose a slot that starts now or later."),
    )


def _notice(facts: BookingFacts) -> Refusal | None:
    notice = facts.rules.notice
    if not notice or facts.using_now or facts.wanted.start >= facts.now + notice:
        return None
    if facts.was is not None and facts.was.start == facts.wanted.start:
        return None
    return Refusal(
        "too-short-notice",
        text("This must be booked at least {minutes} minutes before.", minutes=minutes(notice)),
        text("Choose a later slot."),
    )


def _horizon(facts: BookingFacts) -> Refusal | None:
    if facts.wanted.start <= facts.now + facts.rules.horizon:
        return None
    return Refusal(
        "beyond-horizon",
        text("Slots can be booked up to {days} days ahead.", days=facts.rules.horizon.days),
        text("Choose an earlier day."),
    )


def _grid(facts: BookingFacts) -> Refusal | None:
    step = facts.rules.step
    if not step or facts.using_now:
        return None
    edges = (facts.wanted.start, facts.wanted.end)
    kept = (facts.was.start, facts.was.end) if facts.was else ()
    if all(edge in kept or is_on_grid(edge, step, facts.zone) for edge in edges):
        return None
    return Refusal(
        "off-grid",
        text("Slots start and end every {minutes} minutes.", minutes=minutes(step)),
        text("Choose a start and an end that fit."),
    )


def _short(facts: BookingFacts) -> Refusal | None:
    if facts.wanted.length >= facts.rules.shortest:
        return None
    least = minutes(facts.rules.shortest)
    return Refusal(
        "too-short",
        text("A reservation lasts at least {minutes} minutes.", minutes=least),
        text("Choose a later end."),
    )


def _long(facts: BookingFacts) -> Refusal | None:
    if facts.wanted.length <= facts.rules.longest:
        return None
    most = minutes(facts.rules.longest)
    if most % 60:
        message = text("A reservation lasts at most {minutes} minutes.", minutes=most)
    else:
        message = text("A reservation lasts at most {hours} hours.", hours=most // 60)
    return Refusal("too-long", message, text("Choose an earlier end, or book several times."))


def _closed(facts: BookingFacts) -> Refusal | None:
    if _meets(facts, ClaimKind.CLOSURE):
        return Refusal(
            "closed",
            text("This is closed for some time then."),
            text("Choose another slot."),
        )
    if facts.open is None or any(span.covers(facts.wanted) for span in facts.open):
        return None
    return Refusal(
        "closed",
        text("The lab is not open all that time."),
        text("Choose a slot within the opening hours."),
    )


def _overlap(facts: BookingFacts) -> Refusal | None:
    wanted = facts.wanted.with_after(facts.rules.clean_up)
    # maintenance has its own sentence; all the others keep the slot for somebody
    met = (one for one in facts.claims if one.kind is not ClaimKind.MAINTENANCE)
    return overlap_refusal() if any(wanted.overlaps(one.slot) for one in met) else None


def _meets(facts: BookingFacts, kind: ClaimKind) -> bool:
    wanted = facts.wanted.with_after(facts.rules.clean_up)
    return any(wanted.overlaps(one.slot) for one in facts.claims if one.kind is kind)


RULES: tuple[Callable[[BookingFacts], Refusal | None], ...] = (
    _account,
    _certification,
    _age,
    _consent,
    _order,
    _past,
    _notice,
    _horizon,
    _grid,
    _short,
    _long,
    _closed,
    quota_day,
    quota_week,
    too_many_ahead,
    too_much_ahead,
    gap_too_small,
    own_overlap,
    _overlap,
)

OVERRIDABLE = frozenset(
    {
        "closed",
        "in-the-past",
        "too-short-notice",
        "beyond-horizon",
        "off-grid",
        "too-short",
        "too-long",
        "quota-day",
        "quota-week",
        "too-many-ahead",
        "too-much-ahead",
        "gap-too-small",
        "own-overlap",
    }
)
"""What the staff may book all the same, with a reason: marked (o) in the house rules."""


def refusals(facts: BookingFacts) -> list[Refusal]:
    """Return every reason against the wanted slot; an empty list is the only permission."""
    return [refusal for rule in RULES if (refusal := rule(facts)) is not None]


def still_refused(found: Sequence[Refusal]) -> list[Refusal]:
    """Return the refusals that nobody overrides."""
    return [refusal for refusal in found if refusal.code not in OVERRIDABLE]
