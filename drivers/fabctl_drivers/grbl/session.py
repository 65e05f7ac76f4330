"""A Grbl machine from the opened port on, as the shell and the core see it. Pure.

Bytes and time come in, bytes and events go out. :mod:`fabctl_drivers.grbl.driver` is the only one
that does input and output.
"""

from __future__ import annotations

from collections.abc import Iterator

from fabctl.errors import InputError, LocalError
from fabctl.ports import (
    DriverEvent,
    JobFile,
    Phase,
    Trouble,
)
from fabctl_drivers.grbl import clearing, realtime
from fabctl_drivers.grbl.answers import OK, Ear
from fabctl_drivers.grbl.arrival import Aim, Errand
from fabctl_drivers.grbl.halt import Stage
from fabctl_drivers.grbl.hands import Hands
from fabctl_drivers.grbl.job import Job
from fabctl_drivers.grbl.job_lines import JobLine
from fabctl_drivers.grbl.job_run import JobRun
from fabctl_drivers.grbl.phases import Move, next_phase
from fabctl_drivers.grbl.stance import DEAD_S

PROGRESS_EVERY_S = 0.2
"""At most five JobProgress events per second."""
ALIVE_S = 15.0
"""A connected controller is asked every two seconds at least, so it spoke within this time."""
STOPPABLE = (Phase.IDLE, Phase.RUNNING, Phase.PAUSING, Phase.PAUSED)


