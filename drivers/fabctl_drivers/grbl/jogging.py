"""Moves by hand: a jog as bytes, with its limits, and the jogs under way. Pure.

Sources: Grbl ``doc/markdown/jogging.md`` (``$J=`` only in Idle and Jog; where jogs end is known as
long as none is cancelled); ``commands.md``, 0x85; ``protocol.c`` (0x85 empties the planner; jogs
that still wait in the receive buffer run after it).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from fabctl.errors import InputError, LocalError, TargetOutOfRangeError
from fabctl.ports import WorkArea
from fabctl.units import MmPerMin
from fabctl_drivers.grbl.report import Place, Report

LONGEST_JOG_MM = 10_000.0
FASTEST_JOG = MmPerMin(100_000.0)
AXES = "XYZABC"


def line_of(by_mm: Mapping[str, float], feed: MmPerMin) -> bytes:
    """Return the line of a jog by these distances.

    :param by_mm: axis letter to mm, at least one, at most 10 m each way.
    :param feed: above 0, at most 100,000 mm/min.
    :raises InputError: a letter is no axis, or a number lies outside.
    """
    if not by_mm or not set(by_mm) <= set(AXES):
        raise InputError(f"a jog by {dict(by_mm)}", limit=f"axes {', '.join(AXES)}")
    for axis, distance in by_mm.items():
        if not math.fabs(distance) <= LONGEST_JOG_MM:
            raise InputError(f"a jog of {distance} mm in {axis}", limit=f"{LONGEST_JOG_MM:g} mm")
    if not 0.0 < feed <= FASTEST_JOG:
        raise InputError(f"a jog at {feed} mm/min", limit=f"above 0, to {FASTEST_JOG:g}")
    words = "".join(f"{axis}{distance:.3f}" for axis, distance in by_mm.items())
    return f"$J=G91G21{words}F{feed:.1f}\n".encode("ascii")


def target(begin: Place, by_mm: Mapping[str, float], area: WorkArea | None) -> Place:
    """Return where a jog ends, machine coordinates in mm.

    :param begin: where it begins.
    :raises TargetOutOfRangeError: outside the work area.
    """
    end = tuple(at + by_mm.get(axis, 0.0) for axis, at in zip(AXES, begin, strict=False))
    for axis, at in zip("XYZ", end, strict=False):
        if area is None or not by_mm.get(axis):
            continue
        low, high = getattr(area, axis.lower())
        if not low <= at <= high:
            raise TargetOutOfRangeError(
                f"{axis} would go to {at:g} mm of the machine", limit=f"{low:g} to {high:g} mm"
            )
    return end


class Jogs:
    """The jogs since the machine was last known to be idle."""

    def __init__(self) -> None:
        self.is_under_way = False
        self.is_cancelling = False
        """Whether jogs are to end: 0x85 is said again as long as one shows."""
        self._end: Place | None = None

    def begin(self, report: Report | None) -> Place | None:
        """Return where the next jog begins, None where nobody knows.

        :raises LocalError: the machine neither is idle nor jogs, or its jogs are being cancelled.
        """
        if self.is_cancelling:
            raise LocalError("the jogs are being cancelled", next_step="wait a moment")
        if self.is_under_way:
            return self._end
        state = report.state if report else "not known yet"
        if report is None or state not in {"Idle", "Jog"}:
            raise LocalError(f"jogging needs an idle machine; the controller's state is {state}")
        return report.machine_mm if state == "Idle" else None

    def said(self, end: Place | None) -> None:
        """A jog went out that ends there."""
        self.is_under_way = True
        self._end = end

    def refused(self) -> None:
        """A jog was refused: nobody knows where the ones after it end."""
        self._end = None

    def cancel(self) -> None:
        """The jogs are to end."""
        self.is_cancelling = self.is_under_way
        self._end = None

    def answered(self) -> bool:
        """A jog was taken: return whether 0x85 is to be said for it."""
        return self.is_cancelling

    def report(self, state: str, in_flight: int) -> bool:
        """Take in a fresh report; return whether 0x85 is to be said again."""
        if not self.is_under_way:
            return False
        if state == "Jog":
            return self.is_cancelling
        if not in_flight:
            self.forget()
        return False

    def forget(self) -> None:
        """None is under way any more."""
        self.is_under_way = self.is_cancelling = False
        self._end = None
