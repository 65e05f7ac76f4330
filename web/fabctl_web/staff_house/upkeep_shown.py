"""Planned maintenance of one machine, as the desk shows it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sqlalchemy.orm import Session

from fabctl.model.people import Role
from fabctl.services import maintenance, people_records, staff_day, upkeep_tasks
from fabctl.services.maintenance import PlanView
from fabctl.services.upkeep_tasks import TaskView
from fabctl_web.lab import Lab
from fabctl_web.language import speech
from fabctl_web.staff_house import names

TEAM = (Role.TRAINER, Role.ANIMATOR, Role.STAFF, Role.ADMIN)
MOST_TASKS = 1000
"""To be done at once. So many nobody plans: a list with more would be of no use."""


@dataclass(frozen=True)
class Plan:
    """What is done again after so many hours of use, or weeks, or months."""

    plan: PlanView
    owner: str
    when: str
    """How near it is, as people say it."""
    share: float
    """Of the hours or days between two times, at most 1."""
    since: str
    history: list[tuple[str, str, str]] = field(default_factory=list)
    """When, who, and what they said; the last first."""


@dataclass(frozen=True)
class Task:
    """What is done once, by a date."""

    task: TaskView
    owner: str
    due: str
    late: bool


@dataclass(frozen=True)
class Maintenance:
    """Everything that is planned for one resource."""

    plans: list[Plan]
    tasks: list[Task]


def of_resource(lab: Lab, db: Session, resource: str, by: str) -> Maintenance:
    """Return what is planned for a resource: by hours of use, and by date."""
    found = _planned(lab, db, by, resource)
    plans = [replace(one, history=_history(lab, db, one.plan, by)) for one in found.plans]
    return replace(found, plans=plans)


def of_house(lab: Lab, db: Session, by: str) -> Maintenance:
    """Return the same for everything at once, without what was done before."""
    return _planned(lab, db, by, None)


def _planned(lab: Lab, db: Session, by: str, resource: str | None) -> Maintenance:
    plans = maintenance.list_plans(db, lab.clock, by=by, resource_id=resource)
    tasks = upkeep_tasks.list_tasks(
        db, by=by, resource_id=resource, planned=False, limit=MOST_TASKS
    )
    people = staff_day.names_of(db, [p.owner_id for p in plans] + [t.owner_id for t in tasks])
    return Maintenance(
        [_plan(lab, one, people[one.owner_id]) for one in plans],
        [_task(lab, one, people[one.owner_id]) for one in tasks],
    )


def owners(db: Session, by: str) -> list[tuple[str, str]]:
    """Return who of the team may get a task, ids and names."""
    return [
        (one.id, one.display_name)
        for role in TEAM
        for one in people_records.find_people(db, by=by, role=role, limit=200)
    ]


def _plan(lab: Lab, plan: PlanView, owner: str) -> Plan:
    since = speech().moment(plan.counted_from, lab.clock.now())
    return Plan(plan, owner, nearness(lab, plan), min(1.0, plan.share), since)


def _history(lab: Lab, db: Session, plan: PlanView, by: str) -> list[tuple[str, str, str]]:
    say, now = speech(), lab.clock.now()
    return [
        (say.moment(one.done_at, now), names.who(db, one.person_id), one.note)
        for one in maintenance.history(db, plan_id=plan.id, by=by)
    ]


def nearness(lab: Lab, plan: PlanView) -> str:
    """Say how near a plan is: hours of those between two times, and when it comes back."""
    _, said = speech(), []
    if plan.every_hours is not None:
        hours, most = names.number(round(plan.hours, 1)), names.number(plan.every_hours)
        said.append(_("{hours} of {most} hours", hours=hours, most=most))
    if plan.due_on is not None:
        said.append(_("next: {day}", day=speech().day(plan.due_on, lab.clock.now())))
    return " · ".join(said)


def _task(lab: Lab, task: TaskView, owner: str) -> Task:
    now = lab.clock.now()
    due = speech().moment(task.due_at, now) if task.due_at else speech()("without a date")
    late = task.due_at is not None and task.due_at < now
    return Task(task, owner, due, late)
