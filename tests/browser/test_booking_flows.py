"""Booking, moving, cancelling and waiting with a finger; by keyboard: test_keyboard_flows.py."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from playwright.sync_api import expect

from fabctl.services import bookings, people
from tests.browser.conftest import KIOSK, PHONE, OpenScreen, Screen, Served
from tests.browser.looks import ALL_RULES, CUT_TEXT, SMALL_TARGETS, violations


def tomorrow(served: Served) -> date:
    """Return the lab's next day: around midnight it is not the one that UTC would say."""
    return served.lab.clock.now().astimezone(served.lab.config.time_zone).date() + timedelta(days=1)


def book_tomorrow(served: Served, login: str, machine: str, hour: int, hours: int = 1) -> str:
    """Book a machine for somebody tomorrow; return the day."""
    lab, day = served.lab, tomorrow(served)
    zone = lab.config.time_zone
    start = datetime.combine(day, time(hour), zone)
    with lab.db.transaction() as db:
        who = people.find_by_login(db, login)
        assert who
        bookings.book(
            db, lab.clock, zone, person_id=who.id, resource_id=machine, start=start,
            end=start + timedelta(hours=hours), by=who.id,
        )  # fmt: skip
    return day.isoformat()


def test_three_taps_from_the_board_to_any_free_slot(served: Served, screen: OpenScreen) -> None:
    served.lab.workshop.say("printer-a", "running", job="j1")
    found = screen(KIOSK)
    found.be("camille")
    found.open("/")
    found.taps = 0
    found.tap('a.card[href="/m/printer-a"]')
    found.page.wait_for_url(found.url + "/m/printer-a")
    found.tap('a[href="/m/printer-a/book"]')
    found.page.wait_for_url("**/book")
    found.tap(".slots form:nth-of-type(2) button")
    expect(found.page.locator(".notice.good")).to_contain_text("Réservé")
    assert found.taps == 3


def test_booked_moved_and_cancelled_with_a_finger(served: Served, screen: OpenScreen) -> None:
    day = book_tomorrow(served, "camille", "printer-b", 9)
    found = screen(KIOSK)
    found.be("camille")
    found.open(f"/planning/{day}")
    expect(found.page.locator(".block.yours")).to_contain_text("À toi")
    found.tap('.line:has(a[href="/m/printer-a/book"]) .free a')
    found.tap("#chosen-time .slots form:nth-of-type(5) button")  # 8 h, and half an hour each
    expect(found.page.locator(".notice.good")).to_contain_text("Demain, 10\u00a0h à 11\u00a0h")
    found.open("/me")
    found.tap('[data-reservation]:has(a[href="/m/printer-a"]) a:has-text("Déplacer")')
    found.page.select_option("#time", "14:30")
    found.tap("form:has(#day) button")
    expect(found.page.locator(".notice.good")).to_contain_text("Demain, 14\u00a0h\u00a030")
    found.tap('[data-reservation]:has(a[href="/m/printer-a"]) button:has-text("Annuler")')
    expect(found.page.locator(".notice.good")).to_contain_text("Annulé")
    expect(found.page.locator("[data-reservation]")).to_have_count(1)
    assert found.troubles() == []


def test_waiting_for_a_slot_and_taking_it(served: Served, screen: OpenScreen) -> None:
    served.lab.certified("sam")
    day = book_tomorrow(served, "sam", "printer-a", 10)
    found = screen(PHONE, desk=True)
    found.be("camille")
    found.open(f"/m/printer-a/book/{day}/10:00")
    found.tap("#chosen-time button")
    expect(found.page.locator("[data-waiting]")).to_contain_text("Demain, 10\u00a0h à 11\u00a0h")
    sam = served.lab.browser()
    sam.sign_in("sam")
    with served.lab.db.reading() as db:
        (his,) = bookings.coming_for_person(db, served.lab.clock, person_id=served.lab.id_of("sam"))
    sam.post(f"/reservations/{his.id}/cancel", page="/me")
    found.open("/")
    found.tap(".bell")
    expect(found.page.locator(".told.new")).to_contain_text("Imprimante 3D A")
    found.tap(".told.new a")
    found.tap('[data-waiting] button:has-text("Je le prends")')
    expect(found.page.locator("[data-reservation]")).to_contain_text("Demain, 10\u00a0h")
    assert found.troubles() == []


