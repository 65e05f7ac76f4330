"""Practical checks at a machine: who waits for one, who may do it, what was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Subquery, and_, func, or_, select, union_all
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.certification import Level, Standing
from fabctl.model.notice import Code
from fabctl.model.people import search_name
from fabctl.model.practical import criteria, pass_refusals
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.training import CourseStep, language_for, level_if_passed, step_refusals
from fabctl.services import certifications, notices, presence
from fabctl.services.audit import audit
from fabctl.services.certifications import CertificationView
from fabctl.services.course_progress import progress_in
from fabctl.services.courses import CourseView, get_course
from fabctl.services.notices import About
from fabctl.services.rights import certifying_refusals
from fabctl.services.training import Progress, facts_of, record_check
from fabctl.store.tables import Account, Certification, Person
from fabctl.store.tables_training import CertificationGrant, Course, CourseCheck, QuizAttempt

WAITED = timedelta(days=365)
"""Who has done nothing for so long is found by name, not on the list."""
MOST_FOUND = 20
SHORTEST_SEARCH = 2
BY_A_TRAINER = frozenset({CourseStep.PRACTICAL, CourseStep.FIRST_JOB})
"""The steps that a trainer sees."""
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
    return trainers_of(session, clock, courses=[course])[course.id]


def trainers_of(
    session: Session, clock: Clock, *, courses: Sequence[CourseView]
) -> dict[str, list[Trainer]]:
    """Return the same for several courses, by their ids, in few queries."""
    machines = {machine for course in courses for machine in course.resource_ids}
    query = (
        select(Person.id, Person.display_name)
        .join(Account, Account.person_id == Person.id)
        .join(Certification, Certification.person_id == Person.id)
        .where(
            Certification.resource_id.in_(machines),
            Certification.level == Level.TRAINER.value,
            Account.suspended_at.is_(None),
        )
        .distinct()
    )
    now, names = clock.now(), dict(session.execute(query).all())
    there = presence.in_lab(session, now) if names else set()
    held = certifications.held(session, names, machines, now)
    trains = {who: {one for one in machines if _trains(held.get((who, one)))} for who in names}
    found = sorted(
        (Trainer(one, name, one in there) for one, name in names.items()),
        key=lambda one: (not one.here, search_name(one.name)),
    )
    return {
        course.id: [one for one in found if trains[one.id].issuperset(course.resource_ids)]
        for course in courses
    }


def _trains(view: CertificationView | None) -> bool:
    return view is not None and view.trains


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
    return waiting_in(session, clock, courses=[get_course(session, course_id)], by=by)[course_id]


def waiting_in(
    session: Session, clock: Clock, *, courses: Sequence[CourseView], by: str
) -> dict[str, list[Trainee]]:
    """Return the same for several courses, by their ids, in few queries. For services only."""
    busy = _busy_with(session, clock, [one.id for one in courses])
    people = {who for found in busy.values() for who, _ in found}
    stands = progress_in(session, clock, courses=courses, person_ids=people)
    return {
        course: [
            Trainee(who, name, stands[course, who])
            for who, name in found
            if stands[course, who].next in BY_A_TRAINER and who != by
        ][:MOST_FOUND]
        for course, found in busy.items()
    }


def _busy_with(
    session: Session, clock: Clock, course_ids: Sequence[str]
) -> dict[str, list[tuple[str, str]]]:
    """Return who passed a quiz or was seen by a trainer lately, and was not certified since: id
    and name by course, the latest first.
    """
    since = clock.now() - WAITED
    steps = union_all(
        select(QuizAttempt.course_id, QuizAttempt.person_id, QuizAttempt.at).where(
            QuizAttempt.course_id.in_(course_ids),
            QuizAttempt.passed.is_(True),
            QuizAttempt.at > since,
        ),
        select(CourseCheck.course_id, CourseCheck.person_id, CourseCheck.at).where(
            CourseCheck.course_id.in_(course_ids), CourseCheck.at > since
        ),
    ).subquery()
    last = (
        select(steps.c.course_id, steps.c.person_id, func.max(steps.c.at).label("at"))
        .group_by(steps.c.course_id, steps.c.person_id)
        .subquery()
    )
    done = _certified_by(course_ids)
    same = and_(done.c.person_id == last.c.person_id, done.c.course_id == last.c.course_id)
    query = (
        select(last.c.course_id, Person.id, Person.display_name)
        .join(Person, Person.id == last.c.person_id)
        .outerjoin(done, same)
        .where(or_(done.c.at.is_(None), last.c.at > done.c.at))
        .order_by(last.c.at.desc(), Person.id)
    )
    found: dict[str, list[tuple[str, str]]] = {one: [] for one in course_ids}
    for course_id, who, name in session.execute(query):
        found[course_id].append((who, name))
    return found


def _certified_by(course_ids: Sequence[str]) -> Subquery:
    """Return when each course certified whom last, to its full level."""
    return (
        select(
            Course.id.label("course_id"),
            Certification.person_id,
            func.max(Certification.at).label("at"),
        )
        .join(CertificationGrant, CertificationGrant.course_id == Course.id)
        .join(Certification, Certification.id == CertificationGrant.certification_id)
        .where(Course.id.in_(course_ids), Certification.level == Course.level)
        .group_by(Course.id, Certification.person_id)
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

    The words go to the person only: the audit keeps its lines for ever, and theirs may be personal.

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
    details = {"course": course_id, "met": sorted(seen.met), "asked": asked}
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
