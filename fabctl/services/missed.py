"""Reservations for which nobody came: how one is counted, and what says that somebody came."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.booking_slots import Slot
from fabctl.model.notice import Code
from fabctl.services import lookups, notices
from fabctl.services.audit import audit
from fabctl.services.booking_record import by_its_holder
from fabctl.services.notices import About
from fabctl.services.places import inside
from fabctl.store.tables import Claim, Reservation, Resource, Use


def count(
    session: Session, clock: Clock, row: Reservation, claim: Claim, *, by: str | None = None
) -> None:
    """Count a no-show: the slot is free for others, and used as far as quotas go.

    :param by: whoever cancelled instead of coming; None: the steward found out.
    """
    row.no_show_at = claim.released_at = clock.now()
    session.flush()
    subject = f"reservation:{row.id}"
    audit(session, clock, by, "reservation.no-show", subject)
    slot = Slot(claim.start_at, claim.end_at)
    about = About(resource_id=claim.resource_id, slot=slot, subject=subject)
    notices.tell(session, clock, row.person_id, Code.NO_SHOW, about)


def first_use(session: Session, row: Reservation, claim: Claim) -> datetime | None:
    """Return when its person first used what they reserved, in that time: that is a check-in."""
    resource = lookups.resource_of_old(session, claim.resource_id)
    query = (
        select(Use.opened_at)
        .join(Resource, Resource.id == Use.resource_id)
        .where(
            inside(resource),
            by_its_holder(row),
            Use.opened_at < claim.end_at,
            Use.closed_at.is_(None) | (Use.closed_at > claim.start_at),
        )
        .order_by(Use.opened_at)
    )
    return session.scalars(query).first()
