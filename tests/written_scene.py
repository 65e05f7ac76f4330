"""A script in every text that a person, a machine or a mail server can put into the database.

Columns that take none of them are listed, each with what keeps them so: a new text column fails
the test until it is in the scene or on the list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import JSON, Column, String, select
from sqlalchemy.orm import Session

from fabctl.model.accounts import GroupKind
from fabctl.model.attendance import Mark, Presence
from fabctl.model.booking_facts import ResourceKind
from fabctl.model.booking_slots import Slot
from fabctl.model.consent import Consent, Signer
from fabctl.model.event import INTERLOCK_PREFIX, EventKind, MachineEvent
from fabctl.model.notice import Code
from fabctl.services import (
    accounts,
    attendance,
    certificates,
    certifications,
    courses,
    enrolments,
    mail_queue,
    maintenance,
    notices,
    opening,
    participants,
    problems,
    quiz_making,
    recording,
    resources,
    sessions,
    upkeep_tasks,
    use_log,
)
from fabctl.services.attendance import SentMark
from fabctl.services.courses import Wording
from fabctl.services.notices import About
from fabctl.services.quizzes import QuestionWording
from fabctl.store.metadata import METADATA
from fabctl.store.tables import Use
from fabctl.store.types import PlainText

if TYPE_CHECKING:
    from tests.security_scene import SecurityScene

_WORDS = (String, PlainText, JSON)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MARK = "onerror=alert("
"""What is in each script."""

BY_NOBODY: Mapping[str, Sequence[str]] = {
    "the program makes it up": (
        "account.id", "api_token.id", "badge.id", "certificate.id", "claim.id", "course.id",
        "credential.id", "enrolment.id", "feed.id", "job.id", "lab_presence.id", "machine_stop.id",
        "mail.id", "maintenance_plan.id", "notice.id", "opening_period.id", "person.id",
        "problem_report.id", "quiz_answer.id", "quiz_question.id", "reservation.id",
        "session_note.id", "session_opening.id", "upkeep_task.id", "use.id", "waiting.id",
        "workshop.id", "workshop_session.id", "enrolment.party_id", "reservation.series_id",
        "workshop_session.series_id", "notice.once",
    ),
    "a hash": (
        "api_token.token_hash", "badge.badge_hash", "credential.password_hash",
        "credential.pin_hash", "feed.token_hash", "job.sha256", "job_file.sha256",
        "joined_host.code_hash", "joined_host.token_hash",
        "shared_screen.code_hash", "shared_screen.token_hash", "sign_in.token_hash",
    ),
    "one of a few words": (
        "account.group_kind", "attendance_mark.presence", "audit.what", "certification.change",
        "certification.level", "claim.kind", "consent_form.signed_by", "course.level",
        "course_check.step", "credential.kind", "due_work.kind", "enrolment.state",
        "enrolment.via", "feed.kind", "given_right.name", "given_right.reach", "job.state",
        "mail.outcome", "maintenance_plan.every_unit", "notice.code", "person.language",
        "person.role", "policy.reach", "problem_report.kind", "quiz_attempt.language",
        "resource.kind", "sign_in.kind",
        "upkeep_task.outcome", "use.outcome", "waiting.outcome", "wrong_try.kind",
    ),
    "ids of other rows, and short names: a-z, 0-9, hyphens": (
        "audit.subject", "audit.who", "due_work.subject", "feed.subject", "given_right.subject",
        "joined_host.id", "notice.subject", "opening_exception.subject",
        "opening_period.subject", "policy.subject", "pool.id", "resource.id", "shared_screen.id",
    ),
    "a-z, 0-9 and . _ @ + - only": ("credential.login",),
    "letters, digits and what RFC 5321 allows before an @, which has no < or quotation mark": (
        "mail_address.address", "mail_address.signs_in",
    ),
    "what the reader of G-code found: sentences of ours, numbers, words of commands": (
        "job.report",
    ),
    "a language of the lab": (
        "course_wording.language", "quiz_answer_wording.language",
        "quiz_question_wording.language",
    ),
    "numbers and times only": ("opening_exception.periods", "policy.numbers"),
    "a machine in lab.toml: a-z, 0-9, hyphens": (
        "interlock_event.machine", "machine_event.machine", "permit_serial.machine",
    ),
    "the kinds of lab.toml, for rooms the kind of resource": ("resource.category",),
    "an address by the network, or a hash of a login": ("wrong_try.subject",),
}  # fmt: skip

NOWHERE = {
    "36": "the note of a task that has ended is read through the API alone",
    "42": "the id of a mark that was undone says only which one counts",
    "43": "what a mail server said is for the log; pages say that it did not arrive",
    "54": "a job that is on no record", "55": "a kind of event that no page knows",
    "56": "the number of an interlock's start", "58": "a cause without a sentence of ours",
    "60": "a job that is on no record", "61": "a use that is on no record",
    "62": "a person who is on no record",
    "63": "what was worked with is read through the API alone",
}  # fmt: skip
"""Scripts that no page shows, and why."""


def texts() -> Iterator[Column[object]]:
    """Yield every column of text or of JSON that does not hold another row's id."""
    for table in METADATA.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, _WORDS) and not column.foreign_keys:
                yield column


