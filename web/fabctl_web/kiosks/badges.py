"""The staff's pages of badges: find a person, hold the badge before the reader, take one away."""

from __future__ import annotations

from flask import Blueprint, flash, render_template, request, url_for
from werkzeug.wrappers import Response

from fabctl.services import badges, people_records
from fabctl_web import tables
from fabctl_web.lab import current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import go, staff_needed

area = Blueprint("badges", __name__, template_folder="templates")
MOST_TYPED = 200


@page(area, "/staff/badges")
def search() -> str:
    """Find the person who gets a badge."""
    me, words, key = staff_needed(), tables.words(), tables.after()
    after = (key[0], key[1]) if key is not None and len(key) == 2 else None
    with current_lab().db.reading() as db:
        found = people_records.find_people(
            db, by=me.id, words=words, after=after, limit=tables.SHOWN + 1
        )
    more = found[tables.SHOWN - 1].key if len(found) > tables.SHOWN else None
    return render_template(
        "kiosks/badges.html",
        people=found[: tables.SHOWN],
        words=words,
        more_at=tables.next_address(more),
    )


@page(area, "/staff/badges/<person>")
def of_person(person: str) -> str:
    """Show a person's badges, and take a new one."""
    me, lab = staff_needed(), current_lab()
    with lab.db.reading() as db:
        whose = people_records.record(db, person_id=person, by=me.id)
        found = badges.list_badges(db, person_id=person, by=me.id)
    said, now = speech(), lab.clock.now()
    return render_template(
        "kiosks/person_badges.html",
        whose=whose,
        badges=[(one.id, said.moment(one.added_at, now)) for one in found],
    )


@area.post("/staff/badges/<person>")
def add(person: str) -> Response:
    """Give a person a badge: the reader typed its number."""
    me, lab = staff_needed(), current_lab()
    number = request.form.get("number", "")[:MOST_TYPED]
    with lab.db.transaction() as db:
        badges.add_badge(db, lab.clock, lab.secret, person_id=person, number=number, by=me.id)
    flash(speech()("This badge opens the screens now."), "good")
    return go(url_for("badges.of_person", person=person))


@area.post("/staff/badges/<person>/<badge>/remove")
def remove(person: str, badge: str) -> Response:
    """Take a badge away."""
    me, lab = staff_needed(), current_lab()
    with lab.db.transaction() as db:
        badges.remove_badge(db, lab.clock, person_id=person, badge_id=badge, by=me.id)
    flash(speech()("This badge opens nothing any more."), "good")
    return go(url_for("badges.of_person", person=person))
