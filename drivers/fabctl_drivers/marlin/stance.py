"""How a Marlin machine stands: its phase, its job, its ways out of both. Pure.

The first of the layers of :class:`fabctl_drivers.marlin.session.Session`: stance, requests,
endings, conduct, session. Each knows the ones before it.
"""

from __future__ import annotations

import math

from fabctl.ports import Connected, DriverEvent, Outcome, Phase, PhaseChanged, Trouble
from fabctl_drivers.marlin import safety
from fabctl_drivers.marlin.answers import Ear
from fabctl_drivers.marlin.connection import Connection
from fabctl_drivers.marlin.job import Job
from fabctl_drivers.marlin.pausing import Standstill
from fabctl_drivers.marlin.phases import Move, next_phase
from fabctl_drivers.marlin.readings import Readings
from fabctl_drivers.marlin.settings import Settings
from fabctl_drivers.marlin.speech import Speech

ALIVE_S = 15.0
"""A connected firmware is asked every ten seconds at least, so it spoke within this time."""


class Stance:
    """What a machine does, and how it begins anew."""

    def __init__(self, settings: Settings) -> None:
        self.phase = Phase.CLOSED
        self.wants_close = False
        """Whether the port should be closed now: nobody answers, or the firmware asked for it."""
        self._settings = settings
        self._other_bauds = list(settings.other_bauds)
        self._ear = Ear()
        self._connection = Connection(baud=settings.baud, window_bytes=settings.window_bytes)
        self._readings = Readings()
        self._speech = Speech(self._readings.person)
        self._errands = self._speech.errands
        self._events: list[DriverEvent] = []
        self._greeted_as = Connected(None)
        self._connected: Connected | None = None
        self._unexplained: tuple[Trouble, str] | None = None
        self._job: Job | None = None
        self._stood: Standstill | None = None
        self._stop_reason: str | None = None
        self._talks = False
        self._homed: set[str] = set()
        self._asked_where = 0
        self._hand_moves = 0  # asked for, and not known to have ended
        self._heard_at = self._progress_at = -math.inf

    def is_alive(self, now: float) -> bool:
        """Return whether the firmware is connected and spoke during the last few seconds."""
        return self._connected is not None and now - self._heard_at <= ALIVE_S

    # ---- phases

    def _move(self, move: Move, trouble: Trouble | None = None, reason: str | None = None) -> None:
        before, self.phase = self.phase, next_phase(self.phase, move)
        if self.phase is not before:
            self._events.append(PhaseChanged(self.phase, trouble, reason))
        self._speech.choose_poll(self.phase, reports_by_itself=self._reports_by_itself)

    def _fail(self, trouble: Trouble, reason: str, now: float) -> None:
        """Something nobody can explain: the job is over, and a person must look."""
        if self._job is not None:
            self._end_job(self._job, Outcome.FAILED, now, trouble, reason)
        self._unexplained = self._unexplained or (trouble, reason)
        self._move(Move.FAILED, trouble, reason)
        self._greet(now)
        if trouble is not Trouble.CONTROLLER_RESET:  # that one does not listen yet
            self._connection.shout(safety.shout())

    def _greet(self, now: float) -> None:
        self._let_go()
        self._connection.greet(now, hurried=bool(self._other_bauds))

    def _let_go(self) -> None:
        self._connection.drop()
        self._homed, self._hand_moves = set(), 0
        self._connected = self._stood = None
        self._errands.clear()
        self._readings.person.moved_on()

    def port_lost(self, reason: str, now: float, trouble: Trouble = Trouble.CABLE_LOST) -> None:
        """The port is gone."""
        self._leave(trouble, reason, now)
        self._move(Move.PORT_LOST, trouble, reason)

    def _leave(self, trouble: Trouble, reason: str, now: float) -> None:
        if self._job is not None:
            self._end_job(self._job, Outcome.FAILED, now, trouble, reason)
            self._unexplained = (trouble, reason)
        self._let_go()

    def _nobody(self, reason: str, now: float) -> None:
        self.wants_close = True
        self.port_lost(reason, now, Trouble.NO_ANSWER)

    # ---- figures

    def _end_job(
        self,
        job: Job,
        outcome: Outcome,
        now: float,
        trouble: Trouble | None = None,
        reason: str | None = None,
    ) -> None:
        self._job = self._stood = None
        link = self._connection.link
        if link is not None:
            job.count(link.bytes_sent, link.resends)
        self._events.append(job.ended(outcome, now, trouble, reason))

    # ---- the machine

    @property
    def _oldest(self) -> bytes:
        link = self._connection.link
        return b"" if link is None else link.oldest

    def _heaters_off(self) -> list[bytes]:
        thermometer = self._readings.thermometer
        return safety.heaters_off(thermometer.tools, chamber=thermometer.has_chamber)

    @property
    def _reports_by_itself(self) -> bool:
        return "AUTOREPORT_TEMP" in self._greeted_as.capabilities
