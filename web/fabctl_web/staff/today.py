"""Today: one page with what the staff need in the morning, and what can be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from fabctl.model.people import Role
from fabctl.services import people_records
from fabctl.services.people import PersonView
from fabctl_web import tables
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import signed_in, staff_needed
from fabctl_web.speech import MONTHS, WEEKDAYS
from fabctl_web.staff import today_machines, today_people
from fabctl_web.staff.health_findings import lab_itself
from fabctl_web.staff.lines import Section
from fabctl_web.staff.tabs import others, tabs

area = Blueprint("staff_today", __name__, template_folder="templates")


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


HEADS = (_("List"), _("What"), _("Who or what about"), _("When or more"), _("State"))
SHOWN = 100
"""Lines of a list: the page is loaded anew every minute."""
FOUND = 8
"""People who are offered when somebody who came is searched for."""


@dataclass(frozen=True)
class Day:
    """All lists of today, in two columns."""

    left: list[Section]
    right: list[Section]

    def shortened(self, most: int) -> Day:
        """Return the first lines of each list."""
        left, right = ([one.shortened(most) for one in part] for part in (self.left, self.right))
        return Day(left, right)

    @property
    def all(self) -> list[Section]:
        """Return every list, in the order shown."""
        return [*self.left, *self.right]

    @property
    def asking(self) -> list[Section]:
        """Return the lists that ask for something to be done."""
        return [one for one in self.all if one.lines and not one.always]

    @property
    def quiet(self) -> list[Section]:
        """Return the lists without a line, that are not shown."""
        return [one for one in self.all if not one.lines and not one.always]


@page(area, "/staff/today")
def today() -> str:
    """Show the day: now, next, and everything that waits for somebody of the staff."""
    me = staff_needed()
    return render_template("staff/today.html", tabs=tabs(), others=others(me), **_shown(me))


@area.get("/staff/today/now")
def now() -> str:
    """Return the lists alone, for the page that asks again every minute."""
    if signed_in() is None:
        abort(401)  # a sign-in page has no place inside this one
    return render_template("staff/today_now.html", **_shown(staff_needed()))


def _shown(me: PersonView) -> dict[str, Any]:
    lab, words = current_lab(), tables.words()
    itself = lab_itself(lab)  # asks the database by itself
    came = request.args.get("came", "")[: tables.MOST_WORDS].strip()
    with lab.db.reading() as db:
        found = people_records.find_people(db, by=me.id, words=came, limit=FOUND) if came else []
        return {
            "day": gathered(lab, db, me, words, itself).shortened(SHOWN),
            "words": words,
            "came": came,
            "found": found,
            "team": _team(db, me),
            "me": me,
            "when": _now(lab.clock.now(), lab),
        }


@area.get("/staff/today.csv")
def export() -> Response:
    """Return all lists of the day as one table."""
    me, lab = staff_needed(), current_lab()
    itself = lab_itself(lab)
    with lab.db.reading() as db:
        day = gathered(lab, db, me, tables.words(), itself)
    rows = [
        (section.title, line.title, line.first, line.second, line.state)
        for section in day.all
        for line in section.lines
    ]
    return tables.saved("today", [speech()(one) for one in HEADS], rows)


def gathered(lab: Lab, db: Session, me: PersonView, words: str, itself: Section) -> Day:
    """Return the day's lists, only the lines in which every word stands.

    :param itself: what is wrong with the lab itself.
    """
    left = [
        today_people.now_section(lab, db, me),
        today_people.next_section(lab, db, me),
        today_people.here(lab, db, me),
        today_people.absent(lab, db, me),
        today_people.tasks(lab, db, me),
        today_people.mail_troubles(lab, db, me),
    ]
    right = [
        today_machines.to_look_at(lab, db),
        today_machines.out_of_order(lab, db, me),
        today_machines.open_problems(lab, db, me),
        today_people.checks(lab, db, me),
        today_machines.due_plans(lab, db, me),
        today_people.locked_screens(lab, db),
        itself,
    ]
    nothing = speech()("Nothing found.")
    return Day(*([one.narrowed(words, nothing) for one in column] for column in (left, right)))


def _team(db: Session, me: PersonView) -> list[tuple[str, str]]:
    """Return to whom a task can be given, oneself first."""
    found = [
        (one.id, one.display_name)
        for role in (Role.STAFF, Role.ADMIN, Role.ANIMATOR, Role.TRAINER)
        for one in people_records.find_people(db, by=me.id, role=role, limit=200)
    ]
    return sorted(found, key=lambda one: one[0] != me.id)


def _now(now: datetime, lab: Lab) -> str:
    local = now.astimezone(lab.config.time_zone)
    said = speech()
    weekday, month = said(WEEKDAYS[local.weekday()]), said(MONTHS[local.month - 1])
    written = said("{weekday} {day} {month}", weekday=weekday, day=local.day, month=month)
    return f"{written[0].upper()}{written[1:]}, {said.clock(now)}"
