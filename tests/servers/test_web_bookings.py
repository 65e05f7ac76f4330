"""Booking on the pages: proposals, any time, refusals with every reason, cancelling."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fabctl.clock import ManualClock
from fabctl.services import bookings
from tests.web_lab import Browser, WebLab, web_lab

BOOK = "/m/printer-a/book"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as found:
        found.certify(found.person("camille"))
        found.person("alex")
        yield found


@pytest.fixture
def camille(lab: WebLab) -> Browser:
    browser = lab.browser()
    browser.sign_in("camille")
    return browser


def booked(lab: WebLab) -> list[tuple[datetime, datetime]]:
    now = lab.clock.now()
    with lab.db.reading() as db:
        found = bookings.for_resource(
            db, resource_id="printer-a", start=now, end=now + timedelta(days=61)
        )
    return [(r.start, r.end) for r in found]


def test_one_hour_now_in_one_tap_on_the_machines_page(lab: WebLab, camille: Browser) -> None:
    page = camille.get("/m/printer-a").get_data(as_text=True)
    assert "Book 1 h now" in page
    answer = camille.post(BOOK, {"start": "now", "minutes": "60"}, page="/m/printer-a")
    assert (answer.status_code, answer.location) == (303, "/m/printer-a")
    start = lab.clock.now()
    assert booked(lab) == [(start, start + timedelta(hours=1))]
    page = camille.get("/m/printer-a").get_data(as_text=True)
    assert "Booked: Today, 10:00 to 11:00." in page
    assert "yours" in page


def test_proposals_come_first_and_can_be_booked(lab: WebLab, camille: Browser) -> None:
    lab.book(lab.certified("sam"), "printer-a", minutes=90)
    page = camille.get(BOOK).get_data(as_text=True)
    starts = re.findall(r'name="start" value="([^"]+)"', page)
    assert len(starts) == 4
    assert "now" not in starts
    answer = camille.post(BOOK, {"start": starts[0], "minutes": "60"}, page=BOOK)
    assert answer.status_code == 303
    assert booked(lab)[1][0] == datetime.fromisoformat(starts[0])


def test_whoever_is_here_says_so_on_their_page(lab: WebLab, camille: Browser) -> None:
    camille.post(BOOK, {"start": "now", "minutes": "60"}, page="/m/printer-a")
    page = camille.get("/me").get_data(as_text=True)
    address = re.search(r'action="(/reservations/[^/]+/check-in)"', page)
    assert address
    assert camille.post(address[1], page="/me").status_code == 303
    page = camille.get("/me").get_data(as_text=True)
    assert "You are checked in." in page
    assert "/check-in" not in page


def test_a_wall_clock_time_is_the_labs(lab: WebLab, camille: Browser) -> None:
    fields = {"day": "2026-11-24", "time": "14:15", "minutes": "30"}
    assert camille.post(BOOK, fields, page=BOOK).status_code == 303
    assert booked(lab)[0][0] == datetime(2026, 11, 24, 13, 15, tzinfo=UTC)


def test_a_refusal_shows_every_reason_and_its_next_step(lab: WebLab) -> None:
    browser = lab.browser(language="fr")
    browser.sign_in("alex")
    lab.book(lab.certified("sam"), "printer-a")
    answer = browser.post(BOOK, {"start": "now", "minutes": "600"}, page=BOOK)
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    codes = re.findall(r'data-code="([a-z-]+)"', page)
    assert codes == ["not-certified", "too-long", "overlap"]
    assert "Choisis un autre créneau." in page
    assert len(booked(lab)) == 1


MALFORMED: tuple[dict[str, str], ...] = (
    {}, {"start": "now"}, {"start": "now", "minutes": "x"}, {"start": "tomorrow", "minutes": "60"},
    {"start": "2026-11-24T10:00:00", "minutes": "60"}, {"start": "now", "minutes": "9" * 30},
    {"day": "2026-11-24", "minutes": "60"}, {"day": "2026-13-24", "time": "10:00", "minutes": "60"},
    {"day": "2027-03-28", "time": "02:30", "minutes": "60"},
)  # fmt: skip


@pytest.mark.parametrize("fields", MALFORMED)
def test_malformed_input_is_refused(lab: WebLab, camille: Browser, fields: dict[str, str]) -> None:
    """The last one is an hour that the clocks skip."""
    assert camille.post(BOOK, fields, page=BOOK).status_code == 400
    assert booked(lab) == []


def test_a_stranger_is_sent_to_sign_in_and_books_nothing(lab: WebLab) -> None:
    browser = lab.browser()
    page = browser.get(BOOK).get_data(as_text=True)
    assert "Sign in to book." in page
    assert 'name="start"' not in page
    answer = browser.post(BOOK, {"start": "now", "minutes": "60"}, page="/m/printer-a")
    assert answer.location == "/in?next=/m/printer-a"
    assert booked(lab) == []


def test_cancelling_ones_own(lab: WebLab, camille: Browser) -> None:
    camille.post(BOOK, {"day": "2026-11-24", "time": "10:00", "minutes": "60"}, page=BOOK)
    page = camille.get("/me").get_data(as_text=True)
    reservation = re.search(r'data-reservation="([^"]+)"', page)
    assert reservation
    answer = camille.post(f"/reservations/{reservation[1]}/cancel", page="/me")
    assert (answer.status_code, answer.location) == (303, "/me")
    assert booked(lab) == []


def test_cancelling_after_the_start_is_said_to_count_as_missed(lab: WebLab) -> None:
    reservation = lab.book(lab.certified("sam"), "printer-a", after_min=5)
    assert isinstance(lab.clock, ManualClock)
    lab.clock.advance(6 * 60)
    browser = lab.browser(language="fr")
    browser.sign_in("sam")
    browser.post(f"/reservations/{reservation}/cancel", page="/me")
    assert "compte comme manqué" in browser.get("/me").get_data(as_text=True)
    assert booked(lab) == []


def test_cancelling_somebody_elses_is_refused(lab: WebLab) -> None:
    reservation = lab.book(lab.certified("sam"), "printer-a")
    browser = lab.browser()
    browser.sign_in("alex")
    answer = browser.post(f"/reservations/{reservation}/cancel", page="/me")
    assert answer.status_code == 409
    assert 'data-code="not-yours"' in answer.get_data(as_text=True)
    assert len(booked(lab)) == 1


def test_screens_know_a_booking_at_once(lab: WebLab, camille: Browser) -> None:
    board = lab.browser(language="fr")
    assert "Réservée" not in board.get("/").get_data(as_text=True)
    before = lab.app.extensions["fabctl"].hub.version
    camille.post(BOOK, {"start": "now", "minutes": "60"}, page=BOOK)
    assert "Réservée" in board.get("/").get_data(as_text=True)
    assert lab.app.extensions["fabctl"].hub.version > before
