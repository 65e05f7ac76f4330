"""Whether somebody stands at the machine: the reset button was pressed there just now. Pure.

It arms nothing. A FAULT is cleared by a word on a socket, which any program of the daemon's user
can say; the press shows that a person is there.
"""

from __future__ import annotations

from typing import Final

from fabctl.interlock import InputPin, Timings
from fabctl.units import Seconds

COUNTS_FOR_S: Final = Seconds(10.0)
"""After the button was let go."""


class PressAtTheMachine:
    """One reset button, as it is read while there is a FAULT.

    A press counts once the button was seen released before it, so that a stuck button, or one that
    was pressed to arm, is no press.
    """

    def __init__(self, pin: InputPin, timings: Timings) -> None:
        self._released_is = pin.safe_high
        self._timings = timings
        self._was_released = False
        self._since: float | None = None
        self._counts_until = float("-inf")
        self.is_read = False
        """Whether the button could be read in the last scan."""

    def renew(self) -> None:
        """Forget every press so far."""
        self._was_released = False
        self._since = None
        self._counts_until = float("-inf")

    def take(self, level: bool | None, now: Seconds) -> None:
        """Take one scan's reading; None: it could not be read."""
        self.is_read = level is not None
        if level is None or level == self._released_is:
            self._was_released = level is not None
            self._since = None
            return
        if not self._was_released:
            return
        if self._since is None:
            self._since = now
        if self._timings.reset_min_s <= now - self._since <= self._timings.reset_max_s:
            self._counts_until = now + COUNTS_FOR_S

    def counts(self, now: Seconds) -> bool:
        """Return whether somebody pressed it just now."""
        return now <= self._counts_until
