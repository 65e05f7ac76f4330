"""The planning: a day of everything that can be booked, for whoever looks."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from flask import Blueprint, render_template, request

from fabctl_web.lab import Lab, current_lab
from fabctl_web.pages import page
from fabctl_web.people.signed_in import signed_in
from fabctl_web.planning.grid import HOUR, Block, read_day

area = Blueprint("planning", __name__, template_folder="templates")

FURTHEST_DAYS = 366
"""How far from today a day may be, before and after."""


@page(area, "/planning")
def day() -> str:
    """Show a day: what is free is a link that books."""
    return _shown("planning/day.html")


@area.get("/planning/lines")
def lines() -> str:
    """Return the day as it is now. No page: it keeps nobody's session on a shared screen."""
    return _shown("planning/lines.html")


def _shown(template: str) -> str:
    lab = current_lab()
    today = lab.clock.now().astimezone(lab.config.time_zone).date()
    wanted = wanted_day(today)
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
        start_of=lambda block: _start_of(block, hours.first),
    )


def wanted_day(today: date) -> date:
    """Return the day that the query asks for; today for none, or one that is too far away."""
    try:
        found = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return today
    return found if abs((found - today).days) <= FURTHEST_DAYS else today


def _noon(lab: Lab, wanted: date) -> datetime:
    """Return a moment of the day, for its name."""
    return datetime.combine(wanted, time(12), lab.config.time_zone)


def _start_of(block: Block, first_hour: int) -> str:
    """Return the wall clock time at which a free stretch can be booked, as a form says it."""
    hour, quarter = divmod(block.first + first_hour * HOUR, HOUR)
    return f"{hour:02}:{quarter * 15:02}"
