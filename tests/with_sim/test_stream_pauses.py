"""Pauses under ``fabctl stream``: said, counted, and gone on from; with keys, signals, options."""

from __future__ import annotations

import errno
import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fabctl_sim.process import SimProcess

PATIENCE_S = 60.0
MOVES = "G21\nG90\n" + "".join(f"G1 X{n % 50} F1500\n" for n in range(1, 40))


@pytest.fixture
def sim() -> Iterator[SimProcess]:
    with (
        tempfile.TemporaryDirectory(prefix="pse") as folder,
        SimProcess(Path(folder), "--boot", "0.2", controller="grbl") as started,
    ):
        yield started


def command(sim: SimProcess, content: str, *words: str) -> list[str]:
    file = sim.port.parent / "cut.nc"
    file.write_text(content)
    base = [sys.executable, "-m", "fabctl", "stream", str(file), "--driver", "grbl"]
    return [*base, "--port", str(sim.port), "--json", *words]


def until(sim: SimProcess, state: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    with sim.control() as control:
        while control.status()["state"] != state:
            assert time.monotonic() < deadline, (state, control.status()["state"])
            time.sleep(0.02)


def press(sim: SimProcess, *, hold: bool) -> None:
    with sim.control() as control:
        control.inject("hold", on=hold)


def said(process: subprocess.Popen[str], piece: str) -> str:
    """Read what the process says until a line holds this piece."""
    assert process.stderr is not None
    for line in process.stderr:
        if piece in line:
            return line
    raise AssertionError(f"never said: {piece}")


def result(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, _ = process.communicate(timeout=PATIENCE_S)
    found = json.loads(out)
    assert isinstance(found, dict)
    return found


def start(words: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_hold_that_nobody_asked_for_is_said_and_a_signal_goes_on(sim: SimProcess) -> None:
    with start(command(sim, MOVES)) as process:
        until(sim, "Run")
        press(sim, hold=True)
        line = said(process, "paused: ")
        assert "in feed hold and nobody here asked for it" in line
        assert f"kill -USR1 {process.pid}" in line
        until(sim, "Hold:0")
        process.send_signal(signal.SIGUSR1)
        said(process, "running again")
        found = result(process)
    assert (found["outcome"], found["lines"], found["pauses"]) == ("finished", 41, 1)
    assert "a damaged byte" in found["pause_reasons"][0]


def test_the_button_at_the_machine_goes_on_too(sim: SimProcess) -> None:
    with start(command(sim, MOVES)) as process:
        until(sim, "Run")
        press(sim, hold=True)
        said(process, "paused: ")
        press(sim, hold=False)
        said(process, "running again")
        assert result(process)["outcome"] == "finished"


def test_on_hold_resume_goes_on_by_itself(sim: SimProcess) -> None:
    with start(command(sim, MOVES, "--on-hold", "resume")) as process:
        until(sim, "Run")
        press(sim, hold=True)
        said(process, "going on by itself")
        found = result(process)
    assert (found["outcome"], found["pauses"]) == ("finished", 1)


def test_on_hold_resume_leaves_a_door_to_a_person(sim: SimProcess) -> None:
    with start(command(sim, MOVES, "--on-hold", "resume")) as process:
        until(sim, "Run")
        with sim.control() as control:
            control.inject("door", open=True)
            said(process, "paused: the safety door is open")
            control.inject("door", open=False)
        said(process, "closed again")
        time.sleep(1.5)  # longer than it would take to go on
        with sim.control() as control:
            assert control.status()["state"] == "Door:0"
        process.send_signal(signal.SIGUSR1)
        said(process, "running again")
        assert result(process)["outcome"] == "finished"


def test_m0_without_a_terminal_says_what_to_do(sim: SimProcess) -> None:
    with start(
        command(sim, "G0 X1\nM0 (turn the part)\nG0 X2\n", "--on-hold", "resume")
    ) as process:
        line = said(process, "waits for you: turn the part")
        assert "kill -USR1" in line
        process.send_signal(signal.SIGUSR1)
        found = result(process)
    assert (found["outcome"], found["pauses"]) == ("finished", 1)
    assert "the machine waits for you: turn the part" in found["pause_reasons"]


class Terminal:
    """A person's terminal around a process."""

    def __init__(self, words: list[str]) -> None:
        self.ours, self._theirs = pty.openpty()
        self.before = termios.tcgetattr(self._theirs)
        self.shown = b""
        self.process = subprocess.Popen(
            [sys.executable, "-c", _IN_FRONT, *words],
            stdin=self._theirs, stderr=self._theirs, stdout=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        os.set_blocking(self.ours, False)

    def until(self, piece: bytes) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while piece not in self.shown:
            assert time.monotonic() < deadline, self.shown
            self._read()

    def _read(self) -> None:
        try:
            self.shown += os.read(self.ours, 65536)
        except BlockingIOError:
            time.sleep(0.01)
        except OSError as error:
            if error.errno != errno.EIO:
                raise

    def finish(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.shown
            self._read()
        assert self.process.stdout is not None
        with self.process.stdout:
            found = json.loads(self.process.stdout.read())
        assert termios.tcgetattr(self._theirs)[3] == self.before[3], "left as it was found"
        os.close(self._theirs)
        os.close(self.ours)
        assert isinstance(found, dict)
        return found


_IN_FRONT = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    " os.execv(sys.argv[1], sys.argv[1:])"
)
"""Makes the terminal its own, as a shell does, then becomes the command."""


def test_at_a_terminal_keys_pause_and_go_on(sim: SimProcess) -> None:
    at = Terminal(command(sim, MOVES))
    at.until(b"keys: p pauses, Enter goes on, s or Ctrl-C stops")
    until(sim, "Run")
    os.write(at.ours, b"p")
    at.until(b"paused: you asked for it; Enter goes on, s stops")
    until(sim, "Hold:0")
    os.write(at.ours, b"\r")
    at.until(b"running again")
    press(sim, hold=True)
    at.until(b"nobody here asked for it")
    os.write(at.ours, b"r")
    found = at.finish()
    assert (found["outcome"], found["lines"], found["pauses"]) == ("finished", 41, 2)
    assert at.process.returncode == 0


def test_at_a_terminal_s_stops_as_ctrl_c_does(sim: SimProcess) -> None:
    at = Terminal(command(sim, MOVES))
    until(sim, "Run")
    os.write(at.ours, b"s")
    assert at.finish()["outcome"] == "stopped"
    assert at.process.returncode == 130
    assert b"stopping: no more lines, spindle and laser off" in at.shown
