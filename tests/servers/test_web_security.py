"""What an attacker tries on pages: each attack is a test, over every address there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from fabctl.clock import ManualClock
from fabctl.services import jobs
from fabctl.store.metadata import METADATA
from fabctl_web.uploads import NAME_LENGTH
from tests import written_scene
from tests.plain_browser import PlainBrowser
from tests.security_scene import KIOSK, SecurityScene, security_scene, shown
from tests.web_lab import GOOD_FILE, Browser, WebLab, form_token, web_lab

LOGINS = ("", "camille", "pia", "ana", "karim", "sasha", "awa")
"""A visitor, members, an animator, a trainer, the staff, an administrator."""
SEARCHED = "onerror"
"""Finds every script in the lists that can be searched."""
ELSEWHERE = (
    "//evil.example", "\\\\evil.example", "/\\evil.example", "https:evil.example",
    "https://evil.example/", "/%2f%2fevil.example", "%2f%2fevil.example", "javascript:alert(1)",
    "/%5cevil.example", "//evil.example/me", "http:///evil.example", "/.//evil.example",
    "\r\n//evil",
)  # fmt: skip


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as found:
        found.certified("camille", pin="482915")
        yield found


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecurityScene]:
    """One lab for the tests that change nothing in it."""
    with web_lab(tmp_path_factory.mktemp("security")) as found:
        yield security_scene(found)


def rows(lab: WebLab) -> dict[str, list[tuple[object, ...]]]:
    """Return the whole database."""
    with lab.db.engine.connect() as connection:
        tables = METADATA.sorted_tables
        return {one.name: [tuple(r) for r in connection.execute(select(one))] for one in tables}


# -- forms from elsewhere


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_no_write_of_any_page_without_its_form_token(scene: SecurityScene, method: str) -> None:
    paths = scene.addresses(method)
    assert len(paths) > 80 or method != "POST"
    for login in ("awa", "camille"):
        browser = scene.browser(login)
        before, asked = rows(scene.lab), list(scene.lab.workshop.asked)
        for path in paths:
            for sent in ({}, {"csrf_token": "x"}, {"csrf_token": form_token_of_another(scene)}):
                answer = browser.client.open(path, method=method, data={"held": "1", **sent})
                assert answer.status_code == 400, (path, sent)
                assert "open for too long" in answer.get_data(as_text=True), path
        assert rows(scene.lab) == before
        assert scene.lab.workshop.asked == asked


def form_token_of_another(scene: SecurityScene) -> str:
    """Return a token that is good, in somebody else's browser."""
    return form_token(scene.lab.browser().get("/in?with=password").get_data(as_text=True))


# -- sessions


def cookie_of(browser: Browser) -> str:
    found = browser.client.get_cookie("fabctl")
    assert found is not None
    return found.value


def with_cookie(lab: WebLab, value: str, address: str = KIOSK) -> Browser:
    browser = lab.browser(address)
    browser.client.set_cookie("fabctl", value)
    return browser


@pytest.mark.parametrize("address", [KIOSK, "192.168.1.20"])
def test_a_cookie_from_before_the_sign_in_is_worth_nothing_after_it(
    lab: WebLab, address: str
) -> None:
    browser = lab.browser(address)
    token = form_token(browser.get("/in?with=password").get_data(as_text=True))
    planted = cookie_of(browser)
    browser.sign_in("camille")
    assert cookie_of(browser) != planted
    assert with_cookie(lab, planted, address).get("/me").status_code == 303
    assert browser.client.post("/out", data={"csrf_token": token}).status_code == 400
    assert browser.get("/me").status_code == 200


def test_every_sign_in_has_a_token_of_its_own(lab: WebLab) -> None:
    seen = set()
    for _ in range(3):
        browser = lab.browser()
        browser.sign_in("camille")
        with browser.client.session_transaction() as session:
            seen.add(session["sign_in"])
    assert len(seen) == 3


def test_a_cookie_that_was_copied_ends_with_the_sign_out(lab: WebLab) -> None:
    browser = lab.browser(KIOSK)
    browser.post("/in/pin", {"pin": "482915"}, page="/in")
    copied = cookie_of(browser)
    assert with_cookie(lab, copied).get("/me").status_code == 200
    browser.post("/out", page="/me")
    assert with_cookie(lab, copied).get("/me").status_code == 303


@pytest.mark.parametrize("value", ["", "x", "eyJzaWduX2luIjoieCJ9.x.x", "\u2028", "a" * 3000])
def test_a_cookie_that_was_made_up_is_nobody(lab: WebLab, value: str) -> None:
    assert with_cookie(lab, value).get("/me").status_code == 303
    browser = lab.browser()
    browser.client.set_cookie("fabctl-screen", value)
    assert 'class="kiosk"' not in browser.get("/").get_data(as_text=True)


# -- ways to elsewhere


