"""Waiting for an answer: what counts as a sign of life, and what to do when there is none. Pure."""

from __future__ import annotations

import math
from enum import Enum, auto

from fabctl.units import Seconds
from fabctl_drivers.marlin import patience


class Due(Enum):
    """What a silence calls for."""

    NUDGE = auto()
    """A bare newline, which costs the firmware nothing: where a newline was lost on the way, it
    waits for one as we wait for it."""
    PROMPT = auto()
    """A question: something was lost."""
    GIVE_UP = auto()


class Vigil:
    """Watches over the oldest line in flight.

    :param busy_s: patience where the firmware is known to say busy, else None.
    """

    SILENCES = 5
    """Silences in a row before we give up."""
    SLOWER = 4.0
    """While somebody has to come, each question comes so many times later than the one before."""
    HURRY_S = 0.03
    """Patience after something that may have been a damaged ok."""
    NUDGE_S = 0.06
    """Patience before a newline, where an empty line is known to draw nothing: with a firmware
    that says busy, as Marlin does."""

    def __init__(self, busy_s: Seconds | None) -> None:
        self.busy_s = busy_s
        self.patience_s: float = 0.0
        self.silences = 0
        self.prompts = 0
        """Questions since the last confirmation."""
        self._nudged = True
        self._has_time = False
        self._sign_at = -math.inf

    @property
    def deadline(self) -> float:
        """The time at which :meth:`due` has an answer."""
        return self._sign_at + (self.patience_s if self._nudged else self.NUDGE_S)

    def begin(self, oldest: bytes, now: float) -> None:
        """Another line is the oldest in flight now, or the same was said again."""
        self._sign_at = now
        self._nudged = self.busy_s is None
        self._has_time = self.busy_s is None and patience.waits_for_person(oldest)
        self.patience_s = patience.patience(oldest, self.busy_s)

    def go_on(self, oldest: bytes, now: float) -> None:
        """We asked; wait for the answer as long as for the line, or longer each time."""
        patience_s = self.patience_s
        self.begin(oldest, now)
        if self._has_time:
            self.patience_s = patience_s

    def sign(self, now: float) -> None:
        """The firmware is alive, and not stuck."""
        self._sign_at = now
        self.silences = 0

    def hear_busy(self, oldest: bytes, now: float) -> None:
        """It works, and says so."""
        self.busy_s = self.busy_s or patience.BUSY_S
        self.patience_s = patience.patience(oldest, self.busy_s)
        self.sign(now)

    def confirmed(self) -> None:
        """A line was confirmed: nothing is lost."""
        self.silences = self.prompts = 0

    def hurry(self, now: float, patience_s: float = HURRY_S) -> None:
        """Something may have been a damaged ok: ask soon, unless we asked more than once."""
        if self.prompts < 2:
            self.prompts = max(1, self.prompts)
            self._sign_at, self.patience_s, self._nudged = now, patience_s, True

    def due(self) -> Due:
        """Return what the silence that has just ended calls for, and begin the next one."""
        if not self._nudged:
            self._nudged = True
            return Due.NUDGE
        if self._has_time:  # somebody may come tomorrow, and this firmware does not say busy
            self.patience_s *= self.SLOWER
            return Due.PROMPT
        self.silences += 1
        return Due.GIVE_UP if self.silences >= self.SILENCES else Due.PROMPT
