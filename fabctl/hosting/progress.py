"""How far a job is and how long it will take. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from fabctl.units import Seconds

TRUST_MEASURED_FROM_S = Seconds(60.0)
"""Below this running time, heating and homing make what was measured worthless."""


@dataclass
class Stopwatch:
    """Counts the time a job runs, its pauses left out; told the time from outside."""

    ran: Seconds
    running_since: Seconds | None = None

    def run(self, now: Seconds) -> None:
        """The job runs from now on."""
        if self.running_since is None:
            self.running_since = now

    def hold(self, now: Seconds) -> None:
        """The job does not run from now on."""
        self.ran = self.seconds(now)
        self.running_since = None

    def seconds(self, now: Seconds) -> Seconds:
        """Return the running time so far, in s."""
        since = now if self.running_since is None else self.running_since
        return Seconds(self.ran + now - since)


def share_done(commands_done: int, commands: int) -> float:
    """Return the confirmed part of the commands, 0 to 1."""
    return min(1.0, max(0.0, commands_done / commands)) if commands > 0 else 0.0


def seconds_left(over: float, ran: Seconds, estimate_s: float | None) -> int | None:
    """Return the time left in s, None when nobody can tell.

    The estimate counts at the beginning; what was measured counts more the more of it is over.

    :param over: the part of the job's time that is over, 0 to 1.
    """
    by_estimate = None if estimate_s is None else estimate_s * (1.0 - over)
    if ran < TRUST_MEASURED_FROM_S or over <= 0.0:
        return None if by_estimate is None else round(by_estimate)
    by_measure = ran * (1.0 - over) / over
    if by_estimate is None:
        return round(by_measure)
    return round((1.0 - over) * by_estimate + over * by_measure)
