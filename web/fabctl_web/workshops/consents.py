"""Consents: a person of age signs for themselves, a guardian for a child."""

from __future__ import annotations

from flask import Blueprint, abort, flash, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from fabctl.errors import UnknownIdError
from fabctl.model.consent import Consent, Signer, local_day, under_age
from fabctl.services import enrolment_lists, enrolment_outlook, participants, workshops
from fabctl.services.births import birth_of
from fabctl.services.participants import ConsentView
from fabctl.services.people import PersonView
from fabctl.services.rights import leads
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
        name, on_paper = _whose(lab, db, session, person, me)
        last = _last(lab, db, person, me)
        today = local_day(lab.clock.now(), lab.config.time_zone)
        minor = under_age(birth_of(db, person), today)
    return render_template(
        "workshops/consent.html",
        session=found,
        name=name,
        person_id=person,
        for_me=person == me.id,
        on_paper=on_paper,
        minor=minor,
        last=last,
        me=me,
    )


@area.post("/workshops/<session>/consent/<person>")
def sign(session: str, person: str) -> Response:
    """Put a signed form on record; the last one counts."""
    lab, me = current_lab(), person_needed()
    usual = Signer.SELF if person == me.id else Signer.GUARDIAN
    with form() as sent:
        given = Consent(
            sent.choice("signed_by", Signer, usual) if sent.has("signed_by") else usual,
            takes_part=sent.said("takes_part"),
            image_rights=sent.ticked("image_rights"),
            guardian_name=sent.maybe_text("guardian_name") or "",
            guardian_phone=sent.maybe_text("guardian_phone") or "",
        )
    with lab.db.transaction() as db:
        _, on_paper = _whose(lab, db, session, person, me)
        participants.sign_consent(
            db, lab.clock, lab.config.time_zone, person_id=person, form=given, by=me.id
        )
    said = speech()("Signed. Thank you.") if given.takes_part else speech()("Taken back.")
    flash(said, "good")
    if on_paper:
        return go(url_for("console.page", session=session, _anchor="people"))
    return go(url_for("workshops.session", session=session))


def _whose(lab: Lab, db: Session, session: str, person: str, me: PersonView) -> tuple[str, bool]:
    """Return a name, and whether the form is one on paper.

    That is oneself or one's child; and to those who lead a session, who takes part in it: they
    write down what was signed on paper. Of others, this page does not exist.
    """
    names = {me.id: me.display_name}
    names |= {one.id: one.first_name for one in participants.children(db, lab.clock, by=me.id)}
    if person in names:
        return names[person], False
    if not (leads(db, session, me.id) and me.role.acts_for_others):
        abort(404)
    found = enrolment_lists.enrolments_for_lead(db, session_id=session, by=me.id)
    here = [one for one in found if one.person_id == person]
    if not here:
        abort(404)
    known = enrolment_outlook.names_on(db, lab.clock, enrolments=here, by=me.id)
    return known[here[0].id], True


def _last(lab: Lab, db: Session, person: str, me: PersonView) -> ConsentView | None:
    try:
        return participants.consent_for(db, lab.clock, person_id=person, by=me.id)
    except UnknownIdError:
        return None  # nothing was signed yet
