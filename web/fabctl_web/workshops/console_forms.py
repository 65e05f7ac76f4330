"""What those who lead a session do at its console, besides marking who is there."""

from __future__ import annotations

from flask import Blueprint, flash, render_template, url_for
from werkzeug.wrappers import Response

from fabctl.model.workshops import EnrolmentState
from fabctl.services import (
    attendance,
    certificates,
    enrolments,
    group_use,
    needs,
    participants,
    presence,
    session_notes,
    workshops,
)
from fabctl_web.api.reading import malformed
from fabctl_web.forms import form
from fabctl_web.lab import current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import go, is_kiosk
from fabctl_web.workshops.console import leader, render
from fabctl_web.workshops.console_shown import machines_of

area = Blueprint("console_forms", __name__, template_folder="templates")

GESTURES = ("save", "everyone", "award")


@area.post("/workshops/<session>/machines")
def machines(session: str) -> Response:
    """Open or close one machine of the session for its group, or all of them."""
    lab, me = current_lab(), leader(session)
    with form() as sent:
        wanted = sent.maybe_text("machine")
        opens = sent.choice("what", ("close", "open").index, 0) == 1
    act = group_use.open_for_group if opens else group_use.close_for_group
    with lab.db.transaction() as db:
        chosen = [wanted] if wanted else machines_of(lab, db, session)
        for machine in chosen:
            act(db, lab.clock, session_id=session, resource_id=machine, by=me.id)
    for machine in chosen:
        lab.booked_anew(machine)
    return _back(session, "machines")


@area.post("/workshops/<session>/here")
def here(session: str) -> Response:
    """Check in whoever leads: a group's machines work beside an animator only."""
    lab, me = current_lab(), leader(session)
    with lab.db.transaction() as db:
        presence.come(db, lab.clock, person_id=me.id, by=me.id, at_screen=is_kiosk())
    return _back(session, "machines")


@area.post("/workshops/<session>/walk-in")
def walk_in(session: str) -> Response:
    """Add somebody who came without a place: a first name and a year of birth."""
    lab, me = current_lab(), leader(session)
    with form() as sent:
        name, year = sent.text("first_name"), sent.number("birth_year", 1, 9999)
    with lab.db.transaction() as db:
        added = participants.add_participant(
            db, lab.clock, lab.config.time_zone, first_name=name, birth_year=year, by=me.id
        )
        made = enrolments.enrol(
            db, lab.clock, lab.config.time_zone, session_id=session, person_ids=[added], by=me.id
        )
    if made[0].state is not EnrolmentState.CONFIRMED:
        flash(speech()("The session is full: this person is on the waiting list."), "bad")
    return _back(session, "people")


@area.post("/workshops/<session>/console")
def passed(session: str) -> Response | str:
    """Note who passed, and hand out what they earned.

    The page may be old, and somebody else have ticked since: it sends what was ticked when it came
    (``was``), and only what differs from that is written. The ticks stay when nothing can be
    handed out.
    """
    lab, me = current_lab(), leader(session)
    with form() as sent:
        ticked, were = set(sent.several("passed", 500)), set(sent.several("was", 500))
        gesture = GESTURES[sent.choice("what", GESTURES.index, 0)]
    zone, report = lab.config.time_zone, None
    with lab.db.transaction() as db:
        rows = attendance.sheet(db, lab.clock, zone, session_id=session, by=me.id)
        for row in rows:
            there = row.presence is not None and row.presence.was_there
            everyone = gesture == "everyone" and there
            if row.person_id is not None and (everyone or row.enrolment_id in ticked ^ were):
                good = everyone or row.enrolment_id in ticked
                attendance.set_passed(
                    db, lab.clock, enrolment_id=row.enrolment_id, passed=good, by=me.id
                )
    if gesture == "award":
        with lab.db.transaction() as db:
            report = certificates.award(db, lab.clock, zone, session_id=session, by=me.id)
    if report is not None:
        return render(session, me, report)
    return _back(session, "end")


@area.post("/workshops/<session>/notes")
def note(session: str) -> Response:
    """Write down how it went."""
    lab, me = current_lab(), leader(session)
    with form() as sent:
        words = sent.text("note")
        if len(words.strip()) > session_notes.LONGEST_NOTE:
            sent.refusals.append(malformed("note"))
    with lab.db.transaction() as db:
        session_notes.write(db, lab.clock, session_id=session, words=words, by=me.id)
    return _back(session, "notes")


@area.post("/workshops/<session>/notes/<note_id>/delete")
def delete_note(session: str, note_id: str) -> Response:
    """Take back a note of one's own."""
    lab, me = current_lab(), leader(session)
    with lab.db.transaction() as db:
        session_notes.delete(db, lab.clock, note_id=note_id, by=me.id)
    return _back(session, "notes")


@page(area, "/workshops/<session>/needs")
def read_needs(session: str) -> str:
    """Show allergies and needs of those who take part; it is on record who looked."""
    lab, me = current_lab(), leader(session)
    with lab.db.transaction() as db:
        found = needs.read_needs(db, lab.clock, session_id=session, by=me.id)
        rows = attendance.sheet(db, lab.clock, lab.config.time_zone, session_id=session, by=me.id)
        meeting = workshops.get_session(db, session)
    names = {row.enrolment_id: row.name for row in rows}
    return render_template(
        "workshops/needs.html",
        session=meeting,
        needs=[(names.get(one.enrolment_id, ""), one.needs) for one in found],
    )


def _back(session: str, part: str) -> Response:
    return go(url_for("console.page", session=session, _anchor=part))
