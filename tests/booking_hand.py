"""What tests of booking pages share: who is signed in, what they have, what a page says."""

from __future__ import annotations

from fabctl.clock import ManualClock
from fabctl.services import bookings, people
from fabctl.services.bookings import ReservationView
from fabctl.services.people import PersonView
from tests.web_lab import Browser, WebLab

KIOSK = "127.0.0.1"
TOMORROW = "2026-11-24"
NASTY = "<script>alert(1)</script>"


def person(lab: WebLab, login: str) -> PersonView:
    with lab.db.reading() as db:
        return people.get_person(db, lab.id_of(login))


def signed_in(lab: WebLab, login: str, address: str | None = None) -> Browser:
    browser = lab.browser(address) if address else lab.browser()
    browser.sign_in(login)
    return browser


def text_of(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def coming(lab: WebLab, login: str) -> list[ReservationView]:
    with lab.db.reading() as db:
        return bookings.coming_for_person(db, lab.clock, person_id=lab.id_of(login))


def advance(lab: WebLab, seconds: float) -> None:
    assert isinstance(lab.clock, ManualClock)
    lab.clock.advance(seconds)
