"""Pools at the desk: several places of which any one will do, in the order in which they go."""

from __future__ import annotations

from flask import Blueprint, flash, render_template, request, url_for
from werkzeug.wrappers import Response

from fabctl.model.refusal import Refusal
from fabctl.model.texts import text
from fabctl.services import resources
from fabctl_web import tables
from fabctl_web.forms import Form, form
from fabctl_web.lab import current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import go, staff_needed
from fabctl_web.staff_house import names
from fabctl_web.staff_house.kept import Kept, again, typed

area = Blueprint("house_pools", __name__, template_folder="templates")


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


HEADS = (_("Short name"), _("Name"), _("Number"), _("Place"))
LABELS = {"id": _("Short name"), "name": _("Name")}
MOST = 99
NO_MEMBER = Refusal(
    "no-member",
    text("A pool has a short name (a-z, 0-9, -) and at least one place."),
    text("Give a number to each place that belongs to it."),
)


@area.get("/staff/pools.csv")
def export() -> Response:
    """Return all pools as a table: a line for each place of each."""
    staff_needed()
    with current_lab().db.reading() as db:
        places, found = names.places(db), resources.list_pools(db)
    rows = [
        (one.id, one.name, rank, places.get(member, member))
        for one in found
        if names.matches(one.name)
        for rank, member in enumerate(one.members, 1)
    ]
    return tables.saved("pools", [speech()(one) for one in HEADS], rows)


@page(area, "/staff/pools/new")
def new() -> str:
    """Show the form for a new pool."""
    return _show(None)


@page(area, "/staff/pools/<pool>")
def one(pool: str) -> str:
    """Show a pool with its places, to change them."""
    return _show(pool)


@area.post("/staff/pools/new", defaults={"pool": None})
@area.post("/staff/pools/<pool>")
def change(pool: str | None) -> Response:
    """Make or change a pool."""
    lab, me = current_lab(), staff_needed()
    with Kept(LABELS, NO_MEMBER) as kept:
        with form() as sent:
            pool_id = pool or sent.text("id").strip()
            name, members = sent.text("name").strip(), _members(sent)
        with lab.db.transaction() as db:
            resources.set_pool(db, lab.clock, pool_id=pool_id, name=name, members=members, by=me.id)
        lab.bookings.forget()
        flash(speech()("The pool is set."), "good")
        return go(url_for("house_resources.listed"))
    return again(_show(pool, kept))


def _members(sent: Form) -> list[str]:
    """Return the places that have a number, in the order of their numbers."""
    with current_lab().db.reading() as db:
        places = list(names.places(db))
    ranks = {
        place: sent.number(f"rank-{place}", 1, MOST)
        for place in places
        if sent.has(f"rank-{place}")
    }
    return sorted(ranks, key=lambda place: ranks[place])


def _show(pool: str | None, kept: Kept | None = None) -> str:
    staff_needed()
    with current_lab().db.reading() as db:
        places = names.places(db)
        found = resources.get_pool(db, pool) if pool else None
    members = list(found.members) if found else []
    return render_template(
        "staff_house/pool.html",
        pool=found,
        address=request.path,
        places=[
            (one, name, typed(f"rank-{one}", members.index(one) + 1 if one in members else ""))
            for one, name in places.items()
        ],
        most=MOST,
        typed=typed,
        refusals=kept.refusals if kept else (),
    )
