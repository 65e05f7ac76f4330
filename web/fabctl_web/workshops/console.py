"""The session console: attendance by one tap, the group's machines, needs, certificates.

For those who lead the session and the staff, also on a shared screen. Marks carry ids that the
page makes itself, so a page that was without network sends all it has, as often as it likes.
"""

from __future__ import annotations

from collections.abc import Collection

from flask import Blueprint, abort, jsonify, make_response, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from fabctl.model.attendance import Mark, Presence, mark_malformed
from fabctl.model.refusal import RefusedError
from fabctl.services import attendance, enrolment_lists, workshops
from fabctl.services.attendance import MarkAnswer, SentMark
from fabctl.services.certificates import AwardReport
from fabctl.services.people import PersonView
from fabctl.services.rights import leads, require_lead
from fabctl.store.ids import new_id
from fabctl_web.api import reading
from fabctl_web.api.reading import MalformedError
from fabctl_web.api.session_day import MOST_MARKS, read_mark
from fabctl_web.api.shape import refused
from fabctl_web.api.workshops_shape import mark_json
from fabctl_web.downloads import download
from fabctl_web.forms import form
from fabctl_web.lab import current_lab
from fabctl_web.language import chosen_language, speech
from fabctl_web.pages import page as opens
from fabctl_web.people.signed_in import go, not_on_a_shared_screen, person_needed, signed_in
from fabctl_web.workshops.console_shown import console_of

area = Blueprint("console", __name__, template_folder="templates")


@opens(area, "/workshops/<session>/console")
def page(session: str) -> str:
    """Show who takes part, and what those who lead can do."""
    return render(session, leader(session))


@area.post("/workshops/<session>/marks")
def take(session: str) -> Response:
    """Put marks on record that the page noted, each once; answer with how each place stands, and
    what others said of those that were marked: what would count without these marks.

    A mark that cannot be read is answered like the others, so that it holds none of them up.
    """
    me = signed_in()
    if me is None:
        return make_response(jsonify({"signed_in": False}), 401)
    try:
        return _taken(session, me)
    except RefusedError as error:
        return refused(error.refusals, 422 if isinstance(error, MalformedError) else 403)


def _taken(session: str, me: PersonView) -> Response:
    lab = current_lab()
    with reading.body() as sent:
        read = [_read(one) for one in sent.records("marks", MOST_MARKS)]
    if not read:  # it only asks, every few seconds: that must not wait for those who write
        with lab.db.reading() as db:
            workshops.get_session(db, session)
            require_lead(db, session, me.id)
            return jsonify({"marks": [], "rows": _standing(db, session), "others": {}})
    marks = [one for one in read if isinstance(one, SentMark)]
    with lab.db.transaction() as db:
        taken = attendance.take_marks(db, lab.clock, session_id=session, marks=marks, by=me.id)
        rows = _standing(db, session)
        others = _standing(db, session, but=[one.mark.id for one in marks])
    tapped, by_order = {one.enrolment_id for one in marks}, iter(taken)
    answers = [next(by_order) if isinstance(one, SentMark) else one for one in read]
    return jsonify(
        {
            "marks": [mark_json(one) for one in answers],
            "rows": rows,
            "others": {place: said for place, said in others.items() if place in tapped},
        }
    )


def _read(sent: reading.Sent) -> SentMark | MarkAnswer:
    """Return one mark, or the answer for one that cannot be read."""
    sent.refusals = []
    found = read_mark(sent)
    if not sent.refusals:
        return found
    return MarkAnswer(found.mark.id, new=False, refusals=(mark_malformed(),))


@area.post("/workshops/<session>/mark")
def take_one(session: str) -> Response:
    """Put one mark on record: for a page without scripts."""
    lab, me = current_lab(), person_needed()
    with form() as sent:
        enrolment = sent.text("enrolment")
        presence = sent.choice("presence", Presence, None) if sent.has("presence") else None
        undoes = None if presence else sent.text("undoes")
    mark = SentMark(enrolment, Mark(new_id(), lab.clock.now(), presence, undoes))
    with lab.db.transaction() as db:
        answers = attendance.take_marks(db, lab.clock, session_id=session, marks=[mark], by=me.id)
    if answers[0].refusals:
        from fabctl_web.errors import refusals_page  # noqa: PLC0415  # it imports the pages' rooms

        return refusals_page(answers[0].refusals, 409)
    return go(url_for("console.page", session=session, _anchor=f"place-{enrolment}"))


@area.get("/workshops/<session>/sheet.pdf")
def sheet_pdf(session: str) -> Response:
    """Return the attendance sheet to print and to sign."""
    not_on_a_shared_screen()
    lab, me = current_lab(), leader(session)
    with lab.db.transaction() as db:
        view = workshops.get_session(db, session)
        rows = attendance.sheet(db, lab.clock, lab.config.time_zone, session_id=session, by=me.id)
    from fabctl.services.attendance_papers import (  # noqa: PLC0415  # reportlab: 7 MB, seldom
        attendance_pdf,
    )

    paper = attendance_pdf(view, rows, lab.config.time_zone, chosen_language(), lab.config.name)
    return download(paper, "application/pdf", "attendance.pdf")


@area.get("/workshops/<session>/sheet.csv")
def sheet_csv(session: str) -> Response:
    """Return the attendance sheet for a spreadsheet."""
    not_on_a_shared_screen()
    lab, me = current_lab(), leader(session)
    with lab.db.transaction() as db:
        rows = attendance.sheet(db, lab.clock, lab.config.time_zone, session_id=session, by=me.id)
    from fabctl.services.attendance_papers import (  # noqa: PLC0415  # the same
        attendance_csv,
    )

    table = attendance_csv(rows, chosen_language()).encode()
    return download(table, "text/csv; charset=utf-8", "attendance.csv")


def leader(session: str) -> PersonView:
    """Return who asks, if they lead the session; else end the request (sign-in, 404 or 403)."""
    lab, me = current_lab(), person_needed()
    with lab.db.reading() as db:
        workshops.get_session(db, session)
        if not leads(db, session, me.id):
            abort(403)
    return me


def render(session: str, me: PersonView, report: AwardReport | None = None) -> str:
    """Return the console, with what the last gesture gave."""
    lab = current_lab()
    with lab.db.transaction() as db:
        shown = console_of(lab, db, session, me, speech())
    names = {row.person_id: row.name for row in shown.rows if row.person_id}
    against = report.refused if report else {}
    return render_template(
        "workshops/console.html",
        console=shown,
        report=report,
        refused=[(names.get(one, ""), why) for one, why in against.items()],
        key=f"marks:{session}:{me.id}",
        needs_token=True,
    )


def _standing(db: Session, session: str, but: Collection[str] = ()) -> dict[str, dict[str, str]]:
    """Return how each place stands: its presence, and the mark that says so."""
    places = [one.id for one in enrolment_lists.enrolments_of(db, session_id=session)]
    return {
        place: {
            "presence": mark.presence.value if mark and mark.presence else "",
            "mark": mark.id if mark else "",
        }
        for place, mark in attendance.marks_that_count(db, places, but=but).items()
    }
