"""Where people stand in courses: read for one of them, or for many at once in few queries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.certification import Standing
from fabctl.model.training import CourseFacts, CourseStep, next_step
from fabctl.services import lookups
from fabctl.services.certifications import CertificationView, held
from fabctl.services.courses import CourseView, get_course
from fabctl.store.tables import Certification
from fabctl.store.tables_training import CertificationGrant, Course, CourseCheck, QuizAttempt

Pair = tuple[str, str]
"""A course's id and a person's."""

_WORST_FIRST = (
    Standing.SUSPENDED,
    Standing.NONE,
    Standing.EXPIRED,
    Standing.SUPERVISED,
    Standing.VALID,
)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where somebody stands in a course."""

    course_id: str
    done: tuple[CourseStep, ...]
    next: CourseStep | None
    """None: all steps are done."""
    standing: Standing
    """On the course's machines: the worst of them."""
    renewable: bool
    """Whether the practical check alone is enough."""


@dataclass(frozen=True, slots=True)
class _Record:
    """What is written of people and courses."""

    since: dict[Pair, datetime]
    """When a course certified somebody last, to its full level; not there: never."""
    quizzes: dict[Pair, datetime]
    """When a quiz was passed last."""
    checks: dict[tuple[str, str, CourseStep], datetime]
    """When a check was passed last."""
    held: dict[tuple[str, str], CertificationView]
    """By person and machine."""

    def facts(self, course: CourseView, person_id: str) -> CourseFacts:
        pair = course.id, person_id
        since = self.since.get(pair)
        return CourseFacts(
            rules=course.rules,
            prerequisites_met=all(
                self._standing(person_id, machine) is Standing.VALID
                for machine in course.prerequisites
            ),
            quiz_passed=_after(self.quizzes.get(pair), since),
            practical_passed=_after(self.checks.get((*pair, CourseStep.PRACTICAL)), since),
            first_job_done=_after(self.checks.get((*pair, CourseStep.FIRST_JOB)), since),
            standing=self._worst(course, person_id),
            held_before=since is not None,
        )

    def _worst(self, course: CourseView, person_id: str) -> Standing:
        found = {self._standing(person_id, machine) for machine in course.resource_ids}
        return next(standing for standing in _WORST_FIRST if standing in found)

    def _standing(self, person_id: str, machine: str) -> Standing:
        view = self.held.get((person_id, machine))
        return view.standing if view else Standing.NONE


def _after(at: datetime | None, since: datetime | None) -> bool:
    """Say whether a step was passed since the course certified last: a renewal begins anew."""
    return at is not None and (since is None or at > since)


def _record(
    session: Session, courses: Sequence[CourseView], people: Collection[str], now: datetime
) -> _Record:
    ids = [one.id for one in courses]
    quizzes = (
        select(QuizAttempt.course_id, QuizAttempt.person_id, func.max(QuizAttempt.at))
        .where(
            QuizAttempt.course_id.in_(ids),
            QuizAttempt.person_id.in_(people),
            QuizAttempt.passed.is_(True),
        )
        .group_by(QuizAttempt.course_id, QuizAttempt.person_id)
    )
    checks = (
        select(
            CourseCheck.course_id, CourseCheck.person_id, CourseCheck.step, func.max(CourseCheck.at)
        )
        .where(
            CourseCheck.course_id.in_(ids),
            CourseCheck.person_id.in_(people),
            CourseCheck.passed.is_(True),
        )
        .group_by(CourseCheck.course_id, CourseCheck.person_id, CourseCheck.step)
    )
    machines = {m for one in courses for m in (*one.resource_ids, *one.prerequisites)}
    return _Record(
        since=_certified(session, ids, people),
        quizzes={(course, who): at for course, who, at in session.execute(quizzes)},
        checks={
            (course, who, CourseStep(step)): at for course, who, step, at in session.execute(checks)
        },
        held=held(session, people, machines, now),
    )


def _certified(
    session: Session, ids: Sequence[str], people: Collection[str]
) -> dict[Pair, datetime]:
    query = (
        select(Course.id, Certification.person_id, func.max(Certification.at))
        .join(CertificationGrant, CertificationGrant.course_id == Course.id)
        .join(Certification, Certification.id == CertificationGrant.certification_id)
        .where(
            Course.id.in_(ids),
            Certification.person_id.in_(people),
            Certification.level == Course.level,
        )
        .group_by(Course.id, Certification.person_id)
    )
    return {(course, who): at for course, who, at in session.execute(query)}


def facts_of(session: Session, clock: Clock, *, course_id: str, person_id: str) -> CourseFacts:
    """Return what the rules of a course look at.

    :raises UnknownIdError: no such course or person.
    """
    course = get_course(session, course_id)
    lookups.person(session, person_id)
    return _record(session, [course], [person_id], clock.now()).facts(course, person_id)


def progress(session: Session, clock: Clock, *, course_id: str, person_id: str) -> Progress:
    """Return where somebody stands in a course.

    :raises UnknownIdError: no such course or person.
    """
    facts = facts_of(session, clock, course_id=course_id, person_id=person_id)
    return _progress(course_id, facts)


def progress_in(
    session: Session, clock: Clock, *, courses: Sequence[CourseView], person_ids: Iterable[str]
) -> dict[Pair, Progress]:
    """Return where people stand in courses, by course and person, in five queries at most."""
    people = set(person_ids)
    record = _record(session, courses, people, clock.now())
    return {
        (course.id, who): _progress(course.id, record.facts(course, who))
        for course in courses
        for who in people
    }


def _progress(course_id: str, facts: CourseFacts) -> Progress:
    valid = facts.standing is Standing.VALID and facts.held_before
    step = None if valid else next_step(facts)
    if step is None and facts.standing is Standing.SUPERVISED and not facts.held_before:
        step = CourseStep.PRACTICAL  # the first job that they waited for is not asked any more
    steps = facts.rules.steps
    done = steps if step is None else steps[: steps.index(step)]
    return Progress(course_id, done, step, facts.standing, facts.held_before)
