"""A Grbl machine from the opened port on: phases, jobs, pauses, events. Pure.

Bytes and time come in, bytes and events go out. :mod:`fabctl_drivers.grbl.driver` is the only one
that does input and output.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from fabctl.errors import InputError, LocalError
from fabctl.ports import (
    Connected,
    DriverEvent,
    JobFile,
    Outcome,
    Phase,
    PhaseChanged,
    Telemetry,
    Trouble,
)
from fabctl_drivers.grbl import clearing, realtime
from fabctl_drivers.grbl.answers import OK, Answer, Ear
from fabctl_drivers.grbl.arrival import Aim, Arrival, Errand
from fabctl_drivers.grbl.codes import alarm_text, error_text
from fabctl_drivers.grbl.controller import (
    Controller,
    ControllerEvent,
    Reported,
    Rested,
    Unanswered,
)
from fabctl_drivers.grbl.halt import Stage
from fabctl_drivers.grbl.holding import Holding
from fabctl_drivers.grbl.job import Job
from fabctl_drivers.grbl.job_lines import JobLine, is_homing
from fabctl_drivers.grbl.job_run import Course, JobRun
from fabctl_drivers.grbl.link import Alarmed, Refused, Restarted, State
from fabctl_drivers.grbl.phases import Move, next_phase
from fabctl_drivers.grbl.readings import Readings
from fabctl_drivers.grbl.report import Report
from fabctl_drivers.grbl.settings import Key, Settings
from fabctl_drivers.grbl.standing import Verdict, verdict

PROGRESS_EVERY_S = 0.2
"""At most five JobProgress events per second."""
ALIVE_S = 15.0
"""A connected controller is asked every two seconds at least, so it spoke within this time."""
DEAD_S, HOMING_S = 10.0, 300.0
"""Silence after which nobody is there. While it homes, Grbl answers nothing."""
STOPPABLE = (Phase.IDLE, Phase.RUNNING, Phase.PAUSING, Phase.PAUSED)
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


class Session:
    """One machine's state between bytes and the core."""

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
        self._events: list[DriverEvent] = []
        self._job: Job | None = None
        self._run: JobRun | None = None
        self._aim: Aim | None = None  # what comes after the halt that is under way
        self._arrival: Arrival | None = None
        self._unexplained: tuple[Trouble, str] | None = None
        self._owes = False
        self._heard_at = self._progress_at = -math.inf

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
        return min(self._controller.deadline, self._dead_at)

    @property
    def is_settling(self) -> bool:
        """Whether a reset, or what follows it, is under way."""
        return self._aim is not None or self._arrival is not None

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
                    self._errand_done(ref, now)
            else:
                self._hear(answer, now)
        self._fill(now)
        if self._job is not None and now - self._progress_at >= PROGRESS_EVERY_S:
            self._report_progress(self._job, now)

    def tick(self, now: float) -> None:
        """Do what is due at ``now``."""
        for event in self._controller.tick(now):
            self._follow(event, now)
        if now >= self._dead_at:
            self._nobody(f"the controller has said nothing for {DEAD_S:.0f} s", now)
        self._fill(now)

    def port_lost(self, reason: str, now: float, trouble: Trouble = Trouble.CABLE_LOST) -> None:
        """The port is gone."""
        self._leave(trouble, reason, now)
        self._move(Move.PORT_LOST, trouble, reason)

    def closed(self, now: float) -> None:
        """We close the port ourselves."""
        reason = "fabctl left before the machine confirmed the stop"
        self._leave(Trouble.INTERRUPTED, reason, now)
        self._move(Move.PORT_LOST)

    # ---- what the core asks

    def start(self, file: JobFile, lines: Iterator[JobLine], now: float) -> None:
        """Begin a job.

        :raises LocalError: the machine is not idle, or stands at an open door.
        :raises InputError: the file's first line cannot be sent.
        """
        next_phase(self.phase, Move.START)
        state = self.report.state if self.report else "unknown"
        if state != "Idle":
            raise LocalError(
                f"the controller's state is {state}, so no job starts",
                next_step="close the door, then stop the machine, which resets its controller",
            )
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
            self._holding.said(now)
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

    # ---- phases

    def _move(self, move: Move, trouble: Trouble | None = None, reason: str | None = None) -> None:
        before, self.phase = self.phase, next_phase(self.phase, move)
        if self.phase is not before:
            self._events.append(PhaseChanged(self.phase, trouble, reason))
        self._choose_pace()

    def _choose_pace(self) -> None:
        soon = self._arrival is not None or (self._run is not None and self._run.wants_report)
        if soon and self.phase is not Phase.PAUSED:
            self._controller.asks_s = ASK_SOON_S
        elif self.is_connected or self.phase is not Phase.BROKEN:
            self._controller.asks_s = ASK_EVERY_S[self.phase]
        else:
            self._controller.asks_s = math.inf

    def _come_to_a_stop(self, aim: Aim, now: float) -> None:
        """Hold and reset; where nothing moves for sure, reset at once."""
        state = self.report.state if self.report else ""
        idle = state == "Idle" and self._job is None
        rests = idle or state in {"Check", "Hold:0", "Door:0", "Door:1", "Alarm"}
        self._bring_to_rest(Stage.RESETTING if rests else Stage.HOLDING, aim, now)

    def _bring_to_rest(self, stage: Stage, aim: Aim, now: float) -> None:
        self._aim, self._arrival, self.report = aim, None, None
        if aim is Aim.CONNECT:
            self.is_connected = False
        self._controller.begin_halt(stage, now)
        self._choose_pace()

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

    def _leave(self, trouble: Trouble, reason: str, now: float) -> None:
        if self._job is not None:
            self._end_job(Outcome.FAILED, now, trouble, reason)
            self._unexplained = (trouble, reason)
        self._let_go()

    def _let_go(self) -> None:
        self.is_connected = False
        self._aim = self._arrival = self.report = None
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
        homes = oldest is Errand.HOME or (type(oldest) is JobLine and is_homing(oldest))
        return self._heard_at + (HOMING_S if homes else DEAD_S)

    # ---- what the firmware says

    def _hear(self, answer: Answer, now: float) -> None:
        for event in self._controller.hear(answer, now):
            self._follow(event, now)

    def _follow(self, event: ControllerEvent, now: float) -> None:
        if isinstance(event, Reported):
            self._events += self._readings.tell(event.report, now)
            if event.fresh:
                self._reported(event.report, now)
        elif isinstance(event, Telemetry):
            self._events.append(event)
        elif isinstance(event, Refused):
            self._refused(event, now)
        elif isinstance(event, Alarmed):
            self._alarmed(alarm_text(event.code), now)
        elif isinstance(event, Restarted):
            self._restarted(now)
        elif isinstance(event, Rested):
            aim, self._aim = self._aim, None
            self._arrive(aim or Aim.CONNECT)
        elif isinstance(event, Unanswered):
            self._unanswered(now)

    def _refused(self, event: Refused, now: float) -> None:
        ref, why = event.ref, error_text(event.code)
        if isinstance(ref, JobLine):
            self._fail_file(
                Trouble.LINE_REFUSED, f"line {ref.line} was refused ({why}): {ref.text}", now
            )
        elif ref is Errand.CHECK:
            reason = f"the controller does not enter check mode ({why})"
            self._fail_file(Trouble.LINE_REFUSED, reason, now)
        else:
            self._errand_done(ref, now)

    def _fail_file(self, trouble: Trouble, reason: str, now: float) -> None:
        """Hold at once: lines in the buffer still run. The job ends when the machine is safe."""
        if self._job is not None and self.phase is not Phase.STOPPING:
            self._job.failure = (trouble, reason)
            self._move(Move.STOP, trouble, reason)
            self._come_to_a_stop(Aim.STOP, now)

    def _alarmed(self, reason: str, now: float) -> None:
        """The position may be lost, and all that was said is void."""
        if self._controller.halt is None:
            why = f"the machine locked itself: {reason}"
            self._fail(Trouble.FIRMWARE_HALTED, why, now, Stage.RESETTING)

    def _restarted(self, now: float) -> None:
        if self._job is not None:
            reason = "the controller restarted during the job; nobody knows where the tool is"
            # Bytes of ours that were on the wire reach the new start, whole lines or pieces:
            # another reset ends whatever they begin.
            self._fail(Trouble.CONTROLLER_RESET, reason, now, Stage.RESETTING)
        else:
            self._move(Move.RESTARTED, None, "the controller restarted")
            self._arrive(Aim.CONNECT)

    def _unanswered(self, now: float) -> None:
        reason = "the controller does not answer, not even to a reset"
        if self._job is not None or self.phase is Phase.STOPPING:
            self._fail(Trouble.NO_ANSWER, reason, now, None)
            self._let_go()
        else:
            self._aim = None
            self._nobody(reason, now)

    def _reported(self, report: Report, now: float) -> None:
        self.report = report
        arrival = self._arrival
        if arrival is not None:
            arrival.report(report.state)
            self._go_on_arriving(arrival, now)
        elif self._aim is None:
            self._judge(verdict(self.phase, report.state), report, now)

    def _judge(self, found: Verdict, report: Report, now: float) -> None:
        """Do what a report asks for in this phase."""
        if found is Verdict.GOES and self._run is not None:
            self._goes(self._run.report(report.state, now), self._run, now)
        elif found is Verdict.LOCKED:
            self._alarmed(alarm_text(None), now)
        elif found is Verdict.HOLDS:
            self._holding.said(now)
            self._move(Move.PAUSE, None, self._holding.reason(report))
        elif found is Verdict.WENT_ON:
            self._went_on(now)
        elif found is Verdict.HELD or found is Verdict.STILL_HELD:
            self._held(report)
        elif found is Verdict.NOT_HELD and self._holding.is_to_be_said_again(now):
            self._controller.say_now(realtime.HOLD)

    def _held(self, report: Report) -> None:
        reason, is_new = self._holding.look(report)
        if self.phase is not Phase.PAUSED:
            self._move(Move.HELD, None, reason)
        elif is_new:
            self._events.append(PhaseChanged(self.phase, None, reason))
        self._events += self._holding.ask(self._controller.link.oldest, report)
        if self._holding.is_laser_to_go_off(report, laser=self._controller.identity.laser_mode):
            self._controller.say_now(realtime.SPINDLE_STOP)

    def _went_on(self, now: float) -> None:
        if self._job is not None and self._job.is_check:
            return
        if self._run is not None:
            self._run.moved_on(now)
        self._move(Move.WENT_ON)

    def _goes(self, course: Course, run: JobRun, now: float) -> None:
        if course is Course.DONE:
            self._all_done(run.job, now)
        elif course is Course.LOST:
            self._fail_file(Trouble.NO_ANSWER, f"{run.owing}; it, or its ok, was lost", now)
        elif self._owes is not (course is Course.OWES):
            self._owes = course is Course.OWES
            reason = run.owing if self._owes else None
            self._events.append(PhaseChanged(self.phase, None, reason))
        self._choose_pace()

    # ---- errands, and what follows a reset

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

    def _errand_done(self, ref: object, now: float) -> None:
        if ref is Errand.CHECK:
            if self._run is not None and self._controller.in_check_mode:
                self._run.begin()
            self._controller.ask_anew()
        elif self._arrival is not None:
            self._arrival.errand_done()
            self._controller.ask_anew()
            self._go_on_arriving(self._arrival, now)

    def _go_on_arriving(self, arrival: Arrival, now: float) -> None:
        if arrival.wants_resume:
            arrival.wants_resume = False
            self._controller.say_now(realtime.GO_ON)
        if arrival.wants is not None and self._controller.link.state is State.READY:
            self._say_errand(arrival.wants)
            arrival.wants = None
        if arrival.is_done:
            self._arrival = None
            self._arrived(arrival, now)
            self._choose_pace()

    def _say_errand(self, errand: Errand) -> None:
        self._controller.link.send(errand.value, errand, alone=True)

    def _arrived(self, arrival: Arrival, now: float) -> None:
        aim, is_idle = arrival.aim, arrival.state == "Idle"
        if aim is Aim.CONNECT:
            self._connect(arrival.state)
        elif aim is Aim.CLEAR:
            if self.phase is Phase.CONNECTING:  # it has homed, or tried to
                self._connect(arrival.state)
        elif not is_idle:
            failure = (self._job and self._job.failure) or clearing.unexplained(arrival.state)
            self._fail(*failure, now, Stage.RESETTING)
        else:
            self._made_safe(aim, now)

    def _connect(self, state: str) -> None:
        identity = self._controller.identity
        self._controller.learned()
        self.is_connected = True
        self._events.append(Connected(identity.name, identity.capabilities))
        if state != "Idle" and self._unexplained is None:
            self._unexplained = clearing.unexplained(state)
        if self._unexplained is None:
            self._move(Move.CONNECTED)
        else:
            self._move(Move.CONNECTED_BROKEN, *self._unexplained)

    # ---- the ends of a job

    def _all_done(self, job: Job, now: float) -> None:
        """Every line was confirmed, and nothing moves any more."""
        if job.failure is not None:
            self._fail_file(*job.failure, now)
        elif job.is_check:
            job.ended_at = now
            self._run = None
            self._bring_to_rest(Stage.RESETTING, Aim.CHECKED, now)
        else:
            self._end_job(Outcome.FINISHED, now)
            self._move(Move.FINISHED)

    def _made_safe(self, aim: Aim, now: float) -> None:
        job = self._job
        if job is not None and job.failure is not None:
            self._end_job(Outcome.FAILED, now, *job.failure)
        elif job is not None and aim is Aim.CHECKED and self.phase is not Phase.STOPPING:
            self._end_job(Outcome.FINISHED, now)
        elif job is not None:
            self._end_job(Outcome.STOPPED, now, reason=job.stop_reason)
        self._move(Move.MADE_SAFE if self.phase is Phase.STOPPING else Move.FINISHED)

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

    def _report_progress(self, job: Job, now: float) -> None:
        self._progress_at = now
        if job.has_moved():
            self._events.append(job.progress())

    def _fill(self, now: float) -> None:
        """Say as many lines as the link takes."""
        run = self._run
        if run is None or self.phase is not Phase.RUNNING:
            return
        wanted = run.wants_report
        run.fill(now)
        if run.is_all_said and run.job.is_check:
            self._all_done(run.job, now)  # nothing moves that could be waited for
        elif run.wants_report and not wanted:
            self._controller.ask_anew()
            self._choose_pace()
