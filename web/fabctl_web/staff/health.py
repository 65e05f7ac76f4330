"""Health: what the web knows of the broker, the steward, hosts, machines, database and disk."""

from __future__ import annotations

from flask import Blueprint, abort, render_template
from werkzeug.wrappers import Response

from fabctl_web import tables
from fabctl_web.lab import current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import signed_in, staff_needed
from fabctl_web.staff.health_shown import sections
from fabctl_web.staff.lines import Section
from fabctl_web.staff.tabs import tabs

area = Blueprint("staff_health", __name__, template_folder="templates")


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


HEADS = (_("List"), _("What"), _("State"), _("Details"), _("Age"))


@page(area, "/staff/health")
def health() -> str:
    """Show the processes' health; the page asks again every 5 s."""
    me, lab, words = staff_needed(), current_lab(), tables.words()
    found = _narrowed(sections(lab, me), words)
    return render_template(
        "staff/health.html", sections=found, words=words, at=_clock(), tabs=tabs()
    )


@area.get("/staff/health/now")
def now() -> str:
    """Return the lists alone, for the page that asks again."""
    if signed_in() is None:
        abort(401)  # a sign-in page has no place inside this one
    me, lab, words = staff_needed(), current_lab(), tables.words()
    found = _narrowed(sections(lab, me), words)
    return render_template("staff/health_now.html", sections=found, at=_clock())


@area.get("/staff/health.csv")
def export() -> Response:
    """Return the same as a table, to send to whoever helps."""
    me, lab, words = staff_needed(), current_lab(), tables.words()
    rows = [
        (section.title, line.title, line.state, line.first, line.second)
        for section in _narrowed(sections(lab, me), words)
        for line in section.lines
    ]
    return tables.saved("health", [speech()(one) for one in HEADS], rows)


def _narrowed(found: list[Section], words: str) -> list[Section]:
    return [one.narrowed(words, speech()("Nothing found.")) for one in found]


def _clock() -> str:
    lab = current_lab()
    return f"{lab.clock.now().astimezone(lab.config.time_zone):%H:%M:%S}"
