"""What people do around a workshop, from its making to certificates, also without network."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import expect
from sqlalchemy import func, select

from fabctl.model.attendance import Mark, Presence
from fabctl.services import attendance, session_changes
from fabctl.services.attendance import SentMark
from fabctl.store.ids import new_id
from fabctl.store.tables_workshops import AttendanceMark
from tests.browser.conftest import KIOSK, MOST_MS, PHONE, OpenScreen, Screen, Served
from tests.workshop_scene import Scene, workshop_scene

TABLET = {"width": 800, "height": 1100}


def presences(scene: Scene) -> dict[str, str]:
    """Return what the lab has on record, by name."""
    with scene.lab.db.reading() as db:
        found = attendance.marks_that_count(db, scene.places.values())
    return {
        name: mark.presence.value
        for name, place in scene.places.items()
        if (mark := found[place]) and mark.presence
    }


def mark_elsewhere(scene: Scene, name: str, said: Presence, after: timedelta) -> None:
    """Let another device mark somebody, at the lab's time and so much after it."""
    lab, place = scene.lab, scene.places[name]
    mark = SentMark(place, Mark(new_id(), lab.clock.now() + after, said))
    with lab.db.transaction() as db:
        attendance.take_marks(
            db, lab.clock, session_id=scene.running, marks=[mark], by=scene.id("sasha")
        )


def marks_of(scene: Scene, name: str) -> int:
    """Return how many marks of somebody the lab has on record."""
    query = select(func.count()).where(AttendanceMark.enrolment_id == scene.places[name])
    with scene.lab.db.reading() as db:
        return db.scalar(query) or 0


def all_sent(found: Screen) -> None:
    """Wait until no tap is kept in the browser any more."""
    until(found, lambda: found.page.evaluate("localStorage.length") == 0)


def until(found: Screen, holds: Callable[[], bool]) -> None:
    """Wait until something holds, and let the page go on meanwhile."""
    deadline = time.monotonic() + MOST_MS / 1000
    while not holds():
        assert time.monotonic() < deadline, f"not within {MOST_MS / 1000:.0f} s"
        found.page.wait_for_timeout(50)


def row(scene: Scene, name: str) -> str:
    return f"#place-{scene.places[name]}"


def tap(found: Screen, scene: Scene, name: str, presence: str) -> None:
    found.tap(f'{row(scene, name)} button[value="{presence}"]')


def saved(found: Screen, link: str) -> bytes:
    """Return the file behind a link. Not by a tap: a download of this browser leaves out the header
    that makes it a desk, and no file comes down to a shared screen.
    """
    address = found.page.locator(link).get_attribute("href")
    return found.page.context.request.get(f"{found.url}{address}").body()


def test_one_tap_per_person_and_undo(served: Served, screen: OpenScreen) -> None:
    scene = workshop_scene(served.lab)
    found = screen(KIOSK)
    found.sign_in(pin="112233", path=f"/workshops/{scene.running}/console")
    found.taps = 0
    tap(found, scene, "Bilal", "present")
    tap(found, scene, "Chloé", "late")
    tap(found, scene, "Driss", "absent")
    assert found.taps == 3
    expect(found.page.locator("#there")).to_have_text("Présents : 2 sur 6")
    all_sent(found)
    assert presences(scene) == {"Bilal": "present", "Chloé": "late", "Driss": "absent"}
    found.tap(f"{row(scene, 'Chloé')} .undo button")
    pressed = found.page.locator(f"{row(scene, 'Chloé')} [aria-pressed=true]")
    expect(pressed).to_have_count(0)
    all_sent(found)
    assert presences(scene) == {"Bilal": "present", "Driss": "absent"}
    found.page.keyboard.press("Enter")  # the focus stayed with the person
    all_sent(found)
    assert presences(scene)["Chloé"] == "present"
    assert found.troubles() == []


