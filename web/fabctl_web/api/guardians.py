"""Guardians, for programs: the staff see who signs for somebody, note one, end one."""

from __future__ import annotations

from flask import jsonify, make_response
from werkzeug.wrappers import Response

from fabctl.services import guardians, participants, person_file
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.lab import current_lab

area = api_area("guardians")


@area.get("/people/<person>/guardians")
def of_person(person: str) -> Response:
    """List who signs for somebody."""
    who = caller().id
    with current_lab().db.reading() as db:
        found = person_file.guardians(db, person_id=person, by=who)
    return jsonify({"guardians": [{"id": one.id, "name": one.name} for one in found]})


@area.put("/people/<person>/guardians/<guardian>")
def note(person: str, guardian: str) -> Response:
    """Let somebody enrol and sign for a child."""
    lab, who = current_lab(), caller().id
    with lab.db.transaction() as db:
        participants.add_guardian(db, lab.clock, guardian_id=guardian, child_id=person, by=who)
    return make_response("", 204)


@area.delete("/people/<person>/guardians/<guardian>")
def end(person: str, guardian: str) -> Response:
    """End a guardian's link, with a reason."""
    lab, who = current_lab(), caller().id
    with reading.query() as sent:
        reason, none_left = sent.text("reason"), sent.flag("none_left")
    with lab.db.transaction() as db:
        guardians.end_guardian(
            db,
            lab.clock,
            guardian_id=guardian,
            child_id=person,
            reason=reason,
            by=who,
            none_left=none_left,
        )
    return make_response("", 204)
