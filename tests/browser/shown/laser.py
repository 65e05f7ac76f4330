"""A laser with an interlock while somebody works with it: for the documents' pictures alone.

tests/browser/test_interlock_screen.py looks at these pages in every state.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from fabctl.config import LabConfig
from fabctl.interlock import InputRole
from fabctl.messaging.interlocks import LONGEST_PROMISE_S
from fabctl.services.people import get_person
from tests.browser.conftest import Served
from tests.browser.shown import Area, Shown
from tests.interlocked_lab import LASER, interlocked_config, say
from tests.web_lab import TWELVE


def config(folder: Path) -> LabConfig:
    """Return a lab of twelve machines; the third is a laser with an interlock."""
    return interlocked_config(folder, TWELVE)


def fill(served: Served, state: str, *failed: InputRole, **more: Any) -> dict[str, str]:
    """Let Camille begin, and the interlock say a state."""
    lab = served.lab
    with lab.db.reading() as db:
        camille = get_person(db, lab.id_of("camille"))
    lab.book(camille, LASER)
    say(lab, LASER, "locked")
    browser = lab.browser()
    browser.sign_in("camille")
    browser.post(f"/m/{LASER}/begin", page=f"/m/{LASER}")
    say(lab, LASER, state, *failed, use="u", max_age_s=LONGEST_PROMISE_S, **more)
    return {}


PAGES = (Shown(f"/m/{LASER}", "camille"),)
ARMED = Area("laser-armed", partial(fill, state="armed", outputs_on=True), PAGES, config)
CUT_OFF = Area(
    "laser-cut-off",
    lambda served: fill(
        served, "tripped", InputRole.LID_A, InputRole.LID_B,
        cause="lid-open", first_cause="lid-open",
    ),
    PAGES,
    config,
)  # fmt: skip
