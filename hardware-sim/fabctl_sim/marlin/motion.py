"""Where the tool is and how it moves: G0 to G4, G20/G21, G28, G90 to G92, M82/M83, stops."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import TYPE_CHECKING

from fabctl_sim.marlin.board import Axes, Board
from fabctl_sim.marlin.planner import Block, Planner, Vector, junction_speed

if TYPE_CHECKING:
    from fabctl_sim.marlin.machine import Machine

Words = dict[str, float | None]
Waiting = Generator[float, None, None]
"""A command that takes time: yields when it wants to be asked again, on the simulated clock."""

AXES = "XYZE"
COLD = "echo: cold extrusion prevented"
TOO_LONG = "echo: too long extrusion prevented"


class Motion:
    """Position, modes and the planner. Lengths in mm, feeds in mm/s.

    ``position`` is where the last queued move ends, in the firmware's own coordinates;
    ``carriage`` (see :meth:`carriage_at`) is where the machine really is: the two differ by a
    constant that homing removes, because a board that was just switched on does not know.
    """

    def __init__(self, board: Board) -> None:
        self.board = board
        self.planner = Planner(board.block_buffer_size, board.first_move_delay_s)
        self.lost: tuple[float, float, float] = board.parked_mm
        self.reset()

    def reset(self) -> None:
        """Start as after power-up: everything 0, absolute, nothing homed."""
        self.position: Axes = (0.0, 0.0, 0.0, 0.0)
        self.shift = [0.0, 0.0, 0.0]
        self.homed = [False, False, False]
        self.relative = [False, False, False, False]
        self.unit_mm = 1.0
        self.feed = 25.0
        self.feed_percent = 100.0
        self.flow_percent = 100.0
        """Scales the steps of E in the planner (``planner.cpp``, e_factor), not its place."""
        self.fan = 0
        self.print_accel = self.board.print_accel_mm_per_s2
        self.travel_accel = self.board.travel_accel_mm_per_s2
        self.retract_accel = self.board.retract_accel_mm_per_s2
        self.max_feed = list(self.board.max_feed_mm_per_s)
        self.max_accel = list(self.board.max_accel_mm_per_s2)
        self.junction_mm = self.board.junction_deviation_mm
        self.min_segment_s = self.board.min_segment_s
        self.soft_endstops = True
        self._last: Block | None = None
        self._place((0.0, 0.0, 0.0, 0.0))

    def _place(self, position: Axes) -> None:
        self.position = position
        self.planner.position = position

    def carriage_at(self, now: float) -> tuple[float, float, float]:
        """Where the machine really is, in mm from its endstops; it stops at its frame."""
        x, y, z, _ = self.planner.position_at(now)
        really = (x + self.lost[0], y + self.lost[1], z + self.lost[2])
        ends = self.board.bed_mm
        return (
            min(max(really[0], 0.0), ends[0]),
            min(max(really[1], 0.0), ends[1]),
            min(max(really[2], 0.0), ends[2]),
        )

    def logical(self) -> Axes:
        """Return the position as M114 shows it (workspace offsets of G92 applied)."""
        x, y, z, e = self.position
        return (x + self.shift[0], y + self.shift[1], z + self.shift[2], e)

    def destination(self, words: Words) -> Axes:
        """Read the target of a move: absolute or relative, in the unit in force, clamped."""
        here = self.logical()
        target = [0.0, 0.0, 0.0, 0.0]
        for axis, letter in enumerate(AXES):
            value = words.get(letter)
            if value is None:
                target[axis] = here[axis]
                continue
            base = here[axis] if self.relative[axis] else 0.0
            target[axis] = base + value * self.unit_mm
        for axis in range(3):
            target[axis] = self._clamped(axis, target[axis] - self.shift[axis])
        return (target[0], target[1], target[2], target[3])

    def _clamped(self, axis: int, value: float) -> float:
        """Soft endstops hold only an axis that was homed (``module/motion.cpp``)."""
        if not (self.soft_endstops and self.homed[axis]):
            return value
        return min(max(value, 0.0), self.board.bed_mm[axis])

    def block(self, target: Axes, length: float, tangents: tuple[Vector, Vector]) -> Block:
        """Build a block whose speed and acceleration respect every axis' limits."""
        delta = [b - a for a, b in zip(self.position, target, strict=True)]
        speed = self.feed * self.feed_percent / 100.0
        accel = self._acceleration(delta)
        for axis, moved in enumerate(delta):
            share = min(1.0, abs(moved) / length)
            if share > 0.0:
                speed = min(speed, self.max_feed[axis] / share)
                accel = min(accel, self.max_accel[axis] / share)
        speed = self._slowed(length, speed)
        return Block(target, length, max(speed, 0.05), accel, *tangents)

    def _acceleration(self, delta: list[float]) -> float:
        if not delta[3]:
            return self.travel_accel
        return self.print_accel if any(delta[:3]) else self.retract_accel

    def _slowed(self, length: float, speed: float) -> float:
        """Stretch short segments while few blocks wait (``SLOWDOWN``, M205 B)."""
        waiting = len(self.planner.blocks)
        if not 2 <= waiting < self.planner.size // 2:
            return speed
        seconds = length / speed
        if seconds >= self.min_segment_s:
            return speed
        return length / (seconds + 2 * (self.min_segment_s - seconds) / waiting)

    def queue(self, block: Block, now: float) -> None:
        """Hand a block to the planner; there is room for it."""
        if self.planner.blocks and self._last is not None:
            block.entry_max = junction_speed(self._last, block, self.junction_mm)
        self._last = block
        self.position = block.end
        self.planner.add(block, now)

    def limit(self, limits: list[float], words: Words) -> None:
        """M201 and M203: change an axis' highest acceleration or feed, mm/s² or mm/s."""
        for axis, letter in enumerate(AXES):
            limits[axis] = words.get(letter) or limits[axis]

    def quick_stop(self, now: float) -> None:
        """M410: stop here and forget the rest."""
        self.position = self.planner.quick_stop(now)

    def home(self, axes: list[int]) -> None:
        """The carriage stands at these axes' endstops, and the firmware knows it now."""
        here = list(self.position)
        lost = list(self.lost)
        for axis in axes:
            here[axis] = lost[axis] = self.shift[axis] = 0.0
            self.homed[axis] = True
        self.lost = (lost[0], lost[1], lost[2])
        self._place((here[0], here[1], here[2], here[3]))

    def set_position(self, words: Words) -> None:
        """G92: call the present place something else, without moving."""
        for axis, letter in enumerate(AXES):
            value = words.get(letter)
            if value is None:
                continue
            if axis == 3:
                here = self.position
                self.position = (here[0], here[1], here[2], value * self.unit_mm)
                self.planner.rename_e(self.position[3] - here[3])
            else:
                self.shift[axis] = value * self.unit_mm - self.position[axis]


