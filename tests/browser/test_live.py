"""Live screens: what changes appears by itself, and what is old is never shown as live."""

from __future__ import annotations

import time
from datetime import timedelta

from playwright.sync_api import expect
from sqlalchemy import select

from fabctl.store.tables import SignIn
from fabctl_web.live.hub import MOST_STREAMS
from tests.browser.conftest import KIOSK, OpenScreen, Served
from tests.browser.keys import go_to
from tests.lab import wait_for
from tests.promises import kept

PAGE = "/m/printer-a"
WITHIN_S = 2.0


def streams(served: Served, count: int) -> None:
    wait_for(f"{count} open streams", lambda: served.inner.hub.streams == count)


def test_a_change_appears_on_the_board_by_itself(served: Served, screen: OpenScreen) -> None:
    found = screen(KIOSK)
    found.open("/")
    streams(served, 1)
    card = found.page.locator('a.card[href="/m/printer-b"]')
    expect(card).to_contain_text("Libre")

    def broken() -> float:
        served.lab.workshop.say("printer-b", "idle")
        expect(card).to_contain_text("Libre")
        said_at = time.monotonic()
        served.lab.workshop.say("printer-b", "broken", trouble="cable-lost")
        expect(card).to_contain_text("En panne")
        return time.monotonic() - said_at

    kept(WITHIN_S, broken)
    expect(card.locator(".state-broken")).to_be_visible()
    served.lab.workshop.say("printer-b", "running", job="j")
    served.lab.workshop.progress("printer-b", "j", 0.5, eta_s=60)
    expect(card).to_contain_text("Fin vers")
    assert found.troubles() == []


def test_a_machines_page_follows_and_its_actions_too(served: Served, screen: OpenScreen) -> None:
    found = screen(KIOSK)
    found.sign_in()
    streams(served, 1)
    expect(found.page.locator(".primary-action")).to_contain_text("Réserver 1 h maintenant")
    served.lab.workshop.say("printer-a", "broken", trouble="no-answer")
    expect(found.page.locator(".primary-action")).to_have_text("J’ai vérifié la machine")
    served.lab.workshop.say("printer-a", "running", job="j")
    served.lab.workshop.temperatures("printer-a", nozzle_c=150.2, nozzle_target_c=200)
    expect(found.page.locator(".figures")).to_contain_text("150")
    expect(found.page.locator(".pause")).to_be_visible()
    assert found.troubles() == []


def test_the_focus_stays_where_the_part_around_it_comes_anew(
    served: Served, screen: OpenScreen
) -> None:
    found = screen(KIOSK)
    found.sign_in()
    streams(served, 1)
    book = go_to(found, '#panel a[href="/m/printer-a/book"]')
    found.page.evaluate("window.before = document.activeElement")
    served.lab.workshop.say("printer-a", "broken", trouble="no-answer")
    found.page.wait_for_function("() => !window.before.isConnected")
    expect(book).to_be_focused()
    assert book.evaluate("(link) => link !== window.before && link.matches(':focus-visible')")
    go_to(found, ".primary-action button", "Shift+Tab")  # it goes on from there
    served.lab.workshop.say("printer-a", "idle")  # nothing to check any more: nothing to press
    expect(found.page.locator(".primary-action")).to_contain_text("Réserver 1 h maintenant")
    expect(found.page.locator(".primary-action button")).not_to_be_focused()
    found.open("/")
    card = go_to(found, '.card[href="/m/printer-c"]')
    card.evaluate("(card) => { window.before = card; htmx.trigger(document.body, 'refresh'); }")
    found.page.wait_for_function("() => !window.before.isConnected")
    expect(card).to_be_focused()
    assert found.troubles() == []


def test_a_file_that_was_chosen_stays_chosen_while_the_page_follows(
    served: Served, screen: OpenScreen
) -> None:
    found = screen(KIOSK)
    found.sign_in()
    streams(served, 1)
    found.page.set_input_files(
        "#file", {"name": "mine.gcode", "mimeType": "text/plain", "buffer": b"G28\n"}
    )
    served.lab.workshop.say("printer-a", "broken")
    expect(found.page.locator(".now")).to_contain_text("En panne")
    expect(found.page.locator("#chosen")).to_have_text("mine.gcode")
    assert found.page.evaluate("document.getElementById('file').files.length") == 1


