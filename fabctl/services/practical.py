"""Practical checks at a machine: who waits for one, who may do it, what was seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Subquery, func, or_, select, union_all
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.certification import Level, Standing
from fabctl.model.notice import Code
from fabctl.model.people import search_name
from fabctl.model.practical import criteria, pass_refusals
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.training import CourseStep, language_for, level_if_passed, step_refusals
from fabctl.services import notices, presence
from fabctl.services.audit import audit
from fabctl.services.certifications import CertificationView
from fabctl.services.courses import CourseView, get_course
from fabctl.services.notices import About
from fabctl.services.rights import certifying_refusals, trainer_on
from fabctl.services.training import Progress, facts_of, progress, record_check
from fabctl.store.tables import Account, Certification, Person
from fabctl.store.tables_training import CertificationGrant, CourseCheck, QuizAttempt

WAITED = timedelta(days=365)
"""Who has done nothing for so long is found by name, not on the list."""
MOST_FOUND = 20
SHORTEST_SEARCH = 2
_LEVELS = tuple(Level)
"""The lowest first."""


@dataclass(frozen=True, slots=True)
class Trainer:
    """Somebody who may certify on the machines of a course."""

    id: str
    name: str
    here: bool
    """Whether they are in the lab now."""


@dataclass(frozen=True, slots=True)
class Trainee:
    """Somebody who learns; ``progress`` is None where no course was asked about."""

    id: str
    name: str
    progress: Progress | None = None


def trainers(session: Session, clock: Clock, *, course: CourseView) -> list[Trainer]:
    """Return who may do a course's checks, those in the lab first. For those who are signed in."""
    query = (
        select(Person.id, Person.display_name)
        .join(Account, Account.person_id == Person.id)
        .join(Certification, Certification.person_id == Person.id)
        .where(
            Certification.resource_id.in_(course.resource_ids),
            Certification.level == Level.TRAINER.value,
            Account.suspended_at.is_(None),
        )
        .distinct()
    )
    now, machines = clock.now(), set(course.resource_ids)
    there = presence.in_lab(session, now)
    found = [
        Trainer(one, name, one in there)
        for one, name in session.execute(query).all()
        if trainer_on(session, now, one, machines) == machines
    ]
    return sorted(found, key=lambda one: (not one.here, search_name(one.name)))


def holds_already(course: CourseView, held: Mapping[str, CertificationView]) -> bool:
    """Say whether somebody holds what a course certifies, or more, on all its machines: from it,
    from another course, or without any.

    :param held: their certifications by machine.
    """
    least = _LEVELS.index(course.rules.level)
    found = [held.get(machine) for machine in course.resource_ids]
    return all(
        one is not None
        and one.standing in {Standing.VALID, Standing.SUPERVISED}
        and one.level is not None
        and _LEVELS.index(one.level) >= least
        for one in found
    )


def trains_on(session: Session, clock: Clock, *, resource_id: str, by: str) -> bool:
    """Say whether somebody may certify others on a machine: its trainers, and the staff."""
    return not certifying_refusals(
        session, clock, by=by, person_id=by, machines=[resource_id], granting=False
    )


def require_trains_on(session: Session, clock: Clock, *, resource_id: str, by: str) -> None:
    """Do nothing for trainers of a machine and the staff. :raises RefusedError: not-a-trainer."""
    refusals = certifying_refusals(
        session, clock, by=by, person_id=by, machines=[resource_id], granting=False
    )
    if refusals:
        raise RefusedError(refusals)


def awaiting_check(
    session: Session, clock: Clock, *, course_id: str, resource_id: str, by: str
) -> list[Trainee]:
    """Return who has done everything before a check of this course: the next step is a trainer's.

    Found by what they did in the last year; the latest first, 20 at most.

    :raises RefusedError: not-a-trainer.
    :raises UnknownIdError: no such course.
    """
    require_trains_on(session, clock, resource_id=resource_id, by=by)
    found = []
    for person_id, name in _busy_with(session, clock, course_id):
        stands = progress(session, clock, course_id=course_id, person_id=person_id)
        if stands.next in {CourseStep.PRACTICAL, CourseStep.FIRST_JOB} and person_id != by:
            found.append(Trainee(person_id, name, stands))
        if len(found) == MOST_FOUND:
            break
    return found


