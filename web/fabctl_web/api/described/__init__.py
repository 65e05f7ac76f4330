"""Every area's PATHS and SCHEMAS; :mod:`fabctl_web.api.openapi` makes one document of them."""

from __future__ import annotations

from fabctl_web.api.described import (
    about,
    calendars,
    jobs,
    machines,
    reservations,
    resources,
    series,
    waiting,
)

AREAS = (about, machines, resources, reservations, series, waiting, calendars, jobs)
