"""What every page keeps, on every screen: policy, size, targets, language, focus."""

from __future__ import annotations

import itertools
import re
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has none
from playwright.sync_api import Page

from fabctl.services.people import get_person
from fabctl_web.pages import is_page
from tests.browser.conftest import KIOSK, PHONE, WALL, OpenScreen, Screen, Served
from tests.browser.shown import Area
from tests.browser.shown.areas import AREAS
from tests.browser.shown.first import fill

LOOKED_AT_ELSEWHERE = ("/interlocks",)
"""For the staff: test_interlock_screen.py."""
ALL_RULES = {
    "resultTypes": ["violations"],
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"],
    },
}
BY_LOOK = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "rule", "values": ["color-contrast", "target-size"]},
}
"""What may change with the size and the colours."""
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


SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LOOKS = tuple(itertools.product(SCREENS, SCHEMES))


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.name)
def test_every_page_on_every_screen(
    served: Served, screen: OpenScreen, area: Area, language: str
) -> None:
    names = area.fill(served)
    for who, desk in sorted({(page.who, page.desk) for page in area.pages}):
        found = screen(KIOSK, desk=desk, reduced_motion="reduce")
        if who:
            found.sign_in_as(who)
        for page in area.pages:
            if (page.who, page.desk) == (who, desk):
                look_at(found, page.path.format(**names), language)


def look_at(found: Screen, path: str, language: str) -> None:
    """Load a page once and look at it in every size, light and dark."""
    mark = "&" if "?" in path else "?"
    found.open(f"{path}{mark}lang={language}")
    assert found.page.evaluate("document.documentElement.lang") == language
    on_kiosk = found.page.evaluate("document.body.classList.contains('kiosk')")
    for size, scheme in LOOKS:
        wide, high = SCREENS[size].values()
        found.page.set_viewport_size({"width": wide, "height": high})
        found.page.emulate_media(color_scheme=scheme)
        seen = f"{path} on the {size}, {scheme}, {language}"
        width = found.page.evaluate("document.documentElement.scrollWidth")
        assert width <= wide, f"{seen} is {width} px wide"
        assert found.page.evaluate(CUT_TEXT) == [], seen
        assert found.page.evaluate(SMALL_TARGETS, 56 if on_kiosk else 44) == [], seen
        rules = ALL_RULES if (size, scheme) == LOOKS[0] else BY_LOOK
        assert violations(found.page, rules) == [], seen
    assert found.troubles() == [], path


def violations(page: Page, options: dict[str, Any]) -> list[str]:
    """Return what axe finds against the page: the rule, and where."""
    found = Axe().run(page, options=options).response["violations"]
    return [f"{one['id']}: {[node['html'][:90] for node in one['nodes']]}" for one in found]


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


def test_every_page_is_looked_at(served: Served) -> None:
    """A page that no area shows fails here."""
    shown = {page.path.split("?")[0] for area in AREAS for page in area.pages}
    rules = served.lab.app.url_map.iter_rules()
    pages = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule) for rule in rules if is_page(rule.endpoint)
    }
    filled = {path.replace("printer-a", "{machine}") for path in shown}
    assert pages - filled - set(LOOKED_AT_ELSEWHERE) == set()
