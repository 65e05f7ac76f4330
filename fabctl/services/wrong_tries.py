"""Wrong PINs and passwords, counted in the database: a restart forgets nothing."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model import tries as rules
from fabctl.model.tries import Tries, Waits
from fabctl.store.tables import WrongTry
from fabctl.store.upsert import insert_unless_there

OF_SCREENS = ("pin", "badge", "pairing")
"""Kinds that are counted by shared screen; a lock of one leaves the others open."""
BY_LOGIN, BY_NOBODYS_LOGIN, BY_ADDRESS = "password", "password-nobody", "password-address"
"""Wrong passwords: of a login that is somebody's, of an invented one, from one address."""
BY_PAIRING_ADDRESS = "pairing-address"
BY_HOST_ADDRESS = "host-address"
"""Wrong codes of computers that want to join the lab."""
OF_LOGINS = (BY_LOGIN, BY_NOBODYS_LOGIN)
FROM_ADDRESSES = (BY_ADDRESS, BY_PAIRING_ADDRESS, BY_HOST_ADDRESS)
MOST_OF_STRANGERS = 1000
"""Rows of each kind whose subjects anybody can invent; above, the oldest go."""


def login_key(login: str) -> str:
    """Name a login's wrong tries; hashed, because people type passwords into the wrong box."""
    return hashlib.sha256(login.encode()).hexdigest()


def locked_until(session: Session, clock: Clock, kind: str, subject: str) -> datetime | None:
    """Return until when nothing is tried; None when it is not locked now."""
    row = session.get(WrongTry, (kind, subject))
    tries = _tries(row) if row else Tries()
    return tries.locked_until if tries.is_locked(clock.now()) else None


def wait_s(session: Session, clock: Clock, kind: str, subject: str) -> int:
    """Return for how many seconds more nothing is tried, rounded up; 0 when it is not locked."""
    until = locked_until(session, clock, kind, subject)
    return int((until - clock.now()).total_seconds()) + 1 if until else 0


def locked_now(session: Session, clock: Clock, *kinds: str) -> list[str]:
    """Return every device or login (its key) for which nothing is tried now, in order."""
    query = select(WrongTry).where(WrongTry.kind.in_(kinds), WrongTry.locked_until > clock.now())
    locked = {row.subject for row in session.scalars(query) if _tries(row).is_locked(clock.now())}
    return sorted(locked)


def count_wrong(session: Session, clock: Clock, kind: str, subject: str) -> None:
    """Count one wrong try, and lock where it is one too many."""
    new = insert_unless_there(
        session,
        WrongTry,
        {"kind": kind, "subject": subject, "in_a_row": 0, "in_window": 0, "locks": 0},
    )
    if new and kind in {BY_NOBODYS_LOGIN, *FROM_ADDRESSES}:
        _forget_strangers(session, kind, subject)
    row = session.get(WrongTry, (kind, subject), with_for_update=True, populate_existing=True)
    assert row is not None  # noqa: S101  # it was put there a moment ago, in this transaction
    _keep(row, rules.after_wrong(_tries(row), clock.now(), _waits(kind)))


def _waits(kind: str) -> Waits:
    return _WAITS.get(kind, rules.OF_A_LOGIN)


_WAITS = {
    "pin": rules.OF_A_SCREEN,
    "badge": rules.OF_A_SCREEN,
    "pairing": rules.OF_A_PAIRING,
    BY_PAIRING_ADDRESS: rules.OF_A_SCREEN,
    BY_HOST_ADDRESS: rules.OF_A_SCREEN,
    BY_ADDRESS: rules.OF_AN_ADDRESS,
}


def _forget_strangers(session: Session, kind: str, newest: str) -> None:
    """Delete the oldest rows of a kind where there are too many, never the newest."""
    of_kind = (WrongTry.kind == kind) & (WrongTry.subject != newest)
    found = session.scalar(select(func.count()).select_from(WrongTry).where(of_kind)) or 0
    if found < MOST_OF_STRANGERS:
        return
    oldest = select(WrongTry.subject).where(of_kind).order_by(WrongTry.last_wrong, WrongTry.subject)
    old = session.scalars(oldest.limit(found + 1 - MOST_OF_STRANGERS)).all()
    reset_all = delete(WrongTry).where(of_kind, WrongTry.subject.in_(old))
    session.execute(reset_all, execution_options={"synchronize_session": "fetch"})


def count_right(session: Session, kind: str, subject: str) -> None:
    """End a row of wrong tries."""
    row = session.get(WrongTry, (kind, subject), with_for_update=True, populate_existing=True)
    if row is not None:
        _keep(row, rules.after_right(_tries(row)))


def reset(session: Session, subject: str, *kinds: str) -> None:
    """Forget everything about a device or a login."""
    session.execute(
        delete(WrongTry).where(WrongTry.kind.in_(kinds), WrongTry.subject == subject),
        execution_options={"synchronize_session": "fetch"},
    )


def forget_old(session: Session, clock: Clock) -> None:
    """Delete what no longer has a meaning: nothing wrong for a day."""
    session.execute(delete(WrongTry).where(WrongTry.last_wrong < clock.now() - rules.FORGET_AFTER))


def _tries(row: WrongTry) -> Tries:
    return Tries(
        in_a_row=row.in_a_row,
        in_window=row.in_window,
        window_began=row.window_began,
        last_wrong=row.last_wrong,
        locks=row.locks,
        locked_until=row.locked_until,
    )


def _keep(row: WrongTry, tries: Tries) -> None:
    for name, value in asdict(tries).items():
        setattr(row, name, value)
