"""Reservations, for programs."""

from __future__ import annotations

from flask import jsonify, make_response
from werkzeug.wrappers import Response

from fabctl.services import bookings, noshows, reservation_lists
from fabctl.services.bookings import ReservationView
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.shape import reservation_json
from fabctl_web.lab import current_lab

MOST_MINUTES = 7 * 24 * 60

area = api_area("reservations")


@area.get("/reservations")
def reservations() -> Response:
    """List the caller's reservations; for the staff, those of anybody."""
    lab, person, page = current_lab(), caller(), reading.page()
    with reading.query() as sent:
        since = sent.instant("since") if sent.has("since") else lab.clock.now()
        whose = sent.maybe_text("person") or person.id
    after = reading.instant_and_id(page)
    with lab.db.reading() as db:
        found = reservation_lists.of_person(
            db, person_id=whose, by=person.id, since=since, after=after, limit=page.limit + 1
        )
    return reading.paged("reservations", found, page, _key, reservation_json)


def _key(found: ReservationView) -> tuple[str, ...]:
    return (found.start.isoformat(), found.id)


@area.get("/reservations/<reservation>")
def reservation(reservation: str) -> Response:
    """Show a reservation: one's own; the staff anybody's."""
    lab, person = current_lab(), caller()
    with lab.db.reading() as db:
        found = reservation_lists.readable(db, reservation_id=reservation, by=person.id)
    return jsonify(reservation_json(found))


@area.post("/reservations")
def reserve() -> Response:
    """Book a slot: 201, 409 with every reason, 422 for malformed input."""
    lab, person = current_lab(), caller()
    with reading.body() as sent:
        resource, start, end = sent.resource(), sent.instant("start"), sent.instant("end")
        whose = sent.maybe_text("person") or person.id
        account = sent.maybe_text("account")
        override = sent.maybe_text("override_reason")
    with lab.db.transaction() as db:
        made = bookings.book(
            db,
            lab.clock,
            lab.config.time_zone,
            person_id=whose,
            resource_id=resource,
            start=start,
            end=end,
            by=person.id,
            account_id=account,
            override_reason=override,
        )
    return booked(made)


@area.patch("/reservations/<reservation>")
def move(reservation: str) -> Response:
    """Give a reservation another time or another resource."""
    lab, person = current_lab(), caller()
    with reading.body() as sent:
        start, end = sent.instant("start"), sent.instant("end")
        resource = sent.resource() if sent.has("resource") else None
        override = sent.maybe_text("override_reason")
    with lab.db.transaction() as db:
        before = reservation_lists.readable(db, reservation_id=reservation, by=person.id)
        moved = bookings.move(
            db,
            lab.clock,
            lab.config.time_zone,
            reservation_id=reservation,
            start=start,
            end=end,
            resource_id=resource,
            by=person.id,
            override_reason=override,
        )
    lab.booked_anew(before.resource_id)
    return changed(moved)


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
            reason=reading.reason(),
        )
    return changed(gone)


@area.post("/reservations/<reservation>/check-in")
def check_in(reservation: str) -> Response:
    """Say that somebody is here for their reservation."""
    lab, person = current_lab(), caller()
    with lab.db.transaction() as db:
        found = bookings.check_in(db, lab.clock, reservation_id=reservation, by=person.id)
    return jsonify(reservation_json(found))


@area.post("/reservations/<reservation>/pardon")
def pardon(reservation: str) -> Response:
    """Take a no-show back, for the staff."""
    lab, person = current_lab(), caller()
    with reading.body() as sent:
        why = sent.text("reason")
    with lab.db.transaction() as db:
        found = noshows.pardon(db, lab.clock, reservation_id=reservation, by=person.id, reason=why)
    return jsonify(reservation_json(found))


@area.post("/reservations/<reservation>/stop")
def stop(reservation: str) -> Response:
    """End a running reservation now; the rest is free for others."""
    lab, person = current_lab(), caller()
    with lab.db.transaction() as db:
        found = bookings.stop(
            db, lab.clock, lab.config.time_zone, reservation_id=reservation, by=person.id
        )
    return changed(found)


@area.post("/resources/<resource>/use-now")
def use_now(resource: str) -> Response:
    """Book from now on, for as long as it is free and allowed."""
    lab, person = current_lab(), caller()
    with reading.body() as sent:
        minutes = sent.number("minutes", 1, MOST_MINUTES) if sent.has("minutes") else None
        account = sent.maybe_text("account")
    with lab.db.transaction() as db:
        made = bookings.use_now(
            db,
            lab.clock,
            lab.config.time_zone,
            person_id=person.id,
            resource_id=resource,
            by=person.id,
            minutes=minutes,
            account_id=account,
        )
    return booked(made)


def booked(made: ReservationView) -> Response:
    """Return a new reservation, and tell the screens."""
    return make_response(changed(made), 201)


def changed(found: ReservationView) -> Response:
    """Return a reservation that is not as it was, and tell the screens."""
    current_lab().booked_anew(found.resource_id)
    return jsonify(reservation_json(found))
