"""One session at the desk: who takes part, places for people and groups."""

from __future__ import annotations

from flask import Blueprint, flash, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from fabctl.model.people import Role
from fabctl.model.workshop_sessions import MOST_PLACES
from fabctl.model.workshops import EnrolmentState
from fabctl.services import (
    accounts,
    enrolment_lists,
    enrolment_outlook,
    enrolments,
    people_records,
    resources,
    workshops,
)
from fabctl.services.enrolment_lists import EnrolmentView
from fabctl.services.people import PersonView
from fabctl.services.rights import leads
from fabctl_web import tables
from fabctl_web.forms import form
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page as opens
from fabctl_web.people.signed_in import go, staff_needed
from fabctl_web.workshops.choices import by_name, may_lead, usable
from fabctl_web.workshops.shown import Place, card, place

area = Blueprint("session_desk", __name__, template_folder="templates")

MOST_GROUPS = 200
FOUND_AT_ONCE = 10


@opens(area, "/staff/sessions/<session>")
def page(session: str) -> str:
    """Show a session with its places, and forms to change it. Names: to those who lead it."""
    lab, me = current_lab(), staff_needed(Role.ANIMATOR)
    words = tables.words()
    with lab.db.reading() as db:
        found = workshops.get_session(db, session)
        shown = card(lab, found, workshops.get_workshop(db, found.workshop_id), speech())
        is_lead = leads(db, session, me.id)
        places = _places(lab, db, session, me) if is_lead else []
        taken = {one.person_id for one in places}
        people = (
            people_records.find_people(db, by=me.id, words=words, limit=FOUND_AT_ONCE)
            if words
            else []
        )
        groups = accounts.groups(db, by=me.id, limit=MOST_GROUPS)
        names = {one.id: one.name for one in resources.list_all(db)}
        leads_now = {
            one: people_records.record(db, person_id=one, by=me.id).display_name
            for one in found.animators
        }
        uses = usable(db, also=found.resource_ids)
        can_lead = {**dict(may_lead(db, me.id)), **leads_now}
    zone = lab.config.time_zone
    return render_template(
        "workshops/session_desk.html",
        card=shown,
        is_lead=is_lead,
        places=places,
        words=words,
        people=[one for one in people if one.id not in taken],
        groups=[(one.id, one.name) for one in groups],
        used=[names.get(one, one) for one in found.resource_ids],
        leaders=list(leads_now.values()),
        uses=[(one, name, one in found.resource_ids) for one, name in uses],
        can_lead=[(one, name, one in leads_now) for one, name in by_name(can_lead)],
        start=found.start.astimezone(zone),
        end=found.end.astimezone(zone),
        over=found.cancelled_at is not None or found.end <= lab.clock.now(),
        most_places=MOST_PLACES,
    )


@area.post("/staff/sessions/<session>/enrol")
def enrol(session: str) -> Response:
    """Give somebody a place; with a reason also against age and what comes before."""
    lab, me = current_lab(), staff_needed(Role.ANIMATOR)
    with form() as sent:
        person, override = sent.text("person"), sent.maybe_text("override")
    with lab.db.transaction() as db:
        made = enrolments.enrol(
            db,
            lab.clock,
            lab.config.time_zone,
            session_id=session,
            person_ids=[person],
            by=me.id,
            override=override,
        )
    return _made(session, made)


@area.post("/staff/sessions/<session>/hold")
def hold(session: str) -> Response:
    """Hold places for a group, which names them later."""
    lab, me = current_lab(), staff_needed(Role.ANIMATOR)
    with form() as sent:
        partner, count = sent.text("partner"), sent.number("count", 1, MOST_PLACES)
    with lab.db.transaction() as db:
        made = enrolments.hold_places(
            db, lab.clock, session_id=session, partner_id=partner, count=count, by=me.id
        )
    return _made(session, made)


def _made(session: str, made: list[EnrolmentView]) -> Response:
    if all(one.state is EnrolmentState.CONFIRMED for one in made):
        flash(speech()("Places given: {count}.", count=len(made)), "good")
    else:
        flash(speech()("Full: {count} more on the waiting list.", count=len(made)), "good")
    return go(url_for("session_desk.page", session=session))


def _places(lab: Lab, db: Session, session: str, me: PersonView) -> list[Place]:
    found = enrolment_lists.enrolments_for_lead(db, session_id=session, by=me.id)
    names = enrolment_outlook.names_on(db, lab.clock, enrolments=found, by=me.id)
    return [place(lab, one, names.get(one.id, ""), speech()) for one in found]