def test_a_screen_without_news_says_so_and_greys_its_values(
    served: Served, screen: OpenScreen
) -> None:
    found = screen(KIOSK)
    found.stop_time()
    found.open("/")
    streams(served, 1)
    expect(found.page.locator("#stale")).to_be_hidden()
    found.page.evaluate("document.addEventListener('htmx:sseError', () => { window.cut = true; })")
    found.page.context.set_offline(True)
    served.inner.hub.close()  # ends the stream that is open
    found.page.wait_for_function("() => window.cut")  # no beat comes any more
    found.pass_time(5)
    expect(found.page.locator("#stale")).to_be_hidden()
    found.pass_time(5)
    expect(found.page.locator("#stale")).to_contain_text("Ces valeurs sont anciennes")
    grey = found.page.evaluate("getComputedStyle(document.getElementById('board')).filter")
    assert "grayscale" in grey
    served.inner.hub._closed = False
    found.page.context.set_offline(False)
    found.page.clock.resume()
    expect(found.page.locator("#stale")).to_be_hidden()
    served.lab.workshop.say("printer-a", "broken")
    expect(found.page.locator('a.card[href="/m/printer-a"]')).to_contain_text("En panne")


def test_one_page_too_many_polls(served: Served, screen: OpenScreen) -> None:
    for _ in range(MOST_STREAMS):
        served.inner.hub.enter()
    found = screen(KIOSK)
    found.stop_time()
    with found.page.expect_response("**/cards"):
        found.open("/")
    served.lab.workshop.say("printer-a", "broken")
    found.pass_time(10)
    expect(found.page.locator('a.card[href="/m/printer-a"]')).to_contain_text("En panne")
    expect(found.page.locator("#stale")).to_be_hidden()
    for _ in range(MOST_STREAMS):
        served.inner.hub.leave()


def test_a_shared_screens_session_counts_down_and_ends_on_the_board(
    served: Served, screen: OpenScreen
) -> None:
    found = screen(KIOSK)
    found.stop_time()
    # Time runs here while the lab is silent: the page would load itself again.
    found.page.route("**/health", lambda route: route.abort())
    found.sign_in()
    found.tap("h1")  # the minute begins here, however long the lab took for the page
    found.pass_time(39)
    expect(found.page.locator("#leaving")).to_be_hidden()
    found.pass_time(3)
    expect(found.page.locator("#leaving")).to_contain_text("Ta session se ferme dans 18 s.")
    found.tap("#leaving")
    found.pass_time(1)
    expect(found.page.locator("#leaving")).to_be_hidden()
    found.pass_time(67)
    found.page.wait_for_url(found.url + "/")
    expect(found.page.locator(".head")).to_contain_text("Se connecter")
    found.open("/me")
    assert "/in" in found.page.url


def left_alone(served: Served, seconds: int) -> None:
    """Let the lab's clock go on, too: nobody has touched the screen for so long."""
    with served.lab.db.transaction() as db:
        for row in db.scalars(select(SignIn)):
            row.expires_at = served.lab.clock.now() + timedelta(seconds=60 - seconds)


def seconds_left(served: Served) -> float:
    with served.lab.db.reading() as db:
        (ends,) = db.scalars(select(SignIn.expires_at))
    return (ends - served.lab.clock.now()).total_seconds()


def test_a_page_that_loads_itself_again_keeps_nobody_signed_in(
    served: Served, screen: OpenScreen
) -> None:
    found = screen(KIOSK)
    found.stop_time()
    found.sign_in()
    found.pass_time(1)  # the last touch reaches the lab
    for alone in (20, 40):
        found.pass_time(20)
        left_alone(served, alone)
        found.page.reload()
        found.pass_time(1)
    expect(found.page.locator("#leaving")).to_contain_text("Ta session se ferme dans")
    assert seconds_left(served) < 20
    left_alone(served, 30)  # whatever the computer took for all this
    found.tap(f'a[href="{PAGE}/problem"]')  # a touch, on the way to another page
    found.page.wait_for_url(f"{found.url}{PAGE}/problem")
    found.pass_time(1)
    expect(found.page.locator("#leaving")).to_be_hidden()
    wait_for("the touch to reach the lab", lambda: seconds_left(served) > 31)
    found.pass_time(61)
    found.page.wait_for_url(found.url + "/")
    expect(found.page.locator(".head")).to_contain_text("Se connecter")
    assert found.troubles() == []


def test_the_first_tap_on_a_sleeping_screen_does_nothing(
    served: Served, screen: OpenScreen
) -> None:
    found = screen(KIOSK)
    found.stop_time()
    # Time runs here while the lab is silent: the page would load itself again.
    found.page.route("**/health", lambda route: route.abort())
    found.open(PAGE)
    found.pass_time(301)
    found.page.wait_for_url(found.url + "/")
    found.pass_time(301)
    expect(found.page.locator("#asleep")).to_be_visible()
    found.page.clock.resume()
    expect(found.page.locator("#stale")).to_be_hidden()  # it moved what is below
    box = found.page.locator(f'a.card[href="{PAGE}"]').bounding_box()
    assert box
    place = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    found.page.touchscreen.tap(*place)
    expect(found.page.locator("#asleep")).to_be_hidden()
    assert found.page.url == found.url + "/"
    found.page.touchscreen.tap(*place)
    found.page.wait_for_url(found.url + PAGE)
    assert served.lab.workshop.asked == []
