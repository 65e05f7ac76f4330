"""Places in sessions, and those who take them, for programs."""

from __future__ import annotations

from flask import jsonify, make_response
from werkzeug.wrappers import Response

from fabctl.model.consent import Consent, Signer
from fabctl.model.workshop_sessions import MOST_PLACES
from fabctl.services import enrolment_lists, enrolments, needs, participants
from fabctl.services.enrolment_lists import EnrolmentView
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.workshops_shape import (
    child_json,
    consent_json,
    enrolment_json,
    needs_json,
)
from fabctl_web.lab import current_lab

area = api_area("enrolments")


@area.get("/enrolments")
def coming() -> Response:
    """List the caller's places to come, and those of their children and partners."""
    lab, me, asked = current_lab(), caller(), reading.page()
    with lab.db.reading() as db:
        found = enrolment_lists.coming_for(db, lab.clock, by=me.id)
    found = sorted(found, key=_key)
    return reading.paged("enrolments", found, asked, _key, enrolment_json)


@area.get("/sessions/<session>/enrolments")
def of_session(session: str) -> Response:
    """List a session's places, for those who lead it."""
    me, asked = caller(), reading.page()
    with current_lab().db.reading() as db:
        found = enrolment_lists.enrolments_for_lead(db, session_id=session, by=me.id)
    found = sorted(found, key=_rank)
    return reading.paged("enrolments", found, asked, _rank, enrolment_json)


@area.post("/sessions/<session>/enrolments")
def enrol(session: str) -> Response:
    """Take places for the caller, their children, or anybody (staff): all together or none."""
    lab, me = current_lab(), caller()
    with reading.body() as sent:
        people = sent.texts("people", MOST_PLACES) if sent.has("people") else [me.id]
        override = sent.maybe_text("override")
    with lab.db.transaction() as db:
        made = enrolments.enrol(
            db,
            lab.clock,
            lab.config.time_zone,
            session_id=session,
            person_ids=people,
            by=me.id,
            override=override,
        )
    return _made(made)


@area.post("/sessions/<session>/held-places")
def hold(session: str) -> Response:
    """Hold places for a partner, who gives the names later."""
    lab, me = current_lab(), caller()
    with reading.body() as sent:
        partner, count = sent.text("partner"), sent.number("count", 1, MOST_PLACES)
        override = sent.maybe_text("override")
    with lab.db.transaction() as db:
        made = enrolments.hold_places(
            db,
            lab.clock,
            session_id=session,
            partner_id=partner,
            count=count,
            by=me.id,
            override=override,
        )
    return _made(made)


@area.get("/enrolments/<enrolment>")
def one(enrolment: str) -> Response:
    """Show one place, to those who decide about it or lead its session."""
    lab, me = current_lab(), caller()
    with lab.db.reading() as db:
        found = enrolment_lists.visible_enrolment(db, lab.clock, enrolment_id=enrolment, by=me.id)
    return jsonify(enrolment_json(found))


@area.put("/enrolments/<enrolment>/person")
def name_place(enrolment: str) -> Response:
    """Give a partner's place its name."""
    lab, me = current_lab(), caller()
    with reading.body() as sent:
        person, override = sent.text("person"), sent.maybe_text("override")
    with lab.db.transaction() as db:
        enrolment_lists.visible_enrolment(db, lab.clock, enrolment_id=enrolment, by=me.id)
        found = enrolments.name_place(
            db,
            lab.clock,
            lab.config.time_zone,
            enrolment_id=enrolment,
            person_id=person,
            by=me.id,
            override=override,
        )
    return jsonify(enrolment_json(found))


@area.post("/enrolments/<enrolment>/accept")
def accept(enrolment: str) -> Response:
    """Accept a place that became free, for the whole party."""
    lab, me = current_lab(), caller()
    with lab.db.transaction() as db:
        enrolment_lists.visible_enrolment(db, lab.clock, enrolment_id=enrolment, by=me.id)
        found = enrolments.accept(db, lab.clock, enrolment_id=enrolment, by=me.id)
    return jsonify({"enrolments": [enrolment_json(one) for one in found]})