def drained(m: Machine) -> Waiting:
    """Wait until every queued move is done (M400, and whatever needs to stand still)."""
    planner = m.motion.planner
    planner.advance(m.clock)
    while planner.blocks:
        yield planner.next_change
        planner.advance(m.clock)


def move(m: Machine, words: Words) -> Waiting:
    """G0 and G1: straight to the target at the feed in force."""
    motion = m.motion
    _take_feed(motion, words)
    target = _without_forbidden_extrusion(m, motion.destination(words))
    delta = [b - a for a, b in zip(motion.position, target, strict=True)]
    length = math.sqrt(sum(d * d for d in delta[:3])) or abs(delta[3])
    if length:
        yield from _queued(m, target, length, _directions(delta))
    motion.position = target


def arc(m: Machine, words: Words, *, clockwise: bool) -> Waiting:
    """G2 and G3: an arc in the XY plane, run as one block of the arc's length."""
    motion = m.motion
    _take_feed(motion, words)
    target = _without_forbidden_extrusion(m, motion.destination(words))
    shape = _arc_shape(motion, words, target, clockwise=clockwise)
    if shape is None:
        m.say("Error:G2/G3 bad parameters")
        return
    length, tangents = shape
    yield from _queued(m, target, length, tangents)


def _queued(m: Machine, target: Axes, length: float, tangents: tuple[Vector, Vector]) -> Waiting:
    planner = m.motion.planner
    planner.advance(m.clock)
    while planner.free == 0:
        yield planner.next_change
        planner.advance(m.clock)
    m.motion.queue(m.motion.block(target, length, tangents), m.clock)


def _take_feed(motion: Motion, words: Words) -> None:
    feed = words.get("F")
    if feed:
        motion.feed = feed * motion.unit_mm / 60.0


def _without_forbidden_extrusion(m: Machine, target: Axes) -> Axes:
    """A cold or very long extrusion is counted but not moved (``PREVENT_COLD_EXTRUSION``)."""
    motion = m.motion
    extruded = target[3] - motion.position[3]
    if not extruded:
        return target
    reason = None
    if m.nozzle.temperature(m.clock) < m.extrude_min_c:
        reason = COLD
    elif abs(extruded) > m.board.extrude_max_mm:
        reason = TOO_LONG
    if reason:
        m.say(reason)
        x, y, z, _ = motion.position
        motion.position = (x, y, z, target[3])
        motion.planner.rename_e(extruded)
    return target


def _directions(delta: list[float]) -> tuple[Vector, Vector]:
    norm = math.sqrt(sum(d * d for d in delta))
    unit = (delta[0] / norm, delta[1] / norm, delta[2] / norm, delta[3] / norm)
    return unit, unit


def _arc_shape(
    motion: Motion, words: Words, target: Axes, *, clockwise: bool
) -> tuple[float, tuple[Vector, Vector]] | None:
    """Length of the arc and its direction at both ends; None when the words make no arc."""
    x, y = motion.position[:2]
    centre = _centre(motion, words, target, clockwise=clockwise)
    if centre is None:
        return None
    cx, cy = centre
    begin, end = math.atan2(y - cy, x - cx), math.atan2(target[1] - cy, target[0] - cx)
    turn = (begin - end if clockwise else end - begin) % (2 * math.pi)
    if turn < 1e-9:
        turn = 2 * math.pi
    radius = math.hypot(x - cx, y - cy)
    length = math.hypot(radius * turn, target[2] - motion.position[2])
    side = -1.0 if clockwise else 1.0
    first = (-math.sin(begin) * side, math.cos(begin) * side, 0.0, 0.0)
    last = (-math.sin(end) * side, math.cos(end) * side, 0.0, 0.0)
    return length, (first, last)


def _centre(
    motion: Motion, words: Words, target: Axes, *, clockwise: bool
) -> tuple[float, float] | None:
    x, y = motion.position[:2]
    radius = words.get("R")
    if radius is None:
        i, j = (words.get("I") or 0.0) * motion.unit_mm, (words.get("J") or 0.0) * motion.unit_mm
        return (x + i, y + j) if i or j else None
    radius *= motion.unit_mm
    dx, dy = target[0] - x, target[1] - y
    chord = math.hypot(dx, dy)
    if chord == 0.0 or abs(radius) < chord / 2 - 1e-6:
        return None
    height = math.sqrt(max(0.0, radius**2 - chord**2 / 4))
    side = -1.0 if clockwise != (radius < 0) else 1.0
    return (x + dx / 2 - side * height * dy / chord, y + dy / 2 + side * height * dx / chord)
