"""Badges typed by a reader, and a wall screen's own night: what only a browser shows."""

from __future__ import annotations

from datetime import UTC, datetime

from playwright.sync_api import expect
from sqlalchemy import delete

from fabctl.model.screens import ScreenSettings
from fabctl.services import badges, screens
from fabctl.store.tables import SignIn
from tests.browser.conftest import KIOSK, OpenScreen, Screen, Served
from tests.web_lab import SECRET

NUMBER = "04A2B9C1"
ON_A_FRENCH_KEYBOARD = dict(zip("1234567890AQ", "&é\"'(-è_çàqa", strict=True))
READER_MS, PERSON_MS = 8, 180


def give(served: Served, login: str = "camille", number: str = NUMBER) -> None:
    lab = served.lab
    with lab.db.transaction() as db:
        badges.add_badge(
            db, lab.clock, SECRET, person_id=lab.id_of(login), number=number, by="shell:test"
        )


def type_keys(
    found: Screen, text: str, gap_ms: float, *, enter: bool = True, french: bool = False
) -> None:
    """Type as a keyboard does, with the moment at which each key went down."""
    session = found.page.context.new_cdp_session(found.page)
    at = datetime.now(UTC).timestamp()
    for one in [*text, *(["\r"] if enter else [])]:
        at += gap_ms / 1000
        place = "Enter" if one == "\r" else f"{'Digit' if one.isdigit() else 'Key'}{one}"
        key = ON_A_FRENCH_KEYBOARD.get(one, one) if french else one
        down = {"type": "keyDown", "code": place, "timestamp": at, "text": key}
        down |= {"key": "Enter" if one == "\r" else key}
        if one == "\r":
            down["windowsVirtualKeyCode"] = 13
        session.send("Input.dispatchKeyEvent", down)
        session.send(
            "Input.dispatchKeyEvent",
            {"type": "keyUp", "code": place, "key": down["key"], "timestamp": at + 0.001},
        )
        if gap_ms > READER_MS:
            found.page.wait_for_timeout(gap_ms)
    session.detach()


def watch_what_shows(found: Screen) -> None:
    """Remember everything that ever stood in a field.

    Keys reach the page more slowly here than a reader's do, though they carry a reader's moments:
    the page waits for the next one as much longer.
    """
    found.page.add_init_script(
        """const real = window.setTimeout;
        window.setTimeout = (act, ms, ...more) => real(act, ms === 60 ? 3000 : ms, ...more);
        window.shown = JSON.parse(sessionStorage.shown || "[]");
        const look = () => {
          for (const one of document.querySelectorAll("input:not([type=hidden])")) {
            if (one.value && !window.shown.includes(one.value)) window.shown.push(one.value);
          }
          sessionStorage.shown = JSON.stringify(window.shown);
          requestAnimationFrame(look);
        };
        requestAnimationFrame(look);"""
    )


def test_a_badge_anywhere_on_a_shared_screen_signs_in_and_shows_nothing(
    served: Served, screen: OpenScreen
) -> None:
    give(served)
    found = screen(KIOSK)
    watch_what_shows(found)
    for path in ("/m/printer-a", "/in?next=/m/printer-a"):
        found.open(path)
        type_keys(found, NUMBER, READER_MS, french=path == "/m/printer-a")
        found.page.wait_for_url("**/m/printer-a")
        expect(found.page.locator(".head .name")).to_have_text("Camille")
        assert NUMBER not in found.page.content()
        found.tap('form[action="/out"] button')
        found.page.wait_for_url(found.url + "/")
    assert found.page.evaluate("window.shown") == []
    assert found.troubles() == []


def test_what_a_person_types_is_theirs_and_no_badge(served: Served, screen: OpenScreen) -> None:
    give(served, number="4829151")
    found = screen(KIOSK)
    found.open("/in")
    expect(found.page.locator("#pin")).to_be_focused()
    type_keys(found, "482915", PERSON_MS, enter=False)
    expect(found.page.locator("#pin")).to_have_value("482915")
    found.open("/in?with=password")
    found.page.locator("#login").focus()
    type_keys(found, "4829151", PERSON_MS)
    expect(found.page.locator("#login")).to_have_value("4829151")
    assert found.page.url.endswith("with=password")
    found.page.locator("#login").focus()
    type_keys(found, "15", READER_MS, enter=False)  # two keys at once are no badge
    expect(found.page.locator("#login")).to_have_value("482915115")
    assert found.troubles() == []


def test_an_unknown_badge_says_whom_to_ask(served: Served, screen: OpenScreen) -> None:
    found = screen(KIOSK)
    found.open("/")
    type_keys(found, "99999999", READER_MS)
    expect(found.page.locator(".notice.bad")).to_contain_text("Demande à l’équipe")


