"""The Marlin driver against the stand-in printer, over a real pseudo-terminal.

The stand-in is written from Marlin's documents and shares nothing with the driver. What it ran
is compared with the file, command by command.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from fabctl.errors import LocalError
from fabctl.ports import (
    Connected,
    JobEnded,
    JobProgress,
    Outcome,
    Phase,
    PhaseChanged,
    Telemetry,
    Trouble,
    WaitingForPerson,
)
from fabctl.units import Seconds
from tests.pty_bench import PATIENCE_S, MakeMarlin

KEYRING = Path(__file__).parents[1] / "data" / "keyring_tag.gcode"
OURS = {"M104 S0", "M140 S0", "M107", "M105", "M108", "M110 N0", "M113", "M115", "M155 S2", "M400"}


def sendable_lines(path: Path) -> list[str]:
    lines = (line.partition(";")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]


def assert_ran_exactly(ran: list[str], wanted: list[str]) -> None:
    """All that ran is the file, in order, once, and words of our own in between."""
    at = 0
    for command in ran:
        if at < len(wanted) and command == wanted[at]:
            at += 1
        else:
            assert command in OURS, f"after {at} of the file's commands: {command}"
    assert at == len(wanted)


@pytest.mark.parametrize("autoreport", [True, False])
def test_a_real_file_is_printed_whole(marlin: MakeMarlin, *, autoreport: bool) -> None:
    one = marlin("--factor", "instant", *([] if autoreport else ["--no-autoreport-temp"]))
    one.connect()
    (connected,) = one.of(Connected)
    assert connected.firmware is not None
    assert connected.firmware.startswith("Marlin 2.0.9.5")
    assert ("AUTOREPORT_TEMP" in connected.capabilities) is autoreport
    wanted = sendable_lines(KEYRING)
    one.start_file(KEYRING, len(wanted))
    ended = one.until_ended()
    assert (ended.outcome, ended.commands_done, ended.resends) == (
        Outcome.FINISHED,
        len(wanted),
        0,
    )
    assert ended.line == 2252  # the last line of the file that is no comment
    assert_ran_exactly(one.ran(), wanted)
    assert one.of(Telemetry)
    assert all(p.commands_done <= len(wanted) for p in one.of(JobProgress))


def test_the_first_thing_said_turns_the_heaters_off(marlin: MakeMarlin) -> None:
    one = marlin("--no-reset-on-open")
    one.until(lambda: one.control.status()["phase"] == "ready", "the board is up")
    one.connect()
    assert one.ran()[:4] == ["M108", "M104 S0", "M140 S0", "M107"]


@pytest.mark.parametrize("window", [False, True])
def test_a_damaged_cable_costs_time_but_no_line(marlin: MakeMarlin, *, window: bool) -> None:
    """Faults one after the other, for two in one line may cancel out in an 8-bit checksum."""
    one = marlin("--factor", "5", *(["--advanced-ok"] if window else []), window=window)
    one.connect()
    wanted = [f"G1 X{50 + number % 7} Y{50 + number % 11} F9000" for number in range(600)]
    one.start(*wanted)
    faults = 0
    hurt_at = 0

    def went_on() -> bool:
        return bool(one.of(JobEnded)) or one.driver.confirmed_line > hurt_at + 30

    while not one.of(JobEnded):
        one.control.inject(("flip-checksum", "lose-bytes", "drop-ok")[faults % 3])
        faults += 1
        hurt_at = one.driver.confirmed_line
        one.until(went_on, "it goes on")
    ended = one.until_ended()
    assert faults >= 16
    assert (ended.outcome, ended.commands_done) == (Outcome.FINISHED, 600)
    assert ended.resends >= faults // 3
    assert_ran_exactly(one.control.texts(numbered_only=True), wanted)


@pytest.mark.parametrize("times", [1, 2])
def test_a_lost_ok_is_found(marlin: MakeMarlin, times: int) -> None:
    one = marlin("--factor", "instant")
    one.connect()
    wanted = [f"G1 X{number}" for number in range(1, 40)]
    one.control.inject("drop-ok", count=times)
    one.start(*wanted)
    assert one.until_ended().outcome is Outcome.FINISHED
    assert_ran_exactly(one.ran(), wanted)


def test_pause_lifts_and_resume_goes_on_where_it_was(marlin: MakeMarlin) -> None:
    one = marlin("--factor", "10")
    one.connect()
    moves = [f"G1 X{10 + number} Y20 E{number}.125 F3000" for number in range(60)]
    one.start("G28", "M302 S0", "G90", "M83", "G1 X10 Y20 Z2 F3000", *moves)
    one.until(lambda: one.driver.confirmed_line >= 15, "some moves")
    one.driver.pause()
    one.driver.pause()  # a second tap changes nothing
    one.until_phase(Phase.PAUSED)
    paused_at = one.driver.confirmed_line
    assert one.control.status()["carriage"][2] == pytest.approx(7.0)
    before = len(one.ran())
    one.driver.resume()
    assert one.driver.phase is Phase.RUNNING
    assert one.until_ended().outcome is Outcome.FINISHED
    back = one.ran()[before:]
    assert back[:8] == [
        "G90",
        f"G1 X{10 + paused_at - 6} Y20 F6000",
        "G1 Z2 F600",
        back[3],
        "G90",
        "M83",
        "G1 F3000",
        moves[paused_at - 5],
    ]
    assert back[3].startswith("G92 E")
    job_moves = [command for command in one.ran() if command in moves]
    assert job_moves == moves
    assert one.control.status()["carriage"][:3] == pytest.approx([69.0, 20.0, 2.0])


@pytest.mark.parametrize("emergency_parser", [True, False])
def test_stop_while_heating_turns_the_heaters_off_at_once(
    marlin: MakeMarlin, *, emergency_parser: bool
) -> None:
    one = marlin(*(["--emergency-parser"] if emergency_parser else []))
    one.connect()
    one.start("M140 S60", "M104 S210", "M109 S210", "G28")
    one.until(lambda: one.control.status()["nozzle_target_c"] == 210, "it heats")
    one.until(lambda: one.driver.confirmed_line == 2, "it waits for the heat")
    watch = one.watch()
    one.driver.stop()
    ended = one.until_ended()
    assert watch.elapsed_s() < 5.0
    assert (ended.outcome, ended.trouble, ended.line) == (Outcome.STOPPED, None, 3)
    status = one.control.status()
    assert (status["nozzle_target_c"], status["bed_target_c"]) == (0, 0)
    assert "G28" not in one.ran()
    assert one.driver.phase is Phase.IDLE


def test_a_reset_during_a_job_is_never_printed_over(marlin: MakeMarlin) -> None:
    one = marlin("--factor", "5")
    one.connect()
    moves = [f"G1 X{1 + number % 2 * 50} F3000" for number in range(200)]
    one.start("G28", "M104 S200", *moves)
    one.until(lambda: one.driver.confirmed_line >= 10, "some moves")
    one.control.reset()
    ended = one.until_ended()
    assert (ended.outcome, ended.trouble) == (Outcome.FAILED, Trouble.CONTROLLER_RESET)
    ran = len(one.ran())
    one.until(lambda: len(one.of(Connected)) == 2, "it answers again")
    assert one.driver.phase is Phase.BROKEN
    assert set(one.ran()[ran:]) <= OURS
    assert "M104 S0" in one.ran()[ran:]
    with pytest.raises(LocalError, match="the machine is broken"):
        one.start("G28")
    one.driver.clear()
    one.until_phase(Phase.IDLE)


def test_a_pulled_cable_is_told_at_once_and_a_person_clears_it(marlin: MakeMarlin) -> None:
    one = marlin("--factor", "5")
    one.connect()
    one.start("G28", *(f"G1 X{1 + number % 2 * 50} F3000" for number in range(200)))
    one.until(lambda: one.driver.confirmed_line >= 5, "some moves")
    line = one.driver.confirmed_line
    watch = one.watch()
    one.control.unplug()
    ended = one.until_ended()
    assert watch.elapsed_s() < 5.0
    assert (ended.outcome, ended.trouble) == (Outcome.FAILED, Trouble.CABLE_LOST)
    assert ended.line >= line
    one.until_phase(Phase.CLOSED)
    assert one.of(PhaseChanged)[-1].trouble is Trouble.CABLE_LOST
    one.control.plug()
    one.driver.open()
    one.until_phase(Phase.BROKEN)
    status = one.control.status()
    assert (status["nozzle_target_c"], status["bed_target_c"]) == (0, 0)
    one.driver.clear()
    one.until_phase(Phase.IDLE)


def test_a_firmware_that_halts_is_cleared_only_after_it_was_switched_off(
    marlin: MakeMarlin,
) -> None:
    one = marlin("--factor", "5")
    one.connect()
    one.start("G28", "M104 S200", *(f"G1 X{1 + n % 2 * 50} F3000" for n in range(200)))
    one.until(lambda: one.driver.confirmed_line >= 5, "some moves")
    one.control.inject("thermal-runaway", heater="nozzle")
    ended = one.until_ended()
    assert (ended.outcome, ended.trouble) == (Outcome.FAILED, Trouble.FIRMWARE_HALTED)
    assert ended.reason is not None
    assert "Runaway" in ended.reason
    assert one.driver.phase is Phase.BROKEN
    with pytest.raises(LocalError, match="switch the machine off and on"):
        one.driver.clear()
    one.control.reset()
    one.until(lambda: len(one.of(Connected)) == 2, "it answers again")
    one.driver.clear()
    one.until_phase(Phase.IDLE)


def test_a_driver_that_died_leaves_no_heater_on(marlin: MakeMarlin) -> None:
    """The process is killed while the printer heats; the next one opens the port again."""
    one = marlin("--no-reset-on-open")
    one.connect()
    one.start("M109 S210", "G28")
    one.until(lambda: one.control.status()["nozzle_target_c"] == 210, "it heats")
    port = one.driver._shell._port
    assert port is not None
    port.close()  # all that the kernel does for a killed process
    one.driver = one.new_driver()
    watch = one.watch()
    one.driver.open()
    one.until(lambda: one.control.status()["nozzle_target_c"] == 0, "the heater is off")
    assert watch.elapsed_s() < 3.0
    one.until_phase(Phase.IDLE)


def test_m0_waits_for_a_person_and_says_so(marlin: MakeMarlin) -> None:
    one = marlin("--no-reset-on-open")
    one.connect()
    one.start("M0 Turn the part", "G1 X1")
    one.until(lambda: bool(one.of(WaitingForPerson)), "the request")
    assert one.of(WaitingForPerson) == [WaitingForPerson("Turn the part")]
    one.driver.stop()
    assert one.until_ended().outcome is Outcome.STOPPED


def test_closing_during_a_job_leaves_no_heater_on(marlin: MakeMarlin) -> None:
    one = marlin()
    one.connect()
    one.start("M104 S210", "G4 S1", *(f"G1 X{n}" for n in range(100)))
    one.until(lambda: one.control.status()["nozzle_target_c"] == 210, "it heats")
    one.driver.close()
    assert one.driver.phase is Phase.CLOSED
    one.events += one.driver.pump(Seconds(0.0))
    (ended,) = one.of(JobEnded)
    assert ended.outcome is Outcome.STOPPED
    deadline = time.monotonic() + PATIENCE_S
    while one.control.status()["nozzle_target_c"] != 0:
        assert time.monotonic() < deadline
