"""The last telemetry of one machine: the groups that screens show, each with its age.

Bounded by construction: four groups, each with the names that are listed here, one number each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fabctl.messaging.payloads import PayloadError, read_telemetry
from fabctl.units import Seconds

TELEMETRY_LIFE = Seconds(60.0)
AXES = ("x", "y", "z")
GROUPS: Mapping[str, frozenset[str] | None] = {
    "temperatures": None,
    "position": frozenset(f"{frame}{axis}_mm" for frame in ("", "machine_") for axis in AXES),
    "feed": frozenset({"feed_mm_per_min"}),
    "power": frozenset({"power"}),
}
"""What is kept of each group; None: every name, for heaters are many. Others are not kept.

``position``: ``x_mm`` … as the machine counts now (a mill or laser: from the workpiece's zero),
``machine_x_mm`` … from its own zero. ``power``: spindle speed in rpm, or a laser's S word.
"""
MOST = 1e7
"""No axis, feed or power of a lab's machine is beyond; mm, mm/min, rpm."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A group as it was said last."""

    values: Mapping[str, float | None] = field(default_factory=dict)
    age_s: float | None = None
    """Seconds since it was said; None: not in the last minute."""


NOTHING = Reading()


class LastReadings:
    """What one machine said last."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[Mapping[str, float | None], Seconds]] = {}

    def take(self, group: str, payload: bytes, now: Seconds) -> None:
        """Keep a group that screens show. :raises PayloadError: malformed; nothing changes."""
        if group not in GROUPS:
            return
        values, names = read_telemetry(payload), GROUPS[group]
        if names is not None:
            values = {name: value for name, value in values.items() if name in names}
            for name, value in values.items():
                if value is not None and abs(value) > MOST:
                    raise PayloadError(f"the field {name!r} is {value}", limit=f"at most {MOST}")
        self._said[group] = values, now

    def of(self, group: str, now: Seconds) -> Reading:
        """Return a group of the last minute; nothing when it is older."""
        values, at = self._said.get(group, ({}, None))
        if at is None or now - at > TELEMETRY_LIFE:
            return NOTHING
        return Reading(values, max(0.0, now - at))
