"""Every part of the workshops' pages."""

from __future__ import annotations

from fabctl_web.workshops import (
    consents,
    console,
    console_forms,
    desk,
    enrolling,
    listed,
    planning,
    session_desk,
)

AREAS = (
    listed.area, enrolling.area, consents.area, console.area, console_forms.area, desk.area,
    planning.area, session_desk.area,
)  # fmt: skip
