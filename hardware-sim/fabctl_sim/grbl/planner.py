"""The motion queue with time in it: look-ahead, feed hold, overrides."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from fabctl_sim.grbl.board import Vec
from fabctl_sim.grbl.profile import Profile, braked, corner_speed, fit

SLOWEST_MM_PER_S = 1.0 / 60.0


@dataclass(slots=True)
class Block:
    """One straight move; mm, mm/s, mm/s².

    :ivar programmed: infinity for a rapid; ``limit`` is what the axes allow.
    :ivar power: rpm or laser power while it runs; ``follows`` when it follows the speed (M4).
    :ivar fixed: no override applies (jog).
    :ivar nominal: speed with overrides. :ivar most: fastest entry that corner and speeds allow.
    """

    end: Vec
    unit: Vec
    length: float
    programmed: float
    limit: float
    accel: float
    mode: str = "G1"
    line: int = 0
    power: float = 0.0
    follows: bool = False
    fixed: bool = False
    junction: float = 0.0
    nominal: float = 0.0
    most: float = 0.0
    entry: float = 0.0


class Planner:
    """At most ``size`` - 1 blocks; nothing moves before :meth:`start`.

    :ivar finished: told of every block that was run to its end, with the time.
    :ivar stopped: a hold has brought everything to rest.
    """

    def __init__(self, size: int, finished: Callable[[Block, float], None]) -> None:
        self.size = size
        self.finished = finished
        self.position: Vec = (0.0, 0.0, 0.0)
        self.feed_percent = 100
        self.rapid_percent = 100
        self.clear()

    def clear(self) -> None:
        """Drop every block; the position stays."""
        self.blocks: list[Block] = []
        self.moving = self.holding = self.stopped = False
        self._begun_at = self._done = self._speed = 0.0
        self._profile = Profile((), 0.0)
        self._last: Vec | None = None

    @property
    def free(self) -> int:
        """Blocks that still fit."""
        return self.size - 1 - len(self.blocks)

    def next_change(self) -> float:
        """When the running block ends or comes to rest; infinity when nothing moves."""
        return self._begun_at + self._profile.seconds if self.moving else math.inf

    def _set_speeds(self, first: int) -> None:
        """Reckon ``nominal`` and ``most`` from the ``first``-th block on."""
        for index in range(first, len(self.blocks)):
            block = self.blocks[index]
            block.nominal = max(self._wanted(block), SLOWEST_MM_PER_S)
            before = self.blocks[index - 1].nominal if index else 0.0
            block.most = min(block.junction, block.nominal, before)

    def _wanted(self, block: Block) -> float:
        if block.fixed:
            return min(block.programmed, block.limit)
        if math.isinf(block.programmed):
            return block.limit * self.rapid_percent / 100.0
        return min(block.programmed * self.feed_percent / 100.0, block.limit)

    def add(self, block: Block, now: float, accels: Vec, deviation_mm: float) -> None:
        """Queue a block; the caller has seen that there is room."""
        self.advance(now)
        if self.blocks and self._last:
            block.junction = corner_speed(self._last, block.unit, accels, deviation_mm)
        self._last = block.unit
        self.blocks.append(block)
        self._set_speeds(len(self.blocks) - 1)
        self._look_ahead(now)

    def start(self, now: float) -> None:
        """Let what is queued run (cycle start)."""
        if self.blocks and not self.moving and not self.holding:
            self.moving = True
            self._begun_at = now
            self._set_off()

    def hold(self, now: float) -> None:
        """Slow down to rest, over as many blocks as it takes."""
        self.advance(now)
        self.holding = True
        if self.moving:
            self._rebase(now)
        else:
            self.stopped = True

    def resume(self, now: float) -> None:
        """Go on after a hold, from rest."""
        self.holding = self.stopped = False
        self._speed = 0.0
        self.start(now)
        self._look_ahead(now, everything=True)

    def replan(self, now: float) -> None:
        """An override has changed."""
        self.advance(now)
        self._set_speeds(0)
        self._look_ahead(now, everything=True)

    def advance(self, now: float) -> None:
        """Run the blocks up to ``now``."""
        while self.moving:
            end = self._begun_at + self._profile.seconds
            if end > now:
                return
            if self._profile.halts:
                self._rest(end)
            else:
                self._finish(end)

    def position_at(self, now: float) -> Vec:
        """Where the tool is."""
        self.advance(now)
        if not self.blocks:
            return self.position
        block = self.blocks[0]
        left = block.length - self._where(now)[0]
        x, y, z = (e - u * left for e, u in zip(block.end, block.unit, strict=True))
        return (x, y, z)

    def speed_at(self, now: float) -> float:
        """How fast it is, in mm/s."""
        self.advance(now)
        return self._where(now)[1] if self.moving else 0.0

    def reaches(self, distance: float) -> float:
        """When the running block's first ``distance`` mm are done; infinity for never."""
        if not self.moving:
            return math.inf
        return self._begun_at + self._profile.when(distance - self._done)

    def freeze(self, now: float) -> Vec:
        """Stop dead, drop everything, and return where that is."""
        position = self.position_at(now)
        self.clear()
        self.position = position
        return position

    def _where(self, now: float) -> tuple[float, float]:
        if not self.moving:
            return self._done, 0.0
        travelled, speed = self._profile.after(max(0.0, now - self._begun_at))
        return self._done + travelled, speed

    def _rebase(self, now: float) -> None:
        self._done, self._speed = self._where(now)
        self._begun_at = max(now, self._begun_at)
        self._set_off()

    def _set_off(self) -> None:
        block = self.blocks[0]
        left = max(0.0, block.length - self._done)
        if self.holding:
            self._profile = braked(self._speed, block.accel, left)
            return
        leave = self.blocks[1].entry if len(self.blocks) > 1 else 0.0
        self._profile = fit(self._speed, block.nominal, leave, block.accel, left)

    def _rest(self, now: float) -> None:
        self._done, self._speed = self._where(now)
        self.moving, self.stopped, self._speed = False, True, 0.0

    def _finish(self, now: float) -> None:
        block = self.blocks.pop(0)
        self.position = block.end
        self._done, self._speed, self._begun_at = 0.0, self._profile.end_speed, now
        if self.blocks:
            self._set_off()
        else:
            self.moving, self._speed = False, 0.0
            self.stopped = self.holding
        self.finished(block, now)

    def _look_ahead(self, now: float, *, everything: bool = False) -> None:
        """Set the entry speeds from the last block back, then forward from what can be reached."""
        blocks = self.blocks
        if len(blocks) < 2:
            if everything and self.moving:
                self._rebase(now)
            return
        before = blocks[1].entry
        leave = 0.0
        first = 1
        for index in range(len(blocks) - 1, 0, -1):
            block = blocks[index]
            entry = min(block.most, math.sqrt(leave**2 + 2 * block.accel * block.length))
            if entry == block.entry and index < len(blocks) - 1 and not everything:
                first = index
                break
            block.entry = leave = entry
        self._forward(first, now)
        if self.moving and (everything or blocks[1].entry != before):
            self._rebase(now)

    def _forward(self, first: int, now: float) -> None:
        blocks = self.blocks
        for index in range(first, len(blocks)):
            here = blocks[index - 1]
            speed, length = here.entry, here.length
            if index == 1:
                done, speed = self._where(now)
                length -= done
            reach = math.sqrt(speed**2 + 2 * here.accel * max(0.0, length))
            blocks[index].entry = min(blocks[index].entry, reach)
