"""A reservation as a file for a calendar, offered where it is booked and on one's own page."""

from __future__ import annotations

from flask import Blueprint, Response, flash, url_for

from fabctl.model.refusal import RefusedError
from fabctl.services import calendar_entries, feeds
from fabctl_web.downloads import download
from fabctl_web.lab import current_lab
from fabctl_web.people.signed_in import NOT_ON_A_SHARED_SCREEN, is_kiosk, person_needed

area = Blueprint("calendar_entries", __name__)


@area.get("/reservations/<reservation>/calendar.ics")
def entry(reservation: str) -> Response:
    """Give a reservation as a file that calendars read.

    :raises RefusedError: not-on-a-shared-screen, where no calendar is one's own.
    """
    person, lab = person_needed(), current_lab()
    if is_kiosk():
        raise RefusedError([NOT_ON_A_SHARED_SCREEN])
    with lab.db.reading() as db:
        found = calendar_entries.of_reservation(
            db, lab.clock, reservation_id=reservation, by=person.id
        )
    answer = download(found, feeds.MEDIA_TYPE, "reservation.ics")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def offer_entry(reservation_id: str) -> None:
    """Offer the file beside the words that say what was booked; never on a shared screen."""
    if not is_kiosk():
        flash(url_for("calendar_entries.entry", reservation=reservation_id), "calendar")
