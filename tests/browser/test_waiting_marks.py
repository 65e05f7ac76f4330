"""Marks of attendance that wait in a browser reach the lab from whatever page is open there."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.sync_api import expect

from fabctl.model.attendance import Presence
from tests.browser.conftest import OpenScreen, Served
from tests.browser.test_workshop_flows import (
    TABLET,
    all_sent,
    mark_elsewhere,
    marks_of,
    presences,
    row,
    tap,
    until,
)
from tests.workshop_scene import workshop_scene

WHO_HAS = """(key) => new Promise((said) => {
  const channel = new BroadcastChannel("marks");
  channel.onmessage = ({ data }) => said(data);
  channel.postMessage(`who:${key}`);
})"""


def test_taps_outlive_the_page_and_an_answer_that_got_lost(
    served: Served, screen: OpenScreen
) -> None:
    scene = workshop_scene(served.lab)
    found = screen(TABLET, desk=True)
    path = f"/workshops/{scene.running}/console"
    found.sign_in_as("ana", path)
    lost: list[int] = []

    def answer_lost(route: object) -> None:
        lost.append(route.fetch().status)  # type: ignore[attr-defined]  # the lab has it on record
        route.abort()  # type: ignore[attr-defined]  # and nobody hears of it

    found.page.route("**/marks", answer_lost)
    tap(found, scene, "Bilal", "late")
    until(found, lambda: bool(lost))
    assert lost[0] == 200
    expect(found.page.locator(f"{row(scene, 'Bilal')} [data-unsent]")).to_be_visible()
    expect(found.page.locator("#away")).to_be_visible()
    found.page.reload()
    expect(found.page.locator(f"{row(scene, 'Bilal')} [data-unsent]")).to_have_text(
        re.compile("non envoyé")
    )
    context = found.page.context
    context.set_offline(True)
    found.page.unroute_all(behavior="wait")
    found.page.close()  # the tab is closed before the lab has answered
    context.set_offline(False)
    found.page = context.new_page()
    found.page.route("**/marks", lambda route: route.abort())
    found.open("/workshops")
    waits = found.page.locator("[data-kept] [data-unsent]:visible")
    expect(waits).to_have_text("Présences non envoyées : ouvre la console.")
    notice = found.page.locator("#unsent")
    expect(notice.locator("span")).to_have_text(
        re.compile(r"pas encore envoyées\s: 1\..* au retour du réseau\.$")
    )
    expect(notice.locator("a")).to_be_hidden()  # there is nothing to do
    found.page.unroute("**/marks")
    found.page.evaluate("dispatchEvent(new Event('online'))")
    all_sent(found)  # from a page that is no console
    expect(notice).to_be_hidden()
    expect(waits).to_have_count(0)
    assert marks_of(scene, "Bilal") == 1
    assert presences(scene) == {"Bilal": "late"}


def test_what_was_refused_or_said_otherwise_waits_for_the_console(
    served: Served, screen: OpenScreen
) -> None:
    scene = workshop_scene(served.lab)
    found = screen(TABLET, desk=True)
    found.be("ana")
    found.open("/")
    mark_elsewhere(scene, "Chloé", Presence.PRESENT, timedelta(minutes=-1))
    at = served.lab.clock.now().isoformat()
    marks = [
        {"id": f"m{number}", "enrolment": scene.places[name], "at": when, "presence": "late"}
        for number, (name, when) in enumerate([("Bilal", "x"), ("Chloé", at), ("Driss", at)])
    ]
    key = f"marks:{scene.running}:{scene.id('ana')}"
    found.page.evaluate(
        "([key, marks]) => localStorage.setItem(key, JSON.stringify(marks))", [key, marks]
    )
    found.open("/planning")
    notice = found.page.locator("#unsent")
    expect(notice).to_contain_text(re.compile(r"regarder dans la console\s: 2\."))
    assert presences(scene) == {"Chloé": "late", "Driss": "late"}
    found.tap("#unsent a")
    said = {"Bilal": "Appuie à nouveau.", "Chloé": "Le dernier appui compte : En retard."}
    for name, words in said.items():
        expect(found.page.locator(f"{row(scene, name)} [data-also]")).to_contain_text(words)
    expect(found.page.locator("[data-also]:visible")).to_have_count(2)
    all_sent(found)
    assert (marks_of(scene, "Chloé"), marks_of(scene, "Driss")) == (2, 1)
    assert found.troubles() == []


def test_a_console_that_is_open_is_left_its_marks(served: Served, screen: OpenScreen) -> None:
    scene = workshop_scene(served.lab)
    found = screen(TABLET, desk=True)
    found.sign_in_as("ana", f"/workshops/{scene.running}/console")
    key = found.page.locator("#console").get_attribute("data-kept")
    other = found.page.context.new_page()
    other.goto(found.url + "/planning")
    assert other.evaluate(WHO_HAS, key) == f"here:{key}"
