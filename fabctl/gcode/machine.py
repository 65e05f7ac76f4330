"""A file read for one machine, with all that ``lab.toml`` says about it.

Whoever checks a file for a machine (an upload, the machine's process before a job) comes this
way: so both say the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

from fabctl.gcode.motion import MotionSettings, default_motion
from fabctl.gcode.preflight import LONGEST_LINE, inspect
from fabctl.gcode.report import Report
from fabctl.gcode.watching import Vector, Watcher
from fabctl.ports import MachineKind, MachineProfile

LONGEST_GRBL_LINE = 80
"""Grbl's line buffer in bytes (LINE_BUFFER_SIZE in ``grbl/protocol.h``), its closing NUL
included. grblHAL and FluidNC take longer ones: ``controller.line_bytes`` says so."""
_RIGHT_ANGLE = math.sin(math.pi / 4.0) / (1.0 - math.sin(math.pi / 4.0))
"""A junction's speed² over acceleration times deviation, in a right angle (``grbl/planner.c``)."""


def inspect_for(
    stream: BinaryIO,
    profile: MachineProfile,
    *,
    progress: Callable[[int], None] | None = None,
    work_zero: Vector | None = None,
    watch: Watcher | None = None,
) -> Report:
    """Read a file for a machine, as :func:`fabctl.gcode.preflight.inspect` does.

    :param work_zero: where the machine itself says that its zero lies (machine coordinates, mm);
        it counts more than what ``lab.toml`` says.
    """
    known = profile.controller
    return inspect(
        stream,
        kind=profile.kind,
        work_area=profile.work_area,
        limits=profile.limits,
        max_line=line_limit(profile),
        progress=progress,
        motion=motion_of(profile),
        work_offset=work_zero or known.work_zero_mm,
        home=known.home_mm or (0.0, 0.0, 0.0),
        watch=watch,
    )


def line_limit(profile: MachineProfile) -> int:
    """Return the controller's line buffer in bytes, its closing NUL included.

    The kind decides the dialect (decision 0102), so without better knowledge it decides this too.
    """
    if profile.controller.line_bytes is not None:
        return profile.controller.line_bytes
    return LONGEST_LINE if profile.kind is MachineKind.PRINTER else LONGEST_GRBL_LINE


def motion_of(profile: MachineProfile) -> MotionSettings:
    """Return what the estimate of time should believe about a machine.

    One acceleration or feed given stands for the ones left out that firmware derives from it.
    """
    known, usual = profile.controller, default_motion(profile.kind)
    acceleration = known.acceleration_mm_per_s2
    feed = known.feed_max_mm_per_min or profile.limits.feed_max_mm_per_min
    given = {
        "acceleration": acceleration,
        "travel_acceleration": known.travel_acceleration_mm_per_s2 or acceleration,
        "retract_acceleration": known.retract_acceleration_mm_per_s2,
        "z_acceleration": known.z_acceleration_mm_per_s2,
        "jerk": known.jerk_mm_per_s,
        "retract_jerk": known.retract_jerk_mm_per_s,
        "feed_max_mm_per_min": feed,
        "z_feed_max_mm_per_min": known.z_feed_max_mm_per_min,
        "retract_feed_max_mm_per_min": known.retract_feed_max_mm_per_min,
        "rapid_mm_per_min": known.rapid_mm_per_min or (usual.rapid_mm_per_min and feed),
    }
    motion = replace(usual, **{name: value for name, value in given.items() if value})
    if known.junction_deviation_mm is None:
        return motion
    jerk = math.sqrt(motion.acceleration * known.junction_deviation_mm * _RIGHT_ANGLE)
    return replace(motion, jerk=jerk)
