"""Signing in: by password anywhere, by PIN on shared screens only; and never a way to elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from fabctl.clock import ManualClock
from fabctl.config import WebConfig
from fabctl.services import people
from tests.web_lab import SECRET, Browser, WebLab, form_token, lab_config, web_lab

KIOSK = "127.0.0.1"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as found:
        found.certify(found.person("camille", pin="482915"))
        yield found


def is_in(browser: Browser) -> bool:
    return browser.get("/me").status_code == 200


def pin(browser: Browser, code: str, next_page: str = "/") -> TestResponse:
    return browser.post("/in/pin", {"pin": code, "next": next_page}, page="/in")


def cookie(answer: TestResponse) -> str:
    return next(value for value in answer.headers.getlist("Set-Cookie") if "fabctl=" in value)


def advance(lab: WebLab, seconds: float) -> None:
    assert isinstance(lab.clock, ManualClock)
    lab.clock.advance(seconds)


def test_by_password_and_out_again(lab: WebLab) -> None:
    browser = lab.browser()
    assert not is_in(browser)
    answer = browser.sign_in("camille")
    assert (answer.status_code, answer.location) == (303, "/")
    assert "Camille" in browser.get("/me").get_data(as_text=True)
    assert browser.post("/out", page="/me").location == "/"
    assert not is_in(browser)


def test_the_cookie_is_for_this_site_only_and_not_for_scripts(lab: WebLab) -> None:
    said = cookie(lab.browser().sign_in("camille"))
    assert "HttpOnly" in said
    assert "SameSite=Lax" in said
    assert "Secure" not in said


def test_over_tls_the_cookie_is_secure(tmp_path: Path) -> None:
    config = lab_config(tmp_path, web=WebConfig(names=("lab.example",)))
    with web_lab(tmp_path, config=config) as lab:
        lab.person("camille")
        sign_in_over_tls(lab)


def sign_in_over_tls(lab: WebLab) -> None:
    client = lab.app.test_client()
    page = client.get("/in", base_url="https://lab.example").get_data(as_text=True)
    fields = {"csrf_token": form_token(page), "login": "camille", "password": "camille-password"}
    answer = client.post(
        "/in/password",
        data=fields,
        base_url="https://lab.example",
        headers={"Referer": "https://lab.example/in"},
    )
    assert answer.status_code == 303
    assert "Secure" in cookie(answer)


def test_a_wrong_password_and_an_unknown_login_sound_alike(lab: WebLab) -> None:
    said = []
    for login in ("camille", "nobody"):
        browser = lab.browser()
        fields = {"login": login, "password": "wrong password"}
        answer = browser.post("/in/password", fields, page="/in")
        assert answer.status_code == 303
        said.append(browser.get(answer.location or "").get_data(as_text=True))
        assert not is_in(browser)
    for page in said:
        assert "This login and this password do not fit." in page


def test_a_new_session_has_a_new_token(lab: WebLab) -> None:
    """What an attacker put into the browser before the sign-in is worth nothing after it."""
    browser = lab.browser()
    before = form_token(browser.get("/in").get_data(as_text=True))
    browser.sign_in("camille")
    with browser.client.session_transaction() as session:
        first = session["sign_in"]
    answer = browser.client.post("/out", data={"csrf_token": before})
    assert answer.status_code == 400
    browser.sign_in("camille")
    with browser.client.session_transaction() as session:
        assert session["sign_in"] != first


def test_signing_in_again_ends_the_session_before(lab: WebLab) -> None:
    browser = lab.browser()
    browser.sign_in("camille")
    with browser.client.session_transaction() as session:
        stolen = session["sign_in"]
    browser.sign_in("camille")
    thief = lab.browser()
    with thief.client.session_transaction() as session:
        session["sign_in"] = stolen
    assert not is_in(thief)


def test_a_pin_opens_a_shared_screen(lab: WebLab) -> None:
    browser = lab.browser(KIOSK)
    assert 'data-key="7"' in browser.get("/in").get_data(as_text=True)
    assert pin(browser, "482915", "/m/printer-a").location == "/m/printer-a"
    assert is_in(browser)


def test_a_pin_opens_nothing_elsewhere(lab: WebLab) -> None:
    browser = lab.browser()
    assert "data-key" not in browser.get("/in").get_data(as_text=True)
    pin(browser, "482915")
    assert not is_in(browser)


def test_behind_a_proxy_no_browser_is_a_shared_screen(lab: WebLab) -> None:
    page = lab.browser(KIOSK).get("/in", headers={"X-Forwarded-For": "203.0.113.9"})
    assert "data-key" not in page.get_data(as_text=True)


def test_the_fifth_wrong_pin_locks_the_screen_even_for_the_right_one(lab: WebLab) -> None:
    browser = lab.browser(KIOSK, language="fr")
    for _ in range(5):
        page = browser.get(pin(browser, "000007").location or "").get_data(as_text=True)
        assert "Ce code est faux." in page
    page = browser.get(pin(browser, "482915").location or "").get_data(as_text=True)
    assert "Demande à l’équipe" in page
    assert not is_in(browser)
    advance(lab, 61)
    pin(browser, "482915")
    assert is_in(browser)


def test_wrong_passwords_lock_the_login(lab: WebLab) -> None:
    browser = lab.browser()
    for _ in range(5):
        browser.post("/in/password", {"login": "camille", "password": "no"}, page="/in")
    answer = browser.sign_in("camille")
    assert "Too many wrong tries" in browser.get(answer.location or "").get_data(as_text=True)
    assert not is_in(browser)


def test_a_new_pin_ends_the_sessions_on_shared_screens_only(lab: WebLab) -> None:
    screen, desk = lab.browser(KIOSK), lab.browser()
    pin(screen, "482915")
    desk.sign_in("camille")
    with lab.db.transaction() as db:
        person = lab.id_of("camille")
        people.set_pin(
            db, lab.clock, person_id=person, pin="730164", secret=SECRET, by="shell:test"
        )
    assert not is_in(screen)
    assert is_in(desk)


def test_a_new_password_ends_every_session(lab: WebLab) -> None:
    lab.person("alex")
    screen, desk, other = lab.browser(KIOSK), lab.browser(), lab.browser()
    pin(screen, "482915")
    desk.sign_in("camille")
    other.sign_in("alex")
    with lab.db.transaction() as db:
        person = lab.id_of("camille")
        people.set_password(
            db, lab.clock, person_id=person, password="quite-another-one", by="shell:test"
        )
    assert not is_in(screen)
    assert not is_in(desk)
    assert is_in(other)


def test_a_desk_session_lasts(lab: WebLab) -> None:
    browser = lab.browser()
    browser.sign_in("camille")
    for _ in range(3):
        advance(lab, 20 * 86400)
        assert is_in(browser)
    advance(lab, 31 * 86400)
    assert not is_in(browser)


ELSEWHERE = (
    "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example",
    "https:evil.example", "javascript:alert(1)", "/%2f%2fevil.example", "///evil.example",
    "/nope", "/in", "/out", "/api/v1/machines", "/events", "\t//evil.example", "",
)  # fmt: skip


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_no_link_leads_elsewhere_after_a_sign_in(lab: WebLab, wanted: str) -> None:
    browser = lab.browser()
    fields = {"login": "camille", "password": "camille-password", "next": wanted}
    assert browser.post("/in/password", fields, page="/in").location == "/"
    page = lab.browser().get("/in", query_string={"next": wanted}).get_data(as_text=True)
    assert "evil" not in page


def test_the_next_page_keeps_its_path_and_loses_the_rest(lab: WebLab) -> None:
    browser = lab.browser()
    fields = {
        "login": "camille",
        "password": "camille-password",
        "next": "https://evil.example/m/printer-a?x=1#y",
    }
    assert browser.post("/in/password", fields, page="/in").location == "/m/printer-a"


def test_a_page_for_people_sends_to_the_sign_in_and_back(lab: WebLab) -> None:
    answer = lab.browser().get("/me")
    assert (answer.status_code, answer.location) == (303, "/in?next=/me")


def test_my_page(lab: WebLab) -> None:
    browser = lab.browser(language="fr")
    browser.sign_in("camille")
    page = browser.get("/me").get_data(as_text=True)
    assert "Rien de réservé." in page
    assert "Habilité·e" in page
    assert "Imprimante 3D B" in page
