"""``fabctl terminal`` as a person's script uses it, with the stand-in at the other end."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

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


def talk(sim: SimProcess, typed: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fabctl", "terminal", "--driver", "marlin"]
    return subprocess.run(  # our own program
        [*command, "--port", str(sim.port)],
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


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
    assert "it is held by" in done.stderr


def test_an_opaque_machine_takes_no_lines() -> None:
    profile = MachineProfile("a", "A", MachineKind.OTHER, "opaque", "here", None, 1)
    with pytest.raises(LocalError, match="no wire to this machine"):
        OpaqueDriver(profile, SystemClock()).say("M114")
