"""What only a browser shows of a machine's page: taps, the drawn plot, the camera, the bytes."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from fabctl.services.people import get_person
from fabctl_web.machines.camera import Snapshot
from fabctl_web.machines.history import Row
from tests.browser.conftest import KIOSK, PHONE, OpenScreen, Screen, Served
from tests.browser.shown.machine import StillCamera, heat_up, rooms_of
from tests.browser.test_workshop_flows import until
from tests.gcode_pictures import TAG, TAG_LINES, png, with_thumbnail

PAGE = "/m/printer-a"
WIDTH = "(image) => image.decode().then(() => image.naturalWidth)"
"""How wide a picture is, once it is there."""
BUDGET = 110_000
"""Bytes of a machine's page at its first load, compressed."""


def file_of_camille(served: Served) -> None:
    """Let Camille have a booking now and a file that she sent from her phone."""
    phone = served.lab.browser()
    phone.sign_in("camille")
    content = with_thumbnail(TAG.read_bytes(), png(220, 124), 220, 124)
    assert phone.upload(content, "porte-clés.gcode", page=PAGE).status_code == 303
    with served.lab.db.reading() as db:
        camille = get_person(db, served.lab.id_of("camille"))
    served.lab.book(camille, "printer-a")


def test_after_the_pin_a_job_starts_with_one_tap(served: Served, screen: OpenScreen) -> None:
    file_of_camille(served)
    found = screen(KIOSK)
    found.stop_time()
    found.open("/")
    found.tap('a[href="/m/printer-a"]')
    found.page.wait_for_url(f"**{PAGE}")
    found.tap(".primary-action a")
    found.type_pin()  # the keys of the PIN; a badge needs none of them
    before = found.taps
    picture = found.page.locator(".rows .thumbnail")
    expect(picture).to_be_visible()
    assert picture.evaluate(WIDTH) == 220
    found.tap(".primary-action button")
    expect(found.page.locator(".notice.good")).to_have_text("Ton travail démarre.")
    found.page.wait_for_selector('[data-state="running"]')
    assert found.taps - before == 1
    path = found.page.locator(".pictures.running .path")
    expect(path).to_have_attribute("src", re.compile(r"step=0$"))
    job = served.inner.machine("printer-a").job
    assert job
    served.lab.workshop.progress("printer-a", job, 0.5, lines=TAG_LINES)
    found.page.clock.fast_forward(10_000)
    expect(path).to_have_attribute("src", re.compile(r"step=[1-9]\d?$"))
    assert path.evaluate(WIDTH) == 1000
    assert found.troubles() == []


def test_a_problem_is_reported_with_two_taps(served: Served, screen: OpenScreen) -> None:
    found = screen(KIOSK)
    found.open(PAGE)
    found.tap(f'a[href="{PAGE}/problem"]')
    found.page.wait_for_selector(".kind")
    boxes = [one.bounding_box() for one in found.page.locator(".kind").all()]
    assert all(box and box["y"] + box["height"] <= KIOSK["height"] for box in boxes)
    found.tap('.kind[value="damaged"]')
    found.page.wait_for_url(f"**{PAGE}")
    expect(found.page.locator(".notice.good")).to_contain_text("L’équipe le voit maintenant")
    assert found.taps == 2


def test_the_plot_is_drawn_and_told(served: Served, screen: OpenScreen) -> None:
    heat_up(served, "printer-a")
    found = screen(PHONE)
    found.stop_time()
    found.open(PAGE)
    found.page.wait_for_selector("#plot canvas")
    painted = found.page.evaluate(
        """() => { const c = document.querySelector("#plot canvas");
          const dots = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
          let n = 0; for (let i = 3; i < dots.length; i += 4) n += dots[i] > 0; return n; }"""
    )
    assert painted > 1000
    words = found.page.locator("[data-words]")
    expect(words).to_contain_text("Buse : 215")
    rooms_of(served).history.keep("printer-a", later(served))
    found.page.clock.fast_forward(5000)
    expect(words).to_contain_text("Buse : 100")
    assert found.troubles() == []


def later(served: Served) -> Row:
    return Row(served.lab.clock.now().timestamp(), (100.0, 0.0, 60.0, 0.0, None))


class DyingCamera(StillCamera):
    """A camera that is gone after its first picture."""

    def snapshot(self) -> tuple[Snapshot, float] | None:
        return None if self._last is not None else super().snapshot()


def test_an_old_picture_is_never_live(served: Served, screen: OpenScreen) -> None:
    rooms_of(served).cameras["printer-a"] = DyingCamera("http://camera.test/", served.lab.clock)
    found = screen(KIOSK)
    found.stop_time()
    found.open(PAGE)
    caption = found.page.locator("#camera [data-age]")
    expect(caption).to_have_text("Image en direct")
    assert found.page.locator("#camera img").evaluate(WIDTH) == 320
    found.page.clock.fast_forward(3000)
    expect(caption).to_contain_text("Image d’il y a")
    found.page.clock.fast_forward(3000)
    expect(found.page.locator("#camera.old")).to_be_attached()
    found.page.clock.fast_forward(30_000)
    expect(found.page.locator("#camera img")).to_be_hidden()
    expect(caption).to_have_text("Pas d’image de la caméra")
    assert [one for one in found.troubles() if "503" not in one] == []


def test_the_first_load_is_small_with_all_there_is(served: Served, screen: OpenScreen) -> None:
    file_of_camille(served)
    heat_up(served, "printer-a")
    rooms_of(served).cameras["printer-a"] = StillCamera("http://camera.test/", served.lab.clock)
    found = screen(KIOSK)
    found.stop_time()  # what is asked for again and again is no first load
    sizes = bytes_of(found)
    found.open(PAGE)
    found.page.wait_for_selector("#plot canvas")
    expect(found.page.locator("#camera [data-age]")).to_have_text("Image en direct")
    found.page.wait_for_timeout(500)
    # the page, what every page has, the plot, pictures, a snapshot
    until(found, lambda: len(sizes) >= 10)
    assert sum(sizes) <= BUDGET, f"{sum(sizes)} bytes in {len(sizes)} answers"
    assert found.page.evaluate("window.shift") <= 0.02


def bytes_of(found: Screen) -> list[float]:
    session = found.page.context.new_cdp_session(found.page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    return sizes


@pytest.mark.parametrize(("state", "word"), [("pausing", "Pause…"), ("paused", "En pause")])
def test_coming_to_rest_is_shown_as_that(
    served: Served, screen: OpenScreen, state: str, word: str
) -> None:
    found = screen(KIOSK)
    found.open(PAGE)
    served.lab.workshop.say("printer-a", state, job="j")
    expect(found.page.locator(".now .state")).to_contain_text(word)
    expect(found.page.locator(".bar .pause")).to_be_hidden()
