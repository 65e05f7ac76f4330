"""A Resend, or a doubt: listen until the line is quiet, then say kept lines again. Pure.

Source: Marlin ``gcode/queue.cpp``. A Resend empties the receive buffer, and an ok follows it
that acknowledges nothing (1.x: with the fields of an ADVANCED_OK; early 2.0.9: none at all).
"""

from __future__ import annotations

import math

from fabctl_drivers.job_text import shorten
from fabctl_drivers.marlin.answers import Answer, Heard
from fabctl_drivers.marlin.conversation import Acked, Ended, State, Withdrawn
from fabctl_drivers.marlin.sender import NONE, Sender


class Repeating(Sender):
    """Says again what was damaged."""

    WINDOW_REPEATS = 5
    """Times that we repeat without getting further, before the window closes for good."""
    FLUSHED_S = 0.02
    """Quiet after a Resend that threw away lines behind it, which are never answered: longer than
    the 16 ms of a USB adapter's latency timer."""
    UNANSWERED_S = 0.5
    """Quiet after a Resend while an answer is missing that should still come."""
    FAR_BACK = 4
    """Resends of lines long confirmed, in a row: a damaged number, or, after so many, a controller
    that began anew and whose greeting was lost. An error and its Resend are two."""
    QUIET_MAX_S = 2.0
    """A line that is never quiet is repeated after this time."""

    def _hear_resend(self, answer: Answer, now: float) -> None:
        """Note which line is wanted. The bytes on their way decide with it, so we listen first."""
        self._tally.hear_resend(answer)
        if self._ledger.is_far_back(answer.number or 0):
            self._far_back += 1
            if self._far_back > self.FAR_BACK:
                self._go(Heard.START)
                self.events.append(Ended(self.state, _BEGAN_ANEW % (answer.number or 0)))
                return
        else:
            self._far_back = 0
        self._was_window = self._was_window or self.window.lines > 1
        self.window.rest()
        number = self._wanted = self._ledger.plausible(answer.number or 0)
        if number > self._stray:
            self._stray = NONE
        withdrawn = self._ledger.withdraw(number)
        if withdrawn:
            self.events.append(Withdrawn(withdrawn))
            self._stray = number
        self.events += [Acked(ref) for ref in self._ledger.has_received(number - 1)]
        self._vigil.confirmed()
        self._listen(now)

    def _listen(self, now: float) -> None:
        if self.state is not State.REPEATING:
            self._go(Heard.DOUBT)
        if self._quiet_limit < now:
            self._quiet_limit = now + self.QUIET_MAX_S
        self._stir(now)

    def _stir(self, now: float) -> None:
        """Something was heard: listen for as long as more may come."""
        if self.state is not State.REPEATING:
            return
        if self._tally.is_clear:
            self._quiet_at = now
        elif self._was_window:
            on_the_wire_s = self._ledger.bytes_in_flight * self._byte_s * 2
            self._quiet_at = now + self.FLUSHED_S + on_the_wire_s
        else:
            self._quiet_at = now + self.UNANSWERED_S

    def _quiet(self) -> None:
        self._quiet_limit = -math.inf
        may_hold_a_piece = self._was_window or (
            self._vigil.busy_s is not None and not self._tally.is_clear
        )
        self._was_window = False
        self._tally.give_up()
        self._ledger.forget_asides()
        if not self._ledger.has_all_until(self._wanted):
            self._repeat(may_hold_a_piece=may_hold_a_piece)
        elif self._ledger.in_flight:  # it has all that was said, yet not all is confirmed
            self._go(Heard.QUIET)
            self._probe()
        else:
            self._go(Heard.SETTLED)

    def _repeat(self, *, may_hold_a_piece: bool) -> None:
        said = shorten(self._ledger.repeat_from(self._wanted))
        self._repeats += 1
        if self._repeats > self.REPEATS:
            self._give_up(
                f"the firmware could not read this line {self._repeats} times: {said}",
                damaged=True,
            )
            return
        if self._repeats > self.WINDOW_REPEATS:
            self.window.close()
        self._go(Heard.QUIET)
        if may_hold_a_piece:
            self._out.append(b"\n")  # ends it, and draws no answer
        self._repeat_more()

    def _repeat_more(self) -> None:
        """Say kept lines again, as many as may be in flight."""
        while (said := self._ledger.next_repeat()) is not None:
            self._put(*said)
            self.resends += 1


_BEGAN_ANEW = "the firmware asks for line %d, as a controller does that began anew"
