"""Today, the machines: what somebody must look at, what is out of order, problems, maintenance."""

from __future__ import annotations

from typing import Any, cast

from flask import current_app, url_for
from sqlalchemy.orm import Session

from fabctl.model.access import WORKING
from fabctl.model.maintenance import Unit
from fabctl.services import maintenance, staff_day, uses
from fabctl.services.maintenance import PlanView
from fabctl.services.people import PersonView
from fabctl.services.resource_desk import ResourceOrder
from fabctl_web.board.faces import LOOKS, Face, face, look_key
from fabctl_web.lab import Lab
from fabctl_web.language import speech
from fabctl_web.staff.lines import Act, Line, Section
from fabctl_web.staff.upkeep_lines import Desk, lab_names, machine_page, problem_lines


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


LOOKED_AT = frozenset({"blocked", "broken", "offline", "unknown"})
"""Looks that need a person: what is out of order has a list of its own."""
EVERY = {
    Unit.WEEK: (_("every week"), _("every {count} weeks")),
    Unit.MONTH: (_("every month"), _("every {count} months")),
}
"""How often, once and several."""
URGENT_FIRST = ("broken", "blocked", "silent")
"""Patterns of these looks, in the order shown."""
GONE = frozenset({"offline", "unknown"})


def to_look_at(lab: Lab, db: Session) -> Section:
    """Return the machines that are blocked, broken or silent."""
    _ = speech()
    found = [one for name in lab.config.machines if (one := _machine(lab, db, name))]
    found.sort(key=lambda line: URGENT_FIRST.index(line.css))
    return Section("machines", _("Machines to look at"), "wrench", _("All machines"), tuple(found))


def _machine(lab: Lab, db: Session, name: str) -> Line | None:
    view, booked, lock = lab.machine(name), lab.bookings.of(name), lab.interlock(name)
    now = lab.clock.now()
    key = look_key(view, booked, now, lock)
    if key not in LOOKED_AT:
        return None
    shown: Face = face(lab.config.machines[name].name, view, booked, now, speech(), lock)
    look = LOOKS[key]
    return Line(
        id=name,
        title=shown.name,
        first=shown.detail,
        state=shown.word,
        css=look.css,
        icon=look.icon,
        address=url_for("machines.page", machine=name),
        acts=_machine_acts(db, name, key),
    )


def _machine_acts(db: Session, name: str, key: str) -> tuple[Act, ...]:
    _ = speech()
    if key == "broken":
        clear = url_for("staff_acts.clear", machine=name)
        return (Act(_("I have checked the machine"), "check", clear),)
    use = uses.open_use_on(db, resource_id=name) if key in GONE else None
    if use is None or use.job_id is None:
        return ()
    release = url_for("staff_acts.release", job=use.job_id)
    asked = _("You looked at it: what did you see?")
    return (Act(_("Release it from its job"), "undo-2", release, ask=asked),)


def out_of_order(lab: Lab, db: Session, me: PersonView) -> Section:
    """Return what the staff or a problem put out of order."""
    _ = speech()
    found = staff_day.out_of_order(db, by=me.id)
    lines = tuple(_order(lab, one) for one in found)
    return Section("stopped", _("Out of order"), "ban", _("Out of order"), lines)


def _order(lab: Lab, found: ResourceOrder) -> Line:
    _ = speech()
    since = found.out_of_order_at or lab.clock.now()
    machine = found.place.id in lab.config.machines
    again = url_for("staff_acts.in_order", resource=found.place.id)
    working = machine and lab.machine(found.place.id).state in WORKING
    return Line(
        id=found.place.id,
        title=found.place.name,
        first=found.reason or "",
        second=_("What happens next: {step}", step=found.next_step) if found.next_step else "",
        state=_("Since {time}", time=speech().moment(since, lab.clock.now())),
        css="busy" if working else "broken",
        icon="wrench",
        address=url_for("machines.page", machine=found.place.id) if machine else "",
        acts=(Act(_("In order again"), "check", again),),
    )


def open_problems(lab: Lab, db: Session, me: PersonView, back: str = "") -> Section:
    """Return the problems that nobody has settled, the newest first."""
    _ = speech()
    lines = problem_lines(Desk(lab, db, me, back))
    return Section("problems", _("Problems reported"), "flag", _("Problems"), lines)


def due_plans(lab: Lab, db: Session, me: PersonView) -> Section:
    """Return the maintenance that is due: its hours have run over, or its date has come."""
    _ = speech()
    found = [one for one in maintenance.list_plans(db, lab.clock, by=me.id) if one.due]
    names = staff_day.names_of(db, [one.owner_id for one in found])
    places = lab_names(lab, db)
    lines = tuple(_plan(lab, one, names, places) for one in found)
    return Section("maintenance", _("Maintenance due"), "settings", _("Maintenance"), lines)


def _how_due(found: PlanView) -> str:
    """Say how often it comes back, and how much of that is over."""
    _, said = speech(), []
    if found.every_hours is not None:
        hours, every = int(found.hours), int(found.every_hours)
        said.append(_("{hours} h of use, due every {every} h", hours=hours, every=every))
    if found.rhythm is not None:
        words = EVERY[found.rhythm.unit][found.rhythm.count > 1]
        said.append(_(words, count=found.rhythm.count))
    return " · ".join(said)


def _plan(lab: Lab, found: PlanView, names: dict[str, str], places: dict[str, str]) -> Line:
    _ = speech()
    done = url_for("staff_acts.maintained", plan=found.id)
    act = Act(
        _("Done"),
        "check",
        done,
        ask=_("A note, if you like"),
        needed=False,
        fields=(("times", str(found.cycle)),),
    )
    return Line(
        id=found.id,
        title=f"{places.get(found.resource_id, found.resource_id)} · {found.title}",
        first=found.instructions,
        second=f"{_how_due(found)} · {names.get(found.owner_id, '')}",
        css="blocked",
        icon="settings",
        address=machine_page(lab, found.resource_id),
        acts=(act,),
    )


def page_if_any(endpoint: str, **values: str) -> str:
    """Return a page's address; empty where the lab has no such page."""
    known = endpoint in current_app.view_functions
    return current_app.url_for(endpoint, **cast("dict[str, Any]", values)) if known else ""
