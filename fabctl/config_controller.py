"""``[machines.….controller]`` of ``lab.toml``: what a machine's own settings say."""

from __future__ import annotations

import math
from typing import Any

from fabctl.config_reader import NotAllowedError, Table, number, whole
from fabctl.ports import Controller, MachineKind

_ACCELERATION = number(0, 1_000_000, "mm/s²")
_FEED = number(0, 1_000_000, "mm/min")
_JERK = number(0, 10_000, "mm/s")
_CHECKS = {
    "acceleration_mm_per_s2": _ACCELERATION,
    "travel_acceleration_mm_per_s2": _ACCELERATION,
    "retract_acceleration_mm_per_s2": _ACCELERATION,
    "z_acceleration_mm_per_s2": _ACCELERATION,
    "jerk_mm_per_s": _JERK,
    "retract_jerk_mm_per_s": _JERK,
    "junction_deviation_mm": number(0, 10, "mm"),
    "feed_max_mm_per_min": _FEED,
    "z_feed_max_mm_per_min": _FEED,
    "retract_feed_max_mm_per_min": _FEED,
    "rapid_mm_per_min": _FEED,
}


def controller(table: Table, kind: MachineKind) -> Controller:
    """Return what the table says; None for what it leaves out."""
    numbers = {key: table.take(key, check, None) for key, check in _CHECKS.items()}
    found = Controller(
        line_bytes=table.take("line_bytes", whole(24, 4096), None),
        work_zero_mm=table.take("work_zero_mm", _point, None),
        home_mm=table.take("home_mm", _point, None),
        **numbers,
    )
    if found.junction_deviation_mm is not None and found.jerk_mm_per_s is not None:
        table.complain("junction_deviation_mm", "this or jerk_mm_per_s, not both")
    if found.work_zero_mm is not None and kind is MachineKind.PRINTER:
        table.complain("work_zero_mm", "only for a mill or a laser")
    if found.home_mm is not None and kind is not MachineKind.PRINTER:
        table.complain("home_mm", "only for a printer")
    table.finish()
    return found


def _point(value: Any) -> tuple[float, float, float]:
    """A place as [x, y, z] in mm."""
    allowed = "[x, y, z] in mm, each between -10000 and 10000"
    if not isinstance(value, list) or len(value) != 3:
        raise NotAllowedError(allowed)
    for one in value:
        if isinstance(one, bool) or not isinstance(one, int | float) or not math.isfinite(one):
            raise NotAllowedError(allowed)
        if abs(one) > 10_000:
            raise NotAllowedError(allowed)
    x, y, z = map(float, value)
    return x, y, z