class Session(Hands):
    """One machine's state between bytes and the core."""

    # ---- what the shell asks

    @property
    def confirmed_line(self) -> int:
        """Line in the file of the running job's last confirmed command; 0 without a job."""
        return 0 if self._job is None else self._job.confirmed_line

    @property
    def has_events(self) -> bool:
        """Whether :meth:`take_events` has something."""
        return bool(self._events)

    @property
    def deadline(self) -> float:
        """The time at which :meth:`tick` has something to do."""
        return min(self._controller.deadline, self._dead_at, self._dials.due_at)

    @property
    def is_safe(self) -> bool:
        """Whether no job runs, and the controller confirmed its last reset."""
        return self.is_connected and self._job is None and not self.is_settling

    @property
    def longest_line(self) -> int:
        """Bytes of a line at most, as far as the firmware is known; newline not counted."""
        return self._controller.identity.longest_line

    def is_alive(self, now: float) -> bool:
        """Return whether the controller is connected and spoke during the last few seconds."""
        return self.is_connected and now - self._heard_at <= ALIVE_S

    def take_events(self) -> list[DriverEvent]:
        """Return what happened, and forget it."""
        events, self._events = self._events, []
        return events

    def take_output(self) -> bytes:
        """Return the bytes to write now, and forget them."""
        return self._controller.link.take_output()

    # ---- what the shell brings

    def opened(self, now: float) -> None:
        """The port is open: begin to talk."""
        self._move(Move.OPENED)
        self._ear = Ear()
        self.wants_close = False
        self._heard_at = now
        self._bring_to_rest(Stage.LISTENING, Aim.CONNECT, now)

    def receive(self, data: bytes, now: float) -> None:
        """Take in bytes of the firmware."""
        self._heard_at = now
        take_ok = self._controller.link.take_ok
        for answer in self._ear.hear(data):
            if answer is OK:
                ref = take_ok()
                if type(ref) is JobLine and self._run is not None:
                    self._run.confirm(ref, now)
                elif ref is not None:
                    self._taken(ref, now)
            else:
                self._hear(answer, now)
        self._go_on(now)
        if self._job is not None and now - self._progress_at >= PROGRESS_EVERY_S:
            self._report_progress(self._job, now)

    def tick(self, now: float) -> None:
        """Do what is due at ``now``."""
        for event in self._controller.tick(now):
            self._follow(event, now)
        if now >= self._dead_at:
            self._nobody(f"the controller has said nothing for {DEAD_S:.0f} s", now)
        self._turn_dials(now)
        self._go_on(now)

    def _go_on(self, now: float) -> None:
        if self._spoken.is_busy:
            self._go_on_saying()
        self._fill(now)

    def closed(self, now: float) -> None:
        """We close the port ourselves."""
        reason = "fabctl left before the machine confirmed the stop"
        self._leave(Trouble.INTERRUPTED, reason, now)
        self._move(Move.PORT_LOST)

    # ---- what the core asks

    def start(self, file: JobFile, lines: Iterator[JobLine], now: float) -> None:
        """Begin a job.

        :raises LocalError: the machine is not idle, stands at an open door, or is a laser whose
            controller is not in laser mode.
        :raises InputError: the file's first line cannot be sent.
        """
        next_phase(self.phase, Move.START)
        if not self._is_free:
            raise LocalError("a line that a person typed is under way, so no job starts")
        state = self.report.state if self.report else "unknown"
        if state != "Idle":
            raise LocalError(
                f"the controller's state is {state}, so no job starts",
                next_step="close the door, then stop the machine, which resets its controller",
            )
        self._require_laser_mode()
        link = self._controller.link
        job = Job(file, lines, now, link.bytes_sent, is_check=self._settings.check_run)
        if job.failure is not None:
            raise InputError(job.failure[1])
        self._job, self._run = job, JobRun(job, link, now)
        self._progress_at, self._owes = now, False
        self._move(Move.START)
        if job.is_check:
            self._say_errand(Errand.CHECK)
        self._fill(now)

    def _require_laser_mode(self) -> None:
        """Outside laser mode a hold stops the axes and leaves the laser on: it is a spindle then.

        Source: Grbl ``doc/markdown/laser_mode.md`` and ``commands.md`` (feed hold).
        """
        told = self._controller.identity
        if self._settings.is_laser and not self._settings.check_run and not told.laser_mode:
            raise LocalError(
                "the controller is not in laser mode ($32=1), so no job starts: a pause would "
                "leave the laser on",
                next_step="set $32=1 in the controller; a machine without a laser is no laser in "
                "lab.toml",
            )

    def pause(self, now: float) -> None:
        """Hold the machine; no-op when it is held or about to be.

        :raises LocalError: no job runs.
        """
        if self.phase in {Phase.PAUSING, Phase.PAUSED}:
            return
        self._move(Move.PAUSE)
        if self._job is not None and self._job.is_check:
            self._move(Move.HELD)  # nothing moves, and check mode knows no hold
        else:
            self._holding.said(now, ours=True)
            self._controller.say_now(realtime.HOLD)

    def resume(self, now: float) -> None:
        """Go on with a paused job; after a door, a person decides so.

        :raises LocalError: no job is paused, or the machine is not at rest.
        """
        next_phase(self.phase, Move.RESUME)
        is_check = self._job is not None and self._job.is_check
        if not is_check:
            self._holding.check_resume(self.report)
            self._controller.say_now(realtime.GO_ON)
        self._move(Move.RESUME)
        if self._run is not None:
            self._run.moved_on(now)
        self._fill(now)

    def stop(self, now: float, reason: str | None = None) -> None:
        """End the job, if there is one: hold, then reset. Spindle, laser and coolant go off."""
        before = self.phase
        self._move(Move.STOP)
        if self._job is not None:
            self._job.stop_reason = reason
        if before is Phase.BROKEN and self._aim is None:
            self._come_to_a_stop(Aim.CONNECT, now)
        elif before in STOPPABLE:
            self._come_to_a_stop(Aim.STOP, now)

    # ---- clearing

    def begin_clear(self, now: float) -> None:
        """A person wants to clear: ask whether the controller answers, then open its lock.

        :raises LocalError: there is nothing to clear.
        """
        next_phase(self.phase, Move.CLEAR)
        if self._aim is not None:
            return
        if not self.is_alive(now):
            self._come_to_a_stop(Aim.CONNECT, now)
        elif self._arrival is None:
            self._arrive(Aim.CLEAR)

    def go_on_clearing(self, now: float) -> bool:
        """Return whether :meth:`clear` will do now; begin its next step where there is one."""
        if self.is_settling:
            return self._arrival is not None and self._arrival.is_homing
        if not self.is_alive(now):
            return True  # it will not do, and waiting does not help
        ready = self.report is not None and self.report.state == "Idle"
        if not ready and not self._holding.clear_tried:
            self._holding.clear_tried = True
            self._arrive(Aim.CLEAR)
            return False
        return True

    def clear(self, now: float) -> None:
        """End what :meth:`begin_clear` began: the machine may be used again.

        With ``clear_by = "home"`` it is CONNECTING until it has homed.

        :raises LocalError: it does not answer, is still locked, or its door is open.
        """
        self._holding.clear_tried = False
        if self._arrival is not None and self._arrival.is_homing:
            self._unexplained = None
            self._move(Move.HOME)
            return
        clearing.require_ready(self.report, is_alive=self.is_alive(now))
        self._unexplained = None
        self._move(Move.CLEAR)

    def _report_progress(self, job: Job, now: float) -> None:
        self._progress_at = now
        if job.has_moved():
            self._events.append(job.progress())
