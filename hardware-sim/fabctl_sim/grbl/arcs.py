"""Arcs: their shape from the words, and the short lines that trace them (settings.md, $12)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from fabctl_sim.grbl.words import CodeError

_NEARLY = 5e-7  # radians: an arc that ends where it begins is a whole turn


@dataclass(frozen=True, slots=True)
class Arc:
    """In the plane's own axes: begin and end (third figure: across), centre, turn in radians."""

    begin: tuple[float, float, float]
    end: tuple[float, float, float]
    centre: tuple[float, float]
    radius: float
    turn: float

    @property
    def length(self) -> float:
        """mm, the helix' rise included."""
        return math.hypot(self.radius * self.turn, self.end[2] - self.begin[2])

    def points(self, tolerance_mm: float) -> Iterator[tuple[float, float, float]]:
        """Return the ends of the chords; none is farther from the arc than the tolerance."""
        reach = tolerance_mm * (2 * self.radius - tolerance_mm)
        count = 0
        if reach > 0:
            count = int(abs(0.5 * self.turn * self.radius) / math.sqrt(reach))
        start = math.atan2(self.begin[1] - self.centre[1], self.begin[0] - self.centre[0])
        for step in range(1, count):
            part = step / count
            angle = start + self.turn * part
            yield (
                self.centre[0] + self.radius * math.cos(angle),
                self.centre[1] + self.radius * math.sin(angle),
                self.begin[2] + (self.end[2] - self.begin[2]) * part,
            )
        yield self.end


def by_radius(here: list[float], there: list[float], radius: float, *, clockwise: bool) -> Arc:
    """Return the arc of a radius; a negative one takes the long way.

    :raises CodeError: 33 begin and end are the same, 34 the radius is too small.
    """
    dx, dy = there[0] - here[0], there[1] - here[1]
    chord = math.hypot(dx, dy)
    if here == there or chord == 0.0:
        raise CodeError(33)
    square = radius**2 - chord**2 / 4
    if square < 0:
        raise CodeError(34)
    height = math.sqrt(square) / chord
    side = height if clockwise != (radius < 0) else -height
    offset = (dx / 2 + side * dy, dy / 2 - side * dx)
    return _arc(here, there, offset, clockwise=clockwise)


def by_centre(
    here: list[float], there: list[float], offset: tuple[float, float], *, clockwise: bool
) -> Arc:
    """Return the arc round a centre given from its begin.

    :raises CodeError: 33 the two radii differ by more than 0.5 mm, or by 0.005 mm and 0.1 %.
    """
    radius = math.hypot(*offset)
    leaving = math.hypot(there[0] - here[0] - offset[0], there[1] - here[1] - offset[1])
    difference = abs(leaving - radius)
    if difference > 0.005 and (difference > 0.5 or difference > 0.001 * radius):
        raise CodeError(33)
    return _arc(here, there, offset, clockwise=clockwise)


def _arc(
    here: list[float], there: list[float], offset: tuple[float, float], *, clockwise: bool
) -> Arc:
    cx, cy = here[0] + offset[0], here[1] + offset[1]
    first = math.atan2(here[1] - cy, here[0] - cx)
    last = math.atan2(there[1] - cy, there[0] - cx)
    turn = last - first
    if clockwise and turn >= -_NEARLY:
        turn -= 2 * math.pi
    elif not clockwise and turn <= _NEARLY:
        turn += 2 * math.pi
    begin, end = (here[0], here[1], here[2]), (there[0], there[1], there[2])
    return Arc(begin, end, (cx, cy), math.hypot(*offset), turn)
