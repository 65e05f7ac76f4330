"""What the staff do with people, and people with their own profile: found, changed, suspended."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.i18n import languages
from fabctl.model import people as rules
from fabctl.model.people import Role
from fabctl.model.refusal import RefusedError
from fabctl.services import lookups, participants, people, unlocking
from fabctl.services.audit import audit, person_in
from fabctl.services.people import PersonView
from fabctl.services.people_records import PersonRecord, record, records
from fabctl.services.rights import locked_admins, require_reason, require_staff
from fabctl.services.sign_in_rights import require_rank

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
    return records(session, [added.id])[0]


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
    after = records(session, [person_id])[0]
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

    :raises RefusedError: staff-only, admin-only, own-role, last-admin.
    :raises UnknownIdError: there is no such person.
    """
    require_staff(session, by)
    row = lookups.person(session, person_id)
    before = Role(row.role)
    require_rank(session, by, role, before)
    if by == person_id:
        raise RefusedError([rules.own_role()])
    if before is Role.ADMIN and role is not Role.ADMIN:
        _require_an_admin_left(session, person_id, by)
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
    return records(session, [person_id])[0]


def unlock(session: Session, clock: Clock, *, person_id: str, by: str) -> PersonRecord:
    """Let somebody try their password again after too many wrong ones.

    :raises RefusedError: staff-only, login-missing.
    :raises UnknownIdError: there is no such person.
    """
    require_staff(session, by)
    lookups.person(session, person_id)
    found = records(session, [person_id])[0]
    if found.login is None:
        raise RefusedError([rules.login_missing()])
    unlocking.unlock_login(session, clock, login=found.login, by=by)
    return found


def _require_an_admin_left(session: Session, person_id: str, by: str) -> None:
    """Do nothing where an admin stays: whoever asks, unless they are no admin any more."""
    admins = locked_admins(session)
    if person_in(by) is not None and by not in admins:  # two who do it to each other
        raise RefusedError([rules.admin_only()])
    if admins == [person_id]:
        raise RefusedError([rules.last_admin()])


def _check_language(language: str | None) -> None:
    if language is not None and language not in languages():
        raise RefusedError([rules.language_unknown()])
