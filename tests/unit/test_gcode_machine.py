"""A file read for one machine: its line buffer, its speeds, its zero."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest

from fabctl.gcode.machine import inspect_for, line_limit, motion_of
from fabctl.gcode.motion import CUTTER_MOTION, PRINTER_MOTION
from fabctl.gcode.report import Report
from fabctl.ports import Controller, Limits, MachineKind, MachineProfile
from fabctl.units import MmPerMin
from tests.gcode_reading import AREA, LASER, MILL, OTHER, PRINTER, codes


def machine(kind: MachineKind, limits: Limits | None = None, **known: Any) -> MachineProfile:
    return MachineProfile(
        "m", "M", kind, "driver", "here", None, 115200, AREA, limits or Limits(),
        controller=Controller(**known),
    )  # fmt: skip


def read_for(program: str, profile: MachineProfile, **options: Any) -> Report:
    return inspect_for(io.BytesIO(program.replace("|", "\n").encode()), profile, **options)


@pytest.mark.parametrize(("kind", "limit"), [(PRINTER, 96), (MILL, 80), (LASER, 80), (OTHER, 80)])
def test_the_kind_says_how_long_a_line_may_be(kind: MachineKind, limit: int) -> None:
    assert line_limit(machine(kind)) == limit


@pytest.mark.parametrize(
    ("kind", "known", "longest"),
    [(MILL, {}, 79), (PRINTER, {}, 80), (MILL, {"line_bytes": 256}, 255)],
)
def test_the_longest_line(kind: MachineKind, known: dict[str, Any], longest: int) -> None:
    profile = machine(kind, **known)
    start = "G28|G1 X1 Y1 F900|" if kind is PRINTER else "M3 S9|G1 Z-1 F900|"
    for extra, found in ((0, False), (1, True)):
        line = "G1 X1." + "0" * (longest - 6 + extra)
        report = read_for(f"{start}{line}|M5", profile)
        assert ("line-too-long" in codes(report)) is found


def test_nothing_known_means_a_common_machine() -> None:
    assert motion_of(machine(PRINTER)) == PRINTER_MOTION
    assert motion_of(machine(LASER)) == CUTTER_MOTION


def test_what_is_known_counts() -> None:
    motion = motion_of(
        machine(
            PRINTER,
            acceleration_mm_per_s2=3000.0,
            z_acceleration_mm_per_s2=100.0,
            retract_acceleration_mm_per_s2=5000.0,
            jerk_mm_per_s=8.0,
            retract_jerk_mm_per_s=5.0,
            feed_max_mm_per_min=9000.0,
            z_feed_max_mm_per_min=600.0,
            retract_feed_max_mm_per_min=3000.0,
        )
    )
    assert motion == replace(
        PRINTER_MOTION,
        acceleration=3000.0,
        travel_acceleration=3000.0,
        retract_acceleration=5000.0,
        z_acceleration=100.0,
        jerk=8.0,
        retract_jerk=5.0,
        feed_max_mm_per_min=9000.0,
        z_feed_max_mm_per_min=600.0,
        retract_feed_max_mm_per_min=3000.0,
    )


def test_the_feed_limit_of_the_lab_holds_where_the_controllers_is_not_known() -> None:
    limits = Limits(feed_max_mm_per_min=MmPerMin(2000.0))
    motion = motion_of(machine(MILL, limits))
    assert (motion.feed_max_mm_per_min, motion.rapid_mm_per_min) == (2000.0, 2000.0)
    motion = motion_of(machine(MILL, limits, feed_max_mm_per_min=1500.0, rapid_mm_per_min=4000.0))
    assert (motion.feed_max_mm_per_min, motion.rapid_mm_per_min) == (1500.0, 4000.0)
    assert motion_of(machine(PRINTER, limits)).rapid_mm_per_min is None


def test_a_junction_deviation_is_a_jerk_in_a_right_angle() -> None:
    # v² = a·δ·s/(1-s) with s = sin 45° (grbl/planner.c): 400 · 0.02 · 2.414 = 4.395²
    motion = motion_of(machine(MILL, acceleration_mm_per_s2=400.0, junction_deviation_mm=0.02))
    assert motion.jerk == pytest.approx(4.395, abs=0.001)


def test_a_slower_machine_takes_longer() -> None:
    program = "M3 S9|" + "".join(f"G1 X{x} Y{x % 3} F3000|" for x in range(60)) + "M5"
    usual = read_for(program, machine(MILL)).estimate_s
    slow = read_for(program, machine(MILL, acceleration_mm_per_s2=20.0)).estimate_s
    assert usual is not None
    assert slow is not None
    assert slow > 2.0 * usual


@pytest.mark.parametrize(
    ("known", "said", "found"),
    [
        ({}, None, []),
        ({"work_zero_mm": (200.0, 0.0, 50.0)}, None, ["outside-work-area"]),
        ({"work_zero_mm": (200.0, 0.0, 50.0)}, (10.0, 10.0, 50.0), []),
        ({}, (200.0, 10.0, 50.0), ["outside-work-area"]),
    ],
)
def test_a_known_zero_lets_positions_be_judged(
    known: dict[str, Any], said: tuple[float, float, float] | None, found: list[str]
) -> None:
    report = read_for("M3 S9|G1 X100 Y5 Z-1 F300|M5", machine(MILL, **known), work_zero=said)
    assert codes(report) == found


def test_home_is_where_lab_toml_says() -> None:
    profile = machine(PRINTER, home_mm=(249.0, 5.0, 5.0))
    assert "outside-work-area" in codes(read_for("G28|G91|G1 X2 Y1 E1", profile))
    assert "outside-work-area" not in codes(read_for("G28|G91|G1 X1 Y1 E1", profile))
