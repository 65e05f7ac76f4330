"""Enrolments as others see them: one, a session's, and all that somebody decides about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.model.workshops import EnrolmentState, Via
from fabctl.services.accounts import groups_acted_for
from fabctl.services.enrolment_facts import may_answer
from fabctl.services.rights import children_of, leads, require_lead
from fabctl.services.workshops import session_row
from fabctl.store.tables_workshops import Enrolment, WorkshopSession


@dataclass(frozen=True, slots=True)
class EnrolmentView:
    """A place, held or waited for. ``person_id`` is not for public screens."""

    id: str
    session_id: str
    person_id: str | None
    """None: a partner has not given the name yet."""
    partner_id: str | None
    party_id: str
    via: Via
    state: EnrolmentState
    rank: int
    """Who came first to this session; a party has one."""
    accept_by: datetime | None
    made_at: datetime
    passed: bool


def enrolments_of(session: Session, *, session_id: str) -> list[EnrolmentView]:
    """Return a session's live enrolments, in the order in which they came."""
    query = select(Enrolment).where(
        Enrolment.session_id == session_id, Enrolment.ended_at.is_(None)
    )
    rows = session.scalars(query.order_by(Enrolment.rank, Enrolment.made_at, Enrolment.id))
    return [view_enrolment(row) for row in rows]


def enrolments_for_lead(session: Session, *, session_id: str, by: str) -> list[EnrolmentView]:
    """Return a session's live enrolments to those who lead it.

    :raises RefusedError: session-staff-only.
    :raises UnknownIdError: no such session.
    """
    session_row(session, session_id)
    require_lead(session, session_id, by)
    return enrolments_of(session, session_id=session_id)


def coming_for(session: Session, clock: Clock, *, by: str) -> list[EnrolmentView]:
    """Return somebody's live enrolments, and those of their children and partners.

    Only in sessions that are not over; the soonest first.
    """
    people, partners = [by, *children_of(session, clock, by)], groups_acted_for(session, by)
    query = (
        select(Enrolment)
        .join(WorkshopSession, WorkshopSession.id == Enrolment.session_id)
        .where(
            Enrolment.person_id.in_(people) | Enrolment.partner_id.in_(partners),
            Enrolment.ended_at.is_(None),
            WorkshopSession.end_at > clock.now(),
        )
        .order_by(WorkshopSession.start_at, Enrolment.id)
    )
    return [view_enrolment(row) for row in session.scalars(query)]


def visible_enrolment(
    session: Session, clock: Clock, *, enrolment_id: str, by: str
) -> EnrolmentView:
    """Return one enrolment to those who decide about it or lead its session.

    :raises UnknownIdError: there is none, or it is not theirs to see.
    """
    row = enrolment_row(session, enrolment_id)
    if not (may_answer(session, clock, row, by) or leads(session, row.session_id, by)):
        raise UnknownIdError(f"there is no enrolment {enrolment_id!r} of this person")
    return view_enrolment(row)


def enrolment_row(session: Session, enrolment_id: str) -> Enrolment:
    """Return an enrolment's row. For services only. :raises UnknownIdError: there is none."""
    row = session.get(Enrolment, enrolment_id)
    if row is None:
        raise UnknownIdError(f"there is no enrolment {enrolment_id!r}")
    return row


def view_enrolment(row: Enrolment) -> EnrolmentView:
    """Return a row as others see it. For services only."""
    return EnrolmentView(
        id=row.id,
        session_id=row.session_id,
        person_id=row.person_id,
        partner_id=row.partner_id,
        party_id=row.party_id,
        via=Via(row.via),
        state=EnrolmentState(row.state),
        rank=row.rank,
        accept_by=row.accept_by,
        made_at=row.made_at,
        passed=row.passed_at is not None,
    )
