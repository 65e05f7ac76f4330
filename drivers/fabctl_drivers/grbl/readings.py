"""What the reports tell a dashboard: position, feed, power, overrides, pins, probe. Pure.

Source: Grbl ``doc/markdown/interface.md``, "Real-time Status Reports" and ``[PRB:]``.
"""

from __future__ import annotations

import math

from fabctl.ports import Telemetry
from fabctl_drivers.grbl.report import INCH_MM, Place, Report

TELL_EVERY_S = 0.9
AXES = ("x", "y", "z", "a", "b", "c")
PINS = {
    "X": "limit_x",
    "Y": "limit_y",
    "Z": "limit_z",
    "P": "probe",
    "D": "door",
    "H": "hold",
    "R": "reset",
    "S": "start",
}
"""Letters of ``Pn:`` and our names: 1 for triggered, 0 for not."""


class Readings:
    """Turns reports into telemetry, about once a second."""

    def __init__(self) -> None:
        self._told_at = -math.inf

    def tell(self, report: Report, now: float) -> list[Telemetry]:
        """Return what is worth telling, nothing when it was told just before."""
        if now - self._told_at < TELL_EVERY_S:
            return []
        self._told_at = now
        return [
            Telemetry("position", _position(report)),
            Telemetry("feed", {"feed_mm_per_min": report.feed_mm_per_min}),
            Telemetry("power", _power(report)),
            Telemetry("overrides", _overrides(report)),
            Telemetry("pins", {name: float(pin in report.pins) for pin, name in PINS.items()}),
        ]


def probe(text: bytes, *, in_inches: bool) -> Telemetry | None:
    """Return the result of probing, ``[PRB:x,y,z:1]``, machine position in mm; None if damaged."""
    places, _, success = text[5:].rstrip(b"]").partition(b":")
    unit = INCH_MM if in_inches else 1.0
    try:
        place = tuple(round(float(value) * unit, 4) for value in places.split(b","))
    except ValueError:
        return None
    return Telemetry("probe", {**_axes("", place), "contact": float(success == b"1")})


def _position(report: Report) -> dict[str, float | None]:
    return {
        **_axes("", report.work_mm),
        **_axes("machine_", report.machine_mm),
        **_axes("offset_", report.offset_mm),
    }


def _axes(prefix: str, place: Place | None) -> dict[str, float | None]:
    if place is None:
        return {f"{prefix}{axis}_mm": None for axis in AXES[:3]}
    return {f"{prefix}{axis}_mm": value for axis, value in zip(AXES, place, strict=False)}


def _power(report: Report) -> dict[str, float | None]:
    on = report.accessories
    return {
        "power": report.power,
        "spindle": float("S" in on or "C" in on),
        "flood": float("F" in on),
        "mist": float("M" in on),
    }


def _overrides(report: Report) -> dict[str, float | None]:
    values = report.overrides_percent or (None, None, None)
    names = ("feed_percent", "rapid_percent", "spindle_percent")
    return dict(zip(names, values, strict=False))
