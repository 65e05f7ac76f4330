"""Who is in the lab, for programs: a screen, a badge reader at the door, the staff's desk."""

from __future__ import annotations

from flask import jsonify
from werkzeug.wrappers import Response

from fabctl.services import presence
from fabctl.services.presence import PresenceView
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.shape import Json, instant
from fabctl_web.lab import current_lab
from fabctl_web.people.signed_in import is_kiosk

area = api_area("presence")


@area.get("/presence")
def who_is_here() -> Response:
    """List who is checked in, for the staff."""
    lab, page, me = current_lab(), reading.page(), caller()
    after = reading.instant_and_id(page)
    with lab.db.reading() as db:
        found = presence.list_here(db, lab.clock, by=me.id, after=after, limit=page.limit + 1)
    return reading.paged("present", found, page, _key, _presence_json)


@area.post("/presence")
def come() -> Response:
    """Check somebody in."""
    lab, me = current_lab(), caller()
    with reading.body() as sent:
        whose = sent.maybe_text("person") or me.id
    with lab.db.transaction() as db:
        found = presence.come(db, lab.clock, person_id=whose, by=me.id, at_screen=is_kiosk())
    return jsonify(_presence_json(found))


@area.delete("/presence")
def leave() -> Response:
    """Check somebody out."""
    lab, me = current_lab(), caller()
    with reading.query() as sent:
        whose = sent.maybe_text("person") or me.id
    with lab.db.transaction() as db:
        presence.leave(db, lab.clock, person_id=whose, by=me.id)
    return Response(status=204)


def _key(found: PresenceView) -> tuple[str, ...]:
    return (found.came_at.isoformat(), found.person_id)


def _presence_json(found: PresenceView) -> Json:
    return {
        "person": found.person_id,
        "name": found.name,
        "came_at": instant(found.came_at),
        "until": instant(found.until),
    }
