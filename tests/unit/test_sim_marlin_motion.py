"""The stand-in's motion: times against the trapezoid formula, modes, homing, endstops."""

from __future__ import annotations

import math

import pytest

from fabctl_sim.marlin.board import Board
from fabctl_sim.marlin.firmware import Firmware
from fabctl_sim.marlin.planner import Block, Planner, Ramp, junction_speed
from fabctl_sim.trial_host import TrialHost

BOARD = Board(command_cost_s=0.0, move_cost_s=0.0, extrude_cost_s=0.0, after_ok_cost_s=0.0)
FIRST_MOVE_S = 0.1  # Marlin holds the first move back for 100 ms, hoping for company


def ready(board: Board = BOARD, *commands: str) -> TrialHost:
    host = TrialHost(Firmware(board))
    for command in commands:
        host.ask(command)
    return host


def machine(host: TrialHost) -> Firmware:
    assert isinstance(host.core, Firmware)
    return host.core


def timed(host: TrialHost, *commands: str) -> float:
    """Seconds for these commands and an M400, without the wire."""
    begin = host.now
    host.send("".join(f"{c}\n" for c in (*commands, "M400")).encode())
    for _ in range(len(commands) + 1):
        host.hear("ok")
    return host.now - begin


@pytest.mark.parametrize(
    ("length", "feed", "accel"),
    [(100.0, 100.0, 3000.0), (20.0, 50.0, 500.0), (1.0, 200.0, 1000.0), (0.5, 20.0, 3000.0)],
)
def test_one_move_takes_what_the_trapezoid_says(length: float, feed: float, accel: float) -> None:
    host = ready(BOARD, f"M204 S{accel}")
    ramps = feed * feed / accel
    expected = length / feed + feed / accel if length > ramps else 2 * math.sqrt(length / accel)
    measured = timed(host, f"G1 X{length} F{feed * 60}")
    assert measured == pytest.approx(FIRST_MOVE_S + expected, abs=0.003)


def test_an_axis_limit_slows_the_whole_move() -> None:
    """Z allows 10 mm/s and 100 mm/s²: 20 mm take 20/10 + 10/100 s whatever F says."""
    assert timed(ready(), "G1 Z20 F6000") == pytest.approx(FIRST_MOVE_S + 2.1, abs=0.003)


def test_m203_and_m201_change_the_limits() -> None:
    host = ready(BOARD, "M203 Z5", "M201 Z50")
    assert timed(host, "G1 Z20 F6000") == pytest.approx(FIRST_MOVE_S + 4.1, abs=0.003)


def _zigzag(count: int) -> list[Block]:
    """Segments of 0.2 to 9 mm, straight on twice, then round a corner of 20 to 160 degrees."""
    blocks: list[Block] = []
    angle = x = y = 0.0
    for n in range(count):
        angle += math.radians(20 + 35 * (n % 5)) if n % 3 == 2 else 0.0
        length = 0.2 + (n * 7 % 45) / 5
        x, y = x + length * math.cos(angle), y + length * math.sin(angle)
        way = (math.cos(angle), math.sin(angle), 0.0, 0.0)
        block = Block((x, y, 0.0, 0.0), length, 20.0 + n * 13 % 150, 1000.0, way, way)
        if blocks:
            block.entry_max = junction_speed(blocks[-1], block, 0.013)
        blocks.append(block)
    return blocks


def test_speed_never_jumps_and_respects_every_corner() -> None:
    """Run through 300 segments; what one ends with the next begins with, and the last ends at 0."""
    planner = Planner(size=16, first_move_delay_s=0.0)
    ramps: list[tuple[Block, Ramp]] = []
    now = 0.0

    def run_one() -> float:
        planner.advance(now)
        ramp = planner._ramp
        assert ramp is not None
        ramps.append((planner.blocks[0], ramp))
        end = planner.next_change
        planner.advance(end)
        return end

    for block in _zigzag(300):
        if planner.free == 0:
            now = run_one()
        planner.add(block, now)
    while planner.blocks:
        now = run_one()

    speed = 0.0
    for block, ramp in ramps:
        assert ramp.begin == pytest.approx(speed, abs=1e-9)
        assert ramp.begin <= block.entry_max + 1e-9
        assert ramp.top <= block.nominal + 1e-9
        assert abs(ramp.end**2 - ramp.begin**2) <= 2 * block.accel * block.length + 1e-6
        speed = ramp.end
    assert len(ramps) == 300
    assert speed == 0.0
    assert max(ramp.begin for _, ramp in ramps) > 20.0


def test_straight_on_needs_no_stop_and_back_again_does() -> None:
    on = timed(ready(), *(f"G1 X{x} F6000" for x in (20, 40, 60, 80)))
    back = timed(ready(), *(f"G1 X{x} F6000" for x in (20, 0, 20, 0)))
    once = 80 / 100 + 100 / 3000
    four = 4 * (20 / 100 + 100 / 3000)
    assert on == pytest.approx(once, abs=0.01)
    assert back == pytest.approx(four, abs=0.01)


