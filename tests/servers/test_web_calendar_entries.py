"""One reservation as a file for a calendar: what stands in it, who gets it, where it is offered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from icalendar import Calendar, Event

from fabctl.services import bookings, feeds
from tests.booking_hand import KIOSK, advance, person, signed_in, text_of
from tests.web_lab import WebLab, web_lab

WORDS = "Put it in my calendar"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    """It is Monday 2026-11-23, 10:00 in Paris."""
    with web_lab(tmp_path) as found:
        found.certify(found.person("camille"))
        found.certified("sam")
        yield found


def entry_of(lab: WebLab, login: str, path: str) -> Event:
    answer = signed_in(lab, login).get(path)
    assert answer.status_code == 200, path
    assert answer.headers["Content-Type"] == feeds.MEDIA_TYPE
    assert answer.headers["Content-Disposition"] == 'attachment; filename="reservation.ics"'
    (found,) = Calendar.from_ical(answer.data).walk("VEVENT")
    assert isinstance(found, Event)
    return found


def test_it_is_offered_after_booking_and_says_what_was_booked(lab: WebLab) -> None:
    camille = signed_in(lab, "camille")
    start = lab.clock.now() + timedelta(hours=2)
    sent = {"start": start.isoformat(), "minutes": "60"}
    answer = camille.post("/m/printer-a/book", sent, page="/m/printer-a/book")
    shown = text_of(camille, answer.headers["Location"])
    offered = re.search(r'href="(/reservations/\w+/calendar\.ics)" download', shown)
    assert offered
    assert WORDS in shown
    assert WORDS not in text_of(camille, answer.headers["Location"])  # said once
    assert offered[1] in text_of(camille, "/me")
    entry = entry_of(lab, "camille", offered[1])
    assert (entry.start, entry.end) == (start, start + timedelta(hours=1))
    assert str(entry["SUMMARY"]) == "Imprimante 3D A"
    assert str(entry["STATUS"]) == "CONFIRMED"


def test_it_is_the_entry_that_a_feed_shows_and_a_later_one_counts(lab: WebLab) -> None:
    camille = person(lab, "camille")
    made = lab.book(camille, "printer-a", after_min=60)
    path = f"/reservations/{made}/calendar.ics"
    first = entry_of(lab, "camille", path)
    with lab.db.transaction() as db:
        _, secret = feeds.create(
            db, lab.clock, kind=feeds.PERSON, subject=camille.id, by=camille.id
        )
    with lab.db.reading() as db:
        feed = Calendar.from_ical(feeds.calendar(db, lab.clock, secret=secret, language="en"))
    assert [str(one["UID"]) for one in feed.walk("VEVENT")] == [str(first["UID"])]
    advance(lab, 60)
    with lab.db.transaction() as db:
        bookings.cancel(db, lab.clock, lab.config.time_zone, reservation_id=made, by=camille.id)
    later = entry_of(lab, "camille", path)
    assert str(later["STATUS"]) == "CANCELLED"
    assert int(str(later["SEQUENCE"])) > int(str(first["SEQUENCE"]))


def test_it_is_nobody_elses_and_never_on_a_shared_screen(lab: WebLab) -> None:
    made = lab.book(person(lab, "camille"), "printer-a", after_min=60)
    path = f"/reservations/{made}/calendar.ics"
    assert lab.browser().get(path).status_code == 303
    assert signed_in(lab, "sam").get(path).status_code == 404
    assert signed_in(lab, "sam").get("/reservations/nonesuch/calendar.ics").status_code == 404
    kiosk = signed_in(lab, "camille", KIOSK)
    assert "calendar.ics" not in text_of(kiosk, "/me")
    assert kiosk.get(path).status_code == 409
