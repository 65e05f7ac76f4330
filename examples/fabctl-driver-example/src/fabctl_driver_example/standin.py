"""A plotter that is not there: what ``fabctl driver-check example`` tries the driver with.

It shares nothing with the driver: a mistake in one of them shows.
"""

from __future__ import annotations

import os
import re
import select
import threading
import tty
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

SECONDS_A_MOVE = 0.05
_LINE = re.compile(r"(\d+):(\S.*)")
_KNOWN = re.compile(r"G[01]\b|G2[01]\b|G90\b|M[35]\b")


class Plotter:
    """Answers on a pseudo-terminal, from a thread of its own."""

    baud = 9600
    kind = "laser"
    options: Mapping[str, str | int | float | bool] = {}
    job = "G21\nG90\n; a square\nM3 S1\n" + "G1 X20 F600\nG1 Y20\nG1 X0\nG1 Y0\n" * 8 + "M5\n"
    long_job = "G21\nM3 S1\n" + "".join(f"G1 X{n % 90} Y{n % 7} F600\n" for n in range(2000))
    gives_up_within_s = 10.0
    goes_on_alone = False

    def __init__(self) -> None:
        self._board, self._line = os.openpty()
        tty.setraw(self._line)
        self.port = os.ttyname(self._line)
        self._end_read, self._end_write = os.pipe()
        self._heard = b""
        self._pen = 0.0
        self.drawn: list[str] = []
        """Every move, in order."""
        self._thread = threading.Thread(target=self._run, name="plotter")
        self._thread.start()

    def outputs(self) -> Mapping[str, float]:
        """Return what is on; 0 is off."""
        return {"pen": self._pen}

    def rest(self) -> None:
        """Switch it off and on."""
        self._pen = 0.0

    def end(self) -> None:
        """End it."""
        os.write(self._end_write, b"x")
        self._thread.join()
        for descriptor in (self._board, self._line, self._end_read, self._end_write):
            os.close(descriptor)

    def _run(self) -> None:
        while self._hear(0.0 if b"\n" in self._heard else None):
            *lines, self._heard = self._heard.split(b"\n")
            for line in lines:
                self._answer(line.decode("ascii", "replace").strip())

    def _hear(self, seconds: float | None) -> bool:
        """Take in what was said; False when it is to end."""
        ready, _, _ = select.select([self._board, self._end_read], [], [], seconds)
        if self._board in ready:
            self._heard += os.read(self._board, 4096)
        return self._end_read not in ready

    def _answer(self, line: str) -> None:
        numbered = _LINE.fullmatch(line)
        if line == "ID":
            self._say("PLOTTER 1.0")
        elif line == "STOP":
            self._pen = 0.0
            self._say("STOPPED")
        elif numbered:
            self._say(self._done(*numbered.groups()))

    def _done(self, number: str, command: str) -> str:
        if not _KNOWN.match(command):
            return f"NO {number} unknown command {command}"
        if command.startswith(("M3", "M5")):
            self._pen = float(command.startswith("M3"))
        if command.startswith(("G0", "G1")):
            self.drawn.append(command)
            self._hear(SECONDS_A_MOVE)
        return f"OK {number}"

    def _say(self, text: str) -> None:
        os.write(self._board, text.encode() + b"\n")


@contextmanager
def plotter(folder: Path) -> Iterator[Plotter]:  # noqa: ARG001  # it needs no files
    """Give a plotter; the entry point of the group ``fabctl.driver_standins``."""
    one = Plotter()
    try:
        yield one
    finally:
        one.end()
