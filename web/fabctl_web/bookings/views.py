"""Booking: the slots that fit first, any other time for those who look."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from flask import Blueprint, abort, flash, render_template, request, url_for
from werkzeug.wrappers import Response

from fabctl.services import bookings
from fabctl.services.bookings import ReservationView
from fabctl_web import forms
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page as opens
from fabctl_web.people.signed_in import back_address, go, person_needed, signed_in

area = Blueprint("bookings", __name__, template_folder="templates")

LENGTHS_MIN = (30, 60, 120, 240)
USUAL_MIN = 60
PROPOSED = 4
DAYS_SHOWN = 28
QUARTERS = [time(hour, minute) for hour in range(24) for minute in (0, 15, 30, 45)]


@opens(area, "/m/<machine>/book")
def page(machine: str) -> str:
    """Propose the next slots that fit."""
    lab = current_lab()
    profile = lab.profile(machine)
    minutes = request.args.get("minutes", type=int, default=USUAL_MIN)
    minutes = minutes if minutes in LENGTHS_MIN else USUAL_MIN
    with lab.db.reading() as db:
        slots = bookings.proposals(
            db,
            lab.clock,
            lab.config.time_zone,
            machine,
            minutes=minutes,
            count=PROPOSED,
            fit=True,
        )
    now = lab.clock.now()
    local = now.astimezone(lab.config.time_zone)
    return render_template(
        "bookings/page.html",
        machine=profile,
        slots=slots,
        starts_now=bool(slots) and slots[0].start <= now,
        minutes=minutes,
        lengths=LENGTHS_MIN,
        days=[local + timedelta(days=ahead) for ahead in range(DAYS_SHOWN)],
        times=QUARTERS,
        next_quarter=_next_quarter(local),
        signed=signed_in() is not None,
    )


@area.post("/m/<machine>/book")
def book(machine: str) -> Response:
    """Book a slot for oneself. A refusal shows every reason (409)."""
    person = person_needed()
    lab = current_lab()
    lab.profile(machine)
    start, end = _wanted(lab)
    with lab.db.transaction() as db:
        made = bookings.book(
            db,
            lab.clock,
            lab.config.time_zone,
            person_id=person.id,
            resource_id=machine,
            start=start,
            end=end,
            by=person.id,
        )
    lab.booked_anew(machine)
    flash(speech()("Booked: {slot}.", slot=_said(made)), "good")
    return go(url_for("machines.page", machine=machine))


@area.post("/reservations/<reservation>/cancel")
def cancel(reservation: str) -> Response:
    """Cancel one's own reservation."""
    person = person_needed()
    lab = current_lab()
    with lab.db.transaction() as db:
        gone = bookings.cancel(
            db, lab.clock, lab.config.time_zone, reservation_id=reservation, by=person.id
        )
    lab.booked_anew(gone.resource_id)
    flash(speech()("Cancelled: {slot}.", slot=_said(gone)), "good")
    return go(back_address(request.referrer))


@area.post("/reservations/<reservation>/check-in")
def check_in(reservation: str) -> Response:
    """Say that one is here: the slot is not given to somebody else."""
    person = person_needed()
    lab = current_lab()
    with lab.db.transaction() as db:
        bookings.check_in(db, lab.clock, reservation_id=reservation, by=person.id)
    flash(speech()("You are checked in."), "good")
    return go(back_address(request.referrer))


def _next_quarter(local: datetime) -> time:
    """Return the quarter of an hour after ``local``, on the wall clock."""
    return QUARTERS[(local.hour * 4 + local.minute // 15 + 1) % len(QUARTERS)]


def _said(found: ReservationView) -> str:
    return speech().slot(found.start, found.end, current_lab().clock.now())


def _wanted(lab: Lab) -> tuple[datetime, datetime]:
    """Return the slot that a form asks for: ``start`` (``now`` or ISO 8601) or ``day`` and
    ``time`` on the lab's clocks, and ``minutes``. Malformed input ends the request with 400.
    """
    form = request.form
    try:
        length = timedelta(minutes=int(form["minutes"]))
        if form.get("start") == "now":
            start = lab.clock.now().replace(second=0, microsecond=0)
        elif "start" in form:
            start = datetime.fromisoformat(form["start"])
        else:
            start = forms.instant(form["day"], form["time"], lab.config.time_zone)
        if start.tzinfo is None:
            abort(400)
        return start.astimezone(UTC), start.astimezone(UTC) + length
    except (ValueError, OverflowError):
        abort(400)
