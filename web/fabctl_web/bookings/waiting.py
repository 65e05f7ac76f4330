"""Waiting for a slot that somebody has: joining, taking what is kept, leaving."""

from __future__ import annotations

from flask import Blueprint, flash, url_for
from werkzeug.wrappers import Response

from fabctl.services import waiting
from fabctl_web.bookings.entries import offer_entry
from fabctl_web.bookings.places import place_or_404
from fabctl_web.forms import form
from fabctl_web.lab import current_lab
from fabctl_web.language import speech
from fabctl_web.people.signed_in import go, person_needed

area = Blueprint("waiting", __name__)


@area.post("/m/<resource>/wait")
def join(resource: str) -> Response:
    """Wait for a slot. A refusal shows every reason (409)."""
    person, lab = person_needed(), current_lab()
    place_or_404(lab, resource)
    with form() as sent:
        start, end = sent.instant("start"), sent.instant("end")
        account = sent.maybe_text("account")
    with lab.db.transaction() as db:
        waiting.join(
            db,
            lab.clock,
            lab.config.time_zone,
            person_id=person.id,
            resource_id=resource,
            start=start,
            end=end,
            by=person.id,
            account_id=account,
        )
    flash(speech()("You are on the waiting list. We tell you here when it is free."), "good")
    return go(url_for("people.me"))


@area.post("/waiting/<entry>/accept")
def accept(entry: str) -> Response:
    """Take the slot that is kept."""
    person, lab = person_needed(), current_lab()
    with lab.db.transaction() as db:
        made = waiting.accept(db, lab.clock, lab.config.time_zone, waiting_id=entry, by=person.id)
    lab.booked_anew(made.resource_id)
    slot = speech().slot(made.start, made.end, lab.clock.now())
    flash(speech()("Booked: {slot}.", slot=slot), "good")
    offer_entry(made.id)
    return go(url_for("people.me"))


@area.post("/waiting/<entry>/leave")
def leave(entry: str) -> Response:
    """Wait no more, or decline what is offered."""
    person, lab = person_needed(), current_lab()
    with lab.db.transaction() as db:
        waiting.leave(db, lab.clock, lab.config.time_zone, waiting_id=entry, by=person.id)
    flash(speech()("You wait no more."), "good")
    return go(url_for("people.me"))
