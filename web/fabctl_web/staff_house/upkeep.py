"""Planned maintenance at the desk: by hours of use or by date, again or once."""

from __future__ import annotations

from datetime import UTC, datetime, time

from flask import Blueprint, flash, url_for
from werkzeug.wrappers import Response

from fabctl.services import maintenance, upkeep_tasks
from fabctl_web.api.upkeep_tasks import sent_rhythm
from fabctl_web.forms import form
from fabctl_web.lab import current_lab
from fabctl_web.language import speech
from fabctl_web.people.signed_in import go, staff_needed
from fabctl_web.staff_house import things
from fabctl_web.staff_house.kept import Kept, again

area = Blueprint("house_upkeep", __name__, template_folder="templates")


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


LABELS = {
    "title": _("What is to be done"),
    "task": _("What is to be done"),
    "every_hours": _("Every so many hours of use"),
    "every": _("Every so many weeks or months"),
    "owner": _("Who does it"),
    "due": _("By which day"),
    "instructions": _("How it is done"),
    "details": _("How it is done"),
    "note": _("What was done"),
}
END_OF_DAY = time(23, 59)


@area.post("/staff/resources/<resource>/plans")
def plan(resource: str) -> Response:
    """Plan maintenance that comes back: by hours of use, by date, or by whichever is first."""
    lab, me = current_lab(), staff_needed()
    with Kept(LABELS) as kept:
        with form() as sent:
            title, owner = sent.text("title"), sent.text("owner")
            hours, rhythm = sent_rhythm(sent)
            instructions = sent.maybe_text("instructions") or ""
        with lab.db.transaction() as db:
            maintenance.plan_maintenance(
                db,
                lab.clock,
                resource_id=resource,
                title=title,
                every_hours=hours,
                rhythm=rhythm,
                owner_id=owner,
                instructions=instructions,
                by=me.id,
            )
        flash(speech()("It is planned. It counts from now."), "good")
        return _back(resource)
    return again(things.show_one(resource, kept))


@area.post("/staff/resources/<resource>/tasks")
def task(resource: str) -> Response:
    """Plan something once, by a date."""
    lab, me = current_lab(), staff_needed()
    with Kept(LABELS) as kept:
        with form() as sent:
            title, owner = sent.text("task"), sent.text("owner")
            day, details = sent.day("due"), sent.maybe_text("details") or ""
        due = datetime.combine(day, END_OF_DAY, lab.config.time_zone).astimezone(UTC)
        with lab.db.transaction() as db:
            upkeep_tasks.add_task(
                db,
                lab.clock,
                title=title,
                owner_id=owner,
                details=details,
                resource_id=resource,
                due_at=due,
                by=me.id,
            )
        flash(speech()("It is planned. Whoever does it has been told."), "good")
        return _back(resource)
    return again(things.show_one(resource, kept))


@area.post("/staff/resources/<resource>/plans/<plan>/done")
def plan_done(resource: str, plan: str) -> Response:
    """Note that it was done now: it counts from now."""
    lab, me = current_lab(), staff_needed()
    with Kept(LABELS) as kept:
        with form() as sent:
            times, note = sent.number("times"), sent.maybe_text("note") or ""
        with lab.db.transaction() as db:
            maintenance.note_done(db, lab.clock, plan_id=plan, by=me.id, note=note, cycle=times)
        flash(speech()("Noted. It counts from now."), "good")
        return _back(resource)
    return again(things.show_one(resource, kept))


@area.post("/staff/resources/<resource>/plans/<plan>/end")
def plan_end(resource: str, plan: str) -> Response:
    """End a plan; what was done stays on record."""
    lab, me = current_lab(), staff_needed()
    with lab.db.transaction() as db:
        maintenance.end_plan(db, lab.clock, plan_id=plan, by=me.id)
    flash(speech()("This plan has ended. What was done stays on record."), "good")
    return _back(resource)


def _back(resource: str) -> Response:
    return go(url_for("house_resources.one", resource=resource))
