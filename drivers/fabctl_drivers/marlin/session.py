"""A Marlin machine from the opened port on: phases, jobs, pauses, events. Pure.

Bytes and time come in, bytes and events go out. :mod:`fabctl_drivers.marlin.driver` is the only
one that does input and output.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from fabctl.errors import InputError, LocalError
from fabctl.ports import Connected, DriverEvent, JobFile, Outcome, Phase, PhaseChanged, Trouble
from fabctl.units import MmPerMin
from fabctl_drivers.marlin import by_hand, pausing, safety
from fabctl_drivers.marlin.answers import OK, Answer, Ear, Heard, Topic
from fabctl_drivers.marlin.connection import (
    FIRST_LINE,
    Connection,
    ConnectionEvent,
    Greeted,
    Unanswered,
)
from fabctl_drivers.marlin.conversation import Acked, Ended, State, Withdrawn
from fabctl_drivers.marlin.errands import Errand
from fabctl_drivers.marlin.job import Job, JobLine
from fabctl_drivers.marlin.motion import Motion
from fabctl_drivers.marlin.patience import waits_for_heat, waits_for_person
from fabctl_drivers.marlin.pausing import Standstill
from fabctl_drivers.marlin.phases import Move, next_phase
from fabctl_drivers.marlin.readings import Readings
from fabctl_drivers.marlin.settings import Settings
from fabctl_drivers.marlin.speech import Speech
from fabctl_drivers.marlin.talk import heard

PROGRESS_EVERY_S = 0.2
"""At most five JobProgress events per second."""
REPORT_YOURSELF = b"M155 S2"
ALIVE_S = 15.0
"""A connected firmware is asked every ten seconds at least, so it spoke within this time."""


class Session:
    """One machine's state between bytes and the core."""

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
        self._connected: Connected | None = None
        self._unexplained: tuple[Trouble, str] | None = None
        self._job: Job | None = None
        self._stood: Standstill | None = None
        self._stop_reason: str | None = None
        self._talks = False
        self._homed: set[str] = set()
        self._heard_at = self._progress_at = -math.inf

    # ---- what the shell asks

    @property
    def confirmed_line(self) -> int:
        """Line in the file of the running job's last confirmed command; 0 without a job."""
        return 0 if self._job is None else self._job.confirmed_line

    @property
    def baud(self) -> int:
        """Bits per second that the port must have now; it may change while CONNECTING."""
        return self._connection.baud

    @property
    def has_events(self) -> bool:
        """Whether :meth:`take_events` has something."""
        return bool(self._events)

    @property
    def deadline(self) -> float:
        """The time at which :meth:`tick` has something to do."""
        due = min(self._connection.deadline, self._readings.person.ask_at)
        link = self._connection.link
        return due if link is None else min(due, self._speech.deadline(link))

    @property
    def is_safe(self) -> bool:
        """Whether no job runs and the firmware confirmed all that we told it."""
        link = self._connection.link
        return link is not None and self._job is None and not self._errands and not link.in_flight

    @property
    def may_become_safe(self) -> bool:
        """Whether it is worth to wait for :attr:`is_safe`."""
        return self._connection.link is not None and not self.is_safe

    def is_alive(self, now: float) -> bool:
        """Return whether the firmware is connected and spoke during the last few seconds."""
        return self._connected is not None and now - self._heard_at <= ALIVE_S

    def take_events(self) -> list[DriverEvent]:
        """Return what happened, and forget it."""
        events, self._events = self._events, []
        return events

    def take_output(self) -> bytes:
        """Return the bytes to write now, and forget them."""
        return self._connection.take_output()

    # ---- what the shell brings

    def opened(self, now: float) -> None:
        """The port is open: begin to talk."""
        self._move(Move.OPENED)
        self._ear = Ear()
        self.wants_close = False
        self._greet(now)

    def receive(self, data: bytes, now: float) -> None:
        """Take in bytes of the firmware."""
        self._heard_at = now
        for answer in self._ear.hear(data):
            if answer is not OK:
                self._note(answer, now)
            if self._talks:
                self._events.append(heard(answer))
            events = self._connection.hear(answer, now)
            if events:
                self._follow(events, now)
        if self._ear.has_unfinished_ok and self._connection.link is not None:
            self._connection.link.hear_unfinished_ok(now)
        self._fill(now)
        if self._job is not None and now - self._progress_at >= PROGRESS_EVERY_S:
            self._report_progress(self._job, now)

    def tick(self, now: float) -> None:
        """Do what is due at ``now``."""
        self._follow(self._connection.tick(now), now)
        if now >= self._readings.person.ask_at:
            self._events += self._readings.person.ask(self._oldest)
        self._fill(now)

    def look_ahead(self) -> None:
        """Read and number the next line while the firmware is at work."""
        job, link = self._job, self._connection.link
        if job is not None and link is not None and job.fetch_if_needed():
            link.prepare(job.next_command)

    def port_lost(self, reason: str, now: float, trouble: Trouble = Trouble.CABLE_LOST) -> None:
        """The port is gone."""
        if self._job is not None:
            self._end_job(self._job, Outcome.FAILED, now, trouble, reason)
            self._unexplained = (trouble, reason)
        self._let_go()
        self._move(Move.PORT_LOST, trouble, reason)

    def closed(self, now: float) -> None:
        """We close the port ourselves."""
        if self._job is not None:
            reason = "fabctl left before the machine confirmed the stop"
            self._end_job(self._job, Outcome.FAILED, now, Trouble.INTERRUPTED, reason)
            self._unexplained = (Trouble.INTERRUPTED, reason)
        self._let_go()
        self._move(Move.PORT_LOST)

    # ---- what the core asks

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
        self._readings.position = b""
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
        if waits_for_heat(link.oldest) or waits_for_person(link.oldest):
            link.say_aside(safety.END_WAITING)
        self._errands.add([*self._heaters_off(), b"M105"], Errand.MAKE_SAFE)
        self._fill(now)

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
        self._errands.add(by_hand.home(axes), Errand.STEP)
        self._homed = self._homed | set(axes.upper() or by_hand.AXES)
        self._readings.position = b""
        self._fill(now)

    def jog(self, by_mm: Mapping[str, float], feed: MmPerMin, now: float) -> None:
        """Move by so many mm, inside the work area. One jog at a time: the next needs its end.

        :raises LocalError: not idle, not homed by :meth:`home`, still moving, or no work area.
        :raises TargetOutOfRangeError: it would end outside.
        """
        next_phase(self.phase, Move.SAY)
        known = pausing.position_of(self._readings.position, Motion())
        position = {axis: mm for axis, mm in known.items() if axis in self._homed}
        said = by_hand.jog(by_mm, feed, position, self._settings.work_area)
        self._readings.position = b""  # known again after the move
        self._errands.add(said, Errand.STEP)
        self._fill(now)

    def emergency(self, now: float) -> None:
        """Halt the firmware where it listens for that beside its queue, else stop."""
        if self._connected is None or "EMERGENCY_PARSER" not in self._connected.capabilities:
            self.stop(now, "emergency")
            return
        self._fail(Trouble.FIRMWARE_HALTED, "somebody asked for an emergency halt", now)
        self._connection.shout(b"\nM112\n")

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

    def _try_another_baud(self, now: float) -> bool:
        """Greet at the next rate; return whether there was one."""
        if not self._other_bauds or self.phase is not Phase.CONNECTING:
            return False
        self._connection.baud = self._other_bauds.pop(0)
        self._ear = Ear()
        self._greet(now)
        return True

    def _let_go(self) -> None:
        self._connection.drop()
        self._homed = set()
        self._connected = self._stood = None
        self._errands.clear()
        self._readings.person.moved_on()

    def _nobody(self, reason: str, now: float) -> None:
        self.wants_close = True
        self.port_lost(reason, now, Trouble.NO_ANSWER)

    # ---- what the firmware says

    @property
    def _oldest(self) -> bytes:
        link = self._connection.link
        return b"" if link is None else link.oldest

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
            self._move(Move.HELD)
        elif action == b"resumed" and self.phase is Phase.PAUSED and self._stood is None:
            self._move(Move.RESUME)
        elif action == b"pause" and self.phase is Phase.RUNNING:
            self.pause(now)
        elif action == b"resume" and self.phase is Phase.PAUSED:
            self.resume(now)
        elif action == b"cancel" and self._job is not None:
            self.stop(now, "cancelled at the machine")
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

    _greeted_as = Connected(None)

    def _unanswered(self, event: Unanswered, now: float) -> None:
        if self._try_another_baud(now):
            return
        if self.phase is Phase.BROKEN:
            self._let_go()  # silent for now; it is heard again after a reset
        else:
            self._nobody(event.reason, now)

    # ---- the ends of errands

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

    def _located(self, now: float) -> None:
        job = self._job
        if job is None or self.phase is not Phase.PAUSING:
            return
        parking, thermometer = self._settings.parking, self._readings.thermometer
        position = pausing.position_of(self._readings.position, job.motion)
        lift = pausing.highest_lift(parking, position.get("Z"), self._settings.work_area)
        self._stood = Standstill(
            position, job.motion, thermometer.hot_targets, thermometer.can_extrude, lift
        )
        aside = pausing.aside(self._stood, parking)
        self._errands.add(aside, Errand.PARK)
        if not aside:
            self._parked(now)

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

    _DONE: Mapping[Errand, Callable[[Session, float], None]] = {
        Errand.CONNECT: _connect,
        Errand.POLL: _polled,
        Errand.LOCATE: _located,
        Errand.PARK: _parked,
        Errand.FINISH: _finished,
        Errand.MAKE_SAFE: _made_safe,
    }

    def _heaters_off(self) -> list[bytes]:
        thermometer = self._readings.thermometer
        return safety.heaters_off(thermometer.tools, chamber=thermometer.has_chamber)

    @property
    def _reports_by_itself(self) -> bool:
        return "AUTOREPORT_TEMP" in self._greeted_as.capabilities

    def _fill(self, now: float) -> None:
        """Say as much as the link takes."""
        link = self._connection.link
        if link is None:
            return
        job = self._job if self.phase is Phase.RUNNING else None
        self._speech.fill(link, job, now, may_poll=self._connected is not None)
        if job is not None and job.is_over and job.unreadable and self.phase is Phase.RUNNING:
            self.stop(now)

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

    def _report_progress(self, job: Job, now: float) -> None:
        self._progress_at = now
        link = self._connection.link
        if link is not None and job.has_moved():
            job.count(link.bytes_sent, link.resends)
            self._events.append(job.progress())
