"""The top view of a machine's page: what only a browser shows of it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import KIOSK, OpenScreen, Served
from tests.browser.shown.machine import mill
from tests.browser.test_goals import MOST_BYTES_OF_A_MACHINE
from tests.lab import wait_for

PAGE = "/m/printer-d"
DRAWN_AT = """([x, y]) => {
  const canvas = document.querySelector("#trail canvas");
  const over = document.querySelector("#trail .u-over"), dot = window.devicePixelRatio;
  const left = over.offsetLeft + over.clientWidth * (x + 400) / 400;
  const top = over.offsetTop + over.clientHeight * -y / 300;
  return [...canvas.getContext("2d").getImageData(left * dot, top * dot, 1, 1).data].join();
}"""


def test_the_head_is_drawn_to_scale_and_followed(served: Served, screen: OpenScreen) -> None:
    mill(served, "printer-d")
    found = screen(KIOSK)
    found.stop_time()  # what is asked for again and again is no first load
    session = found.page.context.new_cdp_session(found.page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    found.open(PAGE)
    expect(found.page.locator("#trail canvas")).to_have_count(1)
    box = found.page.locator("#trail .u-over").bounding_box()
    assert box
    assert abs(box["width"] / box["height"] - 400 / 300) < 0.03
    wait_for("an open stream", lambda: served.inner.hub.streams == 1)
    place = [-350.0, -250.0]
    ground = found.page.evaluate(DRAWN_AT, place)
    assert ground == "0,0,0,0"
    x, y = place
    served.lab.workshop.telemetry("printer-d", "position", machine_x_mm=x, machine_y_mm=y)
    expect(found.page.locator("[data-head]")).to_have_attribute("data-head", f"{x} {y}")
    found.page.wait_for_function(f"(place) => ({DRAWN_AT})(place).endsWith(',255')", arg=place)
    expect(found.page.locator("#trail [data-words]")).to_contain_text("La machine atteint X -400,0")
    assert sum(sizes) <= MOST_BYTES_OF_A_MACHINE, f"{sum(sizes)} bytes"
    assert found.troubles() == []
