"""Reservations: the rules of booking, and the slots that fit. Facts in, every refusal out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from fabctl.errors import InputError
from fabctl.model.booking_facts import (
    PARIS,
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
from fabctl.model.booking_slots import EPOCH, FAR, Slot, chain_end, is_on_grid, next_on_grid
from fabctl.model.certification import refusal_for
from fabctl.model.consent import consent_refusals, local_day, under_age
from fabctl.model.refusal import Refusal
from fabctl.model.texts import text

__all__ = [
    "OVERRIDABLE",
    "Booked",
    "BookingFacts",
    "BookingRules",
    "ClaimKind",
    "Held",
    "LengthError",
    "ResourceKind",
    "Slot",
    "Taken",
    "account_refusal",
    "chain_end",
    "free_slots",
    "impossible",
    "out_of_order_refusal",
    "out_of_range",
    "overlap_refusal",
    "refusals",
    "still_refused",
]


def _account(facts: BookingFacts) -> Refusal | None:
    return account_refusal() if facts.account_suspended else None


def _certification(facts: BookingFacts) -> Refusal | None:
    needed = facts.rules.certification
    if needed is None:
        needed = facts.what.kind is ResourceKind.MACHINE
    return refusal_for(facts.certification) if needed else None


def _age(facts: BookingFacts) -> Refusal | None:
    """Where only the year of birth is known, only who surely has the age passes."""
    least = facts.rules.minimum_age
    if least is None:
        return None
    younger = under_age(facts.birth, local_day(facts.wanted.start, facts.zone), least)
    if younger is None:
        return Refusal(
            "under-age",
            text("You must be {age} to use this, and your age is not known.", age=least),
            text("Tell the staff the year of your birth."),
        )
    if not younger:
        return None
    return Refusal(
        "under-age",
        text("You must be {age} to use this.", age=least),
        text("Choose something else, or ask the staff."),
    )


def _consent(facts: BookingFacts) -> Refusal | None:
    minor = under_age(facts.birth, local_day(facts.wanted.start, facts.zone))
    if minor is not True or not facts.rules.minors_consent:
        return None
    return next(iter(consent_refusals(facts.consents, minor=True)), None)


def _order(facts: BookingFacts) -> Refusal | None:
    if facts.out_of_order:
        return out_of_order_refusal()
    if _meets(facts, ClaimKind.MAINTENANCE):
        return Refusal(
            "out-of-order",
            text("Maintenance is planned at that time."),
            text("Choose another slot."),
        )
    return None


def _past(facts: BookingFacts) -> Refusal | None:
    still = facts.was is not None and facts.was.start == facts.wanted.start
    if facts.wanted.start >= facts.now - facts.rules.grace:
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


def out_of_range(wanted: Slot) -> Refusal | None:
    """Return why a slot cannot even be looked at: nobody who asks for it lives then."""
    return None if wanted.start > EPOCH and wanted.end < FAR else _NO_SUCH_TIME


def impossible(wanted: Slot) -> Refusal | None:
    """Return why no claim can be like this, whoever asks and whatever is set aside."""
    return out_of_range(wanted) if wanted.start < wanted.end else _NO_SUCH_TIME


_NO_SUCH_TIME = Refusal(
    "no-such-time",
    text("No reservation can begin and end like this."),
    text("Choose an end after the start."),
)


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
    start = now.replace(second=0, microsecond=0)
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
