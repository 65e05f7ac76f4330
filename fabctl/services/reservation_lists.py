"""Reservations of one person, as a list that can be read in pages."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from fabctl.errors import UnknownIdError
from fabctl.model.refusal import RefusedError
from fabctl.services import accounts
from fabctl.services.booking_record import ReservationView, may_act_for, view
from fabctl.services.bookings import get_reservation
from fabctl.store.tables import Claim, Reservation


def of_person(
    session: Session,
    *,
    person_id: str,
    by: str,
    since: datetime,
    after: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> list[ReservationView]:
    """Return a person's reservations that end after a moment, the earliest first.

    Cancelled ones and no-shows are among them.

    :param after: start and id of the last one that was shown already.
    :raises RefusedError: not-yours.
    """
    if refusals := may_act_for(session, person_id, by):
        raise RefusedError(refusals)
    query = (
        select(Reservation, Claim)
        .join(Claim, Claim.id == Reservation.claim_id)
        .where(Reservation.person_id == person_id, Claim.end_at > since)
        .order_by(Claim.start_at, Reservation.id)
        .limit(limit)
    )
    if after is not None:
        start, last = after
        same_start = and_(Claim.start_at == start, Reservation.id > last)
        query = query.where(or_(Claim.start_at > start, same_start))
    return [view(row, claim) for row, claim in session.execute(query)]


def readable(session: Session, *, reservation_id: str, by: str) -> ReservationView:
    """Return a reservation of one's own, or of a group one acts for; the staff read everybody's.

    :raises UnknownIdError: there is none, or it is somebody else's.
    """
    found = get_reservation(session, reservation_id)
    acts = accounts.acts_for(session, found.account_id, by)
    if not acts and may_act_for(session, found.person_id, by):
        raise UnknownIdError(f"there is no reservation {reservation_id!r} of this person")
    return found
