"""Certifying without a course, suspending, reinstating: at a desk or on a phone, with a reason."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, flash, url_for
from werkzeug.wrappers import Response

from fabctl.model.certification import Level
from fabctl.model.refusal import RefusedError
from fabctl.model.training import end_of_day
from fabctl.services import people, training
from fabctl.services.people import PersonView
from fabctl_web.api.reading import malformed
from fabctl_web.forms import Form, form
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import speech
from fabctl_web.people.signed_in import NOT_ON_A_SHARED_SCREEN, go, is_kiosk, person_needed

area = Blueprint("training_rights", __name__)


@area.post("/m/<machine>/people/<person>/certify")
def certify(machine: str, person: str) -> Response:
    """Certify somebody who was trained elsewhere."""
    lab, me = current_lab(), _at_a_desk(machine)
    with form() as sent:
        reason = sent.text("reason")
        level = sent.choice("level", Level, Level.AUTONOMOUS)
        expires_at = _end(sent, lab) if sent.has("until") else None
    with lab.db.transaction() as db:
        training.grant_directly(
            db,
            lab.clock,
            person_id=person,
            resource_id=machine,
            level=level,
            expires_at=expires_at,
            reason=reason,
            by=me.id,
        )
        name = people.get_person(db, person).display_name
    flash(speech()("{name} is certified now.", name=name), "good")
    return _back(machine, person)


@area.post("/m/<machine>/people/<person>/suspend")
def suspend(machine: str, person: str) -> Response:
    """Suspend a certification: the person is told, with the reason."""
    lab, me = current_lab(), _at_a_desk(machine)
    with form() as sent:
        reason = sent.text("reason")
    with lab.db.transaction() as db:
        training.suspend(
            db, lab.clock, person_id=person, resource_id=machine, reason=reason, by=me.id
        )
    flash(speech()("Suspended. The person is told."), "good")
    return _back(machine, person)


@area.post("/m/<machine>/people/<person>/reinstate")
def reinstate(machine: str, person: str) -> Response:
    """End a suspension."""
    lab, me = current_lab(), _at_a_desk(machine)
    with lab.db.transaction() as db:
        training.reinstate(db, lab.clock, person_id=person, resource_id=machine, by=me.id)
    flash(speech()("The suspension has ended."), "good")
    return _back(machine, person)


def _at_a_desk(machine: str) -> PersonView:
    """Return who is signed in, never on a shared screen; whether they may is the service's."""
    person = person_needed()
    current_lab().profile(machine)
    if is_kiosk():
        raise RefusedError([NOT_ON_A_SHARED_SCREEN])
    return person


def _end(sent: Form, lab: Lab) -> datetime:
    """Return the last moment of the day that was chosen, which must not be over."""
    zone = lab.config.time_zone
    day = sent.day("until")
    if not sent.refusals and day < lab.clock.now().astimezone(zone).date():
        sent.refusals.append(malformed("until"))
    return lab.clock.now() if sent.refusals else end_of_day(day, zone)


def _back(machine: str, person: str) -> Response:
    return go(url_for("training_check.person", machine=machine, person=person))
