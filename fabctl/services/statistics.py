"""Statistics of a year for funders: who was there, in numbers only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session, aliased

from fabctl.errors import InputError
from fabctl.model.attendance import Mark, Presence, presence_of
from fabctl.model.statistics import Fact, Table, tables
from fabctl.services.rights import require_staff
from fabctl.store.tables import Account, Claim, Person, Reservation, Resource
from fabctl.store.tables_workshops import AttendanceMark, Enrolment, Workshop, WorkshopSession

FIRST, LAST = 2000, 2200
_CAME = (Presence.PRESENT.value, Presence.LATE.value)


@dataclass(frozen=True, slots=True)
class YearView:
    """The statistics of one calendar year."""

    year: int
    workshops: Sequence[Table]
    reservations: Sequence[Table]


def of_year(session: Session, zone: ZoneInfo, *, year: int, by: str | None) -> YearView:
    """Return a calendar year's statistics; only whole years, so that none can be subtracted.

    :raises RefusedError: staff-only.
    :raises InputError: no such year.
    """
    require_staff(session, by)
    if not FIRST <= year <= LAST:
        raise InputError("no statistics for this year", limit=f"{FIRST} to {LAST}")
    start, end = datetime(year, 1, 1, tzinfo=zone), datetime(year + 1, 1, 1, tzinfo=zone)
    booked = ("month", "what", "age")
    return YearView(
        year=year,
        workshops=tables(_attendances(session, zone, start, end)),
        reservations=tables(_reservations(session, zone, start, end), booked),
    )


def _attendances(session: Session, zone: ZoneInfo, start: datetime, end: datetime) -> list[Fact]:
    """Return who was there at sessions, by their attendance sheets."""
    there = set(_there(session, start, end))
    came_before = _came_before(session, start)
    query = (
        select(
            Enrolment.id,
            Enrolment.person_id,
            WorkshopSession.start_at,
            WorkshopSession.end_at,
            Workshop.title,
            Person.birth_year,
            Account.name,
        )
        .join(WorkshopSession, WorkshopSession.id == Enrolment.session_id)
        .join(Workshop, Workshop.id == WorkshopSession.workshop_id)
        .outerjoin(Person, Person.id == Enrolment.person_id)
        .outerjoin(Account, Account.id == Enrolment.partner_id)
        .where(*_within(start, end))
        .order_by(WorkshopSession.start_at, Enrolment.id)
    )
    found = []
    for enrolment_id, person_id, begins, ends, title, birth_year, partner in session.execute(query):
        if enrolment_id not in there:
            continue
        who = person_id or f"enrolment:{enrolment_id}"  # a partner never gave the name
        hours = (ends - begins).total_seconds() / 3600
        first = person_id is not None and who not in came_before
        came_before.add(who)
        at = begins.astimezone(zone)
        found.append(Fact(who, at, hours, title, birth_year, partner or "", first))
    return found


def _within(start: datetime, end: datetime) -> list[ColumnElement[bool]]:
    return [
        WorkshopSession.start_at >= start,
        WorkshopSession.start_at < end,
        WorkshopSession.cancelled_at.is_(None),
        Enrolment.ended_at.is_(None),
    ]


def _there(session: Session, start: datetime, end: datetime) -> Iterable[str]:
    query = (
        select(AttendanceMark)
        .join(Enrolment, Enrolment.id == AttendanceMark.enrolment_id)
        .join(WorkshopSession, WorkshopSession.id == Enrolment.session_id)
        .where(*_within(start, end))
    )
    marks: dict[str, list[Mark]] = {}
    for row in session.scalars(query):
        presence = Presence(row.presence) if row.presence else None
        mark = Mark(row.id, row.at, presence, row.undoes)
        marks.setdefault(row.enrolment_id, []).append(mark)
    for enrolment_id, some in marks.items():
        presence = presence_of(some)
        if presence is not None and presence.was_there:
            yield enrolment_id


def _came_before(session: Session, start: datetime) -> set[str]:
    """Return the ids of those who were at a session before."""
    undoing = aliased(AttendanceMark)
    query = (
        select(Enrolment.person_id)
        .join(WorkshopSession, WorkshopSession.id == Enrolment.session_id)
        .join(AttendanceMark, AttendanceMark.enrolment_id == Enrolment.id)
        .where(
            WorkshopSession.start_at < start,
            Enrolment.person_id.is_not(None),
            AttendanceMark.presence.in_(_CAME),
            ~exists().where(
                undoing.enrolment_id == Enrolment.id, undoing.undoes == AttendanceMark.id
            ),
        )
        .distinct()
    )
    return {one for one in session.scalars(query) if one is not None}


def _reservations(session: Session, zone: ZoneInfo, start: datetime, end: datetime) -> list[Fact]:
    """Return who came for what they had booked."""
    query = (
        select(
            Reservation.person_id,
            Claim.start_at,
            Claim.end_at,
            Resource.category,
            Person.birth_year,
        )
        .join(Claim, Claim.id == Reservation.claim_id)
        .join(Resource, Resource.id == Claim.resource_id)
        .join(Person, Person.id == Reservation.person_id)
        .where(
            Claim.end_at > start,
            Claim.start_at >= start,
            Claim.start_at < end,
            Reservation.checked_in_at.is_not(None),
        )
    )
    return [
        Fact(who, begins.astimezone(zone), (ends - begins).total_seconds() / 3600, kind, born)
        for who, begins, ends, kind, born in session.execute(query)
    ]
