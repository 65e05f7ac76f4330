"""Weekly series of reservations, for programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import jsonify, make_response
from werkzeug.wrappers import Response

from fabctl.model.refusal import Refusal
from fabctl.model.texts import text
from fabctl.services import series as service
from fabctl.services.series import RefusedDate
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.reading import Sent
from fabctl_web.api.shape import refusal_json, refused, reservation_json, slot_json
from fabctl_web.lab import current_lab

area = api_area("series")

DATES_REFUSED = Refusal(
    "dates-refused",
    text("Some dates of this series cannot be booked. None was."),
    text("Book the other dates only, or choose another time."),
)


@dataclass(frozen=True)
class Wanted:
    """A series as a program asks for it."""

    resource: str
    start: datetime
    end: datetime
    weeks: int
    account: str | None


def _wanted(sent: Sent) -> Wanted:
    return Wanted(
        sent.resource(),
        sent.instant("start"),
        sent.instant("end"),
        sent.number("weeks"),
        sent.maybe_text("account"),
    )


@area.post("/series/proposals")
def propose() -> Response:
    """Say which dates of a series could be booked; nothing is."""
    lab, person = current_lab(), caller()
    with reading.body() as sent:
        wanted = _wanted(sent)
    with lab.db.transaction() as db:
        found = service.propose_series(
            db,
            lab.clock,
            lab.config.time_zone,
            person_id=person.id,
            resource_id=wanted.resource,
            start=wanted.start,
            end=wanted.end,
            weeks=wanted.weeks,
            by=person.id,
            account_id=wanted.account,
        )
    body = {
        "possible": [slot_json(slot) for slot in found.possible],
        "refused": [_date_json(one) for one in found.refused],
    }
    return jsonify(body)


@area.post("/series")
def book() -> Response:
    """Book a series: all dates, or with ``book_the_rest`` those that can be booked."""
    lab, person = current_lab(), caller()
    with reading.body() as sent:
        wanted, rest = _wanted(sent), sent.flag("book_the_rest")
    with lab.db.transaction() as db:
        report = service.book_series(
            db,
            lab.clock,
            lab.config.time_zone,
            person_id=person.id,
            resource_id=wanted.resource,
            start=wanted.start,
            end=wanted.end,
            weeks=wanted.weeks,
            by=person.id,
            account_id=wanted.account,
            book_the_rest=rest,
        )
    dates = [_date_json(one) for one in report.refused]
    if report.series_id is None:
        body = refused([DATES_REFUSED], 409).get_json() | {"refused": dates}
        return make_response(jsonify(body), 409)
    lab.booked_anew(wanted.resource)
    made = [reservation_json(one) for one in report.booked]
    body = {"series": report.series_id, "reservations": made, "refused": dates}
    return make_response(jsonify(body), 201)


@area.delete("/series/<series>")
def cancel(series: str) -> Response:
    """Cancel what of a series has not begun."""
    lab, person = current_lab(), caller()
    with lab.db.transaction() as db:
        gone = service.cancel_series(
            db,
            lab.clock,
            lab.config.time_zone,
            series_id=series,
            by=person.id,
            reason=reading.reason(),
        )
    for resource in {one.resource_id for one in gone}:
        lab.booked_anew(resource)
    return jsonify({"reservations": [reservation_json(one) for one in gone]})


def _date_json(one: RefusedDate) -> dict[str, Any]:
    return {
        "date": one.day.isoformat(),
        "refusals": [refusal_json(refusal) for refusal in one.refusals],
    }
