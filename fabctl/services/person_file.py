"""What the staff's page of one person needs beside their record, and the list of people to save."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.certification import Change
from fabctl.model.people import Role
from fabctl.services import people, people_records
from fabctl.services.audit import audit
from fabctl.services.people_records import Key, PersonRecord
from fabctl.services.rights import require_staff
from fabctl.store.tables import Certification, Person
from fabctl.store.tables_workshops import Guardianship

AT_ONCE = 500
DRAWN_FROM = "abcdefghjkmnpqrstuvwxyz23456789"
"""None that is mistaken for another when it is read out or copied from paper."""
DRAWN = 12
"""59 bits: 12 of 31 signs."""


@dataclass(frozen=True, slots=True)
class Kin:
    """Somebody's guardian, or their child."""

    id: str
    name: str


def guardians(session: Session, *, person_id: str, by: str) -> list[Kin]:
    """Return who signs for somebody. :raises RefusedError: staff-only."""
    require_staff(session, by)
    query = (
        select(Person.id, Person.display_name)
        .join(Guardianship, Guardianship.guardian_id == Person.id)
        .where(Guardianship.child_id == person_id)
    )
    return [Kin(*row) for row in session.execute(query.order_by(Guardianship.since, Person.id))]


def children(session: Session, *, person_id: str, by: str) -> list[Kin]:
    """Return for whom somebody was noted as a guardian. :raises RefusedError: staff-only."""
    require_staff(session, by)
    query = (
        select(Person.id, Person.display_name)
        .join(Guardianship, Guardianship.child_id == Person.id)
        .where(Guardianship.guardian_id == person_id)
    )
    return [Kin(*row) for row in session.execute(query.order_by(Guardianship.since, Person.id))]


def suspension_reasons(session: Session, *, person_id: str, by: str) -> dict[str, str]:
    """Return why somebody's certifications were suspended last, by machine; for the staff.

    :raises RefusedError: staff-only.
    """
    require_staff(session, by)
    query = (
        select(Certification.resource_id, Certification.reason)
        .where(
            Certification.person_id == person_id,
            Certification.change == Change.SUSPENDED.value,
            Certification.reason.is_not(None),
        )
        .order_by(Certification.id)
    )
    return {resource: reason for resource, reason in session.execute(query) if reason}


def for_a_table(
    session: Session, clock: Clock, *, words: str = "", role: Role | None = None, by: str
) -> list[PersonRecord]:
    """Return everybody who is searched for, to be saved as a table; that it was is on record.

    :raises RefusedError: staff-only.
    """
    require_staff(session, by)
    found: list[PersonRecord] = []
    after: Key | None = None
    while True:
        part = people_records.find_people(
            session, by=by, words=words, role=role, after=after, limit=AT_ONCE
        )
        found += part
        if len(part) < AT_ONCE:
            break
        after = part[-1].key
    audit(session, clock, by, "people.exported", "people:list", {"people": len(found)})
    return found


def new_pin(session: Session, clock: Clock, *, person_id: str, secret: bytes, by: str) -> str:
    """Draw a PIN for somebody and return it, to be told once.

    :raises RefusedError: staff-only; admin-only, for a PIN of the staff and of admins.
    :raises UnknownIdError: no such person.
    """
    require_staff(session, by)
    return people.draw_pin(session, clock, person_id=person_id, secret=secret, by=by)


def new_password(
    session: Session, clock: Clock, *, person_id: str, login: str | None = None, by: str
) -> str:
    """Give somebody a password that was drawn, and return it, to be told once.

    It signs them out everywhere.

    :param login: needed where they have none.
    :raises RefusedError: staff-only; admin-only, for the staff and admins; what is wrong with
        the login, login-missing.
    :raises UnknownIdError: no such person.
    """
    require_staff(session, by)
    drawn = "".join(secrets.choice(DRAWN_FROM) for _ in range(DRAWN))
    people.set_password(session, clock, person_id=person_id, password=drawn, login=login, by=by)
    return drawn
