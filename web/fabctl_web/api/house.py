"""What the staff set up, for programs: resources and pools, opening hours, closures."""

from __future__ import annotations

from flask import jsonify, make_response
from werkzeug.wrappers import Response

from fabctl.model.booking import ClaimKind
from fabctl.model.booking_facts import ResourceKind
from fabctl.model.booking_hours import DAY_MIN, LATEST_MIN, Periods
from fabctl.model.booking_slots import Slot
from fabctl.services import closures, opening, resource_desk
from fabctl.services import resources as places
from fabctl.services.resource_desk import ResourceOrder
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.reading import Sent, malformed
from fabctl_web.api.resources import closure_json, periods_json, place_json, pool_json
from fabctl_web.api.shape import Json, instant
from fabctl_web.lab import current_lab

area = api_area("house")

MOST_PERIODS = 24


# -- resources and pools ---------------------------------------------------------------------


@area.post("/resources")
def add_resource() -> Response:
    """Add a space or a seat."""
    lab, who = current_lab(), caller().id
    with reading.body() as sent:
        name, kind = sent.text("name"), sent.choice("kind", ResourceKind, ResourceKind.SPACE)
        wanted, category = sent.text("id"), sent.maybe_text("category") or ""
        parent = sent.maybe_text("parent")
    with lab.db.transaction() as db:
        made = places.add_resource(
            db,
            lab.clock,
            resource_id=wanted,
            name=name,
            kind=kind,
            category=category,
            parent_id=parent,
            by=who,
        )
    return make_response(jsonify(place_json(made)), 201)


@area.get("/resources/<resource>")
def resource(resource: str) -> Response:
    """Show a resource, and whether it is out of order."""
    with current_lab().db.reading() as db:
        return jsonify(order_json(resource_desk.order_of(db, resource_id=resource)))


@area.put("/resources/<resource>/parent")
def put_into(resource: str) -> Response:
    """Put a resource into another one, or out of any."""
    lab, who = current_lab(), caller().id
    with reading.body() as sent:
        parent = sent.maybe_text("parent")
    with lab.db.transaction() as db:
        found = places.put_into(db, lab.clock, resource_id=resource, parent_id=parent, by=who)
    lab.booked_anew(resource)
    return jsonify(place_json(found))


@area.post("/resources/<resource>/out-of-order")
def out_of_order(resource: str) -> Response:
    """Let nobody start or book a resource, and say why."""
    lab, who = current_lab(), caller().id
    with reading.body() as sent:
        reason, next_step = sent.text("reason"), sent.maybe_text("next_step")
    with lab.db.transaction() as db:
        found = resource_desk.put_out_of_order(
            db, lab.clock, resource_id=resource, reason=reason, next_step=next_step, by=who
        )
    lab.booked_anew(resource)
    return jsonify(order_json(found))


@area.post("/resources/<resource>/in-order")
def in_order(resource: str) -> Response:
    """Let a resource be used again."""
    lab, who = current_lab(), caller().id
    with lab.db.transaction() as db:
        found = resource_desk.put_in_order(db, lab.clock, resource_id=resource, by=who)
    lab.booked_anew(resource)
    return jsonify(order_json(found))


@area.put("/pools/<pool>")
def set_pool(pool: str) -> Response:
    """Make or change a pool."""
    lab, who = current_lab(), caller().id
    with reading.body() as sent:
        name, members = sent.text("name"), sent.texts("members")
    with lab.db.transaction() as db:
        made = places.set_pool(db, lab.clock, pool_id=pool, name=name, members=members, by=who)
    return jsonify(pool_json(made))


def order_json(found: ResourceOrder) -> Json:
    """Return a resource with what holds it."""
    return place_json(found.place) | {
        "out_of_order_at": instant(found.out_of_order_at),
        "reason": found.reason,
        "next_step": found.next_step,
    }


# -- opening hours ---------------------------------------------------------------------------


@area.put("/opening-hours/week")
def set_week() -> Response:
    """Set the hours of a week, of the lab or of one resource."""
    lab, who = current_lab(), caller().id
    with reading.body() as sent:
        subject = sent.maybe_text("resource") or opening.LAB
        days = [(one.number("weekday", 0, 6), _periods(one)) for one in sent.records("week", 7)]
        if len({day for day, _ in days}) != len(days):
            sent.refusals.append(malformed("week"))
    week = {day: periods for day, periods in days if periods}
    with lab.db.transaction() as db:
        opening.set_week(db, lab.clock, subject=subject, week=week, by=who)
    shown = [{"weekday": day, "periods": periods_json(found)} for day, found in week.items()]
    return jsonify({"resource": subject or None, "week": shown})


@area.put("/opening-hours/exceptions")
def set_exception() -> Response:
    """Let some days have hours of their own."""
    lab, who = current_lab(), caller().id
    with reading.body() as sent:
        subject, first = sent.maybe_text("resource") or opening.LAB, sent.day("first")
        last = sent.day("last") if sent.has("last") else first
        periods, reason = _periods(sent), sent.maybe_text("reason")
    with lab.db.transaction() as db:
        opening.set_exception(
            db,
            lab.clock,
            subject=subject,
            first=first,
            last=last,
            periods=periods,
            reason=reason,
            by=who,
        )
    body = {
        "resource": subject or None,
        "first": first.isoformat(),
        "last": last.isoformat(),
        "periods": periods_json(periods),
        "reason": reason,
    }
    return jsonify(body)


@area.delete("/opening-hours/exceptions")
def forget_exception() -> Response:
    """Let a day be like its weekday again."""
    lab, who = current_lab(), caller().id
    with reading.query() as sent:
        subject, day = sent.maybe_text("resource") or opening.LAB, sent.day("date")
    with lab.db.transaction() as db:
        opening.forget_exception(db, lab.clock, subject=subject, day=day, by=who)
    return jsonify({"resource": subject or None, "date": day.isoformat()})


def _periods(sent: Sent) -> Periods:
    return tuple(
        (one.number("opens_min", 0, DAY_MIN), one.number("closes_min", 0, LATEST_MIN))
        for one in sent.records("periods", MOST_PERIODS)
    )


# -- closures --------------------------------------------------------------------------------


@area.post("/closures")
def close() -> Response:
    """Close a resource for some time."""
    lab, who = current_lab(), caller().id
    with reading.body() as sent:
        resource, note = sent.resource(), sent.text("note")
        kind = sent.choice("kind", ClaimKind, ClaimKind.CLOSURE) if sent.has("kind") else None
        slot = Slot(sent.instant("start"), sent.instant("end"))
        cancel = sent.flag("cancel_reservations")
    with lab.db.transaction() as db:
        made = closures.close(
            db,
            lab.clock,
            lab.config.time_zone,
            resource_id=resource,
            kind=kind or ClaimKind.CLOSURE,
            slot=slot,
            note=note,
            by=who,
            cancel_reservations=cancel,
        )
    lab.booked_anew(resource)
    body = closure_json(made) | {"cancelled": list(made.cancelled)}
    return make_response(jsonify(body), 201)


@area.delete("/closures/<closure>")
def reopen(closure: str) -> Response:
    """End a closure now, or before it begins."""
    lab, who = current_lab(), caller().id
    with lab.db.transaction() as db:
        gone = closures.reopen(db, lab.clock, lab.config.time_zone, closure_id=closure, by=who)
    lab.booked_anew(gone.resource_id)
    return jsonify(closure_json(gone))
