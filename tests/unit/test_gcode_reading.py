"""What a file does: modes, units, positions, filament, power, tools, in both dialects."""

from __future__ import annotations

import pytest

from fabctl.gcode.boxes import Box, Span
from fabctl.gcode.report import Report
from fabctl.ports import MachineKind
from tests.gcode_reading import LASER, MILL, OTHER, PRINTER, codes, read

START = "G28|G90|M82|G92 E0|M104 S200|G1 F3000|"


def work(report: Report) -> Box:
    assert report.bounds.work is not None
    return report.bounds.work


def travel(report: Report) -> Box:
    assert report.bounds.travel is not None
    return report.bounds.travel


PRINTED_X = [
    ("absolute", "G1 X10 Y10|G1 X20 E1", (10.0, 20.0)),
    ("relative", "G1 X10 Y10|G91|G1 X5 E1|G1 X5 E1", (10.0, 20.0)),
    ("relative E only", "G1 X10 Y10|M83|G1 X20 E1|G1 X25 E-1|G1 X30 E1", (10.0, 30.0)),
    ("inches", "G20|G1 X1 Y1|G1 X2 E1", (25.4, 50.8)),
    ("millimetres again", "G20|G21|G1 X1 Y1|G1 X2 E1", (1.0, 2.0)),
    ("offset by G92", "G1 X100 Y10|G92 X0|G1 X5 E1", (100.0, 105.0)),
    ("offset gone after homing", "G1 X100 Y10|G92 X0|G28 X|G1 X5 Y10|G1 X6 E1", (5.0, 6.0)),
    ("words without spaces", "G1X10Y10|G1X20E1", (10.0, 20.0)),
    ("lower case", "g1 x10 y10|g1 x20 e1", (10.0, 20.0)),
    ("line numbers and checksums", "N1 G1 X10 Y10*77|N2 G1 X20 E1*5", (10.0, 20.0)),
    ("comments inside", "G1 (go) X10 Y10 ; there|G1 X20 (on) E1", (10.0, 20.0)),
    ("blanks between letter and number", "G1 X 10 Y 10|G1 X 20 E 1", (10.0, 20.0)),
    ("leading zeros", "G01 X010 Y10|G001 X20.0 E1", (10.0, 20.0)),
    ("numbers without a leading zero", "G1 X.5 Y.5|G1 X-.0|G1 X1 E.1", (0.0, 1.0)),
    ("plus signs", "G1 X+10 Y+10|G1 X+20 E+1", (10.0, 20.0)),
    ("feed first", "G1 F1200 X10 Y10|G1 F900 X20 E1", (10.0, 20.0)),
    ("carriage returns", "G1 X10 Y10\r|G1 X20 E1\r", (10.0, 20.0)),
    ("G91 makes E relative, G90 absolute", "G91|G1 X10 E1|G90|G1 X20 E2", (0.0, 20.0)),
    ("retraction while moving is travel", "G1 X10 Y10|G1 X20 E1|G1 X90 E0.5", (10.0, 20.0)),
    ("M83 holds under G90", "G90|M83|G1 X10 Y10|G1 X20 E1|G1 X30 E1", (10.0, 30.0)),
]


@pytest.mark.parametrize(
    ("program", "x"), [row[1:] for row in PRINTED_X], ids=[row[0] for row in PRINTED_X]
)
def test_where_a_printer_extrudes(program: str, x: Span) -> None:
    report = read(START + program)
    assert report.errors == ()
    assert work(report).x == pytest.approx(x)


