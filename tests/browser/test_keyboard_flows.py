"""Each flow by keyboard alone: the focus is seen at every stop and never caught.

Every control of every page is reached by Tab: test_screens.py. Taking a problem off the list:
test_staff_flows.py; holding to stop, with Enter and with Space: test_flows.py.
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from fabctl.services import opening
from tests.browser.conftest import KIOSK, PHONE, PIN, OpenScreen, Screen, Served
from tests.browser.keys import go_to, press, write
from tests.browser.test_workshop_flows import all_sent, presences
from tests.training_scene import training_scene
from tests.web_lab import GOOD_FILE
from tests.workshop_scene import Scene, workshop_scene

PAGE = "/m/printer-a"
DESK = {"width": 1280, "height": 800}


def type_code(found: Screen, code: str) -> None:
    """Type a code on the pad, there and back by Tab and Shift+Tab."""
    places = "123456789D0"
    at = -1
    for digit in code:
        place = places.index(digit)
        press(found, f'[data-key="{digit}"]', step="Tab" if place > at else "Shift+Tab")
        at = place


def test_signed_in_with_the_pad_booked_moved_and_cancelled(
    served: Served, screen: OpenScreen
) -> None:
    found = screen(KIOSK)
    found.open("/")
    press(found, ".head a.primary")
    found.page.wait_for_url("**/in?next=/")
    type_code(found, PIN)
    press(found, ".key.done")
    found.page.wait_for_url(found.url + "/")
    press(found, ".menu summary")
    press(found, '.menu a[href="/planning"]')
    press(found, ".days a:has(use[href$='arrow-right'])")
    found.page.wait_for_url("**/planning/*")
    press(found, f'.line:has(a[href="{PAGE}/book"]) .free a')
    found.page.wait_for_url("**/book/**")
    press(found, "#chosen-time button")
    expect(found.page.locator(".notice.good")).to_contain_text("Réservé : Demain")
    press(found, '.head > a[href="/me"]')
    press(found, 'a:has-text("Déplacer")')
    found.page.wait_for_url("**/move")
    press(found, ".slots form:nth-of-type(3) button")
    expect(found.page.locator(".notice.good")).to_contain_text("Déplacé")
    press(found, '[data-reservation] button:has-text("Annuler")')
    expect(found.page.locator("[data-reservation]")).to_have_count(0)
    assert found.troubles() == []


def test_a_file_sent_started_paused_and_stopped(
    served: Served, screen: OpenScreen, tmp_path: Path
) -> None:
    found = screen(KIOSK)
    found.be("camille")
    found.open(PAGE)
    press(found, ".primary-action button")
    expect(found.page.locator(".notice.good")).to_contain_text("Réservé")
    file = tmp_path / "part.gcode"
    file.write_bytes(GOOD_FILE)
    # Listened for long before Space: the browser would take the key first, and show the chooser.
    found.page.on("filechooser", lambda one: one.set_files(file))
    go_to(found, "#file")
    found.page.keyboard.press("Space")
    expect(found.page.locator("#chosen")).to_have_text("part.gcode")
    press(found, "#upload button")
    expect(found.page.locator(".notice.good")).to_contain_text("est prêt à démarrer")
    # The stream tells the page before the answer to the form replaces it: wait for the answer.
    press(found, ".primary-action button")
    expect(found.page.locator(".notice.good")).to_have_text("Ton travail démarre.")
    expect(found.page.locator(".now .state")).to_have_text("Occupée")
    with found.page.expect_navigation():
        press(found, ".bar .pause", "Space")
    expect(found.page.locator(".now .state")).to_have_text("En pause")
    go_to(found, "[data-hold]")
    found.page.keyboard.down("Space")
    expect(found.page.locator(".notice.good")).to_have_text("La machine s’arrête.")
    found.page.keyboard.up("Space")
    assert [verb for _, verb, _ in served.lab.workshop.asked] == ["start", "pause", "stop"]
    assert found.troubles() == []


def test_a_quiz_and_a_practical_check(served: Served, screen: OpenScreen) -> None:
    scene = training_scene(served.lab)
    found = screen(PHONE, desk=True)
    found.open("/in?with=password")
    write(found, "#login", "lea")
    write(found, "#password", "lea-password")
    found.page.keyboard.press("Enter")
    found.page.wait_for_url(found.url + "/")
    press(found, ".menu summary")
    press(found, '.menu a[href="/training"]')
    press(found, f'[data-course="{scene.course}"] a.primary')
    found.page.wait_for_url("**/quiz")
    press(found, 'label.answer:has-text("J’attends") input', "Space")
    press(found, 'label.answer:has-text("J’appelle") input', "Space")
    press(found, "form.quiz .primary")
    expect(found.page.locator("#step")).to_have_text("Question 2 sur 2")
    press(found, 'label.answer:has-text("Le rouge") input', "ArrowDown")  # to the green one
    found.page.keyboard.press("ArrowUp")
    press(found, "form.quiz .primary")
    expect(found.page.locator("#result")).to_have_attribute("data-passed", "yes")
    trainer = screen(PHONE, desk=True)
    trainer.be("karim")
    trainer.open(PAGE)
    press(trainer, f'a[href="{PAGE}/check"]')
    press(trainer, f'[data-person="{scene.id("lea")}"] a')
    for number in range(3):
        press(trainer, f"label.answer input >> nth={number}", "Space")
    press(trainer, '[data-course] button[value="true"]')
    expect(trainer.page.locator(".notice.good")).to_contain_text("Lea")
    assert found.troubles() + trainer.troubles() == []


def test_a_place_in_a_workshop_and_given_back(served: Served, screen: OpenScreen) -> None:
    scene = workshop_scene(served.lab)
    found = screen(PHONE, desk=True)
    found.be("mo")
    found.open("/workshops")
    press(found, f'a[data-session="{scene.coming}"]')
    press(found, "#take button")
    expect(found.page.locator(".notice.good")).to_have_text("C’est fait : la place est à toi.")
    press(found, "[data-place] form button")
    expect(found.page.locator("[data-place]")).to_have_count(0)
    assert found.troubles() == []


def test_who_is_here_and_undone_machines_and_certificates(
    served: Served, screen: OpenScreen
) -> None:
    scene = workshop_scene(served.lab)
    found = screen(DESK, desk=True)
    found.be("ana")
    found.open(f"/workshops/{scene.running}/console")
    mark(found, scene, "Bilal", "present")
    mark(found, scene, "Chloé", "late", "Space")
    mark(found, scene, "Driss", "absent")
    press(found, f"#place-{scene.places['Driss']} .undo button")
    all_sent(found)
    assert presences(scene) == {"Bilal": "present", "Chloé": "late"}
    mark(found, scene, "Driss", "present", step="Shift+Tab")
    all_sent(found)
    assert presences(scene) == {"Bilal": "present", "Chloé": "late", "Driss": "present"}
    press(found, '[data-machine="printer-a"] button')
    machine = found.page.locator('[data-machine="printer-a"] .state')
    expect(machine).to_have_text("Ouverte au groupe")
    press(found, f"#passed-{scene.places['Bilal']}", "Space")
    press(found, 'button[value="award"]')
    expect(found.page.locator("#given")).to_contain_text("Nouvelles attestations : 1")
    assert found.troubles() == []


def mark(
    found: Screen, scene: Scene, name: str, presence: str, key: str = "Enter", step: str = "Tab"
) -> None:
    selector = f'#place-{scene.places[name]} button[value="{presence}"]'
    press(found, selector, key, step)


def test_opening_hours_are_changed(served: Served, screen: OpenScreen) -> None:
    staff = served.lab.person("sasha", role="staff")
    with served.lab.db.transaction() as db:
        opening.set_week(db, served.lab.clock, week={1: ((540, 720),)}, by=staff.id)
    found = screen(DESK, desk=True)
    found.be("sasha")
    found.open("/")
    press(found, ".menu summary")
    press(found, '.menu a[href="/staff/hours"]')
    found.page.wait_for_url("**/staff/hours")
    press(found, "#day1-opens-1", "ArrowUp")
    expect(found.page.locator("#day1-opens-1")).to_have_value("10:00")
    press(found, "#week button")
    expect(found.page.locator(".notice.good")).to_contain_text("dès maintenant")
    expect(found.page.locator("#day1-opens-1")).to_have_value("10:00")
    assert found.troubles() == []
