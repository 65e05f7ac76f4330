"""Reservations: making them, looking at them, proposing slots."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model import booking as rules
from fabctl.model.booking_facts import BookingFacts
from fabctl.model.booking_free import LengthError, free_slots
from fabctl.model.booking_refusals import impossible, out_of_range
from fabctl.model.booking_slots import Slot, merged
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.services import accounts, lookups, opening
from fabctl.services.booking_record import (
    Extra,
    ReservationView,
    may_act_for,
    set_aside,
    view,
    write,
)
from fabctl.services.changes import awaits_check_in, cancel, check_in, move, stop
from fabctl.services.gathering import Asked, gather, lock_account, taken_around
from fabctl.services.places import around, in_the_way, live_claim, lock_tree
from fabctl.services.policies import all_policies, rules_of
from fabctl.store.tables import Claim, Reservation, Resource

MOMENT = timedelta(microseconds=1)

__all__ = [
    "MOMENT",
    "RefusedError",
    "ReservationView",
    "Slot",
    "awaits_check_in",
    "book",
    "book_any",
    "cancel",
    "check_in",
    "coming_for_person",
    "current",
    "for_resource",
    "get_reservation",
    "move",
    "proposals",
    "stop",
    "use_now",
    "write",
]


def book(  # noqa: PLR0913  # who, what, when, and by whom
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    person_id: str,
    resource_id: str,
    start: datetime,
    end: datetime,
    by: str,
    account_id: str | None = None,
    override_reason: str | None = None,
    series_id: str | None = None,
) -> ReservationView:
    """Reserve a resource for a person.

    :param start: aware; the minute that runs and the one before it count as now.
    :param account_id: a group's, for which the person acts; None: their own is charged.
    :param by: who asks: the person, or somebody of the staff.
    :param override_reason: why the staff set aside the rules that may be (OVERRIDABLE).
    :raises RefusedError: every reason against it; nothing was changed.
    :raises UnknownIdError: no such person or resource.
    """
    asked = _asked(session, person_id, resource_id, Slot(start, end), account_id)
    facts, found = _judged(session, clock, zone, asked, by)
    overrode = set_aside(session, found, by, override_reason)
    if (never := impossible(asked.wanted)) is not None:
        raise RefusedError([never])
    extra = Extra(
        clean_up=facts.rules.clean_up,
        account_id=asked.account.id,
        series_id=series_id,
        overrode=overrode,
        reason=override_reason,
    )
    return write(session, clock, asked.wanted, resource_id, person_id=person_id, by=by, extra=extra)


def book_any(  # noqa: PLR0913  # who, what, when, and by whom
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    person_id: str,
    pool_id: str,
    start: datetime,
    end: datetime,
    by: str,
    account_id: str | None = None,
) -> ReservationView:
    """Reserve the first member of a pool that can be booked.

    :raises RefusedError: none can; the reasons of the member with the fewest.
    :raises UnknownIdError: no such person or pool, or it is empty.
    """
    fewest: list[Refusal] | None = None
    for resource_id in lookups.pool_members(session, pool_id):
        asked = _asked(session, person_id, resource_id, Slot(start, end), account_id)
        facts, found = _judged(session, clock, zone, asked, by)
        if not found:
            extra = Extra(clean_up=facts.rules.clean_up, account_id=asked.account.id)
            return write(
                session, clock, asked.wanted, resource_id, person_id=person_id, by=by, extra=extra
            )
        if fewest is None or len(found) < len(fewest):
            fewest = found
    raise RefusedError(fewest or [])


def use_now(  # who, what, for how long, and by whom
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    person_id: str,
    resource_id: str,
    by: str,
    minutes: int | None = None,
    account_id: str | None = None,
) -> ReservationView:
    """Reserve a resource from now to the next claim, closing, or the longest allowed time.

    Whoever does this stands before the machine: they are checked in.

    :param minutes: not longer than this; None: as long as possible.
    :raises RefusedError: every reason against it; ``too-short`` where too little is left.
    :raises UnknownIdError: no such person or resource.
    """
    now = clock.now()
    resource = lookups.resource(session, resource_id)
    policies = all_policies(session)
    rule = rules_of(policies, resource)
    longest = rule.longest if minutes is None else min(rule.longest, timedelta(minutes=minutes))
    wanted = Slot(now, now + longest)
    asked = _asked(session, person_id, resource_id, wanted, account_id, using_now=True)
    facts, found = _judged(session, clock, zone, asked, by)
    if {"overlap", "closed", "out-of-order"} & {refusal.code for refusal in found}:
        shorter = Slot(now, _free_until(facts))
        if shorter.length >= rule.shortest:
            asked = replace(asked, wanted=shorter)
            facts, found = _judged(session, clock, zone, asked, by)
    if found:
        raise RefusedError(found)
    extra = Extra(clean_up=rule.clean_up, account_id=asked.account.id, checked_in=True)
    return write(session, clock, asked.wanted, resource_id, person_id=person_id, by=by, extra=extra)


def _free_until(facts: BookingFacts) -> datetime:
    """Return until when the resource is free and open from the wanted start on."""
    wanted = facts.wanted
    ends = [wanted.end]
    ends += [one.slot.start - facts.rules.clean_up for one in facts.claims]
    if facts.open is not None:
        ends += [span.end for span in merged(facts.open) if span.start <= wanted.start < span.end]
    return min(ends)


def _asked(
    session: Session,
    person_id: str,
    resource_id: str,
    wanted: Slot,
    account_id: str | None,
    *,
    using_now: bool = False,
) -> Asked:
    """Take the locks in the order that everybody takes them: the account, then the resources."""
    if (never := out_of_range(wanted)) is not None:
        raise RefusedError([never])
    account = lock_account(session, person_id, account_id)
    lock_tree(session, resource_id)
    resource = lookups.resource(session, resource_id)
    return Asked(lookups.person(session, person_id), account, resource, wanted, using_now=using_now)


def _judged(
    session: Session, clock: Clock, zone: ZoneInfo, asked: Asked, by: str
) -> tuple[BookingFacts, list[Refusal]]:
    facts = gather(session, clock, zone, asked)
    found = may_act_for(session, asked.person.id, by)
    found += accounts.acting_refusals(session, asked.account, asked.person.id)
    return facts, found + rules.refusals(facts)


def get_reservation(session: Session, reservation_id: str) -> ReservationView:
    """Return one reservation.

    :raises UnknownIdError: there is none.
    """
    row = lookups.reservation(session, reservation_id)
    return view(row, session.get_one(Claim, row.claim_id))


def coming_for_person(session: Session, clock: Clock, *, person_id: str) -> list[ReservationView]:
    """Return a person's reservations that are not over, the soonest first."""
    query = (
        select(Reservation, Claim)
        .join(Claim, Claim.id == Reservation.claim_id)
        .where(
            Reservation.person_id == person_id,
            Reservation.cancelled_at.is_(None),
            live_claim(),
            Claim.end_at > clock.now(),
        )
        .order_by(Claim.start_at)
    )
    return [view(row, claim) for row, claim in session.execute(query)]


