"""What the reports tell a dashboard: position, feed, power, overrides, pins, probe. Pure.

Source: Grbl ``doc/markdown/interface.md``, "Real-time Status Reports", ``[PRB:]`` and ``$#``.
"""

from __future__ import annotations

import math
import re

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
    """Turns reports into telemetry: about once a second, changed overrides at once."""

    def __init__(self) -> None:
        self.offsets = Offsets()
        self._told_at = -math.inf
        self._overrides: Place | None = None

    def tell(self, report: Report, now: float) -> list[Telemetry]:
        """Return what is worth telling, nothing when it was told just before."""
        is_changed = report.overrides_percent != self._overrides
        if now - self._told_at < TELL_EVERY_S and not is_changed:
            return []
        self._told_at, self._overrides = now, report.overrides_percent
        return [
            *self.offsets.tell(report.offset_mm),
            Telemetry("position", _position(report)),
            Telemetry("feed", {"feed_mm_per_min": report.feed_mm_per_min}),
            Telemetry("power", _power(report)),
            Telemetry("overrides", _overrides(report)),
            Telemetry("pins", {name: float(pin in report.pins) for pin, name in PINS.items()}),
        ]


class Offsets:
    """The work offsets: the stored ones, from ``$#``, and the one in force, from the reports."""

    def __init__(self) -> None:
        self.in_inches = False
        """Setting $13."""
        self._stored: dict[str, float | None] = {}

    def hear(self, text: bytes) -> None:
        """Take in a line of the answer to ``$#``; any other says nothing here."""
        found = _OFFSET.match(text)
        if found is None:
            return
        unit = INCH_MM if self.in_inches else 1.0
        try:
            place = tuple(round(float(value) * unit, 4) for value in found[2].split(b","))
        except ValueError:
            return
        name = found[1].decode("ascii").lower().replace(".", "_")
        if name == "tlo":
            self._stored["tool_length_mm"] = place[-1]
        else:
            self._stored |= _axes(f"{name}_", place)

    def tell(self, in_force: Place | None) -> list[Telemetry]:
        """Return all of them; nothing where none is known."""
        if in_force is None and not self._stored:
            return []
        return [Telemetry("work-offset", {**_axes("", in_force), **self._stored})]


_OFFSET = re.compile(rb"\[(G5[4-9](?:\.[123])?|G28|G30|G92|TLO):([-\d.,]+)\]")


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