def test_a_badge_held_before_the_desks_reader_becomes_somebodys(
    served: Served, screen: OpenScreen
) -> None:
    served.lab.person("sasha", role="staff")
    found = screen(KIOSK, desk=True)
    watch_what_shows(found)
    found.sign_in_as("sasha", f"/staff/badges/{served.lab.id_of('alex')}")
    found.page.evaluate("sessionStorage.shown = '[]'; window.shown = []")
    type_keys(found, NUMBER, READER_MS)
    expect(found.page.locator("[data-badge-id]")).to_have_count(1)
    assert found.page.evaluate("window.shown") == []
    kiosk = screen(KIOSK)
    kiosk.open("/")
    type_keys(kiosk, NUMBER, READER_MS)
    expect(kiosk.page.locator(".head .name")).to_have_text("Alex")


def test_a_wall_screen_goes_home_is_dark_at_night_and_wakes_by_a_tap_that_does_nothing_else(
    served: Served, screen: OpenScreen
) -> None:
    lab = served.lab
    staff = lab.person("sasha", role="staff").id
    wanted = ScreenSettings("Entrée", 90, 60, (22 * 60, 7 * 60), "/planning")
    with lab.db.transaction() as db:
        screens.add_screen(db, lab.clock, screen_id="entree", wanted=wanted, by=staff)
        code = screens.new_code(db, lab.clock, SECRET, screen_id="entree", by=staff)
    found = screen(KIOSK, desk=True)
    found.open("/kiosk/entree")
    for digit in code:
        found.tap(f'[data-key="{digit}"]')
    found.tap(".key.done")
    found.page.wait_for_url("**/planning")
    assert found.page.evaluate("getComputedStyle(document.documentElement).filter") == (
        "brightness(0.6)"
    )
    found.stop_time(datetime(2026, 11, 23, 20, 57, tzinfo=UTC))  # 21:57 in the lab
    found.page.route("**/health", lambda route: route.abort())  # no page loads itself again
    found.open("/workshops")
    found.pass_time(85)
    assert found.page.url.endswith("/workshops")
    found.pass_time(10)
    found.page.wait_for_url("**/planning")
    found.pass_time(80)
    asleep = found.page.locator("#asleep")
    expect(asleep).to_be_hidden()  # 21:59, and a long time to its own page's end
    found.pass_time(120)
    expect(asleep).to_be_visible()
    assert asleep.evaluate("(e) => getComputedStyle(e).backgroundColor") == "rgb(0, 0, 0)"
    found.page.touchscreen.tap(60, 30)  # on the menu
    expect(asleep).to_be_hidden()
    assert found.page.locator(".menu[open]").count() == 0
    found.page.touchscreen.tap(60, 30)
    expect(found.page.locator(".menu[open]")).to_have_count(1)
    assert found.troubles() == []


def test_a_touch_after_the_session_has_ended_leads_home_also_without_a_form_token(
    served: Served, screen: OpenScreen
) -> None:
    """A part of the page that is fetched anew takes the form's token away with the session."""
    found = screen(KIOSK)
    found.sign_in()
    with served.lab.db.transaction() as db:
        db.execute(delete(SignIn))
    assert found.page.evaluate("fetch('/m/printer-a/panel').then((answer) => answer.status)") == 200
    found.page.tap("h1")
    found.page.wait_for_url(found.url + "/")


def test_whoever_waits_for_an_answer_stays_signed_in_but_not_for_ever(
    served: Served, screen: OpenScreen
) -> None:
    found = screen(KIOSK)
    found.stop_time()
    found.sign_in()
    asked: list[str] = []
    found.page.on("request", lambda one: asked.append(one.url.removeprefix(found.url)))
    found.page.route("**/slow", lambda _route: None)  # an answer that never comes
    found.page.route("**/health", lambda route: route.abort())  # no page loads itself again
    found.page.evaluate(
        """() => {
          const form = document.createElement("form");
          Object.assign(form, { method: "post", action: "/slow" });
          form.innerHTML = "<button id='slow' data-wait='…'>x</button>";
          form.insertAdjacentHTML("beforeend", "<iframe name='there'></iframe>");
          form.target = "there"; // no navigation that this test would wait for
          document.body.append(form);
          document.getElementById("slow").click();
        }"""
    )
    for _ in range(9):  # 72 s
        with found.page.expect_request("**/in/extend?idle=0"):
            found.pass_time(8)
    assert "/out" not in asked
    with found.page.expect_request("**/out"):
        for _ in range(3):  # five minutes, and one without a touch
            found.page.clock.fast_forward(100_000)
