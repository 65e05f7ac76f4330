"""All planned maintenance of the house: what is due first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from fabctl_web import tables
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import staff_needed
from fabctl_web.staff.today_machines import open_problems
from fabctl_web.staff_house import names, upkeep_shown

area = Blueprint("house_maintenance", __name__, template_folder="templates")


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


HEADS = (_("Place"), _("What is to be done"), _("When"), _("Who does it"), _("Due"))


@dataclass(frozen=True)
class Line:
    """Something to be done to a place."""

    resource: str
    place: str
    title: str
    when: str
    owner: str
    due: bool
    share: float
    """How near it is, of the hours or days between two times; 1: due."""


@page(area, "/staff/maintenance")
def listed() -> str:
    """List what is planned for every place, what is due first."""
    lab, me = current_lab(), staff_needed()
    with lab.db.reading() as db:
        lines = _lines(lab, db, me.id)
        reported = open_problems(lab, db, me, url_for("house_maintenance.listed"))
    words = tables.words()
    return render_template(
        "staff_house/maintenance.html",
        lines=lines,
        words=words,
        reported=reported.narrowed(words, speech()("Nothing found.")).shortened(tables.SHOWN),
    )


@area.get("/staff/maintenance.csv")
def export() -> Response:
    """Return the same as a table."""
    lab, say, me = current_lab(), speech(), staff_needed()
    with lab.db.reading() as db:
        lines = _lines(lab, db, me.id)
    rows = [
        (one.place, one.title, one.when, one.owner, say(_("Yes")) if one.due else say(_("No")))
        for one in lines
    ]
    return tables.saved("maintenance", [say(one) for one in HEADS], rows)


def _lines(lab: Lab, db: Session, by: str) -> list[Line]:
    """Return what matches the search, what is due first, then what is nearest."""
    places = names.places(db)
    planned = upkeep_shown.of_house(lab, db, by)
    found = [_planned(one, places) for one in planned.plans if one.plan.resource_id in places]
    found += [_once(one, places) for one in planned.tasks if one.task.resource_id in places]
    wanted = [one for one in found if names.matches(one.place, one.title, one.owner)]
    return sorted(wanted, key=lambda one: (not one.due, -one.share, one.place))


def _planned(one: upkeep_shown.Plan, places: Mapping[str, str]) -> Line:
    plan = one.plan
    place = places[plan.resource_id]
    return Line(plan.resource_id, place, plan.title, one.when, one.owner, plan.due, one.share)


def _once(one: upkeep_shown.Task, places: Mapping[str, str]) -> Line:
    task, share = one.task, 1.0 if one.late else 0.0
    title, resource = task.title, task.resource_id or ""
    if task.problem_id:
        title = f"{title} ({speech()(_('from a problem reported'))})"
    return Line(resource, places[resource], title, one.due, one.owner, one.late, share)
