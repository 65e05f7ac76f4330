"""The goals of the screens, each in a test of its own: taps, bytes, sizes, contrast, speed.

Taps per attendance: test_workshop_flows.py. Every page in every look, its focus, axe, the policy:
test_screens.py. With a slow processor: `make bench ARGS=screens`.
"""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, expect

from fabctl.services import badges
from fabctl.services.people import get_person
from tests.bench.figures import quantile
from tests.browser.conftest import KIOSK, OpenScreen, Screen, Served
from tests.browser.looks import CONTRASTS, LEAST_CONTRAST, SCHEMES
from tests.browser.shown.first import fill
from tests.browser.test_workshop_flows import until
from tests.lab import wait_for
from tests.web_lab import GOOD_FILE

PAGE = "/m/printer-a"
MOST_BYTES = 80_000
MOST_BYTES_OF_A_MACHINE = 110_000
MOST_SHIFT = 0.02


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
    drawn = """() => [...document.querySelectorAll(".state use")].map((u) => u.getBBox().width)"""
    assert len(found.page.evaluate(drawn)) == 12
    found.page.wait_for_function(f"() => Math.min(...({drawn})()) > 5")


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


def hold_badge(found: Screen, number: str) -> None:
    """Type as a reader does: all keys at once, then Enter."""
    found.page.evaluate(
        """(number) => {
          for (const key of [...number, "Enter"]) {
            const code = key === "Enter" ? key : (/[0-9]/.test(key) ? "Digit" : "Key") + key;
            const event = { key, code, bubbles: true, cancelable: true };
            document.body.dispatchEvent(new KeyboardEvent("keydown", event));
          }
        }""",
        number,
    )


def ready_to_start(served: Served) -> None:
    """Let Camille have a booking now and a file that she sent."""
    lab = served.lab
    with lab.db.reading() as db:
        camille = get_person(db, lab.id_of("camille"))
    lab.book(camille, "printer-a")
    phone = lab.browser()
    phone.sign_in("camille")
    phone.upload(GOOD_FILE, "tag.gcode", page=PAGE)


def test_two_taps_to_start_after_a_badge(served: Served, screen: OpenScreen) -> None:
    ready_to_start(served)
    lab, badge = served.lab, "04A2B9C1D2"
    staff = lab.person("staff", role="staff")
    with lab.db.transaction() as db:
        badges.add_badge(
            db, lab.clock, served.inner.secret, person_id=lab.id_of("camille"),
            number=badge, by=staff.id,
        )  # fmt: skip
    found = screen(KIOSK)
    found.open("/")
    hold_badge(found, badge)
    expect(found.page.locator(".head")).to_contain_text("Camille")
    found.tap(f'a.card[href="{PAGE}"]')
    found.page.wait_for_url(f"**{PAGE}")
    found.tap(".primary-action button")
    expect(found.page.locator(".notice.good")).to_have_text("Ton travail démarre.")
    expect(found.page.locator(".now .state")).to_have_text("Occupée")
    assert found.taps <= 2
    assert [verb for _, verb, _ in lab.workshop.asked] == ["start"]
    assert found.troubles() == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_states_can_be_read_from_afar(served: Served, screen: OpenScreen, scheme: str) -> None:
    """As drawn; test_web_contrast.py holds the colours themselves against each other."""
    fill(served)
    found = screen(KIOSK, color_scheme=scheme)
    for path, least in (("/", 12), (PAGE, 1)):
        found.open(path)
        drawn = found.page.evaluate(CONTRASTS, ".state, .state *")
        assert len(drawn) >= least
        assert [one for one in drawn if one[1] < LEAST_CONTRAST] == [], path


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/", MOST_BYTES), ("/in", MOST_BYTES), ("/planning", MOST_BYTES),
        ("/training", MOST_BYTES), ("/workshops", MOST_BYTES), (PAGE, MOST_BYTES_OF_A_MACHINE),
    ],
)  # fmt: skip
def test_a_first_load_is_small_and_nothing_jumps(
    served: Served, screen: OpenScreen, path: str, most: int
) -> None:
    fill(served)
    found = screen(KIOSK)
    found.stop_time()  # what is asked for again and again is no first load
    session = found.page.context.new_cdp_session(found.page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    found.open(path)
    found.page.wait_for_timeout(1000)  # layout shifts come late
    assert found.page.evaluate("window.shift") <= MOST_SHIFT
    until(found, lambda: len(sizes) >= 7)
    assert sum(sizes) <= most, f"{sum(sizes)} bytes in {len(sizes)} answers"
    assert found.troubles() == []


def test_a_change_is_seen_within_a_second(served: Served, screen: OpenScreen) -> None:
    """From what a machine says to what the board shows, measured on one clock.

    Of most changes: a computer that stands still for a second delays those of that second.
    """
    found = screen(KIOSK)
    found.open("/")
    wait_for("an open stream", lambda: served.inner.hub.streams == 1)
    found.page.evaluate(
        """() => {
          window.seen = [];
          new MutationObserver(() => {
            const face = document.querySelector('a.card[href="/m/printer-b"] .face');
            if (face) window.seen.push([Date.now(), face.className]);
          }).observe(document.getElementById("board"), { childList: true, subtree: true });
        }"""
    )
    delays = []
    for state in ("broken", "idle") * 15:
        said = time.time() * 1000
        served.lab.workshop.say("printer-b", state)
        look = {"broken": "state-broken", "idle": "state-free"}[state]
        shown = found.page.wait_for_function(
            """([look, since]) => window.seen.find(
                 ([at, name]) => at >= since && name.includes(look))""",
            arg=[look, int(said)],
        ).json_value()
        delays.append(shown[0] - said)
    assert quantile(delays, 0.5) <= 1000, sorted(delays)
