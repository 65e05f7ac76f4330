"""Planned maintenance by hours of use and by date: plans, and what was done.

The steward makes their tasks: :mod:`fabctl.services.due_maintenance`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf, isfinite
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.model import maintenance as rules
from fabctl.model.maintenance import DoneFacts, Rhythm, Work, done_refusals, rhythm_refusals
from fabctl.model.people import Role
from fabctl.model.refusal import RefusedError
from fabctl.model.upkeep import LONG, SHORT, owner_refusals, words_refusals
from fabctl.services import lookups
from fabctl.services.audit import audit, person_in
from fabctl.services.due_maintenance import next_date, rhythm_of, works_of
from fabctl.services.rights import is_staff, require_staff
from fabctl.store.ids import new_id
from fabctl.store.tables_upkeep import MaintenanceDone, MaintenancePlan, UpkeepTask


@dataclass(frozen=True, slots=True)
class PlanView:
    """What is to be done to a machine after so many hours of work, or so many weeks or months."""

    id: str
    resource_id: str
    title: str
    instructions: str
    every_hours: float | None
    """None: by date only."""
    rhythm: Rhythm | None
    """None: by hours only."""
    owner_id: str
    counted_from: datetime
    """When it was done last, or planned."""
    cycle: int
    """How often it was done."""
    hours: float
    """Of use since then."""
    due_on: datetime | None
    """When it comes back by date; None: by hours only."""
    share: float
    """How near it is: the part of the hours or of the days that is over, the larger; 1: due."""
    created_at: datetime
    ended_at: datetime | None

    @property
    def due(self) -> bool:
        """Whether it is to be done."""
        return self.ended_at is None and self.share >= 1


@dataclass(frozen=True, slots=True)
class DoneView:
    """One time that it was done."""

    cycle: int
    done_at: datetime
    noted_at: datetime
    person_id: str | None
    hours: float
    """Of use since the time before."""
    note: str


def plan_maintenance(  # noqa: PLR0913  # what, on what, how often, by whom
    session: Session,
    clock: Clock,
    *,
    resource_id: str,
    title: str,
    every_hours: float | None = None,
    rhythm: Rhythm | None = None,
    owner_id: str,
    instructions: str = "",
    by: str | None,
) -> PlanView:
    """Plan maintenance; hours, weeks and months count from now.

    :param every_hours: of use; None: by date only.
    :param rhythm: every how many weeks or months; None: by hours only. With both it is due by
        whichever comes first.
    :param owner_id: who of the team gets the task.
    :raises RefusedError: not of the staff; the words, the hours, the date or the owner.
    :raises UnknownIdError: no such resource or person.
    """
    require_staff(session, by)
    lookups.resource(session, resource_id)
    owner = Role(lookups.person(session, owner_id).role)
    title, instructions = title.strip(), instructions.strip()
    refusals = [
        *words_refusals(title, SHORT),
        *words_refusals(instructions, LONG, needed=False),
        *rhythm_refusals(every_hours, rhythm),
        *owner_refusals(owner),
    ]
    if refusals:
        raise RefusedError(refusals)
    row = MaintenancePlan(
        id=new_id(),
        resource_id=resource_id,
        title=title,
        instructions=instructions,
        every_hours=inf if every_hours is None else every_hours,
        every_count=rhythm and rhythm.count,
        every_unit=rhythm and rhythm.unit.value,
        owner_id=owner_id,
        counted_from=clock.now(),
        cycle=0,
        created_at=clock.now(),
    )
    session.add(row)
    details: dict[str, Any] = {"resource": resource_id, "every_hours": every_hours}
    if rhythm is not None:
        details |= {"every": rhythm.count, "unit": rhythm.unit.value}
    audit(session, clock, by, "maintenance.planned", f"maintenance:{row.id}", details)
    session.flush()
    return _view(session, clock, row)


def end_plan(session: Session, clock: Clock, *, plan_id: str, by: str | None) -> PlanView:
    """End a plan; its open task is dropped, its history stays. Again: nothing changes.

    :raises RefusedError: not of the staff.
    :raises UnknownIdError: no such plan.
    """
    require_staff(session, by)
    row = _row(session, plan_id, lock=True)
    if row.ended_at is None:
        row.ended_at = clock.now()
        _end_task(session, clock, row, by=by, outcome="dropped")
        audit(session, clock, by, "maintenance.ended", f"maintenance:{plan_id}")
        session.flush()
    return _view(session, clock, row)


def note_done(  # what, when, by whom, and what they say
    session: Session,
    clock: Clock,
    *,
    plan_id: str,
    by: str | None,
    done_at: datetime | None = None,
    note: str = "",
    cycle: int | None = None,
    entitled: bool = False,
) -> PlanView:
    """Note that a maintenance was done, due or not: its hours count from then on, its task ends.

    :param done_at: None: now.
    :param cycle: which time the caller speaks of (``PlanView.cycle`` as they saw it), so that a
        second tap counts nothing; None: whichever comes.
    :param entitled: the caller has seen to it that they may: the task is theirs.
    :raises RefusedError: neither the owner nor of the staff; ended; done already; no such time.
    :raises UnknownIdError: no such plan.
    """
    row = _row(session, plan_id, lock=True)
    if by != row.owner_id and not entitled:
        require_staff(session, by)
    at, note = done_at or clock.now(), note.strip()
    facts = DoneFacts(
        now=clock.now(),
        done_at=at,
        counted_from=row.counted_from,
        ended=row.ended_at is not None,
        expected=cycle,
        cycle=row.cycle,
    )
    refusals = done_refusals(facts) + words_refusals(note, LONG, needed=False)
    if refusals:
        raise RefusedError(refusals)
    _write_done(session, clock, row, at=at, by=by, note=note)
    return _view(session, clock, row)


def _write_done(
    session: Session,
    clock: Clock,
    row: MaintenancePlan,
    *,
    at: datetime,
    by: str | None,
    note: str,
) -> None:
    worked = [work for work in works_of(session, clock, [row])[row.id] if work.begin < at]
    hours = rules.seconds_worked([_until(work, at) for work in worked], row.counted_from) / 3600
    session.add(
        MaintenanceDone(
            plan_id=row.id,
            cycle=row.cycle,
            done_at=at,
            noted_at=clock.now(),
            person_id=person_in(by),
            hours=hours,
            note=note,
        )
    )
    _end_task(session, clock, row, by=by, outcome="done", note=note)
    details = {"resource": row.resource_id, "cycle": row.cycle, "hours": round(hours, 2)}
    audit(session, clock, by, "maintenance.done", f"maintenance:{row.id}", details)
    row.cycle, row.counted_from = row.cycle + 1, at
    session.flush()


def _until(work: Work, at: datetime) -> Work:
    """Return the part of a use before a moment."""
    if work.end <= at:
        return work
    return Work(work.begin, at, work.seconds - rules.seconds_after(work, at))


def list_plans(
    session: Session,
    clock: Clock,
    *,
    by: str,
    resource_id: str | None = None,
    ended: bool = False,
) -> list[PlanView]:
    """Return plans with their hours, in the order in which they were made; there are few.

    The staff see all, others those that they own.
    """
    query = select(MaintenancePlan).order_by(MaintenancePlan.created_at, MaintenancePlan.id)
    if not is_staff(session, by):
        query = query.where(MaintenancePlan.owner_id == by)
    if resource_id is not None:
        query = query.where(MaintenancePlan.resource_id == resource_id)
    if not ended:
        query = query.where(MaintenancePlan.ended_at.is_(None))
    return _views(session, clock, session.scalars(query).all())


def get_plan(session: Session, clock: Clock, *, plan_id: str, by: str) -> PlanView:
    """Return a plan. :raises UnknownIdError: there is none, or it is not theirs to see."""
    return _view(session, clock, _readable(session, plan_id, by))


def history(session: Session, *, plan_id: str, by: str) -> list[DoneView]:
    """Return every time that it was done, the last first.

    :raises UnknownIdError: no such plan, or it is not theirs to see.
    """
    _readable(session, plan_id, by)
    query = select(MaintenanceDone).where(MaintenanceDone.plan_id == plan_id)
    return [
        DoneView(row.cycle, row.done_at, row.noted_at, row.person_id, row.hours, row.note)
        for row in session.scalars(query.order_by(MaintenanceDone.cycle.desc()))
    ]


def _readable(session: Session, plan_id: str, by: str) -> MaintenancePlan:
    row = _row(session, plan_id)
    if row.owner_id != by and not is_staff(session, by):
        raise UnknownIdError(f"there is no maintenance {plan_id!r}")
    return row


def _end_task(
    session: Session,
    clock: Clock,
    row: MaintenancePlan,
    *,
    by: str | None,
    outcome: str,
    note: str = "",
) -> None:
    query = select(UpkeepTask).where(
        UpkeepTask.plan_id == row.id, UpkeepTask.cycle == row.cycle, UpkeepTask.ended_at.is_(None)
    )
    for task in session.scalars(query):
        task.ended_at, task.ended_by = clock.now(), person_in(by)
        task.outcome, task.note = outcome, note or None
    session.flush()


def _row(session: Session, plan_id: str, *, lock: bool = False) -> MaintenancePlan:
    row = session.get(
        MaintenancePlan, plan_id, with_for_update=True if lock else None, populate_existing=lock
    )
    if row is None:
        raise UnknownIdError(f"there is no maintenance {plan_id!r}")
    return row


def _view(session: Session, clock: Clock, row: MaintenancePlan) -> PlanView:
    return _views(session, clock, [row])[0]


def _views(session: Session, clock: Clock, rows: Sequence[MaintenancePlan]) -> list[PlanView]:
    works = works_of(session, clock, rows)
    return [_seen(session, clock, row, works[row.id]) for row in rows]


def _seen(session: Session, clock: Clock, row: MaintenancePlan, works: list[Work]) -> PlanView:
    seconds = rules.seconds_worked(works, row.counted_from)
    hours, due_on = round(seconds / 3600, 6), next_date(session, row)
    return PlanView(
        id=row.id,
        resource_id=row.resource_id,
        title=row.title,
        instructions=row.instructions,
        every_hours=row.every_hours if isfinite(row.every_hours) else None,
        rhythm=rhythm_of(row),
        owner_id=row.owner_id,
        counted_from=row.counted_from,
        cycle=row.cycle,
        hours=hours,
        due_on=due_on,
        share=max(hours / row.every_hours, rules.part_over(row.counted_from, clock.now(), due_on)),
        created_at=row.created_at,
        ended_at=row.ended_at,
    )
