"""A booking that was refused: every reason, what else there is, and the staff's override."""

from __future__ import annotations

from collections.abc import Sequence

from flask import make_response, render_template, request
from werkzeug.wrappers import Response

from fabctl.model.booking import still_refused
from fabctl.model.booking_refusals import out_of_range
from fabctl.model.booking_slots import Slot
from fabctl.model.people import Role
from fabctl.model.refusal import Refusal
from fabctl.services import resources
from fabctl.services.resources import PoolView
from fabctl_web.bookings.places import Place
from fabctl_web.forms import form
from fabctl_web.lab import Lab, current_lab
from fabctl_web.people.signed_in import is_kiosk, signed_in

ASKED = ("start", "end", "day", "time", "minutes", "resource", "account")
"""Fields of a form that say which slot was asked for."""


def not_booked(place: Place, wanted: Slot, refusals: Sequence[Refusal], again: str) -> Response:
    """Show why a slot was not booked (409).

    Where only somebody else is in the way, one may wait; where only rules are that the staff may
    set aside, they do so with a reason.

    :param again: the address that the form was sent to.
    """
    shown = render_template(
        "bookings/refused.html",
        place=place,
        wanted=wanted if out_of_range(wanted) is None else None,
        refusals=refusals,
        may_wait={refusal.code for refusal in refusals} == {"overlap"},
        pools=_pools_with(current_lab(), place) if _may_be_elsewhere(refusals) else [],
        may_override=_is_staff_at_a_desk() and not still_refused(refusals),
        asked={name: request.form[name] for name in ASKED if name in request.form},
        again=again,
    )
    return make_response(shown, 409)


def override_reason() -> str | None:
    """Return why the staff set rules aside, as the form says it; never on a shared screen."""
    with form() as sent:
        reason = sent.maybe_text("override_reason")
    return None if is_kiosk() else reason


def _may_be_elsewhere(refusals: Sequence[Refusal]) -> bool:
    """Say whether another one of the same kind may be free, for a new booking."""
    codes = {refusal.code for refusal in refusals}
    return request.endpoint == "bookings.book" and bool(codes & {"overlap", "out-of-order"})


def _pools_with(lab: Lab, place: Place) -> list[PoolView]:
    """Return the pools that a resource belongs to together with others."""
    with lab.db.reading() as db:
        found = resources.list_pools(db)
    return [pool for pool in found if place.id in pool.members and len(pool.members) > 1]


def _is_staff_at_a_desk() -> bool:
    person = signed_in()
    return person is not None and person.role in {Role.STAFF, Role.ADMIN} and not is_kiosk()
