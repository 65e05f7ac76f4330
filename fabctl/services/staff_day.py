"""What the staff of a lab look at in the morning: who comes, who did not, what waits for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.services import courses, practical, resource_desk, uses
from fabctl.services.audit import person_in
from fabctl.services.booking_record import ReservationView, view
from fabctl.services.courses import CourseView
from fabctl.services.places import live_claim
from fabctl.services.practical import Trainee
from fabctl.services.resource_desk import ResourceOrder
from fabctl.services.rights import require_staff
from fabctl.services.uses import UseView
from fabctl.store.tables import Claim, Person, Reservation, Resource


@dataclass(frozen=True, slots=True)
class Expected:
    """A reservation with the names that belong to it, for the staff."""

    reservation: ReservationView
    person: str
    resource: str


@dataclass(frozen=True, slots=True)
class InUse:
    """Somebody has a machine now."""

    use: UseView
    person: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody whose next step is a trainer's."""

    course: CourseView
    trainee: Trainee


def expected(session: Session, *, start: datetime, end: datetime, by: str) -> list[Expected]:
    """Return the reservations that hold some time from ``start`` to ``end``, the earliest first.

    :raises RefusedError: staff-only.
    """
    require_staff(session, by)
    query = _reservations().where(
        live_claim(),
        Reservation.cancelled_at.is_(None),
        Claim.start_at < end,
        Claim.end_at > start,
    )
    return _expected(session, query.order_by(Claim.start_at, Reservation.id))


def no_shows(session: Session, *, since: datetime, by: str) -> list[Expected]:
    """Return the reservations to which nobody came, since a moment, the latest first.

    :raises RefusedError: staff-only.
    """
    require_staff(session, by)
    query = _reservations().where(Reservation.no_show_at > since)
    return _expected(session, query.order_by(Claim.start_at.desc(), Reservation.id))


def _reservations() -> Select[Reservation, Claim, str, str]:
    return (
        select(Reservation, Claim, Person.display_name, Resource.name)
        .join(Claim, Claim.id == Reservation.claim_id)
        .join(Person, Person.id == Reservation.person_id)
        .join(Resource, Resource.id == Claim.resource_id)
    )


def _expected(session: Session, query: Select[Reservation, Claim, str, str]) -> list[Expected]:
    return [
        Expected(view(row, claim), person, resource)
        for row, claim, person, resource in session.execute(query)
    ]


def in_use(session: Session, *, by: str) -> list[InUse]:
    """Return who has which machine now, the longest first. :raises RefusedError: staff-only."""
    require_staff(session, by)
    found = uses.open_uses(session)
    names = names_of(session, [one.person_id for one in found])
    return [InUse(one, names.get(one.person_id, "")) for one in found]


def out_of_order(session: Session, *, by: str) -> list[ResourceOrder]:
    """Return what nobody may use, in the resources' order. :raises RefusedError: staff-only."""
    require_staff(session, by)
    return [one for one in resource_desk.orders(session) if one.out_of_order_at is not None]


def checks_waiting(session: Session, clock: Clock, *, by: str) -> list[Waiting]:
    """Return who waits for a practical check, course by course; for the staff.

    :raises RefusedError: staff-only.
    """
    require_staff(session, by)
    asked = [one for one in courses.list_courses(session) if one.resource_ids]
    waits = practical.waiting_in(session, clock, courses=asked, by=by)
    return [Waiting(course, one) for course in asked for one in waits[course.id]]


def names_of(session: Session, ids: Iterable[str | None]) -> dict[str, str]:
    """Return people's names by id; what names nobody is left out. For views of the staff."""
    wanted = {one for one in ids if person_in(one) is not None}
    query = select(Person.id, Person.display_name).where(Person.id.in_(wanted))
    return dict(session.execute(query).all())
