"""The rules of booking at the desk: for the lab, a kind of place, or one place. Nearest wins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, abort, flash, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from fabctl.model.booking_policy import NUMBERS, WHOLE_LAB, Kind, Reach, Scope
from fabctl.services import policies, resources
from fabctl.services.resources import PlaceView
from fabctl_web import tables
from fabctl_web.api.reading import malformed
from fabctl_web.forms import Form, form
from fabctl_web.lab import current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import go, staff_needed
from fabctl_web.staff_house import names, policy_shown
from fabctl_web.staff_house.kept import Kept, again
from fabctl_web.staff_house.policy_words import LABELS

area = Blueprint("house_policies", __name__, template_folder="templates")


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


HEADS = (_("Holds for"), _("Rule"), _("Value"), _("Version"), _("Changed"), _("By"))


@page(area, "/staff/policies")
def listed() -> str:
    """List what is set, the most specific first; look what holds for one place."""
    me = staff_needed()
    lab, looked_at = current_lab(), request.args.get("place", "")
    with lab.db.reading() as db:
        places = names.places(db)
        holds = list(policy_shown.holding(db, looked_at)) if looked_at in places else []
        shown = policy_shown.shown(lab, db, me.id)
        kinds = sorted({one.category for one in resources.list_all(db)})
    set_already = {(one.scope.reach, one.scope.subject) for one in shown}
    return render_template(
        "staff_house/policies.html",
        shown=shown,
        words=tables.words(),
        places=[("", speech()("Choose a place")), *places.items()],
        looked_at=looked_at,
        holds=holds,
        new_places=[one for one in places.items() if (Reach.RESOURCE, one[0]) not in set_already],
        new_kinds=[
            (one, names.category(one)) for one in kinds if (Reach.CATEGORY, one) not in set_already
        ],
        lab_set=(Reach.LAB, "") in set_already,
    )


@area.get("/staff/policies.csv")
def export() -> Response:
    """Return what is set as a table."""
    lab, say, me = current_lab(), speech(), staff_needed()
    with lab.db.reading() as db:
        shown = policy_shown.shown(lab, db, me.id)
    rows = [
        (one.title, label, value, one.version, one.when, one.who)
        for one in shown
        for label, value in one.rules
    ]
    return tables.saved("policies", [say(one) for one in HEADS], rows)


@page(area, "/staff/policies/lab")
def of_lab() -> str:
    """Show the form with the rules of the whole lab."""
    return _form_page(WHOLE_LAB)


@page(area, "/staff/policies/<any(category, resource):reach>/<path:subject>")
def of_one(reach: str, subject: str) -> str:
    """Show the form with the rules of a kind of place, or of one place."""
    return _form_page(Scope(Reach(reach), subject))


@area.post("/staff/policies/lab")
def change_lab() -> Response:
    """Set the rules of the whole lab."""
    return _change(WHOLE_LAB)


@area.post("/staff/policies/<any(category, resource):reach>/<path:subject>")
def change_one(reach: str, subject: str) -> Response:
    """Set the rules of a kind of place, or of one place."""
    return _change(Scope(Reach(reach), subject))


def _change(scope: Scope) -> Response:
    lab, me = current_lab(), staff_needed()
    with Kept(LABELS) as kept:
        with form() as sent:
            seen = sent.number("seen")
            numbers = {name: value for name in NUMBERS for value in _sent(sent, name)}
        with lab.db.transaction() as db:
            _place_of(db, scope)
            policies.set_policy(db, lab.clock, scope=scope, numbers=numbers, by=me.id, seen=seen)
        lab.bookings.forget()
        flash(speech()("The rules hold from now on."), "good")
        return go(policy_shown.address(scope))
    return again(_form_page(scope, kept))


def _sent(sent: Form, name: str) -> Iterator[Any]:
    """Yield the value of one rule; nothing where it is left as around."""
    number = NUMBERS[name]
    if number.may_be_none and sent.ticked(f"{name}-none"):
        yield None
    elif sent.has(name):
        if number.kind is Kind.YES_NO:
            yield sent.said(name)
        else:
            yield sent.number(name, number.least, number.most)
    elif request.form.get(name, "").strip():
        sent.refusals.append(malformed(name))


def _form_page(scope: Scope, kept: Kept | None = None) -> str:
    me = staff_needed()
    lab = current_lab()
    with lab.db.reading() as db:
        place = _place_of(db, scope)
        everything = policies.list_policies(db)
        found = next((one for one in everything if one.scope == scope), None)
        rows = list(policy_shown.rows(everything, scope, place, found.numbers if found else {}))
        history = policy_shown.history(lab, db, scope, me.id)
        title = policy_shown.title(scope, names.places(db))
    return render_template(
        "staff_house/policy.html",
        title=title,
        rows=rows,
        history=history,
        address=policy_shown.address(scope),
        refusals=kept.refusals if kept else (),
        version=found.version if found else 0,
    )


def _place_of(db: Session, scope: Scope) -> PlaceView | None:
    """Return the place of a scope, or end the request: there is none, or no such kind."""
    everything = resources.list_all(db)
    if scope.reach is Reach.RESOURCE:
        return next((one for one in everything if one.id == scope.subject), None) or abort(404)
    known = {one.category for one in everything}
    known |= {one.scope.subject for one in policies.list_policies(db)}
    if scope.reach is Reach.CATEGORY and scope.subject not in known:
        abort(404)
    return None
