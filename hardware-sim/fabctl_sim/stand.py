"""The loop that joins a core, a port, a control socket and the clock in one thread."""

from __future__ import annotations

import math
import os
import select
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

from fabctl_sim.control import Answerer, ControlServer
from fabctl_sim.core import Core
from fabctl_sim.pace import Pace
from fabctl_sim.pty_port import PtyPort

_LOOK_EVERY_S = 0.05
"""How often to look for a host while nobody has the port open: nothing wakes us for that."""

_FULL = 4096
"""Bytes under way to the board at which we stop reading, as an adapter's buffer would."""

_JUMPS = 200
"""How many events to run at once with an infinite factor before looking at the host again."""


class Stand:
    """Runs one stand-in until it is told to end, or until SIGTERM or SIGINT.

    :param core: the controller.
    :param reset_on_open: whether opening the port resets the board, as on an Arduino.
    """

    def __init__(
        self, core: Core, port: PtyPort, pace: Pace, *, reset_on_open: bool = True
    ) -> None:
        self.core = core
        self.port = port
        self.pace = pace
        self.reset_on_open = reset_on_open
        self.control: ControlServer | None = None
        self.ending = False
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        core.host_rate = pace.host_rate
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.end)

    def listen(self, path: Path, answer: Answerer) -> None:
        """Open the control socket."""
        self.control = ControlServer(path, answer)

    def now(self) -> float:
        """Return the simulated time."""
        return self.pace.simulated(time.monotonic())

    def tell(self, kind: str, details: dict[str, Any]) -> None:
        """Send an event to everybody who watches."""
        if self.control:
            self.control.tell({"t": time.monotonic(), "kind": kind, **details})

    def unplug(self) -> None:
        """Pull the cable."""
        self.port.unplug()
        self.tell("port", {"plugged": False, "open": False})

    def plug(self, *, reset: bool) -> None:
        """Put it back."""
        self.port.plug()
        if reset:
            self.core.reset(self.now())
        self.tell("port", {"plugged": True, "open": False})

    def change_factor(self, factor: float) -> None:
        """Run at another speed from here on."""
        self.pace.change(factor, time.monotonic())
        self.core.host_rate = self.pace.host_rate

    def end(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """End the loop; safe in a signal handler."""
        self.ending = True
        os.write(self._wake_write, b"x")

    def run(self) -> None:
        """Run until told to end, then remove the link and the socket."""
        try:
            self.port.plug()
            while not self.ending:
                self._turn()
        finally:
            self.port.unplug()
            if self.control:
                self.control.close()
            os.close(self._wake_read)
            os.close(self._wake_write)

    def _turn(self) -> None:
        self._look_at_port()
        self._run_core()
        reading, writing = self._descriptors()
        readable, writable, _ = select.select(reading, writing, [], self._patience())
        if self.control:
            self.control.serve(readable, writable)
        if self.port.plugged and self.port.fileno() in readable:
            self._look_at_port()
            self.core.receive(self.port.read(), self.now())

    def _look_at_port(self) -> None:
        opened = self.port.look()
        if opened is None:
            return
        if opened and self.reset_on_open:
            self.core.reset(self.now())
        self.tell("port", {"plugged": self.port.plugged, "open": opened})

    def _run_core(self) -> None:
        self._deliver()
        if self.pace.instant:
            self._skip_waiting()

    def _deliver(self) -> None:
        now = self.now()
        self.core.advance(now)
        out = self.core.take_output(now)
        if out or self.port.unsent:
            self.port.write(out)

    def _skip_waiting(self) -> None:
        """Jump from event to event while there is work, but let the host have its turn."""
        for _ in range(_JUMPS):
            due = self.core.next_due()
            if math.isinf(due) or not self.core.at_work:
                return
            self.pace.jump(due, time.monotonic())
            self._deliver()

    def _descriptors(self) -> tuple[list[int], list[int]]:
        reading, writing = self.control.descriptors() if self.control else ([], [])
        reading.append(self._wake_read)
        if self.port.held:
            if self.core.backlog(self.now()) < _FULL:
                reading.append(self.port.fileno())
            if self.port.unsent:
                writing.append(self.port.fileno())
        return reading, writing

    def _patience(self) -> float | None:
        """Seconds until something is due; None when only the outside can wake us."""
        due = self.core.next_due()
        seconds = math.inf
        if not math.isinf(due):
            seconds = self.pace.real_seconds_until(due, time.monotonic())
        if self.pace.instant and self.core.at_work:
            seconds = 0.0
        if self.port.plugged and not self.port.held:
            seconds = min(seconds, _LOOK_EVERY_S)
        return None if math.isinf(seconds) else seconds
