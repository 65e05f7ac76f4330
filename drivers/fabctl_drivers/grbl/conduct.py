"""What follows from what a Grbl controller says: answers, alarms, restarts, reports. Pure."""

from __future__ import annotations

from fabctl.ports import Heard, Phase, PhaseChanged, Telemetry, Tone, Trouble
from fabctl_drivers.grbl import person, realtime
from fabctl_drivers.grbl.answers import Answer
from fabctl_drivers.grbl.arrival import Aim, Errand
from fabctl_drivers.grbl.codes import AT_THE_LINE, alarm_text, error_text
from fabctl_drivers.grbl.controller import ControllerEvent, Reported, Rested, Unanswered
from fabctl_drivers.grbl.halt import Stage
from fabctl_drivers.grbl.job_lines import JobLine
from fabctl_drivers.grbl.link import Alarmed, Refused, Restarted
from fabctl_drivers.grbl.person import SaidLine
from fabctl_drivers.grbl.phases import Move
from fabctl_drivers.grbl.reception import Reception
from fabctl_drivers.grbl.report import Report
from fabctl_drivers.grbl.standing import Verdict, verdict


class Conduct(Reception):
    """A machine that is listened to."""

    def _hear(self, answer: Answer, now: float) -> None:
        identity = self._controller.identity
        self._readings.offsets.in_inches = identity.settings.get(13, 0.0) == 1.0
        self._readings.offsets.hear(answer.text)
        if self._spoken.was_used and self._job is None and self._arrival is None:
            told = person.heard(answer, identity.flavour)
            if told is not None:
                self._events.append(told)
        for event in self._controller.hear(answer, now):
            self._follow(event, now)

    def _follow(self, event: ControllerEvent, now: float) -> None:
        if isinstance(event, Reported):
            self._events += self._readings.tell(event.report, now)
            if event.fresh:
                self._answer_a_person(event)
                self._reported(event.report, now)
        elif isinstance(event, Telemetry):
            self._events.append(event)
        elif isinstance(event, Refused):
            self._refused(event, now)
        elif isinstance(event, Alarmed):
            self._alarmed(event, now)
        elif isinstance(event, Restarted):
            self._restarted(now)
        elif isinstance(event, Rested):
            aim, self._aim = self._aim, None
            self._arrive(aim or Aim.CONNECT)
        elif isinstance(event, Unanswered):
            self._unanswered(now)

    # ---- answers

    def _refused(self, event: Refused, now: float) -> None:
        ref, why = event.ref, error_text(event.code)
        if isinstance(ref, JobLine):
            self._job_line_refused(ref, why, now)
        elif isinstance(ref, SaidLine):
            self._events.append(Heard(why, Tone.ERROR))
            self._person_answered(ref, taken=False)
        elif ref is Errand.CHECK:
            reason = f"the controller does not enter check mode ({why})"
            self._fail_file(Trouble.LINE_REFUSED, reason, now)
        elif ref is Errand.JOG:
            self._jogs.refused()
            self._events.append(PhaseChanged(self.phase, None, f"the jog was refused: {why}"))
        else:
            self._errand_done(ref, now)

    def _job_line_refused(self, line: JobLine, why: str, now: float) -> None:
        if self._run is not None and self._run.job.is_check:
            told = self._run.job.refuse(line, why)  # nothing moves: the rest is looked at too
            if told is not None:
                self._events.append(PhaseChanged(self.phase, None, told))
        else:
            reason = f"line {line.line} was refused ({why}): {line.text}"
            self._fail_file(Trouble.LINE_REFUSED, reason, now)

    def _taken(self, ref: object, now: float) -> None:
        """Something other than a job's line was answered with ok."""
        if type(ref) is SaidLine:
            self._events.append(Heard("ok", Tone.OK))
            self._person_answered(ref, taken=True)
        else:
            self._errand_done(ref, now)

    def _person_answered(self, line: SaidLine, *, taken: bool) -> None:
        self._spoken.answered(line, taken=taken)
        self.report = None
        if taken:
            self._controller.identity.hear(line.data.rstrip())  # a setting may be new
            self._is_placed = self._is_placed or line.command == b"$H"
        self._controller.ask_anew()

    def _answer_a_person(self, event: Reported) -> None:
        if self._spoken.shows_report:
            self._spoken.shows_report = False
            self._events.append(Heard(event.text.decode("ascii", "replace"), Tone.ECHO))

    # ---- alarms and restarts

    def _alarmed(self, event: Alarmed, now: float) -> None:
        """The position may be lost, and all that was said is void."""
        self._is_placed = False
        if self._controller.halt is None:
            why = alarm_text(event.code, self._controller.identity.flavour)
            if event.code in AT_THE_LINE and isinstance(event.ref, JobLine):
                why = f"{why}, at line {event.ref.line}: {event.ref.text}"
            reason = f"the machine locked itself: {why}"
            self._fail(Trouble.FIRMWARE_HALTED, reason, now, Stage.RESETTING)

    def _restarted(self, now: float) -> None:
        self._is_placed = False
        self._forget_what_was_asked()
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

    # ---- reports

    def _reported(self, report: Report, now: float) -> None:
        self.report = report
        if report.tells_overrides:
            self._dials.report(report.overrides_percent, now)
        arrival = self._arrival
        if arrival is not None:
            arrival.report(report.state)
            self._go_on_arriving(arrival, now)
        elif self._aim is None:
            self._spoken.report(report.state)
            self._jogs_go(report)
            self._clear_by_a_persons_line(report)
            self._judge(verdict(self.phase, report.state), report, now)

    def _jogs_go(self, report: Report) -> None:
        if self._jogs.report(report.state, self._controller.link.in_flight):
            self._controller.say_now(realtime.JOG_CANCEL)
        self._choose_pace()

    def _clear_by_a_persons_line(self, report: Report) -> None:
        """A person typed ``$X`` or ``$H``, and it did: that is their word."""
        opened, self._spoken.opened = self._spoken.opened, False
        if opened and self.phase is Phase.BROKEN and report.state == "Idle":
            self._unexplained = None
            self._move(Move.CLEAR)

    def _judge(self, found: Verdict, report: Report, now: float) -> None:
        """Do what a report asks for in this phase."""
        if found is Verdict.GOES and self._run is not None:
            self._goes(self._run.report(report.state, now), self._run, now)
        elif found is Verdict.LOCKED:
            self._alarmed(Alarmed(None, None), now)
        elif found is Verdict.HOLDS:
            self._holding.said(now, ours=False)
            oldest = self._controller.link.oldest
            self._move(Move.PAUSE, None, self._holding.reason(oldest, report))
        elif found is Verdict.WENT_ON:
            self._went_on(now)
        elif found is Verdict.HELD or found is Verdict.STILL_HELD:
            self._held(report)
        elif found is Verdict.NOT_HELD and self._holding.is_to_be_said_again(now):
            self._controller.say_now(realtime.HOLD)

    def _held(self, report: Report) -> None:
        oldest = self._controller.link.oldest
        reason, is_new = self._holding.look(oldest, report)
        if self.phase is not Phase.PAUSED:
            self._move(Move.HELD, None, reason)
        elif is_new:
            self._events.append(PhaseChanged(self.phase, None, reason))
        self._events += self._holding.ask(oldest, report)
        if self._holding.is_laser_to_go_off(report, laser=self._controller.identity.laser_mode):
            self._controller.say_now(realtime.SPINDLE_STOP)
