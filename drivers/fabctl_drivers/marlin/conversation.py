"""Where the conversation with Marlin stands, what moves it, and what it tells. A table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, auto
from typing import NamedTuple

from fabctl_drivers.marlin.answers import Heard


class State(IntEnum):
    """Where the conversation stands."""

    READY = auto()
    """Nothing is in flight."""
    AWAITING_OK = auto()
    REPEATING = auto()
    """A Resend was heard, or an answer is missing; we listen until all that was said is answered,
    or the line is quiet, then repeat or go on."""
    RESET = auto()
    """The controller began anew and knows nothing of what was said. The end of this link."""
    HALTED = auto()
    """The firmware gave up. The end of this link."""
    LOST = auto()
    """We gave up: no answer, or one line damaged again and again. The end of this link."""


OVER = (State.RESET, State.HALTED, State.LOST)
_ALIVE = (State.READY, State.AWAITING_OK, State.REPEATING)

NEXT: Mapping[tuple[State, Heard], State] = {
    (State.READY, Heard.SENT): State.AWAITING_OK,
    (State.READY, Heard.GAVE_UP): State.LOST,
    (State.READY, Heard.OK): State.READY,  # asked for by nobody
    (State.READY, Heard.RESEND): State.REPEATING,  # the ok before it was for a damaged line
    (State.READY, Heard.DOUBT): State.REPEATING,
    (State.AWAITING_OK, Heard.SENT): State.AWAITING_OK,  # a window, or a probe
    (State.AWAITING_OK, Heard.OK): State.AWAITING_OK,
    (State.AWAITING_OK, Heard.ALL_OK): State.READY,
    (State.AWAITING_OK, Heard.RESEND): State.REPEATING,
    (State.AWAITING_OK, Heard.SILENCE): State.AWAITING_OK,
    (State.AWAITING_OK, Heard.GAVE_UP): State.LOST,
    (State.REPEATING, Heard.OK): State.REPEATING,  # Marlin closes a Resend with its own ok
    (State.REPEATING, Heard.ALL_OK): State.REPEATING,
    (State.REPEATING, Heard.RESEND): State.REPEATING,  # from lines that were already on the wire
    (State.REPEATING, Heard.QUIET): State.AWAITING_OK,
    (State.REPEATING, Heard.SETTLED): State.READY,
    (State.REPEATING, Heard.GAVE_UP): State.LOST,
    **{(s, heard): s for s in _ALIVE for heard in (Heard.BUSY, Heard.WAIT, Heard.NOTE)},
    **{
        (s, heard): s
        for s in OVER
        for heard in (Heard.OK, Heard.RESEND, Heard.BUSY, Heard.WAIT, Heard.NOTE)
    },
    **{(state, Heard.HALT): State.HALTED for state in State},
    **{(state, Heard.START): State.RESET for state in State},
}
"""Every state and all that it may hear. A pair that is missing is a mistake of ours."""


class Acked(NamedTuple):
    """The firmware confirmed a line; ``ref`` is what :meth:`Link.send` was given."""

    ref: object


class Withdrawn(NamedTuple):
    """Confirmed lines that the firmware never had: their oks were for damaged ones."""

    refs: tuple[object, ...]


class Ended(NamedTuple):
    """This link is over; ``state`` (RESET, HALTED, LOST) and ``reason`` say how."""

    state: State
    reason: str
    damaged: bool = False
    """Whether a line was asked for too often; else the firmware did not answer."""
    torn: bool = False
    """Whether a piece of a line ran as a command: the part is wrong."""


LinkEvent = Acked | Withdrawn | Ended
