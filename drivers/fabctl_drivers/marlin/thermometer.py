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
        self._told_at = -math.inf

    def read(self, line: bytes, now: float) -> list[Telemetry]:
        """Take in a report; return what is worth telling now."""
        self._values.update(temperatures.readings(line))
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
        """``M109`` and ``M190`` → what that heater is told, in °C, where it is known."""
        known = ((wait, self._values.get(name)) for wait, name in _WAITS.items())
        return {wait: target for wait, target in known if target is not None}

    @property
    def hot_targets(self) -> dict[bytes, float]:
        """The targets that are not 0 °C."""
        return {wait: target for wait, target in self.targets.items() if target > 0}
