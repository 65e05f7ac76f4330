"""Every area whose pages are looked at."""

from __future__ import annotations

from tests.browser.shown import Area, first, machine, planning, sign_in, training, workshops

AREAS: tuple[Area, ...] = (
    first.AREA, machine.AREA, planning.AREA, sign_in.AREA, training.AREA, workshops.AREA,
)  # fmt: skip
