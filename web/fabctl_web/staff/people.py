"""People: found, listed, saved as a table, added."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from fabctl.model.people import Role
from fabctl.services import people_desk, people_records, person_file
from fabctl.services.people_desk import NewPerson
from fabctl.services.people_records import Key
from fabctl_web import tables
from fabctl_web.forms import form
from fabctl_web.lab import current_lab
from fabctl_web.language import NAMES, speech
from fabctl_web.pages import page
from fabctl_web.people.private import Secret
from fabctl_web.people.signed_in import go, staff_needed
from fabctl_web.staff.person import record_page
from fabctl_web.staff.tabs import tabs
from fabctl_web.staff.words import ROLES, choices

area = Blueprint("staff_people", __name__, template_folder="templates")


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


HEADS = (
    _("Name"), _("Role"), _("Login"), _("Year of birth"), _("Language"), _("Suspended"),
    _("Here since"),
)  # fmt: skip


@page(area, "/staff/people")
def people() -> str:
    """List people by name, or those who are searched for; with a form for one more."""
    me, lab, words, role = staff_needed(), current_lab(), tables.words(), _role()
    with lab.db.reading() as db:
        found = people_records.find_people(
            db, by=me.id, words=words, role=role, after=_after(), limit=tables.SHOWN + 1
        )
    shown = found[: tables.SHOWN]
    return render_template(
        "staff/people.html",
        people=shown,
        next=tables.next_address(shown[-1].key if len(found) > len(shown) else None),
        words=words,
        role=role.value if role else "",
        roles=[("", speech()("All")), *choices(ROLES)],
        new_roles=choices(ROLES) if me.role is Role.ADMIN else choices(ROLES)[:3],
        role_words=ROLES,
        languages=[("", "–")] + [(one, NAMES.get(one, one)) for one in lab.config.languages],
        tabs=tabs(),
    )


@area.get("/staff/people.csv")
def export() -> Response:
    """Return everybody who is searched for as a table; the audit keeps that it was saved."""
    me, lab = staff_needed(), current_lab()
    with lab.db.transaction() as db:
        found = person_file.for_a_table(db, lab.clock, words=tables.words(), role=_role(), by=me.id)
    say, zone = speech(), lab.config.time_zone
    rows = [
        (
            one.display_name,
            say(ROLES[one.role]),
            one.login,
            one.birth_year,
            one.language,
            say("Yes") if one.suspended_at else say("No"),
            f"{one.created_at.astimezone(zone):%Y-%m-%d}",
        )
        for one in found
    ]
    return tables.saved("people", [say(one) for one in HEADS], rows)


@area.post("/staff/people")
def add() -> Response:
    """Add a person. With a login they get a password that is shown once."""
    me, lab = staff_needed(), current_lab()
    with form() as sent:
        login = sent.maybe_text("login")
        wanted = NewPerson(
            name=sent.text("name"),
            role=sent.choice("new_role", Role, Role.MEMBER),
            birth_year=sent.number("birth_year", 1, 9999) if sent.has("birth_year") else None,
            language=sent.maybe_text("language"),
        )
    with lab.db.transaction() as db:
        made = people_desk.add(db, lab.clock, lab.config.time_zone, wanted=wanted, by=me.id)
        drawn = (
            person_file.new_password(db, lab.clock, person_id=made.id, login=login, by=me.id)
            if login
            else None
        )
    if drawn is None:
        flash(speech()("{name} is in the lab’s list now.", name=made.display_name), "good")
        return go(url_for("staff_person.record", person=made.id))
    secret = Secret(speech()("The password. It is shown once: tell it now."), drawn)
    return make_response(record_page(me, made.id, secret))


def _role() -> Role | None:
    """Return the role that is searched for; None: any."""
    wanted = request.args.get("role", "")
    return Role(wanted) if wanted in {one.value for one in Role} else None


def _after() -> Key | None:
    found = tables.after()
    return (found[0], found[1]) if found is not None and len(found) == 2 else None
