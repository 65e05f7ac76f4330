"""Watches a file's moves and keeps a simplified path of them, in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from fabctl.gcode.comments import CommentReader
from fabctl.gcode.timeline import Timeline
from fabctl.ports import MachineKind

MOST_POINTS = 12_000
"""Kept at once; a drawing shows at most as many."""
MOST_LAYERS = 16
_FINEST_MM = 0.02
_COARSEST_PART = 250
"""Lines never get coarser than this part of the whole: a pixel or two on a screen."""
_STRETCH = 50
_LAYER_MM = 0.05
"""Without the slicer's marks a new layer begins this much higher."""
_OUTLINES = frozenset({"external perimeter", "overhang perimeter", "outer wall", "overhang wall",
                       "wall-outer"})  # fmt: skip
"""What ``;TYPE:`` and ``; FEATURE:`` call an outline (PrusaSlicer, OrcaSlicer and Bambu Studio,
Cura), in lower case."""

Point: TypeAlias = tuple[float, float, int]
"""X and Y in mm, and the line (1-based) that leads there."""


@dataclass(slots=True)
class Run:
    """Moves one after another that all work, or all travel."""

    work: bool
    points: list[Point] = field(default_factory=list)


class Sketch:
    """What a drawing needs of a file. Its reader calls :meth:`saw` for every move."""

    def __init__(self, kind: MachineKind) -> None:
        self.comments = CommentReader()
        """The reader's own; it puts it here before its first move."""
        self._printer = kind is MachineKind.PRINTER
        self._runs: list[Run] = []
        self._points = 0
        self._tolerance = _FINEST_MM
        self._length = 0.0
        self._lengths = Timeline()
        self._layers: list[list[Run]] = []
        self._layer = -1
        """Number of the layer that is being read."""
        self._layer_z = -math.inf
        self._marks = 0
        self._every = 1
        self._outlines = False
        self._wanted = True
        self._place = (math.nan, math.nan)
        """Where the last move led that may be drawn."""
        self._working = False
        self._begun = 0
        """Runs of work so far; of many only every second, fourth, ... is kept."""
        self._every_run = 1
        self._kept_run = True
        self._travel = True
        """Whether travel is drawn; not where most of the path is travel."""

    def saw(
        self, line: int, x: float, y: float, nx: float, ny: float, nz: float, work: bool
    ) -> None:  # called for every move
        """Take a move from (x, y) to (nx, ny, nz), mm; NaN: unknown."""
        length = math.hypot(nx - x, ny - y)
        if not length > 0.0:
            return
        self._length += length
        self._lengths.add(line, self._length)
        if self._printer:
            if not work:
                return
            self._choose_layer(nz)
            if not self._wanted or not self._shows():
                return
        points = self._open(line, x, y, work)
        self._place = (nx, ny)
        if points is None:
            return
        if len(points) > 1 and _near(points[-2], nx, ny, self._tolerance):
            points[-1] = (nx, ny, line)
            return
        points.append((nx, ny, line))
        self._points += 1
        if self._points > MOST_POINTS:
            self.thin()

    def _open(self, line: int, x: float, y: float, work: bool) -> list[Point] | None:
        """Return the points to go on with from (x, y); None where they are not kept."""
        goes_on = self._working is work and self._place == (x, y)
        self._working = work
        if not goes_on:
            self._begun += work
            chosen = self._begun % self._every_run == 0
            self._kept_run = chosen and (work or self._travel)
        if not self._kept_run:
            return None
        if not goes_on or not self._runs:
            self._runs.append(Run(work, [(x, y, line)]))
            self._points += 1
        return self._runs[-1].points

    def shares(self, lines: int) -> tuple[float, ...]:
        """Return parts of the whole path's length at equal steps of the lines."""
        return self._lengths.table(lines, self._length)

    def runs(self) -> list[Run]:
        """Return what is kept, in the order of the file."""
        self._close_layer()
        return self._kept()

    def thin(self) -> None:
        """Keep less: no travel, where there is much; coarser lines; every second piece."""
        enough = 0.8 * self._points
        if sum(len(run.points) for run in self._kept() if not run.work) > self._points / 4:
            self._travel = False
            self._rework(lambda runs: [run for run in runs if run.work])
        most = self._extent() / _COARSEST_PART
        while self._points > enough and self._tolerance <= most:
            self._tolerance *= 2.0
            self._rework(self._coarser)
        if self._points > enough:
            self._halve()

    def _halve(self) -> None:
        """Keep every second run, from now on too; of a single run every second point."""
        if len(self._kept()) > 1:
            self._every_run *= 2
            self._rework(lambda runs: runs[::2])
        else:
            self._rework(lambda runs: [_every_second(run) for run in runs])

    def _coarser(self, runs: list[Run]) -> list[Run]:
        joined = _joined(runs, self._tolerance)
        return [Run(run.work, simplified(run.points, self._tolerance)) for run in joined]

    def _rework(self, way: Callable[[list[Run]], list[Run]]) -> None:
        self._layers = [way(layer) for layer in self._layers]
        self._runs = way(self._runs)
        self._count()

    def _count(self) -> None:
        self._points = sum(len(run.points) for run in self._kept())

    def _kept(self) -> list[Run]:
        return [run for layer in self._layers for run in layer] + self._runs

    def _extent(self) -> float:
        """Return the longer side of what is kept, mm."""
        points = [point for run in self._kept() for point in run.points]
        return max(max(p[n] for p in points) - min(p[n] for p in points) for n in (0, 1))

    def _shows(self) -> bool:
        """Whether this is an outline, or the file does not tell outlines from the rest."""
        outline = self.comments.feature.lower() in _OUTLINES
        if outline and not self._outlines:
            self._outlines = True
            self._layers, self._runs = [], []
            self._points = 0
        return outline or not self._outlines

    def _choose_layer(self, z: float) -> None:
        """Begin a layer where one begins; of many only every second, fourth, ... is wanted."""
        marks = self.comments.layer_marks
        if marks == self._marks and (marks or abs(z - self._layer_z) < _LAYER_MM):
            return
        if marks and not self._marks:  # what came before the first layer is no part of the model
            self._layers, self._runs, self._layer, self._points = [], [], -1, 0
        self._marks, self._layer_z = marks, z
        self._close_layer()
        self._layer += 1
        if len(self._layers) >= MOST_LAYERS:
            self._layers = self._layers[::2]
            self._every *= 2
            self._count()
        self._wanted = self._layer % self._every == 0

    def _close_layer(self) -> None:
        if self._runs and self._printer:
            self._layers.append(self._runs)
            self._runs = []


