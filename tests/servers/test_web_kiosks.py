"""Screens on walls: paired once by a code, with settings of their own, ended by the staff."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabctl.clock import ManualClock
from fabctl_web.kiosks.paired import COOKIE
from tests.web_lab import Browser, WebLab, web_lab

WALL = "192.168.1.77"
PAGE = "/staff/screens"
SETTINGS = {
    "screen": "entree", "name": "Entrée", "idle": "120", "brightness": "60", "home": "/planning",
    "night_from": "22:00", "night_until": "07:30",
}  # fmt: skip


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as found:
        found.person("camille", pin="482915")
        found.person("sasha", role="staff")
        yield found


@pytest.fixture
def desk(lab: WebLab) -> Browser:
    browser = lab.browser()
    browser.sign_in("sasha")
    browser.post(PAGE, SETTINGS, page=PAGE)
    return browser


def code(desk: Browser) -> str:
    shown = desk.post(f"{PAGE}/entree/code", page=PAGE).get_data(as_text=True)
    found = re.search(r'id="code">(\d{6})<', shown)
    assert found
    assert found[1] not in desk.get(PAGE).get_data(as_text=True)
    return found[1]


def paired(lab: WebLab, desk: Browser, address: str = WALL) -> Browser:
    wall = lab.browser(address)
    answer = wall.post("/kiosk/entree/pair", {"pin": code(desk)}, page="/kiosk/entree")
    assert answer.location == "/kiosk/entree"
    return wall


def is_screen(browser: Browser) -> bool:
    return 'class="kiosk"' in browser.get("/").get_data(as_text=True)


def test_a_code_makes_a_browser_a_shared_screen_with_its_settings(
    lab: WebLab, desk: Browser
) -> None:
    wall = paired(lab, desk)
    assert wall.get("/kiosk/entree").location == "/planning"
    shown = wall.get("/").get_data(as_text=True)
    assert '<html lang="fr" class="bright-60">' in shown
    assert 'data-idle="120" data-home="/planning"' in shown
    assert 'data-night="1320-450" data-zone="Europe/Paris"' in shown
    wall.post("/in/pin", {"pin": "482915"}, page="/in")
    assert 'data-session="60"' in wall.get("/me").get_data(as_text=True)
    assert not is_screen(lab.browser(WALL))


def test_the_token_is_kept_for_long_and_from_scripts_and_other_sites(
    lab: WebLab, desk: Browser
) -> None:
    wall = paired(lab, desk)
    said = [v for v in wall.get("/kiosk/entree").headers.getlist("Set-Cookie") if COOKIE in v]
    assert len(said) == 1
    for part in ("HttpOnly", "SameSite=Lax", f"Max-Age={400 * 86400}"):
        assert part in said[0]


def test_behind_a_proxy_a_paired_screen_is_one(lab: WebLab, desk: Browser) -> None:
    wall = paired(lab, desk)
    shown = wall.get("/in", headers={"X-Forwarded-For": "203.0.113.9"}).get_data(as_text=True)
    assert "data-key" in shown


def test_whoever_was_signed_in_on_it_is_out(lab: WebLab, desk: Browser) -> None:
    wall = lab.browser(WALL)
    wall.sign_in("camille")
    with wall.client.session_transaction() as session:
        before = session["sign_in"]
    wall.post("/kiosk/entree/pair", {"pin": code(desk)}, page="/kiosk/entree")
    assert wall.get("/me").status_code == 303
    thief = lab.browser()
    with thief.client.session_transaction() as session:
        session["sign_in"] = before
    assert thief.get("/me").status_code == 303


def test_wrong_old_and_used_codes_pair_nothing(lab: WebLab, desk: Browser) -> None:
    said, wall = code(desk), lab.browser(WALL)
    path = "/kiosk/entree/pair"
    wall.post(path, {"pin": f"{(int(said) + 1) % 10**6:06}"}, page="/kiosk/entree")
    wall.post(path, {"pin": ""}, page="/kiosk/entree")
    assert not is_screen(wall)
    assert isinstance(lab.clock, ManualClock)
    lab.clock.advance(601)
    answer = wall.post(path, {"pin": said}, page="/kiosk/entree")
    assert "too old" in wall.get(answer.location or "").get_data(as_text=True)
    assert not is_screen(wall)
    again = code(desk)
    wall.post(path, {"pin": again}, page="/kiosk/entree")
    other = lab.browser("192.168.1.78")
    other.post(path, {"pin": again}, page="/kiosk/entree")
    assert (is_screen(wall), is_screen(other)) == (True, False)


def test_the_staff_unpair_and_remove(lab: WebLab, desk: Browser) -> None:
    wall = paired(lab, desk)
    wall.post("/in/pin", {"pin": "482915"}, page="/in")
    desk.post(f"{PAGE}/entree/unpair", page=PAGE)
    assert not is_screen(wall)
    again = paired(lab, desk)
    desk.post(f"{PAGE}/entree/remove", page=PAGE)
    assert not is_screen(again)
    assert again.get("/kiosk/entree").status_code == 404


def test_wrong_pins_are_counted_by_screen_even_behind_one_address(
    lab: WebLab, desk: Browser
) -> None:
    wall = paired(lab, desk, "127.0.0.1")
    beside = lab.browser("127.0.0.1")
    for _ in range(5):
        wall.post("/in/pin", {"pin": "000007"}, page="/m/printer-a")
    assert "data-key" not in wall.get("/in").get_data(as_text=True)
    assert "data-key" in beside.get("/in").get_data(as_text=True)
    assert "Entrée</b>" in desk.get(PAGE).get_data(as_text=True)


def test_settings_can_be_changed_and_a_night_taken_back(lab: WebLab, desk: Browser) -> None:
    wall = paired(lab, desk)
    wanted = {"name": "Couloir", "idle": "60", "brightness": "100", "home": "/"}
    desk.post(f"{PAGE}/entree/change", wanted, page=PAGE)
    shown = wall.get("/").get_data(as_text=True)
    assert 'data-idle="60" data-home="/"' in shown
    assert "data-night" not in shown
    assert "bright-" not in shown


@pytest.mark.parametrize(
    "wrong",
    [
        {"home": "https://evil.example/"}, {"home": "//evil.example"}, {"home": "/kiosk/entree"},
        {"home": "/nope"}, {"night_until": ""}, {"night_from": "25:00"}, {"idle": "5"},
        {"brightness": "7"}, {"name": "x" * 61}, {"screen": "Entrée"}, {"screen": "entree"},
    ],
    ids=str,
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(
    lab: WebLab, desk: Browser, wrong: dict[str, str]
) -> None:
    before = desk.get(PAGE).get_data(as_text=True).count("data-screen=")
    answer = desk.post(PAGE, {**SETTINGS, "screen": "other", **wrong}, page=PAGE)
    assert answer.status_code in {400, 409, 422}
    assert desk.get(PAGE).get_data(as_text=True).count("data-screen=") == before


def test_another_screens_address_is_no_home(desk: Browser) -> None:
    wrong = {**SETTINGS, "screen": "other", "home": "/kiosk/entree"}
    shown = desk.post(PAGE, wrong, page=PAGE).get_data(as_text=True)
    assert 'data-code="screen-home"' in shown


def test_an_unknown_screen_is_not_there(lab: WebLab) -> None:
    assert lab.browser().get("/kiosk/nope").status_code == 404
