"""When to ask for a status report, and which report answers the newest question. Pure.

Source: Grbl ``doc/markdown/interface.md``, "Real-time Status Reports": at most five per second.
"""

from __future__ import annotations

import math
from collections import deque

PER_SECOND = 5
"""Questions in any one second, at most."""
QUICK_S, SOON_S = 0.05, 0.2
"""How soon to ask again where something waits for the answer: quickly for a moment, as at a job's
end, then steadily."""
QUICK_AFTER_S = 0.45
"""Quickly is: where the last three questions took so long, longer than steady ones do."""
UNANSWERED_S = 1.0
"""After this time a question is taken for lost: the firmware forgets one that it is asked while
it answers another, and answers none while it homes or writes to its EEPROM."""


class Watch:
    """Says when ``?`` is due."""

    def __init__(self) -> None:
        self.every_s = math.inf
        """How often to ask; infinite for never."""
        self._asked: deque[float] = deque([-math.inf] * PER_SECOND, maxlen=PER_SECOND)
        self._not_before = -math.inf
        self._open = False
        self._skip = False
        self._hurry = self._at_once = False

    @property
    def due_at(self) -> float:
        """When the next question is to be asked."""
        if self.every_s == math.inf and not self._hurry:
            return math.inf
        asked = self._asked
        wait = self.every_s
        if self._hurry:
            rested = math.isinf(asked[-3]) or asked[-1] - asked[-3] >= QUICK_AFTER_S
            wait = QUICK_S if rested or self._at_once else SOON_S
        return max(asked[-1] + wait, asked[0] + 1.0, self._not_before)

    def wait_until(self, then: float) -> None:
        """Ask nothing before ``then``."""
        self._not_before = then

    def asked(self, now: float) -> None:
        """A question goes out."""
        self._asked.append(now)
        self._open = True
        self._hurry = self._at_once = False

    def mark(self, *, at_once: bool = False) -> None:
        """Something changed just now: a report to an older question says nothing about it.

        The next question is asked as soon as it may be.

        :param at_once: one question decides, so none has to be left for later.
        """
        self._skip = self._open
        self._hurry = True
        self._at_once = self._at_once or at_once

    def is_fresh(self, now: float) -> bool:
        """Take in a report that came; return whether it tells of the time after the last mark."""
        stale = self._skip and now - self._asked[-1] < UNANSWERED_S
        self._skip = self._open = False
        return not stale

    def forget(self) -> None:
        """The controller began anew: no question is open."""
        self._open = self._skip = False
