"""What the core or a person asks of a Marlin machine: jobs, pauses, stops, moves by hand. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fabctl.errors import InputError, LocalError
from fabctl.ports import JobFile, Phase, Trouble
from fabctl.units import MmPerMin
from fabctl_drivers.marlin import by_hand, pausing, safety
from fabctl_drivers.marlin.errands import Errand
from fabctl_drivers.marlin.job import Job
from fabctl_drivers.marlin.motion import Motion
from fabctl_drivers.marlin.patience import waits_for_heat, waits_for_person
from fabctl_drivers.marlin.phases import Move, next_phase
from fabctl_drivers.marlin.stance import Stance


class Requests(Stance):
    """A machine that does what it is asked."""

    # ---- jobs

    def start(self, file: JobFile, lines: Iterator[tuple[int, bytes]], now: float) -> None:
        """Begin a job.

        :raises LocalError: the machine is not idle.
        :raises InputError: the file's first line cannot be read.
        """
        next_phase(self.phase, Move.START)
        link = self._connection.link
        if link is None:
            raise LocalError("the machine is not connected")
        job = Job(file, lines, now, link.bytes_sent, link.resends)
        job.fetch_if_needed()
        if isinstance(job.unreadable, InputError):
            raise job.unreadable
        self._job, self._stop_reason = job, None
        self._progress_at = now
        self._homed = set()
        self._speech.polled(now)
        self._move(Move.START)
        self._fill(now)

    def pause(self, now: float) -> None:
        """Pause the running job; no-op when it is paused or about to be.

        :raises LocalError: no job runs.
        """
        if self.phase in {Phase.PAUSING, Phase.PAUSED}:
            return
        self._move(Move.PAUSE)
        self._forget_position()
        self._errands.add(pausing.locate(), Errand.LOCATE)
        self._fill(now)

    def resume(self, now: float) -> None:
        """Go on with a paused job.

        :raises LocalError: no job is paused.
        """
        self._move(Move.RESUME)
        if self._stood is not None:
            targets = self._readings.thermometer.targets
            back = pausing.back(self._stood, self._settings.parking, targets)
            self._errands.add(back, Errand.STEP)
            self._stood = None
        self._fill(now)

    def stop(self, now: float, reason: str | None = None) -> None:
        """End the job, if there is one, and turn everything off."""
        if self.phase is Phase.STOPPING:
            return
        self._move(Move.STOP)
        self._stop_reason = reason
        link = self._connection.link
        if link is None or self._connected is None:
            return  # a greeting is on its way: it turns everything off before anything else
        self._errands.clear()
        self._homed, self._hand_moves = set(), 0
        if self._job is not None and "EMERGENCY_PARSER" in self._connected.capabilities:
            link.say_aside(safety.STOP_MOVES)
        if waits_for_heat(link.oldest) or waits_for_person(link.oldest):
            link.say_aside(safety.END_WAITING)
        self._errands.add([*self._heaters_off(), b"M105"], Errand.MAKE_SAFE)
        self._fill(now)

    def emergency(self, now: float) -> None:
        """Halt the firmware where it listens for that beside its queue, else stop."""
        if self._connected is None or "EMERGENCY_PARSER" not in self._connected.capabilities:
            self.stop(now, "emergency")
            return
        self._fail(Trouble.FIRMWARE_HALTED, "somebody asked for an emergency halt", now)
        self._connection.shout(b"\nM112\n")

    # ---- by hand

    def say(self, command: bytes, now: float) -> None:
        """Say a person's own command; from now on every answer is told.

        :raises LocalError: the machine is not idle.
        """
        next_phase(self.phase, Move.SAY)
        self._talks, self._homed = True, set()
        self._errands.add([command], Errand.STEP)
        self._fill(now)

    def home(self, axes: str, now: float) -> None:
        """Home axes; from then on, until the controller or a job moves them, jogs are allowed.

        :raises LocalError: the machine is not idle.
        :raises InputError: there is no such axis.
        """
        next_phase(self.phase, Move.SAY)
        self._move_by_hand(by_hand.home(axes), now)
        self._homed = self._homed | set(axes.upper() or by_hand.AXES)

    def jog(self, by_mm: Mapping[str, float], feed: MmPerMin, now: float) -> None:
        """Move by so many mm, inside the work area. One jog at a time: the next needs its end.

        :raises LocalError: not idle, not homed by :meth:`home`, still moving, or no work area.
        :raises TargetOutOfRangeError: it would end outside.
        """
        next_phase(self.phase, Move.SAY)
        if self._hand_moves:
            raise LocalError("the last move by hand has not ended", next_step="wait for its end")
        known = pausing.position_of(self._readings.position, Motion())
        position = {axis: mm for axis, mm in known.items() if axis in self._homed}
        said = by_hand.jog(by_mm, feed, position, self._settings.work_area)
        self._move_by_hand(said, now)

    def _forget_position(self) -> None:
        self._readings.forget_position()
        self._asked_where = 0

    def _move_by_hand(self, said: Sequence[bytes], now: float) -> None:
        self._hand_moves += 1
        self._forget_position()
        self._errands.add(said, Errand.BY_HAND)
        self._fill(now)

    # ---- after a failure

    def greet_again(self, now: float) -> None:
        """Begin anew with the firmware: find out whether it answers."""
        self._greet(now)

    def clear(self, now: float) -> None:
        """A person says that a broken machine may be used again.

        :raises LocalError: it does not answer, or there is nothing to clear.
        """
        next_phase(self.phase, Move.CLEAR)
        if not self.is_alive(now):
            raise LocalError(
                "the firmware does not answer, so the machine stays broken",
                next_step="switch the machine off and on, wait ten seconds, then clear it again",
            )
        self._unexplained = None
        self._move(Move.CLEAR)

    # ---- saying

    def _fill(self, now: float) -> None:
        """Say as much as the link takes."""
        link = self._connection.link
        if link is None:
            return
        job = self._job if self.phase is Phase.RUNNING else None
        self._speech.fill(link, job, now, may_poll=self._connected is not None)
        if job is not None and job.is_over and job.unreadable and self.phase is Phase.RUNNING:
            self.stop(now)
