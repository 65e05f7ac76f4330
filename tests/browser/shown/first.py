"""The board, a machine's page, booking, signing in, one's own page."""

from __future__ import annotations

from tests.browser.conftest import Served
from tests.browser.shown import Area, Shown
from tests.web_lab import GOOD_FILE


def fill(served: Served) -> dict[str, str]:
    """Give the first machines something to show."""
    workshop, camille = served.lab.workshop, served.lab.browser()
    camille.sign_in("camille")
    camille.upload(GOOD_FILE, "a_name_without_any_blank_" * 4 + ".gcode", page="/m/printer-g")
    workshop.say("printer-a", "running", job="j1")
    workshop.progress("printer-a", "j1", 0.43, eta_s=5400)
    workshop.temperatures(
        "printer-a", nozzle_c=214.6, nozzle_target_c=215, bed_c=60, bed_target_c=60
    )
    workshop.say("printer-b", "broken", trouble="cable-lost")
    workshop.say("printer-c", "paused", job="j2", waiting="Insert filament")
    workshop.say("printer-d", "blocked", reason="The lid is open")
    workshop.say("printer-e", "offline")
    workshop.say("printer-f", "preparing", job="j3")
    return {}


PATHS = (
    "/", "/m/printer-a", "/m/printer-b", "/m/printer-c", "/m/printer-g", "/m/printer-a/book", "/in",
    "/in?with=password", "/nope",
)  # fmt: skip
AREA = Area(
    "first",
    fill,
    (
        *(Shown(path) for path in PATHS),
        *(Shown(path, "camille") for path in (*PATHS, "/me")),
        Shown("/", "camille", desk=True),
        Shown("/in", desk=True),
    ),
)
