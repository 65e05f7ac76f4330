"""From visitor to certified maker: with a finger on a shared screen, and with a keyboard alone."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import KIOSK, PHONE, OpenScreen, Screen, Served
from tests.browser.looks import ALL_RULES, violations
from tests.browser.test_booking_flows import press
from tests.training_scene import Scene, training_scene

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
    answer(found, "doigts", "Le vert")
    result_is_in_order(found, "no")
    expect(found.page.locator(".points li")).to_have_count(2)
    found.tap("#result a.primary")
    answer(found, *RIGHT)
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


def answer(found: Screen, *begins: str) -> None:
    for words in begins:
        found.page.tap(f'label.answer:has-text("{words}")')
    found.page.tap("form.quiz .primary")


def leave(found: Screen) -> None:
    found.page.tap('form[action="/out"] button')
    found.page.wait_for_url(found.url + "/")


def test_a_visitor_becomes_a_certified_maker_by_keyboard(
    served: Served, screen: OpenScreen
) -> None:
    scene = training_scene(served.lab)
    take_by_keyboard(scene, screen(PHONE, desk=True))
    check_by_keyboard(scene, screen(PHONE, desk=True))


def take_by_keyboard(scene: Scene, found: Screen) -> None:
    found.open("/in?with=password")
    for name, typed in (("login", "lea"), ("password", "lea-password")):
        press(found, f"#{name}", "End")
        found.page.keyboard.type(typed)
    found.page.keyboard.press("Enter")
    found.page.wait_for_url(found.url + "/")
    press(found, ".menu summary")
    press(found, '.menu a[href="/training"]')
    found.page.wait_for_url("**/training")
    press(found, f'[data-course="{scene.course}"] a.primary')
    found.page.wait_for_url("**/quiz")
    press(found, 'label.answer:has-text("J’attends") input', "Space")
    press(found, 'label.answer:has-text("J’appelle") input', "Space")
    press(found, 'label.answer:has-text("Le rouge") input', "Space")
    press(found, "form.quiz .primary")
    result_is_in_order(found, "yes")
    assert found.troubles() == []


def check_by_keyboard(scene: Scene, found: Screen) -> None:
    found.sign_in_as("karim", MACHINE)
    press(found, f'a[href="{CHECK}"]')
    found.page.wait_for_url(f"**{CHECK}")
    press(found, f'[data-person="{scene.id("lea")}"] a')
    found.page.wait_for_url(f"**{CHECK}/*")
    for number in range(3):
        press(found, f"label.answer input >> nth={number}", "Space")
    press(found, '[data-course] button[value="true"]')
    expect(found.page.locator(".notice.good")).to_contain_text("Lea")
    press(found, f'a[href="{MACHINE}"]')
    found.page.wait_for_url(f"**{MACHINE}")
    found.open(f"{CHECK}/{scene.id('lea')}")
    expect(found.page.locator("#held")).to_have_attribute("data-standing", "valid")
    assert found.troubles() == []