def test_the_planning_looks_again_each_minute_and_keeps_the_focus(
    served: Served, screen: OpenScreen
) -> None:
    served.lab.certified("sam")
    found = screen(KIOSK, desk=True)
    found.stop_time()
    found.open(f"/planning/{tomorrow(served).isoformat()}")
    expect(found.page.locator(".block.taken")).to_have_count(0)
    found.page.focus("#at-printer-c")
    book_tomorrow(served, "sam", "printer-a", 11)
    found.pass_time(61)
    expect(found.page.locator(".block.taken")).to_have_count(1)
    expect(found.page.locator("#at-printer-c")).to_be_focused()
    assert found.troubles() == []


def test_a_kiosk_left_alone_in_the_middle_shows_nothing_of_the_person(
    served: Served, screen: OpenScreen
) -> None:
    day = book_tomorrow(served, "camille", "printer-b", 9)
    found = screen(KIOSK)
    found.stop_time()
    found.be("camille")
    found.open("/me")
    found.tap('a:has-text("Déplacer")')
    found.page.wait_for_url("**/move")
    found.page.select_option("#time", "15:15")
    found.pass_time(61)
    found.page.wait_for_url(found.url + "/")
    seen = ["Camille", "À toi", "Déplacer", "data-reservation"]
    for _ in range(3):  # whoever comes next goes back, step by step
        found.page.go_back()
        found.page.wait_for_load_state("load")
        content = found.page.content()
        assert [word for word in seen if word in content] == [], found.page.url
    found.open(f"/planning/{day}")
    assert [word for word in seen if word in found.page.content()] == []
    expect(found.page.locator(".block.taken")).to_contain_text("Pris")


def looks_right(found: Screen) -> None:
    """Say that what is open keeps the rules of every page, in this size and on a phone."""
    for size in (KIOSK, PHONE):
        found.page.set_viewport_size({"width": size["width"], "height": size["height"]})
        assert found.page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert found.page.evaluate(CUT_TEXT) == []
        assert found.page.evaluate(SMALL_TARGETS, 44) == []
        assert violations(found.page, ALL_RULES) == []
    found.page.set_viewport_size({"width": KIOSK["width"], "height": KIOSK["height"]})
    assert found.troubles() == []


def test_a_series_a_refusal_and_a_secret_are_pages_like_any_other(
    served: Served, screen: OpenScreen
) -> None:
    served.lab.certified("staff", role="staff")
    served.lab.certified("sam")
    day = book_tomorrow(served, "sam", "printer-a", 14)
    found = screen(KIOSK, desk=True)
    found.be("staff")
    found.open("/planning/series?resource=printer-a")
    found.page.fill("#day", day)
    found.page.fill("#weeks", "3")
    found.tap("main form button")
    expect(found.page.locator("#dates h2")).to_have_text("2 dates sur 3 sont possibles")
    looks_right(found)
    found.tap("#dates form button")
    expect(found.page.locator(".notice.good")).to_have_text("2 dates sont réservées.")
    found.open("/m/printer-b/book")
    found.page.select_option("#day", index=1)
    found.page.select_option("#time", "03:00")
    found.page.evaluate("document.querySelector('form:has(#day) [name=minutes]').value = '600'")
    found.tap("form:has(#day) button")
    expect(found.page.locator("#override_reason")).to_be_visible()
    looks_right(found)
    found.open("/me/data")
    found.tap('form[action="/me/calendars"] button')
    expect(found.page.locator("#secret")).to_contain_text("/calendar.ics")
    looks_right(found)
