"""What only a browser shows of the staff's pages: health that renews itself, words on demand."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from fabctl.messaging.link import Received
from fabctl.messaging.payloads import PresencePayload
from fabctl.services import problems
from tests.browser.conftest import OpenScreen, Served
from tests.staff_scene import morning
from tests.web_lab import STAMP

DESK = {"width": 1280, "height": 800}
ASKS_AGAIN_MS = 5000


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
    expect(host).to_contain_text("Présent", timeout=ASKS_AGAIN_MS + 2000)
    found.page.context.clear_cookies()  # signed out elsewhere
    with found.page.expect_response(re.compile("/staff/health/now")) as asked:
        pass
    assert asked.value.status == 401
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
