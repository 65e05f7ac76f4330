"""People, and how they prove who they are."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import FabError, InputError, LocalError
from fabctl.model import people as rules
from fabctl.model.people import Role
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.services import lookups, wrong_tries
from fabctl.services.audit import audit
from fabctl.services.passwords import hash_password, hash_pin
from fabctl.services.sign_in_ends import SignInKind, end_sign_ins
from fabctl.services.sign_in_rights import require_may_sign_in_as
from fabctl.store.ids import new_id
from fabctl.store.tables import Account, Credential, Person


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person as the rest of the program sees them."""

    id: str
    display_name: str
    role: Role
    language: str | None
    """Their own choice; None: the lab's."""
    login: str | None = None
    has_pin: bool = False
    suspended: bool = False


class TooManyTriesError(FabError):
    """Too many wrong PINs or passwords: nothing is tried before ``locked_until``."""

    def __init__(self, locked_until: datetime, wait_s: int) -> None:
        super().__init__(
            "too many wrong tries",
            limit=f"wait {wait_s} s",
            next_step="ask the staff if you have forgotten it",
        )
        self.locked_until = locked_until
        self.wait_s = wait_s


def add_person(  # noqa: PLR0913  # all but the name may be left out
    session: Session,
    clock: Clock,
    *,
    display_name: str,
    login: str | None = None,
    password: str | None = None,
    pin: str | None = None,
    role: str = "member",
    birth_year: int | None = None,
    by: str | None = None,
    language: str | None = None,
    secret: bytes | None = None,
) -> PersonView:
    """Add a person with an account of their own.

    :param pin: needs ``secret``, the lab's (``secret.key``).
    :raises RefusedError: every reason against the name, the login, the password and the PIN.
    """
    row = Person(
        id=new_id(),
        display_name=rules.clean_name(display_name),
        role=Role(role).value,
        language=language,
        birth_year=birth_year,
        created_at=clock.now(),
    )
    _refuse_if(rules.name_refusals(row.display_name), _credential_refusals(login, password, pin))
    session.add(row)
    session.flush()
    session.add(
        Account(id=new_id(), person_id=row.id, name=row.display_name, created_at=clock.now())
    )
    audit(session, clock, by, "person.added", f"person:{row.id}", {"role": row.role})
    if login is not None and password is not None:
        _write_password(session, clock, row.id, password, login, by)
    if pin is not None:
        _write_pin(session, clock, row.id, pin, _needed(secret), by)
    return get_person(session, row.id)


def _needed(secret: bytes | None) -> bytes:
    if secret is None:
        raise LocalError("a PIN needs the lab's secret")
    return secret


def _refuse_if(*found: Sequence[Refusal]) -> None:
    if refusals := [refusal for group in found for refusal in group]:
        raise RefusedError(refusals)


def _credential_refusals(login: str | None, password: str | None, pin: str | None) -> list[Refusal]:
    if (login is None) != (password is None):
        raise InputError("a login and a password go together")
    return [
        *(rules.login_refusals(rules.clean_login(login)) if login is not None else []),
        *(rules.password_refusals(password) if password is not None else []),
        *(rules.pin_refusals(pin) if pin is not None else []),
    ]


def get_person(session: Session, person_id: str) -> PersonView:
    """Return one person.

    :raises UnknownIdError: there is none.
    """
    return _view(session, lookups.person(session, person_id))


def list_people(session: Session) -> list[PersonView]:
    """Return everybody, by name."""
    rows = session.scalars(select(Person).order_by(Person.display_name, Person.id)).all()
    return [_view(session, row) for row in rows]


def find_by_login(session: Session, login: str) -> PersonView | None:
    """Return who has this login."""
    found = _password_of(session, login)
    return get_person(session, found.person_id) if found else None


def set_password(
    session: Session,
    clock: Clock,
    *,
    person_id: str,
    password: str,
    login: str | None = None,
    by: str | None,
) -> None:
    """Give a person a login and a password, or a new password for the login they have.

    It signs them out everywhere: whoever knew the old one is out.

    :raises RefusedError: staff-only, admin-only (see :mod:`fabctl.services.sign_in_rights`);
        login-malformed, login-taken, password-length, login-missing.
    :raises UnknownIdError: there is no such person.
    """
    require_may_sign_in_as(session, person_id, by)
    _write_password(session, clock, person_id, password, login, by)


def _write_password(  # whose, what, for which login, and who says so
    session: Session,
    clock: Clock,
    person_id: str,
    password: str,
    login: str | None,
    by: str | None,
) -> None:
    row = _credential(session, person_id, "password")
    wanted = rules.clean_login(login) if login is not None else row.login if row else None
    if wanted is None:
        raise RefusedError([rules.login_missing()])
    taken = _password_of(session, wanted)
    _refuse_if(
        rules.login_refusals(wanted),
        rules.password_refusals(password),
        [rules.login_taken()] if taken and taken.person_id != person_id else [],
    )
    row = row or _added(session, person_id, "password")
    row.login, row.password_hash = wanted, hash_password(password)
    row.changed_at = clock.now()
    wrong_tries.reset(session, wrong_tries.login_key(wanted), *wrong_tries.OF_LOGINS)
    end_sign_ins(session, person_id)
    audit(session, clock, by, "password.set", f"person:{person_id}")
    session.flush()


