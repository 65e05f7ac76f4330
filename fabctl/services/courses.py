"""Courses: what they ask for, and what they say in each language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import InputError, UnknownIdError
from fabctl.i18n import languages
from fabctl.model.certification import Level
from fabctl.model.training import CourseRules, Expiry, language_for
from fabctl.services import lookups
from fabctl.services.audit import audit
from fabctl.services.rights import require_staff
from fabctl.store.ids import new_id
from fabctl.store.tables_training import (
    Course,
    CoursePrerequisite,
    CourseResource,
    CourseWording,
    QuizQuestion,
)


@dataclass(frozen=True, slots=True)
class Wording:
    """A course's title and description in one language."""

    title: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class CourseView:
    """A course as the rest of the program sees it."""

    id: str
    wording: Mapping[str, Wording]
    """By language."""
    resource_ids: tuple[str, ...]
    prerequisites: tuple[str, ...]
    """Machines on which a certification comes before."""
    rules: CourseRules
    expiry: Expiry
    retired_at: datetime | None = None

    def title(self, language: str | None) -> str:
        """Return the title in a language, or in the one that there is."""
        found = language_for(language, self.wording.keys())
        return self.wording[found].title if found else ""


def create_course(  # noqa: PLR0913  # what a course asks for, most of it may be left out
    session: Session,
    clock: Clock,
    *,
    wording: Mapping[str, Wording],
    resource_ids: Iterable[str],
    level: Level = Level.AUTONOMOUS,
    prerequisites: Iterable[str] = (),
    pass_mark: int = 80,
    first_job: bool = False,
    expiry: Expiry | None = None,
    by: str | None,
) -> CourseView:
    """Make a course; its quiz is added question by question.

    :param pass_mark: percent of the questions, 0 to 100.
    :raises RefusedError: staff-only.
    :raises InputError: no machine, no title, a mark or a number of months that cannot be.
    :raises UnknownIdError: no such machine.
    """
    require_staff(session, by)
    until, machines = expiry or Expiry(), list(dict.fromkeys(resource_ids))
    check_course(wording, machines, pass_mark, until)
    for resource_id in (*machines, *prerequisites):
        lookups.resource(session, resource_id)
    row = Course(
        id=new_id(),
        level=level.value,
        pass_mark=pass_mark,
        first_job=first_job,
        expiry_months=until.months,
        expiry_on=until.on,
        unused_months=until.unused_months,
        created_at=clock.now(),
    )
    session.add(row)
    session.flush()
    add_parts(session, row.id, wording, machines, prerequisites)
    details = {"resources": machines, "level": level.value, "pass_mark": pass_mark}
    audit(session, clock, by, "course.created", f"course:{row.id}", details)
    return get_course(session, row.id)


def check_course(
    wording: Mapping[str, Wording], machines: list[str], pass_mark: int, expiry: Expiry
) -> None:
    """Do nothing where a course can be so. For services only. :raises InputError: it cannot."""
    if not machines:
        raise InputError("a course certifies on one machine at least")
    if not wording or not all(one.title.strip() for one in wording.values()):
        raise InputError("a course has a title in one language at least")
    if unknown := set(wording) - set(languages()):
        raise InputError(f"no such language: {', '.join(sorted(unknown))}")
    if not 0 <= pass_mark <= 100:
        raise InputError("a pass mark is a percentage", limit="0 to 100")
    for months in (expiry.months, expiry.unused_months):
        if months is not None and not 1 <= months <= 240:
            raise InputError("no certification ends after so many months", limit="1 to 240")


def add_parts(
    session: Session,
    course_id: str,
    wording: Mapping[str, Wording],
    machines: Iterable[str],
    prerequisites: Iterable[str],
) -> None:
    """Write down what belongs to a course beside its row. For services only."""
    for language, said in wording.items():
        title, description = said.title.strip(), said.description.strip()
        session.add(
            CourseWording(
                course_id=course_id, language=language, title=title, description=description
            )
        )
    for resource_id in machines:
        session.add(CourseResource(course_id=course_id, resource_id=resource_id))
    for resource_id in dict.fromkeys(prerequisites):
        session.add(CoursePrerequisite(course_id=course_id, resource_id=resource_id))
    session.flush()


