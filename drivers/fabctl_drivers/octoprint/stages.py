"""Where the driver is with its printer, and the one table of what follows from a status. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from types import MappingProxyType

from fabctl.ports import Phase
from fabctl_drivers.octoprint.status import Printer, Status


class Heard(StrEnum):
    """A status, seen from the job that we wait for or have running."""

    UNKNOWN = "unknown"
    DETACHED = "detached"
    FAULT = "fault"
    READY = "ready"
    OTHERS = "others"
    """A job that is not ours is under way, in whatever state."""
    OURS_PRINTING = "ours-printing"
    OURS_PAUSING = "ours-pausing"
    OURS_PAUSED = "ours-paused"
    OURS_CANCELLING = "ours-cancelling"


class Stage(StrEnum):
    """Where the driver is with its printer."""

    CLOSED = "closed"
    LOOKING = "looking"
    """The server answers; its printer is not known to be ready."""
    FREE = "free"
    ELSEWHERE = "elsewhere"
    """A job runs that was not started by this driver."""
    SENDING = "sending"
    """Our file is on its way; the server has not said yet that it prints it."""
    PRINTING = "printing"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"
    ENDING = "ending"
    """The server no longer prints our file; how it ended is being asked."""
    BROKEN = "broken"


PHASES: Mapping[Stage, Phase] = MappingProxyType(
    {
        Stage.CLOSED: Phase.CLOSED,
        Stage.LOOKING: Phase.CONNECTING,
        Stage.FREE: Phase.IDLE,
        Stage.ELSEWHERE: Phase.RUNNING,  # docs/decisions/0120
        Stage.SENDING: Phase.RUNNING,
        Stage.PRINTING: Phase.RUNNING,
        Stage.PAUSING: Phase.PAUSING,
        Stage.PAUSED: Phase.PAUSED,
        Stage.STOPPING: Phase.STOPPING,
        Stage.ENDING: Phase.STOPPING,
        Stage.BROKEN: Phase.BROKEN,
    }
)

JOB_STAGES = (
    Stage.SENDING, Stage.PRINTING, Stage.PAUSING, Stage.PAUSED, Stage.STOPPING, Stage.ENDING,
)  # fmt: skip
"""A job of ours is under way."""

_WITHOUT_JOB = (Heard.UNKNOWN, Heard.DETACHED, Heard.FAULT, Heard.READY, Heard.OTHERS)
_SHOWN = {Heard.READY: Stage.FREE, Heard.OTHERS: Stage.ELSEWHERE}
_OURS = {
    Heard.OURS_PRINTING: Stage.PRINTING,
    Heard.OURS_PAUSING: Stage.PAUSING,
    Heard.OURS_PAUSED: Stage.PAUSED,
    Heard.OURS_CANCELLING: Stage.STOPPING,
}
_GOING = (Stage.PRINTING, Stage.PAUSING, Stage.PAUSED)
_ENDS = (Heard.DETACHED, Heard.FAULT, Heard.READY, Heard.OTHERS)

NEXT: Mapping[tuple[Stage, Heard], Stage] = MappingProxyType(
    {
        **{
            (stage, heard): _SHOWN.get(heard, Stage.LOOKING)
            for stage, heard in product((Stage.LOOKING, Stage.FREE, Stage.ELSEWHERE), _WITHOUT_JOB)
        },
        **{(Stage.BROKEN, heard): Stage.BROKEN for heard in _WITHOUT_JOB},
        **dict.fromkeys(product(_GOING, _ENDS), Stage.ENDING),
        **{(stage, heard): new for stage, (heard, new) in product(_GOING, _OURS.items())},
        **{(stage, Heard.UNKNOWN): stage for stage in JOB_STAGES},
        # Until the server says that it prints, being ready is no end.
        (Stage.SENDING, Heard.READY): Stage.SENDING,
        **{(Stage.SENDING, heard): Stage.ENDING for heard in _ENDS if heard is not Heard.READY},
        **{(Stage.SENDING, heard): new for heard, new in _OURS.items()},
        **{(Stage.STOPPING, heard): Stage.ENDING for heard in _ENDS},
        **{(Stage.STOPPING, heard): Stage.STOPPING for heard in _OURS},
        **{(Stage.ENDING, heard): Stage.ENDING for heard in (*_ENDS, *_OURS)},
    }
)
"""Every pair that can happen; a missing one is an error. CLOSED hears nothing."""


GOING_ON = tuple(_OURS)
"""Our job is under way, in whatever state."""


def heard(status: Status, ours: str | None) -> Heard:
    """Return what a status means.

    :param ours: the path of our file in the server's local storage; None without a job.
    """
    if status.printer in _BY_ITSELF:
        return _BY_ITSELF[status.printer]
    if ours is None or status.path != ours:
        return Heard.OTHERS
    return _OF_OURS[status.printer]


_BY_ITSELF = {
    Printer.UNKNOWN: Heard.UNKNOWN,
    Printer.DETACHED: Heard.DETACHED,
    Printer.CONNECTING: Heard.DETACHED,
    Printer.FAULT: Heard.FAULT,
    Printer.READY: Heard.READY,
}
_OF_OURS = {
    Printer.PRINTING: Heard.OURS_PRINTING,
    Printer.PAUSING: Heard.OURS_PAUSING,
    Printer.PAUSED: Heard.OURS_PAUSED,
    Printer.CANCELLING: Heard.OURS_CANCELLING,
}
