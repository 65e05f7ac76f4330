"""The geometry of G2 and G3 in one plane: centre, length, and the box an arc really fills."""

from __future__ import annotations

import math
from typing import NamedTuple

_TURN = 2.0 * math.pi
_SAME_MM = 5e-7
"""Start and end closer than this are the same point: a full circle. Grbl's ARC_ANGULAR_TRAVEL
_EPSILON (``grbl/config.h``) does the same with 5e-7 rad."""
_RADIUS_SLACK_MM = 0.5
_RADIUS_SLACK_PART = 0.001
"""How far an arc's end may lie off its circle: Grbl's error 33 (``grbl/gcode.c``) says the same."""


class Arc(NamedTuple):
    """An arc around (a, b), from an angle, over a sweep (radians; negative is clockwise)."""

    centre: tuple[float, float]
    radius: float
    start: float
    sweep: float

    @property
    def length(self) -> float:
        """The arc's length in the plane, mm."""
        return self.radius * abs(self.sweep)

    def point(self, fraction: float) -> tuple[float, float]:
        """Return the point after this fraction (0 to 1) of the sweep."""
        angle = self.start + fraction * self.sweep
        return (
            self.centre[0] + self.radius * math.cos(angle),
            self.centre[1] + self.radius * math.sin(angle),
        )

    def tangent(self, fraction: float) -> tuple[float, float]:
        """Return the direction of travel after this fraction, a unit vector."""
        angle = self.start + fraction * self.sweep
        way = math.copysign(1.0, self.sweep)
        return -way * math.sin(angle), way * math.cos(angle)

    def box(self) -> tuple[float, float, float, float]:
        """Return (lowest a, highest a, lowest b, highest b) of the whole arc."""
        points = [self.point(0.0), self.point(1.0)]
        low = min(self.start, self.start + self.sweep)
        high = max(self.start, self.start + self.sweep)
        quarter = math.pi / 2.0
        first = math.ceil(low / quarter)
        for step in range(min(4, math.floor(high / quarter) - first + 1)):
            angle = (first + step) * quarter
            points.append(
                (
                    self.centre[0] + self.radius * math.cos(angle),
                    self.centre[1] + self.radius * math.sin(angle),
                )
            )
        return (
            min(a for a, _ in points),
            max(a for a, _ in points),
            min(b for _, b in points),
            max(b for _, b in points),
        )


def centre_from_radius(
    start: tuple[float, float], end: tuple[float, float], radius: float, clockwise: bool
) -> tuple[float, float] | None:
    """Return an R-form arc's centre; a negative radius asks for the longer way round.

    None when start and end are the same point or lie further apart than the diameter
    (RS274/NGC report, section 3.5.3.2). An excess below a thousandth is rounding.
    """
    da, db = end[0] - start[0], end[1] - start[1]
    chord = math.hypot(da, db)
    if chord < _SAME_MM or abs(radius) * 2.001 < chord:
        return None
    height = math.sqrt(max(0.0, radius * radius - chord * chord / 4.0)) / chord
    if clockwise == (radius > 0.0):
        height = -height
    return start[0] + da / 2.0 - db * height, start[1] + db / 2.0 + da * height


def circle_fits(
    start: tuple[float, float],
    end: tuple[float, float],
    centre: tuple[float, float],
    clockwise: bool,
    turns: int = 0,
) -> Arc | None:
    """Return the arc as :func:`arc_around` does; None when both ends lie on no such circle."""
    near = math.hypot(start[0] - centre[0], start[1] - centre[1])
    off = abs(near - math.hypot(end[0] - centre[0], end[1] - centre[1]))
    if near == 0.0 or off > _RADIUS_SLACK_MM or off > max(0.005, _RADIUS_SLACK_PART * near):
        return None
    return arc_around(start, end, centre, clockwise, turns)


def arc_around(
    start: tuple[float, float],
    end: tuple[float, float],
    centre: tuple[float, float],
    clockwise: bool,
    turns: int = 0,
) -> Arc:
    """Return the arc from start to end; the same point twice is a full circle.

    :param turns: whole turns more than that (Marlin's P word), ≥ 0.
    """
    from_a, from_b = start[0] - centre[0], start[1] - centre[1]
    begin = math.atan2(from_b, from_a)
    same = math.hypot(end[0] - start[0], end[1] - start[1]) < _SAME_MM
    finish = begin if same else math.atan2(end[1] - centre[1], end[0] - centre[0])
    sweep = finish - begin
    if clockwise:
        sweep = sweep - _TURN if sweep >= 0.0 else sweep
        sweep -= turns * _TURN
    else:
        sweep = sweep + _TURN if sweep <= 0.0 else sweep
        sweep += turns * _TURN
    return Arc(centre, math.hypot(from_a, from_b), begin, sweep)


def way_along(arc: Arc, fraction: float, rise: float, across: int) -> tuple[float, float, float]:
    """Return the way on in X, Y and Z after a fraction of an arc, as long as the whole arc.

    :param rise: what the arc gains across its plane, mm.
    :param across: the axis across, 0 to 2.
    """
    a, b = arc.tangent(fraction)
    a, b = a * arc.length, b * arc.length
    if across == 2:
        return a, b, rise
    return (b, rise, a) if across == 1 else (rise, a, b)
