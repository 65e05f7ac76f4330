"""What a machine last said of its temperatures. Pure."""

from __future__ import annotations

import math

from fabctl.ports import Telemetry
from fabctl_drivers.marlin import temperatures
from fabctl_drivers.marlin.pausing import COLDEST_EXTRUSION_C

TELEMETRY_EVERY_S = 0.95
"""At most one event per second, whatever the firmware sends."""

_WAITS = {b"M109": "nozzle_target_c", b"M190": "bed_target_c"}


class Thermometer:
    """Keeps the newest reading of every heater, in °C."""

    def __init__(self) -> None:
        self._values: dict[str, float | None] = {}
        self._last_targets: dict[bytes, float | None] = {}
        self._sure: dict[bytes, float] = {}
        self._told_at = -math.inf

    def read(self, line: bytes, now: float) -> list[Telemetry]:
        """Take in a report; return what is worth telling now."""
        self._values.update(temperatures.readings(line))
        self._note_targets()
        if now - self._told_at < TELEMETRY_EVERY_S:
            return []
        self._told_at = now
        return [Telemetry("temperatures", dict(self._values))]

    @property
    def tools(self) -> int:
        """How many nozzles the machine ever reported, ≥ 1."""
        return temperatures.tools_seen(self._values)

    @property
    def has_chamber(self) -> bool:
        """Whether the machine ever reported a chamber."""
        return "chamber_c" in self._values

    @property
    def can_extrude(self) -> bool:
        """Whether the nozzle is known to be hot enough for the firmware to move filament."""
        nozzle_c = self._values.get("nozzle_c")
        return nozzle_c is not None and nozzle_c >= COLDEST_EXTRUSION_C

    @property
    def targets(self) -> dict[bytes, float]:
        """``M109`` and ``M190`` → what that heater is told, in °C, where it is known.

        A report has no checksum: a target is believed when two in a row tell the same.
        """
        return dict(self._sure)

    def forget_targets(self) -> None:
        """A heater was told another target: what was reported before counts no more."""
        self._sure, self._last_targets = {}, {}

    def _note_targets(self) -> None:
        targets = {wait: self._values.get(name) for wait, name in _WAITS.items()}
        before, self._last_targets = self._last_targets, targets
        self._sure = {
            wait: target
            for wait, target in targets.items()
            if target is not None and before.get(wait) == target
        }
