"""What every page keeps, on every screen: policy, size, targets, language, focus."""

from __future__ import annotations

import itertools

import pytest
from playwright.sync_api import Page

from fabctl.services.people import get_person
from tests.browser.conftest import KIOSK, PHONE, WALL, OpenScreen, Served
from tests.web_lab import GOOD_FILE

PAGES = (
    "/", "/m/printer-a", "/m/printer-b", "/m/printer-c", "/m/printer-g", "/m/printer-a/book", "/in",
    "/in?with=password", "/me", "/nope",
)  # fmt: skip
LOOKED_AT_ELSEWHERE = ("/interlocks",)
"""For the staff: test_interlock_screen.py."""
SCREENS = {"kiosk": KIOSK, "wall": WALL, "phone": PHONE}
SMALL_TARGETS = """(least) => [...document.querySelectorAll(
    "a[href]:not(.skip), button, input:not([type=hidden]):not(.aside), select, label.button")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }))
  .map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
  .filter(([, box]) => box.width < least - 0.5 || box.height < least - 0.5)
  .map(([html, box]) => `${html} ${box.width} x ${box.height}`)"""
CUT_TEXT = """() => [...document.querySelectorAll(".button, .key, .state, h2, .danger")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }))
  .filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflow !== "visible"
    || e.getBoundingClientRect().right > innerWidth + 0.5)
  .map((e) => e.outerHTML.slice(0, 100))"""


def fill(served: Served) -> None:
    """Give the first machines something to show."""
    workshop, camille = served.lab.workshop, served.lab.browser()
    camille.sign_in("camille")
    camille.upload(GOOD_FILE, "a_name_without_any_blank_" * 4 + ".gcode", page="/m/printer-g")
    workshop.say("printer-a", "running", job="j1")
    workshop.progress("printer-a", "j1", 0.43, eta_s=5400)
    workshop.temperatures(
        "printer-a", nozzle_c=214.6, nozzle_target_c=215, bed_c=60, bed_target_c=60
    )
    workshop.say("printer-b", "broken", trouble="cable-lost")
    workshop.say("printer-c", "paused", job="j2", waiting="Insert filament")
    workshop.say("printer-d", "blocked", reason="The lid is open")
    workshop.say("printer-e", "offline")
    workshop.say("printer-f", "preparing", job="j3")


@pytest.mark.parametrize(
    ("size", "scheme", "language"),
    [
        *itertools.product(("kiosk", "phone"), ("light", "dark"), ("fr", "en")),
        ("wall", "light", "fr"),
    ],
)
def test_every_page_on_every_screen(
    served: Served, screen: OpenScreen, size: str, scheme: str, language: str
) -> None:
    fill(served)
    found = screen(SCREENS[size], color_scheme=scheme)
    for signed_in in (False, True):
        if signed_in:
            found.sign_in()
        for path in PAGES:
            mark = "&" if "?" in path else "?"
            found.open(f"{path}{mark}lang={language}")
            assert found.page.evaluate("document.documentElement.lang") == language
            assert found.troubles() == [], path
            width = found.page.evaluate("document.documentElement.scrollWidth")
            assert width <= SCREENS[size]["width"], f"{path} is {width} px wide"
            assert found.page.evaluate(CUT_TEXT) == [], path
            assert found.page.evaluate(SMALL_TARGETS, 56) == [], path


def test_twelve_machines_fit_on_the_wall_screen(served: Served, screen: OpenScreen) -> None:
    fill(served)
    for language in ("fr", "en"):
        found = screen(KIOSK)
        found.open(f"/?lang={language}")
        assert found.page.locator(".card").count() == 12
        heights = found.page.evaluate("[document.documentElement.scrollHeight, innerHeight]")
        assert heights[0] <= heights[1]
        cut = found.page.evaluate(
            """[...document.querySelectorAll(".face")]
               .filter((e) => e.scrollHeight > e.clientHeight + 1).map((e) => e.textContent)"""
        )
        assert cut == []


def test_keys_of_the_pin_pad_are_large_and_fit(screen: OpenScreen) -> None:
    found = screen(KIOSK)
    found.open("/in")
    boxes = [key.bounding_box() for key in found.page.locator(".key").all()]
    assert len(boxes) == 12
    for box in boxes:
        assert box
        assert box["width"] >= 100
        assert box["height"] >= 100
        assert box["y"] + box["height"] <= KIOSK["height"]


