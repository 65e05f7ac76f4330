"""A stand-in in a process of its own: started, waited for, ended. For tests and benchmarks."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from fabctl_sim.control import SimControl, SimError

START_TIMEOUT_S = 20.0
END_TIMEOUT_S = 10.0


class SimProcess:
    """``python -m fabctl_sim.marlin`` (or ``.grbl``): port at ``folder/NAME``, socket beside it.

    :param folder: where the link and the socket go; its path stays under 90 bytes, because a
        Unix socket's may not be longer than 107.
    :param options: further words for the command line.
    :param controller: ``marlin`` or ``grbl``.
    """

    def __init__(
        self, folder: Path, *options: str, name: str = "ttyFAB0", controller: str = "marlin"
    ) -> None:
        self.port = folder / name
        self.socket = folder / f"{name}.sock"
        self._module = f"fabctl_sim.{controller}"
        self._options: Sequence[str] = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process.

        :raises SimError: it was not started.
        """
        if self._process is None:
            raise SimError("the stand-in was not started")
        return self._process.pid

    def start(self) -> Self:
        """Start it and wait until port and socket are there.

        :raises SimError: it ended at once, or is not there in time.
        """
        self._process = subprocess.Popen(
            [sys.executable, "-m", self._module, *self._places(), *self._options]
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not (self.port.is_symlink() and self.socket.exists()):
            if self._process.poll() is not None:
                raise SimError(f"the stand-in ended with code {self._process.returncode}")
            if time.monotonic() > deadline:
                self.end()
                raise SimError(f"no {self.port} after {START_TIMEOUT_S} s")
            time.sleep(0.01)
        return self

    def _places(self) -> list[str]:
        return ["--link", str(self.port), "--control", str(self.socket)]

    def end(self) -> int:
        """End it as a service manager would (SIGTERM) and return its exit code."""
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            return self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def control(self) -> SimControl:
        """Return a new connection to its control socket."""
        return SimControl(self.socket)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()
