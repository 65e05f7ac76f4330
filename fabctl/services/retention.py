"""How long what is kept; the steward applies it. Statistics survive: rows lose the names only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, delete, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from fabctl.clock import Clock
from fabctl.model.people import Role
from fabctl.services.audit import audit
from fabctl.services.personal_data import blank_out
from fabctl.services.personal_tables import NOBODY
from fabctl.store.tables import Audit, Certification, Claim, Job, Person, Reservation, SignIn, Use
from fabctl.store.tables_booking import Waiting
from fabctl.store.tables_notices import Mail, Notice
from fabctl.store.tables_training import LabPresence, QuizAttempt
from fabctl.store.tables_workshops import (
    Enrolment,
    Guardianship,
    SessionNote,
    WorkshopSession,
)

YEAR = timedelta(days=365)
KEPT: Mapping[str, timedelta] = {
    "notices": YEAR,
    "presences": YEAR,
    "session-notes": YEAR,
    "waiting": YEAR,
    "quiz-attempts": 2 * YEAR,
    "job-names": 2 * YEAR,
    "people": 3 * YEAR,
}
"""From when it happened; ``people``: from the last time they came, booked or signed in.
Allergies and needs go when their session ends (``due_training``), sign-ins when they end."""
AT_ONCE = 20
"""People who are erased in one go: the others' turn comes with the next."""
CAME = ("presence.came", "sign-in.opened")
"""Lines of the audit that say somebody was there: their own rows are long deleted by then."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was thrown away: of which kind, and how many."""

    kind: str
    rows: int


def apply(session: Session, clock: Clock, zone: ZoneInfo) -> list[Forgotten]:
    """Throw away what is older than its period, and erase those who have not come for so long.

    Staff, trainers and animators are never erased by themselves. Doing it again changes nothing.
    """
    now = clock.now()
    done = [Forgotten(kind, _forget(session, kind, now - KEPT[kind])) for kind in _OLD]
    gone = _long_gone(session, now - KEPT["people"])
    for person_id in gone:
        blank_out(session, clock, zone, person_id)
        audit(session, clock, None, "person.erased", f"person:{person_id}", {"why": "retention"})
    session.flush()
    return [one for one in (*done, Forgotten("people", len(gone))) if one.rows]


_OLD: Mapping[str, tuple[type, ColumnElement[bool] | None, InstrumentedAttribute[datetime]]] = {
    "presences": (LabPresence, None, LabPresence.came_at),  # no visit lasts longer than 12 h
    "waiting": (Waiting, Waiting.settled_at.is_not(None), Waiting.end_at),
    "quiz-attempts": (QuizAttempt, None, QuizAttempt.at),
    "notices": (Notice, None, Notice.at),
    "session-notes": (SessionNote, None, SessionNote.written_at),
    "job-names": (Job, Job.name != NOBODY, Job.created_at),
}


def _forget(session: Session, kind: str, before: datetime) -> int:
    table, more, at = _OLD[kind]
    old = at < before if more is None else and_(at < before, more)
    if kind == "job-names":
        jobs = session.scalars(select(Job).where(old, Job.ended_at.is_not(None))).all()
        for job in jobs:
            job.name = NOBODY
        return len(jobs)
    if kind == "notices":
        notices = select(Notice.id).where(old)
        session.execute(delete(Mail).where(Mail.notice_id.in_(notices)))
    many = session.scalar(select(func.count()).select_from(table).where(old)) or 0
    if many:
        session.execute(delete(table).where(old))
    return many


def _long_gone(session: Session, before: datetime) -> list[str]:
    """Return members who were added before a moment and have not been heard of since."""
    mine = Person.id
    heard = (
        exists().where(
            Reservation.person_id == mine,
            Reservation.claim_id == Claim.id,
            Claim.end_at >= before,
        ),
        exists().where(
            Enrolment.person_id == mine,
            Enrolment.session_id == WorkshopSession.id,
            WorkshopSession.end_at >= before,
        ),
        exists().where(Use.person_id == mine, Use.opened_at >= before),
        exists().where(SignIn.person_id == mine, SignIn.opened_at >= before),
        exists().where(LabPresence.person_id == mine, LabPresence.came_at >= before),
        exists().where(Audit.subject == "person:" + mine, Audit.what.in_(CAME), Audit.at >= before),
        exists().where(Guardianship.guardian_id == mine),  # as long as there is the child
        exists().where(Certification.person_id == mine, Certification.at >= before),
    )
    query = (
        select(Person.id)
        .where(
            Person.role == Role.MEMBER.value,
            Person.created_at < before,
            Person.display_name != NOBODY,
            *(~one for one in heard),
        )
        .order_by(Person.created_at, Person.id)
    )
    return list(session.scalars(query.limit(AT_ONCE)))
