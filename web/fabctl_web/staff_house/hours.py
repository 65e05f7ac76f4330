"""Opening hours at the desk: a week of the house or of one place, days that differ, holidays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from flask import Blueprint, flash, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from fabctl.model.booking_hours import LONGEST_LOOK, Periods
from fabctl.services import opening, opening_read, resources
from fabctl.services.opening import LAB
from fabctl.services.opening_read import DayHours
from fabctl_web import tables
from fabctl_web.api.reading import malformed
from fabctl_web.forms import form
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import chosen_language, speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import go, staff_needed
from fabctl_web.speech import WEEKDAYS
from fabctl_web.staff_house import names, week_forms
from fabctl_web.staff_house.kept import Kept, again, typed

area = Blueprint("house_hours", __name__, template_folder="templates")


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


HEADS = (_("Day"), _("Hours"), _("Reason"))
LABELS = {
    **{f"day{number}": name for number, name in enumerate(WEEKDAYS)},
    "special": _("Hours of these days"),
    "first": _("First day"),
    "last": _("Last day"),
    "reason": _("Reason"),
}


@dataclass(frozen=True)
class SpecialDay:
    """A day that is not like its weekday."""

    day: date
    said: str
    hours: str
    reason: str
    holiday: str
    """Its name; empty: it is none."""
    around: str = ""
    """For what it was set, where that is not this place itself."""
    is_set: bool = False
    """Whether it was set here, so that it can be taken back here."""


@page(area, "/staff/hours")
def of_house() -> str:
    """Show the week of the house, days that differ and public holidays."""
    return _show(LAB)


@page(area, "/staff/hours/<resource>")
def of_place(resource: str) -> str:
    """Show the same for one place."""
    return _show(resource)


@area.get("/staff/hours.csv", defaults={"resource": LAB})
@area.get("/staff/hours/<resource>/days.csv")
def export(resource: str) -> Response:
    """Return the days that differ, and the holidays, as a table."""
    staff_needed()
    lab, say = current_lab(), speech()
    with lab.db.reading() as db:
        _week, days = _read(lab, db, resource)
    rows = [
        (one.day.isoformat(), one.hours, names.joined((one.holiday, one.reason, one.around)))
        for one in days
    ]
    return tables.saved("opening-hours", [say(one) for one in HEADS], rows)


@area.post("/staff/hours", defaults={"resource": LAB})
@area.post("/staff/hours/<resource>")
def set_week(resource: str) -> Response:
    """Set the week; with no time at all the place is as what is around it."""
    lab, me = current_lab(), staff_needed()
    with Kept(LABELS) as kept:
        with form() as sent:
            days = {day: week_forms.read(sent, f"day{day}") for day in range(7)}
        week = {day: periods for day, periods in days.items() if periods}
        with lab.db.transaction() as db:
            opening.set_week(db, lab.clock, subject=resource, week=week, by=me.id)
        lab.bookings.forget()
        flash(speech()("These hours hold from now on."), "good")
        return go(_address(resource))
    return again(_show(resource, kept))


@area.post("/staff/hours/days", defaults={"resource": LAB})
@area.post("/staff/hours/<resource>/days")
def set_days(resource: str) -> Response:
    """Let some days have hours of their own, or be closed."""
    lab, me = current_lab(), staff_needed()
    with Kept(LABELS) as kept:
        with form() as sent:
            first = sent.day("first")
            last = sent.day("last") if sent.has("last") else first
            periods = () if sent.ticked("closed") else week_forms.read(sent, "special")
            if not periods and not sent.ticked("closed"):
                sent.refusals.append(malformed("special"))
            reason = sent.maybe_text("reason")
        with lab.db.transaction() as db:
            opening.set_exception(
                db,
                lab.clock,
                subject=resource,
                first=first,
                last=last,
                periods=periods,
                reason=reason,
                by=me.id,
            )
        lab.bookings.forget()
        flash(speech()("These days are set."), "good")
        return go(_address(resource))
    return again(_show(resource, kept))


@area.post("/staff/hours/forget", defaults={"resource": LAB})
@area.post("/staff/hours/<resource>/forget")
def forget_day(resource: str) -> Response:
    """Let a day be like its weekday again."""
    lab, me = current_lab(), staff_needed()
    with form() as sent:
        day = sent.day("day")
    with lab.db.transaction() as db:
        opening.forget_exception(db, lab.clock, subject=resource, day=day, by=me.id)
    lab.bookings.forget()
    flash(speech()("This day is like its weekday again."), "good")
    return go(_address(resource))


def _show(resource: str, kept: Kept | None = None) -> str:
    staff_needed()
    lab, say = current_lab(), speech()
    with lab.db.reading() as db:
        week, days = _read(lab, db, resource)
        places = names.places(db)
        own = opening_read.subjects_with_hours(db)
    shown, more = names.part(days, lambda one: (one.day.isoformat(),))
    return render_template(
        "staff_house/hours.html",
        resource=resource,
        place=places.get(resource, ""),
        week=[
            (f"day{day}", say(WEEKDAYS[day]), week_forms.pairs(f"day{day}", week.get(day, ())))
            for day in range(7)
        ],
        is_set=bool(week),
        spoken=week_forms.week_in_words(week, say),
        days=shown,
        more=more,
        special=week_forms.pairs("special", ()),
        places=[(one, name, one in own) for one, name in places.items()],
        words=tables.words(),
        refusals=kept.refusals if kept else (),
        about_days=request.path.endswith("/days"),
        typed=typed,
    )


def _read(lab: Lab, db: Session, resource: str) -> tuple[dict[int, Periods], Sequence[SpecialDay]]:
    """Return the week, and the days to come that differ from it and match the search.

    Days of what a place lies in, and of the house, hold for it too; the nearest goes first.
    """
    first = _today(lab)
    last = first + LONGEST_LOOK - timedelta(days=1)
    line = _line(db, resource)
    found = {
        one: opening_read.opening_hours(db, first=first, last=last, subject=one) for one in line
    }
    special = {day.day: (one, day) for one in reversed(line) for day in found[one].exceptions}
    closed = set(found[resource].holidays) if any(one.week for one in found.values()) else set()
    known = _holidays(first, last)
    places = names.places(db) | {LAB: speech()("the whole lab")}
    days = []
    for day in sorted(known.keys() | special.keys()):
        subject, set_day = special.get(day, (resource, None))
        around = "" if subject == resource else places.get(subject, subject)
        one = _special_day(lab, day, set_day, known.get(day, ""), closed=day in closed)
        days.append(replace(one, around=around, is_set=set_day is not None and not around))
    wanted = [one for one in days if names.matches(one.said, one.holiday, one.reason)]
    return dict(found[resource].week), wanted


def _line(db: Session, resource: str) -> list[str]:
    """Return a place, what it lies in, and the house: the nearest first."""
    parents = {one.id: one.parent_id for one in resources.list_all(db)}
    found: list[str] = []
    at: str | None = resource
    while at:
        found.append(at)
        at = parents.get(at)
    return [*found, LAB]


def _holidays(first: date, last: date) -> dict[date, str]:
    return {
        day: name
        for year in range(first.year, last.year + 1)
        for day, name in opening_read.holiday_names(year, chosen_language()).items()
        if first <= day <= last
    }


def _special_day(
    lab: Lab, day: date, special: DayHours | None, holiday: str, *, closed: bool
) -> SpecialDay:
    say = speech()
    if special is not None:
        hours = week_forms.in_words(special.periods, say)
    else:
        hours = say(_("closed")) if closed else say(_("like its weekday"))
    reason = (special.reason or "") if special else ""
    return SpecialDay(day, say.on(day, lab.clock.now()), hours, reason, holiday)


def _today(lab: Lab) -> date:
    return lab.clock.now().astimezone(lab.config.time_zone).date()


def _address(resource: str) -> str:
    if resource == LAB:
        return url_for("house_hours.of_house")
    return url_for("house_hours.of_place", resource=resource)
