"""A shared screen's session: a minute without a touch ends it, whatever its browser does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabctl.clock import ManualClock
from tests.web_lab import Browser, WebLab, form_token, web_lab

KIOSK = "127.0.0.1"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as found:
        found.certify(found.person("camille", pin="482915"))
        yield found


def is_in(browser: Browser) -> bool:
    return browser.get("/me").status_code == 200


def pin(browser: Browser, code: str) -> None:
    browser.post("/in/pin", {"pin": code, "next": "/"}, page="/in")


def advance(lab: WebLab, seconds: float) -> None:
    assert isinstance(lab.clock, ManualClock)
    lab.clock.advance(seconds)


def test_a_shared_screens_session_ends_after_a_minute_without_touch(lab: WebLab) -> None:
    browser = lab.browser(KIOSK)
    pin(browser, "482915")
    page = browser.get("/m/printer-a").get_data(as_text=True)
    assert 'data-session="60"' in page
    assert 'data-warn="20"' in page
    assert 'data-session-left="60.0"' in page
    advance(lab, 59)
    assert is_in(browser)
    advance(lab, 1)
    assert not is_in(browser)


def test_a_page_that_loads_itself_again_extends_nothing_on_a_shared_screen(lab: WebLab) -> None:
    browser = lab.browser(KIOSK)
    pin(browser, "482915")
    for left in (45, 30, 15):
        advance(lab, 15)
        page = browser.get("/m/printer-a").get_data(as_text=True)
        assert f'data-session-left="{left}.0"' in page
    advance(lab, 15)
    assert not is_in(browser)


def test_a_form_that_is_sent_extends_a_shared_screens_session(lab: WebLab) -> None:
    browser = lab.browser(KIOSK)
    pin(browser, "482915")
    advance(lab, 50)
    browser.post("/m/printer-a/problem", {"kind": "dirty"}, page="/m/printer-a/problem")
    advance(lab, 50)
    assert is_in(browser)
    advance(lab, 10)
    assert not is_in(browser)


def test_a_password_on_a_shared_screen_opens_a_short_session_too(lab: WebLab) -> None:
    browser = lab.browser(KIOSK)
    browser.sign_in("camille")
    advance(lab, 61)
    assert not is_in(browser)


def test_a_touch_extends_and_what_the_page_does_by_itself_does_not(lab: WebLab) -> None:
    browser = lab.browser(KIOSK)
    pin(browser, "482915")
    advance(lab, 50)
    assert browser.post("/in/extend", page="/m/printer-b").status_code == 204
    advance(lab, 50)
    assert browser.get("/m/printer-a/panel").status_code == 200
    advance(lab, 11)
    assert not is_in(browser)


def test_a_touch_that_the_lab_hears_of_late_counts_from_when_it_was(lab: WebLab) -> None:
    browser = lab.browser(KIOSK)
    pin(browser, "482915")
    advance(lab, 50)
    page = browser.get("/m/printer-a").get_data(as_text=True)
    headers = {"X-CSRFToken": form_token(page)}
    left = []
    for idle in ("20", "55", "99999999999999999999", "-60", "x", "0"):
        answer = browser.client.post(f"/in/extend?idle={idle}", headers=headers)
        assert answer.status_code == 204, idle
        page = browser.get("/m/printer-a").get_data(as_text=True)
        left.append(re.findall(r'data-session-left="([0-9.]+)"', page))
    assert left == [["40.0"]] * 3 + [["60.0"]] * 3


def test_extending_an_ended_session_says_so(lab: WebLab) -> None:
    browser = lab.browser(KIOSK)
    token = form_token(browser.get("/in").get_data(as_text=True))
    assert browser.client.post("/in/extend", data={"csrf_token": token}).status_code == 401
