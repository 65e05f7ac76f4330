"""Badges: the staff give them to people; held before a shared screen's reader, one signs in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.model import screens as rules
from fabctl.model.refusal import RefusedError
from fabctl.services import lookups, people, wrong_tries
from fabctl.services.audit import audit
from fabctl.services.passwords import hash_badge
from fabctl.services.people import PersonView
from fabctl.services.rights import require_staff
from fabctl.services.sign_in_ends import SignInKind, end_sign_ins
from fabctl.services.sign_in_rights import require_may_sign_in_as
from fabctl.store.ids import new_id
from fabctl.store.tables_screens import Badge


@dataclass(frozen=True, slots=True)
class BadgeView:
    """A badge without its number: nobody can read that back."""

    id: str
    person_id: str
    added_at: datetime


def add_badge(
    session: Session, clock: Clock, secret: bytes, *, person_id: str, number: str, by: str
) -> BadgeView:
    """Give a person a badge; several are fine. A badge that they have already changes nothing.

    :param number: as the reader types it.
    :param secret: the lab's (``secret.key``).
    :raises RefusedError: staff-only, admin-only (a colleague's), badge-unreadable, badge-taken.
    :raises UnknownIdError: there is no such person.
    """
    _require_may(session, person_id, by)
    cleaned = rules.clean_badge(number)
    if refusals := rules.badge_refusals(cleaned):
        raise RefusedError(refusals)
    hashed = hash_badge(secret, cleaned)
    found = session.scalars(select(Badge).where(Badge.badge_hash == hashed)).first()
    if found is not None and found.person_id != person_id:
        raise RefusedError([rules.badge_taken()])
    if found is None:
        found = Badge(id=new_id(), person_id=person_id, badge_hash=hashed, added_at=clock.now())
        session.add(found)
        audit(session, clock, by, "badge.added", f"person:{person_id}", {"badge": found.id})
        session.flush()
    return _view(found)


def list_badges(session: Session, *, person_id: str, by: str) -> list[BadgeView]:
    """Return a person's badges, oldest first.

    :raises RefusedError: staff-only.
    :raises UnknownIdError: there is no such person.
    """
    require_staff(session, by)
    lookups.person(session, person_id)
    query = select(Badge).where(Badge.person_id == person_id).order_by(Badge.added_at, Badge.id)
    return [_view(row) for row in session.scalars(query)]


def remove_badge(session: Session, clock: Clock, *, person_id: str, badge_id: str, by: str) -> None:
    """Take a badge away: whoever found it opens nothing, and is out of the shared screens.

    :raises RefusedError: staff-only, admin-only (a colleague's).
    :raises UnknownIdError: this person has no such badge.
    """
    _require_may(session, person_id, by)
    row = session.get(Badge, badge_id)
    if row is None or row.person_id != person_id:
        raise UnknownIdError(f"this person has no badge {badge_id!r}")
    session.delete(row)
    end_sign_ins(session, person_id, SignInKind.KIOSK)
    audit(session, clock, by, "badge.removed", f"person:{person_id}", {"badge": badge_id})
    session.flush()


def check_badge(
    session: Session, clock: Clock, secret: bytes, number: str, device: str
) -> PersonView | None:
    """Return whose badge this is, None when it is nobody's. Wrong ones are counted by device.

    :param device: what names the screen, as for PINs.
    :raises TooManyTriesError: this device is locked for a while; nothing was tried.
    """
    people.refuse_while_locked(session, clock, "badge", device)
    hashed = hash_badge(secret, rules.clean_badge(number))
    found = session.scalars(select(Badge).where(Badge.badge_hash == hashed)).first()
    if found is None:
        wrong_tries.count_wrong(session, clock, "badge", device)
        return None
    wrong_tries.count_right(session, "badge", device)
    return people.get_person(session, found.person_id)


def _require_may(session: Session, person_id: str, by: str) -> None:
    """Whoever gives a badge could use it: a colleague's is the admins' to give."""
    require_staff(session, by)
    require_may_sign_in_as(session, person_id, by)


def _view(row: Badge) -> BadgeView:
    return BadgeView(row.id, row.person_id, row.added_at)