def for_resource(
    session: Session, *, resource_id: str, start: datetime, end: datetime
) -> list[ReservationView]:
    """Return the live reservations that share a moment with the stretch, the soonest first.

    Those of what the resource is within, and of what is within it, are among them.
    """
    resource = lookups.resource_of_old(session, resource_id)
    return _live(session, in_the_way(resource), Slot(start, end))


def _live(session: Session, which: ColumnElement[bool], window: Slot) -> list[ReservationView]:
    query = (
        select(Reservation, Claim)
        .join(Claim, Claim.id == Reservation.claim_id)
        .join(Resource, Resource.id == Claim.resource_id)
        .where(which, live_claim(), Claim.start_at < window.end, Claim.end_at > window.start)
        .order_by(Claim.start_at)
    )
    return [view(row, claim) for row, claim in session.execute(query)]


def current(session: Session, clock: Clock, *, resource_id: str) -> ReservationView | None:
    """Return the reservation that holds a resource, or what it is within, at this moment."""
    resource, now = lookups.resource_of_old(session, resource_id), clock.now()
    found = _live(session, around(resource), Slot(now, now + MOMENT))
    return found[0] if found else None


def proposals(  # where, how long, how many
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    resource_id: str,
    minutes: int = 60,
    count: int = 4,
    *,
    fit: bool = False,
) -> list[Slot]:
    """Return the next free slots of a length, the soonest first; the first may start now.

    :param fit: take the nearest length that can be booked, instead of raising.
    :raises InputError: no such length can be booked.
    :raises UnknownIdError: no such resource.
    """
    resource = lookups.resource(session, resource_id)
    policies = all_policies(session)
    rule = rules_of(policies, resource)
    length = timedelta(minutes=minutes)
    if fit:
        length = min(max(length, rule.shortest), rule.longest)
    if not rule.shortest <= length <= rule.longest:
        raise LengthError(rule)
    now = clock.now()
    window = Slot(now - timedelta(minutes=1), now + rule.horizon + length + rule.clean_up)
    tree = {row.id: row for row in session.scalars(select(Resource))}
    spans = opening.spans_for(session, zone, [resource], tree, policies, window)[resource_id]
    taken = [one.slot for one in taken_around(session, resource, window)]
    found = free_slots(now, taken, length, rules=rule, spans=spans, zone=zone)
    return list(islice(found, count))
