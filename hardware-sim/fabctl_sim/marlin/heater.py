"""A heater with its sensor: first-order warming and cooling, in closed form."""

from __future__ import annotations

import math

from fabctl_sim.marlin.board import HeaterBuild


class Heater:
    """One heater; temperatures in °C, times in s.

    At full power it tends to the room plus ``rise_c``, switched off to the room, both with the
    same time constant. The controller is ideal: full power below the target, then exactly it.
    """

    def __init__(self, build: HeaterBuild, room_c: float, now: float) -> None:
        self.build = build
        self.room_c = room_c
        self.target_c = 0.0
        self._since = now
        self._from_c = room_c

    def set_target(self, target_c: float, now: float) -> None:
        """Ask for ``target_c``; 0 switches off."""
        self._from_c = self.temperature(now)
        self._since = now
        self.target_c = target_c

    def temperature(self, now: float) -> float:
        """Return the true temperature at ``now``, not before the last :meth:`set_target`."""
        end_c = self._end_c()
        decay = math.exp(-max(0.0, now - self._since) / self.build.tau_s)
        reached = end_c + (self._from_c - end_c) * decay
        if self._from_c < self.target_c:
            return min(reached, self.target_c)
        return max(reached, self.target_c)

    def reaches_at(self, wanted_c: float) -> float:
        """Return when ``wanted_c`` is crossed on the present way; infinity when never."""
        end_c = self._end_c()
        top, bottom = end_c - self._from_c, end_c - wanted_c
        if top == 0.0 or bottom / top <= 0.0:
            return math.inf
        return self._since + max(0.0, self.build.tau_s * math.log(top / bottom))

    def power(self, now: float) -> int:
        """Return the heater's power as Marlin reports it, 0 to 127."""
        if self.target_c <= self.room_c:
            return 0
        here = self.temperature(now)
        if here < self.target_c:
            return 127
        return (
            int(127 * (self.target_c - self.room_c) / self.build.rise_c)
            if here == self.target_c
            else 0
        )

    def _end_c(self) -> float:
        return self.room_c + (self.build.rise_c if self._from_c < self.target_c else 0.0)