WAYS = {"/", "/me", "/in?next=%2F", "/in?next=%2F&with=password"} | {
    "/in?next=%2Fme", "/in?next=%2Fme&with=password"
}  # fmt: skip
"""Of an address elsewhere its path is kept where that is a page of ours."""


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_no_sign_in_leads_elsewhere(lab: WebLab, wanted: str) -> None:
    own = lab.browser(KIOSK)
    for path, fields in (
        ("/in/password", {"login": "camille", "password": "camille-password"}),
        ("/in/password", {"login": "camille", "password": "wrong"}),
        ("/in/pin", {"pin": "482915"}),
        ("/in/badge", {"number": "99999999"}),
    ):
        answer = own.post(path, {**fields, "next": wanted}, page="/in")
        assert answer.location in WAYS, path
    page = lab.browser().get("/in", query_string={"next": wanted}).get_data(as_text=True)
    assert "evil" not in page
    assert "alert" not in page


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_no_page_that_sent_a_form_leads_elsewhere(lab: WebLab, wanted: str) -> None:
    browser = lab.browser()
    browser.sign_in("camille")
    token = form_token(browser.get("/me").get_data(as_text=True))
    for path in ("/reservations/x/cancel", "/m/printer-a/start", "/m/printer-a/problem"):
        answer = browser.client.post(
            path, data={"csrf_token": token}, headers={"Referer": wanted.strip()}
        )
        assert "evil" not in (answer.location or ""), path
        assert 'href="//' not in answer.get_data(as_text=True), path


# -- files

RIGHT_TO_LEFT = "\u202e"
NAMES = {
    "../../../etc/cron.d/x.gcode": "x.gcode",
    "..\\..\\windows\\x.gcode": "....windowsx.gcode",  # in a header, \ only quotes what follows
    "/etc/passwd": "passwd",
    "C:\\fakepath\\x.gcode": "C:fakepathx.gcode",
    "x.gcode\0.png": "x.gcode.png",
    f"part{RIGHT_TO_LEFT}edocg.exe": "partedocg.exe",
    f"{'n' * 300}.gcode": f"{'n' * 300}.gcode"[-NAME_LENGTH:],
    "..": "..",
    "line\u2028end\u200b.gcode": "lineend.gcode",
}


@pytest.mark.parametrize(("sent", "kept"), NAMES.items(), ids=range(len(NAMES)))
def test_a_files_name_is_words_only_and_never_a_place(lab: WebLab, sent: str, kept: str) -> None:
    browser = lab.browser()
    browser.sign_in("camille")
    outside = sorted(lab.config.data_directory.parent.rglob("*.gcode"))
    answer = browser.upload(GOOD_FILE, sent, page="/m/printer-a")
    assert answer.status_code == 303
    with lab.db.reading() as db:
        (job,) = jobs.jobs_of_person(db, person_id=lab.id_of("camille"))
    assert job.name == kept
    (stored,) = set(lab.config.data_directory.parent.rglob("*.gcode")) - set(outside)
    assert re.fullmatch(r"[0-9a-f]{64}\.gcode", stored.name)
    assert stored.parent == lab.config.paths.files


# -- scripts


def test_every_text_that_anybody_writes_is_a_script_in_the_scene(scene: SecurityScene) -> None:
    columns = {f"{one.table.name}.{one.name}" for one in written_scene.texts()}
    with scene.lab.db.reading() as db:
        tried = written_scene.tried(db)
    left_out = {one for names in written_scene.BY_NOBODY.values() for one in names}
    assert columns - tried == left_out


def browsers(scene: SecurityScene) -> Iterator[tuple[str, Browser]]:
    """Yield everybody at a desk, and a member at a shared screen."""
    for login in LOGINS:
        yield login, scene.browser(login)
    yield "camille on a shared screen", scene.browser("camille", KIOSK)


def is_harmless(page: str) -> bool:
    """Say whether no element of a page is a script's that somebody wrote."""
    elements = re.sub(r'"[^"]*"', "", page)
    return "<img src=x" not in page and not re.search(r"<[^>]*\son\w+\s*=", elements)


def test_no_script_that_anybody_wrote_reaches_a_page_as_one(scene: SecurityScene) -> None:
    seen: set[str] = set()
    for who, browser in browsers(scene):
        searched = [f"{path}?words={SEARCHED}" for path in scene.pages() if who == "awa"]
        for path in (*scene.addresses("GET"), *scene.more, *searched):
            answer = browser.get(path)
            if answer.mimetype in {"text/html", "image/svg+xml"}:
                assert is_harmless(answer.text), (who, path)
                seen |= {tag for tag in scene.tags if shown(tag) in answer.text}
    failed = quiz_failed(scene)
    assert is_harmless(failed)
    seen |= {tag for tag in scene.tags if shown(tag) in failed}
    assert scene.tags - seen == written_scene.NOWHERE.keys()


