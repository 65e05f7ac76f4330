"""Consents: a person of age signs for themselves, a guardian for a child."""

from __future__ import annotations

from flask import Blueprint, abort, flash, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from fabctl.errors import UnknownIdError
from fabctl.model.consent import Consent, Signer, local_day, under_age
from fabctl.services import participants, workshops
from fabctl.services.births import birth_of
from fabctl.services.participants import ConsentView
from fabctl.services.people import PersonView
from fabctl_web.forms import form
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import go, person_needed

area = Blueprint("consents", __name__, template_folder="templates")


@page(area, "/workshops/<session>/consent/<person>")
def read(session: str, person: str) -> str:
    """Show the form to sign, and what was signed last."""
    lab, me = current_lab(), person_needed()
    with lab.db.transaction() as db:
        found = workshops.get_session(db, session)
        name = _name(lab, db, person, me)
        last = _last(lab, db, person, me)
        today = local_day(lab.clock.now(), lab.config.time_zone)
        minor = under_age(birth_of(db, person), today)
    return render_template(
        "workshops/consent.html",
        session=found,
        name=name,
        person_id=person,
        for_me=person == me.id,
        minor=minor is True,
        last=last,
        me=me,
    )


@area.post("/workshops/<session>/consent/<person>")
def sign(session: str, person: str) -> Response:
    """Put a signed form on record; the last one counts."""
    lab, me = current_lab(), person_needed()
    with form() as sent:
        for_me = person == me.id
        given = Consent(
            Signer.SELF if for_me else Signer.GUARDIAN,
            takes_part=sent.said("takes_part"),
            image_rights=sent.ticked("image_rights"),
            guardian_name=sent.maybe_text("guardian_name") or "",
            guardian_phone=sent.maybe_text("guardian_phone") or "",
        )
    with lab.db.transaction() as db:
        _name(lab, db, person, me)
        participants.sign_consent(
            db, lab.clock, lab.config.time_zone, person_id=person, form=given, by=me.id
        )
    said = speech()("Signed. Thank you.") if given.takes_part else speech()("Taken back.")
    flash(said, "good")
    return go(url_for("workshops.session", session=session))


def _name(lab: Lab, db: Session, person: str, me: PersonView) -> str:
    """Return the name of oneself or one's child; of others, this page does not exist."""
    names = {me.id: me.display_name}
    names |= {one.id: one.first_name for one in participants.children(db, lab.clock, by=me.id)}
    if person not in names:
        abort(404)
    return names[person]


def _last(lab: Lab, db: Session, person: str, me: PersonView) -> ConsentView | None:
    try:
        return participants.consent_for(db, lab.clock, person_id=person, by=me.id)
    except UnknownIdError:
        return None  # nothing was signed yet