def test_text_and_state_words_are_large(served: Served, screen: OpenScreen) -> None:
    fill(served)
    found = screen(KIOSK)
    found.open("/")
    assert font_px(found.page, "body") >= 18
    assert font_px(found.page, ".state") >= 20


def font_px(page: Page, selector: str) -> float:
    size = page.evaluate(f"getComputedStyle(document.querySelector('{selector}')).fontSize")
    return float(str(size).removesuffix("px"))


def test_icons_and_the_font_come_through_the_policy(served: Served, screen: OpenScreen) -> None:
    fill(served)
    found = screen(KIOSK)
    found.open("/")
    found.page.evaluate("document.fonts.ready")
    assert found.page.evaluate("document.fonts.check('18px \"Atkinson Hyperlegible Next\"')")
    drawn = found.page.evaluate(
        """[...document.querySelectorAll(".state use")].map((u) => u.getBBox().width)"""
    )
    assert len(drawn) == 12
    assert min(drawn) > 5


def test_seven_looks_differ_without_colour(served: Served, screen: OpenScreen) -> None:
    """Each state has an edge pattern, an icon and a word of its own."""
    fill(served)
    camille = served.lab.id_of("camille")
    with served.lab.db.reading() as db:
        person = get_person(db, camille)
    served.lab.book(person, "printer-g")
    served.inner.booked_anew("printer-g")
    found = screen(KIOSK, color_scheme="light")
    found.open("/")
    looks = found.page.evaluate(
        """[...document.querySelectorAll(".face")].map((face) => [
             getComputedStyle(face, "::before").backgroundImage.replace(/rgb[a]?[(][^)]*[)]/g, ""),
             face.querySelector("use").getAttribute("href").split("#")[1],
             face.querySelector(".state").textContent,
           ])"""
    )
    by_word = {word: (edge, icon) for edge, icon, word in looks}
    assert len(by_word) == 8
    edges = {edge for word, (edge, _) in by_word.items() if word != "Préparation"}
    assert len(edges) == 7
    assert len({icon for _, icon in by_word.values()}) == 8


def test_a_first_load_is_small_and_nothing_jumps(served: Served, screen: OpenScreen) -> None:
    fill(served)
    found = screen(KIOSK)
    session = found.page.context.new_cdp_session(found.page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    found.open("/")
    found.page.wait_for_timeout(1500)  # layout shifts come late
    assert found.page.evaluate("window.shift") <= 0.02
    assert len(sizes) >= 7
    assert sum(sizes) <= 80_000, f"{sum(sizes)} bytes in {len(sizes)} answers"


def test_every_control_can_be_reached_by_keyboard_with_a_visible_focus(
    served: Served, screen: OpenScreen
) -> None:
    fill(served)
    found = screen(KIOSK)
    for path in ("/", "/m/printer-a", "/in", "/m/printer-a/book"):
        found.open(path)
        controls = found.page.evaluate(
            """[...document.querySelectorAll("a[href], button, input:not([type=hidden]), select")]
               .filter((e) => e.checkVisibility({ visibilityProperty: true }))
               .map((e, n) => e.dataset.number = n).length"""
        )
        reached = set()
        for _ in range(controls * 2 + 4):
            found.page.keyboard.press("Tab")
            number, outline = found.page.evaluate(FOCUSED)
            if number is not None:
                reached.add(number)
                assert outline == "solid", f"{path}: control {number}"
        assert len(reached) == controls, path


FOCUSED = """(() => {
  const focused = document.activeElement;
  const shown = focused.matches(".aside") ? focused.nextElementSibling : focused;
  return [focused.dataset.number ?? null, getComputedStyle(shown).outlineStyle];
})()"""


def test_reduced_motion_is_respected(screen: OpenScreen) -> None:
    found = screen(KIOSK, reduced_motion="reduce")
    found.open("/in")
    moving = found.page.evaluate(
        """[...document.querySelectorAll("*")]
           .filter((e) => getComputedStyle(e).transitionDuration !== "0s").length"""
    )
    assert moving == 0


def test_pages_cover_every_template(served: Served) -> None:
    """A page that is not looked at above does not exist."""
    known = {path.split("?")[0] for path in PAGES} | {"/health", *LOOKED_AT_ELSEWHERE}
    rules = served.lab.app.url_map.iter_rules()
    shown = {
        rule.rule.replace("<machine>", "printer-a")
        for rule in rules
        if "GET" in (rule.methods or set())
        and not rule.rule.startswith(("/api/", "/static/", "/events"))
        and not rule.rule.endswith(("/now", "/panel", "/cards", "/interlock", ".csv"))
    }
    assert shown <= known
