"""How a Grbl machine stands: its phase, how often it is asked, its ways to rest and to the end.

Pure. The first of the layers of :class:`fabctl_drivers.grbl.session.Session`: stance, endings,
reception, conduct, hands, session. Each knows the ones before it.
"""

from __future__ import annotations

import math

from fabctl.ports import DriverEvent, Heard, Outcome, Phase, PhaseChanged, Tone, Trouble
from fabctl_drivers.grbl.answers import Ear
from fabctl_drivers.grbl.arrival import Aim, Arrival, Errand
from fabctl_drivers.grbl.controller import Controller
from fabctl_drivers.grbl.halt import Stage
from fabctl_drivers.grbl.holding import Holding
from fabctl_drivers.grbl.job import Job
from fabctl_drivers.grbl.job_lines import JobLine, is_homing
from fabctl_drivers.grbl.job_run import JobRun
from fabctl_drivers.grbl.jogging import Jogs
from fabctl_drivers.grbl.overriding import Dials
from fabctl_drivers.grbl.person import SaidLine, Spoken
from fabctl_drivers.grbl.phases import Move, next_phase
from fabctl_drivers.grbl.readings import Readings
from fabctl_drivers.grbl.report import Report
from fabctl_drivers.grbl.settings import Key, Settings

DEAD_S, HOMING_S = 10.0, 300.0
"""Silence after which nobody is there. While it homes, Grbl answers nothing."""
ASK_SOON_S = 0.2
ASK_EVERY_S = {
    Phase.CLOSED: math.inf,
    Phase.CONNECTING: 0.5,
    Phase.IDLE: 1.0,
    Phase.RUNNING: 0.5,
    Phase.PAUSING: ASK_SOON_S,
    Phase.PAUSED: 0.5,
    Phase.STOPPING: ASK_SOON_S,
    Phase.BROKEN: 2.0,
}
"""How often a status report is asked for; at a job's end, and where one decides, sooner."""
AT_REST_FOR_SURE = frozenset({"Check", "Hold:0", "Door:0", "Door:1", "Alarm"})


