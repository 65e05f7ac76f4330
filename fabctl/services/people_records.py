"""People as they are listed, searched and shown: who sees whom, and how much of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from fabctl.errors import UnknownIdError
from fabctl.model import people as rules
from fabctl.model.people import Role
from fabctl.services import lookups
from fabctl.services.rights import is_staff, require_staff, role_of
from fabctl.store.tables import Account, Credential, Person

Key = tuple[str, str]
"""What orders people in a list: the name as it is searched, and the id."""


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """A person as the staff see them, and they themselves."""

    id: str
    display_name: str
    role: Role
    language: str | None
    birth_year: int | None
    login: str | None
    has_pin: bool
    suspended_at: datetime | None
    suspended_reason: str | None
    created_at: datetime

    @property
    def key(self) -> Key:
        """Its place in a list."""
        return rules.search_name(self.display_name), self.id


def find_people(
    session: Session,
    *,
    by: str,
    words: str = "",
    role: Role | None = None,
    after: Key | None = None,
    limit: int = 50,
) -> list[PersonRecord]:
    """Return people in the order of their names: those whose name or login holds every word.

    Trainers and animators find people too, to certify and to enrol them.

    :param after: the last one that was shown already.
    :raises RefusedError: staff-only.
    """
    if role_of(session, by) is Role.MEMBER:
        require_staff(session, by)
    query = select(Person.id).outerjoin(
        Credential, (Credential.person_id == Person.id) & (Credential.kind == "password")
    )
    for word in rules.search_name(words).split():
        named = Person.search_name.contains(word, autoescape=True)
        query = query.where(named | Credential.login.contains(word, autoescape=True))
    if role is not None:
        query = query.where(Person.role == role.value)
    if after is not None:
        name, last = after
        same = (Person.search_name == name) & (Person.id > last)
        query = query.where((Person.search_name > name) | same)
    query = query.order_by(Person.search_name, Person.id).limit(limit)
    return records(session, session.scalars(query).all())


def record(session: Session, *, person_id: str, by: str) -> PersonRecord:
    """Return one person: oneself, and for everybody but members any.

    :raises UnknownIdError: there is none, or not for them to see.
    """
    if by != person_id and role_of(session, by) is Role.MEMBER:
        raise UnknownIdError(f"there is no person {person_id!r} for them to see")
    lookups.person(session, person_id)
    return records(session, [person_id])[0]


def sees_all(session: Session, *, person_id: str, by: str) -> bool:
    """Say whether somebody sees more of a person than their name and role."""
    return by == person_id or is_staff(session, by)


def records(session: Session, ids: Sequence[str]) -> list[PersonRecord]:
    """Return people by their ids, in that order. For services only."""
    password, pin = aliased(Credential), aliased(Credential)
    query = (
        select(Person, Account, password.login, pin.id)
        .join(Account, Account.person_id == Person.id)
        .outerjoin(password, (password.person_id == Person.id) & (password.kind == "password"))
        .outerjoin(pin, (pin.person_id == Person.id) & (pin.kind == "pin"))
        .where(Person.id.in_(ids))
    )
    found = {
        row.id: PersonRecord(
            id=row.id,
            display_name=row.display_name,
            role=Role(row.role),
            language=row.language,
            birth_year=row.birth_year,
            login=login,
            has_pin=pin_id is not None,
            suspended_at=account.suspended_at,
            suspended_reason=account.suspended_reason,
            created_at=row.created_at,
        )
        for row, account, login, pin_id in session.execute(query)
    }
    return [found[one] for one in ids]
