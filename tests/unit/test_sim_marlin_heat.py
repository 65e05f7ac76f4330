"""The stand-in's heaters, its reports, its faults, and waiting for a person."""

from __future__ import annotations

import math
import re

import pytest

from fabctl_sim.marlin.board import Board, HeaterBuild
from fabctl_sim.marlin.firmware import Firmware
from fabctl_sim.marlin.heater import Heater
from fabctl_sim.marlin.heating import fault
from fabctl_sim.trial_host import SilenceError, TrialHost

BUILD = HeaterBuild(rise_c=300.0, tau_s=100.0)


def ready(board: Board | None = None) -> tuple[TrialHost, Firmware]:
    firmware = Firmware(board or Board())
    return TrialHost(firmware), firmware


def test_warming_follows_the_first_order_curve_and_stops_at_the_target() -> None:
    heater = Heater(BUILD, room_c=20.0, now=0.0)
    heater.set_target(200.0, now=10.0)
    assert heater.temperature(60.0) == pytest.approx(20 + 300 * (1 - math.exp(-0.5)))
    assert heater.reaches_at(200.0) == pytest.approx(10 + 100 * math.log(300 / 120))
    assert heater.temperature(500.0) == 200.0


def test_cooling_follows_the_curve_to_the_room() -> None:
    heater = Heater(BUILD, room_c=20.0, now=0.0)
    heater.set_target(200.0, now=0.0)
    heater.set_target(0.0, now=1000.0)
    assert heater.temperature(1100.0) == pytest.approx(20 + 180 * math.exp(-1))
    assert heater.temperature(9000.0) == pytest.approx(20.0)


def test_a_target_beyond_the_heaters_power_is_never_reached() -> None:
    heater = Heater(BUILD, room_c=20.0, now=0.0)
    heater.set_target(400.0, now=0.0)
    assert heater.reaches_at(400.0) == math.inf
    assert heater.temperature(1e6) == pytest.approx(320.0)


def test_power_as_marlin_reports_it() -> None:
    heater = Heater(BUILD, room_c=20.0, now=0.0)
    assert heater.power(0.0) == 0
    heater.set_target(170.0, now=0.0)
    assert heater.power(1.0) == 127
    assert heater.power(1000.0) == 63


def test_m105_to_the_letter() -> None:
    host, _ = ready(Board(noise_c=0.0))
    host.ask("M104 S200")
    host.ask("M140 S60")
    (line,) = host.ask("M105")
    assert re.fullmatch(r"ok T:21\.\d\d /200\.00 B:21\.\d\d /60\.00 @:127 B@:127", line)


def test_m105_has_no_fields_of_advanced_ok() -> None:
    host, _ = ready(Board(advanced_ok=True))
    assert host.ask_numbered("M105")[0].startswith("ok T:")


def test_m109_waits_with_a_line_a_second_and_w_counts_down_at_the_end() -> None:
    host, firmware = ready()
    begin = host.now
    lines = host.ask("M109 S210")
    waits = [line for line in lines if " W:" in line]
    assert waits[0].startswith(" T:")
    assert waits[0].endswith("W:?")
    assert waits[-1].endswith(("W:0", "W:1"))
    board = firmware.board
    warming = board.nozzle.tau_s * math.log(board.nozzle.rise_c / (board.nozzle.rise_c - 188))
    assert host.now - begin == pytest.approx(warming + board.nozzle.residency_s, abs=0.5)
    assert len(waits) == pytest.approx(host.now - begin, abs=2)
    assert lines.count("echo:busy: processing") == pytest.approx((host.now - begin) / 2, abs=2)


def test_m109_s_does_not_wait_for_cooling_and_r_does() -> None:
    host, firmware = ready()
    host.ask("M109 S200")
    assert host.ask("M109 S100") == ["ok"]
    host.ask("M109 R100")
    assert firmware.machine.nozzle.temperature(host.now) == pytest.approx(100, abs=1.1)


def test_a_target_that_cooling_never_reaches_is_given_up() -> None:
    host, _ = ready()
    host.ask("M109 S60")
    assert host.ask("M109 R5", seconds=2000)[-1] == "ok"


def test_m108_ends_a_heat_wait_early() -> None:
    host, firmware = ready()
    host.send(b"M109 S210\n")
    host.listen(5.0)
    host.send(b"M108\n")
    assert host.hear("ok", 0.1) == ["ok"]
    assert firmware.machine.nozzle.target_c == 210.0


def test_a_numbered_m108_waits_in_the_queue_without_emergency_parser() -> None:
    """The early look is for lines that begin with M (queue.cpp); with the parser, N is skipped."""
    plain, _ = ready()
    quick, _ = ready(Board(emergency_parser=True))
    for host in (plain, quick):
        host.send(b"M109 S210\n")
        host.listen(5.0)
        host.number = 0
    with pytest.raises(SilenceError):
        plain.ask_numbered("M108", seconds=5.0)
    assert quick.ask_numbered("M108", seconds=0.1)[-1] == "ok"


def test_emergency_parser_acts_even_when_the_queue_is_full() -> None:
    plain, slow = ready()
    quick, halted = ready(Board(emergency_parser=True))
    for host in (plain, quick):
        host.send(b"G4 S60\n" * 5 + b"M112\n")
        host.listen(1.0)
    assert not slow.machine.halted
    assert halted.machine.halted


