"""Calendars that other programs read at a secret address."""

from __future__ import annotations

from typing import Any

from flask import jsonify, make_response, url_for
from werkzeug.wrappers import Response

from fabctl.services import feeds
from fabctl.services.feeds import KINDS, PERSON, RESOURCE, FeedView
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.shape import instant
from fabctl_web.lab import current_lab
from fabctl_web.language import speech

area = api_area("calendars")


@area.get("/calendars")
def calendars() -> Response:
    """List the calendars that the caller made. Their addresses are not kept."""
    lab, person, page = current_lab(), caller(), reading.page()
    with lab.db.reading() as db:
        found = sorted(feeds.of_person(db, person_id=person.id), key=_key)
    return reading.paged("calendars", found, page, _key, _json)


@area.post("/calendars")
def create() -> Response:
    """Make a calendar: of what the caller has before them, of a resource, or of workshops."""
    lab, person = current_lab(), caller()
    with reading.body() as sent:
        resource = sent.resource() if sent.has("resource") else None
        kind = RESOURCE if resource else PERSON
        if sent.has("kind"):
            kind = KINDS[sent.choice("kind", KINDS.index, 0)]
        if (kind == RESOURCE) != sent.has("resource"):
            sent.refusals.append(reading.malformed("resource"))
    with lab.db.transaction() as db:
        made, secret = feeds.create(
            db, lab.clock, kind=kind, subject=resource or person.id, by=person.id
        )
    address = url_for("api_calendars.feed", secret=secret, _external=True)
    return make_response(jsonify(_json(made) | {"address": address}), 201)


@area.delete("/calendars/<calendar>")
def revoke(calendar: str) -> Response:
    """Let an address answer no more."""
    lab, person = current_lab(), caller()
    with lab.db.transaction() as db:
        feeds.revoke(db, lab.clock, feed_id=calendar, by=person.id)
    return make_response("", 204)


@area.get("/calendars/<secret>/calendar.ics")
def feed(secret: str) -> Response:
    """Serve a calendar to whoever knows its address; it is kept nowhere on the way."""
    lab = current_lab()
    with lab.db.reading() as db:
        found = feeds.calendar(db, lab.clock, secret=secret, language=speech().language)
    answer = make_response(found)
    answer.headers["Content-Type"] = feeds.MEDIA_TYPE
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _key(found: FeedView) -> tuple[str, ...]:
    return (found.created_at.isoformat(), found.id)


def _json(found: FeedView) -> dict[str, Any]:
    return {
        "id": found.id,
        "kind": found.kind,
        "resource": found.subject if found.kind == RESOURCE else None,
        "created_at": instant(found.created_at),
    }
