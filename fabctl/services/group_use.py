"""Machines opened for a session's group, and who answers for those who are not certified."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.certification import Level, Standing
from fabctl.model.consent import consent_refusals, under_age
from fabctl.model.group_use import GroupFacts
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.texts import text
from fabctl.model.workshops import EnrolmentState
from fabctl.services import lookups
from fabctl.services.audit import audit
from fabctl.services.births import birth_of
from fabctl.services.certifications import standings
from fabctl.services.participants import consents_of
from fabctl.services.places import around, live_claim
from fabctl.services.presence import here
from fabctl.services.rights import require_lead
from fabctl.services.workshops import session_row, workshop_row
from fabctl.store.ids import new_id
from fabctl.store.tables import Claim, Resource
from fabctl.store.tables_workshops import (
    Enrolment,
    SessionAnimator,
    SessionClaim,
    SessionOpening,
    WorkshopSession,
)

_NOT_IN_SESSION = Refusal(
    "machine-not-in-session",
    text("This session has not booked this machine."),
    text("Add the machine to the session first."),
)
_NOT_NOW = Refusal(
    "session-not-now",
    text("Machines are opened during the session only."),
    text("Wait until the session begins."),
)


def open_for_group(
    session: Session, clock: Clock, *, session_id: str, resource_id: str, by: str
) -> None:
    """Open a machine for a session's participants, until it is closed or the session ends.

    :raises RefusedError: session-staff-only, machine-not-in-session, session-not-now.
    """
    require_lead(session, session_id, by)
    lookups.resource(session, resource_id, lock=True)
    row, now = session_row(session, session_id), clock.now()
    refusals = [] if claims_machine(session, session_id, resource_id) else [_NOT_IN_SESSION]
    if row.cancelled_at is not None or not row.start_at <= now < row.end_at:
        refusals.append(_NOT_NOW)
    if refusals:
        raise RefusedError(refusals)
    found = _unclosed(session, session_id, resource_id)
    if found is not None and found.opened_at < row.start_at:  # of a time it was moved from
        found.closed_at, found = now, None
        session.flush()  # before the new one: the database lets one be open
    if found is None:
        session.add(
            SessionOpening(
                id=new_id(),
                session_id=session_id,
                resource_id=resource_id,
                opened_at=now,
                opened_by=by,
            )
        )
        _audit(session, clock, by, "opened", session_id, resource_id)


def close_for_group(
    session: Session, clock: Clock, *, session_id: str, resource_id: str, by: str
) -> None:
    """Close a machine for the group again. Doing it again changes nothing.

    :raises RefusedError: session-staff-only.
    """
    require_lead(session, session_id, by)
    row = _unclosed(session, session_id, resource_id)
    if row is not None:
        row.closed_at, row.closed_by = clock.now(), by
        _audit(session, clock, by, "closed", session_id, resource_id)


def open_now(session: Session, *, session_id: str) -> set[str]:
    """Return the machines that are open for a session's group."""
    row = session_row(session, session_id)
    query = select(SessionOpening.resource_id).where(
        SessionOpening.session_id == session_id,
        SessionOpening.closed_at.is_(None),
        SessionOpening.opened_at >= row.start_at,
    )
    return set(session.scalars(query))


def _audit(
    session: Session, clock: Clock, by: str, what: str, session_id: str, resource_id: str
) -> None:
    details = {"resource": resource_id}
    audit(session, clock, by, f"session.machine-{what}", f"session:{session_id}", details)
    session.flush()


def group_facts(
    session: Session, at: datetime, *, person_id: str, resource_id: str
) -> GroupFacts | None:
    """Return how the session that holds a machine now looks to a person; None: no session does."""
    found = _running(session, at, resource_id)
    if found is None:
        return None
    opened = _opening(session, found, resource_id) is not None
    enrolled = _has_place(session, found.id, person_id)
    # the day in UTC: nobody here knows the lab's zone, and a few hours on a birthday harm nobody
    minor = under_age(birth_of(session, person_id), found.start_at.date())
    return GroupFacts(
        animator=session.get(SessionAnimator, (found.id, person_id)) is not None,
        enrolled=enrolled,
        opened=opened,
        animator_here=enrolled and opened and _animator_here(session, at, found.id, resource_id),
        consent=_consented(session, found, person_id, minor=minor),
        minor=minor is True,
    )


def trainer_here(session: Session, at: datetime, *, person_id: str, resource_id: str) -> bool:
    """Say whether a trainer for a machine, somebody else than the person, is checked in."""
    others = here(session, at) - {person_id}
    return any(
        view.standing is Standing.VALID and view.level is Level.TRAINER
        for view in standings(session, resource_id, sorted(others), at).values()
    )


def claims_machine(session: Session, session_id: str, resource_id: str) -> bool:
    """Say whether a session has claimed a machine, or what it stands in. For services only."""
    query = (
        select(Claim.id)
        .join(SessionClaim, SessionClaim.claim_id == Claim.id)
        .join(Resource, Resource.id == Claim.resource_id)
        .where(
            SessionClaim.session_id == session_id,
            live_claim(),
            around(lookups.resource(session, resource_id)),
        )
    )
    return session.scalars(query).first() is not None


def _running(session: Session, at: datetime, resource_id: str) -> WorkshopSession | None:
    query = (
        select(WorkshopSession)
        .join(SessionClaim, SessionClaim.session_id == WorkshopSession.id)
        .join(Claim, Claim.id == SessionClaim.claim_id)
        .join(Resource, Resource.id == Claim.resource_id)
        .where(
            around(lookups.resource(session, resource_id)),
            live_claim(),
            WorkshopSession.cancelled_at.is_(None),
            WorkshopSession.start_at <= at,
            WorkshopSession.end_at > at,
        )
    )
    return session.scalars(query).first()


def _opening(session: Session, row: WorkshopSession, resource_id: str) -> SessionOpening | None:
    """Return what opened a machine during a session's present time; None: nobody did."""
    found = _unclosed(session, row.id, resource_id)
    return found if found is not None and found.opened_at >= row.start_at else None


def _unclosed(session: Session, session_id: str, resource_id: str) -> SessionOpening | None:
    query = select(SessionOpening).where(
        SessionOpening.session_id == session_id,
        SessionOpening.resource_id == resource_id,
        SessionOpening.closed_at.is_(None),
    )
    return session.scalars(query).first()


def _has_place(session: Session, session_id: str, person_id: str) -> bool:
    query = select(Enrolment.id).where(
        Enrolment.session_id == session_id,
        Enrolment.person_id == person_id,
        Enrolment.state == EnrolmentState.CONFIRMED.value,
    )
    return session.scalars(query).first() is not None


def _animator_here(session: Session, at: datetime, session_id: str, resource_id: str) -> bool:
    query = select(SessionAnimator.person_id).where(SessionAnimator.session_id == session_id)
    present = here(session, at) & set(session.scalars(query))
    return any(
        view.standing is Standing.VALID
        for view in standings(session, resource_id, sorted(present), at).values()
    )


def _consented(
    session: Session, found: WorkshopSession, person_id: str, *, minor: bool | None
) -> bool:
    if not workshop_row(session, found.workshop_id).consent_needed:
        return True
    return not consent_refusals(consents_of(session, person_id), minor=minor)
