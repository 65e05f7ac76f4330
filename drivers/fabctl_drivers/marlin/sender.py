"""Numbered lines on their way out: who may speak, what is kept, what was given up. Pure.

The first of the layers of :class:`fabctl_drivers.marlin.link.Link`: sender, repeating, silences,
link. Each knows the ones before it.
"""

from __future__ import annotations

import math

from fabctl.errors import LocalError
from fabctl.units import Seconds
from fabctl_drivers.marlin.answers import Heard
from fabctl_drivers.marlin.conversation import NEXT, Ended, LinkEvent, State
from fabctl_drivers.marlin.frames import hides_a_lost_newline
from fabctl_drivers.marlin.ledger import PROBE, PROBE_COMMAND, Ledger
from fabctl_drivers.marlin.pieces import Pieces
from fabctl_drivers.marlin.tally import Tally
from fabctl_drivers.marlin.vigil import Vigil
from fabctl_drivers.marlin.window import Window

NONE = -1
"""No line's number."""


class Sender:
    """Numbers lines and lets them go."""

    REPEATS = 10
    """Times that we repeat or ask without getting further, before we give up."""

    def __init__(
        self,
        *,
        last_number: int,
        baud: int,
        busy_s: Seconds | None = None,
        window_bytes: int = 0,
        is_marlin: bool = False,
    ) -> None:
        self.state = State.READY
        self.resends = 0
        """Lines sent again."""
        self.bytes_sent = 0
        self.events: list[LinkEvent] = []
        self.window = Window(window_bytes)
        self._pieces = Pieces()
        self._tally = Tally()
        self._ledger = Ledger(last_number, self.window, tells_query=is_marlin)
        self._out: list[bytes] = []
        self._byte_s = 10.0 / baud
        self._vigil = Vigil(busy_s)
        self._sent_at = -math.inf
        self._repeats = 0
        self._wanted = self._far_back = 0
        self._stray = NONE  # a line: while we listened to repeat it, an ok came
        self._was_window = False
        self._tells_waits = False
        self._quiet_at = self._quiet_limit = -math.inf

    # ---- what the caller asks

    @property
    def in_flight(self) -> int:
        """Lines sent and not confirmed."""
        return self._ledger.in_flight

    @property
    def oldest(self) -> bytes:
        """The command that the firmware is at; empty when nothing is in flight."""
        return self._ledger.oldest

    def set_busy(self, busy_s: Seconds) -> None:
        """Be patient for this long with a firmware that says busy more often."""
        self._vigil.busy_s = busy_s

    def has_room(self, command: bytes) -> bool:
        """Return whether ``command`` may be sent now."""
        if self.state is State.READY:
            return True
        if self.window.lines == 1 or self.state is not State.AWAITING_OK:
            return False
        return self._ledger.may_say(len(command) + 12)

    def take_output(self) -> bytes:
        """Return the bytes to write now, and forget them."""
        if not self._out:
            return b""
        out = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        self._out.clear()
        self.bytes_sent += len(out)
        return out

    # ---- what the caller says

    def prepare(self, command: bytes) -> None:
        """Number a command while the firmware is at work, so that it can leave at once."""
        self._ledger.prepare(command)

    def send(self, command: bytes, ref: object, now: float) -> None:
        """Say a line; ``ref`` comes back with its confirmation.

        :raises LocalError: the conversation does not allow it now (see :meth:`has_room`).
        """
        self._go(Heard.SENT)
        self._put(self._ledger.say(command, ref), self._ledger.last, command)
        self._sent_at = now
        if self._ledger.in_flight == 1:
            self._vigil.begin(command, now)

    def say_aside(self, command: bytes) -> None:
        """Say an unnumbered command beside the lines in flight (M108): it has an ok of its own."""
        self._out.append(command + b"\n")
        self._ledger.say_aside()

    # ---- saying

    def _put(self, framed: bytes, number: int, command: bytes) -> None:
        self._tally.said(number, is_query=command == PROBE_COMMAND)
        self._out.append(framed)
        if self.window.lines > 1 and hides_a_lost_newline(framed):
            self._out.append(b"\n")

    def _probe(self) -> None:
        """Say a new line: its ok, or the Resend that it draws, tells what was received.

        A repeat would not do: Marlin 2.1 passes over a line that it has in silence.
        """
        self._put(self._ledger.say(PROBE_COMMAND, PROBE), self._ledger.last, PROBE_COMMAND)

    def _give_up(self, reason: str, *, damaged: bool = False) -> None:
        self._go(Heard.GAVE_UP)
        self.events.append(Ended(self.state, reason, damaged=damaged))

    def _go(self, heard: Heard) -> None:
        try:
            self.state = NEXT[self.state, heard]
        except KeyError:
            raise LocalError(f"{heard.name} has no place in state {self.state.name}") from None
