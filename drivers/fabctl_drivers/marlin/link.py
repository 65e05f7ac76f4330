"""The conversation with Marlin: numbered lines, oks, resends, silences. Pure: time is passed in.

One line is in flight by default; :mod:`fabctl_drivers.marlin.window` says when it may be more
(go-back-N on a Resend).

Sources: Marlin ``gcode/queue.cpp``. A Resend empties the receive buffer, and an ok follows it
that acknowledges nothing (1.x: with the fields of an ADVANCED_OK; early 2.0.9: none at all).
An empty line draws no answer. The ok of M105 never carries a number.
"""

from __future__ import annotations

import math

from fabctl.errors import LocalError
from fabctl.units import Seconds
from fabctl_drivers.job_text import shorten
from fabctl_drivers.marlin import patience
from fabctl_drivers.marlin.answers import OK, Answer, Heard, Topic
from fabctl_drivers.marlin.conversation import NEXT, OVER, Acked, Ended, LinkEvent, State, Withdrawn
from fabctl_drivers.marlin.frames import hides_a_lost_newline
from fabctl_drivers.marlin.ledger import PROBE, PROBE_COMMAND, Ledger
from fabctl_drivers.marlin.pieces import Pieces
from fabctl_drivers.marlin.tally import Tally
from fabctl_drivers.marlin.vigil import Due, Vigil
from fabctl_drivers.marlin.window import Window


class Link:
    """Numbers lines, keeps them until they are confirmed, repeats what was damaged.

    :param last_number: the last line number that the firmware knows.
    :param baud: bits per second, 10 for each byte.
    :param busy_s: patience where the firmware is known to say busy, else None.
    :param window_bytes: bytes in flight at most where a window is allowed; 0 for one line.
    :param is_marlin: whether it said so. Its ok to M105 always has temperatures in it
        (``temp/M105.cpp``; ``T:0`` without a sensor), so one without is another line's.
    """

    REPEATS = 10
    """Times that we repeat without getting further, before we give up."""
    WINDOW_REPEATS = 5
    """Times that we repeat without getting further, before the window closes for good."""
    FLUSHED_S = 0.02
    """Quiet after a Resend that threw away lines behind it, which are never answered: longer than
    the 16 ms of a USB adapter's latency timer."""
    UNANSWERED_S = 0.5
    """Quiet after a Resend while an answer is missing that should still come."""
    QUIET_MAX_S = 2.0
    """A line that is never quiet is repeated after this time."""
    WAIT_S = 0.9
    """A ``wait`` sooner after we spoke may have been said before we were heard."""

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
        self._wanted = 0
        self._stray = _NONE  # a line: while we listened to repeat it, an ok came
        self._was_window = False
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

    @property
    def deadline(self) -> float:
        """The time at which :meth:`tick` has something to do."""
        if self.state is State.AWAITING_OK:
            return self._vigil.deadline
        if self.state is State.REPEATING:
            return min(self._quiet_at, self._quiet_limit)
        return math.inf

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
        heard = self._pieces.hear(answer) and self.window.is_proven and self.state not in OVER
        if not heard or self._ledger.has_asides:
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

    # ---- resends

    def _hear_resend(self, answer: Answer, now: float) -> None:
        """Note which line is wanted. The bytes on their way decide with it, so we listen first."""
        self._tally.hear_resend(answer)
        self._was_window = self._was_window or self.window.lines > 1
        self.window.rest()
        number = self._wanted = self._ledger.plausible(answer.number or 0)
        if number > self._stray:
            self._stray = _NONE
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

    def _put(self, framed: bytes, number: int, command: bytes) -> None:
        self._tally.said(number, is_query=command == PROBE_COMMAND)
        self._out.append(framed)
        if self.window.lines > 1 and hides_a_lost_newline(framed):
            self._out.append(b"\n")

    # ---- silences

    def _hear_note(self, answer: Answer, now: float) -> None:
        self._tally.hear_note(answer, self.oldest)
        self._stir(now)
        if answer.topic is Topic.GARBLED and self.state is State.AWAITING_OK:
            self._vigil.hurry(now)
        elif answer.topic not in _BY_ITSELF or self._is_heat_wait(answer):
            self._vigil.sign(now)

    def _is_heat_wait(self, answer: Answer) -> bool:
        """Return whether a report is a heat wait's own: those of most firmwares carry ``W:``."""
        told = b"W:" in answer.text
        self._tells_waits = self._tells_waits or told
        return (told or not self._tells_waits) and patience.waits_for_heat(self.oldest)

    _tells_waits = False

    def _hear_wait(self, now: float) -> None:
        """Its queue is empty, it says: a line or an ok was lost, unless we spoke just now."""
        if self.state is State.AWAITING_OK and now - self._sent_at >= self.WAIT_S:
            self._prompt(now)

    def _silence(self, now: float) -> None:
        due = self._vigil.due()
        if due is Due.NUDGE:
            self._out.append(b"\n")
        elif due is Due.PROMPT:
            self._go(Heard.SILENCE)
            self._prompt(now)
        else:
            silent = f"{self._vigil.silences} times {self._vigil.patience_s:.0f} s"
            self._give_up(f"{silent} without an answer, to: {shorten(self.oldest)}")

    def _prompt(self, now: float) -> None:
        """Find out what was lost: end a line that was cut, then ask with a new one."""
        self._vigil.prompts += 1
        if self._vigil.prompts > self.REPEATS:
            said = shorten(self.oldest)
            self._give_up(f"the firmware waits, and does not take: {said}", damaged=True)
            return
        self._sent_at = now
        self._out.append(b"\n")  # completes a line whose newline was lost; else draws nothing
        if self._vigil.prompts > 1 or self._vigil.busy_s is not None:  # that one was nudged before
            self._probe()
        if self._vigil.prompts > 2:
            self.window.close()
            self._ledger.expect_none()
        self._vigil.begin(self.oldest, now)

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


_TORN = (
    "the cable cut a line in two and the firmware ran a piece of it unchecked, so the part may be"
    " wrong; use a shorter cable, or window = false for this machine"
)
_NONE = -1
_BY_ITSELF = (Topic.TEMPERATURES, Topic.POSITION)
"""Reports that come by themselves (M155, M154), whether or not an ok was lost."""
