"""A machine that follows a script: the whole driver protocol, without firmware.

The port is the path of a file that stands for the cable: without the file the port cannot be
opened, and a job whose file goes away has lost its cable. Everything "sent" is appended to
``<port>.sent``. Beside it, files that a test makes stand for what happens to the machine:
``<port>.halt`` (the firmware halts), ``<port>.pressed`` (somebody pressed the button after M0),
``<port>.bug`` (the driver has a mistake), ``<port>.deaf`` (a stop is never confirmed),
``<port>.unwilling`` (it refuses to pause), ``<port>.rests`` (it pauses by itself).

Option ``lines_per_s``: how fast lines are confirmed; 0: up to the line number that a test writes
into ``<port>.go``. Option ``wait_s``: how long a pump waits at most for nothing.
"""

from __future__ import annotations

import os
import select
from collections.abc import Sequence
from pathlib import Path

from fabctl.clock import Clock
from fabctl.errors import DeviceError, InputError, LocalError
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
    Telemetry,
    Trouble,
    WaitingForPerson,
)
from fabctl.units import Seconds


class ScriptedDriver:
    """See the module."""

    def __init__(self, profile: MachineProfile, clock: Clock) -> None:
        if profile.port is None:
            raise InputError("the scripted driver needs a port", device=profile.id)
        self._cable = Path(profile.port)
        self._clock = clock
        self._lines_per_s = float(profile.options.get("lines_per_s", 100.0))
        self._wait_s = float(profile.options.get("wait_s", 0.02))
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._phase = Phase.CLOSED
        self._events: list[DriverEvent] = []
        self._job: JobFile | None = None
        self._lines: list[bytes] = []
        self._line = 0
        self._commands = 0
        self._due = 0.0
        self._then = Seconds(0.0)
        self._began = Seconds(0.0)
        self._waits = False

    @property
    def phase(self) -> Phase:
        return self._phase

    @property
    def confirmed_line(self) -> int:
        return self._line

    def open(self) -> None:
        if not self._cable.exists():
            raise DeviceError("no such port", device=str(self._cable))
        self._sent("heaters off")
        self._go(Phase.CONNECTING)

    def pump(self, timeout: Seconds) -> Sequence[DriverEvent]:
        if self._file("bug").exists():
            raise ZeroDivisionError("a mistake in a driver")
        self._react()
        if not self._events:
            self._pause_for(timeout)
            self._react()
        events, self._events = self._events, []
        return events

    def wake(self) -> None:
        os.eventfd_write(self._wake, 1)

    def start(self, job: JobFile) -> None:
        if self._phase is not Phase.IDLE:
            raise LocalError(f"a job can only start from idle, not from {self._phase}")
        self._lines = job.path.read_bytes().splitlines()
        self._job, self._line, self._commands, self._due = job, 0, 0, 0.0
        self._began = self._then = self._clock.monotonic()
        self._sent(f"start {job.name}")
        self._go(Phase.RUNNING)

    def pause(self) -> None:
        if self._job is None:
            raise LocalError("no job runs")
        if self._file("unwilling").exists():
            raise LocalError("it cannot pause now")
        if self._phase is Phase.RUNNING:
            self._go(Phase.PAUSED)

    def resume(self) -> None:
        if self._phase is not Phase.PAUSED:
            raise LocalError("no job is paused")
        self._then = self._clock.monotonic()
        self._go(Phase.RUNNING)

    def stop(self) -> None:
        self._sent("heaters off")
        if self._job is not None and not self._file("deaf").exists():
            self._end(Outcome.STOPPED)
            self._go(Phase.IDLE)

    def clear(self) -> None:
        if self._phase is not Phase.BROKEN:
            raise LocalError("nothing is broken")
        if self._file("halt").exists():
            raise LocalError("the firmware does not answer")
        self._go(Phase.IDLE)

    def say(self, line: str) -> None:
        self._sent(line)

    def close(self) -> None:
        if self._phase is not Phase.CLOSED and self._cable.exists():
            self._sent("heaters off")
        self._phase = Phase.CLOSED

    # -- the script ------------------------------------------------------------------------------

    def _react(self) -> None:
        if self._phase is Phase.CLOSED:
            return
        if not self._cable.exists():
            self._fail(Phase.CLOSED, Trouble.CABLE_LOST, "The cable was pulled.")
        elif self._phase is Phase.BROKEN:
            return
        elif self._file("halt").exists():
            self._fail(Phase.BROKEN, Trouble.FIRMWARE_HALTED, "The firmware halted.")
        elif self._phase is Phase.CONNECTING:
            self._events.append(Connected("Scripted 1.0"))
            self._events.append(Telemetry("temperatures", {"nozzle_c": 21.5, "bed_c": None}))
            self._go(Phase.IDLE)
        elif self._phase is Phase.RUNNING and self._file("rests").exists():
            self._go(Phase.PAUSED)
        elif self._phase is Phase.RUNNING:
            self._run()

    def _run(self) -> None:
        job = self._job
        assert job is not None
        for _ in range(self._lines_due()):
            if self._line >= len(self._lines):
                break
            if not self._confirm(self._lines[self._line]):
                return
        self._events.append(JobProgress(job.id, self._line, self._commands, 0))
        if self._line >= len(self._lines):
            self._end(Outcome.FINISHED)
            self._go(Phase.IDLE)

    def _lines_due(self) -> int:
        if self._lines_per_s == 0:
            go = self._file("go")
            return int(go.read_text()) - self._line if go.exists() else 0
        now = self._clock.monotonic()
        self._due += (now - self._then) * self._lines_per_s
        self._then = now
        whole = int(self._due)
        self._due -= whole
        return whole

    def _confirm(self, line: bytes) -> bool:
        command = line.split(b";")[0].strip()
        if command == b"M0" and not self._file("pressed").exists():
            if not self._waits:
                self._waits = True
                self._events.append(WaitingForPerson("Change the filament"))
            return False
        self._waits = False
        self._line += 1
        if command:
            self._commands += 1
            self._sent(command.decode())
        return True

    def _fail(self, phase: Phase, trouble: Trouble, reason: str) -> None:
        if self._job is not None:
            self._end(Outcome.FAILED, trouble, reason)
        self._go(phase, trouble, reason)

    def _end(
        self, outcome: Outcome, trouble: Trouble | None = None, reason: str | None = None
    ) -> None:
        assert self._job is not None
        seconds = Seconds(self._clock.monotonic() - self._began)
        self._events.append(
            JobEnded(
                self._job.id, outcome, self._line, self._commands, 0, 0, seconds, trouble, reason
            )
        )
        self._job = None

    def _go(self, phase: Phase, trouble: Trouble | None = None, reason: str | None = None) -> None:
        self._phase = phase
        self._events.append(PhaseChanged(phase, trouble, reason))

    def _pause_for(self, timeout: float) -> None:
        """Wait as a driver waits on its port, but never long: the files are not a port."""
        readable, _, _ = select.select([self._wake], [], [], min(timeout, self._wait_s))
        if readable:
            os.eventfd_read(self._wake)

    def _file(self, name: str) -> Path:
        return self._cable.with_name(f"{self._cable.name}.{name}")

    def _sent(self, line: str) -> None:
        with self._file("sent").open("a") as file:
            file.write(f"{line}\n")
