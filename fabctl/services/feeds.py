"""Calendars (iCalendar, RFC 5545) at secret addresses that can be revoked."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.i18n import translate
from fabctl.model.booking_changes import NOT_YOURS
from fabctl.model.booking_facts import ClaimKind
from fabctl.model.people import Role
from fabctl.model.refusal import RefusedError
from fabctl.model.texts import Text, text
from fabctl.model.workshops import EnrolmentState
from fabctl.services import lookups
from fabctl.services.audit import audit
from fabctl.services.places import around, live_claim
from fabctl.services.rights import children_of
from fabctl.store.ids import new_id
from fabctl.store.tables import Claim, Reservation, Resource
from fabctl.store.tables_booking import Feed
from fabctl.store.tables_workshops import Enrolment, SessionAnimator, Workshop, WorkshopSession

PERSON = "person"
RESOURCE = "resource"
WORKSHOPS = "workshops"
KINDS = (PERSON, RESOURCE, WORKSHOPS)
PAST_SHOWN = timedelta(days=31)
MEDIA_TYPE = "text/calendar; charset=utf-8"
TAKEN = text("Slot taken")
CLOSED = text("Closed")
MAINTENANCE = text("Maintenance")
WORKSHOP = text("Workshop")
_ALL_SESSIONS = text("Workshops")

_SAYS = {
    ClaimKind.RESERVATION: TAKEN,
    ClaimKind.OFFER: TAKEN,
    ClaimKind.CLOSURE: CLOSED,
    ClaimKind.MAINTENANCE: MAINTENANCE,
    ClaimKind.WORKSHOP: WORKSHOP,
}


@dataclass(frozen=True, slots=True)
class FeedView:
    """A calendar's address, without its secret."""

    id: str
    kind: str
    subject: str
    created_at: datetime


def create(
    session: Session, clock: Clock, *, kind: str, subject: str, by: str
) -> tuple[FeedView, str]:
    """Make a calendar: what a person has before them, a resource's without names, or all workshops.

    :param kind: one of :data:`KINDS`.
    :param subject: the person or the resource; nothing is read of it for workshops.
    :return: the feed, and the secret of its address: it is shown now and never again.
    :raises RefusedError: somebody else's reservations.
    :raises UnknownIdError: no such person or resource.
    """
    if kind == PERSON:
        lookups.person(session, subject)
        if by != subject:
            raise RefusedError([NOT_YOURS])
    elif kind == RESOURCE:
        lookups.resource(session, subject)
    else:
        subject = ""
    secret = secrets.token_urlsafe(24)
    row = Feed(
        id=new_id(),
        kind=kind,
        subject=subject,
        person_id=by,
        token_hash=_hashed(secret),
        created_at=clock.now(),
    )
    session.add(row)
    session.flush()
    audit(session, clock, by, "feed.made", f"feed:{row.id}", {"kind": row.kind})
    return _view(row), secret


def of_person(session: Session, *, person_id: str) -> list[FeedView]:
    """Return the calendars that a person made and has not revoked."""
    query = select(Feed).where(Feed.person_id == person_id, Feed.revoked_at.is_(None))
    return [_view(row) for row in session.scalars(query.order_by(Feed.created_at, Feed.id))]


def revoke(session: Session, clock: Clock, *, feed_id: str, by: str) -> None:
    """Let an address answer no more. Doing it again changes nothing.

    :raises RefusedError: somebody else made it, and ``by`` is not of the staff.
    :raises UnknownIdError: there is no such feed.
    """
    row = session.get(Feed, feed_id)
    if row is None:
        raise UnknownIdError(f"there is no calendar {feed_id!r}")
    if row.person_id != by and Role(lookups.person(session, by).role) not in _STAFF:
        raise RefusedError([NOT_YOURS])
    if row.revoked_at is None:
        row.revoked_at = clock.now()
        session.flush()
        audit(session, clock, by, "feed.revoked", f"feed:{row.id}")


_STAFF = frozenset({Role.STAFF, Role.ADMIN})


