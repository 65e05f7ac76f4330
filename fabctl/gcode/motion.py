"""How long moves take: acceleration trapezoids with junction speeds, in bounded memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

from fabctl.gcode.timeline import Timeline
from fabctl.ports import MachineKind

SAME_WAY = 1e-5
"""Unit directions that differ by less on every axis are the same."""
ANY_SPEED2 = 1e18
"""A speed², in (mm/s)², above every speed there is: no limit."""


@dataclass(frozen=True, slots=True)
class MotionSettings:
    """What the estimate of time believes about a machine. All values > 0."""

    acceleration: float
    """While extruding or cutting, mm/s²."""
    travel_acceleration: float
    """mm/s²."""
    retract_acceleration: float
    """Of the extruder alone, mm/s²."""
    z_acceleration: float
    """mm/s²."""
    jerk: float
    """An axis's change of velocity without ramp where two moves meet, mm/s."""
    retract_jerk: float
    """The same where the extruder alone moves, mm/s."""
    feed_max_mm_per_min: float
    """Of X and Y."""
    z_feed_max_mm_per_min: float
    retract_feed_max_mm_per_min: float
    rapid_mm_per_min: float | None = None
    """G0's own speed; None: G0 moves at the feed (Marlin)."""


PRINTER_MOTION = MotionSettings(
    acceleration=1500.0,
    travel_acceleration=1500.0,
    retract_acceleration=1500.0,
    z_acceleration=500.0,
    jerk=10.0,
    retract_jerk=2.5,
    feed_max_mm_per_min=30000.0,
    z_feed_max_mm_per_min=720.0,
    retract_feed_max_mm_per_min=7200.0,
)
"""The machine that PrusaSlicer 2.5.0 assumes when it is told nothing: the ``machine_max_…``
values at the end of its files (normal mode)."""

CUTTER_MOTION = MotionSettings(
    acceleration=400.0,
    travel_acceleration=400.0,
    retract_acceleration=400.0,
    z_acceleration=400.0,
    jerk=4.4,
    retract_jerk=4.4,
    feed_max_mm_per_min=5000.0,
    z_feed_max_mm_per_min=5000.0,
    retract_feed_max_mm_per_min=5000.0,
    rapid_mm_per_min=5000.0,
)
"""A common desktop mill, DEFAULTS_SHAPEOKO_3 in Grbl's ``grbl/defaults.h``: 5000 mm/min,
400 mm/s², junction deviation 0.02 mm. ``jerk`` is what that deviation allows in a right angle:
v² = a·δ·s/(1-s) with s = sin 45° gives 4.4 mm/s (``grbl/planner.c``)."""


def default_motion(kind: MachineKind) -> MotionSettings:
    """Return what to believe about a machine that nobody measured."""
    return PRINTER_MOTION if kind is MachineKind.PRINTER else CUTTER_MOTION


_TIMED_TOGETHER = 16
"""Moves per point of the timeline."""
LOOK_AHEAD = 32
"""Moves kept back by a flush; Marlin and Grbl plan 16 ahead (BLOCK_BUFFER_SIZE), forks more."""

Move: TypeAlias = tuple[float, float, float, float, float, int]
"""One move that waits for its neighbours: length (mm, > 0), the speed it asks for (mm/s, > 0), that
speed squared, the highest speed² at which the machine may go from the move before into this one,
twice the acceleration (mm/s², > 0), and the number of commands up to this one. A plain tuple:
thousands are made per block."""


class Planner:
    """Adds up the time of moves.

    Moves wait in ``batch`` until :meth:`flush` or :meth:`stop`; each flush keeps the last few, as
    a controller looks ahead. The reader's hot loop appends to ``batch`` itself.
    """

    __slots__ = ("_entry2", "batch", "seconds", "timeline")

    def __init__(self) -> None:
        self.batch: list[Move] = []
        self.seconds = 0.0
        self.timeline = Timeline()
        self._entry2 = 0.0

    def stop(self) -> None:
        """The machine comes to a stand: after it the next move starts from nothing."""
        self._run(keep=0)
        self._entry2 = 0.0

    def flush(self) -> None:
        """Add up what waits, except the last moves. Call it at least every few thousand moves."""
        self._run(keep=LOOK_AHEAD)

    def dwell(self, seconds: float, commands: int) -> None:
        """Stand still for this long; ``commands`` have been read."""
        self.stop()
        self.seconds += seconds
        self.timeline.add(commands, self.seconds)

    def _run(self, keep: int) -> None:
        batch = self.batch
        moves = len(batch) - keep
        if moves <= 0:
            return
        exits = _exit_speeds(batch)
        for start in range(0, moves, _TIMED_TOGETHER):
            end = min(start + _TIMED_TOGETHER, moves)
            seconds, self._entry2 = _time(batch[start:end], exits[start:end], self._entry2)
            self.seconds += seconds
            self.timeline.add(batch[end - 1][5], self.seconds)
        del batch[:moves]


def junction_speed2(
    before: tuple[float, float, float], after: tuple[float, float, float], jerk: float
) -> float:
    """Return the highest speed² at which unit direction ``before`` may turn into ``after``.

    No axis may change its velocity by more than ``jerk`` (marlinfw.org/docs/gcode/M205: X, Y).
    """
    (ax, ay, az), (bx, by, bz) = before, after
    change = max(abs(bx - ax), abs(by - ay), abs(bz - az))
    return (jerk / change) ** 2 if change > SAME_WAY else ANY_SPEED2


def _exit_speeds(batch: list[Move]) -> list[float]:
    """Return the highest speed² at the end of each move, standing still after the last."""
    exits = [0.0] * len(batch)
    after2 = 0.0
    for i in range(len(batch) - 1, 0, -1):
        length, _, speed2, entry2, acceleration, _ = batch[i]
        after2 += acceleration * length
        after2 = min(after2, entry2, speed2)
        exits[i - 1] = after2
    return exits


def _time(batch: list[Move], exits: list[float], begin2: float) -> tuple[float, float]:
    """Return the seconds for moves with their highest exit speeds², and the last exit speed²."""
    seconds = 0.0
    sqrt = math.sqrt
    begin = sqrt(begin2)
    for (length, speed, speed2, _, acceleration, _), limit2 in zip(batch, exits, strict=True):
        reach = acceleration * length
        end2 = begin2 + reach
        if limit2 < end2:  # noqa: PLR1730 # a call of min() takes three times as long
            end2 = limit2
        if speed2 < end2:  # noqa: PLR1730 # the same
            end2 = speed2
        peak2 = (begin2 + end2 + reach) / 2.0
        end = sqrt(end2)
        if peak2 > speed2:
            ramps = (2.0 * speed2 - begin2 - end2) / acceleration
            seconds += (length - ramps) / speed
            peak2, peak = speed2, speed
        else:
            peak = sqrt(peak2)
        seconds += 2.0 * (2.0 * peak - begin - end) / acceleration
        begin2, begin = end2, end
    return seconds, begin2
