"""The conversation with Marlin: numbered lines, oks, resends, silences. Pure: time is passed in.

One line is in flight by default; :mod:`fabctl_drivers.marlin.window` says when it may be more
(go-back-N on a Resend).

Sources: Marlin ``gcode/queue.cpp``. An empty line draws no answer. The ok of M105 never carries
a number.
"""

from __future__ import annotations

import math

from fabctl_drivers.job_text import shorten
from fabctl_drivers.marlin.answers import OK, Answer, Heard
from fabctl_drivers.marlin.conversation import OVER, Acked, Ended, State
from fabctl_drivers.marlin.silences import Silences

_TORN = (
    "the cable cut a line in two and the firmware ran a piece of it unchecked, so the part may be"
    " wrong; use a shorter cable, or window = false for this machine"
)


class Link(Silences):
    """Numbers lines, keeps them until they are confirmed, repeats what was damaged.

    :param last_number: the last line number that the firmware knows.
    :param baud: bits per second, 10 for each byte.
    :param busy_s: patience where the firmware is known to say busy, else None.
    :param window_bytes: bytes in flight at most where a window is allowed; 0 for one line.
    :param is_marlin: whether it said so. Its ok to M105 always has temperatures in it
        (``temp/M105.cpp``; ``T:0`` without a sensor), so one without is another line's.
    """

    @property
    def deadline(self) -> float:
        """The time at which :meth:`tick` has something to do."""
        if self.state is State.AWAITING_OK:
            return self._vigil.deadline
        if self.state is State.REPEATING:
            return min(self._quiet_at, self._quiet_limit)
        return math.inf

    # ---- what the caller heard

    def hear(self, answer: Answer, now: float) -> None:
        """Take in one line of the firmware; what came of it is in :attr:`events`."""
        heard = answer.heard
        is_usual = answer is OK or answer.number is not None
        if (self._pieces.after_resend or not is_usual) and self._is_piece(answer):
            return
        if heard is Heard.OK:
            self._hear_ok(answer, now)
            return
        over = self.state in OVER
        self._go(heard)
        if over:
            return
        if heard is Heard.NOTE:
            self._hear_note(answer, now)
        elif heard is Heard.BUSY:
            self._vigil.hear_busy(self.oldest, now)
            self._stir(now)
        elif heard is Heard.RESEND:
            self._hear_resend(answer, now)
        elif heard is Heard.WAIT:
            self._hear_wait(now)
        else:
            self.events.append(Ended(self.state, f"the firmware said “{shorten(answer.text)}”"))

    def hear_unfinished_ok(self, now: float) -> None:
        """Take in an ok whose newline is not there yet, or was lost on the way."""
        if self.state is State.AWAITING_OK:
            self._vigil.hurry(now)

    def _is_piece(self, answer: Answer) -> bool:
        """Return whether this is the ok of a piece of a line; then the link is over."""
        is_piece = self._pieces.hear(answer, is_refused=self._tally.is_refused)
        if not is_piece or not self.window.is_proven or self.state in OVER:
            return False
        if self._ledger.has_asides:
            return False
        self._tear()
        return True

    def _tear(self) -> None:
        self._go(Heard.GAVE_UP)
        self.events.append(Ended(self.state, _TORN, torn=True))

    def tick(self, now: float) -> None:
        """Do what is due at ``now``."""
        if now < self.deadline:
            return
        if self.state is State.REPEATING:
            self._quiet()
            self._sent_at = now
            self._vigil.begin(self.oldest, now)
        else:
            self._silence(now)

    # ---- oks

    def _hear_ok(self, answer: Answer, now: float) -> None:
        if self.state in OVER:
            return
        ledger = self._ledger
        closes, refused = self._tally.hear_ok(answer), self._tally.take_refused()
        listens, waits = self.state is State.REPEATING, self.state is State.AWAITING_OK
        upto = ledger.meant(answer, awaited=waits and not (closes or refused))
        if upto == ledger.acked:
            if listens and answer.text == b"ok" and not (closes or refused or ledger.has_asides):
                self._stray = ledger.acked + 1
            self._odd_ok(answer, now, refused=refused)
            return
        if ledger.acked < self._stray <= upto and not listens and answer.text == b"ok":
            self._tear()  # it had not the line when somebody got an ok for it: for what, then?
            return
        if listens:
            self._wanted = max(self._wanted, upto + 1)  # it has the line: the Resend was an old one
        self._confirm(upto)
        self._go_on(now)

    def _go_on(self, now: float) -> None:
        """Lines were confirmed: say more, unless something is still to be answered."""
        if not self._ledger.in_flight:
            self._go(Heard.ALL_OK)
            if self.state is State.READY and not self._tally.is_clear:
                self._wanted = self._ledger.acked + 1
                self._listen(now)
            else:
                self._stir(now)
            return
        self._go(Heard.OK)
        self._vigil.begin(self._ledger.oldest, now)
        self._stir(now)
        if self.state is State.AWAITING_OK:
            self._repeat_more()

    def _odd_ok(self, answer: Answer, now: float, *, refused: bool) -> None:
        self._go(Heard.OK)
        self._stir(now)
        self._vigil.sign(now)
        if self.state is not State.AWAITING_OK:
            return
        if self.window.lines > 1 and answer.number is None:
            self.window.odd_ok()
        elif self._ledger.owes_temperatures():
            self._vigil.hurry(now, self.UNANSWERED_S)
        elif answer.number is not None or refused or self.window.is_proven:
            self._vigil.hurry(now)

    def _confirm(self, upto: int) -> None:
        refs, is_progress = self._ledger.confirm(upto)
        for ref in refs:
            self.events.append(Acked(ref))
        self._vigil.confirmed()
        if is_progress:
            self._repeats = 0
