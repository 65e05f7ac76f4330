"""The Grbl driver against the stand-in controller, over a real pseudo-terminal.

The stand-in is written from Grbl's documents and shares nothing with the driver. What it ran is
compared with the file, line by line.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from fabctl.clock import SystemClock
from fabctl.errors import LocalError
from fabctl.ports import (
    Connected,
    DriverEvent,
    Heard,
    JobEnded,
    JobFile,
    MachineKind,
    MachineProfile,
    Outcome,
    Override,
    Phase,
    PhaseChanged,
    Telemetry,
    Trouble,
    WaitingForPerson,
)
from fabctl.units import MmPerMin, Seconds
from fabctl_drivers.grbl.driver import GrblDriver
from fabctl_drivers.grbl.job_lines import job_lines
from fabctl_sim.control import SimControl
from fabctl_sim.process import SimProcess

SIGN = Path(__file__).parents[1] / "data" / "sign.nc"
PATIENCE_S = 60.0
OURS = {"$I", "$$", "$#", "$X", "$C", "$H", "G4P0"}
SQUARE = ("G90 G21", "M3 S500", "G1 X20 F1000", "G1 Y20", "G1 X0", "G1 Y0", "M5")

Event = TypeVar("Event", bound=DriverEvent)


class Bench:
    """A stand-in, a driver on its port, and all events so far."""

    def __init__(self, folder: Path, *options: str, **driver_options: str | bool) -> None:
        self.folder = folder
        words = ("--boot", "0.2", *options)
        self.sim = SimProcess(folder, *words, controller="grbl").start()
        self.control: SimControl = self.sim.control()
        self.events: list[DriverEvent] = []
        self.options = driver_options
        self.driver = self.new_driver()

    def new_driver(self) -> GrblDriver:
        profile = MachineProfile(
            id="mill",
            name="Mill",
            kind=MachineKind.MILL,
            driver="grbl",
            host="here",
            port=str(self.sim.port),
            baud=115_200,
            options=self.options,
        )
        return GrblDriver(profile, SystemClock())

    def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"not in time: {what}; {self.events[-5:]}"
            self.events += self.driver.pump(Seconds(0.05))

    def until_phase(self, phase: Phase) -> None:
        self.until(lambda: self.driver.phase is phase, phase.value)
        self.events += self.driver.pump(Seconds(0.0))

    def connect(self, phase: Phase = Phase.IDLE) -> None:
        self.driver.open()
        self.until_phase(phase)

    def start(self, *lines: str) -> None:
        path = self.folder / "job.nc"
        path.write_text("".join(f"{line}\n" for line in lines))
        self.driver.start(JobFile("job-1", path, path.name, len(lines), len(lines)))

    def until_ended(self) -> JobEnded:
        self.until(lambda: bool(self.of(JobEnded)), "the end of the job")
        (ended,) = self.of(JobEnded)
        return ended

    def until_state(self, state: str) -> None:
        self.until(lambda: self.control.status()["state"] == state, state)

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def reasons(self) -> str:
        return "\n".join(e.reason for e in self.of(PhaseChanged) if e.reason)

    def ran(self) -> list[str]:
        return [text for text in self.control.texts() if text not in OURS]

    def position(self) -> list[float]:
        found: list[float] = self.control.status()["position"]
        return found

    def lost_bytes(self) -> int:
        return int(self.control.status()["overrun_bytes"])

    def close(self) -> None:
        self.driver.close()
        self.control.close()
        self.sim.end()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: Unix sockets take no long ones."""
    with tempfile.TemporaryDirectory(prefix="sim") as name:
        yield Path(name)


Make = Callable[..., Bench]


@pytest.fixture
def make(folder: Path) -> Iterator[Make]:
    made: list[Bench] = []

    def bench(*options: str, **driver_options: str | bool) -> Bench:
        made.append(Bench(folder, *options, **driver_options))
        return made[0]

    yield bench
    for one in made:
        one.close()


def texts(path: Path) -> list[str]:
    with path.open("rb") as file:
        return [line.data.decode().strip() for line in job_lines(file, 79)]


