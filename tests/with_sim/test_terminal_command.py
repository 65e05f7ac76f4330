"""``fabctl terminal`` as a person's script uses it, with the stand-in at the other end."""

from __future__ import annotations

import errno
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from fabctl.clock import SystemClock
from fabctl.errors import LocalError
from fabctl.ports import MachineKind, MachineProfile
from fabctl_drivers.opaque.driver import OpaqueDriver
from fabctl_sim.process import SimProcess


@pytest.fixture
def sim() -> Iterator[SimProcess]:
    with (
        tempfile.TemporaryDirectory(prefix="trm") as name,
        SimProcess(Path(name), "--boot", "0.2", "--factor", "instant") as sim,
    ):
        yield sim


PATIENCE_S = 60.0


def words(sim: SimProcess, driver: str = "marlin") -> list[str]:
    base = [sys.executable, "-m", "fabctl", "terminal", "--driver", driver]
    return [*base, "--port", str(sim.port)]


def talk(
    sim: SimProcess, typed: str, *more: str, driver: str = "marlin"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # our own program
        [*words(sim, driver), *more],
        input=typed,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


HEARS_CTRL_C = ("env", "--default-signal=INT")
"""A run of the tests in the background ignores Ctrl-C, and what it starts inherits that."""


class Person:
    """Somebody at a real pseudo-terminal, with a home of their own."""

    def __init__(self, command: list[str], home: Path, **variables: str) -> None:
        self.shown = ""
        self._ours, theirs = pty.openpty()
        kept = {name: v for name, v in os.environ.items() if name not in ("NO_COLOR", "TERM")}
        state = {"XDG_STATE_HOME": str(home), "TERM": "xterm"}
        self.process = subprocess.Popen(
            [*HEARS_CTRL_C, *command],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**kept, **state, **variables},
        )
        os.close(theirs)
        os.set_blocking(self._ours, False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_S)
        os.close(self._ours)

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def sees(self, pattern: str) -> str:
        """Wait until something is shown; return all up to its end, and forget that."""
        deadline = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self.shown)):
            assert time.monotonic() < deadline, f"{pattern!r} is not shown: {self.shown!r}"
            self._read()
        seen, self.shown = self.shown[: found.end()], self.shown[found.end() :]
        return seen

    def _read(self) -> None:
        try:
            self.shown += os.read(self._ours, 65536).decode()
        except BlockingIOError:
            time.sleep(0.01)
        except OSError as error:
            if error.errno != errno.EIO:  # the other end is closed: it has ended
                raise

    def leaves(self) -> int:
        self.press("\x04")
        return self.ends()

    def ends(self) -> int:
        deadline = time.monotonic() + PATIENCE_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline
            self._read()
        return int(self.process.returncode)


def test_piped_lines_are_said_and_answered_and_heaters_are_off_afterwards(sim: SimProcess) -> None:
    done = talk(sim, "M104 S200\nM114 ; where\nXYZ\n\nM110 N7\n")
    assert done.returncode == 0, done.stderr
    assert "X:0.00 Y:0.00 Z:0.00" in done.stdout
    assert 'echo:Unknown command: "XYZ"' in done.stdout
    assert "M110 counts the lines anew" in done.stdout
    assert "\x1b" not in done.stdout
    with sim.control() as control:
        texts = control.texts()
        assert "M104 S200" in texts
        assert texts.index("M104 S200") < len(texts) - 1 - texts[::-1].index("M104 S0")
        assert control.status()["nozzle_target_c"] == 0


def test_a_taken_port_says_who_holds_it(sim: SimProcess) -> None:
    with sim.port.open("rb+", buffering=0) as held:
        import fcntl  # noqa: PLC0415  # only here

        fcntl.flock(held, fcntl.LOCK_EX)
        done = talk(sim, "M114\n")
    assert done.returncode == 2
    assert "another program uses the port" in done.stderr
    assert f"process {os.getpid()})" in done.stderr


def test_while_a_job_runs_nobody_talks_past_it(sim: SimProcess, tmp_path: Path) -> None:
    file = tmp_path / "long.gcode"
    file.write_text("M104 S200\nM0 wait for me\nG28\n")
    stream = [sys.executable, "-m", "fabctl", "stream", str(file), "--driver", "marlin"]
    with subprocess.Popen([*stream, "--port", str(sim.port)]) as process, sim.control() as control:
        deadline = time.monotonic() + PATIENCE_S
        while control.status()["nozzle_target_c"] != 200:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        done = talk(sim, "M104 S0\n")
        assert done.returncode == 2
        assert f"it is held by fabctl stream, process {process.pid})" in done.stderr
        assert control.status()["nozzle_target_c"] == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 130


def test_keys_edit_history_comes_back_and_answers_are_coloured(
    sim: SimProcess, tmp_path: Path
) -> None:
    with Person(words(sim), tmp_path) as person:
        person.sees("> ")
        person.press("M104 S66\x1b[D\x7f5\n")  # left, backspace, 5: M104 S56
        person.sees("\x1b\\[2mok")
        person.press("XYZ\n")
        person.sees('\x1b\\[33mecho:Unknown command: "XYZ"')
        person.press("\x1b[A\x1b[A\n")
        person.sees("\x1b\\[2mok")
        assert person.leaves() == 0
    with sim.control() as control:
        assert control.texts().count("M104 S56") == 2
    file = tmp_path / "fabctl" / "terminal_history"
    assert file.read_text().split("\n") == ["M104 S56", "XYZ", "M104 S56", ""]
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    with Person(words(sim), tmp_path) as person:
        person.sees("> ")
        person.press("\x1b[A\x1b[A\n")
        person.sees("Unknown command")
        person.press("/quit\n")
        assert person.ends() == 0
    with sim.control() as control:
        assert control.texts().count("XYZ") == 2


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {}])
def test_no_colour_where_nobody_wants_it(
    sim: SimProcess, tmp_path: Path, variables: dict[str, str]
) -> None:
    more = [] if variables else ["--no-colour"]
    with Person([*words(sim), *more], tmp_path, **variables) as person:
        person.sees("> ")
        person.press("XYZ\n")
        seen = person.sees("Unknown command.*\n")
        assert not re.search("\x1b\\[[0-9;]*m", seen)
        assert person.leaves() == 0


