"""Tasks for the team, each with an owner: repairs, orders, cleaning, planned maintenance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.model.people import Role
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.upkeep import (
    LONG,
    SHORT,
    TaskFacts,
    owner_refusals,
    repair_refusals,
    task_refusals,
    words_refusals,
)
from fabctl.services import lookups
from fabctl.services.audit import audit, person_in
from fabctl.services.due_work import Due, note_once
from fabctl.services.maintenance import note_done
from fabctl.services.newest_first import before
from fabctl.services.notices import About
from fabctl.services.rights import is_staff, require_staff
from fabctl.store.ids import new_id
from fabctl.store.tables_upkeep import ProblemReport, UpkeepTask


@dataclass(frozen=True, slots=True)
class TaskView:
    """Something somebody of the team is to do."""

    id: str
    resource_id: str | None
    problem_id: str | None
    plan_id: str | None
    """Of the planned maintenance that it is; None: somebody made it."""
    title: str
    details: str
    owner_id: str
    due_at: datetime | None
    created_at: datetime
    ended_at: datetime | None
    outcome: str | None
    """``done`` or ``dropped``; None: it is to be done."""
    note: str | None


def add_task(  # noqa: PLR0913  # what, about what, by whom, until when
    session: Session,
    clock: Clock,
    *,
    title: str,
    owner_id: str,
    details: str = "",
    resource_id: str | None = None,
    problem_id: str | None = None,
    due_at: datetime | None = None,
    by: str | None,
) -> TaskView:
    """Give somebody of the team a task; they are told on their page.

    :param problem_id: the report that it answers; the resource is the report's then.
    :raises RefusedError: not of the staff; the words; the owner is a member; the report is
        settled, or somebody has it as a task already.
    :raises UnknownIdError: no such person, resource or report.
    """
    require_staff(session, by)
    title, details = title.strip(), details.strip()
    owner = Role(lookups.person(session, owner_id).role)
    refusals = [
        *words_refusals(title, SHORT),
        *words_refusals(details, LONG, needed=False),
        *owner_refusals(owner),
    ]
    report = _report(session, problem_id)
    refusals += _repair(session, report)
    if refusals:
        raise RefusedError(refusals)
    row = UpkeepTask(
        id=new_id(),
        resource_id=report.resource_id if report else _resource(session, resource_id),
        report_id=problem_id,
        title=title,
        details=details,
        owner_id=owner_id,
        due_at=due_at,
        created_at=clock.now(),
    )
    session.add(row)
    session.flush()
    facts = {"owner": owner_id, **({"problem": problem_id} if problem_id else {})}
    audit(session, clock, by, "task.made", f"task:{row.id}", facts)
    _tell_owner(session, clock, row)
    return task_view(row)


def _tell_owner(session: Session, clock: Clock, row: UpkeepTask) -> None:
    about, subject = About(resource_id=row.resource_id, words=row.title), f"task:{row.id}"
    note_once(session, clock, Due.TASK_GIVEN, subject, clock.now(), row.owner_id, about)


def _resource(session: Session, resource_id: str | None) -> str | None:
    return lookups.resource(session, resource_id).id if resource_id is not None else None


def _report(session: Session, problem_id: str | None) -> ProblemReport | None:
    """Return the report that a task answers, held: two taps at once make one task."""
    if problem_id is None:
        return None
    found = session.get(ProblemReport, problem_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise UnknownIdError(f"there is no problem {problem_id!r}")
    return found


def _repair(session: Session, report: ProblemReport | None) -> list[Refusal]:
    if report is None:
        return []
    open_one = select(UpkeepTask.id).where(
        UpkeepTask.report_id == report.id, UpkeepTask.ended_at.is_(None)
    )
    in_hand = session.scalars(open_one).first() is not None
    return repair_refusals(settled=report.settled_at is not None, in_hand=in_hand)


def give_task(
    session: Session, clock: Clock, *, task_id: str, owner_id: str, by: str | None
) -> TaskView:
    """Give a task to somebody else of the team.

    :raises RefusedError: not of the staff; it has ended; the owner is a member.
    :raises UnknownIdError: no such task or person.
    """
    require_staff(session, by)
    row = _row(session, task_id, lock=True)
    owner = Role(lookups.person(session, owner_id).role)
    refusals = _ending(session, row, by, dropping=False) + owner_refusals(owner)
    if refusals:
        raise RefusedError(refusals)
    if row.owner_id != owner_id:
        row.owner_id = owner_id
        audit(session, clock, by, "task.given", f"task:{task_id}", {"owner": owner_id})
        _tell_owner(session, clock, row)
        session.flush()
    return task_view(row)


def finish_task(
    session: Session, clock: Clock, *, task_id: str, note: str = "", by: str | None
) -> TaskView:
    """Note that a task is done; that of a planned maintenance begins its hours anew.

    :raises RefusedError: somebody else's, and not of the staff; it has ended.
    :raises UnknownIdError: no such task.
    """
    row, note = _ended(session, task_id, note, by, dropping=False)
    if row.plan_id is not None:
        _note_planned(session, clock, row, note, by)
    else:
        end_task(session, clock, row, "done", note, by)
    return task_view(row)


def _note_planned(
    session: Session, clock: Clock, row: UpkeepTask, note: str, by: str | None
) -> None:
    """Note the maintenance. Who owns the task may, also where the plan has another owner."""
    assert row.plan_id is not None  # noqa: S101  # asked by the caller
    note_done(session, clock, plan_id=row.plan_id, by=by, note=note, cycle=row.cycle, entitled=True)


def drop_task(
    session: Session, clock: Clock, *, task_id: str, reason: str, by: str | None
) -> TaskView:
    """End a task that nobody will do, with a reason.

    :raises RefusedError: somebody else's, and not of the staff; it has ended; it is planned
        maintenance; no reason.
    :raises UnknownIdError: no such task.
    """
    row, reason = _ended(session, task_id, reason, by, dropping=True)
    end_task(session, clock, row, "dropped", reason, by)
    return task_view(row)


def _ended(
    session: Session, task_id: str, words: str, by: str | None, *, dropping: bool
) -> tuple[UpkeepTask, str]:
    row, words = _row(session, task_id, lock=True), words.strip()
    refusals = _ending(session, row, by, dropping=dropping)
    refusals += words_refusals(words, LONG, needed=dropping)
    if refusals:
        raise RefusedError(refusals)
    return row, words


def _ending(session: Session, row: UpkeepTask, by: str | None, *, dropping: bool) -> list[Refusal]:
    return task_refusals(
        TaskFacts(
            staff=is_staff(session, by),
            owner=row.owner_id == by,
            ended=row.ended_at is not None,
            planned=row.plan_id is not None,
            dropping=dropping,
        )
    )


def end_task(
    session: Session, clock: Clock, row: UpkeepTask, outcome: str, note: str, by: str | None
) -> None:
    """Write that a task has ended, ``done`` or ``dropped``; the caller has seen to the rights."""
    row.ended_at, row.ended_by = clock.now(), person_in(by)
    row.outcome, row.note = outcome, note or None
    audit(session, clock, by, f"task.{outcome}", f"task:{row.id}")
    session.flush()


def get_task(session: Session, *, task_id: str, by: str | None) -> TaskView:
    """Return a task: its owner's; the staff's any.

    :raises UnknownIdError: no such task, or not theirs to see.
    """
    row = _row(session, task_id)
    if row.owner_id != by and not is_staff(session, by):
        raise UnknownIdError(f"there is no task {task_id!r}")
    return task_view(row)


def list_tasks(  # noqa: PLR0913  # what to look for, most of it may be left out
    session: Session,
    *,
    by: str | None,
    owner_id: str | None = None,
    resource_id: str | None = None,
    open_only: bool = True,
    planned: bool = True,
    mine_first: bool = False,
    limit: int = 50,
    after: tuple[datetime, str] | None = None,
) -> list[TaskView]:
    """Return tasks, newest first: one's own; the staff anybody's.

    :param owner_id: whose; None: everybody's, for the staff only.
    :param planned: also those of planned maintenance.
    :param mine_first: one's own before the others'; not with ``after``.
    :param after: when and which the last one of the page before was.
    :raises RefusedError: other people's tasks, and not of the staff.
    """
    if owner_id is None or owner_id != by:
        require_staff(session, by)
    query = select(UpkeepTask)
    if mine_first:
        query = query.order_by(case((UpkeepTask.owner_id == by, 0), else_=1))
    query = query.order_by(UpkeepTask.created_at.desc(), UpkeepTask.id.desc())
    if not planned:
        query = query.where(UpkeepTask.plan_id.is_(None))
    if owner_id is not None:
        query = query.where(UpkeepTask.owner_id == owner_id)
    if resource_id is not None:
        query = query.where(UpkeepTask.resource_id == resource_id)
    if open_only:
        query = query.where(UpkeepTask.ended_at.is_(None))
    if after is not None:
        query = query.where(before(UpkeepTask.created_at, UpkeepTask.id, after))
    return [task_view(row) for row in session.scalars(query.limit(limit))]


def _row(session: Session, task_id: str, *, lock: bool = False) -> UpkeepTask:
    row = session.get(
        UpkeepTask, task_id, with_for_update=True if lock else None, populate_existing=lock
    )
    if row is None:
        raise UnknownIdError(f"there is no task {task_id!r}")
    return row


def task_view(row: UpkeepTask) -> TaskView:
    """Return a row of the table, for its owner and the staff."""
    return TaskView(
        id=row.id,
        resource_id=row.resource_id,
        problem_id=row.report_id,
        plan_id=row.plan_id,
        title=row.title,
        details=row.details,
        owner_id=row.owner_id,
        due_at=row.due_at,
        created_at=row.created_at,
        ended_at=row.ended_at,
        outcome=row.outcome,
        note=row.note,
    )
