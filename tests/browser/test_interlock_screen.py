"""The interlock in a real browser: live, grey when nobody knows, in both languages."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from werkzeug.serving import make_server

from fabctl.clock import SystemClock
from fabctl.interlock import InputRole
from fabctl.model.event import MachineEvent
from fabctl.model.people import Role
from fabctl.services.recording import record_event
from tests.browser.conftest import KIOSK, PIN, OpenScreen, Served
from tests.browser.looks import CONTRASTS, CUT_TEXT, SCHEMES, SMALL_TARGETS, dress, look_at, walk
from tests.interlocked_lab import LASER, MILL, Speaker, interlocked_config, say
from tests.lab import wait_for
from tests.promises import kept
from tests.web_lab import TWELVE, web_lab

PAGE = f"/m/{LASER}"
RED_WITHIN_S = 2.0
UNKNOWN_WITHIN_S = 10.0
STATES = (
    "boot", "selftest", "locked", "ready", "armed", "running", "drain", "tripped", "fault",
)  # fmt: skip
UNNAMED = """() => [...document.querySelectorAll("a, button, input, select, section, h2, h3, svg")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }))
  .filter((e) => {
    if (e.matches("svg")) return e.getAttribute("aria-hidden") !== "true" && !e.closest(".qr");
    if (e.matches("input, select")) return !e.labels.length && !e.ariaLabel;
    if (e.matches("section[aria-labelledby]"))
      return !document.getElementById(e.getAttribute("aria-labelledby"));
    if (e.matches("section")) return false;
    return !(e.textContent.trim() || e.ariaLabel);
  })
  .map((e) => e.outerHTML.slice(0, 90))"""
"""Controls without a name, pictures that a screen reader would stumble over, broken references."""
DOUBLE_IDS = """() => {
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  return ids.filter((id, n) => ids.indexOf(id) !== n);
}"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A lab of twelve machines; the third is a laser with an interlock, the fourth a mill."""
    with served_in(tmp_path) as found:
        yield found