def calendar(session: Session, clock: Clock, *, secret: str, language: str) -> bytes:
    """Return a calendar as iCalendar text: a month back, and all that is to come.

    Of workshops: what is to come only.

    :raises UnknownIdError: no such address, or it is revoked.
    """
    query = select(Feed).where(Feed.token_hash == _hashed(secret), Feed.revoked_at.is_(None))
    row = session.scalars(query).first()
    if row is None:
        raise UnknownIdError("there is no calendar at this address")
    since = clock.now() - PAST_SHOWN
    if row.kind == PERSON:
        events = [
            *_of_person(session, row.subject, since),
            *_places_of(session, clock, row.subject, since),
            *_sessions(session, since, led_by=row.subject),
        ]
        return _written(sorted(events, key=lambda one: one.start), row, clock, language)
    if row.kind == WORKSHOPS:
        return _written(_sessions(session, clock.now()), row, clock, language)
    return _written(_of_resource(session, row.subject, since), row, clock, language)


@dataclass(frozen=True, slots=True)
class _Event:
    id: str
    name: str
    said: Text | None
    start: datetime
    end: datetime


def _of_person(session: Session, person_id: str, since: datetime) -> Iterator[_Event]:
    query = (
        select(Reservation.id, Claim, Resource.name)
        .join(Claim, Claim.id == Reservation.claim_id)
        .join(Resource, Resource.id == Claim.resource_id)
        .where(
            Reservation.person_id == person_id,
            Reservation.cancelled_at.is_(None),
            live_claim(),
            Claim.end_at > since,
        )
        .order_by(Claim.start_at)
    )
    for one, claim, name in session.execute(query):
        yield _Event(one, name, None, claim.start_at, claim.end_at)


def _of_resource(session: Session, resource_id: str, since: datetime) -> Iterator[_Event]:
    resource = lookups.resource_of_old(session, resource_id)
    which: ColumnElement[bool] = around(resource)
    query = (
        select(Claim)
        .join(Resource, Resource.id == Claim.resource_id)
        .where(which, live_claim(), Claim.end_at > since)
        .order_by(Claim.start_at)
    )
    for claim in session.scalars(query):
        said = _SAYS[ClaimKind(claim.kind)]
        yield _Event(claim.id, resource.name, said, claim.start_at, claim.end_at)


def _places_of(session: Session, clock: Clock, person_id: str, since: datetime) -> Iterator[_Event]:
    """Yield the places in sessions of a person and of their children; none names anybody.

    Each has an entry of its own, with the UID that mails about it have.
    """
    query = (
        _SESSIONS.add_columns(Enrolment.id)
        .join(Enrolment, Enrolment.session_id == WorkshopSession.id)
        .where(
            Enrolment.person_id.in_([person_id, *children_of(session, clock, person_id)]),
            Enrolment.state == EnrolmentState.CONFIRMED.value,
            WorkshopSession.end_at > since,
        )
    )
    for one, title, enrolment_id in session.execute(query):
        yield _Event(enrolment_id, title, None, one.start_at, one.end_at)


def _sessions(session: Session, since: datetime, *, led_by: str | None = None) -> Iterator[_Event]:
    query = _SESSIONS.where(WorkshopSession.end_at > since)
    if led_by is not None:
        led = select(SessionAnimator.session_id).where(SessionAnimator.person_id == led_by)
        query = query.where(WorkshopSession.id.in_(led))
    for one, title in session.execute(query):
        yield _Event(one.id, title, None, one.start_at, one.end_at)


_SESSIONS = (
    select(WorkshopSession, Workshop.title)
    .join(Workshop, Workshop.id == WorkshopSession.workshop_id)
    .where(WorkshopSession.cancelled_at.is_(None))
    .order_by(WorkshopSession.start_at, WorkshopSession.id)
)


def _written(events: Iterable[_Event], row: Feed, clock: Clock, language: str) -> bytes:
    from icalendar import Calendar, Event  # noqa: PLC0415  # 55 ms that only this needs

    found = Calendar()
    found.add("prodid", "-//fabctl//fabctl//EN")
    found.add("version", "2.0")
    whose = row.subject if row.kind == RESOURCE else ""
    if row.kind == WORKSHOPS:
        whose = translate(_ALL_SESSIONS, language)
    found.add("x-wr-calname", f"fabctl {whose}".strip())
    for event in events:
        entry = Event()
        said = f"{event.name}: {translate(event.said, language)}" if event.said else event.name
        entry.add("uid", f"{event.id}@fabctl")
        entry.add("dtstamp", clock.now())
        entry.add("dtstart", event.start)
        entry.add("dtend", event.end)
        entry.add("summary", said)
        found.add_component(entry)
    return bytes(found.to_ical())


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _view(row: Feed) -> FeedView:
    return FeedView(row.id, row.kind, row.subject, row.created_at)
