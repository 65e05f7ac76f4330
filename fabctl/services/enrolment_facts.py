"""What the rules of enrolment look at, and who may decide about a place. For services only."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.booking import Slot
from fabctl.model.certification import Standing
from fabctl.model.consent import local_day
from fabctl.model.refusal import Refusal
from fabctl.model.workshops import EnrolmentFacts, Via, enrolment_refusals, not_yours
from fabctl.services import lookups
from fabctl.services.accounts import groups_acted_for
from fabctl.services.births import birth_of
from fabctl.services.certifications import standing_at
from fabctl.services.courses import get_course
from fabctl.services.participants import consents_of, may_act_for
from fabctl.services.rights import is_guardian, runs_workshops
from fabctl.services.workshops import workshop_row
from fabctl.store.tables import Audit
from fabctl.store.tables_accounts import AccountMember
from fabctl.store.tables_workshops import Enrolment, Workshop, WorkshopSession


def refusals_of(
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    row: WorkshopSession,
    person_id: str,
    by: str,
    *,
    overridden: bool,
) -> list[Refusal]:
    """Return every reason against a person's place; of a stranger's, that it is not theirs."""
    via = via_of(session, clock, person_id, by)
    if via is None:
        lookups.person(session, person_id)
        return [not_yours()]
    facts = facts_of(session, clock, zone, row, person_id, via, overridden=overridden)
    return enrolment_refusals(replace(facts, may_act=via is Via.STAFF or not overridden))


def facts_of(
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    row: WorkshopSession,
    person_id: str,
    via: Via,
    *,
    overridden: bool,
) -> EnrolmentFacts:
    """Return what the rules look at when a person wants a place."""
    workshop = workshop_row(session, row.workshop_id)
    return EnrolmentFacts(
        now=clock.now(),
        session=Slot(row.start_at, row.end_at),
        on=local_day(row.start_at, zone),
        cancelled=row.cancelled_at is not None,
        already=_enrolled(session, row.id, person_id),
        via=via,
        birth=birth_of(session, person_id),
        age_least=workshop.age_least,
        age_most=workshop.age_most,
        consents=consents_of(session, person_id),
        consent_needed=workshop.consent_needed,
        prerequisites_met=_ready(session, clock, workshop, person_id),
        override=overridden,
    )


def _ready(session: Session, clock: Clock, workshop: Workshop, person_id: str) -> bool:
    """Say whether somebody holds what a training asks for beforehand."""
    if workshop.course_id is None:
        return True
    machines = get_course(session, workshop.course_id).prerequisites
    return all(
        standing_at(session, person_id, machine, clock.now()) is Standing.VALID
        for machine in machines
    )


def via_of(session: Session, clock: Clock, person_id: str, by: str) -> Via | None:
    """Return in which part somebody enrols a person; None: they may not."""
    if runs_workshops(session, by):
        return Via.STAFF
    if by == person_id:
        return Via.SELF
    return Via.GUARDIAN if is_guardian(session, clock, by, person_id) else None


def acts_for_partner(session: Session, partner_id: str, by: str) -> bool:
    """Say whether somebody decides for a partner: its members, staff and animators."""
    return partner_id in groups_acted_for(session, by) or runs_workshops(session, by)


def may_name(session: Session, clock: Clock, partner_id: str, person_id: str, by: str) -> bool:
    """Say whether somebody who acts for a partner may give its place to a person.

    Staff and animators name anybody. Others: themselves, their children, the group's members, and
    whom one of these added. Whom staff and animators added is the lab's, though they are members.
    """
    if may_act_for(session, clock, person_id, by):
        return True
    if session.get(AccountMember, (partner_id, person_id)) is not None:
        return True
    adders = select(Audit.who).where(
        Audit.subject == f"person:{person_id}", Audit.what == "person.added"
    )
    return any(
        session.get(AccountMember, (partner_id, who)) is not None
        and not runs_workshops(session, who)
        for who in session.scalars(adders)
        if who is not None
    )


def may_answer(session: Session, clock: Clock, one: Enrolment, by: str) -> bool:
    """Say whether somebody decides about a place: whose it is, a guardian, partner or staff."""
    if one.partner_id is not None and acts_for_partner(session, one.partner_id, by):
        return True
    if one.person_id is not None:
        return may_act_for(session, clock, one.person_id, by)
    return runs_workshops(session, by)


def _enrolled(session: Session, session_id: str, person_id: str) -> bool:
    query = select(Enrolment.id).where(
        Enrolment.session_id == session_id,
        Enrolment.person_id == person_id,
        Enrolment.ended_at.is_(None),
    )
    return session.scalars(query).first() is not None
