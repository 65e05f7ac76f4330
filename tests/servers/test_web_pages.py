"""Every page: its policy, its language, its errors in plain words."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabctl_web.headers import POLICY
from tests.web_lab import WebLab, web_lab

PAGES = ("/", "/m/printer-a", "/m/printer-a/book", "/in", "/in?with=password", "/me")
FRAGMENTS = ("/board/cards", "/m/printer-a/now", "/m/printer-a/panel")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as found:
        found.certify(found.person("camille", pin="482915"))
        yield found


def test_every_answer_carries_the_policy(lab: WebLab) -> None:
    browser = lab.browser()
    browser.sign_in("camille")
    paths = [*PAGES, *FRAGMENTS, "/nope", "/health", "/api/v1/machines", "/api/v1/nope"]
    for path in paths:
        answer = browser.get(path)
        assert answer.headers["Content-Security-Policy"] == POLICY, path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert answer.headers["Referrer-Policy"] == "same-origin", path


def test_the_policy_is_the_strict_one() -> None:
    assert "unsafe" not in POLICY
    assert {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(
        POLICY.split("; ")
    )


@pytest.mark.parametrize("path", PAGES)
def test_nothing_inline_and_nothing_from_elsewhere(lab: WebLab, path: str) -> None:
    browser = lab.browser()
    browser.sign_in("camille")
    page = browser.get(path).get_data(as_text=True)
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:", page)
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    linked = re.findall(r'(?:src|href|action)="([^"]+)"', page)
    assert linked
    assert not [address for address in linked if re.match(r"[a-z]+:|//", address)]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_in_the_language_it_says(lab: WebLab, path: str) -> None:
    for language, word in (("fr", "Aller au contenu"), ("en", "Skip to the content")):
        browser = lab.browser(language=language)
        browser.sign_in("camille")
        page = browser.get(path).get_data(as_text=True)
        assert f'<html lang="{language}">' in page
        assert word in page


def test_the_switch_is_remembered(lab: WebLab) -> None:
    browser = lab.browser(language="fr")
    assert "Connecte-toi" in browser.get("/m/printer-a").get_data(as_text=True)
    browser.get("/?lang=en")
    assert "Sign in to use" in browser.get("/m/printer-a").get_data(as_text=True)
    assert '<html lang="en">' in browser.get("/?lang=xx").get_data(as_text=True)


def test_a_shared_screen_starts_in_the_labs_language(lab: WebLab) -> None:
    page = lab.browser("127.0.0.1", language="en").get("/").get_data(as_text=True)
    assert '<html lang="fr">' in page


def test_the_board_shows_no_names_of_people(lab: WebLab) -> None:
    anouk = lab.person("anouk")
    lab.certify(anouk)
    lab.book(anouk, "printer-a")
    for path in ("/", "/board/cards", "/m/printer-a"):
        page = lab.browser(language="fr").get(path).get_data(as_text=True)
        assert "Anouk" not in page
    assert "Réservée" in lab.browser(language="fr").get("/").get_data(as_text=True)


def test_the_board_in_words(lab: WebLab) -> None:
    lab.workshop.say("printer-a", "running", job="j")
    lab.workshop.progress("printer-a", "j", 0.439, eta_s=600)
    page = lab.browser(language="fr").get("/").get_data(as_text=True)
    assert "Occupée" in page
    assert "Fin vers 10\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}10" in page  # 9:00 UTC is 10 h here
    assert 'value="43"' in page
    assert "Libre" in page


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("idle", "Libre"), ("preparing", "Préparation"), ("running", "Occupée"),
        ("paused", "En pause"), ("blocked", "Bloquée"), ("broken", "En panne"),
        ("offline", "Hors ligne"),
    ],
)  # fmt: skip
def test_every_state_has_its_word(lab: WebLab, state: str, word: str) -> None:
    lab.workshop.say("printer-a", state, job="j" if state in {"running", "paused"} else None)
    assert word in lab.browser(language="fr").get("/m/printer-a").get_data(as_text=True)


def test_an_old_state_is_unknown_and_says_its_age(lab: WebLab) -> None:
    lab.workshop.say("printer-a", "running", job="j")
    lab.clock.advance(125)  # type: ignore[attr-defined]  # the fixture's clock is a manual one
    page = lab.browser(language="fr").get("/").get_data(as_text=True)
    assert "Occupée" not in page
    assert "État inconnu" in page
    assert "Rien depuis 3\N{NO-BREAK SPACE}min" in page


def test_temperatures_are_shown_with_their_targets(lab: WebLab) -> None:
    lab.workshop.temperatures("printer-a", nozzle_c=201.6, nozzle_target_c=215, bed_c=None)
    page = lab.browser().get("/m/printer-a").get_data(as_text=True)
    assert "202\N{NO-BREAK SPACE}°C of 215\N{NO-BREAK SPACE}°C" in page
    assert ">Bed" not in page  # a token may hold the letters


def test_what_a_machine_says_is_only_text(lab: WebLab) -> None:
    lab.workshop.say("printer-a", "paused", job="j", waiting="<script>alert(1)</script>")
    page = lab.browser().get("/m/printer-a").get_data(as_text=True)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_errors_in_plain_words(lab: WebLab) -> None:
    browser = lab.browser(language="fr")
    for path, status, words in (
        ("/nope", 404, "Cette page n’existe pas."),
        ("/m/nope", 404, "Cette page n’existe pas."),
        ("/in/pin", 405, "Cette adresse n’accepte pas"),
    ):
        answer = browser.get(path)
        assert answer.status_code == status
        assert words in answer.get_data(as_text=True)
        assert "Traceback" not in answer.get_data(as_text=True)


def test_a_failure_of_ours_is_said_and_logged(
    lab: WebLab, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lab.app.testing = False
    lab.db.close()
    for file in tmp_path.glob("lab.db*"):
        file.write_bytes(b"not a database " * 1000)
    answer = lab.browser(language="fr").get("/m/printer-a/book")
    assert answer.status_code == 500
    assert "Quelque chose a échoué" in answer.get_data(as_text=True)
    assert "GET /m/printer-a/book" in caplog.text


def test_health(lab: WebLab) -> None:
    assert lab.browser().get("/health").get_json() == {
        "ok": True,
        "machines_heard": 2,
        "streams": 0,
    }


def test_static_files_are_compressed_and_kept_for_a_year(lab: WebLab) -> None:
    browser = lab.browser()
    page = browser.get("/").get_data(as_text=True)
    address = re.search(r'href="(/static/[0-9a-f]+/app\.css)"', page)
    assert address
    packed = browser.get(address[1], headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "immutable" in packed.headers["Cache-Control"]
    assert gzip.decompress(packed.get_data()) == browser.get(address[1]).get_data()
    assert "--touch" in browser.get(address[1]).get_data(as_text=True)


def test_an_old_address_of_a_static_file_still_works(lab: WebLab) -> None:
    answer = lab.browser().get("/static/0123456789ab/app.js")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "name", ["../app.py", "..%2fapp.py", "vendor/vendor.lock.json", "css/base.css", "nope"]
)
def test_nothing_else_is_served(lab: WebLab, name: str) -> None:
    assert lab.browser().get(f"/static/0123456789ab/{name}").status_code == 404


def test_a_page_is_compressed_unless_a_stranger_chose_a_part_of_it(lab: WebLab) -> None:
    headers = {"Accept-Encoding": "gzip"}
    assert lab.browser().get("/", headers=headers).headers.get("Content-Encoding") == "gzip"
    chosen = lab.browser().get("/?x=guess", headers=headers)
    assert "Content-Encoding" not in chosen.headers


def test_the_first_load_is_small(lab: WebLab) -> None:
    """80 KB for the board with everything it asks for, compressed (screens.md)."""
    browser, headers = lab.browser("127.0.0.1"), {"Accept-Encoding": "gzip"}
    board = browser.get("/", headers=headers)
    page = gzip.decompress(board.get_data()).decode()
    names = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', page))
    assert len(names) == 7
    total = sum(len(browser.get(name, headers=headers).get_data()) for name in names)
    assert total + len(board.get_data()) <= 80_000
