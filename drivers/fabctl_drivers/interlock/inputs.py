"""What a scan read, and what it means: every input conditioned by its role. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabctl.interlock import InputRole


@dataclass(frozen=True, slots=True)
class Reading:
    """One scan's raw reading."""

    levels: Mapping[InputRole, bool]
    """True is high; every configured input but FLOW. A pin that could not be read is absent."""
    flow_pulses: int | None
    """Rising edges seen since the last scan; None: could not be read, or there is no such input."""
