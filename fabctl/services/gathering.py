"""What the rules of booking look at, read from the record. For services only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.model.booking_facts import Booked, BookingFacts, ClaimKind, Held, ResourceKind, Taken
from fabctl.model.booking_hours import local_week
from fabctl.model.booking_policy import BookingRules
from fabctl.model.booking_slots import FAR, Slot
from fabctl.services import lookups, opening
from fabctl.services.births import birth_of
from fabctl.services.certifications import standing_at
from fabctl.services.participants import consents_of
from fabctl.services.places import in_the_way, live_claim
from fabctl.services.policies import all_policies, rules_of
from fabctl.services.stops import stop_of
from fabctl.store.tables import Account, Claim, Person, Reservation, Resource


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody wants a resource at some time."""

    person: Person
    account: Account
    """What is charged: the person's own, or a group's."""
    resource: Resource
    wanted: Slot
    was: Claim | None = None
    """The claim that is being moved, or becomes a reservation: it is in nobody's way."""
    using_now: bool = False


def gather(session: Session, clock: Clock, zone: ZoneInfo, asked: Asked) -> BookingFacts:
    """Return the facts; the rules decide."""
    resource, wanted = asked.resource, asked.wanted
    policies = all_policies(session)
    rules = rules_of(policies, resource)
    window = Slot(wanted.start, max(wanted.start, wanted.end))
    tree = {row.id: row for row in session.scalars(select(Resource))}
    spans = opening.spans_for(session, zone, [resource], tree, policies, window)
    held_from = _held_from(clock.now(), wanted, rules, zone)
    stop = stop_of(session, resource)
    own = lookups.own_account(session, asked.person.id)
    same = asked.was is not None and asked.was.resource_id == resource.id
    return BookingFacts(
        now=clock.now(),
        wanted=wanted,
        taken=taken_around(session, resource, window.with_after(rules.clean_up), asked.was),
        certification=standing_at(session, asked.person.id, resource.id, window.end),
        account_suspended=own.suspended_at is not None,
        group_suspended=asked.account is not own and asked.account.suspended_at is not None,
        out_of_order=stop is not None,
        stop=stop,
        rules=rules,
        what=Booked(resource.id, resource.category, ResourceKind(resource.kind)),
        zone=zone,
        open=spans[resource.id],
        of_account=_held(session, Reservation.account_id == asked.account.id, held_from, asked.was),
        of_person=_held(session, Reservation.person_id == asked.person.id, held_from, asked.was),
        birth=birth_of(session, asked.person.id),
        consents=consents_of(session, asked.person.id),
        was=Slot(asked.was.start_at, asked.was.end_at) if asked.was and same else None,
        using_now=asked.using_now,
    )


def lock_account(session: Session, person_id: str, account_id: str | None = None) -> Account:
    """Return an account; nobody else books on it before this transaction ends.

    :param account_id: None: the person's own.
    :raises UnknownIdError: no such person or account.
    """
    lookups.person(session, person_id)
    whose = Account.person_id == person_id if account_id is None else Account.id == account_id
    query = select(Account).where(whose).with_for_update()
    row = session.scalars(query.execution_options(populate_existing=True)).first()
    if row is None:
        raise UnknownIdError(f"there is no account {account_id!r}")
    return row


def taken_around(
    session: Session, resource: Resource, window: Slot, but: Claim | None = None
) -> Sequence[Taken]:
    """Return the live claims in the way of a resource in a window, cleaning up included."""
    query = (
        select(Claim)
        .join(Resource, Resource.id == Claim.resource_id)
        .where(
            in_the_way(resource),
            live_claim(),
            Claim.start_at < window.end,
            or_(Claim.end_at > window.start, Claim.free_at > window.start),
        )
    )
    return [
        Taken(Slot(row.start_at, row.free_at or row.end_at), ClaimKind(row.kind))
        for row in session.scalars(query)
        if but is None or row.id != but.id
    ]


def _held_from(now: datetime, wanted: Slot, rules: BookingRules, zone: ZoneInfo) -> datetime:
    """Return from when on reservations matter: the wanted week, and all that is to come."""
    if wanted.start > FAR:
        return now
    return min(local_week(wanted.start, zone).start, wanted.start - rules.gap, now)


def _held(
    session: Session, whose: ColumnElement[bool], since: datetime, but: Claim | None
) -> list[Held]:
    query = (
        select(Claim, Reservation, Resource)
        .join(Reservation, Reservation.claim_id == Claim.id)
        .join(Resource, Resource.id == Claim.resource_id)
        .where(
            whose,
            or_(live_claim(), Reservation.no_show_at.is_not(None)),
            Claim.end_at > since,
        )
    )
    return [
        Held(
            Slot(claim.start_at, claim.end_at),
            resource.id,
            resource.category,
            ResourceKind(resource.kind),
            no_show=reservation.no_show_at is not None,
        )
        for claim, reservation, resource in session.execute(query)
        if but is None or claim.id != but.id
    ]


def free_at(end: datetime, clean_up: timedelta) -> datetime | None:
    """Return until when a claim that ends keeps its resource; None: not longer."""
    return end + clean_up if clean_up else None
