"""What the staff change about one person. Every form leads back to the record."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, url_for
from werkzeug.wrappers import Response

from fabctl.model.booking_policy import WHOLE_LAB, Reach, Scope
from fabctl.model.people import Role, search_name
from fabctl.model.person_rights import PersonRight
from fabctl.services import (
    guardians,
    mail_queue,
    outside_people,
    participants,
    people_desk,
    people_records,
    person_file,
    person_rights,
    personal_data,
)
from fabctl.services.people_desk import Change
from fabctl_web.forms import Form, form
from fabctl_web.lab import current_lab
from fabctl_web.language import speech
from fabctl_web.people.private import Secret
from fabctl_web.people.signed_in import go, staff_needed
from fabctl_web.staff.person import record_page

area = Blueprint("staff_person_acts", __name__)


@area.post("/staff/people/<person>/change")
def change(person: str) -> Response:
    """Change a name, a language, a year of birth."""
    lab, me = current_lab(), staff_needed()
    with form() as sent:
        wanted = Change(
            name=sent.maybe_text("name"),
            language=sent.maybe_text("language"),
            birth_year=sent.number("birth_year", 1, 9999) if sent.has("birth_year") else None,
        )
    with lab.db.transaction() as db:
        people_desk.change(
            db, lab.clock, lab.config.time_zone, person_id=person, change=wanted, by=me.id
        )
    return _back(person, speech()("Kept."))


@area.post("/staff/people/<person>/mail")
def mail(person: str) -> Response:
    """Say where somebody's mail goes, and yes or no to it."""
    lab, me = current_lab(), staff_needed()
    with form() as sent:
        address, wanted = sent.maybe_text("address"), sent.ticked("wanted")
    with lab.db.transaction() as db:
        mail_queue.set_wish(
            db, lab.clock, person_id=person, address=address, wanted=wanted, by=me.id
        )
    return _back(person, speech()("Kept."))


@area.post("/staff/people/<person>/mail/confirm")
def confirm_mail(person: str) -> Response:
    """Say that an address is theirs: it signs them in at the lab's provider."""
    lab, me = current_lab(), staff_needed()
    with form() as sent:
        address = sent.text("address")
    with lab.db.transaction() as db:
        outside_people.confirm_address(db, lab.clock, person_id=person, address=address, by=me.id)
    return _back(person, speech()("The address is confirmed."), "sign-in")


@area.post("/staff/people/<person>/suspend")
def suspend(person: str) -> Response:
    """Suspend somebody's account."""
    lab, me = current_lab(), staff_needed()
    with form() as sent:
        reason = sent.text("reason")
    with lab.db.transaction() as db:
        people_desk.suspend(db, lab.clock, person_id=person, reason=reason, by=me.id)
    return _back(person, speech()("Suspended: nothing can be booked or started."))


@area.post("/staff/people/<person>/reinstate")
def reinstate(person: str) -> Response:
    """Put somebody's account in order again."""
    lab, me = current_lab(), staff_needed()
    with lab.db.transaction() as db:
        people_desk.reinstate(db, lab.clock, person_id=person, by=me.id)
    return _back(person, speech()("In order again."))


@area.post("/staff/people/<person>/pin")
def pin(person: str) -> Response:
    """Draw a code for the lab's screens, and show it once."""
    lab, me = current_lab(), staff_needed()
    with lab.db.transaction() as db:
        drawn = person_file.new_pin(db, lab.clock, person_id=person, secret=lab.secret, by=me.id)
    secret = Secret(speech()("The code. It is shown once: tell it now."), drawn)
    return make_response(record_page(me, person, secret))


@area.post("/staff/people/<person>/password")
def password(person: str) -> Response:
    """Draw a new password, and show it once. It signs the person out everywhere."""
    lab, me = current_lab(), staff_needed()
    with form() as sent:
        login = sent.maybe_text("login")
    with lab.db.transaction() as db:
        drawn = person_file.new_password(db, lab.clock, person_id=person, login=login, by=me.id)
    secret = Secret(speech()("The password. It is shown once: tell it now."), drawn)
    return make_response(record_page(me, person, secret))


