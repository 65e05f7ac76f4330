"""The way through a course: checks by a trainer, certifying, suspending.

Where somebody stands in it is read by :mod:`fabctl.services.course_progress`.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.certification import Level, Standing
from fabctl.model.refusal import RefusedError
from fabctl.model.training import (
    CourseStep,
    fixed_end,
    level_after,
    level_if_passed,
    step_refusals,
)
from fabctl.services import certifications
from fabctl.services.audit import audit
from fabctl.services.certifications import CertificationView
from fabctl.services.course_progress import Progress, facts_of, progress
from fabctl.services.courses import CourseView, get_course
from fabctl.services.rights import certifying_refusals, require_reason, require_sees_training
from fabctl.store.tables_training import CourseCheck

__all__ = ["Progress", "facts_of", "progress", "record_check", "step_refusals", "suspend"]


def progress_for(
    session: Session, clock: Clock, *, course_id: str, person_id: str, by: str
) -> Progress:
    """Return where somebody stands, to whoever may see it.

    :raises UnknownIdError: no such course or person, or not theirs to see.
    """
    require_sees_training(session, clock, person_id=person_id, by=by)
    return progress(session, clock, course_id=course_id, person_id=person_id)


def certifications_for(
    session: Session, clock: Clock, *, person_id: str, by: str
) -> list[CertificationView]:
    """Return a person's certifications by machine, to whoever may see them.

    :raises UnknownIdError: no such person, or not theirs to see.
    """
    require_sees_training(session, clock, person_id=person_id, by=by)
    return certifications.of_person(session, clock, person_id=person_id)


def record_check(
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    course_id: str,
    person_id: str,
    passed: bool,
    by: str,
    step: CourseStep = CourseStep.PRACTICAL,
) -> Progress:
    """Put on record what a trainer saw; the last step of a course certifies.

    For somebody whom the course has certified before, the practical check alone renews.

    :param step: ``practical``, or ``first-job`` where the course asks for one.
    :raises RefusedError: an earlier step is missing, it is suspended, not-a-trainer, not-yourself,
        trainer-by-staff.
    :raises UnknownIdError: no such course or person.
    """
    course = get_course(session, course_id)
    facts = facts_of(session, clock, course_id=course_id, person_id=person_id)
    level = level_if_passed(facts, step) if passed else None
    refusals = certifying_refusals(
        session, clock, by=by, person_id=person_id, machines=course.resource_ids, level=level
    )
    if refusals := refusals or step_refusals(facts, step):
        raise RefusedError(refusals)
    now = clock.now()
    session.add(
        CourseCheck(
            course_id=course_id, person_id=person_id, step=step, passed=passed, at=now, by=by
        )
    )
    session.flush()
    details = {"course": course_id, "step": step.value, "passed": passed}
    audit(session, clock, by, "course.checked", f"person:{person_id}", details)
    if passed:
        _certify(session, clock, zone, course, person_id, by)
    return progress(session, clock, course_id=course_id, person_id=person_id)


def _certify(
    session: Session, clock: Clock, zone: ZoneInfo, course: CourseView, person_id: str, by: str
) -> None:
    """Grant what the steps done so far are worth, on every machine of the course."""
    level = level_after(facts_of(session, clock, course_id=course.id, person_id=person_id))
    if level is None:
        return
    for machine in course.resource_ids:
        if _holds_more(session, clock, person_id, machine, level):
            continue  # nobody loses a level by a course: it is taken away by hand, with a reason
        certifications.certify(
            session,
            clock,
            person_id=person_id,
            resource_id=machine,
            level=level,
            expires_at=fixed_end(course.expiry, clock.now(), zone),
            by=by,
            course_id=course.id,
            unused_months=course.expiry.unused_months,
        )


def _holds_more(session: Session, clock: Clock, person_id: str, machine: str, level: Level) -> bool:
    held = certifications.standings(session, machine, [person_id], clock.now()).get(person_id)
    if held is None or held.level is None or held.standing is not Standing.VALID:
        return False
    order = list(Level)
    return order.index(held.level) > order.index(level)


def suspend(
    session: Session, clock: Clock, *, person_id: str, resource_id: str, reason: str, by: str | None
) -> None:
    """Suspend a certification until it is reinstated.

    :raises RefusedError: not-a-trainer.
    :raises InputError: no reason was given.
    """
    said = require_reason(reason)
    _require_trainer(session, clock, person_id, resource_id, by, None, granting=False)
    certifications.suspend(
        session, clock, person_id=person_id, resource_id=resource_id, reason=said, by=by
    )


def reinstate(
    session: Session, clock: Clock, *, person_id: str, resource_id: str, by: str | None
) -> None:
    """End a suspension. :raises RefusedError: not-a-trainer, not-yourself, trainer-by-staff."""
    held = certifications.standings(session, resource_id, [person_id], clock.now()).get(person_id)
    _require_trainer(session, clock, person_id, resource_id, by, held.level if held else None)
    certifications.reinstate(session, clock, person_id=person_id, resource_id=resource_id, by=by)


def _require_trainer(  # who does what to whom, and where
    session: Session,
    clock: Clock,
    person_id: str,
    resource_id: str,
    by: str | None,
    level: Level | None,
    granting: bool = True,  # private, named at its one use
) -> None:
    refusals = certifying_refusals(
        session,
        clock,
        by=by,
        person_id=person_id,
        machines=[resource_id],
        granting=granting,
        level=level,
    )
    if refusals:
        raise RefusedError(refusals)


def grant_directly(
    session: Session,
    clock: Clock,
    *,
    person_id: str,
    resource_id: str,
    level: Level = Level.AUTONOMOUS,
    expires_at: datetime | None = None,
    reason: str,
    by: str,
) -> None:
    """Certify without a course, for instance somebody who was trained elsewhere; with a reason.

    :raises RefusedError: not-a-trainer, not-yourself, trainer-by-staff.
    :raises InputError: no reason was given.
    """
    said = require_reason(reason)
    _require_trainer(session, clock, person_id, resource_id, by, level)
    certifications.certify(
        session,
        clock,
        person_id=person_id,
        resource_id=resource_id,
        level=level,
        expires_at=expires_at,
        by=by,
    )
    details = {"resource": resource_id, "reason": said}
    audit(session, clock, by, "certification.without-course", f"person:{person_id}", details)
