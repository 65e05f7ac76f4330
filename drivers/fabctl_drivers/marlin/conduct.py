"""What follows from what a Marlin firmware says: answers, actions, restarts, silences. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from fabctl.ports import Connected, Phase, PhaseChanged, Trouble
from fabctl_drivers.marlin.answers import Answer, Ear, Heard, Topic
from fabctl_drivers.marlin.connection import FIRST_LINE, ConnectionEvent, Greeted, Unanswered
from fabctl_drivers.marlin.conversation import Acked, Ended, State, Withdrawn
from fabctl_drivers.marlin.endings import Endings
from fabctl_drivers.marlin.errands import Errand
from fabctl_drivers.marlin.job import JobLine
from fabctl_drivers.marlin.motion import HEATS
from fabctl_drivers.marlin.patience import code
from fabctl_drivers.marlin.phases import Move

REPORT_YOURSELF = b"M155 S2"
_NOT_DONE = {
    b"start": "the printer's own screen asked for a start; a job is started here, by a person",
    b"shutdown": "the printer's own screen asked this computer to shut down; it stays on",
    b"poweroff": "the printer asked to be switched off; a person has to do that",
}
"""What ``//action:`` asks and nothing does by itself: it is told."""


class Conduct(Endings):
    """A machine that is listened to."""

    def _note(self, answer: Answer, now: float) -> None:
        if answer.topic is Topic.OTHER and answer.heard is not Heard.BUSY:
            return
        self._events += self._readings.note(answer, now, self._oldest)
        if answer.topic is Topic.ACTION:
            self._act(answer.text, now)
        elif answer.topic is Topic.KEEPALIVE and self._readings.busy_s is not None:
            self._connection.set_busy(self._readings.busy_s)

    def _act(self, action: bytes, now: float) -> None:
        """Do what ``//action:`` asks; what the firmware did by itself only changes our state."""
        if action == b"paused" and self.phase is Phase.RUNNING:
            self._move(Move.HELD, None, "the printer paused by itself, or at its own screen")
        elif action == b"resumed" and self.phase is Phase.PAUSED and self._stood is None:
            self._move(Move.RESUME)
        elif action == b"pause" and self.phase is Phase.RUNNING:
            self.pause(now)
        elif action == b"resume" and self.phase is Phase.PAUSED:
            self.resume(now)
        elif action == b"cancel" and self._job is not None:
            self.stop(now, "cancelled at the machine")
        elif action in _NOT_DONE:
            self._events.append(PhaseChanged(self.phase, None, _NOT_DONE[action]))
        elif action == b"disconnect":
            self.wants_close = True
            self.port_lost("the firmware asked to be left alone", now)

    def _follow(self, events: Sequence[ConnectionEvent], now: float) -> None:
        for event in events:
            if isinstance(event, Acked):
                self._acked(event.ref, now)
            elif isinstance(event, Withdrawn):
                self._withdrawn(event)
            elif isinstance(event, Ended):
                self._ended(event, now)
            elif isinstance(event, Greeted):
                self._greeted(event)
            else:
                self._unanswered(event, now)

    def _acked(self, ref: object, now: float) -> None:
        if isinstance(ref, JobLine):
            if self._job is not None:
                self._job.confirm(ref)
                if ref.command[:2] == b"M1" and code(ref.command) in HEATS:
                    self._readings.thermometer.forget_targets()
            self._readings.person.moved_on()
        elif isinstance(ref, Errand):
            done = self._DONE.get(ref)
            if done is not None:
                done(self, now)

    def _withdrawn(self, event: Withdrawn) -> None:
        for ref in reversed(event.refs):
            if isinstance(ref, JobLine) and self._job is not None:
                self._job.withdraw(ref)

    def _ended(self, event: Ended, now: float) -> None:
        if event.state is State.HALTED:
            self._fail(Trouble.FIRMWARE_HALTED, event.reason, now)
        elif event.state is State.RESET and self._job is None:
            self._greet(now)
            self._move(Move.RESTARTED, None, "the controller restarted")
        elif event.state is State.RESET:
            reason = "the controller restarted during the job; nobody knows where the tool is"
            self._fail(Trouble.CONTROLLER_RESET, reason, now)
        elif self._job is not None or event.damaged:
            trouble = Trouble.TOO_MANY_RESENDS if event.damaged else Trouble.NO_ANSWER
            trouble = Trouble.PROTOCOL if event.torn else trouble
            self._fail(trouble, event.reason, now)
        else:
            self._unanswered(Unanswered(event.reason), now)

    def _greeted(self, event: Greeted) -> None:
        self._greeted_as = Connected(event.firmware, event.capabilities)
        report = [REPORT_YOURSELF] if self._reports_by_itself else []
        first = [FIRST_LINE, *self._heaters_off(), b"M113", *report, b"M105"]
        self._errands.add(first, Errand.CONNECT)

    def _unanswered(self, event: Unanswered, now: float) -> None:
        if self._try_another_baud(now):
            return
        if self.phase is Phase.BROKEN:
            self._let_go()  # silent for now; it is heard again after a reset
        else:
            self._nobody(event.reason, now)

    def _try_another_baud(self, now: float) -> bool:
        """Greet at the next rate; return whether there was one."""
        if not self._other_bauds or self.phase is not Phase.CONNECTING:
            return False
        self._connection.baud = self._other_bauds.pop(0)
        self._ear = Ear()
        self._greet(now)
        return True
