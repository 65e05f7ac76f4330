"""What people do at a screen: sign in, book, send a file, start, pause, stop."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Route, expect

from tests.browser.conftest import KIOSK, PHONE, PIN, OpenScreen, Screen, Served
from tests.browser.test_workshop_flows import until
from tests.web_lab import GOOD_FILE

PAGE = "/m/printer-a"
STOP = "[data-hold]"
HELD = re.compile("holding")


def asked(served: Served) -> list[tuple[str, str]]:
    """Return what machines were asked: (machine, verb)."""
    return [(machine, verb) for machine, verb, _ in served.lab.workshop.asked]


def running(served: Served) -> None:
    served.lab.workshop.say("printer-a", "running", job="j1")
    served.lab.workshop.progress("printer-a", "j1", 0.43, eta_s=2700)


def press(found: Screen, seconds: float) -> None:
    """Hold the stop button with the mouse; the page's time stands still."""
    box = found.page.locator(STOP).bounding_box()
    assert box
    found.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    found.page.mouse.down()
    expect(found.page.locator(STOP)).to_have_class(HELD)
    found.pass_time(seconds)


def nothing_came_of_it(served: Served, found: Screen) -> None:
    """Say that the stop button explained itself and does nothing, also when more time passes."""
    hint = found.page.locator("#hold-hint")
    expect(hint).to_be_visible()
    expect(hint).to_contain_text("Reste appuyé une seconde")
    found.pass_time(1.2)
    expect(found.page.locator(STOP)).not_to_have_class(HELD)
    assert found.page.locator("form:has([data-hold]) [name=held]").input_value() == "0"
    assert asked(served) == []


def test_sign_in_by_pin_on_the_way_to_a_machine(screen: OpenScreen) -> None:
    found = screen(KIOSK)
    found.open(PAGE)
    found.tap(".primary-action a")
    for digit in "48291":
        found.tap(f'[data-key="{digit}"]')
    found.tap('[data-key="delete"]')
    for digit in "15":
        found.tap(f'[data-key="{digit}"]')
    assert found.page.input_value("#pin") == "482915"
    assert found.page.get_attribute("#pin", "type") == "password"
    found.tap(".key.done")
    found.page.wait_for_url(found.url + PAGE)
    expect(found.page.locator(".head")).to_contain_text("Camille")
    assert found.troubles() == []


def test_digits_that_are_tapped_before_the_page_has_all_its_scripts_count(
    screen: OpenScreen,
) -> None:
    found = screen(KIOSK)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    found.page.route("**/app.js", hold, times=1)
    found.page.goto(found.url + "/in", wait_until="commit")
    for digit in PIN:
        found.page.tap(f'[data-key="{digit}"]')
    assert found.page.input_value("#pin") == PIN
    until(found, lambda: bool(held))
    held[0].continue_()
    found.loaded()
    assert found.page.input_value("#pin") == PIN
    found.tap(".key.done")
    found.page.wait_for_url(found.url + "/")
    assert found.troubles() == []


def test_a_wrong_pin_is_said(screen: OpenScreen) -> None:
    found = screen(KIOSK)
    found.open("/in")
    for digit in "000007":
        found.tap(f'[data-key="{digit}"]')
    found.tap(".key.done")
    expect(found.page.locator(".notice.bad")).to_have_text("Ce code est faux. Réessaie.")
    assert found.page.input_value("#pin") == ""


def test_a_booking_in_at_most_three_taps(served: Served, screen: OpenScreen) -> None:
    found = screen(KIOSK)
    found.sign_in(path="/")
    found.taps = 0
    found.tap('a.card[href="/m/printer-a"]')
    found.page.wait_for_url(found.url + PAGE)
    found.tap(".primary-action button")
    expect(found.page.locator(".notice.good")).to_contain_text("Réservé")
    assert found.taps <= 3
    assert served.inner.bookings.of("printer-a").busy_until


