"""Signing in with a login and a password: what is asked of the database, and what is not.

A hash takes a tenth of a second or more. It is made between two blocks of the database, so that
whoever guesses passwords holds up nobody who has something to write.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model import people as rules
from fabctl.model.tries import network_of
from fabctl.services import people, wrong_tries
from fabctl.services.passwords import password_fits
from fabctl.services.people import PersonView, TooManyFromHereError, refuse_while_locked
from fabctl.services.wrong_tries import BY_ADDRESS, BY_LOGIN, BY_NOBODYS_LOGIN
from fabctl.store.engine import Database
from fabctl.store.tables import Credential


def check_password(
    database: Database, clock: Clock, login: str, password: str, address: str | None = None
) -> PersonView | None:
    """Return who this is; None when the login or the password is wrong, both alike and as slow.

    Wrong tries are counted by login, and by the network address that they come from. Of many at
    the same time, those that end after a lock began are not answered.

    :param address: the browser's, IPv4 or IPv6; None: a test or a shell, and nothing is counted.
    :raises TooManyTriesError: this login is locked for a while; nothing was tried.
    :raises TooManyFromHereError: too many wrong ones came from this address, of any login.
    """
    login, here = rules.clean_login(login), network_of(address) if address else None
    with database.reading() as session:
        asked = _Asked.of(session, login, here)
        asked.refuse_while_locked(session, clock)
    fits = password_fits(password[: rules.PASSWORD_MAX], asked.password_hash)
    with database.transaction() as session:
        asked.refuse_while_locked(session, clock)
        now = _credential(session, login)
        if fits and now is not None and now.password_hash == asked.password_hash:
            asked.count_right(session)
            return people.get_person(session, now.person_id)
        asked.count_wrong(session, clock)
    return None


@dataclass(frozen=True, slots=True)
class _Asked:
    """One try: what it is held against, and where it is counted."""

    password_hash: str | None
    kind: str
    key: str
    here: str | None

    @classmethod
    def of(cls, session: Session, login: str, here: str | None) -> _Asked:
        found = _credential(session, login)
        kind = BY_LOGIN if found else BY_NOBODYS_LOGIN
        return cls(found.password_hash if found else None, kind, wrong_tries.login_key(login), here)

    def refuse_while_locked(self, session: Session, clock: Clock) -> None:
        if self.here is not None:
            refuse_while_locked(session, clock, BY_ADDRESS, self.here, TooManyFromHereError)
        refuse_while_locked(session, clock, self.kind, self.key)

    def count_wrong(self, session: Session, clock: Clock) -> None:
        wrong_tries.count_wrong(session, clock, self.kind, self.key)
        if self.here is not None:
            wrong_tries.count_wrong(session, clock, BY_ADDRESS, self.here)

    def count_right(self, session: Session) -> None:
        wrong_tries.count_right(session, self.kind, self.key)
        if self.here is not None:
            wrong_tries.count_right(session, BY_ADDRESS, self.here)


def _credential(session: Session, login: str) -> Credential | None:
    return session.scalars(select(Credential).where(Credential.login == login)).first()
