"""Moves that a person asks for while no job runs: homing and jogging. Pure.

Sources: marlinfw.org G28, G90, G91, M400.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from fabctl.errors import InputError, LocalError, TargetOutOfRangeError
from fabctl.ports import WorkArea
from fabctl.units import MmPerMin
from fabctl_drivers.marlin.pausing import locate

AXES = "XYZ"


def home(axes: str) -> list[bytes]:
    """Return the commands that home ``axes`` (letters of XYZ; empty for all).

    :raises InputError: there is no such axis.
    """
    wanted = [axis for axis in AXES if axis in axes.upper()]
    if len(wanted) != len(axes):
        raise InputError(f"the axes are {axes!r}", limit="letters of XYZ, each once")
    return [" ".join(["G28", *wanted]).encode(), *locate()]


def jog(
    by_mm: Mapping[str, float],
    feed: MmPerMin,
    position: Mapping[str, float],
    area: WorkArea | None,
) -> list[bytes]:
    """Return the commands of one relative move.

    :param by_mm: axis → mm.
    :param position: where the machine is, in mm; empty where it was not homed.
    :raises InputError: no axis, an unknown one, or a number that is none.
    :raises LocalError: nobody knows where the machine is, or how far it may go.
    :raises TargetOutOfRangeError: the move would end outside the work area.
    """
    if not by_mm or not set(by_mm) <= set(AXES):
        raise InputError(f"the axes are {''.join(by_mm)!r}", limit="letters of XYZ")
    if not all(map(math.isfinite, (*by_mm.values(), feed))) or feed <= 0:
        raise InputError("a distance is a number of mm, and a feed is above 0 mm/min")
    if area is None:
        raise LocalError(
            "this machine's work area is not known", next_step="give it work_area in lab.toml"
        )
    for axis, mm in by_mm.items():
        if axis not in position:
            raise LocalError(f"nobody knows where {axis} is", next_step="home the machine first")
        low, high = getattr(area, axis.lower())
        target = position[axis] + mm
        if not low <= target <= high:
            raise TargetOutOfRangeError(
                f"{axis} would go to {target:g} mm", limit=f"{low:g} to {high:g} mm"
            )
    words = " ".join(f"{axis}{mm:.4f}" for axis, mm in by_mm.items())
    return [b"G91", f"G1 {words} F{feed:g}".encode(), b"G90", *locate()]
