"""Badges on shared screens, and the lock after wrong PINs that is fair to everybody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from fabctl.clock import ManualClock
from fabctl.services import badges
from tests.web_lab import SECRET, Browser, WebLab, web_lab

KIOSK = "127.0.0.1"
NUMBER = "0012345678"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as found:
        found.person("camille", pin="482915")
        found.person("sasha", role="staff")
        give(found, "camille", NUMBER)
        yield found


def give(lab: WebLab, login: str, number: str) -> str:
    person = lab.id_of(login)
    with lab.db.transaction() as db:
        made = badges.add_badge(
            db, lab.clock, SECRET, person_id=person, number=number, by="shell:test"
        )
    return made.id


def hold(browser: Browser, number: str = NUMBER, page: str = "/") -> TestResponse:
    return browser.post("/in/badge", {"number": number, "next": page}, page=page)


def who(browser: Browser) -> str | None:
    answer = browser.get("/me")
    found = re.search(r'class="name">([^<]+)<', answer.get_data(as_text=True))
    return found[1] if answer.status_code == 200 and found else None


def text(browser: Browser, path: str) -> str:
    return browser.get(path).get_data(as_text=True)


def wrong_pins(browser: Browser, times: int = 5) -> None:
    for _ in range(times):
        browser.post("/in/pin", {"pin": "000007"}, page="/m/printer-a")


def test_a_badge_opens_a_short_session_and_leads_back_to_its_page(lab: WebLab) -> None:
    browser = lab.browser(KIOSK)
    assert hold(browser, page="/m/printer-a").location == "/m/printer-a"
    assert who(browser) == "Camille"
    assert 'data-session="60"' in text(browser, "/m/printer-a")


def test_every_page_of_a_shared_screen_takes_badges_and_no_other_page_does(lab: WebLab) -> None:
    for path in ("/", "/m/printer-a", "/in", "/in?with=password", "/planning", "/workshops"):
        shown = text(lab.browser(KIOSK), path)
        assert shown.count("data-badge") == 1, path
        assert "data-badge" not in text(lab.browser(), path), path
        assert NUMBER not in shown


def test_from_the_sign_in_page_a_badge_leads_where_a_pin_would(lab: WebLab) -> None:
    shown = text(lab.browser(KIOSK), "/in?next=/planning")
    form = re.search(r"<form[^>]*data-badge.*?</form>", shown, re.DOTALL)
    assert form
    assert 'name="next" value="/planning"' in form[0]


def test_a_badge_opens_nothing_elsewhere(lab: WebLab) -> None:
    browser = lab.browser()
    answer = browser.post("/in/badge", {"number": NUMBER}, page="/in")
    assert "A badge works on the lab" in text(browser, answer.location or "")
    assert who(browser) is None


def test_somebody_elses_badge_ends_the_session_before(lab: WebLab) -> None:
    lab.person("alex")
    give(lab, "alex", "04A2B9C1")
    browser = lab.browser(KIOSK)
    hold(browser)
    with browser.client.session_transaction() as session:
        before = session["sign_in"]
    hold(browser, "04a2b9c1", page="/me")
    assert who(browser) == "Alex"
    thief = lab.browser(KIOSK)
    with thief.client.session_transaction() as session:
        session["sign_in"] = before
    assert who(thief) is None


def test_an_unknown_badge_says_so_and_signs_out_whoever_was_in(lab: WebLab) -> None:
    browser = lab.browser(KIOSK)
    hold(browser)
    answer = hold(browser, "99999999", page="/me")
    assert "Ce badge est inconnu." in text(browser, answer.location or "")
    assert who(browser) is None


@pytest.mark.parametrize("number", ["", "1234", "9" * 70, "\0" * 9, "\u202e" * 9, "<script>"])
def test_what_is_no_badge_is_an_unknown_one(lab: WebLab, number: str) -> None:
    browser = lab.browser(KIOSK)
    assert hold(browser, number).status_code == 303
    assert who(browser) is None


def test_after_five_wrong_pins_the_screen_says_whom_to_ask(lab: WebLab) -> None:
    browser = lab.browser(KIOSK)
    wrong_pins(browser)
    shown = text(browser, "/in")
    assert "Demande à l’équipe" in shown
    assert "data-key" not in shown
    assert "/in?next=/&amp;with=password" in shown
    answer = browser.post("/in/pin", {"pin": "482915"}, page="/in")
    assert "Demande à l’équipe" in text(browser, answer.location or "")
    assert who(browser) is None


def test_a_badge_and_a_password_work_on_a_locked_screen(lab: WebLab) -> None:
    browser = lab.browser(KIOSK)
    wrong_pins(browser)
    hold(browser)
    assert who(browser) == "Camille"
    browser.post("/out", page="/me")
    browser.sign_in("camille")
    assert who(browser) == "Camille"


def test_the_waits_are_short_and_rise(lab: WebLab) -> None:
    browser, waits = lab.browser(KIOSK), []
    wrong_pins(browser, 4)
    assert isinstance(lab.clock, ManualClock)
    for _ in range(4):
        wrong_pins(browser, 1)
        found = re.search(r"remarchent dans (\d+) s", text(browser, "/in"))
        assert found
        waits.append(int(found[1]) - 1)
        lab.clock.advance(int(found[1]))
    assert waits == [15, 30, 60, 120]
    browser.post("/in/pin", {"pin": "482915"}, page="/in")
    assert who(browser) == "Camille"


def test_the_staff_unlock_a_screen_from_their_page(lab: WebLab) -> None:
    kiosk, desk = lab.browser(KIOSK), lab.browser()
    desk.sign_in("sasha")
    assert "Locked now" not in text(desk, "/staff/screens")
    wrong_pins(kiosk)
    assert "Locked now" in text(desk, "/staff/screens")
    desk.post("/staff/screens/unlock", {"device": KIOSK}, page="/staff/screens")
    assert "Locked now" not in text(desk, "/staff/screens")
    kiosk.post("/in/pin", {"pin": "482915"}, page="/in")
    assert who(kiosk) == "Camille"


def test_the_staff_give_a_badge_and_take_it_away(lab: WebLab) -> None:
    desk, alex = lab.browser(), lab.person("alex").id
    desk.sign_in("sasha")
    assert f"/staff/badges/{alex}" in text(desk, "/staff/badges?words=ale")
    page = f"/staff/badges/{alex}"
    desk.post(page, {"number": "04A2B9C1"}, page=page)
    shown = text(desk, page)
    assert "04A2B9C1" not in shown
    (badge,) = re.findall(r'data-badge-id="(\w+)"', shown)
    kiosk = lab.browser(KIOSK)
    hold(kiosk, "04A2B9C1")
    assert who(kiosk) == "Alex"
    desk.post(f"{page}/{badge}/remove", page=page)
    assert who(kiosk) is None
    hold(kiosk, "04A2B9C1")
    assert who(kiosk) is None


def test_badges_are_the_staffs_and_a_colleagues_the_admins(lab: WebLab) -> None:
    other = lab.person("robin", role="staff").id
    camille = lab.id_of("camille")
    member, staff, kiosk = lab.browser(), lab.browser(), lab.browser(KIOSK)
    member.sign_in("camille")
    staff.sign_in("sasha")
    kiosk.sign_in("sasha")
    for path in ("/staff/badges", f"/staff/badges/{camille}", "/staff/screens"):
        assert (member.get(path).status_code, kiosk.get(path).status_code) == (403, 409), path
    path = f"/staff/badges/{camille}"
    assert member.post(path, {"number": "04A2B9C1"}, page="/me").status_code == 403
    path = f"/staff/badges/{other}"
    assert staff.post(path, {"number": "04A2B9C1"}, page="/me").status_code == 409
    assert staff.post(path, {"number": NUMBER}, page="/me").status_code == 409
