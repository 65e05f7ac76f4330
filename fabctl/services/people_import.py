"""Adding a whole list of people: everybody in it, or nobody."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.consent import local_day
from fabctl.model.people import login_taken
from fabctl.model.people_list import (
    BadRow,
    PeopleList,
    PersonRow,
    already_in_the_lab,
    name_key,
    read_people,
)
from fabctl.model.refusal import Refusal
from fabctl.services.audit import audit
from fabctl.services.passwords import TOKEN_BYTES, hash_password
from fabctl.services.rights import require_staff
from fabctl.store.ids import new_id
from fabctl.store.tables import Account, Audit, Credential, Person


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a list."""

    added: int
    bad: tuple[BadRow, ...]
    """In the order of their lines."""
    encoding: str
    unknown_columns: tuple[str, ...]
    unreadable: BadRow | None


def import_people(
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    content: bytes,
    skip_bad: bool = False,
    by: str | None,
) -> Imported:
    """Add everybody in a CSV file (see :mod:`fabctl.model.people_list`), or nobody.

    Whoever has a login in it can sign in once somebody gives them a password
    (:func:`fabctl.services.people.set_password`); until then no password fits.

    :param skip_bad: add the good rows although there are bad ones.
    :raises RefusedError: staff-only.
    """
    require_staff(session, by)
    found = read_people(content, local_day(clock.now(), zone))
    good, known = _against_the_lab(session, found)
    bad = tuple(sorted((*found.bad, *known), key=lambda row: row.line))
    adding = good if found.unreadable is None and (skip_bad or not bad) else []
    if adding:
        _add(session, clock, adding, by)
        details = {"added": len(adding), "skipped": len(bad)}
        audit(session, clock, by, "people.imported", "people:list", details)
        session.flush()
    return Imported(len(adding), bad, found.encoding, found.unknown_columns, found.unreadable)


def _against_the_lab(
    session: Session, found: PeopleList
) -> tuple[Sequence[PersonRow], Sequence[BadRow]]:
    """Return the rows of people whom the lab does not know, and the others, refused."""
    query = select(Person.display_name, Person.birth_year, Credential.login).outerjoin(
        Credential, (Credential.person_id == Person.id) & (Credential.kind == "password")
    )
    logins: set[str] = set()
    everybody: set[tuple[str, int | None]] = set()
    nameless: set[tuple[str, int | None]] = set()
    for name, birth_year, login in session.execute(query):
        who = (name_key(name), birth_year)
        everybody.add(who)
        if login is None:
            nameless.add(who)
        else:
            logins.add(login)
    good, known = [], []
    for row in found.rows:
        refusals: list[Refusal] = [login_taken()] if row.login in logins else []
        if row.who in (nameless if row.login else everybody):
            refusals.append(already_in_the_lab())
        if refusals:
            known.append(BadRow(row.line, tuple(refusals)))
        else:
            good.append(row)
    return good, known


def _add(session: Session, clock: Clock, rows: Iterable[PersonRow], by: str | None) -> None:
    """Insert everybody, a few statements for thousands of rows."""
    now = clock.now()
    nobody_knows = hash_password(secrets.token_urlsafe(TOKEN_BYTES))
    people, accounts, credentials, lines = [], [], [], []
    for row in rows:
        who = new_id()
        people.append(
            {
                "id": who,
                "display_name": row.name,
                "role": row.role.value,
                "language": row.language,
                "birth_year": row.birth_year,
                "created_at": now,
            }
        )
        accounts.append({"id": new_id(), "person_id": who, "name": row.name, "created_at": now})
        if row.login:
            credentials.append(
                {
                    "id": new_id(),
                    "person_id": who,
                    "kind": "password",
                    "login": row.login,
                    "password_hash": nobody_knows,
                    "changed_at": now,
                }
            )
        details = {"role": row.role.value, "imported": True}
        line = {"at": now, "who": by, "what": "person.added", "subject": f"person:{who}"}
        lines.append(line | {"details": details})
    for table, values in (
        (Person, people),
        (Account, accounts),
        (Credential, credentials),
        (Audit, lines),
    ):
        if values:
            session.execute(insert(table), values)
