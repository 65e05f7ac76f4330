"""Real seconds to simulated seconds: any factor, or as fast as the computer can."""

from __future__ import annotations

import math

INSTANT_HOST_RATE = 20.0
"""Simulated seconds between two of the firmware's repeated reports, per second of interval."""


class Pace:
    """How simulated time follows the monotonic clock.

    With ``factor`` infinity it runs with the clock while nothing is going on and is moved by
    :meth:`jump` while something is.

    :param factor: simulated seconds per real second, > 0.
    """

    def __init__(self, factor: float, real: float) -> None:
        self.factor = factor
        self._real = real
        self._simulated = 0.0

    @property
    def instant(self) -> bool:
        """Whether work takes no real time."""
        return math.isinf(self.factor)

    @property
    def host_rate(self) -> float:
        """Simulated seconds per second of the host, for what is repeated for its sake."""
        return INSTANT_HOST_RATE if self.instant else self.factor

    @property
    def _rate(self) -> float:
        return 1.0 if self.instant else self.factor

    def simulated(self, real: float) -> float:
        """Return the simulated time at ``real``."""
        return self._simulated + (real - self._real) * self._rate

    def real_seconds_until(self, simulated: float, real: float) -> float:
        """Return the real seconds from ``real`` until ``simulated``, 0 when it has passed."""
        return max(0.0, (simulated - self.simulated(real)) / self._rate)

    def change(self, factor: float, real: float) -> None:
        """Go on from here with another factor."""
        self._simulated, self._real = self.simulated(real), real
        self.factor = factor

    def jump(self, simulated: float, real: float) -> None:
        """Be at ``simulated`` now, unless that lies in the past."""
        self._simulated, self._real = max(simulated, self.simulated(real)), real
