"""The motion queue with time in it: trapezoids, junction speeds, look-ahead.

The ideas are those that Marlin documents (``module/planner.cpp``, file comment;
https://reprap.org/forum/read.php?147,33082): speed changes at constant acceleration within a
block, junction speeds by "junction deviation", a reverse and a forward pass over what waits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from fabctl_sim.marlin.board import Axes

Vector = tuple[float, float, float, float]


@dataclass(slots=True)
class Block:
    """One straight move (or one arc, as a length); mm, mm/s, mm/s²."""

    end: Axes
    length: float
    nominal: float
    accel: float
    enters: Vector
    leaves: Vector
    entry_max: float = 0.0
    entry: float = 0.0


@dataclass(slots=True)
class Ramp:
    """A block's speed over time: up, along, down. The ends are met by construction."""

    begin: float
    top: float
    end: float
    accel: float
    length: float

    @classmethod
    def over(cls, block: Block, exit_speed: float) -> Ramp:
        """Fit the fastest trapezoid into a block, from its entry to ``exit_speed``."""
        enter = block.entry
        reach = math.sqrt((2 * block.accel * block.length + enter**2 + exit_speed**2) / 2)
        top = max(min(block.nominal, reach), enter, exit_speed)
        return cls(enter, top, exit_speed, block.accel, block.length)

    @property
    def _up_s(self) -> float:
        return (self.top - self.begin) / self.accel

    @property
    def _down_s(self) -> float:
        return (self.top - self.end) / self.accel

    @property
    def _along_s(self) -> float:
        ramps = (2 * self.top**2 - self.begin**2 - self.end**2) / (2 * self.accel)
        return max(0.0, self.length - ramps) / self.top

    @property
    def seconds(self) -> float:
        """How long the block takes."""
        return self._up_s + self._along_s + self._down_s

    def travelled(self, seconds: float) -> float:
        """How far along the block the tool is after ``seconds``, in mm."""
        up, along = self._up_s, self._along_s
        if seconds <= up:
            return self.begin * seconds + self.accel * seconds**2 / 2
        done = (self.top**2 - self.begin**2) / (2 * self.accel)
        if seconds <= up + along:
            return done + self.top * (seconds - up)
        left = max(0.0, self.seconds - seconds)
        return self.length - (self.end * left + self.accel * left**2 / 2)


class Planner:
    """At most ``size`` - 1 blocks, run one after the other."""

    def __init__(self, size: int, first_move_delay_s: float) -> None:
        self.size = size
        self.first_move_delay_s = first_move_delay_s
        self.blocks: list[Block] = []
        self.position: Axes = (0.0, 0.0, 0.0, 0.0)
        self.moves = 0
        self._ramp: Ramp | None = None
        self._begins_at = 0.0
        self._ends_at = 0.0

    @property
    def free(self) -> int:
        """Blocks that can still be queued; 15 when idle (one place of the ring stays free)."""
        return self.size - 1 - len(self.blocks)

    @property
    def next_change(self) -> float:
        """When the running block ends or the first one begins; infinity when idle."""
        if not self.blocks:
            return math.inf
        return self._ends_at if self._ramp else self._begins_at

    def add(self, block: Block, now: float) -> None:
        """Queue a block; the caller has waited for room."""
        self.advance(now)
        self.moves += 1
        if not self.blocks:
            self._begins_at = now + self.first_move_delay_s
        self.blocks.append(block)
        if self._ramp is None and len(self.blocks) == 3:
            self._begins_at = min(self._begins_at, now)
        self._look_ahead()
        self.advance(now)

    def advance(self, now: float) -> None:
        """Run the blocks up to ``now``."""
        while self.blocks:
            if self._ramp is None:
                if self._begins_at > now:
                    return
                self._begin()
            if self._ends_at > now:
                return
            self._finish()

    def position_at(self, now: float) -> Axes:
        """Where the steppers are."""
        self.advance(now)
        if self._ramp is None:
            return self.position
        block = self.blocks[0]
        part = self._ramp.travelled(now - self._begins_at) / block.length
        x, y, z, e = (a + (b - a) * part for a, b in zip(self.position, block.end, strict=True))
        return (x, y, z, e)

    def quick_stop(self, now: float) -> Axes:
        """Drop every block and stop here; return where that is."""
        self.position = self.position_at(now)
        self.blocks.clear()
        self._ramp = None
        return self.position

    def rename_e(self, by: float) -> None:
        """G92 E: every E that is known or queued is called ``by`` mm more, nothing moves."""
        for block in self.blocks:
            x, y, z, e = block.end
            block.end = (x, y, z, e + by)
        x, y, z, e = self.position
        self.position = (x, y, z, e + by)

    def _begin(self) -> None:
        exit_speed = self.blocks[1].entry if len(self.blocks) > 1 else 0.0
        self._ramp = Ramp.over(self.blocks[0], exit_speed)
        self._ends_at = self._begins_at + self._ramp.seconds

    def _finish(self) -> None:
        self.position = self.blocks.pop(0).end
        self._ramp = None
        self._begins_at = self._ends_at

    def _look_ahead(self) -> None:
        """Set the entry speeds of all blocks whose entry is still open."""
        blocks = self.blocks
        first = 1 if self._ramp else 0
        exit_speed = 0.0
        index = len(blocks) - 1
        while index > first:
            block = blocks[index]
            entry = min(block.entry_max, math.sqrt(exit_speed**2 + 2 * block.accel * block.length))
            if entry == block.entry and index < len(blocks) - 1:
                break
            block.entry = exit_speed = entry
            index -= 1
        for here, following in pairwise(blocks[max(index, 0) :]):
            reach = math.sqrt(here.entry**2 + 2 * here.accel * here.length)
            following.entry = min(following.entry, reach)


def junction_speed(before: Block, after: Block, deviation_mm: float) -> float:
    """Return the fastest speed through a corner, by junction deviation, in mm/s."""
    cosine = -sum(a * b for a, b in zip(before.leaves, after.enters, strict=True))
    limit = min(before.nominal, after.nominal)
    if cosine > 0.999999:
        return 0.0
    sine = math.sqrt(0.5 * (1.0 - max(cosine, -0.999999)))
    if sine > 0.999999:
        return limit
    return min(limit, math.sqrt(after.accel * deviation_mm * sine / (1.0 - sine)))
