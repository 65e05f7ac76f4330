"""What a session claims of machines and spaces, in the one table of claims. For services only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import false, func, or_, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.booking import ClaimKind, Slot
from fabctl.services import lookups
from fabctl.services.places import holds, in_the_way, live_claim, lock_tree
from fabctl.store.ids import new_id
from fabctl.store.tables import Claim, Resource
from fabctl.store.tables_workshops import SessionClaim, SessionOpening, WorkshopSession


def locked(session: Session, resource_ids: Iterable[str]) -> list[str]:
    """Lock the resources with all that they are within, and return those to claim.

    A machine in a room that is claimed too needs no claim of its own; the two would overlap.
    """
    rows = [lookups.resource(session, one) for one in sorted(set(resource_ids))]
    lock_tree(session, *(row.id for row in rows))
    return [
        row.id for row in rows if not any(other is not row and holds(other, row) for other in rows)
    ]


def taken(session: Session, slot: Slot, machines: Sequence[str], but: str | None) -> list[Slot]:
    """Return the live claims in the way, those of the session ``but`` left out."""
    until = func.coalesce(Claim.free_at, Claim.end_at)
    near = [in_the_way(lookups.resource(session, machine)) for machine in machines]
    query = (
        select(Claim.start_at, until)
        .join(Resource, Resource.id == Claim.resource_id)
        .where(or_(false(), *near), live_claim(), Claim.start_at < slot.end, until > slot.start)
    )
    if but is not None:
        own = select(SessionClaim.claim_id).where(SessionClaim.session_id == but)
        query = query.where(Claim.id.not_in(own))
    return [Slot(start, end) for start, end in session.execute(query)]


def busy_names(session: Session, windows: Mapping[str, Slot], but: str | None) -> list[str]:
    """Return the names of the machines that others claim in their windows, ``but`` left out."""
    busy = [one for one, slot in windows.items() if taken(session, slot, [one], but)]
    return sorted(lookups.resource(session, one).name for one in busy)


def claims_of(session: Session, session_id: str) -> list[Claim]:
    """Return what a session claims still."""
    query = (
        select(Claim)
        .join(SessionClaim, SessionClaim.claim_id == Claim.id)
        .where(SessionClaim.session_id == session_id, Claim.released_at.is_(None))
    )
    return list(session.scalars(query))


def free_claims(session: Session, clock: Clock, session_id: str) -> None:
    """End a session's claims now, and close the machines it opened."""
    now = clock.now()
    for claim in claims_of(session, session_id):
        if claim.start_at < now < claim.end_at:
            claim.end_at = now
        elif claim.start_at >= now:
            claim.released_at = now
    close_machines(session, clock, session_id)


def close_machines(session: Session, clock: Clock, session_id: str) -> None:
    """Close the machines that were opened for a session's group."""
    query = select(SessionOpening).where(
        SessionOpening.session_id == session_id, SessionOpening.closed_at.is_(None)
    )
    for opening in session.scalars(query):
        opening.closed_at = clock.now()


def claim_for(
    session: Session,
    row: WorkshopSession,
    resource_ids: Sequence[str],
    since: datetime | None = None,
) -> None:
    """Claim resources for a session, for as long as it lasts, or from ``since`` on."""
    for resource_id in resource_ids:
        claim = Claim(
            id=new_id(),
            resource_id=resource_id,
            kind=ClaimKind.WORKSHOP.value,
            start_at=since or row.start_at,
            end_at=row.end_at,
        )
        session.add(claim)
        session.flush()
        session.add(SessionClaim(claim_id=claim.id, session_id=row.id))
