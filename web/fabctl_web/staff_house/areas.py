"""Every part of the house's pages."""

from __future__ import annotations

from fabctl_web.staff_house import (
    accessibility,
    closing,
    hours,
    maintenance,
    policies,
    pools,
    statistics,
    things,
    upkeep,
)

AREAS = (
    policies.area, hours.area, closing.area, things.area, pools.area, upkeep.area,
    maintenance.area, statistics.area, accessibility.area,
)  # fmt: skip
