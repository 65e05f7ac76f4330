"""What happens to a reservation after it was made: moved, cancelled, checked in, stopped early."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model import booking as rules
from fabctl.model import booking_changes as changes
from fabctl.model.booking_changes import ChangeFacts
from fabctl.model.booking_hours import local_day
from fabctl.model.booking_refusals import impossible, out_of_range
from fabctl.model.booking_slots import Slot
from fabctl.model.notice import Code
from fabctl.model.people import Role
from fabctl.model.refusal import RefusedError
from fabctl.services import accounts, lookups, missed, notices, waiting
from fabctl.services.audit import audit
from fabctl.services.booking_record import (
    ReservationView,
    by_its_holder,
    locked,
    locked_in_its_tree,
    outside_hours,
    override_details,
    set_aside,
    theirs,
    view,
    where,
)
from fabctl.services.gathering import Asked, free_at, gather, lock_account
from fabctl.services.notices import About
from fabctl.services.places import in_the_way, inside, live_claim
from fabctl.services.policies import rules_for
from fabctl.store.tables import Claim, Reservation, Resource, Use


def move(  # noqa: PLR0913  # where it goes, each thing by its name
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    reservation_id: str,
    start: datetime,
    end: datetime,
    resource_id: str | None = None,
    by: str,
    override_reason: str | None = None,
) -> ReservationView:
    """Give a reservation another time, or another resource. It passes the rules of booking.

    The old slot is given up only with the new one: a refusal changes nothing. Of one that has
    begun only the end changes. Who had checked in for another start checks in again.

    :raises RefusedError: every reason against it.
    :raises UnknownIdError: no such reservation or resource.
    """
    found = lookups.reservation(session, reservation_id)
    account = lock_account(session, found.person_id, found.account_id)
    row, claim = locked_in_its_tree(
        session, reservation_id, *([resource_id] if resource_id else [])
    )
    goes_to = resource_id or claim.resource_id
    resource, wanted, old = lookups.resource(session, goes_to), Slot(start, end), claim.resource_id
    if (never := out_of_range(wanted)) is not None:
        raise RefusedError([never])
    person = lookups.person(session, row.person_id)
    facts = gather(session, clock, zone, Asked(person, account, resource, wanted, was=claim))
    about = _facts(session, clock, row, claim, by)
    firm = changes.move_refusals(about, wanted, elsewhere=goes_to != old)
    firm += accounts.acting_refusals(session, account, row.person_id)
    if firm:
        raise RefusedError([*firm, *rules.refusals(facts)])
    overrode = set_aside(session, rules.refusals(facts), by, override_reason)
    if (never := impossible(wanted)) is not None:
        raise RefusedError([never])
    before = where(claim)
    if start != claim.start_at:
        row.checked_in_at = None  # they came for another time
    claim.resource_id, claim.start_at, claim.end_at = goes_to, start, end
    claim.free_at = free_at(end, facts.rules.clean_up)
    row.outside_hours = outside_hours(overrode)
    session.flush()
    details = {"from": before, **where(claim), **override_details(overrode, override_reason)}
    audit(session, clock, by, "reservation.moved", f"reservation:{row.id}", details)
    if not about.theirs:
        told = _about(row, goes_to, wanted)
        notices.tell(session, clock, row.person_id, Code.MOVED_BY_STAFF, told)
    waiting.promote(session, clock, zone, old)
    return view(row, claim)


def cancel(
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    reservation_id: str,
    by: str,
    reason: str | None = None,
) -> ReservationView:
    """Cancel a reservation; one that runs is cut short now, and the rest is free at once.

    One that has begun, and for which nobody came, is a no-show (``no_show_at``).

    :param reason: the staff cancel for others, and after the deadline, with a reason.
    :raises RefusedError: not-yours, already-over, already-cancelled, no-show,
        past-cancellation-deadline, reason-missing.
    :raises UnknownIdError: no such reservation.
    """
    row, claim = locked_in_its_tree(session, reservation_id)
    facts = _facts(session, clock, row, claim, by, reason)
    if refusals := changes.cancel_refusals(facts):
        raise RefusedError(refusals)
    if changes.missed_when_cancelled(facts):
        missed.count(session, clock, row, claim, by=by)
    else:
        _take_back(session, clock, row, claim, facts, by)
    waiting.promote(session, clock, zone, claim.resource_id)
    return view(row, claim)


def _take_back(
    session: Session, clock: Clock, row: Reservation, claim: Claim, facts: ChangeFacts, by: str
) -> None:
    """Put a cancellation on record, and tell its person where it was not theirs."""
    row.cancelled_at, row.cancelled_by = facts.now, by
    _give_back(session, claim, facts.now)
    details = {"reason": facts.reason} if facts.reason else None
    audit(session, clock, by, "reservation.cancelled", f"reservation:{row.id}", details)
    if not facts.theirs:
        told = _about(row, claim.resource_id, facts.slot, facts.reason)
        notices.tell(session, clock, row.person_id, Code.CANCELLED_BY_STAFF, told)


def awaits_check_in(found: ReservationView, now: datetime) -> bool:
    """Say whether its person can say now that they are here, and has not yet."""
    return found.checked_in_at is None and found.start - changes.CHECK_IN_BEFORE <= now < found.end


def check_in(session: Session, clock: Clock, *, reservation_id: str, by: str) -> ReservationView:
    """Say that somebody is here for their reservation. A second time changes nothing.

    :raises RefusedError: not-yours, already-over, already-cancelled, no-show, check-in-too-early.
    :raises UnknownIdError: no such reservation.
    """
    row, claim = locked(session, reservation_id)
    if refusals := changes.check_in_refusals(_facts(session, clock, row, claim, by)):
        raise RefusedError(refusals)
    if row.checked_in_at is None:
        row.checked_in_at = clock.now()
        session.flush()
        audit(session, clock, by, "reservation.checked-in", f"reservation:{row.id}")
    return view(row, claim)


def stop(
    session: Session, clock: Clock, zone: ZoneInfo, *, reservation_id: str, by: str
) -> ReservationView:
    """End a running reservation now: the rest is free, and the next booker is told.

    :raises RefusedError: not-yours, already-over, already-cancelled, no-show, not-begun,
        still-in-use.
    :raises UnknownIdError: no such reservation.
    """
    row, claim = locked_in_its_tree(session, reservation_id)
    facts = _facts(session, clock, row, claim, by)
    if refusals := changes.stop_refusals(facts):
        raise RefusedError(refusals)
    now, old = facts.now, facts.slot
    row.stopped_at = now
    row.checked_in_at = row.checked_in_at or now  # somebody who stops was there
    _give_back(session, claim, now)
    audit(session, clock, by, "reservation.stopped", f"reservation:{row.id}")
    if not waiting.promote(session, clock, zone, claim.resource_id):
        _tell_next(session, clock, zone, claim, old)
    return view(row, claim)


def _give_back(session: Session, claim: Claim, now: datetime) -> None:
    """Release a claim that has not begun; cut one that runs, with its cleaning after it."""
    if claim.start_at >= now:
        claim.released_at = now
    else:
        resource = lookups.resource_of_old(session, claim.resource_id)
        after = free_at(now, rules_for(session, resource).clean_up)
        # never longer than it was: the next claim may begin right after it
        claim.free_at = min(after, claim.free_at or claim.end_at) if after else None
        claim.end_at = now
    session.flush()


def _facts(  # of what, and who wants what
    session: Session,
    clock: Clock,
    row: Reservation,
    claim: Claim,
    by: str,
    reason: str | None = None,
) -> ChangeFacts:
    """Return what the rules about changing a reservation look at."""
    resource = lookups.resource_of_old(session, claim.resource_id)
    came = row.checked_in_at is not None or missed.first_use(session, row, claim) is not None
    return ChangeFacts(
        now=clock.now(),
        slot=Slot(claim.start_at, claim.end_at),
        made_at=row.created_at,
        rules=rules_for(session, resource),
        theirs=theirs(session, row, by),
        for_others=Role(lookups.person(session, by).role).acts_for_others,
        came=came,
        no_show=row.no_show_at is not None,
        cancelled=row.cancelled_at is not None,
        used=_used(session, row, claim),
        reason=reason,
    )


def _used(session: Session, row: Reservation, claim: Claim) -> bool:
    resource = lookups.resource_of_old(session, claim.resource_id)
    query = (
        select(Use.id)
        .join(Resource, Resource.id == Use.resource_id)
        .where(inside(resource), by_its_holder(row), Use.closed_at.is_(None))
    )
    return session.scalars(query).first() is not None


def _tell_next(session: Session, clock: Clock, zone: ZoneInfo, claim: Claim, old: Slot) -> None:
    """Tell whoever comes next on the same day that the machine is free already."""
    resource = lookups.resource_of_old(session, claim.resource_id)
    query = (
        select(Reservation, Claim)
        .join(Claim, Claim.id == Reservation.claim_id)
        .join(Resource, Resource.id == Claim.resource_id)
        .where(
            in_the_way(resource),
            live_claim(),
            Claim.start_at >= old.end,
            Claim.start_at < local_day(clock.now(), zone).end,
        )
        .order_by(Claim.start_at)
        .limit(1)
    )
    for row, coming in session.execute(query):
        about = _about(row, coming.resource_id, Slot(coming.start_at, coming.end_at))
        notices.tell(session, clock, row.person_id, Code.FREED_BEFORE, about)


def _about(row: Reservation, resource_id: str, slot: Slot, words: str | None = None) -> About:
    return About(resource_id=resource_id, slot=slot, subject=f"reservation:{row.id}", words=words)
