"""How many lines may be in flight. Pure.

Sending ahead is known to break firmwares whose oks do not say which line they confirm. So a
window opens only when it was asked for and ``ADVANCED_OK`` is proven: an ``ok`` told the number
of a line of ours, and the places free in the command queue (Marlin ``gcode/queue.cpp``,
``ok_to_send``).

It closes while the planner is almost full (``P`` in the same ok): with so many moves waiting,
sending ahead gains nothing, and one line in flight cannot be cut by a Resend.

After every Resend the window rests: what was on the wire behind a bad line may be cut in two, and
a piece may run (:mod:`fabctl_drivers.marlin.pieces`). The more Resends, the longer.
"""

from __future__ import annotations

from fabctl_drivers.marlin.answers import Answer


class Window:
    """One line, until the firmware proves that it bears more.

    :param asked_bytes: bytes in flight at most, 0 to keep to one line for ever. Marlin's receive
        buffer has 128 by default (``RX_BUFFER_SIZE``), one of them unused.
    """

    ODD_OKS = 5
    """Oks without a number in a row, before the window closes for good."""

    REST, LONGEST_REST = 4096, 65536
    """Lines that go one at a time after the first Resend, and at most; each time twice as many."""

    ALMOST_FULL = 8
    """Part of the planner's places that must be free for more than one line: one in so many."""

    def __init__(self, asked_bytes: int) -> None:
        self.lines = 1
        self._rest = 0
        self._next_rest = self.REST
        self._bytes = asked_bytes
        self._queue = 0
        self._planner = 0
        self._odd = 0

    @property
    def is_proven(self) -> bool:
        """Whether an ok of this firmware ever told its line's number and the queue's places."""
        return self._queue > 0

    def learn(self, answer: Answer) -> None:
        """Take in an ok that told the number of a line in flight."""
        self._odd = 0
        if self._rest:
            self._rest -= 1
        if answer.queue_free is not None and answer.queue_free >= self._queue:
            self._queue = answer.queue_free + 1  # the line that it confirms still takes a place
        if not self._bytes or self._rest:
            return
        free = answer.planner_free
        if free is not None:
            self._planner = max(self._planner, free)
            self.lines = self._queue if self.ALMOST_FULL * free >= self._planner else 1

    def rest(self) -> None:
        """A line was damaged: one at a time for a while."""
        if self.lines > 1:
            self.lines = 1
            self._rest = self._next_rest
            self._next_rest = min(2 * self._next_rest, self.LONGEST_REST)

    def odd_ok(self) -> None:
        """Take in an ok that should have told a number and did not."""
        self._odd += 1
        if self._odd > self.ODD_OKS:
            self.close()

    def close(self) -> None:
        """One line at a time from now on: this firmware, or this cable, does not bear more."""
        self.lines = 1
        self._bytes = 0

    def fits(self, lines: int, size: int) -> bool:
        """Return whether one line more may go out beside ``lines``, ``size`` bytes with it."""
        return lines < self.lines and size <= self._bytes