def simplified(points: list[Point], tolerance: float) -> list[Point]:
    """Return a path that is nowhere further than the tolerance from the given one, both ends kept.

    Douglas and Peucker's way, without recursion, on short stretches: it takes the square of their
    length.
    """
    ends = [*range(0, len(points) - 1, _STRETCH), len(points) - 1]
    keep = set(ends)
    spans = list(pairwise(ends))
    while spans:
        first, last = spans.pop()
        furthest, at = tolerance, 0
        for i in range(first + 1, last):
            away = _distance(points[i], points[first], points[last])
            if away > furthest:
                furthest, at = away, i
        if at:
            keep.add(at)
            spans += [(first, at), (at, last)]
    return [points[i] for i in sorted(keep)]


def _distance(point: Point, a: Point, b: Point) -> float:
    """Return how far a point lies from the stretch between two others."""
    along_x, along_y = b[0] - a[0], b[1] - a[1]
    square = along_x * along_x + along_y * along_y
    off_x, off_y = point[0] - a[0], point[1] - a[1]
    if square > 0.0:
        part = min(1.0, max(0.0, (off_x * along_x + off_y * along_y) / square))
        off_x, off_y = off_x - part * along_x, off_y - part * along_y
    return math.hypot(off_x, off_y)


def _near(point: Point, x: float, y: float, tolerance: float) -> bool:
    return abs(point[0] - x) < tolerance and abs(point[1] - y) < tolerance


def _joined(runs: list[Run], gap: float) -> list[Run]:
    """Go on with a run of work where the next begins closer than ``gap``; drop such travel."""
    found: list[Run] = []
    last: Run | None = None
    for run in runs:
        start, end = run.points[0], run.points[-1]
        if last is not None and _near(last.points[-1], end[0], end[1], gap) and not run.work:
            continue
        if last is not None and run.work and _near(last.points[-1], start[0], start[1], gap):
            last.points += run.points[1:]
            continue
        found.append(run)
        last = run if run.work else None
    return found


def _every_second(run: Run) -> Run:
    return Run(run.work, [*run.points[:-1:2], run.points[-1]])
