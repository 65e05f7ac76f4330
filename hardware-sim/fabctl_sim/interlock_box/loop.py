"""The cabinet's loop: looks at the pins every ms while a relay is on, at its socket always."""

from __future__ import annotations

import os
import select
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

from fabctl_sim.control import ControlServer
from fabctl_sim.interlock_box.cabinet import Cabinet
from fabctl_sim.interlock_box.panel import Panel

_LOOK_S = 0.001
_LOOK_QUIET_S = 0.004
_LATE_S = 0.020
"""A turn that comes so much later than planned is counted: figures with it are not the
controller's."""


class Loop:
    """Runs one cabinet in one thread."""

    def __init__(self, cabinet: Cabinet, panel: Panel, control: Path) -> None:
        self.cabinet = cabinet
        self._panel = panel
        cabinet.memory.beat(time.monotonic_ns())  # whoever finds the socket finds it alive
        self._control = ControlServer(control, self._answer)
        cabinet.journal.listener = self._control.tell
        self._ending = False
        self._late = 0
        self._latest_s = 0.0
        self._turns = 0
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)

    def run(self) -> None:
        """Run until a signal ends it; the file stays, its beat stops."""
        try:
            while not self._ending:
                self._turn()
        finally:
            self.cabinet.memory.beat(0)
            self._control.close()

    def _turn(self) -> None:
        now = time.monotonic()
        self.cabinet.memory.beat(time.monotonic_ns())
        self.cabinet.advance(now)
        self._turns += 1
        longest = _LOOK_QUIET_S if self.cabinet.quiet else _LOOK_S
        wait = min(longest, max(0.0, self.cabinet.next_due() - now))
        reading, writing = self._control.descriptors()
        readable, writable, _ = select.select(reading, writing, [], wait)
        if readable or writable:
            self._control.serve(readable, writable)
        late = time.monotonic() - now - wait
        if late > _LATE_S:
            self._late += 1
        self._latest_s = max(late, self._latest_s)

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        answer = self._panel.answer(request)
        if "events" in answer and isinstance(answer["events"], list):
            return answer
        times = os.times()
        return {
            **answer,
            "t": time.monotonic(),
            "pid": os.getpid(),
            "turns": self._turns,
            "late_turns": self._late,
            "latest_s": self._latest_s,
            "cpu_s": times.user + times.system,
        }

    def _end(self, _signal: int, _frame: FrameType | None) -> None:
        self._ending = True
