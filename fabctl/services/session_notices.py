"""Who is told what of a session: those enrolled, their guardians and partners, who leads it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.booking_slots import Slot
from fabctl.model.notice import Code
from fabctl.services import notices
from fabctl.services.notices import About
from fabctl.store.tables_accounts import AccountMember
from fabctl.store.tables_workshops import (
    Enrolment,
    SessionAnimator,
    WorkshopSession,
)


def tell_enrolled(
    session: Session,
    clock: Clock,
    code: Code,
    enrolments: Iterable[Enrolment],
    *,
    until: datetime | None = None,
    words: str | None = None,
) -> None:
    """Tell everybody whom these places concern, each once: for a place without a name yet, those
    who act for the partner that holds it.
    """
    told: dict[tuple[str, str | None], None] = {}
    for one in enrolments:
        about = _about(session, one.session_id, f"enrolment:{one.id}", until, words)
        for person_id, what in _readers(session, clock, one, about):
            key = (person_id, what.person_id)
            if key not in told:
                told[key] = None
                notices.tell(session, clock, person_id, code, what)


def tell_all(
    session: Session,
    clock: Clock,
    code: Code,
    session_id: str,
    enrolments: Iterable[Enrolment],
    *,
    by: str | None,
    words: str | None = None,
) -> None:
    """Tell those enrolled, and those who lead it but for the one who did it."""
    tell_enrolled(session, clock, code, enrolments, words=words)
    leaders = select(SessionAnimator.person_id).where(SessionAnimator.session_id == session_id)
    about = _about(session, session_id, f"session:{session_id}", None, words)
    for person_id in session.scalars(leaders.order_by(SessionAnimator.person_id)).all():
        if person_id != by:
            notices.tell(session, clock, person_id, code, about)


def _about(
    session: Session, session_id: str, subject: str, until: datetime | None, words: str | None
) -> About:
    meeting = session.get_one(WorkshopSession, session_id)
    slot = Slot(meeting.start_at, meeting.end_at)
    return About(session_id=session_id, slot=slot, subject=subject, until=until, words=words)


def _readers(
    session: Session, clock: Clock, one: Enrolment, about: About
) -> list[tuple[str, About]]:
    if one.person_id is not None:
        return notices.readers(session, clock, one.person_id, about)
    members = select(AccountMember.person_id).where(
        AccountMember.account_id == one.partner_id, AccountMember.may_act.is_(True)
    )
    found = session.scalars(members.order_by(AccountMember.person_id))
    return [(member, about) for member in found]
