"""Who wants to know of every move, and how an arc is told."""

from __future__ import annotations

import math
from typing import Protocol, TypeAlias

from fabctl.gcode.arcs import Arc
from fabctl.gcode.comments import CommentReader

Vector: TypeAlias = tuple[float, float, float]


class Watcher(Protocol):
    """Somebody who wants to know of every move."""

    comments: CommentReader

    def saw(  # a call per move: positions by place
        self, line: int, x: float, y: float, nx: float, ny: float, nz: float, work: bool
    ) -> None:
        """Take a move from (x, y) to (nx, ny, nz), mm; NaN: unknown. ``work``: it cuts."""


_SHOWN_STEP = math.pi / 24.0
"""Of an arc for a watcher, radians."""


def show_arc(
    watch: Watcher, line: int, curve: Arc, start: Vector, end: Vector, work: bool, *, flat: bool
) -> None:
    """Tell a watcher of an arc as short straight moves; in G18 and G19 as one."""
    x, y, z = start
    steps = max(1, math.ceil(abs(curve.sweep) / _SHOWN_STEP)) if flat else 1
    for step in range(1, steps):
        nx, ny = curve.point(step / steps)
        watch.saw(line, x, y, nx, ny, z, work)
        x, y = nx, ny
    watch.saw(line, x, y, *end, work)
