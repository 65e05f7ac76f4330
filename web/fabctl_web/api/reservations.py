"""Reservations, for programs."""

from __future__ import annotations

from flask import jsonify, make_response, request
from werkzeug.wrappers import Response

from fabctl.services import bookings
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.shape import reservation_json
from fabctl_web.lab import current_lab

area = api_area("reservations")


@area.post("/reservations")
def reserve() -> Response:
    """Book a slot for the caller: 201, 409 with every reason, 422 for malformed input."""
    lab, person = current_lab(), caller()
    with reading.body() as sent:
        resource, start, end = sent.resource(), sent.instant("start"), sent.instant("end")
    with lab.db.transaction() as db:
        made = bookings.book(
            db,
            lab.clock,
            lab.config.time_zone,
            person_id=person.id,
            resource_id=resource,
            start=start,
            end=end,
            by=person.id,
        )
    lab.booked_anew(resource)
    return make_response(jsonify(reservation_json(made)), 201)


@area.delete("/reservations/<reservation>")
def cancel(reservation: str) -> Response:
    """Cancel a reservation: one's own; the staff anybody's."""
    lab, person = current_lab(), caller()
    with lab.db.transaction() as db:
        gone = bookings.cancel(
            db,
            lab.clock,
            lab.config.time_zone,
            reservation_id=reservation,
            by=person.id,
            reason=request.args.get("reason"),
        )
    lab.booked_anew(gone.resource_id)
    return jsonify(reservation_json(gone))


@area.post("/reservations/<reservation>/check-in")
def check_in(reservation: str) -> Response:
    """Say that somebody is here for their reservation."""
    lab, person = current_lab(), caller()
    with lab.db.transaction() as db:
        found = bookings.check_in(db, lab.clock, reservation_id=reservation, by=person.id)
    return jsonify(reservation_json(found))