def test_without_network_taps_are_kept_and_sent_once_it_is_back(
    served: Served, screen: OpenScreen
) -> None:
    scene = workshop_scene(served.lab)
    found = screen(TABLET, desk=True)
    path = f"/workshops/{scene.running}/console"
    found.sign_in_as("ana", path)
    banner = found.page.locator("#away")
    expect(banner).to_be_hidden()
    found.page.context.set_offline(True)
    expect(banner).to_contain_text("Le réseau est coupé.")
    tap(found, scene, "Bilal", "present")
    tap(found, scene, "Driss", "absent")
    found.tap(f"{row(scene, 'Driss')} .undo button")
    expect(banner).to_contain_text(re.compile(r"Non envoyé\s: 3\."))
    unsent = found.page.locator(f"{row(scene, 'Bilal')} [data-unsent]")
    expect(unsent).to_have_text(re.compile("non envoyé"))
    expect(found.page.locator("#there")).to_have_text("Présents : 1 sur 6")
    kept = str(found.page.evaluate("JSON.stringify(localStorage)"))
    assert not any(name in kept for name in scene.places if name)
    found.tap('a[href$="/needs"]')  # a page that could not come does not replace this one
    expect(found.page).to_have_url(re.compile("/console$"))
    assert presences(scene) == {}
    mark_elsewhere(scene, "Bilal", Presence.ABSENT, timedelta(hours=-1))  # tapped before
    mark_elsewhere(scene, "Chloé", Presence.LATE, timedelta(0))
    tap(found, scene, "Chloé", "absent")
    mark_elsewhere(scene, "Chloé", Presence.PRESENT, timedelta(minutes=1))  # a newer tap
    found.page.context.set_offline(False)
    expect(banner).to_be_hidden()
    expect(unsent).to_be_hidden()
    assert presences(scene) == {"Bilal": "present", "Chloé": "present"}
    said = {
        "Bilal": "Absent. Le dernier appui compte : Présent.",
        "Chloé": "Présent. Le dernier appui compte : Présent.",
    }
    for name, words in said.items():
        expect(found.page.locator(f"{row(scene, name)} [data-also]")).to_contain_text(words)
    expect(found.page.locator("[data-also]:visible")).to_have_count(2)
    found.open(path)
    here = found.page.locator(f"{row(scene, 'Bilal')} [aria-pressed=true]")
    expect(here).to_have_text("Présent")


def test_a_shared_screen_without_network_shows_nobody_once_its_lead_has_left(
    served: Served, screen: OpenScreen
) -> None:
    scene = workshop_scene(served.lab)
    found = screen(KIOSK)
    found.page.clock.install()
    path = f"/workshops/{scene.running}/console"
    found.sign_in(pin="112233", path=path)
    found.page.context.set_offline(True)
    tap(found, scene, "Bilal", "present")
    expect(found.page.locator("#away")).to_contain_text("Non envoyé")
    found.page.clock.fast_forward(6_000)  # the tap counts as a touch, once
    found.page.clock.fast_forward(65_000)
    expect(found.page.locator("#alone")).to_be_visible()
    assert "Bilal" not in found.page.locator("body").inner_text()
    found.page.context.clear_cookies()  # meanwhile the lab has ended the session too
    found.page.context.set_offline(False)
    found.page.clock.fast_forward(3_000)
    found.page.wait_for_url(found.url + "/")
    assert presences(scene) == {}
    waits = found.page.locator("#unsent")
    expect(waits).to_contain_text(re.compile(r"non envoyées\s: 1\."))
    found.tap("#unsent a")
    found.type_pin("112233", path)
    all_sent(found)
    assert presences(scene) == {"Bilal": "present"}
    found.open("/")
    expect(waits).to_be_hidden()


def test_signing_out_of_a_shared_screen_works_without_network(
    served: Served, screen: OpenScreen
) -> None:
    scene = workshop_scene(served.lab)
    found = screen(KIOSK)
    found.page.clock.install()
    with found.page.expect_response("**/marks"):
        found.sign_in(pin="112233", path=f"/workshops/{scene.running}/console")
    found.page.context.set_offline(True)
    found.page.clock.fast_forward(6_000)  # it asks how things stand, and hears nothing
    expect(found.page.locator("#away")).to_contain_text("Le réseau est coupé.")
    found.tap('form[action="/out"] button')
    expect(found.page.locator("#alone")).to_be_visible()
    assert "Bilal" not in found.page.locator("body").inner_text()
    found.page.clock.fast_forward(3_000)
    found.page.context.set_offline(False)
    found.page.clock.fast_forward(3_000)
    found.page.wait_for_url(found.url + "/")
    expect(found.page.locator(".head .name")).to_have_count(0)  # nobody is signed in any more