@contextmanager
def served_in(folder: Path) -> Iterator[Served]:
    """Serve such a lab; ``camille`` is certified everywhere, ``awa`` is of the staff."""
    config = interlocked_config(folder, TWELVE)
    with web_lab(folder, SystemClock(), config) as lab:
        lab.certified("camille", pin=PIN)
        lab.certified("awa", pin="573826", role=Role.STAFF)
        server = make_server("127.0.0.1", 0, lab.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        found = Served(lab, f"http://127.0.0.1:{server.server_port}")
        try:
            yield found
        finally:
            found.inner.hub.close()
            server.shutdown()
            thread.join()
            server.server_close()


@pytest.fixture
def laser(served: Served) -> Iterator[Speaker]:
    speaker = Speaker(served.lab, LASER)
    yield speaker
    speaker.end()


def lock(page: Page) -> Locator:
    return page.locator("[data-lock]")


def one_stream(served: Served) -> None:
    wait_for("one open stream", lambda: served.inner.hub.streams == 1)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_an_open_lid_is_red_within_two_seconds_and_says_what_to_do(
    served: Served, laser: Speaker, screen: OpenScreen, language: str
) -> None:
    words = {
        "fr": ("Armé", "Coupé", "Ferme le capot.", "bouton vert"),
        "en": ("Armed", "Cut off", "Close the lid.", "green button"),
    }[language]
    laser.say("armed", use="u", outputs_on=True)
    found = screen(KIOSK)
    found.open(f"{PAGE}?lang={language}")
    one_stream(served)

    def opened() -> float:
        laser.say("armed", use="u", outputs_on=True)
        expect(lock(found.page)).to_contain_text(words[0])
        at = time.monotonic()
        laser.say(
            "tripped", InputRole.LID_A, InputRole.LID_B, use="u",
            cause="lid-open", first_cause="lid-open",
        )  # fmt: skip
        expect(lock(found.page)).to_have_attribute("data-lock", "tripped")
        return time.monotonic() - at

    kept(RED_WITHIN_S, opened)
    expect(lock(found.page).locator(".state")).to_contain_text(words[1])
    broken = found.page.evaluate(
        "getComputedStyle(document.documentElement).getPropertyValue('--broken').trim()"
    )
    assert colour(lock(found.page).locator(".state")) == rgb(broken)
    steps = lock(found.page).locator(".steps li").all_inner_texts()
    assert steps[0] == words[2]
    assert words[3] in steps[1]
    expect(found.page.locator('[data-input="lid_a"]')).to_have_class("condition unmet")
    assert found.troubles() == []


def colour(found: Locator) -> str:
    return str(found.evaluate("(e) => getComputedStyle(e).color"))


def rgb(written: str) -> str:
    """Return ``#861500`` as the browser says it."""
    parts = (int(written[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgb({', '.join(map(str, parts))})"


def test_a_silent_interlock_is_unknown_within_ten_seconds_and_never_safe(
    served: Served, screen: OpenScreen
) -> None:
    """In both languages at once: what is waited for is real time."""
    words = {"fr": "État inconnu", "en": "Not known"}
    say(served.lab, LASER, "armed", use="u", outputs_on=True)
    screens = {language: screen(KIOSK) for language in words}
    for language, found in screens.items():
        found.open(f"{PAGE}?lang={language}")
    wait_for("both streams", lambda: served.inner.hub.streams == len(screens))

    def fell_silent() -> float:
        said_at = time.monotonic()
        say(served.lab, LASER, "armed", use="u", outputs_on=True)
        for found in screens.values():
            expect(lock(found.page)).to_have_attribute("data-lock", "unknown")
        return time.monotonic() - said_at

    kept(UNKNOWN_WITHIN_S, fell_silent)
    for language, found in screens.items():
        expect(lock(found.page).locator(".state")).to_contain_text(words[language])
        _is_drawn_as_unknown(found.page)
        found.open(f"/?lang={language}")
        card = found.page.locator(f'a.card[href="{PAGE}"]')
        expect(card.locator(".state-silent")).to_be_visible()


def _is_drawn_as_unknown(page: Page) -> None:
    assert lock(page).evaluate("(e) => getComputedStyle(e).borderTopStyle") == "dashed"
    icon = lock(page).locator(".state use").get_attribute("href") or ""
    assert icon.endswith("#circle-question-mark")
    assert page.locator("[data-input].met").count() == 0
    assert page.locator("[data-input].unsure").count() == len(InputRole)
    expect(page.locator("#stale")).to_be_hidden()  # the web speaks, the interlock does not


def test_a_maker_begins_presses_the_green_button_and_ends(
    served: Served, laser: Speaker, screen: OpenScreen
) -> None:
    """The way through a use, in taps; the machine's part is played by what it says."""
    laser.say("locked", advice="no-permit")
    found = screen(KIOSK)
    found.sign_in(path=PAGE)
    found.tap("text=Réserver 1 h maintenant")
    found.taps = 0
    found.tap("button:has-text('Je commence')")
    expect(found.page.locator("#use")).to_contain_text("Tu utilises cette machine")
    assert found.taps == 1
    laser.say("ready", use="u", advice="press-reset")
    expect(lock(found.page)).to_contain_text("Appuie sur le bouton vert de la machine")
    laser.say("running", use="u", outputs_on=True, active=True)
    expect(lock(found.page)).to_contain_text("Reste à côté")
    found.tap("button:has-text('J’ai fini')")
    expect(found.page.locator("#use")).to_have_count(0)
    assert [verb for _, verb, _ in served.lab.workshop.asked] == ["drop-permit"]
    assert found.troubles() == []


def fill(served: Served) -> None:
    """Give the history some lines."""
    kinds = {"tripped": "lid-open", "fault": "k1-welded", "permit-refused": "replayed",
             "armed": None, "boot": None}  # fmt: skip
    with served.lab.db.transaction() as db:
        for seq, (kind, code) in enumerate(kinds.items(), start=1):
            event = MachineEvent(
                LASER, "b", seq, f"interlock-{kind}", trouble=code, reason="a_word_" * 12
            )
            record_event(db, served.lab.clock, event)
            record_event(db, served.lab.clock, replace(event, machine=MILL))


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_state_fits_every_screen_and_can_be_read(
    served: Served, screen: OpenScreen, language: str
) -> None:
    fill(served)
    found = screen(KIOSK)
    found.sign_in(pin="573826", path=PAGE)
    shown = [(PAGE, state) for state in (*STATES, "unknown")]
    for path, state in (*shown, (f"/m/{MILL}", "tripped"), ("/interlocks", "tripped")):
        failed = (InputRole.LID_A, InputRole.ESTOP) if state in {"tripped", "ready"} else ()
        fault = "flow-too-fast" if state == "fault" else None
        say(served.lab, LASER, state, *failed, use="u", first_cause="scan-stalled", fault=fault)
        say(served.lab, MILL, state, *failed, use="u")
        found.open(f"{path}?lang={language}")
        for size, scheme in itertools.product(("kiosk", "phone"), SCHEMES):
            wide = dress(found.page, size, scheme)
            _fits_and_can_be_read(found.page, wide, f"{path} {state} on the {size}, {scheme}")
            assert found.troubles() == []


def _fits_and_can_be_read(page: Page, wide: int, seen: str) -> None:
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= wide, f"{seen} is {width} px wide"
    assert page.evaluate(CUT_TEXT) == [], seen
    assert page.evaluate(SMALL_TARGETS, 56) == [], seen
    assert page.evaluate(UNNAMED) == [], seen
    assert page.evaluate(DOUBLE_IDS) == [], seen
    ratios = page.evaluate(CONTRASTS, ".lock *, .happened *")
    assert ratios, seen
    assert [one for one in ratios if one[1] < 7] == [], seen


@pytest.mark.parametrize("language", ["fr", "en"])
def test_its_pages_in_every_look(served: Served, screen: OpenScreen, language: str) -> None:
    """What test_screens.py does with all pages; a lab there has no interlock."""
    fill(served)
    say(served.lab, LASER, "tripped", InputRole.LID_A, use="u", first_cause="scan-stalled")
    found = screen(KIOSK, desk=True, reduced_motion="reduce")
    found.be("awa")
    for path in ("/interlocks", PAGE):
        look_at(found, path, language)
        walk(found, path)


def test_the_history_can_be_searched_by_keyboard_alone(served: Served, screen: OpenScreen) -> None:
    fill(served)
    found = screen(KIOSK)
    found.sign_in(pin="573826", path="/interlocks")
    assert found.page.locator("[data-event]").count() == 10
    found.page.focus("#words")
    found.page.keyboard.type("k1-welded")
    found.page.keyboard.press("Enter")
    expect(found.page.locator("[data-event]")).to_have_count(2)
    expect(found.page.locator("#words")).to_have_value("k1-welded")


def test_the_panel_is_not_sent_again_while_nothing_changes(
    served: Served, laser: Speaker, screen: OpenScreen
) -> None:
    """A panel that is drawn anew every second cannot be read by a screen reader."""
    laser.say("locked", advice="no-permit")
    found = screen(KIOSK)
    found.open(PAGE)
    one_stream(served)
    found.page.evaluate(
        """() => { window.swaps = 0; document.getElementById("lock")
             .addEventListener("htmx:sseMessage", () => { window.swaps += 1; }); }"""
    )
    found.page.wait_for_timeout(4_000)
    assert found.page.evaluate("window.swaps") == 0
