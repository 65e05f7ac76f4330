"""How long a machine worked for whom, counted from what its interlock says. Pure.

Only the daemon's own clock counts (``uptime_s``, ``since_s``), never ours: however late its words
arrive, each change of state is put where it happened.
"""

from __future__ import annotations

from dataclasses import dataclass

from fabctl.hosting.interlock_rules import ROWS
from fabctl.messaging.interlocks import InterlockPayload

UNHEARD_AT_MOST_S = 2.0
"""The daemon speaks every 0.5 s. What came before its present state, in a longer silence, nobody
knows; the present state is known by its own ``since_s``."""
TELL_AFTER_S = 60.0
"""Work is told when it rests, and at least so often: what dies with us is at most this much."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A machine worked for so many seconds of a use."""

    use: str
    seconds: float


class WorkMeter:
    """Adds up the time in the states that count as work (``Row.works``)."""

    def __init__(self) -> None:
        self._last: InterlockPayload | None = None
        self._use: str | None = None
        self._seconds = 0.0

    def hear(self, said: InterlockPayload) -> list[Ran]:
        """Take one word of the daemon; return what is to be told now.

        A word without ``uptime_s``, or of another boot, begins anew: nobody knows what was
        between. Work that goes on stays that of the use it began for, whoever is permitted
        meanwhile. Work for which no permit was ever named is nobody's, and is not told.
        """
        seconds, before, last = self._worked_until(said), self._use, self._last
        self._last = said if said.uptime_s is not None else None
        self._seconds += seconds
        goes_on = last is not None and ROWS[last.state].works and ROWS[said.state].works
        use = said.permit.use if said.permit and not goes_on else before
        told: list[Ran] = []
        if use != before or not ROWS[said.state].works or self._seconds >= TELL_AFTER_S:
            told = self.take()
        self._use = use
        return told

    def take(self) -> list[Ran]:
        """Return what was counted and not told yet: the daemon fell silent, or we end."""
        seconds, self._seconds = self._seconds, 0.0
        return [Ran(self._use, seconds)] if self._use and seconds > 0.0 else []

    def _worked_until(self, said: InterlockPayload) -> float:
        last = self._last
        if last is None or last.uptime_s is None or said.uptime_s is None:
            return 0.0
        passed = said.uptime_s - last.uptime_s
        if last.boot != said.boot or passed < 0.0:
            return 0.0
        in_this_state = min(passed, max(0.0, said.since_s or 0.0))
        worked = in_this_state if ROWS[said.state].works else 0.0
        before = passed - in_this_state
        known = ROWS[last.state].works and before <= UNHEARD_AT_MOST_S
        return worked + (before if known else 0.0)
