"""One gesture at the end of a session: everybody who was there and passed gets what they earned.

A workshop gives a certificate; the training of a course certifies on its machines as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.model.attendance import OPENS_BEFORE
from fabctl.model.consent import local_day
from fabctl.model.notice import Code
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.training import CourseStep
from fabctl.services import lookups, notices
from fabctl.services.attendance import who_passed
from fabctl.services.audit import audit
from fabctl.services.notices import About
from fabctl.services.participants import may_act_for
from fabctl.services.rights import leads, require_lead
from fabctl.services.training import record_check
from fabctl.services.workshops import session_row, view_session, workshop_row
from fabctl.store.ids import new_id
from fabctl.store.tables_training import CourseCheck
from fabctl.store.tables_workshops import Certificate, Enrolment, WorkshopSession


@dataclass(frozen=True, slots=True)
class CertificateView:
    """What stands on a certificate."""

    id: str
    """Printed on it: whoever doubts it can ask the lab."""
    person_id: str
    name: str
    title: str
    held_on: date
    """The session's day by the lab's clocks."""
    hours: float
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class AwardReport:
    """What one gesture did."""

    certificates: tuple[CertificateView, ...]
    """New ones only."""
    certified: tuple[str, ...]
    """People's ids who are certified by the course now."""
    refused: dict[str, tuple[Refusal, ...]]
    """By person: why the course could not certify them; they have their certificate. Said again
    by every gesture, until it could."""


def award(
    session: Session, clock: Clock, zone: ZoneInfo, *, session_id: str, by: str
) -> AwardReport:
    """Give a certificate to everybody who was there and passed; certify them where it is a course.

    Doing it again adds only who was missing, also whoever the course refused to certify before.
    A suspended person or a missing step keeps none of the others from theirs. The paper says that
    somebody took part and passed, which is so; it opens no machine. So it waits for no step.

    :raises RefusedError: session-staff-only; not-a-trainer or trainer-by-staff
        where it is a course's.
    :raises UnknownIdError: no such session.
    """
    row = session_row(session, session_id, lock=True)
    require_lead(session, session_id, by)
    course_id = workshop_row(session, row.workshop_id).course_id
    made, certified, refused = [], [], {}
    for one in who_passed(session, session_id=session_id):
        assert one.person_id is not None  # noqa: S101  # who_passed returns named places only
        if not _has_one(session, one.id):
            made.append(_issue(session, clock, zone, one, by))
        if course_id is None or _was_checked(session, course_id, one.person_id, row):
            continue
        why = _certify(session, clock, zone, course_id, one.person_id, by)
        if why:
            refused[one.person_id] = why
        else:
            certified.append(one.person_id)
    details = {"certificates": len(made), "certified": len(certified), "refused": len(refused)}
    audit(session, clock, by, "session.awarded", f"session:{session_id}", details)
    return AwardReport(tuple(made), tuple(certified), refused)


def _certify(
    session: Session, clock: Clock, zone: ZoneInfo, course_id: str, person_id: str, by: str
) -> tuple[Refusal, ...]:
    try:
        record_check(
            session,
            clock,
            zone,
            course_id=course_id,
            person_id=person_id,
            passed=True,
            by=by,
            step=CourseStep.PRACTICAL,
        )
    except RefusedError as refused:
        if {"not-a-trainer", "trainer-by-staff"} & set(refused.codes):
            raise
        return refused.refusals
    return ()


def _was_checked(session: Session, course_id: str, person_id: str, row: WorkshopSession) -> bool:
    """Say whether the course has somebody's practical check since the session began: this gesture
    has done its part. An older one is renewed.
    """
    query = select(CourseCheck.id).where(
        CourseCheck.course_id == course_id,
        CourseCheck.person_id == person_id,
        CourseCheck.step == CourseStep.PRACTICAL.value,
        CourseCheck.passed.is_(True),
        CourseCheck.at >= row.start_at - OPENS_BEFORE,
    )
    return session.scalars(query).first() is not None


def _has_one(session: Session, enrolment_id: str) -> bool:
    query = select(Certificate.id).where(Certificate.enrolment_id == enrolment_id)
    return session.scalars(query).first() is not None


def _issue(
    session: Session, clock: Clock, zone: ZoneInfo, one: Enrolment, by: str
) -> CertificateView:
    row = Certificate(
        id=new_id(),
        enrolment_id=one.id,
        person_id=one.person_id or "",
        title=view_session(session, session_row(session, one.session_id)).title,
        issued_at=clock.now(),
        issued_by=by,
    )
    session.add(row)
    session.flush()
    audit(session, clock, by, "certificate.issued", f"person:{row.person_id}", {"id": row.id})
    about = About(session_id=one.session_id, subject=f"certificate:{row.id}")
    notices.tell_of(session, clock, row.person_id, Code.CERTIFICATE_READY, about)
    return _view(session, zone, row)


def certificate(
    session: Session, clock: Clock, zone: ZoneInfo, *, certificate_id: str, by: str
) -> CertificateView:
    """Return a certificate: for its person, a guardian, staff and animators.

    :raises UnknownIdError: there is none, or it is not theirs to see.
    """
    row = session.get(Certificate, certificate_id)
    if row is None:
        raise UnknownIdError(f"there is no certificate {certificate_id!r}")
    one = session.get_one(Enrolment, row.enrolment_id)
    if not (may_act_for(session, clock, row.person_id, by) or leads(session, one.session_id, by)):
        raise UnknownIdError(f"there is no certificate {certificate_id!r} of this person")
    return _view(session, zone, row)


def certificates_for(
    session: Session, clock: Clock, zone: ZoneInfo, *, person_id: str, by: str
) -> list[CertificateView]:
    """Return a person's certificates, the newest first, to whoever decides for them.

    :raises UnknownIdError: no such person, or not theirs to see.
    """
    lookups.person(session, person_id)
    if not may_act_for(session, clock, person_id, by):
        raise UnknownIdError(f"there is no person {person_id!r} for whom they sign")
    return certificates_of(session, zone, person_id=person_id)


def certificates_of(session: Session, zone: ZoneInfo, *, person_id: str) -> list[CertificateView]:
    """Return a person's certificates, the newest first."""
    query = select(Certificate).where(Certificate.person_id == person_id)
    rows = session.scalars(query.order_by(Certificate.issued_at.desc(), Certificate.id))
    return [_view(session, zone, row) for row in rows]


def certificates_of_session(
    session: Session, zone: ZoneInfo, *, session_id: str, by: str
) -> list[CertificateView]:
    """Return what was handed out in a session, by name, to those who lead it.

    :raises RefusedError: session-staff-only.
    """
    require_lead(session, session_id, by)
    query = (
        select(Certificate)
        .join(Enrolment, Enrolment.id == Certificate.enrolment_id)
        .where(Enrolment.session_id == session_id)
    )
    found = [_view(session, zone, row) for row in session.scalars(query)]
    return sorted(found, key=lambda one: (one.name.casefold(), one.id))


def _view(session: Session, zone: ZoneInfo, row: Certificate) -> CertificateView:
    one = session.get_one(Enrolment, row.enrolment_id)
    meeting = session_row(session, one.session_id)
    return CertificateView(
        id=row.id,
        person_id=row.person_id,
        name=lookups.person(session, row.person_id).display_name,
        title=row.title,
        held_on=local_day(meeting.start_at, zone),
        hours=round((meeting.end_at - meeting.start_at).total_seconds() / 3600, 2),
        issued_at=row.issued_at,
    )
