"""How resources nest: ranges of whole numbers, given out once and kept while a resource stays put.

A resource without a parent has 2^40 numbers; what is in it has a 1024th part of them each, and so
on: up to 1,024 children each, four levels deep. Two resources are in each other's way exactly when
their ranges overlap, and that is what the database's own guarantee compares.
"""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from fabctl.errors import InputError
from fabctl.store.tables import Claim, Resource

ROOT_WIDTH = 2**40
CHILDREN = 1024


def in_the_way(resource: Resource) -> ColumnElement[bool]:
    """Return the condition for a row of ``resource``: the same one, its parents, its children."""
    return or_(
        Resource.id == resource.id,
        (Resource.place_from < resource.place_to) & (resource.place_from < Resource.place_to),
    )


def inside(resource: Resource) -> ColumnElement[bool]:
    """Return the condition for a row of ``resource``: the same one, or one within it."""
    return or_(
        Resource.id == resource.id,
        (Resource.place_from >= resource.place_from) & (Resource.place_to <= resource.place_to),
    )


def around(resource: Resource) -> ColumnElement[bool]:
    """Return the condition for a row of ``resource``: the same one, or one that it is within."""
    return or_(
        Resource.id == resource.id,
        (Resource.place_from <= resource.place_from) & (Resource.place_to >= resource.place_to),
    )


def encloses(outer: Resource, inner: Resource) -> bool:
    """Say of two rows what :func:`around` says in a query."""
    same = outer.id == inner.id
    return same or (outer.place_from <= inner.place_from and outer.place_to >= inner.place_to)


def of_tree(session: Session, resource: Resource) -> ColumnElement[bool]:
    """Return the condition for a row of ``resource``: within the same one without a parent."""
    roots = select(Resource).where(around(resource), Resource.parent_id.is_(None))
    return inside(session.scalars(roots).first() or resource)


def overlap(one: Resource, other: Resource) -> bool:
    """Say whether a claim on the one is in the way of a claim on the other."""
    if one.id == other.id:
        return True
    return one.place_from < other.place_to and other.place_from < one.place_to


def holds(one: Resource, other: Resource) -> bool:
    """Say whether a resource lies within another; a resource does not hold itself."""
    wide = one.place_to - one.place_from > other.place_to - other.place_from
    return wide and one.place_from <= other.place_from and other.place_to <= one.place_to


def live_claim() -> ColumnElement[bool]:
    """Return the condition for a row of ``claim`` that still counts."""
    return Claim.released_at.is_(None)


def lock_tree(session: Session, *resource_ids: str) -> None:
    """Let nobody else book in the same trees of resources before this transaction ends.

    Locks the resources without a parent that these are within, always in the same order: two
    that could be in each other's way wait for the same row, and nobody waits in a circle.
    """
    rows = session.scalars(select(Resource).where(Resource.id.in_(resource_ids))).all()
    if rows:
        roots = select(Resource).where(
            or_(*(around(row) for row in rows)), Resource.parent_id.is_(None)
        )
        roots = roots.order_by(Resource.id).with_for_update()
        session.scalars(roots.execution_options(populate_existing=True)).all()


def give_place(session: Session, row: Resource) -> None:
    """Give a new or moved resource its range, and those within it theirs.

    :raises InputError: too many children, too deep, or within itself.
    """
    session.flush()
    parent = session.get(Resource, row.parent_id) if row.parent_id else None
    children = list(session.scalars(select(Resource).where(Resource.parent_id == row.id)))
    if parent is None:
        step, first, last = ROOT_WIDTH, 0, 2**62
    else:
        step = (parent.place_to - parent.place_from) // CHILDREN
        first, last = parent.place_from, parent.place_to
    if step == 0:
        raise InputError("resources nest four levels deep at most")
    row.place_from = _free_place(session, row, first, last, step)
    row.place_to = row.place_from + step
    session.flush()
    for child in children:
        give_place(session, child)


def _free_place(session: Session, row: Resource, first: int, last: int, step: int) -> int:
    siblings = select(Resource.place_from).where(
        Resource.parent_id.is_(None)
        if row.parent_id is None
        else Resource.parent_id == row.parent_id,
        Resource.id != row.id,
        Resource.place_to > Resource.place_from,
    )
    taken = set(session.scalars(siblings))
    place = first
    while place in taken:
        place += step
    if place + step > last:
        raise InputError(f"{row.parent_id} holds as many resources as it can", limit=str(CHILDREN))
    return place
