"""How a Grbl machine is conducted: phases, resets, holds, the ends of jobs. Pure.

:class:`fabctl_drivers.grbl.session.Session` is this with what the shell and the core ask.
"""

from __future__ import annotations

import math

from fabctl.ports import (
    Connected,
    DriverEvent,
    Outcome,
    Phase,
    PhaseChanged,
    Telemetry,
    Trouble,
)
from fabctl_drivers.grbl import clearing, realtime
from fabctl_drivers.grbl.answers import Answer, Ear
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


class Conduct:
    """What a machine does, and what follows from what its controller says."""

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
        elif ref is Errand.JOG:
            self._events.append(PhaseChanged(self.phase, None, f"the jog was refused: {why}"))
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
        else:
            self._end_safely(aim, now)
            if is_idle:
                stopping = self.phase is Phase.STOPPING
                self._move(Move.MADE_SAFE if stopping else Move.FINISHED)
            else:  # safe, but locked or at an open door
                self._fail(*clearing.unexplained(arrival.state), now, None)

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

    def _end_safely(self, aim: Aim, now: float) -> None:
        """The banner after our reset was heard: spindle, laser and coolant are off."""
        job = self._job
        if job is not None and job.failure is not None:
            self._end_job(Outcome.FAILED, now, *job.failure)
        elif job is not None and aim is Aim.CHECKED and self.phase is not Phase.STOPPING:
            self._end_job(Outcome.FINISHED, now)
        elif job is not None:
            self._end_job(Outcome.STOPPED, now, reason=job.stop_reason)

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
