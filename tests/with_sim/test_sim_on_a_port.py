"""The Marlin stand-in on a real pseudo-terminal, in its own process, with its control socket."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import serial

from fabctl_sim.control import SimControl, SimError
from fabctl_sim.process import SimProcess
from fabctl_sim.trial_host import numbered
from tests.fair_time import FairWatch, own_share
from tests.kept_serial import KeptSerial

FILE = Path(__file__).parents[1] / "data" / "keyring_tag.gcode"
PATIENCE_S = 20.0


class Host:
    """A plain host on a serial port: one numbered line at a time."""

    def __init__(self, port: Path) -> None:
        self.serial = KeptSerial(str(port), 250_000, timeout=PATIENCE_S)
        self.number = 0

    def until(self, wanted: bytes) -> list[bytes]:
        lines: list[bytes] = []
        while True:
            line = self.serial.readline()
            assert line, f"no {wanted!r} within {PATIENCE_S} s, but {lines}"
            lines.append(line.rstrip(b"\n"))
            if line.startswith(wanted):
                return lines

    def ask(self, text: str) -> list[bytes]:
        self.number += 1
        self.serial.write(numbered(self.number, text))
        return self.until(b"ok")

    def ready(self) -> Host:
        self.until(b"echo:Hardcoded")
        return self

    def close(self) -> None:
        self.serial.close()


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE_S} s: {what}"
        time.sleep(0.01)


def commands_of(path: Path) -> list[str]:
    lines = (line.partition(";")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]


def test_opening_the_port_resets_the_board(folder: Path) -> None:
    with SimProcess(folder, "--boot", "0.1") as sim:
        for _ in range(2):
            host = Host(sim.port)
            assert host.until(b"start") == [b"start"]
            host.ready()  # to the end of what it says: none of it is left in the line
            host.close()
            with sim.control() as control:
                wait_for(lambda: not control.status()["open"], "the stand-in sees the close")


def test_without_reset_on_open_nothing_is_said(folder: Path) -> None:
    with SimProcess(folder, "--boot", "0", "--no-reset-on-open") as sim, sim.control() as control:
        wait_for(lambda: control.status()["phase"] == "ready", "booted")
        host = Host(sim.port)
        assert host.ask("M110 N1") == [b"ok"]
        host.close()


def test_a_whole_file_arrives_in_order_none_missing_none_twice(folder: Path) -> None:
    record = folder / "record"
    options = ("--boot", "0.1", "--factor", "200", "--record", str(record))
    with SimProcess(folder, *options) as sim, sim.control() as control:
        host = Host(sim.port).ready()
        wanted = commands_of(FILE)
        for text in wanted:
            host.ask(text)
        assert control.texts() == wanted
        assert [line.split("\t")[1] for line in record.read_text().splitlines()] == wanted
        status = control.status()
        assert status["executed"] == len(wanted)
        assert status["overrun_bytes"] == 0
        control.clear_received()
        assert control.received() == []
        host.close()


@pytest.mark.parametrize("factor", ["1000", "instant"])
def test_a_heat_wait_takes_no_time_at_a_high_factor(folder: Path, factor: str) -> None:
    with SimProcess(folder, "--boot", "0.1", "--factor", factor) as sim, sim.control() as control:
        host = Host(sim.port).ready()
        watch = FairWatch(lambda: [sim.pid])
        lines = host.ask("M109 S210")
        assert any(b" W:" in line for line in lines)
        assert watch.elapsed_s() < 5.0
        assert control.status()["nozzle_c"] == pytest.approx(210, abs=1.1)
        host.close()


def test_pulling_the_cable_ends_the_port_and_replugging_goes_on(folder: Path) -> None:
    with SimProcess(folder, "--boot", "0.1", "--no-reset-on-open") as sim, sim.control() as control:
        host = Host(sim.port)
        wait_for(lambda: control.status()["phase"] == "ready", "booted")
        host.ask("G21")
        control.unplug()
        assert not sim.port.is_symlink()
        with pytest.raises(serial.SerialException):
            host.serial.read(1)
        host.close()
        control.plug()
        again = Host(sim.port)
        again.number = 1
        assert again.ask("G90") == [b"ok"]
        assert control.texts() == ["G21", "G90"]
        again.close()


def test_replugging_with_a_reset_forgets_everything(folder: Path) -> None:
    with SimProcess(folder, "--boot", "0.1", "--no-reset-on-open") as sim, sim.control() as control:
        wait_for(lambda: control.status()["phase"] == "ready", "booted")
        host = Host(sim.port)
        host.ask("M104 S200")
        control.unplug()
        host.close()
        assert control.status()["nozzle_target_c"] == 200.0
        control.plug(reset=True)
        status = control.status()
        assert (status["nozzle_target_c"], status["last_line"]) == (0.0, 0)


def test_the_board_goes_on_without_its_cable(folder: Path) -> None:
    options = ("--boot", "0.1", "--factor", "100", "--no-reset-on-open")
    with SimProcess(folder, *options) as sim, sim.control() as control:
        wait_for(lambda: control.status()["phase"] == "ready", "booted")
        host = Host(sim.port)
        host.ask("G1 X100 F60")
        control.unplug()
        host.close()
        wait_for(lambda: not control.status()["moving"], "the move ends")
        assert control.status()["position"][0] == 100.0


def test_injected_faults_reach_the_host(folder: Path) -> None:
    with SimProcess(folder, "--boot", "0.1") as sim, sim.control() as control:
        host = Host(sim.port).ready()
        control.inject("say", text="//action:pause")
        assert host.until(b"//action") == [b"//action:pause"]
        control.inject("flip-checksum")
        assert host.ask("G21")[0] == b"Error:checksum mismatch, Last Line: 0"
        host.number = 0
        begin = time.monotonic()
        control.inject("stall", seconds=0.5)
        host.ask("G21")
        assert time.monotonic() - begin >= 0.5
        control.inject("thermal-runaway", heater="bed")
        lines = host.until(b"Error:Printer halted")
        assert lines[0] == b"Error:Thermal Runaway, system stopped! Heater_ID: bed"
        control.reset()
        assert host.until(b"start") == [b"start"]
        host.close()


def test_a_watcher_hears_of_changes(folder: Path) -> None:
    with (
        SimProcess(folder, "--boot", "0.1") as sim,
        sim.control() as control,
        sim.control() as watcher,
    ):
        events = watcher.watch(PATIENCE_S)
        host = Host(sim.port).ready()
        host.ask("M104 S50")
        seen: list[dict[str, Any]] = []
        while not seen or seen[-1]["kind"] != "heat":
            seen.append(next(events))
        assert seen[-1] | {"t": 0} == {"t": 0, "kind": "heat", "heater": "nozzle", "target_c": 50.0}
        assert abs(time.monotonic() - seen[-1]["t"]) < PATIENCE_S
        assert {"kind": "port", "plugged": True, "open": True}.items() <= seen[0].items()
        control.unplug()
        while next(events).get("plugged") is not False:
            pass
        host.close()


def test_what_the_control_socket_cannot_do_is_explained(folder: Path) -> None:
    with SimProcess(folder) as sim, sim.control() as control:
        with pytest.raises(SimError, match="cmd is one of status, received"):
            control.ask("dance")
        with pytest.raises(SimError, match="factor is a number > 0"):
            control.factor(0)
        with pytest.raises(SimError, match="what is one of flip-checksum"):
            control.inject("earthquake")
        control.factor(50)
        assert control.status()["factor"] == 50.0
    with pytest.raises(SimError, match="no stand-in answers"):
        SimControl(folder / "ttyFAB0.sock")


def test_sigterm_leaves_nothing_behind(folder: Path) -> None:
    sim = SimProcess(folder).start()
    assert sim.end() == 0
    assert list(folder.iterdir()) == []


def test_a_file_in_the_way_is_left_alone(folder: Path) -> None:
    (folder / "ttyFAB0").write_text("mine")
    done = subprocess.run(
        [sys.executable, "-m", "fabctl_sim.marlin", "--link", str(folder / "ttyFAB0")],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 1
    assert "is not a link: it is left alone" in done.stderr
    assert (folder / "ttyFAB0").read_text() == "mine"


def test_an_idle_stand_in_costs_next_to_nothing(folder: Path) -> None:
    """At most 1 % of a core, with the port closed and open, and 15 MB."""
    with SimProcess(folder, "--boot", "0.1") as sim:
        process = psutil.Process(sim.pid)
        assert own_share(process) <= 0.01
        host = Host(sim.port).ready()
        assert own_share(process) <= 0.01
        assert process.memory_full_info().pss <= 15e6
        host.close()
