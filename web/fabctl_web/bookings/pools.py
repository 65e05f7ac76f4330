"""Pools: several resources of which any one will do. Offered where the chosen one is taken."""

from __future__ import annotations

from flask import flash, url_for
from werkzeug.wrappers import Response

from fabctl.services import bookings
from fabctl_web.bookings.charging import charged_to
from fabctl_web.bookings.entries import offer_entry
from fabctl_web.bookings.places import place_or_404
from fabctl_web.bookings.views import area, said, wanted_slot
from fabctl_web.lab import current_lab
from fabctl_web.language import speech
from fabctl_web.people.signed_in import go, person_needed


@area.post("/pools/<pool>/book")
def book_pool(pool: str) -> Response:
    """Book the first of a pool that can be booked. A refusal shows every reason (409)."""
    person, lab = person_needed(), current_lab()
    start, end = wanted_slot(lab)
    account = charged_to()
    with lab.db.transaction() as db:
        made = bookings.book_any(
            db,
            lab.clock,
            lab.config.time_zone,
            person_id=person.id,
            pool_id=pool,
            start=start,
            end=end,
            by=person.id,
            account_id=account,
        )
    lab.booked_anew(made.resource_id)
    place = place_or_404(lab, made.resource_id)
    flash(speech()("Booked: {slot}.", slot=f"{place.name}, {said(made)}"), "good")
    offer_entry(made.id)
    return go(place.address if place.is_machine else url_for("people.me"))
