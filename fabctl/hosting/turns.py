"""Events go on record in the order in which they happened, also after a broken connection.

Each names the one before it. One that came too early is left to its machine, which says all that
is not on record again, in order. It is not waited for for ever: what was lost, or put on record
before the database was restored from a backup, would otherwise hold up all that follows.
"""

from __future__ import annotations

from fabctl.clock import Clock
from fabctl.model.event import MachineEvent
from fabctl.units import Seconds

PATIENCE = Seconds(20.0)
"""Machines say again what is not on record every 5 s."""
MOST_HELD = 1_000

Name = tuple[str, str, int]


class Turns:
    """Which events came too early, and since when."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[Name, Seconds] = {}

    def has_come(self, event: MachineEvent, its_turn: bool) -> bool:
        """Say whether an event goes on record now.

        :param its_turn: whether the one before it is there.
        """
        name, now = (event.machine, event.boot, event.seq), self._clock.monotonic()
        if its_turn or now - self._held.setdefault(name, now) >= PATIENCE:
            self._held.pop(name, None)
            return True
        while len(self._held) > MOST_HELD:
            self._held.pop(next(iter(self._held)))
        return False
