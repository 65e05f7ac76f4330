"""From visitor to certified maker on a shared screen; by keyboard: test_keyboard_flows.py."""

from __future__ import annotations

from playwright.sync_api import Route, expect
from sqlalchemy import func, select

from fabctl.store.tables_training import QuizAttempt
from tests.browser.conftest import KIOSK, PHONE, OpenScreen, Screen, Served
from tests.browser.looks import ALL_RULES, violations
from tests.browser.test_workshop_flows import until
from tests.training_scene import training_scene

ALEX, KARIM = "573826", "445566"
MACHINE = "/m/printer-a"
CHECK = f"{MACHINE}/check"
RIGHT = ("J’attends", "J’appelle", "Le rouge")
"""How the right answers begin."""


def result_is_in_order(found: Screen, passed: str) -> None:
    """Look at the page after the quiz, which nobody reaches by its address alone."""
    expect(found.page.locator("#result")).to_have_attribute("data-passed", passed)
    assert violations(found.page, ALL_RULES) == []
    wide = found.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0


def test_a_visitor_becomes_a_certified_maker_on_a_shared_screen(
    served: Served, screen: OpenScreen
) -> None:
    scene = training_scene(served.lab)
    found = screen(KIOSK)
    found.sign_in(ALEX, MACHINE)
    found.tap('a[href="/training?machine=printer-a"]')
    found.tap(f'[data-course="{scene.course}"] a.primary')
    answer(found, "doigts")
    expect(found.page.locator("#step")).to_have_text("Question 2 sur 2")
    with found.page.expect_response("**/quiz"):  # a tap is kept before anybody goes on
        found.tap('label.answer:has-text("Le vert")')
    found.open(f"/training/{scene.course}/quiz?q=2")
    expect(found.page.locator("label.answer:has(:checked)")).to_have_text("Le vert")
    expect(found.page.locator("#step")).to_have_text("Question 2 sur 2")
    found.tap("form.quiz .primary")
    result_is_in_order(found, "no")
    expect(found.page.locator(".wrong li")).to_have_count(2)
    expect(found.page.locator(".wrong .why")).to_contain_text("couper le courant")
    found.tap("#result a.primary")
    answer(found, *RIGHT[:2])
    answer(found, RIGHT[2])
    result_is_in_order(found, "yes")
    leave(found)
    found.sign_in(KARIM, MACHINE)
    found.tap(f'a[href="{CHECK}"]')
    found.tap(f'[data-person="{scene.id("alex")}"] a')
    form = f'[data-course="{scene.course}"] '
    found.tap(f'{form}button[value="true"]')  # nothing is ticked yet
    expect(found.page.locator('[data-code="criteria-missing"]')).to_be_visible()
    found.tap("main a.primary")
    for number in range(3):
        found.tap(f"{form}label.answer >> nth={number}")
    found.tap(f'{form}button[value="true"]')
    expect(found.page.locator(".notice.good")).to_contain_text("Alex")
    expect(found.page.locator(f'[data-person="{scene.id("alex")}"]')).to_have_count(0)
    leave(found)
    found.sign_in(ALEX, MACHINE)
    met = found.page.locator(".condition.met")
    expect(met.filter(has_text="Tu as l’habilitation pour cette machine.")).to_be_visible()
    assert found.troubles() == []


def test_a_tap_that_is_sent_late_does_not_end_the_quiz(served: Served, screen: OpenScreen) -> None:
    """The focus is on the button that ends it while an earlier tap is still on its way."""
    scene = training_scene(served.lab)
    found = screen(PHONE, desk=True)
    found.be("lea")
    found.open(f"/training/{scene.course}/quiz")
    answer(found, *RIGHT[:2])
    expect(found.page.locator("#step")).to_have_text("Question 2 sur 2")
    taps: list[Route] = []

    def on_its_way(route: Route) -> None:
        if route.request.resource_type == "document":
            route.continue_()
        else:
            taps.append(route)

    found.page.route("**/quiz", on_its_way)
    found.tap('label.answer:has-text("Le vert")')
    until(found, lambda: len(taps) == 1)
    found.tap(f'label.answer:has-text("{RIGHT[2]}")')
    found.page.focus("form.quiz .primary")
    taps[0].continue_()
    until(found, lambda: len(taps) == 2)
    assert [one.request.post_data for one in taps if "to=" in (one.request.post_data or "")] == []
    found.page.keyboard.press("Enter")
    result_is_in_order(found, "yes")
    with served.lab.db.reading() as db:
        tries = select(func.count()).where(QuizAttempt.person_id == scene.id("lea"))
        assert db.scalar(tries) == 1
    assert found.troubles() == []


def answer(found: Screen, *begins: str) -> None:
    for words in begins:
        found.page.tap(f'label.answer:has-text("{words}")')
    found.page.tap("form.quiz .primary")


def leave(found: Screen) -> None:
    found.page.tap('form[action="/out"] button')
    found.page.wait_for_url(found.url + "/")
