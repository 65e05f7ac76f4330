"""What is shown of a printer behind a server: a phase, a trouble, a reason. Pure.

No reason names a person: reasons go out over MQTT.
"""

from __future__ import annotations

from dataclasses import dataclass

from fabctl.ports import Phase, Trouble
from fabctl_drivers.octoprint.own_job import OwnJob
from fabctl_drivers.octoprint.stages import PHASES, Stage
from fabctl_drivers.octoprint.status import Printer, Status

REFUSED_PATIENCE_S = 10.0
SILENCE_WITHOUT_JOB_S = 3.0

NO_PRINTER = "OctoPrint is not connected to its printer: connect it on OctoPrint's own screen"
NOT_UNDERSTOOD = "OctoPrint says something about its printer that fabctl does not know"
NOT_OURS = "printing a job that was started elsewhere"
LEFT_OVER = "printing a job that an earlier fabctl started and no longer counts"
PAUSED_THERE = "paused on OctoPrint's own screen, by the printer or by the file itself"

Shown = tuple[Phase, Trouble | None, str | None]


@dataclass(slots=True)
class Silence:
    """The server cannot be asked: since when, and why."""

    since: float
    reason: str
    refused: bool

    @property
    def trouble(self) -> Trouble:
        """The code that screens turn into words."""
        return Trouble.PROTOCOL if self.refused else Trouble.NO_ANSWER

    def patience(self, with_job: float | None) -> float:
        """Return how long to wait for the server, in s.

        :param with_job: the machine's setting while a job runs; None without a job.
        """
        if self.refused:
            return 0.0 if with_job is None else min(REFUSED_PATIENCE_S, with_job)
        return SILENCE_WITHOUT_JOB_S if with_job is None else with_job


@dataclass(slots=True)
class Picture:
    """All that decides what is shown.

    :param prefix: how the names of this machine's files on the server begin.
    """

    prefix: str
    stage: Stage = Stage.CLOSED
    last: Status | None = None
    """What the server said last; None: nothing since it was opened."""
    job: OwnJob | None = None
    silence: Silence | None = None
    ran_out: bool = False
    """Whether our job was being printed when the server turned from it."""
    broken: tuple[Trouble | None, str | None] | None = None
    """Why a person must look at the printer; a server that comes and goes changes nothing."""

    def shown(self, unsafe: str | None) -> Shown:
        """Return what to show; ``unsafe``: why heaters may be on that should be off."""
        phase = self.phase
        if self.silence is not None:
            return phase, self.silence.trouble, self.silence.reason
        if self.stage is Stage.BROKEN and self.broken is not None:
            return phase, *self.broken
        if self.stage is Stage.FREE and unsafe is not None:
            return phase, Trouble.PROTOCOL, unsafe
        return phase, None, self.reason

    @property
    def phase(self) -> Phase:
        """What the driver is doing now: a print that ends by itself was not stopped."""
        if self.stage is Stage.ENDING and self.ran_out:
            asked_stop = self.job is not None and self.job.hints.asked_stop
            return Phase.STOPPING if asked_stop else Phase.RUNNING
        return PHASES[self.stage]

    @property
    def reason(self) -> str | None:
        """Why the printer does what it does, where that needs a word."""
        match self.stage:
            case Stage.LOOKING if self.last:
                if self.last.printer is Printer.UNKNOWN:
                    return NOT_UNDERSTOOD
                return f"{NO_PRINTER} ({self.last.error})" if self.last.error else NO_PRINTER
            case Stage.ELSEWHERE:
                path = self.last.path if self.last else None
                return LEFT_OVER if path and path.startswith(self.prefix) else NOT_OURS
            case Stage.PAUSED if self.job and not self.job.asked_pause:
                return PAUSED_THERE
        return None
