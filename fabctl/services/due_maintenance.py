"""What the clock asks of planned maintenance: the steward makes each time's task once.

The database's key keeps a task from being made twice, whoever asks, also after downtime. Hours are
those of the log of uses: what the interlock counted where a machine has one, else how long people
had it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from math import isfinite

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.maintenance import Rhythm, Unit, Work, comes_back_at, runs_over_at
from fabctl.services.audit import audit
from fabctl.services.due_training import Done
from fabctl.services.due_work import Due, note_once
from fabctl.services.notices import About
from fabctl.store.engine import zone_of
from fabctl.store.ids import new_id
from fabctl.store.tables import Resource, Use
from fabctl.store.tables_upkeep import MaintenancePlan, UpkeepTask
from fabctl.store.upsert import insert_unless_there


def do_due_maintenance(session: Session, clock: Clock) -> list[Done]:
    """Make the task of every plan that is due, once; return what was made now.

    A task is due at the moment when the hours ran over or the date came, whichever was first,
    whenever the steward comes to it.
    """
    query = (
        select(MaintenancePlan)
        .join(Resource, Resource.id == MaintenancePlan.resource_id)
        .outerjoin(UpkeepTask, _this_time())
        .where(
            MaintenancePlan.ended_at.is_(None),
            Resource.retired_at.is_(None),
            UpkeepTask.id.is_(None),
        )
        .order_by(MaintenancePlan.id)
    )
    found = []
    for row in session.scalars(query).all():
        due_at = _due_at(session, clock, row)
        if due_at is not None and (done := _make_task(session, clock, row, due_at)):
            found.append(done)
    return found


def _due_at(session: Session, clock: Clock, row: MaintenancePlan) -> datetime | None:
    """Return since when a plan is due; None: it is not."""
    found = []
    if isfinite(row.every_hours):
        limit = timedelta(hours=row.every_hours)
        found.append(runs_over_at(works_of(session, clock, [row])[row.id], row.counted_from, limit))
    comes_back = next_date(session, row)
    found.append(comes_back if comes_back and comes_back <= clock.now() else None)
    return min((at for at in found if at is not None), default=None)


def rhythm_of(row: MaintenancePlan) -> Rhythm | None:
    """Return every how many weeks or months a plan comes back; None: by hours only."""
    if row.every_count is None or row.every_unit is None:
        return None
    return Rhythm(row.every_count, Unit(row.every_unit))


def next_date(session: Session, row: MaintenancePlan) -> datetime | None:
    """Return when a plan comes back by date; None: by hours only. For services only."""
    rhythm = rhythm_of(row)
    return comes_back_at(row.counted_from, rhythm, zone_of(session)) if rhythm else None


def _this_time() -> ColumnElement[bool]:
    """Return the condition for a row of ``upkeep_task``: it is that of a plan's next time."""
    return and_(UpkeepTask.plan_id == MaintenancePlan.id, UpkeepTask.cycle == MaintenancePlan.cycle)


def _make_task(
    session: Session, clock: Clock, row: MaintenancePlan, due_at: datetime
) -> Done | None:
    values = {
        "id": new_id(),
        "resource_id": row.resource_id,
        "plan_id": row.id,
        "cycle": row.cycle,
        "title": row.title,
        "details": row.instructions,
        "owner_id": row.owner_id,
        "due_at": due_at,
        "created_at": clock.now(),
    }
    if not insert_unless_there(session, UpkeepTask, values):
        return None
    subject = f"task:{values['id']}"
    about = About(resource_id=row.resource_id, words=row.title)
    note_once(session, clock, Due.MAINTENANCE_DUE, subject, due_at, row.owner_id, about)
    details = {"resource": row.resource_id, "plan": row.id, "cycle": row.cycle}
    audit(session, clock, None, "task.made", subject, details)
    return Done(Due.MAINTENANCE_DUE, subject, due_at, row.owner_id)


def works_of(
    session: Session, clock: Clock, rows: Collection[MaintenancePlan]
) -> dict[str, list[Work]]:
    """Return the uses that count for the hours of plans, by the plans' ids, oldest first; in two
    queries. For services only.
    """
    machines = {row.resource_id for row in rows}
    if not machines:
        return {}
    of_machines = Use.resource_id.in_(machines)
    metered = select(Use.resource_id).where(of_machines, Use.ran_s.is_not(None)).distinct()
    with_meter = set(session.scalars(metered))
    oldest = min(row.counted_from for row in rows)
    query = select(Use.resource_id, Use.opened_at, Use.closed_at, Use.ran_s).where(
        of_machines, or_(Use.closed_at > oldest, Use.closed_at.is_(None))
    )
    now = clock.now()
    used: dict[str, list[tuple[datetime | None, Work]]] = {one: [] for one in machines}
    for where, opened_at, closed_at, ran_s in session.execute(
        query.order_by(Use.opened_at, Use.id)
    ):
        end = max(opened_at, closed_at or now)
        work = _work(opened_at, end, ran_s, has_meter=where in with_meter)
        used[where].append((closed_at, work))
    return {
        row.id: [
            work
            for closed_at, work in used[row.resource_id]
            if closed_at is None or closed_at > row.counted_from
        ]
        for row in rows
    }


def _work(begin: datetime, end: datetime, ran_s: float | None, *, has_meter: bool) -> Work:
    """Say how long a use counts: where there is an interlock, only what it counted as work."""
    return Work(begin, end, (ran_s or 0.0) if has_meter else (end - begin).total_seconds())
