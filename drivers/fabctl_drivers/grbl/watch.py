"""When to ask for a status report, and which report answers the newest question. Pure.

Source: Grbl ``doc/markdown/interface.md``, "Real-time Status Reports": at most five per second.
"""

from __future__ import annotations

import math

APART_S = 0.2
"""Questions are at least so far apart."""
UNANSWERED_S = 1.0
"""After this time a question is taken for lost: the firmware forgets one that it is asked while
it answers another, and answers none while it homes or writes to its EEPROM."""


class Watch:
    """Says when ``?`` is due."""

    def __init__(self) -> None:
        self.every_s = math.inf
        """How often to ask; infinite for never."""
        self.asked_at = -math.inf
        self._open = False
        self._skip = False
        self._hurry = False

    @property
    def due_at(self) -> float:
        """When the next question is to be asked."""
        if self.every_s == math.inf and not self._hurry:
            return math.inf
        wait = APART_S if self._hurry else max(APART_S, self.every_s)
        return self.asked_at + wait

    def asked(self, now: float) -> None:
        """A question goes out."""
        self.asked_at = now
        self._open = True
        self._hurry = False

    def mark(self) -> None:
        """Something changed just now: a report to an older question says nothing about it.

        The next question is asked as soon as it may be.
        """
        self._skip = self._open
        self._hurry = True

    def is_fresh(self, now: float) -> bool:
        """Take in a report that came; return whether it tells of the time after the last mark."""
        stale = self._skip and now - self.asked_at < UNANSWERED_S
        self._skip = self._open = False
        return not stale

    def forget(self) -> None:
        """The controller began anew: no question is open."""
        self._open = self._skip = False