def test_a_full_planner_holds_the_ok_back() -> None:
    host = ready(BOARD, "M204 S3000")
    waits = []
    for n in range(20):
        begin = host.now
        host.ask(f"G1 X{(n + 1) * 10} F600")
        waits.append(host.now - begin)
    assert max(waits[:15]) < 0.05
    assert min(waits[17:]) == pytest.approx(1.0, abs=0.02)


def test_the_position_runs_along_the_move() -> None:
    host = ready(BOARD, "G1 X100 F600")
    host.listen(FIRST_MOVE_S + 5.0)
    x = machine(host).machine.motion.planner.position_at(host.now)[0]
    assert x == pytest.approx(50.0, abs=0.5)
    assert host.ask("M114") == ["X:100.00 Y:0.00 Z:0.00 E:0.00 Count X:8000 Y:0 Z:0", "ok"]


def test_units_relative_and_renamed_positions() -> None:
    host = ready(BOARD, "G20", "G1 X1 Y2", "G21", "G91", "G1 X10", "G90", "G92 X0 E5", "G1 X1")
    assert host.ask("M114")[0].startswith("X:1.00 Y:50.80 Z:0.00 E:5.00 ")


def test_relative_extrusion_alone() -> None:
    host = ready(BOARD, "M302 P1", "M83", "G1 X10 E2", "G1 X20 E2", "M82", "G1 E1")
    assert host.ask("M114")[0].startswith("X:20.00 Y:0.00 Z:0.00 E:1.00 ")


@pytest.mark.parametrize(
    ("command", "turn"), [("G3 X0 Y20 I0 J10", 0.5), ("G2 X0 Y20 R10", 0.5), ("G2 I10", 1.0)]
)
def test_an_arc_takes_its_length(command: str, turn: float) -> None:
    host = ready(BOARD, "G1 F600")
    length = 2 * math.pi * 10 * turn
    expected = FIRST_MOVE_S + length / 10 + 10 / 3000
    assert timed(host, command) == pytest.approx(expected, abs=0.005)


def test_an_impossible_arc_is_an_error() -> None:
    assert ready().ask("G2 X10 Y0 R1") == ["Error:G2/G3 bad parameters", "ok"]


def test_homing_goes_to_the_endstops_and_knows_where_it_is() -> None:
    host = ready(BOARD, "G1 X7 F6000", "M400")
    assert "x_min: open" in host.ask("M119")
    lines = host.ask("G28")
    assert lines[-2:] == ["X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0", "ok"]
    assert "echo:busy: processing" in lines
    assert "x_min: TRIGGERED" in host.ask("M119")
    assert machine(host).machine.motion.homed == [True, True, True]


def test_homing_time_is_the_way_to_the_endstop() -> None:
    """X parked at 120 mm, 50 mm/s, then 5 mm back and 5 mm at half speed."""
    host = ready()
    begin = host.now
    host.ask("G28 X")
    assert host.now - begin == pytest.approx(120 / 50 + 5 / 50 + 5 / 25, abs=0.02)


def test_soft_endstops_clamp_only_what_was_homed() -> None:
    host = ready(BOARD, "G1 X-20")
    assert host.ask("M114")[0].startswith("X:-20.00 ")
    host.ask("G28 X Y")
    host.ask("G1 X-20 Y500")
    assert host.ask("M114")[0].startswith("X:0.00 Y:210.00 ")


def test_the_carriage_stops_at_its_frame_even_when_the_firmware_does_not_know() -> None:
    host = ready(BOARD, "G1 X400 F18000", "M400")
    assert machine(host).machine.motion.carriage_at(host.now)[0] == 250.0


def test_cold_extrusion_is_prevented_but_counted() -> None:
    host = ready()
    assert host.ask("G1 X10 E5 F600") == ["echo: cold extrusion prevented", "ok"]
    assert host.ask("M114")[0].startswith("X:10.00 Y:0.00 Z:0.00 E:5.00 ")


def test_m410_stops_at_once_and_forgets_the_queue() -> None:
    host = ready(BOARD, "G1 X100 F600", "G1 X0")
    host.listen(1.1)
    begin = host.now
    host.ask("M410")
    assert host.now - begin == pytest.approx(1.0, abs=0.01)  # Marlin takes no move for a second
    motion = machine(host).machine.motion
    assert motion.position[0] == pytest.approx(10.0, abs=0.2)
    assert not motion.planner.blocks


def test_m400_answers_when_everything_stands_still() -> None:
    host = ready(BOARD, "G1 X100 F6000")
    begin = host.now
    assert host.ask("M400") == ["ok"]
    assert host.now - begin > 1.0
    assert not machine(host).machine.motion.planner.blocks


def test_short_segments_are_stretched_while_few_wait() -> None:
    """M205 B: segments under 20 ms take longer as long as the planner is not half full."""
    moves = [f"G1 X{n / 5:.1f} F6000" for n in range(1, 8)]
    assert timed(ready(), *moves) > 1.5 * timed(ready(BOARD, "M205 B0"), *moves)
