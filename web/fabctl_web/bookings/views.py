"""Booking: the slots that fit first, any other time for those who look."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from flask import Blueprint, abort, flash, render_template, request, url_for
from werkzeug.wrappers import Response

from fabctl.model.booking_slots import Slot
from fabctl.model.refusal import RefusedError
from fabctl.services import bookings
from fabctl.services.bookings import ReservationView
from fabctl_web import forms
from fabctl_web.bookings.charging import charged_to, chosen_group, groups_of
from fabctl_web.bookings.entries import offer_entry
from fabctl_web.bookings.free import around, lengths_at, next_slots, to_wait_for
from fabctl_web.bookings.places import place_or_404
from fabctl_web.bookings.refusing import not_booked, override_reason
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page as opens
from fabctl_web.people.signed_in import back_address, go, person_needed, signed_in

area = Blueprint("bookings", __name__, template_folder="templates")

LENGTHS_MIN = (30, 60, 120, 240)
USUAL_MIN = 60
DAYS_SHOWN = 28
QUARTERS = [time(hour, minute) for hour in range(24) for minute in (0, 15, 30, 45)]


@opens(area, "/m/<machine>/book")
def page(machine: str) -> str:
    """Propose the next slots that fit."""
    return _page(machine, None)


@opens(area, "/m/<machine>/book/<day>/<time>")
def page_at(machine: str, day: str, time: str) -> str:
    """Propose the slots at a moment of the planning. A sign-in on the way leads back to it."""
    return _page(machine, _looked_at(current_lab(), day, time))


def _page(machine: str, moment: datetime | None) -> str:
    lab = current_lab()
    place = place_or_404(lab, machine)
    lengths, whole = lengths_at(lab, machine, moment, LENGTHS_MIN)
    minutes = request.args.get("minutes", type=int, default=whole or USUAL_MIN)
    minutes = minutes if minutes in lengths else USUAL_MIN
    now = lab.clock.now()
    person = signed_in()
    slots = next_slots(lab, machine, minutes)
    groups = groups_of(lab, person)
    local = (moment or now).astimezone(lab.config.time_zone)
    return render_template(
        "bookings/page.html",
        place=place,
        slots=slots,
        starts_now=bool(slots) and slots[0].start <= now,
        minutes=minutes,
        lengths=lengths,
        found=around(lab, machine, moment, minutes) if moment else None,
        taken=to_wait_for(lab, machine, person) if person else [],
        groups=groups,
        account=chosen_group(groups),
        signed=person is not None,
        **choices(lab, local if moment else None),
    )


def choices(lab: Lab, local: datetime | None) -> dict[str, object]:
    """Return the days and times of day that a form offers; ``local``: what is chosen at first."""
    today = lab.clock.now().astimezone(lab.config.time_zone)
    chosen = QUARTERS[_quarter(local)] if local else QUARTERS[(_quarter(today) + 1) % 96]
    return {
        "days": [today + timedelta(days=ahead) for ahead in range(DAYS_SHOWN)],
        "times": QUARTERS,
        "chosen_time": chosen,
        "chosen_day": (local or today).date(),
    }


def _quarter(local: datetime) -> int:
    return local.hour * 4 + local.minute // 15


def _looked_at(lab: Lab, day: str, clock: str) -> datetime | None:
    """Return a moment on the lab's clocks, if it is one and not past."""
    try:
        found = forms.instant(day, clock, lab.config.time_zone)
    except (ValueError, OverflowError):
        return None
    now = lab.clock.now()
    soon = now + timedelta(days=366)
    return found if now - timedelta(minutes=15) < found < soon else None


@area.post("/m/<machine>/book")
def book(machine: str) -> Response:
    """Book a slot for oneself. A refusal shows every reason (409), and what else there is."""
    person = person_needed()
    lab = current_lab()
    place = place_or_404(lab, machine)
    start, end = wanted_slot(lab)
    account, override = charged_to(), override_reason()
    try:
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
                account_id=account,
                override_reason=override,
            )
    except RefusedError as error:
        again = url_for("bookings.book", machine=machine)
        return not_booked(place, Slot(start, end), error.refusals, again)
    lab.booked_anew(machine)
    flash(speech()("Booked: {slot}.", slot=said(made)), "good")
    offer_entry(made.id)
    return go(place.address if place.is_machine else url_for("people.me"))


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
    if gone.no_show_at is None:
        flash(speech()("Cancelled: {slot}.", slot=said(gone)), "good")
    else:
        missed = speech()(
            "Given back, but nobody had come: {slot} counts as missed.", slot=said(gone)
        )
        flash(missed, "bad")
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


@area.post("/reservations/<reservation>/stop")
def stop(reservation: str) -> Response:
    """End one's reservation now: the rest is free for others."""
    person = person_needed()
    lab = current_lab()
    with lab.db.transaction() as db:
        found = bookings.stop(
            db, lab.clock, lab.config.time_zone, reservation_id=reservation, by=person.id
        )
    lab.booked_anew(found.resource_id)
    flash(speech()("Thank you. The rest of your time is free for others."), "good")
    return go(back_address(request.referrer))


def said(found: ReservationView) -> str:
    """Return a reservation's time in words."""
    return speech().slot(found.start, found.end, current_lab().clock.now())


def wanted_slot(lab: Lab) -> tuple[datetime, datetime]:
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