def test_an_answer_does_not_tear_what_is_being_typed(sim: SimProcess, tmp_path: Path) -> None:
    with Person(words(sim), tmp_path) as person, sim.control() as control:
        person.sees("> ")
        person.press("G4 S20\nM118 again")
        person.sees("M118 again")
        person.sees("ok.*\n> M118 again")
        person.press("\n")
        person.sees("again\x1b")
        assert person.leaves() == 0
        assert "M118 again" in control.texts()


def test_ctrl_c_leaves_with_heaters_off_and_the_terminal_as_it_was(
    sim: SimProcess, tmp_path: Path
) -> None:
    with Person(words(sim), tmp_path) as person, sim.control() as control:
        person.sees("> ")
        person.press("M104 S99\n")
        person.sees("ok")
        person.process.send_signal(signal.SIGINT)
        assert person.ends() == 130
        assert control.status()["nozzle_target_c"] == 0


def test_words_with_a_slash_on_a_printer(sim: SimProcess) -> None:
    done = talk(
        sim, "/home\n/jog x10 Y5 f6000\nM114\n/cancel\n/feed 50\n/nonsense\n/jog q1\n/help\n"
    )
    assert done.returncode == 0, done.stderr
    assert "work area is not known" in done.stdout
    assert "cannot end a jog early" in done.stdout
    assert "feed cannot be changed from here" in done.stdout
    assert "there is no /nonsense → one of: /home, /jog, /cancel, /feed" in done.stdout
    assert "(limit: /jog x10 y-5 [f1000]" in done.stdout
    assert "/spindle 90" in done.stdout
    with sim.control() as control:
        assert "G28" in control.texts()


def test_a_printer_jogs_inside_the_area_that_was_said(sim: SimProcess) -> None:
    typed = "M114\n/home xy\n/jog x10 y5 f6000\n/jog x900\nM104 S50\n"
    done = talk(sim, typed, "--area", "250,210,200")
    assert done.returncode == 0, done.stderr
    assert "X would go to 910 mm (limit: 0 to 250 mm)" in done.stdout
    with sim.control() as control:
        assert "G1 X10.0000 Y5.0000 F6000" in control.texts()


def test_a_stop_is_for_what_was_typed_before_it_too(sim: SimProcess, tmp_path: Path) -> None:
    with Person(words(sim), tmp_path) as person, sim.control() as control:
        person.sees("> ")
        control.ask("factor", factor=1)
        person.press("/home\n")
        person.press("G1 X7 F6000\nG1 X9\n/stop\n")
        person.sees("not said, for /stop came: 2 lines typed before it")
        assert person.leaves() == 0
        assert "G1 X7 F6000" not in control.texts()


@pytest.fixture
def grbl() -> Iterator[SimProcess]:
    with (
        tempfile.TemporaryDirectory(prefix="trg") as name,
        SimProcess(Path(name), "--boot", "0.2", "--factor", "instant", controller="grbl") as sim,
    ):
        yield sim


def test_a_grbl_machine_is_talked_to_jogged_and_slowed(grbl: SimProcess) -> None:
    typed = "$G\nG0 X1\nG1 Y1 F100 K1\n/jog x-5 f3000\n/feed 50\n/rapid 25\n/spindle 7\n?\n"
    done = talk(grbl, typed, driver="grbl")
    assert done.returncode == 0, done.stderr
    assert "[GC:G0 G54" in done.stdout
    assert "error:" in done.stdout
    assert "feed 50 %" in done.stdout
    assert "rapid 25 %" in done.stdout
    assert "10 to 200" in done.stdout
    with grbl.control() as control:
        assert any(text.startswith("$J=") for text in control.texts())


def test_a_jog_is_ended_early(grbl: SimProcess, tmp_path: Path) -> None:
    with Person(words(grbl, "grbl"), tmp_path) as person, grbl.control() as control:
        person.sees("> ")
        control.ask("factor", factor=1)
        begin = control.status()["position"][0]
        person.press("/jog x-50 f600\n")
        deadline = time.monotonic() + PATIENCE_S
        while control.status()["position"][0] > begin - 1.0:
            assert time.monotonic() < deadline
        person.press("/cancel\n")
        while control.status()["state"] != "Idle":
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert -40.0 < control.status()["position"][0] - begin < -1.0
        assert person.leaves() == 0


def test_a_machine_that_a_person_has_to_unlock_can_be_talked_to(tmp_path: Path) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="trl") as name,
        SimProcess(
            Path(name), "--boot", "0.2", "--factor", "instant", "--set", "22=1", controller="grbl"
        ) as sim,
    ):
        done = talk(sim, "G0 X1\n$X\nG0 X1\n", driver="grbl")
        assert done.returncode == 0, done.stderr
        assert "look at the machine first" in done.stdout
        with sim.control() as control:
            assert "G0X1" in control.texts()


def test_an_opaque_machine_takes_no_lines() -> None:
    profile = MachineProfile("a", "A", MachineKind.OTHER, "opaque", "here", None, 1)
    with pytest.raises(LocalError, match="no wire to this machine"):
        OpaqueDriver(profile, SystemClock()).say("M114")
