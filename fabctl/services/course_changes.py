"""Changing what a course asks for. Certifications that were given stay as they were given.

Their end is written into each of them. Who passed the quiz has passed it. On a machine that is
added nobody is certified by this: who held the course's certification renews it there by the
practical check alone. One that is taken out leaves certifications on it as they are.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.training import Expiry
from fabctl.services import lookups
from fabctl.services.audit import audit
from fabctl.services.courses import CourseView, add_parts, check_course, course_row, get_course
from fabctl.services.rights import require_staff
from fabctl.store.tables import Certification
from fabctl.store.tables_training import (
    CertificationGrant,
    CoursePrerequisite,
    CourseResource,
)


def change_course(  # noqa: PLR0913  # what a course asks for, any of it may be left out
    session: Session,
    clock: Clock,
    *,
    course_id: str,
    resource_ids: Iterable[str] | None = None,
    prerequisites: Iterable[str] | None = None,
    pass_mark: int | None = None,
    first_job: bool | None = None,
    expiry: Expiry | None = None,
    by: str | None,
) -> CourseView:
    """Change what a course asks for; None: this stays. Its level never changes: another level
    is another course.

    :param resource_ids: all machines that it certifies on then, one at least.
    :param prerequisites: all machines on which a certification comes before then.
    :param pass_mark: percent of the questions, 0 to 100.
    :param expiry: until when a certification holds that is given from now on.
    :raises RefusedError: staff-only.
    :raises InputError: no machine, a mark or a number of months that cannot be.
    :raises UnknownIdError: no such course or machine.
    """
    require_staff(session, by)
    row = course_row(session, course_id, lock=True)
    was = get_course(session, course_id)
    machines = was.resource_ids if resource_ids is None else tuple(dict.fromkeys(resource_ids))
    before = was.prerequisites if prerequisites is None else tuple(dict.fromkeys(prerequisites))
    mark = was.rules.pass_mark if pass_mark is None else pass_mark
    until = expiry or was.expiry
    check_course(was.wording, list(machines), mark, until)
    for one in {*machines, *before} - {*was.resource_ids, *was.prerequisites}:
        lookups.resource(session, one)
    row.pass_mark = mark
    row.first_job = was.rules.first_job if first_job is None else first_job
    row.expiry_months, row.expiry_on, row.unused_months = (
        until.months,
        until.on,
        until.unused_months,
    )
    for table in (CourseResource, CoursePrerequisite):
        session.execute(delete(table).where(table.course_id == course_id))
    add_parts(session, course_id, {}, machines, before)
    after = get_course(session, course_id)
    if changed := _different(was, after):
        audit(session, clock, by, "course.changed", f"course:{course_id}", changed)
        session.flush()
    return after


def _different(was: CourseView, now: CourseView) -> dict[str, object]:
    """Return what is different, as it was."""
    pairs = {
        "resources": (list(was.resource_ids), list(now.resource_ids)),
        "prerequisites": (list(was.prerequisites), list(now.prerequisites)),
        "pass_mark": (was.rules.pass_mark, now.rules.pass_mark),
        "first_job": (was.rules.first_job, now.rules.first_job),
        "months": (was.expiry.months, now.expiry.months),
        "on": (str(was.expiry.on), str(now.expiry.on)),
        "unused_months": (was.expiry.unused_months, now.expiry.unused_months),
    }
    different = {name: before for name, (before, after) in pairs.items() if before != after}
    return {"was": different} if different else {}


def certified_by(session: Session, *, course_id: str, by: str | None) -> int:
    """Return how many people a course has certified, whatever became of it: no names.

    :raises RefusedError: staff-only.
    """
    require_staff(session, by)
    query = (
        select(func.count(Certification.person_id.distinct()))
        .join(CertificationGrant, CertificationGrant.certification_id == Certification.id)
        .where(CertificationGrant.course_id == course_id)
    )
    return session.scalar(query) or 0