def quiz_failed(scene: SecurityScene) -> str:
    """Return the page after a quiz, which nobody reaches by its address alone."""
    pia = PlainBrowser(scene.lab, "pia")
    pia.open(f"/training/{scene.names['course']}/quiz")
    wrong = next(one for one in pia.page.all("label") if one.text == "No")
    pia.send(".*/quiz", button="next", answer=[next(wrong.all("input"))["value"]])
    assert pia.path.endswith("/result")
    return pia.html


def test_somebody_in_the_scene_opens_every_registered_page(scene: SecurityScene) -> None:
    """A page that is only ever refused there shows nothing of what people wrote."""
    closed: dict[str, set[int]] = {
        path: set() for path in scene.pages() if not path.endswith("/result")
    }
    for _who, browser in browsers(scene):
        for path in [one for one, codes in closed.items() if 200 not in codes]:
            closed[path].add(browser.get(path).status_code)
    assert {path: codes for path, codes in closed.items() if 200 not in codes} == {}


@pytest.mark.parametrize("path", ["/workshops", "/planning", "/in", "/m/printer-a", "/nope"])
def test_no_script_in_an_address_reaches_a_page_as_one(scene: SecurityScene, path: str) -> None:
    attack = '"><img src=x onerror=alert(1)>'
    names = ("words", "next", "day", "time", "cursor", "lang", "machine")
    for address in (path, f"{path}/{attack}"):
        answer = scene.lab.browser().get(address, query_string=dict.fromkeys(names, attack))
        assert "<img src=x" not in answer.get_data(as_text=True)


# -- what is somebody else's


def test_nothing_of_somebody_elses_by_its_address(scene: SecurityScene) -> None:
    """Sam has nothing: where an address names something of Camille's, it is not there for Sam."""
    own = ("{reservation}", "{job}", "{enrolment}", "{token}", "{badge}")
    values = {name: scene.names[name.strip("{}")] for name in own}
    with_own = [p for p in scene.addresses("GET") if any(v in p for v in values.values())]
    assert len(with_own) >= 4
    for login in ("", "sam"):
        browser = scene.browser(login)
        for path in with_own:
            answer = browser.get(path)
            assert answer.status_code in {303, 403, 404, 409}, (login, path)
            assert "Camille" not in answer.get_data(as_text=True), (login, path)


def test_no_form_of_sam_changes_what_is_camilles(scene: SecurityScene) -> None:
    browser = scene.browser("sam")
    token = form_token(browser.get("/me").get_data(as_text=True))
    names = ("reservation", "job", "enrolment", "token", "badge", "screen", "person", "closure")
    paths = [
        path
        for path in scene.addresses("POST")
        if any(f"/{scene.names[name]}" in f"{path}/" for name in names)
        and "/pair" not in path  # whoever has the code may
    ]
    assert len(paths) > 20
    before = rows(scene.lab)
    for path in paths:
        answer = browser.client.post(path, data={"csrf_token": token, "reason": "x", "pin": "1"})
        assert answer.status_code in {303, 400, 403, 404, 409, 422}, path
    after = rows(scene.lab)
    assert {name for name in before if before[name] != after[name]} <= {"sign_in"}


def test_pages_of_the_staff_are_not_for_others(scene: SecurityScene) -> None:
    paths = [path for path in scene.addresses("GET") if path.startswith("/staff/")]
    assert len(paths) > 30
    for path in paths:
        renews_itself = path.endswith("/now")  # no page to sign in takes its place
        refused = 401 if renews_itself else 303
        assert scene.lab.browser().get(path).status_code == refused, path
    browser = scene.browser("sam")
    for path in paths:
        assert browser.get(path).status_code in {403, 404, 409}, path


# -- frames


def test_no_answer_can_be_put_into_a_frame(scene: SecurityScene) -> None:
    for login in ("", "awa"):
        browser = scene.browser(login)
        for path in (*scene.addresses("GET"), "/nope", "/api/v1/machines", "/api/v1/nope"):
            answer = browser.get(path)
            assert answer.headers["X-Frame-Options"] == "DENY", path
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], path
            assert answer.headers["X-Content-Type-Options"] == "nosniff", path


# -- guessing


def test_a_day_of_guessing_pins_on_one_screen_is_a_hundred_guesses(lab: WebLab) -> None:
    assert isinstance(lab.clock, ManualClock)
    browser, began, tried = lab.browser(KIOSK), lab.clock.now(), 0
    token = form_token(browser.get("/in").get_data(as_text=True))
    while (lab.clock.now() - began).total_seconds() < 86_400:
        browser.client.post("/in/pin", data={"pin": f"{tried:06}", "csrf_token": token})
        tried += 1
        found = re.search(r"remarchent dans (\d+) s", browser.get("/in").get_data(as_text=True))
        lab.clock.advance(int(found[1]) if found else 1)
    assert 90 < tried < 110
    other = lab.browser("::1")
    other.post("/in/pin", {"pin": "482915"}, page="/in")
    assert other.get("/me").status_code == 200
