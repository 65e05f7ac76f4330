"""Every area's PATHS and SCHEMAS; :mod:`fabctl_web.api.openapi` makes one document of them."""

from __future__ import annotations

from fabctl_web.api.described import (
    about,
    audit,
    calendars,
    enrolments,
    house,
    jobs,
    machines,
    notices,
    people,
    policies,
    reservations,
    resources,
    series,
    session_day,
    statistics,
    training,
    upkeep,
    upkeep_tasks,
    waiting,
    workshops,
)

AREAS = (
    about,
    machines,
    resources,
    reservations,
    series,
    waiting,
    calendars,
    jobs,
    people,
    policies,
    house,
    audit,
    training,
    workshops,
    enrolments,
    session_day,
    statistics,
    upkeep,
    upkeep_tasks,
    notices,
)
