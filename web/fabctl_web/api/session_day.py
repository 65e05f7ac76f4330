"""The day of a session, for programs: attendance, the group's machines, certificates."""

from __future__ import annotations

from flask import jsonify
from werkzeug.wrappers import Response

from fabctl.model.attendance import MOST_CHARACTERS, Mark, Presence
from fabctl.services import attendance, certificates, enrolment_lists, group_use, workshops
from fabctl.services.attendance import SentMark, SheetRow
from fabctl.services.workshops import SessionView
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.reading import Sent
from fabctl_web.api.workshops_shape import (
    award_json,
    certificate_json,
    enrolment_json,
    mark_json,
    sheet_json,
)
from fabctl_web.downloads import download
from fabctl_web.lab import current_lab
from fabctl_web.language import chosen_language

area = api_area("session_day")

MOST_MARKS = 1000
"""A phone that was offline for longer sends its marks in several calls."""


@area.post("/sessions/<session>/attendance")
def take_marks(session: str) -> Response:
    """Put marks on record, each once; an answer for each."""
    lab, me = current_lab(), caller()
    with reading.body() as sent:
        marks = [read_mark(one) for one in sent.records("marks", MOST_MARKS)]
    with lab.db.transaction() as db:
        answers = attendance.take_marks(db, lab.clock, session_id=session, marks=marks, by=me.id)
    return jsonify({"marks": [mark_json(one) for one in answers]})


@area.get("/sessions/<session>/attendance")
def sheet(session: str) -> Response:
    """Show the attendance sheet; it is on record who looked."""
    asked = reading.page()
    _, rows = _sheet(session)
    return reading.paged("rows", sorted(rows, key=_key), asked, _key, sheet_json)


@area.get("/sessions/<session>/attendance/pdf")
def sheet_pdf(session: str) -> Response:
    """Return the sheet to print and to sign."""
    lab = current_lab()
    view, rows = _sheet(session)
    from fabctl.services.attendance_papers import (  # noqa: PLC0415  # reportlab: 7 MB, seldom
        attendance_pdf,
    )

    paper = attendance_pdf(view, rows, lab.config.time_zone, chosen_language(), lab.config.name)
    return download(paper, "application/pdf", "attendance.pdf")


@area.get("/sessions/<session>/attendance/csv")
def sheet_csv(session: str) -> Response:
    """Return the sheet for a spreadsheet."""
    _, rows = _sheet(session)
    from fabctl.services.attendance_papers import (  # noqa: PLC0415  # the same
        attendance_csv,
    )

    table = attendance_csv(rows, chosen_language()).encode()
    return download(table, "text/csv; charset=utf-8", "attendance.csv")


@area.put("/enrolments/<enrolment>/passed")
def set_passed(enrolment: str) -> Response:
    """Note that somebody passed, or take it back."""
    lab, me = current_lab(), caller()
    with reading.body() as sent:
        passed = sent.said("passed")
    with lab.db.transaction() as db:
        enrolment_lists.visible_enrolment(db, lab.clock, enrolment_id=enrolment, by=me.id)
        attendance.set_passed(db, lab.clock, enrolment_id=enrolment, passed=passed, by=me.id)
        found = enrolment_lists.visible_enrolment(db, lab.clock, enrolment_id=enrolment, by=me.id)
    return jsonify(enrolment_json(found))


@area.post("/sessions/<session>/machines/<machine>/open")
def open_machine(session: str, machine: str) -> Response:
    """Open a machine for the session's group."""
    lab, me = current_lab(), caller()
    with lab.db.transaction() as db:
        group_use.open_for_group(db, lab.clock, session_id=session, resource_id=machine, by=me.id)
    return jsonify({"session": session, "machine": machine, "open": True})


@area.post("/sessions/<session>/machines/<machine>/close")
def close_machine(session: str, machine: str) -> Response:
    """Close a machine for the group again; doing it again changes nothing."""
    lab, me = current_lab(), caller()
    with lab.db.transaction() as db:
        workshops.get_session(db, session)
        group_use.close_for_group(db, lab.clock, session_id=session, resource_id=machine, by=me.id)
    return jsonify({"session": session, "machine": machine, "open": False})


@area.post("/sessions/<session>/certificates")
def award(session: str) -> Response:
    """Give everybody who was there and passed what they earned; again adds who was missing."""
    lab, me = current_lab(), caller()
    with lab.db.transaction() as db:
        report = certificates.award(
            db, lab.clock, lab.config.time_zone, session_id=session, by=me.id
        )
    return jsonify(award_json(report))


@area.get("/certificates")
def own_certificates() -> Response:
    """List the caller's certificates, or those of somebody for whom they decide."""
    lab, me, asked = current_lab(), caller(), reading.page()
    with reading.query() as sent:
        person = sent.maybe_text("person") or me.id
    with lab.db.reading() as db:
        found = certificates.certificates_for(
            db, lab.clock, lab.config.time_zone, person_id=person, by=me.id
        )
    found = sorted(found, key=lambda one: one.id)
    return reading.paged("certificates", found, asked, lambda one: (one.id,), certificate_json)


@area.get("/certificates/<certificate>")
def certificate(certificate: str) -> Response:
    """Show what stands on a certificate."""
    lab = current_lab()
    with lab.db.reading() as db:
        found = certificates.certificate(
            db, lab.clock, lab.config.time_zone, certificate_id=certificate, by=caller().id
        )
    return jsonify(certificate_json(found))


@area.get("/certificates/<certificate>/pdf")
def certificate_paper(certificate: str) -> Response:
    """Return the certificate to print."""
    lab = current_lab()
    with lab.db.reading() as db:
        found = certificates.certificate(
            db, lab.clock, lab.config.time_zone, certificate_id=certificate, by=caller().id
        )
    from fabctl.services.certificate_paper import (  # noqa: PLC0415  # the same
        certificate_pdf,
    )

    paper = certificate_pdf(found, lab=lab.config.name, language=chosen_language())
    return download(paper, "application/pdf", "certificate.pdf")


def read_mark(sent: Sent) -> SentMark:
    """Read one mark. Its id and its time are the phone's own."""
    presence = None
    if sent.has("presence"):
        presence = sent.choice("presence", Presence, Presence.ABSENT)
    mark = Mark(sent.text("id"), sent.instant("at"), presence, sent.maybe_text("undoes"))
    if any(len(one) > MOST_CHARACTERS for one in (mark.id, mark.undoes or "")):
        sent.refusals.append(reading.malformed("id"))
    return SentMark(sent.text("enrolment"), mark)


def _sheet(session: str) -> tuple[SessionView, list[SheetRow]]:
    """Return a session and its sheet; in a transaction that writes who looked."""
    lab, me = current_lab(), caller()
    with lab.db.transaction() as db:
        rows = attendance.sheet(db, lab.clock, lab.config.time_zone, session_id=session, by=me.id)
        return workshops.get_session(db, session), rows


def _key(row: SheetRow) -> tuple[str, ...]:
    """Return what orders the sheet: names; places without one come last."""
    return ("" if row.name else "1", row.name.casefold(), row.enrolment_id)
