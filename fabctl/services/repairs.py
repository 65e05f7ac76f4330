"""A problem and the task that answers it: made of it in one step, ended with it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.services.rights import require_staff
from fabctl.services.upkeep_tasks import TaskView, add_task, end_task, task_view
from fabctl.store.tables_upkeep import ProblemReport, UpkeepTask


def take_on(
    session: Session,
    clock: Clock,
    *,
    problem_id: str,
    words: str,
    by: str,
    owner_id: str | None = None,
) -> TaskView:
    """Make a task of a problem in one step: its words are the report's, it points back to it.

    :param words: the title, where the report has none of its own.
    :param owner_id: who does it; None: whoever asks.
    :raises RefusedError: not of the staff; the owner is a member; the problem is settled, or
        somebody has it as a task already.
    :raises UnknownIdError: no such report or person.
    """
    require_staff(session, by)
    report = session.get(ProblemReport, problem_id)
    if report is None:
        raise UnknownIdError(f"there is no problem {problem_id!r}")
    return add_task(
        session,
        clock,
        title=report.summary or words,
        details=report.details,
        problem_id=problem_id,
        owner_id=owner_id or by,
        by=by,
    )


def repairs_of(session: Session, *, problem_ids: Sequence[str], by: str) -> dict[str, TaskView]:
    """Return the newest task of each of these problems that has one, open or ended.

    :raises RefusedError: not of the staff.
    """
    require_staff(session, by)
    query = select(UpkeepTask).where(UpkeepTask.report_id.in_(problem_ids))
    rows = session.scalars(query.order_by(UpkeepTask.created_at, UpkeepTask.id))
    return {row.report_id: task_view(row) for row in rows if row.report_id is not None}


def end_repairs(
    session: Session, clock: Clock, *, problem_id: str, note: str, by: str | None
) -> None:
    """End what is open of the tasks of a problem that is settled: they are done.

    The caller has seen to the rights.
    """
    query = select(UpkeepTask).where(
        UpkeepTask.report_id == problem_id, UpkeepTask.ended_at.is_(None)
    )
    for row in session.scalars(query).all():
        end_task(session, clock, row, "done", note, by)
