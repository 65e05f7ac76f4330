"""The driver of a plotter that answers every numbered line once it is done.

What is said: ``ID``, ``STOP`` (pen up, at rest), and ``7:G1 X20`` for line 7 of a file.
What it answers: ``PLOTTER 1.0`` (also when switched on), ``STOPPED``, ``OK 7``, ``NO 7 why``.
An answer names what it answers: so noise, or a lost answer, is not mistaken for another one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from fabctl.clock import Clock
from fabctl.errors import InputError, LocalError, PortLostError
from fabctl.ports import (
    Connected,
    DriverEvent,
    JobEnded,
    JobFile,
    JobProgress,
    MachineProfile,
    Outcome,
    Phase,
    PhaseChanged,
    Trouble,
)
from fabctl.units import Seconds
from fabctl_drivers.serial_port import SerialPort

ASK_AGAIN_S = 1.0
LINE_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 3.0
TELL_EVERY_S = 0.3
WITH_JOB = {Phase.RUNNING, Phase.PAUSING, Phase.PAUSED, Phase.STOPPING}


@dataclass
class Running:
    """The job under way."""

    job: JobFile
    file: TextIO
    commands: Iterator[tuple[int, str]]
    begun: float
    in_flight: int | None = None
    """Line in the file of the command that was not answered yet."""
    line: int = 0
    done: int = 0
    sent: int = 0
    told_at: float = 0.0


class PlotterDriver:
    """Fits :class:`fabctl.ports.Driver`; made by its entry point with a profile and a clock."""

    def __init__(self, profile: MachineProfile, clock: Clock) -> None:
        if profile.port is None:
            raise InputError("this driver needs a port", device=profile.id)
        self._url, self._baud, self._clock = profile.port, profile.baud, clock
        self._port: SerialPort | None = None
        self._phase = Phase.CLOSED
        self._events: list[DriverEvent] = []
        self._heard = b""
        self._job: Running | None = None
        self._due = math.inf
        self._woken = False
        self._in_doubt = False
        """A job was lost: nobody knows where the pen is, until a person looked."""

    @property
    def phase(self) -> Phase:
        """What the driver is doing now."""
        return self._phase

    @property
    def confirmed_line(self) -> int:
        """Line of the last confirmed command; 0 without a job."""
        return self._job.line if self._job else 0

    # ---- what fabctl asks

    def open(self) -> None:
        """Open the port; the first thing said makes the machine safe."""
        if self._port is not None:
            raise LocalError("the port is open already", device=self._url)
        self._port = SerialPort.open(self._url, self._baud)
        self._heard = b""
        self._change(Phase.CONNECTING)
        self._greet()

    def pump(self, timeout: Seconds) -> Sequence[DriverEvent]:
        """Read, decide, write; return what happened."""
        ends_at = self._clock.monotonic() + timeout
        while self._port is not None and not self._events:
            wait = min(ends_at, self._due) - self._clock.monotonic()
            self._listen(self._port, Seconds(max(0.0, wait)))
            self._go_on()
            if self._woken or self._clock.monotonic() >= ends_at:
                break
        self._woken = False
        events, self._events = self._events, []
        return events

    def wake(self) -> None:
        """End a waiting pump early, from any thread."""
        self._woken = True
        if (port := self._port) is not None:
            port.wake()

    def start(self, job: JobFile) -> None:
        """Begin a job."""
        if self._phase is not Phase.IDLE:
            raise LocalError(f"a job can start when the plotter is idle; it is {self._phase}")
        try:
            file = job.path.open(encoding="utf-8", errors="replace")
        except OSError as error:
            raise InputError(f"the file cannot be read: {error}", device=str(job.path)) from error
        self._job = Running(job, file, commands(file), self._clock.monotonic())
        self._change(Phase.RUNNING)

    def pause(self) -> None:
        """Send no more lines; paused once the last one is done."""
        if self._phase is Phase.RUNNING:
            self._change(Phase.PAUSING)
        elif self._phase not in {Phase.PAUSING, Phase.PAUSED}:
            raise LocalError("no job runs that could be paused", device=self._url)

    def resume(self) -> None:
        """Send lines again."""
        if self._phase is not Phase.PAUSED:
            raise LocalError("no job is paused", device=self._url)
        self._change(Phase.RUNNING)

    def stop(self) -> None:
        """Pen up and at rest; a job ends when the plotter has said so."""
        if self._job is not None and self._phase is not Phase.STOPPING:
            self._change(Phase.STOPPING)
            self._due = self._clock.monotonic() + STOP_TIMEOUT_S
        self._say("STOP")

    def say(self, line: str) -> None:
        """Refuse: this plotter has no terminal."""
        raise LocalError(f"this plotter takes no single lines, so not {line!r}", device=self._url)

    def clear(self) -> None:
        """A person looked: ask the plotter again who it is, then it may be used."""
        if self._port is None:
            raise LocalError("the port is not open", device=self._url)
        if self._phase is Phase.BROKEN:
            self._in_doubt = False
            self._change(Phase.CONNECTING)
            self._greet()

    def close(self) -> None:
        """Stop, listen for the answer for a moment, close the port."""
        self.stop()
        while self._port is not None and self._phase is Phase.STOPPING:
            self._listen(self._port, Seconds(0.1))
            self._go_on()
        if self._port is not None:
            self._port.close()
            self._port = None
            self._change(Phase.CLOSED)

    # ---- talking

    def _greet(self) -> None:
        self._say("STOP")
        self._say("ID")
        self._due = self._clock.monotonic() + ASK_AGAIN_S

    def _say(self, text: str) -> None:
        if self._port is not None:
            try:
                self._port.write(text.encode() + b"\n")
            except PortLostError as error:
                self._lose(error)

    def _listen(self, port: SerialPort, wait: Seconds) -> None:
        try:
            *lines, self._heard = (self._heard + port.read(wait)).split(b"\n")
        except PortLostError as error:
            self._lose(error)
            return
        for line in lines:
            self._take(line.decode("ascii", "replace").strip())

    def _take(self, line: str) -> None:
        """Take in one line; what is no answer to anything is noise."""
        run = self._job
        if line.startswith("PLOTTER "):
            self._introduced(line)
        elif line == "STOPPED" and self._phase is Phase.STOPPING:
            self._end(Outcome.STOPPED, Phase.IDLE)
        elif run is None or run.in_flight is None:
            return
        elif line == f"OK {run.in_flight}":
            self._confirmed(run)
        elif line.startswith(f"NO {run.in_flight} "):
            why = f"line {run.in_flight} was refused: {line.split(' ', 2)[2]}"
            self._say("STOP")
            self._end(Outcome.FAILED, Phase.IDLE, Trouble.LINE_REFUSED, why)

    def _introduced(self, line: str) -> None:
        if self._job is not None:
            why = "the plotter was switched off and on in the middle of the job"
            self._end(Outcome.FAILED, Phase.BROKEN, Trouble.CONTROLLER_RESET, why)
        elif self._phase is Phase.CONNECTING:
            self._due = math.inf
            self._events.append(Connected(firmware=line))
            why = "a job was lost; look where the pen is" if self._in_doubt else None
            self._change(Phase.BROKEN if self._in_doubt else Phase.IDLE, None, why)

    def _confirmed(self, run: Running) -> None:
        run.line, run.in_flight = run.in_flight or 0, None
        run.done += 1
        if self._phase is not Phase.STOPPING:
            self._due = math.inf
        now = self._clock.monotonic()
        if now - run.told_at >= TELL_EVERY_S:
            run.told_at = now
            self._events.append(JobProgress(run.job.id, run.line, run.done, 0))

    def _go_on(self) -> None:
        """Do what is due: the next command, or the end of waiting."""
        run, now = self._job, self._clock.monotonic()
        if run is not None and run.in_flight is None and self._phase is Phase.PAUSING:
            self._change(Phase.PAUSED)
        elif run is not None and run.in_flight is None and self._phase is Phase.RUNNING:
            self._next(run, now)
        elif now >= self._due and self._phase is Phase.CONNECTING:
            self._greet()
        elif now >= self._due and self._phase in WITH_JOB:
            why = "the plotter does not answer"
            self._end(Outcome.FAILED, Phase.BROKEN, Trouble.NO_ANSWER, why)

    def _next(self, run: Running, now: float) -> None:
        number, command = next(run.commands, (0, ""))
        if not command:
            self._end(Outcome.FINISHED, Phase.IDLE)
            return
        run.in_flight, self._due = number, now + LINE_TIMEOUT_S
        text = f"{number}:{command}"
        run.sent += len(text) + 1
        self._say(text)

    # ---- ends

    def _end(
        self, outcome: Outcome, phase: Phase, trouble: Trouble | None = None, why: str | None = None
    ) -> None:
        """End the job, if there is one: told once, whatever ended it."""
        run, self._job, self._due = self._job, None, math.inf
        if run is not None:
            run.file.close()
            seconds = Seconds(self._clock.monotonic() - run.begun)
            figures = (run.line, run.done, run.sent, 0, seconds)
            self._events.append(JobEnded(run.job.id, outcome, *figures, trouble, why))
        self._in_doubt = self._in_doubt or phase is Phase.BROKEN
        self._change(phase, trouble, why)

    def _lose(self, error: PortLostError) -> None:
        """The cable is out: a job has failed, and where the pen is nobody knows."""
        if self._port is not None:
            self._port.close()
        self._port = None
        self._in_doubt = self._in_doubt or self._job is not None
        self._end(Outcome.FAILED, Phase.CLOSED, Trouble.CABLE_LOST, error.what)

    def _change(self, phase: Phase, trouble: Trouble | None = None, why: str | None = None) -> None:
        self._phase = phase
        self._events.append(PhaseChanged(phase, trouble, why))


def commands(lines: TextIO) -> Iterator[tuple[int, str]]:
    """Yield each command with its line's number; comments and blanks are left out."""
    for number, line in enumerate(lines, 1):
        command = line.partition(";")[0].strip()
        if command:
            yield number, command