CUT_X = [
    ("modal lines", "G0 X0 Y0 Z5|M3 S900|G1 X10 F300|X20|Y5", (0.0, 20.0)),
    ("rapids are travel", "M3 S900|G0 X50 Y0|G1 Z-1 F100|X60|G0 X200", (50.0, 60.0)),
    ("many words in a block", "G21 G90 G0 X5 Y0 M3 S900|G1 F300 X10", (5.0, 10.0)),
    ("F and S before the motion", "G0 X0 Y0|M3 S900|F300 S800 G1 X10", (0.0, 10.0)),
    ("relative from nowhere", "M3 S900|G91|G1 X10 F300|X10", (0.0, 20.0)),
    ("inches", "G20|M3 S900|G0 X0 Y0|G1 X1 F10", (0.0, 25.4)),
    ("a clockwise half circle", "M3 S900|G0 X0 Y0|G2 X0 Y20 I0 J10 F300", (-10.0, 0.0)),
    ("a half circle the other way", "M3 S900|G0 X0 Y0|G3 X0 Y20 I0 J10 F300", (0.0, 10.0)),
    ("an arc by radius", "M3 S900|G0 X0 Y0|G2 X0 Y20 R10 F300", (-10.0, 0.0)),
    ("the longer arc by radius", "M3 S900|G0 X0 Y0|G3 X10 Y10 R-10 F300", (-0.0, 20.0)),
    ("a full circle", "M3 S900|G0 X0 Y0|G2 X0 Y0 I10 F300", (0.0, 20.0)),
    ("modal arcs", "M3 S900|G0 X0 Y0|G2 X10 Y0 I5 F300|X20 I5", (0.0, 20.0)),
    ("arcs in inches", "G20|M3 S900|G0 X0 Y0|G2 X0 Y0 I1 F10", (0.0, 50.8)),
    ("arcs with an absolute centre", "G90.1|M3 S9|G0 X5 Y0|G2 X5 Y0 I15 J0 F300", (5.0, 25.0)),
    ("an arc in XZ", "G18|M3 S9|G0 X0 Y0 Z0|G2 X20 Z0 I10 K0 F300", (0.0, 20.0)),
    ("an arc in YZ", "G19|M3 S9|G0 X3 Y0 Z0|G2 Y20 Z0 J10 K0 F300", (3.0, 3.0)),
    ("machine coordinates say nothing", "M3 S9|G53 G0 X-300|G0 X1 Y1|G1 X2 F300", (1.0, 2.0)),
    ("G92 and its end", "M3 S9|G0 X10 Y0|G92 X0|G1 X5 F99|G92.1|G1 X11", (10.0, 15.0)),
    ("percent marks", "%|M3 S9|G0 X1 Y0|G1 X2 F300|%", (1.0, 2.0)),
    ("after probing the place is unknown", "G0 X9 Y0|G38.2 Z-9 F99|M3 S9|G1 X2|X3", (2.0, 3.0)),
    ("work systems of their own", "M3 S9|G54 G0 X1 Y0|G1 X2 F99|G55 G0 X50|G1 X51", (1.0, 51.0)),
    ("motion off", "M3 S9|G0 X1 Y0|G1 X2 F300|G80|X90", (1.0, 2.0)),
    ("drilling", "M3 S9|G0 X5 Y5 Z5|G81 X9 Z-3 R1 F99|X12|G80", (5.0, 12.0)),
]


@pytest.mark.parametrize(
    ("program", "x"), [row[1:] for row in CUT_X], ids=[row[0] for row in CUT_X]
)
def test_where_a_mill_cuts(program: str, x: Span) -> None:
    report = read(program, MILL, work_area=None)
    assert report.errors == ()
    assert work(report).x == pytest.approx(x)


@pytest.mark.parametrize(
    ("program", "z"),
    [
        ("G18|M3 S9|G0 X0 Y0 Z0|G2 X20 Z0 I10 K0 F300", (-10.0, 0.0)),
        ("G18|M3 S9|G0 X0 Y0 Z0|G3 X20 Z0 I10 K0 F300", (0.0, 10.0)),
        ("G19|M3 S9|G0 X0 Y0 Z0|G2 Y20 Z0 J10 K0 F300", (0.0, 10.0)),
        ("G17|M3 S9|G0 X0 Y0 Z0|G2 X20 Z-4 I10 F300", (-4.0, 0.0)),
    ],
)
def test_the_other_planes_turn_the_right_way(program: str, z: Span) -> None:
    # Clockwise as seen from the positive end of the third axis: in G18 from Z to X is the
    # other way round (RS274/NGC report, section 3.5.3).
    assert work(read(program, MILL, work_area=None)).z == pytest.approx(z, abs=1e-9)


@pytest.mark.parametrize(
    ("program", "x"),
    [
        ("M4 S500|G0 X0 Y0|G1 X10 F300|G1 X20 S0|G1 X30", (0.0, 10.0)),
        ("M4|G0X0Y0|G1F300|X10S0|X20S5|X30S0", (10.0, 20.0)),
        ("M5|G1 X5 Y0 F300|M3 S9|G1 X9|M5|G1 X50", (5.0, 9.0)),
    ],
)
def test_a_laser_cuts_only_with_its_beam_on(program: str, x: Span) -> None:
    assert work(read(program, LASER)).x == x


def test_axes_that_no_move_names_stay_unknown() -> None:
    report = read("M4 S9|G0 X1|G1 X2 F300", LASER)
    assert work(report) == Box(x=(1.0, 2.0), y=None, z=None)
    assert report.estimate_s is not None


def test_before_homing_a_printers_place_is_unknown() -> None:
    report = read("G91|G1 Z5|G90|G28 X Y|M104 S200|G1 X9 Y9|G1 X10 E1")
    assert travel(report).z is None
    assert travel(report).x == (9.0, 9.0)


def test_homing_some_axes() -> None:
    report = read(START + "G1 X50 Y50 Z5|G28 X|G91|G1 X1 Y1")
    assert travel(report).x == (1.0, 50.0)
    assert travel(report).y == (50.0, 51.0)


def test_a_home_that_is_not_zero() -> None:
    report = read("G28|G91|G1 X10", home=(100.0, 0.0, 0.0))
    assert travel(report).x == (110.0, 110.0)


def test_travel_and_work_are_kept_apart() -> None:
    report = read(START + "G1 X5 Y5 Z0.3|G1 X50 Y6 E2|G0 X200 Y200 Z10")
    assert work(report) == Box(x=(5.0, 50.0), y=(5.0, 6.0), z=(0.3, 0.3))
    assert travel(report) == Box(x=(5.0, 200.0), y=(5.0, 200.0), z=(0.3, 10.0))