def test_autoreport_keeps_its_rhythm_and_stops() -> None:
    host, _ = ready()
    assert host.ask("M155 S2") == ["ok"]
    assert len([line for line in host.listen(21.0) if line.startswith(" T:")]) == 10
    host.ask("M155 S0")
    assert host.listen(20.0) == []


def test_without_autoreport_m155_is_unknown_and_m115_says_so() -> None:
    host, _ = ready(Board(autoreport_temp=False, emergency_parser=True))
    assert host.ask("M155 S2")[0] == 'echo:Unknown command: "M155 S2"'
    lines = host.ask("M115")
    assert lines[0].startswith("FIRMWARE_NAME:Marlin 2.0.9.5 ")
    assert "Cap:AUTOREPORT_TEMP:0" in lines
    assert "Cap:EMERGENCY_PARSER:1" in lines


def test_a_faster_host_hears_reports_in_its_own_rhythm() -> None:
    """At factor 10 a minute is six of the host's seconds: three reports every two of them."""
    host, firmware = ready()
    firmware.host_rate = 10.0
    host.ask("M155 S2")
    assert len(host.listen(61.0)) == 3


def test_m112_halts_for_good() -> None:
    host, firmware = ready()
    host.ask("M104 S200")
    host.send(b"M112\n")
    assert host.listen(5.0) == ["echo:M112 Shutdown", "Error:Printer halted. kill() called!"]
    host.send(b"M999\nM105\n")
    assert host.listen(5.0) == []
    assert firmware.machine.nozzle.target_c == 0.0
    firmware.reset(host.now)
    assert host.listen(5.0)[0] == "start"


@pytest.mark.parametrize(
    ("kind", "first", "echo"),
    [
        (
            "thermal-runaway",
            "Error:Thermal Runaway, system stopped! Heater_ID: bed",
            "THERMAL RUNAWAY",
        ),
        ("mintemp", "Error:MINTEMP triggered, system stopped! Heater_ID: bed", "Err: MINTEMP"),
        ("maxtemp", "Error:MAXTEMP triggered, system stopped! Heater_ID: bed", "Err: MAXTEMP"),
        (
            "heating-failed",
            "Error:Heating failed, system stopped! Heater_ID: bed",
            "HEATING FAILED",
        ),
    ],
)
def test_heater_faults_to_the_letter(kind: str, first: str, echo: str) -> None:
    host, firmware = ready()
    fault(firmware.catch_up(host.now), kind, firmware.machine.bed)
    assert host.listen(1.0) == [first, f"echo:{echo}", "Error:Printer halted. kill() called!"]


def test_the_extruders_fault_spans_two_lines() -> None:
    host, firmware = ready()
    fault(firmware.catch_up(host.now), "mintemp", firmware.machine.nozzle)
    assert host.listen(1.0)[:2] == ["Error:MINTEMP triggered, system stopped! Heater_ID: E0", ""]


def test_m0_waits_for_a_person() -> None:
    host, firmware = ready()
    host.send(b"M0 Change the spool\n")
    lines = host.listen(9.0)
    assert lines[0] == "echo:Change the spool"
    assert lines.count("echo:busy: paused for user") == 4
    assert firmware.machine.phase == "waiting"
    host.send(b"M108\n")
    assert host.hear("ok", 0.1) == ["ok"]
    assert firmware.machine.phase == "ready"


def test_m0_with_a_time_goes_on_by_itself() -> None:
    host, _ = ready()
    begin = host.now
    host.ask("M0 S3")
    assert host.now - begin == pytest.approx(3.0, abs=0.01)


def test_a_stop_complains_about_moves_until_m999() -> None:
    host, firmware = ready()
    firmware.catch_up(host.now).stop()
    assert host.listen(0.1)[0].startswith("Error:Printer stopped due to errors.")
    assert host.ask("G1 X1")[0].startswith("Error:Printer stopped due to errors.")
    host.ask_numbered("G21")
    assert host.ask("M999") == ["Resend: 2", "ok"]
    assert host.listen(0.1) == ["ok"]
    assert host.ask("G1 X1") == ["ok"]


def test_a_target_above_the_maximum_is_capped_below_it() -> None:
    """Marlin allows at most maxtemp - HEATER_n_OVERSHOOT, 15 °C (temperature.h)."""
    host, firmware = ready()
    host.ask("M104 S400")
    assert firmware.machine.nozzle.target_c == 260.0


def test_changes_are_told() -> None:
    host, firmware = ready()
    told: list[tuple[str, dict[str, object]]] = []
    firmware.machine.listener = lambda kind, details: told.append((kind, details))
    host.ask("M104 S50")
    host.ask("G28 X")
    host.send(b"M112\n")
    host.listen(1.0)
    assert told == [
        ("heat", {"heater": "nozzle", "target_c": 50.0}),
        ("phase", {"phase": "homing"}),
        ("phase", {"phase": "ready"}),
        ("heat", {"heater": "all", "target_c": 0.0}),
        ("phase", {"phase": "halted"}),
    ]
