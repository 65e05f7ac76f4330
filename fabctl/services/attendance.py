"""Attendance sheets: one tap per person, with undo; a console may send its marks late or twice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.model.attendance import (
    Mark,
    Presence,
    mark_malformed,
    mark_refusals,
    mark_reused,
    mark_that_counts,
)
from fabctl.model.booking import Slot
from fabctl.model.consent import Consent, consent_refusals, local_day, under_age
from fabctl.model.refusal import Refusal
from fabctl.model.workshops import EnrolmentState
from fabctl.services import lookups
from fabctl.services.audit import audit
from fabctl.services.births import birth_of
from fabctl.services.participants import consents_of
from fabctl.services.rights import require_lead
from fabctl.services.workshops import session_row, workshop_row
from fabctl.store.tables import Account, Audit
from fabctl.store.tables_workshops import AttendanceMark, Enrolment
from fabctl.store.upsert import insert_unless_there


@dataclass(frozen=True, slots=True)
class SentMark:
    """A mark as a console sends it."""

    enrolment_id: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class MarkAnswer:
    """What became of one mark. A console may forget it in every case."""

    mark_id: str
    new: bool
    """False: it was on record already, or it was refused."""
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One line of the sheet; for those who lead the session only."""

    enrolment_id: str
    person_id: str | None
    name: str
    """Empty: a partner has not given it yet."""
    partner: str
    birth_year: int | None
    presence: Presence | None
    consent: bool
    """Whether the consent that their age asks for is on file."""
    image_rights: bool
    guardian_name: str
    guardian_phone: str
    passed: bool
    mark_id: str = ""
    """Of the mark that counts: undoing names it. Empty: nobody has tapped."""


def take_marks(
    session: Session, clock: Clock, *, session_id: str, marks: Sequence[SentMark], by: str
) -> list[MarkAnswer]:
    """Put marks of attendance on record, each once; return what became of each.

    A mark that is refused (also one of a place in another session) keeps none of the others from
    being recorded: a console that was offline sends all it has. A clock that runs ahead is held
    back to now.

    :raises RefusedError: session-staff-only.
    :raises UnknownIdError: no such session.
    """
    row = session_row(session, session_id)
    require_lead(session, session_id, by)
    known = _enrolled(session, session_id)
    slot = Slot(row.start_at, row.end_at)
    answers = [
        _take(session, clock, slot, sent, by)
        if sent.enrolment_id in known
        else MarkAnswer(sent.mark.id, new=False, refusals=(mark_malformed(),))
        for sent in marks
    ]
    new = sum(answer.new for answer in answers)
    if new:
        audit(session, clock, by, "attendance.marked", f"session:{session_id}", {"marks": new})
    session.flush()
    return answers


def _enrolled(session: Session, session_id: str) -> set[str]:
    query = select(Enrolment.id).where(Enrolment.session_id == session_id)
    return set(session.scalars(query))


def _take(session: Session, clock: Clock, slot: Slot, sent: SentMark, by: str) -> MarkAnswer:
    mark, now = sent.mark, clock.now()
    if refusals := mark_refusals(mark, slot, now):
        return MarkAnswer(mark.id, new=False, refusals=tuple(refusals))
    values = {
        "id": mark.id,
        "enrolment_id": sent.enrolment_id,
        "presence": mark.presence.value if mark.presence else None,
        "undoes": mark.undoes,
        "at": min(mark.at, now),
        "recorded_at": now,
        "by": by,
    }
    if insert_unless_there(session, AttendanceMark, values):
        return MarkAnswer(mark.id, new=True)
    there = session.get_one(AttendanceMark, mark.id)
    same = (there.enrolment_id, there.presence, there.undoes) == (
        values["enrolment_id"],
        values["presence"],
        values["undoes"],
    )
    return MarkAnswer(mark.id, new=False, refusals=() if same else (mark_reused(),))


def marks_that_count(
    session: Session, enrolment_ids: Iterable[str], *, but: Collection[str] = ()
) -> dict[str, Mark | None]:
    """Return the mark that counts for each enrolment; None: nobody has tapped.

    :param but: ids of marks, at most 200, that are left out: what counted without them.
    """
    marks: dict[str, list[Mark]] = {one: [] for one in enrolment_ids}
    query = select(AttendanceMark).where(
        AttendanceMark.enrolment_id.in_(marks), AttendanceMark.id.not_in(but)
    )
    for row in session.scalars(query):
        presence = Presence(row.presence) if row.presence else None
        marks[row.enrolment_id].append(Mark(row.id, row.at, presence, row.undoes))
    return {one: mark_that_counts(found) for one, found in marks.items()}


