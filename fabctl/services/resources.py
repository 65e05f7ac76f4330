"""Spaces, seats and machines: what lies in what, and pools of which any one will do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import InputError, UnknownIdError
from fabctl.model.booking_facts import ResourceKind
from fabctl.services import lookups
from fabctl.services.audit import audit
from fabctl.services.places import give_place, inside, lock_tree
from fabctl.services.rights import require_staff
from fabctl.store.tables import Resource
from fabctl.store.tables_booking import Pool, PoolMember

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A resource of any kind."""

    id: str
    name: str
    kind: ResourceKind
    category: str
    parent_id: str | None


@dataclass(frozen=True, slots=True)
class PoolView:
    """Several resources of which any one will do."""

    id: str
    name: str
    members: Sequence[str]


def add_resource(  # what it is, each thing by its name
    session: Session,
    clock: Clock,
    *,
    resource_id: str,
    name: str,
    kind: ResourceKind,
    category: str = "",
    parent_id: str | None = None,
    by: str | None,
) -> PlaceView:
    """Add a space or a seat; machines come from lab.toml.

    :param resource_id: ``a-z 0-9 -``, 1 to 64 characters.
    :raises InputError: no such id or name can be, it is taken, or a machine was asked for.
    :raises UnknownIdError: there is no such parent.
    """
    require_staff(session, by)
    if kind is ResourceKind.MACHINE:
        raise InputError("machines are added in lab.toml")
    if not _NAME.fullmatch(resource_id) or not name.strip():
        raise InputError("a resource has an id (a-z, 0-9, -) and a name")
    if session.get(Resource, resource_id) is not None:
        raise InputError(f"there is already a resource {resource_id!r}")
    if parent_id is not None:
        lookups.resource(session, parent_id)
    last = session.scalar(select(func.max(Resource.position)))
    row = Resource(
        id=resource_id,
        name=name,
        kind=kind.value,
        category=category or kind.value,
        position=(last if last is not None else -1) + 1,
        parent_id=parent_id,
    )
    session.add(row)
    give_place(session, row)
    audit(session, clock, by, "resource.added", f"resource:{resource_id}", {"kind": kind.value})
    return view(row)


def put_into(
    session: Session, clock: Clock, *, resource_id: str, parent_id: str | None, by: str | None
) -> PlaceView:
    """Put a resource into another one (a machine into its room), or out of any.

    :raises InputError: into itself or into what is in it; too deep; too many.
    :raises RefusedError: overlap: both have claims that would be in each other's way.
    :raises UnknownIdError: no such resource.
    """
    require_staff(session, by)
    lock_tree(session, resource_id, *([parent_id] if parent_id else []))
    row = lookups.resource(session, resource_id)
    if parent_id is not None:
        parent = lookups.resource(session, parent_id)
        within = select(Resource.id).where(inside(row), Resource.id == parent.id)
        if session.scalars(within).first() is not None:
            raise InputError("a resource cannot lie within itself")
    row.parent_id = parent_id
    give_place(session, row)
    details = {"parent": parent_id}
    audit(session, clock, by, "resource.put-into", f"resource:{resource_id}", details)
    return view(row)


def list_all(session: Session) -> list[PlaceView]:
    """Return every resource that is not retired, in their order."""
    query = select(Resource).where(Resource.retired_at.is_(None)).order_by(Resource.position)
    return [view(row) for row in session.scalars(query)]


def set_pool(
    session: Session,
    clock: Clock,
    *,
    pool_id: str,
    name: str,
    members: Sequence[str],
    by: str | None,
) -> PoolView:
    """Make or change a pool; its members are tried in this order.

    :raises InputError: no member, one twice, or no such id or name.
    :raises UnknownIdError: no such resource.
    """
    require_staff(session, by)
    if not _NAME.fullmatch(pool_id) or not name.strip():
        raise InputError("a pool has an id (a-z, 0-9, -) and a name")
    if not members or len(set(members)) != len(members):
        raise InputError("a pool has members, each of them once")
    for member in members:
        lookups.resource(session, member)
    row = session.get(Pool, pool_id)
    if row is None:
        row = Pool(id=pool_id, name=name)
        session.add(row)
    row.name = name
    session.flush()
    session.execute(delete(PoolMember).where(PoolMember.pool_id == pool_id))
    for position, member in enumerate(members):
        session.add(PoolMember(pool_id=pool_id, resource_id=member, position=position))
    session.flush()
    audit(session, clock, by, "pool.changed", f"pool:{pool_id}", {"members": list(members)})
    return PoolView(pool_id, name, tuple(members))


def get_pool(session: Session, pool_id: str) -> PoolView:
    """Return a pool.

    :raises UnknownIdError: there is none, or nothing in it.
    """
    row = session.get(Pool, pool_id)
    if row is None:
        raise UnknownIdError(f"there is no pool {pool_id!r}")
    return PoolView(row.id, row.name, tuple(lookups.pool_members(session, pool_id)))


def list_pools(session: Session) -> list[PoolView]:
    """Return every pool with its members that are not retired, by id."""
    query = (
        select(PoolMember.pool_id, PoolMember.resource_id)
        .join(Resource, Resource.id == PoolMember.resource_id)
        .where(Resource.retired_at.is_(None))
        .order_by(PoolMember.pool_id, PoolMember.position)
    )
    members: dict[str, list[str]] = {}
    for pool_id, resource_id in session.execute(query):
        members.setdefault(pool_id, []).append(resource_id)
    pools = session.scalars(select(Pool).order_by(Pool.id))
    return [PoolView(row.id, row.name, tuple(members.get(row.id, ()))) for row in pools]


def view(row: Resource) -> PlaceView:
    """Return a resource. For services only."""
    return PlaceView(row.id, row.name, ResourceKind(row.kind), row.category, row.parent_id)
