"""The estimate of time against the trapezoid formula by hand, and its table."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.gcode.motion import ANY_SPEED2, PRINTER_MOTION, MotionSettings, Planner, junction_speed2
from fabctl.gcode.preflight import inspect
from fabctl.gcode.timeline import POINTS, Timeline, time_fraction
from fabctl.ports import Limits, MachineKind
from tests.gcode_reading import UNHURRIED

PLAIN = replace(PRINTER_MOTION, acceleration=1000.0, travel_acceleration=1000.0, jerk=10.0)


def seconds(program: str, motion: MotionSettings = PLAIN) -> float:
    data = ("G28\n" + program.replace("|", "\n")).encode()
    report = inspect(
        io.BytesIO(data), kind=MachineKind.PRINTER, work_area=None, limits=Limits(), motion=motion
    )
    return report.estimate_s or 0.0


def trapezoid(length: float, speed: float, acceleration: float) -> float:
    """From a stand to a stand."""
    if length * acceleration >= speed * speed:
        return length / speed + speed / acceleration
    return 2.0 * math.sqrt(length / acceleration)


@pytest.mark.parametrize(("length", "feed"), [(100, 6000), (100, 60000), (0.5, 6000), (10, 600)])
def test_one_move_is_one_trapezoid(length: float, feed: float) -> None:
    speed = min(feed, 30000) / 60.0
    expected = trapezoid(length, speed, 1000.0)
    assert seconds(f"G1 X{length} F{feed}") == pytest.approx(expected, abs=0.002)


def test_a_straight_line_in_pieces_takes_as_long_as_in_one() -> None:
    pieces = "|".join(f"G1 X{x} F6000" for x in range(1, 101))
    assert seconds(pieces) == pytest.approx(seconds("G1 X100 F6000"), abs=0.002)


def test_a_turn_back_comes_to_nearly_a_stand() -> None:
    there_and_back = seconds("G1 X50 F6000|G1 X0")
    two_stands = 2.0 * trapezoid(50.0, 100.0, 1000.0)
    # The junction allows half the jerk, 5 mm/s, in a reversal: each ramp is 5 ms shorter.
    assert there_and_back == pytest.approx(two_stands - 2 * 0.005, abs=0.002)


def test_a_corner_is_slower_than_a_line_and_faster_than_a_stand() -> None:
    straight, corner = seconds("G1 X50 F6000|G1 X100"), seconds("G1 X50 F6000|G1 X50 Y50")
    stand = seconds("G1 X50 F6000|M400|G1 X50 Y50")
    assert straight < corner < stand


def test_dwell_counts_and_stops() -> None:
    alone = seconds("G1 X50 F6000|M400|G1 X100")
    assert seconds("G1 X50 F6000|G4 S2|G1 X100") == pytest.approx(alone + 2.0, abs=0.002)
    assert seconds("G1 X50 F6000|G4 P500|G1 X100") == pytest.approx(alone + 0.5, abs=0.002)


def test_z_has_its_own_limits() -> None:
    z = replace(PLAIN, z_feed_max_mm_per_min=600.0, z_acceleration=100.0)
    assert seconds("G1 Z10 F6000", z) == pytest.approx(trapezoid(10.0, 10.0, 100.0), abs=0.002)


def test_retractions_count() -> None:
    retract = replace(PLAIN, retract_acceleration=1000.0)
    expected = trapezoid(5.0, 40.0, 1000.0)
    assert seconds("G1 E-5 F2400", retract) == pytest.approx(expected, abs=0.002)


@pytest.mark.parametrize(
    ("setting", "faster"),
    [("M204 S4000", True), ("M204 P4000 T4000", True), ("M204 S100", False), ("M203 X20", False)],
)
def test_the_files_own_settings_hold(setting: str, faster: bool) -> None:
    moves = "|G1 X20 Y5 F6000|G1 X0"
    assert (seconds(setting + moves) < seconds(moves)) == faster


def test_a_full_circle_takes_its_length() -> None:
    expected = trapezoid(2.0 * math.pi * 20.0, 50.0, 1000.0)
    assert seconds("G92 X40 Y40|G2 I-20 F3000") == pytest.approx(expected, abs=0.002)


@UNHURRIED
@given(st.lists(st.tuples(st.floats(0.1, 50.0), st.floats(1.0, 200.0)), min_size=1, max_size=40))
def test_no_move_is_faster_than_its_speed_or_slower_than_from_a_stand(
    moves: list[tuple[float, float]],
) -> None:
    planner = Planner()
    for n, (length, speed) in enumerate(moves):
        planner.batch.append((length, speed, speed * speed, 100.0, 2000.0, n))
    planner.stop()
    fastest = sum(length / speed for length, speed in moves)
    slowest = sum(trapezoid(length, speed, 1000.0) for length, speed in moves)
    assert fastest - 1e-6 <= planner.seconds <= slowest + 1e-6


@UNHURRIED
@given(st.lists(st.floats(0.1, 50.0), min_size=1, max_size=60), st.integers(1, 10))
def test_flushing_in_between_changes_little(lengths: list[float], every: int) -> None:
    whole, flushed = Planner(), Planner()
    for n, length in enumerate(lengths):
        move = (length, 20.0, 400.0, 100.0, 2000.0, n)
        whole.batch.append(move)
        flushed.batch.append(move)
        if n % every == 0:
            flushed.flush()
    whole.stop()
    flushed.stop()
    # A flush looks 32 moves ahead, so it can only brake too early: slower, never faster.
    assert whole.seconds - 1e-9 <= flushed.seconds <= whole.seconds + 0.04 * len(lengths)


@pytest.mark.parametrize(
    ("after", "speed"),
    [((0.0, 1.0, 0.0), 10.0), ((-1.0, 0.0, 0.0), 5.0), ((1.0, 0.0, 0.0), None)],
)
def test_junctions(after: tuple[float, float, float], speed: float | None) -> None:
    expected = ANY_SPEED2 if speed is None else speed * speed
    assert junction_speed2((1.0, 0.0, 0.0), after, 10.0) == pytest.approx(expected)


def test_the_table_shares_time_out_by_commands() -> None:
    timeline = Timeline()
    timeline.add(50, 90.0)
    timeline.add(100, 100.0)
    table = timeline.table(100, 100.0)
    assert len(table) == POINTS + 1
    assert table[0] == 0.0
    assert table[POINTS // 2] == pytest.approx(0.9)
    assert table[-1] == 1.0
    assert time_fraction(table, 0.25) == pytest.approx(0.45)
    assert time_fraction(table, 0.75) == pytest.approx(0.95)


@pytest.mark.parametrize(("part", "expected"), [(-1.0, 0.0), (0.3, 0.3), (2.0, 1.0)])
def test_without_a_table_time_goes_with_commands(part: float, expected: float) -> None:
    assert time_fraction((), part) == expected


@UNHURRIED
@given(
    st.lists(st.tuples(st.integers(0, 50), st.floats(0.0, 9.0)), max_size=3000),
    st.floats(0.0, 1.0),
)
def test_a_table_never_falls(steps: list[tuple[int, float]], part: float) -> None:
    timeline = Timeline()
    commands, spent = 0, 0.0
    for more, longer in steps:
        commands += more
        spent += longer
        timeline.add(commands, spent)
    table = timeline.table(commands, spent)
    assert list(table) == sorted(table)
    assert all(0.0 <= value <= 1.0 for value in table)
    assert 0.0 <= time_fraction(table, part) <= 1.0


def test_no_time_no_table() -> None:
    assert Timeline().table(10, 0.0) == ()
