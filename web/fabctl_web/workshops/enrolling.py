"""Taking places, answering offers, giving places back; groups name theirs. Forms only."""

from __future__ import annotations

from flask import Blueprint, flash, request, url_for
from werkzeug.wrappers import Response

from fabctl.errors import InputError
from fabctl.model.refusal import RefusedError
from fabctl.model.workshop_sessions import MOST_PLACES, session_over
from fabctl.model.workshops import EnrolmentState
from fabctl.services import enrolment_lists, enrolments, needs, participants
from fabctl.services.enrolment_lists import EnrolmentView
from fabctl.services.needs import LONGEST_NEEDS
from fabctl_web.api.reading import malformed
from fabctl_web.forms import form
from fabctl_web.lab import current_lab
from fabctl_web.language import speech
from fabctl_web.people.signed_in import back_address, go, person_needed

area = Blueprint("enrolling", __name__)


@area.post("/workshops/<session>/enrol")
def enrol(session: str) -> Response:
    """Take places for all who are ticked: together, or not at all."""
    lab, me = current_lab(), person_needed()
    with form() as sent:
        people = sent.several("people")
        if not people:
            sent.refusals.append(malformed("people"))
    with lab.db.transaction() as db:
        made = enrolments.enrol(
            db, lab.clock, lab.config.time_zone, session_id=session, person_ids=people, by=me.id
        )
    _say(made)
    return go(url_for("workshops.session", session=session))


@area.post("/workshops/<session>/hold")
def hold(session: str) -> Response:
    """Hold places for a group, which names them later."""
    lab, me = current_lab(), person_needed()
    with form() as sent:
        partner, count = sent.text("partner"), sent.number("count", 1, MOST_PLACES)
    with lab.db.transaction() as db:
        made = enrolments.hold_places(
            db, lab.clock, session_id=session, partner_id=partner, count=count, by=me.id
        )
    _say(made)
    return go(back_address(request.referrer))


@area.post("/workshops/<session>/children")
def add_child(session: str) -> Response:
    """Add a child of one's own: a first name and a year of birth are enough."""
    lab, me = current_lab(), person_needed()
    with form() as sent:
        name, year = sent.text("first_name"), sent.number("birth_year", 1, 9999)
    with lab.db.transaction() as db:
        participants.add_participant(
            db,
            lab.clock,
            lab.config.time_zone,
            first_name=name,
            birth_year=year,
            by=me.id,
            guardian_id=me.id,
        )
    return go(url_for("workshops.session", session=session))


@area.post("/workshops/<session>/birth/<person>")
def birth(session: str, person: str) -> Response:
    """Note a year of birth, where a workshop is for an age."""
    lab, me = current_lab(), person_needed()
    with form() as sent:
        year = sent.number("year", 1, 9999)
    with lab.db.transaction() as db:
        participants.set_birth(
            db, lab.clock, lab.config.time_zone, person_id=person, year=year, by=me.id
        )
    return go(url_for("workshops.session", session=session))


@area.post("/places/<enrolment>/accept")
def accept(enrolment: str) -> Response:
    """Accept a place that became free, for all who are placed together."""
    lab, me = current_lab(), person_needed()
    with lab.db.transaction() as db:
        enrolment_lists.visible_enrolment(db, lab.clock, enrolment_id=enrolment, by=me.id)
        made = enrolments.accept(db, lab.clock, enrolment_id=enrolment, by=me.id)
    _say(made)
    return go(back_address(request.referrer))


@area.post("/places/<enrolment>/cancel")
def cancel(enrolment: str) -> Response:
    """Give a place back, decline an offer, or leave the waiting list."""
    lab, me = current_lab(), person_needed()
    with form() as sent:
        whole_party = sent.ticked("whole_party")
    with lab.db.transaction() as db:
        enrolment_lists.visible_enrolment(db, lab.clock, enrolment_id=enrolment, by=me.id)
        enrolments.cancel_enrolment(
            db, lab.clock, enrolment_id=enrolment, by=me.id, whole_party=whole_party
        )
    flash(speech()("Done: the place is given back."), "good")
    return go(back_address(request.referrer))


@area.post("/places/<enrolment>/name")
def name(enrolment: str) -> Response:
    """Give a group's place its name: somebody who is known, or a first name and a year."""
    lab, me = current_lab(), person_needed()
    with form() as sent:
        known = sent.maybe_text("person")
        first_name = "" if known else sent.text("first_name")
        year = 0 if known else sent.number("birth_year", 1, 9999)
    with lab.db.transaction() as db:
        enrolment_lists.visible_enrolment(db, lab.clock, enrolment_id=enrolment, by=me.id)
        person = known or participants.add_participant(
            db,
            lab.clock,
            lab.config.time_zone,
            first_name=first_name,
            birth_year=year,
            by=me.id,
        )
        enrolments.name_place(
            db,
            lab.clock,
            lab.config.time_zone,
            enrolment_id=enrolment,
            person_id=person,
            by=me.id,
        )
    flash(speech()("The place has its name."), "good")
    return go(back_address(request.referrer))


@area.post("/places/<enrolment>/needs")
def write_needs(enrolment: str) -> Response:
    """Note allergies or needs for the session; an empty field takes them back."""
    lab, me = current_lab(), person_needed()
    said = request.form.get("needs", "")
    with form() as sent:
        if len(said) > LONGEST_NEEDS or "\0" in said:
            sent.refusals.append(malformed("needs"))
    with lab.db.transaction() as db:
        enrolment_lists.visible_enrolment(db, lab.clock, enrolment_id=enrolment, by=me.id)
        try:
            needs.write_needs(db, lab.clock, enrolment_id=enrolment, needs=said, by=me.id)
        except InputError as error:  # a page that was open for too long
            raise RefusedError([session_over()]) from error
    flash(speech()("Noted for those who lead the session."), "good")
    return go(back_address(request.referrer))


def _say(made: list[EnrolmentView]) -> None:
    """Say what became of the places; without names, a shared screen keeps none."""
    if all(one.state is EnrolmentState.CONFIRMED for one in made):
        said = speech()("It is done: the place is yours.")
        if len(made) > 1:
            said = speech()("It is done: {count} places are yours.", count=len(made))
        flash(said, "good")
    else:
        flash(speech()("You are on the waiting list. We tell you when a place is free."), "good")
