"""A cabinet in a process of its own: started, waited for, ended. For tests and benchmarks."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fabctl_sim.control import SimControl, SimError

START_TIMEOUT_S = 20.0
END_TIMEOUT_S = 10.0


class CabinetProcess:
    """``python -m fabctl_sim.interlock_box``.

    :param file: the pins.
    :param socket: the control socket; by default beside the file, as ``<file>.sock``.
    :param options: further words for the command line.
    """

    def __init__(self, file: Path, *options: str, socket: Path | None = None) -> None:
        self.file = file
        self.socket = socket or file.with_name(f"{file.name}.sock")
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._control: SimControl | None = None

    @property
    def pid(self) -> int:
        """The process.

        :raises SimError: it was not started.
        """
        if self._process is None:
            raise SimError("the cabinet was not started")
        return self._process.pid

    def start(self) -> Self:
        """Start it and wait until it answers.

        :raises SimError: it ended at once, or is not there in time.
        """
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "fabctl_sim.interlock_box"),
                *("--file", str(self.file), "--control", str(self.socket)),
                *self._options,
            ]
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while self._control is None:
            if self._process.poll() is not None:
                raise SimError(f"the cabinet ended with code {self._process.returncode}")
            if time.monotonic() > deadline:
                self.end()
                raise SimError(f"no {self.socket} after {START_TIMEOUT_S} s")
            try:
                self._control = SimControl(self.socket)
            except SimError:
                time.sleep(0.01)  # not there yet
        return self

    def ask(self, command: str, **details: object) -> dict[str, Any]:
        """Do one act or switch on one fault, and return how everything stands then.

        :raises SimError: it was refused, or the cabinet has ended.
        """
        if self._control is None:
            raise SimError("the cabinet was not started")
        return self._control.ask(command, **details)

    def status(self) -> dict[str, Any]:
        """Return inputs, lines, contacts, faults, counts, the loop's own figures."""
        return self.ask("status")

    def events(self, start: int = 1) -> list[dict[str, Any]]:
        """Return what happened, from event number ``start`` on: n, t (monotonic, s), kind, ..."""
        events: list[dict[str, Any]] = self.ask("log", start=start)["events"]
        return events

    def control(self) -> SimControl:
        """Return a further connection, for ``watch``."""
        return SimControl(self.socket)

    def end(self) -> int:
        """End it as a service manager would (SIGTERM) and return its exit code."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            return self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()
