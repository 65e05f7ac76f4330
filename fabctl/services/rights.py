"""Who may do what for others: asked by the services of training and workshops."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import InputError, UnknownIdError
from fabctl.model.certification import Level
from fabctl.model.people import Role
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.texts import text
from fabctl.model.training import TrainerFacts, trainer_refusals
from fabctl.services import lookups
from fabctl.services.audit import person_in
from fabctl.services.births import has_guardians
from fabctl.services.certifications import held
from fabctl.store.tables import Certification, Person
from fabctl.store.tables_workshops import Guardianship, SessionAnimator

_STAFF = frozenset({Role.STAFF, Role.ADMIN})

_STAFF_ONLY = Refusal(
    "staff-only",
    text("Only the staff may do this."),
    text("Ask the staff."),
)
_SESSION_STAFF_ONLY = Refusal(
    "session-staff-only",
    text("Only those who lead this session and the staff may do this."),
    text("Ask somebody who leads the session."),
)


def is_staff(session: Session, by: str | None) -> bool:
    """Say whether somebody is of the staff; a command in a shell is, nobody (None) is not.

    :raises UnknownIdError: no such person.
    """
    return by is not None and role_of(session, by) in _STAFF


def role_of(session: Session, by: str) -> Role:
    """Return in which role somebody acts; whoever has the server's shell is its administrator."""
    person = person_in(by)
    return Role.ADMIN if person is None else Role(lookups.person(session, person).role)


def locked_admins(session: Session) -> list[str]:
    """Return the admins' ids; nobody else changes who is one before this transaction ends.

    Asked again whenever one of them goes: of two who remove each other, one stays.
    """
    query = select(Person.id).where(Person.role == Role.ADMIN.value).order_by(Person.id)
    return list(session.scalars(query.with_for_update()))


def runs_workshops(session: Session, by: str | None) -> bool:
    """Say whether somebody puts workshops on: staff and animators."""
    return by is not None and role_of(session, by).acts_for_others


def require_staff(session: Session, by: str | None) -> None:
    """Do nothing for the staff. :raises RefusedError: staff-only."""
    if not is_staff(session, by):
        raise RefusedError([_STAFF_ONLY])


def require_workshop_staff(session: Session, by: str | None) -> None:
    """Do nothing for staff and animators. :raises RefusedError: staff-only."""
    if not runs_workshops(session, by):
        raise RefusedError([_STAFF_ONLY])


def leads(session: Session, session_id: str, by: str | None) -> bool:
    """Say whether somebody leads a session, or is of the staff."""
    if is_staff(session, by):
        return True
    return session.get(SessionAnimator, (session_id, by)) is not None


def require_lead(session: Session, session_id: str, by: str | None) -> None:
    """Do nothing for those who lead a session. :raises RefusedError: session-staff-only."""
    if not leads(session, session_id, by):
        raise RefusedError([_SESSION_STAFF_ONLY])


def is_guardian(session: Session, clock: Clock, guardian_id: str | None, child_id: str) -> bool:
    """Say whether somebody enrols and signs for a child: up to its 18th birthday, and for ever
    where nobody knows the birth (see :func:`fabctl.services.births.has_guardians`).
    """
    known = session.get(Guardianship, (guardian_id, child_id)) is not None
    return known and has_guardians(session, clock, child_id)


def trainer_on(session: Session, at: datetime, person_id: str, machines: Iterable[str]) -> set[str]:
    """Return the machines on which somebody may certify others at a moment."""
    found = held(session, [person_id], machines, at)
    return {machine for (_, machine), view in found.items() if view.trains}


def certifying_refusals(
    session: Session,
    clock: Clock,
    *,
    by: str | None,
    person_id: str,
    machines: Iterable[str],
    granting: bool = True,
    level: Level | None = None,
) -> list[Refusal]:
    """Say why somebody may not certify (or suspend) a person on these machines.

    :param level: what the person would hold then; only the staff makes trainers.
    """
    asked, trainer = frozenset(machines), person_in(by)
    on = trainer_on(session, clock.now(), trainer, asked) if trainer else set()
    facts = TrainerFacts(
        staff=is_staff(session, by),
        trainer_on=frozenset(on),
        machines=asked,
        themselves=trainer == person_id,
        granting=granting,
        level=level,
    )
    return trainer_refusals(facts)


def sees_training(session: Session, clock: Clock, *, person_id: str, by: str) -> bool:
    """Say whether somebody may see what a person is certified on and where they stand.

    That is the person, a guardian, staff and animators, and everybody who trains on a machine.
    """
    if by == person_id or is_guardian(session, clock, by, person_id) or runs_workshops(session, by):
        return True
    trains = select(Certification.resource_id).where(
        Certification.person_id == by, Certification.level == Level.TRAINER.value
    )
    return bool(trainer_on(session, clock.now(), by, set(session.scalars(trains))))


def require_sees_training(session: Session, clock: Clock, *, person_id: str, by: str) -> None:
    """Do nothing for those who may see it. :raises UnknownIdError: it is not theirs to see."""
    lookups.person(session, person_id)
    if not sees_training(session, clock, person_id=person_id, by=by):
        raise UnknownIdError(f"there is no person {person_id!r} whom they train")


def require_reason(reason: str | None) -> str:
    """Return a reason without blanks around it. :raises InputError: there is none."""
    if reason is None or not reason.strip():
        raise InputError("this is done with a reason")
    return reason.strip()


def children_of(session: Session, clock: Clock, guardian_id: str) -> list[str]:
    """Return the ids of those for whom somebody signs today: none who is of age."""
    query = select(Guardianship.child_id).where(Guardianship.guardian_id == guardian_id)
    found = session.scalars(query.order_by(Guardianship.since, Guardianship.child_id)).all()
    return [child_id for child_id in found if has_guardians(session, clock, child_id)]
