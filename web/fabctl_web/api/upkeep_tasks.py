"""Tasks of the team and planned maintenance, for programs."""

from __future__ import annotations

from typing import Any

from flask import jsonify, make_response
from werkzeug.wrappers import Response

from fabctl.model.maintenance import MOST_HOURS, MOST_OF, Rhythm, Unit
from fabctl.services import maintenance as plans
from fabctl.services import upkeep_tasks as service
from fabctl.services.maintenance import DoneView, PlanView
from fabctl.services.upkeep_tasks import TaskView
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.reading import Sent
from fabctl_web.api.shape import instant
from fabctl_web.lab import current_lab

area = api_area("upkeep_tasks")


@area.get("/tasks")
def tasks() -> Response:
    """List the caller's tasks; for the staff, somebody's or everybody's."""
    lab, person, page = current_lab(), caller(), reading.page()
    with reading.query() as sent:
        owner, everybody = sent.maybe_text("owner"), sent.flag("everybody")
        resource, ended = sent.maybe_text("resource"), sent.flag("ended")
    after = reading.instant_and_id(page)
    with lab.db.reading() as db:
        found = service.list_tasks(
            db,
            by=person.id,
            owner_id=None if everybody else owner or person.id,
            resource_id=resource,
            open_only=not ended,
            limit=page.limit + 1,
            after=after,
        )
    return reading.paged("tasks", found, page, _task_key, _task, newest_first=True)


@area.post("/tasks")
def add_task() -> Response:
    """Give somebody of the team a task."""
    lab, person = current_lab(), caller()
    with reading.body() as sent:
        title, owner = sent.text("title"), sent.text("owner")
        details = sent.maybe_text("details") or ""
        resource = sent.resource() if sent.has("resource") else None
        problem = sent.maybe_text("problem")
        due_at = sent.instant("due_at") if sent.has("due_at") else None
    with lab.db.transaction() as db:
        made = service.add_task(
            db,
            lab.clock,
            title=title,
            owner_id=owner,
            details=details,
            resource_id=resource,
            problem_id=problem,
            due_at=due_at,
            by=person.id,
        )
    return make_response(jsonify(_task(made)), 201)


@area.get("/tasks/<task>")
def task(task: str) -> Response:
    """Show a task: one's own; the staff anybody's."""
    lab, person = current_lab(), caller()
    with lab.db.reading() as db:
        found = service.get_task(db, task_id=task, by=person.id)
    return jsonify(_task(found))


@area.post("/tasks/<task>/give")
def give(task: str) -> Response:
    """Give a task to somebody else of the team."""
    lab, person = current_lab(), caller()
    with reading.body() as sent:
        owner = sent.text("owner")
    with lab.db.transaction() as db:
        found = service.give_task(db, lab.clock, task_id=task, owner_id=owner, by=person.id)
    return jsonify(_task(found))


@area.post("/tasks/<task>/done")
def task_done(task: str) -> Response:
    """Note that a task is done."""
    lab, person = current_lab(), caller()
    with reading.body() as sent:
        note = sent.maybe_text("note") or ""
    with lab.db.transaction() as db:
        found = service.finish_task(db, lab.clock, task_id=task, note=note, by=person.id)
    return jsonify(_task(found))


@area.post("/tasks/<task>/drop")
def drop(task: str) -> Response:
    """End a task that nobody will do, with a reason."""
    lab, person = current_lab(), caller()
    with reading.body() as sent:
        reason = sent.text("reason")
    with lab.db.transaction() as db:
        found = service.drop_task(db, lab.clock, task_id=task, reason=reason, by=person.id)
    return jsonify(_task(found))


@area.get("/maintenance")
def maintenance() -> Response:
    """List the plans that the caller owns; for the staff, all."""
    lab, person, page = current_lab(), caller(), reading.page()
    with reading.query() as sent:
        resource, ended = sent.maybe_text("resource"), sent.flag("ended")
    with lab.db.reading() as db:
        found = plans.list_plans(db, lab.clock, by=person.id, resource_id=resource, ended=ended)
    return reading.paged("maintenance", found, page, _plan_key, _plan)