@area.post("/staff/people/<person>/unlock")
def unlock(person: str) -> Response:
    """Let somebody try their password again."""
    lab, me = current_lab(), staff_needed()
    with lab.db.transaction() as db:
        people_desk.unlock(db, lab.clock, person_id=person, by=me.id)
    return _back(person, speech()("The password can be tried again."))


@area.post("/staff/people/<person>/role")
def role(person: str) -> Response:
    """Give somebody another role."""
    lab, me = current_lab(), staff_needed()
    with form() as sent:
        wanted = sent.choice("role", Role, Role.MEMBER)
    with lab.db.transaction() as db:
        people_desk.set_role(db, lab.clock, person_id=person, role=wanted, by=me.id)
    return _back(person, speech()("The role is changed."))


@area.post("/staff/people/<person>/rights")
def give_right(person: str) -> Response:
    """Give somebody a right."""
    lab, me = current_lab(), staff_needed()
    with form() as sent:
        right, scope = _right(sent), _scope(sent)
        until = sent.moment("day", "clock") if sent.has("day") else None
    with lab.db.transaction() as db:
        person_rights.give(
            db, lab.clock, person_id=person, right=right, scope=scope, until=until, by=me.id
        )
    return _back(person, speech()("The right is given."), "rights")


@area.post("/staff/people/<person>/rights/take")
def take_right(person: str) -> Response:
    """Take a right back."""
    lab, me = current_lab(), staff_needed()
    with form() as sent:
        right = _right(sent)
        reach = sent.choice("reach", Reach, Reach.LAB)
        subject = sent.maybe_text("subject") or ""
    with lab.db.transaction() as db:
        scope = Scope(reach, subject)
        person_rights.take(db, lab.clock, person_id=person, right=right, scope=scope, by=me.id)
    return _back(person, speech()("The right is taken back."), "rights")


@area.post("/staff/people/<person>/guardian")
def guardian(person: str) -> Response:
    """Let somebody sign for this person."""
    lab, me = current_lab(), staff_needed()
    with form() as sent:
        who = sent.text("guardian")
    with lab.db.transaction() as db:
        participants.add_guardian(db, lab.clock, guardian_id=who, child_id=person, by=me.id)
    return _back(person, speech()("Noted as guardian."), "family")


@area.post("/staff/people/<person>/guardian/end")
def end_guardian(person: str) -> Response:
    """Let somebody sign for this person no more. What they signed stays on file."""
    lab, me = current_lab(), staff_needed()
    with form() as sent:
        who, reason, none_left = sent.text("guardian"), sent.text("reason"), sent.ticked("alone")
    with lab.db.transaction() as db:
        guardians.end_guardian(
            db,
            lab.clock,
            guardian_id=who,
            child_id=person,
            reason=reason,
            by=me.id,
            none_left=none_left,
        )
    said = speech()("Ended. The consent form stays on file until a new one is signed.")
    return _back(person, said, "family")


@area.post("/staff/people/<person>/erase")
def erase(person: str) -> Response:
    """Erase somebody's data for good: admins only, as the service says."""
    lab, me = current_lab(), staff_needed()
    with form() as sent:
        reason, name = sent.text("because"), sent.text("again")
    with lab.db.transaction() as db:
        found = people_records.record(db, person_id=person, by=me.id)
        same = search_name(name.strip()) == search_name(found.display_name)
        if same:
            personal_data.erase_by_admin(
                db, lab.clock, lab.config.time_zone, person_id=person, reason=reason, by=me.id
            )
    if not same:
        flash(speech()("This is not the name of this person. Nothing was erased."), "bad")
        return go(url_for("staff_person.record", person=person))
    flash(speech()("Erased for good."), "good")
    return go(url_for("staff_people.people"))


def _right(sent: Form) -> PersonRight:
    return sent.choice("right", PersonRight, PersonRight.WALK_UP)


def _scope(sent: Form) -> Scope:
    where = sent.maybe_text("where")
    return Scope(Reach.RESOURCE, where) if where else WHOLE_LAB


def _back(person: str, said: str, part: str = "") -> Response:
    flash(said, "good")
    return go(url_for("staff_person.record", person=person, _anchor=part or None))