@area.delete("/enrolments/<enrolment>")
def cancel(enrolment: str) -> Response:
    """Give a place back, or decline one, or leave the waiting list."""
    lab, me = current_lab(), caller()
    with reading.query() as sent:
        whole_party = sent.flag("whole_party")
    with lab.db.transaction() as db:
        enrolment_lists.visible_enrolment(db, lab.clock, enrolment_id=enrolment, by=me.id)
        enrolments.cancel_enrolment(
            db, lab.clock, enrolment_id=enrolment, by=me.id, whole_party=whole_party
        )
        found = enrolment_lists.visible_enrolment(db, lab.clock, enrolment_id=enrolment, by=me.id)
    return jsonify(enrolment_json(found))


@area.put("/enrolments/<enrolment>/needs")
def write_needs(enrolment: str) -> Response:
    """Note allergies or needs for this session; an empty text takes them back."""
    lab, me = current_lab(), caller()
    with reading.body() as sent:
        said = sent.choice("needs", _any_text, "")
    with lab.db.transaction() as db:
        enrolment_lists.visible_enrolment(db, lab.clock, enrolment_id=enrolment, by=me.id)
        needs.write_needs(db, lab.clock, enrolment_id=enrolment, needs=said, by=me.id)
    return jsonify({"enrolment": enrolment, "noted": bool(said.strip())})


@area.get("/sessions/<session>/needs")
def read_needs(session: str) -> Response:
    """List what participants need, for the staff of the session; it is on record who looked."""
    lab, me, asked = current_lab(), caller(), reading.page()
    with lab.db.transaction() as db:
        found = needs.read_needs(db, lab.clock, session_id=session, by=me.id)
    found = sorted(found, key=lambda one: one.enrolment_id)
    return reading.paged("needs", found, asked, lambda one: (one.enrolment_id,), needs_json)


@area.post("/participants")
def add_participant() -> Response:
    """Add somebody with a first name and a year of birth; a parent adds their child."""
    lab, me = current_lab(), caller()
    with reading.body() as sent:
        first_name, year = sent.text("first_name"), sent.number("birth_year", 1, 9999)
        mine = sent.flag("my_child")
    with lab.db.transaction() as db:
        made = participants.add_participant(
            db,
            lab.clock,
            lab.config.time_zone,
            first_name=first_name,
            birth_year=year,
            by=me.id,
            guardian_id=me.id if mine else None,
        )
    return make_response(jsonify({"id": made}), 201)


@area.get("/children")
def children() -> Response:
    """List those for whom the caller enrols and signs."""
    lab, me, asked = current_lab(), caller(), reading.page()
    with lab.db.reading() as db:
        found = sorted(participants.children(db, lab.clock, by=me.id), key=lambda one: one.id)
    return reading.paged("children", found, asked, lambda one: (one.id,), child_json)


@area.get("/people/<person>/consent")
def consent(person: str) -> Response:
    """Show the last form on file."""
    lab, me = current_lab(), caller()
    with lab.db.transaction() as db:
        found = participants.consent_for(db, lab.clock, person_id=person, by=me.id)
    return jsonify(consent_json(found))


@area.put("/people/<person>/consent")
def sign(person: str) -> Response:
    """Put a signed form on record, or take consent back; the last one counts."""
    lab, me = current_lab(), caller()
    with reading.body() as sent:
        form = Consent(
            sent.choice("signed_by", Signer, Signer.SELF),
            takes_part=sent.said("takes_part"),
            image_rights=sent.flag("image_rights"),
            guardian_name=sent.maybe_text("guardian_name") or "",
            guardian_phone=sent.maybe_text("guardian_phone") or "",
        )
    with lab.db.transaction() as db:
        found = participants.sign_consent(
            db, lab.clock, lab.config.time_zone, person_id=person, form=form, by=me.id
        )
    return jsonify(consent_json(found))


def _made(made: list[EnrolmentView]) -> Response:
    return make_response(jsonify({"enrolments": [enrolment_json(one) for one in made]}), 201)


def _key(found: EnrolmentView) -> tuple[str, ...]:
    """Return what orders places: when they were taken."""
    return (found.made_at.isoformat(), found.id)


def _rank(found: EnrolmentView) -> tuple[str, ...]:
    """Return what orders the places of one session: who came first."""
    return (f"{found.rank:010}", found.id)


def _any_text(value: object) -> str:
    """Return a text that may be empty.

    :raises ValueError: no text, or one that no database keeps.
    """
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(value)
    value.encode()  # half a surrogate pair is no text
    return value
