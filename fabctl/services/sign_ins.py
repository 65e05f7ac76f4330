"""Browsers in which somebody is signed in. The token lives in a cookie, its hash here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.services import people
from fabctl.services.audit import audit
from fabctl.services.passwords import hash_token, new_token
from fabctl.services.people import PersonView
from fabctl.services.sign_in_ends import SignInKind
from fabctl.store.tables import SignIn

__all__ = [
    "LASTS",
    "SignInKind",
    "SignInView",
    "close_sign_in",
    "extend",
    "find_sign_in",
    "forget_ended",
    "open_sign_in",
]


LASTS: dict[SignInKind, timedelta] = {
    SignInKind.KIOSK: timedelta(seconds=60),
    SignInKind.DESK: timedelta(days=30),
}
"""How long without a touch before it ends."""
SMALL_STEP = timedelta(seconds=5)
"""A clock that is put back by less signs nobody out."""


@dataclass(frozen=True, slots=True)
class SignInView:
    """Who is signed in, how, and until when if nothing is touched."""

    person: PersonView
    kind: SignInKind
    opened_at: datetime
    expires_at: datetime


def open_sign_in(session: Session, clock: Clock, person_id: str, *, kind: str) -> str:
    """Sign somebody in and return the token for the cookie (43 characters, shown once)."""
    token, now, kind = new_token(), clock.now(), SignInKind(kind)
    session.add(
        SignIn(
            token_hash=hash_token(token),
            person_id=person_id,
            kind=kind.value,
            opened_at=now,
            expires_at=now + LASTS[kind],
        )
    )
    audit(session, clock, person_id, "sign-in.opened", f"person:{person_id}", {"kind": kind.value})
    return token


def find_sign_in(session: Session, clock: Clock, token: str) -> SignInView | None:
    """Return who is signed in with this token; None when nobody is (any more). Changes nothing."""
    row = _live(session, clock, token)
    if row is None:
        return None
    person = people.get_person(session, row.person_id)
    return SignInView(person, SignInKind(row.kind), row.opened_at, row.expires_at)


def _live(session: Session, clock: Clock, token: str) -> SignIn | None:
    """Return a sign-in that has not ended.

    One that would last longer than any was opened by a clock that was ahead: it has ended too.
    """
    row = session.get(SignIn, hash_token(token))
    now = clock.now()
    if row is None or not now < row.expires_at <= now + LASTS[SignInKind(row.kind)] + SMALL_STEP:
        return None
    return row


def extend(
    session: Session, clock: Clock, token: str, *, idle: timedelta = timedelta(0)
) -> datetime | None:
    """Let a sign-in last its whole time again; None when it has ended already.

    A gain of less than a thirtieth (2 s, one day) is not written: every page may ask for it.

    :param idle: how long ago the touch was that it is for; it never shortens what is left.
    """
    row = _live(session, clock, token)
    if row is None:
        return None
    lasts = LASTS[SignInKind(row.kind)]
    ends = clock.now() + lasts - max(idle, timedelta(0))
    if ends - row.expires_at >= lasts / 30:
        row.expires_at = ends
    return row.expires_at


def close_sign_in(session: Session, token: str) -> None:
    """Sign out. A token that is not known changes nothing."""
    session.execute(delete(SignIn).where(SignIn.token_hash == hash_token(token)))


def forget_ended(session: Session, clock: Clock) -> None:
    """Delete the sign-ins that have ended."""
    session.execute(delete(SignIn).where(SignIn.expires_at <= clock.now()))
