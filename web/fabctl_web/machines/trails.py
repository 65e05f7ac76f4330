"""Where each machine's head was in the last ten minutes: kept in memory, for the top view.

Bounded by construction: 300 points for each machine of the lab, whatever it sends. A trail begins
anew with each job, so that it shows one job's path and no other's.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fabctl.clock import Clock
from fabctl.messaging.lab_view import LabView, MachineView
from fabctl.ports import MachineProfile
from fabctl_web.machines.place import Head, head_of

EVERY_S = 2.0
"""At most one point in this time."""
POINTS = 300
KEEP_S = EVERY_S * POINTS
GAP_S = 10.0
"""After such a silence the line is broken: nobody knows what was in between."""
STILL_MM = 0.1
"""A head that moves less stands still."""


@dataclass(frozen=True, slots=True)
class Point:
    """One moment; NaN in a gap."""

    at: float
    """Seconds of the monotonic clock."""
    x: float
    y: float


@dataclass
class _Trail:
    job: str | None
    by_machine: bool
    points: deque[Point] = field(default_factory=lambda: deque(maxlen=POINTS))
    heard_at: float = -math.inf


class Trails:
    """The last ten minutes of every machine that says its position. Safe from any thread."""

    def __init__(self, machines: Mapping[str, MachineProfile], clock: Clock) -> None:
        self._machines = machines
        self._clock = clock
        self._trails: dict[str, _Trail] = {}
        self._lock = threading.Lock()

    def follow(self, view: LabView) -> None:
        """Listen along; called in the thread of the link, so it is quick."""

        def heard(machine: str, kind: str) -> None:
            if kind == "telemetry" and machine in self._machines:
                self.note(view.machine(machine))

        view.subscribe(heard)

    def note(self, view: MachineView) -> None:
        """Keep where the head is now, unless that is old, or was kept just before."""
        head = head_of(view, self._machines[view.id].kind)
        if head is None or head.old:
            return
        now = self._clock.monotonic()
        with self._lock:
            trail = self._trails.get(view.id)
            if trail is None or (trail.job, trail.by_machine) != (view.job, head.by_machine):
                trail = self._trails[view.id] = _Trail(view.job, head.by_machine)
            _lengthen(trail, head, now)

    def begin(self, machine: str, points: Iterable[Point]) -> None:
        """Give a machine without a job a trail, counted from its own zero."""
        with self._lock:
            trail = self._trails[machine] = _Trail(None, by_machine=True)
            trail.points.extend(points)
            trail.heard_at = trail.points[-1].at if trail.points else -math.inf

    def of(self, machine: str, job: str | None) -> list[Point]:
        """Return the last ten minutes of a job, or of no job (None), oldest first."""
        oldest = self._clock.monotonic() - KEEP_S
        with self._lock:
            trail = self._trails.get(machine)
            points = list(trail.points) if trail and trail.job == job else []
        return [point for point in points if point.at >= oldest]


def _lengthen(trail: _Trail, head: Head, now: float) -> None:
    points, silent = trail.points, now - trail.heard_at > GAP_S
    trail.heard_at = now
    if points and silent:
        points.append(Point(now, math.nan, math.nan))
    elif points:
        last = points[-1]
        moved = math.hypot(head.x - last.x, head.y - last.y)
        if now - last.at < EVERY_S or moved < STILL_MM:
            return
    points.append(Point(now, head.x, head.y))
