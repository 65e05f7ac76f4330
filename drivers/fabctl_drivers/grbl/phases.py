"""What a Grbl machine is doing, and what may change it: one table. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from fabctl.ports import Phase
from fabctl_drivers.phase_table import look_up


class Move(Enum):
    """What changes a phase: a request, or something that happened."""

    OPENED = auto()
    CONNECTED = auto()
    CONNECTED_BROKEN = auto()
    """It answers, but a person must look at it first: locked, or something unexplained before."""
    RESTARTED = auto()
    START = auto()
    PAUSE = auto()
    """Asked for, or the feed hold or the door at the machine."""
    HELD = auto()
    """The machine has come to rest: Hold:0, Door:0, Door:1."""
    RESUME = auto()
    WENT_ON = auto()
    """Somebody pressed cycle start at the machine."""
    STOP = auto()
    MADE_SAFE = auto()
    """The banner after our reset was heard: spindle, laser and coolant are off."""
    FINISHED = auto()
    FAILED = auto()
    CLEAR = auto()
    HOME = auto()
    """A person asked to home: nothing else is possible until it is done."""
    PORT_LOST = auto()


_OPEN = tuple(phase for phase in Phase if phase is not Phase.CLOSED)
_JOB = (Phase.RUNNING, Phase.PAUSING, Phase.PAUSED)

NEXT: Mapping[tuple[Phase, Move], Phase] = {
    (Phase.CLOSED, Move.OPENED): Phase.CONNECTING,
    (Phase.CONNECTING, Move.CONNECTED): Phase.IDLE,
    (Phase.CONNECTING, Move.CONNECTED_BROKEN): Phase.BROKEN,
    (Phase.BROKEN, Move.CONNECTED_BROKEN): Phase.BROKEN,
    (Phase.CONNECTING, Move.RESTARTED): Phase.CONNECTING,
    (Phase.IDLE, Move.RESTARTED): Phase.CONNECTING,
    (Phase.STOPPING, Move.RESTARTED): Phase.CONNECTING,
    (Phase.BROKEN, Move.RESTARTED): Phase.BROKEN,
    (Phase.IDLE, Move.START): Phase.RUNNING,
    (Phase.RUNNING, Move.PAUSE): Phase.PAUSING,
    **{(phase, Move.HELD): Phase.PAUSED for phase in _JOB},
    (Phase.PAUSED, Move.RESUME): Phase.RUNNING,
    (Phase.PAUSED, Move.WENT_ON): Phase.RUNNING,
    (Phase.PAUSING, Move.WENT_ON): Phase.RUNNING,
    **{(phase, Move.STOP): Phase.STOPPING for phase in (Phase.IDLE, Phase.STOPPING, *_JOB)},
    **{(phase, Move.STOP): phase for phase in (Phase.CLOSED, Phase.CONNECTING, Phase.BROKEN)},
    (Phase.STOPPING, Move.MADE_SAFE): Phase.IDLE,
    **{(phase, Move.FINISHED): Phase.IDLE for phase in _JOB},
    (Phase.BROKEN, Move.CLEAR): Phase.IDLE,
    (Phase.IDLE, Move.CLEAR): Phase.IDLE,
    (Phase.BROKEN, Move.HOME): Phase.CONNECTING,
    (Phase.IDLE, Move.HOME): Phase.CONNECTING,
    **{(phase, Move.FAILED): Phase.BROKEN for phase in _OPEN},
    **{(phase, Move.PORT_LOST): Phase.CLOSED for phase in Phase},
}
"""Every phase and all that may happen in it. A pair that is missing is refused."""

_REFUSALS: Mapping[Move, str] = {
    Move.OPENED: "the port is open already",
    Move.START: "a job starts only on an idle machine",
    Move.PAUSE: "no job runs",
    Move.RESUME: "no job is paused",
    Move.CLEAR: "there is nothing to clear",
    Move.HOME: "homing needs a machine without a job",
}


def next_phase(phase: Phase, move: Move) -> Phase:
    """Return the phase after ``move``.

    :raises LocalError: this phase does not allow it.
    """
    return look_up(NEXT, _REFUSALS, phase, move)
