"""What the staff do with people, and people with their own profile: found, changed, suspended."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.i18n import languages
from fabctl.model import people as rules
from fabctl.model.people import Role
from fabctl.model.refusal import RefusedError
from fabctl.services import lookups, participants, people
from fabctl.services.audit import audit
from fabctl.services.people import PersonView
from fabctl.services.rights import is_staff, require_reason, require_staff, role_of
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
        return searched(self.display_name), self.id


def searched(written: str) -> str:
    """Return a text as it is searched and ordered: no accents, no capitals."""
    apart = unicodedata.normalize("NFKD", written.casefold())
    return "".join(one for one in apart if not unicodedata.combining(one))


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
    wanted = searched(words).split()
    query = select(Person.id, Person.display_name, Credential.login).outerjoin(
        Credential, (Credential.person_id == Person.id) & (Credential.kind == "password")
    )
    if role is not None:
        query = query.where(Person.role == role.value)
    found = []
    for person_id, name, login in session.execute(query):
        key = (searched(name), person_id)
        text = f"{key[0]} {login or ''}"
        if (after is None or key > after) and all(word in text for word in wanted):
            found.append(key)
    return _records(session, [person_id for _, person_id in sorted(found)[:limit]])


def record(session: Session, *, person_id: str, by: str) -> PersonRecord:
    """Return one person: oneself, and for everybody but members any.

    :raises UnknownIdError: there is none, or not for them to see.
    """
    if by != person_id and role_of(session, by) is Role.MEMBER:
        raise UnknownIdError(f"there is no person {person_id!r} for them to see")
    lookups.person(session, person_id)
    return _records(session, [person_id])[0]


def sees_all(session: Session, *, person_id: str, by: str) -> bool:
    """Say whether somebody sees more of a person than their name and role."""
    return by == person_id or is_staff(session, by)


def _records(session: Session, ids: Sequence[str]) -> list[PersonRecord]:
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


# -- changing --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Somebody whom the staff add. A login comes with a password."""

    name: str
    role: Role = Role.MEMBER
    birth_year: int | None = None
    language: str | None = None
    login: str | None = None
    password: str | None = None


def add(
    session: Session, clock: Clock, zone: ZoneInfo, *, wanted: NewPerson, by: str
) -> PersonRecord:
    """Add a person.

    :raises RefusedError: staff-only, admin-only (for staff and admins), what is wrong with the
        name, the login and the password; birth-impossible; language-unknown.
    :raises InputError: a login without a password, or a password without a login.
    """
    require_staff(session, by)
    require_rank(session, by, wanted.role)
    _check_language(wanted.language)
    added = people.add_person(
        session,
        clock,
        display_name=wanted.name,
        login=wanted.login,
        password=wanted.password,
        role=wanted.role,
        language=wanted.language,
        by=by,
    )
    if wanted.birth_year is not None:
        participants.set_birth(
            session, clock, zone, person_id=added.id, year=wanted.birth_year, by=by
        )
    return _records(session, [added.id])[0]


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be another; None stays as it is."""

    name: str | None = None
    language: str | None = None
    birth_year: int | None = None


def change(
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    person_id: str,
    change: Change,
    by: str,
) -> PersonRecord:
    """Change a person's name, language or year of birth: the staff, and people themselves.

    A person's own year of birth is the staff's to change: minimum ages hang on it.

    :raises RefusedError: staff-only, what is wrong with the name, birth-impossible,
        language-unknown.
    :raises UnknownIdError: there is none, or not for them to see.
    """
    before = record(session, person_id=person_id, by=by)
    if by != person_id or change.birth_year is not None:
        require_staff(session, by)
    _check_language(change.language)
    name = rules.clean_name(before.display_name if change.name is None else change.name)
    if refusals := rules.name_refusals(name):
        raise RefusedError(refusals)
    row = lookups.person(session, person_id)
    row.display_name = lookups.own_account(session, person_id).name = name
    row.language = change.language or row.language
    if change.birth_year is not None:
        participants.set_birth(
            session, clock, zone, person_id=person_id, year=change.birth_year, by=by
        )
    session.flush()
    after = _records(session, [person_id])[0]
    changed = {
        "name": after.display_name != before.display_name,
        "language": after.language != before.language,
        "birth_year": after.birth_year != before.birth_year,
    }
    fields = [name for name, other in changed.items() if other]
    audit(session, clock, by, "person.changed", f"person:{person_id}", {"fields": fields})
    return after


def set_role(session: Session, clock: Clock, *, person_id: str, role: Role, by: str) -> PersonView:
    """Give a person another role; who is staff or admin is the admins' to say.

    :raises RefusedError: staff-only, admin-only, own-role.
    :raises UnknownIdError: there is no such person.
    """
    require_staff(session, by)
    row = lookups.person(session, person_id)
    before = Role(row.role)
    require_rank(session, by, role, before)
    if by == person_id:
        raise RefusedError([rules.own_role()])
    row.role = role.value
    session.flush()
    details = {"before": before.value, "after": role.value}
    audit(session, clock, by, "person.role-changed", f"person:{person_id}", details)
    return people.get_person(session, person_id)


def suspend(
    session: Session, clock: Clock, *, person_id: str, reason: str, by: str
) -> PersonRecord:
    """Suspend a person's own account: they book and start nothing until it is in order again.

    :raises RefusedError: staff-only, admin-only, own-role (nobody suspends themselves).
    :raises InputError: no reason was given.
    :raises UnknownIdError: there is no such person.
    """
    said = require_reason(reason)
    return _set_suspended(session, clock, person_id, said, by)


def reinstate(session: Session, clock: Clock, *, person_id: str, by: str) -> PersonRecord:
    """Put a person's own account in order again.

    :raises RefusedError: staff-only, admin-only, own-role.
    :raises UnknownIdError: there is no such person.
    """
    return _set_suspended(session, clock, person_id, None, by)


def _set_suspended(
    session: Session, clock: Clock, person_id: str, reason: str | None, by: str
) -> PersonRecord:
    require_staff(session, by)
    require_rank(session, by, Role(lookups.person(session, person_id).role))
    if by == person_id:
        raise RefusedError([rules.own_role()])
    people.set_suspended(session, clock, person_id=person_id, reason=reason, by=by)
    session.flush()
    return _records(session, [person_id])[0]


def unlock(session: Session, clock: Clock, *, person_id: str, by: str) -> PersonRecord:
    """Let somebody try their password again after too many wrong ones.

    :raises RefusedError: staff-only, login-missing.
    :raises UnknownIdError: there is no such person.
    """
    require_staff(session, by)
    lookups.person(session, person_id)
    found = _records(session, [person_id])[0]
    if found.login is None:
        raise RefusedError([rules.login_missing()])
    people.unlock_login(session, clock, login=found.login, by=by)
    return found


def require_rank(session: Session, by: str, *roles: Role) -> None:
    """Do nothing where nobody of the staff is concerned, and for admins."""
    if {Role.STAFF, Role.ADMIN} & set(roles) and role_of(session, by) is not Role.ADMIN:
        raise RefusedError([rules.admin_only()])


def _check_language(language: str | None) -> None:
    if language is not None and language not in languages():
        raise RefusedError([rules.language_unknown()])
