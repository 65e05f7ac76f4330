"""What each machine's temperatures were in the last hour: kept in memory, for the plot of its page.

The web's own process fills it from what it hears anyway. It is bounded by construction: one ring of
numbers for each machine, 35 kB, whatever a machine sends. A restart begins it anew.
"""

from __future__ import annotations

import math
import threading
from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from fabctl.clock import Clock
from fabctl.messaging.lab_view import LabView, MachineView

EVERY_S = 5.0
"""At most one point in this time."""
POINTS = 720
"""An hour of them."""
GAP_S = 30.0
"""After such a silence the line is broken."""
KEYS = ("nozzle_c", "nozzle_target_c", "bed_c", "bed_target_c")
COLUMNS = (*KEYS, "done")
_WIDTH = 1 + len(COLUMNS)


@dataclass(frozen=True)
class Row:
    """One moment."""

    at: float
    """Seconds since 1970, UTC."""
    values: tuple[float | None, ...]
    """As :data:`COLUMNS` names them: °C, and the part of the job that is done, 0 to 1."""


class Track:
    """One machine's last hour."""

    def __init__(self) -> None:
        self._ring = array("d", bytes(8 * _WIDTH * POINTS))
        self._count = 0

    def add(self, row: Row) -> None:
        """Keep one more moment; the oldest one goes."""
        start = self._count % POINTS * _WIDTH
        numbers = (math.nan if value is None else value for value in row.values)
        self._ring[start : start + _WIDTH] = array("d", (row.at, *numbers))
        self._count += 1

    def rows(self) -> list[Row]:
        """Return what is kept, oldest first."""
        first = max(0, self._count - POINTS)
        return [self._row(number % POINTS) for number in range(first, self._count)]

    def _row(self, place: int) -> Row:
        at, *numbers = self._ring[place * _WIDTH : (place + 1) * _WIDTH]
        return Row(at, tuple(None if math.isnan(one) else one for one in numbers))


class History:
    """The last hour of every machine that says temperatures. Safe from any thread."""

    def __init__(self, machines: Iterable[str], clock: Clock) -> None:
        self._known = frozenset(machines)
        self._clock = clock
        self._tracks: dict[str, Track] = {}
        self._kept_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def follow(self, view: LabView) -> None:
        """Listen along; called in the thread of the link, so it is quick."""

        def heard(machine: str, kind: str) -> None:
            if kind == "telemetry" and machine in self._known:
                self.note(view.machine(machine))

        view.subscribe(heard)

    def note(self, view: MachineView) -> None:
        """Keep what a machine says now, unless the last point is younger than 5 s."""
        if not any(view.temperatures.get(key) is not None for key in KEYS):
            return
        now = self._clock.monotonic()
        with self._lock:
            kept = self._kept_at.get(view.id)
            if kept is not None and now - kept < EVERY_S:
                return
            self._kept_at[view.id] = now
        values = (*(view.temperatures.get(key) for key in KEYS), view.progress)
        self.keep(view.id, Row(self._clock.now().timestamp(), values))

    def keep(self, machine: str, row: Row) -> None:
        """Keep one moment of a machine."""
        with self._lock:
            self._tracks.setdefault(machine, Track()).add(row)

    def has(self, machine: str) -> bool:
        """Say whether a machine has said a temperature in the last hour."""
        return bool(self.rows(machine))

    def rows(self, machine: str, after: float = 0.0) -> list[Row]:
        """Return a machine's moments of the last hour, only those after ``after``."""
        oldest = self._clock.now().timestamp() - EVERY_S * POINTS
        with self._lock:
            track = self._tracks.get(machine)
            rows = track.rows() if track else []
        return [row for row in rows if row.at > after and row.at >= oldest]


def with_gaps(rows: list[Row]) -> list[Row]:
    """Return the rows with an empty one in each silence: nobody knows what was in between."""
    found: list[Row] = []
    for row in rows:
        if found and row.at - found[-1].at > GAP_S:
            found.append(Row((row.at + found[-1].at) / 2.0, (None,) * len(COLUMNS)))
        found.append(row)
    return found
