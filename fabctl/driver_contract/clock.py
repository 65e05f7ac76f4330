"""The clocks that a driver under test is given."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from fabctl.units import Seconds

_OFFSET_S = 50_000.0
"""Our monotonic clock is not ``time.monotonic()``: a driver that mixes the two is found out."""


class BenchClock:
    """Real time; the wall clock can be set, as the network does it to a computer at its start."""

    def __init__(self) -> None:
        self.step = timedelta(0)
        self.times_asked = 0

    def now(self) -> datetime:
        """Return the wall clock as set, in UTC."""
        return datetime.now(UTC) + self.step

    def monotonic(self) -> Seconds:
        """Return the monotonic clock in s."""
        self.times_asked += 1
        return Seconds(time.monotonic() + _OFFSET_S)
