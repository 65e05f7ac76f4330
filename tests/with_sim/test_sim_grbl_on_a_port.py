"""The Grbl stand-in on a real pseudo-terminal, in its own process, with its control socket."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from fabctl_sim.control import SimError
from fabctl_sim.process import SimProcess
from tests.fair_time import FairWatch, own_share
from tests.kept_serial import KeptSerial

PATIENCE_S = 20.0
QUICK = ("--boot", "0.1")


class Host:
    """A plain host: waits for answers, counts characters when asked to."""

    def __init__(self, port: Path) -> None:
        self.serial = KeptSerial(str(port), 115_200, timeout=PATIENCE_S)

    def until(self, *wanted: bytes) -> list[bytes]:
        lines: list[bytes] = []
        while True:
            line = self.serial.readline()
            assert line, f"no {wanted!r} within {PATIENCE_S} s, but {lines}"
            lines.append(line.rstrip(b"\r\n"))
            if line.startswith(wanted):
                return lines

    def ready(self) -> Host:
        self.until(b"Grbl")
        return self

    def ask(self, line: bytes) -> list[bytes]:
        self.serial.write(line + b"\n")
        return self.until(b"ok", b"error:")

    def count(self, lines: list[bytes], window: int) -> None:
        flying: deque[int] = deque()
        for line in lines:
            while flying and sum(flying) + len(line) > window:
                self.until(b"ok")
                flying.popleft()
            self.serial.write(line)
            flying.append(len(line))
        for _ in flying:
            self.until(b"ok")

    def close(self) -> None:
        self.serial.close()


def sim(folder: Path, *options: str) -> SimProcess:
    return SimProcess(folder, *QUICK, *options, controller="grbl")


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE_S} s: {what}"
        time.sleep(0.01)


def test_opening_the_port_resets_and_greets(folder: Path) -> None:
    with sim(folder, "--set", "22=1") as stand:
        host = Host(stand.port)
        assert host.until(b"[MSG")[-2:] == [
            b"Grbl 1.1h ['$' for help]",
            b"[MSG:'$H'|'$X' to unlock]",
        ]
        assert host.ask(b"G0X1") == [b"error:9"]
        host.close()


def test_a_job_counted_arrives_whole_and_is_moved(folder: Path) -> None:
    record = folder / "record"
    with (
        sim(folder, "--factor", "100", "--record", str(record)) as stand,
        stand.control() as control,
    ):
        host = Host(stand.port).ready()
        lines = [b"G1 X%d Y%d F1000 (n)\n" % (n % 10, n % 7) for n in range(1, 301)]
        host.count(lines, 127)
        assert control.texts() == [
            line.partition(b"(")[0].replace(b" ", b"").decode() for line in lines
        ]
        wait_for(lambda: control.status()["state"] == "Idle", "the last move ends")
        moves = control.moves()
        assert [move["end"][:2] for move in moves] == [[n % 10, n % 7] for n in range(1, 301)]
        status = control.status()
        assert (status["executed"], status["overrun_bytes"]) == (300, 0)
        assert len(record.read_text().splitlines()) == 600
        control.clear_received()
        assert control.received() == []
        host.close()


def test_instant_runs_a_long_job_in_no_time(folder: Path) -> None:
    with sim(folder, "--factor", "instant") as stand, stand.control() as control:
        host = Host(stand.port).ready()
        watch = FairWatch(lambda: [stand.pid])
        host.count([b"G1X%dF100\n" % (n % 2 * 100) for n in range(1, 51)], 127)
        host.ask(b"G4P60")
        assert watch.elapsed_s() < 5.0
        assert control.status()["moves"] == 50
        host.close()


def test_injected_faults_reach_the_host(folder: Path) -> None:
    with sim(folder, "--set", "21=1") as stand, stand.control() as control:
        host = Host(stand.port).ready()
        control.inject("say", text="[MSG:hello]")
        assert host.until(b"[MSG") == [b"[MSG:hello]"]
        control.inject("probe", at=-1.0)
        assert host.ask(b"G38.2Z-5F300") == [b"[PRB:0.000,0.000,-1.000:1]", b"ok"]
        control.inject("door", open=True)
        host.until(b"[MSG:Check Door]")
        wait_for(lambda: control.status()["state"] == "Door:1", "the door is seen")
        control.inject("door", open=False)
        host.serial.write(b"~")
        wait_for(lambda: control.status()["state"] == "Idle", "resumed")
        begin = time.monotonic()
        control.inject("stall", seconds=0.5)
        host.ask(b"G21")
        assert time.monotonic() - begin >= 0.45
        host.ask(b"G0X50")
        control.inject("hard-limit", axis="Y")
        assert host.until(b"[MSG")[-2:] == [b"ALARM:1", b"[MSG:Reset to continue]"]
        control.inject("hard-limit", axis="Y", closed=False)
        control.inject("reset-pin")
        host.until(b"[MSG:'$H'|'$X' to unlock]")
        with pytest.raises(SimError, match="what is one of"):
            control.inject("earthquake")
        host.close()


def test_a_bad_cable_is_switched_on_and_off(folder: Path) -> None:
    with sim(folder, "--seed", "3") as stand, stand.control() as control:
        host = Host(stand.port).ready()
        control.inject("cable", direction="down", flip=1)
        host.serial.write(b"?")
        control.inject("cable")
        assert host.ask(b"\n")[-1] in (b"ok", b"error:1", b"error:2")
        with pytest.raises(SimError, match="a cable knows"):
            control.inject("cable", flop=1)
        host.close()


def test_pulling_the_cable_leaves_the_board_running(folder: Path) -> None:
    with (
        sim(folder, "--factor", "100", "--no-reset-on-open") as stand,
        stand.control() as control,
    ):
        host = Host(stand.port)
        host.ask(b"G1X100F1000")
        control.unplug()
        host.close()
        wait_for(lambda: control.status()["position"][0] == 100.0, "the move ends")
        control.plug()
        again = Host(stand.port)
        again.serial.write(b"?")
        assert b"MPos:100.000" in again.until(b"<")[-1]
        again.close()


def test_a_watcher_hears_of_states(folder: Path) -> None:
    with sim(folder) as stand, stand.control() as watcher:
        events = watcher.watch(PATIENCE_S)
        host = Host(stand.port).ready()
        host.ask(b"G0X1")
        seen: list[str] = []
        while seen[-2:] != ["Run", "Idle"]:
            event = next(events)
            if event["kind"] == "state":
                seen.append(event["state"])
        host.close()


@pytest.mark.parametrize(("flavour", "banner"), [("grblhal", b"GrblHAL"), ("fluidnc", b"Grbl 3.7")])
def test_flavours(folder: Path, flavour: str, banner: bytes) -> None:
    with sim(folder, "--flavour", flavour) as stand:
        host = Host(stand.port)
        host.until(banner)
        assert host.ask(b"$I")[-1] == b"ok"
        host.close()


def test_an_idle_stand_in_costs_next_to_nothing(folder: Path) -> None:
    """At most 1 % of a core with the port open, and 15 MB."""
    with sim(folder) as stand:
        process = psutil.Process(stand.pid)
        host = Host(stand.port).ready()
        assert own_share(process) <= 0.01
        assert process.memory_full_info().pss <= 15e6
        host.close()


def test_sigterm_leaves_nothing_behind(folder: Path) -> None:
    stand = sim(folder).start()
    assert stand.end() == 0
    assert list(folder.iterdir()) == []
