"""Reservations on record: rows and views, and who may touch them. For services only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.model.booking import ClaimKind, still_refused
from fabctl.model.booking_changes import NOT_YOURS, REASON_MISSING
from fabctl.model.booking_slots import Slot
from fabctl.model.people import Role
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.texts import text
from fabctl.services import accounts, lookups
from fabctl.services.audit import audit
from fabctl.services.gathering import free_at
from fabctl.services.places import lock_tree
from fabctl.store.ids import new_id
from fabctl.store.tables import Claim, Reservation, Use


@dataclass(frozen=True, slots=True)
class ReservationView:
    """A reservation as the rest of the program sees it. ``person_id`` is not for public screens."""

    id: str
    resource_id: str
    person_id: str
    start: datetime
    end: datetime
    created_at: datetime
    account_id: str
    """What it is charged to: the person's own, or a group's."""
    cancelled_at: datetime | None = None
    checked_in_at: datetime | None = None
    no_show_at: datetime | None = None
    series_id: str | None = None
    outside_hours: bool = False
    """Whether the staff let somebody book while the lab is closed."""


@dataclass(frozen=True, slots=True)
class Extra:
    """What not every reservation has."""

    clean_up: timedelta = timedelta()
    checked_in: bool = False
    series_id: str | None = None
    account_id: str | None = None
    """What to charge; None: the person's own."""
    overrode: Sequence[str] = ()
    """Codes of the rules that the staff set aside."""
    reason: str | None = None


PLAIN = Extra()


def write(  # what a reservation is, each thing by its name
    session: Session,
    clock: Clock,
    slot: Slot,
    resource_id: str,
    *,
    person_id: str,
    by: str,
    extra: Extra = PLAIN,
) -> ReservationView:
    """Put a reservation on record without asking the rules: for services, and for seeding.

    :raises RefusedError: overlap; the database itself refuses that.
    """
    claim = Claim(
        id=new_id(),
        resource_id=resource_id,
        kind=ClaimKind.RESERVATION.value,
        start_at=slot.start,
        end_at=slot.end,
        free_at=free_at(slot.end, extra.clean_up),
    )
    session.add(claim)
    session.flush()
    return reserve(session, clock, claim, person_id=person_id, by=by, extra=extra)


def reserve(
    session: Session,
    clock: Clock,
    claim: Claim,
    *,
    person_id: str,
    by: str,
    extra: Extra = PLAIN,
) -> ReservationView:
    """Make a claim that is on record somebody's reservation."""
    row = Reservation(
        id=new_id(),
        claim_id=claim.id,
        person_id=person_id,
        account_id=extra.account_id or lookups.own_account(session, person_id).id,
        made_by=by,
        created_at=clock.now(),
        checked_in_at=clock.now() if extra.checked_in else None,
        series_id=extra.series_id,
        outside_hours=outside_hours(extra.overrode),
    )
    session.add(row)
    session.flush()
    audit(
        session,
        clock,
        by,
        "reservation.made",
        f"reservation:{row.id}",
        {**where(claim), **override_details(extra.overrode, extra.reason)},
    )
    return view(row, claim)


def outside_hours(overrode: Sequence[str]) -> bool:
    """Say whether the staff set the opening hours aside, given the codes of what they did."""
    return "closed" in overrode


def where(claim: Claim) -> dict[str, str]:
    """Return a claim's resource and time for the audit."""
    return {
        "resource": claim.resource_id,
        "start": claim.start_at.isoformat(),
        "end": claim.end_at.isoformat(),
    }


def override_details(overrode: Sequence[str], reason: str | None) -> dict[str, object]:
    """Return what the audit says of rules that were set aside; nothing when none was."""
    return {"overrode": list(overrode), "reason": reason} if overrode else {}


def locked(session: Session, reservation_id: str) -> tuple[Reservation, Claim]:
    """Return a reservation and its claim; nobody else changes it before this transaction ends.

    :raises UnknownIdError: there is none.
    """
    query = select(Reservation).where(Reservation.id == reservation_id).with_for_update()
    row = session.scalars(query.execution_options(populate_existing=True)).first()
    if row is None:
        raise UnknownIdError(f"there is no reservation {reservation_id!r}")
    return row, session.get_one(Claim, row.claim_id, populate_existing=True)


def locked_in_its_tree(
    session: Session, reservation_id: str, *goes_to: str
) -> tuple[Reservation, Claim]:
    """Return a reservation and its claim, its tree of resources locked before it.

    Whoever needs both takes the tree first: two who took them in turns would wait for each other.

    :param goes_to: resources whose trees are needed too.
    :raises UnknownIdError: there is none.
    """
    tree = _where_it_is(session, reservation_id)
    while True:
        lock_tree(session, tree, *goes_to)
        row, claim = locked(session, reservation_id)
        if claim.resource_id == tree:
            return row, claim
        tree = claim.resource_id  # it was moved while we waited


def _where_it_is(session: Session, reservation_id: str) -> str:
    query = (
        select(Claim.resource_id)
        .join(Reservation, Reservation.claim_id == Claim.id)
        .where(Reservation.id == reservation_id)
    )
    found = session.scalars(query).first()
    if found is None:
        raise UnknownIdError(f"there is no reservation {reservation_id!r}")
    return found


def view(row: Reservation, claim: Claim) -> ReservationView:
    """Return the view of a row and its claim."""
    return ReservationView(
        id=row.id,
        resource_id=claim.resource_id,
        person_id=row.person_id,
        start=claim.start_at,
        end=claim.end_at,
        created_at=row.created_at,
        cancelled_at=row.cancelled_at,
        checked_in_at=row.checked_in_at,
        no_show_at=row.no_show_at,
        series_id=row.series_id,
        account_id=row.account_id,
        outside_hours=row.outside_hours,
    )


NO_OVERRIDE = Refusal(
    "override-not-allowed",
    text("Only the staff set a rule aside."),
    text("Ask the staff."),
)


def may_act_for(session: Session, person_id: str, by: str) -> list[Refusal]:
    """Say why ``by`` may not act for a person."""
    if by == person_id or Role(lookups.person(session, by).role).acts_for_others:
        return []
    return [NOT_YOURS]


def theirs(session: Session, row: Reservation, by: str) -> bool:
    """Say whether a reservation is a person's own, or one of a group that they act for."""
    return by == row.person_id or accounts.acts_for(session, row.account_id, by)


def by_its_holder(row: Reservation) -> ColumnElement[bool]:
    """Return the condition for a row of ``use``: by the reservation's person, or within it."""
    return or_(Use.person_id == row.person_id, Use.reservation_id == row.id)


def set_aside(
    session: Session, found: Sequence[Refusal], by: str, reason: str | None
) -> Sequence[str]:
    """Return the codes of the rules that the staff set aside with a reason.

    :raises RefusedError: what is left, or all of it where nobody asked for that.
    """
    if reason is None:
        if found:
            raise RefusedError(found)
        return ()
    left = still_refused(found)
    if Role(lookups.person(session, by).role) not in {Role.STAFF, Role.ADMIN}:
        left = [*found, NO_OVERRIDE]
    elif not reason.strip():
        left = [*left, REASON_MISSING]
    if left:
        raise RefusedError(left)
    return [refusal.code for refusal in found]