def tried(db: Session) -> set[str]:
    """Return the columns that hold a script."""
    return {
        f"{column.table.name}.{column.name}"
        for column in texts()
        if any(MARK in str(value) for value in db.scalars(select(column)))
    }


def write_more(scene: SecurityScene, db: Session) -> None:
    """Put a script into what the pages' own scene leaves out."""
    _training(scene, db)
    _family(scene, db)
    _places(scene, db)
    _upkeep(scene, db)
    _sessions(scene, db)
    _mail(scene, db)


def _training(scene: SecurityScene, db: Session) -> None:
    lab, staff = scene.lab, scene.workshops.id("sasha")
    said = Wording(scene.script("20"), f"{scene.script('21')}\n- {scene.script('22')}")
    course = courses.create_course(
        db, lab.clock, wording={"fr": said, "en": said}, resource_ids=["printer-a"], by=staff
    )
    asked = QuestionWording(scene.script("23"), (scene.script("24"), "No"), scene.script("44"))
    question = quiz_making.add_question(
        db, lab.clock, course_id=course.id, wording={"fr": asked, "en": asked}, right={0}, by=staff
    )
    person, machine = scene.names["person"], "printer-a"
    certifications.certify(db, lab.clock, person_id=person, resource_id=machine)
    certifications.suspend(
        db, lab.clock, person_id=person, resource_id=machine, reason=scene.script("25"), by=staff
    )
    scene.names |= {"course": course.id, "question": question}


def _family(scene: SecurityScene, db: Session) -> None:
    lab, inner = scene.lab, scene.workshops
    zone = lab.config.time_zone
    form = Consent(
        Signer.GUARDIAN, takes_part=True, guardian_name=scene.script("26"),
        guardian_phone=f"0612345 {scene.script('27')}",
    )  # fmt: skip
    participants.sign_consent(
        db, lab.clock, zone, person_id=inner.minor, form=form, by=inner.id("ana")
    )
    account = accounts.add_group(
        db, lab.clock, name="Club", kind=GroupKind.PARTNER, by=inner.id("sasha")
    )
    accounts.suspend_group(
        db, lab.clock, account_id=account.id, reason=scene.script("28"), by=inner.id("sasha")
    )


def _places(scene: SecurityScene, db: Session) -> None:
    lab, staff = scene.lab, scene.workshops.id("sasha")
    resources.add_resource(
        db,
        lab.clock,
        resource_id="salle",
        kind=ResourceKind.SPACE,
        name=scene.script("30"),
        by=staff,
    )
    resources.set_pool(
        db,
        lab.clock,
        pool_id="all",
        name=scene.script("31"),
        members=["printer-a", "salle"],
        by=staff,
    )
    day = (lab.clock.now() + 40 * DAY).date()
    opening.set_exception(db, lab.clock, first=day, reason=scene.script("32"), by=staff)
    scene.names["pool"] = "all"


def _upkeep(scene: SecurityScene, db: Session) -> None:
    lab, staff = scene.lab, scene.workshops.id("sasha")
    plan = maintenance.plan_maintenance(
        db, lab.clock, resource_id="printer-a", title=scene.script("33"), every_hours=10,
        instructions=scene.script("34"), owner_id=staff, by=staff,
    )  # fmt: skip
    maintenance.note_done(db, lab.clock, plan_id=plan.id, by=staff, note=scene.script("35"))
    task = upkeep_tasks.add_task(db, lab.clock, title="Vis", owner_id=staff, by=staff)
    upkeep_tasks.finish_task(db, lab.clock, task_id=task.id, note=scene.script("36"), by=staff)
    told = problems.report_problem(
        db, lab.clock, resource_id="printer-a", summary="Bruit", by=scene.camille.id
    )
    problems.settle_problem(db, lab.clock, problem_id=told.id, outcome=scene.script("37"), by=staff)
    scene.names["plan"] = plan.id


