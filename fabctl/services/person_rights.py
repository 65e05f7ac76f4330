"""Rights of single persons: given and taken by the staff; every change is an audit line."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.model.booking_policy import WHOLE_LAB, Reach, Scope
from fabctl.model.person_rights import HeldRight, PersonRight
from fabctl.services import lookups
from fabctl.services.audit import audit
from fabctl.services.rights import is_staff, require_staff
from fabctl.store.tables_accounts import GivenRight


def give(  # to whom, what, where, until when
    session: Session,
    clock: Clock,
    *,
    person_id: str,
    right: PersonRight,
    scope: Scope = WHOLE_LAB,
    until: datetime | None = None,
    by: str | None,
) -> None:
    """Give a person a right, or another end to one that they hold in this scope.

    :raises RefusedError: staff-only.
    :raises UnknownIdError: no such person or resource.
    """
    require_staff(session, by)
    lookups.person(session, person_id)
    if scope.reach is Reach.RESOURCE:
        lookups.resource(session, scope.subject)
    row = session.get(GivenRight, _key(person_id, right, scope), with_for_update=True)
    if row is None:
        row = GivenRight(
            person_id=person_id,
            name=right.value,
            reach=scope.reach.value,
            subject=scope.subject,
            given_at=clock.now(),
        )
        session.add(row)
    row.until = until
    session.flush()
    details = {**_said(right, scope), "until": until.isoformat() if until else None}
    audit(session, clock, by, "right.given", f"person:{person_id}", details)


def take(
    session: Session,
    clock: Clock,
    *,
    person_id: str,
    right: PersonRight,
    scope: Scope = WHOLE_LAB,
    by: str | None,
) -> None:
    """Take a right back; doing it again changes nothing. :raises RefusedError: staff-only."""
    require_staff(session, by)
    row = session.get(GivenRight, _key(person_id, right, scope), with_for_update=True)
    if row is not None:
        session.delete(row)
        session.flush()
        audit(session, clock, by, "right.taken", f"person:{person_id}", _said(right, scope))


def held_by(session: Session, *, person_id: str) -> list[HeldRight]:
    """Return the rights that a person was given, those that have ended too."""
    query = select(GivenRight).where(GivenRight.person_id == person_id)
    query = query.order_by(GivenRight.name, GivenRight.reach, GivenRight.subject)
    return [
        HeldRight(PersonRight(row.name), Scope(Reach(row.reach), row.subject), row.until)
        for row in session.scalars(query)
    ]


def shown_to(session: Session, *, person_id: str, by: str | None) -> list[HeldRight]:
    """Return a person's rights, for themselves and the staff.

    :raises UnknownIdError: no such person, or not theirs to see.
    """
    if by != person_id and not is_staff(session, by):
        raise UnknownIdError(f"there is no person {person_id!r}")
    return held_by(session, person_id=lookups.person(session, person_id).id)


def _key(person_id: str, right: PersonRight, scope: Scope) -> tuple[str, str, str, str]:
    return (person_id, right.value, scope.reach.value, scope.subject)


def _said(right: PersonRight, scope: Scope) -> dict[str, object]:
    return {"right": right.value, "reach": scope.reach.value, "subject": scope.subject}