def test_a_bezier_curve_counts_with_its_control_points() -> None:
    report = read(START + "G1 X10 Y10|G5 X20 Y10 I0 J30 P0 Q-20")
    assert travel(report).y == (-10.0, 40.0)


@pytest.mark.parametrize(
    ("program", "filament"),
    [
        ("G1 X1 E5", 5.0),
        ("G1 X1 E5|G92 E0|G1 X2 E5", 10.0),
        ("G1 X1 E5|G1 E3|G1 E5|G1 X2 E6", 6.0),
        ("G1 X1 E5|G1 E3", 5.0),
        ("M83|G1 X1 E5|G1 E-2|G1 E2|G1 X2 E1", 6.0),
        ("G20|M83|G1 X1 E1", 25.4),
        ("G1 E-5", 0.0),
        ("G92 E10|G1 X1 E11", 1.0),
        ("G1 X1 E5|G92 E|G1 X2 E1", 6.0),
        ("G10|G1 X5|G11|G1 X6 E1", 1.0),
    ],
)
def test_filament(program: str, filament: float) -> None:
    assert read(START + program).filament_mm == pytest.approx(filament)


@pytest.mark.parametrize(
    ("program", "nozzle", "bed"),
    [
        ("M104 S200|M109 S215|M104 S0", 215.0, None),
        ("M109 R190", 190.0, None),
        ("M140 S60|M190 R65|M140 S0", None, 65.0),
        ("M104 T1 S240", 240.0, None),
        ("M104", None, None),
        ("M303 E0 S230 C8", 230.0, None),
        ("M303 E-1 S90", None, 90.0),
    ],
)
def test_highest_temperatures(program: str, nozzle: float | None, bed: float | None) -> None:
    report = read("G28|" + program)
    assert (report.nozzle_max_c, report.bed_max_c) == (nozzle, bed)


@pytest.mark.parametrize(
    ("program", "power"),
    [
        ("M3 S9000|G1 X1 F99|S12000|G1 X2", (9000.0, 12000.0)),
        ("M4|G1 X1 S5 F99|X2 S7|X3 S0", (5.0, 7.0)),
        ("S4000|M3|G1 X1 F99", (4000.0, 4000.0)),
        ("S4000|G1 X1 F99|M5", None),
    ],
)
def test_the_range_of_power(program: str, power: Span | None) -> None:
    assert read(program, MILL).power == power


def test_feeds_in_both_units() -> None:
    assert read("M3 S1|G1 X1 F300|G20|G1 X2 F10", MILL).feed_max_mm_per_min == 300.0
    assert read("M3 S1|G20|G1 X1 F100", MILL).feed_max_mm_per_min == pytest.approx(2540.0)


def test_inverse_time_gives_the_moves_time() -> None:
    report = read("M3 S1|G0 X0 Y0|G93|G1 X10 F6", MILL)
    assert report.estimate_s == pytest.approx(10.0, abs=0.5)


@pytest.mark.parametrize(
    ("program", "kind", "tools"),
    [("T0|T1|T0", PRINTER, (0, 1)), ("M6 T3|T5 M6", MILL, (3, 5)), ("G28", PRINTER, ())],
)
def test_tools(program: str, kind: MachineKind, tools: tuple[int, ...]) -> None:
    assert read(program, kind).tools == tools


def test_waits_are_counted() -> None:
    assert read("G28|M0|M600|M601|M117 M0").waits == 3


def test_dwell_is_in_milliseconds_for_marlin_and_seconds_for_grbl() -> None:
    assert read("G28|G4 P1500").estimate_s == pytest.approx(1.5)
    assert read("G28|G4 S2").estimate_s == pytest.approx(2.0)
    assert read("G4 P1.5", MILL).estimate_s == pytest.approx(1.5)


def test_program_end_turns_a_mills_spindle_off() -> None:
    program = "M3 S9|G0 X0 Y0 Z1|G1 X1 F99|"
    assert codes(read(program, MILL)) == ["spindle-left-on"]
    assert codes(read(program + "M30", MILL)) == []
    assert codes(read(program + "M2", MILL)) == []


def test_another_machine_may_print_or_cut() -> None:
    report = read("G28|G1 X1 Y1 F99|M104 S200|G1 X2 E1", OTHER, work_area=None)
    assert report.errors == ()
    assert report.filament_mm == 1.0
    assert report.nozzle_max_c == 200.0


@pytest.mark.parametrize("kind", [PRINTER, MILL, LASER, OTHER])
def test_lines_and_commands(kind: MachineKind) -> None:
    report = read(";a||G21|(c)|N5|G90 ; b|", kind)
    assert (report.lines, report.commands) == (6, 2)


def test_messages_are_not_words() -> None:
    report = read(START + "M117 G1 X9999 T5|M118 A1 (x) M112")
    assert codes(report) == ["no-motion", "heater-left-on"]
    assert report.tools == ()
