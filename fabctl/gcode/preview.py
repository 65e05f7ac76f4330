"""A drawing of a file's toolpath, as small SVG paths that know their lines.

Mills and lasers: all moves from above, cuts apart from travel. Printers: outlines of a few layers
from above, evenly chosen, travel left out; where the slicer does not say what an outline is,
everything that is extruded in those layers. The drawing has no style attribute, no script and no
id: a page with a strict content policy may hold it, several times.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, BinaryIO

from fabctl.gcode.machine import inspect_for
from fabctl.gcode.sketch import Run, Sketch
from fabctl.gcode.timeline import time_fraction
from fabctl.ports import MachineProfile

FORMAT = 1
LARGEST = 60_000
"""Bytes of a drawing, at most; titles are not counted."""
SIDE = 1000
"""The longer side of the drawing, in its own units."""
_MARGIN = 15
_MOST_PIECES = 96
"""So many paths the work is cut into, so that a page can show the part that is done."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A drawing, and how far along its path each line is."""

    width: int
    height: int
    body: str
    """SVG elements. Every ``path`` of class ``work`` has ``data-from`` and ``data-to``, the first
    and the last line (1-based) that it shows; they come in the order of the file."""
    size_mm: tuple[float, float]
    """What is drawn, in X and Y."""
    lines: int
    shares: tuple[float, ...]
    """Parts of the path's length at equal steps of the lines."""

    def share_done(self, line: int) -> float:
        """Return the part of the path's length (0 to 1) that is done after a line (1-based)."""
        return time_fraction(self.shares, line / self.lines) if self.lines else 0.0

    def svg(self, title: str, description: str) -> str:
        """Return the drawing, with what a screen reader says of it (plain text, any language)."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="toolpath" role="img"'
            f' viewBox="0 0 {self.width} {self.height}">'
            f"<title>{escape(title)}</title><desc>{escape(description)}</desc>{self.body}</svg>"
        )

    def to_json(self) -> str:
        """Return the preview as one line of JSON."""
        return json.dumps({"v": FORMAT, **asdict(self)}, separators=(",", ":"))

    @classmethod
    def from_json(cls, written: str) -> Preview:
        """Return the preview that :meth:`to_json` wrote.

        :raises ValueError: it is not such JSON, or of another version.
        """
        plain: Any = json.loads(written)
        if not isinstance(plain, dict) or plain.pop("v", None) != FORMAT:
            raise ValueError(f"a preview of version {FORMAT} was expected")
        try:
            plain |= {"size_mm": tuple(plain["size_mm"]), "shares": tuple(plain["shares"])}
            return cls(**plain)
        except (KeyError, TypeError) as error:
            raise ValueError(f"a preview cannot be read: {error!r}") from error


def preview(stream: BinaryIO, profile: MachineProfile) -> Preview | None:
    """Read a file and draw it; None when nothing in it moves from one place to another.

    Bounded in time and memory as :func:`~fabctl.gcode.machine.inspect_for` is. Whoever reads the
    file anyway gives that function a :class:`~fabctl.gcode.sketch.Sketch` and calls :func:`draw`.
    """
    sketch = Sketch(profile.kind)
    return draw(sketch, inspect_for(stream, profile, watch=sketch).lines)


def draw(sketch: Sketch, lines: int) -> Preview | None:
    """Draw what a sketch holds of a file with so many lines; None when it holds no path."""
    runs = sketch.runs()
    drawn = _Drawing.around(runs)
    if drawn is None:
        return None
    body = drawn.body(runs)
    while len(body) > LARGEST:
        sketch.thin()
        runs = sketch.runs()
        body = drawn.body(runs)
    return Preview(drawn.width, drawn.height, body, drawn.size_mm, lines, sketch.shares(lines))


@dataclass(frozen=True, slots=True)
class _Drawing:
    """Where a place in mm lies on the drawing: Y points up in the machine, down on the screen."""

    left: float
    top: float
    size_mm: tuple[float, float]
    scale: float

    @classmethod
    def around(cls, runs: list[Run]) -> _Drawing | None:
        """Return the drawing that has room for these runs; None without any length."""
        xs = [point[0] for run in runs for point in run.points]
        ys = [point[1] for run in runs for point in run.points]
        if not xs:
            return None
        size = (max(xs) - min(xs), max(ys) - min(ys))
        if max(size) <= 0.0:
            return None
        return cls(min(xs), max(ys), size, (SIDE - 2 * _MARGIN) / max(size))

    @property
    def width(self) -> int:
        return round(self.size_mm[0] * self.scale) + 2 * _MARGIN

    @property
    def height(self) -> int:
        return round(self.size_mm[1] * self.scale) + 2 * _MARGIN

    def body(self, runs: list[Run]) -> str:
        """Return travel in one path below the work in pieces."""
        parts = ['<g fill="none" stroke="currentColor" stroke-linejoin="round">']
        travel = self._path([run for run in runs if not run.work])
        if travel:
            parts.append(
                f'<path class="travel" stroke-opacity=".3" stroke-dasharray="4 6" d="{travel}"/>'
            )
        work = [run for run in runs if run.work]
        parts.extend(self._piece(piece) for piece in _pieces(work))
        parts.append("</g>")
        return "".join(parts)

    def _piece(self, piece: list[Run]) -> str:
        d = self._path(piece)
        first, last = piece[0].points[0][2], piece[-1].points[-1][2]
        lines = f'data-from="{first}" data-to="{last}"'
        return d and f'<path class="work" stroke-width="2" {lines} d="{d}"/>'

    def _path(self, runs: list[Run]) -> str:
        pen = _Pen()
        for run in runs:
            places = [self._place(x, y) for x, y, _ in run.points]
            pen.lift_to(*places[0])
            for place in places[1:]:
                pen.draw_to(*place)
        return "".join(pen.written)

    def _place(self, x: float, y: float) -> tuple[int, int]:
        return (
            _MARGIN + round((x - self.left) * self.scale),
            _MARGIN + round((self.top - y) * self.scale),
        )


class _Pen:
    """Writes path data in few bytes: relative steps, no letter twice, no line of no length."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self._x = self._y = 0
        self._lifted: tuple[int, int] | None = None
        self._letter = ""

    def lift_to(self, x: int, y: int) -> None:
        """Go on from here; nothing is written before something is drawn."""
        self._lifted = (x, y) if (x, y) != (self._x, self._y) or not self.written else None

    def draw_to(self, x: int, y: int) -> None:
        """Draw a straight line."""
        if self._lifted is not None:
            if (x, y) == self._lifted:
                return
            dx, dy = self._lifted[0] - self._x, self._lifted[1] - self._y
            self._write("m", dx, dy)
            self._x, self._y = self._lifted
            self._lifted = None
        dx, dy = x - self._x, y - self._y
        if dx and dy:
            self._write("l", dx, dy)
        elif dx:
            self._write("h", dx)
        elif dy:
            self._write("v", dy)
        self._x, self._y = x, y

    def _write(self, letter: str, *steps: int) -> None:
        again = letter == self._letter and letter != "m"
        self.written.append("" if again else letter)
        for n, step in enumerate(steps):
            self.written.append(f" {step}" if step >= 0 and (again or n) else str(step))
        self._letter = letter


def _pieces(runs: list[Run]) -> list[list[Run]]:
    """Share runs out over at most so many paths, long runs cut where a path ends."""
    most = sum(len(run.points) for run in runs) // _MOST_PIECES + 2
    pieces: list[list[Run]] = []
    room = 0
    for run in runs:
        points = run.points
        while len(points) > 1:
            if room < 2:
                pieces.append([])
                room = most
            taken, points = points[:room], points[room - 1 :]
            pieces[-1].append(Run(True, taken))
            room -= len(taken)
    return pieces