def test_a_mark_that_the_lab_cannot_read_holds_up_no_other(
    served: Served, screen: OpenScreen
) -> None:
    scene = workshop_scene(served.lab)
    found = screen(TABLET, desk=True)
    path = f"/workshops/{scene.running}/console"
    found.be("ana")
    found.open(path)
    kept = found.page.locator("#console").get_attribute("data-kept")
    at = served.lab.clock.now().isoformat()
    marks = [
        {"id": f"m{number}", "enrolment": scene.places[name], "at": when, "presence": "late"}
        for number, (name, when) in enumerate([("Bilal", "x"), ("Chloé", at)])
    ]
    found.page.evaluate(
        "([key, marks]) => localStorage.setItem(key, JSON.stringify(marks))", [kept, marks]
    )
    tap(found, scene, "Driss", "absent")
    all_sent(found)
    assert presences(scene) == {"Chloé": "late", "Driss": "absent"}
    aside = found.page.locator(f"{row(scene, 'Bilal')} [data-also]")
    expect(aside).to_contain_text("Appuie à nouveau.")
    with served.lab.db.transaction() as db:  # then somebody else leads
        session_changes.change(
            db,
            served.lab.clock,
            session_id=scene.running,
            animators=[scene.id("eve")],
            by=scene.id("sasha"),
        )
    tap(found, scene, "Bilal", "present")
    banner = found.page.locator("#away")
    expect(banner).to_contain_text(re.compile(r"Tu n’animes plus cette séance. Non envoyé\s: 1\."))


def test_a_workshop_from_its_making_to_certificates(served: Served, screen: OpenScreen) -> None:
    scene = workshop_scene(served.lab)
    staff = screen(TABLET, desk=True)
    staff.sign_in_as("sasha", "/staff/workshops")
    staff.page.fill("#title", "Couture")
    staff.page.fill("#places", "3")
    staff.page.uncheck("#consent_needed-1")
    staff.tap("#new button")
    expect(staff.page.locator("h1")).to_have_text("Couture")
    now = served.lab.clock.now().astimezone(served.lab.config.time_zone)
    staff.page.fill("#one-day", now.date().isoformat())
    staff.page.fill("#one-starts", f"{now:%H:%M}")
    staff.page.fill("#one-ends", f"{now + timedelta(hours=3):%H:%M}")  # or on the next day
    staff.page.check("#one-uses-printer-c")
    staff.page.check(f"#one-leaders-{scene.id('ana')}")
    staff.tap("#one button")
    staff.page.wait_for_url(re.compile("/staff/sessions/"))
    staff.page.fill("#words", "mo")
    staff.tap("#find button")
    staff.tap(f'[data-person="{scene.id("mo")}"] .button.primary')
    expect(staff.page.locator("#takers")).to_contain_text("Mo")
    staff.tap('a[href$="/console"]')
    staff.tap('#machines button:has-text("Ouvrir au groupe")')
    expect(staff.page.locator('[data-machine="printer-c"] .state')).to_have_text(
        "Ouverte au groupe"
    )
    staff.tap('button[value="present"]')
    expect(staff.page.locator("#there")).to_have_text("Présents : 1 sur 1")
    all_sent(staff)
    assert saved(staff, 'a[href$="/sheet.pdf"]').startswith(b"%PDF")
    staff.tap('button[value="everyone"]')
    expect(staff.page.locator('[name="passed"]')).to_be_checked()
    staff.tap('button[value="award"]')
    expect(staff.page.locator("#given")).to_contain_text("Nouvelles attestations : 1")
    mo = screen(PHONE, desk=True)
    mo.sign_in_as("mo", "/workshops")
    assert saved(mo, 'a[href^="/certificates/"]').startswith(b"%PDF")
    assert staff.troubles() == []


def test_a_mother_signs_for_her_daughter_and_gets_her_a_place(
    served: Served, screen: OpenScreen
) -> None:
    scene = workshop_scene(served.lab)
    found = screen(PHONE)
    found.sign_in_as("pia", "/workshops")
    found.tap(f'a[data-session="{scene.coming}"]')
    lina = f'[data-taker="{scene.child}"]'
    expect(found.page.locator(lina)).to_contain_text("Lina")
    found.tap(f"{lina} a")
    found.page.fill("#guardian_phone", "06 12 34 56 78")
    found.tap("main form button")
    expect(found.page.locator(".notice.good")).to_have_text("C’est signé. Merci.")
    found.tap("#take button")
    expect(found.page.locator(".notice.good")).to_have_text("C’est fait : la place est à toi.")
    expect(found.page.locator("[data-place]")).to_contain_text("Lina")
    assert found.troubles() == []
