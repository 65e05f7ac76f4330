"""Waiting lists of slots, for programs."""

from __future__ import annotations

from typing import Any

from flask import jsonify, make_response
from werkzeug.wrappers import Response

from fabctl.services import waiting as service
from fabctl.services.waiting import WaitingView
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.reservations import booked
from fabctl_web.api.shape import instant, slot_json
from fabctl_web.lab import current_lab

area = api_area("waiting")


@area.get("/waiting")
def waiting() -> Response:
    """List what the caller waits for, or has offered."""
    lab, person, page = current_lab(), caller(), reading.page()
    with lab.db.reading() as db:
        found = service.of_person(db, person_id=person.id)
    found.sort(key=_key)
    return reading.paged("waiting", found, page, _key, _json)


@area.post("/waiting")
def join() -> Response:
    """Wait for a slot that somebody else has."""
    lab, person = current_lab(), caller()
    with reading.body() as sent:
        resource, start, end = sent.resource(), sent.instant("start"), sent.instant("end")
        account = sent.maybe_text("account")
    with lab.db.transaction() as db:
        made = service.join(
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
    return make_response(jsonify(_json(made)), 201)


@area.post("/waiting/<entry>/accept")
def accept(entry: str) -> Response:
    """Take the slot that is kept."""
    lab, person = current_lab(), caller()
    with lab.db.transaction() as db:
        made = service.accept(db, lab.clock, lab.config.time_zone, waiting_id=entry, by=person.id)
    return booked(made)


@area.delete("/waiting/<entry>")
def leave(entry: str) -> Response:
    """Wait no more, or decline what is offered."""
    lab, person = current_lab(), caller()
    with lab.db.transaction() as db:
        service.leave(db, lab.clock, lab.config.time_zone, waiting_id=entry, by=person.id)
    return make_response("", 204)


def _key(entry: WaitingView) -> tuple[str, ...]:
    return (entry.slot.start.isoformat(), entry.id)


def _json(entry: WaitingView) -> dict[str, Any]:
    return {
        "id": entry.id,
        "resource": entry.resource_id,
        "person": entry.person_id,
        **slot_json(entry.slot),
        "created_at": instant(entry.created_at),
        "answer_until": instant(entry.answer_until),
    }
