"""The waiting list of a slot: whoever came first gets the offer, and has some time to answer.

An offer is a claim of its own: nobody else can book the slot before the deadline.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.model import booking as rules
from fabctl.model.booking import ClaimKind
from fabctl.model.booking_facts import BookingFacts
from fabctl.model.booking_refusals import out_of_range
from fabctl.model.booking_slots import Slot
from fabctl.model.notice import Code
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.texts import text
from fabctl.services import accounts, lookups, notices
from fabctl.services.audit import audit
from fabctl.services.booking_record import Extra, ReservationView, may_act_for, reserve
from fabctl.services.gathering import Asked, free_at, gather, lock_account
from fabctl.services.notices import About
from fabctl.services.places import lock_tree, of_tree
from fabctl.store.ids import new_id
from fabctl.store.tables import Account, Claim, Person, Resource
from fabctl.store.tables_booking import Waiting

ACCEPTED = "accepted"
DECLINED = "declined"
LAPSED = "lapsed"
MISSED = "missed"


@dataclass(frozen=True, slots=True)
class WaitingView:
    """Somebody waits for a slot, or has it offered until ``answer_until``."""

    id: str
    resource_id: str
    person_id: str
    slot: Slot
    created_at: datetime
    answer_until: datetime | None
    outcome: str | None


_SLOT_FREE = Refusal(
    "slot-free",
    text("This slot is free: there is nothing to wait for."),
    text("Book it."),
)
_ALREADY_WAITING = Refusal(
    "already-waiting",
    text("You wait for a part of this time already."),
    text("Leave that waiting list first."),
)
_OFFER_OVER = Refusal(
    "offer-over",
    text("This slot is not kept for you (any more)."),
    text("Book another slot, or wait again."),
)


def join(  # noqa: PLR0913  # who, what, when, charged to what, and by whom
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
) -> WaitingView:
    """Wait for a slot that somebody else has.

    :param account_id: a group's, for which the person acts; None: their own would be charged.
    :raises RefusedError: every reason why it could not be booked even if it were free.
    :raises UnknownIdError: no such person or resource.
    """
    account = lock_account(session, person_id, account_id)
    lock_tree(session, resource_id)
    resource = lookups.resource(session, resource_id)
    slot = Slot(start, end)
    if (never := out_of_range(slot)) is not None:
        raise RefusedError([never])
    asked = Asked(lookups.person(session, person_id), account, resource, slot)
    found = rules.refusals(gather(session, clock, zone, asked))
    refusals = may_act_for(session, person_id, by)
    refusals += accounts.acting_refusals(session, account, person_id)
    refusals += [refusal for refusal in found if refusal.code != "overlap"]
    if not found:
        refusals.append(_SLOT_FREE)
    if _waits_already(session, person_id, resource_id, slot):
        refusals.append(_ALREADY_WAITING)
    if refusals:
        raise RefusedError(refusals)
    row = _added(session, clock, asked)
    audit(session, clock, by, "waiting.joined", f"waiting:{row.id}", {"resource": resource_id})
    return view(row)


def _added(session: Session, clock: Clock, asked: Asked) -> Waiting:
    last = session.scalar(select(func.max(Waiting.number)))
    row = Waiting(
        id=new_id(),
        number=(last or 0) + 1,
        resource_id=asked.resource.id,
        person_id=asked.person.id,
        account_id=asked.account.id if asked.account.person_id is None else None,
        start_at=asked.wanted.start,
        end_at=asked.wanted.end,
        created_at=clock.now(),
    )
    session.add(row)
    session.flush()
    return row


def _waits_already(session: Session, person_id: str, resource_id: str, slot: Slot) -> bool:
    query = select(Waiting.id).where(
        Waiting.person_id == person_id,
        Waiting.resource_id == resource_id,
        Waiting.settled_at.is_(None),
        Waiting.start_at < slot.end,
        Waiting.end_at > slot.start,
    )
    return session.scalars(query).first() is not None


def accept(
    session: Session, clock: Clock, zone: ZoneInfo, *, waiting_id: str, by: str
) -> ReservationView:
    """Take the slot that is kept: it becomes a reservation, by the same rules as any other.

    :raises RefusedError: not-yours, offer-over, or what else is against it by now.
    :raises UnknownIdError: there is no such entry.
    """
    row = _entry(session, waiting_id)
    account = lock_account(session, row.person_id, row.account_id)
    lock_tree(session, row.resource_id)
    row = _entry(session, waiting_id, lock=True)
    now = clock.now()
    refusals = may_act_for(session, row.person_id, by)
    claim = _kept(session, row, now)
    if claim is None:
        raise RefusedError([*refusals, _OFFER_OVER])
    slot = Slot(max(claim.start_at, now), claim.end_at)
    facts = _facts(session, clock, zone, row, account, slot, claim)
    refusals += accounts.acting_refusals(session, account, row.person_id)
    refusals += rules.refusals(facts)
    if refusals:
        raise RefusedError(refusals)
    claim.kind, claim.start_at = ClaimKind.RESERVATION.value, slot.start
    row.settled_at, row.outcome = now, ACCEPTED
    session.flush()
    audit(session, clock, by, "waiting.accepted", f"waiting:{row.id}")
    extra = Extra(clean_up=facts.rules.clean_up, account_id=account.id)
    return reserve(session, clock, claim, person_id=row.person_id, by=by, extra=extra)


def leave(session: Session, clock: Clock, zone: ZoneInfo, *, waiting_id: str, by: str) -> None:
    """Wait no more, or decline what is offered; the next in the list gets the offer.

    :raises RefusedError: not-yours.
    :raises UnknownIdError: there is no such entry.
    """
    entry = _entry(session, waiting_id)
    lock_tree(session, entry.resource_id)
    row = _entry(session, waiting_id, lock=True)
    if refusals := may_act_for(session, row.person_id, by):
        raise RefusedError(refusals)
    if row.settled_at is None:
        settle(session, clock, row, DECLINED)
        audit(session, clock, by, "waiting.left", f"waiting:{row.id}")
        promote(session, clock, zone, row.resource_id)


def settle(session: Session, clock: Clock, row: Waiting, outcome: str) -> None:
    """End somebody's waiting; what was kept for them is free. For services only."""
    if row.claim_id is not None:
        session.get_one(Claim, row.claim_id).released_at = clock.now()
    row.settled_at, row.outcome = clock.now(), outcome
    session.flush()