def _busy_with(session: Session, clock: Clock, course_id: str) -> list[tuple[str, str]]:
    """Return who passed a quiz or was seen by a trainer lately, and was not certified since: id
    and name, the latest first.
    """
    since = clock.now() - WAITED
    steps = union_all(
        select(QuizAttempt.person_id, QuizAttempt.at).where(
            QuizAttempt.course_id == course_id,
            QuizAttempt.passed.is_(True),
            QuizAttempt.at > since,
        ),
        select(CourseCheck.person_id, CourseCheck.at).where(
            CourseCheck.course_id == course_id, CourseCheck.at > since
        ),
    ).subquery()
    last = (
        select(steps.c.person_id, func.max(steps.c.at).label("at"))
        .group_by(steps.c.person_id)
        .subquery()
    )
    done = _certified_by(course_id, get_course(session, course_id).rules.level)
    query = (
        select(Person.id, Person.display_name)
        .join(last, last.c.person_id == Person.id)
        .outerjoin(done, done.c.person_id == Person.id)
        .where(or_(done.c.at.is_(None), last.c.at > done.c.at))
        .order_by(last.c.at.desc(), Person.id)
    )
    return [(one, name) for one, name in session.execute(query)]


def _certified_by(course_id: str, level: Level) -> Subquery:
    """Return when a course certified whom last, to its full level."""
    return (
        select(Certification.person_id, func.max(Certification.at).label("at"))
        .join(CertificationGrant, CertificationGrant.certification_id == Certification.id)
        .where(CertificationGrant.course_id == course_id, Certification.level == level.value)
        .group_by(Certification.person_id)
        .subquery()
    )


def find(session: Session, clock: Clock, *, resource_id: str, words: str, by: str) -> list[Trainee]:
    """Return people by name, for whoever trains on a machine; at most 20, none for one letter.

    :raises RefusedError: not-a-trainer.
    """
    require_trains_on(session, clock, resource_id=resource_id, by=by)
    wanted = search_name(words).split()
    if len("".join(wanted)) < SHORTEST_SEARCH:
        return []
    query = select(Person.id, Person.display_name)
    people = sorted((search_name(name), one, name) for one, name in session.execute(query))
    fits = (Trainee(one, name) for said, one, name in people if all(w in said for w in wanted))
    return [one for one, _ in zip(fits, range(MOST_FOUND), strict=False)]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a trainer saw somebody do."""

    passed: bool
    step: CourseStep = CourseStep.PRACTICAL
    met: frozenset[int] = frozenset()
    """The places of the criteria that are met, from 0, as listed in ``language``."""
    language: str | None = None
    words: str | None = None
    """To the person."""


def record_seen(
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    course_id: str,
    person_id: str,
    seen: Seen,
    by: str,
) -> Progress:
    """Put on record what a trainer saw at the machine, and tell the person, with their words.

    :raises RefusedError: criteria-missing, and what :func:`record_check` refuses.
    :raises UnknownIdError: no such course or person.
    """
    course = get_course(session, course_id)
    practical = seen.step is CourseStep.PRACTICAL
    asked = len(criteria_of(course, seen.language)) if practical else 0
    refusals = pass_refusals(asked, seen.met) if seen.passed else []
    if refusals:
        raise RefusedError(refusals)
    found = record_check(
        session,
        clock,
        zone,
        course_id=course_id,
        person_id=person_id,
        passed=seen.passed,
        by=by,
        step=seen.step,
    )
    details = {"course": course_id, "met": sorted(seen.met), "asked": asked, "words": seen.words}
    audit(session, clock, by, "course.seen", f"person:{person_id}", details)
    code = Code.CHECK_PASSED if seen.passed else Code.CHECK_NOT_PASSED
    about = About(
        resource_id=course.resource_ids[0], subject=f"course:{course_id}", words=seen.words
    )
    notices.tell(session, clock, person_id, code, about)
    return found


def check_refusals(
    session: Session, clock: Clock, *, course_id: str, person_id: str, step: CourseStep, by: str
) -> list[Refusal]:
    """Say why somebody may not put this check of a person on record now.

    :raises UnknownIdError: no such course or person.
    """
    course = get_course(session, course_id)
    facts = facts_of(session, clock, course_id=course_id, person_id=person_id)
    against = certifying_refusals(
        session,
        clock,
        by=by,
        person_id=person_id,
        machines=course.resource_ids,
        level=level_if_passed(facts, step),
    )
    return against or step_refusals(facts, step)


def criteria_of(course: CourseView, language: str | None) -> tuple[str, ...]:
    """Return a course's criteria in a language, or in the one that there is."""
    found = language_for(language, course.wording.keys())
    return criteria(course.wording[found].description) if found else ()
