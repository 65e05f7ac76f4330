"""Which lines were said, which are confirmed, which are on their way. Pure.

Line numbers run without a gap: confirmed up to ``acked``, on the wire up to ``next - 1``, given
a number up to ``last``. While lines are repeated, ``next`` is behind.
"""

from __future__ import annotations

from collections import deque

from fabctl_drivers.marlin.answers import Answer, Topic
from fabctl_drivers.marlin.kept import Kept
from fabctl_drivers.marlin.window import Window

PROBE = object()
"""The ref of a line that the link says for itself."""
PROBE_COMMAND = b"M105"


FAR = 16
"""Lines before the last confirmed one. ``BUFSIZE`` is 4; boards with much memory have 8 or 16."""


class Ledger:
    """The book-keeping of a link.

    :param last_number: the last line number that the firmware knows.
    :param tells_query: whether the ok to M105 is known to have temperatures in it.
    """

    def __init__(self, last_number: int, window: Window, *, tells_query: bool) -> None:
        self.acked = last_number
        self._acked_ever = last_number
        self._received = last_number  # as the last Resend told it
        self._next = last_number + 1
        self._kept = Kept(last_number)
        self._window = window
        self._aside: deque[int] = deque()  # the last number when each was said
        self._query_is_told = tells_query
        self._query_was_told = False

    @property
    def in_flight(self) -> int:
        """Lines that have a number and no confirmation."""
        return self._kept.last - self.acked

    @property
    def last(self) -> int:
        """The last number given."""
        return self._kept.last

    @property
    def oldest(self) -> bytes:
        """The command that the firmware is at; empty when nothing is in flight."""
        return self._kept[self.acked + 1].command if self.in_flight else b""

    @property
    def bytes_in_flight(self) -> int:
        """Bytes on the wire and not confirmed."""
        return self._kept.size(self.acked + 1, self._next)

    @property
    def has_asides(self) -> bool:
        """Whether an ok is owed to something that was said aside."""
        return bool(self._aside)

    # ---- saying

    def prepare(self, command: bytes) -> None:
        """Number a command ahead of time."""
        self._kept.prepare(command)

    def say(self, command: bytes, ref: object) -> bytes:
        """Return the frame of a new line."""
        framed = self._kept.add(command, ref)
        self._next = self._kept.last + 1
        return framed

    def say_aside(self) -> None:
        """An unnumbered command goes out beside the lines in flight; it has an ok of its own."""
        self._aside.append(self._kept.last)

    def forget_asides(self) -> None:
        """Whatever was said aside was heard, or went with the receive buffer."""
        self._aside.clear()

    def may_say(self, size: int) -> bool:
        """Return whether a new line of ``size`` bytes may go out beside those in flight."""
        return self._next > self._kept.last and self._fits(size)

    def next_repeat(self) -> tuple[bytes, int, bytes] | None:
        """Return frame, number and command of the next line to repeat, None where none fits."""
        number = self._next
        if number > self._kept.last:
            return None
        sent = self._kept[number]
        if not self._fits(len(sent.frame)):
            return None
        self._next += 1
        return sent.frame, number, sent.command

    def _fits(self, size: int) -> bool:
        on_the_wire = max(self.acked, self._received) + 1
        if self._next == on_the_wire:
            return True  # whatever is not confirmed has arrived
        lines = self._next - 1 - self.acked
        return self._window.fits(lines, self._kept.size(on_the_wire, self._next) + size)

    # ---- hearing

    def meant(self, answer: Answer, *, awaited: bool) -> int:
        """Return the last line that an ok confirms; :attr:`acked` when it confirms none.

        :param awaited: whether an ok without a number is waited for at all.
        """
        number = answer.number
        if number is not None and self.acked < number < self._next:
            self._window.learn(answer)
            return number
        if number is not None and self._window.is_proven:
            return self.acked  # of an older line, or damaged
        if awaited and answer.topic is Topic.TEMPERATURES:
            return self._temperature_query()
        if self._is_aside() or not awaited:
            return self.acked  # of another command, or it closes a Resend, or nobody asked
        return self.acked + self._plain_oks_count()

    def owes_temperatures(self) -> bool:
        """Return whether the ok that is waited for should have temperatures in it."""
        return self._query_is_told and self.oldest == PROBE_COMMAND

    def expect_none(self) -> None:
        """Asked again and again it tells none: then it is no Marlin, whatever it calls itself."""
        self._query_is_told = self._query_was_told

    def _plain_oks_count(self) -> int:
        """Return 1 where an ok without anything confirms the oldest line, else 0."""
        if self._window.lines > 1:
            return 0  # in a window only a number confirms
        if self.owes_temperatures():
            return 0  # an earlier line was owed it: M105's own has temperatures in it
        return 1

    def _temperature_query(self) -> int:
        """Return which M105 an ok with temperatures is for: our probe, else the first in flight."""
        self._query_is_told = self._query_was_told = True
        last = self._next - 1
        if self._kept[last].ref is PROBE:
            return last
        query = self._kept.find(PROBE_COMMAND, self.acked + 1, self._next)
        return query or (self.acked + 1 if self._window.lines == 1 else self.acked)

    def _is_aside(self) -> bool:
        """Return whether this ok without a number is for a command that was said aside."""
        if self._aside and self._aside[0] <= self.acked:
            self._aside.popleft()
            return True
        return False

    def confirm(self, upto: int) -> tuple[list[object], bool]:
        """Confirm lines; return their refs, and whether it ever got so far before."""
        refs = [self._kept[number].ref for number in range(self.acked + 1, upto + 1)]
        self.acked = upto
        is_progress = upto > self._acked_ever
        self._acked_ever = max(upto, self._acked_ever)
        return refs, is_progress

    # ---- repeating

    def plausible(self, number: int) -> int:
        """Return the line that a Resend means.

        A number that makes no sense was damaged on its way: then it is the oldest in flight, and
        the firmware will correct us.
        """
        if self.is_far_back(number) or number > self._kept.last + 1:
            return self.acked + 1
        if self._kept.find_start(b"M110", number, self.acked + 1) is not None:
            return self.acked + 1  # said again it would count anew, and all after it run twice
        return number

    def is_far_back(self, number: int) -> bool:
        """Return whether a firmware cannot have lost a line of this number: it holds no so many."""
        return number < max(self._kept.oldest, self.acked + 1 - FAR)

    def withdraw(self, number: int) -> tuple[object, ...]:
        """Take back confirmations from ``number`` on; return their refs."""
        refs = tuple(self._kept[n].ref for n in range(number, self.acked + 1))
        self.acked = min(self.acked, number - 1)
        return refs

    def has_received(self, upto: int) -> list[object]:
        """The firmware has lines up to ``upto``; return the refs that were withdrawn in error."""
        self._received = upto
        if upto <= self.acked:
            return []
        return self.confirm(min(upto, self._acked_ever))[0]

    def has_all_until(self, number: int) -> bool:
        """Return whether ``number`` is beyond all that was said."""
        return number > self._kept.last

    def repeat_from(self, number: int) -> bytes:
        """Go back to a line; return its command."""
        self._next = number
        return self._kept[number].command