def _sessions(scene: SecurityScene, db: Session) -> None:
    lab, inner = scene.lab, scene.workshops
    start, staff = lab.clock.now() + 6 * DAY, inner.id("sasha")
    made = sessions.schedule(
        db, lab.clock, workshop_id=scene.names["workshop"], slot=Slot(start, start + HOUR),
        resource_ids=(), animators=[inner.id("ana")], by=staff,
    )  # fmt: skip
    person, zone = scene.camille.id, lab.config.time_zone
    enrolments.enrol(db, lab.clock, zone, session_id=made.id, person_ids=[person], by=person)
    sessions.cancel_session(db, lab.clock, session_id=made.id, reason=scene.script("40"), by=staff)
    tap, undone, now = scene.script("41"), scene.script("42"), lab.clock.now()
    marks = [
        SentMark(inner.places["Bilal"], Mark(tap, now, Presence.PRESENT)),
        SentMark(inner.places["Driss"], Mark("m", now, None, undone)),
    ]
    attendance.take_marks(db, lab.clock, session_id=inner.running, marks=marks, by=inner.id("ana"))
    _award(scene, db)


def _award(scene: SecurityScene, db: Session) -> None:
    """Hand a certificate out that bears a workshop's title."""
    lab, lead, zone = scene.lab, scene.workshops.id("ana"), scene.lab.config.time_zone
    now, person = lab.clock.now(), scene.camille.id
    soon = sessions.schedule(
        db, lab.clock, workshop_id=scene.names["workshop"], slot=Slot(now + HOUR, now + 2 * HOUR),
        animators=[lead], by=lead,
    ).id  # fmt: skip
    (place,) = enrolments.enrol(
        db, lab.clock, zone, session_id=soon, person_ids=[person], by=person
    )
    marks = [SentMark(place.id, Mark("award", now, Presence.PRESENT))]
    attendance.take_marks(db, lab.clock, session_id=soon, marks=marks, by=lead)
    attendance.set_passed(db, lab.clock, enrolment_id=place.id, passed=True, by=lead)
    certificates.award(db, lab.clock, zone, session_id=soon, by=lead)


def _mail(scene: SecurityScene, db: Session) -> None:
    lab, pia = scene.lab, scene.workshops.id("pia")
    mail_queue.set_wish(
        db, lab.clock, person_id=pia, address="pia@example.org", wanted=True, by=pia
    )
    notices.tell(db, lab.clock, pia, Code.TASK_GIVEN, About())
    mail_queue.queue_up(db, lab.clock)
    errand = mail_queue.take(db, lab.clock)
    assert errand is not None
    mail_queue.note_refused(db, lab.clock, mail_id=errand.id, trouble=scene.script("43"))


def write_on_a_machine(scene: SecurityScene, db: Session, job: str) -> None:
    """Let machines say scripts, for whoever is in the lab's network can; note a material."""
    lab, person, now = scene.lab, scene.camille.id, scene.lab.clock.now()
    failed = MachineEvent(
        "printer-a", scene.script("50"), 1, EventKind.JOB_FAILED, job=job,
        trouble=scene.script("51"), reason=scene.script("52"), by=scene.script("53"),
    )  # fmt: skip
    events = (
        failed,
        replace(failed, boot="b", job=scene.script("54")),
        replace(failed, boot="c", kind=scene.script("55")),
        MachineEvent(
            "printer-b", scene.script("56"), 4, f"{INTERLOCK_PREFIX}{scene.script('57')}",
            trouble=scene.script("58"), reason=scene.script("59"), job=scene.script("60"),
            use=scene.script("61"), by=scene.script("62"),
        ),
    )  # fmt: skip
    for event in events:
        assert recording.record_event(db, lab.clock, event)
    (account,) = [one.id for one in accounts.accounts_of(db, person_id=person) if one.kind is None]
    use = Use(
        id="0123456789ab", resource_id="printer-b", person_id=person, account_id=account,
        opened_at=now - HOUR, closed_at=now, outcome="done",
    )  # fmt: skip
    db.add(use)
    db.flush()
    use_log.note_material(db, lab.clock, use_id=use.id, material=scene.script("63"), by=person)
