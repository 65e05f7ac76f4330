"""The planning: a day of everything that can be booked, for whoever looks."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from fabctl_web.lab import Lab, current_lab
from fabctl_web.pages import page
from fabctl_web.people.signed_in import go, signed_in
from fabctl_web.planning.grid import HOUR, Block, read_day

area = Blueprint("planning", __name__, template_folder="templates")

FURTHEST_DAYS = 366
"""How far from today a day may be, before and after."""


@page(area, "/planning")
def day() -> Response | str:
    """Show today; a day that was chosen has an address of its own."""
    if "day" in request.args:
        wanted = wanted_day(request.args["day"], _today())
        return go(url_for("planning.on", day=wanted.isoformat()))
    return _shown("planning/day.html", _today())


@page(area, "/planning/<day>")
def on(day: str) -> str:
    """Show a day: what is free is a link that books."""
    return _shown("planning/day.html", wanted_day(day, _today()))


@area.get("/planning/<day>/lines")
def lines(day: str) -> str:
    """Return the day as it is now: what its page asks for by itself."""
    return _shown("planning/lines.html", wanted_day(day, _today()))


def _shown(template: str, wanted: date) -> str:
    lab = current_lab()
    found = read_day(lab, wanted, signed_in())
    hours = found.hours
    return render_template(
        template,
        day=found,
        noon=_noon(lab, wanted),
        before=wanted - timedelta(days=1),
        after=wanted + timedelta(days=1),
        hours=[
            (n * HOUR, (n + 1) * HOUR, time(hour))
            for n, hour in enumerate(range(hours.first, hours.last))
        ],
        start_of=lambda block: _start_of(block, lab.config.time_zone),
    )


def wanted_day(written: str, today: date) -> date:
    """Return a day; today for what is none, or too far away."""
    try:
        found = date.fromisoformat(written)
    except ValueError:
        return today
    return found if abs((found - today).days) <= FURTHEST_DAYS else today


def _today() -> date:
    lab = current_lab()
    return lab.clock.now().astimezone(lab.config.time_zone).date()


def _noon(lab: Lab, wanted: date) -> datetime:
    """Return a moment of the day, for its name."""
    return datetime.combine(wanted, time(12), lab.config.time_zone)


def _start_of(block: Block, zone: ZoneInfo) -> str:
    """Return the wall clock time at which a free stretch can be booked, as a form says it."""
    start = (block.room or block.slot).start
    return f"{start.astimezone(zone):%H:%M}"
