"""The Grbl driver against the stand-in controller, over a real pseudo-terminal.

The stand-in is written from Grbl's documents and shares nothing with the driver. What it ran is
compared with the file, line by line.
"""

from __future__ import annotations

import termios
from pathlib import Path

import pytest

from fabctl.errors import LocalError
from fabctl.ports import (
    Connected,
    Heard,
    Outcome,
    Override,
    Phase,
    PhaseChanged,
    Telemetry,
    Trouble,
    WaitingForPerson,
)
from fabctl.units import MmPerMin
from fabctl_drivers.grbl.job_lines import job_lines
from tests.pty_bench import MakeGrbl

SIGN = Path(__file__).parents[1] / "data" / "sign.nc"
SQUARE = ("G90 G21", "M3 S500", "G1 X20 F1000", "G1 Y20", "G1 X0", "G1 Y0", "M5")


def texts(path: Path) -> list[str]:
    with path.open("rb") as file:
        return [line.data.decode().strip() for line in job_lines(file, 79)]


def test_a_real_file_is_run_line_by_line_and_ends_when_nothing_moves(grbl: MakeGrbl) -> None:
    bench = grbl("--factor", "200")
    bench.connect()
    wanted = texts(SIGN)
    bench.start_file(SIGN, len(wanted))
    ended = bench.until_ended()
    assert (ended.outcome, ended.commands_done) == (Outcome.FINISHED, len(wanted))
    assert bench.control.status()["state"] == "Idle"
    assert bench.ran() == wanted
    assert bench.lost_bytes() == 0
    groups = {event.group for event in bench.of(Telemetry)}
    assert groups == {"position", "feed", "power", "overrides", "pins", "work-offset"}


def test_a_check_run_moves_nothing_and_leaves_check_mode(grbl: MakeGrbl) -> None:
    bench = grbl(check_run=True)
    bench.connect()
    bench.start(*SQUARE)
    assert bench.until_ended().outcome is Outcome.FINISHED
    assert bench.ran() == [line.replace(" ", "") for line in SQUARE]
    status = bench.control.status()
    assert (status["moves"], status["state"], status["position"]) == (0, "Idle", [0, 0, 0])


def test_a_pause_anywhere_changes_no_move(grbl: MakeGrbl) -> None:
    bench = grbl("--factor", "5")
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


def test_stop_in_motion_keeps_the_position_and_turns_the_spindle_off(grbl: MakeGrbl) -> None:
    bench = grbl()
    bench.connect()
    bench.start("M3 S500", "G1 X200 F1000", "G1 X0")
    bench.until(lambda: bench.position()[0] > 2.0, "it moves")
    bench.driver.stop()
    assert bench.until_ended().outcome is Outcome.STOPPED
    bench.until_phase(Phase.IDLE)
    status = bench.control.status()
    assert (status["state"], status["spindle"]) == ("Idle", "M5")
    assert 2.0 < status["position"][0] < 100.0


def test_a_refused_line_stops_the_machine_and_names_the_line(grbl: MakeGrbl) -> None:
    bench = grbl()
    bench.connect()
    bench.start("G21", "G1 X50 F600", "G5 X1", *(f"G1 X{n}" for n in range(50)))
    ended = bench.until_ended()
    assert (ended.outcome, ended.trouble) == (Outcome.FAILED, Trouble.LINE_REFUSED)
    assert ended.reason is not None
    assert "line 3 was refused (error:20" in ended.reason
    bench.until_phase(Phase.IDLE)
    assert bench.position()[0] < 40.0  # held on its way, not run to the end


def test_a_limit_switch_breaks_the_machine_until_it_is_free_and_cleared(grbl: MakeGrbl) -> None:
    bench = grbl("--set", "21=1")
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


def test_a_reset_in_the_middle_is_never_replayed(grbl: MakeGrbl) -> None:
    bench = grbl()
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


def test_a_pulled_cable_fails_the_job_and_a_person_clears_it(grbl: MakeGrbl) -> None:
    bench = grbl("--no-reset-on-open")
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


def test_a_door_pauses_and_only_a_person_goes_on(grbl: MakeGrbl) -> None:
    bench = grbl("--factor", "10")
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


def test_m0_waits_for_a_person(grbl: MakeGrbl) -> None:
    bench = grbl("--factor", "50")
    bench.connect()
    bench.start("G1 X5 F1000", "M0 (turn the part)", "G1 X0")
    bench.until_phase(Phase.PAUSED)
    assert bench.of(WaitingForPerson) == [WaitingForPerson("turn the part")]
    bench.driver.resume()
    assert bench.until_ended().outcome is Outcome.FINISHED
    assert bench.ran() == ["G1X5F1000", "M0", "G1X0"]


def test_stored_offsets_in_a_job_lose_no_byte(grbl: MakeGrbl) -> None:
    bench = grbl("--factor", "20")
    bench.connect()
    lines = [f"G1 X{n % 9} F1000" if n % 10 else f"G10 L20 P1 X{n}" for n in range(1, 120)]
    bench.start(*lines)
    assert bench.until_ended().outcome is Outcome.FINISHED
    assert bench.ran() == [line.replace(" ", "") for line in lines]
    assert bench.lost_bytes() == 0


def test_a_locked_machine_waits_for_a_person(grbl: MakeGrbl) -> None:
    bench = grbl("--set", "22=1")
    bench.connect(Phase.BROKEN)
    with pytest.raises(LocalError, match="idle"):
        bench.start("G21")
    bench.driver.clear()
    bench.until_phase(Phase.IDLE)


def test_a_locked_machine_can_be_opened_by_homing(grbl: MakeGrbl) -> None:
    bench = grbl("--set", "22=1", "--factor", "20", clear_by="home")
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
def test_flavours_are_told_apart(grbl: MakeGrbl, flavour: str, name: str) -> None:
    bench = grbl("--flavour", flavour, "--factor", "50")
    bench.connect()
    assert [event.firmware for event in bench.of(Connected)] == [name]
    bench.start(*SQUARE)
    assert bench.until_ended().outcome is Outcome.FINISHED
    assert bench.lost_bytes() == 0


def test_what_a_person_does_by_hand(grbl: MakeGrbl) -> None:
    bench = grbl("--set", "22=1", "--factor", "20", clear_by="home")
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


def test_overrides_reach_the_machine_and_are_told(grbl: MakeGrbl) -> None:
    bench = grbl("--factor", "1")
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


def test_a_port_keeps_its_lines_when_asked_to(grbl: MakeGrbl) -> None:
    bench = grbl(keep_running=True)
    bench.connect()
    with bench.sim.port.open("rb+", buffering=0) as same:
        assert termios.tcgetattr(same)[2] & termios.HUPCL == 0