def test_a_real_file_is_run_line_by_line_and_ends_when_nothing_moves(make: Make) -> None:
    bench = make("--factor", "200")
    bench.connect()
    wanted = texts(SIGN)
    bench.driver.start(JobFile("job-1", SIGN, "sign.nc", 1000, len(wanted)))
    ended = bench.until_ended()
    assert (ended.outcome, ended.commands_done) == (Outcome.FINISHED, len(wanted))
    assert bench.control.status()["state"] == "Idle"
    assert bench.ran() == wanted
    assert bench.lost_bytes() == 0
    groups = {event.group for event in bench.of(Telemetry)}
    assert groups == {"position", "feed", "power", "overrides", "pins", "work-offset"}


def test_a_check_run_moves_nothing_and_leaves_check_mode(make: Make) -> None:
    bench = make(check_run=True)
    bench.connect()
    bench.start(*SQUARE)
    assert bench.until_ended().outcome is Outcome.FINISHED
    assert bench.ran() == [line.replace(" ", "") for line in SQUARE]
    status = bench.control.status()
    assert (status["moves"], status["state"], status["position"]) == (0, "Idle", [0, 0, 0])


def test_a_pause_anywhere_changes_no_move(make: Make) -> None:
    bench = make("--factor", "5")
    bench.connect()
    bench.start(*SQUARE)
    for at in ((5, 0), (20, 8), (12, 20)):
        bench.until(
            lambda at=at: (
                bench.position()[:2] >= list(at)  # type: ignore[misc]
                or bench.driver.phase is Phase.IDLE
            ),
            "the place to pause",
        )
        if bench.driver.phase is not Phase.RUNNING:
            break
        bench.driver.pause()
        bench.until_phase(Phase.PAUSED)
        assert not bench.control.status()["moving"]
        bench.driver.resume()
    assert bench.until_ended().outcome is Outcome.FINISHED
    assert [move["end"] for move in bench.control.moves()] == [
        [20, 0, 0],
        [20, 20, 0],
        [0, 20, 0],
        [0, 0, 0],
    ]
    assert bench.of(PhaseChanged).count(PhaseChanged(Phase.PAUSED)) >= 1


def test_stop_in_motion_keeps_the_position_and_turns_the_spindle_off(make: Make) -> None:
    bench = make()
    bench.connect()
    bench.start("M3 S500", "G1 X200 F1000", "G1 X0")
    bench.until(lambda: bench.position()[0] > 2.0, "it moves")
    bench.driver.stop()
    assert bench.until_ended().outcome is Outcome.STOPPED
    bench.until_phase(Phase.IDLE)
    status = bench.control.status()
    assert (status["state"], status["spindle"]) == ("Idle", "M5")
    assert 2.0 < status["position"][0] < 100.0


def test_a_refused_line_stops_the_machine_and_names_the_line(make: Make) -> None:
    bench = make()
    bench.connect()
    bench.start("G21", "G1 X50 F600", "G5 X1", *(f"G1 X{n}" for n in range(50)))
    ended = bench.until_ended()
    assert (ended.outcome, ended.trouble) == (Outcome.FAILED, Trouble.LINE_REFUSED)
    assert ended.reason is not None
    assert "line 3 was refused (error:20" in ended.reason
    bench.until_phase(Phase.IDLE)
    assert bench.position()[0] < 40.0  # held on its way, not run to the end


def test_a_limit_switch_breaks_the_machine_until_it_is_free_and_cleared(make: Make) -> None:
    bench = make("--set", "21=1")
    bench.connect()
    bench.start("G1 X200 F600")
    bench.until(lambda: bench.position()[0] > 1.0, "it moves")
    bench.control.inject("hard-limit", axis="X")
    ended = bench.until_ended()
    assert (ended.outcome, ended.trouble) == (Outcome.FAILED, Trouble.FIRMWARE_HALTED)
    bench.control.inject("hard-limit", axis="X", closed=False)
    bench.until(lambda: len(bench.of(Connected)) == 2, "connected again")
    assert bench.driver.phase is Phase.BROKEN
    bench.driver.clear()
    bench.until_phase(Phase.IDLE)
    assert bench.control.status()["state"] == "Idle"


