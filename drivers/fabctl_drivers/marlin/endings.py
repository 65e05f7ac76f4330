"""What follows when the last line of an errand of ours was confirmed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fabctl.ports import Outcome, Phase, Telemetry, Trouble
from fabctl_drivers.marlin import pausing
from fabctl_drivers.marlin.by_hand import AXES
from fabctl_drivers.marlin.errands import Errand
from fabctl_drivers.marlin.motion import Motion
from fabctl_drivers.marlin.pausing import Standstill
from fabctl_drivers.marlin.phases import Move
from fabctl_drivers.marlin.requests import Requests

ASK_WHERE = 4


class Endings(Requests):
    """A machine whose pauses, stops and jobs come to their ends."""

    # A damaged ok may confirm too much; what it confirmed is then said, and ends, once more.

    def _connect(self, now: float) -> None:
        if self._connected is not None:
            return
        self._connected = self._greeted_as
        self._other_bauds.clear()  # this one is right
        self._speech.polled(now)
        self._events.append(self._connected)
        if self._unexplained is None:
            self._move(Move.CONNECTED)
        else:
            self._move(Move.CONNECTED_BROKEN, *self._unexplained)

    def _polled(self, now: float) -> None:
        self._speech.polled(now)

    def _moved_by_hand(self, now: float) -> None:  # noqa: ARG002  # every errand's end is told it
        if self._asks_again_where(Errand.BY_HAND):
            return
        self._hand_moves = max(0, self._hand_moves - 1)
        where = pausing.position_of(self._readings.position, Motion())
        self._events.append(Telemetry("position", {f"{a.lower()}_mm": where.get(a) for a in AXES}))

    def _located(self, now: float) -> None:
        job = self._job
        if job is None or self.phase is not Phase.PAUSING or self._asks_again_where(Errand.LOCATE):
            return
        parking, thermometer = self._settings.parking, self._readings.thermometer
        position = pausing.position_of(self._readings.position, job.motion)
        lift = pausing.highest_lift(parking, position.get("Z"), self._settings.work_area)
        told = job.motion.heat | thermometer.targets  # a person may have changed what the job said
        targets = {wait: target for wait, target in told.items() if target > 0}
        self._stood = Standstill(position, job.motion, targets, thermometer.can_extrude, lift)
        aside = pausing.aside(self._stood, parking)
        self._errands.add(aside, Errand.PARK)
        if not aside:
            self._parked(now)

    def _asks_again_where(self, errand: Errand) -> bool:
        """Ask for the position again while no two answers agree, a few times.

        A job whose place nobody knows then pauses where it is.
        """
        if self._readings.position or self._asked_where >= ASK_WHERE:
            return False
        self._asked_where += 1
        self._errands.add(pausing.ASK, errand)
        return True

    def _parked(self, now: float) -> None:  # noqa: ARG002  # every errand's end is told the time
        if self.phase is Phase.PAUSING:
            self._move(Move.PARKED)

    def _finished(self, now: float) -> None:
        self._speech.polled(now)
        job = self._job
        if job is not None and job.is_over and self.phase is not Phase.STOPPING:
            self._errands.clear()
            self._end_job(job, Outcome.FINISHED, now)
            self._move(Move.FINISHED)

    def _made_safe(self, now: float) -> None:
        self._speech.polled(now)
        if self.phase not in {Phase.STOPPING, Phase.BROKEN}:
            return
        if self._job is not None:
            unreadable = self._job.unreadable
            if unreadable is None:
                self._end_job(self._job, Outcome.STOPPED, now, reason=self._stop_reason)
            else:
                trouble = Trouble.FILE_UNREADABLE
                self._end_job(self._job, Outcome.FAILED, now, trouble, str(unreadable))
        self._move(Move.MADE_SAFE)

    _DONE: Mapping[Errand, Callable[[Endings, float], None]] = {
        Errand.CONNECT: _connect,
        Errand.POLL: _polled,
        Errand.LOCATE: _located,
        Errand.PARK: _parked,
        Errand.FINISH: _finished,
        Errand.MAKE_SAFE: _made_safe,
        Errand.BY_HAND: _moved_by_hand,
    }
