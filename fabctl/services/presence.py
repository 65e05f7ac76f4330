"""Who is in the lab: checked in, not yet checked out."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.services import lookups
from fabctl.services.audit import audit
from fabctl.services.sign_in_ends import SignInKind
from fabctl.store.ids import new_id
from fabctl.store.tables import SignIn
from fabctl.store.tables_training import LabPresence

LONGEST_VISIT = timedelta(hours=12)
"""Whoever forgets to check out supervises nobody the day after."""


def check_in(session: Session, clock: Clock, *, person_id: str, by: str | None) -> None:
    """Note that somebody is in the lab. A second time while they are: nothing changes.

    :raises UnknownIdError: no such person.
    """
    lookups.person(session, person_id)
    row, now = _open(session, person_id), clock.now()
    if row is not None and now - row.came_at < LONGEST_VISIT:
        return
    if row is not None:
        row.left_at = row.came_at + LONGEST_VISIT
        session.flush()
    session.add(LabPresence(id=new_id(), person_id=person_id, came_at=now))
    audit(session, clock, by, "presence.came", f"person:{person_id}")
    session.flush()


def check_out(session: Session, clock: Clock, *, person_id: str, by: str | None) -> None:
    """Note that somebody left the lab. Doing it again changes nothing."""
    row = _open(session, person_id)
    if row is not None:
        row.left_at = min(clock.now(), row.came_at + LONGEST_VISIT)
        audit(session, clock, by, "presence.left", f"person:{person_id}")
        session.flush()


def here(session: Session, at: datetime) -> set[str]:
    """Return the ids of those who are checked in, for 12 h at most."""
    query = select(LabPresence.person_id).where(
        LabPresence.left_at.is_(None), LabPresence.came_at > at - LONGEST_VISIT
    )
    return set(session.scalars(query))


def in_lab(session: Session, at: datetime) -> set[str]:
    """Return the ids of those who are in the lab: checked in, or at one of its shared screens.

    A browser of one's own may be anywhere: being signed in there says nothing.
    """
    query = select(SignIn.person_id).where(
        SignIn.kind == SignInKind.KIOSK.value, SignIn.opened_at <= at, SignIn.expires_at > at
    )
    return here(session, at) | set(session.scalars(query))


def _open(session: Session, person_id: str) -> LabPresence | None:
    query = select(LabPresence).where(
        LabPresence.person_id == person_id, LabPresence.left_at.is_(None)
    )
    return session.scalars(query).first()
