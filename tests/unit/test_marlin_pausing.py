"""What a pause must bring back, and the commands that do it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.ports import WorkArea
from fabctl.units import Millimetres
from fabctl_drivers.marlin import pausing
from fabctl_drivers.marlin.motion import Motion
from fabctl_drivers.marlin.pausing import Parking, Standstill

HERE = b"X:10.00 Y:20.00 Z:0.30 E:5.12 Count X:800 Y:1600 Z:120"


def motion_after(*commands: bytes) -> Motion:
    motion = Motion()
    for command in commands:
        motion.note(command)
    motion.read()
    return motion


def stood(
    motion: Motion, *, can_extrude: bool = True, lift_mm: float = 5.0, line: bytes = HERE
) -> Standstill:
    position = pausing.position_of(line, motion)
    return Standstill(position, motion, {b"M109": 210.0}, can_extrude, Millimetres(lift_mm))


def test_the_last_word_of_each_kind_counts() -> None:
    motion = motion_after(b"G1 X1 Y2 Z3 E4 F1800", b"G1 X1.5 E4.25", b"G0 Y-2.125 F.5")
    assert motion.at == {"X": 1.5, "Y": -2.125, "Z": 3.0, "E": 4.25}
    assert motion.feed == b".5"


def test_modes_fan_tool_and_units_are_kept_as_they_were_said() -> None:
    motion = motion_after(b"G20", b"T1", b"M106 S128", b"G28 X", b"M107")
    assert (motion.inches, motion.tool, motion.fan, motion.homed) == (True, b"T1", b"M107", True)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ((), (b"G90", b"M82")),
        ((b"M83",), (b"G90", b"M83")),
        ((b"M83", b"G90"), (b"M83", b"G90")),
        ((b"G91",), (b"M82", b"G91")),
        ((b"G91", b"M82", b"G90", b"M83"), (b"G90", b"M83")),
    ],
)
def test_modes_keep_their_order_because_firmwares_disagree(
    said: tuple[bytes, ...], kept: tuple[bytes, ...]
) -> None:
    """Marlin 2's G90 overrules an earlier M83, Marlin 1's does not: the order is kept."""
    assert motion_after(*said).positioning == kept


def test_what_the_file_does_not_say_absolutely_is_unknown() -> None:
    motion = motion_after(b"G1 X5 Y5 E5", b"M83", b"G1 E1")
    assert motion.at == {"X": 5.0, "Y": 5.0, "Z": None, "E": None}
    assert motion_after(b"G1 X5 E1", b"G91", b"G1 X1").at["X"] is None
    assert motion_after(b"G1 X5 Y5", b"G28").at["X"] is None


def test_g92_says_where_the_machine_is() -> None:
    assert motion_after(b"G1 E5", b"G92 E0").at["E"] == 0.0
    assert motion_after(b"G92 X1.5 E").at == {"X": 1.5, "Y": None, "Z": None, "E": 0.0}


def test_the_f_of_another_command_is_no_feed() -> None:
    assert motion_after(b"G1 X1 F1800", b"M117 Finished F5").feed == b"1800"


@given(st.lists(st.sampled_from([b"G1 X1 E1", b"G1 Y2 F900", b"G1X3", b"M83", b"G90", b"G92 E0"])))
def test_reading_late_is_the_same_as_reading_at_once(commands: list[bytes]) -> None:
    late, early = Motion(), Motion()
    for command in commands:
        late.note(command)
        early.note(command)
        early.read()
    late.read()
    assert late == early


def test_the_files_own_coordinate_is_more_exact_than_m114() -> None:
    motion = motion_after(b"G1 X10.00451 Y21 Z0.3 E5.12345")
    position = pausing.position_of(HERE, motion)
    assert position == {"X": 10.00451, "Y": 20.0, "Z": 0.3, "E": 5.12345}


def test_resume_undoes_what_the_pause_did() -> None:
    motion = motion_after(b"G28", b"M83", b"G1 X10 Y20 Z0.3 F1800")
    parking = Parking(x_mm=Millimetres(0.0), y_mm=Millimetres(200.0))
    aside = pausing.aside(stood(motion), parking)
    assert aside == [
        b"M83",
        b"G1 E-2 F1800",
        b"G91",
        b"G1 Z5 F600",
        b"G90",
        b"G1 X0 Y200 F6000",
        b"M400",
    ]
    back = pausing.back(stood(motion), parking, {b"M109": 210.0})
    assert back == [
        b"G90",
        b"G1 X10 Y20 F6000",
        b"G1 Z0.3 F600",
        b"M83",
        b"G1 E2 F1800",
        b"G92 E5.12",
        b"G90",
        b"M83",
        b"G1 F1800",
    ]


def test_inches_are_left_for_our_own_millimetres_and_taken_up_again() -> None:
    motion = motion_after(b"G28", b"G20", b"G1 X1 F60")
    assert pausing.aside(stood(motion), Parking())[0] == b"G21"
    back = pausing.back(stood(motion), Parking(), {b"M109": 210.0})
    assert back[0] == b"G21"
    assert back[-2:] == [b"G20", b"G1 F60"]


def test_a_cold_nozzle_is_not_asked_to_extrude() -> None:
    cold = stood(motion_after(b"G28"), can_extrude=False)
    assert b"M83" not in pausing.aside(cold, Parking())
    assert not any(c.startswith(b"G1 E") for c in pausing.back(cold, Parking(), {}))


@pytest.mark.parametrize("line", [b"", b"X:1.00 Y:2.00"])
def test_without_a_known_place_nothing_moves(line: bytes) -> None:
    lost = stood(motion_after(b"G28"), line=line)
    assert pausing.aside(lost, Parking()) == []
    moves = [c for c in pausing.back(lost, Parking(), {}) if c.startswith(b"G1 X")]
    assert moves == []


def test_a_heater_with_another_target_is_waited_for() -> None:
    motion = motion_after(b"T0")
    back = pausing.back(stood(motion), Parking(), {b"M109": 0.0, b"M190": 60.0})
    assert back[:2] == [b"T0", b"M109 S210"]


@pytest.mark.parametrize(
    ("z_mm", "lift_mm"), [(0.3, 5.0), (207.0, 3.0), (210.0, 0.0), (211.0, 0.0), (None, 5.0)]
)
def test_the_lift_stays_inside_the_work_area(z_mm: float | None, lift_mm: float) -> None:
    area = WorkArea((0, 250), (0, 210), (0, 210))
    assert pausing.highest_lift(Parking(), z_mm, area) == pytest.approx(lift_mm)
    assert pausing.highest_lift(Parking(), z_mm, None) == 5.0
