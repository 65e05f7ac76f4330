"""Every part of the staff's own pages."""

from __future__ import annotations

from fabctl_web.staff import (
    audit,
    groups,
    health,
    importing,
    people,
    person,
    person_acts,
    today,
    today_acts,
)

AREAS = (
    today.area, today_acts.area, people.area, importing.area, person.area, person_acts.area,
    groups.area, audit.area, health.area,
)  # fmt: skip
