"""Badges, for programs: the staff see how many somebody has, give one, take one away."""

from __future__ import annotations

from flask import jsonify, make_response
from werkzeug.wrappers import Response

from fabctl.services import badges
from fabctl.services.badges import BadgeView
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.shape import Json, instant
from fabctl_web.lab import current_lab

area = api_area("badges")


@area.get("/people/<person>/badges")
def of_person(person: str) -> Response:
    """List a person's badges, without their numbers."""
    who = caller().id
    with current_lab().db.reading() as db:
        found = badges.list_badges(db, person_id=person, by=who)
    return jsonify({"badges": [badge_json(one) for one in found]})


@area.post("/people/<person>/badges")
def add(person: str) -> Response:
    """Give a person a badge."""
    lab, who = current_lab(), caller().id
    with reading.body() as sent:
        number = sent.text("number")
    with lab.db.transaction() as db:
        made = badges.add_badge(db, lab.clock, lab.secret, person_id=person, number=number, by=who)
    return make_response(jsonify(badge_json(made)), 201)


@area.delete("/people/<person>/badges/<badge>")
def remove(person: str, badge: str) -> Response:
    """Take a badge away."""
    lab, who = current_lab(), caller().id
    with lab.db.transaction() as db:
        badges.remove_badge(db, lab.clock, person_id=person, badge_id=badge, by=who)
    return make_response("", 204)


def badge_json(found: BadgeView) -> Json:
    """Return a badge without its number."""
    return {"id": found.id, "person": found.person_id, "added_at": instant(found.added_at)}