class Stance:
    """What a machine does, and how it comes to rest."""

    def __init__(self, settings: Settings) -> None:
        self.phase = Phase.CLOSED
        self.wants_close = False
        """Whether the port should be closed now: nobody answers."""
        self.is_connected = False
        """Whether the controller told who it is."""
        self.report: Report | None = None
        """The newest report; None since a request that it does not know of yet."""
        self._settings = settings
        self._controller = Controller(settings.rx_bytes)
        self._ear = Ear()
        self._readings = Readings()
        self._holding = Holding()
        self._jogs, self._dials, self._spoken = Jogs(), Dials(), Spoken()
        self._events: list[DriverEvent] = []
        self._job: Job | None = None
        self._run: JobRun | None = None
        self._aim: Aim | None = None  # what comes after the halt that is under way
        self._arrival: Arrival | None = None
        self._unexplained: tuple[Trouble, str] | None = None
        self._owes = False
        self._is_placed = False  # whether the machine is known to know where it is
        self._heard_at = self._progress_at = -math.inf

    @property
    def is_settling(self) -> bool:
        """Whether a reset, or what follows it, is under way."""
        return self._aim is not None or self._arrival is not None

    # ---- phases

    def _move(self, move: Move, trouble: Trouble | None = None, reason: str | None = None) -> None:
        before, self.phase = self.phase, next_phase(self.phase, move)
        if self.phase is not before:
            self._events.append(PhaseChanged(self.phase, trouble, reason))
        self._choose_pace()

    def _choose_pace(self) -> None:
        soon = self._arrival is not None or (self._run is not None and self._run.wants_report)
        soon = soon or self._spoken.is_busy or self._jogs.is_under_way
        if soon and self.phase is not Phase.PAUSED:
            self._controller.asks_s = ASK_SOON_S
        elif self.is_connected or self.phase is not Phase.BROKEN:
            self._controller.asks_s = ASK_EVERY_S[self.phase]
        else:
            self._controller.asks_s = math.inf

    # ---- to rest

    def _come_to_a_stop(self, aim: Aim, now: float) -> None:
        """Hold and reset; where nothing moves for sure, reset at once."""
        state = self.report.state if self.report else ""
        is_still = state == "Idle" if self._job is None else self._job.is_check
        rests = is_still or state in AT_REST_FOR_SURE
        self._bring_to_rest(Stage.RESETTING if rests else Stage.HOLDING, aim, now)

    def _bring_to_rest(self, stage: Stage, aim: Aim, now: float) -> None:
        self._aim, self._arrival, self.report = aim, None, None
        self._forget_what_was_asked()
        if aim is Aim.CONNECT:
            self.is_connected = False
        self._controller.begin_halt(stage, now)
        self._choose_pace()

    def _forget_what_was_asked(self) -> None:
        """Jogs, overrides and a person's lines end with a reset."""
        self._jogs.forget()
        self._dials.forget()
        if lost := self._spoken.forget():
            self._tell_person(f"{lost} of your lines were not sent")

    def _tell_person(self, text: str) -> None:
        """Tell whoever typed lines of something that went wrong with them."""
        self._events.append(Heard(text, Tone.ERROR))

    def _arrive(self, aim: Aim) -> None:
        """It was reset, or is to be cleared; its first report tells its state."""
        self.report = None
        if aim is Aim.CONNECT:
            self.is_connected = False
            key = Key.WAIT if self._unexplained else self._settings.when_locked
        else:
            key = self._settings.clear_by if aim is Aim.CLEAR else Key.WAIT
        self._arrival = Arrival(aim, key, is_known=aim is not Aim.CONNECT)
        self._controller.ask_anew()
        self._choose_pace()

    # ---- to the end

    def _fail(self, trouble: Trouble, reason: str, now: float, stage: Stage | None) -> None:
        """Something nobody can explain: the job is over, and a person must look."""
        if self._job is not None:
            self._end_job(Outcome.FAILED, now, trouble, reason)
        self._unexplained = self._unexplained or (trouble, reason)
        self._move(Move.FAILED, trouble, reason)
        if stage is None:
            self._arrive(Aim.CONNECT)
        else:
            self._bring_to_rest(stage, Aim.CONNECT, now)

    def port_lost(self, reason: str, now: float, trouble: Trouble = Trouble.CABLE_LOST) -> None:
        """The port is gone."""
        self._leave(trouble, reason, now)
        self._move(Move.PORT_LOST, trouble, reason)

    def _leave(self, trouble: Trouble, reason: str, now: float) -> None:
        if self._job is not None:
            self._end_job(Outcome.FAILED, now, trouble, reason)
            self._unexplained = (trouble, reason)
        self._let_go()

    def _let_go(self) -> None:
        self.is_connected = self._is_placed = False
        self._aim = self._arrival = self.report = None
        self._forget_what_was_asked()
        self._controller.drop()

    def _nobody(self, reason: str, now: float) -> None:
        if self._job is not None:
            self._fail(Trouble.NO_ANSWER, reason, now, Stage.HOLDING)
        elif self.phase is Phase.BROKEN:
            self._let_go()  # silent for now; a person's clear asks again
        else:
            self.wants_close = True
            self.port_lost(reason, now, Trouble.NO_ANSWER)

    @property
    def _dead_at(self) -> float:
        controller = self._controller
        if controller.halt is not None or controller.asks_s == math.inf:
            return math.inf
        oldest = controller.link.oldest
        homes = (
            oldest is Errand.HOME
            or (type(oldest) is JobLine and is_homing(oldest))
            or (type(oldest) is SaidLine and oldest.homes)
        )
        return self._heard_at + (HOMING_S if homes else DEAD_S)

    def _end_job(
        self,
        outcome: Outcome,
        now: float,
        trouble: Trouble | None = None,
        reason: str | None = None,
    ) -> None:
        job, self._job, self._run = self._job, None, None
        if job is not None:
            sent = self._controller.link.bytes_sent
            self._events.append(job.ended(outcome, now, sent, trouble, reason))
