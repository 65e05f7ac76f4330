"""Moving a reservation: the free slots of the same length first, any other time, an earlier end."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from fabctl.model.booking_slots import Slot, next_on_grid
from fabctl.model.refusal import RefusedError
from fabctl.services import bookings, reservation_lists
from fabctl.services.bookings import ReservationView
from fabctl_web.bookings.entries import offer_entry
from fabctl_web.bookings.free import QUARTER, STEP, next_slots
from fabctl_web.bookings.places import Place, all_places, place_or_404
from fabctl_web.bookings.refusing import not_booked, override_reason
from fabctl_web.bookings.views import (
    LENGTHS_MIN,
    area,
    choices,
    said,
    wanted_slot,
)
from fabctl_web.forms import form
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import go, person_needed

ENDS = 8
"""How many ends are offered of one that has begun."""


@page(area, "/reservations/<reservation>/move")
def move_page(reservation: str) -> str:
    """Offer other times for a reservation of one's own; of one that has begun, other ends."""
    person, lab = person_needed(), current_lab()
    with lab.db.reading() as db:
        found = reservation_lists.readable(db, reservation_id=reservation, by=person.id)
    place, others = _places(lab, found)
    minutes = int((found.end - found.start).total_seconds() // 60)
    begun = found.start <= lab.clock.now()
    return render_template(
        "bookings/move.html",
        reservation=found,
        place=place,
        others=others,
        minutes=minutes,
        lengths=sorted({minutes, *LENGTHS_MIN}),
        slots=[] if begun else next_slots(lab, place.id, minutes),
        ends=_ends(lab, found) if begun else [],
        begun=begun,
        **choices(lab, found.start.astimezone(lab.config.time_zone)),
    )


@area.post("/reservations/<reservation>/move")
def move(reservation: str) -> Response:
    """Give a reservation another time. A refusal changes nothing and shows every reason (409)."""
    person, lab = person_needed(), current_lab()
    with lab.db.reading() as db:
        found = reservation_lists.readable(db, reservation_id=reservation, by=person.id)
    place = place_or_404(lab, request.form.get("resource") or found.resource_id)
    start, end = _wanted(lab, found)
    override = override_reason()
    try:
        with lab.db.transaction() as db:
            moved = bookings.move(
                db,
                lab.clock,
                lab.config.time_zone,
                reservation_id=reservation,
                start=start,
                end=end,
                resource_id=place.id,
                by=person.id,
                override_reason=override,
            )
    except RefusedError as error:
        again = url_for("bookings.move", reservation=reservation)
        return not_booked(place, Slot(start, end), error.refusals, again)
    lab.booked_anew(found.resource_id)
    lab.booked_anew(moved.resource_id)
    flash(speech()("Moved: {slot}.", slot=said(moved)), "good")
    if moved.person_id == person.id:
        offer_entry(moved.id)
    return go(url_for("people.me"))


def _wanted(lab: Lab, found: ReservationView) -> tuple[datetime, datetime]:
    if "end" not in request.form:
        return wanted_slot(lab)
    with form() as sent:  # it has begun: only its end changes
        end = sent.instant("end")
    return found.start, end


def _places(lab: Lab, found: ReservationView) -> tuple[Place, list[Place]]:
    """Return what is booked, and what else of its kind there is."""
    places = all_places(lab)
    this = next((one for one in places if one.id == found.resource_id), None)
    this = this or Place(found.resource_id, found.resource_id, is_machine=False)
    return this, [one for one in places if one.category == this.category and one.id != this.id]


def _ends(lab: Lab, found: ReservationView) -> list[datetime]:
    """Return ends to choose from: half hours from soon on, but not the present one."""
    zone = lab.config.time_zone
    end = next_on_grid(lab.clock.now() + QUARTER, QUARTER, zone)
    ends = [end]
    while len(ends) < ENDS:
        end = next_on_grid(end + timedelta(minutes=1), STEP, zone)
        ends.append(end)
    return [one for one in ends if one != found.end]
