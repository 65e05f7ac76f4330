"""What can be booked, and when it is free and open, for programs."""

from __future__ import annotations

from typing import Any

from flask import abort, jsonify, request
from werkzeug.wrappers import Response

from fabctl.model.access import unmet
from fabctl.model.booking_hours import Periods
from fabctl.model.booking_slots import Slot
from fabctl.services import access, bookings, closures, opening_read
from fabctl.services import availability as service
from fabctl.services import resources as places
from fabctl.services.availability import Availability
from fabctl.services.bookings import ReservationView
from fabctl.services.closures import ClosureView
from fabctl.services.opening import LAB
from fabctl.services.resources import PlaceView, PoolView
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.reservations import MOST_MINUTES, booked
from fabctl_web.api.shape import refusal_json, slot_json
from fabctl_web.lab import current_lab
from fabctl_web.language import speech

area = api_area("resources")

MOST_SLOTS = 50


@area.get("/resources")
def resources() -> Response:
    """List machines, spaces and seats."""
    lab, page = current_lab(), reading.page()
    with lab.db.reading() as db:
        found = sorted(places.list_all(db), key=_place_key)
    return reading.paged("resources", found, page, _place_key, place_json)


@area.get("/resources/<resource>/slots")
def slots(resource: str) -> Response:
    """Propose the next free slots of a length."""
    lab = current_lab()
    with reading.query() as sent:
        minutes = sent.number("minutes", 1, MOST_MINUTES) if sent.has("minutes") else 60
        count = sent.number("count", 1, MOST_SLOTS) if sent.has("count") else 4
    with lab.db.reading() as db:
        found = bookings.proposals(
            db, lab.clock, lab.config.time_zone, resource, minutes=minutes, count=count
        )
    return jsonify({"slots": [slot_json(slot) for slot in found]})


@area.get("/availability")
def availability() -> Response:
    """Say when resources are open, taken and free, without names."""
    lab, page = current_lab(), reading.page()
    with reading.query() as sent:
        window = Slot(sent.instant("start"), sent.instant("end"))
    wanted = request.args.getlist("resource") or None
    with lab.db.reading() as db:
        found = service.availability(db, lab.config.time_zone, window, wanted)
    if set(wanted or ()) - {one.resource_id for one in found}:
        abort(404)
    found.sort(key=_availability_key)
    return reading.paged("availability", found, page, _availability_key, _availability_json)


@area.get("/machines/<machine>/access")
def may_use(machine: str) -> Response:
    """Say whether the caller may use a machine now: every condition, met or not or unknown."""
    lab, person = current_lab(), caller()
    lab.profile(machine)
    state = lab.machine(machine).state
    with lab.db.reading() as db:
        found = access.may_use(
            db,
            lab.clock,
            lab.config.time_zone,
            person_id=person.id,
            resource_id=machine,
            machine_state=state,
        )
    conditions = [
        {"code": one.code, "met": one.met, "message": speech().text(one.message)} for one in found
    ]
    against = [refusal_json(refusal) for refusal in unmet(found)]
    return jsonify({"allowed": not against, "conditions": conditions, "refusals": against})


@area.get("/opening-hours")
def opening_hours() -> Response:
    """Show the hours that the staff set, for the lab or for one resource."""
    lab = current_lab()
    today = lab.clock.now().astimezone(lab.config.time_zone).date()
    with reading.query() as sent:
        subject = sent.resource() if sent.has("resource") else LAB
        first = sent.day("first") if sent.has("first") else today
        last = sent.day("last") if sent.has("last") else first
    with lab.db.reading() as db:
        found = opening_read.opening_hours(db, first=first, last=last, subject=subject)
    body = {
        "resource": subject or None,
        "week": [
            {"weekday": day, "periods": periods_json(hours)} for day, hours in found.week.items()
        ],
        "exceptions": [
            {
                "date": one.day.isoformat(),
                "periods": periods_json(one.periods),
                "reason": one.reason,
            }
            for one in found.exceptions
        ],
        "closed_holidays": [day.isoformat() for day in found.holidays],
    }
    return jsonify(body)


@area.get("/closures")
def list_closures() -> Response:
    """List closures and planned maintenance that are not over."""
    lab, page = current_lab(), reading.page()
    with lab.db.reading() as db:
        found = closures.coming(db, since=lab.clock.now())
    found.sort(key=_closure_key)
    return reading.paged("closures", found, page, _closure_key, closure_json)


@area.get("/pools")
def pools() -> Response:
    """List the pools: resources of which any one will do."""
    lab, page = current_lab(), reading.page()
    with lab.db.reading() as db:
        found = sorted(places.list_pools(db), key=_pool_key)
    return reading.paged("pools", found, page, _pool_key, pool_json)


@area.post("/pools/<pool>/reservations")
def reserve_any(pool: str) -> Response:
    """Book the first resource of a pool that can be booked."""
    lab, person = current_lab(), caller()
    with reading.body() as sent:
        start, end = sent.instant("start"), sent.instant("end")
        account = sent.maybe_text("account")
    with lab.db.transaction() as db:
        made: ReservationView = bookings.book_any(
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
    return booked(made)


def periods_json(periods: Periods) -> list[dict[str, int]]:
    """Return a day's opening hours."""
    return [{"opens_min": opens, "closes_min": closes} for opens, closes in periods]


def _place_key(place: PlaceView) -> tuple[str, ...]:
    return (place.id,)


def place_json(place: PlaceView) -> dict[str, Any]:
    """Return a resource."""
    return {
        "id": place.id,
        "name": place.name,
        "kind": place.kind.value,
        "category": place.category,
        "parent": place.parent_id,
    }


def _pool_key(pool: PoolView) -> tuple[str, ...]:
    return (pool.id,)


def pool_json(pool: PoolView) -> dict[str, Any]:
    """Return a pool."""
    return {"id": pool.id, "name": pool.name, "members": list(pool.members)}


def _availability_key(found: Availability) -> tuple[str, ...]:
    return (found.resource_id,)


def _availability_json(found: Availability) -> dict[str, Any]:
    return {
        "resource": found.resource_id,
        "out_of_order": found.out_of_order,
        "open": [slot_json(slot) for slot in found.open],
        "taken": [slot_json(one.slot) | {"kind": one.kind.value} for one in found.taken],
        "free": [slot_json(slot) for slot in found.free],
    }


def _closure_key(closure: ClosureView) -> tuple[str, ...]:
    return (closure.slot.start.isoformat(), closure.id)


def closure_json(closure: ClosureView) -> dict[str, Any]:
    """Return a closure."""
    return {
        "id": closure.id,
        "resource": closure.resource_id,
        "kind": closure.kind.value,
        **slot_json(closure.slot),
        "note": closure.note,
    }
