"""Rooms, seats and machines at the desk: what there is, what lies in what, what is out of order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask import Blueprint, flash, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from fabctl.model.booking_facts import ResourceKind
from fabctl.model.refusal import Refusal
from fabctl.model.texts import text
from fabctl.services import courses, policies, resource_desk, resources
from fabctl.services.resource_desk import ResourceOrder
from fabctl.services.resources import PlaceView
from fabctl_web import tables
from fabctl_web.forms import form
from fabctl_web.lab import current_lab
from fabctl_web.language import chosen_language, speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import go, staff_needed
from fabctl_web.staff_house import names, upkeep_shown
from fabctl_web.staff_house.kept import Kept, again, typed

area = Blueprint("house_resources", __name__, template_folder="templates")


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


HEADS = (
    _("Short name"), _("Name"), _("What it is"), _("Kind of place"), _("Lies in"),
    _("Out of order"), _("Reason"),
)  # fmt: skip
LABELS = {
    "id": _("Short name"),
    "name": _("Name"),
    "kind": _("What it is"),
    "category": _("Kind of place"),
    "parent": _("Lies in"),
    "reason": _("Reason"),
    "next_step": _("What happens next"),
}
ID_TAKEN = Refusal(
    "no-such-id",
    text("This short name is taken, or it has other signs than a-z, 0-9 and -."),
    text("Choose another short name."),
)
NOT_INTO = Refusal(
    "not-into",
    text("A place cannot lie in itself, or in what lies in it."),
    text("Choose another place, at most four levels deep."),
)


@dataclass(frozen=True)
class Line:
    """A resource in the list."""

    place: PlaceView
    depth: int
    """How many others it lies in."""
    what: str
    """Its kind, and which of those it is."""
    within: str
    order: ResourceOrder


@page(area, "/staff/resources")
def listed() -> str:
    """List rooms, seats, machines and pools, with a form for one more."""
    return _show()


@area.get("/staff/resources.csv")
def export() -> Response:
    """Return the same as a table."""
    staff_needed()
    lab, say = current_lab(), speech()
    with lab.db.reading() as db:
        rows = [
            (
                one.place.id,
                one.place.name,
                one.what,
                one.place.category,
                one.within,
                say(_("Yes")) if one.order.out_of_order_at else say(_("No")),
                one.order.reason,
            )
            for one in _lines(db)
        ]
    return tables.saved("resources", [say(one) for one in HEADS], rows)


@area.post("/staff/resources")
def add() -> Response:
    """Add a room or a seat; machines come from lab.toml."""
    lab, me = current_lab(), staff_needed()
    with Kept(LABELS, ID_TAKEN) as kept:
        with form() as sent:
            wanted, name = sent.text("id"), sent.text("name")
            kind = sent.choice("kind", ResourceKind, ResourceKind.SPACE)
            category = sent.maybe_text("category") or ""
            parent = sent.resource("parent") if sent.has("parent") else None
        with lab.db.transaction() as db:
            made = resources.add_resource(
                db,
                lab.clock,
                resource_id=wanted.strip(),
                name=name.strip(),
                kind=kind,
                category=category.strip(),
                parent_id=parent,
                by=me.id,
            )
        flash(speech()("It is there. Give it hours and rules where it needs its own."), "good")
        return go(url_for("house_resources.one", resource=made.id))
    return again(_show(kept))


@page(area, "/staff/resources/<resource>")
def one(resource: str) -> str:
    """Show one resource, with what the staff may do with it."""
    return show_one(resource)


@area.post("/staff/resources/<resource>/parent")
def put_into(resource: str) -> Response:
    """Put a resource into another one, or out of any."""
    lab, me = current_lab(), staff_needed()
    with Kept(LABELS, NOT_INTO) as kept:
        with form() as sent:
            parent = sent.resource("parent") if sent.has("parent") else None
        with lab.db.transaction() as db:
            resources.put_into(db, lab.clock, resource_id=resource, parent_id=parent, by=me.id)
        lab.booked_anew(resource)
        flash(speech()("It has its new place."), "good")
        return go(url_for("house_resources.one", resource=resource))
    return again(show_one(resource, kept))


@area.post("/staff/resources/<resource>/out-of-order")
def out_of_order(resource: str) -> Response:
    """Let nobody start or book it, and say why."""
    lab, me = current_lab(), staff_needed()
    with Kept(LABELS) as kept:
        with form() as sent:
            reason, next_step = sent.text("reason"), sent.maybe_text("next_step")
        with lab.db.transaction() as db:
            resource_desk.put_out_of_order(
                db, lab.clock, resource_id=resource, reason=reason, next_step=next_step, by=me.id
            )
        lab.booked_anew(resource)
        flash(speech()("It is out of order. Everybody reads why."), "good")
        return go(url_for("house_resources.one", resource=resource))
    return again(show_one(resource, kept))


def show_one(resource: str, kept: Kept | None = None) -> str:
    """Return the page of one resource; after a refusal with what was typed."""
    lab, me = current_lab(), staff_needed()
    with lab.db.reading() as db:
        order = resource_desk.order_of(db, resource_id=resource)
        places = names.places(db)
        trained = courses.list_courses(db, resource_id=resource)
        needed = policies.rules_of_resource(db, resource).certification
        maintenance = upkeep_shown.of_resource(lab, db, resource, me.id)
        owners = upkeep_shown.owners(db, me.id)
    place, language = order.place, chosen_language()
    stopped = order.out_of_order_at
    return render_template(
        "staff_house/resource.html",
        order=order,
        since=speech().moment(stopped, lab.clock.now()) if stopped else "",
        what=_what(place),
        within=places.get(place.parent_id or "", ""),
        parents=_parents(places, resource),
        is_machine=place.kind is ResourceKind.MACHINE,
        certified=place.kind is ResourceKind.MACHINE if needed is None else needed,
        trainings=[
            (
                found.id,
                found.title(language),
                [places.get(other, other) for other in found.prerequisites],
            )
            for found in trained
        ],
        maintenance=maintenance,
        owners=owners,
        me=me,
        typed=typed,
        noting=(request.view_args or {}).get("plan"),
        refusals=kept.refusals if kept else (),
    )


def _show(kept: Kept | None = None) -> str:
    staff_needed()
    lab, say = current_lab(), speech()
    with lab.db.reading() as db:
        lines, pools, places = list(_lines(db)), resources.list_pools(db), names.places(db)
    return render_template(
        "staff_house/resources.html",
        lines=lines,
        since=lambda at: say.moment(at, lab.clock.now()),
        pools=[
            (found, [places.get(one, one) for one in found.members])
            for found in pools
            if names.matches(found.name)
        ],
        words=tables.words(),
        kinds=[
            (kind.value, say(word))
            for kind, word in names.KINDS.items()
            if kind is not ResourceKind.MACHINE
        ],
        parents=_parents(places),
        typed=typed,
        refusals=kept.refusals if kept else (),
    )


def _what(place: PlaceView) -> str:
    """Return what a place is: its kind, and which of those it is where that says more."""
    kind, category = speech()(names.KINDS[place.kind]), names.category(place.category)
    return kind if kind == category else names.joined((kind, category))


def _parents(places: dict[str, str], resource: str = "") -> list[tuple[str, str]]:
    others = [(one, name) for one, name in places.items() if one != resource]
    return [("", speech()("Nothing: it stands for itself")), *others]


def _lines(db: Session) -> Iterator[Line]:
    """Yield the resources that match the search: each after what it lies in."""
    orders = {one.place.id: one for one in resource_desk.orders(db)}
    everything = [one.place for one in orders.values()]
    known = {one.id: one.name for one in everything}
    for place, depth in _tree(everything, None, 0, set(known)):
        if names.matches(place.name, place.id, place.category, _what(place)):
            what = _what(place)
            yield Line(place, depth, what, known.get(place.parent_id or "", ""), orders[place.id])


def _tree(
    everything: Sequence[PlaceView], parent: str | None, depth: int, known: set[str]
) -> Iterator[tuple[PlaceView, int]]:
    for place in everything:
        around = place.parent_id if place.parent_id in known else None
        if around == parent:
            yield place, depth
            yield from _tree(everything, place.id, depth + 1, known)