def test_any_other_time_with_lists_only(screen: OpenScreen) -> None:
    found = screen(PHONE)
    found.sign_in(path="/m/printer-a/book")
    found.page.select_option("#day", index=1)
    found.page.select_option("#time", "14:15")
    found.tap("form:has(#day) button")
    expect(found.page.locator(".notice.good")).to_contain_text("Demain, 14")


def test_send_a_file_and_start_it(served: Served, screen: OpenScreen, tmp_path: Path) -> None:
    found = screen(KIOSK)
    found.sign_in()
    found.tap(".primary-action button")
    expect(found.page.locator(".notice.good")).to_be_visible()
    file = tmp_path / "part.gcode"
    file.write_bytes(GOOD_FILE)
    found.loaded()
    found.page.set_input_files("#file", file)
    expect(found.page.locator("#chosen")).to_have_text("part.gcode")
    found.tap("#upload button")
    expect(found.page.locator(".notice.good")).to_contain_text("est prêt à démarrer")
    found.tap(".primary-action button")
    expect(found.page.locator(".notice.good")).to_have_text("Ton travail démarre.")
    expect(found.page.locator(".now .state")).to_have_text("Occupée")
    assert asked(served) == [("printer-a", "start")]
    job = served.lab.workshop.view.machine("printer-a").job
    assert job
    served.lab.workshop.progress("printer-a", job, 1.0)
    expect(found.page.locator("#percent")).to_have_text(re.compile(r"100\s%"))
    assert found.troubles() == []


def test_a_file_that_is_too_large_is_not_even_sent(
    served: Served, screen: OpenScreen, tmp_path: Path
) -> None:
    found = screen(KIOSK)
    found.sign_in()
    file = tmp_path / "large.gcode"
    file.write_bytes(b";" * (1024 * 1024 + 1))
    sent: list[str] = []
    found.page.on("request", lambda r: sent.append(r.url) if r.method == "POST" else None)
    found.page.set_input_files("#file", file)
    expect(found.page.locator("#too-large")).to_be_visible()
    found.tap("#upload button")
    expect(found.page.locator("#too-large")).to_be_focused()
    assert [url for url in sent if not url.endswith("/in/extend")] == []  # a touch stays signed in
    assert served.lab.files_on_disk() == []


def test_a_bad_file_is_explained_with_its_lines(screen: OpenScreen, tmp_path: Path) -> None:
    found = screen(KIOSK)
    found.sign_in()
    file = tmp_path / "hot.gcode"
    file.write_bytes(b"G28\nM104 S400\nG1 X10 E1 F600\n")
    found.page.set_input_files("#file", file)
    found.tap("#upload button")
    expect(found.page.locator(".problems li").first).to_contain_text(re.compile(r"Ligne\s2"))
    assert found.troubles() == []


def test_one_tap_pauses_without_signing_in(served: Served, screen: OpenScreen) -> None:
    running(served)
    found = screen(KIOSK)
    found.open(PAGE)
    found.tap(".pause")
    expect(found.page.locator(".now .state")).to_have_text("En pause")
    assert asked(served) == [("printer-a", "pause")]
    expect(found.page.locator(".pause")).to_be_hidden()


def test_a_short_tap_explains_and_does_not_stop(served: Served, screen: OpenScreen) -> None:
    running(served)
    found = screen(KIOSK)
    found.stop_time()
    found.open(PAGE)
    press(found, 0.6)
    found.page.mouse.up()
    nothing_came_of_it(served, found)
    found.tap(STOP)
    nothing_came_of_it(served, found)


def test_holding_one_second_stops(served: Served, screen: OpenScreen) -> None:
    running(served)
    found = screen(KIOSK)
    found.stop_time()
    found.open(PAGE)
    press(found, 1.1)
    expect(found.page.locator(".notice.good")).to_have_text("La machine s’arrête.")
    found.page.mouse.up()
    assert asked(served) == [("printer-a", "stop")]


