"""What only a browser shows of the staff's pages: health that renews itself, words on demand."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from fabctl.messaging.link import Received
from fabctl.messaging.payloads import PresencePayload
from fabctl.services import presence, problems
from tests.browser.conftest import KIOSK, OpenScreen, Screen, Served
from tests.staff_scene import morning
from tests.web_lab import STAMP

DESK = {"width": 1280, "height": 800}


def test_health_renews_itself_and_never_holds_a_sign_in_page(
    served: Served, screen: OpenScreen
) -> None:
    served.lab.person("sasha", role="staff")
    found = screen(DESK, desk=True)
    found.be("sasha")
    found.open("/staff/health")
    host = found.page.locator('[data-line="pi1"] .state')
    expect(host).to_contain_text("Pas encore de nouvelles")
    topic = served.lab.workshop.topics.host_status("pi1")
    said = PresencePayload(True).encode(STAMP)
    served.lab.workshop.view.take(Received(topic, said, qos=1, retain=False))
    expect(host).to_contain_text("Présent")
    found.page.context.clear_cookies()  # signed out elsewhere
    with found.page.expect_response(
        lambda one: "/staff/health/now" in one.url and one.status == 401
    ):
        pass  # one that was on its way before is not it
    expect(found.page.locator("#health input")).to_have_count(0)
    expect(host).to_contain_text("Présent")


def test_a_problem_is_settled_with_the_keyboard_alone(served: Served, screen: OpenScreen) -> None:
    scene = morning(served.lab)
    found = screen(DESK, desk=True)
    found.be("sasha")
    found.open("/staff/today")
    found.page.focus("#problems details.acting summary")
    found.page.keyboard.press("Enter")
    found.page.keyboard.press("Tab")
    found.page.keyboard.type("Buse changée")
    found.page.keyboard.press("Enter")
    expect(found.page.locator(".notice.good")).to_contain_text("Réglé.")
    expect(found.page.locator("#problems")).to_have_count(0)
    with served.lab.db.reading() as db:
        settled = problems.get_problem(db, problem_id=scene.problem, by=scene.people["sasha"])
    assert settled.outcome == "Buse changée"


def test_what_is_half_typed_outlives_new_lists_and_the_menu_needs_no_scrolling(
    served: Served, screen: OpenScreen
) -> None:
    scene = morning(served.lab)
    found = screen(KIOSK, desk=True)
    found.be("sasha")
    found.open("/staff/today")
    found.page.click(".menu summary")
    room = found.page.locator(".menu nav").evaluate("nav => nav.clientHeight - nav.scrollHeight")
    assert room >= 0
    found.page.keyboard.press("Escape")
    words = found.page.locator("#problems details.acting input[name=words]")
    found.page.click("#problems details.acting summary")
    words.fill("Buse ch")
    served.lab.person("zoe", role="member")
    with served.lab.db.transaction() as db:
        presence.come(
            db, served.lab.clock, person_id=served.lab.id_of("zoe"), by=scene.people["sasha"],
            at_screen=False,
        )  # fmt: skip
    _ask_again(found)
    expect(found.page.locator("#here")).to_contain_text("Zoe")
    expect(words).to_have_value("Buse ch")
    expect(words).to_be_focused()
    with served.lab.db.transaction() as db:  # a colleague settles it: the form would go
        problems.settle_problem(
            db, served.lab.clock, problem_id=scene.problem, outcome="x", by=scene.people["root"]
        )
    _ask_again(found)
    expect(words).to_have_value("Buse ch")


def _ask_again(found: Screen) -> None:
    """Do at once what the page does every minute."""
    with found.page.expect_response(re.compile("/staff/today/now")) as asked:
        found.page.evaluate("htmx.trigger(document.body, 'refresh')")
    assert asked.value.status == 200
    expect(found.page.locator("#lists")).not_to_have_class(re.compile("htmx-"))