def set_pin(
    session: Session,
    clock: Clock,
    *,
    person_id: str,
    pin: str,
    secret: bytes,
    by: str | None,
) -> None:
    """Give a person a PIN that nobody else has; it signs them out of the shared screens.

    :raises RefusedError: staff-only, admin-only (see :mod:`fabctl.services.sign_in_rights`);
        pin-malformed, pin-not-possible (too plain, or taken: both sound alike).
    :raises UnknownIdError: there is no such person.
    """
    require_may_sign_in_as(session, person_id, by)
    _write_pin(session, clock, person_id, pin, secret, by)


def _write_pin(  # whose, what, and who says so
    session: Session, clock: Clock, person_id: str, pin: str, secret: bytes, by: str | None
) -> None:
    hashed = hash_pin(secret, pin)
    taken = session.scalars(select(Credential).where(Credential.pin_hash == hashed)).first()
    _refuse_if(
        rules.pin_refusals(pin)
        or ([rules.pin_not_possible()] if taken and taken.person_id != person_id else [])
    )
    row = _credential(session, person_id, "pin") or _added(session, person_id, "pin")
    row.pin_hash, row.changed_at = hashed, clock.now()
    end_sign_ins(session, person_id, SignInKind.KIOSK)
    audit(session, clock, by, "pin.set", f"person:{person_id}")
    session.flush()


def draw_pin(
    session: Session, clock: Clock, *, person_id: str, secret: bytes, by: str | None
) -> str:
    """Give a person a random PIN that nobody has, and return it to be told once.

    :raises RefusedError: staff-only, admin-only (see :mod:`fabctl.services.sign_in_rights`).
    :raises UnknownIdError: there is no such person.
    """
    require_may_sign_in_as(session, person_id, by)
    while True:
        pin = f"{secrets.randbelow(10**rules.PIN_DIGITS):0{rules.PIN_DIGITS}}"
        taken = select(Credential.id).where(Credential.pin_hash == hash_pin(secret, pin))
        if not rules.pin_refusals(pin) and session.scalars(taken).first() is None:
            _write_pin(session, clock, person_id, pin, secret, by)
            return pin


def check_pin(
    session: Session, clock: Clock, secret: bytes, pin: str, device: str
) -> PersonView | None:
    """Return whose PIN this is, None when it is nobody's. Wrong tries are counted by device.

    :param device: what names the screen: its kiosk id or its IP address.
    :raises TooManyTriesError: this device is locked for a while; nothing was tried.
    """
    refuse_while_locked(session, clock, "pin", device)
    hashed = hash_pin(secret, pin)
    found = session.scalars(select(Credential).where(Credential.pin_hash == hashed)).first()
    if found is None:
        wrong_tries.count_wrong(session, clock, "pin", device)
        return None
    wrong_tries.count_right(session, "pin", device)
    return get_person(session, found.person_id)


def set_suspended(
    session: Session, clock: Clock, *, person_id: str, reason: str | None, by: str | None
) -> None:
    """Suspend a person's own account with a reason; None puts it in order again."""
    account = lookups.own_account(session, lookups.person(session, person_id).id)
    account.suspended_at = clock.now() if reason else None
    account.suspended_reason = reason
    what = "account.suspended" if reason else "account.restored"
    audit(session, clock, by, what, f"account:{account.id}", {"reason": reason})


class TooManyFromHereError(TooManyTriesError):
    """Too many wrong tries came from one network address, whatever was typed there."""


def refuse_while_locked(
    session: Session,
    clock: Clock,
    kind: str,
    subject: str,
    error: type[TooManyTriesError] = TooManyTriesError,
) -> None:
    """Do nothing unless too many were wrong. :raises TooManyTriesError: it is locked now."""
    until = wrong_tries.locked_until(session, clock, kind, subject)
    if until is not None:
        raise error(until, wrong_tries.wait_s(session, clock, kind, subject))


def _credential(session: Session, person_id: str, kind: str) -> Credential | None:
    return session.scalars(
        select(Credential).where(Credential.person_id == person_id, Credential.kind == kind)
    ).first()


def _password_of(session: Session, login: str) -> Credential | None:
    cleaned = rules.clean_login(login)
    return session.scalars(select(Credential).where(Credential.login == cleaned)).first()


def _added(session: Session, person_id: str, kind: str) -> Credential:
    row = Credential(id=new_id(), person_id=person_id, kind=kind)
    session.add(row)
    return row


def _view(session: Session, row: Person) -> PersonView:
    password = _credential(session, row.id, "password")
    return PersonView(
        id=row.id,
        display_name=row.display_name,
        role=Role(row.role),
        language=row.language,
        login=password.login if password else None,
        has_pin=_credential(session, row.id, "pin") is not None,
        suspended=lookups.own_account(session, row.id).suspended_at is not None,
    )
