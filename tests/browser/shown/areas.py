"""Every area whose pages are looked at."""

from __future__ import annotations

from tests.browser.shown import Area, first, planning

AREAS: tuple[Area, ...] = (first.AREA, planning.AREA)