def promote(session: Session, clock: Clock, zone: ZoneInfo, resource_id: str) -> list[WaitingView]:
    """Offer what is free to those who wait for it, the first first; return the new offers.

    Whoever could not book the slot now (a quota, a certification) is passed over and stays. All
    who wait in the same tree of resources are asked in their order: who waits for a room is in
    the way of those who wait for its machines, also for those that nobody has given back now.
    """
    resource = lookups.resource_of_old(session, resource_id)
    query = (
        select(Waiting)
        .join(Resource, Resource.id == Waiting.resource_id)
        .where(
            of_tree(session, resource),
            Waiting.settled_at.is_(None),
            Waiting.claim_id.is_(None),
            Waiting.end_at > clock.now(),
        )
        .order_by(Waiting.number)
    )
    rows = session.scalars(query).all()
    return [view(row) for row in rows if _offer(session, clock, zone, row)]


def _offer(session: Session, clock: Clock, zone: ZoneInfo, row: Waiting) -> bool:
    """Keep the slot for somebody, if the rules would let them book it now."""
    now = clock.now()
    slot = Slot(max(row.start_at, now), row.end_at)
    account = _account(session, row)
    facts = _facts(session, clock, zone, row, account, slot, None)
    if accounts.acting_refusals(session, account, row.person_id) or rules.refusals(facts):
        return False
    number = facts.rules
    claim = Claim(
        id=new_id(),
        resource_id=row.resource_id,
        kind=ClaimKind.OFFER.value,
        start_at=slot.start,
        end_at=slot.end,
        free_at=free_at(slot.end, number.clean_up),
    )
    session.add(claim)
    session.flush()
    latest = slot.end if number.release_after is None else slot.start + number.release_after
    row.claim_id, row.answer_until = claim.id, min(now + number.accept_within, latest)
    session.flush()
    about = About(
        resource_id=row.resource_id, slot=slot, subject=f"waiting:{row.id}", until=row.answer_until
    )
    notices.tell(session, clock, row.person_id, Code.OFFERED, about)
    audit(session, clock, None, "waiting.offered", f"waiting:{row.id}")
    return True


def _account(session: Session, row: Waiting) -> Account:
    if row.account_id is None:
        return lookups.own_account(session, row.person_id)
    return session.get_one(Account, row.account_id)


def _facts(  # whose, for what, when, and on whose account
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    row: Waiting,
    account: Account,
    slot: Slot,
    was: Claim | None,
) -> BookingFacts:
    person = session.get_one(Person, row.person_id)
    resource = lookups.resource_of_old(session, row.resource_id)
    # who waits stands ready: a late start is no short notice, and may lie off the grid
    asked = Asked(person, account, resource, slot, was=was, using_now=True)
    return gather(session, clock, zone, asked)


def of_person(session: Session, *, person_id: str) -> list[WaitingView]:
    """Return what a person waits for or is offered, the soonest first."""
    query = select(Waiting).where(Waiting.person_id == person_id, Waiting.settled_at.is_(None))
    return [view(row) for row in session.scalars(query.order_by(Waiting.start_at, Waiting.number))]


def view(row: Waiting) -> WaitingView:
    """Return the view of a row."""
    return WaitingView(
        row.id,
        row.resource_id,
        row.person_id,
        Slot(row.start_at, row.end_at),
        row.created_at,
        row.answer_until,
        row.outcome,
    )


def _kept(session: Session, row: Waiting, now: datetime) -> Claim | None:
    if row.settled_at is not None or row.claim_id is None or row.answer_until is None:
        return None
    return session.get_one(Claim, row.claim_id) if now < row.answer_until else None


def _entry(session: Session, waiting_id: str, *, lock: bool = False) -> Waiting:
    query = select(Waiting).where(Waiting.id == waiting_id)
    query = query.with_for_update() if lock else query
    row = session.scalars(query.execution_options(populate_existing=True)).first()
    if row is None:
        raise UnknownIdError(f"nobody waits as {waiting_id!r}")
    return row