def reword_course(
    session: Session,
    clock: Clock,
    *,
    course_id: str,
    wording: Mapping[str, Wording],
    by: str | None,
) -> CourseView:
    """Say anew what a course is: title and description, in each of its languages.

    :raises RefusedError: staff-only.
    :raises InputError: no title, or a language that there is not.
    :raises UnknownIdError: no such course.
    """
    require_staff(session, by)
    course_row(session, course_id, lock=True)  # who words it at the same moment comes after
    found = get_course(session, course_id)
    check_course(wording, list(found.resource_ids), found.rules.pass_mark, found.expiry)
    session.execute(delete(CourseWording).where(CourseWording.course_id == course_id))
    add_parts(session, course_id, wording, (), ())
    audit(session, clock, by, "course.reworded", f"course:{course_id}")
    return get_course(session, course_id)


def retire_course(session: Session, clock: Clock, *, course_id: str, by: str | None) -> None:
    """Offer a course no more; its certifications stay.

    :raises RefusedError: staff-only.
    :raises UnknownIdError: no such course.
    """
    require_staff(session, by)
    row = course_row(session, course_id, lock=True)
    if row.retired_at is None:
        row.retired_at = clock.now()
        audit(session, clock, by, "course.retired", f"course:{course_id}")
        session.flush()


def course_row(session: Session, course_id: str, *, lock: bool = False) -> Course:
    """Return a course's row. For services only. :raises UnknownIdError: there is none.

    :param lock: let nobody else who asks so go on before this transaction ends.
    """
    row = session.get(
        Course, course_id, with_for_update=True if lock else None, populate_existing=lock
    )
    if row is None:
        raise UnknownIdError(f"there is no course {course_id!r}")
    return row


def get_course(session: Session, course_id: str) -> CourseView:
    """Return one course. :raises UnknownIdError: there is none."""
    return _views(session, [course_row(session, course_id)])[0]


def list_courses(
    session: Session, *, resource_id: str | None = None, retired: bool = False
) -> list[CourseView]:
    """Return the courses that are offered, the oldest first; of one machine only when asked.

    :param retired: also those that are not offered any more.
    """
    query = select(Course)
    if not retired:
        query = query.where(Course.retired_at.is_(None))
    if resource_id is not None:
        machines = select(CourseResource.course_id).where(CourseResource.resource_id == resource_id)
        query = query.where(Course.id.in_(machines))
    return _views(session, session.scalars(query.order_by(Course.created_at)).all())


def _views(session: Session, rows: Sequence[Course]) -> list[CourseView]:
    """Return courses with what belongs to them, in four queries."""
    ids = [row.id for row in rows]
    wordings: dict[str, dict[str, Wording]] = {one: {} for one in ids}
    for said in session.scalars(select(CourseWording).where(CourseWording.course_id.in_(ids))):
        wordings[said.course_id][said.language] = Wording(said.title, said.description)
    machines = _machines_of(session, CourseResource, ids)
    before = _machines_of(session, CoursePrerequisite, ids)
    asked = select(QuizQuestion.course_id).where(
        QuizQuestion.course_id.in_(ids), QuizQuestion.retired_at.is_(None)
    )
    with_quiz = set(session.scalars(asked))
    return [
        CourseView(
            id=row.id,
            wording=wordings[row.id],
            resource_ids=machines[row.id],
            prerequisites=before[row.id],
            rules=CourseRules(
                level=Level(row.level),
                has_quiz=row.id in with_quiz,
                pass_mark=row.pass_mark,
                first_job=row.first_job,
            ),
            expiry=Expiry(row.expiry_months, row.expiry_on, row.unused_months),
            retired_at=row.retired_at,
        )
        for row in rows
    ]


def _machines_of(
    session: Session, table: type[CourseResource | CoursePrerequisite], ids: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    query = select(table.course_id, table.resource_id).where(table.course_id.in_(ids))
    found: dict[str, list[str]] = {one: [] for one in ids}
    for course_id, resource_id in session.execute(query):
        found[course_id].append(resource_id)
    return {one: tuple(sorted(machines)) for one, machines in found.items()}