@area.post("/maintenance")
def plan() -> Response:
    """Plan maintenance by hours of use, by date, or by whichever comes first."""
    lab, person = current_lab(), caller()
    with reading.body() as sent:
        resource, title, owner = sent.resource(), sent.text("title"), sent.text("owner")
        hours, rhythm = sent_rhythm(sent)
        instructions = sent.maybe_text("instructions") or ""
    with lab.db.transaction() as db:
        made = plans.plan_maintenance(
            db,
            lab.clock,
            resource_id=resource,
            title=title,
            every_hours=hours,
            rhythm=rhythm,
            owner_id=owner,
            instructions=instructions,
            by=person.id,
        )
    return make_response(jsonify(_plan(made)), 201)


@area.get("/maintenance/<plan>")
def one_plan(plan: str) -> Response:
    """Show a plan, with its hours of use since the last time."""
    lab, person = current_lab(), caller()
    with lab.db.reading() as db:
        found = plans.get_plan(db, lab.clock, plan_id=plan, by=person.id)
    return jsonify(_plan(found))


@area.delete("/maintenance/<plan>")
def end_plan(plan: str) -> Response:
    """End a plan; its history stays."""
    lab, person = current_lab(), caller()
    with lab.db.transaction() as db:
        found = plans.end_plan(db, lab.clock, plan_id=plan, by=person.id)
    return jsonify(_plan(found))


@area.post("/maintenance/<plan>/done")
def plan_done(plan: str) -> Response:
    """Note that it was done: its hours count from then on."""
    lab, person = current_lab(), caller()
    with reading.body() as sent:
        done_at = sent.instant("done_at") if sent.has("done_at") else None
        note = sent.maybe_text("note") or ""
        times = sent.number("times")
    with lab.db.transaction() as db:
        found = plans.note_done(
            db, lab.clock, plan_id=plan, by=person.id, done_at=done_at, note=note, cycle=times
        )
    return jsonify(_plan(found))


@area.get("/maintenance/<plan>/history")
def history(plan: str) -> Response:
    """List every time that it was done, the last first."""
    lab, person, page = current_lab(), caller(), reading.page()
    with lab.db.reading() as db:
        found = plans.history(db, plan_id=plan, by=person.id)
    return reading.paged("history", found, page, _done_key, _done, newest_first=True)


def _task_key(found: TaskView) -> tuple[str, ...]:
    return (found.created_at.isoformat(), found.id)


def _task(found: TaskView) -> dict[str, Any]:
    return {
        "id": found.id,
        "resource": found.resource_id,
        "problem": found.problem_id,
        "maintenance": found.plan_id,
        "title": found.title,
        "details": found.details,
        "owner": found.owner_id,
        "due_at": instant(found.due_at),
        "created_at": instant(found.created_at),
        "ended_at": instant(found.ended_at),
        "outcome": found.outcome,
        "note": found.note,
    }


def sent_rhythm(sent: Sent) -> tuple[int | None, Rhythm | None]:
    """Return how often maintenance comes back: hours of use, and weeks or months.

    Where neither is said, the hours are missing.
    """
    by_date, hours = sent.has("every"), None
    if sent.has("every_hours") or not by_date:
        hours = sent.number("every_hours", 1, MOST_HOURS)
    if not by_date:
        return hours, None
    unit = sent.choice("unit", Unit, Unit.MONTH)
    return hours, Rhythm(sent.number("every", 1, MOST_OF[unit]), unit)


def _plan_key(found: PlanView) -> tuple[str, ...]:
    return (found.created_at.isoformat(), found.id)


def _plan(found: PlanView) -> dict[str, Any]:
    return {
        "id": found.id,
        "resource": found.resource_id,
        "title": found.title,
        "instructions": found.instructions,
        "every_hours": found.every_hours,
        "every": found.rhythm and found.rhythm.count,
        "unit": found.rhythm and found.rhythm.unit.value,
        "due_on": instant(found.due_on),
        "owner": found.owner_id,
        "counted_from": instant(found.counted_from),
        "times": found.cycle,
        "hours": found.hours,
        "due": found.due,
        "ended_at": instant(found.ended_at),
    }


def _done_key(found: DoneView) -> tuple[str, ...]:
    return (f"{found.cycle:09d}",)


def _done(found: DoneView) -> dict[str, Any]:
    return {
        "time": found.cycle + 1,
        "done_at": instant(found.done_at),
        "noted_at": instant(found.noted_at),
        "person": found.person_id,
        "hours": found.hours,
        "note": found.note,
    }
