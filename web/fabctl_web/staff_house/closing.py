"""Closures at the desk: what they would cancel is shown before anything is closed."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, make_response, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from fabctl.model.booking_facts import ClaimKind
from fabctl.model.booking_slots import Slot
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.texts import text
from fabctl.services import closure_outlook, closures
from fabctl.services.closure_outlook import Met
from fabctl.services.closures import ClosureView
from fabctl_web import tables
from fabctl_web.api.reading import MalformedError, malformed
from fabctl_web.forms import form
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import go, staff_needed
from fabctl_web.staff_house import names
from fabctl_web.staff_house.kept import Kept, again, typed

area = Blueprint("house_closures", __name__, template_folder="templates")


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


HEADS = (_("Place"), _("Kind"), _("Start"), _("End"), _("Reason"))
LABELS = {
    "resource": _("Place"),
    "kind": _("Kind"),
    "first starts": _("Start"),
    "last ends": _("End"),
    "note": _("Reason"),
}
KINDS = {ClaimKind.CLOSURE: _("Closure"), ClaimKind.MAINTENANCE: _("Maintenance")}
IN_THE_WAY = {
    ClaimKind.WORKSHOP: _("Workshop"),
    ClaimKind.CLOSURE: _("Closure"),
    ClaimKind.MAINTENANCE: _("Maintenance"),
}
MORE_BOOKED = Refusal(
    "more-booked",
    text("Somebody has booked in the meantime."),
    text("Look at the list again, then close."),
)
"""What was confirmed is not all that would be cancelled."""


FIELDS = ("resource", "kind", "first", "starts", "last", "ends", "note")


@dataclass(frozen=True)
class Wanted:
    """A closure as the form says it."""

    resource: str
    kind: ClaimKind
    slot: Slot
    note: str


@page(area, "/staff/closures")
def listed() -> str:
    """List closures that are not over, with a form for one more."""
    return _show()


@area.get("/staff/closures.csv")
def export() -> Response:
    """Return the same as a table."""
    staff_needed()
    lab, say = current_lab(), speech()
    with lab.db.reading() as db:
        found, places = _found(lab, db), names.places(db)
    zone = lab.config.time_zone
    rows = [
        (
            places.get(one.resource_id, one.resource_id),
            say(KINDS[one.kind]),
            f"{one.slot.start.astimezone(zone):%Y-%m-%d %H:%M}",
            f"{one.slot.end.astimezone(zone):%Y-%m-%d %H:%M}",
            one.note,
        )
        for one in found
    ]
    return tables.saved("closures", [say(one) for one in HEADS], rows)


@area.post("/staff/closures")
def look() -> Response:
    """Show what a closure would cancel; nothing is closed yet."""
    with Kept(LABELS) as kept:
        return make_response(_outlook(_wanted()))
    return again(_show(kept))


@area.post("/staff/closures/change")
def change() -> str:
    """Show the form again with what was typed."""
    return _show()


@area.post("/staff/closures/make")
def make() -> Response:
    """Close, after what it cancels was seen."""
    lab, me = current_lab(), staff_needed()
    with Kept(LABELS) as kept:
        wanted = _wanted()
        seen = set(request.form.getlist("seen"))
        try:
            made = _close(lab, wanted, seen, me.id)
        except RefusedError as error:
            return again(_outlook(wanted, error))
        lab.booked_anew(wanted.resource)
        flash(_done(made), "good")
        return go(url_for("house_closures.listed"))
    return again(_show(kept))


@area.post("/staff/closures/<closure>/reopen")
def reopen(closure: str) -> Response:
    """End a closure now, or before it begins."""
    lab, me = current_lab(), staff_needed()
    with lab.db.transaction() as db:
        gone = closures.reopen(db, lab.clock, lab.config.time_zone, closure_id=closure, by=me.id)
    lab.booked_anew(gone.resource_id)
    flash(speech()("It is open again. Those who wait have been told."), "good")
    return go(url_for("house_closures.listed"))


def _wanted() -> Wanted:
    staff_needed()
    with form() as sent:
        resource, note = sent.resource(), sent.text("note")
        kind = sent.choice("kind", ClaimKind, ClaimKind.CLOSURE)
        slot = Slot(sent.moment("first", "starts"), sent.moment("last", "ends"))
        if kind not in KINDS:
            sent.refusals.append(malformed("kind"))
    if slot.end <= slot.start:
        raise MalformedError([malformed("last ends")])
    return Wanted(resource, kind, slot, note)


def _close(lab: Lab, wanted: Wanted, seen: set[str], by: str) -> ClosureView:
    with lab.db.transaction() as db:
        made = closures.close(
            db,
            lab.clock,
            lab.config.time_zone,
            resource_id=wanted.resource,
            kind=wanted.kind,
            slot=wanted.slot,
            note=wanted.note,
            by=by,
            cancel_reservations=True,
        )
        if set(made.cancelled) - seen:
            raise RefusedError([MORE_BOOKED])
    return made


def _done(made: ClosureView) -> str:
    count = len(made.cancelled)
    if not count:
        return speech()("It is closed. No reservation was cancelled.")
    return speech()("It is closed. Cancelled reservations: {count}.", count=count)


def _outlook(wanted: Wanted, error: RefusedError | None = None) -> str:
    """Show what a closure would meet, with what was typed, to confirm it."""
    lab, me, say = current_lab(), staff_needed(), speech()
    with lab.db.reading() as db:
        met = closure_outlook.met_by(
            db, lab.clock, resource_id=wanted.resource, slot=wanted.slot, by=me.id
        )
        waits = closure_outlook.waiting_for(
            db, lab.clock, resource_id=wanted.resource, slot=wanted.slot, by=me.id
        )
        place = names.places(db)[wanted.resource]
    return render_template(
        "staff_house/closure_outlook.html",
        place=place,
        kind=say(KINDS[wanted.kind]),
        when=names.stretch(wanted.slot),
        note=wanted.note,
        cancelled=[_line(one) for one in met if one.reservation_id],
        seen=[one.reservation_id for one in met if one.reservation_id],
        waits=[(names.stretch(one.slot), one.resource_name, one.who, one.offered) for one in waits],
        stays=[
            (say(IN_THE_WAY.get(one.kind, KINDS[ClaimKind.CLOSURE])), *_line(one))
            for one in met
            if not one.reservation_id
        ],
        fields={name: request.form.get(name, "") for name in FIELDS},
        refusals=error.refusals if error else (),
    )


def _line(one: Met) -> tuple[str, str, str]:
    """Return when, where and whose."""
    return names.stretch(one.slot), one.resource_name, one.who


def _found(lab: Lab, db: Session) -> list[ClosureView]:
    places = names.places(db)
    return [
        one
        for one in closures.coming(db, since=lab.clock.now())
        if names.matches(one.note, places.get(one.resource_id))
    ]


def _show(kept: Kept | None = None) -> str:
    staff_needed()
    lab, say, now = current_lab(), speech(), current_lab().clock.now()
    with lab.db.reading() as db:
        found, places = _found(lab, db), names.places(db)
    shown, more = names.part(found, lambda one: (one.slot.start.isoformat(), one.id))
    today = now.astimezone(lab.config.time_zone).date().isoformat()
    return render_template(
        "staff_house/closures.html",
        shown=[
            (
                one,
                places.get(one.resource_id, one.resource_id),
                say(KINDS[one.kind]),
                names.stretch(one.slot),
                one.slot.start <= now,
            )
            for one in shown
        ],
        more=more,
        words=tables.words(),
        places=[("", say(_("Choose a place"))), *places.items()],
        kinds=[(kind.value, say(word)) for kind, word in KINDS.items()],
        typed=typed,
        today=today,
        refusals=kept.refusals if kept else (),
    )
