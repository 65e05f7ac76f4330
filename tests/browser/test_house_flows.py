"""The house at the desk, as only a browser shows it: a closure seen before, plots, refusals."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, WALL, OpenScreen, Served
from tests.browser.looks import ALL_RULES, CUT_TEXT, SMALL_TARGETS, violations
from tests.house_scene import house_scene

DRAWN = """(canvas) => canvas.getContext("2d")
  .getImageData(0, 0, canvas.width, canvas.height).data.some((v, n) => n % 4 === 3 && v > 0)"""


def assert_sound(page: Page, wide: int) -> None:
    """Look at a page that only a form leads to, as test_screens.py does at the others."""
    assert page.evaluate("document.documentElement.scrollWidth") <= wide
    assert page.evaluate(CUT_TEXT) == []
    assert page.evaluate(SMALL_TARGETS, 44) == []
    assert violations(page, ALL_RULES) == []


def test_a_closure_is_looked_at_changed_and_made(served: Served, screen: OpenScreen) -> None:
    house = house_scene(served.lab)
    found = screen(PHONE, desk=True)
    found.be("sasha")
    found.open("/staff/closures")
    page, day = found.page, house.tomorrow.isoformat()
    page.select_option("#resource", "printer-a")
    for name, value in (("first", day), ("starts", "08:00"), ("last", day), ("ends", "11:00")):
        page.fill(f"#{name}", value)
    page.fill("#note", "Buse à changer")
    found.tap("#new form button")
    expect(page.locator("#cancelled h2")).to_have_text("Cela n’annule aucune réservation")
    found.tap('button:has-text("Changer")')
    expect(page.locator("#note")).to_have_value("Buse à changer")
    page.fill("#ends", "20:00")
    found.tap("#new form button")
    expect(page.locator("#cancelled h2")).to_have_text("Cela annule une réservation")
    expect(page.locator("#cancelled li")).to_contain_text("Mo")
    assert_sound(page, PHONE["width"])
    found.tap('button:has-text("Fermer, et annuler")')
    expect(page.locator(".notice.good")).to_contain_text("Réservations annulées : 1")
    closed = page.locator("#closed li", has_text="Buse à changer")
    expect(closed).to_have_count(1)
    closed.get_by_role("button").tap()
    expect(closed).to_have_count(0)


def test_refused_hours_say_why_above_what_was_typed(served: Served, screen: OpenScreen) -> None:
    house_scene(served.lab)
    found = screen(WALL, desk=True)
    found.be("sasha")
    found.open("/staff/hours/salle")
    found.page.fill("#day6-opens-1", "10:00")
    found.page.fill("#day6-closes-1", "18:00")
    found.page.fill("#day6-opens-2", "17:00")
    found.page.fill("#day6-closes-2", "19:00")
    found.tap("#week form button")
    expect(found.page.get_by_role("alert")).to_contain_text("Vérifie les heures")
    expect(found.page.locator("#day6-closes-2")).to_have_value("19:00")
    expect(found.page.locator('#week input[type="text"]')).to_have_count(0)
    expect(found.page.locator("#day5-closes-1")).to_have_value("02:00")
    assert_sound(found.page, WALL["width"])


def test_statistics_are_drawn_and_the_tables_need_no_script(
    served: Served, screen: OpenScreen
) -> None:
    path = f"/staff/statistics?year={house_scene(served.lab).year}"
    found = screen(WALL, desk=True)
    found.be("sasha")
    found.open(path)
    plots = found.page.locator("figure.bars canvas")
    assert plots.count() == found.page.locator("figure.bars").count() > 1
    assert all(one.evaluate(DRAWN) for one in plots.all())
    plain = screen(WALL, desk=True, java_script_enabled=False)
    plain.be("sasha")
    plain.open(path)
    expect(plain.page.locator("figcaption").first).to_contain_text("Le plus de venues : 12")
    expect(plain.page.locator("tbody tr").first).to_contain_text("février")
