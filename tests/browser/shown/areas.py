"""Every area whose pages are looked at."""

from __future__ import annotations

from tests.browser.shown import (
    Area,
    first,
    machine,
    planning,
    sign_in,
    staff,
    staff_house,
    training,
    workshops,
)

AREAS: tuple[Area, ...] = (
    first.AREA, machine.AREA, planning.AREA, sign_in.AREA, staff.AREA, staff_house.AREA,
    training.AREA, workshops.AREA,
)  # fmt: skip
