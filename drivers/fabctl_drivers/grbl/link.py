"""The conversation with Grbl: lines counted, oks, errors, alarms, resets. Pure.

Sources: Grbl ``doc/markdown/interface.md`` (responses, character counting, EEPROM), ``commands.md``
(real-time commands). A soft reset empties the receive buffer and the planner; a banner follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, auto
from typing import NamedTuple

from fabctl.errors import LocalError
from fabctl_drivers.grbl import realtime
from fabctl_drivers.grbl.answers import Answer, Heard
from fabctl_drivers.grbl.counting import Counting


class State(IntEnum):
    """Where the conversation stands."""

    READY = auto()
    """Nothing is in flight."""
    COUNTING = auto()
    """Lines are in flight, and more may follow."""
    ALONE = auto()
    """One line is in flight, and nothing may follow before its answer."""
    VOID = auto()
    """After an alarm, or after our 0x18: what was said is forgotten, what is said is in vain.
    A banner ends it."""


NEXT: Mapping[tuple[State, Heard], State] = {
    (State.READY, Heard.SENT): State.COUNTING,
    (State.READY, Heard.SENT_ALONE): State.ALONE,
    (State.READY, Heard.OK): State.READY,  # asked for by nobody: of a line before the reset
    (State.READY, Heard.ERROR): State.READY,
    (State.COUNTING, Heard.SENT): State.COUNTING,
    (State.COUNTING, Heard.OK): State.COUNTING,
    (State.COUNTING, Heard.ERROR): State.COUNTING,  # what is in the buffer still runs
    (State.COUNTING, Heard.LAST_OK): State.READY,
    (State.COUNTING, Heard.LAST_ERROR): State.READY,
    (State.ALONE, Heard.LAST_OK): State.READY,
    (State.ALONE, Heard.LAST_ERROR): State.READY,
    (State.VOID, Heard.OK): State.VOID,
    (State.VOID, Heard.ERROR): State.VOID,
    **{(state, Heard.ALARM): State.VOID for state in State},
    **{(state, Heard.RESET): State.VOID for state in State},
    **{(state, Heard.BANNER): State.READY for state in State},
    **{(s, heard): s for s in State for heard in (Heard.REPORT, Heard.NOTE)},
}
"""Every state and all that it may hear. A pair that is missing is a mistake of ours."""


class Confirmed(NamedTuple):
    """The firmware took a line; ``ref`` is what :meth:`Link.send` was given."""

    ref: object


class Refused(NamedTuple):
    """The firmware refused a line; the ones after it still run."""

    ref: object
    code: int | None


class Alarmed(NamedTuple):
    """The firmware locked itself; the queue is void."""

    code: int | None
    ref: object
    """What the oldest line was for that had no answer; None without one."""


class Restarted(NamedTuple):
    """The controller began anew; the queue is void."""

    banner: bytes
    asked: bool
    """Whether we had said 0x18."""


LinkEvent = Confirmed | Refused | Alarmed | Restarted


class Link:
    """Counts characters, and says one line at a time where the firmware can bear no more."""

    def __init__(self) -> None:
        self.state = State.READY
        self.counting = Counting()
        self.bytes_sent = 0
        """Bytes of lines; real-time bytes are not counted."""
        self._out: list[bytes] = []
        self._reset_said = False

    @property
    def in_flight(self) -> int:
        """Lines said and not answered."""
        return len(self.counting)

    @property
    def oldest(self) -> object:
        """What the line is for that the firmware answers next; None when nothing is in flight."""
        return self.counting.oldest

    def has_room(self, size: int) -> bool:
        """Return whether a line of ``size`` bytes, newline included, may be said now."""
        state = self.state
        return (state is State.COUNTING and self.counting.fits(size)) or state is State.READY

    def send(self, line: bytes, ref: object, *, alone: bool = False) -> None:
        """Say a line; it ends with its newline. ``ref`` comes back with the answer.

        :param alone: it writes to the EEPROM, or it is a ``$`` command.
        :raises LocalError: the conversation does not allow it now.
        """
        self._go(Heard.SENT_ALONE if alone else Heard.SENT)
        self.counting.add(len(line), ref)
        self.bytes_sent += len(line)
        self._out.append(line)

    def say_now(self, byte: bytes) -> None:
        """Say a real-time byte, before whatever waits to be written."""
        self._out.insert(0, byte)

    def reset(self) -> None:
        """Say 0x18. What waited to be written is forgotten with the rest."""
        self._go(Heard.RESET)
        self.counting.clear()
        self._out = [realtime.RESET]
        self._reset_said = True

    def take_output(self) -> bytes:
        """Return the bytes to write now, and forget them."""
        if not self._out:
            return b""
        out = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        self._out.clear()
        return out

    def take_ok(self) -> object:
        """Take in an ok; return what the line was for, None where there was no line."""
        if not self.counting:
            self._go(Heard.OK)
            return None
        ref = self.counting.free()
        self._go(Heard.OK if self.counting else Heard.LAST_OK)
        return ref

    def hear(self, answer: Answer) -> LinkEvent | None:
        """Take in one line of the firmware; return what came of it."""
        heard = answer.heard
        if heard is Heard.OK:
            ref = self.take_ok()
            return None if ref is None else Confirmed(ref)
        if heard is Heard.ERROR:
            return self._hear_error(answer.code)
        self._go(heard)
        if heard is Heard.ALARM:
            oldest = self.oldest
            self._void()
            return Alarmed(answer.code, oldest)
        if heard is Heard.BANNER:
            self._void()
            asked, self._reset_said = self._reset_said, False
            return Restarted(answer.text, asked)
        return None

    def _hear_error(self, code: int | None) -> LinkEvent | None:
        if not self.counting:
            self._go(Heard.ERROR)
            return None
        ref = self.counting.free()
        self._go(Heard.ERROR if self.counting else Heard.LAST_ERROR)
        return Refused(ref, code)

    def _void(self) -> None:
        self.counting.clear()
        self._out = [said for said in self._out if len(said) == 1]

    def _go(self, heard: Heard) -> None:
        try:
            self.state = NEXT[self.state, heard]
        except KeyError:
            raise LocalError(f"{heard.name} has no place in state {self.state.name}") from None
