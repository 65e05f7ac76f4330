"""When resources are open, taken and free, by as many queries for one as for all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from fabctl.errors import InputError
from fabctl.model.booking_facts import ClaimKind, Taken
from fabctl.model.booking_refusals import out_of_range
from fabctl.model.booking_slots import Slot, without
from fabctl.services import opening
from fabctl.services.places import live_claim
from fabctl.services.policies import all_policies
from fabctl.store.tables import Claim, Resource

LONGEST = timedelta(days=62)


@dataclass(frozen=True, slots=True)
class Availability:
    """One resource in a stretch of time. No names: any screen may show it."""

    resource_id: str
    out_of_order: bool
    """It, or what it is within: nothing is free now, whatever ``free`` says of the time."""
    open: Sequence[Slot]
    taken: Sequence[Taken]
    """Cleaning up included; on what it is within and on what is within it too."""
    free: Sequence[Slot]


def availability(
    session: Session,
    zone: ZoneInfo,
    window: Slot,
    resource_ids: Collection[str] | None = None,
) -> list[Availability]:
    """Return when resources are open, taken and free, in their order; None: all of the lab.

    :param window: at most 62 days.
    :raises InputError: the window is longer, or ends before it starts.
    """
    if out_of_range(window) is not None or not timedelta() < window.length <= LONGEST:
        raise InputError("no availability for this stretch of time", limit="62 days")
    tree = {row.id: row for row in session.scalars(select(Resource).order_by(Resource.position))}
    wanted = [
        row
        for row in tree.values()
        if row.retired_at is None and (resource_ids is None or row.id in resource_ids)
    ]
    spans = opening.spans_for(session, zone, wanted, tree, all_policies(session), window)
    claims = _claims(session, window)
    return [_of(row, tree, spans[row.id], claims, window) for row in wanted]


def _claims(session: Session, window: Slot) -> list[tuple[str, Taken]]:
    query = (
        select(Claim.resource_id, Claim.kind, Claim.start_at, Claim.end_at, Claim.free_at)
        .where(
            live_claim(),
            Claim.start_at < window.end,
            or_(Claim.end_at > window.start, Claim.free_at > window.start),
        )
        .order_by(Claim.start_at)
    )
    return [
        (resource_id, Taken(Slot(start, free_at or end), ClaimKind(kind)))
        for resource_id, kind, start, end, free_at in session.execute(query)
    ]


def _of(
    row: Resource,
    tree: dict[str, Resource],
    spans: list[Slot] | None,
    claims: Iterable[tuple[str, Taken]],
    window: Slot,
) -> Availability:
    related = {
        other.id
        for other in tree.values()
        if other.id == row.id
        or (other.place_from < row.place_to and row.place_from < other.place_to)
    }
    taken = [claim for resource_id, claim in claims if resource_id in related]
    found = [window] if spans is None else _within(spans, window)
    return Availability(
        resource_id=row.id,
        out_of_order=_out_of_order(tree, row),
        open=found,
        taken=taken,
        free=without(found, [claim.slot for claim in taken]),
    )


def _within(spans: Iterable[Slot], window: Slot) -> list[Slot]:
    cut = (Slot(max(one.start, window.start), min(one.end, window.end)) for one in spans)
    return [one for one in cut if one.start < one.end]


def _out_of_order(tree: dict[str, Resource], row: Resource) -> bool:
    at: Resource | None = row
    while at is not None:
        if at.out_of_order_at is not None:
            return True
        at = tree.get(at.parent_id) if at.parent_id else None
    return False
