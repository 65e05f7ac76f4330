"""What a Marlin machine is doing, and what may change it: one table. Pure."""

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
    """It answers, but what happened before was never looked at by a person."""
    RESTARTED = auto()
    START = auto()
    SAY = auto()
    """A person says a line of their own."""
    PAUSE = auto()
    PARKED = auto()
    HELD = auto()
    """The firmware paused the job by itself (``//action:paused``)."""
    RESUME = auto()
    STOP = auto()
    MADE_SAFE = auto()
    """The firmware confirmed that the heaters are off."""
    FINISHED = auto()
    FAILED = auto()
    CLEAR = auto()
    PORT_LOST = auto()


_OPEN = tuple(phase for phase in Phase if phase is not Phase.CLOSED)

NEXT: Mapping[tuple[Phase, Move], Phase] = {
    (Phase.CLOSED, Move.OPENED): Phase.CONNECTING,
    (Phase.CONNECTING, Move.CONNECTED): Phase.IDLE,
    (Phase.CONNECTING, Move.CONNECTED_BROKEN): Phase.BROKEN,
    (Phase.CONNECTING, Move.RESTARTED): Phase.CONNECTING,
    (Phase.IDLE, Move.RESTARTED): Phase.CONNECTING,
    (Phase.STOPPING, Move.RESTARTED): Phase.CONNECTING,
    (Phase.BROKEN, Move.RESTARTED): Phase.BROKEN,
    (Phase.BROKEN, Move.CONNECTED_BROKEN): Phase.BROKEN,
    (Phase.IDLE, Move.START): Phase.RUNNING,
    (Phase.IDLE, Move.SAY): Phase.IDLE,
    (Phase.RUNNING, Move.PAUSE): Phase.PAUSING,
    (Phase.RUNNING, Move.HELD): Phase.PAUSED,
    (Phase.PAUSING, Move.PARKED): Phase.PAUSED,
    (Phase.PAUSED, Move.RESUME): Phase.RUNNING,
    **{
        (phase, Move.STOP): Phase.STOPPING
        for phase in (Phase.IDLE, Phase.RUNNING, Phase.PAUSING, Phase.PAUSED, Phase.STOPPING)
    },
    **{(phase, Move.STOP): phase for phase in (Phase.CLOSED, Phase.CONNECTING, Phase.BROKEN)},
    (Phase.STOPPING, Move.MADE_SAFE): Phase.IDLE,
    (Phase.BROKEN, Move.MADE_SAFE): Phase.BROKEN,
    **{
        (phase, Move.FINISHED): Phase.IDLE for phase in (Phase.RUNNING, Phase.PAUSING, Phase.PAUSED)
    },
    (Phase.BROKEN, Move.CLEAR): Phase.IDLE,
    (Phase.IDLE, Move.CLEAR): Phase.IDLE,
    **{(phase, Move.FAILED): Phase.BROKEN for phase in _OPEN},
    **{(phase, Move.PORT_LOST): Phase.CLOSED for phase in Phase},
}
"""Every phase and all that may happen in it. A pair that is missing is refused."""

_REFUSALS: Mapping[Move, str] = {
    Move.OPENED: "the port is open already",
    Move.START: "a job starts only on an idle machine",
    Move.SAY: "a machine takes single lines only while it is idle",
    Move.PAUSE: "no job runs",
    Move.RESUME: "no job is paused",
    Move.CLEAR: "there is nothing to clear",
}


def next_phase(phase: Phase, move: Move) -> Phase:
    """Return the phase after ``move``.

    :raises LocalError: this phase does not allow it.
    """
    return look_up(NEXT, _REFUSALS, phase, move)
