"""What a closure would meet: looked at before anything is closed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.booking_facts import ClaimKind
from fabctl.model.booking_slots import Slot
from fabctl.services import lookups
from fabctl.services.places import in_the_way, live_claim
from fabctl.services.rights import require_staff
from fabctl.store.tables import Claim, Person, Reservation, Resource
from fabctl.store.tables_booking import Waiting
from fabctl.store.tables_workshops import SessionClaim, Workshop, WorkshopSession


@dataclass(frozen=True, slots=True)
class Met:
    """Something that is on a resource (or on what is around or in it) at that time."""

    kind: ClaimKind
    resource_name: str
    slot: Slot
    reservation_id: str | None
    """None: it is no reservation, and no closure takes it away."""
    who: str
    """Whose reservation it is, the workshop's title, or what a closure is for."""


def met_by(
    session: Session, clock: Clock, *, resource_id: str, slot: Slot, by: str | None
) -> list[Met]:
    """Return what a closure of a resource would meet, the soonest first.

    Reservations would be cancelled; workshops and other closures have to go first.

    :raises RefusedError: staff-only.
    :raises UnknownIdError: no such resource.
    """
    require_staff(session, by)
    resource = lookups.resource(session, resource_id)
    query = (
        select(Claim, Resource.name, Reservation.id, Person.display_name, Workshop.title)
        .join(Resource, Resource.id == Claim.resource_id)
        .outerjoin(Reservation, Reservation.claim_id == Claim.id)
        .outerjoin(Person, Person.id == Reservation.person_id)
        .outerjoin(SessionClaim, SessionClaim.claim_id == Claim.id)
        .outerjoin(WorkshopSession, WorkshopSession.id == SessionClaim.session_id)
        .outerjoin(Workshop, Workshop.id == WorkshopSession.workshop_id)
        .where(
            in_the_way(resource),
            live_claim(),
            Claim.kind != ClaimKind.OFFER.value,
            Claim.start_at < slot.end,
            Claim.end_at > max(slot.start, clock.now()),
        )
        .order_by(Claim.start_at, Claim.id)
    )
    return [
        Met(
            ClaimKind(claim.kind),
            name,
            Slot(claim.start_at, claim.end_at),
            reservation_id,
            person or title or claim.note or "",
        )
        for claim, name, reservation_id, person, title in session.execute(query)
    ]


@dataclass(frozen=True, slots=True)
class Waits:
    """Somebody who only waits for a slot that a closure would take away."""

    id: str
    resource_name: str
    slot: Slot
    who: str
    offered: bool
    """Whether it is kept for them already."""


def waiting_for(
    session: Session, clock: Clock, *, resource_id: str, slot: Slot, by: str | None
) -> list[Waits]:
    """Return whose waiting a closure of a resource would end, the soonest first.

    :raises RefusedError: staff-only.
    :raises UnknownIdError: no such resource.
    """
    require_staff(session, by)
    resource = lookups.resource(session, resource_id)
    query = (
        waits_within(resource, slot)
        .join(Person, Person.id == Waiting.person_id)
        .add_columns(Resource.name, Person.display_name)
        .where(Waiting.end_at > clock.now())
    )
    return [
        Waits(row.id, name, Slot(row.start_at, row.end_at), who, row.claim_id is not None)
        for row, name, who in session.execute(query)
    ]


def waits_within(resource: Resource, slot: Slot) -> Select[Waiting]:
    """Return the query for who waits for something that a closure takes away. For services only."""
    return (
        select(Waiting)
        .join(Resource, Resource.id == Waiting.resource_id)
        .where(
            in_the_way(resource),
            Waiting.settled_at.is_(None),
            Waiting.start_at < slot.end,
            Waiting.end_at > slot.start,
        )
        .order_by(Waiting.start_at, Waiting.number)
    )