def touch(found: Screen, steps: list[tuple[str, float, float]]) -> None:
    """Touch the stop button with a real finger: events and offsets from its corner."""
    session = found.page.context.new_cdp_session(found.page)
    box = found.page.locator(STOP).bounding_box()
    assert box
    for kind, x, y in steps:
        points = [{"x": box["x"] + x, "y": box["y"] + y}] if kind != "touchEnd" else []
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_a_finger_that_slides_off_does_not_stop(served: Served, screen: OpenScreen) -> None:
    running(served)
    found = screen(KIOSK)
    found.stop_time()
    found.open(PAGE)
    touch(found, [("touchStart", 20, 20), ("touchMove", -80, -80)])
    nothing_came_of_it(served, found)


def test_a_finger_that_stays_stops(served: Served, screen: OpenScreen) -> None:
    running(served)
    found = screen(KIOSK)
    found.open(PAGE)
    touch(found, [("touchStart", 20, 20), ("touchMove", 24, 22)])
    expect(found.page.locator(".notice.good")).to_have_text("La machine s’arrête.")
    assert asked(served) == [("printer-a", "stop")]


def test_stop_by_keyboard_needs_the_hold_too(served: Served, screen: OpenScreen) -> None:
    running(served)
    for key in ("Enter", " "):
        served.lab.workshop.asked.clear()
        running(served)
        found = screen(KIOSK)
        found.stop_time()
        found.open(PAGE)
        found.page.focus(STOP)
        found.page.keyboard.press(key)
        nothing_came_of_it(served, found)
        found.page.keyboard.down(key)
        expect(found.page.locator(STOP)).to_have_class(HELD)
        found.pass_time(1.1)
        expect(found.page.locator(".notice.good")).to_have_text("La machine s’arrête.")
        found.page.keyboard.up(key)
        assert asked(served) == [("printer-a", "stop")], key


def test_stop_is_in_its_corner_whatever_the_machine_does(
    served: Served, screen: OpenScreen
) -> None:
    found = screen(KIOSK)
    places = set()
    for state in ("idle", "running", "paused", "broken", "offline"):
        served.lab.workshop.say("printer-a", state, job="j" if state == "running" else None)
        found.open(PAGE)
        found.page.evaluate("document.fonts.ready.then(() => true)")
        box = found.page.locator(STOP).bounding_box()
        assert box
        places.add((box["x"], box["y"], box["width"], box["height"]))
        expect(found.page.locator(".danger")).to_contain_text("Bouton rouge sur la machine")
    assert len(places) == 1


def test_a_broken_machine_is_released_with_one_tap(served: Served, screen: OpenScreen) -> None:
    served.lab.workshop.say("printer-a", "broken", trouble="interrupted")
    found = screen(KIOSK)
    found.sign_in()
    expect(found.page.locator(".primary-action")).to_have_text("J’ai vérifié la machine")
    found.tap(".primary-action button")
    expect(found.page.locator(".now .state")).to_have_text("Libre")
    assert asked(served) == [("printer-a", "clear")]


def test_everything_but_live_updates_works_without_scripts(
    served: Served, screen: OpenScreen, tmp_path: Path
) -> None:
    found = screen(PHONE, java_script_enabled=False)
    found.open("/in?next=/m/printer-a&with=password")
    found.page.fill("#login", "camille")
    found.page.fill("#password", "camille-password")
    found.tap("form button")
    found.page.wait_for_url(found.url + PAGE)
    found.tap(".primary-action button")
    expect(found.page.locator(".notice.good")).to_contain_text("Réservé")
    file = tmp_path / "part.gcode"
    file.write_bytes(GOOD_FILE)
    found.page.set_input_files("#file", file)
    found.tap("#upload button")
    found.tap(".primary-action button")
    expect(found.page.locator(".notice.good")).to_have_text("Ton travail démarre.")
    assert asked(served) == [("printer-a", "start")]
    found.tap(STOP)
    expect(found.page.locator("h2")).to_contain_text("Arrêter la machine maintenant")
    found.tap(".stop")
    expect(found.page.locator(".notice.good")).to_have_text("La machine s’arrête.")
    assert asked(served)[1:] == [("printer-a", "stop")]