def test_a_reset_in_the_middle_is_never_replayed(make: Make) -> None:
    bench = make()
    bench.connect()
    bench.start(*SQUARE)
    bench.until(lambda: bench.position()[0] > 1.0, "it moves")
    bench.control.inject("reset-pin")
    ended = bench.until_ended()
    assert ended.outcome is Outcome.FAILED
    assert ended.trouble in {Trouble.CONTROLLER_RESET, Trouble.FIRMWARE_HALTED}
    assert bench.driver.phase is Phase.BROKEN
    ran = bench.ran()
    bench.until(lambda: len(bench.of(Connected)) == 2, "connected again")
    assert bench.ran() == ran


def test_a_pulled_cable_fails_the_job_and_a_person_clears_it(make: Make) -> None:
    bench = make("--no-reset-on-open")
    bench.connect()
    bench.start("G1 X400 F600")
    bench.until(lambda: bench.position()[0] > 1.0, "it moves")
    bench.control.unplug()
    assert bench.until_ended().trouble is Trouble.CABLE_LOST
    assert bench.driver.phase is Phase.CLOSED
    bench.control.plug()
    bench.connect(Phase.BROKEN)
    status = bench.control.status()
    assert (status["state"], status["moving"]) == ("Idle", False)
    assert 1.0 < status["position"][0] < 200.0  # held and reset, its position kept
    bench.driver.clear()
    bench.until_phase(Phase.IDLE)


def test_a_door_pauses_and_only_a_person_goes_on(make: Make) -> None:
    bench = make("--factor", "10")
    bench.connect()
    bench.start("M3 S500", "G1 X200 F600", "M5")
    bench.until(lambda: bench.position()[0] > 5.0, "it moves")
    bench.control.inject("door", open=True)
    bench.until_phase(Phase.PAUSED)
    bench.until_state("Door:1")
    bench.until(lambda: "door is open" in bench.reasons, "the door is told")
    with pytest.raises(LocalError, match="door is open"):
        bench.driver.resume()
    bench.control.inject("door", open=False)
    bench.until(lambda: "closed again" in bench.reasons, "the closed door is told")
    assert bench.driver.phase is Phase.PAUSED
    bench.driver.resume()
    assert bench.until_ended().outcome is Outcome.FINISHED
    assert bench.position() == [200, 0, 0]


def test_m0_waits_for_a_person(make: Make) -> None:
    bench = make("--factor", "50")
    bench.connect()
    bench.start("G1 X5 F1000", "M0 (turn the part)", "G1 X0")
    bench.until_phase(Phase.PAUSED)
    assert bench.of(WaitingForPerson) == [WaitingForPerson("turn the part")]
    bench.driver.resume()
    assert bench.until_ended().outcome is Outcome.FINISHED
    assert bench.ran() == ["G1X5F1000", "M0", "G1X0"]


def test_stored_offsets_in_a_job_lose_no_byte(make: Make) -> None:
    bench = make("--factor", "20")
    bench.connect()
    lines = [f"G1 X{n % 9} F1000" if n % 10 else f"G10 L20 P1 X{n}" for n in range(1, 120)]
    bench.start(*lines)
    assert bench.until_ended().outcome is Outcome.FINISHED
    assert bench.ran() == [line.replace(" ", "") for line in lines]
    assert bench.lost_bytes() == 0


def test_a_locked_machine_waits_for_a_person(make: Make) -> None:
    bench = make("--set", "22=1")
    bench.connect(Phase.BROKEN)
    with pytest.raises(LocalError, match="idle"):
        bench.start("G21")
    bench.driver.clear()
    bench.until_phase(Phase.IDLE)


def test_a_locked_machine_can_be_opened_by_homing(make: Make) -> None:
    bench = make("--set", "22=1", "--factor", "20", clear_by="home")
    bench.connect(Phase.BROKEN)
    bench.driver.clear()
    assert bench.driver.phase is Phase.CONNECTING
    bench.until_phase(Phase.IDLE)
    assert "$H" in bench.control.texts()
    assert bench.control.status()["state"] == "Idle"


