"""An interlock's daemon and its cabinet as two real processes: their lives, and what they tell."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fabctl.commands.interlock_line import InterlockLine
from fabctl.config import LabConfig
from fabctl.errors import DeviceError, FabError
from fabctl.interlock import InterlockProfile
from fabctl_sim.control import SimError
from fabctl_sim.interlock_box.process import CabinetProcess

PATIENCE_S = 20.0
STAMPED_LATE_S = 0.05
"""The cabinet stamps an act once its pin shows it; the daemon may see it a little earlier."""
State = dict[str, Any]


def until(holds: Callable[[], Any], what: str, within_s: float = PATIENCE_S) -> Any:
    """Return the first truthy answer; fail with ``what`` when none comes in time."""
    end = time.monotonic() + within_s
    while not (found := holds()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {within_s:g} s: {what}; last: {found!r}")
        time.sleep(0.005)
    return found


@dataclass
class BothProcesses:
    """The daemon and the cabinet: their lives, what they say, what they were kept from."""

    config: LabConfig
    profile: InterlockProfile
    cabinet: CabinetProcess
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    command: tuple[str, ...] = ()
    """Instead of ``fabctl interlock laser``."""
    first_event: int = 1
    """Of the cabinet's events, those from this number on count; a test may share a cabinet."""
    missed: dict[str, int] = field(default_factory=dict)
    """Scans that were missed, by the daemon's boots, as it said last."""
    late_turns: int = 0
    """Of the cabinet's loop, as it said last."""

    # -- the daemon as a process -----------------------------------------------------------------

    @property
    def log(self) -> Path:
        """What it wrote."""
        return self.config.file.with_name("daemon.log")

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Start the daemon and wait until it answers."""
        words = ("-m", "fabctl", "interlock", "laser", "--config", str(self.config.file))
        command = self.command or (sys.executable, *words)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, **self.environment}
            )
        until(self.answers, f"the daemon answers; it said: {self.log.read_text()}")

    def answers(self) -> bool:
        """Say whether the daemon tells a state."""
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            self.state()
        except DeviceError:
            return False
        return True

    def send(self, signum: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, signum)

    def end(self, signum: signal.Signals = signal.SIGTERM) -> int:
        """End it and return its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signum)
        return self.process.wait(PATIENCE_S)

    def cabinet_is_hardware(self) -> bool:
        """Let the cabinet go before every program, as relays do; say whether that is allowed."""
        try:
            os.sched_setscheduler(self.cabinet.pid, os.SCHED_FIFO, os.sched_param(50))
        except PermissionError:
            return False
        return True

    # -- what is said ----------------------------------------------------------------------------

    def line(self) -> InterlockLine:
        """Return a new connection."""
        return InterlockLine(self.profile.socket)

    def state(self) -> State:
        """Return the present state."""
        with self.line() as line:
            state = line.state()
        self.missed[state["boot"]] = state["overruns"]
        return state

    def wait(self, what: str, holds: Callable[[State], Any], within_s: float = PATIENCE_S) -> State:
        """Return the first state for which something holds."""
        with self.line() as line:
            now = line.state()
            if holds(now):
                return now
            found = line.wait(lambda words: "state" in words and bool(holds(words)), within_s)
            self.missed[now["boot"]] = (found or line.state())["overruns"]
            assert found is not None, f"not within {within_s:g} s: {what}; now: {line.state()}"
            return found

    def wait_for(self, state: str, within_s: float = PATIENCE_S) -> State:
        """Wait for a state by its name."""
        return self.wait(state, lambda words: words["state"] == state, within_s)

    def say(self, message: State) -> State:
        """Send one message and return its answer."""
        with self.line() as line:
            line.say(message)
            answer = line.wait(lambda words: "state" not in words)
            assert answer is not None
            return answer

    # -- what the relays did, and what is on record ------------------------------------------------

    def powered(self) -> bool:
        """Say whether the machine has its power: both main contacts are closed."""
        status = self.cabinet.status()
        self.late_turns = status["late_turns"]
        return bool(status["powered"])

    def moves(self, relay: str, *, closed: bool) -> list[float]:
        """Return when a relay's main contact closed, or opened; monotonic, s."""
        return [
            float(event["t"])
            for event in self.cabinet.events(self.first_event)
            if event["kind"] == "contact"
            and (event["relay"], event["contact"], event["closed"]) == (relay, "main", closed)
        ]

    def off_after(self, seconds: float, relay: str) -> float:
        """Return when a relay's contact opened after an instant; it must."""

        def opened() -> float | None:
            moves = self.moves(relay, closed=False)
            return next((at for at in moves if at >= seconds - STAMPED_LATE_S), None)

        return float(until(opened, f"{relay} opens"))

    def record(self) -> list[dict[str, Any]]:
        """Return what is on record."""
        lines = self.profile.record.read_text().splitlines()
        return [json.loads(line) for line in lines]

    def hitches(self) -> int:
        """Return how often the daemon or the cabinet was kept waiting; it only grows.

        Two scans missed at once make a gap of 30 ms, from which on the daemon judges otherwise.
        """
        with suppress(FabError, OSError):
            self.state()
        with suppress(SimError, OSError):
            self.powered()
        lines = self.profile.record.read_text().splitlines() if self.profile.record.exists() else []
        for line in lines:
            if told := re.search(r'"boot": "(\w+)".*"why": "(\d+) scans missed', line):
                self.missed[told[1]] = int(told[2])
        stalls = sum("scan-stalled" in line for line in lines)
        return stalls + sum(missed // 2 for missed in self.missed.values()) + self.late_turns
