"""Every area whose pages are looked at."""

from __future__ import annotations

from tests.browser.shown import Area, first, planning, workshops

AREAS: tuple[Area, ...] = (first.AREA, planning.AREA, workshops.AREA)
