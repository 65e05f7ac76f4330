"""What the clock asks of reservations; the steward calls :func:`catch_up`.

After downtime it catches up: every due thing once, none twice. What is due is read from the rows
themselves, and the row that says it is done is written in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from fabctl.clock import Clock
from fabctl.model.booking_changes import pardon_refusals
from fabctl.model.booking_slots import Slot
from fabctl.model.notice import Code
from fabctl.model.refusal import RefusedError
from fabctl.services import lookups, missed, notices, waiting
from fabctl.services.audit import audit
from fabctl.services.booking_record import (
    ReservationView,
    locked,
    view,
)
from fabctl.services.notices import About
from fabctl.services.places import live_claim, lock_tree
from fabctl.services.policies import Policies, all_policies, rules_of
from fabctl.services.rights import require_staff
from fabctl.services.waiting import LAPSED, MISSED, WaitingView
from fabctl.store.tables import Claim, Reservation, Resource
from fabctl.store.tables_booking import Waiting

LOOK_BACK = timedelta(days=31)
"""How long a steward may have been away and still count those who did not come."""


@dataclass
class Caught:
    """What was done."""

    no_shows: list[ReservationView] = field(default_factory=list)
    lapsed: list[str] = field(default_factory=list)
    """Ids of the waiting list's entries whose offer was not answered in time."""
    missed: list[str] = field(default_factory=list)
    """Those whose slot went by without ever being free."""
    offers: list[WaitingView] = field(default_factory=list)

    @property
    def resources(self) -> set[str]:
        """The resources whose bookings look different now."""
        found = {one.resource_id for one in self.no_shows}
        return found | {one.resource_id for one in self.offers}


def catch_up(session: Session, clock: Clock, zone: ZoneInfo) -> Caught:
    """Do everything that is due: no-shows, unanswered offers, promotions, slots gone by."""
    done = Caught()
    trees, unseen = _waited_for(session, clock), _begun_unseen(session, clock)
    lock_tree(session, *trees, *unseen.values())  # before any row in them
    _release_no_shows(session, clock, unseen, done)
    _end_offers(session, clock, done)
    for resource_id in trees:
        done.offers += waiting.promote(session, clock, zone, resource_id)
    _end_waiting(session, clock, done)
    return done


def _waited_for(session: Session, clock: Clock) -> list[str]:
    """Return the roots of what people wait for: a slot may have become theirs just by itself.

    Those of unanswered offers are among them: whoever waits behind one gets it next.
    """
    root = aliased(Resource)
    within = (root.place_from <= Resource.place_from) & (root.place_to >= Resource.place_to)
    query = (
        select(root.id)
        .join(Resource, or_(root.id == Resource.id, within))
        .join(Waiting, Waiting.resource_id == Resource.id)
        .where(
            root.parent_id.is_(None),
            Waiting.settled_at.is_(None),
            or_(Waiting.claim_id.is_not(None), Waiting.end_at > clock.now()),
        )
    )
    return list(session.scalars(query.distinct().order_by(root.id)))


def _begun_unseen(session: Session, clock: Clock) -> dict[str, str]:
    """Return the reservations that have begun without a check-in, and of which resource each is."""
    now = clock.now()
    query = (
        select(Reservation.id, Claim.resource_id)
        .join(Claim, Claim.id == Reservation.claim_id)
        .where(
            Reservation.checked_in_at.is_(None),
            Reservation.no_show_at.is_(None),
            Reservation.cancelled_at.is_(None),
            live_claim(),
            Claim.start_at <= now,
            Claim.end_at > now - LOOK_BACK,
        )
        .order_by(Claim.start_at, Reservation.id)
    )
    return {row.id: row.resource_id for row in session.execute(query)}


def _release_no_shows(session: Session, clock: Clock, unseen: Iterable[str], done: Caught) -> None:
    policies = all_policies(session)
    for reservation_id in unseen:
        found = _release(session, clock, policies, reservation_id)
        if found is not None:
            done.no_shows.append(found)


def _release(
    session: Session, clock: Clock, policies: Policies, reservation_id: str
) -> ReservationView | None:
    """Release one slot if nobody came; None: somebody did, or there is still time."""
    row, claim = locked(session, reservation_id)
    if row.checked_in_at or row.no_show_at or row.cancelled_at:
        return None
    used = missed.first_use(session, row, claim)
    if used is not None:
        row.checked_in_at = used
        session.flush()
        details = {"first_use": used.isoformat()}
        audit(session, clock, None, "reservation.checked-in", f"reservation:{row.id}", details)
        return None
    patience = rules_of(policies, lookups.resource_of_old(session, claim.resource_id)).release_after
    now = clock.now()
    if patience is None or now < max(claim.start_at, row.created_at) + patience:
        return None
    missed.count(session, clock, row, claim)
    return view(row, claim)


def _end_offers(session: Session, clock: Clock, done: Caught) -> None:
    query = select(Waiting).where(
        Waiting.settled_at.is_(None),
        Waiting.claim_id.is_not(None),
        Waiting.answer_until <= clock.now(),
    )
    for row in session.scalars(query.order_by(Waiting.number).with_for_update()).all():
        waiting.settle(session, clock, row, LAPSED)
        audit(session, clock, None, "waiting.lapsed", f"waiting:{row.id}")
        slot, subject = Slot(row.start_at, row.end_at), f"waiting:{row.id}"
        about = About(resource_id=row.resource_id, slot=slot, subject=subject)
        notices.tell(session, clock, row.person_id, Code.OFFER_LAPSED, about)
        done.lapsed.append(row.id)


def _end_waiting(session: Session, clock: Clock, done: Caught) -> None:
    query = select(Waiting).where(
        Waiting.settled_at.is_(None), Waiting.claim_id.is_(None), Waiting.end_at <= clock.now()
    )
    for row in session.scalars(query.order_by(Waiting.number).with_for_update()).all():
        waiting.settle(session, clock, row, MISSED)
        audit(session, clock, None, "waiting.missed", f"waiting:{row.id}")
        done.missed.append(row.id)


def pardon(
    session: Session, clock: Clock, *, reservation_id: str, by: str, reason: str
) -> ReservationView:
    """Take a no-show back: it counts as cancelled. For staff, who know why nobody came.

    :raises RefusedError: not-a-no-show, reason-missing.
    :raises UnknownIdError: no such reservation.
    """
    require_staff(session, by)
    row, claim = locked(session, reservation_id)
    if refusals := pardon_refusals(no_show=row.no_show_at is not None, reason=reason):
        raise RefusedError(refusals)
    row.no_show_at, row.cancelled_at, row.cancelled_by = None, clock.now(), by
    session.flush()
    details = {"reason": reason}
    audit(session, clock, by, "reservation.pardoned", f"reservation:{row.id}", details)
    return view(row, claim)
