"""Who is in the lab: checked in, not yet checked out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.texts import text
from fabctl.services import lookups
from fabctl.services.audit import audit
from fabctl.services.rights import is_staff, require_staff
from fabctl.services.sign_in_ends import SignInKind
from fabctl.store.ids import new_id
from fabctl.store.tables import Person, SignIn
from fabctl.store.tables_training import LabPresence
from fabctl.store.upsert import insert_unless_there

LONGEST_VISIT = timedelta(hours=12)
"""Whoever forgets to check out supervises nobody the day after."""

_NOT_AT_THE_LAB = Refusal(
    "not-at-the-lab",
    text("This device is not one of the lab's: you may be anywhere."),
    text("Check in on a screen of the lab, or ask the staff."),
)


@dataclass(frozen=True, slots=True)
class PresenceView:
    """Somebody who is checked in."""

    person_id: str
    name: str
    came_at: datetime

    @property
    def until(self) -> datetime:
        """Return when this ends by itself."""
        return self.came_at + LONGEST_VISIT


def come(
    session: Session, clock: Clock, *, person_id: str, by: str, at_screen: bool
) -> PresenceView:
    """Check somebody in: oneself, on a device of the lab; the staff anybody, from anywhere.

    Who is here supervises others: a telephone at home must not say so (decision 0181).

    :param at_screen: the lab's own device asks.
    :raises RefusedError: staff-only, not-at-the-lab.
    :raises UnknownIdError: no such person.
    """
    if person_id != by:
        require_staff(session, by)
    if not at_screen and not is_staff(session, by):
        raise RefusedError([_NOT_AT_THE_LAB])
    seen = "screen" if at_screen else "word"
    came_at = check_in(session, clock, person_id=person_id, by=by, seen=seen)
    return PresenceView(person_id, lookups.person(session, person_id).display_name, came_at)


def leave(session: Session, clock: Clock, *, person_id: str, by: str) -> None:
    """Check somebody out: oneself, from anywhere, for it only takes away; the staff anybody.

    :raises RefusedError: staff-only.
    :raises UnknownIdError: no such person.
    """
    if person_id != by:
        require_staff(session, by)
    lookups.person(session, person_id)
    check_out(session, clock, person_id=person_id, by=by)


def list_here(
    session: Session,
    clock: Clock,
    *,
    by: str,
    after: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> list[PresenceView]:
    """Return who is checked in, the first who came first; for the staff.

    :param after: when the last one that was shown came, and their id.
    :raises RefusedError: staff-only.
    """
    require_staff(session, by)
    return who_is_here(session, clock.now(), after, limit)


def who_is_here(
    session: Session,
    at: datetime,
    after: tuple[datetime, str] | None = None,
    limit: int | None = None,
) -> list[PresenceView]:
    """Return who is checked in, the first who came first."""
    came, who = LabPresence.came_at, LabPresence.person_id
    query = (
        select(who, Person.display_name, came)
        .join(Person, Person.id == who)
        .where(LabPresence.left_at.is_(None), came > at - LONGEST_VISIT)
        .order_by(came, who)
        .limit(limit)
    )
    if after is not None:
        query = query.where(or_(came > after[0], and_(came == after[0], who > after[1])))
    return [PresenceView(*row) for row in session.execute(query)]


def check_in(
    session: Session, clock: Clock, *, person_id: str, by: str | None, seen: str | None = None
) -> datetime:
    """Note that somebody is in the lab, and return since when.

    A second time while they are, or twice at the same moment: the first time stays.

    :param seen: how the lab knows, for the audit: ``screen``, or somebody's ``word``.
    :raises UnknownIdError: no such person.
    """
    lookups.person(session, person_id)
    row, now = _open(session, person_id), clock.now()
    if row is not None and now - row.came_at < LONGEST_VISIT:
        return row.came_at
    if row is not None:
        row.left_at = row.came_at + LONGEST_VISIT
        session.flush()
    values = {"id": new_id(), "person_id": person_id, "came_at": now}
    if not insert_unless_there(session, LabPresence, values):
        row = _open(session, person_id)  # somebody checked them in since we looked
        return now if row is None else row.came_at
    details = {"seen": seen} if seen else {}
    audit(session, clock, by, "presence.came", f"person:{person_id}", details)
    session.flush()
    return now


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
    """Return where somebody is checked in; nobody else changes it before this transaction ends."""
    query = select(LabPresence).where(
        LabPresence.person_id == person_id, LabPresence.left_at.is_(None)
    )
    query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).first()
