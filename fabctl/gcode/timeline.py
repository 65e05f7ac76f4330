"""Which part of the time is over when a part of the commands is done."""

from __future__ import annotations

from collections.abc import Sequence

POINTS = 200
"""Steps of a report's table."""
_MOST_KEPT = 4 * POINTS


class Timeline:
    """Collects (commands done, seconds) in bounded memory while neither total is known."""

    __slots__ = ("_every", "_points", "_skipped")

    def __init__(self) -> None:
        self._points: list[tuple[float, float]] = [(0.0, 0.0)]
        self._every = 1
        self._skipped = 0

    def add(self, commands: float, seconds: float) -> None:
        """Note a point; neither value may be lower than in the point before."""
        self._skipped += 1
        if self._skipped < self._every:
            return
        self._skipped = 0
        self._points.append((commands, seconds))
        if len(self._points) > _MOST_KEPT:
            self._points = self._points[::2]
            self._every *= 2

    def table(self, commands: int, seconds: float) -> tuple[float, ...]:
        """Return POINTS + 1 fractions of the time, at equal steps of the commands.

        Empty when there is no time to share out.
        """
        if seconds <= 0.0 or commands <= 0:
            return ()
        points = [*self._points, (float(commands), seconds)]
        table: list[float] = []
        i = 0
        for step in range(POINTS + 1):
            at = commands * step / POINTS
            while i + 2 < len(points) and points[i + 1][0] < at:
                i += 1
            (c0, s0), (c1, s1) = points[i], points[i + 1]
            share = min(1.0, max(0.0, (at - c0) / (c1 - c0))) if c1 > c0 else 1.0
            table.append(min(1.0, round((s0 + share * (s1 - s0)) / seconds, 5)))
        table[-1] = 1.0
        return tuple(table)


def time_fraction(table: Sequence[float], command_fraction: float) -> float:
    """Return the part of the time (0 to 1) that is over after this part of the commands.

    Without a table the two are the same.
    """
    at = min(1.0, max(0.0, command_fraction))
    if len(table) < 2:
        return at
    steps = len(table) - 1
    i = min(int(at * steps), steps - 1)
    return table[i] + (table[i + 1] - table[i]) * (at * steps - i)
