"""A printer in simulated time: the driver's pure session, a cable, the stand-in's core, no port.

The stand-in keeps its own record of every job, as somebody would who stands beside it with a watch.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from fabctl.clock import Clock
from fabctl.errors import DeviceError
from fabctl.ports import DriverEvent, JobFile, MachineProfile, Phase
from fabctl.units import Seconds
from fabctl_drivers.marlin.frames import commands
from fabctl_drivers.marlin.session import Session
from fabctl_drivers.marlin.settings import settings_of
from fabctl_drivers.serial_driver import raw_lines
from fabctl_sim.cable import Cable
from fabctl_sim.marlin.board import Board
from fabctl_sim.marlin.firmware import Firmware
from fabctl_sim.marlin.words import Command

OF_A_JOB = re.compile(r"G1 X\S+ (Y\S+ )?E")
"""A job's moves: both ways and extruding, as none of the driver's own are."""


@dataclass
class Witnessed:
    """What the stand-in did of one job."""

    began_at: float
    """By the monotonic clock, s: when the driver began to send."""
    moves: int = 0
    """Of the job, that it ran."""
    ended_at: float = 0.0
    """When it came to what the driver asks after the last move, s."""


class SimulatedPrinter:
    """A driver for a machine's host, and the machine itself."""

    def __init__(self, profile: MachineProfile, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._session = Session(settings_of(profile))
        self.firmware = Firmware(Board(boot_s=0.1), seed=seed, record=self._ran)
        self._cable = Cable(self.firmware, seed)
        self._events: list[DriverEvent] = []
        self._is_open = False
        self.plugged = True
        self.witnessed: dict[str, Witnessed] = {}
        self._job: str | None = None
        self._at_rest = False

    # -- what a test does -------------------------------------------------------------------------

    @property
    def due(self) -> float:
        """When something happens next, on the monotonic clock."""
        if not self._is_open:
            return math.inf
        return min(self._cable.next_due(), self._session.deadline)

    def work(self) -> bool:
        """Let happen what is due by now; say whether there is something to tell."""
        now = self._clock.monotonic()
        if self._is_open and not self.plugged:
            self._is_open = False
            self._session.port_lost("The cable was pulled.", now)
        elif self._is_open:
            self._exchange(now)
        self._events += self._session.take_events()
        return bool(self._events)

    def _exchange(self, now: float) -> None:
        self._write(now)
        self._session.look_ahead()
        self._cable.advance(now)
        if data := self._cable.take_output(now):
            self._session.receive(data, now)
        if now >= self._session.deadline:
            self._session.tick(now)
        self._write(now)

    def _write(self, now: float) -> None:
        if out := self._session.take_output():
            self._cable.receive(out, now)

    def _ran(self, command: Command) -> None:
        if self._job is None:
            return
        seen = self.witnessed[self._job]
        if command.text == "M400":
            self._at_rest = True
        elif command.text == "M105" and self._at_rest:
            seen.ended_at, self._at_rest = self.firmware.machine.clock, False
        elif OF_A_JOB.match(command.text):
            seen.moves += 1

    # -- the driver -------------------------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        """What the driver is doing now."""
        return self._session.phase

    @property
    def confirmed_line(self) -> int:
        """Line in the file of the running job's last confirmed command."""
        return self._session.confirmed_line

    def open(self) -> None:
        """Open. :raises DeviceError: the cable is not in."""
        if not self.plugged:
            raise DeviceError("no such port")
        self._is_open = True
        self._session.opened(self._clock.monotonic())

    def pump(self, timeout: Seconds) -> Sequence[DriverEvent]:  # noqa: ARG002  # time is passed in
        """Return what happened by now."""
        self.work()
        events, self._events = self._events, []
        return events

    def wake(self) -> None:
        """Nobody waits here."""

    def start(self, job: JobFile) -> None:
        """Begin a job."""
        now = self._clock.monotonic()
        self._session.start(job, commands(raw_lines(job.path)), now)
        self._job = job.id
        self.witnessed[job.id] = Witnessed(now)

    def pause(self) -> None:
        """Pause the running job."""
        self._session.pause(self._clock.monotonic())

    def resume(self) -> None:
        """Go on."""
        self._session.resume(self._clock.monotonic())

    def stop(self) -> None:
        """End the job."""
        self._session.stop(self._clock.monotonic())

    def say(self, line: str) -> None:
        """Nobody types here."""
        raise NotImplementedError(line)

    def clear(self) -> None:
        """A person looked."""
        self._session.clear(self._clock.monotonic())

    def close(self) -> None:
        """Let go of the port."""
        self._is_open = False
        self._session.closed(self._clock.monotonic())
