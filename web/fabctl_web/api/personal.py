"""One's own data, for programs."""

from __future__ import annotations

from flask import jsonify
from werkzeug.wrappers import Response

from fabctl.services import personal_data
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.lab import current_lab

area = api_area("personal")


@area.get("/export")
def export() -> Response:
    """Hand out all that is kept about the caller; the staff and guardians about others."""
    lab, who = current_lab(), caller().id
    with reading.query() as sent:
        whose = sent.maybe_text("person") or who
    with lab.db.transaction() as db:
        found = personal_data.export(db, lab.clock, person_id=whose, by=who)
    return jsonify(found)
