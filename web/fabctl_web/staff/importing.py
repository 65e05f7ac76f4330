"""A list of people from a spreadsheet: everybody in it or nobody, and which rows are wrong."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from fabctl.model.people_list import MOST_BYTES
from fabctl.services import people_import
from fabctl.services.people_import import Imported
from fabctl_web import uploads
from fabctl_web.lab import current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import go, staff_needed
from fabctl_web.staff.tabs import tabs

area = Blueprint("staff_import", __name__, template_folder="templates")

MOST_SHOWN = 200
"""Bad rows on one page; a file with more of them is put right from its start."""


@page(area, "/staff/people/import")
def choose() -> str:
    """Ask for the file, and say what must be in it."""
    staff_needed()
    return _page()


@area.post("/staff/people/import")
def take() -> Response:
    """Add everybody in a file, or nobody, and tell every bad row."""
    me, lab = staff_needed(), current_lab()
    received = uploads.received("file")
    if received is None:
        flash(speech()("Choose a file first."), "bad")
        return go(url_for("staff_import.choose"))
    upload, _name = received
    upload.seek(0)
    content = upload.read(MOST_BYTES + 1)
    with lab.db.transaction() as db:
        done = people_import.import_people(
            db,
            lab.clock,
            lab.config.time_zone,
            content=content,
            skip_bad=request.form.get("skip_bad") == "1",
            by=me.id,
        )
    return make_response(_page(done), 200 if done.added else 422)


def _page(done: Imported | None = None) -> str:
    bad = done.bad[:MOST_SHOWN] if done else ()
    return render_template(
        "staff/import.html",
        done=done,
        bad=bad,
        hidden=len(done.bad) - len(bad) if done else 0,
        max_mb=current_lab().config.web.upload_max_mb,
        max_bytes=uploads.max_bytes(),
        tabs=tabs(),
    )
