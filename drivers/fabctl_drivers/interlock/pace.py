"""How well the scan keeps its time, and whether the computer slept. Pure."""

from __future__ import annotations

from fabctl.units import Seconds

_A_LITTLE = 0.1
"""Of a period: a scan that comes so much earlier than twice the period still makes one missed."""
SLEPT_S = Seconds(0.1)
"""CLOCK_MONOTONIC stands still while the computer is suspended, CLOCK_BOOTTIME goes on
(clock_gettime(2)). So much more between them is a sleep; they are read one after the other."""


class Pace:
    """The gaps between the beginnings of scans, wherever a process was kept from them.

    :param period: between two scans, s.
    """

    def __init__(self, period: Seconds) -> None:
        self._period = period
        self._before: float | None = None
        self._ahead: float | None = None
        self.missed = 0
        """Whole scans that should have been made and were not."""
        self.longest_s = Seconds(0.0)
        """The longest gap between two scans."""

    def begin(self, now: Seconds) -> None:
        """Take in that a scan begins.

        :param now: monotonic clock, s.
        """
        before, self._before = self._before, now
        if before is None:
            return
        gap = now - before
        self.longest_s = max(self.longest_s, Seconds(gap))
        self.missed += max(0, int(gap / self._period + _A_LITTLE) - 1)

    def slept(self, ahead_s: float) -> bool:
        """Return whether the computer was suspended since the last call.

        :param ahead_s: CLOCK_BOOTTIME less CLOCK_MONOTONIC, the former read first: a process that
            is kept waiting between the two finds less, never more.
        """
        known = self._ahead
        self._ahead = ahead_s if known is None else max(known, ahead_s)
        return known is not None and ahead_s - known > SLEPT_S
