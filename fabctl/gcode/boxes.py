"""Where a file's moves go: boxes of travel and of work, and where they leave the work area."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from fabctl.ports import WorkArea

AXES = "XYZ"
TOLERANCE_MM = 0.01
"""Beyond a limit by less than this is rounding."""
START_MARGIN_MM = 5.0
"""How far outside in X and Y a printer's start sequence may wipe and prime."""

Span = tuple[float, float]
_EMPTY = (math.inf, -math.inf)


@dataclass(frozen=True, slots=True)
class Box:
    """Lowest and highest position per axis in mm; None where no move names the axis."""

    x: Span | None
    y: Span | None
    z: Span | None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Boxes of a file's moves; None where there is no such move."""

    travel: Box | None
    """Moves that neither extrude nor cut."""
    work: Box | None
    """Moves that extrude (printer), cut at a feed (mill) or with the beam on (laser)."""


class Frame(Enum):
    """How a file's coordinates relate to the machine's."""

    MACHINE = "machine"
    """They are the machine's (a printer after homing, or a known work offset)."""
    PLACED = "placed"
    """A person places the zero, but mostly at the machine's own (lasers)."""
    UNKNOWN = "unknown"
    """A person places the zero on the workpiece (mills)."""


@dataclass(slots=True)
class Section:
    """Six numbers each: lowest x, highest x, lowest y, highest y, lowest z, highest z."""

    work: list[float]
    travel: list[float]


@dataclass(slots=True)
class Exit:
    """One side of the work area that moves cross: where first, and how far at most."""

    axis: str
    line: int
    furthest: float
    limits: Span


class Territory:
    """Grows boxes move by move and notes each side of the work area that is crossed.

    A printer's file begins in a start section, which ends at the first layer mark or the first
    extruding move inside the area. A mill's file has one section per work coordinate system.
    """

    def __init__(self, area: WorkArea | None, frame: Frame, *, start_section: bool) -> None:
        self._limits = (area.x, area.y, area.z) if area else None
        self.frame = frame
        self._sections: dict[str, Section] = {}
        self.starting = start_section
        self.section = self._enter("start" if start_section else "54")
        self.exits: dict[tuple[int, bool], Exit] = {}
        self.start_exits: dict[tuple[int, bool], Exit] = {}

    def _enter(self, name: str) -> Section:
        if name not in self._sections:
            self._sections[name] = Section(list(_EMPTY * 3), list(_EMPTY * 3))
        return self._sections[name]

    def begin_body(self) -> None:
        """Leave the start section; a no-op afterwards."""
        if self.starting:
            self.starting = False
            self.section = self._enter("body")

    def select(self, system: str) -> None:
        """Go on in another work coordinate system, "54" to "59.3"."""
        self.section = self._enter(system)

    def grow(self, line: int, x: float, y: float, z: float, work: bool) -> None:
        """Take a position into the section's box; NaN stands for an unknown axis."""
        if work and self.starting and self._inside(x, y, z):
            self.begin_body()
        box = self.section.work if work else self.section.travel
        for axis, value in enumerate((x, y, z)):
            if value < box[2 * axis]:
                box[2 * axis] = value
                self._note_exit(line, axis, value, False)
            if value > box[2 * axis + 1]:
                box[2 * axis + 1] = value
                self._note_exit(line, axis, value, True)

    def knows(self, a: int, b: int, middle: tuple[float, float], reach: float, work: bool) -> bool:
        """Whether a square in the axes a and b (0 to 2) lies in the section's box already.

        :param reach: from its middle to its sides, mm.
        """
        box = self.section.work if work else self.section.travel
        return (
            box[2 * a] <= middle[0] - reach
            and middle[0] + reach <= box[2 * a + 1]
            and box[2 * b] <= middle[1] - reach
            and middle[1] + reach <= box[2 * b + 1]
        )

    def _inside(self, *position: float) -> bool:
        if self._limits is None:
            return True
        return not any(
            value < low - TOLERANCE_MM or value > high + TOLERANCE_MM
            for value, (low, high) in zip(position, self._limits, strict=True)
        )

    def _note_exit(self, line: int, axis: int, value: float, high: bool) -> None:
        if self._limits is None or self.frame is Frame.UNKNOWN:
            return
        if self.frame is Frame.PLACED and axis == 2:
            return
        limits = self._limits[axis]
        beyond = value - limits[1] if high else limits[0] - value
        if beyond <= TOLERANCE_MM:
            return
        tolerated = self.starting and axis < 2 and beyond <= START_MARGIN_MM
        exits = self.start_exits if tolerated else self.exits
        known = exits.setdefault((axis, high), Exit(AXES[axis], line, value, limits))
        if (value > known.furthest) if high else (value < known.furthest):
            known.furthest = value

    @property
    def moved(self) -> bool:
        """Whether any position is known."""
        return self.bounds() != Bounds(None, None)

    def bounds(self) -> Bounds:
        """Return the boxes of the whole file."""
        sections = list(self._sections.values())
        return Bounds(
            travel=_box(section.travel for section in sections),
            work=_box(section.work for section in sections),
        )

    def too_large(self) -> Iterator[tuple[str, float, float]]:
        """Yield (axis, mm needed from the zero, mm there are) where no placing can help."""
        if self._limits is None or self.frame is Frame.MACHINE:
            return
        for axis, (low, high) in enumerate(self._limits):
            need = max(
                max(0.0, section.work[2 * axis + 1], section.travel[2 * axis + 1])
                - min(0.0, section.work[2 * axis], section.travel[2 * axis])
                for section in self._sections.values()
            )
            if need > high - low + TOLERANCE_MM:
                yield AXES[axis], need, high - low


def _box(parts: Iterable[list[float]]) -> Box | None:
    whole = list(_EMPTY * 3)
    for part in parts:
        for i in (0, 2, 4):
            whole[i] = min(whole[i], part[i])
            whole[i + 1] = max(whole[i + 1], part[i + 1])
    spans = [(whole[i], whole[i + 1]) if whole[i] <= whole[i + 1] else None for i in (0, 2, 4)]
    return Box(*spans) if any(spans) else None
