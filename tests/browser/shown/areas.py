"""Every area whose pages are looked at."""

from __future__ import annotations

from tests.browser.shown import Area, first, machine, planning, workshops

AREAS: tuple[Area, ...] = (first.AREA, machine.AREA, planning.AREA, workshops.AREA)
