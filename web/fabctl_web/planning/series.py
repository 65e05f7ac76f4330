"""Weekly series, for the staff: each date with what stands against it, then the booking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from fabctl.model.booking_series import FEWEST, MOST
from fabctl.model.people import Role
from fabctl.model.refusal import Refusal
from fabctl.services import accounts
from fabctl.services import series as service
from fabctl.services.people import PersonView
from fabctl.services.series import RefusedDate
from fabctl_web.bookings.places import all_places
from fabctl_web.bookings.views import LENGTHS_MIN, QUARTERS
from fabctl_web.forms import form
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import go, person_needed, staff_needed
from fabctl_web.planning.views import area

LENGTHS = (*LENGTHS_MIN, 180, 480)
LONGEST_MIN = 24 * 60


@dataclass(frozen=True)
class Wanted:
    """A series as a form asks for it."""

    resource: str
    day: str
    time: str
    minutes: int
    weeks: int
    account: str
    start: datetime

    @property
    def end(self) -> datetime:
        """The end of its first date."""
        return self.start + timedelta(minutes=self.minutes)


@dataclass(frozen=True)
class Dated:
    """One date of a proposal. No refusal: it can be booked."""

    day: date
    refusals: Sequence[Refusal] = ()


@page(area, "/planning/series")
def series() -> str:
    """Ask what is to be booked every week."""
    person = staff_needed(Role.ANIMATOR)
    return _page(person, None, [])


@area.post("/planning/series/proposal")
def propose_series() -> str:
    """Show what would become of each date. Nothing is booked."""
    person, lab = staff_needed(Role.ANIMATOR), current_lab()
    wanted = _wanted()
    with lab.db.transaction() as db:
        found = service.propose_series(
            db,
            lab.clock,
            lab.config.time_zone,
            person_id=person.id,
            resource_id=wanted.resource,
            start=wanted.start,
            end=wanted.end,
            weeks=wanted.weeks,
            by=person.id,
            account_id=wanted.account or None,
        )
    zone = lab.config.time_zone
    dates = [Dated(slot.start.astimezone(zone).date()) for slot in found.possible]
    return _page(person, wanted, _sorted([*dates, *_refused(found.refused)]))


@area.post("/planning/series")
def book_series() -> Response | str:
    """Book the dates that can be booked."""
    person, lab = staff_needed(Role.ANIMATOR), current_lab()
    wanted = _wanted()
    with lab.db.transaction() as db:
        report = service.book_series(
            db,
            lab.clock,
            lab.config.time_zone,
            person_id=person.id,
            resource_id=wanted.resource,
            start=wanted.start,
            end=wanted.end,
            weeks=wanted.weeks,
            by=person.id,
            account_id=wanted.account or None,
            book_the_rest=True,
        )
    if report.series_id is None:
        return _page(person, wanted, _sorted(_refused(report.refused)))
    lab.booked_anew(wanted.resource)
    flash(speech()("{count} dates are booked.", count=len(report.booked)), "good")
    return go(url_for("people.me"))


@area.post("/series/<series>/cancel")
def cancel_series(series: str) -> Response:
    """Cancel what of one's own series has not begun."""
    person, lab = person_needed(), current_lab()
    with lab.db.transaction() as db:
        gone = service.cancel_series(
            db, lab.clock, lab.config.time_zone, series_id=series, by=person.id
        )
    for resource in {one.resource_id for one in gone}:
        lab.booked_anew(resource)
    flash(speech()("{count} dates are cancelled.", count=len(gone)), "good")
    return go(url_for("people.me"))


def _wanted() -> Wanted:
    with form() as sent:
        wanted = Wanted(
            resource=sent.resource(),
            day=sent.text("day"),
            time=sent.text("time"),
            minutes=sent.number("minutes", 5, LONGEST_MIN),
            weeks=sent.number("weeks", FEWEST, MOST),
            account=sent.maybe_text("account") or "",
            start=sent.moment("day", "time"),
        )
    return wanted  # noqa: RET504  # the end of the block refuses what is malformed


def _refused(found: Sequence[RefusedDate]) -> list[Dated]:
    return [Dated(one.day, one.refusals) for one in found]


def _sorted(dates: Sequence[Dated]) -> list[Dated]:
    return sorted(dates, key=lambda one: one.day)


def _page(person: PersonView, wanted: Wanted | None, dates: Sequence[Dated]) -> str:
    lab, said = current_lab(), speech()
    with lab.db.reading() as db:
        charged = accounts.accounts_of(db, person_id=person.id)
    today = lab.clock.now().astimezone(lab.config.time_zone)
    day = wanted.day if wanted else today.date().isoformat()
    times = [(f"{one:%H:%M}", said.wall(one)) for one in QUARTERS]
    return render_template(
        "planning/series.html",
        wanted=wanted,
        dates=[(_noon(lab, one.day), one.refusals) for one in dates],
        possible=sum(not one.refusals for one in dates),
        resources=[(one.id, one.name) for one in all_places(lab)],
        resource=wanted.resource if wanted else request.args.get("resource", ""),
        day_value=day,
        time_choices=times,
        time_value=wanted.time if wanted else "14:00",
        lengths=[(n, said.lasting(n * 60)) for n in sorted(LENGTHS)],
        accounts=[(one.id, one.name) for one in charged],
        fewest=FEWEST,
        most=MOST,
    )


def _noon(lab: Lab, day: date) -> datetime:
    return datetime.combine(day, time(12), lab.config.time_zone)