@pytest.mark.parametrize(
    ("flavour", "name"),
    [("grbl", "Grbl 1.1h"), ("grblhal", "grblHAL 1.1f"), ("fluidnc", "FluidNC v3.7.8")],
)
def test_flavours_are_told_apart(make: Make, flavour: str, name: str) -> None:
    bench = make("--flavour", flavour, "--factor", "50")
    bench.connect()
    assert [event.firmware for event in bench.of(Connected)] == [name]
    bench.start(*SQUARE)
    assert bench.until_ended().outcome is Outcome.FINISHED
    assert bench.lost_bytes() == 0


@pytest.mark.parametrize("options", [(), ("--option", "check_run=true")])
def test_fabctl_stream(make: Make, folder: Path, options: tuple[str, ...]) -> None:
    bench = make("--factor", "50")
    job = folder / "square.nc"
    job.write_text("\n".join(SQUARE) + "\n")
    words = ["stream", str(job), "--driver", "grbl", "--port", str(bench.sim.port)]
    done = subprocess.run(
        [sys.executable, "-m", "fabctl", *words, "--baud", "115200", "--kind", "mill", "--json",
         *options],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["lines"] == len(SQUARE)
    assert bench.control.status()["moves"] == (0 if options else 4)


def test_what_a_person_does_by_hand(make: Make) -> None:
    bench = make("--set", "22=1", "--factor", "20", clear_by="home")
    bench.connect(Phase.BROKEN)
    bench.driver.say("$H")
    bench.until_phase(Phase.IDLE)
    begin = bench.position()
    bench.driver.jog({"X": 5.0}, MmPerMin(1000.0))
    bench.until(lambda: bench.position()[0] == pytest.approx(begin[0] + 5.0), "the jog's end")
    bench.until_state("Idle")
    bench.driver.say("$G")
    bench.until(lambda: bool(bench.of(Heard)), "an answer")
    bench.until(lambda: any(e.text.startswith("[GC:") for e in bench.of(Heard)), "the modes")
    bench.driver.home()
    assert bench.driver.phase is Phase.CONNECTING
    bench.until_phase(Phase.IDLE)
    assert bench.position() == begin


def test_overrides_reach_the_machine_and_are_told(make: Make) -> None:
    bench = make("--factor", "1")
    bench.connect()
    bench.start("G1 X200 F1000")
    bench.until(lambda: bench.position()[0] > 1.0, "it moves")
    bench.driver.override(Override.FEED, 173)
    bench.until(
        lambda: any(e.values.get("feed_percent") == 173.0 for e in bench.of(Telemetry)),
        "the percentage",
    )
    bench.driver.stop()
    assert bench.until_ended().outcome is Outcome.STOPPED


def test_fabctl_terminal(make: Make) -> None:
    bench = make()
    words = ["terminal", "--driver", "grbl", "--port", str(bench.sim.port), "--baud", "115200"]
    done = subprocess.run(
        [sys.executable, "-m", "fabctl", *words],
        input="G21\nG5\n$$\n?\n",
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "error:20, an unknown" in done.stdout
    assert "$32=0" in done.stdout
    assert "<Idle|MPos:" in done.stdout


def test_fabctl_stream_dry_run(folder: Path) -> None:
    job, out = folder / "square.nc", folder / "said.bin"
    job.write_text("\n".join(SQUARE) + "\n")
    words = ["stream", str(job), "--driver", "grbl", "--port", "none", "--baud", "115200"]
    done = subprocess.run(
        [sys.executable, "-m", "fabctl", *words, "--kind", "mill", "--dry-run", str(out)],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"\n".join(line.replace(" ", "").encode() for line in SQUARE) in out.read_bytes()


def test_a_port_keeps_its_lines_when_asked_to(make: Make) -> None:
    bench = make(keep_running=True)
    bench.connect()
    with bench.sim.port.open("rb+", buffering=0) as same:
        assert termios.tcgetattr(same)[2] & termios.HUPCL == 0