def sheet(
    session: Session, clock: Clock, zone: ZoneInfo, *, session_id: str, by: str
) -> list[SheetRow]:
    """Return a session's attendance sheet, by name, and put on record who looked: once a day, and
    again when somebody came onto it since. A console loads it anew after each gesture.

    :raises RefusedError: session-staff-only.
    :raises UnknownIdError: no such session.
    """
    row = session_row(session, session_id)
    require_lead(session, session_id, by)
    query = select(Enrolment).where(
        Enrolment.session_id == session_id, Enrolment.state == EnrolmentState.CONFIRMED.value
    )
    enrolments = session.scalars(query.order_by(Enrolment.rank, Enrolment.id)).all()
    found = marks_that_count(session, [one.id for one in enrolments])
    needed = workshop_row(session, row.workshop_id).consent_needed
    on = local_day(row.start_at, zone)
    rows = [_line(session, one, found[one.id], on, needed=needed) for one in enrolments]
    newest = max((one.made_at for one in enrolments), default=row.start_at)
    if not _read_today(session, clock, zone, session_id, newest, by):
        audit(session, clock, by, "attendance.read", f"session:{session_id}", {"rows": len(rows)})
    return sorted(rows, key=lambda one: (not one.name, one.name.casefold(), one.enrolment_id))


def _read_today(
    session: Session, clock: Clock, zone: ZoneInfo, session_id: str, newest: datetime, by: str
) -> bool:
    """Say whether it is on record today that somebody read the sheet with all who are on it."""
    query = (
        select(Audit.at)
        .where(
            Audit.subject == f"session:{session_id}",
            Audit.what == "attendance.read",
            Audit.who == by,
        )
        .order_by(Audit.id.desc())
        .limit(1)
    )
    last = session.scalars(query).first()
    today = local_day(clock.now(), zone)
    return last is not None and local_day(last, zone) == today and last >= newest


def _line(
    session: Session, row: Enrolment, mark: Mark | None, on: date, *, needed: bool
) -> SheetRow:
    partner = session.get_one(Account, row.partner_id).name if row.partner_id else ""
    person = lookups.person(session, row.person_id) if row.person_id else None
    forms = consents_of(session, person.id) if person else []
    last = forms[-1] if forms and forms[-1].takes_part else None
    return SheetRow(
        enrolment_id=row.id,
        person_id=row.person_id,
        name=person.display_name if person else "",
        partner=partner,
        birth_year=person.birth_year if person else None,
        presence=mark.presence if mark else None,
        consent=not needed or (person is not None and _agreed(session, person.id, forms, on)),
        image_rights=last is not None and last.image_rights,
        guardian_name=last.guardian_name if last else "",
        guardian_phone=last.guardian_phone if last else "",
        passed=row.passed_at is not None,
        mark_id=mark.id if mark else "",
    )


def _agreed(session: Session, person_id: str, forms: Sequence[Consent], on: date) -> bool:
    return not consent_refusals(forms, minor=under_age(birth_of(session, person_id), on))


def set_passed(session: Session, clock: Clock, *, enrolment_id: str, passed: bool, by: str) -> None:
    """Note that somebody passed, or take it back; it says nothing about being there.

    :raises RefusedError: session-staff-only.
    :raises UnknownIdError: no such enrolment.
    """
    row = session.get(Enrolment, enrolment_id)
    if row is None:
        raise UnknownIdError(f"there is no enrolment {enrolment_id!r}")
    require_lead(session, row.session_id, by)
    if (row.passed_at is not None) == passed:
        return
    row.passed_at, row.passed_by = (clock.now(), by) if passed else (None, None)
    what = "enrolment.passed" if passed else "enrolment.not-passed"
    audit(session, clock, by, what, f"enrolment:{enrolment_id}")
    session.flush()


def who_passed(session: Session, *, session_id: str) -> list[Enrolment]:
    """Return the confirmed participants who were there and passed, by rank. For services only."""
    query = select(Enrolment).where(
        Enrolment.session_id == session_id,
        Enrolment.state == EnrolmentState.CONFIRMED.value,
        Enrolment.passed_at.is_not(None),
        Enrolment.person_id.is_not(None),
    )
    rows = session.scalars(query.order_by(Enrolment.rank, Enrolment.id)).all()
    found = marks_that_count(session, [row.id for row in rows])
    return [row for row in rows if _was_there(found[row.id])]


def _was_there(mark: Mark | None) -> bool:
    return mark is not None and mark.presence is not None and mark.presence.was_there
