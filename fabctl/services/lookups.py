"""Rows by id, or an error that says what there is not. For services only."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.errors import UnknownIdError
from fabctl.store.tables import Account, Job, Person, Reservation, Resource
from fabctl.store.tables_booking import PoolMember

Row = TypeVar("Row", Job, Person, Reservation, Resource)


def _get(session: Session, table: type[Row], noun: str, row_id: str, *, lock: bool) -> Row:
    row = session.get(table, row_id, with_for_update=True if lock else None)
    if row is None:
        raise UnknownIdError(f"there is no {noun} {row_id!r}")
    return row


def person(session: Session, person_id: str) -> Person:
    """Return a person's row.

    :raises UnknownIdError: there is none.
    """
    return _get(session, Person, "person", person_id, lock=False)


def resource(session: Session, resource_id: str, *, lock: bool = False) -> Resource:
    """Return the row of a resource that lab.toml names.

    :param lock: let nobody else who asks so go on before this transaction ends.
    :raises UnknownIdError: there is none, or it is retired.
    """
    row = _get(session, Resource, "machine", resource_id, lock=lock)
    if row.retired_at is not None:
        raise UnknownIdError(f"there is no machine {resource_id!r} any more")
    return row


def pool_members(session: Session, pool_id: str) -> list[str]:
    """Return the resources of a pool, in the order in which they are tried.

    :raises UnknownIdError: there is no such pool, or nothing in it.
    """
    query = (
        select(PoolMember.resource_id)
        .join(Resource, Resource.id == PoolMember.resource_id)
        .where(PoolMember.pool_id == pool_id, Resource.retired_at.is_(None))
        .order_by(PoolMember.position)
    )
    found = list(session.scalars(query))
    if not found:
        raise UnknownIdError(f"there is no pool {pool_id!r} with anything in it")
    return found


def resource_of_old(session: Session, resource_id: str) -> Resource:
    """Return a resource's row even if it is retired: what was booked on it can still be changed.

    :raises UnknownIdError: there was never one.
    """
    return _get(session, Resource, "machine", resource_id, lock=False)


def job(session: Session, job_id: str, *, lock: bool = False) -> Job:
    """Return a job's row.

    :param lock: as for :func:`resource`.
    :raises UnknownIdError: there is none.
    """
    return _get(session, Job, "job", job_id, lock=lock)


def reservation(session: Session, reservation_id: str) -> Reservation:
    """Return a reservation's row.

    :raises UnknownIdError: there is none.
    """
    return _get(session, Reservation, "reservation", reservation_id, lock=False)


def own_account(session: Session, person_id: str) -> Account:
    """Return a person's own account."""
    return session.scalars(select(Account).where(Account.person_id == person_id)).one()
