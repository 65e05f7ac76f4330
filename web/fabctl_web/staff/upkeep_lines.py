"""Problems and tasks as lines of the staff's lists: of the day, of all upkeep, of one machine."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for
from sqlalchemy.orm import Session

from fabctl.services import problems, repairs, resources, staff_day, upkeep_tasks
from fabctl.services.people import PersonView
from fabctl.services.problems import ProblemView
from fabctl.services.upkeep_tasks import TaskView
from fabctl_web.lab import Lab
from fabctl_web.language import speech
from fabctl_web.machines.reports import kind_word
from fabctl_web.staff.lines import Act, Line

MOST = 1000
"""Lines that are read and searched; the page of the day shows the first of them."""


@dataclass(frozen=True)
class Desk:
    """For whom lines are made, and where their forms lead back to."""

    lab: Lab
    db: Session
    me: PersonView
    back: str = ""
    """A page; empty: that of today."""
    machine: str | None = None
    """The one whose page it is; None: lines say which."""

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Return what a form sends beside."""
        return (("back", self.back),) if self.back else ()


def lab_names(lab: Lab, db: Session) -> dict[str, str]:
    """Return the names of everything that can be used, machines that left the lab too."""
    named = {one.id: one.name for one in resources.list_all(db)}
    return {one.id: one.name for one in lab.config.machines.values()} | named


def machine_page(lab: Lab, resource: str | None) -> str:
    """Return the address of a machine's page; empty for what has none."""
    known = resource in lab.config.machines
    return url_for("machines.page", machine=resource) if known else ""


def problem_lines(desk: Desk) -> tuple[Line, ...]:
    """Return the problems that nobody has settled, the newest first."""
    found = problems.list_problems(desk.db, by=desk.me.id, resource_id=desk.machine, limit=MOST)
    ids = [one.id for one in found]
    tasks = repairs.repairs_of(desk.db, problem_ids=ids, by=desk.me.id)
    people = [one.person_id for one in found] + [one.owner_id for one in tasks.values()]
    names = staff_day.names_of(desk.db, people)
    places = {} if desk.machine else lab_names(desk.lab, desk.db)
    return tuple(_problem(desk, one, tasks.get(one.id), names, places) for one in found)


def _problem(
    desk: Desk,
    found: ProblemView,
    task: TaskView | None,
    names: dict[str, str],
    places: dict[str, str],
) -> Line:
    _ = speech()
    reporter = names.get(found.person_id or "", _("at a screen of the lab"))
    when = speech().moment(found.at, desk.lab.clock.now())
    said = found.summary or kind_word(found.kind, speech())
    place = "" if desk.machine else places.get(found.resource_id, found.resource_id)
    parts = [said, found.details or ""] if place else [found.details or ""]
    if task is not None:
        parts.append(_repair(task, names))
    return Line(
        id=found.id,
        title=place or said,
        first="\n".join(part for part in parts if part),
        second=f"{when} · {reporter}",
        state=_("out of order for it") if found.stops_machine else "",
        css="broken" if found.stops_machine else "blocked",
        icon="wrench" if found.stops_machine else "flag",
        address=machine_page(desk.lab, found.resource_id) if place else "",
        acts=_problem_acts(desk, found),
    )


def _repair(task: TaskView, names: dict[str, str]) -> str:
    """Say who has a problem as a task, or what became of the task."""
    _ = speech()
    name = names.get(task.owner_id, "")
    if task.ended_at is None:
        return _("Task of {name}", name=name)
    if task.outcome == "done":
        return _("The task is done: {words}", words=task.note or name)
    return _("The task was dropped: {words}", words=task.note or name)


def _problem_acts(desk: Desk, found: ProblemView) -> tuple[Act, ...]:
    _ = speech()
    settle = url_for("staff_acts.settle", problem=found.id)
    asked = _("What was done about it?")
    settled = Act(_("Settled"), "check", settle, ask=asked, fields=desk.fields)
    if found.in_hand:
        return (settled,)
    take_on = url_for("staff_acts.take_on", problem=found.id)
    return (settled, Act(_("Make it my task"), "list-checks", take_on, fields=desk.fields))


def task_lines(desk: Desk, *, own: bool = False) -> tuple[Line, ...]:
    """Return the team's tasks that are to be done, one's own first.

    Planned maintenance is among those of one machine; it has lists of its own elsewhere.

    :param own: only one's own: everybody sees those.
    """
    found = upkeep_tasks.list_tasks(
        desk.db,
        by=desk.me.id,
        owner_id=desk.me.id if own else None,
        resource_id=desk.machine,
        planned=desk.machine is not None,
        mine_first=True,
        limit=MOST,
    )
    names = staff_day.names_of(desk.db, [one.owner_id for one in found])
    places = {} if desk.machine else lab_names(desk.lab, desk.db)
    return tuple(_task(desk, one, names, places) for one in found)


def _task(desk: Desk, found: TaskView, names: dict[str, str], places: dict[str, str]) -> Line:
    _ = speech()
    now = desk.lab.clock.now()
    where = places.get(found.resource_id or "", "")
    due = _("Until {time}", time=speech().moment(found.due_at, now)) if found.due_at else ""
    late = found.due_at is not None and found.due_at < now
    owner = names.get(found.owner_id, "")
    made = _("from a problem reported") if found.problem_id else ""
    done = url_for("staff_acts.task_done", task=found.id)
    note = _("A note, if you like")
    return Line(
        id=found.id,
        title=f"{where} · {found.title}" if where else found.title,
        first=found.details,
        second=" · ".join(part for part in (owner, due, made) if part),
        state=_("Late") if late else "",
        css="broken" if late else "blocked",
        icon="list-checks",
        address="" if desk.machine else machine_page(desk.lab, found.resource_id),
        acts=(Act(_("Done"), "check", done, ask=note, needed=False, fields=desk.fields),),
    )
