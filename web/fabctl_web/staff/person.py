"""One person's record, for the staff: what the lab knows of them and what can be done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, json, render_template, request
from sqlalchemy.orm import Session

from fabctl.errors import UnknownIdError
from fabctl.model.people import Role
from fabctl.services import (
    accounts,
    mail_queue,
    participants,
    people_records,
    person_file,
    person_rights,
    personal_data,
    resources,
)
from fabctl.services.people import PersonView
from fabctl_web import tables
from fabctl_web.downloads import download
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import NAMES
from fabctl_web.pages import page
from fabctl_web.people import looked
from fabctl_web.people.private import Secret
from fabctl_web.people.signed_in import staff_needed
from fabctl_web.staff import person_shown as shown
from fabctl_web.staff.tabs import tabs
from fabctl_web.staff.today_machines import page_if_any
from fabctl_web.staff.words import GROUPS, RIGHTS, ROLES, choices

area = Blueprint("staff_person", __name__, template_folder="templates")

BACK = timedelta(days=90)
"""How far back reservations and uses are shown; the audit trail has them all."""
FOUND = 8


@page(area, "/staff/people/<person>")
def record(person: str) -> str:
    """Show one person's record."""
    return record_page(staff_needed(), person)


def record_page(me: PersonView, person: str, secret: Secret | None = None) -> str:
    """Return the page of a record; ``secret`` is shown this once.

    :raises UnknownIdError: there is no such person.
    """
    lab = current_lab()
    words = request.args.get("words", "")[: tables.MOST_WORDS].strip()
    with lab.db.reading() as db:
        found = people_records.record(db, person_id=person, by=me.id)
        others = people_records.find_people(db, by=me.id, words=words, limit=FOUND) if words else []
        parts = _parts(lab, db, person, me)
    return render_template(
        "staff/person.html",
        one=found,
        role=ROLES[found.role],
        secret=secret,
        words=words,
        others=[one for one in others if one.id != person],
        me=me,
        is_me=person == me.id,
        is_admin=me.role is Role.ADMIN,
        outranked=me.role is not Role.ADMIN and found.role in {Role.STAFF, Role.ADMIN},
        roles=choices(ROLES) if me.role is Role.ADMIN else choices(ROLES)[:3],
        languages=[(one, NAMES.get(one, one)) for one in lab.config.languages],
        language=NAMES.get(found.language or "", ""),
        kinds=choices(RIGHTS),
        badges=page_if_any("badges.of_person", person=person),
        check_page=shown.check_page,
        tabs=tabs(),
        **parts,
    )


def _parts(lab: Lab, db: Session, person: str, me: PersonView) -> dict[str, Any]:
    consent = participants.last_consent(db, person)
    readings, following = looked.page_of(db, person)
    places = {one.id: one.name for one in resources.list_all(db)}
    oidc = lab.config.web.oidc
    return {
        "certifications": shown.certified(lab, db, person, me, places),
        "machines": [(one.id, one.name) for one in lab.config.machines.values()],
        "reservations": shown.booked(lab, db, person, me, places, BACK),
        "uses": shown.used(lab, db, person, me, places),
        "rights": shown.rights(lab, person_rights.shown_to(db, person_id=person, by=me.id), places),
        "places": sorted(places.items(), key=lambda one: one[1].casefold()),
        "groups": [one for one in accounts.accounts_of(db, person_id=person) if one.kind],
        "group_words": GROUPS,
        "guardians": person_file.guardians(db, person_id=person, by=me.id),
        "children": person_file.children(db, person_id=person, by=me.id),
        "consent_at": consent[1] if consent else None,
        "elsewhere": oidc.label if oidc and oidc.link == "mail" else None,
        "mail": mail_queue.read_wish(db, person_id=person, by=me.id),
        "readings": shown.readings(lab, db, readings),
        "more_readings": following,
    }


@page(area, "/staff/people/<person>/consent")
def consent(person: str) -> str:
    """Show the last consent form; that somebody looked is kept."""
    me, lab = staff_needed(), current_lab()
    with lab.db.transaction() as db:
        found = people_records.record(db, person_id=person, by=me.id)
        try:
            form = participants.consent_for(db, lab.clock, person_id=person, by=me.id)
        except UnknownIdError:
            form = None  # nothing was signed yet
    return render_template("staff/person_consent.html", one=found, consent=form, tabs=tabs())


@area.post("/staff/people/<person>/data.json")
def data(person: str) -> Response:
    """Give all that is kept about a person as a file; that it was asked for is kept."""
    me, lab = staff_needed(), current_lab()
    with lab.db.transaction() as db:
        found = personal_data.export(db, lab.clock, person_id=person, by=me.id)
    text = json.dumps(found, ensure_ascii=False, indent=1)
    return download(text, "application/json; charset=utf-8", "data.json")
